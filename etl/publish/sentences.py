"""Sentences that the brief and the report share: the same figures in the same words (CK39)."""

from __future__ import annotations

from etl.publish.figure import Figure, FigureSet
from etl.publish.model import Span, Spans
from etl.publish.tables import capital_kinds, not_reporting, programmes
from etl.publish.text import listing, sentence, show


def _lower_first(span: Span) -> Span:
    return Span(span.text[:1].lower() + span.text[1:], span.figure, span.style, span.bold)


def kind_name(figures: FigureSet, kind: str) -> Span:
    return _lower_first(show(figures.get("name", capital_kind=kind)))


def programme_name(figures: FigureSet, programme: str) -> Span:
    short = figures.find("name_short", programme=programme)
    return show(short or figures.get("name", programme=programme))


def _the_programme(figures: FigureSet, programme: str) -> Spans:
    """``Chương trình giảm nghèo bền vững``; the full name already begins so."""
    short = figures.find("name_short", programme=programme)
    if short is None:
        return (programme_name(figures, programme),)
    return (Span("Chương trình "), _lower_first(show(short)))


def change(figures: FigureSet, **by: object) -> Spans:
    """``tăng 10,08 điểm % so với tháng 9``, or that there is nothing to compare with."""
    points = figures.find("rate_change_points", **by)
    if points is None or points.value is None:
        return (Span("chưa có số liệu tháng trước để so sánh"),)
    month = figures.get("previous_period")
    if points.value == 0:
        return sentence("bằng {month}", month=month)
    word = "tăng" if points.value > 0 else "giảm"
    return sentence(f"{word} {{x}} điểm % so với {{month}}", x=show(points, "points_abs"), month=month)


def coverage(figures: FigureSet) -> Spans:
    """Law 7: what the totals cover, and what stays out."""
    n, of = figures.get("communes_reported"), figures.get("communes_expected")
    missing = figures.get("communes_not_reporting")
    covered = figures.get("plan_covered_pct")
    share = (
        sentence(", chiếm {p}% kế hoạch vốn", p=covered) if covered.value is not None and missing.value else (Span(""),)
    )
    if not missing.value:
        return sentence("Số liệu tổng hợp từ báo cáo của {n}/{of} xã, phường.", n=n, of=of)
    return sentence(
        "Số liệu tổng hợp từ báo cáo của {n}/{of} xã, phường{share}; {m} đơn vị chưa có báo cáo được chấp nhận "
        "({names}) chưa được tính vào kết quả.",
        n=n,
        of=of,
        share=share,
        m=missing,
        names=names(figures, not_reporting(figures), 12),
    )


def names(figures: FigureSet, communes: list[str], limit: int) -> Spans:
    """Communes by name; a list that is too long ends with ``…`` and stands in full in a table."""
    shown = [show(figures.get("name", commune=c), "place") for c in communes[:limit]]
    return listing(shown) if len(communes) <= limit else (*listing(shown), Span(", …"))


def plan(figures: FigureSet) -> Spans:
    return sentence(
        "Tổng kế hoạch vốn được sử dụng năm {year} (bao gồm vốn kéo dài) là {total} tỷ đồng, trong đó vốn giao năm "
        "{year} {assigned} tỷ đồng, vốn các năm trước kéo dài {carry} tỷ đồng.",
        year=figures.get("budget_year"),
        total=show(figures.get("plan_total"), "ty"),
        assigned=show(figures.get("plan_assigned"), "ty"),
        carry=show(figures.get("plan_carry"), "ty"),
    )


def disbursed(figures: FigureSet) -> Spans:
    """The headline: amount and rate, the change, then each capital kind."""
    kinds = listing(
        (
            sentence(
                "{kind} đã giải ngân {amount} tỷ đồng, đạt {rate}%",
                kind=kind_name(figures, kind),
                amount=show(figures.get("disb_ytd", capital_kind=kind), "ty"),
                rate=figures.get("rate_total", capital_kind=kind),
            )
            for kind in capital_kinds(figures)
        ),
        "; ",
    )
    return sentence(
        "Lũy kế giải ngân từ đầu năm {year} đến hết ngày {as_of} là {amount} tỷ đồng, đạt {rate}% so với tổng nguồn "
        "vốn được sử dụng, {change}. Trong đó: {kinds}.",
        year=figures.get("budget_year"),
        as_of=figures.get("as_of"),
        amount=show(figures.get("disb_ytd"), "ty"),
        rate=figures.get("rate_total"),
        change=change(figures),
        kinds=kinds,
    )


def by_programme(figures: FigureSet, programme: str) -> Spans:
    kinds = listing(
        (
            sentence(
                "{kind} {amount}/{plan} tỷ đồng, đạt {rate}%",
                kind=kind_name(figures, kind),
                amount=show(figures.get("disb_ytd", programme=programme, capital_kind=kind), "ty"),
                plan=show(figures.get("plan_total", programme=programme, capital_kind=kind), "ty"),
                rate=figures.get("rate_total", programme=programme, capital_kind=kind),
            )
            for kind in capital_kinds(figures)
            if figures.find("plan_total", programme=programme, capital_kind=kind)
        ),
        "; ",
    )
    return sentence(
        "{name}: lũy kế giải ngân {amount}/{plan} tỷ đồng, đạt {rate}%, {change}; trong đó {kinds}.",
        name=_the_programme(figures, programme),
        amount=show(figures.get("disb_ytd", programme=programme), "ty"),
        plan=show(figures.get("plan_total", programme=programme), "ty"),
        rate=figures.get("rate_total", programme=programme),
        change=change(figures, programme=programme),
        kinds=kinds,
    )


def carry_over(figures: FigureSet) -> Spans:
    """Vốn kéo dài: what is left and when disbursement of the budget year closes."""
    total = figures.get("plan_carry")
    if not total.value:
        return sentence("Năm {year} không có vốn kéo dài.", year=figures.get("budget_year"))
    parts = listing(
        (
            sentence(
                "{name} còn {left} tỷ đồng",
                name=programme_name(figures, programme),
                left=show(figures.get("undisbursed_carry", programme=programme), "ty"),
            )
            for programme in programmes(figures)
            if figures.get("plan_carry", programme=programme).value
        ),
        "; ",
    )
    return sentence(
        "Vốn các năm trước kéo dài: đã giải ngân {paid}/{plan} tỷ đồng, đạt {rate}%; còn {left} tỷ đồng phải giải "
        "ngân trước khi hết thời hạn ({closing}): {parts}.",
        paid=show(figures.get("disb_carry"), "ty"),
        plan=show(total, "ty"),
        rate=figures.get("rate_carry"),
        left=show(figures.get("undisbursed_carry"), "ty"),
        closing=figures.get("closing_on"),
        parts=parts,
    )


def pace(figures: FigureSet) -> Spans:
    """What is left, and per month until the budget year closes; nothing is projected after the closing."""
    left = show(figures.get("undisbursed"), "ty")
    months = figures.get("months_left")
    if not months.value:
        return sentence("Số vốn chưa giải ngân khi hết thời hạn là {left} tỷ đồng.", left=left)
    return sentence(
        "Số vốn chưa giải ngân là {left} tỷ đồng; để hoàn thành 100% kế hoạch, bình quân mỗi tháng còn lại (đến hết "
        "ngày {closing}) phải giải ngân {pace} tỷ đồng.",
        left=left,
        closing=figures.get("closing_on"),
        pace=show(figures.get("pace_needed"), "ty"),
    )


def communes(figures: FigureSet, limit: int) -> Spans:
    """How many communes are above the average, at zero (by name) and under the threshold."""
    zero = figures.get("communes_at_zero")
    named = sentence(", gồm: {names}", names=names(figures, at_zero(figures), limit)) if zero.value else (Span(""),)
    return sentence(
        "Có {above}/{ranked} xã, phường có tỷ lệ giải ngân cao hơn bình quân chung của tỉnh; {below} đơn vị dưới "
        "{threshold}%; {zero} đơn vị chưa giải ngân (0%){named}.",
        above=figures.get("communes_above_average"),
        ranked=figures.get("communes_ranked"),
        below=figures.get("communes_below_threshold"),
        threshold=show(figures.get("low_rate_pct"), "pct_short"),
        zero=zero,
        named=named,
    )


def at_zero(figures: FigureSet) -> list[str]:
    """Communes without any disbursement, the largest plan first."""
    codes = figures.values("at_zero", "commune")
    return sorted(codes, key=lambda c: figures.get("order_lowest", commune=c).value or 0)


def last_year(figures: FigureSet) -> Spans | None:
    """Against the same month of last year, when the warehouse holds it."""
    before = figures.find("rate_last_year")
    points = figures.find("rate_change_last_year_points")
    if before is None or points is None or points.value is None:
        return None
    word = "tăng" if points.value > 0 else "giảm"
    return sentence(
        f"So với cùng kỳ ({{month}}: {{rate}}%), tỷ lệ giải ngân {word} {{x}} điểm %.",
        month=figures.get("period_year_ago"),
        rate=before,
        x=show(points, "points_abs"),
    )


def tasks_of_month(figures: FigureSet) -> Spans:
    due = figures.get("tasks_due")
    if not due.value:
        return (Span("Trong tháng không có nhiệm vụ đến hạn."),)
    return sentence(
        "Trong tháng có {n} nhiệm vụ đến hạn: đã hoàn thành {a} (đúng hạn {b}, quá hạn {c}); đang thực hiện {d} (trong "
        "hạn {e}, quá hạn {f}).",
        n=due,
        a=figures.get("tasks_due_done"),
        b=figures.get("tasks_due_done_on_time"),
        c=figures.get("tasks_due_done_late"),
        d=figures.get("tasks_due_open"),
        e=figures.get("tasks_due_open_in_time"),
        f=figures.get("tasks_due_open_overdue"),
    )


def overdue_tasks(figures: FigureSet) -> list[str]:
    """Tasks past their deadline, the longest overdue first."""
    found = figures.having("task_days_overdue", "task")
    return [f.dim("task") or "" for f in sorted(found, key=lambda f: (-(f.value or 0), f.key))]


def overdue_by_agency(figures: FigureSet) -> list[tuple[str, Figure, Figure]]:
    """Agency, number of overdue tasks, longest overdue in days; the longest first."""
    state = "Đang thực hiện quá hạn"
    rows = [
        (a, figures.get("tasks", agency=a, state=state), figures.get("longest_overdue_days", agency=a))
        for a in figures.values("tasks", "agency", state=state)
    ]
    return sorted(rows, key=lambda r: (-(r[2].value or 0), r[0]))


def longest_overdue(figures: FigureSet, limit: int) -> Spans | None:
    """``Nhiệm vụ quá hạn lâu nhất 11 ngày: …``; None when nothing is overdue."""
    overdue = overdue_tasks(figures)
    if not overdue:
        return None
    task = overdue[0]
    return sentence(
        "Nhiệm vụ quá hạn lâu nhất {days} ngày: {content} ({lead} chủ trì, hạn {due}).",
        days=figures.get("task_days_overdue", task=task),
        content=show(figures.get("task_content", task=task), limit=limit),
        lead=figures.get("task_lead", task=task),
        due=figures.get("task_due", task=task),
    )


def proposals(figures: FigureSet) -> Spans:
    total = figures.find("proposals")
    if total is None:
        return sentence("Các xã, phường không có kiến nghị trong {month}.", month=figures.get("period_short"))
    states = listing(
        (
            sentence("{n} {state}", n=figures.get("proposals", state=s), state=Span(s[:1].lower() + s[1:]))
            for s in sorted(figures.values("proposals", "state"))
        ),
        ", ",
    )
    return sentence(
        "Có {c} xã, phường gửi {n} kiến nghị: {states}.",
        n=total,
        c=figures.get("proposal_communes"),
        states=states,
    )


def quality(figures: FigureSet) -> Spans:
    """What whoever approves should know of the data before opening Phụ lục IV."""
    parts = [
        sentence(f"{{n}} {what}", n=found)
        for metric, what in (
            ("findings_overridden", "lỗi được cán bộ chấp nhận"),
            ("findings_explained", "cảnh báo đã giải trình"),
            ("outliers", "số liệu bất thường"),
        )
        if (found := figures.find(metric)) and found.value
    ]
    parts.append(_treasury(figures))
    return sentence("Chất lượng số liệu (Phụ lục IV): {parts}.", parts=listing(parts, "; "))


def _treasury(figures: FigureSet) -> Spans:
    if figures.find("treasury_statement") is None:
        return (Span("chưa đối chiếu với Kho bạc Nhà nước"),)
    differences = figures.find("treasury_differences")
    if differences is None:
        return (Span("khớp với Kho bạc Nhà nước"),)
    return sentence("{n} chênh lệch với Kho bạc Nhà nước", n=differences)
