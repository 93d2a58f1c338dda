"""All tables of the pack as a workbook: one sheet per table, amounts as numbers, figure ids in cell comments; then the
sheet of all figures.

Text is always written as text: a cell that begins with ``=`` is no formula. Amounts are in triệu đồng and shown as
printed; the cell holds them to the đồng.
"""

from __future__ import annotations

import io
from decimal import Decimal
from typing import Any

import xlsxwriter

from etl import money
from etl.publish import figures_sheet
from etl.publish.figure import FigureSet
from etl.publish.model import Document, Row, Span, Spans, Table, joined
from etl.publish.text import NOTHING
from etl.wrapping import LINE_POINTS, lines

FONT = "Times New Roman"
_FORMATS = {
    "trieu": "#,##0", "trieu_signed": "+#,##0;-#,##0;0", "trieu_fine": "#,##0.000",
    "trieu_fine_signed": "+#,##0.000;-#,##0.000;0", "ty": "#,##0.0", "pct": "0.00",
    "points": "+0.00;-0.00;0.00", "count": "#,##0", "days": "#,##0",
    "quantity_0": "#,##0", "quantity_1": "#,##0.0", "quantity_2": "#,##0.00",
}  # fmt: skip
_SHADES = {"total": "#E8ECF1", "group": "#F4F6F8"}


class _Book:
    """A workbook and its cell formats, each made once."""

    def __init__(self, workbook: Any) -> None:
        self.workbook = workbook
        self._made: dict[tuple[tuple[str, Any], ...], Any] = {}

    def style(self, **properties: Any) -> Any:
        key = tuple(sorted(properties.items()))
        if key not in self._made:
            base = {"font_name": FONT, "font_size": 11, "valign": "vcenter"}
            self._made[key] = self.workbook.add_format({**base, **properties})
        return self._made[key]


def render(figures: FigureSet, documents: list[Document]) -> bytes:
    """XLSX bytes with the tables of ``documents``, in order, after a sheet that says what they are."""
    buffer = io.BytesIO()
    workbook = xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    workbook.set_properties(
        {
            "title": documents[0].title[0],
            "author": documents[0].letterhead.issuer,
            "subject": figures.release_id,
            "created": figures.known_at.replace(tzinfo=None, microsecond=0),
        }
    )
    book = _Book(workbook)
    tables = [table for document in documents for table in document.tables()]
    _cover(book, figures, tables)
    for table in tables:
        _sheet(book, figures, table)
    figures_sheet.write(workbook, book.style, figures)
    workbook.close()
    return buffer.getvalue()


def _cover(book: _Book, figures: FigureSet, tables: list[Table]) -> None:
    sheet = book.workbook.add_worksheet("MucLuc")
    sheet.set_column(0, 0, 16)
    sheet.set_column(1, 1, 90)
    _print_setup(sheet)
    period = figures.get("period").text
    head = (
        (f"Biểu kèm Báo cáo tình hình thực hiện các Chương trình mục tiêu quốc gia {period}", {"bold": True}),
        (f"Mã bản tổng hợp: {figures.release_id}. Mã số liệu ghi tại chú thích của từng ô.", {"italic": True}),
    )
    for row, (text, properties) in enumerate(head):
        sheet.write_string(row, 0, text, book.style(**properties))
    link = book.style(font_color="#1F5A96", underline=1)
    for row, table in enumerate(tables, 3):
        sheet.write_url(row, 0, f"internal:'{table.name}'!A1", link, table.name)
        sheet.write_string(row, 1, _title(table), book.style())
    row = len(tables) + 3
    sheet.write_url(row, 0, f"internal:'{figures_sheet.NAME}'!A1", link, figures_sheet.NAME)
    sheet.write_string(row, 1, figures_sheet.TITLE, book.style())


def _sheet(book: _Book, figures: FigureSet, table: Table) -> None:
    sheet = book.workbook.add_worksheet(table.name)
    scale = 120 / sum(c.width for c in table.columns)
    widths = [max(c.width * scale, 9 if c.align == "right" else 6) for c in table.columns]
    for index, width in enumerate(widths):
        sheet.set_column(index, index, width)
    sheet.write_string(0, 0, _title(table), book.style(bold=True, font_size=13))
    sheet.write_string(1, 0, joined(table.unit).replace("\n", " "), book.style(italic=True))
    first = _header(book, sheet, table, widths, 2)
    for row, content in enumerate(table.all_rows(), first):
        _row(book, sheet, figures, table, row, content)
        sheet.set_row(row, _height(content, widths))
    last = first + len(table.all_rows()) - 1
    sheet.freeze_panes(first, 1 if table.heat else 2)
    if table.heat:
        colours = {"min_color": "#F6C9C5", "mid_color": "#FDF6D8", "max_color": "#B9DFBE"}
        sheet.conditional_format(first, 1, last, len(table.columns) - 1, {"type": "3_color_scale", **colours})
    sheet.print_area(0, 0, last, len(table.columns) - 1)
    sheet.repeat_rows(2, first - 1)
    _print_setup(sheet)


def _title(table: Table) -> str:
    return table.caption or table.title or table.name


def _print_setup(sheet: Any) -> None:
    """A4 across, as wide as the page."""
    sheet.hide_gridlines(2)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.set_margins(left=0.6, right=0.4, top=0.6, bottom=0.6)
    sheet.fit_to_pages(1, 0)
    sheet.set_footer(f'&C&"{FONT},Regular"&10&P/&N')


def _height(row: Row, widths: list[float]) -> float:
    """Points for the longest text of the row; the last cell of a merged row has the rest of the table."""
    bold = 0.9 if row.role in ("total", "group") else 1
    cells = row.cells[:-1] if row.merged else row.cells
    return 4 + LINE_POINTS * max(lines(joined(c), w * bold) for c, w in zip(cells, widths, strict=False))


def _header(book: _Book, sheet: Any, table: Table, widths: list[float], row: int) -> int:
    """Header rows from ``row`` on; returns the first row of data."""
    style = book.style(bold=True, border=1, text_wrap=True, align="center", bg_color="#E8ECF1")
    height = 4 + LINE_POINTS * max(lines(c.title, w * 0.9) for c, w in zip(table.columns, widths, strict=True))
    if table.has_groups:
        for group, first, count in table.groups():
            if not group:
                sheet.merge_range(row, first, row + 1, first, table.columns[first].title, style)
                continue
            if count > 1:
                sheet.merge_range(row, first, row, first + count - 1, group, style)
            else:
                sheet.write_string(row, first, group, style)
            for index in range(first, first + count):
                sheet.write_string(row + 1, index, table.columns[index].title, style)
        sheet.set_row(row, 4 + LINE_POINTS)
        sheet.set_row(row + 1, height)
        return row + 2
    for index, column in enumerate(table.columns):
        sheet.write_string(row, index, column.title, style)
    sheet.set_row(row, height)
    return row + 1


def _row(book: _Book, sheet: Any, figures: FigureSet, table: Table, row: int, content: Row) -> None:
    bold, shade = content.role in ("total", "group"), _SHADES.get(content.role)
    common: dict[str, Any] = {"border": 1, **({"bold": True} if bold else {}), **({"bg_color": shade} if shade else {})}
    last = len(content.cells) - 1
    for index, spans in enumerate(content.cells):
        column = table.columns[index]
        number, span = _number(spans)
        if number is not None and span is not None:
            style = book.style(**common, num_format=_FORMATS[span.style], align=column.align)
            sheet.write_number(row, index, number, style)
        elif content.merged and index == last:
            style = book.style(**common, italic=True)
            sheet.merge_range(row, index, row, len(table.columns) - 1, "", style)
            sheet.write_string(row, index, joined(spans), style)
        else:
            text = joined(spans)
            style = book.style(**common, text_wrap=True, align=column.align)
            sheet.write_string(row, index, "" if text == NOTHING else text, style)
        if span is not None and span.figure is not None:
            sheet.write_comment(row, index, figures.figure_id(span.figure), {"x_scale": 1.6, "y_scale": 0.4})


def _number(spans: Spans) -> tuple[Decimal | None, Span | None]:
    """The number of a cell that is a single figure, in the unit in which it is printed; None for text."""
    with_figure = [s for s in spans if s.figure is not None]
    if len(spans) != 1 or not with_figure:
        return None, with_figure[0] if with_figure else None
    span, figure = with_figure[0], with_figure[0].figure
    if figure is None or figure.value is None or span.style not in _FORMATS:
        return None, span
    if span.style.startswith("trieu"):
        return money.vnd_to_trieu(int(figure.value)), span
    if span.style == "ty":
        return figure.value / money.VND_PER_TY, span
    return figure.value, span
