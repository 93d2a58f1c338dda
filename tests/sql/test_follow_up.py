"""Reminders: whom the ladder reaches, at most once, over a year of days with kills; through a real mail server."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner

from etl import follow_up, settings, steps
from etl.cli import app
from etl.errors import DeliveryError
from etl.load import warehouse
from etl.load.warehouse import Connection
from etl.publish import deliver
from etl.publish.deliver import Outbox, Recipient, Smtp
from tests.sql import builders
from tests.unit.test_deliver import Handler, started

OFFICE_TASK, FINANCE = "QS-2025-10-6.4", "QS-2025-10-6.1"
BY = "thử"


def moment(day: date) -> datetime:
    return datetime.combine(day, time(0, 30), UTC)


@dataclass
class Post:
    """A way out that keeps what it took; ``refused`` addresses are turned away, ``breaks`` die half-way."""

    name: str = "outbox"
    taken: list[tuple[str, EmailMessage]] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    breaks: set[str] = field(default_factory=set)

    def ready(self) -> None: ...

    def send(self, message: EmailMessage, recipient: Recipient) -> None:
        if recipient.code in self.refused:
            raise deliver.RefusedError("550 hop thu khong ton tai")
        if recipient.code in self.breaks:
            raise deliver.AmbiguousError("mất kết nối")
        self.taken.append((recipient.code, message))

    def close(self) -> None: ...

    def text_for(self, code: str) -> str:
        return "\n".join(m.get_content() for c, m in self.taken if c == code)


@pytest.fixture
def own(reference: str) -> Iterator[Connection]:
    with builders.copy_of(reference) as connection:
        yield connection


def run(connection: Connection, day: str, post: deliver.Channel, **more: Any) -> dict[str, Any]:
    on = date.fromisoformat(day)
    return follow_up.run(
        connection, on, moment(on), builders.province(), settings.get(), post, **more
    ).as_dict()  # fmt: skip


def sent(result: dict[str, Any]) -> dict[str, set[tuple[str, str, int]]]:
    return {
        d["recipient"]: {(m["event_kind"], m["subject"], m["step"]) for m in d["matters"]} for d in result["digests"]
    }


def event(connection: Connection, task: str, kind: str, day: str, until: str | None = None) -> None:
    connection.execute(
        "insert into core.task_event (task_id, kind, event_date, new_due_date, document, recorded_by, recorded_at) "
        "values (%s, %s, %s, %s, 'văn bản', %s, %s)",
        (task, kind, day, until, BY, moment(date.fromisoformat(day)) - timedelta(hours=1)),
    )
    connection.commit()


# The ladder -----------------------------------------------------------------------------------------------------------


def test_the_owner_is_told_five_working_days_before_and_once(own: Connection) -> None:
    post = Post()
    assert "VPUBND" not in sent(run(own, "2025-10-10", post))
    assert sent(run(own, "2025-10-13", post))["VPUBND"] == {("due_soon", OFFICE_TASK, 1)}
    assert "VPUBND" not in sent(run(own, "2025-10-14", post))
    assert "Thời hạn: 20/10/2025." in post.text_for("VPUBND")


def test_the_ladder_goes_from_the_owner_to_the_office_to_the_standing_member(own: Connection) -> None:
    post = Post()
    for day in ("2025-10-24", "2025-10-31"):
        run(own, day, post)
    first = sent(run(own, "2025-11-03", post))
    assert first["STC"] >= {("overdue", FINANCE, 1)}
    assert not any(("overdue", FINANCE, 1) in told for who, told in first.items() if who != "STC")
    fifth = sent(run(own, "2025-11-07", post))
    assert ("overdue", FINANCE, 2) in fifth["STC"] & fifth["VPUBND"]
    tenth = sent(run(own, "2025-11-14", post))
    assert ("overdue", FINANCE, 3) in tenth["PTB"] & tenth["STC"]
    assert "Gửi để theo dõi, đôn đốc" in post.text_for("PTB")
    assert "đã được báo lên cấp theo dõi" in post.text_for("STC")


def test_who_is_late_to_look_hears_the_highest_rung_only(own: Connection) -> None:
    told = sent(run(own, "2025-12-01", Post()))
    assert {m for m in told["STC"] if m[1] == FINANCE} == {("overdue", FINANCE, 3)}
    assert "STC" not in sent(run(own, "2025-12-02", Post()))


def test_a_new_deadline_is_a_new_matter(own: Connection) -> None:
    post = Post()
    run(own, "2025-10-21", post)
    event(own, OFFICE_TASK, "extended", "2025-10-22", "2025-11-14")
    assert "VPUBND" not in sent(run(own, "2025-10-22", post))
    assert ("due_soon", OFFICE_TASK, 1) in sent(run(own, "2025-11-10", post))["VPUBND"]
    assert ("overdue", OFFICE_TASK, 1) in sent(run(own, "2025-11-17", post))["VPUBND"]


def test_what_is_done_is_no_longer_followed_up(own: Connection) -> None:
    event(own, OFFICE_TASK, "done", "2025-10-21")
    found = run(own, "2025-10-22", Post())
    assert not any(OFFICE_TASK in subject for told in sent(found).values() for _, subject, _ in told)


def test_nothing_goes_out_on_a_day_off_and_something_does_on_a_make_up_day(own: Connection) -> None:
    assert run(own, "2026-02-18", Post()) == {
        "day": "2026-02-18", "is_working_day": False, "sent": 0, "failed": 0, "digests": [], "no_address": [],
        "unknown": [],
    }  # fmt: skip
    assert run(own, "2026-01-03", Post())["is_working_day"] is False
    assert run(own, "2026-01-10", Post())["sent"] > 0


def test_a_period_of_a_recurring_task_is_followed_up_by_itself(own: Connection) -> None:
    told = sent(run(own, "2025-11-03", Post()))["06517"]
    assert ("overdue", "QS-2025-10-5.c 2025-10", 1) in told


# Monthly reports ------------------------------------------------------------------------------------------------------


def test_only_communes_that_did_not_answer_are_reminded_of_the_report(own: Connection) -> None:
    for code in builders.province().communes:
        if code not in ("05977", "05983", "05986"):
            builders.submission(own, code, "2025-10", received_at=datetime(2025, 11, 6, 3, tzinfo=UTC))
    builders.submission(own, "05983", "2025-10", verdict="returned", received_at=datetime(2025, 11, 6, 3, tzinfo=UTC))
    own.execute(
        "insert into core.nothing_declared values ('UBND phường Tam Thanh', '2025-10', '5/BC', %s, %s)",
        (BY, datetime(2025, 11, 6, tzinfo=UTC)),
    )
    own.commit()
    before, after = sent(run(own, "2025-11-07", Post())), sent(run(own, "2025-11-10", Post()))
    assert not any("2025-10 2025" in subject for told in before.values() for _, subject, _ in told)
    found = {(who, m) for who, told in after.items() for m in told if m[0].endswith("_report")}
    assert found == {
        ("05977", ("missing_report", "05977 2025-10 2025", 1)),
        ("05983", ("returned_report", "05983 2025-10 2025", 1)),
    }
    third = sent(run(own, "2025-11-12", Post()))
    assert ("missing_report", "05977 2025-10 2025", 2) in third["STC"]
    assert not any(m[0] == "missing_report" for told in sent(run(own, "2025-12-01", Post())).values() for m in told)


# Addresses and the ledger ---------------------------------------------------------------------------------------------


def test_a_missing_address_is_told_and_the_office_hears_instead(own: Connection) -> None:
    own.execute("update ref.contact set email = null where contact_code = 'STC'")
    own.commit()
    post = Post()
    found = run(own, "2025-11-03", post)
    assert [who["name"] for who in found["no_address"]] == ["Sở Tài chính"]
    assert ("overdue", FINANCE, 1) in sent(found)["VPUBND"]
    assert "Chưa có địa chỉ của Sở Tài chính" in post.text_for("VPUBND")
    with pytest.raises(DeliveryError, match="Sở Tài chính: chưa có địa chỉ"):
        steps.require_told(found)


def test_a_refused_digest_comes_again_on_the_next_working_day_and_not_before(own: Connection) -> None:
    post = Post(refused={"VPUBND"})
    assert run(own, "2025-10-21", post)["failed"] == 1
    post.refused.clear()
    assert "VPUBND" not in sent(run(own, "2025-10-21", post))
    assert ("overdue", OFFICE_TASK, 1) in sent(run(own, "2025-10-22", post))["VPUBND"]


def test_what_nobody_knows_to_have_arrived_is_shown_and_never_sent_again(own: Connection) -> None:
    post = Post(breaks={"VPUBND"})
    found = run(own, "2025-10-21", post)
    (unknown,) = found["unknown"]
    assert (unknown["recipient"], unknown["day"]) == ("VPUBND", "2025-10-21")
    assert f"overdue {OFFICE_TASK}" in unknown["matters"]
    post.breaks.clear()
    assert "VPUBND" not in sent(run(own, "2025-10-22", post))
    assert ("overdue", OFFICE_TASK, 2) in sent(run(own, "2025-10-27", post))["VPUBND"]


def test_one_digest_a_day_whatever_the_channel(own: Connection) -> None:
    assert run(own, "2025-10-21", Post())["sent"] > 0
    assert run(own, "2025-10-21", Post(name="smtp"))["digests"] == []
    with pytest.raises(psycopg.errors.UniqueViolation):
        own.execute(
            "insert into core.follow_up_digest (day, recipient, channel, state, claimed_at) "
            "values ('2025-10-21', 'VPUBND', 'smtp', 'claimed', now())"
        )


def test_a_dry_run_writes_and_sends_nothing(own: Connection) -> None:
    post = Post()
    found = run(own, "2025-10-21", post, dry_run=True)
    assert "Kính gửi: Văn phòng UBND tỉnh" in next(d["text"] for d in found["digests"] if d["recipient"] == "VPUBND")
    assert post.taken == []
    assert own.execute("select count(*) from core.follow_up_digest").fetchone() == (0,)


def test_the_command_writes_into_the_outbox_and_says_who_could_not_be_told(empty: Path) -> None:
    first = CliRunner().invoke(app, ["follow-up", "--as-of", "2025-10-21"])
    assert (first.exit_code, "Văn phòng UBND tỉnh" in first.stdout) == (0, True)
    mail = message_from_bytes(
        (empty / "outbox" / "don-doc-2025-10-21_VPUBND.eml").read_bytes(), policy=policy.default
    )  # fmt: skip
    assert "1 nhiệm vụ quá hạn" in str(mail["Subject"])
    assert "I. NHIỆM VỤ QUÁ HẠN" in mail.get_content()
    with warehouse.transaction() as connection:
        connection.execute("update ref.contact set active = false where contact_code = 'STC'")
    assert CliRunner().invoke(app, ["follow-up", "--as-of", "2025-11-03"]).exit_code == 1


# A year ---------------------------------------------------------------------------------------------------------------

FIRST, LAST = date(2025, 11, 3), date(2026, 11, 2)
OWNERS = ("STC", "SNV", "SXD", "SYT", "VPUBND", "05977", "06517", "06004")


@dataclass
class DiesAt:
    """Ends the process at the n-th place where something was just done, as a kill would."""

    inner: deliver.Channel
    left: int
    name: str = "smtp"

    def _step(self) -> None:
        self.left -= 1
        if self.left < 0:
            os._exit(9)

    def ready(self) -> None:
        self._step()
        self.inner.ready()

    def send(self, message: EmailMessage, recipient: Recipient) -> None:
        self._step()
        self.inner.send(message, recipient)
        self._step()

    def close(self) -> None:
        self.inner.close()


@contextmanager
def a_year(address: str) -> Iterator[None]:
    """Seventy tasks with events over the year, a monthly report of most communes, some late, some never."""
    chance = random.Random(6)
    names = dict(builders.province().agencies)
    names |= {c.code: f"UBND {c.kind} {c.short_name_vi}" for c in builders.province().communes.values()}
    with warehouse.connect(address) as connection:
        connection.execute(
            "insert into core.directive (directive_id, doc_no, doc_date, issuer_vi, title_vi) "
            "values ('NAM', '1/TB-VP', '2025-10-20', 'Văn phòng UBND tỉnh', 'Một năm')"
        )
        for number in range(70):
            due = FIRST + timedelta(chance.randrange(0, 350))
            recurring = number % 14 == 13
            connection.execute(
                "insert into core.task (task_id, directive_id, item, lead_vi, lead_text_vi, coordinating_vi, "
                "content_vi, due_date, due_kind, recurrence, kind, registered_at) "
                "values (%s, 'NAM', %s, %s, '', '{}', %s, %s, %s, %s, 'department', %s)",
                (
                    f"NAM-{number:03d}", str(number), names[chance.choice(OWNERS)], f"việc số {number}",
                    None if recurring else due, "recurring" if recurring else "date",
                    "quarterly" if recurring else None, moment(date(2025, 10, 20)),
                ),
            )  # fmt: skip
            day = due + timedelta(chance.randrange(-20, 40))
            if number % 3 == 0 and not recurring:
                event(connection, f"NAM-{number:03d}", "extended", str(due - timedelta(3)), str(due + timedelta(15)))
            if number % 2 == 0 and not recurring:
                event(connection, f"NAM-{number:03d}", "done", str(max(day, date(2025, 10, 21))))
        for window in builders.province().windows.values():
            if window.due_on <= FIRST or window.due_on > LAST:
                continue
            for code in OWNERS[5:]:
                received = moment(window.due_on + timedelta(chance.choice((-1, -1, 0, 2, 4, 300))))
                period = (str(window.period), window.budget_year)
                if received < moment(LAST):
                    builders.submission(connection, code, period[0], budget_year=period[1], received_at=received)
        # The other communes always report: three are enough to see what happens to those who do not.
        connection.execute(
            "insert into core.nothing_declared "
            "select 'UBND ' || c.kind || ' ' || c.short_name_vi, w.period, 'công văn', 'thử', '2025-10-01' "
            "from ref.commune as c cross join (select distinct period from ref.reporting_calendar) as w "
            "where c.commune_code <> all(%s) on conflict do nothing",
            (list(OWNERS[5:]),),
        )
        connection.execute("update ref.contact set email = null where contact_code = 'SYT'")
    yield


def killed(address: str, day: date, url: str, place: int) -> None:
    """A run in a process of its own that ends at some place."""
    child = os.fork()
    if child == 0:
        try:
            with psycopg.connect(address, options="-c timezone=UTC") as connection:
                channel = DiesAt(Smtp(url), place)
                follow_up.run(connection, day, moment(day), builders.province(), settings.get(), channel)
        finally:
            os._exit(0)
    os.waitpid(child, 0)


def test_a_year_of_days_with_kills_tells_everybody_once_and_forgets_nothing(reference: str) -> None:
    chance = random.Random(66)
    handler = Handler()
    controller, port = started(handler)
    url = f"smtp://127.0.0.1:{port}"
    overdue: set[str] = set()
    kills = 0
    try:
        with builders.copy_of(reference) as connection:
            address = connection.info.dsn
            with a_year(address):
                day = FIRST
                while day <= LAST:
                    working = builders.province().is_working_day(day)
                    if working and chance.random() < 0.3:
                        kills += 1
                        killed(address, day, url, chance.randrange(0, 7))
                    handler.refused = {"so-xay-dung@langson.example.invalid"} if day.day in (10, 11) else set()
                    for _ in range(2 if chance.random() < 0.2 else 1):
                        result = follow_up.run(
                            connection, day, moment(day), builders.province(), settings.get(), Smtp(url)
                        )
                    if working:
                        rows = connection.execute(
                            "select concat_ws(' ', task_id, nullif(instance, '')) "
                            "from mart.task_overdue(%(day)s, %(now)s) "
                            "where ref.working_days_between(due_date, %(day)s) > 0",
                            {"day": day, "now": moment(day)},
                        )
                        overdue |= {subject for (subject,) in rows}
                        connection.commit()
                    day += timedelta(1)
            told = connection.execute(
                "select i.recipient, c.email, i.day, i.event_kind, i.subject, i.due_date, i.step, d.state "
                "from core.follow_up_item as i inner join core.follow_up_digest as d using (day, recipient, channel) "
                "inner join ref.contact as c on i.recipient = c.contact_code"
            ).fetchall()
            reports = connection.execute(
                "select commune_code, period, budget_year, received_at from raw.submission"
            ).fetchall()
    finally:
        controller.stop()

    mails = [
        (envelope.rcpt_tos[0], message_from_bytes(envelope.content, policy=policy.default))
        for envelope in handler.accepted
    ]
    arrived = {
        (to, mail["Message-ID"].partition(".")[0].removeprefix("<don-doc-")): mail.get_content() for to, mail in mails
    }
    assert kills > 40
    assert len(arrived) == len(mails) > 150, "two digests of a day to one recipient"
    events = Counter((row[0], *row[3:7]) for row in told if (row[1], str(row[2])) in arrived)
    assert max(events.values()) == 1, "two notices of one event"
    for _, email, on, kind, subject, *_ in told:
        text = arrived.get((email, str(on)), "")
        if text and not kind.endswith("_report"):
            assert f"Mã nhiệm vụ: {subject}." in text
    mentioned = {subject for (_, email, on, _, subject, *_) in told if (email, str(on)) in arrived}
    lost = {row[4] for row in told if row[7] == "claimed"}
    assert len(overdue) > 40
    assert overdue <= mentioned | lost
    assert overdue - mentioned <= {m.split(" ", 1)[1] for one in result.unknown for m in one["matters"]}
    answered = {(c, f"{c} {p} {y}"): at for c, p, y, at in reports}
    for _, _, on, kind, subject, *_ in told:
        if kind == "missing_report":
            assert answered.get((subject[:5], subject), moment(LAST)) > moment(on)


def test_the_outbox_has_one_file_for_each_recipient_and_day(own: Connection, tmp_path: Path) -> None:
    run(own, "2025-10-21", Outbox(tmp_path))
    assert [path.name for path in tmp_path.glob("*VPUBND*")] == ["don-doc-2025-10-21_VPUBND.eml"]
