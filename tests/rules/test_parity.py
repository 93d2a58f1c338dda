"""For each rule one report that just breaks it and gives its finding only, and one that just does not (law 13)."""

from __future__ import annotations

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
