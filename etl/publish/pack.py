"""The committee's pack: all documents of a release as bytes, made from its figures alone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from etl.publish import brief, charts, docx_writer, html_writer, pdf_writer, report, tables, xlsx_writer
from etl.publish.figure import FigureSet
from etl.publish.model import Document


def render(figures: FigureSet) -> dict[str, bytes]:
    """File name -> content. The same figures give the same bytes, on every machine and day.

    The chart renderer starts slowly and works outside Python: it runs beside the documents that need no chart.
    """
    page, full = brief.build(figures), report.build(figures)
    ranking = charts.by_commune(figures, tables.by_rank(figures))
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
