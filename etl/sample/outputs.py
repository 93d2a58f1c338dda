"""Biểu 02 of the sample: outputs that grow with the money of their project.

Nothing is reported as done where nothing was paid, and a project that is paid in full has a result (check
CK12). Figures of a percentage are the percentage points gained by the programme, so they too start from 0
each year.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from decimal import Decimal
from functools import cache

from etl.collect.workbook import Row
from etl.sample import budget
from etl.sample.disbursement import CLOSING
from etl.sample.simulation import Simulation

# Unit -> (smallest, largest) target of a year in a commune, and the step in which results are counted.
_TARGETS = {
    "hộ": (20, 160, Decimal(1)),
    "người": (30, 240, Decimal(1)),
    "lượt người": (40, 200, Decimal(1)),
    "ha": (150, 900, Decimal("0.1")),
    "km": (2, 9, Decimal("0.01")),
    "%": (2, 8, Decimal("0.01")),
}
_USUAL_TARGET = (2, 8, Decimal(1))


def rows(simulation: Simulation, commune_code: str, budget_year: int, month: int) -> tuple[Row, ...]:
    """One row per indicator of the projects in which the commune has lines; quantities as Decimal."""
    return tuple(
        _row(simulation, commune_code, code, budget_year, month)
        for code in _codes(simulation, commune_code, budget_year, month)
    )


def previous(
    simulation: Simulation, commune_code: str, budget_year: int, month: int
) -> dict[str, Mapping[str, int | Decimal]]:
    """Cumulative results of the month before, by indicator code."""
    return {
        code: {"actual_ytd": _done(simulation, commune_code, code, budget_year, month - 1)}
        for code in _codes(simulation, commune_code, budget_year, month)
    }


def _codes(simulation: Simulation, commune_code: str, budget_year: int, month: int) -> list[str]:
    projects = {k.project_code for k in simulation.lines(commune_code, budget_year, month)}
    return [c for c, i in simulation.province.indicators.items() if i["project_code"] in projects]


def _row(simulation: Simulation, commune_code: str, code: str, budget_year: int, month: int) -> Row:
    indicator = simulation.province.indicators[code]
    target_year = _target(simulation, commune_code, code, budget_year)
    target_phase = _phase_target(simulation, commune_code, code)
    done = _done(simulation, commune_code, code, budget_year, month)
    before = _before_year(simulation, commune_code, code, budget_year)
    row: dict[str, str | Decimal | None] = {
        "indicator_code": code,
        "indicator_vi": indicator["name_vi"],
        "project_code": indicator["project_code"],
        "unit": indicator["unit"],
        "target_phase": max(target_phase, target_year),
        "target_year": target_year,
        "actual_ytd": done,
        "actual_phase": before + done,
        "forecast": max(done, _done(simulation, commune_code, code, budget_year, CLOSING)),
        "note": None,
    }
    if indicator["unit"] == "%":
        # A rate of a rate says nothing: these cells stay blank.
        row |= {"rate_year": None, "rate_phase": None}
    return row


def _target(simulation: Simulation, commune_code: str, code: str, budget_year: int) -> Decimal:
    low, high, _ = _TARGETS.get(simulation.province.indicators[code]["unit"], _USUAL_TARGET)
    rng = random.Random(f"{simulation.seed}:target:{budget_year}:{commune_code}:{code}")
    share = 1 if budget_year == budget.FIRST_YEAR else 4
    return Decimal(max(1, rng.randint(low, high) // share))


def _phase_target(simulation: Simulation, commune_code: str, code: str) -> Decimal:
    """Five years' worth of the last year's target, less a little: the phase ended with it."""
    last_year = _target(simulation, commune_code, code, budget.FIRST_YEAR)
    return (last_year * Decimal("4.4")).to_integral_value()


@cache
def _before_year(simulation: Simulation, commune_code: str, code: str, budget_year: int) -> Decimal:
    """Result of the phase before this budget year."""
    if budget_year > budget.FIRST_YEAR:
        earlier = _before_year(simulation, commune_code, code, budget_year - 1)
        return earlier + _done(simulation, commune_code, code, budget_year - 1, CLOSING)
    rng = random.Random(f"{simulation.seed}:phase:{commune_code}:{code}")
    step = _TARGETS.get(simulation.province.indicators[code]["unit"], _USUAL_TARGET)[2]
    share = Decimal(rng.randint(55, 78)) / 100
    return _floor(_phase_target(simulation, commune_code, code) * share, step)


@cache
def _done(simulation: Simulation, commune_code: str, code: str, budget_year: int, month: int) -> Decimal:
    """Result since the start of the year: it follows the shares paid out, which never fall, and not the
    money.
    """
    if month < 1:
        return Decimal(0)
    indicator = simulation.province.indicators[code]
    keys = [
        k for k in simulation.lines(commune_code, budget_year, month) if k.project_code == indicator["project_code"]
    ]
    shares = [Decimal(round(simulation.pace(k, budget_year).share(month) * 1000)) / 1000 for k in keys]
    if not any(shares):
        return Decimal(0)
    step = _TARGETS.get(indicator["unit"], _USUAL_TARGET)[2]
    rng = random.Random(f"{simulation.seed}:output:{budget_year}:{commune_code}:{code}")
    progress = sum(shares, Decimal(0)) / len(shares) * Decimal(rng.randint(85, 104)) / 100
    result = _floor(_target(simulation, commune_code, code, budget_year) * progress, step)
    return max(result, step) if min(shares) == 1 else result


def _floor(number: Decimal, step: Decimal) -> Decimal:
    return (number // step * step).quantize(step)
