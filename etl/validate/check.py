"""Checks reports: issues met while reading, required cells, and one Great Expectations batch per suite."""

from __future__ import annotations

from collections.abc import Sequence

from etl.collect.report import Issue, Report
from etl.reference.province import Province
from etl.validate import catalogue, controls, data_docs, declared, known, settle, suites, verdicts
from etl.validate.finding import Finding, verdict


def run(
    reports: Sequence[Report],
    province: Province,
    known_of: Sequence[known.Known] | None = None,
    records: list[data_docs.Record] | None = None,
) -> list[list[Finding]]:
    """Findings of each report, in the order of ``reports``, most important first within each.

    ``known_of`` is what the warehouse knows for each report; unless given, what the reference data alone say. A refused
    file has only its refusal. ``records``: how each suite went is added there. Deterministic; reads nothing but its
    arguments and the catalogue.
    """
    known_of = known_of or [known.offline(province)] * len(reports)
    result: list[list[Finding]] = [_intake_findings(report.issues) for report in reports]
    tables: list[dict[str, controls.Table]] = []
    for position, (report, knowledge) in enumerate(zip(reports, known_of, strict=True)):
        if report.refused:
            tables.append({})
            continue
        prepare(report, province)
        other_unit = known.unit(report, knowledge)
        result[position] += _intake_findings([*(report.settled or ()), *other_unit])
        # A form in another unit is not judged further.
        within = controls.within(report, province) if other_unit else report.controls or {}
        tables.append(within | controls.against(report, province, knowledge))
    for position, broken in enumerate(_broken(reports, tables, province, records)):
        least = int(province.thresholds["column_wrong_lines_min"])
        result[position] += verdicts.findings(reports[position], broken, least)
    return [_sorted(findings) for findings in result]


def _broken(
    reports: Sequence[Report],
    tables: Sequence[dict[str, controls.Table]],
    province: Province,
    records: list[data_docs.Record] | None,
) -> list[list[verdicts.Broken]]:
    """For each report, the rules that it breaks, with their rows."""
    parameters = {"rate_tolerance_pct_points": province.thresholds["rate_tolerance_pct_points"]}
    validator = suites.Validator()
    result: list[list[verdicts.Broken]] = [[] for _ in reports]
    for suite in declared.SUITES:
        frame = controls.batch([table.get(suite, {}) for table in tables], catalogue.columns(suite))
        failures = validator.failures(catalogue.rules(suite), frame, parameters)
        for position, one in verdicts.broken(frame, failures):
            result[position].append(one)
        if records is not None and not frame.empty:
            period = next((str(report.period) for report in reports if report.period), "")
            records.append(data_docs.record(period, suite, frame, failures, [report.file_name for report in reports]))
    return result


def prepare(report: Report, province: Province) -> Report:
    """The report settled, with its control columns: what needs nothing but the report. Idempotent."""
    if report.settled is None and not report.refused:
        report.settled = settle.settle(report, province)
        report.controls = controls.within(report, province)
    return report


def judge(
    reports: Sequence[Report],
    province: Province,
    known_of: Sequence[known.Known] | None = None,
    records: list[data_docs.Record] | None = None,
) -> list[tuple[list[Finding], str]]:
    """Findings and verdict of each report: the one judgement of pipeline and ``tiendo check``."""
    found = run(reports, province, known_of, records)
    return [(f, verdict(report.refused, f)) for report, f in zip(reports, found, strict=True)]


def _intake_findings(issues: Sequence[Issue]) -> list[Finding]:
    return [_intake_finding(issue) for issue in issues if catalogue.intake()[issue.rule].state != "retired"]


def _intake_finding(issue: Issue) -> Finding:
    rule = catalogue.intake()[issue.rule]
    values = {"value": "", "expected": "", "difference": "", "column": "", "message": "", "fix": "", **issue.values}
    values["headers"] = "; ".join(
        text
        for text, wanted in (
            (f"cột lạ “{values['value']}”", values["value"]),
            (f"thiếu cột “{values['expected']}”", values["expected"]),
        )
        if wanted
    )
    return Finding(
        rule=rule.rule,
        severity="info" if rule.state == "beta" else rule.severity,
        sheet=issue.sheet,
        cell=issue.cell,
        value=issue.values.get("raw_value") or issue.values.get("value") or None,
        expected=issue.values.get("raw_expected") or issue.values.get("expected") or None,
        difference=issue.values.get("raw_difference") or issue.values.get("difference") or None,
        message=rule.message.format(**values),
        fix=rule.fix.format(**values),
        id=issue.rule,
    )


def _sorted(findings: list[Finding]) -> list[Finding]:
    order = {"error": 0, "warning": 1, "info": 2}
    return sorted(findings, key=lambda f: (order[f.severity], f.sheet or "", _place(f.cell), f.rule))


def _place(cell: str | None) -> tuple[int, str]:
    letters = (cell or "").rstrip("0123456789")
    digits = (cell or "")[len(letters) :]
    return int(digits or 0), letters.rjust(3)
