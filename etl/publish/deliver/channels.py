"""Ways out: a mail server, the outbox folder, an object store. Each takes one parcel, or says that it did not."""

from __future__ import annotations

import hashlib
import re
import smtplib
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from etl import settings
from etl.errors import InboxDownError, InfrastructureError, UsageError
from etl.files import write_whole
from etl.publish.deliver.recipients import Recipient

_IN_A_NAME = re.compile(r"[^\w.@+-]")
LOOPBACK = ("localhost", "127.0.0.1", "::1")


class RefusedError(Exception):
    """The mail has definitely not been accepted; the text is the server's."""


class AmbiguousError(Exception):
    """The connection broke while the mail was being handed over: it may or may not have been accepted."""


class Channel(Protocol):
    """A way out. ``ready`` may raise InfrastructureError, before anything is claimed; ``send`` hands over.

    What is handed over is a mail, for ``Store`` a Parcel. A channel may have ``is_repeatable = True``: the same thing
    handed over twice arrives once.
    """

    name: str

    def ready(self) -> None: ...

    def send(self, message: Any, recipient: Recipient) -> None: ...

    def close(self) -> None: ...


@dataclass
class Outbox:
    """Writes one .eml per mail into a folder, whole or not at all; another program may carry them on."""

    folder: Path
    name: str = "outbox"

    def ready(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InfrastructureError(f"Không ghi được vào hộp gửi {self.folder}: {error}") from error

    def send(self, message: EmailMessage, recipient: Recipient) -> None:
        release_id = str(message["Message-ID"]).strip("<").partition(".")[0]
        target = self.folder / f"{release_id}_{_IN_A_NAME.sub('_', recipient.code)}.eml"
        try:
            write_whole(target, message.as_bytes())
        except OSError as error:
            raise RefusedError(f"Không ghi được {target.name}: {error}") from error

    def close(self) -> None:
        """Nothing is held open."""


class Smtp:
    """``smtp://[user:password@]host[:port]`` (STARTTLS when the server offers it) or ``smtps://…``."""

    name = "smtp"

    def __init__(self, url: str, timeout_seconds: int = 30) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
            raise UsageError("Địa chỉ máy chủ thư phải có dạng smtp://máy[:cổng] hoặc smtps://máy[:cổng].")
        self._host = parts.hostname
        self._tls = parts.scheme == "smtps"
        self._port = parts.port or (465 if self._tls else 25)
        self._user, self._password = unquote(parts.username or ""), unquote(parts.password or "")
        self._timeout = timeout_seconds
        self._server: smtplib.SMTP | None = None

    def ready(self) -> None:
        """Connect and log in, or find the connection alive. Raises InfrastructureError."""
        if self._server is not None:
            with suppress(smtplib.SMTPException, OSError):
                if self._server.noop()[0] == 250:
                    return
            self.close()
        try:
            self._server = self._connect()
        except (smtplib.SMTPException, OSError) as error:
            where = f"{self._host}:{self._port}"
            raise InfrastructureError(f"Không kết nối được máy chủ thư {where}: {error}") from error

    def _connect(self) -> smtplib.SMTP:
        context = ssl.create_default_context()
        if self._tls:
            server: smtplib.SMTP = smtplib.SMTP_SSL(self._host, self._port, timeout=self._timeout, context=context)
        else:
            server = smtplib.SMTP(self._host, self._port, timeout=self._timeout)
        try:
            server.ehlo()
            encrypted = self._tls
            if not encrypted and server.has_extn("starttls"):
                server.starttls(context=context)
                server.ehlo()
                encrypted = True
            if self._user:
                if not encrypted and self._host not in LOOPBACK:
                    raise UsageError(f"Máy chủ thư {self._host} không mã hóa đường truyền: không gửi mật khẩu.")
                server.login(self._user, self._password)
        except BaseException:
            server.close()
            raise
        return server

    def send(self, message: EmailMessage, recipient: Recipient) -> None:
        if self._server is None:
            raise RefusedError("Chưa kết nối máy chủ thư.")
        try:
            self._server.send_message(message, to_addrs=[recipient.email])
        except smtplib.SMTPRecipientsRefused as refusal:
            code, text = refusal.recipients[recipient.email]
            raise RefusedError(f"{code} {_text(text)}") from refusal
        except smtplib.SMTPResponseException as refusal:
            raise RefusedError(f"{refusal.smtp_code} {_text(refusal.smtp_error)}") from refusal
        except (smtplib.SMTPServerDisconnected, OSError) as broken:
            self.close()
            raise AmbiguousError(f"mất kết nối khi đang gửi: {broken}") from broken

    def close(self) -> None:
        """Say goodbye; a server that has gone needs none."""
        if self._server is not None:
            with suppress(smtplib.SMTPException, OSError):
                self._server.quit()
            self._server.close()
            self._server = None


def _text(answer: bytes | str) -> str:
    return answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer


@dataclass(frozen=True)
class Parcel:
    """Files for an object store: their keys there (``<release>/<name>``), where they lie, and their sha256."""

    files: tuple[tuple[str, Path, str], ...]


class Store:
    """An object store, or a folder, by fsspec: ``connect`` opens it, ``root`` is bucket and prefix in it.

    A key always has the same content, so that putting it again changes nothing; after writing each object is read back
    and compared by its hash.
    """

    name = "store"
    is_repeatable = True

    def __init__(self, label: str, connect: Callable[[], Any], root: str, secrets: tuple[str, ...] = ()) -> None:
        self._label, self._connect, self._root, self._secrets = label, connect, root.rstrip("/"), secrets
        self._system: Any = None

    def ready(self) -> None:
        """Open it and look at its root. Raises InfrastructureError."""
        if self._system is not None:
            return
        from etl.collect.inbox.address import reason

        try:
            system = self._connect()
            if "file" in system.protocol:
                system.makedirs(self._root, exist_ok=True)
            else:
                system.ls(self._root.partition("/")[0])
        except InboxDownError as error:
            raise InfrastructureError(str(error)) from None
        except Exception as error:  # every file system has errors of its own
            why = reason(error, self._secrets)
            raise InfrastructureError(f"Không dùng được kho tệp {self._label}: {why}.") from None
        self._system = system

    def send(self, message: Parcel, recipient: Recipient) -> None:  # noqa: ARG002
        from etl.collect.inbox.address import reason

        for key, path, sha256 in message.files:
            target = f"{self._root}/{key}"
            try:
                if self._digest(target) != sha256:
                    self._put(target, path.read_bytes())
                stored = self._digest(target)
            except PermissionError as error:
                raise RefusedError(f"{key}: {reason(error, self._secrets)}") from None
            except Exception as error:
                raise AmbiguousError(f"{key}: {reason(error, self._secrets)}") from None
            if stored != sha256:
                raise RefusedError(f"{key}: đọc lại thấy nội dung khác với tệp đã phê duyệt")

    def _digest(self, target: str) -> str | None:
        try:
            return hashlib.sha256(self._system.cat_file(target)).hexdigest()
        except FileNotFoundError:
            return None

    def _put(self, target: str, content: bytes) -> None:
        if "file" not in self._system.protocol:
            self._system.pipe_file(target, content)
            return
        # Whole or not at all; an object store sees to that itself.
        self._system.makedirs(target.rpartition("/")[0], exist_ok=True)
        self._system.pipe_file(f"{target}.part", content)
        self._system.mv(f"{target}.part", target)

    def close(self) -> None:
        self._system = None


def channel_for(conf: settings.Settings, smtp_url: str | None = None) -> Channel:
    """SMTP where an address is given (by the caller, else by the settings), the outbox folder otherwise."""
    url = smtp_url or conf.smtp_url
    return Smtp(url) if url else Outbox(conf.outbox_dir)


def store_for(conf: settings.Settings, by_connection: Callable[[Any], Store] | None = None) -> Store:
    """The store of ``TIENDO_STORE``, or a folder; nothing is opened yet.

    ``by_connection`` makes the store of an address that names an Airflow connection; only Airflow can.
    Raises UsageError for an address that cannot be used.
    """
    from etl.collect.inbox import address as addresses
    from etl.collect.inbox import files

    if not conf.store:
        return Store(str(conf.store_dir), _local, str(conf.store_dir))
    try:
        address = addresses.parse(conf.store)
        if address.scheme not in ("file", "s3"):
            raise UsageError("chỉ dùng được s3:// và file://.")
        if address.scheme == "file":
            return Store(address.path, _local, address.path)
        if address.connection_id:
            if by_connection is None:
                raise UsageError(f"kết nối {address.connection_id} của Airflow chỉ dùng được khi chạy trong Airflow.")
            return by_connection(address)
    except UsageError as error:
        raise UsageError(f"TIENDO_STORE không dùng được: {error}") from None

    def connect() -> Any:
        return files.s3(
            address.user, address.password, address.options.get("endpoint"), address.options.get("region")
        )  # fmt: skip

    return Store(address.name, connect, f"{address.host}/{address.path.strip('/')}", (address.password, address.user))


def _local() -> Any:
    from fsspec.implementations.local import LocalFileSystem

    return LocalFileSystem()
