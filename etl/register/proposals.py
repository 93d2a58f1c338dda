"""Proposals (kiến nghị) of the communes that were handed to an agency as a task."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from etl.errors import UsageError
from etl.load.warehouse import Connection


def faults(connection: Connection, issues: Sequence[str]) -> list[str]:
    """What is wrong with the ids: unknown, or of several communes (then with its code: 06517:KN-01)."""
    told = []
    for issue in issues:
        found = _communes(connection, issue)
        if not found:
            told.append(f"không có kiến nghị {issue} trong các báo cáo của xã.")
        elif len(found) > 1:
            told.append(
                f"nhiều xã có kiến nghị {issue} ({', '.join(found)}): ghi mã xã phía trước, ví dụ {found[0]}:{issue}."
            )
    return told


def _communes(connection: Connection, issue: str) -> list[str]:
    code, _, name = issue.rpartition(":")
    return [
        row[0]
        for row in connection.execute(
            "select distinct commune_code from core.proposal "
            "where issue_id = %(name)s and (%(code)s = '' or commune_code = %(code)s) order by 1",
            {"name": name, "code": code},
        ).fetchall()
    ]


def link(connection: Connection, task_id: str, issues: Sequence[str], by: str, now: datetime) -> dict[str, Any]:
    """Link the task to the proposals; again changes nothing. The caller commits. Raises UsageError."""
    if connection.execute("select 1 from core.task where task_id = %s", (task_id,)).fetchone() is None:
        raise UsageError(f"Không có nhiệm vụ {task_id} trong sổ.")
    if not by.strip():
        raise UsageError("Phải ghi người thực hiện (--by).")
    told = faults(connection, issues)
    if told:
        raise UsageError("\n".join(told))
    new = 0
    for issue in issues:
        (commune,), name = _communes(connection, issue), issue.rpartition(":")[2]
        row = connection.execute(
            "insert into core.task_proposal values (%s, %s, %s, %s, %s) on conflict do nothing returning 1",
            (task_id, commune, name, by.strip(), now),
        ).fetchone()
        if row is not None:
            new += 1
            connection.execute(
                "select audit.append(%s, %s, 'task.proposal', %s, %s)",
                (now, by.strip(), task_id, Jsonb({"commune": commune, "issue": name})),
            )
    return {"task_id": task_id, "linked": list(issues), "new": new}
