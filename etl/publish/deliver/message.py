"""The mail about a release: deterministic, in Vietnamese, with the files of its recipient."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path

from etl import clock
from etl.period import Period
from etl.publish.deliver.recipients import LETTER, MESSAGE, Recipient

CONTENT_TYPES = {
    ".pdf": "application/pdf",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".html": "text/html",
}
_BRIEF = "tom-tat"
_ON_THE_WIRE = 1.38
"""Base64 in lines of 76 letters: how much longer a file gets in a mail."""

_CONTENTS = {
    "bao-cao": "báo cáo và các phụ lục",
    "tom-tat": "tóm tắt trong một trang",
    "bang-bieu": "các bảng số liệu",
    "tong-hop": "trang tổng hợp có biểu đồ, mở bằng trình duyệt",
    "truy-vet": "nguồn gốc của từng số liệu, để cùng thư mục với trang tổng hợp",
    "thu": "thư gửi riêng đơn vị",
}
_USES = {".pdf": ", bản để đọc và in", ".docx": ", bản để chỉnh sửa và ký"}


@dataclass(frozen=True)
class Cover:
    """What the mail says about the release; the sentences come from the figure table.

    ``rest``: files of the recipient that the mail would be too large with, ``archive_url`` where they can be had.
    ``text``: instead of all that, the whole body.
    """

    release_id: str
    period: Period
    known_at: datetime
    sentences: tuple[str, ...]
    attachments: tuple[Path, ...]
    sender: str
    rest: tuple[Path, ...] = ()
    archive_url: str | None = None
    text: str | None = None


def cover_of(
    release_id: str,
    period: Period,
    known_at: datetime,
    sentences: Sequence[str],
    artifacts: Sequence[Path],
    sender: str,
    limit_bytes: float | None = None,
    archive_url: str | None = None,
) -> Cover:
    """The cover with those files that are mailed (PDF, DOCX, XLSX, HTML), in that order of kinds.

    A recipient of nothing but the short message gets it as the body. With ``limit_bytes``: a mail that would be larger
    carries the brief alone (its PDF where there is one), and says where the rest is.
    """
    order = list(CONTENT_TYPES)
    mailed = sorted((path for path in artifacts if path.suffix in order), key=lambda p: (order.index(p.suffix), p.name))
    messages = [path for path in artifacts if path.name.startswith(f"{MESSAGE}-")]
    text = messages[0].read_text(encoding="utf-8") if messages and not mailed else None
    carried = mailed
    if limit_bytes is not None and sum(path.stat().st_size for path in mailed) * _ON_THE_WIRE > limit_bytes:
        carried = [path for path in mailed if path.name.startswith(_BRIEF)][:1]
        if sum(path.stat().st_size for path in carried) * _ON_THE_WIRE > limit_bytes:
            carried = []
    rest = tuple(path for path in mailed if path not in carried)
    return Cover(
        release_id, period, known_at, tuple(sentences), tuple(carried), sender, rest, archive_url, text
    )  # fmt: skip


def compose(cover: Cover, recipient: Recipient, attempt: int = 1) -> EmailMessage:
    """The mail of one recipient; the same bytes for the same release, recipient and attempt.

    Date is the moment that the release froze; Message-ID and boundary come from release, recipient and, when a person
    had it sent once more, the attempt: so that a mail that comes back tells which of them it was.
    """
    repeated = f"|{attempt}" if attempt > 1 else ""
    identity = hashlib.sha256(f"{cover.release_id}|{recipient.code}{repeated}".encode()).hexdigest()[:32]
    message = EmailMessage(policy=SMTP)
    message["From"] = cover.sender
    message["To"] = recipient.email
    message["Subject"] = (
        f"Báo cáo tổng hợp các Chương trình mục tiêu quốc gia {cover.period.vi} (bản {cover.release_id})"
    )
    message["Date"] = format_datetime(cover.known_at)
    message["Message-ID"] = f"<{cover.release_id}.{identity}@{cover.sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message["Content-Language"] = "vi"
    message.set_content(_body(cover, recipient) if cover.text is None else cover.text, cte="base64")
    for path in cover.attachments:
        maintype, _, subtype = CONTENT_TYPES.get(path.suffix, "application/octet-stream").partition("/")
        message.add_attachment(path.read_bytes(), maintype=maintype, subtype=subtype, filename=_shown(path))
    if message.is_multipart():
        message.set_boundary(f"=_{identity}")
    return message


def _shown(path: Path) -> str:
    """The name that a file has outside the release's folder: ``thu-06517.pdf`` for ``thu/06517.pdf``."""
    return f"{LETTER}-{path.name}" if path.parent.name == LETTER else path.name


def _content(name: str) -> str:
    """What a file of the pack holds; nothing for a file of another kind."""
    kind = next((text for prefix, text in _CONTENTS.items() if name.startswith(prefix)), "")
    return f": {kind}{_USES.get(Path(name).suffix, '')}" if kind else ""


def _body(cover: Cover, recipient: Recipient) -> str:
    files = [f"  {_shown(path)}{_content(_shown(path))}" for path in cover.attachments]
    is_letter = bool(cover.attachments) and all(path.parent.name == LETTER for path in cover.attachments)
    what = (
        "thư thông báo kết quả của đơn vị trong" if is_letter else "Báo cáo tổng hợp tình hình thực hiện"
    ) + f" các Chương trình mục tiêu quốc gia {cover.period.vi}."
    return "\n".join(
        [
            f"Kính gửi: {recipient.name_vi}",
            "",
            f"Xin trân trọng gửi {what}",
            f"Bản phát hành {cover.release_id}, số liệu chốt lúc {clock.show(cover.known_at)}.",
            "",
            *cover.sentences,
            "",
            *(["Tệp kèm theo:", *files, ""] if files else []),
            *_elsewhere(cover),
            "Thư do hệ thống Tiến độ gửi tự động, mỗi nơi nhận một lần cho mỗi bản phát hành.",
            "",
        ]
    )


def _elsewhere(cover: Cover) -> list[str]:
    """Where the files are that the mail cannot carry."""
    if not cover.rest:
        return []
    where = (
        f"tải tại {cover.archive_url.rstrip('/')}/"
        if cover.archive_url
        else f"đề nghị cơ quan gửi thư cung cấp, ghi rõ bản phát hành {cover.release_id}"
    )
    sizes = [f"  {_shown(path)}{_content(_shown(path))} ({_megabytes(path)} MB)" for path in cover.rest]
    return [f"Thư có dung lượng vượt giới hạn nên không kèm các tệp sau, {where}:", *sizes, ""]


def _megabytes(path: Path) -> str:
    return f"{path.stat().st_size / 1_000_000:.1f}".replace(".", ",")
