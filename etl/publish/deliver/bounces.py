"""Mails that came back: delivery status notifications (RFC 3464) in a mailbox or a folder, booked as ``bounced``.

Only what a mail server says in machine-readable form counts: the Message-ID of one of ours and ``Action: failed``. A
letter in words may be an answer of a person, and a delay is no failure. Nothing in the mailbox is changed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from etl import settings
from etl.collect.inbox import Inbox, Mailbox, UnreadableError, open_inbox
from etl.collect.inbox.arrival import StillArrivingError
from etl.errors import UsageError
from etl.load.warehouse import Connection
from etl.publish import frozen

ACTOR = "hộp thư báo lỗi"


@dataclass(frozen=True)
class Report:
    """What a mail server says became of a mail."""

    message_id: str
    action: str
    status: str
    detail: str


def mails(conf: settings.Settings, now: datetime, by_connection: Callable[[Any], Inbox] | None = None) -> list[bytes]:
    """All mails of ``TIENDO_BOUNCES`` as they are. Raises UsageError for an address that cannot be used, InboxDownError
    when the place does not answer."""
    if not conf.bounces:
        return []
    inbox = open_inbox(conf.bounces, by_connection)
    try:
        return list(_mails(inbox, now))
    finally:
        inbox.close()


def _mails(inbox: Inbox, now: datetime) -> Iterator[bytes]:
    for item in inbox.items(now):
        try:
            if isinstance(inbox, Mailbox):
                yield inbox.whole(item)
            else:
                yield from (b"".join(arrival.pieces()) for arrival in inbox.arrivals(item))
        except (UnreadableError, StillArrivingError):
            continue


def read(mail: bytes) -> list[Report]:
    """The reports of one mail; none when it is no delivery status notification or names no mail that it is about."""
    message = message_from_bytes(mail, policy=policy.default)
    statuses = [part for part in message.walk() if part.get_content_type() == "message/delivery-status"]
    about = _about(message)
    if not statuses or about is None:
        return []
    reports = []
    for part in statuses:
        blocks: Any = part.get_payload()
        for block in blocks if isinstance(blocks, list) else []:
            if block.get("Action"):
                status, said = _words(block.get("Status")), _words(block.get("Diagnostic-Code"))
                detail = " ".join(filter(None, [status, said.partition(";")[2].strip() or said]))
                reports.append(Report(about, _words(block["Action"]).lower(), status, detail or "không nói lý do"))
    return reports


def _words(value: object) -> str:
    return " ".join(str(value or "").split())[:1000]


def _about(message: Any) -> str | None:
    """Message-ID of the mail that came back, from the copy of it, or of its head, in the report."""
    for part in message.walk():
        if part.get_content_type() == "message/rfc822":
            inner = part.get_payload()
            found = inner[0]["Message-ID"] if isinstance(inner, list) and inner else None
        elif part.get_content_type() == "text/rfc822-headers":
            content = part.get_payload(decode=True)
            found = message_from_bytes(content, _class=EmailMessage, policy=policy.default)["Message-ID"]
        else:
            continue
        if found:
            return _words(found)
    return None


def book(connection: Connection, found: Iterable[bytes], now: datetime) -> dict[str, Any]:
    """Book what came back; the caller commits. Idempotent: a report is read once.

    Returns ``mails`` that were looked at, ``bounced`` (new ones: release_id, recipient, channel, detail) and ``other``:
    how many say nothing of a mail of ours that failed. A report on an earlier attempt is kept and changes nothing.
    """
    seen = other = 0
    bounced: list[dict[str, Any]] = []
    for mail in found:
        seen += 1
        digest = hashlib.sha256(mail).hexdigest()
        failures = [report for report in read(mail) if report.action == "failed"]
        booked = [one for report in failures for one in _book(connection, digest, report, now)]
        other += not booked
        bounced += [one for one in booked if one.pop("new")]
    return {"mails": seen, "bounced": bounced, "other": other}


def _book(connection: Connection, digest: str, report: Report, now: datetime) -> list[dict[str, Any]]:
    row = connection.execute(
        "select release_id, recipient, channel from release.delivery where message_id = %s "
        "order by channel = 'smtp' desc limit 1",
        (report.message_id,),
    ).fetchone()
    if row is None:
        return []
    told = dict(zip(("release_id", "recipient", "channel"), row, strict=True)) | {"detail": report.detail}
    fresh = connection.execute(
        "insert into release.bounce values (%s, %s, %s, %s, %s, %s, %s, %s) on conflict do nothing",
        (digest, report.message_id, *row, report.status or None, report.detail, now),
    ).rowcount
    if not fresh:
        return [{**told, "new": False}]
    changed = connection.execute(
        "update release.delivery set state = 'bounced', detail = %s, finished_at = %s "
        "where message_id = %s and channel = %s and state in ('claimed', 'sent')",
        (report.detail, now, report.message_id, row[2]),
    ).rowcount
    if changed:
        detail = {"recipient": row[1], "channel": row[2], "detail": report.detail}
        frozen.audit(connection, now, ACTOR, "delivery.bounced", str(row[0]), detail)
    return [{**told, "new": bool(changed)}]


def require_address(conf: settings.Settings) -> None:
    """Raises UsageError when no mailbox is set."""
    if not conf.bounces:
        raise UsageError(
            "Chưa đặt hộp thư báo lỗi: ghi TIENDO_BOUNCES=imaps://tài-khoản@máy/INBOX hoặc file:///thư-mục."
        )
