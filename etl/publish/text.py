"""Vietnamese notation of figures, and sentences made of figures.

Amounts: tỷ đồng with one decimal in prose, triệu đồng in tables (with three decimals where small differences are the
matter). Rates: two decimals. ``,`` is the decimal mark,
``.`` groups thousands.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import date

from etl import money
from etl.publish.figure import Figure
from etl.publish.model import Span, Spans

NOTHING = "–"
_PLACE = re.compile(r"\{(\w+)\}")


def _signed(text: str, positive: bool) -> str:
    return f"+{text}" if positive else text


def _number(figure: Figure, decimals: int | None) -> str:
    return NOTHING if figure.value is None else money.group_vi(figure.value, decimals)


def _quantity(figure: Figure) -> str:
    """An output alone: with the decimals that it has, two at most."""
    return _number(figure, _decimals(figure))


def _decimals(figure: Figure | None) -> int:
    """How many decimals a quantity needs, two at most."""
    if figure is None or figure.value is None:
        return 0
    exponent = round(figure.value, 2).normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def quantity_style(figures: Iterable[Figure | None]) -> str:
    """The style in which all outputs of a row have the same decimals."""
    return f"quantity_{max((_decimals(f) for f in figures), default=0)}"


def _trimmed(figure: Figure) -> str:
    return _number(figure, 2).rstrip("0").rstrip(",")


def _place(figure: Figure) -> str:
    """A commune's name inside a sentence: ``xã Quan Sơn``."""
    name = clean(figure.text)
    return name[:1].lower() + name[1:]


def _day(day: date) -> str:
    """As NĐ 30/2020, Phụ lục I writes days: a zero before days under 10 and before the months 1 and 2."""
    return f"{day.day:02}/{day.month:02}/{day.year}" if day.month < 3 else f"{day.day:02}/{day.month}/{day.year}"


def _initial(text: str) -> str:
    """Text that stands in a cell of its own: with a capital at its head, the rest as it was written."""
    return text[:1].upper() + text[1:]


def _points(figure: Figure) -> str:
    return NOTHING if figure.value is None else _signed(_number(figure, 2), figure.value > 0)


def _vnd(show: Callable[[int], str], figure: Figure) -> str:
    return NOTHING if figure.value is None else show(int(figure.value))


_STYLES: dict[str, Callable[[Figure], str]] = {
    "ty": lambda f: _vnd(money.show_ty, f),
    "trieu": lambda f: _vnd(lambda vnd: money.show_trieu(vnd, 0), f),
    "trieu_signed": lambda f: _vnd(lambda vnd: _signed(money.show_trieu(vnd, 0), vnd > 0), f),
    "trieu_fine": lambda f: _vnd(lambda vnd: money.show_trieu(vnd, 3), f),
    "trieu_fine_signed": lambda f: _vnd(lambda vnd: _signed(money.show_trieu(vnd, 3), vnd > 0), f),
    "pct": lambda f: _number(f, 2),
    "pct_short": _trimmed,
    "points": _points,
    "points_abs": lambda f: NOTHING if f.value is None else money.group_vi(abs(f.value), 2),
    "count": lambda f: _number(f, 0),
    "days": lambda f: _number(f, 0),
    "quantity": _quantity,
    "quantity_0": lambda f: _number(f, 0),
    "quantity_1": lambda f: _number(f, 1),
    "quantity_2": lambda f: _number(f, 2),
    "initial": lambda f: _initial(clean(f.text)),
    "text": lambda f: clean(f.text),
    "place": _place,
    "date": lambda f: _day(f.date) if f.text else NOTHING,
    "year": lambda f: str(f.date.year),
}
_DEFAULT = {
    "vnd": "trieu", "pct": "pct", "pct_points": "points", "count": "count", "days": "days", "quantity": "quantity",
    "text": "text", "date": "date",
}  # fmt: skip


def clean(text: str | None) -> str:
    """Text of the communes as one line: NFC, white space folded, no control characters; ``–`` for none."""
    folded = " ".join(unicodedata.normalize("NFC", text or "").split())
    return "".join(c for c in folded if unicodedata.category(c)[0] != "C") or NOTHING


def shorten(text: str, limit: int) -> str:
    """At most ``limit`` characters, cut between words."""
    if len(text) <= limit:
        return text
    return text[: limit - 1].rsplit(" ", 1)[0].rstrip(",;. ") + "…"


def show(figure: Figure | None, style: str = "", *, limit: int | None = None, bold: bool = False) -> Span:
    """A figure as a span; an absent one as ``–``."""
    if figure is None:
        return Span(NOTHING)
    chosen = style or _DEFAULT[figure.unit]
    text = _STYLES[chosen](figure)
    return Span(shorten(text, limit) if limit else text, figure, chosen, bold)


def sentence(template: str, **parts: Figure | Span | Sequence[Span]) -> Spans:
    """``template`` with ``{name}`` places filled by figures (default notation), spans or runs of spans."""
    result: list[Span] = []
    position = 0
    for match in _PLACE.finditer(template):
        if match.start() > position:
            result.append(Span(template[position : match.start()]))
        part = parts[match[1]]
        if isinstance(part, Figure):
            result.append(show(part))
        elif isinstance(part, Span):
            result.append(part)
        else:
            result.extend(part)
        position = match.end()
    if position < len(template):
        result.append(Span(template[position:]))
    return tuple(result)


# What a line break would tear apart: a number and its unit, a word and the number that it announces, a dash and its
# item. Every match is one space.
_TOGETHER = re.compile(
    r"(?<=\d) (?=tỷ|triệu|đồng|điểm|ngày|xã|đơn vị|nhiệm vụ|kiến nghị)|(?<=tỷ) (?=đồng)|(?<=triệu) (?=đồng)"
    r"|(?<=điểm) (?=%)|(?<=lệ) (?=\(%\))|(?<=tháng) (?=\d)|(?<=ngày) (?=\d)|(?<=năm) (?=\d)|(?<=hạn) (?=\d)"
    r"|(?<=thực hiện) (?=\d)|(?<=hoàn thành) (?=\d)|(?<=Bảng) (?=\d)|(?<=lục) (?=[IVX])|(?<=^-) "
)


def unbroken(spans: Sequence[Span]) -> Spans:
    """The same spans with no-break spaces where a line must not end; for pages, not for searching."""
    text = _TOGETHER.sub("\u00a0", "".join(s.text for s in spans))
    result, position = [], 0
    for span in spans:
        result.append(replace(span, text=text[position : position + len(span.text)]))
        position += len(span.text)
    return tuple(result)


def listing(items: Iterable[Spans | Span], separator: str = ", ") -> Spans:
    """Items joined by ``separator``."""
    result: list[Span] = []
    for item in items:
        if result:
            result.append(Span(separator))
        result.extend((item,) if isinstance(item, Span) else item)
    return tuple(result)


def bold(spans: Spans) -> Spans:
    return tuple(replace(span, bold=True) for span in spans)
