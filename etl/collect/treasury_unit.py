"""In what unit a Treasury statement counts: it must say so, and it must be đồng; nothing is converted (law 2).

A unit is said above a table (*Đơn vị tính: đồng*, *Đơn vị: đồng*, *ĐVT: đồng*, *(đồng)*), in its headers (*Tổng số
(đồng)*), or by the column map for a layout that never says it. A table that says nothing takes the word of the other
sheets' titles.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from etl.collect.text import clean, fold

_DONG = r"(?:dong(?: viet nam| vn)?|(?:viet nam|vn) dong|vnd|d)"
_MANY = rf"(?:(?:nghin|ngan|trieu|ty|ti|tr\.?) ?{_DONG})"
"""More than one đồng in words; in figures only where nothing else can be meant, for an amount may carry its unit."""
_FIGURES = rf"(?:[x*] ?)?(?:1(?:[., ]?000){{1,3}}|10\^[369])(?: ?{_DONG})?"
_ALONE = r"(?:nghin|ngan|trieu|ty|ti|usd)"
_ANY = rf"(?:{_MANY}|{_FIGURES}|{_ALONE}|{_DONG})"
_STRONG = r"(?:don vi tinh|don vi tien(?: te)?|dv ?tinh|dvt|loai tien(?: te)?|dong tien(?: hach toan)?)"
"""What follows such a label is a unit, whatever it is."""
_WEAK = rf"(?:{_STRONG}|don vi|tinh (?:bang|theo)|so tien|so lieu)"
"""What follows may be a unit, or the name of an office."""
_END = r"(?=\s*(?:$|[)\].,;:-]))"

_LABEL = re.compile(rf".*\b{_STRONG}\s*:?")
_AFTER_STRONG = re.compile(rf"\b{_STRONG}\s*(?:[:=]|la\b)?\s*[(\[]?\s*(?P<unit>[^\s:=(\[].*)")
_AFTER_WEAK = re.compile(rf"\b{_WEAK}\s*(?:[:=]|la\b)?\s*(?P<unit>{_ANY}){_END}")
_BRACKETED = re.compile(rf"[(\[]\s*(?:{_WEAK}\s*:?\s*)?(?P<unit>{_ANY})\s*[)\]]")
_BARE = re.compile(rf"(?P<unit>{_MANY}|{_DONG})\.?")
_IN_WORDS = re.compile(r"\b(?P<unit>(?:nghin|ngan|trieu|ty|ti) dong)\b")
_COUNTED = re.compile(r"(?:\d[.,]?|\b(?:mot|hai|ba|bon|nam|lam|sau|bay|tam|chin|muoi|tram|ngan|nghin)) ?$")
"""Before these words stands a number, in figures or words: an amount and not a unit."""
_KNOWN = re.compile(rf"(?:{_MANY}|{_FIGURES}){_END}|{_MANY}|{_DONG}{_END}")
_MARK = re.compile(r"[)\];]|\. ")
_BODY = re.compile(
    rf"[(\[]?\s*(?:{_WEAK}\s*:?\s*(?P<labelled>{_MANY}|{_ALONE}|{_DONG})|(?P<unit>{_MANY}))\s*[)\]]?\.?"
    rf"|[(\[]\s*(?P<bracketed>{_ALONE}|{_DONG})\s*[)\]]"
)
_AT_END = re.compile(
    rf"(?:[,;/-]\s*(?:{_WEAK}\s*:?\s*)?|\b{_WEAK}\s*:?\s*)(?P<unit>{_ANY})\.?$|\s(?P<many>{_MANY})\.?$"
)
_IS_DONG = re.compile(rf"(?:1 )?{_DONG}\b(?! ?\(?[x*]? ?1[.,]?0)")
_LONGEST = 40


@dataclass(frozen=True)
class Unit:
    """``text``: as it is written, for people."""

    text: str
    is_dong: bool


def is_label(folded: str) -> bool:
    """Whether the unit is what stands in the next filled cell."""
    return _LABEL.fullmatch(folded) is not None


def in_title(text: str) -> Unit | None:
    """The unit that a line above a table says, rather one that is not đồng; ``text`` as it stands there."""
    whole, folded = _aligned(text)
    said: list[Unit | None] = []
    if (match := _AFTER_STRONG.search(folded)) is not None:
        said.append(_whatever(whole, match))
    matches = [_BARE.fullmatch(folded), _BRACKETED.search(folded), _AFTER_WEAK.search(folded)]
    if (match := _IN_WORDS.search(folded)) is not None and not _COUNTED.search(folded[: match.start()]):
        matches.append(match)
    said += [_unit(whole, match, "unit") for match in matches if match]
    units = [unit for unit in said if unit is not None]
    return next((unit for unit in units if not unit.is_dong), units[0] if units else None)


def _whatever(whole: str, match: re.Match[str]) -> Unit:
    """What follows a label that a unit must follow: as far as it is known, or else up to a mark."""
    known = _KNOWN.match(match["unit"])
    length = known.end() if known else len(_MARK.split(match["unit"])[0])
    start = match.start("unit")
    shown = whole[start : start + length].strip()[:_LONGEST]
    return Unit(shown, _is_dong(shown))


@lru_cache(maxsize=8192)
def in_body(value: str) -> Unit | None:
    """The unit that a cell below the headers says and nothing else: amounts in words of one cell do not count."""
    if len(value) > _LONGEST:
        return None
    whole, folded = _aligned(value)
    match = _BODY.fullmatch(folded)
    return _unit(whole, match, *match.groupdict()) if match else None


@lru_cache(maxsize=8192)
def of_header(text: str) -> tuple[str, Unit | None]:
    """A header text without its unit, and the unit."""
    whole, folded = _aligned(text)
    for match in (_BRACKETED.search(folded), _AT_END.search(folded), _BARE.fullmatch(folded)):
        if match is not None and (unit := _unit(whole, match, *match.groupdict())) is not None:
            return clean(whole[: match.start()] + whole[match.end() :]), unit
    return whole, None


def _unit(whole: str, match: re.Match[str], *names: str) -> Unit | None:
    name = next(name for name in names if match[name] is not None)
    shown = whole[match.start(name) : match.end(name)]
    return None if shown in ("d", "D") else Unit(shown, _is_dong(shown))  # (d) numbers a column, (đ) is a unit


def _is_dong(shown: str) -> bool:
    return _IS_DONG.match(fold(shown)) is not None


def _aligned(text: str) -> tuple[str, str]:
    """The text as it is shown and as it is matched, letter for letter; both folded where folding changes the length."""
    whole, folded = clean(text), fold(text)
    return (whole, folded) if len(whole) == len(folded) else (folded, folded)
