"""Biểu 02 in itself (CK09, CK10, CK12, CK21); CK12 looks at the project's money in Biểu 01."""

from __future__ import annotations

from decimal import Decimal

from etl.collect.report import Report
from etl.reference import forms
from etl.reference.province import Province
from etl.validate.controls.disbursement import project_money
from etl.validate.controls.marks import amount_keys, negative
from etl.validate.controls.table import Marks, duplicates, leaves, noted, start


def indicators(report: Report, province: Province) -> list[Marks]:
    money = project_money(report, province)
    layout = forms.load().sheet("B02")
    keys = amount_keys(layout, "actual_period")
    rows = leaves(report, "B02")
    doubled = duplicates(rows)
    result = []
    for row in rows:
        marks = start(row) | {key: row.values.get(key) for key in layout.numeric_keys if key not in row.bad}
        project, actual = row.values.get("project_code"), row.values.get("actual_ytd")
        marks |= {"indicator_code": row.code, "project_code": project, "actual_ytd": actual}
        marks["code_known"] = row.code in province.indicators
        marks["duplicate_of"] = doubled.get(row.row_no)
        marks["project_known"] = True if "project_code" in row.bad else project in province.nodes
        marks |= negative(row, keys)
        plan, paid = money.get(str(project)) or (0, 0)
        silent = noted(row) or row.values.get("unit") == "%" or not isinstance(actual, Decimal) or plan <= 0
        done = isinstance(actual, Decimal) and actual > 0
        marks["output_without_money"] = project if not silent and done and paid == 0 else None
        marks["money_without_output"] = project if not silent and actual == 0 and paid >= plan else None
        result.append(marks | _beyond_phase(marks))
    return result


def _beyond_phase(marks: Marks) -> Marks:
    """CK21: what is done in a year is part of what is done in the phase."""
    year, phase = marks.get("actual_ytd"), marks.get("actual_phase")
    if isinstance(year, Decimal | int) and isinstance(phase, Decimal | int) and year > phase:
        return {"year_beyond_phase": Decimal(year - phase)}
    return {}
