"""The receipt (giấy biên nhận): what a sender gets for every file, accepted or not, to be filed.

As text of a mail and as a small PDF. Deterministic: no clock is read; the same receipt gives the same bytes. On time or
late is judged by the calendar's due date on Vietnamese days; working days follow the table of holidays and make-up days
(law 15, DOMAIN.md 4.2).
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from etl import clock
from etl.period import Period
from etl.validate import wording

TITLE = "GIẤY BIÊN NHẬN BÁO CÁO"
_INBOXES = {
    "folder": "thư mục nhận báo cáo",
    "sftp": "máy chủ SFTP",
    "s3": "kho tệp S3",
    "imap": "hộp thư nhận báo cáo",
    "mail": "hộp thư nhận báo cáo",
    "mailbox": "hộp thư nhận báo cáo",
}
_LONG_WORD = re.compile(r"\S{25,}")
_UNKNOWN = "không xác định được từ tệp"
_HASH = "Mã kiểm tra (sha256)"


@dataclass(frozen=True)
class Lateness:
    """Due date of the period and how far behind it the file came; 0 when on time."""

    due_on: date
    days: int
    working_days: int


@dataclass(frozen=True)
class Receipt:
    """One delivery and what became of it.

    ``version``: the how-manieth submission of that commune and period this is. ``duplicate_of``: when the same bytes
    had been received before. ``lines``: lines in which this report differs from the one that it replaced, headed by
    ``lines_title``. ``steps``: what the sender has to do next.
    """

    number: int
    file_name: str
    sha256: str
    received_at: datetime
    inbox: str
    sender: str | None
    verdict: str
    commune: str | None
    period: str | None
    budget_year: int | None
    version: int | None
    lateness: Lateness | None
    errors: int
    warnings: int
    infos: int
    steps: tuple[str, ...]
    code_version: str
    duplicate_of: datetime | None = None
    notices: tuple[str, ...] = ()
    lines_title: str = ""
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class Issuer:
    """Who issues receipts: the letterhead of the province's report."""

    parent_body: str
    name: str


def moment(at: datetime) -> str:
    """``16 giờ 05 phút, ngày 05 tháng 11 năm 2025``, Vietnamese time."""
    return at.astimezone(clock.LOCAL).strftime("%H giờ %M phút, ngày %d tháng %m năm %Y")


def place(inbox: str) -> str:
    """The inbox as a sender knows it."""
    return _INBOXES.get(inbox.partition(":")[0].lower(), inbox)


def outcome(receipt: Receipt) -> str:
    if receipt.duplicate_of is not None:
        return f"TỆP ĐÃ NHẬN TỪ TRƯỚC ({wording.VERDICTS[receipt.verdict]})"
    return wording.VERDICTS[receipt.verdict]


def subject(receipt: Receipt) -> str:
    """Subject of the mail."""
    about = " ".join(t for t in (receipt.commune, _period(receipt)) if t) or receipt.file_name[:60]
    return " ".join(f"Biên nhận báo cáo {about}: {outcome(receipt).lower()}".split())


def rows(receipt: Receipt) -> list[tuple[str, str]]:
    """Label and text of the receipt's table, in order."""
    found = [
        ("Tên tệp", receipt.file_name),
        (_HASH, receipt.sha256),
        ("Thời điểm nhận", moment(receipt.received_at)),
        ("Nơi nhận", place(receipt.inbox)),
    ]
    if receipt.sender:
        found.append(("Người gửi", receipt.sender))
    found += [
        ("Đơn vị báo cáo", receipt.commune or _UNKNOWN),
        ("Kỳ báo cáo", _period(receipt) or _UNKNOWN),
    ]
    if receipt.version is not None:
        found.append(("Lần gửi", f"thứ {receipt.version} của đơn vị trong kỳ này"))
    if receipt.lateness is not None:
        found.append(("Thời hạn", _lateness(receipt.lateness)))
    counts = f"{receipt.errors} lỗi, {receipt.warnings} cảnh báo"
    found.append(("Kết quả kiểm tra", counts + (f", {receipt.infos} lưu ý" if receipt.infos else "")))
    return [(label, wording.harmless(" ".join(text.split()))) for label, text in found]


def _period(receipt: Receipt) -> str:
    if not receipt.period:
        return ""
    period = Period.parse(receipt.period)
    year = receipt.budget_year
    return period.vi + (f" (năm ngân sách {year})" if year and year != period.year else "")


def _lateness(lateness: Lateness) -> str:
    due = f"hạn gửi: ngày {clock.show_date(lateness.due_on)}"
    if lateness.days <= 0:
        return f"đúng hạn ({due})"
    return f"chậm {lateness.days} ngày, trong đó {lateness.working_days} ngày làm việc ({due})"


def as_text(receipt: Receipt, issuer: Issuer) -> str:
    """The receipt as body of a mail."""
    parts = [
        issuer.parent_body,
        issuer.name,
        "",
        TITLE,
        _number(receipt),
        "",
        f"KẾT QUẢ: {outcome(receipt)}",
        *(f"LƯU Ý: {notice}" for notice in receipt.notices),
        "",
        *(f"{label}: {text}" for label, text in rows(receipt)),
        "",
    ]
    if receipt.lines:
        parts += [receipt.lines_title, *(f"  - {line}" for line in receipt.lines), ""]
    parts += ["Việc cần làm tiếp theo:", *(f"  - {step}" for step in receipt.steps), "", _footer(receipt), ""]
    return "\n".join(parts)


def _number(receipt: Receipt) -> str:
    return f"Số: {receipt.number:06d}/BN-TĐ"


def _footer(receipt: Receipt) -> str:
    return (
        "Biên nhận do hệ thống Tiến độ lập tự động, không thay cho bản giấy đã ký. "
        f"Phiên bản chương trình: {receipt.code_version}."
    )


def pdf(receipt: Receipt, issuer: Issuer) -> bytes:
    """The receipt as PDF, A5; the moment of receipt is its only date."""
    from etl.publish import typesetting

    data: dict[str, Any] = {
        "title": TITLE,
        "number": _number(receipt),
        "parent_body": issuer.parent_body,
        "issuer": issuer.name,
        "verdict": receipt.verdict,
        "outcome": outcome(receipt),
        "notices": [_breakable(notice) for notice in receipt.notices],
        "rows": [[label, text if label == _HASH else _breakable(text)] for label, text in rows(receipt)],
        "mono": _HASH,
        "lines_title": receipt.lines_title,
        "lines": list(receipt.lines),
        "steps": [_breakable(step) for step in receipt.steps],
        "footer": _footer(receipt),
    }
    template = Path(typesetting.__file__).parent / "templates" / "receipt.typ"
    return typesetting.pdf(template, json.dumps(data, ensure_ascii=False), int(receipt.received_at.timestamp()))


def _breakable(text: str) -> str:
    """Places at which a long word (a file name) may go on in the next line."""
    return _LONG_WORD.sub(lambda m: re.sub(r"(?<=[_.\-/])|(?<=\w{16})(?=\w{3})", "\u200b", m[0]), text)


def next_steps(
    verdict: str,
    warnings: int,
    *,
    marked_file: str | None,
    resend_by: date | None,
    closed_on: date | None,
    send_to: str | None,
    is_late_revision: bool = False,
    has_earlier: bool = False,
) -> tuple[str, ...]:
    """What the sender has to do.

    ``resend_by``: last day for a corrected file; ``closed_on``: the cut-off, told when that day is over.
    ``has_earlier``: a report of this commune and period was accepted before; it stays in force (case 43).
    """
    if verdict == "accepted":
        steps = []
        if is_late_revision:
            steps.append(
                "Kỳ báo cáo này đã công bố. Báo cáo được lưu là bản điều chỉnh và chờ người có thẩm quyền quyết định; "
                "số liệu đã công bố không thay đổi."
            )
        else:
            steps.append("Số liệu đã được ghi nhận để tổng hợp; không phải gửi lại.")
        if warnings:
            steps.append(
                f"Có {warnings} cảnh báo: kiểm tra các ô tô vàng{_in(marked_file)}; số liệu sai thì sửa và gửi lại, "
                "đúng thì giải trình ở cột Ghi chú của kỳ sau."
            )
        steps.append("Bản giấy đã ký gửi theo quy định; nếu khác tệp này thì báo ngay cho cơ quan nhận.")
        return tuple(steps)
    steps = [
        f"Số liệu của tệp này CHƯA được tổng hợp. Sửa các ô tô đỏ{_in(marked_file)} (trang đầu Kết quả kiểm tra nêu "
        "từng lỗi và cách sửa)."
        if verdict == "returned"
        else "Tệp không mở được nên CHƯA kiểm tra số liệu. Thực hiện theo hướng dẫn ở trang Kết quả kiểm tra"
        f"{_in(marked_file)}."
    ]
    where = f"tới {send_to}" if send_to else "bằng đúng cách đã gửi tệp này"
    if resend_by:
        steps.append(f"Gửi lại {where}, trước hết ngày {clock.show_date(resend_by)}.")
    elif closed_on:
        steps.append(f"Gửi lại {where} ngay; kỳ này đã chốt số liệu ngày {clock.show_date(closed_on)}.")
    else:
        steps.append(f"Gửi lại {where} trong thời gian sớm nhất.")
    steps.append(
        "Báo cáo đã tiếp nhận trước đó của đơn vị vẫn có giá trị; không nhận được tệp sửa thì số liệu của báo cáo đó "
        "được tổng hợp."
        if has_earlier
        else "Không nhận được tệp sửa thì đơn vị được tổng hợp là chưa báo cáo."
    )
    return tuple(steps)


def _in(marked_file: str | None) -> str:
    return f" trong tệp {marked_file}" if marked_file else ""


def by_form(lines: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """``(form, line)`` pairs as they are listed: ``Biểu 01 · GNBV-DA2-SN``."""
    return tuple(f"Biểu {form.removeprefix('B')} · {line}" for form, line in lines)
