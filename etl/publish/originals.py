"""Archived originals opened again: what a cell holds, read as the reader takes it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from etl.collect import archive, reader
from etl.collect.cells import Typed
from etl.collect.report import Report
from etl.reference import province as reference
from etl.validate import settle


class Originals:
    """Archived originals, each opened and settled once, as on the day when it was judged."""

    def __init__(self, archive_dir: Path) -> None:
        self._archive_dir = archive_dir
        self._opened: dict[str, dict[tuple[str, int], dict[str, Typed]]] = {}

    def amount(self, row: Mapping[str, Any], form: str, key: str) -> Decimal | None:
        """The figure in the cell of that row and column; 0 where it is blank, None when it holds none."""
        value = self.words(row, form, key)
        if value is None:
            return Decimal(0)
        return Decimal(value) if isinstance(value, int | Decimal) else None

    def words(self, row: Mapping[str, Any], form: str, key: str) -> Typed:
        """Text, choice, date or amount in the cell; None when it is blank or cannot be read."""
        sha256 = row["sha256"]
        if sha256 not in self._opened:
            self._opened[sha256] = _rows(self._read(sha256))
        return self._opened[sha256].get((form, row["row_no"]), {}).get(key)

    def _read(self, sha256: str) -> Report:
        province = reference.load()
        report = reader.read(sha256, archive.fetch(self._archive_dir, sha256), province)
        settle.settle(report, province)
        return report


def _rows(report: Report) -> dict[tuple[str, int], dict[str, Typed]]:
    return {(name, row.row_no): row.values for name, form in report.forms.items() for row in form.rows}
