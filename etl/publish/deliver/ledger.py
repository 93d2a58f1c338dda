"""The ledger: one row per occasion, recipient and channel, there before anything is sent (law 11).

Of ``release.delivery`` per release, of ``raw.reply`` per delivery that is answered, of ``core.follow_up_digest`` per
day. The claim is committed **before** anything is sent, the outcome after it. A process that dies in between leaves a
claim without an end: whether the mail went out is unknown, and it is never sent again on its own. A definite refusal is
``failed``, with the words of the server.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg import sql

from etl.publish.deliver.channels import AmbiguousError, Channel, RefusedError
from etl.publish.deliver.recipients import Recipient


@dataclass(frozen=True)
class Ledger:
    """Where a mail is booked: a table, and what stands for the occasion in its key beside recipient and channel."""

    table: str
    key: Mapping[str, Any]

    def columns(self) -> sql.Composed:
        return sql.SQL(", ").join(map(sql.Identifier, (*self.key, "recipient", "channel")))

    def name(self) -> sql.Identifier:
        return sql.Identifier(*self.table.split("."))

    def values(self, recipient: Recipient, channel: Channel) -> tuple[Any, ...]:
        return (*self.key.values(), recipient.code, channel.name)

    def where(self) -> sql.Composed:
        columns = map(sql.Identifier, (*self.key, "recipient", "channel"))
        return sql.SQL(" and ").join(sql.SQL("{} = %s").format(c) for c in columns)


@dataclass(frozen=True)
class Outcome:
    """Recipients by what became of them: sent now, sent by an earlier call, refused or come back, unknown."""

    delivered: int = 0
    already: int = 0
    failed: int = 0
    unknown: int = 0

    def as_dict(self) -> dict[str, int]:
        return asdict(self)


def counted(states: Sequence[str]) -> Outcome:
    """The outcome of several calls of ``send_once``."""
    return Outcome(**{state: states.count(state) for state in ("delivered", "already", "failed", "unknown")})


def send_once(
    connection: psycopg.Connection[Any],
    ledger: Ledger,
    recipient: Recipient,
    message_for: Callable[[Recipient], Any],
    channel: Channel,
    now: datetime,
    *,
    retry_failed: bool = False,
    with_claim: Callable[[psycopg.Connection[Any]], None] | None = None,
) -> str:
    """Send one mail unless the ledger has it: ``delivered``, ``already``, ``failed`` or ``unknown``. Commits.

    ``with_claim`` writes what has to be booked in the same transaction as the claim. What a person had set to ``again``
    goes out once more; so does, over a channel whose repetition changes nothing, what is not known.
    Raises InfrastructureError when the way out is closed; then nothing has been claimed.
    """
    found = state_of(connection, ledger, recipient, channel)
    repeatable = {"again"} | ({"claimed"} if getattr(channel, "is_repeatable", False) else set())
    if found is None or found in repeatable or (found == "failed" and retry_failed):
        channel.ready()
        message = message_for(recipient)
        if _claim(connection, ledger, recipient, channel, now, found, with_claim):
            return _send(connection, ledger, recipient, message, channel, now)
        found = state_of(connection, ledger, recipient, channel)
    return {"sent": "already", "failed": "failed", "bounced": "failed"}.get(str(found), "unknown")


def state_of(connection: psycopg.Connection[Any], ledger: Ledger, recipient: Recipient, channel: Channel) -> str | None:
    row = connection.execute(
        sql.SQL("select state from {} where {}").format(ledger.name(), ledger.where()),
        ledger.values(recipient, channel),
    ).fetchone()
    connection.commit()
    return row[0] if row else None


def _claim(
    connection: psycopg.Connection[Any],
    ledger: Ledger,
    recipient: Recipient,
    channel: Channel,
    now: datetime,
    found: str | None,
    with_claim: Callable[[psycopg.Connection[Any]], None] | None = None,
) -> bool:
    """Book the delivery before it happens: a new row, or a refused one anew. False: another was first."""
    claimed = connection.execute(
        sql.SQL(
            "insert into {table} as l ({columns}, state, claimed_at) values ({places}, 'claimed', %s) "
            "on conflict ({columns}) do update "
            "set state = 'claimed', claimed_at = excluded.claimed_at, finished_at = null, detail = null "
            "where l.state = %s returning 1"
        ).format(
            table=ledger.name(),
            columns=ledger.columns(),
            places=sql.SQL(", ").join([sql.Placeholder()] * (len(ledger.key) + 2)),
        ),
        (*ledger.values(recipient, channel), now, found),
    ).fetchone()
    if claimed is not None and with_claim is not None:
        with_claim(connection)
    connection.commit()
    return claimed is not None


def _send(
    connection: psycopg.Connection[Any],
    ledger: Ledger,
    recipient: Recipient,
    message: Any,
    channel: Channel,
    now: datetime,
) -> str:
    """Hand over one claimed mail and book the outcome. An ambiguous one keeps its claim.

    Only a claim of this call is booked: one that a person has settled meanwhile is theirs.
    """
    try:
        channel.send(message, recipient)
        outcome, state, detail = "delivered", "sent", recipient.email
    except RefusedError as refusal:
        outcome, state, detail = "failed", "failed", str(refusal)
    except AmbiguousError as doubt:
        outcome, state, detail = "unknown", "claimed", str(doubt)
    connection.execute(
        sql.SQL(
            "update {} set state = %s, detail = %s, finished_at = %s where {} and state = 'claimed' and claimed_at = %s"
        ).format(ledger.name(), ledger.where()),
        (state, detail, None if state == "claimed" else now, *ledger.values(recipient, channel), now),
    )
    connection.commit()
    return outcome
