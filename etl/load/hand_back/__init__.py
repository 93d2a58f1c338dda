"""What goes back to the senders: the marked workbook, the receipt of every delivery, the reply by mail.

Everything lies under ``out/<period>/tra-lai`` (``khong-ro-ky`` when the file does not say its period): one marked
workbook per submission that has something to be told, one receipt (PDF and text) per delivery. A sender whose address
is known gets one mail per delivery, claimed before it is sent (law 11). What is told rests on what was known when the
submission was judged, so that a file that is lost is made again with the same bytes; what is there is left alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from etl import settings
from etl.collect import archive
from etl.errors import InfrastructureError
from etl.files import write_whole
from etl.load.hand_back import deliveries, mail, names, receipts
from etl.load.hand_back.deliveries import Delivery
from etl.load.warehouse import Connection
from etl.publish import deliver
from etl.reference.province import Province
from etl.validate import receipt
from etl.validate.markup import mark
from etl.validate.receipt import Issuer, Receipt


@dataclass
class _Result:
    written: int = 0
    receipts: int = 0
    with_findings: int = 0
    folders: set[str] = field(default_factory=set)
    mails: list[str] = field(default_factory=list)
    closed: InfrastructureError | None = None

    def as_dict(self) -> dict[str, Any]:
        return {
            "written": self.written,
            "with_findings": self.with_findings,
            "receipts": self.receipts,
            "folders": sorted(self.folders),
            "mails": deliver.counted(self.mails).as_dict(),
        }


def write_all(
    connection: Connection,
    conf: settings.Settings,
    province: Province,
    now: datetime,
    smtp_url: str | None = None,
) -> dict[str, Any]:
    """Write what is missing and send what was not sent; idempotent.

    Returns ``written`` (marked workbooks now), ``with_findings`` (those that there are), ``receipts`` (now),
    ``folders`` and ``mails`` (delivered, already, failed, unknown). Raises InfrastructureError when the mail server
    cannot be reached and OSError when a folder cannot be written to; the next run goes on from there.
    """
    result = _Result()
    issuer = receipts.issuer(conf)
    channel = deliver.channel_for(conf, smtp_url)
    try:
        todo = _unfinished(connection, conf, channel, result)
        for delivery in deliveries.details(connection, todo):
            _answer(connection, delivery, conf, province, issuer, channel, now, result)
    finally:
        channel.close()
    if result.closed is not None:
        raise result.closed
    return result.as_dict()


def _unfinished(
    connection: Connection, conf: settings.Settings, channel: deliver.Channel, result: _Result
) -> list[int]:
    """Deliveries for which a file or a mail is missing."""
    todo = []
    for row in deliveries.overview(connection, channel.name):
        folder = names.folder_of(conf.out_dir, row["period"])
        expected = [folder / names.receipt_name(row, suffix) for suffix in (".pdf", ".txt")]
        if row["is_told"]:
            expected.append(folder / names.marked_name(row))
            result.with_findings += row["is_first"]
            result.folders.add(str(folder))
        if row["is_contested"]:
            expected += [folder / names.notice_name(row, suffix) for suffix in (".pdf", ".txt")]
        if row["is_admitted"]:
            expected += [folder / names.admission_name(row, suffix) for suffix in (".pdf", ".txt")]
        wants_mail = mail.known_address(row["sender"], conf) and not row["is_booked"]
        wants_notice = (
            row["is_contested"] and mail.known_address(row["replaced_sender"], conf) and not row["is_told_before"]
        )
        if wants_mail or wants_notice or not all(path.exists() for path in expected):
            todo.append(row["delivery_id"])
    connection.commit()
    return todo


def _answer(
    connection: Connection,
    delivery: Delivery,
    conf: settings.Settings,
    province: Province,
    issuer: Issuer,
    channel: deliver.Channel,
    now: datetime,
    result: _Result,
) -> None:
    folder = names.folder_of(conf.out_dir, delivery.period)
    result.folders.add(str(folder))
    told = receipts.receipt_of(delivery, province, conf)
    attachments = []
    if delivery.is_told:
        path = folder / names.marked_name(delivery.row)
        if not path.exists():
            original = archive.fetch(conf.archive_dir, delivery.sha256)
            write_whole(path, mark(original, receipts.judgement(delivery, told, province)))
            result.written += 1
        attachments.append(path)
    attachments.append(_write_receipt(told, issuer, folder / names.receipt_name(delivery.row, ".pdf"), result))
    booked = {"delivery_id": delivery.delivery_id, "submission_id": delivery.submission_id}
    _mail(connection, told, issuer, attachments, delivery.sender, booked, delivery, conf, channel, now, result)
    if delivery.is_admitted:
        _write_receipt(
            receipts.admission_of(delivery, told), issuer, folder / names.admission_name(delivery.row, ".pdf"), result
        )
    if delivery.is_contested:
        earlier = receipts.notice_of(delivery, told, province)
        path = _write_receipt(earlier, issuer, folder / names.notice_name(delivery.row, ".pdf"), result)
        booked = {"delivery_id": delivery.replaced_delivery_id, "submission_id": delivery.submission_id}
        _mail(
            connection, earlier, issuer, [path], delivery.replaced_sender, booked, delivery, conf, channel, now, result
        )


def _write_receipt(told: Receipt, issuer: Issuer, path: Path, result: _Result) -> Path:
    """PDF and text; returns the PDF's path."""
    text = path.with_suffix(".txt")
    if not (path.exists() and text.exists()):
        write_whole(text, receipt.as_text(told, issuer).encode())
        write_whole(path, receipt.pdf(told, issuer))
        result.receipts += 1
    return path


def _mail(
    connection: Connection,
    told: Receipt,
    issuer: Issuer,
    attachments: Sequence[Path],
    sender: str | None,
    booked: Mapping[str, int],
    delivery: Delivery,
    conf: settings.Settings,
    channel: deliver.Channel,
    now: datetime,
    result: _Result,
) -> None:
    if sender is None or not mail.known_address(sender, conf) or result.closed is not None:
        return
    recipient = deliver.Recipient(sender.lower(), told.commune or sender, sender, "")

    def message_for(to: deliver.Recipient) -> EmailMessage:
        name = f"tra-lai-{booked['submission_id']}-{booked['delivery_id']}"
        return mail.compose(told, issuer, attachments, to, conf.mail_from, name, delivery.known_at, delivery.message_id)

    ledger = deliver.Ledger("raw.reply", booked)
    try:
        result.mails.append(deliver.send_once(connection, ledger, recipient, message_for, channel, now))
    except InfrastructureError as error:
        result.closed = error  # the files of the others are written all the same; nothing was claimed
