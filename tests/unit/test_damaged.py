"""Damage in workbooks that their parser cannot bear: each file gets an answer, and the process lives on."""

from __future__ import annotations

import io
import re
import struct
import zipfile

import pytest

from etl.collect import reader
from etl.reference import province
from tests import corpus

NUMBER = struct.pack("<HH", 0x0203, 14)


def with_number_replaced(record: bytes) -> bytes:
    """A sound .xls in which another record stands where the first number stood; 18 bytes."""
    data = corpus.items("m38-xls")[0].build()
    assert NUMBER in data
    start = data.index(NUMBER)
    return data[:start] + record + data[start + 18 :]


def empty(kind: int) -> bytes:
    """A record without a body, and a filler of no known kind."""
    return struct.pack("<HHHH", kind, 0, 0x7777, 10) + bytes(10)


@pytest.mark.parametrize(
    ("record", "rule"),
    [
        (NUMBER + struct.pack("<HHHd", 65535, 65535, 15, 1.0), "M42"),
        (empty(0x0203), "M39"),
        (empty(0x00E5), "M39"),
    ],
    ids=["a sheet of 4 thousand million cells", "a number without a body", "merged cells without a body"],
)
def test_an_unbearable_record_is_refused(record: bytes, rule: str) -> None:
    report = reader.read("06463_2025-10.xls", with_number_replaced(record), province.load())
    assert [issue.rule for issue in report.issues] == [rule]


@pytest.mark.parametrize(
    "address", [b'r="P%s"' % (b"9" * 40), b"r='P1048576'", b'r = "XFD1048576"', b'r="p1048576"', b'\tr="A1048576"']
)
def test_a_cell_that_names_a_row_far_away_is_refused(address: bytes) -> None:
    report = reader.read("06463_2025-10.xlsx", with_cell_renamed(address), province.load())
    assert [issue.rule for issue in report.issues] == ["M42"]


def test_single_quotes_say_the_same() -> None:
    plain = reader.read("06463_2025-10.xlsx", sound(), province.load())
    quoted = reader.read("06463_2025-10.xlsx", rewritten(rb'(<c[^>]*) r="(\w+)"', rb"\1 r='\2'", 0), province.load())
    assert plain.forms
    assert quoted.forms == plain.forms


def sound() -> bytes:
    return corpus.valid()[0].build()


def rewritten(pattern: bytes, replacement: bytes, count: int) -> bytes:
    """A sound workbook with its second sheet changed."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(sound())) as given, zipfile.ZipFile(buffer, "w") as changed:
        for name in given.namelist():
            content = given.read(name)
            if name == "xl/worksheets/sheet2.xml":
                content, times = re.subn(pattern, replacement, content, count=count)
                assert times
            changed.writestr(name, content)
    return buffer.getvalue()


def with_cell_renamed(address: bytes) -> bytes:
    return rewritten(rb' r="[A-Z]+9"', b" " + address, 1)
