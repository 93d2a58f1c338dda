"""The task register with its derived states (``mart.task_state``)."""

from __future__ import annotations

from datetime import date
from typing import Any

from psycopg.rows import dict_row

from etl.load.warehouse import Connection


def states(connection: Connection, as_of: date) -> list[dict[str, Any]]:
    """Every registered task as of a day, by item: keys of ``tiendo directives`` plus ``state`` and ``days_overdue``."""
    rows = (
        connection.cursor(row_factory=dict_row)
        .execute("select * from mart.task_state(%s, 'infinity') order by directive_id, task_id", (as_of,))
        .fetchall()
    )
    return [
        {
            "task_id": row["task_id"],
            "item": row["item"],
            "lead": row["lead_vi"],
            "coordinating": row["coordinating_vi"],
            "content": row["content_vi"],
            "deadline_phrase": row["deadline_phrase_vi"],
            "due_date": _iso(row["due_date"]),
            "original_due_date": _iso(row["original_due_date"]),
            "due_kind": row["due_kind"],
            "recurrence": row["recurrence"],
            "extensions": row["extensions"],
            "done_date": _iso(row["done_date"]),
            "state": row["state"],
            "days_overdue": row["days_overdue"],
        }
        for row in rows
    ]


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None
