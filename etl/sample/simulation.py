"""A province whose figures hang together from 2025-07 on: the same seed gives the same province.

``simulate`` returns the trajectory; ``commune_report`` cuts out of it what one commune reports for one period and
budget year. Each budget year starts from 0; what was assigned and not disbursed at its closing is carried over. Quan
Sơn has paid nothing up to 31/10/2025, as the notice of the inspection of 10/10/2025 says.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date
from functools import cache, cached_property

from etl.collect.workbook import capital_kind_names
from etl.period import Period
from etl.reference.province import Province
from etl.sample import budget
from etl.sample.budget import Allocation, LineKey, YearBudget
from etl.sample.disbursement import CLOSING, Pace, Paid

FIRST_PERIOD = Period(2025, 7)
FOCUS_COMMUNE = "06517"
"""Xã Quan Sơn, of which the first registered notice speaks."""

_FOCUS_IDLE_UNTIL = 10


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

    def habits(self, commune_code: str, budget_year: int) -> tuple[int, bool]:
        """(month up to which the commune has paid nothing, whether it reports to the đồng)."""
        exact = random.Random(f"{self.seed}:exact:{commune_code}").random() < 0.15
        if budget_year == budget.FIRST_YEAR and commune_code == FOCUS_COMMUNE:
            return _FOCUS_IDLE_UNTIL, exact
        others = [c for c in self.commune_codes if c != FOCUS_COMMUNE]
        rng = random.Random(f"{self.seed}:idle:{budget_year}")
        idle = {code: rng.choice((7, 8, 9, 10)) for code in rng.sample(others, min(4, len(others)))}
        return idle.get(commune_code, 0), exact

    def kind_names(self, budget_year: int) -> dict[str, str]:
        return _kind_names(self.province, budget_year)


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
