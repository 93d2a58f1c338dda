"""Workbooks in order: as the official writer makes them, and as other programs leave them. Not one finding is right."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import openpyxl

from etl.sample import commune_report
from tests.corpus.base import COUNT, Base, base, simulation
from tests.corpus.draft import Draft
from tests.corpus.item import Item, Made
from tests.corpus.package import Book, packed

_CORE = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<cp:coreProperties '
    'xmlns:cp="http://schemas.openxmlformats.org/'
    'package/2006/metadata/core-properties" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:creator>UBND xã</dc:creator>'
    "</cp:coreProperties>"
).encode()


def repacked(data: bytes, change: Callable[[str, bytes], bytes] = lambda name, part: part) -> bytes:
    """The parts again, without times and names of the program that wrote them."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = {i.filename: change(i.filename, archive.read(i)) for i in archive.infolist()}
    if "docProps/core.xml" in parts:
        parts["docProps/core.xml"] = _CORE
    return packed(parts)


def through_openpyxl(data: bytes, *, values: bool = False) -> bytes:
    """Saved by a library: formulas without results, or results without formulas."""
    book = openpyxl.load_workbook(io.BytesIO(data), data_only=values)
    out = io.BytesIO()
    book.save(out)
    return repacked(out.getvalue())


def _sheets(change: Callable[[str], str]) -> Callable[[str, bytes], bytes]:
    def changed(name: str, part: bytes) -> bytes:
        return change(part.decode()).encode() if name.startswith("xl/worksheets/sheet") else part

    return changed


def like_libreoffice(data: bytes) -> bytes:
    """Its attributes: aca on formulas, every row with its height, hidden="false", no spans."""

    def change(xml: str) -> str:
        xml = xml.replace("<f>", '<f aca="false">')
        xml = re.sub(r' spans="[^"]*"', "", xml)
        return re.sub(
            r'<row r="(\d+)"[^>]*?(/?)>',
            r'<row r="\1" customFormat="false" ht="13.8" hidden="false" customHeight="false" outlineLevel="0" '
            r'collapsed="false"\2>',
            xml,
        )

    return repacked(data, _sheets(change))


def with_prefix(data: bytes) -> bytes:
    """Elements in a named namespace, as the Open XML SDK of .NET writes them."""

    def change(name: str, part: bytes) -> bytes:
        if not name.startswith(("xl/worksheets/sheet", "xl/workbook", "xl/sharedStrings")):
            return part
        xml = part.decode().replace("xmlns=", "xmlns:x=", 1)
        return re.sub(r"<(/?)([a-zA-Z])", r"<\1x:\2", xml).encode()

    return repacked(data, change)


def attributes_in_another_order(data: bytes) -> bytes:
    return repacked(data, _sheets(lambda xml: re.sub(r'<c r="(\w+)" s="(\d+)"', r'<c s="\2" r="\1"', xml)))


def without_references(data: bytes) -> bytes:
    """Cells and rows without their addresses where they follow on each other: the standard leaves them optional."""

    def change(xml: str) -> str:
        return re.sub(r"(<row [^>]*>)(.*?)(</row>)", lambda m: m[1] + _bare(m[2]) + m[3], xml, flags=re.S)

    return repacked(data, _sheets(change))


def _bare(cells: str) -> str:
    expected = 1
    out = []
    for match in re.finditer(r'<c r="([A-Z]+)(\d+)"(.*?)(?=<c r="|$)', cells, re.S):
        column = 0
        for char in match[1]:
            column = column * 26 + ord(char) - 64
        address = "" if column == expected else f' r="{match[1]}{match[2]}"'
        out.append(f"<c{address}{match[3]}")
        expected = column + 1
    return "".join(out)


def rich_texts(data: bytes) -> bytes:
    """Every text in two runs, as after making one word bold; a phonetic run that does not count."""

    def split(match: re.Match[str]) -> str:
        text = match[2]
        cut = text.find(" ") + 1 if " " in text else 0
        first = f'<r><rPr><b/></rPr><t xml:space="preserve">{text[:cut]}</t></r>' if cut else ""
        return f'<si>{first}<r><t xml:space="preserve">{text[cut:]}</t></r><rPh sb="0" eb="1"><t>x</t></rPh></si>'

    def change(name: str, part: bytes) -> bytes:
        if name != "xl/sharedStrings.xml":
            return part
        return re.sub(r"<si><t([^>]*)>(.*?)</t></si>", split, part.decode(), flags=re.S).encode()

    return repacked(data, change)


def _shared_formulas(book: Book) -> None:
    """Formulas of a column as Excel keeps them after filling down: the first in full, the others by its number."""
    for sheet in book.forms:
        group = 0
        by_column: dict[int, list[tuple[int, int]]] = {}
        for position, cell in sorted(sheet.cells.items(), key=lambda x: (x[0][1], x[0][0])):
            if cell.formula:
                by_column.setdefault(position[1], []).append(position)
        for positions in by_column.values():
            runs: list[list[tuple[int, int]]] = []
            for p in positions:
                shape = re.sub(r"\d+", "#", sheet.cells[p].formula)
                last = runs[-1][-1] if runs else None
                same = last and last[0] == p[0] - 1 and re.sub(r"\d+", "#", sheet.cells[last].formula) == shape
                constant = re.search(r"-\d", sheet.cells[p].formula)
                if same and not constant:
                    runs[-1].append(p)
                else:
                    runs.append([p])
            for run in (r for r in runs if len(r) > 1):
                _share(book, sheet.name, run, group)
                group += 1


def _share(book: Book, name: str, run: list[tuple[int, int]], group: int) -> None:
    from xml.sax.saxutils import escape

    from tests.corpus.package import join

    sheet = book[name]
    sheet.touched = True
    span = f"{join(*run[0])}:{join(*run[-1])}"
    for number, position in enumerate(run):
        cell = sheet.cells[position]
        inside = escape(cell.formula) if number == 0 else ""
        reference = f' ref="{span}"' if number == 0 else ""
        value = f"{cell.value:f}" if not isinstance(cell.value, str | type(None)) else str(cell.value or "")
        kind = "str" if isinstance(cell.value, str) else ""
        xml = f'<f t="shared"{reference} si="{group}">{inside}</f><v>{value}</v>'
        sheet.cells[position] = replace(cell, xml=xml, type=kind)


def _values_only(book: Book) -> None:
    for sheet in book.forms:
        sheet.values_only()


def _inline(book: Book) -> None:
    book.inline = True


def _no_hidden_sheet(book: Book) -> None:
    book.remove("_meta")


def _moved(book: Book) -> None:
    for sheet in book.forms:
        sheet.insert_rows(1, 2)
        sheet.insert_columns(1, 1)


_BY_BOOK: dict[str, Callable[[Book], None]] = {
    "values-only": _values_only,
    "inline-strings": _inline,
    "shared-formulas": _shared_formulas,
    "without-meta": _no_hidden_sheet,
    "moved": _moved,
}
_BY_BYTES: dict[str, Callable[[bytes], bytes]] = {
    "openpyxl": through_openpyxl,
    "openpyxl-values": lambda data: through_openpyxl(data, values=True),
    "like-libreoffice": like_libreoffice,
    "namespace-prefix": with_prefix,
    "attribute-order": attributes_in_another_order,
    "without-references": without_references,
    "rich-texts": rich_texts,
}
_FULL = ("06463", "06517", "05986")


def _full(commune: str) -> Base:
    """The whole report of a commune, as large as they come."""
    period = base(0).content.period
    return Base(commune_report.content(simulation(), commune, period, period.year), ())


@cache
def valid() -> tuple[Item, ...]:
    """Every base as it is and through every kind of writer; some communes in full."""
    found: list[Item] = []

    def add(kind: str, number: int, make: Callable[[], Made]) -> None:
        found.append(Item(f"{kind}/{number}", kind, "", make))

    for number in range(COUNT):
        add("official", number, lambda n=number: Draft(base(n)).made())  # type: ignore[misc]
        for kind, change in _BY_BOOK.items():
            add(kind, number, lambda n=number, c=change: _unchanged(Draft(base(n)).edit(c)))  # type: ignore[misc]
        for kind, finish in _BY_BYTES.items():
            add(kind, number, lambda n=number, f=finish: Draft(base(n)).whole(f).made())  # type: ignore[misc]
    for number, commune in enumerate(_FULL):
        add("full", number, lambda c=commune: Draft(_full(c)).made())  # type: ignore[misc]
        add("full-openpyxl", number, lambda c=commune: Draft(_full(c)).whole(through_openpyxl).made())  # type: ignore[misc]
    return tuple(found)


def _unchanged(draft: Draft) -> Made:
    """Without calculating anew: nothing was typed."""
    draft.recalculated = False
    return draft.made()
