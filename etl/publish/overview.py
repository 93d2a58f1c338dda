"""What stands on the page with charts alone (and, of its tables, in the workbook): ranking, months, tasks."""

from __future__ import annotations

from etl.publish import charts, tables
from etl.publish.figure import FigureSet
from etl.publish.model import Block, Column, Document, Row, Section, Table
from etl.publish.report import letterhead

KIND = "overview"


def build(figures: FigureSet) -> Document:
    """The ranking of the communes, their rates month by month, and the tasks of each agency."""
    drawn = (charts.by_commune(figures, tables.by_rank(figures)), months(figures), charts.tasks(figures))
    blocks: list[Block] = [block for block in drawn if block is not None]
    return Document(
        KIND,
        KIND,
        figures.words.line("chart_page"),
        (),
        (),
        letterhead(figures),
        (Section(tuple(blocks)),),
        figures.release_id,
    )


def months(figures: FigureSet) -> Table:
    """Every commune and month of the budget year so far; blank where no report was accepted."""
    found = sorted({f.dim("period") or "" for f in figures.having("rate_trend", "period")})
    columns = (Column("Xã, phường", 4.6, "left"), *(Column(f"{int(m[5:])}/{m[:4]}", 1.8) for m in found))
    rows = [Row((tables.cell("TỔNG SỐ"), *(tables.figure(figures, "rate_trend", period=m) for m in found)), "total")]
    rows += [
        Row(
            (
                tables.figure(figures, "name", commune=commune),
                *(tables.figure(figures, "rate_trend", commune=commune, period=m) for m in found),
            )
        )
        for commune in sorted(figures.values("report_state", "commune"))
    ]
    return Table(
        "ThangXa",
        figures.words.line("chart_heat", "caption"),
        figures.words.say("chart_heat", "unit", as_of=figures.get("as_of")),
        columns,
        tuple(rows),
        numbered=False,
        small=True,
        heat=True,
    )
