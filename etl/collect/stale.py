"""Results that a file keeps but its formulas do not give (case 37).

A workbook saved under manual calculation keeps old results; a library that cannot compute keeps zeros. Where the
figures of a form contradict each other, or the file says that it was not computed, the plain formulas of the table are
computed again and what they give is used: it is what the sender's own workbook says.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from etl import money
from etl.collect import cells
from etl.collect.formula import index_to_letters
from etl.collect.grid import ErrorValue, Grid, Uncached, compute
from etl.collect.headers import Table
from etl.collect.report import Form, Issue, Row, raw
from etl.reference import forms

_TOLERANCE = {"money": Decimal(1), "percent": Decimal("0.005"), "quantity": Decimal("0.000001")}
"""Differences up to these come from a spreadsheet's binary numbers, not from another result."""


def settle(grid: Grid, table: Table, form: Form) -> list[Issue]:
    """Recomputes the table where it cannot be trusted; one issue for each row, at its first stale cell."""
    if not grid.distrusted and not _contradicts(table, form):
        return []
    formulas = grid.formulas()
    numeric = {table.columns[key]: key for key in table.numeric_keys}
    rows = {row.row_no - 1: row for row in form.rows}
    places = [(r, c) for r, c in formulas if r in rows and c in numeric]
    issues: dict[int, Issue] = {}
    results = compute(grid, [place for place in formulas if place[0] >= table.first_row], formulas)
    for place in sorted(places):
        value = results[place]
        if isinstance(value, ErrorValue | Uncached):
            continue
        row, key = rows[place[0]], numeric[place[1]]
        column = table.layout.column(key)
        if row.role == "off_budget" and column.kind != "money":
            continue
        fresh = cells.number(value, column.kind)
        if not isinstance(fresh, cells.Cell) or key in row.bad or _same(column, fresh.value, row.values.get(key)):
            continue
        before = row.values.get(key)
        row.values[key] = fresh.value
        row.states.pop(key, None)
        if fresh.state != "number":
            row.states[key] = fresh.state
        cell = f"{index_to_letters(place[1])}{row.row_no}"
        values = {"value": _shown(column, before), "expected": _shown(column, fresh.value), "column": column.title}
        values |= raw(before, fresh.value)
        issues.setdefault(row.row_no, Issue("M37", form.sheet, cell, values))
    return list(issues.values())


def _contradicts(table: Table, form: Form) -> bool:
    """Whether a sum within a row, or the total row, is not the sum of what stands beside or above it."""
    sums = [(c.key, c.computed.partition(":")[2].split(",")) for c in table.layout.columns if c.computed[:4] == "sum:"]
    totals = [c.key for c in table.layout.columns if c.total and c.key in table.columns]
    leaves = [row for row in form.rows if row.role == "leaf"]
    for row in leaves:
        for key, names in sums:
            numbers = [row.values.get(name) for name in (key, *names)]
            if all(isinstance(n, int) for n in numbers) and numbers[0] != sum(numbers[1:]):  # type: ignore[arg-type]
                return True
    return any(
        abs(value - sum(_amounts(leaves, key))) > len(leaves)
        for row in form.rows
        if row.role == "total"
        for key in totals
        if isinstance(value := row.values.get(key), int)
    )


def _amounts(rows: list[Row], key: str) -> Iterator[int]:
    return (value for row in rows if isinstance(value := row.values.get(key), int))


def _same(column: forms.Column, fresh: cells.Typed, kept: cells.Typed) -> bool:
    if isinstance(fresh, int | Decimal) and isinstance(kept, int | Decimal):
        return abs(Decimal(fresh) - Decimal(kept)) <= _TOLERANCE[column.kind]
    return fresh is None and kept is None


def _shown(column: forms.Column, value: cells.Typed) -> str:
    if column.kind == "money" and isinstance(value, int):
        return f"{money.show_trieu(value)} triệu đồng"
    return money.group_vi(value) if isinstance(value, int | Decimal) else "trống"
