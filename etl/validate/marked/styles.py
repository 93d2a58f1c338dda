"""The style sheet: a marked cell gets a copy of its own format with another fill; nothing that is there changes.

The fill of a cell before it was marked is noted in the result sheet as a short text (``solid fg:rgb=FFFFFBE6``), so
that the mark can be taken off again whichever program saved the workbook in between.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from etl.validate.marked import xml
from etl.validate.marked.xml import Node, OddPackageError

# Near Excel's own red, yellow and blue, but not the same: a fill of exactly this colour is ours.
COLOURS = {"error": "FFFFC7CD", "warning": "FFFFEB9B", "info": "FFDDEBF6"}
PLAIN = "none"
_OURS = frozenset(COLOURS.values())
_COLOUR = re.compile(r"(rgb=[0-9A-Fa-f]{8}|theme=\d{1,2}|indexed=\d{1,2})(?:,tint=(-?\d(?:\.\d{1,17})?))?")
_PATTERN = re.compile(r"[A-Za-z0-9]{1,20}")


@dataclass(frozen=True)
class Format:
    """A format of the result sheet. ``fill``: ARGB or empty; ``font``: attributes that differ from the plain one."""

    bold: bool = False
    italic: bool = False
    size: int = 12
    colour: str = "FF000000"
    underline: bool = False
    fill: str = ""
    border: bool = False
    wrap: bool = True
    across: str = "left"
    down: str = "top"
    text: bool = True


class Styles:
    """``xl/styles.xml`` with what is added to it. Raises OddPackageError when it lacks what every program writes."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        root = xml.outline(data, 3)
        found = {name: root.child(name) for name in ("fonts", "fills", "borders", "cellXfs")}
        if any(node is None for node in found.values()):
            raise OddPackageError("styles")
        self._lists: dict[str, Node] = {k: v for k, v in found.items() if v is not None}
        self._prefix = root.prefix
        self._added: dict[str, list[bytes]] = {name: [] for name in self._lists}
        self._known = {
            name: {data[n.start : n.end]: i for i, n in reversed(list(enumerate(node.children)))}
            for name, node in self._lists.items()
        }
        self._formats = [data[n.start : n.end] for n in self._lists["cellXfs"].children]
        self._fills = [_describe(data[n.start : n.end]) for n in self._lists["fills"].children]
        if not self._formats:
            raise OddPackageError("cellXfs")
        self._made: dict[tuple[object, ...], int] = {}
        self.ours = frozenset(n for n in range(len(self._formats)) if _is_ours(self.fill_of(n)))
        """Formats whose fill is one of our marks."""

    def fill_of(self, format_no: int) -> str:
        """The fill of a format as short text."""
        number = int(self._attribute(format_no, "fillId") or 0)
        return self._fills[number] if number < len(self._fills) else PLAIN

    def marked(self, format_no: int, severity: str, *, editable: bool) -> int:
        """The format with the colour of that severity; ``editable`` also unlocks the cell."""
        return self._with_fill(format_no, f"solid fg:rgb={COLOURS[severity]} bg:indexed=64", editable)

    def unmarked(self, format_no: int, fill: str) -> int:
        """The format with ``fill`` (short text) in the place of our mark."""
        return self._with_fill(format_no, fill if _xml_of(fill, "") is not None else PLAIN, False)

    def text(self, format_no: int) -> int:
        """The format with the number format "text": what is typed or kept there stays text."""
        key = ("text", format_no)
        if key not in self._made:
            tag = self._formats[self._checked(format_no)]
            self._made[key] = self._add("cellXfs", _edit_tag(tag, numFmtId="49", applyNumberFormat="1"))
        return self._made[key]

    def add(self, wanted: Format) -> int:
        """A format of our own, in Times New Roman."""
        key = ("own", wanted)
        if key not in self._made:
            p = self._prefix
            font = "".join(
                (
                    f"<{p}font>",
                    f"<{p}b/>" if wanted.bold else "",
                    f"<{p}i/>" if wanted.italic else "",
                    f"<{p}u/>" if wanted.underline else "",
                    f'<{p}sz val="{wanted.size}"/><{p}color rgb="{wanted.colour}"/>',
                    f'<{p}name val="Times New Roman"/><{p}family val="1"/></{p}font>',
                )
            )
            sides = "".join(
                f'<{p}{s} style="thin"><{p}color rgb="FF999999"/></{p}{s}>' if wanted.border else f"<{p}{s}/>"
                for s in ("left", "right", "top", "bottom")
            )
            border = self._add("borders", f"<{p}border>{sides}<{p}diagonal/></{p}border>".encode())
            fill = self._fill_id(f"solid fg:rgb={wanted.fill} bg:indexed=64" if wanted.fill else PLAIN)
            number = 49 if wanted.text else 0
            self._made[key] = self._add(
                "cellXfs",
                f'<{p}xf numFmtId="{number}" fontId="{self._add("fonts", font.encode())}" fillId="{fill}" '
                f'borderId="{border}" xfId="0" applyNumberFormat="1" applyFont="1" applyFill="1" applyBorder="1" '
                f'applyAlignment="1"><{p}alignment horizontal="{wanted.across}" vertical="{wanted.down}" '
                f'wrapText="{int(wanted.wrap)}"/></{p}xf>'.encode(),
            )
        return self._made[key]

    def result(self) -> bytes:
        edits = xml.Edits(self._data)
        for name, node in self._lists.items():
            new = self._added[name]
            if not new:
                continue
            count = len(node.children) + len(new)
            tag = xml.set_attribute(self._data[node.start : node.open_end], "count", str(count))
            if node.end == node.open_end:
                raise OddPackageError(name)
            edits.replace(node.start, node.open_end, tag)
            edits.insert(node.close, b"".join(new))
        return edits.result() if edits else self._data

    def _with_fill(self, format_no: int, fill: str, editable: bool) -> int:
        key = ("fill", format_no, fill, editable)
        if key not in self._made:
            element = _edit_tag(self._formats[self._checked(format_no)], fillId=str(self._fill_id(fill)), applyFill="1")
            self._made[key] = self._add("cellXfs", _unlocked(element, self._prefix) if editable else element)
        return self._made[key]

    def _checked(self, format_no: int) -> int:
        return format_no if 0 <= format_no < len(self._formats) else 0

    def _attribute(self, format_no: int, name: str) -> str | None:
        match = re.search(rb"\s" + name.encode() + rb"\s*=\s*[\"']([^\"']*)", self._formats[self._checked(format_no)])
        return match[1].decode() if match else None

    def _fill_id(self, fill: str) -> int:
        if fill in self._fills:
            return self._fills.index(fill)
        self._fills.append(fill)
        inner = _xml_of(fill, self._prefix) or f'<{self._prefix}patternFill patternType="none"/>'
        return self._add("fills", f"<{self._prefix}fill>{inner}</{self._prefix}fill>".encode())

    def _add(self, name: str, element: bytes) -> int:
        """The number of this element in its list; one that is there already is used again."""
        known = self._known[name]
        if element not in known:
            self._added[name].append(element)
            known[element] = len(self._lists[name].children) + len(self._added[name]) - 1
            if name == "cellXfs":
                self._formats.append(element)
        return known[element]


def _is_ours(fill: str) -> bool:
    return fill.startswith("solid fg:rgb=") and fill[13:21].upper() in _OURS


def _edit_tag(element: bytes, **attributes: str) -> bytes:
    end = xml.tag_end(element, 0)
    tag = element[:end]
    for name, value in attributes.items():
        tag = xml.set_attribute(tag, name, value)
    return tag + element[end:]


def _unlocked(element: bytes, prefix: str) -> bytes:
    """The format whose cell may be typed into although the sheet is protected."""
    root = xml.outline(_edit_tag(element, applyProtection="1"), 2)
    element = _edit_tag(element, applyProtection="1")
    edits = xml.Edits(element)
    present, after = root.child("protection"), root.child("alignment")
    new = f'<{prefix}protection locked="0"/>'.encode()
    if present is not None:
        tag = xml.set_attribute(element[present.start : present.open_end], "locked", "0")
        edits.replace(present.start, present.open_end, tag)
    elif after is not None:
        edits.insert(after.end, new)
    elif root.end == root.open_end:
        edits.append_to(root, new, "xf")
    else:
        edits.insert(root.open_end, new)
    return edits.result()


def _describe(element: bytes) -> str:
    """A fill as short text; a gradient or a kind that is not understood counts as ``gradient``."""
    root = xml.outline(element, 3)
    pattern = root.child("patternFill")
    if pattern is None:
        return "gradient"
    parts = [pattern.get("patternType") or PLAIN]
    for node in pattern.children:
        colour = next((f"{k}={v}" for k, v in node.attributes.items() if k in ("rgb", "theme", "indexed")), "")
        tint = node.get("tint")
        short = colour + (f",tint={tint}" if tint else "")
        if _COLOUR.fullmatch(short):
            parts.append(f"{node.name[:2]}:{short}")
    return " ".join(parts)


def _xml_of(fill: str, prefix: str) -> str | None:
    """The ``patternFill`` of a short text; None for one that does not follow the grammar (it may come from a file)."""
    kind, *colours = fill.split(" ")
    if not _PATTERN.fullmatch(kind) or kind == "gradient":
        return None
    inner = ""
    for colour in colours:
        end, _, short = colour.partition(":")
        match = _COLOUR.fullmatch(short)
        if end not in ("fg", "bg") or not match:
            return None
        name, value = match[1].split("=")
        tint = f' tint="{match[2]}"' if match[2] else ""
        inner += f'<{prefix}{end}Color {name}="{value}"{tint}/>'
    return f'<{prefix}patternFill patternType="{kind}">{inner}</{prefix}patternFill>'
