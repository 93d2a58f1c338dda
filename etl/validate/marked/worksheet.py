"""Worksheets of a workbook that is to be marked: where rows and cells stand in the XML, and how large they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from etl.validate.marked import xml
from etl.validate.marked.result import number_of, split_address
from etl.validate.marked.xml import Node, OddPackageError

_DEFAULT_WIDTH, _DEFAULT_HEIGHT = 8.43, 15.0


@dataclass
class Cell:
    column: int
    row: int
    start: int
    end: int
    format_no: int
    kind: str
    formula: str | None = None
    shared: str | None = None


@dataclass
class Scan:
    """What of a worksheet's XML matters: blocks, rows and the cells that are asked for."""

    root: Node
    rows: dict[int, tuple[int, int, int, Mapping[str, str]]] = field(default_factory=dict)
    """Row number -> start, end of its opening tag, end, attributes."""
    cells: dict[int, list[Cell]] = field(default_factory=dict)
    columns: list[Mapping[str, str]] = field(default_factory=list)
    merged: list[str] = field(default_factory=list)

    def format_of_blank(self, column: int, row: int) -> int:
        """The format of a cell that is not there: its row's, else its column's."""
        attributes = self.rows[row][3] if row in self.rows else {}
        if attributes.get("customFormat") in ("1", "true"):
            return int(attributes.get("s", 0))
        for col in self.columns:
            if int(col["min"]) <= column <= int(col["max"]):
                return int(col.get("style", 0))
        return 0

    def anchor_of(self, address: str) -> str:
        """The first cell of the merged range in which the address lies, or the address."""
        letters, row = split_address(address)
        column = number_of(letters)
        for span in self.merged:
            first, _, last = span.replace("$", "").partition(":")
            (a, top), (b, bottom) = split_address(first), split_address(last or first)
            if number_of(a) <= column <= number_of(b) and top <= row <= bottom:
                return first
        return address

    def width_px(self, column: int) -> int:
        """As spreadsheet programs draw it at 96 dots per inch; 0 for a hidden one, as for rows."""
        for col in self.columns:
            if int(col["min"]) <= column <= int(col["max"]):
                return 0 if col.get("hidden") in ("1", "true") else int(float(col.get("width", _DEFAULT_WIDTH)) * 7 + 5)
        return int(_DEFAULT_WIDTH * 7 + 5)

    def height_px(self, row: int) -> int:
        attributes = self.rows[row][3] if row in self.rows else {}
        if attributes.get("hidden") in ("1", "true"):
            return 0
        return int(float(attributes.get("ht", _DEFAULT_HEIGHT)) * 4 / 3)


def read(data: bytes, rows: set[int] | None, ours: frozenset[int] = frozenset()) -> Scan:
    """One pass over a sheet. Kept are the cells of ``rows`` (None: all), those in a format of ours, and formulas."""
    made = xml.parser(data)
    made.buffer_text = True
    stack: list[Node] = []
    scan: Scan | None = None
    level = row = column = 0
    row_start = 0
    row_attributes: Mapping[str, str] = {}
    cell: Cell | None = None
    text: list[str] | None = None

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal scan, level, row, column, row_start, row_attributes, cell, text
        level += 1
        local = name.rpartition(":")[2]
        if level == 4 and local == "c":
            reference = attributes.get("r")
            if reference:
                letters, number = split_address(reference)
                column = number_of(letters)
                if number != row:
                    raise OddPackageError("cell outside its row")
            else:
                column += 1
            cell = Cell(column, row, made.CurrentByteIndex, 0, int(attributes.get("s", 0)), attributes.get("t", "n"))
        elif level == 5 and local == "f" and cell is not None:
            cell.formula, cell.shared = "", attributes.get("si") if attributes.get("t") == "shared" else None
            text = []
            made.CharacterDataHandler = text.append
        elif level == 3 and local == "row":
            row = int(attributes.get("r", row + 1))
            column = 0
            row_start = made.CurrentByteIndex
            row_attributes = attributes
        elif level <= 3:
            at = made.CurrentByteIndex
            node = Node(local, name[: len(name) - len(local)], attributes, at, xml.tag_end(data, at))
            if level == 1:
                scan = Scan(node)
            else:
                stack[-1].children.append(node)
            stack.append(node)
            if scan is not None and local == "col":
                scan.columns.append(attributes)
            elif scan is not None and local == "mergeCell":
                scan.merged.append(attributes.get("ref", ""))

    def end(name: str) -> None:
        nonlocal level, cell, text
        level -= 1
        local = name.rpartition(":")[2]
        if level == 4 and local == "f" and cell is not None and text is not None:
            cell.formula = "".join(text)
            made.CharacterDataHandler = None
            text = None
        elif level == 3 and local == "c" and cell is not None and scan is not None:
            if rows is None or row in rows or cell.formula is not None or cell.format_no in ours:
                cell.end = _end(cell.start)
                scan.cells.setdefault(row, []).append(cell)
            cell = None
        elif level == 2 and local == "row" and scan is not None:
            tag_end = xml.tag_end(data, row_start)
            scan.rows[row] = (row_start, tag_end, _end(row_start, tag_end), row_attributes)
        elif level <= 2 and stack:
            node = stack.pop()
            node.close = node.end = node.open_end
            if data[node.open_end - 2 : node.open_end] != b"/>":
                node.close = made.CurrentByteIndex
                node.end = data.index(b">", node.close) + 1

    def _end(begun: int, tag_end: int = 0) -> int:
        tag_end = tag_end or xml.tag_end(data, begun)
        if data[tag_end - 2 : tag_end] == b"/>":
            return tag_end
        return data.index(b">", made.CurrentByteIndex) + 1

    made.StartElementHandler, made.EndElementHandler = start, end
    xml.parse(made, data)
    if scan is None:
        raise OddPackageError("empty sheet")
    return scan
