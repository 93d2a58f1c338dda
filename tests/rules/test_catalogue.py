"""What every rule of the catalogue must have (law 13): id, severity, Vietnamese texts, and columns that exist."""

from __future__ import annotations

import ast
import re
import unicodedata
from functools import cache
from pathlib import Path
from types import ModuleType

import great_expectations as gx
import pytest

from etl.publish import checks
from etl.reference import forms
from etl.validate import catalogue, catalogue_check, check, controls, decisions, declared
from etl.validate.catalogue import IntakeRule, Rule
from etl.validate.declared import ALL
from etl.validate.finding import SEVERITIES
from tests.rules import cases_b01, cases_forms, cases_known, kit  # noqa: F401 - they register their cases
from tests.rules.registry import CASES, outcome
from tests.rules.scene import scene

RULES = catalogue.every_rule()
TOLD = (*RULES, *catalogue.every_other_rule())
"""With those that judge a period or a decision: they speak to people as well."""
SMALL = {**catalogue.intake(), **{f"statement/{name}": rule for name, rule in catalogue.statement().items()}}
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
    assert rule.phase in declared.PHASES
    assert rule.state in declared.STATES
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
    assert rule.state in declared.STATES
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
    names: dict[str, set[str]] = {suite: set() for suite in declared.SUITES}
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


@pytest.mark.parametrize("suite", declared.SUITES)
def test_what_is_declared_for_the_rule_files_is_what_the_controls_make(suite: str) -> None:
    """``etl/validate/declared.py``, by which a rule file is judged when it is loaded."""
    assert declared.columns(suite, of_report=True) - set(declared.EVERY_ROW) == made()[suite] - set(declared.EVERY_ROW)


@pytest.mark.parametrize(
    ("suite", "module"),
    [("decisions", decisions), *((suite, getattr(checks, suite)) for suite in declared.PERIOD_SUITES)],
    ids=declared.OTHER_SUITES,
)
def test_what_is_declared_for_other_suites_is_written_by_their_modules(suite: str, module: ModuleType) -> None:
    texts = [node.value for node in ast.walk(_parsed(module)) if isinstance(node, ast.Constant)]
    assert declared.COLUMNS[suite] - set(texts) == set()


def test_the_thresholds_that_rules_may_name_are_given_to_them() -> None:
    given = {node.value for node in ast.walk(_parsed(check)) if isinstance(node, ast.Constant)}
    assert given >= declared.REPORT_PARAMETERS
    given = {node.value for node in ast.walk(_parsed(checks)) if isinstance(node, ast.Constant)}
    assert given >= declared.PARAMETERS["outliers"]


def test_every_id_that_the_reading_asks_for_is_declared() -> None:
    """Of the calls that name it outright; the corpus meets the others (``test_intake.py``)."""
    asked: dict[bool, set[str]] = {True: set(), False: set()}
    for path in sorted((Path(check.__file__).parents[1]).glob("*/*.py")):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and ast.unparse(call.func).rpartition(".")[2] in ("Issue", "Refusal"):
                first = call.args[0] if call.args else None
                if isinstance(first, ast.Constant):
                    asked[path.name.startswith(("treasury", "statement"))].add(first.value)
    assert asked[False] - declared.INTAKE.keys() == set()
    assert asked[True] - declared.STATEMENT.keys() == set()
    assert len(asked[False]) > 30
    assert len(asked[True]) > 20


def _parsed(module: ModuleType) -> ast.Module:
    return ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))


def test_the_expectations_that_rules_may_use_are_those_of_great_expectations() -> None:
    for name, kind in catalogue_check.TYPES.items():
        fields = getattr(gx.expectations, "".join(map(str.capitalize, name.split("_")))).__fields__
        wanted = {key for key, field in fields.items() if field.required}
        assert wanted <= {*kind.columns, *kind.needs} <= fields.keys(), name
        assert {*kind.may, *kind.one_of} <= fields.keys(), name


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
