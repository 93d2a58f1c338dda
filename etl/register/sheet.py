"""A small form as a workbook: questions on top, a table with drop-down lists under them; written and read back.

Which cell holds what travels with the file (hidden sheet ``_meta``), so that a file that was filled in is read by what
it says of itself. What is not to be filled in is locked. The same content gives the same bytes.
"""

from __future__ import annotations

import io
import json
import unicodedata
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from etl.collect import guard
from etl.directives.folding import key
from etl.errors import UsageError

META = "_meta"
_FORM = "Biểu"
_LISTS = "_danhmuc"
_FONT = {"font_name": "Times New Roman", "font_size": 11, "valign": "top", "text_wrap": True}
_INPUT = {"bg_color": "#FFFBE6", "locked": False, "border": 1}
_HEADER = {"bold": True, "bg_color": "#E8EEF4", "border": 1, "align": "center"}
_SPARE_ROWS = 200
_SERIALS = (36526, 73050)
"""Days of 2000 to 2099 as a spreadsheet counts them."""
_WRITTEN = datetime(2025, 7, 1)  # noqa: DTZ001 - a property of the document, the same in every file


@dataclass(frozen=True)
class Column:
    """One column of the table. ``choices`` names a list; ``is_input``: to be filled in."""

    key: str
    title: str
    width: int
    is_input: bool = False
    choices: str | None = None
    kind: str = "text"


@dataclass(frozen=True)
class Question:
    """A line above the table: label, key and what is known of the answer."""

    key: str
    label: str
    value: str | date | None = None
    choices: str | None = None


@dataclass(frozen=True)
class Form:
    """``kind`` and ``meta`` come back with the file; ``rows`` by column key, in order."""

    kind: str
    title: str
    notes: Sequence[str]
    questions: Sequence[Question]
    columns: Sequence[Column]
    rows: Sequence[Mapping[str, Any]]
    lists: Mapping[str, Sequence[str]] = field(default_factory=dict)
    meta: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Entry:
    """What a person left in a cell; ``value`` is text without blanks around it, a date, a number, or None."""

    cell: str
    value: Any


@dataclass(frozen=True)
class Filled:
    """A form read back: ``answers`` by question, ``rows`` by column key."""

    meta: dict[str, Any]
    answers: dict[str, Entry]
    rows: list[dict[str, Entry]]


def write(form: Form) -> bytes:
    """The workbook of a form."""
    import xlsxwriter
    from xlsxwriter.utility import xl_range_abs, xl_rowcol_to_cell

    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    book.set_properties({"title": form.title, "created": _WRITTEN})
    plain = book.add_format({**_FONT, "border": 1})
    free, header = book.add_format({**_FONT, **_INPUT}), book.add_format({**_FONT, **_HEADER})
    free_day = book.add_format({**_FONT, **_INPUT, "num_format": "dd/mm/yyyy"})
    day = book.add_format({**_FONT, "border": 1, "num_format": "dd/mm/yyyy"})
    label, note = book.add_format({**_FONT, "bold": True}), book.add_format({**_FONT, "italic": True})
    heading = book.add_format({"font_name": "Times New Roman", "font_size": 14, "bold": True})

    sheet, hidden, meta = book.add_worksheet(_FORM), book.add_worksheet(_LISTS), book.add_worksheet(META)
    hidden.hide()
    meta.hide()
    sources = {}
    for number, (name, choices) in enumerate(form.lists.items()):
        hidden.write_column(0, number, choices)
        sources[name] = f"={_LISTS}!{xl_range_abs(0, number, max(len(choices) - 1, 0), number)}"

    def put(row: int, column: int, value: Any, text_format: Any, day_format: Any) -> None:
        if isinstance(value, date):
            sheet.write_datetime(row, column, datetime(value.year, value.month, value.day), day_format)  # noqa: DTZ001
        elif isinstance(value, int):
            sheet.write_number(row, column, value, text_format)
        elif value in (None, ""):
            sheet.write_blank(row, column, None, text_format)
        else:
            sheet.write_string(row, column, str(value), text_format)

    sheet.write_string(0, 0, form.title, heading)
    row = 1
    last = len(form.columns) - 1
    for text in form.notes:
        sheet.merge_range(row, 0, row, last, text, note)
        sheet.set_row(row, 15 * (1 + len(text) // 150))
        row += 1
    answers = {}
    for question in form.questions:
        sheet.merge_range(row, 0, row, 2, question.label, label)
        sheet.merge_range(row, 3, row, min(5, last), "", free)
        put(row, 3, question.value, free, free_day)
        if question.choices:
            sheet.data_validation(row, 3, row, 3, {"validate": "list", "source": sources[question.choices]})
        answers[question.key] = xl_rowcol_to_cell(row, 3)
        row += 1
    row += 1
    for place, column in enumerate(form.columns):
        sheet.write_string(row, place, column.title, header)
        sheet.set_column(place, place, column.width)
        if column.choices:
            where = (row + 1, place, row + max(len(form.rows), 1), place)
            sheet.data_validation(*where, {"validate": "list", "source": sources[column.choices]})
    for number, values in enumerate(form.rows, row + 1):
        for place, column in enumerate(form.columns):
            as_text, as_day = (free, free_day) if column.is_input else (plain, day)
            is_day = column.kind == "date"
            put(number, place, values.get(column.key), as_day if is_day else as_text, as_day if is_day else as_text)
    sheet.freeze_panes(row + 1, 2)
    sheet.protect("", {"format_columns": True, "format_rows": True, "autofilter": True})
    sheet.set_landscape()
    sheet.set_paper(8)
    sheet.fit_to_pages(1, 0)
    layout = {"keys": [c.key for c in form.columns], "header_row": row + 1, "answers": answers, "rows": len(form.rows)}
    meta.write_string(0, 0, json.dumps({"kind": form.kind, **form.meta, "layout": layout}, ensure_ascii=False))
    book.close()
    return buffer.getvalue()


def kind_of(data: bytes) -> str | None:
    """The kind of form that a workbook says it is; None for what is no workbook of ours."""
    if guard.inspect(data) != "xlsx":
        return None
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = load_workbook(io.BytesIO(data), read_only=True)
        return str(json.loads(str(book[META]["A1"].value))["kind"])
    except (KeyError, TypeError, AttributeError, ValueError, zipfile.BadZipFile, InvalidFileException):
        return None


def read(name: str, data: bytes, kind: str) -> Filled:
    """What was filled in. Raises UsageError for a file that is no form of this kind, that the guard refuses, or with
    formulas that no program has worked out: their values are not in it."""
    refusal = guard.inspect(data)
    if isinstance(refusal, guard.Refusal):
        raise UsageError(f"{name}: {refusal.message} {refusal.fix}")
    stranger = UsageError(f"{name}: không phải biểu do hệ thống Tiến độ lập; hãy điền vào đúng tệp đã nhận.")
    if refusal in ("xls", "ods", "xlsb"):
        raise UsageError(f"{name}: tệp đã bị lưu sang định dạng khác (.{refusal}); lưu lại thành .xlsx rồi gửi lại.")
    if refusal != "xlsx":
        raise stranger
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = load_workbook(io.BytesIO(data), data_only=True)
        meta = json.loads(str(book[META]["A1"].value))
        layout = meta.pop("layout")
        where = _FORM if _FORM in book.sheetnames else book.sheetnames[0]
        sheet = book[where]
        if meta["kind"] != kind:
            raise stranger
        formulas = load_workbook(io.BytesIO(data))[where]
        lost = [
            cell.coordinate
            for line in formulas.iter_rows(
                max_row=min(formulas.max_row, layout["header_row"] + layout["rows"] + _SPARE_ROWS)
            )
            for cell in line
            if cell.data_type == "f" and sheet[cell.coordinate].value is None
        ]
        if lost:
            raise UsageError(
                f"{name}: các ô {', '.join(lost[:20])} là công thức chưa có kết quả; ghi giá trị vào ô, hoặc mở bằng "
                "Excel, lưu lại rồi gửi lại."
            )
        answers = {key: Entry(cell, _value(sheet[cell].value)) for key, cell in layout["answers"].items()}
        rows = []
        first = layout["header_row"] + 1
        for number in range(first, min(sheet.max_row, first + layout["rows"] + _SPARE_ROWS) + 1):
            entries = {}
            for place, key in enumerate(layout["keys"], 1):
                cell = sheet.cell(number, place)
                entries[key] = Entry(cell.coordinate, _value(cell.value))
            if any(entry.value is not None for entry in entries.values()):
                rows.append(entries)
    except (KeyError, IndexError, TypeError, AttributeError, ValueError, zipfile.BadZipFile, InvalidFileException) as e:
        raise stranger from e
    return Filled(meta, answers, rows)


def _value(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, str):
        return unicodedata.normalize("NFC", " ".join(value.split())) or None
    return value


def day_of(entry: Entry, problems: list[str]) -> date | None:
    """A date, also one typed as 31/10/2025 or in a cell that lost its format; what is none is a problem."""
    if entry.value is None or isinstance(entry.value, date):
        return entry.value
    if isinstance(entry.value, int | float) and _SERIALS[0] <= entry.value <= _SERIALS[1]:
        return date(1899, 12, 30) + timedelta(int(entry.value))
    text = str(entry.value).lower().removeprefix("ngày").strip().removesuffix("00:00:00").strip().replace(" ", "")
    for pattern in ("%d/%m/%Y", "%Y-%m-%d", "%d-%m-%Y", "%d.%m.%Y"):
        try:
            return datetime.strptime(text, pattern).date()  # noqa: DTZ007
        except ValueError:
            continue
    problems.append(f"Ô {entry.cell}: “{entry.value}” không phải là ngày; ghi theo mẫu 31/10/2025.")
    return None


def choice(entry: Entry, words: Mapping[str, Any], problems: list[str]) -> Any:
    """The meaning of a word of a list, however it was typed (capitals, marks, spaces); what is none is a problem."""
    if entry.value is None:
        return None
    meanings = {key(word): meaning for word, meaning in words.items()}
    typed = key(str(entry.value))
    if typed not in meanings:
        problems.append(
            f"Ô {entry.cell}: “{entry.value}” không có trong danh sách; chọn một trong: {'; '.join(words)}."
        )
    return meanings.get(typed)


def number_of(entry: Entry, problems: list[str]) -> int | None:
    """A whole number; what is none is a problem."""
    if entry.value is None:
        return None
    try:
        number = float(str(entry.value))
        if number == int(number):
            return int(number)
    except (ValueError, OverflowError):  # no number at all, or one without end: told below
        pass
    problems.append(f"Ô {entry.cell}: “{entry.value}” không phải là số nguyên; ghi bằng chữ số, ví dụ 25.")
    return None
