"""The name of one body, by its form: Sở, Bộ, UBND, Ban, Công an, Trung tâm, ... of any province and level.

A name begins with a word that opens names and ends where the list of fields (``words.yml``), a place or the next verb
ends it. It is kept as the notice has it, abbreviations written out, titles of persons left off (conventions of the
example notices, rule 6).
"""

from __future__ import annotations

import re
from itertools import pairwise

from etl.directives import words as wording
from etl.directives.endings import (
    COLLECTIVE,
    FIELDED,
    HEAD,
    JOIN,
    MODIFIERS,
    NOT_STOPS,
    OF_HAMLETS,
    PLACE_WORD,
    UBND,
    WORD,
    comma_tail,
    extended,
    name_end,
    office_end,
    one_starts,
)
from etl.directives.folding import key, pattern
from etl.directives.listed import (
    HAMLETS,
    enterprise,
    in_charge,
    listed_fields,
    named_hamlets,
    office_holder,
    officer,
)
from etl.directives.places import LEVEL, PLACED, placed, proper
from etl.directives.units import FIELD, FIELD_NAMES, SEPARATOR, Unit, display
from etl.directives.words import WORD_END, one_of

_W = wording.load()
_VAGUE_HEADS = frozenset(map(key, ("cơ quan", "đơn vị", "hội đồng", "bộ phận")))
_NEEDS_PLACE = frozenset(_W.phrases("needing_place"))
_BARE_COLLECTIVE = re.compile(
    rf"(?:các\s+)?bộ trưởng\s*,\s*thủ trưởng (?:các )?cơ quan ngang bộ(?:\s*,\s*(?:thủ trưởng )?(?:các "
    rf")?cơ quan thuộc chính phủ)?(?:(?:\s*,\s*|\s+và\s+)(?:các )?(?:cơ quan trung ương|địa phương))*(?:"
    rf"(?:\s*,\s*|\s+và\s+)(?:chủ tịch )?(?:ubnd|ủy ban nhân dân) các tỉnh, thành phố(?: trực thuộc "
    rf"trung ương)?)?"
    rf"|(?:(?:sở|bộ|ban|ngành|cơ quan|đơn vị|địa phương){JOIN})+(?:sở|ban|ngành|cơ quan|đơn vị|địa "
    rf"phương|đoàn thể){WORD_END}{MODIFIERS}"
    rf"|cán bộ(?:{JOIN}(?:công chức|viên chức|đảng viên|người lao động|chiến sĩ|nhân dân))+{WORD_END}{MODIFIERS}"
    rf"|(?:các )?thành viên (?:ban chỉ đạo|ubnd|tổ công tác|đoàn công tác|hội đồng|tổ giúp việc|ban đại "
    rf"diện)(?: (?:tỉnh|xã|huyện|phường|thành phố|trung ương))?{WORD_END}{MODIFIERS}"
    rf"|(?:cơ quan|đơn vị|địa phương|doanh nghiệp|chính quyền địa phương|cấp ủy, chính quyền địa phương)"
    rf"(?:\s+(?:có )?liên quan{WORD_END}|(?<=địa phương){WORD_END}){MODIFIERS}"
)
_COMMITTEE = r"(?:tỉnh|thành|huyện|quận|thị|đảng) ủy(?!\w)"
_NAMED_COMMITTEE = re.compile(r"(?:Tỉnh|Thành|Huyện|Quận|Thị|Đảng) (?:ủy|uỷ) (?=[^\W\d_a-zđ])")
_COMMITTEES = pattern(rf"(?:bí thư\s+)?(?:các\s+)?{_COMMITTEE}(?:{JOIN}(?:các\s+)?{_COMMITTEE})+{MODIFIERS}")
_BRANDS = frozenset(_W.phrases("brands"))
_OF_WORKS = pattern(
    r"(?:nhà thầu|đơn vị|tư vấn|liên danh|liên danh nhà thầu)"
    r"(?: (?:tư vấn|thi công|thiết kế|giám sát|kiểm toán|quản lý vận hành|xây lắp))+(?=[\s,:;])"
)
_BELONGS = pattern(r"\s+(?:của|thuộc|trực thuộc)\s+")
_NAMES_FOLLOW = re.compile(
    r":|\s:|\s[^\W\d_a-z]\w*(?:\s(?:[^\W\d_a-z]\w*|\d+))*,\s(?!Sở|Công|Ban|Bộ|Phòng|Ủy)[^\W\d_a-z]"
)
_LEVEL_NAMES = frozenset(
    map(key, ("tỉnh", "thành phố", "huyện", "quận", "thị xã", "xã", "phường", "thị trấn", "đặc khu", *HAMLETS))
)
_MORE_LEVELS = pattern(rf"(?:(?:\s*,\s*|\s+và\s+)(?:các\s+)?(?:{LEVEL}|{'|'.join(HAMLETS)})(?!\w))+")
_WHICHEVER = pattern(r"(?:nhà thầu|đơn vị|địa phương|cơ quan|chủ đầu tư|doanh nghiệp|nhà đầu tư)\s+nào(?!\w)")
_WHICH_WITHIN = 20
_EVERYWHERE = pattern(rf"\s+các\s+{LEVEL}(?:\s*,\s*{LEVEL})*(?:\s+trực thuộc trung ương|\s+liên quan)?(?!\w)")
_STRETCH = re.compile(
    r"\s(?:ven biển\s)?từ\s[^\W\d_a-z]\w*(?:\s[^\W\d_a-z]\w*)*\s(?:đến|trở ra|trở vào|tới)(?:\s[^\W\d_a-z]\w*)*"
)
_BEFORE_NAMES = pattern(rf"(?:{LEVEL}|sở|bộ|tập đoàn|tổng công ty|công ty|ngân hàng|viện|cục|chi cục|vụ|trường|ban)$")
_HEADS_OF_UBND = pattern(
    r"(?:(?:đồng chí|các đồng chí|tập thể|thường trực|lãnh đạo|chủ tịch|phó chủ tịch)(?:\s*,\s*(?=(?:các )?phó)|\s+))+"
)
_TITLES = re.compile(
    rf"(?:(?:{_W.any_of('titles')})(?:\s*,\s*(?=(?:phó|các|chủ nhiệm|tổng thanh tra|thống đốc)\s)|\s*\(|\s+))+"
)
_PERSON = pattern(r"(?:các )?(?:đồng chí|đ/c|ông|bà)\s+")
_OFFICE = re.compile(rf"\s*[,(-]\s*(?:phó )?(?:{_W.any_of('titles')}|ủy viên)\s+")
_AUTHORITY = pattern(
    r"(?:cấp ủy\s*,\s*|cấp ủy và\s+|đảng ủy\s*,\s*|cấp ủy đảng\s*,\s*)?(?:chính quyền|lãnh đạo)\s+(?=" + LEVEL + r"\s)"
)
_LEVELS = re.compile(
    rf"(?:các|(?:cả )?\d{{1,3}})\s+(?P<levels>{LEVEL}(?:{JOIN}(?:các\s+)?{LEVEL})*|địa phương|cấp)(?P<more>{MODIFIERS})"
)
_AT_LEVEL = re.compile(r"(?:cấp (?:xã|huyện|tỉnh|cơ sở)|hai cấp|2 cấp|các cấp)(?!\w)")
_LOWER_FIELD = re.compile(rf"(?:giám đốc )?các (?:sở|phòng) (?P<field>{one_of(list(FIELD_NAMES))}){WORD_END}")
_SUFFIX = re.compile(rf"\s+(?P<level>{LEVEL})(?!\w)\.?")
_AT_A_RATE = pattern(
    r"\s+(?:có|còn|đạt)\s+(?:tỷ lệ|kết quả|tiến độ|số)(?:\s+(?:giải ngân|thực hiện|thu))?[^,;:.]{0,40}?"
    r"(?:\d%|thấp|chậm|cao|\d)"
    r"(?:\s+(?:hơn )?(?:so với )?(?:bình quân|mức bình quân)[^,;:.]{0,30}?(?:cả nước|của tỉnh|chung))?(?=\s)"
)


_HAVING = pattern(r"\s+có\s+[^\W\d_]+\s")
_NOUN_BEFORE = pattern(r"(?:tỷ lệ|kế hoạch|tiến độ|công tác|nhiệm vụ|việc|số|vốn|được|đã|chưa|dự án|công trình)\s$")
_NAME_BEFORE_COLON = re.compile(r"(?: [^\W\d_]+){2,7}(?=: )")
_OF_WORKS_HEADS = frozenset(
    map(key, ("ban quản lý", "ban qlda", "trung tâm", "chi cục", "công ty", "phòng", "tổ", "đội"))
)
_WHERE = re.compile(r"\s(?:trên|tại|ở|dọc|ven|thuộc)\s(?:[^\W\d_A-ZĐ][^\W\d_]*\s){1,4}(?=[^\W\d_a-zđ])")
_PASSIVE = pattern(
    r"\s+được\s+(?!giao|phân công|yêu cầu)[^,;:.()]{3,70}?"
    r"(?=\s(?:có trách nhiệm|phải|cần|khẩn trương|nghiêm túc|chủ động|tập trung|tiếp tục|tổ chức|báo cáo|rà soát)\s)"
)
_GRANTED = pattern(
    r"\s+(?:đã|chưa) (?:có|được)\s+(?:[^,;:.()]{3,60}?\s)??(?:được )?"
    r"(?:phê duyệt|thành lập|công nhận|thông qua|bố trí vốn)(?=\s)"
)
_HAVE_TASKS = key("có nhiệm vụ")
_LONGEST_HAVING = 70


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


def _collective(text: str, plain: str, at: int) -> list[Unit]:
    levels = _LEVELS.match(plain, at)
    named = _many_places(text, plain, at, levels) if levels and _NAMES_FOLLOW.match(text, levels.end()) else []
    if len(named) > 1:
        return named
    match = _COMMITTEES.match(plain, at) or COLLECTIVE.match(plain, at) or _BARE_COLLECTIVE.match(plain, at)
    if match is None or (match.re is _COMMITTEES and text[match.end() + 1 : match.end() + 2].isupper()):
        return []
    end = match.end()
    of_field = _LOWER_FIELD.match(plain, at)
    if of_field and text[of_field.start("field")].islower():
        end = max(end, of_field.end())
    if _BEFORE_NAMES.search(plain[at:end]) and text[end + 1 : end + 2].isupper() and plain[end : end + 1] == " ":
        head = HEAD.match(plain, plain.rfind(" ", at, end) + 1) or HEAD.match(plain, match.end() - len("chi cục"))
        end = name_end(text, plain, head) if head and head.end() == end else _proper_names(text, plain, end + 1)
    end = _before_named(text, plain, at, end)
    end = _of_body(text, plain, end) or extended(text, plain, end)
    stretch = _STRETCH.match(text, end)
    end = stretch.end() if stretch else end
    end = _somewhere(text, plain, end)
    rate = _AT_A_RATE.match(plain, end)
    if rate and _W.plain_verb.match(plain, rate.end() + 1):
        end = rate.end()
    elif not rate:
        end = _that_are(plain, _that_have(plain, end))
    return [Unit(display(text[at:end]), at, end, is_collective=True)]


def _somewhere(text: str, plain: str, end: int) -> int:
    """Behind where the bodies are: các nhà máy thủy điện *trên lưu vực sông Vu Gia, Thu Bồn* vận hành ..."""
    where = _WHERE.match(text, end)
    place = _proper_names(text, plain, where.end()) if where else end
    return place if place > end and plain[place : place + 1] == " " and _W.action.match(plain, place + 1) else end


def _that_have(plain: str, end: int) -> int:
    """Behind what tells which of the bodies are meant: các cơ quan *có nhiệm vụ quá hạn* tập trung ..."""
    having = _HAVING.match(plain, end)
    acts = _W.action.match(plain, end + 1)
    if having is None or (acts and (acts[0] != _HAVE_TASKS or _W.plain_verb.match(plain, acts.end() + 1))):
        return end
    verbs = _W.plain_verb.finditer(plain, having.end(), end + _LONGEST_HAVING)
    verb = next(
        (v for v in verbs if plain[v.start() - 1] == " " and not _NOUN_BEFORE.search(plain, end, v.start())), None
    )
    if verb is None or re.search(r"[,;:.()]", plain[end : verb.start()]):
        return end
    return verb.start() - 1


def _that_are(plain: str, end: int) -> int:
    """Behind what was done for the bodies that are meant: các đơn vị *được thanh tra* có trách nhiệm ..."""
    passive = _PASSIVE.match(plain, end)
    granted = _GRANTED.match(plain, end)
    if granted and _W.action.match(plain, granted.end() + 1):
        return granted.end()
    return passive.end() if passive else end


def _of_body(text: str, plain: str, end: int) -> int:
    """Behind the body that they belong to: các Tổ công tác *của Ủy ban bầu cử tỉnh*; 0 without any."""
    of = _BELONGS.match(plain, end)
    body = one(text, plain, of.end()) if of and text[of.end() : of.end() + 1].isupper() else []
    return body[0].end if body else 0


def _before_named(text: str, plain: str, at: int, end: int) -> int:
    """Where a named body begins in the list of nouns, the list ends: các chủ đầu tư, *Sở Tư pháp*."""
    for comma in SEPARATOR.finditer(plain, at, end):
        authority = UBND.match(plain, comma.end())
        is_named = _NAMED_COMMITTEE.match(text, comma.end()) is not None
        if is_named or _fielded(text, plain, comma.end()) or (authority and placed(text, plain, authority.end())):
            return comma.start()
    return end


def _proper_names(text: str, plain: str, at: int) -> int:
    """Behind names in a row: các Tập đoàn *VNPT, Viettel*."""
    end = proper(text, at)
    while separator := re.compile(r"\s*,\s+|\s+và\s+").match(plain, end):
        more = proper(text, separator.end())
        is_brand = " " not in text[separator.end() : more] and not FIELDED.match(plain, separator.end())
        if more == separator.end() or (one_starts(text, plain, separator.end()) and not is_brand):
            break
        end = more
    return end


def _authority(text: str, plain: str, at: int) -> list[Unit]:
    """UBND of a place, of places, of a level; *cấp ủy, chính quyền xã X* is its UBND."""
    titles = _HEADS_OF_UBND.match(plain, at)
    start = titles.end() if titles else at
    match = UBND.match(plain, start) or _AUTHORITY.match(plain, start)
    if match is None:
        return []
    place = match.end()
    levels = _LEVELS.match(plain, place)
    if levels:
        return _many_places(text, plain, at, levels)
    level = _AT_LEVEL.match(plain, place)
    if level:
        return [Unit(f"UBND {text[place : level.end()]}", at, level.end(), is_collective=True)]
    person = officer(text, plain, at, place, titles)
    if person:
        return [person]
    named = placed(text, plain, place)
    if named and titles and "phó chủ tịch" in titles[0]:
        return [Unit(display(text[at : named[1]]), at, named[1], is_collective=titles[0].startswith("các"))]
    if named:
        name, end, is_commune = named
        return [Unit(f"UBND {name}", at, end, is_commune=is_commune or not re.fullmatch(LEVEL, key(name)))]
    if text[place : place + 1].isupper() and plain[place - 1 : place] == " ":
        end = proper(text, place)
        return [Unit(f"UBND {text[place:end]}", at, end, is_commune=True)]
    end = start + len(match[0].rstrip())
    return [Unit("UBND", at, end)]


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
    end = extended(text, plain, end)
    stretch = _STRETCH.match(text, end)
    end = stretch.end() if stretch else end
    end = _that_are(plain, end)
    return [Unit(display(f"UBND {text[levels.start() : end]}"), at, end, is_collective=True, is_commune=True)]


def _starts_body(plain: str, at: int) -> bool:
    return bool(HEAD.match(plain, at) or FIELDED.match(plain, at) or UBND.match(plain, at)) and not PLACED.match(
        plain, at
    )


def _fielded(text: str, plain: str, at: int) -> list[Unit]:
    """Sở, Bộ or Phòng of a known field."""
    match = FIELDED.match(plain, at)
    field = FIELD.match(plain, match.end()) if match else None
    if match is None or field is None or not (text[at].isupper() or text[match.end()].isupper()):
        return []
    end = field.end()
    name = f"{match['kind'].capitalize()} {FIELD_NAMES[field[0]]}"
    everywhere = _EVERYWHERE.match(plain, end)
    if everywhere:
        return [Unit(name + text[end : everywhere.end()], at, everywhere.end(), is_collective=True)]
    suffix = _SUFFIX.match(plain, end)
    if suffix and not (suffix["level"] == "xã" and plain[suffix.end() :].startswith(" hội")):
        stop = proper(text, suffix.end() + 1) if plain[suffix.end() : suffix.end() + 1] == " " else suffix.end()
        stop = stop if stop > suffix.end() + 1 else suffix.end()
        if match["kind"] == "phòng":
            name += text[end:stop]
        end = stop
    elif match["kind"] == "phòng":
        longer = _longer(text, plain, at, end)
        name, end = (display(text[at:longer]), longer) if longer > end else (name, end)
    return [Unit(name, at, end)]


def _longer(text: str, plain: str, at: int, end: int) -> int:
    """Behind a name that goes on after a known field: Phòng Quản lý chất lượng *công trình xây dựng* xử lý ..."""
    goes_on = plain[end : end + 1] == " " and text[end + 1 : end + 2].islower() and not _W.action.match(plain, end + 1)
    head = HEAD.match(plain, at) if goes_on else None
    longer = name_end(text, plain, head) if head else end
    is_whole = plain[longer : longer + 1] == ":" or _W.plain_verb.match(plain, longer + 1)
    return longer if longer > end and is_whole else end


def _open_name(text: str, plain: str, at: int) -> list[Unit]:
    """Names that only a verb, a mark or another name ends."""
    if _WHICHEVER.search(plain, at, at + _WHICH_WITHIN):
        return []
    own, titles = HEAD.match(plain, at), _TITLES.match(plain, at)
    if own and (own[0] in OF_HAMLETS or (titles and own.end() > titles.end())):
        titles = None
    at_head = titles.end() if titles and HEAD.match(plain, titles.end()) else at
    head = HEAD.match(plain, at_head)
    if head is None:
        return []
    following = WORD.match(plain, head.end() + 1)
    if head[0] == key("tổ") and following is not None and following[0] == key("chức"):
        return []
    next_is_capital = following is not None and text[following.start()].isupper() and plain[head.end()] == " "
    is_short = (" " not in head[0] or head[0] in _NEEDS_PLACE) and head[0] not in ("hđnd", "mttq", "ubmttq", "htx")
    of_works = _OF_WORKS.match(plain, head.start())
    if of_works and (plain[of_works.end()] in ",:;" or _W.action.match(plain, of_works.end() + 1)):
        return [Unit(display(text[at_head : of_works.end()]), at, of_works.end())]
    is_short = is_short and not (head[0] in _BRANDS and text[at_head].isupper())
    if is_short and not next_is_capital and not (head[0] in _NEEDS_PLACE and PLACE_WORD.match(plain, head.end() + 1)):
        return []
    if not next_is_capital and not text[at_head].isupper() and head[0] in _VAGUE_HEADS:
        return []
    end = name_end(text, plain, head)
    if not _goes_on_well(text, plain, end):
        eager = name_end(text, plain, head, is_eager=True)
        end = eager if _W.action.match(plain, eager + 1) else comma_tail(text, plain, head, end) or end
    end = max(end, _up_to_colon(text, plain, head, end))
    levels = _MORE_LEVELS.match(plain, end) if plain[:end].rpartition(" các ")[2] in _LEVEL_NAMES else None
    if levels:
        return [Unit(display(text[at_head : levels.end()]), at, levels.end(), is_collective=True)]
    if head[0] in OF_HAMLETS:
        end = _more_places(text, end)
    name = text[at_head:end]
    if titles and re.search(r"trưởng\s+$|chánh\s+$", titles[0]) and at_head == at:
        name = text[titles.end() : end]
    is_hamlet = head[0] in OF_HAMLETS
    several = is_hamlet and (name.count(" ") == head[0].count(" ") or re.search(r"(?<!\w)các\s|,", name) is not None)
    return [Unit(display(name), at, end, is_collective=several, is_commune=is_hamlet and not several)]


def _up_to_colon(text: str, plain: str, head: re.Match[str], end: int) -> int:
    """Before a colon whole words of a name that are verbs too: Ban Quản lý *bảo trì công trình giao thông*: ..."""
    rest = _NAME_BEFORE_COLON.match(plain, end) if head[0] in _OF_WORKS_HEADS else None
    if rest is None or not text[rest.end() + 2 : rest.end() + 3].isupper():
        return end
    syllables = rest[0].split()
    starts = [space.end() + rest.start() for space in re.finditer(" ", rest[0])]
    pairs = [f"{before} {syllable}" for before, syllable in pairwise(["", *syllables])]
    acts = any(_W.plain_verb.match(plain, at) and two not in NOT_STOPS for at, two in zip(starts, pairs, strict=True))
    return end if acts else rest.end()


def _goes_on_well(text: str, plain: str, end: int) -> bool:
    """Whether what follows a name is what follows names: an action, another name, a colon, a stop."""
    if plain[end : end + 1] == " ":
        return True
    separator = SEPARATOR.match(plain, end)
    return plain[end : end + 1] in (":", "(") or (separator is not None and one_starts(text, plain, separator.end()))


def _more_places(text: str, end: int) -> int:
    """Behind further places of one office: Trưởng thôn các thôn Nà Lốc, *Khuổi Phầy*."""
    while separator := re.compile(r"(?:,\s+|\s+và\s+)(?=[^\W\d_a-z])").match(text, end):
        more = proper(text, separator.end())
        if more == separator.end() or one_starts(text, key(text), separator.end()):
            return end
        end = more
    return end


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
    if match is None or not text[match.end() : match.end() + 1].isupper() or _TITLES.match(plain, match.end()):
        return []
    end = proper(text, match.end())
    if text[match.end() : end].count(" ") < 1:
        return []
    name = display(text[at:end])
    while office := _OFFICE.match(plain, end):
        body = one(text, plain, office.end())
        end = body[0].end if body else office_end(plain, office.end())
        end += plain[end : end + 1] == ")"
    return [Unit(name, at, end)]


_FORMS = (
    office_holder, in_charge, enterprise, listed_fields, named_hamlets, _level, _authority, _collective, _fielded,
    _open_name, _place, _person,
)  # fmt: skip
