"""Phụ lục IV, quality of the data: who is missing or late, plans, versions, what the checks found and what was
answered, the State Treasury, figures unlike their peers'."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from functools import partial

from etl.load.reconciliation import KINDS_VI
from etl.period import Period
from etl.publish.figure import Figure, FigureSet
from etl.publish.model import Block, Column, Heading, Paragraph, Row, Span, Spans, Table
from etl.publish.quality_figures import LEVELS_VI
from etl.publish.tables import cell, count_line, figure, money_line
from etl.publish.text import listing, show

_NUMBER = Column("TT", 1.2, "center")
_COMMUNE = Column("Xã, phường", 4.2, "left")
_FINDING = (
    _NUMBER,
    Column("Xã, phường", 2.9, "left"),
    Column("Mã dòng", 3.2, "left"),
    Column("Quy tắc", 2.2, "left"),
)
"""Whom an answered finding concerns, and which rule found it."""
_WHOLE_STATEMENT = "Cả sao kê"


class _Numbered:
    """Tables of the annex numbered in the order in which they appear: what there is nothing of takes no number."""

    def __init__(self) -> None:
        self._last = 0

    def table(
        self,
        name: str,
        caption: str,
        unit: Spans,
        columns: Sequence[Column],
        rows: Sequence[Row],
        printed: int | None = None,
    ) -> Table:
        """``printed``: how many rows stand on paper; the others stand in the workbook alone."""
        self._last += 1
        return Table(
            name, f"Biểu IV.{self._last}. {caption}", unit, tuple(columns), tuple(rows[:printed]), small=True,
            rest=tuple(rows[printed:]) if printed is not None else (),
        )  # fmt: skip


def blocks(figures: FigureSet) -> tuple[Block, ...]:
    """The whole annex. Where there is nothing to list, a sentence says so."""
    numbered = _Numbered()
    parts: tuple[tuple[str, Callable[[FigureSet, _Numbered], list[Block]]], ...] = (
        ("reporting", _reporting),
        ("plans", _plans),
        ("checks", _checks),
        ("treasury", _treasury),
        ("outliers", _outliers),
    )
    title = partial(figures.words.line, "quality_heading")
    return tuple(block for name, part in parts for block in (Heading(title(name), 2), *part(figures, numbered)))


def _none(figures: FigureSet, of: str) -> Paragraph:
    """There is nothing to list."""
    return _say(figures.words.say("quality_none", of))


def _caption(figures: FigureSet, table: str) -> str:
    return figures.words.line("quality_caption", table)


def _say(spans: Spans) -> Paragraph:
    return Paragraph(spans)


def _by_commune(figures: FigureSet, communes: Iterable[str], *metrics: str | tuple[str, str]) -> list[Row]:
    """Number, name and one figure for each metric (or metric and style)."""
    shown = [(m,) if isinstance(m, str) else m for m in metrics]
    return [
        Row(
            (
                cell(str(number)),
                figure(figures, "name", commune=commune),
                *(figure(figures, *metric, commune=commune) for metric in shown),
            )
        )
        for number, commune in enumerate(communes, 1)
    ]


def _reporting(figures: FigureSet, numbered: _Numbered) -> list[Block]:
    concerned = sorted({*figures.values("not_reporting", "commune"), *figures.values("late_days", "commune")})
    if not concerned:
        return [_none(figures, "reporting"), *_versions(figures, numbered)]
    columns = (
        _NUMBER,
        _COMMUNE,
        Column("Tình trạng báo cáo", 6, "left"),
        Column("Số ngày chậm", 2.4, "center"),
        Column("Trong đó: ngày làm việc", 2.8, "center"),
    )
    rows = [
        Row(
            (
                cell(str(number)),
                figure(figures, "name", commune=commune),
                _state(figures, commune),
                *(figure(figures, metric, commune=commune) for metric in ("late_days", "late_working_days")),
            )
        )
        for number, commune in enumerate(concerned, 1)
    ]
    unit = figures.words.say("reporting_line", due=figures.get("due_on"))
    table = numbered.table("PL4-BaoCao", _caption(figures, "reporting"), unit, columns, rows)
    return [table, *_versions(figures, numbered)]


def _state(figures: FigureSet, commune: str) -> Spans:
    """What became of the report of a commune, and that it came late."""
    told = figure(figures, "report_state", commune=commune)
    return (*told, Span(", gửi sau hạn")) if figures.known("late_days", commune=commune) else told


def _versions(figures: FigureSet, numbered: _Numbered) -> list[Block]:
    """Communes with reports from two places, and reports that wait for a decision; nothing when there are none."""
    found: list[Block] = []
    contested = sorted(figures.values("contested_lines", "commune"))
    if contested:
        columns = (
            _NUMBER,
            _COMMUNE,
            Column("Số lần bị thay bằng bản khác", 3, "center"),
            Column("Số dòng khác nhau", 3, "center"),
        )
        rows = _by_commune(figures, contested, "contested_versions", "contested_lines")
        line = count_line(figures, "lines")
        found.append(numbered.table("PL4-NhieuBan", _caption(figures, "contested"), line, columns, rows))
    waiting = sorted(figures.having("late_revisions", "commune", "period"), key=lambda f: f.key)
    if waiting:
        columns = (
            _NUMBER,
            _COMMUNE,
            Column("Kỳ báo cáo", 3, "center"),
            Column("Số bản chờ quyết định", 3, "center"),
        )
        rows = [
            Row(
                (
                    cell(str(number)),
                    figure(figures, "name", commune=item.dim("commune")),
                    (Span(Period.parse(item.dim("period") or "").vi, item, "dimension"),),
                    (show(item),),
                )
            )
            for number, item in enumerate(waiting, 1)
        ]
        line = count_line(figures, "versions")
        found.append(numbered.table("PL4-ChoQuyetDinh", _caption(figures, "waiting"), line, columns, rows))
    return found


def _plans(figures: FigureSet, numbered: _Numbered) -> list[Block]:
    differing = [
        c for c in sorted(figures.values("plan_difference", "commune"))
        if figures.get("plan_difference", commune=c).value
    ]  # fmt: skip
    if not differing and figures.find("plan_difference"):
        return [_none(figures, "plans")]
    if not differing:
        return [_none(figures, "plans_missing")]
    columns = (
        _NUMBER,
        _COMMUNE,
        Column("Kế hoạch theo báo cáo", 3),
        Column("Theo quyết định giao vốn", 3),
        Column("Chênh lệch", 3),
    )
    rows = _by_commune(
        figures, differing, "plan_total", "plan_registered_reported", ("plan_difference", "trieu_signed")
    )
    return [numbered.table("PL4-KeHoach", _caption(figures, "plans"), money_line(figures), columns, rows)]


# What the checks found and what was answered --------------------------------------------------------------------------


def _checks(figures: FigureSet, numbered: _Numbered) -> list[Block]:
    if figures.find("findings_found") is None:
        return [_none(figures, "checks")]
    return [
        _by_rule(figures, numbered),
        *_explanations(figures, numbered),
        *_overrides(figures, numbered),
    ]


def _by_rule(figures: FigureSet, numbered: _Numbered) -> Table:
    columns = (
        _NUMBER,
        Column("Mã quy tắc", 2.8, "left"),
        Column("Nội dung kiểm tra", 9.4, "left"),
        Column("Mức", 2, "center"),
        Column("Số xã, phường", 1.7),
        Column("Số vấn đề", 1.7),
        Column("Đã giải trình", 1.7, group="Trong đó"),
        Column("Đơn vị đã sửa", 1.7, group="Trong đó"),
        Column("Được chấp nhận", 1.8, group="Trong đó"),
        Column("Còn lại", 1.6, group="Trong đó"),
    )
    metrics = ("communes", "found", "explained", "corrected", "overridden", "still_open")

    def counts(**by: str) -> list[Spans]:
        return [figure(figures, f"findings_{name}", **by) for name in metrics]

    levels = list(LEVELS_VI.values())

    def order(rule: str) -> tuple[int, str]:
        return levels.index(figures.get("rule_level", rule=rule).text or ""), rule

    rows = [Row((cell(""), cell("TỔNG SỐ"), cell(""), cell(""), *counts()), "total")]
    for number, rule in enumerate(sorted(figures.values("rule_level", "rule"), key=order), 1):
        by = {"rule": rule}
        code = (Span(rule, figures.get("rule_level", **by), "dimension"),)
        about = (figure(figures, "rule_checks", **by), figure(figures, "rule_level", **by))
        rows.append(Row((cell(str(number)), code, *about, *counts(**by))))
    unit = figures.words.say("quality_line", "rules")
    return numbered.table("PL4-QuyTac", _caption(figures, "rules"), unit, columns, rows)


def _answers(figures: FigureSet, outcome: str) -> list[Figure]:
    """Answered problems of an outcome, those with most money first."""
    found = [f for f in figures.having("answer_outcome", "commune", "rule", "item") if f.text == outcome]
    return sorted(found, key=lambda f: (-(figures.get("answer_amount", **dict(f.dims)).value or 0), f.key))


def _finding(figures: FigureSet, number: int, item: Figure) -> tuple[Spans, ...]:
    """The cells under ``_FINDING`` and the words of the finding that ``item`` answers."""
    by = dict(item.dims)
    return (
        cell(str(number)),
        figure(figures, "name", commune=by["commune"]),
        figure(figures, "answer_line", **by),
        (Span(by["rule"], item, "dimension"),),
        figure(figures, "answer_finding", **by),
    )


def _explanations(figures: FigureSet, numbered: _Numbered) -> list[Block]:
    found = _answers(figures, "explained")
    if not found:
        return [_none(figures, "explained")]
    columns = (
        *_FINDING,
        Column("Nội dung phát hiện", 6.6, "left"),
        Column("Số tiền liên quan", 2),
        Column("Giải trình", 6, "left"),
        Column("Người giải trình", 2.4, "left"),
    )
    rows = []
    for number, item in enumerate(found, 1):
        by = dict(item.dims)
        rows.append(
            Row(
                (
                    *_finding(figures, number, item),
                    figure(figures, "answer_amount", "trieu_fine", **by),
                    figure(figures, "answer_text", "initial", **by),
                    figure(figures, "answer_by", **by),
                )
            )
        )
    unit, printed = figures.words.say("quality_line", "explained"), _printed(figures, "answers")
    table = numbered.table("PL4-GiaiTrinh", _caption(figures, "explained"), unit, columns, rows, printed)
    return [table, *_cut(figures, "answers", "answers")]


def _printed(figures: FigureSet, metric: str) -> int:
    return int(figures.get(f"{metric}_printed").value or 0)


def _cut(figures: FigureSet, metric: str, what: str) -> list[Block]:
    """That a list goes on in the workbook; nothing when it does not."""
    beyond = figures.get(f"{metric}_beyond")
    if not beyond.value:
        return []
    printed = figures.get(f"{metric}_printed")
    return [Paragraph(figures.words.say("list_cut", what, n=printed, rest=beyond), "note")]


def _overrides(figures: FigureSet, numbered: _Numbered) -> list[Block]:
    """Always in full: what an officer has let pass is for everybody to see."""
    found = _answers(figures, "overridden")
    if not found:
        return [_none(figures, "overridden")]
    columns = (
        *_FINDING,
        Column("Nội dung phát hiện", 8, "left"),
        Column("Cán bộ chấp nhận", 2.8, "left"),
        Column("Lý do", 6, "left"),
    )
    rows = []
    for number, item in enumerate(found, 1):
        by = dict(item.dims)
        rows.append(
            Row(
                (
                    *_finding(figures, number, item),
                    figure(figures, "answer_by", **by),
                    figure(figures, "answer_text", "initial", **by),
                )
            )
        )
    unit = figures.words.say("quality_line", "overridden")
    return [numbered.table("PL4-ChapNhan", _caption(figures, "overridden"), unit, columns, rows)]


# The State Treasury ---------------------------------------------------------------------------------------------------


def _treasury(figures: FigureSet, numbered: _Numbered) -> list[Block]:
    say, as_of = figures.words.say, figures.get("as_of")
    if figures.find("treasury_statement") is None:
        return [_say(_not_compared(figures, as_of))]
    total = figures.find("treasury_differences")
    communes = figures.get("treasury_communes")
    if total is None:
        return [_say(say("treasury", "same", n=communes, as_of=as_of))]
    unit = say("treasury", "line", as_of=as_of, n=communes)
    differing = figures.get("treasury_kind_communes")
    return [
        _say(say("treasury", "differs", n=communes, as_of=as_of, k=total, c=differing)),
        _by_kind(figures, numbered, unit),
        _differences(figures, numbered, unit),
        *_cut(figures, "treasury_rows", "treasury"),
    ]


def _not_compared(figures: FigureSet, as_of: Figure) -> Spans:
    """CK31: only equal dates are compared."""
    others = sorted(figures.having("treasury_other_date", "item"), key=lambda f: f.key)
    if not others:
        return figures.words.say("treasury", "missing", as_of=as_of)
    return figures.words.say("treasury", "other", as_of=as_of, days=listing(show(day) for day in others))


def _by_kind(figures: FigureSet, numbered: _Numbered, unit: Spans) -> Table:
    columns = (
        _NUMBER,
        Column("Loại chênh lệch", 8, "left"),
        Column("Số xã, phường", 2.4),
        Column("Số chênh lệch", 2.4),
        Column("Báo cáo cao hơn Kho bạc", 3.4),
        Column("Báo cáo thấp hơn Kho bạc", 3.4),
        Column("Tạm ứng quá hạn", 3.4),
    )
    metrics = (
        ("treasury_kind_communes", "count"),
        ("treasury_differences", "count"),
        ("treasury_above", "trieu_fine_signed"),
        ("treasury_below", "trieu_fine_signed"),
        ("treasury_overdue", "trieu_fine"),
    )
    kinds = [kind for kind in KINDS_VI if figures.find("treasury_differences", item=kind)]
    # Amounts of different kinds do not add up to anything.
    counted = [figure(figures, m, style) if style == "count" else cell("x") for m, style in metrics]
    rows = [Row((cell(""), cell("TỔNG SỐ"), *counted), "total")]
    rows += [
        Row(
            (
                cell(str(number)),
                cell(KINDS_VI[kind]),
                *(figure(figures, m, style, item=kind) for m, style in metrics),
            )
        )
        for number, kind in enumerate(kinds, 1)
    ]
    return numbered.table("PL4-KhoBac", _caption(figures, "treasury"), unit, columns, rows)


def _differences(figures: FigureSet, numbered: _Numbered, unit: Spans) -> Table:
    columns = (
        _NUMBER,
        Column("Xã, phường", 2.9, "left"),
        Column("Nội dung", 5.4, "left"),
        Column("Loại vốn", 2.3, "left"),
        Column("Báo cáo", 2.3),
        Column("Kho bạc", 2.3),
        Column("Chênh lệch", 2.3),
        Column("Loại chênh lệch", 2.9, "left"),
        Column("Căn cứ", 4, "left"),
        Column("Số tháng chưa khớp", 1.6, "center"),
    )
    items = [f for f in figures if f.metric == "treasury_difference"]
    items.sort(key=lambda f: (_kind_place(f), -abs(f.value or Decimal(0)), f.key))
    rows = []
    for number, item in enumerate(items, 1):
        by = dict(item.dims)
        commune, kind = by.get("commune"), by.get("capital_kind")
        rows.append(
            Row(
                (
                    cell(str(number)),
                    figure(figures, "name", commune=commune) if commune else cell(_WHOLE_STATEMENT),
                    figure(figures, "treasury_node", **by),
                    figure(figures, "name", capital_kind=kind) if kind else (show(None),),
                    figure(figures, "treasury_reported", "trieu_fine", **by),
                    figure(figures, "treasury_booked", "trieu_fine", **by),
                    (show(None if by["item"] == "advance_overdue" else item, "trieu_fine_signed"),),
                    figure(figures, "treasury_kind", **by),
                    figure(figures, "treasury_evidence", "initial", **by),
                    figure(figures, "treasury_months", **by),
                )
            )
        )
    printed = _printed(figures, "treasury_rows")
    return numbered.table("PL4-KhoBac-CT", _caption(figures, "differences"), unit, columns, rows, printed)


def _kind_place(item: Figure) -> int:
    return list(KINDS_VI).index((item.dim("item") or "").partition("#")[0])


# Figures unlike their peers' ------------------------------------------------------------------------------------------


def _outliers(figures: FigureSet, numbered: _Numbered) -> list[Block]:
    items = figures.having("outlier_difference", "commune", "rule", "item")
    if not items:
        return [_none(figures, "outliers")]
    columns = (
        _NUMBER,
        Column("Xã, phường", 2.9, "left"),
        Column("Quy tắc", 1.5, "center"),
        Column("Mã dòng, chỉ tiêu", 3.2, "left"),
        Column("Ô trong báo cáo", 3.2, "left"),
        Column("Số của đơn vị", 2.3),
        Column("Mức thông thường", 2.4),
        Column("Nội dung", 9.5, "left"),
    )
    rows = []
    ordered = sorted(items, key=lambda f: (f.dim("rule") or "", -abs(f.value or Decimal(0)), f.key))
    for number, item in enumerate(ordered, 1):
        by = dict(item.dims)
        rows.append(
            Row(
                (
                    cell(str(number)),
                    figure(figures, "name", commune=by["commune"]),
                    (Span(by["rule"], item, "dimension"),),
                    (Span(by["item"], item, "dimension"),),
                    figure(figures, "outlier_cell", **by),
                    figure(figures, "outlier_value", "trieu_fine", **by),
                    figure(figures, "outlier_expected", "trieu_fine", **by),
                    figure(figures, "outlier_finding", **by),
                )
            )
        )
    unit, printed = figures.words.say("quality_line", "outliers"), _printed(figures, "outlier_rows")
    return [
        _say(figures.words.say("outliers", n=figures.get("outliers"), c=figures.get("outlier_communes"))),
        numbered.table("PL4-BatThuong", _caption(figures, "outliers"), unit, columns, rows, printed),
        *_cut(figures, "outlier_rows", "outliers"),
    ]
