"""Money: đồng as whole numbers; the forms hold triệu đồng with at most 6 decimals (law 5).

Spreadsheet programs keep numbers as binary doubles. A double read from a cell is turned into the shortest decimal
that denotes it (``repr``), which for every amount below 10^15 with 6 decimals is the very text that was typed, and
is rounded half-up to 1 đồng. No arithmetic is ever done on the double itself.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

VND_PER_TRIEU = Decimal(1_000_000)
VND_PER_TY = Decimal(1_000_000_000)
_ONE = Decimal(1)
_TRIEU_DECIMALS = 6


def exact(number: int | float | Decimal | str) -> Decimal:
    """The decimal that a cell's number denotes."""
    return Decimal(repr(number)) if isinstance(number, float) else Decimal(number)


def trieu_to_vnd(trieu: int | float | Decimal | str) -> int:
    """Triệu đồng, as typed in a form, to whole đồng, half-up."""
    if isinstance(trieu, float):
        if trieu.is_integer():
            return int(trieu) * 1_000_000  # exact, and most cells are whole
        whole, _, decimals = repr(trieu).partition(".")
        if len(decimals) <= _TRIEU_DECIMALS and decimals.isdigit():
            return int(whole + decimals.ljust(_TRIEU_DECIMALS, "0"))  # exact too: the point moved in the text itself
    return int((exact(trieu) * VND_PER_TRIEU).quantize(_ONE, ROUND_HALF_UP))


def vnd_to_trieu(vnd: int) -> Decimal:
    """Whole đồng to triệu đồng, exact (6 decimals at most), without trailing zeros."""
    value = (Decimal(vnd) / VND_PER_TRIEU).normalize()
    return value.quantize(_ONE) if value == value.to_integral_value() else value


def group_vi(number: Decimal | int, decimals: int | None = None) -> str:
    """Vietnamese notation: ``.`` groups thousands, ``,`` is the decimal mark; ``decimals=None`` keeps what is there."""
    value = Decimal(number)
    if decimals is not None:
        value = value.quantize(_ONE.scaleb(-decimals), ROUND_HALF_UP)
        if value == 0:
            value = abs(value)
    return f"{value:,f}".translate(str.maketrans(",.", ".,"))


def show_trieu(vnd: int, decimals: int | None = None) -> str:
    """Đồng shown in triệu đồng, Vietnamese notation, no unit."""
    return group_vi(vnd_to_trieu(vnd), decimals)


def show_ty(vnd: int, decimals: int = 1) -> str:
    """Đồng shown in tỷ đồng, half-up, Vietnamese notation, no unit."""
    return group_vi(Decimal(vnd) / VND_PER_TY, decimals)


def rate_pct(numerator: int | Decimal, denominator: int | Decimal) -> Decimal | None:
    """Rate in per cent, half-up, two decimals; ``None`` when the denominator is 0 (law 6).

    The warehouse defines the rate in SQL (``mart.rate_pct``); this twin serves the sample's expected figures and the
    checks on a workbook that has not been loaded. A test holds the two together.
    """
    if denominator == 0:
        return None
    return (Decimal(numerator) * 100 / Decimal(denominator)).quantize(Decimal("0.01"), ROUND_HALF_UP)
