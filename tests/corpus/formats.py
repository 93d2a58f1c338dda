"""Other containers of the same report: .xls, .ods, .csv, .docx, OLE containers, zip packages.

All are written by hand, so that no library decides what the bytes look like.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from xml.sax.saxutils import escape, quoteattr

from etl import money
from tests.corpus.base import LAYOUT, Base
from tests.corpus.package import Book, Error, Sheet, join, packed, split

# --- OLE compound file ----------------------------------------------------------------------------------------------

_SECTOR = 512
_END, _FREE, _FAT = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD


def compound(streams: Sequence[tuple[str, bytes]], *, root_id: bytes = bytes(16)) -> bytes:
    """An OLE compound file (version 3) with those streams in its root; each is padded past the small-stream limit."""
    padded = [(name, data.ljust(4096, b"\0")) for name, data in streams]
    counts = [-(-len(data) // _SECTOR) for _, data in padded]
    directory_sectors = -(-(len(padded) + 1) // 4)
    fat_sectors = 1
    while fat_sectors * 128 < fat_sectors + directory_sectors + sum(counts):
        fat_sectors += 1
    fat: list[int] = [_FAT] * fat_sectors
    fat += [fat_sectors + n + 1 for n in range(directory_sectors - 1)] + [_END]
    starts = []
    for count in counts:
        starts.append(len(fat))
        fat += [len(fat) + n + 1 for n in range(count - 1)] + [_END]
    fat += [_FREE] * (fat_sectors * 128 - len(fat))
    header = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(16)
    header += struct.pack(
        "<HHHHH6xIIIIIIIII", 0x3E, 3, 0xFFFE, 9, 6, 0, fat_sectors, fat_sectors, 0, 4096, _END, 0, _END, 0
    )
    header += struct.pack("<109I", *([*range(fat_sectors)] + [_FREE] * (109 - fat_sectors)))
    entries = [_entry("Root Entry", 5, child=1 if padded else 0xFFFFFFFF, start=_END, size=0, class_id=root_id)]
    for number, ((name, data), start) in enumerate(zip(padded, starts, strict=True), 1):
        right = number + 1 if number < len(padded) else 0xFFFFFFFF
        entries.append(_entry(name, 2, right=right, start=start, size=len(data)))
    directory = b"".join(entries).ljust(directory_sectors * _SECTOR, b"\0")
    body = b"".join(data.ljust(count * _SECTOR, b"\0") for (_, data), count in zip(padded, counts, strict=True))
    return header + struct.pack(f"<{len(fat)}I", *fat) + directory + body


def _entry(
    name: str,
    kind: int,
    *,
    right: int = 0xFFFFFFFF,
    child: int = 0xFFFFFFFF,
    start: int,
    size: int,
    class_id: bytes = bytes(16),
) -> bytes:
    text = name.encode("utf-16-le") + b"\0\0"
    head = text.ljust(64, b"\0") + struct.pack("<HBBIII", len(text), kind, 1, 0xFFFFFFFF, right, child)
    return head + class_id + struct.pack("<I16xIQ", 0, start, size)


def encrypted_ooxml(size: int = 6000) -> bytes:
    """What a password makes of an .xlsx: an OLE container of its encrypted bytes and how they were encrypted."""
    noise = zlib.compress(bytes(range(256)) * 40, 9) * (1 + size // 300)
    info = struct.pack("<HHI", 4, 4, 0x40) + (
        b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?><encryption xmlns="http://schemas.microsoft.com/office/'
        b'2006/encryption"><keyData saltSize="16" blockSize="16" keyBits="256" hashSize="64" cipherAlgorithm="AES" '
        b'cipherChaining="ChainingModeCBC" hashAlgorithm="SHA512" saltValue="bm90IGEgc2VjcmV0IGF0IGE="/></encryption>'
    )
    return compound([("EncryptionInfo", info), ("EncryptedPackage", struct.pack("<Q", size) + noise[:size])])


# --- .xls -----------------------------------------------------------------------------------------------------------


def _record(kind: int, data: bytes = b"") -> bytes:
    return struct.pack("<HH", kind, len(data)) + data


def _text16(text: str, length: str) -> bytes:
    return struct.pack(length, len(text)) + b"\1" + text.encode("utf-16-le")


def xls(book: Book, dates: dict[str, set[str]] | None = None, *, password: bool = False) -> bytes:
    """BIFF8 with values only. ``dates``: sheet name -> cells that hold dates."""
    dates = dates or {}
    strings: dict[str, int] = {}
    bodies = [_xls_sheet(sheet, strings, dates.get(sheet.name, set()), book) for sheet in book.sheets]
    bof = struct.pack("<HHHHII", 0x600, 5, 0x1CAF, 0x7CD, 0, 6)
    head = _record(0x809, bof)
    if password:
        head += _record(0x2F, struct.pack("<HHH", 1, 1, 1) + bytes(range(48)))
    head += _record(0x42, struct.pack("<H", 1200)) + _record(0x22, struct.pack("<H", 0))
    font = struct.pack("<HHHHHBBBB", 220, 0, 0x7FFF, 400, 0, 0, 0, 0, 0) + struct.pack("<BB", 15, 1)
    head += _record(0x31, font + "Times New Roman".encode("utf-16-le")) * 5
    formats = [0] * 16 + [14]
    for number, shown in enumerate(formats):
        style = 0xFFF5 if number < 15 else 1
        head += _record(0xE0, struct.pack("<HHHBBBBIIH", 0, shown, style, 0x20, 0, 0, 0, 0, 0, 0x20C0))
    head += _record(0x293, struct.pack("<HBB", 0x8000, 0, 0xFF))
    names = [_text16(s.name, "<B") for s in book.sheets]
    tail = _shared(list(strings)) + _record(0x0A)
    offset = len(head) + sum(len(n) + 6 + 4 for n in names) + len(tail)
    states = {"": 0, "hidden": 1, "veryHidden": 2}
    for sheet, name, body in zip(book.sheets, names, bodies, strict=True):
        head += _record(0x85, struct.pack("<IBB", offset, states[sheet.state], 0) + name)
        offset += len(body)
    return compound([("Workbook", head + tail + b"".join(bodies))])


def _shared(texts: list[str]) -> bytes:
    """The table of strings over as many records as it takes; no string is cut."""
    records = []
    current = struct.pack("<II", len(texts), len(texts))
    for text in texts:
        piece = _text16(text, "<H")
        if len(current) + len(piece) > 8000:
            records.append(current)
            current = b""
        current += piece
    records.append(current)
    return _record(0xFC, records[0]) + b"".join(_record(0x3C, r) for r in records[1:])


def _xls_sheet(sheet: Sheet, strings: dict[str, int], dates: set[str], book: Book) -> bytes:
    out = _record(0x809, struct.pack("<HHHHII", 0x600, 0x10, 0x1CAF, 0x7CD, 0, 6))
    out += _record(0x200, struct.pack("<IIHHH", 0, sheet.last_row, 0, 30, 0))
    for (row, column), cell in sorted(sheet.cells.items()):
        where = struct.pack("<HHH", row - 1, column - 1, 16 if join(row, column) in dates else 15)
        if isinstance(cell.value, Decimal):
            out += _record(0x203, where + struct.pack("<d", float(cell.value)))
        elif isinstance(cell.value, str) and cell.value:
            index = strings.setdefault(cell.value, len(strings))
            out += _record(0xFD, where + struct.pack("<I", index))
    ranges = [tuple(split(p) for p in m.split(":")) for m in sheet.merged]
    if ranges:
        packed_ranges = b"".join(struct.pack("<HHHH", a[0] - 1, b[0] - 1, a[1] - 1, b[1] - 1) for a, b in ranges)
        out += _record(0xE5, struct.pack("<H", len(ranges)) + packed_ranges)
    window = struct.pack("<HHHIHHI", 0x6B6, 0, 0, 64, 0, 0, 0)
    return out + _record(0x23E, window) + _record(0x0A)


def date_cells(made: Base) -> dict[str, set[str]]:
    """Cells of a report that hold dates."""
    found: dict[str, set[str]] = {}
    for plan in made.plans.values():
        for row in plan.rows:
            for column in plan.sheet.columns:
                if isinstance(row.cells[column.key].value, date):
                    found.setdefault(plan.sheet.name, set()).add(f"{column.letter}{row.number}")
    return found


# --- .ods -----------------------------------------------------------------------------------------------------------

_ODS_SPACES = (
    'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" '
    'xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0" '
    'xmlns:of="urn:oasis:names:tc:opendocument:xmlns:of:1.2"'
)
_ODS_MIME = "application/vnd.oasis.opendocument.spreadsheet"


def ods(book: Book, dates: dict[str, set[str]] | None = None, *, formulas: bool = False, trailing: str = "") -> bytes:
    """An OpenDocument spreadsheet as LibreOffice writes it; ``trailing`` is XML put at the end of every table."""
    dates = dates or {}
    tables = "".join(_ods_table(s, dates.get(s.name, set()), formulas, trailing) for s in book.sheets)
    styles = (
        '<office:automatic-styles><style:style style:name="ta1" style:family="table"><style:table-properties '
        'table:display="true"/></style:style><style:style style:name="ta2" '
        'style:family="table"><style:table-properties '
        'table:display="false"/></style:style></office:automatic-styles>'
    )
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<office:document-content {_ODS_SPACES} office:version="1.2">{styles}'
        f"<office:body><office:spreadsheet>{tables}</office:spreadsheet></office:body></office:document-content>"
    )
    return ods_package(content.encode())


def ods_package(content: bytes, *, encrypted: bool = False) -> bytes:
    secret = (
        '<manifest:encryption-data manifest:checksum-type="SHA1/1K" manifest:checksum="AAAA"/>' if encrypted else ""
    )
    manifest = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<manifest:manifest '
        'xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:'
        'manifest:1.0" manifest:version="1.2"><manifest:file-entry manifest:full-path="/" '
        f'manifest:media-type="{_ODS_MIME}"/>'
        '<manifest:file-entry manifest:full-path="content.xml" '
        f'manifest:media-type="text/xml">{secret}</manifest:file-entry>'
        "</manifest:manifest>"
    )
    parts = {"mimetype": _ODS_MIME.encode(), "content.xml": content, "META-INF/manifest.xml": manifest.encode()}
    return packed(parts, stored=frozenset({"mimetype"}))


def _ods_table(sheet: Sheet, dates: set[str], formulas: bool, trailing: str) -> str:
    spans: dict[tuple[int, int], tuple[int, int]] = {}
    covered: set[tuple[int, int]] = set()
    for merged in sheet.merged:
        (top, left), (bottom, right) = (split(p) for p in merged.split(":"))
        spans[top, left] = (bottom - top + 1, right - left + 1)
        covered |= {(r, c) for r in range(top, bottom + 1) for c in range(left, right + 1)} - {(top, left)}
    rows = []
    last_column = max((c for _, c in sheet.cells), default=1)
    for row in range(1, sheet.last_row + 1):
        cells, empty = [], 0
        for column in range(1, last_column + 1):
            text = _ods_cell(sheet, row, column, spans, covered, join(row, column) in dates, formulas)
            if text is None:
                empty += 1
                continue
            if empty:
                cells.append(f'<table:table-cell table:number-columns-repeated="{empty}"/>')
                empty = 0
            cells.append(text)
        inside = "".join(cells) or "<table:table-cell/>"
        rows.append(f"<table:table-row>{inside}</table:table-row>")
    style = "ta2" if sheet.state else "ta1"
    head = f'<table:table table:name={quoteattr(sheet.name)} table:style-name="{style}">'
    return (
        head
        + '<table:table-column table:number-columns-repeated="1024"/>'
        + "".join(rows)
        + trailing
        + "</table:table>"
    )


def _ods_cell(
    sheet: Sheet,
    row: int,
    column: int,
    spans: dict[tuple[int, int], tuple[int, int]],
    covered: set[tuple[int, int]],
    is_date: bool,
    formulas: bool,
) -> str | None:
    cell = sheet.cells.get((row, column))
    name = "table:covered-table-cell" if (row, column) in covered else "table:table-cell"
    attributes = ""
    if (row, column) in spans:
        down, across = spans[row, column]
        attributes = f' table:number-columns-spanned="{across}" table:number-rows-spanned="{down}"'
    if cell is None or cell.value is None or cell.value == "":
        if cell is not None and cell.formula and formulas:
            empty = 'office:value-type="string" office:string-value=""'
            return f"<{name}{attributes} table:formula={quoteattr(_of(cell.formula))} {empty}/>"
        return f"<{name}{attributes}/>" if attributes or name != "table:table-cell" else None
    if cell.formula and formulas:
        attributes += f" table:formula={quoteattr(_of(cell.formula))}"
    if isinstance(cell.value, Decimal) and is_date:
        shown = date.fromordinal(date(1899, 12, 30).toordinal() + int(cell.value))
        return (
            f'<{name}{attributes} office:value-type="date" office:date-value="{shown.isoformat()}"><text:p>'
            f"{shown:%d/%m/%Y}</text:p></{name}>"
        )
    if isinstance(cell.value, Decimal):
        shown_number = money.group_vi(cell.value, 3)
        return (
            f'<{name}{attributes} office:value-type="float" office:value="{cell.value:f}"><text:p>{shown_number}'
            f"</text:p></{name}>"
        )
    text = cell.value.code if isinstance(cell.value, Error) else str(cell.value)
    lines = "".join(f"<text:p>{_ods_text(line)}</text:p>" for line in text.split("\n"))
    return f'<{name}{attributes} office:value-type="string">{lines}</{name}>'


def _ods_text(text: str) -> str:
    return escape(text).replace("  ", ' <text:s text:c="1"/>')


def _of(formula: str) -> str:
    """A formula in OpenFormula: references in brackets, arguments parted by semicolons."""
    from tests.corpus.package import _REFERENCE, _outside_texts

    def change(text: str) -> str:
        text = _REFERENCE.sub(lambda m: f"[.{m[0]}]", text)
        return text.replace("]:[", ":").replace(",", ";")

    return "of:=" + _outside_texts(formula, change)


# --- .csv and .docx -------------------------------------------------------------------------------------------------

Show = Callable[[Decimal], str]


def plain_vietnamese(value: Decimal) -> str:
    """``1234,500000``: six decimals or none, so that no text has two readings."""
    whole = value.to_integral_value()
    return f"{whole:f}" if value == whole else f"{value:.6f}".replace(".", ",")


def plain_english(value: Decimal) -> str:
    return plain_vietnamese(value).replace(",", ".")


def rows_of(sheet: Sheet, show: Show) -> list[list[str]]:
    """The sheet as texts, as a program exports it."""
    width = max((c for _, c in sheet.cells), default=0)
    table = []
    for row in range(1, sheet.last_row + 1):
        line = []
        for column in range(1, width + 1):
            cell = sheet.cells.get((row, column))
            value = cell.value if cell else None
            line.append(show(value) if isinstance(value, Decimal) else str(value or ""))
        table.append(line)
    return table


def csv(sheet: Sheet, *, separator: str = ";", encoding: str = "utf-8-sig", show: Show = plain_vietnamese) -> bytes:
    def quoted(text: str) -> str:
        return '"' + text.replace('"', '""') + '"' if any(c in text for c in (separator, '"', "\n")) else text

    lines = [separator.join(map(quoted, line)) for line in rows_of(sheet, show)]
    return "\r\n".join(lines).encode(encoding) + "\r\n".encode(
        encoding.removesuffix("-sig").replace("utf-16", "utf-16-le")
    )


_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def docx(body: str) -> bytes:
    """A Word document around some paragraphs and tables in WordprocessingML."""
    head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    types = (
        f'{head}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" '
        'ContentType="application/xml"/><Override PartName="/word/document.xml" ContentType="application/vnd.'
        'openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>'
    )
    rels = (
        f"{head}<Relationships "
        'xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" '
        'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" '
        'Target="word/document.xml"/></Relationships>'
    )
    document = f'{head}<w:document xmlns:w="{_W}"><w:body>{body}<w:sectPr/></w:body></w:document>'
    parts = {
        "[Content_Types].xml": types.encode(),
        "_rels/.rels": rels.encode(),
        "word/document.xml": document.encode(),
    }
    return packed(parts)


def paragraph(text: str) -> str:
    return f'<w:p><w:r><w:t xml:space="preserve">{escape(text)}</w:t></w:r></w:p>'


def docx_of(book: Book, show: Show = plain_vietnamese) -> bytes:
    """Every form as paragraphs (its head) and a table (its header, rows and total)."""
    body = []
    for form in LAYOUT.sheets:
        rows = rows_of(book[form.name], show)
        # The first header row: row 8 of the official layout; the head above it becomes paragraphs.
        for line in rows[:7]:
            body += [paragraph(" ".join(t for t in line if t))] if any(line) else []
        body.append(_docx_table(book[form.name], rows))
        body.append(paragraph(""))
    return docx("".join(body))


def _docx_table(sheet: Sheet, rows: list[list[str]]) -> str:
    """The table without what stands under it; merged header cells as Word has them."""
    end = next((n for n in range(10, len(rows)) if not any(rows[n])), len(rows))
    across: dict[tuple[int, int], int] = {}
    down: dict[tuple[int, int], bool] = {}
    skip: set[tuple[int, int]] = set()
    for merged in sheet.merged:
        (top, left), (bottom, right) = (split(p) for p in merged.split(":"))
        if top < 8 or bottom > end:
            continue
        if right > left:
            across[top, left] = right - left + 1
            skip |= {(top, c) for c in range(left + 1, right + 1)}
        if bottom > top:
            down[top, left] = True
            down |= {(r, left): False for r in range(top + 1, bottom + 1)}
    lines = []
    for row in range(8, end + 1):
        cells = []
        for column, text in enumerate(rows[row - 1], 1):
            if (row, column) in skip:
                continue
            properties = ""
            if (row, column) in across:
                properties += f'<w:gridSpan w:val="{across[row, column]}"/>'
            if (row, column) in down:
                properties += '<w:vMerge w:val="restart"/>' if down[row, column] else "<w:vMerge/>"
            cells.append(f"<w:tc><w:tcPr>{properties}</w:tcPr>{paragraph(text)}</w:tc>")
        lines.append(f"<w:tr>{''.join(cells)}</w:tr>")
    return f"<w:tbl><w:tblPr/><w:tblGrid/>{''.join(lines)}</w:tbl>"


# --- zip ------------------------------------------------------------------------------------------------------------


def zipped(members: Sequence[tuple[str, bytes]]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            info = zipfile.ZipInfo(name, (2025, 11, 5, 8, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, data)
    return out.getvalue()


def flagged_encrypted(data: bytes) -> bytes:
    """The zip with the flag "encrypted" on every entry, in both of its headers."""
    out = bytearray(data)
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = out.find(signature)
        while at >= 0:
            out[at + offset] |= 1
            at = out.find(signature, at + 4)
    return bytes(out)
