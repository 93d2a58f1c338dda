"""Reports and what is known before them, straight from the sample province: no workbook is written or read.

``as_report`` gives what the reader gives for a workbook of that content (``test_kit`` holds them equal), and
``known_before`` what the warehouse knows of it (``tests/sql/test_known.py``). Amounts are whole đồng.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import cache

from etl.collect import workbook
from etl.collect.cells import Typed
from etl.collect.report import Form, Report, Row
from etl.collect.text import fold_code
from etl.collect.workbook import WorkbookContent
from etl.period import Period
from etl.reference import forms, province
from etl.reference.province import Province
from etl.sample import commune_report
from etl.sample.budget import FIRST_YEAR, PLAN_KEY, LineKey
from etl.sample.simulation import FIRST_PERIOD, Simulation, budget_month, simulate
from etl.validate import check, known
from etl.validate.controls.roadmap import MONTHS
from etl.validate.finding import Finding
from etl.validate.known import CUMULATIVE_KEYS, PLAN_KEYS, Before, Known

LAYOUT = forms.load()
SEED = 2025
YEAR_2026 = (*((Period(2026, month), 2026) for month in range(1, 13)), (Period(2027, 1), 2026))
"""(period, budget year) of the thirteen reports of a whole budget year."""
FIRST_MONTHS = (*((Period(2025, month), 2025) for month in range(7, 13)), (Period(2026, 1), 2025))
_LAST_YEAR_UNTIL = 3
"""Month up to which the old year's figures are asked for."""
_CLOSED_PROPOSALS = ("Đã giải quyết", "Không thuộc thẩm quyền")

Lines = dict[str, dict[str, int]]


@cache
def lang_son() -> Province:
    return province.load()


@cache
def simulation(seed: int = SEED) -> Simulation:
    return simulate(lang_son(), seed)


@cache
def content(commune: str, period: Period, budget_year: int, seed: int = SEED) -> WorkbookContent:
    return commune_report.content(simulation(seed), commune, period, budget_year)


def report(commune: str, period: Period, budget_year: int, seed: int = SEED) -> Report:
    """A report of its own each time, because judging it settles its rows."""
    pristine = _forms(commune, period, budget_year, seed)
    return _report(content(commune, period, budget_year, seed), {name: _copy(form) for name, form in pristine.items()})


def as_report(made: WorkbookContent) -> Report:
    """The report that is read from a workbook of that content."""
    return _report(made, _read(made))


def _report(made: WorkbookContent, read: dict[str, Form]) -> Report:
    name = workbook.file_name(made.commune.code, made.period, budget_year=made.budget_year)
    return Report(
        file_name=name,
        sha256=name,
        commune_code=made.commune.code,
        period=made.period,
        budget_year=made.budget_year,
        as_of=made.as_of,
        template_id=forms.TEMPLATE_ID,
        template_version=forms.CURRENT_VERSION,
        version_no=1,
        forms=read,
    )


def _read(made: WorkbookContent) -> dict[str, Form]:
    return {plan.sheet.form: _form(plan, made) for plan in workbook.plan(made, LAYOUT)}


@cache
def _forms(commune: str, period: Period, budget_year: int, seed: int) -> dict[str, Form]:
    return _read(content(commune, period, budget_year, seed))


def _copy(form: Form) -> Form:
    rows = [Row(row.row_no, row.role, row.code, dict(row.values), dict(row.states)) for row in form.rows]
    return Form(form.form, form.sheet, dict(form.columns), rows, form.nothing_to_report)


def _form(plan: workbook.SheetPlan, made: WorkbookContent) -> Form:
    sheet = plan.sheet
    rows = [_row(row, sheet) for row in plan.rows if row.role != "empty"]
    if sheet.form == "B01":
        rows += [_off_budget(n, code, amount, sheet) for n, (code, amount) in _numbered(made, plan.off_budget_row + 1)]
    columns = {column.key: column.letter for column in sheet.columns}
    return Form(sheet.form, sheet.name, columns, rows, sheet.form in made.nothing_to_report)


def _numbered(made: WorkbookContent, first: int) -> list[tuple[int, tuple[str, int | None]]]:
    return list(enumerate(made.off_budget.items(), first))


def _row(planned: workbook.PlannedRow, sheet: forms.Sheet) -> Row:
    cells = {key: cell.value for key, cell in planned.cells.items()}
    values, states = _typed(cells, sheet)
    code = fold_code(planned.code) if planned.role == "leaf" else planned.code
    return Row(planned.number, planned.role, code, values, states)


def _off_budget(number: int, code: str, amount: int | None, sheet: forms.Sheet) -> Row:
    names = {line.line_code: line.name_vi for line in LAYOUT.off_budget}
    cells: dict[str, Typed] = {"content_vi": names[code], sheet.row_key: code, workbook.OFF_BUDGET_AMOUNT: amount}
    values, states = _typed(cells, sheet)
    return Row(number, "off_budget", code, values, states)


def _typed(cells: Mapping[str, Typed], sheet: forms.Sheet) -> tuple[dict[str, Typed], dict[str, str]]:
    """Values and states of a row as the reader gives them."""
    values: dict[str, Typed] = {}
    states: dict[str, str] = {}
    for column in sheet.columns:
        value = cells.get(column.key)
        if column.kind == "code" and isinstance(value, str):
            value = fold_code(value)
        elif column.kind in ("quantity", "percent") and isinstance(value, int | Decimal):
            value = Decimal(value)
        elif column.kind not in ("money", "quantity", "percent") and isinstance(value, int):
            value = str(value)
        values[column.key] = value
        if value is None and column.numeric:
            states[column.key] = "blank"
        elif column.numeric and value == 0:
            states[column.key] = "declared_zero"
    return values, states


def known_before(commune: str, period: Period, budget_year: int, seed: int = SEED) -> Known:
    """What the warehouse knows when the sample reports came in order and the register of plans is loaded."""
    sim = simulation(seed)
    month = budget_month(period, budget_year)
    base = replace(known.offline(sim.province), plan=_plan(sim, commune, budget_year, month))
    if budget_year == period.year and period > FIRST_PERIOD:
        base = _with_month_before(base, commune, period.previous, seed)
    if FIRST_YEAR < budget_year == period.year and month <= _LAST_YEAR_UNTIL:
        base = replace(base, last_year=_last_year(commune, period, seed))
    if month <= _first_month(budget_year):
        return replace(base, is_first_of_year=True)
    before = _before(commune, period, budget_year, seed)
    keys = sim.lines(commune, budget_year, month)
    return replace(
        base,
        before=before,
        decided=frozenset(
            key.line_code
            for key in keys
            if key.line_code not in before.lines or _is_changed(sim, key, budget_year, month)
        ),
        roadmap=_roadmap(commune, period, budget_year, seed),
    )


def _first_month(budget_year: int) -> int:
    return FIRST_PERIOD.month if budget_year == FIRST_YEAR else 1


def _is_changed(sim: Simulation, key: LineKey, budget_year: int, month: int) -> bool:
    """Whether a decision on the line came into force in the month."""
    since, until = sim.as_of(budget_year, month - 1), sim.as_of(budget_year, month)
    return bool(sim.year(budget_year).changes(key, since, until))


def _plan(sim: Simulation, commune: str, budget_year: int, month: int) -> Lines:
    """By the decisions: a source of which none speaks is not there."""
    plans = {key.line_code: sim.plan(key, budget_year, month) for key in sim.lines(commune, budget_year, month)}
    return {
        code: {PLAN_KEY[source]: amount for source, amount in parts.items() if amount} for code, parts in plans.items()
    }


def _rows(commune: str, period: Period, budget_year: int, form: str, seed: int) -> list[Row]:
    """Rows of a report as it was sent; only to be read."""
    return [row for row in _forms(commune, period, budget_year, seed)[form].rows if row.role == "leaf"]


def _lines(commune: str, period: Period, budget_year: int, seed: int) -> Lines:
    return {
        row.code: {k: v for k in (*PLAN_KEYS, *CUMULATIVE_KEYS) if isinstance(v := row.values[k], int)}
        for row in _rows(commune, period, budget_year, "B01", seed)
    }


@cache
def _before(commune: str, period: Period, budget_year: int, seed: int) -> Before:
    last = period.previous
    has_earlier = budget_month(last, budget_year) > _first_month(budget_year)
    earlier = _lines(commune, last.previous, budget_year, seed) if has_earlier else {}
    return Before(
        period=str(last),
        is_last_month=True,
        lines=_lines(commune, last, budget_year, seed),
        outputs={
            row.code: {k: v for k in ("actual_ytd", "actual_phase") if isinstance(v := row.values[k], Decimal)}
            for row in _rows(commune, last, budget_year, "B02", seed)
        },
        earlier={code: line["disb_ytd"] for code, line in earlier.items()},
    )


def _with_month_before(base: Known, commune: str, last: Period, seed: int) -> Known:
    tasks = _rows(commune, last, last.year, "B03", seed)
    return replace(
        base,
        tasks_before={
            row.code.upper(): (_text(row.values["status"]), _text(row.values["deadline_text"])) for row in tasks
        },
        proposals_before=_proposals(commune, last, seed),
    )


def _text(value: Typed) -> str | None:
    return None if value is None else str(value)


def _proposals(commune: str, period: Period, seed: int) -> dict[str, str]:
    """Number -> text of what was not resolved; a new proposal has the number that the warehouse gives to it."""
    result: dict[str, str] = {}
    new = 0
    for row in _rows(commune, period, period.year, "B04", seed):
        given = row.values.get("issue_id")
        new += not given
        if row.values["state"] not in _CLOSED_PROPOSALS:
            result[str(given or f"KN-{commune}-{period}-{new:02d}")] = str(row.values["proposal"])
    return result


def _last_year(commune: str, period: Period, seed: int) -> dict[str, int]:
    """Cumulatives of the old year's latest report of an earlier month: in January December's, then the closing one."""
    last = period.previous
    rows = _lines(commune, min(last, Period(period.year, 1)), period.year - 1, seed)
    return {code: line["disb_ytd"] for code, line in rows.items()}


def _roadmap(commune: str, period: Period, budget_year: int, seed: int) -> Lines:
    """That of the latest earlier report which has one."""
    when = period.previous
    while budget_month(when, budget_year) >= _first_month(budget_year):
        rows = _rows(commune, when, budget_year, "B05", seed)
        sent = {row.code: {key: v for key in MONTHS if isinstance(v := row.values[key], int)} for row in rows}
        if any(sent.values()):
            return sent
        when = when.previous
    return {}


def judged(one: Report, knowledge: Known | None = None) -> list[Finding]:
    return judged_together([one], [knowledge or known.offline(lang_son())])[0]


def judged_together(reports: Sequence[Report], knowledge: Sequence[Known]) -> list[list[Finding]]:
    """Findings of each; a batch costs little more than one report."""
    return check.run(reports, lang_son(), knowledge)


def month(communes: Sequence[str], period: Period, budget_year: int) -> tuple[list[Report], list[Known]]:
    """The reports of these communes, and what is known before each."""
    reports = [report(commune, period, budget_year) for commune in communes]
    return reports, [known_before(commune, period, budget_year) for commune in communes]
