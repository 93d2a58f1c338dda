"""The only place that reads the clock. Logic takes ``now`` and ``as_of`` as arguments (law 14)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

LOCAL = ZoneInfo("Asia/Ho_Chi_Minh")


def now() -> datetime:
    """The present moment in UTC. Called at the edges (commands, DAG tasks), never inside logic."""
    return datetime.now(UTC)


def local_date(moment: datetime) -> date:
    """The calendar day of ``moment`` in Asia/Ho_Chi_Minh, on which deadlines are judged."""
    return moment.astimezone(LOCAL).date()


def show(moment: datetime) -> str:
    """``moment`` as Vietnamese officials write it: ``05/11/2025 09:30``."""
    return moment.astimezone(LOCAL).strftime("%d/%m/%Y %H:%M")


def show_iso(text: str) -> str:
    """``show`` of a moment that was written down as ISO text."""
    return show(datetime.fromisoformat(text))


def show_date(day: date) -> str:
    """``day`` as ``31/10/2025``."""
    return day.strftime("%d/%m/%Y")
