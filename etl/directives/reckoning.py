"""From a phrase to its day, by the default rules (DOMAIN.md section 7, conventions of the example notices, rules 9-16).

All prepositions but *trước* include the day that is named; *trước ngày D* ends the day before, *trước 17h00 ngày D* on
D. Months and quarters end on their last day, weeks on Sunday; years and stretches of time are horizons. A day or month
without year is the first one not before the date of issue; working days are counted by the calendar that is given. What
needs the date of issue and does not have it has no date and says so (``Deadline.question``).
"""

from __future__ import annotations

import calendar as months
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

from etl.directives import phrases
from etl.directives.phrases import found_in, starts

DATE, HORIZON, RECURRING, EVENT, NONE = "date", "horizon", "recurring", "event", "none"
ISSUE_DATE_NEEDED = "Cần ngày ban hành của văn bản để tính thời hạn này (--issued NNNN-TT-NN)."
IsWorkingDay = Callable[[date], bool]


@dataclass(frozen=True)
class Deadline:
    """A phrase at [start, end) of the text it was found in. ``due`` is inclusive; none for recurring and event."""

    start: int
    end: int
    phrase: str
    kind: str
    due: date | None = None
    recurrence: str | None = None
    question: str | None = None


class NoSuchDayError(ValueError):
    """Numbers that look like a day and are none (31/02, 1/500)."""


@dataclass(frozen=True)
class Clock:
    """What relative phrases are counted from."""

    issued: date | None
    is_working_day: IsWorkingDay

    def need(self) -> date:
        if self.issued is None:
            raise UnknownIssueDateError
        return self.issued


class UnknownIssueDateError(Exception):
    """A phrase is relative to the date of issue and that is not known."""


def _attempt(match: re.Match[str], kind: str, make: Callable[[], date]) -> Deadline | None:
    """A dated phrase; without date and with the question when the date of issue is missing."""
    try:
        return Deadline(match.start(), _end(match), "", kind, make())
    except UnknownIssueDateError:
        return Deadline(match.start(), _end(match), "", kind, None, None, ISSUE_DATE_NEEDED)
    except ValueError:
        return None


def _end(match: re.Match[str]) -> int:
    return match.start() + len(match[0].rstrip(" ,"))


def _groups(match: re.Match[str], p: str) -> tuple[int, int, int | None]:
    got = match.groupdict()
    day = next(int(got[p + g]) for g in ("d", "d3", "d4") if got.get(p + g))
    month = next(int(got[p + g]) for g in ("m", "m3", "m4") if got.get(p + g))
    year = next((int(got[p + g]) for g in ("y", "y2", "y3", "y4") if got.get(p + g)), None)
    return day, month, year


def _resolve(day: int, month: int, year: int | None, clock: Clock) -> date:
    """The day; without year the first not before the date of issue."""
    if not 1 <= month <= 12 or not 1 <= day <= 31:
        raise NoSuchDayError(f"{day}/{month}")
    if year:
        return date(year, month, day)
    issued = clock.need()
    this = date(issued.year, month, day)
    return this if this >= issued else date(issued.year + 1, month, day)


def _month_end(year: int, month: int) -> date:
    return date(year, month, months.monthrange(year, month)[1])


def _resolve_month(month: int, year: int | None, clock: Clock) -> date:
    if not 1 <= month <= 12:
        raise NoSuchDayError(str(month))
    if year:
        return _month_end(year, month)
    issued = clock.need()
    return _month_end(issued.year + (month < issued.month), month)


def _year_of(match: re.Match[str]) -> int | None:
    got = match.groupdict()
    return next((int(got[g]) for g in ("y", "y2") if got.get(g)), None)


def _recurring(plain: str, clock: Clock) -> Iterator[Deadline]:
    del clock
    for match in phrases.RECURRING.finditer(plain):
        before = plain[max(0, match.start() - 40) : match.start()]
        got = match.groupdict()
        unit = next(
            (got[g] for g in ("fixed_unit", "unit", "everyunit", "per", "setunit", "ratiounit") if got.get(g)), None
        )
        if got["every"] and phrases.NOT_RECURRING.search(before):
            continue
        if (
            got["every"]
            and unit in ("năm", "ngày")
            and not found_in(
                r"(?:^|[,;:(]\s*|"
                r"(?:báo cáo|cập nhật|kiểm tra|thực hiện|tổ chức|đôn đốc|theo dõi|tổng hợp|rà soát)\s+"
                r"(?:(?:tiến độ|kết quả|tình hình|số liệu)\s+(?:\w+\s+){0,3})?)$",
                before,
            )
        ):
            continue
        unit = "ngày" if got["daily"] else "tháng" if got["of"] else unit
        recurrence = "quarterly" if got["first"] else phrases.RECURRENCES.get(re.sub(r"\s+", " ", unit or ""))
        count = got["setn"] or (starts(r"\S+", match[0])[0] if got["ratiounit"] else None)  # type: ignore[index]
        if count:
            number = int(count) if count.isdigit() else phrases.NUMBER_WORDS.get(count, 1)
            recurrence = _multiple(number, unit or "")
        times = starts(r"(\d{1,2}|một|hai)\s+lần", match[0]) if got["ratio"] and got["per"] else None
        if times:
            often = int(times[1]) if times[1].isdigit() else phrases.NUMBER_WORDS[times[1]]
            recurrence = {(2, "năm"): "half_yearly", (4, "năm"): "quarterly", (12, "năm"): "monthly"}.get(
                (often, got["per"]), recurrence
            )
        if got["bare"] and starts(
            r"\s*(?:của|về|theo\s+quy|(?:,|và|hoặc)\s*đột\s+xuất|tháng\s+\d)", plain[match.end() :]
        ):
            continue
        end = _end(match)
        end += "(" in match[0] and ")" not in match[0] and plain[end : end + 1] == ")"
        yield Deadline(match.start(), end, "", RECURRING, None, recurrence)


def _multiple(number: int, unit: str) -> str | None:
    if number == 1:
        return phrases.RECURRENCES.get(unit)
    return {(3, "tháng"): "quarterly", (6, "tháng"): "half_yearly", (12, "tháng"): "yearly"}.get(
        (number, unit),
        f"every_{number}_{ {'ngày': 'days', 'tuần': 'weeks', 'tháng': 'months', 'năm': 'years'}.get(unit, unit) }",
    )


def _ranges(plain: str, clock: Clock) -> Iterator[Deadline]:
    for match in phrases.RANGE.finditer(plain):
        found = _attempt(match, HORIZON, lambda m=match: _resolve(*_groups(m, "r"), clock))  # type: ignore[misc]
        if found:
            yield found


def _before_days(plain: str, clock: Clock) -> Iterator[Deadline]:
    for match in phrases.BEFORE_DAY.finditer(plain):
        back = timedelta(0 if match["hour"] else 1)
        found = _attempt(match, DATE, lambda m=match, b=back: _resolve(*_groups(m, "b"), clock) - b)  # type: ignore[misc]
        if found:
            yield found


def _on_days(plain: str, clock: Clock) -> Iterator[Deadline]:
    for form, p in ((phrases.ON_DAY, "o"), (phrases.HEADED_DAY, "h")):
        for match in form.finditer(plain):
            if (
                starts(r"vào\b", match[0])
                and found_in(
                    r"(?:họp|hội\s+nghị|làm\s+việc|kiểm\s+tra|khai\s+mạc|tổ\s+chức)\s*$", plain[: match.start()]
                )
                and clock.issued is None
            ):
                continue
            found = _attempt(match, DATE, lambda m=match, q=p: _resolve(*_groups(m, q), clock))  # type: ignore[misc]
            if found:
                yield found


def _handed_days(plain: str, clock: Clock) -> Iterator[Deadline]:
    for match in phrases.HANDED_DAY.finditer(plain):
        found = _attempt(match, DATE, lambda m=match: _resolve(*_groups(m, "d"), clock))  # type: ignore[misc]
        if found and clock.issued:
            yield replace(found, start=match.start("at"))


def _days_of_month(plain: str, clock: Clock) -> Iterator[Deadline]:
    def due(match: re.Match[str]) -> date:
        issued = clock.need()
        if match["m"]:
            day = _resolve(int(match["d"]), int(match["m"]), None, clock)
        else:
            later = match["which"] != "này"
            year, month = (
                issued.year + (issued.month == 12 and later),
                (issued.month % 12 + 1 if later else issued.month),
            )
            day = date(year, month, int(match["d"]))
        return day - timedelta(match["before"].startswith("trước"))

    for match in phrases.DAY_OF_MONTH.finditer(plain):
        found = _attempt(match, DATE, lambda m=match: due(m))  # type: ignore[misc]
        if found:
            yield found


def _relative_days(plain: str, clock: Clock) -> Iterator[Deadline]:
    for match in phrases.RELATIVE_DAY.finditer(plain):
        plus = timedelta(("mai" in match["day"]) - (match["before"] is not None))
        found = _attempt(match, DATE, lambda p=plus: clock.need() + p)  # type: ignore[misc]
        if found:
            yield found


def _weeks(plain: str, clock: Clock) -> Iterator[Deadline]:
    def due(match: re.Match[str]) -> date:
        issued = clock.need()
        monday = issued - timedelta(issued.weekday()) + timedelta(0 if match["which"] == "này" else 7)
        weekday = 6
        if match["wd"]:
            weekday = phrases.WEEKDAYS.get(match["wd"].split()[-1], 6) if match["wd"].startswith("thứ") else 6
        elif match["before"]:
            return monday + timedelta(4 if "cuối" in match[0] else -1)
        return monday + timedelta(weekday - (match["before"] is not None))

    for match in phrases.WEEK.finditer(plain):
        found = _attempt(match, DATE, lambda m=match: due(m))  # type: ignore[misc]
        if found:
            yield found
    for match in phrases.WEEK_OF_MONTH.finditer(plain):

        def of_month(match: re.Match[str] = match) -> date:
            end = _resolve_month(int(match["m"]), _year_of(match), clock)
            week = phrases.ORDINALS[re.sub(r"\s+", " ", match["n"])]
            return end if week == 5 else end.replace(day=7 * week)

        found = _attempt(match, DATE, of_month)
        if found:
            yield found


def _months(plain: str, clock: Clock) -> Iterator[Deadline]:
    for match in phrases.BEFORE_MONTH.finditer(plain):

        def before(match: re.Match[str] = match) -> date:
            end = _resolve_month(int(match["m"]), _year_of(match), clock)
            if match["end"] and "ngày" in match["end"]:
                return end - timedelta(1)
            return end if match["end"] else end.replace(day=1) - timedelta(1)

        found = _attempt(match, DATE, before)
        if found:
            yield found
    for match in phrases.IN_MONTH.finditer(plain):

        def within(match: re.Match[str] = match) -> date:
            end = _resolve_month(int(match["m"]), _year_of(match), clock)
            is_middle = match["middle"] or (match["half"] and "cuối" not in match["half"])
            return end.replace(day=15) if is_middle else end

        found = _attempt(match, DATE, within)
        if found:
            yield found
    for match in phrases.NAMED_MONTH.finditer(plain):

        def named(match: re.Match[str] = match) -> date:
            issued = clock.need()
            later = match["which"] != "này"
            end = _month_end(
                issued.year + (issued.month == 12 and later), issued.month % 12 + 1 if later else issued.month
            )
            return end.replace(day=1) - timedelta(1) if match[0].startswith("trước") and not match["end"] else end

        found = _attempt(match, DATE, named)
        if found:
            yield found


def _quarters(plain: str, clock: Clock) -> Iterator[Deadline]:
    for match in phrases.IN_QUARTER.finditer(plain):

        def due(match: re.Match[str] = match) -> date:
            quarter, year = phrases.ROMAN[match["q"]], _year_of(match)
            if year is None:
                issued = clock.need()
                year = issued.year + (quarter * 3 < issued.month)
            end = _month_end(year, quarter * 3)
            if match["before"] and not match["end"]:
                return date(year, quarter * 3 - 2, 1) - timedelta(1)
            return end

        found = _attempt(match, DATE, due)
        if found:
            yield found
    for match in phrases.NAMED_QUARTER.finditer(plain):

        def named(match: re.Match[str] = match) -> date:
            issued = clock.need()
            quarter = (issued.month - 1) // 3 + (2 if match["which"] != "này" else 1)
            return _month_end(issued.year + (quarter > 4), (quarter - 1) % 4 * 3 + 3)

        found = _attempt(match, DATE, named)
        if found:
            yield found


def _half_years(plain: str, clock: Clock) -> Iterator[Deadline]:
    for match in phrases.HALF_YEAR.finditer(plain):

        def due(match: re.Match[str] = match) -> date:
            year = int(match["y"]) if match["y"] else clock.need().year
            first = {"ba": 3, "chín": 9}.get(match["n"]) or int(match["n"]) if match["n"] != "sáu" else 6
            return _month_end(year, first) if match["half"] == "đầu" else date(year, 12, 31)

        found = _attempt(match, DATE if match["half"] == "đầu" else HORIZON, due)
        if found:
            yield found


def _from_now(plain: str, clock: Clock) -> Iterator[Deadline]:
    for match in phrases.FROM_NOW.finditer(plain):

        def due(match: re.Match[str] = match) -> date:
            got = match.groupdict()
            if got["fd"] or got["fd3"] or got["fd4"]:
                return _resolve(*_groups(match, "f"), clock)
            if match["m"]:
                return _resolve_month(int(match["m"]), int(match["my"] or match["my2"] or 0) or None, clock)
            if match["q"]:
                return _month_end(
                    int(match["qy"] or match["qy2"] or 0) or clock.need().year, phrases.ROMAN[match["q"]] * 3
                )
            return date(int(match["y"]) if match["y"] else clock.need().year, 12, 31)

        found = _attempt(match, HORIZON, due)
        if found:
            yield found
    for match in phrases.TERM.finditer(plain):
        if match["y"]:
            found = _attempt(match, HORIZON, lambda m=match: date(int(m["y"]), 12, 31))  # type: ignore[misc]
            if found:
                yield found
        else:
            yield Deadline(match.start(), _end(match), "", EVENT)


def _years(plain: str, clock: Clock) -> Iterator[Deadline]:
    for match in phrases.YEAR_TIME.finditer(plain):
        if not match["y"] and not found_in(
            r"(?:hết|cuối|nay|này|sau|tới)\s*(?:năm\s*)?(?:nay|này|sau|tới)?$", match[0]
        ):
            continue
        if match["m"] or (match["y"] and "năm" not in match[0] and "/" in plain[match.start() - 2 : match.end() + 1]):
            continue

        def due(match: re.Match[str] = match) -> date:
            year = int(match["y"]) if match["y"] else clock.need().year + (match["named"] in ("sau", "tới"))
            return date(year - (1 if match["before"] and not match["end"] else 0), 12, 31)

        found = _attempt(match, HORIZON, due)
        if found:
            yield found


def _within(plain: str, clock: Clock) -> Iterator[Deadline]:
    for match in phrases.WITHIN.finditer(plain):
        unit = re.sub(r"\s+", " ", match["unit"])
        number_text = re.sub(r"\s*\(.*", "", match["n"])
        number = int(number_text) if number_text.isdigit() else phrases.NUMBER_WORDS[number_text]
        working = "làm việc" in unit or match["working"] is not None
        origin = re.sub(r"\s+", " ", (match["origin"] or "").strip(" ,"))
        if unit in ("tháng", "năm") and not origin and not starts(r"trong\s+(?:vòng|thời)|chậm|không|tối", match[0]):
            continue
        if match[0].startswith("sau") and not origin:
            continue
        if not origin and not starts(r"trong|chậm|muộn|thời|không|tối", match[0]):
            continue
        if not origin and starts(r"không\s+quá|tối\s+đa|thời\s+hạn", match[0]):
            continue
        ahead = phrases.AHEAD_OF.match(plain, match.end())
        if ahead and not origin:
            yield Deadline(match.start(), match.start() + len(plain[match.start() : ahead.end()].rstrip()), "", EVENT)
            continue
        stated = match.groupdict()
        known = bool(stated["wd"] or stated["wd3"] or stated["wd4"])
        end = match.end()
        if origin and not known:
            core = re.sub(r"^(?:tính )?(?:kể từ|tính từ|từ|sau)\s+", "", origin)
            cut = phrases.EVENT_END.search(match["origin"])
            issue = phrases.OF_ISSUE.match(core)
            if issue is None:
                yield Deadline(match.start(), match.start("origin") + cut.start() if cut else _end(match), "", EVENT)
                continue
            end = (
                match.start("origin")
                + len(match["origin"])
                - len(match["origin"].lstrip(" ,"))
                + len(origin)
                - len(core)
                + issue.end()
            )

        def due(
            number: int = number,
            unit: str = unit,
            working: bool = working,
            known: bool = known,
            match: re.Match[str] = match,
        ) -> date:
            start = _resolve(*_groups(match, "w"), clock) if known else clock.need()
            return _later(start, number, unit, working, clock)

        found = _attempt(match, DATE, due)
        if found:
            yield replace(found, end=match.start() + len(plain[match.start() : end].rstrip(" ,")))


def _later(start: date, number: int, unit: str, working: bool, clock: Clock) -> date:
    if working:
        day, left = start, number * (5 if unit == "tuần" else 1)
        while left:
            day += timedelta(1)
            left -= clock.is_working_day(day)
        return day
    if unit == "giờ":
        return start + timedelta(-(-number // 24))
    if unit in ("tháng", "năm"):
        count = start.month - 1 + number * (12 if unit == "năm" else 1)
        year, month = start.year + count // 12, count % 12 + 1
        return date(year, month, min(start.day, months.monthrange(year, month)[1]))
    return start + timedelta(number * (7 if unit == "tuần" else 1))


def _events(plain: str, clock: Clock) -> Iterator[Deadline]:
    del clock
    for match in phrases.EVENT.finditer(plain):
        cut = phrases.EVENT_END.search(match[0], 4)
        end = match.start() + cut.start() if cut else _end(match)
        yield Deadline(match.start(), end, "", EVENT)


GRAMMARS = (
    _recurring, _ranges, _from_now, _within, _before_days, _on_days, _handed_days, _days_of_month, _relative_days,
    _weeks, _half_years, _months, _quarters, _years, _events,
)  # fmt: skip
