"""Files made to do harm: each is refused for the right reason or read without any."""

from __future__ import annotations

import random
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable
from dataclasses import replace
from io import BytesIO

from tests.corpus import formats
from tests.corpus.base import B01, Base, base
from tests.corpus.draft import Draft
from tests.corpus.files import html, valued
from tests.corpus.formulas import with_external_link
from tests.corpus.item import Hostile, Made
from tests.corpus.package import Book, packed

_FOUND: list[Hostile] = []
_SHEET, _WORKBOOK, _STRINGS = "xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/sharedStrings.xml"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def _made() -> Base:
    return base(0)


def parts(book: Book | None = None) -> dict[str, bytes]:
    """All parts of a sound workbook by name."""
    data = (book or _made().book()).save()
    with zipfile.ZipFile(BytesIO(data)) as archive:
        return {i.filename: archive.read(i) for i in archive.infolist()}


def _add(
    name: str,
    build: Callable[[], bytes],
    *rules: str,
    file_name: str | None = None,
    expected: Made | None = None,
    readable: bool = False,
    seconds: float = 0.5,
) -> None:
    """``readable``: it may be read, and then it is the sound report that it was made from."""
    made = _made()
    if readable:
        expected = Draft(made).made()
    _FOUND.append(Hostile(name, file_name or made.file_name, build, frozenset(rules), expected, seconds))


def _with(**changed: bytes) -> bytes:
    """A sound package with some parts added or replaced; ``__`` stands for ``/`` and ``_dot_`` for ``.``."""
    return packed({**parts(), **{k.replace("__", "/").replace("_dot_", "."): v for k, v in changed.items()}})


def _replaced(name: str, change: Callable[[bytes], bytes]) -> bytes:
    own = parts()
    own[name] = change(own[name])
    return packed(own)


# --- bombs ----------------------------------------------------------------------------------------------------------


def _deflated(block: bytes, times: int) -> bytes:
    """The deflate stream of a block that is repeated, made without compressing it again and again."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    piece = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    again = zlib.compressobj(9, zlib.DEFLATED, -15)
    return piece * times + again.flush()


def _crc(block: bytes, times: int) -> int:
    value = 0
    for _ in range(times):
        value = zlib.crc32(block, value)
    return value


class RawZip:
    """A zip whose headers say what they are told to."""

    def __init__(self) -> None:
        self.body = b""
        self.directory = b""
        self.count = 0

    def add(
        self,
        name: str,
        stream: bytes,
        size: int,
        crc: int,
        *,
        method: int = 8,
        flags: int = 0,
        at: int | None = None,
        said_packed: int | None = None,
        local_name: str | None = None,
    ) -> RawZip:
        """``at`` points to an earlier local header instead of writing one."""
        offset = len(self.body) if at is None else at
        told = len(stream) if said_packed is None else said_packed
        head = struct.pack("<HHHHHIII", 20, flags, method, 0, 0x5AE1, crc, told, size)
        encoded = name.encode()
        if at is None:
            local = (local_name or name).encode()
            self.body += b"PK\x03\x04" + head + struct.pack("<HH", len(local), 0) + local + stream
        self.directory += (
            b"PK\x01\x02\x14\x00" + head + struct.pack("<HHHHHII", len(encoded), 0, 0, 0, 0, 0, offset) + encoded
        )
        self.count += 1
        return self

    def add_part(self, name: str, data: bytes) -> RawZip:
        packer = zlib.compressobj(1, zlib.DEFLATED, -15)
        return self.add(name, packer.compress(data) + packer.flush(), len(data), zlib.crc32(data))

    def data(self) -> bytes:
        end = struct.pack("<HHHHIIH", 0, 0, self.count, self.count, len(self.directory), len(self.body), 0)
        return self.body + self.directory + b"PK\x05\x06" + end


def _sound_raw(skip: str = "") -> RawZip:
    archive = RawZip()
    for name, data in parts().items():
        if name != skip:
            archive.add_part(name, data)
    return archive


def _flat_bomb() -> bytes:
    block = b" " * 1_000_000
    return _sound_raw(_SHEET).add(_SHEET, _deflated(block, 600), 600_000_000, _crc(block, 600)).data()


def _many_entries() -> bytes:
    block = b"0" * 1_000_000
    stream, crc = _deflated(block, 12), _crc(block, 12)
    archive = _sound_raw()
    for number in range(60):
        archive.add(f"xl/media/image{number}.bin", stream, 12_000_000, crc)
    return archive.data()


def _overlapping() -> bytes:
    """Hundreds of entries that are one and the same stretch of the file."""
    block = b"A" * 1_000_000
    stream, crc = _deflated(block, 20), _crc(block, 20)
    archive = _sound_raw()
    start = len(archive.body)
    archive.add("xl/media/image0.bin", stream, 20_000_000, crc)
    for number in range(1, 400):
        archive.add(f"xl/media/image{number}.bin", stream, 20_000_000, crc, at=start)
    return archive.data()


def _lying_size() -> bytes:
    """Its headers speak of 1,000 bytes; 400 MB come out."""
    block = b" " * 1_000_000
    return _sound_raw(_SHEET).add(_SHEET, _deflated(block, 400), 1000, 0).data()


def _nested(depth: int) -> bytes:
    data = packed({"0.txt": b"0" * 1_000_000})
    for level in range(depth):
        data = formats.zipped([(f"{level}-{n}.zip", data) for n in range(6)])
    return data


def _zip64_size() -> bytes:
    archive = _sound_raw(_SHEET)
    return archive.add(_SHEET, b"\x03\x00", 0xFFFFFFFE, 0).data()


def _huge_file() -> bytes:
    return _sound_raw().add("xl/media/image1.png", bytes(21 * 1024 * 1024), 21 * 1024 * 1024, 0, method=0).data()


# --- sheets that reach far --------------------------------------------------------------------------------------------


def _far(ref: str, value: str | None) -> bytes:
    book = _made().book()
    sheet = book[B01]
    sheet.put(ref, value, style=sheet["A1"].style)
    return book.save()


def _blank_rows(count: int) -> bytes:
    """So many formatted rows with nothing in them."""

    def change(xml: bytes) -> bytes:
        rows = b"".join(b'<row r="%d"><c r="A%d" s="1"/></row>' % (n, n) for n in range(500, 500 + count))
        return xml.replace(b"</sheetData>", rows + b"</sheetData>")

    return _replaced(_SHEET, change)


def _dimension_lies() -> bytes:
    import re

    return _replaced(_SHEET, lambda x: re.sub(rb'<dimension ref="[^"]*"/>', b'<dimension ref="A1:XFD1048576"/>', x))


def _ods_table(rows: int, columns: int, value: str) -> bytes:
    made = _made()
    cell = (
        f'<table:table-cell table:number-columns-repeated="{columns}" '
        f'office:value-type="string"><text:p>{value}</text:p>'
        "</table:table-cell>"
        if value
        else f'<table:table-cell table:number-columns-repeated="{columns}"/>'
    )
    tail = f'<table:table-row table:number-rows-repeated="{rows}">{cell}</table:table-row>'
    return formats.ods(made.book(), trailing=tail)


# --- XML --------------------------------------------------------------------------------------------------------------

_LAUGHS = (
    b'<!DOCTYPE lolz [<!ENTITY lol "lol">'
    + b"".join(b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10 if n else b"&lol;" * 10) for n in range(10))
    + b"]>"
)
_EXTERNAL = b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
_PARAMETER = b'<!DOCTYPE x [<!ENTITY % p SYSTEM "http://127.0.0.1:9/evil.dtd"> %p;]>'


def _doctype(declaration: bytes, name: str = _SHEET, before: bytes = b"") -> bytes:
    def change(xml: bytes) -> bytes:
        head, _, rest = xml.partition(b"?>")
        return head + b"?>" + before + declaration + rest

    return _replaced(name, change)


def _utf16_doctype() -> bytes:
    def change(xml: bytes) -> bytes:
        text = xml.decode().replace('encoding="UTF-8"', 'encoding="UTF-16"')
        head, _, rest = text.partition("?>")
        return (head + "?>" + _LAUGHS.decode() + rest).encode("utf-16")

    return _replaced(_SHEET, change)


def _deep(levels: int) -> bytes:
    nest = b"<x>" * levels + b"</x>" * levels
    return _replaced(
        _SHEET, lambda x: x.replace(b"</worksheet>", b"<extLst><ext>" + nest + b"</ext></extLst></worksheet>")
    )


def _merged_ranges(count: int) -> bytes:
    import re

    block = b"".join(b'<mergeCell ref="Z%d:AA%d"/>' % (n, n) for n in range(100, 100 + count))
    return _replaced(_SHEET, lambda x: re.sub(rb"</mergeCells>", block + b"</mergeCells>", x))


def _strings(count: int) -> bytes:
    return _replaced(_STRINGS, lambda x: x.replace(b"</sst>", b"<si><t>x</t></si>" * count + b"</sst>"))


def _styles(count: int) -> bytes:
    xf = b'<xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    return _replaced("xl/styles.xml", lambda x: x.replace(b"</cellXfs>", xf * count + b"</cellXfs>"))


def _long_string() -> bytes:
    text = b"<si><t>" + b"d" * 30_000_000 + b"</t></si>"
    return _replaced(_STRINGS, lambda x: x.replace(b"</sst>", text + b"</sst>"))


def _nul_bytes() -> bytes:
    return _replaced(_SHEET, lambda x: x.replace(b"<sheetData>", b"<sheetData>\x00\x00\x00"))


# --- active content ---------------------------------------------------------------------------------------------------


def _relation(kind: str, target: str, *, content_type: str = "", part: str = "", data: bytes = b"") -> bytes:
    """A workbook with another related part."""
    book = _made().book()
    rels = book.parts["xl/_rels/workbook.xml.rels"].decode()
    tag = f'<Relationship Id="rIdH1" Type="{_OFFICE}/{kind}" Target="{target}"/>'
    book.parts["xl/_rels/workbook.xml.rels"] = rels.replace("</Relationships>", tag + "</Relationships>").encode()
    if part:
        book.parts[part] = data
        book.override(part, content_type)
    return book.save()


def _vba() -> bytes:
    return formats.compound([("VBA_PROJECT", bytes(range(256)) * 20), ("dir", bytes(4096))])


def _macro_sheet() -> bytes:
    xml = (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?><xm:macrosheet '
        'xmlns:xm="http://schemas.microsoft.com/office/'
        'excel/2006/main"/>'
    )
    book = _made().book()
    rels = book.parts["xl/_rels/workbook.xml.rels"].decode()
    tag = (
        '<Relationship Id="rIdM1" Type="http://schemas.microsoft.com/office/2006/relationships/xlMacrosheet" '
        'Target="macrosheets/sheet1.xml"/>'
    )
    book.parts["xl/_rels/workbook.xml.rels"] = rels.replace("</Relationships>", tag + "</Relationships>").encode()
    book.parts["xl/macrosheets/sheet1.xml"] = xml.encode()
    book.override("xl/macrosheets/sheet1.xml", "application/vnd.ms-excel.macrosheet+xml")
    book.workbook_xml = book.workbook_xml.replace(
        "</sheets>", '<sheet name="Macro1" sheetId="77" state="veryHidden" r:id="rIdM1"/></sheets>'
    )
    return book.save()


def _xls_with(streams: list[tuple[str, bytes]]) -> bytes:
    book = valued(_made())
    plain = formats.xls(book)
    start = plain.find(b"\x09\x08\x10\x00")  # the workbook stream begins with its BOF record
    return formats.compound([("Workbook", plain[start:]), *streams])


def _xls_macro_sheet() -> bytes:
    data = bytearray(formats.xls(valued(_made())))
    at = data.find(struct.pack("<HH", 0x85, 8 + 2 * len(B01)))
    data[at + 9] = 1  # type of the sheet: Excel 4.0 macro
    return bytes(data)


def _dde() -> Made:
    made = _made()
    ref = made.at(made.targets[0], "accepted_volume")
    draft = Draft(made).edit(with_external_link)
    draft.edit(lambda book: book[B01].put(ref, 1, formula="[1]!'!cmd|''/c calc''!A1'"))
    draft.recalculated = False
    return draft.expect("M36", "error", B01, ref).made()


def _connections() -> bytes:
    xml = (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?><connections xmlns="http://schemas.openxmlformats.org/'
        'spreadsheetml/2006/main"><connection id="1" name="c" type="4" refreshedVersion="6" '
        'background="1" refreshOnLoad="1">'
        '<webPr url="http://127.0.0.1:9/x"/></connection></connections>'
    )
    return _relation(
        "connections",
        "connections.xml",
        content_type="application/vnd.openxmlformats-officedocument.spreadsheetml.connections+xml",
        part="xl/connections.xml",
        data=xml.encode(),
    )


# --- formulas ---------------------------------------------------------------------------------------------------------


def _cycle() -> Made:
    made = _made()
    row = made.row(made.targets[0])
    draft = Draft(made)

    def edit(book: Book) -> None:
        book[B01].put(f"R{row}", None, formula=f"S{row}", cached=False)
        book[B01].put(f"S{row}", None, formula=f"R{row}", cached=False)

    draft.recalculated = False
    draft.edit(edit).expect("M35", "error", B01, f"R{row}").expect("M35", "error", B01, f"S{row}")
    return draft.made()


def _deep_formula() -> Made:
    made = _made()
    ref = made.at(made.targets[0], "accepted_volume")
    text = "(" * 3000 + "1" + ")" * 3000
    draft = Draft(made).edit(lambda book: book[B01].put(ref, None, formula=text, cached=False))
    draft.recalculated = False
    return draft.expect("M35", "error", B01, ref).made()


def _chain() -> Made:
    """Ten thousand cells, each the one above it plus nothing, beside the table; the last is used."""
    made = _made()
    code = made.targets[0]
    ref, value = made.at(code, "accepted_volume"), made.amount(code, "accepted_volume")

    def edit(book: Book) -> None:
        sheet = book[B01]
        sheet.put("AB100", value / 1_000_000)
        for row in range(101, 10_100):
            sheet.put(f"AB{row}", None, formula=f"AB{row - 1}", cached=False)
        sheet.put(ref, None, formula="AB10099", cached=False)

    draft = Draft(made).edit(edit)
    draft.recalculated = False
    return draft.made()


_INJECTED = ("=cmd|' /C calc'!A0", "+1+cmd|' /C calc'!A0", "-2+3+cmd|' /C calc'!A0", "@SUM(1+1)*cmd|' /C calc'!A0")


def _injection(text: str) -> Made:
    """A text that a program would run as a formula if it were written back as one; it is a text, and stays one."""
    made = _made()
    return Draft(made.with_line(made.targets[0], note=text)).made()


# --- .xls and .csv ----------------------------------------------------------------------------------------------------


def _fat_loop() -> bytes:
    data = bytearray(formats.xls(valued(_made())))
    for n in range(4, 60):
        struct.pack_into("<I", data, 512 + 4 * n, n - 1 if n % 2 else n)
    return bytes(data)


def _broken_biff() -> bytes:
    data = bytearray(formats.xls(valued(_made())))
    at = data.find(struct.pack("<H", 0xFC), 1536)
    struct.pack_into("<H", data, at + 2, 0xFFFF)
    return bytes(data)


def _string_count_lies() -> bytes:
    data = bytearray(formats.xls(valued(_made())))
    at = data.find(struct.pack("<H", 0xFC), 1536)
    struct.pack_into("<II", data, at + 4, 0xFFFFFFF0, 0xFFFFFFF0)
    return bytes(data)


def _exe() -> bytes:
    return b"MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00\xff\xff" + bytes(range(256)) * 16


def _mhtml() -> bytes:
    return b"MIME-Version: 1.0\r\nContent-Type: multipart/related\r\n\r\n" + html(_made()).encode()


def _wrong_crc() -> bytes:
    archive = _sound_raw(_SHEET)
    data = parts()[_SHEET]
    packer = zlib.compressobj(1, zlib.DEFLATED, -15)
    return archive.add(_SHEET, packer.compress(data) + packer.flush(), len(data), 0x12345678).data()


def _broken_deflate() -> bytes:
    data = bytearray(_made().data())
    middle = data.find(b"PK\x03\x04", 2000) + 200
    data[middle : middle + 300] = bytes(300)
    return bytes(data)


def _entry(name: str) -> bytes:
    return _sound_raw().add_part(name, b"x").data()


def _duplicate() -> bytes:
    return _sound_raw().add_part(_SHEET, parts()[_SHEET].replace(b"<v>", b"<v>9")).data()


def _two_names() -> bytes:
    """The local header calls the part otherwise than the directory."""
    archive = _sound_raw(_SHEET)
    data = parts()[_SHEET]
    packer = zlib.compressobj(1, zlib.DEFLATED, -15)
    stream = packer.compress(data) + packer.flush()
    return archive.add(_SHEET, stream, len(data), zlib.crc32(data), local_name="xl/../../evil.xml").data()


def _register() -> None:
    name = _made().file_name
    bomb = ("M42",)
    _add("bomb-flat", _flat_bomb, *bomb)
    _add("bomb-many-entries", _many_entries, *bomb)
    _add("bomb-overlapping-entries", _overlapping, *bomb)
    _add("bomb-lying-size", _lying_size, "M42", "M39")
    _add("bomb-size-of-4-gb", _zip64_size, "M42", "M39")
    _add("bomb-nested-zip", lambda: _nested(4), "M41", "M42", file_name="bao-cao.zip")
    _add("bomb-nested-zip-as-workbook", lambda: _nested(3), "M38", "M39", "M41", "M42")
    _add("file-of-21-mb", _huge_file, "M42")
    _add("far-content-in-the-last-row", lambda: _far("C1048576", "123"), "M42")
    _add("far-space-in-the-last-row", lambda: _far("C1048576", " "), readable=True)
    _add("far-format-in-the-last-row", lambda: _far("C1048576", None), readable=True)
    _add("far-content-in-the-last-column", lambda: _far("XFD12", "x"), "M42", readable=True)
    _add("far-dimension-that-lies", _dimension_lies, readable=True)
    _add("far-200000-blank-rows", lambda: _blank_rows(200_000), "M42", readable=True, seconds=1.0)
    _add("xml-billion-laughs-in-a-sheet", lambda: _doctype(_LAUGHS), "M42")
    _add("xml-billion-laughs-in-the-strings", lambda: _doctype(_LAUGHS, _STRINGS), "M42")
    _add("xml-external-entity", lambda: _doctype(_EXTERNAL, _WORKBOOK), "M42")
    _add("xml-parameter-entity", lambda: _doctype(_PARAMETER), "M42")
    _add("xml-doctype-in-the-styles", lambda: _doctype(_EXTERNAL, "xl/styles.xml"), "M42")
    _add("xml-doctype-in-the-relations", lambda: _doctype(_EXTERNAL, "xl/_rels/workbook.xml.rels"), "M42")
    _add("xml-doctype-in-the-content-types", lambda: _doctype(_EXTERNAL, "[Content_Types].xml"), "M42")
    _add("xml-doctype-after-a-long-comment", lambda: _doctype(_LAUGHS, before=b"<!--" + b" x" * 90_000 + b"-->"), "M42")
    _add("xml-doctype-in-utf-16", _utf16_doctype, "M42")
    _add("xml-doctype-in-ods", lambda: formats.ods_package(b'<?xml version="1.0"?>' + _LAUGHS + b"<x>&l9;</x>"), "M42",
         file_name=name.replace(".xlsx", ".ods"))  # fmt: skip
    _add("xml-doctype-in-docx", _docx_doctype, "M42", "M38", file_name=name.replace(".xlsx", ".docx"))
    _add("xml-nested-100000-deep", lambda: _deep(100_000), "M39", "M42", readable=True)
    _add("xml-nul-bytes", _nul_bytes, "M39", "M42", readable=True)
    _add("xml-million-merged-ranges", lambda: _merged_ranges(1_000_000), "M42", "M39", readable=True, seconds=1.5)
    _add("xml-million-strings", lambda: _strings(1_000_000), "M42", readable=True, seconds=1.5)
    _add("xml-million-styles", lambda: _styles(1_000_000), "M42", readable=True, seconds=1.5)
    _add("xml-string-of-30-mb", _long_string, "M42", readable=True)
    _add("macro-vba", lambda: _with(xl__vbaProject_dot_bin=_vba()), "M42", file_name=name.replace(".xlsx", ".xlsm"))
    _add("macro-vba-as-xlsx", lambda: _with(xl__vbaProject_dot_bin=_vba()), "M42")
    _add("macro-vba-under-another-name", _renamed_vba, "M42")
    _add("macro-excel-4-sheet", _macro_sheet, "M42")
    _add("macro-vba-in-xls", lambda: _xls_with([("_VBA_PROJECT_CUR", bytes(5000)), ("_VBA_PROJECT", _vba())]), "M42",
         file_name=name.replace(".xlsx", ".xls"))  # fmt: skip
    _add("macro-excel-4-sheet-in-xls", _xls_macro_sheet, "M42", file_name=name.replace(".xlsx", ".xls"))
    _add("ole-embedded-object", lambda: _with(xl__embeddings__oleObject1_dot_bin=_vba()), "M42")
    _add("ole-embedded-package", lambda: _with(xl__embeddings__tep_dot_exe=_exe()), "M42")
    _add(
        "active-x-control",
        lambda: _with(xl__activeX__activeX1_dot_bin=_vba(), xl__activeX__activeX1_dot_xml=b"<x/>"),
        "M42",
    )
    _add("link-to-another-file-unused", _external_unused, "M42", readable=True)
    _add("link-dde", _dde().build, "M42", expected=_dde())
    _add("link-data-connection", _connections, "M42", readable=True)
    _add("encrypted-container", formats.encrypted_ooxml, "M40")
    _add("encrypted-zip-entries", lambda: formats.flagged_encrypted(_made().data()), "M40", "M41")
    _add("path-parent", lambda: _entry("../../../tmp/evil.xml"), "M42")
    _add("path-absolute", lambda: _entry("/etc/cron.d/evil"), "M42")
    _add("path-backslash", lambda: _entry("..\\..\\evil.xml"), "M42")
    _add(
        "path-in-a-package",
        lambda: formats.zipped([("../../" + name, _made().data())]),
        "M41",
        "M42",
        file_name="nop.zip",
    )
    _add("entries-twice", _duplicate, "M42")
    _add("entries-of-two-names", _two_names, "M42", "M39")
    _add("entries-20000", lambda: packed({**parts(), **{f"xl/media/{n}": b"" for n in range(20_000)}}), "M42")
    _add("damaged-truncated", lambda: _made().data()[:-1500], "M39")
    _add("damaged-no-directory", lambda: _made().data()[:9000], "M39")
    _add("damaged-checksum", _wrong_crc, "M39", "M42")
    _add("damaged-deflate", _broken_deflate, "M39", "M42")
    _add("renamed-html", lambda: html(_made()).encode(), "M39")
    _add("renamed-mhtml", _mhtml, "M39")
    _add("renamed-rtf", lambda: b"{\\rtf1 " + b"x" * 5000 + b"}", "M39")
    _add("renamed-pdf", lambda: b"%PDF-1.4\n" + b"0 " * 4000, "M38")
    _add("renamed-jpeg", lambda: b"\xff\xd8\xff\xe1" + bytes(5000), "M38")
    _add("renamed-exe", _exe, "M39")
    _add("renamed-exe-before-a-workbook", lambda: _exe() + _made().data(), "M39", "M42")
    _add("empty", lambda: b"", "M39")
    _add("empty-zip", lambda: packed({}), "M38", "M39", "M41")
    _add("formula-cycle", _cycle().build, expected=_cycle())
    _add("formula-3000-deep", _deep_formula().build, expected=_deep_formula())
    _add("formula-chain-of-10000", _chain().build, "M42", expected=_chain())
    for number, text in enumerate(_INJECTED, 1):
        made = _injection(text)
        _add(f"formula-as-text-{number}", made.build, expected=made)
    ods_name, xls_name, csv_name = (name.replace(".xlsx", e) for e in (".ods", ".xls", ".csv"))
    sound = replace(Draft(_made()).made(), file_name=ods_name)
    _add("ods-filled-to-the-last-cell", lambda: _ods_table(1_048_500, 16_384, "x"), "M42", file_name=ods_name)
    _add("ods-blank-to-the-last-cell", lambda: _ods_table(1_048_500, 16_384, ""), file_name=ods_name, expected=sound)
    _add("xls-fat-loop", _fat_loop, "M38", "M39", "M42", file_name=xls_name)
    _add("xls-record-too-long", _broken_biff, "M39", "M42", file_name=xls_name)
    _add("xls-count-of-strings-lies", _string_count_lies, "M39", "M42", file_name=xls_name,
         expected=replace(Draft(_made()).made(), file_name=xls_name))  # fmt: skip
    _add("csv-million-columns", lambda: b"," * 1_000_000 + b"\n", "M39", "M42", file_name=csv_name)
    _add("csv-of-50-mb", lambda: b"1;2;3;4;5;6;7;8\n" * 3_200_000, "M42", file_name=csv_name)
    _add("csv-of-nul-bytes", lambda: b"STT;\x00\x00\x00;x\n" * 3000, "M39", "M42", file_name=csv_name)
    _add("thousands-of-xml-parts", lambda: _small_parts(1900, b"<a/>"), "M42")
    _add("late-first-elements", lambda: _small_parts(250, b" " * 60_000 + b"<a/>"), "M42")
    _add("long-table-of-contents", lambda: _small_parts(20_000, b""), "M42")
    _add("same-sheet-many-times", _same_sheet, "M42")
    _add(
        "ods-manifest-of-100-mb",
        lambda: _ods_with("META-INF/manifest.xml", b" " * 100_000_000),
        "M42",
        "M39",
        file_name=ods_name,
        expected=sound,
    )
    _add("ods-mimetype-of-100-mb", lambda: _ods_with("mimetype", b" " * 100_000_000), "M42", "M38", file_name=ods_name)
    _add("xls-table-of-tables-without-end", _tables_of_tables, "M39", file_name=xls_name)
    _add("errors-without-value", _errors_without_value, readable=True)
    _add("merged-to-the-last-row", _tall_merges, readable=True)
    _add("hidden-columns-a-hundred-thousand-times", _hidden_columns, expected=_hidden_made())
    _add("shared-formula-written-out", _shared_formula, "M42")
    _add("formulas-that-look-at-everything", _wide_formulas, readable=True, seconds=3.0)
    overflow = _overflow()
    _add("formula-beyond-all-numbers", overflow.build, expected=overflow.made())
    _add("csv-open-quote", lambda: b'STT;"' + b"a;b\n" * 400_000, "M39", "M42", file_name=csv_name)


def _docx_doctype() -> bytes:
    data = formats.docx(formats.paragraph("x"))
    with zipfile.ZipFile(BytesIO(data)) as archive:
        own = {i.filename: archive.read(i) for i in archive.infolist()}
    head, _, rest = own["word/document.xml"].partition(b"?>")
    return packed({**own, "word/document.xml": head + b"?>" + _LAUGHS + rest})


def _renamed_vba() -> bytes:
    return _relation(
        "vbaProject",
        "du-lieu.bin",
        content_type="application/vnd.ms-office.vbaProject",
        part="xl/du-lieu.bin",
        data=_vba(),
    )


def _external_unused() -> bytes:
    book = _made().book()
    with_external_link(book)
    return book.save()


def _small_parts(count: int, part: bytes) -> bytes:
    archive = _sound_raw()
    for number in range(count):
        archive.add_part(f"xl/x/{number}.xml", part)
    return archive.data()


def _same_sheet() -> bytes:
    """Hundreds of sheets that are one and the same part."""
    more = "".join(f'<sheet name="S{n}" sheetId="{n}" r:id="rId1"/>' for n in range(100, 300))
    return _replaced("xl/workbook.xml", lambda x: x.replace(b"</sheets>", more.encode() + b"</sheets>"))


def _ods_with(name: str, tail: bytes) -> bytes:
    data = formats.ods(valued(_made()))
    with zipfile.ZipFile(BytesIO(data)) as archive:
        own = {i.filename: archive.read(i) for i in archive.infolist()}
    noise = random.Random(7).randbytes(500_000)  # so that no ratio gives it away
    return packed({**own, name: own.get(name, b"<m/>") + noise + tail})


def _tables_of_tables() -> bytes:
    head = bytearray(formats.xls(valued(_made()))[:512])
    struct.pack_into("<II", head, 68, 0, 5000)
    numbers = [(place // 128) + 1 for place in range(2_500_000)]
    return bytes(head) + struct.pack(f"<{len(numbers)}I", *numbers)


def _rows(cells: Iterable[str]) -> Callable[[bytes], bytes]:
    """Adds a row for each of the cells, far right of and below the table."""
    rows = "".join(f'<row r="{r}">{cell.format(r=r)}</row>' for r, cell in enumerate(cells, 300))
    return lambda xml: xml.replace(b"</sheetData>", rows.encode() + b"</sheetData>")


def _errors_without_value() -> bytes:
    return _replaced(_SHEET, _rows(['<c r="AA{r}" t="e"/>'] * 18_000))


def _tall_merges() -> bytes:
    block = b"".join(b'<mergeCell ref="AB%d:AB1048576"/>' % n for n in range(20, 5020))
    return _replaced(_SHEET, lambda x: x.replace(b"</mergeCells>", block + b"</mergeCells>"))


def _hidden_columns() -> bytes:
    column = b'<col min="20" max="16384" width="5" hidden="1"/>'
    return _replaced(_SHEET, lambda x: x.replace(b"</cols>", column * 100_000 + b"</cols>"))


def _hidden_made() -> Made:
    return Draft(_made()).expect("M32", "warning", B01, "T8").made()


def _shared_formula() -> bytes:
    long = "+".join(f"A{n}" for n in range(1, 1500))
    first = f'<c r="AA{{r}}"><f t="shared" ref="AA300:AA19000" si="9">{long}</f></c>'
    return _replaced(_SHEET, _rows([first] + ['<c r="AA{r}"><f t="shared" si="9"/></c>'] * 18_000))


def _wide_formulas() -> bytes:
    wide = ",".join(["A1:Z700"] * 60)
    return _replaced(_SHEET, _rows([f'<c r="AA{{r}}"><f>SUM({wide})</f></c>'] * 2000))


def _overflow() -> Draft:
    made = _made()
    ref = made.at(made.targets[0], "forecast")
    draft = Draft(made).put(B01, ref, None, formula="9E999999*9E999999", cached=False)
    draft.recalculated = False
    return draft.expect("M35", "error", B01, ref)


def hostile() -> list[Hostile]:
    if not _FOUND:
        _register()
    return list(_FOUND)
