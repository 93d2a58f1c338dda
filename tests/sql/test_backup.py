"""Backup and restore with equal content; migrations from every earlier version with data in it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from etl import settings
from etl.cli import app
from etl.errors import DataError, InfrastructureError, UsageError
from etl.load import backup, server, warehouse
from tests.sql import builders
from tests.sql.conftest import Loaded

NOW = datetime(2025, 11, 20, 1, 0, tzinfo=UTC)
VERSIONS = sorted(path.stem[:4] for path in (settings.assets() / "sql" / "migrations").glob("0*.sql"))


@pytest.fixture
def fresh(postgres: settings.Settings) -> Iterator[str]:
    """The address of a database with nothing in it."""
    name = "fresh_database"
    with psycopg.connect(server.url("postgres", postgres), autocommit=True) as connection:
        connection.execute(f"create database {name} template template0")
    yield server.url(name, postgres)
    with psycopg.connect(server.url("postgres", postgres), autocommit=True) as connection:
        connection.execute(f"drop database {name} with (force)")


def test_what_is_restored_is_what_was_backed_up(loaded: Loaded, fresh: str, tmp_path: Path) -> None:
    target = tmp_path / "sao-luu" / "kho.dump"
    manifest = backup.write(target, NOW, loaded.address)
    assert manifest["tables"]["core.disbursement"]["rows"] > 6_000
    assert manifest["schema_version"] == VERSIONS[-1]
    assert backup.restore(target, fresh)["tables"] == manifest["tables"]
    with warehouse.connect(fresh) as copy, warehouse.connect(loaded.address) as original:
        assert backup.differing(backup.content(original), backup.content(copy)) == []
        query = "select * from mart.disbursement_rate order by 1, 2, 3, 4, 5, 6, 7, 8, 9"
        assert copy.execute(query).fetchall() == original.execute(query).fetchall()
        with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
            copy.execute("delete from core.disbursement")
    with pytest.raises(UsageError, match="không trống"):
        backup.restore(target, fresh)


def test_a_backup_goes_on_where_it_is_restored(loaded: Loaded, fresh: str, tmp_path: Path) -> None:
    """New reports get new numbers: sequences come back too."""
    backup.write(tmp_path / "kho.dump", NOW, loaded.address)
    backup.restore(tmp_path / "kho.dump", fresh)
    with warehouse.connect(fresh) as connection:
        (last,) = connection.execute("select max(submission_id) from raw.submission").fetchone() or (0,)
        new = builders.report(connection, "06517", "2025-10", [], received_at=NOW, version=9)
        assert new > last


def test_a_damaged_backup_is_told_and_not_restored(loaded: Loaded, fresh: str, tmp_path: Path) -> None:
    target = tmp_path / "kho.dump"
    backup.write(target, NOW, loaded.address)
    whole = target.read_bytes()
    target.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(DataError, match="không còn nguyên vẹn"):
        backup.restore(target, fresh)
    target.write_bytes(whole)
    manifest_path = tmp_path / "kho.dump.json"
    manifest = json.loads(manifest_path.read_text(encoding="utf-8"))
    manifest["tables"]["core.disbursement"]["rows"] += 1
    manifest_path.write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(DataError, match=re.escape("core.disbursement (")):
        backup.restore(target, fresh)


def test_what_stands_in_the_way_of_a_backup_is_told(loaded: Loaded, tmp_path: Path) -> None:
    (tmp_path / "kho.dump").write_bytes(b"x")
    with pytest.raises(UsageError, match="đã có"):
        backup.write(tmp_path / "kho.dump", NOW, loaded.address)
    with pytest.raises(UsageError, match="Không tìm thấy bản sao lưu"):
        backup.restore(tmp_path / "khac.dump", loaded.address)
    with pytest.raises(InfrastructureError):
        backup.write(tmp_path / "moi.dump", NOW, "postgresql://127.0.0.1:1/khong-co")
    assert sorted(path.name for path in tmp_path.iterdir() if "kho" not in path.name) == []


def test_the_commands_say_what_was_kept(loaded: Loaded, tmp_path: Path) -> None:
    told = CliRunner().invoke(app, ["db", "backup", str(tmp_path / "kho.dump")])
    assert told.exit_code == 0, told.output
    assert re.search(r"Đã sao lưu \d+ bảng, \d+ dòng", told.output)
    refused = CliRunner().invoke(app, ["db", "restore", str(tmp_path / "kho.dump")])
    assert (refused.exit_code, "không trống" in refused.output) == (2, True)


@pytest.mark.parametrize("version", VERSIONS[:-1])
def test_a_warehouse_of_each_earlier_version_is_brought_up_with_its_data(fresh: str, version: str) -> None:
    """Reports of two versions, a decision on capital and a release made under that version are all there afterwards."""
    folder = settings.assets() / "sql" / "migrations"
    with warehouse.connect(fresh) as connection:
        for script in sorted(folder.glob("0*.sql")):
            if script.stem[:4] <= version:
                connection.execute(script.read_text(encoding="utf-8").encode())
        connection.execute("create table public.schema_version (version_num text primary key)")
        connection.execute("insert into public.schema_version values (%s)", (version,))
        for number in (1, 2):
            rows = [builders.line("GNBV-DA2", "SN", 100 + number, 40 + number)]
            builders.report(connection, "06517", "2025-10", rows, version=number,
                            received_at=datetime(2025, 11, number, tzinfo=UTC))  # fmt: skip
        builders.report(connection, "05977", "2025-09", [builders.line("NTM-ND02", "DT", 7, 3)])
        builders.allocate(connection, "06517", "GNBV-DA7-TDA1", "SN", 11)
        connection.execute(
            "insert into release.release values ('2025-10-r1', '2025-10', 2025, 1, '2025-10-31', "
            "'2025-11-01 12:00+00', 'x', 'y', '2025-11-01 12:00+00')"
        )
        connection.execute("insert into release.publication values ('2025-10-r1', 'y', '2025-11-01 13:00+00')")
    assert warehouse.migrate(fresh) == VERSIONS[-1]
    with warehouse.connect(fresh) as connection:
        builders.reference_data(connection)
        rates = "select period, plan_total::int, disb_ytd::int from {} where slice = 'all' order by period"
        assert connection.execute(rates.format("mart.disbursement_rate")).fetchall() == [
            ("2025-09", 7, 3), ("2025-10", 113, 42),
        ]  # fmt: skip
        # What was published was the first version of the report; the decision is known from LOADED on.
        assert connection.execute(rates.format("mart.disbursement_rate_published")).fetchall() == [
            ("2025-10", 112 if datetime(2025, 11, 1, 12, tzinfo=UTC) >= builders.LOADED else 101, 41)
        ]
        assert connection.execute("select count(*) from raw.submission_in_force where not isempty(in_force)") \
            .fetchone() == (3,)  # fmt: skip
