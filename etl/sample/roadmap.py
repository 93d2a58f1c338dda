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

    It was drawn up before the month ended, by people who know their work and mostly hope for a little more than
    comes: what will be paid, moved by a part of the plan that is the commune's and the line's own and that the
    closing makes small.
    """
    plan = sum(simulation.plan(key, budget_year, month).values())
    rng = random.Random(f"{simulation.seed}:roadmap:{budget_year}:{month}:{key}")
    outlook = random.Random(f"{simulation.seed}:outlook:{budget_year}:{key.commune_code}").triangular(-40, 70, 15)
    hope = plan * round(outlook + rng.triangular(-30, 30)) // 1000
    planned = simulation.paid(key, budget_year, month - 1).total
    amounts: dict[str, Value] = {}
    for later in range(month, CLOSING + 1):
        moved = hope * (CLOSING + 3 - later) // (CLOSING + 3 - month)
        expected = (simulation.paid(key, budget_year, later).total + moved) // THOUSAND * THOUSAND
        planned = max(planned, min(plan, expected))
        amounts["planned_close" if later == CLOSING else f"planned_m{later:02d}"] = planned
    return amounts
