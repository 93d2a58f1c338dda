"""The words follow the numbers: first month, missing, zero, the closing, more than the plan."""

from __future__ import annotations

from typing import Any

import pytest

from etl.publish import report, sentences
from etl.publish.figure import FigureSet
from etl.publish.model import Spans, joined
from etl.publish.tables import not_reporting
from tests.figure_sets import BAC_SON, DONG_KINH, MONTH, QUAN_SON, TY, month


def text(spans: Spans | None) -> str:
    return joined(spans or ())


# Compared with the month before ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("figures", "said"),
    [
        (month(), "tăng 5,00 điểm % so với tháng 9"),
        (month(rate_change_points="-5.00"), "giảm 5,00 điểm % so với tháng 9"),
        (month(rate_change_points="0.00"), "bằng tháng 9"),
        (month(rate_change_points=...), "chưa có số liệu tháng trước để so sánh"),
        (month(rate_change_points=None), "chưa có số liệu tháng trước để so sánh"),
        (month("2026-01", 2026, rate_change_points=...), "chưa so với tháng trước vì là tháng đầu của năm ngân sách"),
        (month("2026-01", 2025, rate_change_points=...), "chưa có số liệu tháng trước để so sánh"),
    ],
)
def test_the_change_is_up_down_the_same_or_has_nothing_to_compare_with(figures: FigureSet, said: str) -> None:
    assert text(sentences.change(figures)) == said


@pytest.mark.parametrize(
    ("points", "said"),
    [
        ("1.50", "So với cùng kỳ (tháng 10/2024: 30,00 %), tỷ lệ giải ngân tăng 1,50 điểm %."),
        ("-1.50", "So với cùng kỳ (tháng 10/2024: 30,00 %), tỷ lệ giải ngân giảm 1,50 điểm %."),
        ("0", "Tỷ lệ giải ngân bằng cùng kỳ (tháng 10/2024: 30,00 %)."),
        (..., "Chưa có số liệu cùng kỳ (tháng 10/2024) để so sánh."),
        (None, "Chưa có số liệu cùng kỳ (tháng 10/2024) để so sánh."),
    ],
)
def test_against_last_year_where_it_is_known(points: Any, said: str) -> None:
    assert text(sentences.last_year(month(rate_last_year="30", rate_change_last_year_points=points))) == said


@pytest.mark.parametrize(
    ("amount", "said"),
    [
        (5 * TY, "Số vốn giải ngân trong kỳ theo báo cáo là 5,0 tỷ đồng."),
        (0, "Theo báo cáo, trong kỳ không phát sinh giải ngân."),
        (-2 * TY, "Theo báo cáo, số giải ngân trong kỳ được điều chỉnh giảm 2,0 tỷ đồng."),
        (None, ""),
        (..., ""),
    ],
)
def test_what_was_paid_in_the_month_is_said_when_it_was_reported(amount: Any, said: str) -> None:
    assert text(report._of_the_period(month(disb_period=amount))).strip() == said


# Coverage -------------------------------------------------------------------------------------------------------------


def test_when_all_have_reported_nobody_is_named() -> None:
    assert text(sentences.coverage(month())) == "Số liệu tổng hợp từ báo cáo của 65/65 xã, phường."


def missing(**more: Any) -> FigureSet:
    states = {f"not_reporting__commune__{c}": "missing" for c in (QUAN_SON, BAC_SON, DONG_KINH)}
    return month(communes_reported=62, communes_not_reporting=3, plan_covered_pct="95.03", **states, **more)


def test_communes_without_a_report_are_counted_and_named_in_alphabetical_order() -> None:
    assert text(sentences.coverage(missing())) == (
        "Số liệu tổng hợp từ báo cáo của 62/65 xã, phường, chiếm 95,03 % kế hoạch vốn; 3 đơn vị chưa có báo cáo được "
        "chấp nhận (phường Đông Kinh, xã Bắc Sơn, xã Quan Sơn) chưa được tính vào kết quả."
    )
    assert not_reporting(missing()) == [DONG_KINH, BAC_SON, QUAN_SON]


def test_a_share_that_is_not_known_is_not_said() -> None:
    states = {f"not_reporting/commune={QUAN_SON}": "missing"}
    figures = month(communes_reported=64, communes_not_reporting=1, plan_covered_pct=None, **states)

    assert "64/65 xã, phường; 1 đơn vị chưa có báo cáo được chấp nhận (xã Quan Sơn)" in text(
        sentences.coverage(figures)
    )


# Plan, disbursement, carry-over, pace ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "(bao gồm vốn kéo dài) là 100,0 tỷ đồng, trong đó vốn giao năm 2025 là 90,0 tỷ đồng, vốn các năm trước"),
        ({"plan_carry": 0}, "là 100,0 tỷ đồng, toàn bộ là vốn giao trong năm; không có vốn các năm trước kéo dài."),
        ({"plan_assigned": 0}, "là 100,0 tỷ đồng, toàn bộ là vốn các năm trước kéo dài."),
        ({"plan_carry": None}, "Tổng kế hoạch vốn được sử dụng năm 2025 là 100,0 tỷ đồng."),
        ({"plan_total": 0}, "Theo báo cáo, các xã, phường không có kế hoạch vốn năm 2025."),
        ({"plan_total": ...}, "Báo cáo của các xã, phường chưa ghi kế hoạch vốn năm 2025."),
    ],
)
def test_the_plan_is_told_by_its_parts(changes: dict[str, Any], said: str) -> None:
    assert said in text(sentences.plan(month(**changes)))


ONE_KIND = {key: ... for key in MONTH if key.endswith("capital_kind=SN") and not key.startswith("name")}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {},
            "Lũy kế giải ngân từ đầu năm 2025 đến hết ngày 31/10/2025 là 40,0 tỷ đồng, đạt 40,00 % so với tổng nguồn "
            "vốn được sử dụng, tăng 5,00 điểm % so với tháng 9. Trong đó: vốn đầu tư đã giải ngân 24,0 tỷ đồng, đạt "
            "40,00 %; vốn sự nghiệp đã giải ngân 16,0 tỷ đồng, đạt 40,00 %.",
        ),
        (ONE_KIND, "tăng 5,00 điểm % so với tháng 9; toàn bộ là vốn đầu tư."),
        (
            {"disb_ytd": 0, "rate_total": 0},
            "các xã, phường có báo cáo chưa giải ngân vốn năm 2025 (tỷ lệ 0,00 %), tăng",
        ),
        ({"disb_ytd": 120 * TY, "rate_total": "120.00"}, "là 120,0 tỷ đồng, đạt 120,00 % so với"),
        ({"rate_total": None}, "là 40,0 tỷ đồng; chưa có kế hoạch vốn để tính tỷ lệ giải ngân."),
        ({"disb_ytd": ...}, "Báo cáo của các xã, phường chưa ghi số lũy kế giải ngân đến hết ngày 31/10/2025."),
        ({"disb_ytd/capital_kind=SN": 0}, "; vốn sự nghiệp chưa giải ngân (0 %)."),
        ({"disb_ytd/capital_kind=SN": ...}, "; vốn sự nghiệp chưa có số liệu giải ngân."),
        ({"rate_total/capital_kind=SN": None}, "; vốn sự nghiệp đã giải ngân 16,0 tỷ đồng, chưa có kế hoạch vốn."),
    ],
)
def test_the_headline_says_what_was_reported_and_no_more(changes: dict[str, Any], said: str) -> None:
    assert said in text(sentences.disbursed(month(**changes)))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "Chương trình giảm nghèo bền vững: lũy kế giải ngân 40,0/100,0 tỷ đồng, đạt 40,00 %."),
        ({"rate_total/programme=GN": None}, "lũy kế giải ngân 40,0 tỷ đồng, chưa có kế hoạch vốn để tính tỷ lệ."),
        ({"disb_ytd/programme=GN": ...}, "Chương trình giảm nghèo bền vững: chưa có số liệu giải ngân."),
        ({"rate_change_points/programme=GN": "-1"}, "đạt 40,00 %, giảm 1,00 điểm % so với tháng 9."),
        ({"plan_total/programme=GN,capital_kind=SN": 100 * TY}, "đạt 40,00 %; toàn bộ là vốn sự nghiệp."),
    ],
)
def test_a_programme_is_told_as_far_as_it_was_reported(changes: dict[str, Any], said: str) -> None:
    assert said in text(sentences.by_programme(month(**changes), "GN"))


SECOND = {
    "plan_total/programme=NTM": TY, "undisbursed_carry/programme=NTM": 2 * TY, "sort_no/programme=NTM": 2,
    "name/programme=NTM": "Xây dựng nông thôn mới",
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {},
            "Vốn các năm trước kéo dài: đã giải ngân 4,0/10,0 tỷ đồng, đạt 40,00 %; còn 6,0 tỷ đồng của chương trình "
            "giảm nghèo bền vững phải giải ngân trước khi hết thời hạn (31/01/2026).",
        ),
        (
            SECOND,
            "phải giải ngân trước khi hết thời hạn (31/01/2026): Giảm nghèo bền vững còn 6,0 tỷ đồng; Xây dựng nông "
            "thôn mới còn 2,0 tỷ đồng.",
        ),
        (SECOND | {"undisbursed_carry/programme=NTM": 0}, "còn 6,0 tỷ đồng của chương trình giảm nghèo bền vững phải"),
        ({"months_left": 0}, "của chương trình giảm nghèo bền vững chưa giải ngân khi hết thời hạn (31/01/2026)."),
        (SECOND | {"months_left": 0}, "còn 6,0 tỷ đồng chưa giải ngân khi hết thời hạn (31/01/2026): Giảm nghèo"),
        ({"plan_carry": 0}, "Năm 2025 không có vốn kéo dài."),
        ({"undisbursed_carry": 0}, "Vốn các năm trước kéo dài: đã giải ngân hết 10,0 tỷ đồng."),
        ({"undisbursed_carry": -TY}, "cao hơn kế hoạch; cần rà soát lại số liệu."),
        ({"disb_carry": ...}, "Vốn các năm trước kéo dài là 10,0 tỷ đồng; chưa có số liệu giải ngân."),
        ({"plan_carry": ...}, "Báo cáo của các xã, phường chưa ghi vốn các năm trước kéo dài."),
    ],
)
def test_carry_over_is_told_before_and_after_it_lapses(changes: dict[str, Any], said: str) -> None:
    assert said in text(sentences.carry_over(month(**changes)))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "bình quân mỗi tháng còn lại (đến hết ngày 31/01/2026) phải giải ngân 20,0 tỷ đồng."),
        ({"months_left": 1}, "số vốn này phải được giải ngân trong tháng còn lại (đến hết ngày 31/01/2026)."),
        ({"months_left": 0, "pace_needed": None}, "Số vốn chưa giải ngân khi hết thời hạn là 60,0 tỷ đồng."),
        ({"undisbursed": 0, "pace_needed": 0}, "Toàn bộ kế hoạch vốn của các xã, phường có báo cáo đã được giải ngân."),
        ({"undisbursed": -TY, "rate_total": "101.00"}, "cao hơn tổng kế hoạch vốn được sử dụng (tỷ lệ 101,00 %); cần"),
        ({"undisbursed": ...}, ""),
        ({"rate_total": None}, ""),
    ],
)
def test_the_pace_is_of_the_months_that_are_left(changes: dict[str, Any], said: str) -> None:
    assert said in text(sentences.pace(month(**changes)))
    assert not said or "-" not in text(sentences.pace(month(**changes)))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"plan_difference": 2_500_000_000}, "cao hơn 2.500 triệu đồng so với các quyết định giao vốn của tỉnh (chi"),
        ({"plan_difference": -2_500_000_000}, "thấp hơn 2.500 triệu đồng so với các quyết định giao vốn của tỉnh (chi"),
        ({"plan_difference": 0}, "khớp với các quyết định giao vốn của tỉnh."),
        ({"plan_difference": 0, f"plan_difference/commune={QUAN_SON}": 5}, "nhưng còn xã, phường có chênh lệch"),
        ({}, "Chưa có quyết định giao vốn trong hệ thống để đối chiếu."),
    ],
)
def test_differences_of_communes_that_cancel_out_are_told(changes: dict[str, Any], said: str) -> None:
    assert said in text(report._plan_difference(month(**changes)))
