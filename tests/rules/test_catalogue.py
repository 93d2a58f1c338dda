"""What every rule of the catalogue must have (law 13): id, severity, Vietnamese texts, and columns that exist."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

import pytest

from etl.reference import forms
from etl.validate import catalogue, check, controls
from etl.validate.catalogue import ALL, IntakeRule, Rule
from etl.validate.finding import SEVERITIES
from etl.validate.statement import statement_rules
from tests.rules import cases_b01, cases_forms, cases_known, kit  # noqa: F401 - they register their cases
from tests.rules.registry import CASES, outcome
from tests.rules.scene import scene

RULES = catalogue.every_rule()
TOLD = (*RULES, *catalogue.every_other_rule())
"""With those that judge a period or a decision: they speak to people as well."""
SMALL = {**catalogue.intake(), **{f"statement/{name}": rule for name, rule in statement_rules().items()}}
_PASSED_ON = {"{message}", "{fix}"}
"""Texts that the refusal itself brings along."""
_PLACE = re.compile(r"\{[^{}]*\}")


def is_vietnamese(text: str) -> bool:
    """In NFC, with marks, and without anything that looks like a place to be filled, a tab or a double blank."""
    marks = any(unicodedata.combining(c) for c in unicodedata.normalize("NFD", text))
    return unicodedata.is_normalized("NFC", text) and (marks or "đ" in text.lower()) and "  " not in text


@pytest.mark.parametrize("rule", TOLD, ids=[rule.id for rule in TOLD])
def test_a_rule_says_what_it_is(rule: Rule) -> None:
    assert rule.severity in SEVERITIES
    assert rule.phase in catalogue.PHASES
    assert rule.state in catalogue.STATES
    assert rule.id.startswith(rule.rule)
    assert rule.rule == re.match(r"[A-Z]+\d+", rule.id)[0]  # type: ignore[index]
    for text in (rule.reason, rule.message, rule.fix):
        assert is_vietnamese(text), text
    for text in (rule.reason, rule.fix):
        assert not _PLACE.search(text), text
    assert rule.en.strip()
    assert rule.en.isascii() or unicodedata.is_normalized("NFC", rule.en)


@pytest.mark.parametrize("name", SMALL)
def test_a_rule_of_the_intake_says_what_it_is(name: str) -> None:
    rule: IntakeRule = SMALL[name]
    assert rule.severity in SEVERITIES
    assert rule.state in catalogue.STATES
    assert re.fullmatch(r"(CK|M)\d\d(-[a-z]+)*", name.removeprefix("statement/"))
    for text in (rule.reason, rule.message, rule.fix):
        assert text in _PASSED_ON or is_vietnamese(text), text


def test_every_id_is_used_once() -> None:
    """Also between the suites and the intake: findings, overrides and ``ref.rule`` go by the id alone."""
    names = [rule.id for rule in TOLD] + list(catalogue.intake())
    assert sorted({name for name in names if names.count(name) > 1}) == []


@pytest.mark.parametrize("rule", RULES, ids=[rule.id for rule in RULES])
def test_the_cells_that_a_rule_names_are_columns_of_its_form(rule: Rule) -> None:
    keys = {column.key for column in forms.load().sheet(rule.form).columns}
    named = {rule.cell, *rule.uses, *rule.takes} - {None, ALL}
    assert {name for name in named if name and not name.startswith("@")} <= keys
    money = {column.key for column in forms.load().sheet("B01").columns}
    assert {*rule.uses_line, *rule.uses_project} <= money


@cache
def made() -> dict[str, set[str]]:
    """Suite -> columns that the control functions give for the reports that break and just do not break the rules."""
    names: dict[str, set[str]] = {suite: set() for suite in catalogue.SUITES}
    for case in CASES:
        s = scene(case.when, case.commune)
        case.change(s)
        report = check.prepare(s.report, kit.lang_son())
        tables = (report.controls or {}) | controls.against(report, kit.lang_son(), s.known)
        for suite, table in tables.items():
            names[suite] |= set(table)
    return names


@pytest.mark.parametrize("rule", RULES, ids=[rule.id for rule in RULES])
def test_every_column_that_a_rule_names_is_one_that_the_controls_make(rule: Rule) -> None:
    assert rule.columns - made()[rule.suite] == set()
    assert rule.judged


@pytest.mark.parametrize("rule", RULES, ids=[rule.id for rule in RULES])
def test_the_texts_that_people_get_are_filled(rule: Rule) -> None:
    """As the triggers give them: nothing is left open, and no figure is missing where the text speaks of one."""
    found = [
        finding
        for case in CASES
        if case.id == rule.id and case.kind == "triggers"
        for finding in outcome(case).found
        if finding.id == rule.id
    ]
    assert found, f"{rule.id}: no report breaks it (tests/rules/registry.py)"
    for finding in found:
        for text in (finding.message, finding.fix):
            assert is_vietnamese(text), text
            assert not _PLACE.search(text), text
            assert not re.search(r"\bNone\b|\bnan\b|<NA>", text), text
        assert "trống" not in finding.message or "trống" in rule.message
