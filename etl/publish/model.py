"""The document model: headings, paragraphs, tables and charts, in which every number is a span that names its figure.

Writers only lay it out. A document is the same for DOCX and PDF; XLSX and HTML take tables and charts from it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from etl.publish.figure import Figure


@dataclass(frozen=True)
class Span:
    """A stretch of text. With a figure, ``text`` is the figure in the notation ``style`` (etl.publish.text)."""

    text: str
    figure: Figure | None = None
    style: str = ""
    bold: bool = False
    italic: bool = False


Spans = tuple[Span, ...]


@dataclass(frozen=True)
class Heading:
    """Level 1: I, II (capitals); 2: 1., 2.; 3: 2.1."""

    text: str
    level: int = 1


@dataclass(frozen=True)
class Paragraph:
    """``style``: body, bullet, note (small italics), unit (italics, right), gap (a place for the drafter)."""

    spans: Spans
    style: str = "body"


@dataclass(frozen=True)
class Column:
    """``group`` is the merged cell above neighbouring columns of the same group; ``width`` is a relative weight."""

    title: str
    width: float
    align: str = "right"
    group: str = ""


@dataclass(frozen=True)
class Row:
    """``role``: total, group, item, missing (no report: its last cell reaches to the end of the table)."""

    cells: tuple[Spans, ...]
    role: str = "item"

    @property
    def merged(self) -> bool:
        return self.role == "missing"


@dataclass(frozen=True)
class Table:
    """``name`` is the sheet name in the workbook; ``caption`` and ``unit`` stand above the table."""

    name: str
    caption: str
    unit: Spans
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    numbered: bool = True
    small: bool = False

    @property
    def has_groups(self) -> bool:
        return any(c.group for c in self.columns)

    def groups(self) -> list[tuple[str, int, int]]:
        """Runs of neighbouring columns with the same group: (group, first column, number of columns)."""
        runs: list[tuple[str, int, int]] = []
        for index, column in enumerate(self.columns):
            if runs and column.group and runs[-1][0] == column.group:
                group, first, count = runs[-1]
                runs[-1] = (group, first, count + 1)
            else:
                runs.append((column.group, index, 1))
        return runs


@dataclass(frozen=True)
class Chart:
    """A Vega-Lite spec without fonts and colours of text; ``alt`` says in words what it shows. Sizes in pixels."""

    name: str
    caption: str
    alt: str
    spec: dict[str, Any]
    width_mm: int = 160


@dataclass(frozen=True)
class Kpi:
    """One box of the strip at the head of the brief."""

    label: str
    value: Spans
    note: Spans


@dataclass(frozen=True)
class Kpis:
    boxes: tuple[Kpi, ...]


Block = Heading | Paragraph | Table | Chart | Kpis


@dataclass(frozen=True)
class Section:
    """A run of pages. An annex has a number (``Phụ lục I``) and is numbered apart from page 1 on."""

    blocks: tuple[Block, ...]
    landscape: bool = False
    annex: str = ""
    title: str = ""


@dataclass(frozen=True)
class Letterhead:
    """The fixed parts of NĐ 30/2020/NĐ-CP, Phụ lục I; number and date stay open in a draft."""

    parent_body: str
    issuer: str
    symbol: str
    place: str
    year: Span
    addressees: tuple[str, ...]
    authority: tuple[str, ...]
    signer: str
    recipients: tuple[str, ...]
    filing: str


@dataclass(frozen=True)
class Document:
    """``kind``: brief (one page) or report (NĐ 30/2020 layout)."""

    kind: str
    name: str
    kind_title: str
    title: tuple[str, ...]
    subtitle: Spans
    letterhead: Letterhead
    sections: tuple[Section, ...]
    release_id: str

    def blocks(self) -> Iterator[Block]:
        for section in self.sections:
            yield from section.blocks

    def tables(self) -> list[Table]:
        return [b for b in self.blocks() if isinstance(b, Table)]

    def charts(self) -> list[Chart]:
        return [b for b in self.blocks() if isinstance(b, Chart)]


def spans_of(block: Block) -> Iterator[Span]:
    """All spans of a block, in reading order."""
    if isinstance(block, Paragraph):
        yield from block.spans
    elif isinstance(block, Table):
        yield from block.unit
        for row in block.rows:
            for cell in row.cells:
                yield from cell
    elif isinstance(block, Kpis):
        for box in block.boxes:
            yield from box.value
            yield from box.note


def joined(spans: Sequence[Span]) -> str:
    return "".join(span.text for span in spans)
