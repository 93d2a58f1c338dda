"""Sheets of an Excel 97-2003 workbook (.xls): values by python-calamine, errors and hidden rows from the records.

Format: [MS-XLS], the records BOUNDSHEET, ROW, COLINFO, FORMULA and BOOLERR of each sheet's substream.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass, field
from typing import cast

from python_calamine import CalamineWorkbook, SheetVisibleEnum

from etl.collect import compound, guard
from etl.collect.grid import ErrorValue, Grid, GridValue, Position, Uncached

_BOF, _EOF, _BOUNDSHEET, _FORMULA = 0x0809, 0x000A, 0x0085, 0x0006
_BOOLERR, _ROW, _COLINFO = 0x0205, 0x0208, 0x007D
_CELLS = frozenset({0x0201, 0x0203, 0x0204, _BOOLERR, 0x027E, _FORMULA, 0x00BD, 0x00BE, 0x00D6, 0x00FD})
_MAX_RECORDS = 2_000_000
_MAX_AREA = 4_000_000
_ERRORS = {0: "#NULL!", 7: "#DIV/0!", 15: "#VALUE!", 23: "#REF!", 29: "#NAME?", 36: "#NUM!", 42: "#N/A"}
_FEWEST_ZEROS = 3


@dataclass
class _Substream:
    errors: dict[Position, str] = field(default_factory=dict)
    blanks: list[Position] = field(default_factory=list)
    """Formulas whose result is an empty text: calamine gives 0 for them."""
    formulas: list[Position] = field(default_factory=list)
    zeros: int = 0
    rows: int = 0
    columns: int = 0
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)


def read(data: bytes) -> list[Grid]:
    """All worksheets, hidden ones too. The bytes must have passed the guard."""
    try:
        book = compound.directory(data)
        stream = compound.stream(data, book.get("Workbook") or book["Book"])
    except (compound.DamagedError, KeyError) as error:
        raise guard.RefusedError(guard.DAMAGED) from error
    details = _substreams(stream)
    # calamine allocates the whole rectangle of a sheet, however few cells stand in it.
    if any(d.rows * d.columns > _MAX_AREA for d in details.values()):
        raise guard.RefusedError(guard.BOMB)
    formulas = sum(len(d.formulas) for d in details.values())
    # A library that cannot compute writes 0 for every result; nothing may be read as a zero that nobody reported.
    dummy = formulas >= _FEWEST_ZEROS and formulas == sum(d.zeros for d in details.values())
    font = "TCVN3" if _named(stream, ".Vn") else "VNI" if _named(stream, "VNI-") else None
    workbook = CalamineWorkbook.from_filelike(io.BytesIO(data))
    grids = []
    for meta in workbook.sheets_metadata:
        sheet = workbook.get_sheet_by_name(meta.name)
        detail = details.get(meta.name, _Substream())
        grid = Grid(
            meta.name,
            meta.visible == SheetVisibleEnum.Visible,
            cast("list[list[GridValue]]", sheet.to_python(skip_empty_area=False)),
            list(sheet.merged_cell_ranges or []),
            frozenset(detail.hidden_rows),
            frozenset(detail.hidden_columns),
            font,
        )
        for place, text in detail.errors.items():
            grid.put(*place, ErrorValue(text))
        for place in detail.blanks:
            grid.put(*place, None)
        if dummy:
            for place in detail.formulas:
                grid.put(*place, Uncached(""))
        grids.append(grid)
    return grids


def _named(stream: bytes, font: str) -> bool:
    return font.encode() in stream or font.encode("utf-16-le") in stream


def _substreams(stream: bytes) -> dict[str, _Substream]:
    """Sheet name -> what its records tell."""
    found = {}
    offset = 0
    while offset + 4 <= len(stream):
        kind, length = struct.unpack_from("<HH", stream, offset)
        if kind == _EOF:
            break
        if kind == _BOUNDSHEET and length >= 8:
            start = struct.unpack_from("<I", stream, offset + 4)[0]
            found[_sheet_name(stream[offset + 10 : offset + 4 + length])] = _substream(stream, start)
        offset += 4 + length
    return found


def _sheet_name(data: bytes) -> str:
    """Length, one flag (16-bit characters or not), characters; BIFF5 has no flag."""
    if len(data) >= 2 and data[1] in (0, 1):
        body = data[2:]
        return body[: data[0] * 2].decode("utf-16-le", "replace") if data[1] else body[: data[0]].decode("latin-1")
    return data[1 : 1 + data[0]].decode("cp1258", "replace")


def _substream(stream: bytes, start: int) -> _Substream:
    detail = _Substream()
    offset, records, depth = start, 0, 0
    while offset + 4 <= len(stream) and records < _MAX_RECORDS:
        kind, length = struct.unpack_from("<HH", stream, offset)
        body = offset + 4
        records += 1
        if kind in _CELLS and length >= 4 and body + 4 <= len(stream):
            row, column = struct.unpack_from("<HH", stream, body)
            detail.rows, detail.columns = max(detail.rows, row + 1), max(detail.columns, column + 1)
        if kind == _BOF:
            depth += 1
        elif kind == _EOF:
            depth -= 1
            if depth <= 0:
                break
        elif depth == 1 and body + length <= len(stream):
            _note(detail, kind, stream[body : body + length])
        offset = body + length
    return detail


def _note(detail: _Substream, kind: int, body: bytes) -> None:
    if kind == _FORMULA and len(body) >= 14:
        place = cast("Position", struct.unpack_from("<HH", body))
        if body[12:14] == b"\xff\xff":
            if body[6] == 2:
                detail.errors[place] = _ERRORS.get(body[8], "#N/A")
            elif body[6] == 3:
                detail.blanks.append(place)
            return
        detail.formulas.append(place)
        detail.zeros += body[6:14] == bytes(8)
    elif kind == _BOOLERR and len(body) >= 8 and body[7] == 1:
        detail.errors[cast("Position", struct.unpack_from("<HH", body))] = _ERRORS.get(body[6], "#N/A")
    elif kind == _ROW and len(body) >= 16:
        if struct.unpack_from("<H", body, 12)[0] & 0x20:
            detail.hidden_rows.add(struct.unpack_from("<H", body)[0])
    elif kind == _COLINFO and len(body) >= 10:
        first, last, _, _, flags = struct.unpack_from("<5H", body)
        if flags & 1:
            detail.hidden_columns.update(range(first, min(last, 255) + 1))
