"""Bảng 1-6 of the report (DOMAIN.md 9). Each names its unit, as-of day and denominator; a commune without a report is
"chưa báo cáo", never 0 %."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from etl.publish.figure import FigureSet
from etl.publish.model import Column, Row, Span, Spans, Table
from etl.publish.text import NOTHING, quantity_style, show, vi_key
from etl.publish.words import cut

TASK_STATES = (
    "Đã hoàn thành đúng hạn",
    "Đã hoàn thành quá hạn",
    "Đang thực hiện quá hạn",
    "Sắp đến hạn",
    "Đang thực hiện trong hạn",
    "Không quy định thời hạn",
    "Nhiệm vụ thường xuyên / định kỳ",
    "Thôi thực hiện",
)
PROPOSAL_STATES = ("Chưa giải quyết", "Đang giải quyết", "Đã giải quyết", "Không thuộc thẩm quyền")
NOT_REPORTED = "chưa báo cáo"
_ANSWERS, _ANSWER_CHARACTERS = 2, 90


def cell(text: str) -> Spans:
    return (Span(text),)


def figure(figures: FigureSet, metric: str, style: str = "", **by: Any) -> Spans:
    return (show(figures.find(metric, **by), style),)


def programmes(figures: FigureSet) -> list[str]:
    """Programmes that have a plan, in the official order."""
    codes = figures.values("plan_total", "programme")
    return sorted(codes, key=lambda code: figures.get("sort_no", programme=code).value or 0)


def capital_kinds(figures: FigureSet) -> list[str]:
    return sorted(figures.values("plan_total", "capital_kind"))


def by_rank(figures: FigureSet) -> list[str]:
    """Ranked communes from the highest rate to the lowest; equal rates with the larger amount stuck last."""
    ranked = figures.having("order_lowest", "commune")
    return [f.dim("commune") or "" for f in sorted(ranked, key=lambda f: f.value or 0, reverse=True)]


def not_reporting(figures: FigureSet) -> list[str]:
    """Communes without an accepted report, by name."""
    codes = figures.values("not_reporting", "commune")
    return sorted(codes, key=lambda code: (vi_key(figures.get("name", commune=code).text or ""), code))


def _coverage(figures: FigureSet) -> dict[str, Any]:
    return {
        "as_of": figures.get("as_of"),
        "n": figures.get("communes_reported"),
        "of": figures.get("communes_expected"),
    }


def money_line(figures: FigureSet, denominator: str = "plain") -> Spans:
    """What a money table is in, as of when, over whom, and what its rate divides by: ``own_plan``, ``whole_plan``."""
    return figures.words.say("money_line", denominator, **_coverage(figures))


def count_line(figures: FigureSet, unit: str) -> Spans:
    """What is counted (tasks, proposals, lines, versions), as of when and, where it comes from the communes' reports,
    from how many of them."""
    return figures.words.say("count_line", unit, **_coverage(figures))


def caption(figures: FigureSet, table: str) -> str:
    return figures.words.line("table_caption", table)


def programme_rows(figures: FigureSet, row: Callable[..., Row]) -> list[Row]:
    """The total and each programme, each followed by its kinds of capital; ``row(number, name, role, **dims)``."""
    rows = []
    for number, programme in enumerate(["", *programmes(figures)]):
        by = {"programme": programme} if programme else {}
        name = figure(figures, "name_short", **by) if by else cell("TỔNG SỐ")
        rows.append(row(str(number) if by else "", name, "group" if by else "total", **by))
        rows += [
            row("-", figure(figures, "name", capital_kind=kind), "item", capital_kind=kind, **by)
            for kind in capital_kinds(figures)
            if figures.find("plan_total", capital_kind=kind, **by)
        ]
    return rows


def place(states: Sequence[str], state: str | None) -> int:
    """Where a state stands in its list; one that is not listed (another wording in a workbook) comes last."""
    return states.index(state) if state in states else len(states)


def plan(figures: FigureSet) -> Table:
    """Bảng 1: the plan by programme and capital kind, and what the register of decisions says."""
    columns = (
        Column("TT", 1.2, "center"),
        Column("Chương trình, loại vốn", 6.6, "left"),
        Column("Tổng số", 2.9, group="Kế hoạch vốn được sử dụng (theo báo cáo)"),
        Column("Vốn giao trong năm", 2.9, group="Kế hoạch vốn được sử dụng (theo báo cáo)"),
        Column("Vốn kéo dài", 2.7, group="Kế hoạch vốn được sử dụng (theo báo cáo)"),
        Column("Xã, phường đã báo cáo", 3.2, group="Theo quyết định giao vốn của tỉnh"),
        Column("Toàn tỉnh", 2.9, group="Theo quyết định giao vốn của tỉnh"),
        Column("Chênh lệch", 2.5),
    )

    def row(number: str, name: Spans, role: str, **by: Any) -> Row:
        register = (
            [figure(figures, m, **by) for m in ("plan_registered_reported", "plan_registered")]
            + [figure(figures, "plan_difference", "trieu_signed", **by)]
            if "capital_kind" not in by
            else [cell("")] * 3
        )
        amounts = [figure(figures, m, **by) for m in ("plan_total", "plan_assigned", "plan_carry")]
        return Row((cell(number), name, *amounts, *register), role)

    rows = programme_rows(figures, row)
    return Table("Bang1", caption(figures, "plan"), money_line(figures), columns, tuple(rows), small=True)


def disbursement(figures: FigureSet) -> Table:
    """Bảng 2: three programmes by capital kind, the three denominators side by side."""
    columns = (
        Column("TT", 1.2, "center"),
        Column("Chương trình, loại vốn", 5.9, "left"),
        Column("Kế hoạch", 2.8, group="Tổng nguồn vốn được sử dụng"),
        Column("Lũy kế giải ngân", 2.6, group="Tổng nguồn vốn được sử dụng"),
        Column("Tỷ lệ (%)", 1.8, group="Tổng nguồn vốn được sử dụng"),
        Column("So tháng trước (điểm %)", 2.6, group="Tổng nguồn vốn được sử dụng"),
        Column("Giải ngân", 2.6, group="Vốn giao trong năm"),
        Column("Tỷ lệ (%)", 1.8, group="Vốn giao trong năm"),
        Column("Giải ngân", 2.6, group="Vốn kéo dài"),
        Column("Tỷ lệ (%)", 1.8, group="Vốn kéo dài"),
    )

    def row(number: str, name: Spans, role: str, **by: Any) -> Row:
        metrics = (
            "plan_total", "disb_ytd", "rate_total", "rate_change_points", "disb_assigned", "rate_assigned",
            "disb_carry", "rate_carry",
        )  # fmt: skip
        return Row((cell(number), name, *(figure(figures, m, **by) for m in metrics)), role)

    rows = programme_rows(figures, row)
    sources = [
        Row(
            (
                cell("-"), cell(name), figure(figures, "plan_total", source=source),
                figure(figures, "disb_ytd", source=source), figure(figures, "rate_total", source=source),
                figure(figures, "rate_change_points", source=source), *[cell("")] * 4,
            )
        )
        for source, name in (("NSTW", "Ngân sách trung ương"), ("NSDP", "Ngân sách địa phương"))
        if figures.find("plan_total", source=source)
    ]  # fmt: skip
    if sources:
        rows += [Row((cell(""), cell("Chia theo nguồn vốn"), *[cell("")] * 8), "group"), *sources]
    return Table(
        "Bang2",
        caption(figures, "disbursement"),
        money_line(figures, "own_plan"),
        columns,
        tuple(rows),
        small=True,
    )


def ranking(figures: FigureSet) -> Table:
    """Bảng 3: all communes by rate; the rank by amount still to be disbursed stands beside it."""
    columns = (
        Column("Xếp hạng", 1.3, "center"),
        Column("Xã, phường", 4.3, "left"),
        Column("Kế hoạch vốn được sử dụng", 2.5),
        Column("Lũy kế giải ngân", 2.6),
        Column("Tỷ lệ (%)", 1.7),
        Column("So tháng trước (điểm %)", 2.1),
        Column("Vốn chưa giải ngân", 2.6),
        Column("Thứ tự theo vốn chưa giải ngân", 2.5, "center"),
    )
    metrics = ("plan_total", "disb_ytd", "rate_total", "rate_change_points", "undisbursed")
    rows = [Row((cell(""), cell("TỔNG SỐ"), *(figure(figures, m) for m in metrics), cell("")), "total")]
    for commune in by_rank(figures):
        by = {"commune": commune}
        rows.append(
            Row(
                (
                    figure(figures, "rank_rate", **by),
                    marked_name(figures, commune),
                    *(figure(figures, m, **by) for m in metrics),
                    figure(figures, "order_undisbursed", **by),
                )
            )
        )
    rows += [missing_row(figures, commune, NOTHING) for commune in not_reporting(figures)]
    return Table(
        "Bang3",
        caption(figures, "ranking"),
        money_line(figures, "whole_plan"),
        columns,
        tuple(rows),
        small=True,
        of_communes=True,
    )


def marked_name(figures: FigureSet, commune: str) -> Spans:
    """The name of a commune, with a mark where there is something to know of its numbers (``caveats``)."""
    mark = (Span(" *"),) if caveats(figures, commune) else ()
    return (*figure(figures, "name", commune=commune), *mark)


def caveats(figures: FigureSet, commune: str) -> list[Spans]:
    """What a reader has to know of a commune's numbers: that they are provisional and why, and what it explained."""
    say, by = figures.words.say, {"commune": commune}
    parts: list[Spans] = []
    contested = figures.known("contested_versions", **by)
    if contested is not None:
        parts.append(say("caveat", "contested", n=contested))
    waiting = figures.known("late_revisions", period=str(figures.period), **by)
    if waiting is not None:
        parts.append(say("caveat", "waiting", n=waiting))
    own = (f for f in figures.having("answer_text", "commune", "rule", "item") if f.dim("commune") == commune)
    answered = list({f.text: f for f in own}.values())
    for answer in answered[:_ANSWERS]:
        # Most answers are of one line of a form: it is named, lest they be read as of the commune as a whole.
        said, line = cut(answer, _ANSWER_CHARACTERS), figures.find("answer_line", **dict(answer.dims))
        let_pass = figures.get("answer_outcome", **dict(answer.dims)).text == "overridden"
        kind = "overridden" if let_pass else "explained"
        if line is not None and line.text:
            parts.append(say("caveat", f"{kind}_line", line=line, text=said))
        else:
            parts.append(say("caveat", kind, text=said))
    if len(answered) > _ANSWERS:
        parts.append(say("caveat", "more"))
    return parts


def missing_row(figures: FigureSet, commune: str, number: str) -> Row:
    """A commune without an accepted report: no amount, no rate."""
    return Row((cell(number), figure(figures, "name", commune=commune), cell(NOT_REPORTED)), "missing")


def outputs(figures: FigureSet) -> Table:
    """Bảng 4: output indicators; shares are not added up over communes."""
    columns = (
        Column("TT", 1.2, "center"),
        Column("Chỉ tiêu", 8.4, "left"),
        Column("Đơn vị tính", 2, "center"),
        Column("Số xã, phường báo cáo", 2.1),
        Column("Kế hoạch năm", 2.1),
        Column("Thực hiện trong kỳ", 2.1),
        Column("Lũy kế từ đầu năm", 2.1),
        Column("Tỷ lệ (%)", 1.7),
    )
    rows = []
    for number, indicator in enumerate(sorted(figures.values("indicator_unit", "indicator")), 1):
        by = {"indicator": indicator}
        amounts = [figures.find(m, **by) for m in ("target_year", "actual_period", "actual_ytd")]
        style = quantity_style(amounts)
        rows.append(
            Row(
                (
                    cell(str(number)),
                    *(figure(figures, m, **by) for m in ("name", "indicator_unit", "indicator_communes")),
                    *((show(amount, style),) for amount in amounts),
                    figure(figures, "output_rate", **by),
                )
            )
        )
    unit = figures.words.say("outputs_line", **_coverage(figures))
    return Table("Bang4", caption(figures, "outputs"), unit, columns, tuple(rows), small=True)


def counts(
    figures: FigureSet, name: str, title: str, unit: Spans, metric: str, states: Sequence[str], first: str
) -> Table:
    """Agencies by state, all agencies first, then those with most, then by name."""
    used = [s for s in states if figures.find(metric, state=s)]
    # A state outside the list (another wording in a workbook) still gets its column: nothing is lost.
    used += sorted(set(figures.values(metric, "state")) - set(states), key=vi_key)
    columns = (
        Column("TT", 1.2, "center"),
        Column(first, 5.2, "left"),
        Column("Tổng số", 1.5),
        *(Column(state, 2.2) for state in used),
    )

    def row(number: str, name: Spans, role: str, **by: Any) -> Row:
        in_state = [figure(figures, metric, state=s, **by) for s in used]
        return Row((cell(number), name, figure(figures, metric, **by), *in_state), role)

    rows = [row("", cell("TỔNG SỐ"), "total")]
    agencies = sorted(
        figures.values(metric, "agency"), key=lambda a: (-(figures.get(metric, agency=a).value or 0), vi_key(a))
    )
    rows += [
        row(str(number), _agency(figures, metric, agency), "item", agency=agency)
        for number, agency in enumerate(agencies, 1)
    ]
    return Table(name, title, unit, columns, tuple(rows), small=True)


def _agency(figures: FigureSet, metric: str, agency: str) -> Spans:
    """The agency is a dimension of its count; the name in the first column leads to that figure."""
    return (Span(agency, figures.get(metric, agency=agency), "dimension"),)


def tasks(figures: FigureSet) -> Table:
    """Bảng 5: tasks by lead agency and derived state."""
    title, line = caption(figures, "tasks"), count_line(figures, "tasks")
    return counts(figures, "Bang5", title, line, "tasks", TASK_STATES, "Cơ quan chủ trì")


def proposals(figures: FigureSet) -> Table:
    """Bảng 6: proposals by the agency that has to answer and by state."""
    title, line = caption(figures, "proposals"), count_line(figures, "proposals")
    return counts(figures, "Bang6", title, line, "proposals", PROPOSAL_STATES, "Cơ quan có thẩm quyền giải quyết")
