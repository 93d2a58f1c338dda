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
_SECTIONS = (("overdue",), ("missing_report", "returned_report"), ("due_soon",))
_ORDER = tuple(kind for kinds in _SECTIONS for kind in kinds)


@dataclass(frozen=True)
class Matter:
    """One thing that a recipient is told. ``key`` with ``step`` is the event that is told once; ``since``: what was
    told before is another event. ``no_address_of``: who should be told and cannot."""

    event_kind: str
    subject: str
    due_date: date
    step: int
    owner_vi: str
    content_vi: str
    days_overdue: int
    is_owner: bool
    instance: str = ""
    original_due_date: date | None = None
    reopened_on: date | None = None
    working_days_left: int = 0
    since: datetime | None = None
    directive_vi: str | None = None
    item: str | None = None
    last_report: str | None = None
    no_address_of: str | None = None
    is_collective: bool = False

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Matter:
        """From a row of ``mart.follow_up_due`` with the words of the register."""
        return cls(**{name: row[name] for name in cls.__dataclass_fields__ if name in row})

    @property
    def key(self) -> tuple[str, str, date]:
        return self.event_kind, self.subject, self.due_date

    @property
    def period_vi(self) -> str:
        """The period of a recurring task in words: *tháng 10/2025*, *quý IV/2025*."""
        return period_vi(self.instance)

    def order(self) -> tuple[int, date, str]:
        return _ORDER.index(self.event_kind), self.due_date, self.subject

    def without_address(self, name: str, *, is_collective: bool) -> Matter:
        """The same for the office, because the one who should be told has no address."""
        return replace(self, is_owner=False, no_address_of=name, is_collective=is_collective)

    def with_what(self, other: Matter | None) -> Matter:
        """One matter that a recipient hears of for two reasons: the higher rung, and all who have no address."""
        if other is None:
            return self
        names = dict.fromkeys(filter(None, (other.no_address_of, self.no_address_of)))
        higher = self if self.step > other.step else other
        return replace(
            higher,
            is_owner=self.is_owner or other.is_owner,
            no_address_of=", ".join(names) or None,
            is_collective=self.is_collective or other.is_collective,
        )

    def as_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return {k: v.isoformat() if isinstance(v, date) else v for k, v in asdict(self).items()}


_QUARTERS = {"Q1": "quý I", "Q2": "quý II", "Q3": "quý III", "Q4": "quý IV"}
_HALVES = {"H1": "6 tháng đầu năm", "H2": "6 tháng cuối năm"}


def period_vi(instance: str) -> str:
    """*2025-10* -> *tháng 10/2025*; *2025-Q4*, *2025-H2*, *2025-W42*, *2025* likewise; empty for a whole task."""
    year, _, part = instance.partition("-")
    if not part:
        return f"năm {year}" if year else ""
    if part in _HALVES:
        return f"{_HALVES[part]} {year}"
    if part.startswith("W"):
        return f"tuần {int(part[1:])}/{year}"
    return f"{_QUARTERS.get(part) or f'tháng {part}'}/{year}"


def subject(matters: Sequence[Matter], day: date) -> str:
    """What stands in the list of mails: how much of what."""
    words = {
        "overdue": "nhiệm vụ quá hạn",
        "missing_report": "báo cáo tháng chưa gửi",
        "returned_report": "báo cáo tháng bị trả lại",
        "due_soon": "nhiệm vụ sắp đến hạn",
    }
    counts = [(sum(m.event_kind == kind for m in matters), word) for kind, word in words.items()]
    return f"Đôn đốc ngày {show_date(day)}: " + ", ".join(f"{n} {word}" for n, word in counts if n)


def body(recipient: Recipient, matters: Sequence[Matter], day: date) -> str:
    """The text of the digest."""
    groups = {kind: [m for m in matters if m.event_kind == kind] for kind in _ORDER}
    text = _template("digest.txt.j2").render(
        recipient=recipient,
        groups=groups,
        sections=[kinds for kinds in _SECTIONS if any(groups[kind] for kind in kinds)],
        is_commune=recipient.code.isdigit(),
        has_own_task=any(m.is_owner and not m.event_kind.endswith("_report") for m in matters),
        day=day,
        show_date=show_date,
    )
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
