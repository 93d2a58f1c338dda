"""Biểu 01 in itself: CK01 to CK11, CK13, CK14 and case 12."""

from __future__ import annotations

from decimal import Decimal

from etl.period import Period
from tests.rules.registry import just_not, triggers
from tests.rules.scene import LINE, PAID, PAID_BEFORE, PLAN, PROJECT, TRIEU, Scene, Told, trieu

DECISION = "Điều chỉnh giảm kế hoạch theo Quyết định số 123/QĐ-UBND ngày 05/12/2025"
REASON = "Giải ngân thấp do đang thẩm định dự án"
CENTRAL, LOCAL, WHOLE = 680 * TRIEU, 320 * TRIEU, 1_000 * TRIEU


def pay(s: Scene, central: int, local: int, note: str | None = None) -> None:
    """So much disbursed on the line, 100 triệu of it in advance and the rest for accepted volume."""
    volume = central + local - 100 * TRIEU
    s.line(
        disb_nstw=central,
        disb_nsdp=local,
        disb_completed=volume,
        accepted_volume=volume,
        forecast=max(central + local, PAID["forecast"] * TRIEU),
        note=note,
    )


@triggers("CK01-nstw")
def _(s: Scene) -> Told:
    pay(s, CENTRAL + 1, 120 * TRIEU)
    return s.error("B01", LINE, "disb_nstw", value=CENTRAL + 1, expected=CENTRAL, difference=1)


@just_not("CK01-nstw")
def _(s: Scene) -> None:
    pay(s, CENTRAL, 120 * TRIEU)


@triggers("CK01-nsdp")
def _(s: Scene) -> Told:
    pay(s, 440 * TRIEU, LOCAL + 1)
    return s.error("B01", LINE, "disb_nsdp", value=LOCAL + 1, expected=LOCAL, difference=1)


@just_not("CK01-nsdp")
def _(s: Scene) -> None:
    pay(s, 440 * TRIEU, LOCAL)


@triggers("M12-nstw")
def _(s: Scene) -> Told:
    pay(s, CENTRAL + 1, 120 * TRIEU, DECISION)
    return s.warning("B01", LINE, "disb_nstw", value=CENTRAL + 1, expected=CENTRAL, difference=1)


@just_not("M12-nstw")
def _(s: Scene) -> None:
    pay(s, CENTRAL, 120 * TRIEU, DECISION)


@triggers("M12-nsdp")
def _(s: Scene) -> Told:
    pay(s, 440 * TRIEU, LOCAL + 1, DECISION)
    return s.warning("B01", LINE, "disb_nsdp", value=LOCAL + 1, expected=LOCAL, difference=1)


@just_not("M12-nsdp")
def _(s: Scene) -> None:
    pay(s, 440 * TRIEU, LOCAL, DECISION)


@triggers("CK02")
def _(s: Scene) -> Told:
    s.line(plan_total=WHOLE + 1)
    return s.error("B01", LINE, "plan_total", value=WHOLE + 1, expected=WHOLE, difference=1)


@just_not("CK02")
def _(s: Scene) -> None:
    s.plan(plan_nst=200 * TRIEU - 1, plan_nsx=100 * TRIEU + 1)


@triggers("CK03-sources")
def _(s: Scene) -> Told:
    s.line(disb_ytd=560 * TRIEU + 1)
    return s.error("B01", LINE, "disb_ytd", value=560 * TRIEU + 1, expected=560 * TRIEU, difference=1)


@just_not("CK03-sources")
def _(s: Scene) -> None:
    s.line(disb_nstw=440 * TRIEU - 1, disb_nsdp=120 * TRIEU + 1)


@triggers("CK03-split")
def _(s: Scene) -> Told:
    s.line(disb_completed=460 * TRIEU + 1, accepted_volume=460 * TRIEU + 1)
    return s.error("B01", LINE, "disb_completed", value=560 * TRIEU + 1, expected=560 * TRIEU, difference=1)


@just_not("CK03-split")
def _(s: Scene) -> None:
    s.line(disb_completed=460 * TRIEU - 1, disb_advance=100 * TRIEU + 1)


@triggers("CK04-b01")
def _(s: Scene) -> Told:
    """Over one line the tolerance is half of the last digit that the form shows, 0,001 triệu đồng."""
    s.type_over("B01", PROJECT, accepted_volume=460 * TRIEU + 501)
    return s.error("B01", PROJECT, "accepted_volume", value=460 * TRIEU + 501, expected=460 * TRIEU, difference=501)


@just_not("CK04-b01")
def _(s: Scene) -> None:
    s.type_over("B01", PROJECT, accepted_volume=460 * TRIEU + 500)


@triggers("CK04-b01")
def _(s: Scene) -> Told:
    """Over all lines of the form it is so many times as much."""
    lines = s.leaves("B01")
    whole, most = sum(int(str(row.values["disb_advance"])) for row in lines), 500 * len(lines)
    s.type_over("B01", "", disb_advance=whole - most - 1)
    return s.error("B01", "", "disb_advance", value=whole - most - 1, expected=whole, difference=-most - 1)


@just_not("CK04-b01")
def _(s: Scene) -> None:
    lines = s.leaves("B01")
    whole = sum(int(str(row.values["disb_advance"])) for row in lines)
    s.type_over("B01", "", disb_advance=whole - 500 * len(lines))


@triggers("CK05")
def _(s: Scene) -> Told:
    s.line(disb_rate=Decimal("56.0501"))
    return s.warning("B01", LINE, "disb_rate", value="56.0501", expected="56.00", difference="0.0501")


@triggers("CK05")
def _(s: Scene) -> Told:
    s.line(disb_rate=Decimal("55.9"))
    return s.warning("B01", LINE, "disb_rate", value="55.9", expected="56.00", difference="-0.10")


@just_not("CK05")
def _(s: Scene) -> None:
    s.line(disb_rate=Decimal("56.05"))


@just_not("CK05")
def _(s: Scene) -> None:
    s.line(disb_rate=Decimal("0.5595"))


def without_plan(s: Scene, paid: int) -> None:
    s.plan(plan_nstw=0, plan_nst=0, plan_nsx=0, carry_nstw=0, carry_nsdp=0)
    s.line(
        disb_nstw=paid,
        disb_nsdp=0,
        disb_completed=paid,
        disb_advance=0,
        disb_carry=0,
        accepted_volume=paid,
        forecast=paid,
    )
    s.paid_before(0)


@triggers("CK06")
def _(s: Scene) -> Told:
    without_plan(s, 1)
    return s.error("B01", LINE, "disb_ytd", value=1, expected=0, difference=1)


@just_not("CK06")
def _(s: Scene) -> None:
    without_plan(s, 0)


@triggers("CK07")
def _(s: Scene) -> Told:
    s.line(accepted_volume=460 * TRIEU - 1)
    return s.warning("B01", LINE, "disb_completed", value=460 * TRIEU, expected=460 * TRIEU - 1, difference=1)


@just_not("CK07")
def _(s: Scene) -> None:
    s.line(accepted_volume=460 * TRIEU)


@triggers("CK08")
def _(s: Scene) -> Told:
    s.line(disb_carry=100 * TRIEU + 1)
    return s.error("B01", LINE, "disb_carry", value=100 * TRIEU + 1, expected=100 * TRIEU, difference=1)


@just_not("CK08")
def _(s: Scene) -> None:
    s.line(disb_carry=100 * TRIEU)


def slow(s: Scene, carry: int) -> None:
    """80 triệu disbursed, less than there is carried over; ``carry`` of it from what was carried over."""
    s.paid_before(20 * TRIEU)
    paid = {"disb_nstw": 60 * TRIEU, "disb_nsdp": 20 * TRIEU, "disb_completed": 80 * TRIEU, "disb_advance": 0}
    s.line(**paid, accepted_volume=80 * TRIEU, disb_carry=carry, note=REASON)


@triggers("CK08-part")
def _(s: Scene) -> Told:
    slow(s, 80 * TRIEU + 1)
    return s.info("B01", LINE, "disb_carry", value=80 * TRIEU + 1, expected=80 * TRIEU)


@just_not("CK08-part")
def _(s: Scene) -> None:
    slow(s, 80 * TRIEU)


def advanced(s: Scene, amount: int, note: str | None = None) -> None:
    volume = 560 * TRIEU - amount
    s.line(disb_advance=amount, disb_completed=volume, accepted_volume=volume, note=note)


@triggers("CK09-b01")
def _(s: Scene) -> Told:
    advanced(s, -1)
    return s.error("B01", LINE, "disb_advance", value=-1)


@just_not("CK09-b01")
def _(s: Scene) -> None:
    advanced(s, 0)


@just_not("CK09-b01")
def _(s: Scene) -> None:
    advanced(s, -1, "Hạch toán giảm tạm ứng, chờ điều chỉnh")


@triggers("CK09-b01")
def _(s: Scene) -> Told:
    """A note that speaks of something else does not explain it."""
    advanced(s, -1, REASON)
    return s.error("B01", LINE, "disb_advance", value=-1)


@triggers("CK09-b01")
def _(s: Scene) -> Told:
    """The part that is typed, not the sum that the form makes of it."""
    s.line(plan_nstw=-600 * TRIEU)
    return s.error("B01", LINE, "plan_nstw", value=-600 * TRIEU)


FAR = "NTM-ND02-DT"
"""A line of the same capital kind in another programme."""


def change_places(s: Scene, one: str, other: str) -> None:
    for code, new in ((one, "-"), (other, one), ("-", other)):
        s.recode("B01", code, new)


@triggers("CK10-swapped")
def _(s: Scene) -> list[Told]:
    change_places(s, LINE, FAR)
    # A row answers to the code that it has now.
    return [
        s.error("B01", FAR, "line_code", value=FAR, expected=LINE),
        s.error("B01", LINE, "line_code", value=LINE, expected=FAR),
    ]


@triggers("CK10-swapped")
def _(s: Scene) -> list[Told]:
    """Two capital kinds of one project."""
    one, other = "DTTS-DA4-TDA1-DT", "DTTS-DA4-TDA1-SN"
    change_places(s, one, other)
    return [
        s.error("B01", other, "line_code", value=other, expected=one),
        s.error("B01", one, "line_code", value=one, expected=other),
    ]


@just_not("CK10-swapped")
def _(s: Scene) -> None:
    """Two lines of one plan: which code is whose cannot be told, and need not."""
    s.plan(FAR, **trieu(PLAN))
    s.line(FAR, **trieu(PAID), note=None)
    s.before_line(FAR, **trieu(PAID_BEFORE))
    s.paid_before(PAID_BEFORE["disb_ytd"] * TRIEU, FAR)
    s.planned(FAR, planned_m12=PAID["forecast"] * TRIEU, planned_close=PAID["forecast"] * TRIEU)


@triggers("CK10-unknown-b01")
def _(s: Scene) -> Told:
    s.recode("B01", LINE, "DTTS-DA1-ND99-SN")
    return s.error("B01", "DTTS-DA1-ND99-SN", "line_code", value="DTTS-DA1-ND99-SN")


@triggers("CK10-unknown-b01")
def _(s: Scene) -> Told:
    s.recode("B01", PROJECT, "DTTS-DA1-ND99")
    return s.error("B01", "DTTS-DA1-ND99", "line_code", value="DTTS-DA1-ND99")


@just_not("CK10-unknown-b01")
def _(s: Scene) -> None:
    """A line of the tree that the decisions do not know either, without any money."""
    s.new_line("DTTS-DA1-ND2-SN")


@triggers("CK10-twice-b01")
def _(s: Scene) -> Told:
    first = next(row.row_no for row in s.leaves("B01") if row.code == LINE)
    s.recode("B01", "DTTS-DA1-ND4-SN", LINE)
    return s.error("B01", LINE, "line_code", value=LINE, expected=first)


@just_not("CK10-twice-b01")
def _(s: Scene) -> None:
    """The other capital kind of the same project."""
    s.new_line("DTTS-DA1-ND3-DT", "Vốn đầu tư phát triển")


@triggers("CK11")
def _(s: Scene) -> Told:
    s.line(accepted_volume=20 * WHOLE)
    return s.error("B01", LINE, "accepted_volume", value=20 * WHOLE, expected=WHOLE, difference=20)


@just_not("CK11")
def _(s: Scene) -> None:
    s.line(accepted_volume=20 * WHOLE - 1)


@triggers("CK13-short")
def _(s: Scene) -> Told:
    s.line(forecast=560 * TRIEU - 1)
    return s.warning("B01", LINE, "forecast", value=560 * TRIEU - 1, expected=560 * TRIEU, difference=-1)


@just_not("CK13-short")
def _(s: Scene) -> None:
    s.line(forecast=560 * TRIEU)


@triggers("CK13-excess")
def _(s: Scene) -> Told:
    s.line(forecast=WHOLE + 1)
    return s.warning("B01", LINE, "forecast", value=WHOLE + 1, expected=WHOLE, difference=1)


@just_not("CK13-excess")
def _(s: Scene) -> None:
    s.line(forecast=WHOLE)


@triggers("CK14-recovery")
def _(s: Scene) -> Told:
    """With the month before at hand the fall itself is the finding (CK15)."""
    s.knows(before=None)
    s.line(disb_period=-1)
    return s.warning("B01", LINE, "note", value=-1)


@just_not("CK14-recovery")
def _(s: Scene) -> None:
    s.knows(before=None)
    s.line(disb_period=0)


@just_not("CK14-recovery")
def _(s: Scene) -> None:
    s.knows(before=None)
    s.line(disb_period=-1, note="Nộp trả ngân sách theo kết luận kiểm toán")


@triggers("CK14-rate")
def _(s: Scene) -> Told:
    s.paid_before(450 * TRIEU)
    pay(s, 380 * TRIEU, 120 * TRIEU - 1)
    return s.warning("B01", LINE, "note", value="49.99", expected="50")


@just_not("CK14-rate")
def _(s: Scene) -> None:
    s.paid_before(450 * TRIEU)
    pay(s, 380 * TRIEU, 120 * TRIEU)


@just_not("CK14-rate")
def _(s: Scene) -> None:
    s.paid_before(450 * TRIEU)
    pay(s, 380 * TRIEU, 120 * TRIEU - 1, REASON)


@just_not("CK14-rate", at=(Period(2025, 9), 2025))
def _(s: Scene) -> None:
    """A month too early for it to matter."""
    s.paid_before(450 * TRIEU)
    pay(s, 380 * TRIEU, 120 * TRIEU - 1)


@triggers("CK14-rate", at=(Period(2025, 10), 2025))
def _(s: Scene) -> Told:
    s.paid_before(450 * TRIEU)
    pay(s, 380 * TRIEU, 120 * TRIEU - 1)
    return s.warning("B01", LINE, "note", value="49.99", expected="50")
