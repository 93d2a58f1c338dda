"""The pack as one self-contained page: no request leaves it, charts are inline SVG, every number carries its id."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from etl import clock
from etl.publish import charts
from etl.publish.figure import FigureSet
from etl.publish.model import Chart, Document, Span

_TEMPLATES = Path(__file__).parent / "templates"


def render(figures: FigureSet, brief: Document, report: Document, ranking: Chart) -> bytes:
    """UTF-8 HTML of the brief, the chart of communes, the report and its annexes."""

    def identity(span: Span) -> str:
        return figures.figure_id(span.figure) if span.figure else ""

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(id=identity, value=_value, svg=_svg)
    page = environment.get_template("page.html.j2").render(
        title=" ".join(brief.title),
        brief=brief,
        report=report,
        ranking=ranking,
        figures=figures,
        frozen=clock.show(figures.known_at),
    )
    return page.encode("utf-8")


def _value(span: Span) -> str:
    """The exact value for machines: đồng, per cent, days, or the text."""
    figure = span.figure
    if figure is None:
        return ""
    return str(figure.value) if figure.value is not None else figure.text or ""


def _svg(chart: Chart) -> Markup:
    # The renderer escapes the text of labels itself.
    return Markup(charts.svg_inline(chart))  # noqa: S704
