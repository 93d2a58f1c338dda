"""The few figures of a release that stand on the first page, in the feed and in the chart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from etl.errors import ReleaseError
from etl.publish import sentences, standing, text
from etl.publish.figure import Figure, FigureSet
from etl.publish.model import joined
from etl.publish.site import words

_OVERDUE = {"state": "Đang thực hiện quá hạn"}


@dataclass(frozen=True)
class Headline:
    """``reported``/``expected``: communes that the totals cover. ``provisional`` of all ``figures`` are not final.
    ``sentences``: the headline in prose."""

    rate: Figure | None
    previous: Figure | None
    change: Figure | None
    disbursed: Figure | None
    plan: Figure | None
    reported: int | None
    expected: int | None
    covered_pct: Decimal | None
    overdue: Figure | None
    tasks: Figure | None
    provisional: int
    figures: int
    sentences: tuple[str, ...]
    issuer: str
    province: str

    @property
    def missing(self) -> int | None:
        return None if self.reported is None or self.expected is None else self.expected - self.reported

    @property
    def is_complete(self) -> bool:
        return self.missing == 0

    @property
    def rate_vi(self) -> str:
        return words.value(self.rate)

    @property
    def change_vi(self) -> str:
        return words.value(self.change)

    @property
    def previous_vi(self) -> str:
        return words.value(self.previous)

    @property
    def disbursed_vi(self) -> str:
        return f"{text.show(self.disbursed, 'ty').text} tỷ đồng" if self.disbursed else text.NOTHING

    @property
    def plan_vi(self) -> str:
        return f"{text.show(self.plan, 'ty').text} tỷ đồng" if self.plan else text.NOTHING

    @property
    def overdue_vi(self) -> str:
        """A register without overdue tasks has 0 of them; without any register there is nothing to say."""
        if self.overdue:
            return words.value(self.overdue)
        return "0" if self.tasks else text.NOTHING

    @property
    def missing_vi(self) -> str:
        return text.NOTHING if self.missing is None else str(self.missing)

    @property
    def reported_vi(self) -> str:
        """``65/65``: communes that the totals cover (law 7)."""
        return text.NOTHING if self.missing is None else f"{self.reported}/{self.expected}"

    @property
    def coverage_vi(self) -> str:
        return f"{self.reported_vi} xã, phường"

    def as_lines(self) -> Mapping[str, str]:
        return {
            "Tỷ lệ giải ngân": self.rate_vi,
            "So với tháng trước": self.change_vi,
            "Lũy kế giải ngân": self.disbursed_vi,
            "Đã báo cáo": self.coverage_vi,
            "Nhiệm vụ quá hạn": self.overdue_vi,
        }


def of(figures: FigureSet) -> Headline:
    """Copes with a release that lacks a figure: an earlier version of the program may have made it."""
    reported, expected = figures.find("communes_reported"), figures.find("communes_expected")
    covered = figures.find("plan_covered_pct")
    return Headline(
        rate=figures.find("rate_total"),
        previous=figures.find("rate_previous"),
        change=figures.find("rate_change_points"),
        disbursed=figures.find("disb_ytd"),
        plan=figures.find("plan_total"),
        reported=_whole(reported),
        expected=_whole(expected),
        covered_pct=covered.value if covered else None,
        overdue=figures.find("tasks", **_OVERDUE),
        tasks=figures.find("tasks"),
        provisional=len(standing.provisional(figures, figures.period)),
        figures=len(figures.figures),
        sentences=_sentences(figures),
        issuer=_letterhead(figures, "issuer"),
        province=_letterhead(figures, "province"),
    )


def _whole(figure: Figure | None) -> int | None:
    return None if figure is None or figure.value is None else int(figure.value)


def _sentences(figures: FigureSet) -> tuple[str, ...]:
    try:
        return (joined(sentences.disbursed(figures)), joined(sentences.coverage(figures)))
    except ReleaseError:
        return ()


def _letterhead(figures: FigureSet, item: str) -> str:
    found = figures.find("letterhead", item=item)
    return text.clean(found.text) if found and found.text else ""
