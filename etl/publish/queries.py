"""For every figure the query that gives its value as it was published, to paste into psql (role tiendo_analyst).

Nothing of it is stored: a figure's source, metric and dimensions say which mart it was read from, and the release says
as of when. What a new mart or metric needs is an entry here; a figure without one fails the tests.

Places in the texts: ``{known_at}``, ``{as_of}``, ``{first}`` (of the month), ``{month}``, ``{year}`` (the budget
year's), ``{previous}`` (month), ``{release}``; and the dimensions by name. Of a second row with the same code
(``KN-1#2``) ``{proposal.base}`` is the code and ``{proposal.before}`` how many rows come before.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import cached_property, lru_cache, partial

from etl.load.reconciliation import KINDS_VI
from etl.period import Period
from etl.publish.commune_figures import OUTCOMES_VI, OWN_SLICE, RELATIONS_VI
from etl.publish.correction_figures import CAUSES_VI
from etl.publish.figure import Figure
from etl.publish.figures import SLICES, STATES_VI
from etl.publish.quality_figures import LEVELS_VI, OWN_NOTE, PRINTED

CONFIGURATION = "report.yml"
"""The one source that is no mart: what the province has set for its documents."""
_PLACE = re.compile(r"\{(\w+)(?:\.(\w+))?\}")


@dataclass(frozen=True)
class Query:
    """``select column from table where conditions tail``, one row."""

    column: str
    table: str
    conditions: tuple[str, ...]
    tail: str

    @cached_property
    def text(self) -> str:
        where = f" where {' and '.join(self.conditions)}" if self.conditions else ""
        return f"select {self.column} from {self.table}{where}{self.tail}"


@dataclass(frozen=True)
class _Source:
    """How figures are found in a mart.

    ``by``: dimension -> column; ``cube``: a dimension that a figure lacks is null in the mart (all communes, all
    states). ``columns``: metric -> expression, where it is not the column of that name.
    """

    table: str
    where: tuple[str, ...] = ()
    by: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=dict)
    cube: bool = False
    tail: str = ""

    def query(self, metric: str, names: Iterable[str]) -> Query | None:
        """None where a figure has a dimension that the mart does not know."""
        given = tuple(names)
        if not set(given) <= self.by.keys():
            return None
        keys = [f"{self.by[name]} = {_place(name, self.tail)}" for name in given]
        if self.cube:
            keys += [f"{column} is null" for name, column in self.by.items() if name not in given]
        return Query(self.columns.get(metric, metric), self.table, (*self.where, *keys), self.tail)


def _place(name: str, tail: str) -> str:
    return f"{{{name}.base}}" if f"{{{name}." in tail else f"{{{name}}}"


def _words(column: str, words: Mapping[str, str]) -> str:
    """The words that a figure has for a code."""
    said = " ".join(f"when '{code}' then '{text}'" for code, text in words.items())
    return f"case {column} {said} end"


def _month(months: int, words: str) -> str:
    """A month near the period's in words; ``words`` is a pattern of to_char."""
    return f"to_char((period || '-01')::date + interval '{months} month', '{words}')"


_THIS = ("period = {month}", "budget_year = {year}")
_MONTH = "({known_at}, {month}, {year})"
_LONG, _SHORT = '"tháng "FMMM" năm "YYYY', '"tháng "FMMM'
_VALID = ("{as_of}::date between valid_from and coalesce(valid_to, 'infinity')",)
_SLICE = {
    "programme": "programme_code", "project": "project_code", "subproject": "subproject_code",
    "capital_kind": "capital_kind", "commune": "commune_code", "source": "source",
}  # fmt: skip
_OF_PERIOD = ("rule_id like 'BT%'", "release_id = {release}")
_PRINTED, _BEYOND = f"least(count(*), {PRINTED})", f"greatest(count(*) - {PRINTED}, 0)"

_RATE = _Source("mart.disbursement_rate_at({known_at})", (*_THIS, "slice = {slice}"), _SLICE)
_CHANGE = _Source(f"mart.disbursement_change_at{_MONTH}", ("slice = {slice}",), _SLICE)
_STATUS = _Source(
    f"mart.submission_status_at{_MONTH}",
    by={"commune": "commune_code"},
    columns={
        "report_state": _words("state", STATES_VI),
        "not_reporting": "state",
        "report_received": "(received_at at time zone 'Asia/Ho_Chi_Minh')::date",
        "report_versions": "versions",
        "late_working_days": "ref.working_days_known(due_on, due_on + late_days, {known_at})",
    },
)
_ANSWER = _Source(
    f"mart.finding_answer_at{_MONTH}",
    by={
        "commune": "commune_code",
        "rule": "coalesce(nullif(expectation_id, ''), rule_id)",
        "item": "concat(form, ':', line, ':', item)",
    },
    columns={
        "answer_outcome": "outcome",
        "answer_line": "coalesce(nullif(line, ''), form)",
        "answer_finding": "message_vi",
        "answer_text": "answer_vi",
        "answer_by": f"coalesce(nullif(answered_by, ''), '{OWN_NOTE}')",
        "answer_amount": "amount_vnd",
    },
)
_DIFFERENCE = _Source(
    f"mart.treasury_reconciliation_at{_MONTH}",
    by={"project": "node_code", "capital_kind": "capital_kind", "commune": "commune_code", "item": "kind"},
    columns={
        "treasury_kind": _words("kind", KINDS_VI),
        "treasury_node": "node_vi",
        "treasury_evidence": "explained_by",
        "treasury_months": "months_open",
        "treasury_reported": "reported",
        "treasury_booked": "treasury",
        "treasury_difference": "difference",
    },
    cube=True,
    tail=" order by explained_by, sheet, cell, difference limit 1 offset {item.before}",
)
_OUTLIER = _Source(
    "mart.release_finding",
    _OF_PERIOD,
    by={"commune": "commune_code", "rule": "expectation_id", "item": "line"},
    columns={
        "outlier_finding": "message_vi",
        "outlier_cell": "sheet || '!' || cell",
        "outlier_value": "value::numeric",
        "outlier_expected": "expected::numeric",
        "outlier_difference": "difference::numeric",
    },
    cube=True,
)

SOURCES: dict[str, _Source] = {
    "ref.reporting_calendar": _Source(
        "ref.reporting_calendar_known_at({known_at})",
        _THIS,
        columns={
            "period": _month(0, _LONG),
            "period_short": _month(0, _SHORT),
            "next_period": _month(1, _LONG),
            "previous_period": _month(-1, _SHORT),
            "period_year_ago": _month(-12, '"tháng "FMMM/YYYY'),
            "budget_year": "budget_year::text",
        },
    ),
    "ref.unit": _Source("ref.unit_known_at({known_at})", _VALID, {"commune": "commune_code"}, {"name": "name_vi"}),
    "ref.programme_node": _Source(
        "ref.programme_node_known_at({known_at})",
        _VALID,
        {"programme": "code", "project": "code"},
        {"name": "name_vi", "programme_of": "programme_code"},
    ),
    "ref.capital_kind": _Source(
        "ref.capital_kind_known_at({known_at})", _VALID, {"capital_kind": "capital_kind"}, {"name": "short_vi"}
    ),
    "ref.rule": _Source(
        f"mart.finding_count_at{_MONTH}", by={"rule": "expectation_id"}, columns={"rule_checks": "reason_vi"}
    ),
    "mart.report_summary": _Source(f"mart.report_summary_at{_MONTH}"),
    "mart.disbursement_rate": _RATE,
    "mart.disbursement_change": _CHANGE,
    "mart.commune_rank": _Source(
        f"mart.commune_rank_at{_MONTH}",
        by={"commune": "commune_code"},
        columns={"at_zero": "case when at_zero then 'Chưa giải ngân' end"},
    ),
    "mart.submission_status": _STATUS,
    "mart.output_indicator": _Source(
        f"mart.output_indicator_at{_MONTH}",
        by={"indicator": "indicator_code"},
        columns={
            "name": "indicator_vi",
            "indicator_unit": "unit",
            "indicator_communes": "communes",
            "output_rate": "rate_year",
        },
    ),
    "mart.task_count": _Source(
        "mart.task_count({as_of}, {known_at})", by={"agency": "lead_vi", "state": "state"}, cube=True
    ),
    "mart.task_month_by_agency": _Source(
        "mart.task_month_by_agency({first}, {as_of}, {known_at})", by={"agency": "lead_vi"}, cube=True
    ),
    "mart.task_overdue": _Source(
        "mart.task_overdue({as_of}, {known_at})",
        ("instance <> ''",),
        by={"task": "task_id", "item": "instance"},
        columns={"duties_overdue": "count(*)", "duty_due": "due_date", "duty_days_overdue": "days_overdue"},
    ),
    "mart.task_change_in_period": _Source(
        "mart.task_change_in_period({month}, {year}, {known_at})",
        by={"task": "task_id", "item": "change"},
        columns={"task_change": "change", "tasks_changed": "count(*)"},
    ),
    "mart.commune_task": _Source(
        "mart.commune_task({as_of}, {known_at})",
        by={"commune": "commune_code", "task": "task_id"},
        columns={"commune_task": _words("relation", RELATIONS_VI)},
    ),
    "mart.proposal_task": _Source(
        "mart.proposal_task({as_of}, {known_at})",
        by={"commune": "commune_code", "task": "task_id", "proposal": "issue_id"},
        columns={"proposal_task": "state"},
    ),
    "mart.outlook": _Source(f"mart.outlook_at{_MONTH}", by={"commune": "commune_code"}),
    "mart.roadmap_progress": _Source(
        f"mart.roadmap_progress_at{_MONTH}",
        by={"commune": "commune_code"},
        columns={
            "roadmap_planned": "planned",
            "roadmap_gap": "-lag",
            "roadmap_rate": "planned_rate",
            "roadmap_points": "lag_points",
            "roadmap_disbursed": "disb_ytd",
            "roadmap_communes": "communes_with_roadmap",
            "roadmap_behind": "communes_behind",
            "roadmap_sent": "roadmap_period",
        },
        cube=True,
    ),
    "mart.roadmap_path": _Source(
        "mart.roadmap_path({month}, {year}, {known_at})",
        by={"commune": "commune_code", "period": "month"},
        columns={"roadmap_path": "planned"},
        cube=True,
    ),
    "mart.finding": _Source(
        f"mart.finding_at{_MONTH}",
        ("outcome <> 'corrected'",),
        by={**_ANSWER.by, "state": _words("severity", LEVELS_VI)},
        columns={
            "finding_level": _words("severity", LEVELS_VI),
            "finding_text": "message_vi",
            "finding_outcome": _words("outcome", OUTCOMES_VI),
            "finding_cell": "sheet || '!' || cell",
            "findings_open": "count(*) filter (where outcome = 'open')",
        },
    ),
    "mart.task_state": _Source(
        "mart.task_state({as_of}, {known_at})",
        by={"task": "task_id"},
        columns={
            "task_content": "content_vi",
            "task_lead": "lead_vi",
            "task_coordinating": "array_to_string(coordinating_vi, '; ')",
            "task_state": "state",
            "task_directive": "directive_id",
            "task_phrase": "deadline_phrase_vi",
            "task_due": "due_date",
            "task_original_due": "original_due_date",
            "task_done": "done_date",
            "task_days_overdue": "days_overdue",
        },
    ),
    "mart.directive": _Source(
        "mart.directive_at({known_at})",
        by={"directive": "directive_id"},
        columns={
            "directive_title": "title_vi",
            "directive_no": "doc_no",
            "directive_issuer": "issuer_vi",
            "directive_date": "coalesce(doc_date, event_date)",
            "directive_tasks": "tasks",
            "directive_tasks_dated": "tasks_dated",
        },
    ),
    "mart.proposal_count": _Source(
        f"mart.proposal_count_at{_MONTH}",
        by={"agency": "addressee", "state": "state"},
        columns={"proposal_communes": "communes"},
        cube=True,
    ),
    "mart.proposal": _Source(
        "mart.proposal_at({known_at})",
        _THIS,
        {"proposal": "issue_id"},
        {
            "proposal_commune": "commune_code",
            "proposal_problem": "problem",
            "proposal_text": "proposal",
            "proposal_addressee": "addressee",
            "proposal_category": "category",
            "proposal_state": "state",
            "proposal_reply": "reply_doc",
            "proposal_amount": "adjust_amount",
        },
        tail=" order by commune_code, row_no limit 1 offset {proposal.before}",
    ),
    "mart.allocation_gap": _Source(
        "mart.allocation_gap_at({known_at})",
        _THIS,
        {"commune": "commune_code", "programme": "programme_code"},
        {"plan_difference": "difference"},
        cube=True,
    ),
    "mart.revision": _Source(
        "mart.revision_at({previous}, {year}, {known_at})",
        by={"commune": "commune_code", "item": "metric"},
        columns={
            "revision_published": "published",
            "revision_current": "current_value",
            "revision_difference": "difference",
        },
        cube=True,
    ),
    "mart.finding_count": _Source(
        f"mart.finding_count_at{_MONTH}",
        by={"rule": "expectation_id"},
        columns={
            "rule_level": _words("severity", LEVELS_VI),
            **{f"findings_{n}": n for n in ("communes", "found", "explained", "corrected", "overridden", "still_open")},
        },
        cube=True,
    ),
    "mart.finding_answer": _ANSWER,
    "mart.treasury_comparison": _Source(
        f"mart.treasury_comparison_at{_MONTH}",
        columns={"treasury_statement": "statement_file", "treasury_communes": "communes_compared"},
    ),
    "mart.treasury_kind": _Source(
        f"mart.treasury_kind_at{_MONTH}",
        by={"item": "kind"},
        columns={
            "treasury_kind_communes": "communes",
            "treasury_differences": "differences",
            "treasury_overdue": "overdue",
            "treasury_above": "above",
            "treasury_below": "below",
        },
        cube=True,
    ),
    "mart.treasury_reconciliation": _DIFFERENCE,
    "release.finding": _OUTLIER,
}


def _counts(source: _Source, where: tuple[str, ...], **columns: str) -> dict[str, _Source]:
    """Figures that count the rows of a mart themselves."""
    return {metric: _Source(source.table, where, columns={metric: column}) for metric, column in columns.items()}


# Metrics that are found otherwise than the others of their source.
METRICS: dict[str, _Source] = {
    **dict.fromkeys(
        ("rate_trend", "disb_trend"),
        replace(
            _RATE,
            where=("budget_year = {year}", "slice in ('all', 'commune')"),
            by={"period": "period", "commune": "commune_code"},
            columns={"rate_trend": "rate_total", "disb_trend": "disb_ytd"},
            cube=True,
        ),
    ),
    "correction_of": _Source(
        "mart.release",
        (*_THIS, "published_at <= {known_at}"),
        columns={"correction_of": "release_id"},
        tail=" order by release_no desc limit 1",
    ),
    **dict.fromkeys(
        ("correction_published", "correction_current", "correction_difference"),
        _Source(
            "mart.revision_at({month}, {year}, {known_at})",
            by={"commune": "commune_code", "item": "metric"},
            columns={
                "correction_published": "published",
                "correction_current": "current_value",
                "correction_difference": "difference",
            },
            cube=True,
        ),
    ),
    "correction_cause": _Source(
        "mart.revision_lines({month}, {year}, (select r.known_at from mart.release as r where r.period = {month} "
        "and r.budget_year = {year} and r.published_at <= {known_at} order by r.release_no desc limit 1), {known_at})",
        by={"commune": "commune_code"},
        columns={"correction_cause": _words("min(cause)", CAUSES_VI)},
    ),
    "next_due_on": _Source(
        "ref.reporting_calendar_known_at({known_at})",
        (
            "period = to_char(({month} || '-01')::date + interval '1 month', 'YYYY-MM')",
            "budget_year = extract(year from ({month} || '-01')::date + interval '1 month')",
        ),
        columns={"next_due_on": "due_on"},
    ),
    "late_revisions": replace(
        _STATUS,
        table="mart.submission_status_at({known_at}, {period}, {year})",
        by={"commune": "commune_code", "period": "period"},
        columns={"late_revisions": "late_revisions_waiting"},
    ),
    "treasury_other_date": _Source(
        f"mart.treasury_comparison_at{_MONTH} cross join unnest(other_dates) as day",
        by={"item": "day"},
        columns={"treasury_other_date": "day"},
    ),
    **_counts(
        _OUTLIER,
        _OF_PERIOD,
        outliers="count(*)",
        outlier_communes="count(distinct commune_code)",
        outlier_rows_printed=_PRINTED,
        outlier_rows_beyond=_BEYOND,
    ),
    **_counts(_ANSWER, ("outcome = 'explained'",), answers_printed=_PRINTED, answers_beyond=_BEYOND),
    **_counts(_DIFFERENCE, (), treasury_rows_printed=_PRINTED, treasury_rows_beyond=_BEYOND),
}


@dataclass(frozen=True)
class Frozen:
    """What a query takes of a release: its name, month, budget year, day and moment."""

    release_id: str
    period: Period
    budget_year: int
    as_of: date
    known_at: datetime

    def places(self) -> dict[str, str]:
        """Place -> SQL literal."""
        return {
            "release": _quoted(self.release_id),
            "month": _quoted(str(self.period)),
            "previous": _quoted(str(self.period.previous)),
            "year": str(self.budget_year),
            "as_of": _quoted(self.as_of.isoformat()),
            "first": _quoted(self.as_of.replace(day=1).isoformat()),
            "known_at": _quoted(self.known_at.astimezone(UTC).isoformat(sep=" ")),
        }


def of(figure: Figure, frozen: Frozen) -> Query | None:
    """The query of one figure; None where there is none: configuration."""
    query = _of_kind(figure.metric, figure.source, _names(figure), frozen)
    return query and _each(query, partial(_filled, places=_values(figure)))


def text(figure: Figure, frozen: Frozen) -> str | None:
    """``of(figure, frozen).text``, put together faster: there are thousands of figures."""
    open_text = template(figure, frozen)
    return open_text and _filled(open_text, _values(figure))


def template(figure: Figure, frozen: Frozen) -> str | None:
    """The text with the places of the dimensions left open: one for all figures of a metric and kind of place."""
    query = _of_kind(figure.metric, figure.source, _names(figure), frozen)
    return query.text if query else None


def _names(figure: Figure) -> tuple[str, ...]:
    return tuple(name for name, _ in figure.dims)


@lru_cache(maxsize=2000)
def _of_kind(metric: str, source: str, names: tuple[str, ...], frozen: Frozen) -> Query | None:
    """The query of a metric and kind of place in a release."""
    found = METRICS.get(metric) or SOURCES.get(source)
    query = found and found.query(metric, names)
    if not query:
        return None
    made_of = next((slice_ for slice_, of in {**SLICES, **OWN_SLICE}.items() if set(of) == set(names)), "")
    return _each(query, partial(_filled, places={"slice": _quoted(made_of), **frozen.places()}))


def _each(query: Query, change: Callable[[str], str]) -> Query:
    return Query(change(query.column), change(query.table), tuple(map(change, query.conditions)), change(query.tail))


def _filled(text: str, places: Mapping[str, str]) -> str:
    return _PLACE.sub(lambda match: places.get(match[0][1:-1], match[0]), text)


def _values(figure: Figure) -> dict[str, str]:
    places: dict[str, str] = {}
    for name, value in figure.dims:
        base, _, number = value.partition("#")
        before = str(int(number) - 1) if number.isdigit() else "0"
        places |= {name: _quoted(value), f"{name}.base": _quoted(base), f"{name}.before": before}
    return places


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
