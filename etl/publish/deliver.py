"""Sending a published release to its recipients, and any other mail that may go out once: claim before send (law 11).

One row of a ledger per key, recipient and channel: of ``release.delivery`` per release, of ``raw.reply`` per delivery
that is answered, of ``core.follow_up_digest`` per day. The claim is committed **before** anything
is sent, the outcome after it. A process that dies in between leaves a claim without an end: whether the mail
went out is unknown, and it is never sent again on its own. A definite refusal is ``failed``, with the words
of the server.
"""

from __future__ import annotations

import hashlib
import re
import smtplib
import ssl
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

import psycopg
from psycopg import sql

from etl import clock, settings
from etl.errors import InfrastructureError, UsageError
from etl.period import Period
from etl.reference.province import read_csv

CONTENT_TYPES = {
    ".pdf": "application/pdf",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".html": "text/html",
}
_IN_A_NAME = re.compile(r"[^\w.@+-]")
LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Recipient:
    """One row of recipients.csv. ``code`` is what the delivery is booked under; the address may change."""

    code: str
    name_vi: str
    email: str
    role_vi: str


@dataclass(frozen=True)
class Ledger:
    """Where a mail is booked: a table, and what stands for the occasion in its key beside recipient and channel."""

    table: str
    key: Mapping[str, Any]

    def columns(self) -> sql.Composed:
        return sql.SQL(", ").join(map(sql.Identifier, (*self.key, "recipient", "channel")))

    def name(self) -> sql.Identifier:
        return sql.Identifier(*self.table.split("."))

    def values(self, recipient: Recipient, channel: Channel) -> tuple[Any, ...]:
        return (*self.key.values(), recipient.code, channel.name)

    def where(self) -> sql.Composed:
        columns = map(sql.Identifier, (*self.key, "recipient", "channel"))
        return sql.SQL(" and ").join(sql.SQL("{} = %s").format(c) for c in columns)


@dataclass(frozen=True)
class Outcome:
    """Recipients by what became of them: sent now, sent by an earlier call, refused, unknown (see above)."""

    delivered: int = 0
    already: int = 0
    failed: int = 0
    unknown: int = 0

    def as_dict(self) -> dict[str, int]:
        return asdict(self)


@dataclass(frozen=True)
class Cover:
    """What the mail says about the release; the sentences come from the figure table."""

    release_id: str
    period: Period
    known_at: datetime
    sentences: tuple[str, ...]
    attachments: tuple[Path, ...]
    sender: str


class RefusedError(Exception):
    """The mail has definitely not been accepted; the text is the server's."""


class AmbiguousError(Exception):
    """The connection broke while the mail was being handed over: it may or may not have been accepted."""


class Channel(Protocol):
    """A way out. ``ready`` may raise InfrastructureError, before anything is claimed; ``send`` hands over."""

    name: str

    def ready(self) -> None: ...

    def send(self, message: EmailMessage, recipient: Recipient) -> None: ...

    def close(self) -> None: ...


def active_recipients(folder: Path) -> list[Recipient]:
    """Recipients in use, in the order of ``recipients.csv`` in the province's folder."""
    return [
        Recipient(row["recipient_code"], row["name_vi"], row["email"], row["role_vi"])
        for row in read_csv(folder / "recipients.csv")
        if row["active"] == "yes"
    ]


def compose(cover: Cover, recipient: Recipient) -> EmailMessage:
    """The mail of one recipient; the same bytes for the same release and recipient.

    Date is the moment that the release froze; Message-ID and boundary come from release and recipient.
    """
    identity = hashlib.sha256(f"{cover.release_id}|{recipient.code}".encode()).hexdigest()[:32]
    message = EmailMessage(policy=SMTP)
    message["From"] = cover.sender
    message["To"] = recipient.email
    message["Subject"] = (
        f"Báo cáo tổng hợp các Chương trình mục tiêu quốc gia {cover.period.vi} (bản {cover.release_id})"
    )
    message["Date"] = format_datetime(cover.known_at)
    message["Message-ID"] = f"<{cover.release_id}.{identity}@{cover.sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message["Content-Language"] = "vi"
    message.set_content(_body(cover, recipient), cte="base64")
    for path in cover.attachments:
        maintype, _, subtype = CONTENT_TYPES.get(path.suffix, "application/octet-stream").partition("/")
        message.add_attachment(path.read_bytes(), maintype=maintype, subtype=subtype, filename=path.name)
    if message.is_multipart():
        message.set_boundary(f"=_{identity}")
    return message


_CONTENTS = {
    "bao-cao": "báo cáo và các phụ lục",
    "tom-tat": "tóm tắt trong một trang",
    "bang-bieu": "các bảng số liệu",
    "tong-hop": "trang tổng hợp có biểu đồ, mở bằng trình duyệt",
    "truy-vet": "nguồn gốc của từng số liệu, để cùng thư mục với trang tổng hợp",
}
_USES = {".pdf": ", bản để đọc và in", ".docx": ", bản để chỉnh sửa và ký"}


def _content(name: str) -> str:
    """What a file of the pack holds; nothing for a file of another kind."""
    kind = next((text for prefix, text in _CONTENTS.items() if name.startswith(prefix)), "")
    return f": {kind}{_USES.get(Path(name).suffix, '')}" if kind else ""


def _body(cover: Cover, recipient: Recipient) -> str:
    files = [f"  {path.name}{_content(path.name)}" for path in cover.attachments]
    return "\n".join(
        [
            f"Kính gửi: {recipient.name_vi}",
            "",
            "Xin trân trọng gửi Báo cáo tổng hợp tình hình thực hiện các Chương trình mục tiêu quốc gia "
            f"{cover.period.vi}.",
            f"Bản phát hành {cover.release_id}, số liệu chốt lúc {clock.show(cover.known_at)}.",
            "",
            *cover.sentences,
            "",
            *(["Tệp kèm theo:", *files, ""] if files else []),
            "Thư do hệ thống Tiến độ gửi tự động, mỗi nơi nhận một lần cho mỗi bản phát hành.",
            "",
        ]
    )


def deliver(
    connection: psycopg.Connection[Any],
    release_id: str,
    recipients: Iterable[Recipient],
    message_for: Callable[[Recipient], EmailMessage],
    channel: Channel,
    now: datetime,
    *,
    retry_failed: bool = False,
) -> Outcome:
    """Send the release to each recipient at most once over ``channel``; commits on ``connection`` as it goes.

    Idempotent: whoever has a row is not sent to again, because the row is there before the mail goes out and
    its key admits one. ``retry_failed`` tries definite refusals again, when a person asks for it. Raises
    InfrastructureError when the way out is closed; the recipients not reached yet have no row and stay due.
    """
    ledger = Ledger("release.delivery", {"release_id": release_id})
    states: list[str] = []
    try:
        for recipient in recipients:
            states.append(
                send_once(connection, ledger, recipient, message_for, channel, now, retry_failed=retry_failed)
            )
    finally:
        channel.close()
    return counted(states)


def counted(states: Sequence[str]) -> Outcome:
    """The outcome of several calls of ``send_once``."""
    return Outcome(**{state: states.count(state) for state in ("delivered", "already", "failed", "unknown")})


def send_once(
    connection: psycopg.Connection[Any],
    ledger: Ledger,
    recipient: Recipient,
    message_for: Callable[[Recipient], EmailMessage],
    channel: Channel,
    now: datetime,
    *,
    retry_failed: bool = False,
    with_claim: Callable[[psycopg.Connection[Any]], None] | None = None,
) -> str:
    """Send one mail unless the ledger has it: ``delivered``, ``already``, ``failed`` or ``unknown``. Commits.

    ``with_claim`` writes what has to be booked in the same transaction as the claim.
    Raises InfrastructureError when the way out is closed; then nothing has been claimed.
    """
    found = _state(connection, ledger, recipient, channel)
    if found is None or (found == "failed" and retry_failed):
        channel.ready()
        message = message_for(recipient)
        if _claim(connection, ledger, recipient, channel, now, found, with_claim):
            return _send(connection, ledger, recipient, message, channel, now)
        found = _state(connection, ledger, recipient, channel)
    return {"sent": "already", "failed": "failed"}.get(str(found), "unknown")


def _state(connection: psycopg.Connection[Any], ledger: Ledger, recipient: Recipient, channel: Channel) -> str | None:
    row = connection.execute(
        sql.SQL("select state from {} where {}").format(ledger.name(), ledger.where()),
        ledger.values(recipient, channel),
    ).fetchone()
    connection.commit()
    return row[0] if row else None


def _claim(
    connection: psycopg.Connection[Any],
    ledger: Ledger,
    recipient: Recipient,
    channel: Channel,
    now: datetime,
    found: str | None,
    with_claim: Callable[[psycopg.Connection[Any]], None] | None = None,
) -> bool:
    """Book the delivery before it happens: a new row, or a refused one anew. False: another was first."""
    claimed = connection.execute(
        sql.SQL(
            "insert into {table} as l ({columns}, state, claimed_at) values ({places}, 'claimed', %s) "
            "on conflict ({columns}) do update "
            "set state = 'claimed', claimed_at = excluded.claimed_at, finished_at = null, detail = null "
            "where l.state = %s returning 1"
        ).format(
            table=ledger.name(),
            columns=ledger.columns(),
            places=sql.SQL(", ").join([sql.Placeholder()] * (len(ledger.key) + 2)),
        ),
        (*ledger.values(recipient, channel), now, found),
    ).fetchone()
    if claimed is not None and with_claim is not None:
        with_claim(connection)
    connection.commit()
    return claimed is not None


def _send(
    connection: psycopg.Connection[Any],
    ledger: Ledger,
    recipient: Recipient,
    message: EmailMessage,
    channel: Channel,
    now: datetime,
) -> str:
    """Hand over one claimed mail and book the outcome. An ambiguous one keeps its claim."""
    try:
        channel.send(message, recipient)
        outcome, state, detail = "delivered", "sent", recipient.email
    except RefusedError as refusal:
        outcome, state, detail = "failed", "failed", str(refusal)
    except AmbiguousError as doubt:
        outcome, state, detail = "unknown", "claimed", str(doubt)
    connection.execute(
        sql.SQL("update {} set state = %s, detail = %s, finished_at = %s where {}").format(
            ledger.name(), ledger.where()
        ),
        (state, detail, None if state == "claimed" else now, *ledger.values(recipient, channel)),
    )
    connection.commit()
    return outcome


@dataclass
class Outbox:
    """Writes one .eml per mail into a folder, whole or not at all; another program may carry them on."""

    folder: Path
    name: str = "outbox"

    def ready(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InfrastructureError(f"Không ghi được vào hộp gửi {self.folder}: {error}") from error

    def send(self, message: EmailMessage, recipient: Recipient) -> None:
        release_id = str(message["Message-ID"]).strip("<").partition(".")[0]
        target = self.folder / f"{release_id}_{_IN_A_NAME.sub('_', recipient.code)}.eml"
        unfinished = target.with_suffix(".part")
        try:
            unfinished.write_bytes(message.as_bytes())
            unfinished.replace(target)
        except OSError as error:
            raise RefusedError(f"Không ghi được {target.name}: {error}") from error

    def close(self) -> None:
        """Nothing is held open."""


class Smtp:
    """``smtp://[user:password@]host[:port]`` (STARTTLS when the server offers it) or ``smtps://…``."""

    name = "smtp"

    def __init__(self, url: str, timeout_seconds: int = 30) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
            raise UsageError("Địa chỉ máy chủ thư phải có dạng smtp://máy[:cổng] hoặc smtps://máy[:cổng].")
        self._host = parts.hostname
        self._tls = parts.scheme == "smtps"
        self._port = parts.port or (465 if self._tls else 25)
        self._user, self._password = unquote(parts.username or ""), unquote(parts.password or "")
        self._timeout = timeout_seconds
        self._server: smtplib.SMTP | None = None

    def ready(self) -> None:
        """Connect and log in, or find the connection alive. Raises InfrastructureError."""
        if self._server is not None:
            with suppress(smtplib.SMTPException, OSError):
                if self._server.noop()[0] == 250:
                    return
            self.close()
        try:
            self._server = self._connect()
        except (smtplib.SMTPException, OSError) as error:
            where = f"{self._host}:{self._port}"
            raise InfrastructureError(f"Không kết nối được máy chủ thư {where}: {error}") from error

    def _connect(self) -> smtplib.SMTP:
        context = ssl.create_default_context()
        if self._tls:
            server: smtplib.SMTP = smtplib.SMTP_SSL(self._host, self._port, timeout=self._timeout, context=context)
        else:
            server = smtplib.SMTP(self._host, self._port, timeout=self._timeout)
        try:
            server.ehlo()
            encrypted = self._tls
            if not encrypted and server.has_extn("starttls"):
                server.starttls(context=context)
                server.ehlo()
                encrypted = True
            if self._user:
                if not encrypted and self._host not in LOOPBACK:
                    raise UsageError(f"Máy chủ thư {self._host} không mã hóa đường truyền: không gửi mật khẩu.")
                server.login(self._user, self._password)
        except BaseException:
            server.close()
            raise
        return server

    def send(self, message: EmailMessage, recipient: Recipient) -> None:
        if self._server is None:
            raise RefusedError("Chưa kết nối máy chủ thư.")
        try:
            self._server.send_message(message, to_addrs=[recipient.email])
        except smtplib.SMTPRecipientsRefused as refusal:
            code, text = refusal.recipients[recipient.email]
            raise RefusedError(f"{code} {_text(text)}") from refusal
        except smtplib.SMTPResponseException as refusal:
            raise RefusedError(f"{refusal.smtp_code} {_text(refusal.smtp_error)}") from refusal
        except (smtplib.SMTPServerDisconnected, OSError) as broken:
            self.close()
            raise AmbiguousError(f"mất kết nối khi đang gửi: {broken}") from broken

    def close(self) -> None:
        """Say goodbye; a server that has gone needs none."""
        if self._server is not None:
            with suppress(smtplib.SMTPException, OSError):
                self._server.quit()
            self._server.close()
            self._server = None


def _text(answer: bytes | str) -> str:
    return answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer


def channel_for(conf: settings.Settings, smtp_url: str | None = None) -> Channel:
    """SMTP where an address is given (by the caller, else by the settings), the outbox folder otherwise."""
    url = smtp_url or conf.smtp_url
    return Smtp(url) if url else Outbox(conf.outbox_dir)


def cover_of(
    release_id: str,
    period: Period,
    known_at: datetime,
    sentences: Sequence[str],
    artifacts: Sequence[Path],
    sender: str,
) -> Cover:
    """The cover with those files that are mailed (PDF, DOCX, XLSX, HTML), in that order of kinds."""
    order = list(CONTENT_TYPES)
    mailed = sorted((path for path in artifacts if path.suffix in order), key=lambda p: (order.index(p.suffix), p.name))
    return Cover(release_id, period, known_at, tuple(sentences), tuple(mailed), sender)
