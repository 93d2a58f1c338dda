"""Vietnamese text in the encodings before Unicode: TCVN3 (fonts .VnTime …) and VNI (fonts VNI-Times …), case 15.

Such text is stored as Latin-1 letters that only the font turns into Vietnamese. The tables are TCVN 5712:1993 (set 3)
and the VNI for Windows encoding. A text is converted when it holds letters that Unicode Vietnamese never has; the
name of the font in the file is a further witness.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from etl.collect.grid import Grid, address
from etl.collect.report import Issue

_VOWELS = "aăâeêioôơuưy"
_TONES = ("\u0300", "\u0309", "\u0303", "\u0301", "\u0323")
"""grave, hook, tilde, acute, dot below: the order of TCVN3's table."""

_TCVN3_BASE = {"a": "a", "ă": "¨", "â": "©", "e": "e", "ê": "ª", "o": "o", "ô": "«", "ơ": "¬", "u": "u", "ư": "\xad"}
_TCVN3_TONED = {
    "a": "µ¶·¸¹",
    "ă": "»¼½¾Æ",
    "â": "ÇÈÉÊË",
    "e": "ÌÎÏÐÑ",
    "ê": "ÒÓÔÕÖ",
    "i": "×ØÜÝÞ",
    "o": "ßáâãä",
    "ô": "åæçèé",
    "ơ": "êëìíî",
    "u": "ïñòóô",
    "ư": "õö÷øù",
    "y": "úûüýþ",
}
_TCVN3_CAPITALS = {"¡": "Ă", "¢": "Â", "£": "Ê", "¤": "Ô", "¥": "Ơ", "¦": "Ư", "§": "Đ", "®": "đ"}

_VNI_MARKS = {
    "ù": "\u0301",
    "ø": "\u0300",
    "û": "\u0309",
    "õ": "\u0303",
    "ï": "\u0323",
    "â": "\u0302",
    "á": "\u0302\u0301",
    "à": "\u0302\u0300",
    "å": "\u0302\u0309",
    "ã": "\u0302\u0303",
    "ä": "\u0302\u0323",
    "ê": "\u0306",
    "é": "\u0306\u0301",
    "è": "\u0306\u0300",
    "ú": "\u0306\u0309",
    "ü": "\u0306\u0303",
    "ë": "\u0306\u0323",
}
_VNI_SINGLE = {
    "ñ": "đ",
    "ö": "ư",
    "ô": "ơ",
    "í": "í",
    "ì": "ì",
    "æ": "ỉ",
    "ó": "ĩ",
    "ò": "ị",
    "î": "ỵ",
}


def _compose(base: str, marks: str) -> str:
    return unicodedata.normalize("NFC", base + marks)


def _tcvn3_table() -> dict[int, str]:
    table = {ord(old): new for new, old in _TCVN3_BASE.items() if old != new}
    for vowel, codes in _TCVN3_TONED.items():
        table |= {ord(code): _compose(vowel, tone) for code, tone in zip(codes, _TONES, strict=True)}
    return table | {ord(old): new for old, new in _TCVN3_CAPITALS.items()}


_TCVN3 = _tcvn3_table()
_TCVN3_ONLY = frozenset("¸µ¶·¹¨»¼½¾©ª«¬\xad®§¡¢£¤¥¦")
"""Signs that no other writing of Vietnamese uses as letters."""
_MODERN = re.compile("[ĂăĐđĨĩŨũƠơƯưẠ-ỹ\u0300-\u036f]")
_SHARED = frozenset("ÀÁÂÃÈÉÊÌÍÒÓÔÕÙÚÝàáâãèéêìíòóôõùúý")
"""Letters that Unicode Vietnamese has too: alone they prove nothing."""
_VNI_TONES, _VNI_HATS, _VNI_BREVES = "ùøûõï", "âáàåãä", "êéèúüë"
_VNI_PAIR = re.compile(
    f"([aA][{_VNI_TONES}{_VNI_HATS}{_VNI_BREVES}]|[eEoO][{_VNI_TONES}{_VNI_HATS}]|[uUyYôÔöÖ][{_VNI_TONES}])",
    re.IGNORECASE,
)
_VNI_LETTER = re.compile(f"{_VNI_PAIR.pattern}|[{''.join(_VNI_SINGLE)}]", re.IGNORECASE)
_VNI_ONLY = re.compile(r"[aeouyôö][øûïåäëü]|[ñö]", re.IGNORECASE)
_LOST = "\ufffd"


@lru_cache(maxsize=8192)
def encoding_of(text: str, font: str | None = None) -> str | None:
    """``TCVN3`` or ``VNI`` when ``text`` can be nothing else; ``font`` is what the file's fonts say."""
    if text.isascii() or _MODERN.search(text):
        return None
    signs = sum(c in _TCVN3_ONLY for c in text)
    foreign = sum(ord(c) in _TCVN3 and c not in _SHARED for c in text)
    pairs = len(_VNI_ONLY.findall(text))
    if font == "TCVN3" and foreign:
        return "TCVN3"
    if font == "VNI" and pairs:
        return "VNI"
    if signs >= 2 or (signs == 1 and foreign >= 2):
        return "TCVN3"
    return "VNI" if pairs >= 2 and not signs else None


@lru_cache(maxsize=65536)
def is_modern(text: str) -> bool:
    """Whether ``text`` has letters that only Unicode Vietnamese has."""
    return not text.isascii() and bool(_MODERN.search(text))


@lru_cache(maxsize=8192)
def belongs(text: str, encoding: str, *, alone: bool) -> bool:
    """Whether a text of a sheet in ``encoding`` is to be converted; ``alone``: the sheet has no Unicode Vietnamese."""
    if text.isascii() or _MODERN.search(text):
        return False
    if encoding == "TCVN3":
        return any(ord(c) in _TCVN3 and (alone or c not in _SHARED) for c in text)
    return bool(_VNI_ONLY.search(text)) or (alone and bool(_VNI_PAIR.search(text)))


@lru_cache(maxsize=8192)
def convert(text: str, encoding: str) -> str:
    """``text`` in Unicode (NFC)."""
    if encoding == "TCVN3":
        return unicodedata.normalize("NFC", text.translate(_TCVN3))
    return unicodedata.normalize("NFC", _VNI_LETTER.sub(_joined, text))


def _joined(match: re.Match[str]) -> str:
    letters = match[0]
    if len(letters) == 1:
        return _single(letters)
    return _compose(_single(letters[0]), _VNI_MARKS[letters[1].lower()])


def _single(char: str) -> str:
    new = _VNI_SINGLE.get(char.lower())
    return char if new is None else new.upper() if char.isupper() else new


def is_lost(text: str) -> bool:
    """Whether letters were replaced by a mark of loss when the text was saved: nobody can read them again."""
    return _LOST in text


def modernise(grid: Grid) -> list[Issue]:
    """Texts of the time before Unicode become Vietnamese; one remark for the sheet (case 15)."""
    found: dict[str, int] = {}
    modern = False
    texts: list[tuple[int, int, str]] = []
    for r, line in enumerate(grid.rows):
        for c, value in [(c, v) for c, v in enumerate(line) if type(v) is str and not v.isascii()]:
            if is_modern(value):
                modern = True
                if is_lost(value):
                    texts.append((r, c, value))
                continue
            texts.append((r, c, value))
            encoding = encoding_of(value, grid.legacy_font)
            if encoding:
                found[encoding] = found.get(encoding, 0) + 1
    if not texts:
        return []
    issues = [
        Issue("M15-lost", grid.name, address(r, c), {"value": value[:60]}) for r, c, value in texts if is_lost(value)
    ]
    encoding = max(found, key=lambda name: found[name]) if found else None
    if encoding is None:
        return issues
    first: str | None = None
    old_rows = {r for r, _, value in texts if belongs(value, encoding, alone=False)}
    old_rows -= {r for r in old_rows if any(isinstance(v, str) and is_modern(v) for v in grid.rows[r])}
    for r, c, value in texts:
        if belongs(value, encoding, alone=not modern or r in old_rows):
            grid.rows[r][c] = convert(value, encoding)
            first = first or address(r, c)
    return [*issues, Issue("M15", grid.name, first, {"value": encoding})]
