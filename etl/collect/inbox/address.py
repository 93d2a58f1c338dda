"""Addresses of inboxes, and error texts that show no password.

``folder`` (the folder TIENDO_INBOX) · ``file:///path`` · ``sftp://user@host:port/path`` · ``s3://bucket/prefix`` ·
``imap://user@host:port/INBOX`` or ``imaps://…``. A password goes before the ``@``, with %xx for what is no letter or
digit. A user alone and no host (before an S3 bucket: a user alone) is the id of an Airflow connection:
``sftp://thu_nhan@/den``, ``s3://kho@bucket/den``, ``imap://hop_thu@/INBOX``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from etl.collect.inbox.arrival import StillArrivingError, UnreadableError
from etl.errors import InboxDownError, UsageError

SCHEMES = ("file", "sftp", "s3", "imap", "imaps")
_PASSWORD = re.compile(r"(?<=://)([^/\s@:]*):[^/\s]*@")
_LONGEST_DETAIL = 300
_WRONG_ACCOUNT = {"PermissionDenied", "PermissionError", "NoCredentialsError", "PartialCredentialsError"}
_NO_CONNECTION = {"ConnectionRefusedError", "gaierror", "EndpointConnectionError", "ConnectTimeoutError"}
_NO_ANSWER = {"TimeoutError", "ReadTimeoutError", "FSTimeoutError"}
_BROKEN_OFF = {
    "ConnectionLost",
    "SFTPConnectionLost",
    "SFTPNoConnection",
    "ConnectionError",
    "ConnectionClosedError",
    "abort",
    "IncompleteReadError",
    "EOFError",
}
_UNKNOWN_HOST = {"HostKeyNotVerifiable", "SSLCertVerificationError"}


@dataclass(frozen=True)
class Address:
    """Parts of an address, decoded. ``path`` keeps its leading ``/``."""

    scheme: str
    user: str
    password: str = field(repr=False)
    host: str
    port: int | None
    path: str
    options: dict[str, str] = field(repr=False)

    @property
    def connection_id(self) -> str | None:
        """Id of the Airflow connection that the address names instead of a server or an account."""
        named = not self.password and (self.scheme == "s3" or not self.host)
        return self.user if self.user and named and self.scheme != "file" else None

    @property
    def name(self) -> str:
        """The address without password and options. An S3 key id is left out too."""
        keep_user = self.user and not (self.scheme == "s3" and self.password)
        account = f"{quote(self.user, safe='')}@" if keep_user else ""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = f":{self.port}" if self.port else ""
        return f"{self.scheme}://{account}{host}{port}{self.path}"


def parse(text: str) -> Address:
    """Raises UsageError, which does not repeat the address: it may hold a password."""
    try:
        parts = urlsplit(text)
        port = parts.port
        if parts.scheme not in SCHEMES:
            raise ValueError
        host = parts.hostname or ""
        if parts.scheme == "s3":  # names of buckets keep their case
            host = parts.netloc.rpartition("@")[2]
        address = Address(
            parts.scheme,
            unquote(parts.username or ""),
            unquote(parts.password or ""),
            host,
            port,
            unquote(parts.path),
            dict(parse_qsl(parts.query)),
        )
    except ValueError:
        raise UsageError(
            "Địa chỉ hộp nhận phải có dạng file:///thư-mục, sftp://tài-khoản@máy/thư-mục, s3://kho/thư-mục "
            "hoặc imaps://tài-khoản@máy/INBOX; ký tự lạ trong mật khẩu viết dạng %xx."
        ) from None
    if address.scheme in ("sftp", "imap", "imaps") and not (address.host or address.connection_id):
        raise UsageError(f"Địa chỉ hộp nhận {address.scheme}:// thiếu tên máy chủ.")
    if address.scheme == "s3" and not address.host:
        raise UsageError("Địa chỉ hộp nhận s3:// thiếu tên kho (bucket).")
    return address


def masked(text: str, secrets: Iterable[str] = ()) -> str:
    """``text`` in one line without the ``secrets`` and without passwords of addresses in it."""
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        for form in {secret, quote(secret, safe=""), repr(secret)[1:-1]}:
            text = text.replace(form, "***")
    return " ".join(_PASSWORD.sub(r"\1:***@", text).split())[:_LONGEST_DETAIL]


def reason(error: BaseException, secrets: Iterable[str] = ()) -> str:
    """Why a place cannot be reached, in Vietnamese, with what the library said."""
    kinds = {kind.__name__ for kind in type(error).__mro__}
    detail = masked(str(error), secrets)
    if kinds & _UNKNOWN_HOST:
        what = "khóa hoặc chứng thư của máy chủ chưa được tin cậy"
    elif kinds & _WRONG_ACCOUNT or _denied(detail):
        what = "sai tài khoản, mật khẩu hoặc không có quyền"
    elif kinds & _NO_CONNECTION:
        what = "máy chủ không nhận kết nối"
    elif kinds & _NO_ANSWER:
        what = "máy chủ không trả lời"
    elif kinds & _BROKEN_OFF:
        what = "mất kết nối giữa chừng"
    elif "FileNotFoundError" in kinds or "nonexistent" in detail.lower():
        what = "không có thư mục hoặc kho này"
    else:
        what = "lỗi"
    return f"{what} ({type(error).__name__}{': ' if detail else ''}{detail})"


def _denied(detail: str) -> bool:
    words = (
        "authenticat",
        "login fail",
        "invalid credentials",
        "accessdenied",
        "access denied",
        "forbidden",
        "accesskey",
    )
    return any(word in detail.lower() for word in (*words, "signaturedoesnotmatch", "permission denied"))


@contextmanager
def reaching(name: str, secrets: Iterable[str] = ()) -> Iterator[None]:
    """Whatever the place or its client library raises becomes an InboxDownError that says so and shows no secret.

    The first error is not chained: its text or its frames may hold the password.
    """
    try:
        yield
    except (InboxDownError, UnreadableError, StillArrivingError):
        raise
    except UsageError as error:
        raise InboxDownError(f"Hộp nhận {name}: {masked(str(error), secrets)}") from None
    except Exception as error:
        raise InboxDownError(f"Hộp nhận {name}: {reason(error, secrets)}.") from None
