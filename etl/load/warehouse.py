"""Connection to the warehouse and its migrations.

The schema comes from ``sql/migrations`` (Alembic running plain SQL, in order). What is derived, summaries and marts, is
made anew at each migrate (``etl.load.marts``); so are comments and the constraints that the data dictionary declares
(``etl.dictionary``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from etl import settings
from etl.dictionary import comments, constraints
from etl.dictionary import entries as dictionary
from etl.errors import InfrastructureError
from etl.load import marts, server

Connection = psycopg.Connection[Any]


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
        words = dictionary.load()
        constraints.drop_undeclared(raw, words)
        command.upgrade(config, "head")
        marts.rebuild(raw)
        constraints.add_missing(raw, words)
        comments.say(raw, words)
        row = raw.execute("select version_num from public.schema_version").fetchone()
    engine.dispose()
    return str(row[0]) if row else ""


def newest_version() -> str:
    """Version of the schema that ``migrate`` brings a warehouse to, four digits."""
    return max(path.stem[:4] for path in (settings.assets() / "sql" / "migrations" / "versions").glob("*.py"))


def is_current() -> bool:
    """Whether the warehouse has the newest schema and reference data; False for an empty one."""
    with connect() as connection:
        if connection.execute("select to_regclass('public.schema_version') is null").fetchone() == (True,):
            return False
        version = connection.execute("select version_num from public.schema_version").fetchone()
        communes = connection.execute("select exists (select 1 from ref.commune)").fetchone()
    return version == (newest_version(),) and communes == (True,)
