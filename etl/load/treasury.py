"""Statements of the State Treasury into the warehouse, and what is known from them of a commune at a moment.

Append-only (law 4): a later statement of the same date and budget year speaks from its loading on, an earlier one stays
what was known before. Idempotent (law 10): a statement is known by the sha256 of its bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from psycopg import sql
from psycopg.types.json import Jsonb

from etl.clock import show_date
from etl.collect import archive
from etl.collect import treasury as reader
from etl.collect.treasury import Line, Posting, Reading, Statement
from etl.load.warehouse import Connection
from etl.reference import province as reference
from etl.reference import treasury as configuration
from etl.reference.province import Province
from etl.reference.treasury import Configuration, Place
from etl.validate import statement as on_statement
from etl.validate.finding import Finding
from etl.validate.treasury import Balance, Balances, LatePosting


@dataclass(frozen=True)
class Loaded:
    """``is_new``: the statement was not there yet; ``remapped``: rows that stand for something else than before."""

    is_new: bool
    remapped: int


@dataclass(frozen=True)
class Taken:
    """What became of a file: ``loaded`` is None where it is no statement that can be used."""

    reading: Reading
    findings: tuple[Finding, ...]
    loaded: Loaded | None = None


def take_in(connection: Connection, path: Path, archive_dir: Path, province: Province, now: datetime) -> Taken:
    """The file into the archive, then read and loaded: as a whole, or not at all. The caller commits.

    A file that is refused stays in the archive (law 1). No delivery is noted: a statement is nobody's report.
    """
    data = path.read_bytes()
    sha256 = archive.store(archive_dir, data)
    connection.execute(
        "insert into raw.original values (%s, %s, %s, %s) on conflict (sha256) do nothing",
        (sha256, len(data), archive.key_of(sha256), now),
    )
    reading = reader.read(path.name, data, configuration.columns(province))
    if reading.statement is None:
        return Taken(reading, tuple(on_statement.findings(reading)))
    mapping = configuration.in_force(province, reading.statement.as_of)
    if doubled := on_statement.doubled_communes(reading.statement, mapping, province):
        return Taken(reading, tuple(doubled))
    loaded = load(connection, reading.statement, now, province)
    return Taken(reading, tuple(on_statement.mapping_findings(reading.statement, mapping, province)), loaded)


def load(connection: Connection, statement: Statement, now: datetime, province: Province | None = None) -> Loaded:
    """Insert the statement and its rows; of one that is there already only rows that the lists map otherwise now.

    Its original must be registered. The caller commits.
    """
    mapping = configuration.in_force(province or reference.load(), statement.as_of)
    inserted = connection.execute(
        """
        insert into core.treasury_statement (sha256, file_name, as_of, budget_year, loaded_at)
        values (%s, %s, %s, %s, %s) on conflict (sha256) do nothing
        """,
        (statement.sha256, statement.file_name, statement.as_of, statement.budget_year, now),
    ).rowcount
    if not inserted:
        return Loaded(False, _remap(connection, statement, mapping, now))
    lead = ("sha256", "sheet", "row_no", "cell", "budget_unit_code", "budget_code", "said_kind")
    place = ("commune_code", "node_code", "capital_kind", "loaded_at")

    def common(row: Line | Posting) -> tuple[Any, ...]:
        first = (statement.sha256, row.sheet, row.row_no, row.cell, row.budget_unit_code, row.budget_code)
        return (*first, row.capital_kind, *_mapped(row, mapping), now)

    copy_rows(
        connection,
        "treasury_balance",
        (*lead, *place, "completed", "advance", "total", "overdue"),
        ((*common(b), b.completed, b.advance, b.total, b.overdue) for b in statement.lines),
    )
    copy_rows(
        connection,
        "treasury_posting",
        (*lead, *place, "posted_on", "document_no", "kind", "amount"),
        ((*common(p), p.posted_on, p.document_no, p.kind, p.amount) for p in statement.postings),
    )
    connection.execute(
        "select audit.append(%s, 'pipeline', 'treasury', %s, %s)",
        (
            now,
            statement.sha256,
            Jsonb(
                {
                    "as_of": statement.as_of.isoformat(),
                    "budget_year": statement.budget_year,
                    "file": statement.file_name,
                }
            ),
        ),
    )
    return Loaded(True, 0)


def _mapped(row: Line | Posting, mapping: Configuration) -> tuple[str | None, str | None, str | None]:
    """Commune, node and capital kind of a row; None for what is not known."""
    node, kind = mapping.place(row.budget_code, row.capital_kind) or (None, None)
    return mapping.units.get(row.budget_unit_code), node, kind


def _remap(connection: Connection, statement: Statement, mapping: Configuration, now: datetime) -> int:
    rows: list[Line | Posting] = [*statement.lines, *statement.postings]
    now_mapped = {(row.sheet, row.row_no): _mapped(row, mapping) for row in rows}
    changed = [
        (statement.sha256, sheet, row_no, *now_mapped[sheet, row_no], now)
        for sheet, row_no, *before in connection.execute(
            "select sheet, row_no, commune_code, node_code, capital_kind from core.treasury_place(%s, %s)",
            (statement.sha256, now),
        ).fetchall()
        if tuple(before) != now_mapped[sheet, row_no]
    ]
    columns = ("sha256", "sheet", "row_no", "commune_code", "node_code", "capital_kind", "mapped_at")
    copy_rows(connection, "treasury_mapping", columns, changed)
    return len(changed)


def copy_rows(connection: Connection, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    statement = sql.SQL("copy {} ({}) from stdin").format(
        sql.Identifier("core", table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with connection.cursor().copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


# What is known of the communes ----------------------------------------------------------------------------------------


def known_at(connection: Connection, budget_year: int, as_of: date, known_at: datetime | str) -> dict[str, Balances]:
    """By commune code what the statement of that date and budget year has, as known at a moment (or ``infinity``).

    Every commune of that day is there, without rows where the statement does not know it; empty when there is no
    statement of this very date (CK31). Three queries, whatever the number of communes.
    """
    row = connection.execute(
        """
        select s.sha256, (
            select json_agg(json_build_array(c.node_code, c.capital_kind, c.budget_code) order by c.budget_code)
            from ref.treasury_code as c
            where s.as_of >= c.valid_from and (c.valid_to is null or s.as_of <= c.valid_to)
        )
        from core.treasury_in_force(%s) as s where s.as_of = %s and s.budget_year = %s
        """,
        (known_at, as_of, budget_year),
    ).fetchone()
    if row is None:
        return {}
    sha256, codes = row[0], _codes(row[1] or ())
    lines: dict[str, list[Balance]] = {}
    for commune, *values in connection.execute(
        """
        with placed as (
            select
                p.commune_code, b.budget_code, p.node_code, p.capital_kind, b.completed::bigint, b.advance::bigint,
                b.total::bigint, b.overdue::bigint, b.sheet, b.cell, b.row_no
            from core.treasury_balance as b
            inner join core.treasury_place(%(sha256)s, %(known_at)s) as p
                on b.sheet = p.sheet and b.row_no = p.row_no
            where b.sha256 = %(sha256)s
        )

        select
            c.commune_code, p.budget_code, p.node_code, p.capital_kind, p.completed, p.advance, p.total, p.overdue,
            p.sheet, p.cell
        from ref.commune as c
        left join placed as p on c.commune_code = p.commune_code
        where %(as_of)s >= c.valid_from and (c.valid_to is null or %(as_of)s <= c.valid_to)
        order by c.commune_code, p.sheet, p.row_no
        """,
        {"sha256": sha256, "known_at": known_at, "as_of": as_of},
    ):
        rows = lines.setdefault(commune, [])
        if values[0] is not None:
            rows.append(Balance(*values))
    postings: dict[str, list[LatePosting]] = {}
    for commune, *values in connection.execute(
        """
        select
            p.commune_code, d.budget_code, p.node_code, p.capital_kind, d.posted_on, d.document_no, d.kind,
            d.amount::bigint
        from core.treasury_posting as d
        inner join core.treasury_place(%(sha256)s, %(known_at)s) as p on d.sheet = p.sheet and d.row_no = p.row_no
        where d.sha256 = %(sha256)s and d.posted_on > %(as_of)s and p.commune_code is not null
        order by d.posted_on, d.document_no, d.sheet, d.row_no
        """,
        {"sha256": sha256, "known_at": known_at, "as_of": as_of},
    ):
        postings.setdefault(commune, []).append(LatePosting(*values))
    return {
        commune: Balances(as_of, budget_year, sha256, tuple(rows), tuple(postings.get(commune, ())), codes)
        for commune, rows in lines.items()
    }


def _codes(rows: Iterable[tuple[str, str | None, str]]) -> Mapping[Place, tuple[str, ...]]:
    found: dict[Place, tuple[str, ...]] = {}
    for node, kind, code in rows:
        for each in (kind,) if kind else ("DT", "SN"):
            found[node, each] = (*found.get((node, each), ()), code)
    return found


# What people and programs are told -----------------------------------------------------------------------------------


def outcome(taken: Taken) -> str:
    """One sentence on what became of a file."""
    statement = taken.reading.statement
    if statement is None or taken.loaded is None:
        what = "không mở được" if taken.reading.refused else "không nạp được"
        return f"{what}, tệp gốc đã lưu ({taken.reading.sha256})."
    of = f"sao kê đến ngày {show_date(statement.as_of)}, năm ngân sách {statement.budget_year}"
    if taken.loaded.is_new:
        return f"{of}: {len(statement.lines)} dòng số dư, {len(statement.postings)} chứng từ."
    return f"{of} đã nạp từ trước; nhận ra lại {taken.loaded.remapped} dòng theo danh mục."
