"""The deadlines of a task: phrases found by their preposition and their time, and the one among them that binds.

Bare dates (of laws, meetings, reports) are none. What is found is kept verbatim, with its place. ``phrases`` has the
forms, ``reckoning`` what day they mean. Matching is on ``folding.key``.
"""

from __future__ import annotations

from dataclasses import replace

from etl.directives import phrases
from etl.directives.folding import key
from etl.directives.phrases import found_in, starts
from etl.directives.reckoning import (
    DATE,
    EVENT,
    GRAMMARS,
    HORIZON,
    ISSUE_DATE_NEEDED,
    NONE,
    RECURRING,
    Clock,
    Deadline,
    IsWorkingDay,
)

__all__ = [
    "DATE",
    "EVENT",
    "HORIZON",
    "ISSUE_DATE_NEEDED",
    "NONE",
    "RECURRING",
    "Clock",
    "Deadline",
    "IsWorkingDay",
    "chosen",
    "find",
    "vague",
]


def find(text: str, clock: Clock) -> list[Deadline]:
    """Every deadline phrase of ``text`` (folded), in order, none inside another. Vague words are not among them."""
    plain = key(text)
    found: list[Deadline] = []
    taken: list[tuple[int, int]] = []
    for grammar in GRAMMARS:
        for deadline in grammar(plain, clock):
            if deadline.end <= deadline.start or any(s < deadline.end and deadline.start < e for s, e in taken):
                continue
            taken.append((deadline.start, deadline.end))
            if _is_deadline(plain, deadline, clock):
                kind = deadline.kind
                if kind == DATE and phrases.EXTENDED.search(plain[max(0, deadline.start - 60) : deadline.start]):
                    kind = HORIZON
                found.append(replace(deadline, phrase=text[deadline.start : deadline.end], kind=kind))
    return _of_every_week(sorted(found, key=lambda d: d.start))


def _of_every_week(found: list[Deadline]) -> list[Deadline]:
    """Behind "thứ Sáu hằng tuần" the Monday of "tuần kế tiếp" is one of every week."""
    weekly = next((d.start for d in found if d.recurrence == "weekly"), None)
    return [
        replace(d, kind=RECURRING, due=None, recurrence="weekly", question=None)
        if weekly is not None and d.start > weekly and found_in(r"tuần\s+(?:kế\s+tiếp|tiếp\s+theo|sau)$", key(d.phrase))
        else d
        for d in found
    ]


def vague(text: str) -> Deadline | None:
    """The first word that urges without a date."""
    plain = key(text)
    for match in phrases.VAGUE.finditer(plain):
        if not phrases.NOT_URGING.search(plain[: match.start()]):
            return Deadline(match.start(), match.end(), text[match.start() : match.end()], NONE)
    return None


def chosen(found: list[Deadline], text: str) -> Deadline | None:
    """The one that binds among those of a task: a date before a period, before a horizon, before an event.

    Of two dates the later phrase, unless it only says what the result is for ("để báo cáo ... trước ngày").
    """
    if not found:
        return None
    plain = key(text)
    for kind in (DATE, RECURRING, HORIZON, EVENT):
        same = [d for d in found if d.kind == kind]
        if same:
            best = same[0]
            for later in same[1:]:
                if kind != EVENT and not found_in(
                    r"\b(?:để|làm\s+cơ\s+sở|nhằm|phục\s+vụ)\b", plain[best.end : later.start]
                ):
                    best = later
            return best
    return None


def _is_deadline(plain: str, deadline: Deadline, clock: Clock) -> bool:
    """No deadline: a start, the date of a document, what lies before the notice, what has been measured."""
    before = plain[max(0, deadline.start - 60) : deadline.start]
    if deadline.kind in (DATE, HORIZON) and phrases.START.search(before):
        return False
    if deadline.kind == EVENT and found_in(r"(?:trước|trong)\s*(?:,|và)[^;.]{0,12}$", before):
        return False
    if deadline.kind == EVENT and phrases.LATE.search(before):
        return False
    if deadline.kind == HORIZON and phrases.EXPECTED.search(before):
        return False
    if deadline.due and clock.issued and deadline.due < clock.issued:
        return False
    if phrases.MEASURED.search(before) and not starts(r"trước", plain[deadline.start :]):
        return False
    if found_in(r"\b(?:dưới|thấp\s+hơn|chưa\s+đạt|mới\s+đạt)\s[^,;.]{0,20}%\s*$", before):
        return False
    if found_in(r"\b(?:khả\s+năng|không\s+thể|chưa\s+thể)\b[^,;.]{0,40}$", before):
        return False
    if found_in(r"\b(?:nếu|trường\s+hợp)\s*$", before):
        return False
    if found_in(r"\bkhông\s+(?:để|dồn)\b[^,;.]{0,40}$", before):
        return False
    if deadline.kind == HORIZON and "từ nay" not in deadline.phrase and phrases.OF_A_PLAN.search(before):
        return not starts(r"(?:đến|tới|trong)", plain[deadline.start :])
    is_told = deadline.kind == DATE and clock.issued is None
    return not (is_told and found_in(r"\b(?:đã|lũy\s+kế)\b[^,;.]{0,30}$", before))
