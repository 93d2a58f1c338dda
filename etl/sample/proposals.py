"""Biểu 04 of the sample: difficulties of about a third of the communes, followed up until answered."""

from __future__ import annotations

import random
from dataclasses import dataclass

from etl.collect.workbook import Row
from etl.period import Period
from etl.sample.budget import MERGED_PROGRAMME, MILLION, LineKey
from etl.sample.disbursement import CLOSING
from etl.sample.simulation import Simulation

_CAPITAL = "Vốn"
_BENEFICIARIES = "Đối tượng, địa bàn"


@dataclass(frozen=True)
class _Case:
    programme: str
    problem: str
    cause: str
    proposal: str
    addressee: str
    category: str


_CASES = (
    _Case(
        "GNBV",
        "Một số dự án, tiểu dự án không còn đối tượng thụ hưởng nên không giải ngân hết vốn được giao.",
        "Số hộ nghèo, hộ cận nghèo giảm so với thời điểm lập kế hoạch.",
        "Điều chỉnh giảm vốn không còn đối tượng để bố trí cho địa phương khác có nhu cầu.",
        "Sở Nông nghiệp và Môi trường",
        _BENEFICIARIES,
    ),
    _Case(
        "DTTS",
        "Vướng mắc giải phóng mặt bằng công trình đường giao thông nông thôn.",
        "Một số hộ dân chưa thống nhất phương án bồi thường, hỗ trợ.",
        "Hướng dẫn trình tự, thủ tục thu hồi đất đối với công trình quy mô nhỏ.",
        "Sở Nông nghiệp và Môi trường",
        "Đất đai, GPMB",
    ),
    _Case(
        "DTTS",
        "Thiếu hướng dẫn về định mức hỗ trợ phát triển sản xuất theo chuỗi giá trị.",
        "Văn bản hướng dẫn chưa phù hợp với mô hình chính quyền địa phương hai cấp.",
        "Ban hành hướng dẫn thống nhất về nội dung và định mức chi.",
        "Sở Dân tộc và Tôn giáo",
        "Cơ chế, chính sách",
    ),
    _Case(
        "NTM",
        "Vốn đối ứng ngân sách xã chưa cân đối được.",
        "Nguồn thu trên địa bàn thấp.",
        "Bố trí bổ sung vốn đối ứng từ ngân sách tỉnh.",
        "Sở Tài chính",
        _CAPITAL,
    ),
    _Case(
        "DTTS",
        "Thiếu công chức chuyên môn về tài chính, xây dựng để quản lý dự án.",
        "Biên chế sau sắp xếp đơn vị hành chính chưa được bổ sung.",
        "Bổ sung biên chế hoặc cử cán bộ biệt phái hỗ trợ xã.",
        "Sở Nội vụ",
        "Nhân lực",
    ),
    _Case(
        MERGED_PROGRAMME,
        "Chưa có hướng dẫn phân bổ chi tiết vốn của Chương trình giai đoạn 2026-2030.",
        "Văn bản hướng dẫn của trung ương mới ban hành.",
        "Hướng dẫn phân bổ chi tiết theo nội dung thành phần.",
        "Sở Nông nghiệp và Môi trường",
        "Cơ chế, chính sách",
    ),
)


@dataclass(frozen=True)
class _Proposal:
    """One proposal from its first report on; ``no`` counts those that the commune first reported in that
    period.
    """

    case: _Case
    begun: Period
    no: int
    months_open: int
    share: int


def rows(simulation: Simulation, commune_code: str, period: Period) -> tuple[Row, ...]:
    """Open proposals of the commune and those answered in this very period; a new one has no number yet."""
    result: list[Row] = []
    for year in range(2025, period.year + 1):
        for proposal in _begun_in(simulation, commune_code, year):
            begun = proposal.begun
            age = (period.year - begun.year) * 12 + period.month - begun.month
            if 0 <= age <= proposal.months_open:
                result.append(_row(simulation, commune_code, proposal, age))
    return tuple(result)


def _begun_in(simulation: Simulation, commune_code: str, year: int) -> list[_Proposal]:
    rng = random.Random(f"{simulation.seed}:proposal:{year}:{commune_code}")
    if rng.random() >= 0.42:
        return []
    first_month = 7 if year == 2025 else 2
    result: list[_Proposal] = []
    for _ in range(rng.choice((1, 1, 2))):
        begun = Period(year, rng.randint(first_month, 11))
        case = rng.choice([c for c in _CASES if (c.programme == MERGED_PROGRAMME) == (year > 2025)])
        months_open, share = rng.randint(2, 5), rng.randint(10, 40)
        if case.category in (_CAPITAL, _BENEFICIARIES):
            # A change of the year's plan is decided within that year.
            months_open = min(months_open, 12 - begun.month)
        repeated = case in [p.case for p in result]
        if _lines_of(simulation, commune_code, case, begun) and not repeated:
            no = 1 + sum(p.begun == begun for p in result)
            result.append(_Proposal(case, begun, no, months_open, share))
    return result


def _lines_of(simulation: Simulation, commune_code: str, case: _Case, begun: Period) -> list[LineKey]:
    lines = simulation.lines(commune_code, begun.year, begun.month)
    return [k for k in lines if k.project_code.startswith(case.programme)]


def _row(simulation: Simulation, commune_code: str, proposal: _Proposal, age: int) -> Row:
    case, begun = proposal.case, proposal.begun
    key = max(
        _lines_of(simulation, commune_code, case, begun),
        key=lambda k: sum(simulation.plan(k, begun.year, begun.month).values()),
    )
    answered = begun
    for _ in range(proposal.months_open):
        answered = answered.next
    solved = age == proposal.months_open
    amount = _adjustment(simulation, key, case, begun.year, proposal.share)
    return {
        "issue_id": f"KN-{commune_code}-{begun}-{proposal.no:02d}" if age else None,
        "project_code": key.project_code,
        "problem": case.problem,
        "cause": case.cause,
        "proposal": case.proposal,
        "addressee": case.addressee,
        "category": case.category,
        "state": "Đã giải quyết" if solved else "Đang giải quyết" if age else "Chưa giải quyết",
        "reply_doc": _reply(answered, proposal.share) if solved else None,
        "adjust_amount": amount,
        "note": "Đề nghị điều chỉnh giảm kế hoạch vốn" if amount is not None and amount < 0 else None,
    }


def _reply(answered: Period, share: int) -> str:
    return f"Công văn số {400 + share * 7} ngày 15/{answered.month:02d}/{answered.year}"


def _adjustment(simulation: Simulation, key: LineKey, case: _Case, budget_year: int, share: int) -> int | None:
    """Change asked for, in đồng: a reduction stays within what no month of the year will have disbursed."""
    if case.category == _CAPITAL:
        return share * 10 * MILLION
    if case.category != _BENEFICIARIES:
        return None
    plan = min(sum(simulation.plan(key, budget_year, m).values()) for m in range(7, CLOSING + 1))
    free = plan - simulation.paid(key, budget_year, CLOSING).total
    amount = free * share // 100 // MILLION * MILLION
    return -amount if amount else None
