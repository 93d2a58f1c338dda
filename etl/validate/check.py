"""Checks reports: issues met while reading, required cells, and one Great Expectations batch per form."""

from __future__ import annotations

from collections.abc import Sequence

from etl.collect.report import Issue, Report
from etl.reference.province import Province
from etl.validate import catalogue, controls, known, settle, suites
from etl.validate.finding import Finding, verdict


def run(
    reports: Sequence[Report],
    province: Province,
    known_tasks: frozenset[str] | None = None,
    known_of: Sequence[known.Known] | None = None,
) -> list[list[Finding]]:
    """Findings of each report, in the order of ``reports``, most important first within each.

    ``known_tasks`` are the ids of the register, the tasks of the reference data unless given; ``known_of`` is what the
    warehouse knows for each report. A refused file has only its refusal. Deterministic; reads nothing but its
    arguments and the catalogue.
    """
    tasks = known_tasks if known_tasks is not None else tasks_of(province)
    result: list[list[Finding]] = [[_intake_finding(i) for i in report.issues] for report in reports]
    tables: list[dict[str, controls.Table]] = []
    for position, report in enumerate(reports):
        if not report.refused:
            prepare(report, province, tasks)
            settled = list(report.settled or ())
            met = known.compare(report, known_of[position], province) if known_of else []
            result[position] += [_intake_finding(i) for i in settled + met]
            # What it is held against takes figures out of later rules.
            tables.append(controls.of(report, province, tasks) if met else report.controls or {})
        else:
            tables.append({})
    parameters = {"rate_tolerance_pct_points": province.thresholds["rate_tolerance_pct_points"]}
    validator = suites.Validator()
    for form in catalogue.FORMS:
        batch = controls.batch([table.get(form, {}) for table in tables])
        for position, finding in suites.findings(validator, form, batch, reports, parameters):
            result[position].append(finding)
    return [_sorted(findings) for findings in result]


def prepare(report: Report, province: Province, known_tasks: frozenset[str]) -> Report:
    """The report settled, with its control columns: what needs nothing but the report. Idempotent."""
    if report.settled is None and not report.refused:
        report.settled = settle.settle(report, province)
        report.controls = controls.of(report, province, known_tasks)
    return report


def tasks_of(province: Province) -> frozenset[str]:
    """Ids of the tasks of the reference data, as matching keys."""
    return frozenset(task["task_id"].upper() for task in province.tasks())


def judge(
    reports: Sequence[Report],
    province: Province,
    known_tasks: frozenset[str] | None = None,
    known_of: Sequence[known.Known] | None = None,
) -> list[tuple[list[Finding], str]]:
    """Findings and verdict of each report: the one judgement of pipeline and ``tiendo check``."""
    found = run(reports, province, known_tasks, known_of)
    return [(f, verdict(report.refused, f)) for report, f in zip(reports, found, strict=True)]


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
    )


def _sorted(findings: list[Finding]) -> list[Finding]:
    order = {"error": 0, "warning": 1, "info": 2}
    return sorted(findings, key=lambda f: (order[f.severity], f.sheet or "", _place(f.cell), f.rule))


def _place(cell: str | None) -> tuple[int, str]:
    letters = (cell or "").rstrip("0123456789")
    digits = (cell or "")[len(letters) :]
    return int(digits or 0), letters.rjust(3)
