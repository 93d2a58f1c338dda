"""What changed between a release and the published one before it: a figure, its value before, its value after."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from etl.publish.figure import Figure, FigureSet
from etl.publish.site import words

MAIN = (
    "rate_total", "rate_assigned", "rate_carry", "plan_total", "plan_assigned", "plan_carry", "disb_ytd",
    "disb_assigned", "disb_carry", "undisbursed", "communes_reported", "communes_not_reporting", "communes_at_zero",
    "tasks", "proposals",
)  # fmt: skip
"""What is held against the month before: nearly every figure of another month differs."""
_BY_PROGRAMME = ("rate_total", "disb_ytd", "plan_total")
_NOT_TOLD = {"letterhead", "name_short", "sort_no"}
SHOWN = 400
"""Rows that stand on the page; the figures themselves are all on the pages of figures."""


@dataclass(frozen=True)
class Change:
    """``key`` leads to the figure where the release still has it."""

    name: str
    place: str
    before: str
    after: str
    key: str | None


@dataclass(frozen=True)
class Changes:
    """``total``: how many figures differ; ``main`` those of the province and its programmes, ``others`` the rest."""

    before_id: str
    total: int
    main: tuple[Change, ...]
    others: tuple[Change, ...]

    @property
    def left_out(self) -> int:
        return self.total - len(self.main) - len(self.others)


def of_correction(figures: FigureSet, before: FigureSet) -> Changes:
    """Every figure that differs from the release that this one replaces (``etl.publish.changes`` has the causes)."""
    return _told(figures, before, lambda f: f.metric not in _NOT_TOLD)


def of_month(figures: FigureSet, before: FigureSet) -> Changes:
    """The main figures against the release of the month before; of each commune its rate."""

    def is_compared(figure: Figure) -> bool:
        places = _places(figure)
        if places == {"commune"}:
            return figure.metric == "rate_total"
        return figure.metric in (_BY_PROGRAMME if places else MAIN) and _is_main(figure)

    return _told(figures, before, is_compared)


def _told(figures: FigureSet, before: FigureSet, is_compared: Callable[[Figure], bool]) -> Changes:
    old, new = ({f.key: f for f in one if is_compared(f)} for one in (before, figures))
    differing = [k for k in old.keys() | new.keys() if _content(old.get(k)) != _content(new.get(k))]
    told = sorted((new[k] if k in new else old[k] for k in differing), key=_rank)
    names, former = words.Names(figures), words.Names(before)
    rows = [
        (_is_main(f), Change(
            words.metric(f.metric), (names if f.key in new else former).place(f),
            words.value(old.get(f.key)), words.value(new.get(f.key)), f.key if f.key in new else None,
        ))
        for f in told
    ]  # fmt: skip
    main = tuple(change for is_main, change in rows if is_main)
    others = tuple(change for is_main, change in rows if not is_main)
    return Changes(before.release_id, len(rows), main, others[: max(0, SHOWN - len(main))])


def _places(figure: Figure) -> set[str]:
    return {name for name, _ in figure.dims}


def _is_main(figure: Figure) -> bool:
    return figure.metric in MAIN and _places(figure) in ({"programme"}, set())


def _rank(figure: Figure) -> tuple[int, tuple[int, str], str]:
    """The province first, then its programmes, then communes, then what is finer; each in the order of a reader."""
    places = _places(figure)
    level = 0 if not places else 1 if places == {"programme"} else 2 if places == {"commune"} else 2 + len(places)
    return (level, words.metric_order(figure.metric), figure.key)


def _content(figure: Figure | None) -> tuple[object, object] | None:
    return (figure.value, figure.text) if figure else None
