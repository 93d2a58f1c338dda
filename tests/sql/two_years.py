"""Twenty-four months of a small province, March 2025 to February 2027, in which everything happens that may change what
was known: one after another, with a fixed seed, written by the project's own functions and by ``builders``.

The province is Lạng Sơn's folder with seven of its communes, the former units that these are made of, and a calendar
that begins before the reform of 7/2025. ``Life`` goes through its months; beside the warehouse it keeps a ledger in
plain Python of what was received and decided, from which tests work out what must have been known.
"""

from __future__ import annotations

import hashlib
import os
import random
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from etl import settings
from etl.collect.treasury import Line, Statement
from etl.load import reconciliation, revision, treasury, withdrawal
from etl.load.warehouse import Connection
from etl.period import Period
from etl.publish import release
from etl.reference import load as reference_load
from etl.reference import province, units
from etl.reference.province import Province, Window, read_csv
from tests.sql import builders
from tests.unit.test_units import Rows, begin, edit, end, went

FIRST, LAST = Period(2025, 3), Period(2027, 2)
COMMUNES = ("05977", "06001", "06004", "06517", "06613", "06625", "06637")
FORMER = ("05977", "05980", "06001", "06517", "06613", "06619", "06622", "06625", "06637")
"""Those former units that report: one whose code another unit has today, two that were divided, parts of one."""
LINES = (
    ("GNBV-DA2", "SN"),
    ("GNBV-DA7-TDA1", "SN"),
    ("DTTS-DA4-TDA1", "DT"),
    ("DTTS-DA4-TDA1", "SN"),
    ("NTM-ND02", "DT"),
)
BUDGET_CODES = {"GNBV-DA2-SN": "00474", "NTM-ND02-DT": "00524"}
SOURCES = {"NSTW": "plan_nstw", "NST": "plan_nst", "KD_NSTW": "carry_nstw"}
OFFICERS = ("Nguyễn Văn An", "Trần Thị Bình")
Key = tuple[str, str, int]
"""Commune, period, budget year."""


# The province ---------------------------------------------------------------------------------------------------------


def small_province(target: Path) -> Province:
    folder = Path(shutil.copytree(settings.Settings(province="lang_son").reference_dir, target))

    def only(rows: Rows) -> None:
        rows[:] = [row for row in rows if row["commune_code"] in COMMUNES]

    for name in ("communes.csv", "former_units.csv", "treasury_units.csv"):
        edit(folder / name, only)
    edit(folder / "calendar.csv", _earlier_months)
    return Province(folder)


def _earlier_months(rows: Rows) -> None:
    period, before = FIRST, []
    while period < Period(2025, 7):
        last = date(period.next.year, period.next.month, 1) - timedelta(1)
        days = {"as_of": 0, "opens_on": 0, "due_on": 7, "cutoff_on": 9, "publish_on": 12}
        shown = {name: (last + timedelta(n)).isoformat() for name, n in days.items()}
        before.append(rows[0] | {"period": str(period), "budget_year": str(period.year)} | shown)
        period = period.next
    rows[:0] = before
    rows[:] = [row for row in rows if row["period"] <= str(LAST)]


def renamed(folder: Path) -> None:
    """Words that were wrong from the beginning: a commune, a sub-project, a kind of capital, an indicator."""
    _replace(folder / "communes.csv", "06517", "name_vi", "Xã Quan Sơn (mới)")
    _replace(folder / "former_units.csv", "06622", "former_name_vi", "Xã Bính Xá (đính chính)")
    _replace(folder / "programmes.csv", "GNBV-DA2", "name_vi", "Đa dạng hóa sinh kế (đính chính)")
    _replace(folder / "indicators.csv", "CT-01", "name_vi", "Số mô hình (đính chính)")
    _replace(folder / "capital_kinds.csv", "DT", "short_vi", "ĐTPT")


def redrawn(folder: Path) -> None:
    """Facts that were wrong from the beginning: dates, thresholds, holidays, the place of a sub-project in the tree."""
    for period in ("2025-05", "2025-11", "2026-03"):
        _replace(folder / "calendar.csv", period, "due_on", f"{Period.parse(period).next}-04")
    _replace(folder / "thresholds.csv", "low_rate_pct", "value", "35")
    _replace(folder / "thresholds.csv", "due_soon_working_days", "value", "15")
    _replace(folder / "thresholds.csv", "outlier_peers_min", "value", "3")
    _replace(folder / "thresholds.csv", "outlier_score", "value", "1")
    edit(
        folder / "holidays.csv",
        lambda rows: rows.append({"day": "2026-04-03", "kind": "holiday", "name_vi": "Nghỉ bù", "verified": "no"}),
    )
    _replace(folder / "programmes.csv", "GNBV-DA7-TDA1", "parent_code", "DTTS-DA10")
    _replace(folder / "programmes.csv", "GNBV-DA7-TDA1", "programme_code", "DTTS")


def merged_2027(folder: Path) -> None:
    """On 1/1/2027 two communes become one and another gets a new name."""
    first = end(folder, "06001")
    end(folder, "06004")
    begin(folder, first, name_vi="Xã Thống Nhất", short_name_vi="Thống Nhất")
    for code in ("06001", "06004"):
        went(folder, code, "06001", "merged")
    begin(folder, end(folder, "06517"), name_vi="Xã Hữu Kiên", short_name_vi="Hữu Kiên")
    went(folder, "06517", "06517", "renamed")


REFERENCE_CHANGES: dict[str, Callable[[Path], None]] = {
    "2025-09": renamed,
    "2026-04": redrawn,
    "2026-12": merged_2027,
}
"""Loaded after that month's release."""


def _replace(path: Path, code: str, column: str, value: str) -> None:
    def change(rows: Rows) -> None:
        name = next(iter(rows[0]))
        found = [row for row in rows if row[name] == code]
        assert found, (path.name, code)
        for row in found:
            row[column] = value

    edit(path, change)


@contextmanager
def of_province(patch: pytest.MonkeyPatch) -> Iterator[Callable[[Path], None]]:
    """A function that makes a folder the province of this process; afterwards it is Lạng Sơn again."""

    def point(folder: Path) -> None:
        patch.setenv("TIENDO_PROVINCE", os.fspath(folder))
        forget()

    def forget() -> None:
        settings.reload()
        province._of.cache_clear()  # files of a folder are edited between two months

    yield point
    patch.undo()
    forget()


# The ledger -----------------------------------------------------------------------------------------------------------


@dataclass
class Received:
    """A report that may speak: from when on, and what was decided about it since."""

    number: int
    key: Key
    at: datetime
    lines: list[dict[str, Any]]
    is_late: bool = False
    is_returned: bool = False
    admitted: datetime | None = None
    withdrawn: datetime | None = None
    decided: list[tuple[datetime, str]] = field(default_factory=list)

    def ranked_by(self, moment: datetime) -> datetime | None:
        """Since when it claims to speak, as known at the moment; None: it does not."""
        if self.withdrawn and self.withdrawn <= moment:
            return None
        since = self.at if not self.is_returned else self.admitted
        if self.is_late:
            told = [(at, what) for at, what in self.decided if at <= moment]
            since = told[-1][0] if told and told[-1][1] == "accepted" else None
        return since if since and since <= moment else None


@dataclass(frozen=True)
class Frozen:
    """A published release, and what was said when it was frozen."""

    id: str
    period: str
    budget_year: int
    known_at: datetime
    facts_sha256: str


class Life:
    """Goes through the months. ``releases`` in the order in which they were published; ``decisions`` on capital as
    (loaded, commune, budget year, project code and kind, number)."""

    def __init__(
        self,
        connection: Connection,
        folder: Path,
        out: Path,
        point: Callable[[Path], None],
        listener: Callable[[str, datetime], None],
    ) -> None:
        """``point`` makes a folder the province's; ``listener`` is told of every release as soon as it is frozen."""
        self.chance = random.Random(20250301)
        self.connection, self.folder, self.out = connection, folder, out
        self.point, self.listener = point, listener
        self.now = datetime(2025, 2, 3, 1, tzinfo=UTC)
        self.received: dict[int, Received] = {}
        self.releases: list[Frozen] = []
        self.decisions: list[tuple[datetime, str, int, str, str]] = []
        self.given: dict[tuple[str, int], dict[tuple[str, str, str], int]] = defaultdict(lambda: defaultdict(int))
        self.paid: dict[tuple[str, int], dict[str, int]] = defaultdict(lambda: defaultdict(int))
        self.reference_changes: list[datetime] = []
        self.counts: dict[str, int] = defaultdict(int)
        self.kinds: list[str] = []
        self.known = small_province(folder / "danh_muc_0")
        self._take_up()

    def months(self) -> Iterator[str]:
        """The name of each month after all of it has happened; committed."""
        period = FIRST
        while period <= LAST:
            windows = [self.known.window(period, year) for year in self.known.budget_years(period)]
            for step in (self._open, self._receive, self._release):
                for window in windows:
                    step(window)
            self._afterwards(period)
            yield str(period)
            period = period.next

    def speaking(self, key: Key, moment: datetime) -> Received | None:
        claims = [(since, r) for r in self.received.values() if r.key == key and (since := r.ranked_by(moment))]
        return max(claims, key=lambda claim: (claim[0], claim[1].at))[1] if claims else None

    # A month ----------------------------------------------------------------------------------------------------------

    def _open(self, window: Window) -> None:
        """Capital is given to who has none of the year yet."""
        self._until(window.as_of)
        year = window.budget_year
        for commune in self._reporting(window.as_of):
            if (commune, year) not in self.given:
                self._decide([(commune, code, kind, s) for code, kind in LINES for s in SOURCES], window.as_of, year)
        self.connection.commit()

    def _receive(self, window: Window) -> None:
        self._until(window.due_on)
        for commune in self._reporting(window.as_of):
            self._first_report(commune, window)
        self.connection.commit()
        if self.chance.random() < 0.5:
            self._treasury(window)

    def _release(self, window: Window) -> None:
        self._until(window.publish_on)
        self._publish(str(window.period), window.budget_year, meanwhile=True)

    def _first_report(self, commune: str, window: Window) -> None:
        lot = self.chance.random()
        if lot < 0.06:
            self.counts["missing"] += 1
            return
        if lot < 0.16:
            number = self._send(commune, window, returned=True)
            if lot < 0.09:
                self._admit(number, window)
            elif lot < 0.12:
                self._send(commune, window)
            return
        self._send(commune, window)
        if lot < 0.3:
            self._send(commune, window)
        elif lot < 0.35:
            self._withdraw(self._send(commune, window))

    def _afterwards(self, period: Period) -> None:
        """What comes after the releases of a month, for it and a month before; then one of the two may be told anew."""
        known = sorted(self._published())
        touched = [known[-1], self.chance.choice(known[-6:])]
        for _ in range(3):
            self._something_late(*self.chance.choice(touched))
            self.connection.commit()
        if self.chance.random() < 0.7:
            self._publish(*self.chance.choice(touched))
        if str(period) in ("2025-10", "2026-06"):
            self._everything_at_once(period)
        change = REFERENCE_CHANGES.get(str(period))
        if change:
            self._change_reference(change)
            for key in self.chance.sample(known, 2):
                self._publish(*key)

    def _published(self) -> set[tuple[str, int]]:
        return {(r.period, r.budget_year) for r in self.releases}

    def _something_late(self, period: str, year: int) -> None:
        self._tick()
        window = self.known.window(Period.parse(period), year)
        commune = self.chance.choice(self._reporting(window.as_of))
        of_month = [r for r in self.received.values() if r.key[1:] == (period, year)]
        speaking = [r for r in of_month if self.speaking(r.key, self.now) is r]
        match self._next_kind():
            case "late":
                number = self._send(commune, window)
                if self.chance.random() < 0.8:
                    self._settle(number, self.chance.choice(("accepted", "accepted", "rejected")))
            case "withdrawn" if speaking:
                self._withdraw(self.chance.choice(speaking).number)
            case "rejected" if late := [r for r in speaking if r.is_late]:
                self._settle(self.chance.choice(late).number, "rejected")
            case "admitted" if waiting := [r for r in of_month if r.is_returned and not r.admitted and not r.is_late]:
                self._admit(waiting[-1].number, window)
            case "admitted" | "rejected":
                number = self._send(commune, window, returned=True)
                self._admit(number, window)
                self._settle(number, "accepted")
            case "treasury":
                self._treasury(window)
            case _:
                self._decide([(commune, *line, "NSTW") for line in self.chance.sample(LINES, 3)], window.as_of, year)

    def _next_kind(self) -> str:
        """All kinds in turn, in an order that is drawn."""
        if not self.kinds:
            self.kinds = [
                "late",
                "late",
                "late",
                "withdrawn",
                "rejected",
                "rejected",
                "admitted",
                "decided",
                "treasury",
            ]
            self.chance.shuffle(self.kinds)
        return self.kinds.pop()

    def _everything_at_once(self, period: Period) -> None:
        """Between two releases of one month: reports that are revised, withdrawn and let pass, capital that is given
        and taken, another statement, and reference data that change."""
        window = self.known.window(period)
        one, two, three, four, *_ = self._reporting(window.as_of)
        self._settle(self._send(one, window), "accepted")
        if speaks := self.speaking((two, str(period), window.budget_year), self.now):
            self._withdraw(speaks.number)
        returned = self._send(three, window, returned=True)
        self._admit(returned, window)
        self._settle(returned, "accepted")
        for commune in (one, four):
            self._decide([(commune, *line, "NSTW") for line in LINES], window.as_of, window.budget_year)
        self._treasury(window)
        self.connection.commit()

        def change(folder: Path) -> None:
            parent = {"GNBV": "DTTS-DA4", "DTTS": "GNBV-DA3"}[self.known.nodes["DTTS-DA4-TDA1"].programme_code]
            _replace(folder / "programmes.csv", "DTTS-DA4-TDA1", "parent_code", parent)
            _replace(folder / "programmes.csv", "DTTS-DA4-TDA1", "programme_code", parent.partition("-")[0])

        self._change_reference(change)
        self._publish(str(period), window.budget_year)
        self.counts["at_once"] += 1

    # Single things ----------------------------------------------------------------------------------------------------

    def _until(self, day: date) -> None:
        self.now = max(self.now, datetime(day.year, day.month, day.day, 1, tzinfo=UTC))
        self._tick()

    def _tick(self) -> datetime:
        self.now += timedelta(minutes=7)
        return self.now

    def _reporting(self, day: date) -> list[str]:
        there = units.load(self.known.folder).on(day)
        wanted = FORMER if day < date(2025, 7, 1) else COMMUNES
        return [code for code in wanted if code in there]

    def _send(self, commune: str, window: Window, *, returned: bool = False) -> int:
        now = self._tick()
        key = (commune, str(window.period), window.budget_year)
        late = (key[1], key[2]) in self._published()
        lines = self._lines(commune, window)
        values: dict[str, Any] = {
            "as_of": window.as_of, "budget_year": window.budget_year, "received_at": now, "is_late_revision": late,
            "version": 1 + sum(r.key == key for r in self.received.values()),
            "verdict": "returned" if returned else "accepted",
        }  # fmt: skip
        # A returned one has no facts until an officer lets it pass.
        rows = {} if returned else self._others(commune, window)
        number = builders.report(self.connection, commune, key[1], [] if returned else lines, **rows, **values)
        self.received[number] = Received(number, key, now, lines, late, returned)
        self._find(number, "error" if returned else "warning")
        self.counts["returned" if returned else "late" if late else "in_time"] += 1
        return number

    def _lines(self, commune: str, window: Window) -> list[dict[str, Any]]:
        """Some four of the five lines; the plan is what was decided, but for slips."""
        given, paid = self.given[commune, window.budget_year], self.paid[commune, window.budget_year]
        rows = []
        for code, kind in LINES:
            if self.chance.random() < 0.15:
                continue
            plan, local, carry = (max(given[code, kind, s], 0) for s in SOURCES)
            if self.chance.random() < 0.1:
                plan += self.chance.randint(0, 10**9)
            total, name = plan + local + carry, f"{code}-{kind}"
            before = min(paid[name], total)
            month = self.chance.randint(0, max((total - before) // 4, 0))
            paid[name] = before + month
            row = builders.line(code, kind, plan, paid[name], carry=carry, month=month)
            central = min(paid[name], plan + carry)
            row |= {
                "plan_total": total, "plan_nst": local, "disb_nstw": central, "disb_nsdp": paid[name] - central,
                "disb_carry": min(carry, paid[name] // 3), "disb_completed": paid[name] - paid[name] // 5,
                "disb_advance": paid[name] // 5, "forecast": self.chance.choice((None, total)),
                "note": self.chance.choice((None, "Vướng mặt bằng", "Chờ hướng dẫn.")),
            }  # fmt: skip
            rows.append(row)
        return rows

    def _others(self, commune: str, window: Window) -> dict[str, Any]:
        """Rows of the other forms."""
        outputs = [
            {"indicator_code": code, "target_year": 12, "actual_period": self.chance.randint(0, 3),
             "actual_ytd": self.chance.randint(0, 12)}
            for code in ("CT-01", "CT-03", "CT-13") if self.chance.random() < 0.8
        ]  # fmt: skip
        proposals = [
            {**builders.proposal(f"KN-{commune}-{n}", addressee, "Đề nghị điều chỉnh vốn"),
             "adjust_amount": self.chance.choice((None, -(10**8), 2 * 10**8)),
             "state": self.chance.choice(("Chưa giải quyết", "Đã giải quyết"))}
            for n, addressee in enumerate(("Sở Tài chính", "UBND tỉnh")) if self.chance.random() < 0.4
        ]  # fmt: skip
        tasks = []
        if commune == "06517":
            done = window.as_of - timedelta(3) if self.chance.random() < 0.5 else None
            state = "Đã hoàn thành" if done else "Đang thực hiện"
            tasks = [{"task_id": "QS-2025-10-1.a", "status": state, "done_date": done, "progress": "Đang rà soát"}]
        roadmap = []
        if window.period.month in (3, 7) or self.chance.random() < 0.05:
            roadmap = [
                {"line_code": f"{code}-{kind}", "project_code": code, "capital_kind": kind,
                 **{f"planned_m{n:02d}": n * 10**8 for n in range(1, 13)}, "planned_close": 13 * 10**8}
                for code, kind in LINES[:3]
            ]  # fmt: skip
        off_budget = [{"line_code": "NKH-TDCS-CHOVAY", "amount": self.chance.randint(0, 10**9)}]
        return {"outputs": outputs, "proposals": proposals, "tasks": tasks, "roadmap": roadmap,
                "off_budget": off_budget}  # fmt: skip

    def _find(self, number: int, severity: str) -> None:
        self.connection.execute(
            "insert into core.finding (submission_id, finding_no, rule_id, expectation_id, severity, form, line, item, "
            "value, unit, message_vi, fix_vi) values (%s, 1, 'CK20', 'CK20-jump', %s, 'B01', 'GNBV-DA2-SN', "
            "'disb_ytd', '5000000', 'vnd', 'Tăng đột biến', 'Kiểm tra lại')",
            (number, severity),
        )

    def _admit(self, number: int, window: Window) -> None:
        """An officer lets every error of a returned report pass; its facts are loaded as they were sent."""
        now, found = self._tick(), self.received[number]
        officer = self.chance.choice(OFFICERS)
        self.connection.execute(
            "insert into core.finding_answer (submission_id, finding_no, kind, answered_by, reason, answered_at) "
            "values (%s, 1, 'overridden', %s, 'Đã đối chiếu chứng từ', %s)",
            (number, officer, now),
        )
        builders.facts(self.connection, number, found.key, found.lines, **self._others(found.key[0], window))
        self.connection.execute("insert into raw.admission values (%s, %s, %s)", (number, officer, now))
        found.admitted = now
        self.counts["admitted"] += 1

    def _settle(self, number: int, decision: str) -> None:
        now = self._tick()
        reason = "Công văn đính chính của đơn vị" if decision == "accepted" else "Chưa có căn cứ"
        revision.decide(self.connection, number, decision, self.chance.choice(OFFICERS), reason, now)
        self.received[number].decided.append((now, decision))
        self.counts[decision] += 1

    def _withdraw(self, number: int) -> None:
        now = self._tick()
        withdrawal.withdraw(self.connection, number, self.chance.choice(OFFICERS), "Gửi nhầm kỳ", now)
        self.received[number].withdrawn = now
        self.counts["withdrawn"] += 1

    def _decide(self, places: Sequence[tuple[str, str, str, str]], as_of: date, year: int) -> None:
        """A decision that gives, or takes of what was given; in force some weeks before it is loaded."""
        now = self._tick()
        number, effective = f"{1 + len(self.decisions)}/QĐ-UBND", as_of - timedelta(20)
        for commune, code, kind, source in places:
            has = self.given[commune, year][code, kind, source]
            amount = self.chance.randint(10**8, 10**10)
            if has and self.chance.random() < 0.5:
                amount = -self.chance.randint(1, has)
                self.counts["taken"] += 1
            self.given[commune, year][code, kind, source] += amount
            self.connection.execute(
                "insert into ref.allocation values (%s, %s, %s, %s, %s, %s, %s, %s, %s, null, %s)",
                (number, effective, effective, year, commune, code, kind, source, amount, now),
            )
            self.decisions.append((now, commune, year, f"{code}-{kind}", number))
        self.counts["decided"] += 1

    def _treasury(self, window: Window) -> None:
        """A statement of the State Treasury; the next one of the same date replaces it."""
        now = self._tick()
        speaks = {c: self.speaking((c, str(window.period), window.budget_year), now) for c in COMMUNES}
        listed = read_csv(self.known.folder / "treasury_units.csv")
        unit_of = {row["commune_code"]: row["budget_unit_code"] for row in listed}
        lines: list[Line] = []
        for commune, found in speaks.items():
            for row in found.lines if found else ():
                if row["line_code"] in BUDGET_CODES and self.chance.random() < 0.9:
                    total = row["disb_ytd"] + self.chance.choice((0, 0, 10**7))
                    place = (unit_of[commune], BUDGET_CODES[row["line_code"]], row["capital_kind"])
                    at = len(lines) + 10
                    lines.append(Line("SK", at, f"H{at}", *place, total, 0, total, None))
        name = f"kho-bac-{window.period}-{self.counts['statements']}.xlsx"
        sha256 = hashlib.sha256(f"{name} {window.budget_year}".encode()).hexdigest()
        self.connection.execute("insert into raw.original values (%s, 1, %s, %s)", (sha256, sha256, now))
        statement = Statement(window.as_of, window.budget_year, sha256, name, tuple(lines), ())
        treasury.load(self.connection, statement, now, self.known)
        reconciliation.reconcile(self.connection, window.period, window.budget_year, self._tick(), self.known)
        self.connection.commit()
        self.counts["statements"] += 1

    def _change_reference(self, change: Callable[[Path], None]) -> None:
        number = len(self.reference_changes) + 1
        folder = Path(shutil.copytree(self.known.folder, self.folder / f"danh_muc_{number}"))
        change(folder)
        self.known = Province(folder)
        self._take_up()
        self.reference_changes.append(self.now)

    def _take_up(self) -> None:
        self.point(self.known.folder)
        reference_load.load(self.connection, self.known, self._tick())
        self.connection.commit()

    def _publish(self, period: str, year: int, *, meanwhile: bool = False) -> None:
        """Frozen, approved and published. ``meanwhile``: reports may come between freezing and publishing, too late for
        the release and too early to be late revisions."""
        known_at = self._tick()
        made = release.freeze(self.connection, Period.parse(period), known_at, self.out, year)
        if made["published"]:
            self.counts["nothing_new"] += 1
            return
        id, manifest = made["release_id"], made["manifest_sha256"]
        self.listener(id, known_at)
        if meanwhile:
            window = self.known.window(Period.parse(period), year)
            for commune in self._reporting(window.as_of):
                is_silent = self.speaking((commune, period, year), known_at) is None
                if self.chance.random() < (0.7 if is_silent else 0.06):
                    self._send(commune, window)
                    self.counts["meanwhile"] += 1
        now = self._tick()
        release.approve(self.connection, id, manifest, "thu_ky", "approved", now, self.out)
        release.mark_published(self.connection, id, now)
        self.connection.commit()
        facts = release.get(self.connection, id).facts_sha256
        self.releases.append(Frozen(id, period, year, known_at, facts))
