"""What a rule would have found in past months, and how much of that was corrected later.

Every report of the period is read again from its archived original and judged by today's catalogue, with what was known
when it came. A problem counts as corrected when a later version that was in force does not have it any more: one that
was returned, or the line of an error that was let pass, may only have kept the rule from speaking.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from etl.validate.finding import Finding

Key = tuple[str, str | None, str | None, str | None]


@dataclass(frozen=True)
class Judged:
    """One version of one commune's report, with today's findings on it. ``counted``: it was in force at some time."""

    commune_code: str
    period: str
    budget_year: int
    submission_id: int
    known_at: datetime
    findings: Sequence[Finding]
    counted: bool = True


@dataclass(frozen=True)
class Hit:
    """A problem that the rule would have found. ``outcome``: corrected or stood."""

    period: str
    budget_year: int
    commune_code: str
    submission_id: int
    finding: Finding
    outcome: str

    def as_json(self) -> dict[str, object]:
        own = {
            "period": self.period, "budget_year": self.budget_year, "commune": self.commune_code,
            "submission": self.submission_id, "outcome": self.outcome, "expectation": self.finding.id,
            "line": self.finding.line,
        }  # fmt: skip
        return own | self.finding.as_json()


def hits(judged: Iterable[Judged], rule: str) -> list[Hit]:
    """Problems of the rule (by rule id or expectation id), each once, with what became of it; in order of place.

    ``judged``: versions that were known at the same time in the order in which they supersede each other.
    """
    versions: dict[tuple[str, int, str], list[Judged]] = {}
    for one in judged:
        versions.setdefault((one.period, one.budget_year, one.commune_code), []).append(one)
    found: list[Hit] = []
    for (period, year, commune), reports in sorted(versions.items()):
        reports.sort(key=lambda one: one.known_at)
        keys = [{_key(f): f for f in one.findings if rule in (f.rule, f.id)} for one in reports]
        seen: dict[Key, tuple[int, Finding]] = {}
        for number, of_version in enumerate(keys):
            seen |= {key: (number, finding) for key, finding in of_version.items()}
        for number, finding in seen.values():
            corrected = any(_could_tell(later, finding) for later in reports[number + 1 :])
            outcome = "corrected" if corrected else "stood"
            found.append(Hit(period, year, commune, reports[number].submission_id, finding, outcome))
    return found


def _could_tell(later: Judged, finding: Finding) -> bool:
    """Whether the version's silence about the problem means that it is gone."""
    masked = any(
        other.severity == "error"
        and other.form is not None
        and (other.form, other.line) == (finding.form, finding.line)
        for other in later.findings
    )
    return later.counted and not masked


def _key(finding: Finding) -> Key:
    return finding.id, finding.form, finding.line, finding.item


def totals(found: Sequence[Hit]) -> list[dict[str, object]]:
    """By period and budget year: problems, communes, corrected, stood."""
    groups: dict[tuple[str, int], list[Hit]] = {}
    for hit in found:
        groups.setdefault((hit.period, hit.budget_year), []).append(hit)
    return [
        {
            "period": period,
            "budget_year": year,
            "found": len(of_period),
            "communes": len({hit.commune_code for hit in of_period}),
            "corrected": sum(hit.outcome == "corrected" for hit in of_period),
            "stood": sum(hit.outcome == "stood" for hit in of_period),
        }
        for (period, year), of_period in sorted(groups.items())
    ]
