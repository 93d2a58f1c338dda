"""What was known when: reports, withdrawals, decisions in any order; kept summaries; lists of revisions that add up."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from etl.cli import app
from etl.errors import UsageError
from etl.load import marts, withdrawal
from etl.load import warehouse as db
from etl.load.warehouse import Connection
from etl.period import Period
from etl.publish import pack, release
from tests.builders import workbook
from tests.sql import builders
from tests.sql.builders import TRIEU, line
from tests.sql.test_load import collect, put

START = datetime(2025, 11, 3, 1, 0, tzinfo=UTC)
COMMUNES = ("06517", "05977", "06463")
PERIODS = ("2025-09", "2025-10")
LINES = (("GNBV-DA2", "SN"), ("DTTS-DA4-TDA1", "DT"), ("DTTS-DA4-TDA1", "SN"), ("NTM-ND02", "DT"))


@pytest.fixture(scope="module")
def bare(reference: str) -> Iterator[Connection]:
    """A warehouse with reference data in which every example is rolled back."""
    with builders.copy_of(reference) as connection:
        yield connection


@pytest.fixture
def connection(reference: str) -> Iterator[Connection]:
    with builders.copy_of(reference) as connection:
        yield connection


# Any history ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Event:
    """One thing that happens: a report of some lines, a withdrawal of one of those before, a decision on capital."""

    kind: str
    commune: str
    period: str
    amounts: tuple[int, ...]
    which: int
    refreshed: bool


def events() -> st.SearchStrategy[list[Event]]:
    return st.lists(
        st.builds(
            Event,
            st.sampled_from(["report", "report", "report", "withdraw", "decision"]),
            st.sampled_from(COMMUNES),
            st.sampled_from(PERIODS),
            st.lists(st.integers(0, 10**12), min_size=0, max_size=len(LINES)).map(tuple),
            st.integers(0, 5),
            st.booleans(),
        ),
        min_size=1,
        max_size=9,
    )


@dataclass
class Oracle:
    """The same history in plain Python: reports by number, and what is known at each moment."""

    reports: dict[int, tuple[str, str, dict[str, tuple[int, int]], datetime]] = field(default_factory=dict)
    withdrawn: dict[int, datetime] = field(default_factory=dict)
    decisions: list[tuple[str, str, int, datetime]] = field(default_factory=list)

    def speaking(self, at: datetime) -> dict[tuple[str, str], int]:
        found: dict[tuple[str, str], int] = {}
        for number, (commune, period, _, known) in sorted(self.reports.items(), key=lambda item: item[1][3]):
            if known <= at and not (number in self.withdrawn and self.withdrawn[number] <= at):
                found[commune, period] = number
        return found

    def totals(self, at: datetime) -> dict[tuple[str, str | None], tuple[int, int]]:
        """(period, commune; None: all) -> plan and disbursed. Capital on no line counts in the plan."""
        result: dict[tuple[str, str | None], tuple[int, int]] = {}
        for (commune, period), number in self.speaking(at).items():
            lines = self.reports[number][2]
            given_: dict[str, int] = {}
            for of, code, amount, known in self.decisions:
                if of == commune and known <= at:
                    given_[code] = given_.get(code, 0) + amount
            plan = sum(p for p, _ in lines.values()) + sum(a for c, a in given_.items() if c not in lines)
            paid = sum(d for _, d in lines.values())
            if lines or any(a for c, a in given_.items() if c not in lines):
                for key in ((period, commune), (period, None)):
                    before = result.get(key, (0, 0))
                    result[key] = before[0] + plan, before[1] + paid
        return result


def shown(connection: Connection, at: datetime | str) -> dict[tuple[str, str | None], tuple[int, int]]:
    rows = connection.execute(
        "select period, commune_code, plan_total::bigint, disb_ytd::bigint from mart.disbursement_rate_at(%s) "
        "where slice in ('all', 'commune')",
        (at,),
    )
    return {(period, commune): (plan, paid) for period, commune, plan, paid in rows}


def from_lines(connection: Connection, at: datetime) -> dict[tuple[str, str | None], tuple[int, int]]:
    rows = connection.execute(
        "select period, commune_code, sum(plan_total)::bigint, sum(disb_ytd)::bigint "
        "from mart.disbursement_line_at(%s) group by grouping sets ((period), (period, commune_code))",
        (at,),
    )
    return {(period, commune): (plan, paid) for period, commune, plan, paid in rows}


@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events())
def test_at_every_moment_the_summaries_say_what_was_known_then(bare: Connection, history: list[Event]) -> None:
    bare.rollback()
    oracle = Oracle()
    moments: list[datetime] = []
    for number, event in enumerate(history):
        now = START + timedelta(hours=number)
        if event.kind == "report":
            lines = {
                f"{code}-{kind}": (2 * amount, amount)
                for (code, kind), amount in zip(LINES, event.amounts, strict=False)
            }
            rows = [line(c, k, *lines[f"{c}-{k}"]) for c, k in LINES if f"{c}-{k}" in lines]
            at = builders.report(bare, event.commune, event.period, rows, received_at=now, version=number)
            oracle.reports[at] = (event.commune, event.period, lines, now)
        elif event.kind == "withdraw":
            there = [n for n in oracle.reports if n not in oracle.withdrawn]
            if there:
                chosen = there[event.which % len(there)]
                assert withdrawal.withdraw(bare, chosen, "Hoa", "Gửi nhầm", now)["new"]
                oracle.withdrawn[chosen] = now
        else:
            code, kind = LINES[event.which % len(LINES)]
            amount = 1 + sum(event.amounts)
            bare.execute(
                "insert into ref.allocation values (%s, '2025-01-05', '2025-01-05', 2025, %s, %s, %s, 'NSTW', %s, "
                "null, %s)",
                (f"{number}/QĐ-UBND", event.commune, code, kind, amount, now),
            )
            oracle.decisions.append((event.commune, f"{code}-{kind}", amount, now))
        if event.refreshed:
            marts.refresh(bare)
        moments.append(now + timedelta(minutes=5))
    marts.refresh(bare)
    for moment in moments:
        assert shown(bare, moment) == oracle.totals(moment)
        assert from_lines(bare, moment) == oracle.totals(moment)
    assert shown(bare, "infinity") == oracle.totals(moments[-1])
    # Made anew from nothing they are the same.
    kept = bare.execute(_KEPT).fetchall()
    bare.execute("select core.note_everything()")
    marts.refresh(bare)
    assert bare.execute(_KEPT).fetchall() == kept


_KEPT = """
    select row(s.*)::text from core.disbursement_slice as s
    union all select row(c.*)::text from core.coverage as c
    union all select row(g.*)::text from core.allocation_gap as g
    union all select row(u.*)::text from core.unallocated_line as u
    order by 1
"""


def test_what_was_known_at_a_moment_does_not_change_after_it(connection: Connection) -> None:
    """Every table of the marts that takes a moment says the same of the past whatever comes later."""
    builders.report(
        connection, COMMUNES[0], "2025-10", [line("GNBV-DA2", "SN", 10 * TRIEU, 4 * TRIEU)], received_at=START
    )
    connection.commit()
    then = START + timedelta(hours=1)
    names = [
        name
        for (name,) in connection.execute(
            "select proname from pg_proc where pronamespace = 'mart'::regnamespace and proname like '%\\_at' "
            "and proargtypes = array['timestamptz'::regtype]::oidvector order by proname"
        )
    ]
    assert len(names) > 20

    def known() -> dict[str, list[Any]]:
        return {
            n: sorted(connection.execute(f"select m::text from mart.{n}(%s) as m", (then,)).fetchall()) for n in names
        }

    before = known()
    number = builders.report(
        connection, COMMUNES[0], "2025-10", [line("GNBV-DA2", "SN", 10 * TRIEU, 5 * TRIEU)], version=2,
        received_at=START + timedelta(hours=2),
    )  # fmt: skip
    builders.report(connection, COMMUNES[1], "2025-09", [line("NTM-ND02", "DT", 10 * TRIEU, 5 * TRIEU)],
                    received_at=START + timedelta(hours=3))  # fmt: skip
    withdrawal.withdraw(connection, number, "Hoa", "Gửi nhầm", START + timedelta(hours=4))
    connection.commit()
    assert known() == before


OF_RELEASES = {"release", "release_finding", "published_figure", "revision", "revision_figure", "revision_pending"}
"""They only grow, and say themselves which release a row is of."""


def test_every_mart_is_there_as_best_known_as_known_at_a_moment_and_as_published(connection: Connection) -> None:
    views = {
        name
        for (name,) in connection.execute(
            "select relname from pg_class where relnamespace = 'mart'::regnamespace and relkind = 'v'"
        )
    }
    functions = {
        name
        for (name,) in connection.execute(
            "select proname from pg_proc where pronamespace = 'mart'::regnamespace and proname like '%\\_at' "
            "and proargtypes[0] = 'timestamptz'::regtype and pronargs - pronargdefaults = 1"
        )
    }
    marts = {v for v in views if not v.endswith(("_published", "_history"))}
    assert marts - OF_RELEASES == {f.removesuffix("_at") for f in functions}
    assert {f"{mart}_published" for mart in marts - OF_RELEASES} == {v for v in views if v.endswith("_published")}


# Withdrawn reports ----------------------------------------------------------------------------------------------------


def test_a_withdrawn_report_gives_way_to_the_one_before_and_then_to_none(connection: Connection) -> None:
    first, second = (
        builders.report(
            connection,
            COMMUNES[0],
            "2025-10",
            [line("GNBV-DA2", "SN", 100, paid)],
            version=version,
            received_at=START + timedelta(hours=version),
        )
        for version, paid in ((1, 10), (2, 20))
    )
    connection.commit()

    def paid() -> list[tuple[Any, ...]]:
        return connection.execute("select disb_ytd::bigint from mart.disbursement_line").fetchall()

    def state() -> tuple[Any, ...] | None:
        return connection.execute(
            "select s.state, c.communes_reported, c.communes_missing from mart.submission_status as s "
            "inner join mart.completeness as c on s.period = c.period and s.budget_year = c.budget_year "
            "where s.period = '2025-10' and s.commune_code = %s",
            (COMMUNES[0],),
        ).fetchone()

    assert (paid(), state()) == ([(20,)], ("reported", 1, 64))
    told = withdrawal.withdraw(connection, second, "Hoa", "Gửi nhầm", START + timedelta(hours=5))
    connection.commit()
    assert (told["new"], told["speaks_now"]) == (True, first)
    assert (paid(), state()) == ([(10,)], ("reported", 1, 64))
    told = withdrawal.withdraw(connection, first, "Hoa", "Gửi nhầm", START + timedelta(hours=6))
    connection.commit()
    assert (told["new"], told["speaks_now"]) == (True, None)
    assert (paid(), state()) == ([], ("missing", 0, 65))
    assert not withdrawal.withdraw(connection, first, "Hoa", "Gửi nhầm", START + timedelta(hours=7))["new"]
    with pytest.raises(UsageError, match="đã được Hoa rút với lý do: Gửi nhầm"):
        withdrawal.withdraw(connection, first, "Lan", "Lý do khác", START + timedelta(hours=7))
    assert connection.execute(
        "select actor, subject from audit.event where action = 'submission.withdrawn' order by seq"
    ).fetchall() == [("Hoa", str(second)), ("Hoa", str(first))]


def test_what_was_never_accepted_cannot_be_withdrawn(connection: Connection) -> None:
    returned = builders.submission(connection, COMMUNES[0], "2025-10", verdict="returned")
    with pytest.raises(UsageError, match="chưa được tiếp nhận"):
        withdrawal.withdraw(connection, returned, "Hoa", "Gửi nhầm", START)
    with pytest.raises(UsageError, match="Không có báo cáo số 999"):
        withdrawal.withdraw(connection, 999, "Hoa", "Gửi nhầm", START)
    with pytest.raises(UsageError, match="phải có tên người quyết định"):
        withdrawal.withdraw(connection, returned, " ", "Gửi nhầm", START)


# Lists of revisions ---------------------------------------------------------------------------------------------------

OCTOBER = Period(2025, 10)
ADDITIVE = {
    "plan_total", "plan_assigned", "plan_carry", "disb_period", "disb_ytd", "disb_assigned", "disb_carry",
    "disb_completed", "disb_advance", "undisbursed", "undisbursed_carry",
}  # fmt: skip
_COLUMN = {
    "commune": "commune_code", "programme": "programme_code", "project": "project_code",
    "subproject": "subproject_code", "capital_kind": "capital_kind",
}  # fmt: skip


@pytest.fixture
def light(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is tested are the figures of the releases, not the documents around them."""
    monkeypatch.setattr(pack, "render", lambda figures, *_: {"bao-cao.txt": figures.release_id.encode()})


def published(connection: Connection, out: Path, now: datetime) -> str:
    frozen = release.freeze(connection, OCTOBER, now, out)
    release.approve(connection, frozen["release_id"], frozen["manifest_sha256"], "thu_ky", "approved", now, out)
    release.mark_published(connection, frozen["release_id"], now)
    connection.commit()
    return str(frozen["release_id"])


def test_the_list_of_revisions_adds_up_to_the_difference_of_every_figure(
    connection: Connection, tmp_path: Path, light: None
) -> None:
    chance = random.Random(5)
    now = START

    def lines() -> list[dict[str, Any]]:
        chosen = chance.sample(LINES, chance.randint(1, len(LINES)))
        return [
            line(
                code,
                kind,
                plan := chance.randint(10**9, 10**11),
                chance.randint(0, plan),
                carry=(c := plan // 7),
                disb_carry=chance.randint(0, c),
                month=chance.randint(-(10**8), 10**9),
            )
            for code, kind in chosen
        ]

    numbers: list[int] = []
    for round_ in range(8):
        for commune in COMMUNES:
            if round_ == 0 or chance.random() < 0.4:
                now += timedelta(hours=1)
                numbers.append(
                    builders.report(connection, commune, "2025-10", lines(), version=round_ + 1, received_at=now)
                )
        if round_ > 2 and chance.random() < 0.5:
            now += timedelta(hours=1)
            there = connection.execute("select submission_id from raw.withdrawal").fetchall()
            alive = [n for n in numbers if (n,) not in there]
            if len(alive) > 2:
                withdrawal.withdraw(connection, chance.choice(alive), "Hoa", "Gửi nhầm kỳ", now)
        if chance.random() < 0.5:
            now += timedelta(hours=1)
            connection.execute(
                "insert into ref.allocation values (%s, '2025-01-05', '2025-01-05', 2025, %s, 'GNBV-DA7-TDA1', 'SN', "
                "'NSTW', %s, null, %s)",
                (f"{round_}/QĐ-UBND", chance.choice(COMMUNES), chance.randint(1, 10**9), now),
            )
        connection.commit()
        now += timedelta(hours=1)
        published(connection, tmp_path, now)
    pairs = connection.execute(
        "select release_id, previous_release_id from mart.revision_figure group by 1, 2 order by 1"
    ).fetchall()
    assert len(pairs) >= 5
    checked = 0
    for new, old in pairs:
        revised = connection.execute("select * from mart.revision where release_id = %s and form = 'B01'", (new,))
        names = [column.name for column in revised.description or ()]
        rows = [dict(zip(names, row, strict=True)) for row in revised]
        assert {row["previous_release_id"] for row in rows} == {old}
        sides = {
            side: {
                (metric, tuple(sorted(dims.items()))): value or Decimal(0)
                for metric, dims, value in connection.execute(
                    "select metric, dims, value from release.figure where release_id = %s and unit = 'vnd' "
                    "and source = 'mart.disbursement_rate'",
                    (side,),
                )
            }
            for side in (old, new)
        }
        for metric, dims in sides[old] | sides[new]:
            if metric not in ADDITIVE or set(dict(dims)) - set(_COLUMN):
                continue
            wanted = {_COLUMN[name]: value for name, value in dims}
            listed = sum(
                row["difference"]
                for row in rows
                if row["metric"] == metric and all(row[c] == v for c, v in wanted.items())
            )
            key = (metric, dims)
            assert listed == sides[new].get(key, 0) - sides[old].get(key, 0), (new, key)
            checked += 1
    assert checked > 500
    causes = {cause for (cause,) in connection.execute("select distinct cause from mart.revision")}
    assert causes >= {"resubmission", "withdrawn", "allocation"}
    assert connection.execute(
        "select count(*) from mart.revision where cause = 'withdrawn' and reason = 'Gửi nhầm kỳ' and decided_by = 'Hoa'"
    ).fetchone() > (0,)
    # Nothing has come since: nothing is pending.
    assert connection.execute("select count(*) from mart.revision_pending").fetchone() == (0,)


def test_each_release_is_shown_as_it_was_published(connection: Connection, tmp_path: Path, light: None) -> None:
    now = START
    kept: dict[str, list[Any]] = {}
    for version in range(1, 5):
        for commune in COMMUNES:
            now += timedelta(hours=1)
            builders.report(
                connection, commune, "2025-10", [line("GNBV-DA2", "SN", 10**9, version * 10**7 + int(commune))],
                version=version, received_at=now,
            )  # fmt: skip
        connection.commit()
        now += timedelta(hours=1)
        id = published(connection, tmp_path, now)
        kept[id] = connection.execute(
            "select slice, commune_code, disb_ytd, rate_total from mart.disbursement_rate "
            "where period = '2025-10' and slice in ('all', 'commune') order by 1, 2"
        ).fetchall()
    for id, rows in kept.items():
        assert (
            connection.execute(
                "select slice, commune_code, disb_ytd, rate_total from mart.disbursement_rate_published "
                "where release_id = %s and slice in ('all', 'commune') order by 1, 2",
                (id,),
            ).fetchall()
            == rows
        )
        total = next(row for row in rows if row[0] == "all")
        assert connection.execute(
            "select value from mart.published_figure where release_id = %s and metric = 'rate_total' and dims = '{}'",
            (id,),
        ).fetchone() == (total[3],)


# The command ----------------------------------------------------------------------------------------------------------


def test_the_command_says_what_speaks_now(empty: Path) -> None:
    put(empty, workbook())
    collect()
    with db.connect() as connection:
        (number,) = connection.execute("select submission_id from mart.submission").fetchone() or (None,)
    told = CliRunner().invoke(app, ["withdraw", "--submission", str(number), "--by", "Hoa", "--reason", "Gửi nhầm"])
    assert told.exit_code == 0, told.output
    assert "đã rút" in told.output
    assert "chưa có báo cáo nào" in told.output
    refused = CliRunner().invoke(app, ["withdraw", "--submission", "99", "--by", "Hoa", "--reason", "Gửi nhầm"])
    assert refused.exit_code == 2
