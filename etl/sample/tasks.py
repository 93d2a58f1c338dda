"""Biểu 03 of the sample: the registered tasks of a commune and how they move on from month to month."""

from __future__ import annotations

from datetime import date

from etl.collect.workbook import Row
from etl.period import Period
from etl.reference.province import Commune, Province

# The notice of the inspection of 10/10/2025 carries neither number nor date (DOMAIN.md section 0).
_NO_NUMBER = "(chưa ghi số)"
_FIRST_REPORT = Period(2025, 10)
_DONE, _OPEN, _NOT_BEGUN = "Đã hoàn thành", "Đang thực hiện", "Chưa thực hiện"


def rows(province: Province, commune: Commune, period: Period) -> tuple[Row, ...]:
    """Tasks led by the commune's UBND, from the period in which they were assigned on."""
    if period < _FIRST_REPORT:
        return ()
    led = [t for t in province.tasks() if t["lead_vi"] == commune.committee_vi]
    return tuple(_row(task, period) for task in led)


def _row(task: dict[str, str], period: Period) -> Row:
    return {
        "task_id": task["task_id"],
        "doc_no": _NO_NUMBER,
        "doc_date": None,
        "content": task["content_vi"],
        "lead": task["lead_vi"],
        "coordinating": task["coordinating_vi"] or None,
        "deadline_text": task["deadline_phrase_vi"] or None,
        "extension_date": None,
        "note": None,
        **_report(task, period),
    }


def _report(task: dict[str, str], period: Period) -> Row:
    if task["deliverable"] == "plan":
        return _plan(period)
    if task["due_kind"] == "horizon":
        return _horizon(period)
    if task["due_kind"] == "recurring":
        return _state(_OPEN, f"Đã gửi báo cáo tiến độ kỳ {period.vi}.")
    if task["due_kind"] == "event":
        return _state(_OPEN, "Thực hiện thanh toán khi có khối lượng nghiệm thu.")
    if period == _FIRST_REPORT:
        return _state(_NOT_BEGUN, "Mới tiếp nhận, đang phân công đơn vị thực hiện.")
    return _state(_OPEN, "Đã phân công đơn vị phụ trách, thực hiện thường xuyên trong tháng.")


def _state(status: str, progress: str, **more: str | date | None) -> Row:
    return {
        "status": status,
        "done_date": None,
        "result_doc": None,
        "progress": progress,
        "reason": None,
        **more,
    }


def _plan(period: Period) -> Row:
    """The roadmap by week and month: drafted in October, issued on 24/11/2025, in good time."""
    if period < Period(2025, 11):
        return _state(_OPEN, "Đang rà soát chỉ tiêu, dự thảo kế hoạch và lộ trình giải ngân từng tuần, từng tháng.")
    return _state(
        _DONE,
        "Đã ban hành kế hoạch và lộ trình giải ngân chi tiết.",
        done_date=date(2025, 11, 24),
        result_doc="Kế hoạch số 68/KH-UBND ngày 24/11/2025",
    )


def _horizon(period: Period) -> Row:
    """Pushing disbursement to the year's end: done with the closing of the budget year, a month late."""
    if period < Period(2025, 12):
        return _state(_OPEN, "Đã giao chỉ tiêu giải ngân cho từng đơn vị, giao ban hằng tuần.")
    if period < Period(2026, 1):
        return _state(_OPEN, "Tiếp tục nghiệm thu, hoàn thiện hồ sơ thanh toán đến hết 31/01/2026.")
    return _state(
        _DONE,
        "Đã giải ngân đến thời điểm khóa sổ năm ngân sách 2025.",
        done_date=date(2026, 1, 30),
        result_doc="Báo cáo số 21/BC-UBND ngày 30/01/2026",
        reason="Khối lượng nghiệm thu dồn vào cuối năm, thanh toán đến hết 31/01/2026 theo quy định.",
    )
