"""What officers say to findings: overrides that admit a returned report, explanations, and what is refused."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook
from typer.testing import CliRunner

from etl import steps
from etl.cli import app
from etl.errors import UsageError
from etl.load import allocation, answer, warehouse
from etl.reference import province
from etl.reference.province import split_line_code
from etl.validate.known import PLAN_KEYS
from tests.builders import OCTOBER, content, edited, name, workbook
from tests.sql.conftest import NOW

SEPTEMBER = OCTOBER.previous
OFFICER, REASON = "Nguyễn Thị Lan", "Số liệu đã đối chiếu với Kho bạc, Công văn 12/STC"


def hours(number: int) -> datetime:
    return NOW + timedelta(hours=number)


def collect(home: Path, data: bytes, file_name: str = name(), at: int = 0) -> None:
    path = home / "inbox" / f"{at}" / file_name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    steps.archive_inbox(hours(at))
    steps.process_received(hours(at))


def leaves(book: Workbook, least: float = 0) -> list[int]:
    """Rows of Biểu 01's lines on which more than ``least`` triệu of central money is paid."""
    sheet = book["B01-GiaiNgan"]
    lines = [r for r in range(11, sheet.max_row) if str(sheet.cell(r, 3).value).endswith(("-DT", "-SN"))]
    return [r for r in lines if (sheet[f"L{r}"].value or 0) >= least]


def changed(**cells: Any) -> Callable[[Workbook], None]:
    def change(book: Workbook) -> None:
        row = leaves(book)[0]
        for letter, value in cells.items():
            book["B01-GiaiNgan"][f"{letter}{row}"] = value

    return change


FALLEN = changed(L=0.5, M=0, N=0.5, O=0, P=0, T=None)
"""A cumulative below that of the month before, without a note."""


def forecasts(*amounts: float, **cells: Any) -> Callable[[Workbook], None]:
    """So much foreseen on the first lines with payments: less than what is paid, without a note (CK13)."""

    def change(book: Workbook) -> None:
        sheet = book["B01-GiaiNgan"]
        silent = [row for row in leaves(book, 1) if not sheet[f"T{row}"].value]
        for row, amount in zip(silent, amounts, strict=False):
            sheet[f"S{row}"] = amount
        for letter, value in cells.items():
            sheet[f"{letter}{silent[-1]}"] = value

    return change


def version(number: int) -> str:
    return name().replace("_v1", f"_v{number}")


def number_of(file_name: str) -> int:
    return int(one("select submission_id from raw.submission where file_name = %s", file_name))


def warned(submission: int) -> dict[str, Any]:
    """The first warning of CK13 on it."""
    return next(row for row in listed() if (row["submission"], row["rule"]) == (submission, "CK13"))


def outcomes(rule: str) -> list[tuple[str, str | None, str | None]]:
    with warehouse.connect() as connection:
        return connection.execute(
            "select outcome, explanation, answered_by from mart.finding "
            "where rule_id = %s and period = '2025-10' and severity <> 'info' order by line, item",
            (rule,),
        ).fetchall()


def said(subject: int, action: str) -> list[tuple[str, str]]:
    """Who gave which reason, as the audit chain has it."""
    with warehouse.connect() as connection:
        return connection.execute(
            "select actor, detail ->> 'reason' from audit.event where subject = %s and action = %s order by seq",
            (str(subject), action),
        ).fetchall()


def listed() -> list[dict[str, Any]]:
    with warehouse.connect() as connection:
        return answer.listed(connection, OCTOBER)


def one(query: str, *values: Any) -> Any:
    with warehouse.connect() as connection:
        row = connection.execute(query, values).fetchone()
    return row[0] if row and len(row) == 1 else row


@pytest.fixture
def returned(empty: Path) -> int:
    """A returned report of October with one error; the number of its submission."""
    collect(empty, workbook(period=SEPTEMBER), name(period=SEPTEMBER))
    collect(empty, edited(FALLEN), at=1)
    errors = [row for row in listed() if row["severity"] == "error"]
    assert [row["rule"] for row in errors] == ["CK15"]
    return int(errors[0]["submission"])


def test_an_override_admits_the_report_from_that_moment_on(empty: Path, returned: int) -> None:
    assert one("select count(*) from core.in_force('infinity') where period = '2025-10'") == 0
    result = steps.override(returned, [], OFFICER, REASON, hours(5))
    assert result == {"submission": returned, "overridden": [1], "new": [1], "open": [], "admitted": True}
    at = "select count(*) from core.in_force(%s) where period = '2025-10'"
    assert (one(at, hours(4)), one(at, hours(5))) == (0, 1)
    paid = "select disb_ytd from mart.disbursement_line where period = '2025-10' order by row_no limit 1"
    assert one(paid) == 500_000
    assert one("select lower(range_merge(in_force)) from raw.submission_in_force where submission_id = %s", returned) \
        == hours(5)  # fmt: skip


def test_an_override_is_told_with_name_and_reason_and_in_the_audit_chain(returned: int) -> None:
    steps.override(returned, [1], OFFICER, REASON, hours(5))
    assert [(r["answer"], r["answered_by"], r["reason"]) for r in listed() if r["severity"] == "error"] == [
        ("overridden", OFFICER, REASON)
    ]
    with warehouse.connect() as connection:
        actions = connection.execute(
            "select actor, action, detail ->> 'rule' from audit.event where subject = %s order by seq", (str(returned),)
        ).fetchall()
    assert (OFFICER, "finding.overridden", "CK15") in actions
    assert (OFFICER, "submission.admitted", None) in actions
    assert one("select outcome from mart.finding where rule_id = 'CK15' and severity = 'error'") == "overridden"
    status = "select state, errors, overridden from mart.submission_status where commune_code = '06463' and period = %s"
    assert one(status, "2025-10") == ("reported", 0, 1)


def test_the_same_override_again_changes_nothing(returned: int) -> None:
    steps.override(returned, [], OFFICER, REASON, hours(5))
    again = steps.override(returned, [], OFFICER, REASON, hours(6))
    assert (again["admitted"], again["open"]) == (False, [])
    assert one("select count(*), min(answered_at) from core.finding_answer") == (1, hours(5))
    assert one("select count(*) from raw.admission") == 1


def test_a_report_with_errors_left_is_not_admitted_yet(empty: Path) -> None:
    def two(book: Workbook) -> None:
        FALLEN(book)
        sheet = book["B01-GiaiNgan"]
        row = leaves(book, 1)[1]
        sheet[f"O{row}"] = (sheet[f"O{row}"].value or 0) + 1

    collect(empty, workbook(period=SEPTEMBER), name(period=SEPTEMBER))
    collect(empty, edited(two), at=1)
    errors = [row for row in listed() if row["severity"] == "error"]
    assert sorted(row["rule"] for row in errors) == ["CK03", "CK15"]
    number = errors[0]["submission"]
    first = steps.override(number, [errors[0]["finding"]], OFFICER, REASON, hours(2))
    assert (first["open"], first["admitted"]) == ([errors[1]["finding"]], False)
    assert one("select count(*) from core.in_force('infinity') where period = '2025-10'") == 0
    assert steps.override(number, [], OFFICER, REASON, hours(3))["admitted"]


def test_what_cannot_be_read_cannot_be_overridden(empty: Path) -> None:
    collect(empty, edited(changed(P="không")))
    (row,) = [r for r in listed() if r["severity"] == "error"]
    with pytest.raises(UsageError, match="không thể bỏ qua"):
        steps.override(row["submission"], [], OFFICER, REASON, hours(1))
    assert one("select count(*) from core.finding_answer") == 0


def test_a_report_that_was_replaced_is_history(empty: Path, returned: int) -> None:
    collect(empty, workbook(), version(2), at=2)
    with pytest.raises(UsageError, match="đã được đơn vị thay bằng"):
        steps.override(returned, [], OFFICER, REASON, hours(3))


def test_a_later_report_takes_over_from_an_admitted_one(empty: Path, returned: int) -> None:
    steps.override(returned, [], OFFICER, REASON, hours(2))
    collect(empty, workbook(), name().replace("_v1", "_v2"), at=3)
    assert one("select file_name from core.in_force('infinity') where period = '2025-10'") == name().replace(
        "_v1", "_v2"
    )
    assert one("select outcome from mart.finding where rule_id = 'CK15' and severity = 'error'") == "corrected"


@pytest.mark.parametrize(("by", "reason"), [("", REASON), (OFFICER, "  ")])
def test_an_override_needs_a_name_and_a_reason(returned: int, by: str, reason: str) -> None:
    with pytest.raises(UsageError, match="--by"):
        steps.override(returned, [], by, reason, hours(2))


def test_an_accepted_report_has_nothing_to_override(empty: Path) -> None:
    collect(empty, workbook())
    number = one("select submission_id from raw.submission")
    with pytest.raises(UsageError, match="không bị trả lại"):
        steps.override(number, [], OFFICER, REASON, hours(2))


def test_the_note_of_the_row_answers_a_warning_and_an_officer_can_answer_too(empty: Path) -> None:
    def forecast(book: Workbook) -> None:
        sheet = book["B01-GiaiNgan"]
        silent = [row for row in leaves(book, 1) if not sheet[f"T{row}"].value]
        for row, note in zip(silent, ("Theo khối lượng thực tế", None), strict=False):
            sheet[f"S{row}"], sheet[f"T{row}"] = 0, note

    collect(empty, edited(forecast))
    found = [row for row in listed() if row["rule"] == "CK13"]
    assert "Theo khối lượng thực tế" in [row["explanation"] for row in found]
    open_ = next(row for row in found if not row["explanation"])
    steps.explain(open_["submission"], open_["finding"], OFFICER, "Đã kiểm tra", hours(1))
    with warehouse.connect() as connection:
        rows = connection.execute(
            "select outcome, explanation, answered_by from mart.finding where rule_id = 'CK13' order by answered_by"
        ).fetchall()
    assert ("explained", "Đã kiểm tra", OFFICER) in rows
    assert ("explained", "Theo khối lượng thực tế", None) in rows
    precision = "select found, explained, precision_pct from mart.rule_precision " \
        "where expectation_id = 'CK13-short' and period is null"  # fmt: skip
    assert one(precision) == (2, 2, 0)


# Another answer -------------------------------------------------------------------------------------------------------


def test_another_officers_explanation_is_the_later_word_and_both_are_kept(empty: Path) -> None:
    collect(empty, edited(forecasts(0)))
    found = warned(number_of(name()))
    asked = (found["submission"], found["finding"])
    assert steps.explain(*asked, OFFICER, "Đã kiểm tra", hours(1))["new"]
    later = steps.explain(*asked, "Lê Văn Bình", "Chủ đầu tư xin lùi tiến độ", hours(2))
    assert (later["new"], later["before"]) == (True, {"by": OFFICER, "reason": "Đã kiểm tra", "submission": asked[0]})
    assert not steps.explain(*asked, " Lê Văn Bình ", "Chủ đầu tư xin lùi tiến độ", hours(3))["new"]
    assert outcomes("CK13") == [("explained", "Chủ đầu tư xin lùi tiến độ", "Lê Văn Bình")]
    assert (warned(asked[0])["reason"], len(listed())) == ("Chủ đầu tư xin lùi tiến độ", 1)
    assert said(asked[0], "finding.explained") == [
        (OFFICER, "Đã kiểm tra"),
        ("Lê Văn Bình", "Chủ đầu tư xin lùi tiến độ"),
    ]
    status = "select warnings, explained from mart.submission_status where commune_code = '06463' and period = %s"
    assert one(status, "2025-10") == (1, 1)
    then = "select explanation from mart.finding_at(%s) where rule_id = 'CK13'"
    assert (one(then, hours(1)), one(then, hours(2))) == ("Đã kiểm tra", "Chủ đầu tư xin lùi tiến độ")


def test_who_comes_back_to_an_earlier_answer_has_the_last_word_again(empty: Path) -> None:
    collect(empty, edited(forecasts(0)))
    found = warned(number_of(name()))
    for at, reason in enumerate(("Một", "Hai", "Một"), 1):
        assert steps.explain(found["submission"], found["finding"], OFFICER, reason, hours(at))["new"]
    assert outcomes("CK13") == [("explained", "Một", OFFICER)]


def test_another_reason_for_an_override_is_the_later_word_and_the_admission_stays(empty: Path, returned: int) -> None:
    steps.hand_back(hours(2))
    steps.override(returned, [], OFFICER, REASON, hours(5))
    later = steps.override(returned, [], "Lê Văn Bình", "Công văn 15/STC", hours(6))
    assert (later["overridden"], later["new"], later["admitted"]) == ([1], [1], False)
    assert steps.override(returned, [], "Lê Văn Bình", "Công văn 15/STC", hours(7))["new"] == []
    assert outcomes("CK15") == [("overridden", "Công văn 15/STC", "Lê Văn Bình")]
    assert one("select admitted_by, admitted_at from raw.admission") == (OFFICER, hours(5))
    assert said(returned, "finding.overridden") == [(OFFICER, REASON), ("Lê Văn Bình", "Công văn 15/STC")]
    status = "select errors, overridden from mart.submission_status where commune_code = '06463' and period = %s"
    assert one(status, "2025-10") == (0, 1)
    steps.hand_back(hours(8))
    (text,) = (empty / "out" / "2025-10" / "tra-lai").glob("*.chap-nhan.txt")
    assert f"theo quyết định của {OFFICER}, dù còn 1 lỗi. Lý do: {REASON}." in text.read_text(encoding="utf-8")


def call(submission: int, *words: str) -> str:
    result = CliRunner().invoke(app, [*words, "--submission", str(submission), "--by", OFFICER])
    assert result.exit_code == 0, result.output
    return result.output


def test_the_command_line_says_what_became_of_an_override(returned: int) -> None:
    assert call(returned, "override", "--reason", REASON) == f"Báo cáo số {returned}: chấp nhận lỗi số 1; đã nạp\n"
    again = call(returned, "override", "--reason", REASON)
    assert "đã nạp từ trước; các lỗi này đã được chấp nhận từ trước, không ghi thêm" in again
    another = call(returned, "override", "--reason", "Công văn 15/STC")
    assert "đã nạp từ trước; đã ghi thêm lý do mới cho lỗi số 1" in another


def test_the_command_line_says_what_became_of_an_explanation(empty: Path) -> None:
    collect(empty, edited(forecasts(0)))
    found = warned(number_of(name()))
    words = ("explain", "--finding", str(found["finding"]), "--reason")
    assert call(found["submission"], *words, "Một").endswith("đã ghi\n")
    assert call(found["submission"], *words, "Một").endswith("đã ghi từ trước\n")
    assert f"đã ghi; thay cho giải trình trước của {OFFICER} (“Một”)" in call(found["submission"], *words, "Hai")


# Versions -------------------------------------------------------------------------------------------------------------


def test_only_the_senders_last_word_is_admitted(empty: Path, returned: int) -> None:
    collect(empty, edited(changed(L=0.4, M=0, N=0.4, O=0, P=0, T=None)), version(2), at=2)
    newer = number_of(version(2))
    with pytest.raises(UsageError, match=rf"không phải bản mới nhất.*báo cáo số {newer} .*_v2.*bị trả lại"):
        steps.override(returned, [], OFFICER, REASON, hours(3))
    assert one("select count(*) from core.finding_answer") == 0
    assert steps.override(newer, [], OFFICER, REASON, hours(4))["admitted"]


def test_a_warning_of_a_version_that_was_replaced_is_not_explained(empty: Path) -> None:
    collect(empty, edited(forecasts(0)))
    collect(empty, workbook(), version(2), at=1)
    old = warned(number_of(name()))
    with pytest.raises(UsageError, match=rf"đã được thay; báo cáo đang có hiệu lực là số {number_of(version(2))} "):
        steps.explain(old["submission"], old["finding"], OFFICER, REASON, hours(2))
    assert one("select count(*) from core.finding_answer") == 0


def test_a_warning_of_the_version_in_force_is_explained_though_a_later_one_was_returned(empty: Path) -> None:
    collect(empty, edited(forecasts(0)))
    collect(empty, edited(changed(P="không")), version(2), at=1)
    old = warned(number_of(name()))
    assert steps.explain(old["submission"], old["finding"], OFFICER, REASON, hours(2))["new"]
    assert outcomes("CK13") == [("explained", REASON, OFFICER)]


def test_an_explanation_is_carried_on_to_the_same_warning_in_the_next_version(empty: Path) -> None:
    collect(empty, edited(forecasts(0, 0)))
    first = number_of(name())
    for row in [row for row in listed() if row["rule"] == "CK13"]:
        steps.explain(first, row["finding"], OFFICER, "Đã kiểm tra", hours(1))
    collect(empty, edited(forecasts(0, 0.5)), version(2), at=2)
    second = number_of(version(2))
    assert sorted(outcomes("CK13")) == [("explained", "Đã kiểm tra", OFFICER), ("open", None, None)]
    found = [row for row in listed() if (row["submission"], row["rule"]) == (second, "CK13")]
    assert [(row["value"], row["answer"], row["answered_in"]) for row in found if row["answer"]] == [
        ("0", "explained", first)
    ]
    status = "select warnings, explained from mart.submission_status where commune_code = '06463' and period = %s"
    assert one(status, "2025-10") == (2, 1)
    assert f"Giải trình (ở báo cáo số {first}): {OFFICER}, Đã kiểm tra" in answer.as_text(found)
    carried = next(row for row in found if row["answer"])
    assert not steps.explain(second, carried["finding"], OFFICER, "Đã kiểm tra", hours(3))["new"]
    assert steps.explain(second, carried["finding"], OFFICER, "Xã đã báo cáo bổ sung", hours(4))["new"]
    assert ("explained", "Xã đã báo cáo bổ sung", OFFICER) in outcomes("CK13")


# What speaks for a rule -----------------------------------------------------------------------------------------------


PLANS = {"E": "NSTW", "F": "NST", "G": "NSX", "H": "KD_NSTW", "I": "KD_NSDP"}


def register(home: Path) -> None:
    """The plan of the sample report as the province's decision."""
    rows = ["decision_no,signed_on,effective_on,budget_year,commune_code,project_code,capital_kind,source,amount_vnd"]
    for line in content().lines:
        project, kind = split_line_code(line.line_code)
        for key, source in zip(PLAN_KEYS, PLANS.values(), strict=True):
            amount = line.values[key] or 0
            rows.append(f"1/QĐ-UBND,2025-07-01,2025-07-01,2025,06463,{project},{kind},{source},{amount}")
    path = home / "allocation.csv"
    path.write_text("\n".join(rows), encoding="utf-8")
    with warehouse.transaction() as connection:
        allocation.load(connection, path, province.load(), NOW)


def overpaid(book: Workbook) -> None:
    """More paid from carried-over capital than there is (CK08)."""
    sheet = book["B01-GiaiNgan"]
    carried = {row: (sheet[f"H{row}"].value or 0) + (sheet[f"I{row}"].value or 0) for row in leaves(book, 1)}
    row = next(row for row, amount in carried.items() if sheet[f"L{row}"].value > amount + 1)
    sheet[f"P{row}"] = carried[row] + 1


def in_thousands(book: Workbook) -> None:
    sheet = book["B01-GiaiNgan"]
    for row in leaves(book):
        for letter in (*PLANS, *"LMNOPRS"):
            value = sheet[f"{letter}{row}"].value
            if isinstance(value, int | float):
                sheet[f"{letter}{row}"] = value * 1000


def both(book: Workbook) -> None:
    overpaid(book)
    in_thousands(book)


def test_a_defect_that_a_returned_version_masks_is_not_corrected(empty: Path) -> None:
    """v2 has it still, but is in nghìn đồng, so that nothing but its unit is told."""
    register(empty)
    collect(empty, edited(overpaid))
    collect(empty, edited(both), version(2), at=1)
    assert {(row["submission"], row["rule"]) for row in listed() if row["severity"] == "error"} == {
        (number_of(name()), "CK08"),
        (number_of(version(2)), "M06"),
    }
    assert outcomes("CK08") == [("open", None, None)]
    counts = "select found, corrected, still_open, precision_pct from mart.rule_precision " \
        "where rule_id = 'CK08' and period = '2025-10' and found > 0"  # fmt: skip
    assert one(counts) == (1, 0, 1, None)
    assert [hit.outcome for hit in steps.backtest("CK08", [OCTOBER])] == ["stood"]
    collect(empty, workbook(), version(3), at=2)
    assert outcomes("CK08") == [("corrected", None, None)]
    assert outcomes("M06") == [("corrected", None, None)]
    assert one(counts) == (1, 1, 0, 100)
    assert [hit.outcome for hit in steps.backtest("CK08", [OCTOBER])] == ["corrected"]


def test_a_warning_of_the_report_in_force_stays_open_while_later_ones_are_returned(empty: Path) -> None:
    collect(empty, edited(forecasts(0)))
    collect(empty, edited(changed(P="không")), version(2), at=1)
    assert outcomes("CK13") == [("open", None, None)]
    assert [hit.outcome for hit in steps.backtest("CK13", [OCTOBER]) if hit.finding.severity == "warning"] == ["stood"]


def two_fallen(book: Workbook) -> None:
    """The first line's cumulative has fallen, and another line's parts do not add up."""
    FALLEN(book)
    sheet = book["B01-GiaiNgan"]
    row = leaves(book, 1)[1]
    sheet[f"O{row}"] = (sheet[f"O{row}"].value or 0) + 1


def test_an_admitted_version_shows_what_was_corrected_on_its_other_lines(empty: Path) -> None:
    collect(empty, workbook(period=SEPTEMBER), name(period=SEPTEMBER))
    collect(empty, edited(two_fallen), at=1)
    collect(empty, edited(FALLEN), version(2), at=2)
    assert outcomes("CK03") == [("open", None, None)]
    steps.override(number_of(version(2)), [], OFFICER, REASON, hours(3))
    assert outcomes("CK03") == [("corrected", None, None)]
    assert outcomes("CK15") == [("overridden", REASON, OFFICER)]


def test_an_admitted_version_says_nothing_of_the_line_whose_error_was_let_pass(empty: Path, returned: int) -> None:
    """What its figures would have broken besides was never judged."""
    with warehouse.transaction() as connection:
        connection.execute(
            """
            insert into core.finding (
                submission_id, finding_no, rule_id, expectation_id, severity, form, line, item, message_vi, fix_vi
            )
            select submission_id, 99, 'CK02', 'CK02', 'error', form, line, item, 'Vượt kế hoạch', 'Sửa'
            from core.finding where submission_id = %s and finding_no = 1
            """,
            (returned,),
        )
    collect(empty, edited(changed(L=0.4, M=0, N=0.4, O=0, P=0, T=None)), version(2), at=2)
    steps.override(number_of(version(2)), [], OFFICER, REASON, hours(3))
    assert outcomes("CK02") == [("open", None, None)]


def test_a_late_revision_corrects_nothing_until_it_is_accepted(empty: Path) -> None:
    collect(empty, edited(forecasts(0)))
    with warehouse.transaction() as connection:
        connection.execute(
            "insert into release.release values ('2025-10-r1', '2025-10', 2025, 1, '2025-10-31', %s, 'f', 'm', %s)",
            (hours(2), hours(2)),
        )
        connection.execute("insert into release.publication values ('2025-10-r1', 'm', %s)", (hours(2),))
    collect(empty, workbook(), version(2), at=3)
    assert outcomes("CK13") == [("open", None, None)]
    steps.revise(number_of(version(2)), "accepted", OFFICER, REASON, hours(4))
    assert outcomes("CK13") == [("corrected", None, None)]


def test_an_error_is_not_explained_away(returned: int) -> None:
    with pytest.raises(UsageError, match="tiendo override"):
        steps.explain(returned, 1, OFFICER, REASON, hours(2))


def test_what_was_corrected_speaks_for_the_rule(empty: Path, returned: int) -> None:
    collect(empty, workbook(), version(2), at=2)
    assert one(
        "select found, corrected, precision_pct from mart.rule_precision "
        "where expectation_id = 'CK15-b01' and period = '2025-10'"
    ) == (1, 1, 100)
    hits = steps.backtest("CK15", [OCTOBER])
    assert [(hit.outcome, hit.commune_code, hit.submission_id) for hit in hits if hit.finding.severity == "error"] == [
        ("corrected", "06463", returned)
    ]


def test_a_backtest_of_a_rule_of_the_intake(empty: Path) -> None:
    """What is met while a report is read is judged with it, so that past reports can be asked about it."""
    as_text = edited(lambda book: book["B01-GiaiNgan"].__setitem__("K14", "0,000"))
    collect(empty, as_text, name())
    collect(empty, workbook(), name().replace("_v1", "_v2"), at=1)
    (told,) = steps.backtest("m04", [OCTOBER])
    assert (told.finding.id, told.outcome, told.commune_code) == ("M04", "corrected", "06463")
    assert (told.finding.sheet, told.finding.cell) == ("B01-GiaiNgan", "K14")


def test_findings_are_picked_by_rule_or_expectation_in_any_letter_case(empty: Path, returned: int) -> None:
    def picked(rule: str) -> set[str]:
        result = CliRunner().invoke(app, ["findings", "--json", "--rule", rule])
        assert result.exit_code == 0, result.output
        return {row["expectation"] for row in json.loads(result.stdout)}

    assert picked("ck15") == {"CK15-b01", "CK15-explained"}
    assert picked("ck15-B01") == {"CK15-b01"}
    assert picked("CK15-b02") == set()


def test_a_backtest_of_a_rule_that_nobody_knows(empty: Path) -> None:
    with pytest.raises(UsageError, match="tiendo rules list"):
        steps.backtest("CK99", [])


def test_the_sender_is_told_that_the_report_was_admitted(empty: Path, returned: int) -> None:
    steps.hand_back(hours(2))
    steps.override(returned, [], OFFICER, REASON, hours(5))
    assert steps.hand_back(hours(6))["receipts"] == 1
    (text,) = (empty / "out" / "2025-10" / "tra-lai").glob("*.chap-nhan.txt")
    told = text.read_text(encoding="utf-8")
    assert "ĐÃ TIẾP NHẬN" in told
    assert f"theo quyết định của {OFFICER}, dù còn 1 lỗi. Lý do: {REASON}." in told
    assert steps.hand_back(hours(7))["receipts"] == 0


def test_an_admitted_late_revision_waits_for_its_own_decision(empty: Path) -> None:
    """To let errors pass is one decision, to change what was published another."""
    collect(empty, workbook(period=SEPTEMBER), name(period=SEPTEMBER))
    collect(empty, workbook(), at=1)
    with warehouse.transaction() as connection:
        connection.execute(
            "insert into release.release values ('2025-10-r1', '2025-10', 2025, 1, '2025-10-31', %s, 'f', 'm', %s)",
            (hours(2), hours(2)),
        )
        connection.execute("insert into release.publication values ('2025-10-r1', 'm', %s)", (hours(2),))
    collect(empty, edited(FALLEN), name().replace("_v1", "_v2"), at=3)
    number = one("select max(submission_id) from raw.submission")
    with pytest.raises(UsageError, match="gửi sau khi công bố"):
        steps.revise(number, "accepted", OFFICER, REASON, hours(4))
    assert steps.override(number, [], OFFICER, REASON, hours(5))["admitted"]
    speaking = "select submission_id from core.in_force('infinity') where period = '2025-10'"
    assert one(speaking) != number
    assert one("select late_revisions_waiting from mart.submission_status where commune_code = '06463' "
               "and period = '2025-10'") == 1  # fmt: skip
    steps.revise(number, "accepted", OFFICER, REASON, hours(6))
    assert one(speaking) == number
    assert one("select count(*) from core.in_force(%s) where submission_id = %s", hours(5), number) == 0


def test_a_backtest_knows_the_month_before_also_where_both_came_in_one_run(empty: Path) -> None:
    for data, period in ((workbook(period=SEPTEMBER), SEPTEMBER), (edited(FALLEN), OCTOBER)):
        path = empty / "inbox" / name(period=period)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    steps.archive_inbox(NOW)
    steps.process_received(NOW)
    hits = [hit for hit in steps.backtest("CK15-b01", []) if hit.finding.severity == "error"]
    assert [(hit.period, hit.outcome) for hit in hits] == [("2025-10", "stood")]


def test_a_version_that_came_in_the_same_run_and_replaced_it_counts_too(empty: Path) -> None:
    collect(empty, workbook(period=SEPTEMBER), name(period=SEPTEMBER))
    for number, data in ((1, edited(FALLEN)), (2, workbook())):
        path = empty / "inbox" / "both" / name().replace("_v1", f"_v{number}")
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
        os.utime(path, (hours(number).timestamp(),) * 2)
    steps.archive_inbox(hours(3))
    steps.process_received(hours(3))
    number = one("select submission_id from raw.submission where verdict = 'returned'")
    with pytest.raises(UsageError, match="đã được đơn vị thay bằng"):
        steps.override(number, [], OFFICER, REASON, hours(4))
