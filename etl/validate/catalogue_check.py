"""Whether the rule files are what the code can judge by; every fault of all of them is told at once.

A name that nothing makes, a key that nobody reads, a value that is none of those allowed: each of them would switch a
rule off in silence, or stop a run in the middle. The files are held against ``declared`` and the layout of the forms
when they are loaded, by every command and every run; that takes milliseconds, no frames and no Great Expectations.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from string import Formatter
from typing import Any, TypeGuard

from etl.reference import forms
from etl.validate import declared
from etl.validate.declared import ALL, FORM_OF_SUITE, PHASES, SEVERITIES, STATES, SUITES

Files = dict[str, dict[str, Any]]
"""Name of a file without its ending -> its content."""

UNITS = ("vnd", "percent", "quantity", "ratio", "text")
_ID = re.compile(r"([A-Z]+\d+)(-[a-z0-9]+)*")
_MONEY_FORM = "B01"
_TYPES = {dict: "đối tượng {…}", list: "danh sách […]", str: "chuỗi", bool: "true hoặc false"}


@dataclass(frozen=True)
class Fault:
    """``place``: the rule's id, or its position in the file; ``told``: what stands there and what may stand there."""

    file: str
    place: str
    key: str
    told: str
    fix: str

    def as_text(self) -> str:
        where = ", ".join(part for part in (self.file, self.place, f"khóa {self.key}" if self.key else "") if part)
        return f"{where}: {self.told}. Cách sửa: {self.fix}."


@dataclass(frozen=True)
class _Kind:
    """An expectation type: keys of ``kwargs`` that it must and may have."""

    columns: tuple[str, ...]
    needs: tuple[str, ...] = ()
    may: tuple[str, ...] = ()
    one_of: tuple[str, ...] = ()


_BOUNDS = ("min_value", "max_value")
_BETWEEN = _Kind(("column",), may=(*_BOUNDS, "strict_min", "strict_max"), one_of=_BOUNDS)
_PAIR = ("column_A", "column_B")
TYPES: Mapping[str, _Kind] = {
    "expect_column_values_to_be_null": _Kind(("column",)),
    "expect_column_values_to_not_be_null": _Kind(("column",)),
    "expect_column_values_to_be_between": _BETWEEN,
    "expect_column_value_lengths_to_be_between": _BETWEEN,
    "expect_column_values_to_be_in_set": _Kind(("column",), needs=("value_set",)),
    "expect_column_values_to_not_be_in_set": _Kind(("column",), needs=("value_set",)),
    "expect_column_values_to_match_regex": _Kind(("column",), needs=("regex",)),
    "expect_column_values_to_not_match_regex": _Kind(("column",), needs=("regex",)),
    "expect_column_pair_values_to_be_equal": _Kind(_PAIR, needs=("ignore_row_if",)),
    "expect_column_pair_values_a_to_be_greater_than_b": _Kind(_PAIR, needs=("ignore_row_if",), may=("or_equal",)),
}
"""Expectations of Great Expectations that judge row by row, which is what a rule needs, and what they are given."""
_BLANKS_ASIDE = "either_value_is_missing"
"""The one way of a pair: a blank column has nothing to say."""

_SUITE_KEYS = ("name", "meta", "expectations")
_RULE_KEYS = ("type", "kwargs", "severity", "meta")
_META_NEEDS = (
    "rule", "id", "phase", "state", "cell", "value", "expected", "difference", "uses", "reason", "message", "fix", "en",
)  # fmt: skip
_META_MAY = ("form", "unit", "uses_line", "uses_project", "over", "takes", "once", "override")
_SMALL_NEEDS = ("severity", "state", "reason", "message", "fix")
_SHOWN = ("value", "expected", "difference")


def faults(files: Files) -> list[Fault]:
    """Every fault in the content of files that could be read, in the order of the files and of their rules."""
    found: list[Fault] = []
    for name, content in files.items():
        found += _Check(name).file(content)
    return found + list(_doubled(files))


def _doubled(files: Files) -> Iterator[Fault]:
    """Findings, answers of officers and ``ref.rule`` go by the id alone, in any letter case.

    What a statement is told never stands beside them; it may share an id with the intake, which means the same.
    """
    of_statements = {id.casefold(): "treasury" for id in _dict(files.get("treasury", {}).get("statement_rules"))}
    seen: dict[str, str] = {}
    for name, content in files.items():
        is_intake = name == "intake"
        metas = [_dict(_dict(one).get("meta")) for one in _list(content.get("expectations"))]
        for id in _dict(content.get("rules")) if is_intake else [meta.get("id") for meta in metas]:
            if not isinstance(id, str):
                continue
            other = seen.get(id.casefold()) or (None if is_intake else of_statements.get(id.casefold()))
            seen.setdefault(id.casefold(), name)
            if other:
                told = f"{shown(id)} đã dùng trong {other}.json; mã không được trùng trong toàn bộ danh mục"
                fix = "đặt mã khác cho một trong hai quy tắc, ví dụ thêm phần sau dấu gạch nối"
                yield Fault(f"{name}.json", f"quy tắc {id}", "" if is_intake else "meta.id", told, fix)


@dataclass
class _Check:
    """Looks through one file and gathers its faults; what one fault hides is not asked about until it is mended."""

    suite: str
    found: list[Fault] = field(default_factory=list)
    place: str = ""
    """The rule that is looked at."""

    @property
    def of_report(self) -> bool:
        return self.suite in SUITES

    @property
    def columns(self) -> frozenset[str]:
        return declared.columns(self.suite, of_report=self.of_report)

    def say(self, key: str, told: str, fix: str) -> None:
        self.found.append(Fault(f"{self.suite}.json", self.place, key, told, fix))

    def file(self, content: Mapping[str, Any]) -> list[Fault]:
        small = {"intake": ("rules",), "treasury": ("statement_rules",)}.get(self.suite, ())
        needs = ("name", "meta", *small) if self.suite == "intake" else ("name", "meta", "expectations", *small)
        self.keys(content, "", needs)
        if "name" in content:
            self.one_of("name", content["name"], (self.suite,))
        if "meta" in content and self.is_a(dict, "meta", content["meta"]):
            self.titles(content["meta"])
        if "expectations" in needs and "expectations" in content:
            self.expectations(content["expectations"])
        for key in small:
            if key in content and self.is_a(dict, key, content[key]):
                self.small(key, content[key])
        return self.found

    def titles(self, meta: Mapping[str, Any]) -> None:
        form = FORM_OF_SUITE.get(self.suite)
        self.keys(meta, "meta.", ("vi", "en", *(("form",) if form else ())))
        for key in ("vi", "en"):
            if key in meta:
                self.text(f"meta.{key}", meta[key])
        if form and "form" in meta:
            self.one_of("meta.form", meta["form"], (form,))

    def expectations(self, expectations: Any) -> None:
        if not self.is_a(list, "expectations", expectations):
            return
        if not expectations:
            self.say("expectations", "danh sách trống, không còn quy tắc nào", "khôi phục các quy tắc của tệp này")
        for number, expectation in enumerate(expectations, 1):
            id = _dict(_dict(expectation).get("meta")).get("id")
            self.place = f"quy tắc {id}" if isinstance(id, str) and id else f"quy tắc thứ {number}"
            if self.is_a(dict, "", expectation):
                self.expectation(expectation)
        self.place = ""

    def expectation(self, one: Mapping[str, Any]) -> None:
        self.keys(one, "", _RULE_KEYS)
        if "severity" in one:
            self.one_of("severity", one["severity"], tuple(SEVERITIES))
        is_known = "type" in one and self.one_of("type", one["type"], tuple(TYPES))
        if "kwargs" in one and self.is_a(dict, "kwargs", one["kwargs"]) and is_known:
            self.kwargs(TYPES[one["type"]], one["kwargs"])
        if "meta" in one and self.is_a(dict, "meta", one["meta"]):
            self.meta(one["meta"])

    # What is judged

    def kwargs(self, kind: _Kind, kwargs: Mapping[str, Any]) -> None:
        self.keys(kwargs, "kwargs.", (*kind.columns, *kind.needs), kind.may)
        if kind.one_of and not set(kind.one_of) & kwargs.keys():
            names = " hoặc ".join(kind.one_of)
            self.say("kwargs", f"không có {names} nên không so sánh với gì", f"ghi {names}")
        for key in kind.columns:
            if key in kwargs:
                self.name(f"kwargs.{key}", kwargs[key], self.columns, _CONTROL)
        for key in set(_BOUNDS) & kwargs.keys():
            self.bound(f"kwargs.{key}", kwargs[key])
        low, high = (kwargs.get(key) for key in _BOUNDS)
        if _is_number(low) and _is_number(high) and low > high:
            told = f"min_value {shown(low)} lớn hơn max_value {shown(high)} nên số nào cũng sai"
            self.say("kwargs", told, "đổi lại hai giá trị")
        for key in ("strict_min", "strict_max", "or_equal"):
            if key in kwargs:
                self.is_a(bool, f"kwargs.{key}", kwargs[key])
        if (
            "value_set" in kwargs
            and self.is_a(list, "kwargs.value_set", kwargs["value_set"])
            and not kwargs["value_set"]
        ):
            self.say("kwargs.value_set", "danh sách trống", "ghi ít nhất một giá trị")
        if "regex" in kwargs and self.text("kwargs.regex", kwargs["regex"]):
            try:
                re.compile(kwargs["regex"])
            except re.error as error:
                told = f"{shown(kwargs['regex'])} không phải biểu thức chính quy ({error})"
                self.say("kwargs.regex", told, "sửa biểu thức")
        if "ignore_row_if" in kwargs:
            self.one_of("kwargs.ignore_row_if", kwargs["ignore_row_if"], (_BLANKS_ASIDE,))

    def bound(self, key: str, value: Any) -> None:
        """A number, or the name of a threshold of the province."""
        allowed = declared.parameters(self.suite, of_report=self.of_report)
        if isinstance(value, dict) and set(value) == {"$PARAMETER"}:
            self.name(f"{key}.$PARAMETER", value["$PARAMETER"], allowed, _THRESHOLD)
        elif not _is_number(value):
            told = f'{shown(value)}, phải là một số hoặc {{"$PARAMETER": tên ngưỡng}}'
            self.say(key, told, "ghi số không có ngoặc kép, hoặc tên ngưỡng của tỉnh")

    # What people need to know of it

    def meta(self, meta: Mapping[str, Any]) -> None:
        self.keys(meta, "meta.", _META_NEEDS, _META_MAY)
        self.identity(meta)
        for key, allowed in (("phase", PHASES), ("state", STATES), ("unit", UNITS), ("over", ("leaves",))):
            if key in meta:
                self.one_of(f"meta.{key}", meta[key], allowed)
        for key in ("once", "override"):
            if key in meta:
                self.is_a(bool, f"meta.{key}", meta[key])
        for key in _SHOWN:
            if meta.get(key) is not None:
                self.name(f"meta.{key}", meta[key], self.columns, _CONTROL)
        self.cells(meta)
        for key in ("reason", "message", "fix", "en"):
            if key in meta and self.text(f"meta.{key}", meta[key]) and key != "message":
                self.places(f"meta.{key}", meta[key], ())
        if isinstance(meta.get("message"), str):
            self.message(meta)

    def identity(self, meta: Mapping[str, Any]) -> None:
        if "rule" in meta:
            self.text("meta.rule", meta["rule"])
        if "id" not in meta or not self.text("meta.id", meta["id"]):
            return
        match = _ID.fullmatch(meta["id"])
        if match is None:
            told = f"{shown(meta['id'])} không đúng dạng mã"
            self.say(
                "meta.id", told, "viết chữ hoa rồi đến số, thêm phần sau gạch nối nếu cần, ví dụ CK20 hoặc CK20-jump"
            )
        elif isinstance(meta.get("rule"), str) and meta["rule"] and meta["rule"] != match[1]:
            told = f"{shown(meta['rule'])} khác phần đầu của mã {meta['id']}"
            self.say("meta.rule", told, f"ghi {match[1]}, hoặc sửa meta.id")

    def cells(self, meta: Mapping[str, Any]) -> None:
        """Cells of the form on which the rule rests, which it marks and which it takes out."""
        form = self.form(meta)
        marked = meta.get("cell")
        if marked is not None and self.text("meta.cell", marked):
            if form:
                self.cell("meta.cell", marked, form)
            elif "form" not in meta and not self.of_report:
                self.say(
                    "meta.cell", f"{shown(marked)} nhưng quy tắc không có form", "ghi meta.form, hoặc để cell là null"
                )
        for key, of_form in (
            ("uses", form), ("takes", form), ("uses_line", _MONEY_FORM), ("uses_project", _MONEY_FORM),
        ):  # fmt: skip
            if key not in meta or not self.is_a(list, f"meta.{key}", meta[key]):
                continue
            for name in meta[key]:
                if key == "takes" and name == ALL:
                    continue
                if self.text(f"meta.{key}", name) and of_form:
                    self.cell(f"meta.{key}", name, of_form, pointed=key in ("uses", "takes"))

    def form(self, meta: Mapping[str, Any]) -> str | None:
        """The form of the rule; None where it has none, or one that does not exist."""
        own = FORM_OF_SUITE.get(self.suite)
        if "form" in meta:
            allowed = (own,) if own else tuple(sheet.form for sheet in forms.load().sheets)
            return str(meta["form"]) if self.one_of("meta.form", meta["form"], allowed) else None
        if own is None and self.of_report:
            names = listed(sheet.form for sheet in forms.load().sheets)
            self.say("meta.form", f"không ghi; tệp này phải nói rõ biểu nào: {names}", "bổ sung form cho quy tắc")
        return own

    def cell(self, key: str, name: str, form: str, *, pointed: bool = True) -> None:
        if pointed and name.startswith("@"):
            pointers = [f"@{column}" for column in self.columns if column.endswith("_key")]
            self.name(key, name, pointers, _POINTER)
        else:
            self.name(key, name, [column.key for column in forms.load().sheet(form).columns], _CELL.format(form=form))

    def message(self, meta: Mapping[str, Any]) -> None:
        allowed = {*_SHOWN, *self.columns} | ({"code", "column"} if self.of_report else set())
        for name in self.places("meta.message", meta["message"], allowed):
            source = "cell" if name == "column" else name
            if source in (*_SHOWN, "cell") and source in meta and meta[source] is None:
                told = f"chỗ {{{name}}} không có gì để điền vì meta.{source} là null"
                self.say("meta.message", told, f"ghi tên cột ở meta.{source}, hoặc bỏ {{{name}}} khỏi câu")

    # Rules without an expectation

    def small(self, key: str, rules: Mapping[str, Any]) -> None:
        """Rules of ``intake.json``, or those of statements: exactly those that the code asks for."""
        asked = declared.INTAKE if key == "rules" else declared.STATEMENT
        for id, rule in rules.items():
            self.place = f"quy tắc {id}"
            if id not in asked:
                told = f"quy tắc lạ trong {key}, chương trình không bao giờ dùng đến{_near(id, asked)}"
                self.say("", told, "sửa lại mã, hoặc bỏ quy tắc này")
            elif self.is_a(dict, "", rule):
                self.small_rule(id, rule, asked[id], is_intake=key == "rules")
        for id in asked.keys() - rules.keys():
            self.place = f"quy tắc {id}"
            what = "đọc báo cáo" if key == "rules" else "đọc sao kê"
            told = f"thiếu trong {key}, chương trình cần quy tắc này khi {what}"
            self.say(
                "", told, "khôi phục quy tắc" + (", muốn thôi dùng thì để state là retired" if key == "rules" else "")
            )
        self.place = ""

    def small_rule(self, id: str, rule: Mapping[str, Any], given: tuple[str, ...], *, is_intake: bool) -> None:
        self.keys(rule, "", _SMALL_NEEDS, ("takes",) if is_intake else ())
        if "severity" in rule:
            self.one_of("severity", rule["severity"], tuple(SEVERITIES.values()))
        if "state" in rule:
            # A file that could not be opened, or a statement, is turned down whatever its rule says: it must say why.
            must_speak = not is_intake or id in declared.REFUSALS
            self.one_of("state", rule["state"], tuple(s for s in STATES if not (must_speak and s == "retired")))
        if "takes" in rule:
            self.is_a(bool, "takes", rule["takes"])
        for key in ("reason", "message", "fix"):
            if key in rule and self.text(key, rule[key]):
                self.places(key, rule[key], () if key == "reason" else given)

    # What holds of any value

    def keys(self, value: Mapping[str, Any], prefix: str, needs: Collection[str], may: Collection[str] = ()) -> None:
        allowed = (*needs, *may)
        for key in value:
            if key not in allowed:
                told = f"khóa lạ, chương trình không đọc{_near(key, allowed)}; các khóa được dùng: {listed(allowed)}"
                self.say(f"{prefix}{key}", told, "sửa lại tên khóa, hoặc bỏ khóa này")
        for key in needs:
            if key not in value:
                self.say(f"{prefix}{key}", "thiếu khóa bắt buộc", "bổ sung khóa này theo mẫu của các quy tắc khác")

    def is_a(self, kind: type, key: str, value: Any) -> bool:
        if isinstance(value, kind):
            return True
        self.say(key, f"{shown(value)}, phải là {_TYPES[kind]}", f"viết lại dưới dạng {_TYPES[kind]}")
        return False

    def text(self, key: str, value: Any) -> bool:
        if self.is_a(str, key, value) and not value.strip():
            self.say(key, "chuỗi trống", "ghi nội dung")
        return isinstance(value, str) and bool(value.strip())

    def one_of(self, key: str, value: Any, allowed: Collection[str]) -> bool:
        if isinstance(value, str) and value in allowed:
            return True
        told = f"{shown(value)} không được dùng{_near(value, allowed)}; giá trị được dùng: {listed(allowed)}"
        self.say(key, told, "ghi đúng giá trị được dùng")
        return False

    def name(self, key: str, value: Any, allowed: Collection[str], what: str) -> None:
        """Like ``one_of`` for names of which there are many: those that are near, else all of them."""
        if isinstance(value, str) and value in allowed:
            return
        near = _near(value, allowed)
        known = "" if near else f"; các tên có: {listed(sorted(allowed)) or 'không có tên nào'}"
        kind, _, fix = what.partition(": ")
        self.say(key, f"{shown(value)} không phải là {kind}{near}{known}", fix)

    def places(self, key: str, text: str, allowed: Collection[str]) -> list[str]:
        """Names of the places of a text that can be filled."""
        how = "viết chỗ điền là {tên}; dấu ngoặc nhọn không phải chỗ điền thì viết hai lần"
        try:
            places = [(name, spec, how_) for _, name, spec, how_ in Formatter().parse(text) if name is not None]
        except ValueError:
            self.say(key, f"dấu ngoặc nhọn không khớp trong {shown(text)}", how)
            return []
        result = []
        for name, spec, conversion in places:
            if name in allowed and not spec and not conversion:
                result.append(name)
            elif not name.isidentifier() or spec or conversion:
                self.say(key, f"chỗ điền viết sai: {shown(text)}", how)
            else:
                near = _near(name, allowed)
                known = "" if near else f"; các tên điền được: {listed(sorted(allowed)) or 'không có tên nào'}"
                self.say(
                    key, f"không có gì để điền vào chỗ {{{name}}}{near}{known}", "sửa lại tên, hoặc bỏ chỗ điền này"
                )
        return result


_NEW = "nếu là cột mới thì lập ở etl/validate/controls/ và khai báo trong etl/validate/declared.py"
_CONTROL = f"cột kiểm tra của tệp này: sửa lại tên cột; {_NEW}"
_POINTER = f"cột kiểm tra nêu tên cột của biểu (tên kết thúc bằng _key): sửa lại tên cột; {_NEW}"
_CELL = "cột của biểu {form}: sửa lại tên cột theo etl/reference/forms/v1_columns.csv, hoặc ghi @tên cột kiểm tra"
_THRESHOLD = "ngưỡng được dùng ở tệp này: sửa lại tên; nếu là ngưỡng mới thì khai báo trong etl/validate/declared.py"


def _near(value: Any, allowed: Collection[str]) -> str:
    close = get_close_matches(value, allowed, n=2, cutoff=0.75) if isinstance(value, str) else []
    return f" (gần giống: {listed(close)})" if close else ""


def listed(names: Iterable[str]) -> str:
    return ", ".join(names)


def shown(value: Any) -> str:
    """As it stands in the file, shortened."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else f"{text[:79]}…"


def _is_number(value: Any) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
