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
from itertools import pairwise

from etl.directives import agencies, deadlines, documents
from etl.directives import words as wording
from etl.directives.agencies import Unit
from etl.directives.deadlines import DATE, HORIZON, NONE, RECURRING, Clock, Deadline
from etl.directives.folding import key, pattern
from etl.directives.layout import Paragraph
from etl.directives.words import WORD_END

_W = wording.load()
_ASSIGN = re.compile(rf"(?:{_W.any_of('assigning')}){WORD_END}\s*:?\s*(?:cho\s+)?")
_ASSIGN_WITHIN = re.compile(
    rf"(?:\s*,\s*(?:(?:{_W.any_of('linking')})\s*,?\s+)?|\s+và\s+|\s*:\s*|\s+thì\s+)(?="
    rf"(?:{_W.any_of('assigning_within')}){WORD_END}\s+)"
)
_LINK = re.compile(rf"(?:{_W.any_of('linking')}){WORD_END}\s*,?\s+")
_ROLE = re.compile(rf"\s*,?\s*(?:{_W.any_of('role')}){WORD_END}(?:\s*,?\s*(?:và|trong việc|việc)(?=\s))?")
_CIRCUMSTANCE = re.compile(
    rf"\s*,?\s*(?:{_W.any_of('circumstance')}){WORD_END}(?:\s+(?:của (?:mình|cơ quan|đơn vị|ngành)"
    rf"[^,;]{{0,30}}|được giao|được phân công|quản lý nhà nước))?\s*,?"
)
_CIRCUMSTANCE_OPENS = re.compile(rf"\s*,?\s*(?:{_W.any_of('circumstance_opening')}){WORD_END}(?! dõi)")
_COORDINATION = re.compile(
    rf"\s*,?\s*(?P<adverbs>(?:(?:khẩn trương|tiếp tục|chủ động|tích cực|kịp thời|thường xuyên|tăng cường"
    rf"|có trách nhiệm|trực tiếp|sớm|cần|ngay|nghiêm túc){WORD_END}\s*,?\s+)*)"
    rf"(?:(?:và\s+)?(?:{_W.any_of('coordinating')}){WORD_END}(?:\s*,?\s*"
    rf"(?:{_W.any_of('coordinating_manner')}){WORD_END})*(?P<with>\s*,?\s+"
    rf"(?:{_W.any_of('coordinating_with')}){WORD_END})?|cùng với|cùng)\s+"
)
_WITHIN_CONTENT = re.compile(
    rf"(?:phối hợp|hợp tác)(?:\s+(?:{_W.any_of('coordinating_manner')}))*(?:\s+(?:cùng với|với|cùng)"
    rf")?\s+|làm việc\s+(?:với|cùng)\s+"
)
_PURPOSE = re.compile(rf"\s*,?\s*(?:{_W.any_of('purpose')}){WORD_END}")
_REPORTING = re.compile(
    rf"(?:(?:và|sau đó|đồng thời|kịp thời|tổng hợp|định kỳ|phải|có)\s+)*(?:{_W.any_of('reporting')}){WORD_END}"
)
_ESCALATING = re.compile(rf"(?:{_W.any_of('escalating')}){WORD_END}")
_COMPLETING = re.compile(rf"\(?\s*(?:{_W.any_of('completing')}){WORD_END}")
_COMPLETING_REST = re.compile(rf"(?:(?:{_W.any_of('completing_rest')}){WORD_END}|[\s.;,/():])*")
_CLOSING_LINE = re.compile(r"nơi nhận|t[ml]\.\s|kt\.\s|tuq\.\s|tl\.\s")
_TOPIC = re.compile(r"[^:]{2,420}?:\s+(?=\S)")
_TOPIC_OPENS = pattern(
    r"(?:về|đối với|liên quan|công tác|việc|nội dung|với|tại|riêng|trong|dự án|đề án|lĩnh vực|nhiệm vụ"
    r"|giải pháp|nhóm)(?!\w)"
)
_ASSESSES = pattern(r"(?<!\w)có (?:nhiều|những) (?:cố gắng|nỗ lực|tiến bộ|chuyển biến|kết quả|khởi sắc|đóng góp)(?!\w)")
_ASSIGNS_AT_LAST = pattern(r"(?:yêu cầu|đề nghị|giao)\s+")
_MODAL = pattern(r"(?:cần phải|cần|phải|bảo đảm|đảm bảo)(?!\w)")
_PAST = pattern(r"(?<!\w)(?:đã|chưa|vẫn còn|còn nhiều|đang)(?!\w)")
_LEAD_IN_END = pattern(
    rf"(?:(?:các|một số|những|\d+)\s+)?(?:{_W.any_of('lead_in_nouns')})(?!\w)[^.;]{{0,120}}(?:sau|sau "
    rf"đây|cụ thể|trọng tâm|như sau|dưới đây|cụ thể như sau)\s*(?:đây)?\s*:?\s*$"
)
_SENTENCE = re.compile(
    r"(?<![.\s])[.!?](?=\s+[^\W\d_a-zàáảãạăắằẳẵặâấầẩẫậđèéẻẽẹêếềểễệìíỉĩịòóỏõọôốồổỗộơớờởỡợùúủũụưứừửữựỳýỷỹỵ]|\s+[(\"“\d])"
)
_ABBREVIATED = re.compile(r"(?:\b(?:tp|tx|tt|ts|ths|pgs|gs|tr|đ/c|v\.v|stt|số|no|mr|bs|ks|q|p|h|t|ct|tnhh)|\b[a-zđ])$")
_BOTH = pattern(
    r"\s*,?\s+(?=đồng thời(?:\s*,)?\s+)|(?=,\s*từ đó tập trung)|(?=,\s*trên cơ sở đó(?:\s*,)?\s+(?:đề "
    r"xuất|tham mưu|xây dựng|tổng hợp))"
)
_INLINE_NUMBER = re.compile(r"\((?:[ivx]{1,4}|\d{1,2}|[a-zđ])\)\s*")
_LEADING = pattern(r"lãnh đạo\s+(?!các (?:sở|ban|đơn vị))")
_SPEAKER = pattern(
    r"(?:thay mặt [^,;.]{0,80},\s*)?(?:(?:các )?đồng chí |phó )*"
    r"(?:lãnh đạo|thủ tướng|chủ tịch|bộ trưởng|thứ trưởng|giám đốc|bí thư|trưởng ban|trưởng đoàn|đoàn (?:kiểm "
    r"tra|công tác|giám sát)|ban chỉ đạo|thường trực|ubnd|ủy ban nhân dân|hội nghị)"
    r"[^;:.]{0,90}?\s(?=(?:yêu cầu|giao|đề nghị|thống nhất giao|đồng ý giao)\s)"
)
_STANDING = pattern(
    r"\s*[-,]\s*(?:là )?cơ quan (?:thường trực|chủ trì|đầu mối)[^-,;:.]{0,60}?(?:\s*[-,]|(?=\s+(?:chủ "
    r"trì|tham mưu|khẩn trương|tổng hợp)))"
)
_LED_BY = pattern(
    r"\s*[,(]?\s*do (?:đồng chí|ông|bà)[^;:]{0,140}?làm (?:tổ trưởng|trưởng đoàn|trưởng ban|trưởng tiểu ban|tổ phó)\)?"
)
_JOINED = re.compile(r"\s*(?:,\s*(?:và\s+)?|\s+và\s+)")
_INTRODUCES = pattern(
    r"(?:đối với|về việc|về|liên quan|riêng|để|nhằm|trên cơ sở|căn cứ|thực hiện|qua|trong quá trình)(?!\w)"
)
_QUALIFIER = pattern(r"được (?:giao|phân công)(?: nhiệm vụ)?(?: chủ trì| phụ trách| làm chủ đầu tư| quản lý)?(?!\w)")
_NO_ADVERB = pattern(
    r"(?:và|hoặc|của|về|tại|là|như|do|với|từ|năm|tháng|ngày|các|một|những|việc|số|tỷ|kết|nhiều|mỗi|\w+ "
    r"(?:tác|trình|án|quả|hình))(?!\w)"
)
_TOWARDS = pattern(r"(?:đối với|về phía|nhiệm vụ của|với|riêng)\s+")
_FROM_THERE = pattern(r"[\s,]*(?:từ đó|trên cơ sở đó)\s*,?\s+")
_SOON = 30
_LONGEST_CIRCUMSTANCE, _LONGEST_QUALIFIER = 420, 90


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

    @property
    def content(self) -> str:
        return self.paragraph.text[self.start : self.end]

    @property
    def documents(self) -> list[str]:
        return documents.cited(self.content)

    @property
    def is_dated(self) -> bool:
        return self.deadline is not None and self.deadline.kind != NONE


@dataclass
class _Lead:
    """What a lead-in hands down. ``topics``: the items below are headings of a report, no tasks."""

    units: list[Unit] = field(default_factory=list)
    coordinating: list[str] = field(default_factory=list)
    deadline: Deadline | None = None
    topics: bool = False
    is_explicit: bool = False


@dataclass
class _Head:
    """The start of a piece up to its content."""

    units: list[Unit]
    coordinating: list[str]
    region: int
    content: int
    assigned: bool
    from_there: bool = False


class _ToldError(Exception):
    """A piece tells what a body did; what follows without another body is told of it too."""


def extract(found: list[Paragraph], clock: Clock) -> list[Task]:
    """Tasks in the order of the text."""
    return _Reader(clock).read(_conclusions(found))


def _conclusions(found: list[Paragraph]) -> list[Paragraph]:
    """The paragraphs from the one that opens the conclusions to the closing formula."""
    first = next((i for i, p in enumerate(found) if _W.conclusions.search(p.key) and not p.kind), None)
    if first is None:
        first = next((i for i, p in enumerate(found) if _W.conclusions.search(p.key)), 0)
    else:
        opening = found[first]
        after = _W.conclusions.search(opening.key)
        if after and len(opening.text) - after.end() < 3:
            first += not _ends_in_lead_in(opening)
    last = next((i for i, p in enumerate(found) if i >= first and _closes(p)), len(found))
    return found[first:last]


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
        self.preamble = _Lead()
        self.last: Paragraph | None = None
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
        if not paragraph.kind and _is_title(text):
            self.preamble, self.last = _Lead(), None
            return
        pieces = _Pieces(paragraph, self.clock, inherits=bool(context.units))
        own = self._pieces(paragraph, pieces, context)
        self.leads[id(paragraph)] = own
        if paragraph.kind:
            self.last = paragraph
        elif text.endswith(":") or _LEAD_IN_END.search(paragraph.key):
            if self.last is not None and following is not None and following.parent is self.last:
                self.leads[id(self.last)] = own
            else:
                self.preamble = own

    def _pieces(self, paragraph: Paragraph, pieces: _Pieces, context: _Lead) -> _Lead:
        """Tasks of one paragraph; returns what it hands to the items below it."""
        lead = _Lead(context.units, context.coordinating, context.deadline, context.topics)
        current: list[Unit] = [] if context.topics else context.units
        shared = context.coordinating
        chain: list[Task] = []
        self.sentence += 1
        is_lead_in = paragraph.text.endswith(":") or not re.search(r"[.;]$", paragraph.text)
        addressed = False
        for start, end, mark in pieces.cut():
            if mark == ".":
                self.sentence += 1
            if _W.closing.match(paragraph.key[start:end].strip()):
                break
            head = pieces.head(start, end)
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
        if best is None or best.kind not in (DATE, HORIZON, RECURRING):
            return None
        return best if best.kind == DATE or paragraph.kind else None

    def _is_lead_in(self, paragraph: Paragraph, head: _Head, plain: str) -> bool:
        """Whether the last piece only announces the items below."""
        bare = plain.rstrip(" :.")
        if not bare or (not head.units and head.assigned):
            return True
        if not paragraph.children and not paragraph.text.endswith(":"):
            return False
        if _LEAD_IN_END.search(plain) and not re.match(key("báo cáo|thống kê"), plain):
            return True
        if not head.units and _TOPIC_OPENS.match(plain):
            return True
        return self._children_act(paragraph) if paragraph.children else paragraph.text.endswith(":")

    def _children_act(self, paragraph: Paragraph) -> bool:
        """Whether the items below are actions rather than headings."""
        acting = sum(_acts(child, self.clock) for child in paragraph.children)
        return acting * 2 >= len(paragraph.children)

    def _task(
        self, paragraph: Paragraph, pieces: _Pieces, head: _Head, start: int, end: int, mark: str,
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
        if (_W.not_a_task.match(plain) and not head.coordinating) or (
            _W.not_a_task.match(paragraph.key, start) and not head.units
        ):
            return None
        if head.units and not head.assigned:
            if _W.telling.match(plain) and not _W.action.match(plain):
                raise _ToldError
            if not _W.action.match(plain) and not _acts_soon(plain):
                return None
        elif not head.units:
            acts = _W.action.match(plain) is not None or (not chain and bool(paragraph.kind) and _acts_soon(plain))
            if not acts and mark == ";" and chain:
                chain[-1].end = stop
                return None
            if not acts and not (_MODAL.search(plain[:90]) and not _PAST.search(plain[:90])):
                return None
        if (
            _PAST.match(plain)
            or _ASSESSES.search(plain[:120])
            or _W.formulae.fullmatch(paragraph.key[head.content : stop])
        ):
            return None
        own = deadlines.chosen(dated, paragraph.text)
        if own is None and head.from_there and chain:
            own = chain[-1].deadline
        coordinating = head.coordinating if head.units else [*([] if chain else shared), *head.coordinating]
        coordinating = _unique([*coordinating, *_inner(paragraph, head.content, stop)])
        inherited = None if own or not context.deadline or context.topics else context.deadline
        return Task(
            paragraph, list(current), coordinating, head.content, stop, start, own or inherited, sentence=self.sentence
        )

    def _joins(
        self,
        plain: str,
        dated: list[Deadline],
        mark: str,
        chain: list[Task],
        paragraph: Paragraph,
        head: _Head,
        stop: int,
    ) -> bool:
        """A piece that reports the result or says when it is done goes to the tasks before it."""
        last = chain[-1]
        best = deadlines.chosen(dated, paragraph.text)
        if _is_completion(plain, dated, head.content):
            back = [t for t in chain if not t.is_dated]
            if mark != "." and best and best.kind != RECURRING:
                self._merge(chain, best, stop)
            else:
                for task in back:
                    task.deadline = best
                if not back and best and not last.is_dated:
                    last.deadline = best
            return True
        if not _REPORTING.match(plain) or _ESCALATING.search(plain[:120]):
            return False
        if best and best.kind == RECURRING:
            return False
        if best and last.is_dated:
            return False
        if best and mark != ".":
            self._merge(chain, best, stop)
        else:
            last.end = stop
            last.deadline = last.deadline or best
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
        kept.end, kept.deadline = stop, best

    def _settle(self, task: Task) -> None:
        """Without a date the first urging word stands as the phrase."""
        if task.deadline is None:
            text = task.paragraph.text
            found = deadlines.vague(text[task.region : task.end])
            task.deadline = found


class _Pieces:
    """Places in a paragraph where actions may begin."""

    def __init__(self, paragraph: Paragraph, clock: Clock, *, inherits: bool = False) -> None:
        self.paragraph = paragraph
        self.inherits = inherits
        self.text, self.plain = paragraph.text, paragraph.key
        self.found = deadlines.find(self.text, clock)

    def cut(self) -> list[tuple[int, int, str]]:
        """[start, end) of each piece and the mark before it: ``.``, ``;``, ``+`` (đồng thời) or ``>`` (giao)."""
        start = self._after_topic(0)
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
        at, mark = start, "."
        for left, right, kind in sorted(marks):
            if left < at:
                continue
            if self._is_inside_list(at, left):
                continue
            if kind == ">" and not self.plain.startswith("giao", right) and self.head(at, left).units:
                continue
            pieces.append((at, left, mark))
            at, mark = right, kind
            if kind == ".":
                at = self._after_topic(at)
        pieces.append((at, len(self.text), mark))
        pieces = [part for piece in pieces for part in self._by_dates(*piece)]
        return [(self._skip(s), e, m) for s, e, m in pieces if self.plain[s:e].strip(" .;,:/")]

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

    def _skip(self, at: int) -> int:
        """Behind marks and the number of an enumeration within the sentence."""
        while at < len(self.plain):
            number = _INLINE_NUMBER.match(self.plain, at)
            if number:
                at = number.end()
            elif self.plain[at] in " ,;:.-":
                at += 1
            else:
                break
        return at

    def _after_topic(self, at: int) -> int:
        """Behind "Về dự án X:" when an action or a body follows."""
        at = self._skip(at)
        own = self.head(at, len(self.text))
        if own.units and (not _TOPIC_OPENS.match(self.plain, at) or own.assigned):
            return at
        match = _TOPIC.match(self.plain, at)
        while match:
            sentence = _SENTENCE.search(self.text, at)
            if sentence and sentence.start() < match.end() - 1:
                return at
            rest = match.end()
            head = self.head(rest, len(self.text))
            if head.units or _W.action.match(self.plain, rest) or _TOPIC_OPENS.match(self.plain, at):
                if not (_W.action.match(self.plain, at) and not head.units):
                    return rest
                return at
            match = re.compile(r"[^:]{2,300}?:\s+(?=\S)").match(self.plain, rest)
        return at

    def head(self, start: int, end: int) -> _Head:
        """Reads a piece up to its content."""
        plain, text = self.plain, self.text
        at = self._skip(start)
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
                content, coordinating = self._formulae(after, end)
                return _Head(leads, [*partners, *coordinating], after, content, True)
        link = _LINK.match(plain, at)
        linked = at
        if link:
            at = link.end()
        at = self._after_time(self._after_introduction(at, end))
        assign = _ASSIGN.match(plain, at)
        if not assign:
            speaker = _SPEAKER.match(plain, at)
            if speaker and agencies.units(text, plain, self._skip(_after_assign(plain, speaker.end()))):
                at = speaker.end()
                assign = _ASSIGN.match(plain, at)
        units = agencies.units(text, plain, self._skip(assign.end())) if assign else []
        if self.inherits and not assign and _LEADING.match(plain, at):
            content, coordinating = self._formulae(at, end)
            return _Head([], coordinating, start, content, False)
        if not units and (not assign or _can_open(text, plain, at)):
            units = agencies.units(text, plain, at) if _can_open(text, plain, at) else []
            if units and assign:
                assign = None
        if not units:
            if assign and not plain[assign.end() : end].strip(" :."):
                return _Head([], [], start, assign.end(), True)
            content, coordinating = self._formulae(at, end)
            if link and content == at and not re.match(key("đồng thời"), link[0]) and not _W.action.match(plain, at):
                content = linked
            return _Head([], coordinating, start, content, False, there is not None)
        after = agencies.end_of(units, plain)
        if plain[after : after + 1] == ";":
            wider = agencies.units(text, plain, units[0].start, semicolons=True)
            rest = agencies.end_of(wider, plain)
            if (
                len(wider) > len(units)
                and plain[rest : rest + 1] in (" ", ":")
                and (assign or _W.action.match(plain, self._skip(rest)))
            ):
                units, after = wider, rest
        if not assign and plain[after : after + 1] not in (" ", ",", ":", ""):
            return _Head([], [], start, at, False)
        content, coordinating = self._formulae(after, end)
        leads, partners = _leads(units, text)
        return _Head(
            leads, [*partners, *coordinating], after, content, assign is not None or plain[after : after + 1] == ":"
        )

    def _after_introduction(self, at: int, end: int) -> int:
        """Behind "Đối với ..., " or "Để ..., " when a body and its action follow the comma."""
        if not _INTRODUCES.match(self.plain, at):
            return at
        for comma in re.finditer(r",\s+", self.plain[at : min(end, at + _LONGEST_CIRCUMSTANCE)]):
            place = at + comma.end()
            if not _can_open(self.text, self.plain, place):
                continue
            found = agencies.units(self.text, self.plain, place)
            after = self._skip(agencies.end_of(found, self.plain)) if found else place
            if found and (_W.plain_verb.match(self.plain, after) or _ROLE.match(self.plain, after)):
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

    def _formulae(self, at: int, end: int) -> tuple[int, list[str]]:
        """Behind role, circumstances and co-ordination; and the partners."""
        plain = self.plain
        partners: list[str] = []
        standing = _STANDING.match(plain, at) or _LED_BY.match(plain, at)
        at = self._skip(standing.end() if standing else at)
        while at < end:
            at = self._after_qualifier(at, end)
            step = _ROLE.match(plain, at) or _CIRCUMSTANCE.match(plain, at)
            if step and step.end() > at:
                at = self._skip(step.end())
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
        """Behind "được giao chủ trì ..." that says which of the bodies are meant."""
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
            names = [self.text[u.start : u.end] if u.is_collective else u.name for u in units]
            after = agencies.end_of(units, self.plain)
        else:
            if not match["with"]:
                return None
            action = next(
                (a for a in _W.plain_verb.finditer(self.plain, match.end(), end) if self.plain[a.start() - 1] in " ,"),
                None,
            )
            after = action.start() if action else end
            purpose = re.search(rf"\s(?:{_W.any_of('purpose')}){WORD_END}", self.plain[match.end() : after])
            if purpose:
                after = match.end() + purpose.start()
            loose = self.text[match.end() : after].strip(" ,")
            if not loose or len(loose) > 140:
                return None
            names = [loose]
        rest = self.plain[after:end]
        if not rest.strip(" .;,/:") or _PURPOSE.match(rest):
            return names, at
        return names, self._skip(after)

    def _circumstance(self, at: int, end: int) -> int:
        """Behind "căn cứ ..., " when an action follows the comma."""
        opening = _CIRCUMSTANCE_OPENS.match(self.plain, at)
        if opening is None:
            return at
        if re.match(key("thực hiện"), self.plain[at:]) and not re.match(
            key("thực hiện (?:chỉ đạo|ý kiến|nhiệm vụ được giao tại)"), self.plain[at:]
        ):
            return at
        for comma in re.finditer(r",\s+", self.plain[opening.end() : min(end, at + _LONGEST_CIRCUMSTANCE)]):
            place = opening.end() + comma.end()
            if (
                _ROLE.match(self.plain, place)
                or _COORDINATION.match(self.plain, place)
                or _W.plain_verb.match(self.plain, place)
            ):
                return place
        return at


def _after_assign(plain: str, at: int) -> int:
    match = _ASSIGN.match(plain, at)
    return match.end() if match else at


def _can_open(text: str, plain: str, at: int) -> bool:
    """A name opens a piece with a capital letter, or with *các*, *cấp ủy*."""
    return (
        text[at : at + 1].isupper()
        or re.match(key("(?:các|cấp ủy|chính quyền|chủ đầu tư|ubnd|nhà thầu|đơn vị|cơ quan)\\s"), plain[at:])
        is not None
    )


def _leads(units: list[Unit], text: str) -> tuple[list[Unit], list[str]]:
    """Addressees and partners: several collectives are one addressee; "... và các đơn vị liên quan" is a partner."""
    if len(units) > 1 and all(unit.is_collective for unit in units):
        first, last = units[0], units[-1]
        return [Unit(agencies.display(text[first.start : last.end]), first.start, last.end, is_collective=True)], []
    named = [unit for unit in units if not unit.is_collective]
    if named and len(named) < len(units):
        loose = [u for u in units if u.is_collective and re.search(key("liên quan"), key(u.name))]
        return [u for u in units if u not in loose], [text[u.start : u.end] for u in loose]
    return units, []


def _inner(paragraph: Paragraph, start: int, end: int) -> list[str]:
    """Partners named within the content."""
    names: list[str] = []
    for match in _WITHIN_CONTENT.finditer(paragraph.key, start, end):
        found = agencies.units(paragraph.text, paragraph.key, match.end(), semicolons=True)
        names += [paragraph.text[u.start : u.end] if u.is_collective else u.name for u in found if u.end <= end]
    return names


def _unique(names: list[str]) -> list[str]:
    return list({key(name): name for name in reversed(names)}.values())[::-1]


def _same(one: Task, other: Task) -> bool:
    return [u.name for u in one.leads] == [u.name for u in other.leads]


def _acts_soon(plain: str) -> bool:
    """Whether an action comes a little later, behind a word that the lists lack; nothing that is told."""
    if not plain[:1].isalpha() or _NO_ADVERB.match(plain) or _PAST.search(plain[:60]) or _W.telling.match(plain):
        return False
    return any(_W.action.match(plain, space.end()) for space in re.finditer(r" ", plain[:_SOON]))


def _is_completion(plain: str, dated: list[Deadline], offset: int) -> bool:
    """Whether a piece says only when."""
    if not dated or dated[0].kind == RECURRING:
        return False
    rest = plain
    for deadline in reversed(dated):
        rest = rest[: max(0, deadline.start - offset)] + rest[max(0, deadline.end - offset) :]
    opening = _COMPLETING.match(rest)
    rest = rest[opening.end() :] if opening else rest
    return _COMPLETING_REST.fullmatch(rest) is not None


def _acts(child: Paragraph, clock: Clock) -> bool:
    pieces = _Pieces(child, clock)
    start = pieces._after_topic(0)
    head = pieces.head(start, len(child.text))
    return bool(head.units) or head.assigned or _W.action.match(child.key, head.content) is not None


def _is_title(text: str) -> bool:
    letters = [c for c in text if c.isalpha()]
    return len(letters) > 3 and sum(c.isupper() for c in letters) > 0.85 * len(letters)


def _trim(text: str, start: int, end: int) -> int:
    """Without closing marks."""
    while end > start and text[end - 1] in " .;,:/":
        if text[end - 1] == "." and text[max(start, end - 3) : end] == "...":
            break
        end -= 1
    return end


def _masked(plain: str) -> str:
    """Brackets and quotations blanked, so that no piece begins in them."""
    return re.sub(r"\([^()]*\)|\"[^\"]{0,200}\"", lambda match: "_" * len(match[0]), plain)
