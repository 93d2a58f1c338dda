"""What the home page lists: budget years, their periods, the releases of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from etl.publish.site import chart
from etl.publish.site.chart import Chart
from etl.publish.site.headline import Headline
from etl.publish.site.records import Published


@dataclass(frozen=True)
class Line:
    release: Published
    head: Headline


@dataclass(frozen=True)
class Month:
    """``latest`` speaks for the period; ``replaced`` are the releases before it, the newest first."""

    latest: Line
    replaced: tuple[Line, ...]


@dataclass(frozen=True)
class Year:
    budget_year: int
    months: tuple[Month, ...]
    chart: Chart | None


def years(releases: Sequence[Published], heads: Mapping[str, Headline]) -> tuple[Year, ...]:
    """Budget years and their periods, the newest first."""
    found: dict[int, dict[str, list[Published]]] = {}
    for release in releases:
        found.setdefault(release.budget_year, {}).setdefault(str(release.period), []).append(release)
    return tuple(_year(year, found[year], heads) for year in sorted(found, reverse=True))


def _year(budget_year: int, periods: Mapping[str, Sequence[Published]], heads: Mapping[str, Headline]) -> Year:
    months = []
    for period in sorted(periods, reverse=True):
        lines = [Line(r, heads[r.release_id]) for r in sorted(periods[period], key=lambda r: -r.release_no)]
        months.append(Month(lines[0], tuple(lines[1:])))
    latest = [(month.latest.release.period, month.latest.head) for month in months]
    return Year(budget_year, tuple(months), chart.draw(budget_year, latest))
