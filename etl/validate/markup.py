"""The workbook handed back: the sender's own file with the wrong cells marked in plain Vietnamese.

A first sheet *Kết quả kiểm tra* lists what was found, most important first, with links to the cells; each cell is
coloured and carries a note. Everything else in the file stays as it is (``etl.validate.marked``). Text from the file
never becomes a live formula in what is written here. Knows no warehouse: ``tiendo check`` uses it offline.
"""

from __future__ import annotations

import io
import logging
import warnings
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from etl import clock
from etl.period import Period
from etl.validate.finding import Finding
from etl.validate.marked import outside, result, workbook
from etl.validate.marked.result import Told

log = logging.getLogger(__name__)

RESULT_SHEET = result.NAME
_NEXT = {
    "accepted": (
        "Số liệu đã được ghi nhận để tổng hợp, không phải gửi lại.",
        "Cảnh báo (nếu có): kiểm tra lại ô tô vàng; nếu số liệu sai thì sửa và gửi lại tệp này, nếu đúng thì giải "
        "trình ở cột Ghi chú của kỳ sau.",
    ),
    "returned": (
        "Số liệu của tệp này CHƯA được tổng hợp.",
        "1. Bấm vào vị trí (chữ xanh) để đến ô có lỗi. Ô tô đỏ là lỗi phải sửa; ô tô vàng cần kiểm tra; ô tô xanh là "
        "lưu ý. Đưa chuột vào ô để xem ghi chú: đã ghi gì, đúng ra là gì, chênh lệch bao nhiêu, sửa thế nào.",
        "2. Sửa ngay trên tệp này rồi lưu lại (loại Excel Workbook .xlsx). Không cần xóa trang Kết quả kiểm tra, màu "
        "hay ghi chú: hệ thống tự bỏ khi nhận tệp sửa.",
    ),
    "refused": (
        "Tệp không mở được nên chưa kiểm tra số liệu. Số liệu của tệp này CHƯA được tổng hợp.",
        "1. Thực hiện theo cột Cách sửa ở bảng trên để có tệp Excel đúng biểu mẫu.",
    ),
}
_FIXED_DAY = datetime(2025, 1, 1)  # noqa: DTZ001 - no time zone in a workbook; the same bytes every time
_LARGEST_REWRITTEN = 30_000_000
"""Bytes unpacked: a library takes a second for every few megabytes."""
_SEND = "{number}. Gửi lại bằng đúng cách đã gửi{where}{due}."


@dataclass(frozen=True)
class Judgement:
    """What is told to the sender of one file.

    ``period`` is ``2025-10``. ``notices``: what the sender must know beside the findings (another office's report, a
    late revision). ``send_to``: where to send the corrected file; ``due_on``: until when.
    """

    file_name: str
    sha256: str
    verdict: str
    received_at: datetime
    findings: Sequence[Finding]
    period: str | None = None
    commune: str | None = None
    version: int | None = None
    notices: Sequence[str] = ()
    send_to: str | None = None
    due_on: date | None = None


def mark(data: bytes, judgement: Judgement) -> bytes:
    """The marked-up .xlsx; for a file that could not be opened, a workbook with the result sheet alone.

    Deterministic. Never raises for what the sender's file is like: a package that cannot be edited in place is written
    anew by a library first, other kinds (.xls, .ods, .csv) are set out as plain sheets, and when that fails too the
    sender still gets the list.
    """
    told = _told(judgement)
    if judgement.verdict != "refused":
        is_package = data[:2] == b"PK" and b"xl/workbook" in data
        for attempt in (_in_place, _rewritten, _set_out) if is_package else (_set_out,):
            try:
                return attempt(data, told)
            except Exception as error:  # what may be wrong with a file has no common base
                log.info("%s %s: %r", judgement.sha256, attempt.__name__, error)
        log.warning("%s cannot be marked up: the result goes back alone", judgement.sha256)
    return workbook.mark(_empty(), told, alone=True)


def _told(judgement: Judgement) -> Told:
    period = f"Tháng {Period.parse(judgement.period).month}/{judgement.period[:4]}" if judgement.period else ""
    unit = [t for t in (judgement.commune, f"Kỳ báo cáo: {period}" if period else "") if t]
    if judgement.version:
        unit.append(f"Lần gửi thứ {judgement.version}")
    head = [
        f"Tệp: {judgement.file_name}",
        *([f"Đơn vị: {' · '.join(unit)}" if judgement.commune else " · ".join(unit)] if unit else []),
        f"Nhận lúc: {clock.show(judgement.received_at)} · Mã kiểm tra (sha256): {judgement.sha256}",
    ]
    closing = list(_NEXT[judgement.verdict])
    if judgement.verdict != "accepted":
        number = 3 if judgement.verdict == "returned" else 2
        where = f" hoặc tới {judgement.send_to}" if judgement.send_to else " (trả lời thư hoặc thư mục nộp báo cáo)"
        due = f", trước hết ngày {clock.show_date(judgement.due_on)}" if judgement.due_on else ""
        closing.append(_SEND.format(number=number, where=where, due=due))
    return Told(judgement.verdict, head, list(judgement.notices), closing, judgement.findings, period)


def _in_place(data: bytes, told: Told) -> bytes:
    return workbook.mark(data, told)


def _rewritten(data: bytes, told: Told) -> bytes:
    """A workbook whose package is odd, written anew by a library: cells, formats and notes stay, drawings may not."""
    from openpyxl import load_workbook

    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if sum(entry.file_size for entry in archive.infolist()) > _LARGEST_REWRITTEN:
            raise ValueError("too large for a library")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        book = load_workbook(io.BytesIO(data), rich_text=True, keep_links=False)
    buffer = io.BytesIO()
    book.save(buffer)
    return workbook.mark(buffer.getvalue(), told)


def _set_out(data: bytes, told: Told) -> bytes:
    """Other kinds of workbook: their values as plain sheets, each value in the cell where it stood."""
    from etl.collect import sheet

    return workbook.mark(_plain_book(sheet.read(data)), told)


def _plain_book(grids: Sequence[Any]) -> bytes:
    """The grids as .xlsx, in the look of an official table."""
    import xlsxwriter

    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(
        buffer,
        {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False,
         "nan_inf_to_errors": True},
    )  # fmt: skip
    book.set_properties({"created": _FIXED_DAY})
    base = {"font_name": "Times New Roman", "font_size": 11, "valign": "vcenter"}
    formats = {
        "text": book.add_format({**base, "text_wrap": True, "border": 1, "border_color": "#BFBFBF", "num_format": "@"}),
        "free": book.add_format({**base, "num_format": "@"}),
        "number": book.add_format({**base, "num_format": "#,##0.0#####", "border": 1, "border_color": "#BFBFBF"}),
        "whole": book.add_format({**base, "num_format": "#,##0", "border": 1, "border_color": "#BFBFBF"}),
        "date": book.add_format({**base, "num_format": "dd/mm/yyyy", "border": 1, "border_color": "#BFBFBF"}),
        "title": book.add_format({**base, "bold": True, "align": "center", "text_wrap": True, "border": 1}),
    }
    names: set[str] = set()
    for number, grid in enumerate(grids, 1):
        sheet = book.add_worksheet(_sheet_name(grid.name, number, names))
        _set_out_sheet(sheet, grid, formats)
        if not grid.visible and number > 1:
            sheet.hide()
    book.close()
    return buffer.getvalue()


def _set_out_sheet(sheet: Any, grid: Any, formats: dict[str, Any]) -> None:
    widths: dict[int, int] = {}
    for r, line in enumerate(grid.rows):
        table = sum(v not in (None, "") for v in line) > 2
        for c, value in enumerate(line):
            text = _plain_value(sheet, r, c, value, formats, table)
            if table and text:
                widths[c] = max(widths.get(c, 8), min(len(text) + 2, 40))
    for c, width in widths.items():
        sheet.set_column(c, c, width)
    for (top, left), (bottom, right) in grid.merged:
        if (top, left) != (bottom, right):
            value = grid.at(top, left)
            sheet.merge_range(top, left, bottom, right, "", formats["title"])
            _plain_value(sheet, top, left, value, {**formats, "text": formats["title"], "free": formats["title"]}, True)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)


def _plain_value(sheet: Any, r: int, c: int, value: Any, formats: dict[str, Any], table: bool) -> str:
    """Write one value and return its text; a formula never, its stored value or its text instead."""
    if value is None or value == "":
        if table:
            sheet.write_blank(r, c, None, formats["text"])
        return ""
    if isinstance(value, bool):
        sheet.write_boolean(r, c, value)
        return str(value)
    if isinstance(value, int | float | Decimal):
        number = float(value)
        sheet.write_number(r, c, number, formats["whole" if number % 1 == 0 else "number"])
        return str(value)
    if isinstance(value, datetime):
        sheet.write_datetime(r, c, value.replace(tzinfo=None), formats["date"])
        return clock.show_date(value.date())
    if isinstance(value, date):
        sheet.write_datetime(r, c, datetime.combine(value, datetime.min.time()), formats["date"])
        return clock.show_date(value)
    text = str(getattr(value, "text", getattr(value, "formula", value)))
    if hasattr(value, "formula"):
        text = outside.disarmed(text)
    sheet.write_string(r, c, text[:32_000], formats["text" if table else "free"])
    return text


def _sheet_name(name: str, number: int, taken: set[str]) -> str:
    """The sheet's own name where a workbook admits it."""
    clean = "".join("_" if char in "[]:*?/\\" else char for char in name).strip("'")[:31] or f"Trang {number}"
    if clean.lower() in taken:
        clean = f"{clean[:26]} ({number})"
    taken.add(clean.lower())
    return clean


def _empty() -> bytes:
    """A workbook with one blank sheet, which gives way to the result."""
    import xlsxwriter

    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    book.set_properties({"created": _FIXED_DAY})
    book.add_worksheet("x")
    book.close()
    return buffer.getvalue()
