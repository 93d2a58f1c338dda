"""Form versions side by side: each is a set of CSV files, and a workbook is read by the one that it was made from."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from openpyxl import Workbook

from etl.collect import headers, reader
from etl.reference import forms, province
from tests.builders import edited, name, workbook

OLD, NEW = "Ước giải ngân đến hết 31/01 năm sau", "Dự kiến giải ngân cả năm"


def _forget() -> None:
    for cached in (forms.load, headers._wanted, headers._lower, headers._first_headers, headers._match):
        cached.cache_clear()


@pytest.fixture
def two_versions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A second version that calls one column otherwise."""
    for path in forms._FOLDER.glob("v1_*.csv"):
        shutil.copy(path, tmp_path / path.name)
        text = path.read_text(encoding="utf-8").replace(OLD, NEW)
        (tmp_path / path.name.replace("v1_", "v2_")).write_text(text, encoding="utf-8")
    monkeypatch.setattr(forms, "_FOLDER", tmp_path)
    _forget()
    yield
    monkeypatch.undo()
    _forget()


def _of_second_version(book: Workbook) -> None:
    del book["_meta"]
    for row in book["B01-GiaiNgan"].iter_rows(min_row=8, max_row=9):
        for cell in row:
            if cell.value == OLD:
                cell.value = NEW


@pytest.mark.usefixtures("two_versions")
def test_without_meta_the_headers_tell_the_version() -> None:
    def without_meta(book: Workbook) -> None:
        del book["_meta"]

    first = reader.read(name(), edited(without_meta, values=True), province.load())
    second = reader.read(name(), edited(_of_second_version, values=True), province.load())
    assert (first.template_version, first.issues) == (1, [])
    assert (second.template_version, second.issues) == (2, [])
    figures = [[row.values["forecast"] for row in r.forms["B01"].rows] for r in (first, second)]
    assert figures[0] == figures[1]


@pytest.mark.usefixtures("two_versions")
def test_what_meta_says_is_held_to() -> None:
    def renamed(book: Workbook) -> None:
        meta = book["_meta"]
        _of_second_version(book)
        book._add_sheet(meta)

    assert reader.read(name(), workbook(), province.load()).issues == []
    told = reader.read(name(), edited(renamed, values=True), province.load())
    assert [issue.rule for issue in told.issues] == ["M31"]
