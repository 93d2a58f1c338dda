"""Notes and names as officials write them: what explains, what does not, and what is no error at all."""

from __future__ import annotations

from datetime import date

import pytest

from tests.rules import kit
from tests.rules.cases_b01 import CENTRAL, pay
from tests.rules.scene import JANUARY, OPEN_TASK, TASK, TRIEU, Scene, scene, trieu


def ids(s: Scene) -> list[str]:
    return [f.id for f in kit.judged(s.report, s.known)]


@pytest.mark.parametrize(
    "note",
    [
        "Thu hồi tạm ứng nộp trả ngân sách",
        "Nộp trả ngân sách theo kết luận thanh tra",
        "Điều chỉnh giảm thanh toán theo quyết toán",
        "Hoàn trả kinh phí hỗ trợ",
        "Đính chính số liệu kỳ trước",
    ],
)
def test_a_fall_with_its_reason_is_not_sent_back(note: str) -> None:
    s = scene()
    s.paid_before(570 * TRIEU)
    s.line(note=note)
    assert ids(s) == ["CK15-explained"]


@pytest.mark.parametrize(
    "note",
    [
        "Vướng mắc trong thu hồi đất, giải phóng mặt bằng",
        "Dự án giảm nghèo đang thẩm định",
    ],
)
def test_a_fall_is_not_explained_by_words_about_something_else(note: str) -> None:
    s = scene()
    s.paid_before(570 * TRIEU)
    s.line(note=note)
    assert ids(s) == ["CK15-b01"]


@pytest.mark.parametrize(
    "note",
    ["Theo Quyết định số 123/QĐ-UBND ngày 05/12/2025", "QĐ 123/QĐ-UBND giảm kế hoạch", "Nghị quyết 15/NQ-HĐND"],
)
def test_money_beyond_the_plan_with_the_decision_is_asked_about(note: str) -> None:
    s = scene()
    pay(s, CENTRAL + TRIEU, 120 * TRIEU, note)
    assert ids(s) == ["M12-nstw"]


@pytest.mark.parametrize(
    "note", ["Chờ quyết định giao vốn năm 2026", "Chưa có quyết định, còn 5 hộ chưa nhận", "Dự kiến xong trong 2026"]
)
def test_money_beyond_the_plan_without_a_decision_is_sent_back(note: str) -> None:
    s = scene()
    pay(s, CENTRAL + TRIEU, 120 * TRIEU, note)
    assert ids(s) == ["CK01-nstw"]


@pytest.mark.parametrize(
    "lead", ["UBND xã Quan Sơn", "UBND Xã Quan Sơn", "Ủy ban nhân dân xã Quan Sơn", "UBND xã Quan Sơn."]
)
def test_the_lead_agency_may_be_written_in_the_usual_ways(lead: str) -> None:
    s = scene()
    s.task(lead=lead)
    assert ids(s) == []


@pytest.mark.parametrize("words", [date(2025, 12, 31), "31/12/2025", "thời gian từ nay đến cuối năm 2025"])
def test_a_deadline_that_names_the_day_of_the_register_is_not_changed(words: str | date) -> None:
    s = scene()
    s.task(OPEN_TASK, deadline_text=words)
    assert ids(s) == []


def test_a_task_that_stays_done_is_not_asked_for_a_reason() -> None:
    s = scene()
    s.task(TASK, reason=None)
    assert ids(s) == []


def test_a_line_that_pays_more_in_january_than_in_all_of_last_year_is_not_carried_on() -> None:
    """The month's own amount makes up the whole cumulative."""
    s = scene(JANUARY)
    code = s.content.lines[0].line_code
    paid = {"disb_nstw": 60, "disb_nsdp": 0, "disb_completed": 60, "disb_advance": 0, "accepted_volume": 60}
    s.line(code, **trieu(paid), disb_period=60 * TRIEU)
    s.knows(last_year={code: 5 * TRIEU})
    assert ids(s) == []
