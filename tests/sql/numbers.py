"""Every number of a document against the table of figures.

A document is read in two steps. First the model: a number either stands in a span of a figure, whose text must be that
figure of the table in the span's notation, or it is one of the few that belong to the structure, known by their place:
numbers of headings and tables, running numbers in a column TT, ticks of a scale. Then the files: the numbers in their
text must be those of the model, one by one, with nothing before, between or after them; what a format adds of its own
(page numbers, numbers under the columns) is known by its place too. A small number is a number like any other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from html.parser import HTMLParser

from etl.period import Period
from etl.publish import charts
from etl.publish.docx_table import recipients
from etl.publish.docx_writer import CLOSING
from etl.publish.figure import Figure, FigureSet
from etl.publish.model import Chart, Document, Heading, Kpis, Paragraph, Span, Spans, Table, joined
from etl.publish.text import clean, show

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_HEADING = re.compile(r"(\d+(?:\.\d+)*)\. ")
_CAPTION = re.compile(r"(?:Bảng |Biểu [IVX]+\.)(\d+)(?:\.|:| |$)")
_QUOTED_TABLE = re.compile(r"\b(?:Bảng|bảng) (\d+)|\bBiểu [IVX]+\.(\d+)")
WORDING = re.compile(r"\(0 ?%\)|\b100 ?%")
"""What nothing and all of a plan are called."""
_OWN_MONTHS = ("period", "next_period", "previous_period", "period_short", "period_year_ago")


def numbers(text: str) -> list[str]:
    """Numbers in Vietnamese notation; a date is three of them, for it may break at its slashes."""
    return _NUMBER.findall(text)


def all_numbers(texts: Iterable[str]) -> list[str]:
    return [number for text in texts for number in numbers(text)]


@dataclass(frozen=True)
class Passage:
    """A stretch of text; ``structure``: numbers that belong to its place and come from no figure."""

    place: str
    spans: Spans
    structure: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        return joined(self.spans)


@dataclass
class Model:
    """The passages of documents that belong together, read against the table."""

    figures: FigureSet
    documents: Sequence[Document]

    @cached_property
    def _captions(self) -> set[str]:
        """Tables that a sentence may refer to."""
        found = (_CAPTION.match(table.caption) for document in self.documents for table in document.tables())
        return {match[0].rstrip(".: ").lower() for match in found if match}

    @cached_property
    def _months(self) -> re.Pattern[str]:
        year = f"năm ngân sách {self.figures.budget_year}"
        names = sorted({year, *(self.figures.get(m).text or "" for m in _OWN_MONTHS)}, key=len, reverse=True)
        return re.compile("|".join(rf"(?<!\w){re.escape(name)}(?!\w)" for name in names), re.IGNORECASE)

    @cached_property
    def _configured(self) -> list[str]:
        return [clean(line) for f in self.figures if f.metric == "letterhead" for line in (f.text or "").split("\n")]

    def faults(self, passages: Iterable[Passage]) -> list[str]:
        """Figures whose text is not the table's, and numbers that come from nowhere."""
        return [f"{p.place}: {fault}" for p in passages for fault in (*self._misprints(p), *self._loose(p))]

    def _misprints(self, passage: Passage) -> Iterator[str]:
        for span in passage.spans:
            if span.figure is None:
                continue
            own = self.figures.find(span.figure.metric, **dict(span.figure.dims))
            if own is None:
                yield f"“{span.text}” là số liệu {span.figure.key}, không có trong bảng số liệu"
            elif not _says(span, own):
                held = own.text if own.value is None else own.value
                yield f"“{span.text}” là số liệu {own.key}, bảng số liệu ghi {held}"

    def _loose(self, passage: Passage) -> Iterator[str]:
        given = list(passage.structure)
        for span in passage.spans:
            if span.figure is not None or clean(span.text).strip("-.; ") in self._configured:
                continue
            text = WORDING.sub("", self._months.sub("", span.text))
            for number in numbers(_QUOTED_TABLE.sub(self._quoted_table, text)):
                if number in given:
                    given.remove(number)
                else:
                    yield f"số {number} trong “{span.text}” không là số liệu nào"

    def _quoted_table(self, match: re.Match[str]) -> str:
        return "" if match[0].lower() in self._captions else match[0]

    def laid_out(self, document: Document) -> list[Passage]:
        """All text of a document in the order in which it is set in DOCX."""
        head = document.letterhead
        first = [(Span(head.parent_body),), (Span(head.issuer),)]
        if document.kind == "report":
            first += [(Span(head.symbol),), (Span(head.place), head.year)]
        first += [(Span(line),) for line in (document.kind_title, *document.title)] + [document.subtitle]
        if document.kind != "brief":
            first += [(Span(name),) for name in head.addressees]
        passages = [Passage("phần đầu", spans) for spans in first]
        for number, section in enumerate(document.sections):
            if number:
                of = (Span(head.symbol), head.year, Span(head.name_vi))
                passages += [Passage(section.annex, (Span(line),)) for line in (section.annex, section.title)]
                passages.append(Passage(section.annex, of))
            passages += self.blocks(section.blocks)
            if not number and document.kind == "report":
                last = (CLOSING, *recipients(head), *head.authority, head.signer)
                passages += [Passage("phần cuối", (Span(line),)) for line in last]
        return passages

    def blocks(self, blocks: Iterable[object], *, paper: bool = True) -> Iterator[Passage]:
        """``paper``: with the numbers under the columns. Charts are read apart (``Drawing``)."""
        counters: list[int] = []
        for block in blocks:
            if isinstance(block, Heading):
                yield _heading(block, counters)
            elif isinstance(block, Paragraph):
                yield Passage("đoạn", block.spans)
            elif isinstance(block, Table):
                yield from table_passages(block, paper=paper)
            elif isinstance(block, Kpis):
                for box in block.boxes:
                    yield from (Passage("ô", spans) for spans in ((Span(box.label),), box.value, box.note))
            elif isinstance(block, Chart):
                yield Passage("tên biểu đồ", _with_figures(block.caption, block.quoted))


def _heading(block: Heading, counters: list[int]) -> Passage:
    """The number of a heading is that of the one before, plus one: else it is none."""
    match = _HEADING.match(block.text)
    if not match:
        counters.clear()
        return Passage("đề mục", (Span(block.text),))
    levels = [int(level) for level in match[1].split(".")]
    expected = [*counters[: len(levels) - 1], (counters[len(levels) - 1] if len(counters) >= len(levels) else 0) + 1]
    counters[:] = levels
    return Passage("đề mục", (Span(block.text),), tuple(numbers(match[1])) if levels == expected else ())


def table_passages(table: Table, *, paper: bool = True, rows: str = "rows") -> Iterator[Passage]:
    name = table.caption or table.title or table.name
    caption = _CAPTION.match(table.caption)
    yield Passage(name, (Span(table.caption),), (caption[1],) if caption else ())
    yield Passage(f"{name}, đơn vị tính", table.unit)
    yield from header_passages(table)
    if paper and table.numbered:
        yield from (Passage(name, (Span(f"({n})"),), (str(n),)) for n in range(1, len(table.columns) + 1))
    counted = 0
    for number, row in enumerate(getattr(table, rows) if rows == "rows" else table.all_rows(), 1):
        for index, cell in enumerate(row.cells):
            running = ()
            if index == 0 and table.columns[0].title == "TT" and joined(cell) == str(counted + 1):
                counted, running = counted + 1, (joined(cell),)
            yield Passage(f"{name}, dòng {number}", cell, running)


def header_passages(table: Table) -> Iterator[Passage]:
    titles = [c.title for c in table.columns]
    if table.has_groups:
        top = [group or titles[first] for group, first, _ in table.groups()]
        titles = [*top, *(c.title for c in table.columns if c.group)]
    yield from (Passage(f"{table.name}, tên cột", (Span(title),), _month_of(table, title)) for title in titles)


def _month_of(table: Table, title: str) -> tuple[str, ...]:
    """The numbers of a title that is a month: that of every figure in its column."""
    match = re.fullmatch(r"(\d{1,2})/(\d{4})", title)
    if not match:
        return ()
    index = next(n for n, column in enumerate(table.columns) if column.title == title)
    months = {s.figure.dim("period") for row in table.rows for s in row.cells[index] if s.figure is not None}
    return match.groups() if months <= {f"{match[2]}-{int(match[1]):02}"} else ()


def _says(span: Span, figure: Figure) -> bool:
    if span.style == "dimension":
        return span.text in [Period.parse(value).vi if name == "period" else value for name, value in figure.dims]
    shown = show(figure, span.style).text
    if figure.unit != "text":
        return span.text == shown
    short, whole = span.text.removesuffix("…").lower(), shown.lower()
    return whole == short or (span.text.endswith("…") and whole.startswith(short))


def _with_figures(text: str, quoted: Spans) -> Spans:
    """Plain words in which figures are quoted, as spans."""
    spans = [Span(text)]
    for quotation in sorted(set(quoted), key=lambda s: len(s.text), reverse=True):
        spans = [part for span in spans for part in (_cut(span, quotation) if span.figure is None else (span,))]
    return tuple(spans)


def _cut(span: Span, quotation: Span) -> Iterator[Span]:
    pieces = re.split(rf"(?<![\d.,]){re.escape(quotation.text)}(?![\d]|[.,]\d)", span.text)
    for number, piece in enumerate(pieces):
        if number:
            yield quotation
        if piece:
            yield Span(piece)


# Charts ---------------------------------------------------------------------------------------------------------------


@dataclass
class Drawing:
    """Texts of a chart's SVG: ``ticks`` stand at a scale, the others at its marks and categories."""

    chart: Chart
    ticks: list[str]
    texts: list[str]
    spoken: list[str]

    @staticmethod
    def of(chart: Chart, svg: str | None = None) -> Drawing:
        reader = Page()
        reader.feed(svg or charts.svg(chart))
        return Drawing(chart, *reader.drawings[0])

    def faults(self, model: Model) -> list[str]:
        """Numbers at marks and categories, in the caption and in the text for screen readers that no quoted figure
        has. Ticks are those that the chart asks for."""
        quoted = self.chart.quoted
        months = [month for s in quoted if s.figure and (month := s.figure.dim("period"))]
        names = tuple(Span(f"T{int(month[5:])}/{month[:4]}", None) for month in months)
        passages = [Passage(self.chart.name, quoted)]
        for text in (self.chart.caption, self.chart.alt, *self.texts):
            spans = _with_figures(text, quoted)
            passages.append(Passage(self.chart.name, tuple(s for s in spans if s.text not in {n.text for n in names}),
                                    tuple(all_numbers(n.text for n in names if n.text in text))))  # fmt: skip
        exact = {str(s.figure.value) for s in quoted if s.figure} | {n.text for n in names}
        values = [value for axis in _axes(self.chart.spec) for value in axis]
        asked = {*map(str, values), *(_in_ty(value) for value in values)}
        wrong = [tick for tick in all_numbers(self.ticks) if tick not in asked]
        wrong += [said for said in self.spoken if not _spoken_right(said, exact, {s.text for s in quoted})]
        return [*model.faults(passages), *(f"{self.chart.name}: {text}" for text in wrong)]


def _in_ty(vnd: float) -> str:
    whole, _, part = f"{vnd / 10**9:,.3f}".rstrip("0").rstrip(".").partition(".")
    return whole.replace(",", ".") + ("," + part if part else "")


def _axes(spec: object) -> Iterator[list[float]]:
    if isinstance(spec, dict):
        if isinstance(spec.get("axis"), dict) and "values" in spec["axis"]:
            yield spec["axis"]["values"]
        for value in spec.values():
            yield from _axes(value)
    elif isinstance(spec, list):
        for value in spec:
            yield from _axes(value)


def _spoken_right(said: str, exact: set[str], shown: set[str]) -> bool:
    """``rate: 37.66; name: Xã Quan Sơn``: a mark is told with the exact value."""
    plain = {value.rstrip("0").rstrip(".") if "." in value else value for value in exact} | shown
    values = [part.partition(": ")[2] for part in said.split("; ")]
    return all(v.rstrip(" %") in plain or v in exact or not numbers(v) for v in values)


# HTML -----------------------------------------------------------------------------------------------------------------


class Page(HTMLParser):
    """``texts`` in order (without charts, styles and scripts), ``data``: (figure id, value, text) of each <data>;
    ``drawings``: (ticks, texts, spoken) of each chart; ``labels``: texts for screen readers around it."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.data: list[tuple[str, str, str]] = []
        self.drawings: list[tuple[list[str], list[str], list[str]]] = []
        self.labels: list[str] = []
        self._open: list[tuple[str, dict[str, str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "svg":
            self.drawings.append(([], [], []))
        elif self._inside("svg") and given.get("aria-roledescription", "axis") != "axis" and "aria-label" in given:
            if "role-mark" not in given.get("class", ""):
                self.drawings[-1][2].append(given["aria-label"])
        elif not self._inside("svg") and "aria-label" in given:
            self.labels.append(given["aria-label"])
        if tag not in ("meta", "br", "link", "input"):
            self._open.append((tag, given))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        data = data.replace("\u00a0", " ")  # where a line must not end
        if self._inside("style") or self._inside("script") or self._inside("head") or not data.strip():
            return
        if self._inside("svg"):
            is_tick = any("role-axis-label" in given.get("class", "") for _, given in self._open) and any(
                "linear scale" in given.get("aria-label", "") for _, given in self._open
            )
            self.drawings[-1][0 if is_tick else 1].append(data)
            return
        self.texts.append(data)
        if self._open[-1][0] == "data":
            given = self._open[-1][1]
            self.data.append((given["data-figure"], given["value"], data))

    def _inside(self, tag: str) -> bool:
        return any(name == tag for name, _ in self._open)


# Letters --------------------------------------------------------------------------------------------------------------


def of_commune(figures: FigureSet, commune: str | None) -> list[Figure]:
    """What may be said to one commune: its own figures, those of its proposals, and the whole province's."""
    own = {f.dim("proposal") for f in figures if f.metric == "proposal_commune" and f.text == commune}
    return [
        f for f in figures
        if f.dim("commune") in (None, commune) and (f.dim("proposal") is None or f.dim("proposal") in own)
    ]  # fmt: skip
