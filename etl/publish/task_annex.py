"""Phụ lục II: tasks due in the month by agency, the whole register, what changed since last month, periods of recurring
tasks that are overdue."""

from __future__ import annotations

from etl.publish.figure import FigureSet
from etl.publish.model import Block, Column, Paragraph, Row, Span, Spans, Table
from etl.publish.tables import TASK_STATES, cell, count_line, figure, place
from etl.publish.text import show

_CHANGES = (
    "Quá hạn mới", "Hoàn thành", "Mới giao", "Đổi thời hạn", "Thôi thực hiện", "Mở lại",
)  # fmt: skip
"""What is told, in this order; a task that stays overdue stands in the register above."""
_CHARACTERS = 160


def blocks(figures: FigureSet) -> tuple[Block, ...]:
    return (_due(figures), tasks(figures), _changes(figures), *_duties(figures))


def _caption(figures: FigureSet, name: str) -> str:
    return figures.words.line("annex_caption", name)


def _due(figures: FigureSet) -> Block:
    """Who had to finish what in the month, and did."""
    total = figures.known("tasks_due")
    if total is None or not total.value:
        return Paragraph(figures.words.say("tasks_none", "due"))
    metrics = (
        "tasks_due", "tasks_due_done_on_time", "tasks_due_done_late", "tasks_due_open_in_time",
        "tasks_due_open_overdue",
    )  # fmt: skip
    columns = (
        Column("TT", 1.2, "center"),
        Column("Cơ quan chủ trì", 8, "left"),
        Column("Đến hạn", 2.4),
        Column("Đúng hạn", 2.4, group="Đã hoàn thành"),
        Column("Quá hạn", 2.4, group="Đã hoàn thành"),
        Column("Trong hạn", 2.4, group="Đang thực hiện"),
        Column("Quá hạn", 2.4, group="Đang thực hiện"),
    )
    agencies = sorted(
        figures.values("tasks_due", "agency"), key=lambda a: (-(figures.get("tasks_due", agency=a).value or 0), a)
    )
    rows = [Row((cell(""), cell("TỔNG SỐ"), *(figure(figures, m) for m in metrics)), "total")]
    rows += [
        Row(
            (
                cell(str(number)),
                (Span(agency, figures.get("tasks_due", agency=agency), "dimension"),),
                *(figure(figures, m, agency=agency) for m in metrics),
            )
        )
        for number, agency in enumerate(agencies, 1)
    ]
    caption, line = _caption(figures, "tasks_due"), count_line(figures, "tasks")
    return Table("PL2-DenHan", caption, line, columns, tuple(rows), small=True)


def tasks(figures: FigureSet) -> Table:
    """The whole register by state: overdue first, the longest overdue at the top."""
    columns = (
        Column("TT", 1.2, "center"),
        Column("Mã nhiệm vụ", 3.3, "left"),
        Column("Nội dung nhiệm vụ", 11, "left"),
        Column("Chủ trì", 4, "left"),
        Column("Thời hạn", 3, "left"),
        Column("Tình trạng", 3.8, "left"),
        Column("Số ngày quá hạn", 1.7, "center"),
    )

    def order(task: str) -> tuple[int, int, str, str]:
        state = figures.get("task_state", task=task).text or ""
        overdue = figures.find("task_days_overdue", task=task)
        due = figures.find("task_due", task=task)
        # What is finished comes last: the reader looks for what is still to be done.
        return (
            place(TASK_STATES, state) + (len(TASK_STATES) if state.startswith("Đã hoàn thành") else 0),
            -int(overdue.value or 0) if overdue else 0,
            (due.text or "") if due else "",
            task,
        )

    rows = []
    for number, task in enumerate(sorted(figures.values("task_state", "task"), key=order), 1):
        rows.append(
            Row(
                (
                    cell(str(number)),
                    (Span(task, figures.get("task_directive", task=task), "dimension"),),
                    figure(figures, "task_content", "initial", task=task),
                    figure(figures, "task_lead", task=task),
                    _deadline(figures, task),
                    figure(figures, "task_state", task=task),
                    figure(figures, "task_days_overdue", task=task),
                )
            )
        )
    caption, line = _caption(figures, "tasks_all"), count_line(figures, "tasks")
    return Table("PL2-NhiemVu", caption, line, columns, tuple(rows), small=True)


def _deadline(figures: FigureSet, task: str) -> Spans:
    """The deadline in force; after an extension also the original one."""
    due, phrase = figures.find("task_due", task=task), figures.get("task_phrase", task=task)
    if due is None:
        return (show(phrase),)
    original = figures.find("task_original_due", task=task)
    if original is None:
        return (show(due),)
    return figures.words.say("extended", due=due, original=original)


def _changes(figures: FigureSet) -> Block:
    """What is new, done, newly overdue or given another deadline since the period before."""
    told = {t: figures.get("task_change", task=t).text or "" for t in figures.values("task_change", "task")}
    shown = sorted((t for t, change in told.items() if change in _CHANGES), key=lambda t: (_CHANGES.index(told[t]), t))
    if not shown:
        return Paragraph(figures.words.say("tasks_none", "changed"))
    total = figures.known("tasks")
    if set(told.values()) == {"Mới giao"} and total is not None and total.value == len(shown):
        return Paragraph(figures.words.say("tasks_none", "all_new"))
    columns = (
        Column("TT", 1.2, "center"),
        Column("Thay đổi", 3, "left"),
        Column("Nội dung nhiệm vụ", 11, "left"),
        Column("Chủ trì", 4, "left"),
        Column("Thời hạn", 3, "left"),
        Column("Ngày hoàn thành", 2.6, "center"),
    )
    rows = tuple(
        Row(
            (
                cell(str(number)),
                figure(figures, "task_change", task=task),
                (show(figures.get("task_content", task=task), "initial", limit=_CHARACTERS),),
                figure(figures, "task_lead", task=task),
                _deadline(figures, task),
                figure(figures, "task_done", task=task),
            )
        )
        for number, task in enumerate(shown, 1)
    )
    return Table(
        "PL2-ThayDoi", _caption(figures, "tasks_changed"), count_line(figures, "tasks"), columns, rows, small=True
    )


def _duties(figures: FigureSet) -> tuple[Block, ...]:
    found = sorted(figures.having("duty_days_overdue", "task", "item"), key=lambda f: (-(f.value or 0), f.key))
    if not found:
        return ()
    columns = (
        Column("TT", 1.2, "center"),
        Column("Kỳ", 2.4, "left"),
        Column("Nội dung nhiệm vụ", 11, "left"),
        Column("Chủ trì", 4, "left"),
        Column("Hạn của kỳ", 2.6, "center"),
        Column("Số ngày quá hạn", 1.9, "center"),
    )
    rows = tuple(
        Row(
            (
                cell(str(number)),
                (Span(duty.dim("item") or "", duty, "dimension"),),
                (show(figures.get("task_content", task=duty.dim("task")), "initial", limit=_CHARACTERS),),
                figure(figures, "task_lead", task=duty.dim("task")),
                figure(figures, "duty_due", **dict(duty.dims)),
                (show(duty),),
            )
        )
        for number, duty in enumerate(found, 1)
    )
    return (Table("PL2-DinhKy", _caption(figures, "duties"), count_line(figures, "tasks"), columns, rows, small=True),)
