"""A release as it was frozen: its row, its figures, its files and their hashes, in the warehouse and on disk."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from etl.errors import ReleaseError, UsageError
from etl.load.warehouse import Connection
from etl.period import Period
from etl.publish import figures as figure_rows
from etl.publish import provenance, words
from etl.publish.figure import FigureSet, ordered

_NAME = re.compile(r"(?:[\w-][\w.-]*/)?[\w-][\w.-]*")
"""Names of artifacts: a file of the release's folder, or of one folder in it (``thu/06517.pdf``)."""
_COLUMNS = "release_id, period, budget_year, release_no, known_at, facts_sha256, manifest_sha256"


@dataclass(frozen=True)
class Release:
    """A row of ``release.release``."""

    release_id: str
    period: Period
    budget_year: int
    release_no: int
    known_at: datetime
    facts_sha256: str
    manifest_sha256: str


def _release(row: Sequence[Any] | None) -> Release | None:
    return Release(row[0], Period.parse(row[1]), *row[2:]) if row else None


def get(connection: Connection, release_id: str) -> Release:
    """The release; raises UsageError when there is none of that name."""
    release = _release(
        connection.execute(f"select {_COLUMNS} from release.release where release_id = %s", (release_id,)).fetchone()
    )
    if release is None:
        raise UsageError(f"Không có bản tổng hợp {release_id}.")
    return release


def latest(connection: Connection, period: Period, year: int) -> Release | None:
    """The release of the highest number, published or not."""
    return _release(
        connection.execute(
            f"select {_COLUMNS} from release.release where period = %s and budget_year = %s "
            "order by release_no desc limit 1",
            (str(period), year),
        ).fetchone()
    )


def published_before(connection: Connection, release: Release) -> Release | None:
    """The last published release of the same period and budget year with a lower number."""
    return _release(
        connection.execute(
            f"select {_COLUMNS} from release.release "
            "inner join release.publication using (release_id, manifest_sha256) "
            "where period = %s and budget_year = %s and release_no < %s order by release_no desc limit 1",
            (str(release.period), release.budget_year, release.release_no),
        ).fetchone()
    )


def before(connection: Connection, release: Release) -> Release | None:
    """What a release is compared with: the last published one, else the draft before it."""
    found = published_before(connection, release)
    if found is not None:
        return found
    return _release(
        connection.execute(
            f"select {_COLUMNS} from release.release where period = %s and budget_year = %s and release_no < %s "
            "order by release_no desc limit 1",
            (str(release.period), release.budget_year, release.release_no),
        ).fetchone()
    )


def later(connection: Connection, release: Release) -> str | None:
    """Name of the latest release of a higher number: it takes the place of one that is not published yet."""
    row = connection.execute(
        "select release_id from release.release where period = %s and budget_year = %s and release_no > %s "
        "order by release_no desc limit 1",
        (str(release.period), release.budget_year, release.release_no),
    ).fetchone()
    return str(row[0]) if row else None


def is_published(connection: Connection, release_id: str) -> bool:
    row = connection.execute("select 1 from release.publication where release_id = %s", (release_id,)).fetchone()
    return row is not None


def figures_of(connection: Connection, release: Release) -> FigureSet:
    """The stored figures of a release, with the words that they were said in."""
    rows = ordered(figure_rows.stored(connection, release.release_id))
    made = provenance.of(connection, release.release_id)
    spoken = words.of(made.words if made else None)
    return FigureSet(release.release_id, release.period, release.budget_year, release.known_at, rows, spoken)


def artifacts(connection: Connection, release_id: str) -> dict[str, dict[str, Any]]:
    """name -> name, sha256, size_bytes, in the order of the names."""
    cursor = connection.cursor(row_factory=dict_row)
    rows = cursor.execute(
        'select name, sha256, size_bytes from release.artifact where release_id = %s order by name collate "C"',
        (release_id,),
    )
    return {row["name"]: row for row in rows}


def sealed(connection: Connection, release_id: str) -> dict[str, str]:
    """name -> sha256 as frozen."""
    return {name: str(row["sha256"]) for name, row in artifacts(connection, release_id).items()}


def hashes(files: Mapping[str, bytes]) -> dict[str, str]:
    return {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}


def manifest_sha256(digests: Mapping[str, str]) -> str:
    """What an approval is bound to: sha256 over the lines ``sha256  name`` sorted by name."""
    lines = "".join(f"{digests[name]}  {name}\n" for name in sorted(digests))
    return hashlib.sha256(lines.encode()).hexdigest()


def folder(out_dir: Path, release: Release) -> Path:
    return out_dir / str(release.period) / release.release_id


def on_disk(where: Path) -> dict[str, str]:
    """name -> sha256 of every file under the folder, names with ``/`` as in the table of artifacts."""
    if not where.is_dir():
        return {}
    return {
        path.relative_to(where).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(where.rglob("*"))
        if path.is_file()
    }


def require_names(names: Sequence[str]) -> None:
    """Raises ReleaseError for a name that is no file of the release's folder or of one folder in it."""
    wrong = sorted(name for name in names if not _NAME.fullmatch(name))
    if wrong:
        raise ReleaseError(f"Tên tệp của bản tổng hợp không hợp lệ: {', '.join(wrong)}; chỉ được có một dấu /.")


def write(target: Path, files: Mapping[str, bytes]) -> None:
    """All files or none: written beside the target, then renamed. A left-over of a killed run is replaced."""
    require_names(list(files))
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.parent / f".{target.name}.new"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir()
    for name, content in files.items():
        path = fresh / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    if target.exists():
        shutil.rmtree(target)
    fresh.rename(target)


def check_files(connection: Connection, release_id: str, out_dir: Path) -> None:
    """The files on disk are those that were frozen; raises ReleaseError naming the ones that differ."""
    wrong = differing(connection, release_id, out_dir)
    if wrong:
        raise ReleaseError(
            f"Tệp của bản {release_id} không còn đúng như khi chốt: {', '.join(wrong)}. Chạy lại bước tổng hợp để khôi "
            "phục tệp rồi phê duyệt lại."
        )


def differing(connection: Connection, release_id: str, out_dir: Path) -> list[str]:
    """Names of files that are missing, changed or were slipped in."""
    frozen = sealed(connection, release_id)
    present = on_disk(folder(out_dir, get(connection, release_id)))
    return sorted(n for n in frozen.keys() | present.keys() if frozen.get(n) != present.get(n))


def audit(
    connection: Connection, now: datetime, actor: str, action: str, subject: str, detail: Mapping[str, object]
) -> None:
    connection.execute("select audit.append(%s, %s, %s, %s, %s)", (now, actor, action, subject, Jsonb(dict(detail))))
