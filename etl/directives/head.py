"""The head and foot of a notice (NĐ 30/2020/NĐ-CP, Phụ lục I): who issued it, number, date, subject, chair, recipients.

What the text does not say is None: number and date are often written in by the registrar's desk only, and are asked
for (``questions``), never made up.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from etl.directives.folding import PAGE_MARK, key, pattern

_HEAD_LINES = 60
_KINDS = "thông báo|công văn|chỉ thị|kết luận|công điện|nghị quyết|quyết định|kế hoạch|biên bản|thông báo kết luận"
_KIND = pattern(rf"\**(?P<kind>{_KINDS})\**\s*:?")
_NUMBER = re.compile(
    r"Số\s*:?\s*(?P<number>[\d\s.…_-]*)\s*(?P<symbol>/\s*[A-ZĐ][\w&.ĐÂ]*(?:\s*-\s*[\wĐ&.]+)*)", re.IGNORECASE
)
_PARTY_NUMBER = re.compile(r"Số\s*:?\s*(?P<number>\d+)\s*-\s*(?P<symbol>[A-Z]+/[\w&]+)")
_DATED = re.compile(
    r"(?P<place>[A-ZĐÀ-Ỹ][^\n,\d]{1,40}),?\s*ngày\s*(?P<d>\d{1,2}|[\s.…_]*)\s*tháng\s*(?P<m>\d{1,2}"
    r"|[\s.…_]*)\s*năm\s*(?P<y>\d{4}|[\s.…_]*)"
)
_SHORT_DATED = re.compile(
    r"^(?P<place>[A-ZĐÀ-Ỹ][^\n,\d]{1,40}),\s*ngày\s*(?P<d>\d{1,2})\s*/\s*(?P<m>\d{1,2})\s*/\s*(?P<y>\d{4})\s*$"
)
_NATION = pattern(r"cộng hòa xã hội|độc lập\s*-\s*tự do|đảng cộng sản việt nam")
_BODY = pattern(
    r"(?:(?:vào )?(?:hồi|lúc|sáng|chiều|tối|ngày)\s|vào ngày|thực hiện|căn cứ|sau khi|trong (?:các "
    r")?ngày|từ ngày|xét|thừa|qua |nhân dịp|tại (?:trụ sở|hội trường|phòng)|kính gửi|tiếp theo|thời gian|tham dự"
    r"|để |i\.|1\.|\(1\)|\|)|.*như sau\s*:"
)
_CHAIR = re.compile(
    r"(?:của|do)\s+(?P<chair>(?:đồng chí|ông|bà|Thủ tướng|Phó Thủ tướng|Chủ tịch|Phó Chủ tịch|Bộ trưởng"
    r"|Thứ trưởng|Giám đốc|Phó Giám đốc|Bí thư|Phó Bí thư|Trưởng|Phó|Thường trực|Ban|UBND|Lãnh đạo)"
    r"[^\n]*?)\s+(?:tại|về|trong|sau|chủ trì|qua|nhân)\s",
    re.IGNORECASE,
)
_MET = re.compile(
    r"^(?:[^,.;]{0,20}\s)?(?:[Nn]gày|[Ss]áng|[Cc]hiều)\s+(?:ngày\s+)?(\d{1,2})\s*(?:/|tháng)\s*"
    r"(\d{1,2})\s*(?:/|năm)\s*(\d{4})"
)
_NAME = re.compile(r"(?:[A-ZĐÀ-Ỹ]\w*\s+){1,4}[A-ZĐÀ-Ỹ]\w*")
_SIGNED_FOR = re.compile(r"^(?:TM|KT|TL|TUQ|T/M|K/T|T/L|Q)\s*\.")


@dataclass(frozen=True)
class Head:
    """None where the text does not say."""

    issuer: str | None = None
    kind: str | None = None
    number: str | None = None
    symbol: str | None = None
    issued: date | None = None
    place: str | None = None
    subject: str | None = None
    chair: str | None = None
    met_on: date | None = None
    recipients: tuple[str, ...] = ()
    signed_for: str | None = None
    signed_by: str | None = None

    @property
    def questions(self) -> list[str]:
        """What the registrar has to say."""
        asked = []
        if self.number is None:
            symbol = f" (ký hiệu {self.symbol})" if self.symbol else ""
            asked.append(f"Văn bản không ghi số{symbol}: đề nghị văn thư bổ sung khi đăng ký.")
        if self.issued is None:
            asked.append("Văn bản không ghi ngày ban hành: đề nghị văn thư bổ sung (--issued NNNN-TT-NN).")
        if self.issuer is None:
            asked.append("Văn bản không có tên cơ quan ban hành ở đầu trang: đề nghị văn thư bổ sung.")
        return asked


def read(raw: str) -> Head:
    """Head and foot of the text as read. Wide gaps part the columns that share a line."""
    raw = re.sub(r"(Số\s*:|ngày|tháng|năm)[ \t]+", r"\1 ", raw)
    lines = [_plain(line) for line in re.split(r"[\n\f\v]|\s{4,}|\t", raw)]
    lines = [line for line in lines if line and not PAGE_MARK.fullmatch(line)]
    body = _body_from(lines)
    top = lines[: min(body, _HEAD_LINES)]
    number, symbol = _number(top)
    place, issued = _issued(top)
    kind, subject = _title(top)
    chair = _CHAIR.search(f"{subject} ") if subject else None
    met = next((m for line in lines[body : body + 4] if (m := _MET.search(line[:60]))), None)
    recipients, signed_for, signed_by = _foot(lines)
    return Head(
        _issuer(top), kind, number, symbol, issued, place, subject,
        chair["chair"].strip(" ,") if chair else None,
        _day(met[1], met[2], met[3]) if met else None,
        recipients, signed_for, signed_by,
    )  # fmt: skip


def _plain(line: str) -> str:
    return re.sub(r"\s+", " ", line.replace("*", "")).strip(" _")


def _body_from(lines: list[str]) -> int:
    """The line where the text itself begins: after the title the first that opens as texts do."""
    title = next(
        (i for i, line in enumerate(lines[:_HEAD_LINES]) if _KIND.fullmatch(key(line)) and line.isupper()), None
    )
    first = (title + 1) if title is not None else 0
    for i in range(first, min(len(lines), first + _HEAD_LINES)):
        if (
            _BODY.match(key(lines[i]))
            and not lines[i].isupper()
            and not _DATED.search(lines[i][:90])
            and (i > first or title is None)
        ):
            return i
    return min(len(lines), first + 12)


def _number(top: list[str]) -> tuple[str | None, str | None]:
    for line in top:
        party = _PARTY_NUMBER.search(line)
        if party:
            return f"{party['number']}-{party['symbol']}", party["symbol"]
        found = _NUMBER.search(line)
        if found:
            digits = re.sub(r"\D", "", found["number"])
            symbol = re.sub(r"\s+", "", found["symbol"]).strip("/")
            return (f"{digits}/{symbol}" if digits else None), symbol
    return None, None


def _issued(top: list[str]) -> tuple[str | None, date | None]:
    for line in top:
        found = _DATED.search(line) or _SHORT_DATED.search(line)
        if found:
            place = re.sub(r"^.*(?:Tự do|TỰ DO|Hạnh phúc)\s*", "", found["place"]).strip(" -_")
            return place or None, _day(found["d"], found["m"], found["y"])
    return None, None


def _day(day: str, month: str, year: str) -> date | None:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def _issuer(top: list[str]) -> str | None:
    """The lines in capitals above or left of the nation's name."""
    names: list[str] = []
    for line in top:
        nation = _NATION.search(key(line))
        left = line[: nation.start()].strip(" -_") if nation else line
        if _KIND.fullmatch(key(line)) or line.startswith(("Số", "SỐ")):
            break
        if left and left.isupper() and not _SIGNED_FOR.match(left) and sum(c.isalpha() for c in left) > 4:
            names.append(left)
        if len(names) >= 3:
            break
    return " - ".join(names) or None


def _title(top: list[str]) -> tuple[str | None, str | None]:
    """Kind of document and its subject (trích yếu); a letter has *V/v* instead."""
    for i, line in enumerate(top):
        if _KIND.fullmatch(key(line)) and line.isupper():
            words = [w for w in top[i + 1 :] if not re.fullmatch(r"[-_=*\s]+", w)]
            return line.strip(" :"), re.sub(r"\s+", " ", " ".join(words)).strip(" -_") or None
    for i, line in enumerate(top):
        if re.match(r"V/v|Về việc", line):
            words = [line, *(w for w in top[i + 1 : i + 5] if not re.search(r"^(?:Kính gửi|Số)|ngày.*tháng", w))]
            return "CÔNG VĂN", " ".join(words)
    return None, None


def _foot(lines: list[str]) -> tuple[tuple[str, ...], str | None, str | None]:
    at = next((i for i in range(len(lines) - 1, -1, -1) if key(lines[i]).startswith("nơi nhận")), None)
    rest = lines[at + 1 :] if at is not None else lines[-8:]
    recipients: list[str] = []
    authority: list[str] = []
    names: list[str] = []
    is_open = False
    for line in rest:
        if _SIGNED_FOR.match(line) or (line.isupper() and sum(c.isalpha() for c in line) > 4):
            authority.append(line)
        elif at is not None and re.match(r"[-–+•]", line):
            recipients.append(line.lstrip("-–+• ").rstrip(" ;."))
            is_open = not line.endswith((";", "."))
        elif is_open:
            recipients[-1] += f" {line.rstrip(' ;.')}"
            is_open = not line.endswith((";", "."))
        elif _NAME.fullmatch(line):
            names.append(line)
    if at is not None and not authority:
        authority = [line for line in lines[max(0, at - 6) : at] if _SIGNED_FOR.match(line)]
        names = names or [line for line in lines[max(0, at - 4) : at] if _NAME.fullmatch(line)]
    return tuple(recipients), " / ".join(authority) or None, names[-1] if names else None
