"""The page of the catalogue is that of the files: ``make rules`` writes it."""

from __future__ import annotations

from etl import settings
from etl.validate import catalogue, rules_page


def test_the_readme_of_the_rules_is_made_from_the_rules() -> None:
    page = settings.assets() / "expectations" / "README.md"
    assert page.read_text(encoding="utf-8") == rules_page.text(), "run: make rules"


def test_it_names_every_rule_in_both_languages() -> None:
    text = rules_page.text()
    for rule in (*catalogue.every_rule(), *catalogue.every_other_rule()):
        assert f"| {rule.id} |" in text
        assert rule.reason in text
        assert rule.en in text


def test_it_names_what_a_statement_of_the_treasury_is_told() -> None:
    text = rules_page.text()
    section = text[text.index("## So với sao kê của Kho bạc Nhà nước") :].split("\n## ")[0]
    assert "Chính sao kê, xét khi nạp" in section
    for id, rule in catalogue.statement().items():
        assert f"| {id} |" in section
        assert rule.reason in section
