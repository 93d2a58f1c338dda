"""Tools with which a defect is put into a workbook: into its content before writing, or into the written
cells.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from xml.sax.saxutils import escape

from etl.collect import template, workbook
from etl.collect.workbook import DisbursementLine, Value, WorkbookContent
from etl.reference.forms import FormVersion
from etl.sample.budget import MILLION

CellXml = Callable[[str, str], str]
"""(opening attributes with reference and style, old cell) -> new cell, as SpreadsheetML."""

_PLAN_NSTW, _PLAN_NSDP = ("plan_nstw", "carry_nstw"), ("plan_nst", "plan_nsx", "carry_nsdp")


@dataclass(frozen=True)
class Expected:
    """A finding that a checker must make; ``cell`` is empty where the whole sheet or file is meant."""

    rule: str
    severity: str
    sheet: str = ""
    cell: str = ""


@dataclass(frozen=True)
class Spoiled:
    """A report with a defect: ``cells`` change after writing, ``whole`` makes other bytes of the file."""

    content: WorkbookContent
    layout: FormVersion
    findings: tuple[Expected, ...]
    cells: Mapping[tuple[str, str], CellXml] = field(default_factory=dict)
    whole: Callable[[bytes], bytes] | None = None
    refused: bool = False

    @property
    def verdict(self) -> str:
        """``refused`` is never opened further; one error returns the workbook; warnings let it pass."""
        if self.refused:
            return "refused"
        return "returned" if any(f.severity == "error" for f in self.findings) else "accepted"

    def render(self) -> bytes:
        buffer = io.BytesIO()
        template.write_layout(buffer, self.content, self.layout)
        data = buffer.getvalue()
        if self.cells:
            order = [s.name for s in self.layout.sheets]
            data = patch(data, {(order.index(s) + 1, ref): xml for (s, ref), xml in self.cells.items()})
        return self.whole(data) if self.whole else data


def patch(data: bytes, cells: Mapping[tuple[int, str], CellXml]) -> bytes:
    """The workbook with some cells replaced, everything else byte for byte; (sheet number, reference) -> new
    cell.

    Working on the file keeps the calculated values of all other formulas, which a spreadsheet library would
    drop. Raises KeyError when a cell is not there.
    """
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as source,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for item in source.infolist():
            text = source.read(item)
            for (number, ref), xml in cells.items():
                if item.filename == f"xl/worksheets/sheet{number}.xml":
                    text = _replaced(text.decode(), ref, xml).encode()
            target.writestr(item, text)
    return out.getvalue()


def _replaced(sheet: str, ref: str, xml: CellXml) -> str:
    match = re.search(rf'<c (r="{ref}"[^>]*?)(?:/>|>.*?</c>)', sheet)
    if not match:
        raise KeyError(ref)
    attributes = re.sub(r'\s+t="[^"]*"', "", match[1])
    return sheet[: match.start()] + xml(attributes, match[0]) + sheet[match.end() :]


def text_cell(text: str) -> CellXml:
    return lambda attributes, _: f'<c {attributes} t="inlineStr"><is><t>{escape(text)}</t></is></c>'


def number_cell(text: str) -> CellXml:
    return lambda attributes, _: f"<c {attributes}><v>{text}</v></c>"


def error_cell(code: str) -> CellXml:
    return lambda attributes, _: f'<c {attributes} t="e"><v>{code}</v></c>'


def uncalculated_cell(formula: str) -> CellXml:
    """A formula without the value that it gave, as some programs store it."""
    return lambda attributes, _: f"<c {attributes}><f>{escape(formula)}</f></c>"


def ref(content: WorkbookContent, layout: FormVersion, form: str, code: str, key: str) -> tuple[str, str]:
    """(sheet name, cell) of a column in the row of a code; the empty code is the total row."""
    found = next(p for p in workbook.plan(content, layout) if p.sheet.form == form)
    return found.sheet.name, found.ref(code, key)


def amount(values: Mapping[str, Value], *keys: str) -> int:
    return sum(v for k in keys if isinstance(v := values.get(k), int))


def with_line(content: WorkbookContent, line: DisbursementLine, **changes: Value) -> WorkbookContent:
    """The content with some values of that line changed."""
    changed = replace(line, values={**line.values, **changes})
    lines = (changed if x.line_code == line.line_code else x for x in content.lines)
    return replace(content, lines=tuple(lines))


def sound_line(
    content: WorkbookContent, avoid: frozenset[str] = frozenset()
) -> tuple[WorkbookContent, DisbursementLine]:
    """The content with one line on which no rule says a word, and that line: 50 to 90 % disbursed, nothing to
    explain.

    The largest fitting line is taken; where all are slow, one is brought to 60 % of every source.
    """
    usable = [
        x
        for x in content.lines
        if x.project_code not in avoid
        and "Điều chỉnh" not in str(x.values.get("note"))
        and amount(x.values, *_PLAN_NSDP) >= 10 * MILLION
        and _percent(x) <= 90
    ]
    usable.sort(key=lambda x: (_percent(x) >= 50 and not x.values.get("note"), _plan(x)), reverse=True)
    line = usable[0]
    if _percent(line) >= 50 and not line.values.get("note"):
        return content, line
    nstw, nsdp = (amount(line.values, *keys) * 6 // 10 // 1000 * 1000 for keys in (_PLAN_NSTW, _PLAN_NSDP))
    content = with_line(
        content,
        line,
        disb_nstw=nstw,
        disb_nsdp=nsdp,
        disb_completed=nstw + nsdp,
        disb_advance=0,
        disb_carry=amount(line.values, "carry_nstw", "carry_nsdp") * 6 // 10 // 1000 * 1000,
        accepted_volume=nstw + nsdp,
        forecast=_plan(line),
        note=None,
    )
    return content, next(x for x in content.lines if x.line_code == line.line_code)


def paid_line(content: WorkbookContent) -> tuple[WorkbookContent, DisbursementLine]:
    """The content and its largest line on which something was paid, figures untouched: the months still hang together.

    Where nothing was paid anywhere, a sound line.
    """
    line = busiest_line(content)
    return (content, line) if paid(line) >= MILLION and 1 <= _percent(line) <= 90 else sound_line(content)


def busiest_line(content: WorkbookContent) -> DisbursementLine:
    """The largest line on which something was paid; where nothing was paid anywhere, the largest of all."""
    return max(content.lines, key=lambda line: (paid(line) >= MILLION and 1 <= _percent(line) <= 90, _plan(line)))


def paid(line: DisbursementLine) -> int:
    return amount(line.values, "disb_nstw", "disb_nsdp")


def room(line: DisbursementLine) -> int:
    """Local money of the plan that is not disbursed."""
    return amount(line.values, *_PLAN_NSDP) - amount(line.values, "disb_nsdp")


def central_plan(line: DisbursementLine) -> int:
    return amount(line.values, *_PLAN_NSTW)


def _plan(line: DisbursementLine) -> int:
    return amount(line.values, *_PLAN_NSTW, *_PLAN_NSDP)


def _percent(line: DisbursementLine) -> int:
    return paid(line) * 100 // _plan(line)
