"""Biểu 04 in itself (CK10)."""

from __future__ import annotations

from etl.collect.report import Report
from etl.reference.province import Province
from etl.validate.controls.table import Marks, leaves, start


def proposals(report: Report, province: Province) -> list[Marks]:
    """The programme or project must exist; a blank one is reported as a blank cell."""
    return [
        start(row) | {"project_code": project, "project_known": project is None or project in province.nodes}
        for row in leaves(report, "B04")
        for project in (row.values.get("project_code"),)
    ]
