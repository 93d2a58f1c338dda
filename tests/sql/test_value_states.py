"""Value states end to end: a number, a declared zero, a blank and what was not reported stay apart in the warehouse."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from psycopg.rows import dict_row

from etl.collect.report import Form, Report, Row
from etl.load import submission, warehouse
from tests.builders import OCTOBER, QUAN_SON, edited, name, workbook
from tests.sql import builders
from tests.sql.conftest import NOW
from tests.sql.test_load import collect, put

TRIEU = 1_000_000
PLAN = {"plan_nstw": 100 * TRIEU, "plan_nst": 0, "plan_nsx": 0, "carry_nstw": 0, "carry_nsdp": 0}
PAID = {"disb_period": 5 * TRIEU, "disb_nstw": 40 * TRIEU, "disb_nsdp": 0, "disb_completed": 40 * TRIEU,
        "disb_advance": 0, "disb_carry": 0}  # fmt: skip
FULL: dict[str, Any] = {"plan_total": 100 * TRIEU, **PLAN, "disb_ytd": 40 * TRIEU, **PAID, "forecast": 90 * TRIEU}


def load(home: Path, commune: str, *rows: tuple[str, dict[str, Any], dict[str, str]]) -> None:
    """An accepted Biểu 01 with these lines: code, values, states."""
    lines = [Row(n, "leaf", code, {"line_code": code, **v}, s) for n, (code, v, s) in enumerate(rows, 11)]
    form = Form("B01", "B01-GiaiNgan", {"disb_ytd": "K"}, lines)
    sha256 = hashlib.sha256(commune.encode()).hexdigest()
    report = Report("x.xlsx", sha256, commune, OCTOBER, 2025, OCTOBER.last_day, forms={"B01": form})
    with warehouse.connect() as connection:
        builders.delivered(connection, "folder", "x.xlsx", sha256, NOW, NOW)
        submission.load(connection, submission.Judged(report, [], "accepted", NOW), NOW)


def rows(query: str, *parameters: Any) -> list[dict[str, Any]]:
    with warehouse.connect() as connection:
        return connection.cursor(row_factory=dict_row).execute(query, parameters).fetchall()


@pytest.fixture
def four_states(empty: Path) -> Path:
    """One line in full, one with a declared zero, one with a blank and one without the column."""
    zero = {**FULL, "disb_ytd": 0, **dict.fromkeys(PAID, 0)}
    load(
        empty,
        QUAN_SON,
        ("GNBV-DA2-SN", FULL, {}),
        ("GNBV-DA3-TDA1-SN", zero, {"disb_ytd": "declared_zero"}),
        ("GNBV-DA6-TDA2-SN", {**FULL, "disb_ytd": None, "forecast": None}, {"disb_ytd": "blank", "forecast": "blank"}),
        ("NTM-ND03-SN", {**FULL, "accepted_volume": None}, {"accepted_volume": "not_reported"}),
    )
    return empty


def test_each_state_has_its_own_shape_in_core(four_states: Path) -> None:
    found = {
        r["line_code"]: (r["disb_ytd"], r["accepted_volume"], r["value_states"])
        for r in rows("select * from core.disbursement")
    }
    assert found == {
        "GNBV-DA2-SN": (40 * TRIEU, None, {}),
        "GNBV-DA3-TDA1-SN": (0, None, {"disb_ytd": "declared_zero"}),
        "GNBV-DA6-TDA2-SN": (None, None, {"disb_ytd": "blank", "forecast": "blank"}),
        "NTM-ND03-SN": (40 * TRIEU, None, {"accepted_volume": "not_reported"}),
    }


def test_the_line_mart_shows_blank_as_blank_and_says_which_state_it_is(four_states: Path) -> None:
    found = {
        r["line_code"]: (r["disb_ytd"], r["disb_assigned"], r["value_states"].get("disb_ytd"))
        for r in rows("select * from mart.disbursement_line")
    }
    assert found["GNBV-DA3-TDA1-SN"] == (0, 0, "declared_zero")
    assert found["GNBV-DA6-TDA2-SN"] == (None, None, "blank")


def test_a_blank_has_no_part_in_rates_and_remainders(four_states: Path) -> None:
    (total,) = rows("select * from mart.disbursement_rate where slice = 'all'")
    # Three lines have both sides: 80 of 300 triệu; the fourth is not 0 of 100.
    assert (total["disb_ytd"], total["undisbursed"]) == (80 * TRIEU, 220 * TRIEU)
    assert float(total["rate_total"]) == 26.67
    assert total["forecast"] is None
    (blank,) = rows(
        "select * from mart.disbursement_rate where slice = 'subproject' and subproject_code = 'GNBV-DA6-TDA2'"
    )
    assert [blank[k] for k in ("disb_ytd", "undisbursed", "rate_total", "forecast")] == [None] * 4
    (zero,) = rows(
        "select * from mart.disbursement_rate where slice = 'subproject' and subproject_code = 'GNBV-DA3-TDA1'"
    )
    assert (zero["disb_ytd"], zero["rate_total"], zero["undisbursed"]) == (0, 0, 100 * TRIEU)


def test_a_commune_of_blanks_is_neither_at_zero_nor_ranked_as_such(empty: Path) -> None:
    load(empty, QUAN_SON, ("GNBV-DA2-SN", {**FULL, "disb_ytd": None}, {"disb_ytd": "blank"}))
    load(empty, "06463", ("GNBV-DA2-SN", {**FULL, "disb_ytd": 0}, {"disb_ytd": "declared_zero"}))
    found = {r["commune_code"]: r["at_zero"] for r in rows("select * from mart.commune_rank")}
    assert found == {"06463": True}


def test_no_mart_has_a_figure_for_a_commune_that_did_not_report(four_states: Path) -> None:
    assert rows("select 1 from mart.disbursement_line where commune_code = '06463'") == []
    assert rows("select 1 from mart.disbursement_rate where commune_code = '06463'") == []
    (status,) = rows(
        "select state, nothing_to_report from mart.submission_status "
        "where commune_code = '06463' and period = '2025-10'"
    )
    assert status == {"state": "missing", "nothing_to_report": None}


def test_nothing_to_report_is_a_declared_zero_down_to_the_mart(empty: Path) -> None:
    def tick(book: Any) -> None:
        sheet = book["B02-ChiTieu"]
        box = next(c for row in sheet.iter_rows(max_row=8) for c in row if str(c.value).startswith("Không phát sinh"))
        sheet.cell(box.row, box.column + 1).value = "x"
        for row in range(11, 60):
            if str(sheet[f"B{row}"].value or "").startswith("CT-"):
                for letter in "HIJKL":
                    sheet[f"{letter}{row}"] = None

    put(empty, edited(tick, workbook(), values=True), name())
    assert collect()["accepted"] == 1
    states = rows("select actual_ytd, value_states from core.output_indicator")
    assert states
    assert all((r["actual_ytd"], r["value_states"]["actual_ytd"]) == (0, "declared_zero") for r in states)
    marts = rows("select communes, actual_ytd, unit from mart.output_indicator")
    assert all((r["communes"], r["actual_ytd"]) == (1, None if r["unit"] == "%" else 0) for r in marts)
    (status,) = rows(
        "select nothing_to_report from mart.submission_status where commune_code = '06463' and period = '2025-10'"
    )
    assert "B02" in status["nothing_to_report"]


def test_an_optional_cell_left_blank_stays_blank(empty: Path) -> None:
    def clear(book: Any) -> None:
        book["B01-GiaiNgan"]["S14"] = None

    put(empty, edited(clear))
    assert collect()["accepted"] == 1
    (row,) = rows("select forecast, value_states from core.disbursement where row_no = 14")
    assert (row["forecast"], row["value_states"]["forecast"]) == (None, "blank")
