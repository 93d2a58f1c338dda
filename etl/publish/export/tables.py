"""Which tables an export holds, and what each column is: from the marts in the warehouse and the data dictionary."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any, Literal

import psycopg
import yaml
from psycopg import sql

from etl.dictionary import entries
from etl.dictionary.entries import Dictionary, Entry
from etl.errors import UsageError

Connection = psycopg.Connection[Any]
Kind = Literal["text", "integer", "vnd", "decimal", "bool", "date", "moment", "list", "object"]

_KINDS: dict[str, Kind] = {
    "text": "text", "integer": "integer", "bigint": "integer", "smallint": "integer", "boolean": "bool", "date": "date",
    "timestamp with time zone": "moment", "jsonb": "object",
}  # fmt: skip
_DONG = ("vnd", "đồng")
_TWO_PLACES = ("pct", "pct_points")
_OF_THE_DAY = {"is_latest"}
"""What changes with later releases: no part of what was published."""


@dataclass(frozen=True)
class Column:
    """``scale``: decimal places of a decimal. ``unit``: as the mart's ``.yml`` has it, blank where there is none."""

    name: str
    kind: Kind
    vi: str
    en: str
    unit: str = ""
    scale: int = 0


@dataclass(frozen=True)
class Table:
    """``query`` gives the rows in the order of the key, or of all columns where there is none."""

    name: str
    vi: str
    en: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    query: sql.Composed


@dataclass(frozen=True)
class Scope:
    """What the export is of. ``release_id`` is None for what is known now; ``known_at`` is the moment up to which the
    warehouse knew what the files hold, and never the clock (law 14)."""

    name: str
    release_id: str | None
    period: str
    budget_year: int
    as_of: date
    known_at: datetime

    @property
    def values(self) -> dict[str, object]:
        """What the arguments of a mart's function stand for."""
        return {
            "p_as_of": self.as_of,
            "p_from": self.as_of.replace(day=1),
            "p_known_at": self.known_at if self.release_id else "infinity",
            "p_period": self.period,
            "p_budget_year": self.budget_year,
            "p_boundaries": None,  # those of now
        }


def tables(connection: Connection, scope: Scope, wanted: tuple[str, ...] = ()) -> list[Table]:
    """Every mart that can be told for the scope, or those that are wanted, by name.

    Raises UsageError for a wanted table that there is not.
    """
    found = {table.name: table for table in _all(connection, scope)}
    unknown = [name for name in wanted if name not in found]
    if unknown:
        raise UsageError(f"Không có bảng {', '.join(unknown)}. Các bảng: {', '.join(sorted(found))}.")
    return [found[name] for name in sorted(set(wanted) or found)]


def _all(connection: Connection, scope: Scope) -> Iterator[Table]:
    views = _shapes(connection, _VIEWS)
    functions = _shapes(connection, _FUNCTIONS)
    for mart in _described().values():
        name = mart.name
        if name in views:
            source = _of_view(scope, name, views, functions)
            shape = views.get(f"{name}_published", views[name]) if scope.release_id else views[name]
        elif name in functions and set(functions[name].arguments) <= set(scope.values):
            source, shape = _of_function(scope, name, functions[name]), functions[name]
        else:
            continue
        if source is not None:
            yield _table(mart, shape, source, of_release=scope.release_id is not None)


@dataclass(frozen=True)
class _Shape:
    """Columns of a view or of what a function returns, by name; the names of the function's arguments."""

    columns: dict[str, str]
    arguments: tuple[str, ...] = ()


_VIEWS = """
    select c.relname, a.attname, format_type(a.atttypid, a.atttypmod), array[]::text[]
    from pg_class as c inner join pg_attribute as a on c.oid = a.attrelid and a.attnum > 0
    where c.relnamespace = 'mart'::regnamespace and c.relkind = 'v'
    order by c.relname, a.attnum
"""
_FUNCTIONS = """
    select p.proname, t.name, format_type(t.type, null), p.proargnames[1:p.pronargs]
    from pg_proc as p
    cross join unnest(p.proargnames, p.proallargtypes, p.proargmodes) with ordinality as t (name, type, mode, no)
    where p.pronamespace = 'mart'::regnamespace and p.proretset and t.mode = 't'
    union all
    select p.proname, a.attname, format_type(a.atttypid, a.atttypmod), p.proargnames[1:p.pronargs]
    from pg_proc as p
    inner join pg_type as r on p.prorettype = r.oid
    inner join pg_attribute as a on r.typrelid = a.attrelid and a.attnum > 0
    where p.pronamespace = 'mart'::regnamespace and p.proretset
"""


def _shapes(connection: Connection, query: str) -> dict[str, _Shape]:
    shapes: dict[str, _Shape] = {}
    for name, column, type_name, arguments in connection.execute(query):
        shapes.setdefault(name, _Shape({}, tuple(arguments))).columns[column] = type_name
    return shapes


def _of_view(
    scope: Scope, name: str, views: Mapping[str, _Shape], functions: Mapping[str, _Shape]
) -> sql.Composable | None:
    """Rows of a mart that is a view: as it stands, or as it was published with the release."""
    if scope.release_id is None:
        return sql.SQL("select * from mart.{}").format(sql.Identifier(name))
    for view in (f"{name}_published", name):
        if "release_id" in views.get(view, _Shape({})).columns:
            return sql.SQL("select * from mart.{} where release_id = {}").format(
                sql.Identifier(view), sql.Literal(scope.release_id)
            )
    at = f"{name}_at"
    return _of_function(scope, at, functions[at]) if at in functions else None


def _of_function(scope: Scope, name: str, shape: _Shape) -> sql.Composable:
    """Rows of a function, its arguments being those of the scope; of a function of a period, for what is known now, the
    rows of every period that was published."""
    call, every = sql.Identifier("mart", name), scope.release_id is None and "p_period" in shape.arguments
    of_release = {"p_period": sql.SQL("r.period"), "p_budget_year": sql.SQL("r.budget_year")} if every else {}
    given = sql.SQL(", ").join(
        sql.SQL("{} => {}").format(sql.Identifier(a), of_release.get(a) or sql.Literal(scope.values[a]))
        for a in shape.arguments
    )
    if every:
        return sql.SQL("select f.* from mart.release as r cross join lateral {} ({}) as f where r.is_latest").format(
            call, given
        )
    rows = sql.SQL("select f.* from {} ({}) as f").format(call, given)
    held = [c for c in ("period", "budget_year") if c in shape.columns] if scope.release_id else []
    conditions = [sql.SQL("f.{} = {}").format(sql.Identifier(c), sql.Literal(scope.values[f"p_{c}"])) for c in held]
    return rows + sql.SQL(" where ") + sql.SQL(" and ").join(conditions) if conditions else rows


def _table(mart: Entry, shape: _Shape, source: sql.Composable, *, of_release: bool) -> Table:
    name = mart.name if mart.name.removesuffix("_at") in _described() else mart.name.removesuffix("_at")
    own = mart.columns
    left_out = {"release_no"} - set(own) | (_OF_THE_DAY if of_release else set())
    columns = tuple(_column(c, t, own) for c, t in shape.columns.items() if c not in left_out)
    names = [c.name for c in columns]
    key = tuple(_keys().get(name, ()))
    if not set(key) <= set(names):
        key = ()
    in_order = [
        sql.SQL('{} collate "C"').format(sql.Identifier("t", c.name))
        if c.kind == "text"
        else sql.Identifier("t", c.name)
        for c in sorted(columns, key=lambda c: key.index(c.name) if c.name in key else len(key))
        if c.name in key or not key
    ]
    query = sql.SQL("select {} from ({}) as t order by {}").format(
        sql.SQL(", ").join(sql.Identifier("t", n) for n in names), source, sql.SQL(", ").join(in_order)
    )
    return Table(name, mart.vi, mart.en, columns, key, query)


def _column(name: str, type_name: str, own: Mapping[str, entries.Column]) -> Column:
    told = own.get(name) or _dictionary().glossary.get(name) or entries.Column(name, name, name)
    unit = told.unit
    column = Column(name, "text", told.vi, told.en, unit)
    if type_name.endswith("[]"):
        return replace(column, kind="list")
    if type_name.startswith("numeric"):
        if unit in _DONG or type_name == "numeric(20,0)":
            return replace(column, kind="vnd")
        return replace(column, kind="decimal", scale=2 if unit in _TWO_PLACES else 6)
    return replace(column, kind=_KINDS.get(type_name, "text"))


@cache
def _dictionary() -> Dictionary:
    return entries.load()


@cache
def _described() -> dict[str, Entry]:
    """The marts' entries in the data dictionary, by name."""
    return {entry.name: entry for entry in _dictionary().entries if entry.schema == "mart"}


@cache
def _keys() -> dict[str, list[str]]:
    loaded: dict[str, list[str]] = yaml.safe_load(Path(__file__).with_name("keys.yml").read_text(encoding="utf-8"))
    return loaded
