"""A report against the one before it, of the same budget year (CK15 to CK17, CK20 to CK23; case 47).

Rows of one frame for several forms: each has ``form``. Without a report before, only the year's beginning is judged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal

from etl.collect.report import Form, Report, Row
from etl.collect.text import fold
from etl.reference.province import Province
from etl.validate.controls.marks import listed, missed, recovered
from etl.validate.controls.table import Marks, amount, leaves, start, told_apart
from etl.validate.controls.tasks import DONE
from etl.validate.known import CUMULATIVE_KEYS, Before, Known

_FEWEST_LINES = 3


def months(report: Report, province: Province, known: Known) -> list[Marks]:
    disbursement = list(_disbursement(report, province, known))
    is_old = any("unchanged" in marks for marks in disbursement)
    rows = [*disbursement, *_outputs(report, known, is_old=is_old), *_tasks(report, known)]
    return [*rows, *_gone(report, province, known), *_proposals(report, known)]


def _disbursement(report: Report, province: Province, known: Known) -> Iterator[Marks]:
    form = report.forms.get("B01")
    if form is None:
        return
    rows = told_apart(leaves(report, "B01"))
    before = known.before
    unchanged = _unchanged(form, rows, before) if before else None
    if unchanged:
        yield unchanged
    goes_on = _goes_on(rows, known)
    for row in rows:
        marks = start(row) | {"form": "B01", "disb_ytd": amount(row, "disb_ytd")}
        marks |= {key: amount(row, key) for key in ("disb_period", "plan_total")}
        if before and row.code in before.lines:
            marks |= {"before_period": before.period_vi}
            # A file of the month before is one cause.
            marks |= {} if unchanged else _cumulative(row, before, province) | _pace(row, before, province)
        else:
            is_january = known.is_first_of_year and report.period is not None and report.period.month == 1
            marks |= _beginning(row, known, is_january=is_january, goes_on=goes_on)
        yield marks


def _cumulative(row: Row, before: Before, province: Province) -> Marks:
    """CK15 and CK16. A fall needs a note of money paid back; the month's amount makes the rest, but for rounding."""
    now, was = amount(row, "disb_ytd"), before.lines[row.code].get("disb_ytd")
    if now is None or was is None:
        return {}
    marks: Marks = {"before_ytd": was}
    if now < was:
        marks["fall_explained" if recovered(row) else "fall"] = was - now
    month = amount(row, "disb_period")
    rounding = province.thresholds["month_rounding_vnd"]
    if before.is_last_month and month is not None and abs(month - (now - was)) >= rounding:
        marks |= {"month_expected": now - was, "month_gap": month - (now - was)}
    return marks


def _pace(row: Row, before: Before, province: Province) -> Marks:
    """CK20: most of the plan in one month; or the same figure for the third month, though money is left."""
    now, was, plan = amount(row, "disb_ytd"), before.lines[row.code].get("disb_ytd"), amount(row, "plan_total")
    if now is None or was is None or not plan or not before.is_last_month:
        return {}
    marks: Marks = {}
    limit = province.thresholds["jump_pct"]
    if (now - was) * 100 > limit * plan and plan >= province.thresholds["jump_plan_min_vnd"]:
        marks |= {"jump": now - was, "jump_pct": Decimal((now - was) * 100 * 10 // plan) / 10}
    if 0 < now < plan and now == was == before.earlier.get(row.code):
        marks["standstill"] = now
    return marks


def _goes_on(rows: Sequence[Row], known: Known) -> bool:
    """Whether the form as a whole goes on from the old year: no line of it that was paid then has less now."""
    pairs = [(amount(row, "disb_ytd"), last) for row in rows if (last := known.last_year.get(row.code, 0)) > 0]
    return len(pairs) >= _FEWEST_LINES and all(now is not None and now >= last for now, last in pairs)


def _beginning(row: Row, known: Known, *, is_january: bool, goes_on: bool) -> Marks:
    """CK17: the first report of a line in a budget year starts from 0; what was paid before is the old year's.

    Carried on is what is the old year's cumulative itself, or that and the month's amount, or at least that and more
    than the new plan; money of a new year may well come to more than a small sum of the old one, but not on every line
    (``goes_on``).
    """
    now, month, last = amount(row, "disb_ytd"), amount(row, "disb_period"), known.last_year.get(row.code, 0)
    plan = amount(row, "plan_total")
    if not now:
        return {}
    beyond = goes_on or (plan is not None and now > plan and now >= last)
    if last > 0 and (now == last or (month is not None and now - month == last) or beyond):
        return {"carried_on": now, "last_year": last, "beginning_expected": now - last}
    if is_january and month is not None and month != now:
        return {"carried_on": now, "last_year": now - month, "beginning_expected": month}
    return {}


def _unchanged(form: Form, rows: Sequence[Row], before: Before) -> Marks | None:
    """Case 47: every cumulative is that of the month before, but the month's own amounts are not 0: an old file.

    Who writes 0 for the month of each line has said that nothing happened.
    """
    if all(amount(row, "disb_period") == 0 for row in rows):
        return None
    if form.nothing_to_report or not rows or {row.code for row in rows} - before.lines.keys():
        return None
    pairs = [(amount(row, key), before.lines[row.code].get(key)) for row in rows for key in CUMULATIVE_KEYS]
    if any(was for _, was in pairs) and all(now == was for now, was in pairs):
        return {"row_no": None, "code": "", "form": "B01", "unchanged": before.period}
    return None


def _outputs(report: Report, known: Known, *, is_old: bool) -> Iterator[Marks]:
    """CK15, CK16, CK17 and CK21 for Biểu 02; of a file of the month before (case 47) no month's result is judged."""
    before = known.before
    for row in told_apart(leaves(report, "B02")):
        marks = start(row) | {"form": "B02"}
        now, phase, month = (_quantity(row, key) for key in ("actual_ytd", "actual_phase", "actual_period"))
        marks |= {"actual_ytd": now, "actual_phase": phase, "actual_period": month}
        if before and row.code in before.outputs:
            was = before.outputs[row.code]
            marks |= {"before_period": before.period_vi} | _output_fall(row, now, phase, was)
            if before.is_last_month and not is_old and now is not None and month is not None and "actual_ytd" in was:
                expected = now - was["actual_ytd"]
                if month != expected:
                    marks |= {"output_month_expected": expected, "output_month_gap": month - expected}
        elif known.is_first_of_year and report.period and report.period.month == 1:
            marks |= _output_beginning(now, month)
        yield marks


def _output_beginning(now: Decimal | None, month: Decimal | None) -> Marks:
    if now is None or month is None or now == month:
        return {}
    return {"output_carried_on": now, "output_beginning": month, "output_last_year": now - month}


def _quantity(row: Row, key: str) -> Decimal | None:
    value = row.values.get(key)
    return Decimal(value) if isinstance(value, Decimal | int) and key not in row.bad else None


def _output_fall(row: Row, now: Decimal | None, phase: Decimal | None, was: Mapping[str, Decimal]) -> Marks:
    marks: Marks = {}
    explained = "note" in row.bad or bool(str(row.values.get("note") or "").strip())
    if now is not None and "actual_ytd" in was:
        marks["before_output"] = was["actual_ytd"]
        if now < was["actual_ytd"]:
            marks["output_fall_explained" if explained else "output_fall"] = was["actual_ytd"] - now
    if phase is not None and "actual_phase" in was:
        marks["before_phase"] = was["actual_phase"]
        if phase < was["actual_phase"]:
            marks["phase_fall_explained" if explained else "phase_fall"] = was["actual_phase"] - phase
    return marks


def _tasks(report: Report, known: Known) -> Iterator[Marks]:
    """CK22: what was done is done, and a deadline keeps its words unless the register has others."""
    for row in told_apart(leaves(report, "B03")):
        marks = start(row) | {"form": "B03"}
        was, phrase = known.tasks_before.get(row.code.upper(), (None, None))
        status = row.values.get("status")
        if was == DONE and status and status != DONE and "status" not in row.bad:
            marks |= {"reopened": status, "status_before": DONE}
        if was and "deadline_text" not in row.bad:
            typed = row.values.get("deadline_text")
            shown = f"{typed:%d/%m/%Y}" if isinstance(typed, date) else str(typed or "")
            task = known.tasks.get(row.code.upper())
            agreed = {fold(phrase or ""), fold(task.phrase or "") if task else ""}
            if task and task.due:
                agreed |= {f"{task.due:%d/%m/%Y}", f"{task.due.day}/{task.due.month}/{task.due.year}"}
            if fold(shown) not in agreed:
                marks |= {"deadline_changed": shown or "(trống)", "deadline": phrase or "(trống)"}
        yield marks


def _gone(report: Report, province: Province, known: Known) -> Iterator[Marks]:
    """CK23 for Biểu 02 and 03: what had a result, or was under way, has no row any more; one finding for the form."""
    results = known.before.outputs if known.before else {}
    done = [code for code, was in results.items() if was.get("actual_ytd")]
    under_way = [code for code, (state, _) in known.tasks_before.items() if state and state != DONE]
    for name, mark, codes, register in (
        ("B02", "outputs_gone", done, province.indicators),
        ("B03", "tasks_gone", under_way, known.tasks),
    ):
        form = report.forms.get(name)
        if form is not None and not form.nothing_to_report and (gone := missed(report, form, codes, register)):
            yield {"row_no": None, "code": "", "form": name, mark: listed(gone)}


def _proposals(report: Report, known: Known) -> Iterator[Marks]:
    """CK23: one row for each proposal of the month before that was not resolved and is not there any more."""
    form = report.forms.get("B04")
    if form is None:
        return
    rows = leaves(report, "B04")
    present = {str(row.values.get("issue_id") or "").upper() for row in rows}
    texts = {fold(str(row.values.get("proposal") or "")) for row in rows}
    for number, text in known.proposals_before.items():
        if number.upper() not in present and fold(text) not in texts:
            yield {"row_no": None, "code": number, "form": "B04", "disappeared": number, "proposal": text}
