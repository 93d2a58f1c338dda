"""The canonical questions, and one month of every mart, as an analyst asks them of five years of a country.

Prints one JSON object: ``questions`` and ``marts`` by name, seconds of the fastest of some runs (the first brings the
pages into the cache; null: longer than the patience), and ``gib``, the size of the database.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import psycopg
import stage

from etl.compute import queries
from etl.load import warehouse

GIVEN = {
    "period": str(stage.PERIOD),
    "budget_year": str(stage.PERIOD.year),
    "as_of": stage.PERIOD.last_day.isoformat(),
    "commune": f"{stage.FIRST_CODE + stage.NATION // 2:05d}",
    "line": "GNBV-DA1-TDA1-DT",
}
PATIENCE_SECONDS = 20


def main() -> None:
    repeat = int(sys.argv[1])
    with warehouse.connect() as connection:
        gib = connection.execute("select pg_database_size(current_database()) / 1024.0 ^ 3").fetchone()
        connection.execute("set session authorization tiendo_analyst")
        connection.execute(f"set statement_timeout = '{PATIENCE_SECONDS}s'")
        connection.commit()
        asked = {
            q.name: fastest(
                connection,
                lambda q=q: queries.run(connection, q, {k: v for k, v in GIVEN.items() if k in q.parameters}),
                repeat,
            )
            for q in queries.every()
        }
        months = {
            name: fastest(connection, lambda name=name: month_of(connection, name), repeat)
            for name in marts(connection)
        }
    print(json.dumps({"questions": asked, "marts": months, "gib": float(gib[0]) if gib else 0}))


def marts(connection: psycopg.Connection[Any]) -> list[str]:
    """Views of the marts that have a period and a budget year, as best known."""
    return [
        str(name)
        for (name,) in connection.execute(
            "select c.relname from pg_class as c where c.relnamespace = 'mart'::regnamespace and c.relkind = 'v' "
            "and c.relname !~ '_(history|published)$' and 2 = (select count(*) from pg_attribute as a "
            "where a.attrelid = c.oid and a.attname in ('period', 'budget_year')) order by c.relname"
        )
    ]


def month_of(connection: psycopg.Connection[Any], name: str) -> None:
    connection.execute(
        f"select count(*) from (select * from mart.{name} where period = %s and budget_year = %s offset 0) as m",
        (GIVEN["period"], int(GIVEN["budget_year"])),
    )


def fastest(connection: psycopg.Connection[Any], work: Callable[[], object], repeat: int) -> float | None:
    """Seconds; of one run where that takes a second already; None where PostgreSQL gave up."""
    best = float("inf")
    for _ in range(repeat):
        started = time.perf_counter()
        try:
            work()
        except psycopg.errors.QueryCanceled:
            connection.rollback()
            return None
        best = min(best, time.perf_counter() - started)
        if best > 1:
            break
    return best


if __name__ == "__main__":
    main()
