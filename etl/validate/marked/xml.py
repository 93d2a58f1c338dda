"""Edits in an XML part by byte position: what is not touched keeps its bytes, prefixes and unknown extensions.

A parser that builds a tree and writes it again would rename prefixes and break ``mc:Ignorable``; here expat says
where the elements stand and pieces are exchanged. Names are local names: ``x:row`` and ``row`` are both ``row``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat

_TAG = re.compile(rb"<[^\"'>]*(?:\"[^\"]*\"[^\"'>]*|'[^']*'[^\"'>]*)*>")
_ENCODING = re.compile(rb"<\?xml[^>]*encoding\s*=\s*[\"']([^\"']+)", re.IGNORECASE)
_ESCAPE_LIKE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_ILLEGAL = re.compile("[^\t\n\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class OddPackageError(Exception):
    """The package is not built as spreadsheet programs do; it cannot be edited in place."""


@dataclass
class Node:
    """An element: its bytes are ``data[start:end]``, its content ``data[open_end:close]``."""

    name: str
    prefix: str
    attributes: dict[str, str]
    start: int
    open_end: int
    close: int = -1
    end: int = -1
    children: list[Node] = field(default_factory=list)

    def child(self, name: str) -> Node | None:
        return next((c for c in self.children if c.name == name), None)

    def get(self, name: str) -> str | None:
        """The attribute of that local name: ``r:id`` and ``id`` are both ``id``."""
        for key, value in self.attributes.items():
            if key == name or key.endswith(":" + name):
                return value
        return None


def parser(data: bytes) -> Any:
    """An expat parser that refuses document types; raises OddPackageError for other encodings than UTF-8."""
    found = _ENCODING.search(data[:200])
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or (found and found[1].lower() not in (b"utf-8", b"us-ascii", b"ascii")):
        raise OddPackageError("encoding")
    made = expat.ParserCreate()
    made.StartDoctypeDeclHandler = _refuse
    return made


def _refuse(*_: Any) -> None:
    raise OddPackageError("DOCTYPE")


def parse(made: Any, data: bytes) -> None:
    try:
        made.Parse(data, True)
    except expat.ExpatError as error:
        raise OddPackageError(str(error)) from error


def tag_end(data: bytes, start: int) -> int:
    """Where the tag that begins at ``start`` is over."""
    match = _TAG.match(data, start)
    if match is None:
        raise OddPackageError("tag")
    return match.end()


def split(name: str) -> tuple[str, str]:
    """``x:row`` -> (``x:``, ``row``)."""
    prefix, colon, local = name.rpartition(":")
    return prefix + colon, local


def outline(data: bytes, depth: int) -> Node:
    """The root with its descendants down to ``depth`` (1 = the root alone)."""
    made = parser(data)
    roots: list[Node] = []
    stack: list[Node] = []
    level = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal level
        level += 1
        if level > depth:
            return
        at = made.CurrentByteIndex
        prefix, local = split(name)
        node = Node(local, prefix, attributes, at, tag_end(data, at))
        (stack[-1].children if stack else roots).append(node)
        stack.append(node)

    def end(_: str) -> None:
        nonlocal level
        level -= 1
        if level >= depth:
            return
        node = stack.pop()
        if data[node.open_end - 2 : node.open_end] == b"/>":
            node.close = node.end = node.open_end
        else:
            node.close = made.CurrentByteIndex
            node.end = data.index(b">", node.close) + 1

    made.StartElementHandler, made.EndElementHandler = start, end
    parse(made, data)
    return roots[0]


class Edits:
    """Pieces to exchange in ``data``; positions refer to the bytes as they were."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._pieces: list[tuple[int, int, bytes]] = []

    def replace(self, start: int, end: int, new: bytes) -> None:
        self._pieces.append((start, end, new))

    def insert(self, at: int, new: bytes) -> None:
        self._pieces.append((at, at, new))

    def append_to(self, node: Node, new: bytes, tag: str) -> None:
        """``new`` as last content of ``node``, which may be written ``<node/>``."""
        if node.close == node.open_end == node.end:
            opened = self.data[node.start : node.open_end - 2].rstrip() + b">"
            self.replace(node.start, node.end, opened + new + f"</{node.prefix}{tag}>".encode())
        else:
            self.insert(node.close, new)

    def __bool__(self) -> bool:
        return bool(self._pieces)

    def result(self) -> bytes:
        parts, position = [], 0
        for start, end, new in sorted(self._pieces, key=lambda p: (p[0], p[1])):
            if start < position:
                raise OddPackageError("overlapping edits")
            parts += [self.data[position:start], new]
            position = end
        parts.append(self.data[position:])
        return b"".join(parts)


def set_attribute(tag: bytes, name: str, value: str | None) -> bytes:
    """The opening tag with the attribute set, or without it when ``value`` is None."""
    pattern = re.compile(rb"\s" + re.escape(name.encode()) + rb"\s*=\s*(?:\"[^\"]*\"|'[^']*')")
    new = b"" if value is None else f' {name}="{attribute(value)}"'.encode()
    changed, count = pattern.subn(lambda _: new, tag, count=1)
    if count or value is None:
        return changed
    closing = b"/>" if tag.endswith(b"/>") else b">"
    return tag[: -len(closing)].rstrip() + new + closing


def attribute(text: str) -> str:
    return content(text).replace('"', "&quot;").replace("\n", "&#10;").replace("\t", "&#9;")


def content(text: str) -> str:
    """``text`` as XML content: illegal characters become �, a carriage return a line break."""
    clean = _ILLEGAL.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))
    return clean.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def cell_text(text: str) -> str:
    """``text`` for ``<t>`` of a spreadsheet, where ``_x0041_`` would be read as an escape."""
    return content(_ESCAPE_LIKE.sub("_x005F_", text))


def texts_of(data: bytes, item: str, keep: Callable[[str], bool]) -> list[str]:
    """The text of every element ``item``, joined over the elements ``t`` in it that ``keep`` (parent name) admits."""
    made = parser(data)
    made.buffer_text = True
    result: list[str] = []
    path: list[str] = []

    def start(name: str, _: dict[str, str]) -> None:
        path.append(split(name)[1])
        if path[-1] == item:
            result.append("")

    def end(_: str) -> None:
        path.pop()

    def characters(text: str) -> None:
        if result and path[-1] == "t" and keep(path[-2]):
            result[-1] += text

    made.StartElementHandler, made.EndElementHandler, made.CharacterDataHandler = start, end, characters
    parse(made, data)
    return result
