"""Every number found in the DOCX, PDF, XLSX and HTML of a release is one of its table of figures."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from lxml import etree
from openpyxl import Workbook, load_workbook
from pypdf import PdfReader

from etl import clock, money, settings, steps
from etl.load import warehouse
from etl.publish import figures_sheet, pack, pdf_writer, release
from etl.publish.figure import Figure, FigureSet
from etl.publish.model import Chart, Document, Row, Span, Table, joined
from etl.publish.text import NOTHING
from tests.databases import copy_of
from tests.sql.conftest import point
from tests.sql.numbers import (
    Drawing,
    Model,
    Page,
    all_numbers,
    header_passages,
    notations,
    numbers,
    of_commune,
    table_passages,
)  # fmt: skip
from tests.sql.published import NEXT_MONTH, Published

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
MONTHS = ("2025-09", "2025-10", "2025-11")


class Pack:
    """The released files of a month, its table of figures and the documents that it says it is made of."""

    def __init__(self, month: str, figures: FigureSet, folder: Path) -> None:
        self.month, self.figures = month, figures
        self.files = {
            str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()
        }  # fmt: skip
        self.documents = pack.build(figures)
        self.model = Model(figures, (self.documents.page, self.documents.full))

        self.known = {figures.figure_id(figure): figure for figure in figures}

    def workbook(self) -> Workbook:
        return load_workbook(io.BytesIO(self.files[f"bang-bieu-{self.month}.xlsx"]))

    def of(self, name: str) -> Document:
        return {"tom-tat": self.documents.page, "bao-cao": self.documents.full}[name]

    def charts(self) -> list[Chart]:
        return [*self.documents.full.charts(), *self.documents.extra.charts()]


@pytest.fixture(scope="module")
def packs(published_once: Published, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Pack]]:
    """September and October as published, and November: of it most communes are missing."""
    home = tmp_path_factory.mktemp("numbers-home")
    (home / "archive").symlink_to(published_once.home / "archive")
    with copy_of(published_once.address) as address, pytest.MonkeyPatch.context() as patch:
        point(patch, address, home)
        steps.freeze("2025-11", NEXT_MONTH)
        with warehouse.connect() as connection:
            yield {
                month: Pack(
                    month,
                    release.figures_of(connection, release.get(connection, f"{month}-r1")),
                    (home if month == "2025-11" else published_once.home) / "out" / month / f"{month}-r1",
                )
                for month in MONTHS
            }
    settings.reload()


@pytest.fixture(params=MONTHS)
def made(request: pytest.FixtureRequest, packs: dict[str, Pack]) -> Pack:
    return packs[request.param]


# The model against the table ------------------------------------------------------------------------------------------


def test_every_number_of_the_documents_is_a_figure_or_has_its_place(made: Pack) -> None:
    for name in ("tom-tat", "bao-cao"):
        assert made.model.faults(made.model.laid_out(made.of(name))) == []


def test_every_number_drawn_in_a_chart_is_a_figure(made: Pack) -> None:
    assert [fault for chart in made.charts() for fault in Drawing.of(chart).faults(made.model)] == []


# The files against the model ------------------------------------------------------------------------------------------


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


def docx_numbers(made: Pack, name: str) -> list[str]:
    texts, around = in_docx(made.files[f"{name}-{made.month}.docx"])
    assert all_numbers(around) == []  # page numbers are fields
    return all_numbers(texts)


def model_numbers(made: Pack, name: str) -> list[str]:
    return all_numbers(p.text for p in made.model.laid_out(made.of(name)))


@pytest.mark.parametrize("name", ["tom-tat", "bao-cao"])
def test_the_docx_holds_the_numbers_of_the_model_in_their_order(made: Pack, name: str) -> None:
    assert docx_numbers(made, name) == model_numbers(made, name)


@pytest.mark.parametrize("name", ["tom-tat", "bao-cao"])
def test_pictures_of_the_docx_are_described_in_the_words_of_the_model(made: Pack, name: str) -> None:
    with zipfile.ZipFile(io.BytesIO(made.files[f"{name}-{made.month}.docx"])) as parts:
        told = re.findall(r'descr="([^"]*)"', parts.read("word/document.xml").decode())
    assert [text.replace("&amp;", "&") for text in told] == [chart.alt for chart in made.of(name).charts()]


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


@pytest.mark.parametrize("name", ["tom-tat", "bao-cao"])
def test_the_pdf_holds_the_numbers_of_the_model_as_often(made: Pack, name: str) -> None:
    document = made.of(name)
    expected = Counter(
        all_numbers(p.text for p in made.model.laid_out(document) if not re.fullmatch(r"\(\d+\)", p.text))
    )
    for chart in document.charts():
        drawing = Drawing.of(chart)
        expected.update(all_numbers([*drawing.ticks, *drawing.texts]))
    repeated = set(all_numbers(p.text for table in document.tables() for p in header_passages(table)))
    found = pdf_numbers(made.files[f"{name}-{made.month}.pdf"])

    assert expected - found == Counter()
    assert {number: times for number, times in (found - expected).items() if number not in repeated} == {}


def workbook_faults(made: Pack, book: Workbook) -> list[str]:
    tables = {t.name: t for document in (made.documents.page, made.documents.full) for t in document.tables()}
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


def test_every_number_of_the_workbook_is_the_figure_that_its_cell_names(made: Pack) -> None:
    assert workbook_faults(made, made.workbook()) == []


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
    after = [figures.release_id, clock.show(figures.known_at), f"truy-vet-{figures.period}.html"]
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
    tables = [t.title for t in [*brief.tables(), *full.tables(), *made.documents.extra.tables()] if not t.caption]
    if sorted(label for label in page.labels if numbers(label)) != sorted(
        t for t in (*described, *tables) if numbers(t)
    ):
        faults.append("lời cho máy đọc màn hình")
    return faults


def _value(figure: Figure) -> str:
    return str(figure.value) if figure.value is not None else figure.text or ""


def test_every_number_of_the_page_is_the_figure_that_it_names(made: Pack) -> None:
    assert page_faults(made, made.files[f"tong-hop-{made.month}.html"].decode()) == []


def test_letters_and_messages_hold_no_number_of_another_commune(made: Pack) -> None:
    for name, content in made.files.items():
        letter = re.fullmatch(r"thu/(\d{5})\.pdf", name)
        if letter:
            texts = [p.extract_text() for p in PdfReader(io.BytesIO(content)).pages]
        elif re.fullmatch(r"(?:.*/)?tin-nhan-.*\.txt", name):
            texts = [content.decode("utf-8")]
        else:
            continue
        allowed = notations(of_commune(made.figures, letter[1] if letter else None))
        assert {n for n in all_numbers(texts) if n not in allowed} == set(), name


# A wrong number is found, wherever it stands and however small it is --------------------------------------------------


@pytest.fixture(scope="module")
def october(packs: dict[str, Pack]) -> Pack:
    return packs["2025-10"]


def altered(made: Pack, name: str, change: bytes) -> Pack:
    other = object.__new__(Pack)
    other.__dict__ = {**made.__dict__, "files": {**made.files, name: change}}
    return other


@pytest.mark.parametrize(
    ("was", "becomes"),
    [(">1</w:t>", ">2</w:t>"), ("39,10", "39,11"), (">21</w:t>", ">20</w:t>"), (">-</w:t>", ">3</w:t>")],
)
def test_one_number_altered_in_the_docx_is_found(october: Pack, was: str, becomes: str) -> None:
    name, buffer = "bao-cao-2025-10.docx", io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(october.files[name])) as parts, zipfile.ZipFile(buffer, "w") as target:
        for part in parts.namelist():
            content = parts.read(part)
            if part == "word/document.xml":
                assert was.encode() in content
                content = content.replace(was.encode(), becomes.encode(), 1)
            target.writestr(part, content)
    changed = altered(october, name, buffer.getvalue())
    assert docx_numbers(changed, "bao-cao") != model_numbers(changed, "bao-cao")


def test_one_number_altered_in_the_pdf_is_found(october: Pack) -> None:
    """The brief set again with one more digit in one cell of a table."""
    document = october.documents.page
    table = document.tables()[0]
    row = table.rows[1]
    cells = (*row.cells[:-1], (*row.cells[-1], Span("1")))
    rows = tuple(replace(r, cells=cells) if r is row else r for r in table.rows)
    blocks = tuple(replace(b, rows=rows) if b is table else b for b in document.sections[0].blocks)
    other = replace(document, sections=(replace(document.sections[0], blocks=blocks),))
    found = [pdf_numbers(pdf_writer.render(d, october.figures.known_at)) for d in (document, other)]
    assert found[0] != found[1]


def test_one_number_altered_in_the_workbook_is_found(october: Pack) -> None:
    book = october.workbook()
    for sheet, cell, value in (("Bang2", "C5", 1), ("Bang5", "A5", 7), ("Bang3", "A1", "Bảng 4."), ("Bang1", "J9", 3)):
        before = book[sheet][cell].value
        book[sheet][cell].value = value
        assert workbook_faults(october, book), (sheet, cell)
        book[sheet][cell].value = before
    assert workbook_faults(october, book) == []


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        (">39,10</data>", ">39,1</data>"),
        ('<data value="1"', '<data value="2"'),
        ("nhiệm vụ", "3 nhiệm vụ"),
        (">75%</text>", ">70%</text>"),
        ("rate: 19.21", "rate: 19.22"),
    ],
)
def test_one_number_altered_in_the_page_is_found(october: Pack, was: str, becomes: str) -> None:
    html = october.files["tong-hop-2025-10.html"].decode()
    assert was in html
    assert page_faults(october, html.replace(was, becomes, 1))


def test_a_figure_that_changed_after_the_documents_were_made_is_found(october: Pack) -> None:
    """The count of a table's row, small as it is, against a table of figures in which it is another."""
    for metric, by in (("tasks", {"state": "Đang thực hiện quá hạn"}), ("rank_rate", {"commune": "06517"})):
        figure = october.figures.get(metric, **by)
        other = type(figure)(**{**figure.__dict__, "value": (figure.value or 0) + 1})
        rows = tuple(other if f.key == figure.key else f for f in october.figures)
        figures = october.figures
        table = FigureSet(figures.release_id, figures.period, figures.budget_year, figures.known_at, rows)
        passages = october.model.laid_out(october.documents.full)
        assert Model(table, october.model.documents).faults(passages)


def test_a_number_of_the_template_itself_is_found(october: Pack) -> None:
    table = next(t for t in october.documents.full.tables() if t.name == "Bang5")
    wrong = Row(((Span("3"),), *table.rows[2].cells[1:]))
    swapped = Table(table.name, table.caption, table.unit, table.columns, (*table.rows[:1], wrong))
    assert october.model.faults(table_passages(swapped))
    assert json.dumps(october.model.faults(table_passages(table))) == "[]"
