"""Reference data in two times: a list that is corrected counts from its loading on, and never before."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from etl.load import marts
from etl.load import warehouse as db
from etl.load.warehouse import Connection
from etl.reference import load as reference_load
from etl.reference.province import Province
from tests.sql import builders
from tests.sql.builders import TRIEU, line
from tests.unit.test_units import Rows, edit, folder

__all__ = ["folder"]

QUAN_SON = "06517"
RECEIVED = datetime(2025, 11, 6, 2, tzinfo=UTC)
CORRECTED = RECEIVED + timedelta(days=30)


@pytest.fixture
def connection(warehouse: str) -> Iterator[Connection]:
    with db.connect(warehouse) as connection:
        reference_load.load(connection, builders.province(), builders.LOADED)
        yield connection
        connection.rollback()


def corrected(folder: Path, name: str, code: str, column: str, value: str) -> Province:
    def change(rows: Rows) -> None:
        first = next(iter(rows[0]))
        next(row for row in rows if row[first] == code)[column] = value

    edit(folder / name, change)
    return Province(folder)


def one(connection: Connection, query: str, *values: Any) -> Any:
    row = connection.execute(query, values).fetchone()
    return row[0] if row else None


def name_at(connection: Connection, moment: datetime | str) -> str:
    query = "select name_vi from ref.unit_known_at(%s) where commune_code = %s and valid_to is null"
    return str(one(connection, query, moment, QUAN_SON))


def test_the_first_list_counts_from_the_beginning(connection: Connection) -> None:
    assert name_at(connection, "-infinity") == name_at(connection, "infinity") == "Xã Quan Sơn"
    assert one(connection, "select count(*) from ref.unit_history where known_from > '-infinity'") == 0


def test_a_corrected_row_is_known_since_its_loading_and_the_others_stay_as_they_are(
    connection: Connection, folder: Path
) -> None:
    province = corrected(folder, "communes.csv", QUAN_SON, "name_vi", "Xã Quan Sơn mới")
    rows = one(connection, "select count(*) from ref.unit_history")
    reference_load.load(connection, province, CORRECTED)
    assert name_at(connection, CORRECTED - timedelta(seconds=1)) == "Xã Quan Sơn"
    assert name_at(connection, CORRECTED) == name_at(connection, "infinity") == "Xã Quan Sơn mới"
    assert one(connection, "select count(*) from ref.unit_history") == rows + 1
    assert one(connection, "select count(*) from ref.unit") == rows


def test_loading_the_same_list_again_is_no_change(connection: Connection) -> None:
    before = connection.execute("select h::text from ref.programme_node_history as h order by 1").fetchall()
    reference_load.load(connection, builders.province(), CORRECTED)
    assert connection.execute("select h::text from ref.programme_node_history as h order by 1").fetchall() == before
    assert one(connection, "select count(*) from core.stale_period where since > '-infinity'") == 0


def test_a_row_that_is_gone_is_not_known_any_more_and_one_that_comes_back_is_known_again(
    connection: Connection, folder: Path
) -> None:
    edit(folder / "indicators.csv", lambda rows: rows.pop(0))
    reference_load.load(connection, Province(folder), CORRECTED)
    reference_load.load(connection, builders.province(), CORRECTED + timedelta(days=2))
    known = [
        one(connection, "select count(*) from ref.indicator_known_at(%s) where indicator_code = 'CT-01'", moment)
        for moment in (RECEIVED, CORRECTED, CORRECTED + timedelta(days=1), CORRECTED + timedelta(days=2), "infinity")
    ]
    assert known == [1, 0, 0, 1, 1]


def test_a_change_by_hand_counts_since_the_moment_that_is_said_or_since_now(connection: Connection) -> None:
    connection.execute("select set_config('tiendo.known_at', %s, true)", (CORRECTED.isoformat(),))
    connection.execute("update ref.threshold set value = 40 where threshold_code = 'low_rate_pct'")
    query = "select value from ref.threshold_known_at(%s) where threshold_code = 'low_rate_pct'"
    assert [one(connection, query, moment) for moment in (RECEIVED, CORRECTED)] == [50, 40]
    connection.execute("select set_config('tiendo.known_at', '', true)")
    connection.execute("update ref.threshold set value = 30 where threshold_code = 'low_rate_pct'")
    assert one(connection, query, CORRECTED) == 40
    assert one(connection, query, "infinity") == 30


def test_a_change_is_never_known_before_the_one_before_it(connection: Connection, folder: Path) -> None:
    first = corrected(folder, "communes.csv", QUAN_SON, "name_vi", "Xã Quan Sơn một")
    reference_load.load(connection, first, CORRECTED)
    second = corrected(folder, "communes.csv", QUAN_SON, "name_vi", "Xã Quan Sơn hai")
    reference_load.load(connection, second, RECEIVED)  # a clock that goes back
    assert name_at(connection, RECEIVED) == "Xã Quan Sơn"
    assert name_at(connection, CORRECTED) == "Xã Quan Sơn hai"


CORRECTIONS: dict[str, tuple[Callable[[Path], Province], str]] = {
    "a sub-project that moves in the tree": (
        lambda folder: corrected(folder, "programmes.csv", "GNBV-DA2", "programme_code", "NTM"),
        "select array_agg(distinct programme_code) from mart.{}_at(%s) where slice = 'programme'",
    ),
    "the name of a commune": (
        lambda folder: corrected(folder, "communes.csv", QUAN_SON, "name_vi", "Xã Quan Sơn mới"),
        "select array_agg(distinct commune_vi) from mart.disbursement_line_at(%s)",
    ),
    "the due date of a month": (
        lambda folder: corrected(folder, "calendar.csv", "2025-10", "due_on", "2025-11-03"),
        "select array_agg(late_days order by late_days) from mart.submission_status_at(%s) where period = '2025-10'",
    ),
    "a threshold": (
        lambda folder: corrected(folder, "thresholds.csv", "low_rate_pct", "value", "1"),
        "select array_agg(below_threshold) from mart.commune_rank_at(%s)",
    ),
}


@pytest.mark.parametrize("what", CORRECTIONS)
def test_a_correction_changes_what_is_known_now_and_not_what_was_known(
    connection: Connection, folder: Path, what: str
) -> None:
    change, query = CORRECTIONS[what]
    query = query.format("disbursement_rate")
    builders.report(
        connection, QUAN_SON, "2025-10", [line("GNBV-DA2", "SN", 100 * TRIEU, 10 * TRIEU)], received_at=RECEIVED
    )
    marts.refresh(connection)
    then = one(connection, query, RECEIVED)
    reference_load.load(connection, change(folder), CORRECTED)
    marts.refresh(connection)
    assert one(connection, query, RECEIVED) == then
    assert one(connection, query, CORRECTED) != then
    assert one(connection, query, "infinity") == one(connection, query, CORRECTED)


def test_no_function_of_a_moment_reads_reference_data_of_now(connection: Connection) -> None:
    kept = [
        name.removesuffix("_history")
        for (name,) in connection.execute(
            "select relname from pg_class where relnamespace = 'ref'::regnamespace and relname like '%\\_history' "
            "and relkind = 'r'"
        )
    ]
    of_now = re.compile(rf"\b(ref\.({'|'.join(kept)})|core\.disbursement_known)\b")
    functions = connection.execute(
        "select p.oid::regprocedure::text, p.prosrc from pg_proc as p "
        "where p.pronamespace::regnamespace::text in ('mart', 'core', 'ref') and 'p_known_at' = any(p.proargnames)"
    ).fetchall()
    assert len(functions) > 60
    found = [name for name, text in functions if of_now.search(text)]
    assert found == ["core.disbursement_placed(timestamp with time zone)"]  # puts the places of then upon the lines
