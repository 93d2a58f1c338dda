"""What is true of the rows of a table: the closed vocabulary of ``constraints`` and ``tests`` in the ``.yml`` files.

=================================================  ==========================================================
``not_null``, or ``not_null: [a, b]``              no value is missing
``unique``, or ``unique: [a, b]``                  no two rows have the same values (rows with a null apart)
``rows_unique_by: [a, b]``                         the same, null counting as a value
``accepted_values: [...]``                         one of these, or null
``range: {min: 0, max: 1}``                        between these bounds, both included, or null
``matches: '...'``                                 the regular expression of PostgreSQL matches, or null
``references: schema.table.column``                the value stands in that column, or null
``references: {columns, table, to}``               the same for several columns
``expression: '...'``                              SQL that is true or null for each row
=================================================  ==========================================================

Those of a column stand without its name. A rule becomes a CHECK, UNIQUE or FOREIGN KEY, or a query that counts the rows
that break it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import sql

Place = sql.Identifier


@dataclass(frozen=True)
class Rule:
    """``columns`` that it is about, and ``args`` as the kind of rule needs them."""

    kind: str
    columns: tuple[str, ...] = ()
    args: tuple[Any, ...] = ()

    @property
    def is_check(self) -> bool:
        """Whether a row alone shows it."""
        return self.kind in ("not_null", "accepted_values", "range", "matches", "expression")

    @property
    def target(self) -> str:
        """The table that a reference points to, ``schema.table``."""
        return str(self.args[0]) if self.kind == "references" else ""

    def name(self, table: str) -> str:
        """Of the constraint: the same words in the same table always give the same name."""
        words = f"{table} {self.kind} {self.columns} {self.args}"
        return f"yml_{hashlib.sha256(words.encode()).hexdigest()[:16]}"

    def condition(self) -> sql.Composable:
        """SQL that is not false for a row that is right."""
        column = sql.Identifier(self.columns[0]) if self.columns else sql.SQL("")
        if self.kind == "not_null":
            return sql.SQL("{} is not null").format(column)
        if self.kind == "accepted_values":
            return sql.SQL("{} in ({})").format(column, sql.SQL(", ").join(map(sql.Literal, self.args)))
        if self.kind == "matches":
            return sql.SQL("{} ~ {}").format(column, sql.Literal(self.args[0]))
        if self.kind == "range":
            bounds = zip((">=", "<="), self.args, strict=True)
            return sql.SQL(" and ").join(
                sql.SQL("{} {} {}").format(column, sql.SQL(sign), sql.Literal(bound))
                for sign, bound in bounds
                if bound is not None
            )
        if self.kind == "expression":
            return sql.SQL(self.args[0])
        raise ValueError(self.kind)

    def constraint(self) -> sql.Composable:
        """What follows ``add constraint <name>``."""
        columns = sql.SQL(", ").join(map(sql.Identifier, self.columns))
        if self.is_check:
            return sql.SQL("check ({})").format(self.condition())
        if self.kind == "references":
            to = sql.SQL(", ").join(map(sql.Identifier, self.args[1]))
            return sql.SQL("foreign key ({}) references {} ({})").format(columns, _table(self.target), to)
        nulls = sql.SQL("nulls not distinct " if self.kind == "rows_unique_by" else "")
        return sql.SQL("unique {}({})").format(nulls, columns)

    def broken(self, table: str) -> sql.Composed:
        """Query for the number of rows that break it."""
        if self.is_check:
            return sql.SQL("select count(*) from {} where not ({})").format(_table(table), self.condition())
        columns = [sql.Identifier("t", name) for name in self.columns]
        given = sql.SQL(" and ").join(sql.SQL("{} is not null").format(column) for column in columns)
        if self.kind == "references":
            same = sql.SQL(" and ").join(
                sql.SQL("{} = {}").format(sql.Identifier("o", there), here)
                for there, here in zip(self.args[1], columns, strict=True)
            )
            return sql.SQL(
                "select count(*) from {} as t where {} and not exists (select 1 from {} as o where {})"
            ).format(_table(table), given, _table(self.target), same)
        return sql.SQL(
            "select coalesce(sum(k.n), 0)::bigint from "
            "(select count(*) as n from {} as t where {} group by {} having count(*) > 1) as k"
        ).format(
            _table(table), sql.SQL("true") if self.kind == "rows_unique_by" else given, sql.SQL(", ").join(columns)
        )

    def as_text(self) -> str:
        """As a reader of the dictionary sees it."""
        columns = ", ".join(self.columns)
        if self.kind == "accepted_values":
            return f"{columns} ∈ {{{', '.join(map(str, self.args))}}}"
        if self.kind == "matches":
            return f"{columns} ~ {self.args[0]}"
        if self.kind == "range":
            low, high = self.args
            return " ≤ ".join(str(part) for part in (low, columns, high) if part is not None)
        if self.kind == "references":
            return f"{columns} → {self.target}.{', '.join(self.args[1])}"
        if self.kind == "expression":
            return str(self.args[0])
        return f"{self.kind} ({columns})" if self.kind != "not_null" else f"{columns} not null"


def read(told: Any, column: str | None = None) -> tuple[Rule, ...]:
    """Rules as a file has them, of a table or of one of its columns. Raises ValueError on what is not known."""
    if told is None or told == "none":
        return ()
    if not isinstance(told, Sequence) or isinstance(told, str):
        raise ValueError(f"tests và constraints là một danh sách: {told!r}")
    return tuple(rule for one in told for rule in _rules(one, column))


def _rules(told: Any, column: str | None) -> Iterator[Rule]:
    kind: str
    value: Any
    kind, value = (told, None) if isinstance(told, str) else _only(told)
    own = (column,) if column else ()
    if kind == "not_null":
        yield from (Rule(kind, (name,)) for name in _names(value, own))
    elif kind in ("unique", "rows_unique_by"):
        yield Rule(kind, _names(value, own))
    elif kind == "accepted_values" and column:
        yield Rule(kind, own, tuple(value))
    elif kind == "range" and column and value and not value.keys() - {"min", "max"}:
        yield Rule(kind, own, (value.get("min"), value.get("max")))
    elif kind == "matches" and column:
        yield Rule(kind, own, (str(value),))
    elif kind == "references" and column:
        table, to = str(value).rsplit(".", 1)
        yield Rule(kind, own, (table, (to,)))
    elif kind == "references":
        yield Rule(kind, tuple(value["columns"]), (value["table"], tuple(value["to"])))
    elif kind == "expression":
        yield Rule(kind, own, (str(value),))
    else:
        raise ValueError(f"không hiểu {told!r}")


def _only(told: Mapping[str, Any]) -> tuple[str, Any]:
    if len(told) != 1:
        raise ValueError(f"mỗi mục chỉ một điều kiện: {told!r}")
    return next(iter(told.items()))


def _names(value: Any, own: tuple[str, ...]) -> tuple[str, ...]:
    names = tuple(value) if value else own
    if not names or isinstance(value, str):
        raise ValueError(f"cần một danh sách cột: {value!r}")
    return names


def _table(full_name: str) -> sql.Identifier:
    return sql.Identifier(*full_name.split("."))
