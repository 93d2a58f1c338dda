"""A sound report and what is known before it, to be spoiled in one place.

A scene is the report of a commune for one month, with one line of Biểu 01 (``LINE``), its row of the roadmap and its
indicator of Biểu 02 (``INDICATOR``) put into round figures, so that a bound can be met to the đồng:

    plan      600 central + 200 provincial + 100 own + 80 and 20 carried over = 1,000 triệu đồng
    before    500 disbursed (400 central, 100 local; 400 for volume, 100 in advance; 50 from carried-over capital)
    now       560 disbursed (440 central, 120 local; 460 for volume, 100 in advance; 60), 60 of it in the month

What is typed before the formulas goes through ``line``, ``output`` and so on: sums and rates are made as the workbook
makes them. What is typed over a formula, or into a heading, goes through ``type_over``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from etl.collect.report import Issue, Report, Row
from etl.collect.workbook import Value, WorkbookContent
from etl.period import Period
from etl.reference import treasury as reference_treasury
from etl.reference.province import split_line_code
from etl.sample.simulation import budget_month
from etl.validate.controls.roadmap import MONTHS
from etl.validate.known import Before, Known
from etl.validate.treasury import Balance, Balances
from tests.rules import kit

TRIEU = 1_000_000
COMMUNE = "06517"
"""The one commune whose tasks are in the register."""
DECEMBER = (Period(2025, 12), 2025)
NOVEMBER = (Period(2025, 11), 2025)
JANUARY = (Period(2026, 1), 2026)
CLOSING = (Period(2026, 1), 2025)
LINE = "DTTS-DA1-ND3-SN"
PROJECT = "DTTS-DA1-ND3"
INDICATOR = "CT-09"
TASK = "QS-2025-10-1.A"
"""Done on 24/11/2025; due at the end of the year."""
OPEN_TASK = "QS-2025-10-1.B"
"""Not done; due at the end of the year, too."""
PLAN = {"plan_nstw": 600, "plan_nst": 200, "plan_nsx": 100, "carry_nstw": 80, "carry_nsdp": 20}
PAID = {
    "disb_nstw": 440,
    "disb_nsdp": 120,
    "disb_completed": 460,
    "disb_advance": 100,
    "disb_carry": 60,
    "accepted_volume": 460,
    "forecast": 900,
}
PAID_BEFORE = {
    "disb_ytd": 500,
    "disb_nstw": 400,
    "disb_nsdp": 100,
    "disb_completed": 400,
    "disb_advance": 100,
    "disb_carry": 50,
}
EARLIER = 440


def trieu(amounts: Mapping[str, int]) -> dict[str, int]:
    return {key: amount * TRIEU for key, amount in amounts.items()}


@dataclass(frozen=True)
class Told:
    """A finding as a test states it: amounts in đồng, other figures as their text."""

    id: str
    severity: str
    form: str
    cell: str | None
    value: int | str | None
    expected: int | str | None
    difference: int | str | None


@dataclass
class Scene:
    content: WorkbookContent
    known: Known
    typed: dict[tuple[str, str, str], Any] = field(default_factory=dict)
    codes: dict[tuple[str, str], str] = field(default_factory=dict)
    issues: list[Issue] = field(default_factory=list)
    _made: tuple[Any, Report] | None = None

    # --- what the commune types -----------------------------------------------------------------------------------

    def line(self, code: str = LINE, /, **values: Value) -> None:
        """Figures of a line of Biểu 01; a computed column that is named is typed over its formula."""
        lines = (
            replace(line, values={**line.values, **values}) if line.line_code == code else line
            for line in self.content.lines
        )
        self.content = replace(self.content, lines=tuple(lines))

    def new_line(self, code: str, /, kind_vi: str = "Kinh phí sự nghiệp", **values: Value) -> None:
        """A line that the form does not have yet: without money unless it is given."""
        blank = dict.fromkeys((*PLAN, *PAID), 0)
        like = self.content.lines[0]
        added = replace(like, line_code=code, kind_vi=kind_vi, values={**blank, "note": None, **values})
        self.content = replace(self.content, lines=(*self.content.lines, added))

    def without_line(self, code: str) -> None:
        lines = tuple(line for line in self.content.lines if line.line_code != code)
        roadmap = tuple(row for row in self.content.roadmap if row["line_code"] != code)
        self.content = replace(self.content, lines=lines, roadmap=roadmap)

    def output(self, code: str = INDICATOR, /, **values: Value) -> None:
        self._rows("indicators", "indicator_code", code, values)

    def task(self, code: str = TASK, /, **values: Value) -> None:
        self._rows("tasks", "task_id", code, values)

    def proposal(self, position: int = 0, /, **values: Value) -> None:
        rows = [dict(row) for row in self.content.proposals]
        rows[position] |= values
        self.content = replace(self.content, proposals=tuple(rows))

    def roadmap(self, code: str = LINE, /, **values: Value) -> None:
        self._rows("roadmap", "line_code", code, values)

    def send_roadmap(self) -> None:
        """Biểu 05 as it was sent before, word for word."""
        for code, amounts in self.known.roadmap.items():
            self.roadmap(code, **amounts)

    def _rows(self, name: str, key: str, code: str, values: Mapping[str, Value]) -> None:
        rows = [{**row, **values} if str(row[key]).upper() == code else row for row in getattr(self.content, name)]
        changed: dict[str, Any] = {name: tuple(rows)}
        self.content = replace(self.content, **changed)

    def type_over(self, form: str, code: str, /, **values: Any) -> None:
        """Cells of the row of that code (the total's is empty), after all formulas."""
        self.typed |= {(form, code, key): value for key, value in values.items()}

    def recode(self, form: str, code: str, new: str) -> None:
        """The code of a row typed over; its name and figures stay."""
        self.codes[form, code] = new

    # --- what is known --------------------------------------------------------------------------------------------

    def knows(self, **changes: Any) -> None:
        self.known = replace(self.known, **changes)

    def plan(self, code: str = LINE, /, **parts: int) -> None:
        """The plan of a line: reported, decided, and no other the month before."""
        self.line(code, **parts)
        self.registered(code, **parts)
        if self.known.before:
            self.before_line(code, **parts)

    def registered(self, code: str = LINE, /, **parts: int) -> None:
        self.knows(plan={**self.known.plan, code: {**self.known.plan.get(code, {}), **parts}})

    @property
    def before(self) -> Before:
        if self.known.before is None:
            raise LookupError("nothing is known before this report")
        return self.known.before

    def before_line(self, code: str = LINE, /, **amounts: int) -> None:
        lines = {**self.before.lines, code: {**self.before.lines.get(code, {}), **amounts}}
        self.knows(before=replace(self.before, lines=lines))

    def paid_before(self, amount: int, code: str = LINE) -> None:
        """So much disbursed by the month before, and the rest of it in this month."""
        self.before_line(code, disb_ytd=amount)
        self.content = replace(self.content, previous={**self.content.previous, code: {"disb_ytd": amount}})

    def before_output(self, code: str = INDICATOR, /, **figures: Decimal) -> None:
        outputs = {**self.before.outputs, code: {**self.before.outputs.get(code, {}), **figures}}
        self.knows(before=replace(self.before, outputs=outputs))

    def planned(self, code: str = LINE, /, **amounts: int) -> None:
        """The roadmap in force."""
        self.knows(roadmap={**self.known.roadmap, code: {**self.known.roadmap.get(code, {}), **amounts}})

    def statement(self) -> None:
        """A statement of the Treasury that agrees with the report to the đồng."""
        configuration = reference_treasury.in_force(kit.lang_son(), self.content.as_of)
        codes: dict[tuple[str, str], tuple[str, ...]] = {}
        for (code, _), place in configuration.codes.items():
            codes[place] = (*codes.get(place, ()), code)
        lines = []
        for row in self.leaves("B01"):
            node, kind = split_line_code(row.code)
            completed, advance = (int(str(row.values[key])) for key in ("disb_completed", "disb_advance"))
            if completed or advance:
                code = next(iter(codes.get((node, kind), ())), f"TEST-{row.code}")
                lines.append(Balance(code, node, kind, completed, advance, completed + advance))
        self.knows(treasury=Balances(self.content.as_of, self.content.budget_year, "0" * 64, tuple(lines), (), codes))

    def balance(self, code: str = LINE, /, **changes: Any) -> None:
        """Figures of one row of the statement; its total is made of the parts unless it is given."""
        balances = self.balances
        node, kind = split_line_code(code)
        lines = []
        for line in balances.lines:
            if (line.node_code, line.capital_kind) == (node, kind):
                line = replace(line, **changes)
                line = replace(line, total=(line.completed or 0) + (line.advance or 0))
            lines.append(line)
        self.knows(treasury=replace(balances, lines=tuple(lines)))

    @property
    def balances(self) -> Balances:
        if self.known.treasury is None:
            raise LookupError("no statement: call statement() first")
        return self.known.treasury

    # --- the report -----------------------------------------------------------------------------------------------

    @property
    def report(self) -> Report:
        """As it stands now; the same one until something else is changed."""
        made_of = (id(self.content), dict(self.typed), dict(self.codes), list(self.issues))
        if self._made is None or self._made[0] != made_of:
            self._made = (made_of, self._build())
        return self._made[1]

    def forget(self) -> None:
        """The report is made anew: judging it has settled its rows."""
        self._made = None

    def _build(self) -> Report:
        report = kit.as_report(self.content)
        for (name, code, key), value in self.typed.items():
            _row(report, name, code).values[key] = value
        for (name, code), new in self.codes.items():
            row = _row(report, name, code)
            row.code = row.values[kit.LAYOUT.sheet(name).row_key] = new
        report.issues += self.issues
        return report

    def leaves(self, form: str) -> list[Row]:
        return [row for row in self.report.forms[form].rows if row.role == "leaf"]

    def cell(self, form: str, code: str, key: str) -> str | None:
        return self.report.forms[form].cell(key, _row(self.report, form, code).row_no)

    # --- what is said ---------------------------------------------------------------------------------------------

    def error(self, *place: Any, **figures: Any) -> Told:
        return self._told("error", *place, **figures)

    def warning(self, *place: Any, **figures: Any) -> Told:
        return self._told("warning", *place, **figures)

    def info(self, *place: Any, **figures: Any) -> Told:
        return self._told("info", *place, **figures)

    def _told(
        self,
        severity: str,
        form: str,
        code: str | None = None,
        key: str | None = None,
        *,
        value: int | str | None = None,
        expected: int | str | None = None,
        difference: int | str | None = None,
        id: str = "",
    ) -> Told:
        """``code`` and ``key`` name the cell; without them the whole sheet is meant. The registry knows the id."""
        cell = self.cell(form, code, key) if code is not None and key else None
        return Told(id, severity, form, cell, value, expected, difference)


def _row(report: Report, form: str, code: str) -> Row:
    """The last row with that code: of two, the second is the one that is too many."""
    rows = [row for row in report.forms[form].rows if row.code == code or (not code and row.role == "total")]
    if not rows:
        raise KeyError(code)
    return rows[-1]


def scene(when: tuple[Period, int] = DECEMBER, commune: str = COMMUNE) -> Scene:
    """A sound report: nothing is said about it."""
    made = Scene(kit.content(commune, *when), kit.known_before(commune, *when))
    if budget_month(*when) == 1:
        return made
    made.plan(**trieu(PLAN))
    made.line(**trieu(PAID), note=None)
    made.before_line(**trieu(PAID_BEFORE))
    made.knows(before=replace(made.before, earlier={**made.before.earlier, LINE: EARLIER * TRIEU}))
    made.output(actual_ytd=Decimal(15), actual_phase=Decimal(115), target_year=Decimal(20), target_phase=Decimal(200))
    made.before_output(actual_ytd=Decimal(10), actual_phase=Decimal(110))
    made.content = replace(made.content, previous=_previous(made))
    now = budget_month(*when) - 1
    planned = {key: (560 + 20 * (n - now)) * TRIEU for n, key in enumerate(MONTHS) if n >= min(now, 9)}
    if LINE in made.known.roadmap:
        made.planned(**planned)
    if any(row.get("planned_close") is not None for row in made.content.roadmap):
        made.roadmap(**planned)
    return made


def _previous(made: Scene) -> dict[str, Mapping[str, int | Decimal]]:
    """The figures that the formulas of the month's columns subtract."""
    line = {"disb_ytd": PAID_BEFORE["disb_ytd"] * TRIEU}
    return {**made.content.previous, LINE: line, INDICATOR: {"actual_ytd": Decimal(10)}}
