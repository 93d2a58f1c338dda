"""The official workbook: what it holds, where, and what a spreadsheet program would make of it."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from datetime import date
from decimal import Decimal

import openpyxl
import pytest
from python_calamine import CalamineWorkbook

from etl.collect import template, workbook
from etl.collect.workbook import DisbursementLine, WorkbookContent, file_name
from etl.period import Period
from etl.reference import forms, province

MILLION = 1_000_000
OCTOBER = Period(2025, 10)
MONEY_KEYS = ("plan_nstw", "plan_nst", "plan_nsx", "carry_nstw", "carry_nsdp")


def line(code: str, plan: int = 100, paid: int | None = 40, **more: int | str | None) -> DisbursementLine:
    """A line of ``plan`` triệu đồng, all central, ``paid`` triệu of it disbursed (None: not filled in)."""
    money = None if paid is None else paid * MILLION
    values = {
        "plan_nstw": plan * MILLION,
        **dict.fromkeys(MONEY_KEYS[1:], 0),
        "disb_nstw": money,
        "disb_nsdp": None if paid is None else 0,
        "disb_completed": money,
        "disb_advance": None if paid is None else 0,
        "disb_carry": None if paid is None else 0,
        "accepted_volume": money,
        "forecast": money,
        "note": None,
    }
    kind = "Vốn đầu tư phát triển" if code.endswith("DT") else "Kinh phí sự nghiệp"
    return DisbursementLine(code, kind, values | more)


def report(*lines: DisbursementLine, **more: object) -> WorkbookContent:
    lang_son = province.load()
    content = WorkbookContent(
        commune=lang_son.communes["06517"],
        period=OCTOBER,
        budget_year=2025,
        as_of=date(2025, 10, 31),
        nodes=lang_son.nodes,
        lines=lines,
        nothing_to_report=frozenset({"B03"}),
    )
    return replace(content, **more)


def written(content: WorkbookContent) -> bytes:
    buffer = io.BytesIO()
    template.write_workbook(buffer, content)
    return buffer.getvalue()


def cells(content: WorkbookContent, form: str = "B01") -> dict[str, object]:
    """Reference -> value as a reader of cached values sees it; blank and empty are both left out."""
    book = openpyxl.load_workbook(io.BytesIO(written(content)), data_only=True)
    sheet = book[forms.load().sheet(form).name]
    return {c.coordinate: c.value for row in sheet.iter_rows() for c in row if c.value not in (None, "")}


def formulas(content: WorkbookContent, form: str = "B01") -> dict[str, str]:
    book = openpyxl.load_workbook(io.BytesIO(written(content)))
    sheet = book[forms.load().sheet(form).name]
    return {c.coordinate: c.value for row in sheet.iter_rows() for c in row if c.data_type == "f"}


def planned(content: WorkbookContent, form: str = "B01") -> workbook.SheetPlan:
    return next(p for p in workbook.plan(content, forms.load()) if p.sheet.form == form)


def test_the_file_is_named_by_commune_and_period() -> None:
    assert file_name("06517", OCTOBER) == "BC-MTQG_06517_2025-10_v1.xlsx"


def test_the_closing_report_of_january_names_its_budget_year() -> None:
    january = Period(2026, 1)
    assert file_name("06517", january, budget_year=2025) == "BC-MTQG_06517_2026-01_NS2025_v1.xlsx"
    assert file_name("06517", january, 2, budget_year=2026) == "BC-MTQG_06517_2026-01_v2.xlsx"


def test_the_head_says_who_reports_for_what_until_when() -> None:
    found = cells(report(line("GNBV-DA2-SN")))
    assert found["A1"] == "UBND XÃ QUAN SƠN"
    assert found["A2"] == "Mã đơn vị: 06517"
    assert found["A3"] == "TÌNH HÌNH PHÂN BỔ VÀ GIẢI NGÂN VỐN"
    assert found["A4"] == "Kỳ báo cáo: tháng 10 năm 2025 (năm ngân sách 2025)"
    assert found["A5"] == "Số liệu lũy kế đến ngày: 31/10/2025"
    assert found["T1"] == "Biểu số 01/BC-MTQG"
    assert found["T7"] == "Đơn vị tính: triệu đồng"


def test_the_box_of_nothing_to_report_stands_right_of_its_label() -> None:
    found = cells(report(line("GNBV-DA2-SN")), "B03")
    assert found["B7"] == "Không phát sinh (x):"
    assert found["C7"] == "x"


@pytest.mark.parametrize("form", [s.form for s in forms.load().sheets])
def test_the_header_holds_the_texts_of_the_layout(form: str) -> None:
    found = cells(report(line("GNBV-DA2-SN")), form)
    upper = None
    for column in forms.load().sheet(form).columns:
        upper = found.get(f"{column.letter}8", upper)
        assert upper == column.header_1
        assert found.get(f"{column.letter}9", "") == column.header_2
        assert found[f"{column.letter}10"] == column.number_label


def test_equal_upper_headers_are_merged_and_single_ones_cover_both_rows() -> None:
    book = openpyxl.load_workbook(io.BytesIO(written(report(line("GNBV-DA2-SN")))))
    merged = {str(r) for r in book["B01-GiaiNgan"].merged_cells.ranges}
    assert {"D8:I8", "K8:P8", "A8:A9", "J8:J9"} <= merged


def test_rows_follow_the_programme_tree_down_to_the_capital_kinds() -> None:
    content = report(line("NTM-ND02-DT"), line("GNBV-DA3-TDA1-SN"), line("NTM-ND02-SN"))
    rows = [(r.cells["stt"].value, r.code) for r in planned(content).rows]
    assert rows == [
        ("I", "GNBV"),
        ("3", "GNBV-DA3"),
        ("3.1", "GNBV-DA3-TDA1"),
        ("a", "GNBV-DA3-TDA1-SN"),
        ("II", "NTM"),
        ("2", "NTM-ND02"),
        ("a", "NTM-ND02-DT"),
        ("b", "NTM-ND02-SN"),
        (None, ""),
    ]


def test_a_programme_without_projects_carries_its_lines_itself() -> None:
    rows = planned(report(line("MTQG-2630-DT"), line("MTQG-2630-SN"))).rows
    assert [r.code for r in rows] == ["MTQG-2630", "MTQG-2630-DT", "MTQG-2630-SN", ""]


def test_headings_and_the_total_sum_their_children_with_the_value_already_there() -> None:
    content = report(line("GNBV-DA2-SN", 100, 40), line("NTM-ND02-DT", 300, 60), line("NTM-ND02-SN", 50, 5))
    found, sheet_plan = cells(content), planned(content)
    assert found[sheet_plan.ref("NTM", "plan_total")] == 350
    assert found[sheet_plan.ref("", "plan_total")] == 450
    assert found[sheet_plan.ref("", "disb_ytd")] == 105
    assert found[f"B{sheet_plan.row('').number}"] == "TỔNG CỘNG"
    assert formulas(content)[sheet_plan.ref("NTM-ND02", "disb_ytd")] == '=IF(COUNT(K16:K17)=0,"",SUM(K16:K17))'


def test_a_rate_is_sum_over_sum_also_in_the_total() -> None:
    content = report(line("GNBV-DA2-SN", 100, 40), line("NTM-ND02-DT", 300, 60))
    assert cells(content)[planned(content).ref("", "disb_rate")] == 25


def test_the_month_is_the_cumulative_figure_less_last_months() -> None:
    content = report(line("GNBV-DA2-SN", 100, 40), previous={"GNBV-DA2-SN": {"disb_ytd": 15 * MILLION + 500_000}})
    where = planned(content).ref("GNBV-DA2-SN", "disb_period")
    assert cells(content)[where] == 24.5
    assert formulas(content)[where] == '=IF(K13="","",ROUND(K13-15.5,6))'


def test_blank_inputs_leave_the_formulas_empty_and_not_zero() -> None:
    content = report(line("GNBV-DA2-SN", 100, None))
    found, sheet_plan = cells(content), planned(content)
    for key in ("disb_period", "disb_ytd", "disb_rate"):
        assert sheet_plan.ref("GNBV-DA2-SN", key) not in found
    assert sheet_plan.ref("", "disb_ytd") not in found


def test_an_empty_formula_result_is_stored_as_text_and_not_as_uncalculated() -> None:
    archive = zipfile.ZipFile(io.BytesIO(written(report(line("GNBV-DA2-SN", 100, None)))))
    sheet = archive.read("xl/worksheets/sheet1.xml").decode()
    assert 't="str"><f>IF(COUNTA(L13:M13)=0,"",SUM(L13:M13))</f><v></v>' in sheet


def test_a_given_value_of_a_computed_column_is_written_as_given() -> None:
    content = report(line("GNBV-DA2-SN", 100, 40, disb_rate=Decimal("12.5")))
    where = planned(content).ref("GNBV-DA2-SN", "disb_rate")
    assert cells(content)[where] == 12.5
    assert where not in formulas(content)


def test_amounts_stand_in_million_dong_exact_to_the_dong() -> None:
    content = report(line("GNBV-DA2-SN", plan_nstw=1_234_567_891))
    assert cells(content)[planned(content).ref("GNBV-DA2-SN", "plan_nstw")] == 1234.567891


def test_text_that_looks_like_a_formula_stays_text() -> None:
    content = report(line("GNBV-DA2-SN", 100, 40, note="=HYPERLINK(1)"))
    book = openpyxl.load_workbook(io.BytesIO(written(content)))
    cell = book["B01-GiaiNgan"][planned(content).ref("GNBV-DA2-SN", "note")]
    assert (cell.value, cell.data_type) == ("=HYPERLINK(1)", "s")


def test_only_the_commune_s_own_cells_are_open_for_typing() -> None:
    content = report(line("GNBV-DA2-SN"))
    sheet = openpyxl.load_workbook(io.BytesIO(written(content)))["B01-GiaiNgan"]
    sheet_plan = planned(content)
    assert sheet.protection.sheet
    assert not sheet[sheet_plan.ref("GNBV-DA2-SN", "disb_nstw")].protection.locked
    for key in ("line_code", "plan_nstw", "disb_ytd", "disb_rate"):
        assert sheet[sheet_plan.ref("GNBV-DA2-SN", key)].protection.locked
    assert sheet[sheet_plan.ref("GNBV", "disb_nstw")].protection.locked
    assert not sheet["C7"].protection.locked


def test_input_prompts_tell_last_months_figure_in_vietnamese_notation() -> None:
    content = report(
        line("GNBV-DA2-SN"), previous={"GNBV-DA2-SN": {"disb_nstw": 1_234_500_000, "disb_ytd": 1_234_500_000}}
    )
    sheet = openpyxl.load_workbook(io.BytesIO(written(content)))["B01-GiaiNgan"]
    where = planned(content).ref("GNBV-DA2-SN", "disb_nstw")
    prompt = next(v.prompt for v in sheet.data_validations.dataValidation if where in str(v.sqref))
    assert prompt.startswith("Lũy kế kỳ trước: 1.234,5.")


def test_choices_with_commas_come_from_a_range() -> None:
    book = openpyxl.load_workbook(io.BytesIO(written(report(line("GNBV-DA2-SN")))))
    rule = next(v for v in book["B04-KienNghi"].data_validations.dataValidation if "H11" in str(v.sqref))
    name, _, span = rule.formula1.lstrip("=").partition("!")
    choices = [c.value for row in book[name][span.replace("$", "")] for c in row]
    assert tuple(choices) == forms.load().sheet("B04").column("category").choices


def test_a_reduction_may_be_entered_only_where_the_form_says_so() -> None:
    book = openpyxl.load_workbook(io.BytesIO(written(report(line("GNBV-DA2-SN")))))
    adjust = next(v for v in book["B04-KienNghi"].data_validations.dataValidation if "K11" in str(v.sqref))
    paid = next(v for v in book["B01-GiaiNgan"].data_validations.dataValidation if "L13" in str(v.sqref))
    assert (adjust.operator, int(adjust.formula1) < 0) == (None, True)
    assert (paid.operator, paid.formula1) == ("greaterThanOrEqual", "0")


def test_a_form_without_rows_offers_five_empty_ones() -> None:
    rows = planned(report(line("GNBV-DA2-SN")), "B04").rows
    assert [r.role for r in rows] == ["empty"] * 5


def test_off_budget_money_stands_under_the_table_outside_every_sum() -> None:
    content = report(line("GNBV-DA2-SN"), off_budget={"NKH-TDCS-DUNO": 5_000 * MILLION})
    found, sheet_plan = cells(content), planned(content)
    row = sheet_plan.off_budget_row
    assert found[f"B{row}"] == workbook.OFF_BUDGET_TITLE
    assert (found[f"C{row + 2}"], found[f"K{row + 2}"]) == ("NKH-TDCS-DUNO", 5000)
    assert found[sheet_plan.ref("", "disb_ytd")] == 40


def test_the_signature_block_follows_two_rows_below() -> None:
    found = cells(report(line("GNBV-DA2-SN"), preparer="Vi Văn Hùng", signer="Lý Thị Lan"), "B04")
    texts = set(found.values())
    assert {"NGƯỜI LẬP BIỂU", "TM. ỦY BAN NHÂN DÂN", "CHỦ TỊCH", "Vi Văn Hùng", "Lý Thị Lan"} <= texts
    place = next(ref for ref, value in found.items() if value == "Quan Sơn, ngày … tháng … năm …")
    assert place.endswith("17")


def test_the_meta_sheet_is_very_hidden_and_names_the_report() -> None:
    book = openpyxl.load_workbook(io.BytesIO(written(report(line("GNBV-DA2-SN")))))
    meta = dict(book["_meta"].iter_rows(values_only=True))
    assert book["_meta"].sheet_state == "veryHidden"
    assert meta["template_id"] == "BC-MTQG"
    assert (meta["commune_code"], meta["period"], meta["budget_year"]) == ("06517", "2025-10", "2025")
    assert meta["as_of"] == "2025-10-31"


def test_the_content_hash_changes_with_a_prefilled_figure_and_not_with_a_typed_one() -> None:
    def hashed(content: WorkbookContent) -> str:
        return workbook.content_hash(workbook.prefilled_cells(workbook.plan(content, forms.load())))

    base = hashed(report(line("GNBV-DA2-SN", 100, 40)))
    assert hashed(report(line("GNBV-DA2-SN", 100, 50))) == base
    assert hashed(report(line("GNBV-DA2-SN", 101, 40))) != base


def test_the_same_content_gives_the_same_bytes() -> None:
    content = report(line("GNBV-DA2-SN"), line("NTM-ND02-DT"))
    assert written(content) == written(content)


def test_pages_are_set_up_as_the_layout_says() -> None:
    book = openpyxl.load_workbook(io.BytesIO(written(report(line("GNBV-DA2-SN")))))
    sheet = book["B01-GiaiNgan"]
    assert (sheet.page_setup.paperSize, sheet.page_setup.orientation) == (8, "landscape")
    assert sheet.sheet_properties.pageSetUpPr.fitToPage
    assert sheet.page_setup.fitToHeight == 0
    assert sheet.print_title_rows == "$8:$10"
    assert sheet.freeze_panes == "D11"


@pytest.mark.parametrize("sheet", forms.load().sheets, ids=lambda s: s.form)
def test_a_form_is_legible_when_printed(sheet: forms.Sheet) -> None:
    """The sheet is as wide as its paper: the wider its columns, the smaller the print. Type of 11 points must not fall
    under 8,5; a unit of column width is about 1,9 mm of it."""
    paper_mm = {"A3": 420, "A4": 297}[sheet.paper] - 22
    scale = min(1, paper_mm / (1.9 * sum(column.width for column in sheet.columns)))

    assert 11 * scale >= 8.5


def test_the_fast_reader_sees_the_five_forms_and_the_meta_sheet() -> None:
    book = CalamineWorkbook.from_filelike(io.BytesIO(written(report(line("GNBV-DA2-SN")))))
    assert book.sheet_names == [*(s.name for s in forms.load().sheets), "_meta"]


def test_the_recurrent_kind_changes_its_name_in_2026() -> None:
    lang_son = province.load()
    assert workbook.capital_kind_names(lang_son, 2025)["SN"] == "Kinh phí sự nghiệp"
    assert workbook.capital_kind_names(lang_son, 2026)["SN"] == "Kinh phí chi thường xuyên"
