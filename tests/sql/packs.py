"""The files of a release against the documents that they are made of, and these against the table of figures."""

from __future__ import annotations

import io
import re
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Decimal

from lxml import etree
from openpyxl import Workbook, load_workbook
from pypdf import PdfReader

from etl import clock, money
from etl.publish import figures_sheet, message, pack
from etl.publish.figure import Figure, FigureSet
from etl.publish.model import Chart, Document, Row, Span, Table, joined, spans_of
from etl.publish.text import NOTHING
from tests.sql.numbers import Drawing, Model, Page, Passage, all_numbers, header_passages, numbers, table_passages

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


class Pack:
    """The released files of a month, its table of figures and the documents that it says it is made of."""

    def __init__(self, month: str, figures: FigureSet, files: Mapping[str, bytes]) -> None:
        self.month, self.figures = month, figures
        self.files = dict(files)
        self.documents = pack.build(figures)
        self.model = Model(figures, (self.documents.page, self.documents.full))
        self.known = {figures.figure_id(figure): figure for figure in figures}

    def workbook(self) -> Workbook:
        return load_workbook(io.BytesIO(self.files[f"bang-bieu-{self.month}.xlsx"]))

    def of(self, name: str) -> Document:
        return {"tom-tat": self.documents.page, "bao-cao": self.documents.full}[name]

    def charts(self) -> list[Chart]:
        return [*self.documents.full.charts(), *self.documents.extra.charts()]


def in_docx(content: bytes) -> tuple[list[str], list[str]]:
    """Texts of the paragraphs in order, tables included; texts of headers and footers."""
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        body = etree.fromstring(parts.read("word/document.xml"))
        around = [
            etree.fromstring(parts.read(name))
            for name in parts.namelist()
            if re.fullmatch(r"word/(?:header|footer|footnotes|endnotes|comments)\d*\.xml", name)
        ]
    return [_text(p) for p in body.iter(f"{W}p")], [_text(p) for part in around for p in part.iter(f"{W}p")]


def _text(paragraph: etree._Element) -> str:
    return "".join(t.text or "" for t in paragraph.iter(f"{W}t"))


NONSENSE = re.compile(
    r"tăng -|giảm -|vượt -|chậm -|None|nan|[{}]|  |(?<!\w)0 (?:đơn vị|nhiệm vụ|kiến nghị|xã)|, ,|: ;|: \.|\(\)|; ;"
    r"|(?:lũy kế|đạt|còn|là|từ) –"
)
"""What no sentence says, whatever the month: a sign behind a word that has one, a hole, a count of nothing."""


def texts(document: Document) -> str:
    """Everything that it says outside its tables."""
    said = (
        "".join(span.text for span in spans_of(block)) for block in document.blocks() if not isinstance(block, Table)
    )
    return "\n".join([*document.title, *said])


def holes(figures: FigureSet, of: pack.Documents) -> list[str]:
    """Nonsense outside the tables of brief, report, letters and message; what others wrote is left out."""
    whole = "\n".join(texts(d) for d in (of.page, of.full, *of.letters)) + joined(message.build(figures))
    own = {f.text for f in figures if f.unit == "text" and f.text}
    for text in sorted((t for t in own if NONSENSE.search(t)), key=len, reverse=True):
        whole = whole.replace(text, "")
    return [whole[max(0, match.start() - 40) : match.end() + 20] for match in NONSENSE.finditer(whole)]


def docx_numbers(made: Pack, name: str) -> list[str]:
    texts, around = in_docx(made.files[f"{name}-{made.month}.docx"])
    assert all_numbers(around) == []  # page numbers are fields
    return all_numbers(texts)


def model_numbers(made: Pack, name: str) -> list[str]:
    return all_numbers(p.text for p in made.model.laid_out(made.of(name)))


def pdf_numbers(content: bytes) -> Counter[str]:
    """Numbers of all pages but those that a page has by its place: its own number, and those under the columns."""
    found: Counter[str] = Counter()
    on_page = 0
    for page in PdfReader(io.BytesIO(content)).pages:
        lines = page.extract_text().split("\n")
        on_page = 1 if lines[0].startswith("Phụ lục") else on_page + 1
        if on_page > 1:
            assert lines.pop(0).strip() == str(on_page)
        for line in lines:
            under = re.fullmatch(r"(?:\(\d+\)\s*)+", line.strip())
            if under and numbers(line) == [str(n + 1) for n in range(len(numbers(line)))]:
                continue
            found.update(numbers(line))
    return found


def pdf_faults(made: Pack, document: Document, content: bytes) -> list[str]:
    """Numbers of the page that the model has not, and the other way round."""
    laid_out = made.model.laid_out(document)
    expected = Counter(all_numbers(p.text for p in laid_out if not re.fullmatch(r"\(\d+\)", p.text)))
    for chart in document.charts():
        drawing = Drawing.of(chart)
        expected.update(all_numbers([*drawing.ticks, *drawing.texts]))
    repeated = set(all_numbers(p.text for table in document.tables() for p in header_passages(table)))
    found = pdf_numbers(content)
    faults = [f"thiếu {number}" for number in (expected - found)]
    return faults + [f"thừa {number}" for number in (found - expected) if number not in repeated]


def message_faults(made: Pack) -> list[str]:
    spans = message.build(made.figures)
    text = made.files[message.name(made.figures)].decode().removesuffix("\n")
    faults = made.model.faults([Passage("tin nhắn", spans, tuple(numbers(made.figures.release_id)))])
    return faults if text == joined(spans) and len(text) <= message.LIMIT else [*faults, "tin nhắn"]


def workbook_faults(made: Pack, book: Workbook) -> list[str]:
    tables = {
        t.name: t
        for document in (made.documents.page, made.documents.full, made.documents.extra)
        for t in document.tables()
    }
    faults = [f"trang {name}" for name in {*book.sheetnames} ^ {*tables, "MucLuc", figures_sheet.NAME}]
    cover = [str(cell.value) for row in book["MucLuc"].iter_rows() for cell in row if cell.value is not None]
    titles = [text for t in tables.values() for text in (t.name, t.caption or t.title or t.name)]
    own = [made.figures.get("period").text or "", made.figures.release_id]
    expected = all_numbers([*own, *titles, figures_sheet.NAME, figures_sheet.TITLE])
    if all_numbers(cover) != expected:
        faults.append("MucLuc")
    for name, table in tables.items():
        faults += [f"{name}: {fault}" for fault in made.model.faults(table_passages(table, paper=False, rows="all"))]
        rows = list(book[name].iter_rows())
        head = 4 if table.has_groups else 3
        above = [str(c.value) for row in rows[:head] for c in row if c.value is not None]
        wanted = [table.caption or table.title or table.name, joined(table.unit)]
        if all_numbers(above) != all_numbers([*wanted, *(p.text for p in header_passages(table))]):
            faults.append(f"{name}: đầu bảng")
        if len(rows) - head != len(table.all_rows()):
            faults.append(f"{name}: số dòng")
        for cells, row in zip(rows[head:], table.all_rows(), strict=False):
            faults += [f"{name}!{fault}" for fault in _row_faults(made.known, cells, row)]
    return faults


def _row_faults(known: dict[str, Figure], cells: tuple, row: Row) -> Iterator[str]:
    """Numbers are exact and name their figure; texts are those of the model."""
    for cell, spans in zip(cells, row.cells, strict=False):
        figure = next((s.figure for s in spans if s.figure is not None), None)
        if isinstance(cell.value, int | float):
            named = cell.comment.text if cell.comment else ""
            if (
                figure is None
                or known.get(named) != figure
                or len(spans) != 1
                or _exact(cell.value) != _in_unit(spans[0])
            ):
                yield f"{cell.coordinate} {cell.value}"
        elif numbers(str(cell.value or "")) != ([] if joined(spans) == NOTHING else numbers(joined(spans))):
            yield f"{cell.coordinate} {cell.value}"
    for cell in cells[len(row.cells) :]:
        if cell.value is not None:
            yield f"{cell.coordinate} {cell.value}"


def _exact(value: float) -> Decimal:
    return Decimal(repr(value))


def _in_unit(span: Span) -> Decimal | None:
    if span.figure is None or span.figure.value is None:
        return None
    if span.style.startswith("trieu"):
        return span.figure.value / money.VND_PER_TRIEU
    return span.figure.value / money.VND_PER_TY if span.style == "ty" else span.figure.value


def page_faults(made: Pack, html: str) -> list[str]:
    """Numbers outside the charts in their order, every <data> with the figure's id, value and text, and the charts."""
    page = Page()
    page.feed(html)
    figures, full, brief = made.figures, made.documents.full, made.documents.page
    passages = [
        *made.model.blocks(brief.blocks(), paper=False),
        *made.model.blocks(made.documents.extra.blocks(), paper=False),
    ]
    passages += made.model.blocks(full.sections[0].blocks, paper=False)
    head = brief.letterhead
    before = [head.parent_body, head.issuer, *brief.title, joined(brief.subtitle)]
    spans = [s for s in brief.subtitle if s.figure]
    texts = [p.text for p in passages]
    spans += [s for p in passages for s in p.spans if s.figure and not p.place.startswith("tên biểu đồ")]
    for section in full.sections[1:]:
        more = list(made.model.blocks(section.blocks, paper=False))
        texts += [section.annex, section.title, *(p.text for p in more)]
        spans += [s for p in more for s in p.spans if s.figure and not p.place.startswith("tên biểu đồ")]
    after = [figures.release_id, clock.show(figures.known_at)]
    after += [name for name in made.files if name.startswith("truy-vet")]
    faults = []
    if all_numbers(page.texts) != all_numbers([*before, *texts, *after]):
        faults.append("các số của trang")
    # A value may hold line breaks, which the page shows as they came.
    told = [(figures.figure_id(s.figure), _value(s.figure), s.text) for s in spans if s.figure and s.text]
    faults += [f"{found} khác {wanted}" for found, wanted in zip(page.data, told, strict=False) if found != wanted]
    if len(page.data) != len(told):
        faults.append(f"{len(page.data)} số liệu, mô hình có {len(told)}")
    for chart, drawn in zip([*made.documents.extra.charts(), *full.charts()], page.drawings, strict=True):
        faults += Drawing(chart, *drawn).faults(made.model)
    described = [chart.alt for chart in [*made.documents.extra.charts(), *full.charts()]]
    shown = [*brief.tables(), *full.tables(), *made.documents.extra.tables()]
    tables = [t.title for t in shown if not t.caption]
    tables += [t.caption or t.title for t in shown if len(t.columns) > 5]  # a region that can be scrolled
    if sorted(label for label in page.labels if numbers(label)) != sorted(
        t for t in (*described, *tables) if numbers(t)
    ):
        faults.append("lời cho máy đọc màn hình")
    return faults


def _value(figure: Figure) -> str:
    return str(figure.value) if figure.value is not None else figure.text or ""
