"""What is derived in the warehouse: the functions of the kept summaries and the marts, made anew at each migrate.

A mart is ``sql/marts/<name>.sql`` with its ``<name>.yml`` (``etl.dictionary``). The file makes one of

- ``mart.<name>_history``: rows with the stretch of time (``known_from`` until ``known_to``) during which each was what
  was known. ``mart.<name>_at(moment)`` and the current ``mart.<name>`` are made from it here;
- ``mart.<name>_at(moment)``, where a row is made of more than one such stretch; the current ``mart.<name>`` is made
  from it here;
- ``mart.<name>`` alone, or a function with other arguments.

Of every mart that has a moment ``mart.<name>_published`` shows the rows as they were published, by release, and where
it has a period too, ``mart.<name>_at(moment, period, budget year)`` is one period of it.

In a function that takes ``p_known_at`` a reference table (``ref.<table>``) is what was known of it at that moment
(``ref.<table>_known_at``, migration 0012): no file has to say so, and none can forget it.

Conditions on a period or commune must reach the tables, or a question about one month reads all years. PostgreSQL takes
views apart and does not take apart functions that run as their owner; so what is made here has their text
in it (``_Text``).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import psycopg

from etl import settings
from etl.dictionary.entries import AT, HISTORY, KNOWN_AT, PUBLISHED
from etl.load import analyst

Connection = psycopg.Connection[Any]

_MADE = re.compile(r"create (?:view|function) mart\.(\w+)")
_REFERENCE = re.compile(r"\bmart\.(\w+)")
_KNOWN_AT = re.compile(r"create (?:or replace )?function \w+\.\w+\s*\([^)]*\bp_known_at\b.*?\$\$.*?\$\$", re.DOTALL)
_BEYOND = re.compile(r"\b(?:core|raw|release|audit)\.\w")
"""What an analyst may not read: a function that does so reads it as its owner."""
_AT_MOMENT = re.compile(r"\b(mart|core|ref)\.(\w+)\(p_known_at\)")
_SPEAKING = re.compile(r"\((\w+)\.known_to > p_known_at or \1\.known_to = 'infinity'\)")

_MEETING = re.compile(r"least\((\w+)\.known_to, (\w+)\.known_to\) as known_to")
"""A history whose rows are made of two stretches of time."""


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
    return (made, made.removesuffix(AT))


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
        if history:
            _with_history(connection, history.removesuffix(HISTORY), text)
            continue
        connection.execute(text.encode())
        for name in made:
            of_moment = _Text.of(connection, "mart", name)
            if of_moment and name.removesuffix(AT) not in made:
                _current(connection, name.removesuffix(AT), of_moment)
                _of_period(connection, name.removesuffix(AT), of_moment)
        if _BEYOND.search(text):
            _run_as_owner(connection, made)
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
    ``<name>_at``, what was known at a moment, unless the file makes that one itself."""
    first, own, rest = text.partition(f"create function mart.{name}{AT}")
    connection.execute(first.encode())
    columns = ", ".join(f"h.{c}" for c in _columns(connection, name + HISTORY) if c not in ("known_from", "known_to"))
    present = f"mart.{name}{HISTORY} as h where h.known_to = 'infinity'"
    meeting = _MEETING.search(first)
    if meeting:
        # Written out: the planner has no idea how often the earlier end of two stretches is still to come.
        one, other = meeting.groups()
        body = first.partition(" as\n")[2].partition(";")[0]
        present = (
            f"(\n{body}\nwhere {one}.known_to = 'infinity' "
            f"and ({other}.known_to = 'infinity' or {other}.known_to is null)\n) as h"
        )
    connection.execute(f"create view mart.{name} as select {columns} from {present}".encode())
    of_moment = (
        f"create function mart.{name}{AT} (p_known_at timestamptz) returns setof mart.{name} language sql stable as $$ "
        f"select {columns} from mart.{name}{HISTORY} as h "
        "where h.known_from <= p_known_at and (h.known_to > p_known_at or h.known_to = 'infinity') $$"
    )
    connection.execute((own + rest if own else of_moment).encode())


@dataclass(frozen=True)
class _Text:
    """What a function of a moment says, as a part of other statements: ``columns`` with their types, and the query."""

    columns: tuple[tuple[str, str], ...]
    query: str

    @staticmethod
    def of(connection: Connection, schema: str, name: str) -> _Text | None:
        """Of a function of a moment alone that returns a table of its own; None where there is no such function."""
        row = connection.execute(
            """
            select p.prosrc, array(
                select array[a.name, format_type(a.type, null)]
                from unnest(p.proargnames, p.proallargtypes, p.proargmodes) with ordinality as a (name, type, mode, i)
                where a.mode = 't' order by a.i
            )
            from pg_proc as p
            where p.oid = to_regprocedure(%s) and p.proargmodes is not null
            """,
            (f"{schema}.{name}(timestamptz)",),
        ).fetchone()
        return _Text(tuple((column, kind) for column, kind in row[1]), row[0].strip()) if row else None

    def expanded(self, connection: Connection) -> str:
        """The query as a table in brackets; functions of the moment in it are taken apart in the same way."""

        def apart(match: re.Match[str]) -> str:
            text = _Text.of(connection, *match.groups())
            return text.expanded(connection) if text else match[0]

        return self.bracketed(_AT_MOMENT.sub(apart, self.query))

    def now(self, connection: Connection) -> str:
        """The same of what is known now: made of current marts, and with the condition that the indexes have."""

        def present(match: re.Match[str]) -> str:
            schema, name = match.groups()
            if schema != "core":
                return f"{schema}.{name.removesuffix(KNOWN_AT).removesuffix(AT)}"
            text = _Text.of(connection, schema, name)
            return text.now(connection) if text else match[0]

        query = _SPEAKING.sub(r"\1.known_to = 'infinity'", _AT_MOMENT.sub(present, self.query))
        return self.bracketed(re.sub(r"\bp_known_at\b", "'infinity'::timestamptz", query))

    def bracketed(self, query: str) -> str:
        names = ", ".join(name for name, _ in self.columns)
        columns = ", ".join(f"q.{name}::{kind} as {name}" for name, kind in self.columns)
        return f"(select {columns} from (\n{query}\n) as q ({names}))"


def _current(connection: Connection, name: str, text: _Text) -> None:
    """``mart.<name>`` of ``mart.<name>_at(moment)``."""
    connection.execute(f"create view mart.{name} as select * from {text.now(connection)} as m".encode())


def _of_period(connection: Connection, name: str, text: _Text) -> None:
    """``mart.<name>_at(moment, period, budget year)``, where the mart has both."""
    if {"period", "budget_year"} <= {column for column, _ in text.columns}:
        connection.execute(
            f"create function mart.{name}{AT} (p_known_at timestamptz, p_period text, p_budget_year integer) "
            f"returns setof mart.{name} "
            "language sql stable security definer set search_path = pg_catalog, pg_temp as $$ "
            f"select * from {text.expanded(connection)} as m "
            "where m.period = p_period and m.budget_year = p_budget_year $$".encode()
        )


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
    for name, columns, of_period in connection.execute(
        """
        select
            v.relname,
            array(
                select a.attname::text from pg_attribute as a
                where a.attrelid = v.oid and a.attname in ('period', 'budget_year') order by a.attnum
            ),
            to_regprocedure(format('mart.%I(timestamptz, text, integer)', p.proname)) is not null
        from pg_class as v
        inner join pg_proc as p
            on p.pronamespace = v.relnamespace and p.proname = v.relname || '_at'
            and p.proargtypes[0] = 'timestamptz'::regtype and p.pronargs - p.pronargdefaults = 1
        where v.relnamespace = 'mart'::regnamespace and v.relkind = 'v'
        order by v.relname
        """
    ).fetchall():
        arguments = "r.known_at, r.period, r.budget_year" if of_period else "r.known_at"
        own = " and ".join(f"m.{column} = r.{column}" for column in columns) or "true"
        connection.execute(
            f"create view mart.{name}{PUBLISHED} as select r.release_id, r.release_no, m.* from mart.release as r "
            f"cross join lateral mart.{name}{AT} ({arguments}) as m where {own}".encode()
        )
