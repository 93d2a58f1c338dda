"""Reads one file into a ``Report``: sheets and columns are found by their header texts, never by position.

Nothing raises for bad data: what cannot be read is an ``Issue`` with its cell, and the rest is read on. Sources of the
rules: DOMAIN.md sections 4.2 (form) and 5 (mess).
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from etl.collect import cells, days, encodings, guard, headers, identity, number_style, package, sheet, stale
from etl.collect.formula import index_to_letters
from etl.collect.grid import ErrorValue, Grid, Uncached, address
from etl.collect.headers import Table
from etl.collect.identity import NOWHERE, Origin
from etl.collect.report import Form, Issue, Report, Row
from etl.collect.text import clean, fold, fold_code
from etl.money import exact, trieu_to_vnd
from etl.reference import forms
from etl.reference.province import Province, split_line_code

log = logging.getLogger(__name__)

_BLANKS = r"[\s\d._…]*"
_END = re.compile(
    r"(nguoi lap( bieu)?\b|noi nhan|tm\. uy ban|tm\. ubnd|tm\.ubnd|k/?t\. |chu tich$|ghi chu\s*:|ke toan( truong)?$"
    r"|thu truong don vi|\(?da ky\)?$|\(?ky,? )"
    rf"|[^,]{{2,40}}, ngay{_BLANKS}thang{_BLANKS}nam{_BLANKS}$"
)
_PART = r"[ivx]{1,4}"
_TOTAL = re.compile(
    r"^(tong cong|tong so|tong|cong|toan (xa|phuong)(?=[ :]*$))"
    rf"( chung| toan xa| toan phuong| \(.*\)|[= ]+({_PART}|\d+)([+=. ]+({_PART}|\d+))+"
    r"|( (cac|ca|ba|von|nguon|ke hoach|3|chuong trinh|ctmtqg|mtqg))+)?\s*:?$"
)
_SUBTOTAL = re.compile(
    rf"^(tong cong|tong so|tong|cong) ((muc|phan|nhom)? ?\(?{_PART}\)?|(chuong trinh|ctmtqg|ct|du an|tieu du an)\b.*)$"
)
"""A sum over a part of the table, without a code: *Cộng I*, *Cộng chương trình …*."""
_ECHOES = frozenset({"M35", "M36"})
_WORD = re.compile(r"[^\W\d_]{2,}(?!\S*\d)")
_SUMS = ("total", "part")
_FIRST = 4
"""Columns at the left in which the name of a total may stand, merged over what is there."""
_FEWEST_WORDS = 3
_FEW = 2
_PARTS = re.compile(r"[:,/]")
"""Splits what a computed column is made of: ``percent:disb_ytd/plan_total``."""
_LONGEST_MARK = 120
_LARGEST = float(cells.LARGEST)
_MILLIONS = re.compile(r"trieu|\btr\.? ?(?:d|vnd)|1\.?000\.?000 ?(?:d|vnd)")
"""Ways of writing triệu đồng (tr.đ, trđ, 1.000.000 đ)."""
_BY_LINE = ("B01", "B05")
"""Forms whose rows are lines of the programme tree."""
_LABELS = ("stt", "content_vi", "line_code")
"""Columns in which a total row is named, wherever they stand."""
_HIERARCHY = {"B02": ("project_code",), "B03": ("doc_no", "doc_date")}
"""Columns that may be blank together, for the values above them (case 26)."""
_EXTENSIONS = {"xlsx": (".xlsx",), "xls": (".xls",), "ods": (".ods",), "csv": (".csv", ".txt"), "docx": (".docx",)}
TOO_MUCH = guard.Refusal(
    "M42",
    "Đọc tệp vượt giới hạn thời gian hoặc bộ nhớ.",
    "Sao chép số liệu sang biểu mẫu mới rồi gửi lại.",
)


@dataclass
class _Reading:
    """One file on its way to a report."""

    report: Report
    province: Province
    version: forms.FormVersion
    numbers: number_style.Undecided = field(default_factory=number_style.Undecided)
    upper: list[tuple[Form, forms.Column, Issue]] = field(default_factory=list)
    """Issues of headings and totals: told unless they echo those of the lines under them."""
    read_forms: list[tuple[Grid, Table, Form]] = field(default_factory=list)


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
    reading = _Reading(report, province, version)
    said: dict[str, identity.Header] = {}
    tables = [(g, t) for g in grids if g.visible and (t := headers.find(g, version)) is not None]
    for layout in version.sheets:
        chosen = _only_one(report, layout, [(g, t) for g, t in tables if t.layout is layout])
        if chosen is None:
            continue
        grid, table = chosen
        header = identity.read_header(grid, table.header_row)
        said[grid.name] = header
        report.forms[layout.form] = _read_form(reading, grid, table, header)
        _check_unit(report, grid, table, header)
    report.issues += _hidden_sheets(grids, {g.name for g, _ in tables})
    settled = identity.settle(report.file_name, meta, said, province, origin)
    report.commune_code, report.period = settled.commune_code, settled.period
    report.budget_year, report.as_of, report.version_no = settled.budget_year, settled.as_of, settled.version_no
    report.issues += settled.issues
    report.issues += _upper_issues(reading)
    report.issues += number_style.settle(reading.numbers)
    for grid, table, form in reading.read_forms:
        report.issues += stale.settle(grid, table, form)
    if report.period is not None:
        window = province.window(report.period, report.budget_year)
        report.issues += days.swapped([(table, form) for _, table, form in reading.read_forms], window)


def _upper_issues(reading: _Reading) -> Iterator[Issue]:
    for form, column, issue in reading.upper:
        bad = {key for row in form.rows if row.role == "leaf" for key in row.bad}
        if column.key not in bad and not _follows(column, bad):
            yield issue


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


@lru_cache(maxsize=4096)
def _what_is(text: str) -> str:
    """What a text tells about its row: ``end`` of the table, ``total`` row, ``part`` of it, ``blank``."""
    folded = fold(text)
    if not folded:
        return "blank"
    if len(folded) > _LONGEST_MARK:
        return ""
    if _END.match(folded):
        return "end"
    if _TOTAL.match(folded):
        return "total"
    if _SUBTOTAL.match(folded):
        return "part"
    return ""


def _read_form(reading: _Reading, grid: Grid, table: Table, header: identity.Header) -> Form:
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
        if type(code) is not str or not code or " " in code or _what_is(code):
            # No code: a blank row, a total, a repeated header, a note, or the end of the table.
            told = [_what_is(v) if type(v) is str else "" if v is None else "value" for v in line]
            filled = len(told) - told.count("blank") - line.count(None)
            if not filled:
                continue
            if "end" in told and _ends_table(told, filled, code):
                break
            if (not met_leaf or repeated) and headers.is_number_row(line):
                continue
            fewest = 1 if repeated else headers.FEWEST_HEADERS
            repeated = filled >= fewest and headers.is_header_row(line, reading.version.version, layout.form, fewest)
            if repeated:
                continue
            if filled <= _FEW and any(_is_note(grid.at(r, c), filled, grid.at(r, stt)) for c in code_columns):
                continue
            kind = next((k for k in (*told[:_FIRST], *(told[c] for c in labels if c < len(told))) if k in _SUMS), "")
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


def _last_code(grid: Grid, table: Table) -> int:
    """Row of the last leaf of a form that goes by the programme tree; -1: there is none."""
    column = table.columns.get(table.layout.row_key, -1)
    rows = range(len(grid.rows) - 1, table.first_row - 1, -1)
    return next((r for r in rows if split_line_code(fold_code(grid.text(r, column)))[1]), -1)


def _is_note(code: object, filled: int, stt: object) -> bool:
    """Whether a row says nothing but a sentence where its code should stand: a note under the table, no data."""
    alone = filled == 1 or (filled == _FEW and stt not in (None, ""))
    return alone and isinstance(code, str) and len(_WORD.findall(code)) >= _FEWEST_WORDS


def _ends_table(told: Sequence[str], filled: int, code: object) -> bool:
    """Whether an end mark is one: it opens its row or stands nearly alone, and the row has no code."""
    if isinstance(code, str) and _what_is(code) not in ("end", "blank"):
        return False
    return told.index("end") < 2 or filled <= 2


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
    reading: _Reading, grid: Grid, table: Table, form: Form, r: int, *, is_total: bool, past_total: bool
) -> Row | None:
    layout = table.layout
    raw_code = grid.at(r, table.columns.get(layout.row_key, -1))
    code = str(cells.code(raw_code).value or "") if isinstance(raw_code, str | int | float) else ""
    if is_total and isinstance(raw_code, str) and _what_is(raw_code) == "total":
        code = ""
    role = _role(layout, code, is_total=is_total)
    if role == "unknown" and layout.form in _BY_LINE and past_total:
        return None
    row, issues, pending, styles = _typed_row(grid, table, r, role, code)
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


_Found = tuple[
    Row,
    list[tuple[forms.Column, Issue]],
    list[tuple[forms.Column, str, cells.Pending]],
    list[tuple[str, str]],
]


def _typed_row(grid: Grid, table: Table, r: int, role: str, code: str) -> _Found:
    """The row, its issues, its numbers that wait for the workbook's style, and the styles that its texts prove."""
    values: dict[str, cells.Typed] = {}
    states: dict[str, str] = {}
    bad: set[str] = set()
    texts: dict[str, str] = {}
    issues: list[tuple[forms.Column, Issue]] = []
    pending: list[tuple[forms.Column, str, cells.Pending]] = []
    styles: list[tuple[str, str]] = []
    line = grid.rows[r]
    width, on_budget = len(line), role != "off_budget"
    for key, index, way, column in table.plan:
        raw = line[index] if index is not None and index < width else None
        if raw is None or raw == "":
            values[key] = None
            if column.numeric:
                states[key] = "not_reported" if index is None else "blank"
            if index is None:
                bad.add(key)  # the missing header is the finding
            continue
        # Most cells are plain numbers and texts: the same as etl.collect.cells, without the detour.
        if type(raw) is float and on_budget and column.numeric and -_LARGEST < raw < _LARGEST:
            if way == "money":
                values[key] = int(raw) * 1_000_000 if raw.is_integer() else trieu_to_vnd(raw)
            else:
                values[key] = exact(raw)
            if values[key] == 0:
                states[key] = "declared_zero"
            continue
        if type(raw) is str and (way == "text" or way == "code"):
            values[key] = (clean(raw) if way == "text" else fold_code(raw)) or None
            continue
        result = _typed(raw, column, role, values)
        where = address(r, index or 0)
        if isinstance(result, cells.Problem):
            values[key] = None
            bad.add(key)
            values_told = {"value": result.value, "column": column.title}
            issues.append((column, Issue(result.rule, grid.name, where, values_told)))
            if column.numeric:
                states[key] = "blank"
            continue
        if isinstance(result, cells.Pending):
            values[key] = None
            bad.add(key)
            states[key] = "blank"
            pending.append((column, where, result))
            continue
        values[key] = result.value
        if result.style:
            styles.append((result.style, where))
        if result.note == "M04" and grid.textual:
            pass  # such a file has nothing but texts
        elif result.note and column.numeric and column.kind != "percent":
            texts[key] = f"{result.note} {str(raw).strip()}"
        elif result.note == "M23" or (result.note == "M21" and column.kind == "date"):
            told_values = {"value": clean(str(raw)), "column": column.title}
            issues.append((column, Issue(f"{result.note}-read", grid.name, where, told_values)))
        if column.numeric and result.state != "number":
            states[key] = result.state
    doubtful = bad | texts.keys()  # a formula over a number kept as text fails, and the text is the finding
    told = [(column, issue) for column, issue in issues if not (_follows(column, doubtful) and issue.rule in _ECHOES)]
    return Row(r + 1, role, code, values, states, frozenset(bad), texts), told, pending, styles


def _follows(column: forms.Column, bad: Collection[str]) -> bool:
    """Whether a computed cell is made of one of these: its error is that one's echo."""
    return bool(column.computed) and not set(bad).isdisjoint(_PARTS.split(column.computed)[1:])


def _typed(
    raw: sheet.GridValue, column: forms.Column, role: str, values: Mapping[str, cells.Typed]
) -> cells.Cell | cells.Pending | cells.Problem:
    if isinstance(raw, ErrorValue):
        # A rate over a plan of 0 divides by zero honestly (case 36); the rate is recomputed anyway.
        _, _, below = column.computed.partition("/")
        honest = raw.text == "#DIV/0!" and bool(below) and not values.get(below)
        return cells.BLANK if honest else cells.Problem("M36", raw.text)
    if isinstance(raw, Uncached):
        if raw.leaves_file:
            return cells.Problem("M36", "=" + raw.formula[:80])
        return cells.Problem("M35", "=" + raw.formula[:80])
    if column.numeric:
        if role == "off_budget" and column.kind != "money":
            return cells.BLANK
        return cells.number(raw, column.kind, str(values.get("unit") or ""))
    if column.kind == "date":
        return cells.day(raw)
    if column.kind == "enum":
        return cells.choice(raw, column.choices)
    if column.kind == "code":
        return cells.code(raw)
    return cells.text(raw)
