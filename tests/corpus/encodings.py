"""Vietnamese text in the encodings of the nineties, as old files and old fonts still bring it.

Tables: TCVN 5712:1993 (fonts named .Vn…) and VNI for Windows (fonts named VNI-…). A spreadsheet holds their bytes as
characters of Windows-1252, which for all bytes used here is Latin-1.
"""

from __future__ import annotations

import unicodedata

_TCVN3_LOWER = {
    "à": 0xB5, "ả": 0xB6, "ã": 0xB7, "á": 0xB8, "ạ": 0xB9, "ă": 0xA8, "ằ": 0xBB, "ẳ": 0xBC, "ẵ": 0xBD, "ắ": 0xBE,
    "ặ": 0xC6, "â": 0xA9, "ầ": 0xC7, "ẩ": 0xC8, "ẫ": 0xC9, "ấ": 0xCA, "ậ": 0xCB, "đ": 0xAE, "è": 0xCC, "ẻ": 0xCE,
    "ẽ": 0xCF, "é": 0xD0, "ẹ": 0xD1, "ê": 0xAA, "ề": 0xD2, "ể": 0xD3, "ễ": 0xD4, "ế": 0xD5, "ệ": 0xD6, "ì": 0xD7,
    "ỉ": 0xD8, "ĩ": 0xDC, "í": 0xDD, "ị": 0xDE, "ò": 0xDF, "ỏ": 0xE1, "õ": 0xE2, "ó": 0xE3, "ọ": 0xE4, "ô": 0xAB,
    "ồ": 0xE5, "ổ": 0xE6, "ỗ": 0xE7, "ố": 0xE8, "ộ": 0xE9, "ơ": 0xAC, "ờ": 0xEA, "ở": 0xEB, "ỡ": 0xEC, "ớ": 0xED,
    "ợ": 0xEE, "ù": 0xEF, "ủ": 0xF1, "ũ": 0xF2, "ú": 0xF3, "ụ": 0xF4, "ư": 0xAD, "ừ": 0xF5, "ử": 0xF6, "ữ": 0xF7,
    "ứ": 0xF8, "ự": 0xF9, "ỳ": 0xFA, "ỷ": 0xFB, "ỹ": 0xFC, "ý": 0xFD, "ỵ": 0xFE,
}  # fmt: skip
_TCVN3_UPPER = {"Ă": 0xA1, "Â": 0xA2, "Ê": 0xA3, "Ô": 0xA4, "Ơ": 0xA5, "Ư": 0xA6, "Đ": 0xA7}
_TCVN3 = {**_TCVN3_LOWER, **_TCVN3_UPPER}

# VNI writes a mark as a second character after the vowel; the mark tells the tone and, for â and ă, the shape.
_VNI_MARKS = {
    "\u0301": 0xF9, "\u0300": 0xF8, "\u0309": 0xFB, "\u0303": 0xF5, "\u0323": 0xEF,
    "\u0302": 0xE2, "\u0302\u0301": 0xE1, "\u0302\u0300": 0xE0, "\u0302\u0309": 0xE5, "\u0302\u0303": 0xE3,
    "\u0302\u0323": 0xE4, "\u0306": 0xEA, "\u0306\u0301": 0xE9, "\u0306\u0300": 0xE8, "\u0306\u0309": 0xFA,
    "\u0306\u0303": 0xFC, "\u0306\u0323": 0xEB,
}  # fmt: skip
_VNI_WHOLE = {
    "đ": 0xF1, "í": 0xED, "ì": 0xEC, "ỉ": 0xE6, "ĩ": 0xF3, "ị": 0xF2, "ỵ": 0xEE, "ơ": 0xF4, "ư": 0xF6,
}  # fmt: skip
_HORN = "\u031b"
_UPPER_OFFSET = 0x20


def needs_capital_font(text: str) -> bool:
    """TCVN3 has no code for a capital with a tone: such text is set in small letters in a font of capitals."""
    return any(c.isalpha() and ord(c) > 127 and c.isupper() and c not in _TCVN3_UPPER for c in text)


def tcvn3(text: str) -> str:
    """The text as TCVN3 bytes shown in Latin-1; text with toned capitals goes to small letters."""
    text = unicodedata.normalize("NFC", text)
    if needs_capital_font(text):
        text = text.lower()
    return "".join(chr(_TCVN3.get(c, ord(c))) for c in text)


def vni(text: str) -> str:
    return "".join(_vni_letter(c) for c in unicodedata.normalize("NFC", text))


def _vni_letter(char: str) -> str:
    if ord(char) < 128:
        return char
    lower, raised = char.lower(), _UPPER_OFFSET if char.isupper() else 0
    if lower in _VNI_WHOLE:
        return chr(_VNI_WHOLE[lower] - raised)
    bare, *marks = list(unicodedata.normalize("NFD", lower))
    # The canonical order puts a dot below before a circumflex or breve; the tables have it last.
    marks.sort(key=lambda m: m not in ("\u0302", "\u0306", _HORN))
    if _HORN in marks:
        horned = _VNI_WHOLE["ơ" if bare == "o" else "ư"] - raised
        tone = "".join(m for m in marks if m != _HORN)
        return chr(horned) + chr(_VNI_MARKS[tone] - raised)
    mark = _VNI_MARKS.get("".join(marks))
    if mark is None:
        return char
    return (bare.upper() if raised else bare) + chr(mark - raised)


_TONES = (
    ("òa", "oà"), ("óa", "oá"), ("ỏa", "oả"), ("õa", "oã"), ("ọa", "oạ"), ("òe", "oè"), ("óe", "oé"), ("ỏe", "oẻ"),
    ("ùy", "uỳ"), ("úy", "uý"), ("ủy", "uỷ"), ("ũy", "uỹ"), ("ụy", "uỵ"),
)  # fmt: skip


def other_tone_placement(text: str) -> str:
    """``Lũy kế`` -> ``Luỹ kế``, ``hòa`` -> ``hoà``."""
    for new, old in _TONES:
        text = text.replace(new, old).replace(new.upper(), old.upper()).replace(new.capitalize(), old.capitalize())
    return text


_LOOKALIKE = str.maketrans({"A": "А", "B": "В", "E": "Е", "H": "Н", "K": "К", "M": "М", "O": "О", "P": "Р", "T": "Т"})


def cyrillic(text: str) -> str:
    """Latin capitals replaced by Cyrillic ones that look the same."""
    return text.translate(_LOOKALIKE)
