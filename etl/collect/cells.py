"""Typed cells: what stands in one cell, as the form's column asks for it (law 2).

Every numeric value has a state: ``number``, ``declared_zero`` ("-" or 0), ``blank``; ``not_reported`` is given by the
reader to what the file does not have at all. What cannot be read without a guess is a ``Problem``, never a value.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from etl import money
from etl.collect.text import clean, fold, fold_code

Raw = str | int | float | bool | date | datetime | timedelta | Decimal | None
Typed = int | Decimal | str | date | None

LARGEST = Decimal(10**12)
"""No figure of a form comes near it, even typed in đồng; what is beyond would not fit the warehouse's amounts."""

VIETNAMESE, ENGLISH = "vi", "en"
"""Number styles: 1.234,5 and 1,234.5."""

_EXACT = 2**53
"""Up to here binary numbers of a spreadsheet are exact."""
_DASHES = frozenset({"-", "--"})
_GROUPED_BY_BLANKS = re.compile(r"[-+(]?\d{1,3}(?: \d{3})+(?:[.,]\d+)?[)%]?")
_PLAIN = re.compile(r"\d+")
_VI = re.compile(r"\d{1,3}(?:\.\d{3})+,\d+|\d{1,3}(?:\.\d{3}){2,}")
_VI_DECIMAL = re.compile(r"\d+,\d+")
_EN = re.compile(r"\d{1,3}(?:,\d{3})+\.\d+|\d{1,3}(?:,\d{3}){2,}")
_EN_DECIMAL = re.compile(r"\d+\.\d+(?:[eE][+-]?\d{1,2})?|\d+[eE][+-]?\d{1,2}")
_AMBIGUOUS = re.compile(r"[1-9]\d{0,2}[.,]\d{3}")
_UNIT = re.compile(r"([-+(]?[\d.,]+\)?) ?([a-z%][a-z /.]*)")
_DONG = Decimal("0.000001")
_FACTORS = {
    "ty": Decimal(1000), "ti": Decimal(1000), "trieu": Decimal(1), "tr": Decimal(1),
    "nghin": Decimal("0.001"), "ngan": Decimal("0.001"), "d": _DONG, "dong": _DONG, "vnd": _DONG,
    "trd": Decimal(1), "tr.d": Decimal(1),
}  # fmt: skip
"""What a unit written in a cell of a money column is in triệu đồng, exactly (case 5)."""
_DATE_VI = re.compile(r"(?:ngay )?(\d{1,2})\s*(?:[/.\-]|thang)\s*(\d{1,2})\s*(?:[/.\-]|nam)\s*(\d{4}|\d{2})")
_DATE_ISO = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})")
_MIDNIGHT = re.compile(r"[ t]0?0:00(?::00)?(?:\.0+)?$")
"""The hour that programs write behind a date."""
_SERIALS = range(20_000, 80_000)
"""Day numbers of the years 1954 to 2119 in the 1900 date system."""
_SERIAL = re.compile("[0-9]{5}")
_EPOCH = date(1899, 12, 30)


@dataclass(frozen=True)
class Problem:
    """A cell that cannot be read as its column asks; ``rule`` is the case of messiness.csv."""

    rule: str
    value: str


@dataclass(frozen=True)
class Cell:
    """``state`` is set for numeric columns only; ``note`` names a case that was accepted but is worth a remark.

    ``style``: the number style that the text proves, where it proves one.
    """

    value: Typed
    state: str
    note: str | None = None
    style: str | None = None


@dataclass(frozen=True)
class Pending:
    """A number kept as text that can be read in both styles ("2.056"): the rest of the workbook decides (case 2)."""

    text: str
    vietnamese: Cell
    english: Cell

    def reading(self, style: str) -> Cell:
        return self.vietnamese if style == VIETNAMESE else self.english


BLANK = Cell(None, "blank")


def is_blank(raw: Raw) -> bool:
    return raw is None or raw == "" or (isinstance(raw, str) and not clean(raw))


def number(raw: Raw, kind: str, unit: str = "") -> Cell | Pending | Problem:
    """A numeric cell; ``kind`` money gives whole đồng, quantity and percent a Decimal.

    A text is read when only one reading is possible: "1.234,5" and "1,234.5" are, "2.056" is ``Pending``. A percent
    is kept as typed: the rate is recomputed and only compared (case 11). ``unit`` is the row's own unit, which may
    stand in a quantity's cell.
    """
    if is_blank(raw):
        return BLANK
    if raw is None or isinstance(raw, bool | date | time | timedelta):
        return Problem("M08", _shown(raw))
    if isinstance(raw, str):
        return _text_number(clean(raw), kind, unit)
    return _cell(money.exact(raw), kind, _shown(raw))


def _shown(raw: Raw) -> str:
    """What the sender sees in the cell."""
    if isinstance(raw, bool):
        return "TRUE" if raw else "FALSE"
    if isinstance(raw, float) and raw.is_integer() and abs(raw) < _EXACT:
        return str(int(raw))
    if isinstance(raw, datetime):
        raw = raw.date()
    if isinstance(raw, timedelta):
        minutes = int(raw.total_seconds()) // 60
        return f"{minutes // 60}:{minutes % 60:02d}"
    return raw.strftime("%d/%m/%Y") if isinstance(raw, date) else str(raw)


def _cell(value: Decimal, kind: str, text: str, note: str | None = None, style: str | None = None) -> Cell | Problem:
    if not value.is_finite() or abs(value) >= LARGEST:
        return Problem("M08", text[:40])
    typed: Typed = money.trieu_to_vnd(value) if kind == "money" else value
    state = "declared_zero" if typed == 0 else "number"
    return Cell(typed, state, note, None if kind == "percent" else style)


def _text_number(text: str, kind: str, unit: str) -> Cell | Pending | Problem:
    body = text.replace("–", "-").replace("—", "-").replace("−", "-").strip("' ")
    if body in _DASHES:
        return Cell(0 if kind == "money" else Decimal(0), "declared_zero")
    note, factor = "M04", Decimal(1)
    measured = _UNIT.fullmatch(fold(body))
    if measured and kind != "percent":
        known = _factor(measured[2], kind, unit)
        if known is None:
            return Problem("M08", text[:80])
        body, note, factor = measured[1], "M05", known
    body = re.sub(r"(?<=\() | (?=[)%])", "", body)
    if " " in body:
        if not _GROUPED_BY_BLANKS.fullmatch(body):
            return Problem("M08", text[:80])
        body = body.replace(" ", "")
    if kind == "percent" and body.endswith("%"):
        body = body[:-1]
    bracketed = body.startswith("(") and body.endswith(")")
    negative = bracketed or body.startswith("-")
    digits = body[1:-1] if bracketed else body[1:] if body[:1] in ("-", "+") else body
    note = "M09" if bracketed and note == "M04" else note
    sign = factor * (-1 if negative else 1)
    if kind != "percent" and _AMBIGUOUS.fullmatch(digits):
        if factor == _DONG:  # there are no parts of a đồng: the mark groups thousands
            style = VIETNAMESE if "." in digits else ENGLISH
            return _cell(Decimal(re.sub("[.,]", "", digits)) * sign, kind, text, note, style)
        return _both(digits, sign, kind, text, note)
    if _PLAIN.fullmatch(digits):
        return _cell(Decimal(digits) * sign, kind, text, note)
    if _VI.fullmatch(digits) or _VI_DECIMAL.fullmatch(digits):
        return _cell(Decimal(digits.replace(".", "").replace(",", ".")) * sign, kind, text, note, VIETNAMESE)
    if _EN.fullmatch(digits) or _EN_DECIMAL.fullmatch(digits):
        return _cell(Decimal(digits.replace(",", "")) * sign, kind, text, note, ENGLISH)
    return Problem("M08", text[:80])


def _both(digits: str, sign: Decimal, kind: str, text: str, note: str) -> Pending | Problem:
    thousands = _cell(Decimal(re.sub("[.,]", "", digits)) * sign, kind, text, note)
    decimals = _cell(Decimal(digits.replace(",", ".")) * sign, kind, text, note)
    if isinstance(thousands, Problem) or isinstance(decimals, Problem):
        return Problem("M02", text)
    return Pending(text, thousands, decimals) if "." in digits else Pending(text, decimals, thousands)


def _factor(words: str, kind: str, unit: str) -> Decimal | None:
    """What the unit written behind a number means in the column's own unit; None when it means nothing there."""
    words = words.strip(" .")
    if kind == "quantity":
        return Decimal(1) if unit and fold(unit) == words else None
    parts = words.removesuffix("dong").removesuffix("vnd").removesuffix(" d").strip() or "dong"
    return _FACTORS.get(parts)


def day(raw: Raw) -> Cell | Problem:
    """A date cell: a real date, text with the day first (case 21), or the number of a day (case 23)."""
    if is_blank(raw):
        return BLANK
    if isinstance(raw, datetime):
        return Cell(raw.date(), "number")
    if isinstance(raw, date):
        return Cell(raw, "number")
    if isinstance(raw, int | float) and not isinstance(raw, bool) and raw in _SERIALS:
        return Cell(_EPOCH + timedelta(int(raw)), "number", "M23")
    if isinstance(raw, str):
        text = clean(raw)
        if _SERIAL.fullmatch(text) and int(text) in _SERIALS:
            return Cell(_EPOCH + timedelta(int(text)), "number", "M23")
        written = _MIDNIGHT.sub("", fold(raw).strip("' ")).rstrip(" .")
        match = _DATE_ISO.fullmatch(written)
        if match:
            written = f"{match[3]}/{match[2]}/{match[1]}"
        match = _DATE_VI.fullmatch(written)
        if match:
            year = int(match[3])
            try:
                return Cell(date(year + 2000 if year < 100 else year, int(match[2]), int(match[1])), "number", "M21")
            except ValueError:
                return Problem("M21", text)
    return Problem("M21", clean(_shown(raw))[:80])


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
    wanted = fold(str(raw)).strip(" .;,")
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
