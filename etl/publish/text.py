"""Vietnamese notation of figures, and sentences made of figures.

Amounts: tỷ đồng with one decimal in prose (more where a small amount would read as nothing), triệu đồng in tables (with
three decimals where small differences are the matter). Rates: two decimals. ``,`` is the decimal mark, ``.`` groups
thousands. Names are put in order by ``vi_key``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

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


def _said(vnd: int, scale: Decimal, decimals: int) -> str:
    """An amount in prose: one that is not 0 never reads as 0, however small it is."""
    while vnd and not (vnd / scale).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP):
        decimals += 1
    return money.group_vi(vnd / scale, decimals)


def _ty(vnd: int) -> str:
    return _said(vnd, money.VND_PER_TY, 1)


def _trieu(vnd: int) -> str:
    return _said(vnd, money.VND_PER_TRIEU, 0)


def _full_date(figure: Figure) -> str:
    """``ngày 05 tháng 02 năm 2026``."""
    day = figure.date
    return (
        f"ngày {day.day:02} tháng {day.month:02} năm {day.year}"
        if day.month < 3
        else (f"ngày {day.day:02} tháng {day.month} năm {day.year}")
    )


_STYLES: dict[str, Callable[[Figure], str]] = {
    "ty": lambda f: _vnd(_ty, f),
    "ty_abs": lambda f: _vnd(lambda vnd: _ty(abs(vnd)), f),
    "trieu_text": lambda f: _vnd(_trieu, f),
    "trieu_abs": lambda f: _vnd(lambda vnd: _trieu(abs(vnd)), f),
    "dong": lambda f: _vnd(money.group_vi, f),
    "dong_abs": lambda f: _vnd(lambda vnd: money.group_vi(abs(vnd)), f),
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
    "date_full": lambda f: _full_date(f) if f.text else NOTHING,
    "year": lambda f: str(f.date.year) if f.text else NOTHING,
}
UNSIGNED = frozenset({"ty_abs", "trieu_abs", "dong_abs", "points_abs"})
"""Styles without a sign: a word before the number says whether it is more or less (``direction``)."""
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
    r"(?<=\d) (?=%|tỷ|triệu|đồng|điểm|ngày|xã|đơn vị|nhiệm vụ|kiến nghị)|(?<=tỷ) (?=đồng)|(?<=triệu) (?=đồng)"
    r"|(?<=điểm) (?=%|phần)|(?<=phần) (?=trăm)|(?<=lệ) (?=\(%\))|(?<=tháng) (?=\d)|(?<=ngày) (?=\d)|(?<=năm) (?=\d)"
    r"|(?<=hạn) (?=\d)|(?<=thực hiện) (?=\d)|(?<=hoàn thành) (?=\d)|(?<=Bảng) (?=\d)|(?<=lục) (?=[IVX])|(?<=^-) "
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


_WAYS = {
    "tăng": 1, "cao hơn": 1, "lớn hơn": 1, "nhiều hơn": 1, "vượt": 1,
    "giảm": -1, "thấp hơn": -1, "nhỏ hơn": -1, "ít hơn": -1, "kém": -1, "chậm": -1,
}  # fmt: skip
_WAY = re.compile(rf"(?<!\w)(?:{'|'.join(_WAYS)})(?!\w)", re.IGNORECASE)


def direction(before: str) -> int:
    """Which way the words before a number without a sign point: 1 more, -1 less, 0 neither; the last word counts."""
    found = _WAY.findall(before)
    return _WAYS[found[-1].lower()] if found else 0


_LETTERS = {letter: place for place, letter in enumerate("aăâbcdđeêfghijklmnoôơpqrstuưvwxyz")}
_TONES = {tone: place for place, tone in enumerate("\u0300\u0309\u0303\u0301\u0323", 1)}
_FIRST_LETTER = 0x110000


def vi_key(text: str) -> tuple[tuple[int, ...], tuple[int, ...], str]:
    """Sort key of the Vietnamese alphabet: the letters (ă, â, đ, ê, ô, ơ, ư are letters of their own), then the tones
    (ngang, huyền, hỏi, ngã, sắc, nặng) from left to right; a capital is the same letter. As ICU's collation ``vi``."""
    letters: list[int] = []
    tones: list[int] = []
    for character in unicodedata.normalize("NFC", text).lower():
        parts = unicodedata.normalize("NFD", character)
        tone = next((part for part in parts if part in _TONES), "")
        letter = unicodedata.normalize("NFC", parts.replace(tone, "")) if tone else character
        letters.append(_FIRST_LETTER + _LETTERS[letter] if letter in _LETTERS else ord(letter[0]))
        tones.append(_TONES.get(tone, 0))
    return tuple(letters), tuple(tones), text


def bold(spans: Spans) -> Spans:
    return tuple(replace(span, bold=True) for span in spans)
