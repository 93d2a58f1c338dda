"""Writes the official workbook BC-MTQG: five protected, pre-filled forms that print like the paper they
replace.

Columns, headers, lists, paper and formats come from the form layout (``etl/reference/forms``); which cell
holds what comes from ``etl.collect.workbook``. The same content gives the same bytes: no clock is read, the
document's creation date is the day of the figures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import IO, Any

import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from etl import money
from etl.clock import show_date
from etl.collect import workbook
from etl.collect.workbook import Cell, PlannedRow, SheetPlan, WorkbookContent, file_name
from etl.reference import forms
from etl.reference.forms import Column, FormVersion, Sheet
from etl.wrapping import LINE_POINTS, lines

__all__ = ["WorkbookContent", "file_name", "write_layout", "write_workbook"]

META_SHEET = "_meta"
NOTHING_LABEL = "Không phát sinh (x):"
NOTHING_ROW = 7

_FONT = "Times New Roman"
_SIZE = 11
_PAPER = {"A3": 8, "A4": 9}
_INPUT_FILL = "#FFFBE6"
_HEADER_FILL = "#E8EEF4"
_LOCKED_TEXT = "#404040"
# Outputs in these units are measured, in others counted: it decides the decimals shown.
_MEASURED_UNITS = {"%", "km", "ha"}
_EARLIEST_DATE = date(2021, 1, 1)
_EXCEL_INPUT_TITLE, _EXCEL_MESSAGE = 32, 255


def write_workbook(target: str | Path | IO[bytes], content: WorkbookContent, version: int = 1) -> None:
    """Write the workbook of ``content`` in the layout of that form version, to a path or a binary buffer."""
    write_layout(target, content, forms.load(version))


def write_layout(target: str | Path | IO[bytes], content: WorkbookContent, layout: FormVersion) -> None:
    """The same for a layout in hand, such as that of a form that is still being drafted."""
    plans = workbook.plan(content, layout)
    book = xlsxwriter.Workbook(
        str(target) if isinstance(target, Path) else target,
        {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False},
    )
    book.set_properties(
        {
            "title": f"Báo cáo tiến độ các Chương trình mục tiêu quốc gia {content.period.vi}",
            "author": content.commune.committee_vi,
            "created": datetime.combine(content.as_of, time()),
        }
    )
    styles = _Styles(book)
    sheets = [book.add_worksheet(p.sheet.name, worksheet_class=_Sheet) for p in plans]
    lists = _write_meta(book, content, layout, plans)
    for sheet, sheet_plan in zip(sheets, plans, strict=True):
        _SheetWriter(sheet, sheet_plan, content, layout, styles, lists).write()
    book.close()


class _Sheet(Worksheet):  # type: ignore[misc]
    """A worksheet that says of an empty formula result that it is text, as spreadsheet programs do.

    Without it a reader cannot tell "yields nothing" from "was never calculated" (messiness 35). Our formulas
    use no function that is younger than the file format, so the search for such names, half of the time of a
    workbook, is left out.
    """

    def _prepare_formula(self, formula: str, expand_future_functions: bool = False) -> str:  # noqa: ARG002
        return formula.removeprefix("=")

    def _xml_formula_element(self, formula: str, result: Any, attributes: Sequence[tuple[str, Any]] = ()) -> None:
        typed = [*attributes, ("t", "str")] if result == "" else list(attributes)
        super()._xml_formula_element(formula, result, typed)


class _Styles:
    """Cell formats by their properties, each made once."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self._made: dict[tuple[tuple[str, Any], ...], Any] = {}

    def get(self, **properties: Any) -> Any:
        full = {"font_name": _FONT, "font_size": _SIZE, "valign": "vcenter", **properties}
        key = tuple(sorted(full.items()))
        if key not in self._made:
            self._made[key] = self._book.add_format(full)
        return self._made[key]


def _write_meta(
    book: Any, content: WorkbookContent, layout: FormVersion, plans: Sequence[SheetPlan]
) -> dict[tuple[str, str], str]:
    """The very hidden sheet of keys and values; returns (form, column key) -> range of that column's choices.

    The choices stand there because a list typed into a validation cannot hold "Cơ chế, chính sách": it is cut
    at commas.
    """
    sheet = book.add_worksheet(META_SHEET)
    pairs = [
        ("template_id", forms.TEMPLATE_ID),
        ("template_version", str(layout.version)),
        ("commune_code", content.commune.code),
        ("period", str(content.period)),
        ("budget_year", str(content.budget_year)),
        ("as_of", content.as_of.isoformat()),
        ("content_hash", workbook.content_hash(workbook.prefilled_cells(plans))),
    ]
    ranges = {}
    for form in layout.sheets:
        for column in form.columns:
            if column.choices:
                first = len(pairs) + 1
                pairs += [(f"{form.form}.{column.key}.{n}", c) for n, c in enumerate(column.choices, 1)]
                ranges[form.form, column.key] = f"={META_SHEET}!$B${first}:$B${len(pairs)}"
    for row, (key, text) in enumerate(pairs):
        sheet.write_string(row, 0, key)
        sheet.write_string(row, 1, text)
    sheet.set_column(0, 1, 30)
    sheet.very_hidden()
    return ranges


class _SheetWriter:
    """Writes one form: head, header of the table, rows, off-budget block, signatures, then protection and
    print set-up.
    """

    def __init__(
        self,
        out: Any,
        plan: SheetPlan,
        content: WorkbookContent,
        layout: FormVersion,
        styles: _Styles,
        lists: Mapping[tuple[str, str], str],
    ) -> None:
        self.out, self.plan, self.content, self.layout = out, plan, content, layout
        self.styles, self.lists = styles, lists
        self._row_styles: dict[tuple[Any, ...], Any] = {}
        self.sheet: Sheet = plan.sheet
        self.columns = plan.sheet.columns
        self.last = len(self.columns) - 1

    def write(self) -> None:
        for column in self.columns:
            self.out.set_column(column.no - 1, column.no - 1, column.width, self.styles.get())
        self._head()
        self._table_header()
        for row in self.plan.rows:
            self._row(row)
        self._validations()
        end = self._off_budget() if self.sheet.form == "B01" else self.plan.last_row
        self._set_up(self._signatures(end + 2))

    def _head(self) -> None:
        get, content = self.styles.get, self.content
        self.out.write_string(0, 0, f"UBND {content.commune.name_vi.upper()}", get(bold=True, font_size=12))
        self.out.write_string(0, self.last, self.sheet.form_no, get(bold=True, font_size=12, align="right"))
        self.out.write_string(1, 0, f"Mã đơn vị: {content.commune.code}", get())
        self._across(2, self.sheet.title_vi, get(bold=True, font_size=14, align="center"))
        self._across(
            3,
            f"Kỳ báo cáo: {content.period.vi} (năm ngân sách {content.budget_year})",
            get(bold=True, font_size=12, align="center"),
        )
        self._across(
            4,
            f"Số liệu lũy kế đến ngày: {show_date(content.as_of)}",
            get(italic=True, font_size=12, align="center"),
        )
        self.out.set_row(2, 22)
        box_row = NOTHING_ROW - 1
        self.out.set_row(box_row, 21)
        self.out.write_string(box_row, 1, NOTHING_LABEL, get(align="right"))
        ticked = self.sheet.form in content.nothing_to_report
        self.out.write_string(
            box_row,
            2,
            "x" if ticked else "",
            get(bold=True, font_size=12, align="center", border=2, locked=False, bg_color=_INPUT_FILL),
        )
        self.out.data_validation(
            box_row,
            2,
            box_row,
            2,
            {
                "validate": "list",
                "source": ["x"],
                "input_title": "Không phát sinh",
                "input_message": "Chọn x nếu trong kỳ đơn vị không có nội dung nào để báo cáo ở biểu này.",
                "error_title": "Giá trị không hợp lệ",
                "error_message": "Chỉ chọn x hoặc để trống.",
            },
        )
        if self.sheet.unit_vi:
            self.out.write_string(
                box_row, self.last, f"Đơn vị tính: {self.sheet.unit_vi}", get(italic=True, align="right")
            )

    def _across(self, row: int, text: str, style: Any) -> None:
        self.out.merge_range(row, 0, row, self.last, text, style)

    def _table_header(self) -> None:
        style = self.styles.get(bold=True, align="center", border=1, text_wrap=True, bg_color=_HEADER_FILL)
        small = self.styles.get(italic=True, font_size=9, align="center", border=1, text_wrap=True)
        top, bottom = (r - 1 for r in forms.HEADER_ROWS)
        heights = {top: 1, bottom: 1}
        for group in self._header_groups():
            first, last = group[0].no - 1, group[-1].no - 1
            if not group[0].header_2:
                self.out.merge_range(top, first, bottom, first, group[0].header_1, style)
                needed = lines(group[0].header_1, group[0].width * 0.9)
                heights[bottom] = max(heights[bottom], needed - 1)
                continue
            self._group_title(top, first, last, group[0].header_1, style)
            heights[top] = max(heights[top], lines(group[0].header_1, sum(c.width for c in group) * 0.9))
            for column in group:
                self.out.write_string(bottom, column.no - 1, column.header_2, style)
                heights[bottom] = max(heights[bottom], lines(column.header_2, column.width * 0.9))
        for row, needed in heights.items():
            self.out.set_row(row, needed * LINE_POINTS + 4)
        for column in self.columns:
            self.out.write_string(forms.NUMBER_ROW - 1, column.no - 1, column.number_label, small)
        widest = max(lines(c.number_label, c.width * 1.1) for c in self.columns)
        self.out.set_row(forms.NUMBER_ROW - 1, widest * 12 + 3)

    def _header_groups(self) -> list[list[Column]]:
        """Neighbours under one upper header; a column without a lower header stands alone."""
        groups: list[list[Column]] = []
        for column in self.columns:
            same = groups and column.header_2 and groups[-1][0].header_1 == column.header_1
            if same:
                groups[-1].append(column)
            else:
                groups.append([column])
        return groups

    def _group_title(self, row: int, first: int, last: int, text: str, style: Any) -> None:
        if last > first:
            self.out.merge_range(row, first, row, last, text, style)
        else:
            self.out.write_string(row, first, text, style)

    def _row(self, row: PlannedRow) -> None:
        needed = 1
        for column in self.columns:
            cell = row.cells[column.key]
            self._cell(row, column, cell)
            if isinstance(cell.value, str) and not cell.formula:
                width = column.width * (0.9 if row.role in ("heading", "total") else 1)
                needed = max(needed, lines(cell.value, width))
        self.out.set_row(row.number - 1, max(18, needed * LINE_POINTS + 4))

    def _cell(self, row: PlannedRow, column: Column, cell: Cell) -> None:
        at, style = (row.number - 1, column.no - 1), self._style(row, column)
        value = cell.value
        if isinstance(value, int | Decimal):
            value = workbook.in_cell_unit(column, value)
        if cell.formula:
            self.out.write_formula(*at, cell.formula, style, "" if value is None else value)
        elif value is None:
            self.out.write_blank(*at, None, style)
        elif isinstance(value, date):
            self.out.write_datetime(*at, datetime.combine(value, time()), style)
        elif isinstance(value, str):
            self.out.write_string(*at, value, style)
        else:
            self.out.write_number(*at, value, style)

    def _style(self, row: PlannedRow, column: Column) -> Any:
        unit = row.cells["unit"].value if column.kind == "quantity" else None
        key = (row.role, min(row.depth, 2), column.key, unit)
        if key not in self._row_styles:
            self._row_styles[key] = self._new_style(row, column)
        return self._row_styles[key]

    def _new_style(self, row: PlannedRow, column: Column) -> Any:
        is_input = row.role == "empty" or (row.role == "leaf" and not column.locked and not column.computed)
        properties: dict[str, Any] = {"border": 1, "locked": not is_input}
        if is_input:
            properties["bg_color"] = _INPUT_FILL
        elif row.role == "leaf":
            properties["font_color"] = _LOCKED_TEXT
        if row.role == "total" or (row.role == "heading" and row.depth < 2):
            properties["bold"] = True
        elif row.role == "heading":
            properties["italic"] = True
        if row.role == "total" and not column.numeric:
            properties["align"] = "center"
        elif column.numeric:
            # Shrinking keeps an amount of many digits legible where a narrow column would show #####.
            properties |= {"align": "right", "shrink": True}
            properties["num_format"] = self._number_format(row, column)
        elif column.kind == "date":
            properties |= {"num_format": "dd/mm/yyyy", "align": "center"}
        elif column.no == 1 or column.kind == "enum" or column.key == "unit":
            properties |= {"align": "center", "text_wrap": True}
        elif column.kind == "code":
            # A code is printed on one line: it is copied and compared letter by letter.
            properties |= {"shrink": True, "align": "left", "indent": 1}
        else:
            properties |= {"text_wrap": True, "align": "left", "indent": 1}
        return self.styles.get(**properties)

    @staticmethod
    def _number_format(row: PlannedRow, column: Column) -> str:
        if column.kind != "quantity":
            return "#,##0.000" if column.kind == "money" else "0.00"
        unit = row.cells["unit"].value if "unit" in row.cells else None
        return "#,##0.00" if unit in _MEASURED_UNITS else "#,##0"

    def _validations(self) -> None:
        rows = [r for r in self.plan.rows if r.role in ("leaf", "empty")]
        for column in self.columns:
            rule = _rule(column, self.lists.get((self.sheet.form, column.key)))
            if rule is None or column.computed:
                continue
            common: list[PlannedRow] = []
            for row in rows:
                if column.locked and row.role != "empty":
                    continue
                previous = self.content.previous.get(row.code, {}).get(column.key) if row.code else None
                if previous is None:
                    common.append(row)
                else:
                    self._validate([row], column, _with_previous(rule, column, previous))
            if common:
                self._validate(common, column, rule)

    def _validate(self, rows: Sequence[PlannedRow], column: Column, rule: Mapping[str, Any]) -> None:
        at = column.no - 1
        spans = _spans([r.number - 1 for r in rows])
        options = dict(rule)
        if len(spans) > 1:
            options["other_cells"] = [[first, at, last, at] for first, last in spans[1:]]
        self.out.data_validation(spans[0][0], at, spans[0][1], at, options)

    def _off_budget(self) -> int:
        """The block under Biểu 01; returns its last row (1-based)."""
        row = self.plan.off_budget_row
        self.out.write_string(row - 1, 1, workbook.OFF_BUDGET_TITLE, self.styles.get(bold=True))
        amount = self.sheet.column(workbook.OFF_BUDGET_AMOUNT)
        code_at = self.sheet.column(self.sheet.row_key).no - 1
        rule = _rule(amount, None)
        for line in self.layout.off_budget:
            row += 1
            value = self.content.off_budget.get(line.line_code)
            style = self.styles.get(border=1, align="right", num_format="#,##0.000", locked=False, bg_color=_INPUT_FILL)
            self.out.write_string(row - 1, 1, line.name_vi, self.styles.get(text_wrap=True))
            self.out.write_string(row - 1, code_at, line.line_code, self.styles.get(shrink=True))
            if value is None:
                self.out.write_blank(row - 1, amount.no - 1, None, style)
            else:
                self.out.write_number(row - 1, amount.no - 1, money.vnd_to_trieu(value), style)
            self.out.data_validation(row - 1, amount.no - 1, row - 1, amount.no - 1, rule)
            self.out.set_row(row - 1, lines(line.name_vi, self.columns[1].width) * LINE_POINTS + 4)
        return row

    def _signatures(self, row: int) -> int:
        """Place and date, who prepared and who signs; ``row`` and the returned last row are 1-based."""
        get = self.styles.get
        right = self._right_block()
        bold = get(bold=True, align="center", font_size=12)
        name = get(bold=True, align="center", font_size=12, locked=False)
        place = f"{self.content.commune.short_name_vi}, ngày … tháng … năm …"
        lines = [(place, get(italic=True, align="center", font_size=12, locked=False))]
        lines += [("TM. ỦY BAN NHÂN DÂN", bold), ("CHỦ TỊCH", bold)]
        for offset, (text, style) in enumerate(lines):
            self.out.merge_range(row - 1 + offset, right, row - 1 + offset, self.last, text, style)
        self.out.write_string(row, 1, "NGƯỜI LẬP BIỂU", bold)
        signed = row + 6
        self.out.write_string(signed - 1, 1, self.content.preparer or "", name)
        self.out.merge_range(signed - 1, right, signed - 1, self.last, self.content.signer or "", name)
        return signed

    def _right_block(self) -> int:
        """First column (0-based) of the block of last columns that is wide enough for a signature."""
        first, width = self.last, self.columns[-1].width
        while width < 45:
            first -= 1
            width += self.columns[first].width
        return first

    def _set_up(self, last_row: int) -> None:
        out = self.out
        out.protect("", {"format_columns": True, "format_rows": True, "select_unlocked_cells": True})
        out.freeze_panes(forms.FIRST_DATA_ROW - 1, self.sheet.column(self.sheet.row_key).no)
        out.hide_gridlines(2)
        out.set_paper(_PAPER[self.sheet.paper])
        if self.sheet.orientation == "landscape":
            out.set_landscape()
        out.set_margins(left=0.5, right=0.35, top=0.5, bottom=0.55)
        out.center_horizontally()
        out.fit_to_pages(1, 0)
        out.repeat_rows(forms.HEADER_ROWS[0] - 1, forms.NUMBER_ROW - 1)
        out.print_area(0, 0, last_row - 1, self.last)
        out.set_footer(f'&L&"{_FONT},Italic"&9{self.sheet.form_no}&R&"{_FONT},Regular"&10Trang &P/&N')


def _spans(rows: Sequence[int]) -> list[tuple[int, int]]:
    """Runs of adjoining rows as (first, last)."""
    spans: list[tuple[int, int]] = []
    for row in rows:
        if spans and spans[-1][1] == row - 1:
            spans[-1] = (spans[-1][0], row)
        else:
            spans.append((row, row))
    return spans


def _rule(column: Column, choices: str | None) -> dict[str, Any] | None:
    """What a cell of that column accepts, with the words shown on entry and on a mistake; None: any text."""
    rule: dict[str, Any]
    if choices:
        rule = {
            "validate": "list",
            "source": choices,
            "input_message": "Chọn một giá trị trong danh sách.",
            "error_message": "Chỉ chọn giá trị có trong danh sách.",
        }
    elif column.kind == "date":
        rule = {
            "validate": "date",
            "criteria": ">=",
            "value": _EARLIEST_DATE,
            "input_message": "Nhập ngày theo dạng ngày/tháng/năm, ví dụ 31/10/2025.",
            "error_message": "Ô này phải là ngày hợp lệ theo dạng ngày/tháng/năm, ví dụ 31/10/2025.",
        }
    elif column.numeric:
        rule = _number_rule(column)
    else:
        return None
    title = (column.header_2 or column.header_1)[:_EXCEL_INPUT_TITLE]
    return {"input_title": title, "error_title": "Giá trị không hợp lệ", "ignore_blank": True, **rule}


def _number_rule(column: Column) -> dict[str, Any]:
    unit = f"Đơn vị tính: {column.unit}." if column.unit != "theo ĐVT" else "Theo đơn vị tính của chỉ tiêu."
    # The header itself tells the writer of the form whether a reduction may be entered.
    signed = "(-)" in column.header_1
    how = (
        "Nhập số; tăng ghi số dương, giảm ghi số âm và nêu lý do ở cột Ghi chú."
        if signed
        else "Nhập số không âm; không có số liệu thì để trống, bằng không thì ghi 0."
    )
    bounds = (
        {"criteria": "between", "minimum": -(10**9), "maximum": 10**9} if signed else {"criteria": ">=", "value": 0}
    )
    return {
        "validate": "decimal",
        **bounds,
        "input_message": f"{unit} {how}",
        "error_message": f"{unit} {how} Không gõ chữ hoặc đơn vị tính vào ô.",
    }


def _with_previous(rule: Mapping[str, Any], column: Column, previous: int | Decimal) -> dict[str, Any]:
    text = f"Lũy kế kỳ trước: {money.group_vi(workbook.in_cell_unit(column, previous))}. {rule['input_message']}"
    return {**rule, "input_message": text[:_EXCEL_MESSAGE]}
