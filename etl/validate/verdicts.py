"""From rows that break rules to findings: no cascade, wholly wrong columns once, texts for people.

What is wrong is said once. The failures of a report are heard phase by phase; a rule that rests on a cell which an
earlier finding has taken out is silent, and so is a sum over such a cell. A rule in beta takes nothing out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from typing import Any, TypeGuard

import pandas as pd

from etl import money
from etl.collect.report import Issue, Report
from etl.reference import forms
from etl.reference.province import split_line_code
from etl.validate import catalogue
from etl.validate.catalogue import Rule
from etl.validate.declared import ALL, PHASES, SUITES
from etl.validate.finding import Finding
from etl.validate.suites import Failure
from etl.validate.wording import shortened


@dataclass(frozen=True)
class Broken:
    """A rule and the row of its suite's frame that breaks it: ``values`` by column, None where there is none."""

    rule: Rule
    values: Mapping[str, Any]

    @property
    def row_no(self) -> int | None:
        found: int | None = self.values["row_no"]
        return found

    @property
    def code(self) -> str:
        return str(self.values["code"] or "")

    def key(self, name: str | None) -> str | None:
        """The column key that ``name`` stands for."""
        return self.values.get(name[1:]) if name and name.startswith("@") else name

    def keys(self, names: Iterable[str]) -> set[str]:
        return {key for name in names if (key := self.key(name))}


def broken(frame: pd.DataFrame, failures: Sequence[Failure]) -> Iterator[tuple[int, Broken]]:
    """(position of the report, the rule and its row) for each failure in a suite's frame."""
    # Column by column: taking rows out of a frame one by one is what would make much failing slow.
    columns = {name: frame[name].tolist() for name in frame.columns} if failures else {}
    for failure in failures:
        names = {"row_no", "code", *failure.rule.columns}
        values = {name: _plain(columns[name][failure.position]) for name in columns if name in names}
        yield int(columns["report"][failure.position]), Broken(failure.rule, values)


def _plain(value: Any) -> Any:
    if value is None or value is pd.NA or (isinstance(value, float) and pd.isna(value)):
        return None
    return value if isinstance(value, str | Decimal | bool) else int(value)


@dataclass
class _Taken:
    """Cells of one report that findings have taken out: (form, row) -> keys."""

    cells: dict[tuple[str, int], set[str]] = field(default_factory=dict)

    def add(self, form: str, row_no: int, keys: set[str]) -> None:
        """The keys, and with them what the form makes of them: a sum of a wrong figure is as wrong."""
        if keys:
            self.cells.setdefault((form, row_no), set()).update(_with_results(form, frozenset(keys)))

    def add_cell(self, report: Report, issue: Issue) -> None:
        """The cell that the issue points at, whatever its key."""
        letter = (issue.cell or "").rstrip("0123456789")
        number = (issue.cell or "")[len(letter) :]
        for name, form in report.forms.items():
            if form.sheet == issue.sheet:
                self.add(name, int(number), {key for key, at in form.columns.items() if at == letter})

    def has(self, form: str, row_no: int | None, keys: set[str]) -> bool:
        taken = self.cells.get((form, row_no), set()) if row_no is not None else set()
        return ALL in taken or not taken.isdisjoint(keys)


@cache
def _with_results(form: str, keys: frozenset[str]) -> frozenset[str]:
    found = set(keys)
    for _ in range(2):  # a rate is made of a sum
        for column in forms.load().sheet(form).columns:
            _, _, names = column.computed.partition(":")
            if names and not found.isdisjoint(names.replace("/", ",").split(",")):
                found.add(column.key)
    return frozenset(found)


_NEARLY_ALL_PCT = 80
_PHASE = {name: number for number, name in enumerate(PHASES)}
_SUITE = {name: number for number, name in enumerate(SUITES)}


def findings(report: Report, failures: Sequence[Broken], column_lines_min: int) -> list[Finding]:
    """The findings of one report; ``failures`` in any order. ``column_lines_min``: see ``_once_per_column``."""
    taken = _Taken()
    for issue in report.issues:
        rule = catalogue.intake()[issue.rule]
        if rule.takes and rule.state == "on" and issue.cell:
            taken.add_cell(report, issue)
    heard: list[Broken] = []
    for one in sorted(failures, key=lambda b: (_PHASE[b.rule.phase], _SUITE[b.rule.suite])):
        if _is_cascade(one, report, taken):
            continue
        heard.append(one)
        if one.rule.state == "on" and one.row_no is not None:
            taken.add(one.rule.form, one.row_no, one.keys(one.rule.takes))
    return [_finding(report, group) for group in _once_per_column(report, heard, column_lines_min)]


def _is_cascade(one: Broken, report: Report, taken: _Taken) -> bool:
    if not taken.cells:
        return False
    keys = one.keys(one.rule.uses)
    if keys and taken.has(one.rule.form, one.row_no, keys):
        return True
    if one.rule.over == "leaves":
        rows = _leaves_under(report, one.rule.form, one.code)
        return any(taken.has(one.rule.form, row_no, keys) for row_no in rows)
    money_rows = [row for row in report.forms["B01"].rows if row.role == "leaf"] if "B01" in report.forms else []
    if one.rule.uses_line:
        rows = [row.row_no for row in money_rows if row.code == one.code]
        return any(taken.has("B01", row_no, set(one.rule.uses_line)) for row_no in rows)
    if one.rule.uses_project:
        own = report.forms[one.rule.form].rows
        project = next((row.values.get("project_code") for row in own if row.row_no == one.row_no), None)
        rows = [row.row_no for row in money_rows if split_line_code(row.code)[0] == project]
        return any(taken.has("B01", row_no, set(one.rule.uses_project)) for row_no in rows)
    return False


def _leaves_under(report: Report, form: str, code: str) -> list[int]:
    """Rows of the leaves under a heading; under the total, whose code is no code of the tree, all of them."""
    leaves = [row for row in report.forms[form].rows if row.role == "leaf"]
    under = [row.row_no for row in leaves if row.code.startswith(f"{code}-")]
    is_heading = any(row.role == "heading" and row.code == code for row in report.forms[form].rows)
    return under if is_heading else [row.row_no for row in leaves]


def _once_per_column(report: Report, heard: Sequence[Broken], least: int) -> list[list[Broken]]:
    """A column of a form that is wrong from top to bottom is one finding, at its first cell.

    Wrong from top to bottom: nearly every line of the form (some rules cannot speak where nothing is paid yet), and at
    least ``least`` of them.
    """
    groups: dict[tuple[str, str, str | None], list[Broken]] = {}
    for one in heard:
        groups.setdefault((one.rule.id, one.rule.form, one.key(one.rule.cell)), []).append(one)
    result: list[list[Broken]] = []
    for (_, form, _), group in groups.items():
        lines = sum(row.role == "leaf" for row in report.forms[form].rows)
        rows = {one.row_no for one in group} - {None}
        if group[0].rule.once:
            result.append([min(group, key=lambda one: one.row_no or 0)])
        elif len(rows) >= least and len(rows) * 100 >= _NEARLY_ALL_PCT * lines:
            result.append(sorted(group, key=lambda one: one.row_no or 0))
        else:
            result += [[one] for one in group]
    return result


def _finding(report: Report, group: Sequence[Broken]) -> Finding:
    first = group[0]
    rule = first.rule
    key = first.key(rule.cell)
    form = report.forms[rule.form]
    column = _columns(rule.form).get(key or "")
    unit = rule.unit or _unit(column)
    shown = _places(first, unit)
    title = f"({column.no}) {column.title}" if column else key or ""
    message = rule.message.format(**shown, code=first.code, column=title)
    cell = form.cell(key, first.row_no) if key and first.row_no is not None else None
    if len(group) > 1:
        last = form.cell(key, group[-1].row_no or 0) if key else None
        message = f"Cả cột {title}, {len(group)} dòng từ ô {cell} đến ô {last}. Dòng đầu: {message}"
    return Finding(
        rule=rule.rule,
        severity=rule.shown_severity,
        sheet=form.sheet,
        cell=cell,
        **_told(first),
        message=message,
        fix=rule.fix,
        id=rule.id,
        form=rule.form,
        line=first.code or None,
        item=key,
        unit=unit,
        explanation=None if rule.shown_severity == "error" else _note(report, rule.form, first.row_no),
    )


def period_finding(one: Broken) -> Finding:
    """A finding that is about no report: no sheet, no cell."""
    rule = one.rule
    unit = rule.unit or "text"
    return Finding(
        rule=rule.rule,
        severity=rule.shown_severity,
        sheet=None,
        cell=None,
        **_told(one),
        message=rule.message.format(**_places(one, unit), code=one.code, column=""),
        fix=rule.fix,
        id=rule.id,
        line=one.code or None,
        unit=unit,
    )


def _told(one: Broken) -> dict[str, str | None]:
    """Value, expected and difference. An amount by which two numbers differ gets its sign here: value less expected.

    Control columns hold what is tested, which for a fall or a lag is the amount without its sign.
    """
    told = {name: one.values.get(source) if source else None for name, source in _sources(one.rule)}
    value, expected, amount = told.values()
    if _is_number(value) and _is_number(expected) and _is_number(amount) and abs(value - expected) == abs(amount):
        told["difference"] = value - expected
    return {name: _raw(number) for name, number in told.items()}


def _is_number(value: Any) -> TypeGuard[int | Decimal]:
    return isinstance(value, int | Decimal)


def _places(one: Broken, unit: str) -> dict[str, str]:
    """What the places of the rule's message stand for; a difference as the rule has it, without a sign for a fall."""
    shown = {name: _shown(one.values.get(source), unit) if source else "" for name, source in _sources(one.rule)}
    return shown | {name: _shown(one.values.get(name), unit) for name in one.rule.places}


def _sources(rule: Rule) -> tuple[tuple[str, str | None], ...]:
    return ("value", rule.value), ("expected", rule.expected), ("difference", rule.difference)


def _note(report: Report, form: str, row_no: int | None) -> str | None:
    """What the sender's note of that row says."""
    for row in report.forms[form].rows:
        if row.row_no == row_no:
            note = row.values.get("note")
            return note.strip() or None if isinstance(note, str) else None
    return None


@cache
def _columns(form: str) -> dict[str, forms.Column]:
    return {column.key: column for column in forms.load().sheet(form).columns}


def _unit(column: forms.Column | None) -> str:
    kinds = {"money": "vnd", "percent": "percent", "quantity": "quantity"}
    return kinds.get(column.kind, "text") if column else "text"


def _raw(value: Any) -> str | None:
    if value is None:
        return None
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _shown(value: Any, unit: str) -> str:
    """As an official writes it: whole numbers of a money rule are đồng and shown in triệu đồng."""
    if value is None:
        return "trống"
    if isinstance(value, int) and unit in ("vnd", "ratio"):
        return f"{money.show_trieu(value)} triệu đồng"
    if isinstance(value, Decimal):
        if unit == "percent":
            return money.group_vi(value)
        return money.group_vi(value, 0) if value == value.to_integral_value() else money.group_vi(value.normalize())
    return shortened(str(value))
