"""Names of bodies in a notice, of any province and level, by their form: Sở, Bộ, UBND, Ban, Công an, Trung tâm, ...

A name begins with a word that opens names and ends where the list of fields (``words.yml``), a place or the next verb
ends it. It is kept as the notice has it, abbreviations written out, titles of persons left off (conventions of the
example notices, rule 6); ``successor_of`` knows what became of it (``successors.csv``, the province's own table).
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from etl.directives import words as wording
from etl.directives.folding import key, pattern
from etl.directives.words import WORD_END, one_of

_W = wording.load()
_LEVEL = r"(?:tỉnh|thành phố|tp\.?|huyện|quận|thị xã|tx\.?|xã|phường|thị trấn|đặc khu)"
_COMMUNE = r"(?:xã|phường|thị trấn|đặc khu)"
_VAGUE_HEADS = frozenset(map(key, ("cơ quan", "đơn vị", "hội đồng", "bộ phận")))
_NOT_NOUN = (
    r"(?!\s+(?:hợp|nghề|nghị|độ|vẽ|thảo|đồ|phận|luật|tiêu|đề|năng|đoạn|phẩm|mục|cháy|dịch|chống|ngừa|thức"
    r"|tác phẩm|thành tựu))"
)
_COLLECTIVES = rf"(?:{_W.any_of('collectives')}){WORD_END}{_NOT_NOUN}"
_COLLECTIVE_TITLES = rf"(?:(?:{_W.any_of('collective_titles')})(?:\s*,\s*|\s+và\s+|\s+))*"
_MODIFIERS = rf"(?:\s*,?\s*(?:{_W.any_of('collective_modifiers')}){WORD_END})*"
_JOIN = r"(?:\s*,\s*và\s+|\s*,\s*|\s+và\s+|\s*/\s*)"
_ALONE = frozenset(_W.phrases("alone"))
_NEEDS_PLACE = frozenset(_W.phrases("needing_place"))
_COMPLETE = frozenset(_W.phrases("completing_names"))
_STOPS = frozenset(_W.phrases("name_stops"))
_NOT_STOPS = frozenset(_W.phrases("not_name_stops"))
_PLACE_ENDS = frozenset(_W.phrases("place_ends"))
_AFTER_PLACE_ENDS = frozenset(_W.phrases("after_place_ends"))
_OF_HAMLETS = frozenset(_W.phrases("hamlet_officers"))
_COLLECTIVE = re.compile(
    rf"(?:tất cả |toàn thể |từng )?{_COLLECTIVE_TITLES}(?:các|những)\s+(?:{_COLLECTIVE_TITLES})?{_COLLECTIVES}"
    rf"(?:{_JOIN}(?:các\s+)?(?:{_COLLECTIVES}|{_W.any_of('collectives')}(?=\s*[,;:])))*{_MODIFIERS}"
)
_BARE_COLLECTIVE = re.compile(
    rf"(?:các\s+)?bộ trưởng\s*,\s*thủ trưởng (?:các )?cơ quan ngang bộ(?:\s*,\s*(?:thủ trưởng )?(?:các "
    rf")?cơ quan thuộc chính phủ)?(?:(?:\s*,\s*|\s+và\s+)(?:các )?(?:cơ quan trung ương|địa phương))*(?:"
    rf"(?:\s*,\s*|\s+và\s+)(?:chủ tịch )?(?:ubnd|ủy ban nhân dân) các tỉnh, thành phố(?: trực thuộc "
    rf"trung ương)?)?"
    rf"|(?:(?:sở|bộ|ban|ngành|cơ quan|đơn vị|địa phương){_JOIN})+(?:sở|ban|ngành|cơ quan|đơn vị|địa "
    rf"phương|đoàn thể){WORD_END}{_MODIFIERS}"
    rf"|cán bộ(?:{_JOIN}(?:công chức|viên chức|đảng viên|người lao động|chiến sĩ|nhân dân))+{WORD_END}{_MODIFIERS}"
    rf"|(?:các )?thành viên (?:ban chỉ đạo|ubnd|tổ công tác|đoàn công tác|hội đồng|tổ giúp việc|ban đại "
    rf"diện)(?: (?:tỉnh|xã|huyện|phường|thành phố|trung ương))?{WORD_END}{_MODIFIERS}"
    rf"|(?:cơ quan|đơn vị|địa phương|doanh nghiệp|chính quyền địa phương|cấp ủy, chính quyền địa phương)"
    rf"(?:\s+(?:có )?liên quan{WORD_END}|(?<=địa phương){WORD_END}){_MODIFIERS}"
)
_LISTED_FIELDS = re.compile(
    r"(?:(?:giám đốc|lãnh đạo|thủ trưởng|bộ trưởng|trưởng)\s+)?(?:các|liên)\s+(?P<kind>sở|bộ|phòng)"
    r"(?:\s*,\s*(?:ban|ngành|cơ quan|đơn vị))*\s*:?\s+"
)
_HEADS_OF_UBND = pattern(
    r"(?:(?:đồng chí|các đồng chí|tập thể|thường trực|lãnh đạo|chủ tịch|phó chủ tịch)(?:\s*,\s*(?=(?:các )?phó)|\s+))+"
)
_TITLES = re.compile(rf"(?:(?:{_W.any_of('titles')})(?:\s*,\s*(?=(?:phó|các)\s)|\s*\(|\s+))+")
_PERSON = pattern(r"(?:các )?(?:đồng chí|ông|bà)\s+")
_HELD_OFFICE = pattern(
    r"(?:đồng chí )?(?:phó )?(?:giám đốc|chủ tịch|chánh văn phòng|bộ trưởng|thứ trưởng|tổng giám đốc"
    r"|trưởng phòng|trưởng ban|thủ tướng|cục trưởng)(?: (?:sở|ban|bộ|ubnd|công an|trung tâm|thường trực"
    r"|chính phủ))*\s+"
)
_PERSON_NAME = re.compile(rf"(?:{one_of(_W.lists['family_names'])})(?:\s+[^\W\d_a-z][\w']*){{2,3}}(?![\w])")
_OFFICE = re.compile(rf"\s*[,(-]\s*(?:phó )?(?:{_W.any_of('titles')}|ủy viên)\s+")
_UBND = pattern(
    r"(?:(?:đảng ủy|cấp ủy|hđnd|hội đồng nhân dân|thường trực hđnd|đảng bộ)(?:\s*,\s*|\s+và\s+|\s*-\s*)"
    r")*(?:ubnd|ủy ban nhân dân|ubnn)(?!\w)\s*"
)
_AUTHORITY = pattern(
    r"(?:cấp ủy\s*,\s*|cấp ủy và\s+|đảng ủy\s*,\s*|cấp ủy đảng\s*,\s*)?(?:chính quyền|lãnh đạo)\s+(?=" + _LEVEL + r"\s)"
)
_LEVELS = re.compile(rf"các\s+(?P<levels>{_LEVEL}(?:{_JOIN}(?:các\s+)?{_LEVEL})*|địa phương|cấp)(?P<more>{_MODIFIERS})")
_PLACED = re.compile(rf"(?P<level>{_LEVEL})(?!\w)\.?\s*")
_AT_LEVEL = re.compile(r"(?:cấp (?:xã|huyện|tỉnh|cơ sở)|hai cấp|2 cấp|các cấp)(?!\w)")
_FIELDED = re.compile(r"(?P<kind>sở|bộ|phòng)\s+")
_FIELD_NAMES = {key(name): name for name in wording.load().lists["fields"]} | {
    key(short): full for short, full in wording.load().lists["abbreviated_fields"].items()
}
_FIELD = re.compile(rf"(?:{one_of(list(_FIELD_NAMES))}){WORD_END}(?!&)")
_SUFFIX = re.compile(rf"\s+(?P<level>{_LEVEL})(?!\w)\.?")
_HEAD = re.compile(rf"(?:{_W.any_of('heads')}){WORD_END}")
_PLACE_WORD = pattern(
    rf"(?:{_LEVEL}|nhà nước|khu vực|chính phủ|sở|bộ|cơ sở|ngành|liên ngành|chi nhánh|chi cục|dự án)(?!\w)"
)
_SEPARATOR = re.compile(
    r"\s*,\s*(?:và\s+|cùng\s+)?(?:với\s+)?|\s+và\s+(?:với\s+)?|\s*;\s*(?:và\s+)?|\s+cùng\s+(?:với\s+)?|\s+hoặc\s+"
)
_BRACKET = re.compile(r"\s*\([^()]{1,80}\)")
_WORD = re.compile(r"[\w&./'-]+")
_MOST_WORDS, _MOST_MODIFIERS = 18, 5
_SUCCESSORS = Path(__file__).with_name("successors.csv")


@dataclass(frozen=True)
class Unit:
    """A body at [start, end). ``is_collective``: no single owner. ``is_commune``: joint ones do not co-ordinate."""

    name: str
    start: int
    end: int
    is_collective: bool = False
    is_commune: bool = False


def units(text: str, plain: str, at: int, *, semicolons: bool = False) -> list[Unit]:
    """The bodies that are listed from ``at`` on; empty when no name begins there. ``plain`` is the key of ``text``."""
    found = _one(text, plain, at)
    if not found:
        return []
    result = list(found)
    while True:
        end = result[-1].end
        bracket = _BRACKET.match(plain, end)
        if bracket:
            end = bracket.end()
        separator = _SEPARATOR.match(plain, end)
        if separator is None or (";" in separator[0] and not semicolons):
            return result
        more = _one(text, plain, separator.end()) or _further(text, plain, separator.end(), result[-1])
        if not more:
            return result
        result += more


def end_of(found: list[Unit], plain: str) -> int:
    """Where the text goes on after a list, remarks in brackets included."""
    bracket = _BRACKET.match(plain, found[-1].end)
    return bracket.end() if bracket else found[-1].end


def _further(text: str, plain: str, at: int, before: Unit) -> list[Unit]:
    """A name that leaves out the word before it: Sở Tài chính, *Xây dựng*; xã A, *xã B*, *C*."""
    kind = before.name.split(" ")[0]
    if kind in ("Sở", "Bộ", "Phòng") and text[at : at + 1].isupper():
        field = _FIELD.match(plain, at)
        if field:
            return [Unit(f"{kind} {_FIELD_NAMES[field[0]]}", at, field.end())]
    if before.is_commune and text[at : at + 1].isupper():
        end = _proper(text, at)
        follows = plain[end : end + 12]
        if end > at and not re.match(r"\s+(?:chủ trì|là)", follows) and not _HEAD.match(plain, at):
            return [Unit(f"{_place_prefix(before.name)} {text[at:end]}", at, end, is_commune=True)]
    return []


def _place_prefix(name: str) -> str:
    match = re.match(rf"UBND (?:{_LEVEL}|thành phố)", key(name).replace("ubnd", "UBND"))
    return name[: match.end()] if match else "UBND"


def _one(text: str, plain: str, at: int) -> list[Unit]:
    """The name at ``at``; several where one word stands before a list of them."""
    for form in (_office_holder, _listed_fields, _authority, _collective, _fielded, _open_name, _place, _person):
        found = form(text, plain, at)
        if found:
            return found
    titles = _TITLES.match(plain, at)
    if titles and titles.end() > at:
        return [_moved(unit, at) if i == 0 else unit for i, unit in enumerate(_one(text, plain, titles.end()))]
    return []


def _moved(unit: Unit, start: int) -> Unit:
    return Unit(unit.name, start, unit.end, unit.is_collective, unit.is_commune)


def _listed_fields(text: str, plain: str, at: int) -> list[Unit]:
    """*các Sở: Tài chính, Xây dựng, Nông nghiệp và Môi trường*."""
    head = _LISTED_FIELDS.match(plain, at)
    if head is None or not text[head.end() : head.end() + 1].isupper():
        return []
    kind = head["kind"].capitalize()
    found: list[Unit] = []
    place = head.end()
    while field := _FIELD.match(plain, place):
        found.append(Unit(f"{kind} {_FIELD_NAMES[field[0]]}", place if found else at, field.end()))
        separator = _SEPARATOR.match(plain, field.end())
        if separator is None or not text[separator.end() : separator.end() + 1].isupper():
            break
        place = separator.end()
    return found


def _collective(text: str, plain: str, at: int) -> list[Unit]:
    match = _COLLECTIVE.match(plain, at) or _BARE_COLLECTIVE.match(plain, at)
    if match is None:
        return []
    end = match.end()
    if (
        re.search(rf"(?:{_LEVEL}|sở|bộ)$", plain[at:end])
        and text[end + 1 : end + 2].isupper()
        and plain[end : end + 1] == " "
    ):
        end = _proper(text, end + 1)
    end = _extended(text, plain, end)
    return [Unit(display(text[at:end]), at, end, is_collective=True)]


def _extended(text: str, plain: str, end: int) -> int:
    """Behind words that still tell which bodies are meant: UBND các xã *biên giới*, các đơn vị *vùng đệm*."""
    at, count, last = end, 0, ""
    while count <= _MOST_MODIFIERS and plain[at : at + 1] == " ":
        word = _WORD.match(plain, at + 1)
        if word is None:
            return end
        if f"{last} {word[0]}" in _NOT_STOPS:
            at, count, last = word.end(), count + 1, word[0]
            continue
        if word[0].rstrip(".,") in _STOPS or word[0] == "và" or _W.plain_verb.match(plain, at + 1):
            return at
        if _W.action.match(plain, at + 1) or _one_starts(text, plain, at + 1):
            return at
        at, count, last = word.end(), count + 1, word[0]
    return at if 0 < count <= _MOST_MODIFIERS and plain[at : at + 1] in (",", ";", ":") else end


def _authority(text: str, plain: str, at: int) -> list[Unit]:
    """UBND of a place, of places, of a level; *cấp ủy, chính quyền xã X* is its UBND."""
    titles = _HEADS_OF_UBND.match(plain, at)
    start = titles.end() if titles else at
    match = _UBND.match(plain, start) or _AUTHORITY.match(plain, start)
    if match is None:
        return []
    place = match.end()
    levels = _LEVELS.match(plain, place)
    if levels:
        return _many_places(text, plain, at, levels)
    level = _AT_LEVEL.match(plain, place)
    if level:
        return [Unit(f"UBND {text[place : level.end()]}", at, level.end(), is_collective=True)]
    officer = _officer(text, plain, at, place, titles)
    if officer:
        return [officer]
    named = _placed(text, plain, place)
    if named and titles and "phó chủ tịch" in titles[0]:
        return [Unit(display(text[at : named[1]]), at, named[1], is_collective=titles[0].startswith("các"))]
    if named:
        name, end, is_commune = named
        return [Unit(f"UBND {name}", at, end, is_commune=is_commune)]
    if text[place : place + 1].isupper() and plain[place - 1 : place] == " ":
        end = _proper(text, place)
        return [Unit(f"UBND {text[place:end]}", at, end, is_commune=True)]
    end = start + len(match[0].rstrip())
    return [Unit("UBND", at, end)]


def _office_holder(text: str, plain: str, at: int) -> list[Unit]:
    """*Phó Giám đốc Sở Nguyễn Hữu Chiến*: a person whose name stands after the office."""
    office = _HELD_OFFICE.match(plain, at)
    person = _PERSON_NAME.match(text, office.end()) if office else None
    if person is None:
        return []
    name = re.sub(r"^(?:các )?đồng chí\s+", "", text[at : person.end()], flags=re.IGNORECASE)
    return [Unit(name[:1].upper() + name[1:], at, person.end())]


def _officer(text: str, plain: str, at: int, place: int, titles: re.Match[str] | None) -> Unit | None:
    """*Phó Chủ tịch UBND tỉnh Ngô Văn Phượng*: a person, whose name stands after the body."""
    level = _PLACED.match(plain, place)
    if titles is None or level is None or not titles[0].strip().endswith("chủ tịch"):
        return None
    person = _PERSON_NAME.match(text, level.end())
    if person is None:
        return None
    name = re.sub(r"^(?:các )?đồng chí\s+", "", text[at : person.end()], flags=re.IGNORECASE)
    return Unit(name[:1].upper() + name[1:], at, person.end())


def _many_places(text: str, plain: str, at: int, levels: re.Match[str]) -> list[Unit]:
    """*UBND các xã, phường*: one collective; with names (*: A, B và C*) one unit each, without class if it is open."""
    end = levels.end()
    only = levels["levels"] if re.fullmatch(_LEVEL, levels["levels"]) else ""
    names = re.compile(r"\s*:?\s*").match(plain, end)
    place = names.end() if names else end
    found: list[Unit] = []
    while text[place : place + 1].isupper() or (found and _PLACED.match(plain, place)):
        placed = _placed(text, plain, place)
        if placed:
            name, stop, _ = placed
        else:
            stop = _proper(text, place)
            name = f"{only} {text[place:stop]}".strip()
        if stop == place or _starts_body(plain, place):
            break
        found.append(Unit(f"UBND {name}", at if not found else place, stop, is_commune=True))
        separator = _SEPARATOR.match(plain, stop)
        if separator is None:
            break
        place = separator.end()
    if found and (":" in plain[end : end + 2] or len(found) > 1 or only):
        return found
    end = _extended(text, plain, end)
    return [Unit(display(f"UBND {text[levels.start() : end]}"), at, end, is_collective=True, is_commune=True)]


def _starts_body(plain: str, at: int) -> bool:
    return bool(_HEAD.match(plain, at) or _FIELDED.match(plain, at) or _UBND.match(plain, at)) and not _PLACED.match(
        plain, at
    )


def _placed(text: str, plain: str, at: int) -> tuple[str, int, bool] | None:
    """*xã Quan Sơn*, *tỉnh*: its name, end and whether it is a commune."""
    match = _PLACED.match(plain, at)
    if match is None:
        return None
    level = text[at : match.end()].strip()
    is_commune = re.fullmatch(_COMMUNE, key(level)) is not None
    end = _proper(text, match.end())
    if end == match.end():
        return level, at + len(level), is_commune
    return f"{level} {text[match.end() : end]}", end, is_commune


def _fielded(text: str, plain: str, at: int) -> list[Unit]:
    """Sở, Bộ or Phòng of a known field."""
    match = _FIELDED.match(plain, at)
    field = _FIELD.match(plain, match.end()) if match else None
    if match is None or field is None or not (text[at].isupper() or text[match.end()].isupper()):
        return []
    end = field.end()
    name = f"{match['kind'].capitalize()} {_FIELD_NAMES[field[0]]}"
    suffix = _SUFFIX.match(plain, end)
    if suffix and not (suffix["level"] == "xã" and plain[suffix.end() :].startswith(" hội")):
        stop = _proper(text, suffix.end() + 1) if plain[suffix.end() : suffix.end() + 1] == " " else suffix.end()
        stop = stop if stop > suffix.end() + 1 else suffix.end()
        if match["kind"] == "phòng":
            name += text[end:stop]
        end = stop
    return [Unit(name, at, end)]


def _open_name(text: str, plain: str, at: int) -> list[Unit]:
    """Names that only a verb, a mark or another name ends."""
    titles = None if (own := _HEAD.match(plain, at)) and own[0] in _OF_HAMLETS else _TITLES.match(plain, at)
    at_head = titles.end() if titles and _HEAD.match(plain, titles.end()) else at
    head = _HEAD.match(plain, at_head)
    if head is None:
        return []
    following = _WORD.match(plain, head.end() + 1)
    next_is_capital = following is not None and text[following.start()].isupper() and plain[head.end()] == " "
    is_short = (" " not in head[0] or head[0] in _NEEDS_PLACE) and head[0] not in ("hđnd", "mttq", "ubmttq", "htx")
    if is_short and not next_is_capital and not (head[0] in _NEEDS_PLACE and _PLACE_WORD.match(plain, head.end() + 1)):
        return []
    if not next_is_capital and not text[at_head].isupper() and head[0] in _VAGUE_HEADS:
        return []
    end = _name_end(text, plain, head)
    if not _goes_on_well(text, plain, end):
        eager = _name_end(text, plain, head, is_eager=True)
        end = eager if _W.action.match(plain, eager + 1) else end
    if head[0] in _OF_HAMLETS:
        end = _more_places(text, end)
    name = text[at_head:end]
    if titles and re.search(r"trưởng\s+$|chánh\s+$", titles[0]) and at_head == at:
        name = text[titles.end() : end]
    return [Unit(display(name), at, end, is_collective=head[0] in _OF_HAMLETS)]


def _goes_on_well(text: str, plain: str, end: int) -> bool:
    """Whether what follows a name is what follows names: an action, another name, a colon, a stop."""
    if plain[end : end + 1] == " ":
        return True
    separator = _SEPARATOR.match(plain, end)
    return plain[end : end + 1] in (":", "(") or (separator is not None and _one_starts(text, plain, separator.end()))


def _more_places(text: str, end: int) -> int:
    """Behind further places of one office: Trưởng thôn các thôn Nà Lốc, *Khuổi Phầy*."""
    while separator := re.compile(r"(?:,\s+|\s+và\s+)(?=[^\W\d_a-z])").match(text, end):
        more = _proper(text, separator.end())
        if more == separator.end() or _HEAD.match(key(text), separator.end()):
            return end
        end = more
    return end


def _name_end(text: str, plain: str, head: re.Match[str], *, is_eager: bool = False) -> int:
    """Where an open name ends; an eager reading ends at words that are verbs as well as parts of names."""
    end, count = head.end(), 0
    last = plain[head.start() : head.end()].rpartition(" ")[2]
    last_capital = False
    while count < _MOST_WORDS:
        if plain[end : end + 1] != " ":
            break
        at = end + 1
        dash = re.compile(r"-\s").match(plain, at)
        if dash and text[dash.end() : dash.end() + 1].isupper():
            at = dash.end()
        word = _WORD.match(plain, at)
        if word is None:
            break
        syllable = word[0].rstrip(".,")
        if syllable in _STOPS and not text[at].isupper() and f"{last} {syllable}" not in _NOT_STOPS:
            break
        if syllable == "và":
            rest = word.end() + 1
            is_office = last == "hđnd" and head[0] == "văn phòng"
            acts = _W.action.match(plain, rest) and not text[rest : rest + 1].isupper()
            if not is_office and (acts or _one_starts(text, plain, rest)):
                break
        elif not text[at].isupper():
            complete = last in _COMPLETE or last_capital or (count == 0 and head[0] in _ALONE | _OF_HAMLETS)
            if last in _PLACE_ENDS and syllable not in _AFTER_PLACE_ENDS and count > 0:
                break
            is_noun = f"{last} {syllable}" in _NOT_STOPS
            if _W.plain_verb.match(plain, at) and not is_noun:
                break
            if (
                (complete or (is_eager and count > 0))
                and not is_noun
                and _W.action.match(plain, at)
                and not _PLACE_WORD.match(plain, at)
            ):
                break
        last, last_capital = syllable, text[at].isupper() or syllable.isdigit()
        end = at + len(syllable)
        count += 1
        if word[0] != syllable:
            break
    return end


def _one_starts(text: str, plain: str, at: int) -> bool:
    return bool(
        _COLLECTIVE.match(plain, at)
        or _UBND.match(plain, at)
        or (_FIELDED.match(plain, at) and text[at : at + 1].isupper())
        or (_HEAD.match(plain, at) and text[at : at + 1].isupper())
        or (_PLACED.match(plain, at) and not text[at : at + 1].isupper())
    )


def _place(text: str, plain: str, at: int) -> list[Unit]:
    """*xã Quan Sơn*, *tỉnh Đồng Nai*: its authority is meant."""
    titles = pattern(r"(?:lãnh đạo|chính quyền)\s+").match(plain, at)
    placed = _placed(text, plain, titles.end() if titles else at)
    if placed is None or " " not in placed[0] or not placed[0].split(" ")[-1][:1].isupper():
        return []
    return [Unit(f"UBND {placed[0][0].lower()}{placed[0][1:]}", at, placed[1], is_commune=placed[2])]


def _person(text: str, plain: str, at: int) -> list[Unit]:
    match = _PERSON.match(plain, at)
    if match is None or not text[match.end() : match.end() + 1].isupper():
        return []
    end = _proper(text, match.end())
    if text[match.end() : end].count(" ") < 1:
        return []
    name = display(text[at:end])
    while office := _OFFICE.match(plain, end):
        body = _one(text, plain, office.end())
        end = body[0].end if body else re.compile(r"[^,;:.()]*").match(plain, office.end()).end()  # type: ignore[union-attr]
        end += plain[end : end + 1] == ")"
    return [Unit(name, at, end)]


def _proper(text: str, at: int) -> int:
    """End of the words with capital letters (or numbers after them) that stand from ``at`` on; ``at`` without any."""
    end = at
    while word := re.compile(r"[^\W_][\w.'’]*(?:-[^\W_]\w*)*").match(text, end if end == at else end + 1):
        if end > at and text[end : end + 1] != " ":
            break
        if not (word[0][0].isupper() or (end > at and word[0].isdigit())):
            break
        end = word.end() - (word[0].endswith("."))
        if word[0].endswith("."):
            break
    return end


def display(name: str) -> str:
    """The name with abbreviations written out and a capital first letter."""
    for short, full in wording.load().lists["abbreviations"].items():
        name = re.sub(rf"(?<!\w){re.escape(short)}(?!\w)", full, name, flags=re.IGNORECASE if " " in short else 0)
    name = re.sub(r"^(?:Chủ tịch|Phó Chủ tịch|Lãnh đạo)\s+(?=UBND)", "", name, flags=re.IGNORECASE)
    name = re.sub(r"(?<!\w)(?<!Phó )(?:Chủ tịch|chủ tịch)\s+(?=UBND)", "", name)
    name = re.sub(r"\s+", " ", name).strip(" ,")
    return name[:1].upper() + name[1:]


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
