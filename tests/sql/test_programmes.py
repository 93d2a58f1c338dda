"""Two programme trees beside each other, and series across the change. The trees of these tests are made up."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from etl import settings, steps
from etl.collect import prefill
from etl.load import allocation, marts, server
from etl.load import warehouse as db
from etl.load.warehouse import Connection
from etl.period import Period
from etl.reference import load as reference_load
from etl.reference import province
from etl.reference.province import Province
from etl.sample.month import write_month
from tests.databases import copy_of
from tests.sql import builders
from tests.sql.builders import TRIEU, line
from tests.unit.test_units import Rows, edit, folder

__all__ = ["folder"]

TREE = (
    # Two whole projects become one; one is renamed; one is divided; a part of one is taken on; one is new.
    ("MTQG-2630-HP1", "GNBV-DA2|DTTS-DA3", "Sinh kế và sản xuất (mẫu thử)"),
    ("MTQG-2630-HP2", "NTM-ND05", "Giáo dục, y tế (mẫu thử)"),
    ("MTQG-2630-HP3", "DTTS-DA4", "Hạ tầng A (mẫu thử)"),
    ("MTQG-2630-HP4", "DTTS-DA4", "Hạ tầng B (mẫu thử)"),
    ("MTQG-2630-HP5", "NTM-ND02 (một phần)", "Hạ tầng C (mẫu thử)"),
    ("MTQG-2630-HP6", "", "Nội dung mới (mẫu thử)"),
)


def grow(folder: Path) -> Province:
    """The made-up tree of 2026-2030, as rows of programmes.csv."""

    def change(rows: Rows) -> None:
        root = rows[-1]
        assert root["code"] == "MTQG-2630"
        for code, predecessors, name in TREE:
            row = {"code": code, "parent_code": "MTQG-2630", "level": "hợp phần", "name_vi": name, "verified": "no"}
            rows.append(root | row | {"capital_kinds": "DT|SN", "predecessor_codes": predecessors})

    edit(folder / "programmes.csv", change)
    return Province(folder)


@pytest.fixture
def connection(warehouse: str) -> Iterator[Connection]:
    with db.connect(warehouse) as connection:
        reference_load.load(connection, builders.province(), builders.LOADED)
        yield connection
        connection.rollback()


def lines_of(connection: Connection, level: str) -> dict[str, tuple[Any, ...]]:
    """Code -> common line, is_comparable, is_whole_line, reason."""
    found = connection.execute(
        "select code, common_code, is_comparable, is_whole_line, reason_vi from mart.programme_map where level = %s",
        (level,),
    ).fetchall()
    assert len({row[0] for row in found}) == len(found)
    return {row[0]: row[1:] for row in found}


def series(connection: Connection, columns: str, where: str) -> list[tuple[Any, ...]]:
    marts.refresh(connection)
    return connection.execute(f"select {columns} from mart.programme_series where {where} order by 1, 2, 3").fetchall()


def test_the_three_programmes_go_on_in_the_one_of_2026(connection: Connection) -> None:
    for level in ("programme", "component"):
        found = lines_of(connection, level)
        assert set(found.values()) == {("MTQG-2630", True, True, None)}
    assert len(lines_of(connection, "component")) == 61


def test_both_trees_stand_in_one_month_under_one_line(connection: Connection) -> None:
    old = [line("GNBV-DA2", "SN", 0, 30 * TRIEU, carry=100 * TRIEU, disb_carry=30 * TRIEU)]
    builders.report(connection, "06517", "2025-12", [line("GNBV-DA2", "SN", 500 * TRIEU, 400 * TRIEU)])
    builders.report(connection, "06517", "2026-02", [*old, line("MTQG-2630", "SN", 1000 * TRIEU, 70 * TRIEU)])

    found = series(
        connection,
        "period, common_code, plan_total, disb_ytd, earlier_plan_total, earlier_disb_ytd, rate_total",
        "level = 'programme' and slice = 'all'",
    )

    assert found == [
        ("2025-12", "MTQG-2630", 500 * TRIEU, 400 * TRIEU, 500 * TRIEU, 400 * TRIEU, 80),
        ("2026-02", "MTQG-2630", 1100 * TRIEU, 100 * TRIEU, 100 * TRIEU, 30 * TRIEU, Decimal("9.09")),
    ]


def test_the_recurrent_kind_has_its_name_of_the_budget_year(connection: Connection) -> None:
    builders.report(connection, "06517", "2026-01", [line("GNBV-DA2", "SN", 500 * TRIEU, 0)], budget_year=2025)
    builders.report(connection, "06517", "2026-01", [line("MTQG-2630", "SN", 500 * TRIEU, 0)])

    found = series(connection, "budget_year, capital_kind, capital_kind_vi", "slice = 'capital_kind'")

    assert found == [(2025, "SN", "Kinh phí sự nghiệp"), (2026, "SN", "Kinh phí chi thường xuyên")]


def test_components_are_comparable_where_their_predecessors_are_whole(connection: Connection, folder: Path) -> None:
    reference_load.load(connection, grow(folder), builders.LOADED)

    found = lines_of(connection, "component")

    merged = ("MTQG-2630-HP1", True, True, None)
    assert [found[c] for c in ("GNBV-DA2", "DTTS-DA3-TDA1", "DTTS-DA3", "MTQG-2630-HP1")] == [merged] * 4
    assert found["NTM-ND05"] == found["MTQG-2630-HP2"] == ("MTQG-2630-HP2", True, True, None)
    divided = ("MTQG-2630-HP3+MTQG-2630-HP4", False, True, "DTTS-DA4 đã chia cho MTQG-2630-HP3, MTQG-2630-HP4")
    assert [found[c] for c in ("DTTS-DA4-TDA1", "MTQG-2630-HP3", "MTQG-2630-HP4")] == [divided] * 3
    part = ("MTQG-2630-HP5", False, False, "MTQG-2630-HP5 chỉ kế thừa một phần của NTM-ND02")
    assert found["NTM-ND02"] == found["MTQG-2630-HP5"] == part
    new = found["MTQG-2630-HP6"]
    assert new[:3] == ("MTQG-2630", False, False)
    assert "phần còn lại của GNBV chưa ghép với nội dung nào của MTQG-2630" in new[3]
    assert found["GNBV-DA1-TDA1"] == new
    assert set(lines_of(connection, "programme").values()) == {("MTQG-2630", True, True, None)}


def test_the_lines_of_a_level_sum_to_all(connection: Connection, folder: Path) -> None:
    reference_load.load(connection, grow(folder), builders.LOADED)
    codes = ("GNBV-DA2", "DTTS-DA4-TDA1", "NTM-ND02", "MTQG-2630-HP1", "MTQG-2630-HP4", "MTQG-2630-HP6", "XYZ-1")
    lines = [line(code, "DT", 100 * 2**n * TRIEU, 2**n * TRIEU) for n, code in enumerate(codes)]
    builders.report(connection, "06517", "2026-02", lines)

    found = series(connection, "level, common_code, disb_ytd, reason_vi", "slice = 'all'")

    for level in ("programme", "component"):
        assert sum(paid for at, _, paid, _ in found if at == level) == 127 * TRIEU
    by_line = {code: paid // TRIEU for at, code, paid, _ in found if at == "component"}
    assert by_line == {
        "MTQG-2630-HP1": 1 + 8, "MTQG-2630-HP3+MTQG-2630-HP4": 2 + 16, "MTQG-2630-HP5": 4, "MTQG-2630": 32, "XYZ-1": 64,
    }  # fmt: skip
    assert [why for at, code, _, why in found if code == "XYZ-1"] == ["Mã XYZ-1 không có trong cây chương trình"]


@pytest.fixture
def grown(postgres: settings.Settings, folder: Path, tmp_path: Path) -> Iterator[Path]:
    """An empty warehouse of the province whose tree of 2026-2030 has components; its home folder."""
    grow(folder)
    home = tmp_path / "home"
    with copy_of(server.url("tiendo", postgres)) as address, pytest.MonkeyPatch.context() as patch:
        patch.setenv("TIENDO_WAREHOUSE_URL", address)
        patch.setenv("TIENDO_HOME", str(home))
        patch.setenv("TIENDO_PROVINCE", str(folder))
        settings.reload()
        yield home
    settings.reload()


def test_reports_with_lines_of_both_trees_go_from_template_to_marts(grown: Path, tmp_path: Path) -> None:
    month, out = Period(2026, 3), tmp_path / "sample"
    due = province.load().window(month).due_on
    now = datetime(due.year, due.month, due.day, 8, tzinfo=UTC) + timedelta(days=3)
    truth = write_month(month, out, communes=3)
    communes = {path.name.split("_")[1] for path in out.glob("*.xlsx")}
    register = out / "reference" / "allocation.csv"
    edit(register, lambda rows: rows.__setitem__(slice(None), [r for r in rows if r["commune_code"] in communes]))
    steps.prepare(now)
    with db.transaction() as connection:
        allocation.load(connection, register, province.load(), now)
    (grown / "inbox").mkdir(parents=True)
    for path in out.glob("*.xlsx"):
        (grown / "inbox" / path.name).hardlink_to(path)
    steps.archive_inbox(now)

    totals = steps.process_received(now)

    assert (totals["accepted"], totals["returned"], totals["refused"]) == (3, 0, 0)
    with db.connect() as connection:
        blank = prefill.content(connection, province.load(), min(communes), month.next)
        filled = {line.project_code for line in blank.lines}
        assert any(code.startswith("MTQG-2630-HP") for code in filled)
        assert any(code.startswith(("GNBV", "DTTS", "NTM")) for code in filled)
        codes = {c for (c,) in connection.execute("select distinct subproject_code from mart.disbursement_line")}
        assert {code for code, _, _ in TREE} <= codes
        assert any(code.startswith(("GNBV", "DTTS", "NTM")) for code in codes)
        paid, earlier = connection.execute(
            "select sum(disb_ytd), sum(earlier_disb_ytd) from mart.programme_series "
            "where level = 'component' and slice = 'all'"
        ).fetchone()
        assert paid == int(truth["totals"]["2026"]["all"]["disb_ytd"])
        assert 0 < earlier < paid
