"""What the warehouse knows before a commune fills in its workbook: lines and plan by the allocation decisions in
force, last cumulative figures, indicators, open tasks and unresolved proposals.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from psycopg.rows import dict_row

from etl.collect.workbook import DisbursementLine, Row, WorkbookContent, capital_kind_names
from etl.errors import UsageError
from etl.load.warehouse import Connection
from etl.period import Period
from etl.reference import forms
from etl.reference.province import Commune, Province, split_line_code

_PLAN = {
    "NSTW": "plan_nstw",
    "NST": "plan_nst",
    "NSX": "plan_nsx",
    "KD_NSTW": "carry_nstw",
    "KD_NSDP": "carry_nsdp",
}
_CUMULATIVE = (
    "disb_ytd",
    "disb_nstw",
    "disb_nsdp",
    "disb_completed",
    "disb_advance",
    "disb_carry",
    "accepted_volume",
)
_NO_NUMBER = "(chưa ghi số)"


def content(
    connection: Connection,
    province: Province,
    commune_code: str,
    period: Period,
    budget_year: int | None = None,
) -> WorkbookContent:
    """Content of the commune's blank workbook for ``period``.

    Raises UsageError for an unknown commune, a month that the calendar lacks, and when neither an allocation decision
    nor an earlier report says which lines the commune has.
    """
    code = commune_code.zfill(5)
    if code not in province.communes:
        raise UsageError(f"Không có xã, phường mã {commune_code} trong danh mục.")
    window = province.window(period, budget_year)
    commune = province.communes_on(window.as_of).get(code)
    if commune is None:
        raise UsageError(f"Ngày {window.as_of:%d/%m/%Y} không có xã, phường mã {commune_code}.")
    year = window.budget_year
    before = _last_report(connection, commune.code, period, year)
    plan = _plan(connection, commune.code, year, window.as_of)
    previous = _previous_lines(connection, before)
    before_plan = _reported_plan(connection, before)
    codes = _ordered(province, set(plan) | set(previous))
    if not codes:
        raise UsageError(
            f"Chưa có quyết định giao vốn năm {year} của {commune.name_vi} trong kho dữ liệu; "
            "nạp bằng lệnh: tiendo reference load --allocation TỆP.csv"
        )
    kinds = capital_kind_names(province, year)
    lines = tuple(
        DisbursementLine(
            code,
            kinds[split_line_code(code)[1]],
            _plan_of_line(code, plan, before_plan),
        )
        for code in codes
    )
    indicators, previous_indicators = _indicators(connection, province, before, {split_line_code(c)[0] for c in codes})
    tasks = _tasks(connection, commune, window.as_of)
    return WorkbookContent(
        commune=commune,
        period=period,
        budget_year=year,
        as_of=window.as_of,
        nodes=province.nodes,
        lines=lines,
        indicators=indicators,
        tasks=tasks,
        proposals=_proposals(connection, before),
        roadmap=_roadmap(lines, province),
        off_budget={line.line_code: None for line in forms.load().off_budget},
        previous={**previous, **previous_indicators},
    )


def _rows(connection: Connection, query: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    return connection.cursor(row_factory=dict_row).execute(query, values).fetchall()


def _last_report(connection: Connection, commune: str, period: Period, year: int) -> int | None:
    """The submission in force of the latest earlier period of the same budget year."""
    rows = _rows(
        connection,
        """
        select submission_id from core.in_force('infinity')
        where commune_code = %(commune)s and budget_year = %(year)s and period < %(period)s
        order by period desc limit 1
        """,
        {"commune": commune, "year": year, "period": str(period)},
    )
    return int(rows[0]["submission_id"]) if rows else None


def _plan(connection: Connection, commune: str, year: int, as_of: date) -> dict[str, dict[str, int]]:
    plan: dict[str, dict[str, int]] = {}
    for row in _rows(
        connection,
        """
        select project_code || '-' || capital_kind as line_code, source, amount_vnd
        from mart.allocation_at(%(as_of)s, 'infinity')
        where commune_code = %(commune)s and budget_year = %(year)s
        """,
        {"commune": commune, "year": year, "as_of": as_of},
    ):
        plan.setdefault(row["line_code"], {})[_PLAN[row["source"]]] = int(row["amount_vnd"])
    return plan


def _plan_of_line(
    code: str, plan: Mapping[str, Mapping[str, int]], before: Mapping[str, Mapping[str, int]]
) -> dict[str, int | None]:
    """By the decisions where the commune has any; else as last reported; blank where nobody has said it."""
    if plan:
        return {key: plan.get(code, {}).get(key, 0) for key in _PLAN.values()}
    return {key: before.get(code, {}).get(key) for key in _PLAN.values()}


def _reported_plan(connection: Connection, submission_id: int | None) -> dict[str, dict[str, int]]:
    keys = tuple(_PLAN.values())
    query = f"select line_code, {', '.join(keys)} from core.disbursement where submission_id = %(id)s"
    return {
        row["line_code"]: {key: int(row[key]) for key in keys if row[key] is not None}
        for row in _rows(connection, query, {"id": submission_id})
    }


def _previous_lines(connection: Connection, submission_id: int | None) -> dict[str, dict[str, int | Decimal]]:
    return {
        row["line_code"]: {key: int(row[key]) for key in _CUMULATIVE if row[key] is not None}
        for row in _rows(
            connection,
            f"select line_code, {', '.join(_CUMULATIVE)} from core.disbursement where submission_id = %(id)s",
            {"id": submission_id},
        )
    }


def _ordered(province: Province, codes: set[str]) -> list[str]:
    order = {code: number for number, code in enumerate(province.nodes)}
    return sorted(codes, key=lambda c: (order[split_line_code(c)[0]], split_line_code(c)[1]))


def _indicators(
    connection: Connection, province: Province, before: int | None, projects: set[str]
) -> tuple[tuple[Row, ...], dict[str, dict[str, int | Decimal]]]:
    reported = {
        row["indicator_code"]: row
        for row in _rows(
            connection,
            "select * from core.output_indicator where submission_id = %(id)s",
            {"id": before},
        )
    }
    wanted = [i for code, i in province.indicators.items() if code in reported or i["project_code"] in projects]
    rows: list[Row] = []
    previous: dict[str, dict[str, int | Decimal]] = {}
    for number, indicator in enumerate(wanted, 1):
        last = reported.get(indicator["indicator_code"], {})
        rows.append(
            {
                "stt": str(number),
                "indicator_code": indicator["indicator_code"],
                "indicator_vi": indicator["name_vi"],
                "project_code": indicator["project_code"],
                "unit": indicator["unit"],
                "target_phase": last.get("target_phase"),
                "target_year": last.get("target_year"),
            }
        )
        if last.get("actual_ytd") is not None:
            previous[indicator["indicator_code"]] = {
                key: last[key] for key in ("actual_ytd", "actual_phase") if last[key] is not None
            }
    return tuple(rows), previous


def _tasks(connection: Connection, commune: Commune, as_of: date) -> tuple[Row, ...]:
    """Open tasks that the commune leads, given out by the as-of date; what is printed is the register's wording."""
    rows = _rows(
        connection,
        """
        select s.*, d.doc_no, d.doc_date
        from mart.task_state(%(as_of)s, 'infinity') as s
        inner join core.directive as d on s.directive_id = d.directive_id
        where
            s.done_date is null and coalesce(d.doc_date, d.event_date) <= %(as_of)s
            and exists (
                select 1 from mart.task_committee('infinity') as c
                where
                    c.task_id = s.task_id and c.commune_code = %(commune)s and c.valid_from <= %(as_of)s
                    and (c.valid_to is null or c.valid_to >= %(as_of)s)
            )
        order by s.directive_id, s.task_id
        """,
        {"as_of": as_of, "commune": commune.code},
    )
    return tuple(
        {
            "stt": str(number),
            "task_id": row["task_id"],
            "doc_no": row["doc_no"] or _NO_NUMBER,
            "doc_date": row["doc_date"],
            "content": row["content_vi"],
            "lead": row["lead_vi"],
            "coordinating": "; ".join(row["coordinating_vi"]) or None,
            "deadline_text": row["deadline_phrase_vi"],
        }
        for number, row in enumerate(rows, 1)
    )


def _proposals(connection: Connection, before: int | None) -> tuple[Row, ...]:
    rows = _rows(
        connection,
        "select * from core.proposal where submission_id = %(id)s and state <> 'Đã giải quyết' order by row_no",
        {"id": before},
    )
    keys = ("issue_id", "project_code", "problem", "cause", "proposal", "addressee", "category", "state")
    return tuple(
        {
            "stt": str(number),
            **{key: row[key] for key in keys},
            "adjust_amount": None if row["adjust_amount"] is None else int(row["adjust_amount"]),
        }
        for number, row in enumerate(rows, 1)
    )


def _roadmap(lines: tuple[DisbursementLine, ...], province: Province) -> tuple[Row, ...]:
    """Codes and names; the amounts stay blank: a roadmap is sent again only when it is revised."""
    return tuple(
        {
            "stt": str(number),
            "content_vi": f"{province.nodes[line.project_code].name_vi} - {line.kind_vi}",
            "line_code": line.line_code,
        }
        for number, line in enumerate(lines, 1)
    )
