"""Cases of messiness.csv that no file shows alone: what else has come, what was published, what the province knows."""

from __future__ import annotations

import csv
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from etl import settings, steps
from etl.collect import archive
from etl.load import allocation, warehouse
from etl.money import vnd_to_trieu
from etl.reference import province
from tests.builders import OCTOBER, QUAN_SON, content, edited, name, workbook
from tests.sql import builders
from tests.sql.conftest import NOW

COMMUNE = "06463"
HEADER = (
    "decision_no", "signed_on", "effective_on", "budget_year", "commune_code", "project_code", "capital_kind", "source",
    "amount_vnd", "note",
)  # fmt: skip
SEPTEMBER = OCTOBER.previous
CUMULATIVE = (
    "disb_nstw", "disb_nsdp", "disb_completed", "disb_advance", "disb_carry", "accepted_volume", "forecast",
)  # fmt: skip
SOURCES = {
    "plan_nstw": "NSTW", "plan_nst": "NST", "plan_nsx": "NSX", "carry_nstw": "KD_NSTW", "carry_nsdp": "KD_NSDP",
}  # fmt: skip


def collect(home: Path, data: bytes, file_name: str = name(), hours: int = 0) -> list[tuple[str, str, str | None]]:
    """The file through the pipeline; (rule, severity, cell) of what was found in it."""
    path = home / "inbox" / file_name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    now = NOW + timedelta(hours=hours)
    steps.archive_inbox(now)
    steps.process_received(now)
    with warehouse.connect() as connection:
        return connection.execute(
            """
            select f.rule_id, f.severity, f.cell from core.finding as f
            inner join raw.submission as s on f.submission_id = s.submission_id
            where s.submission_id = (select max(submission_id) from raw.submission) order by f.finding_no
            """
        ).fetchall()


def second(version: int) -> str:
    return name().replace("_v1", f"_v{version}")


def verdicts() -> list[str]:
    with warehouse.connect() as connection:
        rows = connection.execute("select verdict from raw.submission order by submission_id").fetchall()
    return [verdict for (verdict,) in rows]


def in_force() -> list[str]:
    with warehouse.connect() as connection:
        rows = connection.execute("select file_name from core.in_force('infinity') order by file_name").fetchall()
    return [file_name for (file_name,) in rows]


def figures_of_september() -> bytes:
    """The workbook of October with the cumulative figures of the month before."""
    before = {line.line_code: line.values for line in content(period=SEPTEMBER).lines}
    columns = dict(zip("LMNOPRS", CUMULATIVE, strict=True))

    def edit(book: Workbook) -> None:
        sheet = book["B01-GiaiNgan"]
        for row in range(11, sheet.max_row):
            for letter, key in columns.items():
                values = before.get(str(sheet.cell(row, 3).value))
                if values:
                    sheet[f"J{row}"] = 1  # the month's amount of then, whatever it was
                    sheet[f"{letter}{row}"] = vnd_to_trieu(int(values[key] or 0))

    return edited(edit)


def register(home: Path, change: dict[str, int] | None = None, leave_out: str = "") -> None:
    """Allocation decisions that give the plan of the workbook; ``change``: đồng added to a line's plan_nstw."""

    path = home / "allocation.csv"
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(HEADER)
        for line in content().lines:
            if line.line_code == leave_out:
                continue
            for key, source in SOURCES.items():
                amount = int(line.values[key] or 0) + (change or {}).get(line.line_code, 0) * (key == "plan_nstw")
                writer.writerow(
                    ["QD-1", "2025-01-02", "2025-01-02", 2025, COMMUNE, line.project_code, line.capital_kind, source,
                     amount, ""]
                )  # fmt: skip
    with warehouse.transaction() as connection:
        allocation.load(connection, path, province.load(), NOW)


def first_leaf(book: Workbook) -> int:
    sheet = book["B01-GiaiNgan"]
    return next(r for r in range(11, sheet.max_row) if str(sheet.cell(r, 3).value).endswith(("-DT", "-SN")))


def changed(letter: str, value: Any, note: str | None = None) -> bytes:
    def edit(book: Workbook) -> None:
        row = first_leaf(book)
        book["B01-GiaiNgan"][f"{letter}{row}"] = value
        if note:
            book["B01-GiaiNgan"][f"T{row}"] = note

    return edited(edit)


def test_case_43_the_same_bytes_change_nothing_and_other_bytes_are_a_new_version(empty: Path) -> None:
    collect(empty, workbook())
    collect(empty, workbook(), "BC (sua) final_final.xlsx", hours=1)
    assert verdicts() == ["accepted"]
    note = changed("T", "Đã kiểm tra lại")
    collect(empty, note, second(2), hours=2)
    assert verdicts() == ["accepted", "accepted"]
    assert in_force() == [second(2)]
    collect(empty, changed("L", "không"), second(3), hours=3)
    assert verdicts()[-1] == "returned"
    assert in_force() == [second(2)]  # an invalid later one does not displace a valid earlier one


def test_case_44_what_comes_after_publication_waits_for_an_officer(empty: Path) -> None:
    collect(empty, workbook())
    frozen = steps.freeze(str(OCTOBER), NOW + timedelta(hours=1))
    release, manifest = frozen["release_id"], frozen["manifest_sha256"]
    steps.approve(release, manifest, "thu_ky", "approved", NOW + timedelta(hours=2))
    steps.publish(release, NOW + timedelta(hours=2))
    collect(empty, changed("T", "Số liệu bổ sung"), second(2), hours=3)
    assert in_force() == [name()]
    with warehouse.connect() as connection:
        (waiting,) = connection.execute("select max(submission_id) from raw.submission").fetchone() or (0,)
    steps.revise(waiting, "accepted", "Trưởng phòng", "Văn bản đề nghị của xã", NOW + timedelta(hours=4))
    assert in_force() == [second(2)]


def test_case_45_the_drop_folder_is_a_place_that_must_agree(empty: Path) -> None:
    found = collect(empty, workbook(), f"2025-09/{name()}")
    assert [(rule, severity) for rule, severity, _ in found] == [("M45", "error")]


def test_case_19_the_sender_is_a_place_that_must_agree(empty: Path) -> None:
    sha256 = archive.store(settings.get().archive_dir, workbook())
    with warehouse.connect() as connection:
        builders.delivered(
            connection, "mailbox", name(), sha256, NOW, NOW, sender="x@quanson.example", sender_commune=QUAN_SON
        )
    steps.process_received(NOW)
    with warehouse.connect() as connection:
        assert connection.execute("select rule_id from core.finding").fetchall() == [("M19",)]


def test_case_46_the_signed_paper_is_kept_and_the_workbook_counts(empty: Path) -> None:
    found = collect(empty, b"%PDF-1.7 signed", name().replace(".xlsx", ".pdf"))
    assert found == [("M46", "warning", None)]
    collect(empty, workbook(), hours=1)
    assert in_force() == [name()]


def test_case_47_the_figures_of_the_month_before_are_asked_about(empty: Path) -> None:

    collect(empty, workbook(period=SEPTEMBER), name(period=SEPTEMBER))
    assert verdicts() == ["accepted"]
    found = collect(empty, figures_of_september(), hours=1)
    assert ("M47", "warning", None) in found


def test_case_47_a_month_of_zeros_says_that_nothing_happened(empty: Path) -> None:
    collect(empty, workbook(period=SEPTEMBER), name(period=SEPTEMBER))

    def still(book: Workbook) -> None:
        sheet = book["B01-GiaiNgan"]
        for row in range(11, sheet.max_row):
            if str(sheet.cell(row, 3).value).endswith(("-DT", "-SN")):
                sheet[f"J{row}"] = 0

    assert "M47" not in [rule for rule, *_ in collect(empty, edited(still, figures_of_september()), hours=1)]


def test_case_48_the_first_official_receipt_counts_however_it_was_passed_on(empty: Path) -> None:
    sha256 = archive.store(settings.get().archive_dir, workbook())
    with warehouse.connect() as connection:
        builders.delivered(
            connection, "mailbox", name(), sha256, NOW, NOW + timedelta(hours=5), sender="can.bo@xa.example",
            forwarded_by="van.thu@so.example", path="7/1",
        )  # fmt: skip
        builders.delivered(connection, "folder", name(), sha256, NOW + timedelta(hours=4), NOW + timedelta(hours=5))
    steps.process_received(NOW + timedelta(hours=5))
    with warehouse.connect() as connection:
        row = connection.execute("select received_at from raw.submission").fetchone()
        passed_on = connection.execute("select forwarded_by from raw.delivery where forwarded_by <> ''").fetchall()
    assert row == (NOW,)
    assert passed_on == [("van.thu@so.example",)]


@pytest.mark.parametrize(("note", "rules"), [(None, ["CK15"]), ("Thu hồi tạm ứng theo kết luận kiểm tra", [])])
def test_case_49_a_cumulative_below_the_one_before_needs_a_recovery(
    empty: Path, note: str | None, rules: list[str]
) -> None:

    collect(empty, workbook(period=SEPTEMBER), name(period=SEPTEMBER))

    def shrink(book: Workbook) -> None:
        sheet = book["B01-GiaiNgan"]
        row = next(
            r for r in range(11, sheet.max_row)
            if str(sheet.cell(r, 3).value).endswith(("-DT", "-SN")) and (sheet[f"L{r}"].value or 0) > 1
        )  # fmt: skip
        for letter, value in zip("LMNOP", (0.5, 0, 0.5, 0, 0), strict=True):
            sheet[f"{letter}{row}"] = value
        sheet[f"T{row}"] = note

    found = collect(empty, edited(shrink), hours=1)
    assert [rule for rule, severity, _ in found if severity == "error"] == rules


def test_case_50_the_plan_is_the_register_s_and_not_the_file_s(empty: Path) -> None:

    line = content().lines[0].line_code
    register(empty, {line: 2_500_000})
    found = collect(empty, workbook())
    assert [(rule, severity) for rule, severity, _ in found] == [("CK24", "error")]
    with warehouse.connect() as connection:
        row = connection.execute("select sheet, difference, message_vi from core.finding").fetchone()
    assert row is not None
    assert (row[0], row[1]) == ("B01-GiaiNgan", "-2500000")
    assert "lệch -2,5 triệu đồng" in row[2]


def test_case_50_the_plan_of_the_register_is_no_finding(empty: Path) -> None:
    register(empty)
    assert collect(empty, workbook()) == []


def test_case_06_a_plan_in_nghin_dong_is_told_from_the_register(empty: Path) -> None:
    register(empty)

    def rescale(book: Workbook) -> None:
        for row in book["B01-GiaiNgan"].iter_rows(min_row=11, min_col=4, max_col=19):
            for cell in row:
                if isinstance(cell.value, int | float) and cell.column_letter != "Q":
                    cell.value = round(cell.value * 1_000, 6)

    found = collect(empty, edited(rescale, values=True))
    assert [rule for rule, severity, _ in found if severity == "error"][:1] == ["M06"]
    assert not [rule for rule, _, _ in found if rule.startswith("CK")]


def test_case_51_a_line_that_was_never_allotted_is_sent_back(empty: Path) -> None:

    register(empty, leave_out=content().lines[0].line_code)
    found = collect(empty, workbook())
    assert [(rule, severity) for rule, severity, _ in found] == [("M51", "error")]
