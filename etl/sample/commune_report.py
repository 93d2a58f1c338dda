"""What one commune reports for a month of the sample: all five forms, cut out of the province's figures."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

from etl.collect.workbook import DisbursementLine, Value, WorkbookContent
from etl.errors import UsageError
from etl.period import Period
from etl.reference import forms
from etl.reference.province import Commune
from etl.sample import budget, notes, outputs, proposals, roadmap, tasks
from etl.sample.budget import PLAN_KEY, Allocation, LineKey
from etl.sample.disbursement import CLOSING, Paid
from etl.sample.simulation import FIRST_PERIOD, Simulation, budget_month

_FAMILY_NAMES = (
    "Hoàng",
    "Nông",
    "Lương",
    "Vi",
    "Triệu",
    "Nguyễn",
    "Lý",
    "Hứa",
    "Đặng",
    "Phùng",
    "Chu",
    "Dương",
)
_MIDDLE_NAMES = ("Văn", "Thị", "Đức", "Minh", "Thanh", "Quốc", "Ngọc", "Xuân")
_GIVEN_NAMES = ("Hùng", "Hoa", "Dũng", "Lan", "Tuấn", "Hương", "Sơn", "Thủy", "Bình", "Nga", "Long", "Hạnh")


def content(simulation: Simulation, commune_code: str, period: Period, budget_year: int) -> WorkbookContent:
    """What the commune reports. Raises UsageError before the first period or outside the budget year."""
    month = budget_month(period, budget_year)
    if period < FIRST_PERIOD or not 1 <= month <= CLOSING:
        raise UsageError(f"Dữ liệu mẫu có từ kỳ {FIRST_PERIOD}; không có kỳ {period}, năm ngân sách {budget_year}.")
    commune = simulation.province.communes[commune_code]
    keys = simulation.lines(commune_code, budget_year, month)
    indicator_rows = outputs.rows(simulation, commune_code, budget_year, month)
    # Tasks and proposals belong to the month, not to a budget year: in January one of the two files has
    # them.
    main = month != CLOSING
    task_rows = tasks.rows(simulation.province, commune, period) if main else ()
    proposal_rows = proposals.rows(simulation, commune_code, period) if main else ()
    empty = {"B02": indicator_rows, "B03": task_rows, "B04": proposal_rows}
    preparer, signer = _people(simulation, commune_code)
    return WorkbookContent(
        commune=commune,
        period=period,
        budget_year=budget_year,
        as_of=simulation.as_of(budget_year, month),
        nodes=simulation.province.nodes,
        lines=tuple(_line(simulation, key, budget_year, month) for key in keys),
        indicators=indicator_rows,
        tasks=task_rows,
        proposals=proposal_rows,
        roadmap=roadmap.rows(simulation, keys, budget_year, month),
        off_budget=_off_budget(simulation, commune, budget_year, month),
        previous=_previous(simulation, commune_code, keys, budget_year, month),
        nothing_to_report=frozenset(form for form, rows in empty.items() if not rows),
        preparer=preparer,
        signer=signer,
    )


def _line(simulation: Simulation, key: LineKey, budget_year: int, month: int) -> DisbursementLine:
    plan, paid = simulation.plan(key, budget_year, month), simulation.paid(key, budget_year, month)
    total = sum(plan.values())
    values: dict[str, Value] = {PLAN_KEY[source]: amount for source, amount in plan.items()}
    values |= figures(paid)
    values["forecast"] = _forecast(simulation, key, budget_year, month, total, paid.total)
    before = simulation.paid(key, budget_year, month - 1) if month > 1 else None
    changed = _plan_changes(simulation, key, budget_year, month)
    values["note"] = notes.note(
        simulation.province,
        month,
        total,
        paid.total,
        before.total if before else 0,
        changed,
        random.Random(f"{simulation.seed}:reason:{budget_year}:{key}"),
    )
    return DisbursementLine(key.line_code, simulation.kind_names(budget_year)[key.capital_kind], values)


def _forecast(simulation: Simulation, key: LineKey, budget_year: int, month: int, plan_total: int, paid: int) -> int:
    if month == CLOSING:
        return paid
    expected = simulation.paid(key, budget_year, CLOSING).total
    rng = random.Random(f"{simulation.seed}:forecast:{budget_year}:{month}:{key}")
    guess = expected * rng.randint(97, 104) // 100 // 1000 * 1000
    return min(max(guess, paid), plan_total)


def _plan_changes(simulation: Simulation, key: LineKey, budget_year: int, month: int) -> list[Allocation]:
    """Decisions that changed the plan in the period; the first plan of a line is no change."""
    since = simulation.as_of(budget_year, month - 1) if month > 1 else date(budget_year, 1, 1)
    year = simulation.year(budget_year)
    if not year.is_assigned(key, since):
        return []
    return year.changes(key, since, simulation.as_of(budget_year, month))


def _previous(
    simulation: Simulation, commune_code: str, keys: Sequence[LineKey], budget_year: int, month: int
) -> dict[str, Mapping[str, int | Decimal]]:
    if month == 1:
        return {}
    before: dict[str, Mapping[str, int | Decimal]] = {}
    for key in keys:
        paid = simulation.paid(key, budget_year, month - 1)
        before[key.line_code] = {**figures(paid), "disb_ytd": paid.total}
    return before | outputs.previous(simulation, commune_code, budget_year, month)


def _off_budget(simulation: Simulation, commune: Commune, budget_year: int, month: int) -> dict[str, int | None]:
    rng = random.Random(f"{simulation.seed}:off-budget:{budget_year}:{commune.code}")
    lent_a_month, balance, mobilised = (
        rng.randint(180, 900),
        rng.randint(20_000, 60_000),
        rng.randint(0, 120),
    )
    amounts = (
        lent_a_month * min(month, 12),
        balance + lent_a_month * min(month, 12) // 3,
        mobilised * month,
    )
    lines = forms.load().off_budget
    return {o.line_code: a * budget.MILLION for o, a in zip(lines, amounts, strict=True)}


def _people(simulation: Simulation, commune_code: str) -> tuple[str, str]:
    rng = random.Random(f"{simulation.seed}:people:{commune_code}")
    names = [" ".join(rng.choice(part) for part in (_FAMILY_NAMES, _MIDDLE_NAMES, _GIVEN_NAMES)) for _ in range(2)]
    return names[0], names[1]


def figures(paid: Paid) -> dict[str, int]:
    """Layout key -> đồng of what a commune types into a line of Biểu 01."""
    return {
        "disb_nstw": paid.nstw,
        "disb_nsdp": paid.nsdp,
        "disb_completed": paid.completed,
        "disb_advance": paid.advance,
        "disb_carry": paid.carry,
        "accepted_volume": paid.accepted,
    }
