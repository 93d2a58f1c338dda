"""Every mart equals an independent computation (tests/sql/oracle.py): on the sample's three months of 65 communes, from
its truth.json, and on a province where everything happens that the sample does not have.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from psycopg.rows import dict_row

from etl import settings
from etl.load import marts, server
from etl.load import warehouse as store
from etl.load.warehouse import Connection
from etl.period import Period
from tests.builders import truth
from tests.databases import copy_of
from tests.sql import builders
from tests.sql.conftest import MONTHS, NOW, Loaded
from tests.sql.oracle import FOUND_KEYS, KEYS, PLANNED, Decided, Oracle, Row, Version, plus, total
from tests.sql.treasury_oracle import KEYS as TREASURY

CASES = 10_000
OF_EACH_MART = 600
ROUNDED_TWICE = ("expected_",)
"""Shares of closed years have more digits than either side keeps; their product may differ by the last đồng."""
HERE = ("allocation", "task_state", "task_count", "task_month", "disbursement_district", "programme_series",
        "roadmap_path")  # fmt: skip
"""Marts that a test of their own compares below."""
ELSEWHERE = {
    "allocation_balance": "test_allocation.py",
    "commune_task": "test_register.py",
    "follow_up_due": "test_follow_up.py",
    "programme_map": "test_programmes.py",
    "proposal_task": "test_register.py",
    "published_figure": "test_published_oracle.py",
    "rate_pct": "test_warehouse.py",
    "release": "test_two_years.py",
    "release_finding": "test_publication_checks.py",
    "revision": "test_two_years.py",
    "revision_at": "test_queries.py",
    "revision_figure": "test_two_times.py",
    "revision_lines": "test_two_years.py",
    "revision_pending": "test_two_years.py",
    "task_change": "test_register.py",
    "task_change_in_period": "test_register.py",
    "task_committee": "test_task_histories.py",
    "task_instance": "test_task_histories.py",
    "task_month_by_agency": "test_register.py",
    "task_overdue": "test_register.py",
    "task_state_name": "test_task_histories.py",
    "task_timeline": "test_register.py",
    "unit_map": "test_boundaries.py",
}
"""Marts that are worked out by other means -> the test that does."""
DATES = ("doc_date", "done_date", "extension_date")
TEXTS = ("commune", "content_vi", "line_code", "project_code", "capital_kind", "note", "indicator_code", "indicator_vi",
         "unit", "issue_id", "problem", "cause", "proposal", "addressee", "category", "state", "reply_doc", "task_id",
         "doc_no", "content", "lead", "coordinating", "deadline_text", "status", "result_doc", "progress",
         "reason")  # fmt: skip


# The sample -----------------------------------------------------------------------------------------------------------


def typed(key: str, value: Any) -> Any:
    if value is None or key in TEXTS or not isinstance(value, str):
        return value
    return date.fromisoformat(value) if key in DATES else Decimal(value)


def of_truth(folder: Path) -> list[Version]:
    """What each commune sent in a month: the facts of truth.json; the file's own time is when it arrived."""
    told = truth(folder)
    result = []
    for sent in told["files"]:
        arrived = datetime.fromtimestamp((folder / sent["file"]).stat().st_mtime, UTC)
        forms = {
            form: [
                {k: typed(k, v) for k, v in row.items()}
                for row in rows
                if (row["commune"], row["budget_year"]) == (sent["commune"], sent["budget_year"])
                and (form != "B05" or any(row[k] for k in PLANNED))
            ]
            for form, rows in told["facts"].items()
        }
        empty = tuple(form for form in ("B02", "B03", "B04") if not forms[form])
        result.append(
            Version(sent["commune"], told["period"], sent["budget_year"], arrived, forms, nothing_to_report=empty)
        )
    return result


def of_register(path: Path) -> list[Decided]:
    with path.open(encoding="utf-8", newline="") as handle:
        return [
            Decided(
                date.fromisoformat(r["effective_on"]), int(r["budget_year"]), r["commune_code"], r["project_code"],
                r["capital_kind"], r["source"], int(r["amount_vnd"]),
            )
            for r in csv.DictReader(handle)
            if r["commune_code"] != "TINH"
        ]  # fmt: skip


@pytest.fixture(scope="module")
def sample(loaded_once: Loaded) -> tuple[str, Oracle]:
    versions = [v for folder in loaded_once.months.values() for v in of_truth(folder)]
    register = of_register(loaded_once.months[MONTHS[-1]] / "reference" / "allocation.csv")
    with store.connect(loaded_once.address) as connection:
        connection.execute("analyze")
        connection.commit()
    return loaded_once.address, Oracle(builders.province(), versions, register, NOW)


# Everything that the sample does not have -----------------------------------------------------------------------------

COMMUNES = ("06517", "06463", "06004", "06001", "06124", "06040", "06073", "06565", "06529", "06541", "06625", "06196")
ALL_BLANK, NO_PLAN, SPLITS = "06040", "06073", "06001"
OPEN_MONTHS = (("2025-10", 2025), ("2025-11", 2025), ("2025-12", 2025), ("2026-01", 2025), ("2026-01", 2026),
               ("2026-02", 2026), ("2026-10", 2026), ("2026-11", 2026))  # fmt: skip
CODES = (("GNBV-DA1-TDA1", "DT"), ("GNBV-DA1-TDA2", "DT"), ("GNBV-DA2", "SN"), ("GNBV-DA3-TDA1", "SN"),
         ("DTTS-DA1-ND2", "DT"), ("DTTS-DA4-TDA1", "DT"), ("DTTS-DA4-TDA1", "SN"), ("DTTS-DA6", "SN"),
         ("NTM-ND02", "DT"), ("NTM-ND03", "SN"))  # fmt: skip
SPLIT_NODE = "GNBV-DA1"
RULES = {"CK05-rate": "error", "CK20-same": "warning", "CK15-explained": "info"}
STATES = ("Chưa giải quyết", "Đang giải quyết", "Đã giải quyết", "Không thuộc thẩm quyền")


class Nasty:
    """Makes reports with a fixed seed: what is drawn is known to the oracle and written into the warehouse alike."""

    def __init__(self, connection: Connection) -> None:
        self.chance = random.Random(20260131)
        self.connection = connection
        self.versions: list[Version] = []
        self.decided: list[Decided] = []
        self.now = datetime(2025, 11, 1, tzinfo=UTC)

    def make(self) -> None:
        for commune in COMMUNES:
            for year in (2025, 2026):
                self._allocate(commune, year)
        for period, year in OPEN_MONTHS:
            for n, commune in enumerate(COMMUNES):
                self._month(commune, n, period, year)
        self.now += timedelta(days=2)
        self.send(COMMUNES[-1], "2026-12", 2026)  # before it is due; and the last word of all
        self.connection.commit()
        self.connection.execute("analyze")
        self.connection.commit()

    def _month(self, commune: str, n: int, period: str, year: int) -> None:
        lot = (n + int(period[-2:])) % 12
        if lot == 0:
            return  # nothing is sent
        due = builders.province().window(Period.parse(period), year).due_on
        self.now = datetime(
            due.year, due.month, due.day, 17 if lot == 1 else 1, n, year % 100, tzinfo=UTC
        )  # 17:00 UTC: next day
        if lot == 2:
            self.send(commune, period, year, verdict="returned")
            self.send(commune, period, year, version=2, is_late_revision=True)  # which does not yet change the state
        elif lot == 3:
            self.send(commune, period, year, verdict="refused")
        else:
            self.send(commune, period, year)
        if lot == 4:
            self.send(commune, period, year, version=2)
        elif lot == 5:
            self.send(commune, period, year, version=2, verdict="returned")
        elif lot == 6:
            self.withdraw(self.send(commune, period, year, version=2))
        elif lot == 7:
            self.accept(self.send(commune, period, year, version=2, is_late_revision=True))
        elif lot == 8:
            self.send(commune, period, year, version=2, is_late_revision=True)
        elif lot == 9:
            self.withdraw(self.send(commune, period, year, version=2))
            self.send(commune, period, year, version=3)
        elif lot == 10 and period == "2025-11":
            self.withdraw(self.versions[-1])  # the only one

    # What is sent -----------------------------------------------------------------------------------------------------

    def send(self, commune: str, period: str, year: int, *, version: int = 1, verdict: str = "accepted",
             is_late_revision: bool = False) -> Version:  # fmt: skip
        self.now += timedelta(hours=1 if version > 1 else 0, seconds=1)
        forms = {
            "B01": self._lines(commune, period, year), "B02": self._outputs(), "B03": self._tasks(commune, period),
            "B04": self._proposals(commune, period), "B05": self._roadmap(commune, period, year),
            "off_budget": [{"line_code": "NKH-TDCS-CHOVAY", "amount": self._or_blank(self.chance.randint(0, 10**10))}],
        }  # fmt: skip
        ticked = ("B03",) if not forms["B03"] else ()
        sent = Version(commune, period, year, self.now, forms, verdict, is_late_revision, nothing_to_report=ticked)
        how: dict[str, Any] = {"version": version, "received_at": self.now, "budget_year": year, "verdict": verdict,
                               "is_late_revision": is_late_revision, "nothing_to_report": list(ticked)}  # fmt: skip
        if verdict == "accepted":
            builders.report(
                self.connection, commune, period, forms["B01"], outputs=forms["B02"], tasks=forms["B03"],
                proposals=forms["B04"], roadmap=forms["B05"], off_budget=forms["off_budget"], **how,
            )  # fmt: skip
        else:
            builders.submission(self.connection, commune, period, **how)
        self.versions.append(sent)
        if verdict != "refused":
            self._judge(sent)
        return sent

    def _judge(self, sent: Version) -> None:
        """Some problems of a version stay in the next one, some are gone; officers answer some of them."""
        number = self._number(sent)
        for rule, severity in RULES.items():
            for line in ("GNBV-DA2-SN", "NTM-ND02-DT", None):
                if self.chance.random() < 0.6 or (severity == "error" and sent.verdict == "accepted"):
                    continue
                answers = {"error": "overridden", "warning": "explained"}
                sent.findings.append({
                    "rule_id": rule.partition("-")[0], "expectation_id": rule, "severity": severity, "form": "B01",
                    "line": line, "item": "disb_ytd" if line else None,
                    "explanation": self.chance.choice((None, "Đã rà soát")),
                    "answer": answers.get(severity) if self.chance.random() < 0.3 else None,
                })  # fmt: skip
        for finding_no, finding in enumerate(sent.findings, 1):
            row = {k: v for k, v in finding.items() if k != "answer"}
            row |= {"submission_id": number, "finding_no": finding_no, "message_vi": "Sai", "fix_vi": "Sửa"}
            self.connection.execute(
                f"insert into core.finding ({', '.join(row)}) values ({', '.join(['%s'] * len(row))})",
                list(row.values()),
            )
            if finding["answer"]:
                self.connection.execute(
                    "insert into core.finding_answer (submission_id, finding_no, kind, answered_by, reason, "
                    "answered_at) values (%s, %s, %s, 'Hoa', 'Đúng', %s)",
                    (number, finding_no, finding["answer"], self.now + timedelta(seconds=30)),
                )

    def _number(self, sent: Version) -> int:
        row = self.connection.execute(
            "select submission_id from raw.submission where received_at = %s and commune_code = %s",
            (sent.received_at, sent.commune),
        ).fetchone()
        return int(row[0]) if row else 0

    def withdraw(self, sent: Version) -> None:
        sent.withdrawn = True
        self.now += timedelta(minutes=5)
        self.connection.execute(
            "insert into raw.withdrawal values (%s, 'Hoa', 'Gửi nhầm', %s)", (self._number(sent), self.now)
        )

    def accept(self, sent: Version) -> None:
        self.now += timedelta(minutes=5)
        sent.accepted_at = self.now
        self.connection.execute(
            "insert into raw.revision_decision (submission_id, decision, decided_by, reason, decided_at) "
            "values (%s, 'accepted', 'Hoa', 'Sửa sai', %s)",
            (self._number(sent), self.now),
        )

    def _or_blank(self, value: Any, often: float = 0.06) -> Any:
        return None if self.chance.random() < often else value

    def _held(self, commune: str) -> list[tuple[str, str]]:
        """Lines that a commune reports; one decision's node has one line of two, or none of them."""
        start = COMMUNES.index(commune)
        return [pair for n, pair in enumerate(CODES) if (n + start) % 4] if commune != SPLITS else list(CODES[:5])

    def _lines(self, commune: str, period: str, year: int) -> list[Row]:
        rows = []
        month = (int(period[:4]) - year) * 12 + int(period[5:])
        for code, kind in self._held(commune):
            plan = [self.chance.choice((0, 0, 7, 10**8, self.chance.randint(1, 10**10))) for _ in range(5)]
            if commune == NO_PLAN:
                plan = [0] * 5
            most = sum(plan) * month // 13
            paid = self.chance.choice((0, most, most, self.chance.randint(0, 10**9), sum(plan) * 9 // 10))
            central = self.chance.randint(0, paid)
            parts = [self._or_blank(x, 0.02) for x in plan]
            row: Row = {
                "line_code": f"{code}-{kind}", "project_code": code, "capital_kind": kind, "plan_total": plus(*parts),
                **dict(zip(("plan_nstw", "plan_nst", "plan_nsx", "carry_nstw", "carry_nsdp"), parts, strict=True)),
                "disb_period": self._or_blank(self.chance.randint(-(10**7), 10**8)),
                "disb_ytd": self._or_blank(paid), "disb_nstw": self._or_blank(central),
                "disb_nsdp": self._or_blank(paid - central), "disb_completed": self._or_blank(paid // 2),
                "disb_advance": self._or_blank(paid - paid // 2),
                "disb_carry": self._or_blank(self.chance.randint(0, min(paid, plan[3] + plan[4]))),
                "accepted_volume": self._or_blank(paid), "forecast": self._or_blank(max(paid, most), 0.01),
                "note": self.chance.choice((None, "Vướng mặt bằng", "Chờ hướng dẫn.", f"Chậm thẩm định {code}")),
            }  # fmt: skip
            if commune == ALL_BLANK:
                row |= {"disb_ytd": None, "disb_period": None, "disb_nstw": None}
            rows.append(row)
        return rows

    def _outputs(self) -> list[Row]:
        return [
            {
                "indicator_code": code, "indicator_vi": f"Chỉ tiêu {code}", "project_code": "GNBV-DA2", "unit": "lớp",
                **{k: self._or_blank(Decimal(self.chance.randint(0, 900)) / 10, 0.2)
                   for k in ("target_year", "actual_period", "actual_ytd", "target_phase")},
            }
            for code in ("CT-01", "CT-08", "CT-11", "CT-13", "CT-22", "CT-99")
            if self.chance.random() < 0.8
        ]  # fmt: skip

    def _tasks(self, commune: str, period: str) -> list[Row]:
        """Quan Sơn leads these tasks; what another commune says of them has no weight."""
        if commune not in (COMMUNES[0], COMMUNES[-1]):
            return []
        done = period >= "2026-01"
        late, in_time = date(2026, 1, 15), date(2025, 12, 31)
        days = {"QS-2025-10-1.a": late if done else None, "QS-2025-10-2.a": late, "QS-2025-10-1.b": in_time}
        if commune != COMMUNES[0]:
            days = dict.fromkeys(days, date(2025, 11, 1))
        return [
            {"task_id": task, "status": "Đã hoàn thành" if day else "Đang thực hiện", "done_date": day,
             "result_doc": "12/BC-UBND" if day and not task.endswith("2.a") else None,
             "progress": "Đang làm", "content": "Rà soát"}
            for task, day in days.items()
        ]  # fmt: skip

    def _proposals(self, commune: str, period: str) -> list[Row]:
        """Some come back month after month, some are resolved, some are gone for a month."""
        rows = []
        for n in range(3):
            if self.chance.random() < 0.7:
                code = self.chance.choice((SPLIT_NODE, "GNBV-DA2", "NTM-ND02"))
                rows.append({
                    "issue_id": f"KN-{commune}-2025-10-{n:02d}", "is_new": period == "2025-10", "project_code": code,
                    "problem": self.chance.choice(("Thiếu mặt bằng.", "Không còn đối tượng")), "cause": "Chưa rõ",
                    "proposal": "Điều chỉnh vốn", "addressee": self.chance.choice(("Sở Tài chính", "UBND tỉnh")),
                    "category": self.chance.choice(("Vốn", "Nhân lực")), "state": self.chance.choice(STATES),
                    "adjust_amount": self.chance.choice((None, 0, -5 * 10**8, -7, 3 * 10**8)),
                })  # fmt: skip
        return rows

    def _roadmap(self, commune: str, period: str, year: int) -> list[Row]:
        """Sent in October, and again with fewer lines in December; the new budget year begins with its own."""
        lines = self._held(commune)
        if (period, year) not in (("2025-10", 2025), ("2025-12", 2025), ("2026-01", 2026)):
            return []
        return [
            {
                "line_code": f"{code}-{kind}", "project_code": code, "capital_kind": kind,
                **{key: self._or_blank(n * 10**8) for n, key in enumerate(PLANNED)}, "note": "Điều chỉnh",
            }
            for code, kind in (lines[:3] if period == "2025-12" else lines)
        ]  # fmt: skip

    # What was decided -------------------------------------------------------------------------------------------------

    def _allocate(self, commune: str, year: int) -> None:
        """Lines that are reported and lines that are not, a node that the commune has to split, a later cut."""
        if commune == NO_PLAN:
            return
        places = [pair for pair in CODES if self.chance.random() < 0.6]
        if commune == ALL_BLANK:
            places = self._held(commune)  # else what stands on no line would be a figure
        elif self.chance.random() < 0.7 or commune == SPLITS:
            places.append((SPLIT_NODE, "DT"))
        for code, kind in places:
            for source in ("NSTW", "NST", "NSX", "KD_NSTW", "KD_NSDP"):
                if self.chance.random() < 0.6:
                    amount = self.chance.randint(1, 2 * 10**10)
                    self._decide(f"1/QĐ-{year}", date(year, 1, 20), year, (commune, code, kind, source), amount)
                    if self.chance.random() < 0.3:
                        cut = -self.chance.randint(1, amount)
                        self._decide(f"2/QĐ-{year}", date(year, 11, 20), year, (commune, code, kind, source), cut)

    def _decide(self, no: str, day: date, year: int, place: tuple[str, str, str, str], amount: int) -> None:
        self.decided.append(Decided(day, year, *place, amount))
        self.connection.execute(
            "insert into ref.allocation values (%s, %s, %s, %s, %s, %s, %s, %s, %s, null, %s)",
            (no, day, day, year, *place, amount, builders.LOADED),
        )


@pytest.fixture(scope="module")
def nasty(postgres: settings.Settings) -> Iterator[tuple[str, Oracle]]:
    with copy_of(server.url("tiendo", postgres)) as address:
        with store.connect(address) as connection:
            builders.reference_data(connection)
            made = Nasty(connection)
            made.make()
        yield address, Oracle(builders.province(), made.versions, made.decided, made.now, knows_findings=True)


@pytest.fixture(params=["sample", "nasty"])
def world(request: pytest.FixtureRequest) -> tuple[str, Oracle]:
    found: tuple[str, Oracle] = request.getfixturevalue(request.param)
    return found


# The comparison -------------------------------------------------------------------------------------------------------


def read(address: str, query: str, *values: Any) -> list[Row]:
    """Rows with ``report``, the time at which the submission arrived, in place of its number."""
    with store.connect(address) as connection:
        arrived = dict(connection.execute("select submission_id, received_at from raw.submission").fetchall())
        rows = connection.cursor(row_factory=dict_row).execute(query, values).fetchall()
    return [{**r, "report": arrived.get(r.get("submission_id"))} for r in rows]


def keyed(rows: list[Row], keys: tuple[str, ...]) -> dict[tuple[Any, ...], Row]:
    result = {tuple(r[k] for k in keys): r for r in rows}
    assert len(result) == len(rows), "two rows with one key"
    return result


def same(column: str, found: Any, expected: Any) -> bool:
    if column == "categories":
        return sorted(found.split("; ") if found else []) == expected
    if column == "nothing_to_report":
        return (sorted(found) if found is not None else None) == expected
    if column.startswith(ROUNDED_TWICE) and None not in (found, expected):
        return abs(found - expected) <= 1
    return bool(found == expected)


@pytest.mark.parametrize("mart", sorted(KEYS))
def test_every_row_of_a_mart_equals_the_independent_computation(world: tuple[str, Oracle], mart: str) -> None:
    address, oracle = world
    expected = keyed(getattr(oracle, mart), KEYS[mart])
    found = keyed(read(address, f"select * from mart.{mart}"), KEYS[mart])
    assert found.keys() - expected.keys() == set(), "rows too many"
    assert expected.keys() - found.keys() == set(), "rows missing"
    wrong = [
        (key, column, found[key][column], value)
        for key, row in expected.items()
        for column, value in row.items()
        if not same(column, found[key][column], value)
    ]
    assert wrong == []


@pytest.mark.parametrize("mart", sorted(FOUND_KEYS))
def test_what_the_checks_found_equals_the_independent_computation(nasty: tuple[str, Oracle], mart: str) -> None:
    address, oracle = nasty
    expected = keyed(getattr(oracle, mart), FOUND_KEYS[mart])
    rows = read(address, f"select * from mart.{mart}")
    found = keyed([r for r in rows if r.get("found") != 0], FOUND_KEYS[mart])  # not the rules that found nothing
    assert {r["outcome"] for r in oracle.finding} == {"corrected", "overridden", "explained", "open"}
    assert found.keys() == expected.keys()
    assert {k: {c: found[k][c] for c in row} for k, row in expected.items()} == expected


def test_ten_thousand_random_figures_equal_the_independent_computation(world: tuple[str, Oracle]) -> None:
    address, oracle = world
    chance = random.Random(2025)
    checked = {}
    for mart in sorted(KEYS):
        expected = keyed(getattr(oracle, mart), KEYS[mart])
        cases = [(key, column) for key, row in expected.items() for column in row if column not in KEYS[mart]]
        found = keyed(read(address, f"select * from mart.{mart}"), KEYS[mart])
        drawn = chance.sample(cases, min(OF_EACH_MART, len(cases)))
        for key, column in drawn:
            assert same(column, found[key][column], expected[key][column]), (mart, key, column)
        checked[mart] = len(drawn)
    print("\n", sum(checked.values()), checked)
    assert sum(checked.values()) >= CASES


def test_capital_by_decision_equals_the_independent_computation(world: tuple[str, Oracle]) -> None:
    address, oracle = world
    keys = ("budget_year", "commune_code", "project_code", "capital_kind", "source")
    for as_of in (date(2025, 6, 30), date(2025, 9, 30), date(2025, 11, 30), date(2026, 1, 31), date(2027, 12, 31)):
        found = read(address, "select * from mart.allocation_at(%s, 'infinity')", as_of)
        assert {k: r["amount_vnd"] for k, r in keyed(found, keys).items()} == {
            k: r["amount_vnd"] for k, r in keyed(oracle.allocation_at(as_of), keys).items()
        }


def test_districts_equal_the_independent_computation(world: tuple[str, Oracle]) -> None:
    address, oracle = world
    expected = {
        (*month, r["districts"]): r for r in oracle.district_groups() for month in [(r["period"], r["budget_year"])]
    }
    rows = read(address, "select * from mart.disbursement_district where slice = 'all' and level = 'group'")
    found = {(r["period"], r["budget_year"], frozenset(r["district_vi"].split(" + "))): r for r in rows}
    assert len(found) == len(rows)
    assert found.keys() == expected.keys()
    assert max(len(districts) for _, _, districts in found) > 1
    assert {key: {c: found[key][c] for c in row if c != "districts"} for key, row in expected.items()} == {
        key: {c: x for c, x in row.items() if c != "districts"} for key, row in expected.items()
    }


def test_lines_of_the_programmes_add_up_to_the_independent_computation(world: tuple[str, Oracle]) -> None:
    address, oracle = world
    rows = read(address, "select * from mart.programme_series")
    for month in oracle.programme_sums():
        of_month = [r for r in rows if (r["period"], r["budget_year"]) == (month["period"], month["budget_year"])]
        for level, name in (("programme", "all"), ("programme", "capital_kind"), ("component", "all")):
            some = [r for r in of_month if (r["level"], r["slice"]) == (level, name)]
            columns = [c for c in month if c not in ("period", "budget_year")]
            columns = [c for c in columns if level == "programme" or not c.startswith("earlier")]
            assert {c: total(r[c] for r in some) for c in columns} == {c: month[c] for c in columns}, (month, level)


def test_every_mart_has_an_independent_computation() -> None:
    names = {path.stem for path in marts.folder().glob("*.sql")}
    compared = {*KEYS, *FOUND_KEYS, *TREASURY, *HERE, *ELSEWHERE}
    assert compared == names, "a mart is in no list, or is no longer there"
    assert len(compared) == sum(map(len, (KEYS, FOUND_KEYS, TREASURY, HERE, ELSEWHERE))), "a mart is in two lists"
    here = Path(__file__).parent
    assert [name for name, test in ELSEWHERE.items() if not (here / test).is_file()] == []


def test_tasks_equal_the_independent_computation_on_any_day(world: tuple[str, Oracle]) -> None:
    address, oracle = world
    for as_of in (date(2025, 10, 9), date(2025, 10, 31), date(2025, 12, 23), date(2025, 12, 24), date(2026, 1, 20)):
        for query, rows, keys in (
            ("select * from mart.task_state(%s, 'infinity')", oracle.task_state(as_of), ("task_id",)),
            ("select * from mart.task_count(%s, 'infinity')", oracle.task_count(as_of), ("lead_vi", "state")),
        ):
            found = keyed(read(address, query, as_of), keys)
            expected = keyed(rows, keys)
            assert found.keys() == expected.keys()
            for key, row in expected.items():
                assert {c: found[key][c] for c in row} == row
        first = as_of - timedelta(days=60)
        (month,) = read(address, "select * from mart.task_month(%s, %s, 'infinity')", first, as_of)
        assert {k: v for k, v in month.items() if k != "report"} == oracle.task_month(first, as_of)


def test_the_path_of_the_roadmaps_equals_the_independent_computation(world: tuple[str, Oracle]) -> None:
    address, oracle = world
    for period, year in sorted({(r["period"], r["budget_year"]) for r in oracle.roadmap_lag}):
        lines = [r for r in oracle.roadmap_lag if (r["period"], r["budget_year"]) == (period, year)]
        in_use = {r["commune_code"]: r["roadmap_period"] for r in lines if r["roadmap_period"]}
        expected: dict[tuple[str | None, str], tuple[Any, int]] = {}
        for number, key in enumerate(PLANNED):
            month = str(Period(year + number // 12, number % 12 + 1))
            of_month = {}
            for commune, last in in_use.items():
                sent = [
                    r for r in oracle.roadmap_line
                    if (r["commune_code"], r["budget_year"]) == (commune, year) and r["period"] <= last
                ]  # fmt: skip
                then = {r["period"] for r in sent if r["period"] <= month}
                spoke = max(then) if then else min(r["period"] for r in sent)
                told = [r[key] for r in sent if r["period"] == spoke and r[key] is not None]
                if told:
                    of_month[commune] = total(told)
                    expected[commune, month] = (of_month[commune], 1)
            if of_month and of_month.keys() == in_use.keys():
                expected[None, month] = (total(of_month.values()), len(in_use))
        found = read(address, "select * from mart.roadmap_path(%s, %s, 'infinity')", period, year)
        assert {(r["commune_code"], r["month"]): (r["planned"], r["communes"]) for r in found} == expected


def test_the_made_up_province_has_what_the_sample_lacks(nasty: tuple[str, Oracle]) -> None:
    _, oracle = nasty
    assert any(r["is_unallocated"] and r["subproject_code"] == SPLIT_NODE for r in oracle.disbursement_line)
    assert any(r["disb_ytd"] is None for r in oracle.disbursement_line)
    assert any(r["plan_total"] == 0 and r["disb_ytd"] for r in oracle.disbursement_line)
    assert any((r["disb_period"] or 0) < 0 for r in oracle.disbursement_line)
    assert {r["state"] for r in oracle.submission_status} == {"reported", "returned", "refused", "missing"}
    assert any(r["late_days"] for r in oracle.submission_status)
    assert any(r["late_revisions_waiting"] for r in oracle.submission_status)
    assert {v.accepted_at is not None for v in oracle.versions if v.is_late_revision} == {True, False}
    assert {r["basis"] for r in oracle.help_list} == {"pace", "closed_years"}
    assert {(r["side"], r["basis"]) for r in oracle.capital_move} == {
        ("give", "proposal"), ("take", "proposal"), ("take", "rate"), ("take", "pace"),
    }  # fmt: skip
    candidates = [r for r in oracle.capital_move if r["basis"] != "proposal"]
    assert {(r["possible"] or 0) > 0 for r in candidates} == {True, False}
    assert max(r["order_no"] for r in candidates) > 2
    assert {r["capital_kind"] is None for r in oracle.capital_move if r["basis"] == "proposal"} == {True, False}
    assert not any(r["rate_needed"] == 100 for r in candidates)
    assert max(r["periods_reported"] for r in oracle.proposal_age) > 3
    assert any(r["planned"] is None and r["roadmap_period"] for r in oracle.roadmap_lag)
    assert any(r["unit"] == "%" for r in oracle.output_indicator)
    assert {r["commune_code"] for r in oracle.commune_rank}.isdisjoint({NO_PLAN, ALL_BLANK})
    assert {NO_PLAN, ALL_BLANK} < {r["commune_code"] for r in oracle.disbursement_line}
    assert {y for p, y in {(r["period"], r["budget_year"]) for r in oracle.disbursement_line} if p == "2026-01"} == {
        2025, 2026,
    }  # fmt: skip
    assert "Đã hoàn thành quá hạn" in {t["state"] for t in oracle.task_state(date(2026, 1, 31))}
