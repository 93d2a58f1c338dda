"""The committee's pack: all documents of a release as bytes, made from its figures, and the page of their sources;
beside them the message and a letter for each commune."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

from etl.publish import (
    brief,
    charts,
    docx_writer,
    html_writer,
    letter,
    message,
    overview,
    pdf_writer,
    report,
    sources_writer,
    xlsx_writer,
)
from etl.publish.figure import FigureSet
from etl.publish.model import Document


@dataclass(frozen=True)
class Documents:
    """What a pack says, before it is laid out. ``extra`` stands on the page with charts only."""

    page: Document
    full: Document
    extra: Document
    letters: tuple[Document, ...]


def build(figures: FigureSet, *, letters: bool = True) -> Documents:
    """The documents of a release, from its figures alone."""
    of_communes = tuple(letter.build(figures)) if letters else ()
    return Documents(brief.build(figures), report.build(figures), overview.build(figures), of_communes)


def render(
    figures: FigureSet, documents: Documents | None = None, evidence: Mapping[str, Any] | None = None
) -> dict[str, bytes]:
    """File name -> content. The same figures and evidence give the same bytes, on every machine and day.

    ``documents``: those of the figures, unless given. ``evidence`` (``evidence.load``): without it there is no page of
    sources and no link to it. The chart renderer starts slowly and works outside Python: it
    runs beside the documents that need no chart.
    """
    documents = documents or build(figures)
    page, full, extra = documents.page, documents.full, documents.extra
    files: dict[str, bytes] = {}
    with ThreadPoolExecutor(1) as beside:
        drawn = beside.submit(lambda: [charts.svg(chart) for chart in (*full.charts(), *extra.charts())])
        files[message.name(figures)] = message.render(figures)
        files |= letters_of(figures, documents.letters)
        files[f"bang-bieu-{figures.period}.xlsx"] = xlsx_writer.render(figures, [page, full, extra])
        files |= _paper(figures, page)
        drawn.result()
    files |= _paper(figures, full)
    if evidence is not None:
        files[sources_writer.name(figures)] = sources_writer.render(figures, evidence)
    link = None if evidence is None else partial(sources_writer.link, figures)
    files[f"tong-hop-{figures.period}.html"] = html_writer.render(figures, page, full, extra, link)
    return files


def letters_of(figures: FigureSet, letters: Iterable[Document]) -> dict[str, bytes]:
    """File name -> content of the letters."""
    return {f"{document.name}.pdf": pdf_writer.render(document, figures.known_at) for document in letters}


def _paper(figures: FigureSet, document: Document) -> dict[str, bytes]:
    fill = pdf_writer.fill(document) if document.kind == "brief" else 0
    return {
        f"{document.name}.docx": docx_writer.render(document, figures.known_at, fill),
        f"{document.name}.pdf": pdf_writer.render(document, figures.known_at),
    }
