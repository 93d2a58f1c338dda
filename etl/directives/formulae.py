"""What stands between a name and the action: role, circumstances, co-ordination; *chủ trì, phối hợp với Sở A*."""

from __future__ import annotations

import re

from etl.directives import agencies
from etl.directives import words as wording
from etl.directives.folding import key, pattern
from etl.directives.places import proper
from etl.directives.words import WORD_END

_W = wording.load()
ROLE = re.compile(rf"\s*,?\s*(?:{_W.any_of('role')}){WORD_END}(?:\s*,?\s*(?:và|trong việc|việc)(?=\s))?")
_CIRCUMSTANCE = re.compile(
    rf"\s*,?\s*(?:{_W.any_of('circumstance')}){WORD_END}(?:\s+(?:của (?:mình|cơ quan|đơn vị|ngành)"
    rf"[^,;]{{0,30}}|được giao|được phân công|quản lý nhà nước))?\s*,?"
)
_CIRCUMSTANCE_OPENS = re.compile(rf"\s*,?\s*(?:{_W.any_of('circumstance_opening')}){WORD_END}(?! dõi)")
_ACTING_AS = pattern(r"\s*,?\s*với (?:vai trò|tư cách|trách nhiệm)\s")
_COORDINATION = re.compile(
    rf"\s*,?\s*(?P<adverbs>(?:(?:khẩn trương|tiếp tục|chủ động|tích cực|kịp thời|thường xuyên|tăng cường"
    rf"|có trách nhiệm|trực tiếp|sớm|cần|ngay|nghiêm túc){WORD_END}\s*,?\s+)*)"
    rf"(?:(?:và\s+)?(?:{_W.any_of('coordinating')}){WORD_END}(?:\s*,?\s*"
    rf"(?:{_W.any_of('coordinating_manner')}){WORD_END})*(?P<with>\s*,?\s+"
    rf"(?:{_W.any_of('coordinating_with')}){WORD_END})?|cùng với|cùng)\s+"
)
_PURPOSE = re.compile(rf"\s*,?\s*(?:{_W.any_of('purpose')}){WORD_END}")
_INLINE_NUMBER = re.compile(r"\((?:[ivx]{1,4}|\d{1,2}|[a-zđ])\)\s*")
_STANDING = pattern(
    r"\s*[-,]\s*(?:là )?cơ quan (?:thường trực|chủ trì|đầu mối|chủ quản)[^-,;:.]{0,60}?(?:\s*[-,]|(?=\s+(?:chủ "
    r"trì|tham mưu|khẩn trương|tổng hợp|chủ động|tập trung|bàn giao|hoàn thi|hoàn thành)))"
)
_LED_BY = pattern(
    r"\s*[,(]?\s*do (?:đồng chí|ông|bà)[^;:]{0,140}?làm (?:tổ trưởng|trưởng đoàn|trưởng ban|trưởng tiểu ban|tổ phó)\)?"
)
_QUALIFIER = pattern(r"được (?:giao|phân công)(?: nhiệm vụ)?(?: chủ trì| phụ trách| làm chủ đầu tư| quản lý)?(?!\w)")
_SLOW = pattern(
    r"(?:còn )?(?:chậm|chưa)(?:\s[^,;:.\s]+){1,8}?\s(?=nghiêm túc|khẩn trương|phải|tập trung|rút kinh nghiệm|kiểm điểm)"
)
_LONGEST_QUALIFIER, _LONGEST_PARTNER = 90, 60
LONGEST_CIRCUMSTANCE = 420


def skip(plain: str, at: int) -> int:
    """Behind marks and the number of an enumeration within the sentence."""
    while at < len(plain):
        number = _INLINE_NUMBER.match(plain, at)
        if number:
            at = number.end()
        elif plain[at] in " ,;:.-":
            at += 1
        else:
            break
    return at


class Formulae:
    """The formulae of a paragraph; ``plain`` is the key of ``text``."""

    def __init__(self, text: str, plain: str) -> None:
        self.text, self.plain = text, plain

    def behind(self, at: int, end: int) -> tuple[int, list[str]]:
        """Behind role, circumstances and co-ordination; and the partners."""
        plain = self.plain
        partners: list[str] = []
        standing = _STANDING.match(plain, at) or _LED_BY.match(plain, at)
        at = skip(self.plain, standing.end() if standing else at)
        while at < end:
            at = self._after_qualifier(at, end)
            acting = self._circumstance(at, end) if _ACTING_AS.match(plain, at) else at
            if acting > at:
                at = acting
                continue
            step = ROLE.match(plain, at) or _CIRCUMSTANCE.match(plain, at)
            if step and step.end() > at:
                at = skip(self.plain, step.end())
                helpers = agencies.units(self.text, plain, at) if plain[step.end() : step.end() + 1] == "," else []
                if helpers and _COORDINATION.match(plain, agencies.end_of(helpers, plain)):
                    partners += [unit.name for unit in helpers]
                    at = skip(self.plain, agencies.end_of(helpers, plain))
                continue
            behind = self._coordination(at, end)
            if behind:
                names, place = behind
                partners += names
                if place == at:
                    break
                at = place
                continue
            place = self._circumstance(at, end)
            if place == at:
                break
            at = place
        return at, partners

    def _after_qualifier(self, at: int, end: int) -> int:
        """Behind "được giao chủ trì ..." or "chậm triển khai" that says which of the bodies are meant."""
        slow = _SLOW.match(self.plain, at)
        if slow and slow.end() < end:
            return slow.end()
        qualifier = _QUALIFIER.match(self.plain, at)
        if qualifier is None:
            return at
        verbs = _W.plain_verb.finditer(self.plain, qualifier.end(), min(end, qualifier.end() + _LONGEST_QUALIFIER))
        action = next((verb for verb in verbs if self.plain[verb.start() - 1] == " "), None)
        is_whole = action and not re.search(r"[,;:.]", self.plain[qualifier.end() : action.start()])
        return action.start() if action and is_whole else at

    def _coordination(self, at: int, end: int) -> tuple[list[str], int] | None:
        match = _COORDINATION.match(self.plain, at)
        if match is None:
            return None
        units = agencies.units(self.text, self.plain, match.end(), semicolons=True)
        if units:
            names = [agencies.as_partner(u, self.text) for u in units]
            after = agencies.end_of(units, self.plain)
        else:
            if not match["with"]:
                return None
            name = proper(self.text, match.end())
            if name > match.end() and _W.action.match(self.plain, name + 1) and self.plain[name : name + 1] == " ":
                return [self.text[match.end() : name]], skip(self.plain, name)
            after = self._first(_W.plain_verb, match.end(), end)
            if after - match.end() > _LONGEST_PARTNER:
                after = self._first(_W.action, match.end() + 1, end)
            purpose = re.search(rf"\s(?:{_W.any_of('purpose')}){WORD_END}", self.plain[match.end() : after])
            if purpose:
                after = match.end() + purpose.start()
            loose = self.text[match.end() : after].strip(" ,")
            if not loose or len(loose) > 140:
                return None
            if "làm việc" in match[0]:
                return [re.split(r"[,;]", loose)[0].strip()], at
            names = [loose]
        rest = self.plain[after:end]
        if not rest.strip(" .;,/:") or _PURPOSE.match(rest) or ("làm việc" in match[0] and rest.startswith(",")):
            return names, at
        return names, skip(self.plain, after)

    def _first(self, verbs: re.Pattern[str], at: int, end: int) -> int:
        """Where the first of the verbs begins; the end without any."""
        return next((v.start() for v in verbs.finditer(self.plain, at, end) if self.plain[v.start() - 1] in " ,"), end)

    def _circumstance(self, at: int, end: int) -> int:
        """Behind "căn cứ ..., " when an action follows the comma."""
        opening = _CIRCUMSTANCE_OPENS.match(self.plain, at)
        if opening is None:
            return at
        if re.match(key("thực hiện"), self.plain[at:]) and not re.match(
            key("thực hiện (?:chỉ đạo|ý kiến|nhiệm vụ được giao tại)"), self.plain[at:]
        ):
            return at
        for comma in re.finditer(r",\s+", self.plain[opening.end() : min(end, at + LONGEST_CIRCUMSTANCE)]):
            place = opening.end() + comma.end()
            if (
                ROLE.match(self.plain, place)
                or _COORDINATION.match(self.plain, place)
                or _W.plain_verb.match(self.plain, place)
                or self._acts_and_acts(place)
            ):
                return place
        return at

    def _acts_and_acts(self, at: int) -> bool:
        """Whether a verb that names have too is the first of several: "tổng hợp, đề xuất ..."."""
        first = _W.action.match(self.plain, at)
        return first is not None and _W.plain_verb.match(self.plain, skip(self.plain, first.end())) is not None
