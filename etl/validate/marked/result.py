"""The first sheet *Kết quả kiểm tra*: verdict and counts, the list of findings, how to send back.

Findings of one rule in one column of one sheet stand on one line ("12 dòng cùng lỗi") with all their cells, so that a
long list stays readable and nothing is left out; each cell's own note has its own figures.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from etl.collect.formula import index_to_letters, letters_to_index
from etl.validate import wording
from etl.validate.finding import SEVERITIES, Finding
from etl.validate.marked import xml
from etl.validate.marked.styles import COLOURS, Format, Styles

NAME = "Kết quả kiểm tra"
TITLE = "KẾT QUẢ KIỂM TRA BÁO CÁO"
CONTENT_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"
COLUMNS = (
    ("STT", 6),
    ("Vị trí", 20),
    ("Kỳ báo cáo, dòng", 23),
    ("Nội dung", 50),
    ("Cách sửa", 42),
    ("Đã ghi", 16),
    ("Đúng ra", 16),
    ("Chênh lệch", 16),
    ("Mã", 7),
)
_GROUPED_FROM = 3
_LONGEST_PLACE = 350
_FIRST_RECORD = 12
_LONGEST_CELL = 8_000
_TALLEST_HEAD = 230
_ADDRESS = re.compile(r"([A-Z]{1,3})([1-9]\d{0,6})")
_WHOLE_FILE = "Cả tệp"


@dataclass(frozen=True)
class Told:
    """What the sheet says. ``head``: lines under the title; ``closing``: how to send back; ``period`` as printed."""

    verdict: str
    head: Sequence[str]
    notices: Sequence[str]
    closing: Sequence[str]
    findings: Sequence[Finding]
    period: str = ""


@dataclass(frozen=True)
class Entry:
    """One line of the list: findings of one kind, first place first."""

    findings: tuple[Finding, ...]

    @property
    def first(self) -> Finding:
        return self.findings[0]


@dataclass
class _Row:
    cells: list[tuple[int, str | int, str]]
    height: float = 18
    merged: tuple[int, int] | None = None
    links: list[tuple[int, str, str]] = field(default_factory=list)


def split_address(address: str | None) -> tuple[str, int]:
    match = _ADDRESS.fullmatch(address or "")
    return (match[1], int(match[2])) if match else ("", 0)


def entries(findings: Iterable[Finding], sheets: Sequence[str]) -> list[Entry]:
    """The lines of the list: errors first, then in the order of the sheets, rows and columns; alike ones together."""
    place = {name: n for n, name in enumerate(sheets)}

    def key(f: Finding) -> tuple[int, int, str, int, str, str]:
        letters, row = split_address(f.cell)
        at = place.get(f.sheet, len(place)) if f.sheet else -1
        return SEVERITIES.index(f.severity), at, f.sheet or "", row, letters.rjust(3), f.rule

    kinds: dict[tuple[str, str | None, str, str], list[Finding]] = {}
    alone: list[Entry] = []
    for finding in sorted(findings, key=key):
        if finding.cell:
            kind = (finding.severity, finding.sheet, split_address(finding.cell)[0], finding.rule)
            kinds.setdefault(kind, []).append(finding)
        else:
            alone.append(Entry((finding,)))
    for group in kinds.values():
        if len(group) >= _GROUPED_FROM:
            alone.append(Entry(tuple(group)))
        else:
            alone += [Entry((f,)) for f in group]
    return sorted(alone, key=lambda e: key(e.first))


def ranges(cells: Iterable[str | None]) -> list[str]:
    """``K14, K15, K16, K20`` -> ``K14:K16``, ``K20``; cells of one column."""
    spans: list[list[int]] = []
    letters = ""
    for column, row in sorted({split_address(c) for c in cells}):
        letters = column
        if spans and row == spans[-1][1] + 1:
            spans[-1][1] = row
        elif not spans or row != spans[-1][1]:
            spans.append([row, row])
    return [f"{letters}{a}" if a == b else f"{letters}{a}:{letters}{b}" for a, b in spans]


def sheet_xml(
    told: Told,
    sheets: Sequence[str],
    line_of: Callable[[str, int], str],
    styles: Styles,
    namespace: str,
    records: Sequence[tuple[str, str, str]],
) -> bytes:
    """The worksheet. ``line_of(sheet, row)`` names the line of a row; ``records``: sheet, cell and fill before marking,
    kept in hidden columns so that the marks can be taken off when the workbook comes back.
    """
    formats = _formats(styles, told.verdict)
    rows = _rows(told, sheets, line_of)
    body, merged, links = [], [], []
    header_row = next(n for n, row in enumerate(rows, 1) if row.cells and row.cells[0][2] == "head")
    for number in range(1, max(len(rows), len(records)) + 1):
        row = rows[number - 1] if number <= len(rows) else _Row([])
        cells = [_cell(column, number, value, formats[style]) for column, value, style in row.cells]
        if row.merged:
            merged.append(f"{letter(row.merged[0])}{number}:{letter(row.merged[1])}{number}")
        for column, target, sheet in row.links:
            location = xml.attribute(f"'{sheet.replace(chr(39), chr(39) * 2)}'!{target}")
            links.append(f'<hyperlink ref="{letter(column)}{number}" location="{location}"/>')
        if number <= len(records):
            cells += [
                _cell(_FIRST_RECORD + n, number, "#" + text, formats["record"])
                for n, text in enumerate(records[number - 1])
            ]
        body.append(f'<row r="{number}" ht="{row.height:g}" customHeight="1">{"".join(cells)}</row>')
    # A frozen head that fills the screen would hide the list.
    frozen = (
        f'<pane ySplit="{header_row}" topLeftCell="A{header_row + 1}" activePane="bottomLeft" state="frozen"/>'
        f'<selection pane="bottomLeft" activeCell="A{header_row + 1}" sqref="A{header_row + 1}"/>'
        if sum(row.height for row in rows[:header_row]) <= _TALLEST_HEAD
        else ""
    )
    widths = "".join(
        f'<col min="{n}" max="{n}" width="{width}" customWidth="1"/>' for n, (_, width) in enumerate(COLUMNS, 1)
    )
    hidden = f'<col min="{_FIRST_RECORD}" max="{_FIRST_RECORD + 2}" width="9" hidden="1" customWidth="1"/>'
    merges = "".join(f'<mergeCell ref="{m}"/>' for m in merged)
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
        f'<worksheet xmlns="{namespace}"><sheetPr><tabColor rgb="FFC00000"/><pageSetUpPr fitToPage="1"/></sheetPr>'
        '<sheetViews><sheetView showGridLines="0" tabSelected="1" workbookViewId="0">'
        f'{frozen}</sheetView></sheetViews><sheetFormatPr defaultRowHeight="15"/><cols>{widths}{hidden}</cols>'
        f"<sheetData>{''.join(body)}</sheetData>"
        + (f'<mergeCells count="{len(merged)}">{merges}</mergeCells>' if merged else "")
        + (f"<hyperlinks>{''.join(links)}</hyperlinks>" if links else "")
        + '<pageMargins left="0.4" right="0.4" top="0.5" bottom="0.5" header="0.3" footer="0.3"/>'
        '<pageSetup paperSize="9" orientation="landscape" fitToHeight="0"/>'
        '<headerFooter><oddFooter>&amp;R&amp;"Times New Roman,Regular"&amp;10Trang &amp;P/&amp;N</oddFooter>'
        "</headerFooter></worksheet>"
    ).encode()


def header_row_of(told: Told) -> int:
    return 1 + len(told.head) + 1 + len(told.notices) + 1


def _formats(styles: Styles, verdict: str) -> dict[str, int]:
    colour = {"accepted": "FFE2EFDA", "returned": COLOURS["error"], "refused": COLOURS["error"]}[verdict]
    cell = Format(size=11, border=True)
    wanted = {
        "title": Format(bold=True, size=15, wrap=False, down="center"),
        "verdict": Format(bold=True, size=13, fill=colour, down="center"),
        "text": Format(size=12),
        "notice": Format(bold=True, size=12, fill=COLOURS["warning"], down="center"),
        "closing": Format(size=12),
        "heading": Format(bold=True, size=12, wrap=False, down="center"),
        "head": Format(bold=True, size=11, fill="FFD9D9D9", border=True, across="center", down="center"),
        "number": Format(size=11, border=True, across="center", text=False),
        "cell": cell,
        "code": Format(size=10, colour="FF595959", border=True, across="center"),
        "link": Format(size=11, colour="FF0563C1", underline=True, border=True),
        "record": Format(size=8, wrap=False),
        **{f"section-{s}": Format(bold=True, size=12, fill=c, border=True, down="center") for s, c in COLOURS.items()},
    }
    return {name: styles.add(f) for name, f in wanted.items()}


def _rows(told: Told, sheets: Sequence[str], line_of: Callable[[str, int], str]) -> list[_Row]:
    last = len(COLUMNS)
    width = sum(w for _, w in COLUMNS)

    def wide(text: str, style: str, least: float = 18) -> _Row:
        filled = [(c, "", style) for c in range(2, last + 1)] if style in ("verdict", "notice") else []
        lines = sum(1 + int(len(part) / (width * 1.1)) for part in text.split("\n"))
        return _Row([(1, text, style), *filled], max(least, 17 * lines + 4), (1, last))

    rows = [wide(TITLE, "title", 26)]
    rows += [wide(text, "text") for text in told.head]
    rows.append(wide(f"{wording.VERDICTS[told.verdict]}: {wording.counted(told.findings)}.", "verdict", 26))
    rows += [wide(text, "notice", 24) for text in told.notices]
    rows.append(_Row([(n, title, "head") for n, (title, _) in enumerate(COLUMNS, 1)], 32))
    severity = ""
    by_severity = wording.counts(told.findings)
    for number, entry in enumerate(entries(told.findings, sheets), 1):
        if entry.first.severity != severity:
            severity = entry.first.severity
            title = f"{wording.SECTIONS[severity]} ({by_severity[severity]})"
            filled = [(c, "", f"section-{severity}") for c in range(2, last + 1)]
            rows.append(_Row([(1, title, f"section-{severity}"), *filled], 20, (1, last)))
        rows += _entry_rows(number, entry, told.period, sheets, line_of)
    if not told.findings:
        rows.append(_Row([(1, "Không có lỗi, cảnh báo nào.", "cell"), *((c, "", "cell") for c in range(2, last + 1))],
                         20, (1, last)))  # fmt: skip
    rows.append(_Row([], 10))
    rows.append(wide("Việc cần làm tiếp theo", "heading"))
    rows += [wide(text, "closing") for text in told.closing]
    return rows


def _entry_rows(
    number: int, entry: Entry, period: str, sheets: Sequence[str], line_of: Callable[[str, int], str]
) -> list[_Row]:
    first, count = entry.first, len(entry.findings)
    row_no = split_address(first.cell)[1]
    linked = first.sheet in sheets
    line = line_of(first.sheet or "", row_no) if row_no else ""
    message, values = first.message, [wording.found(first), wording.expected(first), wording.difference(first)]
    fix = "\n".join(part for part in (first.fix, wording.answered(first)) if part)
    pieces = [line]
    if count > 1:
        pieces = _pieces(ranges(f.cell for f in entry.findings))
        pieces[0] = f"{count} dòng cùng lỗi: ô {pieces[0]}"
        message = f"{count} dòng cùng lỗi; {line}: {first.message} (số liệu từng dòng: xem ghi chú tại ô)"
        values, fix = [""] * 3, first.fix
    when = "\n".join(part for part in (period, pieces[0]) if part)
    texts = [_place(first), when, message, fix, *values, first.rule]
    styles = ["link" if linked else "cell", *["cell"] * 6, "code"]
    row = _Row([(1, number, "number"), *((n, t, s) for n, (t, s) in enumerate(zip(texts, styles, strict=True), 2))])
    row.height = _height(texts)
    if linked:
        row.links.append((2, first.cell or "A1", first.sheet or ""))
    rows = [row]
    for piece in pieces[1:]:
        texts = [f"{first.sheet} (tiếp)", f"ô {piece}", "(các ô cùng lỗi, tiếp theo)", "", "", "", "", ""]
        cells: list[tuple[int, str | int, str]] = [(1, "", "cell"), *((n, t, "cell") for n, t in enumerate(texts, 2))]
        rows.append(_Row(cells, _height(texts)))
    return rows


def _place(first: Finding) -> str:
    """Where the link leads. Short: some programs do not wrap the text of a link."""
    if first.sheet is None:
        return _WHOLE_FILE
    return f"{first.sheet} · {'ô ' + first.cell if first.cell else 'cả trang'}"


def _pieces(spans: list[str]) -> list[str]:
    """The cells, in pieces that fit into the tallest row of a spreadsheet."""
    pieces: list[list[str]] = [[]]
    length = 0
    for span in spans:
        if length > _LONGEST_PLACE:
            pieces.append([])
            length = 0
        pieces[-1].append(span)
        length += len(span) + 2
    return [", ".join(piece) for piece in pieces]


def _height(texts: Sequence[str]) -> float:
    tallest = 1
    for text, (_, width) in zip(texts, COLUMNS[1:], strict=True):
        lines = sum(1 + int(len(part) / (width * 1.02)) for part in text.split("\n"))
        tallest = max(tallest, lines)
    return min(15.5 * tallest + 4, 409)


def letter(column: int) -> str:
    """1 -> ``A``."""
    return index_to_letters(column - 1)


def number_of(letters: str) -> int:
    """``A`` -> 1."""
    return letters_to_index(letters) + 1


def _cell(column: int, row: int, value: str | int, style: int) -> str:
    at = f'r="{letter(column)}{row}" s="{style}"'
    if value == "":
        return f"<c {at}/>"
    if isinstance(value, int):
        return f"<c {at}><v>{value}</v></c>"
    shown = value if len(value) <= _LONGEST_CELL else value[:_LONGEST_CELL] + "… (nội dung dài, đã rút gọn)"
    text = xml.cell_text(wording.harmless(shown))
    return f'<c {at} t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'
