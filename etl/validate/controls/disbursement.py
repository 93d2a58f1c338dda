"""Biểu 01 in itself: identities and bounds of each line (CK01 to CK11, CK13, CK14)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from typing import Any

from etl.collect.report import Form, Report, Row
from etl.collect.text import fold
from etl.reference import forms
from etl.reference.province import Province, split_line_code
from etl.validate.controls.marks import amount_keys, codes_wrong, negative, recovered
from etl.validate.controls.sums import wrong_sums
from etl.validate.controls.table import Marks, duplicates, leaves, minus, noted, number, start, total

_PLAN_PARTS = ("plan_nstw", "plan_nst", "plan_nsx", "carry_nstw", "carry_nsdp")
_AGAINST_PLAN = (
    "disb_nstw",
    "disb_nsdp",
    "disb_ytd",
    "disb_completed",
    "disb_advance",
    "disb_carry",
    "accepted_volume",
    "forecast",
    "disb_period",
)
"""What is typed before what the form makes of it: the first that is too large is named."""
_UNITS = ((3_000, "đồng"), (0, "nghìn đồng"))
"""Disbursed triệu typed in đồng are up to 10^6 times the plan, typed in nghìn đồng up to 10^3 times."""
_EXCESS = (
    "disbursed_without_plan",
    "excess_nstw",
    "excess_nsdp",
    "explained_nstw",
    "explained_nsdp",
)
_DECISION = re.compile(
    r"\d+\s*/\s*(?:\d{4}\s*/\s*)?(?:qd|nq)\b"
    r"|\b(?:quyet dinh|qd|nghi quyet|nq)\b(?:\s+\d+|[^.;]{0,40}\bso\s*\d+|[^.;]{0,60}\bngay\s+\d{1,2}\b)"
)
"""A note that names a decision, by its number or date; one that is waited for has neither."""
_MAGNITUDE = ("magnitude_key", "magnitude_value", "magnitude_plan", "magnitude_ratio", "magnitude_unit")
_NO_MAGNITUDE: Marks = dict.fromkeys(_MAGNITUDE)


def disbursement(report: Report, province: Province) -> list[Marks]:
    """Biểu 01 (CK01 to CK11, CK13, CK14): leaf rows with all control columns, wrong sums with those of CK04."""
    sheet = report.forms.get("B01")
    if sheet is None:
        return []
    layout = forms.load().sheet("B01")
    known = set(province.leaf_codes)
    negative_keys = amount_keys(layout, "disb_period")
    rows = leaves(report, "B01")
    doubled = duplicates(rows)
    wrong_unit = set()
    late = _low_rate_counts(report, province)
    result: list[Marks] = []
    for row in rows:
        marks = start(row)
        marks["line_code"] = row.code
        marks["code_known"] = split_line_code(row.code)[0] in known
        marks["duplicate_of"] = doubled.get(row.row_no)
        marks |= negative(row, negative_keys, recovered)
        marks |= _magnitude(row, province)
        values = {c.key: row.values.get(c.key) for c in layout.columns}
        if marks["magnitude_key"]:
            wrong_unit.add(row.row_no)
            values = {key: None if isinstance(v, int) else v for key, v in values.items()}
        elif marks["negative_key"]:
            values[marks["negative_key"]] = None
        marks |= _line(values, row, late=late, province=province)
        result.append(marks)
    result += _off_budget(sheet)
    headings = [row for row in sheet.rows if row.role == "heading" and row.code not in province.nodes]
    result += [start(row) | {"line_code": row.code, "code_known": False} for row in headings]
    if not headings and not codes_wrong(report, sheet, rows, known):
        result += wrong_sums(sheet, layout, wrong_unit)
    return result


def _off_budget(sheet: Form) -> Iterator[Marks]:
    """CK10 for the block under the table: known codes, each once."""
    rows = [row for row in sheet.rows if row.role == "off_budget"]
    known = {line.line_code for line in forms.load().off_budget}
    doubled = duplicates(rows)
    for row in rows:
        marks = start(row) | {"line_code": row.code, "code_known": row.code in known}
        yield marks | {"duplicate_of": doubled.get(row.row_no)}


def _largest_plan(row: Row) -> int:
    """The plan of a line; where total and sources differ (CK02) the larger one, so that no other rule blames what is
    paid. 0 when there is none."""
    parts = total(*(number(row.values.get(key)) for key in _PLAN_PARTS))
    return max(number(row.values.get("plan_total")) or 0, parts or 0)


def _magnitude(row: Row, province: Province) -> Marks:
    """CK11: a figure so many times its plan that it must be in another unit than triệu đồng."""
    ratio = int(province.thresholds["magnitude_ratio"])
    planned = row.values.get("plan_total")
    amounts = [abs(value) for key in _AGAINST_PLAN if type(value := row.values.get(key)) is int]
    if not amounts or (type(planned) is int and max(amounts) < ratio * planned):
        return _NO_MAGNITUDE  # nearly every line: nothing comes near it
    plan = _largest_plan(row)
    if plan > 0:
        least = ratio * plan
        for key in _AGAINST_PLAN:
            value = number(row.values.get(key))
            if value is not None and abs(value) >= least:
                marks = (
                    key,
                    value,
                    plan,
                    Decimal(abs(value) // plan),
                    next(u for t, u in _UNITS if abs(value) >= t * plan),
                )
                return dict(zip(_MAGNITUDE, marks, strict=True))
    return _NO_MAGNITUDE


def _line(values: Mapping[str, Any], row: Row, *, late: bool, province: Province) -> Marks:
    """The identities and bounds of one line of Biểu 01."""
    v = {key: number(value) for key, value in values.items()}
    marks: Marks = {k: v[k] for k in ("plan_total", "disb_ytd", "disb_nstw", "disb_nsdp", "disb_completed", "forecast")}
    marks |= {k: v[k] for k in ("disb_carry", "accepted_volume")}
    marks["plan_parts"] = total(*(v[k] for k in _PLAN_PARTS))
    marks["plan_central"] = total(v["plan_nstw"], v["carry_nstw"])
    marks["plan_local"] = total(v["plan_nst"], v["plan_nsx"], v["carry_nsdp"])
    marks["plan_carry"] = total(v["carry_nstw"], v["carry_nsdp"])
    marks["disb_sources"] = total(v["disb_nstw"], v["disb_nsdp"])
    marks["disb_split"] = total(v["disb_completed"], v["disb_advance"])
    marks["plan_gap"] = minus(v["plan_total"], marks["plan_parts"])
    marks["source_gap"] = minus(v["disb_ytd"], marks["disb_sources"])
    split_gap = minus(marks["disb_split"], v["disb_ytd"])
    # Both identities broken by the same amount: the cumulative itself is wrong, and one finding says so.
    explained = bool(marks["source_gap"]) and split_gap == -marks["source_gap"]
    marks["split_gap"] = None if explained else split_gap
    marks |= _excess(v, marks, row)
    marks["unaccepted_payment"] = minus(v["disb_completed"], v["accepted_volume"])
    marks["excess_carry"] = minus(v["disb_carry"], marks["plan_carry"])
    marks |= _forecast(v, marks)
    marks |= _rate(values.get("disb_rate"), v)
    return marks | _note_missing(v, row, late, province)


def _excess(v: Mapping[str, int | None], marks: Marks, row: Row) -> Marks:
    """CK01 and CK06, source by source: where both identities hold, a total is beyond its plan only with a source.

    A plan that was cut after the money had been paid makes an honest excess: with the decision in the note it is asked
    about and not sent back (case 12).
    """
    none = dict.fromkeys(_EXCESS)
    if v["plan_total"] == 0 and not marks["plan_parts"]:
        return none | {"disbursed_without_plan": v["disb_ytd"]}
    central = minus(v["disb_nstw"], marks["plan_central"])
    local = minus(v["disb_nsdp"], marks["plan_local"])
    beyond = (central or 0) > 0 or (local or 0) > 0
    if beyond and _DECISION.search(fold(str(row.values.get("note") or ""))):
        explained = {"explained_nstw": central, "explained_nsdp": local}
        return none | {key: value for key, value in explained.items() if (value or 0) > 0}
    return none | {"excess_nstw": central, "excess_nsdp": local}


def _forecast(v: Mapping[str, int | None], marks: Marks) -> Marks:
    """CK13; a cumulative beyond the plan is CK01's and makes no second finding at the forecast."""
    over = any((marks[k] or 0) > 0 for k in _EXCESS)
    within = marks["plan_gap"] and (v["forecast"] or 0) <= (marks["plan_parts"] or 0)
    return {
        "forecast_short": None if over else minus(v["disb_ytd"], v["forecast"]),
        "forecast_excess": None if over or within else minus(v["forecast"], v["plan_total"]),
    }


_NEAR = Decimal("0.1")


def _rate(typed: Any, v: Mapping[str, int | None]) -> Marks:
    """CK05: the typed rate against the computed one under both readings, 35 and 0.35 (case 11).

    Only compared here, so the reading that fits better decides; the stored rate is always the computed one.
    """
    paid, plan = v["disb_ytd"], v["plan_total"]
    if paid is None or not plan:
        return {"disb_rate": typed, "rate_computed": None, "rate_gap": None}
    exact = Decimal(paid) * 100 / Decimal(plan)
    gap = None
    if isinstance(typed, Decimal):
        gap = min(abs(typed - exact), abs(typed * 100 - exact)).quantize(Decimal("0.0001"), ROUND_HALF_UP)
        if gap > _NEAR:  # two places are what an official writes; more only where they decide
            gap, typed = (n.quantize(Decimal("0.01"), ROUND_HALF_UP) for n in (gap, typed))
    return {
        "disb_rate": typed,
        "rate_computed": exact.quantize(Decimal("0.01"), ROUND_HALF_UP),
        "rate_gap": gap,
    }


def _low_rate_counts(report: Report, province: Province) -> bool:
    """Whether a low rate needs a note yet: from the threshold's month of the budget year on."""
    if report.period is None or report.budget_year is None:
        return False
    month = report.period.month + 12 * (report.period.year - report.budget_year)
    return month >= int(province.thresholds["low_rate_from_month"])


def _note_missing(v: Mapping[str, int | None], row: Row, late: bool, province: Province) -> Marks:
    """CK14: a recovery and, late in the year, a low rate need a note."""
    low = province.thresholds["low_rate_pct"]
    paid, plan = v["disb_ytd"], v["plan_total"]
    marks: Marks = {"disb_period": v["disb_period"]}
    if noted(row):
        return marks
    if (v["disb_period"] or 0) < 0:
        return marks | {"recovery_note_missing": row.code}
    if late and paid is not None and plan and paid * 100 < low * plan:
        rate = (Decimal(paid) * 100 / Decimal(plan)).quantize(Decimal("0.01"), ROUND_DOWN)
        marks |= {"rate_note_missing": row.code, "rate_low": rate, "rate_threshold": low.normalize()}
    return marks


def project_money(report: Report, province: Province) -> dict[str, tuple[int, int] | None]:
    """Leaf project -> (plan, disbursed) in đồng over the capital kinds of Biểu 01; None: not known."""
    money: dict[str, tuple[int, int] | None] = {}
    for row in leaves(report, "B01"):
        project = split_line_code(row.code)[0]
        before, paid = money.get(project, (0, 0)), number(row.values["disb_ytd"])
        if before is None or paid is None or _magnitude(row, province)["magnitude_key"]:
            money[project] = None
        else:
            money[project] = (before[0] + _largest_plan(row), before[1] + paid)
    return money
