"""The notes of Biểu 01 that the rules ask for: low rate, recovery, plan changed in the period (CK14)."""

from __future__ import annotations

import random
from collections.abc import Sequence
from decimal import Decimal

from etl import money
from etl.clock import show_date
from etl.reference.province import Province
from etl.sample.budget import Allocation

_REASONS = (
    "Giải ngân thấp do mới hoàn thành thủ tục lựa chọn nhà thầu, đang thi công",
    "Giải ngân thấp do đang rà soát, phê duyệt danh sách đối tượng thụ hưởng",
    "Giải ngân thấp do thiếu công chức chuyên môn về tài chính, xây dựng sau sắp xếp đơn vị hành chính",
    "Giải ngân thấp do vướng mắc giải phóng mặt bằng, chưa bàn giao được mặt bằng thi công",
    "Giải ngân thấp do chờ hướng dẫn về nội dung, định mức chi",
    "Giải ngân thấp do dự án đang thẩm định, chưa đủ điều kiện thanh toán",
)


def note(
    province: Province,
    month: int,
    plan_total: int,
    paid: int,
    paid_before: int,
    changes: Sequence[Allocation],
    rng: random.Random,
) -> str | None:
    """The note of a line, or None where nothing asks for one; ``month`` counts within the budget year (1 to
    13).
    """
    parts = []
    if changes:
        change = sum(c.amount_vnd for c in changes)
        verb = "tăng" if change > 0 else "giảm"
        decision = changes[-1]
        parts.append(
            f"Điều chỉnh {verb} kế hoạch {money.show_trieu(abs(change))} triệu đồng theo Quyết định số "
            f"{decision.decision_no} ngày {show_date(decision.signed_on)}"
        )
    if paid < paid_before:
        parts.append(f"Thu hồi tạm ứng nộp trả ngân sách {money.show_trieu(paid_before - paid)} triệu đồng")
    late = month >= province.thresholds["low_rate_from_month"]
    # Compared unrounded: 49,996 % is below 50 % although the form shows 50,00.
    if late and Decimal(paid) * 100 < province.thresholds["low_rate_pct"] * plan_total:
        reason = rng.choice(_REASONS)
        parts.append(reason.replace("Giải ngân thấp", "Chưa giải ngân") if paid == 0 else reason)
    return "; ".join(parts) or None
