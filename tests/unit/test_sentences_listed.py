"""The words follow the numbers: none, one, many and all of communes, tasks, proposals."""

from __future__ import annotations

import re
from typing import Any

import pytest

from etl.publish import brief, quality, report, sentences
from etl.publish.figure import FigureSet
from etl.publish.model import Kpis, Spans, joined
from tests.figure_sets import BAC_SON, DONG_KINH, QUAN_SON, TY, made, month

TASKS_DUE = ("", "_done", "_done_on_time", "_done_late", "_open", "_open_in_time", "_open_overdue")


def text(spans: Spans | None) -> str:
    return joined(spans or ())


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
    told = assessment(**ranked(QUAN_SON, DONG_KINH) | {f"rate_total/commune={DONG_KINH}": "20"})

    assert "Xã, phường có tỷ lệ giải ngân cao nhất là phường Đông Kinh (20,00 %)." in told
    assert "Xã, phường đã giải ngân nhưng có tỷ lệ thấp nhất là xã Quan Sơn (10,00 %)." in told
    assert "số vốn chưa giải ngân lớn nhất: xã Quan Sơn (1,0 tỷ đồng), phường Đông Kinh (1,0 tỷ đồng)." in told


def test_communes_with_the_same_rate_are_neither_strong_nor_weak() -> None:
    told = assessment(**ranked(QUAN_SON, DONG_KINH))

    assert "tỷ lệ giải ngân cao nhất" not in told
    assert "tỷ lệ thấp nhất" not in told


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
                "Chưa giải ngân": "60,0 tỷ đồng (cần 20,0 tỷ đồng/tháng; tháng 10 được 5,0 tỷ đồng)",
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
