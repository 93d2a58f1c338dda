"""A public test kit: workbooks as communes send them, with what a checker must say about each. See README.md."""

from __future__ import annotations

from tests.corpus import checks, dates, files, formulas, layout, numbers, retyped, texts  # noqa: F401 - they register classes
from tests.corpus.draft import DEFECTS, items_of
from tests.corpus.hostile import hostile
from tests.corpus.item import Checker, Expected, Found, Hostile, Item, Made, Outcome
from tests.corpus.sound import valid

__all__ = [
    "Checker",
    "Expected",
    "Found",
    "Hostile",
    "Item",
    "Made",
    "Outcome",
    "classes",
    "hostile",
    "items",
    "valid",
]


def classes() -> list[str]:
    """Names of all classes of defects, in alphabetical order."""
    return sorted(DEFECTS)


def items(only: str = "") -> list[Item]:
    """Ten variations of every class of defects; ``only`` takes the classes whose name contains it."""
    return [item for name in classes() if only in name for item in items_of(name)]
