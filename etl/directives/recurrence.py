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
_DATE = pattern(
    r"(?P<before>trước\s+)?(?:(?P<hour>\d{1,2}\s*(?:h|giờ)\S*)\s+)?(?:vào\s+)?ngày\s+"
    r"(?P<day>\d{1,2})/(?P<month>\d{1,2})(?![\d/])"
)
_FIRST = pattern(r"tháng\s+đầu(?:\s+tiên)?\s+(?:của\s+)?(?:mỗi\s+|từng\s+|hằng\s+)?quý")
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
    if recurrence == "weekly":
        found = _WEEKDAY.search(text)
        number = _day(found, _DAYS[re.split(r"\s+", found["day"])[-1]]) if found else 0
        return DueDay(number or None)
    dated = _DATE.search(text) if recurrence in _MONTHS else None
    if dated and 1 <= int(dated["month"]) <= 12:
        shift = _shift(int(dated["month"]), _MONTHS[str(recurrence)], after=_NEXT.search(text) is not None)
        return _due(_day(dated, int(dated["day"])), shift)
    found = _DAY.search(text)
    if found is None:
        return DueDay()
    shift = 1 if _NEXT.search(text) else -2 if recurrence == "quarterly" and _FIRST.search(text) else 0
    return _due(_day(found, int(found["day"])), shift)


_MONTHS = {"quarterly": 3, "half_yearly": 6, "yearly": 12}


def _shift(month: int, months: int, *, after: bool) -> int:
    """Months from the last month of a period to the named one: *15/11 hằng năm* is one before December, *10/7* of a
    half-year one after June."""
    if months == 12:
        return month if after else month - 12
    rest = month % months
    return rest if rest <= months // 3 else rest - months


def _day(found: re.Match[str], number: int) -> int:
    return number - 1 if found["before"] and not found["hour"] else number


def _due(number: int, shift: int) -> DueDay:
    if number == 0:
        return DueDay(None, shift - 1)
    return DueDay(number, shift) if number <= 31 else DueDay()
