"""A task that a later notice repeats or changes: found among the open tasks of the same lead, proposed with its reason.

Same lead and either similar words (threshold ``task_similarity_pct``) or the number of the earlier notice in the text,
which makes less similar words enough. Which it is, a person says; nothing is linked on its own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise

from etl.directives.folding import key

_WORD = re.compile(r"\w+")
_NAMED_ENOUGH = Decimal(25)
"""Similarity in per cent that is enough where the text names the earlier notice."""


@dataclass(frozen=True)
class Earlier:
    """An open task of the register."""

    task_id: str
    owner: str
    doc_no: str | None
    item: str
    content_vi: str
    due_date: date | None
    is_recurring: bool = False


@dataclass(frozen=True)
class Link:
    """``relation``: repeats (nhắc lại) or changes (another deadline)."""

    task_id: str
    relation: str
    reason_vi: str


def similarity_pct(one: str, other: str) -> Decimal:
    """How much two contents have in common: pairs of neighbouring words, mean of the share of both together and of the
    shorter one. 0 to 100."""
    first, second = _pairs(one), _pairs(other)
    if not first or not second:
        return Decimal(0)
    common = len(first & second)
    dice = Decimal(2 * common) / (len(first) + len(second))
    overlap = Decimal(common) / min(len(first), len(second))
    return (100 * (dice + overlap) / 2).quantize(Decimal("0.1"))


def _pairs(text: str) -> set[tuple[str, str]]:
    words = _WORD.findall(key(text))
    return set(pairwise(words))


def find(
    owner: str, content: str, said: str, due: date | None, earlier: Sequence[Earlier], enough_pct: Decimal
) -> Link | None:
    """The open task that is meant, if any. ``said``: the passage in which an earlier notice may be named."""
    best: tuple[Decimal, Earlier, bool] | None = None
    for task in earlier:
        if task.owner != owner:
            continue
        named = bool(task.doc_no and _names(said, task.doc_no))
        alike = similarity_pct(content, task.content_vi)
        if named and re.search(rf"(?:mục|điểm|khoản)\s+{re.escape(key(task.item))}(?!\w)", key(said)):
            alike += 100
        if alike >= (_NAMED_ENOUGH if named else enough_pct) and (best is None or alike > best[0]):
            best = (alike, task, named)
    if best is None:
        return None
    alike, task, named = best
    changes = due is not None and due != task.due_date and not task.is_recurring
    shown = f"{min(alike, Decimal(100)):.0f}"
    reason = f"cùng cơ quan chủ trì, nội dung giống {shown} %"
    if named:
        reason = f"văn bản nhắc đến {task.doc_no}; {reason}"
    return Link(task.task_id, "changes" if changes else "repeats", reason)


def _names(text: str, number: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(key(number))}(?!\w)", key(text)) is not None
