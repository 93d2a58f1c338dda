"""Plain text, Word and PDF give the same tasks; hostile and useless files are refused with what to do."""

from __future__ import annotations

import io
import random
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
from docx import Document

from etl.directives import files, notice
from etl.directives.notice import Notice
from etl.errors import UsageError
from etl.reference import province
from tests.directives import build


def read(name: str, data: bytes) -> Notice:
    return notice.of_text(files.of_bytes(name, data), province.load().is_working_day)


def tasks(found: Notice) -> list[tuple[object, ...]]:
    keys = ("item", "lead", "coordinating", "content", "deadline_phrase", "due_date", "due_kind", "recurrence")
    return [tuple(map(str, (row[key] for key in keys))) for row in found.rows]


@pytest.fixture(scope="module")
def from_text() -> Notice:
    return read("thong-bao.txt", build.plain().encode())


def test_hard_wraps_and_page_numbers_do_not_break_sentences(from_text: Notice) -> None:
    assert [(row["item"], row["lead"], row["due_date"] or row["due_kind"]) for row in from_text.rows] == [
        ("2.a", "Sở Tài chính", "2025-10-24"),
        ("2.b", "Sở Nội vụ", "2025-11-30"),
        ("3.1a", "UBND xã Bình Minh", "2025-12-31"),
        ("3.1b", "UBND xã Tân Lập", "2025-12-31"),
        ("3.1c", "UBND phường Đông Sơn", "2025-12-31"),
        ("3.2a", "UBND xã Bình Minh", "recurring"),
        ("3.2b", "UBND xã Tân Lập", "recurring"),
        ("3.2c", "UBND phường Đông Sơn", "recurring"),
        ("4.a", "Kho bạc Nhà nước khu vực VII", "2025-10-21"),
        ("4.b", "Kho bạc Nhà nước khu vực VII", "none"),
        ("5", "Văn phòng UBND tỉnh", "none"),
    ]


@pytest.mark.parametrize("width", [60, 72, 90, 110])
def test_the_width_of_the_lines_does_not_matter(from_text: Notice, width: int) -> None:
    assert tasks(read("thong-bao.txt", build.plain(width).encode())) == tasks(from_text)


def test_word_with_automatic_numbers_gives_the_same_tasks(from_text: Notice) -> None:
    assert tasks(read("thong-bao.docx", build.word())) == tasks(from_text)


def test_pdf_gives_the_same_tasks(from_text: Notice) -> None:
    assert tasks(read("thong-bao.pdf", build.pdf())) == tasks(from_text)


@pytest.mark.parametrize("kind", ["plain", "word", "pdf"])
def test_head_and_foot_are_read_from_every_kind(kind: str) -> None:
    made = getattr(build, kind)()
    head = read(f"thong-bao.{kind}", made.encode() if isinstance(made, str) else made).head
    assert (head.issuer, head.number, str(head.issued)) == ("UBND TỈNH HÒA AN - VĂN PHÒNG", "88/TB-VP", "2025-10-14")
    assert head.subject == build.SUBJECT
    assert head.chair == "đồng chí Nguyễn Thị Mai, Phó Chủ tịch UBND tỉnh"
    assert head.signed_by == "Lê Văn Bình"
    assert head.recipients == ("Chủ tịch, các PCT UBND tỉnh", "Các thành phần dự họp", "Lưu: VT, KTTH")
    assert head.questions == []


def test_deleted_text_text_boxes_and_headers_are_no_text(from_text: Notice) -> None:
    found = read("thong-bao.docx", build.word(tracked=True))
    assert "ĐÃ XÓA" not in found.text
    assert "Sở Y tế" not in found.text
    assert tasks(found) == tasks(from_text)


def test_a_table_of_assignments_gives_one_task_a_row() -> None:
    document = Document()
    document.add_paragraph("THÔNG BÁO")
    document.add_paragraph("Giám đốc Sở kết luận và phân công nhiệm vụ như sau:")
    rows = (
        ("STT", "Nội dung nhiệm vụ", "Đơn vị chủ trì", "Đơn vị phối hợp", "Thời hạn hoàn thành"),
        ("1", "Tham mưu báo cáo tổng kết năm 2025", "Văn phòng Sở", "Các phòng chuyên môn", "05/12/2025"),
        ("2", "Rà soát thủ tục hành chính", "Phòng Pháp chế, Phòng Quản lý vận tải", "", "Trong tháng 11/2025"),
    )
    table = document.add_table(rows=len(rows), cols=5)
    for line, row in zip(table.rows, rows, strict=True):
        for cell, text in zip(line.cells, row, strict=True):
            cell.text = text
    buffer = io.BytesIO()
    document.save(buffer)
    found = read("bang.docx", buffer.getvalue()).rows
    assert [(row["item"], row["lead"], row["due_date"]) for row in found] == [
        ("1", "Văn phòng Sở", "2025-12-05"),
        ("2a", "Phòng Pháp chế", "2025-11-30"),
        ("2b", "Phòng Quản lý vận tải", "2025-11-30"),
    ]
    assert found[0]["coordinating"] == ["Các phòng chuyên môn"]


def test_utf_16_and_windows_text_are_read() -> None:
    for encoding in ("utf-16", "utf-8-sig"):
        assert tasks(read("a.txt", build.plain().encode(encoding))) == tasks(read("a.txt", build.plain().encode()))


def _bomb() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("word/document.xml", b"<a>" + b" " * 250_000_000)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("rong.txt", b"  \n", "tệp rỗng"),
        ("quet.pdf", build.picture_pdf(), "bản quét"),
        ("hong.pdf", b"%PDF-1.7\nhong", "hỏng"),
        ("cut.pdf", build.pdf()[:900], "hỏng"),
        ("anh.png", b"\x89PNG\r\n\x1a\n" + b"0" * 99, "OCR"),
        ("cu.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"0" * 600, ".docx"),
        ("hong.docx", build.word()[:3000], "hỏng"),
        ("bom.docx", _bomb(), "Tệp nén bất thường"),
        ("rac.txt", bytes(range(256)) * 20, "không phải văn bản"),
        ("trang.html", b"<!DOCTYPE html><p>a</p>", "không phải văn bản thuần"),
    ],
    ids=lambda value: value if isinstance(value, str) and "." in value else "",
)
def test_a_file_that_cannot_be_read_is_told_in_vietnamese_with_what_to_do(name: str, data: bytes, told: str) -> None:
    with pytest.raises(UsageError) as caught:
        files.of_bytes(name, data)
    assert told in str(caught.value)
    assert str(caught.value).startswith(name)


def test_an_encrypted_pdf_is_told() -> None:
    import pypdf

    writer = pypdf.PdfWriter(io.BytesIO(build.pdf()))
    writer.encrypt("mat-khau", algorithm="RC4-128")
    buffer = io.BytesIO()
    writer.write(buffer)
    with pytest.raises(UsageError, match="mật khẩu"):
        files.of_bytes("khoa.pdf", buffer.getvalue())


@pytest.mark.parametrize("kind", ["word", "pdf"])
def test_damaged_files_never_crash(kind: str) -> None:
    sound = getattr(build, kind)()
    chance = random.Random(7)
    for _ in range(60):
        data = bytearray(sound)
        for _ in range(chance.randint(1, 40)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        with suppress(UsageError):
            read(f"hong.{kind}", bytes(data[: chance.randrange(len(data) // 2, len(data))]))


def test_a_missing_file_is_a_wrong_call(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Không có tệp"):
        files.read(tmp_path / "khong-co.txt")
