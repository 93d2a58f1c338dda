"""Names of files as senders' programs write them: bytes in UTF-8, Windows-1258 or TCVN3, decomposed or not.

A name is only shown and compared; what counts is the content. Where the bytes fit no Vietnamese reading they are shown
with replacement marks, never left out. Cases 13 and 15 of messiness.csv.
"""

from __future__ import annotations

import os
import unicodedata

from etl.collect.text import clean

_TCVN3 = (
    "ĂÂÊÔƠƯĐăâêôơưđẰ\u0300\u0309\u0303\u0301\u0323àảãáạẲằẳẵắẴẮẦẨẪẤỀặầẩẫấậèỂẻẽéẹềểễếệìỉ"
    "ỄẾỒĩíịòỔỏõóọồổỗốộờởỡớợùỖủũúụừửữứựỳỷỹýỵ"
)
"""TCVN 5712:1993 from byte 0xA1 on; its third part (VN3) is what .VnTime fonts use, known as TCVN3 or ABC."""

_LABELS = {
    "tcvn": "tcvn3",
    "tcvn3": "tcvn3",
    "tcvn5712": "tcvn3",
    "tcvn57121": "tcvn3",
    "tcvn571211993": "tcvn3",
    "xviettcvn5712": "tcvn3",
    "xviettcvn": "tcvn3",
    "windows1258": "cp1258",
    "xcp1258": "cp1258",
}
_ACCENTS = frozenset("\u0300\u0301\u0303\u0309\u0323")
_SHAPES = frozenset("\u0302\u0306\u031b")
_DASHES = frozenset("–—-")
_LONGEST = 200


def _tcvn3(raw: bytes) -> str:
    return "".join(chr(b) if b < 0x80 else _TCVN3[b - 0xA1] if 0xA1 <= b < 0xA1 + len(_TCVN3) else "�" for b in raw)


def is_vietnamese(text: str) -> bool:
    """Whether every character is ASCII or a letter of the Vietnamese alphabet."""
    for c in unicodedata.normalize("NFC", text):
        if c.isascii() or c in "đĐ" or c in _DASHES:
            continue
        base, *marks = list(unicodedata.normalize("NFD", c))
        if base.lower() not in "aeiouyd" or not marks or not set(marks) <= _ACCENTS | _SHAPES:
            return False
    return True


def decode(raw: bytes, charset: str | None = None, otherwise: str = "utf-8") -> str:
    """Text of a name: UTF-8 where the bytes are; else ``charset`` as labelled; else the reading that is Vietnamese.

    Windows-1258 goes before TCVN3. ``otherwise`` is the encoding of last resort, unreadable bytes become marks.
    """
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        pass
    if charset:
        label = "".join(c for c in charset.lower() if c.isalnum())
        known = _LABELS.get(label, charset)
        if known == "tcvn3":
            return _tcvn3(raw)
        if label not in ("ascii", "usascii", "utf8", "unknown8bit"):
            try:
                return raw.decode(known, "replace")
            except LookupError:
                pass
    for reading in (raw.decode("cp1258", "replace"), _tcvn3(raw)):
        if "�" not in reading and is_vietnamese(reading):
            return reading
    return raw.decode(otherwise, "replace")


def shown(text: str) -> str:
    """One line in NFC that any database and page can hold; the end stays when it is too long."""
    if any("\ud800" <= c <= "\udfff" for c in text):
        text = decode(os.fsencode(text))
    tidy = clean(text)
    return tidy if len(tidy) <= _LONGEST else "…" + tidy[-_LONGEST + 1 :]


def base_name(text: str) -> str:
    """The last part of a path of any system, ``shown``; never empty."""
    return shown(text.replace("\\", "/").rstrip("/").rpartition("/")[2]) or "khong-ten"
