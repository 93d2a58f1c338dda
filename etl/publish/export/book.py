"""The workbook of an export: a sheet that explains, then one sheet per table.

Row 1 has the Vietnamese meaning, row 2 the column's name with a filter; both stay in view. Excel keeps 15 digits of a
number: what has more is written as text, digit by digit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import xlsxwriter

from etl import clock
from etl.publish.export.tables import Column, Scope, Table
from etl.publish.export.values import plain

FONT = "Times New Roman"
GUIDE = "Hướng dẫn"
_DIGITS, _TEXT_LIMIT, _ROWS = 15, 32_767, 1_048_576
_HEADER_ROWS = 2
_WIDTHS = {"integer": 10, "vnd": 20, "decimal": 12, "bool": 9, "date": 12, "moment": 19, "list": 24, "object": 24}
_WIDE_TEXT, _LONG_TEXT = 14, 50


class Book:
    """Written sheet by sheet, row by row: memory does not grow with the number of rows."""

    def __init__(self, path: Path, scope: Scope) -> None:
        self._book = xlsxwriter.Workbook(
            str(path), {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
        )
        self._book.set_properties(
            {"title": f"Tiến độ {scope.name}", "created": scope.known_at.replace(tzinfo=None, microsecond=0)}
        )
        kinds: dict[str, dict[str, Any]] = {
            "text": {},
            "wrapped": {"text_wrap": True},
            "title": {"bold": True, "font_size": 14},
            "head": {"bold": True, "text_wrap": True, "bg_color": "#E8ECF1", "border": 1},
            "name": {"italic": True, "bg_color": "#E8ECF1", "border": 1},
            "link": {"font_color": "#1F5A96", "underline": 1},
            "vnd": {"num_format": "#,##0"},
            "integer": {"num_format": "0"},
            "pct": {"num_format": "0.00"},
            "decimal": {"num_format": "General"},
            "digits": {"align": "right"},
            "date": {"num_format": "dd/mm/yyyy"},
            "moment": {"num_format": "dd/mm/yyyy hh:mm:ss"},
            "bool": {"align": "center"},
        }
        self._formats = {
            name: self._book.add_format({"font_name": FONT, "font_size": 11, "valign": "top", **extra})
            for name, extra in kinds.items()
        }
        self._guide = self._book.add_worksheet(GUIDE)
        self._long: set[str] = set()

    def sheet(self, table: Table) -> _Sheet:
        return _Sheet(self, table)

    def close(self, scope: Scope, tables: Sequence[tuple[Table, int]], facts: Iterable[tuple[str, str]]) -> None:
        """The first sheet, which can be written only now that the rows were counted, and the file."""
        _explain(self, scope, tables, facts)
        self._book.close()


class _Sheet:
    def __init__(self, book: Book, table: Table) -> None:
        self.book, self.table, self.part, self.row = book, table, 0, 0
        self._begin()

    def _begin(self) -> None:
        """A table that is longer than a sheet goes on in the next one, ``name (2)``."""
        self.part += 1
        name = self.table.name if self.part == 1 else f"{self.table.name[:26]} ({self.part})"
        self.sheet = self.book._book.add_worksheet(name)
        formats = self.book._formats
        _print_setup(self.sheet)
        self.sheet.freeze_panes(_HEADER_ROWS, min(3, len(self.table.columns) - 1))
        self.sheet.set_row(0, 48)
        for index, column in enumerate(self.table.columns):
            self.sheet.set_column(index, index, _width(column))
            unit = f" ({column.unit})" if column.unit else ""
            self.sheet.write_string(0, index, (column.vi + unit)[:_TEXT_LIMIT], formats["head"])
        for index, column in enumerate(self.table.columns):
            self.sheet.write_string(1, index, column.name, formats["name"])
        self.row = _HEADER_ROWS

    def write(self, values: Sequence[Any]) -> None:
        if self.row == _ROWS:
            self.end()
            self._begin()
        for index, (value, column) in enumerate(zip(values, self.table.columns, strict=True)):
            if value is not None:
                self._cell(index, value, column)
        self.row += 1

    def end(self) -> None:
        self.sheet.autofilter(1, 0, max(self.row - 1, 1), len(self.table.columns) - 1)

    def _cell(self, index: int, value: Any, column: Column) -> None:
        formats, at = self.book._formats, (self.row, index)
        text = plain(value, column) or ""
        match column.kind:
            case "vnd" | "decimal" | "integer":
                if sum(c.isdigit() for c in text) > _DIGITS:
                    self.book._long.add(self.table.name)
                    self.sheet.write_string(*at, text, formats["digits"])
                else:
                    named = "pct" if column.kind == "decimal" and column.scale == 2 else column.kind
                    # A workbook's numbers are doubles: up to 15 digits they hold exactly what is written.
                    self.sheet.write_number(*at, float(text), formats[named])
            case "bool":
                self.sheet.write_boolean(*at, value, formats["bool"])
            case "date":
                self.sheet.write_datetime(*at, datetime(value.year, value.month, value.day), formats["date"])  # noqa: DTZ001
            case "moment":
                local = value.astimezone(clock.LOCAL).replace(tzinfo=None, microsecond=0)
                self.sheet.write_datetime(*at, local, formats["moment"])
            case _:
                if len(text) > _TEXT_LIMIT:
                    text = text[: _TEXT_LIMIT - 1] + "…"
                self.sheet.write_string(*at, text, formats["text"])


def _print_setup(sheet: Any) -> None:
    """A4 across, as wide as the page."""
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)


def _width(column: Column) -> float:
    base = _WIDTHS.get(column.kind)
    if base is None:
        long = column.name.endswith("_vi") or column.name in ("note", "problem", "cause", "proposal", "content")
        base = _LONG_TEXT if long and not column.name.startswith("commune") else _WIDE_TEXT
        base = 24 if column.name == "commune_vi" else base
    return max(base, len(column.name) + 4)


def _explain(book: Book, scope: Scope, tables: Sequence[tuple[Table, int]], facts: Iterable[tuple[str, str]]) -> None:
    sheet, formats = book._guide, book._formats
    _print_setup(sheet)
    for index, width in enumerate((26, 30, 60, 60, 14)):
        sheet.set_column(index, index, width)
    row = 0
    sheet.write_string(row, 0, f"Số liệu của hệ thống Tiến độ: {scope.name}", formats["title"])
    told = [
        *facts,
        ("Đơn vị", "Số tiền là đồng, không làm tròn. pct: phần trăm; pct_points: điểm phần trăm; count: số lượng."),
        ("Ô trống", "Không có số liệu. Ô trống không bao giờ có nghĩa là 0."),
        ("Thời điểm", "Ngày, giờ trong các trang tính này là giờ Việt Nam; trong tệp CSV và Parquet là giờ UTC."),
        ("Tỷ lệ", "Tổng chia tổng; không cộng, không lấy trung bình các tỷ lệ."),
    ]
    if book._long:
        told.append(
            (
                "Số dài",
                f"Excel chỉ giữ 15 chữ số của một số. Số dài hơn được ghi bằng chữ số dạng văn bản, không mất chữ số "
                f"nào, tại bảng: {', '.join(sorted(book._long))}.",
            )
        )
    for title, text in told:
        row += 1
        sheet.write_string(row, 0, title, formats["wrapped"])
        sheet.write_string(row, 1, text, formats["text"])
    row += 2
    for index, text in enumerate(("Bảng", "Số dòng", "Nội dung", "Content", "Khóa")):
        sheet.write_string(row, index, text, formats["head"])
    for table, rows in tables:
        row += 1
        sheet.write_url(row, 0, f"internal:'{table.name}'!A1", formats["link"], table.name)
        sheet.write_number(row, 1, rows, formats["vnd"])
        for index, text in enumerate((table.vi, table.en, ", ".join(table.key)), 2):
            sheet.write_string(row, index, text, formats["wrapped"])
    row += 2
    for index, text in enumerate(("Bảng", "Cột", "Ý nghĩa", "Meaning", "Đơn vị")):
        sheet.write_string(row, index, text, formats["head"])
    for table, _ in tables:
        for column in table.columns:
            row += 1
            for index, text in enumerate((table.name, column.name, column.vi, column.en, column.unit)):
                sheet.write_string(row, index, text, formats["wrapped"])
