"""Killed anywhere between the freeze and the last mail, and run again: one release, one send per recipient at most."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import traceback
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest

from etl import settings, steps
from etl.load import warehouse as db
from etl.load.warehouse import Connection
from etl.publish import checks, deliver, evidence, frozen, pack, publication
from etl.publish import figures as figure_rows
from etl.publish.deliver import Outbox, Recipient, Smtp, Store
from etl.publish.figure import Figure
from tests import databases
from tests.sql import builders
from tests.sql.builders import TRIEU, line
from tests.sql.conftest import point
from tests.sql.test_release import NOW, OCTOBER, QUAN_SON
from tests.unit.test_deliver import Handler, started

R1 = "2025-10-r1"
APPROVED = NOW + timedelta(hours=1)
RECIPIENTS = (
    Recipient("truong_ban", "Trưởng Ban Chỉ đạo", "truong-ban@bcd.example.invalid", "", files=("tom-tat",)),
    Recipient("06517", "UBND xã Quan Sơn", "ubnd-06517@x.example.invalid", "", "commune", files=("thu",)),
    Recipient("nhom", "Nhóm tin nhắn", "nhom@bcd.example.invalid", "", "committee", "outbox", ("tin-nhan",)),
    Recipient("kho", "Kho lưu trữ", "", "", "archive", "store", ("*",)),
)
MAILED = {one.email for one in RECIPIENTS if one.channel == "smtp"}


def render(figures: Any, documents: object = None, evidence: object = None) -> dict[str, bytes]:
    text = f"{figures.get('rate_total').value} {figures.release_id} {figures.known_at.isoformat()}"
    return {
        "tom-tat-2025-10.pdf": f"tóm tắt {text}".encode(),
        "tin-nhan-2025-10.txt": f"tin nhắn {text}".encode(),
        f"thu/{QUAN_SON}.pdf": f"thư {text}".encode(),
    }


@pytest.fixture(scope="module")
def reference(warehouse: str) -> str:
    with db.connect(warehouse) as connection:
        builders.reference_data(connection)
        builders.report(connection, QUAN_SON, "2025-10", [line("GNBV-DA2", "SN", 1000 * TRIEU, 250 * TRIEU)])
    return warehouse


@pytest.fixture(scope="module")
def figures(reference: str) -> Sequence[Figure]:
    with db.connect(reference) as connection:
        found = checks.of_figures(connection, OCTOBER, 2025, NOW)
        return [*figure_rows.compute(connection, OCTOBER, 2025, NOW, found)]


@pytest.fixture(autouse=True)
def stand_ins(monkeypatch: pytest.MonkeyPatch, figures: Sequence[Figure]) -> Iterator[None]:
    """What only reads is not done again and again; everything that writes, commits or sends is the real thing."""
    monkeypatch.setattr(pack, "render", render)
    monkeypatch.setattr(
        pack, "build", lambda _: SimpleNamespace(page=None, full=None, extra=SimpleNamespace(charts=list))
    )
    monkeypatch.setattr(checks, "of_figures", lambda *_: [])
    monkeypatch.setattr(checks, "of_documents", lambda *_: [])
    monkeypatch.setattr(figure_rows, "compute", lambda *_: figures)
    monkeypatch.setattr(evidence, "load", lambda *_: {})
    for step in ("build", "renew"):  # only reads the warehouse; its files have tests of their own
        monkeypatch.setattr(publication.archive, step, lambda *_: None)
    monkeypatch.setattr(deliver, "active_recipients", lambda _: list(RECIPIENTS))
    yield
    monkeypatch.undo()
    settings.reload()


@pytest.fixture
def post() -> Iterator[tuple[Handler, str]]:
    handler = Handler()
    controller, port = started(handler)
    yield handler, f"smtp://127.0.0.1:{port}"
    controller.stop()


def freeze(_: str) -> None:
    steps.freeze("2025-10", NOW, by="Trần Thị Bình")


def approve(_: str) -> None:
    with db.connect() as connection:
        manifest = frozen.get(connection, R1).manifest_sha256
    steps.approve(R1, manifest, "thu_ky", "approved", APPROVED)


def publish(url: str) -> None:
    steps.publish(R1, APPROVED, url)


WORK = (freeze, approve, publish)
"""From the facts to the last mail, as the tasks of the DAG and the approver do it."""


def month(url: str, first: int = 0) -> None:
    for work in WORK[first:]:
        work(url)


def dying_at(number: int, patch: pytest.MonkeyPatch) -> None:
    """End this process at the n-th place before or after something was made to last: a commit, a file, a mail."""
    left = [number]

    def step() -> None:
        left[0] -= 1
        if left[0] < 0:
            os._exit(9)

    def around(owner: Any, name: str) -> None:
        real: Callable[..., Any] = getattr(owner, name)

        def wrapped(*arguments: Any, **options: Any) -> Any:
            step()
            answer = real(*arguments, **options)
            step()
            return answer

        patch.setattr(owner, name, wrapped)

    around(psycopg.Connection, "commit")
    around(frozen.shutil, "rmtree")
    around(Path, "rename")
    around(Smtp, "send")
    around(Outbox, "send")
    around(Store, "_put")


def in_a_process(work: Callable[[], None]) -> int:
    """Its exit code: 0 done, 9 killed on the way, 1 for an error."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        except Exception:
            traceback.print_exc()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def killed(url: str, place: int, work: Callable[[str], None] = month) -> int:
    def run() -> None:
        dying_at(place, pytest.MonkeyPatch())
        work(url)

    return in_a_process(run)


def check(connection: Connection, home: Path, handler: Handler) -> None:
    """One release, whole and published once; nobody has two mails, and who has none is shown as unknown."""

    def rows(query: str) -> list[Any]:
        return connection.execute(query.encode()).fetchall()

    assert rows("select release_id from release.release") == [("2025-10-r1",)]
    assert rows("select release_id, decision, round, login from release.approval") == [
        ("2025-10-r1", "approved", 1, "thu_ky")
    ]
    assert len(rows("select 1 from release.publication")) == 1
    frozen_as = dict(rows("select name, sha256 from release.artifact"))
    assert frozen.on_disk(home / "out" / "2025-10" / "2025-10-r1") == frozen_as
    assert dict(rows("select name, sha256 from release.approval_file")) == frozen_as
    states = dict(rows("select recipient, state from release.delivery"))
    assert set(states) == {one.code for one in RECIPIENTS}
    arrived = [envelope.rcpt_tos[0] for envelope in handler.accepted]
    assert len(arrived) == len(set(arrived)), "two mails to one recipient"
    for one in RECIPIENTS:
        came = one.email in arrived or any((home / "outbox").glob(f"*{one.code}*.eml"))
        if one.channel == "store":
            stored = home / "store" / "2025-10-r1"
            assert states[one.code] == "sent"
            assert {name: hashlib.sha256((stored / name).read_bytes()).hexdigest() for name in frozen_as} == frozen_as
        else:
            assert states[one.code] == "sent" if states[one.code] != "claimed" else True
            assert came or states[one.code] == "claimed"
    assert (
        rows(
            "select seq from audit.event as e where hash <> "
            "audit.event_hash(seq, at, actor, action, subject, detail, previous_hash)"
        )
        == []
    )
    actions = [action for (action,) in rows("select action from audit.event order by seq")]
    assert actions == ["release.freeze", "release.approved", "release.publish"]


@pytest.mark.slow
@pytest.mark.parametrize(("number", "places"), [(0, 12), (1, 3), (2, 24)], ids=["freeze", "approve", "publish"])
def test_killed_at_every_place_and_run_again(
    reference: str, tmp_path: Path, post: tuple[Handler, str], number: int, places: int
) -> None:
    """Each place with a warehouse of its own, in which all that comes before has been done."""
    handler, url = post
    before = tmp_path / "before"
    place, unknown, code = 0, 0, 9
    with databases.copy_of(reference) as address, pytest.MonkeyPatch.context() as patch:
        point(patch, address, before)
        before.mkdir()
        for work in WORK[:number]:
            assert in_a_process(lambda work=work: work(url)) == 0
        while code == 9:
            home = tmp_path / str(place)
            shutil.copytree(before, home)
            handler.accepted.clear()
            with builders.copy_of(address) as connection, pytest.MonkeyPatch.context() as inner:
                point(inner, connection.info.dsn, home)
                connection.commit()
                code = killed(url, place, WORK[number])
                assert code in (0, 9)
                assert in_a_process(lambda: month(url, number)) == 0
                check(connection, home, handler)
                waiting = connection.execute("select count(*) from release.delivery where state = 'claimed'")
                unknown += waiting.fetchone() != (0,)
                connection.rollback()
            place += 1
    assert place > places, "places at which the process was killed"
    # Killed between claim and outcome: before the mail and after it, of the three that may not be repeated.
    assert unknown >= (6 if WORK[number] is publish else 0)


@pytest.mark.slow
def test_killed_again_and_again(reference: str, tmp_path: Path, post: tuple[Handler, str]) -> None:
    handler, url = post
    for seed in range(2):
        chance = random.Random(seed)
        handler.accepted.clear()
        with builders.copy_of(reference) as connection, pytest.MonkeyPatch.context() as patch:
            point(patch, connection.info.dsn, tmp_path / str(seed))
            connection.commit()
            while killed(url, chance.randrange(0, 40)) == 9:
                pass
            check(connection, tmp_path / str(seed), handler)
            connection.rollback()
