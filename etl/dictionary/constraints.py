"""Constraints that the dictionary declares and the schema lacks, as ``yml_<hash>`` in the warehouse.

A constraint adds nothing to the rows and changes none, so tables that are only ever added to take it as well. NOT NULL
is a CHECK: it can be told by its name and taken away on every PostgreSQL from 16 on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import psycopg
from psycopg import sql

from etl.dictionary.entries import Dictionary, Entry
from etl.dictionary.rules import Rule
from etl.dictionary.warehouse import Connection
from etl.errors import DictionaryError

PREFIX = "yml_"


def drop_undeclared(connection: Connection, dictionary: Dictionary) -> int:
    """Take away constraints that no file declares any more; how many. The caller commits.

    Before the migrations, which may do what an older file forbade.
    """
    declared = {rule.name(table) for table, entry in dictionary.tables.items() for rule in entry.held}
    gone = [(table, name) for table, name in _ours(connection) if name not in declared]
    for table, name in gone:
        connection.execute(
            sql.SQL("alter table {} drop constraint {}").format(sql.Identifier(*table.split(".")), sql.Identifier(name))
        )
    return len(gone)


def add_missing(connection: Connection, dictionary: Dictionary) -> int:
    """Add what the files declare and the tables lack, checked against all rows; how many. The caller commits.

    Idempotent: what the schema or an earlier run holds already is left alone. Raises DictionaryError naming table,
    constraint and number of rows when rows break one; nothing is added then.
    """
    there = _tables(connection)
    entries = {name: entry for name, entry in dictionary.tables.items() if entry.kind == "table" and name in there}
    definitions = _definitions(connection, entries)
    ours = set(_ours(connection))
    missing = {
        name: [
            rule
            for rule in entry.held
            if (name, rule.name(name)) not in ours and not there[name].holds(rule, definitions.get(rule.name(name)))
        ]
        for name, entry in entries.items()
    }
    # Rows that this transaction has put in may still have deferred triggers to come; ALTER TABLE waits for none.
    connection.execute("set constraints all immediate")
    for keys_first in (True, False):  # a reference needs the key that it points to
        for name, rules in missing.items():
            _add(connection, entries[name], [rule for rule in rules if (rule.kind != "references") == keys_first])
    return sum(map(len, missing.values()))


def _add(connection: Connection, entry: Entry, rules: Iterable[Rule]) -> None:
    """One ALTER TABLE, so that the rows are gone through once."""
    rules = list(rules)
    if not rules:
        return
    table = sql.Identifier(entry.schema, entry.name)
    added = sql.SQL(", ").join(
        sql.SQL("add constraint {} {}").format(sql.Identifier(rule.name(entry.full_name)), rule.constraint())
        for rule in rules
    )
    told = sql.SQL("").join(
        sql.SQL("; comment on constraint {} on {} is {}").format(
            sql.Identifier(rule.name(entry.full_name)), table, sql.Literal(f"{entry.path.name}: {rule.as_text()}")
        )
        for rule in rules
    )
    try:
        with connection.transaction():
            connection.execute(sql.SQL("alter table {} {}{}").format(table, added, told))
    except psycopg.errors.IntegrityError as error:
        raise DictionaryError(_what_breaks(connection, entry, rules)) from error


def _what_breaks(connection: Connection, entry: Entry, rules: Iterable[Rule]) -> str:
    counted = ((rule, connection.execute(rule.broken(entry.full_name)).fetchone()) for rule in rules)
    lines = [
        f"  {rule.name(entry.full_name)}: {rule.as_text()}: {row[0]} dòng không đúng"
        for rule, row in counted
        if row and row[0]
    ]
    return "\n".join(
        [
            f"Bảng {entry.full_name} có dòng không theo ràng buộc khai trong {entry.path.name}:",
            *lines,
            "Chưa thay đổi gì trong kho dữ liệu. Dữ liệu đúng thì chuyển điều kiện từ constraints sang tests; dữ liệu "
            "sai thì đính chính trước.",
        ]
    )


@dataclass
class _Table:
    """What a table holds true by the migrations alone."""

    not_null: set[str] = field(default_factory=set)
    checks: set[str] = field(default_factory=set)
    unique: list[tuple[set[str], bool]] = field(default_factory=list)
    references: set[tuple[tuple[str, ...], str, tuple[str, ...]]] = field(default_factory=set)

    def holds(self, rule: Rule, definition: str | None) -> bool:
        if rule.kind == "not_null":
            return rule.columns[0] in self.not_null
        if rule.is_check:
            return definition in self.checks
        if rule.kind == "references":
            return (rule.columns, rule.target, tuple(rule.args[1])) in self.references
        nulls_count = rule.kind == "rows_unique_by" and not set(rule.columns) <= self.not_null
        return any(columns == set(rule.columns) and (same or not nulls_count) for columns, same in self.unique)


def _tables(connection: Connection) -> dict[str, _Table]:
    """By ``schema.table``; constraints of ours are not among them."""
    found: dict[str, _Table] = {}
    for table, not_null in connection.execute(
        """
        select
            n.nspname || '.' || c.relname,
            array(
                select a.attname::text from pg_attribute as a where a.attrelid = c.oid and a.attnum > 0 and a.attnotnull
            )
        from pg_class as c inner join pg_namespace as n on c.relnamespace = n.oid
        where c.relkind in ('r', 'p') and not c.relispartition
        """
    ).fetchall():
        found[table] = _Table(set(not_null))
    for table, kind, definition, columns, target, to in connection.execute(
        """
        select
            k.nspname || '.' || t.relname, c.contype::text, pg_get_constraintdef(c.oid),
            array(
                select a.attname::text from unnest(c.conkey) with ordinality as u (n, i)
                inner join pg_attribute as a on a.attrelid = c.conrelid and a.attnum = u.n order by u.i
            ),
            case when c.contype = 'f' then (
                select fn.nspname || '.' || f.relname from pg_class as f
                inner join pg_namespace as fn on f.relnamespace = fn.oid where f.oid = c.confrelid
            ) end,
            array(
                select a.attname::text from unnest(c.confkey) with ordinality as u (n, i)
                inner join pg_attribute as a on a.attrelid = c.confrelid and a.attnum = u.n order by u.i
            )
        from pg_constraint as c
        inner join pg_class as t on c.conrelid = t.oid
        inner join pg_namespace as k on t.relnamespace = k.oid
        where c.contype in ('c', 'f') and not starts_with(c.conname, 'yml_') and not t.relispartition
        """
    ).fetchall():
        if kind == "c":
            found[table].checks.add(definition)
        else:
            found[table].references.add((tuple(columns), target, tuple(to)))
    for table, columns, nulls_count in connection.execute(
        """
        select
            n.nspname || '.' || c.relname,
            array(
                select a.attname::text from unnest(i.indkey[0:i.indnkeyatts - 1]) as u (k)
                inner join pg_attribute as a on a.attrelid = c.oid and a.attnum = u.k
            ),
            i.indnullsnotdistinct
        from pg_index as i
        inner join pg_class as c on i.indrelid = c.oid
        inner join pg_namespace as n on c.relnamespace = n.oid
        inner join pg_class as x on i.indexrelid = x.oid
        where
            i.indisunique and i.indpred is null and i.indexprs is null and c.relkind in ('r', 'p')
            and not c.relispartition and not starts_with(x.relname, 'yml_')
        """
    ).fetchall():
        found[table].unique.append((set(columns), nulls_count))
    return found


def _definitions(connection: Connection, entries: Mapping[str, Entry]) -> dict[str, str]:
    """How PostgreSQL writes down each declared CHECK, by name: tried on empty tables of the same columns."""
    tried = {name: [r for r in entry.held if r.is_check and r.kind != "not_null"] for name, entry in entries.items()}
    fresh = {name: sql.Identifier(f"{PREFIX}{i}") for i, name in enumerate(tried) if tried[name]}
    for name, table in fresh.items():
        checks = sql.SQL(", ").join(
            sql.SQL("add constraint {} {}").format(sql.Identifier(rule.name(name)), rule.constraint())
            for rule in tried[name]
        )
        connection.execute(
            sql.SQL("create temporary table {} (like {}); alter table {} {}").format(
                table, sql.Identifier(*name.split(".")), table, checks
            )
        )
    found = connection.execute(
        "select c.conname::text, pg_get_constraintdef(c.oid) from pg_constraint as c "
        "where c.connamespace = pg_my_temp_schema() and c.contype = 'c'"
    ).fetchall()
    if fresh:
        connection.execute(sql.SQL("drop table {}").format(sql.SQL(", ").join(fresh.values())))
    return dict(found)


def _ours(connection: Connection) -> list[tuple[str, str]]:
    """(table, name) of the constraints that came from the dictionary."""
    return connection.execute(
        """
        select n.nspname || '.' || t.relname, c.conname::text
        from pg_constraint as c
        inner join pg_class as t on c.conrelid = t.oid
        inner join pg_namespace as n on t.relnamespace = n.oid
        where starts_with(c.conname, 'yml_') and c.contype <> 'n' and c.conislocal and c.conparentid = 0
        order by c.conname
        """
    ).fetchall()
