"""The data dictionary as the ``.yml`` files have it; nothing here needs a warehouse.

``sql/tables/<schema>.<name>.yml`` describes a table or view, ``sql/tables/<schema>.functions.yml`` the functions of a
schema, ``sql/marts/<name>.yml`` a mart. What a file does not say of a column or argument, ``sql/glossary.yml`` says by
its name. Reading does not fail on what is missing: ``faults`` tells all of it, and a test holds that there is none.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from etl import settings
from etl.dictionary.rules import Rule, read
from etl.errors import DictionaryError
from etl.reference import forms

SCHEMAS = ("mart", "ref", "raw", "core", "release", "audit")
"""In the order in which a reader needs them."""
HISTORY, AT, PUBLISHED = "_history", "_at", "_published"
OF_PERIOD = ("p_period", "p_budget_year")
"""What ``<mart>_at`` takes besides the moment where one period of it is asked for."""
"""What is made of a mart besides itself (``etl.load.marts``)."""
KNOWN_AT = "_known_at"
"""Of a reference table there are ``_history`` and this function (migration 0012)."""
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_FORM_COLUMN = re.compile(r"\b(B0[1-5])\((\d+)\)")
_PLACE = re.compile(r"\b(?:mart|ref|raw|core|release|audit)\.(\w+)(?:\.(\w+))?")
_VIETNAMESE = re.compile("[ăâđêôơưàảãáạằẳẵắặầẩẫấậèẻẽéẹềểễếệìỉĩíịòỏõóọồổỗốộờởỡớợùủũúụừửữứựỳỷỹýỵ]", re.IGNORECASE)
_KEYS = {
    "schema", "name", "kind", "vi", "en", "grain", "key", "columns", "arguments", "constraints", "tests", "example",
    "made_by", "like",
}  # fmt: skip
_COLUMN_KEYS = {"vi", "en", "unit", "source", "tests", "constraints"}


@dataclass(frozen=True)
class Column:
    """A column of a table or an argument of a function. ``source`` in Vietnamese and English."""

    name: str
    vi: str = ""
    en: str = ""
    unit: str = ""
    source: str = ""
    source_vi: str = ""
    source_en: str = ""
    constraints: tuple[Rule, ...] = ()
    tests: tuple[Rule, ...] = ()


@dataclass(frozen=True)
class Entry:
    """A table, view, mart or function. ``constraints`` are held by the database, ``tests`` by the test suite.

    ``made_by``: the function that fills a kept table. ``like``: the table whose columns a function's rows have.
    ``strange``: what the file says and nobody reads.
    """

    schema: str
    name: str
    kind: str
    vi: str
    en: str
    grain_vi: str
    grain_en: str
    key: tuple[str, ...]
    columns: Mapping[str, Column]
    arguments: Mapping[str, Column]
    constraints: tuple[Rule, ...]
    tests: tuple[Rule, ...]
    example: str
    made_by: str
    like: str
    path: Path
    strange: tuple[str, ...] = field(default=())

    @property
    def full_name(self) -> str:
        return f"{self.schema}.{self.name}"

    @property
    def is_function(self) -> bool:
        return self.kind == "function"

    @cached_property
    def held(self) -> tuple[Rule, ...]:
        """Everything that the database holds true: the key, and what columns and table declare."""
        own = [rule for column in self.columns.values() for rule in column.constraints]
        key = [Rule("rows_unique_by", self.key)] if self.key and self.kind == "table" else []
        return (*key, *self.constraints, *own)

    @cached_property
    def tested(self) -> tuple[Rule, ...]:
        """Everything that is true of the rows of a loaded warehouse."""
        own = [rule for column in self.columns.values() for rule in column.tests]
        key = [Rule("rows_unique_by", self.key)] if self.key and self.kind != "table" else []
        return tuple(dict.fromkeys((*self.held, *key, *self.tests, *own)))


@dataclass(frozen=True)
class Dictionary:
    """All entries, marts first, and what units and sources are called."""

    entries: tuple[Entry, ...]
    units: Mapping[str, Mapping[str, str]]
    glossary: Mapping[str, Column]
    questions: tuple[Mapping[str, Any], ...]

    @cached_property
    def tables(self) -> dict[str, Entry]:
        return {entry.full_name: entry for entry in self.entries if not entry.is_function}

    @cached_property
    def functions(self) -> dict[str, Entry]:
        """Those described by themselves, and ``<mart>_at`` of the marts."""
        found = {entry.full_name: entry for entry in self.entries if entry.is_function}
        for entry in self.tables.values():
            ending = {"mart": AT, "ref": KNOWN_AT}.get(entry.schema)
            if ending:
                found.setdefault(f"{entry.full_name}{ending}", as_known_at(entry, self.glossary, ending))
        return found

    def described(self, full_name: str) -> Entry | None:
        """The entry of a table or of what is made of a mart."""
        base = full_name.removesuffix(HISTORY).removesuffix(PUBLISHED)
        return self.tables.get(full_name) or self.tables.get(base) or self.functions.get(full_name)


def load(folder: Path | None = None) -> Dictionary:
    """The dictionary of a folder ``sql``; by default the one of this program.

    Raises DictionaryError when a file is not YAML or is not of the form described in ``sql/README.md``.
    """
    folder = folder or settings.assets() / "sql"
    words = _read(folder / "glossary.yml")
    glossary = {name: _column(name, told or {}, {}, words["sources"]) for name, told in words["columns"].items()}

    def entry(path: Path, told: Mapping[str, Any]) -> Entry:
        return _entry(path, told, words)

    entries = [entry(path, {"schema": "mart", **_read(path)}) for path in sorted((folder / "marts").glob("*.yml"))]
    for path in sorted((folder / "tables").glob("*.yml")):
        told = _read(path)
        if path.stem.endswith(".functions"):
            schema = path.stem.removesuffix(".functions")
            entries += [
                entry(path, {"schema": schema, "name": name, "kind": "function", **function})
                for name, function in told.items()
            ]
        else:
            entries.append(entry(path, told))
    entries.sort(key=lambda one: (SCHEMAS.index(one.schema), one.is_function, one.name))
    known = {one.full_name: one for one in entries}
    entries = [_like(one, known[one.like]) if one.like in known else one for one in entries]
    questions = folder / "questions.yml"
    return Dictionary(tuple(entries), words["units"], glossary, tuple(_read(questions) if questions.exists() else ()))


def _read(path: Path) -> Any:
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)  # noqa: S506 - a safe loader, in C
    except (OSError, yaml.YAMLError) as error:
        raise DictionaryError(f"{path}: không đọc được: {error}") from error


def _entry(path: Path, told: Mapping[str, Any], words: Mapping[str, Any]) -> Entry:
    """One file's words, completed by the glossary."""
    try:
        grain = told.get("grain") or {}
        columns, arguments = (
            {
                name: _column(name, own or {}, words["columns"].get(name) or {}, words["sources"])
                for name, own in (told.get(part) or {}).items()
            }
            for part in ("columns", "arguments")
        )
        return Entry(
            schema=told["schema"],
            name=told["name"],
            kind=told.get("kind", "view"),
            vi=told.get("vi", ""),
            en=told.get("en", ""),
            grain_vi=grain.get("vi", ""),
            grain_en=grain.get("en", ""),
            key=tuple(told.get("key") or ()),
            columns=columns,
            arguments=arguments,
            constraints=read(told.get("constraints")),
            tests=read(told.get("tests")),
            example=(told.get("example") or "").strip(),
            made_by=told.get("made_by") or "",
            like=told.get("like") or "",
            path=path,
            strange=(
                *(f"từ khóa lạ {key!r}" for key in told.keys() - _KEYS),
                *(
                    f"cột {name}: từ khóa lạ {key!r}"
                    for name, own in (told.get("columns") or {}).items()
                    for key in (own or {}).keys() - _COLUMN_KEYS
                ),
            ),
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise DictionaryError(f"{path}: không đúng mẫu của từ điển dữ liệu (sql/README.md): {error}") from error


def _column(
    name: str, own: Mapping[str, Any], shared: Mapping[str, Any], sources: Mapping[str, Mapping[str, str]]
) -> Column:
    """What the table says of a column before what the glossary says; tests add up unless the table says none."""
    told = {**shared, **own}
    source = str(told.get("source") or "")
    tests = read(own.get("tests"), name)
    if own.get("tests") != "none":
        tests = tuple(dict.fromkeys((*tests, *read(shared.get("tests"), name))))
    return Column(
        name=name,
        vi=str(told.get("vi") or ""),
        en=str(told.get("en") or ""),
        unit=str(told.get("unit") or ""),
        source=source,
        source_vi=_said(source, sources, "vi"),
        source_en=_said(source, sources, "en"),
        constraints=read(own.get("constraints"), name),
        tests=tests,
    )


def _said(source: str, sources: Mapping[str, Mapping[str, str]], language: str) -> str:
    """A source in one language: a named one, ``vi | en``, or a formula that is the same in both."""
    if source in sources:
        source = sources[source][language]
    elif " | " in source:
        source = source.split(" | ", 1)[language == "en"]
    word = r"Biểu \2 cột (\3)" if language == "vi" else r"form \1 column (\3)"
    return re.sub(r"\b(B(0[1-5]))\((\d+)\)", word, source)


def _like(entry: Entry, other: Entry) -> Entry:
    """A function whose rows are those of a kept table, but for the time during which each was known."""
    columns = {
        name: replace(column, constraints=(), tests=())
        for name, column in other.columns.items()
        if name not in ("known_from", "known_to")
    }
    return replace(entry, columns=columns)


def as_known_at(entry: Entry, glossary: Mapping[str, Column], ending: str = AT) -> Entry:
    """``<mart>_at(p_known_at)``: the mart as known at a moment; what else goes in is told in its own file."""
    return replace(
        entry,
        name=entry.name + ending,
        kind="function",
        vi=f"{entry.vi} (như biết đến một thời điểm)",
        en=f"{entry.en} (as known at a moment)",
        arguments={"p_known_at": glossary.get("p_known_at") or Column("p_known_at"), **entry.arguments},
    )


def faults(dictionary: Dictionary) -> list[str]:
    """Everything that a file leaves out or says wrongly, each with its file; empty when all is well."""
    return [
        *(f"{entry.path.name}: {entry.full_name}: {fault}" for entry in dictionary.entries for fault in _of(entry)),
        *(
            f"{entry.path.name}: {entry.full_name}.{column.name}: {fault}"
            for entry in dictionary.entries
            for column in (*entry.columns.values(), *entry.arguments.values())
            for fault in _of_column(column, dictionary)
        ),
        *(
            f"questions.yml: {fault}"
            for question in dictionary.questions
            for fault in _of_question(question, dictionary)
        ),
    ]


def _of(entry: Entry) -> Iterator[str]:
    yield from entry.strange
    yield from _texts({"vi": entry.vi, "en": entry.en})
    if not entry.is_function:
        yield from _texts({"grain: vi": entry.grain_vi, "grain: en": entry.grain_en})
        if not entry.columns:
            yield "thiếu columns"
    if entry.schema == "mart" and not entry.example:
        yield "thiếu example"
    if entry.kind not in ("table", "view", "function"):
        yield f"kind là table, view hoặc function, không phải {entry.kind!r}"
    if entry.kind != "table" and (entry.constraints or any(c.constraints for c in entry.columns.values())):
        yield "constraints chỉ dùng cho table; với view hãy dùng tests"
    for rule in entry.tested:
        for name in rule.columns:
            if name not in entry.columns:
                yield f"{rule.kind} nói đến cột không có: {name}"


def _of_column(column: Column, dictionary: Dictionary) -> Iterator[str]:
    yield from _texts({"vi": column.vi, "en": column.en})
    if column.unit not in dictionary.units:
        yield f"đơn vị {column.unit!r} không có trong glossary.yml" if column.unit else "thiếu unit"
    if not column.source:
        yield "thiếu source"
    elif column.source_vi == column.source_en and not _is_formula(column.source):
        yield f"source phải là một tên trong glossary.yml, 'vi | en' hoặc một công thức: {column.source!r}"
    yield from _places(column.source, dictionary)


def _is_formula(source: str) -> bool:
    """Only names, numbers, operators and cells of forms: the same in both languages."""
    return re.fullmatch(r"[\w.]+(?:\([\d]+\))?(?:\s*[-+*/]\s*[\w.]+(?:\([\d]+\))?)*", source) is not None


def _places(text: str, dictionary: Dictionary) -> Iterator[str]:
    """Tables, columns and cells of forms that a source names and that are not there."""
    for name, number in _FORM_COLUMN.findall(text):
        if int(number) not in {column.no for column in forms.load().sheet(name).columns}:
            yield f"không có cột ({number}) của {name}"
    for match in _PLACE.finditer(text):
        full_name = ".".join(match.group(0).split(".")[:2])
        column = match.group(2)
        entry = dictionary.described(full_name)
        if entry is None:
            yield f"không có {full_name}"
        elif column and column not in entry.columns:
            yield f"không có cột {match.group(0)}"


def _of_question(question: Mapping[str, Any], dictionary: Dictionary) -> Iterator[str]:
    yield from _texts({"vi": question.get("vi") or "", "en": question.get("en") or ""})
    if not question.get("query"):
        yield f"{question.get('vi')}: thiếu query"
    for name in question.get("tables") or [""]:
        if dictionary.described(name) is None:
            yield f"{question.get('vi')}: không có bảng {name!r}"


def _texts(texts: Mapping[str, str]) -> Iterator[str]:
    """Missing texts, texts that are not NFC, Vietnamese without its marks."""
    for name, text in texts.items():
        if not text:
            yield f"thiếu {name}"
        elif not unicodedata.is_normalized("NFC", text):
            yield f"{name} chưa theo chuẩn Unicode NFC"
        elif name.endswith("vi") and not _VIETNAMESE.search(text):
            yield f"{name} không có dấu tiếng Việt: {text!r}"
