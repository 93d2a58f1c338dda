"""Whether everything is still as it was: the audit chain, the archived originals, the releases and their files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from etl.collect import archive
from etl.errors import InfrastructureError, ReleaseError
from etl.load.warehouse import Connection
from etl.publish import approval, frozen


def run(connection: Connection, archive_dir: Path, out_dir: Path) -> dict[str, Any]:
    """``checked`` (numbers of audit events, originals, releases, files) and ``problems``: what differs, in Vietnamese.

    Files of a release that is not published may be missing: they are made again. Nothing is changed.
    """
    problems = _audit_chain(connection)
    (events,) = connection.execute("select count(*) from audit.event").fetchone() or (0,)
    originals = [sha256 for (sha256,) in connection.execute("select sha256 from raw.original order by 1").fetchall()]
    for sha256 in originals:
        try:
            archive.fetch(archive_dir, sha256)
        except InfrastructureError as error:
            problems.append(str(error))
    releases = [name for (name,) in connection.execute("select release_id from release.release order by 1").fetchall()]
    files = 0
    for release_id in releases:
        files += len(frozen.sealed(connection, release_id))
        problems += _release(connection, release_id, out_dir)
    return {
        "checked": {"audit_events": events, "originals": len(originals), "releases": len(releases), "files": files},
        "problems": problems,
    }


def _audit_chain(connection: Connection) -> list[str]:
    rows = connection.execute(
        """
        select e.seq
        from (
            select *, lag(hash, 1, repeat('0', 64)) over (order by seq) as before, row_number() over (order by seq) as n
            from audit.event
        ) as e
        where
            e.seq <> e.n or e.previous_hash <> e.before
            or e.hash <> audit.event_hash(e.seq, e.at, e.actor, e.action, e.subject, e.detail, e.previous_hash)
        order by e.seq
        """
    ).fetchall()
    return [f"Nhật ký: sự kiện số {seq} không khớp với chuỗi mã băm." for (seq,) in rows]


def _release(connection: Connection, release_id: str, out_dir: Path) -> list[str]:
    release = frozen.get(connection, release_id)
    problems = []
    if frozen.manifest_sha256(frozen.sealed(connection, release_id)) != release.manifest_sha256:
        problems.append(f"Bản {release_id}: danh sách tệp không khớp mã niêm phong.")
    is_published = frozen.is_published(connection, release_id)
    if is_published:
        try:
            approval.require_approved(connection, release_id)
        except ReleaseError as error:
            problems.append(f"Bản {release_id} đã phát hành: {error}")
    if is_published or frozen.folder(out_dir, release).is_dir():
        wrong = frozen.differing(connection, release_id, out_dir)
        problems += [f"Bản {release_id}: tệp {name} thiếu, đã đổi hoặc thêm vào." for name in wrong]
    return problems
