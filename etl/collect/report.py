"""What was read from one workbook: typed rows with their cells, and what could not be read.

Plain picklable values, because workbooks are read in several processes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from etl.collect.cells import Typed
from etl.period import Period


@dataclass(frozen=True)
class Issue:
    """A defect with its place; ``rule`` is the case of messiness.csv (M08) or the check (CK10).

    The message, severity and fix come from the rule catalogue; ``values`` fill their places.
    """

    rule: str
    sheet: str | None = None
    cell: str | None = None
    values: dict[str, str] = field(default_factory=dict)


def raw(value: Typed, expected: Typed) -> dict[str, str]:
    """The figures behind an issue's texts, for programs: đồng, or the number itself."""
    told = {"raw_value": value, "raw_expected": expected}
    if isinstance(value, int | Decimal) and isinstance(expected, int | Decimal):
        told["raw_difference"] = value - expected
    return {name: f"{figure:f}" if isinstance(figure, Decimal) else str(figure) for name, figure in told.items()}


@dataclass
class Row:
    """One row of a form.

    ``role``: leaf (a fact), heading or total (control sums only), off_budget. ``values`` by layout key: đồng, Decimal,
    date or text. ``states`` names every value that is not a plain number. ``bad`` are the keys whose cell has an
    issue already: later rules leave them alone. ``texts`` are numbers that the file keeps as text, as they stand there:
    formulas of the sheet pass over them.
    """

    row_no: int
    role: str
    code: str
    values: dict[str, Typed]
    states: dict[str, str]
    bad: frozenset[str] = frozenset()
    texts: dict[str, str] = field(default_factory=dict)


@dataclass
class Form:
    """``columns``: layout key -> column letter in this very file."""

    form: str
    sheet: str
    columns: dict[str, str]
    rows: list[Row]
    nothing_to_report: bool = False

    def cell(self, key: str, row_no: int) -> str | None:
        letter = self.columns.get(key)
        return f"{letter}{row_no}" if letter else None


@dataclass
class Report:
    """``commune_code``, ``period`` and ``budget_year`` are None when the file does not say them beyond doubt."""

    file_name: str
    sha256: str
    commune_code: str | None = None
    period: Period | None = None
    budget_year: int | None = None
    as_of: date | None = None
    template_id: str | None = None
    template_version: int | None = None
    version_no: int | None = None
    signer: str | None = None
    forms: dict[str, Form] = field(default_factory=dict)
    issues: list[Issue] = field(default_factory=list)
    settled: list[Issue] | None = None
    """What was settled before the rules judged (``etl.validate.settle``); None until then."""
    controls: dict[str, dict[str, list[Any]]] | None = None
    """Control columns of each form (``etl.validate.controls``); None until they are made."""
    refused: bool = False

    @property
    def line_counts(self) -> dict[str, int]:
        return {name: sum(row.role == "leaf" for row in form.rows) for name, form in self.forms.items()}
