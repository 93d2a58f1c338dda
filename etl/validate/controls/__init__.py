"""Control columns: sums, differences and marks that keep the rules plain (the expectations only compare).

One function per suite takes a report and gives rows of marks; a suite's rows of all reports make one frame. ``within``
needs nothing but the report and is worked out where it is read; ``against`` needs what the province knows.
"""

from __future__ import annotations

from dataclasses import replace

from etl.collect.report import Report
from etl.reference.province import Province
from etl.validate import treasury
from etl.validate.controls.allocation import allocation
from etl.validate.controls.disbursement import disbursement
from etl.validate.controls.marks import codes_wrong
from etl.validate.controls.months import months
from etl.validate.controls.outputs import indicators
from etl.validate.controls.pace import pace
from etl.validate.controls.proposals import proposals
from etl.validate.controls.roadmap import roadmap
from etl.validate.controls.table import Marks, Table, batch, leaves, table, told_apart
from etl.validate.controls.tasks import tasks
from etl.validate.known import Known

__all__ = ["Table", "against", "batch", "within"]


def within(report: Report, province: Province) -> dict[str, Table]:
    """Suite -> control columns of what the report alone shows. Reads nothing but its arguments."""
    return {
        "b01": table(disbursement(report, province)),
        "b02": table(indicators(report, province)),
        "b04": table(proposals(report, province)),
        "b05": table(roadmap(report, province)),
    }


def against(report: Report, province: Province, known: Known) -> dict[str, Table]:
    """Suite -> control columns of the report beside what is known. Reads nothing but its arguments."""
    return {
        "b03": table(tasks(report, province, known)),
        "months": table(months(report, province, known)),
        "allocation": table(allocation(report, province, known)),
        "treasury": table(_treasury(report, province, known)),
        "roadmap": table(pace(report, province, known)),
    }


def _treasury(report: Report, province: Province, known: Known) -> list[Marks]:
    """Against the State Treasury (CK28, CK29). Where a code is wrong, a line that is missing is no difference."""
    form = report.forms.get("B01")
    if form is None:
        return []
    lines = leaves(report, "B01")
    is_complete = bool(lines) and not codes_wrong(report, form, lines, province.leaf_codes)
    once = {row.row_no for row in told_apart(lines)}
    told = replace(form, rows=[row for row in form.rows if row.role != "leaf" or row.row_no in once])
    return list(treasury.marks(told, known.treasury, province, is_complete=is_complete))
