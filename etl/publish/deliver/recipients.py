"""Who is sent to: ``recipients.csv`` of the province. Which files, by kind; by which channel."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from etl.errors import UsageError
from etl.reference.province import read_csv

GROUPS = {
    "committee": "Ban Chỉ đạo",
    "department": "Sở, ngành",
    "commune": "Xã, phường",
    "archive": "Lưu trữ",
}
CHANNELS = ("smtp", "outbox", "store")
"""``smtp``: by mail, through the server of the settings, else into the outbox; ``outbox``: always a file there, for a
program that carries it on; ``store``: into the object store."""

ALL = "*"
LETTER = "thu"
MESSAGE = "tin-nhan"


@dataclass(frozen=True)
class Recipient:
    """One row of recipients.csv. ``code`` is what the delivery is booked under; the address may change.

    ``files``: kinds of files (``tom-tat``; ``tom-tat.pdf``: only that format; ``thu``: its own letter; ``tin-nhan``:
    the short message; ``*``: everything).
    """

    code: str
    name_vi: str
    email: str
    role_vi: str
    group: str = "committee"
    channel: str = "smtp"
    files: tuple[str, ...] = ("tom-tat", "bao-cao", "bang-bieu", "tong-hop", "truy-vet")


def active_recipients(folder: Path) -> list[Recipient]:
    """Recipients in use, in the order of ``recipients.csv`` in the province's folder.

    Raises UsageError naming the line of a group or channel that does not exist, or of a code that stands twice.
    """
    found: dict[str, Recipient] = {}
    for number, row in enumerate(read_csv(folder / "recipients.csv"), 2):
        where = f"{folder.name}/recipients.csv dòng {number}"
        if row["group"] not in GROUPS:
            raise UsageError(f"{where}: nhóm phải là {', '.join(GROUPS)}; đang ghi {row['group']!r}.")
        if row["channel"] not in CHANNELS:
            raise UsageError(f"{where}: kênh gửi phải là {', '.join(CHANNELS)}; đang ghi {row['channel']!r}.")
        if row["active"] != "yes":
            continue
        if row["recipient_code"] in found:
            raise UsageError(f"{where}: mã nơi nhận {row['recipient_code']} đã có ở dòng trước; sửa cho khác nhau.")
        if row["channel"] == "smtp" and "@" not in row["email"]:
            raise UsageError(f"{where}: {row['name_vi']} nhận qua thư nhưng chưa có địa chỉ; ghi cột email.")
        found[row["recipient_code"]] = Recipient(
            row["recipient_code"],
            row["name_vi"],
            row["email"],
            row["role_vi"],
            row["group"],
            row["channel"],
            tuple(part.strip() for part in row["files"].split(",") if part.strip()),
        )
    return list(found.values())


def files_for(recipient: Recipient, names: Iterable[str]) -> list[str]:
    """Those of a release's files that the recipient gets, in the given order."""
    return [name for name in names if any(_is_of(name, kind, recipient.code) for kind in recipient.files)]


def _is_of(name: str, kind: str, code: str) -> bool:
    """A name is a kind, then the period: ``bao-cao-2025-10.pdf``."""
    if kind == ALL:
        return True
    folder, _, base = name.rpartition("/")
    stem, _, suffix = base.rpartition(".")
    if folder:
        return (folder, stem) == (LETTER, code) and kind == LETTER
    wanted, _, form = kind.partition(".")
    return re.fullmatch(rf"{re.escape(wanted)}(-\d.*)?", stem) is not None and form in ("", suffix)
