"""Values of figures in Vietnamese notation, whole, and what their places are called; the rest is ``catalogue``'s."""

from __future__ import annotations

from decimal import Decimal

from etl import money
from etl.publish import catalogue, text
from etl.publish.figure import Figure, FigureSet

SEVERITIES = {"error": "Lỗi", "warning": "Cảnh báo", "info": "Lưu ý"}
UNITS = {**catalogue.UNITS, "vnd": "triệu đồng", "count": "số đếm"}
"""Of the pages: amounts are shown in triệu đồng with all their decimals."""
WHOLE = "Toàn tỉnh"


def metric(name: str) -> str:
    """``Tỷ lệ giải ngân …``; of a column of a form its title; the name itself where nobody has given it words yet."""
    return catalogue.metrics().get(name, {}).get("name") or catalogue.column(name)


def metric_order(name: str) -> tuple[int, str]:
    """In the order of ``metrics.yml``, which is that of a reader; what stands nowhere comes last."""
    known = list(catalogue.metrics())
    return (known.index(name) if name in known else len(known), name)


class Names:
    """What the places of one release are called."""

    def __init__(self, figures: FigureSet) -> None:
        self._of = catalogue.words_of(figures, figures)
        self._known: dict[tuple[tuple[str, str], ...], str] = {}

    def place(self, figure: Figure) -> str:
        """``Xã Chi Lăng, vốn đầu tư phát triển``: the dimensions in words."""
        if figure.dims not in self._known:
            values = dict(figure.dims)
            said = ", ".join(self._of[dim][values[dim]] for dim in catalogue.LABELS if dim in values)
            self._known[figure.dims] = text.clean(said[:1].upper() + said[1:]) if said else WHOLE
        return self._known[figure.dims]

    def commune(self, code: str | None) -> str:
        said = self._of.get("commune", {}).get(code or "", code or "")
        return text.clean(said[:1].upper() + said[1:]) if said else ""


def value(figure: Figure | None, indicator_unit: str = "") -> str:
    """The whole value in Vietnamese notation with its unit: nothing is rounded away here."""
    if figure is None or (figure.value is None and not figure.text):
        return text.NOTHING
    if figure.unit == "date":
        return text.show(figure).text
    if figure.value is None:
        return text.clean(figure.text)
    number = number_vi(figure.value, figure.unit)
    unit = {"vnd": " triệu đồng", "pct": " %", "pct_points": " điểm %", "days": " ngày"}.get(figure.unit, "")
    return number + (f" {indicator_unit}" if figure.unit == "quantity" and indicator_unit else unit)


def number_vi(number: Decimal | int, unit: str) -> str:
    """Đồng are shown as triệu đồng with all their decimals; rates and points with two; points with their sign."""
    if unit == "vnd":
        return money.show_trieu(int(number))
    shown = money.group_vi(number, 2) if unit in ("pct", "pct_points") else _trimmed(Decimal(number))
    return f"+{shown}" if unit == "pct_points" and number > 0 else shown


def _trimmed(number: Decimal) -> str:
    return money.group_vi(number.quantize(Decimal(1)) if number == number.to_integral_value() else number.normalize())


def exact(figure: Figure) -> str:
    """The value for machines: đồng, per cent, days, or the text."""
    return f"{figure.value:f}" if figure.value is not None else figure.text or ""


def size(number: int) -> str:
    """``1,1 MB``, ``97 kB``."""
    if number >= 1_000_000:
        return f"{money.group_vi(Decimal(number) / 1_000_000, 1)} MB"
    return f"{money.group_vi(Decimal(number) / 1000, 0)} kB" if number >= 1000 else f"{number} byte"
