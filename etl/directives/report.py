"""A notice as a person reads it on the screen: head, tasks, questions to the registrar."""

from __future__ import annotations

import shutil
import textwrap
from datetime import date
from typing import Any

from etl.clock import show_date
from etl.directives.notice import Notice

_KINDS = {
    "date": "",
    "horizon": "mốc cuối giai đoạn",
    "recurring": "định kỳ",
    "event": "theo sự kiện",
    "none": "không định ngày",
}
_RECURRENCES = {
    "daily": "hằng ngày", "weekly": "hằng tuần", "monthly": "hằng tháng", "quarterly": "hằng quý",
    "half_yearly": "6 tháng một lần", "yearly": "hằng năm",
}  # fmt: skip
_NARROWEST, _WIDEST = 80, 150


def as_text(notice: Notice) -> str:
    """Lines for a terminal of any width."""
    width = max(_NARROWEST, min(_WIDEST, shutil.get_terminal_size((110, 40)).columns))
    lines = [*_head(notice, width), ""]
    for row in notice.rows:
        lines += [*_task(row, width), ""]
    dated = sum(row["due_date"] is not None for row in notice.rows)
    lines.append(
        f"Tổng số: {len(notice.rows)} nhiệm vụ, {dated} có ngày đến hạn."
        if notice.rows
        else "Không thấy nhiệm vụ nào được giao."
    )
    if notice.questions:
        lines += ["", "Đề nghị văn thư bổ sung, kiểm tra:", *(f"  - {question}" for question in notice.questions)]
    return "\n".join(lines)


def _head(notice: Notice, width: int) -> list[str]:
    head = notice.head
    facts = (
        ("Cơ quan ban hành", head.issuer),
        ("Số, ký hiệu", head.number or (f".../{head.symbol}" if head.symbol else None)),
        ("Ngày ban hành", show_date(notice.issued) if notice.issued else None),
        ("Trích yếu", head.subject),
        ("Người kết luận", head.chair),
        ("Ngày họp, kiểm tra", show_date(head.met_on) if head.met_on else None),
        ("Người ký", " - ".join(filter(None, (head.signed_for, head.signed_by))) or None),
        ("Nơi nhận", "; ".join(head.recipients) or None),
    )
    return [line for name, value in facts for line in _wrapped(f"{name}: ", value or "(không ghi)", width)]


def _task(row: dict[str, Any], width: int) -> list[str]:
    lead = row["lead"] + (f" (nay là {row['successor']})" if row["successor"] else "")
    lines = _wrapped(f"[{row['item']}] ", lead, width)
    if row["coordinating"]:
        lines += _wrapped("    Phối hợp: ", "; ".join(row["coordinating"]), width)
    lines += _wrapped("    Nội dung: ", row["content"], width)
    return lines + _wrapped("    Thời hạn: ", _due(row), width)


def _due(row: dict[str, Any]) -> str:
    day = show_date(date.fromisoformat(row["due_date"])) if row["due_date"] else ""
    kind = _RECURRENCES.get(row["recurrence"] or "", _KINDS[row["due_kind"]])
    shown = ", ".join(filter(None, (day, kind)))
    phrase = f" (“{row['deadline_phrase']}”)" if row["deadline_phrase"] else ""
    return f"{shown or 'chưa xác định được ngày'}{phrase}"


def _wrapped(name: str, value: str, width: int) -> list[str]:
    return textwrap.wrap(name + value, width, subsequent_indent=" " * min(len(name), 14), break_long_words=False) or [
        name
    ]
