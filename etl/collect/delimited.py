"""A sheet of separated values (.csv): one form, everything in it text.

Encodings that offices' machines write: UTF-8, UTF-16, Windows-1258; the separator is the one that splits most lines.
"""

from __future__ import annotations

import csv
import io

from etl.collect import guard
from etl.collect.grid import MAX_COLUMNS, MAX_ROWS, Grid

NAME = "csv"
_SEPARATORS = ";,\t|"


def read(data: bytes) -> list[Grid]:
    """One grid named ``csv``. Raises RefusedError for a table that is larger than any form."""
    text = _decoded(data)
    first, _, rest = text.partition("\n")
    separator = None
    if first.strip().casefold().startswith("sep="):
        separator, text = first.strip()[4:5], rest
    csv.field_size_limit(1_000_000)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator or _separator(text)))
    except csv.Error as error:
        raise guard.RefusedError(guard.DAMAGED) from error
    while rows and not any(v.strip() for v in rows[-1]):
        rows.pop()
    if len(rows) > MAX_ROWS or max(map(len, rows), default=0) > MAX_COLUMNS:
        raise guard.RefusedError(guard.BOMB)
    return [Grid(NAME, True, [list(row) for row in rows], textual=True)]


def _decoded(data: bytes) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace").replace("\0", "")
    try:
        return data.decode("utf-8-sig").replace("\0", "")
    except UnicodeDecodeError:
        # Python's cp1258 leaves some bytes undefined; text in an old encoding is then told from its letters.
        try:
            return data.decode("cp1258").replace("\0", "")
        except UnicodeDecodeError:
            return data.decode("latin-1").replace("\0", "")


def _separator(text: str) -> str:
    """The mark that splits most of the first lines into the same, largest number of values."""
    lines = [line for line in text.splitlines()[:60] if line.strip()]

    def agreement(mark: str) -> tuple[int, int]:
        counts = [n for n in (line.count(mark) for line in lines) if n >= 2]
        most = max(set(counts), key=counts.count) if counts else 0
        return (counts.count(most) if counts else 0, most)

    return max(_SEPARATORS, key=agreement)
