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
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from etl import money
from etl.clock import show_date
from etl.collect import cells, encodings, guard, headers, sheet
from etl.collect.grid import ErrorValue, Grid, GridValue, Uncached, address
from etl.collect.report import Issue
from etl.collect.text import clean, fold, fold_code
from etl.reference.treasury import Column

log = logging.getLogger(__name__)

KINDS = ("xlsx", "xls", "ods", "csv")
_HEADER_ROWS = 60
_DEPTHS = (1, 2, 3)
_FEWEST_HEADERS = 2
_LONGEST_HEADER = 120
_TITLE_ROWS = 30
"""So far down a sheet without a table is looked through for date and budget year."""
_LARGEST = 10**17
"""Đồng; no amount of a province comes near it, and what is beyond would not fit the warehouse."""
_NOISE = Decimal("0.001")
"""So far from whole đồng is what binary numbers leave behind."""

_UNIT_MARK = re.compile(r"\((?:đvt|đơn vị(?: tính)?)?\s*:?\s*(?:đồng|vnđ|vnd|đ)\)", re.IGNORECASE)
_OTHER_PERIOD = re.compile(r"trong (?:ky|thang|quy)|ke hoach|du toan|nam truoc")
"""A group of columns that does not hold cumulative figures of the year."""
_TOTAL = re.compile(r"^(?:tong cong|tong so|tong|cong)\b")
_DIGITS = re.compile(r"\D*?(\d{1,7})(?:\s*[-:.]\s*\D.*)?")
_GROUPED = r"\d{1,3}(?:(?P<mark>[. ,])\d{3})(?:(?P=mark)\d{3})*"
_AMOUNT = re.compile(rf"(?:{_GROUPED}|\d+)(?:[.,]0{{1,2}})?(?: ?(?:đồng|vnđ|vnd|đ))?", re.IGNORECASE)
_LIKE_AMOUNT = re.compile(r"[-+(]?[\d., ]+\)?(?: ?(?:đồng|vnđ|vnd|đ))?", re.IGNORECASE)
_DASHES = frozenset({"-", "--"})

_DAY = r"(?:\d{1,2}\s*(?:[/.-]|thang)\s*\d{1,2}\s*(?:[/.-]|nam)\s*\d{4}|\d{4}-\d{1,2}-\d{1,2})(?!\d)"
_AS_OF_LABEL = r"(?:den(?: het)?|(?:thoi diem|ngay) chot(?: so lieu)?)(?: ngay)?"
_AS_OF = re.compile(rf"\b{_AS_OF_LABEL}\s*:?\s*({_DAY})")
_BARE_DAY = re.compile(rf"\(?(?:tai )?ngay:? ({_DAY})\)?")
_LABEL = re.compile(rf".*\b{_AS_OF_LABEL}\s*:?")
_YEAR_LABEL = r"(?:nien do(?: ngan sach| ns)?|nam (?:ngan sach|ns)|ke hoach(?: von)? nam)"
_YEAR = re.compile(rf"\b{_YEAR_LABEL}\s*:?\s*(20\d\d)(?!\d)")
_ONLY_YEAR_LABEL = re.compile(rf".*\b{_YEAR_LABEL}\s*:?")
_UNIT = re.compile(r"(?:don vi tinh|dvt)\s*:?\s*(.+)")
_DONG = re.compile(r"^(?:dong|vnd|d)\b")

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
class _Table:
    """A table in a sheet; rows from 0, ``columns`` field -> column index."""

    grid: Grid
    sort: str
    header_row: int
    first_row: int
    columns: dict[str, int]
    unknown: list[tuple[int, int, str]]
    """(row, column, text) of headers that no field has."""
    doubled: list[tuple[str, list[int]]]

    @property
    def amount_fields(self) -> tuple[str, ...]:
        names = ("amount",) if self.sort == "postings" else ("completed", "advance", "total", "overdue")
        return tuple(name for name in names if name in self.columns)

    def at(self, row: int, name: str) -> GridValue:
        column = self.columns.get(name)
        return None if column is None else self.grid.at(row, column)

    def cell(self, row: int, name: str) -> str:
        return address(row, self.columns.get(name, 0))


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
        told = Issue("M38", None, None, {"message": error.refusal.message, "fix": error.refusal.fix})
        return Reading(sha256, name, None, (told,), refused=True)
    except BaseException as error:  # parsers' errors have no common base, and PyO3's is no Exception
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        log.warning("%s (%s) cannot be read", name, sha256, exc_info=error)
        told = Issue("M38", None, None, {"message": guard.DAMAGED.message, "fix": guard.DAMAGED.fix})
        return Reading(sha256, name, None, (told,), refused=True)
    issues = [issue for grid in grids for issue in encodings.modernise(grid) if issue.rule == "M15-lost"]
    statement = _statement(grids, columns, name, sha256, issues)
    return Reading(sha256, name, None if issues else statement, tuple(issues))


_NO_TABLE = guard.Refusal(
    "M38",
    "Tệp không phải bảng tính (.xlsx, .xls, .ods, .csv).",
    "Kết xuất lại sao kê từ TABMIS dưới dạng bảng tính rồi nạp lại.",
)


def _statement(
    grids: Sequence[Grid], columns: Sequence[Column], file_name: str, sha256: str, issues: list[Issue]
) -> Statement | None:
    found = [(grid, _find(grid, columns)) for grid in grids]
    for grid, hidden in found:
        if hidden is not None and not grid.visible:
            issues.append(Issue("M32", grid.name, None, {"value": grid.name}))
    tables = [table for grid, table in found if table is not None and grid.visible]
    if not any(table.sort == "balances" for table in tables):
        issues.append(Issue("M24", grids[0].name if grids else None, None, {}))
        return None
    titles = [(grid, table.header_row if table else _TITLE_ROWS) for grid, table in found if grid.visible]
    as_of = _as_of(titles, issues)
    year = _budget_year(titles, as_of, issues)
    bodies = [(table, _body(table, columns, issues)) for table in tables]
    lines = [line for _, body in bodies for _, line in body.lines if isinstance(line, Line)]
    postings = [posting for _, body in bodies for _, posting in body.lines if isinstance(posting, Posting)]
    issues += _doubled(lines, postings)
    if not issues:
        for table, body in bodies:
            issues += _wrong_sums(table, body)
    if not lines and not issues:
        issues.append(Issue("M24", tables[0].grid.name, None, {}))
    if as_of is None or year is None:
        return None
    return Statement(as_of, year, sha256, file_name, tuple(lines), tuple(postings))


# Finding the tables -------------------------------------------------------------------------------------------------


def _find(grid: Grid, columns: Sequence[Column]) -> _Table | None:
    """The table whose headers stand in the sheet over one to three rows; None when there is none."""
    known = {"".join(map(headers.key_part, text.split(" - "))): c.field for c in columns for text in c.headers}
    best: _Table | None = None
    for row in range(min(_HEADER_ROWS, len(grid.rows))):
        for depth in _DEPTHS:
            table = _match(grid, row, depth, known)
            if table and (best is None or _is_better(table, best)):
                best = table
    return best if best and len(best.columns) >= _FEWEST_HEADERS else None


def _is_better(table: _Table, best: _Table) -> bool:
    """More columns; or as many without the title rows above them. The same header on a later page is no better."""
    more = len(table.columns) - len(best.columns)
    return more > 0 or (more == 0 and best.header_row < table.header_row < best.first_row)


def _match(grid: Grid, row: int, depth: int, known: dict[str, str]) -> _Table | None:
    whole: dict[str, list[int]] = {}
    lowest: dict[str, list[int]] = {}
    unknown: list[tuple[int, int, str]] = []
    for column, (own, parts) in enumerate(_header_texts(grid, row, depth)):
        if not own:
            continue
        name = known.get("".join(map(headers.key_part, parts)))
        by_last = known.get(headers.key_part(parts[-1]))
        if name:
            whole.setdefault(name, []).append(column)
        elif by_last and not any(_OTHER_PERIOD.search(fold(part)) for part in parts[:-1]):
            lowest.setdefault(by_last, []).append(column)
        else:
            level = max(n for n in range(depth) if grid.at(row + n, column) not in (None, ""))
            unknown.append((row + level, column, " - ".join(parts)))
    candidates = lowest | whole
    if not candidates:
        return None
    posted = {"posted_on", "document_no", "posting_kind", "amount"} & candidates.keys()
    return _Table(
        grid,
        "postings" if posted else "balances",
        row,
        row + depth,
        {name: places[0] for name, places in candidates.items()},
        unknown,
        [(name, places) for name, places in candidates.items() if len(places) > 1],
    )


def _header_texts(grid: Grid, row: int, depth: int) -> Iterator[tuple[bool, list[str]]]:
    """Of each column: whether it has a header of its own, and its texts from the group down to it.

    The text of a group counts for every column that it is merged over, and otherwise as far as there are texts below it
    and none beside it. Labels that number the columns are no text.
    """
    rows = [grid.rows[row + n] if row + n < len(grid.rows) else [] for n in range(depth)]
    width = max(map(len, rows))
    levels = [[_header_text(line[c] if c < len(line) else None) for c in range(width)] for line in rows]
    own = [any(level[c] for level in levels) for c in range(width)]
    for (top, left), (_, right) in grid.merged:
        if row <= top < row + depth:
            for c in range(left + 1, min(right + 1, width)):
                levels[top - row][c] = levels[top - row][c] or levels[top - row][left]
    for number in range(depth - 1):
        for c in range(1, width):
            below = any(levels[n][c] for n in range(number + 1, depth))
            beside = all(levels[n][c] == levels[n][c - 1] for n in range(number))
            if not levels[number][c] and below and beside:
                levels[number][c] = levels[number][c - 1]
    for c in range(width):
        yield own[c], [level[c] for level in levels if level[c]]


def _header_text(value: GridValue) -> str:
    text = clean(_UNIT_MARK.sub("", value)) if isinstance(value, str) else ""
    return "" if len(text) > _LONGEST_HEADER or headers.NUMBER_LABEL.fullmatch(text) else text


def _header_issues(table: _Table, columns: Sequence[Column]) -> Iterator[Issue]:
    """A required column that is missing, with the header that may be meant for it; a column that stands twice."""
    titles = {column.field: column.headers[0] for column in columns}
    missing = [c.field for c in columns if c.need(table.sort) == "yes" and c.field not in table.columns]
    parts = [name for name in ("completed", "advance") if name in table.columns]
    if table.sort == "balances" and len(parts) == 1:  # one part alone may be the total's header misread
        missing += [name for name in ("completed", "advance") if name not in parts]
    for name in missing:
        strange = next(iter(table.unknown), None) if len(missing) >= len(table.unknown) else None
        listed = "; ".join(f"“{text}” (ô {address(r, c)})" for r, c, text in table.unknown) or "không có"
        where = address(strange[0], strange[1]) if strange else address(table.header_row, 0)
        yield Issue("M31", table.grid.name, where, {"expected": titles[name], "value": listed})
    for name, places in table.doubled:
        cells_ = ", ".join(address(table.header_row, c) for c in places)
        where = address(table.header_row, places[1])
        yield Issue("M31-twice", table.grid.name, where, {"expected": titles[name], "value": cells_})


# What stands above the tables ---------------------------------------------------------------------------------------


def _texts_above(grid: Grid, until: int) -> Iterator[tuple[str, str]]:
    """(cell, folded text); behind a label that ends its cell, what stands in the next filled one."""
    for r, line in enumerate(grid.rows[:until]):
        for c, value in enumerate(line):
            if not isinstance(value, str) or not value.strip():
                continue
            folded = fold(value)
            if _LABEL.fullmatch(folded) or _ONLY_YEAR_LABEL.fullmatch(folded) or folded.endswith(":"):
                beside: Iterable[GridValue] = line[c + 1 :]
                following = next((v for v in beside if not isinstance(v, ErrorValue | Uncached) and v), "")
                folded = f"{folded} {_shown(following)}"
            yield address(r, c), folded


def _shown(value: Any) -> str:
    if isinstance(value, datetime | date):
        return f"{value:%d/%m/%Y}"
    return str(int(value)) if isinstance(value, float) and value.is_integer() else fold(str(value))


def _as_of(titles: Sequence[tuple[Grid, int]], issues: list[Issue]) -> date | None:
    """The day of the balances, as every sheet that says one says it: *Đến ngày …*, else a date standing alone."""
    said: dict[date, tuple[str, str]] = {}
    alone: dict[date, tuple[str, str]] = {}
    for grid, until in titles:
        for cell, text in _texts_above(grid, until):
            if (unit := _UNIT.search(text)) and not _DONG.match(unit[1]):
                issues.append(Issue("M07", grid.name, cell, {"value": unit[1]}))
            match = _AS_OF.search(text)
            for found, days in ((match, said), (None if match else _BARE_DAY.fullmatch(text), alone)):
                if found is None:
                    continue
                day = cells.day(found[1])
                if isinstance(day, cells.Cell) and isinstance(day.value, date):
                    days.setdefault(day.value, (grid.name, cell))
                else:
                    issues.append(Issue("M21", grid.name, cell, {"value": found[1], "column": "ngày chốt số liệu"}))
    days = said or alone
    if len(days) == 1:
        return next(iter(days))
    if not days:
        issues.append(Issue("CK34-as-of", titles[0][0].name, "A1", {}))
    else:
        last = list(days.values())[-1]
        listed = ", ".join(f"{show_date(day)} ({name}!{cell})" for day, (name, cell) in days.items())
        issues.append(Issue("CK35", last[0], last[1], {"value": listed}))
    return None


def _budget_year(titles: Sequence[tuple[Grid, int]], as_of: date | None, issues: list[Issue]) -> int | None:
    """As the statement says it; without a word it is that of the date, but in January two years are open."""
    said: dict[int, tuple[str, str]] = {}
    for grid, until in titles:
        for cell, text in _texts_above(grid, until):
            if match := _YEAR.search(text):
                said.setdefault(int(match[1]), (grid.name, cell))
    if len(said) > 1:
        name, cell = list(said.values())[-1]
        issues.append(Issue("CK34-years", name, cell, {"value": ", ".join(map(str, sorted(said)))}))
        return None
    if as_of is None:
        return None
    if not said:
        if as_of.month == 1:
            values = {"value": show_date(as_of), "expected": f"{as_of.year - 1} hay {as_of.year}"}
            issues.append(Issue("CK34-year", titles[0][0].name, "A1", values))
            return None
        return as_of.year
    year, (name, cell) = next(iter(said.items()))
    if year not in (as_of.year, as_of.year - 1):
        issues.append(Issue("CK34-other-year", name, cell, {"value": str(year), "expected": show_date(as_of)}))
        return None
    return year


# Rows ---------------------------------------------------------------------------------------------------------------


def _body(table: _Table, columns: Sequence[Column], issues: list[Issue]) -> _Body:
    """The rows under the header. Blank rows, numbers of columns, repeated headers, notes and signatures are passed
    over; a row of a budget unit without a code is a sum over the rows under it, which may leave their unit blank."""
    body = _Body()
    met = list(_header_issues(table, columns))
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


def _fill_merged(table: _Table) -> None:
    """A unit, code or kind merged over several rows counts for each of them (case 25)."""
    grid = table.grid
    wanted = {table.columns.get(name) for name in ("budget_unit_code", "budget_code", "capital_kind")}
    for (top, left), (bottom, right) in grid.merged:
        if top >= table.first_row and bottom > top and left == right and left in wanted:
            for r in range(top + 1, min(bottom + 1, len(grid.rows))):
                grid.put(r, left, grid.at(top, left))


def _read_row(
    table: _Table, r: int, code: str, unit: str, titles: dict[str, str], body: _Body, issues: list[Issue]
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
    elif overdue is not None and advance is not None and overdue > advance:
        issues.append(Issue("M30-overdue", name, table.cell(r, "overdue"), _unequal(overdue, advance)))
    else:
        cell = table.cell(r, "total")
        body.lines.append((r, Line(name, r + 1, cell, unit, code, kind, completed, advance, total, overdue)))


def _posting(
    table: _Table,
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


def _amount(table: _Table, r: int, name: str, title: str, issues: list[Issue]) -> int | None:
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
            yield Issue("CK10-twice", row.sheet, row.cell, {"value": row.budget_code, "expected": where})


def _wrong_sums(table: _Table, body: _Body) -> Iterator[Issue]:
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
