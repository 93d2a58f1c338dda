"""What the documents say against the figures that they are made of (CK39, CK40).

Every passage is read again as a person would: a number in a sentence and the cell of the table that it quotes, the
word before a difference, digits that come from nowhere, communes without a report, totals without coverage.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from etl import money
from etl.period import Period
from etl.publish.checks.completeness import COVERAGE, rows_of, states
from etl.publish.figure import Figure, FigureSet
from etl.publish.model import Chart, Document, Heading, Kpis, Paragraph, Section, Span, Spans, Table, joined
from etl.publish.tables import NOT_REPORTED
from etl.publish.text import NOTHING, UNSIGNED, direction, show

_TRIEU = ("trieu", "trieu_signed", "trieu_fine", "trieu_fine_signed", "trieu_text", "trieu_abs")
_SCALE = {**dict.fromkeys(("ty", "ty_abs"), money.VND_PER_TY), **dict.fromkeys(_TRIEU, money.VND_PER_TRIEU)}
_TEXTS = ("text", "date")
_NUMBER = re.compile(r"[+-]?\d{1,3}(?:\.\d{3})*(?:,\d+)?")
_DIGITS = re.compile(r"\d[\d.,/]*")
# Wording of the templates that holds digits: what 0 % and 100 % mean, numbers of tables and headings; then dates and
# numbers of legal documents, which are names and not quantities.
_FIXED = re.compile(
    r"\(0 ?%\)|100 ?%|Bảng \d+|Biểu [IVX]+\.\d+|^\d+(?:\.\d+)*\. "
    r"|\b\d{1,2}/\d{1,2}/\d{4}\b|\bT\d{1,2}/\d{4}\b|\b\d+/(?:\d{4}/)?[A-ZĐ]{2,}(?:-[A-ZĐ]+)*"
)
_PERIODS = ("period", "next_period", "previous_period", "period_short")
_AS_ZERO = re.compile(r"\(0 ?%\)|\b0,00 ?%|chưa giải ngân")
_ZERO = re.compile(r"0(?:,0+)?(?: ?%)?")
_RESULTS = ("mart.disbursement_rate", "mart.commune_rank", "mart.disbursement_change")
"""Figures that a commune without a report cannot have."""
_TOTALS = ("mart.disbursement_rate", "mart.output_indicator", "mart.proposal_count")
"""Figures that are added up from the communes' reports unless they are one commune's."""


@dataclass(frozen=True)
class _Passage:
    """A stretch of a document that is read on its own: a sentence, a cell, a line above a table, a heading."""

    document: str
    place: str
    spans: Spans
    in_table: bool = False
    is_number: bool = False


def rows(figures: FigureSet, documents: Sequence[Document], charts: Sequence[Chart] = ()) -> list[dict[str, Any]]:
    """Control rows of suite ``publication``: one for each span that carries a figure, most of them with nothing to say,
    and one for each other fault."""
    passages = [passage for document in documents for passage in _passages(document)]
    passages += [passage for chart in charts for passage in _of_chart("Trang biểu đồ", chart)]
    cells = _cells(passages)
    own_words = _own_words(figures)
    result: list[dict[str, Any]] = []
    for passage in passages:
        where = {"document": passage.document, "place": passage.place}
        before = ""
        for span in passage.spans:
            if span.figure is not None:
                result.append({**where, **_quoted(figures, span, span.figure, before, passage, cells)})
            before = span.text
        if not passage.is_number:
            result += [{**where, **found} for found in _loose(passage.spans, own_words)]
    missing = figures.values("not_reporting", "commune")
    for document in documents:
        result += _as_zero(figures, document, missing)
        result += _uncovered(figures, document)
    return result


def _passages(document: Document) -> Iterator[_Passage]:
    name = document.kind_title.capitalize()
    for line in document.title:
        yield _Passage(name, "tiêu đề", (Span(line),))
    yield _Passage(name, "dòng dưới tiêu đề", document.subtitle)
    for section in document.sections:
        heading, number = section.annex or "phần đầu", 0
        for block in section.blocks:
            if isinstance(block, Heading):
                heading, number = f"mục “{block.text}”", 0
                yield _Passage(name, heading, (Span(block.text),))
            elif isinstance(block, Paragraph):
                number += 1
                yield _Passage(name, f"{heading}, đoạn {number}", block.spans)
            elif isinstance(block, Table):
                yield from _of_table(name, block)
            elif isinstance(block, Chart):
                yield from _of_chart(name, block)
            elif isinstance(block, Kpis):
                for box in block.boxes:
                    yield _Passage(name, f"ô “{box.label}”", (Span(box.label),))
                    yield _Passage(name, f"ô “{box.label}”", (*box.value, Span(" "), *box.note))


def _called(table: Table) -> str:
    return table.caption or table.title or table.name


def _of_table(document: str, table: Table) -> Iterator[_Passage]:
    called = _called(table)
    yield _Passage(document, called, (Span(called),))
    yield _Passage(document, f"{called}, dòng đơn vị tính", table.unit)
    for column in table.columns:
        yield _Passage(document, f"{called}, tên cột", (Span(column.title), Span(" "), Span(column.group)))
    counted = table.columns[0].title == "TT"
    for number, row in enumerate(table.all_rows(), 1):
        for index, cell in enumerate(row.cells):
            is_number = counted and index == 0 and joined(cell).isdigit()
            title = table.columns[index].title
            yield _Passage(document, f"{called}, dòng {number}, cột “{title}”", cell, True, is_number)


def _of_chart(document: str, chart: Chart) -> Iterator[_Passage]:
    """Caption and alternative text hold what the chart draws as plain words: its quotations stand beside them."""
    place = f"biểu đồ “{chart.caption}”"
    yield _Passage(document, place, chart.quoted)
    drawn = [str(row[key]) for row in chart.spec["data"]["values"] for key in ("label", "name") if key in row]
    text = "; ".join((chart.caption, chart.alt, *drawn))
    for quotation in sorted({span.text for span in chart.quoted}, key=len, reverse=True):
        text = re.sub(rf"(?<![\d.,/]){re.escape(quotation)}(?![\d/])(?![.,]\d)", "", text)
    yield _Passage(document, place, (Span(text),))


# Quotations -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Reading:
    """What a printed number says: any value from ``least`` to ``most``, in the figure's own unit."""

    text: str
    least: Decimal
    most: Decimal

    def may_equal(self, other: _Reading) -> bool:
        return self.least <= other.most and other.least <= self.most


def _read(text: str) -> tuple[Decimal, int] | None:
    """(number, its decimals) of a text in Vietnamese notation; None where it is no number."""
    if not _NUMBER.fullmatch(text):
        return None
    plain = text.replace(".", "").replace(",", ".")
    return Decimal(plain), len(plain.partition(".")[2])


def _reading(span: Span) -> _Reading | None:
    found = _read(span.text)
    if found is None or span.figure is None or span.figure.unit in _TEXTS:
        return None
    number, decimals = found
    scale, half = _SCALE.get(span.style, Decimal(1)), Decimal(5).scaleb(-decimals - 1)
    if span.style in UNSIGNED and (span.figure.value or 0) < 0:
        number = -number
    return _Reading(span.text, (number - half) * scale, (number + half) * scale)


def _cells(passages: Iterable[_Passage]) -> dict[str, list[tuple[str, _Reading]]]:
    """Figure key -> each table cell that is this figure alone: (place, reading)."""
    found: dict[str, list[tuple[str, _Reading]]] = {}
    for passage in passages:
        if passage.in_table and len(passage.spans) == 1 and passage.spans[0].figure is not None:
            reading = _reading(passage.spans[0])
            if reading:
                found.setdefault(passage.spans[0].figure.key, []).append((passage.place, reading))
    return found


def _quoted(
    figures: FigureSet,
    span: Span,
    figure: Figure,
    before: str,
    passage: _Passage,
    cells: dict[str, list[tuple[str, _Reading]]],
) -> dict[str, Any]:
    row: dict[str, Any] = {"text": span.text, "figure": figure.key}
    own = figures.find(figure.metric, **dict(figure.dims))
    if own != figure:
        return row | {"foreign": show(own).text if own else "không có"}
    right = _right_text(span, figure)
    if right is not None:
        return row | {"misquoted": right}
    reading = _reading(span)
    if reading and not passage.in_table:
        for place, cell in cells.get(figure.key, ()):
            if not reading.may_equal(cell):
                return row | {"unlike_table": f"{place} ghi “{cell.text}”"}
    if span.style in UNSIGNED and figure.value and direction(before) != (1 if figure.value > 0 else -1):
        return row | {"wrong_way": "tăng" if figure.value > 0 else "giảm"}
    return row


def _right_text(span: Span, figure: Figure) -> str | None:
    """What should stand there; None when the text is right.

    Numbers are worked out here once more and not only shown again: value over unit, rounded half-up to the decimals
    that the text has.
    """
    if span.style == "dimension":
        names = [value for _, value in figure.dims]
        names += [Period.parse(value).vi for name, value in figure.dims if name == "period"]
        return None if span.text in names else " / ".join(names)
    shown = show(figure, span.style).text
    if figure.unit in _TEXTS or shown == NOTHING:
        return None if _same_words(span.text, shown) else shown
    found = _read(span.text)
    if found is None or span.text != shown or figure.value is None:
        return shown
    number, decimals = found
    value = figure.value / _SCALE.get(span.style, Decimal(1))
    if span.style in UNSIGNED:
        value = abs(value)
    rounded = value.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
    return None if number == rounded else money.group_vi(rounded, decimals)


def _same_words(text: str, full: str) -> bool:
    """The text of a figure, perhaps cut between words, perhaps with another case at its head."""
    if not text:
        return full == NOTHING
    head, body = text[:1].lower(), text[1:]
    whole = full[:1].lower() + full[1:]
    return head + body == whole or (text.endswith("…") and whole.startswith(head + body[:-1]))


# Digits from nowhere --------------------------------------------------------------------------------------------------


def _loose(spans: Spans, own_words: re.Pattern[str]) -> list[dict[str, Any]]:
    """Digits between the figures that are neither fixed wording, nor a date, nor a document's number."""
    return [
        {"text": span.text, "loose": digits}
        for span in spans
        if span.figure is None
        for digits in _DIGITS.findall(_FIXED.sub("", own_words.sub("", span.text)))
    ]


def _own_words(figures: FigureSet) -> re.Pattern[str]:
    """Names of the month, its neighbours and the budget year, which headings spell out in their own case, and of the
    states by which counts are split: a workbook may bring a state of its own wording."""
    names = {figures.get(name).text or "" for name in _PERIODS}
    names |= {f"năm {figures.budget_year}", f"năm ngân sách {figures.budget_year}"}
    names |= {state for figure in figures if (state := figure.dim("state")) and any(c.isdigit() for c in state)}
    ordered = sorted(names, key=lambda name: (-len(name), name))
    return re.compile("|".join(rf"(?<!\w){re.escape(name)}(?!\w)" for name in ordered), re.IGNORECASE)


# Communes without a report, totals without coverage -------------------------------------------------------------------


def _as_zero(figures: FigureSet, document: Document, missing: Sequence[str]) -> Iterator[dict[str, Any]]:
    name = document.kind_title.capitalize()
    for commune in missing:
        who = {
            "commune_code": commune,
            "commune_vi": show(figures.get("name", commune=commune)).text,
            "document": name,
        }
        for block in document.blocks():
            if isinstance(block, Table):
                for row in rows_of(block, commune):
                    text = _number_of(commune, row.cells)
                    if block.of_communes and (row.role != "missing" or joined(row.cells[-1]) != NOT_REPORTED):
                        text = text or joined(row.cells[-1])
                    if text:
                        yield {**who, "place": _called(block), "as_zero": text}
            elif isinstance(block, Paragraph) and _names(block.spans, commune):
                text = _number_of(commune, (block.spans,)) or "".join(_AS_ZERO.findall(joined(block.spans))[:1])
                if text:
                    yield {**who, "place": "đoạn văn", "as_zero": text}


def _names(spans: Spans, commune: str) -> bool:
    return any(span.figure is not None and span.figure.key == f"name/commune={commune}" for span in spans)


def _number_of(commune: str, cells: Sequence[Spans]) -> str:
    """A result of the commune, or a bare zero, in a row or sentence that names it; empty when there is none."""
    for cell in cells:
        for span in cell:
            figure = span.figure
            if figure is None:
                if _ZERO.fullmatch(span.text.strip()):
                    return span.text
            elif figure.dim("commune") == commune and (
                figure.source in _RESULTS or (figure.unit in ("vnd", "pct") and figure.value == 0)
            ):
                return span.text
    return ""


def _uncovered(figures: FigureSet, document: Document) -> Iterator[dict[str, Any]]:
    """Totals over communes: covered on the figure, and said in the unit line or in a sentence of the section."""
    name = document.kind_title.capitalize()
    for section in document.sections:
        told = _section_states_coverage(section)
        for block in section.blocks:
            place = _called(block) if isinstance(block, Table) else section.annex or "phần lời"
            covered = states(block, COVERAGE) if isinstance(block, Table) else told
            for span in _spans(block):
                fault = _fault_of_coverage(figures, span.figure, covered) if span.figure else ""
                if fault and span.figure:
                    yield {
                        "document": name, "place": place, "text": span.text, "figure": span.figure.key,
                        "uncovered": fault,
                    }  # fmt: skip


def _fault_of_coverage(figures: FigureSet, figure: Figure, covered: bool) -> str:
    """What a total lacks; empty when it lacks nothing or is no total. The rate of an earlier month has its own."""
    if figure.source not in _TOTALS or figure.unit in _TEXTS or figure.dim("commune") or "_communes" in figure.metric:
        return ""
    if figure.coverage_n is None or figure.coverage_of is None:
        return "không kèm số xã, phường đã tổng hợp"
    n, of = (int(figures.get(name).value or 0) for name in ("communes_reported", "communes_expected"))
    exact = figure.source == "mart.disbursement_rate"
    right = figure.coverage_n == n if exact else figure.coverage_n <= n
    if figure.dim("period") is None and not (right and figure.coverage_of == of):
        return f"ghi tổng hợp từ {figure.coverage_n}/{figure.coverage_of} xã, phường, bản tổng hợp có {n}/{of}"
    return "" if covered else "đứng ở nơi không nêu số xã, phường đã tổng hợp"


def _section_states_coverage(section: Section) -> bool:
    return any(states(block, COVERAGE) for block in section.blocks if isinstance(block, Paragraph))


def _spans(block: object) -> Iterator[Span]:
    if isinstance(block, Paragraph):
        yield from block.spans
    elif isinstance(block, Table):
        for row in block.all_rows():
            for cell in row.cells:
                yield from cell
    elif isinstance(block, Kpis):
        for box in block.boxes:
            yield from (*box.value, *box.note)
    elif isinstance(block, Chart):
        yield from block.quoted
