"""What calamine passes over in a sheet: error values, formulas and those without a value, hidden rows and columns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import unescape

from etl.collect import guard
from etl.collect.formula import index_to_letters, letters_to_index
from etl.collect.grid import MAX_COLUMNS, ErrorValue, Grid, Position, Uncached, compute
from etl.collect.xlsx.mending import ADDRESS

_MAX_WRITTEN_OUT = 1_000_000
"""Characters of shared formulas written out for every cell; those of a form come to some 100,000."""
_ERROR = re.compile(rb'<c\s([^>]*?\bt="e"[^>]*)>\s*(?:<f(?:\s[^>]*)?(?:/>|>[^<]*</f>)\s*)?<v>([^<]*)</v>')
# A formula cell without a value: no <v> at all or an empty one.
_UNCACHED = re.compile(rb"<c\s([^>]*)>\s*<f(?:\s[^>]*?)?(?:/>|>([^<]*)</f>)\s*(?:<v\s*/>|<v>\s*</v>)?\s*</c>")
_FORMULA = re.compile(rb"<c\s([^>]*)>\s*<f(?:\s([^>]*?))?(?:/>|>([^<]*)</f>)")
_HIDDEN_ROW = re.compile(rb'<row\s([^>]*\bhidden="(?:1|true)"[^>]*)>')
_HIDDEN_COLUMN = re.compile(rb'<col\s([^>]*\bhidden="(?:1|true)"[^>]*)>')
_SPAN = re.compile(rb'\b(min|max)="(\d+)"')
_QUOTED = re.compile(r'"(?:[^"]|"")*"')
_LEAVES_FILE = re.compile(r"\[\d+\]|\[[^\]]+\.xls\w?\]|\|", re.IGNORECASE)
_REFERENCE = re.compile(r"(?<![A-Za-z0-9_.$'!])(\$?)([A-Z]{1,3})(\$?)(\d{1,7})(?![A-Za-z0-9_(])")


def look_closer(grid: Grid, xml: bytes, *, manual: bool) -> None:
    """Put error values and values of formulas without value into ``grid``; note what is hidden."""
    if b'hidden="' in xml:
        grid.hidden_rows = frozenset(int(n) - 1 for m in _HIDDEN_ROW.findall(xml) for n in _row_of(m))
        grid.hidden_columns = frozenset(c for m in set(_HIDDEN_COLUMN.findall(xml)) for c in _columns_of(m))
    if b't="e"' in xml:
        for attributes, text in _ERROR.findall(xml):
            grid.put(*_position(attributes), ErrorValue(text.decode("utf-8", "replace")))
    if b"<f" not in xml:
        return
    end = xml.find(b"</sheetData>")
    known: dict[Position, str] = {}

    def formulas() -> Mapping[Position, str]:
        if not known:
            known.update(_formulas(xml))
        return known

    grid.formulas = formulas
    # Counting is many times quicker than matching: every formula is plainly followed by a value, or not.
    plain = xml.count(b"</f><v>", 0, end)
    formula_cells = xml.count(b"<f", 0, end)
    first = xml.find(b"</f><v>", 0, end)
    zeros = first >= 0 and xml.startswith(b"</f><v>0</v>", first)  # counted only where the first one is
    grid.distrusted = manual or (zeros and xml.count(b"</f><v>0</v>", 0, end) == plain)
    if formula_cells != plain or b"<v></v>" in xml:
        missing = [
            _position(attributes)
            for attributes, _ in _UNCACHED.findall(xml)
            if b't="str"' not in attributes  # there the value is an empty text
        ]
        for place, value in compute(grid, missing, formulas()).items():
            grid.put(*place, value)
    if xml.find(b"[", 0, end) >= 0 or xml.find(b"|", 0, end) >= 0:
        for place, text in formulas().items():
            if _LEAVES_FILE.search(_QUOTED.sub("", text)):
                grid.put(*place, Uncached(text, leaves_file=True))


def _row_of(attributes: bytes) -> list[bytes]:
    return re.findall(rb'(?:^|\s)r="(\d+)"', attributes)[:1]


def _columns_of(attributes: bytes) -> range:
    span = {name: int(number) for name, number in _SPAN.findall(attributes)}
    return range(span.get(b"min", 1) - 1, min(span.get(b"max", 0), MAX_COLUMNS))


def _formulas(xml: bytes) -> dict[Position, str]:
    """Text of every formula, shared ones written out for each cell."""
    found: dict[Position, str] = {}
    shared: dict[bytes, tuple[Position, str]] = {}
    written_out = 0
    for attributes, kind, text in _FORMULA.findall(xml):
        place = _position(attributes)
        written = unescape(text.decode("utf-8", "replace"))
        group = re.search(rb'\bsi="(\d+)"', kind) if b'"shared"' in kind else None
        if group and written:
            shared[group[1]] = (place, written)
        elif group and group[1] in shared:
            origin, base = shared[group[1]]
            written_out += len(base)
            if written_out > _MAX_WRITTEN_OUT:
                raise guard.RefusedError(guard.BOMB)
            written = _moved(base, place[0] - origin[0], place[1] - origin[1])
        found[place] = written
    return found


def _moved(formula: str, rows: int, columns: int) -> str:
    """The formula of a shared group as it reads in a cell so many rows and columns further on."""

    def shift(match: re.Match[str]) -> str:
        fixed_column, letters, fixed_row, number = match.groups()
        column = letters if fixed_column else index_to_letters(max(letters_to_index(letters) + columns, 0))
        return f"{fixed_column}{column}{fixed_row}{number if fixed_row else int(number) + rows}"

    return _REFERENCE.sub(shift, formula)


def _position(attributes: bytes) -> Position:
    """Row and column, both from 0, of a cell that names its address."""
    found = ADDRESS.search(attributes)
    if found is None:
        raise ValueError("cell without address")
    return int(found[2]) - 1, letters_to_index(found[1].decode())
