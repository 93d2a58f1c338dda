"""The files in a mail, whatever program wrote it and however often it was passed on (cases 13, 15, 41 and 48)."""

from __future__ import annotations

import base64
import unicodedata
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.mime.application import MIMEApplication
from email.mime.base import MIMEBase
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText

import pytest

from etl.collect.inbox.letter import Attachment, attachments

BOOK = b"PK\x03\x04" + bytes(range(256)) * 20
NAME = "Báo cáo xã Quan Sơn tháng 10.xlsx"
SENT = "Fri, 07 Nov 2025 16:20:00 +0700"


def mail(
    name: str = NAME, data: bytes = BOOK, sender: str = "quanson@example.invalid", subject: str = "Báo cáo", n: int = 1
) -> EmailMessage:
    made = EmailMessage()
    made["From"] = f"UBND xã <{sender}>"
    made["Subject"] = subject
    made["Date"] = SENT
    made["Message-ID"] = f"<{n}@example.invalid>"
    made.set_content("Kính gửi")
    made.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    return made


def raw(disposition: bytes, kind: bytes = b"application/octet-stream", data: bytes = BOOK) -> bytes:
    """A mail of one part with exactly these bytes in its headers."""
    return (
        b"From: a@example.invalid\r\nContent-Type: " + kind + b"\r\nContent-Disposition: " + disposition + b"\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\n" + base64.encodebytes(data)
    )


def only(data: bytes) -> Attachment:
    (found,) = attachments(data)
    return found


def word(text: bytes, charset: str) -> bytes:
    return b"=?" + charset.encode() + b"?B?" + base64.b64encode(text) + b"?="


ABC = b"B\xb8o c\xb8o x\xb7 Quan S\xacn th\xb8ng 10.xlsx"
WINDOWS = "Ba\u0301o ca\u0301o xa\u0303 Quan Sơn tha\u0301ng 10.xlsx".encode("cp1258")
NFD = unicodedata.normalize("NFD", NAME)
CUT = "Báo cáo".encode()


@pytest.mark.parametrize(
    "disposition",
    [
        b"attachment; filename*=UTF-8''" + b"".join(b"%%%02X" % b for b in NAME.encode()),
        b"attachment; filename*=UTF-8''" + b"".join(b"%%%02X" % b for b in NFD.encode()),
        b"attachment; filename*0*=UTF-8''B%C3%A1o%20c%C3%A1o%20x%C3%A3;\r\n filename*1*=%20Quan%20S%C6%A1n;\r\n"
        b" filename*2*=%20th%C3%A1ng%2010.xlsx",
        b"attachment; filename*=x-viet-tcvn5712''" + b"".join(b"%%%02X" % b for b in ABC),
        b"attachment; filename*=windows-1258''" + b"".join(b"%%%02X" % b for b in WINDOWS),
        b'attachment; filename="' + word(NAME.encode(), "UTF-8") + b'"',
        b'attachment; filename="' + word(NFD.encode(), "utf-8") + b'"',
        b'attachment; filename="' + word(ABC, "TCVN") + b'"',
        b'attachment; filename="' + word(CUT[:2], "utf-8") + b"\r\n " + word(CUT[2:], "utf-8") + b"\r\n "
        + word(" xã Quan Sơn tháng 10.xlsx".encode(), "utf-8") + b'"',
        b'attachment; filename="' + NAME.encode() + b'"',
        b'attachment; filename="' + ABC + b'"',
        b'attachment; filename="C:\\Users\\ke toan\\' + NAME.encode() + b'"',
        b'inline; filename="' + NAME.encode() + b'"',
    ],
    ids=[
        "rfc2231", "rfc2231 decomposed", "rfc2231 in pieces", "rfc2231 tcvn", "rfc2231 1258", "rfc2047",
        "rfc2047 decomposed", "rfc2047 tcvn", "rfc2047 letter cut in two", "raw utf-8", "raw tcvn", "windows path",
        "inline",
    ],
)  # fmt: skip
def test_a_name_is_read_whatever_program_wrote_it(disposition: bytes):
    found = only(raw(disposition))
    assert found.file_name == NAME
    assert found.data == BOOK


def test_a_file_without_a_name_gets_one_by_its_kind():
    kind = b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    assert only(raw(b"attachment", kind)).file_name == "khong-ten-1.xlsx"
    assert only(raw(b"inline", kind)).data == BOOK


@pytest.mark.parametrize("encoding", ["base64", "quoted-printable"])
def test_the_bytes_are_those_that_were_attached(encoding: str):
    made = EmailMessage()
    made.set_content("Kính gửi")
    made.add_attachment(BOOK, maintype="application", subtype="vnd.ms-excel", filename="BC.xlsx", cte=encoding)
    assert only(made.as_bytes()).data == BOOK


def test_several_files_in_nested_parts_are_all_found_in_their_order():
    outer, inner = MIMEMultipart("mixed"), MIMEMultipart("related")
    inner.attach(MIMEText("<p>Kính gửi</p>", "html"))
    for n in range(3):
        part = MIMEApplication(BOOK + bytes([n]))
        part.add_header("Content-Disposition", "attachment", filename=f"{n}.xlsx")
        (inner if n < 2 else outer).attach(part)
        if n == 1:
            outer.attach(inner)
    assert [(a.part, a.file_name) for a in attachments(outer.as_bytes())] == [
        ("1.2", "0.xlsx"), ("1.3", "1.xlsx"), ("2", "2.xlsx"),
    ]  # fmt: skip


def test_pictures_of_the_letter_and_signatures_are_no_reports_but_a_photo_is():
    made = EmailMessage()
    made.set_content("Kính gửi")
    made.add_alternative('<img src="cid:logo@x">', subtype="html")
    html = made.get_payload()[1]
    html.add_related(b"\x89PNG", "image", "png", cid="<logo@x>", filename="logo.png")
    made.add_attachment(b"\xff\xd8\xff", maintype="image", subtype="jpeg", filename="bao cao chup.jpg")
    made.add_attachment(b"sig", maintype="application", subtype="pkcs7-signature", filename="smime.p7s")
    made.add_attachment("BEGIN:VCARD", subtype="vcard", filename="toi.vcf")
    assert [a.file_name for a in attachments(made.as_bytes())] == ["bao cao chup.jpg"]


def test_a_mail_without_a_file_brings_nothing():
    made = EmailMessage()
    made.set_content("Đã nhận")
    assert attachments(made.as_bytes()) == []


def test_a_mail_says_who_sent_it_and_when():
    origin = only(mail().as_bytes()).origin
    assert (origin.sender, origin.forwarded_by) == ("quanson@example.invalid", None)
    assert (origin.message_id, origin.original_date) == ("1@example.invalid", datetime(2025, 11, 7, 9, 20, tzinfo=UTC))


def passed_on(inner: EmailMessage, by: str, n: int) -> EmailMessage:
    outer = EmailMessage()
    outer["From"], outer["Date"], outer["Message-ID"] = by, "Mon, 10 Nov 2025 08:00:00 +0700", f"<{n}@example.invalid>"
    outer.set_content("Chuyển đồng chí")
    outer.add_attachment(inner)
    return outer


def test_a_mail_attached_to_another_keeps_its_sender_and_date_and_who_passed_it_on():
    origin = only(passed_on(mail(), "canbo@example.invalid", 2).as_bytes()).origin
    assert (origin.sender, origin.forwarded_by) == ("quanson@example.invalid", "canbo@example.invalid")
    assert (origin.message_id, origin.original_date) == ("2@example.invalid", datetime(2025, 11, 7, 9, 20, tzinfo=UTC))


def test_of_a_mail_passed_on_twice_the_last_one_who_did_is_kept():
    twice = passed_on(passed_on(mail(), "first@example.invalid", 2), "last@example.invalid", 3)
    origin = only(twice.as_bytes()).origin
    assert (origin.sender, origin.forwarded_by) == ("quanson@example.invalid", "last@example.invalid")


def test_an_attached_mail_that_a_server_encoded_or_named_eml_is_opened_too():
    inner = mail().as_bytes(policy=policy.SMTP)
    encoded = MIMEMultipart()
    part = MIMEBase("message", "rfc822")
    part["Content-Transfer-Encoding"] = "base64"
    part.set_payload(base64.encodebytes(inner).decode())
    encoded.attach(part)
    assert only(encoded.as_bytes()).file_name == NAME
    named = mail("chuyen tiep.eml", inner, "canbo@example.invalid")
    found = only(named.as_bytes())
    assert (found.file_name, found.origin.forwarded_by) == (NAME, "canbo@example.invalid")


@pytest.mark.parametrize("subject", ["Fwd: Báo cáo", "FW: Báo cáo", "Chuyển tiếp: Báo cáo", "Re: Fwd: Báo cáo"])
def test_a_text_that_was_passed_on_with_its_file_names_no_sender(subject: str):
    origin = only(mail(sender="canbo@example.invalid", subject=subject).as_bytes()).origin
    assert (origin.sender, origin.forwarded_by, origin.original_date) == (None, "canbo@example.invalid", None)


def test_a_mail_sent_on_by_a_server_keeps_its_sender():
    made = mail()
    made["Resent-From"] = "vanthu@example.invalid"
    origin = only(made.as_bytes()).origin
    assert (origin.sender, origin.forwarded_by) == ("quanson@example.invalid", "vanthu@example.invalid")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00\xff" * 500,
        b"From: <<<>>>\r\nDate: 99 Foo 99999\r\nMessage-ID: \x00\r\nContent-Type: multipart/mixed\r\n\r\n--x",
        b"Content-Type: application/octet-stream; name*=nope''%FF; name*1=\"\r\n\r\nx",
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n" * 5000,
    ],
    ids=["empty", "noise", "broken headers", "broken name", "many parts"],
)
def test_no_mail_raises(data: bytes):
    assert isinstance(attachments(data), list)


def nested(levels: int) -> bytes:
    data = raw(b'attachment; filename="BC.xlsx"')
    for n in range(levels):
        head = f"Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n".encode()
        data = head + data + f"\r\n--b{n}--\r\n".encode()
    return data


def test_a_mail_nested_beyond_reason_is_kept_as_a_whole():
    assert only(nested(10)).file_name == "BC.xlsx"
    assert only(nested(60)).file_name.endswith(".eml")
    assert only(nested(2000)).file_name.endswith(".eml")


def test_a_mail_with_too_many_files_is_kept_as_a_whole():
    outer = MIMEMultipart()
    for _ in range(201):
        outer.attach(MIMEApplication(b"x"))
    assert only(outer.as_bytes()).data == outer.as_bytes()
