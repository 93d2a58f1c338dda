"""Follow-up (đôn đốc): one digest per recipient and working day, of what nobody has told that recipient yet.

What is to be followed up is ``mart.follow_up_due``: the ladder ``ref.follow_up_step`` on the register and the reporting
calendar. What was told is ``core.follow_up_item``, written together with the claim of the digest (law 11), so a run
that is killed and started again tells nothing twice. A digest that the mail server refused told nothing: its matters
come again on the next working day. One whose sending broke off stays claimed, is shown as unknown and never repeated;
what it held is told again by the next rung of the ladder.

A matter goes to a recipient at most once per rung and deadline, and at a rung only when no higher one was told before.
Who has no address is not passed over: the matter goes to the office that the ladder names under ``no_address``, and
the run tells it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from psycopg.rows import dict_row

from etl import settings
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

    Whoever has a digest of the day is not in it, over whatever channel it went.
    """
    contacts = {
        code: Recipient(code, name, email or "", "")
        for code, name, email in connection.execute(
            "select contact_code, name_vi, email from ref.contact where active"
        ).fetchall()
    }
    instead = connection.execute(
        "select recipient from ref.follow_up_step where event_kind = 'no_address' order by step, recipient limit 1"
    ).fetchone()
    served = {
        code for (code,) in connection.execute("select recipient from core.follow_up_digest where day = %s", (day,))
    }
    found: dict[str, list[Matter]] = {}
    missing: dict[str, dict[str, Any]] = {}
    for row in _due(connection, day, now):
        contact = contacts.get(row["recipient"] or "")
        matter = Matter.of(row)
        if contact is None or not contact.email:
            who = row["owner_vi"] if row["is_owner"] else (row["recipient"] or row["owner_vi"])
            entry = missing.setdefault(who, {"name": who, "matters": []})
            entry["matters"].append(matter.subject)
            if instead is None or instead[0] == row["recipient"] or instead[0] not in contacts:
                continue
            contact, matter = contacts[instead[0]], matter.without_address(who)
        found.setdefault(contact.code, []).append(matter)
    connection.commit()
    told = _told(connection)
    waiting = []
    for code in sorted(found):
        fresh = {m.key: m for m in found[code] if told.get((code, *m.key), 0) < m.step}
        if code not in served and fresh:
            waiting.append((contacts[code], sorted(fresh.values(), key=Matter.order)))
    return waiting, sorted(missing.values(), key=lambda entry: str(entry["name"]))


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


def _told(connection: Connection) -> dict[tuple[Any, ...], int]:
    """Highest rung that each recipient was told of each matter; what was refused by the server was not told."""
    rows = connection.execute(
        """
        select i.recipient, i.event_kind, i.subject, i.due_date, max(i.step)
        from core.follow_up_item as i
        inner join core.follow_up_digest as d
            on i.day = d.day and i.recipient = d.recipient and i.channel = d.channel
        where d.state <> 'failed'
        group by 1, 2, 3, 4
        """
    ).fetchall()
    connection.commit()
    return {tuple(key): step for *key, step in rows}


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
