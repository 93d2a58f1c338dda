"""What is settled in a report before the rules judge it: sums over numbers kept as text, blanks, forms without rows.

Rows are changed in place, so that what is checked is what is loaded. Nothing is guessed: a value is filled in only
where the form's own formula gives it or where the sender ticked *Không phát sinh* (law 2).
"""

from __future__ import annotations

from collections.abc import Iterator

from etl.collect.report import Form, Issue, Report, Row
from etl.reference import forms

_REQUIRED_WHEN_OPEN = frozenset({"progress"})
_REQUIRED_WHEN_DONE = frozenset({"done_date"})
_STATUS_DONE = "Đã hoàn thành"
_MAY_BE_TICKED = frozenset({"B02", "B03", "B04"})


def settle(report: Report) -> list[Issue]:
    """Issues of the report as a whole; its rows are settled."""
    issues: list[Issue] = []
    for name, form in report.forms.items():
        layout = forms.load(report.template_version or forms.CURRENT_VERSION).sheet(name)
        leaves = [row for row in form.rows if row.role == "leaf"]
        for row in leaves:
            issues += _numbers_as_text(form, row, layout)
        issues += _blanks(form, leaves, layout)
        issues += _empty(form, leaves, layout)
        issues += _ticked_in_vain(form, leaves)
    return issues + list(_missing_lines(report))


def _numbers_as_text(form: Form, row: Row, layout: forms.Sheet) -> Iterator[Issue]:
    """A number kept as text counts (case 4), but the spreadsheet's own sums passed over it: they are made anew."""
    for column in layout.columns:
        if column.key in row.texts:
            values = {"value": row.texts[column.key], "column": column.title}
            yield Issue("M04", form.sheet, form.cell(column.key, row.row_no), values)
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


def _set(row: Row, key: str, value: int) -> None:
    row.values[key] = value
    row.texts = {**row.texts, key: ""} if key not in row.texts else row.texts
    row.states.pop(key, None)
    if value == 0:
        row.states[key] = "declared_zero"


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
            row.bad = row.bad | {column.key}
            yield Issue("M08-blank", form.sheet, form.cell(column.key, row.row_no), {"column": column.title})


def _must_be_filled(column: forms.Column, layout: forms.Sheet) -> bool:
    if column.required != "yes" or column.key in (layout.row_key, "stt") or (column.locked and not column.numeric):
        return False
    return not (layout.form == "B05" and column.key.startswith("planned_m"))


def _empty(form: Form, leaves: list[Row], layout: forms.Sheet) -> Iterator[Issue]:
    """A form without any row says nothing: not that there is nothing to report (case 47).

    Biểu 01 always has lines; Biểu 02 to 04 may be ticked. A blank Biểu 03 or 04 is asked about, not sent back.
    """
    if leaves or form.form == "B05" or (form.nothing_to_report and form.form in _MAY_BE_TICKED):
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
