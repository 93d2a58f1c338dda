"""For every figure the query that gives its value as it was published, to paste into psql (role tiendo_analyst).

Nothing of it is stored: a figure's source, metric and dimensions say which mart it was read from (``query_sources``),
and the release says as of when. A figure without a query fails the tests, but for configuration.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache, partial

from etl.period import Period
from etl.publish.commune_figures import OWN_SLICE
from etl.publish.figure import Figure
from etl.publish.figures import SLICES
from etl.publish.query_sources import METRICS, SOURCES, Query

CONFIGURATION = "report.yml"
"""The one source that is no mart: what the province has set for its documents."""
_PLACE = re.compile(r"\{(\w+)(?:\.(\w+))?\}")


@dataclass(frozen=True)
class Frozen:
    """What a query takes of a release: its name, month, budget year, day and moment."""

    release_id: str
    period: Period
    budget_year: int
    as_of: date
    known_at: datetime

    def places(self) -> dict[str, str]:
        """Place -> SQL literal."""
        return {
            "release": _quoted(self.release_id),
            "month": _quoted(str(self.period)),
            "previous": _quoted(str(self.period.previous)),
            "year": str(self.budget_year),
            "as_of": _quoted(self.as_of.isoformat()),
            "first": _quoted(self.as_of.replace(day=1).isoformat()),
            "known_at": _quoted(self.known_at.astimezone(UTC).isoformat(sep=" ")),
        }


def of(figure: Figure, frozen: Frozen) -> Query | None:
    """The query of one figure; None where there is none: configuration."""
    query = _of_kind(figure.metric, figure.source, _names(figure), frozen)
    return query and _each(query, partial(_filled, places=_values(figure)))


def text(figure: Figure, frozen: Frozen) -> str | None:
    """``of(figure, frozen).text``, put together faster: there are thousands of figures."""
    open_text = template(figure, frozen)
    return open_text and _filled(open_text, _values(figure))


def template(figure: Figure, frozen: Frozen) -> str | None:
    """The text with the places of the dimensions left open: one for all figures of a metric and kind of place."""
    query = _of_kind(figure.metric, figure.source, _names(figure), frozen)
    return query.text if query else None


def _names(figure: Figure) -> tuple[str, ...]:
    return tuple(name for name, _ in figure.dims)


@lru_cache(maxsize=2000)
def _of_kind(metric: str, source: str, names: tuple[str, ...], frozen: Frozen) -> Query | None:
    """The query of a metric and kind of place in a release."""
    found = METRICS.get(metric) or SOURCES.get(source)
    query = found and found.query(metric, names)
    if not query:
        return None
    made_of = next((slice_ for slice_, of in {**SLICES, **OWN_SLICE}.items() if set(of) == set(names)), "")
    return _each(query, partial(_filled, places={"slice": _quoted(made_of), **frozen.places()}))


def _each(query: Query, change: Callable[[str], str]) -> Query:
    return Query(change(query.column), change(query.table), tuple(map(change, query.conditions)), change(query.tail))


def _filled(text: str, places: Mapping[str, str]) -> str:
    return _PLACE.sub(lambda match: places.get(match[0][1:-1], match[0]), text)


def _values(figure: Figure) -> dict[str, str]:
    places: dict[str, str] = {}
    for name, value in figure.dims:
        base, _, number = value.partition("#")
        before = str(int(number) - 1) if number.isdigit() else "0"
        places |= {name: _quoted(value), f"{name}.base": _quoted(base), f"{name}.before": before}
    return places


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
