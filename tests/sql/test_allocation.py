"""Decisions on capital: what they give adds up (CK27), and reports are held against them."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from etl import settings, steps
from etl.errors import DataError, UsageError
from etl.load import allocation, warehouse
from etl.publish import trace
from etl.reference import province
from tests.sql import builders
from tests.sql.conftest import NOW, Loaded

COLUMNS = (
    "decision_no", "signed_on", "effective_on", "budget_year", "commune_code", "project_code", "capital_kind", "source",
    "amount_vnd", "note",
)  # fmt: skip
Line = tuple[str, str, int]


def load(home: Path, lines: Sequence[Line], decision: str = "7/QĐ-UBND", source: str = "NSTW") -> int:
    """Lines of one decision: unit, project, đồng."""
    path = home / "allocation.csv"
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(COLUMNS)
        for unit, project, amount in lines:
            head = (decision, "2025-06-30", "2025-07-01", 2025)
            writer.writerow((*head, unit, project, "SN", source, amount, ""))
    with warehouse.transaction() as connection:
        return allocation.load(connection, path, province.load(), NOW)


PARTS: list[Line] = [("06517", "GNBV-DA2", 100), ("06463", "GNBV-DA2", 200), ("SNNMT", "GNBV-DA2", 50)]


@pytest.mark.rule("CK27", "just-not")
def test_a_decision_that_adds_up_is_taken(empty: Path) -> None:
    assert load(empty, [*PARTS, ("TINH", "GNBV-DA2", 350)]) == 4
    assert load(empty, [*PARTS, ("TINH", "GNBV-DA2", 350)]) == 0
    with warehouse.connect() as connection:
        assert connection.execute("select sum(difference), sum(units) from mart.allocation_balance").fetchone() == (
            0,
            50,
        )


@pytest.mark.rule("CK27", "triggers")
@pytest.mark.parametrize("off", [1, -1])
def test_ck27_a_dong_too_much_or_too_little_and_nothing_is_taken(empty: Path, off: int) -> None:
    with pytest.raises(DataError, match="CK27") as refused:
        load(empty, [*PARTS, ("TINH", "GNBV-DA2", 350 + off)])
    assert "7/QĐ-UBND" in str(refused.value)
    assert "GNBV-DA2-SN" in str(refused.value)
    with warehouse.connect() as connection:
        assert connection.execute("select count(*) from ref.allocation").fetchone() == (0,)


def test_ck27_a_line_that_the_total_does_not_have(empty: Path) -> None:
    with pytest.raises(DataError, match="GNBV-DA3-TDA1-SN"):
        load(empty, [*PARTS, ("TINH", "GNBV-DA2", 350), ("06517", "GNBV-DA3-TDA1", 5)])


def test_ck27_totals_that_come_later_are_held_against_what_is_there(empty: Path) -> None:
    load(empty, PARTS)
    with pytest.raises(DataError, match="CK27"):
        load(empty, [("TINH", "GNBV-DA2", 300)])
    assert load(empty, [("TINH", "GNBV-DA2", 350)]) == 1


def test_without_a_total_nothing_is_asked(empty: Path) -> None:
    assert load(empty, PARTS) == 3


def test_a_unit_that_nobody_knows_is_named_with_its_line(empty: Path) -> None:
    with pytest.raises(UsageError, match="dòng 2: không có xã, phường hoặc đơn vị cấp tỉnh mã ABC"):
        load(empty, [("ABC", "GNBV-DA2", 1)])


def test_a_total_cannot_be_changed_silently(empty: Path) -> None:
    load(empty, [*PARTS, ("TINH", "GNBV-DA2", 350)])
    with pytest.raises(UsageError, match="đã có dòng này với số tiền 350 đồng"):
        load(empty, [("TINH", "GNBV-DA2", 351)])


def rate(commune: str = "06517") -> tuple[object, ...]:
    with warehouse.connect() as connection:
        row = connection.execute(
            """
            select plan_total, plan_assigned, plan_carry, disb_ytd, rate_total from mart.disbursement_rate
            where slice = 'commune' and commune_code = %s and period = '2025-10'
            """,
            (commune,),
        ).fetchone()
    assert row is not None
    return tuple(row)


def reported(*lines: tuple[str, int, int]) -> None:
    """A report of Quan Sơn for October: project, plan, disbursed."""
    with warehouse.transaction() as connection:
        builders.report(
            connection, "06517", "2025-10", [builders.line(project, "SN", plan, paid) for project, plan, paid in lines]
        )


def test_ck25_capital_on_no_line_counts_in_the_plan_of_the_rate(empty: Path) -> None:
    """A line that the commune left out, and a project that it has not wholly split among its sub-projects."""
    load(empty, [("06517", "GNBV-DA2", 100), ("06517", "GNBV-DA3", 300), ("06517", "GNBV-DA7-TDA1", 60)])
    load(empty, [("06517", "GNBV-DA2", 40)], "8/QĐ-UBND", "KD_NSTW")
    reported(("GNBV-DA3-TDA1", 120, 50), ("GNBV-DA3-TDA2", 80, 0), ("GNBV-DA7-TDA1", 60, 10))
    assert rate() == (500, 460, 40, 60, Decimal("12.00"))
    with warehouse.connect() as connection:
        rows = connection.execute(
            "select line_code, plan_total, row_no from mart.disbursement_line where is_unallocated order by 1"
        ).fetchall()
    assert rows == [("GNBV-DA2-SN", 140, None), ("GNBV-DA3-SN", 100, None)]


def test_ck25_all_that_was_assigned_stands_on_lines(empty: Path) -> None:
    load(empty, [("06517", "GNBV-DA3", 200), ("06517", "GNBV-DA3-TDA1", 20)])
    reported(("GNBV-DA3-TDA1", 140, 55), ("GNBV-DA3-TDA2", 80, 0))
    assert rate() == (220, 220, 0, 55, Decimal("25.00"))


def test_a_figure_with_unallocated_capital_traces_to_cells_and_decisions(own: Loaded) -> None:
    """A decision on a line that the commune's report does not have."""
    load(own.home, [("06463", "GNBV-DA6-TDA1", 7_000_000)])
    later = NOW + timedelta(days=1)
    release = steps.freeze("2025-10", later)["release_id"]
    with warehouse.connect() as connection:
        found = trace.trace(connection, f"{release}/plan_total/commune=06463", settings.get().archive_dir)
    assert found["agrees"]
    cells = found["parts"][0]["terms"][0]["cells"]
    assert [(c["sheet"], c["cell"], c["amount"]) for c in cells if c["sheet"].startswith("Quyết định")] == [
        ("Quyết định giao vốn", "7/QĐ-UBND", "7000000")
    ]
    assert sum(int(c["amount"]) for c in cells) == int(found["value"])
