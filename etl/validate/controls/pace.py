"""The commune against its own roadmap (LT03, LT04): Biểu 05 of this report, else the roadmap in force."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from etl.collect.report import Report, Row
from etl.reference.province import Province
from etl.validate.controls.marks import listed, missed
from etl.validate.controls.roadmap import MONTHS
from etl.validate.controls.table import Marks, amount, leaves, noted, start, told_apart
from etl.validate.known import Amounts, Known


def pace(report: Report, province: Province, known: Known) -> list[Marks]:
    return [*_lag(report, province, known), *_revised(report, known), *_gone(report, province, known)]


def column(report: Report) -> str | None:
    """The column of Biểu 05 that ends with the report's month; None outside of the budget year."""
    if report.period is None or report.budget_year is None:
        return None
    month = report.period.month + 12 * (report.period.year - report.budget_year)
    return MONTHS[month - 1] if 1 <= month <= len(MONTHS) else None


def _lag(report: Report, province: Province, known: Known) -> Iterator[Marks]:
    """LT03: the commune as a whole against what it planned itself, on lines of which both figures are known."""
    form, key = report.forms.get("B01"), column(report)
    if form is None or key is None:
        return
    sent = {row.code: amount(row, key) for row in leaves(report, "B05")}
    paid = planned = plan = 0
    for row in told_apart(leaves(report, "B01")):
        now, of_plan = amount(row, "disb_ytd"), amount(row, "plan_total")
        own = sent.get(row.code)
        aim = known.roadmap.get(row.code, {}).get(key) if own is None else own
        if now is None or of_plan is None or aim is None:
            continue
        # An aim beyond the plan is a slip of the roadmap that came with the report (LT02), not money that is late.
        if own is None or own <= of_plan:
            paid, planned, plan = paid + now, planned + aim, plan + of_plan
    if plan <= 0 or (planned - paid) * 100 <= province.thresholds["roadmap_lag_pct"] * plan:
        return
    total = next((row.row_no for row in form.rows if row.role == "total"), None)
    yield {
        "row_no": total,
        "code": "",
        "form": "B01",
        "lag": planned - paid,
        "lag_pct": Decimal((planned - paid) * 1000 // plan) / 10,
        "paid": paid,
        "planned": planned,
    }


def _gone(report: Report, province: Province, known: Known) -> Iterator[Marks]:
    """LT04: a roadmap is sent whole, so a line that it lacks is planned no more; one finding for the form."""
    form, rows = report.forms.get("B05"), leaves(report, "B05")
    if form is None or all(amount(row, key) is None for row in rows for key in MONTHS):
        return
    lines = {row.code for row in leaves(report, "B01")}
    planned = [code for code, months in known.roadmap.items() if code in lines and months.get(MONTHS[-1])]
    if gone := missed(report, form, planned, province.leaf_codes):
        yield {"row_no": None, "code": "", "form": "B05", "lines_gone": listed(gone)}


def _revised(report: Report, known: Known) -> Iterator[Marks]:
    """LT04: a line of the roadmap that differs from the one in force says why; asked once, for it is sent whole."""
    for row in told_apart(leaves(report, "B05")):
        if not noted(row) and (key := _first_change(row, known.roadmap.get(row.code, {}))):
            before = known.roadmap[row.code][key]
            yield start(row) | {
                "form": "B05",
                "revised_key": key,
                "revised": amount(row, key),
                "revised_before": before,
            }


def _first_change(row: Row, before: Mapping[str, int] | Amounts) -> str | None:
    """The first month for which both say something and say different things."""
    for key in MONTHS:
        now, was = amount(row, key), before.get(key)
        if now is not None and was is not None and now != was:
            return key
    return None
