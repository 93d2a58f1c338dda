"""How tall a row of a workbook has to be: a workbook stores no line breaks, so they are estimated."""

from __future__ import annotations

import textwrap
from functools import lru_cache

LINE_POINTS = 14.5
# Times New Roman 11 sets 1,4 letters of Vietnamese text to one unit of column width; the rest is room for a wide line.
_LETTERS_PER_WIDTH = 1.3


@lru_cache(maxsize=8192)
def lines(text: str, width: float) -> int:
    """Lines that ``text`` takes in a wrapped cell of that column width."""
    letters = max(1, int(width * _LETTERS_PER_WIDTH))
    return sum(max(1, len(textwrap.wrap(part, letters))) for part in text.split("\n"))
