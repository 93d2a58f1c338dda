"""The letter of each commune (thu): its own line, rank, findings, tasks and proposals, on two pages at most.

A clerk without training in finance reads it: plain words, what to do at the end. A commune without an accepted report
has a letter too, which says so and gives no number of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

from etl.period import Period
from etl.publish import report, sentences, tables
from etl.publish.commune_figures import RELATIONS_VI
from etl.publish.figure import Figure, FigureSet
from etl.publish.model import (
    Block,
    Column,
    Document,
    Heading,
    Kpi,
    Kpis,
    Paragraph,
    Row,
    Section,
    Span,
    Spans,
    Table,
)  # fmt: skip
from etl.publish.quality_figures import LEVELS_VI
from etl.publish.text import listing, show
from etl.publish.words import cut, unsigned

FOLDER = "thu"
FINDINGS, TASKS, PROPOSALS, OVERDUE = 8, 9, 5, 3
_LONG, _MIDDLE, _SHORT = 220, 200, 90
_OPEN = "chưa xử lý"
_LATE = "Đang thực hiện quá hạn"


def name(commune: str) -> str:
    """Name of the file of a letter within the pack, without its ending."""
    return f"{FOLDER}/{commune}"


def build(figures: FigureSet) -> list[Document]:
    """The letters of all communes that have to report, by code."""
    return [_letter(figures, commune) for commune in sorted(figures.values("report_state", "commune"))]


def _letter(figures: FigureSet, commune: str) -> Document:
    words, called = figures.words, figures.get("name", commune=commune)
    by: dict[str, Any] = {"commune": commune}
    blocks: list[Block] = []
    if figures.find("rate_total", **by):
        blocks.append(_strip(figures, by))
    blocks += [
        *_section(figures, "result", _result(figures, by, called)),
        *_section(figures, "report", _report(figures, by)),
        *_section(figures, "tasks", _tasks(figures, by, called)),
        *_section(figures, "proposals", _proposals(figures, by)),
        *_section(figures, "todo", _todo(figures, by)),
        Paragraph(words.say("letter_closing", name=called), "note"),
    ]
    title = words.line(
        "letter_title", "closing" if figures.closes_year else "month", period=figures.get("period"),
        year=figures.get("budget_year"), name=called,
    )  # fmt: skip
    return Document(
        "letter",
        name(commune),
        words.line("letter_kind"),
        (_unbroken(title, show(called, "place").text),),
        words.say("letter_subtitle", as_of=figures.get("as_of")),
        replace(report.letterhead(figures), addressees=(words.line("letter_to", name=called),)),
        (Section(tuple(blocks)),),
        figures.release_id,
    )


def _unbroken(title: str, name: str) -> str:
    """A line of the title does not end within the commune's name."""
    return title.replace(name, name.replace(" ", "\u00a0"))


def _section(figures: FigureSet, which: str, blocks: list[Block]) -> list[Block]:
    return [Heading(figures.words.line("letter_heading", which), 2), *blocks]


# 1 --------------------------------------------------------------------------------------------------------------------


def _strip(figures: FigureSet, by: dict[str, Any]) -> Kpis:
    words = figures.words
    rate, left = figures.known("rate_total", **by), figures.known("undisbursed", **by)
    plan, carry = figures.known("plan_total", **by), figures.known("undisbursed_carry", **by)
    boxes = []
    if rate is not None:
        boxes.append(
            _box(figures, "rate", words.say("letter_box", "rate_value", rate=rate), sentences.change(figures, **by))
        )
    rank, average = figures.known("rank_rate", **by), figures.known("rate_total")
    if rank is not None and average is not None:
        value = words.say("letter_box", "rank_value", rank=rank, ranked=figures.get("communes_ranked"))
        boxes.append(_box(figures, "rank", value, words.say("letter_box", "rank_note", rate=average)))
    if left is not None and plan is not None:
        value = words.say("letter_box", "amount_value", amount=left)
        boxes.append(_box(figures, "left", value, words.say("letter_box", "left_note", plan=plan)))
    if rate is not None:
        boxes.append(_box(figures, "roadmap", *_roadmap_box(figures, by)))
    if carry is not None and figures.get("plan_carry", **by).value:
        value = words.say("letter_box", "amount_value", amount=carry)
        boxes.append(
            _box(figures, "carry", value, words.say("letter_box", "carry_note", day=figures.get("closing_on")))
        )
    return Kpis(tuple(boxes))


def _box(figures: FigureSet, which: str, value: Spans, note: Spans) -> Kpi:
    return Kpi(figures.words.line("letter_box", which), value, note)


def _roadmap_box(figures: FigureSet, by: dict[str, Any]) -> tuple[Spans, Spans]:
    words, points = figures.words, figures.known("roadmap_points", **by)
    if points is None:
        return words.say("letter_box", "roadmap_missing"), ()
    note = words.say("letter_box", "roadmap_note", rate=figures.get("roadmap_rate", **by))
    planned = figures.get("roadmap_planned", **by)
    variant = "zero" if not planned.value and not points.value else _pace(points)
    return words.say("letter_box", f"roadmap_{variant}", points=unsigned(points)), note


def _pace(difference: Figure) -> str:
    """Of what was done less what the roadmap asks for."""
    value = difference.value or 0
    return "same" if value == 0 else "ahead" if value > 0 else "behind"


def _result(figures: FigureSet, by: dict[str, Any], called: Figure) -> list[Block]:
    words, as_of = figures.words, figures.get("as_of")
    if figures.find("not_reporting", **by):
        return [Paragraph(words.say("letter_result", "missing", period=figures.get("period"), name=called))]
    year, amount, plan = figures.get("budget_year"), figures.known("disb_ytd", **by), figures.known("plan_total", **by)
    rate, average, rank = (
        figures.known("rate_total", **by),
        figures.known("rate_total"),
        figures.known("rank_rate", **by),
    )
    if amount is None or rate is None or plan is None or average is None or rank is None:
        if amount is None or not amount.value:
            return [Paragraph(words.say("letter_result", "nothing", name=called, as_of=as_of))]
        return [Paragraph(words.say("letter_result", "unplanned", year=year, as_of=as_of, amount=amount))]
    if not amount.value:
        first = words.say("letter_result", "zero", as_of=as_of, name=called, year=year, plan=plan, average=average)
    else:
        first = words.say(
            "letter_result", "rated", year=year, as_of=as_of, amount=amount, plan=plan, rate=rate,
            change=sentences.change(figures, **by), rank=rank, ranked=figures.get("communes_ranked"), average=average,
        )  # fmt: skip
    said = [first, _left(figures, by), _carry(figures, by), _roadmap(figures, by, called)]
    blocks: list[Block] = [Paragraph(listing((s for s in said if s), " ")), _programmes(figures, by)]
    months = _months(figures, by)
    return [*blocks, months] if months else blocks


def _left(figures: FigureSet, by: dict[str, Any]) -> Spans:
    words, left = figures.words, figures.known("undisbursed", **by)
    if left is None:
        return ()
    if not left.value:
        return words.say("letter_left", "done")
    if left.value < 0:
        return words.say("letter_left", "over", left=unsigned(left))
    pace = figures.known("pace_needed", **by)
    if pace is None:
        return words.say("letter_left", "closed", left=left)
    return words.say("letter_left", "some", left=left, closing=figures.get("closing_on"), pace=pace)


def _carry(figures: FigureSet, by: dict[str, Any]) -> Spans:
    words = figures.words
    plan, paid, left = (figures.known(m, **by) for m in ("plan_carry", "disb_carry", "undisbursed_carry"))
    if plan is None or paid is None or left is None or not plan.value:
        return ()
    if not left.value:
        return words.say("letter_carry", "done", plan=plan)
    return words.say("letter_carry", "some", paid=paid, plan=plan, left=left, closing=figures.get("closing_on"))


def _roadmap(figures: FigureSet, by: dict[str, Any], called: Figure) -> Spans:
    words, planned, lag = figures.words, figures.known("roadmap_planned", **by), figures.known("roadmap_gap", **by)
    if planned is None or lag is None:
        return words.say("letter_roadmap", "missing", name=called)
    variant = "zero" if not planned.value and not lag.value else _pace(lag)
    as_of = figures.get("as_of")
    told = words.say("letter_roadmap", variant, name=called, as_of=as_of, planned=planned, lag=unsigned(lag))
    close = sentences.roadmap_close(figures, "letter_roadmap_close", **by)
    return (*told, Span(" "), *close) if close else told


def _programmes(figures: FigureSet, by: dict[str, Any]) -> Table:
    columns = (
        Column("Chương trình", 6.4, "left"),
        Column("Kế hoạch", 2.3),
        Column("Lũy kế giải ngân", 2.3),
        Column("Tỷ lệ (%)", 1.6),
        Column("Chưa giải ngân", 2.3),
        Column("Vốn kéo dài còn lại", 2.3),
    )
    metrics = ("plan_total", "disb_ytd", "rate_total", "undisbursed", "undisbursed_carry")

    def row(first: Spans, role: str, **more: Any) -> Row:
        return Row((first, *(tables.figure(figures, m, **by, **more) for m in metrics)), role)

    rows = [row(tables.cell("TỔNG SỐ"), "total")]
    rows += [
        row(tables.figure(figures, "name_short", programme=p), "item", programme=p)
        for p in tables.programmes(figures)
        if figures.find("plan_total", programme=p, **by)
    ]
    unit = figures.words.say("brief_communes_line", as_of=figures.get("as_of"))
    return Table("Thu-CT", "", unit, columns, tuple(rows), numbered=False, small=True)


def _months(figures: FigureSet, by: dict[str, Any]) -> Table | None:
    """What was disbursed by the end of each month beside the commune's roadmap; None with nothing to compare."""
    done = {
        p: f for p in figures.values("disb_trend", "period", **by) if (f := figures.find("disb_trend", period=p, **by))
    }
    path = {
        p: f
        for p in figures.values("roadmap_path", "period", **by)
        if (f := figures.find("roadmap_path", period=p, **by))
    }
    months = sorted(done.keys() | path.keys())[-7:]
    if len(months) < 2:
        return None
    columns = (Column("Lũy kế đến hết tháng", 3.6, "left"), *(Column(_month(m), 2) for m in months))

    def row(first: str, found: dict[str, Figure]) -> Row:
        return Row((tables.cell(first), *((show(found.get(m)),) for m in months)))

    rows = [row("Thực hiện", done)]
    if path:
        rows.append(row("Lộ trình của xã, phường", path))
    unit = figures.words.say("brief_communes_line", as_of=figures.get("as_of"))
    return Table("Thu-Thang", "", unit, columns, tuple(rows), numbered=False, small=True)


def _month(period: str) -> str:
    month = Period.parse(period)
    return f"{month.month}/{month.year}"


# 2 --------------------------------------------------------------------------------------------------------------------


def _report(figures: FigureSet, by: dict[str, Any]) -> list[Block]:
    words, due = figures.words, figures.get("due_on")
    received, missing = figures.find("report_received", **by), figures.find("not_reporting", **by)
    late = figures.known("late_days", **by)
    if received is None or (missing and missing.text == "missing"):
        said = [words.say("letter_report", "missing", due=due)]
    elif missing:
        said = [words.say("letter_report", missing.text or "returned", received=received, due=due)]
    elif late is not None and late.value:
        said = [words.say("letter_report", "late", received=received, due=due, days=late)]
    else:
        said = [words.say("letter_report", "on_time", received=received, due=due)]
    contested, lines = figures.known("contested_versions", **by), figures.known("contested_lines", **by)
    if contested is not None and lines is not None:
        said.append(words.say("letter_unsettled", "contested", n=contested, k=lines))
    waiting = figures.known("late_revisions", period=str(figures.period), **by)
    if waiting is not None:
        said.append(words.say("letter_unsettled", "revision", n=waiting))
    levels = [
        (level, f)
        for level in LEVELS_VI.values()
        if (f := figures.known("findings_open", state=level, **by)) and f.value
    ]
    told = [words.say("letter_level", n=f, level=Span(level.lower())) for level, f in levels]
    if told:
        said.append(words.say("letter_findings", "some", list=listing(told)))
    elif received is not None:
        said.append(words.say("letter_findings", "none"))
    found = _findings(figures, by)
    blocks: list[Block] = [Paragraph(listing(said, " "))]
    if found:
        blocks.append(_finding_table(figures, found[:FINDINGS]))
    if len(found) > FINDINGS:
        blocks.append(Paragraph(words.say("letter_findings", "more"), "note"))
    return blocks


def _findings(figures: FigureSet, by: dict[str, Any]) -> list[dict[str, str]]:
    """Dimensions of the commune's findings: open before answered, errors before warnings before hints."""
    found = [dict(f.dims) for f in figures.having("finding_level", "commune", "rule", "item")]
    mine = [d for d in found if d["commune"] == by["commune"]]
    levels = list(LEVELS_VI.values())

    def order(d: dict[str, str]) -> tuple[bool, int, str, str]:
        answered = figures.get("finding_outcome", **d).text != _OPEN
        return answered, levels.index(figures.get("finding_level", **d).text or ""), d["item"], d["rule"]

    return sorted(mine, key=order)


def _finding_table(figures: FigureSet, found: list[dict[str, str]]) -> Table:
    columns = (
        Column("Mức độ", 1.7, "left"),
        Column("Ô", 3.4, "left"),
        Column("Nội dung", 10.4, "left"),
        Column("Xử lý", 2.2, "left"),
    )
    rows = tuple(
        Row(
            (
                tables.figure(figures, "finding_level", **d),
                tables.figure(figures, "finding_cell", **d),
                (show(figures.get("finding_text", **d), limit=_LONG),),
                tables.figure(figures, "finding_outcome", "initial", **d),
            )
        )
        for d in found
    )
    return Table("Thu-KiemTra", "", (), columns, rows, numbered=False, small=True)


# 3, 4 -----------------------------------------------------------------------------------------------------------------


def _own_tasks(figures: FigureSet, by: dict[str, Any]) -> list[str]:
    """Tasks that concern the commune, its own first: what is overdue, then by deadline; what is finished last."""

    def order(task: str) -> tuple[bool, bool, Decimal, str, str]:
        state = figures.get("task_state", task=task).text or ""
        overdue, due = figures.find("task_days_overdue", task=task), figures.find("task_due", task=task)
        finished = state.startswith("Đã hoàn thành") or state == "Thôi thực hiện"
        late = overdue.value if overdue is not None and overdue.value else Decimal(0)
        return finished, not _leads(figures, task, by), -late, (due.text or "9") if due else "9", task

    return sorted(figures.values("commune_task", "task", **by), key=order)


def _tasks(figures: FigureSet, by: dict[str, Any], called: Figure) -> list[Block]:
    words, tasks = figures.words, _own_tasks(figures, by)
    if not tasks:
        return [Paragraph(words.say("letter_tasks", "none", name=called))]
    columns = (
        Column("Nội dung nhiệm vụ", 8.6, "left"),
        Column("Chủ trì", 3.2, "left"),
        Column("Thời hạn", 2.2, "left"),
        Column("Tình trạng", 3.7, "left"),
    )
    rows = tuple(
        Row(
            (
                (show(figures.get("task_content", task=task), "initial", limit=_MIDDLE),),
                tables.figure(figures, "task_lead", task=task),
                (show(figures.find("task_due", task=task) or figures.get("task_phrase", task=task)),),
                tables.figure(figures, "task_state", task=task),
            )
        )
        for task in tasks[:TASKS]
    )
    blocks: list[Block] = [
        Paragraph(words.say("letter_tasks", "some", name=called)),
        Table("Thu-NhiemVu", "", (), columns, rows, numbered=False, small=True),
    ]
    if len(tasks) > TASKS:
        blocks.append(Paragraph(words.say("letter_tasks", "more"), "note"))
    return blocks


def _proposals(figures: FigureSet, by: dict[str, Any]) -> list[Block]:
    words, period = figures.words, figures.get("period")
    mine = [
        f.dim("proposal") or "" for f in figures.having("proposal_commune", "proposal") if f.text == by["commune"]
    ]  # fmt: skip
    if not mine:
        variant = "unknown" if figures.find("not_reporting", **by) else "none"
        return [Paragraph(words.say("letter_proposals", variant, period=period))]
    columns = (
        Column("Kiến nghị", 8.2, "left"),
        Column("Cơ quan giải quyết", 3.4, "left"),
        Column("Tình trạng", 2.6, "left"),
        Column("Kết quả, văn bản trả lời", 3.5, "left"),
    )
    rows = tuple(
        Row(
            (
                (show(figures.get("proposal_text", proposal=code), "initial", limit=_MIDDLE),),
                (show(figures.get("proposal_addressee", proposal=code), limit=_SHORT),),
                tables.figure(figures, "proposal_state", proposal=code),
                _became(figures, by, code),
            )
        )
        for code in sorted(mine)[:PROPOSALS]
    )
    blocks: list[Block] = [
        Paragraph(words.say("letter_proposals", "some", period=period)),
        Table("Thu-KienNghi", "", (), columns, rows, numbered=False, small=True),
    ]
    if len(mine) > PROPOSALS:
        blocks.append(Paragraph(words.say("letter_proposals", "more"), "note"))
    return blocks


def _became(figures: FigureSet, by: dict[str, Any], code: str) -> Spans:
    """What became of a proposal: the answer, and the tasks it was handed out as."""
    tasks = figures.values("proposal_task", "task", proposal=code, **by)
    parts: list[Spans] = []
    if (figures.get("proposal_reply", proposal=code).text or "").strip():
        parts.append((show(figures.get("proposal_reply", proposal=code), limit=_SHORT),))
    parts += [
        figures.words.say(
            "letter_handed", lead=figures.get("task_lead", task=task),
            state=figures.get("proposal_task", task=task, proposal=code, **by),
        )
        for task in tasks
    ]  # fmt: skip
    return listing(parts, "; ") if parts else tables.figure(figures, "proposal_reply", proposal=code)


# 5 --------------------------------------------------------------------------------------------------------------------


def _todo(figures: FigureSet, by: dict[str, Any]) -> list[Block]:
    return [Paragraph(spans, "bullet") for spans in _duties(figures, by)]


def _leads(figures: FigureSet, task: str, by: dict[str, Any]) -> bool:
    return figures.get("commune_task", task=task, **by).text == RELATIONS_VI["lead"]


def _money(figures: FigureSet, by: dict[str, Any]) -> Iterator[Spans]:
    """What has to be disbursed, as long as there is time."""
    words, pace, closing = figures.words, figures.known("pace_needed", **by), figures.get("closing_on")
    if pace is not None and (pace.value or 0) > 0:
        paid = figures.known("disb_ytd", **by)
        yield words.say(
            "letter_todo", "pace" if paid is not None and paid.value else "begin", pace=pace, closing=closing
        )
    left = figures.known("undisbursed_carry", **by)
    if left is not None and (left.value or 0) > 0 and figures.get("months_left").value:
        yield words.say("letter_todo", "carry", left=left, closing=closing)


def _duties(figures: FigureSet, by: dict[str, Any]) -> Iterator[Spans]:
    words, period, following = figures.words, figures.get("period"), figures.get("next_period")
    missing = figures.find("not_reporting", **by)
    errors, warnings = (figures.known("findings_open", state=LEVELS_VI[s], **by) for s in ("error", "warning"))
    if missing and missing.text == "returned" and errors is not None and errors.value:
        yield words.say("letter_todo", "returned", n=errors, period=period)
    elif missing and missing.text == "refused":
        yield words.say("letter_todo", "refused", period=period)
    elif missing:
        yield words.say("letter_todo", "missing", period=period)
    if warnings is not None and warnings.value and not missing:
        yield words.say("letter_todo", "warnings", n=warnings)
    yield from _money(figures, by)
    own = [t for t in _own_tasks(figures, by) if _leads(figures, t, by)]
    for variant, states in (("overdue", (_LATE,)), ("soon", ("Sắp đến hạn", "Đang thực hiện trong hạn"))):
        told = [
            words.say("letter_task_due", content=cut(figures.get("task_content", task=t), _SHORT), due=due)
            for t in own
            if figures.get("task_state", task=t).text in states
            and (due := figures.find("task_due", task=t)) is not None
        ]
        if told:
            yield words.say("letter_todo", variant, list=listing(told[:OVERDUE], "; "))
    if not missing and figures.find("roadmap_planned", **by) is None:
        yield words.say("letter_todo", "roadmap", next=following)
    due = figures.find("next_due_on")
    if due is None:
        yield words.say("letter_todo", "next_undated", next=following)
    else:
        yield words.say("letter_todo", "next", next=following, due=due)
