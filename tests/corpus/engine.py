"""The project's own reader and checks as a ``Checker``; the only module of the kit that knows them."""

from __future__ import annotations

from functools import cache

from etl.collect import package, reader
from etl.collect.report import Report
from etl.reference import province
from etl.validate import check
from etl.validate.finding import Finding, verdict
from tests.corpus.item import FactKey, Found, Outcome, Value


@cache
def _province() -> province.Province:
    return province.load()


def check_file(file_name: str, data: bytes) -> list[Outcome]:
    return check_files([(file_name, data)])[0]


def check_files(files: list[tuple[str, bytes]]) -> list[list[Outcome]]:
    """Many at once, as the pipeline does: what a batch of checks costs is then paid once."""
    reports = [_read(name, data) for name, data in files]
    flat = [r for of_file in reports for r in of_file]
    judged = iter(check.run(flat, _province()))
    return [[_outcome(r, next(judged)) for r in of_file] for of_file in reports]


def read_file(name: str, data: bytes) -> None:
    """Guard and reader alone."""
    _read(name, data)


def _read(name: str, data: bytes) -> list[Report]:
    members = package.unpack(name, data) if package.is_package(data) else None
    if isinstance(members, list):
        return [reader.read(member.name, member.data, _province()) for member in members]
    return [reader.read(name, data, _province())]


def _outcome(report: Report, findings: list[Finding]) -> Outcome:
    found = tuple(Found(f.rule, f.severity, f.sheet, f.cell, f.message) for f in findings)
    return Outcome(report.file_name, verdict(report.refused, findings), found, _facts(report))


def _facts(report: Report) -> dict[FactKey, Value]:
    facts: dict[FactKey, Value] = {}
    for name, form in report.forms.items():
        leaves = [r for r in form.rows if r.role == "leaf"]
        for number, row in enumerate(leaves, 1):
            code = str(number) if name == "B04" else row.code
            for key, value in row.values.items():
                facts[name, code, key] = value
        for row in form.rows:
            if row.role == "off_budget":
                facts["off_budget", row.code, "disb_ytd"] = row.values.get("disb_ytd")
    return facts
