"""The table of one form, from the row under its headers to its end: which rows count, and as what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from etl.collect import cells, headers, number_style
from etl.collect.formula import index_to_letters
from etl.collect.grid import Grid, address
from etl.collect.headers import Table
from etl.collect.identity import Header
from etl.collect.report import Form, Issue, Report, Row
from etl.collect.row_marks import FEW, SUMS, ends_table, is_note, what_is
from etl.collect.text import fold_code
from etl.collect.typed_row import follows, typed_row
from etl.reference import forms
from etl.reference.province import Province, split_line_code

_FIRST = 4
"""Columns at the left in which the name of a total may stand, merged over what is there."""
_BY_LINE = ("B01", "B05")
"""Forms whose rows are lines of the programme tree."""
_LABELS = ("stt", "content_vi", "line_code")
"""Columns in which a total row is named, wherever they stand."""
_HIERARCHY = {"B02": ("project_code",), "B03": ("doc_no", "doc_date")}
"""Columns that may be blank together, for the values above them (case 26)."""


@dataclass
class Reading:
    """One file on its way to a report."""

    report: Report
    province: Province
    version: forms.FormVersion
    numbers: number_style.Undecided = field(default_factory=number_style.Undecided)
    upper: list[tuple[Form, forms.Column, Issue]] = field(default_factory=list)
    """Issues of headings and totals: told unless they echo those of the lines under them."""
    read_forms: list[tuple[Grid, Table, Form]] = field(default_factory=list)


def read_form(reading: Reading, grid: Grid, table: Table, header: Header) -> Form:
    """The form that the table holds; its issues and doubtful numbers are added to ``reading``."""
    layout = table.layout
    form = Form(
        layout.form,
        grid.name,
        {key: index_to_letters(c) for key, c in table.columns.items()},
        [],
        header.nothing_to_report,
    )
    reading.report.issues += _header_issues(grid, table)
    _fill_merged(grid, table)
    first_filled: str | None = None
    if layout.row_key not in table.columns and layout.form != "B04":
        return form  # without its key no row can be placed; the missing header says so
    met_leaf = past_total = repeated = False
    key_index = table.columns.get(layout.row_key, -1)
    last_code = _last_code(grid, table)
    labels = [table.columns[key] for key in _LABELS if key in table.columns]
    code_columns = [table.columns[c.key] for c in layout.columns if c.kind == "code" and c.key in table.columns]
    stt = table.columns.get("stt", -1)
    for r in range(table.first_row, len(grid.rows)):
        line = grid.rows[r]
        code = line[key_index] if 0 <= key_index < len(line) else None
        kind = ""
        if type(code) is not str or not code or " " in code or what_is(code):
            # No code: a blank row, a total, a repeated header, a note, or the end of the table.
            told = [what_is(v) if type(v) is str else "" if v is None else "value" for v in line]
            filled = len(told) - told.count("blank") - line.count(None)
            if not filled:
                continue
            if "end" in told and ends_table(told, filled, code):
                break
            if (not met_leaf or repeated) and headers.is_number_row(line):
                continue
            fewest = 1 if repeated else headers.FEWEST_HEADERS
            repeated = filled >= fewest and headers.is_header_row(line, reading.version.version, layout.form, fewest)
            if repeated:
                continue
            if filled <= FEW and any(is_note(grid.at(r, c), filled, grid.at(r, stt)) for c in code_columns):
                continue
            kind = next((k for k in (*told[:_FIRST], *(told[c] for c in labels if c < len(told))) if k in SUMS), "")
            if kind == "part" and not code:
                continue
        elif (not met_leaf or repeated) and headers.is_number_row(line):
            continue
        is_total = kind == "total"
        row = _read_row(reading, grid, table, form, r, is_total=is_total, past_total=past_total)
        if row is None:
            continue
        met_leaf = met_leaf or row.role == "leaf"
        if row.role == "total" and layout.form in _BY_LINE:
            if met_leaf and r < last_code:
                continue  # a sum over the lines so far
            if past_total and form.rows[-1].role == "total":
                form.rows.pop()  # of several sums under the lines the last one is that of the form
            elif past_total:
                continue  # under the block of money outside of the budget
        past_total = past_total or (met_leaf and row.role == "total")
        below = _fill_down(form, row, table)
        first_filled = first_filled or below
        form.rows.append(row)
    if first_filled:
        reading.report.issues.append(Issue("M26", grid.name, first_filled))
    reading.report.issues += _hidden_parts(grid, table, form)
    reading.read_forms.append((grid, table, form))
    if grid.textual:
        reading.numbers.textual.add(form.form)
    return form


def upper_issues(reading: Reading) -> Iterator[Issue]:
    """Issues of headings and totals that say more than those of the lines under them."""
    for form, column, issue in reading.upper:
        bad = {key for row in form.rows if row.role == "leaf" for key in row.bad}
        if column.key not in bad and not follows(column, bad):
            yield issue


def _last_code(grid: Grid, table: Table) -> int:
    """Row of the last leaf of a form that goes by the programme tree; -1: there is none."""
    column = table.columns.get(table.layout.row_key, -1)
    rows = range(len(grid.rows) - 1, table.first_row - 1, -1)
    return next((r for r in rows if split_line_code(fold_code(grid.text(r, column)))[1]), -1)


def _header_issues(grid: Grid, table: Table) -> list[Issue]:
    """A header that is unknown or missing is an error, never a warning (case 31); a renamed one is one issue."""
    missing = [c.title for c in table.layout.columns if c.key not in table.columns]
    issues = []
    for position, (where, title) in enumerate(table.unknown):
        expected = missing[position] if position < len(missing) else ""
        issues.append(Issue("M31", grid.name, where, {"value": title, "expected": expected}))
    for title in missing[len(table.unknown) :]:
        issues.append(Issue("M31", grid.name, f"A{table.header_row + 1}", {"value": "", "expected": title}))
    return issues


def _fill_merged(grid: Grid, table: Table) -> None:
    """A text merged over several body rows counts for each of them (case 25); an amount is nobody's but the first's."""
    numeric = {table.columns[key] for key in table.numeric_keys}
    for (top, left), (bottom, right) in grid.merged:
        if top >= table.first_row and bottom > top and left == right and left not in numeric:
            for r in range(top + 1, min(bottom + 1, len(grid.rows))):
                if left < len(grid.rows[r]):
                    grid.rows[r][left] = grid.at(top, left)


def _fill_down(form: Form, row: Row, table: Table) -> str | None:
    """A blank under a value in a column of the hierarchy means the same value (case 26); the first such cell."""
    if row.role != "leaf" or not form.rows or form.rows[-1].role != "leaf":
        return None
    first = None
    above = form.rows[-1]
    keys = _HIERARCHY.get(form.form, ())
    present = [key for key in keys if row.values.get(key) is not None]
    if any(row.values[key] != above.values.get(key) or not _identifies(row.values[key]) for key in present):
        return None  # another document, or one of which nothing is known
    for key in [key for key in keys if above.values.get(key) is not None]:
        blank = key in table.columns and row.values.get(key) is None and key not in row.bad
        if blank:
            row.values[key] = above.values[key]
            first = first or form.cell(key, row.row_no)
    return first


def _identifies(value: cells.Typed) -> bool:
    """Whether a document's number or date tells it from others: a number without digits is none."""
    return not isinstance(value, str) or any(c.isdigit() for c in value)


def _hidden_parts(grid: Grid, table: Table, form: Form) -> list[Issue]:
    """Hidden rows and columns of the table are read all the same; one remark for the sheet (case 32)."""
    rows = [row.row_no for row in form.rows if row.row_no - 1 in grid.hidden_rows]
    columns = sorted(c for c in table.columns.values() if c in grid.hidden_columns)
    if rows:
        where = f"A{rows[0]}"
    elif columns:
        where = address(table.header_row, columns[0])
    else:
        return []
    values = {"value": f"{len(rows)} dòng, {len(columns)} cột"}
    return [Issue("M32", grid.name, where, values)]


def _read_row(
    reading: Reading, grid: Grid, table: Table, form: Form, r: int, *, is_total: bool, past_total: bool
) -> Row | None:
    layout = table.layout
    raw_code = grid.at(r, table.columns.get(layout.row_key, -1))
    code = str(cells.code(raw_code).value or "") if isinstance(raw_code, str | int | float) else ""
    if is_total and isinstance(raw_code, str) and what_is(raw_code) == "total":
        code = ""
    role = _role(layout, code, is_total=is_total)
    if role == "unknown" and layout.form in _BY_LINE and past_total:
        return None
    row, issues, pending, styles = typed_row(grid, table, r, role, code)
    if role == "unknown":
        if layout.form in _BY_LINE:
            if all(row.states.get(k) == "blank" and k not in row.bad for k in table.numeric_keys):
                return None
            where = form.cell(layout.row_key, r + 1)
            reading.report.issues.append(Issue("CK10", grid.name, where, {"value": "", "expected": "mã số của dòng"}))
            return None
        if not _has_content(row):
            return None
        if layout.form != "B04":
            where = form.cell(layout.row_key, r + 1)
            reading.report.issues.append(Issue("CK10", grid.name, where, {"value": "", "expected": "mã số của dòng"}))
            return None
        row.role = "leaf"
    if row.role in ("heading", "total"):
        reading.upper += [(form, column, issue) for column, issue in issues]
    else:
        reading.report.issues += [issue for _, issue in issues]
    reading.numbers.waiting += [(form, row, column, where, value) for column, where, value in pending]
    for style, where in styles:
        reading.numbers.proofs.setdefault(style, []).append((grid.name, where))
    return row


def _role(layout: forms.Sheet, code: str, *, is_total: bool) -> str:
    if is_total and not code:
        return "total"
    if layout.form in _BY_LINE:
        if code.startswith("NKH-"):
            return "off_budget"
        if not code:
            return "unknown"
        return "leaf" if split_line_code(code)[1] else "heading"
    return "leaf" if code and layout.form != "B04" else "unknown"


def _has_content(row: Row) -> bool:
    """A row without code says something when a cell other than its number is filled."""
    return any(v is not None for k, v in row.values.items() if k != "stt") or bool(row.bad)
