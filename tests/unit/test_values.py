"""Period, money, text and typed cells: the small values that everything else stands on."""

from __future__ import annotations

import unicodedata
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl import money
from etl.collect import cells
from etl.collect.text import clean, fold, fold_code, fold_commune
from etl.errors import UsageError
from etl.period import Period


@pytest.mark.parametrize("text", ["2025-13", "2025-00", "10/2025", "", "2025-1", "25-10", "2025-10-01"])
def test_a_period_is_written_year_and_month(text: str) -> None:
    with pytest.raises(UsageError, match="2025-10"):
        Period.parse(text)


def test_the_months_around_the_year_change_follow_each_other() -> None:
    assert (Period(2026, 1).previous, Period(2025, 12).next) == (Period(2025, 12), Period(2026, 1))
    assert Period(2028, 2).last_day == date(2028, 2, 29)


@given(st.integers(min_value=-(10**15), max_value=10**15))
def test_dong_survive_the_form_and_come_back_exactly(vnd: int) -> None:
    assert money.trieu_to_vnd(money.vnd_to_trieu(vnd)) == vnd


@given(st.integers(min_value=0, max_value=10**14))
def test_dong_survive_a_spreadsheet_number(vnd: int) -> None:
    assert money.trieu_to_vnd(float(money.vnd_to_trieu(vnd))) == vnd


def test_float_noise_is_rounded_half_up_to_one_dong() -> None:
    assert money.trieu_to_vnd(349.79999999999995) == 349_800_000
    assert money.trieu_to_vnd("0.0000005") == 1
    assert money.trieu_to_vnd("-0.0000005") == -1


@pytest.mark.parametrize(
    ("numerator", "denominator", "rate"),
    [
        (349_800, 1_746_600, "20.03"),
        (1, 0, None),
        (12345, 100_000, "12.35"),
        (12344, 100_000, "12.34"),
        (0, 5, "0.00"),
        (-12345, 100_000, "-12.35"),
        (7, 3, "233.33"),
    ],
)
def test_a_rate_is_half_up_with_two_decimals_and_blank_over_zero(
    numerator: int, denominator: int, rate: str | None
) -> None:
    assert money.rate_pct(numerator, denominator) == (Decimal(rate) if rate else None)


def test_amounts_are_shown_in_vietnamese_notation() -> None:
    assert money.show_trieu(1_234_567_891_000) == "1.234.567,891"
    assert money.show_ty(349_800_000_000) == "349,8"
    assert money.group_vi(Decimal("-0.004"), 2) == "0,00"


def test_decomposed_text_tones_and_lookalikes_fold_to_one_key() -> None:
    decomposed = unicodedata.normalize("NFD", "Quan Sơn")
    assert fold(decomposed) == fold("QUAN  SƠN\u00a0") == "quan son"
    assert fold("hoà") == fold("hòa")
    assert fold("Ðình Lập") == fold("Đình Lập")
    assert fold_code("gnbv–da2-sn") == "GNBV-DA2-SN"
    assert clean(decomposed) == "Quan Sơn"


@pytest.mark.parametrize(
    "text", ["Quan Sơn", "xã Quan Sơn", "UBND xã Quan Sơn", "X. Quan Sơn", "Quan Son", "UBND XÃ QUAN SƠN"]
)
def test_a_commune_is_recognised_however_it_is_addressed(text: str) -> None:
    assert fold_commune(text) == "quan son"


@pytest.mark.parametrize(
    ("raw", "vnd", "state"),
    [
        (1.5, 1_500_000, "number"),
        (0.0, 0, "declared_zero"),
        ("-", 0, "declared_zero"),
        ("–", 0, "declared_zero"),
        ("0", 0, "declared_zero"),
        ("", None, "blank"),
        ("  \u00a0", None, "blank"),
        (None, None, "blank"),
        ("1.234,5", 1_234_500_000, "number"),
        ("1,234.5", 1_234_500_000, "number"),
        ("1.234.567", 1_234_567_000_000, "number"),
        ("12,5", 12_500_000, "number"),
        ("350", 350_000_000, "number"),
        ("1\u00a0234,5", 1_234_500_000, "number"),
        ("(12,5)", -12_500_000, "number"),
        ("-7", -7_000_000, "number"),
        ("0,125", 125_000, "number"),
    ],
)
def test_an_amount_is_read_with_its_state(raw: cells.Raw, vnd: int | None, state: str) -> None:
    read = cells.number(raw, "money")
    assert isinstance(read, cells.Cell)
    assert (read.value, read.state) == (vnd, state)


@pytest.mark.parametrize(
    ("raw", "rule"),
    [
        ("không", "M08"),
        ("k", "M08"),
        ("1.2.3", "M08"),
        (True, "M08"),
        ("1,2,3", "M08"),
    ],
)
def test_what_could_mean_two_things_or_nothing_is_not_guessed(raw: cells.Raw, rule: str) -> None:
    read = cells.number(raw, "money")
    assert isinstance(read, cells.Problem)
    assert read.rule == rule


@pytest.mark.parametrize(
    "raw", ["31/10/2025", "31.10.2025", "ngày 31 tháng 10 năm 2025", "31-10-25", date(2025, 10, 31)]
)
def test_a_date_is_read_day_first(raw: cells.Raw) -> None:
    read = cells.day(raw)
    assert isinstance(read, cells.Cell)
    assert read.value == date(2025, 10, 31)


@pytest.mark.parametrize("raw", ["31/02/2025", "sớm", 3.5])
def test_what_is_no_date_is_a_problem(raw: cells.Raw) -> None:
    assert isinstance(cells.day(raw), cells.Problem)


@given(st.text(max_size=40))
def test_no_text_makes_the_number_reader_raise(text: str) -> None:
    assert isinstance(cells.number(text, "money"), cells.Cell | cells.Problem)
    assert isinstance(cells.day(text), cells.Cell | cells.Problem)


@pytest.mark.parametrize(
    ("text", "vnd"), [("350 trđ", 350_000_000), ("350 tr.đ", 350_000_000), ("500.000đ", 500_000), ("1,500 đồng", 1_500)]
)
def test_short_units_and_whole_dong_are_read_exactly(text: str, vnd: int) -> None:
    cell = cells.number(text, "money")
    assert isinstance(cell, cells.Cell)
    assert (cell.value, cell.note) == (vnd, "M05")


@pytest.mark.parametrize("text", ["2025-06-20", "2025-06-20 00:00:00", "20/06/2025 00:00", "20/6/2025."])
def test_dates_as_programs_write_them(text: str) -> None:
    assert cells.day(text) == cells.Cell(date(2025, 6, 20), "number", "M21")


@pytest.mark.parametrize("raw", ["9" * 5000, float("inf"), float("nan"), -5.0, 99_999_999.0])
def test_what_is_no_date_is_told_and_stops_nothing(raw: str | float) -> None:
    assert isinstance(cells.day(raw), cells.Problem)


def test_an_amount_below_half_a_dong_is_zero_and_a_truth_value_is_shown_as_in_the_cell() -> None:
    assert cells.number(0.0000004, "money") == cells.Cell(0, "declared_zero")
    assert cells.number(True, "money") == cells.Problem("M08", "TRUE")
