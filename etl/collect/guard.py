"""The guard: looks at bytes before any parser opens them, and refuses what must not be opened.

A refusal names the reason and the way out in Vietnamese; the original is archived either way (law 1). Nothing is
unpacked here but the first bytes of the XML parts. Cases 38-42 of DOMAIN.md section 5.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from dataclasses import dataclass

MAX_FILE_BYTES = 20 * 1024 * 1024
MAX_UNPACKED_BYTES = 200 * 1024 * 1024
MAX_ENTRIES = 2_000
MAX_RATIO = 200
MAX_ROWS = 20_000
"""Rows that any form could need, many times over; a stray cell far below is refused, not allocated."""

_PIECE_BYTES = 1024 * 1024
_HEAD_BYTES = 4096
_TAIL_BYTES = 65_536

_XLSX_WORKBOOK = "xl/workbook.xml"
_LAST_ROW = re.compile(rb'<row [^>]*?\br="(\d+)"')
_SAVE_AS_XLSX = "Mở tệp bằng Excel hoặc LibreOffice, chọn Lưu thành (Save As) loại Excel Workbook (.xlsx) rồi gửi lại."


@dataclass(frozen=True)
class Refusal:
    """Why a file is not opened: the rule (case of messiness.csv), what was found and what to do."""

    rule: str
    message: str
    fix: str


def inspect(data: bytes) -> Refusal | None:
    """The reason to refuse these bytes, or None when they may be read as an .xlsx workbook."""
    if not data:
        return Refusal("M39", "Tệp rỗng (0 byte).", "Kiểm tra tệp trên máy, mở được thì gửi lại.")
    if len(data) > MAX_FILE_BYTES:
        return Refusal(
            "M42",
            f"Tệp lớn {len(data) // 1024 // 1024} MB, vượt giới hạn {MAX_FILE_BYTES // 1024 // 1024} MB.",
            "Xóa hình ảnh và các trang tính không thuộc biểu mẫu rồi gửi lại.",
        )
    if data[:4] == b"PK\x03\x04":
        return _inspect_zip(data)
    return _not_a_workbook(data)


def _not_a_workbook(data: bytes) -> Refusal:
    head = data[:512].lstrip().lower()
    if data[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        if "EncryptedPackage".encode("utf-16-le") in data:
            return Refusal(
                "M40",
                "Tệp có đặt mật khẩu mở nên không đọc được.",
                "Bỏ mật khẩu (Tệp > Thông tin > Bảo vệ) rồi gửi lại.",
            )
        return Refusal("M38", "Tệp là định dạng Excel cũ (.xls) hoặc tài liệu Office cũ.", _SAVE_AS_XLSX)
    if data[:5] == b"%PDF-":
        return Refusal(
            "M38",
            "Tệp là PDF hoặc bản quét, không phải bảng tính.",
            "Gửi tệp Excel theo biểu mẫu kèm bản PDF đã ký.",
        )
    if data[:3] == b"\xff\xd8\xff" or data[:8] == b"\x89PNG\r\n\x1a\n":
        return Refusal("M38", "Tệp là ảnh chụp, không phải bảng tính.", "Gửi tệp Excel theo biểu mẫu.")
    if data[:6] in (b"Rar!\x1a\x07", b"7z\xbc\xaf\x27\x1c"):
        return Refusal("M41", "Tệp nén loại RAR hoặc 7z.", "Gửi thẳng tệp .xlsx, không nén.")
    if head.startswith((b"<!doctype html", b"<html", b"<?xml", b"<table")):
        return Refusal("M39", "Nội dung là trang web hoặc XML mang tên tệp Excel.", _SAVE_AS_XLSX)
    return Refusal("M39", "Nội dung không phải bảng tính Excel (.xlsx).", _SAVE_AS_XLSX)


def _inspect_zip(data: bytes) -> Refusal | None:
    damaged = Refusal("M39", "Tệp bị hỏng hoặc tải lên chưa trọn vẹn.", "Mở tệp trên máy, lưu lại rồi gửi lại.")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _entries(archive.infolist()) or _contents(archive)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, ValueError):
        return damaged


def _entries(entries: list[zipfile.ZipInfo]) -> Refusal | None:
    bomb = Refusal("M42", "Tệp nén bất thường, có thể gây quá tải.", "Sao chép số liệu sang biểu mẫu mới rồi gửi lại.")
    names = [e.filename for e in entries]
    if len(entries) > MAX_ENTRIES or sum(e.file_size for e in entries) > MAX_UNPACKED_BYTES:
        return bomb
    if any(e.file_size > 1_000_000 and e.file_size > MAX_RATIO * max(e.compress_size, 1) for e in entries):
        return bomb
    if len(set(names)) != len(names) or any(
        n.startswith(("/", "\\")) or ".." in n.replace("\\", "/").split("/") for n in names
    ):
        return Refusal(
            "M42",
            "Cấu trúc bên trong tệp không bình thường.",
            "Sao chép số liệu sang biểu mẫu mới rồi gửi lại.",
        )
    if any(e.flag_bits & 0x1 for e in entries):
        return Refusal("M40", "Tệp có đặt mật khẩu nên không đọc được.", "Bỏ mật khẩu rồi gửi lại.")
    if any(n.lower().endswith("vbaproject.bin") for n in names):
        return Refusal("M42", "Tệp có chứa macro.", "Lưu thành loại Excel Workbook (.xlsx) không macro rồi gửi lại.")
    if _XLSX_WORKBOOK not in names:
        kind = (
            "Tệp là văn bản Word."
            if "word/document.xml" in names
            else "Tệp là bảng tính OpenDocument (.ods)."
            if "content.xml" in names
            else "Tệp là loại .xlsb."
            if "xl/workbook.bin" in names
            else "Tệp nén không phải bảng tính Excel."
        )
        return Refusal("M38", kind, _SAVE_AS_XLSX)
    return None


def _ends(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> tuple[bytes, bytes]:
    """The first and last bytes of an entry, unpacked once and a piece at a time; a wrong checksum raises BadZipFile."""
    with archive.open(entry) as part:
        piece = part.read(_PIECE_BYTES)
        head, tail = piece[:_HEAD_BYTES], piece[-_TAIL_BYTES:]
        while piece := part.read(_PIECE_BYTES):
            tail = (tail + piece)[-_TAIL_BYTES:]
    return head, tail


def _contents(archive: zipfile.ZipFile) -> Refusal | None:
    for entry in archive.infolist():
        head, tail = _ends(archive, entry)
        if not entry.filename.endswith((".xml", ".rels")):
            continue
        if b"<!DOCTYPE" in head or b"<!ENTITY" in head:
            return Refusal("M42", "Tệp chứa khai báo XML nguy hiểm.", "Sao chép số liệu sang biểu mẫu mới rồi gửi lại.")
        if entry.filename.startswith("xl/worksheets/sheet"):
            rows = _LAST_ROW.findall(tail)
            if rows and int(rows[-1]) > MAX_ROWS:
                return Refusal(
                    "M42",
                    f"Trang tính có ô ở tận dòng {rows[-1].decode()}, vượt giới hạn {MAX_ROWS} dòng.",
                    "Xóa hẳn các dòng trống bên dưới bảng (chọn dòng, Delete rows), lưu lại rồi gửi lại.",
                )
    return None
