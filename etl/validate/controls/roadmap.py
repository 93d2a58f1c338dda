"""Biểu 05 in itself: CK04, CK09, CK10; a roadmap never falls (LT01) and ends within the plan (LT02)."""

from __future__ import annotations

from collections.abc import Mapping

from etl.collect.report import Report, Row
from etl.reference import forms
from etl.reference.province import Province, split_line_code
from etl.validate.controls.marks import amount_keys, codes_wrong, negative
from etl.validate.controls.sums import wrong_sums
from etl.validate.controls.table import Marks, amount, duplicates, leaves, minus, start

MONTHS = (*(f"planned_m{n:02d}" for n in range(1, 13)), "planned_close")
"""Columns of Biểu 05 in the order of time; the last is the closing at 31 January of the next year."""


def roadmap(report: Report, province: Province) -> list[Marks]:
    sheet = report.forms.get("B05")
    if sheet is None:
        return []
    layout = forms.load().sheet("B05")
    known, keys = set(province.leaf_codes), amount_keys(layout)
    rows = leaves(report, "B05")
    doubled = duplicates(rows)
    lines = leaves(report, "B01")
    # A code that stands twice is some line under a wrong code: CK10 says so, and its plan is nobody's.
    plans = {} if duplicates(lines) else {row.code: amount(row, "plan_total") for row in lines}
    result = []
    for row in rows:
        marks = start(row)
        marks |= {"line_code": row.code, "code_known": split_line_code(row.code)[0] in known}
        marks["duplicate_of"] = doubled.get(row.row_no)
        marks |= negative(row, keys)
        result.append(marks | _fall(row) | _beyond_plan(row, plans))
    if not codes_wrong(report, sheet, rows, known):
        result += wrong_sums(sheet, layout, set())
    return result


def _fall(row: Row) -> Marks:
    """The first month whose planned cumulative is lower than that of a month before it."""
    before: int | None = None
    for key in MONTHS:
        planned = amount(row, key)
        if planned is None:
            continue
        if before is not None and planned < before:
            return {"fall_key": key, "fall_value": planned, "fall_before": before, "fall": before - planned}
        before = planned
    return {}


def _beyond_plan(row: Row, plans: Mapping[str, int | None]) -> Marks:
    close, plan = amount(row, "planned_close"), plans.get(row.code)
    return {"planned_close": close, "plan_total": plan, "beyond_plan": minus(close, plan)}
