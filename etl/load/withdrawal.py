"""A report that is taken back: from that moment it has no say, and the version that it had replaced speaks again.

Nothing is removed (law 4): the withdrawal is a row of its own with name and reason, in the audit chain, and what was
known before stays known as of then.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from etl.errors import UsageError
from etl.load.warehouse import Connection


def withdraw(connection: Connection, submission_id: int, by: str, reason: str, now: datetime) -> dict[str, Any]:
    """Record the withdrawal; the same one again changes nothing. The caller commits.

    Returns ``submission``, ``new``, ``commune``, ``period``, ``budget_year`` and ``speaks_now``: the number of the
    report that now speaks for the commune, None when there is none. Raises UsageError for a submission that does not
    exist or never counted, for one withdrawn before with another reason, and without name or reason.
    """
    if not by.strip() or not reason.strip():
        raise UsageError("Rút báo cáo phải có tên người quyết định (--by) và lý do (--reason).")
    row = connection.execute(
        """
        select
            s.commune_code, s.period, s.budget_year,
            s.verdict = 'accepted'
            or exists (select 1 from raw.admission as a where a.submission_id = s.submission_id),
            w.withdrawn_by, w.reason
        from raw.submission as s
        left join raw.withdrawal as w on s.submission_id = w.submission_id
        where s.submission_id = %s
        """,
        (submission_id,),
    ).fetchone()
    if row is None:
        raise UsageError(f"Không có báo cáo số {submission_id}; xem số báo cáo bằng tiendo findings.")
    commune, period, budget_year, counts, *before = row
    if not counts:
        raise UsageError(f"Báo cáo số {submission_id} chưa được tiếp nhận nên không có gì để rút.")
    wanted = [by.strip(), reason.strip()]
    if before[0] is not None and before != wanted:
        raise UsageError(f"Báo cáo số {submission_id} đã được {before[0]} rút với lý do: {before[1]}.")
    if before[0] is None:
        connection.execute("insert into raw.withdrawal values (%s, %s, %s, %s)", (submission_id, *wanted, now))
        detail = {"commune": commune, "period": period, "reason": wanted[1]}
        connection.execute(
            "select audit.append(%s, %s, 'submission.withdrawn', %s, %s)",
            (now, wanted[0], str(submission_id), Jsonb(detail)),
        )
    speaks = connection.execute(
        "select submission_id from core.in_force('infinity') "
        "where commune_code = %s and period = %s and budget_year = %s",
        (commune, period, budget_year),
    ).fetchone()
    return {
        "submission": submission_id,
        "new": before[0] is None,
        "commune": commune,
        "period": period,
        "budget_year": budget_year,
        "speaks_now": speaks[0] if speaks else None,
    }
