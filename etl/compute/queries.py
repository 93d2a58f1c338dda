"""The canonical questions (``sql/queries``): listed, and run read-only with their parameters.

A file is plain SQL for psql: two comment lines with the question in Vietnamese and English, for each parameter a line
``\\if … \\set … \\endif`` with its default, and the query, in which a parameter is ``:'name'``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from etl import settings
from etl.errors import UsageError

Connection = psycopg.Connection[Any]

_DEFAULT = re.compile(r"^\\if :\{\?(\w+)\} \\else \\set \w+ '([^']*)' \\endif$", re.MULTILINE)
_USED = re.compile(r":'(\w+)'")


@dataclass(frozen=True)
class Query:
    """``parameters`` with their defaults; ``body`` is what psql sends, parameters not yet filled in."""

    number: int
    name: str
    vi: str
    en: str
    parameters: dict[str, str]
    body: str

    def filled(self, given: Mapping[str, str]) -> sql.Composed:
        """Raises UsageError for a parameter that the question does not have."""
        unknown = sorted(given.keys() - self.parameters.keys())
        if unknown:
            known = ", ".join(self.parameters)
            raise UsageError(f"Câu {self.number:02d} không có tham số {', '.join(unknown)}; các tham số: {known}.")
        parts = _USED.split(self.body)  # text, name, text, name, …, text
        values = self.parameters | dict(given)
        return sql.Composed(sql.Literal(values[p]) if n % 2 else sql.SQL(p) for n, p in enumerate(parts))  # type: ignore[arg-type]


@cache
def every() -> tuple[Query, ...]:
    """In their order."""
    folder = settings.assets() / "sql" / "queries"
    return tuple(_read(path) for path in sorted(folder.glob("[0-9][0-9]_*.sql")))


def _read(path: Path) -> Query:
    text = path.read_text(encoding="utf-8")
    first, second = (line.removeprefix("-- ") for line in text.splitlines()[:2])
    body = "\n".join(line for line in text.splitlines() if not line.startswith(("--", "\\"))).strip().removesuffix(";")
    return Query(int(path.name[:2]), path.stem[3:], first.split(". ", 1)[1], second, dict(_DEFAULT.findall(text)), body)


def find(which: str) -> Query:
    """By number or name; raises UsageError when there is none."""
    for query in every():
        if which in (query.name, str(query.number), f"{query.number:02d}"):
            return query
    raise UsageError(f"Không có câu hỏi {which}; xem danh sách bằng lệnh: tiendo query")


def run(connection: Connection, query: Query, given: Mapping[str, str]) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Columns and rows, read in a transaction that cannot write. Raises UsageError for a value that PostgreSQL cannot
    read as what it stands for."""
    statement = query.filled(given)
    connection.rollback()
    connection.execute("set transaction read only")
    try:
        cursor = connection.execute(statement)
        rows = cursor.fetchall()
    except psycopg.DataError as error:
        raise UsageError(f"Tham số không đọc được: {str(error).splitlines()[0]}") from error
    finally:
        connection.rollback()
    return [column.name for column in cursor.description or []], rows


def parameters(texts: list[str]) -> dict[str, str]:
    """``name=value`` of the command line; raises UsageError for anything else."""
    pairs = [text.partition("=") for text in texts]
    wrong = [text for text, (name, equals, _) in zip(texts, pairs, strict=True) if not (name and equals)]
    if wrong:
        raise UsageError(f"Tham số phải viết tên=giá trị; nhận được: {', '.join(wrong)}.")
    return {name: value for name, _, value in pairs}
