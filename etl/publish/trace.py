"""From a published figure down to the cells it came from (law 8).

release -> figure -> lines of the mart -> facts -> submission -> sheet!cell of the archived original. The cells
are opened again and compared, so that the answer is evidence and not a record of one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from psycopg import sql
from psycopg.rows import dict_row

from etl import money
from etl.errors import UsageError
from etl.load.warehouse import Connection
from etl.period import Period
from etl.publish import catalogue, queries, trace_quality
from etl.publish.figure import Figure
from etl.publish.figure import dims as dims_of
from etl.publish.originals import Originals
from etl.publish.sums import CHANGES, FILTERS, LINES, RANKS, Part, parts_of

DECISIONS = "Quyết định giao vốn"
"""Stands for the sheet where capital is on no line of a workbook; the numbers of the decisions stand for the cell."""
REGISTER = ("mart.task_", "mart.commune_task")
"""How sources begin whose figures tell of entries of the register."""
TASK_CELLS = ("status", "done_date")
PROPOSAL_CELLS = ("problem", "proposal", "addressee", "category", "state", "reply_doc", "adjust_amount")


@dataclass(frozen=True)
class CellRef:
    """One cell of one archived original. ``amount`` is the fact (đồng, or the indicator's unit); ``held`` what the cell
    holds now."""

    commune: str
    line_code: str
    file: str
    sha256: str
    archived_as: str
    submission_id: int
    sheet: str
    cell: str
    amount: Decimal
    held: Decimal | None

    @property
    def agrees(self) -> bool:
        return self.held == self.amount

    def as_json(self) -> dict[str, Any]:
        held = None if self.held is None else _text(self.held)
        return {**self.__dict__, "amount": _text(self.amount), "held": held, "agrees": self.agrees}


def trace(
    connection: Connection, figure_id: str, archive_dir: Path, originals: Originals | None = None
) -> dict[str, Any]:
    """The whole chain of a figure; raises UsageError when there is no such figure. ``originals``: what has been opened
    already, for one who follows many figures.

    ``name``, ``formula``, ``standing`` (provisional, final; None: a release from before this was noted) and ``query``
    say what the figure is (``catalogue``). ``parts`` are the sums that it is made of (value, or numerator and
    denominator; of the other month too where two are compared), each with its terms and their cells; ``agrees`` is true
    when the cells hold the facts and the facts add up to the figure. A rank has the parts of the commune's rate. What
    is told in words, tasks and proposals, has ``rows`` instead: the rows of Biểu 03 and 04 that it rests on, with their
    cells; a task has ``tasks``, its entry in the register. Figures of the data-quality annex have ``findings`` or
    ``differences`` (``trace_quality``). Any other figure has ``submissions``: the reports from which it was derived.
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
        **_described(connection, figure),
    }
    originals = originals or Originals(archive_dir)
    wanted = parts_of(figure, dims)
    if wanted:
        parts = [_part(connection, figure, part, dims, originals) for part in wanted]
        return {**head, "parts": parts, "agrees": _agrees(figure, parts)}
    if figure["source"].startswith(REGISTER):
        tasks = [task for task in register(connection, figure) if is_told(figure, dims, task)]
        rows = _task_rows(connection, figure, [task["task_id"] for task in tasks], originals)
        return {**head, "tasks": tasks, "rows": rows, "agrees": _rows_agree(rows)}
    if figure["source"].startswith("mart.proposal"):
        found = chosen(proposals(connection, figure), dims)
        rows = [_evidence(row, "B04", row["issue_id"], PROPOSAL_CELLS, originals) for row in found]
        return {**head, "rows": rows, "agrees": _rows_agree(rows)}
    of_quality = trace_quality.chain(connection, figure, dims, originals)
    if of_quality is not None:
        return head | of_quality
    return {**head, "submissions": _submissions(connection, figure, dims)}


def _described(connection: Connection, figure: Mapping[str, Any]) -> dict[str, Any]:
    """Name, formula, standing and query of the figure. Only its dimensions have to be looked up."""
    of = Figure(
        figure["metric"], figure["unit"], figure["source"], dims_of(figure["dims"]), figure["value"],
        figure["text_value"],
    )  # fmt: skip
    names = [f"{figure['release_id']}/{metric}/{dim}={value}" for dim, value in of.dims for metric in catalogue.NAMES]
    names += [f"{figure['release_id']}/name/project={value}" for dim, value in of.dims if dim == "subproject"]
    rows = connection.execute(
        "select metric, source, dims, text_value from release.figure where figure_id = any(%s)", (names,)
    ).fetchall()
    listed = [Figure(metric, "text", source, dims_of(dims), text=text) for metric, source, dims, text in rows]
    period = Period.parse(figure["period"])
    frozen = queries.Frozen(figure["release_id"], period, figure["budget_year"], figure["as_of"], figure["known_at"])
    return {
        "name": catalogue.name(of, catalogue.words_of([of], listed)),
        "formula": catalogue.formula(of),
        "standing": figure["standing"],
        "query": catalogue.query(of, frozen),
    }


def _figure(connection: Connection, figure_id: str) -> dict[str, Any]:
    row = (
        connection.cursor(row_factory=dict_row)
        .execute(
            """
            select f.*, r.period, r.budget_year, r.known_at, r.as_of from release.figure as f
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


def tasks_of(connection: Connection, figure: Mapping[str, Any], dims: Mapping[str, str], sha256: str) -> set[str]:
    """Tasks whose report in that workbook the figure rests on: the latest one by the commune that leads the task."""
    tasks = [task["task_id"] for task in register(connection, figure) if is_told(figure, dims, task)]
    found = task_reports(connection, figure, tasks)
    return {row["task_id"] for row in found if row["sha256"] == sha256}


def _part(
    connection: Connection, figure: Mapping[str, Any], part: Part, dims: Mapping[str, str], originals: Originals
) -> dict[str, Any]:
    result = []
    total = Decimal(0)
    for key, sign in part.terms:
        refs = _cells(connection, figure, part, key, dims, originals)
        amount = sum((ref.amount for ref in refs), Decimal(0))
        total += sign * amount
        result.append({"key": key, "sign": sign, "amount": _text(amount), "cells": [r.as_json() for r in refs]})
    return {"role": part.role, "period": part.period, "amount": _text(total), "terms": result}


def _cells(
    connection: Connection,
    figure: Mapping[str, Any],
    part: Part,
    key: str,
    dims: Mapping[str, str],
    originals: Originals,
) -> list[CellRef]:
    conditions = [
        sql.SQL("l.{} = {}").format(sql.Identifier(FILTERS[name]), sql.Placeholder(name))
        for name in dims
        if name in FILTERS
    ]
    query = sql.SQL(
        """
        select
            l.commune_vi, l.label, s.file_name, s.sha256, o.archive_key, s.submission_id, s.template_version, y.sheet,
            y.columns, l.row_no, l.{key} as amount, l.commune_code, s.as_of
        from ({lines}) as l
        inner join raw.submission as s on l.submission_id = s.submission_id
        inner join raw.original as o on s.sha256 = o.sha256
        inner join raw.sheet_layout as y on s.submission_id = y.submission_id and y.form = {form}
        where l.period = %(period)s and l.budget_year = %(budget_year)s {more}
        order by l.commune_code, l.row_no
        """
    ).format(
        key=sql.Identifier(key),
        lines=sql.SQL(LINES[part.form]),
        form=sql.Literal(part.form),
        more=sql.SQL("").join(sql.SQL(" and ") + c for c in conditions),
    )
    values = dict(dims) | {"known_at": figure["known_at"], "period": part.period, "budget_year": part.budget_year}
    rows = connection.cursor(row_factory=dict_row).execute(query, values).fetchall()
    return [_cell(connection, figure, part, key, row, originals) for row in rows]


def _cell(
    connection: Connection, figure: Mapping[str, Any], part: Part, key: str, row: dict[str, Any], originals: Originals
) -> CellRef:
    """The cell of the archived original. Capital that the commune has on no line stands in decisions: those are named
    in place of a cell, and it agrees when it is part of what they give."""
    amount = Decimal(row["amount"] or 0)
    sheet, cell = row["sheet"], f"{row['columns'].get(key, '')}{row['row_no']}"
    if row["row_no"] is None:
        sheet = DECISIONS
        cell, given = decisions(connection, figure, part.budget_year, row)
        held = amount if amount <= given else None
    else:
        held = originals.amount(row, part.form, key)
    return CellRef(
        row["commune_vi"],
        row["label"],
        row["file_name"],
        row["sha256"],
        row["archive_key"],
        row["submission_id"],
        sheet,
        cell,
        amount,
        held,
    )


def decisions(
    connection: Connection, figure: Mapping[str, Any], budget_year: int, row: Mapping[str, Any]
) -> tuple[str, Decimal]:
    """(their numbers, what they give in all) of the decisions on a line, in force at the as-of date."""
    numbers, given = connection.execute(
        """
        select string_agg(distinct a.decision_no, ', ' order by a.decision_no), coalesce(sum(a.amount_vnd), 0)
        from ref.allocation as a
        where
            a.commune_code = %s and a.budget_year = %s and a.project_code || '-' || a.capital_kind = %s
            and a.effective_on <= %s and a.loaded_at <= %s
        """,
        (row["commune_code"], budget_year, row["label"], row["as_of"], figure["known_at"]),
    ).fetchone() or ("", Decimal(0))
    return numbers or "", given


def register(connection: Connection, figure: Mapping[str, Any]) -> list[dict[str, Any]]:
    """All entries of the register that had been assigned by the figure's date, with their states; dates as ISO text."""
    rows = (
        connection.cursor(row_factory=dict_row)
        .execute(
            """
            select t.task_id, t.directive_id, t.item, t.lead_vi, t.state, t.due_date, t.done_date, t.days_overdue,
                c.change, array(
                    select o.instance from mart.task_overdue(%(as_of)s, %(known_at)s) as o
                    where o.task_id = t.task_id and o.instance <> '' order by o.instance
                ) as overdue_periods
            from mart.task_state(%(as_of)s, %(known_at)s) as t
            left join mart.task_change_in_period(%(period)s, %(budget_year)s, %(known_at)s) as c
                on t.task_id = c.task_id
            where coalesce(t.assigned_on <= %(as_of)s, true)
            order by t.directive_id, t.task_id
            """,
            {name: figure[name] for name in ("as_of", "known_at", "period", "budget_year")},
        )
        .fetchall()
    )
    return [{k: v.isoformat() if isinstance(v, date) else v for k, v in row.items()} for row in rows]


def is_told(figure: Mapping[str, Any], dims: Mapping[str, str], task: Mapping[str, Any]) -> bool:
    """Whether the figure tells of that entry: of the one task, of those of an agency and state, of those with a change,
    of those with a period overdue, or of all due in the month."""
    if figure["source"] == "mart.task_overdue" and not task["overdue_periods"]:
        return False
    if figure["source"] == "mart.task_change_in_period" and (
        task["change"] is None or dims.get("item", task["change"]) != task["change"]
    ):
        return False
    if figure["source"] == "mart.task_month_by_agency":
        as_of: date = figure["as_of"]
        if task["due_date"] is None or not as_of.replace(day=1).isoformat() <= task["due_date"] <= as_of.isoformat():
            return False
    wanted = {"task_id": dims.get("task"), "lead_vi": dims.get("agency"), "state": dims.get("state")}
    return all(value is None or task[name] == value for name, value in wanted.items())


_ROWS = """
    select
        c.name_vi as commune, t.commune_code, f.file_name, f.sha256, o.archive_key, f.submission_id,
        s.template_version, y.sheet, y.columns, t.*
    from core.{table} as t
    inner join core.in_force(%(known_at)s) as f on t.submission_id = f.submission_id
    inner join raw.submission as s on t.submission_id = s.submission_id
    inner join raw.original as o on f.sha256 = o.sha256
    inner join raw.sheet_layout as y on t.submission_id = y.submission_id and y.form = {form}
    left join ref.unit_known_at(%(known_at)s) as c
        on
            t.commune_code = c.commune_code and f.as_of >= c.valid_from
            and (c.valid_to is null or f.as_of <= c.valid_to)
"""


def _task_rows(
    connection: Connection, figure: Mapping[str, Any], tasks: Sequence[str], originals: Originals
) -> list[dict[str, Any]]:
    """The latest report on each task by the commune that leads it, as ``mart.task_state`` takes it."""
    found = task_reports(connection, figure, tasks)
    return [_evidence(row, "B03", row["task_id"], TASK_CELLS, originals) for row in found]


def task_reports(connection: Connection, figure: Mapping[str, Any], tasks: Sequence[str]) -> list[dict[str, Any]]:
    """Rows of Biểu 03, at most one per task, by task, with file, sheet and columns."""
    query = sql.SQL(
        "select distinct on (r.task_id) r.* from ("
        + _ROWS
        + """
        inner join mart.task_committee(%(known_at)s) as g
            on t.task_id = g.task_id and t.commune_code = g.commune_code and c.valid_from = g.valid_from
        where t.task_id = any(%(tasks)s)
        ) as r order by r.task_id, r.period desc, r.budget_year desc
        """
    ).format(table=sql.Identifier("task_report"), form=sql.Literal("B03"))
    return _fetch(connection, query, {"known_at": figure["known_at"], "tasks": list(tasks)})


def proposals(connection: Connection, figure: Mapping[str, Any]) -> list[dict[str, Any]]:
    """All rows of Biểu 04 of the figure's period, by commune and row, with file, sheet and columns."""
    query = sql.SQL(
        _ROWS + " where t.period = %(period)s and t.budget_year = %(budget_year)s order by t.commune_code, t.row_no"
    ).format(table=sql.Identifier("proposal"), form=sql.Literal("B04"))
    return _fetch(connection, query, {k: figure[k] for k in ("known_at", "period", "budget_year")})


def chosen(rows: Sequence[dict[str, Any]], dims: Mapping[str, str]) -> list[dict[str, Any]]:
    """The row of one proposal (``code#2``: the second with that code), or all of an addressee and state."""
    code, _, number = dims.get("proposal", "").partition("#")
    wanted = {"issue_id": code or None, "addressee": dims.get("agency"), "state": dims.get("state")}
    found = [row for row in rows if all(value is None or row[name] == value for name, value in wanted.items())]
    return found[int(number or 1) - 1 :][:1] if code else found


def _fetch(connection: Connection, query: sql.Composed, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    return connection.cursor(row_factory=dict_row).execute(query, values).fetchall()


def _evidence(
    row: Mapping[str, Any], form: str, code: str, keys: Sequence[str], originals: Originals
) -> dict[str, Any]:
    """One row of a form: what was loaded from its cells and what they hold now."""
    found = []
    for key in keys:
        held = originals.words(row, form, key)
        found.append(
            {
                "key": key,
                "cell": f"{row['columns'].get(key, '')}{row['row_no']}",
                "reported": None if row[key] is None else str(row[key]),
                "held": None if held is None else str(held),
                "agrees": row[key] == held,
            }
        )
    return {
        "commune": row["commune"],
        "code": code,
        "file": row["file_name"],
        "sha256": row["sha256"],
        "archived_as": row["archive_key"],
        "submission_id": row["submission_id"],
        "sheet": row["sheet"],
        "cells": found,
    }


def _rows_agree(rows: Sequence[Mapping[str, Any]]) -> bool:
    return all(cell["agrees"] for row in rows for cell in row["cells"])


def _agrees(figure: Mapping[str, Any], parts: Sequence[Mapping[str, Any]]) -> bool:
    amounts = {part["role"]: Decimal(part["amount"]) for part in parts}
    if not all(c["agrees"] for part in parts for term in part["terms"] for c in term["cells"]):
        return False
    if figure["metric"] in RANKS:
        return True  # a place among all communes; its own rate is what the cells show
    if "value" in amounts:
        return bool(amounts["value"] == figure["value"])
    computed = money.rate_pct(amounts["numerator"], amounts["denominator"])
    if figure["metric"] in CHANGES:
        before = money.rate_pct(amounts["previous_numerator"], amounts["previous_denominator"])
        computed = None if computed is None or before is None else computed - before
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
            left join ref.unit_known_at(%(known_at)s) as c
                on
                    f.commune_code = c.commune_code and f.as_of >= c.valid_from
                    and (c.valid_to is null or f.as_of <= c.valid_to)
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
