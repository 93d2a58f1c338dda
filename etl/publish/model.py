"""The document model: headings, paragraphs, tables and charts, in which every number is a span that names its figure.

Writers only lay it out. A document is the same for DOCX and PDF; XLSX and HTML take tables and charts from it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
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

_SHORT_TABLE, _EDGE, _TALL_TEXT, _LONG_TEXT, _TAIL = 8, 3, 80, 600, 2


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
    """``name`` is the sheet name in the workbook; ``caption`` and ``unit`` stand above the table.

    ``title`` names the table in the workbook where it has no caption of its own. ``rest``: rows that stand in the
    workbook alone. ``of_communes``: every commune of the province has a row, a missing one too. ``heat``: its rates are
    shaded by their size where there is colour.
    """

    name: str
    caption: str
    unit: Spans
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    numbered: bool = True
    small: bool = False
    title: str = ""
    rest: tuple[Row, ...] = ()
    of_communes: bool = False
    heat: bool = False

    def all_rows(self) -> tuple[Row, ...]:
        """The rows of the workbook."""
        return (*self.rows, *self.rest)

    @property
    def has_groups(self) -> bool:
        return any(c.group for c in self.columns)

    def runs(self) -> list[int]:
        """Lengths of the runs of rows that stay on one page: a short table, a programme with its kinds of capital, and
        at least ``_EDGE`` rows at either end, so that no header stands over a single row. They add up to all rows.

        Rows that can be taller than a page (texts of communes) stand alone; a few rows of several lines each are not a
        short table.
        """
        count = len(self.rows)
        longest = max((len(joined(cell)) for row in self.rows for cell in row.cells), default=0)
        if longest > _LONG_TEXT:
            return [1] * count
        if count <= (_SHORT_TABLE if longest <= _TALL_TEXT else _EDGE):
            return [count] if count else []
        starts = [i for i, row in enumerate(self.rows) if row.role in ("total", "group")]
        inside = set()
        for start, end in pairwise([*starts, count]):
            inside |= set(range(start + 1, end if end - start <= _EDGE + 1 else start + _EDGE))
        inside |= {*range(1, _EDGE), *range(count - _EDGE + 1, count)}
        breaks = [i for i in range(count) if i not in inside]
        return [end - start for start, end in pairwise([*breaks, count])]

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
    """A Vega-Lite spec without fonts and colours of text; ``alt`` says in words what it shows. Sizes in pixels.

    ``quoted``: the figures whose texts stand in caption, ``alt`` and labels.
    """

    name: str
    caption: str
    alt: str
    spec: dict[str, Any]
    width_mm: int = 160
    quoted: Spans = ()


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

    @property
    def kept_with_signature(self) -> int:
        """How many of the last blocks go overleaf together with the signature: it never stands on a page alone.

        The last two paragraphs, and a heading or an announcement that would stay behind without its text.
        """
        blocks = list(reversed(self.blocks))
        count = 0
        while count < min(_TAIL, len(blocks)) and isinstance(blocks[count], Paragraph):
            count += 1
        while count < len(blocks) and announces(blocks[count]):
            count += 1
        return count


@dataclass(frozen=True)
class Letterhead:
    """The fixed parts of NĐ 30/2020/NĐ-CP, Phụ lục I; number and date stay open in a draft.

    ``name_vi``: the issuer as it is written within a sentence.
    """

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
    name_vi: str


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


def announces(block: Block) -> bool:
    """A heading, or a paragraph that ends with a colon: it stays on the page of what follows."""
    return isinstance(block, Heading) or (isinstance(block, Paragraph) and joined(block.spans).endswith(":"))


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
