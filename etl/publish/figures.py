"""Every number and text of the report as figures, read from the marts and never computed here (law 8, CK39).

Each function reads one mart as known at a moment, for one period and budget year, and turns its rows into figures.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml
from psycopg.rows import dict_row

from etl import settings
from etl.errors import ReleaseError, UsageError
from etl.load.warehouse import Connection
from etl.period import Period
from etl.publish import commune_figures, correction_figures, quality_figures, roadmap_figures, standing, task_figures
from etl.publish.checks.finding import PeriodFinding
from etl.publish.figure import Dims, Figure, dims
from etl.publish.reading import Reader, Row, date_figure, number_figure, text_figure

MONEY = (
    "plan_total", "plan_assigned", "plan_carry", "disb_ytd", "disb_period", "disb_assigned", "disb_carry",
    "disb_completed", "disb_advance", "undisbursed", "undisbursed_carry",
)  # fmt: skip
RATES = {
    "rate_total": ("disb_ytd", "plan_total"),
    "rate_assigned": ("disb_assigned", "plan_assigned"),
    "rate_carry": ("disb_carry", "plan_carry"),
}
KEYS = {
    "programme": "programme_code",
    "project": "project_code",
    "subproject": "subproject_code",
    "capital_kind": "capital_kind",
    "commune": "commune_code",
    "source": "source",
}
# Dimensions that make up the key of each slice of mart.disbursement_rate; the others follow from them.
SLICES = {
    "all": (),
    "programme": ("programme",),
    "capital_kind": ("capital_kind",),
    "programme_capital_kind": ("programme", "capital_kind"),
    "commune": ("commune",),
    "commune_capital_kind": ("capital_kind", "commune"),
    "project": ("project",),
    "subproject": ("subproject",),
    "source": ("source",),
}
STATES_VI = {
    "reported": "Đã báo cáo",
    "returned": "Bị trả lại, chưa gửi lại",
    "refused": "Tệp không đọc được, chưa gửi lại",
    "missing": "Chưa gửi báo cáo",
}


def compute(
    connection: Connection,
    period: Period,
    budget_year: int,
    known_at: datetime,
    findings: Sequence[PeriodFinding] = (),
) -> list[Figure]:
    """All figures of the report of ``period`` and ``budget_year``, as known at ``known_at``.

    ``findings``: what the checks of the whole period found in the figures of the reports (``checks.of_figures``).
    Raises UsageError when the calendar does not have the period, ReleaseError when no commune has reported.
    """
    reader = Reader(connection, period, budget_year, known_at)
    window = _window(reader)
    summary = _summary_row(reader)
    rates = reader.mart("disbursement_rate_at", more="and m.slice = any(%(slices)s)", slices=list(SLICES))
    figures = [
        *_identity(reader, window),
        *_letterhead(settings.get().reference_dir / "report.yml"),
        *_summary(summary),
        *(f for row in rates for f in _disbursement(row)),
        *_changes(reader),
        *roadmap_figures.of_months(reader),
        *roadmap_figures.of_roadmaps(reader),
        *_ranks(reader),
        *_names(reader, window["as_of"]),
        *_statuses(reader),
        *_outputs(reader, summary["communes_expected"]),
        *task_figures.of_tasks(reader, window),
        *task_figures.of_directives(reader, window["as_of"]),
        *_proposals(reader, summary),
        *_allocation(reader),
        *_revisions(reader),
        *commune_figures.of_communes(reader, window),
        *correction_figures.of_correction(reader),
        *quality_figures.of_reports(reader),
        *quality_figures.of_treasury(reader),
        *quality_figures.of_findings(findings),
    ]
    keys = [f.key for f in figures]
    if len(set(keys)) != len(keys):
        twice = sorted({k for k in keys if keys.count(k) > 1})
        raise ReleaseError(f"Số liệu trùng mã định danh: {', '.join(twice[:5])}.")
    return figures


def _window(reader: Reader) -> Row:
    rows = reader.rows(
        "select w.* from ref.reporting_calendar_known_at(%(known_at)s) as w "
        "where w.period = %(period)s and w.budget_year = %(budget_year)s"
    )
    if not rows:
        raise UsageError(f"Lịch báo cáo chưa có kỳ {reader.period} của năm ngân sách {reader.budget_year}.")
    return rows[0]


def _summary_row(reader: Reader) -> Row:
    return reader.mart("report_summary_at")[0]


def _identity(reader: Reader, window: Row) -> Iterator[Figure]:
    source = "ref.reporting_calendar"
    yield text_figure("period", reader.period.vi, source)
    yield text_figure("period_short", f"tháng {reader.period.month}", source)
    yield text_figure("next_period", reader.period.next.vi, source)
    yield text_figure("previous_period", f"tháng {reader.period.previous.month}", source)
    yield text_figure("period_year_ago", f"tháng {reader.period.month}/{reader.period.year - 1}", source)
    yield text_figure("budget_year", str(reader.budget_year), source)
    for metric in ("as_of", "due_on", "publish_on"):
        yield date_figure(metric, window[metric], source)


def _letterhead(path: Path) -> Iterator[Figure]:
    """Issuer, signer, recipients: configuration is frozen with the figures, so that a release prints the same again."""
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    for item in ("parent_body", "issuer", "issuer_name", "symbol", "place", "drafter", "province", "signer", "filing"):
        yield text_figure("letterhead", config[item], "report.yml", (("item", item),))
    for item in ("addressees", "authority", "recipients"):
        yield text_figure("letterhead", "\n".join(config[item]), "report.yml", (("item", item),))
    for programme, name in config["programme_short"].items():
        yield text_figure("name_short", name, "report.yml", (("programme", programme),))


def _summary(row: Row) -> Iterator[Figure]:
    source = "mart.report_summary"
    for metric in (
        "communes_expected", "communes_reported", "communes_not_reporting", "communes_late", "communes_returned",
        "communes_refused", "communes_missing", "communes_with_warnings", "communes_ranked",
        "communes_above_average", "communes_at_zero", "communes_below_threshold", "months_left",
    ):  # fmt: skip
        yield number_figure(metric, "count", row[metric], source)
    yield number_figure("plan_covered_pct", "pct", row["plan_covered_pct"], source)
    yield number_figure("low_rate_pct", "pct", row["low_rate_pct"], source)
    yield number_figure("pace_needed", "vnd", row["pace_needed"], source)
    yield date_figure("closing_on", row["closing_on"], source)


def _slice_dims(row: Row) -> Dims:
    return dims({name: row[KEYS[name]] for name in SLICES[row["slice"]]})


def _coverage(row: Row) -> dict[str, Any]:
    """Coverage belongs to totals over communes; a commune's own line has none."""
    if row["commune_code"] is not None:
        return {}
    return {
        "coverage_n": row["communes_reported"],
        "coverage_of": row["communes_expected"],
        "coverage_plan_pct": row["plan_covered_pct"],
    }


def _disbursement(row: Row) -> Iterator[Figure]:
    """Amounts and rates of one slice; what the forms do not report for it (a source has no carry-over) is left out."""
    source, by, coverage = "mart.disbursement_rate", _slice_dims(row), _coverage(row)
    for metric in MONEY:
        if row[metric] is not None:
            yield Figure(metric, "vnd", source, by, value=row[metric], **coverage)
    for metric, (numerator, denominator) in RATES.items():
        if row[denominator] is not None:
            yield Figure(
                metric, "pct", source, by, value=row[metric], numerator=row[numerator], denominator=row[denominator],
                **coverage,
            )  # fmt: skip


def _changes(reader: Reader) -> Iterator[Figure]:
    source = "mart.disbursement_change"
    for row in reader.mart("disbursement_change_at", more="and m.slice = any(%(slices)s)", slices=list(SLICES)):
        by = _slice_dims(row)
        if row["slice"] == "all":
            yield number_figure("communes_previous", "count", row["communes_previous"], source, by)
        for metric, unit in (
            ("rate_previous", "pct"),
            ("rate_change_points", "pct_points"),
            ("rate_last_year", "pct"),
            ("rate_change_last_year_points", "pct_points"),
        ):
            if row[metric] is not None:
                yield number_figure(metric, unit, row[metric], source, by)


def _ranks(reader: Reader) -> Iterator[Figure]:
    for row in reader.mart("commune_rank_at"):
        by = dims({"commune": row["commune_code"]})
        for metric in ("rank_rate", "order_lowest", "order_undisbursed"):
            yield number_figure(metric, "count", row[metric], "mart.commune_rank", by)
        if row["at_zero"]:
            yield text_figure("at_zero", "Chưa giải ngân", "mart.commune_rank", by)


def _names(reader: Reader, as_of: date) -> Iterator[Figure]:
    """Names in force on the as-of date, and the place of each project in the official order."""
    valid = "%(as_of)s >= valid_from and (valid_to is null or %(as_of)s <= valid_to)"
    for row in reader.rows(f"select * from ref.unit_known_at(%(known_at)s) where {valid}", as_of=as_of):
        by = dims({"commune": row["commune_code"]})
        yield text_figure("name", row["name_vi"], "ref.unit", by)
    for row in reader.rows(f"select * from ref.programme_node_known_at(%(known_at)s) where {valid}", as_of=as_of):
        kind = "programme" if row["parent_code"] is None else "project"
        by = dims({kind: row["code"]})
        yield text_figure("name", row["name_vi"], "ref.programme_node", by)
        yield number_figure("sort_no", "count", row["sort_no"], "ref.programme_node", by)
        if row["parent_code"] is not None:
            yield text_figure("programme_of", row["programme_code"], "ref.programme_node", by)
    for row in reader.rows(f"select * from ref.capital_kind_known_at(%(known_at)s) where {valid}", as_of=as_of):
        yield text_figure("name", row["short_vi"], "ref.capital_kind", dims({"capital_kind": row["capital_kind"]}))


def _statuses(reader: Reader) -> Iterator[Figure]:
    source = "mart.submission_status"
    for row in reader.rows(
        "select m.*, ref.working_days_known(m.due_on, m.due_on + m.late_days, %(known_at)s) as late_working_days "
        "from mart.submission_status_at(%(known_at)s) as m "
        "where m.period = %(period)s and m.budget_year = %(budget_year)s"
    ):
        by = dims({"commune": row["commune_code"]})
        yield text_figure("report_state", STATES_VI[row["state"]], source, by)
        if row["state"] != "reported":
            yield text_figure("not_reporting", row["state"], source, by)
        if row["late_days"]:
            yield number_figure("late_days", "days", row["late_days"], source, by)
            yield number_figure("late_working_days", "days", row["late_working_days"], source, by)
        if row["warnings"]:
            yield number_figure("warnings", "count", row["warnings"], source, by)
        if row["contested_versions"]:
            yield number_figure("contested_versions", "count", row["contested_versions"], source, by)
            yield number_figure("contested_lines", "count", row["contested_lines"], source, by)
    # Reports that came after this period or the one before was published, and nobody has decided on.
    for row in reader.rows(
        "select s.commune_code, s.period, s.late_revisions_waiting from mart.submission_status_at(%(known_at)s) as s "
        "where s.late_revisions_waiting > 0 and s.budget_year = %(budget_year)s and s.period = any(%(periods)s)",
        periods=[str(reader.period), str(reader.period.previous)],
    ):
        by = dims({"commune": row["commune_code"], "period": row["period"]})
        yield number_figure("late_revisions", "count", row["late_revisions_waiting"], source, by)


def _outputs(reader: Reader, communes_expected: int) -> Iterator[Figure]:
    """Coverage of an indicator are the communes whose figure is not blank."""
    source = "mart.output_indicator"
    for row in reader.mart("output_indicator_at"):
        by = dims({"indicator": row["indicator_code"]})
        coverage = {"coverage_n": row["communes"], "coverage_of": communes_expected}
        yield text_figure("name", row["indicator_vi"], source, by)
        yield text_figure("indicator_unit", row["unit"], source, by)
        yield number_figure("indicator_communes", "count", row["communes"], source, by)
        for metric in ("target_year", "actual_period", "actual_ytd"):
            yield Figure(metric, "quantity", source, by, value=row[metric], **coverage)
        yield Figure(
            "output_rate", "pct", source, by, value=row["rate_year"], numerator=row["actual_ytd"],
            denominator=row["target_year"], **coverage,
        )  # fmt: skip


def _proposals(reader: Reader, summary: Row) -> Iterator[Figure]:
    coverage = {"coverage_n": summary["communes_reported"], "coverage_of": summary["communes_expected"]}
    for row in reader.mart("proposal_count_at"):
        by = dims({"agency": row["addressee"], "state": row["state"]})
        yield Figure("proposals", "count", "mart.proposal_count", by, value=Decimal(row["proposals"]), **coverage)
        if row["state"] is None:
            yield number_figure("proposal_communes", "count", row["communes"], "mart.proposal_count", by)
    source = "mart.proposal"
    seen: dict[str, int] = {}
    for row in reader.mart("proposal_at", more="order by m.commune_code, m.row_no"):
        seen[row["issue_id"]] = seen.get(row["issue_id"], 0) + 1
        # A workbook may repeat a proposal's code; the second row is shown too, under a code of its own.
        code = row["issue_id"] if seen[row["issue_id"]] == 1 else f"{row['issue_id']}#{seen[row['issue_id']]}"
        by = dims({"proposal": code})
        yield text_figure("proposal_commune", row["commune_code"], source, by)
        yield text_figure("proposal_problem", row["problem"], source, by)
        yield text_figure("proposal_text", row["proposal"], source, by)
        yield text_figure("proposal_addressee", row["addressee"], source, by)
        yield text_figure("proposal_category", row["category"], source, by)
        yield text_figure("proposal_state", row["state"], source, by)
        yield text_figure("proposal_reply", row["reply_doc"], source, by)
        yield number_figure("proposal_amount", "vnd", row["adjust_amount"], source, by)


def _allocation(reader: Reader) -> Iterator[Figure]:
    for row in reader.mart("allocation_gap_at"):
        by = dims({"commune": row["commune_code"], "programme": row["programme_code"]})
        for metric, column in (
            ("plan_registered", "plan_registered"),
            ("plan_registered_reported", "plan_registered_reported"),
            ("plan_difference", "difference"),
        ):
            if row[column] is not None:
                yield number_figure(metric, "vnd", row[column], "mart.allocation_gap", by)


def _revisions(reader: Reader) -> Iterator[Figure]:
    """Changes of last month's published figures; the closing report of a budget year follows December's."""
    rows = reader.rows(
        "select * from mart.revision_at(%(previous)s, %(budget_year)s, %(known_at)s)",
        previous=str(reader.period.previous),
    )
    for row in rows:
        by = dims({"commune": row["commune_code"], "item": row["metric"]})
        for metric, column in (
            ("revision_published", "published"),
            ("revision_current", "current_value"),
            ("revision_difference", "difference"),
        ):
            yield number_figure(metric, "vnd", row[column], "mart.revision", by)


def store(connection: Connection, release_id: str, period: Period, figures: Sequence[Figure]) -> None:
    """Append the figures of a release by COPY; the caller's transaction makes it all or nothing."""
    import json

    provisional = standing.provisional(figures, period)
    columns = (
        "figure_id, release_id, metric, dims, value, text_value, unit, numerator, denominator, coverage_n, "
        "coverage_of, coverage_plan_pct, source, standing"
    )
    with connection.cursor().copy(f"copy release.figure ({columns}) from stdin") as copy:
        for f in figures:
            copy.write_row(
                (
                    f"{release_id}/{f.key}",
                    release_id,
                    f.metric,
                    json.dumps(dict(f.dims), ensure_ascii=False),
                    f.value,
                    f.text,
                    f.unit,
                    f.numerator,
                    f.denominator,
                    f.coverage_n,
                    f.coverage_of,
                    f.coverage_plan_pct,
                    f.source,
                    "provisional" if f.key in provisional else "final",
                )
            )


def stored(connection: Connection, release_id: str) -> list[Figure]:
    """The figures of a release as they were frozen."""
    cursor = connection.cursor(row_factory=dict_row)
    rows = cursor.execute("select * from release.figure where release_id = %s", (release_id,)).fetchall()
    return [
        Figure(
            r["metric"],
            r["unit"],
            r["source"],
            dims(r["dims"]),
            r["value"],
            r["text_value"],
            r["numerator"],
            r["denominator"],
            r["coverage_n"],
            r["coverage_of"],
            r["coverage_plan_pct"],
        )
        for r in rows
    ]
