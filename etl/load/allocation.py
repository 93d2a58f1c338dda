"""Allocation decisions into ``ref``: append-only, and only such as add up.

A decision that comes back with another amount is refused: a correction is another decision.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path
from typing import Any

from psycopg import sql
from psycopg.rows import dict_row

from etl.errors import DataError, UsageError
from etl.load.warehouse import Connection
from etl.reference.province import PROVINCE_TOTAL, Province, split_line_code
from etl.validate import decisions

_ALLOCATION_CODES = ("decision_no", "commune_code", "project_code", "capital_kind", "source")
_ALLOCATION_COLUMNS = (*_ALLOCATION_CODES, "signed_on", "effective_on", "budget_year", "amount_vnd")
_SHOWN = 20
_TOO_MUCH = 10**17
"""Đồng: a hundred thousand times a thousand tỷ; no province has a line like that."""


def load(connection: Connection, path: Path, province: Province, now: datetime) -> int:
    """Allocation decisions (CSV, see ``tiendo reference --help``) into ``ref``; returns new lines.

    A line is one signed change in đồng, for a commune, for a provincial unit (its agency code), or, with ``TINH``, the
    decision's total over all of them. Loading the same file again adds nothing. Raises UsageError, naming the file
    line, for an unknown commune, project or source, a date or amount that cannot be read, and for a line that is
    there already with another amount: a correction is another decision, never a silent change. Raises DataError where
    a decision does not add up to its own total (CK27); the caller's transaction is then to be rolled back.
    """
    added = 0
    named = set()
    for number, row in enumerate(_allocation_rows(path), 2):
        values = _allocation_line(row, province, f"{path.name}, dòng {number}") | {"now": now}
        named.add((values["decision_no"], values["budget_year"]))
        to_commune = values["unit_code"] in province.communes
        table, column = ("allocation", "commune_code") if to_commune else ("allocation_province", "unit_code")
        inserted = connection.execute(
            sql.SQL(
                """
                insert into ref.{} (
                    decision_no, signed_on, effective_on, budget_year, {}, project_code, capital_kind, source,
                    amount_vnd, note, loaded_at
                ) values (
                    %(decision_no)s, %(signed_on)s, %(effective_on)s, %(budget_year)s, %(unit_code)s,
                    %(project_code)s, %(capital_kind)s, %(source)s, %(amount_vnd)s, %(note)s, %(now)s
                ) on conflict do nothing
                """
            ).format(sql.Identifier(table), sql.Identifier(column)),
            values,
        ).rowcount
        if not inserted:
            _refuse_other_amount(connection, values, table, column, f"{path.name}, dòng {number}")
        added += inserted
    if added:
        _require_balance(connection, named)
    return added


def _allocation_line(row: dict[str, str], province: Province, where: str) -> dict[str, Any]:
    """The line, typed; raises UsageError with its place."""
    try:
        values: dict[str, Any] = {
            **{k: row[k].strip() for k in _ALLOCATION_CODES},
            "signed_on": date.fromisoformat(row["signed_on"]),
            "effective_on": date.fromisoformat(row["effective_on"]),
            "budget_year": int(row["budget_year"]),
            "amount_vnd": int(row["amount_vnd"]),
            "note": row.get("note") or None,
        }
    except (AttributeError, TypeError, ValueError) as error:
        raise UsageError(f"{where}: không đọc được ({error}).") from error
    values["unit_code"] = values.pop("commune_code")
    if not values["decision_no"]:
        raise UsageError(f"{where}: thiếu số quyết định.")
    if not 2021 <= values["budget_year"] <= 2099:
        raise UsageError(f"{where}: năm ngân sách {values['budget_year']} không hợp lệ.")
    if abs(values["amount_vnd"]) >= _TOO_MUCH:
        raise UsageError(f"{where}: số tiền {values['amount_vnd']} đồng không thể có.")
    if values["unit_code"] not in {*province.communes, *province.agencies, PROVINCE_TOTAL}:
        raise UsageError(f"{where}: không có xã, phường hoặc đơn vị cấp tỉnh mã {values['unit_code']}.")
    if values["project_code"] not in province.nodes:
        raise UsageError(f"{where}: {values['project_code']} không có trong danh mục chương trình.")
    if not split_line_code(f"{values['project_code']}-{values['capital_kind']}")[1]:
        raise UsageError(f"{where}: loại vốn {values['capital_kind']} không hợp lệ.")
    if values["source"] not in ("NSTW", "NST", "NSX", "KD_NSTW", "KD_NSDP"):
        raise UsageError(f"{where}: nguồn vốn {values['source']} không hợp lệ.")
    return values


def _require_balance(connection: Connection, named: Iterable[tuple[str, int]]) -> None:
    """CK27 for these decisions; nothing is asked of one whose total is not known."""
    known = sorted(named)
    rows = (
        connection.cursor(row_factory=dict_row)
        .execute(
            """
        select
            b.decision_no, b.project_code, b.capital_kind, b.source, b.provincial_total::bigint, b.communes::bigint,
            b.units::bigint
        from mart.allocation_balance as b
        where exists (
            select 1 from unnest(%s::text[], %s::integer[]) as d (decision_no, budget_year)
            where d.decision_no = b.decision_no and d.budget_year = b.budget_year
        )
        order by b.decision_no, b.project_code, b.capital_kind, b.source
        """,
            ([number for number, _ in known], [year for _, year in known]),
        )
        .fetchall()
    )
    found = decisions.findings(rows) if rows else []
    if found:
        told = [f"{f.rule}: {f.message}" for f in found[:_SHOWN]]
        more = [f"… và {len(found) - _SHOWN} dòng nữa."] if len(found) > _SHOWN else []
        raise DataError("\n".join(["Quyết định giao vốn không khớp tổng, chưa nạp gì:", *told, *more, found[0].fix]))


def _allocation_rows(path: Path) -> list[dict[str, str]]:
    """Lines of the file; with or without the mark that Excel puts before UTF-8."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as handle:
            reader = csv.DictReader(handle)
            names, rows = reader.fieldnames or (), list(reader)
    except (UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path.name} không phải tệp CSV mã hóa UTF-8.") from error
    missing = [name for name in _ALLOCATION_COLUMNS if name not in names]
    if missing:
        raise UsageError(f"{path.name}: thiếu cột {', '.join(missing)}.")
    return rows


def _refuse_other_amount(connection: Connection, values: dict[str, Any], table: str, column: str, where: str) -> None:
    row = connection.execute(
        sql.SQL(
            """
            select amount_vnd from ref.{}
            where (decision_no, budget_year, {}, project_code, capital_kind, source) = (
                %(decision_no)s, %(budget_year)s, %(unit_code)s, %(project_code)s, %(capital_kind)s, %(source)s
            )
            """
        ).format(sql.Identifier(table), sql.Identifier(column)),
        values,
    ).fetchone()
    if row and int(row[0]) != values["amount_vnd"]:
        raise UsageError(
            f"{where}: quyết định {values['decision_no']} đã có dòng này với số tiền {row[0]} đồng, "
            f"nay ghi {values['amount_vnd']} đồng; điều chỉnh phải bằng một quyết định khác."
        )
