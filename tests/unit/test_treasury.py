"""The State Treasury: what a statement says, how a report is held against it, and what is told of either."""

from __future__ import annotations

import io
import json
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import product
from pathlib import Path
from string import Formatter
from typing import Any

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from etl import settings
from etl.collect import treasury as reader
from etl.collect.report import Form, Row
from etl.collect.treasury import Reading, Statement
from etl.errors import UsageError
from etl.period import Period
from etl.reference import province
from etl.reference import treasury as configuration
from etl.reference.province import Province
from etl.sample import commune_report
from etl.sample.treasury import KINDS, UNKNOWN_CODE, Plant, write_statement
from etl.validate import catalogue
from etl.validate import statement as on_statement
from etl.validate.treasury import Balance, Balances, Difference, LatePosting, Reported, compare, marks
from tests.builders import OCTOBER, QUAN_SON, simulation
from tests.corpus import formats, package

AS_OF = date(2025, 10, 31)  # a Friday
TRIEU = 1_000_000
PLACES = {
    "GNBV-DA2-SN": "00474",
    "GNBV-DA3-TDA1-SN": "00475",
    "GNBV-DA3-TDA2-SN": "00476",
    "GNBV-DA7-SN": "00487",
    "NTM-ND02-DT": "00524",
    "NTM-ND02-SN": "00525",
}


@pytest.fixture(scope="module")
def lang_son() -> Province:
    return province.load()


@pytest.fixture(autouse=True)
def to_the_dong(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small amounts make plain tests: here a đồng is a difference, unless the test is about rounding."""
    if "rounding" not in request.node.name:
        monkeypatch.setitem(province.load().thresholds, "treasury_rounding_vnd", Decimal(0))


# The comparison ---------------------------------------------------------------------------------------------------


def split(code: str) -> tuple[str, str]:
    node, _, kind = code.rpartition("-")
    return node, kind


def balance(code: str, total: int, advance: int = 0, overdue: int | None = None) -> Balance:
    """A row of a statement; ``code`` is that of a line or heading with its kind, or an unknown budget code."""
    if code not in PLACES:
        return Balance(code, None, None, total - advance, advance, total, overdue)
    return Balance(PLACES[code], *split(code), total - advance, advance, total, overdue)


def late(code: str, amount: int, on: date = date(2025, 11, 3), no: str = "0001", kind: str | None = "payment"):
    return LatePosting(PLACES[code], *split(code), on, no, kind, amount)


def found(
    reported: Mapping[str, int | tuple[int, int] | None],
    lines: Sequence[Balance],
    postings: Sequence[LatePosting] = (),
    **more: Any,
) -> list[Difference]:
    """Differences; ``reported``: line -> total, or (total, advance)."""
    said = {}
    for code, amount in reported.items():
        total, advance = amount if isinstance(amount, tuple) else (amount, 0 if amount is not None else None)
        said[code] = Reported(total, None if total is None else total - advance, advance)
    codes = {split(place): (code,) for place, code in PLACES.items()}
    balances = Balances(AS_OF, 2025, "0" * 64, tuple(lines), tuple(postings), codes)
    return compare(said, balances, province.load(), **more)


def told(differences: Sequence[Difference]) -> list[tuple[str, str | None, int]]:
    return [(d.kind, f"{d.node_code}-{d.capital_kind}" if d.node_code else None, d.difference) for d in differences]


def test_equal_amounts_are_no_difference() -> None:
    assert found({"GNBV-DA2-SN": (50, 20), "NTM-ND02-DT": 0}, [balance("GNBV-DA2-SN", 50, 20)]) == []


def test_a_document_booked_after_the_date_explains_the_difference() -> None:
    [one] = found({"GNBV-DA2-SN": 80}, [balance("GNBV-DA2-SN", 50)], [late("GNBV-DA2-SN", 30, no="0077")])
    assert (one.kind, one.reported, one.treasury, one.difference) == ("posting_date", 80, 50, 30)
    assert one.line_codes == ("GNBV-DA2-SN",)
    assert one.explained_by == "chứng từ 0077 hạch toán ngày 03/11/2025, 30 đồng"


@pytest.mark.parametrize(
    ("day", "kind"),
    [
        (date(2025, 10, 31), "unexplained"),  # in the balance already
        (date(2025, 11, 1), "posting_date"),  # a Saturday: no working day has passed
        (date(2025, 11, 7), "posting_date"),  # the fifth working day
        (date(2025, 11, 8), "posting_date"),  # the Saturday after it
        (date(2025, 11, 10), "unexplained"),  # the sixth
    ],
)
def test_documents_count_as_evidence_for_five_working_days(day: date, kind: str) -> None:
    differences = found({"GNBV-DA2-SN": 80}, [balance("GNBV-DA2-SN", 50)], [late("GNBV-DA2-SN", 30, day)])
    assert told(differences) == [(kind, "GNBV-DA2-SN", 30)]


def test_several_documents_explain_it_together_and_the_fewest_that_do_are_named() -> None:
    postings = [late("GNBV-DA2-SN", amount, no=f"{amount:03}") for amount in (7, 11, 13, 24, 100)]
    [one] = found({"GNBV-DA2-SN": 81}, [balance("GNBV-DA2-SN", 50)], postings)
    assert one.kind == "posting_date"
    assert one.explained_by == (
        "chứng từ 007 hạch toán ngày 03/11/2025, 7 đồng; chứng từ 024 hạch toán ngày 03/11/2025, 24 đồng"
    )


def test_of_many_documents_all_up_to_a_day_are_tried() -> None:
    postings = [late("GNBV-DA2-SN", 10**n + n, no=f"{n:04}") for n in range(15)]
    total = sum(p.amount for p in postings[:9])
    assert told(found({"GNBV-DA2-SN": total}, [balance("GNBV-DA2-SN", 0)], postings)) == [
        ("posting_date", "GNBV-DA2-SN", total)
    ]


def test_a_recovery_booked_late_explains_that_the_treasury_has_more() -> None:
    recovered = late("GNBV-DA2-SN", -30, kind="recovery")
    assert told(found({"GNBV-DA2-SN": 50}, [balance("GNBV-DA2-SN", 80)], [recovered])) == [
        ("posting_date", "GNBV-DA2-SN", -30)
    ]


def test_what_the_commune_forgot_is_a_negative_difference() -> None:
    assert told(found({"GNBV-DA2-SN": 50}, [balance("GNBV-DA2-SN", 80)])) == [("unexplained", "GNBV-DA2-SN", -30)]


def test_a_document_that_does_not_make_up_the_difference_explains_nothing() -> None:
    differences = found({"GNBV-DA2-SN": 81}, [balance("GNBV-DA2-SN", 50)], [late("GNBV-DA2-SN", 30)])
    assert told(differences) == [("unexplained", "GNBV-DA2-SN", 31)]


def test_a_document_of_another_line_explains_nothing() -> None:
    differences = found({"GNBV-DA2-SN": 80}, [balance("GNBV-DA2-SN", 50)], [late("GNBV-DA3-TDA1-SN", 30)])
    assert told(differences) == [("unexplained", "GNBV-DA2-SN", 30)]


def test_equal_and_opposite_differences_are_one_wrong_code_that_names_both() -> None:
    lines = [balance("GNBV-DA2-SN", 40), balance("GNBV-DA3-TDA1-SN", 35)]
    [one] = found({"GNBV-DA2-SN": 50, "GNBV-DA3-TDA1-SN": 25}, lines)
    assert (one.kind, one.node_code, one.difference) == ("wrong_code", "GNBV-DA2", 10)
    assert one.explained_by == "mã 00474 (GNBV-DA2-SN) và mã 00475 (GNBV-DA3-TDA1-SN)"


def test_the_other_capital_kind_of_the_same_node_is_a_wrong_code_too() -> None:
    lines = [balance("NTM-ND02-DT", 0), balance("NTM-ND02-SN", 90)]
    [one] = found({"NTM-ND02-DT": 90, "NTM-ND02-SN": 0}, lines)
    assert one.explained_by == "mã 00524 (NTM-ND02-DT) và mã 00525 (NTM-ND02-SN)"


def test_money_under_an_unknown_code_is_paired_with_the_line_that_lacks_it() -> None:
    [one] = found({"GNBV-DA2-SN": 50, "NTM-ND02-DT": 7}, [balance("00999", 50), balance("NTM-ND02-DT", 7)])
    assert (one.kind, one.node_code, one.difference) == ("wrong_code", "GNBV-DA2", 50)
    assert one.explained_by == "mã 00474 (GNBV-DA2-SN) và mã 00999 (chưa có trong danh mục)"


def test_an_unknown_code_alone_is_the_statements_matter_and_no_difference_of_the_commune() -> None:
    assert found({"GNBV-DA2-SN": 50}, [balance("GNBV-DA2-SN", 50), balance("00999", 8)]) == []


def test_a_wrong_code_and_another_cause_are_told_apart() -> None:
    lines = [balance("GNBV-DA2-SN", 40), balance("GNBV-DA3-TDA1-SN", 35), balance("NTM-ND02-DT", 100)]
    differences = found({"GNBV-DA2-SN": 50, "GNBV-DA3-TDA1-SN": 25, "NTM-ND02-DT": 103}, lines)
    assert told(differences) == [("wrong_code", "GNBV-DA2-SN", 10), ("unexplained", "NTM-ND02-DT", 3)]


def test_of_two_lines_that_could_be_the_other_one_the_nearer_is_taken() -> None:
    lines = [balance("GNBV-DA3-TDA1-SN", 0), balance("GNBV-DA3-TDA2-SN", 5), balance("NTM-ND02-DT", 5)]
    differences = found({"GNBV-DA3-TDA1-SN": 5, "GNBV-DA3-TDA2-SN": 0, "NTM-ND02-DT": 0}, lines)
    assert told(differences) == [("wrong_code", "GNBV-DA3-TDA1-SN", 5), ("unexplained", "NTM-ND02-DT", -5)]


def test_a_late_document_and_a_wrong_code_on_one_line_are_two_causes() -> None:
    lines = [balance("GNBV-DA2-SN", 40), balance("GNBV-DA3-TDA1-SN", 35)]
    postings = [late("GNBV-DA2-SN", 6)]
    differences = found({"GNBV-DA2-SN": 56, "GNBV-DA3-TDA1-SN": 25}, lines, postings)
    assert sorted(told(differences)) == [("posting_date", "GNBV-DA2-SN", 6), ("wrong_code", "GNBV-DA2-SN", 10)]


def test_a_commune_that_the_statement_does_not_know_is_one_difference() -> None:
    [one] = found({"GNBV-DA2-SN": 50, "NTM-ND02-DT": 7, "NTM-ND02-SN": 0}, [])
    assert (one.kind, one.node_code, one.reported, one.treasury, one.difference) == ("missing_unit", None, 57, 0, 57)
    assert one.line_codes == ("GNBV-DA2-SN", "NTM-ND02-DT")


def test_a_commune_without_money_is_not_missed() -> None:
    assert found({"GNBV-DA2-SN": 0, "NTM-ND02-DT": None}, []) == []


def test_a_first_payment_booked_late_is_not_a_missing_unit() -> None:
    assert told(found({"GNBV-DA2-SN": 30}, [], [late("GNBV-DA2-SN", 30)])) == [("posting_date", "GNBV-DA2-SN", 30)]


def test_money_on_a_line_that_the_report_does_not_have_is_a_difference() -> None:
    lines = [balance("GNBV-DA2-SN", 50), balance("NTM-ND02-DT", 9)]
    [one] = found({"GNBV-DA2-SN": 50}, lines)
    assert (one.kind, one.node_code, one.line_codes, one.difference) == ("unexplained", "NTM-ND02", (), -9)
    assert found({"GNBV-DA2-SN": 50}, lines, is_complete=False) == []


def test_a_line_that_does_not_say_its_figure_is_not_judged() -> None:
    assert found({"GNBV-DA2-SN": None}, [balance("GNBV-DA2-SN", 50, 10)]) == []


def test_a_line_without_any_treasury_code_is_not_blamed() -> None:
    assert found({"NTM-ND03-DT": 5, "GNBV-DA2-SN": 50}, [balance("GNBV-DA2-SN", 50)]) == []


def test_a_code_of_a_heading_is_compared_with_the_sum_of_its_leaves() -> None:
    reported = {"GNBV-DA7-TDA1-SN": 20, "GNBV-DA7-TDA2-SN": 30}
    assert found(reported, [balance("GNBV-DA7-SN", 50)]) == []
    [one] = found(reported, [balance("GNBV-DA7-SN", 44)])
    assert (one.kind, one.node_code, one.reported, one.difference) == ("unexplained", "GNBV-DA7", 50, 6)
    assert one.line_codes == ("GNBV-DA7-TDA1-SN", "GNBV-DA7-TDA2-SN")


def test_a_document_under_the_code_of_a_heading_explains_its_sum() -> None:
    reported = {"GNBV-DA7-TDA1-SN": 20, "GNBV-DA7-TDA2-SN": 30}
    differences = found(reported, [balance("GNBV-DA7-SN", 44)], [late("GNBV-DA7-SN", 6)])
    assert told(differences) == [("posting_date", "GNBV-DA7-SN", 6)]


def test_money_reported_under_a_heading_whose_code_has_no_row_is_told_at_the_heading() -> None:
    differences = found({"GNBV-DA7-TDA1-SN": 20, "GNBV-DA2-SN": 1}, [balance("GNBV-DA2-SN", 1)])
    assert told(differences) == [("unexplained", "GNBV-DA7-SN", 20)]


def test_where_the_statement_books_on_a_heading_its_leaves_with_codes_of_their_own_go_there_too() -> None:
    whole = Balance("00470", "GNBV-DA3", "SN", 45, 0, 45)
    reported = {"GNBV-DA3-TDA1-SN": 20, "GNBV-DA3-TDA2-SN": 30}
    assert found(reported, [whole, balance("GNBV-DA3-TDA1-SN", 5)]) == []
    assert told(found(reported, [whole, balance("GNBV-DA3-TDA1-SN", 4)])) == [("unexplained", "GNBV-DA3-SN", 1)]


def test_a_heading_with_a_line_that_does_not_say_its_figure_is_not_judged() -> None:
    assert found({"GNBV-DA7-TDA1-SN": 20, "GNBV-DA7-TDA2-SN": None}, [balance("GNBV-DA7-SN", 44)]) == []


def test_several_codes_of_one_line_are_added_up() -> None:
    second = replace(balance("GNBV-DA2-SN", 20), budget_code="00599")
    assert found({"GNBV-DA2-SN": 50}, [balance("GNBV-DA2-SN", 30), second]) == []


def test_the_advance_is_told_only_where_the_totals_agree() -> None:
    [one] = found({"GNBV-DA2-SN": (50, 20)}, [balance("GNBV-DA2-SN", 50, 12)])
    assert (one.kind, one.reported, one.treasury, one.difference) == ("advance", 20, 12, 8)
    assert told(found({"GNBV-DA2-SN": (51, 20)}, [balance("GNBV-DA2-SN", 50, 12)])) == [
        ("unexplained", "GNBV-DA2-SN", 1)
    ]


def test_an_advance_recovered_late_is_told_with_its_documents() -> None:
    postings = [
        late("GNBV-DA2-SN", 8, no="1", kind="payment"),
        late("GNBV-DA2-SN", -8, no="2", kind="recovery"),
    ]
    [one] = found({"GNBV-DA2-SN": (50, 12)}, [balance("GNBV-DA2-SN", 50, 20)], postings)
    assert (one.kind, one.difference) == ("advance", -8)
    assert "chứng từ 1" in one.explained_by


def test_an_overdue_advance_is_told_beside_whatever_else_there_is() -> None:
    differences = found({"GNBV-DA2-SN": (51, 20)}, [balance("GNBV-DA2-SN", 50, 20, overdue=9)])
    assert told(differences) == [("unexplained", "GNBV-DA2-SN", 1), ("advance_overdue", "GNBV-DA2-SN", 9)]


_amounts = st.integers(min_value=0, max_value=10**12)


@given(st.dictionaries(st.sampled_from(sorted(PLACES)), _amounts, min_size=2), st.integers(-(10**9), 10**9), st.data())
@hypothesis_settings(max_examples=60, deadline=None)
def test_one_wrong_amount_is_one_difference_of_that_amount(
    paid: dict[str, int], wrong: int, data: st.DataObject
) -> None:
    reported = {code.replace("GNBV-DA7-SN", "GNBV-DA7-TDA2-SN"): amount for code, amount in paid.items()}
    assert found(reported, [balance(code, amount) for code, amount in paid.items()]) == []
    chosen = data.draw(st.sampled_from(sorted(paid)))
    lines = [balance(code, amount - wrong if code == chosen else amount) for code, amount in paid.items()]
    assert told(found(reported, lines)) == ([("unexplained", chosen, wrong)] if wrong else [])


# The lists ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("year", [2025, 2026])
def test_every_line_that_can_have_money_has_a_code_of_its_own_or_of_a_heading(lang_son: Province, year: int) -> None:
    places = set(configuration.in_force(lang_son, date(year, 12, 31)).codes.values())
    for code in lang_son.leaf_codes:
        node = lang_son.nodes[code]
        if node.valid_from.year > year:
            continue
        for kind in {"DT", "SN"} & set(node.capital_kinds):
            assert any((n, kind) in places for n in (code, *lang_son.ancestors(code))), (code, kind)
    assert ("GNBV-DA7", "SN") in places
    assert not {("GNBV-DA7-TDA1", "SN"), ("GNBV-DA7-TDA2", "SN")} & places
    assert (("MTQG-2630", "DT") in places) == (year == 2026)


def test_the_codes_look_like_those_of_the_treasury_and_every_commune_has_its_unit(lang_son: Province) -> None:
    known = configuration.in_force(lang_son, AS_OF)
    assert all(len(code) == 5 and code.isdigit() for code, _ in known.codes)
    assert len(set(known.codes.values())) == len(known.codes)
    units = {unit: commune for unit, commune in known.units.items() if unit != commune.zfill(7)}
    assert all(len(unit) == 7 and unit.isdigit() for unit in units)
    assert sorted(units.values()) == sorted(lang_son.communes)


def test_a_header_text_names_one_field_only(lang_son: Province) -> None:
    texts = [text for column in configuration.columns(lang_son) for text in column.headers]
    assert len(texts) == len({reader.headers.key_part(text) for text in texts})


def test_a_code_may_leave_the_capital_kind_to_the_statement() -> None:
    known = configuration.Configuration((), {("00500", ""): ("NTM-ND02", ""), ("00501", "DT"): ("NTM", "DT")}, {})
    assert known.place("00500", "SN") == ("NTM-ND02", "SN")
    assert known.place("00500", None) is None
    assert known.place("00501", None) == ("NTM", "DT")
    assert known.place("00501", "SN") is None


@pytest.mark.parametrize(
    ("name", "row", "what"),
    [
        ("treasury_codes.csv", "00900,KHONG-CO,DT,2021-01-01,,no", "dòng 73"),
        ("treasury_codes.csv", "00900,NTM-ND02,XX,2021-01-01,,no", "XX"),
        ("treasury_codes.csv", "00470,NTM-ND02,DT,2021-01-01,,no", "đã gắn"),
        ("treasury_units.csv", "9999999,99999,2025-07-01,,no", "99999"),
        ("treasury_units.csv", "1124017,06517,2025-07-01,,no", "đã gắn"),
    ],
)
def test_a_wrong_row_of_the_lists_is_named(lang_son: Province, tmp_path: Path, name: str, row: str, what: str) -> None:
    folder = shutil.copytree(lang_son.folder, tmp_path / "tinh")
    with (folder / name).open("a", encoding="utf-8") as handle:
        handle.write(row + "\n")
    with pytest.raises(UsageError, match=what):
        configuration.in_force(Province(folder), AS_OF)


# The reader ---------------------------------------------------------------------------------------------------------

HEADER = ["Mã ĐVQHNS", "Tên đơn vị", "Mã CTMT, DA", "Thanh toán KLHT", "Tạm ứng chưa thu hồi", "Lũy kế giải ngân"]
ROWS = [
    ["1124017", "UBND phường Đông Kinh", "00474", 30, 20, 50],
    ["1124017", "UBND phường Đông Kinh", "00524", 7, 0, 7],
    ["1124040", "UBND phường Lương Văn Tri", "00474", 5, 5, 10],
]
DONG = "Đơn vị tính: đồng"
TITLE = [["KHO BẠC NHÀ NƯỚC", DONG], ["Năm ngân sách 2025"], ["Số liệu đến ngày: 31/10/2025"]]
POSTING_HEADER = ["Mã ĐVQHNS", "Mã CTMT, DA", "Ngày hạch toán", "Số chứng từ", "Loại phát sinh", "Số tiền"]
TOTAL = [None, "Tổng cộng", None, 42, 25, 67]


def book(*sheets: Sequence[Sequence[Any]], change: Callable[[Worksheet], None] | None = None) -> bytes:
    workbook = Workbook()
    workbook.remove(workbook.active)
    for n, rows in enumerate(sheets, 1):
        sheet = workbook.create_sheet(f"Trang{n}")
        for row in rows:
            sheet.append(list(row))
        if change:
            change(sheet)
    buffer = io.BytesIO()
    workbook.save(buffer)
    return buffer.getvalue()


def read(data: bytes) -> Reading:
    return reader.read("sao-ke.xlsx", data, configuration.columns(province.load()))


def statement(*sheets: Sequence[Sequence[Any]], **more: Any) -> Statement:
    reading = read(book(*sheets, **more))
    assert reading.issues == ()
    assert reading.statement is not None
    return reading.statement


def issues(*sheets: Sequence[Sequence[Any]], **more: Any) -> list[tuple[str, str | None]]:
    """Rule and cell of what is wrong; every one has a Vietnamese text with a way out, and nothing is read."""
    reading = read(book(*sheets, **more))
    assert reading.statement is None
    findings = on_statement.findings(reading)
    assert all(f.severity == "error" and len(f.message) > 15 and len(f.fix) > 15 for f in findings)
    return [(issue.rule, issue.cell) for issue in reading.issues]


def test_a_statement_is_read_to_the_dong_with_the_cell_of_every_row() -> None:
    read_ = statement([*TITLE, HEADER, *ROWS, TOTAL])
    assert (read_.as_of, read_.budget_year, read_.file_name) == (AS_OF, 2025, "sao-ke.xlsx")
    first = read_.lines[0]
    assert (first.sheet, first.row_no, first.cell) == ("Trang1", 5, "F5")
    assert (first.budget_unit_code, first.budget_code, first.capital_kind) == ("1124017", "00474", None)
    assert (first.completed, first.advance, first.total, first.overdue) == (30, 20, 50, None)
    assert len(read_.lines) == 3


def test_columns_are_found_by_their_texts_wherever_they_stand() -> None:
    order = (5, 2, 0, 4, 3, 1)
    turned = [[row[n] for n in order] for row in (HEADER, *ROWS)]
    lines = statement([*TITLE, [], ["(1)", "(2)", "(3)", "(4)", "(5)", "(6)"], *turned]).lines
    assert [(line.budget_code, line.total) for line in lines] == [("00474", 50), ("00524", 7), ("00474", 10)]


def test_headers_over_two_rows_number_rows_groups_and_signatures_are_understood() -> None:
    def merge(sheet: Worksheet) -> None:
        sheet.merge_cells("E5:H5")
        sheet.merge_cells("A5:A6")

    rows = [
        *TITLE,
        ["", "", "", "", "", "", "", "Đơn vị tính: đồng"],
        ["Mã QHNS", "Loại vốn", "Mã CTMTQG", "Kế hoạch vốn", "Lũy kế giải ngân từ đầu năm", "", "", ""],
        ["", "", "", "", "Tổng số (đồng)", "Thanh toán KLHT", "Dư tạm ứng", "Trong đó: quá hạn"],
        ["(1)", "(2)", "(3)", "(4)", "(5)=(6)+(7)", "(6)", "(7)", "(8)"],
        ["1124017", "", "UBND phường Đông Kinh", "", 57, 37, 20, 4],
        ["", "Vốn sự nghiệp", "00474 - Đa dạng hóa sinh kế", 100, 50, 30, 20, 4],
        ["", "Vốn đầu tư", 524, 100, 7, 7, "-", ""],
        [],
        ["Mã QHNS", "Loại vốn", "Mã CTMTQG", "Kế hoạch vốn", "Lũy kế giải ngân từ đầu năm", "", "", ""],
        ["", "", "", "", "Tổng số (đồng)", "Thanh toán KLHT", "Dư tạm ứng", "Trong đó: quá hạn"],
        [1124040, "Kinh phí thường xuyên", "00474", 10, "1.000", "500", "500", ""],
        ["", "CỘNG", "", "", 1057, 537, 520, 4],
        ["", "", "", "", "", "Lạng Sơn, ngày 03 tháng 11 năm 2025"],
        ["", "NGƯỜI LẬP BIỂU", "", "", "", "GIÁM ĐỐC"],
    ]
    lines = statement(rows, change=merge).lines
    assert [(x.budget_unit_code, x.budget_code, x.capital_kind, x.total, x.overdue) for x in lines] == [
        ("1124017", "00474", "SN", 50, 4),
        ("1124017", "00524", "DT", 7, None),
        ("1124040", "00474", "SN", 1000, None),
    ]


def test_a_unit_merged_over_its_rows_counts_for_each() -> None:
    rows = [*TITLE, HEADER, ROWS[0], [None, None, *ROWS[1][2:]]]
    lines = statement(rows, change=lambda s: s.merge_cells("A5:A6")).lines
    assert [line.budget_unit_code for line in lines] == ["1124017", "1124017"]
    assert issues(rows) == [("CK10-unit", "A6")]


@pytest.mark.parametrize(
    ("title", "day"),
    [
        ("Đến ngày 31/10/2025", AS_OF),
        ("Từ ngày 01/01/2025 đến ngày 31/10/2025", AS_OF),
        ("(Số liệu lũy kế đến hết ngày 31 tháng 10 năm 2025)", AS_OF),
        ("Ngày 31 tháng 10 năm 2025", AS_OF),
        ("Thời điểm chốt số liệu: 31-10-2025", AS_OF),
        ("Số liệu đến ngày: 31/10/25", AS_OF),
        ("Số liệu đến ngày 31.10.2025. Đơn vị tính: đồng", AS_OF),
    ],
)
def test_the_date_is_found_in_the_header(title: str, day: date) -> None:
    assert statement([[title, DONG], HEADER, *ROWS]).as_of == day


def test_a_date_may_stand_in_the_cell_beside_its_label() -> None:
    for day in (AS_OF, "31/10/2025", 45961):  # the number of the day, as a cell without a date format has it
        assert statement([["Số liệu đến ngày:", None, day], ["Niên độ:", 2025, DONG], HEADER, *ROWS]).as_of == AS_OF


def test_the_day_on_which_it_was_printed_is_not_the_date_of_the_figures() -> None:
    rows = [
        ["Lạng Sơn, ngày 05 tháng 11 năm 2025", DONG],
        ["Ngày in: 05/11/2025"],
        ["Đến ngày 31/10/2025"],
        HEADER,
        *ROWS,
    ]
    assert statement(rows).as_of == AS_OF
    assert issues([*rows[:2], HEADER, *ROWS]) == [("CK34-as-of", "A1")]


def test_in_january_the_budget_year_must_be_said() -> None:
    january = ["Đến ngày 31/01/2026", DONG]
    assert issues([january, HEADER, *ROWS]) == [("CK34-year", "A1")]
    labels = ("Niên độ ngân sách", "Niên độ NSNN", "Niên độ", "Năm ngân sách nhà nước", "Năm NS")
    for year, label in product((2025, 2026), labels):
        said = statement([january, [f"{label}: {year}"], HEADER, *ROWS])
        assert (said.as_of, said.budget_year) == (date(2026, 1, 31), year)
    assert statement([["Đến ngày 28/02/2026", DONG], HEADER, *ROWS]).budget_year == 2026


@pytest.mark.parametrize(
    ("title", "wrong"),
    [
        (["Đến ngày 31/10/2025", "Năm ngân sách 2025", "Niên độ 2024"], [("CK34-years", "C1")]),
        (["Đến ngày 31/10/2025", "Năm ngân sách 2027"], [("CK34-other-year", "B1")]),
        (["Đến ngày 31/10/2025", "Số liệu đến ngày 30/9/2025"], [("CK35", "B1")]),
        (["Đến ngày 31/31/2025"], [("M21", "A1")]),
        (["Đến ngày 31 tháng 02 năm 2025"], [("M21", "A1")]),
        (["Số liệu đến ngày: 31/10"], [("M21", "A1")]),
        (["Đến hết tháng 10/2025"], [("CK34-as-of", "A1")]),
    ],
)
def test_what_the_header_says_must_be_one_thing(title: list[str], wrong: list[tuple[str, str]]) -> None:
    assert issues([[*title, DONG], HEADER, *ROWS]) == wrong


TITLE_ONLY = [["KHO BẠC NHÀ NƯỚC"], ["Năm ngân sách 2025"], ["Số liệu đến ngày: 31/10/2025"]]


@pytest.mark.parametrize(
    "text",
    [
        "Đơn vị tính: đồng", "Đơn vị: đồng", "ĐVT: đồng", "Đvt: VNĐ", "(đồng)", "Đồng", "(Đơn vị tính: đồng Việt Nam)",
        "Đơn vị tính (đồng)", "Loại tiền: VND", "Sao kê lũy kế. Đơn vị tính: đồng; tỷ lệ: %", "ĐVT: đ",
    ],
)  # fmt: skip
def test_a_statement_says_that_it_counts_in_dong_in_any_usual_words(text: str) -> None:
    assert len(statement([*TITLE_ONLY, [text], HEADER, *ROWS]).lines) == 3


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("Đơn vị tính: triệu đồng", "triệu đồng"),
        ("Đơn vị: triệu đồng", "triệu đồng"),
        ("(Triệu đồng)", "Triệu đồng"),
        ("Triệu đồng", "Triệu đồng"),
        ("ĐVT: 1.000 đồng", "1.000 đồng"),
        ("Đvt: nghìn đồng", "nghìn đồng"),
        ("(Đơn vị: tỷ đồng)", "tỷ đồng"),
        ("ĐVT: trđ", "trđ"),
        ("Số liệu tính bằng triệu đồng", "triệu đồng"),
        ("SAO KÊ GIẢI NGÂN (1.000 đ)", "1.000 đ"),
        ("Đơn vị tính: USD", "USD"),
        ("Đơn vị tính: đồng (x 1.000)", "đồng (x 1.000"),
    ],
)
def test_a_statement_in_another_unit_is_refused_as_its_words_stand_there(text: str, unit: str) -> None:
    rows = [*TITLE_ONLY, [text], HEADER, ["1124017", "", "00474", 0.03, 0.02, 0.05]]
    assert issues(rows) == [("M07", "A4")]
    [finding] = on_statement.findings(read(book(rows)))
    assert f"“{unit}”" in finding.message


def test_the_unit_may_stand_in_the_cell_beside_its_label() -> None:
    assert issues([*TITLE_ONLY, ["ĐVT:", None, "triệu đồng"], HEADER, *ROWS])[0] == ("M07", "A4")
    assert len(statement([*TITLE_ONLY, ["Đơn vị tính", "đồng"], HEADER, *ROWS]).lines) == 3


@pytest.mark.parametrize("mark", ["({})", ", {}", "\n{}", "(ĐVT: {})", "[{}]"])
def test_the_unit_may_stand_in_the_headers(mark: str) -> None:
    header = [*HEADER[:3], *(text + mark.format("triệu đồng") for text in HEADER[3:])]
    assert issues([*TITLE_ONLY, header, *ROWS]) == [("M07", "D4")]
    if "\n" not in mark:
        header = [*HEADER[:3], *(text + mark.format("đồng") for text in HEADER[3:])]
        assert len(statement([*TITLE_ONLY, header, *ROWS]).lines) == 3
    assert issues([*TITLE, [*HEADER[:5], HEADER[5] + mark.format("nghìn đồng")], *ROWS]) == [("M07", "F4")]


def test_the_unit_of_a_group_of_columns_counts_for_each_and_a_column_that_is_not_read_may_have_its_own() -> None:
    header = [
        ["Mã QHNS", "Mã CTMT", "Kế hoạch vốn (triệu đồng)", "Lũy kế giải ngân (đồng)", None, None],
        [None, None, None, "Thanh toán KLHT", "Tạm ứng chưa thu hồi", "Tổng số"],
    ]
    rows = [["1124017", "00474", 1, 30, 20, 50]]
    assert len(statement([*TITLE_ONLY, *header, *rows], change=lambda s: s.merge_cells("D4:F4")).lines) == 1
    header[0][3] = "Lũy kế giải ngân (triệu đồng)"
    assert issues([*TITLE_ONLY, *header, *rows], change=lambda s: s.merge_cells("D4:F4")) == [("M07", "D4")]


def test_a_unit_below_the_headers_counts_too() -> None:
    under = [None, None, None, "(đồng)", "(đồng)", "(đồng)"]
    assert len(statement([*TITLE_ONLY, HEADER, under, *ROWS]).lines) == 3
    assert issues([*TITLE, HEADER, *ROWS, ["Ghi chú:", "Đơn vị tính: triệu đồng"]]) == [("M07", "B8")]


@pytest.mark.parametrize(
    "text", ["Đơn vị: Đồng Đăng", "Đơn vị: Kho bạc Nhà nước khu vực VI", "Tổng vốn giao: 1.200 triệu đồng", "(d)"]
)
def test_without_a_word_on_the_unit_nothing_is_taken_for_dong(text: str) -> None:
    rows = [*TITLE_ONLY, [text], HEADER, *ROWS]
    assert issues(rows) == [("M07-missing", "D5")]
    [finding] = on_statement.findings(read(book(rows)))
    assert "Đơn vị tính: đồng" in finding.fix


def test_a_sheet_without_a_word_on_the_unit_goes_by_the_others() -> None:
    silent = [["Chứng từ"], POSTING_HEADER, *POSTINGS]
    assert len(statement([*TITLE, HEADER, *ROWS], silent).postings) == 3
    header = [*HEADER[:5], "Lũy kế giải ngân (đồng)"]
    assert len(statement([*TITLE_ONLY, header, *ROWS], silent).postings) == 3
    in_dong = [["Chứng từ"], [*POSTING_HEADER[:5], "Số tiền (đồng)"], *POSTINGS]
    assert issues([*TITLE_ONLY, HEADER, *ROWS], in_dong) == [("M07-missing", "D4")]
    assert issues([*TITLE, HEADER, *ROWS], [["(nghìn đồng)"], POSTING_HEADER, *POSTINGS]) == [("M07", "A1")]


def test_the_column_map_may_vouch_for_a_layout_that_never_says_its_unit(lang_son: Province, tmp_path: Path) -> None:
    folder = shutil.copytree(lang_son.folder, tmp_path / "tinh")
    columns = folder / "treasury_columns.csv"
    text = columns.read_text(encoding="utf-8")
    for header in HEADER[3:]:
        text = re.sub(rf"(,{header},amount,.*),,no", r"\1,đồng,no", text)
    columns.write_text(text, encoding="utf-8")

    def read_(*rows: Sequence[Any]) -> Reading:
        return reader.read("sao-ke.xlsx", book([*TITLE_ONLY, *rows]), configuration.columns(Province(folder)))

    assert read_(HEADER, *ROWS).issues == ()
    assert [i.rule for i in read_([*HEADER[:5], "Đã giải ngân"], *ROWS).issues] == ["M07-missing"]
    assert [i.rule for i in read_(["Đơn vị: triệu đồng"], HEADER, *ROWS).issues] == ["M07"]


@pytest.mark.parametrize("wrong", ["triệu đồng", "VND"])
def test_the_column_map_converts_nothing(lang_son: Province, tmp_path: Path, wrong: str) -> None:
    folder = shutil.copytree(lang_son.folder, tmp_path / "tinh")
    with (folder / "treasury_columns.csv").open("a", encoding="utf-8") as handle:
        handle.write(f"total,Giải ngân cả năm,amount,yes,,{wrong},no\n")
    with pytest.raises(UsageError, match=wrong):
        configuration.columns(Province(folder))


@pytest.mark.parametrize(
    ("row", "wrong"),
    [
        (["1124017", "", "00475", "không", 0, 5], ("M08", "D5")),
        (["1124017", "", "00475", 1.5, 0, 1], ("M08", "D5")),
        (["1124017", "", "00475", 5, 0, None], ("M08-blank", "F5")),
        (["1124017", "", "00475", 5, 1, 7], ("M30", "F5")),
        (["1124017", "", None, 5, 1, 6], None),
        ([None, "", "00475", 5, 0, 5], ("CK10-unit", "A5")),
        ([None, "", None, 5, 0, 5], ("CK10-code", "C5")),
        (["1124017", "", "00475", "#REF!", 0, 5], ("M36", "D5")),
        (["1124017", "", "00475", "=VLOOKUP(1,A1:B2,2)", 0, 5], ("M35", "D5")),
    ],
)
def test_a_row_that_cannot_be_read_refuses_the_whole_statement(row: list[Any], wrong: tuple[str, str] | None) -> None:
    expected = [wrong] if wrong else [("M30-total", "D5")]
    assert issues([*TITLE, HEADER, row, *ROWS]) == expected


def test_a_blank_part_is_zero_only_where_the_total_says_so() -> None:
    assert statement([*TITLE, HEADER, ["1124017", "", "00475", None, 5, 5]]).lines[0].completed == 0
    assert issues([*TITLE, HEADER, ["1124017", "", "00475", None, 5, 6]]) == [("M30", "F5")]


def test_texts_are_read_where_they_have_one_meaning_in_dong() -> None:
    row = ["1124017", "", "00475", "1.234.567", "(1 000)", "1,233,567.00"]
    line = statement([*TITLE, HEADER, row]).lines[0]
    assert (line.completed, line.advance, line.total) == (1_234_567, -1_000, 1_233_567)


@given(
    st.integers(-(10**15), 10**15), st.sampled_from([".", ",", " ", ""]), st.sampled_from(["", " đồng", "đ", " VND"])
)
@hypothesis_settings(max_examples=100, deadline=None)
def test_an_amount_is_read_however_its_thousands_are_grouped(amount: int, mark: str, unit: str) -> None:
    assert reader.dong(f"{amount:,}".replace(",", mark) + unit) == amount


@pytest.mark.parametrize("text", ["1.23", "1.234,5", "12.34.567", "1.2345", "5 triệu", "1e6", "--5", "0,5", "#N/A"])
def test_what_is_no_whole_number_of_dong_is_not_guessed(text: str) -> None:
    assert reader.dong(text) is None


@pytest.mark.parametrize("sums", [TOTAL, [None, "Tổng số", None, 42, None, 67]])
def test_a_total_must_be_that_of_its_rows(sums: list[Any]) -> None:
    wrong = [*sums[:-1], 68]
    assert len(statement([*TITLE, HEADER, sums, *ROWS]).lines) == 3
    assert issues([*TITLE, HEADER, *ROWS, wrong]) == [("M30-total", "F8")]


def test_sums_by_unit_and_over_all_are_control_sums() -> None:
    first, second = [None, "Cộng phường Đông Kinh", None, 37, 20, 57], [None, "Cộng", None, 5, 5, 10]
    assert len(statement([*TITLE, HEADER, *ROWS[:2], first, ROWS[2], second, TOTAL]).lines) == 3


def test_the_same_key_twice_is_told_with_both_cells() -> None:
    assert issues([*TITLE, HEADER, *ROWS, ROWS[1]]) == [("CK10-twice", "F8")]


def test_an_unknown_header_is_named_with_the_column_that_is_missing() -> None:
    header = [*HEADER[:4], "Số tiền ứng trước", HEADER[5]]
    reading = read(book([*TITLE, header, *ROWS]))
    [finding] = on_statement.findings(reading)
    assert (finding.rule, finding.cell) == ("M31", "E4")
    assert "Tạm ứng chưa thu hồi" in finding.message
    assert "Số tiền ứng trước" in finding.message
    assert issues([*TITLE, [*HEADER, "Giải ngân lũy kế"], *ROWS]) == [("M31-twice", "G4")]


@pytest.mark.parametrize("number", ["STT", "TT", "Số TT"])
def test_the_column_of_row_numbers_is_no_unknown_header(number: str) -> None:
    header = [number, *HEADER[:4], "Số tiền ứng trước", HEADER[5]]
    [finding] = on_statement.findings(read(book([*TITLE, header, *([n, *row] for n, row in enumerate(ROWS, 1))])))
    assert (finding.rule, finding.cell) == ("M31", "F4")
    assert number not in finding.message
    header = [number, *HEADER[:5]]
    [finding] = on_statement.findings(read(book([*TITLE, header, *([n, *row] for n, row in enumerate(ROWS, 1))])))
    assert (finding.rule, finding.cell) == ("M31", None)
    assert "không có" in finding.message


def test_two_budget_years_or_dates_are_one_cause_told_once() -> None:
    other = [TITLE[0], ["Năm ngân sách 2024"], TITLE[2], HEADER, *ROWS]
    assert issues([*TITLE, HEADER, *ROWS], other) == [("CK34-years", "A2")]
    other = [*TITLE[:2], ["Số liệu đến ngày: 30/09/2025"], HEADER, *ROWS]
    assert issues([*TITLE, HEADER, *ROWS], other) == [("CK35", "A3")]


def test_a_negative_advance_is_what_the_treasury_says_and_told_as_that() -> None:
    known = configuration.in_force(province.load(), AS_OF)
    row = ["1124017", "", "00474", 200, -50, 150]
    for rows in ([HEADER, row], [[*HEADER, "Trong đó: quá hạn"], [*row, 0]]):
        read_ = statement([*TITLE, *rows])
        assert read_.lines[0].advance == -50
        [finding] = on_statement.mapping_findings(read_, known, province.load())
        assert (finding.rule, finding.severity, finding.cell, finding.value) == ("M09", "warning", "F5", "-50")
        assert "-50 đồng" in finding.message


def test_an_overdue_advance_is_never_negative() -> None:
    header = [*HEADER, "Trong đó: quá hạn"]
    assert issues([*TITLE, header, ["1124017", "", "00474", 200, 50, 250, -10]]) == [("M09-overdue", "G5")]
    assert issues([*TITLE, header, ["1124017", "", "00474", 200, -50, 150, 10]]) == [("M30-overdue", "G5")]


def test_a_commune_under_its_units_code_and_its_own_is_doubled() -> None:
    known = configuration.in_force(province.load(), AS_OF)

    def doubled(*rows: list[Any]) -> list[tuple[str, str | None]]:
        findings = on_statement.doubled_communes(statement([*TITLE, HEADER, *rows]), known, province.load())
        return [(f.rule, f.cell) for f in findings]

    own = ["05977", "", "00474", 30, 20, 50]
    assert doubled(ROWS[0], own) == [("CK10", "F6")]
    assert doubled(own, ROWS[0]) == [("CK10", "F6")]
    assert doubled(ROWS[1], own) == []  # another code
    assert doubled(*ROWS) == []


def test_figures_of_the_month_are_no_cumulative_ones() -> None:
    header = [
        ["Mã QHNS", "Mã CTMT", "Trong kỳ", None, None],
        [None, None, "Thanh toán KLHT", "Tạm ứng chưa thu hồi", ""],
    ]
    reading = read(book([*TITLE, *header, ["1124017", "00474", 1, 2, 3]], change=lambda s: s.merge_cells("C4:E4")))
    assert {issue.rule for issue in reading.issues} == {"M31"}


def test_a_hidden_sheet_with_figures_is_not_passed_over() -> None:
    def hide(sheet: Worksheet) -> None:
        if sheet.title == "Trang2":
            sheet.sheet_state = "hidden"

    assert issues([*TITLE, HEADER, *ROWS], [*TITLE, HEADER, *ROWS], change=hide) == [("M32", None)]


POSTINGS = [
    ["1124017", "00474", date(2025, 11, 3), "0001", "Tạm ứng", 30],
    ["1124017", "00474", "04/11/2025", 17, "Thu hồi tạm ứng", "(5)"],
    ["1124040", "00524", date(2025, 10, 20), "0002", None, 7],
]


def test_postings_are_told_by_their_columns_and_those_after_the_date_are_kept() -> None:
    postings = statement([*TITLE, HEADER, *ROWS], [*TITLE, POSTING_HEADER, *POSTINGS, [None, "Cộng", *[None] * 3, 32]])
    assert [(p.posted_on, p.document_no, p.kind, p.amount) for p in postings.postings] == [
        (date(2025, 11, 3), "0001", "advance", 30),
        (date(2025, 11, 4), "17", "recovery", -5),
        (date(2025, 10, 20), "0002", None, 7),
    ]
    assert postings.postings[0].cell == "F5"


@pytest.mark.parametrize(
    ("place", "value", "wrong"),
    [
        (2, "ngày mai", ("M21", "C5")),
        (2, None, ("M21", "C5")),
        (3, None, ("M08-blank", "D5")),
        (4, "Điều chỉnh", ("M08-kind", "E5")),
        (4, "Thu hồi", ("M09", "F5")),
        (5, None, ("M08-blank", "F5")),
    ],
)
def test_a_posting_that_cannot_be_read_refuses_the_statement(place: int, value: Any, wrong: tuple[str, str]) -> None:
    row = [*POSTINGS[0]]
    row[place] = value
    assert issues([*TITLE, HEADER, *ROWS], [*TITLE, POSTING_HEADER, row]) == [wrong]


def test_a_document_that_stands_twice_is_told_by_its_number() -> None:
    sheets = [*TITLE, HEADER, *ROWS], [*TITLE, POSTING_HEADER, POSTINGS[0], POSTINGS[0]]
    assert issues(*sheets) == [("CK10-document", "F6")]
    [finding] = on_statement.findings(read(book(*sheets)))
    assert finding.value == "0001"
    assert "Chứng từ số 0001 hạch toán ngày 03/11/2025" in finding.message


def test_a_file_that_is_no_statement_is_refused_with_a_way_out() -> None:
    assert issues([["Danh sách"], ["Họ tên", "Chức vụ"]]) == [("M24", None)]
    for data in (b"", b"%PDF-1.7 x", b"khong phai bang tinh"):
        reading = read(data)
        assert reading.refused
        [finding] = on_statement.findings(reading)
        assert "sao kê" in finding.fix
        assert "biểu mẫu" not in finding.fix


@pytest.mark.parametrize("rows", [[], [[*TOTAL[:3], 0, 0, 0]], [["(1)", "(2)", "(3)", "(4)", "(5)", "(6)"], []]])
def test_a_statement_without_rows_says_that_nothing_was_disbursed(rows: list[list[Any]]) -> None:
    read_ = statement([*TITLE, HEADER, *rows], [*TITLE, POSTING_HEADER])
    assert (read_.as_of, read_.budget_year, read_.lines, read_.postings) == (AS_OF, 2025, (), ())


def test_without_rows_headers_date_year_and_unit_must_be_right_all_the_same() -> None:
    assert issues([*TITLE, HEADER[:5]]) == [("M31", None)]
    assert issues([*TITLE_ONLY, HEADER]) == [("M07-missing", "D4")]
    assert issues([TITLE[0], HEADER]) == [("CK34-as-of", "A1")]
    assert issues([["Đến ngày 31/01/2026", DONG], HEADER]) == [("CK34-year", "A1")]
    assert issues([*TITLE, HEADER, TOTAL]) == [("M30-total", "D5")]


def test_the_other_kinds_of_file_give_the_same_statement() -> None:
    table = [*TITLE, HEADER, *ROWS, TOTAL]
    wanted = [replace(line, sheet="") for line in statement(table).lines]
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer) as written:
        sheet = written.add_worksheet("Trang1")
        for r, row in enumerate(table):
            sheet.write_row(r, 0, row)
    opened = package.parse(buffer.getvalue())
    lines = ["\t".join("" if v is None else str(v) for v in row) for row in table]
    text = "\n".join(";".join(line.split("\t")) for line in lines)
    for data in (formats.xls(opened), formats.ods(opened), text.encode("utf-8-sig"), text.encode("utf-16")):
        reading = read(data)
        assert reading.issues == ()
        assert reading.statement is not None
        assert [replace(line, sheet="") for line in reading.statement.lines] == wanted


# The sample ---------------------------------------------------------------------------------------------------------

COMMUNES = ("06463", "06001", QUAN_SON)


def sampled(*plant: Plant, communes: Sequence[str] = COMMUNES, period: Period = OCTOBER, year: int = 2025) -> Statement:
    buffer = io.BytesIO()
    write_statement(buffer, simulation(), period, year, communes, plant)
    reading = read(buffer.getvalue())
    assert reading.issues == ()
    assert reading.statement is not None
    return reading.statement


def judged(read_: Statement, commune: str, period: Period = OCTOBER, year: int = 2025) -> list[Difference]:
    """The sample report of a commune held against a statement, mapped as the warehouse would."""
    where = province.load()
    known = configuration.in_force(where, read_.as_of)

    def place(row: Any) -> tuple[str | None, str | None]:
        return known.place(row.budget_code, row.capital_kind) or (None, None)

    own = [line for line in read_.lines if known.units.get(line.budget_unit_code) == commune]
    after = [
        posting
        for posting in read_.postings
        if known.units.get(posting.budget_unit_code) == commune and posting.posted_on > read_.as_of
    ]
    codes: dict[tuple[str, str], tuple[str, ...]] = {}
    for (code, _), at in known.codes.items():
        codes[at] = (*codes.get(at, ()), code)
    balances = Balances(
        read_.as_of,
        read_.budget_year,
        read_.sha256,
        tuple(Balance(x.budget_code, *place(x), x.completed, x.advance, x.total, x.overdue) for x in own),
        tuple(LatePosting(p.budget_code, *place(p), p.posted_on, p.document_no, p.kind, p.amount) for p in after),
        codes,
    )
    lines = commune_report.content(simulation(), commune, period, year).lines
    reported = {
        line.line_code: Reported(
            int(line.values["disb_nstw"]) + int(line.values["disb_nsdp"]),
            int(line.values["disb_completed"]),
            int(line.values["disb_advance"]),
        )
        for line in lines
    }
    return compare(reported, balances, where)


@pytest.mark.parametrize(
    ("period", "year"), [(OCTOBER, 2025), (Period(2026, 1), 2025), (Period(2026, 1), 2026), (Period(2026, 3), 2026)]
)
def test_the_sample_statement_agrees_with_the_sample_reports(period: Period, year: int) -> None:
    communes = simulation().commune_codes if period == OCTOBER else COMMUNES
    read_ = sampled(period=period, year=year, communes=communes)
    assert [commune for commune in communes if judged(read_, commune, period, year)] == []


def test_the_same_arguments_give_the_same_bytes() -> None:
    one, other = io.BytesIO(), io.BytesIO()
    for buffer in (one, other):
        write_statement(buffer, simulation(), OCTOBER, 2025, COMMUNES, [Plant("posting", "06463")])
    assert one.getvalue() == other.getvalue()


@pytest.mark.parametrize(
    ("planted", "kind"),
    [
        ("posting", "posting_date"),
        ("code", "wrong_code"),
        ("unit", "missing_unit"),
        ("amount", "unexplained"),
        ("overdue", "advance_overdue"),
        ("unknown-code", "wrong_code"),
    ],
)
def test_what_is_planted_is_found_and_nothing_else(planted: str, kind: str) -> None:
    buffer = io.BytesIO()
    [truth] = write_statement(buffer, simulation(), OCTOBER, 2025, COMMUNES, [Plant(planted, "06463")])
    read_ = read(buffer.getvalue()).statement
    assert read_ is not None
    [one] = judged(read_, "06463")
    assert one.kind == kind
    assert abs(one.difference) == abs(truth["amount"])
    if planted not in ("unit",):
        assert [one.node_code, one.capital_kind] in (truth["place"], truth.get("other"))
    assert judged(read_, "06001") == []


def test_planting_needs_a_known_kind_and_money() -> None:
    for plant in (Plant("mystery", "06463"), Plant("amount", QUAN_SON), Plant("amount", "06004")):
        with pytest.raises(UsageError):
            write_statement(io.BytesIO(), simulation(), OCTOBER, 2025, COMMUNES, [plant])
    assert len(KINDS) == 7


# What is told ---------------------------------------------------------------------------------------------------------


def test_unknown_codes_and_units_are_told_once_each_with_their_money(lang_son: Province) -> None:
    strange = [
        ["1124017", "", UNKNOWN_CODE, 5, 0, 5],
        ["1124040", "", UNKNOWN_CODE, 6, 0, 6],
        ["9999999", "", "00474", 7, 0, 7],
    ]
    read_ = statement([*TITLE, HEADER, *ROWS, *strange])
    found_ = on_statement.mapping_findings(read_, configuration.in_force(lang_son, read_.as_of), lang_son)
    assert [(f.rule, f.severity, f.cell, f.value) for f in found_] == [
        ("CK30", "error", "F8", UNKNOWN_CODE),
        ("CK30", "error", "F10", "9999999"),
    ]
    assert "2 dòng, lũy kế 11 đồng" in found_[0].message


def test_a_date_without_a_report_is_told_and_the_nearest_named(lang_son: Province) -> None:
    read_ = sampled(Plant("date"))
    [finding] = on_statement.mapping_findings(read_, configuration.in_force(lang_son, read_.as_of), lang_son)
    assert (finding.rule, read_.as_of) == ("CK31", date(2025, 10, 15))
    assert "30/09/2025" in finding.message or "31/10/2025" in finding.message


def form(rows: Sequence[tuple[str, str, int, int]]) -> Form:
    """Biểu 01 with (role, code, cumulative, advance) from row 11 on."""
    return Form(
        "B01",
        "B01-GiaiNgan",
        {"disb_ytd": "K", "disb_advance": "O"},
        [
            Row(n, role, code, {"disb_ytd": ytd, "disb_completed": ytd - advance, "disb_advance": advance}, {})
            for n, (role, code, ytd, advance) in enumerate(rows, 11)
        ],
    )


REPORT = [
    ("heading", "GNBV", 140, 20),
    ("leaf", "GNBV-DA2-SN", 80, 20),
    ("heading", "GNBV-DA7", 60, 0),
    ("leaf", "GNBV-DA7-TDA1-SN", 20, 0),
    ("leaf", "GNBV-DA7-TDA2-SN", 40, 0),
]


def marked(lines: Sequence[Balance], postings: Sequence[LatePosting] = (), rows=REPORT) -> list[dict[str, Any]]:
    codes = {split(place): (code,) for place, code in PLACES.items()}
    balances = Balances(AS_OF, 2025, "0" * 64, tuple(lines), tuple(postings), codes)
    return marks(form(rows), balances, province.load())


def test_marks_stand_at_the_line_at_the_heading_or_at_no_row() -> None:
    assert marks(form(REPORT), None, province.load()) == []
    assert marks(None, None, province.load()) == []
    [line] = marked([balance("GNBV-DA2-SN", 79, 20), balance("GNBV-DA7-SN", 60)])
    assert line == {
        "row_no": 12,
        "code": "GNBV-DA2-SN",
        "form": "B01",
        "treasury_as_of": "31/10/2025",
        "treasury_gap_value": 80,
        "treasury_gap_expected": 79,
        "treasury_gap_difference": 1,
        "treasury_gap_text": "cao hơn",
    }
    [heading] = marked([balance("GNBV-DA2-SN", 80, 20), balance("GNBV-DA7-SN", 50)])
    assert (heading["row_no"], heading["code"], heading["treasury_gap_value"]) == (13, "GNBV-DA7-SN", 60)
    [unit] = marked([])
    assert (unit["row_no"], unit["treasury_unit_value"]) == (None, 140)
    [more] = marked([balance("GNBV-DA2-SN", 80, 20), balance("GNBV-DA7-SN", 60), balance("NTM-ND02-DT", 9)])
    assert (more["row_no"], more["code"], more["treasury_unreported_expected"]) == (None, "NTM-ND02-DT", 9)
    assert more["treasury_unreported_text"].startswith("mã 00524, Phát triển hạ tầng")


def test_of_an_overdue_advance_is_told_what_may_be_outstanding() -> None:
    def overdue(reported: int, amount: int) -> tuple[Any, ...]:
        rows = [row if row[1] != "GNBV-DA2-SN" else ("leaf", "GNBV-DA2-SN", 80, reported) for row in REPORT]
        every = marked([balance("GNBV-DA2-SN", 80, 20, overdue=amount), balance("GNBV-DA7-SN", 60)], rows=rows)
        [row] = [row for row in every if "treasury_overdue_difference" in row]
        return tuple(row[f"treasury_overdue_{name}"] for name in ("value", "expected", "difference"))

    assert overdue(20, 7) == (20, 13, 7)
    assert overdue(20, 20) == (20, 0, 20)
    assert overdue(5, 7) == (5, None, 7)  # the advances differ, which is told by itself


def test_a_line_that_is_bad_already_or_stands_twice_is_left_alone() -> None:
    sound = [balance("GNBV-DA2-SN", 1), balance("GNBV-DA7-SN", 60), balance("NTM-ND02-DT", 9)]
    twice = [*REPORT, ("leaf", "GNBV-DA2-SN", 80, 20)]
    assert marked(sound, rows=twice) == []
    bad = form(REPORT)
    bad.rows[1].bad = frozenset({"disb_ytd"})
    balances = Balances(AS_OF, 2025, "", tuple(sound[:2]), (), {})
    assert marks(bad, balances, province.load()) == []


def test_every_rule_judges_a_column_that_marks_make_and_its_message_is_filled_from_them() -> None:
    path = Path(settings.assets()) / "expectations" / "treasury.json"
    expectations = json.loads(path.read_text(encoding="utf-8"))["expectations"]
    agreeing = [balance("GNBV-DA7-SN", 60)]
    made = {
        "CK28-posting": marked([balance("GNBV-DA2-SN", 50, 20), *agreeing], [late("GNBV-DA2-SN", 30)]),
        "CK28-code": marked([balance("GNBV-DA2-SN", 70, 20), balance("GNBV-DA7-SN", 70)]),
        "CK28-unit": marked([]),
        "CK28-unreported": marked([balance("GNBV-DA2-SN", 80, 20), *agreeing, balance("NTM-ND02-DT", 9)]),
        "CK28": marked([balance("GNBV-DA2-SN", 79, 20), *agreeing]),
        "CK29-advance": marked([balance("GNBV-DA2-SN", 80, 19), *agreeing]),
        "CK29-overdue": marked([balance("GNBV-DA2-SN", 80, 20, overdue=7), *agreeing]),
    }
    assert [e["meta"]["id"] for e in expectations] == list(made)
    for expectation in expectations:
        meta, [row] = expectation["meta"], made[expectation["meta"]["id"]]
        assert isinstance(row[expectation["kwargs"]["column"]], int)
        places = {name for _, name, _, _ in Formatter().parse(meta["message"]) if name}
        assert places - {"value", "expected", "difference"} <= row.keys()
        assert {meta["value"], meta["expected"], meta["difference"]} - {None} <= row.keys()
        judged_here = [e["meta"]["id"] for e in expectations if row.get(e["kwargs"]["column"]) is not None]
        assert judged_here == [meta["id"]]
        assert (expectation["severity"] == "critical") == (bool(meta["takes"]) or meta["id"] == "CK28-unreported")


def test_every_finding_on_a_statement_has_its_texts() -> None:
    for name, rule in catalogue.statement().items():
        assert rule.rule == name.partition("-")[0]
        assert rule.severity in ("error", "warning", "info")
        assert rule.reason


def test_rounding_of_a_line_is_no_difference_and_a_thousand_dong_is() -> None:
    """Forms are filled in with three decimals of triệu đồng."""
    assert found({"GNBV-DA2-SN": 5_000_000}, [balance("GNBV-DA2-SN", 5_000_999)]) == []
    (one,) = found({"GNBV-DA2-SN": 5_000_000}, [balance("GNBV-DA2-SN", 5_001_000)])
    assert (one.kind, one.difference) == ("unexplained", -1000)


def test_rounding_is_allowed_on_each_line_under_a_heading() -> None:
    lines = {"GNBV-DA7-TDA1-SN": 5_000_000, "GNBV-DA7-TDA2-SN": 7_000_000}
    assert found(lines, [balance("GNBV-DA7-SN", 12_001_999)]) == []
    (one,) = found(lines, [balance("GNBV-DA7-SN", 12_002_000)])
    assert one.kind == "unexplained"


def test_rounding_does_not_hide_a_late_document_or_a_wrong_code() -> None:
    (one,) = found({"GNBV-DA2-SN": 5_000_000}, [balance("GNBV-DA2-SN", 2_000_000)], [late("GNBV-DA2-SN", 3_000_400)])
    assert one.kind == "posting_date"
    (one,) = found(
        {"GNBV-DA2-SN": 5_000_000, "NTM-ND02-SN": 1_000_000},
        [balance("GNBV-DA2-SN", 2_000_000), balance("NTM-ND02-SN", 4_000_400)],
    )
    assert one.kind == "wrong_code"


def test_rounding_of_the_advance_is_no_difference() -> None:
    assert found({"GNBV-DA2-SN": (5_000_000, 1_000_000)}, [balance("GNBV-DA2-SN", 5_000_400, 1_000_999)]) == []


def test_a_statement_of_totals_by_commune_code_is_enough() -> None:
    """No split into payments and advances, and the commune's own code in place of the budget unit's."""
    header = ["Mã xã", "Mã CTMT, DA", "Lũy kế giải ngân"]
    reading = read(book([*TITLE, header, ["05977", "00474", 5_000_000], ["Tổng cộng", None, 5_000_000]]))
    assert on_statement.findings(reading) == []
    assert reading.statement is not None
    (line,) = reading.statement.lines
    assert (line.budget_unit_code, line.total, line.completed, line.advance) == ("0005977", 5_000_000, None, None)
    known = configuration.in_force(province.load(), AS_OF)
    assert known.units[line.budget_unit_code] == "05977"


def test_an_advance_that_the_statement_does_not_part_is_not_judged() -> None:
    only_total = Balance("00474", "GNBV-DA2", "SN", None, None, 5_000_000)
    assert found({"GNBV-DA2-SN": (5_000_000, 1_000_000)}, [only_total]) == []
