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
from etl.load import answer, warehouse
from tests.builders import OCTOBER, edited, name, workbook
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
    assert result == {"submission": returned, "overridden": [1], "open": [], "admitted": True}
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
    collect(empty, workbook(), name().replace("_v1", "_v2"), at=2)
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


def test_an_error_is_not_explained_away(returned: int) -> None:
    with pytest.raises(UsageError, match="tiendo override"):
        steps.explain(returned, 1, OFFICER, REASON, hours(2))


def test_what_was_corrected_speaks_for_the_rule(empty: Path, returned: int) -> None:
    collect(empty, workbook(), name().replace("_v1", "_v2"), at=2)
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
