"""Names told apart by a list or by an office: *các Sở: A, B*, *Trưởng các thôn: A, B*, *Phó Giám đốc Sở <người>*."""

from __future__ import annotations

import re

from etl.directives import words as wording
from etl.directives.endings import one_starts
from etl.directives.folding import pattern
from etl.directives.places import PLACED, proper
from etl.directives.units import FIELD, FIELD_NAMES, SEPARATOR, Unit, display
from etl.directives.words import one_of

_W = wording.load()
HAMLETS = (
    "thôn",
    "bản",
    "tiểu khu",
    "tổ dân phố",
    "khu phố",
    "khối phố",
    "khu dân cư",
    "xóm",
    "ấp",
    "khóm",
    "buôn",
    "làng",
)
_LISTED_FIELDS = re.compile(
    r"(?:(?:giám đốc|lãnh đạo|thủ trưởng|bộ trưởng|trưởng)\s+)?(?:các|liên)\s+(?P<kind>sở|bộ|phòng)"
    r"(?:\s*,\s*(?:ban|ngành|cơ quan|đơn vị))*(?:(?:\s+[^\W\d_]+){1,4}:|\s*:?)\s+"
)
_HELD_OFFICE = pattern(
    r"(?:đồng chí )?(?:phó )?(?:giám đốc|chủ tịch|chánh văn phòng|bộ trưởng|thứ trưởng|tổng giám đốc"
    r"|trưởng phòng|trưởng ban|thủ tướng|cục trưởng)(?: (?:sở|ban|bộ|ubnd|công an|trung tâm|thường trực"
    r"|chính phủ))*\s+"
)
_PERSON_NAME = re.compile(rf"(?:{one_of(_W.lists['family_names'])})(?:\s+[^\W\d_a-z][\w']*){{2,3}}(?![\w])")
_IN_CHARGE = pattern(
    r"(?:các )?(?:đồng chí )?phó (?:thủ tướng chính phủ|thủ tướng|chủ tịch (?:ubnd|ủy ban nhân dân) "
    r"(?:tỉnh|thành phố|xã|phường))\s+phụ trách (?:lĩnh vực|khối|ngành)(?=\s)"
)
_LONGEST_CHARGE = 40
_ENTERPRISE = re.compile(r"Doanh nghiệp (?:xây dựng|tư nhân|chế biến|sản xuất) (?=[^\W\d_a-zđ])")
_OF_HAMLETS_NAMED = pattern(
    rf"(?P<title>(?:{_W.any_of('hamlet_officers')}|trưởng|trưởng ban công tác mặt trận)?)\s*"
    rf"(?<!\w)các\s+(?P<level>{'|'.join(HAMLETS)})\s*:\s*"
)


def listed_fields(text: str, plain: str, at: int) -> list[Unit]:
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


def named_hamlets(text: str, plain: str, at: int) -> list[Unit]:
    """*Trưởng các thôn: Xanh, Lang, Din*: one addressee each."""
    several = _OF_HAMLETS_NAMED.match(plain, at)
    if several is None or not text[several.end() : several.end() + 1].isupper():
        return []
    title = re.sub(rf"\s+{several['level']}$", "", text[at : several.end("title")].strip(), flags=re.IGNORECASE)
    found: list[Unit] = []
    place = several.end()
    while (end := proper(text, place)) > place:
        name = f"{title} {several['level']} {text[place:end]}".strip()
        found.append(Unit(name[:1].upper() + name[1:], place if found else at, end, is_commune=True))
        separator = SEPARATOR.match(plain, end)
        if separator is None or one_starts(text, plain, separator.end()):
            break
        place = separator.end()
    return found


def office_holder(text: str, plain: str, at: int) -> list[Unit]:
    """*Phó Giám đốc Sở Nguyễn Hữu Chiến*: a person whose name stands after the office."""
    office = _HELD_OFFICE.match(plain, at)
    person = _PERSON_NAME.match(text, office.end()) if office else None
    if person is None:
        return []
    name = re.sub(r"^(?:các )?đồng chí\s+", "", text[at : person.end()], flags=re.IGNORECASE)
    return [Unit(name[:1].upper() + name[1:], at, person.end())]


def in_charge(text: str, plain: str, at: int) -> list[Unit]:
    """*Phó Thủ tướng Chính phủ phụ trách lĩnh vực*: an office without name, when an action follows."""
    office = _IN_CHARGE.match(plain, at)
    if office is None:
        return []
    words = re.finditer(r"\s", plain[office.end() : office.end() + _LONGEST_CHARGE])
    end = next((w.start() for w in words if _W.plain_verb.match(plain, office.end() + w.end())), None)
    if end is None or re.search(r"[,;:.]", plain[office.end() : office.end() + end]):
        return []
    end += office.end()
    name = display(text[at:end])
    name = f"Phó Chủ tịch {name}" if name.startswith("UBND") else name
    return [Unit(name, at, end, is_collective=plain.startswith("các", at))]


def enterprise(text: str, plain: str, at: int) -> list[Unit]:
    """*Doanh nghiệp xây dựng Xuân Trường*."""
    del plain
    kind = _ENTERPRISE.match(text, at)
    end = proper(text, kind.end()) if kind else at
    return [Unit(text[at:end], at, end)] if kind else []


def officer(text: str, plain: str, at: int, place: int, titles: re.Match[str] | None) -> Unit | None:
    """*Phó Chủ tịch UBND tỉnh Ngô Văn Phượng*: a person, whose name stands after the body."""
    level = PLACED.match(plain, place)
    if titles is None or level is None or not titles[0].strip().endswith("chủ tịch"):
        return None
    person = _PERSON_NAME.match(text, level.end())
    if person is None:
        return None
    name = re.sub(r"^(?:các )?đồng chí\s+", "", text[at : person.end()], flags=re.IGNORECASE)
    return Unit(name[:1].upper() + name[1:], at, person.end())
