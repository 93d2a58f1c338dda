"""Figures of a month made by hand, without a warehouse: what the sentences are tried on."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from etl.period import Period
from etl.publish.figure import Figure, FigureSet, dims

TY = 1_000_000_000
NOW = datetime(2025, 11, 11, tzinfo=UTC)
QUAN_SON, DONG_KINH, BAC_SON = "06517", "05977", "06325"
UNITS = {
    "plan": "vnd", "disb": "vnd", "undisbursed": "vnd", "pace": "vnd", "rate": "pct", "low": "pct", "as": "date",
    "closing": "date", "due": "date", "publish": "date", "name": "text", "period": "text", "budget": "text",
    "previous": "text", "next": "text", "at": "text", "not": "text",
}  # fmt: skip
# A month of one programme with two kinds of capital.
MONTH = {
    "plan_total": 100 * TY, "plan_assigned": 90 * TY, "plan_carry": 10 * TY, "disb_ytd": 40 * TY,
    "disb_period": 5 * TY, "disb_carry": 4 * TY, "undisbursed": 60 * TY, "undisbursed_carry": 6 * TY,
    "rate_total": "40.00", "rate_carry": "40.00", "rate_previous": "35.00", "rate_change_points": "5.00",
    "communes_previous": 65, "communes_reported": 65, "communes_expected": 65, "communes_not_reporting": 0,
    "plan_covered_pct": "100.00", "months_left": 3, "pace_needed": 20 * TY, "closing_on": "2026-01-31",
    "as_of": "2025-10-31", "budget_year": "2025", "period": "tháng 10 năm 2025", "period_short": "tháng 10",
    "previous_period": "tháng 9", "next_period": "tháng 11 năm 2025", "period_year_ago": "tháng 10/2024",
    "communes_ranked": 65, "communes_above_average": 30, "communes_below_threshold": 20, "communes_at_zero": 0,
    "low_rate_pct": "50.00", "tasks": 21, "tasks_due": 0, "plan_total/programme=GN": 100 * TY,
    "disb_ytd/programme=GN": 40 * TY, "rate_total/programme=GN": "40.00", "undisbursed_carry/programme=GN": 6 * TY,
    "plan_carry/programme=GN": 10 * TY, "sort_no/programme=GN": 1, "name/programme=GN": "Chương trình giảm nghèo",
    "name_short/programme=GN": "Giảm nghèo bền vững", "plan_total/capital_kind=DT": 60 * TY,
    "disb_ytd/capital_kind=DT": 24 * TY, "rate_total/capital_kind=DT": "40.00", "name/capital_kind=DT": "Vốn đầu tư",
    "plan_total/capital_kind=SN": 40 * TY, "disb_ytd/capital_kind=SN": 16 * TY, "rate_total/capital_kind=SN": "40.00",
    "name/capital_kind=SN": "Vốn sự nghiệp", f"name/commune={QUAN_SON}": "Xã Quan Sơn",
    f"name/commune={DONG_KINH}": "Phường Đông Kinh", f"name/commune={BAC_SON}": "Xã Bắc Sơn",
}  # fmt: skip


def unit_of(metric: str) -> str:
    if metric in ("plan_covered_pct", "low_rate_pct"):
        return "pct"
    if metric in ("rate_change_points", "rate_change_last_year_points"):
        return "pct_points"
    if metric.startswith("task_days") or metric.startswith("longest"):
        return "days"
    if metric in ("task_due", "directive_date", "treasury_other_date"):
        return "date"
    if metric.startswith(("task_", "directive_title", "directive_no", "proposal_", "treasury_statement", "answer_")):
        return "count" if metric == "proposal_communes" else "text"
    return UNITS.get(metric.split("_")[0], "count")


def made(key: str, value: object) -> Figure:
    metric, _, rest = key.partition("/")
    by = dims(dict(part.split("=", 1) for part in rest.split(",")) if rest else {})
    unit = unit_of(metric)
    if unit in ("text", "date"):
        return Figure(metric, unit, "x", by, text=None if value is None else str(value))
    return Figure(metric, unit, "x", by, value=None if value is None else Decimal(str(value)))


def month(period: str = "2025-10", year: int = 2025, **changes: Any) -> FigureSet:
    """The month with other values; ``...`` leaves a figure out. ``__`` stands for ``/`` and ``=`` in keys."""
    values = MONTH | {key.replace("__", "/", 1).replace("__", "="): value for key, value in changes.items()}
    figures = tuple(made(key, value) for key, value in values.items() if value is not ...)
    return FigureSet(f"{period}-r1", Period.parse(period), year, NOW, figures)
