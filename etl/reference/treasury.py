"""Configuration of the comparison with the State Treasury (Kho bạc Nhà nước, KBNN), from the province's folder.

``treasury_columns.csv``: header texts of a statement, and ``unit`` đồng for a layout that never says its unit;
``treasury_codes.csv``: budget codes of TABMIS -> node of the programme tree and capital kind; ``treasury_units.csv``:
codes of budget units (mã ĐVQHNS) -> commune. A code may stand for a heading: then what lies under it is compared as one
sum. A code without a capital kind leaves it to the statement.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from etl.errors import UsageError
from etl.reference.province import Province, read_csv

UNIT_DIGITS = 7
DONG = "đồng"
Place = tuple[str, str]
"""Node of the programme tree (leaf or heading) and capital kind (DT, SN): where Treasury and report are compared."""


@dataclass(frozen=True)
class Column:
    """A field of a statement; ``headers`` are the texts that name it, the usual one first.

    ``balances`` and ``postings``: whether a table of that sort must have it (yes), may have it (no) or never has it
    (empty). ``headers_in_dong``: those that the province vouches for, in a layout that never says its unit.
    """

    field: str
    kind: str
    headers: tuple[str, ...]
    balances: str
    postings: str
    headers_in_dong: frozenset[str] = frozenset()

    def need(self, table: str) -> str:
        return self.balances if table == "balances" else self.postings


@dataclass(frozen=True)
class Configuration:
    """What is in force on one day. ``codes``: (budget code, capital kind or "") -> (node, capital kind or "").

    ``units``: code of a budget unit, or of a commune -> commune.
    """

    columns: tuple[Column, ...]
    codes: Mapping[tuple[str, str], Place]
    units: Mapping[str, str]

    def place(self, budget_code: str, said_kind: str | None) -> Place | None:
        """Node and capital kind of a row of a statement; None where the code is unknown, or the kind is not settled.

        A kind that the statement says must be one that the code may have.
        """
        if said_kind:
            found = self.codes.get((budget_code, said_kind)) or self.codes.get((budget_code, ""))
            return (found[0], said_kind) if found else None
        places = [place for (code, _), place in self.codes.items() if code == budget_code]
        return places[0] if len(places) == 1 and places[0][1] else None

    def knows(self, budget_code: str) -> bool:
        return any(code == budget_code for code, _ in self.codes)


def in_force(province: Province, day: date) -> Configuration:
    """The configuration on that day. Raises UsageError, naming file and line, for what the province does not have."""
    columns, codes, units = _load(province.folder)
    mapped: dict[tuple[str, str], Place] = {}
    for number, row in codes:
        node, kind = row["node_code"], row["capital_kind"]
        if node not in province.nodes:
            raise UsageError(f"treasury_codes.csv, dòng {number}: cây chương trình không có mã {node}.")
        if kind not in ("", "DT", "SN"):
            raise UsageError(
                f"treasury_codes.csv, dòng {number}: loại vốn phải là DT, SN hoặc để trống, không là {kind}."
            )
        if _holds(row, day) and mapped.setdefault((row["budget_code"], kind), (node, kind)) != (node, kind):
            raise UsageError(f"treasury_codes.csv, dòng {number}: mã {row['budget_code']} đã gắn với nội dung khác.")
    owners: dict[str, str] = {}
    for number, row in units:
        unit, commune = row["budget_unit_code"], row["commune_code"]
        if commune not in province.communes:
            raise UsageError(f"treasury_units.csv, dòng {number}: không có xã mã {commune}.")
        if _holds(row, day) and owners.setdefault(unit, commune) != commune:
            raise UsageError(f"treasury_units.csv, dòng {number}: mã ĐVQHNS {unit} đã gắn với xã khác.")
    for commune in province.communes:  # a statement may name a commune by its own code, read with a unit's seven digits
        owners.setdefault(commune.zfill(UNIT_DIGITS), commune)
    return Configuration(columns, mapped, owners)


def columns(province: Province) -> tuple[Column, ...]:
    return _load(province.folder)[0]


_Numbered = list[tuple[int, dict[str, str]]]


@cache
def _load(folder: Path) -> tuple[tuple[Column, ...], _Numbered, _Numbered]:
    """Columns; rows of codes and of units with their line in the file."""
    fields: dict[str, list[dict[str, str]]] = {}
    for number, row in enumerate(read_csv(folder / "treasury_columns.csv"), 2):
        unit = row.get("unit") or ""
        if unit not in ("", DONG) or (unit and row["kind"] != "amount"):
            raise UsageError(
                f"treasury_columns.csv, dòng {number}: cột unit chỉ được ghi “{DONG}” cho cột số tiền hoặc để trống, "
                f"không ghi “{unit}”; số tiền của sao kê không được quy đổi."
            )
        fields.setdefault(row["field"], []).append(row)
    found = tuple(
        Column(
            name,
            rows[0]["kind"],
            tuple(r["header_vi"] for r in rows),
            rows[0]["balances"],
            rows[0]["postings"],
            frozenset(r["header_vi"] for r in rows if r.get("unit")),
        )
        for name, rows in fields.items()
    )
    codes, units = (list(enumerate(read_csv(folder / f"treasury_{name}.csv"), 2)) for name in ("codes", "units"))
    return found, codes, units


def _holds(row: Mapping[str, str], day: date) -> bool:
    return row["valid_from"] <= day.isoformat() and (not row["valid_to"] or day.isoformat() <= row["valid_to"])
