"""The rate over the months of a budget year as a small inline SVG in the colours of the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from etl.period import Period
from etl.publish.site import words
from etl.publish.site.headline import Headline

HEIGHT, LEFT, RIGHT, TOP, BOTTOM, INSET = 200, 46, 12, 28, 34, 34
_NARROW, _MONTH, _FEW = 460, 62, 6
"""Width for a few months, which fits a telephone, and of each month where there are more."""
_LINES = (0, 25, 50, 75, 100)


@dataclass(frozen=True)
class Point:
    """One month. ``label``: its rate; a month in which communes are missing is drawn hollow."""

    x: Decimal
    y: Decimal
    label: str
    month: str
    complete: bool


@dataclass(frozen=True)
class Chart:
    """Coordinates and texts; the template draws them. ``alt`` says the same in words."""

    budget_year: int
    points: tuple[Point, ...]
    months: tuple[tuple[Decimal, str], ...]
    lines: tuple[tuple[Decimal, int], ...]
    top: Decimal
    alt: str
    width: int
    height: int = HEIGHT
    left: int = LEFT

    @property
    def right(self) -> int:
        return self.width - RIGHT

    @property
    def is_wide(self) -> bool:
        return self.width > _NARROW

    @property
    def segments(self) -> list[tuple[Point, Point, bool]]:
        """Neighbouring points and whether both cover all communes: others cannot be compared and are dashed."""
        pairs = zip(self.points, self.points[1:], strict=False)
        return [(a, b, a.complete and b.complete) for a, b in pairs]

    @property
    def has_gaps(self) -> bool:
        return not all(point.complete for point in self.points)


def draw(budget_year: int, months: Sequence[tuple[Period, Headline]]) -> Chart | None:
    """``months``: the latest release of each period. None with fewer than two rates: a point is no course."""
    held = [(period, head) for period, head in sorted(months, key=lambda m: m[0]) if _rate(head) is not None]
    if len(held) < 2:
        return None
    first, last = held[0][0], held[-1][0]
    span = max(_distance(first, last), 1)
    width = _NARROW if span < _FEW else LEFT + RIGHT + _MONTH * (span + 1)
    highest = max(Decimal(100), max(_rate(head) or Decimal(0) for _, head in held))

    def x(period: Period) -> Decimal:
        return _tenths(LEFT + INSET + Decimal(_distance(first, period)) / span * (width - LEFT - RIGHT - 2 * INSET))

    def y(rate: Decimal) -> Decimal:
        return _tenths(HEIGHT - BOTTOM - rate / highest * (HEIGHT - TOP - BOTTOM))

    points = tuple(
        Point(x(period), y(_rate(head) or Decimal(0)), words.value(head.rate), _month(period), head.is_complete)
        for period, head in held
    )
    told = [
        f"{_month(period)}: {words.value(head.rate)}" + ("" if head.is_complete else f" ({head.coverage_vi})")
        for period, head in held
    ]
    every = [first]
    while every[-1] != last:
        every.append(every[-1].next)
    return Chart(
        budget_year,
        points,
        tuple((x(period), _month(period)) for period in every),
        tuple((y(Decimal(line)), line) for line in _LINES),
        y(highest),
        f"Tỷ lệ giải ngân lũy kế theo tháng, năm ngân sách {budget_year}. {'; '.join(told)}.",
        width,
    )


def _rate(head: Headline) -> Decimal | None:
    return head.rate.value if head.rate else None


def _distance(first: Period, other: Period) -> int:
    return (other.year - first.year) * 12 + other.month - first.month


def _month(period: Period) -> str:
    return f"T{period.month}/{period.year}"


def _tenths(number: Decimal) -> Decimal:
    return round(number, 1)
