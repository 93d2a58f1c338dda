"""The words of the monthly documents: sentences with named variants, which the office may change without a programmer.

``*.yml`` of this folder hold the sentences of the program; ``README.md`` tells the office how to change them. A folder
of the office (``TIENDO_WORDS_DIR``) holds files of the same names with only what it words anew. Code chooses the
variant from the figures and hands over figures; it never holds a sentence.

    words.load(folder).say("pace", "many", left=figure, closing=figure, pace=figure)
"""

from __future__ import annotations

from etl.publish.words.book import Line, Words, check, entries, load, of, package
from etl.publish.words.faults import Fault
from etl.publish.words.files import FOLDER
from etl.publish.words.template import Entry, Part, Told, cut, unsigned

__all__ = [
    "FOLDER",
    "Entry",
    "Fault",
    "Line",
    "Part",
    "Told",
    "Words",
    "check",
    "cut",
    "entries",
    "load",
    "of",
    "package",
    "unsigned",
]
