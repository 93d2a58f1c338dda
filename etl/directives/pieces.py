"""A paragraph cut where actions may begin, and each piece read up to its content.

Cuts are full stops, semicolons, *đồng thời* and "..., giao <cơ quan>". A piece begins with link words, time, assigning
verb, addressees, role, circumstances, co-ordination, in this order as far as they are there; what is left is content.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from etl.directives import agencies, deadlines
from etl.directives import words as wording
from etl.directives.agencies import Unit
from etl.directives.deadlines import DATE, Clock
from etl.directives.folding import key, pattern
from etl.directives.formulae import LONGEST_CIRCUMSTANCE, ROLE, Formulae, skip
from etl.directives.layout import Paragraph
from etl.directives.words import WORD_END

_W = wording.load()
_ASSIGN = re.compile(rf"(?:{_W.any_of('assigning')}){WORD_END}\s*:?\s*(?:cho\s+)?")
_ASSIGN_WITHIN = re.compile(
    rf"(?:\s*,\s*(?:(?:{_W.any_of('linking')})\s*,?\s+)?|\s+và\s+|\s*:\s*|\s+thì\s+)(?="
    rf"(?:{_W.any_of('assigning_within')}){WORD_END}\s+)"
)
_LINK = re.compile(rf"(?:{_W.any_of('linking')}){WORD_END}\s*,?\s+")
_TOPIC = re.compile(r"[^:]{2,420}?:\s+(?=\S)")
TOPIC_OPENS = pattern(
    r"(?:về|đối với|liên quan|công tác|việc|nội dung|với|tại|riêng|trong|dự án|đề án|lĩnh vực|nhiệm vụ"
    r"|giải pháp|nhóm)(?!\w)"
)
_SENTENCE = re.compile(
    r"(?<![.\s])[.!?](?=\s+[^\W\d_a-zàáảãạăắằẳẵặâấầẩẫậđèéẻẽẹêếềểễệìíỉĩịòóỏõọôốồổỗộơớờởỡợùúủũụưứừửữựỳýỷỹỵ]|\s+[(\"“\d])"
)
_ABBREVIATED = re.compile(r"(?:\b(?:tp|tx|tt|ts|ths|pgs|gs|tr|đ/c|v\.v|stt|số|no|mr|bs|ks|q|p|h|t|ct|tnhh)|\b[a-zđ])$")
_BOTH = pattern(
    r"\s*,?\s+(?=đồng thời(?:\s*,)?\s+)|(?=,\s*từ đó tập trung)|(?=,\s*trên cơ sở đó(?:\s*,)?\s+(?:đề "
    r"xuất|tham mưu|xây dựng|tổng hợp))"
)
_LEADING = pattern(r"lãnh đạo\s+(?!các (?:sở|ban|đơn vị))")
_OWN_OFFICER = pattern(
    r"(?:(?:các )?(?:đồng chí|đ/c)\s+)?(?:phó )?(?:trưởng phòng|lãnh đạo phòng|trưởng ban|thủ trưởng đơn vị"
    r"|người đứng đầu)\s+"
)
_SPEAKER = pattern(
    r"(?:thay mặt [^,;.]{0,80},\s*)?(?:(?:các )?đồng chí |phó )*"
    r"(?:lãnh đạo|thủ tướng|chủ tịch|bộ trưởng|thứ trưởng|giám đốc|bí thư|trưởng ban|trưởng đoàn|đoàn (?:kiểm "
    r"tra|công tác|giám sát)|ban chỉ đạo|thường trực|ubnd|ủy ban nhân dân|hội nghị"
    r"|hội đồng nhân dân|hđnd|chính phủ|quốc hội|ban thường vụ|ban chấp hành)"
    r"[^;:.]{0,90}?\s(?=(?:yêu cầu|giao|đề nghị|thống nhất giao|đồng ý giao)\s)"
)
_JOINED = re.compile(r"\s*(?:,\s*(?:và\s+)?|\s+và\s+)")
_INTRODUCES = pattern(
    r"(?:đối với|về việc|về|liên quan|riêng|để|nhằm|trên cơ sở|căn cứ|thực hiện|qua"
    r"|trong (?:quá trình|thời gian|đợt|khi|lúc)|(?:ngay )?sau khi)(?!\w)"
)
_TEAM = pattern(r"(?:các |\d+ )?(?:tổ|đoàn|ban|hội đồng|tiểu ban)\s")
_ESTABLISHED = pattern(
    r"(?P<name>[^;:.]{0,100}?)\s*,?\s(?:được )?thành lập (?:theo|tại) (?:các )?quyết định[^;:,.]{0,20}?"
    r"(?:\s\d+(?:/\d{4})?/qđ[-\w]+)?(?:\s+ngày \d+(?:/\d+/\d+| tháng \d+ năm \d+))?(?:\s+của [^,;.]{3,60}?)?\s*,?\s+"
    rf"(?={_W.any_of('adverbs', 'verbs')})"
)
_BLAMES = pattern(r"(?:nghiêm khắc )?(?:phê bình|nhắc nhở)(?: đối với)?\s+")
_RECOMMENDS = pattern(r"(?:kính )?kiến nghị(?: với| đối với)?\s+")
_SHARES_OUT = pattern(r"(?:phân công|ủy quyền)(?!\w)")
_HANDS_ON = pattern(
    r"(?:giao|yêu cầu|đề nghị)\s+(?:các\s+)?(?:nhà đầu tư|nhà thầu|doanh nghiệp|chủ rừng|đơn vị (?:tư vấn|thi công))\s"
)
"""What a body that is addressed asks of private ones is its own task."""
_OBJECT_FIRST = pattern(
    r"(?:các|những|việc|nội dung|nhiệm vụ)\s[^,;:.]{2,100}?(?<!được)(?<!đã)(?<!đang)\s+(?=(?:giao|đề nghị|yêu cầu)\s)"
)
_LOWER_NAMES = pattern(r"(?:các|cấp ủy|chính quyền|chủ đầu tư|ubnd|nhà thầu|đơn vị|cơ quan)\s")
_BEFORE_CAPITAL = pattern(
    r"(?:(?:các )?đồng chí|đ/c|sở|bộ|phòng|ban|trung tâm|công an"
    r"|văn phòng|tỉnh|huyện|xã|phường|chi cục|kho bạc)\s+"
)
_TOWARDS = pattern(
    r"(?:(?:những |một số )?(?:kiến nghị|đề nghị|yêu cầu|đề xuất|nhiệm vụ)(?: cụ thể)? )?"
    r"(?:đối với|về phía|với|riêng)\s+"
    r"|(?:nhiệm vụ của|trách nhiệm của|kiến nghị)\s+"
)
_FROM_THERE = pattern(r"[\s,]*(?:từ đó|trên cơ sở đó)\s*,?\s+")
_LONGEST_NAME = 90


@dataclass
class Head:
    """The start of a piece up to its content."""

    units: list[Unit]
    coordinating: list[str]
    region: int
    content: int
    assigned: bool
    from_there: bool = False


class Pieces:
    """Places in a paragraph where actions may begin."""

    def __init__(self, paragraph: Paragraph, clock: Clock, *, inherits: bool = False) -> None:
        self.paragraph = paragraph
        self.inherits = inherits
        self.text, self.plain = paragraph.text, paragraph.key
        self.formulae = Formulae(self.text, self.plain)
        self.found = deadlines.find(self.text, clock)

    def cut(self) -> list[tuple[int, int, str]]:
        """[start, end) of each piece and the mark before it: ``.``, ``;``, ``+`` (đồng thời) or ``>`` (giao)."""
        start = self.after_topic(0)
        marks: list[tuple[int, int, str]] = []
        masked = _masked(self.plain)
        for match in _SENTENCE.finditer(self.text):
            if match.start() >= start and not _ABBREVIATED.search(
                self.plain[max(0, match.start() - 6) : match.start()]
            ):
                marks.append((match.start(), match.end(), "."))
        for match in re.finditer(";", masked):
            marks.append((match.start(), match.end(), ";"))
        for match in _BOTH.finditer(masked):
            both = pattern(r"[\s,]*(?:đồng thời|từ đó|trên cơ sở đó)[\s,]+").match(self.plain, match.end())
            after = both.end() if both else match.end()
            if not (
                _W.action.match(self.plain, after)
                or _ASSIGN.match(self.plain, after)
                or self.head(after, len(self.text)).units
            ):
                continue
            marks.append((match.start(), match.end(), "+"))
        for match in _ASSIGN_WITHIN.finditer(masked):
            verb = _ASSIGN.match(self.plain, match.end())
            if (
                verb
                and agencies.units(self.text, self.plain, verb.end())
                and not re.search(
                    r"(?:việc|được|do|theo|tại|như|mà|nội dung|nhiệm vụ)\s*$", self.plain[: match.start()]
                )
            ):
                marks.append((match.start(), match.end(), ">"))
        pieces: list[tuple[int, int, str]] = []
        at, mark, addressed = start, ".", self.inherits
        for left, right, kind in sorted(marks):
            if left < at:
                continue
            if self._is_inside_list(at, left):
                continue
            is_own = kind == ">" and not self.plain.startswith("giao", right)
            if is_own and (
                self.head(at, left).units or (addressed and _W.action.match(self.plain, skip(self.plain, at)))
            ):
                continue
            addressed = addressed or bool(self.head(at, left).units)
            pieces.append((at, left, mark))
            at, mark = right, kind
            if kind == ".":
                at = self.after_topic(at)
        pieces.append((at, len(self.text), mark))
        pieces = [part for piece in pieces for part in self._by_dates(*piece)]
        return [(skip(self.plain, s), e, m) for s, e, m in pieces if self.plain[s:e].strip(" .;,:/")]

    def _by_dates(self, start: int, end: int, mark: str) -> list[tuple[int, int, str]]:
        """Actions that are joined without a mark and have a date each are two pieces."""
        dated = [d for d in self.found if start <= d.start and d.end <= end and d.kind == DATE]
        parts: list[tuple[int, int, str]] = []
        for first, second in pairwise(dated):
            join = _JOINED.match(self.plain, first.end)
            if join and join.end() < second.start and _W.plain_verb.match(self.plain, join.end()):
                parts.append((start, first.end, mark))
                start, mark = join.end(), ";"
        return [*parts, (start, end, mark)]

    def _is_inside_list(self, at: int, mark: int) -> bool:
        """A semicolon between the bodies of one list of partners or addressees."""
        if self.plain[mark : mark + 1] != ";":
            return False
        head = self.head(at, len(self.text))
        return head.content > mark

    def after_topic(self, at: int) -> int:
        """Behind "Về dự án X:" when an action or a body follows."""
        at = skip(self.plain, at)
        own = self.head(at, len(self.text))
        if own.units and (not TOPIC_OPENS.match(self.plain, at) or own.assigned):
            return at
        match = _TOPIC.match(self.plain, at)
        if match and (_W.not_a_task.match(self.plain, at) or _W.assessing_heading.match(self.plain, at)):
            return at
        if match and own.units and own.units[0].start < match.end() < own.region:
            return at
        while match:
            sentence = _SENTENCE.search(self.text, at)
            if sentence and sentence.start() < match.end() - 1:
                return at
            rest = match.end()
            head = self.head(rest, len(self.text))
            if head.units or _W.action.match(self.plain, rest) or TOPIC_OPENS.match(self.plain, at):
                if not (_W.action.match(self.plain, at) and not head.units):
                    return rest
                return at
            match = re.compile(r"[^:]{2,300}?:\s+(?=\S)").match(self.plain, rest)
        return at

    def head(self, start: int, end: int) -> Head:
        """Reads a piece up to its content."""
        plain, text = self.plain, self.text
        at = skip(self.plain, start)
        there = _FROM_THERE.match(plain, at)
        if there:
            at = there.end()
        towards = _TOWARDS.match(plain, at)
        if towards:
            named = agencies.units(text, plain, towards.end())
            after = agencies.end_of(named, plain) if named else at
            if named and (
                not plain[after:].strip(" :.")
                or (
                    plain[after : after + 1] == ":"
                    and not agencies.units(text, plain, after + 2)
                    and _W.action.match(plain, after + 2)
                )
            ):
                leads, partners = _leads(named, text)
                content, coordinating = self.formulae.behind(after, end)
                return Head(leads, [*partners, *coordinating], after, content, True)
            if named and named[0].is_collective and self._is_heading_of(after):
                name = text[named[0].start :].rstrip(" :")
                whole = Unit(agencies.display(name), named[0].start, named[0].start + len(name), is_collective=True)
                return Head([whole], [], len(text), len(text), True)
        link = _LINK.match(plain, at)
        linked = at
        if link:
            at = link.end()
        at = self._after_time(self._after_introduction(at, end))
        assign = _ASSIGN.match(plain, at)
        if not assign:
            speaker = _SPEAKER.match(plain, at)
            if speaker and agencies.units(text, plain, skip(self.plain, _after_assign(plain, speaker.end()))):
                at = speaker.end()
                assign = _ASSIGN.match(plain, at)
        if not assign and not self.inherits and at == skip(plain, 0):
            assign = _RECOMMENDS.match(plain, at)
        blamed = _BLAMES.match(plain, at)
        if blamed and (named := agencies.units(text, plain, blamed.end())):
            return Head(named, [], agencies.end_of(named, plain), at, True)
        if not assign:
            at, assign = self._after_object(at, assign)
        if assign and self.inherits and _SHARES_OUT.match(plain, at):
            assign = None
        if assign and self.inherits and _HANDS_ON.match(plain, at):
            assign = None
        units = agencies.units(text, plain, skip(self.plain, assign.end())) if assign else []
        if assign and not units and assign.re is not _RECOMMENDS:
            units = agencies.loose(text, plain, skip(self.plain, assign.end()))
        officer = _OWN_OFFICER.match(plain, at) if self.inherits and not assign else None
        if officer and _W.action.match(plain, officer.end()):
            content, coordinating = self.formulae.behind(officer.end(), end)
            return Head([], coordinating, start, content, False)
        if self.inherits and not assign and _LEADING.match(plain, at):
            content, coordinating = self.formulae.behind(at, end)
            return Head([], coordinating, start, content, False)
        if not units and (not assign or _can_open(text, plain, at)):
            units = agencies.units(text, plain, at) if _can_open(text, plain, at) else []
            if units and assign:
                assign = None
        if not units:
            if assign and not plain[assign.end() : end].strip(" :."):
                return Head([], [], start, assign.end(), True)
            if assign and plain.startswith("yêu cầu", at) and _W.action.match(plain, assign.end()):
                at = assign.end()
            content, coordinating = self.formulae.behind(at, end)
            if link and content == at and not re.match(key("đồng thời"), link[0]) and not _W.action.match(plain, at):
                content = linked
            return Head([], coordinating, start, content, False, there is not None)
        after = agencies.end_of(units, plain)
        if plain[after : after + 1] == ";":
            wider = agencies.units(text, plain, units[0].start, semicolons=True)
            rest = agencies.end_of(wider, plain)
            if (
                len(wider) > len(units)
                and plain[rest : rest + 1] in (" ", ":")
                and (assign or plain[rest : rest + 1] == ":" or _W.action.match(plain, skip(self.plain, rest)))
            ):
                units, after = wider, rest
        units, after = self._established(units, after)
        if not assign and plain[after : after + 1] not in (" ", ",", ":", ""):
            return Head([], [], start, at, False)
        content, coordinating = self.formulae.behind(after, end)
        spoken = None if assign else _ASSIGN.match(plain, content)
        if spoken and not plain[spoken.end() : end].strip(" :."):
            return Head([], [], start, spoken.end(), True)
        leads, partners = _leads(units, text)
        return Head(
            leads, [*partners, *coordinating], after, content, assign is not None or plain[after : after + 1] == ":"
        )

    def _is_heading_of(self, after: int) -> bool:
        """Whether nothing but the rest of a name follows in a numbered heading."""
        rest = self.plain[after:]
        is_name = rest[:1] in (" ", ",") and len(rest) < _LONGEST_NAME and not re.search(r"[.:;]", rest.rstrip(" :"))
        opens = skip(self.plain, after)
        return (
            bool(self.paragraph.kind)
            and is_name
            and not (_W.plain_verb.match(self.plain, opens) or _ASSIGN.search(rest))
        )

    def _after_object(self, at: int, assign: re.Match[str] | None) -> tuple[int, re.Match[str] | None]:
        """Behind what is assigned, "Các kiến nghị còn lại giao ...", or who speaks, "Bộ Tài chính đề nghị ..."."""
        first = _OBJECT_FIRST.match(self.plain, at)
        place = first.end() if first else at
        if first is None and not self.paragraph.kind and _can_open(self.text, self.plain, at):
            speaker = agencies.units(self.text, self.plain, at)
            place = agencies.end_of(speaker, self.plain) + 1 if speaker else at
        verb = _ASSIGN.match(self.plain, place) if place > at else None
        if verb and agencies.units(self.text, self.plain, skip(self.plain, verb.end())):
            return place, verb
        return at, assign

    def _established(self, units: list[Unit], after: int) -> tuple[list[Unit], int]:
        """Teams that are told by the decision that set them up: their name and where the text goes on behind it."""
        found = _ESTABLISHED.match(self.plain, after) if len(units) == 1 else None
        if found is None or not _TEAM.match(self.plain, units[0].start) or not _W.action.match(self.plain, found.end()):
            return units, after
        end = found.end("name")
        return [Unit(agencies.display(self.text[units[0].start : end]), units[0].start, end, True)], found.end() - 1

    def _after_introduction(self, at: int, end: int) -> int:
        """Behind "Đối với ..., " or "Để ..., " when a body and its action follow the comma."""
        if not _INTRODUCES.match(self.plain, at):
            return at
        for comma in re.finditer(r",\s+", self.plain[at : min(end, at + LONGEST_CIRCUMSTANCE)]):
            place = at + comma.end()
            if not _can_open(self.text, self.plain, place):
                continue
            found = agencies.units(self.text, self.plain, place)
            after = skip(self.plain, agencies.end_of(found, self.plain)) if found else place
            acts = _W.action if found and found[-1].is_collective else _W.plain_verb
            if found and (acts.match(self.plain, after) or ROLE.match(self.plain, after)):
                return place
        return at

    def _after_time(self, at: int) -> int:
        """Behind a time that opens the piece: "Trước ngày 20/10/2025, Sở A ..."."""
        for found in self.found:
            if found.start == at:
                comma = re.compile(r"\s*[,:]\s*(?:thì\s+)?").match(self.plain, found.end)
                rest = comma.end() if comma else found.end + 1
                if agencies.units(self.text, self.plain, rest) or _ASSIGN.match(self.plain, rest):
                    return rest
        return at


def _after_assign(plain: str, at: int) -> int:
    match = _ASSIGN.match(plain, at)
    return match.end() if match else at


def _can_open(text: str, plain: str, at: int) -> bool:
    """A name opens a piece with a capital letter, or with *các*, *cấp ủy*, or in lower case before a capital."""
    if text[at : at + 1].isupper() or _LOWER_NAMES.match(plain, at):
        return True
    before = _BEFORE_CAPITAL.match(plain, at)
    return before is not None and text[before.end() : before.end() + 1].isupper()


def _leads(units: list[Unit], text: str) -> tuple[list[Unit], list[str]]:
    """Addressees and partners: several collectives are one addressee; "... và các đơn vị liên quan" is a partner."""
    if len(units) > 1 and all(unit.is_collective for unit in units):
        first, last = units[0], units[-1]
        return [Unit(agencies.display(text[first.start : last.end]), first.start, last.end, is_collective=True)], []
    named = [unit for unit in units if not unit.is_collective]
    if named and len(named) < len(units):
        loose = [u for u in units if u.is_collective and re.search(key("liên quan"), key(u.name))]
        return [u for u in units if u not in loose], [agencies.as_partner(u, text) for u in loose]
    return units, []


def _masked(plain: str) -> str:
    """Brackets and quotations blanked, so that no piece begins in them."""
    return re.sub(r"\([^()]*\)|\"[^\"]{0,200}\"", lambda match: "_" * len(match[0]), plain)
