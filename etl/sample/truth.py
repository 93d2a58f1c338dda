"""What a set of workbooks must lead to: facts and totals, worked out in plain Python and never by the
warehouse.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from etl import money
from etl.collect import workbook
from etl.collect.workbook import Value, WorkbookContent
from etl.reference.forms import FormVersion
from etl.reference.province import Node, split_line_code

Facts = dict[str, list[dict[str, Any]]]
_AMOUNTS = ("plan_total", "plan_assigned", "plan_carry", "disb_ytd", "disb_assigned", "disb_carry")
_RATES = {
    "rate_total": ("disb_ytd", "plan_total"),
    "rate_assigned": ("disb_assigned", "plan_assigned"),
    "rate_carry": ("disb_carry", "plan_carry"),
}


def text(value: Value) -> str | None:
    """As JSON holds it: đồng and quantities as decimal text, dates in ISO form, a blank cell as null."""
    if value is None:
        return None
    if isinstance(value, date):
        return value.isoformat()
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def facts(content: WorkbookContent, layout: FormVersion) -> Facts:
    """Form -> rows with ``commune``, ``budget_year`` and every column of the layout but the running number.

    B05 holds only rows with an amount: a month without a roadmap reports none. ``off_budget`` holds amounts
    in đồng.
    """
    result: Facts = {}
    of_file = {"commune": content.commune.code, "budget_year": content.budget_year}
    for sheet_plan in workbook.plan(content, layout):
        form = sheet_plan.sheet.form
        rows = []
        for row in sheet_plan.rows:
            if row.role != "leaf":
                continue
            values = {key: text(cell.value) for key, cell in row.cells.items() if key != "stt"}
            if form == "B05" and not any(values[k] for k in sheet_plan.sheet.numeric_keys):
                continue
            rows.append({**of_file, **values, **(_axes(row.code) if form in ("B01", "B05") else {})})
        result[form] = rows
    result["off_budget"] = [
        {**of_file, "line_code": code, "amount": text(amount)}
        for code, amount in content.off_budget.items()
        if amount is not None
    ]
    return result


def _axes(line_code: str) -> dict[str, str]:
    project_code, capital_kind = split_line_code(line_code)
    return {"project_code": project_code, "capital_kind": capital_kind}


def totals(lines: Iterable[Mapping[str, Any]], nodes: Mapping[str, Node]) -> dict[str, Any]:
    """Sums and rates of facts of Biểu 01 by budget year and slice; a rate is sum over sum (law 6)."""
    by_year: dict[str, list[Mapping[str, Any]]] = {}
    for line in lines:
        by_year.setdefault(str(line["budget_year"]), []).append(line)
    return {
        year: {
            "all": _total(rows),
            "by_commune": _sliced(rows, lambda r: r["commune"]),
            "by_programme": _sliced(rows, lambda r: nodes[r["project_code"]].programme_code),
            "by_project": _sliced(rows, lambda r: r["project_code"]),
            "by_capital_kind": _sliced(rows, lambda r: r["capital_kind"]),
            "by_source": _by_source(rows),
        }
        for year, rows in sorted(by_year.items())
    }


def _sliced(
    rows: Iterable[Mapping[str, Any]], of: Callable[[Mapping[str, Any]], str]
) -> dict[str, dict[str, str | None]]:
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        groups.setdefault(of(row), []).append(row)
    return {name: _total(groups[name]) for name in sorted(groups)}


def _total(rows: Iterable[Mapping[str, Any]]) -> dict[str, str | None]:
    sums = dict.fromkeys(_AMOUNTS, 0)
    for row in rows:
        paid, carry = _amount(row, "disb_ytd"), _amount(row, "disb_carry")
        sums["plan_assigned"] += _amount(row, "plan_nstw", "plan_nst", "plan_nsx")
        sums["plan_carry"] += _amount(row, "carry_nstw", "carry_nsdp")
        sums["disb_ytd"] += paid
        sums["disb_carry"] += carry
        sums["disb_assigned"] += paid - carry
    sums["plan_total"] = sums["plan_assigned"] + sums["plan_carry"]
    rates = {name: text(money.rate_pct(sums[top], sums[bottom])) for name, (top, bottom) in _RATES.items()}
    return {**{k: str(v) for k, v in sums.items()}, **rates}


def _by_source(rows: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, str | None]]:
    """Central and local budget; the local one is that of the province and of the commune together."""
    rows = list(rows)
    parts = {
        "NSTW": (("plan_nstw", "carry_nstw"), "disb_nstw"),
        "NSDP": (("plan_nst", "plan_nsx", "carry_nsdp"), "disb_nsdp"),
    }
    result = {}
    for source, (plan_keys, paid_key) in parts.items():
        plan = sum(_amount(row, *plan_keys) for row in rows)
        paid = sum(_amount(row, paid_key) for row in rows)
        rate = text(money.rate_pct(paid, plan))
        result[source] = {"plan_total": str(plan), "disb_ytd": str(paid), "rate_total": rate}
    return result


def _amount(row: Mapping[str, Any], *keys: str) -> int:
    """Sum of the reported amounts; a blank adds nothing."""
    return sum(int(row[key]) for key in keys if row[key] is not None)
