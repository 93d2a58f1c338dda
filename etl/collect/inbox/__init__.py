"""Where reports arrive: folder, SFTP, S3-compatible store, IMAP mailbox. One protocol, one address for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime
from functools import partial
from pathlib import Path

from etl import settings
from etl.collect.inbox import address as addresses
from etl.collect.inbox import files, mailbox
from etl.collect.inbox.address import Address
from etl.collect.inbox.arrival import Arrival, Inbox, Item, StillArrivingError, UnreadableError
from etl.collect.inbox.files import Files
from etl.collect.inbox.folder import Folder
from etl.collect.inbox.mailbox import Mailbox
from etl.errors import InboxDownError, UsageError

__all__ = [
    "Address",
    "Arrival",
    "Files",
    "Folder",
    "Inbox",
    "Item",
    "Mailbox",
    "Misaddressed",
    "StillArrivingError",
    "UnreadableError",
    "configured",
    "open_inbox",
]

FOLDER = "folder"
"""The address, and the name in the warehouse, of the folder that TIENDO_INBOX gives."""

ByConnection = Callable[[Address], Inbox]


class Misaddressed:
    """An inbox whose address cannot be used: it is down for that reason, and the others go on."""

    def __init__(self, name: str, why: str) -> None:
        self._name, self._why = name, why

    @property
    def name(self) -> str:
        return self._name

    def items(self, now: datetime) -> Iterator[Item]:  # noqa: ARG002
        raise InboxDownError(f"Hộp nhận {self._name}: {self._why}")

    def arrivals(self, item: Item) -> Iterator[Arrival]:
        raise UnreadableError(item.key)

    def close(self) -> None:
        """Nothing was opened."""


def configured(conf: settings.Settings, by_connection: ByConnection | None = None) -> list[Inbox]:
    """The inboxes of ``TIENDO_INBOXES``, or the one folder; no connection is opened yet.

    ``by_connection`` makes the inbox of an address that names an Airflow connection; only Airflow can.
    """
    if not conf.inboxes:
        return [_default_folder(conf)]
    made: list[Inbox] = []
    for n, text in enumerate(dict.fromkeys(conf.inboxes), 1):
        name = f"số {n} trong TIENDO_INBOXES"
        try:
            if text == FOLDER:
                made.append(_default_folder(conf))
                continue
            name = addresses.parse(text).name
            made.append(open_inbox(text, by_connection))
        except UsageError as error:
            made.append(Misaddressed(name, str(error)))
    return made


def _default_folder(conf: settings.Settings) -> Inbox:
    conf.inbox_dir.mkdir(parents=True, exist_ok=True)
    return Folder(conf.inbox_dir, FOLDER)


def open_inbox(text: str, by_connection: ByConnection | None = None) -> Inbox:
    """The inbox at an address. Raises UsageError for an address that cannot be used; it shows no password."""
    address = addresses.parse(text)
    if address.connection_id:
        if by_connection is None:
            raise UsageError(
                f"địa chỉ dùng kết nối {address.connection_id} của Airflow, chỉ đọc được khi chạy trong Airflow."
            )
        return by_connection(address)
    secrets = [address.password]
    if address.scheme == "file":
        return Folder(Path(address.path), address.name)
    if address.scheme == "sftp":
        account = {"password": address.password} if address.password else {}
        trusted = {"known_hosts": address.options["known_hosts"]} if "known_hosts" in address.options else {}
        return sftp_inbox(
            address.name,
            partial(files.sftp, address.host, address.port, address.user, **account, **trusted),
            address.path,
            secrets,
        )
    if address.scheme == "s3":
        connect = partial(
            files.s3, address.user, address.password, address.options.get("endpoint"), address.options.get("region")
        )
        return s3_inbox(address.name, connect, address.host, address.path, secrets)
    return imap_inbox(
        address,
        partial(
            mailbox.connect,
            address.host,
            address.port,
            address.user,
            address.password,
            tls=address.scheme == "imaps",
        ),
        secrets,
    )


def sftp_inbox(name: str, connect: Callable[[], object], path: str, secrets: list[str]) -> Inbox:
    return Files(name, connect, path or "/", quiet_seconds=files.SFTP_QUIET_SECONDS, secrets=secrets)


def s3_inbox(name: str, connect: Callable[[], object], bucket: str, prefix: str, secrets: list[str]) -> Inbox:
    return Files(name, connect, f"{bucket}/{prefix.strip('/')}", is_store=True, secrets=secrets)


def imap_inbox(address: Address, connect: Callable[[], mailbox.Client], secrets: list[str]) -> Inbox:
    since = address.options.get("since")
    try:
        first_day = date.fromisoformat(since) if since else None
    except ValueError:
        raise UsageError(f"Hộp nhận {address.name}: since phải là ngày dạng 2025-07-01.") from None
    return Mailbox(address.name, connect, address.path.strip("/"), since=first_day, secrets=secrets)
