"""What goes back to the senders: marked-up workbooks for every submission with findings."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from etl.collect import archive
from etl.load.warehouse import Connection
from etl.validate.finding import Finding
from etl.validate.markup import Judgement, mark, write

FOLDER = "tra-lai"
_LONGEST_NAME = 60


def write_all(connection: Connection, archive_dir: Path, out_dir: Path, _now: datetime) -> dict[str, Any]:
    """One marked-up workbook for every submission with findings that has none yet; where they are."""
    written = waiting = 0
    folders: set[str] = set()
    for submission_id, sha256, file_name, verdict, period, received_at in connection.execute(
        """
        select s.submission_id, s.sha256, s.file_name, s.verdict, s.period, s.received_at
        from raw.submission as s
        where s.verdict <> 'accepted' or exists (
            select 1 from core.finding as f where f.submission_id = s.submission_id
        )
        order by s.submission_id
        """
    ).fetchall():
        waiting += 1
        folder = out_dir / (period or "khong-ro-ky") / FOLDER
        folders.add(str(folder))
        path = folder / f"{Path(file_name).stem[:_LONGEST_NAME]}.{sha256[:8]}.ket-qua.xlsx"
        if path.exists():
            continue
        findings = findings_of(connection, submission_id)
        judgement = Judgement(file_name, sha256, verdict, received_at, findings)
        write(path, mark(archive.fetch(archive_dir, sha256), judgement))
        written += 1
    return {"written": written, "with_findings": waiting, "folders": sorted(folders)}


def findings_of(connection: Connection, submission_id: int) -> list[Finding]:
    return [
        Finding(*row)
        for row in connection.execute(
            """
            select rule_id, severity, sheet, cell, value, expected, difference, message_vi, fix_vi
            from core.finding where submission_id = %s order by finding_no
            """,
            (submission_id,),
        ).fetchall()
    ]
