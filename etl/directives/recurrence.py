"""On which day of each period a recurring task is due: *trước ngày 25 hằng tháng*, *thứ Sáu hằng tuần*.

A period without a named day is due on its last (the registrar may say otherwise). Like every *trước ngày D*, the day
before D is meant (DOMAIN.md section 7); *trước 16h00* of a day is that day.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from etl.directives.folding import key, pattern

_DAY = pattern(
    r"(?P<before>trước\s+)?(?:(?P<hour>\d{1,2}\s*(?:h|giờ)\S*)\s+)?(?:vào\s+)?ngày\s+(?P<day>\d{1,2})(?![\d/])"
)
_NEXT = pattern(r"(?:tháng|quý|kỳ|năm)\s+(?:sau|kế tiếp|tiếp theo|liền kề|kế)|(?:đầu\s+)?(?:quý|kỳ|năm)\s+sau")
_WEEKDAY = pattern(
    r"(?P<before>trước\s+)?(?:(?P<hour>\d{1,2}\s*(?:h|giờ)\S*)\s+)?(?:(?:vào|chiều|sáng)\s+)*(?:ngày\s+)?"
    r"(?P<day>thứ\s+(?:hai|ba|tư|năm|sáu|bảy)|chủ nhật)"
)
_DAYS = {"hai": 1, "ba": 2, "tư": 3, "năm": 4, "sáu": 5, "bảy": 6, "nhật": 7}


@dataclass(frozen=True)
class DueDay:
    """``day`` of the period (of the week: 1 to 7; else of the month that is ``shift`` months after its last month);
    None: the last."""

    day: int | None = None
    shift: int = 0


def due_day(phrase: str | None, recurrence: str | None) -> DueDay:
    """What the phrase of a recurring task says of the day."""
    text = key(phrase or "")
    found = (_WEEKDAY if recurrence == "weekly" else _DAY).search(text)
    if found is None:
        return DueDay()
    number = _DAYS[re.split(r"\s+", found["day"])[-1]] if recurrence == "weekly" else int(found["day"])
    if found["before"] and not found["hour"]:
        number -= 1
    shift = 1 if recurrence != "weekly" and _NEXT.search(text) else 0
    if number == 0:
        return DueDay(None, shift - 1) if recurrence != "weekly" else DueDay()
    return DueDay(number, shift) if number <= 31 else DueDay()
