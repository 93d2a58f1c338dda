"""What the kit hands to a checker, and what the checker must answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property

Value = int | Decimal | str | date | None
FactKey = tuple[str, str, str]
"""(form, row, column key). The row is the line, indicator or task code; in B04, which has no code of its own per row,
the position among the rows ("1", "2"); ``off_budget`` is the form of the block under Biểu 01."""
Facts = Mapping[FactKey, Value]


@dataclass(frozen=True)
class Expected:
    """One finding. ``sheet`` and ``cell`` are None where the whole sheet or file is meant.

    ``or_at`` lists other places that are as good an answer; it is used only where the contract leaves the place open.
    """

    rule: str
    severity: str
    sheet: str | None = None
    cell: str | None = None
    or_at: frozenset[tuple[str | None, str | None]] = frozenset()

    @property
    def places(self) -> frozenset[tuple[str | None, str | None]]:
        return self.or_at | {(self.sheet, self.cell)}


def verdict_of(findings: tuple[Expected, ...]) -> str:
    return "returned" if any(f.severity == "error" for f in findings) else "accepted"


@dataclass(frozen=True)
class Made:
    """A file and its answer; see ``Item``."""

    file_name: str
    build: Callable[[], bytes]
    findings: tuple[Expected, ...] = ()
    facts: Facts | None = None
    refused: bool = False
    members: tuple[Made, ...] = ()

    @property
    def verdict(self) -> str:
        return "refused" if self.refused else verdict_of(self.findings)


@dataclass(frozen=True)
class Item:
    """One file of the corpus; ``build`` gives the same bytes at every call.

    ``case`` is the case of messiness.csv or the check. ``findings`` is complete: anything else is a false alarm.
    ``facts`` (None where the file is not accepted) are values that must come out: đồng for money, Decimal for
    quantities, dates, NFC text; a value of None is a blank. A package of several workbooks has ``members``, each of
    which is a result of its own. The answer is worked out when it is first asked for: listing items costs nothing.
    """

    name: str
    defect: str
    case: str
    make: Callable[[], Made]

    @cached_property
    def made(self) -> Made:
        return self.make()

    @property
    def file_name(self) -> str:
        return self.made.file_name

    @property
    def verdict(self) -> str:
        return self.made.verdict

    @property
    def findings(self) -> tuple[Expected, ...]:
        return self.made.findings

    @property
    def facts(self) -> Facts | None:
        return self.made.facts

    @property
    def members(self) -> tuple[Made, ...]:
        return self.made.members

    @property
    def answers(self) -> tuple[Made, ...]:
        """What is expected of each workbook in the file; one for a plain file."""
        return self.made.members or (self.made,)

    def build(self) -> bytes:
        return self.made.build()


@dataclass(frozen=True)
class Hostile:
    """A file made to do harm. ``rules`` are the refusals that are right; empty when it must be read.

    ``expected`` is what it gives when it is read: verdict, findings and facts. A file that has both may be refused or
    read.
    """

    name: str
    file_name: str
    build: Callable[[], bytes]
    rules: frozenset[str] = frozenset()
    expected: Made | None = None
    budget_seconds: float = 0.5


@dataclass(frozen=True)
class Found:
    rule: str
    severity: str
    sheet: str | None
    cell: str | None
    message: str = ""


@dataclass(frozen=True)
class Outcome:
    """A checker's answer for one workbook."""

    file_name: str
    verdict: str
    findings: tuple[Found, ...] = ()
    facts: Facts = field(default_factory=dict)


Checker = Callable[[str, bytes], list[Outcome]]
"""(file name, bytes) -> one outcome per workbook in it; never raises for what is in the file."""
