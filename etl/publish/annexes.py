"""Phụ lục I-V of the report: detail by commune and project, tasks, proposals, quality of the data, revisions."""

from __future__ import annotations

from typing import Any

from etl.publish import quality, revision_annex, task_annex
from etl.publish.figure import FigureSet
from etl.publish.model import Column, Row, Section, Span, Spans, Table
from etl.publish.tables import (
    PROPOSAL_STATES,
    capital_kinds,
    cell,
    figure,
    missing_row,
    money_line,
    place,
    programmes,
)
from etl.publish.text import show, vi_key

_DENOMINATOR = "own_plan"
_PROPOSALS_VI = "Phụ lục III. Khó khăn, vướng mắc và kiến nghị của các xã, phường"


def all_annexes(figures: FigureSet) -> tuple[Section, ...]:
    """The five annexes in order; each is numbered from page 1."""
    return (
        Section((by_commune(figures), by_project(figures)), True, "Phụ lục I", _title(figures, "details")),
        Section(task_annex.blocks(figures), True, "Phụ lục II", _title(figures, "tasks")),
        Section((proposals(figures),), True, "Phụ lục III", _title(figures, "proposals")),
        Section(quality.blocks(figures), True, "Phụ lục IV", _title(figures, "quality")),
        Section(revision_annex.blocks(figures), False, "Phụ lục V", _title(figures, "revisions")),
    )


def _title(figures: FigureSet, annex: str) -> str:
    return figures.words.line("annex_title", annex).upper()


def by_commune(figures: FigureSet) -> Table:
    """Every commune of the province in the order of its code, the ones without a report included."""
    kinds = capital_kinds(figures)
    kind_names = {k: show(figures.get("name", capital_kind=k)).text for k in kinds}
    columns = (
        Column("TT", 1.2, "center"),
        Column("Xã, phường", 5, "left"),
        Column("Kế hoạch", 2.3, group="Tổng nguồn vốn được sử dụng"),
        Column("Giải ngân trong kỳ", 2.1, group="Tổng nguồn vốn được sử dụng"),
        Column("Lũy kế giải ngân", 2.3, group="Tổng nguồn vốn được sử dụng"),
        Column("Tỷ lệ (%)", 1.6, group="Tổng nguồn vốn được sử dụng"),
        *(
            Column(title, width, group=kind_names[k])
            for k in kinds
            for title, width in (("Kế hoạch", 2.2), ("Giải ngân", 2.1), ("Tỷ lệ (%)", 1.6))
        ),
        Column("Kế hoạch", 2.1, group="Vốn kéo dài"),
        Column("Giải ngân", 2, group="Vốn kéo dài"),
        Column("Tỷ lệ (%)", 1.6, group="Vốn kéo dài"),
        Column("Vốn chưa giải ngân", 2.4),
    )

    def amounts(**by: Any) -> list[Spans]:
        total = [figure(figures, m, **by) for m in ("plan_total", "disb_period", "disb_ytd", "rate_total")]
        for kind in kinds:
            total += [figure(figures, m, capital_kind=kind, **by) for m in ("plan_total", "disb_ytd", "rate_total")]
        total += [figure(figures, m, **by) for m in ("plan_carry", "disb_carry", "rate_carry", "undisbursed")]
        return total

    rows = [Row((cell(""), cell("TỔNG SỐ"), *amounts()), "total")]
    for number, commune in enumerate(sorted(figures.values("report_state", "commune")), 1):
        if figures.find("not_reporting", commune=commune):
            rows.append(missing_row(figures, commune, str(number)))
        else:
            name = figure(figures, "name", commune=commune)
            rows.append(Row((cell(str(number)), name, *amounts(commune=commune))))
    return Table(
        "PL1-Xa", figures.words.line("annex_caption", "communes"), money_line(figures, _DENOMINATOR), columns,
        tuple(rows), small=True, of_communes=True,
    )  # fmt: skip


def by_project(figures: FigureSet) -> Table:
    """Programme, project (dự án, nội dung thành phần) and sub-project in the official order."""
    columns = (
        Column("Mã số", 4.3, "left"),
        Column("Chương trình, dự án, tiểu dự án", 11.5, "left"),
        Column("Kế hoạch", 2.5, group="Tổng nguồn vốn được sử dụng"),
        Column("Giải ngân trong kỳ", 2.2, group="Tổng nguồn vốn được sử dụng"),
        Column("Lũy kế giải ngân", 2.5, group="Tổng nguồn vốn được sử dụng"),
        Column("Tỷ lệ (%)", 1.7, group="Tổng nguồn vốn được sử dụng"),
        Column("So tháng trước (điểm %)", 2.6, group="Tổng nguồn vốn được sử dụng"),
        Column("Kế hoạch", 2.2, group="Vốn kéo dài"),
        Column("Giải ngân", 2.2, group="Vốn kéo dài"),
        Column("Tỷ lệ (%)", 1.7, group="Vốn kéo dài"),
        Column("Vốn chưa giải ngân", 2.5),
    )
    metrics = (
        "plan_total", "disb_period", "disb_ytd", "rate_total", "rate_change_points", "plan_carry", "disb_carry",
        "rate_carry", "undisbursed",
    )  # fmt: skip

    def row(kind: str, code: str, name: Spans, role: str) -> Row:
        by = {kind: code}
        label = (Span(code, figures.get("plan_total", **by), "dimension"),)
        return Row((label, name, *(figure(figures, m, **by) for m in metrics)), role)

    rows = [Row((cell(""), cell("TỔNG SỐ"), *(figure(figures, m) for m in metrics)), "total")]
    projects = set(figures.values("plan_total", "project"))
    nodes = sorted(
        projects | set(figures.values("plan_total", "subproject")),
        key=lambda code: (_place(figures, code), code),
    )
    for programme in programmes(figures):
        rows.append(row("programme", programme, figure(figures, "name", programme=programme), "group"))
        for code in nodes:
            belongs = figures.find("programme_of", project=code)
            if belongs is None or belongs.text != programme:
                continue
            kind = "project" if code in projects else "subproject"
            rows.append(row(kind, code, figure(figures, "name", project=code), "item"))
    return Table(
        "PL1-DuAn", figures.words.line("annex_caption", "projects"), money_line(figures, _DENOMINATOR), columns,
        tuple(rows), small=True,
    )  # fmt: skip


def _place(figures: FigureSet, code: str) -> int:
    found = figures.find("sort_no", project=code)
    return int(found.value or 0) if found else 0


def proposals(figures: FigureSet) -> Table:
    """Every proposal as the commune wrote it, the unresolved ones first."""
    columns = (
        Column("TT", 1.2, "center"),
        Column("Xã, phường", 3.2, "left"),
        Column("Khó khăn, vướng mắc", 7, "left"),
        Column("Kiến nghị, đề xuất", 7.2, "left"),
        Column("Cơ quan giải quyết", 4.4, "left"),
        Column("Tình trạng", 3, "left"),
        Column("Vốn đề nghị tăng, giảm", 2.1),
    )

    def order(code: str) -> tuple[Any, ...]:
        state = figures.get("proposal_state", proposal=code).text or ""
        return place(PROPOSAL_STATES, state), vi_key(figures.get("proposal_addressee", proposal=code).text or ""), code

    rows = []
    for number, code in enumerate(sorted(figures.values("proposal_state", "proposal"), key=order), 1):
        by = {"proposal": code}
        commune = figures.get("proposal_commune", **by).text
        rows.append(
            Row(
                (
                    cell(str(number)),
                    figure(figures, "name", commune=commune),
                    figure(figures, "proposal_problem", "initial", **by),
                    figure(figures, "proposal_text", "initial", **by),
                    figure(figures, "proposal_addressee", **by),
                    figure(figures, "proposal_state", **by),
                    figure(figures, "proposal_amount", "trieu_signed", **by),
                )
            )
        )
    unit = figures.words.say(
        "proposals_line",
        period=figures.get("period"),
        n=figures.get("communes_reported"),
        of=figures.get("communes_expected"),
    )
    return Table("PL3-KienNghi", "", unit, columns, tuple(rows), small=True, title=_PROPOSALS_VI)
