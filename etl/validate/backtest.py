"""What a rule would have found in past months, and how much of that was corrected later.

Every report of the period is read again from its archived original and judged by today's catalogue, with what was known
when it came. A problem counts as corrected when the commune's next version of that report does not have it any more.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from etl.validate.finding import Finding

Key = tuple[str, str | None, str | None, str | None]


@dataclass(frozen=True)
class Judged:
    """One version of one commune's report, with today's findings on it."""

    commune_code: str
    period: str
    budget_year: int
    submission_id: int
    known_at: datetime
    findings: Sequence[Finding]


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
    """Problems of the rule (by rule id or expectation id), each once, with what became of it; in order of place."""
    versions: dict[tuple[str, int, str], list[Judged]] = {}
    for one in judged:
        versions.setdefault((one.period, one.budget_year, one.commune_code), []).append(one)
    found: list[Hit] = []
    for (period, year, commune), reports in sorted(versions.items()):
        reports.sort(key=lambda one: (one.known_at, one.submission_id))
        keys = [{_key(f): f for f in one.findings if rule in (f.rule, f.id)} for one in reports]
        last = keys[-1]
        seen: dict[Key, tuple[Judged, Finding]] = {}
        for one, of_version in zip(reports, keys, strict=True):
            seen |= {key: (one, finding) for key, finding in of_version.items()}
        for key, (one, finding) in seen.items():
            outcome = "stood" if key in last else "corrected"
            found.append(Hit(period, year, commune, one.submission_id, finding, outcome))
    return found


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
