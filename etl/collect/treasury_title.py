"""What stands above the tables of a Treasury statement: the day of the balances, the budget year and the unit."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from etl.clock import show_date
from etl.collect import cells, treasury_unit
from etl.collect.grid import ErrorValue, Grid, GridValue, Uncached, address
from etl.collect.report import Issue
from etl.collect.text import clean, fold
from etl.collect.treasury_table import Table
from etl.collect.treasury_unit import Unit

ROWS = 30
"""So far down a sheet without a table is looked through for date and budget year."""
_DAY = r"(?:\d{1,2}\s*(?:[/.-]|thang)\s*\d{1,2}\s*(?:[/.-]|nam)\s*(?:\d{4}|\d{2})|\d{4}-\d{1,2}-\d{1,2})(?!\d)"
_AS_OF_LABEL = r"(?:den(?: het)?|(?:thoi diem|ngay) chot(?: so lieu)?)(?: ngay)?"
_AS_OF = re.compile(rf"\b{_AS_OF_LABEL}\s*:?\s*({_DAY})")
_NEARLY_DAY = re.compile(
    r"\b(?:den(?: het)? ngay|(?:thoi diem|ngay) chot(?: so lieu)?(?: ngay)?)\s*:?\s*"
    r"(\d+\s*[/.-][^\s;,)]*|\d+ thang\b.*|\d{5}(?!\S))"
)
"""What stands where a day should: none, or the number that a spreadsheet keeps for one."""
_BARE_DAY = re.compile(rf"\(?(?:tai )?ngay:? ({_DAY})\)?")
_LABEL = re.compile(rf".*\b{_AS_OF_LABEL}\s*:?")
_YEAR_LABEL = r"(?:(?:nien do|nam) (?:ngan sach(?: nha nuoc)?|nsnn|ns)|nien do|ke hoach(?: von)? nam)"
_YEAR = re.compile(rf"\b{_YEAR_LABEL}\s*:?\s*(20\d\d)(?!\d)")
_ONLY_YEAR_LABEL = re.compile(rf".*\b{_YEAR_LABEL}\s*:?")


@dataclass(frozen=True)
class Text:
    """A text above a table: its cell, as it stands there, and folded."""

    cell: str
    whole: str
    folded: str

    def shown(self, match: re.Match[str]) -> str:
        """The first group of a match, as it stands there where folding kept the length."""
        text = self.whole if len(self.whole) == len(self.folded) else self.folded
        return text[match.start(1) : match.end(1)]


def _texts_above(grid: Grid, until: int) -> Iterator[Text]:
    """Behind a label that ends its cell stands what is in the next filled one."""
    for r, line in enumerate(grid.rows[:until]):
        for c, value in enumerate(line):
            if not isinstance(value, str) or not value.strip():
                continue
            whole, folded = clean(value), fold(value)
            is_label = any(label.fullmatch(folded) for label in (_LABEL, _ONLY_YEAR_LABEL))
            if is_label or treasury_unit.is_label(folded) or folded.endswith(":"):
                beside: Iterable[GridValue] = line[c + 1 :]
                following = _shown(next((v for v in beside if not isinstance(v, ErrorValue | Uncached) and v), ""))
                whole, folded = f"{whole} {following}", f"{folded} {fold(following)}"
            yield Text(address(r, c), whole, folded)


def _shown(value: Any) -> str:
    if isinstance(value, datetime | date):
        return f"{value:%d/%m/%Y}"
    return str(int(value)) if isinstance(value, float) and value.is_integer() else clean(str(value))


def find_as_of(titles: Sequence[tuple[Grid, int]], issues: list[Issue]) -> date | None:
    """The day of the balances, as every sheet that says one says it: *Đến ngày …*, else a date standing alone."""
    said: dict[date, tuple[str, str]] = {}
    alone: dict[date, tuple[str, str]] = {}
    wrong: list[Issue] = []
    for grid, until in titles:
        for text in _texts_above(grid, until):
            match = _AS_OF.search(text.folded)
            bare = None if match else _BARE_DAY.fullmatch(text.folded)
            found = match or bare or _NEARLY_DAY.search(text.folded)
            if found is None:
                continue
            day = cells.day(found[1])
            if isinstance(day, cells.Cell) and isinstance(day.value, date):
                (alone if bare else said).setdefault(day.value, (grid.name, text.cell))
            else:
                values = {"value": text.shown(found), "column": "ngày chốt số liệu"}
                wrong.append(Issue("M21", grid.name, text.cell, values))
    issues += wrong
    days = said or alone
    if len(days) == 1:
        return next(iter(days))
    if wrong:  # that there is no day, or another one, is the same cause
        return None
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
        for text in _texts_above(grid, until):
            if match := _YEAR.search(text.folded):
                said.setdefault(int(match[1]), (grid.name, text.cell))
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


def unit_issues(titles: Sequence[tuple[Grid, int]], tables: Sequence[Table]) -> list[Issue]:
    """M07 for each table that does not count in đồng, or does not say in what: nothing is converted, nothing guessed.

    A table without a word of its own goes by the titles of the other sheets, documents also by the headers of the
    balances. Where nothing is said the column map may vouch for the layout (``treasury_columns.csv``, ``unit``).
    """
    above = {grid.name: _units_above(grid, until) for grid, until in titles}
    of_balances = [said for table in tables if table.sort == "balances" for said in table.units]
    issues: list[Issue] = []
    for table in tables:
        name = table.grid.name
        said = above.get(name, []) + [(name, cell, unit) for cell, unit in (*table.units, *_units_below(table))]
        if not said:
            said = [one for units in above.values() for one in units]
        if not said and table.sort == "postings":
            said = [(name, cell, unit) for cell, unit in of_balances]
        wrong: dict[str, tuple[str, str, Unit]] = {}
        for one in said:
            if not one[2].is_dong:
                wrong.setdefault(fold(one[2].text), one)
        issues += [Issue("M07", place, cell, {"value": unit.text}) for place, cell, unit in wrong.values()]
        if not said and not table.is_declared_in_dong:
            issues.append(Issue("M07-missing", name, _first_amount(table), {}))
    once = {issue.rule if issue.rule == "M07-missing" else (issue.sheet, issue.cell): issue for issue in issues[::-1]}
    return list(once.values())[::-1]


def _units_above(grid: Grid, until: int) -> list[tuple[str, str, Unit]]:
    found = ((text.cell, treasury_unit.in_title(text.whole)) for text in _texts_above(grid, until))
    return [(grid.name, cell, unit) for cell, unit in found if unit is not None]


def _units_below(table: Table) -> Iterator[tuple[str, Unit]]:
    for r, line in enumerate(table.grid.rows[table.first_row :], table.first_row):
        for c, value in enumerate(line):
            if isinstance(value, str) and (unit := treasury_unit.in_body(value)) is not None:
                yield address(r, c), unit


def _first_amount(table: Table) -> str:
    column = min((table.columns[name] for name in table.amount_fields), default=0)
    return address(table.header_row, column)
