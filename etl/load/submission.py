"""One judged workbook into the warehouse: one transaction, all or nothing, bulk rows by COPY.

Append-only (law 4): nothing is updated. Idempotent (law 10): a submission is known by the sha256 of its bytes, so a
second load of the same file inserts nothing, and one that was killed half-way left nothing behind.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache, lru_cache
from itertools import chain
from typing import Any

from psycopg import sql
from psycopg.types.json import Jsonb

from etl.collect.report import Form, Report
from etl.load import marts, warehouse
from etl.load.warehouse import Connection
from etl.reference import forms
from etl.reference.province import split_line_code
from etl.validate.finding import Finding

_TABLE = {
    "B01": "disbursement",
    "B02": "output_indicator",
    "B03": "task_report",
    "B04": "proposal",
    "B05": "roadmap",
}
_LEADING = ("submission_id", "commune_code", "period", "budget_year", "row_no")
_NOT_STORED = frozenset({"stt", "content_vi"})


_FEWEST_FOR_TWO = 8


@dataclass(frozen=True)
class Judged:
    """A report with its verdict, as it goes into the warehouse."""

    report: Report
    findings: Sequence[Finding]
    verdict: str
    received_at: datetime


def load_all(connection: Connection, judged: Sequence[Judged], now: datetime) -> list[Judged]:
    """Loads each in a transaction of its own; those that were not there already.

    Beside the caller's connection a second one takes every other submission: while the server works for one, the rows
    of the other are prepared. In what order they come in means nothing to the warehouse (law 10).
    """
    if len(judged) < _FEWEST_FOR_TWO:
        loaded = _load_some(connection, judged, now)
    else:
        with warehouse.connect() as second, ThreadPoolExecutor(1) as beside:
            others = beside.submit(_load_some, second, judged[1::2], now)
            loaded = _load_some(connection, judged[::2], now) + others.result()
    marts.refresh(connection)
    connection.commit()
    return loaded


def _load_some(connection: Connection, judged: Sequence[Judged], now: datetime) -> list[Judged]:
    """Without the summaries, which are made once for all of them."""
    connection.execute("set tiendo.refresh = 'later'")
    connection.commit()
    try:
        return [one for one in judged if load(connection, one, now) is not None]
    finally:
        connection.execute("reset tiendo.refresh")
        connection.commit()


def load(connection: Connection, judged: Judged, now: datetime) -> int | None:
    """Insert the submission, its findings and, when accepted, its facts; None when it is there already.

    The caller's connection must not be in a transaction; this function commits its own.
    """
    with connection.transaction():
        submission_id = _insert_submission(connection, judged, now)
        if submission_id is None:
            return None
        _copy(
            connection,
            "core.finding",
            [
                "submission_id",
                "finding_no",
                "rule_id",
                "severity",
                "sheet",
                "cell",
                "value",
                "expected",
                "difference",
                "message_vi",
                "fix_vi",
                "expectation_id",
                "form",
                "line",
                "item",
                "unit",
                "explanation",
            ],
            (
                (
                    submission_id,
                    n,
                    f.rule,
                    f.severity,
                    f.sheet,
                    f.cell,
                    f.value,
                    f.expected,
                    f.difference,
                    f.message,
                    f.fix,
                    f.id,
                    f.form,
                    f.line,
                    f.item,
                    f.unit,
                    f.explanation,
                )
                for n, f in enumerate(judged.findings, 1)
            ),
        )
        if judged.verdict == "accepted":
            insert_facts(connection, judged.report, submission_id)
        connection.execute(
            "select audit.append(%s, 'pipeline', 'submission', %s, %s)",
            (now, judged.report.sha256, Jsonb({"verdict": judged.verdict, "file": judged.report.file_name})),
        )
    return submission_id


def note_replacements(connection: Connection, contested_pct: Decimal) -> int:
    """Note what each newly accepted submission replaced, and whether two offices may be at work; how many notes.

    ``contested_pct``: the threshold ``contested_lines_pct``. Called when a whole batch is in, so that the order within
    it does not matter. Idempotent: what has its note is left alone. The caller commits.
    """
    row = connection.execute("select core.note_replacements(%s)", (contested_pct,)).fetchone()
    return int(row[0]) if row else 0


def _insert_submission(connection: Connection, judged: Judged, now: datetime) -> int | None:
    report = judged.report
    row = connection.execute(
        """
        insert into raw.submission (
            sha256, file_name, verdict, commune_code, period, budget_year, as_of, template_id, template_version,
            version_no, signer, nothing_to_report, line_counts, received_at, archived_at, known_at, is_late_revision
        ) values (
            %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s,
            (select archived_at from raw.original where sha256 = %s), %s, exists (
                select 1 from release.publication as p
                inner join release.release as r on p.release_id = r.release_id
                where r.period = %s and r.budget_year = %s and p.published_at <= %s
            )
        )
        on conflict (sha256) do nothing
        returning submission_id
        """,
        (
            report.sha256,
            report.file_name,
            judged.verdict,
            report.commune_code,
            str(report.period) if report.period else None,
            report.budget_year,
            report.as_of,
            report.template_id,
            report.template_version,
            report.version_no,
            report.signer,
            [name for name, form in report.forms.items() if form.nothing_to_report],
            Jsonb(report.line_counts),
            judged.received_at,
            report.sha256,
            now,
            str(report.period) if report.period else None,
            report.budget_year,
            now,
        ),
    ).fetchone()
    return int(row[0]) if row else None


def insert_facts(connection: Connection, report: Report, submission_id: int) -> None:
    """The leaf rows of every form; the caller commits."""
    lead = (submission_id, report.commune_code, str(report.period), report.budget_year)
    _copy(
        connection,
        "raw.sheet_layout",
        ["submission_id", "form", "sheet", "columns"],
        ((submission_id, f.form, f.sheet, Jsonb(f.columns)) for f in report.forms.values()),
    )
    spelled = _registered_spelling(connection, report)
    for name, form in report.forms.items():
        columns, rows = _facts(form, report, spelled)
        _copy(connection, f"core.{_TABLE[name]}", [*_LEADING, *columns], ((*lead, *row) for row in rows))
    extra = [row for row in report.forms["B01"].rows if row.role == "off_budget"] if "B01" in report.forms else []
    _copy(
        connection,
        "core.off_budget",
        [*_LEADING, "line_code", "amount", "value_states"],
        (
            (
                *lead,
                row.row_no,
                row.code,
                row.values["disb_ytd"],
                _states((("amount", state),) if (state := row.states.get("disb_ytd")) else ()),
            )
            for row in extra
        ),
    )


def _registered_spelling(connection: Connection, report: Report) -> dict[str, str]:
    """Code of a task as it was read -> as the register spells it: reading folds codes, and QS-2025-10-1.A is 1.a."""
    form = report.forms.get("B03")
    codes = [row.code.upper() for row in form.rows if row.role == "leaf"] if form else []
    if not codes:
        return {}
    rows = connection.execute("select task_id from core.task where upper(task_id) = any(%s)", (codes,)).fetchall()
    return {task_id.upper(): task_id for (task_id,) in rows}


def _facts(form: Form, report: Report, spelled: Mapping[str, str]) -> tuple[list[str], Iterator[tuple[Any, ...]]]:
    """Column names after the leading ones, and the leaf rows of the form; ``spelled``: see _registered_spelling."""
    layout = forms.load(report.template_version or forms.CURRENT_VERSION).sheet(form.form)
    keys = [c.key for c in layout.columns if c.key not in _NOT_STORED]
    derived: list[str] = {
        "B01": ["project_code", "capital_kind"],
        "B05": ["project_code", "capital_kind"],
        "B04": ["is_new"],
    }.get(form.form, [])
    leaves = [row for row in form.rows if row.role == "leaf"]
    if form.form == "B05":
        leaves = [row for row in leaves if any(row.states.get(k) != "blank" for k in layout.numeric_keys)]

    def rows() -> Iterator[tuple[Any, ...]]:
        new = 0
        for row in leaves:
            values = row.values
            extra: tuple[Any, ...] = ()
            if form.form == "B03":
                values = values | {"task_id": spelled.get(row.code.upper(), row.code)}
            if derived == ["is_new"]:
                is_new = not values.get("issue_id")
                new += is_new
                if is_new:
                    values = values | {"issue_id": f"KN-{report.commune_code}-{report.period}-{new:02d}"}
                extra = (is_new,)
            elif derived:
                extra = split_line_code(row.code)
            yield (row.row_no, *map(values.get, keys), *extra, _states(tuple(row.states.items())))

    return [*keys, *derived, "value_states"], rows()


@lru_cache(maxsize=4096)
def _states(states: tuple[tuple[str, str], ...]) -> str:
    """States of a row's values as JSON text; few combinations occur, again and again."""
    return json.dumps(dict(states))


def _copy(connection: Connection, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """COPY the rows, if there are any."""
    remaining = iter(rows)
    first = next(remaining, None)
    if first is None:
        return
    with connection.cursor().copy(_copy_statement(table, tuple(columns))) as copy:
        for row in chain((first,), remaining):
            copy.write_row(row)


@cache
def _copy_statement(table: str, columns: tuple[str, ...]) -> sql.Composed:
    return sql.SQL("copy {} ({}) from stdin").format(
        sql.Identifier(*table.split(".")), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
