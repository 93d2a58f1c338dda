"""Notation of figures and sentences, and the identity of a figure."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from etl.errors import ReleaseError
from etl.publish.figure import Figure, dims
from etl.publish.model import Column, Row, Span, Table, joined
from etl.publish.text import clean, listing, quantity_style, sentence, shorten, show, unbroken


def number(value: str | None, unit: str) -> Figure:
    return Figure("m", unit, "mart.x", value=None if value is None else Decimal(value))


@pytest.mark.parametrize(
    ("value", "unit", "style", "expected"),
    [
        ("349800000000", "vnd", "ty", "349,8"),
        ("1746600000000", "vnd", "ty", "1.746,6"),
        ("349800000000", "vnd", "", "349.800"),
        ("-2500000000", "vnd", "trieu_signed", "-2.500"),
        ("2500000000", "vnd", "trieu_signed", "+2.500"),
        ("20.03", "pct", "", "20,03"),
        ("29.6", "pct", "", "29,60"),
        ("50", "pct", "pct_short", "50"),
        ("10.08", "pct_points", "", "+10,08"),
        ("-1.2", "pct_points", "", "-1,20"),
        ("-1.2", "pct_points", "points_abs", "1,20"),
        ("0.00", "pct_points", "", "0,00"),
        ("1234", "count", "", "1.234"),
        ("65.0", "quantity", "", "65"),
        ("228.25", "quantity", "", "228,25"),
        ("61.50", "quantity", "", "61,5"),
        (None, "pct", "", "–"),
        (None, "vnd", "ty", "–"),
    ],
)
def test_a_number_is_shown_in_vietnamese_notation(value: str | None, unit: str, style: str, expected: str) -> None:
    assert show(number(value, unit), style).text == expected


@pytest.mark.parametrize(
    ("day", "shown"), [("2025-08-31", "31/8/2025"), ("2026-02-05", "05/02/2026"), ("2025-10-03", "03/10/2025")]
)
def test_a_day_is_written_as_the_decree_does(day: str, shown: str) -> None:
    assert show(Figure("as_of", "date", "x", text=day)).text == shown


def test_a_commune_is_written_small_within_a_sentence() -> None:
    assert show(Figure("name", "text", "x", text="Xã Quan Sơn"), "place").text == "xã Quan Sơn"


def test_an_absent_figure_is_a_dash() -> None:
    assert show(None) == Span("–")


def test_text_of_a_commune_becomes_one_clean_composed_line() -> None:
    assert clean("Xa\u0303 \n Quan\tSơn\x07 ") == "Xã Quan Sơn"


def test_long_text_is_cut_between_words() -> None:
    assert shorten("hỗ trợ kịp thời, cho xã", 18) == "hỗ trợ kịp thời…"
    assert shorten("ngắn", 18) == "ngắn"


def test_a_sentence_keeps_its_figures_as_spans() -> None:
    rate = number("20.03", "pct")

    spans = sentence("đạt {r}% kế hoạch", r=rate)

    assert joined(spans) == "đạt 20,03% kế hoạch"
    assert [s.figure for s in spans] == [None, rate, None]


def test_a_line_never_ends_between_a_number_and_its_unit() -> None:
    spans = (Span("- Chi "), Span("1.745,5"), Span(" tỷ đồng trong tháng "), Span("9"), Span("; xem Bảng 5."))

    together = unbroken(spans)

    assert joined(together) == "-\u00a0Chi 1.745,5\u00a0tỷ\u00a0đồng trong tháng\u00a09; xem Bảng\u00a05."
    assert [len(s.text) for s in together] == [len(s.text) for s in spans]


def test_outputs_of_one_row_have_the_same_decimals() -> None:
    row = [number(v, "quantity") for v in ("406", "40.8", "138.32")]

    assert [show(f, quantity_style(row)).text for f in row] == ["406,00", "40,80", "138,32"]
    assert quantity_style([number("1200", "quantity"), None]) == "quantity_0"


def test_a_list_is_joined_with_commas() -> None:
    assert joined(listing([Span("a"), (Span("b"), Span("c"))])) == "a, bc"


def test_the_key_of_a_figure_names_its_dimensions_in_a_fixed_order() -> None:
    by = dims({"capital_kind": "DT", "programme": "GNBV", "commune": None})

    assert Figure("rate_total", "pct", "x", by).key == "rate_total/programme=GNBV,capital_kind=DT"


def test_an_amount_is_not_taken_for_a_date() -> None:
    with pytest.raises(ReleaseError):
        _ = number("1", "vnd").date


def test_a_date_figure_gives_its_day() -> None:
    assert Figure("as_of", "date", "x", text="2025-10-31").date == date(2025, 10, 31)


def test_neighbouring_columns_of_one_group_share_a_heading() -> None:
    columns = (Column("a", 1), Column("b", 1, group="G"), Column("c", 1, group="G"), Column("d", 1))
    table = Table("t", "", (), columns, (Row(((), (), (), ())),))

    assert table.groups() == [("", 0, 1), ("G", 1, 2), ("", 3, 1)]
