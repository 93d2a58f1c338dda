"""``tiendo export``: the marts as CSV, XLSX and Parquet with a Data Package descriptor, all files or none.

Of a release: what was published, as it was known when the release was frozen. Else what is known now. The same state of
the warehouse gives the same bytes. What opens by a double click in a Vietnamese Excel: CSV with semicolons, a decimal
comma and a byte-order mark. Excel itself takes the zeros off codes there and makes days of periods; the workbook does
not let it.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from etl import clock, settings
from etl.errors import UsageError
from etl.load.warehouse import Connection
from etl.publish import release as releases
from etl.publish.export import descriptor
from etl.publish.export.book import Book
from etl.publish.export.tables import Column, Scope, Table, tables
from etl.publish.export.values import for_csv, staged

_ROWS_AT_ONCE = 5000
_PARQUET_TYPES = {
    "text": "varchar", "integer": "bigint", "vnd": "decimal(38, 0)", "bool": "boolean", "date": "date",
    "moment": "timestamptz", "list": "varchar", "object": "varchar",
}  # fmt: skip


def write(connection: Connection, out: Path, release_id: str | None, wanted: Sequence[str] = ()) -> dict[str, Any]:
    """Write the export of a release, or of what is known now, into ``out``; returns what was written.

    ``wanted`` are names of tables, else all. Reads one snapshot. The folder is made, or was empty; nothing is left in
    it when anything fails. Tables without rows have no files. Raises UsageError for a release that is not there or
    not published, for an unknown table, for a folder that is not empty.
    """
    out = out.resolve()
    _require_room(out)
    connection.rollback()
    connection.execute("set transaction isolation level repeatable read, read only")
    scope = _scope(connection, release_id)
    chosen = tables(connection, scope, tuple(wanted))
    fresh = out.parent / f".{out.name}.new"
    try:
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        result = _write_all(connection, fresh, scope, chosen)
        if out.exists():
            out.rmdir()
        fresh.rename(out)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
        connection.rollback()
    return {"out": str(out), **result}


def _require_room(out: Path) -> None:
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out} là tệp, không phải là thư mục.")
    if out.exists() and any(out.iterdir()):
        raise UsageError(f"Thư mục {out} không trống; chọn thư mục khác hoặc dọn thư mục này.")
    held = next(folder for folder in (out.absolute().parent, *out.absolute().parents) if folder.exists())
    if not held.is_dir() or not os.access(held, os.W_OK):
        raise UsageError(f"Không ghi được vào thư mục {held}.")


def _scope(connection: Connection, release_id: str | None) -> Scope:
    if release_id is None:
        return _current(connection)
    row = connection.execute(
        "select period, budget_year, as_of, known_at from mart.release where release_id = %s", (release_id,)
    ).fetchone()
    if row is None:
        releases.get(connection, release_id)
        raise UsageError(f"Bản {release_id} chưa công bố; chỉ xuất được bản đã công bố, hoặc số hiện biết (--current).")
    period, budget_year, as_of, known_at = row
    return Scope(release_id, release_id, period, budget_year, as_of, known_at)


def _current(connection: Connection) -> Scope:
    """What is known now: up to the last thing that came in or was decided; tasks as of the last day of figures."""
    latest = connection.execute(
        "select period, budget_year, as_of from mart.submission order by as_of desc, budget_year desc limit 1"
    ).fetchone()
    if latest is None:
        raise UsageError("Kho dữ liệu chưa có báo cáo nào.")
    known = connection.execute(
        """
        select max(t.at) from (
            select max(s.known_at) as at from raw.submission as s
            union all select max(a.loaded_at) from ref.allocation as a
            union all select max(e.at) from audit.event as e
        ) as t
        """
    ).fetchone()
    known_at: datetime = known[0]  # type: ignore[index]
    period, budget_year, as_of = latest
    return Scope("current", None, period, budget_year, as_of, known_at)


def _write_all(connection: Connection, folder: Path, scope: Scope, chosen: Sequence[Table]) -> dict[str, Any]:
    workbook = folder / f"tiendo-{scope.name}.xlsx"
    book = Book(workbook, scope)
    written: list[tuple[Table, int]] = []
    resources: list[dict[str, Any]] = []
    for kind in ("csv", "parquet"):
        (folder / kind).mkdir()
    for table in chosen:
        rows = _write_table(connection, folder, table, book)
        if not rows:
            continue
        written.append((table, rows))
        for kind in ("csv", "parquet"):
            path = f"{kind}/{table.name}.{kind}"
            resources.append(descriptor.resource(table, kind, path, *_size_and_hash(folder / path)))
    coverage = _coverage(connection, scope)
    book.close(scope, written, _facts(scope, coverage))
    told = descriptor.package(scope, _issuer(), resources, coverage)
    (folder / "datapackage.json").write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return {
        "release": scope.release_id,
        "period": scope.period,
        "budget_year": scope.budget_year,
        "known_at": scope.known_at.isoformat(),
        "tables": [{"name": table.name, "rows": rows} for table, rows in written],
        "without_rows": sorted({table.name for table in chosen} - {table.name for table, _ in written}),
        "files": [str(p.relative_to(folder)) for p in sorted(folder.rglob("*")) if p.is_file()],
    }


def _size_and_hash(path: Path) -> tuple[int, str]:
    with path.open("rb") as handle:
        return path.stat().st_size, hashlib.file_digest(handle, "sha256").hexdigest()


def _write_table(connection: Connection, folder: Path, table: Table, book: Book) -> int:
    """CSV, Parquet and sheet of a table in one pass over its rows; how many. No files where there are none."""
    rows = _rows(connection, table)
    first = next(rows, None)
    if first is None:
        return 0
    count = 0
    stage = folder / "stage"
    sheet = book.sheet(table)
    with (
        (folder / "csv" / f"{table.name}.csv").open("w", encoding="utf-8-sig", newline="") as plain,
        stage.open("w", encoding="utf-8", newline="") as staging,
    ):
        writer = csv.writer(plain, delimiter=descriptor.DELIMITER, lineterminator="\r\n")
        writer.writerow([c.name for c in table.columns])
        for row in _chained(first, rows):
            writer.writerow([for_csv(v, c) for v, c in zip(row, table.columns, strict=True)])
            staging.write(staged(row, table.columns))
            sheet.write(row)
            count += 1
    sheet.end()
    _parquet(stage, folder / "parquet" / f"{table.name}.parquet", table.columns)
    stage.unlink()
    return count


def _rows(connection: Connection, table: Table) -> Iterator[Sequence[Any]]:
    with connection.cursor(name="export") as cursor:
        cursor.itersize = _ROWS_AT_ONCE
        yield from cursor.execute(table.query)


def _chained(first: Sequence[Any], rest: Iterator[Sequence[Any]]) -> Iterator[Sequence[Any]]:
    yield first
    yield from rest


def _parquet(stage: Path, target: Path, columns: Sequence[Column]) -> None:
    """One thread and no settings of the machine: the same rows give the same bytes."""
    import duckdb

    texts = ", ".join(f"'{c.name}': 'varchar'" for c in columns)
    typed = ", ".join(f'cast("{c.name}" as {_parquet_type(c)}) as "{c.name}"' for c in columns)
    with duckdb.connect(config={"threads": 1, "autoinstall_known_extensions": False}) as engine:
        engine.execute("set timezone = 'UTC'")
        engine.execute(
            f"copy (select {typed} from read_csv(?, header = false, delim = ',', quote = '\"', escape = '\"', "
            f"nullstr = '\\N', allow_quoted_nulls = false, auto_detect = false, strict_mode = true, "
            f"max_line_size = 100000000, columns = {{{texts}}})) "
            f"to '{str(target).replace(chr(39), chr(39) * 2)}' (format parquet, compression zstd)",
            [str(stage)],
        )


def _parquet_type(column: Column) -> str:
    return f"decimal(38, {column.scale})" if column.kind == "decimal" else _PARQUET_TYPES[column.kind]


def _coverage(connection: Connection, scope: Scope) -> dict[str, Any] | None:
    row = connection.execute(
        """
        select communes_reported, communes_expected, plan_covered_pct
        from mart.completeness_at(%s) where period = %s and budget_year = %s
        """,
        (scope.values["p_known_at"], scope.period, scope.budget_year),
    ).fetchone()
    if row is None:
        return None
    share = None if row[2] is None else str(row[2])
    return {"communesReported": row[0], "communesExpected": row[1], "planCoveredPct": share}


def _facts(scope: Scope, coverage: dict[str, Any] | None) -> Iterator[tuple[str, str]]:
    """What the first sheet of the workbook says of the export as a whole."""
    known: datetime = scope.known_at
    if scope.release_id:
        yield (
            "Bản tổng hợp",
            f"{scope.release_id}, kỳ {scope.period}, năm ngân sách {scope.budget_year}: như đã công bố",
        )
    else:
        yield "Số hiện biết", f"Mọi kỳ; kỳ gần nhất {scope.period}, năm ngân sách {scope.budget_year}"
    yield "Ngày chốt số liệu", clock.show_date(scope.as_of)
    yield "Biết đến lúc", f"{clock.show(known)} (giờ Việt Nam)"
    if coverage:
        share = (coverage["planCoveredPct"] or "").replace(".", ",")
        yield (
            "Mức độ đầy đủ",
            f"Kỳ {scope.period}: {coverage['communesReported']}/{coverage['communesExpected']} xã, phường có báo cáo, "
            f"giữ {share or '…'} % vốn được giao; từng tổng có cột communes_reported, communes_expected.",
        )


def _issuer() -> str:
    told = yaml.safe_load((settings.get().reference_dir / "report.yml").read_text(encoding="utf-8"))
    return str(told["issuer"])
