"""What the province already knows when a report is judged: plan, tasks, the months before, what the Treasury says.

Only what is known is compared: without a register of allocation decisions for the commune, or without an earlier
report of the same budget year, nothing is said. The plan is never taken from the file (case 50), and nothing is
rescaled (case 6).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from etl import money
from etl.collect.report import Form, Issue, Report, Row
from etl.period import Period
from etl.reference import forms
from etl.reference.province import Province
from etl.validate.treasury import Balances

PLAN_KEYS = ("plan_nstw", "plan_nst", "plan_nsx", "carry_nstw", "carry_nsdp")
CUMULATIVE_KEYS = ("disb_ytd", "disb_nstw", "disb_nsdp", "disb_completed", "disb_advance", "disb_carry")
_FACTORS = (1_000_000, 1_000)
_NEARLY_PCT = 2
"""A sum that is a unit's factor times the register's, within so many per cent, is in that unit."""

Amounts = Mapping[str, int]


@dataclass(frozen=True)
class Task:
    """A task of the register: when it was given out, and its deadline in force and in words."""

    task_id: str
    assigned_on: date | None
    due: date | None
    phrase: str | None


@dataclass(frozen=True)
class Before:
    """The report in force of the latest earlier period of the same budget year.

    ``lines``: line code -> plan by source and cumulative figures in đồng; ``outputs``: indicator code -> actual_ytd,
    actual_phase. ``earlier``: line code -> cumulative of the report one month before that one.
    """

    period: str
    is_last_month: bool
    lines: Mapping[str, Amounts] = field(default_factory=dict)
    outputs: Mapping[str, Mapping[str, Decimal]] = field(default_factory=dict)
    earlier: Amounts = field(default_factory=dict)

    @property
    def period_vi(self) -> str:
        return Period.parse(self.period).vi


@dataclass(frozen=True)
class Known:
    """What the warehouse knows of one commune and budget year before a report of ``period`` is judged.

    ``plan``: line code -> plan by source in đồng, by the decisions in force at the as-of date; empty: no register.
    ``plan_above``: the same for nodes that the commune has to split among their leaves (node and kind, like a line
    code). ``decided``: codes with a decision that came into force after the report before. ``last_year``: line code ->
    last cumulative of the budget year before, for the first report of a budget year. ``roadmap``: line code -> planned
    cumulatives by column of Biểu 05, of the roadmap in force. ``received_on``: the day on which the report came.
    ``tasks_before`` (id -> state, deadline phrase) and ``proposals_before`` (number -> text, of those not resolved) are
    of the latest earlier month: they belong to no budget year, and a closing report has none. ``treasury``: what the
    State Treasury has for the commune at the report's day; None without a statement of that day.
    """

    tasks: Mapping[str, Task] = field(default_factory=dict)
    plan: Mapping[str, Amounts] = field(default_factory=dict)
    plan_above: Mapping[str, Amounts] = field(default_factory=dict)
    decided: frozenset[str] = frozenset()
    before: Before | None = None
    is_first_of_year: bool = False
    last_year: Amounts = field(default_factory=dict)
    roadmap: Mapping[str, Amounts] = field(default_factory=dict)
    tasks_before: Mapping[str, tuple[str | None, str | None]] = field(default_factory=dict)
    proposals_before: Mapping[str, str] = field(default_factory=dict)
    treasury: Balances | None = None
    received_on: date | None = None


def offline(province: Province) -> Known:
    """What the reference data alone say: the tasks of the register."""
    directives = province.directives()
    return Known(
        tasks={
            row["task_id"].upper(): Task(
                row["task_id"],
                _day(directives[row["directive_id"]]["doc_date"] or directives[row["directive_id"]]["event_date"]),
                _day(row["due_date"]),
                row["deadline_phrase_vi"] or None,
            )
            for row in province.tasks()
        }
    )


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def unit(report: Report, known: Known) -> list[Issue]:
    """Case 6: the plan of Biểu 01 is the register's times a unit's factor; none of its amounts is judged further."""
    form = report.forms.get("B01")
    if form is None:
        return []
    leaves = [row for row in form.rows if row.role == "leaf"]
    typed = sum(amount for row in leaves for key in PLAN_KEYS if (amount := _amount(row, key)) is not None)
    registered = sum(known.plan.get(row.code, {}).get(key, 0) for row in leaves for key in PLAN_KEYS)
    for factor in _FACTORS:
        if registered and abs(typed - registered * factor) * 100 <= _NEARLY_PCT * registered * factor:
            return [_other_unit(form, leaves, factor)]
    return []


def _other_unit(form: Form, leaves: Sequence[Row], factor: int) -> Issue:
    first = next(
        form.cell(key, row.row_no)
        for key in ("plan_total", *PLAN_KEYS)
        for row in leaves
        if key in form.columns and row.values.get(key)
    )
    keys = {c.key for c in forms.load().sheet("B01").columns if c.kind == "money"}
    for row in form.rows:
        row.bad = row.bad | keys
    values = {"value": "đồng" if factor == 1_000_000 else "nghìn đồng", "expected": money.group_vi(factor)}
    return Issue("M06", form.sheet, first, values)


def _amount(row: Row, key: str) -> int | None:
    value = row.values.get(key)
    return value if isinstance(value, int) and key not in row.bad else None
