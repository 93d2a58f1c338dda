"""What the warehouse knows before reports are judged: the register of plans and the months before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from etl.collect.report import Report
from etl.load.warehouse import Connection
from etl.reference.province import Province
from etl.validate.known import CUMULATIVE_KEYS, NOTHING, Known

_PLAN_KEY = {
    "NSTW": "plan_nstw",
    "NST": "plan_nst",
    "NSX": "plan_nsx",
    "KD_NSTW": "carry_nstw",
    "KD_NSDP": "carry_nsdp",
}


def of(connection: Connection, reports: Sequence[Report], province: Province) -> list[Known]:
    """For each report, in their order; two queries for each period and budget year among them."""
    by_window: dict[tuple[str, int], dict[str, Known]] = {}
    for report in reports:
        if report.period and report.budget_year and not report.refused:
            key = (str(report.period), report.budget_year)
            if key not in by_window:
                by_window[key] = _window(connection, *key, province.window(report.period, report.budget_year).as_of)
    return [by_window.get((str(r.period), r.budget_year or 0), {}).get(r.commune_code or "", NOTHING) for r in reports]


def _window(connection: Connection, period: str, budget_year: int, as_of: object) -> dict[str, Known]:
    plans: dict[str, dict[str, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
    for commune, line, source, amount in connection.execute(
        """
        select commune_code, project_code || '-' || capital_kind, source, amount_vnd::bigint
        from mart.allocation_at(%s, 'infinity') where budget_year = %s
        """,
        (as_of, budget_year),
    ):
        plans[commune][line][_PLAN_KEY[source]] = amount
    befores: dict[str, dict[str, dict[str, int]]] = defaultdict(dict)
    periods: dict[str, str] = {}
    columns = ", ".join(f"d.{key}::bigint" for key in CUMULATIVE_KEYS)
    for commune, before_period, line, *amounts in connection.execute(
        f"""
        with latest as (
            select distinct on (f.commune_code) f.commune_code, f.period, f.submission_id
            from core.in_force('infinity') as f
            where f.budget_year = %(year)s and f.period < %(period)s
            order by f.commune_code, f.period desc
        )

        select l.commune_code, l.period, d.line_code, {columns}
        from latest as l
        inner join core.disbursement as d on l.submission_id = d.submission_id and d.budget_year = %(year)s
        """,
        {"year": budget_year, "period": period},
    ):
        periods[commune] = before_period
        befores[commune][line] = {
            key: amount for key, amount in zip(CUMULATIVE_KEYS, amounts, strict=True) if amount is not None
        }
    return {
        commune: Known(plans.get(commune, {}), befores.get(commune, {}), periods.get(commune))
        for commune in plans.keys() | befores.keys()
    }
