"""Sheets of an OpenDocument spreadsheet (.ods), read element by element from ``content.xml``.

Repeated rows and cells are written out only as far as they hold something and only within the size of a form: a
spreadsheet of OpenDocument says with a few bytes that a million rows are filled. Dates are ISO texts there, so no
epoch is involved. Format: OASIS OpenDocument 1.3, part 3.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from xml.etree.ElementTree import Element, iterparse

from etl.collect import guard
from etl.collect.grid import MAX_COLUMNS, MAX_ROWS, ErrorValue, Grid, GridValue, Position, Uncached, compute

_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_STYLE = "{urn:oasis:names:tc:opendocument:xmlns:style:1.0}"
_CALC = "{urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0}"
_MAX_CELLS = 2_000_000
_REFERENCE = re.compile(r"\[\.([^\]:.]+)(?::\.([^\]]+))?\]")
_ERROR_TEXT = re.compile(r"#[A-Z/0?!]+[!?]?|Err:\d+")


def read(data: bytes) -> list[Grid]:
    """All sheets, hidden ones too. The bytes must have passed the guard."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        content = archive.read("content.xml")
    return list(_grids(content))


def _grids(content: bytes) -> Iterator[Grid]:
    hidden_styles: set[str] = set()
    budget = _MAX_CELLS
    for _, element in iterparse(io.BytesIO(content), events=("end",)):  # noqa: S314 - the guard saw no DOCTYPE
        if element.tag == f"{_STYLE}style" and element.get(f"{_STYLE}family") == "table":
            properties = element.find(f"{_STYLE}table-properties")
            if properties is not None and properties.get(f"{_TABLE}display") == "false":
                hidden_styles.add(element.get(f"{_STYLE}name", ""))
        if element.tag == f"{_TABLE}table":
            table = _Table(element, budget)
            budget -= table.count
            yield table.grid(element.get(f"{_TABLE}style-name", "") not in hidden_styles)
            element.clear()


def _repeated(element: Element, what: str) -> int:
    text = element.get(f"{_TABLE}number-{what}-repeated", "1")
    return int(text) if text.isdigit() else 1


class _Table:
    """One sheet on its way to a grid."""

    def __init__(self, element: Element, budget: int) -> None:
        self.name = element.get(f"{_TABLE}name", "")
        self.rows: list[list[GridValue]] = []
        self.merged: list[tuple[Position, Position]] = []
        self.formulas: dict[Position, str] = {}
        self.missing: list[Position] = []
        self.hidden_rows: set[int] = set()
        self.hidden_columns: set[int] = set()
        self.count = 0
        self._budget = budget
        self._read_columns(element)
        self._read_rows(element)

    def _read_columns(self, element: Element) -> None:
        column = 0
        for part in element.iter(f"{_TABLE}table-column"):
            repeat = _repeated(part, "columns")
            if part.get(f"{_TABLE}visibility") in ("collapse", "filter"):
                self.hidden_columns.update(range(column, min(column + repeat, MAX_COLUMNS)))
            column += repeat

    def _read_rows(self, element: Element) -> None:
        number = 0
        for row in element.iter(f"{_TABLE}table-row"):
            repeat = _repeated(row, "rows")
            values = self._values(row, number)
            if row.get(f"{_TABLE}visibility") in ("collapse", "filter"):
                self.hidden_rows.update(range(number, min(number + repeat, MAX_ROWS)))
            if any(v is not None and v != "" and not (isinstance(v, str) and not v.strip()) for v in values):
                if number + repeat > MAX_ROWS:
                    raise guard.RefusedError(
                        guard.Refusal(
                            "M42",
                            f"Trang tính có nội dung ở tận dòng {number + repeat}, vượt giới hạn {MAX_ROWS} dòng.",
                            "Xóa hẳn nội dung nằm ngoài bảng, lưu lại rồi gửi lại.",
                        )
                    )
                self.count += len(values) * repeat
                if self.count > self._budget:
                    raise guard.RefusedError(guard.BOMB)
                self.rows.extend([] for _ in range(number - len(self.rows)))
                self.rows.extend(list(values) for _ in range(repeat))
            number += repeat

    def _values(self, row: Element, number: int) -> list[GridValue]:
        values: list[GridValue] = []
        for cell in row:
            if cell.tag not in (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell"):
                continue
            repeat = _repeated(cell, "columns")
            place = (number, len(values))
            value = self._value(cell, place)
            if value is None:
                # Blank to the end of the row is not written out; what follows may still say something.
                values.extend([None] * min(repeat, max(MAX_COLUMNS - len(values), 0)))
                continue
            if len(values) + repeat > MAX_COLUMNS:
                raise guard.RefusedError(guard.BOMB)
            values.extend([value] * repeat)
            down, right = (int(cell.get(f"{_TABLE}number-{what}-spanned", "1")) for what in ("rows", "columns"))
            if (down > 1 or right > 1) and down <= MAX_ROWS and right <= MAX_COLUMNS:
                self.merged.append((place, (number + down - 1, place[1] + right - 1)))
        while values and values[-1] is None:
            values.pop()
        return values

    def _value(self, cell: Element, place: Position) -> GridValue:
        kind = cell.get(f"{_OFFICE}value-type")
        formula = cell.get(f"{_TABLE}formula")
        text = "\n".join("".join(p.itertext()) for p in cell.findall(f"{_TEXT}p"))
        if formula is not None:
            self.formulas[place] = _as_excel(formula)
            if "'file:" in formula or "DDE(" in formula.upper():
                return Uncached(formula, leaves_file=True)
        if cell.get(f"{_CALC}value-type") == "error" or (formula is not None and _ERROR_TEXT.fullmatch(text.strip())):
            return ErrorValue(text.strip() or "#N/A")
        if kind is None:
            if formula is not None:
                self.missing.append(place)
                return Uncached(formula)
            return text or None
        return _typed(kind, cell, text)

    def grid(self, visible: bool) -> Grid:
        grid = Grid(
            self.name,
            visible,
            self.rows,
            self.merged,
            frozenset(self.hidden_rows),
            frozenset(self.hidden_columns),
            formulas=lambda: self.formulas,
        )
        for place, value in compute(grid, self.missing, self.formulas).items():
            grid.put(*place, value)
        return grid


def _typed(kind: str, cell: Element, text: str) -> GridValue:
    value = cell.get(f"{_OFFICE}value", "")
    if kind in ("float", "currency", "percentage"):
        try:
            number = Decimal(value)
        except InvalidOperation:
            return text or None
        return int(number) if number == number.to_integral_value() and abs(number) < 10**15 else number
    if kind == "date":
        return _moment(cell.get(f"{_OFFICE}date-value", ""), text)
    if kind == "boolean":
        return cell.get(f"{_OFFICE}boolean-value") == "true"
    if kind == "time":
        return text or timedelta(0)
    return text or None


def _moment(written: str, text: str) -> GridValue:
    try:
        return datetime.fromisoformat(written) if "T" in written else date.fromisoformat(written)
    except ValueError:
        return text or None


def _as_excel(formula: str) -> str:
    """``of:=SUM([.D12:.D14];[.D17])`` -> ``SUM(D12:D14,D17)``, the notation that ``etl.collect.formula`` reads."""
    _, _, body = formula.partition("=")
    body = _REFERENCE.sub(lambda m: f"{m[1]}:{m[2]}" if m[2] else m[1], body)
    parts = re.split(r'("(?:[^"]|"")*")', body)
    return "".join(part if part.startswith('"') else part.replace(";", ",") for part in parts)
