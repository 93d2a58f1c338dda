"""A finding: what is wrong, where, and what to do; and the verdict that follows from the findings."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass

SEVERITIES = ("error", "warning", "info")


@dataclass(frozen=True)
class Finding:
    """``value``, ``expected`` and ``difference`` are amounts in đồng as text, or the text itself."""

    rule: str
    severity: str
    sheet: str | None
    cell: str | None
    value: str | None
    expected: str | None
    difference: str | None
    message: str
    fix: str

    def as_json(self) -> dict[str, str | None]:
        return asdict(self)


def verdict(refused: bool, findings: Iterable[Finding]) -> str:
    """``refused`` = not opened, ``returned`` = at least one error, ``accepted`` otherwise."""
    if refused:
        return "refused"
    return "returned" if any(f.severity == "error" for f in findings) else "accepted"
