"""What several forms have marked in the same way: CK09, and codes that are wrong."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from decimal import Decimal

from etl.collect.report import Form, Report, Row
from etl.reference import forms
from etl.reference.province import split_line_code
from etl.validate.controls.table import Marks, duplicates, noted


def negative(row: Row, keys: Iterable[str]) -> Marks:
    """CK09: the first negative figure of a row without a note."""
    if not noted(row):
        for key in keys:
            value = row.values.get(key)
            if isinstance(value, int | Decimal) and value < 0:
                return {"negative_key": key, "negative_value": value}
    return {"negative_key": None, "negative_value": None}


def amount_keys(layout: forms.Sheet, *allowed: str) -> tuple[str, ...]:
    return tuple(c.key for c in layout.columns if c.kind in ("money", "quantity") and c.key not in allowed)


def codes_wrong(report: Report, sheet: Form, rows: Sequence[Row], known: Collection[str]) -> bool:
    """Whether a code is missing, unknown or doubled: then no sum over the rows can be judged."""
    met = [*report.issues, *(report.settled or ())]
    if any(issue.rule.startswith("CK10") and issue.sheet == sheet.sheet for issue in met) or duplicates(rows):
        return True
    return any(split_line_code(row.code)[0] not in known for row in rows)
