"""Allocation decisions into ``ref``: append-only, and only such as add up.

A decision that comes back with another amount or another day is refused: a correction is another decision. A line that
stands twice in one file is refused, too: nobody can tell whether it was meant twice. No decision takes a plan below
zero.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from psycopg import sql
from psycopg.rows import dict_row

from etl import money
from etl.errors import DataError, UsageError
from etl.load.warehouse import Connection
from etl.reference.province import PROVINCE_TOTAL, Province, split_line_code
from etl.validate import decisions

_ALLOCATION_CODES = ("decision_no", "commune_code", "project_code", "capital_kind", "source")
_ALLOCATION_COLUMNS = (*_ALLOCATION_CODES, "signed_on", "effective_on", "budget_year", "amount_vnd")
_KEY = ("decision_no", "budget_year", "unit_code", "project_code", "capital_kind", "source")
_BLANK = "(ô trống)"
_DAY = "ngày theo dạng năm-tháng-ngày, ví dụ 2025-12-10"
_YEAR = "năm có 4 chữ số, ví dụ 2025"
_AMOUNT = "số tiền bằng đồng, chỉ gồm chữ số, giảm thì có dấu trừ ở trước, ví dụ -100000000"
_SHOWN = 20
_SOURCES = ("NSTW", "NST", "NSX", "KD_NSTW", "KD_NSDP")
_TOO_MUCH = 10**17
"""Đồng: a hundred thousand times a thousand tỷ; no province has a line like that."""


def load(connection: Connection, path: Path, province: Province, now: datetime) -> int:
    """Allocation decisions (CSV, see ``tiendo reference --help``) into ``ref``; returns new lines.

    A line is one signed change in đồng, for a commune, for a provincial unit (its agency code), or, with ``TINH``, the
    decision's total over all of them. Loading the same file again adds nothing, because a line is known by decision,
    year, unit, project, capital kind and source. Raises UsageError, naming the file line, for an unknown commune,
    project or source, a cell that cannot be read, a line that stands twice in the file, and for one that is there
    already with another amount or day: a correction is another decision, never a silent change. Raises DataError where
    a decision does not add up to its own total (CK27) or takes a plan below zero; the caller's transaction is then to
    be rolled back.
    """
    lines = [
        (number, _allocation_line(row, province, f"{path.name}, dòng {number}"))
        for number, row in _allocation_rows(path)
    ]
    _require_once(lines, path.name)
    communes = [line for line in lines if line[1]["unit_code"] in province.communes]
    others = [line for line in lines if line[1]["unit_code"] not in province.communes]
    new = [
        *_insert(connection, "allocation", "commune_code", communes, path.name, now),
        *_insert(connection, "allocation_province", "unit_code", others, path.name, now),
    ]
    if new:
        _require_balance(connection, {(values["decision_no"], values["budget_year"]) for values in new})
        _require_no_plan_below_zero(connection, new, province)
    return len(new)


def _insert(
    connection: Connection, table: str, unit: str, lines: list[tuple[int, dict[str, Any]]], file: str, now: datetime
) -> list[dict[str, Any]]:
    """The lines that are new, by two statements for all; raises UsageError for the first that is there already and says
    something else, also where another loader wrote it meanwhile. ``unit``: the column of ``ref.<table>`` that holds
    the unit's code."""
    columns = (*_KEY, "signed_on", "effective_on", "amount_vnd", "note")
    parts = {
        "table": sql.Identifier("ref", table),
        "unit": sql.Identifier(unit),
        "lines": sql.SQL(
            "unnest(%s::integer[], %s::text[], %s::integer[], %s::text[], %s::text[], %s::text[], %s::text[], "
            "%s::date[], %s::date[], %s::numeric[], %s::text[]) as l (number, {columns})"
        ).format(columns=sql.SQL(", ").join(map(sql.Identifier, columns))),
    }
    told = [[number for number, _ in lines], *([values[name] for _, values in lines] for name in columns)]
    inserted = connection.execute(
        sql.SQL(
            """
            insert into {table} (
                decision_no, signed_on, effective_on, budget_year, {unit}, project_code, capital_kind, source,
                amount_vnd, note, loaded_at
            )
            select
                l.decision_no, l.signed_on, l.effective_on, l.budget_year, l.unit_code, l.project_code, l.capital_kind,
                l.source, l.amount_vnd, l.note, %s
            from {lines}
            order by l.number
            on conflict do nothing
            returning decision_no, budget_year, {unit}, project_code, capital_kind, source
            """
        ).format(**parts),
        [now, *told],
    ).fetchall()
    there = connection.execute(
        sql.SQL(
            """
            select l.number, a.amount_vnd::bigint, a.signed_on, a.effective_on
            from {lines}
            inner join {table} as a
                on (a.decision_no, a.budget_year, a.{unit}, a.project_code, a.capital_kind, a.source)
                = (l.decision_no, l.budget_year, l.unit_code, l.project_code, l.capital_kind, l.source)
            order by l.number
            """
        ).format(**parts),
        told,
    ).fetchall()
    by_number = dict(lines)
    for number, *before in there:
        _refuse_other_words(by_number[number], before, f"{file}, dòng {number}")
    new = set(inserted)
    return [values for _, values in lines if tuple(values[name] for name in _KEY) in new]


def _allocation_line(row: dict[str, str], province: Province, where: str) -> dict[str, Any]:
    """The line, typed; raises UsageError with its place."""
    values: dict[str, Any] = {
        **{name: row[name] for name in _ALLOCATION_CODES},
        "signed_on": _day(row, "signed_on", where),
        "effective_on": _day(row, "effective_on", where),
        "budget_year": int(_matching(r"\d{4}", row, "budget_year", where, _YEAR)),
        "amount_vnd": int(_matching(r"[+-]?\d+", row, "amount_vnd", where, _AMOUNT)),
        "note": row.get("note") or None,
    }
    values["unit_code"] = values.pop("commune_code")
    if not values["decision_no"]:
        raise UsageError(f"{where}: thiếu số quyết định.")
    if not 2021 <= values["budget_year"] <= 2099:
        raise UsageError(f"{where}: năm ngân sách {values['budget_year']} không hợp lệ.")
    if abs(values["amount_vnd"]) >= _TOO_MUCH:
        raise UsageError(f"{where}: số tiền {values['amount_vnd']} đồng không thể có.")
    if values["unit_code"] not in {*province.communes, *province.agencies, PROVINCE_TOTAL}:
        raise UsageError(f"{where}: không có xã, phường hoặc đơn vị cấp tỉnh mã {values['unit_code'] or _BLANK}.")
    if values["project_code"] not in province.nodes:
        raise UsageError(f"{where}: {values['project_code'] or _BLANK} không có trong danh mục chương trình.")
    if not split_line_code(f"{values['project_code']}-{values['capital_kind']}")[1]:
        raise UsageError(f"{where}: loại vốn {values['capital_kind'] or _BLANK} không hợp lệ; phải là DT hoặc SN.")
    if values["source"] not in _SOURCES:
        raise UsageError(
            f"{where}: nguồn vốn {values['source'] or _BLANK} không hợp lệ; phải là một trong {', '.join(_SOURCES)}."
        )
    return values


def _day(row: dict[str, str], name: str, where: str) -> date:
    text = _matching(r"\d{4}-\d{2}-\d{2}", row, name, where, _DAY)
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"{where}, cột {name}: ngày {text} không có trong lịch; phải là {_DAY}.") from error


def _matching(pattern: str, row: dict[str, str], name: str, where: str, expected: str) -> str:
    """The cell's text where it is what the column holds. Only plain digits: what else counts as one is not written."""
    if re.fullmatch(pattern, row[name], re.ASCII):
        return row[name]
    raise UsageError(f"{where}, cột {name}: {_said(row[name])} không đọc được; phải là {expected}.")


def _said(text: str) -> str:
    return f"“{text}”" if text else _BLANK


def _require_once(lines: Iterable[tuple[int, dict[str, Any]]], file: str) -> None:
    """No line stands twice: as one it would lose money, as two it could not be told from a slip."""
    first: dict[tuple[Any, ...], int] = {}
    for number, values in lines:
        before = first.setdefault(tuple(values[name] for name in _KEY), number)
        if before != number:
            raise UsageError(
                f"{file}: dòng {before} và dòng {number} trùng nhau (quyết định {values['decision_no']}, đơn vị "
                f"{values['unit_code']}, {values['project_code']}-{values['capital_kind']}, nguồn {values['source']}). "
                "Nếu cùng một quyết định thì ghi một dòng với tổng số tiền; nếu là hai lần giao, hoặc có hiệu lực từ "
                "hai ngày khác nhau, thì ghi theo số quyết định khác. Chưa nạp gì."
            )


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


def _require_no_plan_below_zero(connection: Connection, new: Collection[dict[str, Any]], province: Province) -> None:
    """On no day is a line's plan, the sum of what is in force by then, less than nothing.

    The province's total is not asked: it is no plan of its own, and CK27 holds it against its parts.
    """
    keys = sorted({tuple(values[name] for name in _KEY[1:]) for values in new})
    rows = (
        connection.cursor(row_factory=dict_row)
        .execute(
            """
            with decided as (
                select a.budget_year, a.commune_code as unit_code, a.project_code, a.capital_kind, a.source,
                    a.effective_on, a.decision_no, a.amount_vnd
                from ref.allocation as a
                union all
                select a.budget_year, a.unit_code, a.project_code, a.capital_kind, a.source, a.effective_on,
                    a.decision_no, a.amount_vnd
                from ref.allocation_province as a where a.unit_code <> %s
            ),

            days as (
                select d.budget_year, d.unit_code, d.project_code, d.capital_kind, d.source, d.effective_on,
                    sum(d.amount_vnd) as changed,
                    string_agg(d.decision_no, ', ' order by d.decision_no) filter (where d.amount_vnd < 0) as cut_by
                from decided as d
                inner join unnest(%s::integer[], %s::text[], %s::text[], %s::text[], %s::text[])
                    as k (budget_year, unit_code, project_code, capital_kind, source)
                    using (budget_year, unit_code, project_code, capital_kind, source)
                group by d.budget_year, d.unit_code, d.project_code, d.capital_kind, d.source, d.effective_on
            ),

            plans as (
                select d.*, sum(d.changed) over (
                    partition by d.budget_year, d.unit_code, d.project_code, d.capital_kind, d.source
                    order by d.effective_on
                ) as plan
                from days as d
            )

            select distinct on (p.unit_code, p.budget_year, p.project_code, p.capital_kind, p.source)
                p.unit_code, p.project_code, p.capital_kind, p.source, p.effective_on, p.cut_by,
                (p.plan - p.changed)::bigint as before, -p.changed::bigint as cut, p.plan::bigint as plan
            from plans as p where p.plan < 0
            order by p.unit_code, p.budget_year, p.project_code, p.capital_kind, p.source, p.effective_on
            """,
            (PROVINCE_TOTAL, *(list(column) for column in zip(*keys, strict=True))),
        )
        .fetchall()
    )
    if not rows:
        return
    told = [
        f"{row['unit_code']}{_named(row['unit_code'], province)}, {row['project_code']}-{row['capital_kind']}, nguồn "
        f"{row['source']}: kế hoạch trước ngày {row['effective_on']:%d/%m/%Y} là {money.group_vi(row['before'])} đồng, "
        f"quyết định {row['cut_by']} giảm {money.group_vi(row['cut'])} đồng, còn {money.group_vi(row['plan'])} đồng."
        for row in rows[:_SHOWN]
    ]
    more = [f"… và {len(rows) - _SHOWN} dòng nữa."] if len(rows) > _SHOWN else []
    fix = (
        "Kiểm tra lại số giảm và ngày có hiệu lực; nếu còn thiếu quyết định giao trước đó thì nạp quyết định ấy trước."
    )
    raise DataError("\n".join(["Kế hoạch vốn không thể âm, chưa nạp gì:", *told, *more, fix]))


def _named(unit: str, province: Province) -> str:
    commune = province.communes.get(unit)
    return f" ({commune.name_vi})" if commune else ""


def _allocation_rows(path: Path) -> list[tuple[int, dict[str, str]]]:
    """(number, cells) of each line that is not blank; with or without the mark that Excel puts before UTF-8.

    Cells are stripped, and composed: the same text typed on another machine is the same decision.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as handle:
            reader = csv.reader(handle, strict=True)
            names = [_clean(name) for name in next(reader, ())]
            rows = [(reader.line_num, [_clean(cell) for cell in row]) for row in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path.name} không phải tệp CSV mã hóa UTF-8.") from error
    missing = [name for name in _ALLOCATION_COLUMNS if name not in names]
    if missing:
        raise UsageError(f"{path.name}: thiếu cột {', '.join(missing)}.")
    result = []
    for number, row in rows:
        if not any(row):
            continue
        if any(row[len(names) :]):
            raise UsageError(
                f"{path.name}, dòng {number}: có {len(row)} ô trong khi tệp chỉ có {len(names)} cột; số tiền không "
                "được có dấu phẩy, nội dung có dấu phẩy phải đặt trong ngoặc kép."
            )
        result.append((number, dict(zip(names, [*row, *[""] * len(names)], strict=False))))
    return result


def _clean(text: str) -> str:
    return unicodedata.normalize("NFC", text).strip()


def _refuse_other_words(values: dict[str, Any], before: Sequence[Any], where: str) -> None:
    """``before``: amount, day of signing and day of effect of the line that is there."""
    said = (
        ("số tiền", f"{before[0]} đồng", f"{values['amount_vnd']} đồng"),
        ("ngày ký", f"{before[1]:%d/%m/%Y}", f"{values['signed_on']:%d/%m/%Y}"),
        ("ngày có hiệu lực", f"{before[2]:%d/%m/%Y}", f"{values['effective_on']:%d/%m/%Y}"),
    )
    for what, held, now in said:
        if held != now:
            raise UsageError(
                f"{where}: quyết định {values['decision_no']} đã có dòng này với {what} {held}, "
                f"nay ghi {now}; điều chỉnh phải bằng một quyết định khác."
            )
