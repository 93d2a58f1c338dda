"""Where the name of a body ends: at a verb, a mark, a place, another name (``words.yml``)."""

from __future__ import annotations

import re

from etl.directives import words as wording
from etl.directives.folding import key, pattern
from etl.directives.places import LEVEL, PLACED
from etl.directives.words import WORD_END

_W = wording.load()
_NOT_NOUN = (
    r"(?!\s+(?:ủy|hợp|nghề|nghị|độ|vẽ|thảo|đồ|phận|luật|tiêu|đề|năng|đoạn|phẩm|mục|cháy|dịch|chống|ngừa|thức"
    r"|tác phẩm|thành tựu|công nghiệp|nhân dân))"
)
_COLLECTIVES = rf"(?:{_W.any_of('collectives')}){WORD_END}{_NOT_NOUN}"
_COLLECTIVE_TITLES = rf"(?:(?:{_W.any_of('collective_titles')})(?:\s*,\s*|\s+và\s+|\s+))*"
_OWNERS = r"(?:ubnd |hđnd |đảng ủy )?(?:tỉnh|thành phố|bộ|sở|xã|phường|huyện|đặc khu|ubnd|hđnd)(?! (?:đội|hội)(?!\w))"
MODIFIERS = (
    rf"(?:\s*,?\s*(?:(?:trực thuộc|thuộc) {_OWNERS}|(?<=trực thuộc ){_OWNERS}"
    rf"|(?:trực thuộc|thuộc|của) (?:tỉnh|thành|huyện|đảng|quận) ủy|{_W.any_of('collective_modifiers')}){WORD_END})*"
)
JOIN = r"(?:\s*,\s*và\s+|\s*,\s*|\s+và\s+|\s*/\s*)"
_ALONE = frozenset(_W.phrases("alone"))
_BRANDS = frozenset(_W.phrases("brands"))
_COMPLETE = frozenset(_W.phrases("completing_names"))
_STOPS = frozenset(_W.phrases("name_stops"))
NOT_STOPS = frozenset(_W.phrases("not_name_stops"))
_IN_NAMES = frozenset(_W.phrases("verbs_in_names"))
_PLACE_ENDS = frozenset(_W.phrases("place_ends"))
_AFTER_PLACE_ENDS = frozenset(_W.phrases("after_place_ends"))
OF_HAMLETS = frozenset(_W.phrases("hamlet_officers"))
_COUNTED = r"\d{1,3}(?=\s+(?:xã|phường|đơn vị|chủ đầu tư|sở|huyện|nhà thầu)(?!\w))"
COLLECTIVE = re.compile(
    rf"(?!đảng ủy các cơ quan đảng)(?:tất cả |toàn thể |từng )?{_COLLECTIVE_TITLES}(?:các|những|{_COUNTED})\s+"
    rf"(?:{_COLLECTIVE_TITLES})?{_COLLECTIVES}"
    rf"(?:{JOIN}(?:các\s+)?(?:{_COLLECTIVES}|(?:{_W.any_of('collectives')})(?=\s*[,;:])))*{MODIFIERS}"
)
UBND = pattern(
    r"(?:(?:đảng ủy|cấp ủy|hđnd|hội đồng nhân dân|thường trực hđnd|đảng bộ)(?:\s*,\s*|\s+và\s+|\s*-\s*)"
    r")*(?:ubnd|ủy ban nhân dân|ubnn)(?!\w)\s*"
)
FIELDED = re.compile(r"(?P<kind>sở|bộ|phòng)\s+")
HEAD = re.compile(rf"(?:{_W.any_of('heads', 'brands')}){WORD_END}")
_COMMAS = [(name.index(","), name) for name in sorted(_W.phrases("names_with_commas"), key=len, reverse=True)]
_ENDING_NAMES = frozenset(_W.phrases("ending_names"))
PLACE_WORD = pattern(
    rf"(?:{LEVEL}|nhà nước|khu vực|chính phủ|sở|bộ|cơ sở|ngành|liên ngành|chi nhánh|chi cục|dự án"
    r"|cửa khẩu|vùng|miền|quốc gia|trung ương|việt nam)(?!\w)"
)
WORD = re.compile(r"[\w&./'-]+")
_OF_FIELDS = frozenset(map(key, ("ban chỉ đạo", "văn phòng", "tổ công tác", "hội đồng", "ủy ban", "tiểu ban")))
_NO_FIELD = pattern(r"\s+(?:việc|kết quả|tình hình|nội dung|những|tiến độ|vấn đề|phương án|công tác)(?!\w)")
_AFTER_COMMA = re.compile(r",\s(?P<word>[^\W\d_a-z]\w*)\s(?:[^\W\d_A-Z]\w*\s){1,3}và\s(?P<last>[^\W\d_a-z])")
_WITH_COMMAS = frozenset(
    map(
        key,
        (
            "cục",
            "vụ",
            "tổng cục",
            "viện",
            "trung tâm",
            "chi cục",
            "phòng",
            "ban quản lý",
            "tiểu ban",
            "hội đồng",
            "ban",
            "ban chỉ đạo",
            "ban chỉ huy",
            "tổ công tác",
            "tổ",
        ),
    )
)
_CLAUSE = re.compile(
    rf"(?:{_W.any_of('role', 'circumstance', 'circumstance_opening', 'coordinating', 'assigning', 'linking')}"
    rf"|{_W.any_of('not_tasks', 'purpose', 'telling')}){WORD_END}"
)
_ORGANISES = pattern(r"tổ chức (?!cán bộ|hành chính|nhân sự|bộ máy|chính trị|tôn giáo|phi |sự kiện|tín dụng|đảng)")
_REGION = re.compile(
    rf"\s+(?:(?:khu vực|vùng|thuộc|trong|ở|các tỉnh)\s+)*(?:{_W.any_of('regions')}){WORD_END}"
    rf"(?:(?:\s*,\s*|\s+và\s+|\s+-\s+)(?:(?:khu vực|vùng)\s+)?(?:{_W.any_of('regions')}){WORD_END})*"
)
_DELEGATES = ("đại biểu hđnd", "đại biểu quốc hội")
_MOST_TAIL = 6
_SHORT_LEVELS = ("tp.", "tx.", "tt.")
_MOST_WORDS, _MOST_MODIFIERS = 18, 5


def extended(text: str, plain: str, end: int) -> int:
    """Behind words that still tell which bodies are meant: UBND các xã *biên giới*, các đơn vị *vùng đệm*."""
    region = _REGION.match(plain, end)
    if region:
        return region.end()
    at, count, last = end, 0, ""
    while count <= _MOST_MODIFIERS and (plain[at : at + 1] == " " or _comma_within(plain, at)):
        idiom = _comma_within(plain, at)
        if idiom:
            at, count, last = idiom, count + 2, plain[:idiom].rpartition(" ")[2]
            continue
        word = WORD.match(plain, at + 1)
        if word is None:
            return end
        if f"{last} {word[0]}" in NOT_STOPS:
            at, count, last = word.end(), count + 1, word[0]
            continue
        if word[0].rstrip(".,") in _STOPS or word[0] == "và" or _W.plain_verb.match(plain, at + 1):
            return at
        if _acts_twice(plain, at + 1):
            return at
        if _W.action.match(plain, at + 1) or one_starts(text, plain, at + 1):
            return at
        at, count, last = word.end(), count + 1, word[0]
    return at if 0 < count <= _MOST_MODIFIERS and plain[at : at + 1] in (",", ";", ":") else end


def name_end(text: str, plain: str, head: re.Match[str], *, is_eager: bool = False) -> int:
    """Where an open name ends; an eager reading ends at words that are verbs as well as parts of names."""
    end, count = head.end(), 0
    last = plain[head.start() : head.end()].rpartition(" ")[2]
    last_capital = False
    while count < _MOST_WORDS:
        idiom = _comma_within(plain, end)
        if idiom:
            last, last_capital = plain[:idiom].rpartition(" ")[2], False
            end, count = idiom, count + 2
            continue
        if plain[end : end + 1] != " " and not _goes_on_after_comma(text, plain, head, end):
            break
        at = end + 1 + (plain[end : end + 1] == ",")
        dash = re.compile(r"-\s").match(plain, at)
        if dash and text[dash.end() : dash.end() + 1].isupper():
            at = dash.end()
        word = WORD.match(plain, at)
        if word is None:
            break
        syllable = word[0].rstrip(".,")
        of_a_field = syllable == "về" and head[0] in _OF_FIELDS and not _NO_FIELD.match(plain, word.end())
        if syllable in _STOPS and not of_a_field and not text[at].isupper() and f"{last} {syllable}" not in NOT_STOPS:
            break
        if syllable == "và":
            rest = word.end() + 1
            is_office = head[0] == "văn phòng" and (last == "hđnd" or plain.startswith("hđnd", rest))
            acts = _W.plain_verb.match(plain, rest) and not text[rest : rest + 1].isupper()
            acts = acts or plain.startswith(_DELEGATES, rest)
            if not is_office and (acts or one_starts(text, plain, rest)) and not _comma_soon(plain, rest):
                break
        elif not text[at].isupper():
            complete = last in _COMPLETE or last_capital or (count == 0 and head[0] in _ALONE | _BRANDS | OF_HAMLETS)
            is_noun = f"{last} {syllable}" in NOT_STOPS | _IN_NAMES or _comma_soon(
                plain, at, is_bound=complete or last in _PLACE_ENDS
            )
            if last in _PLACE_ENDS and syllable not in _AFTER_PLACE_ENDS and count > 0 and not is_noun:
                break
            if _W.plain_verb.match(plain, at) and not is_noun:
                break
            if (
                count > 0
                and not is_noun
                and (_acts_twice(plain, at) or (last != "các" and _ORGANISES.match(plain, at)))
            ):
                break
            if (
                (complete or (is_eager and count > 0))
                and not is_noun
                and _W.action.match(plain, at)
                and not PLACE_WORD.match(plain, at)
            ):
                break
        last, last_capital = syllable, text[at].isupper() or syllable.isdigit()
        end = at + len(syllable)
        count += 1
        if word[0] != syllable and not (word[0] in _SHORT_LEVELS and text[word.end() + 1 : word.end() + 2].isupper()):
            break
        end = word.end() if word[0] != syllable and word[0] in _SHORT_LEVELS else end
    return end


def _goes_on_after_comma(text: str, plain: str, head: re.Match[str], end: int) -> bool:
    """Whether a comma is part of a name: Cục Chất lượng, *Chế biến và Phát triển thị trường*."""
    more = _AFTER_COMMA.match(text, end) if head[0] in _WITH_COMMAS else None
    if more is None or not text[text.rfind(" ", 0, end) + 1].islower():
        return False
    return not one_starts(text, plain, more.start("word")) and not one_starts(text, plain, more.start("last"))


def _comma_within(plain: str, comma: int) -> int:
    """Behind the idiom whose comma this is: *phòng, chống*; 0 when it stands between two names."""
    if plain[comma : comma + 1] != ",":
        return 0
    for place, idiom in _COMMAS:
        start = comma - place
        if start > 0 and plain.startswith(idiom, start) and not plain[start - 1].isalnum():
            end = start + len(idiom)
            return 0 if plain[end : end + 1].isalnum() else end
    return 0


def comma_tail(text: str, plain: str, head: re.Match[str], comma: int) -> int:
    """Behind the rest of a name whose comma no list knows: Ban Quản lý Khu kinh tế, *công nghiệp* làm việc; else 0."""
    at = comma + 2
    if plain[comma : comma + 1] != "," or head[0] not in _WITH_COMMAS or one_starts(text, plain, at):
        return 0
    if not plain[at : at + 1].isalpha() or _W.action.match(plain, at) or _CLAUSE.match(plain, at):
        return 0
    for _ in range(_MOST_TAIL):
        word = WORD.match(plain, at)
        if word is None or word[0].rstrip(".,") in _STOPS:
            return 0
        if plain[word.end() : word.end() + 1] == ":" or _W.plain_verb.match(plain, word.end() + 1):
            return word.end()
        if plain[word.end() : word.end() + 1] != " ":
            return 0
        at = word.end() + 1
    return 0


def _comma_soon(plain: str, at: int, *, is_bound: bool = False) -> bool:
    """Whether an idiom with a comma begins here; behind a whole name only that of defence: Ban xã *phòng, chống*."""
    idioms = (idiom for _, idiom in _COMMAS if not is_bound or idiom.startswith("phòng"))
    return any(plain.startswith(idiom, at) for idiom in idioms)


def office_end(plain: str, at: int) -> int:
    """Where an office of an unnamed body ends: at the mark or the action behind it."""
    if _W.action.match(plain, at):
        return at - 1
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
        and first[0] not in _ENDING_NAMES
        and plain[first.end() : first.end() + 1] == " "
        and (_W.plain_verb.match(plain, first.end() + 1) is not None)
    )


def one_starts(text: str, plain: str, at: int) -> bool:
    return bool(
        COLLECTIVE.match(plain, at)
        or UBND.match(plain, at)
        or (FIELDED.match(plain, at) and text[at : at + 1].isupper())
        or (HEAD.match(plain, at) and text[at : at + 1].isupper())
        or (PLACED.match(plain, at) and not text[at : at + 1].isupper())
    )
