"""Reference data of the province into schema ``ref`` and the task register, as dated rows.

Idempotent: the CSV files are the truth for ``ref``; the tables are replaced as a whole in the caller's transaction,
so a second run leaves the same rows. Since when each row was known is kept beside them (``ref.<table>_history``): what
was published with other rows stays what it was. The task register is append-only: what is there already is left alone.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Sequence
from dataclasses import astuple
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from etl.load.warehouse import Connection
from etl.reference import programmes, units
from etl.reference.province import Province, read_csv

Convert = Callable[[str], Any]


def _text(value: str) -> str | None:
    return value or None


def _yes(value: str) -> bool:
    return value == "yes"


def _list(separator: str) -> Convert:
    return lambda value: [part for part in value.split(separator) if part]


_TYPES: dict[str, Convert] = {
    "verified": _yes,
    "partly_merged": _yes,
    "ambiguous_without_district": _yes,
    "capital_verified": _yes,
    "in_rate": _yes,
    "is_closing": _yes,
    "active": _yes,
    "former_districts": _list(";"),
    "managing_agencies_vi": _list(";"),
    "capital_kinds": _list("|"),
    "predecessor_codes": programmes.predecessor_codes,
}
_TABLES = {
    "commune": "communes.csv",
    "former_unit": "former_units.csv",
    "agency": "agencies.csv",
    "agency_alias": "agency_aliases.csv",
    "funding_source": "funding_sources.csv",
    "capital_kind": "capital_kinds.csv",
    "reporting_calendar": "calendar.csv",
    "holiday": "holidays.csv",
    "threshold": "thresholds.csv",
    "indicator": "indicators.csv",
    "treasury_code": "treasury_codes.csv",
    "treasury_unit": "treasury_units.csv",
    "contact": "contacts.csv",
    "follow_up_step": "follow_up_steps.csv",
}

_UNIT = (
    "commune_code", "valid_from", "valid_to", "name_vi", "kind", "district_vi", "province_code", "document", "verified",
)  # fmt: skip
_UNIT_CHANGE = ("changed_on", "from_code", "to_code", "kind", "is_whole", "document", "verified")
_PROGRAMME_CHANGE = ("from_code", "to_code", "is_whole")


def replace(
    connection: Connection, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], now: datetime
) -> None:
    """Replace the rows of ``ref.<table>`` by COPY; the caller's transaction makes it all or nothing.

    What differs is known from ``now`` on (``ref.<table>_history``). Where the same rows are there already nothing is
    touched: what rests on the table need not be made anew.
    """
    parts = {
        "target": sql.Identifier("ref", table),
        "fresh": sql.Identifier(f"fresh_{table}"),
        "columns": sql.SQL(", ").join(map(sql.Identifier, columns)),
    }

    def run(text: str) -> psycopg.Cursor[Any]:
        return connection.execute(sql.SQL(text).format(**parts))

    run("create temporary table {fresh} on commit drop as select {columns} from {target} with no data")
    with connection.cursor().copy(sql.SQL("copy {fresh} ({columns}) from stdin").format(**parts)) as copy:
        for row in rows:
            copy.write_row(row)
    differing = run(
        "select exists (select * from {fresh} except all select {columns} from {target}) "
        "or exists (select {columns} from {target} except all select * from {fresh})"
    ).fetchone()
    if differing == (True,):
        connection.execute("select set_config('tiendo.known_at', %s, true)", (now.isoformat(),))
        run("delete from {target}")
        run("insert into {target} ({columns}) select {columns} from {fresh}")
        connection.execute("select set_config('tiendo.known_at', '', true)")
    run("drop table {fresh}")


def load(connection: Connection, province: Province, now: datetime) -> dict[str, int]:
    """Everything of the province's folder; returns the number of rows by table.

    Raises UsageError for a history of units or programmes that contradicts itself; nothing is replaced then.
    """
    history = units.load(province.folder)
    handed_on = programmes.changes(province.folder)
    counts = {}
    for table, name in _TABLES.items():
        rows = read_csv(province.folder / name)
        columns = _header(province.folder / name)
        replace(connection, table, columns, ([_TYPES.get(c, _text)(row[c]) for c in columns] for row in rows), now)
        counts[table] = len(rows)
    connection.execute(
        "select core.add_budget_year(w.budget_year) "
        "from (select distinct c.budget_year from ref.reporting_calendar as c) as w"
    )
    replace(connection, "unit", _UNIT, map(astuple, history.units), now)
    replace(connection, "unit_change", _UNIT_CHANGE, map(astuple, history.changes), now)
    replace(connection, "programme_change", _PROGRAMME_CHANGE, map(astuple, handed_on), now)
    counts |= {"unit": len(history.units), "unit_change": len(history.changes), "programme_change": len(handed_on)}
    counts["programme_node"] = _programme_tree(connection, province, now)
    counts["task"] = _register(connection, province, now)
    return counts


def _header(path: Path) -> list[str]:
    with path.open(encoding="utf-8", newline="") as handle:
        return next(csv.reader(handle))


def _programme_tree(connection: Connection, province: Province, now: datetime) -> int:
    rows = read_csv(province.folder / "programmes.csv")
    leaves = set(province.leaf_codes)
    columns = [*rows[0], "sort_no", "is_leaf"]
    # A node may be known "partly": the mark is text here, a yes/no everywhere else.
    types = {**_TYPES, "verified": _text}
    replace(
        connection,
        "programme_node",
        columns,
        (
            [*(types.get(c, _text)(row[c]) for c in rows[0]), number, row["code"] in leaves]
            for number, row in enumerate(rows, 1)
        ),
        now,
    )
    return len(rows)


def _register(connection: Connection, province: Province, now: datetime) -> int:
    """Directives and their tasks; one that is registered already stays as it is (law 15)."""
    for row in read_csv(province.folder / "directives.csv"):
        connection.execute(
            """
            insert into core.directive values (
                %(directive_id)s, %(doc_no)s, %(doc_date)s, %(issuer_vi)s, %(title_vi)s, %(event_date)s, %(place_vi)s,
                %(signed_by_vi)s, %(note_vi)s
            ) on conflict (directive_id) do nothing
            """,
            {key: _text(value) for key, value in row.items()},
        )
    tasks = province.tasks()
    for row in tasks:
        connection.execute(
            """
            insert into core.task (
                task_id, directive_id, item, lead_vi, lead_text_vi, coordinating_vi, content_vi, deadline_phrase_vi,
                due_date, due_kind, recurrence, kind, deliverable, related_document, joint_group, note, registered_at
            ) values (
                %(task_id)s, %(directive_id)s, %(item)s, %(lead_vi)s, %(lead_text_vi)s, %(coordinating)s,
                %(content_vi)s, %(deadline_phrase_vi)s, %(due_date)s, %(due_kind)s, %(recurrence)s, %(kind)s,
                %(deliverable)s, %(related_document)s, %(joint_group)s, %(note)s, %(now)s
            ) on conflict (task_id) do nothing
            """,
            {key: _text(value) for key, value in row.items()}
            | {"coordinating": _list(";")(row["coordinating_vi"]), "now": now},
        )
    return len(tasks)
