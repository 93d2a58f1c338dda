"""One row of a table as typed values with their states; what cannot be read is an issue of its cell."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from etl.collect import cells
from etl.collect.grid import ErrorValue, Grid, GridValue, Uncached, address
from etl.collect.headers import Table
from etl.collect.report import Issue, Row
from etl.collect.text import clean, fold_code
from etl.money import exact, trieu_to_vnd
from etl.reference import forms

_ECHOES = frozenset({"M35", "M36"})
_PARTS = re.compile(r"[:,/]")
"""Splits what a computed column is made of: ``percent:disb_ytd/plan_total``."""
_LARGEST = float(cells.LARGEST)

_Found = tuple[
    Row,
    list[tuple[forms.Column, Issue]],
    list[tuple[forms.Column, str, cells.Pending]],
    list[tuple[str, str]],
]


def typed_row(grid: Grid, table: Table, r: int, role: str, code: str) -> _Found:
    """The row, its issues, its numbers that wait for the workbook's style, and the styles that its texts prove."""
    values: dict[str, cells.Typed] = {}
    states: dict[str, str] = {}
    bad: set[str] = set()
    texts: dict[str, str] = {}
    issues: list[tuple[forms.Column, Issue]] = []
    pending: list[tuple[forms.Column, str, cells.Pending]] = []
    styles: list[tuple[str, str]] = []
    line = grid.rows[r]
    width, on_budget = len(line), role != "off_budget"
    for key, index, way, column in table.plan:
        raw = line[index] if index is not None and index < width else None
        if raw is None or raw == "":
            values[key] = None
            if column.numeric:
                states[key] = "not_reported" if index is None else "blank"
            if index is None:
                bad.add(key)  # the missing header is the finding
            continue
        # Most cells are plain numbers and texts: the same as etl.collect.cells, without the detour.
        if type(raw) is float and on_budget and column.numeric and -_LARGEST < raw < _LARGEST:
            if way == "money":
                values[key] = int(raw) * 1_000_000 if raw.is_integer() else trieu_to_vnd(raw)
            else:
                values[key] = exact(raw)
            if values[key] == 0:
                states[key] = "declared_zero"
            continue
        if type(raw) is str and (way == "text" or way == "code"):
            values[key] = (clean(raw) if way == "text" else fold_code(raw)) or None
            continue
        result = _typed(raw, column, role, values)
        where = address(r, index or 0)
        if isinstance(result, cells.Problem):
            values[key] = None
            bad.add(key)
            values_told = {"value": result.value, "column": column.title}
            issues.append((column, Issue(result.rule, grid.name, where, values_told)))
            if column.numeric:
                states[key] = "blank"
            continue
        if isinstance(result, cells.Pending):
            values[key] = None
            bad.add(key)
            states[key] = "blank"
            pending.append((column, where, result))
            continue
        values[key] = result.value
        if result.style:
            styles.append((result.style, where))
        if result.note == "M04" and grid.textual:
            pass  # such a file has nothing but texts
        elif result.note and column.numeric and column.kind != "percent":
            texts[key] = f"{result.note} {str(raw).strip()}"
        elif result.note == "M23" or (result.note == "M21" and column.kind == "date"):
            told_values = {"value": clean(str(raw)), "column": column.title}
            issues.append((column, Issue(f"{result.note}-read", grid.name, where, told_values)))
        if column.numeric and result.state != "number":
            states[key] = result.state
    doubtful = bad | texts.keys()  # a formula over a number kept as text fails, and the text is the finding
    told = [(column, issue) for column, issue in issues if not (follows(column, doubtful) and issue.rule in _ECHOES)]
    return Row(r + 1, role, code, values, states, frozenset(bad), texts), told, pending, styles


def follows(column: forms.Column, bad: Collection[str]) -> bool:
    """Whether a computed cell is made of one of these: its error is that one's echo."""
    return bool(column.computed) and not set(bad).isdisjoint(_PARTS.split(column.computed)[1:])


def _typed(
    raw: GridValue, column: forms.Column, role: str, values: Mapping[str, cells.Typed]
) -> cells.Cell | cells.Pending | cells.Problem:
    if isinstance(raw, ErrorValue):
        # A rate over a plan of 0 divides by zero honestly (case 36); the rate is recomputed anyway.
        _, _, below = column.computed.partition("/")
        honest = raw.text == "#DIV/0!" and bool(below) and not values.get(below)
        return cells.BLANK if honest else cells.Problem("M36", raw.text)
    if isinstance(raw, Uncached):
        if raw.leaves_file:
            return cells.Problem("M36", "=" + raw.formula[:80])
        return cells.Problem("M35", "=" + raw.formula[:80])
    if column.numeric:
        if role == "off_budget" and column.kind != "money":
            return cells.BLANK
        return cells.number(raw, column.kind, str(values.get("unit") or ""))
    if column.kind == "date":
        return cells.day(raw)
    if column.kind == "enum":
        return cells.choice(raw, column.choices)
    if column.kind == "code":
        return cells.code(raw)
    return cells.text(raw)
