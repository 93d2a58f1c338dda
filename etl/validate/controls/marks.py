"""What several forms have marked in the same way: CK09, and codes that are wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from decimal import Decimal

from etl.collect.report import Form, Report, Row
from etl.collect.text import fold
from etl.reference import forms
from etl.reference.province import split_line_code
from etl.validate.controls.table import Marks, duplicates, noted

_RECOVERY = re.compile(
    r"\bthu hoi\b(?! dat)|\b(?:dieu chinh|dinh chinh|nop tra|hoan tra|cat giam|hach toan)\b"
    r"|\bgiam (?:tru|chi|thanh toan|giai ngan|von|ke hoach|gia tri|quyet toan|so)\b"
)
"""A note that says why a cumulative may fall (DOMAIN.md 3.2): not land taken back, nor poverty reduced."""


def recovered(row: Row) -> bool:
    """Whether the note tells of money paid back or set right; where the column itself is missing, its header is the
    finding."""
    return "note" in row.bad or bool(_RECOVERY.search(fold(str(row.values.get("note") or ""))))


def negative(row: Row, keys: Iterable[str], explained: Callable[[Row], bool] = noted) -> Marks:
    """CK09: the first negative figure of a row whose note does not explain it."""
    if not explained(row):
        for key in keys:
            value = row.values.get(key)
            if isinstance(value, int | Decimal) and value < 0:
                return {"negative_key": key, "negative_value": value}
    return {"negative_key": None, "negative_value": None}


_LISTED = 10


def listed(codes: Sequence[str]) -> str:
    """Codes one after another, the first ten of them."""
    shown = ", ".join(codes[:_LISTED])
    return shown if len(codes) <= _LISTED else f"{shown} và {len(codes) - _LISTED} dòng khác"


def missed(report: Report, form: Form, codes: Iterable[str], known: Collection[str]) -> list[str]:
    """Those of the codes that the form has no row of. None where one of its codes is unknown, doubled or could not be
    read: it may be the one that is missed."""
    rows = [row for row in form.rows if row.role == "leaf"]
    if not rows or codes_wrong(report, form, rows, known):
        return []
    present = {row.code.upper() for row in rows}
    return [code for code in codes if code.upper() not in present]


def amount_keys(layout: forms.Sheet, *allowed: str) -> tuple[str, ...]:
    """Keys of the amounts, those that are typed before those that the form makes of them."""
    columns = [c for c in layout.columns if c.kind in ("money", "quantity") and c.key not in allowed]
    return tuple(c.key for c in sorted(columns, key=lambda column: bool(column.computed)))


def codes_wrong(report: Report, sheet: Form, rows: Sequence[Row], known: Collection[str]) -> bool:
    """Whether a code is missing, unknown or doubled: then no sum over the rows can be judged."""
    met = [*report.issues, *(report.settled or ())]
    if any(issue.rule.startswith("CK10") and issue.sheet == sheet.sheet for issue in met) or duplicates(rows):
        return True
    return any(split_line_code(row.code)[0] not in known for row in rows)
