"""Cases 38 to 41: what kind of file it is, and what it is wrapped in."""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable

from tests.corpus import formats
from tests.corpus.base import B01, B02, B03, B04, B05, Base, base
from tests.corpus.draft import Draft, defect
from tests.corpus.item import Expected, Made
from tests.corpus.package import Book
from tests.corpus.texts import ALL


def refused(rule: str, file_name: str, build: Callable[[], bytes]) -> Made:
    return Made(file_name, build, (Expected(rule, "error"),), refused=True)


def renamed(made: Base, extension: str) -> str:
    return made.file_name.removesuffix(".xlsx") + extension


def valued(made: Base) -> Book:
    """The report with values in place of formulas."""
    book = made.book()
    for sheet in book.forms:
        sheet.values_only()
    return book


@defect("m38-xls", "38")
def _(n: int, rng: random.Random) -> Made:
    made = base(n)
    return Made(renamed(made, ".xls"), lambda: formats.xls(valued(made), formats.date_cells(made)), (), made.facts())


@defect("m38-ods", "38")
def _(n: int, rng: random.Random) -> Made:
    """As LibreOffice writes it: with and without formulas, with rows repeated down to the end of the sheet."""
    made = base(n)
    tail = (
        ""
        if n % 3
        else '<table:table-row table:number-rows-repeated="1048400">'
        '<table:table-cell table:number-columns-repeated="16384"/></table:table-row>'
    )
    return Made(
        renamed(made, ".ods"),
        lambda: formats.ods(made.book(), formats.date_cells(made), formulas=n % 2 == 0, trailing=tail),
        (),
        made.facts(),
    )


_CSV: tuple[tuple[str, str, formats.Show], ...] = (
    (";", "utf-8-sig", formats.plain_vietnamese),
    (",", "utf-8", formats.plain_english),
    ("\t", "utf-16", formats.plain_vietnamese),
    (";", "utf-8", formats.plain_english),
    ("\t", "utf-8-sig", formats.plain_english),
    (";", "cp1258", formats.plain_vietnamese),
    (",", "utf-8-sig", formats.plain_vietnamese),
    (";", "utf-16", formats.plain_english),
    ("\t", "utf-8", formats.plain_vietnamese),
    (",", "cp1258", formats.plain_english),
)


def to_cp1258(text: str) -> str:
    """Windows-1258 has no code for most letters with two marks: tones follow their vowels."""
    import unicodedata

    out = []
    for char in unicodedata.normalize("NFC", text):
        try:
            char.encode("cp1258")
            out.append(char)
        except UnicodeEncodeError:
            whole = unicodedata.normalize("NFD", char)
            tone = next((m for m in whole[1:] if m in "\u0300\u0301\u0303\u0309\u0323"), "")
            stem = unicodedata.normalize("NFC", "".join(m for m in whole if m != tone))
            out.append(stem + tone)
    return "".join(out).replace("…", "...")


@defect("m38-csv-of-one-form", "38")
def _(n: int, rng: random.Random) -> Made:
    """A CSV holds one sheet: it is read, and the other forms are missing."""
    made = base((0, 2, 3, 4, 5, 6, 8, 9, 0, 3)[n])
    separator, encoding, show = _CSV[n]

    def build() -> bytes:
        sheet = made.book()[B01]
        if encoding == "cp1258":
            for ref, cell in list(sheet.values()):
                if isinstance(cell.value, str):
                    sheet.put(ref, to_cp1258(cell.value))
        return formats.csv(sheet, separator=separator, encoding=encoding, show=show)

    findings = tuple(Expected("CK34", "error", name, None) for name in (B02, B03, B04, B05))
    return Made(renamed(made, ".csv"), build, findings)


@defect("m38-docx-whose-tables-are-the-forms", "38")
def _(n: int, rng: random.Random) -> Made:
    made = base((0, 2, 3, 4, 5, 6, 8, 9, 0, 3)[n])
    show = formats.plain_vietnamese if n < 8 else formats.plain_english
    return Made(
        renamed(made, ".docx"),
        lambda: formats.docx_of(made.book(), show),
        (Expected("M38", "info"),),
        # The block of other money stands under the table of Biểu 01 and is not in the document.
        {key: value for key, value in made.facts().items() if key[0] != "off_budget"},
    )


def _letter() -> bytes:
    table = (
        "<w:tbl><w:tblPr/><w:tblGrid/><w:tr><w:tc><w:tcPr/>"
        + formats.paragraph("STT")
        + "</w:tc><w:tc><w:tcPr/>"
        + formats.paragraph("Họ và tên")
        + "</w:tc></w:tr></w:tbl>"
    )
    return formats.docx(formats.paragraph("CÔNG VĂN") + formats.paragraph("V/v báo cáo tiến độ tháng 10") + table)


def _png() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    header = (64).to_bytes(4, "big") * 2 + bytes([8, 0, 0, 0, 0])
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(65 * 64)))
        + chunk(b"IEND", b"")
    )


def _jpeg() -> bytes:
    return (
        b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00" + bytes(range(256)) * 20 + b"\xff\xd9"
    )


def _pdf() -> bytes:
    return b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<</Type/Catalog>>\nendobj\n" + b"0 " * 900 + b"\ntrailer\n%%EOF\n"


def xlsb() -> bytes:
    return formats.zipped(
        [
            ("[Content_Types].xml", b'<?xml version="1.0"?><Types/>'),
            ("xl/workbook.bin", bytes(range(200))),
            ("xl/worksheets/sheet1.bin", bytes(400)),
        ]
    )


_UNREADABLE: tuple[tuple[str, Callable[[], bytes]], ...] = (
    (".pdf", _pdf),
    (".jpg", _jpeg),
    (".png", _png),
    (".xlsb", xlsb),
    (".docx", _letter),
    (".xlsx", _pdf),
    (".xls", _jpeg),
    (".xlsx", xlsb),
    (".xlsx", _letter),
    (".doc", lambda: formats.compound([("WordDocument", bytes(range(256)) * 20), ("1Table", bytes(5000))])),
)


@defect("m38-not-a-spreadsheet", "38")
def _(n: int, rng: random.Random) -> Made:
    """PDF, picture, Word, .xlsb, also under the name of a workbook: sent back with what to do."""
    extension, build = _UNREADABLE[n]
    if extension == ".pdf":  # it may be the signed paper of the workbook (case 46)
        return Made(renamed(base(n), extension), build, (Expected("M46", "warning"),), refused=True)
    return refused("M38", renamed(base(n), extension), build)


@defect("m39-readable-under-a-wrong-name", "39")
def _(n: int, rng: random.Random) -> Made:
    made = base(n)
    dates = formats.date_cells(made)
    extension, build = (
        (".xls", made.data),
        (".xlsx", lambda: formats.xls(valued(made), dates)),
        (".xlsx", lambda: formats.ods(made.book(), dates)),
        (".csv", made.data),
        (".ods", made.data),
        (".xls", lambda: formats.ods(made.book(), dates)),
        (".ods", lambda: formats.xls(valued(made), dates)),
        (".xls", made.data),
        (".txt", made.data),
        (".pdf", made.data),
    )[n]
    return Made(renamed(made, extension), build, (Expected("M39", "info"),), made.facts())


def html(made: Base) -> str:
    """What "save as web page" and many portals call a workbook."""
    rows = formats.rows_of(made.book()[B01], formats.plain_vietnamese)
    inside = "".join("<tr>" + "".join(f"<td>{t}</td>" for t in line) + "</tr>" for line in rows)
    return f'<html xmlns:x="urn:schemas-microsoft-com:office:excel"><body><table>{inside}</table></body></html>'


def _mhtml(made: Base) -> bytes:
    head = 'MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary="----=_Part"\r\n\r\n------=_Part\r\n'
    return (head + "Content-Type: text/html; charset=utf-8\r\n\r\n" + html(made) + "\r\n------=_Part--\r\n").encode()


def spreadsheet_2003(made: Base) -> bytes:
    rows = formats.rows_of(made.book()[B01], formats.plain_english)
    inside = "".join(
        "<Row>" + "".join(f'<Cell><Data ss:Type="String">{t}</Data></Cell>' for t in line) + "</Row>" for line in rows
    )
    return (
        '<?xml version="1.0"?>\n<?mso-application progid="Excel.Sheet"?>\n<Workbook '
        'xmlns="urn:schemas-microsoft-com:office:'
        'spreadsheet" xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet"><Worksheet ss:Name="B01-GiaiNgan"><Table>'
        f"{inside}</Table></Worksheet></Workbook>"
    ).encode()


@defect("m39-other-content", "39")
def _(n: int, rng: random.Random) -> Made:
    """Web pages, XML, RTF, plain words, halves of files, nothing at all."""
    made = base(n)
    extension, build = (
        (".xls", lambda: html(made).encode()),
        (".xls", lambda: _mhtml(made)),
        (".xls", lambda: spreadsheet_2003(made)),
        (".xlsx", lambda: b"{\\rtf1\\ansi B\\'e1o c\\'e1o ti\\u7871?n \\u273?\\u7897?}"),
        (".xlsx", lambda: "Báo cáo gửi kèm, đề nghị xem bản giấy.\n".encode()),
        (".xlsx", lambda: made.data()[: len(made.data()) // 2]),
        (".xlsx", lambda: b""),
        (".xlsx", lambda: ("<!DOCTYPE html>" + html(made)).encode()),
        (".xlsx", lambda: b'{"xa": "06463", "ky": "2025-10"}'),
        (".xlsx", lambda: bytes(rng.randrange(256) for _ in range(5000))),
    )[n]
    if n == 9:
        noise = bytes(rng.randrange(1, 256) for _ in range(5000))
        return refused("M39", renamed(made, extension), lambda: b"\x01\x02" + noise)
    return refused("M39", renamed(made, extension), build)


@defect("m40-password-to-open", "40")
def _(n: int, rng: random.Random) -> Made:
    made = base(n)
    if n in (3, 8):
        return refused("M40", renamed(made, ".xls"), lambda: formats.xls(valued(made), password=True))
    if n in (4, 9):
        secret = zlib.compress(bytes(range(256)) * 30)
        return refused("M40", renamed(made, ".ods"), lambda: formats.ods_package(secret, encrypted=True))
    return refused("M40", made.file_name, lambda: formats.encrypted_ooxml(4000 + 1777 * n))


@defect("m40-protected-sheets", "40")
def _(n: int, rng: random.Random) -> Draft:
    """A password on sheets or on the structure of the workbook keeps nobody from reading it."""

    def protect(book: Book) -> None:
        for name in ALL[: 1 + n % 5]:
            sheet = book[name]
            sheet.after = sheet.after.replace(
                '<sheetProtection sheet="1"', f'<sheetProtection password="CC{n:02d}" sheet="1"'
            )
            sheet.touched = True
        if n % 2:
            lock = '<workbookProtection workbookPassword="CC1A" lockStructure="1"/>'
            book.workbook_xml = book.workbook_xml.replace("<bookViews>", lock + "<bookViews>")

    return Draft(base(n)).edit(protect)


def _member(made: Base, name: str) -> Made:
    return Made(name, made.data, (), made.facts())


@defect("m41-zip-of-workbooks", "41")
def _(n: int, rng: random.Random) -> Made:
    """Each workbook in the package is a submission of its own; one that is wrong does not spoil the others."""
    count = 1 + n % 3
    members = [_member(base(n + k), base(n + k).file_name) for k in range(count)]
    if n % 4 == 3:
        wrong = base(n + 4)
        draft = Draft(wrong).put(B01, wrong.at(wrong.targets[0], "disb_advance"), "không")
        ref = wrong.at(wrong.targets[0], "disb_advance")
        members.append(draft.expect("M08", "error", B01, ref).made())
    names = {m.file_name for m in members}
    members = members if len(names) == len(members) else members[:1]
    folder = ("", "Bao cao/", "Báo cáo tháng/", "")[n % 4]
    inside = [(folder + m.file_name, m.build) for m in members]
    return Made(
        ("bao-cao.zip", "Báo cáo tháng.zip", "nop.ZIP")[n % 3],
        lambda: formats.zipped([(name, build()) for name, build in inside]),
        members=tuple(members),
    )


_RAR = b"Rar!\x1a\x07\x00" + bytes(range(200)) * 4
_RAR5 = b"Rar!\x1a\x07\x01\x00" + bytes(range(200)) * 4
_SEVEN = b"7z\xbc\xaf\x27\x1c\x00\x04" + bytes(range(200)) * 4


@defect("m41-package-that-is-not-opened", "41")
def _(n: int, rng: random.Random) -> Made:
    made = base(n)
    name = made.file_name

    def inner() -> bytes:
        return formats.zipped([(name, made.data())])

    many = [(f"tep-{k:04d}.xlsx", b"PK") for k in range(3000)]
    extension, build = (
        (".rar", lambda: _RAR),
        (".rar", lambda: _RAR5),
        (".7z", lambda: _SEVEN),
        (".zip", lambda: formats.zipped([("trong.zip", inner())])),
        (".zip", lambda: formats.flagged_encrypted(inner())),
        (".zip", lambda: formats.zipped(many)),
        (".zip", lambda: _RAR),
        (".zip", lambda: formats.zipped([("a/b.zip", inner()), (name, made.data())])),
        (".xlsx", lambda: _SEVEN),
        (".zip", lambda: formats.flagged_encrypted(formats.zipped([(name, made.data()), ("2.xlsx", made.data())]))),
    )[n]
    return refused("M41", renamed(made, extension), build)
