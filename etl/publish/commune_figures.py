"""Figures of one commune alone, for its own letter: its programmes, its pace, what the checks found in its report, the
tasks that concern it, and what became of its proposals."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from etl import clock
from etl.publish.figure import Figure, dims
from etl.publish.quality_figures import LEVELS_VI, answer_dims
from etl.publish.reading import Reader, Row, date_figure, number_figure, text_figure

OUTCOMES_VI = {"open": "chưa xử lý", "explained": "đã giải trình", "overridden": "được chấp nhận"}
RELATIONS_VI = {
    "lead": "Chủ trì thực hiện",
    "visit": "Kết luận kiểm tra tại xã, phường",
    "proposal": "Giải quyết kiến nghị của xã, phường",
}
OWN_SLICE = {"commune_programme": ("programme", "commune")}
"""The slice of a commune's programmes, with its dimensions."""
_AMOUNTS = ("plan_total", "disb_ytd", "undisbursed", "undisbursed_carry")


def of_communes(reader: Reader, window: Row) -> Iterator[Figure]:
    """``window``: the row of the calendar."""
    as_of: date = window["as_of"]
    yield from _programmes(reader)
    yield from _paces(reader)
    yield from _receipts(reader)
    yield from _findings(reader)
    for row in reader.rows("select * from mart.commune_task(%(as_of)s, %(known_at)s)", as_of=as_of):
        by = dims({"commune": row["commune_code"], "task": row["task_id"]})
        yield text_figure("commune_task", RELATIONS_VI[row["relation"]], "mart.commune_task", by)
    for row in reader.rows("select * from mart.proposal_task(%(as_of)s, %(known_at)s)", as_of=as_of):
        by = dims({"commune": row["commune_code"], "task": row["task_id"], "proposal": row["issue_id"]})
        yield text_figure("proposal_task", row["state"], "mart.proposal_task", by)
    yield from _next_report(reader)


def _programmes(reader: Reader) -> Iterator[Figure]:
    source = "mart.disbursement_rate"
    for row in reader.mart("disbursement_rate_at", more="and m.slice = 'commune_programme'"):
        by = dims({"programme": row["programme_code"], "commune": row["commune_code"]})
        for metric in _AMOUNTS:
            if row[metric] is not None:
                yield number_figure(metric, "vnd", row[metric], source, by)
        if row["plan_total"] is not None:
            yield Figure(
                "rate_total", "pct", source, by, value=row["rate_total"], numerator=row["disb_ytd"],
                denominator=row["plan_total"],
            )  # fmt: skip


def _paces(reader: Reader) -> Iterator[Figure]:
    for row in reader.rows("select m.* from mart.outlook_at(%(known_at)s, %(period)s, %(budget_year)s) as m"):
        if row["pace_needed"] is not None:
            by = dims({"commune": row["commune_code"]})
            yield number_figure("pace_needed", "vnd", row["pace_needed"], "mart.outlook", by)


def _receipts(reader: Reader) -> Iterator[Figure]:
    """When the first report of the period came, and how many versions there are."""
    source = "mart.submission_status"
    for row in reader.mart("submission_status_at"):
        by = dims({"commune": row["commune_code"]})
        if row["received_at"] is not None:
            yield date_figure("report_received", clock.local_date(row["received_at"]), source, by)
        yield number_figure("report_versions", "count", row["versions"], source, by)


def _findings(reader: Reader) -> Iterator[Figure]:
    """What the checks found in the report and is not corrected, and how much of each level is still open."""
    source = "mart.finding"
    open_ones: dict[tuple[str, str], int] = {}
    for row in reader.mart("finding_at", more="and m.outcome <> 'corrected'"):
        by = answer_dims(row)
        yield text_figure("finding_level", LEVELS_VI[row["severity"]], source, by)
        yield text_figure("finding_text", row["message_vi"], source, by)
        yield text_figure("finding_outcome", OUTCOMES_VI[row["outcome"]], source, by)
        if row["sheet"] and row["cell"]:
            yield text_figure("finding_cell", f"{row['sheet']}!{row['cell']}", source, by)
        key = row["commune_code"], row["severity"]
        open_ones[key] = open_ones.get(key, 0) + (row["outcome"] == "open")
    for (commune, severity), number in sorted(open_ones.items()):
        by = dims({"commune": commune, "state": LEVELS_VI[severity]})
        yield number_figure("findings_open", "count", number, source, by)


def _next_report(reader: Reader) -> Iterator[Figure]:
    """When the report of the next period is due."""
    for row in reader.rows(
        "select w.due_on from ref.reporting_calendar_known_at(%(known_at)s) as w "
        "where w.period = %(next)s and w.budget_year = %(next_year)s",
        next=str(reader.period.next),
        next_year=reader.period.next.year,
    ):
        yield date_figure("next_due_on", row["due_on"], "ref.reporting_calendar")
