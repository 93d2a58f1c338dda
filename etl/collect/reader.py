"""Reads one workbook into a ``Report``: sheets and columns are found by their header texts, never by position.

Nothing raises for bad data: what cannot be read is an ``Issue`` with its cell, and the rest is read on. Sources of the
rules: DOMAIN.md sections 4.2 (form) and 5 (mess).
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from itertools import zip_longest
from pathlib import Path

from etl.collect import cells, guard, identity, sheet
from etl.collect.formula import index_to_letters
from etl.collect.report import Form, Issue, Report, Row
from etl.collect.sheet import ErrorValue, Grid, Uncached
from etl.collect.text import clean, fold, fold_code
from etl.money import exact, trieu_to_vnd
from etl.reference import forms
from etl.reference.province import Province, split_line_code

log = logging.getLogger(__name__)

_HEADER_SEARCH_ROWS = 40
_NUMBER_LABEL = re.compile(r"\(\d+\)(\s*=.*)?")
_BLANKS = r"[\s\d._…]*"
_END = re.compile(
    r"(nguoi lap bieu|noi nhan|tm\. uy ban|tm\. ubnd|k/?t\. |chu tich$|ghi chu:)"
    rf"|[^,]{{2,40}}, ngay{_BLANKS}thang{_BLANKS}nam{_BLANKS}$"
)
_TOTAL = re.compile(r"^(tong cong|tong so|cong|tong)\s*:?$")
_NOT_KEY = re.compile(r"[^a-z0-9%+]")
_MATCHED_SHARE = 0.6
_FEWEST_HEADERS = 3
_LONGEST_HEADER = 200
_LARGEST = float(cells.LARGEST)
_WAYS = {"money": "money", "quantity": "number", "percent": "number", "code": "code", "date": "date", "enum": "enum"}


@dataclass(frozen=True)
class _Table:
    """Where a form's table is: rows from 0; ``columns`` layout key -> column index."""

    layout: forms.Sheet
    header_row: int
    first_row: int
    columns: dict[str, int]
    unknown: tuple[tuple[str, str], ...]
    """Cell and text of every header that the form does not have."""

    @cached_property
    def plan(self) -> tuple[tuple[str, int | None, str, forms.Column], ...]:
        """(layout key, column index or None, way of reading, column) of every column of the form."""
        return tuple((c.key, self.columns.get(c.key), _WAYS.get(c.kind, "text"), c) for c in self.layout.columns)

    @cached_property
    def numeric_keys(self) -> tuple[str, ...]:
        """Those of the form's numeric columns that are there."""
        return tuple(key for key in self.layout.numeric_keys if key in self.columns)


def read(file_name: str, data: bytes, province: Province) -> Report:
    """The report in ``data``; ``refused`` when the guard does not let it be opened or no parser can make sense of it.

    Never raises for what is in the file: one bad workbook stops only itself (law 3).
    """
    report = _named(file_name, data)
    refusal = guard.inspect(data)
    if refusal is None:
        try:
            _read_grids(report, sheet.read(data), province)
        except Exception as error:  # parsers' errors have no common base; whatever the file does, the others go on
            log.warning("%s (%s) cannot be read", report.file_name, report.sha256, exc_info=error)
            report = _named(file_name, data)
            refusal = guard.Refusal(
                "M39",
                f"Không đọc được cấu trúc bảng tính ({type(error).__name__}).",
                "Mở tệp bằng Excel, lưu lại rồi gửi lại.",
            )
    if refusal is not None:
        report.refused = True
        report.issues.append(Issue(refusal.rule, None, None, {"message": refusal.message, "fix": refusal.fix}))
        _identify_refused(report, province)
    return report


def _named(file_name: str, data: bytes) -> Report:
    return Report(file_name=Path(file_name).name, sha256=hashlib.sha256(data).hexdigest())


def _identify_refused(report: Report, province: Province) -> None:
    """A refused file still belongs to somebody when its name says so."""
    named = identity.settle(report.file_name, {}, {}, province)
    report.commune_code, report.period = named.commune_code, named.period
    report.budget_year, report.version_no = named.budget_year, named.version_no


def _read_grids(report: Report, grids: Sequence[Grid], province: Province) -> None:
    meta = _meta(grids)
    report.template_id = meta.get("template_id")
    version = meta.get("template_version", "")
    report.template_version = int(version) if version.isdigit() else forms.CURRENT_VERSION
    if report.template_version not in forms.versions():
        report.issues.append(
            Issue("CK34", "_meta", None, {"value": version, "expected": "phiên bản biểu mẫu hiện hành"})
        )
        report.template_version = forms.CURRENT_VERSION
    layout = forms.load(report.template_version)
    headers: dict[str, identity.Header] = {}
    tables = [(grid, _find_tables(grid, layout)) for grid in grids if grid.visible]
    for form_layout in layout.sheets:
        found = [(grid, by_form[form_layout.form]) for grid, by_form in tables if form_layout.form in by_form]
        if not found:
            report.issues.append(
                Issue("CK34", form_layout.name, None, {"value": "", "expected": f"trang {form_layout.name}"})
            )
            continue
        if len(found) > 1:
            same_name = [(g, t) for g, t in found if fold(g.name) == fold(form_layout.name)]
            names = ", ".join(g.name for g, _ in found)
            report.issues.append(Issue("M33", found[1][0].name, None, {"value": names}))
            found = same_name or found
        grid, table = found[0]
        header = identity.read_header(grid, table.header_row)
        headers[grid.name] = header
        report.forms[form_layout.form] = _read_form(report, grid, table, header)
        _check_unit(report, grid, form_layout, header)
    settled = identity.settle(report.file_name, meta, headers, province)
    report.commune_code, report.period = settled.commune_code, settled.period
    report.budget_year, report.as_of, report.version_no = (
        settled.budget_year,
        settled.as_of,
        settled.version_no,
    )
    report.issues += settled.issues


def _meta(grids: Sequence[Grid]) -> dict[str, str]:
    for grid in grids:
        if grid.name == "_meta":
            return {
                str(row[0]).strip(): clean(str(int(row[1]) if isinstance(row[1], float) else row[1]))
                for row in grid.rows
                if len(row) > 1 and isinstance(row[0], str) and row[0] and not isinstance(row[1], ErrorValue | Uncached)
            }
    return {}


def _check_unit(report: Report, grid: Grid, layout: forms.Sheet, header: identity.Header) -> None:
    """A unit line that contradicts the form is an error (case 7); a missing one is taken from the form."""
    if layout.unit_vi != "triệu đồng" or header.unit is None:
        return
    text, cell = header.unit
    if fold(layout.unit_vi) not in text:
        report.issues.append(Issue("M07", grid.name, cell, {"value": text, "expected": layout.unit_vi}))


@lru_cache(maxsize=4096)
def _key_part(header: str) -> str:
    """A header text as matching key: letters and digits only."""
    return _NOT_KEY.sub("", fold(header))


@lru_cache(maxsize=4096)
def _what_is(text: str) -> str:
    """What a text tells about its row: ``end`` of the table, ``total`` row, ``number`` row of the header, ``blank``."""
    folded = fold(text)
    if not text.strip():
        return "blank"
    if _END.match(folded):
        return "end"
    if _TOTAL.match(folded):
        return "total"
    return "number" if _NUMBER_LABEL.fullmatch(clean(text)) else ""


@cache
def _wanted(version: int, form: str) -> dict[tuple[str, str], str]:
    """Both header rows as matching keys -> layout key."""
    columns = forms.load(version).sheet(form).columns
    return {(_key_part(c.header_1), _key_part(c.header_2)): c.key for c in columns}


@cache
def _first_headers(version: int) -> frozenset[str]:
    return frozenset(_key_part(c.header_1) for s in forms.load(version).sheets for c in s.columns)


def _find_tables(grid: Grid, version: forms.FormVersion) -> dict[str, _Table]:
    """The form whose headers stand in this sheet, by form name; empty when the sheet is none of the forms.

    A header row is one in which at least three cells are known headers of any form. Biểu 01 and 05 share their first
    columns: the form of which the greater share of headers is there has the sheet.
    """
    known = _first_headers(version.version)
    best: tuple[float, _Table] | None = None
    for row in range(min(_HEADER_SEARCH_ROWS, len(grid.rows))):
        if best and best[0] == 1:
            break
        texts = [v for v in grid.rows[row] if isinstance(v, str) and v and len(v) < _LONGEST_HEADER]
        if len(texts) < _FEWEST_HEADERS or sum(_key_part(v) in known for v in texts) < _FEWEST_HEADERS:
            continue
        upper, lower = _header_texts(grid, row), _header_texts(grid, row + 1)
        for layout in version.sheets:
            columns, unknown = _match_headers(version.version, layout.form, upper, lower)
            share = len(columns) / len(layout.columns)
            if share >= _MATCHED_SHARE and (best is None or share > best[0]):
                titles = tuple((f"{index_to_letters(c)}{row + below}", title) for c, below, title in unknown)
                has_second = any(c.header_2 for c in layout.columns)
                best = (share, _Table(layout, row, row + (2 if has_second else 1), columns, titles))
    return {best[1].layout.form: best[1]} if best else {}


def _header_texts(grid: Grid, row: int) -> tuple[str, ...]:
    line = grid.rows[row] if row < len(grid.rows) else []
    return tuple(value if isinstance(value, str) else "" for value in line)


@lru_cache(maxsize=1024)
def _match_headers(
    version: int, form: str, upper_row: tuple[str, ...], lower_row: tuple[str, ...]
) -> tuple[dict[str, int], tuple[tuple[int, int, str], ...]]:
    """Layout key -> column index; (column index, 1 or 2 for the header row, text) of headers the form does not have.

    Kept, since nearly all workbooks have the same two rows.
    """
    wanted = _wanted(version, form)
    columns: dict[str, int] = {}
    unknown: list[tuple[int, int, str]] = []
    group = ""
    for column, texts in enumerate(zip_longest(upper_row, lower_row, fillvalue="")):
        upper, lower = map(clean, texts)
        if _NUMBER_LABEL.fullmatch(lower):
            lower = ""
        group = upper or (group if lower else "")
        if not group and not lower:
            continue
        key = wanted.get((_key_part(group), _key_part(lower)))
        if key and key not in columns:
            columns[key] = column
        else:
            unknown.append((column, 2 if lower else 1, f"{group} - {lower}" if lower else group))
    return columns, tuple(unknown)


def _read_form(report: Report, grid: Grid, table: _Table, header: identity.Header) -> Form:
    layout = table.layout
    form = Form(
        layout.form,
        grid.name,
        {key: index_to_letters(c) for key, c in table.columns.items()},
        [],
        header.nothing_to_report,
    )
    report.issues += _header_issues(grid, table)
    _fill_merged(grid, table)
    past_total = False
    for r in range(table.first_row, len(grid.rows)):
        line = grid.rows[r]
        told = {_what_is(v) for v in line if isinstance(v, str) and v}
        if "end" in told:
            break
        if told <= {"blank"} and all(v is None or isinstance(v, str) for v in line):
            continue
        row = _read_row(report, grid, table, form, r, past_total)
        if row is not None:
            past_total = past_total or row.role == "total"
            form.rows.append(row)
    return form


def _header_issues(grid: Grid, table: _Table) -> list[Issue]:
    """A header that is unknown or missing is an error, never a warning (case 31); a renamed one is one issue."""
    missing = [c.title for c in table.layout.columns if c.key not in table.columns]
    issues = []
    for position, (where, title) in enumerate(table.unknown):
        expected = missing[position] if position < len(missing) else ""
        issues.append(Issue("M31", grid.name, where, {"value": title, "expected": expected}))
    for title in missing[len(table.unknown) :]:
        issues.append(Issue("M31", grid.name, f"A{table.header_row + 1}", {"value": "", "expected": title}))
    return issues


def _fill_merged(grid: Grid, table: _Table) -> None:
    """A value merged over several body rows counts for each of them (case 25)."""
    for (top, left), (bottom, right) in grid.merged:
        if top >= table.first_row and bottom > top and left == right:
            for r in range(top + 1, bottom + 1):
                if r < len(grid.rows) and left < len(grid.rows[r]):
                    grid.rows[r][left] = grid.at(top, left)


def _read_row(report: Report, grid: Grid, table: _Table, form: Form, r: int, past_total: bool) -> Row | None:
    layout = table.layout
    raw_code = grid.at(r, table.columns.get(layout.row_key, -1))
    code = str(cells.code(raw_code).value or "") if isinstance(raw_code, str | int | float) else ""
    told = [_what_is(v) if isinstance(v, str) else "" for v in grid.rows[r][:4]]
    if told and told[0] == "number":
        return None
    role = _role(layout, code, is_total="total" in told, past_total=past_total)
    row, issues = _typed_row(grid, table, r, role, code)
    if role == "unknown":
        if layout.form in ("B01", "B05"):
            if past_total or all(row.states.get(k) == "blank" for k in table.numeric_keys):
                return None
            where = form.cell(layout.row_key, r + 1)
            report.issues.append(Issue("CK10", grid.name, where, {"value": "", "expected": "mã số của dòng"}))
            return None
        if not _has_content(row):
            return None
        row.role = "leaf"
    report.issues += issues
    return row


def _role(layout: forms.Sheet, code: str, *, is_total: bool, past_total: bool) -> str:
    if is_total and not code:
        return "total"
    if layout.form in ("B01", "B05"):
        if code.startswith("NKH-"):
            return "off_budget"
        if not code or past_total:
            return "unknown"
        return "leaf" if split_line_code(code)[1] else "heading"
    return "leaf" if code and layout.form != "B04" else "unknown"


def _has_content(row: Row) -> bool:
    """A row without code says something when a cell other than its number is filled."""
    return any(v is not None for k, v in row.values.items() if k != "stt")


def _typed_row(grid: Grid, table: _Table, r: int, role: str, code: str) -> tuple[Row, list[Issue]]:
    values: dict[str, cells.Typed] = {}
    states: dict[str, str] = {}
    bad: set[str] = set()
    texts: dict[str, str] = {}
    issues: list[Issue] = []
    line = grid.rows[r]
    width, on_budget = len(line), role != "off_budget"
    for key, index, way, column in table.plan:
        raw = line[index] if index is not None and index < width else None
        if raw is None or raw == "":
            values[key] = None
            if column.numeric:
                states[key] = "not_reported" if index is None else "blank"
            continue
        # Most cells are plain numbers and texts: the same as etl.collect.cells, without the detour.
        if type(raw) is float and on_budget and column.numeric and -_LARGEST < raw < _LARGEST:
            number: cells.Typed = trieu_to_vnd(raw) if way == "money" else exact(raw)
            values[key] = number
            if number == 0:
                states[key] = "declared_zero"
            continue
        if type(raw) is str and (way == "text" or way == "code"):
            values[key] = (clean(raw) if way == "text" else fold_code(raw)) or None
            continue
        result = _typed(raw, column, role)
        if isinstance(result, cells.Problem):
            values[key] = None
            bad.add(key)
            where = f"{index_to_letters(index or 0)}{r + 1}"
            issues.append(Issue(result.rule, grid.name, where, {"value": result.value, "column": column.title}))
            if column.numeric:
                states[key] = "blank"
            continue
        values[key] = result.value
        if result.note == "M04" and column.kind != "percent":
            texts[key] = str(raw).strip()
        if column.numeric and result.state != "number":
            states[key] = result.state
    return Row(r + 1, role, code, values, states, frozenset(bad), texts), issues


def _typed(raw: sheet.GridValue, column: forms.Column, role: str) -> cells.Cell | cells.Problem:
    if isinstance(raw, ErrorValue):
        # A rate over a plan of 0 divides by zero honestly (case 36); the rate is recomputed anyway.
        return cells.BLANK if column.kind == "percent" and raw.text == "#DIV/0!" else cells.Problem("M36", raw.text)
    if isinstance(raw, Uncached):
        return cells.Problem("M35", "=" + raw.formula)
    if column.numeric:
        if role == "off_budget" and column.kind != "money":
            return cells.BLANK
        return cells.number(raw, column.kind)
    if column.kind == "date":
        return cells.day(raw)
    if column.kind == "enum":
        return cells.choice(raw, column.choices)
    if column.kind == "code":
        return cells.code(raw)
    return cells.text(raw)
