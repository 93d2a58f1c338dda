"""What happens to a task after it was registered. Append-only: a mistake is put right by a later event.

``reported`` and ``extension_asked`` are what the owner says; ``extended``, ``done``, ``withdrawn`` and ``reopened``
count, and rest on a document: done on that of the result, an extension and an end on one of the level that assigned
the task (DOMAIN.md 4.2: an extension counts only after the province approves). The state follows (``mart.task_state``).
Idempotent: the same event again changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from etl import clock
from etl.directives.folding import key
from etl.errors import UsageError
from etl.load.warehouse import Connection
from etl.reference.province import Province, read_csv

REPORTED, EXTENSION_ASKED, EXTENDED = "reported", "extension_asked", "extended"
DONE, WITHDRAWN, REOPENED = "done", "withdrawn", "reopened"
WITHDRAWN_STATE = "Thôi thực hiện"
_ASSIGNING_KINDS = ("ủy ban", "văn phòng")
"""Kinds of agencies.csv that speak for the province."""


@dataclass(frozen=True)
class Event:
    """``day``: when it happened. ``instance``: period of a recurring task. ``until``: deadline asked for or granted.
    ``issued_by``: who issued the document of an extension or an end."""

    task_id: str
    kind: str
    day: date
    document: str
    until: date | None = None
    instance: str = ""
    issued_by: str | None = None
    detail: str | None = None


def record(connection: Connection, event: Event, by: str, now: datetime, province: Province) -> dict[str, Any]:
    """Record an event. The caller commits. Returns the event with ``new`` and the task's ``state`` and ``due_date``
    afterwards. Raises UsageError for what cannot be so."""
    if not by.strip():
        raise UsageError("Phải ghi người thực hiện (--by).")
    connection.execute("select pg_advisory_xact_lock(hashtext('tiendo.register'))")
    task = _task(connection, event.task_id, clock.local_date(now))
    if not _is_there(connection, event):
        _require_possible(connection, event, task, now, province)
        add(connection, event, by, now)
        new = True
    else:
        new = False
    after = _task(connection, event.task_id, max(clock.local_date(now), event.day))
    if event.instance:
        after = _instance(connection, event, clock.local_date(now)) or after
    return {
        "task_id": event.task_id,
        "kind": event.kind,
        "instance": event.instance,
        "day": event.day.isoformat(),
        "document": event.document,
        "new": new,
        "state": after["state"],
        "due_date": after["due_date"].isoformat() if after["due_date"] else None,
    }


def add(connection: Connection, event: Event, by: str, now: datetime) -> bool:
    """Write the event as it is, into the audit chain too; False when it was there."""
    asked = event.until if event.kind == EXTENSION_ASKED else None
    granted = event.until if event.kind == EXTENDED else None
    row = connection.execute(
        "insert into core.task_event (task_id, instance, kind, event_date, new_due_date, asked_due_date, document, "
        "issued_by_vi, detail_vi, recorded_by, recorded_at) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) "
        "on conflict do nothing returning task_event_id",
        (
            event.task_id, event.instance, event.kind, event.day, granted, asked, event.document.strip(),
            event.issued_by, event.detail, by.strip(), now,
        ),
    ).fetchone()  # fmt: skip
    if row is None:
        return False
    detail = {
        "document": event.document.strip(),
        "day": event.day.isoformat(),
        "instance": event.instance,
        "until": event.until.isoformat() if event.until else None,
    }
    connection.execute(
        "select audit.append(%s, %s, %s, %s, %s)", (now, by.strip(), f"task.{event.kind}", event.task_id, Jsonb(detail))
    )
    return True


def _is_there(connection: Connection, event: Event) -> bool:
    return (
        connection.execute(
            "select 1 from core.task_event "
            "where (task_id, instance, kind, event_date, document) = (%s, %s, %s, %s, %s) "
            "and coalesce(new_due_date, asked_due_date) is not distinct from %s",
            (event.task_id, event.instance, event.kind, event.day, event.document.strip(), event.until),
        ).fetchone()
        is not None
    )


def _task(connection: Connection, task_id: str, day: date) -> dict[str, Any]:
    row = (
        connection.cursor(row_factory=dict_row)
        .execute(
            "select s.*, d.issuer_vi from mart.task_state(%s, 'infinity') as s "
            "inner join core.directive as d on s.directive_id = d.directive_id where s.task_id = %s",
            (day, task_id),
        )
        .fetchone()
    )
    if row is None:
        raise UsageError(f"Không có nhiệm vụ {task_id} trong sổ; xem tiendo tasks.")
    return row


def _instance(connection: Connection, event: Event, day: date) -> dict[str, Any] | None:
    return (
        connection.cursor(row_factory=dict_row)
        .execute(
            "select * from mart.task_instance(%s, 'infinity') where task_id = %s and instance = %s",
            (max(day, event.day), event.task_id, event.instance),
        )
        .fetchone()
    )


def _require_possible(
    connection: Connection, event: Event, task: Mapping[str, Any], now: datetime, province: Province
) -> None:
    if not event.document.strip():
        raise UsageError(_NO_DOCUMENT.get(event.kind, "Phải ghi số, ngày văn bản (--document)."))
    if event.day > clock.local_date(now):
        raise UsageError(f"Ngày {clock.show_date(event.day)} chưa đến.")
    if task["assigned_on"] and event.day < task["assigned_on"]:
        raise UsageError(
            f"Ngày {clock.show_date(event.day)} trước ngày giao nhiệm vụ ({clock.show_date(task['assigned_on'])})."
        )
    place = task
    if event.instance:
        found = _instance(connection, event, clock.local_date(now))
        if found is None:
            raise UsageError(
                f"{event.task_id} không có kỳ {event.instance}: xem tiendo register history {event.task_id}."
            )
        place = found
    elif _needs_period(event, task):
        raise UsageError(f"{event.task_id} là nhiệm vụ định kỳ: phải ghi kỳ (--instance, ví dụ 2025-10).")
    is_over = place["done_date"] is not None or place["state"] == WITHDRAWN_STATE
    if event.kind == REOPENED and event.instance and task["state"] == WITHDRAWN_STATE:
        raise UsageError(
            f"{event.task_id} đã thôi thực hiện: mở lại cả nhiệm vụ trước (không ghi --instance), rồi mở lại từng kỳ."
        )
    if event.kind == REOPENED and not is_over:
        raise UsageError(f"{event.task_id} đang thực hiện: không có gì để mở lại.")
    if event.kind != REOPENED and is_over:
        raise UsageError(f"{event.task_id}: {str(place['state']).lower()}; muốn ghi tiếp thì mở lại trước.")
    _require_date(event, place)
    if event.kind in (EXTENDED, WITHDRAWN):
        _require_level(event, task, province)


def _needs_period(event: Event, task: Mapping[str, Any]) -> bool:
    """Whether the event speaks of one period of a recurring task; a daily one has none, and what was withdrawn as a
    whole is reopened as a whole."""
    if task["due_kind"] != "recurring" or event.kind == WITHDRAWN:
        return False
    if event.kind == REOPENED:
        return task["state"] != WITHDRAWN_STATE and task["done_date"] is None
    return event.kind in (DONE, EXTENDED) and task["recurrence"] != "daily"


def _require_date(event: Event, place: Mapping[str, Any]) -> None:
    if event.kind not in (EXTENDED, EXTENSION_ASKED):
        return
    if event.until is None:
        raise UsageError("Phải ghi thời hạn mới (--until).")
    if event.kind == EXTENDED and event.instance == "" and place.get("recurrence") == "daily":
        raise UsageError(f"{event.task_id} là nhiệm vụ hằng ngày: không có thời hạn để gia hạn.")
    if place["due_date"] and event.until <= place["due_date"]:
        raise UsageError(
            f"Thời hạn mới {clock.show_date(event.until)} không sau thời hạn đang có hiệu lực "
            f"({clock.show_date(place['due_date'])})."
        )


_NO_DOCUMENT = {
    DONE: "Hoàn thành phải có văn bản, sản phẩm kết quả (--document); chưa có thì ghi là báo cáo "
    "(tiendo register report).",
    EXTENDED: "Gia hạn phải có văn bản của cấp giao nhiệm vụ (--document).",
}


def _require_level(event: Event, task: Mapping[str, Any], province: Province) -> None:
    if not event.issued_by:
        raise UsageError("Phải ghi cơ quan ban hành văn bản (--issuer): cấp giao nhiệm vụ.")
    if not is_assigning_level(event.issued_by, task["issuer_vi"], province):
        raise UsageError(
            f"{event.issued_by} không phải là cấp giao nhiệm vụ {event.task_id} ({task['issuer_vi']}): "
            "văn bản này chỉ là đề nghị (tiendo register ask)."
        )


def is_assigning_level(issuer: str, assigned_by: str, province: Province) -> bool:
    """Whether a document of ``issuer`` decides on a task that ``assigned_by`` gave: the same body, or, for what the
    province gave, its committee, chairman, office or steering committee."""
    said, gave = body(issuer), body(assigned_by)
    if said == gave or said in gave.split(" - "):
        return True
    spoken = {
        body(row["name_vi"]) for row in read_csv(province.folder / "agencies.csv") if row["kind"] in _ASSIGNING_KINDS
    }
    spoken |= {f"chủ tịch {name}" for name in spoken} | {f"phó chủ tịch {name}" for name in spoken}

    def speaks(body: str) -> bool:
        parts = [part.strip() for part in body.split(" - ")]
        return any(part in spoken or re.match(r"ban chỉ đạo .*(?:tỉnh|quốc gia)$", part) for part in parts)

    return speaks(said) and speaks(gave)


def body(name: str) -> str:
    """A body's name as it is compared: *Văn phòng UBND tỉnh Lạng Sơn* is *văn phòng ubnd tỉnh*."""
    text = " ".join(key(name).split()).replace("ủy ban nhân dân", "ubnd")
    return re.sub(r"(tỉnh)\s+(?:(?!-)\S+\s*){1,3}?(?=\s*-|$)", r"\1 ", text).strip()


def declare_nothing(
    connection: Connection, owner: str, period: str, document: str, by: str, now: datetime
) -> dict[str, Any]:
    """An owner declared by a document that there is nothing to report for a month: it is not reminded of the report.

    The caller commits. Again changes nothing. Raises UsageError for an owner that is in no list.
    """
    if not by.strip() or not document.strip():
        raise UsageError("Phải ghi văn bản (--document) và người thực hiện (--by).")
    known = connection.execute(
        "select coalesce((select ref.committee_vi(kind, name_vi) from ref.unit "
        "where commune_code = %(owner)s order by valid_from desc limit 1), "
        "case when ref.owner_code(%(owner)s, %(day)s) is not null then %(owner)s end)",
        {"owner": owner.strip(), "day": clock.local_date(now)},
    ).fetchone()
    if known is None or known[0] is None:
        raise UsageError(f"Không có đơn vị “{owner}” trong danh mục (mã xã 5 chữ số hoặc tên cơ quan).")
    row = connection.execute(
        "insert into core.nothing_declared values (%s, %s, %s, %s, %s) on conflict do nothing returning 1",
        (known[0], period, document.strip(), by.strip(), now),
    ).fetchone()
    if row is not None:
        connection.execute(
            "select audit.append(%s, %s, 'report.nothing', %s, %s)",
            (now, by.strip(), known[0], Jsonb({"period": period, "document": document.strip()})),
        )
    return {"owner": known[0], "period": period, "new": row is not None}


def timeline(connection: Connection, task_id: str) -> list[dict[str, Any]]:
    """All that is known of a task in order. Raises UsageError for an unknown one."""
    rows = (
        connection.cursor(row_factory=dict_row)
        .execute(
            "select day, kind, instance, document, new_due_date, detail_vi, recorded_by "
            "from mart.task_timeline('infinity') where task_id = %s order by day, known_from",
            (task_id,),
        )
        .fetchall()
    )
    if not rows:
        raise UsageError(f"Không có nhiệm vụ {task_id} trong sổ; xem tiendo tasks.")
    return [{k: v.isoformat() if isinstance(v, date) else v for k, v in row.items()} for row in rows]


def instances(connection: Connection, task_id: str, day: date) -> list[dict[str, Any]]:
    """The periods of a recurring task up to a day."""
    rows = (
        connection.cursor(row_factory=dict_row)
        .execute(
            "select instance, due_date, done_date, state, days_overdue from mart.task_instance(%s, 'infinity') "
            "where task_id = %s order by period_from",
            (day, task_id),
        )
        .fetchall()
    )
    return [{k: v.isoformat() if isinstance(v, date) else v for k, v in row.items()} for row in rows]
