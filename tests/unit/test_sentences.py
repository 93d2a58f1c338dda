"""The words follow the numbers: zero, one, many, missing, the first month, after the closing, more than the plan."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from etl.period import Period
from etl.publish import brief, quality, report, sentences
from etl.publish.figure import Figure, FigureSet, dims
from etl.publish.model import Kpis, Spans, joined
from etl.publish.tables import not_reporting

TY = 1_000_000_000
NOW = datetime(2025, 11, 11, tzinfo=UTC)
QUAN_SON, DONG_KINH, BAC_SON = "06517", "05977", "06325"
UNITS = {
    "plan": "vnd", "disb": "vnd", "undisbursed": "vnd", "pace": "vnd", "rate": "pct", "low": "pct", "as": "date",
    "closing": "date", "due": "date", "publish": "date", "name": "text", "period": "text", "budget": "text",
    "previous": "text", "next": "text", "at": "text", "not": "text",
}  # fmt: skip
# A month of one programme with two kinds of capital.
MONTH = {
    "plan_total": 100 * TY, "plan_assigned": 90 * TY, "plan_carry": 10 * TY, "disb_ytd": 40 * TY,
    "disb_period": 5 * TY, "disb_carry": 4 * TY, "undisbursed": 60 * TY, "undisbursed_carry": 6 * TY,
    "rate_total": "40.00", "rate_carry": "40.00", "rate_previous": "35.00", "rate_change_points": "5.00",
    "communes_previous": 65, "communes_reported": 65, "communes_expected": 65, "communes_not_reporting": 0,
    "plan_covered_pct": "100.00", "months_left": 3, "pace_needed": 20 * TY, "closing_on": "2026-01-31",
    "as_of": "2025-10-31", "budget_year": "2025", "period": "tháng 10 năm 2025", "period_short": "tháng 10",
    "previous_period": "tháng 9", "next_period": "tháng 11 năm 2025", "period_year_ago": "tháng 10/2024",
    "communes_ranked": 65, "communes_above_average": 30, "communes_below_threshold": 20, "communes_at_zero": 0,
    "low_rate_pct": "50.00", "tasks": 21, "tasks_due": 0, "plan_total/programme=GN": 100 * TY,
    "disb_ytd/programme=GN": 40 * TY, "rate_total/programme=GN": "40.00", "undisbursed_carry/programme=GN": 6 * TY,
    "plan_carry/programme=GN": 10 * TY, "sort_no/programme=GN": 1, "name/programme=GN": "Chương trình giảm nghèo",
    "name_short/programme=GN": "Giảm nghèo bền vững", "plan_total/capital_kind=DT": 60 * TY,
    "disb_ytd/capital_kind=DT": 24 * TY, "rate_total/capital_kind=DT": "40.00", "name/capital_kind=DT": "Vốn đầu tư",
    "plan_total/capital_kind=SN": 40 * TY, "disb_ytd/capital_kind=SN": 16 * TY, "rate_total/capital_kind=SN": "40.00",
    "name/capital_kind=SN": "Vốn sự nghiệp", f"name/commune={QUAN_SON}": "Xã Quan Sơn",
    f"name/commune={DONG_KINH}": "Phường Đông Kinh", f"name/commune={BAC_SON}": "Xã Bắc Sơn",
}  # fmt: skip
TASKS_DUE = ("", "_done", "_done_on_time", "_done_late", "_open", "_open_in_time", "_open_overdue")


def unit_of(metric: str) -> str:
    if metric in ("plan_covered_pct", "low_rate_pct"):
        return "pct"
    if metric in ("rate_change_points", "rate_change_last_year_points"):
        return "pct_points"
    if metric.startswith("task_days") or metric.startswith("longest"):
        return "days"
    if metric in ("task_due", "directive_date", "treasury_other_date"):
        return "date"
    if metric.startswith(("task_", "directive_title", "directive_no", "proposal_", "treasury_statement", "answer_")):
        return "count" if metric == "proposal_communes" else "text"
    return UNITS.get(metric.split("_")[0], "count")


def made(key: str, value: object) -> Figure:
    metric, _, rest = key.partition("/")
    by = dims(dict(part.split("=", 1) for part in rest.split(",")) if rest else {})
    unit = unit_of(metric)
    if unit in ("text", "date"):
        return Figure(metric, unit, "x", by, text=None if value is None else str(value))
    return Figure(metric, unit, "x", by, value=None if value is None else Decimal(str(value)))


def month(period: str = "2025-10", year: int = 2025, **changes: Any) -> FigureSet:
    """The month with other values; ``...`` leaves a figure out. ``__`` stands for ``/`` and ``=`` in keys."""
    values = MONTH | {key.replace("__", "/", 1).replace("__", "="): value for key, value in changes.items()}
    figures = tuple(made(key, value) for key, value in values.items() if value is not ...)
    return FigureSet(f"{period}-r1", Period.parse(period), year, NOW, figures)


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
        (..., ""),
        (None, ""),
    ],
)
def test_nothing_is_said_of_a_last_year_that_is_not_known(points: Any, said: str) -> None:
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


# Communes -------------------------------------------------------------------------------------------------------------


def zero(*communes: str) -> dict[str, Any]:
    return {
        "communes_at_zero": len(communes),
        **{f"at_zero/commune={c}": "Chưa giải ngân" for c in communes},
        **{f"order_lowest/commune={c}": n for n, c in enumerate(communes, 1)},
    }


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {},
            "Có 30/65 xã, phường có tỷ lệ giải ngân cao hơn bình quân chung của tỉnh; 20 đơn vị dưới 50 %; không có "
            "đơn vị nào chưa giải ngân (0 %).",
        ),
        (zero(QUAN_SON), "; 1 đơn vị chưa giải ngân (0 %) là xã Quan Sơn."),
        (zero(QUAN_SON, DONG_KINH), "; 2 đơn vị chưa giải ngân (0 %), gồm: xã Quan Sơn, phường Đông Kinh."),
        (zero(QUAN_SON, DONG_KINH, BAC_SON), "; 3 đơn vị chưa giải ngân (0 %), gồm: xã Quan Sơn, phường Đông Kinh, …."),
        ({"communes_above_average": 0}, "Không có xã, phường nào trong 65 đơn vị có tỷ lệ giải ngân cao hơn bình quân"),
        ({"communes_below_threshold": 0}, "; không có đơn vị nào dưới 50 %; "),
        ({"communes_below_threshold": 65}, "; cả 65 đơn vị đều dưới 50 %; "),
        ({"low_rate_pct": None}, "bình quân chung của tỉnh; không có đơn vị nào chưa giải ngân (0 %)."),
        (
            {"communes_ranked": 3, **zero(QUAN_SON, DONG_KINH, BAC_SON)},
            "Cả 3 xã, phường có số liệu đều chưa giải ngân (0 %).",
        ),
        ({"communes_ranked": 0}, "Chưa có xã, phường nào đủ số liệu để xếp hạng."),
        (
            {"communes_ranked": 1, f"order_lowest/commune={QUAN_SON}": 1},
            "Mới có số liệu giải ngân của xã Quan Sơn nên chưa so sánh giữa các xã, phường.",
        ),
        (
            {"communes_ranked": 1, **zero(QUAN_SON)},
            "Mới có số liệu giải ngân của xã Quan Sơn; đơn vị này chưa giải ngân",
        ),
    ],
)
def test_communes_are_counted_with_words_for_none_one_many_and_all(changes: dict[str, Any], said: str) -> None:
    assert said in text(sentences.communes(month(**changes), 2))


def ranked(*communes: str, rate: str = "10", left: int = TY) -> dict[str, Any]:
    return {
        "communes_ranked": len(communes),
        **{f"rate_total/commune={c}": rate for c in communes},
        **{f"undisbursed/commune={c}": left for c in communes},
        **{f"order_lowest/commune={c}": n for n, c in enumerate(communes, 1)},
        **{f"order_undisbursed/commune={c}": n for n, c in enumerate(communes, 1)},
    }


def assessment(**changes: Any) -> str:
    return "\n".join(joined(b.spans) for b in report._assessment(month(**changes)) if hasattr(b, "spans"))


def test_of_few_communes_none_is_both_the_strongest_and_the_weakest() -> None:
    told = assessment(**ranked(QUAN_SON, DONG_KINH))

    assert "Xã, phường có tỷ lệ giải ngân cao nhất là phường Đông Kinh (10,00 %)." in told
    assert "Xã, phường đã giải ngân nhưng có tỷ lệ thấp nhất là xã Quan Sơn (10,00 %)." in told
    assert "số vốn chưa giải ngân lớn nhất: xã Quan Sơn (1,0 tỷ đồng), phường Đông Kinh (1,0 tỷ đồng)." in told


def test_a_single_commune_is_not_compared_with_itself() -> None:
    told = assessment(**ranked(QUAN_SON))

    assert "nhất" not in told


def test_when_all_is_paid_no_commune_is_said_to_have_money_left() -> None:
    assert "số vốn chưa giải ngân lớn nhất" not in assessment(**ranked(QUAN_SON, DONG_KINH, left=0))
    assert "số vốn chưa giải ngân lớn nhất là" not in assessment(**ranked(QUAN_SON, DONG_KINH, left=-TY))


def test_communes_at_zero_are_named_once_and_never_called_the_weakest_that_paid() -> None:
    changes = {**ranked(QUAN_SON, DONG_KINH, rate="0"), **zero(QUAN_SON, DONG_KINH)}

    told = assessment(**changes)

    assert "Cả 2 xã, phường có số liệu đều chưa giải ngân." in told
    assert "thấp nhất" not in told
    assert "cao nhất" not in told


# Tasks ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ((0, 0, 0, 0, 0, 0, 0), "Trong tháng không có nhiệm vụ đến hạn."),
        ((1, 1, 1, 0, 0, 0, 0), "Trong tháng có 1 nhiệm vụ đến hạn, đã hoàn thành đúng hạn."),
        ((1, 1, 0, 1, 0, 0, 0), "Trong tháng có 1 nhiệm vụ đến hạn, đã hoàn thành nhưng quá hạn."),
        ((1, 0, 0, 0, 1, 1, 0), "Trong tháng có 1 nhiệm vụ đến hạn, đang thực hiện trong hạn."),
        ((1, 0, 0, 0, 1, 0, 1), "Trong tháng có 1 nhiệm vụ đến hạn, đang thực hiện và đã quá hạn."),
        (
            (5, 3, 2, 1, 2, 1, 1),
            "Trong tháng có 5 nhiệm vụ đến hạn: đã hoàn thành 3 (đúng hạn 2, quá hạn 1); đang thực hiện 2 (trong hạn "
            "1, quá hạn 1).",
        ),
        ((2, 0, 0, 0, 2, 0, 2), "đến hạn: chưa hoàn thành nhiệm vụ nào; đang thực hiện 2 (quá hạn)."),
        ((2, 2, 2, 0, 0, 0, 0), "đến hạn: đã hoàn thành 2 (đúng hạn); không còn nhiệm vụ nào đang thực hiện."),
    ],
)
def test_tasks_of_the_month_are_told_without_zeros(counts: tuple[int, ...], said: str) -> None:
    due = {f"tasks_due{name}": count for name, count in zip(TASKS_DUE, counts, strict=True)}

    assert said in text(sentences.tasks_of_month(month(**due)))


def overdue(*days: int) -> dict[str, Any]:
    result: dict[str, Any] = {"tasks/state=Đang thực hiện quá hạn": len(days), "longest_overdue_days": max(days)}
    for number, late in enumerate(days):
        by = f"task=T{number}"
        result |= {f"task_days_overdue/{by}": late, f"task_content/{by}": "rà soát", f"task_lead/{by}": "Sở Tài chính"}
        result |= {f"task_due/{by}": "2025-10-20", f"task_state/{by}": "Đang thực hiện quá hạn"}
    agency = "agency=Sở Tài chính"
    result |= {f"tasks/{agency},state=Đang thực hiện quá hạn": len(days), f"longest_overdue_days/{agency}": max(days)}
    return result


@pytest.mark.parametrize(
    ("changes", "longest", "listed", "box"),
    [
        (
            overdue(11),
            "Nhiệm vụ quá hạn 11 ngày: rà soát (Sở",
            "Sở Tài chính: 1 nhiệm vụ (quá hạn 11 ngày).",
            "1 nhiệm vụ (quá hạn 11 ngày)",
        ),
        (
            overdue(3, 11),
            "Nhiệm vụ quá hạn lâu nhất 11 ngày: rà soát",
            "Sở Tài chính: 2 nhiệm vụ (lâu nhất 11 ngày).",
            "2 nhiệm vụ (lâu nhất 11 ngày)",
        ),
        ({}, "", "Không có nhiệm vụ quá hạn.", "không có (trong 21 nhiệm vụ theo dõi)"),
        ({"tasks": 0}, "", "Chưa có nhiệm vụ được đưa vào theo dõi.", "không có (chưa có nhiệm vụ theo dõi)"),
        ({"tasks": ...}, "", "Chưa có nhiệm vụ được đưa vào theo dõi.", "không có (chưa có nhiệm vụ theo dõi)"),
    ],
)
def test_overdue_tasks_none_one_and_many(changes: dict[str, Any], longest: str, listed: str, box: str) -> None:
    figures = month(**changes)

    assert longest in text(sentences.longest_overdue(figures, 200))
    assert joined(brief._overdue(figures)[0].spans) == listed  # type: ignore[union-attr]
    assert boxes(figures)["Nhiệm vụ quá hạn"] == box


# Proposals ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("states", "communes", "said"),
    [
        ({}, 0, "Không có xã, phường nào trong số đã báo cáo gửi kiến nghị trong tháng 10."),
        ({"Chưa giải quyết": 1}, 1, "Có 1 kiến nghị của 1 xã, phường, chưa giải quyết."),
        ({"Đang giải quyết": 3}, 2, "Có 2 xã, phường gửi 3 kiến nghị, đều đang giải quyết."),
        (
            {"Không thuộc thẩm quyền": 1, "Đã giải quyết": 2, "Chưa giải quyết": 4},
            5,
            "Có 5 xã, phường gửi 7 kiến nghị: 4 chưa giải quyết, 2 đã giải quyết, 1 không thuộc thẩm quyền.",
        ),
    ],
)
def test_proposals_none_one_of_one_state_and_many(states: dict[str, int], communes: int, said: str) -> None:
    counted: dict[str, Any] = {f"proposals/state={state}": count for state, count in states.items()}
    if states:
        counted |= {"proposals": sum(states.values()), "proposal_communes": communes}

    assert text(sentences.proposals(month(**counted))) == said


# Documents that assign tasks ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tasks", "dated", "day", "number", "said"),
    [
        (21, 4, "2025-10-10", None, "Kết luận (ngày 10/10/2025): 21 nhiệm vụ, trong đó 4 nhiệm vụ có thời hạn cụ thể."),
        (3, 0, "2025-10-10", "12/TB-VP", "(ngày 10/10/2025; số 12/TB-VP): 3 nhiệm vụ, không nhiệm vụ nào có thời hạn"),
        (3, 3, None, "12/TB-VP", "Kết luận (số 12/TB-VP): 3 nhiệm vụ, đều có thời hạn cụ thể."),
        (1, 1, None, None, "Kết luận: 1 nhiệm vụ, có thời hạn cụ thể."),
    ],
)
def test_a_document_that_assigns_tasks(tasks: int, dated: int, day: Any, number: Any, said: str) -> None:
    by = "directive=D1"
    figures = month(**{
        f"directive_tasks/{by}": tasks, f"directive_tasks_dated/{by}": dated, f"directive_title/{by}": "Kết luận",
        f"directive_date/{by}": day, f"directive_no/{by}": number,
    })  # fmt: skip

    assert said in text(report._directive(figures, "D1"))


# The boxes of the brief -----------------------------------------------------------------------------------------------


def boxes(figures: FigureSet) -> dict[str, str]:
    strip = brief._strip(figures)
    assert isinstance(strip, Kpis)
    return {box.label: f"{joined(box.value)} ({joined(box.note)})" for box in strip.boxes}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {},
            {
                "Tỷ lệ giải ngân": "40,00 % (tăng 5,00 điểm % so với tháng 9)",
                "Đã giải ngân": "40,0 tỷ đồng (trên 100,0 tỷ đồng kế hoạch)",
                "Chưa giải ngân": "60,0 tỷ đồng (cần 20,0 tỷ đồng/tháng)",
                "Vốn kéo dài còn lại": "6,0 tỷ đồng (hết hạn 31/01/2026)",
            },
        ),
        ({"months_left": 1}, {"Chưa giải ngân": "60,0 tỷ đồng (còn một tháng giải ngân)"}),
        (
            {"months_left": 0, "pace_needed": None},
            {
                "Chưa giải ngân": "60,0 tỷ đồng (đã hết thời hạn giải ngân)",
                "Vốn kéo dài còn lại": "6,0 tỷ đồng (đã hết hạn 31/01/2026)",
            },
        ),
        (
            {"plan_total": 0, "rate_total": None, "undisbursed": ..., "plan_carry": 0},
            {
                "Tỷ lệ giải ngân": "chưa có (tăng 5,00 điểm % so với tháng 9)",
                "Đã giải ngân": "40,0 tỷ đồng (chưa có kế hoạch vốn)",
                "Chưa giải ngân": "chưa có (chưa có số liệu)",
                "Vốn kéo dài còn lại": "không có (năm 2025 không có vốn kéo dài)",
            },
        ),
        (
            {"undisbursed": -TY, "undisbursed_carry": -TY, "disb_ytd": ...},
            {
                "Đã giải ngân": "chưa có (trên 100,0 tỷ đồng kế hoạch)",
                "Chưa giải ngân": "không còn (giải ngân cao hơn kế hoạch, cần rà soát)",
                "Vốn kéo dài còn lại": "không còn (giải ngân cao hơn kế hoạch, cần rà soát)",
            },
        ),
        (
            {"undisbursed": 0, "undisbursed_carry": 0},
            {
                "Chưa giải ngân": "không còn (đã giải ngân hết kế hoạch)",
                "Vốn kéo dài còn lại": "không còn (đã giải ngân hết)",
            },
        ),
        ({"undisbursed_carry": ..., "plan_carry": ...}, {"Vốn kéo dài còn lại": "chưa có (chưa có số liệu)"}),
    ],
)
def test_the_boxes_never_hold_a_negative_amount_or_a_dash(changes: dict[str, Any], expected: dict[str, str]) -> None:
    found = boxes(month(**changes))

    assert {label: found[label] for label in expected} == expected
    assert not any(re.search(r"[-–]", told) for told in found.values())


# Quality of the data --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "Chất lượng số liệu (Phụ lục IV): chưa đối chiếu với Kho bạc Nhà nước."),
        ({"findings_explained": 2, "outliers": 0}, "(Phụ lục IV): 2 cảnh báo đã giải trình; chưa đối chiếu"),
        ({"treasury_statement": "kb.xlsx"}, "(Phụ lục IV): khớp với Kho bạc Nhà nước."),
        ({"treasury_statement": "kb.xlsx", "treasury_differences": 3}, "(Phụ lục IV): 3 chênh lệch với Kho bạc"),
    ],
)
def test_what_is_zero_is_left_out_of_the_quality_of_the_data(changes: dict[str, Any], said: str) -> None:
    assert said in text(sentences.quality(month(**changes)))


def test_statements_of_other_days_are_named() -> None:
    assert "sao kê đã nạp là của ngày 30/9/2025, 05/10/2025. Chỉ" in text(
        quality._not_compared(
            month(**{f"treasury_other_date/item={d}": d for d in ("2025-09-30", "2025-10-05")}),
            made("as_of", "2025-10-31"),
        )
    )
