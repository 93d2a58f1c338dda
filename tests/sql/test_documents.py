"""The documents of a whole province: every number a figure, the same in all formats, the same bytes twice."""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import docx as word
import pytest
from openpyxl import load_workbook
from pypdf import PdfReader

from etl.publish import brief, pack, report
from etl.publish.figure import Figure, FigureSet
from etl.publish.model import Document, Heading, Kpis, Paragraph, Span, Table, announces, joined, spans_of
from tests.sql import builders

GOLDEN = Path(__file__).parents[1] / "golden"
NOW = datetime(2025, 11, 11, 2, 30, tzinfo=UTC)
# Fixed wording of the sentences: what 0 % and 100 % mean, and which table or annex to open.
_WORDING = re.compile(r"\(0 %\)|100 %|Bảng \d|Phụ lục [IV]+|ngày công bố")


@pytest.fixture(scope="module")
def frozen(warehouse: str) -> FigureSet:
    return builders.whole_province_frozen(warehouse, NOW)


@pytest.fixture(scope="module")
def files(frozen: FigureSet) -> dict[str, bytes]:
    return pack.render(frozen)


def documents(frozen: FigureSet) -> list[Document]:
    return [brief.build(frozen), report.build(frozen)]


def _pages(files: dict[str, bytes]) -> list[str]:
    """Text of each page of the report's PDF."""
    return [p.extract_text() for p in PdfReader(io.BytesIO(files["bao-cao-2025-10.pdf"])).pages]


def _plain(text: str) -> str:
    return re.sub(r"\s+", "", text)


def _loose_numbers(document: Document) -> list[str]:
    """Digits in the running text and tables that are not a figure's."""
    loose = []
    for block in document.blocks():
        first = isinstance(block, Table) and block.columns[0].title == "TT"
        counted = {id(row.cells[0][0]) for row in block.rows} if isinstance(block, Table) and first else set()
        for span in spans_of(block):
            if span.figure is None and id(span) not in counted:
                loose += re.findall(r"\d+", _WORDING.sub("", span.text))
    return loose


def test_every_number_in_the_text_and_tables_is_a_figure(frozen: FigureSet) -> None:
    # The one period that is not a figure's span stands in a place for the drafter.
    loose = [n for d in documents(frozen) for n in _loose_numbers(d)]

    assert loose == ["11", "2025"]


def test_every_span_with_a_figure_shows_that_figure_of_this_release(frozen: FigureSet) -> None:
    known = {f.key: f for f in frozen}
    shown = [s for d in documents(frozen) for b in d.blocks() for s in spans_of(b) if s.figure]

    assert len(shown) > 2000
    assert all(known.get(s.figure.key) == s.figure for s in shown if s.figure)


def test_a_figure_reads_the_same_in_a_sentence_and_in_a_table(frozen: FigureSet) -> None:
    readings: dict[tuple[str, str], set[str]] = {}
    for document in documents(frozen):
        for block in document.blocks():
            for span in spans_of(block):
                if span.figure and span.figure.unit != "text":
                    readings.setdefault((span.figure.key, span.style), set()).add(span.text)

    assert all(len(texts) == 1 for texts in readings.values())


@pytest.mark.parametrize("name", ["tom-tat", "bao-cao"])
def test_the_words_of_the_documents_are_the_approved_ones(frozen: FigureSet, name: str) -> None:
    document = next(d for d in documents(frozen) if d.name.startswith(name))
    lines = []
    for block in document.blocks():
        if isinstance(block, Heading):
            lines += ["", block.text]
        elif isinstance(block, Paragraph):
            lines.append(joined(block.spans))
        elif isinstance(block, Kpis):
            lines += [f"{b.label}: {joined(b.value)} ({joined(b.note)})" for b in block.boxes]
        elif isinstance(block, Table):
            lines += ["", f"{block.caption} [{joined(block.unit)}]"]
            lines += [" | ".join(joined(cell) for cell in row.cells) for row in block.rows[:4]]
        else:
            lines += ["", block.caption]

    golden = GOLDEN / f"{name}-2025-10.txt"
    assert "\n".join(lines).strip() + "\n" == golden.read_text(encoding="utf-8")


def test_the_brief_is_one_page(files: dict[str, bytes]) -> None:
    assert len(PdfReader(io.BytesIO(files["tom-tat-2025-10.pdf"])).pages) == 1


def test_the_brief_stays_one_page_with_the_longest_names(frozen: FigureSet) -> None:
    def long(figure: Figure) -> Figure:
        if figure.metric not in ("name", "name_short", "task_content", "proposal_text", "proposal_addressee"):
            return figure
        return Figure(
            figure.metric, figure.unit, figure.source, figure.dims, text=f"{figure.text} nối dài thêm nữa cho đủ"
        )

    stretched = FigureSet(frozen.release_id, frozen.period, frozen.budget_year, NOW, tuple(long(f) for f in frozen))
    from etl.publish import pdf_writer

    pages = PdfReader(io.BytesIO(pdf_writer.render(brief.build(stretched), NOW))).pages

    assert len(pages) == 1


def test_the_page_number_is_absent_on_first_pages_and_each_annex_starts_anew(files: dict[str, bytes]) -> None:
    texts = [p.extract_text().strip() for p in PdfReader(io.BytesIO(files["bao-cao-2025-10.pdf"])).pages]
    annexes = [t for t in texts if t.startswith("Phụ lục")]
    after_first = texts[texts.index(annexes[0]) + 1]

    assert texts[0].startswith("UBND TỈNH LẠNG SƠN")
    assert texts[1].startswith("2")
    assert len(annexes) == 5
    assert after_first.startswith("2")


def test_every_page_of_an_annex_but_its_first_is_numbered_within_the_annex(files: dict[str, bytes]) -> None:
    number = 0
    for text in _pages(files):
        number = 1 if text.startswith("Phụ lục") else number + 1
        assert number == 1 or text.split("\n")[0].strip() == str(number)


def test_no_page_holds_the_signature_alone(frozen: FigureSet, files: dict[str, bytes]) -> None:
    body = report.build(frozen).sections[0]
    kept = [joined(b.spans) for b in body.blocks[-body.kept_with_signature :] if isinstance(b, Paragraph)]
    signed = next(text for text in _pages(files) if "Nơi nhận:" in text)
    docx = word.Document(io.BytesIO(files["bao-cao-2025-10.docx"]))
    following = {_plain(p.text): p.paragraph_format.keep_with_next for p in docx.paragraphs}

    assert len(kept) >= 2
    assert all(_plain(text) in _plain(signed) for text in kept)
    assert all(following[_plain(text)] for text in kept)
    assert not body.blocks[-body.kept_with_signature - 1 :] or not announces(body.blocks[-body.kept_with_signature - 1])


def test_no_page_is_empty_and_no_table_header_stands_without_rows(files: dict[str, bytes]) -> None:
    for text in _pages(files):
        last = text.strip().split("\n")[-1]
        assert len(text.strip()) > 40
        assert not re.fullmatch(r"(\(\d+\) ?)+", last.strip())


def test_a_programme_stays_with_its_kinds_of_capital(frozen: FigureSet) -> None:
    table = next(t for t in report.build(frozen).tables() if t.name == "Bang2")
    starts = [sum(table.runs()[:n]) for n in range(len(table.runs()))]

    assert sum(table.runs()) == len(table.rows)
    assert all(table.rows[start].role in ("total", "group") for start in starts)


def test_an_empty_line_of_the_docx_is_no_higher_than_wanted(files: dict[str, bytes]) -> None:
    """Word gives an empty paragraph the height of its mark: a full line under a table that fills its page is a page."""
    docx = word.Document(io.BytesIO(files["bao-cao-2025-10.docx"]))
    empty = [p for p in docx.paragraphs if not p.text and not p._p.xpath(".//w:drawing")]

    assert empty
    assert all(p.paragraph_format.line_spacing is not None and p.paragraph_format.line_spacing <= 152400 for p in empty)


def test_the_report_has_the_fixed_parts_of_decree_30(files: dict[str, bytes]) -> None:
    docx = word.Document(io.BytesIO(files["bao-cao-2025-10.docx"]))
    section = docx.sections[0]
    head = "\n".join(p.text for cell in docx.tables[0].rows[0].cells for p in cell.paragraphs)
    body = "\n".join(p.text for p in docx.paragraphs)

    assert [round(m.mm) for m in (section.top_margin, section.left_margin, section.right_margin)] == [20, 30, 15]
    assert section.different_first_page_header_footer
    assert "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM\nĐộc lập - Tự do - Hạnh phúc" in head
    assert "Số:          /BC-STC\nDỰ THẢO" in head
    assert "Kính gửi: Ban Chỉ đạo các Chương trình mục tiêu quốc gia tỉnh." in body
    assert docx.styles["Nội dung"].base_style.font.size.pt == 14
    assert docx.styles["Nội dung"].base_style.font.name == "Times New Roman"


def test_table_headers_repeat_on_each_page(files: dict[str, bytes]) -> None:
    xml = zipfile.ZipFile(io.BytesIO(files["bao-cao-2025-10.docx"])).read("word/document.xml").decode()

    assert xml.count("<w:tblHeader/>") > 20


def test_the_workbook_holds_amounts_as_numbers_and_the_figure_in_a_comment(files: dict[str, bytes]) -> None:
    sheet = load_workbook(io.BytesIO(files["bang-bieu-2025-10.xlsx"]))["Bang2"]
    row = next(r for r in sheet.iter_rows() if r[1].value == "TỔNG SỐ")

    assert isinstance(row[2].value, int | float)
    assert row[4].comment.text == "2025-10-r1/rate_total"


def test_no_row_of_the_workbook_is_lower_than_its_text(files: dict[str, bytes]) -> None:
    sheet = load_workbook(io.BytesIO(files["bang-bieu-2025-10.xlsx"]))["PL2-NhiemVu"]
    long = [r for r in range(4, sheet.max_row + 1) if len(str(sheet.cell(r, 3).value)) > 120]

    assert long
    assert all(sheet.row_dimensions[r].height > 40 for r in long)


def test_text_of_a_commune_never_becomes_a_formula_or_markup(frozen: FigureSet) -> None:
    def hostile(figure: Figure) -> Figure:
        if figure.metric != "proposal_text":
            return figure
        return Figure(
            figure.metric, "text", figure.source, figure.dims, text='=1+1 <script>alert("x")</script> #panic()'
        )

    poisoned = FigureSet(frozen.release_id, frozen.period, frozen.budget_year, NOW, tuple(hostile(f) for f in frozen))
    made = pack.render(poisoned)
    sheet = load_workbook(io.BytesIO(made["bang-bieu-2025-10.xlsx"]))["PL3-KienNghi"]

    assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)
    assert b"<script>" not in made["tong-hop-2025-10.html"]
    assert any("#panic()" in text for text in _pages(made))


def test_the_page_asks_nothing_of_the_network_and_every_number_carries_its_figure(
    files: dict[str, bytes],
) -> None:
    html = files["tong-hop-2025-10.html"].decode()

    assert not re.search(r"""(?:src|href)=["'](?!#)|@import|<script|url\((?!#)""", html)
    assert 'data-figure="2025-10-r1/rate_total" title="2025-10-r1/rate_total">37,66</data>' in html
    assert html.count("<svg") == 4


def test_rendering_twice_gives_the_same_bytes(frozen: FigureSet, files: dict[str, bytes]) -> None:
    again = pack.render(frozen)

    assert {n: hashlib.sha256(b).hexdigest() for n, b in again.items()} == {
        n: hashlib.sha256(b).hexdigest() for n, b in files.items()
    }


def test_spans_of_a_block_are_in_reading_order() -> None:
    assert [s.text for s in spans_of(Paragraph((Span("a"), Span("b"))))] == ["a", "b"]
