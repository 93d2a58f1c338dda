"""For each rule a report that just breaks it and one that just does not.

    @triggers("CK16-b01")
    def _(s: Scene) -> Told:
        s.type_over(...)                     # one defect in a sound report
        return s.error("B01", LINE, "disb_period", value=..., expected=..., difference=...)

    @just_not("CK16-b01")
    def _(s: Scene) -> None:
        s.type_over(...)                     # as far as it may go

``at`` and ``of`` choose the month and the commune of the scene.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

from etl.period import Period
from etl.validate.finding import Finding
from tests.rules import kit
from tests.rules.scene import COMMUNE, DECEMBER, Scene, Told, scene

Change = Callable[[Scene], Told | list[Told] | None]


@dataclass(frozen=True)
class Case:
    """One report. ``number`` counts those of the same rule and kind."""

    id: str
    kind: str
    number: int
    change: Change
    when: tuple[Period, int]
    commune: str

    @property
    def name(self) -> str:
        return f"{self.id}/{self.kind}/{self.number}"


CASES: list[Case] = []


def triggers(id: str, *, at: tuple[Period, int] = DECEMBER, of: str = COMMUNE) -> Callable[[Change], Change]:
    """The change makes a sound report break the rule ``id``; it returns what must be said, and nothing else may be."""
    return _registered(id, "triggers", at, of)


def just_not(id: str, *, at: tuple[Period, int] = DECEMBER, of: str = COMMUNE) -> Callable[[Change], Change]:
    """The change goes to the very bound of the rule ``id``: nothing at all may be said."""
    return _registered(id, "just-not", at, of)


def _registered(id: str, kind: str, when: tuple[Period, int], commune: str) -> Callable[[Change], Change]:
    def register(change: Change) -> Change:
        number = 1 + sum(case.id == id and case.kind == kind for case in CASES)
        CASES.append(Case(id, kind, number, change, when, commune))
        return change

    return register


def ids(kind: str) -> set[str]:
    return {case.id for case in CASES if case.kind == kind}


@dataclass(frozen=True)
class Outcome:
    expected: list[Told]
    found: list[Finding]


@cache
def outcomes() -> dict[str, Outcome | Exception]:
    """Of every case, by name. All are judged in one batch: what Great Expectations costs is then paid once.

    A case that cannot be built stops only itself.
    """
    built: dict[str, tuple[Scene, list[Told]]] = {}
    result: dict[str, Outcome | Exception] = {}
    for case in CASES:
        try:
            made = scene(case.when, case.commune)
            told = case.change(made)
            made.report  # noqa: B018 - a scene that cannot be made fails here
            expected = [told] if isinstance(told, Told) else told or []
            built[case.name] = (made, [one if one.id else replace(one, id=case.id) for one in expected])
        except Exception as error:  # it is raised again where the case is tested
            result[case.name] = error
    scenes = [made for made, _ in built.values()]
    judged = kit.judged_together([made.report for made in scenes], [made.known for made in scenes])
    for (name, (_, expected)), found in zip(built.items(), judged, strict=True):
        result[name] = Outcome(expected, found)
    return result


def outcome(case: Case) -> Outcome:
    found = outcomes()[case.name]
    if isinstance(found, Exception):
        raise found
    return found


def as_told(finding: Finding) -> Told:
    """The finding as a test states it."""
    form = next((s.form for s in kit.LAYOUT.sheets if s.name == finding.sheet), finding.sheet or "")
    return Told(finding.id, finding.severity, form, finding.cell, finding.value, finding.expected, finding.difference)


def as_text(told: Told) -> Told:
    """With its figures as texts, as a finding has them."""
    value, expected, difference = (
        None if figure is None else str(figure) for figure in (told.value, told.expected, told.difference)
    )
    return replace(told, value=value, expected=expected, difference=difference)
