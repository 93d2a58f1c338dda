"""The guard: looks at bytes before any parser opens them, and refuses what must not be opened.

A refusal names the reason and the way out in Vietnamese; the original is archived either way (law 1). It reads
directories, names, sizes and the first bytes of XML parts, and unpacks nothing else, so it costs a few milliseconds
whatever the file claims to be. Cases 38-42 of DOMAIN.md section 5. What a file contains is decided by its content,
never by its name (case 39).
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from dataclasses import dataclass

from etl.collect import compound

MAX_FILE_BYTES = 20 * 1024 * 1024
MAX_UNPACKED_BYTES = 200 * 1024 * 1024
MAX_ENTRIES = 1_000
MAX_XML_PARTS = 300
"""Those of a workbook with some sheets, comments and drawings are a tenth of this; each costs time to look into."""
MAX_LATE_PARTS = 8
"""XML parts whose first element comes late."""
MAX_RATIO = 300
MAX_TEXT_BYTES = 5 * 1024 * 1024
_SMALL = 1_000_000
"""Below this an entry may be squeezed as much as it likes."""
_HEAD_BYTES = 4096
_PROLOGUE_BYTES = 65_536
"""An XML part whose first element comes later than this is no part of an office document."""
_LOCAL_HEADER_BYTES = 30
_LOCKED_WITHIN = 1024 * 1024
"""A damaged container is searched so far for the name of the part that a password makes."""
_CONTENTS_ENTRY, _CONTENTS_END = b"PK\x01\x02", b"PK\x05\x06"
_COMMENT_BYTES = 65_535
_MIMETYPE_BYTES = 200

KINDS = ("xlsx", "xls", "ods", "csv", "docx", "zip")
"""What may be read (``zip``: unpacked first, ``etl.collect.package``)."""

_SAVE_AS_XLSX = "Mở tệp bằng Excel hoặc LibreOffice, chọn Lưu thành (Save As) loại Excel Workbook (.xlsx) rồi gửi lại."
_COPY_OVER = "Sao chép số liệu sang biểu mẫu mới rồi gửi lại."
_ROOT = re.compile(r"<(?![?!])[A-Za-z_]")
_PICTURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"BM", b"II*\x00", b"MM\x00*")


@dataclass(frozen=True)
class Refusal:
    """Why a file is not opened: the rule (case of messiness.csv), what was found and what to do."""

    rule: str
    message: str
    fix: str


class RefusedError(Exception):
    """Raised while reading when only reading shows that a file must be refused."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


PDF = Refusal(
    "M38", "Tệp là PDF hoặc bản quét, không phải bảng tính.", "Gửi tệp Excel theo biểu mẫu kèm bản PDF đã ký."
)
BOMB = Refusal("M42", "Tệp nén bất thường, có thể gây quá tải.", _COPY_OVER)
ODD = Refusal("M42", "Cấu trúc bên trong tệp không bình thường.", _COPY_OVER)
DAMAGED = Refusal("M39", "Tệp bị hỏng hoặc tải lên chưa trọn vẹn.", "Mở tệp trên máy, lưu lại rồi gửi lại.")
_LOCKED = Refusal(
    "M40", "Tệp có đặt mật khẩu mở nên không đọc được.", "Bỏ mật khẩu (Tệp > Thông tin > Bảo vệ) rồi gửi lại."
)
_LOCKED_PACKAGE = Refusal(
    "M41", "Tệp nén có đặt mật khẩu nên không mở được.", "Nén lại không đặt mật khẩu, hoặc gửi thẳng tệp bảng tính."
)
_MACRO = Refusal("M42", "Tệp có chứa macro.", "Lưu thành loại Excel Workbook (.xlsx) không macro rồi gửi lại.")
_EMBEDDED = Refusal("M42", "Tệp có đối tượng nhúng (OLE, ActiveX).", f"Xóa các đối tượng nhúng, hoặc: {_COPY_OVER}")
_LINKED = Refusal("M42", "Tệp có kết nối dữ liệu tự động ra ngoài (DDE, truy vấn).", _COPY_OVER)
_ENTITIES = Refusal("M42", "Tệp chứa khai báo XML nguy hiểm.", _COPY_OVER)


def inspect(data: bytes) -> Refusal | str:
    """What kind of file these bytes are (one of ``KINDS``), or the reason to refuse them."""
    if not data:
        return Refusal("M39", "Tệp rỗng (0 byte).", "Kiểm tra tệp trên máy, mở được thì gửi lại.")
    if len(data) > MAX_FILE_BYTES:
        return Refusal(
            "M42",
            f"Tệp lớn {len(data) // 1024 // 1024} MB, vượt giới hạn {MAX_FILE_BYTES // 1024 // 1024} MB.",
            "Xóa hình ảnh và các trang tính không thuộc biểu mẫu rồi gửi lại.",
        )
    if data[:2] == b"PK":
        return _inspect_zip(data)
    if data[:8] == compound.SIGNATURE:
        return _inspect_compound(data)
    return _inspect_plain(data)


def _inspect_plain(data: bytes) -> Refusal | str:
    if data[:5] == b"%PDF-":
        return PDF
    if data.startswith(_PICTURES) or data[4:12] in (b"ftypheic", b"ftypmif1") or data[8:12] == b"WEBP":
        return Refusal("M38", "Tệp là ảnh chụp, không phải bảng tính.", "Gửi tệp Excel theo biểu mẫu.")
    if data[:6] in (b"Rar!\x1a\x07", b"7z\xbc\xaf\x27\x1c"):
        return Refusal("M41", "Tệp nén loại RAR hoặc 7z.", "Gửi thẳng tệp .xlsx, hoặc nén bằng loại .zip.")
    if data[:2] in (b"\x09\x00", b"\x09\x02", b"\x09\x04", b"\x09\x08"):
        return Refusal("M38", "Tệp là định dạng Excel đời rất cũ.", _SAVE_AS_XLSX)
    text = head_text(data)
    start = text.lstrip().lower()
    if start.startswith(("<!doctype", "<html", "<?xml", "<table", "<head", "<meta", "mime-version", "content-type")):
        return Refusal("M39", "Nội dung là trang web hoặc XML mang tên tệp Excel.", _SAVE_AS_XLSX)
    if start.startswith(("{\\rtf", "<")):
        return Refusal("M39", "Nội dung là văn bản, không phải bảng tính.", _SAVE_AS_XLSX)
    return _inspect_text(data, text)


def head_text(data: bytes) -> str:
    """The first bytes as text, by their byte order mark or as Latin-1."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data[:_HEAD_BYTES].decode("utf-16", "replace")
    return data[:_HEAD_BYTES].removeprefix(b"\xef\xbb\xbf").decode("latin-1")


def _inspect_text(data: bytes, head: str) -> Refusal | str:
    """Separated values: text of several lines that hold one of the separators again and again."""
    lines = head.splitlines()[:20]
    separated = sum(max(line.count(mark) for mark in ";,\t") >= 2 for line in lines)
    wide = data[:2] in (b"\xff\xfe", b"\xfe\xff")
    if separated >= 2 and (wide or b"\0" not in data[:_PROLOGUE_BYTES]):
        if len(data) > MAX_TEXT_BYTES or max(map(len, lines)) >= _HEAD_BYTES - 1:
            return Refusal("M42", "Tệp văn bản quá lớn so với một biểu mẫu.", _SAVE_AS_XLSX)
        return "csv"
    return Refusal("M39", "Nội dung không phải bảng tính Excel (.xlsx).", _SAVE_AS_XLSX)


def _inspect_compound(data: bytes) -> Refusal | str:
    """An OLE container: Excel 97-2003, an encrypted workbook, or another Office document."""
    try:
        streams = compound.directory(data)
    except compound.DamagedError:
        return _LOCKED if "EncryptedPackage".encode("utf-16-le") in data[:_LOCKED_WITHIN] else DAMAGED
    names = {name.casefold() for name in streams}
    if "encryptedpackage" in names or "encryptioninfo" in names:
        return _LOCKED
    if any(name.startswith(("_vba_project", "vba")) or name == "macros" for name in names):
        return _MACRO
    book = streams.get("Workbook") or streams.get("Book")
    if book is None:
        return Refusal("M38", "Tệp là tài liệu Office cũ, không phải bảng tính Excel.", _SAVE_AS_XLSX)
    if any(name.startswith(("mbd", "objectpool", "\x01ole10native", "lnk0")) for name in names):
        return _EMBEDDED
    try:
        records = compound.globals_of(data, book)
    except compound.DamagedError:
        return DAMAGED
    if records.encrypted:
        return _LOCKED
    return _MACRO if records.macro_sheet else "xls"


def _entry_count(data: bytes) -> int:
    """Entries of the zip's table of contents, counted without reading it."""
    end = data.rfind(_CONTENTS_END, max(0, len(data) - _COMMENT_BYTES - 22))
    return data.count(_CONTENTS_ENTRY, int(struct.unpack_from("<I", data, end + 16)[0]), end) if end >= 0 else 0


def _inspect_zip(data: bytes) -> Refusal | str:
    try:
        if _entry_count(data) > MAX_ENTRIES:
            return BOMB
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            refusal = _entries(entries, len(data))
            if refusal is not None:
                return refusal
            kind = _kind(archive, {e.filename for e in entries})
            if isinstance(kind, Refusal) or kind == "zip":
                return kind
            return _contents(archive, kind) or kind
    # All that zipfile raises for bytes that are not a sound zip.
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, ValueError, struct.error, KeyError):
        return DAMAGED
    except RuntimeError:  # zipfile's word for an entry that asks for a password
        return _LOCKED


def _entries(entries: list[zipfile.ZipInfo], size: int) -> Refusal | None:
    names = [e.filename.casefold() for e in entries]
    if len(entries) > MAX_ENTRIES or sum(e.file_size for e in entries) > MAX_UNPACKED_BYTES:
        return BOMB
    if any(e.file_size > _SMALL and e.file_size > MAX_RATIO * max(e.compress_size, 1) for e in entries):
        return BOMB
    if _overlap(entries, size):
        return BOMB
    if len(set(names)) != len(names) or any(_strays(n) for n in names):
        return ODD
    if any(e.flag_bits & 0x1 for e in entries):
        return _LOCKED_PACKAGE if _is_package(names) else _LOCKED
    if any(e.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for e in entries):
        return DAMAGED
    return None


def _is_package(names: list[str]) -> bool:
    """Whether the entries, by their folded names, are files that were packed together and no office document."""
    return not {"[content_types].xml", "content.xml", "mimetype", "xl/workbook.xml"} & set(names)


def _overlap(entries: list[zipfile.ZipInfo], size: int) -> bool:
    """Whether two entries claim the same bytes, as only a bomb does."""
    end = 0
    for entry in sorted(entries, key=lambda e: e.header_offset):
        if entry.header_offset < end:
            return True
        end = entry.header_offset + _LOCAL_HEADER_BYTES + entry.compress_size
    return end > size


def _strays(name: str) -> bool:
    parts = name.replace("\\", "/").split("/")
    return name.startswith(("/", "\\")) or ".." in parts or ":" in parts[0] or "\0" in name


def _kind(archive: zipfile.ZipFile, names: set[str]) -> Refusal | str:
    folded = {n.casefold() for n in names}
    if any(n.endswith(("vbaproject.bin", "vbadata.xml")) or "/macrosheets/" in n for n in folded):
        return _MACRO
    if "mimetype" in names or ("content.xml" in names and "meta-inf/manifest.xml" in folded):
        if "mimetype" in names and archive.getinfo("mimetype").file_size > _MIMETYPE_BYTES:
            return ODD
        mimetype = archive.read("mimetype")[:100] if "mimetype" in names else b""
        if b"spreadsheet" not in mimetype and "mimetype" in names:
            return Refusal("M38", "Tệp là tài liệu OpenDocument, không phải bảng tính.", _SAVE_AS_XLSX)
        if any(n.startswith(("basic/", "scripts/")) and n.endswith((".xml", ".py", ".js", ".bsh")) for n in folded):
            libraries = {n for n in folded if n.startswith(("basic/", "scripts/")) and not n.endswith("-lc.xml")}
            if libraries - {n for n in folded if n.endswith("-lb.xml")}:
                return _MACRO
        manifest = next((n for n in names if n.casefold() == "meta-inf/manifest.xml"), None)
        if manifest:
            with archive.open(manifest) as part:
                if b"encryption-data" in part.read(_PROLOGUE_BYTES):
                    return _LOCKED
        return "ods"
    if "word/document.xml" in folded:
        return "docx"
    if not folded & {"[content_types].xml", "xl/workbook.xml"}:
        return "zip"
    if "xl/workbook.bin" in folded:
        return Refusal("M38", "Tệp là loại .xlsb.", _SAVE_AS_XLSX)
    if any(n.startswith("ppt/") for n in folded):
        return Refusal("M38", "Tệp là bản trình chiếu, không phải bảng tính.", _SAVE_AS_XLSX)
    if any("/embeddings/" in n or "/activex/" in n or n.endswith(("oleobject.bin", ".exe", ".dll")) for n in folded):
        return _EMBEDDED
    if any(n.endswith("/connections.xml") or "/querytables/" in n for n in folded):
        return _LINKED
    return "xlsx"


def _contents(archive: zipfile.ZipFile, kind: str) -> Refusal | None:
    """Looks into the head of each XML part; the rest of it is the reader's, under limits of memory and time."""
    late = 0
    parts = [e for e in archive.infolist() if e.filename.casefold().endswith((".xml", ".rels", ".vml")) and e.file_size]
    if len(parts) > MAX_XML_PARTS:
        return ODD
    for entry in parts:
        name = entry.filename.casefold()
        with archive.open(entry) as part:
            head = part.read(_HEAD_BYTES)
            text = xml_text(head)
            if not _ROOT.search(text) and len(head) == _HEAD_BYTES:
                late += 1
                if late > MAX_LATE_PARTS:
                    return ODD
                text = xml_text(head + part.read(_PROLOGUE_BYTES))
        root = _ROOT.search(text)
        if root is None and entry.file_size > len(head):
            return ODD
        prologue = text[: root.start()] if root else text
        if "<!DOCTYPE" in prologue.upper() or "<!ENTITY" in prologue.upper():
            return _ENTITIES
        if kind == "xlsx" and "/externallinks/" in name and "ddeLink" in text:
            return _LINKED
        if name == "[content_types].xml":
            # What parts are is said here, whatever they are called.
            types = archive.read(entry) if entry.file_size < _PROLOGUE_BYTES * 16 else b""
            if any(mark in types for mark in (b"macroEnabled", b"vbaProject", b"macrosheet")):
                return _MACRO
            if any(mark in types for mark in (b"oleObject", b"activeX", b"ms-office.package")):
                return _EMBEDDED
    return None


def xml_text(data: bytes) -> str:
    """Bytes of an XML part as text: UTF-16 when its first bytes say so, otherwise a superset of ASCII."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data[: len(data) // 2 * 2].decode("utf-16", "replace")
    if data[:4] in (b"<\0?\0", b"<\0!\0"):
        return data[: len(data) // 2 * 2].decode("utf-16-le", "replace")
    if data[:4] in (b"\0<\0?", b"\0<\0!"):
        return data[: len(data) // 2 * 2].decode("utf-16-be", "replace")
    return data.decode("latin-1")
