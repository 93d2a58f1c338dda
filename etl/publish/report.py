"""The monthly report (bao-cao) as a document model: outline of DOMAIN.md 9, letterhead of NĐ 30/2020.

It sees nothing but the figures of a release. What no data can say is a marked place for the drafter, never a phrase
that sounds like a fact.
"""

from __future__ import annotations

from etl.publish import annexes, charts, sentences, tables
from etl.publish.figure import FigureSet
from etl.publish.model import Block, Document, Heading, Letterhead, Paragraph, Section, Span, Spans
from etl.publish.text import listing, sentence, show

_STRONGEST = 5


def letterhead(figures: FigureSet) -> Letterhead:
    def item(name: str) -> str:
        return figures.get("letterhead", item=name).text or ""

    return Letterhead(
        parent_body=item("parent_body"),
        issuer=item("issuer"),
        symbol=item("symbol"),
        place=item("place"),
        year=show(figures.get("publish_on"), "year"),
        addressees=tuple(item("addressees").split("\n")),
        authority=tuple(item("authority").split("\n")),
        signer=item("signer"),
        recipients=tuple(item("recipients").split("\n")),
        filing=item("filing"),
    )


def build(figures: FigureSet) -> Document:
    """The report with its annexes."""
    period = figures.get("period").text or ""
    title = (
        "Tình hình thực hiện các Chương trình mục tiêu quốc gia",
        f"{period}, nhiệm vụ trọng tâm {figures.get('next_period').text}",
    )
    body = (
        *_directing(figures),
        Heading("II. KẾT QUẢ THỰC HIỆN"),
        *_allocation(figures),
        *_disbursement(figures),
        *_outputs(figures),
        *_tasks(figures),
        *_assessment(figures),
        *_proposals(figures),
        *_next_month(figures),
    )
    return Document(
        "report",
        f"bao-cao-{figures.period}",
        "BÁO CÁO",
        title,
        (),
        letterhead(figures),
        (Section(body), *annexes.all_annexes(figures)),
        figures.release_id,
    )


def _body(spans: Spans) -> Paragraph:
    return Paragraph(spans)


def _bullet(spans: Spans) -> Paragraph:
    return Paragraph((Span("- "), *spans), "bullet")


def _gap(what: str) -> Paragraph:
    return Paragraph((Span(f"[Cơ quan chủ trì bổ sung {what}]"),), "gap")


def _directing(figures: FigureSet) -> list[Block]:
    """I: the documents whose tasks were registered in the month; the rest is the drafter's."""
    blocks: list[Block] = [Heading("I. CÔNG TÁC CHỈ ĐẠO, ĐIỀU HÀNH")]
    directives = figures.values("directive_tasks", "directive")
    if directives:
        blocks.append(_body((Span("Trong tháng, các văn bản giao nhiệm vụ sau được đưa vào theo dõi:"),)))
    for directive in directives:
        by = {"directive": directive}
        number = figures.get("directive_no", **by)
        blocks.append(
            _bullet(
                sentence(
                    "{title} (ngày {date}{number}): {n} nhiệm vụ, trong đó {k} nhiệm vụ có thời hạn cụ thể.",
                    title=figures.get("directive_title", **by),
                    date=figures.get("directive_date", **by),
                    number=sentence("; số {no}", no=number) if number.text else (Span(""),),
                    n=figures.get("directive_tasks", **by),
                    k=figures.get("directive_tasks_dated", **by),
                )
            )
        )
    blocks.append(_gap("văn bản đã ban hành, các cuộc họp, kiểm tra, giám sát trong tháng"))
    return blocks


def _allocation(figures: FigureSet) -> list[Block]:
    blocks: list[Block] = [
        Heading("1. Tình hình phân bổ, giao vốn", 2),
        _body(sentences.coverage(figures)),
        _body(sentences.plan(figures)),
    ]
    difference = figures.find("plan_difference")
    if difference is None:
        blocks.append(_body((Span("Chưa có quyết định giao vốn trong hệ thống để đối chiếu."),)))
    elif difference.value:
        blocks.append(
            _body(
                sentence(
                    "Kế hoạch vốn theo báo cáo của các xã, phường chênh lệch {x} triệu đồng so với các quyết định giao "
                    "vốn của tỉnh (chi tiết tại Phụ lục IV).",
                    x=show(difference, "trieu_signed"),
                )
            )
        )
    else:
        blocks.append(_body((Span("Kế hoạch vốn theo báo cáo khớp với các quyết định giao vốn của tỉnh."),)))
    blocks.append(tables.plan(figures))
    return blocks


def _disbursement(figures: FigureSet) -> list[Block]:
    blocks: list[Block] = [
        Heading("2. Kết quả giải ngân", 2),
        Heading("2.1. Kết quả chung", 3),
        _body(sentences.disbursed(figures)),
        _body(sentences.pace(figures)),
        tables.disbursement(figures),
        charts.by_programme(figures, tables.programmes(figures)),
        Heading("2.2. Kết quả theo từng chương trình", 3),
        *(_bullet(sentences.by_programme(figures, p)) for p in tables.programmes(figures)),
        Heading("2.3. Vốn các năm trước kéo dài", 3),
        _body(sentences.carry_over(figures)),
        Heading("2.4. So với tháng trước, cùng kỳ và bình quân chung của tỉnh", 3),
        _body(_against_last_month(figures)),
    ]
    last_year = sentences.last_year(figures)
    if last_year:
        blocks.append(_body(last_year))
    blocks += [
        _body(sentences.communes(figures, 30)),
        tables.ranking(figures),
    ]
    if len(figures.having("rate_trend", "period")) > 1:
        blocks.append(charts.trend(figures))
    return blocks


def _against_last_month(figures: FigureSet) -> Spans:
    before = figures.find("rate_previous")
    if before is None:
        return (Span("Chưa có số liệu tháng trước để so sánh."),)
    return sentence(
        "Tỷ lệ giải ngân chung {change} ({month}: {rate}%, tổng hợp từ {n} xã, phường; kỳ này: {now}%, tổng hợp từ {m} "
        "xã, phường). Số vốn giải ngân trong kỳ theo báo cáo là {amount} tỷ đồng.",
        change=sentences.change(figures),
        month=figures.get("previous_period"),
        rate=before,
        n=figures.get("communes_previous"),
        now=figures.get("rate_total"),
        m=figures.get("communes_reported"),
        amount=show(figures.get("disb_period"), "ty"),
    )


def _outputs(figures: FigureSet) -> list[Block]:
    blocks: list[Block] = [Heading("3. Kết quả thực hiện chỉ tiêu, đầu ra", 2)]
    if figures.values("indicator_unit", "indicator"):
        blocks.append(tables.outputs(figures))
    else:
        blocks.append(_body((Span("Các xã, phường chưa báo cáo chỉ tiêu đầu ra trong kỳ."),)))
    return blocks


def _tasks(figures: FigureSet) -> list[Block]:
    blocks: list[Block] = [Heading("4. Thực hiện nhiệm vụ được giao", 2)]
    if not figures.find("tasks"):
        blocks.append(_body((Span("Chưa có nhiệm vụ được đưa vào theo dõi."),)))
        return blocks
    blocks.append(
        _body(
            sentence(
                "Tổng số nhiệm vụ đang theo dõi: {n}. {month}",
                n=figures.get("tasks"),
                month=sentences.tasks_of_month(figures),
            )
        )
    )
    longest = sentences.longest_overdue(figures, 220)
    if longest:
        blocks.append(_body(longest))
    else:
        blocks.append(_body((Span("Không có nhiệm vụ quá hạn."),)))
    blocks.append(tables.tasks(figures))
    overdue = sentences.overdue_tasks(figures)
    if len(overdue) > 1:
        blocks.append(_body((Span("Danh sách nhiệm vụ quá hạn (toàn bộ nhiệm vụ tại Phụ lục II):"),)))
    for task in overdue if len(overdue) > 1 else ():
        blocks.append(
            _bullet(
                sentence(
                    "{lead}: {content} (hạn {due}, quá hạn {days} ngày).",
                    lead=figures.get("task_lead", task=task),
                    content=show(figures.get("task_content", task=task), limit=260),
                    due=figures.get("task_due", task=task),
                    days=figures.get("task_days_overdue", task=task),
                )
            )
        )
    return blocks


def _assessment(figures: FigureSet) -> list[Block]:
    """III: only what the figures say about the strongest and the weakest; causes are the drafter's."""
    ranked = tables.by_rank(figures)
    strongest = [c for c in ranked[:_STRONGEST] if not figures.find("at_zero", commune=c)]
    weakest = [c for c in reversed(ranked) if c not in strongest and not figures.find("at_zero", commune=c)]
    blocks: list[Block] = [Heading("III. ĐÁNH GIÁ CHUNG"), Heading("1. Kết quả nổi bật", 2)]
    if strongest:
        blocks.append(
            _body(sentence("Các xã, phường có tỷ lệ giải ngân cao nhất: {list}.", list=_with_rates(figures, strongest)))
        )
    blocks.append(_gap("kết quả nổi bật khác"))
    blocks.append(Heading("2. Tồn tại, hạn chế", 2))
    if figures.get("communes_at_zero").value:
        blocks.append(
            _body(
                sentence(
                    "Còn {n} xã, phường chưa giải ngân: {names}.",
                    n=figures.get("communes_at_zero"),
                    names=sentences.names(figures, sentences.at_zero(figures), 30),
                )
            )
        )
    if weakest:
        blocks.append(
            _body(
                sentence(
                    "Các xã, phường đã giải ngân nhưng có tỷ lệ thấp nhất: {list}.",
                    list=_with_rates(figures, weakest[:_STRONGEST]),
                )
            )
        )
    blocks.append(_body(_stuck(figures)))
    blocks.append(_gap("tồn tại, hạn chế khác"))
    blocks.append(Heading("3. Nguyên nhân", 2))
    blocks.append(_gap("nguyên nhân chủ quan, khách quan"))
    return blocks


def _stuck(figures: FigureSet) -> Spans:
    """Where most of the money is still to be disbursed."""
    return sentence(
        "Các xã, phường có số vốn chưa giải ngân lớn nhất: {list}.",
        list=listing(
            sentence(
                "{name} ({left} tỷ đồng)",
                name=show(figures.get("name", commune=commune), "place"),
                left=show(figures.get("undisbursed", commune=commune), "ty"),
            )
            for commune in by_amount_stuck(figures)[:_STRONGEST]
        ),
    )


def by_amount_stuck(figures: FigureSet) -> list[str]:
    found = figures.having("order_undisbursed", "commune")
    return [f.dim("commune") or "" for f in sorted(found, key=lambda f: f.value or 0)]


def _with_rates(figures: FigureSet, communes: list[str]) -> Spans:
    return listing(
        sentence(
            "{name} ({rate}%)",
            name=show(figures.get("name", commune=commune), "place"),
            rate=figures.get("rate_total", commune=commune),
        )
        for commune in communes
    )


def _proposals(figures: FigureSet) -> list[Block]:
    blocks: list[Block] = [
        Heading("IV. KHÓ KHĂN, VƯỚNG MẮC VÀ KIẾN NGHỊ"),
        _body((*sentences.proposals(figures), Span(" Chi tiết tại Phụ lục III."))),
    ]
    if figures.find("proposals"):
        blocks.append(tables.proposals(figures))
    return blocks


def _next_month(figures: FigureSet) -> list[Block]:
    """V: what is due by the register and the pace that is needed; the plan itself is the drafter's."""
    blocks: list[Block] = [
        Heading(f"V. NHIỆM VỤ, GIẢI PHÁP TRỌNG TÂM {(figures.get('next_period').text or '').upper()}"),
        _body(sentences.pace(figures)),
    ]
    soon = [
        t for t in figures.values("task_state", "task")
        if figures.get("task_state", task=t).text == "Sắp đến hạn"
    ]  # fmt: skip
    if soon:
        blocks.append(_body((Span("Nhiệm vụ sắp đến hạn hoặc đến hạn trong những ngày tới:"),)))
    for task in soon:
        blocks.append(
            _bullet(
                sentence(
                    "{lead}: {content} (hạn {due}).",
                    lead=figures.get("task_lead", task=task),
                    content=show(figures.get("task_content", task=task), limit=260),
                    due=figures.get("task_due", task=task),
                )
            )
        )
    blocks.append(_gap(f"nhiệm vụ, giải pháp trọng tâm {figures.get('next_period').text}"))
    return blocks
