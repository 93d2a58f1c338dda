"""Paragraphs -> tasks: one row per addressee and separately checkable action.

The method, in the order of the code (conventions: README of the example notices, rules 1-9):

1. The conclusions lie between "... kết luận như sau:" and the closing formula or *Nơi nhận*.
2. A paragraph is cut where a new action can begin: full stop, semicolon, *đồng thời*, "..., giao <cơ quan>".
3. Each piece is read from its start: link words, time, assigning verb, addressees, role, circumstances, co-ordination;
   what is left is the content. A piece without addressee has that of the piece before it, of its lead-in, or of none,
   and then it is no task.
4. A piece that only reports the result, or says when it is done, belongs to the pieces before it.
5. A lead-in ("Sở A chủ trì:", "yêu cầu UBND xã ... các nhiệm vụ sau:") hands addressee and date to the items below it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from etl.directives import agencies, deadlines, documents, results
from etl.directives import words as wording
from etl.directives.agencies import Unit
from etl.directives.deadlines import DATE, HORIZON, NONE, RECURRING, Clock, Deadline
from etl.directives.folding import key, pattern
from etl.directives.layout import BULLETS, Paragraph
from etl.directives.pieces import TOPIC_OPENS, Head, Pieces
from etl.directives.sense import (
    PAST,
    acts,
    acts_beside,
    acts_soon,
    asks_nothing,
    assesses,
    is_aim,
    is_completion,
    is_heading,
    is_title,
)

_W = wording.load()
_WITHIN_CONTENT = re.compile(
    rf"(?:phối hợp|hợp tác)(?:\s+(?:{_W.any_of('coordinating_manner')}))*(?:\s+(?:cùng với|với|cùng)"
    rf")?\s+|làm việc\s+(?:với|cùng)\s+"
)
_ADDRESSED_TO = key("kính gửi")
_CLOSING_LINE = re.compile(r"nơi nhận|t[ml]\.\s|kt\.\s|tuq\.\s|tl\.\s")
_LETTERHEAD = pattern(r"cộng hòa xã hội chủ nghĩa việt nam|độc lập - tự do - hạnh phúc")
_IN_DOUBT = pattern(
    r"(?:trong )?quá trình (?:tổ chức |triển khai )*(?:thực hiện|triển khai)[^,;.]{0,40},?\s*"
    r"(?:nếu|trường hợp|khi) "
)
_ESCALATES = pattern(
    r"(?:những |các |nếu (?:có )?)*(?:khó khăn|vướng mắc|nội dung|vấn đề)[^;.]{0,80}"
    r"(?:vượt|phát sinh|chưa)[^;.]{0,60}báo cáo"
)
_APART = pattern(r"riêng(?!\w)")
_PROMISES = pattern(r"cam kết(?!\w)")
_ACCOUNT = pattern(
    r"(?:đến nay|tính đến|(?:trong )?thời gian qua|qua (?:kiểm tra|báo cáo|theo dõi|rà soát)|sau hơn)(?!\w)"
)
_MEASURED = pattern(r"(?:xếp hạng|xếp thứ|đứng thứ|đạt|tăng|giảm)\s+(?:thứ\s+)?\d")
_EXAMINES = pattern(
    r"đánh giá (?:kỹ|lại|đúng|cụ thể|toàn diện|đầy đủ|chính xác|khách quan|mức độ|hiệu quả|tác động)(?!\w)"
)
_BLAMED = pattern(
    r"(?:(?:người đứng đầu|thủ trưởng|lãnh đạo)[^,;.:]{0,20}? |đơn vị |cơ quan |đó )*(?:(?:phải|sẽ|hoàn toàn) )*"
    r"(?:chịu (?:hoàn toàn )?trách nhiệm|giải trình|bị)(?!\w)"
)
_FOR_SOME = pattern(
    r"(?:(?:đối với|với|riêng)\s[^;:.]{3,160}?(?:\s+thì|,)"
    r"|[^;:.,]{2,60}?\s(?:nào|nào đó|chưa|không|không còn|còn)\s[^;:.]{2,80}?\s+thì)\s+"
)
_CONDITION = pattern(r"(?:trường hợp|nếu)(?!\w)")
_DONE_BY = pattern(r"[,;]\s*(?:phải )?(?:hoàn thành|xong|thời gian hoàn thành|báo cáo kết quả)\s*$")
_EXPECTED = pattern(r"dự kiến(?: tổ chức| diễn ra| vào)*\s*$")
_ASSIGNS = pattern(r"(?<!\w)(?:giao|yêu cầu|đề nghị|phân công)\s")
_ASSIGNS_AT_LAST = pattern(r"(?:yêu cầu|đề nghị|giao)\s+")
_MODAL = pattern(r"(?:cần phải|cần|phải|bảo đảm|đảm bảo)(?!\w)")
_MUST = pattern(r"(?!nếu|trường hợp)[^,;.:]{3,50}?\s(?:phải|cần)\s+(?:được\s+)?\w")
_COMPRISES = pattern(
    r"(?:bao gồm|gồm|gồm có|làm rõ)\s+(?:có\s+)?(?:(?:các|một số|những)\s+)?(?:nội dung|vấn đề)[^,;:.]{0,30}:?$"
)
_LEAD_IN_END = pattern(
    rf"(?:(?:các|một số|những|\d+)\s+)?(?:{_W.any_of('lead_in_nouns')})(?!\w)[^.;]{{0,120}}(?:sau|sau "
    rf"đây|cụ thể|trọng tâm|như sau|dưới đây|cụ thể như sau)\s*(?:đây)?\s*:?\s*$"
)


@dataclass
class Task:
    """A row of the register. Places count in ``paragraph.body``; ``leads`` is split into rows at the end."""

    paragraph: Paragraph
    leads: list[Unit]
    coordinating: list[str]
    start: int
    end: int
    region: int
    deadline: Deadline | None = None
    sentence: int = 0
    is_inherited: bool = False

    @property
    def content(self) -> str:
        return self.paragraph.text[self.start : self.end]

    @property
    def documents(self) -> list[str]:
        return documents.cited(self.content)

    @property
    def is_dated(self) -> bool:
        """Whether a deadline of its own binds it."""
        return self.deadline is not None and self.deadline.kind != NONE and not self.is_inherited

    def bind(self, deadline: Deadline | None) -> None:
        """Gives it a deadline of its own."""
        if deadline is not None:
            self.deadline, self.is_inherited = deadline, False


@dataclass
class _Lead:
    """What a lead-in hands down. ``topics``: the items below are headings of a report, no tasks."""

    units: list[Unit] = field(default_factory=list)
    coordinating: list[str] = field(default_factory=list)
    deadline: Deadline | None = None
    topics: bool = False
    is_explicit: bool = False


class _ToldError(Exception):
    """A piece tells what a body did; what follows without another body is told of it too."""


def extract(found: list[Paragraph], clock: Clock) -> list[Task]:
    """Tasks in the order of the text."""
    return _Reader(clock).read(_conclusions(found))


def _conclusions(found: list[Paragraph]) -> list[Paragraph]:
    """The paragraphs from the one that opens the conclusions to the closing formula."""
    first = next((i for i, p in enumerate(found) if _W.conclusions.search(p.key) and not p.kind), None)
    if first is None:
        first = next((i for i, p in enumerate(found) if _W.conclusions.search(p.key)), _after_addressees(found))
    else:
        opening = found[first]
        after = _W.conclusions.search(opening.key)
        if after and len(opening.text) - after.end() < 3:
            first += not _ends_in_lead_in(opening)
    last = next((i for i, p in enumerate(found) if i >= first and _closes(p)), len(found))
    return [paragraph for paragraph in found[first:last] if paragraph.kind or not _LETTERHEAD.search(paragraph.key)]


def _after_addressees(found: list[Paragraph]) -> int:
    """Behind the list below *Kính gửi:* of a letter; what stands on the line itself is whom all of it addresses."""
    start = next((i + 1 for i, p in enumerate(found) if p.key.rstrip(" :") == _ADDRESSED_TO), 0)
    place = start
    while start and place < len(found) and found[place].kind in BULLETS:
        place += 1
    return place if place > start else 0


def _ends_in_lead_in(paragraph: Paragraph) -> bool:
    """Whether the opening sentence itself assigns: "... yêu cầu UBND xã thực hiện các nội dung như sau:"."""
    verbs = list(_ASSIGNS_AT_LAST.finditer(paragraph.key))
    return bool(verbs) and bool(agencies.units(paragraph.text, paragraph.key, verbs[-1].end()))


def _closes(paragraph: Paragraph) -> bool:
    return bool(_CLOSING_LINE.match(paragraph.key) or (_W.closing.match(paragraph.key) and not paragraph.kind))


class _Reader:
    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.tasks: list[Task] = []
        self.leads: dict[int, _Lead] = {}
        self.told: dict[int, bool] = {}
        self.preamble = _Lead()
        self.last: Paragraph | None = None
        self.title_tells = False
        self.before: Paragraph | None = None
        self.sentence = 0

    def read(self, found: list[Paragraph]) -> list[Task]:
        found = [paragraph for paragraph in found if paragraph.kind != "row"]
        for place, paragraph in enumerate(found):
            following = next((p for p in found[place + 1 :] if p.kind), None)
            self._paragraph(paragraph, following)
        for task in self.tasks:
            self._settle(task)
        return self.tasks

    def _context(self, paragraph: Paragraph) -> _Lead:
        if paragraph.parent is not None:
            return self.leads.get(id(paragraph.parent), self.preamble)
        if not paragraph.kind and self.last is not None:
            above = self.leads.get(id(self.last), self.preamble)
            return above if above.is_explicit or self.last.text.endswith(":") else self.preamble
        return self.preamble

    def _paragraph(self, paragraph: Paragraph, following: Paragraph | None) -> None:
        context = self._context(paragraph)
        text = paragraph.text
        if not paragraph.kind and is_title(text):
            self.preamble, self.last = _Lead(), None
            self.title_tells = assesses(paragraph)
            return
        pieces = Pieces(paragraph, self.clock, inherits=bool(context.units))
        if self._completes(paragraph, pieces):
            return
        self.before = paragraph
        self.told[id(paragraph)] = self._tells(paragraph)
        own = self._pieces(paragraph, pieces, context)
        self.leads[id(paragraph)] = own
        if paragraph.kind:
            self.last = paragraph
        elif text.endswith(":") or _LEAD_IN_END.search(paragraph.key):
            if self.last is not None and following is not None and following.parent is self.last:
                self.leads[id(self.last)] = own
            else:
                self.preamble = own

    def _completes(self, paragraph: Paragraph, pieces: Pieces) -> bool:
        """Whether a line of its own says only when what stands above it is done; then it is given to that."""
        if paragraph.children or self.before is None or paragraph.kind not in ("", *BULLETS):
            return False
        best = deadlines.chosen(pieces.found, paragraph.text)
        if not is_completion(paragraph.key, pieces.found, 0):
            return self._reports_for_all(paragraph, best)
        places = (id(self.before), id(self.before.parent))
        above = [t for t in self.tasks if id(t.paragraph) in places and not t.is_dated]
        for task in above:
            task.bind(best)
        return bool(above)

    def _reports_for_all(self, paragraph: Paragraph, best: Deadline | None) -> bool:
        """Whether a line below the items of a task says when their result is due; then it is given to that task."""
        if best is None or paragraph.kind or self.last is None or not results.opens(paragraph.key):
            return False
        above = [t for t in self.tasks if t.paragraph is self.last.parent and not t.is_dated]
        for task in above:
            task.bind(best)
        return bool(above)

    def _tells(self, paragraph: Paragraph) -> bool:
        """Whether a paragraph stands under a heading of what was: results, shortcomings, causes."""
        above = paragraph.parent if paragraph.kind else self.last
        inherited = self.told.get(id(above), self.title_tells) if above is not None else self.title_tells
        return assesses(paragraph) or (inherited and not is_heading(paragraph))

    def _pieces(self, paragraph: Paragraph, pieces: Pieces, context: _Lead) -> _Lead:
        """Tasks of one paragraph; returns what it hands to the items below it."""
        lead = _Lead(context.units, context.coordinating, context.deadline, context.topics)
        current: list[Unit] = [] if context.topics else context.units
        shared = context.coordinating
        chain: list[Task] = []
        self.sentence += 1
        is_lead_in = paragraph.text.endswith(":") or not re.search(r"[.;]$", paragraph.text)
        addressed = False
        is_told = self.told[id(paragraph)]
        cut = pieces.cut()
        opening = cut[0][0] if cut else 0
        for start, end, mark in cut:
            if mark == ".":
                self.sentence += 1
            if _W.closing.match(paragraph.key[start:end].strip()) and not (paragraph.kind and start == opening):
                break
            head = pieces.head(start, end)
            if is_told and not _ASSIGNS.search(paragraph.key, start, head.content):
                continue
            region = start
            plain = paragraph.key[head.content : end].strip()
            is_last = end >= len(paragraph.text.rstrip(" :./"))
            if head.units:
                current, shared, addressed = head.units, head.coordinating, True
                region = head.region
            if is_lead_in and is_last and self._is_lead_in(paragraph, head, plain):
                handed = [d for d in pieces.found if start <= d.start < end]
                best = deadlines.chosen(handed, paragraph.text)
                lead = _Lead(
                    head.units or current,
                    head.coordinating if head.units else [*shared, *head.coordinating],
                    self._handed(best, paragraph) or context.deadline,
                )
                lead.is_explicit = bool(head.units)
                if not head.units and head.assigned:
                    lead.units = []
                return lead
            if not current:
                continue
            try:
                task = self._task(paragraph, pieces, head, start, end, mark, current, shared, chain, context)
            except _ToldError:
                current, task = [], None
            if task is not None:
                task.region = max(region, 0)
                self.tasks.append(task)
                chain.append(task)
        if paragraph.children:
            lead = _Lead(current if addressed else context.units, [], context.deadline)
            lead.topics = bool(chain) and is_lead_in and not self._children_act(paragraph)
        return lead

    def _handed(self, best: Deadline | None, paragraph: Paragraph) -> Deadline | None:
        """A date is inherited; the period that a whole notice is about is not a date of each of its items."""
        if best is None or best.kind not in (DATE, HORIZON, RECURRING) or is_aim(paragraph, best):
            return None
        if _EXPECTED.search(paragraph.key[: best.start]):
            return None
        return best if best.kind == DATE or paragraph.kind else None

    def _is_lead_in(self, paragraph: Paragraph, head: Head, plain: str) -> bool:
        """Whether the last piece only announces the items below."""
        bare = plain.rstrip(" :.")
        if not bare or (not head.units and head.assigned):
            return True
        if not paragraph.children and not paragraph.text.endswith(":"):
            return False
        if _COMPRISES.search(plain) and _W.action.match(plain) and not self._children_act(paragraph):
            return False
        if _LEAD_IN_END.search(plain) and not re.match(key("báo cáo|thống kê"), plain):
            return True
        if not head.units and TOPIC_OPENS.match(plain):
            return True
        return self._children_act(paragraph) if paragraph.children else paragraph.text.endswith(":")

    def _children_act(self, paragraph: Paragraph) -> bool:
        """Whether the items below are actions rather than headings."""
        acting = sum(acts(child, self.clock) for child in paragraph.children)
        return acting * 2 >= len(paragraph.children)

    def _task(
        self, paragraph: Paragraph, pieces: Pieces, head: Head, start: int, end: int, mark: str,
        current: list[Unit], shared: list[str], chain: list[Task], context: _Lead,
    ) -> Task | None:  # fmt: skip
        """The task of one piece; None when it is none, or when it went to the ones before it."""
        plain = paragraph.key[head.content : end]
        stop = _trim(paragraph.text, head.content, end)
        if stop <= head.content:
            return None
        dated = [d for d in pieces.found if start <= d.start < end]
        if not head.units and chain and self._joins(plain, dated, mark, chain, paragraph, head, stop):
            return None
        if _IN_DOUBT.match(paragraph.key, start):
            return None
        if head.units and not head.assigned:
            is_told = (_W.telling.match(plain) and not _W.action.match(plain)) or _MEASURED.match(plain)
            is_told = is_told or (_PROMISES.match(plain) and _ACCOUNT.match(paragraph.key))
            is_spoken = _W.speaking.match(paragraph.key, head.region + 1) and not _EXAMINES.match(plain)
            if is_told or is_spoken:
                raise _ToldError
        if not head.units and chain and not chain[-1].is_dated and self._binds_if(paragraph, head, plain, dated):
            chain[-1].bind(dated[-1])
        if (_W.not_a_task.match(plain) and not head.coordinating and not acts_beside(plain)) or (
            _W.not_a_task.match(paragraph.key, start) and not head.units
        ):
            return None
        if head.units and not head.assigned:
            if not _W.action.match(plain) and not acts_soon(plain):
                return None
        elif not head.units:
            acts = _W.action.match(plain) is not None or _ESCALATES.match(plain) is not None
            acts = acts or _acts_for_some(plain)
            acts = acts or self._acts_after_time(paragraph, pieces, head.content)
            acts = acts or (not chain and bool(paragraph.kind) and acts_soon(plain))
            acts = acts or (_APART.match(plain) is not None and bool(dated) and dated[-1].kind == DATE)
            if not acts and mark == ";" and chain and not _MUST.match(plain):
                chain[-1].end = stop
                return None
            if not acts and not (_MODAL.search(plain[:90]) and not PAST.search(plain[:90])):
                return None
        if asks_nothing(paragraph.key[head.content : stop]):
            return None
        own = deadlines.chosen(dated, paragraph.text)
        if own is None and head.from_there and chain:
            own = chain[-1].deadline
        coordinating = head.coordinating if head.units else [*([] if chain else shared), *head.coordinating]
        coordinating = _unique([*coordinating, *_inner(paragraph, head.content, stop)])
        inherited = None if own or not context.deadline or context.topics else context.deadline
        return Task(
            paragraph, list(current), coordinating, head.content, stop, start, own or inherited,
            sentence=self.sentence, is_inherited=own is None and inherited is not None,
        )  # fmt: skip

    def _binds_if(self, paragraph: Paragraph, head: Head, plain: str, dated: list[Deadline]) -> bool:
        """Whether a condition ends in the date of what stands before it: "trường hợp ..., hoàn thành chậm nhất D"."""
        is_condition = _CONDITION.match(plain) and dated
        return bool(is_condition and _DONE_BY.search(paragraph.key[head.content : dated[-1].start]))

    def _acts_after_time(self, paragraph: Paragraph, pieces: Pieces, at: int) -> bool:
        """Whether a piece opens with a time and an action behind it: "chiều thứ Sáu hằng tuần báo cáo ..."."""
        opening = next((d for d in pieces.found if d.start == at), None)
        return opening is not None and _W.action.match(paragraph.key[opening.end :].lstrip(" ,")) is not None

    def _joins(
        self,
        plain: str,
        dated: list[Deadline],
        mark: str,
        chain: list[Task],
        paragraph: Paragraph,
        head: Head,
        stop: int,
    ) -> bool:
        """A piece that reports the result or says when it is done goes to the tasks before it."""
        last = chain[-1]
        best = deadlines.chosen(dated, paragraph.text)
        if is_completion(plain, dated, head.content):
            back = [t for t in chain if not t.is_dated]
            if mark != "." and best and best.kind != RECURRING:
                self._merge(chain, best, stop)
            else:
                for task in back:
                    task.bind(best)
            return True
        if not results.reports(plain) or not results.is_of(
            plain, last.content, is_apart=mark == ";", is_dated=best is not None
        ):
            return False
        if best and best.kind == RECURRING:
            return False
        if best and last.is_dated:
            return False
        if best and mark != ".":
            self._merge(chain, best, stop)
        else:
            last.end = stop
            if not last.is_dated:
                last.bind(best)
        return True

    def _merge(self, chain: list[Task], best: Deadline, stop: int) -> None:
        """The tasks of the sentence back to the last dated one are one task with this deadline."""
        first = len(chain) - 1
        while (
            first > 0
            and not chain[first - 1].is_dated
            and chain[first - 1].sentence == chain[-1].sentence
            and _same(chain[first - 1], chain[first])
        ):
            first -= 1
        kept = chain[first]
        for task in chain[first + 1 :]:
            kept.coordinating = _unique([*kept.coordinating, *task.coordinating])
            self.tasks.remove(task)
        del chain[first + 1 :]
        kept.end = stop
        kept.bind(best)

    def _settle(self, task: Task) -> None:
        """Without a date the first urging word stands as the phrase."""
        if task.deadline is None:
            text = task.paragraph.text
            found = deadlines.vague(text[task.region : task.end])
            task.deadline = found


def _acts_for_some(plain: str) -> bool:
    """Whether an action follows for some of the cases: "đối với các hộ chưa chấp hành thì tổ chức cưỡng chế"."""
    case = _FOR_SOME.match(plain)
    if case and _BLAMED.match(plain, case.end()):
        return False
    return case is not None and not PAST.match(plain) and _W.action.match(plain, case.end()) is not None


def _inner(paragraph: Paragraph, start: int, end: int) -> list[str]:
    """Partners named within the content."""
    names: list[str] = []
    for match in _WITHIN_CONTENT.finditer(paragraph.key, start, end):
        found = agencies.units(paragraph.text, paragraph.key, match.end(), semicolons=True)
        names += [agencies.as_partner(u, paragraph.text) for u in found if u.end <= end]
    return names


def _unique(names: list[str]) -> list[str]:
    return list({key(name): name for name in reversed(names)}.values())[::-1]


def _same(one: Task, other: Task) -> bool:
    return [u.name for u in one.leads] == [u.name for u in other.leads]


def _trim(text: str, start: int, end: int) -> int:
    """Without closing marks."""
    while end > start and text[end - 1] in " .;,:/":
        if text[end - 1] == "." and text[max(start, end - 3) : end] == "...":
            break
        end -= 1
    return end
