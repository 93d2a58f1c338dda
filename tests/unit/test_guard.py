"""The guard refuses what must not be opened, with the reason and the way out in Vietnamese."""

from __future__ import annotations

import io
import zipfile

import pytest

from etl.collect import guard

WORKBOOK = {"[Content_Types].xml": "<Types/>", "xl/workbook.xml": "<workbook/>"}


def zipped(parts: dict[str, str | bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def encrypted_ole() -> bytes:
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "EncryptedPackage".encode("utf-16-le") + bytes(100)


@pytest.mark.parametrize(
    ("data", "rule", "word"),
    [
        (b"", "M39", "rỗng"),
        (b"Kinh gui UBND tinh", "M39", "không phải bảng tính"),
        (b"%PDF-1.7 ...", "M38", "PDF"),
        (b"\xff\xd8\xff\xe0JFIF", "M38", "ảnh"),
        (b"<html><table></table></html>", "M39", "trang web"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "M39", "hỏng"),
        (encrypted_ole(), "M40", "mật khẩu"),
        (b"Rar!\x1a\x07\x01\x00", "M41", "RAR"),
        (zipped(WORKBOOK)[:-30], "M39", "hỏng"),
        (zipped({**WORKBOOK, "xl/vbaProject.bin": b"x"}), "M42", "macro"),
        (zipped({**WORKBOOK, "../../etc/passwd": b"x"}), "M42", "không bình thường"),
        (zipped({**WORKBOOK, "xl/worksheets/sheet1.xml": bytes(30_000_000)}), "M42", "quá tải"),
        (zipped({**WORKBOOK, "xl/worksheets/sheet1.xml": "<!DOCTYPE a [<!ENTITY b 'c'>]><a/>"}), "M42", "XML"),
        (b"PK\x03\x04" + bytes(50), "M39", "hỏng"),
    ],
)
def test_a_hostile_or_wrong_file_is_refused_with_its_reason(data: bytes, rule: str, word: str) -> None:
    refusal = guard.inspect(data)
    assert isinstance(refusal, guard.Refusal)
    assert refusal.rule == rule
    assert word in refusal.message
    assert refusal.fix


def test_a_workbook_may_pass() -> None:
    assert guard.inspect(zipped(WORKBOOK)) == "xlsx"


def test_many_small_parts_and_long_tables_of_contents_are_refused_unread() -> None:
    parts = {f"xl/x/{n}.xml": "<a/>" for n in range(guard.MAX_XML_PARTS)}
    refusal = guard.inspect(zipped({**WORKBOOK, **parts}))
    assert isinstance(refusal, guard.Refusal)
    assert refusal is guard.ODD
    entries = {f"{n}": b"" for n in range(guard.MAX_ENTRIES + 1)}
    assert guard.inspect(zipped({**WORKBOOK, **entries})) is guard.BOMB
