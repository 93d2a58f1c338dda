"""Follow-up (đôn đốc): one digest per recipient and working day, of what nobody has told that recipient yet.

What is to be followed up is ``mart.follow_up_due``: the ladder ``ref.follow_up_step`` on the register and the reporting
calendar. What was told is ``core.follow_up_item``, written together with the claim of the digest (law 11), so a run
that is killed and started again tells nothing twice. A digest that the mail server refused told nothing: its matters
come again on the next working day. One whose sending broke off stays claimed, is shown as unknown and never repeated
on its own: a person who asked the recipient says whether it arrived (``settle``), and meanwhile what it held is told
again by the next rung of the ladder.

A matter goes to a recipient at most once per rung and deadline, and at a rung only when no higher one was told before;
a task that was reopened is another matter than before. Who has no address is not passed over: the matter goes to the
office that the ladder names under ``no_address``, and the run tells it. A collective addressee (*các sở, ngành*) has
none: the office passes it on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from etl import clock, settings
from etl.errors import UsageError
from etl.follow_up import digest
from etl.follow_up.digest import Matter
from etl.load.warehouse import Connection
from etl.publish import deliver
from etl.publish.deliver import Channel, Ledger, Recipient
from etl.reference.province import Province

_LEDGER = "core.follow_up_digest"


@dataclass
class Run:
    """What one run did. ``missing``: owners without an address, with the matters that went to the office instead;
    ``unknown``: digests of any day of which nobody knows whether they arrived."""

    day: date
    is_working_day: bool = True
    digests: list[dict[str, Any]] = field(default_factory=list)
    missing: list[dict[str, Any]] = field(default_factory=list)
    unknown: list[dict[str, Any]] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return {
            "day": self.day.isoformat(),
            "is_working_day": self.is_working_day,
            "sent": sum(d["outcome"] == "delivered" for d in self.digests),
            "failed": sum(d["outcome"] == "failed" for d in self.digests),
            "digests": self.digests,
            "no_address": self.missing,
            "unknown": self.unknown,
        }


def run(
    connection: Connection,
    day: date,
    now: datetime,
    province: Province,
    conf: settings.Settings,
    channel: Channel,
    *,
    dry_run: bool = False,
) -> Run:
    """Send what is due on ``day``; commits as it goes. On a day off nothing is sent.

    Idempotent. One run at a time: a second one waits. Raises InfrastructureError when the way out is closed; whoever
    was not reached has no claim and stays due.
    """
    result = Run(day, province.is_working_day(day))
    if not result.is_working_day:
        result.unknown = _unknown(connection)
        return result
    try:
        # Of the session, so that it ends with the process, however that ends.
        connection.execute("select pg_advisory_lock(hashtext('tiendo.follow_up'))")
        connection.commit()
        waiting, result.missing = _by_recipient(connection, day, now)
        for recipient, matters in waiting:
            outcome = "dry_run"
            if not dry_run:
                outcome = _send(connection, recipient, matters, day, now, conf, channel)
            result.digests.append(
                {
                    "recipient": recipient.code,
                    "name": recipient.name_vi,
                    "email": recipient.email,
                    "outcome": outcome,
                    "matters": [matter.as_dict() for matter in matters],
                    **({"text": digest.body(recipient, matters, day)} if dry_run else {}),
                }
            )
    finally:
        channel.close()
        connection.rollback()
        connection.execute("select pg_advisory_unlock(hashtext('tiendo.follow_up'))")
        connection.commit()
    result.unknown = _unknown(connection)
    return result


def _send(
    connection: Connection,
    recipient: Recipient,
    matters: Sequence[Matter],
    day: date,
    now: datetime,
    conf: settings.Settings,
    channel: Channel,
) -> str:
    def note(opened: Connection) -> None:
        with opened.cursor() as cursor:
            cursor.executemany(
                "insert into core.follow_up_item values (%s, %s, %s, %s, %s, %s, %s)",
                [(day, recipient.code, channel.name, m.event_kind, m.subject, m.due_date, m.step) for m in matters],
            )

    return deliver.send_once(
        connection,
        Ledger(_LEDGER, {"day": day}),
        recipient,
        lambda to: digest.compose(to, matters, day, now, conf.mail_from),
        channel,
        now,
        with_claim=note,
    )


def _by_recipient(
    connection: Connection, day: date, now: datetime
) -> tuple[list[tuple[Recipient, list[Matter]]], list[dict[str, Any]]]:
    """Recipients that get a digest today with what is in it, and owners without an address.

    Whoever has a digest of the day is not in it, over whatever channel it went. Contacts with one mailbox are one
    recipient, under the first of their codes: nobody finds two digests of a day in a mailbox.
    """
    listed = connection.execute("select contact_code, name_vi, email, active from ref.contact").fetchall()
    names = {code: name for code, name, *_ in listed}
    contacts = {code: Recipient(code, name, email or "", "") for code, name, email, active in listed if active}
    collective = {code for (code,) in connection.execute("select agency_code from ref.agency where kind = 'tập thể'")}
    instead = connection.execute(
        "select recipient from ref.follow_up_step where event_kind = 'no_address' order by step, recipient limit 1"
    ).fetchone()
    served = {
        code for (code,) in connection.execute("select recipient from core.follow_up_digest where day = %s", (day,))
    }
    office = contacts.get(instead[0]) if instead else None
    mailboxes = _mailboxes(contacts)
    addressed: dict[str, set[str]] = defaultdict(set)
    found: dict[str, dict[tuple[Any, ...], Matter]] = defaultdict(dict)
    missing: dict[str, dict[str, Any]] = {}
    for row in _due(connection, day, now):
        contact = contacts.get(row["recipient"] or "")
        matter = Matter.of(row)
        if contact is None or not contact.email:
            code = row["recipient"]
            who = row["owner_vi"] if row["is_owner"] else names.get(code, code)
            no_one = code is None or code in collective
            has_office = office is not None and bool(office.email) and office.code != code
            if not (no_one and has_office):
                missing.setdefault(who, {"name": who, "matters": []})["matters"].append(matter.subject)
            if office is None or not has_office:
                continue
            contact, matter = office, matter.without_address(who, is_collective=no_one)
        first = mailboxes[contact.code][0]
        addressed[first].add(contact.code)
        others = found[first]
        others[matter.key] = matter.with_what(others.get(matter.key))
    connection.commit()
    told = _told(connection)
    waiting = []
    for code in sorted(found):
        box = mailboxes[code]
        fresh = [
            m for m in found[code].values() if not _was_told(m, [t for one in box for t in told.get((one, *m.key), ())])
        ]
        if served.isdisjoint(box) and fresh:
            called = "; ".join(contacts[one].name_vi for one in sorted(addressed[code]))
            waiting.append((replace(contacts[code], name_vi=called), sorted(fresh, key=Matter.order)))
    return waiting, sorted(missing.values(), key=lambda entry: str(entry["name"]))


def _mailboxes(contacts: Mapping[str, Recipient]) -> dict[str, list[str]]:
    """Code -> the codes that have its mailbox, itself among them."""
    by_address: dict[str, list[str]] = defaultdict(list)
    for code in sorted(contacts):
        by_address[contacts[code].email.strip().lower()].append(code)
    return {code: box for address, box in by_address.items() if address for code in box}


def _was_told(matter: Matter, told: Sequence[tuple[int, datetime]]) -> bool:
    return any(step >= matter.step and (matter.since is None or at >= matter.since) for step, at in told)


def _due(connection: Connection, day: date, now: datetime) -> list[dict[str, Any]]:
    return (
        connection.cursor(row_factory=dict_row)
        .execute(
            """
            select f.*, coalesce(d.doc_no, d.title_vi) as directive_vi, t.item,
                (
                    select e.detail_vi from core.task_event as e
                    where
                        e.task_id = f.task_id and e.instance = f.instance and e.kind = 'reported'
                        and e.event_date <= %(day)s and e.recorded_at <= %(now)s
                    order by e.event_date desc, e.task_event_id desc limit 1
                ) as last_report
            from mart.follow_up_due(%(day)s, %(now)s) as f
            left join core.task as t on f.task_id = t.task_id
            left join core.directive as d on t.directive_id = d.directive_id
            order by f.recipient, f.event_kind, f.due_date, f.subject
            """,
            {"day": day, "now": now},
        )
        .fetchall()
    )


def _told(connection: Connection) -> dict[tuple[Any, ...], list[tuple[int, datetime]]]:
    """Rungs at which each recipient was told of each matter, and when; what was refused by the server was not told."""
    rows = connection.execute(
        """
        select i.recipient, i.event_kind, i.subject, i.due_date, i.step, d.claimed_at
        from core.follow_up_item as i
        inner join core.follow_up_digest as d
            on i.day = d.day and i.recipient = d.recipient and i.channel = d.channel
        where d.state <> 'failed'
        """
    ).fetchall()
    connection.commit()
    told: dict[tuple[Any, ...], list[tuple[int, datetime]]] = defaultdict(list)
    for *key, step, at in rows:
        told[tuple(key)].append((step, at))
    return told


def settle(connection: Connection, day: date, recipient: str, arrived: bool, by: str, now: datetime) -> dict[str, Any]:
    """A person who asked says whether a digest arrived of which nobody knew; what did not is told again.

    The caller commits. The same answer again changes nothing. Raises UsageError when there is no such digest, or it is
    known what became of it.
    """
    if not by.strip():
        raise UsageError("Phải ghi người trả lời (--by).")
    row = connection.execute(
        "select state, detail from core.follow_up_digest where day = %s and recipient = %s for update", (day, recipient)
    ).fetchone()
    if row is None:
        raise UsageError(f"Không có bản tin ngày {clock.show_date(day)} cho {recipient}.")
    state = "sent" if arrived else "failed"
    new = row[0] == "claimed"
    if not new and row[0] != state:
        said = {"sent": "đã gửi", "failed": "bị từ chối"}[row[0]]
        raise UsageError(f"Bản tin ngày {clock.show_date(day)} cho {recipient}: {said}; không có gì phải trả lời.")
    if new:
        detail = f"{by.strip()}: {'đã đến' if arrived else 'không đến'}"
        connection.execute(
            "update core.follow_up_digest set state = %s, detail = %s, finished_at = %s "
            "where day = %s and recipient = %s",
            (state, detail, now, day, recipient),
        )
        connection.execute(
            "select audit.append(%s, %s, 'follow_up.settled', %s, %s)",
            (now, by.strip(), f"{day} {recipient}", Jsonb({"arrived": arrived})),
        )
    return {"day": day.isoformat(), "recipient": recipient, "state": state, "new": new}


def _unknown(connection: Connection) -> list[dict[str, Any]]:
    rows = connection.execute(
        """
        select d.day, d.recipient, c.name_vi, array(
            select i.event_kind || ' ' || i.subject from core.follow_up_item as i
            where i.day = d.day and i.recipient = d.recipient order by 1
        )
        from core.follow_up_digest as d
        left join ref.contact as c on d.recipient = c.contact_code
        where d.state = 'claimed'
        order by d.day, d.recipient
        """
    ).fetchall()
    connection.commit()
    return [
        {"day": day.isoformat(), "recipient": code, "name": name, "matters": matters}
        for day, code, name, matters in rows
    ]
