"""Phụ lục V: what differs from what was published: of this same period in a correction, and of last month."""

from __future__ import annotations

from collections.abc import Sequence

from etl.publish.figure import Figure, FigureSet
from etl.publish.model import Block, Column, Paragraph, Row, Spans, Table
from etl.publish.tables import cell, figure
from etl.publish.text import show

_REVISIONS_VI = "Phụ lục V. Điều chỉnh so với báo cáo trước"
_REVISED = {"plan_total": "Kế hoạch vốn được sử dụng", "disb_ytd": "Lũy kế giải ngân"}


def blocks(figures: FigureSet) -> tuple[Block, ...]:
    return (*_corrections(figures), *_revisions(figures))


def _corrections(figures: FigureSet) -> tuple[Block, ...]:
    """Nothing in the first release of a period; in a correction at least the sentence of the first page."""
    release, rows = figures.find("correction_of"), _differing(figures, "correction_difference")
    if release is None or not rows:
        return ()
    unit = figures.words.say("corrections_line", release=release)
    return (_table(figures, "PL5-DinhChinh", "corrections", unit, "correction", rows),)


def _revisions(figures: FigureSet) -> tuple[Block, ...]:
    """What has changed in last month's published figures."""
    rows, month = _differing(figures, "revision_difference"), figures.get("previous_period")
    if not rows:
        return (Paragraph(figures.words.say("revisions", "first" if figures.opens_year else "none", month=month)),)
    unit = figures.words.say("revisions", "line", month=month)
    caption = (
        "revisions"
        if figures.having("correction_difference", "item") or figures.having("correction_difference", "commune", "item")
        else ""
    )
    return (_table(figures, "PL5-DieuChinh", caption, unit, "revision", rows),)


def _differing(figures: FigureSet, metric: str) -> list[Figure]:
    """The province first, then communes."""
    total = sorted(figures.having(metric, "item"), key=lambda f: f.key, reverse=True)
    return [*total, *sorted(figures.having(metric, "commune", "item"), key=lambda f: f.key)]


def _table(figures: FigureSet, name: str, caption: str, unit: Spans, of: str, rows: Sequence[Figure]) -> Table:
    """``of``: how the metrics of the rows begin."""
    why = of == "correction"
    columns = (
        Column("TT", 1.2, "center"),
        Column("Xã, phường", 4, "left"),
        Column("Số liệu", 4.4 if why else 5, "left"),
        Column("Đã công bố", 2.6 if why else 3),
        Column("Số liệu mới", 2.6 if why else 3),
        Column("Chênh lệch", 2.6 if why else 3),
        *([Column("Lý do", 3.6, "left")] if why else []),
    )
    cells = (_cells(figures, number, item, of, why=why) for number, item in enumerate(rows, 1))
    placed = tuple(
        Row(one, "total" if item.dim("commune") is None else "item") for one, item in zip(cells, rows, strict=True)
    )
    called = figures.words.line("annex_caption", caption) if caption else ""
    return Table(name, called, unit, columns, placed, small=why, title=_REVISIONS_VI)


def _cells(figures: FigureSet, number: int, item: Figure, of: str, *, why: bool) -> tuple[Spans, ...]:
    by = dict(item.dims)
    commune = by.get("commune")
    cause = figures.find("correction_cause", commune=commune) if commune else None
    return (
        cell(str(number)),
        figure(figures, "name", commune=commune) if commune else cell("TỔNG SỐ"),
        cell(_REVISED[by["item"]]),
        figure(figures, f"{of}_published", **by),
        figure(figures, f"{of}_current", **by),
        (show(item, "trieu_signed"),),
        *([(show(cause, "initial"),) if cause else cell("")] if why else []),
    )
