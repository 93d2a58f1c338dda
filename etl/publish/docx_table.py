"""Tables of the DOCX as WordprocessingML text: hundreds of rows, one parse."""

from __future__ import annotations

from collections.abc import Iterable
from xml.sax.saxutils import escape

from etl.publish.model import Kpis, Letterhead, Row, Table, joined

_W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
_SHADES = {"total": "E8ECF1", "group": "F4F6F8"}
_DXA_PER_MM = 56.6929
CELL_STYLE = "TableCell"


def _dxa(mm: float) -> int:
    return round(mm * _DXA_PER_MM)


def _run(text: str, size: float, *, bold: bool = False, italic: bool = False) -> str:
    marks = ("<w:b/>" if bold else "") + ("<w:i/>" if italic else "")
    half = round(size * 2)
    return (
        f'<w:r><w:rPr>{marks}<w:sz w:val="{half}"/><w:szCs w:val="{half}"/></w:rPr>'
        f'<w:t xml:space="preserve">{escape(text)}</w:t></w:r>'
    )


def _paragraph(runs: str, align: str = "center", size: float = 0, *, keep: bool = False) -> str:
    """With ``size`` the paragraph's mark is as small as its text: it decides the height of an empty line."""
    half = round(size * 2)
    mark = f'<w:rPr><w:sz w:val="{half}"/><w:szCs w:val="{half}"/></w:rPr>' if size else ""
    return (
        f'<w:p><w:pPr><w:pStyle w:val="{CELL_STYLE}"/>{"<w:keepNext/>" if keep else ""}<w:jc w:val="{align}"/>{mark}'
        f"</w:pPr>{runs}</w:p>"
    )


def _cell(content: str, width: int, *, span: int = 1, merge: str = "", shade: str = "", middle: bool = True) -> str:
    properties = f'<w:tcW w:w="{width}" w:type="dxa"/>'
    if span > 1:
        properties += f'<w:gridSpan w:val="{span}"/>'
    if merge:
        properties += '<w:vMerge w:val="restart"/>' if merge == "restart" else "<w:vMerge/>"
    if shade:
        properties += f'<w:shd w:val="clear" w:color="auto" w:fill="{shade}"/>'
    if middle:
        properties += '<w:vAlign w:val="center"/>'
    return f"<w:tc><w:tcPr>{properties}</w:tcPr>{content}</w:tc>"


def _row(cells: Iterable[str], *, header: bool = False) -> str:
    marks = "<w:cantSplit/>" + ("<w:tblHeader/>" if header else "")
    return f"<w:tr><w:trPr>{marks}</w:trPr>{''.join(cells)}</w:tr>"


def _table(rows: str, widths: list[int], *, borders: bool = True, margin: int = 60) -> str:
    line = '<w:{0} w:val="single" w:sz="4" w:space="0" w:color="000000"/>'
    sides = "".join(line.format(s) for s in ("top", "left", "bottom", "right", "insideH", "insideV"))
    grid = "".join(f'<w:gridCol w:w="{w}"/>' for w in widths)
    return (
        f'<w:tbl {_W}><w:tblPr><w:tblW w:w="{sum(widths)}" w:type="dxa"/><w:jc w:val="center"/>'
        f"{f'<w:tblBorders>{sides}</w:tblBorders>' if borders else ''}"
        '<w:tblLayout w:type="fixed"/><w:tblCellMar>'
        f'<w:left w:w="{margin}" w:type="dxa"/><w:right w:w="{margin}" w:type="dxa"/></w:tblCellMar></w:tblPr>'
        f"<w:tblGrid>{grid}</w:tblGrid>{rows}</w:tbl>"
    )


def table_xml(table: Table, width_mm: float, size: float) -> str:
    """A table with repeating header rows: groups merged across, plain columns merged over both rows."""
    total = sum(c.width for c in table.columns)
    widths = [_dxa(width_mm * c.width / total) for c in table.columns]
    rows = "".join(_header(table, widths, size))
    # Every row of a run but the last one stays on the page of the next row.
    keep = [number < run for run in table.runs() for number in range(1, run + 1)]
    rows += "".join(_data_row(table, row, widths, size, keep=k) for row, k in zip(table.rows, keep, strict=True))
    return _table(rows, widths)


def _header(table: Table, widths: list[int], size: float) -> list[str]:
    def title(text: str) -> str:
        return _paragraph(_run(text, size, bold=True), size=size, keep=True)

    rows = []
    if table.has_groups:
        top, bottom = [], []
        for group, first, count in table.groups():
            if group:
                top.append(_cell(title(group), sum(widths[first : first + count]), span=count))
                bottom += [_cell(title(table.columns[i].title), widths[i]) for i in range(first, first + count)]
            else:
                top.append(_cell(title(table.columns[first].title), widths[first], merge="restart"))
                bottom.append(_cell(_paragraph("", size=size), widths[first], merge="continue"))
        rows += [_row(top, header=True), _row(bottom, header=True)]
    else:
        cells = (_cell(title(c.title), w) for c, w in zip(table.columns, widths, strict=True))
        rows.append(_row(cells, header=True))
    if table.numbered:
        numbers = (_run(f"({n})", size - 1, italic=True) for n in range(1, len(widths) + 1))
        cells = (_cell(_paragraph(n, size=size - 1, keep=True), w) for n, w in zip(numbers, widths, strict=True))
        rows.append(_row(cells, header=True))
    return rows


def _data_row(table: Table, row: Row, widths: list[int], size: float, *, keep: bool) -> str:
    cells = []
    bold, italic = row.role in ("total", "group"), row.role == "missing"
    last = len(row.cells) - 1
    for index, spans in enumerate(row.cells):
        runs = "".join(_run(s.text, size, bold=bold or s.bold, italic=italic or s.italic) for s in spans)
        reach = len(widths) - index if row.merged and index == last else 1
        align = "left" if reach > 1 else table.columns[index].align
        width = sum(widths[index : index + reach])
        content = _paragraph(runs, align, size, keep=keep)
        cells.append(_cell(content, width, span=reach, shade=_SHADES.get(row.role, "")))
    return _row(cells)


def strip_xml(strip: Kpis, width_mm: float) -> str:
    """The boxes at the head of the brief."""
    widths = [_dxa(width_mm / len(strip.boxes))] * len(strip.boxes)
    cells = [
        _cell(
            _paragraph(_run(box.label, 9), size=9)
            + _paragraph(_run(joined(box.value), 13, bold=True), size=13)
            + _paragraph(_run(joined(box.note), 8.5, italic=True), size=8.5),
            width,
            shade="F4F6F8",
            middle=False,
        )
        for box, width in zip(strip.boxes, widths, strict=True)
    ]
    return _table(_row(cells), widths)


def _ruled(width_mm: float, length_mm: float) -> str:
    """A line of this length, centred in a cell: the upper border of an empty paragraph between indents."""
    indent = _dxa((width_mm - length_mm) / 2 - 2)
    return (
        '<w:p><w:pPr><w:pStyle w:val="'
        + CELL_STYLE
        + '"/><w:pBdr><w:top w:val="single" w:sz="6" w:space="1" w:color="000000"/>'
        f'</w:pBdr><w:spacing w:before="20" w:after="0" w:line="120" w:lineRule="exact"/>'
        f'<w:ind w:left="{indent}" w:right="{indent}"/></w:pPr></w:p>'
    )


def letterhead_xml(letterhead: Letterhead, width_mm: float) -> str:
    """Issuer and number on the left; Quốc hiệu, Tiêu ngữ, place and date on the right (NĐ 30/2020, Phụ lục I)."""
    left_mm, right_mm = width_mm * 0.41, width_mm * 0.59
    left = (
        _paragraph(_run(letterhead.parent_body, 12))
        + _paragraph(_run(letterhead.issuer, 12, bold=True))
        # A third to a half of the name's length, about 2,7 mm a capital letter.
        + _ruled(left_mm, max(len(letterhead.issuer) * 2.7 * 0.45, 14))
        + _paragraph(_run(f"Số:          /{letterhead.symbol}", 13))
        + _paragraph(_run("DỰ THẢO", 13, bold=True))
    )
    right = (
        _paragraph(_run("CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", 12, bold=True))
        + _paragraph(_run("Độc lập - Tự do - Hạnh phúc", 13, bold=True))
        + _ruled(right_mm, 58)
        + _paragraph(_run(f"{letterhead.place}, ngày       tháng       năm {letterhead.year.text}", 13, italic=True))
    )
    widths = [_dxa(left_mm), _dxa(right_mm)]
    row = _row([_cell(left, widths[0], middle=False), _cell(right, widths[1], middle=False)])
    return _table(row, widths, borders=False, margin=0)


def recipients(letterhead: Letterhead) -> list[str]:
    """Lines of ``Nơi nhận``: each with ``;``, the filing line last with its full stop."""
    return [f"- {name};" for name in letterhead.recipients] + [f"- {letterhead.filing}"]


def signature_xml(letterhead: Letterhead, width_mm: float) -> str:
    """Nơi nhận on the left, level with the authority on the right; room for the signature and seal."""
    left = _paragraph(_run("Nơi nhận:", 12, bold=True, italic=True), "left")
    left += "".join(_paragraph(_run(line, 11), "left") for line in recipients(letterhead))
    right = "".join(_paragraph(_run(line, 14, bold=True)) for line in letterhead.authority)
    right += _paragraph("", size=14) * 5 + _paragraph(_run(letterhead.signer, 14, bold=True))
    widths = [_dxa(width_mm * 0.5), _dxa(width_mm * 0.5)]
    row = _row([_cell(left, widths[0], middle=False), _cell(right, widths[1], middle=False)])
    return _table(row, widths, borders=False, margin=0)
