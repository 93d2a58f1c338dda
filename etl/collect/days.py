"""Dates that a spreadsheet may have turned round: 10/9 read as 9 October (case 21)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from etl.collect.headers import Table
from etl.collect.report import Form, Issue
from etl.reference.province import Window

_FORMER_DATES = 2015
"""No document that a form names is older."""


def swapped(read_forms: Sequence[tuple[Table, Form]], window: Window) -> Iterator[Issue]:
    """A real date whose day and month fit better the other way round is asked about, never changed (case 21)."""
    for table, form in read_forms:
        keys = [c.key for c in table.layout.columns if c.kind == "date" and c.key in table.columns]
        if not keys:
            continue
        for row in form.rows:
            for key in keys:
                day = row.values.get(key)
                if not isinstance(day, date) or day.day > 12 or day.day == day.month:
                    continue
                turned = day.replace(day=day.month, month=day.day)
                earliest = row.values.get("doc_date") if key != "doc_date" else None
                first = earliest if isinstance(earliest, date) else date(_FORMER_DATES, 1, 1)
                last = date.max if key == "extension_date" else window.cutoff_on
                if not first <= day <= last and first <= turned <= last:
                    values = {"value": f"{day:%d/%m/%Y}", "expected": f"{turned:%d/%m/%Y}"}
                    yield Issue("M21-swapped", form.sheet, form.cell(key, row.row_no), values)
