"""Figures unlike those of their peers (BT01 to BT03): what is found, what is not, and how often either is wrong.

The sample province is the clean one: what is found there is a false alarm. Slips by ten are planted in every twelfth
line, and in one output of each indicator, where no other rule would stop them (the slipped cumulative stays within the
plan, the slipped advance within what was disbursed) and where they move at least the smallest amount that is judged.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from typing import Any

import pytest

from etl.publish import checks
from etl.publish.checks import outliers
from etl.publish.checks.outliers import Line, Output
from etl.reference import province
from etl.sample import outputs as sample_outputs
from etl.sample.simulation import simulate

TRIEU = 1_000_000
MONTHS = (8, 9, 10)
SEEDS = (2025, 7, 11)
YEAR = 2025


@pytest.fixture(scope="module")
def thresholds() -> dict[str, Decimal]:
    return province.load().thresholds


# One group of peers, made by hand -------------------------------------------------------------------------------------


def line(commune: int, month: int, *, plan: int = 1000, ytd: int = 500, advance: int = 100, kind: str = "SN") -> Line:
    """Amounts in triệu đồng."""
    code = f"{commune:05}"
    amounts = (amount * TRIEU for amount in (plan, month, ytd, advance))
    cells = {"disb_period": f"J{commune + 10}", "disb_advance": f"O{commune + 10}"}
    return Line(code, "GNBV", "GNBV-DA2", kind, f"GNBV-DA2-{kind}", *amounts, 7, "B01-GiaiNgan", cells)


def peers(count: int = 20, **more: int) -> list[Line]:
    """Shares of 9 % to 11 %: their spread is far under the least that is taken."""
    return [line(number, 90 + number % 21, **more) for number in range(1, count + 1)]


def found(lines: Sequence[Line], outputs: Sequence[Output] = ()) -> list[tuple[str, str | None]]:
    return [(finding.rule_id, finding.commune_code) for finding in checks.judged_outliers(lines, outputs)]


def scores(lines: Sequence[Line], thresholds: dict[str, Decimal], column: str = "month_score") -> list[Decimal | None]:
    return [row[column] for row in outliers.rows(lines, (), thresholds) if column in row]


def test_ten_times_the_share_of_the_peers_is_found_with_place_median_and_bounds() -> None:
    (finding,) = checks.judged_outliers([*peers(), line(99, 950)], ())

    assert (finding.rule_id, finding.severity, finding.commune_code) == ("BT01", "warning", "00099")
    assert (finding.line, finding.sheet, finding.cell) == ("GNBV-DA2-SN", "B01-GiaiNgan", "J109")
    assert (finding.value, finding.submission_id) == (str(950 * TRIEU), 7)
    assert int(finding.value) - int(finding.expected) == int(finding.difference)
    assert "bằng 95,00 % kế hoạch của dòng GNBV-DA2-SN; trung vị của 21 dòng" in finding.message
    assert "khoảng thông thường từ 1,9" in finding.message


@pytest.mark.rule("BT01", "triggers")
@pytest.mark.rule("BT01", "just-not")
def test_the_bound_is_the_threshold_itself(thresholds: dict[str, Decimal]) -> None:
    def last(month: int) -> Decimal:
        return scores([*peers(41), line(99, month)], thresholds)[-1] or Decimal(0)

    inside = max(month for month in range(300, 500) if last(month) <= thresholds["outlier_score"])

    assert found([*peers(41), line(99, inside)]) == []
    assert found([*peers(41), line(99, inside + 1)]) == [("BT01", "00099")]


def test_a_tenth_of_the_share_of_the_peers_is_found() -> None:
    assert found([*peers(), line(99, 9)]) == [("BT01", "00099")]


def test_zeros_are_neither_judged_nor_peers() -> None:
    idle = [line(number, 0) for number in range(200, 260)]

    assert found([*peers(), *idle]) == []
    assert found([*peers(), *idle, line(99, 950)]) == [("BT01", "00099")]


def test_too_few_peers_are_no_measure() -> None:
    assert found([*peers(13), line(99, 950)]) == []
    assert found([*peers(14), line(99, 950)]) == [("BT01", "00099")]


def test_other_programmes_and_kinds_are_not_peers() -> None:
    assert found([*peers(), line(99, 950, kind="DT")]) == []


def test_a_small_difference_is_nobodys_concern() -> None:
    small = [replace(one, plan_total=50 * TRIEU, disb_period=(one.disb_period or 0) // 20) for one in peers()]
    large = [replace(one, plan_total=60 * TRIEU, disb_period=(one.disb_period or 0) * 6 // 100) for one in peers()]

    assert found([*small, line(99, 48, plan=50)]) == []
    assert found([*large, line(99, 58, plan=60)]) == [("BT01", "00099")]


def test_wild_values_do_not_hide_each_other() -> None:
    """Half of what the mean and the standard deviation would be made of is wrong here, and still all of it is found."""
    wild = [line(number, 950) for number in range(300, 308)]

    assert [commune for _, commune in found([*peers(), *wild])] == [f"{number:05}" for number in range(300, 308)]


def test_an_advance_of_all_that_was_paid_is_found_among_small_ones() -> None:
    (finding,) = checks.judged_outliers([*peers(), line(99, 100, advance=495)], ())

    assert (finding.rule_id, finding.cell) == ("BT03", "O109")
    assert "bằng 99,00 % lũy kế giải ngân" in finding.message
    assert found([*peers(), line(99, 100, advance=200)]) == []
    assert found([*peers(), line(99, 100, advance=0)]) == []


def output(commune: int, done: str) -> Output:
    cells = {"actual_ytd": f"I{commune + 10}"}
    return Output(f"{commune:05}", "CT-01", "Số mô hình", "GNBV-DA2", "mô hình", Decimal(done), 8, "B02-ChiTieu", cells)


def test_a_unit_that_costs_ten_times_that_of_the_peers_is_found() -> None:
    lines = [*peers(), line(99, 100)]
    usual = [output(number, "5") for number in range(1, 21)]

    (finding,) = checks.judged_outliers(lines, [*usual, output(99, "0.5")])

    assert (finding.rule_id, finding.line, finding.cell) == ("BT02", "CT-01", "I109")
    assert (finding.value, finding.expected) == (str(1000 * TRIEU), str(100 * TRIEU))
    assert "1.000,00 triệu đồng trên một mô hình của chỉ tiêu CT-01 (Số mô hình)" in finding.message
    assert found(lines, [*usual, output(99, "2")]) == []
    assert found(lines, [*usual, output(99, "0")]) == []


def test_a_project_without_disbursement_has_no_unit_cost() -> None:
    lines = [*peers(), line(99, 0, ytd=0, advance=0)]

    assert found(lines, [*(output(number, "5") for number in range(1, 21)), output(99, "5")]) == []


def test_the_same_lines_in_another_order_give_the_same_scores(thresholds: dict[str, Decimal]) -> None:
    lines = [*peers(), line(99, 950)]

    assert sorted(map(str, scores(lines, thresholds))) == sorted(map(str, scores(lines[::-1], thresholds)))


# The sample province --------------------------------------------------------------------------------------------------


@cache
def month_of(seed: int, month: int) -> tuple[list[Line], list[Output]]:
    """What 65 communes report for a month, straight from the simulation."""
    sim = simulate(province.load(), seed)
    lines, outputs = [], []
    for commune in sim.commune_codes:
        for key in sim.lines(commune, YEAR, month):
            paid, before = sim.paid(key, YEAR, month), sim.paid(key, YEAR, month - 1).total
            programme = sim.province.nodes[key.project_code].programme_code
            plan = sum(sim.plan(key, YEAR, month).values())
            amounts = (plan, paid.total - before, paid.total, paid.advance)
            lines.append(Line(commune, programme, key.project_code, key.capital_kind, key.line_code, *amounts))
        for row in sample_outputs.rows(sim, commune, YEAR, month):
            if row["unit"] != "%":
                code, name, project, unit = (
                    str(row[k]) for k in ("indicator_code", "indicator_vi", "project_code", "unit")
                )
                outputs.append(Output(commune, code, name, project, unit, Decimal(str(row["actual_ytd"]))))
    return lines, outputs


@dataclass
class Tally:
    judged: int = 0
    alarms: int = 0
    slips: int = 0
    caught: int = 0

    @property
    def alarm_pct(self) -> float:
        return 100 * self.alarms / self.judged

    @property
    def recall_pct(self) -> float:
        return 100 * self.caught / self.slips


COLUMNS = {"BT01": "month_score", "BT02": "unit_cost_score", "BT03": "advance_score"}


def false_alarms(thresholds: dict[str, Decimal]) -> dict[str, Tally]:
    tallies = {rule: Tally() for rule in COLUMNS}
    for seed in SEEDS:
        for month in MONTHS:
            made = month_of(seed, month)
            rows = outliers.rows(*made, thresholds)
            for rule, column in COLUMNS.items():
                tallies[rule].judged += sum(column in row for row in rows)
            for rule, _ in found(*made):
                tallies[rule].alarms += 1
    return tallies


def test_at_most_one_clean_figure_in_two_hundred_is_called_unusual(thresholds: dict[str, Decimal]) -> None:
    tallies = false_alarms(thresholds)

    assert {rule: tally.judged > 5000 for rule, tally in tallies.items()} == dict.fromkeys(COLUMNS, True)
    assert {rule: tally.alarm_pct <= 0.5 for rule, tally in tallies.items()} == dict.fromkeys(COLUMNS, True), tallies


Slip = Callable[[Line], Line | None]


def _month(factor: Decimal) -> Slip:
    """The month's amount slips, and the cumulative with it: the report stays consistent."""

    def slip(one: Line) -> Line | None:
        month = one.disb_period or 0
        slipped = int(month * factor)
        ytd = (one.disb_ytd or 0) + slipped - month
        fits = month > 0 and 0 < ytd <= (one.plan_total or 0)
        return replace(one, disb_period=slipped, disb_ytd=ytd) if fits else None

    return slip


def _advance(factor: Decimal) -> Slip:
    """The advance slips and the paid volume makes up for it: the total stays as it is."""

    def slip(one: Line) -> Line | None:
        slipped = int((one.disb_advance or 0) * factor)
        return replace(one, disb_advance=slipped) if 0 < slipped <= (one.disb_ytd or 0) else None

    return slip


def recall(rule: str, key: str, slip: Slip, thresholds: dict[str, Decimal]) -> Tally:
    """Every twelfth line of each month slips."""
    tally = Tally()
    for seed in SEEDS:
        for month in MONTHS:
            lines, _ = month_of(seed, month)
            planted: dict[tuple[str, str], Line] = {}
            for one in lines[seed % 12 :: 12]:
                slipped = slip(one)
                if slipped and _moved(one, slipped, key) >= thresholds["outlier_amount_min_vnd"]:
                    planted[one.commune_code, one.line_code] = slipped
            made = [planted.get((one.commune_code, one.line_code), one) for one in lines]
            tally.slips += len(planted)
            tally.caught += len(_unusual(outliers.rows(made, (), thresholds), rule, thresholds) & planted.keys())
    return tally


def _moved(before: Line, after: Line, key: str) -> int:
    return abs((getattr(after, key) or 0) - (getattr(before, key) or 0))


def _unusual(rows: Sequence[dict[str, Any]], rule: str, thresholds: dict[str, Decimal]) -> set[tuple[str, str]]:
    return {
        (row["commune_code"], row["code"])
        for row in rows
        if (score := row.get(COLUMNS[rule])) is not None and abs(score) > thresholds["outlier_score"]
    }


def recall_of_outputs(factor: Decimal, thresholds: dict[str, Decimal]) -> Tally:
    """One output of each indicator and month slips: there are at most 65 of each."""
    tally = Tally()
    for seed in SEEDS:
        for month in MONTHS:
            lines, outputs = month_of(seed, month)
            paid = {(one.commune_code, one.project_code) for one in lines if one.disb_ytd}
            done = [one for one in outputs if one.actual_ytd and (one.commune_code, one.project_code) in paid]
            planted = {}
            for indicator in {one.indicator_code for one in done}:
                group = [one for one in done if one.indicator_code == indicator]
                one = group[seed % len(group)]
                planted[one.commune_code, indicator] = replace(one, actual_ytd=one.actual_ytd * factor)
            made = [planted.get((one.commune_code, one.indicator_code), one) for one in outputs]
            tally.slips += len(planted)
            tally.caught += len(_unusual(outliers.rows(lines, made, thresholds), "BT02", thresholds) & planted.keys())
    return tally


TEN, TENTH = Decimal(10), Decimal("0.1")


@pytest.mark.parametrize(
    ("rule", "key", "slip", "least"),
    [
        ("BT01", "disb_period", _month(TEN), 85),
        ("BT01", "disb_period", _month(TENTH), 70),
        ("BT03", "disb_advance", _advance(TEN), 70),
        ("BT03", "disb_advance", _advance(TENTH), 55),
    ],
)
def test_slips_by_ten_are_found(rule: str, key: str, slip: Slip, least: int, thresholds: dict[str, Decimal]) -> None:
    tally = recall(rule, key, slip, thresholds)

    assert tally.slips > 100
    assert tally.recall_pct >= least, tally


@pytest.mark.parametrize("factor", [TEN, TENTH])
def test_slips_of_outputs_by_ten_are_found_as_far_as_unit_costs_lie_together(
    factor: Decimal, thresholds: dict[str, Decimal]
) -> None:
    tally = recall_of_outputs(factor, thresholds)

    assert tally.slips > 100
    assert tally.recall_pct >= 20, tally
