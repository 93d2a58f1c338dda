"""The folder into which notices and filled-in workbooks are put: every file is taken once, by its content.

What a file is, it says itself: the workbook of a confirmation, the workbook of a department, else a notice. One that
cannot be used is kept and told, and stops only itself. Nothing in the folder is changed or removed; whoever may write
into it may confirm.

Idempotent: what was done with a file is booked under its sha256 (``core.notice_file``) after it was done, and each of
the three is idempotent itself, so a run that was killed is simply run again.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from etl import clock
from etl.collect import archive
from etl.collect.inbox import Folder, StillArrivingError, UnreadableError
from etl.directives import confirmation, proposal
from etl.errors import InfrastructureError, TiendoError
from etl.load import warehouse
from etl.load.warehouse import Connection
from etl.register import agency_workbook, sheet

NAME = "notices"
NOTICE, CONFIRMATION, AGENCY_REPORT = "notice", "confirmation", "agency_report"
REFUSED = ("returned", "unreadable")
_KINDS = {confirmation.KIND: CONFIRMATION, agency_workbook.KIND: AGENCY_REPORT}
SETTLED = timedelta(seconds=30)
"""A file that was written so shortly before may still be on its way."""
_WORDS = {
    NOTICE: "thông báo kết luận", CONFIRMATION: "bảng tính xác nhận", AGENCY_REPORT: "bảng báo cáo nhiệm vụ",
}  # fmt: skip
Work = Callable[[Path], tuple[str, str]]
"""Does what a file asks for; returns what became of it (an outcome of ``core.notice_file``) and that in words."""


@dataclass(frozen=True)
class Taken:
    """What became of one file."""

    file: str
    sha256: str
    kind: str
    outcome: str
    detail: str


def take(
    folder: Path,
    archive_dir: Path,
    work: Mapping[str, Work],
    hand_back: Callable[[Taken], None],
    now: datetime,
    settled: timedelta = SETTLED,
) -> list[Taken]:
    """Archive and take every file that was not taken before; ``hand_back`` tells whoever put it there, then it is
    booked. Commits file by file. Files younger than ``settled`` are left for the next time.

    A fault of the program in one file is raised after the others had their turn.
    """
    folder.mkdir(parents=True, exist_ok=True)
    taken: list[Taken] = []
    broken: list[Exception] = []
    with warehouse.connect() as connection, closing(Folder(folder, NAME)) as inbox:
        known = {sha256 for (sha256,) in connection.execute("select sha256 from core.notice_file").fetchall()}
        connection.commit()
        for item in inbox.items(now):
            try:
                arrival = next(iter(inbox.arrivals(item)))
                if timedelta(0) <= now - arrival.received_at < settled:
                    continue
                stored = archive.store_pieces(archive_dir, arrival.pieces())
            except (UnreadableError, StillArrivingError):
                continue
            if stored.sha256 in known:
                continue
            known.add(stored.sha256)
            try:  # a fault of the program in one file stops only that file
                one = _take(arrival.file_name, archive.fetch(archive_dir, stored.sha256), stored.sha256, work)
            except InfrastructureError:
                raise
            except Exception as error:
                broken.append(error)
                continue
            hand_back(one)
            _book(connection, one, stored.size_bytes, now)
            taken.append(one)
    if broken:
        raise broken[0]
    return taken


def _take(name: str, data: bytes, sha256: str, work: Mapping[str, Work]) -> Taken:
    kind = _KINDS.get(sheet.kind_of(data) or "", NOTICE)
    with tempfile.TemporaryDirectory(prefix="tiendo-") as place:
        path = Path(place, Path(name).name)
        path.write_bytes(data)
        try:
            outcome, detail = work[kind](path)
        except InfrastructureError:
            raise
        except TiendoError as error:
            outcome = "unreadable" if kind == NOTICE else "returned"
            detail = str(error).removeprefix(f"{path.name}: ")
    return Taken(name, sha256, kind, outcome, detail)


def _book(connection: Connection, one: Taken, size: int, now: datetime) -> None:
    proposal.keep(connection, one.sha256, size, now)
    connection.execute(
        "insert into core.notice_file values (%s, %s, %s, %s, %s, %s) on conflict do nothing",
        (one.sha256, one.file, one.kind, one.outcome, one.detail, now),
    )
    connection.commit()


def receipt(one: Taken, now: datetime) -> str:
    """What whoever put the file there is told, in plain text."""
    return "\n".join(
        [
            "BIÊN NHẬN VĂN BẢN",
            "",
            f"Tệp: {one.file}",
            f"Mã băm SHA-256: {one.sha256}",
            f"Là: {_WORDS[one.kind]}" if one.outcome != "unreadable" else "Không đọc được thành văn bản",
            f"Nhận lúc: {clock.show(now)}",
            f"Kết quả: {'TRẢ LẠI' if one.outcome in REFUSED else 'TIẾP NHẬN'}",
            "",
            one.detail,
            "",
        ]
    )


def waiting(connection: Connection) -> list[dict[str, Any]]:
    """Notices of the folder that nobody has answered yet: the latest reading of each, with its sha256."""
    rows = connection.execute(
        """
        select distinct on (n.sha256) n.notice_id, n.sha256
        from core.notice as n
        inner join core.notice_file as f on n.sha256 = f.sha256
        where
            not exists (
                select 1 from core.notice_decision as d
                inner join core.notice as o on d.notice_id = o.notice_id
                where o.sha256 = n.sha256
            )
        order by n.sha256, n.notice_id desc
        """
    ).fetchall()
    return [{"notice_id": notice_id, "sha256": sha256} for notice_id, sha256 in sorted(rows)]


def as_dict(one: Taken) -> dict[str, Any]:
    return asdict(one)
