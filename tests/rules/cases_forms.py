"""Biểu 02 to 05 in themselves: CK04, CK09, CK10, CK12, CK21, CK36 to CK38, LT01, LT02."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

from tests.rules.cases_b01 import LOCAL, REASON, WHOLE, pay
from tests.rules.registry import just_not, triggers
from tests.rules.scene import INDICATOR, LINE, OPEN_TASK, PROJECT, TASK, TRIEU, Scene, Told

# --- Biểu 02 ---------------------------------------------------------------------------------------------------------


@triggers("CK10-unknown-b02")
def _(s: Scene) -> Told:
    s.recode("B02", INDICATOR, "CT-99")
    return s.error("B02", "CT-99", "indicator_code", value="CT-99")


@just_not("CK10-unknown-b02")
def _(s: Scene) -> None:
    """Another indicator of the list; the first one had no result yet."""
    s.before_output(actual_ytd=Decimal(0), actual_phase=Decimal(0))
    s.recode("B02", INDICATOR, "CT-08")


@triggers("CK10-twice-b02")
def _(s: Scene) -> Told:
    first = next(row.row_no for row in s.leaves("B02") if row.code == INDICATOR)
    s.recode("B02", "CT-10", INDICATOR)
    return s.error("B02", INDICATOR, "indicator_code", value=INDICATOR, expected=first)


@just_not("CK10-twice-b02")
def _(s: Scene) -> None:
    """Two indicators of one project."""
    s.output(project_code="DTTS-DA1-ND4")


@triggers("CK10-project-b02")
def _(s: Scene) -> Told:
    s.output(project_code="DTTS-DA99")
    return s.error("B02", INDICATOR, "project_code", value="DTTS-DA99")


@just_not("CK10-project-b02")
def _(s: Scene) -> None:
    """A heading of the tree."""
    s.output(project_code="DTTS-DA1")


@triggers("CK09-b02")
def _(s: Scene) -> Told:
    s.output(target_year=Decimal("-0.01"))
    return s.error("B02", INDICATOR, "target_year", value="-0.01")


@just_not("CK09-b02")
def _(s: Scene) -> None:
    s.output(target_year=Decimal(0))


@just_not("CK09-b02")
def _(s: Scene) -> None:
    s.output(target_year=Decimal("-0.01"), note="Điều chỉnh giảm chỉ tiêu giao")


def nothing_paid(s: Scene, but: int = 0) -> None:
    s.paid_before(0)
    s.line(
        disb_nstw=but,
        disb_nsdp=0,
        disb_completed=but,
        disb_advance=0,
        disb_carry=0,
        accepted_volume=but,
        note=REASON,
    )


@triggers("CK12-no-money")
def _(s: Scene) -> Told:
    nothing_paid(s)
    return s.warning("B02", INDICATOR, "actual_ytd", value=15, expected=PROJECT)


@just_not("CK12-no-money")
def _(s: Scene) -> None:
    nothing_paid(s, but=1)


@just_not("CK12-no-money")
def _(s: Scene) -> None:
    nothing_paid(s)
    s.output(note="Người dân đóng góp ngày công")


def no_output(s: Scene) -> None:
    s.output(actual_ytd=Decimal(0), actual_period=Decimal(0), actual_phase=Decimal(110))
    s.before_output(actual_ytd=Decimal(0))


@triggers("CK12-no-output")
def _(s: Scene) -> Told:
    no_output(s)
    pay(s, 680 * TRIEU, LOCAL)
    return s.warning("B02", INDICATOR, "actual_ytd", value=0, expected=PROJECT)


@just_not("CK12-no-output")
def _(s: Scene) -> None:
    no_output(s)
    pay(s, 680 * TRIEU, LOCAL - 1)


@triggers("CK21-year")
def _(s: Scene) -> Told:
    s.before_output(actual_phase=Decimal(10))
    s.output(actual_phase=Decimal("14.99"))
    return s.error("B02", INDICATOR, "actual_ytd", value=15, expected="14.99", difference="0.01")


@just_not("CK21-year")
def _(s: Scene) -> None:
    s.before_output(actual_phase=Decimal(10))
    s.output(actual_phase=Decimal(15))


# --- Biểu 03 ---------------------------------------------------------------------------------------------------------


@triggers("CK10-twice-b03")
def _(s: Scene) -> Told:
    first = next(row.row_no for row in s.leaves("B03") if row.code == TASK)
    s.recode("B03", OPEN_TASK, TASK)
    return s.error("B03", TASK, "task_id", value=TASK, expected=first)


@just_not("CK10-twice-b03")
def _(s: Scene) -> None:
    """Two tasks in the same words."""
    s.task(content="Như trên")
    s.task(OPEN_TASK, content="Như trên")


@triggers("CK10-unknown-b03")
def _(s: Scene) -> Told:
    s.recode("B03", OPEN_TASK, "QS-2025-10-9.Z")
    return s.error("B03", "QS-2025-10-9.Z", "task_id", value="QS-2025-10-9.Z")


@just_not("CK10-unknown-b03")
def _(s: Scene) -> None:
    s.recode("B03", OPEN_TASK, OPEN_TASK.lower())


@triggers("CK36-early")
def _(s: Scene) -> Told:
    s.task(done_date=date(2025, 10, 9))
    return s.error("B03", TASK, "done_date", value="09/10/2025", expected="10/10/2025")


@just_not("CK36-early")
def _(s: Scene) -> None:
    s.task(done_date=date(2025, 10, 10))


@triggers("CK36-early")
def _(s: Scene) -> Told:
    """The date of the document stands before that of the register."""
    s.task(doc_date=date(2025, 11, 25))
    return s.error("B03", TASK, "done_date", value="24/11/2025", expected="25/11/2025")


@triggers("CK36-late")
def _(s: Scene) -> Told:
    s.knows(received_on=date(2026, 1, 5))
    s.task(done_date=date(2026, 1, 6))
    return s.error("B03", TASK, "done_date", value="06/01/2026", expected="05/01/2026")


@just_not("CK36-late")
def _(s: Scene) -> None:
    s.knows(received_on=date(2026, 1, 5))
    s.task(done_date=date(2026, 1, 5))


@triggers("CK36-document")
def _(s: Scene) -> Told:
    s.task(result_doc=None)
    return s.error("B03", TASK, "result_doc")


@just_not("CK36-document")
def _(s: Scene) -> None:
    s.task(result_doc="68/KH-UBND")


def due(s: Scene, day: date) -> None:
    s.knows(tasks={**s.known.tasks, OPEN_TASK: replace(s.known.tasks[OPEN_TASK], due=day)})


@triggers("CK37")
def _(s: Scene) -> Told:
    """Overdue starts the day after."""
    due(s, date(2025, 12, 30))
    return s.warning("B03", OPEN_TASK, "reason", expected="30/12/2025", difference=1)


@just_not("CK37")
def _(s: Scene) -> None:
    due(s, date(2025, 12, 31))


@just_not("CK37")
def _(s: Scene) -> None:
    due(s, date(2025, 12, 30))
    s.task(OPEN_TASK, reason="Khối lượng nghiệm thu dồn vào cuối năm")


@triggers("CK38-several")
def _(s: Scene) -> Told:
    s.task(lead="UBND xã Quan Sơn và Sở Tài chính")
    return s.error("B03", TASK, "lead", value="UBND xã Quan Sơn và Sở Tài chính")


@just_not("CK38-several")
def _(s: Scene) -> None:
    """One agency with "và" in its name."""
    s.task(lead="Sở Nông nghiệp và Môi trường")


@triggers("CK38-unknown")
def _(s: Scene) -> Told:
    s.task(lead="Sở Vườn rừng")
    return s.error("B03", TASK, "lead", value="Sở Vườn rừng")


@just_not("CK38-unknown")
def _(s: Scene) -> None:
    """A former name."""
    s.task(lead="Sở Kế hoạch và Đầu tư")


@triggers("CK38-itself")
def _(s: Scene) -> Told:
    s.task(coordinating="Sở Tài chính; UBND xã Quan Sơn")
    return s.error("B03", TASK, "coordinating", value="UBND xã Quan Sơn")


@just_not("CK38-itself")
def _(s: Scene) -> None:
    s.task(coordinating="Sở Tài chính; UBND xã Chi Lăng")


# --- Biểu 04 ---------------------------------------------------------------------------------------------------------


@triggers("CK10-project-b04")
def _(s: Scene) -> Told:
    s.proposal(project_code="DTTS-DA99")
    return s.error("B04", "DTTS-DA99", "project_code", value="DTTS-DA99")


@just_not("CK10-project-b04")
def _(s: Scene) -> None:
    """A whole programme."""
    s.proposal(project_code="DTTS")


# --- Biểu 05 ---------------------------------------------------------------------------------------------------------


@triggers("CK10-unknown-b05")
def _(s: Scene) -> Told:
    s.send_roadmap()
    s.recode("B05", LINE, "DTTS-DA1-ND99-SN")
    return s.error("B05", "DTTS-DA1-ND99-SN", "line_code", value="DTTS-DA1-ND99-SN")


@just_not("CK10-unknown-b05")
def _(s: Scene) -> None:
    s.send_roadmap()


@triggers("CK10-twice-b05")
def _(s: Scene) -> Told:
    s.send_roadmap()
    first = next(row.row_no for row in s.leaves("B05") if row.code == LINE)
    s.recode("B05", "DTTS-DA1-ND4-SN", LINE)
    return s.error("B05", LINE, "line_code", value=LINE, expected=first)


@just_not("CK10-twice-b05")
def _(s: Scene) -> None:
    """Two lines with the same figures."""
    s.send_roadmap()
    s.planned("DTTS-DA1-ND4-SN", **s.known.roadmap[LINE])
    s.plan("DTTS-DA1-ND4-SN", plan_nstw=WHOLE)
    s.send_roadmap()


@triggers("CK09-b05")
def _(s: Scene) -> Told:
    s.send_roadmap()
    s.roadmap(planned_m10=-1)
    return s.error("B05", LINE, "planned_m10", value=-1)


@just_not("CK09-b05")
def _(s: Scene) -> None:
    s.planned(planned_m10=0)
    s.send_roadmap()


def total_of_roadmap(s: Scene) -> tuple[int, int]:
    """Sum of a month over all lines, and how far off it may be."""
    s.send_roadmap()
    rows = s.leaves("B05")
    whole = sum(int(str(row.values["planned_m12"])) for row in rows)
    return whole, 500 * len(rows)


@triggers("CK04-b05")
def _(s: Scene) -> Told:
    whole, most = total_of_roadmap(s)
    s.type_over("B05", "", planned_m12=whole + most + 1)
    return s.error("B05", "", "planned_m12", value=whole + most + 1, expected=whole, difference=most + 1)


@just_not("CK04-b05")
def _(s: Scene) -> None:
    whole, most = total_of_roadmap(s)
    s.type_over("B05", "", planned_m12=whole + most)


@triggers("LT01")
def _(s: Scene) -> Told:
    s.planned(planned_m11=520 * TRIEU - 1)
    s.send_roadmap()
    return s.error("B05", LINE, "planned_m11", value=520 * TRIEU - 1, expected=520 * TRIEU, difference=-1)


@just_not("LT01")
def _(s: Scene) -> None:
    s.planned(planned_m11=520 * TRIEU)
    s.send_roadmap()


@triggers("LT02")
def _(s: Scene) -> Told:
    s.planned(planned_close=WHOLE + 1)
    s.send_roadmap()
    return s.error("B05", LINE, "planned_close", value=WHOLE + 1, expected=WHOLE, difference=1)


@just_not("LT02")
def _(s: Scene) -> None:
    s.planned(planned_close=WHOLE)
    s.send_roadmap()
