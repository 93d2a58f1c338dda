"""A workbook as cells that can be edited, inside the package that the official writer made.

Editing on the level of the package keeps what a spreadsheet program keeps (styles, stored results of formulas, merged
cells, validations), and ``recalculate`` does what such a program does before it saves: sums pass over texts, an error
runs through every formula that uses it.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import cache, lru_cache
from html import unescape
from xml.sax.saxutils import escape

_DAY = (2025, 7, 1, 0, 0, 0)
_CELL = re.compile(r'<c r="([A-Z]+)(\d+)"(?: s="(\d+)")?(?: t="(\w+)")?(?:/>|>(.*?)</c>)', re.S)
_ROW = re.compile(r'<row r="(\d+)"([^>]*?)(?:/>|>(.*?)</row>)', re.S)
_FORMULA = re.compile(r"<f[^>]*>(.*?)</f>", re.S)
_VALUE = re.compile(r"<v>(.*?)</v>", re.S)
_REFERENCE = re.compile(r"(\$?)([A-Z]{1,3})(\$?)(\d+)(?![\d(])")
_MERGE = re.compile(r'<mergeCell ref="([^"]+)"/>')


@dataclass(frozen=True)
class Error:
    """#REF! and its like."""

    code: str


CellValue = Decimal | str | bool | Error | None


@dataclass(frozen=True)
class Cell:
    """``value`` is the stored one; with ``cached`` False a formula is stored without its value.

    ``xml`` replaces the whole content (between <c …> and </c>) where a test wants another spelling; ``type`` then is
    the attribute t.
    """

    value: CellValue = None
    formula: str = ""
    style: str = ""
    cached: bool = True
    xml: str = ""
    type: str = ""


def letters(index: int) -> str:
    """1 -> A, 27 -> AA."""
    text = ""
    while index:
        index, rest = divmod(index - 1, 26)
        text = chr(65 + rest) + text
    return text


@cache
def split(ref: str) -> tuple[int, int]:
    """``C12`` -> (12, 3)."""
    match = re.fullmatch(r"\$?([A-Z]+)\$?(\d+)", ref)
    if match is None:
        raise ValueError(ref)
    column = 0
    for char in match[1]:
        column = column * 26 + ord(char) - 64
    return int(match[2]), column


def join(row: int, column: int) -> str:
    return f"{letters(column)}{row}"


@dataclass
class Sheet:
    name: str
    part: str
    before: str
    after: str
    cells: dict[tuple[int, int], Cell]
    rows: dict[int, str]
    state: str = ""
    touched: bool = False

    def __getitem__(self, ref: str) -> Cell:
        return self.cells.get(split(ref), Cell())

    def put(self, ref: str, value: CellValue | int | float, *, formula: str = "", **more: str | bool) -> None:
        """Type into a cell: its style stays."""
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = Decimal(str(value))
        self.touched = True
        old = self[ref]
        self.cells[split(ref)] = replace(Cell(value, formula, old.style), **more)  # type: ignore[arg-type]

    def clear(self, ref: str) -> None:
        self.put(ref, None)

    def style(self, ref: str, style: str) -> None:
        self.touched = True
        self.cells[split(ref)] = replace(self[ref], style=style)

    def row_attributes(self, row: int, text: str) -> None:
        """Add attributes such as hidden="1"."""
        self.touched = True
        self.rows[row] = self.rows.get(row, "") + " " + text

    @property
    def last_row(self) -> int:
        return max((r for r, _ in self.cells), default=0)

    def values(self) -> Iterator[tuple[str, Cell]]:
        """Filled cells, row by row."""
        for (row, column), cell in sorted(self.cells.items()):
            if cell.value is not None or cell.formula:
                yield join(row, column), cell

    # --- merged cells ---------------------------------------------------------------------------------------------

    @property
    def merged(self) -> list[str]:
        return [str(m) for m in _MERGE.findall(self.after)]

    @merged.setter
    def merged(self, ranges: list[str]) -> None:
        self.touched = True
        rest = re.sub(r"<mergeCells.*?</mergeCells>", "", self.after, flags=re.S)
        if ranges:
            block = "".join(f'<mergeCell ref="{r}"/>' for r in ranges)
            block = f'<mergeCells count="{len(ranges)}">{block}</mergeCells>'
            protection = re.match(
                r"</sheetData>(?:<sheetProtection[^>]*/>)?(?:<autoFilter.*?</autoFilter>)?", rest, re.S
            )
            cut = protection.end() if protection else 0
            rest = rest[:cut] + block + rest[cut:]
        self.after = rest

    # --- rows and columns -----------------------------------------------------------------------------------------

    def insert_rows(self, at: int, count: int) -> None:
        """Empty rows before row ``at``, as a spreadsheet program inserts them: everything below moves down."""
        self._move(lambda r, c: (r + count if r >= at else r, c))

    def insert_columns(self, at: int, count: int) -> None:
        self._move(lambda r, c: (r, c + count if c >= at else c))

    def delete_rows(self, at: int, count: int = 1) -> None:
        """Formulas that used a deleted cell alone are not repaired: delete what nothing but a range points at."""
        for position in [p for p in self.cells if at <= p[0] < at + count]:
            del self.cells[position]
        for row in [r for r in self.rows if at <= r < at + count]:
            del self.rows[row]
        self._move(lambda r, c: (r - count if r >= at + count else r, c), gone_rows=range(at, at + count))

    def delete_column(self, at: int) -> None:
        for position in [p for p in self.cells if p[1] == at]:
            del self.cells[position]
        self._move(lambda r, c: (r, c - 1 if c > at else c), gone_columns=range(at, at + 1))

    def swap_rows(self, one: int, other: int) -> None:
        """The contents of two rows change places; formulas keep meaning the same figures."""
        self._move(lambda r, c: ({one: other, other: one}.get(r, r), c))

    def _move(
        self,
        move: Callable[[int, int], tuple[int, int]],
        gone_rows: range = range(0),
        gone_columns: range = range(0),
    ) -> None:
        self.touched = True

        def shifted(match: re.Match[str]) -> str:
            row, column = move(*split(match[2] + match[4]))
            return f"{match[1]}{letters(column)}{match[3]}{row}"

        def moved(text: str) -> str:
            return _REFERENCE.sub(shifted, text)

        self.cells = {
            move(*position): replace(cell, formula=_outside_texts(cell.formula, moved)) if cell.formula else cell
            for position, cell in self.cells.items()
        }
        self.rows = {move(row, 1)[0]: text for row, text in self.rows.items()}
        ranges = []
        for one in self.merged:
            (top, left), (bottom, right) = (split(p) for p in one.split(":"))
            kept_rows = [r for r in (top, bottom) if r not in gone_rows]
            kept_columns = [c for c in (left, right) if c not in gone_columns]
            if not kept_rows or not kept_columns:
                continue
            if gone_columns and left in gone_columns:
                left += 1
            if gone_columns and right in gone_columns:
                right -= 1
            if gone_rows and bottom in gone_rows:
                bottom -= 1
            start, end = move(top, left), move(bottom, right)
            if start < end:
                ranges.append(f"{join(*start)}:{join(*end)}")
        self.merged = ranges
        # Validations and print areas would move, too; no reader looks at them.
        self.after = re.sub(r"<dataValidations.*?</dataValidations>", "", self.after, flags=re.S)

    # --- values ---------------------------------------------------------------------------------------------------

    def recalculate(self) -> None:
        """Give every formula the value that a spreadsheet program would store."""
        self.touched = True
        done: dict[tuple[int, int], CellValue] = {}
        busy: set[tuple[int, int]] = set()

        def value(position: tuple[int, int]) -> CellValue:
            cell = self.cells.get(position)
            if cell is None:
                return None
            if not cell.formula:
                return cell.value
            if position not in done:
                if position in busy:
                    return Error("#REF!")
                busy.add(position)
                try:
                    done[position] = Calculation(cell.formula, value).result()
                except UnknownFunctionError:
                    done[position] = cell.value
                busy.discard(position)
            return done[position]

        for position, cell in list(self.cells.items()):
            if cell.formula:
                self.cells[position] = replace(cell, value=value(position))

    def values_only(self) -> None:
        """Paste special: values."""
        self.touched = True
        self.cells = {
            p: replace(c, formula="", value=None if c.formula and c.value == "" else c.value)
            for p, c in self.cells.items()
        }

    def xml(self, text: Callable[[str], str]) -> str:
        """The part; ``text`` gives the attributes and content of a text cell."""
        by_row: dict[int, list[tuple[int, Cell]]] = {row: [] for row in self.rows}
        for (row, column), cell in self.cells.items():
            by_row.setdefault(row, []).append((column, cell))
        out = []
        for row in sorted(by_row):
            inside = "".join(_cell_xml(join(row, c), cell, text) for c, cell in sorted(by_row[row], key=lambda x: x[0]))
            out.append(f'<row r="{row}"{self.rows.get(row, "")}>{inside}</row>')
        body = "".join(out)
        before = self.before
        if self.cells:
            last = max(c for _, c in self.cells)
            dimension = f'<dimension ref="A1:{join(max(by_row), last)}"/>'
            before = re.sub(r"<dimension [^>]*/>", dimension, before)
        return before + body + self.after


def _outside_texts(formula: str, change: Callable[[str], str]) -> str:
    parts = re.split(r'("(?:[^"]|"")*")', formula)
    return "".join(part if n % 2 else change(part) for n, part in enumerate(parts))


def _cell_xml(ref: str, cell: Cell, text: Callable[[str], str]) -> str:
    head = f'<c r="{ref}"' + (f' s="{cell.style}"' if cell.style else "")
    if cell.xml:
        return head + (f' t="{cell.type}"' if cell.type else "") + f">{cell.xml}</c>"
    value = cell.value
    if cell.formula:
        formula = f"<f>{escape(cell.formula)}</f>"
        if not cell.cached:
            return f"{head}>{formula}</c>"
        if isinstance(value, Error):
            return f'{head} t="e">{formula}<v>{value.code}</v></c>'
        if isinstance(value, bool):
            return f'{head} t="b">{formula}<v>{int(value)}</v></c>'
        if isinstance(value, str) or value is None:
            return f'{head} t="str">{formula}<v>{escape(value or "")}</v></c>'
        return f"{head}>{formula}<v>{value:f}</v></c>"
    if value is None:
        return f"{head}/>" if cell.style else ""
    if isinstance(value, Error):
        return f'{head} t="e"><v>{value.code}</v></c>'
    if isinstance(value, bool):
        return f'{head} t="b"><v>{int(value)}</v></c>'
    if isinstance(value, str):
        return head + text(value)
    return f"{head}><v>{value:f}</v></c>"


@dataclass
class Book:
    """``parts`` are all files of the package; edited sheets replace theirs when it is saved."""

    parts: dict[str, bytes]
    sheets: list[Sheet]
    shared: list[str]
    workbook_xml: str
    inline: bool = False
    dropped: set[str] = field(default_factory=set)

    def __getitem__(self, name: str) -> Sheet:
        return next(s for s in self.sheets if s.name == name)

    def copy(self) -> Book:
        sheets = [replace(s, cells=dict(s.cells), rows=dict(s.rows)) for s in self.sheets]
        return replace(self, parts=dict(self.parts), sheets=sheets, shared=list(self.shared), dropped=set())

    @property
    def forms(self) -> list[Sheet]:
        return [s for s in self.sheets if s.name != "_meta"]

    def recalculate(self) -> None:
        for sheet in self.forms:
            if sheet.touched:
                sheet.recalculate()

    def rename(self, old: str, new: str) -> None:
        self[old].name = new
        self.workbook_xml = self.workbook_xml.replace(f'name="{escape(old)}"', f'name="{escape(new)}"').replace(
            f"'{old}'!", f"'{new}'!"
        )

    def remove(self, name: str) -> None:
        sheet = self[name]
        self.sheets.remove(sheet)
        self.dropped.add(sheet.part)
        number = re.search(r"sheet(\d+)\.xml$", sheet.part)
        assert number is not None
        self._rewrite_names()
        relation = f'Target="worksheets/sheet{number[1]}.xml"'
        rels = self.parts["xl/_rels/workbook.xml.rels"].decode()
        found = re.search(rf'<Relationship Id="(\w+)"[^>]*{re.escape(relation)}/>', rels)
        assert found is not None
        self.parts["xl/_rels/workbook.xml.rels"] = rels.replace(found[0], "").encode()
        self.workbook_xml = re.sub(rf'<sheet [^>]*r:id="{found[1]}"/>', "", self.workbook_xml)
        types = self.parts["[Content_Types].xml"].decode()
        self.parts["[Content_Types].xml"] = re.sub(
            rf'<Override PartName="/{re.escape(sheet.part)}"[^>]*/>', "", types
        ).encode()

    def _rewrite_names(self) -> None:
        """Without print areas: their sheet numbers would no longer fit."""
        self.workbook_xml = re.sub(r"<definedNames>.*?</definedNames>", "", self.workbook_xml, flags=re.S)

    def add(self, name: str, like: Sheet | None = None, *, state: str = "", first: bool = False) -> Sheet:
        """Another sheet, empty or a copy of ``like``."""
        number = max(int(re.findall(r"(\d+)\.xml$", s.part)[0]) for s in self.sheets) + 1
        part = f"xl/worksheets/sheet{number}.xml"
        before = (
            '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<worksheet xmlns="http://schemas.openxmlformats.org'
            '/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
            '<dimension ref="A1"/><sheetData>'
        )
        new = (
            replace(like, name=name, part=part, cells=dict(like.cells), rows=dict(like.rows), touched=True, state=state)
            if like
            else Sheet(name, part, before, "</sheetData></worksheet>", {}, {}, state, True)
        )
        if like:
            new.before = new.before.replace(' tabSelected="1"', "")
        self._rewrite_names()
        shown = f' state="{state}"' if state else ""
        tag = f'<sheet name="{escape(name)}" sheetId="{number + 20}"{shown} r:id="rIdN{number}"/>'
        place = "<sheets>" if first else "</sheets>"
        self.workbook_xml = self.workbook_xml.replace(place, place + tag if first else tag + place)
        rels = self.parts["xl/_rels/workbook.xml.rels"].decode()
        relation = (
            f'<Relationship Id="rIdN{number}" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/'
            f'worksheet" Target="worksheets/sheet{number}.xml"/>'
        )
        self.parts["xl/_rels/workbook.xml.rels"] = rels.replace(
            "</Relationships>", relation + "</Relationships>"
        ).encode()
        self.override(part, "application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml")
        self.sheets.insert(0 if first else len(self.sheets), new)
        return new

    def override(self, part: str, content_type: str) -> None:
        types = self.parts["[Content_Types].xml"].decode()
        tag = f'<Override PartName="/{part}" ContentType="{content_type}"/>'
        self.parts["[Content_Types].xml"] = types.replace("</Types>", tag + "</Types>").encode()

    def reorder(self, names: list[str]) -> None:
        self._rewrite_names()
        tags = {unescape(m[1]): m[0] for m in re.finditer(r'<sheet name="([^"]+)"[^>]*/>', self.workbook_xml)}
        self.workbook_xml = re.sub(
            r"<sheets>.*?</sheets>", "<sheets>" + "".join(tags[n] for n in names) + "</sheets>", self.workbook_xml
        )
        self.sheets.sort(key=lambda s: names.index(s.name))

    def hide(self, name: str, state: str = "hidden") -> None:
        self[name].state = state
        self.workbook_xml = self.workbook_xml.replace(
            f'<sheet name="{escape(name)}"', f'<sheet name="{escape(name)}" state="{state}"'
        )

    def new_style(self, *, font: str = "", number_format: str = "", quote_prefix: bool = False) -> str:
        """A cell style of the workbook with that font or number format; its index."""
        styles = self.parts["xl/styles.xml"].decode()
        fonts = int(re.findall(r'<fonts count="(\d+)"', styles)[0])
        font_id = 0
        if font:
            styles = styles.replace("</fonts>", f'<font><sz val="12"/><name val="{font}"/></font></fonts>')
            styles = re.sub(r'<fonts count="\d+"', f'<fonts count="{fonts + 1}"', styles)
            font_id = fonts
        format_id = 0
        if number_format:
            format_id = 200 + styles.count("<numFmt ")
            tag = f'<numFmt numFmtId="{format_id}" formatCode="{escape(number_format, {chr(34): "&quot;"})}"/>'
            styles = styles.replace("</numFmts>", tag + "</numFmts>")
            count = styles.count("<numFmt ")
            styles = re.sub(r'<numFmts count="\d+"', f'<numFmts count="{count}"', styles)
        formats = re.findall(r"<cellXfs count=\"(\d+)\"", styles)[0]
        quoted = ' quotePrefix="1"' if quote_prefix else ""
        tag = (
            f'<xf numFmtId="{format_id}" fontId="{font_id}" fillId="0" borderId="0" xfId="0"{quoted} '
            'applyFont="1" applyNumberFormat="1"/>'
        )
        styles = styles.replace("</cellXfs>", tag + "</cellXfs>")
        styles = re.sub(r'<cellXfs count="\d+"', f'<cellXfs count="{int(formats) + 1}"', styles)
        self.parts["xl/styles.xml"] = styles.encode()
        return formats

    def save(self) -> bytes:
        index = {text: n for n, text in enumerate(self.shared)}
        known = len(self.shared)

        def text(value: str) -> str:
            if self.inline:
                return f' t="inlineStr"><is>{_t(value)}</is></c>'
            if value not in index:
                index[value] = len(self.shared)
                self.shared.append(value)
            return f' t="s"><v>{index[value]}</v></c>'

        parts = {name: data for name, data in self.parts.items() if name not in self.dropped}
        parts["xl/workbook.xml"] = self.workbook_xml.encode()
        for sheet in self.sheets:
            if sheet.touched or self.inline:
                parts[sheet.part] = sheet.xml(text).encode()
        if self.inline:
            parts["xl/sharedStrings.xml"] = _strings([])
        elif len(self.shared) > known:
            parts["xl/sharedStrings.xml"] = _strings(self.shared)
        return packed(parts)


def _t(text: str) -> str:
    keep = ' xml:space="preserve"' if text != text.strip() or "\n" in text else ""
    return f"<t{keep}>{escape(text)}</t>"


def _strings(texts: list[str]) -> bytes:
    inside = "".join(f"<si>{_t(x)}</si>" for x in texts)
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<sst xmlns="http://schemas.openxmlformats.org/'
        f'spreadsheetml/2006/main" count="{len(texts)}" uniqueCount="{len(texts)}">{inside}</sst>'
    ).encode()


def packed(parts: dict[str, bytes], *, stored: frozenset[str] = frozenset()) -> bytes:
    """A zip of the parts, dated one fixed day."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in parts.items():
            info = zipfile.ZipInfo(name, _DAY)
            info.compress_type = zipfile.ZIP_STORED if name in stored else zipfile.ZIP_DEFLATED
            archive.writestr(info, data, compresslevel=1)
    return out.getvalue()


def parse(data: bytes) -> Book:
    """A package that the official writer made."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = {i.filename: archive.read(i) for i in archive.infolist()}
    workbook = parts["xl/workbook.xml"].decode()
    shared = [
        "".join(unescape(t) for t in re.findall(r"<t[^>]*>(.*?)</t>", si, re.S))
        for si in re.findall(r"<si>(.*?)</si>", parts["xl/sharedStrings.xml"].decode(), re.S)
    ]
    sheets = []
    for number, match in enumerate(re.finditer(r'<sheet name="([^"]+)"[^>]*/>', workbook), 1):
        part = f"xl/worksheets/sheet{number}.xml"
        state = re.search(r'state="(\w+)"', match[0])
        sheets.append(_sheet(unescape(match[1]), part, parts[part].decode(), shared, state[1] if state else ""))
    return Book(parts, sheets, shared, workbook)


def _sheet(name: str, part: str, xml: str, shared: list[str], state: str) -> Sheet:
    start = xml.index("<sheetData>") + len("<sheetData>")
    end = xml.index("</sheetData>")
    cells: dict[tuple[int, int], Cell] = {}
    rows: dict[int, str] = {}
    for row, attributes, inside in _ROW.findall(xml[start:end]):
        rows[int(row)] = re.sub(r' spans="[^"]*"', "", attributes)
        for column, number, style, kind, content in _CELL.findall(inside):
            formula = _FORMULA.search(content)
            stored = _VALUE.search(content)
            value: CellValue = None
            if stored:
                text = unescape(stored[1])
                value = shared[int(text)] if kind == "s" else text if kind == "str" else Decimal(text)
            elif kind == "str":
                value = ""
            cells[split(column + number)] = Cell(value, unescape(formula[1]) if formula else "", style)
    return Sheet(name, part, xml[:start], xml[end:], cells, rows, state)


# --- calculation ----------------------------------------------------------------------------------------------------


class UnknownFunctionError(Exception):
    """A function that is not computed here: the stored value stays."""


class _FaultError(Exception):
    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


_TOKEN = re.compile(
    r"""\s*(?:(?P<number>\d+\.?\d*)|(?P<text>"(?:[^"]|"")*")|(?P<range>\$?[A-Z]{1,3}\$?\d+:\$?[A-Z]{1,3}\$?\d+)
    |(?P<cell>\$?[A-Z]{1,3}\$?\d+)(?![A-Za-z(])|(?P<name>[A-Z]+)(?=\()|(?P<op><=|>=|<>|[-+*/=<>(),])|(?P<other>.))""",
    re.VERBOSE,
)


@lru_cache(maxsize=16384)
def _tokens(formula: str) -> tuple[tuple[str, str], ...]:
    return tuple((m.lastgroup or "", m[m.lastgroup or 0]) for m in _TOKEN.finditer(formula))


class Calculation:
    """One formula as a spreadsheet program computes it; the functions of the official workbook and a few others."""

    def __init__(self, formula: str, value: Callable[[tuple[int, int]], CellValue]) -> None:
        self.value = value
        self.tokens = _tokens(formula)
        self.at = 0

    def result(self) -> CellValue:
        try:
            value = self._comparison()
        except _FaultError as fault:
            return Error(fault.code)
        except (InvalidOperation, ZeroDivisionError):
            return Error("#DIV/0!")
        if self.at != len(self.tokens):
            raise UnknownFunctionError
        return Decimal(0) if value is None else value

    def _next(self, *wanted: str) -> bool:
        if self.at < len(self.tokens) and self.tokens[self.at] in [("op", w) for w in wanted]:
            self.at += 1
            return True
        return False

    def _comparison(self) -> CellValue:
        left = self._sum()
        for operator in ("=", "<>", "<=", ">=", "<", ">"):
            if self._next(operator):
                return _compare(operator, left, self._sum())
        return left

    def _sum(self) -> CellValue:
        left = self._product()
        while True:
            if self._next("+"):
                left = _number(left) + _number(self._product())
            elif self._next("-"):
                left = _number(left) - _number(self._product())
            else:
                return left

    def _product(self) -> CellValue:
        left = self._factor()
        while True:
            if self._next("*"):
                left = _number(left) * _number(self._factor())
            elif self._next("/"):
                below = _number(self._factor())
                if below == 0:
                    raise _FaultError("#DIV/0!")
                left = _number(left) / below
            else:
                return left

    def _factor(self) -> CellValue:
        if self._next("-"):
            return -_number(self._factor())
        if self._next("("):
            value = self._comparison()
            self._next(")")
            return value
        if self.at >= len(self.tokens):
            raise UnknownFunctionError
        kind, text = self.tokens[self.at]
        self.at += 1
        if kind == "number":
            return Decimal(text)
        if kind == "text":
            return text[1:-1].replace('""', '"')
        if kind == "cell":
            return self._fetch(split(text))
        if kind == "name":
            return self._call(text)
        raise UnknownFunctionError

    def _fetch(self, position: tuple[int, int]) -> CellValue:
        value = self.value(position)
        if isinstance(value, Error):
            raise _FaultError(value.code)
        return value

    def _arguments(self) -> list[CellValue]:
        """Values of the arguments, ranges opened; texts of a range stay texts."""
        self._next("(")
        values: list[CellValue] = []
        while not self._next(")"):
            if self.tokens[self.at][0] == "range":
                (top, left), (bottom, right) = (split(p) for p in self.tokens[self.at][1].split(":"))
                self.at += 1
                values += [self._fetch((r, c)) for r in range(top, bottom + 1) for c in range(left, right + 1)]
            else:
                values.append(self._comparison())
            self._next(",")
        return values

    def _call(self, name: str) -> CellValue:
        if name == "IF":
            return self._if()
        if name not in ("SUM", "COUNT", "COUNTA", "ROUND", "OR", "AND", "MAX", "MIN", "ABS", "AVERAGE"):
            raise UnknownFunctionError
        values = self._arguments()
        numbers = [v for v in values if isinstance(v, Decimal)]
        if name == "SUM":
            return sum(numbers, Decimal(0))
        if name == "AVERAGE":
            return sum(numbers, Decimal(0)) / len(numbers)
        if name == "COUNT":
            return Decimal(len(numbers))
        if name == "COUNTA":
            return Decimal(sum(v is not None for v in values))
        if name == "ROUND":
            return (
                _number(values[0]).quantize(Decimal(1).scaleb(-int(_number(values[1]))), ROUND_HALF_UP).normalize() + 0
            )
        if name in ("OR", "AND"):
            return (any if name == "OR" else all)(bool(v) for v in values)
        if name == "ABS":
            return abs(_number(values[0]))
        return (max if name == "MAX" else min)(numbers, default=Decimal(0))

    def _if(self) -> CellValue:
        """Only the branch that is taken is computed."""
        self._next("(")
        condition = self._comparison()
        self._next(",")
        branches: list[CellValue | _FaultError] = []
        for _ in range(2):
            try:
                start = self.at
                branches.append(self._comparison())
            except _FaultError as fault:
                branches.append(fault)
                self._skip(start)
            if not self._next(","):
                break
        self._next(")")
        taken = 0 if condition else 1
        chosen = branches[taken] if taken < len(branches) else False
        if isinstance(chosen, _FaultError):
            raise chosen
        return chosen

    def _skip(self, start: int) -> None:
        self.at, depth = start, 0
        while depth or self.tokens[self.at] not in (("op", ","), ("op", ")")):
            depth += {"(": 1, ")": -1}.get(self.tokens[self.at][1], 0)
            self.at += 1


def _number(value: CellValue) -> Decimal:
    if value is None:
        return Decimal(0)
    if isinstance(value, bool):
        return Decimal(int(value))
    if isinstance(value, Decimal):
        return value
    if isinstance(value, str):
        try:
            return Decimal(value)
        except InvalidOperation:
            raise _FaultError("#VALUE!") from None
    raise _FaultError(value.code)


def _compare(operator: str, left: CellValue, right: CellValue) -> bool:
    if isinstance(left, str) or isinstance(right, str):
        same = ("" if left is None else left) == ("" if right is None else right)
        return same if operator == "=" else not same
    a, b = _number(left), _number(right)
    return {"=": a == b, "<>": a != b, "<=": a <= b, ">=": a >= b, "<": a < b, ">": a > b}[operator]
