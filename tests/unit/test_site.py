"""What the archive site says of numbers, months and colours; no server."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from etl.period import Period
from etl.publish import pack
from etl.publish.figure import Figure, FigureSet
from etl.publish.site import chart, headline, words
from etl.publish.site.rendering import Pages


def test_a_number_is_shown_whole_in_vietnamese_notation() -> None:
    cases = {
        ("vnd", "682516606781"): "682.516,606781 triệu đồng", ("vnd", "-1000000"): "-1 triệu đồng",
        ("pct", "39.1"): "39,10 %", ("pct_points", "11.52"): "+11,52 điểm %", ("count", "1200"): "1.200",
        ("quantity", "12.50"): "12,5 km", ("days", "3"): "3 ngày",
    }  # fmt: skip
    for (unit, number), shown in cases.items():
        assert words.value(Figure("m", unit, "s", value=Decimal(number)), "km") == shown
    assert words.value(Figure("m", "date", "s", text="2026-01-05")) == "05/01/2026"
    assert words.value(Figure("m", "pct", "s")) == "–"


def test_the_chart_shows_which_months_can_be_compared() -> None:
    whole, half = headline.of(figures_with(65)), headline.of(figures_with(30))
    drawn = chart.draw(2025, [(Period(2025, 9), whole), (Period(2025, 10), whole), (Period(2025, 12), half)])
    assert drawn is not None
    assert [p.complete for p in drawn.points] == [True, True, False]
    assert [comparable for _, _, comparable in drawn.segments] == [True, False]
    assert [name for _, name in drawn.months] == ["T9/2025", "T10/2025", "T11/2025", "T12/2025"]
    assert "T12/2025: 25,00 % (30/65 xã, phường)" in drawn.alt
    assert chart.draw(2025, [(Period(2025, 9), whole)]) is None


def figures_with(reported: int) -> FigureSet:
    figures = (
        Figure("rate_total", "pct", "m", value=Decimal("25")),
        Figure("communes_reported", "count", "m", value=Decimal(str(reported))),
        Figure("communes_expected", "count", "m", value=Decimal("65")),
    )
    return FigureSet("x", Period(2025, 9), 2025, datetime(2025, 10, 1, tzinfo=UTC), figures)


def test_a_release_that_lacks_figures_still_has_a_headline() -> None:
    head = headline.of(replace(figures_with(1), figures=()))
    assert (head.rate_vi, head.missing_vi, head.overdue_vi, head.sentences) == ("–", "–", "–", ())


def contrast(one: str, other: str) -> float:
    def light(colour: str) -> float:
        digits = colour[1:] if len(colour) == 7 else "".join(2 * c for c in colour[1:])
        parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
        r, g, b = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    high, low = sorted((light(one), light(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_colours_are_those_of_the_summary_and_can_be_told_apart() -> None:
    style = Pages.text("trang.css")
    summary = (Path(pack.__file__).parent / "templates" / "page.html.j2").read_text(encoding="utf-8")
    for mode in re.findall(r":root \{ (?:color-scheme[^;]*; )?(--ink[^}]*)\}", style)[:2]:
        assert mode in summary
        colours = dict(re.findall(r"--(\w+): (#\w+)", mode))
        for ink in ("ink", "soft", "accent", "alert"):
            for paper in ("paper", "shade"):
                assert contrast(colours[ink], colours[paper]) >= 4.5, (ink, paper)
        assert contrast(colours["ink"], colours["warn"]) >= 4.5
