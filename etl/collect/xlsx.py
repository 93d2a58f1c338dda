"""Sheets of an .xlsx workbook: values by python-calamine, formulas, errors and hidden rows from the XML itself.

Every part is unpacked here once, to its stated size and checksum, before calamine sees it: what a header says falsely
ends here. Cells far outside of any form cost nothing when they are blank: they are cut off before they are read
(a stray space in row 1,048,576), and refuse the file when they are not.
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from collections.abc import Mapping
from html import unescape
from typing import cast

from python_calamine import CalamineWorkbook, SheetVisibleEnum

from etl.collect import guard
from etl.collect.formula import letters_to_index
from etl.collect.grid import ErrorValue, Grid, GridValue, Position, Uncached, compute

MAX_ROWS = 20_000
"""Rows that any form could need, many times over."""
MAX_COLUMNS = 702
"""The last one is ZZ."""
_MAX_CELLS = 4_000_000
_MANY_BYTES = 8 * MAX_ROWS
"""A sheet of fewer bytes cannot have more rows than that."""
_MAX_WRITTEN_OUT = 1_000_000
"""Characters of shared formulas written out for every cell; those of a form come to some 100,000."""
_MAX_STYLES = 200_000
"""Excel itself makes no more than 65,490 formats."""
_MAX_STRINGS = 300_000
_MAX_SHEETS = 300
_PROLOGUE_BYTES = 100
_MAX_STRAYS = 2_000
"""So many blank cells far below are passed over one by one; no office makes more of them."""

_ERROR = re.compile(rb'<c\s([^>]*?\bt="e"[^>]*)>\s*(?:<f(?:\s[^>]*)?(?:/>|>[^<]*</f>)\s*)?<v>([^<]*)</v>')
# A formula cell without a value: no <v> at all or an empty one.
_UNCACHED = re.compile(rb"<c\s([^>]*)>\s*<f(?:\s[^>]*?)?(?:/>|>([^<]*)</f>)\s*(?:<v\s*/>|<v>\s*</v>)?\s*</c>")
_FORMULA = re.compile(rb"<c\s([^>]*)>\s*<f(?:\s([^>]*?))?(?:/>|>([^<]*)</f>)")
_ADDRESS = re.compile(rb'(?:^|\s)r="([A-Z]{1,3})(\d{1,7})"')
_ROW_NUMBER = re.compile(rb'<row\s(?:[^>]*?\s)?r="(\d+)"')
_FAR_ROW = re.compile(rb'r="[A-Za-z]+(\d{5,})"')
_ODD_QUOTES = re.compile(rb"r(?:=['\s]|\s+=)")
_ODD_SPACE = re.compile(rb"[\t\r\n]r=")
_TAG = re.compile(rb"<(?:c|row|col|f|mergeCell)\s[^>]*>")
_ODD_ATTRIBUTE = re.compile(rb"""\s+([\w:]+)\s*=\s*(?:'([^'"]*)'|"([^"]*)")""")
_FAR_COLUMN = re.compile(rb'<c\s(?:[^>]*?\s)?r="[A-Z]{3,}\d')
_FAR_BLANK = re.compile(rb'<c\s(?:[^>]*?\s)?r="[A-Z]{3,}\d+"[^>]*?(?:/>|>\s*(?:<v\s*/>\s*)?</c>)')
_NO_ADDRESS = re.compile(rb"<c(?:>|\s(?![^>]*\br=))")
"""A cell without its place; a program that leaves it out does so everywhere, so the first one tells."""
_THREE_LETTERS = re.compile(rb' r="[A-Z]{3}')
_TWO_LETTERS = re.compile(rb'<c\s(?:[^>]*?\s)?r="[A-Z]{2}\d')
_SHEET = re.compile(r"<(?:\w+:)?sheet\s([^>]*?)/?>")
_RELATION = re.compile(r"<(?:\w+:)?Relationship\s([^>]*?)/?>")
_PREFIX = re.compile(rb"<(\w+):worksheet[\s>]")
_HIDDEN_ROW = re.compile(rb'<row\s([^>]*\bhidden="(?:1|true)"[^>]*)>')
_HIDDEN_COLUMN = re.compile(rb'<col\s([^>]*\bhidden="(?:1|true)"[^>]*)>')
_SPAN = re.compile(rb'\b(min|max)="(\d+)"')
_LEGACY_FONT = re.compile(rb'<(?:\w+:)?(?:name|rFont)\s+val="(\.Vn|VNI-)', re.IGNORECASE)
_STRINGS = re.compile(rb"<(?:\w+:)?si\b[^>]*?(?:/>|>(.*?)</(?:\w+:)?si>)", re.DOTALL)
_TEXT = re.compile(rb"<(?:\w+:)?t\b[^>]*?>([^<]*)</")
_QUOTED = re.compile(r'"(?:[^"]|"")*"')
_LEAVES_FILE = re.compile(r"\[\d+\]|\[[^\]]+\.xls\w?\]|\|", re.IGNORECASE)


def read(data: bytes) -> list[Grid]:
    """All worksheets, hidden ones too. The bytes must have passed the guard."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        package = _Package(archive)
    opened = data if package.as_given else package.rebuilt()
    workbook = CalamineWorkbook.from_filelike(io.BytesIO(opened))
    grids = []
    for meta in workbook.sheets_metadata:
        xml = package.sheets.get(meta.name)
        if xml is None:
            continue  # a chart sheet
        sheet = workbook.get_sheet_by_name(meta.name)
        grid = Grid(
            meta.name,
            meta.visible == SheetVisibleEnum.Visible,
            cast("list[list[GridValue]]", sheet.to_python(skip_empty_area=False)),
            list(sheet.merged_cell_ranges or []),
            legacy_font=package.legacy_font,
        )
        _look_closer(grid, xml, manual=package.manual_calculation)
        grids.append(grid)
    return grids


def _attribute(text: str, name: str) -> str:
    match = re.search(rf'(?:^|\s)(?:\w+:)?{name}="([^"]*)"', text)
    return unescape(match[1]) if match else ""


def _is_oddly_set(xml: bytes) -> bool:
    """Whether places stand between single quotes or in white space other than one blank."""
    lines = b"\t" in xml or xml.find(b"\n", _PROLOGUE_BYTES) >= 0  # rare, and cheap to find
    return _ODD_QUOTES.search(xml) is not None or (lines and _ODD_SPACE.search(xml) is not None)


def _usual_attribute(match: re.Match[bytes]) -> bytes:
    """The attribute between double quotes, without white space about its sign of equality."""
    value = match[3] if match[2] is None else match[2]
    return b' %s="%s"' % (match[1], value)


class _Package:
    """The parts of a workbook that reading needs; ``sheets``: sheet name -> its XML, ready to be read.

    ``as_given``: the file can be read as it is; otherwise ``rebuilt`` makes one of the mended parts.
    """

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._names = {n.replace("\\", "/").casefold().lstrip("/"): n for n in archive.namelist()}
        self.as_given = True
        book = self._workbook_part()
        self._book = self._part(book).decode("utf-8", "replace")
        folder, name = posixpath.split(book)
        relations = self._part(f"{folder}/_rels/{name}.rels").decode("utf-8", "replace")
        self._targets = {
            _attribute(m, "Id"): (_attribute(m, "Type"), self._resolve(folder, _attribute(m, "Target")))
            for m in _RELATION.findall(relations)
        }
        calculation = re.search(r"<(?:\w+:)?calcPr\s([^>]*)", self._book)
        self.manual_calculation = calculation is not None and _attribute(calculation[1], "calcMode") == "manual"
        styles = self._by_type("/styles")
        self._styles = self._part(styles) if styles else b""
        font = _LEGACY_FONT.search(self._styles)
        self.legacy_font = None if font is None else "TCVN3" if font[1].lower() == b".vn" else "VNI"
        strings = self._by_type("/sharedStrings")
        self._strings = self._part(strings) if strings else b""
        if self._styles.count(b"<xf ") > _MAX_STYLES or self._strings.count(b"<si>") > _MAX_STRINGS:
            raise guard.RefusedError(guard.BOMB)
        self._texts: list[bytes] | None = None
        self.sheets: dict[str, bytes] = {}
        listed = [(a, *self._targets.get(_attribute(a, "id"), ("", ""))) for a in _SHEET.findall(self._book)]
        parts = [part.casefold() for _, _, part in listed if part]
        if len(listed) > _MAX_SHEETS or len(set(parts)) < len(parts):
            raise guard.RefusedError(guard.ODD)
        for attributes, kind, part in listed:
            if kind.endswith("/worksheet") and part.casefold() in self._names:
                self.sheets[_attribute(attributes, "name")] = self._mended(self._part(part))
        if book != "xl/workbook.xml":
            self.as_given = False

    def _workbook_part(self) -> str:
        """Nearly always xl/workbook.xml; what the package's relations say when it is not."""
        if "xl/workbook.xml" in self._names:
            return "xl/workbook.xml"
        relations = self._part("_rels/.rels").decode("utf-8", "replace")
        for found in _RELATION.findall(relations):
            if _attribute(found, "Type").endswith("/officeDocument"):
                return _attribute(found, "Target").lstrip("/")
        raise guard.RefusedError(guard.DAMAGED)

    def _resolve(self, folder: str, target: str) -> str:
        return target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))

    def _by_type(self, ending: str) -> str | None:
        return next((part for kind, part in self._targets.values() if kind.endswith(ending)), None)

    def _part(self, name: str) -> bytes:
        """A part, unpacked and in UTF-8; zipfile stops at its stated size and compares the checksum."""
        stored = self._names.get(name.casefold())
        if stored is None:
            return b""
        content = self._archive.read(stored)
        if content[:2] in (b"\xff\xfe", b"\xfe\xff") or content[:4] in (b"<\0?\0", b"\0<\0?"):
            self.as_given = False
            return re.sub(r'encoding="[^"]*"', 'encoding="UTF-8"', guard.xml_text(content), count=1).encode()
        return content

    def _mended(self, xml: bytes) -> bytes:
        """The sheet as calamine and the patterns of this module expect it: no prefix, addresses, nothing far away."""
        if len(xml) > _MANY_BYTES and xml.count(b"<mergeCell ") > MAX_ROWS:
            raise guard.RefusedError(guard.BOMB)
        prefix = _PREFIX.search(xml[:4096])
        if prefix:
            xml = xml.replace(b"<" + prefix[1] + b":", b"<").replace(b"</" + prefix[1] + b":", b"</")
            xml = xml.replace(b"xmlns:" + prefix[1] + b"=", b"xmlns=", 1)
            self.as_given = False
        if _is_oddly_set(xml):
            xml = _TAG.sub(lambda tag: _ODD_ATTRIBUTE.sub(_usual_attribute, tag[0]), xml)
            self.as_given = False
        if _NO_ADDRESS.search(xml, 0, xml.find(b"</c>") + 1):
            xml = _addressed(xml)
            self.as_given = False
        shortened = self._without_strays(xml)
        if shortened is not xml:
            self.as_given = False
        return shortened

    def _without_strays(self, xml: bytes) -> bytes:
        """``xml`` without the blank rows and columns beyond any form; raises RefusedError when they hold something."""
        last = max(map(int, _ROW_NUMBER.findall(xml[-65_536:])), default=0)
        if last > MAX_ROWS or (len(xml) > _MANY_BYTES and xml.count(b"<row") > MAX_ROWS):
            xml = self._cut_below(xml)
            last = max(map(int, _ROW_NUMBER.findall(xml)), default=0)
            if last > MAX_ROWS:
                raise guard.RefusedError(_too_far(f"dòng {last}", f"{MAX_ROWS} dòng"))
        # A cell may name a row that is not the one it stands in.
        last = max([last, *(int(row[:9]) for row in _FAR_ROW.findall(xml))])
        if last > MAX_ROWS:
            raise guard.RefusedError(_too_far(f"dòng {last}", f"{MAX_ROWS} dòng"))
        if _THREE_LETTERS.search(xml):
            xml = _FAR_BLANK.sub(b"", xml)
            xml = re.sub(rb'<c\s(?:[^>]*?\s)?r="[A-Z]{3,}\d+"[^>]*>.*?</c>', self._without_blank, xml, flags=re.DOTALL)
            far = _FAR_COLUMN.search(xml)
            if far:
                place = xml[far.start() : far.start() + 80].split(b'r="')[1].split(b'"')[0].decode()
                raise guard.RefusedError(_too_far(f"ô {place}", "cột ZZ"))
        if last * MAX_COLUMNS > _MAX_CELLS and last and _TWO_LETTERS.search(xml):
            widest = max(letters_to_index(c.decode()) for c in re.findall(rb'\sr="([A-Z]{2})\d+"', xml))
            if widest * last > _MAX_CELLS:
                raise guard.RefusedError(_too_far(f"vùng {last} dòng x {widest} cột", f"{MAX_ROWS} dòng"))
        return xml

    def _cut_below(self, xml: bytes) -> bytes:
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
            if not self._is_blank(xml[cell : xml.find(b"</c>", value) + 4]):
                row_end = xml.find(b"</row>", value)
                return xml[: row_end + 6] + xml[end:] if 0 <= row_end < end else xml
            stop = cell
        raise guard.RefusedError(guard.BOMB)

    def _without_blank(self, match: re.Match[bytes]) -> bytes:
        return b"" if self._is_blank(match[0]) else match[0]

    def _is_blank(self, cell: bytes) -> bool:
        """Whether a cell's value is white space only; a formula is something."""
        if b"<f" in cell:
            return False
        head = cell[: cell.find(b">")]
        if b't="s"' in head:
            if self._texts is None:
                self._texts = [b"".join(_TEXT.findall(m)) for m in _STRINGS.findall(self._strings)]
            number = re.search(rb"<v>(\d+)</v>", cell)
            place = int(number[1]) if number else -1
            return not (0 <= place < len(self._texts)) or not self._texts[place].decode("utf-8", "replace").strip()
        value = re.search(rb"<v[^>]*>([^<]*)</v>", cell)
        text = value[1] if value else b"".join(_TEXT.findall(cell))
        return not text.decode("utf-8", "replace").strip()

    def rebuilt(self) -> bytes:
        """A package of the parts that were looked at and mended, and of no others."""
        buffer = io.BytesIO()
        relations, sheets = [], []
        base = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as package:
            for number, attributes in enumerate(_SHEET.findall(self._book), 1):
                name = _attribute(attributes, "name")
                if name not in self.sheets:
                    continue
                state = _attribute(attributes, "state")
                hidden = f' state="{state}"' if state else ""
                sheets.append(f'<sheet name="{_quoted(name)}" sheetId="{number}" r:id="rId{number}"{hidden}/>')
                relations.append(
                    f'<Relationship Id="rId{number}" Type="{base}/worksheet" Target="worksheets/sheet{number}.xml"/>'
                )
                package.writestr(f"xl/worksheets/sheet{number}.xml", self.sheets[name])
            if self._styles:
                package.writestr("xl/styles.xml", self._styles)
                relations.append(f'<Relationship Id="rIdS" Type="{base}/styles" Target="styles.xml"/>')
            if self._strings:
                package.writestr("xl/sharedStrings.xml", self._strings)
                relations.append(f'<Relationship Id="rIdT" Type="{base}/sharedStrings" Target="sharedStrings.xml"/>')
            properties = re.search(r"<(?:\w+:)?workbookPr\s([^>]*)", self._book)
            epoch = _attribute(properties[1], "date1904") if properties else ""
            package.writestr(
                "_rels/.rels",
                '<?xml version="1.0" encoding="UTF-8"?><Relationships xmlns="http://schemas.openxmlformats.org/package/'
                f'2006/relationships"><Relationship Id="rId1" Type="{base}/officeDocument" Target="xl/workbook.xml"/>'
                "</Relationships>",
            )
            package.writestr(
                "[Content_Types].xml",
                '<?xml version="1.0" encoding="UTF-8"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/'
                'content-types"><Default Extension="xml" ContentType="application/xml"/></Types>',
            )
            package.writestr(
                "xl/workbook.xml",
                '<?xml version="1.0" encoding="UTF-8"?><workbook xmlns="http://schemas.openxmlformats.org/'
                f'spreadsheetml/2006/main" xmlns:r="{base}"><workbookPr{_epoch(epoch)}/>'
                f"<sheets>{''.join(sheets)}</sheets></workbook>",
            )
            package.writestr(
                "xl/_rels/workbook.xml.rels",
                '<?xml version="1.0" encoding="UTF-8"?><Relationships xmlns="http://schemas.openxmlformats.org/'
                f'package/2006/relationships">{"".join(relations)}</Relationships>',
            )
        return buffer.getvalue()


def _epoch(value: str) -> str:
    return ' date1904="1"' if value in ("1", "true") else ""


def _quoted(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")


def _too_far(place: str, limit: str) -> guard.Refusal:
    return guard.Refusal(
        "M42",
        f"Trang tính có nội dung ở tận {place}, vượt giới hạn {limit}.",
        "Xóa hẳn nội dung nằm ngoài bảng (chọn các dòng, cột thừa, Delete), lưu lại rồi gửi lại.",
    )


def _addressed(xml: bytes) -> bytes:
    """Gives rows and cells that do not name their place the place that follows the one before."""
    from etl.collect.formula import index_to_letters

    row, column = 0, 0

    def place(match: re.Match[bytes]) -> bytes:
        nonlocal row, column
        tag, attributes = match[1], match[2]
        if tag == b"row":
            number = re.search(rb'\br="(\d+)"', attributes)
            row, column = (int(number[1]) if number else row + 1), 0
            return match[0] if number else b'<row r="%d"' % row + attributes + b">"
        found = _ADDRESS.search(attributes)
        column = letters_to_index(found[1].decode()) + 1 if found else column + 1
        if found:
            return match[0]
        return b'<c r="%s%d"' % (index_to_letters(column - 1).encode(), row) + attributes + b">"

    return re.sub(rb"<(row|c)((?:\s[^>]*)?)>", place, xml)


def _look_closer(grid: Grid, xml: bytes, *, manual: bool) -> None:
    """Put error values and values of formulas without value into ``grid``; note what is hidden."""
    if b'hidden="' in xml:
        grid.hidden_rows = frozenset(int(n) - 1 for m in _HIDDEN_ROW.findall(xml) for n in _row_of(m))
        grid.hidden_columns = frozenset(c for m in set(_HIDDEN_COLUMN.findall(xml)) for c in _columns_of(m))
    if b't="e"' in xml:
        for attributes, text in _ERROR.findall(xml):
            grid.put(*_position(attributes), ErrorValue(text.decode("utf-8", "replace")))
    if b"<f" not in xml:
        return
    end = xml.find(b"</sheetData>")
    known: dict[Position, str] = {}

    def formulas() -> Mapping[Position, str]:
        if not known:
            known.update(_formulas(xml))
        return known

    grid.formulas = formulas
    # Counting is many times quicker than matching: every formula is plainly followed by a value, or not.
    plain = xml.count(b"</f><v>", 0, end)
    formula_cells = xml.count(b"<f", 0, end)
    first = xml.find(b"</f><v>", 0, end)
    zeros = first >= 0 and xml.startswith(b"</f><v>0</v>", first)  # counted only where the first one is
    grid.distrusted = manual or (zeros and xml.count(b"</f><v>0</v>", 0, end) == plain)
    if formula_cells != plain or b"<v></v>" in xml:
        missing = [
            _position(attributes)
            for attributes, _ in _UNCACHED.findall(xml)
            if b't="str"' not in attributes  # there the value is an empty text
        ]
        for place, value in compute(grid, missing, formulas()).items():
            grid.put(*place, value)
    if xml.find(b"[", 0, end) >= 0 or xml.find(b"|", 0, end) >= 0:
        for place, text in formulas().items():
            if _LEAVES_FILE.search(_QUOTED.sub("", text)):
                grid.put(*place, Uncached(text, leaves_file=True))


def _row_of(attributes: bytes) -> list[bytes]:
    return re.findall(rb'(?:^|\s)r="(\d+)"', attributes)[:1]


def _columns_of(attributes: bytes) -> range:
    span = {name: int(number) for name, number in _SPAN.findall(attributes)}
    return range(span.get(b"min", 1) - 1, min(span.get(b"max", 0), MAX_COLUMNS))


def _formulas(xml: bytes) -> dict[Position, str]:
    """Text of every formula, shared ones written out for each cell."""
    found: dict[Position, str] = {}
    shared: dict[bytes, tuple[Position, str]] = {}
    written_out = 0
    for attributes, kind, text in _FORMULA.findall(xml):
        place = _position(attributes)
        written = unescape(text.decode("utf-8", "replace"))
        group = re.search(rb'\bsi="(\d+)"', kind) if b'"shared"' in kind else None
        if group and written:
            shared[group[1]] = (place, written)
        elif group and group[1] in shared:
            origin, base = shared[group[1]]
            written_out += len(base)
            if written_out > _MAX_WRITTEN_OUT:
                raise guard.RefusedError(guard.BOMB)
            written = _moved(base, place[0] - origin[0], place[1] - origin[1])
        found[place] = written
    return found


_REFERENCE = re.compile(r"(?<![A-Za-z0-9_.$'!])(\$?)([A-Z]{1,3})(\$?)(\d{1,7})(?![A-Za-z0-9_(])")


def _moved(formula: str, rows: int, columns: int) -> str:
    """The formula of a shared group as it reads in a cell so many rows and columns further on."""
    from etl.collect.formula import index_to_letters

    def shift(match: re.Match[str]) -> str:
        fixed_column, letters, fixed_row, number = match.groups()
        column = letters if fixed_column else index_to_letters(max(letters_to_index(letters) + columns, 0))
        return f"{fixed_column}{column}{fixed_row}{number if fixed_row else int(number) + rows}"

    return _REFERENCE.sub(shift, formula)


def _position(attributes: bytes) -> Position:
    """Row and column, both from 0, of a cell that names its address."""
    found = _ADDRESS.search(attributes)
    if found is None:
        raise ValueError("cell without address")
    return int(found[2]) - 1, letters_to_index(found[1].decode())
