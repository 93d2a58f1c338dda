"""Reports and what is known before them, straight from the sample province: no workbook is written or read.

``as_report`` gives what the reader gives for a workbook of that content (``test_kit`` holds them equal).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from functools import cache

from etl.collect import workbook
from etl.collect.report import Form, Report, Row
from etl.collect.text import fold_code
from etl.collect.workbook import WorkbookContent
from etl.period import Period
from etl.reference import forms, province
from etl.sample.simulation import Simulation, budget_month, simulate
from etl.validate import check, known
from etl.validate.controls.roadmap import MONTHS
from etl.validate.finding import Finding
from etl.validate.known import CUMULATIVE_KEYS, PLAN_KEYS, Before, Known

LAYOUT = forms.load()


@cache
def simulation(seed: int = 2025) -> Simulation:
    return simulate(province.load(), seed)


@cache
def content(commune: str, period: Period, budget_year: int, seed: int = 2025) -> WorkbookContent:
    return simulation(seed).content(commune, period, budget_year)


def as_report(made: WorkbookContent) -> Report:
    """The report that is read from a workbook of that content."""
    name = workbook.file_name(made.commune.code, made.period, budget_year=made.budget_year)
    read = {plan.sheet.form: _form(plan, made) for plan in workbook.plan(made, LAYOUT)}
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
        signer=made.signer,
        forms=read,
    )


def _form(plan: workbook.SheetPlan, made: WorkbookContent) -> Form:
    sheet = plan.sheet
    rows = [_row(row, sheet) for row in plan.rows if row.role != "empty"]
    if sheet.form == "B01":
        number = plan.off_budget_row
        for code, amount in made.off_budget.items():
            number += 1
            rows.append(Row(number, "off_budget", code, {"disb_ytd": amount}, {}))
    columns = {column.key: column.letter for column in sheet.columns}
    return Form(sheet.form, sheet.name, columns, rows, sheet.form in made.nothing_to_report)


def _row(planned: workbook.PlannedRow, sheet: forms.Sheet) -> Row:
    values, states = {}, {}
    for column in sheet.columns:
        cell = planned.cells.get(column.key)
        value = cell.value if cell else None
        if column.kind == "code" and isinstance(value, str):
            value = fold_code(value)
        if column.kind in ("quantity", "percent") and isinstance(value, int | Decimal):
            value = Decimal(value)
        values[column.key] = value
        if value is None:
            states[column.key] = "blank"
        elif column.numeric and value == 0:
            states[column.key] = "declared_zero"
    return Row(
        planned.number,
        planned.role,
        fold_code(planned.code) if planned.role == "leaf" else planned.code,
        values,
        states,
    )


def known_before(commune: str, period: Period, budget_year: int, seed: int = 2025) -> Known:
    """What the warehouse knows when the sample reports came in order and the register of plans is loaded."""
    sim = simulation(seed)
    month = budget_month(period, budget_year)
    base = replace(known.offline(sim.province), plan=_plan(sim, commune, budget_year, month))
    if budget_year == period.year and Period(2025, 7) < period:
        base = _with_month_before(base, commune, period.previous, seed)
    first = 7 if budget_year == 2025 else 1
    if month <= first:
        last = _last_year(commune, budget_year, seed) if budget_year > 2025 else {}
        return replace(base, is_first_of_year=True, last_year=last)
    before = _before(commune, period, budget_year, seed)
    decided = {
        a.key.line_code
        for key in sim.lines(commune, budget_year, month)
        for a in _changes(sim, key, budget_year, month)
    }
    new = {key.line_code for key in sim.lines(commune, budget_year, month)} - before.lines.keys()
    return replace(
        base,
        before=before,
        decided=frozenset(decided | new),
        roadmap=_roadmap(commune, period, budget_year, seed),
    )


def _changes(sim: Simulation, key, budget_year: int, month: int):
    return sim.year(budget_year).changes(key, sim.as_of(budget_year, month - 1), sim.as_of(budget_year, month))


def _plan(sim: Simulation, commune: str, budget_year: int, month: int) -> dict[str, dict[str, int]]:
    from etl.sample.budget import PLAN_KEY

    return {
        key.line_code: {PLAN_KEY[source]: amount for source, amount in sim.plan(key, budget_year, month).items()}
        for key in sim.lines(commune, budget_year, month)
    }


def _lines(made: WorkbookContent) -> dict[str, dict[str, int]]:
    rows = {row.code: row.values for row in as_report(made).forms["B01"].rows if row.role == "leaf"}
    return {
        code: {key: value for key in (*PLAN_KEYS, *CUMULATIVE_KEYS) if isinstance(value := values[key], int)}
        for code, values in rows.items()
    }


@cache
def _before(commune: str, period: Period, budget_year: int, seed: int) -> Before:
    last = period.previous
    made = content(commune, last, budget_year, seed)
    month = budget_month(last, budget_year)
    first = 7 if budget_year == 2025 else 1
    earlier = content(commune, last.previous, budget_year, seed) if month > first else None
    rows = as_report(made).forms
    return Before(
        period=str(last),
        is_last_month=True,
        lines=_lines(made),
        outputs={
            row.code: {k: v for k in ("actual_ytd", "actual_phase") if isinstance(v := row.values[k], Decimal)}
            for row in rows["B02"].rows
        },
        earlier={code: line["disb_ytd"] for code, line in _lines(earlier).items()} if earlier else {},
    )


def _with_month_before(base: Known, commune: str, last: Period, seed: int) -> Known:
    made = content(commune, last, last.year, seed)
    rows = as_report(made).forms
    return replace(
        base,
        tasks_before={
            row.code.upper(): (row.values["status"], row.values["deadline_text"]) for row in rows["B03"].rows
        },
        proposals_before={
            _number(row, made, position): str(row.values["proposal"])
            for position, row in enumerate(rows["B04"].rows)
            if row.values["state"] != "Đã giải quyết"
        },
    )


def _number(row: Row, made: WorkbookContent, position: int) -> str:
    """The number that the warehouse gives to a new proposal."""
    given = row.values.get("issue_id")
    new = sum(not r.get("issue_id") for r in made.proposals[: position + 1])
    return str(given or f"KN-{made.commune.code}-{made.period}-{new:02d}")


def _last_year(commune: str, budget_year: int, seed: int) -> dict[str, int]:
    closing = content(commune, Period(budget_year, 1), budget_year - 1, seed)
    return {code: line["disb_ytd"] for code, line in _lines(closing).items()}


def _roadmap(commune: str, period: Period, budget_year: int, seed: int) -> dict[str, dict[str, int]]:
    when = period.previous
    first = 7 if budget_year == 2025 else 1
    while budget_month(when, budget_year) >= first:
        rows = as_report(content(commune, when, budget_year, seed)).forms["B05"].rows
        sent = {
            row.code: {key: v for key in MONTHS if isinstance(v := row.values[key], int)}
            for row in rows
            if row.role == "leaf"
        }
        if any(sent.values()):
            return sent
        when = when.previous
    return {}


Change = Callable[[Report], None]


def judged(report: Report, knowledge: Known) -> list[Finding]:
    return check.run([report], province.load(), [knowledge])[0]
