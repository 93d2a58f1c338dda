"""Text of a notice as it is compared: folded for reading, keyed for matching, with the way back to the original.

*Text as read*: NFC, line ends ``\\n``, nothing else changed; every ``span`` counts its characters. *Folded*: page
numbers, page marks and ``*`` left out, white space runs as one space (convention of the example notices).
*Key*: folded text in lower case, tones on the same vowel however the writer set them (``hoà`` = ``hòa``, ``uỷ`` =
``ủy``) and one kind of dash; as long as the folded text, so that places in one are places in the other.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

PAGE_MARK = re.compile(
    r"\s*(?:\*{0,2}\d{1,3}\*{0,2}|[-–—]\s*\d{1,3}\s*[-–—]|(?:Trang|TRANG)\s+\d{1,3}(?:\s*/\s*\d{1,3})?"
    r"|-+\s*PAGE BREAK\s*-+)\s*"
)
"""A line that is only a page's number or mark."""
_TONES = {
    "oà": "òa", "oá": "óa", "oả": "ỏa", "oã": "õa", "oạ": "ọa",
    "oè": "òe", "oé": "óe", "oẻ": "ỏe", "oẽ": "õe", "oẹ": "ọe",
    "uỳ": "ùy", "uý": "úy", "uỷ": "ủy", "uỹ": "ũy", "uỵ": "ụy",
}  # fmt: skip
_TONE = re.compile("|".join(_TONES))
_DASHES = str.maketrans({"–": "-", "—": "-", "−": "-", "‑": "-", "\u00a0": " ", "’": "'", "“": '"', "”": '"'})
_BREAKS = re.compile(r"\r\n?|\u2028|\u2029|\u0085")
_SILENT = re.compile(r"[\u200b-\u200d\u2060\ufeff\u00ad]")


def as_read(text: str) -> str:
    """The text whose characters spans count."""
    return unicodedata.normalize("NFC", _SILENT.sub("", _BREAKS.sub("\n", text)))


def key(text: str) -> str:
    """What is matched; of the same length as ``text``."""
    lowered = "".join(c.lower() if len(c.lower()) == 1 else c for c in text.translate(_DASHES))
    return _TONE.sub(lambda match: _TONES[match[0]], lowered)


def pattern(text: str, flags: int = 0) -> re.Pattern[str]:
    """A pattern for keys: what it says is keyed as far as tones go."""
    return re.compile(_TONE.sub(lambda match: _TONES[match[0]], text), flags)


@dataclass(frozen=True)
class Folded:
    """A stretch of the notice; ``origins[i]`` is the place of ``text[i]`` in the text as read."""

    text: str
    origins: tuple[int, ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """[start, end) in the text as read."""
        return self.origins[start], self.origins[end - 1] + 1

    def part(self, start: int, end: int | None = None) -> Folded:
        return Folded(self.text[start:end], self.origins[start:end])


def fold(raw: str, pieces: list[tuple[int, int]]) -> Folded:
    """Pieces [start, end) of the text as read, joined by a space, white space folded, without ``*``."""
    letters: list[str] = []
    origins: list[int] = []
    for start, end in pieces:
        if letters and letters[-1] != " ":
            letters.append(" ")
            origins.append(start)
        for place in range(start, end):
            letter = raw[place]
            if letter == "*":
                continue
            if letter.isspace():
                if not letters or letters[-1] == " ":
                    continue
                letter = " "
            letters.append(letter)
            origins.append(place)
    first = 1 if letters and letters[0] == " " else 0
    last = len(letters) - 1 if letters and letters[-1] == " " else len(letters)
    return Folded("".join(letters[first:last]), tuple(origins[first:last]))


def content_of(raw: str, span: tuple[int, int]) -> str:
    """The folded text of a span: what ``Task.content`` says."""
    return fold(raw, _pieces(raw, *span)).text


def _pieces(raw: str, start: int, end: int) -> list[tuple[int, int]]:
    pieces: list[tuple[int, int]] = []
    at = start
    for line in re.split(r"(\n|\f)", raw[start:end]):
        if line not in ("\n", "\f") and line.strip() and not (PAGE_MARK.fullmatch(line) and pieces):
            pieces.append((at, at + len(line)))
        at += len(line)
    return pieces
