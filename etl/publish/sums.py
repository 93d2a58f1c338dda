"""Which sums of cells a figure is made of: columns of a form, by sign, in the lines that its dimensions take in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from etl.period import Period
from etl.publish.figures import RATES

Terms = tuple[tuple[str, int], ...]
_ASSIGNED: Terms = (("plan_nstw", 1), ("plan_nst", 1), ("plan_nsx", 1))
_CARRY: Terms = (("carry_nstw", 1), ("carry_nsdp", 1))
_MEASURES: dict[str, Terms] = {
    "plan_total": (("plan_total", 1),),
    "plan_assigned": _ASSIGNED,
    "plan_carry": _CARRY,
    "disb_ytd": (("disb_ytd", 1),),
    "disb_period": (("disb_period", 1),),
    "disb_assigned": (("disb_ytd", 1), ("disb_carry", -1)),
    "disb_carry": (("disb_carry", 1),),
    "disb_completed": (("disb_completed", 1),),
    "disb_advance": (("disb_advance", 1),),
    "undisbursed": (("plan_total", 1), ("disb_ytd", -1)),
    "undisbursed_carry": (*_CARRY, ("disb_carry", -1)),
}
_BY_SOURCE: dict[tuple[str, str], Terms] = {
    ("plan_total", "NSTW"): (("plan_nstw", 1), ("carry_nstw", 1)),
    ("disb_ytd", "NSTW"): (("disb_nstw", 1),),
    ("undisbursed", "NSTW"): (("plan_nstw", 1), ("carry_nstw", 1), ("disb_nstw", -1)),
    ("plan_total", "NSDP"): (("plan_nst", 1), ("plan_nsx", 1), ("carry_nsdp", 1)),
    ("disb_ytd", "NSDP"): (("disb_nsdp", 1),),
    ("undisbursed", "NSDP"): (("plan_nst", 1), ("plan_nsx", 1), ("carry_nsdp", 1), ("disb_nsdp", -1)),
}
FILTERS = {
    "programme": "programme_code",
    "project": "project_code",
    "subproject": "subproject_code",
    "capital_kind": "capital_kind",
    "commune": "commune_code",
    "indicator": "indicator_code",
}
_OUTPUTS = ("target_year", "actual_period", "actual_ytd")
_OUTPUT_RATE = ("actual_ytd", "target_year")
_BEFORE = {"rate_previous", "rate_change_points"}
_YEAR_AGO = {"rate_last_year", "rate_change_last_year_points"}
CHANGES = {"rate_change_points", "rate_change_last_year_points"}
_OF_MONTH = {"rate_trend": "rate_total", "disb_trend": "disb_ytd"}
RANKS = {"rank_rate", "order_lowest", "order_undisbursed", "at_zero"}


@dataclass(frozen=True)
class Part:
    """One sum of a figure: over the terms, in the lines of a form, of a period and budget year."""

    role: str
    terms: Terms
    form: str
    period: str
    budget_year: int


LINES = {
    "B01": "select l.*, l.line_code as label from mart.disbursement_line_at(%(known_at)s) as l",
    "B05": """
        select
            u.period, u.budget_year, u.commune_code, u.commune_vi, r.programme_code, r.subproject_code, r.capital_kind,
            r.line_code as label, r.submission_id, r.row_no, r.planned_m01, r.planned_m02, r.planned_m03, r.planned_m04,
            r.planned_m05, r.planned_m06, r.planned_m07, r.planned_m08, r.planned_m09, r.planned_m10, r.planned_m11,
            r.planned_m12, r.planned_close
        from (
            select distinct g.period, g.budget_year, g.commune_code, g.commune_vi, g.roadmap_submission_id
            from mart.roadmap_lag_at(%(known_at)s) as g
        ) as u
        inner join mart.roadmap_line_at(%(known_at)s) as r on u.roadmap_submission_id = r.submission_id
    """,
    "B02": "select o.*, o.indicator_code as label from mart.output_line_at(%(known_at)s) as o",
}


def parts_of(figure: Mapping[str, Any], dims: Mapping[str, str]) -> list[Part]:
    """The sums that the figure is made of; none when it is not a sum of cells."""
    metric, period, year = figure["metric"], Period.parse(figure["period"]), figure["budget_year"]
    blank = figure["value"] is None and metric not in RANKS and metric not in RATES
    if blank or set(dims) - set(FILTERS) - {"source", "period"}:
        return []
    if "indicator" in dims:
        roles = {"value": metric} if metric in _OUTPUTS else {}
        if metric == "output_rate":
            roles = dict(zip(("numerator", "denominator"), _OUTPUT_RATE, strict=True))
        return [Part(role, ((key, 1),), "B02", str(period), year) for role, key in roles.items()]

    def sums(of: str, when: Period, budget_year: int, before: str = "") -> list[Part]:
        measures = RATES.get(of)
        named = zip(("numerator", "denominator"), measures, strict=True) if measures else [("value", of)]
        found = [(role, _terms(measure, dims)) for role, measure in named]
        if not all(terms for _, terms in found):
            return []
        return [Part(before + role, terms or (), "B01", str(when), budget_year) for role, terms in found]

    if metric in _OF_MONTH:
        return sums(_OF_MONTH[metric], Period.parse(dims["period"]), year)
    if metric in ("roadmap_planned", "roadmap_path"):
        return [_planned("value", Period.parse(dims.get("period", str(period))), period, year)]
    if metric == "roadmap_rate" and "commune" in dims:
        return [
            _planned("numerator", period, period, year),
            Part("denominator", _MEASURES["plan_total"], "B01", str(period), year),
        ]
    if metric in RANKS:
        return sums("rate_total", period, year)
    if metric in _BEFORE | _YEAR_AGO:
        other = (Period(period.year - 1, period.month), year - 1) if metric in _YEAR_AGO else (period.previous, year)
        if metric in CHANGES:
            return [*sums("rate_total", period, year), *sums("rate_total", *other, before="previous_")]
        return sums("rate_total", *other)
    return sums(metric, period, year)


def _planned(role: str, month: Period, period: Period, budget_year: int) -> Part:
    """What the roadmaps in use in ``period`` ask for by the end of ``month``."""
    number = month.month + 12 * (month.year - budget_year)
    key = f"planned_m{number:02}" if number <= 12 else "planned_close"
    return Part(role, ((key, 1),), "B05", str(period), budget_year)


def lies_within(row: Mapping[str, Any], dims: Mapping[str, str]) -> bool:
    """Whether a row of Biểu 01 or 02, with its places in the tree, is one of those that the figure adds up."""
    return all(row.get(FILTERS[name]) == value for name, value in dims.items() if name in FILTERS)


def _terms(measure: str, dims: Mapping[str, str]) -> Terms | None:
    return _BY_SOURCE.get((measure, dims["source"])) if "source" in dims else _MEASURES.get(measure)
