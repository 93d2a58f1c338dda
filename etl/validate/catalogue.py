"""The rule catalogue: ``expectations/*.json`` (law 13).

``intake.json`` holds what can be met while a file is opened and read. The others are Great Expectations suites, one
per form; what GX does not know of a rule (id, state, cell, Vietnamese reason, message, fix) stands in ``meta``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

from etl import settings

FORMS = ("B01", "B02", "B03", "B04", "B05")
SUITES = ("b01", "b02", "b03", "b04", "b05")
_SEVERITY = {"critical": "error", "warning": "warning", "info": "info"}


@dataclass(frozen=True)
class IntakeRule:
    rule: str
    severity: str
    state: str
    reason: str
    message: str
    fix: str


def _load(name: str) -> dict[str, Any]:
    path = settings.assets() / "expectations" / f"{name}.json"
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


@cache
def intake() -> dict[str, IntakeRule]:
    """By id; ``M08-blank`` is case 8 for a required cell that is left blank."""
    return {name: IntakeRule(name.partition("-")[0], **rule) for name, rule in _load("intake")["rules"].items()}


@cache
def suite(form: str) -> dict[str, Any]:
    """The suite of one form as GX JSON, without retired rules."""
    loaded = _load(form.lower())
    loaded["expectations"] = [e for e in loaded["expectations"] if e["meta"]["state"] != "retired"]
    return loaded


def severity_of(expectation: dict[str, Any]) -> str:
    """Severity for people; a rule in beta only informs."""
    return "info" if expectation["meta"]["state"] == "beta" else _SEVERITY[expectation["severity"]]


def rule_rows() -> list[tuple[str, str, str, str, str]]:
    """(rule_id, severity, state, suite, reason_vi) of every rule, once per suite, for ``ref.rule``."""
    rows: dict[tuple[str, str], tuple[str, str, str, str, str]] = {}
    for rule in intake().values():
        rows.setdefault((rule.rule, "intake"), (rule.rule, rule.severity, rule.state, "intake", rule.reason))
    for name in SUITES:
        for e in _load(name)["expectations"]:
            meta = e["meta"]
            rows.setdefault(
                (meta["rule"], name),
                (meta["rule"], _SEVERITY[e["severity"]], meta["state"], name, meta["reason"]),
            )
    return sorted(rows.values(), key=lambda row: (row[3], row[0]))
