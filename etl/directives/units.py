"""A body that is named, and what every reading of names shares: how names are written, what stands between two."""

from __future__ import annotations

import re
from dataclasses import dataclass

from etl.directives import words as wording
from etl.directives.folding import key
from etl.directives.words import WORD_END, one_of

FIELD_NAMES = {key(name): name for name in wording.load().lists["fields"]} | {
    key(short): full for short, full in wording.load().lists["abbreviated_fields"].items()
}
FIELD = re.compile(rf"(?:{one_of(list(FIELD_NAMES))}){WORD_END}(?!&)")
SEPARATOR = re.compile(
    r"\s*,\s*(?:và\s+|cùng\s+)?(?:với\s+)?|\s+và\s+(?:với\s+)?|\s*;\s*(?:và\s+)?|\s+cùng\s+(?:với\s+)?|\s+hoặc\s+"
)


@dataclass(frozen=True)
class Unit:
    """A body at [start, end). ``is_collective``: no single owner. ``is_commune``: of one place among others.

    Places that are asked together do not co-ordinate.
    """

    name: str
    start: int
    end: int
    is_collective: bool = False
    is_commune: bool = False


def tidy(name: str) -> str:
    """One space behind a comma, none before it, however the writer set them."""
    return re.sub(r"\s*,\s*(?=\S)", ", ", re.sub(r"\s+", " ", name)).strip(" ,")


def display(name: str) -> str:
    """The name with abbreviations written out and a capital first letter."""
    for short, full in wording.load().lists["abbreviations"].items():
        name = re.sub(rf"(?<!\w){re.escape(short)}(?!\w)", full, name, flags=re.IGNORECASE if " " in short else 0)
    name = re.sub(r"^(?:Chủ tịch|Phó Chủ tịch|Lãnh đạo)\s+(?=UBND)", "", name, flags=re.IGNORECASE)
    name = re.sub(r"(?<!\w)(?<!Phó )(?:Chủ tịch|chủ tịch)\s+(?=UBND)", "", name)
    name = tidy(name)
    return name[:1].upper() + name[1:]
