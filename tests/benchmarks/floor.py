"""The floor: what no program with these libraries can undercut.

Two processes read every sheet of the same files with python-calamine and hand the raw cells over; the rows that ours
had loaded (fetched beforehand from the warehouse given as argument) go into the same tables by one COPY each, in one
transaction. No archive, no guard, no typing, no check, no finding.
"""

from __future__ import annotations

import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import stopwatch

TABLES = (
    "raw.original",
    "raw.submission",
    "raw.sheet_layout",
    "core.disbursement",
    "core.output_indicator",
    "core.task_report",
    "core.proposal",
    "core.roadmap",
    "core.off_budget",
    "core.finding",
)
PROCESSES = 2


def read(path: Path) -> list[list[list[Any]]]:
    """Raw cells of all sheets."""
    from python_calamine import CalamineWorkbook

    workbook = CalamineWorkbook.from_path(str(path))
    return [workbook.get_sheet_by_name(name).to_python(skip_empty_area=False) for name in workbook.sheet_names]


def rows_of(address: str) -> dict[str, tuple[list[str], list[tuple[Any, ...]]]]:
    """Table -> its columns and rows in another warehouse, as COPY takes them."""
    from psycopg.types.json import Jsonb

    from etl.load import warehouse

    rows = {}
    with warehouse.connect(address) as connection:
        for table in TABLES:
            cursor = connection.execute(f"select * from {table}")
            columns = [column.name for column in cursor.description or ()]
            rows[table] = (
                columns,
                [tuple(Jsonb(v) if isinstance(v, dict) else v for v in row) for row in cursor.fetchall()],
            )
    return rows


def main(source: str) -> None:
    import python_calamine  # noqa: F401  the workers inherit it

    from etl import settings
    from etl.load import warehouse

    stopwatch.imported()
    rows = rows_of(source)
    inbox = settings.get().inbox_dir
    with stopwatch.work():
        paths = sorted(inbox.glob("*.xlsx"))
        with ProcessPoolExecutor(PROCESSES, mp_context=get_context("fork")) as pool:
            grids = list(pool.map(read, paths, chunksize=max(1, len(paths) // (PROCESSES * 4))))
        with warehouse.transaction() as connection:
            for table, (columns, values) in rows.items():
                with connection.cursor().copy(f"copy {table} ({', '.join(columns)}) from stdin") as copy:
                    for row in values:
                        copy.write_row(row)
    stopwatch.report(files=len(grids))


if __name__ == "__main__":
    main(sys.argv[1])
