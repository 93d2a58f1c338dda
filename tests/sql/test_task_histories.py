"""Histories of tasks with the answer of each day worked out by hand (``data/task_histories.csv``): over Tết, year ends,
make-up days, extensions, reopenings, periods of recurring tasks, reports with and without their document.

A row is one day on which one history is asked. ``events``: ``kind[@period] day [new deadline]``, and ``b03 period
status|done on|document`` for what the commune says in Biểu 03. An empty ``state`` with a period: there is none.
"""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import pytest

from etl.load.warehouse import Connection
from tests.sql import builders

FILE = Path(__file__).parent / "data" / "task_histories.csv"
ROWS = list(csv.DictReader(FILE.open(encoding="utf-8")))
OTHER, OWNER = "05977", "06517"


def at(day: str) -> datetime:
    return datetime.combine(date.fromisoformat(day), time(2), UTC)


def insert_history(connection: Connection, row: dict[str, str], reports: dict[Any, list[dict[str, Any]]]) -> None:
    task_id = f"H-{row['history']}"
    connection.execute(
        "insert into core.directive (directive_id, doc_no, doc_date, issuer_vi, title_vi) values (%s, %s, %s, %s, %s)",
        (task_id, f"{row['history']}/TB-VP", row["assigned"], "Văn phòng UBND tỉnh", row["why"]),
    )
    connection.execute(
        "insert into core.task (task_id, directive_id, item, lead_vi, lead_text_vi, coordinating_vi, content_vi, "
        "due_date, due_kind, recurrence, kind, deliverable, registered_at, due_day, due_shift) "
        "values (%s, %s, '1', %s, %s, '{}', %s, %s, %s, %s, 'department', %s, %s, %s, %s)",
        (
            task_id, task_id, row["owner"], row["owner"], row["why"], row["due"] or None, row["due_kind"],
            row["recurrence"] or None, row["deliverable"] or None, at(row["assigned"]),
            int(row["due_day"]) if row["due_day"] else None, int(row["due_shift"] or 0),
        ),
    )  # fmt: skip
    for number, event in enumerate(filter(None, re.split(r"\s*;\s*", row["events"]))):
        kind, _, rest = event.partition(" ")
        if kind.startswith("b03"):
            period, _, said = rest.partition(" ")
            status, done_on, document = said.split("|")
            reports[OTHER if kind == "b03-other" else OWNER, period].append(
                {"task_id": task_id, "status": status, "done_date": done_on or None, "result_doc": document or None}
            )
            continue
        kind, _, instance = kind.partition("@")
        day, _, until = rest.partition(" ")
        connection.execute(
            "insert into core.task_event (task_id, instance, kind, event_date, new_due_date, asked_due_date, document, "
            "recorded_by, recorded_at) values (%s, %s, %s, %s, %s, %s, %s, 'thử', %s)",
            (
                task_id, instance, kind, day, until if kind == "extended" else None,
                until if kind == "extension_asked" else None, f"văn bản {number}", at(day),
            ),
        )  # fmt: skip


@pytest.fixture(scope="module")
def answers(reference: str) -> Iterator[dict[tuple[str, str, str], tuple[Any, ...]]]:
    """(history, day, period) -> state, deadline in force, days overdue."""
    with builders.copy_of(reference) as connection:
        reports: dict[Any, list[dict[str, Any]]] = defaultdict(list)
        for row in {row["history"]: row for row in ROWS}.values():
            insert_history(connection, row, reports)
        for (commune, period), tasks in reports.items():
            builders.report(connection, commune, period, [], tasks=tasks)
        found = {}
        for day in {row["as_of"] for row in ROWS}:
            for query in (
                "select task_id, '', state, due_date, days_overdue from mart.task_state(%s, 'infinity')",
                "select task_id, instance, state, due_date, days_overdue from mart.task_instance(%s, 'infinity')",
            ):
                for task_id, instance, *answer in connection.execute(query, (day,)).fetchall():
                    found[task_id.removeprefix("H-"), day, instance] = tuple(answer)
        yield found


def test_there_are_two_hundred_days_asked() -> None:
    assert len(ROWS) >= 200
    assert len({(r["history"], r["as_of"], r["instance"]) for r in ROWS}) == len(ROWS)


@pytest.mark.parametrize("row", ROWS, ids=[f"{r['history']}-{r['as_of']}-{r['instance']}" for r in ROWS])
def test_a_history_has_the_state_that_was_worked_out(
    answers: dict[tuple[str, str, str], tuple[Any, ...]], row: dict[str, str]
) -> None:
    due = date.fromisoformat(row["due_now"]) if row["due_now"] else None
    expected = (row["state"], due, int(row["days_overdue"])) if row["state"] else None
    assert answers.get((row["history"], row["as_of"], row["instance"])) == expected, row["why"]
