"""The reports in force held against the Treasury statement of the same day, run by run.

Append-only (law 4). Idempotent (law 10): a comparison is known by what went into it and what came out.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from psycopg.types.json import Jsonb

from etl import money
from etl.clock import show_date
from etl.errors import UsageError
from etl.load.treasury import copy_rows, known_at
from etl.load.warehouse import Connection
from etl.period import Period
from etl.reference import province as reference
from etl.reference.province import Province
from etl.validate import treasury
from etl.validate.treasury import Balance, Balances, Difference, Reported

KINDS_VI = {
    "missing_unit": "Sao kê không có đơn vị",
    "wrong_code": "Có thể nhầm mã",
    "unexplained": "Chưa rõ nguyên nhân",
    "posting_date": "Do ngày hạch toán",
    "advance": "Lệch số dư tạm ứng",
    "advance_overdue": "Tạm ứng quá hạn thu hồi",
    "unknown_code": "Mã chương trình, dự án chưa có trong danh mục",
    "unknown_unit": "Mã ĐVQHNS chưa có trong danh mục",
}
"""Kinds of difference in the order in which they are told."""
_TOTAL = frozenset({"wrong_code", "missing_unit", "unexplained"})
"""Kinds that are one and the same open difference of a total, whatever it is taken for from month to month."""


@dataclass(frozen=True)
class Reconciliation:
    """``differences``: columns of ``core.reconciliation_difference``, and ``commune_vi``. Without a statement of the
    very date ``sha256`` is None and ``other_dates`` are those of which there is one (CK31)."""

    period: str
    budget_year: int
    as_of: date
    sha256: str | None
    file_name: str | None = None
    reconciliation_id: int | None = None
    is_new: bool = False
    communes: tuple[str, ...] = ()
    differences: list[dict[str, Any]] = field(default_factory=list)
    other_dates: tuple[date, ...] = ()


def reconcile(
    connection: Connection, period: Period, budget_year: int | None, now: datetime, province: Province | None = None
) -> Reconciliation:
    """Hold every report in force against the statement of its date, as both are known at ``now``, and keep the result.

    Where inputs and outcome are those of the last run, no other run is kept. Raises UsageError for a month that the
    calendar does not have. The caller commits.
    """
    province = province or reference.load()
    window = province.window(period, budget_year)
    year, as_of = window.budget_year, window.as_of
    connection.execute("select pg_advisory_xact_lock(hashtext('tiendo.reconcile'))")
    statement = connection.execute(
        "select sha256, file_name from core.treasury_in_force(%s) where as_of = %s and budget_year = %s",
        (now, as_of, year),
    ).fetchone()
    if statement is None:
        dates = connection.execute(
            "select as_of from core.treasury_in_force(%s) where budget_year = %s order by as_of", (now, year)
        ).fetchall()
        return Reconciliation(str(period), year, as_of, None, other_dates=tuple(day for (day,) in dates))
    sha256, file_name = statement
    balances = known_at(connection, year, as_of, now)
    reports = _reports(connection, str(period), year, now)
    rows = [
        row
        for commune, (submission_id, reported) in reports.items()
        if commune in balances
        for row in _rows(commune, submission_id, reported, balances[commune], province)
    ]
    rows += _unknown_units(connection, sha256, now)
    earlier = _earlier(connection, str(period), year, now)
    for row in rows:
        row["open_since"] = _open_since(row, earlier) or str(period)
    communes = tuple(commune for commune in reports if commune in balances)
    submissions = [submission_id for submission_id, _ in reports.values()]
    text = json.dumps([sha256, submissions, communes, rows], ensure_ascii=False, sort_keys=True)
    outcome = hashlib.sha256(text.encode()).hexdigest()
    number, is_new = _keep(connection, (str(period), year, as_of, sha256, now, list(communes), outcome), rows)
    for row in rows:
        commune = province.communes.get(row["commune_code"] or "")
        row["commune_vi"] = commune.name_vi if commune else None
    return Reconciliation(str(period), year, as_of, sha256, file_name, number, is_new, communes, rows)


def _reports(
    connection: Connection, period: str, budget_year: int, now: datetime
) -> dict[str, tuple[int, dict[str, Reported]]]:
    """Commune -> its submission in force and the leaf lines of its Biểu 01."""
    reports: dict[str, tuple[int, dict[str, Reported]]] = {}
    for commune, submission_id, line, *amounts in connection.execute(
        """
        select
            f.commune_code, f.submission_id, d.line_code, d.disb_ytd::bigint, d.disb_completed::bigint,
            d.disb_advance::bigint
        from core.in_force(%(now)s) as f
        left join core.disbursement as d
            on f.submission_id = d.submission_id and d.budget_year = %(year)s
        where f.period = %(period)s and f.budget_year = %(year)s
        order by f.commune_code, d.row_no
        """,
        {"now": now, "period": period, "year": budget_year},
    ):
        lines = reports.setdefault(commune, (submission_id, {}))[1]
        if line is not None:
            lines[line] = Reported(*amounts)
    return reports


def _rows(
    commune: str, submission_id: int, reported: Mapping[str, Reported], balances: Balances, province: Province
) -> Iterator[dict[str, Any]]:
    """The commune's differences, and codes of its unit that stand for nothing and were not paired with a line."""
    found = treasury.compare(reported, balances, province)
    for difference in found:
        first = next((b for b in balances.lines if _is_of(b, difference, province)), None)
        yield {
            "kind": difference.kind,
            "commune_code": commune,
            "node_code": difference.node_code,
            "capital_kind": difference.capital_kind,
            "line_codes": list(difference.line_codes),
            "reported": difference.reported,
            "treasury": difference.treasury,
            "difference": difference.difference,
            "explained_by": difference.explained_by or None,
            "submission_id": submission_id,
            "sheet": first.sheet if first else None,
            "cell": first.cell if first else None,
        }
    named = " ".join(d.explained_by for d in found if d.kind == "wrong_code")
    unknown: dict[str, list[Balance]] = {}
    for balance in balances.lines:
        if balance.node_code is None and treasury.unknown_code(balance.budget_code) not in named:
            unknown.setdefault(balance.budget_code, []).append(balance)
    for code, rows in unknown.items():
        if total := sum(balance.total for balance in rows):
            cell = (rows[0].sheet, rows[0].cell)
            yield _not_reported("unknown_code", commune, total, treasury.unknown_code(code), cell, submission_id)


def _is_of(balance: Balance, difference: Difference, province: Province) -> bool:
    node = balance.node_code
    if node is None or balance.capital_kind != difference.capital_kind:
        return False
    return difference.node_code in (node, *province.ancestors(node))


def _not_reported(
    kind: str, commune: str | None, total: int, name: str, cell: tuple[str, str], submission_id: int | None = None
) -> dict[str, Any]:
    return {
        "kind": kind,
        "commune_code": commune,
        "node_code": None,
        "capital_kind": None,
        "line_codes": [],
        "reported": None,
        "treasury": total,
        "difference": -total,
        "explained_by": name,
        "submission_id": submission_id,
        "sheet": cell[0],
        "cell": cell[1],
    }


def _unknown_units(connection: Connection, sha256: str, now: datetime) -> list[dict[str, Any]]:
    """Money of budget units that belong to no commune: it concerns the statement as a whole."""
    rows = connection.execute(
        """
        select b.budget_unit_code, sum(b.total)::bigint, (array_agg(b.sheet order by b.sheet, b.row_no))[1],
            (array_agg(b.cell order by b.sheet, b.row_no))[1]
        from core.treasury_balance as b
        inner join core.treasury_place(%(sha256)s, %(now)s) as p on b.sheet = p.sheet and b.row_no = p.row_no
        where b.sha256 = %(sha256)s and p.commune_code is null
        group by b.budget_unit_code having sum(b.total) <> 0
        order by b.budget_unit_code
        """,
        {"sha256": sha256, "now": now},
    ).fetchall()
    return [
        _not_reported("unknown_unit", None, total, f"mã ĐVQHNS {unit} (chưa có trong danh mục)", (sheet, cell))
        for unit, total, sheet, cell in rows
    ]


@dataclass(frozen=True)
class _Earlier:
    """The last run of an earlier month: communes that it judged, and what differed."""

    period: str
    communes: frozenset[str]
    differing: frozenset[tuple[Any, ...]]


def _earlier(connection: Connection, period: str, budget_year: int, now: datetime) -> list[_Earlier]:
    """Of every earlier month of the budget year that was compared, the latest first."""
    runs = connection.execute(
        """
        select distinct on (r.period) r.period, r.reconciliation_id, r.communes
        from core.reconciliation as r
        where r.budget_year = %s and r.period < %s and r.known_at <= %s
        order by r.period desc, r.known_at desc, r.reconciliation_id desc
        """,
        (budget_year, period, now),
    ).fetchall()
    found: dict[int, set[tuple[Any, ...]]] = {number: set() for _, number, _ in runs}
    for number, *difference in connection.execute(
        "select reconciliation_id, kind, commune_code, node_code, capital_kind, explained_by "
        "from core.reconciliation_difference where reconciliation_id = any(%s)",
        (list(found),),
    ):
        found[number].add(_identity(*difference))
    return [_Earlier(period_, frozenset(communes), frozenset(found[number])) for period_, number, communes in runs]


def _identity(
    kind: str, commune: str | None, node: str | None, capital_kind: str | None, text: str | None
) -> tuple[Any, ...]:
    """What makes two differences of two months the same one: place and family of kinds; of unknown codes the code."""
    family = "total" if kind in _TOTAL else kind
    return family, commune, node, capital_kind, text if kind.startswith("unknown") else None


def _open_since(row: Mapping[str, Any], earlier: Sequence[_Earlier]) -> str | None:
    """The first month of the unbroken row of months with this difference; None when it is new.

    Months in which the commune was not compared say nothing and break nothing. Each month speaks as it was compared
    last: what a later month once said of it may have changed since.
    """
    commune, since = row["commune_code"], None
    key = _identity(row["kind"], commune, row["node_code"], row["capital_kind"], row["explained_by"])
    for run in earlier:
        if commune is None or commune in run.communes:
            if key not in run.differing:
                break
            since = run.period
    return since


def _keep(connection: Connection, run: tuple[Any, ...], rows: Sequence[Mapping[str, Any]]) -> tuple[int, bool]:
    """(number of the run, whether it is a new one)."""
    period, budget_year, _, sha256, now, communes, outcome = run
    last = connection.execute(
        """
        select reconciliation_id, outcome_sha256 from core.reconciliation
        where period = %s and budget_year = %s and known_at <= %s
        order by known_at desc, reconciliation_id desc limit 1
        """,
        (period, budget_year, now),
    ).fetchone()
    if last and last[1] == outcome:
        return int(last[0]), False
    inserted = connection.execute(
        """
        insert into core.reconciliation (period, budget_year, as_of, sha256, known_at, communes, outcome_sha256)
        values (%s, %s, %s, %s, %s, %s, %s) returning reconciliation_id
        """,
        run,
    ).fetchone()
    number = int(inserted[0]) if inserted else 0
    columns = list(rows[0]) if rows else []
    if columns:
        copy_rows(
            connection,
            "reconciliation_difference",
            ("reconciliation_id", "difference_no", *columns),
            ((number, n, *(row[c] for c in columns)) for n, row in enumerate(rows, 1)),
        )
    connection.execute(
        "select audit.append(%s, 'pipeline', 'reconciliation', %s, %s)",
        (
            now,
            str(number),
            Jsonb({"period": period, "budget_year": budget_year, "statement": sha256, "communes": len(communes)}),
        ),
    )
    return number, True


# What people and programs are told -----------------------------------------------------------------------------------


def require_statement(result: Reconciliation) -> None:
    """Raises UsageError (CK31) where there is no statement of the very date, naming those that there are."""
    if result.sha256 is None:
        dates = ", ".join(map(show_date, result.other_dates)) or "không có ngày nào"
        raise UsageError(
            f"Chưa có sao kê Kho bạc Nhà nước đến ngày {show_date(result.as_of)}, năm ngân sách {result.budget_year} "
            f"(đã nạp: {dates}); chỉ đối chiếu số liệu cùng ngày. Nạp bằng tiendo reference load --treasury TỆP."
        )


def acceptable(result: Reconciliation) -> bool:
    """Whether there is no difference that sends a report back or leaves money of the statement without a place."""
    return not any(row["kind"] in treasury.ERRORS or row["kind"].startswith("unknown") for row in result.differences)


def as_json(result: Reconciliation) -> dict[str, Any]:
    """Amounts are strings of đồng."""
    amounts = ("reported", "treasury", "difference")
    return {
        "period": result.period,
        "budget_year": result.budget_year,
        "as_of": result.as_of.isoformat(),
        "statement": {"file": result.file_name, "sha256": result.sha256},
        "reconciliation_id": result.reconciliation_id,
        "new": result.is_new,
        "communes": list(result.communes),
        "differences": [
            row | {name: None if row[name] is None else str(row[name]) for name in amounts}
            for row in result.differences
        ],
    }


def as_text(result: Reconciliation) -> str:
    """Differences grouped by kind, as an officer reads them."""
    head = (
        f"Kỳ {result.period}, năm ngân sách {result.budget_year}, đến ngày {show_date(result.as_of)}: đối chiếu "
        f"{len(result.communes)} báo cáo với {result.file_name}, {len(result.differences)} chênh lệch."
    )
    lines = [head]
    for kind, title in KINDS_VI.items():
        rows = [row for row in result.differences if row["kind"] == kind]
        if rows:
            lines += [f"{title} ({len(rows)}):", *(f"  {_row_text(row)}" for row in rows)]
    return "\n".join(lines)


def _row_text(row: Mapping[str, Any]) -> str:
    who = f"{row['commune_vi']} ({row['commune_code']})" if row["commune_code"] else "Cả sao kê"
    place = f", {row['node_code']}-{row['capital_kind']}" if row["node_code"] else ""
    said = "không có" if row["reported"] is None else f"{money.group_vi(row['reported'])} đồng"
    evidence = f"; {row['explained_by']}" if row["explained_by"] else ""
    return (
        f"{who}{place}: báo cáo {said}, Kho bạc {money.group_vi(row['treasury'])} đồng, "
        f"chênh lệch {money.group_vi(row['difference'])} đồng; từ kỳ {row['open_since']}{evidence}"
    )
