"""Where the table of a Treasury statement is: balances or postings, told by its columns, and these by their texts.

The texts stand in ``treasury_columns.csv``; position and order say nothing. A group of columns that does not hold
cumulative figures of the year is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from etl.collect import headers, treasury_unit
from etl.collect.grid import Grid, GridValue, address
from etl.collect.report import Issue
from etl.collect.text import fold
from etl.collect.treasury_unit import Unit
from etl.reference.treasury import Column

_HEADER_ROWS = 60
_DEPTHS = (1, 2, 3)
_FEWEST_HEADERS = 2
_LONGEST_HEADER = 120
_ROW_NUMBERS = frozenset({"stt", "so", "no"})
"""Headers of columns that number the rows."""
_OTHER_PERIOD = re.compile(r"trong (?:ky|thang|quy)|ke hoach|du toan|nam truoc")
"""A group of columns that does not hold cumulative figures of the year."""


@dataclass
class Table:
    """A table in a sheet; rows from 0, ``columns`` field -> column index."""

    grid: Grid
    sort: str
    header_row: int
    first_row: int
    columns: dict[str, int]
    unknown: list[tuple[int, int, str]]
    """(row, column, text) of headers that no field has."""
    doubled: list[tuple[str, list[int]]]
    units: list[tuple[str, Unit]] = field(default_factory=list)
    """(cell, unit) that the headers of its amounts say."""
    is_declared_in_dong: bool = False
    """The column map says of every one of its amounts that this header counts in đồng."""

    @property
    def amount_fields(self) -> tuple[str, ...]:
        names = ("amount",) if self.sort == "postings" else ("completed", "advance", "total", "overdue")
        return tuple(name for name in names if name in self.columns)

    def at(self, row: int, name: str) -> GridValue:
        column = self.columns.get(name)
        return None if column is None else self.grid.at(row, column)

    def cell(self, row: int, name: str) -> str:
        return address(row, self.columns.get(name, 0))


def find(grid: Grid, columns: Sequence[Column]) -> Table | None:
    """The table whose headers stand in the sheet over one to three rows; None when there is none."""
    known = {_map_key(text): c.field for c in columns for text in c.headers}
    in_dong = frozenset(_map_key(text) for c in columns for text in c.headers_in_dong)
    best: Table | None = None
    for row in range(min(_HEADER_ROWS, len(grid.rows))):
        for depth in _DEPTHS:
            table = _match(grid, row, depth, known, in_dong)
            if table and (best is None or _is_better(table, best)):
                best = table
    if best is None or len(best.columns) < _FEWEST_HEADERS:
        return None
    best.units += _units(best)
    return best


def _units(table: Table) -> Iterator[tuple[str, Unit]]:
    """What the headers over the amounts say, each with its cell; a group counts as far as it is merged."""
    amounts = {table.columns[name] for name in table.amount_fields}
    widths = {top_left: right for top_left, (_, right) in table.grid.merged}
    for r in range(table.header_row, table.first_row):
        for c, value in enumerate(table.grid.rows[r] if r < len(table.grid.rows) else []):
            unit = treasury_unit.of_header(value)[1] if isinstance(value, str) else None
            if unit is not None and amounts & set(range(c, widths.get((r, c), c) + 1)):
                yield address(r, c), unit


def _is_better(table: Table, best: Table) -> bool:
    """More columns; or as many without the title rows above them. The same header on a later page is no better."""
    more = len(table.columns) - len(best.columns)
    return more > 0 or (more == 0 and best.header_row < table.header_row < best.first_row)


def _map_key(header: str) -> str:
    """Of a text of the column map, which parts a group from what stands under it by a dash."""
    return "".join(headers.key_part(treasury_unit.of_header(part)[0]) for part in header.split(" - "))


def _match(grid: Grid, row: int, depth: int, known: dict[str, str], in_dong: frozenset[str]) -> Table | None:
    whole: dict[str, list[int]] = {}
    lowest: dict[str, list[int]] = {}
    unknown: list[tuple[int, int, str]] = []
    keys: dict[int, str] = {}
    for column, (own, parts) in enumerate(_header_texts(grid, row, depth)):
        if not own:
            continue
        key, last = "".join(map(headers.key_part, parts)), headers.key_part(parts[-1])
        name, by_last = known.get(key), known.get(last)
        keys[column] = key if name else last
        if name:
            whole.setdefault(name, []).append(column)
        elif by_last and not any(_OTHER_PERIOD.search(fold(part)) for part in parts[:-1]):
            lowest.setdefault(by_last, []).append(column)
        elif last not in _ROW_NUMBERS:
            level = max(n for n in range(depth) if grid.at(row + n, column) not in (None, ""))
            unknown.append((row + level, column, " - ".join(parts)))
    candidates = lowest | whole
    if not candidates:
        return None
    posted = {"posted_on", "document_no", "posting_kind", "amount"} & candidates.keys()
    table = Table(
        grid,
        "postings" if posted else "balances",
        row,
        row + depth,
        {name: places[0] for name, places in candidates.items()},
        unknown,
        [(name, places) for name, places in candidates.items() if len(places) > 1],
    )
    counted = [keys[table.columns[name]] for name in table.amount_fields]
    table.is_declared_in_dong = bool(counted) and in_dong.issuperset(counted)
    return table


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
    text = treasury_unit.of_header(value)[0] if isinstance(value, str) else ""
    return "" if len(text) > _LONGEST_HEADER or headers.NUMBER_LABEL.fullmatch(text) else text


def header_issues(table: Table, columns: Sequence[Column]) -> Iterator[Issue]:
    """A required column that is missing, with the header that may be meant for it; a column that stands twice."""
    titles = {column.field: column.headers[0] for column in columns}
    missing = [c.field for c in columns if c.need(table.sort) == "yes" and c.field not in table.columns]
    parts = [name for name in ("completed", "advance") if name in table.columns]
    if table.sort == "balances" and len(parts) == 1:  # one part alone may be the total's header misread
        missing += [name for name in ("completed", "advance") if name not in parts]
    for name in missing:
        strange = next(iter(table.unknown), None) if len(missing) >= len(table.unknown) else None
        listed = "; ".join(f"“{text}” (ô {address(r, c)})" for r, c, text in table.unknown) or "không có"
        where = address(strange[0], strange[1]) if strange else None
        yield Issue("M31", table.grid.name, where, {"expected": titles[name], "value": listed})
    for name, places in table.doubled:
        cells_ = ", ".join(address(table.header_row, c) for c in places)
        where = address(table.header_row, places[1])
        yield Issue("M31-twice", table.grid.name, where, {"expected": titles[name], "value": cells_})
