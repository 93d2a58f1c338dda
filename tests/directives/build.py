"""One notice as plain text with hard wraps, as Word document with automatic numbers, and as PDF: the same words."""

from __future__ import annotations

import io
import textwrap
from typing import Any

from docx import Document
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls, qn

from etl.publish.typesetting import FONTS

HEAD_LEFT = ("UBND TỈNH HÒA AN", "VĂN PHÒNG")
HEAD_RIGHT = ("CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập - Tự do - Hạnh phúc")
NUMBER, DATED = "Số: 88/TB-VP", "Hòa An, ngày 14 tháng 10 năm 2025"
TITLE = "THÔNG BÁO"
SUBJECT = (
    "Kết luận của đồng chí Nguyễn Thị Mai, Phó Chủ tịch UBND tỉnh tại cuộc họp về "
    "giải ngân các Chương trình mục tiêu quốc gia"
)
OPENING = (
    "Ngày 10/10/2025, đồng chí Nguyễn Thị Mai, Phó Chủ tịch UBND tỉnh chủ trì cuộc họp. Sau khi nghe Sở Tài chính "
    "báo cáo và ý kiến của các thành phần dự họp, đồng chí Phó Chủ tịch UBND tỉnh kết luận như sau:"
)
BODY: tuple[tuple[str, str], ...] = (
    (
        "number",
        "Ghi nhận sự cố gắng của các sở, ngành, địa phương trong chín tháng đầu năm 2025; tuy nhiên tỷ lệ giải ngân "
        "còn thấp.",
    ),
    ("number", "Về nguồn vốn sự nghiệp:"),
    (
        "letter",
        "Sở Tài chính chủ trì, phối hợp với Sở Nông nghiệp và Môi trường, Sở Dân tộc và Tôn giáo rà soát nguồn vốn còn "
        "lại, tham mưu UBND tỉnh điều chỉnh theo Nghị quyết số 111/2024/QH15 ngày 18/01/2024, hoàn thành trước ngày "
        "25/10/2025.",
    ),
    ("letter", "Sở Nội vụ hướng dẫn các xã bố trí công chức chuyên môn; báo cáo UBND tỉnh trong tháng 11."),
    ("number", "UBND các xã: Bình Minh, Tân Lập và phường Đông Sơn:"),
    ("bullet", "Tập trung giải ngân, phấn đấu đến hết ngày 31/12/2025 đạt 95% kế hoạch;"),
    (
        "bullet",
        "Định kỳ trước ngày 25 hằng tháng báo cáo tiến độ các Chương trình MTQG về Sở Nông nghiệp và Môi trường - cơ "
        "quan tổng hợp của tỉnh.",
    ),
    (
        "number",
        "Giao Kho bạc Nhà nước khu vực VII, trong vòng 05 ngày làm việc kể từ ngày ban hành Thông báo này, hướng dẫn "
        "các chủ đầu tư hoàn thiện hồ sơ thanh toán; thường xuyên đối chiếu số liệu với các xã.",
    ),
    ("number", "Văn phòng UBND tỉnh theo dõi, đôn đốc việc thực hiện, kịp thời báo cáo Phó Chủ tịch UBND tỉnh."),
)
CLOSING = "Văn phòng UBND tỉnh thông báo để các cơ quan, đơn vị biết, thực hiện./."
FOOT_LEFT = ("Nơi nhận:", "- Chủ tịch, các PCT UBND tỉnh;", "- Các thành phần dự họp;", "- Lưu: VT, KTTH.")
FOOT_RIGHT = ("KT. CHÁNH VĂN PHÒNG", "PHÓ CHÁNH VĂN PHÒNG", "Lê Văn Bình")
_LINES_A_PAGE = 16


def _labelled() -> list[str]:
    """The body with its numbers written out."""
    number = letter = 0
    lines = []
    for kind, text in BODY:
        if kind == "number":
            number, letter = number + 1, 0
            lines.append(f"{number}. {text}")
        elif kind == "letter":
            letter += 1
            lines.append(f"{'abcdđ'[letter - 1]}) {text}")
        else:
            lines.append(f"- {text}")
    return lines


def plain(width: int = 78) -> str:
    """Hard wraps, page numbers in the middle of sentences, columns side by side."""
    lines = [f"{left:<30}{right}" for left, right in zip(HEAD_LEFT, HEAD_RIGHT, strict=True)]
    lines += [
        f"{NUMBER:<34}{DATED}",
        "",
        TITLE.center(width),
        *(line.center(width) for line in textwrap.wrap(SUBJECT, 60)),
        "",
    ]
    for text in (OPENING, *_labelled(), CLOSING):
        lines += textwrap.wrap(f"      {text}", width)
    lines += [""]
    for place in range(max(len(FOOT_LEFT), len(FOOT_RIGHT))):
        left = FOOT_LEFT[place] if place < len(FOOT_LEFT) else ""
        right = FOOT_RIGHT[place] if place < len(FOOT_RIGHT) else ""
        lines.append(f"{left:<46}{right}".rstrip())
    pages = [lines[at : at + _LINES_A_PAGE] for at in range(0, len(lines), _LINES_A_PAGE)]
    return "\f".join(
        "\n".join([*([f"{number:>40}", ""] if number > 1 else []), *page]) for number, page in enumerate(pages, 1)
    )


def word(*, tracked: bool = False) -> bytes:
    """Automatic numbers and bullets, letterhead and signature in tables, a page number in the header."""
    document: Any = Document()
    _field(document.sections[0].header.paragraphs[0], "PAGE")
    _columns(document, (*HEAD_LEFT, NUMBER), (*HEAD_RIGHT, DATED))
    for text in (TITLE, SUBJECT, OPENING):
        document.add_paragraph(text)
    lists = _lists(document)
    for kind, text in BODY:
        paragraph = document.add_paragraph(text)
        _numbered(paragraph, lists, {"number": 0, "letter": 1, "bullet": 2}[kind])
    document.add_paragraph(CLOSING)
    _columns(document, FOOT_LEFT, FOOT_RIGHT)
    if tracked:
        _track(document)
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def _columns(document: Any, left: tuple[str, ...], right: tuple[str, ...]) -> None:
    table = document.add_table(rows=1, cols=2)
    for cell, texts in zip(table.rows[0].cells, (left, right), strict=True):
        cell.paragraphs[0].text = texts[0]
        for text in texts[1:]:
            cell.add_paragraph(text)


def _field(paragraph: Any, code: str) -> None:
    run = paragraph.add_run()
    for kind in ("begin", "end"):
        mark = OxmlElement("w:fldChar")
        mark.set(qn("w:fldCharType"), kind)
        run._r.append(mark)
        if kind == "begin":
            text = OxmlElement("w:instrText")
            text.text = code
            run._r.append(text)
    paragraph.add_run("3")


def _lists(document: Any) -> int:
    """A list of three levels: 1. / a) / -; returns its id."""
    numbering = document.part.numbering_part.element
    levels = "".join(
        f'<w:lvl w:ilvl="{depth}"><w:start w:val="1"/><w:numFmt w:val="{form}"/><w:lvlText w:val="{text}"/></w:lvl>'
        for depth, (form, text) in enumerate((("decimal", "%1."), ("lowerLetter", "%2)"), ("bullet", "-")))
    )
    abstract = parse_xml(f'<w:abstractNum {nsdecls("w")} w:abstractNumId="77">{levels}</w:abstractNum>')
    numbering.insert(0, abstract)
    numbering.append(parse_xml(f'<w:num {nsdecls("w")} w:numId="77"><w:abstractNumId w:val="77"/></w:num>'))
    return 77


def _numbered(paragraph: Any, lists: int, depth: int) -> None:
    properties = paragraph._p.get_or_add_pPr()
    properties.append(
        parse_xml(f'<w:numPr {nsdecls("w")}><w:ilvl w:val="{depth}"/><w:numId w:val="{lists}"/></w:numPr>')
    )


def _track(document: Any) -> None:
    """A deletion, an insertion and a text box that are none of the notice's text."""
    paragraph = document.paragraphs[2]._p
    paragraph.append(
        parse_xml(f'<w:del {nsdecls("w")} w:id="1" w:author="a"><w:r><w:delText>ĐÃ XÓA</w:delText></w:r></w:del>')
    )
    inside = "<w:p><w:r><w:t>1. Giao Sở Y tế báo cáo.</w:t></w:r></w:p>"
    box = f"<w:r {nsdecls('w')}><w:pict><w:txbxContent>{inside}</w:txbxContent></w:pict></w:r>"
    paragraph.append(parse_xml(box))


def pdf() -> bytes:
    """Two columns at head and foot, justified text over several small pages with their numbers."""
    import typst

    def block(texts: tuple[str, ...]) -> str:
        return " \\ ".join(_escaped(text) for text in texts)

    body = "\n\n".join(f"#h(1cm){_escaped(text)}" for text in (OPENING, *_labelled(), CLOSING))
    source = f"""
#set page(width: 150mm, height: 110mm, margin: 15mm, header: context align(center)[#counter(page).display()])
#set text(font: "Liberation Serif", size: 12pt, lang: "vi", hyphenate: false)
#set par(justify: true)
#grid(columns: (1fr, 1.4fr), align: center, [{block((*HEAD_LEFT, NUMBER))}], [{block((*HEAD_RIGHT, DATED))}])
#align(center)[{_escaped(TITLE)} \\ {_escaped(SUBJECT)}]

{body}

#grid(columns: (1fr, 1fr), [{block(FOOT_LEFT)}], [{block(FOOT_RIGHT)}])
"""
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(FONTS)])
    return bytes(typst.compile(source.encode(), font_paths=fonts, timestamp=0))


def picture_pdf() -> bytes:
    """A page without a letter, as a scan is."""
    import typst

    return bytes(typst.compile(b"#rect(width: 100%, height: 50%, fill: gray)", timestamp=0))


def _escaped(text: str) -> str:
    return "".join(f"\\{letter}" if letter in "#$*_`<>@[]\\/-+=." else letter for letter in text)
