"""Figures of the months: the rate of every commune in each of them, and the communes' own roadmaps beside it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from etl.publish.figure import Dims, Figure, dims
from etl.publish.reading import Reader, Row, number_figure, text_figure

_PATH = "mart.roadmap_path"
_PROGRESS = "mart.roadmap_progress"


def of_months(reader: Reader) -> Iterator[Figure]:
    """Rate and amount at the end of each month of the budget year so far, of the province and of every commune, as best
    known now."""
    for row in reader.rows(
        "select r.period, r.rate_total, r.disb_ytd, r.plan_total, r.communes_reported, r.communes_expected, "
        "r.plan_covered_pct, r.commune_code from mart.disbursement_rate_at(%(known_at)s) as r "
        "where r.slice in ('all', 'commune') and r.budget_year = %(budget_year)s and r.period <= %(period)s"
    ):
        by = dims({"commune": row["commune_code"], "period": row["period"]})
        covered = _coverage(row)
        yield Figure(
            "rate_trend", "pct", "mart.disbursement_rate", by, value=row["rate_total"],
            numerator=row["disb_ytd"], denominator=row["plan_total"], **covered,
        )  # fmt: skip
        if row["disb_ytd"] is not None:
            yield Figure("disb_trend", "vnd", "mart.disbursement_rate", by, value=row["disb_ytd"], **covered)


def _coverage(row: Row) -> dict[str, Any]:
    if row["commune_code"] is not None:
        return {}
    return {
        "coverage_n": row["communes_reported"],
        "coverage_of": row["communes_expected"],
        "coverage_plan_pct": row["plan_covered_pct"],
    }


def of_roadmaps(reader: Reader) -> Iterator[Figure]:
    """What the roadmaps ask for by the end of the period, of all communes that have one and of each; and their path."""
    for row in reader.rows(f"select m.* from {_PROGRESS}_at(%(known_at)s, %(period)s, %(budget_year)s) as m"):
        by = dims({"commune": row["commune_code"]})
        yield from _progress(row, by)
    for row in reader.rows("select m.* from mart.roadmap_path(%(period)s, %(budget_year)s, %(known_at)s) as m"):
        by = dims({"commune": row["commune_code"], "period": row["month"]})
        yield number_figure("roadmap_path", "vnd", row["planned"], _PATH, by)


def _progress(row: Row, by: Dims) -> Iterator[Figure]:
    yield number_figure("roadmap_planned", "vnd", row["planned"], _PROGRESS, by)
    if row["lag"] is not None:
        yield number_figure("roadmap_gap", "vnd", -row["lag"], _PROGRESS, by)
    yield Figure(
        "roadmap_rate", "pct", _PROGRESS, by, value=row["planned_rate"], numerator=row["planned"],
        denominator=row["plan_total"],
    )  # fmt: skip
    if row["planned_close"] is not None:
        yield number_figure("roadmap_close", "vnd", row["planned_close"], _PROGRESS, by)
        yield Figure(
            "roadmap_close_rate", "pct", _PROGRESS, by, value=row["planned_close_rate"],
            numerator=row["planned_close"], denominator=row["plan_total"],
        )  # fmt: skip
    if row["lag_points"] is not None:
        yield number_figure("roadmap_points", "pct_points", row["lag_points"], _PROGRESS, by)
    if row["commune_code"] is None:
        yield number_figure("roadmap_disbursed", "vnd", row["disb_ytd"], _PROGRESS)
        yield number_figure("roadmap_communes", "count", row["communes_with_roadmap"], _PROGRESS)
        yield number_figure("roadmap_behind", "count", row["communes_behind"], _PROGRESS)
    else:
        yield text_figure("roadmap_sent", row["roadmap_period"], _PROGRESS, by)
