"""Which communes a month's documents cannot tell of, and which reported late (CK32, CK33).

A month with missing communes may be published, but only by documents that say so: a sentence with the number of
communes covered in the brief and in the report, and a row "chưa báo cáo" in every table of communes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from etl.clock import show_date
from etl.publish.figure import FigureSet
from etl.publish.model import Document, Paragraph, Row, Table, joined
from etl.publish.text import show

COVERAGE = frozenset({"communes_reported", "communes_expected"})
"""Figures that say how many communes are covered; a sentence with both is a statement of coverage."""
_MISSING = COVERAGE | {"communes_not_reporting"}


def rows(figures: FigureSet, documents: Sequence[Document]) -> list[dict[str, Any]]:
    """Control rows of suite ``completeness``, one per commune that is missing or late."""
    silent = "; ".join(
        f"{document.kind_title.capitalize()} thiếu câu nêu số xã, phường đã tổng hợp"
        for document in documents
        if not any(states(block, _MISSING) for block in document.sections[0].blocks if isinstance(block, Paragraph))
    )
    due = figures.get("due_on").date
    result = []
    for commune in sorted(figures.values("report_state", "commune")):
        row: dict[str, Any] = {
            "commune_code": commune,
            "commune_vi": show(figures.get("name", commune=commune)).text,
            "state_vi": show(figures.get("report_state", commune=commune)).text,
            "due_on": show_date(due),
        }
        missing, late = figures.find("not_reporting", commune=commune), figures.find("late_days", commune=commune)
        if missing is not None:
            unmarked = "; ".join(part for part in (silent, *_without_row(documents, commune)) if part)
            # One cause is told once: a commune that the documents pass over in silence is an error, else a warning.
            row |= {"unmarked": unmarked} if unmarked else {"missing": missing.text}
        if late is not None:
            days = int(late.value or 0)
            row |= {
                "late_days": str(days),
                "working_days": str(figures.get("late_working_days", commune=commune).value),
                "received_on": show_date(due + timedelta(days)),
            }
        if missing is not None or late is not None:
            result.append(row)
    return result


def states(block: Paragraph | Table, metrics: frozenset[str]) -> bool:
    """Whether the sentence, or the table's line above it, tells all of these figures."""
    spans = block.spans if isinstance(block, Paragraph) else block.unit
    return metrics <= {span.figure.key for span in spans if span.figure}


def rows_of(table: Table, commune: str) -> Iterator[Row]:
    """Rows that name the commune."""
    key = f"name/commune={commune}"
    for row in table.all_rows():
        if any(span.figure is not None and span.figure.key == key for cell in row.cells for span in cell):
            yield row


def _without_row(documents: Sequence[Document], commune: str) -> Iterator[str]:
    for document in documents:
        for table in document.tables():
            if table.of_communes and not any(rows_of(table, commune)):
                yield f"{table.caption or table.title or joined(table.unit)} không có dòng của đơn vị này"
