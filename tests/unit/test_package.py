"""Zips of workbooks: taken apart within limits, told from workbooks that are zips, refused with the way out."""

from __future__ import annotations

import io
import stat
import struct
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable

import pytest

from etl.collect import package
from etl.collect.guard import Refusal
from tests.builders import workbook

Entries = list[tuple[str | zipfile.ZipInfo, bytes]]


def zipped(*entries: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return target.getvalue()


def raw_named(name: bytes, data: bytes = b"STT,Ma\n", flags: int = 0, extra: bytes = b"") -> bytes:
    """A zip of one stored entry whose name is exactly these bytes."""
    crc = zlib.crc32(data)
    common = struct.pack("<HHHHHIIIHH", 20, flags, 0, 0, 0x5B21, crc, len(data), len(data), len(name), len(extra))
    local = b"PK\x03\x04" + common + name + extra + data
    central = b"PK\x01\x02" + struct.pack("<H", 20) + common + struct.pack("<HHHII", 0, 0, 0, 0, 0) + name + extra
    end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(central), len(local), 0)
    return local + central + end


def paths(data: bytes) -> list[str]:
    found = package.unpack("BC.zip", data)
    assert not isinstance(found, Refusal), found
    return [member.path for member in found]


def refusal(data: bytes) -> Refusal:
    assert package.is_package(data)
    found = package.unpack("BC.zip", data)
    assert isinstance(found, Refusal), found
    return found


def test_every_workbook_of_a_zip_is_a_member_with_its_folders_and_bytes():
    books = [workbook(), workbook("06517"), workbook("05977")]
    data = zipped(("2025-10/06463/a.xlsx", books[0]), ("b.xlsx", books[1]), ("Báo cáo/c.xlsx", books[2]))
    found = package.unpack("BC.zip", data)
    assert not isinstance(found, Refusal)
    assert [m.data for m in found] == books
    assert [(m.folders, m.name) for m in found] == [
        (("2025-10", "06463"), "a.xlsx"),
        ((), "b.xlsx"),
        (("Báo cáo",), "c.xlsx"),
    ]


@pytest.mark.parametrize(
    "data",
    [
        workbook(),
        zipped(("mimetype", b"application/vnd.oasis.opendocument.spreadsheet"), ("content.xml", b"<x/>")),
        zipped(("[Content_Types].xml", b"<x/>"), ("word/document.xml", b"<x/>")),
        workbook()[:5000],
        b"%PDF-1.4",
        b"",
        b"Rar!\x1a\x07\x01\x00",
    ],
    ids=["xlsx", "ods", "docx", "truncated xlsx", "pdf", "empty", "rar"],
)
def test_a_document_that_is_a_zip_itself_is_not_taken_apart(data: bytes):
    assert not package.is_package(data)


def test_litter_and_companions_of_a_workbook_are_no_deliveries():
    data = zipped(
        ("BC.xlsx", workbook()),
        ("BC.pdf", b"%PDF-1.4 signed"),
        ("to trinh.docx", zipped(("[Content_Types].xml", b"<x/>"), ("word/document.xml", b"<x/>"))),
        ("Thumbs.db", b"x"),
        ("__MACOSX/._BC.xlsx", b"x"),
        (".DS_Store", b"x"),
        ("~$BC.xlsx", b"x"),
    )
    assert paths(data) == ["BC.xlsx"]


def test_without_any_workbook_each_file_gets_its_own_answer():
    assert paths(zipped(("a.pdf", b"%PDF-1.4"), ("b.jpg", b"\xff\xd8\xff"), (".DS_Store", b"x"))) == ["a.pdf", "b.jpg"]


def test_a_damaged_workbook_in_a_zip_does_not_stop_its_neighbours():
    assert paths(zipped(("hong.xlsx", workbook()[:5000]), ("BC.xlsx", workbook()))) == ["hong.xlsx", "BC.xlsx"]


NAME = "Báo cáo xã Quan Sơn tháng 10.csv"
ABC = b"B\xb8o c\xb8o x\xb7 Quan S\xacn th\xb8ng 10.csv"


@pytest.mark.parametrize(
    "data",
    [
        raw_named(NAME.encode(), flags=0x800),
        raw_named(NAME.encode()),
        raw_named("Ba\u0301o ca\u0301o xa\u0303 Quan Sơn tha\u0301ng 10.csv".encode(), flags=0x800),
        raw_named("Ba\u0301o ca\u0301o xa\u0303 Quan Sơn tha\u0301ng 10.csv".encode("cp1258")),
        raw_named(ABC),
        raw_named(
            b"BC.csv",
            extra=struct.pack("<HHBI", 0x7075, 5 + len(NAME.encode()), 1, zlib.crc32(b"BC.csv")) + NAME.encode(),
        ),
    ],
    ids=["utf-8", "utf-8 unmarked", "decomposed", "windows-1258", "tcvn3", "unicode path field"],
)
def test_names_are_read_whatever_program_wrote_them(data: bytes):
    assert paths(data) == [NAME]


def test_a_name_that_is_no_vietnamese_is_read_as_the_zip_standard_says():
    assert paths(raw_named(b"r\x82sum\x82.csv")) == ["résumé.csv"]


def symlink() -> zipfile.ZipInfo:
    info = zipfile.ZipInfo("BC.xlsx")
    info.create_system = 3
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


def with_byte(data: bytes, marker: bytes, offset: int, value: int) -> bytes:
    """``data`` with a byte changed at an offset from every occurrence of the marker."""
    changed, at = bytearray(data), data.find(marker)
    while at >= 0:
        changed[at + offset] = value
        at = data.find(marker, at + 1)
    return bytes(changed)


def encrypted() -> bytes:
    data = zipped(("BC.xlsx", b"x" * 100))
    return with_byte(with_byte(data, b"PK\x03\x04", 6, 1), b"PK\x01\x02", 8, 1)


def lying_sizes() -> bytes:
    """Headers that state a kilobyte where a gigabyte inflates."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = b"".join(packer.compress(bytes(1024 * 1024)) for _ in range(300)) + packer.flush()
    name = b"BC.xlsx"
    common = struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 0x5B21, 0, len(packed), 1000, len(name), 0)
    local = b"PK\x03\x04" + common + name + packed
    central = b"PK\x01\x02" + struct.pack("<H", 20) + common + struct.pack("<HHHII", 0, 0, 0, 0, 0) + name
    return local + central + b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(central), len(local), 0)


def overlapping() -> bytes:
    """Two entries in the table of contents that point at the same bytes."""
    data = zipped(("a.csv", b"x" * 1000))
    start = data.index(b"PK\x01\x02")
    entry = data[start : data.index(b"PK\x05\x06")]
    other = entry.replace(b"a.csv", b"b.csv")
    end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 2, 2, len(entry) * 2, start, 0)
    return data[:start] + entry + other + end


HOSTILE: dict[str, tuple[str, Callable[[], bytes]]] = {
    "bomb": ("M42", lambda: zipped(("BC.xlsx", bytes(90 * 1024 * 1024)))),
    "many bombs": ("M42", lambda: zipped(*((f"{n}.csv", bytes(900_000)) for n in range(150)))),
    "lying sizes": ("M42", lying_sizes),
    "overlapping": ("M42", overlapping),
    "too many": ("M41", lambda: zipped(*((f"{n}.xlsx", b"x") for n in range(201)))),
    "huge contents": ("M42", lambda: zipped(*((f"{n:0200}.xlsx", b"") for n in range(6000)))),
    "parent path": ("M42", lambda: zipped(("../BC.xlsx", b"x"))),
    "absolute path": ("M42", lambda: zipped(("/etc/BC.xlsx", b"x"))),
    "drive": ("M42", lambda: zipped(("C:/BC.xlsx", b"x"))),
    "windows parent path": ("M42", lambda: raw_named(b"a\\..\\..\\BC.xlsx")),
    "nul in name": ("M42", lambda: raw_named(b"BC.xlsx\x00.exe")),
    "link": ("M42", lambda: zipped((symlink(), b"/etc/passwd"))),
    "same name twice": ("M42", lambda: zipped(("BC.xlsx", b"x"), ("bc.XLSX", b"y"))),
    "zip in zip": ("M41", lambda: zipped(("BC.xlsx", workbook()), ("trong.zip", zipped(("a.xlsx", b"x"))))),
    "renamed zip in zip": ("M41", lambda: zipped(("BC.xlsx", zipped(("a.xlsx", b"x"))))),
    "rar in zip": ("M41", lambda: zipped(("BC.rar", b"Rar!\x1a\x07\x00"))),
    "encrypted": ("M41", encrypted),
    "lzma": ("M41", lambda: zipped(("BC.xlsx", b"x" * 100), method=zipfile.ZIP_LZMA)),
    "wrong checksum": ("M41", lambda: zipped(("BC.csv", b"STT,Ma"), method=zipfile.ZIP_STORED).replace(b"STT", b"TTS")),
    "cut off": ("M41", lambda: zipped(("BC.csv", b"STT,Ma" * 1000))[:-40]),
    "empty": ("M41", lambda: zipped()),
    "only litter": ("M41", lambda: zipped(("Thumbs.db", b"x"))),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_zip_that_must_not_be_unpacked_is_refused_with_the_way_out(name: str):
    rule, build = HOSTILE[name]
    found = refusal(build())
    assert found.rule == rule
    assert found.message.endswith(".")
    assert "gửi" in found.fix.lower() or "Nén lại" in found.fix


def test_a_bomb_is_refused_without_filling_the_memory():
    data = lying_sizes()
    tracemalloc.start()
    refusal(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * 1024 * 1024


def test_a_zip_that_is_too_large_is_refused_by_its_size():
    data = zipped(("BC.xlsx", b"x")) + bytes(package.MAX_PACKAGE_BYTES)
    found = package.unpack("BC.zip", data)
    assert isinstance(found, Refusal)
    assert (found.rule, "50 MB" in found.message) == ("M42", True)


@pytest.mark.parametrize("at", range(0, 400, 7))
def test_no_damage_to_a_zip_raises(at: int):
    data = bytearray(zipped(("2025-10/BC.csv", b"STT,Ma\n" * 30), ("b.xlsx", b"x" * 50)))
    data[at % len(data)] ^= 0xFF
    if package.is_package(bytes(data)):
        assert isinstance(package.unpack("BC.zip", bytes(data)), list | Refusal)
