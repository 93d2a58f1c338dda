"""What is wrong is said once: two or three defects in one report give their causes and nothing else."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from etl import settings
from etl.collect.report import Issue
from etl.validate import catalogue, rule_files
from etl.validate.finding import Finding
from etl.validate.known import CUMULATIVE_KEYS
from tests.rules import kit
from tests.rules.cases_b01 import CENTRAL, LOCAL, WHOLE, pay
from tests.rules.scene import INDICATOR, LINE, OPEN_TASK, PROJECT, TASK, TRIEU, Scene, scene

OTHER = "NTM-ND02-DT"
"""A line of another programme."""


def found(s: Scene) -> list[Finding]:
    return kit.judged(s.report, s.known)


def causes(s: Scene) -> list[tuple[str, str | None]]:
    return sorted((f.id, f.cell) for f in found(s))


def at(s: Scene, *causes: tuple[str, str, str, str]) -> list[tuple[str, str | None]]:
    """(id, form, code, key) of each cause, as ``causes`` gives them."""
    return sorted((id, s.cell(form, code, key) if key else None) for id, form, code, key in causes)


@pytest.fixture
def s() -> Scene:
    return scene()


# --- sums, plans and months ------------------------------------------------------------------------------------------


def test_an_altered_part_of_the_plan_is_told_and_not_the_sums_made_of_it(s: Scene) -> None:
    s.line(plan_nstw=500 * TRIEU)
    assert causes(s) == at(s, ("CK18", "B01", LINE, "plan_nstw"))


def test_an_altered_part_of_the_plan_under_a_typed_total_is_told_at_the_part(s: Scene) -> None:
    s.line(plan_nstw=500 * TRIEU, plan_total=WHOLE)
    assert causes(s) == at(s, ("CK18", "B01", LINE, "plan_nstw"))


def test_a_plan_lowered_under_a_heading_with_capital_of_its_own_is_told_at_the_line(s: Scene) -> None:
    """What was not split seems to be more than was assigned: the lowered plan is the cause."""
    s.knows(plan_above={"DTTS-DA1-SN": {"plan_nstw": 50 * TRIEU}})
    s.line(plan_nstw=590 * TRIEU)
    assert causes(s) == at(s, ("CK18", "B01", LINE, "plan_nstw"))


def test_capital_of_a_heading_split_into_another_source_is_told_at_the_line(s: Scene) -> None:
    s.knows(plan_above={"DTTS-DA1-SN": {"plan_nstw": 50 * TRIEU}})
    s.line(carry_nstw=130 * TRIEU)
    assert causes(s) == at(s, ("CK19", "B01", LINE, "carry_nstw"))


def test_two_altered_parts_of_the_plan_are_two_causes(s: Scene) -> None:
    s.line(plan_nstw=500 * TRIEU, carry_nsdp=0)
    assert causes(s) == at(s, ("CK18", "B01", LINE, "plan_nstw"), ("CK19", "B01", LINE, "carry_nsdp"))


def test_a_plan_cut_under_what_was_paid_is_told_at_the_plan(s: Scene) -> None:
    """The line looks overpaid, its rate and its roadmap look wrong: the plan is the cause."""
    s.send_roadmap()
    s.line(plan_nstw=100 * TRIEU)
    assert causes(s) == at(s, ("CK18", "B01", LINE, "plan_nstw"))


def test_headings_typed_over_a_wrong_line_are_no_causes_of_their_own(s: Scene) -> None:
    """The split of one line is wrong; the headings show what the split should have been."""
    s.line(disb_completed=360 * TRIEU, accepted_volume=460 * TRIEU)
    for code in (PROJECT, "DTTS-DA1", "DTTS", ""):
        row = next(r for r in s.report.forms["B01"].rows if r.role in ("heading", "total") and r.code == code)
        s.type_over("B01", code, disb_completed=int(str(row.values["disb_completed"])) + 100 * TRIEU)
    assert causes(s) == at(s, ("CK03-split", "B01", LINE, "disb_completed"))


def test_of_a_chain_of_wrong_headings_the_lowest_is_told(s: Scene) -> None:
    for code in (PROJECT, "DTTS-DA1", "DTTS", ""):
        row = next(r for r in s.report.forms["B01"].rows if r.role in ("heading", "total") and r.code == code)
        s.type_over("B01", code, accepted_volume=int(str(row.values["accepted_volume"])) + 100 * TRIEU)
    assert causes(s) == at(s, ("CK04-b01", "B01", PROJECT, "accepted_volume"))


def test_two_headings_that_are_wrong_by_different_amounts_are_two_causes(s: Scene) -> None:
    for code, more in ((PROJECT, 100 * TRIEU), ("NTM", 7 * TRIEU)):
        row = next(r for r in s.report.forms["B01"].rows if r.role == "heading" and r.code == code)
        s.type_over("B01", code, accepted_volume=int(str(row.values["accepted_volume"])) + more)
    wanted = at(s, ("CK04-b01", "B01", PROJECT, "accepted_volume"), ("CK04-b01", "B01", "NTM", "accepted_volume"))
    assert causes(s) == wanted


def month_in_every_cumulative(s: Scene, code: str, month: dict[str, int]) -> None:
    s.line(code, **month, accepted_volume=month["disb_completed"], forecast=None, note="Đang thi công")


MONTH = {
    "disb_nstw": 40 * TRIEU,
    "disb_nsdp": 20 * TRIEU,
    "disb_completed": 60 * TRIEU,
    "disb_advance": 0,
    "disb_carry": 10 * TRIEU,
}


def test_the_months_amount_typed_as_cumulative_is_one_cause(s: Scene) -> None:
    """Case 49: every cumulative of the line is the month's own."""
    month_in_every_cumulative(s, LINE, MONTH)
    assert causes(s) == at(s, ("CK15-b01", "B01", LINE, "disb_ytd"))


def test_the_months_amount_beside_it_is_the_same_cause(s: Scene) -> None:
    month_in_every_cumulative(s, LINE, MONTH)
    s.line(disb_period=60 * TRIEU)
    assert causes(s) == at(s, ("CK15-b01", "B01", LINE, "disb_ytd"))


def test_a_fallen_cumulative_and_an_altered_plan_are_two_causes(s: Scene) -> None:
    month_in_every_cumulative(s, LINE, MONTH)
    s.line(plan_nst=0)
    wanted = at(s, ("CK15-b01", "B01", LINE, "disb_ytd"), ("CK18", "B01", LINE, "plan_nst"))
    assert causes(s) == wanted


def test_money_beyond_the_plan_makes_no_wrong_forecast_and_no_jump_of_its_own(s: Scene) -> None:
    pay(s, CENTRAL + 10 * TRIEU, 120 * TRIEU)
    s.line(forecast=CENTRAL + 130 * TRIEU)
    assert causes(s) == at(s, ("CK01-nstw", "B01", LINE, "disb_nstw"))


def test_both_sources_beyond_their_plans_are_two_causes(s: Scene) -> None:
    s.paid_before(900 * TRIEU)
    pay(s, CENTRAL + 1, LOCAL + 1)
    s.line(forecast=WHOLE)
    assert causes(s) == at(s, ("CK01-nstw", "B01", LINE, "disb_nstw"), ("CK01-nsdp", "B01", LINE, "disb_nsdp"))


def test_a_figure_in_another_unit_takes_out_its_line(s: Scene) -> None:
    """A line typed in đồng: its identities, bounds and months are not held against it."""
    s.line(disb_nstw=440 * TRIEU * TRIEU, disb_nsdp=120 * TRIEU * TRIEU, disb_completed=560 * TRIEU * TRIEU)
    assert [id for id, _ in causes(s)] == ["CK11"]


def test_a_negative_figure_and_an_overpaid_line_elsewhere_are_two_causes(s: Scene) -> None:
    s.line(disb_advance=-TRIEU, disb_completed=561 * TRIEU, accepted_volume=561 * TRIEU)
    carry = next(int(str(r.values["carry_nstw"])) + int(str(r.values["carry_nsdp"])) for r in lines(s, OTHER))
    s.line(OTHER, disb_carry=carry + 1)
    wanted = at(s, ("CK09-b01", "B01", LINE, "disb_advance"), ("CK08", "B01", OTHER, "disb_carry"))
    assert causes(s) == wanted


def test_a_plan_typed_with_a_minus_is_one_cause(s: Scene) -> None:
    s.line(plan_nst=-200 * TRIEU)
    assert [cell for _, cell in causes(s)] == [s.cell("B01", LINE, "plan_nst")]


def lines(s: Scene, code: str) -> list[Any]:
    return [row for row in s.leaves("B01") if row.code == code]


# --- codes and whole columns -----------------------------------------------------------------------------------------


def test_a_wrong_code_is_one_cause(s: Scene) -> None:
    s.recode("B01", LINE, "DTTS-DA1-ND99-SN")
    assert causes(s) == at(s, ("CK10-unknown-b01", "B01", "DTTS-DA1-ND99-SN", "line_code"))


def test_a_wrong_code_and_a_wrong_split_elsewhere_are_two_causes(s: Scene) -> None:
    s.recode("B01", LINE, "DTTS-DA1-ND99-SN")
    s.line(OTHER, disb_advance=0)
    wanted = at(
        s, ("CK10-unknown-b01", "B01", "DTTS-DA1-ND99-SN", "line_code"), ("CK03-split", "B01", OTHER, "disb_completed")
    )
    assert causes(s) == wanted


def test_beside_a_wrong_code_no_line_is_called_missing(s: Scene) -> None:
    """Which line is behind the wrong code is not known: another one that is missing is told once the code is right."""
    gone = "NTM-ND11-SN"
    s.content = replace(s.content, lines=tuple(x for x in s.content.lines if x.line_code != gone))
    s.recode("B01", LINE, "DTTS-DA1-ND99-SN")
    assert causes(s) == at(s, ("CK10-unknown-b01", "B01", "DTTS-DA1-ND99-SN", "line_code"))


def test_a_missing_line_is_one_cause(s: Scene) -> None:
    gone = "NTM-ND11-SN"
    s.content = replace(s.content, lines=tuple(x for x in s.content.lines if x.line_code != gone))
    assert [f.id for f in found(s)] == ["CK10-missing"]


def test_a_code_that_stands_twice_is_one_cause(s: Scene) -> None:
    s.recode("B01", "DTTS-DA1-ND4-SN", LINE)
    assert causes(s) == at(s, ("CK10-twice-b01", "B01", LINE, "line_code"))


def test_a_form_without_any_line_is_one_cause(s: Scene) -> None:
    s.statement()
    form = s.report.forms["B01"]
    form.rows = [row for row in form.rows if row.role != "leaf"]
    assert [f.id for f in found(s)] == ["M47"]


def test_a_form_that_is_missing_makes_no_findings_in_the_others(s: Scene) -> None:
    """Its absence is told by the reader (CK34)."""
    s.send_roadmap()
    s.statement()
    del s.report.forms["B01"]
    assert found(s) == []


@pytest.mark.parametrize(
    ("key", "factor", "id"),
    [("plan_nstw", 2, "CK18"), ("disb_carry", 30, "CK08"), ("accepted_volume", Decimal("0.5"), "CK07")],
)
def test_a_column_that_is_wrong_from_top_to_bottom_is_one_finding(s: Scene, key: str, factor: Any, id: str) -> None:
    for line in s.content.lines:
        value = int(str(line.values[key] or 0))
        s.line(line.line_code, **{key: int(value * factor) + TRIEU if factor > 1 else int(value * factor)})
    told = [f for f in found(s) if f.id == id]
    assert len(told) == 1
    assert told[0].message.startswith("Cả cột")
    assert {f.id for f in found(s)} == {id}


@pytest.mark.parametrize("share", [80, 79])
def test_a_column_that_is_wrong_in_four_lines_of_five_is_one_finding_and_less_is_told_line_by_line(
    s: Scene, share: int
) -> None:
    lines = s.content.lines
    wrong = -(-len(lines) * 80 // 100) - (share < 80)
    for line in lines[:wrong]:
        s.line(line.line_code, accepted_volume=int(str(line.values["disb_completed"])) - 1)
    assert len(found(s)) == (1 if share == 80 else wrong)


def test_a_revised_roadmap_is_asked_once_for_its_reason(s: Scene) -> None:
    s.send_roadmap()
    for row in s.leaves("B05"):
        s.planned(row.code, planned_m12=int(str(row.values["planned_m12"])) + 1)
    assert [f.id for f in found(s)] == ["LT04"]


def with_lines(s: Scene, count: int) -> None:
    """A commune of so few lines, by all that is known."""
    kept = s.content.lines[:count]
    codes = {line.line_code for line in kept}
    s.content = replace(
        s.content,
        lines=kept,
        roadmap=tuple(row for row in s.content.roadmap if row["line_code"] in codes),
        indicators=(),
        nothing_to_report=s.content.nothing_to_report | {"B02"},
    )
    s.knows(plan={code: parts for code, parts in s.known.plan.items() if code in codes})


@pytest.mark.parametrize(("count", "findings"), [(4, 4), (5, 1)])
def test_a_column_of_few_lines_is_told_line_by_line(s: Scene, count: int, findings: int) -> None:
    """The threshold ``column_wrong_lines_min`` is five."""
    with_lines(s, count)
    for line in s.content.lines:
        s.line(line.line_code, accepted_volume=int(str(line.values["disb_completed"])) - 1)
    assert len(found(s)) == findings


def test_the_month_column_of_a_whole_form_is_one_finding(s: Scene) -> None:
    """Every line repeats its cumulative in the month's column."""
    for line in s.content.lines:
        paid = int(str(line.values["disb_nstw"])) + int(str(line.values["disb_nsdp"]))
        s.line(line.line_code, disb_period=paid + TRIEU)
    assert [(f.id, f.message[:6]) for f in found(s)] == [("CK16-b01", "Cả cột")]


def test_cumulatives_of_a_whole_form_typed_as_the_months_are_one_finding(s: Scene) -> None:
    """Case 49 on every line that had money before; those without any are told apart from nothing."""
    for line in s.content.lines:
        paid = int(str(line.values["disb_nstw"])) + int(str(line.values["disb_nsdp"]))
        s.paid_before(paid + TRIEU, line.line_code)
    assert [(f.id, f.message[:6]) for f in found(s)] == [("CK15-b01", "Cả cột")]


def test_a_form_that_is_shifted_by_a_line_is_told_without_sums(s: Scene) -> None:
    """The disbursement of each line stands one line lower: the sums of the whole form are still right."""
    keys = ("disb_nstw", "disb_nsdp", "disb_completed", "disb_advance", "disb_carry", "accepted_volume")
    figures = [{key: line.values[key] for key in keys} for line in s.content.lines]
    for line, moved in zip(s.content.lines, [figures[-1], *figures[:-1]], strict=True):
        s.line(line.line_code, **moved, forecast=None)
    told = found(s)
    assert not [f for f in told if f.rule in ("CK02", "CK03", "CK04", "CK05", "CK16")]
    cells = [(f.sheet, (f.cell or "")[1:]) for f in told if f.rule in ("CK15", "CK20", "CK06")]
    assert len(cells) == len(set(cells))


def test_an_old_file_that_is_sent_again_is_one_finding(s: Scene) -> None:
    """The report of the month before as it was, month's amounts and all, under this month's name."""
    november = scene((kit.FIRST_MONTHS[4][0], 2025))
    old = november.content
    s.content = replace(s.content, lines=old.lines, indicators=old.indicators, previous=old.previous)
    for row in s.leaves("B01"):
        s.before_line(row.code, **{key: int(str(row.values[key])) for key in CUMULATIVE_KEYS})
    for row in s.leaves("B02"):
        s.before_output(row.code, **{key: Decimal(str(row.values[key])) for key in ("actual_ytd", "actual_phase")})
    told = [f.rule for f in found(s)]
    assert [rule for rule in told if rule != "LT03"] == ["M47"]  # that nothing was paid for a month may be a lag, too


# --- other forms -----------------------------------------------------------------------------------------------------


def test_a_fallen_output_is_one_cause(s: Scene) -> None:
    s.output(actual_ytd=Decimal(5), actual_phase=Decimal(105))
    assert causes(s) == at(s, ("CK15-b02", "B02", INDICATOR, "actual_ytd"))


def test_an_output_whose_project_has_wrong_money_is_not_held_against_it(s: Scene) -> None:
    """The money of the line is in doubt (a wrong cumulative), so that nothing is said of output without money."""
    s.paid_before(560 * TRIEU + 1)
    s.line(disb_nstw=0, disb_nsdp=0, disb_completed=0, disb_advance=0, disb_carry=0, note="Đang thi công")
    assert causes(s) == at(s, ("CK15-b01", "B01", LINE, "disb_ytd"))


def test_an_unknown_task_is_not_judged_further(s: Scene) -> None:
    s.recode("B03", TASK, "QS-2025-10-9.Z")
    s.task(result_doc=None)
    assert causes(s) == at(s, ("CK10-unknown-b03", "B03", "QS-2025-10-9.Z", "task_id"))


def test_a_reopened_task_past_its_deadline_is_one_cause(s: Scene) -> None:
    s.knows(tasks={**s.known.tasks, TASK: replace(s.known.tasks[TASK], due=date(2025, 12, 1))})
    s.task(status="Đang thực hiện", done_date=None, result_doc=None)
    assert causes(s) == at(s, ("CK22-reopened", "B03", TASK, "status"))


def test_defects_of_three_forms_are_three_causes(s: Scene) -> None:
    s.line(forecast=WHOLE + 1)
    s.output(actual_period=Decimal(6))
    s.task(OPEN_TASK, lead="Sở Vườn rừng")
    wanted = at(
        s,
        ("CK13-excess", "B01", LINE, "forecast"),
        ("CK16-b02", "B02", INDICATOR, "actual_period"),
        ("CK38-unknown", "B03", OPEN_TASK, "lead"),
    )
    assert causes(s) == wanted


def test_a_roadmap_that_falls_and_passes_the_plan_is_two_causes(s: Scene) -> None:
    s.send_roadmap()
    s.planned(planned_m11=0, planned_close=WHOLE + TRIEU)
    s.send_roadmap()
    assert causes(s) == at(s, ("LT01", "B05", LINE, "planned_m11"), ("LT02", "B05", LINE, "planned_close"))


# One cell that is mistyped, in a month of which there is a statement: the Treasury shows which one it is.


def test_money_beyond_its_plan_is_told_at_the_cell_that_was_typed(s: Scene) -> None:
    s.statement()
    s.line(disb_nstw=2 * 440 * TRIEU)
    assert causes(s) == at(s, ("CK01-nstw", "B01", LINE, "disb_nstw"))


def test_a_source_that_is_off_is_told_at_the_total_that_the_treasury_has_otherwise(s: Scene) -> None:
    """Payments and advances add up to the Treasury's total: they are right."""
    s.statement()
    s.line(disb_nstw=441 * TRIEU)
    assert causes(s) == at(s, ("CK28", "B01", LINE, "disb_ytd"))


def test_a_source_a_thousand_times_too_small_is_one_cause(s: Scene) -> None:
    s.statement()
    s.line(disb_nstw=440 * TRIEU // 1000)
    assert causes(s) == at(s, ("CK28", "B01", LINE, "disb_ytd"))


def test_an_advance_left_out_breaks_the_split_and_nothing_else(s: Scene) -> None:
    s.statement()
    s.line(disb_advance=0)
    assert causes(s) == at(s, ("CK03-split", "B01", LINE, "disb_completed"))


def test_a_negative_source_is_not_told_again_where_it_is_added(s: Scene) -> None:
    s.statement()
    s.line(disb_nsdp=-120 * TRIEU)
    assert causes(s) == at(s, ("CK09-b01", "B01", LINE, "disb_nsdp"))


def test_without_a_statement_a_source_that_is_off_is_one_cause_too(s: Scene) -> None:
    s.line(disb_nstw=441 * TRIEU)
    assert causes(s) == at(s, ("CK03-split", "B01", LINE, "disb_completed"))


def test_a_cumulative_that_the_treasury_has_otherwise_is_not_told_as_fallen_too(s: Scene) -> None:
    """The Treasury's figure says what is right; that of the month before only that something is wrong."""
    s.statement()
    s.paid_before(560 * TRIEU + 1)
    s.balance(completed=461 * TRIEU)
    assert causes(s) == at(s, ("CK28", "B01", LINE, "disb_ytd"))


def test_a_line_that_is_missing_is_not_told_again_by_the_treasury(s: Scene) -> None:
    gone = "NTM-ND11-SN"
    s.statement()
    s.content = replace(s.content, lines=tuple(x for x in s.content.lines if x.line_code != gone))
    assert "CK28-unreported" not in [f.id for f in found(s)]


# --- beta and retired rules ------------------------------------------------------------------------------------------


@pytest.fixture
def change_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], None]]:
    """Sets the state of a rule in a copy of the catalogue that is read in place of the real one."""
    folder = tmp_path / "expectations"
    shutil.copytree(settings.assets() / "expectations", folder)
    monkeypatch.setattr(settings, "assets", lambda: tmp_path)

    def change(id: str, state: str) -> None:
        for path in folder.glob("*.json"):
            suite = json.loads(path.read_text(encoding="utf-8"))
            for expectation in suite.get("expectations", ()):
                if expectation["meta"]["id"] == id:
                    expectation["meta"]["state"] = state
            if id in suite.get("rules", ()):
                suite["rules"][id]["state"] = state
            path.write_text(json.dumps(suite), encoding="utf-8")
        forget()

    yield change
    monkeypatch.undo()
    forget()


def forget() -> None:
    """What was read of the catalogue is read anew."""
    for name in (*vars(catalogue).values(), rule_files.load):
        if hasattr(name, "cache_clear"):
            name.cache_clear()


State = Callable[[str, str], None]


def test_a_rule_in_beta_only_informs(s: Scene, change_state: State) -> None:
    change_state("CK18", "beta")
    s.line(plan_nst=100 * TRIEU)
    assert [(f.id, f.severity) for f in found(s)] == [("CK18", "info")]


def test_a_rule_in_beta_does_not_mask_one_that_is_on(s: Scene, change_state: State) -> None:
    """In use, the altered plan is told and not the typed total that no longer is its sum."""
    s.line(plan_nst=100 * TRIEU, plan_total=WHOLE)
    assert [f.id for f in found(s)] == ["CK18"]
    change_state("CK18", "beta")
    assert [(f.id, f.severity) for f in found(s)] == [("CK02", "error"), ("CK18", "info")]


def test_a_rule_in_beta_is_itself_masked_by_one_that_is_on(s: Scene, change_state: State) -> None:
    s.line(plan_nst=100 * TRIEU, plan_total=WHOLE)
    change_state("CK02", "beta")
    assert [(f.id, f.severity) for f in found(s)] == [("CK18", "error")]


def test_a_retired_rule_neither_speaks_nor_masks(s: Scene, change_state: State) -> None:
    s.line(plan_nst=100 * TRIEU, plan_total=WHOLE)
    change_state("CK18", "retired")
    assert [f.id for f in found(s)] == ["CK02"]
    change_state("CK02", "retired")
    assert [f.id for f in found(s)] == []


def test_a_rule_of_the_intake_in_beta_only_informs(s: Scene, change_state: State) -> None:
    change_state("CK10-missing", "beta")
    gone = "NTM-ND11-SN"
    s.content = replace(s.content, lines=tuple(x for x in s.content.lines if x.line_code != gone))
    assert ("CK10-missing", "info") in [(f.id, f.severity) for f in found(s)]


def test_a_retired_rule_of_the_intake_is_silent(s: Scene, change_state: State) -> None:
    change_state("M47-ticked", "retired")
    s.content = replace(s.content, nothing_to_report=s.content.nothing_to_report | {"B02"})
    assert found(s) == []


def test_a_rule_of_the_intake_in_beta_takes_nothing_out(s: Scene, change_state: State) -> None:
    """A date that may be swapped keeps later rules from its cell; in beta it does not."""
    s.task(done_date=date(2025, 10, 9))
    place = s.cell("B03", TASK, "done_date")
    s.issues = [Issue("M21-swapped", "B03-NhiemVu", place, {"value": "09/10/2025", "expected": "10/09/2025"})]
    assert [f.id for f in found(s)] == ["M21-swapped"]
    change_state("M21-swapped", "beta")
    assert sorted((f.id, f.severity) for f in found(s)) == [("CK36-early", "error"), ("M21-swapped", "info")]


def test_a_suite_without_any_rule_in_use_is_left_out(s: Scene, change_state: State) -> None:
    for rule in catalogue.of_suite("roadmap"):
        change_state(rule.id, "retired")
    s.send_roadmap()
    s.roadmap(planned_m11=541 * TRIEU)
    assert found(s) == []
