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
from etl.publish.quality_figures import LEVELS_VI
from etl.publish.reading import Reader

FINDINGS = ("mart.finding", "mart.finding_count", "mart.finding_answer", "ref.rule", "release.finding")
STATEMENTS = ("mart.treasury_reconciliation", "mart.treasury_kind", "mart.treasury_comparison")
_AMOUNTS = {"outlier_value"}
# Kind of difference -> (column of Biểu 01, column of the statement); all others compare the totals.
_COMPARED = {"advance": ("disb_advance", "advance"), "advance_overdue": ("disb_advance", "overdue")}
_TOTALS = ("disb_ytd", "total")
SUMS = {
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
    if figure["source"] in FINDINGS:
        findings = list(_findings(connection, figure, dims, originals))
        result: dict[str, Any] = {"findings": findings}
        # What one unit of output costs (BT02) is made of cells, but of none alone.
        if figure["metric"] in _AMOUNTS and dims["rule"] != "BT02" and all(f["cell"] for f in findings):
            result["agrees"] = all(f["held"] == _text(figure["value"]) for f in findings)
        return result
    if figure["source"] in STATEMENTS:
        return _differences(connection, figure, dims, originals)
    return None


def _findings(
    connection: Connection, figure: Mapping[str, Any], dims: Mapping[str, str], originals: Originals
) -> Iterator[dict[str, Any]]:
    for row in found(connection, figure):
        if not is_told(figure, dims, row):
            continue
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


def found(connection: Connection, figure: Mapping[str, Any]) -> list[dict[str, Any]]:
    """All findings among which those of the figure are: of the reports of its period, or of the release itself."""
    query = _OF_RELEASE if figure["source"] == "release.finding" else _OF_REPORTS
    values = {name: figure[name] for name in ("release_id", "period", "budget_year", "known_at")}
    return connection.cursor(row_factory=dict_row).execute(query, values).fetchall()


def is_told(figure: Mapping[str, Any], dims: Mapping[str, str], row: Mapping[str, Any]) -> bool:
    """Whether the figure tells of that finding: of its commune, rule, place and outcome, where it has them."""
    if figure["source"] == "mart.finding_answer" and row["outcome"] not in ("explained", "overridden"):
        return False
    if figure["source"] == "mart.finding" and row["outcome"] == "corrected":
        return False
    if "state" in dims and LEVELS_VI.get(row["severity"]) != dims["state"]:
        return False
    outcome = _outcome(figure["metric"])
    wanted = {"commune_code": dims.get("commune"), "rule": dims.get("rule"), "place": dims.get("item")}
    return outcome in (None, row["outcome"]) and all(v is None or row[name] == v for name, v in wanted.items())


def _outcome(metric: str) -> str | None:
    outcome = metric.removeprefix("findings_")
    return {"still_open": "open", "open": "open"}.get(
        outcome, outcome if outcome in ("explained", "corrected", "overridden") else None
    )


def _key(columns: Mapping[str, str] | None, letter: str) -> str | None:
    return next((key for key, at in (columns or {}).items() if at == letter), None)


_OF_REPORTS = """
    select
        f.commune_vi as commune, f.commune_code, f.expectation_id,
        coalesce(nullif(f.expectation_id, ''), f.rule_id) as rule,
        concat(f.form, ':', f.line, ':', f.item) as place, f.outcome, f.line, f.form, f.item, f.sheet, f.cell, f.value,
        f.message_vi, f.submission_id, s.file_name, s.sha256, null::jsonb as columns, f.severity
    from mart.finding_at(%(known_at)s) as f
    inner join raw.submission as s on f.submission_id = s.submission_id
    where f.period = %(period)s and f.budget_year = %(budget_year)s
    order by f.commune_code, f.expectation_id, f.line, f.item
"""
_OF_RELEASE = """
    select
        c.name_vi as commune, f.commune_code, f.expectation_id, f.expectation_id as rule, f.line as place,
        null as outcome, f.line, y.form, null as item, f.sheet, f.cell, f.value, f.message_vi, f.submission_id,
        s.file_name, s.sha256, y.columns, f.severity
    from release.finding as f
    inner join release.release as r on f.release_id = r.release_id
    left join raw.submission as s on f.submission_id = s.submission_id
    left join raw.sheet_layout as y on f.submission_id = y.submission_id and f.sheet = y.sheet
    left join lateral ref.unit_known_at(r.known_at) as c
        on f.commune_code = c.commune_code and r.as_of >= c.valid_from and (c.valid_to is null or r.as_of <= c.valid_to)
    where f.release_id = %(release_id)s and f.rule_id like 'BT%%'
    order by f.finding_no
"""


# The State Treasury ---------------------------------------------------------------------------------------------------


def _differences(
    connection: Connection, figure: Mapping[str, Any], dims: Mapping[str, str], originals: Originals
) -> dict[str, Any]:
    rows = [row for row in differences(connection, figure) if is_meant(figure, dims, row)]
    single = is_single(figure, dims)
    balances = statement_balances(connection, figure) if single and rows else []
    told = []
    for row in rows:
        one = difference(row)
        if single:
            one["cells"] = [
                cell | {"agrees": originals.amount(line, "B01", compared(row)[0]) == (line["amount"] or 0)}
                for cell, line in reported_cells(connection, row)
            ]
            one["rows"] = statement_rows(balances, row)
        told.append(one)
    result: dict[str, Any] = {"differences": told}
    if single and rows and figure["unit"] == "vnd":
        result["agrees"] = all(_agrees(one) for one in told)
    elif figure["metric"] in SUMS:
        key, sign = SUMS[figure["metric"]]
        result["agrees"] = sum((row[key] for row in rows if row[key] * sign > 0), Decimal(0)) == figure["value"]
    return result


def differences(connection: Connection, figure: Mapping[str, Any]) -> list[dict[str, Any]]:
    """All differences of the figure's period between the reports and the Treasury's statement."""
    reader = Reader(connection, Period.parse(figure["period"]), figure["budget_year"], figure["known_at"])
    return quality_figures.treasury_rows(reader)


def is_single(figure: Mapping[str, Any], dims: Mapping[str, str]) -> bool:
    """Whether the figure tells of one difference: then both sides are shown down to their rows."""
    return figure["source"] == "mart.treasury_reconciliation" and bool(dims)


def difference(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
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


def compared(row: Mapping[str, Any]) -> tuple[str, str]:
    """(column of Biểu 01, column of the statement) that the difference stands between."""
    return _COMPARED.get(row["kind"], _TOTALS)


def is_meant(figure: Mapping[str, Any], dims: Mapping[str, str], row: Mapping[str, Any]) -> bool:
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


def reported_cells(connection: Connection, row: Mapping[str, Any]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Cells of the lines that were added up, each with its line."""
    key = compared(row)[0]
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
    for line in lines:
        cell = {
            "line": line["line_code"],
            "file": line["file_name"],
            "sha256": line["sha256"],
            "sheet": line["sheet"],
            "cell": f"{line['columns'].get(key, '')}{line['row_no']}",
            "amount": _text(line["amount"] or Decimal(0)),
        }
        yield cell, line


def statement_balances(connection: Connection, figure: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Rows of the statement of the figure's date, each once per place that it stands for."""
    return (
        connection.cursor(row_factory=dict_row)
        .execute(
            """
            select
                b.sheet, b.row_no, b.cell, b.budget_unit_code, b.budget_code, b.total, b.advance, b.overdue,
                p.commune_code, p.node_code, p.capital_kind
            from core.treasury_in_force(%(known_at)s) as t
            inner join core.treasury_balance as b on t.sha256 = b.sha256
            inner join core.treasury_place(t.sha256, %(known_at)s) as p on b.sheet = p.sheet and b.row_no = p.row_no
            where t.as_of = %(as_of)s and t.budget_year = %(budget_year)s
            order by b.sheet, b.row_no
            """,
            {name: figure[name] for name in ("known_at", "as_of", "budget_year")},
        )
        .fetchall()
    )


def statement_rows(balances: Sequence[Mapping[str, Any]], row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Rows of the statement that stand for the place or for something under it; of a whole unit that it lacks, none."""
    column = compared(row)[1]
    first = next((b for b in balances if (b["sheet"], b["cell"]) == (row["sheet"], row["cell"])), None)
    same = {"unknown_unit": ("budget_unit_code",), "unknown_code": ("budget_unit_code", "budget_code")}.get(row["kind"])

    def stands(balance: Mapping[str, Any]) -> bool:
        if same is not None:
            return first is not None and all(balance[name] == first[name] for name in same)
        node = balance["node_code"]
        return (
            row["commune_code"] is not None
            and (balance["commune_code"], balance["capital_kind"]) == (row["commune_code"], row["capital_kind"])
            and node is not None
            and row["node_code"] is not None
            and (node == row["node_code"] or node.startswith(f"{row['node_code']}-"))
        )

    return [
        {
            "sheet": b["sheet"],
            "cell": b["cell"],
            "code": b["budget_code"],
            "amount": _text(b[column] or Decimal(0)),
        }
        for b in balances
        if stands(b)
    ]


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
