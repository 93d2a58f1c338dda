"""Decisions on capital: what they give adds up (CK27), and reports are held against them."""

from __future__ import annotations

import csv
import unicodedata
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


def write(home: Path, *rows: str) -> Path:
    path = home / "allocation.csv"
    path.write_text("\n".join([",".join(COLUMNS), *rows, ""]), encoding="utf-8")
    return path


def row(
    decision: str = "7/QĐ-UBND",
    signed: str = "2025-06-30",
    effective: str = "2025-07-01",
    year: str = "2025",
    unit: str = "06517",
    amount: str = "100",
) -> str:
    return ",".join((decision, signed, effective, year, unit, "GNBV-DA2", "SN", "NSTW", amount, ""))


def load_rows(home: Path, *rows: str) -> int:
    with warehouse.transaction() as connection:
        return allocation.load(connection, write(home, *rows), province.load(), NOW)


def loaded_lines() -> int:
    with warehouse.connect() as connection:
        (number,) = connection.execute("select count(*) from ref.allocation").fetchone() or (0,)
    return int(number)


@pytest.mark.parametrize(
    "again", [row(), row(amount="50"), row(effective="2025-08-01")], ids=["same", "other amount", "other day"]
)
def test_a_line_that_stands_twice_in_a_file_is_refused_with_both_numbers(empty: Path, again: str) -> None:
    with pytest.raises(UsageError, match=r"dòng 2 và dòng 4 trùng nhau.*tổng số tiền.*số quyết định khác"):
        load_rows(empty, row(), row(unit="06463"), again)
    assert loaded_lines() == 0


def test_a_line_that_comes_back_with_another_day_is_refused(empty: Path) -> None:
    load_rows(empty, row())
    with pytest.raises(UsageError, match="đã có dòng này với ngày có hiệu lực 01/07/2025, nay ghi 01/08/2025"):
        load_rows(empty, row(effective="2025-08-01"))


def test_a_decision_number_typed_on_another_machine_is_the_same_decision(empty: Path) -> None:
    load_rows(empty, row("Quyết định 7"))
    assert load_rows(empty, row(unicodedata.normalize("NFD", "Quyết định 7 "))) == 0


def test_a_cut_below_zero_is_refused_with_line_plan_cut_and_result(empty: Path) -> None:
    load_rows(empty, row(amount="1000000"))
    with pytest.raises(DataError, match="không thể âm") as refused:
        load_rows(empty, row("8/QĐ-UBND", effective="2025-09-01", amount="-1000001"))
    told = str(refused.value)
    assert "06517 (Xã Quan Sơn), GNBV-DA2-SN, nguồn NSTW" in told
    assert "kế hoạch trước ngày 01/09/2025 là 1.000.000 đồng" in told
    assert "quyết định 8/QĐ-UBND giảm 1.000.001 đồng, còn -1 đồng" in told
    assert loaded_lines() == 1
    assert load_rows(empty, row("8/QĐ-UBND", effective="2025-09-01", amount="-1000000")) == 1


def test_a_cut_that_comes_into_force_before_what_it_cuts_is_refused(empty: Path) -> None:
    with pytest.raises(DataError, match="trước ngày 01/06/2025 là 0 đồng"):
        load_rows(empty, row(effective="2025-07-01"), row("8/QĐ-UBND", effective="2025-06-01", amount="-50"))


def test_a_decision_that_moves_capital_has_a_total_below_zero(empty: Path) -> None:
    load_rows(empty, row(), row(unit="TINH"))
    assert load_rows(empty, row("8/QĐ-UBND", amount="-30"), row("8/QĐ-UBND", unit="TINH", amount="-30")) == 2


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (row(amount="1.000"), "dòng 2, cột amount_vnd: “1.000” không đọc được; phải là số tiền bằng đồng"),
        (row(amount="1_000"), "cột amount_vnd: “1_000”"),
        (row(amount=""), r"cột amount_vnd: \(ô trống\) không đọc được"),
        (row(signed="10/12/2025"), "cột signed_on: “10/12/2025” không đọc được; phải là ngày theo dạng năm-tháng-ngày"),
        (row(effective="2025-02-30"), "cột effective_on: ngày 2025-02-30 không có trong lịch"),
        (row(year="25"), "cột budget_year: “25” không đọc được; phải là năm có 4 chữ số"),
        ("7/QĐ-UBND,2025-06-30", r"cột effective_on: \(ô trống\)"),
        (row(amount="1,000,000"), "dòng 2: có 12 ô trong khi tệp chỉ có 10 cột"),
        (row(amount='"1'), "không phải tệp CSV"),
    ],
    ids=["point", "underscore", "blank", "day first", "no such day", "short year", "short row", "commas", "open quote"],
)
def test_a_cell_that_cannot_be_read_is_named_in_vietnamese(empty: Path, line: str, told: str) -> None:
    with pytest.raises(UsageError, match=told) as refused:
        load_rows(empty, line)
    assert not any(english in str(refused.value) for english in ("object", "literal", "isoformat"))


def test_lines_are_counted_as_they_stand_in_the_file(empty: Path) -> None:
    with pytest.raises(UsageError, match="dòng 4, cột amount_vnd"):
        load_rows(empty, row(), "", row(unit="06463", amount="x"))


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
