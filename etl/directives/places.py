"""Places in the names of bodies: *xã Quan Sơn*, *tỉnh*, and words with capital letters."""

from __future__ import annotations

import re

from etl.directives.folding import key

LEVEL = r"(?:tỉnh|thành phố|tp\.?|huyện|quận|thị xã|tx\.?|xã|phường|thị trấn|đặc khu)"
COMMUNE = r"(?:xã|phường|thị trấn|đặc khu)"
_DASHED = re.compile(r"(?:Bà Rịa|Phan Rang|Thừa Thiên)\s[-–]\s(?:Vũng Tàu|Tháp Chàm|Huế)(?!\w)")
PLACED = re.compile(rf"(?P<level>{LEVEL})(?!\w)\.?\s*")


def proper(text: str, at: int) -> int:
    """End of the words with capital letters (or numbers after them) that stand from ``at`` on; ``at`` without any."""
    dashed = _DASHED.match(text, at)
    end = dashed.end() if dashed else at
    while word := re.compile(r"[^\W_][\w.'’]*(?:-[^\W_]\w*)*").match(text, end if end == at else end + 1):
        if end > at and text[end : end + 1] != " ":
            break
        if not (word[0][0].isupper() or (end > at and word[0].isdigit())):
            break
        end = word.end() - (word[0].endswith("."))
        if word[0].endswith("."):
            break
    return end


def placed(text: str, plain: str, at: int) -> tuple[str, int, bool] | None:
    """*xã Quan Sơn*, *tỉnh*: its name, end and whether it is a commune."""
    match = PLACED.match(plain, at)
    if match is None:
        return None
    level = text[at : match.end()].strip()
    is_commune = re.fullmatch(rf"{COMMUNE}|huyện|quận|thị xã|tx", key(level)) is not None
    end = proper(text, match.end())
    if end == match.end():
        return level, at + len(level), is_commune
    return f"{level} {text[match.end() : end]}", end, is_commune
