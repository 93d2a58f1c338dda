"""The role of analysts reads ``mart`` and ``ref``; whatever else PostgreSQL has is refused, object by object."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from typer.testing import CliRunner

from etl import settings
from etl.cli import app
from etl.errors import UsageError
from etl.load import analyst, marts
from etl.load import warehouse as db
from etl.load.warehouse import Connection
from tests.databases import copy_of
from tests.sql.conftest import Loaded, point

DENIED = psycopg.errors.InsufficientPrivilege
OPEN = ("mart", "ref")
NO_WRITING_THERE = (psycopg.errors.ObjectNotInPrerequisiteState, psycopg.errors.WrongObjectType)
"""A view of more than one table cannot be written, a view cannot be emptied, by nobody."""
WRITES = {
    "insert": "insert into {} default values",
    "update": "update {} set {} = null where false",
    "delete": "delete from {} where false",
    "truncate": "truncate {}",
}
ARGUMENTS = {
    "timestamp with time zone": "'infinity'", "date": "'2025-10-31'", "text": "'2025-10'", "integer": "2025",
}  # fmt: skip
"""A value for an argument of a mart's function, by its type."""


@pytest.fixture(scope="module")
def office(loaded_once: Loaded, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A copy of the loaded warehouse as a migrate leaves it: rights on a database do not travel with a copy."""
    with copy_of(loaded_once.address) as address:
        with db.connect(address) as connection:
            analyst.grant(connection)
        yield address, tmp_path_factory.mktemp("office")


@pytest.fixture
def owner(office: tuple[str, Path]) -> Iterator[Connection]:
    """What a test does is taken back, unless it commits."""
    with pytest.MonkeyPatch.context() as patch:
        point(patch, *office)
        with db.connect() as connection:
            yield connection
            connection.rollback()
    settings.reload()


@pytest.fixture
def role(owner: Connection) -> Connection:
    owner.execute("set session authorization tiendo_analyst")
    owner.commit()
    return owner


def refused(connection: Connection, statement: str | sql.Composable, *values: object) -> bool:
    """Whether PostgreSQL refuses it for want of a right; any other error would prove nothing and is passed on."""
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(statement, values or None)  # type: ignore[arg-type]
    except DENIED:
        return True
    return False


def relations(connection: Connection, kinds: str) -> list[tuple[str, str, str]]:
    """(schema, name, a column) of everything of these kinds that is not PostgreSQL's own."""
    return connection.execute(
        """
        select n.nspname, c.relname, (
            select a.attname from pg_attribute as a
            where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped order by a.attnum limit 1
        )
        from pg_class as c inner join pg_namespace as n on c.relnamespace = n.oid
        where c.relkind::text = any(%s) and n.nspname !~ '^(pg_|information_schema)'
        order by 1, 2
        """,
        (list(kinds),),
    ).fetchall()


def test_every_table_and_view_of_mart_and_ref_can_be_read_and_no_other(role: Connection) -> None:
    found = relations(role, "rpvmf")
    assert {"mart", "ref", "core", "raw", "release", "audit", "public"} <= {schema for schema, _, _ in found}
    readable = {
        (schema, name)
        for schema, name, _ in found
        if not refused(role, sql.SQL("select * from {} limit 1").format(sql.Identifier(schema, name)))
    }
    assert readable == {(schema, name) for schema, name, _ in found if schema in OPEN}


@pytest.mark.parametrize("kind", WRITES)
def test_no_table_and_no_view_can_be_written(role: Connection, kind: str) -> None:
    for schema, name, column in relations(role, "rpvmf"):
        columns = [sql.Identifier(column)] if kind == "update" else []
        statement = sql.SQL(WRITES[kind]).format(sql.Identifier(schema, name), *columns)
        try:
            assert refused(role, statement), f"{kind} {schema}.{name}"
        except NO_WRITING_THERE:
            assert schema == "mart", f"{kind} {schema}.{name}"


def test_rights_that_no_statement_shows_are_not_held_either(role: Connection) -> None:
    held = role.execute(
        """
        select n.nspname, c.relname, p.privilege
        from pg_class as c inner join pg_namespace as n on c.relnamespace = n.oid
        cross join unnest(
            array['insert', 'update', 'delete', 'truncate', 'references', 'trigger', 'maintain']
        ) as p (privilege)
        where c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname !~ '^(pg_|information_schema)'
            and (p.privilege <> 'maintain' or current_setting('server_version_num')::integer >= 170000)
            and has_table_privilege(c.oid, p.privilege)
        """
    ).fetchall()
    assert held == []


def test_no_sequence_can_be_used(role: Connection) -> None:
    found = relations(role, "S")
    assert found
    for schema, name, _ in found:
        for call in ("nextval({})", "setval({}, 1)", "currval({})"):
            told = sql.Literal(f"{schema}.{name}")
            assert refused(role, sql.SQL(f"select {call}").format(told)), f"{call} {schema}.{name}"


def test_functions_of_mart_and_ref_are_the_only_ones(role: Connection) -> None:
    found = role.execute(
        """
        select n.nspname, p.oid::regprocedure::text, has_function_privilege(p.oid, 'execute')
        from pg_proc as p inner join pg_namespace as n on p.pronamespace = n.oid
        where n.nspname in ('mart', 'ref', 'core', 'raw', 'release', 'audit') and p.prokind in ('f', 'p', 'a')
        """
    ).fetchall()
    assert {schema for schema, _, _ in found} >= {"mart", "ref", "core", "audit"}
    assert [(s, f) for s, f, allowed in found if allowed != (s in OPEN)] == []


def test_every_function_of_a_mart_answers(role: Connection) -> None:
    found = role.execute(
        """
        select p.proname, array(select format_type(t, null) from unnest(p.proargtypes) as t) from pg_proc as p
        where p.pronamespace = 'mart'::regnamespace and p.proretset
        """
    ).fetchall()
    assert len(found) > 20
    for name, arguments in found:
        given = sql.SQL(", ").join(sql.SQL(ARGUMENTS[a]) for a in arguments)
        role.execute(sql.SQL("select * from mart.{} ({}) limit 1").format(sql.Identifier(name), given))


def test_functions_that_run_as_the_owner_only_read_and_look_nothing_up_by_the_callers_path(owner: Connection) -> None:
    definers = owner.execute(
        """
        select p.pronamespace::regnamespace::text, p.oid::regprocedure::text, p.provolatile, p.proconfig, l.lanname
        from pg_proc as p inner join pg_language as l on p.prolang = l.oid
        where p.prosecdef and p.pronamespace::regnamespace::text !~ '^(pg_|information_schema)'
        """
    ).fetchall()
    assert definers
    for schema, function, volatility, config, language in definers:
        assert (schema, volatility, language) == ("mart", "s", "sql"), function
        assert "search_path=pg_catalog, pg_temp" in config, function
        assert all(word.startswith(("search_path=", "enable_")) for word in config), function


def test_a_name_that_an_analyst_puts_first_changes_nothing(role: Connection) -> None:
    """Functions that run as the owner find their operators and functions in pg_catalog whatever the path says."""
    before = role.execute("select * from mart.task_count('2025-10-31', 'infinity') order by 1, 2").fetchall()
    role.execute("set search_path = ref, mart, pg_temp, pg_catalog")
    assert role.execute("select * from mart.task_count('2025-10-31', 'infinity') order by 1, 2").fetchall() == before


@pytest.mark.parametrize(
    "statement",
    [
        "create table mart.mine (x integer)",
        "create table ref.mine (x integer)",
        "create table public.mine (x integer)",
        "create table core.mine (x integer)",
        "create temporary table mine (x integer)",
        "create temporary view mine as select 1",
        "create view mart.mine as select 1",
        "create function mart.mine() returns integer language sql as 'select 1'",
        "create function pg_temp.mine() returns integer language sql as 'select 1'",
        "create sequence mart.mine",
        "create type mart.mine as (x integer)",
        "create schema mine",
        "create role mine",
        "alter table ref.commune add column x integer",
        "alter view mart.completeness rename to mine",
        "drop view mart.completeness",
        "comment on table ref.commune is 'x'",
        "alter role tiendo_analyst superuser",
        "set role tiendo_etl",
        "set role postgres",
        "set session_replication_role = replica",
        "select pg_read_file('/etc/passwd')",
        "select pg_read_binary_file('/etc/passwd')",
        "select pg_ls_dir('/')",
        "select pg_stat_file('/etc/passwd')",
        "copy ref.commune to '/tmp/mine.csv'",
        "copy ref.commune from '/etc/passwd'",
        "copy ref.commune to program 'cat'",
        "select lo_create(0)",
        "select lo_from_bytea(0, 'x')",
        "select lo_import('/etc/passwd')",
        "select pg_reload_conf()",
        "lock table ref.commune in exclusive mode",
        "select * from ref.commune for update",
        "select * from pg_authid",
        "select core.refresh()",
        "select audit.append(now(), 'x', 'x', 'x', '{}')",
    ],
)
def test_it_is_refused(role: Connection, statement: str) -> None:
    assert refused(role, statement)


def test_the_database_and_the_role_give_no_way_to_make_anything(role: Connection) -> None:
    assert (
        role.execute(
            """
        select rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls, rolcanlogin,
            has_database_privilege(current_database(), 'create'), has_database_privilege(current_database(), 'temp')
        from pg_roles where rolname = current_user
        """
        ).fetchone()
        == (False,) * 8
    )
    assert role.execute("select count(*) from pg_auth_members where member = current_user::regrole").fetchone() == (0,)
    makers = role.execute("select nspname from pg_namespace where has_schema_privilege(oid, 'create')").fetchall()
    used = role.execute(
        "select nspname from pg_namespace where has_schema_privilege(oid, 'usage') and nspname !~ '^pg_' order by 1"
    ).fetchall()
    assert (makers, used) == ([], [("information_schema",), ("mart",), ("public",), ("ref",)])


def test_rights_cannot_be_passed_on(role: Connection) -> None:
    role.execute("grant select on ref.commune to public")  # PostgreSQL only warns
    assert role.execute("select has_table_privilege('public', 'ref.commune', 'select')").fetchone() == (False,)


def test_unpublished_releases_are_not_shown(role: Connection) -> None:
    role.execute("reset session authorization")
    role.execute(
        "insert into release.release values ('2025-10-r1', '2025-10', 2025, 1, '2025-10-31', now(), 'x', 'x', now())"
    )
    role.execute("set session authorization tiendo_analyst")
    assert role.execute("select count(*) from mart.release").fetchone() == (0,)
    assert role.execute("select count(*) from mart.disbursement_rate_published").fetchone() == (0,)


def test_no_error_tells_what_is_not_published(role: Connection) -> None:
    role.execute("reset session authorization")
    role.execute(
        """
        insert into release.release values ('2025-10-r1', '2025-10', 2025, 1, '2025-10-31', now(), 'x', 'x', now());
        insert into release.figure (figure_id, release_id, metric, dims, text_value, unit, source)
        values ('2025-10-r1/draft', '2025-10-r1', 'draft', '{}', 'chưa công bố', 'text', 'x');
        """
    )
    role.execute("set session authorization tiendo_analyst")
    for join in ("nestloop", "hashjoin", "mergejoin"):
        role.execute(f"set enable_{join} = off")
        assert role.execute("select 1 from mart.published_figure where text_value::integer = 1").fetchall() == []


def test_a_login_reads_only_and_not_for_ever(owner: Connection) -> None:
    password = analyst.create_login(owner, "Phân tích 1")
    owner.commit()
    try:
        kept = owner.execute("select rolpassword from pg_authid where rolname = 'Phân tích 1'").fetchone()
        assert kept is not None
        assert kept[0].startswith("SCRAM-SHA-256$")
        assert password not in kept[0]
        with pytest.raises(UsageError, match="Đã có tài khoản"):
            analyst.create_login(owner, "Phân tích 1")
        with psycopg.connect(owner.info.dsn, user="Phân tích 1", password=password) as login:
            shown = {
                name: login.execute(f"show {name}").fetchone()
                for name in ("default_transaction_read_only", "statement_timeout", "search_path")
            }
            assert shown == {
                "default_transaction_read_only": ("on",), "statement_timeout": ("5min",), "search_path": ("mart, ref",),
            }  # fmt: skip
            assert login.execute("select count(*) from completeness").fetchone() != (0,)
            for denied in ("select 1 from core.disbursement", "set role tiendo_etl", "set role postgres"):
                assert refused(login, denied)
            login.rollback()
            login.execute("set transaction read write")  # the default can be set off; the rights stay
            assert refused(login, "delete from ref.commune where false")
    finally:
        owner.rollback()
        analyst.drop_login(owner, "Phân tích 1")
        owner.commit()


def test_only_logins_of_analysts_can_be_dropped(owner: Connection) -> None:
    for name in ("postgres", "tiendo_analyst", "nobody"):
        with pytest.raises(UsageError, match="không phải là tài khoản"):
            analyst.drop_login(owner, name)


def test_the_command_makes_and_drops_a_login(owner: Connection) -> None:
    made = CliRunner().invoke(app, ["db", "analyst", "phan_tich_2"])
    try:
        assert made.exit_code == 0, made.output
        assert "mật khẩu" in made.output
    finally:
        dropped = CliRunner().invoke(app, ["db", "analyst", "phan_tich_2", "--drop"])
    assert (dropped.exit_code, dropped.output) == (0, "Đã xóa tài khoản phan_tich_2.\n")


def test_an_owner_that_is_no_superuser_closes_what_is_his(owner: Connection) -> None:
    """The office's administrator gave the pipeline a database of its own: no right of a superuser is needed."""
    owner.execute(f"grant temporary on database {owner.info.dbname} to public")
    owner.execute("grant execute on function core.refresh() to public")
    owner.execute("create role chu_kho login")
    try:
        owner.execute(f"alter database {owner.info.dbname} owner to chu_kho")
        for schema in (*analyst.OPEN, *analyst.CLOSED, "public"):
            owner.execute(f"alter schema {schema} owner to chu_kho")
        for (function,) in owner.execute(
            "select oid::regprocedure::text from pg_proc where pronamespace::regnamespace::text = any(%s)",
            ([*analyst.OPEN, *analyst.CLOSED],),
        ).fetchall():
            owner.execute(f"alter function {function} owner to chu_kho")
        owner.execute("set session authorization chu_kho")
        analyst._close(owner)
        assert owner.execute(
            "select has_database_privilege('public', current_database(), 'temp'), "
            "has_function_privilege('public', 'core.refresh()', 'execute')"
        ).fetchone() == (False, False)
    finally:
        owner.rollback()


def test_a_migrate_gives_the_rights_anew(owner: Connection) -> None:
    owner.execute("revoke all on all tables in schema mart from tiendo_analyst")
    marts.rebuild(owner)
    assert owner.execute("select has_table_privilege('tiendo_analyst', 'mart.completeness', 'select')").fetchone() == (
        True,
    )
