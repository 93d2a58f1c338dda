"""What is there in a warehouse that the dictionary speaks of: tables, views, columns, functions, arguments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg

from etl.dictionary.entries import HISTORY, PUBLISHED, SCHEMAS, Column, Dictionary, Entry

Connection = psycopg.Connection[Any]
_MORE = {HISTORY: ("known_from", "known_to"), PUBLISHED: ("release_id", "release_no")}
"""Columns that what is made of a mart has besides the mart's own."""


@dataclass(frozen=True)
class Relation:
    """A table or view; ``parent`` is the table that it is a partition of."""

    full_name: str
    kind: str
    parent: str | None
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Function:
    """``signature`` tells it from others of its name; ``arguments`` go in, ``columns`` come out."""

    full_name: str
    signature: str
    arguments: tuple[str, ...]
    columns: tuple[str, ...]


def relations(connection: Connection) -> list[Relation]:
    """Tables and views of the six schemas, by name."""
    return [
        Relation(full_name, kind, parent, tuple(columns))
        for full_name, kind, parent, columns in connection.execute(
            """
            select
                n.nspname || '.' || c.relname,
                case when c.relkind = 'v' then 'view' else 'table' end,
                (select i.inhparent::regclass::text from pg_inherits as i where i.inhrelid = c.oid),
                array(
                    select a.attname::text from pg_attribute as a
                    where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
                    order by a.attnum
                )
            from pg_class as c
            inner join pg_namespace as n on c.relnamespace = n.oid
            where n.nspname = any(%s) and c.relkind in ('r', 'p', 'v', 'm', 'f')
            order by 1
            """,
            (list(SCHEMAS),),
        ).fetchall()
    ]


def functions(connection: Connection) -> list[Function]:
    """Functions of the six schemas, by name. Rows that are of the kind of a view have no columns of their own."""
    return [
        Function(full_name, signature, tuple(arguments), tuple(columns))
        for full_name, signature, arguments, columns in connection.execute(
            """
            select
                n.nspname || '.' || p.proname,
                p.oid::regprocedure::text,
                array(
                    select a.name from unnest(p.proargnames, p.proargmodes) with ordinality as a (name, mode, i)
                    where coalesce(a.mode, 'i') in ('i', 'b', 'v') order by a.i
                ),
                array(
                    select a.name from unnest(p.proargnames, p.proargmodes) with ordinality as a (name, mode, i)
                    where a.mode in ('o', 't') order by a.i
                )
            from pg_proc as p
            inner join pg_namespace as n on p.pronamespace = n.oid
            where n.nspname = any(%s)
            order by 2
            """,
            (list(SCHEMAS),),
        ).fetchall()
    ]


def columns_of(dictionary: Dictionary, entry: Entry, full_name: str) -> dict[str, Column]:
    """What the dictionary says of the columns of a table, or of a view that is made of a mart."""
    more = _MORE.get(full_name.removeprefix(entry.full_name), ())
    return {**{name: dictionary.glossary[name] for name in more}, **entry.columns}
