"""Figures of the register of tasks: counts, each task, what is overdue, what changed since last month, documents."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from etl.publish.figure import Figure, dims
from etl.publish.reading import Reader, Row, date_figure, number_figure, text_figure

_DUE = (
    "tasks_due", "tasks_due_done", "tasks_due_done_on_time", "tasks_due_done_late", "tasks_due_open",
    "tasks_due_open_in_time", "tasks_due_open_overdue",
)  # fmt: skip


def of_tasks(reader: Reader, window: Row) -> Iterator[Figure]:
    """``window``: the row of the calendar. Counts come for all agencies and for each."""
    as_of: date = window["as_of"]
    for row in reader.rows("select * from mart.task_count(%(as_of)s, %(known_at)s)", as_of=as_of):
        by = dims({"agency": row["lead_vi"], "state": row["state"]})
        yield number_figure("tasks", "count", row["tasks"], "mart.task_count", by)
        if row["longest_overdue_days"] and row["state"] is None:
            yield number_figure("longest_overdue_days", "days", row["longest_overdue_days"], "mart.task_count", by)
    for row in reader.rows(
        "select * from mart.task_month_by_agency(%(first)s, %(as_of)s, %(known_at)s)",
        first=as_of.replace(day=1),
        as_of=as_of,
    ):
        if row["lead_vi"] is None or row["tasks_due"]:
            by = dims({"agency": row["lead_vi"]})
            for metric in _DUE:
                yield number_figure(metric, "count", row[metric], "mart.task_month_by_agency", by)
    yield from _each(reader, as_of)
    yield from _duties(reader, as_of)
    yield from _changes(reader)


def _each(reader: Reader, as_of: date) -> Iterator[Figure]:
    source = "mart.task_state"
    for row in reader.rows(
        "select * from mart.task_state(%(as_of)s, %(known_at)s) where coalesce(assigned_on <= %(as_of)s, true)",
        as_of=as_of,
    ):
        by = dims({"task": row["task_id"]})
        yield text_figure("task_content", row["content_vi"], source, by)
        yield text_figure("task_lead", row["lead_vi"], source, by)
        yield text_figure("task_coordinating", "; ".join(row["coordinating_vi"]), source, by)
        yield text_figure("task_state", row["state"], source, by)
        yield text_figure("task_directive", row["directive_id"], source, by)
        yield text_figure("task_phrase", row["deadline_phrase_vi"], source, by)
        if row["due_date"]:
            yield date_figure("task_due", row["due_date"], source, by)
        if row["extensions"]:
            yield date_figure("task_original_due", row["original_due_date"], source, by)
        if row["done_date"]:
            yield date_figure("task_done", row["done_date"], source, by)
        if row["days_overdue"]:
            yield number_figure("task_days_overdue", "days", row["days_overdue"], source, by)


def _duties(reader: Reader, as_of: date) -> Iterator[Figure]:
    """Periods of recurring tasks that are overdue: how many, and each one (``item``: the period)."""
    source = "mart.task_overdue"
    rows = reader.rows("select * from mart.task_overdue(%(as_of)s, %(known_at)s) where instance <> ''", as_of=as_of)
    yield number_figure("duties_overdue", "count", len(rows), source)
    for row in rows:
        by = dims({"task": row["task_id"], "item": row["instance"]})
        yield date_figure("duty_due", row["due_date"], source, by)
        yield number_figure("duty_days_overdue", "days", row["days_overdue"], source, by)


def _changes(reader: Reader) -> Iterator[Figure]:
    """What changed in the register since the period before: how many of each kind, and each task."""
    source = "mart.task_change_in_period"
    rows = reader.rows("select * from mart.task_change_in_period(%(period)s, %(budget_year)s, %(known_at)s)")
    for change in sorted({row["change"] for row in rows}):
        number = sum(row["change"] == change for row in rows)
        yield number_figure("tasks_changed", "count", number, source, dims({"item": change}))
    for row in rows:
        yield text_figure("task_change", row["change"], source, dims({"task": row["task_id"]}))


def of_directives(reader: Reader, as_of: date) -> Iterator[Figure]:
    """All documents that assign tasks; those issued (or whose meeting fell) within the month are marked."""
    source = "mart.directive"
    rows = reader.rows(
        "select d.*, coalesce(d.doc_date, d.event_date) between %(first)s and %(as_of)s as in_month "
        "from mart.directive_at(%(known_at)s) as d where coalesce(d.doc_date, d.event_date, %(as_of)s) <= %(as_of)s "
        "order by coalesce(d.doc_date, d.event_date), d.directive_id",
        first=as_of.replace(day=1),
        as_of=as_of,
    )
    for row in rows:
        by = dims({"directive": row["directive_id"]})
        yield text_figure("directive_title", row["title_vi"], source, by)
        yield text_figure("directive_no", row["doc_no"], source, by)
        yield text_figure("directive_issuer", row["issuer_vi"], source, by)
        yield date_figure("directive_date", row["doc_date"] or row["event_date"], source, by)
        if row["in_month"]:
            yield number_figure("directive_tasks", "count", row["tasks"], source, by)
            yield number_figure("directive_tasks_dated", "count", row["tasks_dated"], source, by)
