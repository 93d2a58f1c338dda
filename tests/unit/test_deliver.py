"""Law 11: at most once per release, recipient and channel; what is not certain is shown as unknown."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import psycopg
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword

from etl import settings
from etl.errors import InfrastructureError, UsageError
from etl.load.warehouse import connect
from etl.period import Period
from etl.publish import deliver as d
from etl.publish.deliver import channels

KNOWN_AT = datetime(2025, 11, 12, 1, 30, tzinfo=UTC)
NOW = datetime(2025, 11, 14, 2, 0, tzinfo=UTC)
CHAIR = d.Recipient("truong_ban", "Trưởng Ban Chỉ đạo", "truong-ban@bcd.example.invalid", "Trưởng Ban")
FINANCE = d.Recipient("so_tai_chinh", "Sở Tài chính", "so-tai-chinh@bcd.example.invalid", "Thành viên")
OFFICE = d.Recipient("van_phong", "Văn phòng UBND tỉnh", "van-phong@bcd.example.invalid", "Giúp việc")


class Handler:
    """A mail server's memory: what it accepted, whom it refuses."""

    def __init__(self) -> None:
        self.accepted: list[Envelope] = []
        self.refused: set[str] = set()

    async def handle_RCPT(self, server: Any, session: Any, envelope: Envelope, address: str, options: Any) -> str:
        if address in self.refused:
            return "550 5.1.1 hop thu khong ton tai"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:
        self.accepted.append(envelope)
        return "250 OK"


def started(handler: Handler, **options: Any) -> tuple[Controller, str]:
    """A real SMTP server on a free port of the loopback interface, and its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller = Controller(handler, hostname="127.0.0.1", port=port, **options)
    controller.start()
    return controller, str(port)


@pytest.fixture
def mail_server() -> Iterator[tuple[Handler, str]]:
    handler = Handler()
    controller, port = started(handler)
    yield handler, f"smtp://127.0.0.1:{port}"
    controller.stop()


class DiesAfterTheMail(socketserver.StreamRequestHandler):
    """Takes the whole mail and hangs up instead of answering: nobody can know whether it was accepted."""

    def handle(self) -> None:
        self.wfile.write(b"220 ready\r\n")
        in_data = False
        while line := self.rfile.readline():
            if in_data:
                if line == b".\r\n":
                    return
                continue
            in_data = line.upper().startswith(b"DATA")
            self.wfile.write(b"354 go ahead\r\n" if in_data else b"250 ok\r\n")


@pytest.fixture
def dying_server() -> Iterator[str]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), DiesAfterTheMail) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"smtp://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.fixture
def connection(warehouse: str) -> Iterator[psycopg.Connection[Any]]:
    with connect() as opened:
        yield opened


@pytest.fixture
def release_id(connection: psycopg.Connection[Any], request: pytest.FixtureRequest) -> str:
    """A frozen release of its own for each test."""
    number = int(connection.execute("select count(*) + 1 from release.release").fetchone()[0])
    name = f"2025-10-r{number}"
    connection.execute(
        "insert into release.release (release_id, period, budget_year, release_no, as_of, known_at, "
        "facts_sha256, created_at) values (%s, '2025-10', 2025, %s, '2025-10-31', %s, %s, %s)",
        (name, number, KNOWN_AT, "0" * 64, NOW),
    )
    connection.commit()
    return name


def cover(release_id: str, folder: Path) -> d.Cover:
    files = []
    for name in ("bao-cao.html", "bao-cao.docx", "bao-cao.pdf", "bang-so-lieu.xlsx", "figures.json"):
        path = folder / name
        path.write_bytes(f"nội dung {name}".encode())
        files.append(path)
    return d.cover_of(
        release_id,
        Period(2025, 10),
        KNOWN_AT,
        ["Lũy kế giải ngân đến hết ngày 31/10/2025 là 701,2 tỷ đồng, đạt 40,15%."],
        files,
        "tiendo@bcd.example.invalid",
    )


def send(
    connection: psycopg.Connection[Any],
    release_id: str,
    channel: d.Channel,
    folder: Path,
    recipients: tuple[d.Recipient, ...] = (CHAIR, FINANCE),
    **options: bool,
) -> dict[str, int]:
    letter = cover(release_id, folder)
    return d.deliver(
        connection, release_id, recipients, lambda r: d.compose(letter, r), channel, NOW, **options
    ).as_dict()


def rows(connection: psycopg.Connection[Any], release_id: str) -> dict[str, tuple[str, str]]:
    found = connection.execute(
        "select recipient, state, detail from release.delivery where release_id = %s", (release_id,)
    ).fetchall()
    return {recipient: (state, detail) for recipient, state, detail in found}


def outcome(delivered: int = 0, already: int = 0, failed: int = 0, unknown: int = 0) -> dict[str, int]:
    return {"delivered": delivered, "already": already, "failed": failed, "unknown": unknown}


def test_every_recipient_gets_the_mail_over_smtp(connection, release_id, mail_server, tmp_path):
    handler, url = mail_server
    assert send(connection, release_id, d.Smtp(url), tmp_path) == outcome(delivered=2)
    assert [envelope.rcpt_tos for envelope in handler.accepted] == [[CHAIR.email], [FINANCE.email]]
    assert rows(connection, release_id)["truong_ban"] == ("sent", CHAIR.email)


def test_a_second_call_sends_nothing(connection, release_id, mail_server, tmp_path):
    handler, url = mail_server
    send(connection, release_id, d.Smtp(url), tmp_path)
    assert send(connection, release_id, d.Smtp(url), tmp_path) == outcome(already=2)
    assert len(handler.accepted) == 2


def test_a_recipient_added_later_is_the_only_one_sent_to(connection, release_id, mail_server, tmp_path):
    handler, url = mail_server
    send(connection, release_id, d.Smtp(url), tmp_path, (CHAIR,))
    assert send(connection, release_id, d.Smtp(url), tmp_path, (CHAIR, OFFICE)) == outcome(1, 1)
    assert handler.accepted[-1].rcpt_tos == [OFFICE.email]


def test_a_refused_recipient_is_failed_with_the_servers_words_and_the_others_get_theirs(
    connection, release_id, mail_server, tmp_path
):
    handler, url = mail_server
    handler.refused = {CHAIR.email}
    assert send(connection, release_id, d.Smtp(url), tmp_path) == outcome(delivered=1, failed=1)
    assert rows(connection, release_id)["truong_ban"] == ("failed", "550 5.1.1 hop thu khong ton tai")


def test_a_refusal_is_not_repeated_on_its_own_but_when_a_person_asks(connection, release_id, mail_server, tmp_path):
    handler, url = mail_server
    handler.refused = {CHAIR.email}
    send(connection, release_id, d.Smtp(url), tmp_path)
    handler.refused = set()
    assert send(connection, release_id, d.Smtp(url), tmp_path) == outcome(already=1, failed=1)
    assert send(connection, release_id, d.Smtp(url), tmp_path, retry_failed=True) == outcome(1, 1)


def test_a_server_that_dies_in_the_middle_leaves_an_unknown_that_is_never_repeated(
    connection, release_id, dying_server, mail_server, tmp_path
):
    handler, url = mail_server
    assert send(connection, release_id, d.Smtp(dying_server), tmp_path, (CHAIR,)) == outcome(unknown=1)
    assert send(connection, release_id, d.Smtp(url), tmp_path, (CHAIR,), retry_failed=True) == outcome(unknown=1)
    assert handler.accepted == []


def test_the_claim_is_committed_before_the_mail_goes_out(connection, release_id, warehouse, tmp_path):
    class Witness(d.Outbox):
        def send(self, message: EmailMessage, recipient: d.Recipient) -> None:
            with psycopg.connect(warehouse) as other:
                seen.append(rows(other, release_id)[recipient.code][0])

    seen: list[str] = []
    send(connection, release_id, Witness(tmp_path / "out"), tmp_path)
    assert seen == ["claimed", "claimed"]


def test_a_process_killed_while_sending_leaves_an_unknown(connection, release_id, tmp_path):
    class Killed(d.Outbox):
        def send(self, message: EmailMessage, recipient: d.Recipient) -> None:
            raise SystemExit

    with pytest.raises(SystemExit):
        send(connection, release_id, Killed(tmp_path / "out"), tmp_path)
    assert send(connection, release_id, d.Outbox(tmp_path / "out"), tmp_path) == outcome(1, unknown=1)


def test_a_server_that_does_not_answer_leaves_no_claim(connection, release_id, tmp_path):
    with pytest.raises(InfrastructureError, match="Không kết nối được máy chủ thư"):
        send(connection, release_id, d.Smtp("smtp://127.0.0.1:1"), tmp_path)
    assert rows(connection, release_id) == {}


def test_the_two_channels_are_booked_apart(connection, release_id, mail_server, tmp_path):
    _, url = mail_server
    send(connection, release_id, d.Smtp(url), tmp_path)
    assert send(connection, release_id, d.Outbox(tmp_path / "out"), tmp_path) == outcome(delivered=2)


def test_the_outbox_holds_one_whole_file_per_recipient(connection, release_id, tmp_path):
    send(connection, release_id, d.Outbox(tmp_path / "out"), tmp_path)
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == [f"{release_id}_so_tai_chinh.eml", f"{release_id}_truong_ban.eml"]


def test_a_mail_says_in_vietnamese_what_it_is_and_carries_the_four_documents(tmp_path):
    parsed = message_from_bytes(d.compose(cover("2025-10-r1", tmp_path), CHAIR).as_bytes(), policy=policy.default)
    body = parsed.get_body(("plain",)).get_content()
    assert parsed["Subject"] == (
        "Báo cáo tổng hợp các Chương trình mục tiêu quốc gia tháng 10 năm 2025 (bản 2025-10-r1)"
    )
    assert "Kính gửi: Trưởng Ban Chỉ đạo" in body
    assert "đạt 40,15%" in body
    assert [part.get_filename() for part in parsed.iter_attachments()] == [
        "bao-cao.pdf",
        "bao-cao.docx",
        "bang-so-lieu.xlsx",
        "bao-cao.html",
    ]


def test_a_mail_on_the_wire_is_plain_ascii_with_short_lines(tmp_path):
    wire = d.compose(cover("2025-10-r1", tmp_path), CHAIR).as_bytes()
    assert wire.isascii()
    assert max(len(line) for line in wire.split(b"\r\n")) <= 998
    assert b"\n" not in wire.replace(b"\r\n", b"")


def test_the_same_release_and_recipient_give_the_same_bytes(tmp_path):
    letter = cover("2025-10-r1", tmp_path)
    assert d.compose(letter, CHAIR).as_bytes() == d.compose(letter, CHAIR).as_bytes()
    assert d.compose(letter, CHAIR)["Message-ID"] != d.compose(letter, FINANCE)["Message-ID"]
    assert (
        d.compose(letter, CHAIR)["Message-ID"]
        != d.compose(replace(letter, release_id="2025-10-r2"), CHAIR)["Message-ID"]
    )


def test_the_date_of_a_mail_is_the_moment_that_the_release_froze(tmp_path):
    assert d.compose(cover("2025-10-r1", tmp_path), CHAIR)["Date"].datetime == KNOWN_AT


def test_an_account_is_used_where_the_address_names_one():
    class Account:
        def __call__(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
            logins.append(data)
            return AuthResult(success=True)

    logins: list[LoginPassword] = []
    controller, port = started(Handler(), authenticator=Account(), auth_require_tls=False)
    try:
        channel = d.Smtp(f"smtp://tien%40do:m%3At@127.0.0.1:{port}")
        channel.ready()
        channel.close()
    finally:
        controller.stop()
    assert logins == [LoginPassword(b"tien@do", b"m:t")]


def test_a_password_is_not_sent_over_an_open_line(monkeypatch):
    class Open:
        def __init__(self, *_: Any, **__: Any) -> None: ...
        def ehlo(self) -> None: ...
        def has_extn(self, _: str) -> bool:
            return False

        def close(self) -> None: ...

    monkeypatch.setattr(channels.smtplib, "SMTP", Open)
    with pytest.raises(UsageError, match="không gửi mật khẩu"):
        d.Smtp("smtp://user:secret@mail.example.invalid").ready()


def test_an_address_of_another_kind_is_a_wrong_call():
    with pytest.raises(UsageError, match="smtp://"):
        d.Smtp("http://mail.example.invalid")


def test_mail_goes_to_the_outbox_unless_a_server_is_set(tmp_path):
    conf = settings.Settings(home=tmp_path)
    assert d.channel_for(conf).name == "outbox"
    assert d.channel_for(conf, "smtp://mail.example.invalid").name == "smtp"


def test_the_recipients_of_the_province_are_in_its_folder():
    recipients = d.active_recipients(settings.get().reference_dir)
    assert len({r.code for r in recipients}) == len(recipients) > 0
    assert all(r.email.endswith(".invalid") for r in recipients if r.channel != "store")
    groups = [r.group for r in recipients]
    assert {group: groups.count(group) for group in d.GROUPS} == {
        "committee": 3,
        "department": 4,
        "commune": 65,
        "archive": 1,
    }


# Who gets what, and what a mail can carry -----------------------------------------------------------------------------

PACK = [
    "bang-bieu-2025-10.xlsx",
    "bao-cao-2025-10.docx",
    "bao-cao-2025-10.pdf",
    "thu/05977.pdf",
    "thu/06517.pdf",
    "tin-nhan-2025-10.txt",
    "tom-tat-2025-10.docx",
    "tom-tat-2025-10.pdf",
    "tong-hop-2025-10.html",
    "truy-vet-2025-10.html",
]


@pytest.mark.parametrize(
    ("code", "kinds", "expected"),
    [
        ("truong_ban", ("tom-tat",), ["tom-tat-2025-10.docx", "tom-tat-2025-10.pdf"]),
        ("truong_ban", ("tom-tat.pdf", "bao-cao.pdf"), ["bao-cao-2025-10.pdf", "tom-tat-2025-10.pdf"]),
        ("06517", ("thu",), ["thu/06517.pdf"]),
        ("06463", ("thu",), []),
        ("nhom", ("tin-nhan",), ["tin-nhan-2025-10.txt"]),
        ("kho", ("*",), PACK),
        ("ai", (), []),
        ("ai", ("tom", "bao"), []),
    ],
)
def test_a_recipient_gets_the_files_of_its_kinds_and_no_letter_of_another(code, kinds, expected):
    assert d.files_for(replace(CHAIR, code=code, files=kinds), PACK) == expected


def test_every_recipient_of_the_province_gets_something_of_a_whole_pack():
    recipients = d.active_recipients(settings.get().reference_dir)
    letters = [f"thu/{one.code}.pdf" for one in recipients if one.group == "commune"]
    whole = [name for name in PACK if not name.startswith("thu/")] + letters
    got = {one.code: d.files_for(one, whole) for one in recipients}
    assert all(got.values())
    assert all(got[one.code] == [f"thu/{one.code}.pdf"] for one in recipients if one.group == "commune")
    assert not any(name.startswith("thu/") for name in got["truong_ban"])


def large(folder: Path, sizes: dict[str, int], limit: float | None, url: str | None = None) -> d.Cover:
    paths = []
    for name, size in sizes.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x" * size)
        paths.append(path)
    return d.cover_of("2025-10-r1", Period(2025, 10), KNOWN_AT, ["Câu."], paths, "tiendo@x.invalid", limit, url)


SIZES = {"tom-tat-2025-10.pdf": 40_000, "bao-cao-2025-10.pdf": 400_000, "tom-tat-2025-10.docx": 30_000}


def test_a_mail_over_the_limit_carries_the_brief_and_says_where_the_rest_is(tmp_path):
    cover = large(tmp_path, SIZES, 300_000, "https://luu-tru.example.invalid")
    mail = d.compose(cover, CHAIR)
    body = mail.get_body(("plain",)).get_content()
    assert [part.get_filename() for part in mail.iter_attachments()] == ["tom-tat-2025-10.pdf"]
    assert "vượt giới hạn" in body
    assert "tải tại https://luu-tru.example.invalid/" in body
    assert "bao-cao-2025-10.pdf: báo cáo và các phụ lục, bản để đọc và in (0,4 MB)" in body
    assert len(mail.as_bytes()) < 300_000


def test_without_an_archive_the_mail_says_whom_to_ask(tmp_path):
    body = d.compose(large(tmp_path, SIZES, 300_000), CHAIR).get_body(("plain",)).get_content()
    assert "đề nghị cơ quan gửi thư cung cấp, ghi rõ bản phát hành 2025-10-r1" in body


@pytest.mark.parametrize("limit", [None, 1_000_000])
def test_a_mail_below_the_limit_carries_everything(tmp_path, limit):
    cover = large(tmp_path, SIZES, limit)
    assert (len(cover.attachments), cover.rest) == (3, ())
    assert len(d.compose(cover, CHAIR).as_bytes()) < 1_000_000


def test_a_limit_below_the_brief_leaves_no_attachment(tmp_path):
    cover = large(tmp_path, SIZES, 10_000)
    assert (cover.attachments, len(cover.rest)) == ((), 3)


def test_a_letter_has_a_name_of_its_own_outside_the_folder_of_letters(tmp_path):
    mail = d.compose(large(tmp_path, {"thu/06517.pdf": 10}, None), replace(CHAIR, name_vi="UBND xã Quan Sơn"))
    assert [part.get_filename() for part in mail.iter_attachments()] == ["thu-06517.pdf"]
    assert "thư thông báo kết quả của đơn vị" in mail.get_body(("plain",)).get_content()


def test_who_gets_the_short_message_gets_nothing_else(tmp_path):
    cover = large(tmp_path, {"tin-nhan-2025-10.txt": 10}, None)
    mail = d.compose(cover, CHAIR)
    assert mail.get_content().strip() == "x" * 10
    assert not mail.is_multipart()


def test_a_mail_that_is_sent_once_more_is_another_mail(tmp_path):
    letter = cover("2025-10-r1", tmp_path)
    assert d.compose(letter, CHAIR, 1)["Message-ID"] == d.compose(letter, CHAIR)["Message-ID"]
    assert d.compose(letter, CHAIR, 2)["Message-ID"] != d.compose(letter, CHAIR)["Message-ID"]
