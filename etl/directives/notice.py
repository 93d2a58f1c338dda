"""A notice read: head, tasks, questions to the registrar. What ``tiendo directives`` prints."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from etl.directives import agencies, files, head, labelled, layout, table, tasks
from etl.directives.deadlines import NONE, Clock, IsWorkingDay
from etl.directives.files import Text
from etl.directives.head import Head
from etl.directives.tasks import Task

_LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Notice:
    """``rows``: one per addressee and action, keys as DESIGN.md section 4 has them, further ones after them."""

    text: str
    head: Head
    issued: date | None
    rows: list[dict[str, Any]]
    questions: list[str]


def read(path: Path, is_working_day: IsWorkingDay, issued: date | None = None) -> Notice:
    """The notice in a file; ``issued`` is the registrar's word and goes before the text's. Raises UsageError."""
    return of_text(files.read(path), is_working_day, issued)


def of_text(source: Text, is_working_day: IsWorkingDay, issued: date | None = None) -> Notice:
    """The notice in a text."""
    top = head.read(source.text)
    day = issued or top.issued
    clock = Clock(day, is_working_day)
    paragraphs = layout.paragraphs(source.text, is_wrapped=source.is_wrapped)
    found, others = labelled.split(paragraphs, clock)
    found = tasks.extract(others, clock) + found
    found += table.extract(paragraphs, clock)
    rows = _rows(found)
    questions = [q for q in top.questions if not (issued and "ngày ban hành" in q)]
    if issued and top.issued and issued != top.issued:
        questions.append(
            f"Ngày ban hành nhập vào ({issued:%d/%m/%Y}) khác ngày ghi trên văn bản ({top.issued:%d/%m/%Y}): "
            "đề nghị kiểm tra lại."
        )
    questions += [
        f"Mục {row['item']}, “{row['deadline_phrase']}”: {row['question']}" for row in rows if row["question"]
    ]
    return Notice(source.text, top, day, rows, questions)


def _rows(found: list[Task]) -> list[dict[str, Any]]:
    items = _items(found)
    rows = []
    for task in found:
        for number, unit in enumerate(task.leads):
            item = items[id(task)]
            deadline = task.deadline
            rows.append(
                {
                    "item": f"{item}{_suffix(item, number)}" if len(task.leads) > 1 else item,
                    "lead": unit.name,
                    "coordinating": _coordinating(task, unit),
                    "content": task.content,
                    "deadline_phrase": deadline.phrase if deadline else "",
                    "due_date": deadline.due.isoformat() if deadline and deadline.due else None,
                    "due_kind": deadline.kind if deadline else NONE,
                    "recurrence": deadline.recurrence if deadline else None,
                    "span": list(task.paragraph.body.span(task.start, task.end)),
                    "clause": task.paragraph.clause,
                    "documents": task.documents,
                    "successor": agencies.successor_of(unit.name),
                    "is_collective": unit.is_collective,
                    "question": deadline.question if deadline else None,
                }
            )
    return rows


def _suffix(item: str, number: int) -> str:
    return str(number + 1) if item[-1:].isalpha() else _LETTERS[number % 26] + str(number // 26 or "")


def _coordinating(task: Task, unit: agencies.Unit) -> list[str]:
    """Partners, and the other joint leads (of communes none is named)."""
    joint = [other.name for other in task.leads if other is not unit and not unit.is_commune and not other.is_commune]
    return [name for name in dict.fromkeys([*joint, *task.coordinating]) if name != unit.name]


def _items(found: list[Task]) -> dict[int, str]:
    """A name for each task that no other has: its clause, and a letter where the clause holds several."""
    counted: dict[str, list[Task]] = {}
    for task in found:
        counted.setdefault(task.paragraph.clause or "0", []).append(task)
    clauses = set(counted)
    names: dict[int, str] = {}
    for clause, group in counted.items():
        for number, task in enumerate(group):
            letter = _LETTERS[number % 26] + str(number // 26 or "")
            name = clause if len(group) == 1 else f"{clause}.{letter}"
            if len(group) > 1 and name in clauses:
                name = f"{clause}-{number + 1}"
            names[id(task)] = name
    return names
