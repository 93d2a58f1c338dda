"""The release calendar: when each month is due, frozen and published, and to whom; as rows, JSON and iCalendar."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from psycopg.rows import dict_row

from etl.load.warehouse import Connection
from etl.period import Period
from etl.publish.deliver.recipients import GROUPS, Recipient

ICS_NAME, JSON_NAME = "lich-cong-bo.ics", "lich-cong-bo.json"
MONTHS = 12


def entries(
    connection: Connection, recipients: Iterable[Recipient], today: date, months: int = MONTHS
) -> list[dict[str, Any]]:
    """The next ``months`` releases, the one whose publication day is today or next first; January has two.

    Days are ISO texts. ``recipients``: how many of each group; ``release_id`` and ``published_at`` of a release that
    is out already. Fewer when the calendar ends (``missing_after`` tells).
    """
    groups = [one.group for one in recipients]
    planned = {group: groups.count(group) for group in GROUPS if group in groups}
    rows = (
        connection.cursor(row_factory=dict_row)
        .execute(
            """
            with out as (
                select distinct on (r.period, r.budget_year) r.period, r.budget_year, r.release_id, p.published_at
                from release.release as r inner join release.publication as p on r.release_id = p.release_id
                order by r.period, r.budget_year, r.release_no desc
            )
            select c.*, o.release_id, o.published_at
            from ref.reporting_calendar as c
            left join out as o on c.period = o.period and c.budget_year = o.budget_year
            where c.publish_on >= %s
            order by c.period, c.budget_year desc
            """,
            (today,),
        )
        .fetchall()
    )
    wanted = list(dict.fromkeys(row["period"] for row in rows))[:months]
    return [_entry(row, planned) for row in rows if row["period"] in wanted]


def _entry(row: Mapping[str, Any], planned: Mapping[str, int]) -> dict[str, Any]:
    period = Period.parse(row["period"])
    closing = f", năm ngân sách {row['budget_year']}" if row["budget_year"] != period.year else ""
    return {
        "period": row["period"],
        "budget_year": row["budget_year"],
        "title": f"Báo cáo tổng hợp các Chương trình mục tiêu quốc gia {period.vi}{closing}",
        "as_of": row["as_of"].isoformat(),
        "opens_on": row["opens_on"].isoformat(),
        "due_on": row["due_on"].isoformat(),
        "cutoff_on": row["cutoff_on"].isoformat(),
        "publish_on": row["publish_on"].isoformat(),
        "is_closing": row["is_closing"],
        "verified": row["verified"],
        "recipients": dict(planned),
        "release_id": row["release_id"],
        "published_at": row["published_at"].isoformat() if row["published_at"] else None,
    }


def missing_after(found: Sequence[Mapping[str, Any]], months: int = MONTHS) -> str | None:
    """The last period of a calendar that ends before ``months`` are full; None when it does not."""
    periods = sorted({str(entry["period"]) for entry in found})
    if len(periods) >= months:
        return None
    return periods[-1] if periods else ""


def as_json(found: Sequence[Mapping[str, Any]]) -> bytes:
    """For programs that read the archive site."""
    return (json.dumps(found, ensure_ascii=False, indent=2) + "\n").encode()


def as_ics(found: Sequence[Mapping[str, Any]], now: datetime) -> bytes:
    """RFC 5545, for any calendar program: for each release the days on which reports are due and it comes out.

    The identity of an event is its period and kind, so that a calendar that reads the file again moves the event and
    adds none. ``now`` is the moment of writing (DTSTAMP).
    """
    stamp = now.strftime("%Y%m%dT%H%M%SZ")
    lines = [
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Tien do//Lich cong bo//VI", "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH", "X-WR-CALNAME:Lịch công bố báo cáo tổng hợp", "X-WR-TIMEZONE:Asia/Ho_Chi_Minh",
    ]  # fmt: skip
    for entry in found:
        to = "; ".join(f"{GROUPS[group]}: {count}" for group, count in entry["recipients"].items())
        about = f"Số liệu đến hết {shown(entry['as_of'])}; chốt để tổng hợp {shown(entry['cutoff_on'])}"
        lines += _event(entry, "due", f"Hạn gửi báo cáo: {entry['title']}", about, entry["due_on"], stamp)
        lines += _event(
            entry, "publish", f"Công bố: {entry['title']}", f"{about}. Nơi nhận: {to}", entry["publish_on"], stamp
        )
    return "".join(_folded(line) for line in (*lines, "END:VCALENDAR")).encode()


def _event(entry: Mapping[str, Any], kind: str, title: str, about: str, day: str, stamp: str) -> list[str]:
    first = date.fromisoformat(day)
    identity = hashlib.sha256(f"{entry['period']}|{entry['budget_year']}|{kind}".encode()).hexdigest()[:24]
    return [
        "BEGIN:VEVENT",
        f"UID:{identity}@tien-do",
        f"DTSTAMP:{stamp}",
        f"DTSTART;VALUE=DATE:{first:%Y%m%d}",
        f"DTEND;VALUE=DATE:{first + timedelta(1):%Y%m%d}",
        f"SUMMARY:{_escaped(title)}",
        f"DESCRIPTION:{_escaped(about)}",
        "TRANSP:TRANSPARENT",
        "END:VEVENT",
    ]


def shown(text: str) -> str:
    """An ISO day as ``31/10/2025``."""
    return date.fromisoformat(text).strftime("%d/%m/%Y")


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


def _folded(line: str) -> str:
    """At most 75 bytes in a line, never within a letter."""
    pieces: list[str] = []
    current = ""
    for letter in line:
        if len((current + letter).encode()) > (75 if not pieces else 74):
            pieces.append(current)
            current = ""
        current += letter
    return "\r\n ".join([*pieces, current]) + "\r\n"
