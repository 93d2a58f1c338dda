"""A province whose figures hang together from 2025-07 on: the same seed gives the same province.

``simulate`` returns the trajectory; ``Simulation.content`` cuts out of it what one commune reports for one
period and budget year. Each budget year starts from 0; what was assigned and not disbursed at its closing is
carried over. Quan Sơn has paid nothing up to 31/10/2025, as the notice of the inspection of 10/10/2025 says.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache, cached_property

from etl.collect.workbook import DisbursementLine, Value, WorkbookContent, capital_kind_names
from etl.errors import UsageError
from etl.period import Period
from etl.reference import forms
from etl.reference.province import Commune, Province
from etl.sample import budget, notes, outputs, proposals, roadmap, tasks
from etl.sample.budget import PLAN_KEY, Allocation, LineKey, YearBudget
from etl.sample.disbursement import CLOSING, Pace, Paid

FIRST_PERIOD = Period(2025, 7)
FOCUS_COMMUNE = "06517"
"""Xã Quan Sơn, of which the first registered notice speaks."""

_FOCUS_IDLE_UNTIL = 10
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


def simulate(province: Province, seed: int) -> Simulation:
    """The trajectory of the whole province; years are worked out when they are asked for."""
    return Simulation(province, seed)


def budget_month(period: Period, budget_year: int) -> int:
    """1 to 12, and 13 for the closing report in January of the next year."""
    return (period.year - budget_year) * 12 + period.month


@dataclass(frozen=True, eq=False)
class Simulation:
    province: Province
    seed: int

    @cached_property
    def commune_codes(self) -> tuple[str, ...]:
        """The focus commune first, then the others by code."""
        rest = sorted(c for c in self.province.communes if c != FOCUS_COMMUNE)
        return (FOCUS_COMMUNE, *rest) if FOCUS_COMMUNE in self.province.communes else tuple(rest)

    def year(self, budget_year: int) -> YearBudget:
        return _year(self, budget_year)

    def as_of(self, budget_year: int, month: int) -> date:
        """Day of the figures of a month of a budget year: the calendar's, else the month's last day."""
        period = _period(budget_year, month)
        window = self.province.windows.get((period, budget_year))
        return window.as_of if window else period.last_day

    def pace(self, key: LineKey, budget_year: int) -> Pace:
        """How the line is disbursed in that budget year."""
        return _pace(self, key, budget_year)

    def paid(self, key: LineKey, budget_year: int, month: int) -> Paid:
        """Cumulative figures of a line at the end of a month of the budget year."""
        return _paid(self, key, budget_year, month)

    def plan(self, key: LineKey, budget_year: int, month: int) -> dict[str, int]:
        """Plan of a line by source at that month's day of figures."""
        return self.year(budget_year).plan(key, self.plan_day(budget_year, month))

    def lines(self, commune_code: str, budget_year: int, month: int) -> tuple[LineKey, ...]:
        """Lines that some decision in force has given to the commune, in official order."""
        return _lines(self, commune_code, budget_year, self.plan_day(budget_year, month))

    def plan_day(self, budget_year: int, month: int) -> date:
        """The communes began in July 2025 with the plans and payments that the districts handed over."""
        handed_over = FIRST_PERIOD.month if budget_year == budget.FIRST_YEAR else 1
        return self.as_of(budget_year, max(month, handed_over))

    def allocations(self, as_of: date) -> list[Allocation]:
        """Every allocation signed up to that day, by decision, line and source."""
        years = range(budget.FIRST_YEAR, as_of.year + 1)
        known = [a for y in years for a in self.year(y).allocations if a.signed_on <= as_of]
        return sorted(known, key=lambda a: (a.signed_on, a.decision_no, a.key, a.source))

    def content(self, commune_code: str, period: Period, budget_year: int) -> WorkbookContent:
        """What the commune reports. Raises UsageError before the first period or outside the budget year."""
        month = budget_month(period, budget_year)
        if period < FIRST_PERIOD or not 1 <= month <= CLOSING:
            raise UsageError(f"Dữ liệu mẫu có từ kỳ {FIRST_PERIOD}; không có kỳ {period}, năm ngân sách {budget_year}.")
        commune = self.province.communes[commune_code]
        keys = self.lines(commune_code, budget_year, month)
        indicator_rows = outputs.rows(self, commune_code, budget_year, month)
        # Tasks and proposals belong to the month, not to a budget year: in January one of the two files has
        # them.
        main = month != CLOSING
        task_rows = tasks.rows(self.province, commune, period) if main else ()
        proposal_rows = proposals.rows(self, commune_code, period) if main else ()
        empty = {"B02": indicator_rows, "B03": task_rows, "B04": proposal_rows}
        preparer, signer = self._people(commune_code)
        return WorkbookContent(
            commune=commune,
            period=period,
            budget_year=budget_year,
            as_of=self.as_of(budget_year, month),
            nodes=self.province.nodes,
            lines=tuple(self._line(key, budget_year, month) for key in keys),
            indicators=indicator_rows,
            tasks=task_rows,
            proposals=proposal_rows,
            roadmap=roadmap.rows(self, keys, budget_year, month),
            off_budget=self._off_budget(commune, budget_year, month),
            previous=self._previous(commune_code, keys, budget_year, month),
            nothing_to_report=frozenset(form for form, rows in empty.items() if not rows),
            preparer=preparer,
            signer=signer,
        )

    def _line(self, key: LineKey, budget_year: int, month: int) -> DisbursementLine:
        plan, paid = self.plan(key, budget_year, month), self.paid(key, budget_year, month)
        total = sum(plan.values())
        values: dict[str, Value] = {PLAN_KEY[source]: amount for source, amount in plan.items()}
        values |= figures(paid)
        values["forecast"] = self._forecast(key, budget_year, month, total, paid.total)
        before = self.paid(key, budget_year, month - 1) if month > 1 else None
        changed = self._plan_changes(key, budget_year, month)
        values["note"] = notes.note(
            self.province,
            month,
            total,
            paid.total,
            before.total if before else 0,
            changed,
            random.Random(f"{self.seed}:reason:{budget_year}:{key}"),
        )
        return DisbursementLine(key.line_code, self.kind_names(budget_year)[key.capital_kind], values)

    def _forecast(self, key: LineKey, budget_year: int, month: int, plan_total: int, paid: int) -> int:
        if month == CLOSING:
            return paid
        expected = self.paid(key, budget_year, CLOSING).total
        rng = random.Random(f"{self.seed}:forecast:{budget_year}:{month}:{key}")
        guess = expected * rng.randint(97, 104) // 100 // 1000 * 1000
        return min(max(guess, paid), plan_total)

    def _plan_changes(self, key: LineKey, budget_year: int, month: int) -> list[Allocation]:
        """Decisions that changed the plan in the period; the first plan of a line is no change."""
        since = self.as_of(budget_year, month - 1) if month > 1 else date(budget_year, 1, 1)
        year = self.year(budget_year)
        if not year.is_assigned(key, since):
            return []
        return year.changes(key, since, self.as_of(budget_year, month))

    def _previous(
        self, commune_code: str, keys: Sequence[LineKey], budget_year: int, month: int
    ) -> dict[str, Mapping[str, int | Decimal]]:
        if month == 1:
            return {}
        before: dict[str, Mapping[str, int | Decimal]] = {}
        for key in keys:
            paid = self.paid(key, budget_year, month - 1)
            before[key.line_code] = {**figures(paid), "disb_ytd": paid.total}
        return before | outputs.previous(self, commune_code, budget_year, month)

    def _off_budget(self, commune: Commune, budget_year: int, month: int) -> dict[str, int | None]:
        rng = random.Random(f"{self.seed}:off-budget:{budget_year}:{commune.code}")
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

    def habits(self, commune_code: str, budget_year: int) -> tuple[int, bool]:
        """(month up to which the commune has paid nothing, whether it reports to the đồng)."""
        exact = random.Random(f"{self.seed}:exact:{commune_code}").random() < 0.15
        if budget_year == budget.FIRST_YEAR and commune_code == FOCUS_COMMUNE:
            return _FOCUS_IDLE_UNTIL, exact
        others = [c for c in self.commune_codes if c != FOCUS_COMMUNE]
        rng = random.Random(f"{self.seed}:idle:{budget_year}")
        idle = {code: rng.choice((7, 8, 9, 10)) for code in rng.sample(others, min(4, len(others)))}
        return idle.get(commune_code, 0), exact

    def _people(self, commune_code: str) -> tuple[str, str]:
        rng = random.Random(f"{self.seed}:people:{commune_code}")
        names = [" ".join(rng.choice(part) for part in (_FAMILY_NAMES, _MIDDLE_NAMES, _GIVEN_NAMES)) for _ in range(2)]
        return names[0], names[1]

    def kind_names(self, budget_year: int) -> dict[str, str]:
        return _kind_names(self.province, budget_year)


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


def _period(budget_year: int, month: int) -> Period:
    return Period(budget_year + (month > 12), month - 12 if month > 12 else month)


@cache
def _kind_names(province: Province, budget_year: int) -> dict[str, str]:
    return capital_kind_names(province, budget_year)


@cache
def _year(simulation: Simulation, budget_year: int) -> YearBudget:
    if budget_year <= budget.FIRST_YEAR:
        return budget.first_budget(simulation.province, simulation.seed)
    return budget.next_budget(
        simulation.province, simulation.seed, budget_year, _left_over(simulation, budget_year - 1)
    )


def _left_over(simulation: Simulation, budget_year: int) -> list[tuple[LineKey, dict[str, int]]]:
    """Assigned money of the year that was not disbursed at its closing. What had been carried over once
    lapses.
    """
    result = []
    for commune_code in simulation.commune_codes:
        for key in simulation.lines(commune_code, budget_year, CLOSING):
            plan = simulation.plan(key, budget_year, CLOSING)
            paid = simulation.paid(key, budget_year, CLOSING)
            left = {
                "KD_NSTW": plan["NSTW"] - (paid.nstw - paid.carry_nstw),
                "KD_NSDP": plan["NST"] + plan["NSX"] - (paid.nsdp - paid.carry_nsdp),
            }
            # Remainders below one million đồng are not worth a decision and lapse, too.
            worth = {source: amount for source, amount in left.items() if amount >= budget.MILLION}
            if worth:
                result.append((key, worth))
    return result


@cache
def _lines(simulation: Simulation, commune_code: str, budget_year: int, day: date) -> tuple[LineKey, ...]:
    year = simulation.year(budget_year)
    order = {code: n for n, code in enumerate(simulation.province.nodes)}
    keys = [k for k in year.lines(commune_code) if year.is_assigned(k, day)]
    return tuple(sorted(keys, key=lambda k: (order[k.project_code], k.capital_kind)))


@cache
def _habits(simulation: Simulation, commune_code: str, budget_year: int) -> tuple[int, bool]:
    return simulation.habits(commune_code, budget_year)


@cache
def _pace(simulation: Simulation, key: LineKey, budget_year: int) -> Pace:
    idle, exact = _habits(simulation, key.commune_code, budget_year)
    return Pace(key.capital_kind, f"{simulation.seed}:pace:{budget_year}:{key}", idle, exact)


@cache
def _paid(simulation: Simulation, key: LineKey, budget_year: int, month: int) -> Paid:
    # Only money that no later adjustment takes away is paid out, so no plan ever falls under what was
    # disbursed.
    base = simulation.year(budget_year).lowest_plan(key, simulation.plan_day(budget_year, month))
    return simulation.pace(key, budget_year).paid(month, base)
