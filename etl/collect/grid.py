"""A sheet as a grid of raw values, whatever kind of file it came from; formulas are looked at, not trusted.

An error value stays visible as ``ErrorValue``; a formula without a stored value is computed when it is plain
(``etl.collect.formula``) and is ``Uncached`` otherwise. Nothing of this is ever read as blank or 0 (cases 35, 36).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from etl.collect import cells
from etl.collect.formula import CellValue, UnsupportedError, evaluate, index_to_letters, letters_to_index
from etl.money import exact

MAX_ROWS = 20_000
"""Rows that any form could need, many times over."""
MAX_COLUMNS = 702
"""The last one is ZZ."""


@dataclass(frozen=True)
class ErrorValue:
    """#REF!, #DIV/0! … in a cell."""

    text: str


@dataclass(frozen=True)
class Uncached:
    """A formula without a stored value that is too complicated to be computed here, or one that leaves the file."""

    formula: str
    leaves_file: bool = False


GridValue = cells.Raw | ErrorValue | Uncached
Position = tuple[int, int]
"""Row and column, both from 0."""


_DEPTH = 40
"""Formulas that may wait for each other at a time; each takes some ten Python frames."""


_MOST_LOOKUPS = 200_000
"""Cells that the formulas of one sheet may look at; those of a form look at some 20,000."""


def _none() -> Mapping[Position, str]:
    return {}


@dataclass
class Grid:
    """``rows[r][c]``, both from 0, of the sheet ``name``; rows may differ in length.

    ``formulas`` finds the formula text of every formula cell when asked. ``distrusted``: the program that saved the
    sheet did not compute it (manual calculation, or a library's zeros in place of results).
    """

    name: str
    visible: bool
    rows: list[list[GridValue]]
    merged: list[tuple[Position, Position]] = field(default_factory=list)
    hidden_rows: frozenset[int] = frozenset()
    hidden_columns: frozenset[int] = frozenset()
    legacy_font: str | None = None
    """``TCVN3`` or ``VNI`` when the file names a font of such an encoding."""
    formulas: Callable[[], Mapping[Position, str]] = _none
    distrusted: bool = False
    textual: bool = False
    """The kind of file knows no numbers: that they are kept as text is no remark."""

    def at(self, row: int, column: int) -> GridValue:
        line = self.rows[row] if 0 <= row < len(self.rows) else []
        return line[column] if 0 <= column < len(line) else None

    def text(self, row: int, column: int) -> str:
        value = self.at(row, column)
        return value if isinstance(value, str) else ""

    def put(self, row: int, column: int, value: GridValue) -> None:
        while len(self.rows) <= row:
            self.rows.append([])
        line = self.rows[row]
        line.extend([""] * (column + 1 - len(line)))
        line[column] = value


def address(row: int, column: int) -> str:
    """``(0, 2)`` -> ``C1``."""
    return f"{index_to_letters(column)}{row + 1}"


def compute(grid: Grid, wanted: Iterable[Position], formulas: Mapping[Position, str]) -> dict[Position, GridValue]:
    """Values that the formulas at ``wanted`` give, following references to each other, else the stored values.

    A circle, a formula of an unknown kind and what would take too long is ``Uncached``; the grid is left as it is.
    """
    pending = {address(*place): place for place in wanted}
    results: dict[Position, GridValue] = {}
    busy: set[str] = set()
    lookups = 0

    def resolve(name: str) -> CellValue:
        nonlocal lookups
        lookups += 1
        if lookups > _MOST_LOOKUPS:
            raise UnsupportedError(name)
        if name in pending:
            settle(name)
        letters = name.rstrip("0123456789")
        place = (int(name[len(letters) :]) - 1, letters_to_index(letters))
        value = results.get(place, grid.at(*place))
        if isinstance(value, ErrorValue | Uncached):
            raise UnsupportedError(name)
        if value is None or value == "":
            return None
        if isinstance(value, bool | str | Decimal):
            return value
        if isinstance(value, int | float):
            return exact(value)
        raise UnsupportedError(name)

    def settle(name: str) -> None:
        if name in busy:
            raise UnsupportedError(name)
        if len(busy) >= _DEPTH:
            raise _TooDeepError(name)
        place = pending[name]
        text = formulas.get(place, "")
        value: GridValue
        busy.add(name)
        try:
            if not text:
                raise UnsupportedError(name)
            value = evaluate(text, resolve)
        except UnsupportedError:
            value = Uncached(text)
        finally:
            busy.discard(name)
        del pending[name]
        results[place] = value

    for first in list(pending):
        waiting = [first]
        while waiting:
            name = waiting[-1]
            try:
                if name in pending:
                    settle(name)
                waiting.pop()
            except _TooDeepError as error:
                # A long chain is computed from its far end; one that comes back to where it was is a circle.
                if error.name in waiting:
                    place = pending.pop(error.name)
                    results[place] = Uncached(formulas.get(place, ""))
                else:
                    waiting.append(error.name)
    return results


class _TooDeepError(Exception):
    """The formula at ``name`` is needed by so many others, one by way of the other, that it must be computed first."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name
