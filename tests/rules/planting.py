"""Defects planted at random places of any sample report: one function per rule.

A planter gets a scene and a generator of its own, spoils one place and returns what must be said there, or None where
the report has no such place. ``alone``: it concerns the whole report, so that nothing else is planted beside it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from typing import Any

from etl.collect.report import Row
from etl.reference.province import split_line_code
from etl.validate.controls.roadmap import MONTHS
from etl.validate.known import CUMULATIVE_KEYS, PLAN_KEYS
from etl.validate.treasury import Balance, LatePosting
from tests.rules import kit
from tests.rules.scene import TRIEU, Scene, Told

DECISION = "Điều chỉnh kế hoạch theo Quyết định số 77/QĐ-UBND"
PAID_BACK = "Thu hồi tạm ứng nộp trả ngân sách"
REASON = "Giải ngân thấp do đang thi công"
_CENTRAL, _LOCAL = ("plan_nstw", "carry_nstw"), ("plan_nst", "plan_nsx", "carry_nsdp")


@dataclass
class Plot:
    """A scene with what is taken already: projects, indicators and tasks on which something was planted or found."""

    scene: Scene
    rng: random.Random
    taken: set[str] = field(default_factory=set)

    def some(self) -> int:
        """An amount that a person would mistype, down to the đồng."""
        return self.rng.randint(20_000, 40 * TRIEU)

    def lines(self, fits: Callable[[Row], bool] = lambda row: True, *, quiet: bool = True) -> list[Row]:
        """Lines of Biểu 01 on which something can be planted; ``quiet``: whose project has no indicator."""
        spoken_of = {str(row.values["project_code"]) for row in self.scene.leaves("B02")} if quiet else set()
        return [
            row
            for row in self.scene.leaves("B01")
            if split_line_code(row.code)[0] not in self.taken | spoken_of and fits(row)
        ]

    def line(self, fits: Callable[[Row], bool] = lambda row: True, *, quiet: bool = True) -> Row | None:
        found = self.lines(fits, quiet=quiet)
        if not found:
            return None
        row = self.rng.choice(found)
        self.taken.add(split_line_code(row.code)[0])
        return row

    def row(self, form: str, fits: Callable[[Row], bool] = lambda row: True) -> Row | None:
        """A row of another form whose code, and whose project, nothing was planted on."""
        found = [
            row
            for row in self.scene.leaves(form)
            if not {row.code, str(row.values.get("project_code") or split_line_code(row.code)[0])} & self.taken
            and fits(row)
        ]
        if not found:
            return None
        row = self.rng.choice(found)
        self.taken |= {row.code, str(row.values.get("project_code") or split_line_code(row.code)[0])}
        return row

    def recode(self, form: str, code: str, new: str) -> None:
        self.scene.recode(form, code, new)
        self.taken.add(new)


Planter = Callable[[Plot], Told | list[Told] | None]
PLANTERS: dict[str, Planter] = {}
ALONE: set[str] = set()


def plants(id: str, *, alone: bool = False) -> Callable[[Planter], Planter]:
    def register(planter: Planter) -> Planter:
        PLANTERS[id] = planter
        if alone:
            ALONE.add(id)
        return planter

    return register


def n(row: Row, *keys: str) -> int:
    """Sum of amounts of a row; 0 for a blank one."""
    return sum(value for key in keys if isinstance(value := row.values.get(key), int))


def paid(row: Row) -> int:
    return n(row, "disb_ytd")


def plan(row: Row) -> int:
    return n(row, "plan_total")


def usual(row: Row) -> bool:
    """Half to nine tenths disbursed, nothing to explain."""
    return plan(row) >= 200 * TRIEU and plan(row) <= 2 * paid(row) <= 1.8 * plan(row) and not row.values["note"]


def begun(row: Row) -> bool:
    return paid(row) > TRIEU and plan(row) >= 200 * TRIEU


def small(plot: Plot, row: Row) -> bool:
    """Without weight in the commune's sums."""
    return 20 * plan(row) <= sum(plan(other) for other in plot.scene.leaves("B01"))


def pay(plot: Plot, row: Row, central: int, local: int, note: str | None = None) -> None:
    """So much disbursed, the advance as it is, and no jump: most of it was there the month before."""
    whole, s = central + local, plot.scene
    advance = min(n(row, "disb_advance"), whole)
    if s.known.before and row.code in s.before.lines:
        s.paid_before(whole - whole // 20, row.code)
    s.line(
        row.code,
        disb_nstw=central,
        disb_nsdp=local,
        disb_completed=whole - advance,
        disb_advance=advance,
        accepted_volume=whole - advance,
        forecast=None,
        note=note,
    )


def _beyond(key: str, parts: tuple[str, ...], note: str | None) -> Planter:
    def planted(plot: Plot) -> Told | None:
        row = plot.line(lambda r: begun(r) and n(r, *parts) > 0)
        if row is None:
            return None
        most, more = n(row, *parts), plot.some()
        central, local = n(row, "disb_nstw"), n(row, "disb_nsdp")
        if key == "disb_nstw":
            central = most + more
        else:
            local = most + more
        pay(plot, row, central, local, note or REASON)
        tell = plot.scene.warning if note else plot.scene.error
        return tell("B01", row.code, key, value=most + more, expected=most, difference=more)

    return planted


plants("CK01-nstw")(_beyond("disb_nstw", _CENTRAL, None))
plants("CK01-nsdp")(_beyond("disb_nsdp", _LOCAL, None))
plants("M12-nstw")(_beyond("disb_nstw", _CENTRAL, DECISION))
plants("M12-nsdp")(_beyond("disb_nsdp", _LOCAL, DECISION))


@plants("CK02")
def _(plot: Plot) -> Told | None:
    row = plot.line(usual)
    if row is None:
        return None
    more = plot.some()
    plot.scene.line(row.code, plan_total=plan(row) + more)
    return plot.scene.error("B01", row.code, "plan_total", value=plan(row) + more, expected=plan(row), difference=more)


@plants("CK03-sources")
def _(plot: Plot) -> Told | None:
    row = plot.line(begun)
    if row is None:
        return None
    more = plot.some()
    plot.scene.line(row.code, disb_ytd=paid(row) + more, note=row.values["note"] or REASON)
    return plot.scene.error("B01", row.code, "disb_ytd", value=paid(row) + more, expected=paid(row), difference=more)


@plants("CK03-split")
def _(plot: Plot) -> Told | None:
    row = plot.line(begun)
    if row is None:
        return None
    more = plot.some()
    volume = n(row, "disb_completed") + more
    plot.scene.line(row.code, disb_completed=volume, accepted_volume=max(volume, n(row, "accepted_volume")))
    wrong = paid(row) + more
    return plot.scene.error("B01", row.code, "disb_completed", value=wrong, expected=paid(row), difference=more)


@plants("CK04-b01")
def _(plot: Plot) -> Told | None:
    headings = [row for row in plot.scene.report.forms["B01"].rows if row.role in ("heading", "total")]
    row = plot.rng.choice(headings)
    keys = [c.key for c in kit.LAYOUT.sheet("B01").columns if c.total and isinstance(row.values[c.key], int)]
    key, more = plot.rng.choice(keys), plot.some()
    plot.scene.type_over("B01", row.code, **{key: n(row, key) + more})
    return plot.scene.error("B01", row.code, key, value=n(row, key) + more, expected=n(row, key), difference=more)


@plants("CK05")
def _(plot: Plot) -> Told | None:
    row = plot.line(lambda r: begun(r) and 10 * paid(r) > plan(r))
    if row is None:
        return None
    exact = Decimal(paid(row)) * 100 / plan(row)
    typed = (exact + Decimal(plot.rng.randint(20, 900)) / 100).quantize(Decimal("0.01"), ROUND_HALF_UP)
    plot.scene.line(row.code, disb_rate=typed)
    gap = (typed - exact).quantize(Decimal("0.01"), ROUND_HALF_UP)
    right = exact.quantize(Decimal("0.01"), ROUND_HALF_UP)
    return plot.scene.warning("B01", row.code, "disb_rate", value=str(typed), expected=str(right), difference=str(gap))


@plants("CK06")
def _(plot: Plot) -> Told | None:
    row = plot.line(lambda r: begun(r) and small(plot, r))
    if row is None:
        return None
    plot.scene.plan(row.code, **dict.fromkeys(PLAN_KEYS, 0))
    plot.scene.line(row.code, disb_carry=0, forecast=None)
    return plot.scene.error("B01", row.code, "disb_ytd", value=paid(row), expected=0, difference=paid(row))


@plants("CK07")
def _(plot: Plot) -> Told | None:
    row = plot.line(lambda r: n(r, "disb_completed") > 40 * TRIEU)
    if row is None:
        return None
    volume, less = n(row, "disb_completed"), plot.some()
    plot.scene.line(row.code, accepted_volume=volume - less)
    return plot.scene.warning("B01", row.code, "disb_completed", value=volume, expected=volume - less, difference=less)


@plants("CK08")
def _(plot: Plot) -> Told | None:
    row = plot.line(begun)
    if row is None:
        return None
    most, more = n(row, "carry_nstw", "carry_nsdp"), plot.some()
    plot.scene.line(row.code, disb_carry=most + more)
    return plot.scene.error("B01", row.code, "disb_carry", value=most + more, expected=most, difference=more)


@plants("CK09-b01")
def _(plot: Plot) -> Told | None:
    row = plot.line(usual)
    if row is None:
        return None
    less = plot.some()
    volume = paid(row) + less
    plot.scene.line(row.code, disb_advance=-less, disb_completed=volume, accepted_volume=volume)
    return plot.scene.error("B01", row.code, "disb_advance", value=-less)


@plants("CK10-unknown-b01", alone=True)
def _(plot: Plot) -> Told | None:
    row = plot.line()
    if row is None:
        return None
    wrong = row.code.replace(split_line_code(row.code)[0], "NTM-ND77")
    plot.recode("B01", row.code, wrong)
    return plot.scene.error("B01", wrong, "line_code", value=wrong)


@plants("CK10-twice-b01", alone=True)
def _(plot: Plot) -> Told | None:
    first, second = plot.line(), plot.line()
    if first is None or second is None:
        return None
    first, second = sorted((first, second), key=lambda row: row.row_no)
    plot.recode("B01", second.code, first.code)
    return plot.scene.error("B01", first.code, "line_code", value=first.code, expected=first.row_no)


@plants("CK10-swapped", alone=True)
def _(plot: Plot) -> list[Told] | None:
    first, second = plot.line(), plot.line()
    if first is None or second is None:
        return None
    codes = first.code, second.code
    for code, new in ((codes[0], "-"), (codes[1], codes[0]), ("-", codes[1])):
        plot.scene.recode("B01", code, new)
    return [
        plot.scene.error("B01", code, "line_code", value=code, expected=other)
        for code, other in (codes, codes[::-1])
    ]  # fmt: skip


@plants("CK11")
def _(plot: Plot) -> Told | None:
    row = plot.line(begun)
    if row is None:
        return None
    times = plot.rng.choice((20, 999, 1_000_000))
    value = plan(row) * times + plot.rng.randint(0, plan(row) - 1)
    plot.scene.line(row.code, accepted_volume=value)
    return plot.scene.error("B01", row.code, "accepted_volume", value=value, expected=plan(row), difference=times)


@plants("CK13-short")
def _(plot: Plot) -> Told | None:
    row = plot.line(lambda r: paid(r) > 40 * TRIEU)
    if row is None:
        return None
    less = plot.some()
    plot.scene.line(row.code, forecast=paid(row) - less)
    return plot.scene.warning("B01", row.code, "forecast", value=paid(row) - less, expected=paid(row), difference=-less)


@plants("CK13-excess")
def _(plot: Plot) -> Told | None:
    row = plot.line(begun)
    if row is None:
        return None
    more = plot.some()
    plot.scene.line(row.code, forecast=plan(row) + more)
    return plot.scene.warning("B01", row.code, "forecast", value=plan(row) + more, expected=plan(row), difference=more)


@plants("CK14-recovery", alone=True)
def _(plot: Plot) -> Told | None:
    plot.scene.knows(before=None, is_first_of_year=False)
    row = plot.line(usual)
    if row is None:
        return None
    less = plot.some()
    plot.scene.line(row.code, disb_period=-less)
    return plot.scene.warning("B01", row.code, "note", value=-less)


@plants("CK14-rate")
def _(plot: Plot) -> Told | None:
    row = plot.line(lambda r: bool(r.values["note"]) and plan(r) > 2 * paid(r), quiet=False)
    if row is None or DECISION[:9] in str(row.values["note"]) or "Thu hồi" in str(row.values["note"]):
        return None
    if plot.scene.content.period.month < 10:
        return None
    plot.scene.line(row.code, note=None)
    rate = (Decimal(paid(row)) * 100 / plan(row)).quantize(Decimal("0.01"), ROUND_DOWN)
    return plot.scene.warning("B01", row.code, "note", value=str(rate), expected="50")


# --- Biểu 02 ---------------------------------------------------------------------------------------------------------


def done(row: Row, key: str = "actual_ytd") -> Decimal:
    return Decimal(str(row.values[key] or 0))


@plants("CK10-unknown-b02")
def _(plot: Plot) -> Told | None:
    row = plot.row("B02")
    if row is None:
        return None
    plot.recode("B02", row.code, "CT-77")
    return plot.scene.error("B02", "CT-77", "indicator_code", value="CT-77")


@plants("CK10-twice-b02", alone=True)
def _(plot: Plot) -> Told | None:
    first, second = plot.row("B02"), plot.row("B02")
    if first is None or second is None:
        return None
    first, second = sorted((first, second), key=lambda row: row.row_no)
    plot.recode("B02", second.code, first.code)
    return plot.scene.error("B02", first.code, "indicator_code", value=first.code, expected=first.row_no)


@plants("CK10-project-b02")
def _(plot: Plot) -> Told | None:
    row = plot.row("B02")
    if row is None:
        return None
    plot.scene.output(row.code, project_code="DTTS-DA77")
    return plot.scene.error("B02", row.code, "project_code", value="DTTS-DA77")


@plants("CK09-b02")
def _(plot: Plot) -> Told | None:
    row = plot.row("B02", lambda r: not r.values["note"])
    if row is None:
        return None
    key, value = plot.rng.choice(("target_phase", "target_year", "forecast")), -Decimal(plot.rng.randint(1, 999)) / 100
    plot.scene.output(row.code, **{key: value})
    return plot.scene.error("B02", row.code, key, value=str(value))


def single(plot: Plot, row: Row) -> Row | None:
    """The one line of an indicator's project, where it has one with money and an indicator that is no rate."""
    lines = [r for r in plot.scene.leaves("B01") if split_line_code(r.code)[0] == row.values["project_code"]]
    others = [r for r in plot.scene.leaves("B02") if r.values["project_code"] == row.values["project_code"]]
    usable = len(lines) == 1 and len(others) == 1 and row.values["unit"] != "%" and plan(lines[0]) > 0
    return lines[0] if usable and small(plot, lines[0]) else None


@plants("CK12-no-money")
def _(plot: Plot) -> Told | None:
    row = plot.row("B02", lambda r: done(r) > 0 and not r.values["note"] and single(plot, r) is not None)
    line = single(plot, row) if row else None
    if row is None or line is None:
        return None
    if plot.scene.known.before:
        plot.scene.paid_before(0, line.code)
    nothing = dict.fromkeys((*CUMULATIVE_KEYS[1:], "accepted_volume"), 0)
    plot.scene.line(line.code, **nothing, note=REASON)
    return plot.scene.warning(
        "B02", row.code, "actual_ytd", value=f"{done(row):f}", expected=str(row.values["project_code"])
    )


@plants("CK12-no-output")
def _(plot: Plot) -> Told | None:
    row = plot.row("B02", lambda r: not r.values["note"] and single(plot, r) is not None)
    line = single(plot, row) if row else None
    if row is None or line is None:
        return None
    pay(plot, line, n(line, *_CENTRAL), n(line, *_LOCAL))
    nothing = Decimal(0)
    plot.scene.output(row.code, actual_ytd=nothing, actual_period=nothing)
    if plot.scene.known.before:
        plot.scene.before_output(row.code, actual_ytd=nothing)
    return plot.scene.warning("B02", row.code, "actual_ytd", value=0, expected=str(row.values["project_code"]))


@plants("CK21-year")
def _(plot: Plot) -> Told | None:
    row = plot.row("B02", lambda r: done(r) > 1)
    if row is None:
        return None
    less = Decimal(plot.rng.randint(1, 100)) / 100
    plot.scene.output(row.code, actual_phase=done(row) - less)
    if plot.scene.known.before:
        plot.scene.before_output(row.code, actual_phase=Decimal(0))
    wanted = done(row) - less
    return plot.scene.error(
        "B02",
        row.code,
        "actual_ytd",
        value=f"{done(row):f}",
        expected=f"{wanted:f}",
        difference=f"{done(row) - wanted:f}",
    )


# --- Biểu 03 and 04 --------------------------------------------------------------------------------------------------


def report_done(plot: Plot, row: Row, **more: Any) -> None:
    finished = {"status": "Đã hoàn thành", "result_doc": "Văn bản số 12/UBND", "done_date": plot.scene.content.as_of}
    plot.scene.task(row.code, **{**finished, **more})


@plants("CK10-twice-b03")
def _(plot: Plot) -> Told | None:
    first, second = plot.row("B03"), plot.row("B03")
    if first is None or second is None:
        return None
    first, second = sorted((first, second), key=lambda row: row.row_no)
    plot.recode("B03", second.code, first.code)
    return plot.scene.error("B03", first.code, "task_id", value=first.code, expected=first.row_no)


@plants("CK10-unknown-b03")
def _(plot: Plot) -> Told | None:
    row = plot.row("B03")
    if row is None:
        return None
    plot.recode("B03", row.code, "QS-2025-10-77")
    return plot.scene.error("B03", "QS-2025-10-77", "task_id", value="QS-2025-10-77")


@plants("CK36-early")
def _(plot: Plot) -> Told | None:
    row = plot.row("B03")
    if row is None:
        return None
    assigned = plot.scene.known.tasks[row.code].assigned_on
    day = (assigned or plot.scene.content.as_of) - timedelta(days=plot.rng.randint(1, 60))
    report_done(plot, row, done_date=day)
    return plot.scene.error("B03", row.code, "done_date", value=f"{day:%d/%m/%Y}", expected=f"{assigned:%d/%m/%Y}")


@plants("CK36-late")
def _(plot: Plot) -> Told | None:
    row = plot.row("B03")
    if row is None:
        return None
    received = plot.scene.content.as_of + timedelta(days=7)
    day = received + timedelta(days=plot.rng.randint(1, 60))
    plot.scene.knows(received_on=received)
    report_done(plot, row, done_date=day)
    return plot.scene.error("B03", row.code, "done_date", value=f"{day:%d/%m/%Y}", expected=f"{received:%d/%m/%Y}")


@plants("CK36-document")
def _(plot: Plot) -> Told | None:
    row = plot.row("B03")
    if row is None:
        return None
    report_done(plot, row, result_doc=None)
    return plot.scene.error("B03", row.code, "result_doc")


@plants("CK37")
def _(plot: Plot) -> Told | None:
    row = plot.row("B03", lambda r: r.values["status"] != "Đã hoàn thành" and not r.values["reason"])
    if row is None:
        return None
    days = plot.rng.randint(1, 20)
    due = plot.scene.content.as_of - timedelta(days=days)
    task = replace(plot.scene.known.tasks[row.code], due=due)
    plot.scene.knows(tasks={**plot.scene.known.tasks, row.code: task})
    return plot.scene.warning("B03", row.code, "reason", expected=f"{due:%d/%m/%Y}", difference=days)


def _lead(id: str, key: str, typed: str) -> None:
    @plants(id)
    def planted(plot: Plot) -> Told | None:
        row = plot.row("B03")
        if row is None:
            return None
        plot.scene.task(row.code, **{key: typed.format(lead=row.values["lead"])})
        value = typed if key == "lead" else str(row.values["lead"])
        return plot.scene.error("B03", row.code, key, value=value)


_lead("CK38-several", "lead", "Sở Tài chính; Sở Xây dựng")
_lead("CK38-unknown", "lead", "Phòng Vườn rừng")
_lead("CK38-itself", "coordinating", "Sở Xây dựng; {lead}")


@plants("CK22-reopened")
def _(plot: Plot) -> Told | None:
    row = plot.row("B03", lambda r: r.values["status"] != "Đã hoàn thành")
    if row is None:
        return None
    phrase = row.values["deadline_text"]
    plot.scene.knows(tasks_before={**plot.scene.known.tasks_before, row.code: ("Đã hoàn thành", phrase)})
    return plot.scene.error("B03", row.code, "status", value=str(row.values["status"]), expected="Đã hoàn thành")


@plants("CK22-deadline")
def _(plot: Plot) -> Told | None:
    row = plot.row("B03", lambda r: r.code in plot.scene.known.tasks_before)
    if row is None:
        return None
    expected = plot.scene.known.tasks_before[row.code][1] or "(trống)"
    plot.scene.task(row.code, deadline_text="trong quý II/2026")
    return plot.scene.error("B03", row.code, "deadline_text", value="trong quý II/2026", expected=expected)


@plants("CK10-project-b04")
def _(plot: Plot) -> Told | None:
    rows = plot.scene.leaves("B04")
    if len(rows) != 1:
        return None
    plot.scene.proposal(0, project_code="GNBV-DA77")
    return plot.scene.error("B04", "GNBV-DA77", "project_code", value="GNBV-DA77")


@plants("CK23")
def _(plot: Plot) -> Told | None:
    if plot.scene.content.period.year != plot.scene.content.budget_year:
        return None
    number = f"KN-{plot.scene.content.commune.code}-2025-08-07"
    plot.scene.knows(proposals_before={**plot.scene.known.proposals_before, number: "Bổ sung kinh phí"})
    return plot.scene.warning("B04", value=number)


@plants("CK23-task")
def _(plot: Plot) -> Told | None:
    if plot.scene.content.period.year != plot.scene.content.budget_year:
        return None
    reported = {str(row["task_id"]).upper() for row in plot.scene.content.tasks}
    gone = next((code for code in plot.scene.known.tasks if code not in reported), None)
    if gone is None:
        return None
    plot.scene.knows(tasks_before={**plot.scene.known.tasks_before, gone: ("Đang thực hiện", None)})
    return plot.scene.warning("B03", value=gone)


@plants("CK23-output")
def _(plot: Plot) -> Told | None:
    reported = {row["indicator_code"] for row in plot.scene.content.indicators}
    gone = next((code for code in kit.lang_son().indicators if code not in reported), None)
    if gone is None or plot.scene.known.before is None:
        return None
    plot.scene.before_output(gone, actual_ytd=Decimal(plot.rng.randint(1, 50)), actual_phase=Decimal(60))
    return plot.scene.warning("B02", value=gone)


# --- Biểu 05 ---------------------------------------------------------------------------------------------------------


def planned(plot: Plot) -> Row | None:
    """A line of a roadmap that is sent; what was sent before is the same, and no note is needed."""
    row = plot.row("B05", lambda r: n(r, "planned_m12") > 50 * TRIEU)
    if row is not None:
        plot.scene.planned(row.code, **{key: n(row, key) for key in MONTHS if row.values[key] is not None})
        plot.scene.roadmap(row.code, note=None)
    return row


def both_planned(plot: Plot, row: Row, **amounts: int) -> None:
    plot.scene.roadmap(row.code, **amounts)
    plot.scene.planned(row.code, **amounts)


@plants("CK10-unknown-b05", alone=True)
def _(plot: Plot) -> Told | None:
    row = planned(plot)
    if row is None:
        return None
    wrong = row.code.replace(split_line_code(row.code)[0], "NTM-ND77")
    plot.recode("B05", row.code, wrong)
    return plot.scene.error("B05", wrong, "line_code", value=wrong)


@plants("CK10-twice-b05", alone=True)
def _(plot: Plot) -> Told | None:
    first, second = planned(plot), planned(plot)
    if first is None or second is None:
        return None
    first, second = sorted((first, second), key=lambda row: row.row_no)
    plot.recode("B05", second.code, first.code)
    return plot.scene.error("B05", first.code, "line_code", value=first.code, expected=first.row_no)


@plants("CK09-b05")
def _(plot: Plot) -> Told | None:
    row = planned(plot)
    if row is None:
        return None
    less = plot.some()
    both_planned(plot, row, planned_m10=-less)
    return plot.scene.error("B05", row.code, "planned_m10", value=-less)


@plants("CK04-b05")
def _(plot: Plot) -> Told | None:
    total = next((row for row in plot.scene.report.forms["B05"].rows if row.role == "total"), None)
    if total is None or total.values["planned_m12"] is None:
        return None
    more = plot.some()
    whole = n(total, "planned_m12")
    plot.scene.type_over("B05", "", planned_m12=whole + more)
    return plot.scene.error("B05", "", "planned_m12", value=whole + more, expected=whole, difference=more)


@plants("LT01")
def _(plot: Plot) -> Told | None:
    row = planned(plot)
    if row is None:
        return None
    less, before = plot.some(), n(row, "planned_m12")
    both_planned(plot, row, planned_close=before - less)
    return plot.scene.error("B05", row.code, "planned_close", value=before - less, expected=before, difference=-less)


@plants("LT02")
def _(plot: Plot) -> Told | None:
    row = planned(plot)
    line = next((r for r in plot.scene.leaves("B01") if row is not None and r.code == row.code), None)
    if row is None or line is None:
        return None
    more = plot.some()
    both_planned(plot, row, planned_close=plan(line) + more)
    return plot.scene.error(
        "B05", row.code, "planned_close", value=plan(line) + more, expected=plan(line), difference=more
    )


@plants("LT03", alone=True)
def _(plot: Plot) -> Told | None:
    s = plot.scene
    if any(row.values["planned_close"] is not None for row in s.leaves("B05")) or not s.known.roadmap:
        return None
    key = MONTHS[s.content.period.month - 1]
    rows = [row for row in s.leaves("B01") if key in s.known.roadmap.get(row.code, {})]
    if not rows:
        return None
    done_, whole = sum(map(paid, rows)), sum(map(plan, rows))
    wanted = done_ + whole // 4 + plot.some()
    row = plot.rng.choice(rows)
    rest = sum(s.known.roadmap[r.code][key] for r in rows if r is not row)
    s.planned(row.code, **{key: wanted - rest})
    return s.warning("B01", "", "disb_ytd", value=done_, expected=wanted, difference=done_ - wanted)


@plants("LT04")
def _(plot: Plot) -> Told | None:
    row = planned(plot)
    if row is None:
        return None
    more = plot.some()
    key = plot.rng.choice([k for k in MONTHS if row.values[k] is not None])
    plot.scene.planned(row.code, **{key: n(row, key) + more})
    return plot.scene.warning("B05", row.code, key, value=n(row, key), expected=n(row, key) + more)


@plants("LT04-gone")
def _(plot: Plot) -> Told | None:
    row = planned(plot)
    if row is None:
        return None
    both_planned(plot, row)
    s = plot.scene
    s.content = replace(s.content, roadmap=tuple(r for r in s.content.roadmap if r["line_code"] != row.code))
    return s.warning("B05", value=row.code)


# --- the month before ------------------------------------------------------------------------------------------------


def has_before(plot: Plot, row: Row) -> bool:
    return plot.scene.known.before is not None and row.code in plot.scene.before.lines


@plants("CK15-b01")
def _(plot: Plot) -> Told | None:
    row = plot.line(lambda r: begun(r) and has_before(plot, r), quiet=False)
    if row is None or "Thu hồi" in str(row.values["note"]) or "giảm" in str(row.values["note"]):
        return None
    more = plot.some()
    plot.scene.paid_before(paid(row) + more, row.code)
    return plot.scene.error("B01", row.code, "disb_ytd", value=paid(row), expected=paid(row) + more, difference=-more)


@plants("CK15-explained")
def _(plot: Plot) -> Told | None:
    row = plot.line(lambda r: begun(r) and has_before(plot, r), quiet=False)
    if row is None:
        return None
    more = plot.some()
    plot.scene.paid_before(paid(row) + more, row.code)
    plot.scene.line(row.code, note=PAID_BACK)
    return plot.scene.info("B01", row.code, "disb_ytd", value=paid(row), expected=paid(row) + more, difference=-more)


@plants("CK16-b01")
def _(plot: Plot) -> Told | None:
    row = plot.line(lambda r: begun(r) and has_before(plot, r), quiet=False)
    if row is None:
        return None
    more, month = plot.some(), n(row, "disb_period")
    plot.scene.line(row.code, disb_period=month + more)
    return plot.scene.error("B01", row.code, "disb_period", value=month + more, expected=month, difference=more)


@plants("CK17-b01")
def _(plot: Plot) -> Told | None:
    """Last year's cumulative goes on; the month's own amount is that of January alone."""
    if not plot.scene.known.is_first_of_year or plot.scene.content.period.month != 1:
        return None
    row = plot.line(lambda r: n(r, *_CENTRAL) > 80 * TRIEU)
    if row is None:
        return None
    last, month = plot.some(), plot.some()
    pay(plot, row, last + month, 0)
    plot.scene.line(row.code, disb_period=month)
    plot.scene.knows(last_year={**plot.scene.known.last_year, row.code: last})
    return plot.scene.error("B01", row.code, "disb_ytd", value=last + month, expected=month, difference=last)


@plants("CK20-jump")
def _(plot: Plot) -> Told | None:
    row = plot.line(lambda r: has_before(plot, r) and 10 * paid(r) > 7 * plan(r) > 7 * 200 * TRIEU, quiet=False)
    if row is None:
        return None
    before = plot.rng.randint(0, paid(row) - plan(row) * 6 // 10 - 1)
    plot.scene.paid_before(before, row.code)
    more = paid(row) - before
    return plot.scene.warning("B01", row.code, "disb_ytd", value=paid(row), expected=before, difference=more)


@plants("CK20-same")
def _(plot: Plot) -> Told | None:
    row = plot.line(lambda r: has_before(plot, r) and 0 < paid(r) < plan(r), quiet=False)
    if row is None:
        return None
    plot.scene.paid_before(paid(row), row.code)
    earlier = {**plot.scene.before.earlier, row.code: paid(row)}
    plot.scene.knows(before=replace(plot.scene.before, earlier=earlier))
    return plot.scene.warning("B01", row.code, "disb_ytd", value=paid(row), expected=paid(row))


@plants("M47-unchanged", alone=True)
def _(plot: Plot) -> Told | None:
    s = plot.scene
    if (
        s.known.before is None
        or not any(map(paid, s.leaves("B01")))
        or not any(n(r, "disb_period") for r in s.leaves("B01"))
    ):
        return None
    for row in s.leaves("B01"):
        s.before_line(row.code, **{key: n(row, key) for key in CUMULATIVE_KEYS})
    s.knows(before=replace(s.before, is_last_month=False))
    return s.warning("B01", value=s.before.period)


def _output_month(id: str, key: str, known_key: str, note: str | None) -> None:
    @plants(id)
    def planted(plot: Plot) -> Told | None:
        if plot.scene.known.before is None:
            return None
        row = plot.row("B02", lambda r: r.code in plot.scene.before.outputs and done(r) > 0 and not r.values["note"])
        if row is None:
            return None
        more = Decimal(plot.rng.randint(1, 500)) / 100
        plot.scene.before_output(row.code, **{known_key: done(row, key) + more})
        if key == "actual_ytd":
            plot.scene.output(row.code, actual_period=-more)
        if note:
            plot.scene.output(row.code, note=note)
        tell = plot.scene.info if note else plot.scene.error
        was = done(row, key) + more
        return tell(
            "B02",
            row.code,
            key,
            value=f"{done(row, key):f}",
            expected=f"{was:f}",
            difference=f"{done(row, key) - was:f}",
        )


_output_month("CK15-b02", "actual_ytd", "actual_ytd", None)
_output_month("CK15-b02-explained", "actual_ytd", "actual_ytd", "Rà soát lại kết quả")
_output_month("CK21-phase", "actual_phase", "actual_phase", None)
_output_month("CK21-explained", "actual_phase", "actual_phase", "Rà soát lại kết quả")


@plants("CK16-b02")
def _(plot: Plot) -> Told | None:
    if plot.scene.known.before is None:
        return None
    row = plot.row("B02", lambda r: r.code in plot.scene.before.outputs)
    if row is None:
        return None
    more, month = Decimal(plot.rng.randint(1, 500)) / 100, done(row, "actual_period")
    plot.scene.output(row.code, actual_period=month + more)
    typed = f"{month + more:f}"
    return plot.scene.error(
        "B02", row.code, "actual_period", value=typed, expected=f"{month:f}", difference=f"{month + more - month:f}"
    )


@plants("CK17-b02")
def _(plot: Plot) -> Told | None:
    s = plot.scene
    if not s.known.is_first_of_year or s.content.period.month != 1:
        return None
    like = next(row for row in kit.content("06517", *kit.FIRST_MONTHS[5]).indicators)
    month = Decimal(plot.rng.randint(0, 300)) / 100
    added = {**like, "actual_ytd": Decimal(4), "actual_period": month, "actual_phase": Decimal(900)}
    s.content = replace(s.content, indicators=(added,), nothing_to_report=s.content.nothing_to_report - {"B02"})
    return s.error(
        "B02", str(like["indicator_code"]), "actual_ytd", value=4, expected=f"{month:f}", difference=f"{4 - month:f}"
    )


# --- the register of allocation decisions ----------------------------------------------------------------------------


def _altered(id: str, keys: tuple[str, ...], *, decided: bool = False) -> None:
    @plants(id)
    def planted(plot: Plot) -> Told | None:
        s = plot.scene
        row = plot.line(lambda r: has_before(plot, r) and r.code not in s.known.decided and usual(r))
        if row is None:
            return None
        key, more = plot.rng.choice(keys), plot.some()
        if decided:
            s.registered(row.code, **{key: n(row, key) + more})
            s.knows(decided=s.known.decided | {row.code})
            return s.error("B01", row.code, key, value=n(row, key), expected=n(row, key) + more, difference=-more)
        s.line(row.code, **{key: n(row, key) + more})
        return s.error("B01", row.code, key, value=n(row, key) + more, expected=n(row, key), difference=more)


_altered("CK18", ("plan_nstw", "plan_nst", "plan_nsx"))
_altered("CK19", ("carry_nstw", "carry_nsdp"))
_altered("CK24", PLAN_KEYS, decided=True)


def _split(id: str, sign: int) -> None:
    """The commune splits what was assigned to a heading: too much of it, or not all."""

    @plants(id, alone=True)
    def planted(plot: Plot) -> Told | None:
        s = plot.scene
        row = plot.line(lambda r: r.code.count("-") > 2)
        if row is None:
            return None
        project, kind = split_line_code(row.code)
        node = kit.lang_son().ancestors(project)[0]
        more = plot.some()
        assigned = plan(row) - sign * more
        parts = {key: n(row, key) for key in PLAN_KEYS}
        largest = max(parts, key=lambda key: parts[key])
        rest = {code: parts for code, parts in s.known.plan.items() if code != row.code}
        s.knows(plan=rest, plan_above={f"{node}-{kind}": {**parts, largest: parts[largest] - sign * more}})
        if sign > 0:
            return s.error("B01", node, "plan_total", value=plan(row), expected=assigned, difference=more)
        return s.warning("B01", node, "plan_total", value=more, expected=assigned)


_split("CK24-split", 1)
_split("CK25", -1)


def foreign_codes(plot: Plot, fits: Callable[[str, str], bool]) -> Iterator[str]:
    """Lines of the tree that the report does not have."""
    present = {row.code for row in plot.scene.leaves("B01")}
    for node in kit.lang_son().leaf_codes:
        for kind in ("DT", "SN"):
            if f"{node}-{kind}" not in present and fits(node, kind):
                yield f"{node}-{kind}"


def _new_line(id: str, severity: str, *, eligible: bool, foreseen: bool, registered: bool) -> None:
    @plants(id, alone=True)
    def planted(plot: Plot) -> Told | None:
        s, province = plot.scene, kit.lang_son()
        commune = s.content.commune
        codes = list(
            foreign_codes(
                plot,
                lambda node, kind: (
                    province.is_eligible(node, commune) is eligible
                    and (kind in province.nodes[node].capital_kinds) is foreseen
                ),
            )
        )
        if not codes or (not registered and s.known.before is None):
            return None
        code = plot.rng.choice(codes)
        if not registered:
            s.knows(plan={})
        s.new_line(code, plan_nstw=plot.some(), note="Mới được giao")
        told = s.error if severity == "error" else s.warning
        return told("B01", code, "line_code", value=code)


_new_line("M51", "error", eligible=True, foreseen=True, registered=True)
_new_line("M51-asked", "warning", eligible=True, foreseen=False, registered=False)
_new_line("CK26", "warning", eligible=False, foreseen=True, registered=False)


# --- the State Treasury ----------------------------------------------------------------------------------------------


def in_statement(plot: Plot) -> Row | None:
    """A line that the statement has under a code of its own."""
    s = plot.scene
    if s.known.treasury is None:
        s.statement()

    def has_its_own_code(row: Row) -> bool:
        node, kind = split_line_code(row.code)
        above = {(one, kind) for one in kit.lang_son().ancestors(node)}
        return (node, kind) in s.balances.codes and not above & s.balances.codes.keys()

    return plot.line(lambda r: n(r, "disb_completed") > 50 * TRIEU and has_its_own_code(r), quiet=False)


def completed(plot: Plot, row: Row, change: int, **more: int) -> None:
    plot.scene.balance(row.code, completed=n(row, "disb_completed") + change, **more)


@plants("CK28")
def _(plot: Plot) -> Told | None:
    row = in_statement(plot)
    if row is None:
        return None
    less = plot.some()
    completed(plot, row, -less)
    return plot.scene.error("B01", row.code, "disb_ytd", value=paid(row), expected=paid(row) - less, difference=less)


@plants("CK28-posting")
def _(plot: Plot) -> Told | None:
    row = in_statement(plot)
    if row is None:
        return None
    s, less = plot.scene, plot.some()
    completed(plot, row, -less)
    node, kind = split_line_code(row.code)
    day = s.content.as_of + timedelta(days=1)
    late = LatePosting(s.balances.codes[node, kind][0], node, kind, day, "0007777", "payment", less)
    s.knows(treasury=replace(s.balances, postings=(*s.balances.postings, late)))
    return s.warning("B01", row.code, "disb_ytd", value=paid(row), expected=paid(row) - less, difference=less)


@plants("CK28-code")
def _(plot: Plot) -> Told | None:
    row, other = in_statement(plot), in_statement(plot)
    if row is None or other is None:
        return None
    less = plot.some()
    completed(plot, row, -less)
    completed(plot, other, less)
    return plot.scene.error("B01", row.code, "disb_ytd", value=paid(row), expected=paid(row) - less, difference=less)


@plants("CK28-unit", alone=True)
def _(plot: Plot) -> Told | None:
    whole = sum(map(paid, plot.scene.leaves("B01")))
    if not whole:
        return None
    plot.scene.statement()
    plot.scene.knows(treasury=replace(plot.scene.balances, lines=()))
    return plot.scene.error("B01", value=whole, expected=0, difference=whole)


@plants("CK28-unreported")
def _(plot: Plot) -> Told | None:
    s = plot.scene
    if not any(map(paid, s.leaves("B01"))):
        return None
    if s.known.treasury is None:
        s.statement()
    above = kit.lang_son().ancestors
    codes = list(
        foreign_codes(
            plot,
            lambda node, kind: (
                (node, kind) in s.balances.codes and not {(one, kind) for one in above(node)} & s.balances.codes.keys()
            ),
        )
    )
    if not codes:
        return None
    node, kind = split_line_code(plot.rng.choice(codes))
    amount = plot.some()
    line = Balance(s.balances.codes[node, kind][0], node, kind, amount, 0, amount)
    s.knows(treasury=replace(s.balances, lines=(*s.balances.lines, line)))
    return s.error("B01", value=0, expected=amount, difference=-amount)


@plants("CK29-advance")
def _(plot: Plot) -> Told | None:
    row = in_statement(plot)
    if row is None or n(row, "disb_advance") < TRIEU:
        return None
    less = plot.rng.randint(1, n(row, "disb_advance"))
    was = n(row, "disb_advance")
    completed(plot, row, less, advance=was - less)
    return plot.scene.warning("B01", row.code, "disb_advance", value=was, expected=was - less, difference=less)


@plants("CK29-overdue")
def _(plot: Plot) -> Told | None:
    row = in_statement(plot)
    if row is None:
        return None
    amount, advance = plot.some(), n(row, "disb_advance")
    plot.scene.balance(row.code, overdue=amount)
    left = advance - amount if amount <= advance else None
    return plot.scene.warning("B01", row.code, "disb_advance", value=advance, expected=left, difference=amount)
