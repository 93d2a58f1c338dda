"""Tables of a Word document (.docx) as grids: some offices answer in the text document that asked them (case 38).

Each table is a sheet of its own; the paragraphs before it stand above it as rows, so that the header of the form
(period, unit, commune) is where the reader looks for it. Format: ISO/IEC 29500, wordprocessingML.
"""

from __future__ import annotations

import io
import zipfile
from xml.etree.ElementTree import Element, fromstring

from etl.collect import guard
from etl.collect.grid import MAX_COLUMNS, MAX_ROWS, Grid, GridValue, Position

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FEWEST_COLUMNS = 8
"""A table with fewer columns is a letterhead or a signature block, none of the forms."""


def read(data: bytes) -> list[Grid]:
    """One grid for each wide table. Raises RefusedError (M38) when there is none."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        body = fromstring(archive.read("word/document.xml")).find(f"{_W}body")  # noqa: S314 - the guard saw no DOCTYPE
    grids: list[Grid] = []
    above: list[str] = []
    for part in body if body is not None else ():
        if part.tag == f"{_W}p":
            above.append(_text(part))
        elif part.tag == f"{_W}tbl":
            grid = _grid(f"Bảng {len(grids) + 1}", part, above)
            if max(map(len, grid.rows), default=0) >= _FEWEST_COLUMNS:
                grids.append(grid)
                above = []
            else:
                above += [str(v) for row in grid.rows for v in row if v]
    if not grids:
        raise guard.RefusedError(
            guard.Refusal(
                "M38",
                "Tệp là văn bản Word, không có bảng theo biểu mẫu.",
                "Nhập số liệu vào biểu mẫu Excel (.xlsx) đã phát rồi gửi lại.",
            )
        )
    return grids


def _text(element: Element) -> str:
    parts = []
    for node in element.iter():
        if node.tag == f"{_W}t":
            parts.append(node.text or "")
        elif node.tag in (f"{_W}br", f"{_W}cr"):
            parts.append(" ")
        elif node.tag == f"{_W}tab" and not node.attrib:  # one with attributes is a tab stop of the style
            parts.append("\t")
    return "".join(parts).strip()


def _grid(name: str, table: Element, above: list[str]) -> Grid:
    rows: list[list[GridValue]] = [[part.strip() for part in text.split("\t")] for text in above if text]
    merged: list[tuple[Position, Position]] = []
    for line in table.findall(f"{_W}tr"):
        row: list[GridValue] = []
        for cell in line.findall(f"{_W}tc"):
            properties = cell.find(f"{_W}tcPr")
            span = properties.find(f"{_W}gridSpan") if properties is not None else None
            width = int(span.get(f"{_W}val", "1")) if span is not None else 1
            if width > 1:
                merged.append(((len(rows), len(row)), (len(rows), len(row) + width - 1)))
            row += [" ".join(filter(None, (_text(p) for p in cell.findall(f"{_W}p")))), *[""] * (width - 1)]
        rows.append(row)
        if len(rows) > MAX_ROWS or len(row) > MAX_COLUMNS:
            raise guard.RefusedError(guard.BOMB)
    return Grid(name, True, rows, merged, textual=True)
