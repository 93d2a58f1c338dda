"""A month before the reform of 7/2025: what is published, traced and sent back names the units of then."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from etl import settings
from etl.collect import archive, reader
from etl.load import hand_back, revision, submission
from etl.load.hand_back import names
from etl.load.warehouse import Connection
from etl.period import Period
from etl.publish import brief, figures, release, report, trace
from etl.reference import load as reference_load
from etl.reference.province import Province
from etl.validate import settle
from tests.builders import workbook
from tests.sql import builders
from tests.sql.builders import TRIEU, line
from tests.sql.two_years import COMMUNES, of_province, small_province

MAY, JULY = Period(2025, 5), Period(2025, 7)
MAY_31 = date(2025, 5, 31)
VINH_TRAI, BINH_XA, TRI_PHUONG = "05977", "06622", "06016"
RECEIVED = datetime(2025, 6, 5, 2, tzinfo=UTC)
FROZEN = RECEIVED + timedelta(days=6)


@dataclass(frozen=True)
class World:
    connection: Connection
    province: Province
    release_id: str


@pytest.fixture(scope="module")
def world(warehouse: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """May 2025 is published: one report from a workbook, two from facts; 05977 is another unit today, the others are
    none."""
    home = tmp_path_factory.mktemp("former")
    with (
        pytest.MonkeyPatch.context() as patch,
        of_province(patch) as point,
        builders.copy_of(warehouse) as connection,
    ):
        province = small_province(home / "danh_muc")
        patch.setenv("TIENDO_HOME", os.fspath(home))
        point(province.folder)
        reference_load.load(connection, province, RECEIVED)
        for source in ("NSTW", "KD_NSTW"):
            builders.allocate(connection, VINH_TRAI, "GNBV-DA2", "SN", 10_000 * TRIEU, source)
        _from_workbook(connection, province, home)
        outputs = [{"indicator_code": "CT-01", "target_year": 5, "actual_ytd": 2}]
        proposals = [builders.proposal("KN-06622-1", "Sở Tài chính", "Đề nghị bổ sung vốn")]
        for commune, more in ((BINH_XA, {"outputs": outputs, "proposals": proposals}), (TRI_PHUONG, {})):
            lines = [line("GNBV-DA2", "SN", 100 * TRIEU, 10 * TRIEU)]
            builders.report(connection, commune, str(MAY), lines, as_of=MAY_31, received_at=RECEIVED, **more)
        connection.commit()
        frozen = release.freeze(connection, MAY, FROZEN, home / "out")
        release.approve(
            connection, frozen["release_id"], frozen["manifest_sha256"], "thu_ky", "approved", FROZEN, home / "out"
        )
        release.mark_published(connection, frozen["release_id"], FROZEN)
        connection.commit()
        yield World(connection, province, frozen["release_id"])


def _from_workbook(connection: Connection, province: Province, home: Path) -> None:
    """A workbook whose cells are the facts of Vĩnh Trại for May, as the loader takes them."""
    data = workbook(VINH_TRAI)
    sha256 = archive.store(home / "archive", data)
    told = reader.read("BC-MTQG_05977_2025-05_v1.xlsx", data, province)
    settle.settle(told, province)
    connection.execute(
        "insert into raw.original values (%s, %s, %s, %s)", (sha256, len(data), archive.key_of(sha256), RECEIVED)
    )
    number = builders.submission(
        connection, VINH_TRAI, str(MAY), as_of=MAY_31, received_at=RECEIVED, sha256=sha256,
        file_name=told.file_name, template_version=told.template_version,
    )  # fmt: skip
    submission.insert_facts(connection, replace(told, commune_code=VINH_TRAI, period=MAY, budget_year=2025), number)


def figure(world: World, key: str) -> dict[str, Any]:
    where = settings.get().archive_dir
    return trace.trace(world.connection, f"{world.release_id}/{key}", where)


def test_a_release_counts_and_names_the_units_of_its_day(world: World) -> None:
    frozen = release.figures_of(world.connection, release.get(world.connection, world.release_id))
    names = {
        dict(f.dims)["commune"]: f.text for f in frozen.figures if f.metric == "name" and dict(f.dims).get("commune")
    }
    there = {row["former_code"]: row["former_name_vi"] for row in _former(world.province)}
    assert names == there
    assert (names[VINH_TRAI], names[BINH_XA]) == ("Phường Vĩnh Trại", "Xã Bính Xá")
    assert frozen.get("communes_expected").value == len(there)


def _former(province: Province) -> list[dict[str, str]]:
    from etl.reference.province import read_csv

    return read_csv(province.folder / "former_units.csv")


def test_its_documents_have_a_row_for_every_unit_of_then_and_none_of_now(world: World) -> None:
    frozen = release.figures_of(world.connection, release.get(world.connection, world.release_id))
    text = repr((brief.build(frozen), report.build(frozen)))
    for row in _former(world.province):
        assert row["former_name_vi"] in text
    assert "Xã Thống Nhất" not in text
    page = (settings.get().out_dir / str(MAY) / world.release_id).glob("*.html")
    assert any("Phường Vĩnh Trại" in path.read_text(encoding="utf-8") for path in page)


def test_a_figure_is_traced_to_the_cells_of_the_units_of_then(world: World) -> None:
    found = figure(world, f"disb_ytd/commune={VINH_TRAI}")
    cells = [c for part in found["parts"] for term in part["terms"] for c in term["cells"]]
    assert found["agrees"]
    assert {c["commune"] for c in cells} == {"Phường Vĩnh Trại"}
    outputs = figure(world, "actual_ytd/indicator=CT-01")
    assert [s["commune"] for s in figure(world, "communes_reported")["submissions"]] == [
        "Phường Vĩnh Trại", "Xã Tri Phương", "Xã Bính Xá",
    ]  # fmt: skip
    assert outputs["value"] is not None


def test_a_unit_that_has_left_lists_of_today_still_has_its_rows_in_every_mart(world: World) -> None:
    for mart in ("disbursement_line", "output_line", "proposal", "submission", "submission_status", "outlook"):
        names = world.connection.execute(
            f"select distinct commune_vi from mart.{mart} where period = '2025-05' and commune_code = %s", (BINH_XA,)
        ).fetchall()
        assert names == [("Xã Bính Xá",)], mart


def test_what_waits_for_a_decision_is_named_as_it_was_called(world: World) -> None:
    late = builders.report(
        world.connection, VINH_TRAI, str(MAY), [line("GNBV-DA2", "SN", 5 * TRIEU, TRIEU)], as_of=MAY_31,
        received_at=FROZEN + timedelta(hours=1), version=2, is_late_revision=True,
    )  # fmt: skip
    (waiting,) = revision.waiting(world.connection, MAY)
    assert (waiting["submission"], waiting["commune_vi"]) == (late, "Phường Vĩnh Trại")
    world.connection.rollback()


def test_the_receipt_names_the_unit_that_sent_the_report(world: World) -> None:
    connection, conf = world.connection, settings.get()
    (sha256, name) = connection.execute(
        "select sha256, file_name from raw.submission where commune_code = %s", (BINH_XA,)
    ).fetchone() or ("", "")
    builders.delivered(connection, "folder", name, sha256, RECEIVED, RECEIVED)
    hand_back.write_all(connection, conf, world.province, FROZEN)
    (receipt,) = (names.folder_of(conf.out_dir, str(MAY))).glob("*.bien-nhan.txt")
    assert "Xã Bính Xá" in receipt.read_text(encoding="utf-8")


def test_the_month_after_the_reform_has_the_units_of_today(world: World) -> None:
    connection = world.connection
    july_31 = JULY.last_day
    for code in (VINH_TRAI, "06613"):
        builders.report(connection, code, str(JULY), [line("GNBV-DA2", "SN", 5 * TRIEU, TRIEU)], as_of=july_31)
    connection.commit()
    computed = figures.compute(connection, JULY, 2025, datetime(2025, 8, 20, tzinfo=UTC))
    names = {dict(f.dims)["commune"]: f.text for f in computed if f.metric == "name" and "commune" in dict(f.dims)}
    assert set(names) == set(COMMUNES)
    assert names[VINH_TRAI] == "Phường Đông Kinh"
