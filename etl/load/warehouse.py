"""Connection to the warehouse and its migrations.

The schema comes from ``sql/migrations`` (Alembic running plain SQL, in order). What is derived, the marts, is dropped
and made anew from ``sql/marts`` at each migrate, in the order of their references, with comments and grants.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import psycopg
import yaml
from psycopg import sql

from etl import settings
from etl.errors import InfrastructureError
from etl.load import server

Connection = psycopg.Connection[Any]
_MART = re.compile(r"create (?:view|function) mart\.(\w+)")
_REFERENCE = re.compile(r"\bmart\.(\w+)")


def url() -> str:
    """Address of the warehouse: ``TIENDO_WAREHOUSE_URL`` or the embedded server (started when it is not running)."""
    configured = settings.get().warehouse_url
    if configured:
        return re.sub(r"^postgresql\+\w+://", "postgresql://", configured)
    return server.url() if server.is_running() else server.start()


def connect(address: str | None = None) -> Connection:
    """A psycopg 3 connection, autocommit off, session time zone UTC. Raises InfrastructureError when unreachable."""
    target = address or url()
    try:
        return psycopg.connect(target, options="-c timezone=UTC -c client_min_messages=warning")
    except psycopg.Error as error:
        raise InfrastructureError(f"Không kết nối được kho dữ liệu: {error}") from error


@contextmanager
def transaction(address: str | None = None) -> Iterator[Connection]:
    """One connection, one transaction: committed at the end, rolled back on any error."""
    with connect(address) as connection:
        yield connection


def migrate(address: str | None = None) -> str:
    """Bring the warehouse to the newest version; returns it. Idempotent, one transaction."""
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    target = address or url()
    config = Config()
    config.set_main_option("script_location", str(settings.assets() / "sql" / "migrations"))
    engine = create_engine("postgresql+psycopg://", creator=lambda: connect(target), poolclass=NullPool)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        raw: Connection = connection.connection.driver_connection  # type: ignore[assignment]
        raw.execute("select pg_advisory_xact_lock(hashtext('tiendo.migrate'))")
        command.upgrade(config, "head")
        _rebuild_marts(raw)
        row = raw.execute("select version_num from public.schema_version").fetchone()
    engine.dispose()
    return str(row[0]) if row else ""


def is_current() -> bool:
    """Whether the warehouse has the newest schema and reference data; False for an empty one."""
    newest = max(path.stem[:4] for path in (settings.assets() / "sql" / "migrations" / "versions").glob("*.py"))
    with connect() as connection:
        if connection.execute("select to_regclass('public.schema_version') is null").fetchone() == (True,):
            return False
        version = connection.execute("select version_num from public.schema_version").fetchone()
        communes = connection.execute("select exists (select 1 from ref.commune)").fetchone()
    return version == (newest,) and communes == (True,)


def mart_files() -> list[Path]:
    """SQL files of the marts, each after those that it refers to."""
    folder = settings.assets() / "sql" / "marts"
    texts = {path: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.sql"))}
    maker = {name: path for path, text in texts.items() for name in _MART.findall(text)}
    graph = {
        path: {maker[name] for name in _REFERENCE.findall(text) if name in maker} - {path}
        for path, text in texts.items()
    }
    return list(TopologicalSorter(graph).static_order())


def _rebuild_marts(connection: Connection) -> None:
    connection.execute("drop schema mart cascade")
    connection.execute("create schema mart")
    for path in mart_files():
        connection.execute(path.read_text(encoding="utf-8").encode())
    _run_as_owner(connection)
    for path in sorted((settings.assets() / "sql" / "marts").glob("*.yml")):
        _comment(connection, yaml.safe_load(path.read_text(encoding="utf-8")))
    if connection.execute("select 1 from pg_roles where rolname = 'tiendo_analyst'").fetchone():
        connection.execute(
            "grant usage on schema mart, ref to tiendo_analyst;"
            "grant select on all tables in schema mart, ref to tiendo_analyst;"
            "grant execute on all functions in schema mart, ref to tiendo_analyst"
        )


def _run_as_owner(connection: Connection) -> None:
    """Functions of the marts read facts for those who may read only marts, as a view does."""
    for (signature,) in connection.execute(
        """
        select p.oid::regprocedure::text from pg_proc as p
        where p.pronamespace = 'mart'::regnamespace and p.proretset
        """
    ).fetchall():
        connection.execute(f"alter function {signature} security definer set search_path = pg_catalog, pg_temp")


def _comment(connection: Connection, mart: dict[str, Any]) -> None:
    """COMMENT ON from the mart's .yml, so that the tables explain themselves in any tool."""
    if mart.get("kind") == "function":
        connection.execute(
            sql.SQL("comment on function mart.{} is {}").format(
                sql.Identifier(mart["name"]), sql.Literal(f"{mart['vi']} | {mart['en']}")
            )
        )
        return
    view = sql.Identifier("mart", mart["name"])
    connection.execute(sql.SQL("comment on view {} is {}").format(view, sql.Literal(f"{mart['vi']} | {mart['en']}")))
    for name, meaning in mart["columns"].items():
        text = f"{meaning['vi']} | {meaning['en']}" + (f" [{meaning['unit']}]" if meaning.get("unit") else "")
        connection.execute(
            sql.SQL("comment on column {}.{} is {}").format(view, sql.Identifier(name), sql.Literal(text))
        )
