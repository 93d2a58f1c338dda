"""Late revisions: valid reports that came after their period was published (messiness case 44).

Such a report is kept and waits. An officer accepts or rejects it; the decision is a row of its own (law 4) and counts
from its own moment on, so that what was known before stays as it was known (law 9). Published figures do not change by
it: only the current best does, and the next report lists the difference.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from etl import money
from etl.errors import UsageError
from etl.load.warehouse import Connection
from etl.period import Period
from etl.reference import forms


def waiting(connection: Connection, period: Period | None = None) -> list[dict[str, Any]]:
    """Late revisions without a decision, oldest first, each with what would change against what is in force now.

    Keys: submission, period, budget_year, commune, commune_vi, file, received_at (ISO), version, replaces (null: the
    commune had no report), changes: a list of form, line, item, before, after (amounts are đồng as text).
    """
    rows = (
        connection.cursor(row_factory=dict_row)
        .execute(
            """
            select s.submission_id, s.period, s.budget_year, s.commune_code, c.name_vi, s.file_name, s.received_at,
                s.version_no, f.submission_id as replaces
            from raw.submission as s
            left join ref.unit as c
                on s.commune_code = c.commune_code and s.as_of >= c.valid_from
                and (c.valid_to is null or s.as_of <= c.valid_to)
            left join core.in_force('infinity') as f
                on (s.commune_code, s.period, s.budget_year) = (f.commune_code, f.period, f.budget_year)
            where
                s.is_late_revision
                and (
                    s.verdict = 'accepted'
                    or exists (select 1 from raw.admission as a where a.submission_id = s.submission_id)
                )
                and (%(period)s::text is null or s.period = %(period)s)
                and not exists (select 1 from raw.revision_decision as d where d.submission_id = s.submission_id)
                and not exists (select 1 from raw.withdrawal as w where w.submission_id = s.submission_id)
            order by s.received_at, s.submission_id
            """,
            {"period": str(period) if period else None},
        )
        .fetchall()
    )
    return [
        {
            "submission": row["submission_id"],
            "period": row["period"],
            "budget_year": row["budget_year"],
            "commune": row["commune_code"],
            "commune_vi": row["name_vi"],
            "file": row["file_name"],
            "received_at": row["received_at"].isoformat(),
            "version": row["version_no"],
            "replaces": row["replaces"],
            "changes": differences(connection, row["replaces"], row["submission_id"]),
        }
        for row in rows
    ]


def differences(connection: Connection, before: int | None, after: int) -> list[dict[str, str | None]]:
    """Items of the facts in which two submissions differ; all of ``after`` when there is nothing before."""
    rows = connection.execute(
        "select form, line, item, value_before, value_after from core.difference(%s, %s)", (before, after)
    ).fetchall()
    return [dict(zip(("form", "line", "item", "before", "after"), row, strict=True)) for row in rows]


def decide(
    connection: Connection, submission_id: int, decision: str, decided_by: str, reason: str, now: datetime
) -> Mapping[str, Any]:
    """Record an officer's decision (``accepted`` or ``rejected``) on a late revision.

    The same decision again changes nothing; another one later supersedes it from then on. Raises UsageError when the
    submission is no late revision, or name or reason is missing. The caller commits. Returns submission, decision and
    whether it is new.
    """
    if decision not in ("accepted", "rejected"):
        raise UsageError("Phải chọn đúng một trong hai: --accept hoặc --reject.")
    if not decided_by.strip() or not reason.strip():
        raise UsageError("Quyết định phải có tên người quyết định (--by) và lý do (--reason).")
    row = connection.execute(
        """
        select
            s.verdict = 'accepted'
            or exists (select 1 from raw.admission as a where a.submission_id = s.submission_id),
            s.is_late_revision, s.commune_code, s.period
        from raw.submission as s where s.submission_id = %s
        """,
        (submission_id,),
    ).fetchone()
    if row is None or not row[0] or not row[1]:
        raise UsageError(
            f"Báo cáo số {submission_id} không phải là bản gửi sau khi công bố; xem danh sách bằng tiendo revisions."
        )
    # One at a time per submission: two officers who decide at once leave a clear last word.
    connection.execute("select pg_advisory_xact_lock(hashtext('tiendo.revision'), %s::integer)", (submission_id,))
    last = connection.execute(
        "select decision, decided_at from raw.revision_decision where submission_id = %s "
        "order by decided_at desc, revision_decision_id desc limit 1",
        (submission_id,),
    ).fetchone()
    result = {"submission": submission_id, "decision": decision, "new": last is None or last[0] != decision}
    if not result["new"]:
        return result
    connection.execute(
        "insert into raw.revision_decision (submission_id, decision, decided_by, reason, decided_at) "
        "values (%s, %s, %s, %s, %s)",
        (submission_id, decision, decided_by.strip(), reason.strip(), now),
    )
    connection.execute(
        "select audit.append(%s, %s, %s, %s, %s)",
        (
            now,
            decided_by.strip(),
            f"revision.{decision}",
            str(submission_id),
            Jsonb({"commune": row[2], "period": row[3], "reason": reason.strip()}),
        ),
    )
    return result


def as_text(change: dict[str, str | None]) -> str:
    """A difference as an officer reads it: ``Biểu 01, dòng GNBV-DA2-SN, Ngân sách trung ương: 5 → 4 triệu đồng``."""
    form, line, item = change["form"] or "", (change["line"] or "").removesuffix(" *"), change["item"] or ""
    column = next((c for s in forms.load().sheets if s.form == form for c in s.columns if c.key == item), None)
    is_money = column.kind == "money" if column else form in ("B01", "B05")
    old, new = (_shown(change[side], is_money=is_money) for side in ("before", "after"))
    title = column.title if column else item
    return f"Biểu {form[1:]}, dòng {line}, {title}: {old} → {new}{' triệu đồng' if is_money else ''}"


def _shown(text: str | None, *, is_money: bool) -> str:
    if text is None:
        return "trống"
    if not re.fullmatch(r"-?\d{1,30}(?:\.\d{1,30})?", text):
        return text
    return money.show_trieu(int(Decimal(text))) if is_money else money.group_vi(Decimal(text))
