"""Rules by the names that an officer types: any letter case, and a clear word where a name leads nowhere."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner, Result

from etl.cli import app
from etl.errors import UsageError
from etl.validate import catalogue

DECISIONS = "xét quyết định giao vốn của tỉnh, khi nạp bằng tiendo reference load --allocation"
PERIOD = "xét cả kỳ báo cáo, khi chốt bản tổng hợp bằng tiendo summarise"
STATEMENT = "xét sao kê của Kho bạc Nhà nước, khi nạp bằng tiendo reference load --treasury"


def tiendo(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("CK18", "CK18"),
        ("ck18", "CK18"),
        (" Ck20-JUMP ", "CK20-jump"),
        ("m04", "M04"),
        ("M38", "M38"),
        ("ck10", "CK10"),
    ],
)
def test_a_rule_is_known_in_any_letter_case(typed: str, meant: str) -> None:
    assert catalogue.of_reports(typed) == meant
    assert catalogue.to_backtest(typed) == meant


@pytest.mark.parametrize(
    ("typed", "name", "what"),
    [
        ("CK27", "CK27", DECISIONS),
        ("ck32", "CK32", PERIOD),
        ("CK32-missing", "CK32-missing", PERIOD),
        ("BT01", "BT01", PERIOD),
        ("CK39", "CK39", PERIOD),
        ("CK30", "CK30", STATEMENT),
        ("m30-total", "M30-total", STATEMENT),
    ],
)
@pytest.mark.parametrize("command", [("rules", "backtest"), ("findings",)], ids=" ".join)
def test_a_rule_that_judges_no_report_says_what_it_judges(
    command: tuple[str, ...], typed: str, name: str, what: str
) -> None:
    result = tiendo(*command, "--rule", typed)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (
        f"Quy tắc {name} không xét báo cáo của xã, phường mà {what}. "
        "Trong các báo cáo đã nhận không có kết quả của quy tắc này.\n"
    )


@pytest.mark.parametrize("command", [("rules", "backtest"), ("findings",)], ids=" ".join)
def test_a_rule_that_nobody_knows_is_an_error_that_names_what_is_near(command: tuple[str, ...]) -> None:
    result = tiendo(*command, "--rule", "ck20jump")
    assert (result.exit_code, result.stdout) == (2, "")
    told = "Không có quy tắc ck20jump (gần giống: CK20-jump); xem danh mục bằng: tiendo rules list\n"
    assert result.stderr == told


@pytest.mark.parametrize("rule", ["M40", "m41", "M42"])
def test_a_rule_that_refuses_files_cannot_be_asked_about_past_months(rule: str) -> None:
    with pytest.raises(UsageError, match=f"{rule.upper()} từ chối tệp không mở được.*tiendo findings --rule"):
        catalogue.to_backtest(rule)
    assert catalogue.of_reports(rule) == rule.upper()


def test_every_rule_of_the_list_is_backtested_or_says_why_not() -> None:
    reasons = set()
    for row in json.loads(tiendo("rules", "list", "--json").stdout):
        for name in (row["expectation_id"], row["rule_id"]):
            try:
                assert catalogue.to_backtest(name) == name
            except UsageError as error:
                reasons.add(str(error).partition(name)[2])
    assert all(reason.startswith((" không xét báo cáo", " từ chối tệp")) for reason in reasons)


def test_the_list_has_what_a_statement_is_told_and_the_warehouse_has_not() -> None:
    rows = json.loads(tiendo("rules", "list", "--json").stdout)
    statement = {row["expectation_id"] for row in rows if row["suite"] == "statement"}
    assert statement == catalogue.statement().keys()
    assert {"CK30", "CK31", "M30"} <= statement
    assert all(row[2] != "statement" for row in catalogue.rule_rows())
    lines = tiendo("rules", "list").stdout.splitlines()
    assert len(lines) == len(rows)
    assert any(line.split()[:4] == ["CK30", "statement", "error", "on"] for line in lines)
