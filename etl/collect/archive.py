"""The archive: received bytes are kept under their sha256 before anything opens them (law 1)."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path

from psycopg import sql

from etl.errors import InfrastructureError
from etl.load.warehouse import Connection

MAX_BYTES = 100 * 1024 * 1024
"""A file beyond this is kept as far as this: no report is a twentieth of it, and one file must not fill the disk."""


@dataclass(frozen=True)
class Stored:
    """``is_whole`` is False when the source had more than the archive keeps; then the size is that of what is kept."""

    sha256: str
    size_bytes: int
    is_whole: bool


@dataclass(frozen=True)
class Delivery:
    """One file in one inbox, as it goes into ``raw.delivery``.

    ``path`` within the inbox, with the content, makes it the same delivery or another one. ``container_sha256`` is the
    zip that it lay in. ``said_commune`` and ``said_period`` are what its drop folders say, or else (the commune) the
    sender's address; ``sender_commune`` is what that address says in any case. ``source_size_bytes`` only where the
    archive keeps less than the source has.
    """

    sha256: str
    size_bytes: int
    inbox: str
    path: str
    file_name: str
    received_at: datetime
    sender: str | None = None
    forwarded_by: str | None = None
    message_id: str | None = None
    original_date: datetime | None = None
    container_sha256: str | None = None
    said_commune: str | None = None
    said_period: str | None = None
    sender_commune: str | None = None
    source_size_bytes: int | None = None


def key_of(sha256: str) -> str:
    """Place in the archive: ``ab/abcdef…``."""
    return f"{sha256[:2]}/{sha256}"


def store(archive: Path, data: bytes) -> str:
    """Keep ``data`` in the archive; returns its sha256."""
    return store_pieces(archive, iter((data,)), len(data)).sha256


def store_pieces(archive: Path, pieces: Iterator[bytes], limit_bytes: int = MAX_BYTES) -> Stored:
    """Keep what ``pieces`` give, up to the limit, without holding it in memory.

    Written beside and renamed, so never half there; what the source raises half-way leaves nothing behind. Idempotent:
    the place is the content's own hash.
    """
    archive.mkdir(parents=True, exist_ok=True)
    digest, size, is_whole = hashlib.sha256(), 0, True
    with tempfile.NamedTemporaryFile(dir=archive, prefix=".", delete=False) as handle:
        written = Path(handle.name)
        try:
            for piece in pieces:
                kept = piece[: limit_bytes - size]
                digest.update(kept)
                handle.write(kept)
                size += len(kept)
                if len(kept) < len(piece):
                    is_whole = False
                    break
            sha256 = digest.hexdigest()
            target = archive / key_of(sha256)
            if not target.exists():
                handle.flush()
                os.fsync(handle.fileno())
                target.parent.mkdir(parents=True, exist_ok=True)
                written.chmod(0o440)
                written.replace(target)
        finally:
            written.unlink(missing_ok=True)
    return Stored(sha256, size, is_whole)


def has(archive: Path, sha256: str) -> bool:
    return (archive / key_of(sha256)).is_file()


def fetch(archive: Path, sha256: str) -> bytes:
    """The original; raises InfrastructureError when the archive has lost or changed it."""
    try:
        data = (archive / key_of(sha256)).read_bytes()
    except FileNotFoundError as error:
        raise InfrastructureError(f"Kho lưu tệp gốc thiếu tệp {sha256}.") from error
    if hashlib.sha256(data).hexdigest() != sha256:
        raise InfrastructureError(f"Tệp gốc {sha256} trong kho lưu đã bị thay đổi.")
    return data


def known_items(connection: Connection, inbox: str) -> dict[tuple[str, str], list[str]]:
    """What was fetched from the inbox before: (item, revision) -> sha256 of every original that it brought."""
    rows = connection.execute(
        "select item, revision, originals from raw.inbox_item where inbox = %s", (inbox,)
    ).fetchall()
    return {(item, revision): originals for item, revision, originals in rows}


@dataclass(frozen=True)
class Fetched:
    """One item of an inbox (a file or a mail) under one revision, with the deliveries that it brought."""

    item: str
    revision: str
    deliveries: Sequence[Delivery]


_DELIVERY = tuple(field.name for field in fields(Delivery) if field.name != "size_bytes")
_INSERT_DELIVERY = sql.SQL(
    "insert into raw.delivery ({}) values ({}) on conflict (inbox, path, sha256) do nothing"
).format(sql.SQL(", ").join(map(sql.Identifier, _DELIVERY)), sql.SQL(", ").join(map(sql.Placeholder, _DELIVERY)))


def register(connection: Connection, inbox: str, fetched: Sequence[Fetched], now: datetime) -> int:
    """Note the originals and deliveries of some items, and that they were fetched; all or nothing, idempotent.

    Returns how many deliveries are new. A source's clock that runs ahead does not count: nothing is received later
    than ``now``.
    """
    deliveries = [delivery for one in fetched for delivery in one.deliveries]
    rows = [
        {name: getattr(d, name) for name in _DELIVERY} | {"received_at": min(d.received_at, now)} for d in deliveries
    ]
    with connection.transaction(), connection.cursor() as cursor:
        cursor.executemany(
            "insert into raw.original values (%s, %s, %s, %s) on conflict (sha256) do nothing",
            [(d.sha256, d.size_bytes, key_of(d.sha256), now) for d in deliveries],
        )
        cursor.executemany(_INSERT_DELIVERY, rows)
        new = max(cursor.rowcount, 0)
        cursor.executemany(
            "insert into raw.inbox_item values (%s, %s, %s, %s, %s) on conflict do nothing",
            [
                (inbox, one.item, one.revision, list(dict.fromkeys(d.sha256 for d in one.deliveries)), now)
                for one in fetched
            ],
        )
    return new
