"""How notices write times: forms of deadline phrases, matched on ``folding.key``; ``reckoning`` says what they mean."""

from __future__ import annotations

import re
from functools import cache

from etl.directives import words as wording
from etl.directives.folding import key, pattern

_compiled = cache(pattern)


def found_in(expression: str, text: str) -> re.Match[str] | None:
    return _compiled(expression).search(text)


def starts(expression: str, text: str) -> re.Match[str] | None:
    return _compiled(expression).match(text)


NUMBER_WORDS = {
    "một": 1, "hai": 2, "ba": 3, "bốn": 4, "tư": 4, "năm": 5, "sáu": 6, "bảy": 7, "bẩy": 7, "tám": 8, "chín": 9,
    "mười": 10, "mười lăm": 15, "hai mươi": 20, "ba mươi": 30, "bốn lăm": 45,
}  # fmt: skip
WEEKDAYS = {"hai": 0, "ba": 1, "tư": 2, "năm": 3, "sáu": 4, "bảy": 5, "2": 0, "3": 1, "4": 2, "5": 3, "6": 4, "7": 5}
ROMAN = {"i": 1, "ii": 2, "iii": 3, "iv": 4, "1": 1, "2": 2, "3": 3, "4": 4, "01": 1, "02": 2, "03": 3, "04": 4}
ORDINALS = {"đầu": 1, "đầu tiên": 1, "thứ nhất": 1, "thứ 1": 1, "1": 1, "thứ hai": 2, "thứ 2": 2, "2": 2,
             "thứ ba": 3, "thứ 3": 3, "3": 3, "thứ tư": 4, "thứ 4": 4, "4": 4, "cuối": 5}  # fmt: skip

_N = r"(?:\d{1,3}|" + "|".join(sorted(NUMBER_WORDS, key=len, reverse=True)) + r")(?:\s*\([^)\d]{2,20}\))?"
_HOUR = (
    r"(?:(?:\d{1,2}\s*(?:giờ|h|g)(?:\s*\d{2})?(?:\s*phút)?|\d{1,2}:\d{2}|hết\s+giờ\s+(?:hành\s+chính|làm\s+việc)"
    r"|(?:buổi\s+)?(?:sáng|trưa|chiều|tối))(?:\s*(?:sáng|chiều))?[\s,]*(?:của\s+)?(?:(?=thứ)|(?=ngày)|(?=\d{1,2}[/.]\d)))"
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
    r"(?:chậm\s+nhất|muộn\s+nhất|trễ\s+nhất|không\s+(?:được\s+)?(?:muộn|chậm|trễ)\s+(?:hơn|quá)|không\s+(?:để\s+)?quá)(?:\s+(?:là|đến|tới"
    r"|vào|trong|hết|xong))*"
)
_UNTIL = r"(?:(?:cho\s+)?(?:đến|tới)(?:\s+(?:trước|hết))?(?:\s+cuối)?|hết|trong(?!\s+vòng)|vào|(?<=xong\s)(?=ngày))"
RANGE = pattern(
    rf"(?:(?:trong|thời\s+gian|trong\s+thời\s+gian)\s+)?(?:từ|tuần)\s+(?:{_HOUR}\s*)?(?:ngày\s+)?"
    rf"(?:\d{{1,2}}(?:/\d{{1,2}}(?:/\d{{4}})?|\s+tháng\s+\d{{1,2}}(?:\s+năm\s+\d{{4}})?)?)"
    rf"\s*(?:đến|-|tới)\s*(?:hết\s+)?(?:{_HOUR}\s*)?{_day('r')}"
)
BEFORE_DAY = pattern(
    rf"(?:(?:chậm\s+nhất|muộn\s+nhất)(?:\s+(?:là|vào))?\s+)?trước\s+(?:thời\s+điểm\s+)?(?P<hour>{_HOUR})?{_day('b')}"
)
ON_DAY = pattern(rf"(?:{_LATEST}|{_UNTIL})\s*(?:{_HOUR})?\s*{_day('o')}")
HEADED_DAY = pattern(
    rf"(?:(?:thời\s+hạn|thời\s+gian|hạn)(?:\s+(?:hoàn\s+thành|thực\s+hiện|báo\s+cáo|gửi|xong|cuối"
    rf"(?:\s+cùng)?|chót|nộp|trình))*\s*(?::|là|(?<=thành)|(?<=chót)|(?<=cuối))\s*|(?<!đã\s)"
    rf"(?:hoàn\s+thành|xong)\s+(?=ngày))(?:{_HOUR})?{_day('h')}"
)
HANDED_DAY = pattern(
    r"(?:trình|gửi|nộp|báo\s+cáo)\s+(?:(?!số|họp|phiên|hội|kỳ|lễ|tại|trước|chậm|từ|sau|theo|vào)[^\s,;.:()]+\s+){0,7}?"
    rf"(?P<at>(?=ngày){_day('d')})"
)
"""Handed in on a day that has no preposition; a day before the notice is that of a document."""
DAY_OF_MONTH = pattern(
    rf"(?P<before>trước\s+|(?:{_LATEST})\s*|(?:{_UNTIL})\s*)(?:{_HOUR})?(?:ngày\s+)(?:mùng\s+)?"
    rf"(?P<d>\d{{1,2}})(?:\s*/\s*)?\s*(?:(?:của\s+)?tháng\s+(?P<which>này|sau|tới)|(?:của\s+)?tháng\s+"
    rf"(?P<m>\d{{1,2}}))"
)
RELATIVE_DAY = pattern(
    r"(?:(?P<before>trước)|ngay|trong|chậm\s+nhất(?:\s+là)?|muộn\s+nhất)\s+(?:trong\s+)?(?P<day>"
    r"(?:ngày\s+)?hôm\s+nay|ngày\s+mai|cuối\s+ngày\s+hôm\s+nay|(?:sáng|chiều|tối)\s+(?:hôm\s+)?(?:nay|mai))"
)
_MONTH = (
    r"tháng\s+(?:\d{1,2}(?:\s*/\s*\d{4})?\s*(?:,|và|-|đến)\s*(?:tháng\s+)?)?(?P<m>\d{1,2})(?!\d"
    r"|\s*/\s*\d{1,2}/)(?:\s*(?:/|-)\s*(?P<y>(?:19|20)\d\d)|\s*,?\s*năm\s+(?P<y2>(?:19|20)\d\d))?"
)
IN_MONTH = pattern(
    rf"(?:(?:{_LATEST}|{_UNTIL}|trong)\s*(?:(?:hết|cuối|nửa\s+cuối|nửa\s+sau|hạ\s+tuần)\s+)*"
    rf"(?P<half>nửa\s+đầu\s+|giữa\s+|ngày\s+cuối(?:\s+cùng)?(?:\s+của)?\s+)?|cuối\s+|(?P<middle>giữa\s+)|hoàn\s+thành\s+(?:vào\s+)?"
    rf"|xong\s+|(?:thời\s+(?:hạn|gian)|hạn)(?:\s+hoàn\s+thành|\s+thực\s+hiện)?\s*:\s*){_MONTH}"
)
BEFORE_MONTH = pattern(
    rf"trước\s+(?P<end>(?:cuối|hết|khi\s+kết\s+thúc|ngày\s+cuối(?:\s+cùng)?(?:\s+của)?)\s+)?{_MONTH}"
)
NAMED_MONTH = pattern(rf"(?:{_LATEST}|{_UNTIL}|trước)\s*(?:(?P<end>hết|cuối)\s+)?tháng\s+(?P<which>này|sau|tới)")
_QUARTER_TIME = (
    r"quý\s+(?P<q>iv|iii|ii|i|0?[1-4])(?![\w])(?:\s*(?:/|-)\s*(?P<y>(?:19|20)\d\d)|\s*,?\s*năm\s+(?P<y2>"
    r"(?:19|20)\d\d))?"
)
IN_QUARTER = pattern(
    rf"(?:(?P<before>trước)\s+(?P<end>(?:hết|cuối|khi\s+kết\s+thúc)\s+)?|(?:{_LATEST}|{_UNTIL}|trong)"
    rf"\s*(?:(?:hết|cuối)\s+)*|cuối\s+|hoàn\s+thành\s+|(?:thời\s+(?:hạn|gian)|hạn)(?:\s+hoàn\s+thành"
    rf"|\s+thực\s+hiện)?\s*:\s*){_QUARTER_TIME}"
)
NAMED_QUARTER = pattern(rf"(?:{_LATEST}|{_UNTIL}|trong)\s*(?:(?:hết|cuối)\s+)*quý\s+(?P<which>này|sau|tới)")
HALF_YEAR = pattern(
    r"(?:trong|đến\s+hết|hết|chậm\s+nhất(?:\s+trong)?)\s+(?P<n>0?[369]|ba|sáu|chín)\s+tháng\s+(?P<half>đầu|cuối)\s+năm"
    r"(?:\s+(?P<y>(?:19|20)\d\d))?"
)
YEAR_TIME = pattern(
    rf"(?:(?:thời\s+gian\s+)?(?:kể\s+)?từ\s+nay\s+(?:cho\s+)?(?:đến|tới)\s+(?:hết|cuối)?\s*|"
    rf"(?P<before>trước)\s+(?P<end>(?:hết|cuối|khi\s+kết\s+thúc)\s+)?|(?:{_LATEST}|{_UNTIL}|trong)\s*(?:"
    rf"(?:hết|cuối)\s+)*)"
    r"(?:tháng\s+(?P<m>\d{1,2})\s*(?:/\s*|năm\s+))?(?:(?:năm\s+)?(?P<y>(?:19|20)\d\d)(?![\d/])|năm"
    r"(?:\s+(?P<named>nay|này|sau|tới))?(?![\w\s]*?\s(?:19|20)\d\d))"
)
FROM_NOW = pattern(
    r"(?:thời\s+gian\s+)?(?:kể\s+)?từ\s+nay\s+(?:cho\s+)?(?:đến|tới)\s+(?:hết\s+|cuối\s+|trước\s+)?(?:ngày\s+)?(?:"
    + _day("f")
    + r"|tháng\s+(?P<m>\d{1,2})(?:\s*/\s*(?P<my>\d{4})|\s+năm\s+(?P<my2>\d{4}))?|quý\s+(?P<q>iv|iii|ii|i"
    r"|[1-4])(?:\s*/\s*(?P<qy>\d{4})|\s+năm\s+(?P<qy2>\d{4}))?|năm\s+(?P<y>\d{4})|năm(?:\s+nay)?)"
)
TERM = pattern(
    r"trong\s+nhiệm\s+kỳ(?:\s+này)?(?!\s+\d)|(?:từ\s+nay\s+)?(?:đến\s+)?(?:hết|cuối)\s+nhiệm\s+kỳ(?:\s+(?:\d{4})\s*-\s*(?P<y>\d{4}))?"
)
WEEK = pattern(
    rf"(?:(?P<before>trước)|{_LATEST}|{_UNTIL}|trong)\s*(?:hết\s+|cuối\s+)?(?:(?:ngày\s+)?"
    rf"(?P<wd>thứ\s+(?:hai|ba|tư|năm|sáu|bảy|[2-7])|chủ\s+nhật)\s+)?(?:(?:của\s+)?(?:tuần\s+"
    rf"(?P<which>này|sau|tới|kế\s+tiếp|tiếp\s+theo)))"
)
WEEK_OF_MONTH = pattern(
    rf"(?:{_LATEST}|{_UNTIL}|trong)\s*tuần\s+(?P<n>đầu(?:\s+tiên)?|cuối|thứ\s+(?:nhất|hai|ba|tư|[1-4])"
    rf"|[1-4])\s+(?:của\s+)?{_MONTH}"
)
WITHIN = pattern(
    rf"(?:trong\s+vòng|trong\s+thời\s+(?:hạn|gian)|trong|sau|chậm\s+nhất(?:\s+(?:là|trong|sau))?"
    rf"|muộn\s+nhất(?:\s+(?:là|trong|sau))?|không\s+quá|thời\s+hạn(?:\s+là)?|tối\s+đa)"
    rf"\s*(?:không\s+quá\s+|tối\s+đa\s+)?(?P<n>{_N})\s*(?P<unit>ngày\s+làm\s+việc|ngày|tuần|tháng|giờ"
    rf"(?!\s*(?:\d|phút|ngày|thứ|chiều|sáng))|năm)(?P<working>\s*\(?làm\s+việc\)?)?(?!\s*(?:đầu|cuối|qua"
    rf"|gần\s+đây|tới\s+đây))"
    rf"(?P<origin>\s*,?\s*(?:tính\s+)?(?:kể\s+từ|tính\s+từ|từ|sau)\s+(?:{_day('w')}|[^,;.():]{{2,80}}))?"
)
OF_ISSUE = pattern(
    r"(?:khi\s+)?(?:(?:ngày\s+)?(?:ban\s+hành|ký(?:\s+ban\s+hành)?|ra)"
    r"(?:\s+(?:thông\s+báo|văn\s+bản|công\s+văn|kết\s+luận|chỉ\s+thị)(?:\s+kết\s+luận)?)?(?:\s+này)?"
    r"|(?:ngày\s+)?(?:hôm\s+nay|nay)"
    r"|(?:ngày\s+)?(?:có\s+)?(?:thông\s+báo|văn\s+bản|công\s+văn)(?:\s+kết\s+luận)?\s+này(?:\s+"
    r"(?:được\s+)?(?:ban\s+hành|ký))?)(?!\w)"
)
AHEAD_OF = pattern(r"\s*trước\s+(?:ngày\s+(?!\d)|khi|kỳ|thời\s+điểm|phiên|cuộc)[^,;.():]{0,60}")
_PERIOD = r"(?P<unit>ngày|tuần|tháng|quý|năm|nửa\s+năm)"
_EVERY = r"(?:hằng|hàng|mỗi|các)"
_UNIT = r"(?:ngày|tuần|tháng|quý|năm)"
_WEEKDAY = r"(?:thứ\s+(?:hai|ba|tư|năm|sáu|bảy|[2-7])|chủ\s+nhật)"
_BY_DAY = r"\s*[,(]?\s*(?:chậm\s+nhất\s+(?:là\s+)?(?:vào\s+)?|trước\s+|vào\s+)"
RECURRING = pattern(
    rf"""(?:
      (?P<fixed>
        (?:(?:định\s+kỳ\s*,?\s*\(?\s*|từ\s+ngày\s+\d{{1,2}}\s+(?=đến)|(?:vào|trước|{_LATEST}|trong|đến)\s*)+|(?=(?:sáng|chiều|thứ)\s))
        (?:(?:sáng|chiều|tối|cuối|đầu\s+giờ(?:\s+\w+)?)\s+)*(?:{_HOUR})?
        (?:(?:ngày\s+)?{_WEEKDAY}(?:\s+tuần\s+(?:đầu|cuối|thứ\s+\w+)(?:\s+tiên)?)?|tuần\s+(?:đầu|cuối|thứ\s+\w+)
          |ngày\s+(?:làm\s+việc\s+)?(?:thứ\s+)?(?:mùng\s+)?(?:\d{{1,2}}|cuối(?:\s+cùng)?)
            (?:\s*(?:,|và)\s*(?:ngày\s+)?\d{{1,2}})*(?:\s*/\s*\d{{1,2}}|\s+tháng\s+\d{{1,2}})?
          |ngày\s+\d{{1,2}}(?:\s+(?:của\s+)?tháng\s+(?:đầu|cuối|thứ\s+ba)(?:\s+tiên)?))
        \s*(?:của\s+|,\s*)?{_EVERY}\s+(?P<fixed_unit>tuần|tháng|quý|năm))
    | (?P<daily>
        (?:vào|trước|{_LATEST})\s*\d{{1,2}}\s*(?:giờ|h|g|:)(?:\s*\d{{2}})?(?:\s*phút)?\s*(?:hằng|hàng|mỗi)\s+ngày)
    | (?P<of>(?:vào|trước|{_LATEST})\s*ngày\s+\d{{1,2}}\s+của\s+tháng(?!\s*(?:\d|này|sau|tới|đầu|cuối|thứ|hiện)))
    | (?P<first>
        (?:định\s+kỳ\s+)?(?:vào|trước|{_LATEST})\s*ngày\s+\d{{1,2}}\s+(?:của\s+)?tháng\s+(?:đầu(?:\s+tiên)?|cuối)\s+
        (?:của\s+)?(?:(?:hằng|hàng|mỗi)\s+)?quý(?:\s+sau)?)
    | (?P<set>
        định\s+kỳ\s+
        (?:(?P<setn>\d{{1,2}}|một|hai|ba|sáu|chín)\s+(?P<setunit>ngày|tuần|tháng|năm)(?:\s*/?\s*(?:một\s+|1\s+)?lần)?
          |(?:(?:theo|{_EVERY})\s+)*(?!tháng\s+\d){_PERIOD}(?:\s*(?:,|và|hoặc)\s*(?:{_EVERY}\s+|theo\s+)?{_UNIT})*)
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
NOT_RECURRING = pattern(
    r"(?:kế\s+hoạch|dự\s+toán|nhiệm\s+vụ|chỉ\s+tiêu|ngân\s+sách|đầu\s+tư\s+công|lương|thu\s+nhập"
    r"|bình\s+quân|chi\s+phí|vốn|trợ\s+cấp|phụ\s+cấp|sinh\s+hoạt|"
    r"nhu\s+cầu|danh\s+mục|chương\s+trình|sử\s+dụng\s+đất|kinh\s+phí|báo\s+cáo\s+tài\s+chính"
    r"|phiên\s+họp|cuộc\s+họp|giao\s+ban|đời\s+sống|công\s+việc|khám\s+sức\s+khỏe|cống\s+hiến"
    r"|thường\s+niên|số\s+liệu|tăng\s+trưởng|thiên\s+tai)\s*(?:thường\s+kỳ\s*|giao\s+ban\s*)?$"
)
RECURRENCES = {
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
EVENT = pattern(
    r"""(?:
      ngay\s+(?:sau\s+)?khi\s+[^,;.():]{2,70}
    | ngay\s+sau\s+(?:cuộc|buổi|hội|kỳ|phiên|thời|ngày|Tết|tết)[^,;.():]{2,60}
    | (?:trước|sau|trong|tại|trình|vào|dịp)\s+(?:dịp\s+|thời\s+điểm\s+|khi\s+diễn\s+ra\s+|ngày\s+diễn\s+ra\s+)?
        (?:tết(?:\s+nguyên\s+đán)?|kỳ\s+họp|đại\s+hội|hội\s+nghị\s+(?:tới|lần)|mùa\s+(?:mưa|bão|khô|lũ)
          |năm\s+học|khai\s+giảng|phiên\s+họp\s+(?:tới|thứ|lần\s+thứ|thường\s+kỳ|thường\s+lệ|tháng|gần\s+nhất)
          |cuộc\s+họp\s+(?:tới|lần\s+sau|tiếp\s+theo))[^,;.():]{0,60}
    | tại\s+(?:cuộc\s+họp|phiên\s+họp|hội\s+nghị)\s[^,;.():]{0,60}
        (?:tháng\s+\d{1,2}|tuần\s+\d{1,2}|quý\s+[iv\d]+|tới|tiếp\s+theo|gần\s+nhất|lần\s+thứ\s+\w+|cuối\s+năm)[^,;.():]{0,20}
    | trước\s+(?:ngày\s+)?\d{1,2}\s+(?:tết|tháng\s+chạp)(?!\w)
    | trước\s+(?:các\s+)?(?:dịp\s+|kỳ\s+nghỉ\s+|ngày\s+)?(?:nghỉ\s+)?(?:lễ|dịp)\s+[^,;.():]{2,40}
    | nhân\s+(?:dịp\s+)?(?:kỷ\s+niệm|ngày\s+(?!\d))[^,;.():]{2,60}
    | trước\s+(?:khi|buổi|thời\s+điểm(?!\s+(?:ngày|\d)))\s+[^,;.():]{2,60}
    | trước\s+ngày\s+(?!thứ\s|mùng\s|mồng\s|hôm\s|mai\b|cuối\s|lễ\s+\d)[^\W\d_][^,;.():]{2,60}
    | (?:^|(?<=[,;:(.]\s))sau\s+khi\s+(?:được|có|hoàn|nhận|kết)[^,;.():]{2,70}
    | khi\s+có\s+(?!thể)[^,;.():]{2,50}
    | ngay\s+trong\s+quá\s+trình\s+[^,;.():]{2,50}
    )""",
    re.VERBOSE,
)
EVENT_END = pattern(
    r"\s+(?:để|nhằm|theo\s+quy\s+định|theo\s+đúng\s+quy\s+định|đúng\s+quy\s+định|báo\s+cáo|tham\s+mưu"
    r"|khẩn\s+trương|tổ\s+chức\s+thực\s+hiện|triển\s+khai\s+thực\s+hiện)\b"
)
VAGUE = pattern(
    r"(?<!từ\s)(?<!chưa\s)\b(?:kịp\s+thời|khẩn\s+trương|thường\s+xuyên|sớm(?!\s+(?:hơn|muộn))|ngay"
    r"(?!\s+(?:từ|tại|trong|cả|thẳng|ngắn|khi|sau|lập\s+tức)))\b"
)
OF_A_PLAN = pattern(
    r"(?:(?:giai\s+đoạn|nhiệm\s+kỳ|thời\s+kỳ)[\d\s–,-]*(?:năm\s*)?"
    r"|(?:những\s+|các\s+)năm\s+(?:tiếp\s+theo|sau|tới)\s*"
    r"|(?:tầm\s+nhìn|định\s+hướng|mục\s+tiêu|chiến\s+lược|quy\s+hoạch|đề\s+án|chương\s+trình)(?:[^,;.]{0,60}))$"
)
NOT_URGING = re.compile(rf"(?<!\w)(?:{wording.load().any_of('not_urging')})\s+$")
EXPECTED = pattern(r"dự\s+kiến(?:\s+(?:tổ\s+chức|diễn\s+ra|khai\s+mạc|họp|là|vào))*\s*:?\s*$")
MEASURED = pattern(r"(?:^|[\s(])(?:tính|số\s+liệu|cập\s+nhật|thống\s+kê|lũy\s+kế)(?:\s+báo\s+cáo)?\s*$")
EXTENDED = pattern(
    r"(?:kéo\s+dài|gia\s+hạn)(?:\s+(?:thời\s+gian|thời\s+hạn|thực\s+hiện|giải\s+ngân|thanh\s+toán|và))*\s*$"
)
"""A period that is extended: its end bounds another event than the task."""
LATE = pattern(r"(?:bị\s+)?(?:chậm|thiệt\s+hại|hư\s+hỏng|xảy\s+ra)\s*$")
START = pattern(r"(?:kể\s+từ|bắt\s+đầu\s+từ|ngay\s+từ|từ)\s+(?:đầu\s+)?$")
