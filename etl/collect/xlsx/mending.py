"""A sheet of an .xlsx file, mended: written without prefixes, every cell with its address, nothing far away.

Blank cells far outside of any form are cut off before they are read (a stray space in row 1,048,576), and refuse the
file when they are not blank.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from etl.collect import guard
from etl.collect.formula import index_to_letters, letters_to_index
from etl.collect.grid import MAX_COLUMNS, MAX_ROWS

Texts = Callable[[], Sequence[bytes]]
"""The shared texts of the workbook; they are asked for only where something lies far away."""

ADDRESS = re.compile(rb'(?:^|\s)r="([A-Z]{1,3})(\d{1,7})"')
"""Where a cell stands, in the attributes of its tag."""
TEXT = re.compile(rb"<(?:\w+:)?t\b[^>]*?>([^<]*)</")
_MAX_CELLS = 4_000_000
_MANY_BYTES = 8 * MAX_ROWS
"""A sheet of fewer bytes cannot have more rows than that."""
_PROLOGUE_BYTES = 100
_MAX_STRAYS = 2_000
"""So many blank cells far below are passed over one by one; no office makes more of them."""
_ROW_NUMBER = re.compile(rb'<row\s(?:[^>]*?\s)?r="(\d+)"')
_FAR_ROW = re.compile(rb'r="[A-Za-z]+(\d{5,})"')
_ODD_QUOTES = re.compile(rb"r(?:=['\s]|\s+=)")
_ODD_SPACE = re.compile(rb"[\t\r\n]r=")
_TAG = re.compile(rb"<(?:c|row|col|f|mergeCell)\s[^>]*>")
_ODD_ATTRIBUTE = re.compile(rb"""\s+([\w:]+)\s*=\s*(?:'([^'"]*)'|"([^"]*)")""")
_FAR_COLUMN = re.compile(rb'<c\s(?:[^>]*?\s)?r="[A-Z]{3,}\d')
_FAR_BLANK = re.compile(rb'<c\s(?:[^>]*?\s)?r="[A-Z]{3,}\d+"[^>]*?(?:/>|>\s*(?:<v\s*/>\s*)?</c>)')
_FAR_CELL = re.compile(rb'<c\s(?:[^>]*?\s)?r="[A-Z]{3,}\d+"[^>]*>.*?</c>', re.DOTALL)
_NO_ADDRESS = re.compile(rb"<c(?:>|\s(?![^>]*\br=))")
"""A cell without its place; a program that leaves it out does so everywhere, so the first one tells."""
_THREE_LETTERS = re.compile(rb' r="[A-Z]{3}')
_TWO_LETTERS = re.compile(rb'<c\s(?:[^>]*?\s)?r="[A-Z]{2}\d')
_PREFIX = re.compile(rb"<(\w+):worksheet[\s>]")


def mended(xml: bytes, texts: Texts) -> bytes:
    """The sheet as calamine and the patterns of this room expect it: no prefix, addresses, nothing far away.

    The very same object where there is nothing to mend. Raises RefusedError for content far outside of any form.
    """
    if len(xml) > _MANY_BYTES and xml.count(b"<mergeCell ") > MAX_ROWS:
        raise guard.RefusedError(guard.BOMB)
    prefix = _PREFIX.search(xml[:4096])
    if prefix:
        xml = xml.replace(b"<" + prefix[1] + b":", b"<").replace(b"</" + prefix[1] + b":", b"</")
        xml = xml.replace(b"xmlns:" + prefix[1] + b"=", b"xmlns=", 1)
    if _is_oddly_set(xml):
        xml = _TAG.sub(lambda tag: _ODD_ATTRIBUTE.sub(_usual_attribute, tag[0]), xml)
    if _NO_ADDRESS.search(xml, 0, xml.find(b"</c>") + 1):
        xml = _addressed(xml)
    return _without_strays(xml, texts)


def _without_strays(xml: bytes, texts: Texts) -> bytes:
    """``xml`` without the blank rows and columns beyond any form; raises RefusedError when they hold something."""
    last = max(map(int, _ROW_NUMBER.findall(xml[-65_536:])), default=0)
    if last > MAX_ROWS or (len(xml) > _MANY_BYTES and xml.count(b"<row") > MAX_ROWS):
        xml = _cut_below(xml, texts)
        last = max(map(int, _ROW_NUMBER.findall(xml)), default=0)
        if last > MAX_ROWS:
            raise guard.RefusedError(_too_far(f"dòng {last}", f"{MAX_ROWS} dòng"))
    # A cell may name a row that is not the one it stands in.
    last = max([last, *(int(row[:9]) for row in _FAR_ROW.findall(xml))])
    if last > MAX_ROWS:
        raise guard.RefusedError(_too_far(f"dòng {last}", f"{MAX_ROWS} dòng"))
    if _THREE_LETTERS.search(xml):
        xml = _FAR_BLANK.sub(b"", xml)
        xml = _FAR_CELL.sub(lambda cell: b"" if _is_blank(cell[0], texts) else cell[0], xml)
        far = _FAR_COLUMN.search(xml)
        if far:
            place = xml[far.start() : far.start() + 80].split(b'r="')[1].split(b'"')[0].decode()
            raise guard.RefusedError(_too_far(f"ô {place}", "cột ZZ"))
    if last * MAX_COLUMNS > _MAX_CELLS and last and _TWO_LETTERS.search(xml):
        widest = max(letters_to_index(c.decode()) for c in re.findall(rb'\sr="([A-Z]{2})\d+"', xml))
        if widest * last > _MAX_CELLS:
            raise guard.RefusedError(_too_far(f"vùng {last} dòng x {widest} cột", f"{MAX_ROWS} dòng"))
    return xml


def _cut_below(xml: bytes, texts: Texts) -> bytes:
    """``xml`` up to the row of the last cell that says something."""
    end = xml.find(b"</sheetData>")
    if end < 0:
        return xml
    stop = end
    for _ in range(_MAX_STRAYS):
        value = max(xml.rfind(b"</v>", 0, stop), xml.rfind(b"</t>", 0, stop))
        if value < 0:
            start = xml.find(b"<sheetData")
            return xml[: xml.find(b">", start) + 1] + xml[end:]
        cell = max(xml.rfind(b"<c ", 0, value), 0)
        if not _is_blank(xml[cell : xml.find(b"</c>", value) + 4], texts):
            row_end = xml.find(b"</row>", value)
            return xml[: row_end + 6] + xml[end:] if 0 <= row_end < end else xml
        stop = cell
    raise guard.RefusedError(guard.BOMB)


def _is_blank(cell: bytes, texts: Texts) -> bool:
    """Whether a cell's value is white space only; a formula is something."""
    if b"<f" in cell:
        return False
    head = cell[: cell.find(b">")]
    if b't="s"' in head:
        known = texts()
        number = re.search(rb"<v>(\d+)</v>", cell)
        place = int(number[1]) if number else -1
        return not (0 <= place < len(known)) or not known[place].decode("utf-8", "replace").strip()
    value = re.search(rb"<v[^>]*>([^<]*)</v>", cell)
    text = value[1] if value else b"".join(TEXT.findall(cell))
    return not text.decode("utf-8", "replace").strip()


def _is_oddly_set(xml: bytes) -> bool:
    """Whether places stand between single quotes or in white space other than one blank."""
    lines = b"\t" in xml or xml.find(b"\n", _PROLOGUE_BYTES) >= 0  # rare, and cheap to find
    return _ODD_QUOTES.search(xml) is not None or (lines and _ODD_SPACE.search(xml) is not None)


def _usual_attribute(match: re.Match[bytes]) -> bytes:
    """The attribute between double quotes, without white space about its sign of equality."""
    value = match[3] if match[2] is None else match[2]
    return b' %s="%s"' % (match[1], value)


def _addressed(xml: bytes) -> bytes:
    """Gives rows and cells that do not name their place the place that follows the one before."""
    row, column = 0, 0

    def place(match: re.Match[bytes]) -> bytes:
        nonlocal row, column
        tag, attributes = match[1], match[2]
        if tag == b"row":
            number = re.search(rb'\br="(\d+)"', attributes)
            row, column = (int(number[1]) if number else row + 1), 0
            return match[0] if number else b'<row r="%d"' % row + attributes + b">"
        found = ADDRESS.search(attributes)
        column = letters_to_index(found[1].decode()) + 1 if found else column + 1
        if found:
            return match[0]
        return b'<c r="%s%d"' % (index_to_letters(column - 1).encode(), row) + attributes + b">"

    return re.sub(rb"<(row|c)((?:\s[^>]*)?)>", place, xml)


def _too_far(place: str, limit: str) -> guard.Refusal:
    return guard.Refusal(
        "M42",
        f"Trang tính có nội dung ở tận {place}, vượt giới hạn {limit}.",
        "Xóa hẳn nội dung nằm ngoài bảng (chọn các dòng, cột thừa, Delete), lưu lại rồi gửi lại.",
    )
