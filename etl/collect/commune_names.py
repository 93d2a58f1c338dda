"""Names of communes as offices write them: present names, former units and former districts (cases 17 and 18).

A present name decides alone. A former unit is mapped to its successor when there is only one; thirteen names of the
province lead to several communes and need the former district. Nothing is matched by resemblance.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from etl.collect.text import fold
from etl.reference.province import Province, read_csv

_OFFICE = re.compile(
    r"^(?:(?:hdnd|hoi dong nhan dan)(?: ?[-,&] ?| va ))?"
    r"(?:ubnd|u\.b\.n\.d|uy ban nhan dan|uy ban|hdnd|dang uy|ban chi dao)\b[\s:.-]*"
)
_KINDS = {
    "xa": "xa", "x.": "xa", "x": "xa", "phuong": "phuong", "p.": "phuong", "p": "phuong", "thi tran": "thi tran",
    "tt.": "thi tran", "tt": "thi tran",
}  # fmt: skip
_KIND = re.compile(r"^(xa|phuong|thi tran|x\.|p\.|tt\.|x(?=\s)|p(?=\s)|tt(?=\s))\s*")
_DISTRICT = re.compile(r"\b(?:huyen|thanh pho|tp\.?|thi xa|h\.)\s*([a-z ]+)")
_ABOVE = re.compile(r"^(?:tinh|huyen|thanh pho|tp\.?|thi xa|h\.)\b")
_FORMERLY = re.compile(r"\s+(?:cu|truoc day)$")
"""*huyện Tràng Định cũ*."""
_PROVINCE = re.compile(r"\s*[-,]?\s*\btinh [a-z ]+$")
_ENDS = re.compile(r"\bbieu so\b|[,;()]| - |, ?tinh ")


@dataclass(frozen=True)
class Match:
    """``kind``: present, former (one successor), ambiguous, unknown; ``codes`` the communes it may be."""

    kind: str
    codes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Index:
    present: dict[str, tuple[str, str]]
    """Folded short name -> (kind of unit, code)."""
    former: dict[str, tuple[tuple[str, str, str], ...]]
    """Folded short name -> (kind of unit, former district, present commune) of each unit of that name."""


@cache
def _index(province: Province) -> _Index:
    present = {}
    for commune in province.dated_communes:
        kind, name = _split(fold(commune.name_vi))
        present[name] = (kind, commune.code)
    former: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
    for row in read_csv(province.folder / "former_units.csv"):
        kind, name = _split(fold(row["former_name_vi"]))
        district = _DISTRICT.search(fold(row["former_district_vi"]))
        former[name].append((kind, district[1].strip() if district else "", row["commune_code"]))
    return _Index(present, {name: tuple(units) for name, units in former.items()})


def _split(text: str) -> tuple[str, str]:
    """Kind of unit ("" when it is not said) and the bare name of a folded name."""
    match = _KIND.match(text)
    return (_KINDS[match[1]], text[match.end() :].strip()) if match else ("", text.strip())


def is_above_commune(text: str) -> bool:
    """Whether an office name is that of the province or of a former district."""
    return bool(_ABOVE.match(_OFFICE.sub("", fold(text))))


def districts_in(texts: Iterable[str]) -> frozenset[str]:
    """Names of the former districts that the texts mention, folded."""
    found = (_DISTRICT.search(fold(text)) for text in texts)
    return frozenset(_FORMERLY.sub("", _ENDS.split(match[1])[0].strip()) for match in found if match)


def match(text: str, province: Province, districts: frozenset[str] = frozenset()) -> Match:
    """The commune that ``text`` names; ``districts`` are those mentioned nearby, beside those in the text itself."""
    lines = [line for line in text.splitlines() if line.strip()]
    own = districts_in(lines)
    named = next((line for line in lines if not is_above_commune(line) and _OFFICE.sub("", fold(line))), text)
    folded = _PROVINCE.sub("", _OFFICE.sub("", fold(named)))
    kind, name = _split(_ENDS.split(_DISTRICT.sub("", folded))[0].strip(" .:-"))
    index = _index(province)
    present = index.present.get(name)
    units = [u for u in index.former.get(name, ()) if kind in ("", u[0])]
    if present and kind in ("", present[0]):
        meant = {u[2] for u in units if u[1] in own}
        if not meant or present[1] in meant:
            return Match("present", (present[1],))
    districts = own or districts
    if districts:
        units = [u for u in units if u[1] in districts] or units
    codes = tuple(dict.fromkeys(code for _, _, code in units))
    if not codes:
        return Match("unknown")
    return Match("former" if len(codes) == 1 else "ambiguous", codes)


@cache
def _in_text(province: Province) -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple(
        (re.compile(rf"\b(?:{kind}|ubnd) {re.escape(name)}\b"), code)
        for name, (kind, code) in sorted(_index(province).present.items(), key=lambda item: -len(item[0]))
    )


def mentioned(text: str, province: Province) -> str | None:
    """The one present commune that a file or folder name spells out (``xa Quan Son``); None for none or several."""
    folded = re.sub(r"[\s_.-]+", " ", fold(text))
    found: dict[str, str] = {}
    for pattern, code in _in_text(province):
        place = pattern.search(folded)
        if place and not any(place[0] in longer for longer in found.values()):
            found[code] = place[0]
    return next(iter(found)) if len(found) == 1 else None
