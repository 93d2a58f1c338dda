"""The pack as one self-contained page: no request leaves it, charts are inline SVG.

Every number carries its id and leads to its entry on the page of sources.
"""

from __future__ import annotations

from collections.abc import Callable

from markupsafe import Markup

from etl import clock
from etl.publish import charts, pages
from etl.publish.figure import Figure, FigureSet
from etl.publish.model import Chart, Document, Span, Spans
from etl.publish.text import unbroken


def render(
    figures: FigureSet,
    brief: Document,
    report: Document,
    extra: Document,
    link: Callable[[Figure], str] | None = None,
) -> bytes:
    """UTF-8 HTML of the brief, the charts of communes and tasks, the report and its annexes.

    ``link``: where the entry of a figure is.
    """

    def identity(span: Span) -> str:
        return figures.figure_id(span.figure) if span.figure else ""

    def address(span: Span) -> str:
        return link(span.figure) if link and span.figure else ""

    environment = pages.environment()
    environment.globals.update(
        id=identity, value=_value, svg=_svg, address=address, shade=shade, unbroken=unbroken
    )  # fmt: skip
    page = environment.get_template("page.html.j2").render(
        title=" ".join(brief.title),
        brief=brief,
        report=report,
        extra=extra,
        figures=figures,
        frozen=clock.show(figures.known_at),
        linked=link is not None,
    )
    return page.encode("utf-8")


def _value(span: Span) -> str:
    """The exact value for machines: đồng, per cent, days, or the text."""
    figure = span.figure
    if figure is None:
        return ""
    return str(figure.value) if figure.value is not None else figure.text or ""


def shade(spans: Spans) -> str:
    """Class of a cell by its rate, in steps of a quarter; 0 apart, nothing for a blank."""
    value = next((span.figure.value for span in spans if span.figure), None)
    if value is None:
        return ""
    return "h0" if value <= 0 else f"h{min(int(value // 25) + 1, 4)}"


def _svg(chart: Chart) -> Markup:
    # The renderer escapes the text of labels itself.
    return Markup(charts.svg_inline(chart))  # noqa: S704
