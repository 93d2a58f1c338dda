"""Text of a Word document: paragraphs in reading order, one a line, with the numbers that Word would show.

Left out: what tracked changes delete, hidden text, headers and footers, text boxes, notes, field codes. Letterhead and
signature tables are read cell by cell; any other table row is a line ``| cell | cell |``. A line break within a
paragraph is a vertical tab. Format: ISO/IEC 29500-1, parts 17.3 and 17.9 (numbering).
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element, ParseError, fromstring

from etl.directives.folding import key

BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, KeyError, ParseError, RecursionError, ValueError, IndexError)
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_SKIPPED = {
    f"{_W}{tag}"
    for tag in ("del", "moveFrom", "txbxContent", "instrText", "pPr", "footnoteReference", "rPrChange", "delText")
} | {"{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"}
_LETTERHEAD_CELLS = 2
_MAX_TABLE_DEPTH = 20


@dataclass(frozen=True)
class _Level:
    form: str
    text: str
    start: int


@dataclass
class _Numbering:
    """Levels by list and depth, and how far each list has counted."""

    lists: dict[str, dict[int, _Level]]
    styles: dict[str, tuple[str, int]]
    counts: dict[str, dict[int, int]] = field(default_factory=dict)

    def label(self, paragraph: Element) -> str:
        """What Word writes before the paragraph; empty without a number."""
        found = self._place(paragraph)
        if found is None:
            return ""
        number, depth = found
        levels = self.lists.get(number, {})
        level = levels.get(depth)
        if level is None or level.form == "none":
            return ""
        counts = self.counts.setdefault(number, {})
        counts[depth] = counts.get(depth, level.start - 1) + 1
        for deeper in [d for d in counts if d > depth]:
            del counts[deeper]
        if level.form == "bullet":
            return "-"
        text = level.text
        for above in range(depth + 1):
            shown = levels.get(above, level)
            text = text.replace(f"%{above + 1}", _numeral(counts.get(above, shown.start), shown.form))
        return text

    def _place(self, paragraph: Element) -> tuple[str, int] | None:
        properties = paragraph.find(f"{_W}pPr")
        if properties is None:
            return None
        numbering = properties.find(f"{_W}numPr")
        if numbering is not None:
            number = _value(numbering.find(f"{_W}numId"))
            return (number, int(_value(numbering.find(f"{_W}ilvl")) or 0)) if number not in ("", "0") else None
        style = _value(properties.find(f"{_W}pStyle"))
        return self.styles.get(style)


def text(data: bytes) -> str:
    """Raises one of ``BROKEN`` for a damaged file; the guard has seen the bytes before."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        body = fromstring(archive.read("word/document.xml")).find(f"{_W}body")  # noqa: S314 - the guard saw no DOCTYPE
        numbering = _numbering(archive)
    if body is None:
        raise ValueError("no body")
    return "\n".join(_blocks(body, numbering, 0))


def _numbering(archive: zipfile.ZipFile) -> _Numbering:
    names = set(archive.namelist())
    lists: dict[str, dict[int, _Level]] = {}
    if "word/numbering.xml" in names:
        root = fromstring(archive.read("word/numbering.xml"))  # noqa: S314 - as above
        abstract = {
            e.get(f"{_W}abstractNumId", ""): {
                int(level.get(f"{_W}ilvl", "0")): _level(level) for level in e.findall(f"{_W}lvl")
            }
            for e in root.findall(f"{_W}abstractNum")
        }
        for e in root.findall(f"{_W}num"):
            levels = dict(abstract.get(_value(e.find(f"{_W}abstractNumId")), {}))
            for change in e.findall(f"{_W}lvlOverride"):
                depth = int(change.get(f"{_W}ilvl", "0"))
                new = change.find(f"{_W}lvl")
                start = _value(change.find(f"{_W}startOverride"))
                if new is not None:
                    levels[depth] = _level(new)
                elif start and depth in levels:
                    levels[depth] = _Level(levels[depth].form, levels[depth].text, int(start))
            lists[e.get(f"{_W}numId", "")] = levels
    styles: dict[str, tuple[str, int]] = {}
    if "word/styles.xml" in names:
        for style in fromstring(archive.read("word/styles.xml")).findall(f"{_W}style"):  # noqa: S314 - as above
            found = style.find(f"{_W}pPr/{_W}numPr")
            if found is not None and _value(found.find(f"{_W}numId")) not in ("", "0"):
                place = (_value(found.find(f"{_W}numId")), int(_value(found.find(f"{_W}ilvl")) or 0))
                styles[style.get(f"{_W}styleId", "")] = place
    return _Numbering(lists, styles)


def _level(element: Element) -> _Level:
    start = _value(element.find(f"{_W}start")) or "1"
    return _Level(_value(element.find(f"{_W}numFmt")) or "decimal", _value(element.find(f"{_W}lvlText")), int(start))


def _value(element: Element | None) -> str:
    return element.get(f"{_W}val", "") if element is not None else ""


def _numeral(count: int, form: str) -> str:
    if form in ("lowerLetter", "upperLetter"):
        letter = chr(ord("a") + (count - 1) % 26) * ((count - 1) // 26 + 1)
        return letter.upper() if form == "upperLetter" else letter
    if form in ("lowerRoman", "upperRoman"):
        numeral = _roman(count)
        return numeral if form == "upperRoman" else numeral.lower()
    return f"{count:02d}" if form == "decimalZero" else str(count)


def _roman(count: int) -> str:
    result = ""
    for value, sign in (
        (100, "C"),
        (90, "XC"),
        (50, "L"),
        (40, "XL"),
        (10, "X"),
        (9, "IX"),
        (5, "V"),
        (4, "IV"),
        (1, "I"),
    ):
        result += sign * (count // value)
        count %= value
    return result


def _blocks(parent: Element, numbering: _Numbering, depth: int) -> Iterator[str]:
    """Lines of the paragraphs and tables below ``parent``."""
    if depth > _MAX_TABLE_DEPTH:
        raise ValueError("nested too deep")
    for part in parent:
        if part.tag == f"{_W}p":
            content = _content(part)
            if content.strip():
                label = numbering.label(part)
                yield f"{label} {content}" if label else content
            else:
                yield ""
        elif part.tag == f"{_W}tbl":
            yield from _table(part, numbering, depth)
        elif part.tag in (f"{_W}sdt", f"{_W}sdtContent", f"{_W}ins", f"{_W}moveTo", f"{_W}customXml", f"{_W}smartTag"):
            yield from _blocks(part, numbering, depth + 1)


def _table(table: Element, numbering: _Numbering, depth: int) -> Iterator[str]:
    rows = [
        [list(_blocks(cell, numbering, depth + 1)) for cell in row.iter(f"{_W}tc")] if depth == 0 else
        [list(_blocks(cell, numbering, depth + 1)) for cell in row.findall(f"{_W}tc")]
        for row in table.iter(f"{_W}tr")
    ]  # fmt: skip
    whole = key(" ".join(line for row in rows for cell in row for line in cell))
    is_layout = max(map(len, rows), default=0) <= _LETTERHEAD_CELLS or "độc lập - tự do" in whole or "nơi nhận" in whole
    for row in rows:
        if is_layout:
            for cell in row:
                yield from cell
                yield ""
        elif any(any(line.strip() for line in cell) for cell in row):
            yield (
                "| "
                + " | ".join(" ".join(" ".join(cell).replace("\v", " ").replace("|", "/").split()) for cell in row)
                + " |"
            )


def _content(paragraph: Element) -> str:
    parts: list[str] = []
    _collect(paragraph, parts, 0)
    return "".join(parts)


def _collect(element: Element, parts: list[str], depth: int) -> None:
    if depth > 60:
        raise ValueError("nested too deep")
    for node in element:
        tag = node.tag
        if tag in _SKIPPED:
            continue
        if tag == f"{_W}r":
            hidden = node.find(f"{_W}rPr/{_W}vanish")
            if hidden is not None and hidden.get(f"{_W}val", "true") not in ("0", "false"):
                continue
            _collect(node, parts, depth + 1)
        elif tag == f"{_W}t":
            parts.append(node.text or "")
        elif tag in (f"{_W}br", f"{_W}cr"):
            parts.append("\v" if node.get(f"{_W}type") != "page" else " ")
        elif tag == f"{_W}tab":
            parts.append(" ")
        elif tag in (f"{_W}noBreakHyphen", f"{_W}softHyphen"):
            parts.append("-" if tag.endswith("noBreakHyphen") else "")
        elif len(node):
            _collect(node, parts, depth + 1)
