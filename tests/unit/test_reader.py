"""The reader finds forms, columns and rows by their texts, and never guesses."""

from __future__ import annotations

from typing import Any

import pytest
from openpyxl import Workbook

from etl.collect import reader
from etl.collect.report import Report
from etl.period import Period
from etl.reference import forms, province
from tests.builders import OCTOBER, QUAN_SON, content, edited, name, workbook


def read(data: bytes, file_name: str = name()) -> Report:
    return reader.read(file_name, data, province.load())


def facts(report: Report) -> dict[str, list[tuple[str, dict[str, Any]]]]:
    return {n: [(r.code, r.values) for r in f.rows if r.role == "leaf"] for n, f in report.forms.items()}


@pytest.fixture(scope="module")
def clean() -> Report:
    return read(workbook())


def test_a_clean_workbook_has_no_issue_and_says_who_and_when(clean: Report) -> None:
    assert clean.issues == []
    assert (clean.commune_code, clean.period, clean.budget_year) == ("06463", OCTOBER, 2025)
    assert (clean.template_id, clean.template_version, clean.version_no) == ("BC-MTQG", 1, 1)
    assert list(clean.forms) == ["B01", "B02", "B03", "B04", "B05"]


def test_every_amount_is_read_to_the_dong(clean: Report) -> None:
    written = {line.line_code: line.values for line in content().lines}
    rows = {row.code: row.values for row in clean.forms["B01"].rows if row.role == "leaf"}
    assert rows.keys() == written.keys()
    for code, values in written.items():
        for key in ("plan_nstw", "carry_nsdp", "disb_nstw", "disb_nsdp", "disb_advance", "forecast"):
            assert rows[code][key] == values[key], (code, key)


def test_headings_and_totals_are_control_rows_and_never_facts(clean: Report) -> None:
    roles = {row.role for row in clean.forms["B01"].rows}
    assert roles == {"leaf", "heading", "total", "off_budget"}
    assert all(row.code.endswith(("-DT", "-SN")) for row in clean.forms["B01"].rows if row.role == "leaf")


def test_the_signature_block_is_no_row(clean: Report) -> None:
    assert clean.line_counts["B03"] == len(content().tasks)
    assert clean.line_counts["B04"] == len(content().proposals)


def test_a_workbook_saved_without_formula_values_gives_the_same_facts(clean: Report) -> None:
    resaved = read(edited(lambda _: None))
    assert resaved.issues == []
    assert facts(resaved) == facts(clean)


def test_rows_inserted_above_the_header_change_nothing(clean: Report) -> None:
    def insert(book: Workbook) -> None:
        book["B01-GiaiNgan"].insert_rows(8, 3)

    moved = read(edited(insert, values=True))
    assert moved.issues == []
    assert facts(moved)["B01"] == facts(clean)["B01"]
    assert moved.forms["B01"].rows[0].row_no == clean.forms["B01"].rows[0].row_no + 3


def test_columns_in_another_order_are_found_by_their_headers(clean: Report) -> None:
    def swap(book: Workbook) -> None:
        sheet = book["B05-LoTrinh"]
        for row in range(8, sheet.max_row + 1):
            a, b = sheet.cell(row, 16), sheet.cell(row, 17)
            if type(a).__name__ == "Cell" and type(b).__name__ == "Cell" and row > 9:
                a.value, b.value = b.value, a.value
        for merged in [m for m in sheet.merged_cells.ranges if m.min_row in (8, 9) and m.max_col >= 16]:
            sheet.unmerge_cells(merged.coord)
        sheet["P8"], sheet["P9"] = "Ghi chú", None
        sheet["Q8"], sheet["Q9"] = "Lũy kế giải ngân dự kiến đến hết", "31/01 năm sau"

    swapped = read(edited(swap, values=True))
    assert [i for i in swapped.issues if i.rule == "M31"] == []
    assert swapped.forms["B05"].columns["planned_close"] == "Q"
    assert facts(swapped)["B05"] == facts(clean)["B05"]


def test_a_renamed_header_is_an_error_that_names_both_texts() -> None:
    def rename(book: Workbook) -> None:
        book["B01-GiaiNgan"]["L9"] = "Đã chi"

    issues = read(edited(rename)).issues
    assert [(i.rule, i.sheet, i.cell) for i in issues] == [("M31", "B01-GiaiNgan", "L9")]
    assert "Đã chi" in issues[0].values["value"]
    assert "Ngân sách trung ương" in issues[0].values["expected"]


def test_a_missing_sheet_is_named() -> None:
    def drop(book: Workbook) -> None:
        book.remove(book["B04-KienNghi"])

    assert [(i.rule, i.sheet) for i in read(edited(drop)).issues] == [("CK34", "B04-KienNghi")]


def test_extra_and_hidden_sheets_are_left_alone(clean: Report) -> None:
    def add(book: Workbook) -> None:
        book.create_sheet("Nháp")["A1"] = "tính thử"
        copy = book.copy_worksheet(book["B01-GiaiNgan"])
        copy.title, copy.sheet_state = "B01 tháng trước", "hidden"

    report = read(edited(add, values=True))
    assert [(i.rule, i.sheet, i.cell) for i in report.issues] == [("M32-sheet", "B01 tháng trước", None)]
    assert facts(report)["B01"] == facts(clean)["B01"]


def test_two_sheets_of_one_form_are_an_error() -> None:
    def double(book: Workbook) -> None:
        book.copy_worksheet(book["B01-GiaiNgan"]).title = "B01 (2)"

    assert [i.rule for i in read(edited(double, values=True)).issues] == ["M33"]


def test_a_file_of_another_commune_is_not_taken_for_this_one() -> None:
    report = read(workbook(), name(QUAN_SON))
    assert report.commune_code is None
    assert {i.rule for i in report.issues} == {"M19"}


def test_a_file_of_another_month_is_not_taken_for_this_one() -> None:
    report = read(workbook(), name(period=Period(2025, 9)))
    assert report.period is None
    assert {i.rule for i in report.issues} == {"M45"}


def test_a_file_name_that_says_nothing_does_not_disagree() -> None:
    report = read(workbook(), "Bao cao thang 10 (sua) final.xlsx")
    assert (report.commune_code, report.period, report.issues) == ("06463", OCTOBER, [])


@pytest.mark.parametrize(
    ("value", "rule"), [("không", "M08"), ("2.056", "M02"), ("=VLOOKUP(A1,B:C,2)", "M35"), ("#REF!", "M36")]
)
def test_a_cell_that_cannot_be_read_is_reported_with_its_place(value: str, rule: str) -> None:
    def spoil(book: Workbook) -> None:
        cell = book["B01-GiaiNgan"]["R14"]
        cell.value = value
        if value == "#REF!":
            cell.data_type = "e"

    report = read(edited(spoil, values=True))
    assert [(i.rule, i.sheet, i.cell) for i in report.issues] == [(rule, "B01-GiaiNgan", "R14")]
    row = next(r for r in report.forms["B01"].rows if r.row_no == 14)
    assert row.values["accepted_volume"] is None
    assert "accepted_volume" in row.bad


def test_figures_without_a_code_are_an_error_and_no_fact() -> None:
    def strip(book: Workbook) -> None:
        book["B01-GiaiNgan"]["C14"] = None

    report = read(edited(strip, values=True))
    assert [(i.rule, i.cell) for i in report.issues] == [("CK10", "C14")]
    assert report.line_counts["B01"] == len(content().lines) - 1


def test_a_blank_is_blank_and_a_zero_is_declared(clean: Report) -> None:
    def clear(book: Workbook) -> None:
        book["B01-GiaiNgan"]["R14"] = None
        book["B01-GiaiNgan"]["S14"] = "-"

    row = next(r for r in read(edited(clear, values=True)).forms["B01"].rows if r.row_no == 14)
    assert (row.values["accepted_volume"], row.states["accepted_volume"]) == (None, "blank")
    assert (row.values["forecast"], row.states["forecast"]) == (0, "declared_zero")


def test_a_broken_zip_is_refused_and_still_belongs_to_its_sender() -> None:
    report = read(workbook()[:5000])
    assert report.refused
    assert (report.commune_code, report.period) == ("06463", OCTOBER)


def test_the_layout_names_every_column_once() -> None:
    for sheet in forms.load().sheets:
        assert len({c.key for c in sheet.columns}) == len({c.letter for c in sheet.columns}) == len(sheet.columns)
