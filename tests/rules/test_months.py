"""Whole years of sample reports: sound ones are left alone, and what is planted in them is found."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache

import pytest

from etl.period import Period
from etl.validate import catalogue
from etl.validate.finding import Finding
from tests.rules import kit
from tests.rules.planting import ALONE, PLANTERS, Plot
from tests.rules.registry import as_text, as_told
from tests.rules.scene import COMMUNE, Scene, Told

COMMUNES = kit.simulation().commune_codes
MOST_WARNED = 0.02
"""Share of the lines of a sound year that may carry a warning."""


@dataclass
class Year:
    """``warned``: cells with a warning; ``by_rule``: findings by (id, severity)."""

    lines: int = 0
    warned: int = 0
    by_rule: Counter[tuple[str, str]] = field(default_factory=Counter)
    errors: list[tuple[str, str, Finding]] = field(default_factory=list)

    def __str__(self) -> str:
        told = ", ".join(f"{id} ({severity}) {count}" for (id, severity), count in self.by_rule.most_common())
        return f"{self.lines:,} lines, {self.warned} cells with a warning = {self.warned / self.lines:.3%}: {told}"


def judged_year(months: tuple[tuple[Period, int], ...]) -> Year:
    year = Year()
    for period, budget_year in months:
        reports, knowledge = kit.month(COMMUNES, period, budget_year)
        year.lines += sum(sum(report.line_counts.values()) for report in reports)
        for commune, found in zip(COMMUNES, kit.judged_together(reports, knowledge), strict=True):
            year.by_rule.update((f.id, f.severity) for f in found)
            year.warned += len({(f.sheet, f.cell) for f in found if f.severity == "warning"})
            year.errors += [(commune, str(period), f) for f in found if f.severity == "error"]
    return year


@pytest.mark.slow
@pytest.mark.parametrize("months", [kit.YEAR_2026, kit.FIRST_MONTHS], ids=["2026", "2025-07 to 2026-01"])
def test_a_sound_year_of_all_communes_has_no_error_and_hardly_a_warning(months: tuple[tuple[Period, int], ...]) -> None:
    year = judged_year(months)
    print(year)
    assert year.errors == []
    assert year.warned <= MOST_WARNED * year.lines, str(year)


# --- planted defects -------------------------------------------------------------------------------------------------

PLANTED_IN = ((Period(2025, 10), 2025), (Period(2025, 12), 2025), (Period(2026, 1), 2026))
_CHANGES_WHAT_WAS_SAID = {"M47-unchanged", "CK14-recovery", "CK26", "M51", "M51-asked"}
"""These move rows, or take away what the report is held against: planted where nothing was said before."""


@dataclass
class Field:
    """One report with what was planted in it; ``expected`` holds what is said about the sound report as well."""

    scene: Scene
    planted: list[str]
    expected: list[Told]
    found: list[Finding] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"{self.scene.content.commune.code} {self.scene.content.period} {'+'.join(self.planted)}"

    @property
    def missed(self) -> list[Told]:
        told = [as_told(one) for one in self.found]
        return [one for one in map(as_text, self.expected) if one not in told]

    @property
    def beyond(self) -> list[Told]:
        expected = [as_text(one) for one in self.expected]
        return [one for one in map(as_told, self.found) if one not in expected]


def with_tasks(made: Scene, when: tuple[Period, int]) -> Scene:
    """The register has tasks of one commune only; here every commune is asked for them."""
    like = kit.content(COMMUNE, *when)
    made.content = replace(made.content, tasks=like.tasks, nothing_to_report=made.content.nothing_to_report - {"B03"})
    made.knows(tasks_before=kit.known_before(COMMUNE, *when).tasks_before)
    return made


@cache
def fields() -> tuple[Field, ...]:
    """One or two defects in each report of three months, every rule in its turn; judged in one batch for each month."""
    turns = _turns(random.Random(77))
    result: list[Field] = []
    for when in PLANTED_IN:
        scenes = [with_tasks(Scene(kit.content(c, *when), kit.known_before(c, *when)), when) for c in COMMUNES]
        sound = kit.judged_together([s.report for s in scenes], [s.known for s in scenes])
        for s in scenes:
            s.forget()
        month = [_planted(s, before, turns) for s, before in zip(scenes, sound, strict=True)]
        for one, found in zip(
            month,
            kit.judged_together([one.scene.report for one in month], [one.scene.known for one in month]),
            strict=True,
        ):
            one.found = found
        result += month
    return tuple(result)


def _turns(rng: random.Random) -> list[str]:
    """Rules of the roadmap first: it is sent in the first of the three months only."""
    waiting = sorted(PLANTERS)
    rng.shuffle(waiting)
    return sorted(waiting, key=lambda id: not (id.endswith("b05") or id.startswith("LT")))


def _planted(s: Scene, before: list[Finding], turns: list[str]) -> Field:
    """The next rules whose turn it is and that find a place; who got one waits longest for the next."""
    code, period = s.content.commune.code, s.content.period
    one = Field(s, [], [as_told(finding) for finding in before])
    rng = random.Random(f"planted:{code}:{period}")
    plot = Plot(s, rng, {"-".join(str(f.line).split("-")[:-1]) for f in before if f.line})
    for id in list(turns):
        if (one.planted and id in ALONE) or (before and id in _CHANGES_WHAT_WAS_SAID):
            continue
        undo = (s.content, s.known, dict(s.typed), dict(s.codes), set(plot.taken))
        told = PLANTERS[id](plot)
        if told is None:
            s.content, s.known, s.typed, s.codes, plot.taken = undo
            continue
        turns.remove(id)
        turns.append(id)
        one.planted.append(id)
        one.expected += [replace(each, id=id) for each in (told if isinstance(told, list) else [told])]
        if len(one.planted) == 2 or id in ALONE or id.startswith(("CK28", "CK29")):
            break  # a statement agrees with the report as it stands: what comes later would change that
    return one


def of_rule(id: str) -> Iterator[Field]:
    return (one for one in fields() if id in one.planted)


PLANTED = sorted({rule.id for rule in catalogue.every_rule() if rule.state == "on"})


@pytest.mark.slow
@pytest.mark.parametrize("id", PLANTED)
def test_what_is_planted_is_found_at_its_cell_and_nothing_else(id: str) -> None:
    assert id in PLANTERS, f"{id}: nothing plants it (tests/rules/planting.py)"
    planted = list(of_rule(id))
    assert planted, f"{id}: no report of the three months has a place for it"
    missed = {one.name: one.missed for one in planted if one.missed}
    assert missed == {}
    assert {one.name: one.beyond for one in planted if one.beyond} == {}


@pytest.mark.slow
def test_most_reports_have_two_defects_and_every_rule_several() -> None:
    assert sum(len(one.planted) for one in fields()) > 1.4 * len(fields())
    counted = Counter(id for one in fields() for id in one.planted)
    by_count: dict[int, list[str]] = defaultdict(list)
    for id in PLANTERS:
        by_count[counted[id]].append(id)
    assert min(by_count) >= 2, dict(by_count)
