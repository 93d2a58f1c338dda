"""Reads a statement of the State Treasury (Kho bạc Nhà nước, KBNN; from TABMIS): balances of a day, and postings.

A table's sort is told by its columns, and these by their header texts (``treasury_columns.csv``), never by position.
Balances are cumulative at the as-of date. Postings dated after it are not in them: they are kept as evidence of what
was paid before and booked later. Amounts are whole đồng. All or nothing: with one issue there is no statement.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from etl import money
from etl.clock import show_date
from etl.collect import cells, encodings, guard, headers, sheet, treasury_table, treasury_title
from etl.collect.grid import ErrorValue, Grid, GridValue, Uncached
from etl.collect.report import Issue
from etl.collect.text import clean, fold, fold_code
from etl.collect.treasury_table import Table
from etl.reference.treasury import Column

log = logging.getLogger(__name__)

KINDS = ("xlsx", "xls", "ods", "csv")
_LARGEST = 10**17
"""Đồng; no amount of a province comes near it, and what is beyond would not fit the warehouse."""
_NOISE = Decimal("0.001")
"""So far from whole đồng is what binary numbers leave behind."""

_TOTAL = re.compile(r"^(?:tong cong|tong so|tong|cong)\b")
_DIGITS = re.compile(r"\D*?(\d{1,7})(?:\s*[-:.]\s*\D.*)?")
_GROUPED = r"\d{1,3}(?:(?P<mark>[. ,])\d{3})(?:(?P=mark)\d{3})*"
_AMOUNT = re.compile(rf"(?:{_GROUPED}|\d+)(?:[.,]0{{1,2}})?(?: ?(?:đồng|vnđ|vnd|đ))?", re.IGNORECASE)
_LIKE_AMOUNT = re.compile(r"[-+(]?[\d., ]+\)?(?: ?(?:đồng|vnđ|vnd|đ))?", re.IGNORECASE)
_DASHES = frozenset({"-", "--"})
_TWO_STATEMENTS = frozenset({"CK34-years", "CK35"})
"""Two budget years or dates in one file: that rows of the two are alike is no fault of theirs."""

_KINDS_OF_CAPITAL = (
    ("DT", re.compile(r"dau tu|^dt(?:pt)?$|^xdcb$")),
    ("SN", re.compile(r"su nghiep|thuong xuyen|^sn$|^tx$")),
)
_KINDS_OF_POSTING = (
    ("recovery", re.compile(r"^(?:thu hoi|nop tra|hoan tra)\b")),
    ("advance", re.compile(r"^(?:cap )?tam ung\b")),
    ("payment", re.compile(r"^(?:thanh toan|thuc chi)\b(?! tam ung)")),
)


@dataclass(frozen=True)
class Line:
    """A balance: cumulative đồng of one budget unit, budget code and capital kind (None: left to the code).

    ``total`` = ``completed`` + ``advance``, each None where the statement does not part them; ``overdue`` is the part
    of the advance that is past its term, None where the statement does not say. ``cell`` is that of the total.
    """

    sheet: str
    row_no: int
    cell: str
    budget_unit_code: str
    budget_code: str
    capital_kind: str | None
    completed: int | None
    advance: int | None
    total: int
    overdue: int | None


@dataclass(frozen=True)
class Posting:
    """One document: signed đồng; ``kind`` is advance, payment, recovery (money paid back) or None: not said."""

    sheet: str
    row_no: int
    cell: str
    budget_unit_code: str
    budget_code: str
    capital_kind: str | None
    posted_on: date
    document_no: str
    kind: str | None
    amount: int


@dataclass(frozen=True)
class Statement:
    as_of: date
    budget_year: int
    sha256: str
    file_name: str
    lines: tuple[Line, ...]
    postings: tuple[Posting, ...]


@dataclass(frozen=True)
class Reading:
    """What became of a file: a statement, or the issues for which there is none.

    ``refused``: it was not opened. Rules of the issues: ``statement_rules`` of ``expectations/treasury.json``.
    """

    sha256: str
    file_name: str
    statement: Statement | None = None
    issues: tuple[Issue, ...] = ()
    refused: bool = False


@dataclass
class _Body:
    """Rows of one table on their way: data with its amounts, and control sums."""

    lines: list[tuple[int, Line | Posting]] = field(default_factory=list)
    sums: list[tuple[int, str, dict[str, int]]] = field(default_factory=list)
    """(row, budget unit or "", field -> đồng) of rows that are sums over others."""


def read(file_name: str, data: bytes, columns: Sequence[Column]) -> Reading:
    """The statement in ``data``. Never raises for what is in the file."""
    name, sha256 = Path(file_name).name, hashlib.sha256(data).hexdigest()
    admitted = guard.inspect(data)
    try:
        if isinstance(admitted, guard.Refusal):
            raise guard.RefusedError(admitted)
        if admitted not in KINDS:
            raise guard.RefusedError(_NO_TABLE)
        grids = sheet.read(data, admitted)
    except guard.RefusedError as error:
        told = _refused(error.refusal)
        return Reading(sha256, name, None, (told,), refused=True)
    except BaseException as error:  # parsers' errors have no common base, and PyO3's is no Exception
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        log.warning("%s (%s) cannot be read", name, sha256, exc_info=error)
        told = _refused(guard.DAMAGED)
        return Reading(sha256, name, None, (told,), refused=True)
    issues = [issue for grid in grids for issue in encodings.modernise(grid) if issue.rule == "M15-lost"]
    statement = _statement(grids, columns, name, sha256, issues)
    return Reading(sha256, name, None if issues else statement, tuple(issues))


_EXPORT_AGAIN = "Kết xuất lại sao kê từ TABMIS dưới dạng bảng tính (.xlsx, .xls, .ods, .csv) rồi nạp lại."
_WAYS_OUT = {
    "M40": "Bỏ mật khẩu mở tệp sao kê (Tệp > Thông tin > Bảo vệ) rồi nạp lại.",
    "M41": "Giải nén rồi nạp thẳng tệp sao kê.",
}
"""Rule of a refusal -> what to do about a statement, where that is not to export it again."""
_NO_TABLE = guard.Refusal("M38", "Tệp không phải bảng tính (.xlsx, .xls, .ods, .csv).", _EXPORT_AGAIN)


def _refused(refusal: guard.Refusal) -> Issue:
    """The guard's own ways out are those of a report: a form to fill in and to send."""
    return Issue("M38", None, None, {"message": refusal.message, "fix": _WAYS_OUT.get(refusal.rule, _EXPORT_AGAIN)})


def _statement(
    grids: Sequence[Grid], columns: Sequence[Column], file_name: str, sha256: str, issues: list[Issue]
) -> Statement | None:
    found = [(grid, treasury_table.find(grid, columns)) for grid in grids]
    for grid, hidden in found:
        if hidden is not None and not grid.visible:
            issues.append(Issue("M32", grid.name, None, {"value": grid.name}))
    tables = [table for grid, table in found if table is not None and grid.visible]
    if not any(table.sort == "balances" for table in tables):
        issues.append(Issue("M24", grids[0].name if grids else None, None, {}))
        return None
    titles = [(grid, table.header_row if table else treasury_title.ROWS) for grid, table in found if grid.visible]
    as_of = treasury_title.find_as_of(titles, issues)
    year = treasury_title.find_budget_year(titles, as_of, issues)
    units = treasury_title.unit_issues(titles, tables)
    issues += units
    if any(issue.rule == "M07" for issue in units):  # amounts in another unit are not whole đồng: one cause, told once
        issues += [issue for table in tables for issue in treasury_table.header_issues(table, columns)]
        return None
    bodies = [(table, _body(table, columns, issues)) for table in tables]
    lines = [line for _, body in bodies for _, line in body.lines if isinstance(line, Line)]
    postings = [posting for _, body in bodies for _, posting in body.lines if isinstance(posting, Posting)]
    if not any(issue.rule in _TWO_STATEMENTS for issue in issues):
        issues += _doubled(lines, postings)
    if not issues:
        for table, body in bodies:
            issues += _wrong_sums(table, body)
    if as_of is None or year is None:
        return None
    return Statement(as_of, year, sha256, file_name, tuple(lines), tuple(postings))


# Rows ---------------------------------------------------------------------------------------------------------------


def _body(table: Table, columns: Sequence[Column], issues: list[Issue]) -> _Body:
    """The rows under the header. Blank rows, numbers of columns, repeated headers, notes and signatures are passed
    over; a row of a budget unit without a code is a sum over the rows under it, which may leave their unit blank."""
    body = _Body()
    met = list(treasury_table.header_issues(table, columns))
    issues += met
    if met:
        return body
    _fill_merged(table)
    header = {_key(value) for line in table.grid.rows[table.header_row : table.first_row] for value in line} - {""}
    titles = {column.field: column.headers[0] for column in columns}
    unit_above = ""
    for r in range(table.first_row, len(table.grid.rows)):
        line = table.grid.rows[r]
        texts = {_key(value) for value in line} - {""}
        if not texts or headers.is_number_row(line) or texts <= header:
            continue
        code, unit = _code(table.at(r, "budget_code"), 5), _code(table.at(r, "budget_unit_code"), 7)
        counted = any(_is_amount(table.at(r, name)) for name in table.amount_fields)
        is_sum = any(isinstance(v, str) and _TOTAL.match(fold(v)) for v in line)
        if not code.isdigit() and (is_sum or not counted or not any(map(str.isdigit, code))):
            code = ""  # words, as in the rows of sums, groups and signatures
        if unit and not unit.isdigit() and (not code or is_sum):
            unit = ""
        if code:
            _read_row(table, r, code, unit or unit_above, titles, body, issues)
            continue
        if unit:
            unit_above = unit
        if not counted:
            continue
        if not unit and not is_sum:
            issues.append(Issue("CK10-code", table.grid.name, table.cell(r, "budget_code"), {}))
            continue
        sums = {
            name: amount
            for name in table.amount_fields
            if (amount := _amount(table, r, name, titles[name], issues)) is not None
        }
        body.sums.append((r, unit, sums))
    return body


def _fill_merged(table: Table) -> None:
    """A unit, code or kind merged over several rows counts for each of them (case 25)."""
    grid = table.grid
    wanted = {table.columns.get(name) for name in ("budget_unit_code", "budget_code", "capital_kind")}
    for (top, left), (bottom, right) in grid.merged:
        if top >= table.first_row and bottom > top and left == right and left in wanted:
            for r in range(top + 1, min(bottom + 1, len(grid.rows))):
                grid.put(r, left, grid.at(top, left))


def _read_row(
    table: Table, r: int, code: str, unit: str, titles: dict[str, str], body: _Body, issues: list[Issue]
) -> None:
    name, before = table.grid.name, len(issues)
    if not unit:
        issues.append(Issue("CK10-unit", name, table.cell(r, "budget_unit_code"), {}))
    said = table.at(r, "capital_kind")
    kind = _which(said, _KINDS_OF_CAPITAL)
    if kind is None and not _is_blank(said):
        values = {"value": _raw(said), "column": titles["capital_kind"], "expected": "vốn đầu tư hoặc vốn sự nghiệp"}
        issues.append(Issue("M08-kind", name, table.cell(r, "capital_kind"), values))
    amounts = {field_: _amount(table, r, field_, titles[field_], issues) for field_ in table.amount_fields}
    if table.sort == "postings":
        posting = _posting(table, r, code, unit, kind, amounts["amount"], titles, issues)
        if posting and len(issues) == before:
            body.lines.append((r, posting))
        return
    total, overdue = amounts["total"], amounts.get("overdue")
    # A blank part is nothing; a part without a column is not known.
    completed, advance = (amounts[part] or 0 if part in amounts else None for part in ("completed", "advance"))
    if len(issues) > before:
        return
    if total is None:
        issues.append(Issue("M08-blank", name, table.cell(r, "total"), {"column": titles["total"]}))
    elif completed is not None and advance is not None and total != completed + advance:
        issues.append(Issue("M30", name, table.cell(r, "total"), _unequal(total, completed + advance)))
    elif overdue is not None and overdue < 0:
        values = {"value": money.group_vi(overdue), "raw_value": str(overdue)}
        issues.append(Issue("M09-overdue", name, table.cell(r, "overdue"), values))
    elif overdue and advance is not None and overdue > advance:
        issues.append(Issue("M30-overdue", name, table.cell(r, "overdue"), _unequal(overdue, advance)))
    else:
        cell = table.cell(r, "total")
        body.lines.append((r, Line(name, r + 1, cell, unit, code, kind, completed, advance, total, overdue)))


def _posting(
    table: Table,
    r: int,
    code: str,
    unit: str,
    capital_kind: str | None,
    amount: int | None,
    titles: dict[str, str],
    issues: list[Issue],
) -> Posting | None:
    name = table.grid.name
    raw = table.at(r, "posted_on")
    posted = cells.day(raw) if not isinstance(raw, ErrorValue | Uncached) else cells.Problem("M21", _raw(raw))
    document = _raw(table.at(r, "document_no"))
    said = table.at(r, "posting_kind")
    kind = _which(said, _KINDS_OF_POSTING)
    if isinstance(posted, cells.Problem) or not isinstance(posted.value, date):
        values = {"value": _raw(raw), "column": titles["posted_on"]}
        issues.append(Issue("M21", name, table.cell(r, "posted_on"), values))
        return None
    if not document:
        issues.append(Issue("M08-blank", name, table.cell(r, "document_no"), {"column": titles["document_no"]}))
    if kind is None and not _is_blank(said):
        values = {"value": _raw(said), "column": titles["posting_kind"], "expected": "tạm ứng, thanh toán hoặc thu hồi"}
        issues.append(Issue("M08-kind", name, table.cell(r, "posting_kind"), values))
    if amount is None:
        issues.append(Issue("M08-blank", name, table.cell(r, "amount"), {"column": titles["amount"]}))
        return None
    if kind == "recovery" and amount > 0:
        issues.append(Issue("M09", name, table.cell(r, "amount"), {"value": money.group_vi(amount)}))
    cell = table.cell(r, "amount")
    return Posting(name, r + 1, cell, unit, code, capital_kind, posted.value, document, kind, amount)


def _key(value: GridValue) -> str:
    """A cell's content as matching key; blanks of any kind give the empty text."""
    if value is None or isinstance(value, ErrorValue | Uncached):
        return "" if value is None else "!"
    return headers.key_part(value) or clean(value) if isinstance(value, str) else str(value)


def _is_blank(value: GridValue) -> bool:
    return not isinstance(value, ErrorValue | Uncached) and cells.is_blank(value)


def _raw(value: GridValue) -> str:
    """What stands in the cell, as text."""
    if isinstance(value, ErrorValue):
        return value.text
    if isinstance(value, Uncached):
        return value.formula
    return str(cells.text(value).value or "")


def _code(value: GridValue, digits: int) -> str:
    """A code as key, with the zeros that a spreadsheet took away; *00470 - Chương trình …* is 00470."""
    if isinstance(value, ErrorValue | Uncached):
        return "" if isinstance(value, Uncached) else value.text
    text = str(cells.text(value).value or "")
    match = _DIGITS.fullmatch(text.replace("–", "-"))
    return match[1].zfill(digits) if match else fold_code(text)


def _which(value: GridValue, kinds: Iterable[tuple[str, re.Pattern[str]]]) -> str | None:
    folded = fold(_raw(value)).strip(" .")
    found = [kind for kind, pattern in kinds if folded and pattern.search(folded)]
    return found[0] if len(found) == 1 else None


def _is_amount(value: GridValue) -> bool:
    """Whether the cell holds, or should hold, an amount: words of a signature do not count."""
    if isinstance(value, str):
        text = clean(value)
        return bool(_LIKE_AMOUNT.fullmatch(text)) and any(c.isdigit() for c in text)
    return isinstance(value, int | float | Decimal | ErrorValue | Uncached) and not isinstance(value, bool)


def _amount(table: Table, r: int, name: str, title: str, issues: list[Issue]) -> int | None:
    """Whole đồng; None for a blank cell, and for one that cannot be read, which is an issue."""
    value = table.at(r, name)
    sheet_name, cell = table.grid.name, table.cell(r, name)
    if isinstance(value, Uncached | ErrorValue):
        rule = "M36" if isinstance(value, ErrorValue) else "M35"
        issues.append(Issue(rule, sheet_name, cell, {"value": _raw(value), "column": title}))
        return None
    if cells.is_blank(value):
        return None
    amount = dong(value)
    if amount is None or abs(amount) >= _LARGEST:
        issues.append(Issue("M08", sheet_name, cell, {"value": _raw(value)[:60], "column": title}))
        return None
    return amount


def dong(value: cells.Raw) -> int | None:
    """Whole đồng of a number or a text; a mark before three digits groups thousands, for a đồng has no parts."""
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        exact = money.exact(value)
        if not exact.is_finite() or abs(exact - exact.to_integral_value()) > _NOISE:
            return None
        return int(exact.to_integral_value())
    if not isinstance(value, str):
        return None
    body = clean(value).replace("–", "-").replace("−", "-").strip("' ")
    if body in _DASHES:
        return 0
    bracketed = body.startswith("(") and body.endswith(")")
    negative = bracketed or body.startswith("-")
    digits = (body[1:-1] if bracketed else body.removeprefix("-").removeprefix("+")).strip()
    match = _AMOUNT.fullmatch(digits)
    if match is None:
        return None
    whole = re.sub(r" ?(?:đồng|vnđ|vnd|đ)$", "", digits, flags=re.IGNORECASE)
    whole = re.sub(r"[.,]0{1,2}$", "", whole)
    return int(re.sub(r"[., ]", "", whole)) * (-1 if negative else 1)


# What must hold of the rows together --------------------------------------------------------------------------------


def _unequal(value: int, expected: int) -> dict[str, str]:
    amounts = (value, expected, value - expected)
    shown = dict(zip(("value", "expected", "difference"), (f"{money.group_vi(a)} đồng" for a in amounts), strict=True))
    raw = dict(zip(("raw_value", "raw_expected", "raw_difference"), map(str, amounts), strict=True))
    return shown | raw


def _doubled(lines: Sequence[Line], postings: Sequence[Posting]) -> Iterator[Issue]:
    first: dict[tuple[Any, ...], Line | Posting] = {}
    rows: list[Line | Posting] = [*lines, *postings]
    for row in rows:
        key: tuple[Any, ...] = (row.budget_unit_code, row.budget_code, row.capital_kind)
        if isinstance(row, Posting):
            key = (*key, row.posted_on, row.document_no, row.kind, row.amount)
        before = first.setdefault(key, row)
        if before is not row:
            where = f"{before.sheet}!{before.cell}"
            if isinstance(row, Posting):
                values = {"value": row.document_no, "column": show_date(row.posted_on), "expected": where}
                yield Issue("CK10-document", row.sheet, row.cell, values)
            else:
                yield Issue("CK10-twice", row.sheet, row.cell, {"value": row.budget_code, "expected": where})


def _wrong_sums(table: Table, body: _Body) -> Iterator[Issue]:
    """A sum must be that of its unit; or else that of all rows, of those above it, or of its block above or below."""
    rows_of_sums = [r for r, *_ in body.sums]
    for r, unit, sums in body.sums:
        above = max((s for s in rows_of_sums if s < r), default=-1)
        below = min((s for s in rows_of_sums if s > r), default=len(table.grid.rows))
        spans = ((-1, len(table.grid.rows)), (-1, r), (above, r), (r, below))
        parts = [[line for n, line in body.lines if low < n < high] for low, high in spans]
        if unit:
            parts = [[line for _, line in body.lines if line.budget_unit_code == unit]]
        totals = [{name: sum(_value(line, name) for line in lines) for name in sums} for lines in parts]
        if sums in totals:
            continue
        closest = min(totals, key=lambda t: sum(t[name] != amount for name, amount in sums.items()))
        name = next(name for name in sums if sums[name] != closest[name])
        yield Issue("M30-total", table.grid.name, table.cell(r, name), _unequal(sums[name], closest[name]))


def _value(line: Line | Posting, name: str) -> int:
    return getattr(line, name) or 0
