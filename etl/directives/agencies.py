"""Bodies that a notice lists, and what became of them.

``names`` reads one of them, here they are strung together: a comma, *và*, a word left out (Sở Tài chính, *Xây dựng*).
``successor_of`` knows what became of a body (``successors.csv``).
"""

from __future__ import annotations

import csv
import re
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path

from etl.directives import words as wording
from etl.directives.endings import HEAD
from etl.directives.folding import key, pattern
from etl.directives.names import one
from etl.directives.places import LEVEL, proper
from etl.directives.units import FIELD, FIELD_NAMES, SEPARATOR, Unit, display, tidy

__all__ = ["Unit", "as_partner", "display", "end_of", "loose", "successor_of", "tidy", "units"]

_BRACKET = re.compile(r"\s*\([^()]{1,80}\)")
_NAMING = re.compile(r"(?P<which>(?:\s[^\W\d_A-ZĐ]+){0,5})\s*\((?=[^()]{1,300}\))|\s*:\s+")
_UNKNOWN = re.compile(r"([^\W\d_a-zđ]\w*(?:\s+[\w&-]+){1,7}?)(?:,\s+(?:và\s+)?|\s+và\s+)")
_ACTION, _SURE_VERB = wording.load().action, wording.load().plain_verb
_LOOSE = re.compile(rf"(?:các|những|mọi|từng|toàn thể)\s+(?!(?:{wording.load().any_of('no_bodies')})(?!\w))")
_COMMON = re.compile(rf"(?:{wording.load().any_of('collectives')})(?!\w)")
_WORD = re.compile(r" ?[\w&/-]+ ?")
_OF_PROVINCE = re.compile(r"ubnd (?:tỉnh|thành phố) \w")
_PLACE_END = pattern(r"\s(?:tỉnh|huyện|xã|phường|thành phố)\s$")
_MOST_LOOSE = 9
_SUCCESSORS = Path(__file__).with_name("successors.csv")


def units(text: str, plain: str, at: int, *, semicolons: bool = False) -> list[Unit]:
    """The bodies that are listed from ``at`` on; empty when no name begins there. ``plain`` is the key of ``text``."""
    found = one(text, plain, at)
    if not found:
        return []
    result = list(found)
    while True:
        result[-1:] = _named(text, plain, result[-1]) or result[-1:]
        end = result[-1].end
        bracket = _BRACKET.match(plain, end)
        if bracket:
            end = bracket.end()
        separator = SEPARATOR.match(plain, end)
        if separator is None or (";" in separator[0] and not semicolons):
            return result
        more = one(text, plain, separator.end()) or _further(text, plain, separator.end(), result[-1])
        more = more or _unknown(text, plain, separator.end()) or _common(text, plain, separator.end())
        if not more:
            return result
        result += [_as_all(unit, text) for unit in more] if result[-1].is_collective else more


def _named(text: str, plain: str, collective: Unit) -> list[Unit]:
    """The bodies that are meant, named behind a collective: các cơ quan chủ chương trình (*Bộ A, Bộ B*)."""
    opening = _NAMING.match(text, collective.end) if collective.is_collective else None
    if opening is None or _acts_within(plain, opening) or not text[opening.end() : opening.end() + 1].isupper():
        return []
    found = units(text, plain, opening.end(), semicolons="(" in opening[0])
    if len(found) < 2 or any(unit.is_collective for unit in found):
        return []
    end = found[-1].end
    if "(" in opening[0]:
        is_whole, end = plain[end : end + 1] == ")", end + 1
    else:
        is_whole = plain[end : end + 1] == " " and _ACTION.match(plain, end + 1) is not None
    found[0] = replace(found[0], start=collective.start)
    return [*found[:-1], replace(found[-1], end=end)] if is_whole else []


def _acts_within(plain: str, opening: re.Match[str]) -> bool:
    """Whether a verb stands between the collective and the bracket, so that the bracket explains something else."""
    words = re.finditer(r"\s", opening["which"] or "")
    return any(_SURE_VERB.match(plain, opening.start() + space.end()) for space in words)


def _as_all(unit: Unit, text: str) -> Unit:
    """Behind a collective a common noun is one too: UBND các xã, phường, *chủ đầu tư*."""
    is_common = text[unit.start].islower() and _COMMON.fullmatch(key(unit.name))
    return Unit(unit.name, unit.start, unit.end, is_collective=True) if is_common else unit


def loose(text: str, plain: str, at: int) -> list[Unit]:
    """An addressee of unknown form, up to the verb: giao *các chủ phương tiện*, *Ngọc Linh Group*."""
    several = _LOOSE.match(plain, at)
    place = several.end() if several else proper(text, at)
    if place == at:
        return []
    return _up_to_verb(text, plain, at, place)


def as_partner(unit: Unit, text: str) -> str:
    """A body among the partners: a collective one in lower case where the notice has it so."""
    return text[unit.start] + unit.name[1:] if unit.name[:1] == text[unit.start].upper() else unit.name


def end_of(found: list[Unit], plain: str) -> int:
    """Where the text goes on after a list, remarks in brackets included."""
    bracket = _BRACKET.match(plain, found[-1].end)
    return bracket.end() if bracket else found[-1].end


def _further(text: str, plain: str, at: int, before: Unit) -> list[Unit]:
    """A name that leaves out the word before it: Sở Tài chính, *Xây dựng*; xã A, *xã B*, *C*."""
    kind = before.name.split(" ")[0]
    if kind in ("Sở", "Bộ", "Phòng") and text[at : at + 1].isupper():
        field = FIELD.match(plain, at)
        if field:
            return [Unit(f"{kind} {FIELD_NAMES[field[0]]}", at, field.end())]
    is_place = before.is_commune or _OF_PROVINCE.match(key(before.name))
    if is_place and text[at : at + 1].isupper():
        end = proper(text, at)
        follows = plain[end : end + 12]
        if end > at and not re.match(r"\s+(?:chủ trì|là)", follows) and not HEAD.match(plain, at):
            return [Unit(f"{_place_prefix(before.name)} {text[at:end]}", at, end, is_commune=before.is_commune)]
    return []


def _unknown(text: str, plain: str, at: int) -> list[Unit]:
    """A name of unknown form between others: several words from a capital on to the next comma, then a known body."""
    name = _UNKNOWN.match(text, at)
    if name is None or _ACTION.match(plain, at):
        return []
    return [Unit(display(name[1]), at, name.end(1))] if one(text, plain, name.end()) else []


def _common(text: str, plain: str, at: int) -> list[Unit]:
    """Further addressees by a common noun, up to the verb: Công an xã và *lực lượng xung kích tại chỗ* tìm kiếm."""
    return _up_to_verb(text, plain, at, at) if _COMMON.match(plain, at) and text[at].islower() else []


def _up_to_verb(text: str, plain: str, at: int, place: int) -> list[Unit]:
    place += plain[place : place + 1] == " "
    for _ in range(_MOST_LOOSE):
        may_act = plain[place - 1] == " " and place > at and not plain.startswith("được ", place - 5)
        verb = _ACTION if _PLACE_END.search(plain, at, place) else _SURE_VERB
        if plain[place : place + 1] in (":", "") or (may_act and verb.match(plain, place)):
            end = place - (plain[place - 1] == " ")
            return [Unit(display(text[at:end]), at, end, is_collective=text[at].islower())]
        word = _WORD.match(plain, place)
        if word is None:
            return []
        place = word.end()
    return []


def _place_prefix(name: str) -> str:
    match = re.match(rf"UBND (?:{LEVEL}|thành phố)", key(name).replace("ubnd", "UBND"))
    return name[: match.end()] if match else "UBND"


@cache
def _successors() -> dict[str, tuple[str, date]]:
    with _SUCCESSORS.open(encoding="utf-8", newline="") as handle:
        return {
            key(row["former_name_vi"]): (row["name_vi"], date.fromisoformat(row["valid_from"]))
            for row in csv.DictReader(handle)
        }


def successor_of(name: str) -> str | None:
    """What a former body became; none for a body that is still there."""
    found = _successors().get(key(name))
    return found[0] if found else None
