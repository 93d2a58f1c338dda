"""What a BC-MTQG workbook holds and which cell holds it: content in, placed cells out.

No spreadsheet library is used here. ``plan`` places every row by the form layout (``etl.reference.forms``)
and works out the formulas with the values that they give, so that the writer, the checks of a sample and the
hash of the pre-filled cells all speak of the same cells. Rules of the rows: DOMAIN.md section 4.2.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from etl import money
from etl.period import Period
from etl.reference import forms
from etl.reference.forms import Column, FormVersion, Sheet
from etl.reference.province import Commune, Node, Province, read_csv, split_line_code

Value = int | Decimal | str | date | None
Row = Mapping[str, Value]
"""Layout key -> value: money in whole đồng, quantity as Decimal, ``None`` a blank cell.

A computed column that a row does not name becomes a formula; one that it names is written as given (or left
blank).
"""

MIN_EMPTY_ROWS = 5
OFF_BUDGET_TITLE = "Vốn ngoài kế hoạch ngân sách (không tính vào tỷ lệ giải ngân)"
OFF_BUDGET_AMOUNT = "disb_ytd"
"""The column in which the amounts of the off-budget block stand."""

_ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X")


@dataclass(frozen=True)
class DisbursementLine:
    """One leaf line of Biểu 01: a leaf node and a capital kind; ``kind_vi`` is that kind's official name."""

    line_code: str
    kind_vi: str
    values: Row

    @property
    def project_code(self) -> str:
        return split_line_code(self.line_code)[0]

    @property
    def capital_kind(self) -> str:
        return split_line_code(self.line_code)[1]


@dataclass(frozen=True)
class WorkbookContent:
    """The report of one commune for one period and budget year.

    ``nodes`` is the programme tree in official order; ``previous`` holds last period's cumulative figures by
    row code (line or indicator) and layout key; ``off_budget`` is in đồng by line code; ``nothing_to_report``
    holds short form names (``B03``) that are ticked *Không phát sinh*.
    """

    commune: Commune
    period: Period
    budget_year: int
    as_of: date
    nodes: Mapping[str, Node]
    lines: tuple[DisbursementLine, ...]
    indicators: tuple[Row, ...] = ()
    tasks: tuple[Row, ...] = ()
    proposals: tuple[Row, ...] = ()
    roadmap: tuple[Row, ...] = ()
    off_budget: Mapping[str, int | None] = field(default_factory=dict)
    previous: Mapping[str, Mapping[str, int | Decimal]] = field(default_factory=dict)
    nothing_to_report: frozenset[str] = frozenset()
    preparer: str | None = None
    signer: str | None = None

    def rows(self, form: str) -> tuple[Row, ...]:
        """Rows of B02 to B05; Biểu 01 is made of ``lines``."""
        return {"B02": self.indicators, "B03": self.tasks, "B04": self.proposals, "B05": self.roadmap}[form]


@dataclass(frozen=True)
class Cell:
    """A placed value; with a formula, ``value`` is what it yields (``None``: the empty string)."""

    value: Value = None
    formula: str = ""


@dataclass(frozen=True)
class PlannedRow:
    """``role``: heading, leaf, total, empty; ``code``: the row key's value, empty for new or total rows."""

    number: int
    role: str
    depth: int
    code: str
    cells: Mapping[str, Cell]


@dataclass(frozen=True)
class SheetPlan:
    sheet: Sheet
    rows: tuple[PlannedRow, ...]

    @property
    def last_row(self) -> int:
        return self.rows[-1].number

    @property
    def off_budget_row(self) -> int:
        """Row of the title of the off-budget block: one empty row lies between it and the table."""
        return self.last_row + 2

    def row(self, code: str) -> PlannedRow:
        """The first row with that code; KeyError when the sheet has none."""
        for row in self.rows:
            if row.code == code and row.role != "empty":
                return row
        raise KeyError(code)

    def ref(self, code: str, key: str) -> str:
        """``K12``: the cell of column ``key`` in the row of ``code``; the total row's code is the empty
        string.
        """
        return f"{self.sheet.column(key).letter}{self.row(code).number}"


def capital_kind_names(province: Province, budget_year: int) -> dict[str, str]:
    """Kind code -> its official name in that budget year (the recurrent kind changes its name in 2026)."""
    day = date(budget_year, 1, 1).isoformat()
    return {
        r["capital_kind"]: r["name_vi"]
        for r in read_csv(province.folder / "capital_kinds.csv")
        if r["valid_from"] <= day and (not r["valid_to"] or day <= r["valid_to"])
    }


def file_name(commune_code: str, period: Period, version_no: int = 1, budget_year: int | None = None) -> str:
    """``BC-MTQG_06517_2025-10_v1.xlsx``; the closing report of January also names its budget year."""
    closing = f"_NS{budget_year}" if budget_year is not None and budget_year != period.year else ""
    return f"{forms.TEMPLATE_ID}_{commune_code}_{period}{closing}_v{version_no}.xlsx"


def plan(content: WorkbookContent, layout: FormVersion) -> tuple[SheetPlan, ...]:
    """Every sheet of the layout with its rows placed from ``FIRST_DATA_ROW`` on."""
    return tuple(
        SheetPlan(sheet, tuple(_disbursement_rows(content, sheet)))
        if sheet.form == "B01"
        else SheetPlan(sheet, tuple(_listed_rows(content, sheet)))
        for sheet in layout.sheets
    )


def prefilled_cells(plans: Iterable[SheetPlan]) -> Iterable[tuple[str, str, str]]:
    """(sheet, cell, text) of every locked, filled cell that is no formula: đồng, ISO dates or the text
    itself.
    """
    for sheet_plan in plans:
        for row in sheet_plan.rows:
            for column in sheet_plan.sheet.columns:
                cell = row.cells.get(column.key)
                if column.locked and cell and cell.value is not None and not cell.formula:
                    text = cell.value.isoformat() if isinstance(cell.value, date) else str(cell.value)
                    yield sheet_plan.sheet.name, f"{column.letter}{row.number}", text


def content_hash(cells: Iterable[tuple[str, str, str]]) -> str:
    """sha256 in hex over the lines ``sheet!cell=text`` (UTF-8, each ended by a line feed) in form, row,
    column order.

    It goes into ``_meta`` when the workbook is handed out; a reader that computes another one knows that a
    pre-filled cell was changed.
    """
    digest = hashlib.sha256()
    for sheet, ref, text in cells:
        digest.update(f"{sheet}!{ref}={text}\n".encode())
    return digest.hexdigest()


def in_cell_unit(column: Column, value: int | Decimal) -> int | Decimal:
    """As a cell shows it: money in triệu đồng, anything else as it is."""
    return money.vnd_to_trieu(int(value)) if column.kind == "money" else value


@dataclass
class _Entry:
    """A row of Biểu 01 before its figures: ``children`` are positions in the list of entries."""

    role: str
    depth: int
    code: str
    stt: str
    content_vi: str
    children: list[int]
    line: DisbursementLine | None = None


def _disbursement_rows(content: WorkbookContent, sheet: Sheet) -> list[PlannedRow]:
    if not content.lines:
        return [
            *_empty_rows(sheet, forms.FIRST_DATA_ROW, MIN_EMPTY_ROWS),
            _total_row(sheet, forms.FIRST_DATA_ROW, []),
        ]
    entries = _tree(content)
    rows: dict[int, PlannedRow] = {}
    for position in reversed(range(len(entries))):
        entry = entries[position]
        number = forms.FIRST_DATA_ROW + position
        given: dict[str, Value] = {
            "stt": entry.stt,
            "content_vi": entry.content_vi,
            sheet.row_key: entry.code,
        }
        if entry.line:
            previous = content.previous.get(entry.code, {})
            cells = _fill(sheet, number, {**entry.line.values, **given}, previous)
        else:
            cells = _sums(sheet, number, given, [rows[c] for c in entry.children])
        rows[position] = PlannedRow(number, entry.role, entry.depth, entry.code, cells)
    placed = [rows[p] for p in range(len(entries))]
    return [*placed, _total_row(sheet, placed[-1].number + 1, [r for r in placed if r.depth == 0])]


def _tree(content: WorkbookContent) -> list[_Entry]:
    """Programme, dự án, tiểu dự án and, under each leaf node, its capital kinds, in official order."""
    by_node: dict[str, list[DisbursementLine]] = {}
    for line in content.lines:
        by_node.setdefault(line.project_code, []).append(line)
    wanted = set()
    for code in by_node:
        while code and code not in wanted:
            wanted.add(code)
            code = content.nodes[code].parent_code
    entries: list[_Entry] = []
    below: dict[str, list[str]] = {}
    for node_code, node in content.nodes.items():
        if node_code in wanted:
            below.setdefault(node.parent_code, []).append(node_code)

    def add(code: str, stt: str, depth: int) -> int:
        position = len(entries)
        entry = _Entry("heading", depth, code, stt, content.nodes[code].name_vi, [])
        entries.append(entry)
        for index, child in enumerate(below.get(code, []), 1):
            own = _official_number(child, code) or str(index)
            entry.children.append(add(child, own if depth == 0 else f"{stt}.{own}", depth + 1))
        for index, line in enumerate(by_node.get(code, [])):
            entry.children.append(len(entries))
            entries.append(_Entry("leaf", depth + 1, line.line_code, chr(ord("a") + index), line.kind_vi, [], line))
        return position

    for index, programme in enumerate(below.get("", [])):
        add(programme, _ROMAN[index], 0)
    return entries


def _official_number(code: str, parent: str) -> str:
    """Number of a node within its parent, as the decisions number it: ``GNBV-DA3`` -> ``3``; empty if it has
    none.
    """
    match = re.fullmatch(r"-[A-Z]+0*(\d+)", code.removeprefix(parent))
    return match[1] if match else ""


def _listed_rows(content: WorkbookContent, sheet: Sheet) -> list[PlannedRow]:
    """Rows of a form without a tree, the empty ones for what the commune adds, and the total where there is
    one.
    """
    given = content.rows(sheet.form)
    rows = []
    for index, values in enumerate(given):
        number = forms.FIRST_DATA_ROW + index
        code = str(values.get(sheet.row_key) or "")
        numbered = {"stt": index + 1, **values}
        cells = _fill(sheet, number, numbered, content.previous.get(code, {}))
        rows.append(PlannedRow(number, "leaf", 0, code, cells))
    next_row = forms.FIRST_DATA_ROW + len(rows)
    if not sheet.column(sheet.row_key).locked or not rows:
        spare = _empty_rows(sheet, next_row, max(MIN_EMPTY_ROWS - len(rows), 2))
        rows += spare
        next_row += len(spare)
    if sheet.total_label:
        rows.append(_total_row(sheet, next_row, [r for r in rows if r.role == "leaf"]))
    return rows


def _empty_rows(sheet: Sheet, first: int, count: int) -> list[PlannedRow]:
    blank = {c.key: Cell() for c in sheet.columns}
    return [PlannedRow(first + n, "empty", 0, "", blank) for n in range(count)]


def _total_row(sheet: Sheet, number: int, children: Sequence[PlannedRow]) -> PlannedRow:
    label = {sheet.columns[1].key: sheet.total_label}
    return PlannedRow(number, "total", 0, "", _sums(sheet, number, label, children))


def _sums(sheet: Sheet, number: int, given: Row, children: Sequence[PlannedRow]) -> dict[str, Cell]:
    """Cells of a heading or total: sums over the children, and rates of those sums (law 6)."""
    cells: dict[str, Cell] = {key: Cell(value) for key, value in given.items()}
    for column in sheet.columns:
        if column.total:
            values = [v for r in children if isinstance(v := r.cells[column.key].value, int | Decimal)]
            refs = _references(column.letter, [r.number for r in children])
            formula = f'=IF(COUNT({refs})=0,"",SUM({refs}))' if refs else ""
            cells[column.key] = Cell(sum(values) if values else None, formula)
    for column in sheet.columns:
        if column.computed.startswith("percent:") and children:
            cells[column.key] = _percent(sheet, column, number, lambda key: cells[key].value)
    return {c.key: cells.get(c.key, Cell()) for c in sheet.columns}


def _fill(sheet: Sheet, number: int, given: Row, previous: Mapping[str, int | Decimal]) -> dict[str, Cell]:
    """Cells of a data row: the given values, and a formula in each computed column that is not given."""
    cells: dict[str, Cell] = {}

    def value(key: str) -> Value:
        if key not in cells:
            cells[key] = make(sheet.column(key))
        return cells[key].value

    def make(column: Column) -> Cell:
        if column.key in given or not column.computed:
            return Cell(given.get(column.key))
        operation, _, argument = column.computed.partition(":")
        if operation == "sum":
            return _sum(sheet, argument.split(","), number, value)
        if operation == "minus_previous":
            return _minus(sheet.column(argument), number, value(argument), previous.get(argument, 0))
        return _percent(sheet, column, number, value)

    for column in sheet.columns:
        value(column.key)
    return cells


def _sum(sheet: Sheet, keys: Sequence[str], number: int, value: Callable[[str], Value]) -> Cell:
    values = [v for k in keys if isinstance(v := value(k), int | Decimal)]
    letters = [sheet.column(k) for k in keys]
    adjoining = [c.no for c in letters] == list(range(letters[0].no, letters[0].no + len(letters)))
    refs = (
        f"{letters[0].letter}{number}:{letters[-1].letter}{number}"
        if adjoining
        else ",".join(f"{c.letter}{number}" for c in letters)
    )
    return Cell(sum(values) if values else None, f'=IF(COUNTA({refs})=0,"",SUM({refs}))')


def _minus(column: Column, number: int, value: Value, previous: int | Decimal) -> Cell:
    """This period's cumulative figure less the previous one, which is part of the formula: the sheet stands
    alone.
    """
    ref = f"{column.letter}{number}"
    before = Decimal(in_cell_unit(column, previous))
    formula = f'=IF({ref}="","",ROUND({ref}-{before:f},6))'
    return Cell(value - previous if isinstance(value, int | Decimal) else None, formula)


def _percent(sheet: Sheet, column: Column, number: int, value: Callable[[str], Value]) -> Cell:
    above, below = column.computed.removeprefix("percent:").split("/")
    top, bottom = (f"{sheet.column(k).letter}{number}" for k in (above, below))
    formula = f'=IF(OR({top}="",{bottom}=""),"",IF({bottom}=0,"",ROUND({top}/{bottom}*100,2)))'
    numerator, denominator = value(above), value(below)
    if not isinstance(numerator, int | Decimal) or not isinstance(denominator, int | Decimal):
        return Cell(None, formula)
    return Cell(money.rate_pct(_millionths(numerator), _millionths(denominator)), formula)


def _millionths(number: int | Decimal) -> int:
    """As a whole number, exact for up to 6 decimals, for a rate of two such numbers."""
    return int(Decimal(number).scaleb(6))


def _references(letter: str, numbers: Sequence[int]) -> str:
    if not numbers:
        return ""
    if len(numbers) > 1 and list(numbers) == list(range(numbers[0], numbers[0] + len(numbers))):
        return f"{letter}{numbers[0]}:{letter}{numbers[-1]}"
    return ",".join(f"{letter}{n}" for n in numbers)
