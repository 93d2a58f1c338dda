"""Finds the form in a sheet by its header texts: over one to three rows, wherever they stand, in any order.

The texts of a column's header rows are joined into one key, so that a group split over three rows reads like the
form's two; only letters and digits count.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache

from etl.collect.formula import index_to_letters
from etl.collect.grid import Grid, Position
from etl.collect.text import clean, fold
from etl.reference import forms

NUMBER_LABEL = re.compile(r"\(\d+\)\s*(=.*)?|\d{1,2}\s*=.*")
_LABEL = re.compile(r"[\[(]?\s*(?:(\d{1,2})|[A-Ea-e])\s*[\])]?\.?\s*(?:=.*)?")
FEWEST_HEADERS = 3
_SEARCH_ROWS = 60
_DEPTHS = (2, 1, 3)
_NOT_KEY = re.compile(r"[^a-z0-9%+]")
_MATCHED_SHARE = 0.6
_LONGEST = 200
_WAYS = {"money": "money", "quantity": "number", "percent": "number", "code": "code", "date": "date", "enum": "enum"}


@dataclass(frozen=True)
class Table:
    """Where a form's table is: rows from 0; ``columns`` layout key -> column index; ``share`` of headers found."""

    layout: forms.Sheet
    header_row: int
    first_row: int
    columns: dict[str, int]
    unknown: tuple[tuple[str, str], ...]
    """Cell and text of every header that the form does not have."""
    share: float

    @cached_property
    def plan(self) -> tuple[tuple[str, int | None, str, forms.Column], ...]:
        """(layout key, column index or None, way of reading, column) of every column of the form."""
        return tuple((c.key, self.columns.get(c.key), _WAYS.get(c.kind, "text"), c) for c in self.layout.columns)

    @cached_property
    def numeric_keys(self) -> tuple[str, ...]:
        """Those of the form's numeric columns that are there."""
        return tuple(key for key in self.layout.numeric_keys if key in self.columns)


_SHORT = {"tt": "stt", "sott": "stt", "sothutu": "stt", "dvt": "donvitinh"}
"""Official abbreviations of headers (DOMAIN.md section 4.1: TT/STT, ĐVT)."""


@lru_cache(maxsize=8192)
def key_part(header: str) -> str:
    """A header text as matching key: letters and digits only."""
    key = _NOT_KEY.sub("", fold(header))
    return _SHORT.get(key, key)


@cache
def _wanted(version: int, form: str) -> dict[str, str]:
    """Both header rows as one matching key -> layout key."""
    columns = forms.load(version).sheet(form).columns
    return {key_part(c.header_1) + key_part(c.header_2): c.key for c in columns}


@cache
def _lower(version: int, form: str) -> dict[str, str]:
    """Lower headers that stand under one group only -> layout key: such a column is known wherever it was moved."""
    found: dict[str, list[str]] = {}
    for column in forms.load(version).sheet(form).columns:
        found.setdefault(key_part(column.header_2), []).append(column.key)
    titles = {key_part(c.header_1) for c in forms.load(version).sheet(form).columns}
    return {part: keys[0] for part, keys in found.items() if part and len(keys) == 1 and part not in titles}


@cache
def _first_headers(version: int) -> frozenset[str]:
    """Beginnings of headers: what a header row of any form must show some of."""
    return frozenset(key_part(c.header_1) for s in forms.load(version).sheets for c in s.columns)


def find(grid: Grid, version: forms.FormVersion) -> Table | None:
    """The form whose headers stand in this sheet; None when the sheet is none of the forms.

    A header row is one in which at least three cells are known headers of any form. Biểu 01 and 05 share their first
    columns: the form of which the greater share of headers is there has the sheet.
    """
    known = _first_headers(version.version)
    best: Table | None = None
    for row in range(min(_SEARCH_ROWS, len(grid.rows))):
        texts = [v for v in grid.rows[row] if isinstance(v, str) and v and len(v) < _LONGEST]
        if len(texts) < FEWEST_HEADERS or sum(key_part(v) in known for v in texts) < FEWEST_HEADERS:
            continue
        for depth in _DEPTHS:
            rows = tuple(_texts(grid, row + n) for n in range(depth))
            merged = _merged_in(grid.merged, row, depth)
            for layout in version.sheets:
                columns, unknown = _match(version.version, layout.form, rows, merged)
                share = len(columns) / len(layout.columns)
                better = (
                    best is None or share > best.share or (share == best.share and len(unknown) < len(best.unknown))
                )
                if share >= _MATCHED_SHARE and better:
                    titles = tuple(
                        (f"{index_to_letters(c)}{row + level + 1}", title)
                        for c, level, title, own in unknown
                        if own or _has_values(grid, row + depth, c)
                    )
                    best = Table(layout, row, row + depth, columns, titles, share)
            if best and best.share == 1 and not best.unknown:
                return best
        if best and best.header_row == row:
            return best
    return best


@cache
def _any_header(version: int, form: str) -> frozenset[str]:
    columns = forms.load(version).sheet(form).columns
    return frozenset(key_part(text) for c in columns for text in (c.header_1, c.header_2) if text)


def is_header_row(line: Sequence[object], version: int, form: str, fewest: int = FEWEST_HEADERS) -> bool:
    """Whether a row says nothing but the form's headers, as they are repeated on top of a new page."""
    known, found = _any_header(version, form), 0
    for value in line:
        if value is None or value == "":
            continue
        if type(value) is not str or key_part(value) not in known:
            return False
        found += 1
    return found >= fewest


def is_number_row(line: Sequence[object]) -> bool:
    """Whether a row only numbers the columns: (1) (2) (3)=(4)+(5), or 1 2 3, [1], A B 1 2 (case 27)."""
    filled = [v for v in line if v not in (None, "")]
    labels = [str(int(v)) if isinstance(v, float) and v.is_integer() else str(v).strip() for v in filled]
    matches = [_LABEL.fullmatch(label) for label in labels]
    numbers = [m[1] for m in matches if m and m[1]]
    return all(matches) and len(numbers) >= FEWEST_HEADERS and len(set(numbers)) == len(numbers)


def _texts(grid: Grid, row: int) -> tuple[str, ...]:
    line = grid.rows[row] if row < len(grid.rows) else []
    return tuple(value if isinstance(value, str) else "" for value in line)


def _merged_in(merged: Sequence[tuple[Position, Position]], row: int, depth: int) -> tuple[tuple[int, int, int], ...]:
    """(header level, first column, last column) of every merged group of the header rows."""
    return tuple(
        (top - row, left, right) for (top, left), (_, right) in merged if row <= top < row + depth and right > left
    )


@lru_cache(maxsize=2048)
def _match(
    version: int, form: str, rows: tuple[tuple[str, ...], ...], merged: tuple[tuple[int, int, int], ...]
) -> tuple[dict[str, int], tuple[tuple[int, int, str, bool], ...]]:
    """Layout key -> column index; (column index, level, text, is it the column's own) of unknown headers.

    Kept, since nearly all workbooks have the same header rows.
    """
    wanted, lower = _wanted(version, form), _lower(version, form)
    columns: dict[str, int] = {}
    unknown: list[tuple[int, int, str, bool]] = []
    for column, parts in enumerate(_flattened(rows, merged)):
        filled = [part for part in parts if part]
        if not filled:
            continue
        own = [clean(row[column]) if column < len(row) else "" for row in rows]
        key = wanted.get("".join(map(key_part, filled))) or lower.get(key_part(own[-1]))
        if key and key not in columns and (any(own) or len(rows) == 1):
            columns[key] = column
        else:
            level = max((n for n, part in enumerate(own) if part), default=len(rows) - 1)
            unknown.append((column, level, " - ".join(filled), any(own)))
    return columns, tuple(unknown)


def _has_values(grid: Grid, first_row: int, column: int) -> bool:
    return any(grid.at(r, column) not in (None, "") for r in range(first_row, len(grid.rows)))


def _flattened(rows: tuple[tuple[str, ...], ...], merged: tuple[tuple[int, int, int], ...]) -> list[tuple[str, ...]]:
    """The header texts of each column from top to bottom; a group's text counts for every column under it.

    Where the group is not merged, it reaches as far as there are texts below it and none beside it.
    """
    width = max(map(len, rows), default=0)
    levels = [[clean(row[c]) if c < len(row) else "" for c in range(width)] for row in rows]
    for level in levels:
        for c, text in enumerate(level):
            if NUMBER_LABEL.fullmatch(text):
                level[c] = ""
    for number, left, right in merged:
        for c in range(left + 1, min(right + 1, width)):
            levels[number][c] = levels[number][c] or levels[number][left]
    for number in range(len(levels) - 1):
        for c in range(1, width):
            below = any(levels[n][c] for n in range(number + 1, len(levels)))
            beside = all(levels[n][c] == levels[n][c - 1] for n in range(number))
            if not levels[number][c] and below and beside:
                levels[number][c] = levels[number][c - 1]
    return [tuple(level[c] for level in levels) for c in range(width)]
