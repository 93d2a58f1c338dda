"""A published release to all its recipients, each by its channel and with its files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg

from etl.errors import InfrastructureError
from etl.publish.deliver.channels import Channel, Parcel
from etl.publish.deliver.ledger import Ledger, Outcome, counted, send_once
from etl.publish.deliver.message import Cover, compose, cover_of
from etl.publish.deliver.recipients import Recipient, files_for

_LEDGER = "release.delivery"


def deliver(
    connection: psycopg.Connection[Any],
    release_id: str,
    recipients: Iterable[Recipient],
    message_for: Callable[[Recipient], Any],
    channel: Channel,
    now: datetime,
    *,
    retry_failed: bool = False,
) -> Outcome:
    """Send the release to each recipient at most once over ``channel``; commits on ``connection`` as it goes.

    Idempotent: whoever has a row is not sent to again, because the row is there before the mail goes out and
    its key admits one. ``retry_failed`` tries definite refusals again, when a person asks for it. Raises
    InfrastructureError when the way out is closed; the recipients not reached yet have no row and stay due.
    """
    ledger = Ledger(_LEDGER, {"release_id": release_id})
    states: list[str] = []
    try:
        for recipient in recipients:
            states.append(
                send_once(connection, ledger, recipient, message_for, channel, now, retry_failed=retry_failed)
            )
    finally:
        channel.close()
    return counted(states)


def dispatch(
    connection: psycopg.Connection[Any],
    cover: Cover,
    files: Mapping[str, tuple[Path, str]],
    recipients: Sequence[Recipient],
    channels: Mapping[str, Channel],
    now: datetime,
    *,
    limit_bytes: float,
    retry_failed: bool = False,
) -> dict[str, Any]:
    """Send ``files`` (name -> path, sha256) of the release of ``cover`` to the recipients; commits as it goes.

    ``channels``: the way out by the channel that recipients.csv names. Each recipient gets its own files at most once
    (law 11). Returns the numbers of ``Outcome`` and ``without_files``: names of recipients for whom the release has
    none. A way out that is closed does not hold up the others; raises InfrastructureError at the end, and whoever was
    not reached has no row and stays due.
    """
    states: list[str] = []
    without: list[str] = []
    closed: dict[str, InfrastructureError] = {}
    try:
        for recipient in recipients:
            mine = files_for(recipient, files)
            if not mine:
                without.append(recipient.name_vi)
            elif recipient.channel not in closed:
                try:
                    states.append(
                        _to_one(
                            connection, cover, {name: files[name] for name in mine}, recipient,
                            channels[recipient.channel], now, limit_bytes, retry_failed,
                        )
                    )  # fmt: skip
                except InfrastructureError as error:
                    closed[recipient.channel] = error
    finally:
        for channel in channels.values():
            channel.close()
    if closed:
        raise InfrastructureError("\n".join(dict.fromkeys(map(str, closed.values()))))
    return {**counted(states).as_dict(), "without_files": without}


def _to_one(
    connection: psycopg.Connection[Any],
    cover: Cover,
    mine: Mapping[str, tuple[Path, str]],
    recipient: Recipient,
    channel: Channel,
    now: datetime,
    limit_bytes: float,
    retry_failed: bool,
) -> str:
    release_id = cover.release_id
    booked: dict[str, Any] = {}

    def parcel_for(_: Recipient) -> Any:
        """Made only for whoever is sent to; what it holds is booked with the claim."""
        attempt = _attempts(connection, release_id, recipient, channel) + 1
        if channel.name == "store":
            booked.update(attempt=attempt, files=list(mine), message_id=None)
            return Parcel(tuple((f"{release_id}/{name}", path, sha256) for name, (path, sha256) in mine.items()))
        paths = [path for path, _ in mine.values()]
        own = cover_of(
            release_id, cover.period, cover.known_at, cover.sentences, paths, cover.sender, limit_bytes,
            cover.archive_url,
        )  # fmt: skip
        mail = compose(own, recipient, attempt)
        left = set(own.rest) if own.text is None else set()
        carried = [name for name, (path, _) in mine.items() if path not in left]
        booked.update(attempt=attempt, files=carried, message_id=str(mail["Message-ID"]))
        return mail

    def note(opened: psycopg.Connection[Any]) -> None:
        opened.execute(
            "update release.delivery set attempt = %s, address = %s, files = %s, message_id = %s, settled_by = null, "
            "settled_at = null where release_id = %s and recipient = %s and channel = %s",
            (
                booked["attempt"], recipient.email or None, booked["files"], booked["message_id"], release_id,
                recipient.code, channel.name,
            ),
        )  # fmt: skip

    return send_once(
        connection,
        Ledger(_LEDGER, {"release_id": release_id}),
        recipient,
        parcel_for,
        channel,
        now,
        retry_failed=retry_failed,
        with_claim=note,
    )


def _attempts(connection: psycopg.Connection[Any], release_id: str, recipient: Recipient, channel: Channel) -> int:
    """How often the recipient was sent to over the channel, however that ended."""
    row = connection.execute(
        "select attempt from release.delivery where release_id = %s and recipient = %s and channel = %s",
        (release_id, recipient.code, channel.name),
    ).fetchone()
    return int(row[0]) if row else 0


def due(
    connection: psycopg.Connection[Any], release_id: str, names: Iterable[str], recipients: Iterable[Recipient]
) -> list[Recipient]:
    """Recipients for whom the release has files and who were not sent to over any channel, or are to be once more."""
    names = list(names)
    booked = {
        code
        for code, state in connection.execute(
            "select recipient, state from release.delivery where release_id = %s", (release_id,)
        ).fetchall()
        if state != "again"
    }
    return [one for one in recipients if one.code not in booked and files_for(one, names)]
