"""What is told of a Treasury statement itself: why it cannot be read, and what of it stands for nothing (CK30, CK31).

The texts stand in ``statement_rules`` of ``expectations/treasury.json``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from etl import money
from etl.clock import show_date
from etl.collect.report import Issue
from etl.collect.treasury import Line, Posting, Reading, Statement
from etl.reference.province import Province
from etl.reference.treasury import UNIT_DIGITS, Configuration
from etl.validate import catalogue
from etl.validate.finding import Finding


def findings(reading: Reading) -> list[Finding]:
    """Why a file could not be read as a statement; empty for one that could."""
    return [_finding(issue) for issue in reading.issues]


def doubled_communes(statement: Statement, configuration: Configuration, province: Province) -> list[Finding]:
    """CK10: a balance that stands both under the code of a commune's unit and under the commune's own code."""
    issues: list[Issue] = []
    first: dict[tuple[str, str, str | None], Line] = {}
    for line in statement.lines:
        commune = configuration.units.get(line.budget_unit_code)
        if commune is None:
            continue
        before = first.setdefault((commune, line.budget_code, line.capital_kind), line)
        own = commune.zfill(UNIT_DIGITS)
        if (before.budget_unit_code == own) != (line.budget_unit_code == own):
            values = {"value": line.budget_code, "column": province.communes[commune].name_vi}
            values["expected"] = f"{before.sheet}!{before.cell}"
            issues.append(Issue("CK10-commune", line.sheet, line.cell, values))
    return [_finding(issue) for issue in issues]


def mapping_findings(statement: Statement, configuration: Configuration, province: Province) -> list[Finding]:
    """What is told of a statement that is loaded.

    CK30: codes and units that are not known, each once. CK31: a date on which no report is due. M09: a negative
    advance, as a recovery under a wrong code leaves behind; it stands in the Treasury's books and is compared as it is.
    """
    issues: list[Issue] = []
    for line in statement.lines:
        if line.advance is not None and line.advance < 0:
            values = {"value": money.group_vi(line.advance), "raw_value": str(line.advance)}
            issues.append(Issue("M09-advance", line.sheet, line.cell, values))
    dates = sorted(w.as_of for w in province.windows.values() if w.budget_year == statement.budget_year)
    if statement.as_of not in dates:
        nearest = min(dates, key=lambda day: abs((day - statement.as_of).days), default=None)
        values = {"value": show_date(statement.as_of), "expected": show_date(nearest) if nearest else "chưa có lịch"}
        issues.append(Issue("CK31", None, None, values))
    codes: dict[tuple[str, str], list[Any]] = {}
    units: dict[str, list[Any]] = {}
    every: list[Line | Posting] = [*statement.lines, *statement.postings]
    for row in every:
        if configuration.place(row.budget_code, row.capital_kind) is None:
            rule = "CK30-kind" if configuration.knows(row.budget_code) else "CK30"
            codes.setdefault((rule, row.budget_code), []).append(row)
        if row.budget_unit_code not in configuration.units:
            units.setdefault(row.budget_unit_code, []).append(row)
    for (rule, code), rows in codes.items():
        issues.append(_unmapped(rule, code, rows))
    issues += [_unmapped("CK30-unit", unit, rows) for unit, rows in units.items()]
    return [_finding(issue) for issue in issues]


def dropped(units: Sequence[str], statement: str, *, archived: str = "") -> Finding:
    """CK30: units of the statement in force that this one of the same date lacks; without leave it is not loaded.

    ``archived``: where the original of the one that was replaced is kept; empty when this one was not loaded.
    """
    values = {"value": ", ".join(units), "count": str(len(units)), "expected": statement, "column": archived}
    return _finding(Issue("CK30-replaced" if archived else "CK30-dropped", None, None, values))


def _unmapped(rule: str, code: str, rows: Sequence[Any]) -> Issue:
    total = sum(getattr(row, "total", 0) for row in rows)
    values = {"value": code, "count": str(len(rows)), "total": money.group_vi(total)}
    return Issue(rule, rows[0].sheet, rows[0].cell, values)


def _finding(issue: Issue) -> Finding:
    rule = catalogue.statement()[issue.rule]
    names = ("value", "expected", "difference", "column", "message", "fix", "count", "total")
    values = dict.fromkeys(names, "") | issue.values
    return Finding(
        rule=rule.rule,
        severity="info" if rule.state == "beta" else rule.severity,
        sheet=issue.sheet,
        cell=issue.cell,
        value=issue.values.get("raw_value") or issue.values.get("value"),
        expected=issue.values.get("raw_expected") or issue.values.get("expected"),
        difference=issue.values.get("raw_difference") or issue.values.get("difference"),
        message=rule.message.format(**values),
        fix=rule.fix.format(**values),
    )
