"""Biểu 05 of the sample: the roadmap of a budget year, sent with its first full report and revised in
October.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from etl.collect.workbook import Row, Value
from etl.sample import budget
from etl.sample.budget import LineKey
from etl.sample.disbursement import CLOSING, THOUSAND
from etl.sample.simulation import Simulation

_REVISION_MONTH = 10
_REVISION_NOTE = "Điều chỉnh lộ trình theo tình hình thực hiện đến hết tháng 9 và kế hoạch vốn sau điều chỉnh"


def rows(simulation: Simulation, keys: Sequence[LineKey], budget_year: int, month: int) -> tuple[Row, ...]:
    """One row per line; amounts only in the month of the first roadmap and in that of the revision."""
    sent = month in (_first_month(budget_year), _REVISION_MONTH)
    names = simulation.kind_names(budget_year)
    result = []
    for key in keys:
        name = simulation.province.nodes[key.project_code].name_vi
        row: dict[str, Value] = {
            "content_vi": f"{name} ({names[key.capital_kind]})",
            "line_code": key.line_code,
        }
        if sent:
            row |= _amounts(simulation, key, budget_year, month)
            row["note"] = _REVISION_NOTE if month == _REVISION_MONTH else None
        result.append(row)
    return tuple(result)


def _first_month(budget_year: int) -> int:
    """July 2025, when the communes began; later February, once the carried-over money is known."""
    return 7 if budget_year == budget.FIRST_YEAR else 2


def _amounts(simulation: Simulation, key: LineKey, budget_year: int, month: int) -> dict[str, Value]:
    """Planned cumulative đồng from the month of sending on; it never falls and never passes the plan in
    force.
    """
    plan = sum(simulation.plan(key, budget_year, month).values())
    start = simulation.paid(key, budget_year, month).total
    rng = random.Random(f"{simulation.seed}:roadmap:{budget_year}:{month}:{key}")
    close = max(start, plan * rng.randint(92, 100) // 100)
    amounts: dict[str, Value] = {}
    for later in range(month, CLOSING + 1):
        # A straight line bent upwards: little at first, most of it in the last quarter.
        part = (later - month) ** 2 + (later - month)
        whole = (CLOSING - month) ** 2 + (CLOSING - month)
        planned = start + (close - start) * part // whole // THOUSAND * THOUSAND
        amounts["planned_close" if later == CLOSING else f"planned_m{later:02d}"] = planned
    return amounts
