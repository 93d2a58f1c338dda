"""One sheet of a workbook as a grid of raw values, with formulas and error values looked at.

python-calamine is fast but gives "" for an error value and for a formula without value. Both are looked up in the
sheet's XML: an error stays visible as ``ErrorValue``; a formula without value is computed when it is plain
(``etl.collect.formula``) and is ``Uncached`` otherwise. Nothing of this is ever read as blank or 0 (cases 35, 36).
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from dataclasses import dataclass, field
from decimal import Decimal
from html import unescape
from typing import cast

from python_calamine import CalamineWorkbook, SheetVisibleEnum

from etl.collect import cells
from etl.collect.formula import CellValue, UnsupportedError, evaluate, index_to_letters, letters_to_index
from etl.money import exact

_ERROR = re.compile(rb'<c\s([^>]*?\bt="e"[^>]*)>.*?<v>([^<]*)</v>')
# A formula cell without a value: no <v> at all or an empty one.
_UNCACHED = re.compile(rb"<c\s([^>]*)>\s*<f(?:\s[^>]*?)?(?:/>|>([^<]*)</f>)\s*(?:<v\s*/>|<v></v>)?\s*</c>")
_ADDRESS = re.compile(rb'\br="([A-Z]+)(\d+)"')
_SHEET = re.compile(r"<(?:\w+:)?sheet\s([^>]*?)/?>")
_RELATION = re.compile(r"<(?:\w+:)?Relationship\s([^>]*?)/?>")


@dataclass(frozen=True)
class ErrorValue:
    """#REF!, #DIV/0! … in a cell."""

    text: str


@dataclass(frozen=True)
class Uncached:
    """A formula without a stored value that is too complicated to be computed here."""

    formula: str


GridValue = cells.Raw | ErrorValue | Uncached


@dataclass
class Grid:
    """``rows[r][c]``, both from 0, of the sheet ``name``; rows may differ in length."""

    name: str
    visible: bool
    rows: list[list[GridValue]]
    merged: list[tuple[tuple[int, int], tuple[int, int]]] = field(default_factory=list)

    def at(self, row: int, column: int) -> GridValue:
        line = self.rows[row] if 0 <= row < len(self.rows) else []
        return line[column] if 0 <= column < len(line) else None

    def text(self, row: int, column: int) -> str:
        value = self.at(row, column)
        return value if isinstance(value, str) else ""


def _attribute(text: str, name: str) -> str:
    match = re.search(rf'(?:^|\s)(?:\w+:)?{name}="([^"]*)"', text)
    return unescape(match[1]) if match else ""


def _sheet_parts(archive: zipfile.ZipFile) -> dict[str, str]:
    """Sheet name -> name of its XML part."""
    relations = {
        _attribute(m, "Id"): _attribute(m, "Target")
        for m in _RELATION.findall(archive.read("xl/_rels/workbook.xml.rels").decode("utf-8", "replace"))
    }
    workbook = archive.read("xl/workbook.xml").decode("utf-8", "replace")
    return {
        _attribute(m, "name"): posixpath.normpath(posixpath.join("xl", relations[_attribute(m, "id")].lstrip("/")))
        if not relations[_attribute(m, "id")].startswith("/")
        else relations[_attribute(m, "id")].lstrip("/")
        for m in _SHEET.findall(workbook)
        if _attribute(m, "id") in relations
    }


def read(data: bytes) -> list[Grid]:
    """All worksheets of an .xlsx, hidden ones too. The bytes must have passed the guard."""
    workbook = CalamineWorkbook.from_filelike(io.BytesIO(data))
    grids = []
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = _sheet_parts(archive)
        names = set(archive.namelist())
        for meta in workbook.sheets_metadata:
            sheet = workbook.get_sheet_by_name(meta.name)
            rows = cast("list[list[GridValue]]", sheet.to_python(skip_empty_area=False))
            grid = Grid(
                meta.name,
                meta.visible == SheetVisibleEnum.Visible,
                rows,
                list(sheet.merged_cell_ranges or []),
            )
            part = parts.get(meta.name)
            if part in names:
                _look_closer(grid, archive.read(part))
            grids.append(grid)
    return grids


def _look_closer(grid: Grid, xml: bytes) -> None:
    """Put error values and values of formulas without value into ``grid``."""
    if b"<f" not in xml and b't="e"' not in xml:
        return
    pending: dict[str, tuple[int, int, str | None]] = {}
    for attributes, text in _ERROR.findall(xml) if b't="e"' in xml else ():
        row, column = _position(attributes)
        _put(grid, row, column, ErrorValue(text.decode("utf-8", "replace")))
    for attributes, formula in _UNCACHED.findall(xml) if _may_lack_values(xml) else ():
        if b't="str"' in attributes:
            continue  # the value is there: an empty text
        row, column = _position(attributes)
        text = unescape(formula.decode("utf-8", "replace")) if formula else None
        pending[f"{index_to_letters(column)}{row + 1}"] = (row, column, text)
    _compute(grid, pending)


def _may_lack_values(xml: bytes) -> bool:
    """False when every formula is plainly followed by a value; counting is many times quicker than matching."""
    end = xml.find(b"</sheetData>")
    return xml.count(b"<f", 0, end) != xml.count(b"</f><v>", 0, end) or b"<v></v>" in xml


def _position(attributes: bytes) -> tuple[int, int]:
    """Row and column, both from 0, of a cell that names its address (every known writer does)."""
    address = _ADDRESS.search(attributes)
    if address is None:
        raise ValueError("cell without address")
    return int(address[2]) - 1, letters_to_index(address[1].decode())


def _put(grid: Grid, row: int, column: int, value: GridValue) -> None:
    while len(grid.rows) <= row:
        grid.rows.append([])
    line = grid.rows[row]
    line.extend([""] * (column + 1 - len(line)))
    line[column] = value


def _compute(grid: Grid, pending: dict[str, tuple[int, int, str | None]]) -> None:
    """Give each formula without value its value, following references; a circle or an unknown kind is Uncached."""
    busy: set[str] = set()

    def resolve(address: str) -> CellValue:
        if address in pending:
            compute(address)
        letters = address.rstrip("0123456789")
        value = grid.at(int(address[len(letters) :]) - 1, letters_to_index(letters))
        if isinstance(value, ErrorValue | Uncached):
            raise UnsupportedError(address)
        if value is None or value == "":
            return None
        if isinstance(value, bool | str | Decimal):
            return value
        if isinstance(value, int | float):
            return exact(value)
        raise UnsupportedError(address)

    def compute(address: str) -> None:
        if address in busy:
            raise UnsupportedError(address)
        row, column, formula = pending[address]
        busy.add(address)
        result: GridValue
        try:
            if formula is None:
                raise UnsupportedError(address)
            result = evaluate(formula, resolve)
        except UnsupportedError:
            result = Uncached(formula or "")
        busy.discard(address)
        del pending[address]
        _put(grid, row, column, result)

    for address in list(pending):
        if address in pending:
            compute(address)
