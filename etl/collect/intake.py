"""From the inboxes into the archive: everything is kept and registered before anything is read (law 1).

Each inbox has its own thread: one that does not answer delays only itself.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from etl.collect import archive, names, package
from etl.collect.archive import Delivery, Fetched
from etl.collect.guard import Refusal
from etl.collect.inbox import Arrival, Inbox, Item, StillArrivingError, UnreadableError
from etl.collect.place import Places
from etl.errors import InboxDownError
from etl.load import warehouse

TURN_SECONDS = 15 * 60
"""After this an inbox counts as down for this turn; what it brought so far is kept."""


_TOGETHER = 50
"""So many items are registered in one transaction."""


@dataclass
class Turn:
    """What one inbox brought in one turn.

    ``seen``: files and mails that lie there and are archived now or before; ``new``: deliveries that were not known;
    ``unreadable``: not ours to read or taken away meanwhile; ``left``: uploads under way, for the next turn; ``cut``:
    larger than the archive keeps; ``down``: why it could not be read to the end.
    """

    name: str
    seen: int = 0
    new: int = 0
    unreadable: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    cut: list[str] = field(default_factory=list)
    down: str | None = None
    broken: BaseException | None = None


def take_in(
    inboxes: Sequence[Inbox],
    archive_dir: Path,
    places: Places,
    now: datetime,
    turn_seconds: float = TURN_SECONDS,
) -> list[Turn]:
    """Every inbox into the archive, side by side. Idempotent: what is known is neither fetched nor registered again.

    Raises what is broken on our own side (warehouse, disk), after every inbox has had its turn.
    """
    address = warehouse.url()
    turns = [Turn(inbox.name) for inbox in inboxes]
    if len(inboxes) == 1:
        _take_turn(turns[0], inboxes[0], archive_dir, places, now, address)
    else:
        threads = [
            threading.Thread(
                target=_take_turn, args=(turn, inbox, archive_dir, places, now, address), name=inbox.name, daemon=True
            )
            for turn, inbox in zip(turns, inboxes, strict=True)
        ]
        for thread in threads:
            thread.start()
        end = time.monotonic() + turn_seconds
        for thread, turn in zip(threads, turns, strict=True):
            thread.join(max(0.0, end - time.monotonic()))
            if thread.is_alive():
                turn.down = f"Hộp nhận {turn.name}: chưa đọc xong sau {turn_seconds / 60:g} phút, lần sau đọc tiếp."
    for turn in turns:
        if turn.broken is not None:
            raise turn.broken
    return turns


def _take_turn(turn: Turn, inbox: Inbox, archive_dir: Path, places: Places, now: datetime, address: str) -> None:
    fetched: list[Fetched] = []
    try:
        with warehouse.connect(address) as connection, closing(inbox):
            known = archive.known_items(connection, inbox.name)
            connection.commit()

            def register() -> None:
                turn.new += archive.register(connection, inbox.name, fetched, now)
                fetched.clear()

            try:
                for item in inbox.items(now):
                    originals = known.get((item.key, item.revision))
                    if originals is None or not all(archive.has(archive_dir, sha256) for sha256 in originals):
                        fetched += _take_item(turn, inbox, item, archive_dir, places)
                    else:
                        turn.seen += 1
                    if len(fetched) >= _TOGETHER:
                        register()
            finally:
                register()  # what was fetched before a source went down is kept
    except InboxDownError as error:
        turn.down = str(error)
    except BaseException as error:  # handed to the caller's thread
        turn.broken = error


def _take_item(turn: Turn, inbox: Inbox, item: Item, archive_dir: Path, places: Places) -> list[Fetched]:
    """The item in the archive; nothing when it cannot be read now."""
    try:
        deliveries = [
            delivery
            for arrival in inbox.arrivals(item)
            for delivery in _keep(turn, inbox.name, arrival, archive_dir, places)
        ]
    except UnreadableError as error:
        turn.unreadable.append(str(error))
    except StillArrivingError as error:
        turn.left.append(str(error))
    else:
        turn.seen += 1
        return [Fetched(item.key, item.revision, deliveries)]
    return []


def _keep(turn: Turn, inbox: str, arrival: Arrival, archive_dir: Path, places: Places) -> list[Delivery]:
    """The arrival, and what it holds when it is a zip of workbooks: each original in the archive."""
    stored = archive.store_pieces(archive_dir, arrival.pieces())
    whole = _delivery(inbox, arrival, places, stored.sha256, stored.size_bytes)
    if not stored.is_whole:
        turn.cut.append(arrival.path)
        return [replace(whole, source_size_bytes=arrival.size_bytes)]
    data = archive.fetch(archive_dir, stored.sha256) if _starts_like_a_zip(archive_dir, stored.sha256) else b""
    if not package.is_package(data):
        return [whole]
    members = package.unpack(arrival.file_name, data)
    if isinstance(members, Refusal):  # the verdict is given where every original gets its own
        return [whole]
    found = [whole]
    for member in members:
        folders = (*arrival.folders, names.shown(Path(arrival.file_name).stem), *member.folders)
        inner = _delivery(inbox, arrival, places, archive.store(archive_dir, member.data), len(member.data), folders)
        path = f"{arrival.path}/{member.path}"
        found.append(replace(inner, path=path, file_name=names.base_name(member.name), container_sha256=stored.sha256))
    return found


def _starts_like_a_zip(archive_dir: Path, sha256: str) -> bool:
    with (archive_dir / archive.key_of(sha256)).open("rb") as original:
        return original.read(2) == b"PK"


def _delivery(
    inbox: str, arrival: Arrival, places: Places, sha256: str, size: int, folders: Sequence[str] | None = None
) -> Delivery:
    said = places.by_folders(arrival.folders if folders is None else folders)
    sender_commune = places.by_sender(arrival.sender)
    return Delivery(
        sha256=sha256,
        size_bytes=size,
        inbox=inbox,
        path=arrival.path,
        file_name=arrival.file_name,
        received_at=arrival.received_at,
        sender=arrival.sender,
        forwarded_by=arrival.forwarded_by,
        message_id=arrival.message_id,
        original_date=arrival.original_date,
        said_commune=said.commune or sender_commune,
        said_period=said.period,
        sender_commune=sender_commune,
    )
