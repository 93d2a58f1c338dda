"""The grammar of deadlines (DOMAIN.md section 7 and the conventions of the example notices, rules 9-16).

A phrase is found by its preposition and its time; bare dates (of laws, meetings, reports) are none. What is found is
kept verbatim, with its place. All prepositions but *trước* include the day that is named; *trước ngày D* ends the day
before, *trước 17h00 ngày D* on D. Months and quarters end on their last day, weeks on Sunday; years and stretches of
time are horizons. A day or month without year is the first one not before the date of issue; working days are counted
by the calendar that is given. What needs the date of issue and does not have it has no date and says so
(``Deadline.question``). Matching is on ``folding.key``.
"""

from __future__ import annotations

import calendar as months
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache

from etl.directives import words as wording
from etl.directives.folding import key, pattern

DATE, HORIZON, RECURRING, EVENT, NONE = "date", "horizon", "recurring", "event", "none"
ISSUE_DATE_NEEDED = "Cần ngày ban hành của văn bản để tính thời hạn này (--issued NNNN-TT-NN)."

_compiled = cache(pattern)


def found_in(expression: str, text: str) -> re.Match[str] | None:
    return _compiled(expression).search(text)


def starts(expression: str, text: str) -> re.Match[str] | None:
    return _compiled(expression).match(text)


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


_NUMBER_WORDS = {
    "một": 1, "hai": 2, "ba": 3, "bốn": 4, "tư": 4, "năm": 5, "sáu": 6, "bảy": 7, "bẩy": 7, "tám": 8, "chín": 9,
    "mười": 10, "mười lăm": 15, "hai mươi": 20, "ba mươi": 30, "bốn lăm": 45,
}  # fmt: skip
_WEEKDAYS = {"hai": 0, "ba": 1, "tư": 2, "năm": 3, "sáu": 4, "bảy": 5, "2": 0, "3": 1, "4": 2, "5": 3, "6": 4, "7": 5}
_ROMAN = {"i": 1, "ii": 2, "iii": 3, "iv": 4, "1": 1, "2": 2, "3": 3, "4": 4, "01": 1, "02": 2, "03": 3, "04": 4}
_ORDINALS = {"đầu": 1, "đầu tiên": 1, "thứ nhất": 1, "thứ 1": 1, "1": 1, "thứ hai": 2, "thứ 2": 2, "2": 2,
             "thứ ba": 3, "thứ 3": 3, "3": 3, "thứ tư": 4, "thứ 4": 4, "4": 4, "cuối": 5}  # fmt: skip

_N = r"(?:\d{1,3}|" + "|".join(sorted(_NUMBER_WORDS, key=len, reverse=True)) + r")(?:\s*\([^)\d]{2,20}\))?"
_HOUR = (
    r"(?:(?:\d{1,2}\s*(?:giờ|h|g)(?:\s*\d{2})?(?:\s*phút)?|\d{1,2}:\d{2}|hết\s+giờ\s+(?:hành\s+chính|làm\s+việc))"
    r"(?:\s*(?:sáng|chiều))?[\s,]*(?:của\s+)?(?:(?=thứ)|(?=ngày)|(?=\d{1,2}[/.]\d)))"
)


def _day(p: str) -> str:
    """A day with or without year, its groups prefixed ``p``; ``p``s is the first day where a stretch is named."""
    return (
        rf"(?:(?:thứ\s+(?:hai|ba|tư|năm|sáu|bảy|[2-7])|chủ\s+nhật)(?:\s*[,(]\s*|\s+))?"
        rf"(?:ngày\s+)?(?:mùng\s+|mồng\s+)?"
        rf"(?:(?P<{p}d>\d{{1,2}})\s*/\s*(?P<{p}m>\d{{1,2}})(?!\d)(?:\s*/\s*(?P<{p}y>(?:19|20)\d\d)(?!\d)"
        rf"|\s+năm\s+(?P<{p}y2>(?:19|20)\d\d))?"
        rf"|(?P<{p}d3>\d{{1,2}})\s*[-.]\s*(?P<{p}m3>\d{{1,2}})\s*[-.]\s*(?P<{p}y3>(?:19|20)\d\d)"
        rf"|(?P<{p}d4>\d{{1,2}})\s+(?:tháng\s+)(?P<{p}m4>\d{{1,2}})(?!\d)(?:\s*(?:,\s*)?(?:năm\s+|/\s*)"
        rf"(?P<{p}y4>(?:19|20)\d\d))?)"
    )


_LATEST = (
    r"(?:chậm\s+nhất|muộn\s+nhất|trễ\s+nhất|không\s+(?:muộn|chậm|trễ)\s+hơn|không\s+quá)(?:\s+(?:là|đến|tới"
    r"|vào|trong|hết|xong))*"
)
_UNTIL = r"(?:(?:cho\s+)?(?:đến|tới)(?:\s+(?:trước|hết))?(?:\s+cuối)?|hết|trong(?!\s+vòng)|vào|(?<=xong\s)(?=ngày))"
_RANGE = pattern(
    rf"(?:(?:trong|thời\s+gian|trong\s+thời\s+gian)\s+)?(?:từ|tuần)\s+(?:{_HOUR}\s*)?(?:ngày\s+)?"
    rf"(?:\d{{1,2}}(?:/\d{{1,2}}(?:/\d{{4}})?|\s+tháng\s+\d{{1,2}}(?:\s+năm\s+\d{{4}})?)?)"
    rf"\s*(?:đến|-|tới)\s*(?:hết\s+)?(?:{_HOUR}\s*)?{_day('r')}"
)
_BEFORE_DAY = pattern(
    rf"(?:(?:chậm\s+nhất|muộn\s+nhất)(?:\s+(?:là|vào))?\s+)?trước\s+(?:thời\s+điểm\s+)?(?P<hour>{_HOUR})?{_day('b')}"
)
_ON_DAY = pattern(rf"(?:{_LATEST}|{_UNTIL})\s*(?:{_HOUR})?\s*{_day('o')}")
_HEADED_DAY = pattern(
    rf"(?:(?:thời\s+hạn|thời\s+gian|hạn)(?:\s+(?:hoàn\s+thành|thực\s+hiện|báo\s+cáo|gửi|xong|cuối"
    rf"(?:\s+cùng)?|chót|nộp|trình))*\s*(?::|là|(?<=thành)|(?<=chót)|(?<=cuối))\s*|(?<!đã\s)"
    rf"(?:hoàn\s+thành|xong)\s+(?=ngày))(?:{_HOUR})?{_day('h')}"
)
_DAY_OF_MONTH = pattern(
    rf"(?P<before>trước\s+|(?:{_LATEST})\s*|(?:{_UNTIL})\s*)(?:{_HOUR})?(?:ngày\s+)(?:mùng\s+)?"
    rf"(?P<d>\d{{1,2}})(?:\s*/\s*)?\s*(?:(?:của\s+)?tháng\s+(?P<which>này|sau|tới)|(?:của\s+)?tháng\s+"
    rf"(?P<m>\d{{1,2}}))"
)
_RELATIVE_DAY = pattern(
    r"(?:(?P<before>trước)|ngay|trong|chậm\s+nhất(?:\s+là)?|muộn\s+nhất)\s+(?:trong\s+)?(?P<day>"
    r"(?:ngày\s+)?hôm\s+nay|ngày\s+mai|cuối\s+ngày\s+hôm\s+nay)"
)
_MONTH = (
    r"tháng\s+(?:\d{1,2}(?:\s*/\s*\d{4})?\s*(?:,|và|-|đến)\s*(?:tháng\s+)?)?(?P<m>\d{1,2})(?!\d"
    r"|\s*/\s*\d{1,2}/)(?:\s*(?:/|-)\s*(?P<y>(?:19|20)\d\d)|\s*,?\s*năm\s+(?P<y2>(?:19|20)\d\d))?"
)
_IN_MONTH = pattern(
    rf"(?:(?:{_LATEST}|{_UNTIL}|trong)\s*(?:(?:hết|cuối|nửa\s+cuối|nửa\s+sau|hạ\s+tuần)\s+)*"
    rf"(?P<half>nửa\s+đầu\s+|ngày\s+cuối(?:\s+cùng)?(?:\s+của)?\s+)?|cuối\s+|hoàn\s+thành\s+(?:vào\s+)?"
    rf"|xong\s+|(?:thời\s+(?:hạn|gian)|hạn)(?:\s+hoàn\s+thành|\s+thực\s+hiện)?\s*:\s*){_MONTH}"
)
_BEFORE_MONTH = pattern(rf"trước\s+(?P<end>(?:cuối|hết|ngày\s+cuối(?:\s+cùng)?(?:\s+của)?)\s+)?{_MONTH}")
_NAMED_MONTH = pattern(rf"(?:{_LATEST}|{_UNTIL}|trước)\s*(?:(?P<end>hết|cuối)\s+)?tháng\s+(?P<which>này|sau|tới)")
_QUARTER_TIME = (
    r"quý\s+(?P<q>iv|iii|ii|i|0?[1-4])(?![\w])(?:\s*(?:/|-)\s*(?P<y>(?:19|20)\d\d)|\s*,?\s*năm\s+(?P<y2>"
    r"(?:19|20)\d\d))?"
)
_IN_QUARTER = pattern(
    rf"(?:(?P<before>trước)\s+(?P<end>(?:hết|cuối)\s+)?|(?:{_LATEST}|{_UNTIL}|trong)\s*(?:(?:hết|cuối)"
    rf"\s+)*|cuối\s+|hoàn\s+thành\s+|(?:thời\s+(?:hạn|gian)|hạn)(?:\s+hoàn\s+thành"
    rf"|\s+thực\s+hiện)?\s*:\s*){_QUARTER_TIME}"
)
_NAMED_QUARTER = pattern(rf"(?:{_LATEST}|{_UNTIL}|trong)\s*(?:(?:hết|cuối)\s+)*quý\s+(?P<which>này|sau|tới)")
_HALF_YEAR = pattern(
    r"(?:trong|đến\s+hết|hết|chậm\s+nhất(?:\s+trong)?)\s+(?:0?6|sáu)\s+tháng\s+(?P<half>đầu|cuối)\s+năm"
    r"(?:\s+(?P<y>(?:19|20)\d\d))?"
)
_YEAR_TIME = pattern(
    rf"(?:(?:thời\s+gian\s+)?(?:kể\s+)?từ\s+nay\s+(?:cho\s+)?(?:đến|tới)\s+(?:hết|cuối)?\s*|"
    rf"(?P<before>trước)\s+(?P<end>(?:hết|cuối|khi\s+kết\s+thúc)\s+)?|(?:{_LATEST}|{_UNTIL}|trong)\s*(?:"
    rf"(?:hết|cuối)\s+)*)"
    r"(?:tháng\s+(?P<m>\d{1,2})\s*(?:/\s*|năm\s+))?(?:(?:năm\s+)?(?P<y>(?:19|20)\d\d)(?![\d/])|năm"
    r"(?:\s+(?P<named>nay|này|sau|tới))?(?![\w\s]*?\s(?:19|20)\d\d))"
)
_FROM_NOW = pattern(
    r"(?:thời\s+gian\s+)?(?:kể\s+)?từ\s+nay\s+(?:cho\s+)?(?:đến|tới)\s+(?:hết\s+|cuối\s+|trước\s+)?(?:ngày\s+)?(?:"
    + _day("f")
    + r"|tháng\s+(?P<m>\d{1,2})(?:\s*/\s*(?P<my>\d{4})|\s+năm\s+(?P<my2>\d{4}))?|quý\s+(?P<q>iv|iii|ii|i"
    r"|[1-4])(?:\s*/\s*(?P<qy>\d{4})|\s+năm\s+(?P<qy2>\d{4}))?|năm\s+(?P<y>\d{4})|năm(?:\s+nay)?)"
)
_TERM = pattern(r"(?:từ\s+nay\s+)?(?:đến\s+)?(?:hết|cuối)\s+nhiệm\s+kỳ(?:\s+(?:\d{4})\s*-\s*(?P<y>\d{4}))?")
_WEEK = pattern(
    rf"(?:(?P<before>trước)|{_LATEST}|{_UNTIL}|trong)\s*(?:hết\s+|cuối\s+)?(?:(?:ngày\s+)?"
    rf"(?P<wd>thứ\s+(?:hai|ba|tư|năm|sáu|bảy|[2-7])|chủ\s+nhật)\s+)?(?:(?:của\s+)?(?:tuần\s+"
    rf"(?P<which>này|sau|tới|kế\s+tiếp|tiếp\s+theo)))"
)
_WEEK_OF_MONTH = pattern(
    rf"(?:{_LATEST}|{_UNTIL}|trong)\s*tuần\s+(?P<n>đầu(?:\s+tiên)?|cuối|thứ\s+(?:nhất|hai|ba|tư|[1-4])"
    rf"|[1-4])\s+(?:của\s+)?{_MONTH}"
)
_WITHIN = pattern(
    rf"(?:trong\s+vòng|trong\s+thời\s+(?:hạn|gian)|trong|sau|chậm\s+nhất(?:\s+(?:là|trong|sau))?"
    rf"|muộn\s+nhất(?:\s+(?:là|trong|sau))?|không\s+quá|thời\s+hạn(?:\s+là)?|tối\s+đa)"
    rf"\s*(?:không\s+quá\s+|tối\s+đa\s+)?(?P<n>{_N})\s*(?P<unit>ngày\s+làm\s+việc|ngày|tuần|tháng|giờ"
    rf"(?!\s*(?:\d|phút|ngày|thứ|chiều|sáng))|năm)(?P<working>\s*\(?làm\s+việc\)?)?(?!\s*(?:đầu|cuối|qua"
    rf"|gần\s+đây|tới\s+đây))"
    rf"(?P<origin>\s*,?\s*(?:tính\s+)?(?:kể\s+từ|tính\s+từ|từ|sau)\s+(?:{_day('w')}|[^,;.():]{{2,80}}))?"
)
_OF_ISSUE = pattern(
    r"(?:khi\s+)?(?:(?:ngày\s+)?(?:ban\s+hành|ký(?:\s+ban\s+hành)?|ra)"
    r"(?:\s+(?:thông\s+báo|văn\s+bản|công\s+văn|kết\s+luận|chỉ\s+thị)(?:\s+kết\s+luận)?)?(?:\s+này)?"
    r"|(?:ngày\s+)?(?:hôm\s+nay|nay)"
    r"|(?:ngày\s+)?(?:có\s+)?(?:thông\s+báo|văn\s+bản|công\s+văn)(?:\s+kết\s+luận)?\s+này(?:\s+"
    r"(?:được\s+)?(?:ban\s+hành|ký))?)(?!\w)"
)
_AHEAD_OF = pattern(r"\s*trước\s+(?:ngày\s+(?!\d)|khi|kỳ|thời\s+điểm|phiên|cuộc)[^,;.():]{0,60}")
_PERIOD = r"(?P<unit>ngày|tuần|tháng|quý|năm|nửa\s+năm)"
_EVERY = r"(?:hằng|hàng|mỗi|các)"
_UNIT = r"(?:ngày|tuần|tháng|quý|năm)"
_WEEKDAY = r"(?:thứ\s+(?:hai|ba|tư|năm|sáu|bảy|[2-7])|chủ\s+nhật)"
_BY_DAY = r"\s*[,(]?\s*(?:chậm\s+nhất\s+(?:là\s+)?(?:vào\s+)?|trước\s+|vào\s+)"
_RECURRING = pattern(
    rf"""(?:
      (?P<fixed>
        (?:định\s+kỳ\s*,?\s*\(?\s*|(?:vào|trước|{_LATEST}|trong|đến)\s*)+
        (?:(?:sáng|chiều|tối|cuối|đầu\s+giờ(?:\s+\w+)?)\s+)*(?:{_HOUR})?
        (?:(?:ngày\s+)?{_WEEKDAY}|tuần\s+(?:đầu|cuối|thứ\s+\w+)
          |ngày\s+(?:làm\s+việc\s+)?(?:thứ\s+)?(?:mùng\s+)?(?:\d{{1,2}}|cuối(?:\s+cùng)?)
            (?:\s*(?:,|và)\s*(?:ngày\s+)?\d{{1,2}})*(?:\s*/\s*\d{{1,2}}|\s+tháng\s+\d{{1,2}})?
          |ngày\s+\d{{1,2}}(?:\s+(?:của\s+)?tháng\s+(?:đầu|cuối|thứ\s+ba)(?:\s+tiên)?))
        \s*(?:của\s+|,\s*)?{_EVERY}\s+(?P<fixed_unit>tuần|tháng|quý|năm))
    | (?P<first>
        (?:định\s+kỳ\s+)?(?:vào|trước|{_LATEST})\s*ngày\s+\d{{1,2}}\s+(?:của\s+)?tháng\s+(?:đầu(?:\s+tiên)?|cuối)\s+
        (?:của\s+)?(?:(?:hằng|hàng|mỗi)\s+)?quý(?:\s+sau)?)
    | (?P<set>
        định\s+kỳ\s+
        (?:(?P<setn>\d{{1,2}}|một|hai|ba|sáu|chín)\s+(?P<setunit>ngày|tuần|tháng|năm)(?:\s*/?\s*(?:một\s+|1\s+)?lần)?
          |(?:(?:theo|{_EVERY})\s+)*{_PERIOD}(?:\s*(?:,|và|hoặc)\s*(?:{_EVERY}\s+|theo\s+)?{_UNIT})*)
        (?:{_BY_DAY}ngày\s+\d{{1,2}}(?!\s*/)
          (?:\s+(?:của\s+)?(?:tháng(?:\s+(?:sau|cuối\s+quý|đầu\s+quý\s+sau))?|kỳ))?\)?)?)
    | (?P<ratio>
        (?:0?[1-9]|1[0-2]|một|hai|ba|sáu)\s+(?P<ratiounit>ngày|tuần|tháng|năm)\s*(?:/\s*|một\s+|1\s+|\d\s+)lần
        |(?:0?\d|một|hai)\s+lần\s*(?:/|trong\s+một\s+|một\s+|mỗi\s+)\s*(?P<per>{_UNIT}))
    | (?P<every>
        (?:hằng|hàng|mỗi)\s+(?P<everyunit>{_UNIT})
        (?:\s*(?:,|và|hoặc)\s*(?:(?:hằng|hàng|mỗi)\s+)?{_UNIT}(?!\s*\d))*
        (?:{_BY_DAY}(?:ngày\s+\d{{1,2}}(?!\s*/)(?:\s+(?:của\s+)?(?:tháng(?:\s+sau)?|kỳ))?|{_WEEKDAY}))?)
    | (?P<bare>định\s+kỳ(?!\s*(?:hạn|trung)))
    )""",
    re.VERBOSE,
)
_NOT_RECURRING = pattern(
    r"(?:kế\s+hoạch|dự\s+toán|nhiệm\s+vụ|chỉ\s+tiêu|ngân\s+sách|đầu\s+tư\s+công|lương|thu\s+nhập"
    r"|bình\s+quân|chi\s+phí|vốn|trợ\s+cấp|phụ\s+cấp|sinh\s+hoạt|"
    r"nhu\s+cầu|danh\s+mục|chương\s+trình|sử\s+dụng\s+đất|kinh\s+phí|báo\s+cáo\s+tài\s+chính"
    r"|phiên\s+họp|cuộc\s+họp|giao\s+ban|đời\s+sống|công\s+việc|khám\s+sức\s+khỏe|cống\s+hiến"
    r"|thường\s+niên|số\s+liệu|tăng\s+trưởng|thiên\s+tai)\s*(?:thường\s+kỳ\s*|giao\s+ban\s*)?$"
)
_RECURRENCES = {
    key(unit): name
    for unit, name in {
        "ngày": "daily",
        "tuần": "weekly",
        "tháng": "monthly",
        "quý": "quarterly",
        "năm": "yearly",
        "nửa năm": "half_yearly",
    }.items()
}
_EVENT = pattern(
    r"""(?:
      ngay\s+(?:sau\s+)?khi\s+[^,;.():]{2,70}
    | ngay\s+sau\s+(?:cuộc|buổi|hội|kỳ|phiên|thời|ngày|Tết|tết)[^,;.():]{2,60}
    | (?:trước|sau|trong|tại|trình|vào|dịp)\s+(?:dịp\s+|thời\s+điểm\s+|khi\s+diễn\s+ra\s+|ngày\s+diễn\s+ra\s+)?
        (?:tết(?:\s+nguyên\s+đán)?|kỳ\s+họp|đại\s+hội|hội\s+nghị\s+(?:tới|lần)|mùa\s+(?:mưa|bão|khô|lũ)
          |năm\s+học|khai\s+giảng|phiên\s+họp\s+(?:tới|thường\s+kỳ|thường\s+lệ|tháng|gần\s+nhất)
          |cuộc\s+họp\s+(?:tới|lần\s+sau|tiếp\s+theo))[^,;.():]{0,60}
    | tại\s+(?:cuộc\s+họp|phiên\s+họp|hội\s+nghị)\s[^,;.():]{0,60}
        (?:tháng\s+\d{1,2}|quý\s+[iv\d]+|tới|tiếp\s+theo|gần\s+nhất|lần\s+thứ\s+\w+|cuối\s+năm)[^,;.():]{0,20}
    | trước\s+khi\s+[^,;.():]{2,60}
    | (?:^|(?<=[,;:(]\s))sau\s+khi\s+(?:được|có|hoàn|nhận|kết)[^,;.():]{2,70}
    | khi\s+có\s+(?:yêu\s+cầu|phát\s+sinh|vướng\s+mắc|đủ)[^,;.():]{0,50}
    | ngay\s+trong\s+quá\s+trình\s+[^,;.():]{2,50}
    )""",
    re.VERBOSE,
)
_EVENT_END = pattern(
    r"\s+(?:để|nhằm|theo\s+quy\s+định|theo\s+đúng\s+quy\s+định|đúng\s+quy\s+định|báo\s+cáo|tham\s+mưu"
    r"|khẩn\s+trương|tổ\s+chức\s+thực\s+hiện|triển\s+khai\s+thực\s+hiện)\b"
)
_VAGUE = pattern(
    r"(?<!từ\s)(?<!chưa\s)\b(?:kịp\s+thời|khẩn\s+trương|thường\s+xuyên|sớm(?!\s+(?:hơn|muộn))|ngay"
    r"(?!\s+(?:từ|tại|trong|cả|thẳng|ngắn|khi|sau|lập\s+tức)))\b"
)
_OF_A_PLAN = pattern(
    r"(?:(?:giai\s+đoạn|nhiệm\s+kỳ|thời\s+kỳ)[\d\s–,-]*(?:năm\s*)?"
    r"|(?:tầm\s+nhìn|định\s+hướng|mục\s+tiêu|chiến\s+lược|quy\s+hoạch|đề\s+án|chương\s+trình)(?:[^,;.]{0,60}))$"
)
_NOT_URGING = re.compile(rf"(?<!\w)(?:{wording.load().any_of('not_urging')})\s+$")
_START = pattern(r"(?:kể\s+từ|bắt\s+đầu\s+từ|ngay\s+từ|từ)\s+(?:đầu\s+)?$")


def find(text: str, clock: Clock) -> list[Deadline]:
    """Every deadline phrase of ``text`` (folded), in order, none inside another. Vague words are not among them."""
    plain = key(text)
    found: list[Deadline] = []
    taken: list[tuple[int, int]] = []
    for grammar in _GRAMMARS:
        for deadline in grammar(plain, clock):
            if deadline.end <= deadline.start or any(s < deadline.end and deadline.start < e for s, e in taken):
                continue
            taken.append((deadline.start, deadline.end))
            if _is_deadline(plain, deadline, clock):
                found.append(replace(deadline, phrase=text[deadline.start : deadline.end]))
    return sorted(found, key=lambda d: d.start)


def vague(text: str) -> Deadline | None:
    """The first word that urges without a date."""
    plain = key(text)
    for match in _VAGUE.finditer(plain):
        if not _NOT_URGING.search(plain[: match.start()]):
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
    if deadline.kind in (DATE, HORIZON) and _START.search(before):
        return False
    if deadline.kind == EVENT and found_in(r"(?:trước|trong)\s*(?:,|và)[^;.]{0,12}$", before):
        return False
    if deadline.due and clock.issued and deadline.due < clock.issued:
        return False
    if deadline.kind == HORIZON and "từ nay" not in deadline.phrase and _OF_A_PLAN.search(before):
        return not starts(r"(?:đến|tới|trong)", plain[deadline.start :])
    is_told = deadline.kind == DATE and clock.issued is None
    return not (is_told and found_in(r"\b(?:đã|lũy\s+kế)\b[^,;.]{0,30}$", before))


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
    for match in _RECURRING.finditer(plain):
        before = plain[max(0, match.start() - 40) : match.start()]
        got = match.groupdict()
        unit = next(
            (got[g] for g in ("fixed_unit", "unit", "everyunit", "per", "setunit", "ratiounit") if got.get(g)), None
        )
        if got["every"] and _NOT_RECURRING.search(before):
            continue
        if (
            got["every"]
            and unit in ("năm", "ngày")
            and not found_in(
                r"(?:^|[,;:(]\s*|"
                r"(?:báo cáo|cập nhật|kiểm tra|thực hiện|tổ chức|đôn đốc|theo dõi|tổng hợp|rà soát)\s+)$",
                before,
            )
        ):
            continue
        recurrence = "quarterly" if got["first"] else _RECURRENCES.get(re.sub(r"\s+", " ", unit or ""))
        count = got["setn"] or (starts(r"\S+", match[0])[0] if got["ratiounit"] else None)  # type: ignore[index]
        if count:
            number = int(count) if count.isdigit() else _NUMBER_WORDS.get(count, 1)
            recurrence = _multiple(number, unit or "")
        times = starts(r"(\d{1,2}|một|hai)\s+lần", match[0]) if got["ratio"] and got["per"] else None
        if times:
            often = int(times[1]) if times[1].isdigit() else _NUMBER_WORDS[times[1]]
            recurrence = {(2, "năm"): "half_yearly", (4, "năm"): "quarterly", (12, "năm"): "monthly"}.get(
                (often, got["per"]), recurrence
            )
        if got["bare"] and starts(r"\s*(?:của|về|theo\s+quy)", plain[match.end() :]):
            continue
        yield Deadline(match.start(), _end(match), "", RECURRING, None, recurrence)


def _multiple(number: int, unit: str) -> str | None:
    if number == 1:
        return _RECURRENCES.get(unit)
    return {(3, "tháng"): "quarterly", (6, "tháng"): "half_yearly", (12, "tháng"): "yearly"}.get(
        (number, unit),
        f"every_{number}_{ {'ngày': 'days', 'tuần': 'weeks', 'tháng': 'months', 'năm': 'years'}.get(unit, unit) }",
    )


def _ranges(plain: str, clock: Clock) -> Iterator[Deadline]:
    for match in _RANGE.finditer(plain):
        found = _attempt(match, HORIZON, lambda m=match: _resolve(*_groups(m, "r"), clock))  # type: ignore[misc]
        if found:
            yield found


def _before_days(plain: str, clock: Clock) -> Iterator[Deadline]:
    for match in _BEFORE_DAY.finditer(plain):
        back = timedelta(0 if match["hour"] else 1)
        found = _attempt(match, DATE, lambda m=match, b=back: _resolve(*_groups(m, "b"), clock) - b)  # type: ignore[misc]
        if found:
            yield found


def _on_days(plain: str, clock: Clock) -> Iterator[Deadline]:
    for form, p in ((_ON_DAY, "o"), (_HEADED_DAY, "h")):
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

    for match in _DAY_OF_MONTH.finditer(plain):
        found = _attempt(match, DATE, lambda m=match: due(m))  # type: ignore[misc]
        if found:
            yield found


def _relative_days(plain: str, clock: Clock) -> Iterator[Deadline]:
    for match in _RELATIVE_DAY.finditer(plain):
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
            weekday = _WEEKDAYS.get(match["wd"].split()[-1], 6) if match["wd"].startswith("thứ") else 6
        elif match["before"]:
            return monday + timedelta(4 if "cuối" in match[0] else -1)
        return monday + timedelta(weekday - (match["before"] is not None))

    for match in _WEEK.finditer(plain):
        found = _attempt(match, DATE, lambda m=match: due(m))  # type: ignore[misc]
        if found:
            yield found
    for match in _WEEK_OF_MONTH.finditer(plain):

        def of_month(match: re.Match[str] = match) -> date:
            end = _resolve_month(int(match["m"]), _year_of(match), clock)
            week = _ORDINALS[re.sub(r"\s+", " ", match["n"])]
            return end if week == 5 else end.replace(day=7 * week)

        found = _attempt(match, DATE, of_month)
        if found:
            yield found


def _months(plain: str, clock: Clock) -> Iterator[Deadline]:
    for match in _BEFORE_MONTH.finditer(plain):

        def before(match: re.Match[str] = match) -> date:
            end = _resolve_month(int(match["m"]), _year_of(match), clock)
            if match["end"] and "ngày" in match["end"]:
                return end - timedelta(1)
            return end if match["end"] else end.replace(day=1) - timedelta(1)

        found = _attempt(match, DATE, before)
        if found:
            yield found
    for match in _IN_MONTH.finditer(plain):

        def within(match: re.Match[str] = match) -> date:
            end = _resolve_month(int(match["m"]), _year_of(match), clock)
            return end.replace(day=15) if match["half"] and "nửa" in match["half"] else end

        found = _attempt(match, DATE, within)
        if found:
            yield found
    for match in _NAMED_MONTH.finditer(plain):

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
    for match in _IN_QUARTER.finditer(plain):

        def due(match: re.Match[str] = match) -> date:
            quarter, year = _ROMAN[match["q"]], _year_of(match)
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
    for match in _NAMED_QUARTER.finditer(plain):

        def named(match: re.Match[str] = match) -> date:
            issued = clock.need()
            quarter = (issued.month - 1) // 3 + (2 if match["which"] != "này" else 1)
            return _month_end(issued.year + (quarter > 4), (quarter - 1) % 4 * 3 + 3)

        found = _attempt(match, DATE, named)
        if found:
            yield found


def _half_years(plain: str, clock: Clock) -> Iterator[Deadline]:
    for match in _HALF_YEAR.finditer(plain):

        def due(match: re.Match[str] = match) -> date:
            year = int(match["y"]) if match["y"] else clock.need().year
            return date(year, 6, 30) if match["half"] == "đầu" else date(year, 12, 31)

        found = _attempt(match, DATE if match["half"] == "đầu" else HORIZON, due)
        if found:
            yield found


def _from_now(plain: str, clock: Clock) -> Iterator[Deadline]:
    for match in _FROM_NOW.finditer(plain):

        def due(match: re.Match[str] = match) -> date:
            got = match.groupdict()
            if got["fd"] or got["fd3"] or got["fd4"]:
                return _resolve(*_groups(match, "f"), clock)
            if match["m"]:
                return _resolve_month(int(match["m"]), int(match["my"] or match["my2"] or 0) or None, clock)
            if match["q"]:
                return _month_end(int(match["qy"] or match["qy2"] or 0) or clock.need().year, _ROMAN[match["q"]] * 3)
            return date(int(match["y"]) if match["y"] else clock.need().year, 12, 31)

        found = _attempt(match, HORIZON, due)
        if found:
            yield found
    for match in _TERM.finditer(plain):
        if match["y"]:
            found = _attempt(match, HORIZON, lambda m=match: date(int(m["y"]), 12, 31))  # type: ignore[misc]
            if found:
                yield found
        else:
            yield Deadline(match.start(), _end(match), "", EVENT)


def _years(plain: str, clock: Clock) -> Iterator[Deadline]:
    for match in _YEAR_TIME.finditer(plain):
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
    for match in _WITHIN.finditer(plain):
        unit = re.sub(r"\s+", " ", match["unit"])
        number_text = re.sub(r"\s*\(.*", "", match["n"])
        number = int(number_text) if number_text.isdigit() else _NUMBER_WORDS[number_text]
        working = "làm việc" in unit or match["working"] is not None
        origin = re.sub(r"\s+", " ", (match["origin"] or "").strip(" ,"))
        if unit in ("tháng", "năm") and not origin and not starts(r"trong\s+(?:vòng|thời)|chậm|không|tối", match[0]):
            continue
        if match[0].startswith("sau") and not origin:
            continue
        if not origin and not starts(r"trong|chậm|muộn|thời|không|tối", match[0]):
            continue
        ahead = _AHEAD_OF.match(plain, match.end())
        if ahead and not origin:
            yield Deadline(match.start(), match.start() + len(plain[match.start() : ahead.end()].rstrip()), "", EVENT)
            continue
        stated = match.groupdict()
        known = bool(stated["wd"] or stated["wd3"] or stated["wd4"])
        end = match.end()
        if origin and not known:
            core = re.sub(r"^(?:tính )?(?:kể từ|tính từ|từ|sau)\s+", "", origin)
            cut = _EVENT_END.search(match["origin"])
            issue = _OF_ISSUE.match(core)
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
    for match in _EVENT.finditer(plain):
        cut = _EVENT_END.search(match[0], 4)
        end = match.start() + cut.start() if cut else _end(match)
        yield Deadline(match.start(), end, "", EVENT)


_GRAMMARS = (
    _recurring, _ranges, _from_now, _within, _before_days, _on_days, _days_of_month, _relative_days, _weeks,
    _half_years, _months, _quarters, _years, _events,
)  # fmt: skip
