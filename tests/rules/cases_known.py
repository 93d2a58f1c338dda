"""A report against what is known: CK15 to CK26, CK28, CK29, LT03, LT04, cases 47 and 51."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from etl.period import Period
from etl.reference.province import split_line_code
from etl.validate.controls.tasks import DONE
from etl.validate.known import CUMULATIVE_KEYS
from etl.validate.treasury import Balance, LatePosting
from tests.rules import kit
from tests.rules.cases_b01 import LOCAL, WHOLE, pay
from tests.rules.registry import just_not, triggers
from tests.rules.scene import (
    COMMUNE,
    DECEMBER,
    INDICATOR,
    JANUARY,
    LINE,
    OPEN_TASK,
    PAID,
    PLAN,
    TASK,
    TRIEU,
    Scene,
    Told,
    trieu,
)

PAID_BACK = "Thu hồi tạm ứng, nộp trả ngân sách"
OTHER = "DTTS-DA1-ND4-SN"
"""Another line with money in it."""
NO_LINE = "DTTS-DA2-SN"
"""A line of the tree that the commune does not have."""

# --- the month before ------------------------------------------------------------------------------------------------


@triggers("CK15-b01")
def _(s: Scene) -> Told:
    s.paid_before(560 * TRIEU + 1)
    return s.error("B01", LINE, "disb_ytd", value=560 * TRIEU, expected=560 * TRIEU + 1, difference=-1)


@just_not("CK15-b01")
def _(s: Scene) -> None:
    s.paid_before(560 * TRIEU)


@triggers("CK15-explained")
def _(s: Scene) -> Told:
    s.paid_before(560 * TRIEU + 1)
    s.line(note=PAID_BACK)
    return s.info("B01", LINE, "disb_ytd", value=560 * TRIEU, expected=560 * TRIEU + 1, difference=-1)


@just_not("CK15-explained")
def _(s: Scene) -> None:
    s.paid_before(560 * TRIEU)
    s.line(note=PAID_BACK)


@triggers("CK16-b01")
def _(s: Scene) -> Told:
    s.line(disb_period=60 * TRIEU + 1000)
    return s.error("B01", LINE, "disb_period", value=60 * TRIEU + 1000, expected=60 * TRIEU, difference=1000)


@just_not("CK16-b01")
def _(s: Scene) -> None:
    """A month's amount that was rounded."""
    s.line(disb_period=60 * TRIEU - 999)


@just_not("CK16-b01")
def _(s: Scene) -> None:
    """The report before is two months old: its figure and the month's do not make up the rest."""
    s.knows(before=replace(s.before, is_last_month=False))
    s.line(disb_period=60 * TRIEU + 1000)


def begun(s: Scene, now: int, last_year: int, month: int | None = None) -> str:
    """The first line of January with so much disbursed, and so much at the end of the old year."""
    code = s.content.lines[0].line_code
    s.line(code, **trieu(PLAN))
    s.registered(code, **trieu(PLAN))
    s.line(code, **(trieu(PAID) | {"disb_nstw": now - 60 * TRIEU, "disb_nsdp": 60 * TRIEU}))
    s.line(code, disb_completed=now - 100 * TRIEU, accepted_volume=now - 100 * TRIEU)
    if month is not None:
        s.line(code, disb_period=month)
    s.knows(last_year={**s.known.last_year, code: last_year})
    return code


@triggers("CK17-b01", at=JANUARY)
def _(s: Scene) -> Told:
    code = begun(s, 500 * TRIEU, last_year=500 * TRIEU)
    return s.error("B01", code, "disb_ytd", value=500 * TRIEU, expected=0, difference=500 * TRIEU)


@just_not("CK17-b01", at=JANUARY)
def _(s: Scene) -> None:
    begun(s, 500 * TRIEU, last_year=500 * TRIEU + 1)


@triggers("CK17-b01", at=JANUARY)
def _(s: Scene) -> Told:
    """What January's own amount does not make up is older."""
    code = begun(s, 500 * TRIEU, last_year=0, month=500 * TRIEU - 1)
    return s.error("B01", code, "disb_ytd", value=500 * TRIEU, expected=500 * TRIEU - 1, difference=1)


@just_not("CK17-b01", at=JANUARY)
def _(s: Scene) -> None:
    begun(s, 500 * TRIEU, last_year=0)


@triggers("CK20-jump")
def _(s: Scene) -> Told:
    s.paid_before(400 * TRIEU - 1)
    pay(s, 680 * TRIEU, LOCAL)
    return s.warning("B01", LINE, "disb_ytd", value=WHOLE, expected=400 * TRIEU - 1, difference=600 * TRIEU + 1)


@just_not("CK20-jump")
def _(s: Scene) -> None:
    s.paid_before(400 * TRIEU)
    pay(s, 680 * TRIEU, LOCAL)


def small_line(s: Scene, plan: int) -> None:
    """A line with so little plan, all of it disbursed at once."""
    s.plan(plan_nstw=plan, plan_nst=0, plan_nsx=0, carry_nstw=0, carry_nsdp=0)
    s.paid_before(0)
    s.line(disb_nstw=plan, disb_nsdp=0, disb_completed=plan, disb_advance=0, disb_carry=0, accepted_volume=plan)
    s.line(forecast=plan)


@triggers("CK20-jump")
def _(s: Scene) -> Told:
    small_line(s, 100 * TRIEU)
    return s.warning("B01", LINE, "disb_ytd", value=100 * TRIEU, expected=0, difference=100 * TRIEU)


@just_not("CK20-jump")
def _(s: Scene) -> None:
    small_line(s, 100 * TRIEU - 1)


def standing_still(s: Scene, amount: int, earlier: int) -> None:
    s.paid_before(amount)
    s.knows(before=replace(s.before, earlier={**s.before.earlier, LINE: earlier}))


@triggers("CK20-same")
def _(s: Scene) -> Told:
    standing_still(s, 560 * TRIEU, earlier=560 * TRIEU)
    return s.warning("B01", LINE, "disb_ytd", value=560 * TRIEU, expected=560 * TRIEU)


@just_not("CK20-same")
def _(s: Scene) -> None:
    standing_still(s, 560 * TRIEU, earlier=560 * TRIEU - 1)


@just_not("CK20-same")
def _(s: Scene) -> None:
    """Nothing is left to disburse."""
    pay(s, 680 * TRIEU, LOCAL)
    standing_still(s, WHOLE, earlier=WHOLE)


def sent_again(s: Scene) -> None:
    """Every cumulative is that of the report before."""
    for row in s.leaves("B01"):
        s.before_line(row.code, **{key: int(str(row.values[key])) for key in CUMULATIVE_KEYS})
    s.knows(before=replace(s.before, is_last_month=False))


@triggers("M47-unchanged")
def _(s: Scene) -> Told:
    sent_again(s)
    return s.warning("B01", value="2025-11")


@just_not("M47-unchanged")
def _(s: Scene) -> None:
    sent_again(s)
    s.before_line(disb_advance=100 * TRIEU - 1)


@just_not("M47-unchanged")
def _(s: Scene) -> None:
    """Who writes 0 for the month of each line has said that nothing happened."""
    sent_again(s)
    for line in s.content.lines:
        s.line(line.line_code, disb_period=0)


@triggers("CK15-b02")
def _(s: Scene) -> Told:
    s.before_output(actual_ytd=Decimal("15.01"))
    s.output(actual_period=Decimal("-0.01"))
    return s.error("B02", INDICATOR, "actual_ytd", value=15, expected="15.01", difference="-0.01")


@just_not("CK15-b02")
def _(s: Scene) -> None:
    s.before_output(actual_ytd=Decimal(15))
    s.output(actual_period=Decimal(0))


@triggers("CK15-b02-explained")
def _(s: Scene) -> Told:
    s.before_output(actual_ytd=Decimal("15.01"))
    s.output(actual_period=Decimal("-0.01"), note="Rà soát lại kết quả")
    return s.info("B02", INDICATOR, "actual_ytd", value=15, expected="15.01", difference="-0.01")


@just_not("CK15-b02-explained")
def _(s: Scene) -> None:
    s.before_output(actual_ytd=Decimal(15))
    s.output(actual_period=Decimal(0), note="Rà soát lại kết quả")


@triggers("CK16-b02")
def _(s: Scene) -> Told:
    s.output(actual_period=Decimal("5.01"))
    return s.error("B02", INDICATOR, "actual_period", value="5.01", expected=5, difference="0.01")


@just_not("CK16-b02")
def _(s: Scene) -> None:
    s.output(actual_period=Decimal(5))


def first_output(s: Scene, month: Decimal) -> None:
    """The indicator in the first report of a year, with a result of 5."""
    row = next(row for row in kit.content(COMMUNE, *DECEMBER).indicators if row["indicator_code"] == INDICATOR)
    added = {**row, "actual_ytd": Decimal(5), "actual_period": month, "actual_phase": Decimal(120)}
    ticked = s.content.nothing_to_report - {"B02"}
    s.content = replace(s.content, indicators=(added,), nothing_to_report=ticked)


@triggers("CK17-b02", at=JANUARY)
def _(s: Scene) -> Told:
    first_output(s, Decimal("4.99"))
    return s.error("B02", INDICATOR, "actual_ytd", value=5, expected="4.99", difference="0.01")


@just_not("CK17-b02", at=JANUARY)
def _(s: Scene) -> None:
    first_output(s, Decimal(5))


@triggers("CK21-phase")
def _(s: Scene) -> Told:
    s.before_output(actual_phase=Decimal("115.01"))
    return s.error("B02", INDICATOR, "actual_phase", value=115, expected="115.01", difference="-0.01")


@just_not("CK21-phase")
def _(s: Scene) -> None:
    s.before_output(actual_phase=Decimal(115))


@triggers("CK21-explained")
def _(s: Scene) -> Told:
    s.before_output(actual_phase=Decimal("115.01"))
    s.output(note="Rà soát lại kết quả")
    return s.info("B02", INDICATOR, "actual_phase", value=115, expected="115.01", difference="-0.01")


@just_not("CK21-explained")
def _(s: Scene) -> None:
    s.before_output(actual_phase=Decimal(115))
    s.output(note="Rà soát lại kết quả")


OPEN = {"status": "Đang thực hiện", "done_date": None, "result_doc": None}


@triggers("CK22-reopened")
def _(s: Scene) -> Told:
    s.task(**OPEN)
    return s.error("B03", TASK, "status", value="Đang thực hiện", expected="Đã hoàn thành")


@just_not("CK22-reopened")
def _(s: Scene) -> None:
    s.task(**OPEN)
    _, phrase = s.known.tasks_before[TASK]
    s.knows(tasks_before={**s.known.tasks_before, TASK: ("Đang thực hiện", phrase)})


@triggers("CK22-deadline")
def _(s: Scene) -> Told:
    s.task(OPEN_TASK, deadline_text="đến hết tháng 01/2026")
    expected = "thời gian từ nay đến cuối năm 2025"
    return s.error("B03", OPEN_TASK, "deadline_text", value="đến hết tháng 01/2026", expected=expected)


@triggers("CK22-deadline")
def _(s: Scene) -> Told:
    """A day later than the register's."""
    s.task(OPEN_TASK, deadline_text=date(2026, 1, 1))
    expected = "thời gian từ nay đến cuối năm 2025"
    return s.error("B03", OPEN_TASK, "deadline_text", value="01/01/2026", expected=expected)


@just_not("CK22-deadline")
def _(s: Scene) -> None:
    """The day itself in place of the words."""
    s.task(OPEN_TASK, deadline_text=date(2025, 12, 31))


@just_not("CK22-deadline")
def _(s: Scene) -> None:
    s.task(OPEN_TASK, deadline_text="Thời gian từ nay  đến cuối năm 2025")


PROPOSAL = "KN-06517-2025-10-01"


def without_proposals(s: Scene) -> None:
    ticked = s.content.nothing_to_report | {"B04"}
    s.content = replace(s.content, proposals=(), nothing_to_report=ticked)


@triggers("CK23")
def _(s: Scene) -> Told:
    without_proposals(s)
    return s.warning("B04", value=PROPOSAL)


@just_not("CK23")
def _(s: Scene) -> None:
    """It was resolved the month before."""
    without_proposals(s)
    s.knows(proposals_before={})


@just_not("CK23")
def _(s: Scene) -> None:
    s.proposal(issue_id=PROPOSAL.lower())


def without_open_task(s: Scene) -> None:
    kept = (row for row in s.content.tasks if str(row["task_id"]).upper() != OPEN_TASK)
    s.content = replace(s.content, tasks=tuple(kept))


@triggers("CK23-task")
def _(s: Scene) -> Told:
    s.content = replace(
        s.content, tasks=tuple(row for row in s.content.tasks if str(row["task_id"]).upper() != OPEN_TASK)
    )
    return s.warning("B03", value=OPEN_TASK)


@just_not("CK23-task")
def _(s: Scene) -> None:
    """It was done the month before."""
    s.knows(tasks_before={**s.known.tasks_before, OPEN_TASK: (DONE, s.known.tasks_before[OPEN_TASK][1])})
    s.content = replace(
        s.content, tasks=tuple(row for row in s.content.tasks if str(row["task_id"]).upper() != OPEN_TASK)
    )


@triggers("CK23-output")
def _(s: Scene) -> Told:
    s.content = replace(
        s.content, indicators=tuple(row for row in s.content.indicators if row["indicator_code"] != INDICATOR)
    )
    return s.warning("B02", value=INDICATOR)


@just_not("CK23-output")
def _(s: Scene) -> None:
    """It had no result yet."""
    s.before_output(actual_ytd=Decimal(0))
    s.content = replace(
        s.content, indicators=tuple(row for row in s.content.indicators if row["indicator_code"] != INDICATOR)
    )


# --- the register of allocation decisions ----------------------------------------------------------------------------


@triggers("CK18")
def _(s: Scene) -> Told:
    s.line(plan_nst=200 * TRIEU + 1)
    return s.error("B01", LINE, "plan_nst", value=200 * TRIEU + 1, expected=200 * TRIEU, difference=1)


@just_not("CK18")
def _(s: Scene) -> None:
    """A decision of this month changed it."""
    s.line(plan_nst=200 * TRIEU + 1)
    s.registered(plan_nst=200 * TRIEU + 1)
    s.knows(decided=s.known.decided | {LINE})


@triggers("CK18")
def _(s: Scene) -> Told:
    """Without a register the month before is what is known."""
    s.knows(plan={})
    s.line(plan_nst=200 * TRIEU - 1)
    return s.error("B01", LINE, "plan_nst", value=200 * TRIEU - 1, expected=200 * TRIEU, difference=-1)


@just_not("CK18")
def _(s: Scene) -> None:
    s.knows(plan={})


@triggers("CK19")
def _(s: Scene) -> Told:
    s.line(carry_nstw=80 * TRIEU + 1)
    return s.error("B01", LINE, "carry_nstw", value=80 * TRIEU + 1, expected=80 * TRIEU, difference=1)


@just_not("CK19")
def _(s: Scene) -> None:
    s.line(carry_nstw=80 * TRIEU + 1)
    s.registered(carry_nstw=80 * TRIEU + 1)
    s.knows(decided=s.known.decided | {LINE})


@triggers("CK19")
def _(s: Scene) -> Told:
    s.knows(plan={})
    s.line(carry_nsdp=20 * TRIEU - 1)
    return s.error("B01", LINE, "carry_nsdp", value=20 * TRIEU - 1, expected=20 * TRIEU, difference=-1)


@triggers("CK24")
def _(s: Scene) -> Told:
    """A decision of this month that the report does not follow to the đồng."""
    s.registered(plan_nst=200 * TRIEU + 1)
    s.knows(decided=s.known.decided | {LINE})
    return s.error("B01", LINE, "plan_nst", value=200 * TRIEU, expected=200 * TRIEU + 1, difference=-1)


@just_not("CK24")
def _(s: Scene) -> None:
    s.registered(plan_nst=200 * TRIEU + 1)
    s.knows(decided=s.known.decided | {LINE})
    s.line(plan_nst=200 * TRIEU + 1)


def assigned_above(s: Scene, **more: int) -> None:
    """The line's capital, and so much more by source, was assigned to its heading, for the commune to split."""
    parts = trieu(PLAN)
    s.knows(
        plan={code: parts for code, parts in s.known.plan.items() if code != LINE},
        plan_above={"DTTS-DA1-SN": {key: amount + more.get(key, 0) for key, amount in parts.items()}},
    )


@triggers("CK24")
def _(s: Scene) -> Told:
    """Central money assigned to the heading, split into capital carried over."""
    assigned_above(s, carry_nstw=-80 * TRIEU, plan_nstw=80 * TRIEU)
    s.knows(decided=s.known.decided | {LINE})
    return s.error("B01", LINE, "carry_nstw", value=80 * TRIEU, expected=0, difference=80 * TRIEU)


@triggers("CK24-split")
def _(s: Scene) -> Told:
    assigned_above(s, plan_nst=-1)
    return s.error("B01", "DTTS-DA1", "plan_total", value=WHOLE, expected=WHOLE - 1, difference=1)


@triggers("CK24-split")
def _(s: Scene) -> Told:
    """No more in all, but more of one source."""
    assigned_above(s, plan_nst=-1, plan_nstw=1)
    return s.error("B01", "DTTS-DA1", "plan_nst", value=200 * TRIEU, expected=200 * TRIEU - 1, difference=1)


@just_not("CK24-split")
def _(s: Scene) -> None:
    assigned_above(s)


@triggers("CK25")
def _(s: Scene) -> Told:
    assigned_above(s, plan_nst=1)
    return s.warning("B01", "DTTS-DA1", "plan_total", value=1, expected=WHOLE + 1)


@triggers("CK25")
def _(s: Scene) -> Told:
    """Capital of a line that the report does not have."""
    s.registered(NO_LINE, plan_nstw=1)
    return s.warning("B01", value=1, expected=1)


@just_not("CK25")
def _(s: Scene) -> None:
    s.registered(NO_LINE, plan_nstw=0)


@just_not("CK25")
def _(s: Scene) -> None:
    assigned_above(s)


@triggers("CK26")
def _(s: Scene) -> Told:
    """A project of poor districts, in a commune of another district."""
    s.knows(plan={})
    s.new_line("GNBV-DA1-TDA1-DT", "Vốn đầu tư phát triển", plan_nstw=1, note="Mới được giao")
    return s.warning("B01", "GNBV-DA1-TDA1-DT", "line_code", value="GNBV-DA1-TDA1-DT")


@just_not("CK26")
def _(s: Scene) -> None:
    """A line of the form without any money."""
    s.knows(plan={})
    s.new_line("GNBV-DA1-TDA1-DT", "Vốn đầu tư phát triển")


@triggers("M51")
def _(s: Scene) -> Told:
    s.new_line("DTTS-DA1-ND2-SN", plan_nstw=1, note="Mới được giao")
    return s.error("B01", "DTTS-DA1-ND2-SN", "line_code", value="DTTS-DA1-ND2-SN")


@just_not("M51")
def _(s: Scene) -> None:
    s.new_line("DTTS-DA1-ND2-SN")


@just_not("M51")
def _(s: Scene) -> None:
    """A decision that assigns nothing yet is a decision."""
    s.new_line("DTTS-DA1-ND2-SN", plan_nstw=1, note="Mới được giao")
    s.registered("DTTS-DA1-ND2-SN", plan_nstw=1)


@triggers("M51-asked")
def _(s: Scene) -> Told:
    s.knows(plan={})
    s.new_line("GNBV-DA7-TDA2-DT", "Vốn đầu tư phát triển", plan_nstw=1, note="Mới được giao")
    return s.warning("B01", "GNBV-DA7-TDA2-DT", "line_code", value="GNBV-DA7-TDA2-DT")


@just_not("M51-asked")
def _(s: Scene) -> None:
    s.knows(plan={})
    s.new_line("DTTS-DA1-ND2-SN", plan_nstw=1, note="Mới được giao")


# --- the State Treasury ----------------------------------------------------------------------------------------------

LEAST = int(kit.lang_son().thresholds["treasury_rounding_vnd"])
"""The smallest difference of one line that is not rounding; the threshold is 1,000 đồng."""


def differing(s: Scene, by: int) -> None:
    """The statement has so much less of the line than the report."""
    s.statement()
    s.balance(completed=460 * TRIEU - by)


@triggers("CK28")
def _(s: Scene) -> Told:
    differing(s, LEAST)
    return s.error("B01", LINE, "disb_ytd", value=560 * TRIEU, expected=560 * TRIEU - LEAST, difference=LEAST)


@triggers("CK28")
def _(s: Scene) -> Told:
    differing(s, -LEAST)
    return s.error("B01", LINE, "disb_ytd", value=560 * TRIEU, expected=560 * TRIEU + LEAST, difference=-LEAST)


@just_not("CK28")
def _(s: Scene) -> None:
    differing(s, LEAST - 1)


@just_not("CK28")
def _(s: Scene) -> None:
    """On every line: an office that reports to the nghìn đồng."""
    s.statement()
    lines = (replace(line, completed=(line.completed or 0) - 999, total=line.total - 999) for line in s.balances.lines)
    s.knows(treasury=replace(s.balances, lines=tuple(lines)))


def posted(s: Scene, working_days: int, amount: int = LEAST) -> None:
    """So much booked so many working days after the as-of date."""
    differing(s, amount)
    day = s.content.as_of
    while kit.lang_son().working_days_between(s.content.as_of, day) < working_days:
        day += timedelta(days=1)
    node, kind = split_line_code(LINE)
    late = LatePosting(s.balances.codes.get((node, kind), ("TEST",))[0], node, kind, day, "0000123", "payment", amount)
    s.knows(treasury=replace(s.balances, postings=(late,)))


@triggers("CK28-posting")
def _(s: Scene) -> Told:
    posted(s, 5)
    return s.warning("B01", LINE, "disb_ytd", value=560 * TRIEU, expected=560 * TRIEU - LEAST, difference=LEAST)


@triggers("CK28")
def _(s: Scene) -> Told:
    """A document of the sixth working day explains nothing."""
    posted(s, 6)
    return s.error("B01", LINE, "disb_ytd", value=560 * TRIEU, expected=560 * TRIEU - LEAST, difference=LEAST)


@just_not("CK28-posting")
def _(s: Scene) -> None:
    posted(s, 5, LEAST - 1)


@just_not("CK28-posting")
def _(s: Scene) -> None:
    """Booked late, and reported next month."""
    posted(s, 1)
    s.balance(completed=460 * TRIEU)


def swapped(s: Scene, amount: int) -> None:
    """So much of the line stands under another line's code."""
    differing(s, amount)
    other = next(line for line in s.balances.lines if f"{line.node_code}-{line.capital_kind}" == OTHER)
    s.balance(OTHER, completed=(other.completed or 0) + amount)


@triggers("CK28-code")
def _(s: Scene) -> Told:
    swapped(s, LEAST)
    return s.error("B01", LINE, "disb_ytd", value=560 * TRIEU, expected=560 * TRIEU - LEAST, difference=LEAST)


@just_not("CK28-code")
def _(s: Scene) -> None:
    swapped(s, LEAST - 1)


@triggers("CK28-unit")
def _(s: Scene) -> Told:
    s.statement()
    s.knows(treasury=replace(s.balances, lines=()))
    paid = sum(int(str(row.values["disb_ytd"])) for row in s.leaves("B01"))
    return s.error("B01", value=paid, expected=0, difference=paid)


@just_not("CK28-unit", at=(Period(2025, 9), 2025))
def _(s: Scene) -> None:
    """A commune that has disbursed nothing is in no statement."""
    s.paid_before(0)
    s.line(**dict.fromkeys(PAID, 0), disb_period=0)
    s.output(actual_ytd=Decimal(0), actual_period=Decimal(0), actual_phase=Decimal(110))
    s.before_output(actual_ytd=Decimal(0))
    s.statement()
    s.knows(treasury=replace(s.balances, lines=()))


def foreign(s: Scene, amount: int) -> None:
    node, kind = split_line_code(NO_LINE)
    s.statement()
    code = s.balances.codes.get((node, kind), ("TEST",))[0]
    lines = (*s.balances.lines, Balance(code, node, kind, amount, 0, amount))
    s.knows(treasury=replace(s.balances, lines=lines))


@triggers("CK28-unreported")
def _(s: Scene) -> Told:
    foreign(s, LEAST)
    return s.error("B01", value=0, expected=LEAST, difference=-LEAST)


@just_not("CK28-unreported")
def _(s: Scene) -> None:
    foreign(s, LEAST - 1)


def unrecovered(s: Scene, by: int) -> None:
    """The totals agree; so much of the advance is payment for volume at the Treasury."""
    s.statement()
    s.balance(completed=460 * TRIEU + by, advance=100 * TRIEU - by)


@triggers("CK29-advance")
def _(s: Scene) -> Told:
    unrecovered(s, LEAST)
    return s.warning("B01", LINE, "disb_advance", value=100 * TRIEU, expected=100 * TRIEU - LEAST, difference=LEAST)


@just_not("CK29-advance")
def _(s: Scene) -> None:
    unrecovered(s, LEAST - 1)


@triggers("CK29-overdue")
def _(s: Scene) -> Told:
    s.statement()
    s.balance(overdue=1)
    return s.warning("B01", LINE, "disb_advance", value=100 * TRIEU, expected=100 * TRIEU - 1, difference=1)


@just_not("CK29-overdue")
def _(s: Scene) -> None:
    s.statement()
    s.balance(overdue=0)


# --- the own roadmap -------------------------------------------------------------------------------------------------


def lagging(s: Scene, more: int) -> tuple[int, int]:
    """25 % of the plan and so many đồng more behind the roadmap: (paid, planned) of the whole commune."""
    rows = s.leaves("B01")
    paid, plan = (sum(int(str(row.values[key])) for row in rows) for key in ("disb_ytd", "plan_total"))
    assert plan % 4 == 0
    planned = paid + plan // 4 + more
    rest = sum(s.known.roadmap[row.code]["planned_m12"] for row in rows if row.code != LINE)
    s.planned(planned_m12=planned - rest)
    return paid, planned


@triggers("LT03")
def _(s: Scene) -> Told:
    paid, planned = lagging(s, more=1)
    return s.warning("B01", "", "disb_ytd", value=paid, expected=planned, difference=paid - planned)


@just_not("LT03")
def _(s: Scene) -> None:
    lagging(s, more=0)


@triggers("LT04-gone")
def _(s: Scene) -> Told:
    s.send_roadmap()
    s.content = replace(s.content, roadmap=tuple(row for row in s.content.roadmap if row["line_code"] != LINE))
    return s.warning("B05", value=LINE)


@just_not("LT04-gone")
def _(s: Scene) -> None:
    """A roadmap that is not sent again stays in force, whatever rows the form has."""
    s.content = replace(s.content, roadmap=tuple(row for row in s.content.roadmap if row["line_code"] != LINE))


@triggers("LT04")
def _(s: Scene) -> Told:
    s.send_roadmap()
    s.roadmap(planned_m11=540 * TRIEU + 1)
    return s.warning("B05", LINE, "planned_m11", value=540 * TRIEU + 1, expected=540 * TRIEU)


@just_not("LT04")
def _(s: Scene) -> None:
    s.send_roadmap()
    s.roadmap(planned_m11=540 * TRIEU)


@just_not("LT04")
def _(s: Scene) -> None:
    s.send_roadmap()
    s.roadmap(planned_m11=540 * TRIEU + 1, note="Theo tiến độ của nhà thầu")
