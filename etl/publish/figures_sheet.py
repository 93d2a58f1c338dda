"""The sheet of figures of the workbook: every figure of the release with its name, formula, coverage and query."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from etl.publish import standing
from etl.publish.catalogue import UNITS, Catalogue, coverage, formula
from etl.publish.figure import Figure, FigureSet
from etl.publish.text import clean

NAME = "Số liệu"
TITLE = "Bảng số liệu của bản tổng hợp"
HEAD_ROWS = 3
_COLUMNS = (
    ("Mã số liệu", 40), ("Tên số liệu", 60), ("Giá trị", 18), ("Đơn vị", 10), ("Cách tính", 60), ("Độ phủ", 30),
    ("Tính chất", 12), ("Câu truy vấn (psql, người phân tích số liệu)", 60),
)  # fmt: skip
COLUMNS = tuple(title for title, _ in _COLUMNS)
_FORMATS = {
    "vnd": "#,##0", "pct": "0.00", "pct_points": "+0.00;-0.00;0.00", "count": "#,##0", "days": "#,##0",
    "quantity": "General", "date": "dd/mm/yyyy", "text": "@",
}  # fmt: skip


def write(workbook: Any, style: Callable[..., Any], figures: FigureSet) -> None:
    """Amounts are in đồng, as the queries give them; ``style`` makes a cell format of properties."""
    sheet = workbook.add_worksheet(NAME)
    catalogue = Catalogue(figures)
    sheet.write_string(0, 0, TITLE, style(bold=True, font_size=13))
    sheet.write_string(1, 0, standing.DEFINITION, style(italic=True))
    head = style(bold=True, border=1, text_wrap=True, align="center", bg_color="#E8ECF1")
    for column, (title, width) in enumerate(_COLUMNS):
        sheet.set_column(column, column, width)
        sheet.write_string(HEAD_ROWS - 1, column, title, head)
    styles = {unit: style(num_format=shown) for unit, shown in _FORMATS.items()}
    words = styles["text"]
    row = HEAD_ROWS
    for row, figure in enumerate(figures, HEAD_ROWS):
        texts = (
            figures.figure_id(figure), catalogue.name(figure), None, UNITS[figure.unit], formula(figure),
            coverage(figure), standing.WORDS[catalogue.standing(figure)], catalogue.query(figure),
        )  # fmt: skip
        for column, said in enumerate(texts):
            if said:
                sheet.write_string(row, column, said, words)
        _value(sheet, row, figure, styles[figure.unit])
    sheet.autofilter(HEAD_ROWS - 1, 0, row, len(_COLUMNS) - 1)
    sheet.freeze_panes(HEAD_ROWS, 2)
    sheet.repeat_rows(HEAD_ROWS - 1)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)


def _value(sheet: Any, row: int, figure: Figure, style: Any) -> None:
    if figure.value is not None:
        sheet.write_number(row, 2, figure.value, style)
    elif figure.unit == "date" and figure.text:
        sheet.write_datetime(row, 2, figure.date, style)
    elif figure.text:
        sheet.write_string(row, 2, clean(figure.text), style)
