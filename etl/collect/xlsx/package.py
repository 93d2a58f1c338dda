"""The parts of an .xlsx package: found by its relations, unpacked once, packed again where they had to be mended."""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from functools import cached_property
from html import unescape

from etl.collect import guard
from etl.collect.xlsx import mending

_MAX_STYLES = 200_000
"""Excel itself makes no more than 65,490 formats."""
_MAX_STRINGS = 300_000
_MAX_SHEETS = 300
_SHEET = re.compile(r"<(?:\w+:)?sheet\s([^>]*?)/?>")
_RELATION = re.compile(r"<(?:\w+:)?Relationship\s([^>]*?)/?>")
_LEGACY_FONT = re.compile(rb'<(?:\w+:)?(?:name|rFont)\s+val="(\.Vn|VNI-)', re.IGNORECASE)
_STRINGS = re.compile(rb"<(?:\w+:)?si\b[^>]*?(?:/>|>(.*?)</(?:\w+:)?si>)", re.DOTALL)


class Package:
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
        mended = mending.mended(xml, lambda: self._texts)
        if mended is not xml:
            self.as_given = False
        return mended

    @cached_property
    def _texts(self) -> list[bytes]:
        return [b"".join(mending.TEXT.findall(m)) for m in _STRINGS.findall(self._strings)]

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


def _attribute(text: str, name: str) -> str:
    match = re.search(rf'(?:^|\s)(?:\w+:)?{name}="([^"]*)"', text)
    return unescape(match[1]) if match else ""
