"""Marks a workbook: colours and notes on its cells, the result as first sheet, formulas that point outside disarmed.

Works on the package (``etl.validate.marked``). Raises OddPackageError for one that is not built as spreadsheet programs
build it; the caller then lets a library write it anew first.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import unescape

from etl.validate import wording
from etl.validate.finding import Finding
from etl.validate.marked import notes, outside, result, worksheet, xml
from etl.validate.marked.package import Package
from etl.validate.marked.result import Told, letter, number_of, split_address
from etl.validate.marked.styles import Styles
from etl.validate.marked.worksheet import Cell, Scan
from etl.validate.marked.xml import Node, OddPackageError

_STRICT = "http://purl.oclc.org/ooxml/spreadsheetml/main"
_TRANSITIONAL = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = {
    _STRICT: "http://purl.oclc.org/ooxml/officeDocument/relationships",
    _TRANSITIONAL: "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
}
# Children of <worksheet> that may stand after <legacyDrawing>.
_AFTER_DRAWING = (
    "legacyDrawingHF", "drawingHF", "picture", "oleObjects", "controls", "webPublishItems", "tableParts", "extLst",
)  # fmt: skip
_SELECTED = re.compile(rb"\stabSelected\s?=\s?[\"'](?:1|true)[\"']")
_VALUE = re.compile(rb"<(?:\w+:)?v>([^<]*)</(?:\w+:)?v>")
_INLINE = re.compile(rb"<(?:\w+:)?t(?:\s[^>]*)?>([^<]*)</(?:\w+:)?t>")
_LINE_CODE = re.compile(r"[A-Z][A-Z0-9]*(?:-[A-Z0-9]+)+")
_RULE = re.compile(rb"<(?:\w+:)?(?:formula[12]?|f)>([^<]*)</")
_LINE_COLUMNS = 5
_LONGEST_LINE = 70


@dataclass
class _Sheet:
    name: str
    part: str
    node: Node


def mark(data: bytes, told: Told, *, alone: bool = False) -> bytes:
    """The workbook with ``told.findings`` marked and the result as its first sheet; ``alone``: as its only one."""
    package = Package(data)
    book = _Book(package)
    if alone:
        book.take_off_all()
    earlier = book.take_off_result()
    names = book.drop_other_files()
    styles = Styles(package.read(book.styles_part))
    by_sheet: dict[str, dict[str, list[Finding]]] = defaultdict(lambda: defaultdict(list))
    for finding in told.findings:
        if finding.sheet and split_address(finding.cell)[0]:
            by_sheet[finding.sheet][finding.cell or ""].append(finding)
    records: list[tuple[str, str, str]] = []
    lines: dict[tuple[str, int], str] = {}
    for sheet in book.sheets:
        marking = _Marking(package, book, sheet, styles, by_sheet.get(sheet.name, {}), earlier, names)
        if marking.is_needed():
            marking.apply()
            records += marking.records
            lines.update(marking.lines)
    order = [sheet.name for sheet in book.sheets]
    page = result.sheet_xml(
        told, order, lambda sheet, row: lines.get((sheet, row), ""), styles, book.namespace, records
    )
    package.write(book.styles_part, styles.result())
    book.put_first(page, told)
    return package.save()


class _Book:
    """``xl/workbook.xml``: the sheets in order, defined names, links to other files."""

    def __init__(self, package: Package) -> None:
        self.package = package
        main = next((r.target for r in package.relations("") if r.kind == "officeDocument"), None)
        if main is None or main not in package:
            raise OddPackageError("workbook")
        self.part = main
        root = xml.outline(package.read(main), 1)
        if root.name != "workbook":
            raise OddPackageError(root.name)
        self.namespace = next((n for n in root.attributes.values() if n in _RELATIONS), _TRANSITIONAL)
        self.relation_base = _RELATIONS[self.namespace]
        relations = {r.id: r for r in package.relations(main)}
        styles = next((r.target for r in relations.values() if r.kind == "styles"), None)
        shared = next((r.target for r in relations.values() if r.kind == "sharedStrings"), None)
        if styles is None:
            raise OddPackageError("styles")
        self.styles_part = styles
        self._shared_part = shared if shared and shared in package else None
        self._shared: list[str] | None = None
        self.sheets: list[_Sheet] = []
        for node in self._block("sheets"):
            relation = relations.get(node.get("id") or "")
            if relation is None or relation.target not in package:
                raise OddPackageError("sheet without part")
            self.sheets.append(_Sheet(node.attributes.get("name", ""), relation.target, node))

    def _block(self, name: str) -> list[Node]:
        found = xml.outline(self.package.read(self.part), 3).child(name)
        return found.children if found else []

    def shared_text(self, index: int) -> str:
        if self._shared is None:
            self._shared = (
                xml.texts_of(self.package.read(self._shared_part), "si", lambda parent: parent in ("si", "r"))
                if self._shared_part
                else []
            )
        return self._shared[index] if 0 <= index < len(self._shared) else ""

    def text_of(self, data: bytes, cell: Cell) -> str:
        piece = data[cell.start : cell.end]
        if cell.kind == "inlineStr":
            return unescape("".join(t.decode("utf-8", "replace") for t in _INLINE.findall(piece)))
        value = _VALUE.search(piece)
        text = unescape(value[1].decode("utf-8", "replace")) if value else ""
        return self.shared_text(int(text)) if cell.kind == "s" and text.isdigit() else text

    def take_off_result(self) -> dict[tuple[str, str], str]:
        """Remove the sheet of an earlier result; returns (sheet, cell) -> fill before it was marked."""
        fills: dict[tuple[str, str], str] = {}
        for position, sheet in reversed(list(enumerate(self.sheets))):
            if not sheet.name.startswith(result.NAME):
                continue
            data = self.package.read(sheet.part)
            scan = worksheet.read(data, rows=None)
            rows = {row: {letter(c.column): self.text_of(data, c) for c in cells} for row, cells in scan.cells.items()}
            if not rows.get(1, {}).get("A", "").startswith("KẾT QUẢ KIỂM TRA"):
                continue  # a sheet of the sender's that happens to be called so
            for cells in rows.values():
                where, cell, fill = (cells.get(c, "") for c in ("L", "M", "N"))
                if where.startswith("#") and cell.startswith("#"):
                    fills[where[1:], cell[1:]] = fill[1:]
            self._remove(position)
        return fills

    def take_off_all(self) -> None:
        while self.sheets:
            self._remove(0)

    def _remove(self, position: int) -> None:
        sheet = self.sheets.pop(position)
        relation = next(r for r in self.package.relations(self.part) if r.target == sheet.part)
        self.package.unrelate(self.part, relation.id)
        for part in self.package.relations(sheet.part):
            if not part.external and part.target in self.package and part.kind in ("comments", "vmlDrawing"):
                self.package.remove(part.target)
        self.package.remove(sheet.part)
        data = self.package.read(self.part)
        edits = xml.Edits(data)
        root = xml.outline(data, 3)
        sheets = root.child("sheets")
        node = (sheets.children if sheets else [])[position]
        edits.replace(node.start, node.end, b"")
        _renumber(edits, data, root, lambda n: None if n == position else n - (n > position))
        self.package.write(self.part, edits.result())

    def drop_other_files(self) -> frozenset[str]:
        """Cut the links to other files; returns the defined names, in lower case, that pointed there."""
        data = self.package.read(self.part)
        root = xml.outline(data, 3)
        edits = xml.Edits(data)
        names = set()
        defined = root.child("definedNames")
        for node in defined.children if defined else []:
            if outside.in_xml(data[node.open_end : node.close]):
                names.add((node.get("name") or "").lower())
                edits.replace(node.open_end, node.close, b"#REF!")
        links = root.child("externalReferences")
        if links is not None:
            edits.replace(links.start, links.end, b"")
        if edits:
            self.package.write(self.part, edits.result())
        for relation in self.package.relations(self.part):
            if relation.kind in ("externalLink", "xlExternalLinkPath"):
                self.package.unrelate(self.part, relation.id)
                if relation.target in self.package:
                    self.package.remove(relation.target)
        self._quiet_other_parts(links is not None)
        return frozenset(names)

    def _quiet_other_parts(self, had_links: bool) -> None:
        for name in self.package.names():
            if name == "xl/connections.xml":
                data = self.package.read(name)
                quiet = re.sub(rb'\brefreshOnLoad\s*=\s*"(?:1|true)"', b'refreshOnLoad="0"', data)
                if quiet != data:
                    self.package.write(name, quiet)
            elif had_links and name.startswith("xl/charts/chart") and name.endswith(".xml"):
                data = self.package.read(name)
                cut = re.sub(rb"(<(?:\w+:)?f>)[^<\[]*\[[^<]*(</)", rb"\1#REF!\2", data)
                if cut != data:
                    self.package.write(name, cut)

    def put_first(self, page: bytes, told: Told) -> None:
        """Insert the result sheet before all others and open the workbook on it."""
        part = self.package.free_name("xl/worksheets/sheet{}.xml")
        self.package.add(part, page, result.CONTENT_TYPE)
        relation = self.package.relate(self.part, f"{self.relation_base}/worksheet", part)
        data = self.package.read(self.part)
        root = xml.outline(data, 3)
        sheets = root.child("sheets")
        if sheets is None:
            raise OddPackageError("sheets")
        number = max((int(n.get("sheetId") or 0) for n in sheets.children), default=0) + 1
        taken = {s.name.lower() for s in self.sheets}
        name = next(n for i in range(1, 1000) if (n := result.NAME + (f" ({i})" if i > 1 else "")).lower() not in taken)
        edits = xml.Edits(data)
        node = (
            f'<{root.prefix}sheet name="{name}" sheetId="{number}" {_reference(root, self.relation_base, relation)}/>'
        ).encode()
        if sheets.open_end == sheets.end:
            edits.append_to(sheets, node, "sheets")
        else:
            edits.insert(sheets.open_end, node)
        _renumber(edits, data, root, lambda n: n + 1)
        titles = (
            (
                f'<{root.prefix}definedName name="_xlnm.Print_Titles" localSheetId="0">\'{name}\'!$1:$1'
                f"</{root.prefix}definedName>"
            )
            .encode()
            .replace(b"$1:$1", f"${result.header_row_of(told)}:${result.header_row_of(told)}".encode())
        )
        defined = root.child("definedNames")
        if defined is not None and defined.close > defined.open_end:
            edits.insert(defined.open_end, titles)
        views = root.child("bookViews")
        for view in views.children if views else []:
            tag = data[view.start : view.open_end]
            changed = xml.set_attribute(xml.set_attribute(tag, "activeTab", None), "firstSheet", None)
            if changed != tag:
                edits.replace(view.start, view.open_end, changed)
        self.package.write(self.part, edits.result())


def _reference(root: Node, base: str, relation: str) -> str:
    """The attribute ``r:id`` with the prefix that the part has for relations, or with its own."""
    for name, value in root.attributes.items():
        if name.startswith("xmlns:") and value == base:
            return f'{name[6:]}:id="{relation}"'
    return f'xmlns:tdr="{base}" tdr:id="{relation}"'


def _renumber(edits: xml.Edits, data: bytes, root: Node, new_number: Callable[[int], int | None]) -> None:
    """Defined names that belong to a sheet follow it to its new place; those of a sheet that is gone go too."""
    defined = root.child("definedNames")
    for node in defined.children if defined else []:
        local = node.get("localSheetId")
        if local is None:
            continue
        number = new_number(int(local))
        if number is None:
            edits.replace(node.start, node.end, b"")
        else:
            tag = xml.set_attribute(data[node.start : node.open_end], "localSheetId", str(number))
            edits.replace(node.start, node.open_end, tag)


class _Marking:
    """One sheet: earlier marks off, new ones on, formulas that point outside disarmed, tab no longer selected."""

    def __init__(
        self,
        package: Package,
        book: _Book,
        sheet: _Sheet,
        styles: Styles,
        findings: Mapping[str, list[Finding]],
        earlier: Mapping[tuple[str, str], str],
        names: frozenset[str],
    ) -> None:
        self.package, self.book, self.sheet, self.styles = package, book, sheet, styles
        self.findings, self.earlier, self.names = findings, earlier, names
        self.data = package.read(sheet.part)
        self.records: list[tuple[str, str, str]] = []
        self.lines: dict[tuple[str, int], str] = {}

    def is_needed(self) -> bool:
        return bool(
            self.findings
            or _SELECTED.search(self.data, 0, self._grid_begins())
            or outside.SUSPICIOUS.search(self.data)
            or (self.names and b"<f" in self.data)
            or b"[" in self.data[max(self.data.rfind(b"</sheetData>"), 0) :]
            or self.styles.ours
            or notes.has_ours(self.package, self.sheet.part)
        )

    def apply(self) -> None:
        light = not (self.findings or self.styles.ours or self.names or outside.SUSPICIOUS.search(self.data))
        if light and not notes.has_ours(self.package, self.sheet.part):
            self._unselect_only()
            return
        # A merged range has one cell that shows: first look for those, then for the rows that are concerned.
        wanted = {split_address(a)[1] for a in self.findings}
        scan = worksheet.read(self.data, wanted, self.styles.ours)
        if self.findings and scan.merged:
            anchors = {a: scan.anchor_of(a) for a in self.findings}
            if not {split_address(a)[1] for a in anchors.values()} <= wanted:
                scan = worksheet.read(
                    self.data, wanted | {split_address(a)[1] for a in anchors.values()}, self.styles.ours
                )
        else:
            anchors = {a: a for a in self.findings}
        if scan.root.name != "worksheet":
            self._unselect_only()
            return
        edits = xml.Edits(self.data)
        marks: dict[str, list[Finding]] = defaultdict(list)
        for address, found in self.findings.items():
            marks[anchors[address]] += found
        for address in self.findings:
            row = split_address(address)[1]
            self.lines[self.sheet.name, row] = self._line(scan, row)
        self._cells(scan, edits, marks)
        self._views(scan, edits)
        grid = scan.root.child("sheetData")
        self._rules(grid.end if grid else 0, edits)
        self._notes(scan, edits, marks)
        if edits:
            self.package.write(self.sheet.part, edits.result())

    def _grid_begins(self) -> int:
        position = self.data.find(b"sheetData")
        return position if position >= 0 else len(self.data)

    def _unselect_only(self) -> None:
        """Without a scan: most sheets have nothing to be marked."""
        edits = xml.Edits(self.data)
        for match in _SELECTED.finditer(self.data, 0, self._grid_begins()):
            edits.replace(match.start(), match.end(), b"")
        self._rules(max(self.data.rfind(b"</sheetData>"), 0), edits)
        if edits:
            self.package.write(self.sheet.part, edits.result())

    def _cells(self, scan: Scan, edits: xml.Edits, marks: Mapping[str, list[Finding]]) -> None:
        protected = scan.root.child("sheetProtection") is not None
        usual = self._usual_fills()
        missing = dict(marks)
        shared_outside = {
            c.shared for cells in scan.cells.values() for c in cells
            if c.shared is not None and c.formula and outside.points_outside(c.formula, self.names)
        }  # fmt: skip
        for row, cells in scan.cells.items():
            for cell in cells:
                address = f"{letter(cell.column)}{row}"
                format_no = before = cell.format_no
                if before in self.styles.ours:
                    fill = self.earlier.get((self.sheet.name, address)) or usual.get(letter(cell.column), "none")
                    format_no = self.styles.unmarked(before, fill)
                found = missing.pop(address, None)
                if found:
                    self.records.append((self.sheet.name, address, self.styles.fill_of(format_no)))
                    format_no = self.styles.marked(format_no, _worst(found), editable=protected)
                dead = cell.formula is not None and (
                    (cell.formula != "" and outside.points_outside(cell.formula, self.names))
                    or (cell.shared is not None and cell.shared in shared_outside)
                )
                if dead:
                    self._disarm(scan, edits, cell, address, self.styles.text(format_no))
                elif format_no != before:
                    tag_end = xml.tag_end(self.data, cell.start)
                    tag = xml.set_attribute(self.data[cell.start : tag_end], "s", str(format_no))
                    edits.replace(cell.start, tag_end, tag)
        self._blank_cells(scan, edits, missing, protected)

    def _usual_fills(self) -> dict[str, str]:
        """Column letters -> the fill that most marked cells of the column had: for rows that have moved since."""
        by_column: dict[str, Counter[str]] = defaultdict(Counter)
        for (sheet, address), fill in self.earlier.items():
            if sheet == self.sheet.name:
                by_column[split_address(address)[0]][fill] += 1
        return {column: fills.most_common(1)[0][0] for column, fills in by_column.items()}

    def _disarm(self, scan: Scan, edits: xml.Edits, cell: Cell, address: str, format_no: int) -> None:
        p = scan.root.prefix
        text = xml.cell_text(outside.disarmed(cell.formula or "…")[:32_000])
        edits.replace(
            cell.start,
            cell.end,
            f'<{p}c r="{address}" s="{format_no}" t="inlineStr"><{p}is><{p}t xml:space="preserve">{text}</{p}t>'
            f"</{p}is></{p}c>".encode(),
        )

    def _blank_cells(self, scan: Scan, edits: xml.Edits, missing: Mapping[str, list[Finding]], protected: bool) -> None:
        """Cells that the file does not have at all, because they are blank."""
        p = scan.root.prefix
        by_row: dict[int, list[tuple[int, str]]] = defaultdict(list)
        for address, found in missing.items():
            letters, row = split_address(address)
            column = number_of(letters)
            blank = scan.format_of_blank(column, row)
            self.records.append((self.sheet.name, address, self.styles.fill_of(blank)))
            format_no = self.styles.marked(blank, _worst(found), editable=protected)
            by_row[row].append((column, f'<{p}c r="{address}" s="{format_no}"/>'))
        grid = scan.root.child("sheetData")
        if grid is None:
            raise OddPackageError("sheetData")
        new_rows: list[tuple[int, str]] = []
        for row, cells in sorted(by_row.items()):
            cells.sort()
            if row not in scan.rows:
                new_rows.append((row, f'<{p}row r="{row}">{"".join(x for _, x in cells)}</{p}row>'))
                continue
            start, open_end, end, _ = scan.rows[row]
            if open_end == end:
                tag = self.data[start : open_end - 2].rstrip() + b">"
                inner = "".join(x for _, x in cells)
                edits.replace(start, end, tag + f"{inner}</{p}row>".encode())
                continue
            close = self.data.rindex(b"</", start, end)
            for column, element in cells:
                later = [c.start for c in scan.cells.get(row, ()) if c.column > column]
                edits.insert(min(later, default=close), element.encode())
        if new_rows and grid.open_end == grid.end:
            edits.append_to(grid, "".join(x for _, x in new_rows).encode(), "sheetData")
            return
        for row, element in new_rows:
            later = [start for number, (start, *_) in scan.rows.items() if number > row]
            edits.insert(min(later, default=grid.close), element.encode())

    def _views(self, scan: Scan, edits: xml.Edits) -> None:
        views = scan.root.child("sheetViews")
        for view in views.children if views else []:
            if "tabSelected" in view.attributes:
                tag = xml.set_attribute(self.data[view.start : view.open_end], "tabSelected", None)
                edits.replace(view.start, view.open_end, tag)

    def _rules(self, begin: int, edits: xml.Edits) -> None:
        """Conditional formats and validations, which stand after ``begin``, that name another file point nowhere."""
        if b"[" not in self.data[begin:]:
            return
        for match in _RULE.finditer(self.data, begin):
            if outside.in_xml(match[1]):
                edits.replace(match.start(1), match.end(1), b"#REF!")

    def _notes(self, scan: Scan, edits: xml.Edits, marks: Mapping[str, list[Finding]]) -> None:
        if not marks and not notes.has_ours(self.package, self.sheet.part):
            return
        texts = {address: wording.note(found) for address, found in marks.items()}
        places = {address: self._place(scan, address, text) for address, text in texts.items()}
        relation = notes.write(self.package, self.sheet.part, texts, places, self.book.relation_base)
        if relation is None:
            return
        p = scan.root.prefix
        before = next((c for c in scan.root.children if c.name in _AFTER_DRAWING), None)
        new = f"<{p}legacyDrawing {_reference(scan.root, self.book.relation_base, relation)}/>".encode()
        edits.insert(before.start if before else scan.root.close, new)

    def _place(self, scan: Scan, address: str, text: str) -> notes.Place:
        """The box of a note: beside its cell, as large as the text needs, in the sheet's own columns and rows."""
        letters, row = split_address(address)
        column = number_of(letters)
        right, right_px = self._reach(notes.WIDTH_PX + 15, column + 1, scan.width_px)
        top = max(row - 1, 1)
        bottom, bottom_px = self._reach(notes.height_px(text) + 4, top, scan.height_px)
        anchor = f"{column}, 15, {top - 1}, 4, {right - 1}, {right_px}, {bottom - 1}, {bottom_px}"
        return notes.Place(row - 1, column - 1, anchor)

    @staticmethod
    def _reach(pixels: int, start: int, size_of: Callable[[int], int]) -> tuple[int, int]:
        n = start
        while pixels > size_of(n) and n < start + 400:
            pixels -= size_of(n)
            n += 1
        return n, pixels

    def _line(self, scan: Scan, row: int) -> str:
        """What names the line of a row: its code, else the first text on the left."""
        first = ""
        for cell in scan.cells.get(row, ()):
            if cell.column > _LINE_COLUMNS:
                break
            text = self.book.text_of(self.data, cell).strip() if cell.kind in ("s", "inlineStr", "str") else ""
            if _LINE_CODE.fullmatch(text):
                return f"dòng {row}: {text}"
            if not first and len(text) > 3:
                first = text if len(text) <= _LONGEST_LINE else text[: _LONGEST_LINE - 1] + "…"
        return f"dòng {row}" + (f": {first}" if first else "")


def _worst(found: Sequence[Finding]) -> str:
    return min((f.severity for f in found), key=("error", "warning", "info").index)
