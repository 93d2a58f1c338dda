"""For each rule one report that just breaks it and gives its finding only, and one that just does not (law 13)."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from etl.validate import catalogue
from tests.rules import cases_b01, cases_forms, cases_known  # noqa: F401 - they register their cases
from tests.rules.registry import CASES, Case, as_text, as_told, ids, outcome

TRIGGERS = [case for case in CASES if case.kind == "triggers"]
JUST_NOTS = [case for case in CASES if case.kind == "just-not"]
RULES = {rule.id: rule for rule in catalogue.every_rule() if rule.state != "retired"}


@pytest.mark.parametrize("case", TRIGGERS, ids=[case.name for case in TRIGGERS])
def test_a_defect_gives_its_finding_and_no_other(case: Case) -> None:
    result = outcome(case)
    assert [as_told(finding) for finding in result.found] == [as_text(told) for told in result.expected]
    assert case.id in {finding.id for finding in result.found}


@pytest.mark.parametrize("case", JUST_NOTS, ids=[case.name for case in JUST_NOTS])
def test_just_inside_of_the_bound_nothing_is_said(case: Case) -> None:
    assert [(f.id, f.cell, f.message) for f in outcome(case).found] == []


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_has_both(rule: str) -> None:
    assert rule in ids("triggers"), f"{rule}: no report that breaks it (tests/rules/registry.py)"
    assert rule in ids("just-not"), f"{rule}: no report that just does not break it (tests/rules/registry.py)"


def test_no_case_is_of_a_rule_that_does_not_exist() -> None:
    assert (ids("triggers") | ids("just-not")) - {rule.id for rule in catalogue.every_rule()} == set()


ELSEWHERE = ("sql/test_publication_checks.py", "sql/test_allocation.py", "unit/test_outliers.py")
"""Tests of the rules that judge no report: there the mark ``rule`` says which rule a test triggers or just does not."""


def marked() -> set[tuple[str, str]]:
    """(id, kind) of every mark."""
    found = set()
    for name in ELSEWHERE:
        tree = ast.parse((Path(__file__).parents[1] / name).read_text(encoding="utf-8"))
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            if ast.unparse(call.func) == "pytest.mark.rule":
                id, kind = (ast.literal_eval(argument) for argument in call.args)
                found.add((id, kind))
    return found


@pytest.mark.parametrize("kind", ["triggers", "just-not"])
@pytest.mark.parametrize("rule", [rule.id for rule in catalogue.every_other_rule() if rule.state != "retired"])
def test_every_rule_that_judges_no_report_has_both(rule: str, kind: str) -> None:
    assert (rule, kind) in marked(), f"{rule}: no test is marked @pytest.mark.rule({rule!r}, {kind!r})"
