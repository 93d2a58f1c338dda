"""Formulas that point out of the workbook: other files, DDE, web services, links to the web.

Such a formula goes back as text that says so and cannot come to life again; the rest of the workbook keeps working.
"""

from __future__ import annotations

import re
from html import unescape

DISARMED = "[Công thức trỏ ra ngoài tệp, hệ thống đã chuyển thành chữ] "

_LONGEST = 16_384
"""Twice the length that a spreadsheet program admits."""
_TEXT = re.compile(r'"(?:[^"]|"")*"')
_QUOTED_NAME = re.compile(r"'(?:[^']|'')*'")
# [1]Sheet1!A1, '[Book 2.xlsx]S'!A1, [1]!Name. A structured reference Table1[Cột] is none: a name stands before it.
_OTHER_FILE = re.compile(r"\[[^\[\]]+\]|\[[^\[\]]*\.(?:xl\w+|ods|csv)\]", re.IGNORECASE)
_STRUCTURED = re.compile(r"\w\[(?:[^\[\]]|\[[^\[\]]*\])*\]")
_PATH = re.compile(r"(?:[a-z]:\\|\\\\|https?:|file:|ftp:)", re.IGNORECASE)
_CALLS = re.compile(
    r"\b(?:_xlfn\.|_xlws\.|_xll\.|COM\.\w+\.)*"
    r"(?:WEBSERVICE|FILTERXML|RTD|DDE|DDEAUTO|IMAGE|CALL|REGISTER(?:\.ID)?|SQL\.REQUEST|EXEC|STOCKHISTORY|IMPORT\w+"
    r"|CUBE\w+|PY)\s*\(",
    re.IGNORECASE,
)
_HYPERLINK = re.compile(r"\bHYPERLINK\s*\(\s*(?!\"#)", re.IGNORECASE)
# What makes a closer look worth while, in the bytes of a sheet.
SUSPICIOUS = re.compile(
    rb"<(?:\w+:)?f[\s>][^<]*(?:[\[|\\]|WEBSERVICE|FILTERXML|HYPERLINK|RTD|DDE|IMAGE|CALL|REGISTER|SQL\.|EXEC|STOCK"
    rb"|IMPORT|CUBE|PY\s*\(|https?:|ftp:|file:|&#)",
    re.IGNORECASE,
)


def points_outside(formula: str, names: frozenset[str] = frozenset()) -> bool:
    """Whether a formula (without =) reaches out of the workbook. ``names``: defined names that do, in lower case."""
    if len(formula) > _LONGEST:
        return True  # no program writes it, and what it does cannot be told
    plain = _TEXT.sub('""', formula)
    if "|" in _QUOTED_NAME.sub("x", plain) or any(
        "|" in name[0] and plain[name.end() : name.end() + 1] == "!" for name in _QUOTED_NAME.finditer(plain)
    ):
        return True  # program|topic!item
    bare = _STRUCTURED.sub("x", _QUOTED_NAME.sub("x", plain))
    if _OTHER_FILE.search(bare) or _CALLS.search(plain) or _HYPERLINK.search(formula):
        return True
    if any(_OTHER_FILE.search(q[1:]) or _PATH.search(q) for q in _QUOTED_NAME.findall(plain)):
        return True
    if _PATH.search(plain):
        return True
    return bool(names) and any(word.lower() in names for word in re.findall(r"[\w.\\]+", plain))


def disarmed(formula: str) -> str:
    """The text that stands in the cell instead."""
    return f"{DISARMED}={formula}"


def in_xml(text: bytes, names: frozenset[str] = frozenset()) -> bool:
    return points_outside(unescape(text.decode("utf-8", "replace")), names)
