"""A zip that carries workbooks (case 41): which members are reports, and why a zip is not unpacked.

Only a plain zip is opened: a workbook that is itself a zip (.xlsx, .ods, .docx) is none of this module's business and
is told apart by its content. Sizes are judged twice, by the headers before anything is inflated and again while
inflating, because headers can lie. Nothing is written anywhere under a name from the zip.
"""

from __future__ import annotations

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from etl.collect import names
from etl.collect.guard import Refusal
from etl.collect.text import clean

MAX_PACKAGE_BYTES = 50 * 1024 * 1024
MAX_ENTRIES = 200
MAX_UNPACKED_BYTES = 100 * 1024 * 1024
MAX_RATIO = 100
"""Unpacked by packed size; workbooks are packed already, a CSV file comes to about twenty."""

_RATIO_COUNTS_FROM_BYTES = 1_000_000
_ZIP = b"PK\x03\x04"
_EMPTY_ZIP = b"PK\x05\x06"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ARCHIVES = (b"Rar!\x1a\x07", b"7z\xbc\xaf\x27\x1c", b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00", b"MSCF")
_ARCHIVE_SUFFIXES = (".zip", ".rar", ".7z", ".gz", ".bz2", ".xz", ".tar", ".cab")
_TABLE_SUFFIXES = (".xlsx", ".xlsm", ".xls", ".xlsb", ".xltx", ".ods", ".csv")
_LITTER = ("thumbs.db", "desktop.ini", ".ds_store")
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_UTF8_NAME = 0x800
_ENCRYPTED = 0x1 | 0x40 | 0x2000
_UNICODE_PATH = 0x7075

_MAX_CONTENTS_BYTES = 1024 * 1024
"""Table of contents: of a document with 2,000 parts it is a fifth of this; a bigger one would only fill the memory."""
_DOCUMENT_BEGINNINGS = (b"[Content_Types].xml", b"mimetype", b"_rels/", b"xl/", b"word/", b"docProps/")
_BROKEN = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, ValueError, RuntimeError)

_ZIP_AGAIN = "Gửi thẳng các tệp Excel, hoặc nén lại bằng Windows (Gửi tới > Thư mục nén) loại .zip rồi gửi lại."
_DAMAGED = Refusal("M41", "Tệp nén bị hỏng hoặc tải lên chưa trọn vẹn.", _ZIP_AGAIN)
_BOMB = Refusal("M42", "Tệp nén bất thường, có thể gây quá tải.", "Gửi thẳng các tệp Excel, không nén.")


@dataclass(frozen=True)
class Member:
    """One file of the zip: ``path`` inside it with ``/`` between folders, readable; ``data`` its bytes."""

    path: str
    data: bytes

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def folders(self) -> tuple[str, ...]:
        return tuple(self.path.split("/")[:-1])


def is_package(data: bytes) -> bool:
    """Whether the bytes are a zip and not a document that merely is stored as one.

    A zip whose table of contents cannot be read counts, unless its first entry is that of a document.
    """
    if data[:4] == _EMPTY_ZIP:
        return True
    if data[:4] != _ZIP:
        return False
    if _contents_bytes(data) <= _MAX_CONTENTS_BYTES:
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                return not _is_document(archive)
        except _BROKEN:
            pass
    return not data[30:80].startswith(_DOCUMENT_BEGINNINGS)


def unpack(file_name: str, data: bytes) -> list[Member] | Refusal:
    """Members that are to be judged as deliveries of their own, in the order of the zip.

    These are the workbooks; companions of a workbook (a signed PDF, a letter) stay in the archived zip. Without any
    workbook every member is one, so that each gets its answer. Litter of operating systems is left out.

    Precondition: ``is_package(data)``. Raises nothing for what is in the zip: M42 bomb or crafted names,
    M41 anything else that keeps it from being unpacked.
    """
    if len(data) > MAX_PACKAGE_BYTES:
        return Refusal(
            "M42",
            f"Tệp nén lớn {len(data) // 1024**2} MB, vượt giới hạn {MAX_PACKAGE_BYTES // 1024**2} MB.",
            "Chia thành nhiều tệp nén nhỏ hơn, hoặc gửi thẳng từng tệp Excel.",
        )
    if _contents_bytes(data) > _MAX_CONTENTS_BYTES:
        return _BOMB
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            refusal = _by_headers(entries, len(data))
            if refusal is not None:
                return refusal
            return _members(archive, data, [e for e in entries if not _path(e).endswith("/")], names.shown(file_name))
    except _BROKEN:
        return _DAMAGED


def _contents_bytes(data: bytes) -> int:
    """Size of the zip's table of contents as its end record states it; 0 without one."""
    at = data.rfind(_EMPTY_ZIP, max(0, len(data) - 65_557))
    return int(struct.unpack_from("<I", data, at + 12)[0]) if 0 <= at <= len(data) - 16 else 0


def _is_document(archive: zipfile.ZipFile) -> bool:
    """OOXML has ``[Content_Types].xml``, OpenDocument and EPUB have ``mimetype``, both at the root."""
    return not {"[content_types].xml", "mimetype"}.isdisjoint(name.lower() for name in archive.namelist())


def _by_headers(entries: Sequence[zipfile.ZipInfo], size: int) -> Refusal | None:
    """What can be told before anything is inflated."""
    if len(entries) > MAX_ENTRIES:
        return Refusal(
            "M41",
            f"Tệp nén có {len(entries)} tệp, vượt giới hạn {MAX_ENTRIES}.",
            "Chỉ nén các tệp báo cáo, hoặc gửi thẳng từng tệp Excel.",
        )
    total = sum(e.file_size for e in entries)
    if total > MAX_UNPACKED_BYTES or any(_too_dense(e.file_size, e.compress_size) for e in entries):
        return _BOMB
    if total > max(size * MAX_RATIO, _RATIO_COUNTS_FROM_BYTES) or _overlap(entries):
        return _BOMB
    paths = [_path(e) for e in entries]
    if len({p.casefold() for p in paths}) != len(paths) or any(
        _escapes(p) or stat.S_ISLNK(e.external_attr >> 16) for p, e in zip(paths, entries, strict=True)
    ):
        return Refusal(
            "M42",
            "Tên tệp bên trong tệp nén không bình thường.",
            "Nén lại chỉ các tệp báo cáo, hoặc gửi thẳng từng tệp.",
        )
    if any(e.flag_bits & _ENCRYPTED for e in entries):
        return Refusal("M41", "Tệp nén có đặt mật khẩu nên không đọc được.", "Nén lại không đặt mật khẩu rồi gửi lại.")
    if any(e.compress_type not in _METHODS for e in entries if not e.is_dir()):
        return Refusal("M41", "Tệp nén dùng kiểu nén không đọc được.", _ZIP_AGAIN)
    return None


def _too_dense(unpacked: int, packed: int) -> bool:
    return unpacked > _RATIO_COUNTS_FROM_BYTES and unpacked > MAX_RATIO * max(packed, 1)


def _overlap(entries: Sequence[zipfile.ZipInfo]) -> bool:
    """Entries that share bytes: one small block inflated many times."""
    spans = sorted((e.header_offset, e.header_offset + 30 + e.compress_size) for e in entries)
    return any(end > following for (_, end), (following, _) in pairwise(spans))


def _escapes(path: str) -> bool:
    return path.startswith("/") or ".." in path.split("/") or path[1:2] == ":" or "\x00" in path


def _members(
    archive: zipfile.ZipFile, data: bytes, entries: Sequence[zipfile.ZipInfo], file_name: str
) -> list[Member] | Refusal:
    members: list[Member] = []
    total = 0
    for entry in entries:
        path = _path(entry)
        if _is_litter(path):
            continue
        archive.open(entry).close()  # compares the entry's own header with the table of contents
        content = _inflate(data, entry, MAX_UNPACKED_BYTES - total)
        if content is None:
            return _BOMB
        total += len(content)
        member = Member(path, content)
        if _is_archive(member):
            return Refusal(
                "M41",
                f"Trong tệp nén {file_name} lại có tệp nén {names.shown(member.name)}.",
                "Giải nén tệp bên trong rồi gửi thẳng các tệp Excel.",
            )
        members.append(member)
    chosen = [m for m in members if _is_table(m)] or members
    if not chosen:
        return Refusal("M41", "Tệp nén không có tệp nào bên trong.", "Kiểm tra lại rồi gửi thẳng các tệp Excel.")
    return chosen


def _inflate(data: bytes, entry: zipfile.ZipInfo, room: int) -> bytes | None:
    """Bytes of an entry; None when it inflates to more than its header states or than there is room for.

    Not by ``ZipFile.read``, which silently stops at the stated size. Raises BadZipFile for what is cut off or changed.
    """
    name_length, extra_length = struct.unpack_from("<HH", data, entry.header_offset + 26)
    start = entry.header_offset + 30 + name_length + extra_length
    packed = memoryview(data)[start : start + entry.compress_size]
    if entry.compress_type == zipfile.ZIP_STORED:
        content, is_complete = bytes(packed), len(packed) == entry.file_size
    else:
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        content = inflater.decompress(packed, min(room, entry.file_size) + 1)
        is_complete = inflater.eof and len(content) == entry.file_size
    if len(content) > min(room, entry.file_size):
        return None
    if not is_complete or zlib.crc32(content) != entry.CRC:
        raise zipfile.BadZipFile(entry.filename)
    return content


def _is_litter(path: str) -> bool:
    *folders, name = path.split("/")
    return "__MACOSX" in folders or name.lower() in _LITTER or name.startswith(("~$", "."))


def _is_archive(member: Member) -> bool:
    """A zip, RAR, 7z or the like by content; or by name, when the content says nothing else."""
    if member.data.startswith(_ARCHIVES) or is_package(member.data):
        return True
    return member.name.lower().endswith(_ARCHIVE_SUFFIXES) and not member.data.startswith((_ZIP, _OLE))


def _is_table(member: Member) -> bool:
    """A workbook by content or by name; a text or a presentation is none, though it is stored in the same way."""
    name = member.name.lower()
    if member.data[:4] == _ZIP:
        return not _is_text_document(member.data)
    if member.data.startswith(_OLE):
        return not name.endswith((".doc", ".ppt", ".msg"))
    return name.endswith(_TABLE_SUFFIXES)


def _is_text_document(data: bytes) -> bool:
    if b"opendocument.text" in data[:120] or b"opendocument.presentation" in data[:120]:
        return True
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as inner:
            return not {"word/document.xml", "ppt/presentation.xml"}.isdisjoint(inner.namelist())
    except _BROKEN:
        return False


def _path(entry: zipfile.ZipInfo) -> str:
    """The entry's name: from Info-ZIP's Unicode field, marked as UTF-8, or bytes of an unstated code page."""
    if entry.flag_bits & _UTF8_NAME:
        text = entry.orig_filename
    else:
        raw = entry.orig_filename.encode("cp437", "replace")
        text = _unicode_path(entry.extra, raw) or names.decode(raw, otherwise="cp437")
    return "/".join(clean(part) if "\x00" not in part else part for part in text.replace("\\", "/").split("/"))


def _unicode_path(extra: bytes, raw: bytes) -> str | None:
    """Field 0x7075: version, checksum of the plain name, name in UTF-8; valid while the checksum fits."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        field = extra[at + 4 : at + 4 + length]
        if kind == _UNICODE_PATH and len(field) > 5 and struct.unpack_from("<I", field, 1)[0] == zlib.crc32(raw):
            try:
                return field[5:].decode("utf-8")
            except UnicodeDecodeError:
                return None
        at += 4 + length
    return None


def refusal_of(file_name: str, data: bytes) -> Refusal:
    """Why a zip is not read as one report: what keeps it closed, or that it holds workbooks of their own."""
    unpacked = unpack(file_name, data)
    if isinstance(unpacked, Refusal):
        return unpacked
    return Refusal("M41", "Tệp nén phải được mở ra trước, mỗi bảng tính là một báo cáo.", _ZIP_AGAIN)
