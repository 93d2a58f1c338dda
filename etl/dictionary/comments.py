"""COMMENT ON from the dictionary, so that the tables explain themselves in any tool."""

from __future__ import annotations

from collections.abc import Iterator

from psycopg import sql

from etl.dictionary import warehouse
from etl.dictionary.entries import HISTORY, PUBLISHED, Column, Dictionary, Entry
from etl.dictionary.warehouse import Connection

_WHICH = {
    HISTORY: " (mọi lúc: biết từ known_from đến trước known_to | at all times: known from known_from until known_to)",
    PUBLISHED: " (như đã công bố, theo từng bản tổng hợp | as published, by release)",
}


def say(connection: Connection, dictionary: Dictionary) -> None:
    """Comments of every table, view, column and function that a file describes; the caller commits.

    Idempotent: a comment takes the place of the one before, so the same files always leave the same comments.
    """
    statements = [*_relations(connection, dictionary), *_functions(connection, dictionary)]
    connection.execute(sql.SQL(";\n").join(statements))


def _relations(connection: Connection, dictionary: Dictionary) -> Iterator[sql.Composed]:
    for relation in warehouse.relations(connection):
        entry = dictionary.described(relation.parent or relation.full_name)
        if entry is None:
            continue
        at = sql.Identifier(*relation.full_name.split("."))
        which = " (phân vùng | a partition)" if relation.parent else ""
        which = which or _WHICH.get(relation.full_name.removeprefix(entry.full_name), "")
        yield _comment(relation.kind, at, f"{entry.vi} | {entry.en}{which}{_grain(entry)}")
        told = warehouse.columns_of(dictionary, entry, relation.full_name)
        for name in relation.columns:
            if name in told:
                yield _comment("column", sql.SQL(".").join((at, sql.Identifier(name))), _of_column(told[name]))


def _functions(connection: Connection, dictionary: Dictionary) -> Iterator[sql.Composed]:
    for function in warehouse.functions(connection):
        entry = dictionary.functions.get(function.full_name)
        if entry is None:
            continue
        told = {**dictionary.glossary, **entry.arguments}
        lines = [f"{name}: {_of_column(told[name])}" for name in function.arguments if name in told]
        yield _comment("function", sql.SQL(function.signature), "\n".join([f"{entry.vi} | {entry.en}", *lines]))


def _grain(entry: Entry) -> str:
    return f"\nMỗi dòng: {entry.grain_vi} | One row per: {entry.grain_en}" if entry.grain_vi else ""


def _of_column(column: Column) -> str:
    notes = "; ".join(filter(None, (column.unit, column.source_vi)))
    return f"{column.vi} | {column.en}" + (f" [{notes}]" if notes else "")


def _comment(kind: str, what: sql.Composable, text: str) -> sql.Composed:
    return sql.SQL("comment on {} {} is {}").format(sql.SQL(kind), what, sql.Literal(text))
