"""The files in a mail: attachments of any nesting, mails forwarded as attachments, names in any encoding.

Parsed leniently (``compat32``), because a header that breaks the rules is no reason to lose a report. Case 48: who
passed a mail on is kept beside who wrote it.
"""

from __future__ import annotations

import email
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.errors import MessageError
from email.header import decode_header
from email.message import Message
from email.policy import Compat32
from email.utils import collapse_rfc2231_value, getaddresses, parsedate_to_datetime
from urllib.parse import unquote_to_bytes

from etl.collect import names
from etl.collect.text import fold

log = logging.getLogger(__name__)

_NO_REPORT = {
    "application/pkcs7-signature",
    "application/x-pkcs7-signature",
    "application/pgp-signature",
    "application/pgp-keys",
    "message/delivery-status",
    "message/disposition-notification",
    "text/calendar",
    "text/vcard",
    "text/x-vcard",
    "text/rfc822-headers",
}
_SUFFIXES = {
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
    "application/vnd.ms-excel": ".xls",
    "application/vnd.oasis.opendocument.spreadsheet": ".ods",
    "application/zip": ".zip",
    "application/x-zip-compressed": ".zip",
    "application/pdf": ".pdf",
    "text/csv": ".csv",
}
_FORWARDED = re.compile(r"^\s*(?:(?:re|tra loi)\s*:\s*)*(?:fwd?|tr|chuyen tiep)\s*:", re.IGNORECASE)
_ENCODED_WORD = re.compile(r"=\?[^?\s]+\?[bq]\?[^?]*\?=", re.IGNORECASE)
_CID = re.compile(rb"""src\s*=\s*(?:3D)?["']?cid:([^"'\s>]+)""", re.IGNORECASE)
_DEEPEST = 20
_MOST = 200


class _AsWritten(Compat32):
    """Headers as they stand in the mail, raw bytes as surrogates; the parent puts marks in their place."""

    def header_fetch_parse(self, name: str, value: str) -> str:  # type: ignore[override]  # noqa: ARG002
        return value


_POLICY = _AsWritten()


@dataclass(frozen=True)
class Origin:
    """Where the files of a mail come from; addresses in lower case."""

    sender: str | None = None
    forwarded_by: str | None = None
    message_id: str | None = None
    original_date: datetime | None = None


@dataclass(frozen=True)
class Attachment:
    """``part``: its place in the mail, such as ``2.1``."""

    part: str
    file_name: str
    data: bytes
    origin: Origin


def attachments(data: bytes) -> list[Attachment]:
    """Every file of the mail in its order; the text of the mail, pictures that are part of it, and signatures are none.

    A mail without a file gives an empty list. Raises nothing for what is in the mail: one that no parser can take
    apart, or with more than 200 files, is one file as a whole.
    """
    try:
        letter = _parse(data)
        found: list[Attachment] = []
        for attachment in _walk(letter, "", _origin(letter), _shown_pictures(letter), 0):
            found.append(attachment)
            if len(found) > _MOST:
                raise ValueError("too many files")
    except Exception as error:  # the parser's errors have no common base, and a mail must not stop the others
        log.warning("a mail of %d bytes cannot be taken apart: %s", len(data), type(error).__name__)
        return [Attachment("", "thu.eml", data, Origin())]
    return found


def origin(head: bytes) -> Origin:
    """Where a mail comes from, by its first bytes."""
    try:
        return _origin(_parse(head))
    except Exception as error:
        log.warning("the headers of a mail cannot be read: %s", type(error).__name__)
        return Origin()


def _parse(data: bytes) -> Message:
    return email.message_from_bytes(data, policy=_POLICY)


def _walk(part: Message, place: str, origin: Origin, pictures: frozenset[str], depth: int) -> Iterator[Attachment]:
    if depth > _DEEPEST:
        yield Attachment(place, "thu-long-nhau.eml", part.as_bytes(), origin)
    elif part.get_content_type() == "message/rfc822" or _file_name(part, place).lower().endswith(".eml"):
        letters = [_decoded(part, letter) for letter in _inner(part)] or [_parse(_content(part))]
        for n, letter in enumerate(letters, 1):
            inside = f"{place}.{n}".lstrip(".")
            yield from _walk(letter, inside, _passed_on(letter, origin), _shown_pictures(letter), depth + 1)
    elif part.is_multipart():
        for n, one in enumerate(_inner(part), 1):
            yield from _walk(one, f"{place}.{n}".lstrip("."), origin, pictures, depth + 1)
    elif _is_file(part, pictures):
        yield Attachment(place or "1", _file_name(part, place or "1"), _content(part), origin)


def _inner(part: Message) -> list[Message]:
    payload = part.get_payload()
    return [one for one in payload if isinstance(one, Message)] if isinstance(payload, list) else []


def _decoded(part: Message, letter: Message) -> Message:
    """Some servers encode an attached mail as if it were a file, which the standard forbids and parsers do not undo."""
    if str(part.get("Content-Transfer-Encoding", "")).strip().lower() not in ("base64", "quoted-printable"):
        return letter
    del letter["Content-Transfer-Encoding"]
    letter["Content-Transfer-Encoding"] = str(part["Content-Transfer-Encoding"])
    return _parse(_content(letter)) if not letter.is_multipart() else letter


def _is_file(part: Message, pictures: frozenset[str]) -> bool:
    kind = part.get_content_type()
    if kind in _NO_REPORT or part.get_content_maintype() == "multipart":
        return False
    if part.get_content_maintype() == "image" and str(part.get("Content-ID", "")).strip(" <>") in pictures:
        return False
    if _stated_name(part) or part.get_content_disposition() == "attachment":
        return True
    return part.get_content_maintype() != "text" or kind in _SUFFIXES


def _shown_pictures(letter: Message) -> frozenset[str]:
    """Content-IDs that the text of this mail shows: logos, signatures."""
    found: set[str] = set()
    for part in letter.walk():
        if part.get_content_type() == "text/html":
            found |= {cid.decode("ascii", "replace") for cid in _CID.findall(_content(part))}
    return frozenset(found)


def _content(part: Message) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _origin(letter: Message) -> Origin:
    """The sender and date of a mail. Where its own headers or its subject say that somebody passed it on, that is so;
    whom an officer's forwarded text quotes is not taken for the sender."""
    sender, resent = _address(letter, "From"), _address(letter, "Resent-From")
    plain = Origin(sender, None, _message_id(letter), _date(letter))
    if resent:
        return replace(plain, forwarded_by=resent)
    if _FORWARDED.match(fold(_text(letter.get("Subject", "")))):
        return Origin(None, sender, plain.message_id, None)
    return plain


def _passed_on(letter: Message, outer: Origin) -> Origin:
    """A mail attached to another one: its own sender and date, the outer mail's id, and who sent the outer one."""
    inner = _origin(letter)
    return Origin(
        sender=inner.sender,
        forwarded_by=outer.forwarded_by or outer.sender,
        message_id=outer.message_id,
        original_date=inner.original_date,
    )


def _address(letter: Message, header: str) -> str | None:
    found = [address for _, address in getaddresses([_raw(v) for v in letter.get_all(header, [])]) if "@" in address]
    return names.shown(found[0]).lower() if found else None


def _message_id(letter: Message) -> str | None:
    return names.shown(_raw(letter.get("Message-ID", ""))).strip("<> ") or None


def _date(letter: Message) -> datetime | None:
    try:
        date = parsedate_to_datetime(_raw(letter.get("Date", "")))
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _stated_name(part: Message) -> str:
    """The name that the mail gives: RFC 2231, or RFC 2047 though the standard forbids it there, or raw bytes."""
    for parameter, header in (("filename", "content-disposition"), ("name", "content-type")):
        try:
            value = part.get_param(parameter, None, header)
        except (ValueError, IndexError, KeyError, LookupError):
            continue
        if isinstance(value, tuple):
            charset, _, text = value
            return names.decode(text.encode("latin-1", "replace"), charset or None)
        if value:
            return _text(collapse_rfc2231_value(value))
    return ""


def _file_name(part: Message, place: str) -> str:
    stated = _stated_name(part)
    if stated:
        return names.base_name(stated)
    return f"khong-ten-{place}{_SUFFIXES.get(part.get_content_type(), '')}"


def _raw(value: object) -> str:
    """A header as one line of text; raw bytes in it are read as a sender's program would have written them."""
    text = str(value)
    if any("\ud800" <= c <= "\udfff" for c in text):
        text = names.decode(text.encode("utf-8", "surrogateescape"))
    return " ".join(text.split())


def _text(value: object) -> str:
    """A header with its encoded words (RFC 2047) decoded, each by its own charset."""
    text = _raw(value)
    if not _ENCODED_WORD.search(text):
        return names.decode(unquote_to_bytes(text)) if re.search(r"(?:%[0-9A-Fa-f]{2}){2,}", text) else text
    try:
        pieces = decode_header(text)
    except (ValueError, LookupError, MessageError):
        return text
    return _join(pieces)


def _join(pieces: list[tuple[str | bytes, str | None]]) -> str:
    """Neighbouring words of one charset are joined first: programs cut a letter's bytes between two words."""
    joined: list[tuple[str | bytes, str | None]] = []
    for content, charset in pieces:
        if joined and isinstance(content, bytes) and charset and joined[-1][1] == charset:
            before = joined[-1][0]
            joined[-1] = ((before if isinstance(before, bytes) else before.encode()) + content, charset)
        else:
            joined.append((content, charset))
    return "".join(names.decode(c, charset) if isinstance(c, bytes) else c for c, charset in joined)
