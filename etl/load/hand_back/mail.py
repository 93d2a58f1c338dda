"""The reply by mail: to whom one may go out, and what it says."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path

from etl import settings
from etl.publish import deliver
from etl.validate import receipt
from etl.validate.receipt import Issuer, Receipt

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,190}")


def known_address(sender: str | None, conf: settings.Settings) -> bool:
    """Whether a reply may go out: to a plain address of somebody else than ourselves."""
    return bool(sender and _ADDRESS.fullmatch(sender) and sender.lower() != conf.mail_from.lower())


def compose(
    told: Receipt,
    issuer: Issuer,
    attachments: Iterable[Path],
    recipient: deliver.Recipient,
    mail_from: str,
    name: str,
    judged_at: datetime,
    message_id: str | None = None,
) -> EmailMessage:
    """The reply to a sender: receipt as text, receipt as PDF and marked workbook attached. Deterministic."""
    identity = hashlib.sha256(f"{name}|{recipient.code}".encode()).hexdigest()[:32]
    message = EmailMessage(policy=SMTP)
    message["From"] = mail_from
    message["To"] = recipient.email
    message["Subject"] = receipt.subject(told)
    message["Date"] = format_datetime(judged_at)
    message["Message-ID"] = f"<{name}.{identity}@{mail_from.rpartition('@')[2]}>"
    if message_id and re.fullmatch(r"<[\x21-\x7e]{1,200}>", message_id):
        message["In-Reply-To"] = message["References"] = message_id
    message["Auto-Submitted"] = "auto-replied"
    message["Content-Language"] = "vi"
    message.set_content(receipt.as_text(told, issuer), cte="base64")
    for path in attachments:
        maintype, _, subtype = deliver.CONTENT_TYPES[path.suffix].partition("/")
        message.add_attachment(path.read_bytes(), maintype=maintype, subtype=subtype, filename=path.name)
    message.set_boundary(f"=_{identity}")
    return message
