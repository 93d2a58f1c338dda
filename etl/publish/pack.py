"""The committee's pack: all documents of a release as bytes, made from its figures alone."""

from __future__ import annotations

from etl.publish import brief, docx_writer, html_writer, pdf_writer, report, xlsx_writer
from etl.publish.figure import FigureSet


def render(figures: FigureSet) -> dict[str, bytes]:
    """File name -> content. The same figures give the same bytes, on every machine and day."""
    page, full = brief.build(figures), report.build(figures)
    files = {}
    for document in (page, full):
        files[f"{document.name}.docx"] = docx_writer.render(document, figures.known_at)
        files[f"{document.name}.pdf"] = pdf_writer.render(document, figures.known_at)
    files[f"bang-bieu-{figures.period}.xlsx"] = xlsx_writer.render(figures, [page, full])
    files[f"tong-hop-{figures.period}.html"] = html_writer.render(figures, page, full)
    return files
