"""What the texts of a row tell about it: the end of the table, a total, a sum over a part, a note."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from etl.collect.text import fold

_BLANKS = r"[\s\d._…]*"
_END = re.compile(
    r"(nguoi lap( bieu)?\b|noi nhan|tm\. uy ban|tm\. ubnd|tm\.ubnd|k/?t\. |chu tich$|ghi chu\s*:|ke toan( truong)?$"
    r"|thu truong don vi|\(?da ky\)?$|\(?ky,? )"
    rf"|[^,]{{2,40}}, ngay{_BLANKS}thang{_BLANKS}nam{_BLANKS}$"
)
_PART = r"[ivx]{1,4}"
_TOTAL = re.compile(
    r"^(tong cong|tong so|tong|cong|toan (xa|phuong)(?=[ :]*$))"
    rf"( chung| toan xa| toan phuong| \(.*\)|[= ]+({_PART}|\d+)([+=. ]+({_PART}|\d+))+"
    r"|( (cac|ca|ba|von|nguon|ke hoach|3|chuong trinh|ctmtqg|mtqg))+)?\s*:?$"
)
_SUBTOTAL = re.compile(
    rf"^(tong cong|tong so|tong|cong) ((muc|phan|nhom)? ?\(?{_PART}\)?|(chuong trinh|ctmtqg|ct|du an|tieu du an)\b.*)$"
)
"""A sum over a part of the table, without a code: *Cộng I*, *Cộng chương trình …*."""
_WORD = re.compile(r"[^\W\d_]{2,}(?!\S*\d)")
SUMS = ("total", "part")
_FEWEST_WORDS = 3
FEW = 2
_LONGEST_MARK = 120


@lru_cache(maxsize=4096)
def what_is(text: str) -> str:
    """What a text tells about its row: ``end`` of the table, ``total`` row, ``part`` of it, ``blank``."""
    folded = fold(text)
    if not folded:
        return "blank"
    if len(folded) > _LONGEST_MARK:
        return ""
    if _END.match(folded):
        return "end"
    if _TOTAL.match(folded):
        return "total"
    if _SUBTOTAL.match(folded):
        return "part"
    return ""


def is_note(code: object, filled: int, stt: object) -> bool:
    """Whether a row says nothing but a sentence where its code should stand: a note under the table, no data."""
    alone = filled == 1 or (filled == FEW and stt not in (None, ""))
    return alone and isinstance(code, str) and len(_WORD.findall(code)) >= _FEWEST_WORDS


def ends_table(told: Sequence[str], filled: int, code: object) -> bool:
    """Whether an end mark is one: it opens its row or stands nearly alone, and the row has no code."""
    if isinstance(code, str) and what_is(code) not in ("end", "blank"):
        return False
    return told.index("end") < 2 or filled <= 2
