"""The digest as a mail: what it tells of, in plain text from a template. The same matters give the same bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from functools import cache
from pathlib import Path
from typing import Any

from etl.clock import show_date
from etl.publish.deliver import Recipient

_TEMPLATES = Path(__file__).with_name("templates")
_ORDER = ("overdue", "missing_report", "returned_report", "due_soon")


@dataclass(frozen=True)
class Matter:
    """One thing that a recipient is told. ``key`` with ``step`` is the event that is told once."""

    event_kind: str
    subject: str
    due_date: date
    step: int
    owner_vi: str
    content_vi: str
    days_overdue: int
    is_owner: bool
    instance: str = ""
    directive_vi: str | None = None
    item: str | None = None
    last_report: str | None = None
    no_address_of: str | None = None

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Matter:
        """From a row of ``mart.follow_up_due`` with the words of the register."""
        return cls(**{name: row[name] for name in cls.__dataclass_fields__ if name in row})

    @property
    def key(self) -> tuple[str, str, date]:
        return self.event_kind, self.subject, self.due_date

    def order(self) -> tuple[int, date, str]:
        return _ORDER.index(self.event_kind), self.due_date, self.subject

    def without_address(self, name: str) -> Matter:
        """The same for the office, because the one who should be told has no address."""
        return replace(self, is_owner=False, no_address_of=name)

    def as_dict(self) -> dict[str, Any]:
        told = asdict(self)
        return {**told, "due_date": self.due_date.isoformat()}


def subject(matters: Sequence[Matter], day: date) -> str:
    """What stands in the list of mails: how much of what."""
    words = {
        "overdue": "nhiệm vụ quá hạn",
        "missing_report": "báo cáo tháng chưa gửi",
        "returned_report": "báo cáo tháng phải gửi lại",
        "due_soon": "nhiệm vụ sắp đến hạn",
    }
    counts = [(sum(m.event_kind == kind for m in matters), word) for kind, word in words.items()]
    return f"Đôn đốc ngày {show_date(day)}: " + ", ".join(f"{n} {word}" for n, word in counts if n)


def body(recipient: Recipient, matters: Sequence[Matter], day: date) -> str:
    """The text of the digest."""
    groups = {kind: [m for m in matters if m.event_kind == kind] for kind in _ORDER}
    text = _template("digest.txt.j2").render(recipient=recipient, groups=groups, day=day, show_date=show_date)
    return str(text)


@cache
def _template(name: str) -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(  # noqa: S701 - plain text, no markup
        loader=FileSystemLoader(_TEMPLATES), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template(name)


def compose(recipient: Recipient, matters: Sequence[Matter], day: date, now: datetime, mail_from: str) -> EmailMessage:
    """The mail of one recipient and day."""
    identity = hashlib.sha256(f"follow-up|{day}|{recipient.code}".encode()).hexdigest()[:32]
    message = EmailMessage(policy=SMTP)
    message["From"] = mail_from
    message["To"] = recipient.email
    message["Subject"] = subject(matters, day)
    message["Date"] = format_datetime(now)
    message["Message-ID"] = f"<don-doc-{day.isoformat()}.{identity}@{mail_from.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message["Content-Language"] = "vi"
    message.set_content(body(recipient, matters, day), cte="base64")
    return message
