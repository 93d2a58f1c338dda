"""Forecasts are held against what happened: budget years of simulated provinces, line by line, closed one after the
other. The figures measured are printed (pytest -s).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from statistics import median
from typing import Any

import pytest
from psycopg.rows import dict_row

from etl import settings
from etl.load import server
from etl.load import warehouse as store
from etl.load.warehouse import Connection
from etl.period import Period
from etl.sample.disbursement import CLOSING
from etl.sample.simulation import Simulation, simulate
from tests.databases import copy_of
from tests.sql import builders

SEEDS = (1, 2)
YEARS = (2026, 2027, 2028, 2029)
CLOSE_REPORTED_LATER = timedelta(days=1)
EXPECTED = ("expected_plan", "expected_close", "expected_close_low", "expected_close_high", "expected_unspent")
PAIRS = (("expected_close", "expected_unspent"), ("expected_close_low", "expected_unspent_high"),
         ("expected_close_high", "expected_unspent_low"))  # fmt: skip


def period_of(budget_year: int, month: int) -> Period:
    return Period(budget_year + 1, 1) if month == CLOSING else Period(budget_year, month)


def arrival(budget_year: int, month: int) -> datetime:
    """The closing report of a budget year comes the day after the first report of the next one."""
    day = datetime.combine(period_of(budget_year, month).last_day, datetime.min.time(), UTC) + timedelta(days=5)
    return day + (CLOSE_REPORTED_LATER if month == CLOSING else timedelta(0))


def load_years(connection: Connection, simulation: Simulation, years: Sequence[int]) -> None:
    """Every commune's report of every month of these budget years, leaf line by leaf line, committed."""
    connection.execute("set tiendo.refresh = 'later'")
    months = [(year, month) for year in years for month in range(1, CLOSING + 1)]
    _calendar(connection, months)
    reports = [(commune, *month) for month in months for commune in simulation.commune_codes]
    key = ("sha256", "file_name", "verdict", "commune_code", "period", "budget_year", "as_of", "received_at",
           "archived_at", "known_at")  # fmt: skip
    originals, submissions = [], []
    for commune, year, month in reports:
        period, at = period_of(year, month), arrival(year, month)
        sha256 = hashlib.sha256(f"{simulation.seed} {commune} {year} {month}".encode()).hexdigest()
        originals.append((sha256, 1, sha256, at))
        head = (sha256, f"{commune}.xlsx", "accepted", commune, str(period), year)
        submissions.append((*head, period.last_day, at, at, at))
    _copy(connection, "raw.original", (), originals)
    _copy(connection, "raw.submission", key, submissions)
    numbers = dict(connection.execute("select sha256, submission_id from raw.submission").fetchall())
    columns = ("submission_id", "commune_code", "period", "budget_year", "row_no", "line_code", "project_code",
               "capital_kind", "plan_total", "plan_nstw", "plan_nst", "plan_nsx", "carry_nstw", "carry_nsdp",
               "disb_period", "disb_ytd", "disb_nstw", "disb_nsdp", "disb_completed", "disb_advance",
               "disb_carry")  # fmt: skip
    rows = []
    for (commune, year, month), original in zip(reports, originals, strict=True):
        for row_no, line in enumerate(simulation.lines(commune, year, month), 11):
            plan, paid = simulation.plan(line, year, month), simulation.paid(line, year, month)
            before = simulation.paid(line, year, month - 1).total if month > 1 else 0
            head = (numbers[original[0]], commune, str(period_of(year, month)), year, row_no, line.line_code)
            amounts = (sum(plan.values()), *(plan.get(s, 0) for s in ("NSTW", "NST", "NSX", "KD_NSTW", "KD_NSDP")))
            spent = (paid.total, paid.nstw, paid.nsdp, paid.completed, paid.advance, paid.carry)
            rows.append((*head, line.project_code, line.capital_kind, *amounts, paid.total - before, *spent))
    _copy(connection, "core.disbursement", columns, rows)
    connection.execute("select core.refresh()")
    connection.commit()
    connection.execute("analyze")  # what autovacuum does to a warehouse that lives longer than a test
    connection.commit()


def _calendar(connection: Connection, months: Sequence[tuple[int, int]]) -> None:
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into ref.reporting_calendar values (%s, %s, %s, %s, %s, %s, %s, %s, false) on conflict do nothing",
            [
                (str(p), year, p.last_day, p.last_day, *[p.last_day + timedelta(days=d) for d in (5, 8, 10)],
                 month == CLOSING)
                for year, month in months
                for p in [period_of(year, month)]
            ],
        )  # fmt: skip


def _copy(connection: Connection, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    names = f" ({', '.join(columns)})" if columns else ""
    with connection.cursor() as cursor, cursor.copy(f"copy {table}{names} from stdin") as copy:
        for row in rows:
            copy.write_row(row)


@pytest.fixture(scope="module")
def provinces(postgres: settings.Settings) -> Iterator[dict[int, str]]:
    """Seed -> address of a warehouse with the four budget years of that province, all of them closed."""
    with ExitStack() as copies:
        addresses = {seed: copies.enter_context(copy_of(server.url("tiendo", postgres))) for seed in SEEDS}
        for seed in SEEDS:
            with store.connect(addresses[seed]) as connection:
                builders.reference_data(connection)
                load_years(connection, simulate(builders.province(), seed), YEARS)
        yield addresses


@pytest.fixture(scope="module")
def outlooks(provinces: dict[int, str]) -> list[dict[str, Any]]:
    """Every row of mart.outlook of every province, with ``month`` and the ``actual_close`` of the same year."""
    result = []
    for seed, address in provinces.items():
        rows = outlook(address)
        closes = {(r["budget_year"], r["commune_code"]): r["disb_ytd"] for r in rows if r["month"] == CLOSING}
        result += [{**r, "seed": seed, "actual_close": closes[r["budget_year"], r["commune_code"]]} for r in rows]
    assert len(result) == len(SEEDS) * len(YEARS) * CLOSING * 65
    return result


def outlook(address: str, known_at: datetime | str = "infinity") -> list[dict[str, Any]]:
    with store.connect(address) as connection:
        rows = connection.cursor(row_factory=dict_row).execute("select * from mart.outlook_at(%s)", (known_at,))
        return [
            {**r, "month": CLOSING if period.year > r["budget_year"] else period.month}
            for r in rows
            for period in [Period.parse(r["period"])]
        ]


def forecasts(outlooks: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [r for r in outlooks if r["budget_year"] > YEARS[0] and r["month"] < CLOSING]


def held(rows: Sequence[dict[str, Any]]) -> float:
    return sum(r["expected_close_low"] <= r["actual_close"] <= r["expected_close_high"] for r in rows) / len(rows)


def test_four_in_five_closes_lie_in_their_interval(outlooks: list[dict[str, Any]]) -> None:
    rows = forecasts(outlooks)
    by_month = {m: held([r for r in rows if r["month"] == m]) for m in range(1, CLOSING)}
    by_year = {y: held([r for r in rows if r["budget_year"] == y]) for y in YEARS[1:]}
    width = median((r["expected_close_high"] - r["expected_close_low"]) / r["plan_total"] for r in rows)
    print(f"\nwithin the interval: {held(rows):.1%} of {len(rows)}, median width {width:.1%} of the plan")
    print(
        "by month:",
        {m: f"{s:.1%}" for m, s in by_month.items()},
        "by year:",
        {y: f"{s:.1%}" for y, s in by_year.items()},
    )
    assert 0.70 <= held(rows) <= 0.90
    assert all(0.65 <= share <= 0.95 for share in by_month.values())
    assert all(0.70 <= share <= 0.90 for share in by_year.values())


def test_misses_fall_on_both_sides(outlooks: list[dict[str, Any]]) -> None:
    rows = forecasts(outlooks)
    under = sum(r["actual_close"] < r["expected_close_low"] for r in rows) / len(rows)
    over = sum(r["actual_close"] > r["expected_close_high"] for r in rows) / len(rows)
    print(f"\nbelow the interval: {under:.1%}, above it: {over:.1%}")
    assert 0.03 <= under <= 0.17
    assert 0.03 <= over <= 0.17


def test_the_expected_close_leans_to_neither_side(outlooks: list[dict[str, Any]]) -> None:
    rows = forecasts(outlooks)
    errors = {
        m: median((r["expected_close"] - r["actual_close"]) / r["plan_total"] for r in rows if r["month"] == m)
        for m in range(1, CLOSING)
    }
    overall = median((r["expected_close"] - r["actual_close"]) / r["plan_total"] for r in rows)
    print(f"\nmedian error {overall:.2%} of the plan; by month:", {m: f"{e:.2%}" for m, e in errors.items()})
    assert abs(overall) <= Decimal("0.02")
    assert all(abs(error) <= Decimal("0.02") for error in errors.values())


def test_the_money_of_few_lines_is_less_certain_than_that_of_many(warehouse: str) -> None:
    """One commune has all on one line, the other the same money on ten; both share the histories of 2026."""
    one, ten, histories = "06463", "06004", ("06001", "06037", "06040", "06043", "06046")
    codes = [n.code for n in builders.province().nodes.values() if "SN" in n.capital_kinds][:10]
    with store.connect(warehouse) as connection:
        builders.reference_data(connection)
        _calendar(connection, [(year, month) for year in (2026, 2027) for month in range(1, CLOSING + 1)])
        for n, commune in enumerate(histories):
            for month, disbursed in ((6, 0), (CLOSING, 600 + 100 * n)):
                report(connection, commune, 2026, month, {codes[0]: (1000, disbursed)})
        report(connection, one, 2027, 6, {codes[0]: (1000, 0)})
        report(connection, ten, 2027, 6, dict.fromkeys(codes, (100, 0)))
        connection.commit()
    rows = {r["commune_code"]: r for r in outlook(warehouse) if r["budget_year"] == 2027}
    assert {c: rows[c]["expected_close"] for c in (one, ten)} == {one: 800, ten: 800}
    assert (rows[one]["expected_close_low"], rows[one]["expected_close_high"]) == (600, 1000)
    assert (rows[ten]["expected_close_low"], rows[ten]["expected_close_high"]) == (737, 863)  # 800 -+ 200 / sqrt(10)


def report(connection: Connection, commune: str, year: int, month: int, lines: dict[str, tuple[int, int]]) -> None:
    period, at = period_of(year, month), arrival(year, month)
    sha256 = hashlib.sha256(f"{commune} {year} {month}".encode()).hexdigest()
    connection.execute("insert into raw.original values (%s, 1, %s, %s)", (sha256, sha256, at))
    (number,) = connection.execute(
        "insert into raw.submission (sha256, file_name, verdict, commune_code, period, budget_year, as_of, "
        "received_at, archived_at, known_at) values (%s, 'x', 'accepted', %s, %s, %s, %s, %s, %s, %s) "
        "returning submission_id",
        (sha256, commune, str(period), year, period.last_day, at, at, at),
    ).fetchone() or (None,)
    for row_no, (code, (plan, disbursed)) in enumerate(lines.items(), 11):
        row = {"submission_id": number, "commune_code": commune, "period": str(period), "budget_year": year,
               "row_no": row_no, **builders.line(code, "SN", plan, disbursed)}  # fmt: skip
        connection.execute(
            f"insert into core.disbursement ({', '.join(row)}) values ({', '.join(['%s'] * len(row))})",
            list(row.values()),
        )


def test_the_pace_needed_leads_to_the_whole_plan(outlooks: list[dict[str, Any]]) -> None:
    for row in outlooks:
        assert row["months_left"] == CLOSING - row["month"]
        if row["month"] == CLOSING:
            assert row["pace_needed"] is None
        else:
            missed = row["pace_needed"] * row["months_left"] - row["undisbursed"]
            assert abs(missed) * 2 <= row["months_left"]


def test_nothing_is_expected_while_no_budget_year_is_closed(outlooks: list[dict[str, Any]]) -> None:
    first = [r for r in outlooks if r["budget_year"] == YEARS[0]]
    assert first
    assert all(r[key] is None for r in first for key in (*EXPECTED, "closed_years", "histories"))


def test_nothing_is_expected_of_a_closed_year(outlooks: list[dict[str, Any]]) -> None:
    assert all(r["expected_close"] is None for r in outlooks if r["month"] == CLOSING)


def test_each_closed_year_adds_its_communes_to_the_histories(outlooks: list[dict[str, Any]]) -> None:
    for row in forecasts(outlooks):
        years = row["budget_year"] - YEARS[0]
        assert (row["closed_years"], row["histories"]) == (years, 65 * years)


def test_what_is_expected_lies_between_what_is_there_and_the_plan(outlooks: list[dict[str, Any]]) -> None:
    for row in forecasts(outlooks):
        assert row["undisbursed"] >= 0
        ends = [row["expected_close_low"], row["expected_close"], row["expected_close_high"]]
        assert row["disb_ytd"] <= ends[0]
        assert ends == sorted(ends)
        assert ends[-1] <= row["expected_plan"]
        for close, unspent in PAIRS:
            assert row[close] + row[unspent] == row["expected_plan"]


def test_the_plan_grows_in_january_alone(outlooks: list[dict[str, Any]]) -> None:
    """The simulated provinces decide on carry-over in February; later decisions only move capital among communes."""
    for row in forecasts(outlooks):
        assert (row["expected_plan"] > row["plan_total"]) == (row["month"] == 1)


def test_a_history_that_came_later_does_not_change_what_was_expected(provinces: dict[int, str]) -> None:
    address = provinces[SEEDS[0]]
    now = {(r["period"], r["budget_year"], r["commune_code"]): r for r in outlook(address)}
    # In January 2028 two closed years would speak of the new one, but 2027 has not yet told its close.
    moment = arrival(2028, 1)
    then = {(r["period"], r["budget_year"], r["commune_code"]): r for r in outlook(address, moment)}
    assert len(then) == (2 * CLOSING - 1 + 1) * 65
    for key, row in then.items():
        _, year, _ = key
        if year == 2028:
            assert (row["closed_years"], now[key]["closed_years"]) == (1, 2)
        else:
            assert row == now[key]
    again = outlook(address, moment + CLOSE_REPORTED_LATER)
    assert {r["closed_years"] for r in again if r["budget_year"] == 2028} == {2}


def test_dates_of_the_made_up_calendar_hang_together() -> None:
    assert period_of(2026, CLOSING) == Period(2027, 1)
    assert arrival(2026, CLOSING) - arrival(2027, 1) == CLOSE_REPORTED_LATER
    assert arrival(2026, 2).date() == date(2026, 3, 5)
