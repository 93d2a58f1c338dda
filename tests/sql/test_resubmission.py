"""Resubmission: the latest valid report speaks, late ones wait for an officer, and nobody is overwritten unseen."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from etl import steps
from etl.cli import app
from etl.collect import archive
from etl.collect.report import Report
from etl.errors import UsageError
from etl.load import revision, submission
from etl.load import warehouse as store
from etl.load.warehouse import Connection
from etl.validate.finding import Finding
from tests.builders import OCTOBER, edited, name, workbook
from tests.sql import builders
from tests.sql.conftest import NOW
from tests.sql.test_load import amount, collect, corrected, in_force, put

LINE = "GNBV-DA4-TDA3-SN"
START = datetime(2025, 11, 3, 1, 0, tzinfo=UTC)


# Any order, any number of re-runs ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Arrival:
    """A file of one commune: its content, the sender's clock and version, whether it is valid."""

    content: int
    sent: int
    version: int
    valid: bool

    @property
    def sha256(self) -> str:
        return hashlib.sha256(repr(self.content).encode()).hexdigest()


@dataclass(frozen=True)
class Batch:
    """Files found together, the order in which they are worked through, and how often the step runs again."""

    arrivals: tuple[Arrival, ...]
    again: int
    published: bool
    decisions: tuple[tuple[int, bool], ...]


def arrivals() -> st.SearchStrategy[Arrival]:
    # What a content is, its version and validity belong to the bytes: the same bytes are the same report.
    return st.integers(0, 7).flatmap(
        lambda n: st.builds(Arrival, st.just(n), st.integers(0, 3), st.just(1 + n % 3), st.just(n % 4 != 3))
    )


def batches() -> st.SearchStrategy[list[Batch]]:
    batch = st.builds(
        Batch,
        st.lists(arrivals(), max_size=4).map(tuple),
        st.integers(0, 2),
        st.booleans(),
        st.lists(st.tuples(st.integers(0, 7), st.booleans()), max_size=2).map(tuple),
    )
    return st.lists(batch, min_size=1, max_size=6)


def receive(connection: Connection, arrival: Arrival, now: datetime) -> None:
    at = now - timedelta(minutes=30 - arrival.sent)
    # Copies of one file have names of their own: a delivery is known by inbox, file name and bytes.
    builders.delivered(connection, "folder", f"{arrival.content}-{arrival.sent}.xlsx", arrival.sha256, at, now)


def judge(connection: Connection, arrival: Arrival, now: datetime) -> int | None:
    received = connection.execute(
        "select min(received_at) from raw.delivery where sha256 = %s", (arrival.sha256,)
    ).fetchone()[0]
    report = Report(f"{arrival.content}.xlsx", arrival.sha256, "06463", OCTOBER, 2025, version_no=arrival.version)
    wrong = [] if arrival.valid else [Finding("M08", "error", None, None, None, None, None, "Sai.", "Sửa.")]
    judged = submission.Judged(report, wrong, "accepted" if arrival.valid else "returned", received)
    return submission.load(connection, judged, now)


def speaking(connection: Connection, at: datetime | str = "infinity") -> str | None:
    row = connection.execute("select sha256 from core.in_force(%s) where commune_code = '06463'", (at,)).fetchone()
    return row[0] if row else None


def publish(connection: Connection, now: datetime) -> None:
    connection.execute(
        "insert into release.release values ('2025-10-r1', '2025-10', 2025, 1, '2025-10-31', %s, 'x', 'y', %s) "
        "on conflict do nothing",
        (now, now),
    )
    connection.execute("insert into release.publication values ('2025-10-r1', 'y', %s) on conflict do nothing", (now,))


@pytest.fixture(scope="module")
def bare(warehouse: str) -> Iterator[Connection]:
    """A warehouse in which every example is rolled back."""
    with store.connect(warehouse) as connection:
        yield connection
        connection.rollback()


@hypothesis_settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches(), st.randoms(use_true_random=False))
def test_whatever_the_order_and_however_often_it_runs_the_same_report_speaks(
    bare: Connection, history: list[Batch], chance: Any
) -> None:
    bare.rollback()
    bare.execute("select 1")  # a transaction is open: what the steps commit is only a savepoint of it
    known: dict[str, dict[str, Any]] = {}
    accepted_late: dict[str, datetime] = {}
    published = False
    snapshots: list[tuple[datetime, str | None]] = []
    for number, batch in enumerate(history):
        now = START + timedelta(hours=number)
        for arrival in batch.arrivals:
            receive(bare, arrival, now)
        fresh = {a.sha256: a for a in batch.arrivals if a.sha256 not in known}
        for sha, arrival in fresh.items():
            sent = min(a.sent for a in batch.arrivals if a.sha256 == sha)
            known[sha] = {"batch": number, "sent": sent, "arrival": arrival, "late": published}
        order = list(fresh.values())
        chance.shuffle(order)
        for arrival in order:
            assert judge(bare, arrival, now) is not None
        for _ in range(batch.again):
            again = list(batch.arrivals)
            chance.shuffle(again)
            assert all(judge(bare, a, now + timedelta(minutes=1)) is None for a in again)
            submission.note_replacements(bare, 20)
        for content, accept in batch.decisions:
            sha = Arrival(content, 0, 0, True).sha256
            if sha in known and known[sha]["late"] and known[sha]["arrival"].valid:
                (at,) = bare.execute("select submission_id from raw.submission where sha256 = %s", (sha,)).fetchone()
                moment = now + timedelta(minutes=2)
                new = revision.decide(bare, at, "accepted" if accept else "rejected", "Hoa", "Kiểm tra", moment)["new"]
                if new and accept:
                    accepted_late[sha] = moment
                elif not accept:
                    accepted_late.pop(sha, None)
        if batch.published and not published:
            publish(bare, now + timedelta(minutes=3))
            published = True
        moment = now + timedelta(minutes=5)
        snapshots.append((moment, speaking(bare, moment)))

    def rank(sha: str) -> tuple[Any, ...]:
        entry = known[sha]
        effective = accepted_late.get(sha) or START + timedelta(hours=entry["batch"])
        return effective, entry["batch"] * 60 + entry["sent"], entry["arrival"].version, [-int(c, 16) for c in sha]

    candidates = [s for s, e in known.items() if e["arrival"].valid and (not e["late"] or s in accepted_late)]
    assert speaking(bare) == max(candidates, key=rank, default=None)
    assert [(at, speaking(bare, at)) for at, _ in snapshots] == snapshots
    for at, sha in snapshots:
        ranges = bare.execute(
            "select s.sha256 from raw.submission_in_force as f inner join raw.submission as s using (submission_id) "
            "where f.in_force @> %s::timestamptz", (at,)
        ).fetchall()  # fmt: skip
        assert ranges == ([(sha,)] if sha else [])
    bare.rollback()


# After publication ---------------------------------------------------------------------------------------------------


@pytest.fixture
def published(empty: Path) -> Path:
    """October is out with the report of one commune."""
    put(empty, workbook())
    collect()
    with store.connect() as connection:
        publish(connection, NOW + timedelta(hours=1))
    return empty


LATER = NOW + timedelta(days=2)


def late(home: Path, by: float = 1.0, version: str = "_v2") -> int:
    put(home, corrected(by), name().replace("_v1", version), LATER)
    assert collect(LATER)["accepted"] == 1
    with store.connect() as connection:
        return connection.execute("select max(submission_id) from raw.submission").fetchone()[0]


def test_a_valid_report_after_publication_waits_and_changes_nothing(published: Path) -> None:
    with store.connect() as connection:
        before = amount(connection, LINE)
    number = late(published)
    with store.connect() as connection:
        assert amount(connection, LINE) == before
        assert in_force(connection) == {"06463": name()}
        rows = revision.waiting(connection)
        status = connection.execute(
            "select state, versions, late_revisions_waiting from mart.submission_status "
            "where commune_code = '06463' and period = '2025-10'"
        ).fetchone()
    assert status == ("reported", 2, 1)
    assert [(r["submission"], r["commune"], r["period"]) for r in rows] == [(number, "06463", "2025-10")]
    changes = {(c["form"], c["line"], c["item"]): (c["before"], c["after"]) for c in rows[0]["changes"]}
    assert changes["B01", LINE, "disb_ytd"] == (str(before), str(before + 1_000_000))


def test_an_officer_accepts_and_only_the_current_best_changes_from_then_on(published: Path) -> None:
    number = late(published)
    decided = LATER + timedelta(days=1)
    with store.connect() as connection:
        before = amount(connection, LINE)
    assert steps.revise(number, "accepted", "Lương Văn Đức", "Công văn 12/UBND", decided)["new"]
    with store.connect() as connection:
        assert amount(connection, LINE) == before + 1_000_000
        then = connection.execute(
            "select disb_ytd from mart.disbursement_line_at(%s) where line_code = %s",
            (decided - timedelta(seconds=1), LINE),
        ).fetchone()
        assert int(then[0]) == before
        assert revision.waiting(connection) == []
        audit = connection.execute(
            "select actor, action, subject from audit.event order by seq desc limit 1"
        ).fetchone()
        assert audit == ("Lương Văn Đức", "revision.accepted", str(number))
    assert not steps.revise(number, "accepted", "Lương Văn Đức", "Lần nữa", decided + timedelta(hours=1))["new"]


def test_a_rejected_revision_never_speaks_and_a_second_thought_counts_from_its_own_moment(published: Path) -> None:
    number = late(published)
    at = [LATER + timedelta(days=n) for n in range(4)]
    steps.revise(number, "rejected", "Đức", "Chưa có căn cứ", at[0])
    with store.connect() as connection:
        assert in_force(connection) == {"06463": name()}
    steps.revise(number, "accepted", "Đức", "Đã có công văn", at[1])
    steps.revise(number, "rejected", "Đức", "Công văn bị thu hồi", at[2])
    with store.connect() as connection:
        files = [
            connection.execute("select file_name from core.in_force(%s)", (t + timedelta(seconds=1),)).fetchone()[0]
            for t in at
        ]
    assert files == [name(), name().replace("_v1", "_v2"), name(), name()]


def test_a_decision_needs_a_late_revision_a_name_and_a_reason(published: Path) -> None:
    number = late(published)
    with store.connect() as connection:
        first = connection.execute("select min(submission_id) from raw.submission").fetchone()[0]
        for arguments in (
            (first, "accepted", "Đức", "x"),
            (999, "accepted", "Đức", "x"),
            (number, "accepted", " ", "x"),
            (number, "accepted", "Đức", ""),
            (number, "maybe", "Đức", "x"),
        ):
            with pytest.raises(UsageError):
                revision.decide(connection, *arguments, LATER)
        for statement in ("update raw.revision_decision set reason = 'y'", "delete from core.replacement"):
            with pytest.raises(Exception, match="append-only"):
                connection.execute(statement)
            connection.rollback()


def test_the_commands_list_and_decide(published: Path) -> None:
    number = late(published)
    run = CliRunner().invoke
    listed = run(app, ["revisions", "--period", "2025-10", "--json"])
    assert [r["submission"] for r in json.loads(listed.output)] == [number]
    assert LINE in run(app, ["revisions"]).output
    arguments = ["revise", "--submission", str(number), "--by", "Đức", "--reason", "Công văn 12"]
    assert run(app, arguments).exit_code == 2
    assert run(app, [*arguments, "--accept", "--reject"]).exit_code == 2
    assert run(app, [*arguments, "--accept"]).exit_code == 0
    assert json.loads(run(app, ["revisions", "--json"]).output) == []


def test_an_invalid_report_after_publication_goes_back_and_waits_for_nobody(published: Path) -> None:
    def spoil(book: Any) -> None:
        book["B01-GiaiNgan"]["L14"] = "không"

    put(published, edited(spoil, values=True), name().replace("_v1", "_v2"), LATER)
    assert collect(LATER)["returned"] == 1
    with store.connect() as connection:
        assert revision.waiting(connection) == []
        assert in_force(connection) == {"06463": name()}


# Two offices of one commune ------------------------------------------------------------------------------------------


def differing(rows: range) -> bytes:
    """The same report with other amounts on many lines, consistently."""

    def change(book: Any) -> None:
        sheet = book["B01-GiaiNgan"]
        for row in rows:
            if isinstance(sheet[f"L{row}"].value, int | float) and str(sheet[f"C{row}"].value or "").endswith(
                ("-SN", "-DT")
            ):
                for letter in "LNR":
                    sheet[f"{letter}{row}"] = sheet[f"{letter}{row}"].value + 0.5

    return edited(change)


def contested(connection: Connection) -> tuple[Any, ...]:
    return connection.execute(
        "select contested_versions, contested_lines from mart.submission_status "
        "where commune_code = '06463' and period = '2025-10'"
    ).fetchone()


def test_a_version_that_starts_from_the_one_it_replaces_is_an_ordinary_correction(empty: Path) -> None:
    put(empty, workbook())
    collect()
    put(empty, corrected(), name().replace("_v1", "_v2"), LATER)
    collect(LATER)
    with store.connect() as connection:
        row = connection.execute(
            "select lines_differing, is_elsewhere, is_contested from core.replacement "
            "where replaces_submission_id is not null"
        ).fetchone()
        assert row == (1, False, False)
        assert contested(connection) == (0, 0)


def test_another_first_version_that_differs_widely_is_shown_as_contested(empty: Path) -> None:
    put(empty, workbook())
    collect()
    put(empty, differing(range(14, 60)), name().replace(".xlsx", " ban khac.xlsx"), LATER)
    assert collect(LATER)["accepted"] == 1
    with store.connect() as connection:
        versions, lines = contested(connection)
    assert versions == 1
    assert lines > 3


def test_a_version_from_another_place_is_shown_even_when_one_line_differs(empty: Path) -> None:
    put(empty, workbook())
    collect()
    sha = archive.store(empty / "archive", corrected())
    with store.connect() as connection:
        builders.delivered(connection, "mailbox", name().replace("_v1", "_v2"), sha, LATER, LATER)
    assert steps.process_received(LATER)["accepted"] == 1
    with store.connect() as connection:
        assert contested(connection) == (1, 1)
        assert in_force(connection) == {"06463": name().replace("_v1", "_v2")}


def test_a_difference_is_told_in_the_words_of_the_form() -> None:
    change = {"form": "B01", "line": "GNBV-DA2-SN", "item": "disb_ytd", "before": "54571018", "after": "53571018"}
    told = revision.as_text(change)
    assert told.startswith("Biểu 01, dòng GNBV-DA2-SN, Lũy kế giải ngân")
    assert told.endswith("54,571018 → 53,571018 triệu đồng")
    status = {"form": "B03", "line": "QS-1", "item": "status", "before": None, "after": "Đã hoàn thành"}
    assert revision.as_text(status).endswith(": trống → Đã hoàn thành")
