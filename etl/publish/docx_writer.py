"""A document as DOCX in the layout of NĐ 30/2020/NĐ-CP, Phụ lục I: the office edits, numbers and signs it.

Bytes are the same for the same document: zip times, part order and core properties are fixed.
"""

from __future__ import annotations

import io
import zipfile
from datetime import datetime
from typing import Any

import docx as word
from docx.enum.section import WD_ORIENT, WD_SECTION
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_LINE_SPACING, WD_TAB_ALIGNMENT
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor
from docx.text.paragraph import Paragraph as WordParagraph

from etl.publish import charts
from etl.publish.docx_table import CELL_STYLE, letterhead_xml, signature_xml, strip_xml, table_xml
from etl.publish.model import (
    Block,
    Chart,
    Document,
    Heading,
    Kpis,
    Letterhead,
    Paragraph,
    Section,
    Span,
    Table,
    announces,
)
from etl.publish.text import unbroken

FONT = "Times New Roman"
MARGINS_MM = {"top": 20, "bottom": 20, "left": 30, "right": 15}
BRIEF_MARGINS_MM = {"top": 12, "bottom": 10, "left": 20, "right": 15}
CLOSING = "Trên đây là báo cáo tình hình thực hiện các Chương trình mục tiêu quốc gia, trân trọng báo cáo./."
CELL_NAME = "Ô bảng"
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)
_CENTER, _RIGHT, _JUSTIFY = WD_ALIGN_PARAGRAPH.CENTER, WD_ALIGN_PARAGRAPH.RIGHT, WD_ALIGN_PARAGRAPH.JUSTIFY


def render(document: Document, known_at: datetime, fill: float = 0) -> bytes:
    """The document as DOCX bytes; ``known_at`` is its only date.

    ``fill``: how much of its one page a brief takes; what nears the end of the page is set smaller, for Word breaks
    lines a little earlier than the PDF does.
    """
    docx = word.Document()
    brief = document.kind == "brief"
    _styles(docx, brief)
    _page(docx.sections[0], landscape=False, margins=BRIEF_MARGINS_MM if brief else MARGINS_MM)
    if not brief:  # an empty header would push the one page of the brief down
        _page_number(docx.sections[0])
    _head(docx, document)
    width = _width(BRIEF_MARGINS_MM if brief else MARGINS_MM, landscape=False)
    for number, section in enumerate(document.sections):
        if number:
            width = _annex(docx, section, document.letterhead)
        kept = section.kept_with_signature if number == 0 and not brief else 0
        for index, block in enumerate(section.blocks):
            _block(docx, block, width, brief, keep=announces(block) or index >= len(section.blocks) - kept)
        if number == 0 and not brief:
            _close(docx, document, width)
    if fill > _FULL:
        _shrink(docx, _FULL / fill)
    _properties(docx, document, known_at)
    buffer = io.BytesIO()
    docx.save(buffer)
    return _fixed_zip(buffer.getvalue())


_FULL = 0.95
"""Of the height of a page, as the PDF sets it."""


def _shrink(docx: Any, factor: float) -> None:
    """Letters and the room between them smaller by ``factor``, in the styles and in the text."""
    for root in (docx.styles.element, docx.element):
        for element in root.iter(qn("w:sz"), qn("w:szCs")):
            element.set(qn("w:val"), str(int(int(element.get(qn("w:val"))) * factor)))
        for element in root.iter(qn("w:spacing")):
            for side in ("w:before", "w:after"):
                if element.get(qn(side)):
                    element.set(qn(side), str(int(int(element.get(qn(side))) * factor)))


def _width(margins: dict[str, int], *, landscape: bool) -> float:
    """Width of the text area in millimetres."""
    return (297 if landscape else 210) - margins["left"] - margins["right"]


def _styles(docx: Any, brief: bool) -> None:
    """Real styles, so that the office changes the look in one place."""
    normal = docx.styles["Normal"]
    _font(normal, 11 if brief else 14)
    _font(docx.styles["Header"], 13)  # of the page number: a field has the size of its paragraph
    _spacing(normal, after=3 if brief else 6)
    body = _style(docx, "Nội dung", normal)
    body.paragraph_format.alignment = _JUSTIFY
    if not brief:
        body.paragraph_format.first_line_indent = Mm(12.7)
    for name in ("Ghi chú", "Đơn vị tính", "Chỗ bổ sung", "Tên bảng"):
        _style(docx, name, body if name in ("Ghi chú", "Chỗ bổ sung") else normal)
    note, unit = docx.styles["Ghi chú"], docx.styles["Đơn vị tính"]
    gap, caption = docx.styles["Chỗ bổ sung"], docx.styles["Tên bảng"]
    _font(note, 10 if brief else 12, italic=True)
    note.paragraph_format.first_line_indent = Mm(0)
    _font(unit, 9 if brief else 12, italic=True)
    unit.paragraph_format.alignment = _RIGHT
    unit.paragraph_format.keep_with_next = True
    _font(gap, 14, italic=True)
    shade = OxmlElement("w:shd")  # yellow: not to be missed before signing; a highlight belongs to runs alone
    for name, value in (("val", "clear"), ("color", "auto"), ("fill", "FFFF00")):
        shade.set(qn(f"w:{name}"), value)
    gap.element.get_or_add_rPr().append(shade)
    _font(caption, 13, bold=True)
    caption.paragraph_format.alignment = _CENTER
    caption.paragraph_format.keep_with_next = True
    _spacing(caption, before=6, after=2)
    for level, indent in ((1, 12.7), (2, 12.7), (3, 12.7)):
        heading = docx.styles[f"Heading {level}"]
        _font(heading, 11.5 if brief else 14, bold=True, italic=level == 3)
        heading.font.color.rgb = RGBColor(0, 0, 0)
        _spacing(heading, before=4 if brief else 6, after=2 if brief else 6)
        heading.paragraph_format.first_line_indent = None if brief else Mm(indent)
        heading.paragraph_format.keep_with_next = True
    cell = _style(docx, CELL_NAME, normal)
    _spacing(cell, after=0)


def _style(docx: Any, name: str, base: Any) -> Any:
    style = docx.styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
    style.element.set(qn("w:styleId"), _style_id(name))
    style.base_style = base
    return style


def _font(style: Any, size: float, *, bold: bool = False, italic: bool = False) -> None:
    style.font.name = FONT
    style.font.size = Pt(size)
    style.font.bold = bold
    style.font.italic = italic
    fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
    for attribute in ("w:ascii", "w:hAnsi", "w:cs", "w:eastAsia"):
        fonts.set(qn(attribute), FONT)
    for theme in ("w:asciiTheme", "w:hAnsiTheme", "w:cstheme", "w:eastAsiaTheme"):
        fonts.attrib.pop(qn(theme), None)


def _spacing(style: Any, *, before: float = 0, after: float = 0) -> None:
    style.paragraph_format.space_before = Pt(before)
    style.paragraph_format.space_after = Pt(after)
    style.paragraph_format.line_spacing_rule = WD_LINE_SPACING.SINGLE


def _page(section: Any, *, landscape: bool, margins: dict[str, int]) -> None:
    section.orientation = WD_ORIENT.LANDSCAPE if landscape else WD_ORIENT.PORTRAIT
    section.page_width, section.page_height = (Mm(297), Mm(210)) if landscape else (Mm(210), Mm(297))
    section.top_margin, section.bottom_margin = Mm(margins["top"]), Mm(margins["bottom"])
    section.left_margin, section.right_margin = Mm(margins["left"]), Mm(margins["right"])
    section.header_distance, section.footer_distance = Mm(10), Mm(8)


def _page_number(section: Any) -> None:
    """From 1, centred in the top margin, not shown on the first page."""
    section.different_first_page_header_footer = True
    section.header.is_linked_to_previous = False
    section.first_page_header.is_linked_to_previous = False
    paragraph = section.header.paragraphs[0]
    paragraph.alignment = _CENTER
    run = paragraph.add_run()
    run.font.size = Pt(13)
    for kind, text in (("begin", ""), ("", "PAGE"), ("end", "")):
        if kind:
            element = OxmlElement("w:fldChar")
            element.set(qn("w:fldCharType"), kind)
        else:
            element = OxmlElement("w:instrText")
            element.text = text
        run._r.append(element)
    start = OxmlElement("w:pgNumType")
    start.set(qn("w:start"), "1")
    section._sectPr.insert_element_before(start, *_AFTER_PAGE_NUMBERS)


_AFTER_PAGE_NUMBERS = ("w:cols", "w:formProt", "w:vAlign", "w:noEndnote", "w:titlePg", "w:textDirection", "w:bidi",
                       "w:rtlGutter", "w:docGrid", "w:printerSettings", "w:sectPrChange")  # fmt: skip
_AFTER_BORDERS = ("w:shd", "w:tabs", "w:suppressAutoHyphens", "w:spacing", "w:ind", "w:contextualSpacing", "w:jc",
                  "w:outlineLvl", "w:rPr", "w:sectPr", "w:pPrChange")  # fmt: skip
"""What may follow in the schema of the format (ECMA-376, CT_SectPr and CT_PPrBase): Word repairs another order."""


def _paragraph(docx: Any, style: str, text: str = "") -> Any:
    """A paragraph of a style, by the style's id: looking names up again and again is what makes python-docx slow."""
    paragraph = docx.add_paragraph(text)
    paragraph._p.style = _style_id(style)
    return paragraph


def _style_id(name: str) -> str:
    return CELL_STYLE if name == CELL_NAME else name.replace(" ", "")


def _line(docx: Any, text: str, size: float, *, bold: bool = True, italic: bool = False, after: float = 0) -> Any:
    """A centred line of the head or of an annex."""
    paragraph = _paragraph(docx, CELL_NAME)
    paragraph.alignment = _CENTER
    paragraph.paragraph_format.space_after = Pt(after)
    paragraph.paragraph_format.keep_with_next = True
    run = paragraph.add_run(text)
    run.bold, run.italic, run.font.size = bold, italic, Pt(size)
    return paragraph


def rule(paragraph: Any, indent_mm: float) -> None:
    """A thin line under a paragraph, shortened on both sides."""
    paragraph.paragraph_format.left_indent = paragraph.paragraph_format.right_indent = Mm(indent_mm)
    border = parse_xml(
        '<w:pBdr xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">'
        '<w:top w:val="single" w:sz="6" w:space="1" w:color="000000"/></w:pBdr>'
    )
    paragraph._p.get_or_add_pPr().insert_element_before(border, *_AFTER_BORDERS)


def _gap(docx: Any, points: float) -> None:
    """Empty room of exactly this height: after a table Word needs a paragraph, which is else as high as a line."""
    _exact(_paragraph(docx, CELL_NAME), points)


def _exact(paragraph: Any, points: float) -> None:
    paragraph.paragraph_format.space_before = paragraph.paragraph_format.space_after = Pt(0)
    paragraph.paragraph_format.line_spacing_rule = WD_LINE_SPACING.EXACTLY
    paragraph.paragraph_format.line_spacing = Pt(points)


def _add(docx: Any, xml: str) -> None:
    """A table before the end of the body; the last element of a body is its section's properties."""
    docx.element.body.insert_element_before(parse_xml(xml), "w:sectPr")


def _head(docx: Any, document: Document) -> None:
    brief = document.kind == "brief"
    if not brief:
        _add(docx, letterhead_xml(document.letterhead, _width(MARGINS_MM, landscape=False)))
        _gap(docx, 12)
    else:
        _brief_head(docx, document.letterhead)
    _line(docx, document.kind_title, 13 if brief else 14)
    for line in document.title:
        _line(docx, line, 12.5 if brief else 14)
    if document.subtitle:
        _line(docx, "".join(s.text for s in document.subtitle), 10, bold=False, italic=True, after=3)
    if brief:
        return
    line = _line(docx, "", 4)
    _exact(line, 8)
    line.paragraph_format.space_before, line.paragraph_format.space_after = Pt(4), Pt(4)
    rule(line, 60)
    if not any(document.letterhead.addressees):
        return
    addressees = document.letterhead.addressees
    if len(addressees) == 1:
        _line(docx, f"Kính gửi: {addressees[0]}.", 14, bold=False, after=8)
        return
    _line(docx, "Kính gửi:", 14, bold=False)
    for number, name in enumerate(addressees, 1):
        _line(docx, f"- {name}{'.' if number == len(addressees) else ';'}", 14, bold=False, after=2)


def _brief_head(docx: Any, letterhead: Letterhead) -> None:
    """Whose brief it is, and that it is a draft."""
    paragraph = _paragraph(docx, CELL_NAME, f"{letterhead.parent_body} – ")
    paragraph.paragraph_format.tab_stops.add_tab_stop(
        Mm(_width(BRIEF_MARGINS_MM, landscape=False)), WD_TAB_ALIGNMENT.RIGHT
    )
    paragraph.add_run(f"{letterhead.issuer}\tDỰ THẢO").bold = True
    paragraph.paragraph_format.space_after = Pt(4)


def _annex(docx: Any, section: Section, head: Letterhead) -> float:
    """A new section with its own page numbers and the head of the annex; returns the text width."""
    new = docx.add_section(WD_SECTION.NEW_PAGE)
    # The paragraph that ends the section before: a full line of it after a table that fills its page would be a page.
    _exact(WordParagraph(docx.element.body.p_lst[-1], docx), 1)
    _page(new, landscape=section.landscape, margins=MARGINS_MM)
    for old in new._sectPr.findall(qn("w:pgNumType")):
        new._sectPr.remove(old)
    _page_number(new)
    _line(docx, section.annex, 14)
    _line(docx, section.title, 14)
    # Number and date are filled in when the report is issued (Phụ lục I of the decree).
    of = f"/{head.symbol} ngày       tháng       năm {head.year.text} của {head.name_vi}"
    _line(docx, f"(Kèm theo Báo cáo số        {of})", 13, bold=False, italic=True, after=6)
    return _width(MARGINS_MM, landscape=section.landscape)


_PARAGRAPH_STYLES = {
    "body": "Nội dung", "bullet": "Nội dung", "note": "Ghi chú", "unit": "Đơn vị tính", "gap": "Chỗ bổ sung",
}  # fmt: skip


def _block(docx: Any, block: Block, width_mm: float, brief: bool, *, keep: bool) -> None:
    """``keep``: on the page of what follows."""
    if isinstance(block, Heading):
        _paragraph(docx, f"Heading {block.level}", block.text)
    elif isinstance(block, Paragraph):
        paragraph = _paragraph(docx, _PARAGRAPH_STYLES[block.style])
        paragraph.paragraph_format.keep_with_next = keep or None
        _runs(paragraph, unbroken(block.spans))
    elif isinstance(block, Table):
        if block.caption:
            _paragraph(docx, "Tên bảng", block.caption)
        _runs(_paragraph(docx, "Đơn vị tính"), unbroken(block.unit))
        _add(docx, table_xml(block, width_mm, 9.5 if brief else 10 if block.small else 11))
        _gap(docx, 5 if brief else 8)
    elif isinstance(block, Chart):
        _chart(docx, block)
    elif isinstance(block, Kpis):
        _add(docx, strip_xml(block, width_mm))
        _gap(docx, 5)


def _runs(paragraph: Any, spans: tuple[Span, ...]) -> None:
    for span in spans:
        run = paragraph.add_run(span.text)
        if span.bold:
            run.bold = True
        if span.italic:
            run.italic = True


def _chart(docx: Any, chart: Chart) -> None:
    _paragraph(docx, "Tên bảng", chart.caption)
    paragraph = _paragraph(docx, CELL_NAME)
    paragraph.alignment = _CENTER
    paragraph.paragraph_format.space_after = Pt(6)
    picture = paragraph.add_run().add_picture(io.BytesIO(charts.png(chart)), width=Mm(chart.width_mm))
    picture._inline.docPr.set("descr", chart.alt)


def _close(docx: Any, document: Document, width_mm: float) -> None:
    """The last line of the body, then recipients on the left and the signer on the right."""
    _paragraph(docx, "Nội dung", CLOSING).paragraph_format.keep_with_next = True
    _add(docx, signature_xml(document.letterhead, width_mm))


def _properties(docx: Any, document: Document, known_at: datetime) -> None:
    moment = known_at.replace(tzinfo=None, microsecond=0)
    core = docx.core_properties
    core.title = " ".join(document.title)
    core.author = core.last_modified_by = document.letterhead.issuer
    core.subject, core.keywords, core.comments, core.category = document.release_id, "", "", ""
    core.created = core.modified = core.last_printed = moment
    core.revision, core.language = 1, "vi-VN"


def _fixed_zip(data: bytes) -> bytes:
    """The same parts with one fixed time each, in the order in which they came."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        for info in source.infolist():
            fixed = zipfile.ZipInfo(info.filename, _ZIP_TIME)
            fixed.compress_type = zipfile.ZIP_DEFLATED
            fixed.external_attr = 0o600 << 16
            fixed.create_system = 3
            target.writestr(fixed, source.read(info.filename))
    return buffer.getvalue()
