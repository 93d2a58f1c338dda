"""The receipt: says for every file what was received, what became of it, and what to do next; the same every time."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from pypdf import PdfReader

from etl.validate import receipt
from etl.validate.receipt import Issuer, Lateness, Receipt

ISSUER = Issuer("UBND TỈNH LẠNG SƠN", "SỞ TÀI CHÍNH")


def made(verdict: str = "returned", **more: Any) -> Receipt:
    steps = receipt.next_steps(
        verdict, 2, marked_file="BC.ab12.ket-qua.xlsx", resend_by=date(2025, 11, 11), closed_on=None, send_to=None
    )
    base = Receipt(
        number=7,
        file_name="BC-MTQG_06517_2025-10_v1.xlsx",
        sha256="0123456789abcdef" * 4,
        received_at=datetime(2025, 11, 5, 9, 5, tzinfo=UTC),
        inbox="mailbox",
        sender="hoa@xa.example",
        verdict=verdict,
        commune="Xã Quan Sơn",
        period="2025-10",
        budget_year=2025,
        version=2,
        lateness=Lateness(date(2025, 11, 7), 0, 0),
        errors=3,
        warnings=2,
        infos=0,
        steps=steps,
        code_version="0.1.0",
    )
    return replace(base, **more)


def text(told: Receipt) -> str:
    return receipt.as_text(told, ISSUER)


def test_it_names_file_hash_time_unit_period_version_verdict_and_counts() -> None:
    for part in (
        "BC-MTQG_06517_2025-10_v1.xlsx", "0123456789abcdef" * 4, "16 giờ 05 phút, ngày 05 tháng 11 năm 2025",
        "hộp thư nhận báo cáo", "hoa@xa.example", "Xã Quan Sơn", "tháng 10 năm 2025", "thứ 2 của đơn vị",
        "TRẢ LẠI ĐỂ SỬA", "3 lỗi, 2 cảnh báo", "đúng hạn (hạn gửi: ngày 07/11/2025)", "trước hết ngày 11/11/2025",
        "BC.ab12.ket-qua.xlsx", "Phiên bản chương trình: 0.1.0", "000007",
    ):  # fmt: skip
        assert part in text(made())


def test_lateness_is_told_in_calendar_and_in_working_days() -> None:
    assert "chậm 3 ngày, trong đó 1 ngày làm việc" in text(made(lateness=Lateness(date(2025, 11, 7), 3, 1)))


def test_what_the_file_does_not_say_is_said_to_be_unknown() -> None:
    told = text(made("refused", commune=None, period=None, budget_year=None, version=None, lateness=None, sender=None))
    assert told.count("không xác định được từ tệp") == 2
    assert "KHÔNG TIẾP NHẬN" in told
    assert "Người gửi" not in told


def test_the_closing_year_of_january_is_named() -> None:
    assert "tháng 1 năm 2026 (năm ngân sách 2025)" in text(made(period="2026-01", budget_year=2025))


def test_a_duplicate_says_that_nothing_changed() -> None:
    told = made("accepted", duplicate_of=datetime(2025, 11, 4, 2, 0, tzinfo=UTC), notices=("Tệp này đã nhận.",))
    assert "TỆP ĐÃ NHẬN TỪ TRƯỚC" in text(told)


@pytest.mark.parametrize(
    ("resend_by", "closed_on", "send_to", "said"),
    [
        (date(2025, 11, 7), None, None, "bằng đúng cách đã gửi tệp này, trước hết ngày 07/11/2025"),
        (
            None,
            date(2025, 11, 11),
            "nhan@tinh.example",
            "tới nhan@tinh.example ngay; kỳ này đã chốt số liệu ngày 11/11/2025",
        ),
        (None, None, None, "trong thời gian sớm nhất"),
    ],
)
def test_the_next_step_says_where_and_until_when(resend_by, closed_on, send_to, said: str) -> None:
    steps = receipt.next_steps(
        "returned", 0, marked_file=None, resend_by=resend_by, closed_on=closed_on, send_to=send_to
    )
    assert said in " ".join(steps)


@pytest.mark.parametrize("verdict", ["accepted", "returned", "refused"])
def test_the_pdf_is_one_small_page_with_the_same_words_and_the_same_bytes(verdict: str) -> None:
    told = made(verdict)
    data = receipt.pdf(told, ISSUER)
    assert data == receipt.pdf(told, ISSUER)
    pages = PdfReader(io.BytesIO(data)).pages
    assert len(pages) == 1
    assert [round(float(x) / 72 * 25.4) for x in pages[0].mediabox[2:]] == [148, 210]
    words = " ".join(pages[0].extract_text().split())
    for part in ("GIẤY BIÊN NHẬN BÁO CÁO", "16 giờ 05 phút", "Xã Quan Sơn", receipt.outcome(told)):
        assert part in words


def test_a_long_list_of_lines_and_a_long_name_stay_on_the_paper() -> None:
    lines = receipt.by_form([("B01", f"GNBV-DA{n}-TDA1-SN") for n in range(160)])
    told = made("accepted", file_name="x" * 180 + ".xlsx", lines_title="Các dòng khác nhau:", lines=lines)
    pages = PdfReader(io.BytesIO(receipt.pdf(told, ISSUER))).pages
    assert len(pages) > 1
    words = "".join("".join(p.extract_text().split()) for p in pages)
    assert "GNBV-DA159-TDA1-SN" in words
    assert words.replace("\u200b", "").count("x") >= 180


def test_markup_of_a_file_name_stays_text() -> None:
    told = made(file_name="#panic() $x$ =1+1 \n Bcc: x@y.example", commune="=cmd|'/c calc'!A0\r\nBcc: a@b.example")
    assert "\n" not in receipt.subject(told)
    assert "\r" not in receipt.subject(told)
    assert receipt.pdf(told, ISSUER)[:5] == b"%PDF-"
