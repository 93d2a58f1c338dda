"""The warehouse itself: migrations, append-only tables, rates, roles, the register of tasks."""

from __future__ import annotations

import json
import subprocess
from datetime import date
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from etl import clock, money, settings, steps
from etl.compute import tasks
from etl.load import server, warehouse
from tests.sql import builders
from tests.sql.conftest import NOW, Loaded

APPEND_ONLY = (
    "raw.submission", "raw.original", "raw.delivery", "raw.inbox_item", "core.disbursement", "core.finding",
    "ref.allocation", "audit.event", "raw.revision_decision", "core.replacement", "release.finding",
)  # fmt: skip


def test_migrating_again_changes_nothing(empty: Path) -> None:
    query = "select count(*), min(registered_at) from core.task"
    with warehouse.connect() as connection:
        before = connection.execute(query).fetchone()
    assert warehouse.migrate() == "0013"
    steps.prepare(clock.now())
    with warehouse.connect() as connection:
        assert connection.execute(query).fetchone() == before


def test_a_warehouse_of_the_first_version_is_brought_up_with_its_reports(postgres: settings.Settings) -> None:
    with psycopg.connect(server.url("postgres", postgres), autocommit=True) as connection:
        connection.execute("create database of_old")
    address = server.url("of_old", postgres)
    script = settings.assets() / "sql" / "migrations" / "0001_warehouse.sql"
    with warehouse.connect(address) as connection:
        connection.execute(script.read_text(encoding="utf-8").encode())
        connection.execute("create table public.schema_version (version_num text primary key)")
        connection.execute("insert into public.schema_version values ('0001')")
        builders.report(connection, "06517", "2025-10", [builders.line("GNBV-DA2", "SN", 100, 40)])
    assert warehouse.migrate(address) == "0013"
    with warehouse.connect(address) as connection:
        builders.reference_data(connection)
        found = connection.execute("select state, late_revisions_waiting from mart.submission_status "
                                   "where commune_code = '06517' and period = '2025-10'").fetchone()  # fmt: skip
        assert found == ("reported", 0)
        assert connection.execute("select upper_inf(in_force) from raw.submission_in_force").fetchone() == (True,)


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("statement", ["delete from {}", "update {} set {} = {}"])
def test_what_was_received_is_never_changed_or_removed(own: Loaded, table: str, statement: str) -> None:
    with warehouse.connect() as connection:
        column = connection.execute(f"select * from {table} limit 0").description[-1].name
        with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
            connection.execute(statement.format(table, column, column))


_amounts = st.integers(min_value=-(10**14), max_value=10**14)


@given(pairs=st.lists(st.tuples(_amounts, st.integers(min_value=0, max_value=10**14)), min_size=1, max_size=40))
@hypothesis_settings(max_examples=40, deadline=None)
def test_the_rate_in_sql_and_its_twin_in_python_agree(loaded_address: str, pairs: list[tuple[int, int]]) -> None:
    with warehouse.connect(loaded_address) as connection:
        found = connection.execute(
            "select mart.rate_pct(n, d) from unnest(%s::numeric[], %s::numeric[]) with ordinality as t (n, d, i) "
            "order by i",
            ([n for n, _ in pairs], [d for _, d in pairs]),
        ).fetchall()
    assert [row[0] for row in found] == [money.rate_pct(n, d) for n, d in pairs]


@pytest.fixture(scope="session")
def loaded_address(loaded_once: Loaded) -> str:
    return loaded_once.address


def test_the_working_days_skip_weekends_and_holidays_and_count_make_up_days(loaded: Loaded) -> None:
    with warehouse.connect() as connection:

        def between(start: date, end: date) -> int:
            return connection.execute("select ref.working_days_between(%s, %s)", (start, end)).fetchone()[0]

        assert between(date(2025, 10, 31), date(2025, 11, 7)) == 5
        assert between(date(2025, 8, 29), date(2025, 9, 3)) == 1
        assert between(date(2025, 4, 25), date(2025, 4, 28)) == 2
        assert between(date(2025, 11, 7), date(2025, 10, 31)) == 0


def test_analysts_read_marts_and_reference_and_nothing_else(own: Loaded) -> None:
    with warehouse.connect() as connection:
        connection.execute("set role tiendo_analyst")
        for allowed in ("mart.disbursement_rate", "mart.completeness", "ref.commune"):
            connection.execute(f"select * from {allowed} limit 1")
        connection.commit()
        connection.execute("set role tiendo_analyst")
        for denied in ("raw.submission", "core.disbursement", "release.figure", "audit.event"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
                connection.execute(f"select * from {denied} limit 1")
        for statement in ("delete from ref.commune", "create table mart.mine (x int)"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
                connection.execute(statement)


def test_the_register_starts_with_the_twenty_one_tasks_of_the_notice(empty: Path) -> None:
    with warehouse.connect() as connection:
        register = {t["task_id"]: t for t in tasks.states(connection, date(2025, 10, 31))}
    assert len(register) == 21
    office, finance = register["QS-2025-10-6.4"], register["QS-2025-10-6.1"]
    assert (office["lead"], office["days_overdue"], office["state"]) == (
        "Văn phòng UBND tỉnh", 11, "Đang thực hiện quá hạn",
    )  # fmt: skip
    assert (finance["lead"], finance["days_overdue"], finance["due_date"]) == ("Sở Tài chính", 0, "2025-10-31")
    assert "quá hạn" not in finance["state"]
    undated = [t for t in register.values() if t["due_date"] is None]
    assert len(undated) == 17
    assert all("quá hạn" not in t["state"] and t["days_overdue"] == 0 for t in undated)


def test_overdue_starts_the_day_after_the_deadline(empty: Path) -> None:
    with warehouse.connect() as connection:
        found = {
            day: {t["task_id"]: t["days_overdue"] for t in tasks.states(connection, day)}["QS-2025-10-6.1"]
            for day in (date(2025, 10, 31), date(2025, 11, 1), date(2026, 10, 31))
        }
    assert list(found.values()) == [0, 1, 365]


def test_an_extension_moves_the_deadline_in_force_and_keeps_the_first_one(own: Loaded) -> None:
    with warehouse.connect() as connection:
        connection.execute(
            "insert into core.task_event (task_id, kind, event_date, new_due_date, document, recorded_by, recorded_at) "
            "values ('QS-2025-10-6.4', 'extended', '2025-10-25', '2025-11-10', '15/UBND-VP', 'thử', %s)",
            (NOW,),
        )
        before, after = (
            {t["task_id"]: t for t in tasks.states(connection, day)}["QS-2025-10-6.4"]
            for day in (date(2025, 10, 24), date(2025, 10, 31))
        )
    assert (before["due_date"], before["days_overdue"]) == ("2025-10-20", 4)
    assert (after["due_date"], after["original_due_date"], after["days_overdue"], after["extensions"]) == (
        "2025-11-10", "2025-10-20", 0, 1,
    )  # fmt: skip


def test_a_task_done_late_is_done_and_late(own: Loaded) -> None:
    with warehouse.connect() as connection:
        connection.execute(
            "insert into core.task_event (task_id, kind, event_date, document, recorded_by, recorded_at) "
            "values ('QS-2025-10-6.4', 'done', '2025-10-28', '20/BC-VP', 'thử', %s)",
            (NOW,),
        )
        found = {t["task_id"]: t for t in tasks.states(connection, date(2025, 10, 31))}["QS-2025-10-6.4"]
    assert (found["state"], found["days_overdue"]) == ("Đã hoàn thành quá hạn", 0)


def test_what_is_unverified_stays_marked(loaded: Loaded) -> None:
    with warehouse.connect() as connection:
        marks = dict(connection.execute("select verified, count(*) from ref.programme_node group by 1").fetchall())
        calendar = connection.execute("select bool_or(verified) from ref.reporting_calendar").fetchone()
    assert marks == {"yes": 22, "partly": 7, "no": 32}
    assert calendar == (False,)


def test_the_audit_chain_holds(loaded: Loaded) -> None:
    with warehouse.connect() as connection:
        broken = connection.execute(
            """
            select seq from (
                select e.*, lag(e.hash, 1, repeat('0', 64)) over (order by e.seq) as before from audit.event as e
            ) as c
            where c.previous_hash <> c.before
                or c.hash <> audit.event_hash(c.seq, c.at, c.actor, c.action, c.subject, c.detail, c.previous_hash)
            """
        ).fetchall()
        count = connection.execute("select count(*) from audit.event").fetchone()
    assert broken == []
    assert count[0] >= 195


def test_the_client_of_the_wheel_speaks_to_the_warehouse(loaded: Loaded) -> None:
    answer = subprocess.run(
        [server.client("psql"), warehouse.url(), "-Atc", "select to_json(count(*)) from ref.commune"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert json.loads(answer.stdout) == 65


def test_amounts_are_whole_dong_of_any_size(own: Loaded) -> None:
    with warehouse.connect() as connection:
        types = connection.execute(
            """
            select data_type, numeric_scale from information_schema.columns
            where table_schema = 'core' and table_name = 'disbursement' and column_name in ('plan_total', 'disb_ytd')
            """
        ).fetchall()
        assert types == [("numeric", 0)] * 2
        assert connection.execute("select 99999999999999999999::numeric(20, 0)").fetchone() == (Decimal(10**20 - 1),)
