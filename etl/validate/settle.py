"""What is settled in a report before the rules judge it: numbers kept as text, stale results, blanks, empty forms.

Rows are changed in place, so that what is checked is what is loaded. Nothing is guessed: a value is filled in only
where the form's own formula gives it or where the sender ticked *Không phát sinh* (law 2).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from statistics import median

from etl import money
from etl.collect.cells import Typed
from etl.collect.report import Form, Issue, Report, Row
from etl.reference import forms
from etl.reference.province import Province

_REQUIRED_WHEN_OPEN = frozenset({"progress"})
_REQUIRED_WHEN_DONE = frozenset({"done_date"})
_STATUS_DONE = "Đã hoàn thành"
_SIGNED = "B04"
_FEWEST_LINES = 3
_MOST = Decimal("0.6")
_FAR_BEYOND = 5
"""A form whose lines exceed their plans like this, most of them and by so much, is in another unit (case 6)."""
_TYPED = ("disb_nstw", "disb_nsdp", "disb_completed", "disb_advance", "disb_carry", "accepted_volume", "forecast")
"""Amounts of Biểu 01 beside the plan that senders type; the form makes the others of them."""
_NEARLY_ALL_PCT = 80
_MAY_BE_TICKED = frozenset({"B02", "B03", "B04"})


def settle(report: Report, province: Province) -> list[Issue]:
    """Issues of the report as a whole; its rows are settled."""
    issues: list[Issue] = list(_units(report, province))
    for name, form in report.forms.items():
        layout = forms.load(report.template_version or forms.CURRENT_VERSION).sheet(name)
        leaves = [row for row in form.rows if row.role == "leaf"]
        for row in form.rows:
            if row.texts:
                issues += _numbers_as_text(form, row, layout)
        issues += _once_per_column(_blanks(form, leaves, layout), form, leaves, province)
        for row in leaves:
            _distrust(row, layout)
        issues += _empty(form, leaves, layout)
        issues += _ticked_in_vain(form, leaves)
    return issues + list(_missing_lines(report))


def _numbers_as_text(form: Form, row: Row, layout: forms.Sheet) -> Iterator[Issue]:
    """A number kept as text counts (case 4), but the spreadsheet's own sums passed over it: they are made anew.

    A negative number in brackets needs a note (case 9): without one it is CK09's. In Biểu 04 an amount may be negative.
    """
    for column in layout.columns:
        note, _, text = row.texts.get(column.key, "").partition(" ")
        unexplained = note == "M09" and form.form != _SIGNED and not row.values.get("note")
        if note and not unexplained:
            values = {"value": text, "column": column.title, "expected": _shown(column, row.values.get(column.key))}
            yield Issue(note, form.sheet, form.cell(column.key, row.row_no), values)
    if row.role != "leaf":
        return
    for column in layout.columns:
        kind, _, names = column.computed.partition(":")
        if kind != "sum" or not row.texts.keys() & set(names.split(",")):
            continue
        parts = [row.values.get(name) for name in names.split(",")]
        numbers = [part for part in parts if isinstance(part, int)]
        if len(numbers) != len(parts):
            continue
        before = row.values.get(column.key)
        _set(row, column.key, sum(numbers))
        for other in layout.columns:
            if other.computed == f"minus_previous:{column.key}":
                month = row.values.get(other.key)
                if isinstance(month, int) and isinstance(before, int):
                    _set(row, other.key, month + sum(numbers) - before)
            elif other.computed.startswith("percent:") and column.key in other.computed:
                row.values[other.key], row.states[other.key] = None, "blank"


def _shown(column: forms.Column, value: Typed) -> str:
    """A value as an official writes it."""
    if column.kind == "money" and isinstance(value, int):
        return f"{money.show_trieu(value)} triệu đồng"
    return money.group_vi(value) if isinstance(value, int | Decimal) else str(value or "")


def _set(row: Row, key: str, value: int) -> None:
    row.values[key] = value
    row.texts = {**row.texts, key: ""} if key not in row.texts else row.texts
    row.states.pop(key, None)
    if value == 0:
        row.states[key] = "declared_zero"


def _units(report: Report, province: Province) -> Iterator[Issue]:
    """Case 6: a form typed in đồng or nghìn đồng; one issue for the form, and none of its amounts is judged further."""
    disbursed = report.forms.get("B01")
    plans: dict[str, int] = {}
    if disbursed is not None:
        leaves = [row for row in disbursed.rows if row.role == "leaf"]
        plans = {row.code: plan for row in leaves if isinstance(plan := row.values.get("plan_total"), int)}
        ceiling = int(province.thresholds["commune_plan_max_vnd"])
        beyond = sum(plans.values())
        if beyond > ceiling:
            factor = 1_000_000 if beyond > ceiling * 100 else 1_000
            plans = {code: plan // factor for code, plan in plans.items()}
            yield _wrong_unit(disbursed, "B01", leaves, factor, None)
        elif factor := _factor(leaves, plans, "disb_ytd"):
            columns = _columns_in_another_unit(leaves, plans)
            if columns:
                for times in dict.fromkeys(columns.values()):
                    yield _wrong_columns(disbursed, leaves, [key for key in columns if columns[key] == times], times)
            else:
                yield _wrong_unit(disbursed, "B01", leaves, factor, plans)
        elif shrunk := _shrunk(disbursed, leaves, province):
            yield shrunk
            plans = {}
    planned = report.forms.get("B05")
    if planned is not None:
        leaves = [row for row in planned.rows if row.role == "leaf"]
        factor = _factor(leaves, plans, "planned_close")
        if factor:
            yield _wrong_unit(planned, "B05", leaves, factor, plans)


def _factor(leaves: Sequence[Row], plans: dict[str, int], key: str) -> int:
    """How many times too large the amounts of most lines are, 1,000 or 1,000,000; 0 when they are not."""
    ratios = [
        Decimal(value) / plan
        for row in leaves
        if isinstance(value := row.values.get(key), int) and value > 0 and (plan := plans.get(row.code, 0)) > 0
    ]
    if len(ratios) < _FEWEST_LINES or median(ratios) < _FAR_BEYOND:
        return 0
    if sum(ratio > 1 for ratio in ratios) < _MOST * len(ratios):
        return 0
    # Typed in nghìn đồng, no amount within its plan can seem more than 1,000 times as large.
    return 1_000_000 if max(ratios) > 1_000 else 1_000


def _columns_in_another_unit(leaves: Sequence[Row], plans: dict[str, int]) -> dict[str, int]:
    """Column -> factor, where some of the columns that are typed are in another unit and some are not; else none."""
    factors = {
        key: _factor(leaves, plans, key) for key in _TYPED if sum(map(bool, _amounts(leaves, key))) >= _FEWEST_LINES
    }
    wrong = {key: factor for key, factor in factors.items() if factor}
    return wrong if len(wrong) < len(factors) else {}


def _amounts(leaves: Sequence[Row], key: str) -> Iterator[int]:
    return (value for row in leaves if isinstance(value := row.values.get(key), int))


def _wrong_columns(form: Form, leaves: Sequence[Row], keys: Sequence[str], factor: int) -> Issue:
    """The issue at their first amount; the columns and what the form makes of them are taken out of later rules."""
    layout = forms.load().sheet(form.form)
    first = next(form.cell(key, row.row_no) for row in leaves for key in keys if row.values.get(key))
    for row in form.rows:
        row.bad = row.bad | set(keys)
        row.values = row.values | dict.fromkeys(keys)
        _distrust(row, layout)
    unit = "đồng" if factor == 1_000_000 else "nghìn đồng"
    columns = [layout.column(key) for key in keys]
    named = ", ".join(f"({column.no})" for column in columns) if len(columns) > 1 else columns[0].title
    return Issue("M06-column", form.sheet, first, {"value": unit, "expected": money.group_vi(factor), "column": named})


def _shrunk(form: Form, leaves: Sequence[Row], province: Province) -> Issue | None:
    """Cumulatives far below those of the month before, which the form itself carries in its month's amount.

    Money paid back does not take nearly all of every line; a form in tỷ đồng does.
    """
    before = after = 0
    fallen: list[Row] = []
    for row in leaves:
        paid, month = row.values.get("disb_ytd"), row.values.get("disb_period")
        if isinstance(paid, int) and isinstance(month, int) and paid > 0 and paid - month > 0:
            before, after = before + paid - month, after + paid
            fallen.append(row)
    if len(fallen) < _FEWEST_LINES or before < int(province.thresholds["shrink_ratio"]) * after:
        return None
    values = {"value": f"{money.show_trieu(after)} triệu đồng", "expected": money.group_vi(before // after)}
    _take_out(form, "B01")
    return Issue("M06-small", form.sheet, form.cell("disb_ytd", fallen[0].row_no), values)


def _take_out(form: Form, name: str) -> None:
    """No amount of the form is judged further."""
    keys = [c.key for c in forms.load().sheet(name).columns if c.kind == "money" and c.key in form.columns]
    for row in form.rows:
        row.bad = row.bad | set(keys)
        row.values = row.values | dict.fromkeys(keys)


def _wrong_unit(form: Form, name: str, leaves: Sequence[Row], factor: int, plans: dict[str, int] | None) -> Issue:
    """The issue, at the first amount that is too large; every amount of the form is taken out of later rules."""
    keys = [c.key for c in forms.load().sheet(name).columns if c.kind == "money" and c.key in form.columns]
    first = next(
        form.cell(key, row.row_no)
        for row in leaves
        for key in keys
        if isinstance(value := row.values.get(key), int)
        and value
        and (plans is None or abs(value) > plans.get(row.code, 0) > 0)
    )
    _take_out(form, name)
    unit = "đồng" if factor == 1_000_000 else "nghìn đồng"
    return Issue("M06", form.sheet, first, {"value": unit, "expected": money.group_vi(factor)})


def _once_per_column(blanks: Iterable[Issue], form: Form, leaves: list[Row], province: Province) -> list[Issue]:
    """A column that is blank from top to bottom is one issue, at its first cell."""
    by_column: dict[str, list[Issue]] = {}
    for issue in blanks:
        by_column.setdefault(issue.values["column"], []).append(issue)
    result: list[Issue] = []
    for title, issues in by_column.items():
        few = len(issues) < province.thresholds["column_wrong_lines_min"]
        if few or len(issues) * 100 < _NEARLY_ALL_PCT * len(leaves):
            result += issues
            continue
        values = {"column": title, "count": str(len(issues)), "last": issues[-1].cell or ""}
        result.append(Issue("M08-column", form.sheet, issues[0].cell, values))
    return result


def _blanks(form: Form, leaves: list[Row], layout: forms.Sheet) -> Iterator[Issue]:
    """A blank required cell is zero where the sheet is ticked *Không phát sinh*, and an issue otherwise.

    Biểu 05 may be left blank as a whole: the roadmap sent before then stays in force.
    """
    if form.form == "B05" and all(row.states.get(k) == "blank" for row in leaves for k in layout.numeric_keys):
        return
    required = [
        c
        for c in layout.columns
        if c.key in form.columns and (_must_be_filled(c, layout) or c.key in _REQUIRED_WHEN_DONE)
    ]
    for row in leaves:
        for column in required:
            if row.values.get(column.key) is not None or column.key in row.bad:
                continue
            if column.numeric and form.nothing_to_report:
                row.values[column.key] = 0
                row.states[column.key] = "declared_zero"
                continue
            done = row.values.get("status") == _STATUS_DONE
            if (column.key in _REQUIRED_WHEN_OPEN and done) or (column.key in _REQUIRED_WHEN_DONE and not done):
                continue
            if column.computed and _parts_missing(row, column):
                row.bad = row.bad | {column.key}
                continue
            row.bad = row.bad | {column.key}
            yield Issue("M08-blank", form.sheet, form.cell(column.key, row.row_no), {"column": column.title})


def _distrust(row: Row, layout: forms.Sheet) -> None:
    """A figure that the sheet made of a bad one is as bad: later rules leave it alone, and so do its own sums."""
    if not row.bad:
        return
    for _ in range(2):  # a rate is made of a sum that is made of a bad cell
        for column in layout.columns:
            _, _, names = column.computed.partition(":")
            if names and column.key not in row.bad and not row.bad.isdisjoint(names.replace("/", ",").split(",")):
                row.bad = row.bad | {column.key}
                row.values[column.key] = None


def _parts_missing(row: Row, column: forms.Column) -> bool:
    """Whether a computed cell is blank because a cell that it is made of is, or is a text: that has its own finding."""
    _, _, names = column.computed.partition(":")
    parts = names.replace("/", ",").split(",")
    return any(name in row.bad or name in row.texts or row.values.get(name) is None for name in parts)


def _must_be_filled(column: forms.Column, layout: forms.Sheet) -> bool:
    if column.required != "yes" or column.key in (layout.row_key, "stt") or (column.locked and not column.numeric):
        return False
    return not (layout.form == "B05" and column.key.startswith("planned_m"))


def _empty(form: Form, leaves: list[Row], layout: forms.Sheet) -> Iterator[Issue]:
    """A form without any row says nothing: not that there is nothing to report (case 47).

    Biểu 01 always has lines; Biểu 02 to 04 may be ticked. A blank Biểu 03 or 04 is asked about, not sent back.
    """
    ticked = form.nothing_to_report and form.form in _MAY_BE_TICKED
    if leaves or ticked or form.form == "B05" or layout.row_key not in form.columns:
        return
    variant = "M47-asked" if form.form in ("B03", "B04") else "M47"
    yield Issue(variant, form.sheet, None, {"value": layout.title_vi})


def _ticked_in_vain(form: Form, leaves: list[Row]) -> Iterator[Issue]:
    """*Không phát sinh* on a form that says something: which of the two is meant is asked, the rows are loaded.

    Cumulative figures may stand there all the same; a month's result (Biểu 02) or a proposal (Biểu 04) may not.
    """
    if not form.nothing_to_report:
        return
    for row in leaves:
        if form.form == "B04" or (form.form == "B02" and row.values.get("actual_period")):
            key = "actual_period" if form.form == "B02" else "proposal"
            yield Issue("M47-ticked", form.sheet, form.cell(key, row.row_no), {})
            return


def _missing_lines(report: Report) -> Iterator[Issue]:
    """CK10: a line that the report's own roadmap (Biểu 05) has must stand in Biểu 01, once it has any lines."""
    disbursed, planned = report.forms.get("B01"), report.forms.get("B05")
    if disbursed is None or planned is None or any(i.rule == "CK10" for i in report.issues):
        return
    leaves = [row.code for row in disbursed.rows if row.role == "leaf"]
    wanted = {row.code for row in planned.rows if row.role == "leaf"}
    above = {code.rsplit("-", n)[0] for code in wanted for n in range(1, code.count("-") + 1)}
    present = {row.code for row in disbursed.rows if row.role in ("leaf", "heading")}
    # A code that the roadmap does not know, or one that stands twice, is this line under a wrong code: CK10 says so.
    if not leaves or len(set(leaves)) < len(leaves) or present - wanted - above:
        return
    for row in planned.rows:
        if row.role == "leaf" and row.code not in present:
            yield Issue("CK10-missing", disbursed.sheet, None, {"value": row.code, "expected": row.code})
