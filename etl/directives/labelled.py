"""Tasks of plans that say under each task, line by line, who and when -> tasks.

2. Rà soát danh sách hộ tham gia dự án
- Đơn vị chủ trì: Phòng Văn hóa - Xã hội.
- Đơn vị phối hợp: Các thôn.
- Thời gian hoàn thành: Trong tháng 10/2025.
"""

from __future__ import annotations

import re

from etl.directives import agencies, deadlines
from etl.directives.deadlines import Clock
from etl.directives.folding import pattern
from etl.directives.layout import Paragraph
from etl.directives.table import bare_time, listed
from etl.directives.tasks import Task

_BODY = r"(?:(?:các )?(?:đơn vị|cơ quan|cơ quan, đơn vị|địa phương|bộ phận|phòng, ban))"
_LABELS = {
    "coordinating": pattern(rf"(?:{_BODY} )?phối hợp(?: thực hiện| triển khai)?\s*:\s*"),
    "lead": pattern(
        rf"(?:{_BODY} (?:được giao )?(?:chủ trì|thực hiện|chịu trách nhiệm|đầu mối|tham mưu)|chủ trì"
        r"|phân công|trách nhiệm)(?: chủ trì| tham mưu| thực hiện| triển khai)*\s*:\s*"
    ),
    "due": pattern(
        r"(?:thời gian|thời hạn|tiến độ|hạn)(?: hoàn thành| thực hiện| báo cáo| trình| triển khai| xong)*\s*:\s*"
    ),
    "other": pattern(
        r"(?:sản phẩm|kết quả|kinh phí|nguồn (?:kinh phí|vốn)|địa điểm|hình thức|thành phần|nội dung|ghi chú)"
        r"[^:]{0,40}:\s*"
    ),
}
_ASSIGNS = re.compile(r"^(?:Giao|Đề nghị|Yêu cầu)\s+", re.IGNORECASE)
_SHORTEST = 4


def split(found: list[Paragraph], clock: Clock) -> tuple[list[Task], list[Paragraph]]:
    """The tasks with such lines, and the paragraphs that are not part of any."""
    tasks: list[Task] = []
    rest: list[Paragraph] = []
    place = 0
    while place < len(found):
        paragraph = found[place]
        lines = _lines(found, place + 1) if _label(paragraph) is None and paragraph.kind != "row" else []
        task = _task(paragraph, lines, clock) if lines else None
        if task is None:
            rest.append(paragraph)
            place += 1
            continue
        tasks.append(task)
        place += 1 + len(lines)
    return tasks, rest


def _lines(found: list[Paragraph], start: int) -> list[tuple[str, int, Paragraph]]:
    """The labelled lines from ``start`` on: label, where its text begins, paragraph."""
    lines = []
    for paragraph in found[start:]:
        label = _label(paragraph)
        if label is None:
            break
        lines.append((*label, paragraph))
    return lines


def _label(paragraph: Paragraph) -> tuple[str, int] | None:
    for name, form in _LABELS.items():
        match = form.match(paragraph.key)
        if match:
            return name, match.end()
    return None


def _task(paragraph: Paragraph, lines: list[tuple[str, int, Paragraph]], clock: Clock) -> Task | None:
    """One task; none without a line that names who does it."""
    text = {name: line.text[start:].strip(" .;") for name, start, line in reversed(lines)}
    leads = listed(_ASSIGNS.sub("", text.get("lead", "")))
    end = len(paragraph.text.rstrip(" .;,:"))
    if not leads or end < _SHORTEST:
        return None
    partners = [agencies.tidy(unit.name) for unit in listed(text.get("coordinating", ""))] or [
        part for part in (text.get("coordinating", ""),) if part
    ]
    due = text.get("due", "")
    found = deadlines.chosen(deadlines.find(due, clock), due) or bare_time(due, clock)
    own = deadlines.chosen(deadlines.find(paragraph.text, clock), paragraph.text)
    return Task(paragraph, leads, partners, 0, end, 0, found or own or deadlines.vague(paragraph.text))
