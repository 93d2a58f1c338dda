"""Statements of the State Treasury into the warehouse, and what is known from them of a commune at a moment.

Append-only (law 4): a later statement of the same date and budget year speaks from its loading on, an earlier one stays
what was known before, and speaks again when it is loaded again. Idempotent (law 10): a statement is known by the sha256
of its bytes, and loading the one that is in force is no loading.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from psycopg import sql
from psycopg.types.json import Jsonb

from etl import money
from etl.clock import show, show_date
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
class Gone:
    """Balances of a replaced statement that the new one has no longer: of a commune, or of one code of a commune.

    ``commune_code`` is None for a unit that belongs to none; ``total`` in đồng.
    """

    commune_code: str | None
    budget_unit_code: str
    budget_code: str | None = None
    total: int = 0


@dataclass(frozen=True)
class Replaced:
    """The statement of the same date and budget year that was in force, and what drops out with it."""

    sha256: str
    file_name: str
    loaded_at: datetime
    units: tuple[Gone, ...]
    codes: tuple[Gone, ...]
    """Of units that the new statement has as well."""


@dataclass(frozen=True)
class Loaded:
    """``is_new``: the statement was not there yet; ``remapped``: rows that stand for something else than before.

    ``speaks_again``: it was there, had been replaced, and is in force from now on.
    """

    is_new: bool
    remapped: int
    speaks_again: bool = False
    replaced: Replaced | None = None


@dataclass(frozen=True)
class Taken:
    """What became of a file: ``loaded`` is None where it is no statement that can be used, or may not be yet.

    ``replaced``: what it replaced, or would replace.
    """

    reading: Reading
    findings: tuple[Finding, ...]
    loaded: Loaded | None = None
    replaced: Replaced | None = None


def take_in(
    connection: Connection,
    path: Path,
    archive_dir: Path,
    province: Province,
    now: datetime,
    *,
    replace: bool = False,
) -> Taken:
    """The file into the archive, then read and loaded: as a whole, or not at all. The caller commits.

    One that lacks units of the statement in force for its date and budget year is loaded only with ``replace``: it may
    be a part of one. A file that is refused stays in the archive (law 1). No delivery is noted: a statement is nobody's
    report.
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
    connection.execute(_LOCK)
    replaced = in_place_of(connection, reading.statement, mapping, now)
    dropped = [_name(gone, province) for gone in replaced.units] if replaced else []
    if replaced and dropped and not replace:
        return Taken(reading, (on_statement.dropped(dropped, _which(replaced)),), None, replaced)
    loaded = load(connection, reading.statement, now, province)
    findings = on_statement.mapping_findings(reading.statement, mapping, province)
    if replaced and dropped:
        kept = archive.key_of(replaced.sha256)
        findings.append(on_statement.dropped(dropped, _which(replaced), archived=kept))
    return Taken(reading, tuple(findings), loaded, replaced)


_LOCK = "select pg_advisory_xact_lock(hashtext('tiendo.treasury'))"


def load(connection: Connection, statement: Statement, now: datetime, province: Province | None = None) -> Loaded:
    """Insert the statement and its rows; of one that is there already only rows that the lists map otherwise now.

    Afterwards it is in force. Its original must be registered. The caller commits.
    """
    connection.execute(_LOCK)
    mapping = configuration.in_force(province or reference.load(), statement.as_of)
    replaced = in_place_of(connection, statement, mapping, now)
    inserted = connection.execute(
        """
        insert into core.treasury_statement (sha256, file_name, as_of, budget_year, loaded_at)
        values (%s, %s, %s, %s, %s) on conflict (sha256) do nothing
        """,
        (statement.sha256, statement.file_name, statement.as_of, statement.budget_year, now),
    ).rowcount
    if not inserted:
        remapped = _remap(connection, statement, mapping, now)
        if replaced is not None:
            _speak(connection, statement, replaced, now)
        return Loaded(False, remapped, replaced is not None, replaced)
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
    _speak(connection, statement, replaced, now)
    return Loaded(True, 0, replaced=replaced)


def _speak(connection: Connection, statement: Statement, replaced: Replaced | None, now: datetime) -> None:
    """From now on the statement is the one in force of its date and budget year."""
    before = replaced.sha256 if replaced else None
    connection.execute(
        "insert into core.treasury_loading (sha256, replaced_sha256, loaded_at) values (%s, %s, %s)",
        (statement.sha256, before, now),
    )
    told = {
        "as_of": statement.as_of.isoformat(),
        "budget_year": statement.budget_year,
        "file": statement.file_name,
        "replaced": before,
    }
    connection.execute("select audit.append(%s, 'pipeline', 'treasury', %s, %s)", (now, statement.sha256, Jsonb(told)))


def in_place_of(connection: Connection, statement: Statement, mapping: Configuration, now: datetime) -> Replaced | None:
    """What the statement would replace; None where nothing of its date and budget year is in force but itself.

    A unit is known by its commune where it has one, so that a statement may name it by another code.
    """
    row = connection.execute(
        "select sha256, file_name, loaded_at from core.treasury_in_force(%s) where as_of = %s and budget_year = %s",
        (now, statement.as_of, statement.budget_year),
    ).fetchone()
    if row is None or row[0] == statement.sha256:
        return None
    has = {(_owner(line.budget_unit_code, mapping), line.budget_code) for line in statement.lines}
    units = {owner for owner, _ in has}
    gone: dict[tuple[str, str | None], Gone] = {}
    for unit, code, total in connection.execute(
        "select budget_unit_code, budget_code, total::bigint from core.treasury_balance "
        "where sha256 = %s order by sheet, row_no",
        (row[0],),
    ):
        owner = _owner(unit, mapping)
        if (owner, code) in has:
            continue
        lost = None if owner not in units else code
        before = gone.get((owner, lost)) or Gone(mapping.units.get(unit), unit, lost)
        gone[owner, lost] = dataclasses.replace(before, total=before.total + total)
    every = sorted(gone.values(), key=lambda g: (g.commune_code is None, g.commune_code or g.budget_unit_code))
    whole = tuple(g for g in every if g.budget_code is None)
    return Replaced(row[0], row[1], row[2], whole, tuple(g for g in every if g.budget_code is not None and g.total))


def _owner(budget_unit_code: str, mapping: Configuration) -> str:
    return mapping.units.get(budget_unit_code) or f"?{budget_unit_code}"


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
    statement of this very date (CK31). At most four queries, whatever the number of communes.
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
        from ref.unit as c
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
    unknown = [commune for commune, rows in lines.items() if not rows]
    before = _said_before(connection, sha256, unknown, known_at) if unknown else {}
    return {
        commune: Balances(
            as_of, budget_year, sha256, tuple(rows), tuple(postings.get(commune, ())), codes, before.get(commune, "")
        )
        for commune, rows in lines.items()
    }


def _said_before(
    connection: Connection, sha256: str, communes: Sequence[str], known_at: datetime | str
) -> dict[str, str]:
    """Commune -> file of the last statement that was in force for the same date and year and has balances of it."""
    rows = connection.execute(
        """
        select p.commune_code, (array_agg(s.file_name order by k.loaded_at desc, k.loading_id desc))[1]
        from core.treasury_statement as f
        inner join core.treasury_statement as s
            on f.as_of = s.as_of and f.budget_year = s.budget_year and f.sha256 <> s.sha256
        inner join core.treasury_loading as k on s.sha256 = k.sha256 and k.loaded_at <= %(known_at)s
        inner join core.treasury_balance as b on s.sha256 = b.sha256
        inner join core.treasury_place(s.sha256, %(known_at)s) as p on b.sheet = p.sheet and b.row_no = p.row_no
        where f.sha256 = %(sha256)s and p.commune_code = any(%(communes)s)
        group by p.commune_code
        """,
        {"sha256": sha256, "known_at": known_at, "communes": list(communes)},
    )
    return dict(rows.fetchall())


def _codes(rows: Iterable[tuple[str, str | None, str]]) -> Mapping[Place, tuple[str, ...]]:
    found: dict[Place, tuple[str, ...]] = {}
    for node, kind, code in rows:
        for each in (kind,) if kind else ("DT", "SN"):
            found[node, each] = (*found.get((node, each), ()), code)
    return found


# What people and programs are told -----------------------------------------------------------------------------------


def outcome_code(taken: Taken) -> str:
    """In one word, for programs."""
    if taken.loaded is None:
        return "refused" if taken.reading.refused else "not_loaded"
    if taken.loaded.is_new:
        return "loaded"
    return "loaded_again" if taken.loaded.speaks_again else "unchanged"


def outcome(taken: Taken) -> str:
    """One sentence on what became of a file."""
    statement = taken.reading.statement
    if statement is None or taken.loaded is None:
        what = "không mở được" if taken.reading.refused else "không nạp được" if statement is None else "không nạp"
        return f"{what}, tệp gốc đã lưu ({taken.reading.sha256})."
    of = f"sao kê đến ngày {show_date(statement.as_of)}, năm ngân sách {statement.budget_year}"
    replaced = taken.loaded.replaced
    instead = f", thay sao kê {_which(replaced)}" if replaced else ""
    if taken.loaded.is_new:
        return f"{of}: {len(statement.lines)} dòng số dư, {len(statement.postings)} chứng từ{instead}."
    remapped = f"nhận ra lại {taken.loaded.remapped} dòng theo danh mục"
    if taken.loaded.speaks_again:
        return f"{of} đã nạp từ trước, nay có hiệu lực trở lại{instead}; {remapped}."
    return f"{of} đã nạp từ trước; {remapped}."


def as_text(taken: Taken, province: Province) -> str:
    """What became of a file, with what drops out by commune and code, and the findings."""
    lines = [outcome(taken)]
    if taken.loaded is not None and taken.replaced is not None:
        for gone in (*taken.replaced.units, *taken.replaced.codes):
            what = f"mã {gone.budget_code} của " if gone.budget_code else ""
            lines.append(f"  Không còn {what}{_name(gone, province)}: lũy kế {money.group_vi(gone.total)} đồng.")
    for finding in taken.findings:
        place = f"{finding.sheet}!{finding.cell}" if finding.cell else finding.sheet or "cả tệp"
        lines.append(f"  {finding.rule} {place}: {finding.message}\n      Cách sửa: {finding.fix}")
    return "\n".join(lines)


def exit_code(taken: Taken) -> int:
    """2: not opened; 1: not loaded, or something in it stands for nothing; 0: fine."""
    errors = any(finding.severity == "error" for finding in taken.findings)
    return 2 if taken.reading.refused else 1 if errors or taken.loaded is None else 0


def as_json(taken: Taken, province: Province) -> dict[str, Any]:
    """Keys are stable; amounts are strings of đồng. ``replaces``: also where the statement was not loaded for it."""
    statement, replaced = taken.reading.statement, taken.replaced
    return {
        "file": taken.reading.file_name,
        "sha256": taken.reading.sha256,
        "outcome": outcome_code(taken),
        "as_of": statement.as_of.isoformat() if statement else None,
        "budget_year": statement.budget_year if statement else None,
        "balances": len(statement.lines) if statement else None,
        "postings": len(statement.postings) if statement else None,
        "remapped": taken.loaded.remapped if taken.loaded else None,
        "replaces": replaced
        and {
            "file": replaced.file_name,
            "sha256": replaced.sha256,
            "loaded_at": replaced.loaded_at.isoformat(),
            "communes_dropped": [_gone_json(gone, province) for gone in replaced.units],
            "codes_dropped": [
                _gone_json(gone, province) | {"budget_code": gone.budget_code} for gone in replaced.codes
            ],
        },
        "findings": [finding.as_json() for finding in taken.findings],
    }


def _gone_json(gone: Gone, province: Province) -> dict[str, Any]:
    commune = province.communes[gone.commune_code].name_vi if gone.commune_code else None
    return {
        "commune_code": gone.commune_code,
        "name": commune,
        "budget_unit_code": gone.budget_unit_code,
        "total_vnd": str(gone.total),
    }


def _which(replaced: Replaced) -> str:
    """Files of one date often have the same name."""
    return f"{replaced.file_name} nạp lúc {show(replaced.loaded_at)}"


def _name(gone: Gone, province: Province) -> str:
    if gone.commune_code is None:
        return f"đơn vị mã {gone.budget_unit_code} (chưa có trong danh mục)"
    return f"{province.communes[gone.commune_code].name_vi} ({gone.commune_code})"
