"""The inbox and the archive: received bytes are kept under their sha256 before anything opens them (law 1)."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from etl.errors import InfrastructureError
from etl.load.warehouse import Connection

_UNFINISHED = (".part", ".tmp", ".crdownload", ".filepart")


@dataclass(frozen=True)
class Arrival:
    """A file in the inbox. ``received_at``: when the sender put it there, as the folder says."""

    path: Path
    file_name: str
    received_at: datetime


def scan(inbox: Path) -> Iterator[Arrival]:
    """Files of the inbox and its subfolders, in the order of their names.

    Left out: hidden files, lock files of Excel (``~$``), uploads under way, the folder ``reference`` and
    ``truth.json``, which a sample writes beside its workbooks.
    """
    for path in sorted(inbox.rglob("*")):
        parts = path.relative_to(inbox).parts
        if any(p.startswith(".") for p in parts) or "reference" in parts[:-1] or not path.is_file():
            continue
        if path.name.startswith("~$") or path.suffix.lower() in _UNFINISHED or path.name == "truth.json":
            continue
        # A name that is not UTF-8 is shown with replacement marks; the bytes are what counts.
        name = os.fsencode(path.name).decode("utf-8", "replace")
        yield Arrival(path, name, datetime.fromtimestamp(path.stat().st_mtime, UTC))


def key_of(sha256: str) -> str:
    """Place in the archive: ``ab/abcdef…``."""
    return f"{sha256[:2]}/{sha256}"


def store(archive: Path, data: bytes) -> str:
    """Keep ``data`` in the archive; returns its sha256. Written beside and renamed, so never half there."""
    sha256 = hashlib.sha256(data).hexdigest()
    target = archive / key_of(sha256)
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".", delete=False) as handle:
            handle.write(data)
            handle.flush()
            os.fsync(handle.fileno())
        Path(handle.name).chmod(0o440)
        Path(handle.name).replace(target)
    return sha256


def fetch(archive: Path, sha256: str) -> bytes:
    """The original; raises InfrastructureError when the archive has lost or changed it."""
    try:
        data = (archive / key_of(sha256)).read_bytes()
    except FileNotFoundError as error:
        raise InfrastructureError(f"Kho lưu tệp gốc thiếu tệp {sha256}.") from error
    if hashlib.sha256(data).hexdigest() != sha256:
        raise InfrastructureError(f"Tệp gốc {sha256} trong kho lưu đã bị thay đổi.")
    return data


def register(connection: Connection, inbox: str, arrival: Arrival, sha256: str, size: int, now: datetime) -> bool:
    """Note the original and its delivery; False when this very delivery is known. Idempotent.

    A sender's clock that runs ahead does not count: nothing is received later than ``now``.
    """
    with connection.transaction():
        connection.execute(
            "insert into raw.original values (%s, %s, %s, %s) on conflict (sha256) do nothing",
            (sha256, size, key_of(sha256), now),
        )
        return bool(
            connection.execute(
                """
                insert into raw.delivery (sha256, inbox, file_name, received_at) values (%s, %s, %s, %s)
                on conflict (inbox, file_name, sha256) do nothing
                """,
                (sha256, inbox, arrival.file_name, min(arrival.received_at, now)),
            ).rowcount
        )
