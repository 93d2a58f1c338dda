"""Biểu 03 against the register of tasks: CK10, CK36 to CK38."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import date

from etl.collect.report import Report, Row
from etl.collect.text import fold
from etl.reference.province import Province
from etl.validate.controls.table import Marks, duplicates, leaves, start
from etl.validate.known import Known, Task

DONE = "Đã hoàn thành"
_SEVERAL = re.compile(r"[;\n]|(?:,| va) (?=(?:ubnd|so|ban|cong an|van phong)\b)")
"""In folded text: the names of some agencies hold a comma or "và", but none starts another one behind it."""


def tasks(report: Report, province: Province, known: Known) -> list[Marks]:
    rows = leaves(report, "B03")
    doubled = duplicates(rows)
    agencies = _agencies(province)
    result = []
    for row in rows:
        task = known.tasks.get(row.code.upper())
        marks = start(row) | {"task_id": row.code, "code_known": task is not None}
        marks["duplicate_of"] = doubled.get(row.row_no)
        result.append(marks | _done(row, task, known.received_on) | _late(row, task, report) | _lead(row, agencies))
    return result


def _day(row: Row, key: str) -> date | None:
    value = row.values.get(key)
    return value if isinstance(value, date) and key not in row.bad else None


def _text(row: Row, key: str) -> str:
    value = row.values.get(key)
    return value if isinstance(value, str) and key not in row.bad else ""


def _done(row: Row, task: Task | None, received_on: date | None) -> Marks:
    """CK36: done between assignment and receipt, with the document that shows it. A task was not given out before the
    register has it, whatever date the sender wrote."""
    done = _day(row, "done_date")
    known = [day for day in (_day(row, "doc_date"), task.assigned_on if task else None) if day]
    assigned = max(known, default=None)
    early = done is not None and assigned is not None and done < assigned
    late = done is not None and received_on is not None and done > received_on
    open_ended = _text(row, "status") == DONE and "result_doc" not in row.bad and not _text(row, "result_doc")
    return {
        "done_date": _shown(done),
        "assigned_on": _shown(assigned),
        "received_on": _shown(received_on),
        "done_too_early": _shown(done) if early else None,
        "done_too_late": _shown(done) if late else None,
        "result_missing": row.code if open_ended else None,
    }


def _shown(day: date | None) -> str | None:
    return f"{day:%d/%m/%Y}" if day else None


def _late(row: Row, task: Task | None, report: Report) -> Marks:
    """CK37: past its deadline and not done: why."""
    due = task.due if task else None
    overdue = (report.as_of - due).days if due and report.as_of else 0
    status = _text(row, "status")
    silent = status in ("", DONE) or overdue <= 0 or "reason" in row.bad or bool(_text(row, "reason"))
    return {"due_on": _shown(due), "days_overdue": None if silent else overdue}


def _lead(row: Row, agencies: Collection[str]) -> Marks:
    """CK38: one lead agency that exists, and that does not coordinate with itself."""
    lead = _text(row, "lead")
    if not lead:
        return {}
    several = bool(_SEVERAL.search(fold(lead)))
    others = {_agency(part) for part in re.split(r"[;\n]", _text(row, "coordinating")) if part.strip()}
    return {
        "lead": lead,
        "several_leads": lead if several else None,
        "unknown_lead": lead if not several and _agency(lead) not in agencies else None,
        "lead_coordinates": lead if _agency(lead) in others else None,
    }


def _agency(name: str) -> str:
    """Matching key of an agency's name."""
    return fold(name).replace("uy ban nhan dan", "ubnd").strip(" .,;")


def _agencies(province: Province) -> frozenset[str]:
    """Matching keys of every agency that can lead: by name, present or former, and the UBND of every commune."""
    communes = (c.committee_vi for c in province.communes.values())
    return frozenset(map(_agency, (*province.agencies.values(), *province.agency_aliases, *communes)))
