"""The name of one body, by its form: Sở, Bộ, UBND, Ban, Công an, Trung tâm, ... of any province and level.

A name begins with a word that opens names and ends where the list of fields (``words.yml``), a place or the next verb
ends it. It is kept as the notice has it, abbreviations written out, titles of persons left off (conventions of the
example notices, rule 6).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from etl.directives import words as wording
from etl.directives.folding import key, pattern
from etl.directives.places import LEVEL, PLACED, placed, proper
from etl.directives.words import WORD_END, one_of

_W = wording.load()
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
_BEFORE_NAMES = pattern(rf"(?:{LEVEL}|sở|bộ|tập đoàn|tổng công ty|công ty|ngân hàng|viện|cục|chi cục|vụ|trường|ban)$")
_LISTED_FIELDS = re.compile(
    r"(?:(?:giám đốc|lãnh đạo|thủ trưởng|bộ trưởng|trưởng)\s+)?(?:các|liên)\s+(?P<kind>sở|bộ|phòng)"
    r"(?:\s*,\s*(?:ban|ngành|cơ quan|đơn vị))*\s*:?\s+"
)
_HEADS_OF_UBND = pattern(
    r"(?:(?:đồng chí|các đồng chí|tập thể|thường trực|lãnh đạo|chủ tịch|phó chủ tịch)(?:\s*,\s*(?=(?:các )?phó)|\s+))+"
)
_TITLES = re.compile(
    rf"(?:(?:{_W.any_of('titles')})(?:\s*,\s*(?=(?:phó|các|chủ nhiệm|tổng thanh tra|thống đốc)\s)|\s*\(|\s+))+"
)
_PERSON = pattern(r"(?:các )?(?:đồng chí|đ/c|ông|bà)\s+")
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
    r"(?:cấp ủy\s*,\s*|cấp ủy và\s+|đảng ủy\s*,\s*|cấp ủy đảng\s*,\s*)?(?:chính quyền|lãnh đạo)\s+(?=" + LEVEL + r"\s)"
)
_LEVELS = re.compile(rf"các\s+(?P<levels>{LEVEL}(?:{_JOIN}(?:các\s+)?{LEVEL})*|địa phương|cấp)(?P<more>{_MODIFIERS})")
_AT_LEVEL = re.compile(r"(?:cấp (?:xã|huyện|tỉnh|cơ sở)|hai cấp|2 cấp|các cấp)(?!\w)")
_FIELDED = re.compile(r"(?P<kind>sở|bộ|phòng)\s+")
FIELD_NAMES = {key(name): name for name in wording.load().lists["fields"]} | {
    key(short): full for short, full in wording.load().lists["abbreviated_fields"].items()
}
FIELD = re.compile(rf"(?:{one_of(list(FIELD_NAMES))}){WORD_END}(?!&)")
_SUFFIX = re.compile(rf"\s+(?P<level>{LEVEL})(?!\w)\.?")
HEAD = re.compile(rf"(?:{_W.any_of('heads')}){WORD_END}")
_PLACE_WORD = pattern(
    rf"(?:{LEVEL}|nhà nước|khu vực|chính phủ|sở|bộ|cơ sở|ngành|liên ngành|chi nhánh|chi cục|dự án)(?!\w)"
)
SEPARATOR = re.compile(
    r"\s*,\s*(?:và\s+|cùng\s+)?(?:với\s+)?|\s+và\s+(?:với\s+)?|\s*;\s*(?:và\s+)?|\s+cùng\s+(?:với\s+)?|\s+hoặc\s+"
)
_WORD = re.compile(r"[\w&./'-]+")
_AT_A_RATE = pattern(
    r"\s+(?:có|còn|đạt)\s+(?:tỷ lệ|kết quả|tiến độ|số)(?:\s+(?:giải ngân|thực hiện|thu))?[^,;:.]{0,40}?"
    r"(?:\d%|thấp|chậm|cao|\d)"
    r"(?:\s+(?:hơn )?(?:so với )?(?:bình quân|mức bình quân)[^,;:.]{0,30}?(?:cả nước|của tỉnh|chung))?(?=\s)"
)
_OF_FIELDS = frozenset(map(key, ("ban chỉ đạo", "văn phòng", "tổ công tác", "hội đồng", "ủy ban", "tiểu ban")))
_NO_FIELD = pattern(r"\s+(?:việc|kết quả|tình hình|nội dung|những|tiến độ|vấn đề|phương án|công tác)(?!\w)")
_AFTER_COMMA = re.compile(r",\s(?P<word>[^\W\d_a-z]\w*)\s(?:[^\W\d_A-Z]\w*\s){1,3}và\s(?P<last>[^\W\d_a-z])")
_MOST_WORDS, _MOST_MODIFIERS = 18, 5


@dataclass(frozen=True)
class Unit:
    """A body at [start, end). ``is_collective``: no single owner. ``is_commune``: joint ones do not co-ordinate."""

    name: str
    start: int
    end: int
    is_collective: bool = False
    is_commune: bool = False


def one(text: str, plain: str, at: int) -> list[Unit]:
    """The name at ``at``; several where one word stands before a list of them."""
    for form in _FORMS:
        found = form(text, plain, at)
        if found:
            return found
    titles = _TITLES.match(plain, at)
    if titles and titles.end() > at:
        return [_moved(unit, at) if i == 0 else unit for i, unit in enumerate(one(text, plain, titles.end()))]
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
    while field := FIELD.match(plain, place):
        found.append(Unit(f"{kind} {FIELD_NAMES[field[0]]}", place if found else at, field.end()))
        separator = SEPARATOR.match(plain, field.end())
        if separator is None or not text[separator.end() : separator.end() + 1].isupper():
            break
        place = separator.end()
    return found


def _collective(text: str, plain: str, at: int) -> list[Unit]:
    levels = _LEVELS.match(plain, at)
    named = _many_places(text, plain, at, levels) if levels and ":" in plain[levels.end() : levels.end() + 2] else []
    if len(named) > 1:
        return named
    match = _COLLECTIVE.match(plain, at) or _BARE_COLLECTIVE.match(plain, at)
    if match is None:
        return []
    end = match.end()
    if _BEFORE_NAMES.search(plain[at:end]) and text[end + 1 : end + 2].isupper() and plain[end : end + 1] == " ":
        head = HEAD.match(plain, plain.rfind(" ", at, end) + 1) or HEAD.match(plain, match.end() - len("chi cục"))
        end = _name_end(text, plain, head) if head and head.end() == end else _proper_names(text, plain, end + 1)
    end = _extended(text, plain, end)
    rate = _AT_A_RATE.match(plain, end)
    if rate and _W.plain_verb.match(plain, rate.end() + 1):
        end = rate.end()
    return [Unit(display(text[at:end]), at, end, is_collective=True)]


def _proper_names(text: str, plain: str, at: int) -> int:
    """Behind names in a row: các Tập đoàn *VNPT, Viettel*."""
    end = proper(text, at)
    while separator := re.compile(r"\s*,\s+|\s+và\s+").match(plain, end):
        more = proper(text, separator.end())
        if more == separator.end() or _one_starts(text, plain, separator.end()):
            break
        end = more
    return end


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
        if _acts_twice(plain, at + 1):
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
    named = placed(text, plain, place)
    if named and titles and "phó chủ tịch" in titles[0]:
        return [Unit(display(text[at : named[1]]), at, named[1], is_collective=titles[0].startswith("các"))]
    if named:
        name, end, is_commune = named
        return [Unit(f"UBND {name}", at, end, is_commune=is_commune)]
    if text[place : place + 1].isupper() and plain[place - 1 : place] == " ":
        end = proper(text, place)
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
    level = PLACED.match(plain, place)
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
    only = levels["levels"] if re.fullmatch(LEVEL, levels["levels"]) else ""
    names = re.compile(r"(?:(?:\s+[^\W\d_]+){0,3}\s*:)?\s*").match(plain, end)
    place = names.end() if names else end
    found: list[Unit] = []
    while text[place : place + 1].isupper() or (found and PLACED.match(plain, place)):
        here = placed(text, plain, place)
        if here:
            name, stop, _ = here
        else:
            stop = proper(text, place)
            name = f"{only} {text[place:stop]}".strip()
        is_action = (
            _W.action.match(plain, place) and not text[stop - 1 : stop].isupper() and " " not in text[place:stop]
        )
        if stop == place or _starts_body(plain, place) or (is_action and plain[stop : stop + 1] == " "):
            break
        found.append(Unit(f"UBND {name}", at if not found else place, stop, is_commune=True))
        separator = SEPARATOR.match(plain, stop)
        if separator is None:
            break
        place = separator.end()
    if found and ((names and ":" in names[0]) or len(found) > 1 or only):
        return found
    end = _extended(text, plain, end)
    return [Unit(display(f"UBND {text[levels.start() : end]}"), at, end, is_collective=True, is_commune=True)]


def _starts_body(plain: str, at: int) -> bool:
    return bool(HEAD.match(plain, at) or _FIELDED.match(plain, at) or _UBND.match(plain, at)) and not PLACED.match(
        plain, at
    )


def _fielded(text: str, plain: str, at: int) -> list[Unit]:
    """Sở, Bộ or Phòng of a known field."""
    match = _FIELDED.match(plain, at)
    field = FIELD.match(plain, match.end()) if match else None
    if match is None or field is None or not (text[at].isupper() or text[match.end()].isupper()):
        return []
    end = field.end()
    name = f"{match['kind'].capitalize()} {FIELD_NAMES[field[0]]}"
    suffix = _SUFFIX.match(plain, end)
    if suffix and not (suffix["level"] == "xã" and plain[suffix.end() :].startswith(" hội")):
        stop = proper(text, suffix.end() + 1) if plain[suffix.end() : suffix.end() + 1] == " " else suffix.end()
        stop = stop if stop > suffix.end() + 1 else suffix.end()
        if match["kind"] == "phòng":
            name += text[end:stop]
        end = stop
    return [Unit(name, at, end)]


def _open_name(text: str, plain: str, at: int) -> list[Unit]:
    """Names that only a verb, a mark or another name ends."""
    titles = None if (own := HEAD.match(plain, at)) and own[0] in _OF_HAMLETS else _TITLES.match(plain, at)
    at_head = titles.end() if titles and HEAD.match(plain, titles.end()) else at
    head = HEAD.match(plain, at_head)
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
    separator = SEPARATOR.match(plain, end)
    return plain[end : end + 1] in (":", "(") or (separator is not None and _one_starts(text, plain, separator.end()))


def _more_places(text: str, end: int) -> int:
    """Behind further places of one office: Trưởng thôn các thôn Nà Lốc, *Khuổi Phầy*."""
    while separator := re.compile(r"(?:,\s+|\s+và\s+)(?=[^\W\d_a-z])").match(text, end):
        more = proper(text, separator.end())
        if more == separator.end() or HEAD.match(key(text), separator.end()):
            return end
        end = more
    return end


def _name_end(text: str, plain: str, head: re.Match[str], *, is_eager: bool = False) -> int:
    """Where an open name ends; an eager reading ends at words that are verbs as well as parts of names."""
    end, count = head.end(), 0
    last = plain[head.start() : head.end()].rpartition(" ")[2]
    last_capital = False
    while count < _MOST_WORDS:
        if plain[end : end + 1] != " " and not _goes_on_after_comma(text, plain, head, end):
            break
        at = end + 1 + (plain[end : end + 1] == ",")
        dash = re.compile(r"-\s").match(plain, at)
        if dash and text[dash.end() : dash.end() + 1].isupper():
            at = dash.end()
        word = _WORD.match(plain, at)
        if word is None:
            break
        syllable = word[0].rstrip(".,")
        of_a_field = syllable == "về" and head[0] in _OF_FIELDS and not _NO_FIELD.match(plain, word.end())
        if syllable in _STOPS and not of_a_field and not text[at].isupper() and f"{last} {syllable}" not in _NOT_STOPS:
            break
        if syllable == "và":
            rest = word.end() + 1
            is_office = head[0] == "văn phòng" and (last == "hđnd" or plain.startswith("hđnd", rest))
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
            if count > 0 and not is_noun and _acts_twice(plain, at):
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


def _goes_on_after_comma(text: str, plain: str, head: re.Match[str], end: int) -> bool:
    """Whether a comma is part of a name: Cục Chất lượng, *Chế biến và Phát triển thị trường*."""
    more = _AFTER_COMMA.match(text, end) if head[0] in ("cục", "vụ", "tổng cục", "viện") else None
    if more is None or not text[text.rfind(" ", 0, end) + 1].islower():
        return False
    return not _one_starts(text, plain, more.start("word")) and not _one_starts(text, plain, more.start("last"))


def _office_end(plain: str, at: int) -> int:
    """Where an office of an unnamed body ends: at the mark or the action behind it."""
    stop = re.compile(r"[^,;:.()]*").match(plain, at)
    end = stop.end() if stop else at
    for space in re.finditer(r"\s", plain[at:end]):
        if _W.action.match(plain, at + space.end()):
            return at + space.start()
    return end


def _acts_twice(plain: str, at: int) -> bool:
    """Whether a verb that names have too is followed by one that they never have: *tổ chức tiêm phòng*."""
    first = _W.action.match(plain, at)
    return (
        first is not None
        and plain[first.end() : first.end() + 1] == " "
        and (_W.plain_verb.match(plain, first.end() + 1) is not None)
    )


def _one_starts(text: str, plain: str, at: int) -> bool:
    return bool(
        _COLLECTIVE.match(plain, at)
        or _UBND.match(plain, at)
        or (_FIELDED.match(plain, at) and text[at : at + 1].isupper())
        or (HEAD.match(plain, at) and text[at : at + 1].isupper())
        or (PLACED.match(plain, at) and not text[at : at + 1].isupper())
    )


def _level(text: str, plain: str, at: int) -> list[Unit]:
    """*Tỉnh*, *Thành phố* alone and with a capital letter: the province that the notice is about."""
    match = PLACED.match(plain, at)
    if match is None or not text[at].isupper():
        return []
    end = at + len(match[0].rstrip(" ."))
    return [Unit(text[at:end], at, end)] if _W.action.match(plain, end + 1) and plain[end : end + 1] == " " else []


def _place(text: str, plain: str, at: int) -> list[Unit]:
    """*xã Quan Sơn*, *tỉnh Đồng Nai*: its authority is meant."""
    titles = pattern(r"(?:lãnh đạo|chính quyền)\s+").match(plain, at)
    here = placed(text, plain, titles.end() if titles else at)
    if here is None or " " not in here[0] or not here[0].split(" ")[-1][:1].isupper():
        return []
    return [Unit(f"UBND {here[0][0].lower()}{here[0][1:]}", at, here[1], is_commune=here[2])]


def _person(text: str, plain: str, at: int) -> list[Unit]:
    match = _PERSON.match(plain, at)
    if match is None or not text[match.end() : match.end() + 1].isupper():
        return []
    end = proper(text, match.end())
    if text[match.end() : end].count(" ") < 1:
        return []
    name = display(text[at:end])
    while office := _OFFICE.match(plain, end):
        body = one(text, plain, office.end())
        end = body[0].end if body else _office_end(plain, office.end())
        end += plain[end : end + 1] == ")"
    return [Unit(name, at, end)]


_FORMS = (
    _office_holder, _listed_fields, _level, _authority, _collective, _fielded, _open_name, _place, _person,
)  # fmt: skip


def tidy(name: str) -> str:
    """One space behind a comma, none before it, however the writer set them."""
    return re.sub(r"\s*,\s*(?=\S)", ", ", re.sub(r"\s+", " ", name)).strip(" ,")


def display(name: str) -> str:
    """The name with abbreviations written out and a capital first letter."""
    for short, full in wording.load().lists["abbreviations"].items():
        name = re.sub(rf"(?<!\w){re.escape(short)}(?!\w)", full, name, flags=re.IGNORECASE if " " in short else 0)
    name = re.sub(r"^(?:Chủ tịch|Phó Chủ tịch|Lãnh đạo)\s+(?=UBND)", "", name, flags=re.IGNORECASE)
    name = re.sub(r"(?<!\w)(?<!Phó )(?:Chủ tịch|chủ tịch)\s+(?=UBND)", "", name)
    name = tidy(name)
    return name[:1].upper() + name[1:]
