"""Control columns: sums, differences and marks that keep the rules plain (the expectations only compare).

One function per form takes a report and gives a row of marks for each row of the form that the form's suite judges;
``of`` puts them into columns, ``batch`` those of many reports into one frame. Leading columns are ``report`` (position
in the list), ``row_no`` and ``code``; the others are those that the suite names. Amounts are whole đồng; None (NA)
means that the rule has nothing to say there. All arithmetic is done on Python integers before the frame is made.

No cascade: a figure that is bad already, or that CK09 or CK11 points at, is left out of the later columns; a sum is
not blamed for what its parts already show.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from itertools import chain, repeat
from operator import add
from typing import Any

import pandas as pd

from etl.collect.report import Form, Report, Row
from etl.collect.text import fold
from etl.reference import forms
from etl.reference.province import Province, split_line_code

Marks = dict[str, Any]
_INT64 = 2**63
_PLAN_PARTS = ("plan_nstw", "plan_nst", "plan_nsx", "carry_nstw", "carry_nsdp")
_AGAINST_PLAN = (
    "disb_ytd",
    "disb_nstw",
    "disb_nsdp",
    "disb_completed",
    "disb_advance",
    "disb_carry",
    "accepted_volume",
    "forecast",
    "disb_period",
)
_UNITS = ((3_000, "đồng"), (0, "nghìn đồng"))
"""Disbursed triệu typed in đồng are up to 10^6 times the plan, typed in nghìn đồng up to 10^3 times."""
_EXCESS = (
    "disbursed_without_plan",
    "excess_nstw",
    "excess_nsdp",
    "excess_total",
    "explained_nstw",
    "explained_nsdp",
    "explained_total",
)
_DECISION = re.compile(r"\b(quyet dinh|qd)\b.*\d|\d+\s*/\s*(qd|nq)\b")
"""A note that names a decision, by its number or date."""
_MAGNITUDE = ("magnitude_key", "magnitude_value", "magnitude_plan", "magnitude_ratio", "magnitude_unit")
_NO_MAGNITUDE: Marks = dict.fromkeys(_MAGNITUDE)


Table = dict[str, list[Any]]
"""Columns of equal length; a column that no row has is absent."""


def of(report: Report, province: Province, known_tasks: frozenset[str]) -> dict[str, Table]:
    """The control columns of every form of one report, by form. Reads nothing but its arguments."""
    return {
        "B01": _table(disbursement(report, province)),
        "B02": _table(indicators(report, province)),
        "B03": _table(tasks(report, known_tasks)),
        "B04": _table(proposals(report, province)),
        "B05": _table(roadmap(report, province)),
    }


def batch(tables: Sequence[Table]) -> pd.DataFrame:
    """The tables of one form as one frame; ``report`` is the position of the table that a row came from.

    Columns of whole numbers become Int64, so that NA and exact integers live together.
    """
    sizes = [len(table["row_no"]) if table else 0 for table in tables]
    names = dict.fromkeys(name for table in tables for name in table)
    columns: Table = {"report": [n for n, size in enumerate(sizes) for _ in range(size)]}
    for name in names:
        columns[name] = list(
            chain.from_iterable(
                table[name] if name in table else repeat(None, size) for table, size in zip(tables, sizes, strict=True)
            )
        )
    return pd.DataFrame({name: _column(values) for name, values in columns.items()})


def _table(rows: Sequence[Marks]) -> Table:
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [row.get(name) for row in rows] for name in names}


def _column(values: list[Any]) -> Any:
    present = [value for value in values if value is not None]
    whole = set(map(type, present)) == {int} and min(present) > -_INT64 and max(present) < _INT64
    return pd.array(values, dtype="Int64") if whole else pd.Series(values, dtype="object")


def _leaves(report: Report, form: str) -> list[Row]:
    return [row for row in report.forms[form].rows if row.role == "leaf"] if form in report.forms else []


def _start(row: Row) -> Marks:
    return {"row_no": row.row_no, "code": row.code}


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) else None


def _sum(*values: int | None) -> int | None:
    """The sum, None when a part is missing."""
    total = 0
    for value in values:
        if value is None:
            return None
        total += value
    return total


def _minus(left: int | None, right: int | None) -> int | None:
    return None if left is None or right is None else left - right


def _noted(row: Row) -> bool:
    """Whether there is a note; where the column itself is missing, its header is the finding."""
    note = row.values.get("note")
    return "note" in row.bad or (isinstance(note, str) and bool(note))


def _duplicates(rows: Sequence[Row]) -> dict[int, int]:
    """Row number -> number of the first row with the same code."""
    first: dict[str, int] = {}
    return {r.row_no: first[r.code] for r in rows if first.setdefault(r.code, r.row_no) != r.row_no}


def _negative(row: Row, keys: Iterable[str]) -> Marks:
    """CK09: the first negative figure of a row without a note."""
    if not _noted(row):
        for key in keys:
            value = row.values.get(key)
            if isinstance(value, int | Decimal) and value < 0:
                return {"negative_key": key, "negative_value": value}
    return {"negative_key": None, "negative_value": None}


def _amount_keys(layout: forms.Sheet, *allowed: str) -> tuple[str, ...]:
    return tuple(c.key for c in layout.columns if c.kind in ("money", "quantity") and c.key not in allowed)


def disbursement(report: Report, province: Province) -> list[Marks]:
    """Biểu 01 (CK01 to CK11, CK13, CK14): leaf rows with all control columns, wrong sums with those of CK04."""
    sheet = report.forms.get("B01")
    if sheet is None:
        return []
    layout = forms.load().sheet("B01")
    leaves = set(province.leaf_codes)
    negative_keys = _amount_keys(layout, "disb_period")
    rows = _leaves(report, "B01")
    duplicates = _duplicates(rows)
    wrong_unit = set()
    late = _low_rate_counts(report, province)
    result: list[Marks] = []
    for row in rows:
        marks = _start(row)
        marks["line_code"] = row.code
        marks["code_known"] = split_line_code(row.code)[0] in leaves
        marks["duplicate_of"] = duplicates.get(row.row_no)
        marks |= _negative(row, negative_keys)
        marks |= _magnitude(row, province)
        values = {c.key: row.values.get(c.key) for c in layout.columns}
        if marks["magnitude_key"]:
            wrong_unit.add(row.row_no)
            values = {key: None if isinstance(v, int) else v for key, v in values.items()}
        elif marks["negative_key"]:
            values[marks["negative_key"]] = None
        marks |= _line(values, row, late=late, province=province)
        result.append(marks)
    result += _off_budget(sheet)
    headings = [row for row in sheet.rows if row.role == "heading" and row.code not in province.nodes]
    result += [_start(row) | {"line_code": row.code, "code_known": False} for row in headings]
    if not headings and not _codes_wrong(report, sheet, rows, leaves):
        result += _wrong_sums(sheet, layout, wrong_unit)
    return result


def _off_budget(sheet: Form) -> Iterator[Marks]:
    """CK10 for the block under the table: known codes, each once."""
    rows = [row for row in sheet.rows if row.role == "off_budget"]
    known = {line.line_code for line in forms.load().off_budget}
    duplicates = _duplicates(rows)
    for row in rows:
        marks = _start(row) | {"line_code": row.code, "code_known": row.code in known}
        yield marks | {"duplicate_of": duplicates.get(row.row_no)}


def _codes_wrong(report: Report, sheet: Form, rows: Sequence[Row], known: set[str]) -> bool:
    """Whether a code is missing, unknown or doubled: then no sum over the rows can be judged."""
    met = [*report.issues, *(report.settled or ())]
    if any(issue.rule.startswith("CK10") and issue.sheet == sheet.sheet for issue in met) or _duplicates(rows):
        return True
    return any(split_line_code(row.code)[0] not in known for row in rows)


def _largest_plan(row: Row) -> int:
    """The plan of a line; where total and sources differ (CK02) the larger one, so that no other rule blames what is
    paid. 0 when there is none."""
    parts = _sum(*(_number(row.values.get(key)) for key in _PLAN_PARTS))
    return max(_number(row.values.get("plan_total")) or 0, parts or 0)


def _magnitude(row: Row, province: Province) -> Marks:
    """CK11: a figure so many times its plan that it must be in another unit than triệu đồng."""
    ratio = int(province.thresholds["magnitude_ratio"])
    total = row.values.get("plan_total")
    amounts = [abs(value) for key in _AGAINST_PLAN if type(value := row.values.get(key)) is int]
    if not amounts or (type(total) is int and max(amounts) < ratio * total):
        return _NO_MAGNITUDE  # nearly every line: nothing comes near it
    plan = _largest_plan(row)
    if plan > 0:
        least = ratio * plan
        for key in _AGAINST_PLAN:
            value = _number(row.values.get(key))
            if value is not None and abs(value) >= least:
                marks = (key, value, plan, abs(value) // plan, next(u for t, u in _UNITS if abs(value) >= t * plan))
                return dict(zip(_MAGNITUDE, marks, strict=True))
    return _NO_MAGNITUDE


def _line(values: Mapping[str, Any], row: Row, *, late: bool, province: Province) -> Marks:
    """The identities and bounds of one line of Biểu 01."""
    v = {key: _number(value) for key, value in values.items()}
    marks: Marks = {k: v[k] for k in ("plan_total", "disb_ytd", "disb_nstw", "disb_nsdp", "disb_completed", "forecast")}
    marks |= {k: v[k] for k in ("disb_carry", "accepted_volume")}
    marks["plan_parts"] = _sum(*(v[k] for k in _PLAN_PARTS))
    marks["plan_central"] = _sum(v["plan_nstw"], v["carry_nstw"])
    marks["plan_local"] = _sum(v["plan_nst"], v["plan_nsx"], v["carry_nsdp"])
    marks["plan_carry"] = _sum(v["carry_nstw"], v["carry_nsdp"])
    marks["disb_sources"] = _sum(v["disb_nstw"], v["disb_nsdp"])
    marks["disb_split"] = _sum(v["disb_completed"], v["disb_advance"])
    marks["plan_gap"] = _minus(v["plan_total"], marks["plan_parts"])
    marks["source_gap"] = _minus(v["disb_ytd"], marks["disb_sources"])
    split_gap = _minus(marks["disb_split"], v["disb_ytd"])
    # Both identities broken by the same amount: the cumulative itself is wrong, and one finding says so.
    explained = bool(marks["source_gap"]) and split_gap == -marks["source_gap"]
    marks["split_gap"] = None if explained else split_gap
    marks |= _excess(v, marks, row)
    marks["unaccepted_payment"] = _minus(v["disb_completed"], v["accepted_volume"])
    marks["excess_carry"] = _minus(v["disb_carry"], marks["plan_carry"])
    marks |= _forecast(v, marks)
    marks |= _rate(values.get("disb_rate"), v)
    marks["note_missing"] = _note_missing(v, row, late, province)
    return marks


def _excess(v: Mapping[str, int | None], marks: Marks, row: Row) -> Marks:
    """CK01 and CK06: the source that is exceeded is named, the total only when no source explains it.

    A total that its sources do not make up (CK02) is not held against what is within the sources. A plan that was cut
    after the money had been paid makes an honest excess: with the decision in the note it is asked about and not sent
    back (case 12).
    """
    none = dict.fromkeys(_EXCESS)
    if v["plan_total"] == 0 and not marks["plan_parts"]:
        return none | {"disbursed_without_plan": v["disb_ytd"]}
    central = _minus(v["disb_nstw"], marks["plan_central"])
    local = _minus(v["disb_nsdp"], marks["plan_local"])
    by_source = (central or 0) > 0 or (local or 0) > 0
    within = (v["disb_ytd"] or 0) <= (marks["plan_parts"] or 0)
    total = None if by_source or (marks["plan_gap"] and within) else _minus(v["disb_ytd"], v["plan_total"])
    if (by_source or (total or 0) > 0) and _DECISION.search(fold(str(row.values.get("note") or ""))):
        beyond = {"explained_nstw": central, "explained_nsdp": local, "explained_total": total}
        return none | {key: value for key, value in beyond.items() if (value or 0) > 0}
    return none | {"excess_nstw": central, "excess_nsdp": local, "excess_total": total}


def _forecast(v: Mapping[str, int | None], marks: Marks) -> Marks:
    """CK13; a cumulative beyond the plan is CK01's and makes no second finding at the forecast."""
    over = any((marks[k] or 0) > 0 for k in _EXCESS)
    within = marks["plan_gap"] and (v["forecast"] or 0) <= (marks["plan_parts"] or 0)
    return {
        "forecast_short": None if over else _minus(v["disb_ytd"], v["forecast"]),
        "forecast_excess": None if over or within else _minus(v["forecast"], v["plan_total"]),
    }


_NEAR = Decimal("0.1")


def _rate(typed: Any, v: Mapping[str, int | None]) -> Marks:
    """CK05: the typed rate against the computed one under both readings, 35 and 0.35 (case 11).

    Only compared here, so the reading that fits better decides; the stored rate is always the computed one.
    """
    paid, plan = v["disb_ytd"], v["plan_total"]
    if paid is None or not plan:
        return {"disb_rate": typed, "rate_computed": None, "rate_gap": None}
    exact = Decimal(paid) * 100 / Decimal(plan)
    gap = None
    if isinstance(typed, Decimal):
        gap = min(abs(typed - exact), abs(typed * 100 - exact)).quantize(Decimal("0.0001"), ROUND_HALF_UP)
        if gap > _NEAR:  # two places are what an official writes; more only where they decide
            gap, typed = (n.quantize(Decimal("0.01"), ROUND_HALF_UP) for n in (gap, typed))
    return {
        "disb_rate": typed,
        "rate_computed": exact.quantize(Decimal("0.01"), ROUND_HALF_UP),
        "rate_gap": gap,
    }


def _low_rate_counts(report: Report, province: Province) -> bool:
    """Whether a low rate needs a note yet: from the threshold's month of the budget year on."""
    if report.period is None or report.budget_year is None:
        return False
    month = report.period.month + 12 * (report.period.year - report.budget_year)
    return month >= int(province.thresholds["low_rate_from_month"])


def _note_missing(v: Mapping[str, int | None], row: Row, late: bool, province: Province) -> str | None:
    """CK14: a recovery and, late in the year, a low rate need a note."""
    if _noted(row):
        return None
    if (v["disb_period"] or 0) < 0:
        return "giải ngân trong kỳ âm (thu hồi, điều chỉnh)"
    low = province.thresholds["low_rate_pct"]
    paid, plan = v["disb_ytd"], v["plan_total"]
    if late and paid is not None and plan and paid * 100 < low * plan:
        return f"tỷ lệ giải ngân dưới {low.normalize():f}%".replace(".", ",")
    return None


def _wrong_sums(sheet: Form, layout: forms.Sheet, wrong_unit: set[int]) -> Iterator[Marks]:
    """CK04: heading and total rows whose figure differs from the sum of the leaves under them.

    Tolerance: half of the last shown digit times the number of leaves. Of a chain of sums that are off by the same
    amount only the lowest is reported; a sum over a cell that cannot be read or is in the wrong unit is left alone.
    """
    keys = [column.key for column in layout.columns if column.total]
    last_digit = {c.key: 10 ** (6 - (c.decimals if c.decimals is not None else 3)) for c in layout.columns}
    sums, counts, silent = _sums_by_heading(sheet, keys, wrong_unit)
    uppers = [row for row in sheet.rows if row.role in ("heading", "total")]
    uppers.sort(key=lambda row: (row.role == "total", -row.code.count("-")))
    reported: list[tuple[str, str, int]] = []
    for upper in uppers:
        if upper.code not in counts:
            continue
        for position_of_key, key in enumerate(keys):
            value = _number(upper.values.get(key))
            if value is None:
                continue
            expected = sums[upper.code][position_of_key]
            gap = value - expected
            if 2 * abs(gap) <= last_digit[key] * counts[upper.code]:
                continue
            if (upper.code, key) in silent or (upper.code, "") in silent:
                continue
            chain = (
                k == key and g == gap and (not upper.code or c.startswith(upper.code + "-")) for c, k, g in reported
            )
            if any(chain):
                continue
            reported.append((upper.code, key, gap))
            yield {
                "row_no": upper.row_no,
                "code": upper.code or layout.total_label,
                "sum_key": key,
                "sum_value": value,
                "sum_expected": expected,
                "sum_gap": gap,
                "code_known": True,
            }


@lru_cache(maxsize=4096)
def _headings_above(code: str) -> tuple[str, ...]:
    """Codes of the total ("") and of the headings over a line."""
    parts = code.split("-")
    return ("", *("-".join(parts[:n]) for n in range(1, len(parts))))


def _sums_by_heading(
    sheet: Form, keys: Sequence[str], wrong_unit: set[int]
) -> tuple[dict[str, list[int]], dict[str, int], set[tuple[str, str]]]:
    """For each heading code ("" is the total): sums of the leaves under it in the order of ``keys``, their number, and
    (code, key) of sums that cannot be judged (key "" = none of them can)."""
    sums: dict[str, list[int]] = {}
    counts: dict[str, int] = {}
    silent: set[tuple[str, str]] = set()
    for row in sheet.rows:
        if row.role != "leaf":
            continue
        amounts = [_number(row.values.get(key)) or 0 for key in keys]
        for code in _headings_above(row.code):
            counts[code] = counts.get(code, 0) + 1
            sums[code] = list(map(add, sums[code], amounts)) if code in sums else amounts
            if row.bad or row.texts:
                silent.update((code, key) for key in (*row.bad, *row.texts))
            if row.row_no in wrong_unit:
                silent.add((code, ""))
    return sums, counts, silent


def project_money(report: Report, province: Province) -> dict[str, tuple[int, int] | None]:
    """Leaf project -> (plan, disbursed) in đồng over the capital kinds of Biểu 01; None: not known."""
    money: dict[str, tuple[int, int] | None] = {}
    for row in _leaves(report, "B01"):
        project = split_line_code(row.code)[0]
        before, paid = money.get(project, (0, 0)), _number(row.values["disb_ytd"])
        if before is None or paid is None or _magnitude(row, province)["magnitude_key"]:
            money[project] = None
        else:
            money[project] = (before[0] + _largest_plan(row), before[1] + paid)
    return money


def indicators(report: Report, province: Province) -> list[Marks]:
    """Biểu 02 (CK09, CK10, CK12); CK12 looks at the project's money in Biểu 01."""
    money = project_money(report, province)
    keys = _amount_keys(forms.load().sheet("B02"), "actual_period")
    rows = _leaves(report, "B02")
    duplicates = _duplicates(rows)
    result = []
    for row in rows:
        marks = _start(row)
        project, actual = row.values.get("project_code"), row.values.get("actual_ytd")
        marks |= {"indicator_code": row.code, "project_code": project, "actual_ytd": actual}
        marks["code_known"] = row.code in province.indicators
        marks["duplicate_of"] = duplicates.get(row.row_no)
        marks["project_known"] = True if "project_code" in row.bad else project in province.nodes
        marks |= _negative(row, keys)
        plan, paid = money.get(str(project)) or (0, 0)
        silent = _noted(row) or row.values.get("unit") == "%" or not isinstance(actual, Decimal) or plan <= 0
        done = isinstance(actual, Decimal) and actual > 0
        marks["output_without_money"] = project if not silent and done and paid == 0 else None
        marks["money_without_output"] = project if not silent and actual == 0 and paid >= plan else None
        result.append(marks)
    return result


def tasks(report: Report, known_tasks: frozenset[str]) -> list[Marks]:
    """Biểu 03 (CK10): each task once, and only tasks that the province gave out."""
    rows = _leaves(report, "B03")
    duplicates = _duplicates(rows)
    return [
        _start(row)
        | {
            "task_id": row.code,
            "code_known": row.code.upper() in known_tasks,
            "duplicate_of": duplicates.get(row.row_no),
        }
        for row in rows
    ]


def proposals(report: Report, province: Province) -> list[Marks]:
    """Biểu 04 (CK10): the programme or project must exist; a blank one is reported as a blank cell."""
    return [
        _start(row) | {"project_code": project, "project_known": project is None or project in province.nodes}
        for row in _leaves(report, "B04")
        for project in (row.values.get("project_code"),)
    ]


def roadmap(report: Report, province: Province) -> list[Marks]:
    """Biểu 05 (CK04, CK09, CK10)."""
    sheet = report.forms.get("B05")
    if sheet is None:
        return []
    layout = forms.load().sheet("B05")
    leaves, keys = set(province.leaf_codes), _amount_keys(layout)
    rows = _leaves(report, "B05")
    duplicates = _duplicates(rows)
    result = []
    for row in rows:
        marks = _start(row)
        marks |= {"line_code": row.code, "code_known": split_line_code(row.code)[0] in leaves}
        marks["duplicate_of"] = duplicates.get(row.row_no)
        result.append(marks | _negative(row, keys))
    if not _codes_wrong(report, sheet, rows, leaves):
        result += _wrong_sums(sheet, layout, set())
    return result
