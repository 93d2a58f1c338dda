"""What officers say to findings: an explanation of a warning; that an error does not stand in the way of a report.

Append-only, with name and reason, in the audit chain, and printed with the next release; of several answers to one
finding the latest counts. A returned report all of whose errors were overridden is admitted: its facts are loaded as
they were sent, and it counts from that moment on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from etl.collect import archive, pool
from etl.collect.identity import Origin
from etl.errors import UsageError
from etl.load import submission
from etl.load.warehouse import Connection
from etl.period import Period
from etl.reference.province import Province
from etl.validate import catalogue, check
from etl.validate.wording import LEVELS


@dataclass(frozen=True)
class _Submission:
    submission_id: int
    sha256: str
    file_name: str
    verdict: str
    commune_code: str | None
    period: str | None


def listed(
    connection: Connection,
    period: Period | None = None,
    commune: str | None = None,
    rule: str | None = None,
) -> list[dict[str, Any]]:
    """Findings with their answers, the latest reports first within each commune."""
    cursor = connection.cursor(row_factory=dict_row)
    return cursor.execute(
        """
        select
            f.submission_id as submission, f.finding_no as finding, s.commune_code as commune, s.period, s.budget_year,
            s.file_name as file, s.verdict, f.rule_id as rule, f.expectation_id as expectation, f.severity, f.sheet,
            f.cell, f.line, f.value, f.expected, f.difference, f.message_vi as message, f.fix_vi as fix,
            f.explanation, r.may_be_overridden, a.kind as answer, a.answered_by, a.reason, a.answered_at::text,
            a.answered_in
        from core.finding as f
        inner join raw.submission as s on f.submission_id = s.submission_id
        left join ref.rule as r on f.expectation_id = r.expectation_id
        left join core.answer_in_force('infinity') as a
            on f.submission_id = a.submission_id and f.finding_no = a.finding_no
        where
            (%(period)s::text is null or s.period = %(period)s)
            and (%(commune)s::text is null or s.commune_code = %(commune)s)
            and (%(rule)s::text is null or f.rule_id = %(rule)s)
        order by s.period, s.commune_code, s.known_at desc, s.submission_id, f.finding_no
        """,
        {"period": str(period) if period else None, "commune": commune, "rule": rule},
    ).fetchall()


def as_text(rows: Sequence[dict[str, Any]]) -> str:
    """The findings as an officer reads them, under a line for each report."""
    lines: list[str] = []
    last = None
    for row in rows:
        if row["submission"] != last:
            last = row["submission"]
            lines.append(
                f"Báo cáo số {last} · {row['commune']} · kỳ {row['period']} · {row['file']} ({row['verdict']})"
            )
        place = f"{row['sheet']}!{row['cell']}" if row["cell"] else row["sheet"] or "cả tệp"
        lines.append(f"  {row['finding']:>3}. {LEVELS[row['severity']]} {row['rule']} {place}: {row['message']}")
        if row["answer"]:
            verb = "Chấp nhận" if row["answer"] == "overridden" else "Giải trình"
            where = "" if row["answered_in"] == last else f" (ở báo cáo số {row['answered_in']})"
            lines.append(f"       {verb}{where}: {row['answered_by']}, {row['reason']}")
        elif row["explanation"]:
            lines.append(f"       Đơn vị giải trình: {row['explanation']}")
    return "\n".join(lines) or "Không có phát hiện nào."


def explain(
    connection: Connection, submission_id: int, finding_no: int, by: str, reason: str, now: datetime
) -> dict[str, Any]:
    """Record an officer's explanation of a warning. The caller commits.

    What was said last, said again, changes nothing; anything else is a later word, which counts from now on. Raises
    UsageError when there is no such warning, name or reason is missing, or another report has taken the place of this
    one. Returns submission, finding, new, before: the answer that counted until now (by, reason, submission), or None.
    """
    found = _asked(connection, submission_id, by, reason)
    finding = _finding(connection, submission_id, finding_no)
    if finding["severity"] == "error":
        raise UsageError(
            f"Phát hiện số {finding_no} của báo cáo số {submission_id} là lỗi, không phải cảnh báo; muốn "
            "chấp nhận báo cáo dù có lỗi thì dùng tiendo override."
        )
    _require_not_replaced(connection, found)
    before = _last_answer(connection, submission_id, finding_no)
    new = _answer(connection, found, finding, "explained", by, reason, now)
    return {"submission": submission_id, "finding": finding_no, "new": new, "before": before}


def override(
    connection: Connection,
    submission_id: int,
    finding_nos: Sequence[int],
    by: str,
    reason: str,
    now: datetime,
    province: Province,
    archive_dir: Path,
) -> dict[str, Any]:
    """Override errors of a returned report; ``finding_nos`` empty: all of them. Admits it once none is left.

    What was said last, said again, changes nothing; another reason is a later word, and the admission stays as it was.
    The caller commits: answers, facts and audit are one transaction. Raises UsageError when the report was not
    returned, is not the commune's last word, or a rule must not be overridden because there is nothing sound to load.
    Returns submission, overridden (numbers), new (those of them whose answer is new), open (numbers of errors left),
    admitted.
    """
    found = _asked(connection, submission_id, by, reason)
    if found.verdict != "returned":
        raise UsageError(
            f"Báo cáo số {submission_id} không bị trả lại ({found.verdict}); không có lỗi nào phải chấp nhận."
        )
    _require_last_word(connection, found)
    errors = (
        connection.cursor(row_factory=dict_row)
        .execute(
            "select * from core.finding where submission_id = %s and severity = 'error' order by finding_no",
            (submission_id,),
        )
        .fetchall()
    )
    wanted = set(finding_nos) or {row["finding_no"] for row in errors}
    unknown = wanted - {row["finding_no"] for row in errors}
    if unknown:
        numbers = ", ".join(map(str, sorted(unknown)))
        raise UsageError(f"Báo cáo số {submission_id} không có lỗi số {numbers}; xem bằng tiendo findings.")
    may = {rule.id for rule in catalogue.every_rule() if rule.may_be_overridden}
    for row in errors:
        if row["finding_no"] in wanted and row["expectation_id"] not in may:
            raise UsageError(
                f"Lỗi số {row['finding_no']} ({row['rule_id']}: {row['message_vi']}) không thể bỏ qua vì không có "
                "số liệu đọc được để nạp; đơn vị phải sửa và gửi lại."
            )
    new = [
        row["finding_no"]
        for row in errors
        if row["finding_no"] in wanted and _answer(connection, found, row, "overridden", by, reason, now)
    ]
    left = _open_errors(connection, submission_id)
    admitted = not left and _admit(connection, found, by, now, province, archive_dir)
    told = {"overridden": sorted(wanted), "new": new, "open": left, "admitted": admitted}
    return {"submission": submission_id, **told}


def _asked(connection: Connection, submission_id: int, by: str, reason: str) -> _Submission:
    if not by.strip() or not reason.strip():
        raise UsageError("Phải có tên người quyết định (--by) và lý do (--reason).")
    row = connection.execute(
        """
        select submission_id, sha256, file_name, verdict, commune_code, period
        from raw.submission where submission_id = %s
        """,
        (submission_id,),
    ).fetchone()
    if row is None:
        raise UsageError(f"Không có báo cáo số {submission_id}; xem bằng tiendo findings.")
    # Two officers who answer at once leave one clear order.
    connection.execute("select pg_advisory_xact_lock(hashtext('tiendo.answer'), %s::integer)", (submission_id,))
    return _Submission(*row)


def _finding(connection: Connection, submission_id: int, finding_no: int) -> dict[str, Any]:
    row = (
        connection.cursor(row_factory=dict_row)
        .execute("select * from core.finding where submission_id = %s and finding_no = %s", (submission_id, finding_no))
        .fetchone()
    )
    if row is None:
        raise UsageError(f"Báo cáo số {submission_id} không có phát hiện số {finding_no}; xem bằng tiendo findings.")
    return row


def _require_last_word(connection: Connection, found: _Submission) -> None:
    """What an officer admits is what the commune said last: no report that could be opened came after it."""
    later = connection.execute(
        """
        select c.submission_id
        from raw.submission as s
        inner join raw.claim as c
            on
                (s.commune_code, s.period, s.budget_year) = (c.commune_code, c.period, c.budget_year)
                and s.submission_id <> c.submission_id
        where
            s.submission_id = %s
            and (c.known_at, c.ranked_by, c.received_at, coalesce(c.version_no, 0))
            > (s.known_at, s.archived_at, s.received_at, coalesce(s.version_no, 0))
        order by c.known_at desc, c.ranked_by desc limit 1
        """,
        (found.submission_id,),
    ).fetchone()
    if later:
        raise UsageError(
            f"Báo cáo số {found.submission_id} đã được đơn vị thay bằng báo cáo số {later[0]}; không chấp nhận bản cũ."
        )
    newer = connection.execute(
        """
        select v.submission_id, v.file_name, v.verdict
        from raw.submission as s
        inner join raw.submission as v
            on (s.commune_code, s.period, s.budget_year) = (v.commune_code, v.period, v.budget_year)
        where
            s.submission_id = %s and v.verdict <> 'refused'
            and (v.known_at, v.archived_at, v.received_at, coalesce(v.version_no, 0))
            > (s.known_at, s.archived_at, s.received_at, coalesce(s.version_no, 0))
            and not exists (select 1 from raw.withdrawal as w where w.submission_id = v.submission_id)
        order by v.known_at desc, v.archived_at desc, v.received_at desc, v.version_no desc nulls last limit 1
        """,
        (found.submission_id,),
    ).fetchone()
    if newer:
        state = "bị trả lại" if newer[2] == "returned" else "chờ quyết định"
        raise UsageError(
            f"Báo cáo số {found.submission_id} không phải bản mới nhất: sau đó đơn vị đã gửi báo cáo số {newer[0]} "
            f"({newer[1]}, {state}). Chỉ chấp nhận bản gửi sau cùng; xem lỗi của bản đó bằng tiendo findings."
        )


def _require_not_replaced(connection: Connection, found: _Submission) -> None:
    """An explanation is of a report that is in force, or of one that came after it."""
    now = connection.execute(
        """
        select v.submission_id, v.file_name
        from raw.submission as s
        inner join core.in_force('infinity') as f
            on
                (s.commune_code, s.period, s.budget_year) = (f.commune_code, f.period, f.budget_year)
                and s.submission_id <> f.submission_id
        inner join raw.submission as v on f.submission_id = v.submission_id
        where
            s.submission_id = %s and (
                exists (select 1 from core.submission_span as p where p.submission_id = s.submission_id)
                or (v.known_at, v.archived_at, v.received_at, coalesce(v.version_no, 0))
                > (s.known_at, s.archived_at, s.received_at, coalesce(s.version_no, 0))
            )
        """,
        (found.submission_id,),
    ).fetchone()
    if now:
        raise UsageError(
            f"Báo cáo số {found.submission_id} đã được thay; báo cáo đang có hiệu lực là số {now[0]} ({now[1]}). "
            "Giải trình cảnh báo của báo cáo đó; xem bằng tiendo findings."
        )


def _last_answer(connection: Connection, submission_id: int, finding_no: int) -> dict[str, Any] | None:
    """The answer that counts, whether it was given on this version or on one before: by, reason, submission."""
    return (
        connection.cursor(row_factory=dict_row)
        .execute(
            """
            select a.answered_by as by, a.reason, a.answered_in as submission
            from core.answer_in_force('infinity') as a where (a.submission_id, a.finding_no) = (%s, %s)
            """,
            (submission_id, finding_no),
        )
        .fetchone()
    )


def _answer(
    connection: Connection, found: _Submission, finding: dict[str, Any], kind: str, by: str, reason: str, now: datetime
) -> bool:
    """Whether the answer is new: another one than that which counts."""
    last = _last_answer(connection, found.submission_id, finding["finding_no"])
    if last and (last["by"], last["reason"]) == (by.strip(), reason.strip()):
        return False
    connection.execute(
        """
        insert into core.finding_answer (submission_id, finding_no, kind, answered_by, reason, answered_at)
        values (%s, %s, %s, %s, %s, %s)
        """,
        (found.submission_id, finding["finding_no"], kind, by.strip(), reason.strip(), now),
    )
    detail = {
        "commune": found.commune_code, "period": found.period, "rule": finding["rule_id"], "cell": finding["cell"],
        "finding": finding["finding_no"], "reason": reason.strip(),
    }  # fmt: skip
    _audit(connection, now, by.strip(), f"finding.{kind}", str(found.submission_id), detail)
    return True


def _open_errors(connection: Connection, submission_id: int) -> list[int]:
    rows = connection.execute(
        """
        select f.finding_no from core.finding as f
        where
            f.submission_id = %s and f.severity = 'error' and not exists (
                select 1 from core.finding_answer as a
                where (a.submission_id, a.finding_no, a.kind) = (f.submission_id, f.finding_no, 'overridden')
            )
        order by f.finding_no
        """,
        (submission_id,),
    ).fetchall()
    return [row[0] for row in rows]


def _admit(
    connection: Connection, found: _Submission, by: str, now: datetime, province: Province, archive_dir: Path
) -> bool:
    """Load the facts of the archived original as they were sent; whether that is new."""
    inserted = connection.execute(
        "insert into raw.admission values (%s, %s, %s) on conflict (submission_id) do nothing",
        (found.submission_id, by.strip(), now),
    ).rowcount
    if not inserted:
        return False
    origin = connection.execute(
        """
        select said_commune, said_period, sender_commune from raw.delivery
        where sha256 = %s order by received_at, delivery_id limit 1
        """,
        (found.sha256,),
    ).fetchone()
    job = pool.Job(
        found.file_name,
        found.sha256,
        partial(archive.fetch, archive_dir, found.sha256),
        Origin(*(origin or (None,) * 3)),
    )
    (report,) = pool.read_all([job], province.folder)
    check.prepare(report, province)
    submission.insert_facts(connection, report, found.submission_id)
    connection.execute("select core.note_replacements(%s)", (province.thresholds["contested_lines_pct"],))
    detail = {"commune": found.commune_code, "period": found.period}
    _audit(connection, now, by.strip(), "submission.admitted", str(found.submission_id), detail)
    return True


def _audit(
    connection: Connection, now: datetime, actor: str, action: str, subject: str, detail: dict[str, Any]
) -> None:
    connection.execute("select audit.append(%s, %s, %s, %s, %s)", (now, actor, action, subject, Jsonb(detail)))
