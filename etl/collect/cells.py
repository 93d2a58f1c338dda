"""Typed cells: what stands in one cell, as the form's column asks for it (law 2).

Every numeric value has a state: ``number``, ``declared_zero`` ("-" or 0), ``blank``; ``not_reported`` is given by the
reader to what the file does not have at all. What cannot be read without a guess is a ``Problem``, never a value.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from etl import money
from etl.collect.text import clean, fold, fold_code

Raw = str | int | float | bool | date | datetime | timedelta | Decimal | None
Typed = int | Decimal | str | date | None

LARGEST = Decimal(10**12)
"""No figure of a form comes near it, even typed in đồng; what is beyond would not fit the warehouse's amounts."""

_DASHES = frozenset({"-", "--"})
_PLAIN = re.compile(r"\d+")
_VI = re.compile(r"\d{1,3}(?:\.\d{3})+,\d+|\d{1,3}(?:\.\d{3}){2,}")
_VI_DECIMAL = re.compile(r"\d+,\d+")
_EN = re.compile(r"\d{1,3}(?:,\d{3})+\.\d+|\d{1,3}(?:,\d{3}){2,}")
_EN_DECIMAL = re.compile(r"\d+\.\d+")
_AMBIGUOUS = re.compile(r"[1-9]\d{0,2}[.,]\d{3}")
_DATE_VI = re.compile(r"(?:ngay )?(\d{1,2})\s*(?:[/.\-]|thang)\s*(\d{1,2})\s*(?:[/.\-]|nam)\s*(\d{4}|\d{2})")


@dataclass(frozen=True)
class Problem:
    """A cell that cannot be read as its column asks; ``rule`` is the case of messiness.csv."""

    rule: str
    value: str


@dataclass(frozen=True)
class Cell:
    """``state`` is set for numeric columns only; ``note`` names a case that was accepted but is worth a remark."""

    value: Typed
    state: str
    note: str | None = None


BLANK = Cell(None, "blank")


def is_blank(raw: Raw) -> bool:
    return raw is None or raw == "" or (isinstance(raw, str) and not clean(raw))


def number(raw: Raw, kind: str) -> Cell | Problem:
    """A numeric cell; ``kind`` money gives whole đồng, quantity and percent a Decimal.

    A text is read when only one reading is possible: "1.234,5" and "1,234.5" are, "2.056" is not (case 2). A percent
    is kept as typed: the rate is recomputed and only compared (case 11).
    """
    if is_blank(raw):
        return BLANK
    if raw is None or isinstance(raw, bool | date | timedelta):
        return Problem("M08", str(raw))
    note = None
    if isinstance(raw, str):
        parsed = _text_number(clean(raw), kind)
        if isinstance(parsed, Problem):
            return parsed
        value, note = parsed
    else:
        value = money.exact(raw)
    if not value.is_finite() or abs(value) >= LARGEST:
        return Problem("M08", str(raw)[:40])
    typed: Typed = money.trieu_to_vnd(value) if kind == "money" else value
    return Cell(typed, "declared_zero" if value == 0 else "number", note)


def _text_number(text: str, kind: str) -> tuple[Decimal, str | None] | Problem:
    body = text.replace(" ", "").replace("–", "-").replace("—", "-").replace("−", "-").lstrip("'")
    if body in _DASHES:
        return Decimal(0), None
    percent = kind == "percent" and body.endswith("%")
    body = body[:-1] if percent else body
    negative = body.startswith("-") or (body.startswith("(") and body.endswith(")"))
    digits = body[1:-1] if body.startswith("(") and body.endswith(")") else body.lstrip("+-")
    if kind != "percent" and _AMBIGUOUS.fullmatch(digits):
        return Problem("M02", text)
    if _PLAIN.fullmatch(digits):
        plain = digits
    elif _VI.fullmatch(digits) or _VI_DECIMAL.fullmatch(digits):
        plain = digits.replace(".", "").replace(",", ".")
    elif _EN.fullmatch(digits) or _EN_DECIMAL.fullmatch(digits):
        plain = digits.replace(",", "")
    else:
        return Problem("M08", text)
    return (-1 if negative else 1) * Decimal(plain), "M04"


def day(raw: Raw) -> Cell | Problem:
    """A date cell: a real date, or text with the day first (case 21)."""
    if is_blank(raw):
        return BLANK
    if isinstance(raw, datetime):
        return Cell(raw.date(), "number")
    if isinstance(raw, date):
        return Cell(raw, "number")
    if isinstance(raw, str):
        match = _DATE_VI.fullmatch(fold(raw))
        if match:
            year = int(match[3])
            try:
                return Cell(date(year + 2000 if year < 100 else year, int(match[2]), int(match[1])), "number", "M21")
            except ValueError:
                return Problem("M21", clean(raw))
    return Problem("M21", clean(str(raw)))


def text(raw: Raw) -> Cell:
    """A text cell; a number or date typed where text is expected is kept as an official would write it."""
    if is_blank(raw):
        return BLANK
    if isinstance(raw, datetime):
        raw = raw.date()
    if isinstance(raw, date):
        return Cell(raw.strftime("%d/%m/%Y"), "number")
    if isinstance(raw, float) and raw.is_integer():
        raw = int(raw)
    return Cell(clean(str(raw)), "number")


def choice(raw: Raw, choices: tuple[str, ...]) -> Cell | Problem:
    """One of ``choices``, however it is accented or cased."""
    if is_blank(raw):
        return BLANK
    wanted = fold(str(raw))
    for option in choices:
        if fold(option) == wanted:
            return Cell(option, "number")
    return Problem("M08", clean(str(raw)))


def code(raw: Raw) -> Cell:
    """A code as matching key (case 16)."""
    if is_blank(raw):
        return BLANK
    if isinstance(raw, float) and raw.is_integer():
        raw = int(raw)
    return Cell(fold_code(str(raw)), "number")
