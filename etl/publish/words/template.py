"""One sentence with places for figures: how it is written, and how it becomes spans.

``{name:unit}`` is a place. The unit is part of it: the program prints the number in that unit and the unit behind it,
so a sentence that is worded anew may say the same amount in another unit but never in a wrong one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from etl.errors import ReleaseError
from etl.publish.figure import Figure
from etl.publish.model import Span, Spans
from etl.publish.text import show


@dataclass(frozen=True)
class Unit:
    """How a place with this unit is printed: notation of the figure, what stands behind it, and the notation for a
    number whose sign the words tell."""

    style: str
    behind: str = ""
    unsigned: str = ""


@dataclass(frozen=True)
class Kind:
    """What a place can hold: figures of these units, written in one of these ways (``""``: no unit behind the name)."""

    holds: tuple[str, ...]
    units: Mapping[str, Unit]


# The closed list; README.md of this folder explains it to the office.
KINDS: dict[str, Kind] = {
    "tiền": Kind(
        ("vnd",),
        {
            "tỷ đồng": Unit("ty", " tỷ đồng", "ty_abs"),
            "triệu đồng": Unit("trieu_text", " triệu đồng", "trieu_abs"),
            "đồng": Unit("dong", " đồng", "dong_abs"),
        },
    ),
    "tỷ lệ": Kind(("pct",), {"%": Unit("pct", " %"), "% gọn": Unit("pct_short", " %")}),
    "chênh lệch": Kind(
        ("pct_points",),
        {
            "điểm %": Unit("points", " điểm %", "points_abs"),
            "điểm phần trăm": Unit("points", " điểm phần trăm", "points_abs"),
        },
    ),
    "số ngày": Kind(("days",), {"ngày": Unit("days", " ngày")}),
    "số đếm": Kind(("count",), {"": Unit("count")}),
    "ngày": Kind(("date",), {"": Unit("date"), "đầy đủ": Unit("date_full"), "năm": Unit("year")}),
    "kỳ": Kind(("text",), {"": Unit("text")}),
    "tên": Kind(("text",), {"": Unit("text"), "tên": Unit("place"), "đầu câu": Unit("initial")}),
    "phần": Kind((), {"": Unit("")}),
}


@dataclass(frozen=True)
class Told:
    """A figure with what the code knows of its sentence: ``unsigned``, since the words say which way; ``limit`` of
    characters."""

    figure: Figure
    unsigned: bool = False
    limit: int | None = None


Part = Figure | Told | Span | Sequence[Span]


def unsigned(figure: Figure) -> Told:
    """The figure without its sign: the sentence says *tăng*, *giảm*, *cao hơn*, *thấp hơn*."""
    return Told(figure, unsigned=True)


def cut(figure: Figure, limit: int) -> Told:
    """The text of a figure, at most ``limit`` characters of it."""
    return Told(figure, limit=limit)


@dataclass(frozen=True)
class Place:
    name: str
    unit: str = ""


Piece = str | Place
_PLACE = re.compile(r"\s*([^\W\d]\w*)\s*(?::\s*(.*?)\s*)?")


@dataclass(frozen=True)
class Template:
    """Words and places in turn; ``broken`` tells what is wrong with the braces."""

    pieces: tuple[Piece, ...]
    broken: tuple[str, ...] = ()

    @property
    def places(self) -> tuple[Place, ...]:
        return tuple(piece for piece in self.pieces if isinstance(piece, Place))

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(piece for piece in self.pieces if isinstance(piece, str))


@dataclass(frozen=True)
class Entry:
    """A sentence of the program: what it is for, what its places hold, which of them must be said, its variants."""

    key: str
    file: str
    about: str
    kinds: Mapping[str, str]
    meanings: Mapping[str, str]
    must: tuple[str, ...]
    texts: Mapping[str, str]

    def allowed(self, variant: str) -> frozenset[str]:
        """Places that a wording of the variant may have: those that the program's own has."""
        return frozenset(place.name for place in parse(self.texts[variant]).places)


@lru_cache(maxsize=2048)
def parse(text: str) -> Template:
    """The text as words and places. Never raises: faults of the braces stand in ``broken``."""
    pieces: list[Piece] = []
    broken: list[str] = []
    for part in re.split(r"(\{[^{}]*\})", text):
        if part.startswith("{") and part.endswith("}") and len(part) > 1:
            found = _PLACE.fullmatch(part[1:-1])
            if found:
                pieces.append(Place(found[1], " ".join((found[2] or "").split())))
            else:
                broken.append(f"“{part}” không phải là một chỗ trống")
        elif part:
            broken += [f"có dấu “{brace}” lẻ, không thành cặp" for brace in "{}" if brace in part]
            pieces.append(part)
    return Template(tuple(pieces), tuple(broken))


def fill(template: Template, kinds: Mapping[str, str], parts: Mapping[str, Part]) -> Spans:
    """The sentence as spans; ``kinds``: what each place holds. Raises ReleaseError where a part does not fit its place:
    what is stored with a release may come from a version of the program that had other sentences."""
    result: list[Span] = []
    for number, piece in enumerate(template.pieces):
        if isinstance(piece, str):
            _append(result, piece)
            continue
        kind, part = KINDS.get(kinds.get(piece.name, "")), parts.get(piece.name)
        unit = kind.units.get(piece.unit) if kind else None
        if kind is None or part is None or unit is None:
            raise ReleaseError(f"Câu mẫu có chỗ trống {{{piece.name}:{piece.unit}}} mà chương trình không điền được.")
        if isinstance(part, Figure):
            part = Told(part)
        if isinstance(part, Told):
            if part.figure.unit not in kind.holds:
                raise ReleaseError(f"Số liệu {part.figure.key} không hợp với chỗ trống {{{piece.name}:{piece.unit}}}.")
            style = unit.unsigned if part.unsigned and unit.unsigned else unit.style
            result.append(show(part.figure, style, limit=part.limit))
            if part.figure.value is not None and not _unit_follows(template, number):
                _append(result, unit.behind)
        else:
            for span in (part,) if isinstance(part, Span) else part:
                if span.figure is None and not (span.bold or span.italic or span.style):
                    _append(result, span.text)
                else:
                    result.append(span)
    return tuple(result)


def _append(result: list[Span], text: str) -> None:
    """Plain words join the plain words before them: a number has all the words before it in one span."""
    if not text:
        return
    last = result[-1] if result else None
    if last is not None and last == Span(last.text):
        result[-1] = Span(last.text + text)
    else:
        result.append(Span(text))


def _unit_follows(template: Template, number: int) -> bool:
    """``{paid:tỷ đồng}/{plan:tỷ đồng}`` names the unit once, behind the second number: ``107,8/177,0 tỷ đồng``."""
    after = template.pieces[number + 1 : number + 3]
    place = template.pieces[number]
    return (
        len(after) == 2
        and after[0] == "/"
        and isinstance(place, Place)
        and isinstance(after[1], Place)
        and after[1].unit == place.unit
    )
