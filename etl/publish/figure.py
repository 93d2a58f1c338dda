"""A published figure: one number or text of the report, with its identity, and the look-up over a release's figures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING

from etl.errors import ReleaseError
from etl.period import Period

if TYPE_CHECKING:
    from etl.publish.words import Words

# Dimensions in the order in which they appear in a figure's id.
DIMENSIONS = (
    "programme", "project", "subproject", "capital_kind", "commune", "source", "agency", "task", "indicator",
    "proposal", "directive", "state", "rank", "period", "rule", "item",
)  # fmt: skip
Dims = tuple[tuple[str, str], ...]


def dims(values: Mapping[str, object]) -> Dims:
    """Dimensions that are given, in the order of DIMENSIONS."""
    return tuple((name, str(values[name])) for name in DIMENSIONS if values.get(name) is not None)


@dataclass(frozen=True)
class Figure:
    """One row of ``release.figure``.

    ``value`` is in ``unit``: vnd (whole đồng), pct, pct_points, count, days, quantity; text and date (ISO) are in
    ``text``. Both are None when there is nothing to show (a rate whose denominator is 0). A rate carries numerator
    and denominator; a total carries its coverage. ``source`` is the mart that it was read from.
    """

    metric: str
    unit: str
    source: str
    dims: Dims = ()
    value: Decimal | None = None
    text: str | None = None
    numerator: Decimal | None = None
    denominator: Decimal | None = None
    coverage_n: int | None = None
    coverage_of: int | None = None
    coverage_plan_pct: Decimal | None = None

    @property
    def key(self) -> str:
        """Identity within a release: ``rate_total/commune=06517``."""
        joined = ",".join(f"{name}={value}" for name, value in self.dims)
        return f"{self.metric}/{joined}" if joined else self.metric

    def dim(self, name: str) -> str | None:
        return dict(self.dims).get(name)

    @property
    def date(self) -> date:
        if self.unit != "date" or self.text is None:
            raise ReleaseError(f"Số liệu {self.key} không phải là ngày.")
        return date.fromisoformat(self.text)


def _package_words() -> Words:
    """The program's own sentences. Words are made of figures, so they are imported when both are there."""
    from etl.publish import words

    return words.package()


@dataclass(frozen=True)
class FigureSet:
    """The figures of one release and the words for them: all that the documents are made from."""

    release_id: str
    period: Period
    budget_year: int
    known_at: datetime
    figures: tuple[Figure, ...]
    words: Words = field(default_factory=_package_words, repr=False)

    @property
    def opens_year(self) -> bool:
        """The first month of its budget year: there is no month before to compare with."""
        return self.period.month == 1 and self.period.year == self.budget_year

    @property
    def closes_year(self) -> bool:
        """A month after the budget year, while its disbursement goes on (in January two budget years are open)."""
        return self.period.year > self.budget_year

    @cached_property
    def _by_key(self) -> dict[str, Figure]:
        return {figure.key: figure for figure in self.figures}

    @cached_property
    def _by_metric(self) -> dict[str, list[Figure]]:
        groups: dict[str, list[Figure]] = {}
        for figure in self.figures:
            groups.setdefault(figure.metric, []).append(figure)
        return groups

    def __iter__(self) -> Iterator[Figure]:
        return iter(self.figures)

    def find(self, metric: str, **by: object) -> Figure | None:
        return self._by_key.get(Figure(metric, "", "", dims(by)).key)

    def get(self, metric: str, **by: object) -> Figure:
        """The figure; raises ReleaseError when the release does not hold it."""
        figure = self.find(metric, **by)
        if figure is None:
            raise ReleaseError(f"Bản {self.release_id} không có số liệu {Figure(metric, '', '', dims(by)).key}.")
        return figure

    def having(self, metric: str, *names: str) -> list[Figure]:
        """Figures of a metric with exactly these dimensions, in the stored order."""
        wanted = set(names)
        return [f for f in self._by_metric.get(metric, ()) if {n for n, _ in f.dims} == wanted]

    def known(self, metric: str, **by: object) -> Figure | None:
        """The figure when it has a number; None for one that was not reported or has nothing to divide by."""
        figure = self.find(metric, **by)
        return figure if figure is not None and figure.value is not None else None

    def values(self, metric: str, name: str, **fixed: object) -> list[str]:
        """Values of dimension ``name`` among the figures of ``metric`` whose other dimensions are ``fixed``."""
        other = {k: str(v) for k, v in fixed.items()}
        found = (dict(f.dims) for f in self.having(metric, name, *fixed))
        return [d[name] for d in found if all(d[k] == v for k, v in other.items())]

    def figure_id(self, figure: Figure) -> str:
        return f"{self.release_id}/{figure.key}"


def ordered(figures: Iterable[Figure]) -> tuple[Figure, ...]:
    """By key: the canonical order, independent of the order of queries and rows."""
    return tuple(sorted(figures, key=lambda f: f.key))
