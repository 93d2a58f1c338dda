"""The one-page brief (tom-tat): what the chair looks at first (DOMAIN.md 9), on one A4 page.

The page is of fixed size, so lists are cut to a number of items and long texts to a number of characters; whatever is
cut stands in full in the report.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from etl.publish import report, sentences, tables
from etl.publish.figure import FigureSet
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
)
from etl.publish.text import listing, show, vi_key
from etl.publish.words import cut, unsigned

COMMUNES = 10
AGENCIES = 4
CARRY = 5
NAMED = 5
UNANSWERED = "Chưa giải quyết"
ASKS = 3
_ASK_CHARACTERS = 150


def build(figures: FigureSet) -> Document:
    closed = not figures.get("months_left").value
    blocks: list[Block] = [
        *_told(sentences.correction(figures), "note"),
        _strip(figures),
        Paragraph(sentences.disbursed(figures)),
        _programmes(figures),
        _heading(figures, "communes"),
        _two_rankings(figures),
        Paragraph((*sentences.communes(figures, 8), Span(" "), *sentences.roadmap(figures))),
        *_told(_marked(figures), "note"),
        _heading(figures, "carry_over_closed" if closed else "carry_over"),
        Paragraph((*sentences.carry_over(figures), *_carry_communes(figures))),
        _heading(figures, "overdue"),
        *_overdue(figures),
        _heading(figures, "asks"),
        *_asks(figures),
        Paragraph((*sentences.coverage(figures), Span(" "), *sentences.reconciled(figures)), "note"),
    ]
    period, year = figures.get("period"), figures.get("budget_year")
    title = figures.words.line("brief_title", "closing" if figures.closes_year else "month", period=period, year=year)
    return Document(
        "brief",
        f"tom-tat-{figures.period}",
        "TÓM TẮT",
        (title,),
        figures.words.say("brief_subtitle", as_of=figures.get("as_of")),
        report.letterhead(figures),
        (Section(tuple(blocks)),),
        figures.release_id,
    )


def _told(spans: Spans | None, style: str = "body") -> list[Block]:
    return [Paragraph(spans, style)] if spans else []


def _marked(figures: FigureSet) -> Spans | None:
    """What the mark behind a name means, where one stands."""
    shown = {*_lowest(figures), *_stuck(figures)}
    marked = any(tables.caveats(figures, commune) for commune in shown)
    return figures.words.say("brief_marked") if marked else None


def _lowest(figures: FigureSet) -> list[str]:
    return list(reversed(tables.by_rank(figures)))[:COMMUNES]


def _stuck(figures: FigureSet) -> list[str]:
    return report.by_amount_stuck(figures)[:COMMUNES]


def _heading(figures: FigureSet, name: str) -> Heading:
    return Heading(figures.words.line("brief_heading", name), 2)


def _strip(figures: FigureSet) -> Kpis:
    def label(box: str) -> str:
        return figures.words.line("kpi_label", box)

    rate = figures.known("rate_total")
    shown = figures.words.say("kpi_rate", "value", rate=rate) if rate else figures.words.say("kpi_rate", "missing")
    return Kpis(
        (
            Kpi(label("rate"), shown, sentences.change(figures)),
            Kpi(label("disbursed"), *_disbursed_box(figures)),
            Kpi(label("left"), *_left_box(figures)),
            Kpi(label("carry"), *_carry_box(figures)),
            Kpi(label("overdue"), *_overdue_box(figures)),
        )
    )


def _disbursed_box(figures: FigureSet) -> tuple[Spans, Spans]:
    say, amount, plan = figures.words.say, figures.known("disb_ytd"), figures.known("plan_total")
    return (
        say("kpi_disbursed", "value", amount=amount) if amount else say("kpi_disbursed", "missing"),
        say("kpi_disbursed", "note", plan=plan) if plan and plan.value else say("kpi_disbursed", "no_plan"),
    )


def _left_box(figures: FigureSet) -> tuple[Spans, Spans]:
    say, left = figures.words.say, figures.known("undisbursed")
    months = figures.get("months_left").value or 0
    if left is None or left.value is None:
        return say("kpi_left", "missing"), say("kpi_left", "missing_note")
    if left.value <= 0:
        outcome = "over" if left.value else "done"
        return say("kpi_left", outcome), say("kpi_left", f"{outcome}_note")
    note = "closed" if not months else "last_month" if months == 1 else "pace"
    pace = {"pace": figures.get("pace_needed")} if note == "pace" else {}
    done = figures.known("disb_period")
    if note == "pace" and done is not None and (done.value or 0) > 0:
        note, pace = "pace_done", pace | {"done": done, "month": figures.get("period_short")}
    return say("kpi_left", "value", left=left), say("kpi_left", note, **pace)


def _carry_box(figures: FigureSet) -> tuple[Spans, Spans]:
    say, plan, left = figures.words.say, figures.known("plan_carry"), figures.known("undisbursed_carry")
    if plan is not None and not plan.value:
        return say("kpi_carry", "none"), say("kpi_carry", "none_note", year=figures.get("budget_year"))
    if left is None or left.value is None:
        return say("kpi_carry", "missing"), say("kpi_carry", "missing_note")
    if left.value <= 0:
        outcome = "over" if left.value else "done"
        return say("kpi_carry", outcome), say("kpi_carry", f"{outcome}_note")
    time = "deadline" if figures.get("months_left").value else "closed"
    return say("kpi_carry", "value", left=left), say("kpi_carry", time, closing=figures.get("closing_on"))


def _overdue_box(figures: FigureSet) -> tuple[Spans, Spans]:
    say, overdue = figures.words.say, figures.known("tasks", state=sentences.OVERDUE)
    longest, tasks = figures.known("longest_overdue_days"), figures.known("tasks")
    if overdue and longest:
        note = say("kpi_overdue", "one" if overdue.value == 1 else "longest", days=longest)
        return say("kpi_overdue", "value", n=overdue), note
    none = say("kpi_overdue", "none_note", n=tasks) if tasks and tasks.value else say("kpi_overdue", "no_tasks")
    return say("kpi_overdue", "none"), none


def _programmes(figures: FigureSet) -> Table:
    """Each programme in one line, with the rate of each capital kind."""
    kinds = tables.capital_kinds(figures)
    columns = (
        Column("Chương trình", 6.6, "left"),
        Column("Kế hoạch", 2.4),
        Column("Lũy kế giải ngân", 2.4),
        Column("Tỷ lệ (%)", 1.8),
        Column("So tháng trước (điểm %)", 2.4),
        *(Column(f"Tỷ lệ {show(figures.get('name', capital_kind=k), 'place').text} (%)", 2.8) for k in kinds),
        Column("Vốn kéo dài còn lại", 2.2),
    )

    def row(name: Spans, role: str, **by: Any) -> Row:
        metrics = ("plan_total", "disb_ytd", "rate_total", "rate_change_points")
        return Row(
            (
                name,
                *(tables.figure(figures, m, **by) for m in metrics),
                *(tables.figure(figures, "rate_total", capital_kind=k, **by) for k in kinds),
                tables.figure(figures, "undisbursed_carry", **by),
            ),
            role,
        )

    rows = [row(tables.cell("TỔNG SỐ"), "total")]
    rows += [
        row(tables.figure(figures, "name_short", programme=p), "item", programme=p) for p in tables.programmes(figures)
    ]
    unit = tables.money_line(figures)
    title = "Tóm tắt. Kết quả giải ngân theo chương trình"
    return Table("TomTat-CT", "", unit, columns, tuple(rows), numbered=False, small=True, title=title)


def _two_rankings(figures: FigureSet) -> Table:
    """The ten lowest rates, and beside them the ten largest amounts still to be disbursed."""
    lowest, stuck = _lowest(figures), _stuck(figures)
    left, right = "Tỷ lệ giải ngân thấp nhất", "Vốn chưa giải ngân lớn nhất"
    columns = (
        Column("TT", 1.2, "center"),
        Column("Xã, phường", 4.6, "left", left),
        Column("Tỷ lệ (%)", 1.9, "right", left),
        Column("So tháng trước (điểm %)", 2.4, "right", left),
        Column("Lộ trình (%)", 1.9, "right", left),
        Column("So lộ trình (điểm %)", 2.2, "right", left),
        Column("Xã, phường", 4.6, "left", right),
        Column("Chưa giải ngân", 2.6, "right", right),
        Column("Tỷ lệ (%)", 1.9, "right", right),
    )

    def cells(low: str, high: str) -> tuple[Spans, ...]:
        return (
            tables.marked_name(figures, low),
            tables.figure(figures, "rate_total", commune=low),
            tables.figure(figures, "rate_change_points", commune=low),
            tables.figure(figures, "roadmap_rate", commune=low),
            tables.figure(figures, "roadmap_points", commune=low),
            tables.marked_name(figures, high),
            tables.figure(figures, "undisbursed", commune=high),
            tables.figure(figures, "rate_total", commune=high),
        )

    rows = tuple(
        Row((tables.cell(str(number)), *cells(low, high)))
        for number, (low, high) in enumerate(zip(lowest, stuck, strict=True), 1)
    )
    unit = figures.words.say("brief_communes_line", as_of=figures.get("as_of"))
    title = "Tóm tắt. Xã, phường cần chú ý"
    return Table("TomTat-Xa", "", unit, columns, rows, numbered=False, small=True, title=title)


def _carry_communes(figures: FigureSet) -> Spans:
    """Who holds most of the carried-over money that is left; nothing where few communes have any, or it is too late."""
    if not figures.get("months_left").value:
        return ()
    held = [f for f in figures.having("undisbursed_carry", "commune") if (f.value or 0) > 0]
    most = sorted(held, key=lambda f: (-(f.value or 0), f.key))[:CARRY]
    if len(held) <= CARRY:
        return ()
    told = listing(
        figures.words.say("name_with_left", name=figures.get("name", commune=f.dim("commune")), left=f) for f in most
    )
    return (Span(" "), *figures.words.say("brief_carry_communes", list=told))


def _overdue(figures: FigureSet) -> list[Block]:
    say, agencies = figures.words.say, sentences.overdue_by_agency(figures)
    if not agencies:
        tasks = figures.known("tasks")
        return [Paragraph(say("brief_overdue", "none" if tasks and tasks.value else "no_tasks"))]
    parts = listing(
        (
            say(
                "brief_overdue_part",
                "one" if count.value == 1 else "many",
                agency=Span(agency, count, "dimension"),
                n=count,
                days=days,
            )
            for agency, count, days in agencies[:AGENCIES]
        ),
        "; ",
    )
    blocks: list[Block] = [Paragraph(say("brief_overdue", "more" if len(agencies) > AGENCIES else "list", parts=parts))]
    longest = sentences.longest_overdue(figures, _ASK_CHARACTERS)
    if longest:
        blocks.append(Paragraph(longest))
    return [*blocks, *_told(sentences.duties_overdue(figures))]


def _asks(figures: FigureSet) -> list[Block]:
    """What the figures ask for: of communes at zero, of who is overdue, of agencies that have not answered. Then open
    proposals: those to the province's leaders first, those that nobody has taken up before the others, then by the
    amount that hangs on them."""
    blocks: list[Block] = [Paragraph(told, "bullet") for told in _requests(figures)]
    blocks.append(Paragraph(sentences.proposals(figures)))
    closed = ("Đã giải quyết", "Không thuộc thẩm quyền")
    pending = [
        p for p in figures.values("proposal_state", "proposal")
        if figures.get("proposal_state", proposal=p).text not in closed
    ]  # fmt: skip

    def weight(code: str) -> tuple[bool, int, int, str]:
        to_leaders = (figures.get("proposal_addressee", proposal=code).text or "").startswith(("UBND tỉnh", "Ban Chỉ"))
        taken_up = tables.place(tables.PROPOSAL_STATES, figures.get("proposal_state", proposal=code).text)
        return not to_leaders, taken_up, -abs(int(figures.get("proposal_amount", proposal=code).value or 0)), code

    for code in sorted(pending, key=weight)[:ASKS]:
        by = {"proposal": code}
        commune = figures.get("proposal_commune", **by).text
        amount = figures.known("proposal_amount", **by)
        more = {} if amount is None or not amount.value else {"amount": unsigned(amount)}
        blocks.append(
            Paragraph(
                figures.words.say(
                    "brief_ask",
                    "text" if not more else "rise" if amount and (amount.value or 0) > 0 else "cut",
                    **more,
                    name=figures.get("name", commune=commune),
                    to=figures.get("proposal_addressee", **by),
                    content=cut(figures.get("proposal_text", **by), _ASK_CHARACTERS),
                ),
                "bullet",
            )
        )
    return blocks


def _requests(figures: FigureSet) -> Iterator[Spans]:
    say, zero = figures.words.say, sentences.at_zero(figures)
    if zero and figures.get("months_left").value:
        named = sentences.names(figures, zero, NAMED)
        yield say("brief_request_zero", "one" if len(zero) == 1 else "many", names=named)
    overdue = figures.known("tasks", state=sentences.OVERDUE)
    if overdue is not None and overdue.value:
        yield say("brief_request_overdue", "one" if overdue.value == 1 else "many", n=overdue)
    waiting = figures.known("proposals", state=UNANSWERED)
    if waiting is None or not waiting.value:
        return
    agencies = sorted(
        figures.values("proposals", "agency", state=UNANSWERED),
        key=lambda a: (-(figures.get("proposals", agency=a, state=UNANSWERED).value or 0), vi_key(a)),
    )
    told = listing(
        say(
            "brief_request_part",
            agency=Span(agency, figures.get("proposals", agency=agency, state=UNANSWERED), "dimension"),
            n=figures.get("proposals", agency=agency, state=UNANSWERED),
        )
        for agency in agencies[:AGENCIES]
    )
    variant = "one" if waiting.value == 1 else "more" if len(agencies) > AGENCIES else "many"
    yield say("brief_request_answer", variant, n=waiting, parts=told)
