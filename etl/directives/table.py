"""Tables of assignment: rows ``| STT | Nhiệm vụ | Cơ quan chủ trì | Cơ quan phối hợp | Thời hạn |`` -> tasks.

Columns are told by their header; a table without a column for the task and one for who does it is none of ours.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from etl.directives import agencies, deadlines
from etl.directives.agencies import Unit
from etl.directives.deadlines import Clock, Deadline
from etl.directives.folding import Folded, key, pattern
from etl.directives.layout import Paragraph
from etl.directives.tasks import Task

_COLUMNS = {
    "number": pattern(r"(?:stt|tt|số tt|số thứ tự|mục)$"),
    "coordinating": pattern(r".*phối hợp"),
    "due": pattern(r".*(?:thời hạn|thời gian|hạn hoàn thành|tiến độ|hạn)"),
    "lead": pattern(
        r".*(?:chủ trì|cơ quan, đơn vị thực hiện|đơn vị thực hiện|cơ quan thực hiện|người thực hiện"
        r"|đơn vị được giao|cơ quan được giao|trách nhiệm|phân công|chịu trách nhiệm)"
    ),
    "task": pattern(r".*(?:nhiệm vụ|nội dung|công việc|đầu việc)"),
}


@dataclass(frozen=True)
class _Layout:
    columns: dict[str, int]
    width: int


def extract(found: list[Paragraph], clock: Clock) -> list[Task]:
    """Tasks of all tables, in order."""
    tasks: list[Task] = []
    layout: _Layout | None = None
    above: list[Unit] = []
    for paragraph in found:
        if paragraph.kind != "row":
            layout, above = None, []
            continue
        header = _layout(paragraph)
        if header:
            layout, above = header, []
        elif layout and len(paragraph.cells) == layout.width:
            task, above = _task(paragraph, layout, above, clock)
            if task:
                tasks.append(task)
    return tasks


def _layout(paragraph: Paragraph) -> _Layout | None:
    columns: dict[str, int] = {}
    for place, cell in enumerate(paragraph.cells):
        name = next((n for n, words in _COLUMNS.items() if len(cell.text) < 60 and words.match(key(cell.text))), None)
        if name:
            columns.setdefault(name, place)
    return _Layout(columns, len(paragraph.cells)) if {"task", "lead"} <= columns.keys() else None


def _task(row: Paragraph, layout: _Layout, above: list[Unit], clock: Clock) -> tuple[Task | None, list[Unit]]:
    """The task of one row; an empty cell of the addressee repeats the one above it."""

    def cell(name: str) -> Folded:
        return row.cells[layout.columns[name]] if name in layout.columns else Folded("", ())

    content, lead = cell("task"), cell("lead")
    if len(content.text) < 4:
        return None, above
    units = listed(lead.text) or ([] if lead.text else above)
    if not units:
        return None, above
    due = cell("due")
    found = deadlines.chosen(deadlines.find(due.text, clock), due.text) or bare_time(due.text, clock)
    own = deadlines.chosen(deadlines.find(content.text, clock), content.text)
    body = Paragraph(content, "row", path=(cell("number").text.strip(" ."),) if cell("number").text else ())
    partners = [u.name for u in listed(cell("coordinating").text)] or [
        p for p in (cell("coordinating").text,) if p.strip(" -")
    ]
    task = Task(
        body, units, partners, 0, len(content.text.rstrip(" .;,")), 0, found or own or deadlines.vague(content.text)
    )
    return task, units


def listed(text: str) -> list[Unit]:
    """The bodies of a cell."""
    return agencies.units(text, key(text), 0, semicolons=True) if text else []


def bare_time(text: str, clock: Clock) -> Deadline | None:
    """In the column of dates a day or month needs no preposition."""
    if not text.strip(" -"):
        return None
    found = deadlines.chosen(deadlines.find(f"thời hạn: {text}", clock), text) or deadlines.chosen(
        deadlines.find(f"trong {text}", clock), text
    )
    if found is None:
        return deadlines.vague(text)
    return replace(found, phrase=text.strip(" ."))
