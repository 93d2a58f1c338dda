"""From a published figure down to the cells it came from (law 8).

release -> figure -> leaf lines of the mart -> facts -> submission -> sheet!cell of the archived original. The cells
are opened again and compared, so that the answer is evidence and not a record of one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from psycopg import sql
from psycopg.rows import dict_row

from etl import money
from etl.collect import archive, cells, sheet
from etl.collect.formula import letters_to_index
from etl.errors import UsageError
from etl.load.warehouse import Connection
from etl.publish.figures import RATES

Terms = tuple[tuple[str, int], ...]
_ASSIGNED: Terms = (("plan_nstw", 1), ("plan_nst", 1), ("plan_nsx", 1))
_CARRY: Terms = (("carry_nstw", 1), ("carry_nsdp", 1))
_MEASURES: dict[str, Terms] = {
    "plan_total": (("plan_total", 1),),
    "plan_assigned": _ASSIGNED,
    "plan_carry": _CARRY,
    "disb_ytd": (("disb_ytd", 1),),
    "disb_period": (("disb_period", 1),),
    "disb_assigned": (("disb_ytd", 1), ("disb_carry", -1)),
    "disb_carry": (("disb_carry", 1),),
    "disb_completed": (("disb_completed", 1),),
    "disb_advance": (("disb_advance", 1),),
    "undisbursed": (("plan_total", 1), ("disb_ytd", -1)),
    "undisbursed_carry": (*_CARRY, ("disb_carry", -1)),
}
_BY_SOURCE: dict[tuple[str, str], Terms] = {
    ("plan_total", "NSTW"): (("plan_nstw", 1), ("carry_nstw", 1)),
    ("disb_ytd", "NSTW"): (("disb_nstw", 1),),
    ("undisbursed", "NSTW"): (("plan_nstw", 1), ("carry_nstw", 1), ("disb_nstw", -1)),
    ("plan_total", "NSDP"): (("plan_nst", 1), ("plan_nsx", 1), ("carry_nsdp", 1)),
    ("disb_ytd", "NSDP"): (("disb_nsdp", 1),),
    ("undisbursed", "NSDP"): (("plan_nst", 1), ("plan_nsx", 1), ("carry_nsdp", 1), ("disb_nsdp", -1)),
}
_FILTERS = {
    "programme": "programme_code",
    "project": "project_code",
    "subproject": "subproject_code",
    "capital_kind": "capital_kind",
    "commune": "commune_code",
}


@dataclass(frozen=True)
class CellRef:
    """One cell of one archived original. ``amount`` is the fact (đồng); ``held`` what the cell holds now (đồng)."""

    commune: str
    line_code: str
    file: str
    sha256: str
    archived_as: str
    submission_id: int
    sheet: str
    cell: str
    amount: int
    held: int | None

    @property
    def agrees(self) -> bool:
        return self.held == self.amount

    def as_json(self) -> dict[str, Any]:
        held = None if self.held is None else str(self.held)
        return {**self.__dict__, "amount": str(self.amount), "held": held, "agrees": self.agrees}


def trace(connection: Connection, figure_id: str, archive_dir: Path) -> dict[str, Any]:
    """The whole chain of a figure; raises UsageError when there is no such figure.

    ``parts`` are the sums that the figure is made of (value, or numerator and denominator), each with its terms and
    their cells; ``agrees`` is true when the cells hold the facts and the facts add up to the figure. A figure that is
    not a sum of money cells (a count, a text) has ``submissions`` instead: the reports from which it was derived.
    """
    figure = _figure(connection, figure_id)
    dims: dict[str, str] = figure["dims"]
    head = {
        "figure_id": figure_id,
        "release_id": figure["release_id"],
        "period": figure["period"],
        "budget_year": figure["budget_year"],
        "known_at": figure["known_at"].isoformat(),
        "metric": figure["metric"],
        "dims": dims,
        "value": _text(figure["value"]) if figure["value"] is not None else figure["text_value"],
        "unit": figure["unit"],
        "source": figure["source"],
    }
    wanted = _parts(figure["metric"], dims)
    if wanted is None:
        return {**head, "submissions": _submissions(connection, figure, dims)}
    opened: dict[str, dict[str, sheet.Grid]] = {}
    parts = []
    for role, terms in wanted:
        parts.append(_part(connection, figure, role, terms, dims, archive_dir, opened))
    return {**head, "parts": parts, "agrees": _agrees(figure, parts)}


def _figure(connection: Connection, figure_id: str) -> dict[str, Any]:
    row = (
        connection.cursor(row_factory=dict_row)
        .execute(
            """
            select f.*, r.period, r.budget_year, r.known_at from release.figure as f
            inner join release.release as r on f.release_id = r.release_id
            where f.figure_id = %s
            """,
            (figure_id,),
        )
        .fetchone()
    )
    if row is None:
        raise UsageError(f"Không có số liệu mang mã {figure_id}; mã có dạng 2025-10-r1/rate_total.")
    return row


def _parts(metric: str, dims: Mapping[str, str]) -> list[tuple[str, Terms]] | None:
    def terms(measure: str) -> Terms | None:
        if "source" in dims:
            return _BY_SOURCE.get((measure, dims["source"]))
        return _MEASURES.get(measure)

    if set(dims) - set(_FILTERS) - {"source"}:
        return None
    named = (
        [("numerator", RATES[metric][0]), ("denominator", RATES[metric][1])] if metric in RATES else [("value", metric)]
    )
    found = [(role, terms(measure)) for role, measure in named]
    return [(role, t) for role, t in found if t] if all(t for _, t in found) else None


def _part(
    connection: Connection,
    figure: Mapping[str, Any],
    role: str,
    terms: Terms,
    dims: Mapping[str, str],
    archive_dir: Path,
    opened: dict[str, dict[str, sheet.Grid]],
) -> dict[str, Any]:
    result = []
    total = 0
    for key, sign in terms:
        refs = _cells(connection, figure, key, dims, archive_dir, opened)
        amount = sum(ref.amount for ref in refs)
        total += sign * amount
        result.append({"key": key, "sign": sign, "amount": str(amount), "cells": [r.as_json() for r in refs]})
    return {"role": role, "amount": str(total), "terms": result}


def _cells(
    connection: Connection,
    figure: Mapping[str, Any],
    key: str,
    dims: Mapping[str, str],
    archive_dir: Path,
    opened: dict[str, dict[str, sheet.Grid]],
) -> list[CellRef]:
    conditions = [
        sql.SQL("l.{} = {}").format(sql.Identifier(_FILTERS[name]), sql.Placeholder(name))
        for name in dims
        if name in _FILTERS
    ]
    query = sql.SQL(
        """
        select
            l.commune_vi, l.line_code, s.file_name, s.sha256, o.archive_key, s.submission_id, y.sheet,
            (y.columns ->> {key_text}) || l.row_no as cell, l.{key} as amount
        from mart.disbursement_line_at(%(known_at)s) as l
        inner join raw.submission as s on l.submission_id = s.submission_id
        inner join raw.original as o on s.sha256 = o.sha256
        inner join raw.sheet_layout as y on s.submission_id = y.submission_id and y.form = 'B01'
        where l.period = %(period)s and l.budget_year = %(budget_year)s {more}
        order by l.commune_code, l.row_no
        """
    ).format(
        key_text=sql.Literal(key),
        key=sql.Identifier(key),
        more=sql.SQL("").join(sql.SQL(" and ") + c for c in conditions),
    )
    values = {k: figure[k] for k in ("known_at", "period", "budget_year")} | dict(dims)
    return [
        CellRef(
            row["commune_vi"],
            row["line_code"],
            row["file_name"],
            row["sha256"],
            row["archive_key"],
            row["submission_id"],
            row["sheet"],
            row["cell"],
            int(row["amount"] or 0),
            _held(archive_dir, row["sha256"], row["sheet"], row["cell"], opened),
        )
        for row in connection.cursor(row_factory=dict_row).execute(query, values).fetchall()
    ]


def _held(
    archive_dir: Path, sha256: str, name: str, address: str, opened: dict[str, dict[str, sheet.Grid]]
) -> int | None:
    """Đồng in that cell of the archived original; None when it holds no amount."""
    if sha256 not in opened:
        opened[sha256] = {grid.name: grid for grid in sheet.read(archive.fetch(archive_dir, sha256))}
    letters = address.rstrip("0123456789")
    value = opened[sha256][name].at(int(address[len(letters) :]) - 1, letters_to_index(letters))
    if isinstance(value, sheet.ErrorValue | sheet.Uncached):
        return None
    typed = cells.number(value, "money")
    if not isinstance(typed, cells.Cell):
        return None
    return typed.value if isinstance(typed.value, int) else 0


def _agrees(figure: Mapping[str, Any], parts: Sequence[Mapping[str, Any]]) -> bool:
    amounts = {part["role"]: int(part["amount"]) for part in parts}
    if not all(c["agrees"] for part in parts for term in part["terms"] for c in term["cells"]):
        return False
    if "value" in amounts:
        return bool(figure["value"] is not None and Decimal(amounts["value"]) == figure["value"])
    computed = money.rate_pct(amounts["numerator"], amounts["denominator"])
    return bool(computed == figure["value"])


def _submissions(connection: Connection, figure: Mapping[str, Any], dims: Mapping[str, str]) -> list[dict[str, Any]]:
    commune = dims.get("commune")
    rows = (
        connection.cursor(row_factory=dict_row)
        .execute(
            """
            select f.submission_id, c.name_vi as commune, f.file_name as file, f.sha256, o.archive_key as archived_as
            from core.in_force(%(known_at)s) as f
            inner join raw.original as o on f.sha256 = o.sha256
            inner join ref.commune as c on f.commune_code = c.commune_code
            where
                f.period = %(period)s and f.budget_year = %(budget_year)s
                and (%(commune)s::text is null or f.commune_code = %(commune)s)
            order by f.commune_code
            """,
            {**{k: figure[k] for k in ("known_at", "period", "budget_year")}, "commune": commune},
        )
        .fetchall()
    )
    return [dict(row) for row in rows]


def _text(value: Decimal) -> str:
    return f"{value:f}"


def as_text(result: Mapping[str, Any]) -> str:
    """The chain for people: figure, sums, files and cells."""
    lines = [
        f"{result['figure_id']} = {result['value']} [{result['unit']}], nguồn {result['source']}",
        f"Kỳ {result['period']}, năm ngân sách {result['budget_year']}, số liệu biết đến {result['known_at']}",
    ]
    names = {"value": "Giá trị", "numerator": "Tử số", "denominator": "Mẫu số"}
    for part in result.get("parts", ()):
        lines.append(f"{names[part['role']]}: {money.group_vi(int(part['amount']))} đồng")
        for term in part["terms"]:
            sign = "+" if term["sign"] > 0 else "-"
            lines.append(f"  {sign} {term['key']}: {money.group_vi(int(term['amount']))} đồng, {len(term['cells'])} ô")
            lines += [
                f"      {c['commune']}: {c['file']} {c['sheet']}!{c['cell']} {c['line_code']} "
                f"{money.group_vi(int(c['amount']))}" + ("" if c["agrees"] else f"  LỆCH: ô ghi {c['held']}")
                for c in term["cells"]
            ]
    lines += [f"  {s['commune']}: {s['file']} (sha256 {s['sha256']})" for s in result.get("submissions", ())]
    if "agrees" in result:
        lines.append("Các ô khớp với số liệu." if result["agrees"] else "CÁC Ô KHÔNG KHỚP VỚI SỐ LIỆU.")
    return "\n".join(lines)
