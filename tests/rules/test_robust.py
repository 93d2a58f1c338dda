"""Whatever a report holds, it is judged: one bad workbook stops only itself (law 3).

Reports are spoiled at random within what the reader can give: typed values, blanks with and without an issue, rows that
are missing or stand twice, missing columns and forms, no period, no commune.
"""

from __future__ import annotations

import copy
import random
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from etl.collect.cells import Typed
from etl.collect.report import Form, Report, Row
from etl.period import Period
from etl.reference.forms import Column
from etl.validate.known import PLAN_KEYS, Before, Known
from tests.rules import kit
from tests.rules.scene import CLOSING, DECEMBER, JANUARY, LINE, NOVEMBER, TRIEU, Scene, scene

MONTHS = (kit.FIRST_MONTHS[0], kit.FIRST_MONTHS[3], DECEMBER, CLOSING, JANUARY, (Period(2026, 2), 2026))
_LARGEST = 10**18
_TEXTS = (
    "",
    "  ",
    "abc",
    "{value}",
    "%s",
    "=1+1",
    "a\nb",
    "Thu hồi",
    "QĐ 12/QĐ-UBND",
    "UBND xã Quan Sơn",
    "x; y",
    "😀",
)
_CODES = ("", "-", "-SN", "DT", "X-DT", "GNBV", "GNBV-DA1-DT", "NTM-ND02-DT", "CT-09", "QS-2025-10-1.A", "É", "A B")


def some_value(rng: random.Random, column: Column) -> Typed:
    """What a cell of that column may hold once it is read."""
    if rng.random() < 0.25:
        return None
    if column.kind == "money":
        amounts = (0, 1, -1, 999_999, rng.randint(-(10**12), 10**12), rng.randint(-_LARGEST, _LARGEST))
        return rng.choice(amounts)
    if column.kind in ("quantity", "percent"):
        return Decimal(rng.choice(("0", "-1", "0.001", "1E+5", "56", "0.56", "123456789012.345")))
    if column.kind == "date":
        return date(2025, 1, 1) + timedelta(days=rng.randint(-5000, 5000))
    if column.kind == "enum":
        return rng.choice(column.choices)
    return rng.choice(_CODES if column.kind == "code" else _TEXTS) or None


def retype(rng: random.Random, form: Form) -> None:
    sheet = kit.LAYOUT.sheet(form.form)
    row, column = rng.choice(form.rows), rng.choice(sheet.columns)
    value = some_value(rng, column)
    row.values[column.key] = value
    if column.numeric:
        row.states[column.key] = "blank" if value is None else "declared_zero" if value == 0 else "number"
    if value is None and rng.random() < 0.5:
        row.bad = row.bad | {column.key}
    elif column.numeric and rng.random() < 0.1:
        row.texts = {**row.texts, column.key: rng.choice(("M04 5", "M05 5 tr", "M02-read 1.234", "M09 (5)"))}
    if column.key == sheet.row_key:
        row.code = str(value or "")


def drop_row(rng: random.Random, form: Form) -> None:
    form.rows.remove(rng.choice(form.rows))


def repeat_row(rng: random.Random, form: Form) -> None:
    row = rng.choice(form.rows)
    form.rows.append(Row(form.rows[-1].row_no + 1, row.role, row.code, dict(row.values), dict(row.states)))


def drop_column(rng: random.Random, form: Form) -> None:
    drop_this_column(form, rng.choice(list(form.columns) or ["stt"]))


def drop_this_column(form: Form, key: str) -> None:
    """As it is read: the header is an issue of its own, and no cell of the column is there."""
    form.columns.pop(key, None)
    for row in form.rows:
        row.values[key], row.bad = None, row.bad | {key}


def only_headings(rng: random.Random, form: Form) -> None:
    form.rows = [row for row in form.rows if row.role != "leaf"]


def no_rows(rng: random.Random, form: Form) -> None:
    form.rows = []


def tick(rng: random.Random, form: Form) -> None:
    form.nothing_to_report = not form.nothing_to_report


CHANGES: tuple[tuple[Callable[[random.Random, Form], None], int], ...] = (
    (retype, 70),
    (drop_row, 10),
    (repeat_row, 8),
    (drop_column, 4),
    (tick, 4),
    (only_headings, 2),
    (no_rows, 1),
)


def spoil(rng: random.Random, report: Report) -> None:
    for _ in range(rng.choice((1, 3, 10, 40))):
        form = report.forms.get(rng.choice(("B01", "B01", "B02", "B03", "B04", "B05")))
        if form and form.rows:
            rng.choices([change for change, _ in CHANGES], [weight for _, weight in CHANGES])[0](rng, form)
    if rng.random() < 0.1 and report.forms:
        del report.forms[rng.choice(list(report.forms))]
    if rng.random() < 0.1:
        report.commune_code = rng.choice((None, "99999", "06001"))
    if rng.random() < 0.1:
        report.period, report.budget_year = rng.choice(((None, None), (Period(2031, 1), 2031), (Period(2026, 1), None)))
    if rng.random() < 0.05:
        report.as_of = None


def misjudge(rng: random.Random, knowledge: Known) -> Known:
    """Known in part only, as it happens: no register, no month before, one of two months ago, a capital to be split."""
    before = knowledge.before
    choices: list[Known] = [
        knowledge,
        knowledge,
        replace(knowledge, before=None),
        replace(knowledge, plan={}),
        replace(
            knowledge,
            plan={code: parts for code, parts in knowledge.plan.items() if "DA1" not in code},
            plan_above={"DTTS-DA1-SN": {"plan_nstw": 5}, "ZZZ-DT": {"plan_nstw": 1}, "NTM-DT": {}},
        ),
        replace(knowledge, received_on=date(2025, 11, 1), tasks={}, roadmap={code: {} for code in knowledge.roadmap}),
    ]
    if before:
        choices.append(replace(knowledge, before=replace(before, is_last_month=False, lines={}, outputs={})))
        choices.append(replace(knowledge, before=replace(before, lines={code: {} for code in before.lines})))
    return rng.choice(choices)


@pytest.mark.parametrize("seed", range(4))
def test_no_report_stops_the_others(seed: int) -> None:
    """Forty at a time: one that could not be judged would take the month with it."""
    rng = random.Random(seed)
    reports: list[Report] = []
    knowledge: list[Known] = []
    for _ in range(40):
        commune, when = rng.choice(kit.simulation().commune_codes[:12]), rng.choice(MONTHS)
        s = Scene(kit.content(commune, *when), kit.known_before(commune, *when))
        if rng.random() < 0.3:
            s.statement()
        report = kit.report(commune, *when)
        spoil(rng, report)
        reports.append(report)
        knowledge.append(misjudge(rng, s.known))
    found = kit.judged_together(reports, knowledge)
    assert len(found) == len(reports)
    for finding in (finding for of_report in found for finding in of_report):
        assert not re.search(r"\bNone\b|\bnan\b|<NA>", finding.message), finding
        assert finding.sheet or not finding.cell, finding


def test_a_report_is_judged_alike_alone_and_among_others() -> None:
    communes = kit.simulation().commune_codes[:8]
    reports, knowledge = kit.month(communes, *DECEMBER)
    for report in reports:
        spoil(random.Random(report.commune_code), report)
    alone = [kit.judged(copy.deepcopy(one), known) for one, known in zip(reports, knowledge, strict=True)]
    assert kit.judged_together(reports, knowledge) == alone


def test_judging_twice_gives_the_same() -> None:
    report, knowledge = kit.report("06463", *DECEMBER), kit.known_before("06463", *DECEMBER)
    spoil(random.Random(5), report)
    assert kit.judged(report, knowledge) == kit.judged(report, knowledge)


def test_a_report_without_any_form_is_judged() -> None:
    report = kit.report("06463", *DECEMBER)
    report.forms = {}
    assert kit.judged(report, kit.known_before("06463", *DECEMBER)) == []


def test_a_refused_file_has_its_refusal_only() -> None:
    report = kit.report("06463", *DECEMBER)
    report.refused = True
    report.forms["B01"].rows[3].values["plan_total"] = -1
    assert kit.judged(report, kit.known_before("06463", *DECEMBER)) == []


# --- what is not yet a month like the others -------------------------------------------------------------------------


@pytest.mark.parametrize("when", [NOVEMBER, DECEMBER, (Period(2026, 2), 2026), (Period(2026, 5), 2026)], ids=str)
def test_the_first_report_of_a_commune_in_the_middle_of_the_year_is_left_alone(when: tuple[Period, int]) -> None:
    for commune in kit.simulation().commune_codes[:10]:
        knowledge = replace(kit.known_before(commune, *when), before=None, is_first_of_year=True, roadmap={})
        assert [f for f in kit.judged(kit.report(commune, *when), knowledge) if f.severity == "error"] == []


def test_a_report_after_a_month_that_was_not_sent_is_left_alone() -> None:
    """Of October the warehouse knows nothing: December is held against November's report of two months ago."""
    for commune in kit.simulation().commune_codes[:10]:
        knowledge = kit.known_before(commune, *DECEMBER)
        october = kit.known_before(commune, *NOVEMBER).before
        assert knowledge.before is not None
        assert october is not None
        earlier = Before("2025-10", is_last_month=False, lines=october.lines, outputs=october.outputs)
        decided = knowledge.decided | kit.known_before(commune, *NOVEMBER).decided
        found = kit.judged(kit.report(commune, *DECEMBER), replace(knowledge, before=earlier, decided=decided))
        assert [f for f in found if f.severity == "error"] == []
        assert not [f for f in found if f.rule == "CK20"]


def test_amounts_beyond_what_a_database_column_holds_are_told_and_not_wrapped() -> None:
    s = scene()
    s.line(accepted_volume=9_300_000 * TRIEU * TRIEU)
    found = kit.judged(s.report, s.known)
    assert [(f.id, f.value) for f in found] == [("CK11", str(9_300_000 * TRIEU * TRIEU))]


@pytest.mark.parametrize("value", [10**18, -(10**18)])
def test_the_largest_figure_of_the_form_in_every_cell_is_judged(value: int) -> None:
    s = scene()
    for line in s.content.lines:
        keys = ("plan_nstw", "plan_nst", "disb_nstw", "disb_nsdp", "disb_completed", "accepted_volume", "forecast")
        s.line(line.line_code, **dict.fromkeys(keys, value))
    assert kit.judged(s.report, s.known)


@pytest.mark.parametrize("factor", [1_000, 1_000_000])
def test_a_plan_in_another_unit_is_told_also_where_the_column_of_its_total_is_missing(factor: int) -> None:
    """The header of column (4) was typed over (case 31), so that nothing of it is read."""
    s = scene()
    drop_this_column(s.report.forms["B01"], "plan_total")
    for row in s.report.forms["B01"].rows:
        for key in PLAN_KEYS:
            if isinstance(value := row.values.get(key), int):
                row.values[key] = value * factor
    assert [f.id for f in kit.judged(s.report, s.known)] == ["M06"]


@pytest.mark.parametrize("key", ["plan_total", "plan_nst", "disb_nstw", "disb_ytd", "disb_period", "line_code", "note"])
def test_a_column_that_is_missing_makes_no_findings_beside_its_header(key: str) -> None:
    s = scene()
    drop_this_column(s.report.forms["B01"], key)
    assert kit.judged(s.report, s.known) == []


def test_a_line_without_plan_and_without_money_says_nothing() -> None:
    s = scene()
    s.new_line("DTTS-DA1-ND2-SN")
    assert kit.judged(s.report, s.known) == []


def test_a_commune_that_the_province_does_not_have_is_judged_as_far_as_possible() -> None:
    s = scene()
    s.report.commune_code = None
    assert kit.judged(s.report, Known()) is not None
    assert LINE in {row.code for row in s.leaves("B01")}
