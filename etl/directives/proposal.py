"""A notice is archived and read into proposed tasks, which wait for a person. Nothing of it is in the register yet.

Idempotent: the same file with the same reading is the same proposal; another reading of it (the date of issue was
given, the rules were changed) is another row beside the first.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from etl import clock
from etl.collect import archive
from etl.directives import files, links, notice, recurrence
from etl.directives.folding import key
from etl.directives.notice import Notice
from etl.errors import UsageError
from etl.load.warehouse import Connection
from etl.reference.province import Province

_STANDING = re.compile(r"thường xuyên")
_HEAD = (
    "doc_no", "doc_date", "issuer_vi", "title_vi", "event_date", "place_vi", "signed_by_vi", "commune_code",
    "questions_vi",
)  # fmt: skip
_TASK = (
    "item", "clause", "lead_vi", "lead_text_vi", "coordinating_vi", "content_vi", "deadline_phrase_vi", "due_date",
    "due_kind", "recurrence", "due_day", "due_shift", "is_standing", "source_text_vi", "span_start", "span_end",
    "documents_vi", "question_vi", "earlier_task_id", "relation", "relation_reason_vi",
)  # fmt: skip


def propose(
    connection: Connection,
    path: Path,
    province: Province,
    archive_dir: Path,
    by: str,
    now: datetime,
    issued: date | None = None,
) -> dict[str, Any]:
    """Archive the file, read it, keep what was read. The caller commits.

    Returns ``notice_id``, ``new``, ``sha256``, ``tasks`` (their number), ``questions`` and ``directive_id`` (None while
    it is not in the register). Raises UsageError for a file that cannot be read; it is archived all the same.
    """
    if not path.is_file():
        raise UsageError(f"Không có tệp: {path}")
    if not by.strip():
        raise UsageError("Phải ghi người đưa văn bản vào (--by).")
    data = path.read_bytes()
    sha256 = archive.store(archive_dir, data)
    keep(connection, sha256, len(data), now)
    connection.commit()
    found = notice.of_text(files.of_bytes(path.name, data), province.is_working_day, issued)
    head = head_of(found, province)
    rows = [_row(found, row) for row in found.rows]
    reading = hashlib.sha256(json.dumps([head, rows], ensure_ascii=False, default=str).encode()).hexdigest()
    connection.execute("select pg_advisory_xact_lock(hashtext('tiendo.register'))")
    row = connection.execute(
        "select notice_id from core.notice where sha256 = %s and reading_sha256 = %s", (sha256, reading)
    ).fetchone()
    new = row is None
    if row is None:
        _link(connection, rows, province, clock.local_date(now))
        row = connection.execute(
            f"insert into core.notice (sha256, reading_sha256, file_name, {', '.join(_HEAD)}, proposed_by, "
            "proposed_at) "
            f"values ({', '.join(['%s'] * (len(_HEAD) + 5))}) returning notice_id",
            (sha256, reading, path.name, *(head[name] for name in _HEAD), by.strip(), now),
        ).fetchone()
        notice_id = row[0] if row else None
        with connection.cursor() as cursor:
            cursor.executemany(
                f"insert into core.notice_task (notice_id, row_no, {', '.join(_TASK)}) "
                f"values ({', '.join(['%s'] * (len(_TASK) + 2))})",
                [(notice_id, number, *(values[name] for name in _TASK)) for number, values in enumerate(rows, 1)],
            )
        connection.execute(
            "select audit.append(%s, %s, 'notice.proposed', %s, %s)",
            (now, by.strip(), str(notice_id), Jsonb({"sha256": sha256, "tasks": len(rows)})),
        )
    registered = directive_of(connection, sha256)
    return {
        "notice_id": row[0] if row else None,
        "new": new,
        "sha256": sha256,
        "tasks": len(rows),
        "questions": found.questions,
        "directive_id": registered,
    }


def keep(connection: Connection, sha256: str, size: int, now: datetime) -> None:
    """The archived bytes as an original of the warehouse."""
    connection.execute(
        "insert into raw.original values (%s, %s, %s, %s) on conflict (sha256) do nothing",
        (sha256, size, archive.key_of(sha256), now),
    )


def directive_of(connection: Connection, sha256: str) -> str | None:
    """The document of the register that came from the file; None while it is not registered."""
    row = connection.execute(
        """
        select d.directive_id from core.notice_decision as d
        inner join core.notice as n on d.notice_id = n.notice_id
        where n.sha256 = %s and d.decision = 'registered'
        """,
        (sha256,),
    ).fetchone()
    return row[0] if row else None


def head_of(found: Notice, province: Province) -> dict[str, Any]:
    """What the notice says of itself, by the columns of ``core.notice``."""
    head = found.head
    day = found.issued or head.met_on
    return {
        "doc_no": head.number,
        "doc_date": found.issued,
        "issuer_vi": head.issuer,
        "title_vi": head.subject,
        "event_date": head.met_on,
        "place_vi": None,
        "signed_by_vi": head.signed_by,
        "commune_code": _commune(head.subject or "", province, day),
        "questions_vi": found.questions,
    }


def _commune(title: str, province: Province, day: date | None) -> str | None:
    """The one commune that the title is about."""
    communes = (province.communes_on(day) if day else province.communes).values()
    text = key(title)
    named = [
        c.code for c in communes if re.search(rf"(?<!\w){re.escape(key(f'{c.kind} {c.short_name_vi}'))}(?!\w)", text)
    ]
    return named[0] if len(named) == 1 else None


def _row(found: Notice, row: Mapping[str, Any]) -> dict[str, Any]:
    start, end = row["span"]
    phrase = row["deadline_phrase"] or None
    day = recurrence.due_day(phrase, row["recurrence"])
    return {
        "item": row["item"],
        "clause": row["clause"] or None,
        "lead_vi": row["successor"] or row["lead"],
        "lead_text_vi": row["lead"],
        "coordinating_vi": list(row["coordinating"]),
        "content_vi": row["content"],
        "deadline_phrase_vi": phrase,
        "due_date": date.fromisoformat(row["due_date"]) if row["due_date"] else None,
        "due_kind": row["due_kind"],
        "recurrence": row["recurrence"],
        "due_day": day.day,
        "due_shift": day.shift,
        "is_standing": row["due_kind"] == "none" and bool(_STANDING.search(key(phrase or ""))),
        "source_text_vi": " ".join(found.text[start:end].split()),
        "span_start": start,
        "span_end": end,
        "documents_vi": [str(document) for document in row["documents"]],
        "question_vi": row["question"],
    }


def _link(connection: Connection, rows: list[dict[str, Any]], province: Province, today: date) -> None:
    """Adds to each row the earlier task that it seems to repeat or change."""
    earlier = [
        links.Earlier(*values)
        for values in connection.execute(
            """
            select t.task_id, coalesce(ref.owner_code(t.lead_vi, %(day)s), t.lead_vi), d.doc_no, t.item, t.content_vi,
                t.due_date, t.due_kind = 'recurring'
            from mart.task_state(%(day)s, 'infinity') as t
            inner join core.directive as d on t.directive_id = d.directive_id
            where t.done_date is null and t.state <> 'Thôi thực hiện'
            order by t.task_id
            """,
            {"day": today},
        ).fetchall()
    ]
    for row in rows:
        owner = connection.execute(
            "select coalesce(ref.owner_code(%(name)s, %(day)s), %(name)s)", {"name": row["lead_vi"], "day": today}
        ).fetchone()
        said = f"{row['source_text_vi']} {' '.join(row['documents_vi'])}"
        link = links.find(
            owner[0] if owner else row["lead_vi"], row["content_vi"], said, row["due_date"], earlier,
            province.thresholds["task_similarity_pct"],
        )  # fmt: skip
        row["earlier_task_id"] = link.task_id if link else None
        row["relation"] = link.relation if link else None
        row["relation_reason_vi"] = link.reason_vi if link else None


def load(connection: Connection, notice_id: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A proposal: its notice and its tasks by row. Raises UsageError when there is none."""
    cursor = connection.cursor(row_factory=dict_row)
    head = cursor.execute("select * from core.notice where notice_id = %s", (notice_id,)).fetchone()
    if head is None:
        raise UsageError(f"Không có văn bản đề xuất số {notice_id}; xem tiendo register list.")
    rows = cursor.execute(
        "select * from core.notice_task where notice_id = %s order by row_no", (notice_id,)
    ).fetchall()
    return head, rows


def overview(connection: Connection) -> list[dict[str, Any]]:
    """All proposals with what became of them, the newest first."""
    rows = (
        connection.cursor(row_factory=dict_row)
        .execute(
            """
            select n.notice_id, n.file_name, n.doc_no, n.doc_date, n.title_vi, n.proposed_by, n.proposed_at,
                (select count(*) from core.notice_task as t where t.notice_id = n.notice_id) as tasks,
                d.decision, d.directive_id, d.decided_by, d.decided_at
            from core.notice as n
            left join lateral (
                select * from core.notice_decision as d where d.notice_id = n.notice_id
                order by d.notice_decision_id desc limit 1
            ) as d on true
            order by n.notice_id desc
            """
        )
        .fetchall()
    )
    return [{k: v.isoformat() if isinstance(v, date) else v for k, v in row.items()} for row in rows]
