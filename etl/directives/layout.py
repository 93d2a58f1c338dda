"""Lines of a notice -> paragraphs with their numbering, over hard wraps, page breaks and page numbers.

A line goes on with the one before unless it opens a numbered item or bullet, or a sentence ended before it and it could
not have stood on the same line. Numbering follows what officials use: I. / 1. / 1.1. / (1) / 1) / a) / (i) / - / +.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from etl.directives import words as wording
from etl.directives.endings import FIELDED, UBND
from etl.directives.folding import PAGE_MARK, Folded, fold, key

_MARKER = re.compile(
    r"""\s*\**\s*(?:
      (?P<article>Điều\s+\d{1,2}\s*[.:])
    | (?P<roman>(?:Phần\s+)?[IVX]{1,5}\s*[.\-)/:](?!\w))
    | (?P<dotted>\d{1,2}(?:\.\d{1,2}){1,3}\.?(?=\s|\D))
    | (?P<number>\d{1,2}\s?(?:\.(?!\d)|[-–](?=\s+[^\W\d_])))
    | (?P<slashed>\d{1,2}\s?/(?=\s+[^\W\d_]))
    | (?P<bracket>\(\d{1,2}\))
    | (?P<closed>\d{1,2}\s?\))
    | (?P<letter>[a-zđ]\s?(?:\)|/(?=\s)))
    | (?P<point>[a-zđ]\.(?=\s))
    | (?P<small>\((?:[ivx]{1,5}|[a-zđ])\))
    | (?P<dash>[-–—−](?!\w*\d*\s*[-–—])(?=\s*\S))
    | (?P<plus>[+](?=\s*\S))
    | (?P<dot>[•●▪◦·o✓→](?=\s+\S))
    )\s*""",
    re.VERBOSE,
)
_CLOSED = re.compile(r"[.:;!?…][\"”')\]*\s]*$")
BULLETS = ("dash", "plus", "dot")
_CLAUSES = ("article", "roman", "number", "dotted", "slashed")
"""Never below a bullet that stands alone, as those of *Kính gửi* do."""
_ROMANS = {"i": 1, "v": 5, "x": 10}
_WRAPPED_COLUMNS = 170
"""Lines longer than this are whole paragraphs: the text was not wrapped."""
_BULLET = 2
"""The room that a bullet takes."""


@dataclass
class Paragraph:
    """One paragraph without its marker. ``path`` names its clause, as 1, b, i; a bullet counts within its parent."""

    body: Folded
    kind: str = ""
    label: str = ""
    path: tuple[str, ...] = ()
    depth: int = 0
    children: list[Paragraph] = field(default_factory=list)
    parent: Paragraph | None = field(default=None, repr=False)
    cells: tuple[Folded, ...] = ()
    key: str = ""

    def __post_init__(self) -> None:
        self.key = key(self.body.text)

    @property
    def text(self) -> str:
        return self.body.text

    @property
    def clause(self) -> str:
        return ".".join(self.path)


@dataclass(frozen=True)
class _Line:
    start: int
    end: int
    text: str
    after_blank: bool


def paragraphs(raw: str, *, is_wrapped: bool | None = None) -> list[Paragraph]:
    """Paragraphs of the text as read, in order, each with its place in the numbering (``path``, ``parent``).

    Whether lines are those of a page is seen from their length unless it is known.
    """
    lines = _lines(raw)
    lengths = sorted(len(line.text) for line in lines)
    width = lengths[int(len(lengths) * 0.9)] if lengths else 0
    if is_wrapped is not None:
        width = min(width, _WRAPPED_COLUMNS) if is_wrapped else _WRAPPED_COLUMNS + 1
    groups: list[list[_Line]] = []
    counted = _Counted()
    for line in lines:
        before = groups[-1][-1] if groups else None
        if before is None or _opens(line, before, width, counted):
            groups.append([line])
            counted.see(line.text)
        else:
            groups[-1].append(line)
    found = [_paragraph(raw, group) for group in groups]
    _number(found)
    return found


def _lines(raw: str) -> list[_Line]:
    """Lines with text, without page numbers."""
    lines: list[_Line] = []
    at, blank = 0, True
    for part in re.split(r"(\n|\f|\v)", raw):
        if part not in ("\n", "\f", "\v"):
            text = part.strip()
            if not text:
                blank = blank or bool(lines)
            elif not PAGE_MARK.fullmatch(part):
                lines.append(_Line(at, at + len(part), text, blank))
                blank = False
        elif part == "\n" and raw[at - 1 : at] == "\n":
            blank = True
        at += len(part)
    return lines


class _Counted:
    """Which numbers of each kind were seen, to tell the next item from a number that a wrap brought to line start."""

    def __init__(self) -> None:
        self.last: dict[str, int] = {}

    def see(self, text: str) -> None:
        marker = _MARKER.match(text)
        if marker and marker.lastgroup not in BULLETS:
            self.last[str(marker.lastgroup)] = _value(marker)

    def expects(self, marker: re.Match[str]) -> bool:
        value = _value(marker)
        return value == 1 or value == self.last.get(str(marker.lastgroup), 0) + 1


def _value(marker: re.Match[str]) -> int:
    kind = str(marker.lastgroup)
    text = re.sub(r"[^0-9a-zđivx.]", "", marker[kind].lower().removeprefix("điều").removeprefix("phần")).strip(".")
    if kind == "dotted":
        return int(text.rpartition(".")[2])
    if text.isdigit():
        return int(text)
    if kind == "roman" or (kind == "small" and set(text) <= set("ivx")):
        return _roman(text)
    return "abcdđeghiklmnopqrstuvxy".find(text[:1]) + 1


def _roman(text: str) -> int:
    values = [_ROMANS.get(letter, 0) for letter in text]
    return sum(-v if v < max(values[i + 1 :], default=0) else v for i, v in enumerate(values))


def _opens(line: _Line, before: _Line, width: int, counted: _Counted) -> bool:
    """Whether a line starts a paragraph."""
    if "\t" in line.text.strip() and line.text.count("\t") >= 2:
        return True
    if line.text.startswith("|") or before.text.startswith("|"):
        return True
    ended = bool(_CLOSED.search(before.text))
    marker = _MARKER.match(line.text)
    if marker:
        rest = line.text[marker.end() :].lstrip('*"“ ')
        capital = rest[:1].isupper() or rest[:1] in '“"('
        if marker.lastgroup in BULLETS:
            return (
                ended
                or (capital and (line.after_blank or len(before.text) < 0.8 * width))
                or (capital and len(before.text) + _BULLET <= width and _begins_action(rest))
                or _is_marker_alone(before.text)
            )
        if capital and (ended or counted.expects(marker)):
            return True
        if marker.lastgroup not in ("number", "dotted", "slashed", "roman", "point") and (ended or line.after_blank):
            return True
    if width > _WRAPPED_COLUMNS:
        return not _goes_on(line.text, before.text)
    start = line.text.lstrip('*"“(')[:1]
    if _is_heading(line.text) != _is_heading(before.text):
        return True
    if not ended:
        return start.isupper() and (len(before.text) < 0.6 * width or _was_broken(line.text, before.text, width))
    if before.text.endswith("./.") or line.text.startswith("Nơi nhận"):
        return not start.islower()
    return not start.islower() and (len(before.text) < 0.8 * width)


def _was_broken(text: str, before: str, width: int) -> bool:
    """Whether a numbered heading ends with its line: an action follows whose first word had room there."""
    room = 0.9 * width - len(before) - 1
    return bool(_MARKER.match(before)) and len(text.split(" ")[0]) <= room and _begins_action(text)


def _begins_action(text: str) -> bool:
    """Whether a line begins with an action or with a body: not with the second half of a name."""
    plain = key(text)
    return bool(wording.load().action.match(plain) or UBND.match(plain) or FIELDED.match(plain))


def _is_marker_alone(text: str) -> bool:
    """A number or bullet whose text stands on the next line."""
    marker = _MARKER.match(text)
    return marker is not None and not text[marker.end() :].strip()


def _goes_on(text: str, before: str) -> bool:
    return text.lstrip('*"“')[:1].islower() and not _CLOSED.search(before)


def _is_heading(text: str) -> bool:
    letters = [c for c in text if c.isalpha()]
    return len(letters) > 3 and sum(c.isupper() for c in letters) > 0.9 * len(letters)


def _paragraph(raw: str, group: list[_Line]) -> Paragraph:
    body = fold(raw, [(line.start, line.end) for line in group])
    if len(group) == 1 and (group[0].text.count("\t") >= 2 or group[0].text.startswith("|")):
        return Paragraph(body, "row", cells=_cells(raw, group[0]))
    marker = _MARKER.match(body.text)
    if marker is None or (
        marker.lastgroup == "dot" and marker["dot"] == "o" and not body.text[marker.end() :][:1].isupper()
    ):
        return Paragraph(body)
    kind = str(marker.lastgroup)
    label = re.sub(r"^(?:Điều|Phần)\s+|[().:/\s*–-]", "", marker[kind])
    if kind == "dotted":
        label = marker[kind].strip(" .")
    return Paragraph(body.part(marker.end()), kind, "" if kind in BULLETS else label)


def _cells(raw: str, line: _Line) -> tuple[Folded, ...]:
    mark = "|" if line.text.startswith("|") else "\t"
    cells, at = [], line.start
    for part in raw[line.start : line.end].split(mark):
        cells.append(fold(raw, [(at, at + len(part))]))
        at += len(part) + 1
    return tuple(cells[1:-1] if mark == "|" else cells)


def _number(found: list[Paragraph]) -> None:
    """Sets path, parent and children. A kind of marker that is open already is a sibling, a new one a child."""
    stack: list[Paragraph] = []
    counts: dict[int, int] = {}
    above: tuple[str, ...] = ()
    for paragraph in found:
        if not paragraph.kind or paragraph.kind == "row":
            paragraph.path = above
            continue
        while stack and any(above.kind == paragraph.kind for above in stack):
            if stack.pop().kind == paragraph.kind:
                break
        if paragraph.kind in _CLAUSES and all(above.kind in BULLETS for above in stack):
            stack.clear()
        if paragraph.kind == "dotted":
            while (
                stack
                and not paragraph.label.startswith(stack[-1].label + ".")
                and stack[-1].kind not in ("roman", "number")
            ):
                stack.pop()
        parent = stack[-1] if stack else None
        label = paragraph.label
        if paragraph.kind in BULLETS:
            counts[id(parent)] = counts.get(id(parent), 0) + 1
            label = str(counts[id(parent)])
        if paragraph.kind == "dotted":
            label = (
                paragraph.label.rpartition(".")[2]
                if parent and parent.kind in ("number", "dotted")
                else paragraph.label
            )
        paragraph.label = label
        paragraph.parent = parent
        paragraph.path = (*(parent.path if parent else ()), label)
        above = paragraph.path if parent or paragraph.kind not in BULLETS else ()
        paragraph.depth = len(paragraph.path)
        if parent:
            parent.children.append(paragraph)
        stack.append(paragraph)
        if paragraph.kind not in BULLETS:
            counts[id(paragraph)] = 0
