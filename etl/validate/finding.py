"""A finding: what is wrong, where, and what to do; and the verdict that follows from the findings."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

SEVERITIES = ("error", "warning", "info")
_TOLD = ("rule", "severity", "sheet", "cell", "value", "expected", "difference", "message", "fix")
"""Keys of a finding for other programs: they are stable."""


@dataclass(frozen=True)
class Finding:
    """``value``, ``expected`` and ``difference`` are amounts in đồng as text, or the text itself; a difference of two
    numbers is value less expected.

    ``id``: the expectation or the case of the intake within its rule. ``form``, ``line`` and ``item`` say what was
    judged beyond this one file: the form, the code of the row, the key of its column. ``unit``: vnd, percent, quantity,
    ratio (amounts, and how many times one is the other) or text; None where the texts are the sender's own.
    ``explanation``: what the sender's note says to a warning.
    """

    rule: str
    severity: str
    sheet: str | None
    cell: str | None
    value: str | None
    expected: str | None
    difference: str | None
    message: str
    fix: str
    id: str = ""
    form: str | None = None
    line: str | None = None
    item: str | None = None
    unit: str | None = None
    explanation: str | None = None

    def as_json(self) -> dict[str, str | None]:
        return {name: getattr(self, name) for name in _TOLD}


def verdict(refused: bool, findings: Iterable[Finding]) -> str:
    """``refused`` = not opened, ``returned`` = at least one error, ``accepted`` otherwise."""
    if refused:
        return "refused"
    return "returned" if any(f.severity == "error" for f in findings) else "accepted"
