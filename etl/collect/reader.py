"""Reads one file into a ``Report``: sheets and columns are found by their header texts, never by position.

Nothing raises for bad data: what cannot be read is an ``Issue`` with its cell, and the rest is read on. Sources of the
rules: DOMAIN.md sections 4.2 (form) and 5 (mess).
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Sequence
from pathlib import Path

from etl.collect import days, encodings, guard, headers, identity, number_style, package, sheet, stale
from etl.collect.form_rows import Reading, read_form, upper_issues
from etl.collect.grid import ErrorValue, Grid, Uncached
from etl.collect.headers import Table
from etl.collect.identity import NOWHERE, Origin
from etl.collect.report import Issue, Report
from etl.collect.text import clean, fold
from etl.reference import forms
from etl.reference.province import Province

log = logging.getLogger(__name__)

_MILLIONS = re.compile(r"trieu|\btr\.? ?(?:d|vnd)|1\.?000\.?000 ?(?:d|vnd)")
"""Ways of writing triệu đồng (tr.đ, trđ, 1.000.000 đ)."""
_EXTENSIONS = {"xlsx": (".xlsx",), "xls": (".xls",), "ods": (".ods",), "csv": (".csv", ".txt"), "docx": (".docx",)}
TOO_MUCH = guard.Refusal(
    "M42",
    "Đọc tệp vượt giới hạn thời gian hoặc bộ nhớ.",
    "Sao chép số liệu sang biểu mẫu mới rồi gửi lại.",
)


def read(file_name: str, data: bytes, province: Province, origin: Origin = NOWHERE) -> Report:
    """The report in ``data``; ``refused`` when the guard does not let it be opened or no parser can make sense of it.

    ``origin`` is what the way of the file says of its sender. Never raises for what is in the file: one bad workbook
    stops only itself (law 3).
    """
    report = _named(file_name, data)
    # A zip that can be taken apart never comes here: its members are read in its place.
    admitted = package.refusal_of(file_name, data) if package.is_package(data) else guard.inspect(data)
    refusal = admitted if isinstance(admitted, guard.Refusal) else None
    if not isinstance(admitted, guard.Refusal):
        try:
            grids = sheet.read(data, admitted)
            report.issues += _kind_issues(report.file_name, admitted)
            _read_grids(report, grids, province, origin)
        except guard.RefusedError as error:
            refusal = error.refusal
        except (MemoryError, RecursionError):
            refusal = TOO_MUCH
        except BaseException as error:  # parsers' errors have no common base; whatever a file does, the others go on
            if not isinstance(error, Exception) and type(error).__name__ != "PanicException":  # PyO3's is no Exception
                raise
            log.warning("%s (%s) cannot be read", report.file_name, report.sha256, exc_info=error)
            refusal = guard.Refusal(
                "M39",
                "Không đọc được cấu trúc bên trong của bảng tính.",
                "Mở tệp bằng Excel, lưu lại rồi gửi lại.",
            )
    return report if refusal is None else refused(file_name, report.sha256, refusal, province, origin)


def refused(
    file_name: str, sha256: str, refusal: guard.Refusal, province: Province, origin: Origin = NOWHERE
) -> Report:
    """The report of a file that is not opened: it still belongs to somebody when its name or its way says so."""
    report = Report(file_name=Path(file_name).name, sha256=sha256, refused=True)
    named = identity.settle(report.file_name, {}, {}, province, origin)
    report.commune_code, report.period = named.commune_code, named.period
    report.budget_year, report.version_no = named.budget_year, named.version_no
    told = named.commune_code is not None and named.period is not None
    if refusal is guard.PDF and told and report.file_name.lower().endswith(".pdf"):
        # The signed paper beside the workbook: it is kept, and the figures are those of the workbook (case 46).
        report.issues.append(Issue("M46"))
    else:
        report.issues.append(Issue(refusal.rule, None, None, {"message": refusal.message, "fix": refusal.fix}))
    return report


def _named(file_name: str, data: bytes) -> Report:
    return Report(file_name=Path(file_name).name, sha256=hashlib.sha256(data).hexdigest())


def _kind_issues(file_name: str, kind: str) -> list[Issue]:
    """A name that promises another kind of file, and a Word document, are worth a remark (cases 38, 39)."""
    ending = Path(file_name).suffix.lower()
    if kind == "docx":
        return [Issue("M38-read", None, None, {"value": ending})]
    if ending in _EXTENSIONS[kind]:
        return []
    return [Issue("M39-read", None, None, {"value": ending or "không có", "expected": _EXTENSIONS[kind][0]})]


def _read_grids(report: Report, grids: Sequence[Grid], province: Province, origin: Origin) -> None:
    for grid in grids:
        report.issues += encodings.modernise(grid)
    meta = _meta(grids)
    version = _version(report, meta, grids)
    report.template_id, report.template_version = meta.get("template_id"), version.version
    reading = Reading(report, province, version)
    said: dict[str, identity.Header] = {}
    tables = [(g, t) for g in grids if g.visible and (t := headers.find(g, version)) is not None]
    for layout in version.sheets:
        chosen = _only_one(report, layout, [(g, t) for g, t in tables if t.layout is layout])
        if chosen is None:
            continue
        grid, table = chosen
        header = identity.read_header(grid, table.header_row)
        said[grid.name] = header
        report.forms[layout.form] = read_form(reading, grid, table, header)
        _check_unit(report, grid, table, header)
    report.issues += _hidden_sheets(grids, {g.name for g, _ in tables})
    settled = identity.settle(report.file_name, meta, said, province, origin)
    report.commune_code, report.period = settled.commune_code, settled.period
    report.budget_year, report.as_of, report.version_no = settled.budget_year, settled.as_of, settled.version_no
    report.issues += settled.issues
    report.issues += upper_issues(reading)
    report.issues += number_style.settle(reading.numbers)
    for grid, table, form in reading.read_forms:
        report.issues += stale.settle(grid, table, form)
    if report.period is not None:
        window = province.window(report.period, report.budget_year)
        report.issues += days.swapped([(table, form) for _, table, form in reading.read_forms], window)


def _meta(grids: Sequence[Grid]) -> dict[str, str]:
    for grid in grids:
        if grid.name == "_meta":
            return {
                str(row[0]).strip(): clean(
                    str(int(row[1]) if isinstance(row[1], float) and row[1].is_integer() else row[1])
                )
                for row in grid.rows
                if len(row) > 1 and isinstance(row[0], str) and row[0] and not isinstance(row[1], ErrorValue | Uncached)
            }
    return {}


def _version(report: Report, meta: dict[str, str], grids: Sequence[Grid]) -> forms.FormVersion:
    """The form version that ``_meta`` names; without it, the one whose headers are there."""
    written = meta.get("template_version", "")
    if written.isdigit() and int(written) in forms.versions():
        return forms.load(int(written))
    if written:
        report.issues.append(
            Issue("CK34", "_meta", None, {"value": written, "expected": "phiên bản biểu mẫu hiện hành"})
        )
        return forms.load(forms.CURRENT_VERSION)
    known = [forms.load(number) for number in forms.versions()]
    if len(known) == 1:
        return known[0]
    visible = [grid for grid in grids if grid.visible]

    def share(version: forms.FormVersion) -> tuple[float, bool]:
        found = (headers.find(grid, version) for grid in visible)
        return sum(table.share for table in found if table is not None), version.version == forms.CURRENT_VERSION

    return max(known, key=share)


def _only_one(report: Report, layout: forms.Sheet, found: list[tuple[Grid, Table]]) -> tuple[Grid, Table] | None:
    """The sheet of a form; none or several are errors (CK34, case 33)."""
    if not found:
        report.issues.append(Issue("CK34", layout.name, None, {"value": "", "expected": f"trang {layout.name}"}))
        return None
    if len(found) > 1:
        found = sorted(found, key=lambda pair: fold(pair[0].name) != fold(layout.name))
        names = ", ".join(grid.name for grid, _ in found)
        report.issues.append(Issue("M33", found[1][0].name, None, {"value": names}))
    return found[0]


def _hidden_sheets(grids: Sequence[Grid], read_sheets: set[str]) -> list[Issue]:
    return [
        Issue("M32-sheet", grid.name, None, {"value": grid.name})
        for grid in grids
        if not grid.visible and not grid.name.startswith("_") and grid.name not in read_sheets and any(grid.rows)
    ]


def _check_unit(report: Report, grid: Grid, table: Table, header: identity.Header) -> None:
    """A unit line that contradicts the form is an error; a missing one is taken from the form (case 7).

    Where columns are missing the line may have gone with them: the headers' issues say enough.
    """
    layout = table.layout
    if layout.unit_vi != "triệu đồng":
        return
    if header.unit is None:
        if len(table.columns) < len(layout.columns):
            return
        report.issues.append(Issue("M07-missing", grid.name, None, {"value": "", "expected": layout.unit_vi}))
        return
    text, cell = header.unit
    if not _MILLIONS.search(fold(text)):
        report.issues.append(Issue("M07", grid.name, cell, {"value": text, "expected": layout.unit_vi}))
