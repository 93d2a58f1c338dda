"""Notes on cells: the comments part of a sheet and the drawing that places them.

A note of the sender is kept below ours, under a line that names its author. When a workbook that we handed back comes
in again, ours are taken off and the sender's are theirs again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from etl.collect.formula import letters_to_index
from etl.validate import wording
from etl.validate.marked import xml
from etl.validate.marked.package import Package
from etl.validate.marked.xml import Node

AUTHOR = "Tiến độ"
_BELOW = "――― Ghi chú có sẵn của {author} ―――"
_BELOW_FOUND = re.compile(r"\n?――― Ghi chú có sẵn của (.{0,200}?) ―――\n?", re.DOTALL)
# Some programs (LibreOffice) drop the authors of notes: then our own wording tells.
_OUR_WORDS = re.compile(rf"(?:{'|'.join(v.upper() for v in wording.LEVELS.values())}) \([A-Z]+\d+[\w-]*\)\n")
_OUR_FIX = "Cách sửa: "
_NOBODY = "người lập biểu"
_COMMENTS = "application/vnd.openxmlformats-officedocument.spreadsheetml.comments+xml"
_DRAWING = "application/vnd.openxmlformats-officedocument.vmlDrawing"
_SHAPE_BEGINS, _SHAPE_ENDS = re.compile(rb"<v:shape[\s>]"), b"</v:shape>"
_ROW, _COLUMN = re.compile(rb"<x:Row>\s*(\d+)\s*</x:Row>"), re.compile(rb"<x:Column>\s*(\d+)\s*</x:Column>")
_SHAPE_NUMBER = re.compile(rb"_x0000_s(\d+)")
_SHAPE_TYPE = (
    '<v:shapetype id="_x0000_t202" coordsize="21600,21600" o:spt="202" path="m,l,21600r21600,l21600,xe">'
    '<v:stroke joinstyle="miter"/><v:path gradientshapeok="t" o:connecttype="rect"/></v:shapetype>'
)
_WIDTH_PX, _LINE_PX, _LETTERS = 380, 17, 56


@dataclass(frozen=True)
class Place:
    """Where the box of a note stands: column and row from 0, and the eight numbers of its anchor."""

    row: int
    column: int
    anchor: str


@dataclass
class _Comment:
    node: Node
    reference: str
    author: str
    text: str


def height_px(text: str) -> int:
    """Room that the text takes in a box of our width."""
    lines = sum(1 + len(line) // _LETTERS for line in text.split("\n"))
    return min(30 + _LINE_PX * lines, 560)


WIDTH_PX = _WIDTH_PX


def has_ours(package: Package, sheet: str) -> bool:
    """Whether a sheet carries notes of ours."""
    part = _part(package, sheet, "comments")
    if part is None:
        return False
    data = package.read(part)
    return f">{AUTHOR}<".encode() in data or _OUR_FIX.encode() in data


def write(
    package: Package, sheet: str, notes: Mapping[str, str], places: Mapping[str, Place], relation_base: str
) -> str | None:
    """Put ``notes`` (address -> text) on the sheet's cells and take off those that we left there before.

    Returns the id of the drawing's relation when the sheet has to be told of it (``legacyDrawing``), else None.
    """
    part = _part(package, sheet, "comments")
    if part is None:
        if not notes:
            return None
        part = package.free_name("xl/comments{}.xml")
        namespace = relation_base.replace("officeDocument/2006/relationships", "spreadsheetml/2006/main").replace(
            "officeDocument/relationships", "spreadsheetml/main"
        )
        package.add(
            part,
            f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<comments xmlns="{namespace}"><authors>'
            "</authors><commentList></commentList></comments>".encode(),
            _COMMENTS,
        )
        package.relate(sheet, f"{relation_base}/comments", part)
    gone = _edit_comments(package, part, notes)
    kept_places = {a: places[a] for a in notes if a in places}
    return _edit_drawing(package, sheet, kept_places, gone, relation_base)


def _part(package: Package, sheet: str, kind: str) -> str | None:
    return next((r.target for r in package.relations(sheet) if r.kind == kind and r.target in package), None)


def _edit_comments(package: Package, part: str, notes: Mapping[str, str]) -> set[tuple[int, int]]:
    """Exchange the comments; returns row and column (from 0) of the cells that have none any more."""
    data = package.read(part)
    root = xml.outline(data, 5)
    authors, listed = root.child("authors"), root.child("commentList")
    if authors is None or listed is None:
        raise xml.OddPackageError("comments")
    p = root.prefix
    names = [_plain(data[n.open_end : n.close]) for n in authors.children]
    edits = xml.Edits(data)
    new_authors: list[str] = []

    def author_no(name: str) -> int:
        everyone = names + new_authors
        if name not in everyone:
            new_authors.append(name)
            everyone.append(name)
        return everyone.index(name)

    threaded = _threaded(package, part)
    done: set[str] = set()
    gone: set[tuple[int, int]] = set()
    for comment in _comments(data, listed, names):
        reference = comment.reference
        node = comment.node
        if reference in threaded:
            done.add(reference)  # a conversation: its own part holds the text, a program would ignore ours
            continue
        author, text, body = comment.author.strip(), comment.text, _body(data, node)
        if author == AUTHOR or (not author and _OUR_WORDS.match(text) and _OUR_FIX in text):
            found = _BELOW_FOUND.search(text)
            if found:  # the sender's own note comes back from under ours
                author = "" if found[1] == _NOBODY else found[1]
                text = text[found.end() :]
                body = _run(text, p)
            elif reference not in notes:
                edits.replace(node.start, node.end, b"")
                gone.add(_position(reference))
                continue
            else:
                text = ""
        elif reference not in notes:
            continue
        if reference in notes:
            done.add(reference)
            below = _run("\n" + _BELOW.format(author=author or _NOBODY) + "\n", p, bold=True) + body if text else b""
            new = _comment(reference, author_no(AUTHOR), _runs(notes[reference], p) + below, p)
        else:
            new = _comment(reference, author_no(author), body, p)
        edits.replace(node.start, node.end, new)
    fresh = b"".join(
        _comment(reference, author_no(AUTHOR), _runs(text, p), p)
        for reference, text in notes.items()
        if reference not in done
    )
    if fresh:
        edits.append_to(listed, fresh, "commentList")
    if new_authors:
        added = "".join(f"<{p}author>{xml.content(a)}</{p}author>" for a in new_authors)
        edits.append_to(authors, added.encode(), "authors")
    if edits:
        package.write(part, edits.result())
    return gone


def _comments(data: bytes, listed: Node, names: list[str]) -> list[_Comment]:
    wanted = [n for n in listed.children if n.name == "comment"]
    wrapped = b"<w>" + b"".join(b"<comment>" + data[n.open_end : n.close] + b"</comment>" for n in wanted)
    texts = xml.texts_of(wrapped + b"</w>", "comment", lambda parent: parent in ("text", "r")) if wanted else []
    result = []
    for node, text in zip(wanted, texts, strict=True):
        number = int(node.get("authorId") or 0)
        author = names[number] if number < len(names) else ""
        result.append(_Comment(node, (node.get("ref") or "").replace("$", ""), author, text))
    return result


def _body(data: bytes, comment: Node) -> bytes:
    """The runs of a comment as they stand; a bare ``<t>`` becomes a run."""
    text = comment.child("text")
    if text is None:
        return b""
    pieces = []
    for node in text.children:
        piece = data[node.start : node.end]
        if node.name == "t":
            pieces.append(f"<{node.prefix}r>".encode() + piece + f"</{node.prefix}r>".encode())
        elif node.name == "r":
            pieces.append(piece)
    return b"".join(pieces)


def _plain(data: bytes) -> str:
    return xml.texts_of(b"<w><t>" + data + b"</t></w>", "w", lambda _: True)[0]


def _runs(text: str, p: str) -> bytes:
    """The first line of each finding in bold, the rest plain."""
    result = b""
    for block in text.split("\n\n"):
        head, _, rest = block.partition("\n")
        separator = "\n\n" if result else ""
        result += _run(separator + head, p, bold=True) + (_run("\n" + rest, p) if rest else b"")
    return result


def _run(text: str, p: str, *, bold: bool = False) -> bytes:
    weight = f"<{p}b/>" if bold else ""
    font = f'<{p}sz val="10"/><{p}color indexed="81"/><{p}rFont val="Times New Roman"/><{p}family val="1"/>'
    return (
        f'<{p}r><{p}rPr>{weight}{font}</{p}rPr><{p}t xml:space="preserve">{xml.cell_text(text)}</{p}t></{p}r>'.encode()
    )


def _comment(reference: str, author: int, runs: bytes, p: str) -> bytes:
    head = f'<{p}comment ref="{xml.attribute(reference)}" authorId="{author}" shapeId="0"><{p}text>'.encode()
    return head + runs + f"</{p}text></{p}comment>".encode()


def _threaded(package: Package, part: str) -> set[str]:
    """Cells with a conversation (Excel 365) in the sheet of this comments part."""
    found: set[str] = set()
    for name in package.names():
        if name.startswith("xl/threadedComments/") and not name.endswith(".rels"):
            owners = [
                s for s in package.names()
                if s.startswith("xl/worksheets/") and s.endswith(".xml")
                and {name, part} <= {r.target for r in package.relations(s)}
            ]  # fmt: skip
            if owners:
                root = xml.outline(package.read(name), 2)
                found |= {n.get("ref") or "" for n in root.children}
    return found


def _position(reference: str) -> tuple[int, int]:
    letters = reference.rstrip("0123456789")
    return int(reference[len(letters) :] or 1) - 1, letters_to_index(letters)


def _edit_drawing(
    package: Package, sheet: str, places: Mapping[str, Place], gone: set[tuple[int, int]], relation_base: str
) -> str | None:
    part = _part(package, sheet, "vmlDrawing")
    told: str | None = None
    if part is None:
        if not places:
            return None
        part = package.free_name("xl/drawings/vmlDrawing{}.vml")
        data = (
            '<xml xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office" '
            'xmlns:x="urn:schemas-microsoft-com:office:excel"><o:shapelayout v:ext="edit"><o:idmap v:ext="edit" '
            f'data="1"/></o:shapelayout>{_SHAPE_TYPE}</xml>'.encode()
        )
        package.add(part, data, _DRAWING)
        told = package.relate(sheet, f"{relation_base}/vmlDrawing", part)
    before = data = package.read(part)
    present: set[tuple[int, int]] = set()

    edits = xml.Edits(data)
    for begin, end in _shapes(data):
        shape = data[begin:end]
        row, column = _ROW.search(shape), _COLUMN.search(shape)
        if b'ObjectType="Note"' not in shape or row is None or column is None:
            continue
        at = (int(row[1]), int(column[1]))
        if at in gone:
            edits.replace(begin, end, b"")
        else:
            present.add(at)
    data = edits.result()
    fresh = [p for p in places.values() if (p.row, p.column) not in present]
    if fresh:
        end = data.rfind(b"</xml>")
        if end < 0:
            raise xml.OddPackageError("vml")
        number = max((int(n) for n in _SHAPE_NUMBER.findall(data)), default=1024)
        new = "" if b"_x0000_t202" in data else _SHAPE_TYPE
        for offset, place in enumerate(fresh, 1):
            new += _shape(place, number + offset)
        data = data[:end] + new.encode() + data[end:]
    if data != before:
        package.write(part, data)
    return told


def _shapes(data: bytes) -> Iterator[tuple[int, int]]:
    """Where the shapes of a drawing begin and end."""
    position = 0
    while found := _SHAPE_BEGINS.search(data, position):
        close = data.find(_SHAPE_ENDS, found.end())
        if close < 0:
            return
        position = close + len(_SHAPE_ENDS)
        yield found.start(), position


def _shape(place: Place, number: int) -> str:
    return (
        f'<v:shape id="_x0000_s{number}" type="#_x0000_t202" style="position:absolute;margin-left:60pt;margin-top:2pt;'
        f'width:{_WIDTH_PX * 3 // 4}pt;height:120pt;z-index:{number % 1000};visibility:hidden" fillcolor="#ffffe1" '
        'o:insetmode="auto"><v:fill color2="#ffffe1"/><v:shadow on="t" color="black" obscured="t"/>'
        '<v:path o:connecttype="none"/><v:textbox style="mso-direction-alt:auto"><div style="text-align:left"></div>'
        f'</v:textbox><x:ClientData ObjectType="Note"><x:MoveWithCells/><x:SizeWithCells/><x:Anchor>{place.anchor}'
        f"</x:Anchor><x:AutoFill>False</x:AutoFill><x:Row>{place.row}</x:Row><x:Column>{place.column}</x:Column>"
        "</x:ClientData></v:shape>"
    )
