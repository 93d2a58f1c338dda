"""Freezing, approving and publishing a month (laws 9, 10, 12)."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from etl.errors import ReleaseError
from etl.load import warehouse as db
from etl.load.warehouse import Connection
from etl.period import Period
from etl.publish import pack, release
from tests.sql import builders
from tests.sql.builders import TRIEU, line

OCTOBER = Period(2025, 10)
NOW = datetime(2025, 11, 11, 2, 30, tzinfo=UTC)
LATER = NOW + timedelta(days=3)
QUAN_SON, DONG_KINH = "06517", "05977"


@pytest.fixture(scope="module")
def reference(warehouse: str) -> str:
    with db.connect(warehouse) as connection:
        builders.reference_data(connection)
        builders.report(connection, QUAN_SON, "2025-10", [line("GNBV-DA2", "SN", 1000 * TRIEU, 250 * TRIEU)])
    return warehouse


@pytest.fixture
def connection(reference: str) -> Iterator[Connection]:
    with builders.copy_of(reference) as connection:
        yield connection


@pytest.fixture
def light(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small stand-ins for the documents: what is tested is the release around them."""

    def render(figures: Any, documents: object = None, evidence: object = None) -> dict[str, bytes]:
        moment = figures.known_at.isoformat()
        return {
            "bao-cao.txt": f"{figures.get('rate_total').value} {figures.release_id} {moment}".encode(),
            "tom-tat.txt": figures.release_id.encode(),
        }

    monkeypatch.setattr(pack, "render", render)


def freeze(connection: Connection, out: Path, now: datetime = NOW) -> dict[str, Any]:
    return release.freeze(connection, OCTOBER, now, out)


def correct(connection: Connection, paid: int = 400, version: int = 2) -> None:
    """A correction of the commune's report, one day after the release."""
    lines = [line("GNBV-DA2", "SN", 1000 * TRIEU, paid * TRIEU)]
    received_at = NOW + timedelta(days=1, hours=version - 2)
    builders.report(connection, QUAN_SON, "2025-10", lines, version=version, received_at=received_at)
    connection.commit()


def count(connection: Connection, table: str) -> int:
    return int(connection.execute(f"select count(*) from {table}").fetchone()[0])


@pytest.mark.slow
def test_a_release_holds_its_documents_and_a_letter_for_each_commune(connection: Connection, tmp_path: Path) -> None:
    result = freeze(connection, tmp_path)

    folder = tmp_path / "2025-10" / "2025-10-r1"
    letters = sorted(p.name for p in (folder / "thu").iterdir())
    assert letters == [f"{code}.pdf" for code in sorted(builders.province().communes)]
    assert sorted(p.name for p in folder.iterdir()) == [
        "bang-bieu-2025-10.xlsx",
        "bao-cao-2025-10.docx",
        "bao-cao-2025-10.pdf",
        "thu",
        "tin-nhan-2025-10.txt",
        "tom-tat-2025-10.docx",
        "tom-tat-2025-10.pdf",
        "tong-hop-2025-10.html",
        "truy-vet-2025-10.html",
    ]
    assert all(Path(a["path"]).stat().st_size == a["size_bytes"] for a in result["artifacts"])


@pytest.mark.slow
def test_lost_documents_come_back_with_the_same_hashes_days_later(connection: Connection, tmp_path: Path) -> None:
    first = freeze(connection, tmp_path)
    shutil.rmtree(tmp_path / "2025-10")

    assert freeze(connection, tmp_path, LATER) == first


def test_freezing_again_returns_the_same_release(connection: Connection, tmp_path: Path, light: None) -> None:
    first = freeze(connection, tmp_path)
    figures = count(connection, "release.figure")

    assert freeze(connection, tmp_path, LATER) == first
    assert (count(connection, "release.release"), count(connection, "release.figure")) == (1, figures)


def test_a_correction_makes_the_next_release_and_says_what_changed(
    connection: Connection, tmp_path: Path, light: None
) -> None:
    freeze(connection, tmp_path)
    correct(connection)

    second = freeze(connection, tmp_path, LATER)

    assert second["release_id"] == "2025-10-r2"
    assert "| Tỷ lệ giải ngân (%) | 25,00 | 40,00 |" in second["approval_markdown"]
    assert "xã Quan Sơn" in second["approval_markdown"]


def test_the_first_release_stays_as_published_after_a_correction(
    connection: Connection, tmp_path: Path, light: None
) -> None:
    freeze(connection, tmp_path)
    correct(connection)
    freeze(connection, tmp_path, LATER)

    row = connection.execute("select value from release.figure where figure_id = '2025-10-r1/rate_total'").fetchone()

    assert row is not None
    assert row[0] == 25


def test_killed_before_the_files_are_in_place_the_next_run_completes_the_release(
    connection: Connection, tmp_path: Path, light: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(release, "_write", killed)
        with pytest.raises(KeyboardInterrupt):
            freeze(connection, tmp_path)

    result = freeze(connection, tmp_path, LATER)

    assert result["release_id"] == "2025-10-r1"
    assert all(Path(a["path"]).is_file() for a in result["artifacts"])


def test_killed_while_the_rows_go_in_nothing_is_left(
    connection: Connection, tmp_path: Path, light: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(release, "_audit", killed)
        with pytest.raises(KeyboardInterrupt):
            freeze(connection, tmp_path)

    assert count(connection, "release.release") == 0
    assert freeze(connection, tmp_path, LATER)["release_id"] == "2025-10-r1"


def test_the_left_over_folder_of_a_killed_run_is_replaced(connection: Connection, tmp_path: Path, light: None) -> None:
    stale = tmp_path / "2025-10" / "2025-10-r1"
    stale.mkdir(parents=True)
    (stale / "half.docx").write_text("half")

    freeze(connection, tmp_path)

    assert sorted(p.name for p in stale.iterdir()) == ["bao-cao.txt", "tom-tat.txt"]


def test_files_that_cannot_be_made_again_are_not_passed_off_as_the_release(
    connection: Connection, tmp_path: Path, light: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    freeze(connection, tmp_path)
    shutil.rmtree(tmp_path / "2025-10")
    monkeypatch.setattr(pack, "render", lambda *_, **__: {"bao-cao.txt": b"other"})

    with pytest.raises(ReleaseError, match="sao lưu"):
        freeze(connection, tmp_path, LATER)


def test_a_month_without_a_report_is_frozen_and_says_so(connection: Connection, tmp_path: Path) -> None:
    made = release.freeze(connection, Period(2025, 9), NOW, tmp_path)

    assert "Chưa có báo cáo nào được chấp nhận" in made["approval_markdown"]
    assert release.figures_of(connection, release.get(connection, made["release_id"])).find("rate_total") is None


def test_the_closing_budget_year_of_january_has_its_own_releases(
    connection: Connection, tmp_path: Path, light: None
) -> None:
    moment = datetime(2026, 2, 12, tzinfo=UTC)
    for year in (2025, 2026):
        builders.report(
            connection, QUAN_SON, "2026-01", [line("GNBV-DA2", "SN", TRIEU, 0)], budget_year=year, received_at=NOW
        )
    connection.commit()

    main = release.freeze(connection, Period(2026, 1), moment, tmp_path)
    closing = release.freeze(connection, Period(2026, 1), moment, tmp_path, budget_year=2025)

    assert (main["release_id"], main["budget_year"]) == ("2026-01-r1", 2026)
    assert (closing["release_id"], closing["budget_year"]) == ("2026-01-ns2025-r1", 2025)


def approve(
    connection: Connection,
    out: Path,
    frozen: dict[str, Any],
    decision: str = "approved",
    manifest: str = "",
    reason: str = "Còn thiếu hai xã",
) -> dict[str, Any]:
    return release.approve(
        connection,
        frozen["release_id"],
        manifest or frozen["manifest_sha256"],
        "Chánh Văn phòng",
        decision,
        LATER,
        out,
        reason=reason,
    )


def test_an_approval_is_recorded_once_and_audited(connection: Connection, tmp_path: Path, light: None) -> None:
    frozen = freeze(connection, tmp_path)

    approve(connection, tmp_path, frozen)
    approve(connection, tmp_path, frozen)
    actions = connection.execute("select action, actor from audit.event order by seq").fetchall()

    assert count(connection, "release.approval") == 1
    assert actions == [("release.freeze", "tiendo"), ("release.approved", "Chánh Văn phòng")]


def test_an_approval_of_another_manifest_is_refused(connection: Connection, tmp_path: Path, light: None) -> None:
    frozen = freeze(connection, tmp_path)

    with pytest.raises(ReleaseError, match="đúng các tệp đã xem"):
        approve(connection, tmp_path, frozen, manifest="0" * 64)


def test_a_file_that_was_touched_after_the_freeze_stops_the_approval(
    connection: Connection, tmp_path: Path, light: None
) -> None:
    frozen = freeze(connection, tmp_path)
    (tmp_path / "2025-10" / "2025-10-r1" / "bao-cao.txt").write_text("25,01%")

    with pytest.raises(ReleaseError, match=r"bao-cao\.txt"):
        approve(connection, tmp_path, frozen)


def test_a_file_that_was_slipped_in_stops_the_approval(connection: Connection, tmp_path: Path, light: None) -> None:
    frozen = freeze(connection, tmp_path)
    (tmp_path / "2025-10" / "2025-10-r1" / "them.txt").write_text("x")

    with pytest.raises(ReleaseError, match=r"them\.txt"):
        approve(connection, tmp_path, frozen)


def test_what_is_not_approved_is_not_published(connection: Connection, tmp_path: Path, light: None) -> None:
    frozen = freeze(connection, tmp_path)

    with pytest.raises(ReleaseError, match="chưa được phê duyệt"):
        release.mark_published(connection, frozen["release_id"], LATER)


def test_publishing_is_recorded_once(connection: Connection, tmp_path: Path, light: None) -> None:
    frozen = freeze(connection, tmp_path)
    approve(connection, tmp_path, frozen)

    release.mark_published(connection, frozen["release_id"], LATER)
    release.mark_published(connection, frozen["release_id"], LATER + timedelta(days=1))

    assert count(connection, "release.publication") == 1
    assert freeze(connection, tmp_path, LATER)["published"]


def test_a_correction_of_a_published_month_is_listed_in_the_next_report(
    connection: Connection, tmp_path: Path, light: None
) -> None:
    frozen = freeze(connection, tmp_path)
    approve(connection, tmp_path, frozen)
    release.mark_published(connection, frozen["release_id"], LATER)
    correct(connection)
    builders.report(connection, DONG_KINH, "2025-11", [line("GNBV-DA2", "SN", 1000 * TRIEU, 0)])
    connection.commit()

    release.freeze(connection, Period(2025, 11), datetime(2025, 12, 10, tzinfo=UTC), tmp_path)
    row = connection.execute(
        "select value from release.figure where figure_id = "
        f"'2025-11-r1/revision_difference/commune={QUAN_SON},item=disb_ytd'"
    ).fetchone()

    assert row is not None
    assert row[0] == 150 * TRIEU
