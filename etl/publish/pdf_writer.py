"""A document as PDF by typst, with the package's fonts only; the same bytes for the same document."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from etl.publish import charts, typesetting
from etl.publish.docx_table import recipients
from etl.publish.docx_writer import CLOSING
from etl.publish.model import Block, Chart, Document, Heading, Paragraph, Spans, Table, announces
from etl.publish.text import unbroken

TEMPLATE = Path(__file__).parent / "templates" / "document.typ"


def render(document: Document, known_at: datetime) -> bytes:
    """The document as PDF bytes; ``known_at`` is its only date."""
    return typesetting.pdf(TEMPLATE, _data(document), int(known_at.timestamp()))


def fill(brief: Document) -> float:
    """How much of its one page the brief takes before it is made smaller: 1 is all of it."""
    return typesetting.number(TEMPLATE, _data(brief), "<fill>")


def _data(document: Document) -> str:
    head = document.letterhead
    data = {
        "kind": document.kind,
        "kind_title": document.kind_title,
        "title": document.title,
        "subtitle": _spans(document.subtitle),
        "letterhead": {
            "parent_body": head.parent_body,
            "issuer": head.issuer,
            "name": head.name_vi,
            "symbol": head.symbol,
            "place": head.place,
            "year": head.year.text,
            "addressees": [name for name in head.addressees if name],
            "authority": head.authority,
            "signer": head.signer,
        },
        "recipients": recipients(head),
        "closing": CLOSING,
        "sections": [
            {
                "landscape": section.landscape,
                "annex": section.annex,
                "title": section.title,
                "kept": section.kept_with_signature,
                "blocks": [_block(block) for block in section.blocks],
            }
            for section in document.sections
        ],
    }
    return json.dumps(data, ensure_ascii=False)


def _spans(spans: Spans) -> list[dict[str, Any]]:
    return [{"text": s.text, "bold": s.bold, "italic": s.italic} for s in spans]


def _block(block: Block) -> dict[str, Any]:
    if isinstance(block, Heading):
        return {"type": "heading", "text": block.text, "level": block.level}
    if isinstance(block, Paragraph):
        return {
            "type": "paragraph",
            "style": block.style,
            "spans": _spans(unbroken(block.spans)),
            "announces": announces(block),
        }
    if isinstance(block, Table):
        return _table(block)
    if isinstance(block, Chart):
        return {
            "type": "chart",
            "caption": block.caption,
            "alt": block.alt,
            "svg": charts.svg(block),
            "width_mm": block.width_mm,
        }
    return {
        "type": "strip",
        "boxes": [{"label": b.label, "value": _spans(b.value), "note": _spans(b.note)} for b in block.boxes],
    }


def _run_starts(table: Table) -> list[int]:
    """For the first row of each run how many rows it keeps together; 0 for the others."""
    return [number for run in table.runs() for number in (run, *[0] * (run - 1))]


def _table(table: Table) -> dict[str, Any]:
    return {
        "type": "table",
        "caption": table.caption,
        "unit": _spans(unbroken(table.unit)),
        "numbered": table.numbered,
        "small": table.small,
        "has_groups": table.has_groups,
        "groups": [{"name": name, "first": first, "count": count} for name, first, count in table.groups()],
        "columns": [{"title": c.title, "width": c.width, "align": c.align, "group": c.group} for c in table.columns],
        "rows": [
            {"role": row.role, "merged": row.merged, "cells": [_spans(cell) for cell in row.cells], "run": run}
            for row, run in zip(table.rows, _run_starts(table), strict=True)
        ],
    }
