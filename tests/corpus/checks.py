"""CK01 to CK14: what is wrong in a report in itself, and the cases just inside of each bound."""

from __future__ import annotations

import random
from decimal import Decimal

from etl.collect.workbook import Value
from tests.corpus.base import B01, B02, B05, LOCAL, MILLION, PLAN_KEYS, Base, base, split
from tests.corpus.draft import Draft, defect


def _target(n: int) -> tuple[Base, str]:
    made = base(n)
    return made, made.targets[n % len(made.targets)]


def _outputs_noted(made: Base) -> Base:
    """Biểu 02 explains itself: outputs are not compared with money."""
    return made.with_rows("B02", tuple({**r, "note": "Số liệu của xã"} for r in made.content.indicators))


def _central(made: Base, code: str) -> int:
    return made.amount(code, "plan_nstw", "carry_nstw")


@defect("ck01-paid-to-the-last-dong", "CK01")
def _(n: int, rng: random.Random) -> Draft:
    """Just inside: all of a source, or of both, is paid."""
    made, code = _target(n)
    local = made.amount(code, *LOCAL)
    part = (local, local // 2 // 1000 * 1000, local)[n % 3]
    central = (_central(made, code), _central(made, code), _central(made, code) // 3 * 2 // 1000 * 1000)[n % 3]
    carry = made.amount(code, "carry_nstw", "carry_nsdp")
    made = split(_outputs_noted(made), code, central, part, disb_carry=carry)
    return Draft(made)


@defect("ck01-one-dong-over", "CK01")
def _(n: int, rng: random.Random) -> Draft:
    made, code = _target(n)
    key = ("disb_nstw", "disb_nsdp")[n % 2]
    central, local = _central(made, code), made.amount(code, *LOCAL)
    paid = (central + 1, local // 2) if key == "disb_nstw" else (central // 10 * 7, local + 1)
    made = split(_outputs_noted(made), code, *paid, note="Theo số liệu đối chiếu với Kho bạc" if n % 3 else None)
    return Draft(made).expect("CK01", "error", B01, made.at(code, key))


@defect("ck02-plan-is-not-its-parts", "CK02")
def _(n: int, rng: random.Random) -> Draft:
    made, code = _target(n)
    off = (5 * MILLION, -3 * MILLION, 1, -1, 100 * MILLION, 1000, -1000, 10 * MILLION, 250_000, -50 * MILLION)[n]
    made = made.with_line(code, plan_total=made.planned(code) + off)
    return Draft(made).expect("CK02", "error", B01, made.at(code, "plan_total"))


@defect("ck03-sources-do-not-add-up", "CK03")
def _(n: int, rng: random.Random) -> Draft:
    """The cumulative figure typed over: one finding, though it differs from both of its splits."""
    made, code = _target(n)
    off = (MILLION, -MILLION, 1, 12_345_000, -2 * MILLION)[n % 5]
    made = made.with_line(code, disb_ytd=made.paid(code) + off)
    return Draft(made).expect("CK03", "error", B01, made.at(code, "disb_ytd"))


@defect("ck03-completed-and-advance-do-not-add-up", "CK03")
def _(n: int, rng: random.Random) -> Draft:
    made, code = _target(n)
    off = (MILLION, -MILLION, 1, -1, 9 * MILLION)[n % 5]
    made = made.with_line(code, disb_advance=made.amount(code, "disb_advance") + off)
    return Draft(made).expect("CK03", "error", B01, made.at(code, "disb_completed"))


@defect("ck06-paid-without-plan", "CK06")
def _(n: int, rng: random.Random) -> Draft:
    made, code = _target(n)
    made = made.with_line(code, **dict.fromkeys(PLAN_KEYS, 0), disb_carry=0, forecast=None)
    return Draft(_outputs_noted(made)).expect("CK06", "error", B01, made.at(code, "disb_ytd"))


@defect("ck06-nothing-paid-without-plan", "CK06")
def _(n: int, rng: random.Random) -> Draft:
    """Just inside: no plan and no payment."""
    made, code = _target(n)
    nothing: dict[str, Value] = dict.fromkeys(
        (*PLAN_KEYS, "disb_nstw", "disb_nsdp", "disb_completed", "disb_advance", "disb_carry", "accepted_volume"), 0
    )
    made = made.with_line(code, **nothing, forecast=None if n % 2 else 0, note=None).with_previous(code, disb_ytd=0)
    return Draft(made)


@defect("ck07-paid-before-accepted", "CK07")
def _(n: int, rng: random.Random) -> Draft:
    made, code = _target(n)
    short = (MILLION, 1, 1000, 20 * MILLION, 5 * MILLION)[n % 5]
    made = made.with_line(code, accepted_volume=made.amount(code, "disb_completed") - short)
    return Draft(made).expect("CK07", "warning", B01, made.at(code, "disb_completed"))


@defect("ck07-paid-what-is-accepted", "CK07")
def _(n: int, rng: random.Random) -> Draft:
    made, code = _target(n)
    return Draft(made.with_line(code, accepted_volume=made.amount(code, "disb_completed")))


@defect("ck08-more-carry-over-than-there-is", "CK08")
def _(n: int, rng: random.Random) -> Draft:
    made, code = _target(n)
    more = (MILLION, 1, 1000, 20 * MILLION, 5 * MILLION)[n % 5]
    made = made.with_line(code, disb_carry=made.amount(code, "carry_nstw", "carry_nsdp") + more)
    return Draft(made).expect("CK08", "error", B01, made.at(code, "disb_carry"))


@defect("ck08-all-carry-over-paid", "CK08")
def _(n: int, rng: random.Random) -> Draft:
    made, code = _target(n)
    carry = made.amount(code, "carry_nstw", "carry_nsdp")
    low = made.paid(code) < carry
    if low:
        made = split(made, code, min(_central(made, code), carry), made.amount(code, *LOCAL))
    return Draft(made.with_line(code, disb_carry=min(carry, made.paid(code))))


@defect("ck09-negative-without-note", "CK09")
def _(n: int, rng: random.Random) -> Draft:
    made, code = _target(n)
    if n < 6:
        amount = (MILLION, 12_500_000, 1)[n % 3]
        paid = made.paid(code)
        made = made.with_line(code, disb_advance=-amount, disb_completed=paid + amount, accepted_volume=paid + amount)
        return Draft(made).expect("CK09", "error", B01, made.at(code, "disb_advance"))
    if n < 8:
        row = made.content.indicators[0]
        key = ("actual_phase", "forecast")[n % 2]
        made = made.with_row("B02", 0, **{key: Decimal(-3)})
        return Draft(made).expect("CK09", "error", B02, made.at(str(row["indicator_code"]), key, "B02"))
    made = base((0, 9)[n - 8])
    made = made.with_row("B05", 1, planned_m10=-5 * MILLION, note=None)
    code = str(made.content.roadmap[1]["line_code"])
    return Draft(made).expect("CK09", "error", B05, made.at(code, "planned_m10", "B05"))


@defect("ck09-negative-with-note", "CK09")
def _(n: int, rng: random.Random) -> Draft:
    """Money paid back, and said so; this month's figure may be negative, too."""
    made, code = _target(n)
    note = ("Thu hồi tạm ứng nộp trả ngân sách", "Điều chỉnh giảm theo đối chiếu Kho bạc")[n % 2]
    if n < 5:
        paid = made.paid(code)
        amount = (n + 1) * MILLION
        made = made.with_line(
            code, disb_advance=-amount, disb_completed=paid + amount, accepted_volume=paid + amount, note=note
        )
        return Draft(made)
    return Draft(made.with_line(code, note=note).with_previous(code, disb_ytd=made.paid(code) + n * MILLION))


@defect("ck11-one-figure-in-another-unit", "CK11")
def _(n: int, rng: random.Random) -> Draft:
    made, code = _target(n)
    key = ("accepted_volume", "forecast")[n % 2]
    factor = (1000, 1_000_000, 100)[n % 3]
    value = made.amount(code, key) * factor
    made = made.with_line(code, **{key: value})
    return Draft(made).expect("CK11", "error", B01, made.at(code, key))


@defect("ck11-one-row-in-another-unit", "CK11")
def _(n: int, rng: random.Random) -> Draft:
    """One line typed in đồng or nghìn đồng: one finding, at the cumulative figure."""
    made, code = _target(n)
    factor = 1_000_000 if n % 2 else 1000
    keys = ("disb_nstw", "disb_nsdp", "disb_completed", "disb_advance", "disb_carry", "accepted_volume", "forecast")
    made = made.with_line(code, **{k: made.amount(code, k) * factor for k in keys})
    return Draft(made).expect("CK11", "error", B01, made.at(code, "disb_ytd"))


@defect("ck11-twenty-times-the-plan", "CK11")
def _(n: int, rng: random.Random) -> Draft:
    """The bound itself, one đồng under it (nothing to say) and at it."""
    made, code = _target(n)
    bound = 20 * made.planned(code)
    if n % 2:
        return Draft(made.with_line(code, accepted_volume=bound - 1 - 1000 * n))
    made = made.with_line(code, accepted_volume=bound + 1000 * n)
    return Draft(made).expect("CK11", "error", B01, made.at(code, "accepted_volume"))


def _measured(n: int) -> tuple[Base, str, int]:
    """A base with an indicator (not in %) whose project has one line only; that line; the indicator's position."""
    found = []
    for number in range(10):
        made = base(number)
        for position, row in enumerate(made.content.indicators):
            lines = [x.line_code for x in made.content.lines if x.project_code == row["project_code"]]
            alone = sum(r["project_code"] == row["project_code"] for r in made.content.indicators) == 1
            if len(lines) == 1 and alone and row["unit"] != "%":
                found.append((made, lines[0], position))
    return found[n % len(found)]


@defect("ck12-output-without-money", "CK12")
def _(n: int, rng: random.Random) -> Draft:
    made, code, position = _measured(n)
    nothing: dict[str, Value] = dict.fromkeys(
        ("disb_nstw", "disb_nsdp", "disb_completed", "disb_advance", "disb_carry", "accepted_volume"), 0
    )
    made = made.with_line(code, **nothing, note="Chưa giải ngân do đang hoàn thiện hồ sơ thanh toán")
    made = made.with_previous(code, disb_ytd=0).with_row("B02", position, actual_ytd=Decimal(1 + n % 3), note=None)
    indicator = str(made.content.indicators[position]["indicator_code"])
    made = made.with_previous(indicator, actual_ytd=Decimal(0))
    return Draft(made).expect("CK12", "warning", B02, made.at(indicator, "actual_ytd", "B02"))


@defect("ck12-money-without-output", "CK12")
def _(n: int, rng: random.Random) -> Draft:
    made, code, position = _measured(n)
    carry = made.amount(code, "carry_nstw", "carry_nsdp")
    made = split(made, code, _central(made, code), made.amount(code, *LOCAL), disb_carry=carry)
    made = made.with_row("B02", position, actual_ytd=Decimal(0), note=None)
    indicator = str(made.content.indicators[position]["indicator_code"])
    made = made.with_previous(indicator, actual_ytd=Decimal(0))
    return Draft(made).expect("CK12", "warning", B02, made.at(indicator, "actual_ytd", "B02"))


@defect("ck12-explained-or-on-the-way", "CK12")
def _(n: int, rng: random.Random) -> Draft:
    """Just inside: a note explains it, or one đồng of the plan is still open."""
    made, code, position = _measured(n)
    indicator = str(made.content.indicators[position]["indicator_code"])
    made = made.with_previous(indicator, actual_ytd=Decimal(0)).with_row("B02", position, actual_ytd=Decimal(0))
    carry = made.amount(code, "carry_nstw", "carry_nsdp")
    local = made.amount(code, *LOCAL)
    if n % 2:
        made = split(made, code, _central(made, code), local, disb_carry=carry)
        return Draft(made.with_row("B02", position, note="Công trình chưa nghiệm thu đưa vào sử dụng"))
    return Draft(split(made, code, _central(made, code) - 1, local, disb_carry=carry))


@defect("ck13-forecast-out-of-bounds", "CK13")
def _(n: int, rng: random.Random) -> Draft:
    made, code = _target(n)
    value = (
        made.paid(code) - 1,
        made.planned(code) + 1,
        made.paid(code) // 2,
        made.planned(code) + 50 * MILLION,
        0,
    )[n % 5]
    made = made.with_line(code, forecast=value)
    return Draft(made).expect("CK13", "warning", B01, made.at(code, "forecast"))


@defect("ck13-forecast-at-its-bounds", "CK13")
def _(n: int, rng: random.Random) -> Draft:
    made, code = _target(n)
    return Draft(made.with_line(code, forecast=made.paid(code) if n % 2 else made.planned(code)))


_LATE = (0, 1, 2, 3, 6, 7, 8, 9)
"""Bases from October on, when a low rate needs its note."""


@defect("ck14-low-rate-without-note", "CK14")
def _(n: int, rng: random.Random) -> Draft:
    made = base(_LATE[n % 8])
    code = made.targets[n % len(made.targets)]
    if n % 3 == 0:  # a đồng under one half
        central = _central(made, code) // 2
        local = made.planned(code) // 2 - central - 1
    else:
        central, local = _central(made, code) * (10 + 3 * n) // 100, made.amount(code, *LOCAL) // 4
    note = None if n % 4 else "  "
    made = split(made, code, central, local, note=note)
    draft = Draft(made).expect("CK14", "warning", B01, made.at(code, "note"))
    return draft.fact("B01", code, "note", None)


@defect("ck14-half-paid", "CK14")
def _(n: int, rng: random.Random) -> Draft:
    """Just inside: one half exactly, or a low rate before October."""
    if n % 5 == 4:
        made = base(4 if n == 4 else 5)
        code = made.targets[0]
        return Draft(split(made, code, _central(made, code) // 5, made.amount(code, *LOCAL) // 5, note=None))
    made = base(_LATE[n % 8])
    code = made.targets[n % len(made.targets)]
    central = _central(made, code) // 2
    return Draft(split(made, code, central, (made.planned(code) + 1) // 2 - central, note=None))


@defect("ck14-paid-back-without-note", "CK14")
def _(n: int, rng: random.Random) -> Draft:
    made, code = _target(n)
    more = (MILLION, 1, 15 * MILLION)[n % 3]
    made = made.with_line(code, note=None).with_previous(code, disb_ytd=made.paid(code) + more)
    return Draft(made).expect("CK14", "warning", B01, made.at(code, "note"))
