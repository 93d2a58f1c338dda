"""The one-page brief (tom-tat): what the chair looks at first (DOMAIN.md 9), on one A4 page.

The page is of fixed size, so lists are cut to a number of items and long texts to a number of characters; whatever is
cut stands in full in the report.
"""

from __future__ import annotations

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
from etl.publish.text import sentence, show

COMMUNES = 10
AGENCIES = 4
ASKS = 3
_ASK_CHARACTERS = 150


def build(figures: FigureSet) -> Document:
    blocks: list[Block] = [
        _strip(figures),
        Paragraph(sentences.disbursed(figures)),
        _programmes(figures),
        Heading("1. Xã, phường cần chú ý", 2),
        _two_rankings(figures),
        Paragraph(sentences.communes(figures, 8)),
        Heading("2. Vốn kéo dài sắp hết thời hạn giải ngân", 2),
        Paragraph(sentences.carry_over(figures)),
        Heading("3. Nhiệm vụ quá hạn", 2),
        *_overdue(figures),
        Heading("4. Nội dung xin ý kiến, đề nghị chỉ đạo", 2),
        *_asks(figures),
        Paragraph(sentences.coverage(figures), "note"),
    ]
    subtitle = sentence(
        "Số liệu lũy kế đến ngày {as_of}; tỷ lệ = lũy kế giải ngân / tổng kế hoạch vốn được sử dụng, gồm vốn kéo dài",
        as_of=figures.get("as_of"),
    )
    period = figures.get("period").text
    return Document(
        "brief",
        f"tom-tat-{figures.period}",
        "TÓM TẮT",
        (f"Tình hình thực hiện các Chương trình mục tiêu quốc gia {period}",),
        subtitle,
        report.letterhead(figures),
        (Section(tuple(blocks)),),
        figures.release_id,
    )


def _strip(figures: FigureSet) -> Kpis:
    overdue = figures.find("tasks", state="Đang thực hiện quá hạn")
    longest = figures.find("longest_overdue_days")
    months = figures.get("months_left")
    pace = (
        sentence("cần {p} tỷ đồng/tháng", p=show(figures.get("pace_needed"), "ty"))
        if months.value
        else (Span("đã hết thời hạn giải ngân"),)
    )
    return Kpis(
        (
            Kpi("Tỷ lệ giải ngân", sentence("{r}%", r=figures.get("rate_total")), sentences.change(figures)),
            Kpi(
                "Đã giải ngân",
                sentence("{x} tỷ đồng", x=show(figures.get("disb_ytd"), "ty")),
                sentence("trên {t} tỷ đồng kế hoạch", t=show(figures.get("plan_total"), "ty")),
            ),
            Kpi("Chưa giải ngân", sentence("{x} tỷ đồng", x=show(figures.get("undisbursed"), "ty")), pace),
            Kpi(
                "Vốn kéo dài còn lại",
                sentence("{x} tỷ đồng", x=show(figures.get("undisbursed_carry"), "ty")),
                sentence("hết hạn {d}", d=figures.get("closing_on")),
            ),
            Kpi(
                "Nhiệm vụ quá hạn",
                sentence("{n} nhiệm vụ", n=overdue) if overdue else (Span("không có"),),
                sentence("lâu nhất {d} ngày", d=longest) if longest else (Span("tất cả trong hạn"),),
            ),
        )
    )


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
    lowest = list(reversed(tables.by_rank(figures)))[:COMMUNES]
    stuck = report.by_amount_stuck(figures)[:COMMUNES]
    left, right = "Tỷ lệ giải ngân thấp nhất", "Vốn chưa giải ngân lớn nhất"
    columns = (
        Column("TT", 1.2, "center"),
        Column("Xã, phường", 4.6, "left", left),
        Column("Tỷ lệ (%)", 1.9, "right", left),
        Column("So tháng trước (điểm %)", 3.2, "right", left),
        Column("Xã, phường", 4.6, "left", right),
        Column("Chưa giải ngân", 2.6, "right", right),
        Column("Tỷ lệ (%)", 1.9, "right", right),
    )

    def cells(low: str, high: str) -> tuple[Spans, ...]:
        return (
            tables.figure(figures, "name", commune=low),
            tables.figure(figures, "rate_total", commune=low),
            tables.figure(figures, "rate_change_points", commune=low),
            tables.figure(figures, "name", commune=high),
            tables.figure(figures, "undisbursed", commune=high),
            tables.figure(figures, "rate_total", commune=high),
        )

    rows = tuple(
        Row((tables.cell(str(number)), *cells(low, high)))
        for number, (low, high) in enumerate(zip(lowest, stuck, strict=True), 1)
    )
    unit = sentence("Đơn vị tính: triệu đồng. Đến ngày {as_of}.", as_of=figures.get("as_of"))
    title = "Tóm tắt. Xã, phường cần chú ý"
    return Table("TomTat-Xa", "", unit, columns, rows, numbered=False, small=True, title=title)


def _overdue(figures: FigureSet) -> list[Block]:
    agencies = sentences.overdue_by_agency(figures)
    if not agencies:
        return [Paragraph((Span("Không có nhiệm vụ quá hạn."),))]
    parts = [
        sentence(
            "{agency}: {n} nhiệm vụ (lâu nhất {days} ngày)",
            agency=Span(agency, count, "dimension"),
            n=count,
            days=days,
        )
        for agency, count, days in agencies[:AGENCIES]
    ]
    more = Span("; các cơ quan khác tại Bảng 5 của Báo cáo." if len(agencies) > AGENCIES else ".")
    blocks: list[Block] = [Paragraph((*_joined(parts), more))]
    longest = sentences.longest_overdue(figures, _ASK_CHARACTERS)
    if longest:
        blocks.append(Paragraph(longest))
    return blocks


def _joined(parts: list[Spans]) -> Spans:
    result: list[Span] = []
    for part in parts:
        result += [Span("; "), *part] if result else part
    return tuple(result)


def _asks(figures: FigureSet) -> list[Block]:
    """Open proposals, those to the province's leaders first, then by the amount that hangs on them."""
    blocks: list[Block] = [Paragraph(sentences.proposals(figures))]
    closed = ("Đã giải quyết", "Không thuộc thẩm quyền")
    pending = [
        p for p in figures.values("proposal_state", "proposal")
        if figures.get("proposal_state", proposal=p).text not in closed
    ]  # fmt: skip

    def weight(code: str) -> tuple[bool, int, str]:
        to_leaders = (figures.get("proposal_addressee", proposal=code).text or "").startswith(("UBND tỉnh", "Ban Chỉ"))
        return not to_leaders, -abs(int(figures.get("proposal_amount", proposal=code).value or 0)), code

    for code in sorted(pending, key=weight)[:ASKS]:
        by = {"proposal": code}
        commune = figures.get("proposal_commune", **by).text
        blocks.append(
            Paragraph(
                sentence(
                    "- {name} (gửi {to}): {text}",
                    name=figures.get("name", commune=commune),
                    to=figures.get("proposal_addressee", **by),
                    text=show(figures.get("proposal_text", **by), limit=_ASK_CHARACTERS),
                ),
                "bullet",
            )
        )
    return blocks
