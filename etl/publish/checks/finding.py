"""Findings of a whole period: rows that break a rule of a suite, as one sentence each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from decimal import Decimal
from typing import Any

import pandas as pd

from etl import money
from etl.load.warehouse import Connection
from etl.validate import catalogue
from etl.validate.catalogue import Rule

_WHERE = ("commune_code", "sheet", "cell", "submission_id")
"""Columns of a control frame beside those that the rules read: whom and what a row is about."""


@dataclass(frozen=True)
class PeriodFinding:
    """``value``, ``expected`` and ``difference`` in ``unit``: vnd (whole đồng as text) or text.

    ``line``: code of the line or indicator. ``sheet`` and ``cell``: place in the commune's own workbook; None where no
    single cell is meant.
    """

    rule_id: str
    expectation_id: str
    severity: str
    commune_code: str | None
    line: str | None
    sheet: str | None
    cell: str | None
    submission_id: int | None
    value: str | None
    expected: str | None
    difference: str | None
    unit: str
    message: str


def judge(
    suite: str, rows: Sequence[Mapping[str, Any]], parameters: Mapping[str, Any] | None = None
) -> tuple[PeriodFinding, ...]:
    """Rules of the suite that the rows break, in the order of the rules and then of the rows.

    ``rows``: control columns of ``catalogue.columns(suite)`` and ``_WHERE``; an absent column has nothing to say.
    """
    rules = catalogue.rules(suite)
    columns = (*catalogue.columns(suite), *_WHERE)
    told = {name for row in rows for name, value in row.items() if value is not None}
    asked = [rule for rule in rules if told.issuperset(rule.judged)]
    if not asked:
        return ()
    # Only now: the library takes a second to load, and a clean month has nothing to ask it.
    from etl.validate.suites import Validator

    frame = pd.DataFrame({name: pd.Series([row.get(name) for row in rows], dtype=object) for name in columns})
    failures = Validator().failures(asked, frame, parameters or {})
    return tuple(_finding(failure.rule, rows[failure.position]) for failure in failures)


def _finding(rule: Rule, row: Mapping[str, Any]) -> PeriodFinding:
    unit = rule.unit or "text"
    sources = {"value": rule.value, "expected": rule.expected, "difference": rule.difference}
    held = {name: row.get(source) if source else None for name, source in sources.items()}
    places = {name: row.get(name) for name in (*rule.places, "code")}
    message = rule.message.format(**{name: _shown(value, unit) for name, value in (held | places).items()})
    return PeriodFinding(
        rule.rule,
        rule.id,
        rule.shown_severity,
        row.get("commune_code"),
        row.get("code"),
        row.get("sheet"),
        row.get("cell"),
        row.get("submission_id"),
        _raw(held["value"]),
        _raw(held["expected"]),
        _raw(held["difference"]),
        unit,
        message,
    )


def _raw(value: Any) -> str | None:
    if value is None:
        return None
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _shown(value: Any, unit: str) -> str:
    """An amount in triệu đồng, everything else as it stands: control columns that are only told are texts."""
    if isinstance(value, int) and unit == "vnd":
        return f"{money.show_trieu(value)} triệu đồng"
    return "trống" if value is None else str(value)


_COLUMNS = (
    "rule_id, expectation_id, severity, commune_code, line, sheet, cell, submission_id, value, expected, difference, "
    "unit, message_vi"
)


def store(connection: Connection, release_id: str, findings: Sequence[PeriodFinding]) -> None:
    """Append the findings of a release by COPY, numbered in their order; the caller commits."""
    with connection.cursor().copy(f"copy release.finding (release_id, finding_no, {_COLUMNS}) from stdin") as copy:
        for number, finding in enumerate(findings, 1):
            copy.write_row((release_id, number, *astuple(finding)))


def stored(connection: Connection, release_id: str) -> tuple[PeriodFinding, ...]:
    """The findings of a release as they were frozen, in their order."""
    rows = connection.execute(
        f"select {_COLUMNS} from release.finding where release_id = %s order by finding_no", (release_id,)
    )
    return tuple(PeriodFinding(*row) for row in rows)
