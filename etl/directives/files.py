"""Bytes of a notice -> its text as read. Kinds: plain text, Word (.docx), PDF with text; told by content, not by name.

The guard of the workbooks looks first (size, zip bombs, macros, passwords, hostile XML). Everything that cannot be read
raises UsageError (exit code 2) with what to do, in Vietnamese; no damage gets further.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from etl.collect import guard
from etl.directives.folding import as_read
from etl.errors import UsageError

MAX_TEXT_CHARACTERS = 2_000_000
_WORD_AGAIN = "Mở tệp bằng Word, lưu thành .docx không mật khẩu, không macro (hoặc xuất PDF có chữ) rồi gửi lại."
_OLD_WORD = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_PICTURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"BM", b"II*\x00", b"MM\x00*")
_SCANNED = (
    "Chỉ có ảnh chụp, không có chữ để đọc. Gửi bản điện tử (.docx, hoặc PDF xuất từ Word), hay nhận dạng "
    "chữ (OCR) rồi gửi lại."
)


@dataclass(frozen=True)
class Text:
    """``text`` as spans count it; ``is_wrapped``: its lines are those of a page (None: not known)."""

    text: str
    is_wrapped: bool | None = None


def read(path: Path) -> Text:
    """The text of the file. Raises UsageError when it cannot be used."""
    if not path.is_file():
        raise UsageError(f"Không có tệp: {path}")
    if path.stat().st_size > guard.MAX_FILE_BYTES:
        raise UsageError(f"{path.name}: tệp vượt giới hạn {guard.MAX_FILE_BYTES // 1024 // 1024} MB. {_WORD_AGAIN}")
    return of_bytes(path.name, path.read_bytes())


def of_bytes(name: str, data: bytes) -> Text:
    """The same for bytes. ``name`` is only for messages."""
    if not data.strip():
        raise UsageError(f"{name}: tệp rỗng. Kiểm tra tệp trên máy, mở được thì gửi lại.")
    if data[:1024].lstrip().startswith(b"%PDF-"):
        from etl.directives import pdf

        found = Text(pdf.text(name, data), True)
    elif data[:2] == b"PK":
        found = Text(_docx(name, data), False)
    elif data.startswith(_OLD_WORD):
        raise UsageError(f"{name}: tệp Word đời cũ (.doc) hoặc có mật khẩu. {_WORD_AGAIN}")
    elif data.startswith(_PICTURES):
        raise UsageError(f"{name}: {_SCANNED}")
    else:
        found = Text(_plain(name, data))
    if len(found.text) > MAX_TEXT_CHARACTERS:
        raise UsageError(
            f"{name}: văn bản dài quá {MAX_TEXT_CHARACTERS:,} ký tự, không phải một thông báo. "
            "Tách riêng văn bản cần đọc."
        )
    if not any(letter.isalpha() for letter in found.text):
        raise UsageError(f"{name}: {_SCANNED}")
    return Text(as_read(found.text), found.is_wrapped)


def _docx(name: str, data: bytes) -> str:
    kind = guard.inspect(data)
    if isinstance(kind, guard.Refusal):
        raise UsageError(f"{name}: {kind.message} {_WORD_AGAIN}")
    if kind != "docx":
        raise UsageError(f"{name}: không phải văn bản Word (.docx). {_WORD_AGAIN}")
    from etl.directives import docx

    try:
        return docx.text(data)
    except docx.BROKEN as error:
        raise UsageError(f"{name}: tệp bị hỏng hoặc tải lên chưa trọn vẹn. {_WORD_AGAIN}") from error


def _plain(name: str, data: bytes) -> str:
    """Text by its byte order mark, else UTF-8, else Windows Vietnamese. Raises UsageError for what is no text."""
    if data.startswith((b"{\\rtf", b"<!DOCTYPE", b"<html", b"<?xml")):
        raise UsageError(f"{name}: không phải văn bản thuần. {_WORD_AGAIN}")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1258", "replace")
    controls = sum(ord(c) < 32 and c not in "\n\r\t\f\v" for c in text[:10_000])
    if controls > 5 or text.count("\ufffd") > max(3, len(text) // 200):
        raise UsageError(f"{name}: nội dung không phải văn bản đọc được. {_WORD_AGAIN}")
    return text
