"""The workbook handed back: the sender's own file with the wrong cells marked in plain Vietnamese.

A first sheet *Kết quả kiểm tra* lists what was found, most important first, with links to the cells; each cell is
coloured and carries a note. Text from the file never becomes a live formula in what is written here.
"""

from __future__ import annotations

import io
import logging
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from openpyxl import Workbook, load_workbook
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.worksheet.worksheet import Worksheet

from etl import clock
from etl.collect import archive
from etl.load.warehouse import Connection
from etl.validate.finding import Finding

log = logging.getLogger(__name__)

RESULT_SHEET = "Kết quả kiểm tra"
FOLDER = "tra-lai"
_LONGEST_NAME = 60
_COLOURS = {"error": "FFC7CE", "warning": "FFEB9C", "info": "DDEBF7"}
_LABELS = {"error": "Lỗi", "warning": "Cảnh báo", "info": "Lưu ý"}
_VERDICTS = {
    "accepted": "ĐÃ TIẾP NHẬN",
    "returned": "TRẢ LẠI ĐỂ SỬA",
    "refused": "KHÔNG TIẾP NHẬN",
}
_NEXT = {
    "accepted": "Số liệu đã được tổng hợp. Cảnh báo (nếu có) đề nghị kiểm tra, giải trình ở cột ghi chú kỳ sau.",
    "returned": "Số liệu chưa được tổng hợp. Đề nghị sửa các ô tô đỏ ngay trên tệp này, lưu lại và gửi lại.",
    "refused": "Tệp không mở được nên chưa kiểm tra số liệu. Đề nghị thực hiện theo hướng dẫn bên dưới và gửi lại.",
}
_THIN = Border(*(Side(style="thin", color="999999"),) * 4)


@dataclass(frozen=True)
class Judgement:
    """What is told to the sender of one file."""

    file_name: str
    sha256: str
    verdict: str
    received_at: datetime
    findings: Sequence[Finding]


def mark(data: bytes, judgement: Judgement) -> bytes:
    """The marked-up .xlsx; for a file that could not be opened, a workbook with the result sheet alone."""
    book = None if judgement.verdict == "refused" else _opened(data, judgement.sha256)
    if book is None:
        book = Workbook()
        book.remove(book.worksheets[0])
    else:
        _mark_cells(book, judgement.findings)
    _result_sheet(book, judgement)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _opened(data: bytes, sha256: str) -> Workbook | None:
    """The sender's workbook; None when it can be read for its figures but not written again."""
    try:
        return load_workbook(io.BytesIO(data))
    except Exception as error:  # openpyxl's errors have no common base; the sender still gets the list of findings
        log.warning("%s cannot be marked up", sha256, exc_info=error)
        return None


def _mark_cells(book: Workbook, findings: Iterable[Finding]) -> None:
    by_cell: dict[tuple[str, str], list[Finding]] = defaultdict(list)
    for finding in findings:
        if finding.sheet in book.sheetnames and finding.cell:
            by_cell[finding.sheet, finding.cell].append(finding)
    for (sheet, address), found in by_cell.items():
        worksheet = book[sheet]
        cell = _anchor(worksheet, address)
        cell.fill = PatternFill("solid", fgColor=_COLOURS[found[0].severity])
        text = "\n".join(f"{_LABELS[f.severity]} {f.rule}: {f.message}\nCách sửa: {f.fix}" for f in found)
        cell.comment = Comment(text, "Tiến độ", width=360, height=60 + 40 * len(found))


def _anchor(worksheet: Worksheet, address: str) -> Any:
    """The cell, or the first one of the merged range that it lies in (others cannot be written)."""
    for merged in worksheet.merged_cells.ranges:
        if address in merged:
            return worksheet.cell(merged.min_row, merged.min_col)
    return worksheet[address]


def _result_sheet(book: Workbook, judgement: Judgement) -> None:
    if RESULT_SHEET in book.sheetnames:
        book.remove(book[RESULT_SHEET])  # the sender returned an earlier result; it is out of date
    sheet = book.create_sheet(RESULT_SHEET, 0)
    book.active = 0
    for other in book.worksheets[1:]:
        other.sheet_view.tabSelected = False
    errors = sum(f.severity == "error" for f in judgement.findings)
    warnings = sum(f.severity == "warning" for f in judgement.findings)
    _text(sheet, 1, 1, f"KẾT QUẢ KIỂM TRA: {_VERDICTS[judgement.verdict]}", bold=True, size=14)
    _text(sheet, 2, 1, f"Tệp: {judgement.file_name}")
    _text(sheet, 3, 1, f"Nhận lúc: {clock.show(judgement.received_at)}   Mã kiểm (sha256): {judgement.sha256}")
    _text(sheet, 4, 1, f"{errors} lỗi, {warnings} cảnh báo. {_NEXT[judgement.verdict]}", wrap=True)
    sheet.merge_cells("A4:F4")
    sheet.row_dimensions[4].height = 34
    for column, title in enumerate(("STT", "Mức độ", "Vị trí", "Nội dung", "Cách sửa", "Mã quy tắc"), 1):
        cell = _text(sheet, 6, column, title, bold=True, border=True)
        cell.fill = PatternFill("solid", fgColor="D9D9D9")
    for number, finding in enumerate(judgement.findings, 1):
        row = 6 + number
        sheet.cell(row, 1, number).border = _THIN
        level = _text(sheet, row, 2, _LABELS[finding.severity], border=True)
        level.fill = PatternFill("solid", fgColor=_COLOURS[finding.severity])
        place = f"{finding.sheet}!{finding.cell}" if finding.cell else (finding.sheet or "Cả tệp")
        spot = _text(sheet, row, 3, place, border=True)
        if finding.sheet in book.sheetnames and finding.cell:
            spot.hyperlink = f"#'{finding.sheet}'!{finding.cell}"
            spot.font = Font(name="Times New Roman", size=12, color="0563C1", underline="single")
        _text(sheet, row, 4, finding.message, wrap=True, border=True)
        _text(sheet, row, 5, finding.fix, wrap=True, border=True)
        _text(sheet, row, 6, finding.rule, border=True)
        longest = max(len(finding.message) / 62, len(finding.fix) / 46)
        sheet.row_dimensions[row].height = 17 * (int(longest) + 1)
    for letter, width in zip("ABCDEF", (6, 11, 22, 62, 46, 12), strict=True):
        sheet.column_dimensions[letter].width = width
    sheet.freeze_panes = "A7"
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True


def _text(
    sheet: Worksheet,
    row: int,
    column: int,
    text: str,
    *,
    bold: bool = False,
    size: int = 12,
    wrap: bool = False,
    border: bool = False,
) -> Any:
    cell = sheet.cell(row, column, text)
    cell.data_type = "s"  # a text that begins with "=" stays a text
    cell.font = Font(name="Times New Roman", size=size, bold=bold)
    cell.alignment = Alignment(wrap_text=wrap, vertical="top")
    if border:
        cell.border = _THIN
    return cell


def write(path: Path, data: bytes) -> None:
    """Write beside and rename: the file is there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", delete=False) as handle:
        handle.write(data)
    Path(handle.name).chmod(0o644)
    Path(handle.name).replace(path)


def write_all(connection: Connection, archive_dir: Path, out_dir: Path, _now: datetime) -> dict[str, Any]:
    """One marked-up workbook for every submission with findings that has none yet; where they are."""
    written = waiting = 0
    folders: set[str] = set()
    for submission_id, sha256, file_name, verdict, period, received_at in connection.execute(
        """
        select s.submission_id, s.sha256, s.file_name, s.verdict, s.period, s.received_at
        from raw.submission as s
        where s.verdict <> 'accepted' or exists (
            select 1 from core.finding as f where f.submission_id = s.submission_id
        )
        order by s.submission_id
        """
    ).fetchall():
        waiting += 1
        folder = out_dir / (period or "khong-ro-ky") / FOLDER
        folders.add(str(folder))
        path = folder / f"{Path(file_name).stem[:_LONGEST_NAME]}.{sha256[:8]}.ket-qua.xlsx"
        if path.exists():
            continue
        findings = findings_of(connection, submission_id)
        judgement = Judgement(file_name, sha256, verdict, received_at, findings)
        write(path, mark(archive.fetch(archive_dir, sha256), judgement))
        written += 1
    return {"written": written, "with_findings": waiting, "folders": sorted(folders)}


def findings_of(connection: Connection, submission_id: int) -> list[Finding]:
    return [
        Finding(*row)
        for row in connection.execute(
            """
            select rule_id, severity, sheet, cell, value, expected, difference, message_vi, fix_vi
            from core.finding where submission_id = %s order by finding_no
            """,
            (submission_id,),
        ).fetchall()
    ]
