"""The layout of each form version, as data (``forms/v<n>_*.csv``), for the writer and the reader alike.

Source of the five forms: DOMAIN.md section 4.2 and forms.csv. Another version is another set of files.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

_FOLDER = Path(__file__).resolve().parent / "forms"
TEMPLATE_ID = "BC-MTQG"
CURRENT_VERSION = 1

HEADER_ROWS = (8, 9)
"""1-based sheet rows of the merged header in a workbook that we write; readers search for it by its texts."""
NUMBER_ROW = 10
FIRST_DATA_ROW = 11


@dataclass(frozen=True)
class Column:
    """One column of a form.

    ``kind``: text, code, money (triệu đồng), percent, quantity, date, deadline, agency, agencies, enum.
    ``computed``: ``sum:a,b``, ``minus_previous:a``, ``percent:a/b`` or empty; the writer makes a formula of it.
    """

    sheet: str
    no: int
    letter: str
    header_1: str
    header_2: str
    key: str
    kind: str
    unit: str
    decimals: int | None
    required: str
    locked: bool
    width: float
    choices: tuple[str, ...]
    computed: str
    number_label: str
    total: bool
    rule: str

    @property
    def title(self) -> str:
        """Both header rows as one text, for messages: ``Kế hoạch vốn … - Tổng số``."""
        return f"{self.header_1} - {self.header_2}" if self.header_2 else self.header_1

    @cached_property
    def numeric(self) -> bool:
        return self.kind in ("money", "percent", "quantity")


@dataclass(frozen=True)
class OffBudgetLine:
    """A line of the block "Vốn ngoài kế hoạch ngân sách" under Biểu 01; never part of a rate."""

    line_code: str
    name_vi: str
    unit: str
    source_code: str


@dataclass(frozen=True)
class Sheet:
    """One form: ``name`` is the sheet tab (``B01-GiaiNgan``), ``form`` the short name (``B01``)."""

    name: str
    form: str
    form_no: str
    title_vi: str
    unit_vi: str
    paper: str
    orientation: str
    row_key: str
    total_label: str
    columns: tuple[Column, ...]

    def column(self, key: str) -> Column:
        return next(c for c in self.columns if c.key == key)

    @property
    def numeric_keys(self) -> tuple[str, ...]:
        return tuple(c.key for c in self.columns if c.numeric)


@dataclass(frozen=True)
class FormVersion:
    version: int
    sheets: tuple[Sheet, ...]
    off_budget: tuple[OffBudgetLine, ...]

    def sheet(self, form_or_name: str) -> Sheet:
        """By short form name (``B01``) or tab name."""
        return next(s for s in self.sheets if form_or_name in (s.form, s.name))


def _rows(name: str) -> list[dict[str, str]]:
    with (_FOLDER / name).open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def versions() -> tuple[int, ...]:
    """Every version whose layout is shipped, oldest first."""
    return tuple(sorted(int(p.name[1 : p.name.index("_")]) for p in _FOLDER.glob("v*_sheets.csv")))


@cache
def load(version: int = CURRENT_VERSION) -> FormVersion:
    """The layout of one version."""
    columns: dict[str, list[Column]] = {}
    for row in _rows(f"v{version}_columns.csv"):
        columns.setdefault(row["sheet"], []).append(
            Column(
                sheet=row["sheet"],
                no=int(row["no"]),
                letter=row["column"],
                header_1=row["header_1"],
                header_2=row["header_2"],
                key=row["key"],
                kind=row["kind"],
                unit=row["unit"],
                decimals=int(row["decimals"]) if row["decimals"] else None,
                required=row["required"],
                locked=row["locked"] == "yes",
                width=float(row["width"]),
                choices=tuple(row["choices"].split("|")) if row["choices"] else (),
                computed=row["computed"],
                number_label=row["number_label"],
                total=row["total"] == "yes",
                rule=row["rule"],
            )
        )
    sheets = tuple(
        Sheet(
            name=row["sheet"],
            form=row["form"],
            form_no=row["form_no"],
            title_vi=row["title_vi"],
            unit_vi=row["unit_vi"],
            paper=row["paper"],
            orientation=row["orientation"],
            row_key=row["row_key"],
            total_label=row["total_label"],
            columns=tuple(columns[row["sheet"]]),
        )
        for row in _rows(f"v{version}_sheets.csv")
    )
    return FormVersion(version, sheets, tuple(OffBudgetLine(**row) for row in _rows(f"v{version}_off_budget.csv")))
