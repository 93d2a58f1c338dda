"""What stands above the tables of a Treasury statement: the day of the balances and the budget year."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Any

from etl.clock import show_date
from etl.collect import cells
from etl.collect.grid import ErrorValue, Grid, GridValue, Uncached, address
from etl.collect.report import Issue
from etl.collect.text import fold

ROWS = 30
"""So far down a sheet without a table is looked through for date and budget year."""
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


def find_as_of(titles: Sequence[tuple[Grid, int]], issues: list[Issue]) -> date | None:
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


def find_budget_year(titles: Sequence[tuple[Grid, int]], as_of: date | None, issues: list[Issue]) -> int | None:
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
