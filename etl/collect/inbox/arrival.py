"""What an inbox is: things that lie in it, and the files that they bring."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from etl.errors import TiendoError

_UNFINISHED = (".part", ".partial", ".tmp", ".crdownload", ".filepart", ".download", ".swp")


@dataclass(frozen=True)
class Item:
    """One thing in the inbox: a file, or a mail with whatever is attached to it.

    ``key`` names it, ``revision`` changes whenever its content may have: what was archived under both need not be
    fetched again.
    """

    key: str
    revision: str
    size_bytes: int | None = None


@dataclass(frozen=True)
class Arrival:
    """One file as it came in.

    ``file_name`` is for people, ``path`` tells it apart within the inbox, ``folders`` are the drop folders that it lay
    in, outermost first. ``received_at`` is the source's own word for when it came in: the time of the file, of the
    object, or the moment at which the mail server took the mail. ``sender`` wrote it; ``forwarded_by`` passed it on;
    ``original_date`` is the date in the sender's own mail (case 48). ``pieces`` gives the bytes, a piece at a time; it
    raises InboxDownError, UnreadableError or StillArrivingError.
    """

    file_name: str
    path: str
    received_at: datetime
    pieces: Callable[[], Iterator[bytes]]
    folders: tuple[str, ...] = ()
    size_bytes: int | None = None
    sender: str | None = None
    forwarded_by: str | None = None
    message_id: str | None = None
    original_date: datetime | None = None


class Inbox(Protocol):
    """A place where reports arrive. ``name`` is what deliveries are kept under; it never holds a password.

    Nothing in the place is changed or removed. Every method raises InboxDownError when the place
    does not answer as needed.
    """

    @property
    def name(self) -> str: ...

    def items(self, now: datetime) -> Iterator[Item]:
        """What lies there, without its content; opens the connection."""

    def arrivals(self, item: Item) -> Iterator[Arrival]:
        """The files of one item, in its own order. Raises UnreadableError when it is gone or closed to us."""

    def close(self) -> None:
        """Let go of the connection; may be called at any time."""


class UnreadableError(TiendoError):
    """This one item may not be read or was taken away meanwhile; the others go on."""


class StillArrivingError(TiendoError):
    """This one item changed while it was read: it is left for the next turn."""


def key_of(parts: tuple[str, ...], taken: Container[str]) -> str:
    """Key of a file by the shown parts of its path; numbered where another file is shown under the same name, such as
    the composed and the decomposed form of one word."""
    key, n = "/".join(parts), 1
    while key in taken:
        n += 1
        key = "/".join(parts) + f"~{n}"
    return key


def is_ignored(parts: tuple[str, ...]) -> bool:
    """Paths that are no delivery: hidden files and folders, lock files of Excel, uploads under way, the folder
    ``reference`` and ``truth.json``, which a sample writes beside its workbooks."""
    *folders, name = parts
    return (
        any(part.startswith(".") for part in parts)
        or "reference" in folders
        or name.startswith("~$")
        or name.lower().endswith(_UNFINISHED)
        or name == "truth.json"
    )
