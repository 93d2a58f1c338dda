"""Where the queries of figures read: an entry for each mart (``SOURCES``), and for the metrics that are found otherwise
than the others of their source (``METRICS``). What a new mart or metric needs is an entry here.

Places in the texts: ``{known_at}``, ``{as_of}``, ``{first}`` (of the month), ``{month}``, ``{year}`` (the budget
year's), ``{previous}`` (month), ``{release}``; and the dimensions by name. Of a second row with the same code
(``KN-1#2``) ``{proposal.base}`` is the code and ``{proposal.before}`` how many rows come before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from etl.load.reconciliation import KINDS_VI
from etl.publish.commune_figures import OUTCOMES_VI, RELATIONS_VI
from etl.publish.correction_figures import CAUSES_VI
from etl.publish.figures import STATES_VI
from etl.publish.quality_figures import LEVELS_VI, OWN_NOTE, PRINTED


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
class Source:
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

_RATE = Source("mart.disbursement_rate_at({known_at})", (*_THIS, "slice = {slice}"), _SLICE)
_CHANGE = Source(f"mart.disbursement_change_at{_MONTH}", ("slice = {slice}",), _SLICE)
_STATUS = Source(
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
_ANSWER = Source(
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
_DIFFERENCE = Source(
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
_OUTLIER = Source(
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

SOURCES: dict[str, Source] = {
    "ref.reporting_calendar": Source(
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
    "ref.unit": Source("ref.unit_known_at({known_at})", _VALID, {"commune": "commune_code"}, {"name": "name_vi"}),
    "ref.programme_node": Source(
        "ref.programme_node_known_at({known_at})",
        _VALID,
        {"programme": "code", "project": "code"},
        {"name": "name_vi", "programme_of": "programme_code"},
    ),
    "ref.capital_kind": Source(
        "ref.capital_kind_known_at({known_at})", _VALID, {"capital_kind": "capital_kind"}, {"name": "short_vi"}
    ),
    "ref.rule": Source(
        f"mart.finding_count_at{_MONTH}", by={"rule": "expectation_id"}, columns={"rule_checks": "reason_vi"}
    ),
    "mart.report_summary": Source(f"mart.report_summary_at{_MONTH}"),
    "mart.disbursement_rate": _RATE,
    "mart.disbursement_change": _CHANGE,
    "mart.commune_rank": Source(
        f"mart.commune_rank_at{_MONTH}",
        by={"commune": "commune_code"},
        columns={"at_zero": "case when at_zero then 'Chưa giải ngân' end"},
    ),
    "mart.submission_status": _STATUS,
    "mart.output_indicator": Source(
        f"mart.output_indicator_at{_MONTH}",
        by={"indicator": "indicator_code"},
        columns={
            "name": "indicator_vi",
            "indicator_unit": "unit",
            "indicator_communes": "communes",
            "output_rate": "rate_year",
        },
    ),
    "mart.task_count": Source(
        "mart.task_count({as_of}, {known_at})", by={"agency": "lead_vi", "state": "state"}, cube=True
    ),
    "mart.task_month_by_agency": Source(
        "mart.task_month_by_agency({first}, {as_of}, {known_at})", by={"agency": "lead_vi"}, cube=True
    ),
    "mart.task_overdue": Source(
        "mart.task_overdue({as_of}, {known_at})",
        ("instance <> ''",),
        by={"task": "task_id", "item": "instance"},
        columns={"duties_overdue": "count(*)", "duty_due": "due_date", "duty_days_overdue": "days_overdue"},
    ),
    "mart.task_change_in_period": Source(
        "mart.task_change_in_period({month}, {year}, {known_at})",
        by={"task": "task_id", "item": "change"},
        columns={"task_change": "change", "tasks_changed": "count(*)"},
    ),
    "mart.commune_task": Source(
        "mart.commune_task({as_of}, {known_at})",
        by={"commune": "commune_code", "task": "task_id"},
        columns={"commune_task": _words("relation", RELATIONS_VI)},
    ),
    "mart.proposal_task": Source(
        "mart.proposal_task({as_of}, {known_at})",
        by={"commune": "commune_code", "task": "task_id", "proposal": "issue_id"},
        columns={"proposal_task": "state"},
    ),
    "mart.outlook": Source(f"mart.outlook_at{_MONTH}", by={"commune": "commune_code"}),
    "mart.roadmap_progress": Source(
        f"mart.roadmap_progress_at{_MONTH}",
        by={"commune": "commune_code"},
        columns={
            "roadmap_planned": "planned",
            "roadmap_close": "planned_close",
            "roadmap_close_rate": "planned_close_rate",
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
    "mart.roadmap_path": Source(
        "mart.roadmap_path({month}, {year}, {known_at})",
        by={"commune": "commune_code", "period": "month"},
        columns={"roadmap_path": "planned"},
        cube=True,
    ),
    "mart.finding": Source(
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
    "mart.task_state": Source(
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
    "mart.directive": Source(
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
    "mart.proposal_count": Source(
        f"mart.proposal_count_at{_MONTH}",
        by={"agency": "addressee", "state": "state"},
        columns={"proposal_communes": "communes"},
        cube=True,
    ),
    "mart.proposal": Source(
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
    "mart.allocation_gap": Source(
        "mart.allocation_gap_at({known_at})",
        _THIS,
        {"commune": "commune_code", "programme": "programme_code"},
        {"plan_difference": "difference"},
        cube=True,
    ),
    "mart.revision": Source(
        "mart.revision_at({previous}, {year}, {known_at})",
        by={"commune": "commune_code", "item": "metric"},
        columns={
            "revision_published": "published",
            "revision_current": "current_value",
            "revision_difference": "difference",
        },
        cube=True,
    ),
    "mart.finding_count": Source(
        f"mart.finding_count_at{_MONTH}",
        by={"rule": "expectation_id"},
        columns={
            "rule_level": _words("severity", LEVELS_VI),
            **{f"findings_{n}": n for n in ("communes", "found", "explained", "corrected", "overridden", "still_open")},
        },
        cube=True,
    ),
    "mart.finding_answer": _ANSWER,
    "mart.treasury_comparison": Source(
        f"mart.treasury_comparison_at{_MONTH}",
        columns={"treasury_statement": "statement_file", "treasury_communes": "communes_compared"},
    ),
    "mart.treasury_kind": Source(
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


def _counts(source: Source, where: tuple[str, ...], **columns: str) -> dict[str, Source]:
    """Figures that count the rows of a mart themselves."""
    return {metric: Source(source.table, where, columns={metric: column}) for metric, column in columns.items()}


# Metrics that are found otherwise than the others of their source.
METRICS: dict[str, Source] = {
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
    "correction_of": Source(
        "mart.release",
        (*_THIS, "published_at <= {known_at}"),
        columns={"correction_of": "release_id"},
        tail=" order by release_no desc limit 1",
    ),
    **dict.fromkeys(
        ("correction_published", "correction_current", "correction_difference"),
        Source(
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
    "correction_cause": Source(
        "mart.revision_lines({month}, {year}, (select r.known_at from mart.release as r where r.period = {month} "
        "and r.budget_year = {year} and r.published_at <= {known_at} order by r.release_no desc limit 1), {known_at})",
        by={"commune": "commune_code"},
        columns={"correction_cause": _words("min(cause)", CAUSES_VI)},
    ),
    "next_due_on": Source(
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
    "treasury_other_date": Source(
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
