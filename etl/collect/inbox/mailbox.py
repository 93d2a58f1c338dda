"""An IMAP mailbox. It is opened read-only: no mail is changed, marked as seen, moved or removed.

``received_at`` is INTERNALDATE, the moment at which the office's own server took the mail: a sender's clock has no say
in it, and for a mail that somebody passed on it is the first official receipt (case 48).
"""

from __future__ import annotations

import base64
import imaplib
import re
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta, timezone
from functools import partial
from typing import Any

from etl.collect import names
from etl.collect.inbox import letter
from etl.collect.inbox.address import reaching
from etl.collect.inbox.arrival import Arrival, Item, UnreadableError
from etl.errors import InboxDownError, UsageError

TIMEOUT_SECONDS = 30
MAX_MAIL_BYTES = 64 * 1024 * 1024
"""A mail that is larger is kept as far as this, unopened. Mail servers take about half of it."""

_PIECE_BYTES = 1024 * 1024
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_SIZE = re.compile(rb"RFC822\.SIZE (\d+)")
_DATE = re.compile(rb'INTERNALDATE "([ \d]\d)-(\w{3})-(\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)"')
_MONTHS = (b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec")

Client = imaplib.IMAP4


class Mailbox:
    """``connect`` gives a client that is logged in. ``since``: mails that came in before that day are left alone."""

    def __init__(
        self,
        name: str,
        connect: Callable[[], Client],
        folder: str,
        *,
        since: date | None = None,
        secrets: Sequence[str] = (),
    ) -> None:
        self._name = name
        self._connect = connect
        self._folder = folder or "INBOX"
        self._since = since
        self._secrets = tuple(secrets)
        self._client: Client | None = None
        self._dates: dict[str, datetime] = {}

    @property
    def name(self) -> str:
        return self._name

    def items(self, now: datetime) -> Iterator[Item]:  # noqa: ARG002
        """All mails of the folder by their number; a number is valid as long as the server keeps its UIDVALIDITY."""
        with reaching(self._name, self._secrets):
            self._client = client = self._connect()
            _done(client.select(_quoted(self._folder), readonly=True))
            validity = client.response("UIDVALIDITY")[1][0] or b"0"
            criteria = ("SINCE", self._day(self._since)) if self._since else ("ALL",)
            found = _done(client.uid("SEARCH", *criteria))
            numbers = b" ".join(f for f in found if f).split()
        for number in numbers:
            yield Item(f"UID {number.decode()}", validity.decode())

    @staticmethod
    def _day(day: date) -> str:
        return f"{day.day:02}-{_MONTHS[day.month - 1].decode().title()}-{day.year}"

    def arrivals(self, item: Item) -> Iterator[Arrival]:
        number = item.key.removeprefix("UID ")
        with reaching(self._name, self._secrets):
            received_at, size = self._envelope(number)
            whole = size <= MAX_MAIL_BYTES
            head = b"" if whole else b"".join(self._fetch(number, 65_536))
            data = b"".join(self._fetch(number, MAX_MAIL_BYTES)) if whole else b""
        if not whole:
            origin = letter.origin(head)
            yield self._arrival(item, received_at, origin, "", f"thu-{number}.eml", partial(self._mail, number), size)
            return
        for found in letter.attachments(data):
            yield self._arrival(
                item,
                received_at,
                found.origin,
                found.part,
                found.file_name,
                partial(_once, found.data),
                len(found.data),
            )

    def whole(self, item: Item) -> bytes:
        """The mail itself, up to MAX_MAIL_BYTES. Raises InboxDownError."""
        with reaching(self._name, self._secrets):
            return b"".join(self._fetch(item.key.removeprefix("UID "), MAX_MAIL_BYTES))

    def _arrival(
        self,
        item: Item,
        received_at: datetime,
        origin: letter.Origin,
        part: str,
        file_name: str,
        pieces: Callable[[], Iterator[bytes]],
        size: int,
    ) -> Arrival:
        mail = (origin.message_id or f"{item.revision}.{item.key}").replace("/", "_")
        return Arrival(
            file_name=file_name,
            path="/".join(filter(None, [self._folder, mail, part, file_name])),
            received_at=received_at,
            pieces=pieces,
            folders=tuple(names.shown(f) for f in self._folder.split("/")),
            size_bytes=size,
            sender=origin.sender,
            forwarded_by=origin.forwarded_by,
            message_id=origin.message_id,
            original_date=origin.original_date,
        )

    def _envelope(self, number: str) -> tuple[datetime, int]:
        """When the server took the mail, and its size in bytes. Raises UnreadableError when it is no longer there."""
        answer = _done(self._open().uid("FETCH", number, "(INTERNALDATE RFC822.SIZE)"))
        text = b" ".join(part if isinstance(part, bytes) else b" ".join(part) for part in answer if part)
        size, received = _SIZE.search(text), _DATE.search(text)
        if not size or not received:
            raise UnreadableError(f"{self._folder} UID {number}")
        day, month, year, hour, minute, second, sign, zone_hours, zone_minutes = received.groups()
        offset = timedelta(hours=int(zone_hours), minutes=int(zone_minutes)) * (-1 if sign == b"-" else 1)
        moment = datetime(
            int(year),
            _MONTHS.index(month.lower()) + 1,
            int(day),
            int(hour),
            int(minute),
            min(int(second), 59),
            tzinfo=timezone(offset),
        )
        return moment.astimezone(UTC), int(size[1])

    def _fetch(self, number: str, limit: int) -> Iterator[bytes]:
        """The mail a piece at a time, never marked as seen."""
        start = 0
        while start < limit:
            answer = _done(self._open().uid("FETCH", number, f"(BODY.PEEK[]<{start}.{_PIECE_BYTES}>)"))
            piece = b"".join(part[1] for part in answer if isinstance(part, tuple))
            yield piece
            start += len(piece)
            if len(piece) < _PIECE_BYTES:
                return

    def _mail(self, number: str) -> Iterator[bytes]:
        pieces = self._fetch(number, 2**62)
        while True:
            with reaching(self._name, self._secrets):
                piece = next(pieces, b"")
            if not piece:
                return
            yield piece

    def _open(self) -> Client:
        if self._client is None:
            raise InboxDownError(f"Hộp nhận {self._name}: chưa kết nối.")
        return self._client

    def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            with suppress(imaplib.IMAP4.error, OSError):
                client.logout()


def connect(host: str, port: int | None, user: str, password: str, *, tls: bool, check: bool = True) -> Client:
    """A client that is logged in. Without ``tls`` from the first byte STARTTLS is used where the server offers it.

    Raises UsageError rather than send a password over an open line; loopback is none. ``check=False`` takes any
    certificate.
    """
    context = ssl.create_default_context()
    if not check:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    client: Client
    if tls:
        client = imaplib.IMAP4_SSL(host, port or 993, ssl_context=context, timeout=TIMEOUT_SECONDS)
    else:
        client = imaplib.IMAP4(host, port or 143, timeout=TIMEOUT_SECONDS)
    try:
        encrypted = tls
        if not encrypted and "STARTTLS" in client.capabilities:
            client.starttls(context)
            encrypted = True
        if not encrypted and host not in _LOOPBACK:
            raise UsageError(f"Máy chủ thư {host} không mã hóa đường truyền: không gửi mật khẩu.")
        if "AUTH=PLAIN" in client.capabilities:  # takes letters that LOGIN does not
            client.authenticate("PLAIN", lambda _: f"\0{user}\0{password}".encode())
        else:
            client.login(user, password)
    except BaseException:
        with suppress(OSError, imaplib.IMAP4.error):
            client.shutdown()
        raise
    return client


def _done(answer: tuple[str, list[Any]]) -> list[Any]:
    """Data of an answer that says OK; raises the server's words otherwise."""
    status, data = answer
    if status != "OK":
        words = next((part for part in data if isinstance(part, bytes)), b"")
        raise imaplib.IMAP4.error(words.decode("utf-8", "replace") or status)
    return data


def _once(data: bytes) -> Iterator[bytes]:
    yield data


def _quoted(folder: str) -> str:
    """A folder's name as the protocol wants it: modified UTF-7 (RFC 3501, 5.1.3) in quotes."""
    coded, waiting = "", ""
    for c in [*folder, ""]:
        if c and not " " <= c <= "~":
            waiting += c
            continue
        if waiting:
            packed = base64.b64encode(waiting.encode("utf-16-be")).decode().rstrip("=").replace("/", ",")
            coded, waiting = f"{coded}&{packed}-", ""
        coded += "&-" if c == "&" else c
    return '"' + coded.replace("\\", "\\\\").replace('"', '\\"') + '"'
