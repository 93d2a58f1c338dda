"""Marks of rows, put into columns and frames: what Great Expectations judges.

A row of marks has ``row_no`` (None: the sheet as a whole), ``code`` and the control columns; a comparison's rows have
``form`` as well. Amounts are whole đồng; None (NA) means that the rule has nothing to say there. All arithmetic is done
on Python integers before a frame is made.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from itertools import chain, repeat
from typing import Any

import pandas as pd

from etl.collect.report import Report, Row

Marks = dict[str, Any]
Table = dict[str, list[Any]]
"""Columns of equal length; a column that no row has is absent."""
_INT64 = 2**63


def table(rows: Sequence[Marks]) -> Table:
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [row.get(name) for row in rows] for name in names}


def batch(tables: Sequence[Table], wanted: Collection[str]) -> pd.DataFrame:
    """The ``wanted`` columns of many tables as one frame; ``report`` is the position of the table of a row.

    Columns of whole numbers become Int64, so that NA and exact integers live together.
    """
    sizes = [len(one["row_no"]) if one else 0 for one in tables]
    present = {name for one in tables for name in one}
    columns: Table = {"report": [n for n, size in enumerate(sizes) for _ in range(size)]}
    for name in wanted:
        if name in present:
            columns[name] = list(
                chain.from_iterable(
                    one[name] if name in one else repeat(None, size) for one, size in zip(tables, sizes, strict=True)
                )
            )
    return pd.DataFrame({name: _column(values) for name, values in columns.items()})


def _column(values: list[Any]) -> Any:
    present = [value for value in values if value is not None]
    whole = set(map(type, present)) == {int} and min(present) > -_INT64 and max(present) < _INT64
    return pd.array(values, dtype="Int64") if whole else pd.Series(values, dtype="object")


def start(row: Row) -> Marks:
    return {"row_no": row.row_no, "code": row.code}


def leaves(report: Report, form: str) -> list[Row]:
    return [row for row in report.forms[form].rows if row.role == "leaf"] if form in report.forms else []


def number(value: Any) -> int | None:
    return value if isinstance(value, int) else None


def amount(row: Row, key: str) -> int | None:
    """The figure in đồng; None where there is none or its cell has an issue already."""
    value = row.values.get(key)
    return value if isinstance(value, int) and key not in row.bad else None


def total(*values: int | None) -> int | None:
    """The sum, None when a part is missing."""
    result = 0
    for value in values:
        if value is None:
            return None
        result += value
    return result


def minus(left: int | None, right: int | None) -> int | None:
    return None if left is None or right is None else left - right


def noted(row: Row) -> bool:
    """Whether there is a note; where the column itself is missing, its header is the finding."""
    note = row.values.get("note")
    return "note" in row.bad or (isinstance(note, str) and bool(note.strip()))


def told_apart(rows: Sequence[Row]) -> list[Row]:
    """Rows whose code stands once: which line a doubled code means cannot be told, and CK10 says so."""
    times = Counter(row.code for row in rows)
    return [row for row in rows if times[row.code] == 1]


def duplicates(rows: Sequence[Row]) -> dict[int, str]:
    """Row number -> number of the first row with the same code, as text."""
    first: dict[str, int] = {}
    return {r.row_no: str(first[r.code]) for r in rows if first.setdefault(r.code, r.row_no) != r.row_no}
