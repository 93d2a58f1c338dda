"""What the province already knows of a commune, held against its report: plan, lines, the month before (cases 47-51).

Only what is known is compared: without a register of allocation decisions for the commune, or without an earlier
report of the same budget year, nothing is said. The plan is never taken from the file (case 50), and nothing is
rescaled (case 6).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from etl import money
from etl.collect.report import Form, Issue, Report, Row, raw
from etl.collect.text import fold
from etl.reference import forms
from etl.reference.province import Province, split_line_code

PLAN_KEYS = ("plan_nstw", "plan_nst", "plan_nsx", "carry_nstw", "carry_nsdp")
CUMULATIVE_KEYS = ("disb_ytd", "disb_nstw", "disb_nsdp", "disb_completed", "disb_advance", "disb_carry")
_RECOVERY = re.compile(r"thu hoi|dieu chinh|nop tra|hoan tra|giam|cat giam|dinh chinh|hach toan")
_FACTORS = (1_000_000, 1_000)
_NEARLY_PCT = 2
"""A sum that is a unit's factor times the register's, within so many per cent, is in that unit."""

Amounts = Mapping[str, int]


@dataclass(frozen=True)
class Known:
    """What the warehouse knows of one commune and budget year before a report of ``period`` is judged.

    ``plan``: line code -> plan by source in đồng, by the decisions in force at the as-of date; empty: no register.
    ``before``: line code -> cumulative figures of the latest earlier period; ``before_period`` names it.
    """

    plan: Mapping[str, Amounts] = field(default_factory=dict)
    before: Mapping[str, Amounts] = field(default_factory=dict)
    before_period: str | None = None


NOTHING = Known()


def compare(report: Report, known: Known, province: Province) -> list[Issue]:
    """Issues of Biểu 01; what they point at is taken out of later rules (``Row.bad``)."""
    form = report.forms.get("B01")
    if form is None:
        return []
    leaves = [row for row in form.rows if row.role == "leaf"]
    issues = list(_unit(form, leaves, known))
    if not issues:
        issues += _lines(form, leaves, known, province)
        issues += _plan(form, leaves, known)
        issues += _fallen(form, leaves, known)
        issues += _unchanged(form, leaves, known)
    return issues


def _amount(row: Row, key: str) -> int | None:
    value = row.values.get(key)
    return value if isinstance(value, int) and key not in row.bad else None


def _unit(form: Form, leaves: Sequence[Row], known: Known) -> Iterator[Issue]:
    """Case 6: the plan of the form is the register's times a unit's factor."""
    typed = sum(amount for row in leaves for key in PLAN_KEYS if (amount := _amount(row, key)) is not None)
    registered = sum(known.plan.get(row.code, {}).get(key, 0) for row in leaves for key in PLAN_KEYS)
    for factor in _FACTORS:
        if registered and abs(typed - registered * factor) * 100 <= _NEARLY_PCT * registered * factor:
            first = next(row for row in leaves if row.values.get("plan_total"))
            yield Issue(
                "M06",
                form.sheet,
                form.cell("plan_total", first.row_no),
                {
                    "value": "đồng" if factor == 1_000_000 else "nghìn đồng",
                    "expected": money.group_vi(factor),
                },
            )
            keys = {c.key for c in forms.load().sheet("B01").columns if c.kind == "money"}
            for row in form.rows:
                _take_out(row, keys)
            return


def _lines(form: Form, leaves: Sequence[Row], known: Known, province: Province) -> Iterator[Issue]:
    """Case 51: a line that the register does not have; without a register, one that the programme does not foresee."""
    for row in leaves:
        project, kind = split_line_code(row.code)
        if project not in province.nodes or not any(_amount(row, key) for key in (*PLAN_KEYS, *CUMULATIVE_KEYS)):
            continue
        values = {"value": row.code, "expected": ""}
        if known.plan and row.code not in known.plan:
            yield Issue("M51", form.sheet, form.cell("line_code", row.row_no), values)
        elif not known.plan and kind not in province.nodes[project].capital_kinds:
            yield Issue("M51-asked", form.sheet, form.cell("line_code", row.row_no), values)


def _plan(form: Form, leaves: Sequence[Row], known: Known) -> Iterator[Issue]:
    """Case 50: a figure of the plan that differs from the decisions in force."""
    titles = {c.key: c.title for c in forms.load().sheet("B01").columns}
    for row in leaves:
        registered = known.plan.get(row.code)
        if registered is None:
            continue
        wrong = set()
        for key in PLAN_KEYS:
            typed, expected = _amount(row, key), registered.get(key, 0)
            if typed is not None and typed != expected:
                wrong.add(key)
                yield Issue(
                    "M50",
                    form.sheet,
                    form.cell(key, row.row_no),
                    {
                        "value": f"{money.show_trieu(typed)} triệu đồng",
                        "expected": f"{money.show_trieu(expected)} triệu đồng",
                        "difference": f"{money.show_trieu(typed - expected)} triệu đồng",
                        "column": titles[key],
                        **raw(typed, expected),
                    },
                )
        if wrong:
            _take_out(row, wrong | {"plan_total", "disb_rate"})


def _fallen(form: Form, leaves: Sequence[Row], known: Known) -> Iterator[Issue]:
    """Case 49: a cumulative below the one before, without a note of money paid back; often the month's amount alone."""
    for row in leaves:
        now, before = _amount(row, "disb_ytd"), known.before.get(row.code, {}).get("disb_ytd")
        if now is None or before is None or now >= before:
            continue
        if _RECOVERY.search(fold(str(row.values.get("note") or ""))):
            continue
        yield Issue(
            "M49",
            form.sheet,
            form.cell("disb_ytd", row.row_no),
            {
                "value": f"{money.show_trieu(now)} triệu đồng",
                "expected": f"{money.show_trieu(before)} triệu đồng",
                "difference": f"{money.show_trieu(before - now)} triệu đồng",
                "column": known.before_period or "",
                **raw(now, before),
            },
        )
        _take_out(row, {"disb_period", "disb_rate", "forecast", *CUMULATIVE_KEYS})


def _unchanged(form: Form, leaves: Sequence[Row], known: Known) -> Iterator[Issue]:
    """Case 47: every cumulative is that of the month before, but the month's own amounts are not 0: an old file.

    Who writes 0 for the month of each line has said that nothing happened.
    """
    if all(_amount(row, "disb_period") == 0 for row in leaves):
        return
    if form.nothing_to_report or not leaves or {row.code for row in leaves} - known.before.keys():
        return
    pairs = [(_amount(row, key), known.before[row.code].get(key)) for row in leaves for key in CUMULATIVE_KEYS]
    if any(before for _, before in pairs) and all(now == before for now, before in pairs):
        yield Issue("M47-unchanged", form.sheet, None, {"value": known.before_period or ""})


def _take_out(row: Row, keys: set[str]) -> None:
    row.bad = row.bad | keys
    row.values = row.values | {key: None for key in keys if isinstance(row.values.get(key), int)}
