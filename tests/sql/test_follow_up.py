"""Reminders: whom the ladder reaches, at most once, over a year of days with kills; through a real mail server."""

from __future__ import annotations

import os
import random
from collections import Counter, defaultdict
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

from etl import follow_up, settings, task_steps
from etl.cli import app
from etl.errors import DeliveryError, UsageError
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
    assert "Thời hạn: 20/10/2025, còn 5 ngày làm việc." in post.text_for("VPUBND")


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


def test_a_task_that_was_reopened_is_told_again_from_the_lowest_rung(own: Connection) -> None:
    post = Post()
    for day in ("2025-10-21", "2025-10-27", "2025-11-03"):
        run(own, day, post)
    event(own, OFFICE_TASK, "done", "2025-11-04")
    event(own, OFFICE_TASK, "reopened", "2025-11-12")
    assert not any(OFFICE_TASK in m[1] for told in sent(run(own, "2025-11-12", post)).values() for m in told)
    told = sent(run(own, "2025-11-13", post))
    assert ("overdue", OFFICE_TASK, 1) in told["VPUBND"]
    assert not any(m[1] == OFFICE_TASK for m in told.get("PTB", ()))
    assert "mở lại ngày 12/11/2025" in post.text_for("VPUBND")
    assert ("overdue", OFFICE_TASK, 3) in sent(run(own, "2025-11-26", post))["PTB"]


def test_a_deadline_that_was_taken_back_is_told_again(own: Connection) -> None:
    post = Post()
    run(own, "2025-11-03", post)
    event(own, OFFICE_TASK, "extended", "2025-11-04", "2025-12-31")
    assert not any(OFFICE_TASK in m[1] for told in sent(run(own, "2025-11-05", post)).values() for m in told)
    own.execute(
        "insert into core.task_event (task_id, kind, event_date, new_due_date, document, recorded_by, recorded_at) "
        "values (%s, 'extended', '2025-11-06', '2025-10-20', 'thu hồi', %s, %s)",
        (OFFICE_TASK, BY, moment(date(2025, 11, 6))),
    )
    own.commit()
    assert ("overdue", OFFICE_TASK, 3) in sent(run(own, "2025-11-07", post))["VPUBND"]


def test_the_first_days_of_a_month_are_told_before_the_month_begins(own: Connection) -> None:
    own.execute("insert into core.directive (directive_id, doc_date, issuer_vi, title_vi) "
                "values ('T', '2025-10-01', 'UBND tỉnh', 'Thử')")  # fmt: skip
    own.execute(
        "insert into core.task (task_id, directive_id, item, lead_vi, lead_text_vi, coordinating_vi, content_vi, "
        "due_kind, recurrence, kind, registered_at, due_day) "
        "values ('T-1', 'T', '1', 'Sở Nội vụ', '', '{}', 'báo cáo', 'recurring', 'monthly', 'department', %s, 3)",
        (moment(date(2025, 10, 1)),),
    )
    post = Post()
    assert ("due_soon", "T-1 2025-11", 1) in sent(run(own, "2025-10-27", post))["SNV"]
    assert "(kỳ tháng 11/2025)" in post.text_for("SNV")


def test_a_task_of_a_commune_that_became_part_of_another_goes_to_that_one(own: Connection) -> None:
    own.execute(
        "select set_config('tiendo.known_at', '2025-10-20T00:00:00Z', true);"
        "update ref.unit set valid_to = '2025-10-31' where commune_code in ('06517', '06004') and valid_to is null;"
        "insert into ref.unit (commune_code, valid_from, name_vi, kind, province_code, verified) "
        "values ('06004', '2025-11-01', 'Xã Thống Nhất', 'xã', '20', false);"
        "insert into ref.unit_change values ('2025-11-01', '06517', '06004', 'merged', true, 'NQ', false);"
        "update ref.contact set name_vi = 'UBND xã Thống Nhất' where contact_code = '06004'"
    )
    post = Post()
    told = sent(run(own, "2025-11-03", post))
    assert ("overdue", "QS-2025-10-5.c 2025-10", 1) in told["06004"]
    assert "06517" not in told
    assert "Đơn vị được giao: UBND xã Quan Sơn (nay là UBND xã Thống Nhất)." in post.text_for("06004")


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


def test_who_declared_nothing_and_then_sent_a_workbook_that_was_returned_is_reminded(own: Connection) -> None:
    for at in (6, 7):
        own.execute(
            "insert into core.nothing_declared values (%s, '2025-10', '5/BC', %s, %s)",
            ("UBND xã Quan Sơn" if at == 6 else "UBND xã Quốc Khánh", BY, datetime(2025, 11, at, 8, tzinfo=UTC)),
        )
    for code in ("06517", "06004"):
        builders.submission(own, code, "2025-10", verdict="returned", received_at=datetime(2025, 11, 7, 3, tzinfo=UTC))
    told = sent(run(own, "2025-11-10", Post()))
    assert ("returned_report", "06517 2025-10 2025", 1) in told["06517"]
    assert not any(m[0].endswith("_report") for m in told.get("06004", ()))


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
        task_steps.require_told(found)


def test_the_office_hears_once_for_all_who_have_no_address_and_not_of_an_office_without_one(own: Connection) -> None:
    own.execute("update ref.contact set active = false where contact_code in ('STC', 'PTB')")
    post = Post()
    found = run(own, "2025-11-14", post)
    standing = "Phó Trưởng ban Thường trực Ban Chỉ đạo các Chương trình mục tiêu quốc gia tỉnh"
    assert [who["name"] for who in found["no_address"]] == [standing, "Sở Tài chính"]
    assert ("overdue", FINANCE, 3) in sent(found)["VPUBND"]
    assert f"Chưa có địa chỉ của {standing}, Sở Tài chính" in post.text_for("VPUBND")
    own.execute("update ref.contact set email = null where contact_code = 'VPUBND'")
    found = run(own, "2025-11-17", Post())
    assert "VPUBND" not in sent(found)
    assert "Văn phòng UBND tỉnh" in {who["name"] for who in found["no_address"]}


def test_a_collective_addressee_is_told_through_the_office_and_is_no_missing_address(own: Connection) -> None:
    event(own, "QS-2025-10-7.a", "extended", "2025-10-20", "2025-10-31")
    post = Post()
    found = run(own, "2025-11-03", post)
    assert ("overdue", "QS-2025-10-7.a", 1) in sent(found)["VPUBND"]
    assert found["no_address"] == []
    assert "không phải là một địa chỉ trong danh mục" in post.text_for("VPUBND")
    assert "VPUBND" not in sent(run(own, "2025-11-04", post))


def test_a_contact_that_is_used_again_is_told_itself(own: Connection) -> None:
    own.execute("update ref.contact set active = false where contact_code = 'STC'")
    assert "STC" not in sent(run(own, "2025-11-03", Post()))
    own.execute("update ref.contact set active = true where contact_code = 'STC'")
    assert ("overdue", FINANCE, 1) in sent(run(own, "2025-11-04", Post()))["STC"]


def test_another_ladder_or_threshold_tells_nothing_twice(own: Connection) -> None:
    post = Post()
    run(own, "2025-10-13", post)
    own.execute("update ref.threshold set value = 3 where threshold_code = 'due_soon_working_days'")
    assert "VPUBND" not in sent(run(own, "2025-10-15", post))
    own.execute("update ref.threshold set value = 10 where threshold_code = 'due_soon_working_days'")
    assert not any(m[1] == OFFICE_TASK for told in sent(run(own, "2025-10-16", post)).values() for m in told)


def test_a_person_settles_what_nobody_knew(own: Connection) -> None:
    post = Post(breaks={"VPUBND", "STC"})
    run(own, "2025-11-03", post)
    post.breaks.clear()
    day, now = date(2025, 11, 3), moment(date(2025, 11, 4))
    assert follow_up.settle(own, day, "VPUBND", False, BY, now)["new"] is True
    assert follow_up.settle(own, day, "STC", True, BY, now)["state"] == "sent"
    assert follow_up.settle(own, day, "STC", True, BY, now)["new"] is False
    with pytest.raises(UsageError, match="đã gửi"):
        follow_up.settle(own, day, "STC", False, BY, now)
    found = run(own, "2025-11-04", post)
    assert found["unknown"] == []
    assert any(m[1] == OFFICE_TASK for m in sent(found)["VPUBND"])
    assert "STC" not in sent(found)


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


def test_contacts_with_one_mailbox_get_one_digest_a_day_with_all_that_is_theirs(own: Connection) -> None:
    """Finance keeps the mail of the Office of the provincial committee too, whatever the case of the letters."""
    finance, office = (
        own.execute(
            "select c.contact_code, c.name_vi, c.email from core.task as t "
            "inner join ref.contact as c on ref.owner_code(t.lead_vi, '2025-10-15') = c.contact_code "
            "where t.task_id = %s",
            (task,),
        ).fetchone()
        for task in (FINANCE, OFFICE_TASK)
    )
    assert finance
    assert office
    first, second = sorted((finance, office))
    own.execute("update ref.contact set email = upper(%s) where contact_code = %s", (first[2], second[0]))
    own.commit()
    post = Post()
    for day in ("2025-10-13", "2025-10-20", "2025-10-24", "2025-10-31"):
        digests = sent(run(own, day, post))
        assert second[0] not in digests
        told = {subject for _, subject, _ in digests.get(first[0], set())}
        assert not told or len([code for code, _ in post.taken if code == first[0]]) >= 1
    text = post.text_for(first[0])
    assert finance[1] in text
    assert office[1] in text
    days = own.execute("select day from core.follow_up_digest where recipient = %s", (first[0],)).fetchall()
    assert len(days) == len(set(days)) == sum(code == first[0] for code, _ in post.taken)
    # Apart again: what was told to the mailbox is not told to either once more.
    own.execute("update ref.contact set email = %s where contact_code = %s", (second[2], second[0]))
    own.commit()
    before = len(post.taken)
    again = sent(run(own, "2025-10-31", post))
    assert first[0] not in again
    assert len(post.taken) == before + len(again)


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
SILENT = (date(2026, 3, 2), date(2026, 4, 1))
"""From when to when one of them has no address."""
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
    """Seventy tasks with events over the year, some reopened; a monthly report of most communes, some late, some
    never."""
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
                done = max(day, date(2025, 10, 21))
                event(connection, f"NAM-{number:03d}", "done", str(done))
                if number % 4 == 0:
                    event(connection, f"NAM-{number:03d}", "reopened", str(done + timedelta(chance.randrange(1, 40))))
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
    overdue: set[tuple[str, int]] = set()
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
                    if day in SILENT:
                        connection.execute(
                            "update ref.contact set active = %s where contact_code = 'SNV'", (day == SILENT[1],)
                        )
                        connection.commit()
                    handler.refused = {"so-xay-dung@langson.example.invalid"} if day.day in (10, 11) else set()
                    for _ in range(2 if chance.random() < 0.2 else 1):
                        result = follow_up.run(
                            connection, day, moment(day), builders.province(), settings.get(), Smtp(url)
                        )
                    if working:
                        rows = connection.execute(
                            "select concat_ws(' ', o.task_id, nullif(o.instance, '')), e.times "
                            "from mart.task_overdue(%(day)s, %(now)s) as o cross join lateral ("
                            "select count(*) as times, max(event_date) as last from core.task_event as v "
                            "where v.task_id = o.task_id and v.kind = 'reopened' and v.event_date <= %(day)s) as e "
                            "where ref.working_days_between(greatest(o.due_date, e.last), %(day)s) > 0",
                            {"day": day, "now": moment(day)},
                        )
                        overdue |= {(subject, times) for subject, times in rows}
                        connection.commit()
                    day += timedelta(1)
            told = connection.execute(
                "select i.recipient, c.email, i.day, i.event_kind, i.subject, i.due_date, i.step, d.state "
                "from core.follow_up_item as i inner join core.follow_up_digest as d using (day, recipient, channel) "
                "inner join ref.contact as c on i.recipient = c.contact_code"
            ).fetchall()
            opened = defaultdict(list)
            for task, on in connection.execute(
                "select task_id, event_date from core.task_event where kind = 'reopened'"
            ):
                opened[task].append(on)
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

    def times(subject: str, on: date) -> int:
        """How often the task had been reopened by then."""
        return sum(day <= on for day in opened[subject.split(" ")[0]])

    events = Counter(
        (to, kind, subject, due, step, times(subject, on))
        for to, email, on, kind, subject, due, step, _ in told
        if (email, str(on)) in arrived
    )
    assert max(events.values()) == 1, "two notices of one event"
    for _, email, on, kind, subject, *_ in told:
        text = arrived.get((email, str(on)), "")
        if text and not kind.endswith("_report"):
            assert f"Mã nhiệm vụ: {subject}." in text
    mentioned = {(subject, times(subject, on)) for _, email, on, _, subject, *_ in told if (email, str(on)) in arrived}
    lost = {(subject, times(subject, on)) for _, _, on, _, subject, *_, state in told if state == "claimed"}
    assert len(overdue) > 50
    assert any(count for _, count in overdue)
    assert overdue <= mentioned | lost
    unknown = {m.split(" ", 1)[1] for one in result.unknown for m in one["matters"]}
    assert {subject for subject, _ in overdue - mentioned} <= unknown
    answered = {(c, f"{c} {p} {y}"): at for c, p, y, at in reports}
    for _, _, on, kind, subject, *_ in told:
        if kind == "missing_report":
            assert answered.get((subject[:5], subject), moment(LAST)) > moment(on)


def test_the_outbox_has_one_file_for_each_recipient_and_day(own: Connection, tmp_path: Path) -> None:
    run(own, "2025-10-21", Outbox(tmp_path))
    assert [path.name for path in tmp_path.glob("*VPUBND*")] == ["don-doc-2025-10-21_VPUBND.eml"]
