"""What a sentence, a line or a heading of a notice is: an action, a time, an aim, an account of what was."""

from __future__ import annotations

import re

from etl.directives import results
from etl.directives import words as wording
from etl.directives.deadlines import RECURRING, Clock, Deadline
from etl.directives.folding import pattern
from etl.directives.layout import Paragraph
from etl.directives.pieces import Pieces
from etl.directives.words import WORD_END

_W = wording.load()
_COMPLETING = re.compile(rf"\(?\s*(?:{_W.any_of('completing')}){WORD_END}")
_COMPLETING_REST = re.compile(rf"(?:(?:{_W.any_of('completing_rest')}){WORD_END}|[\s.;,/():])*")
_AIM = pattern(
    r"(?:để|nhằm|phấn đấu|(?:với )?(?:mục tiêu|quyết tâm|tinh thần)|theo|thực hiện|căn cứ|trên cơ sở|sau khi|qua)(?!\w)"
)
_LONGEST_HEADING = 160
_AND_REPORTS = pattern(r"(?:\s*(?:nhiệm vụ|nội dung|việc|công việc)?(?: này| trên| nêu trên)?)\s*[,;]\s*(?:và\s+)?")
_ASSESSES = pattern(r"(?<!\w)có (?:nhiều|những) (?:cố gắng|nỗ lực|tiến bộ|chuyển biến|kết quả|khởi sắc|đóng góp)(?!\w)")
_ATTITUDE = pattern(
    r"(?:(?:phải|cần|cần phải|tiếp tục|thực sự|luôn)\s+)*(?:xác định|coi|nhận thức|xem)(?: rõ)?\s[^;.]{3,160}?\slà\s"
    r"(?:một\s|các\s)?(?:trong những\s|trong các\s)?(?:nhiệm vụ|việc|trách nhiệm|khâu|công việc)(?!\w)"
)
_AND_ACTS = pattern(
    r"[,;]\s+(?:từ đó\s+)?(?:trực tiếp|tập trung|thường xuyên|khẩn trương|kịp thời)\s+"
    r"(?:chỉ đạo|kiểm tra|rà soát|xử lý)(?!\w)"
)
_ONLY_WHEN = pattern(r"(?:trong|từ)? ?(?:thời gian|giai đoạn|những tháng|các tháng|từ nay|cuối năm)[^,;.]{0,40}")
_ITSELF = pattern(
    r"(?:kết luận|thông báo|nghị quyết|quyết định|chỉ thị|kế hoạch|công văn|công điện|quy định|chương trình|biên bản)"
    r"(?: kiểm tra| thanh tra| giám sát| làm việc)? này (?:được|có hiệu lực|thay thế|đã|gồm|lập)(?!\w)"
)
PAST = pattern(r"(?<!\w)(?:đã|chưa|vẫn còn|còn nhiều|đang)(?!\w)")
_NO_ADVERB = pattern(
    r"(?:và|hoặc|của|về|tại|là|như|do|với|từ|năm|tháng|ngày|các|một|những|việc|số|tỷ|kết|nhiều|mỗi|\w+ "
    r"(?:tác|trình|án|quả|hình))(?!\w)"
)
_SOON = 30


def is_heading(paragraph: Paragraph) -> bool:
    """A numbered line without closing mark."""
    return bool(paragraph.kind) and len(paragraph.text) < _LONGEST_HEADING and paragraph.text[-1:] not in ".;,"


def assesses(paragraph: Paragraph) -> bool:
    """Whether it is a heading of what was."""
    if not (is_heading(paragraph) or is_title(paragraph.text)) or ": " in paragraph.text:
        return False
    if _W.purpose_heading.match(paragraph.key):
        return True
    return bool(_W.assessing_heading.match(paragraph.key)) and not _W.not_assessing.search(paragraph.key)


def is_aim(paragraph: Paragraph, deadline: Deadline) -> bool:
    """Whether a date only tells what for: "Để hoàn thành ... trước ngày D, Chủ tịch UBND tỉnh yêu cầu:"."""
    before = paragraph.key[: deadline.start]
    sentence = before[max(before.rfind(". "), before.rfind("; ")) + 1 :].lstrip(" ;.")
    return bool(_AIM.match(sentence)) and not before.rstrip().endswith(",")


def acts_soon(plain: str) -> bool:
    """Whether an action comes a little later, behind a word that the lists lack; nothing that is told."""
    if not plain[:1].isalpha() or _NO_ADVERB.match(plain) or PAST.search(plain[:60]) or _W.telling.match(plain):
        return False
    return any(_W.action.match(plain, space.end()) for space in re.finditer(r" ", plain[:_SOON]))


def acts_beside(plain: str) -> bool:
    """Whether an attitude goes on in actions: "xác định ... là nhiệm vụ trọng tâm, trực tiếp chỉ đạo ..."."""
    attitude = _ATTITUDE.match(plain)
    return attitude is not None and _AND_ACTS.search(plain, attitude.end()) is not None


def asks_nothing(plain: str) -> bool:
    """Whether a content tells what was, judges, shows an attitude, speaks of the notice itself or is only a formula."""
    if acts_beside(plain):
        return False
    if PAST.match(plain) or _ATTITUDE.match(plain) or _ITSELF.match(plain) or _ASSESSES.search(plain[:120]):
        return True
    return bool(_W.formulae.fullmatch(plain) or _ONLY_WHEN.fullmatch(plain))


def is_completion(plain: str, dated: list[Deadline], offset: int) -> bool:
    """Whether a piece says only when."""
    if not dated or dated[0].kind == RECURRING:
        return False
    rest = plain
    for deadline in reversed(dated):
        rest = rest[: max(0, deadline.start - offset)] + rest[max(0, deadline.end - offset) :]
    opening = _COMPLETING.match(rest)
    rest = rest[opening.end() :] if opening else rest
    tail = _AND_REPORTS.match(rest) if opening else None
    if tail and results.opens(rest[tail.end() :]):
        return True
    return _COMPLETING_REST.fullmatch(rest) is not None


def acts(child: Paragraph, clock: Clock) -> bool:
    pieces = Pieces(child, clock)
    start = pieces.after_topic(0)
    head = pieces.head(start, len(child.text))
    return bool(head.units) or head.assigned or _W.action.match(child.key, head.content) is not None


def is_title(text: str) -> bool:
    letters = [c for c in text if c.isalpha()]
    return len(letters) > 3 and sum(c.isupper() for c in letters) > 0.85 * len(letters)
