"""The committee's pack: all documents of a release as bytes, made from its figures alone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from etl.publish import brief, charts, docx_writer, html_writer, pdf_writer, report, tables, xlsx_writer
from etl.publish.figure import FigureSet
from etl.publish.model import Chart, Document


@dataclass(frozen=True)
class Documents:
    """What a pack says, before it is laid out. ``ranking`` stands on the page with charts only."""

    page: Document
    full: Document
    ranking: Chart


def build(figures: FigureSet) -> Documents:
    """The documents of a release, from its figures alone."""
    return Documents(brief.build(figures), report.build(figures), charts.by_commune(figures, tables.by_rank(figures)))


def render(figures: FigureSet, documents: Documents | None = None) -> dict[str, bytes]:
    """File name -> content. The same figures give the same bytes, on every machine and day.

    ``documents``: those of the figures, unless given. The chart renderer starts slowly and works outside Python: it
    runs beside the documents that need no chart.
    """
    documents = documents or build(figures)
    page, full, ranking = documents.page, documents.full, documents.ranking
    files: dict[str, bytes] = {}
    with ThreadPoolExecutor(1) as beside:
        drawn = beside.submit(lambda: [charts.svg(chart) for chart in (*full.charts(), ranking)])
        files[f"bang-bieu-{figures.period}.xlsx"] = xlsx_writer.render(figures, [page, full])
        files |= _paper(figures, page)
        drawn.result()
    files |= _paper(figures, full)
    files[f"tong-hop-{figures.period}.html"] = html_writer.render(figures, page, full, ranking)
    return files


def _paper(figures: FigureSet, document: Document) -> dict[str, bytes]:
    return {
        f"{document.name}.docx": docx_writer.render(document, figures.known_at),
        f"{document.name}.pdf": pdf_writer.render(document, figures.known_at),
    }
