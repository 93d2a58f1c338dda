"""What is derived in the warehouse: the functions of the kept summaries and the marts, made anew at each migrate.

A mart is ``sql/marts/<name>.sql`` with its ``<name>.yml`` (``etl.dictionary``). The file makes one of

- ``mart.<name>_history``: rows with the stretch of time (``known_from`` until ``known_to``) during which each was what
  was known. ``mart.<name>_at(moment)`` and the current ``mart.<name>`` are made from it here;
- ``mart.<name>_at(moment)`` and ``mart.<name>`` themselves, where a row is made of more than one such stretch;
- ``mart.<name>`` alone, or a function with other arguments.

Of every mart that is known at a moment, ``mart.<name>_published`` shows the rows as they were published, by release.

In a function that takes ``p_known_at`` a reference table (``ref.<table>``) is what was known of it at that moment
(``ref.<table>_known_at``, migration 0012): no file has to say so, and none can forget it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from etl import settings
from etl.dictionary.entries import AT, HISTORY, PUBLISHED
from etl.load import analyst

Connection = psycopg.Connection[Any]

_MADE = re.compile(r"create (?:view|function) mart\.(\w+)")
_REFERENCE = re.compile(r"\bmart\.(\w+)")
_KNOWN_AT = re.compile(r"create (?:or replace )?function \w+\.\w+\s*\([^)]*\bp_known_at\b.*?\$\$.*?\$\$", re.DOTALL)
_BEYOND = re.compile(r"\b(?:core|raw|release|audit)\.\w")
"""What an analyst may not read: a function that does so reads it as its owner."""


def folder() -> Path:
    return settings.assets() / "sql" / "marts"


def files() -> list[Path]:
    """SQL files of the marts, each after those that it refers to."""
    texts = {path: path.read_text(encoding="utf-8") for path in sorted(folder().glob("*.sql"))}
    maker: dict[str, Path] = {}
    for path, text in texts.items():
        for name in _MADE.findall(text):
            maker |= dict.fromkeys(_names(name), path)
    graph = {
        path: {maker[name] for name in _REFERENCE.findall(text) if name in maker} - {path}
        for path, text in texts.items()
    }
    return list(TopologicalSorter(graph).static_order())


def _names(made: str) -> Iterable[str]:
    """What else there is once a view or function of that name is there."""
    if made.endswith(HISTORY):
        base = made.removesuffix(HISTORY)
        return made, base, base + AT
    return (made,)


def rebuild(connection: Connection) -> None:
    """Summaries and marts as their files have them; the caller commits."""
    _summaries(connection)
    connection.execute("drop schema if exists mart cascade")
    connection.execute("create schema mart")
    tables = _reference_tables(connection)
    for path in files():
        text = as_known(path.read_text(encoding="utf-8"), tables)
        made = _MADE.findall(text)
        history = next((name for name in made if name.endswith(HISTORY)), None)
        if history is None:
            connection.execute(text.encode())
            if _BEYOND.search(text):
                _run_as_owner(connection, made)
        else:
            _with_history(connection, history.removesuffix(HISTORY), text)
    _published(connection)
    analyst.grant(connection)


def _reference_tables(connection: Connection) -> list[str]:
    """Tables of ``ref`` of which it is kept since when each row was known."""
    rows = connection.execute(
        "select relname from pg_class where relnamespace = 'ref'::regnamespace and relkind = 'r' "
        "and relname like '%\\_history' order by relname"
    ).fetchall()
    return [name.removesuffix(HISTORY) for (name,) in rows]


def as_known(text: str, tables: Iterable[str]) -> str:
    """The text in which functions that take p_known_at read these tables of ``ref`` as known at that moment."""
    table = re.compile(rf"\b(from|join) ref\.({'|'.join(tables)}) as\b")
    return _KNOWN_AT.sub(lambda match: table.sub(r"\1 ref.\2_known_at(p_known_at) as", match[0]), text)


def _summaries(connection: Connection) -> None:
    """Functions of the kept summaries; other texts than those that made the rows make all rows anew."""
    tables = _reference_tables(connection)
    texts = [
        as_known(path.read_text(encoding="utf-8"), tables).encode()
        for path in sorted((settings.assets() / "sql" / "summaries").glob("*.sql"))
    ]
    for text in texts:
        connection.execute(text)
    digest = hashlib.sha256(b"".join(texts)).hexdigest()
    if connection.execute("select sha256 from core.summary_version").fetchone() != (digest,):
        connection.execute("select core.note_everything()")
        connection.execute(
            "insert into core.summary_version (sha256) values (%s) on conflict (only_row) do update set sha256 = %s",
            (digest, digest),
        )
    refresh(connection)


def refresh(connection: Connection) -> int:
    """Bring the kept summaries up to what was received and decided; how many moments were gone through.

    Idempotent, and the same whenever it runs: every change leaves a mark of what it made stale. The caller commits.
    """
    row = connection.execute("select core.refresh()").fetchone()
    return int(row[0]) if row else 0


def _with_history(connection: Connection, name: str, text: str) -> None:
    """The file that makes ``<name>_history``, and what is made of it: ``<name>``, what is known now, and
    ``<name>_at``, what was known at a moment, unless the file makes that one itself; written so that the planner takes
    it apart and conditions on a month or commune reach the tables."""
    first, own, rest = text.partition(f"create function mart.{name}{AT}")
    connection.execute(first.encode())
    columns = [c for c in _columns(connection, name + HISTORY) if c not in ("known_from", "known_to")]
    parts = {
        "columns": sql.SQL(", ").join(sql.Identifier("h", c) for c in columns),
        "history": sql.Identifier("mart", name + HISTORY),
        "view": sql.Identifier("mart", name),
        "function": sql.Identifier("mart", name + AT),
    }
    view = "create view {view} as select {columns} from {history} as h where h.known_to = 'infinity'"
    function = (
        "create function {function} (p_known_at timestamptz) returns setof {view} language sql stable as $$ "
        "select {columns} from {history} as h "
        "where h.known_from <= p_known_at and (h.known_to > p_known_at or h.known_to = 'infinity') $$"
    )
    connection.execute(sql.SQL(view).format(**parts))
    if own:
        connection.execute((own + rest).encode())
    else:
        connection.execute(sql.SQL(function).format(**parts))


def _columns(connection: Connection, view: str) -> list[str]:
    return [
        name
        for (name,) in connection.execute(
            "select attname from pg_attribute where attrelid = %s::regclass and attnum > 0 order by attnum",
            (f"mart.{view}",),
        )
    ]


def _run_as_owner(connection: Connection, names: Iterable[str]) -> None:
    """Functions that read facts do so for those who may read only marts, as a view does."""
    for (signature,) in connection.execute(
        """
        select p.oid::regprocedure::text from pg_proc as p
        where p.pronamespace = 'mart'::regnamespace and p.proretset and p.proname = any(%s)
        """,
        (list(names),),
    ).fetchall():
        connection.execute(f"alter function {signature} security definer set search_path = pg_catalog, pg_temp")


def _published(connection: Connection) -> None:
    """``<name>_published``: what was known when each release was frozen, of the release's period and budget year where
    the mart has them."""
    for name, columns in connection.execute(
        """
        select v.relname, array(
            select a.attname::text from pg_attribute as a
            where a.attrelid = v.oid and a.attname in ('period', 'budget_year') order by a.attnum
        )
        from pg_class as v
        inner join pg_proc as p
            on p.pronamespace = v.relnamespace and p.proname = v.relname || '_at'
            and p.proargtypes[0] = 'timestamptz'::regtype and p.pronargs - p.pronargdefaults = 1
        where v.relnamespace = 'mart'::regnamespace and v.relkind = 'v'
        order by v.relname
        """
    ).fetchall():
        own = [sql.SQL("m.{0} = r.{0}").format(sql.Identifier(column)) for column in columns]
        connection.execute(
            sql.SQL(
                "create view {} as select r.release_id, r.release_no, m.* from mart.release as r "
                "cross join lateral {} (r.known_at) as m where {}"
            ).format(
                sql.Identifier("mart", name + PUBLISHED),
                sql.Identifier("mart", name + AT),
                sql.SQL(" and ").join(own) if own else sql.SQL("true"),
            )
        )
