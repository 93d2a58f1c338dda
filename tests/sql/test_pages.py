"""Pages by measurement: the layout of Phụ lục I of Nghị định 30/2020/NĐ-CP, in the PDF and in the DOCX as LibreOffice
Writer sets it; DOCX and XLSX by the schemas of the Open XML SDK, so that Word opens them without repair."""

from __future__ import annotations

import ctypes
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pypdfium2
import pytest
from pypdfium2 import raw

from etl.publish import charts, docx_writer, letter, pack, pdf_writer
from etl.publish.figure import FigureSet
from tests.sql import builders

WRITER = shutil.which("soffice") or shutil.which("libreoffice")
VALIDATOR = shutil.which("ooxml-validator")
NOW = datetime(2025, 11, 11, 2, 30, tzinfo=UTC)
MM = 72 / 25.4
PORTRAIT, LANDSCAPE = (210, 297), (297, 210)
TOP = BOTTOM = 20
LEFT, RIGHT = 30, 15
ROUND = 0.4
"""Millimetres that a letter may stand out of its box: serifs and italics lean over."""


@dataclass(frozen=True)
class Line:
    """Letters on one line, from left to right; places in mm from the top left corner of the page."""

    page: int
    text: str
    left: float
    right: float
    top: float
    foot: float
    sizes: frozenset[float]
    fonts: frozenset[str]

    @property
    def middle(self) -> float:
        return (self.left + self.right) / 2

    @property
    def size(self) -> float:
        (size,) = self.sizes
        return size

    @property
    def is_bold(self) -> bool:
        return all("Bold" in font for font in self.fonts)

    @property
    def is_italic(self) -> bool:
        return all("Italic" in font for font in self.fonts)


@dataclass
class Sheet:
    """One page: its size in mm and the lines of its text."""

    number: int
    size: tuple[int, int]
    lines: list[Line]


def sheets(pdf: bytes) -> list[Sheet]:
    with pypdfium2.PdfDocument(pdf) as document:
        return [_sheet(number, page) for number, page in enumerate(document, 1)]


def _sheet(number: int, page: pypdfium2.PdfPage) -> Sheet:
    wide, high = page.get_size()
    text = page.get_textpage()
    letters = [_letter(text, index, high) for index in range(text.count_chars())]
    runs: list[list[tuple[str, float, float, float, float, float, str]]] = []
    for letter_ in letters:
        if not letter_[0].strip():
            continue
        last = runs[-1][-1] if runs else None
        if last is None or abs(last[4] - letter_[4]) > 0.5 or letter_[1] < last[1] or letter_[1] - last[2] > 8:
            runs.append([])
        runs[-1].append(letter_)
    lines = [
        Line(
            number, "".join(c[0] for c in run), min(c[1] for c in run), max(c[2] for c in run),
            min(c[3] for c in run), max(c[4] for c in run),
            frozenset(c[5] for c in run), frozenset(c[6] for c in run),
        )
        for run in runs
    ]  # fmt: skip
    return Sheet(number, (round(wide / MM), round(high / MM)), lines)


def _letter(text: pypdfium2.PdfTextPage, index: int, high: float) -> tuple[str, float, float, float, float, float, str]:
    """Letter, left, right, top, line it stands on, size in points, font."""
    left, _, right, top = text.get_charbox(index, loose=False)
    x, y = ctypes.c_double(), ctypes.c_double()
    raw.FPDFText_GetCharOrigin(text.raw, index, x, y)
    size = round(raw.FPDFText_GetFontSize(text.raw, index) * 2) / 2
    name, flags = ctypes.create_string_buffer(128), ctypes.c_int()
    raw.FPDFText_GetFontInfo(text.raw, index, name, 128, flags)
    letter_ = text.get_text_range(index, 1)
    return letter_, left / MM, right / MM, (high - top) / MM, (high - y.value) / MM, size, name.value.decode()


@pytest.fixture(scope="module")
def frozen(warehouse: str) -> FigureSet:
    return builders.whole_province_frozen(warehouse, NOW)


@pytest.fixture(scope="module")
def files(frozen: FigureSet) -> dict[str, bytes]:
    return pack.render(frozen)


@pytest.fixture(scope="module")
def set_by_writer(files: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The DOCX files as PDF, set with the package's own letters, which have the widths of Times New Roman."""
    folder = tmp_path_factory.mktemp("writer")
    names = [name for name in files if name.endswith(".docx")]
    for name in names:
        (folder / name).write_bytes(files[name])
    return to_pdf(folder, names)


def to_pdf(folder: Path, names: list[str]) -> dict[str, bytes]:
    """The DOCX files of a folder, set by Writer with the package's own fonts."""
    if WRITER is None:
        pytest.skip("LibreOffice Writer is not on this machine")
    (folder / "fonts.conf").write_text(
        f"""<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>
        <dir>{charts.FONTS}</dir><cachedir>{folder}/cache</cachedir><alias binding="same">
        <family>Times New Roman</family><prefer><family>Liberation Serif</family></prefer></alias></fontconfig>""",
        encoding="utf-8",
    )
    subprocess.run(
        [WRITER, f"-env:UserInstallation=file://{folder}/profile", "--headless", "--convert-to", "pdf",
         "--outdir", str(folder), *(str(folder / name) for name in names)],
        env=os.environ | {"FONTCONFIG_FILE": str(folder / "fonts.conf")},
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=180,
    )  # fmt: skip
    pdfs = {name: (folder / name).with_suffix(".pdf") for name in names}
    if not all(pdf.exists() for pdf in pdfs.values()):
        pytest.skip("this LibreOffice has no Writer")
    return {pdf.name: pdf.read_bytes() for pdf in pdfs.values()}


@pytest.fixture(scope="module", params=["pdf", "docx"])
def pages(request: pytest.FixtureRequest, files: dict[str, bytes]) -> list[Sheet]:
    if request.param == "docx":
        return sheets(request.getfixturevalue("set_by_writer")["bao-cao-2025-10.pdf"])
    return sheets(files["bao-cao-2025-10.pdf"])


def plain(text: str) -> str:
    return re.sub(r"\s+", "", text)


def line(pages: list[Sheet], start: str, *, page: int | None = None) -> Line:
    """The first line that begins so, whatever the spaces."""
    for one in pages:
        for found in one.lines:
            if found.text.startswith(plain(start)) and page in (None, one.number):
                return found
    raise AssertionError(f"no line begins with {start}")


def inside(pages: list[Sheet]) -> Iterator[tuple[Sheet, Line]]:
    """All text but the page numbers."""
    for page in pages:
        for found in page.lines:
            if found.foot > TOP:
                yield page, found


def test_every_page_is_a4_with_the_margins_of_the_decree(pages: list[Sheet]) -> None:
    assert {page.size for page in pages} == {PORTRAIT, LANDSCAPE}
    for page, found in inside(pages):
        wide, high = page.size
        assert found.left >= LEFT - ROUND, found
        assert found.right <= wide - RIGHT + ROUND, found
        assert found.top >= TOP - ROUND, found
        assert found.foot <= high - BOTTOM + ROUND, found


def test_running_text_fills_the_lines_from_margin_to_margin(pages: list[Sheet]) -> None:
    body = [found for page, found in inside(pages) if page.size == PORTRAIT and found.sizes == {14.0}]
    assert min(found.left for found in body) == pytest.approx(LEFT, abs=ROUND)
    assert max(found.right for found in body) == pytest.approx(210 - RIGHT, abs=ROUND)
    first = line(pages, "Số liệu tổng hợp từ báo cáo của")
    assert first.left == pytest.approx(LEFT + 12.7, abs=ROUND)


def test_the_page_number_stands_in_the_middle_of_the_top_margin_and_not_on_first_pages(pages: list[Sheet]) -> None:
    number = 0
    for page in pages:
        above = [found for found in page.lines if found.foot <= TOP]
        number = 1 if page.number == 1 or any(f.text.startswith("Phụlục") for f in page.lines[:3]) else number + 1
        if number == 1:
            assert above == []
            continue
        (found,) = above
        wide = page.size[0]
        assert (found.text, found.size) == (str(number), 13.0)
        assert found.middle == pytest.approx((LEFT + wide - RIGHT) / 2, abs=ROUND)
        assert not found.is_bold
        assert not found.is_italic


def test_the_parts_of_the_head_have_their_sizes_styles_and_places(pages: list[Sheet]) -> None:
    country, motto = line(pages, "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"), line(pages, "Độc lập - Tự do - Hạnh phúc")
    parent, issuer = line(pages, "UBND TỈNH LẠNG SƠN", page=1), line(pages, "SỞ TÀI CHÍNH", page=1)
    number, draft, place = line(pages, "Số:", page=1), line(pages, "DỰ THẢO", page=1), line(pages, "Lạng Sơn, ngày")
    title, about = line(pages, "BÁO CÁO"), line(pages, "Tình hình thực hiện các Chương trình")

    assert (country.size, motto.size, parent.size, issuer.size) == (12.0, 13.0, 12.0, 12.0)
    assert (number.size, place.size, draft.size, title.size, about.size) == (13.0, 13.0, 13.0, 14.0, 14.0)
    assert all(part.is_bold for part in (country, motto, issuer, draft, title, about))
    assert place.is_italic
    assert not any(part.is_bold for part in (parent, number, place))
    # Right half under each other, left half under each other; the first lines and the second ones level.
    assert country.middle == pytest.approx(motto.middle, abs=ROUND)
    assert parent.middle == pytest.approx(issuer.middle, abs=ROUND) == pytest.approx(draft.middle, abs=ROUND)
    assert country.left > parent.right
    assert (country.foot, number.foot) == (pytest.approx(parent.foot, abs=1), pytest.approx(place.foot, abs=1))
    assert title.middle == pytest.approx((LEFT + 210 - RIGHT) / 2, abs=ROUND)
    assert country.top == pytest.approx(TOP, abs=2.5)


def test_body_headings_recipients_and_signature_have_their_sizes(pages: list[Sheet]) -> None:
    first, second = line(pages, "I. CÔNG TÁC CHỈ ĐẠO"), line(pages, "1. Tình hình phân bổ")
    said, to, named = line(pages, "Số liệu tổng hợp"), line(pages, "Nơi nhận:"), line(pages, "- Như trên;")
    signed, annex = line(pages, "GIÁM ĐỐC"), line(pages, "Phụ lục I")

    assert {first.size, second.size, said.size, signed.size, annex.size} == {14.0}
    assert (to.size, named.size) == (12.0, 11.0)
    assert all(part.is_bold for part in (first, second, to, signed, annex))
    assert to.is_italic
    assert not said.is_bold
    assert to.left == pytest.approx(LEFT, abs=ROUND) == pytest.approx(named.left, abs=ROUND)
    assert signed.left > 210 / 2
    assert signed.foot == pytest.approx(to.foot, abs=1.5)
    assert annex.middle == pytest.approx((LEFT + 297 - RIGHT) / 2, abs=ROUND)


def test_only_letters_of_the_width_of_times_new_roman_are_used(pages: list[Sheet]) -> None:
    fonts = {font.split("+")[-1].split("-")[0] for page in pages for found in page.lines for font in found.fonts}
    assert {font.replace(" ", "") for font in fonts} == {"LiberationSerif"}


def test_the_brief_is_one_page_in_word_too(set_by_writer: dict[str, bytes]) -> None:
    (page,) = sheets(set_by_writer["tom-tat-2025-10.pdf"])
    assert min(min(found.sizes) for found in page.lines) >= 7


def test_the_longest_brief_is_one_page_in_word_too(frozen: FigureSet, tmp_path: Path) -> None:
    metrics = ("name", "name_short", "task_content", "proposal_text", "proposal_addressee")
    long = tuple(replace(f, text=f"{f.text} nối dài thêm nữa cho đủ") if f.metric in metrics else f for f in frozen)
    brief_ = pack.build(replace(frozen, figures=long)).page
    fill = pdf_writer.fill(brief_)
    assert fill > 1
    (tmp_path / "tom-tat.docx").write_bytes(docx_writer.render(brief_, NOW, fill))
    assert len(sheets(to_pdf(tmp_path, ["tom-tat.docx"])["tom-tat.pdf"])) == 1


def test_a_letter_has_two_pages_at_most_and_the_margins(frozen: FigureSet) -> None:
    for document in letter.build(frozen)[:5]:
        read = sheets(pdf_writer.render(document, NOW))
        assert len(read) <= 2
        for page, found in inside(read):
            assert page.size == PORTRAIT
            assert found.left >= 25 - ROUND
            assert found.right <= 210 - RIGHT + ROUND
            assert found.foot <= 297 - 15 + ROUND


@pytest.mark.skipif(VALIDATOR is None, reason="the validator of the Open XML SDK is not on this machine")
def test_word_and_excel_find_nothing_to_repair(files: dict[str, bytes], tmp_path: Path) -> None:
    names = [name for name in files if name.endswith((".docx", ".xlsx"))]
    assert len(names) == 3
    for name in names:
        (tmp_path / name).write_bytes(files[name])
        told = subprocess.run(
            [str(VALIDATOR), str(tmp_path / name)],
            env=os.environ | {"DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"},
            check=False, capture_output=True, timeout=120,
        )  # fmt: skip
        assert json.loads(told.stdout)["errors"] == [], name
