"""The rule catalogue: ``expectations/*.json`` (law 13).

``intake.json`` holds what can be met while a file is opened and read. The others are Great Expectations suites, one
per form and one per comparison; what GX does not know of a rule (id, state, cell, Vietnamese reason, message, fix)
stands in ``meta``. ``expectations/README.md`` says what each key means and is generated from the same files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache, cached_property
from string import Formatter
from typing import Any

from etl import settings
from etl.errors import UsageError
from etl.validate import rule_files
from etl.validate.declared import (
    DECISION_SUITES,
    FORM_OF_SUITE,
    OTHER_SUITES,
    PERIOD_SUITES,
    REFUSALS,
    SEVERITIES,
    SUITES,
)

STATEMENT = "statement"
"""Stands for a suite where the rules of a Treasury statement (``statement``) are listed with the others."""


@dataclass(frozen=True)
class IntakeRule:
    """``takes``: the cell was read and is doubtful, so that no rule rests on it."""

    rule: str
    severity: str
    state: str
    reason: str
    message: str
    fix: str
    takes: bool = False


@dataclass(frozen=True)
class Rule:
    """One expectation with what people need to know of it.

    ``uses``: column keys of the row on which the judgement rests; ``uses_line`` and ``uses_project`` those of Biểu 01's
    row of the same code and of the same project; ``over`` = leaves: the sum's parts. Where an earlier finding has
    taken one of them out, the rule is silent. ``once``: the first row speaks for the form.

    ``takes``: the keys that it takes out itself. ``@name`` stands for the
    key that the control column ``name`` holds.
    """

    suite: str
    type: str
    kwargs: dict[str, Any]
    rule: str
    id: str
    phase: str
    state: str
    severity: str
    form: str
    cell: str | None
    value: str | None
    expected: str | None
    difference: str | None
    unit: str | None
    uses: tuple[str, ...]
    uses_line: tuple[str, ...]
    uses_project: tuple[str, ...]
    over: str | None
    takes: tuple[str, ...]
    once: bool
    may_be_overridden: bool
    reason: str
    message: str
    fix: str
    en: str

    @cached_property
    def judged(self) -> tuple[str, ...]:
        """Control columns that the expectation reads."""
        kwargs = self.kwargs
        return tuple(kwargs[key] for key in ("column", "column_A", "column_B") if key in kwargs) or tuple(
            kwargs.get("column_list", ())
        )

    @cached_property
    def places(self) -> tuple[str, ...]:
        """Names of the columns that fill the message, beside value, expected, difference, code and column."""
        named = {name for _, name, _, _ in Formatter().parse(self.message) if name}
        return tuple(sorted(named - {"value", "expected", "difference", "code", "column"}))

    @cached_property
    def columns(self) -> frozenset[str]:
        """Every control column that the rule needs."""
        pointed = {name[1:] for name in (self.cell or "", *self.uses, *self.takes) if name.startswith("@")}
        shown = {name for name in (self.value, self.expected, self.difference) if name}
        return frozenset({*self.judged, *pointed, *shown, *self.places})

    @property
    def shown_severity(self) -> str:
        """Severity for people; a rule in beta only informs."""
        return "info" if self.state == "beta" else self.severity


def load() -> dict[str, dict[str, Any]]:
    """Content of every rule file by its name. Raises CatalogueError where one is not sound, with every fault of all."""
    return rule_files.load(settings.assets() / "expectations")


@cache
def intake() -> dict[str, IntakeRule]:
    """By id; ``M08-blank`` is case 8 for a required cell that is left blank."""
    return _without_expectation(load()["intake"]["rules"])


@cache
def statement() -> dict[str, IntakeRule]:
    """What a statement of the State Treasury itself is told, by id; ``CK30-unit`` is rule CK30 for an unknown unit.

    A statement is nobody's report: its findings never stand among those of reports, so that an id of the intake may
    be used again.
    """
    return _without_expectation(load()["treasury"]["statement_rules"])


def _without_expectation(rules: Mapping[str, Mapping[str, Any]]) -> dict[str, IntakeRule]:
    return {name: IntakeRule(name.partition("-")[0], **rule) for name, rule in rules.items()}


@cache
def meta(suite: str) -> dict[str, str]:
    """Vietnamese and English title of a suite."""
    found: dict[str, str] = load()[suite]["meta"]
    return found


@cache
def every_rule() -> tuple[Rule, ...]:
    """All rules of the suites as they stand in the files, retired ones included."""
    return tuple(rule for suite in SUITES for rule in of_suite(suite))


@cache
def every_other_rule() -> tuple[Rule, ...]:
    """The same of the suites that judge no report."""
    return tuple(rule for suite in OTHER_SUITES for rule in of_suite(suite))


@cache
def of_suite(suite: str) -> tuple[Rule, ...]:
    """The rules of one suite as they stand in its file, retired ones included."""
    return tuple(_rule(suite, expectation) for expectation in load()[suite]["expectations"])


@cache
def rules(suite: str) -> tuple[Rule, ...]:
    """The rules of a suite that are in use."""
    return tuple(rule for rule in of_suite(suite) if rule.state != "retired")


@cache
def columns(suite: str) -> tuple[str, ...]:
    """Columns of the frame of a suite: row, code, form, and what its rules need."""
    wanted = {name for rule in rules(suite) for name in rule.columns}
    return ("row_no", "code", "form", *sorted(wanted - {"row_no", "code", "form"}))


def _rule(suite: str, expectation: dict[str, Any]) -> Rule:
    meta = expectation["meta"]
    severity = SEVERITIES[expectation["severity"]]
    cell = meta["cell"]
    return Rule(
        suite=suite,
        type=expectation["type"],
        kwargs=expectation["kwargs"],
        rule=meta["rule"],
        id=meta["id"],
        phase=meta["phase"],
        state=meta["state"],
        severity=severity,
        form=meta.get("form") or FORM_OF_SUITE.get(suite, ""),
        cell=cell,
        value=meta["value"],
        expected=meta["expected"],
        difference=meta["difference"],
        unit=meta.get("unit"),
        uses=tuple(meta["uses"]),
        uses_line=tuple(meta.get("uses_line", ())),
        uses_project=tuple(meta.get("uses_project", ())),
        over=meta.get("over"),
        once=meta.get("once", False),
        takes=tuple(meta["takes"]) if "takes" in meta else (cell,) if severity == "error" and cell else (),
        may_be_overridden=meta.get("override", False),
        reason=meta["reason"],
        message=meta["message"],
        fix=meta["fix"],
        en=meta["en"],
    )


RULE_COLUMNS = (
    "expectation_id", "rule_id", "suite", "severity", "state", "may_be_overridden", "reason_vi", "meaning_en",
)  # fmt: skip


def rule_rows() -> list[tuple[str, str, str, str, str, bool, str, str]]:
    """Every rule for ``ref.rule``, in the order of ``RULE_COLUMNS``; a case of the intake has its own id."""
    rows = [
        (name, rule.rule, "intake", rule.severity, rule.state, False, rule.reason, "")
        for name, rule in intake().items()
    ]
    rows += [
        (one.id, one.rule, one.suite, one.severity, one.state, one.may_be_overridden, one.reason, one.en)
        for one in (*every_rule(), *every_other_rule())
    ]
    return rows


def listed() -> list[tuple[str, str, str, str, str, bool, str, str]]:
    """Every rule for people: those of ``rule_rows`` and what a statement of the Treasury is told (suite statement)."""
    told = statement().items()
    return rule_rows() + [(id, one.rule, STATEMENT, one.severity, one.state, False, one.reason, "") for id, one in told]


_JUDGES = {
    STATEMENT: "sao kê của Kho bạc Nhà nước, khi nạp bằng tiendo reference load --treasury",
    **dict.fromkeys(DECISION_SUITES, "quyết định giao vốn của tỉnh, khi nạp bằng tiendo reference load --allocation"),
    **dict.fromkeys(PERIOD_SUITES, "cả kỳ báo cáo, khi chốt bản tổng hợp bằng tiendo summarise"),
}
"""What rules that judge no report of a commune judge, and when."""


@cache
def _names() -> dict[str, tuple[str, list[tuple[str, str, str]]]]:
    """Rule id or expectation id in small letters -> as it is written; (suite, id, state) of each rule that it means."""
    found: dict[str, tuple[str, list[tuple[str, str, str]]]] = {}
    for id, rule, suite, _, state, *_ in listed():
        for name in {id, rule}:
            found.setdefault(name.casefold(), (name, []))[1].append((suite, id, state))
    return found


def _named(text: str) -> tuple[str, list[tuple[str, str, str]]]:
    found = _names().get(text.strip().casefold())
    if found is None:
        close = get_close_matches(text.strip().casefold(), _names(), n=3, cutoff=0.8)
        near = f" (gần giống: {', '.join(_names()[name][0] for name in close)})" if close else ""
        raise UsageError(f"Không có quy tắc {text}{near}; xem danh mục bằng: tiendo rules list")
    return found


def of_reports(text: str) -> str:
    """The rule id or expectation id that is meant, in any letter case, of a rule that judges reports of communes.

    Raises UsageError for one that nobody has, and for one that judges something else, which it names.
    """
    name, meant = _named(text)
    what = sorted({_JUDGES.get(suite, "") for suite, _, _ in meant})
    if all(what):
        raise UsageError(
            f"Quy tắc {name} không xét báo cáo của xã, phường mà xét {'; '.join(what)}. "
            "Trong các báo cáo đã nhận không có kết quả của quy tắc này."
        )
    return name


def to_backtest(text: str) -> str:
    """Like ``of_reports``, for a rule that can be asked about past reports.

    Raises UsageError also for one that is no longer in use, and for one that refuses files: such a file was not read,
    so that it belongs to no commune and no month.
    """
    name = of_reports(text)
    meant = [(suite, id, state) for suite, id, state in _named(text)[1] if suite not in _JUDGES]
    if all(state == "retired" for _, _, state in meant):
        raise UsageError(f"Quy tắc {name} đã thôi dùng (state: retired) nên không xét báo cáo nào.")
    if all(suite == "intake" and id in REFUSALS for suite, id, _ in meant):
        raise UsageError(
            f"Quy tắc {name} từ chối tệp không mở được; tệp như vậy không thuộc xã, phường và kỳ nào nên không xét lại "
            f"được. Xem các tệp đã bị từ chối bằng: tiendo findings --rule {name}"
        )
    return name
