"""Archived originals opened again: what a cell holds, read as the reader takes it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from etl.collect import archive, cells, sheet
from etl.collect.formula import letters_to_index
from etl.reference import forms


class Originals:
    """Archived originals, each opened once; what a cell holds, read as its column asks."""

    def __init__(self, archive_dir: Path) -> None:
        self._archive_dir = archive_dir
        self._opened: dict[str, dict[str, sheet.Grid]] = {}

    def amount(self, row: Mapping[str, Any], form: str, key: str) -> Decimal | None:
        """The figure in the cell of that row and column; None when it holds none.

        A sum of the form counts with its parts as they were read where the spreadsheet passed over one that is kept as
        text (``etl.validate.settle``).
        """
        column = _column(row, form, key)
        held = self._number(row, column)
        kind, _, names = column.computed.partition(":")
        if kind == "sum":
            parts = [_column(row, form, name) for name in names.split(",")]
            if any(isinstance(self.raw(row, part.key), str) for part in parts):
                numbers = [self._number(row, part) for part in parts]
                return None if None in numbers else sum((n for n in numbers if n is not None), Decimal(0))
        if kind == "minus_previous" and held is not None:
            whole, cell = self.amount(row, form, names), self._number(row, _column(row, form, names))
            return held + whole - cell if whole is not None and cell is not None else held
        return held

    def _number(self, row: Mapping[str, Any], column: forms.Column) -> Decimal | None:
        value = self.raw(row, column.key)
        if isinstance(value, sheet.ErrorValue | sheet.Uncached):
            return None
        typed = cells.number(value, column.kind)
        return None if isinstance(typed, cells.Problem) else Decimal(typed.value or 0)  # type: ignore[arg-type]

    def words(self, row: Mapping[str, Any], form: str, key: str) -> cells.Typed:
        """Text, choice, date or amount in the cell, as the reader takes it; None when it cannot be read."""
        column, value = _column(row, form, key), self.raw(row, key)
        if isinstance(value, sheet.ErrorValue | sheet.Uncached):
            return None
        if column.numeric:
            typed: cells.Cell | cells.Problem = cells.number(value, column.kind)
        elif column.kind == "date":
            typed = cells.day(value)
        else:
            typed = cells.choice(value, column.choices) if column.kind == "enum" else cells.text(value)
        return None if isinstance(typed, cells.Problem) else typed.value

    def raw(self, row: Mapping[str, Any], key: str) -> sheet.GridValue:
        """The value of the cell, that of its merged range where it lies in one."""
        sha256, letters = row["sha256"], row["columns"].get(key)
        if letters is None:
            return None
        if sha256 not in self._opened:
            self._opened[sha256] = {g.name: g for g in sheet.read(archive.fetch(self._archive_dir, sha256))}
        grid, r, c = self._opened[sha256][row["sheet"]], row["row_no"] - 1, letters_to_index(letters)
        value = grid.at(r, c)
        if value is None:
            for (top, left), (bottom, right) in grid.merged:
                if top <= r <= bottom and left == c == right:
                    return grid.at(top, left)
        return value


def _column(row: Mapping[str, Any], form: str, key: str) -> forms.Column:
    layout = forms.load(row["template_version"] or forms.CURRENT_VERSION).sheet(form)
    return next(column for column in layout.columns if column.key == key)
