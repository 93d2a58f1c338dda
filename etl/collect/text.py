"""Text as offices type it: matching keys fold what writers vary in, the original is kept for display.

DOMAIN.md section 5, cases 4, 13, 14 and 16: NFD, tone placement (hoà/hòa), look-alike letters, no-break spaces.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

# White space of all kinds, and control characters, which no database text may hold.
_SPACES = re.compile(r"[\s\x00-\x1f\x7f\u00a0\u2009\u202f\u200b\ufeff]+")
_LOOKALIKES = str.maketrans(
    {
        "Ð": "Đ",
        "–": "-",
        "—": "-",
        "−": "-",
        "‑": "-",
        "’": "'",
        "‘": "'",
        "“": '"',
        "”": '"',
        **dict(zip("АВЕКМНОРСТХаеорсху", "ABEKMHOPCTXaeopcxy", strict=True)),
    }
)

_IN_CODES = str.maketrans({"Đ": "D", "_": "-"})


@lru_cache(maxsize=65536)
def clean(text: str) -> str:
    """NFC, runs of white space folded to one blank, ends trimmed; what is stored and shown."""
    if text.isascii() and text.isalnum():
        return text
    return _SPACES.sub(" ", unicodedata.normalize("NFC", text)).strip()


@lru_cache(maxsize=65536)
def fold(text: str) -> str:
    """Matching key: lower case, no accents, đ as d, look-alikes mapped, only letters, digits and ``%+-/.,():``."""
    mapped = clean(text).translate(_LOOKALIKES).casefold().replace("đ", "d")
    bare = "".join(c for c in unicodedata.normalize("NFD", mapped) if not unicodedata.combining(c))
    return _SPACES.sub(" ", bare).strip()


@lru_cache(maxsize=65536)
def fold_code(text: str) -> str:
    """Matching key of a code: upper case, look-alikes mapped, no white space; codes have no Đ and no underscore."""
    return _SPACES.sub("", clean(text).translate(_LOOKALIKES)).upper().translate(_IN_CODES)


_UNIT_WORDS = re.compile(r"^(uy ban nhan dan|ubnd|x\.|p\.|xa|phuong)\s*")


def fold_commune(text: str) -> str:
    """``UBND xã Quan Sơn``, ``X. Quan Sơn``, ``QUAN SON`` -> ``quan son`` (case 17)."""
    folded = fold(text)
    while (shorter := _UNIT_WORDS.sub("", folded).strip()) != folded:
        folded = shorter
    return folded
