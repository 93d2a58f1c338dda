"""Provisional or final: what the figures of a release say about each other."""

from __future__ import annotations

from decimal import Decimal

from etl.period import Period
from etl.publish.figure import Figure, dims
from etl.publish.standing import provisional

OCTOBER = Period(2025, 10)
QUAN_SON, DONG_KINH = "06517", "05977"


def total(metric: str = "rate_total", covered: int | None = 65, unit: str = "pct", **by: str) -> Figure:
    of = None if covered is None else 65
    return Figure(metric, unit, "mart.disbursement_rate", dims(by), Decimal(30), coverage_n=covered, coverage_of=of)


def own(metric: str, commune: str, source: str = "mart.disbursement_rate", **by: str) -> Figure:
    return Figure(metric, "count", source, dims({"commune": commune, **by}), Decimal(1))


def count(metric: str, value: int, source: str = "mart.report_summary") -> Figure:
    return Figure(metric, "count", source, value=Decimal(value))


def told(*figures: Figure) -> set[str]:
    return set(provisional(figures, OCTOBER))


def test_when_all_have_reported_and_nothing_is_open_every_figure_is_final() -> None:
    all_there = count("communes_not_reporting", 0)
    assert not told(all_there, total(), own("disb_ytd", QUAN_SON), count("communes_at_zero", 4))


def test_a_total_over_fewer_communes_than_expected_is_provisional_and_a_communes_own_figure_is_not() -> None:
    missing = count("communes_not_reporting", 3)
    assert told(missing, total(covered=62), own("disb_ytd", QUAN_SON)) == {"rate_total"}


def test_what_is_counted_over_the_reports_is_as_provisional_as_the_totals() -> None:
    change = Figure("rate_change_points", "pct_points", "mart.disbursement_change", value=Decimal(1))
    figures = (count("communes_not_reporting", 1), count("communes_at_zero", 4), change)
    assert told(*figures) == {"communes_at_zero", "rate_change_points"}


def test_which_reports_had_come_is_certain_and_so_are_tasks_and_lists() -> None:
    known = [count(name, 3) for name in ("communes_not_reporting", "communes_reported", "communes_late", "months_left")]
    assert not told(*known, count("tasks", 21, "mart.task_count"), count("sort_no", 1, "ref.programme_node"))


def test_texts_dates_and_names_are_final() -> None:
    texts = [Figure("report_state", "text", "mart.finding_answer", text="x"), Figure("as_of", "date", "x", text="2025")]
    assert not told(count("communes_not_reporting", 3), *texts)


def test_versions_that_contradict_each_other_make_the_commune_and_all_totals_provisional() -> None:
    contested = own("contested_versions", QUAN_SON, "mart.submission_status")
    figures = (contested, total(), own("disb_ytd", QUAN_SON), own("disb_ytd", DONG_KINH))
    assert told(*figures) == {"rate_total", f"disb_ytd/commune={QUAN_SON}"}


def test_a_rank_is_a_place_among_all_and_as_provisional_as_a_total() -> None:
    ranks = [own("rank_rate", commune, "mart.commune_rank") for commune in (QUAN_SON, DONG_KINH)]
    contested = own("contested_versions", QUAN_SON, "mart.submission_status")
    assert told(*ranks, contested) == {f.key for f in ranks}


def test_a_revision_of_the_month_before_that_waits_touches_what_is_compared_with_it() -> None:
    waits = own("late_revisions", QUAN_SON, "mart.submission_status", period="2025-09")
    before = own("rate_previous", QUAN_SON, "mart.disbursement_change")
    change = own("rate_change_points", QUAN_SON, "mart.disbursement_change")
    trend = [total("rate_trend", period=month) for month in ("2025-08", "2025-09", "2025-10")]
    figures = (waits, before, change, own("disb_ytd", QUAN_SON), total(), *trend)
    assert told(*figures) == {before.key, change.key, "rate_trend/period=2025-09"}


def test_a_month_before_that_was_not_covered_makes_the_change_provisional() -> None:
    trend = [total("rate_trend", 64, period="2025-09"), total("rate_trend", period="2025-10")]
    change = Figure("rate_change_points", "pct_points", "mart.disbursement_change", value=Decimal(1))
    assert told(*trend, change, total()) == {trend[0].key, change.key}


def test_an_output_of_which_some_communes_have_said_nothing_is_provisional() -> None:
    outputs = [
        Figure("actual_ytd", "quantity", "mart.output_indicator", dims({"indicator": code}), Decimal(9), None, None,
               None, covered, 65)
        for code, covered in (("CT-01", 65), ("CT-02", 40))
    ]  # fmt: skip
    assert told(*outputs) == {"actual_ytd/indicator=CT-02"}
