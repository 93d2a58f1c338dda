"""From a figure of the data-quality annex to what it rests on: findings with their cells, rows of a Treasury statement.

Counts end at the list of what was counted. Amounts end in cells: those of the archived reports are opened again and
compared; a statement's are the rows as they were loaded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from psycopg.rows import dict_row

from etl import money
from etl.load.warehouse import Connection
from etl.period import Period
from etl.publish import quality_figures
from etl.publish.originals import Originals
from etl.publish.reading import Reader

_SOURCES = ("mart.finding_count", "mart.finding_answer", "ref.rule", "release.finding")
_STATEMENTS = ("mart.treasury_reconciliation", "mart.treasury_kind", "mart.treasury_comparison")
_AMOUNTS = {"outlier_value"}
# Kind of difference -> (column of Biểu 01, column of the statement); all others compare the totals.
_COMPARED = {"advance": ("disb_advance", "advance"), "advance_overdue": ("disb_advance", "overdue")}
_TOTALS = ("disb_ytd", "total")
_SUMS = {
    "treasury_above": ("difference", 1),
    "treasury_below": ("difference", -1),
    "treasury_overdue": ("treasury", 1),
}


def chain(
    connection: Connection, figure: Mapping[str, Any], dims: Mapping[str, str], originals: Originals
) -> dict[str, Any] | None:
    """``findings`` or ``differences`` of the figure, with their cells; None for a figure of another part of the report.

    ``agrees`` stands where an amount was compared with its cells.
    """
    if figure["source"] in _SOURCES:
        findings = list(_findings(connection, figure, dims, originals))
        result: dict[str, Any] = {"findings": findings}
        # What one unit of output costs (BT02) is made of cells, but of none alone.
        if figure["metric"] in _AMOUNTS and dims["rule"] != "BT02" and all(f["cell"] for f in findings):
            result["agrees"] = all(f["held"] == _text(figure["value"]) for f in findings)
        return result
    if figure["source"] in _STATEMENTS:
        return _differences(connection, figure, dims, originals)
    return None


def _findings(
    connection: Connection, figure: Mapping[str, Any], dims: Mapping[str, str], originals: Originals
) -> Iterator[dict[str, Any]]:
    of_period = figure["source"] == "release.finding"
    query = _OF_RELEASE if of_period else _OF_REPORTS
    answered = figure["source"] == "mart.finding_answer"
    values = {
        **{name: figure[name] for name in ("release_id", "period", "budget_year", "known_at")},
        "commune": dims.get("commune"),
        "rule": dims.get("rule"),
        "item": dims.get("item"),
        "outcome": _outcome(figure["metric"]),
        "answered": answered,
    }
    for row in connection.cursor(row_factory=dict_row).execute(query, values).fetchall():
        place = re.fullmatch(r"([A-Z]+)(\d+)", row["cell"] or "")
        held = None
        if place and row["form"] and row["sha256"]:
            key = row["item"] or _key(row["columns"], place[1])
            held = originals.words({"sha256": row["sha256"], "row_no": int(place[2])}, row["form"], key or "")
        yield {
            "commune": row["commune"],
            "rule": row["expectation_id"],
            "outcome": row["outcome"],
            "line": row["line"],
            "file": row["file_name"],
            "sha256": row["sha256"],
            "submission_id": row["submission_id"],
            "sheet": row["sheet"],
            "cell": row["cell"],
            "value": row["value"],
            "held": None if held is None else str(held),
            "message": row["message_vi"],
        }


def _outcome(metric: str) -> str | None:
    outcome = metric.removeprefix("findings_")
    return {"still_open": "open"}.get(outcome, outcome if outcome in ("explained", "corrected", "overridden") else None)


def _key(columns: Mapping[str, str] | None, letter: str) -> str | None:
    return next((key for key, at in (columns or {}).items() if at == letter), None)


_OF_REPORTS = """
    select
        f.commune_vi as commune, f.expectation_id, f.outcome, f.line, f.form, f.item, f.sheet, f.cell, f.value,
        f.message_vi, f.submission_id, s.file_name, s.sha256, null::jsonb as columns
    from mart.finding_at(%(known_at)s) as f
    inner join raw.submission as s on f.submission_id = s.submission_id
    where
        f.period = %(period)s and f.budget_year = %(budget_year)s
        and (%(commune)s::text is null or f.commune_code = %(commune)s)
        and (%(rule)s::text is null or coalesce(nullif(f.expectation_id, ''), f.rule_id) = %(rule)s)
        and (%(item)s::text is null or concat(f.form, ':', f.line, ':', f.item) = %(item)s)
        and (%(outcome)s::text is null or f.outcome = %(outcome)s)
        and (not %(answered)s or f.outcome in ('explained', 'overridden'))
    order by f.commune_code, f.expectation_id, f.line, f.item
"""
_OF_RELEASE = """
    select
        c.name_vi as commune, f.expectation_id, null as outcome, f.line, y.form, null as item, f.sheet, f.cell, f.value,
        f.message_vi, f.submission_id, s.file_name, s.sha256, y.columns
    from release.finding as f
    inner join release.release as r on f.release_id = r.release_id
    left join raw.submission as s on f.submission_id = s.submission_id
    left join raw.sheet_layout as y on f.submission_id = y.submission_id and f.sheet = y.sheet
    left join lateral ref.unit_known_at(r.known_at) as c
        on f.commune_code = c.commune_code and r.as_of >= c.valid_from and (c.valid_to is null or r.as_of <= c.valid_to)
    where
        f.release_id = %(release_id)s and f.rule_id like 'BT%%'
        and (%(commune)s::text is null or f.commune_code = %(commune)s)
        and (%(rule)s::text is null or f.expectation_id = %(rule)s)
        and (%(item)s::text is null or f.line = %(item)s)
    order by f.finding_no
"""


# The State Treasury ---------------------------------------------------------------------------------------------------


def _differences(
    connection: Connection, figure: Mapping[str, Any], dims: Mapping[str, str], originals: Originals
) -> dict[str, Any]:
    reader = Reader(connection, Period.parse(figure["period"]), figure["budget_year"], figure["known_at"])
    rows = [row for row in quality_figures.treasury_rows(reader) if _is_meant(figure, dims, row)]
    single = figure["source"] == "mart.treasury_reconciliation" and bool(dims)
    differences = []
    for row in rows:
        told = {
            "commune": row["commune_vi"],
            "kind": row["kind"],
            "place": f"{row['node_code']}-{row['capital_kind']}" if row["node_code"] else None,
            "reported": _text(row["reported"]),
            "treasury": _text(row["treasury"]),
            "difference": _text(row["difference"]),
            "evidence": row["explained_by"],
            "statement": row["statement_file"],
            "sheet": row["sheet"],
            "cell": row["cell"],
        }
        if single:
            told["cells"] = _reported_cells(connection, row, originals)
            told["rows"] = _statement_rows(connection, figure, row)
        differences.append(told)
    result: dict[str, Any] = {"differences": differences}
    if single and rows and figure["unit"] == "vnd":
        result["agrees"] = all(_agrees(told) for told in differences)
    elif figure["metric"] in _SUMS:
        key, sign = _SUMS[figure["metric"]]
        result["agrees"] = sum((row[key] for row in rows if row[key] * sign > 0), Decimal(0)) == figure["value"]
    return result


def _is_meant(figure: Mapping[str, Any], dims: Mapping[str, str], row: Mapping[str, Any]) -> bool:
    if not dims:
        return True
    if figure["source"] == "mart.treasury_kind":
        return bool(row["kind"] == dims["item"])
    return dict(quality_figures.treasury_dims(row)) == dims


def _agrees(told: Mapping[str, Any]) -> bool:
    """Both sides are what their cells come to; a side that the other one does not have says nothing."""
    reported = sum((Decimal(cell["amount"]) for cell in told["cells"]), Decimal(0))
    booked = sum((Decimal(row["amount"]) for row in told["rows"]), Decimal(0))
    if told["reported"] is not None and (reported != Decimal(told["reported"]) or not _held(told["cells"])):
        return False
    return booked == Decimal(told["treasury"])


def _held(cells: Sequence[Mapping[str, Any]]) -> bool:
    return all(cell["agrees"] for cell in cells)


def _reported_cells(connection: Connection, row: Mapping[str, Any], originals: Originals) -> list[dict[str, Any]]:
    """Cells of the lines that were added up, opened again."""
    key = _COMPARED.get(row["kind"], _TOTALS)[0]
    lines = (
        connection.cursor(row_factory=dict_row)
        .execute(
            f"""
            select d.line_code, d.row_no, d.{key} as amount, s.file_name, s.sha256, y.sheet, y.columns
            from core.disbursement as d
            inner join raw.submission as s on d.submission_id = s.submission_id
            inner join raw.sheet_layout as y on d.submission_id = y.submission_id and y.form = 'B01'
            where d.submission_id = %s and d.budget_year = %s and d.line_code = any(%s)
            order by d.row_no
            """,
            (row["submission_id"], row["budget_year"], row["line_codes"]),
        )
        .fetchall()
    )
    return [
        {
            "line": line["line_code"],
            "file": line["file_name"],
            "sha256": line["sha256"],
            "sheet": line["sheet"],
            "cell": f"{line['columns'].get(key, '')}{line['row_no']}",
            "amount": _text(line["amount"] or Decimal(0)),
            "agrees": originals.amount(line, "B01", key) == (line["amount"] or 0),
        }
        for line in lines
    ]


def _statement_rows(connection: Connection, figure: Mapping[str, Any], row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Rows of the statement that stand for the place or for something under it; of a whole unit that it lacks, none."""
    column = _COMPARED.get(row["kind"], _TOTALS)[1]
    if row["kind"] == "unknown_unit":
        where = "b.budget_unit_code = first.budget_unit_code"
    elif row["kind"] == "unknown_code":
        where = "(b.budget_unit_code, b.budget_code) = (first.budget_unit_code, first.budget_code)"
    else:
        where = (
            "p.commune_code = %(commune)s and p.capital_kind = %(kind)s "
            "and (p.node_code = %(node)s or starts_with(p.node_code, %(node)s || '-'))"
        )
    return [
        {"sheet": sheet, "cell": cell, "code": code, "amount": _text(amount or Decimal(0))}
        for sheet, cell, code, amount in connection.execute(
            f"""
            select b.sheet, b.cell, b.budget_code, b.{column}
            from core.treasury_in_force(%(known_at)s) as t
            inner join core.treasury_balance as b on t.sha256 = b.sha256
            inner join core.treasury_place(t.sha256, %(known_at)s) as p on b.sheet = p.sheet and b.row_no = p.row_no
            left join core.treasury_balance as first
                on t.sha256 = first.sha256 and first.sheet = %(sheet)s and first.cell = %(cell)s
            where t.as_of = %(as_of)s and t.budget_year = %(budget_year)s and {where}
            order by b.sheet, b.row_no
            """.encode(),
            {
                "known_at": figure["known_at"], "as_of": row["as_of"], "budget_year": row["budget_year"],
                "sheet": row["sheet"], "cell": row["cell"], "commune": row["commune_code"], "node": row["node_code"],
                "kind": row["capital_kind"],
            },
        ).fetchall()
    ]  # fmt: skip


def _text(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:f}"


def text_lines(result: Mapping[str, Any]) -> Iterator[str]:
    """The chain for people."""
    for finding in result.get("findings", ()):
        where = f"{finding['sheet']}!{finding['cell']}" if finding["cell"] else finding["sheet"] or ""
        yield f"  {finding['commune']} {finding['rule']}: {finding['file'] or ''} {where} {finding['message']}"
    for told in result.get("differences", ()):
        said = "không có" if told["reported"] is None else f"{_shown(told['reported'])} đồng"
        yield (
            f"  {told['commune'] or 'Cả sao kê'} {told['place'] or ''}: báo cáo {said}, Kho bạc "
            f"{_shown(told['treasury'])} đồng, chênh lệch {_shown(told['difference'])} đồng"
        )
        for cell in told.get("cells", ()):
            mark = "" if cell["agrees"] else "  LỆCH"
            yield f"      {cell['file']} {cell['sheet']}!{cell['cell']} {cell['line']} {_shown(cell['amount'])}{mark}"
        for row in told.get("rows", ()):
            yield f"      {told['statement']} {row['sheet']}!{row['cell']} mã {row['code']} {_shown(row['amount'])}"


def _shown(amount: str) -> str:
    return money.group_vi(Decimal(amount))
