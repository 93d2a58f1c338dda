"""What goes back: a marked workbook, a receipt for every delivery, one mail per delivery to a known sender."""

from __future__ import annotations

import email
import email.policy
import io
import os
import shutil
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from etl import settings, steps
from etl.collect import archive
from etl.errors import InfrastructureError
from etl.load import warehouse
from etl.publish import deliver
from etl.validate import markup
from tests.builders import QUAN_SON, edited, name, workbook
from tests.sql import builders
from tests.sql.conftest import NOW
from tests.sql.test_load import Killed, collect, corrected, put
from tests.sql.test_resubmission import LATER, differing, publish

OUT = Path("out", "2025-10", "tra-lai")
ON_TIME = NOW - timedelta(days=7)


def wrong(commune: str = "06463") -> bytes:
    def spoil(book: Any) -> None:
        book["B01-GiaiNgan"]["L14"] = "không"

    return edited(spoil, workbook(commune), values=True)


def files(home: Path, pattern: str) -> list[Path]:
    return sorted((home / OUT).glob(pattern))


def receipts(home: Path) -> list[str]:
    return [p.read_text(encoding="utf-8") for p in files(home, "*.bien-nhan.txt")]


def mailed(home: Path, data: bytes, sender: str | None, file_name: str = name(), at: Any = ON_TIME) -> None:
    sha256 = archive.store(home / "archive", data)
    with warehouse.connect() as connection:
        builders.delivered(connection, "mailbox", file_name, sha256, at, at, sender=sender)


def outbox(home: Path) -> list[EmailMessage]:
    return [
        email.message_from_bytes(p.read_bytes(), policy=email.policy.default)
        for p in sorted((home / "outbox").glob("*.eml"))
    ]  # type: ignore[misc]


def body(message: EmailMessage) -> str:
    return message.get_body(("plain",)).get_content()


# Files ---------------------------------------------------------------------------------------------------------------


def test_every_file_gets_a_receipt_and_only_one_with_findings_a_marked_workbook(empty: Path) -> None:
    put(empty, workbook(QUAN_SON), name(QUAN_SON), ON_TIME)
    put(empty, wrong(), name(), ON_TIME)
    put(empty, b"%PDF-1.4", "quet.pdf", ON_TIME)
    collect(ON_TIME)
    result = steps.hand_back(ON_TIME)
    assert (result["written"], result["receipts"], result["with_findings"]) == (2, 3, 2)
    assert len(files(empty, "*.ket-qua.xlsx")) == 1
    assert len(list((empty / "out" / "khong-ro-ky" / "tra-lai").glob("quet.*.ket-qua.xlsx"))) == 1
    texts = {v: t for t in receipts(empty) for v in ("ĐÃ TIẾP NHẬN", "TRẢ LẠI ĐỂ SỬA") if v in t}
    assert set(texts) == {"ĐÃ TIẾP NHẬN", "TRẢ LẠI ĐỂ SỬA"}
    assert "đúng hạn" in texts["ĐÃ TIẾP NHẬN"]
    assert "trước hết ngày 07/11/2025" in texts["TRẢ LẠI ĐỂ SỬA"]
    assert "Lần gửi: thứ 1" in texts["TRẢ LẠI ĐỂ SỬA"]


def test_running_again_writes_nothing_and_a_lost_file_comes_back_with_the_same_bytes(empty: Path) -> None:
    put(empty, wrong(), name(), ON_TIME)
    collect(ON_TIME)
    steps.hand_back(ON_TIME)
    before = {p.name: p.read_bytes() for p in files(empty, "*")}
    put(empty, corrected(), name().replace("_v1", "_v2"), LATER)
    collect(LATER)
    again = steps.hand_back(LATER)
    assert (again["written"], again["receipts"]) == (0, 1)
    shutil.rmtree(empty / "out")
    steps.hand_back(LATER + timedelta(days=30))
    after = {p.name: p.read_bytes() for p in files(empty, "*")}
    assert {n: after[n] for n in before} == before
    assert len(after) == len(before) + 2


def test_a_late_report_is_told_by_how_many_days_and_until_when_to_resend(empty: Path) -> None:
    put(empty, wrong(), name(), NOW - timedelta(days=2))
    collect(NOW)
    steps.hand_back(NOW)
    (text,) = receipts(empty)
    assert "chậm 3 ngày, trong đó 1 ngày làm việc (hạn gửi: ngày 07/11/2025)" in text
    assert "trước hết ngày 11/11/2025" in text


def test_the_same_bytes_again_get_a_receipt_that_says_so(empty: Path) -> None:
    put(empty, workbook(), name(), ON_TIME)
    collect(ON_TIME)
    steps.hand_back(ON_TIME)
    put(empty, workbook(), "ban sao.xlsx", ON_TIME + timedelta(hours=1))
    collect(NOW)
    assert steps.hand_back(NOW)["receipts"] == 1
    text = next(t for t in receipts(empty) if "ban sao.xlsx" in t)
    assert "Tệp này đã nhận lúc" in text
    assert "không thay đổi" in text


def test_a_corrected_version_is_the_second_and_the_receipt_counts_the_returned_one(empty: Path) -> None:
    put(empty, wrong(), name(), ON_TIME)
    collect(ON_TIME)
    put(empty, corrected(), name().replace("_v1", "_v2"), LATER)
    collect(LATER)
    steps.hand_back(LATER)
    assert sorted(line for t in receipts(empty) for line in t.splitlines() if line.startswith("Lần gửi")) == [
        "Lần gửi: thứ 1 của đơn vị trong kỳ này", "Lần gửi: thứ 2 của đơn vị trong kỳ này",
    ]  # fmt: skip


def test_a_wrong_version_after_a_good_one_is_told_that_the_good_one_stays(empty: Path) -> None:
    put(empty, workbook(), name(), ON_TIME)
    collect(ON_TIME)
    put(empty, wrong(), name().replace("_v1", "_v2"), LATER)
    collect(LATER)
    steps.hand_back(LATER)
    text = next(t for t in receipts(empty) if "_v2" in t)
    assert "Báo cáo đã tiếp nhận trước đó của đơn vị vẫn có giá trị" in text
    assert "chưa báo cáo" not in text


def test_a_late_revision_is_told_that_it_waits(empty: Path) -> None:
    put(empty, workbook(), name(), ON_TIME)
    collect(ON_TIME)
    with warehouse.connect() as connection:
        publish(connection, NOW)
    put(empty, corrected(), name().replace("_v1", "_v2"), LATER)
    collect(LATER)
    steps.hand_back(LATER)
    text = next(t for t in receipts(empty) if "_v2" in t)
    assert "bản điều chỉnh, chờ quyết định" in text
    assert "số liệu đã công bố không thay đổi" in text


def test_a_file_name_cannot_leave_the_folder(empty: Path) -> None:
    data = wrong()
    sha256 = archive.store(empty / "archive", data)
    with warehouse.connect() as connection:
        for odd in ("../../../x.xlsx", "..", "a\\b:c|d.xlsx", "ệ" * 200 + ".xlsx", "\x01.xlsx"):
            builders.delivered(connection, "mailbox", odd, sha256, ON_TIME, ON_TIME)
    steps.process_received(ON_TIME)
    assert steps.hand_back(ON_TIME)["receipts"] == 5
    inside = {"tra-lai", "archive", "data-docs"}
    outside = [p for p in empty.rglob("*") if p.is_file() and inside.isdisjoint(p.parts)]
    assert outside == []
    assert all(len(os.fsencode(p.name)) < 255 for p in empty.rglob("*"))


# Two offices ---------------------------------------------------------------------------------------------------------


def test_both_offices_are_told_and_see_the_lines_that_differ(empty: Path) -> None:
    mailed(empty, workbook(), "ke-toan@xa.example")
    steps.process_received(ON_TIME)
    steps.hand_back(ON_TIME)
    mailed(empty, differing(range(14, 60)), "dia-chinh@xa.example", name().replace("_v1", "_v1 moi"), LATER)
    steps.process_received(LATER)
    result = steps.hand_back(LATER)
    assert result["mails"]["delivered"] == 2
    to = {m["To"]: body(m) for m in outbox(empty)}
    new, old = to["dia-chinh@xa.example"], [body(m) for m in outbox(empty) if m["To"] == "ke-toan@xa.example"]
    assert "thay bản do" in new
    assert len(old) == 2
    notice = next(t for t in old if "đã được thay bằng một bản khác" in t)
    for text in (new, notice):
        assert "Biểu 01 · GNBV-DA4-TDA3-SN" in text
    assert "ke-toan@xa.example" not in new
    page = load_workbook(io.BytesIO(files(empty, "*v1 moi*.xlsx")[0].read_bytes()))[markup.RESULT_SHEET]
    shown = " ".join(str(c.value) for row in page.iter_rows() for c in row if c.value)
    assert "Biểu 01 · GNBV-DA4-TDA3-SN" in shown
    assert steps.hand_back(LATER)["mails"]["delivered"] == 0


def test_without_addresses_the_notice_lies_beside_the_receipts(empty: Path) -> None:
    put(empty, workbook(), name(), ON_TIME)
    collect(ON_TIME)
    put(empty, differing(range(14, 60)), name().replace("_v1", "_v1 moi"), LATER)
    collect(LATER)
    steps.hand_back(LATER)
    assert len(files(empty, "*.thay-boi-*.bien-nhan.pdf")) == 1
    assert not (empty / "outbox").exists()


# Mail ----------------------------------------------------------------------------------------------------------------


def test_a_known_sender_gets_one_mail_with_receipt_and_workbook(empty: Path) -> None:
    mailed(empty, wrong(), "Hoa@xa.example")
    steps.process_received(ON_TIME)
    assert steps.hand_back(ON_TIME)["mails"] == {"delivered": 1, "already": 0, "failed": 0, "unknown": 0}
    (message,) = outbox(empty)
    assert message["To"] == "Hoa@xa.example"
    assert message["Auto-Submitted"] == "auto-replied"
    assert "trả lại để sửa" in message["Subject"]
    assert [Path(p.get_filename()).suffix for p in message.iter_attachments()] == [".xlsx", ".pdf"]
    shutil.rmtree(empty / "outbox")
    shutil.rmtree(empty / "out")
    steps.hand_back(LATER)
    assert outbox(empty) == []


@pytest.mark.parametrize(
    "sender", [None, "", "không rõ", "a@b.example, c@d.example", "x@y.example\nBcc: z@y.example", "tiendo@localhost"]
)
def test_no_mail_goes_to_a_sender_who_is_not_known(empty: Path, sender: str | None) -> None:
    mailed(empty, wrong(), sender)
    steps.process_received(ON_TIME)
    assert steps.hand_back(ON_TIME)["receipts"] == 1
    assert outbox(empty) == []


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_run_that_dies_while_sending_never_sends_twice(empty: Path, monkeypatch, when: str) -> None:
    mailed(empty, wrong(), "hoa@xa.example")
    steps.process_received(ON_TIME)
    real = deliver.Outbox.send

    def dies(self: Any, *args: Any) -> None:
        if when == "after":
            real(self, *args)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(deliver.Outbox, "send", dies)
        with pytest.raises(Killed):
            steps.hand_back(ON_TIME)
    steps.hand_back(LATER)
    assert len(outbox(empty)) == (1 if when == "after" else 0)
    with warehouse.connect() as connection:
        assert connection.execute("select state from raw.reply").fetchall() == [("claimed",)]


def test_a_mail_server_that_is_down_claims_nothing_and_the_files_are_there(empty: Path) -> None:
    mailed(empty, wrong(), "hoa@xa.example")
    put(empty, workbook(QUAN_SON), name(QUAN_SON), ON_TIME)
    collect(ON_TIME)
    with pytest.raises(InfrastructureError):
        steps.hand_back(ON_TIME, smtp_url="smtp://127.0.0.1:1")
    assert len(receipts(empty)) == 2
    with warehouse.connect() as connection:
        assert connection.execute("select count(*) from raw.reply").fetchone() == (0,)
    assert settings.get().smtp_url is None
