"""What became of the sending of a release: to whom which files, what is not known, what came back, who settles it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import date, timedelta
from email.message import EmailMessage
from email.mime.base import MIMEBase
from email.mime.message import MIMEMessage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner

from etl import settings, steps
from etl.cli import app
from etl.errors import DeliveryError, InfrastructureError, ReleaseError, UsageError
from etl.load import warehouse as db
from etl.load.warehouse import Connection
from etl.publish import calendar as dates
from etl.publish import deliver, frozen, pack, release, verify
from etl.publish.changes import changes
from etl.publish.deliver import Recipient, bounces, overview
from etl.publish.site import archive
from tests import servers
from tests.sql import builders
from tests.sql.builders import TRIEU, line
from tests.sql.conftest import point
from tests.sql.test_publication_kills import render
from tests.sql.test_release import NOW, OCTOBER, QUAN_SON
from tests.unit.test_deliver import Handler, started

DONG_KINH, TAM_THANH = "05977", "05986"
CHAIR = Recipient("truong_ban", "Trưởng Ban Chỉ đạo", "truong-ban@bcd.example.invalid", "", files=("tom-tat",))
FINANCE = Recipient("so_tai_chinh", "Sở Tài chính", "stc@bcd.example.invalid", "", "department", files=("tom-tat",))
COMMUNE = Recipient(QUAN_SON, "UBND xã Quan Sơn", "ubnd-06517@x.example.invalid", "", "commune", files=("thu",))
NO_LETTER = Recipient(TAM_THANH, "UBND phường Tam Thanh", "tt@x.example.invalid", "", "commune", files=("thu",))
CHAT = Recipient("nhom", "Nhóm tin nhắn", "nhom@bcd.example.invalid", "", "committee", "outbox", ("tin-nhan",))
ARCHIVE = Recipient("kho", "Kho lưu trữ", "", "", "archive", "store", ("*",))
ALL = [CHAIR, FINANCE, CHAT, ARCHIVE, COMMUNE, NO_LETTER]
LATER = NOW + timedelta(hours=2)
R1 = "2025-10-r1"


@pytest.fixture(scope="module")
def approved(warehouse: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """A warehouse with an approved release, not published, and its files."""
    home = tmp_path_factory.mktemp("approved")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pack, "render", render)
        with db.connect(warehouse) as connection:
            builders.reference_data(connection)
            for commune in (QUAN_SON, DONG_KINH):
                lines = [line("GNBV-DA2", "SN", 1000 * TRIEU, 250 * TRIEU)]
                builders.report(connection, commune, "2025-10", lines)
            connection.commit()
            made = release.freeze(connection, OCTOBER, NOW, home / "out", by="Trần Thị Bình")
            release.approve(connection, R1, made["manifest_sha256"], "thu_ky", "approved", NOW, home / "out")
    return warehouse, home


@pytest.fixture
def world(approved: tuple[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connection]:
    address, home = approved
    with builders.copy_of(address) as connection:
        (tmp_path / "out").symlink_to(home / "out")
        point(monkeypatch, connection.info.dsn, tmp_path)
        monkeypatch.setattr(deliver, "active_recipients", lambda _: list(ALL))
        for made in ("build", "renew"):
            monkeypatch.setattr(archive, made, lambda *_: None)
        yield connection
    monkeypatch.undo()
    settings.reload()


@pytest.fixture
def post() -> Iterator[tuple[Handler, str]]:
    handler = Handler()
    controller, port = started(handler)
    yield handler, f"smtp://127.0.0.1:{port}"
    controller.stop()


def states(connection: Connection) -> dict[str, str]:
    connection.rollback()
    return dict(connection.execute("select recipient, state from release.delivery").fetchall())


def set_state(connection: Connection, recipient: str, state: str) -> None:
    connection.execute(
        "update release.delivery set state = %s, finished_at = null where recipient = %s", (state, recipient)
    )
    connection.commit()


def tiendo(*arguments: str) -> Any:
    return CliRunner().invoke(app, list(arguments))


# Who gets what -------------------------------------------------------------------------------------------------------


def test_everybody_gets_their_own_files_by_their_own_channel(
    world: Connection, post: tuple[Handler, str], tmp_path: Path
) -> None:
    handler, url = post
    told = steps.publish(R1, LATER, url)

    assert (told["delivered"], told["without_files"]) == (5, ["UBND phường Tam Thanh"])
    booked = {
        recipient: (channel, files)
        for recipient, channel, files in world.execute("select recipient, channel, files from release.delivery")
    }
    assert booked == {
        "truong_ban": ("smtp", ["tom-tat-2025-10.pdf"]),
        "so_tai_chinh": ("smtp", ["tom-tat-2025-10.pdf"]),
        QUAN_SON: ("smtp", [f"thu/{QUAN_SON}.pdf"]),
        "nhom": ("outbox", ["tin-nhan-2025-10.txt"]),
        "kho": ("store", [f"thu/{QUAN_SON}.pdf", "tin-nhan-2025-10.txt", "tom-tat-2025-10.pdf"]),
    }
    letters = [e for e in handler.accepted if e.rcpt_tos == [COMMUNE.email]]
    assert len(letters) == 1
    assert f'filename="thu-{QUAN_SON}.pdf"'.encode() in letters[0].content
    assert frozen.on_disk(tmp_path / "store" / R1) == frozen.sealed(world, R1)
    assert [path.name for path in (tmp_path / "outbox").iterdir()] == [f"{R1}_nhom.eml"]


def test_a_release_is_published_before_the_first_mail_goes_out(
    world: Connection, post: tuple[Handler, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []
    real = deliver.Smtp.send

    def send(self: Any, *arguments: Any) -> None:
        with db.connect(world.info.dsn) as other:
            seen.append(other.execute("select release_id from release.publication").fetchone())
        real(self, *arguments)

    monkeypatch.setattr(deliver.Smtp, "send", send)
    steps.publish(R1, LATER, post[1])
    assert seen == [(R1,)] * 3


def test_a_closed_way_out_does_not_hold_up_the_others_and_is_told(world: Connection) -> None:
    with pytest.raises(InfrastructureError, match="máy chủ thư"):
        steps.publish(R1, LATER, "smtp://127.0.0.1:1")
    assert states(world) == {"nhom": "sent", "kho": "sent"}
    assert [row["recipient"] for row in told(world)["deliveries"] if row["state"] == "due"] == [
        "truong_ban", "so_tai_chinh", QUAN_SON,
    ]  # fmt: skip


def test_what_was_added_to_the_list_is_sent_later_and_nothing_else(
    world: Connection, post: tuple[Handler, str]
) -> None:
    handler, url = post
    steps.publish(R1, LATER, url)
    handler.accepted.clear()
    ALL.append(Recipient("moi", "Nơi nhận mới", "moi@x.example.invalid", "", files=("tom-tat",)))
    try:
        assert steps.freeze("2025-10", LATER)["due"] == 1
        assert steps.publish(R1, LATER, url)["delivered"] == 1
    finally:
        ALL.pop()
    assert [e.rcpt_tos for e in handler.accepted] == [["moi@x.example.invalid"]]


def test_a_site_that_cannot_be_made_holds_up_no_mail_and_is_told(
    world: Connection, post: tuple[Handler, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(connection: Connection, *_: Any) -> None:
        connection.execute("select no_such_column from release.release")

    monkeypatch.setattr("etl.publish.publication.archive.build", broken)
    with pytest.raises(psycopg.errors.UndefinedColumn):
        steps.publish(R1, LATER, post[1])
    assert len(post[0].accepted) == 3
    assert set(states(world).values()) == {"sent"}


@pytest.mark.parametrize("group_of", ["group", "channel", "twice", "address"])
def test_a_wrong_line_in_the_list_of_recipients_is_told_with_its_number(tmp_path: Path, group_of: str) -> None:
    head = "recipient_code,name_vi,email,role_vi,group,channel,files,active,verified\n"
    good = "a,Nơi A,a@x.invalid,,committee,smtp,tom-tat,yes,no\n"
    wrong = {
        "group": "b,Nơi B,b@x.invalid,,ban,smtp,tom-tat,yes,no\n",
        "channel": "b,Nơi B,b@x.invalid,,committee,fax,tom-tat,yes,no\n",
        "twice": good,
        "address": "b,Nơi B,,,committee,smtp,tom-tat,yes,no\n",
    }[group_of]
    (tmp_path / "recipients.csv").write_text(head + good + wrong, encoding="utf-8")
    with pytest.raises(UsageError, match="dòng 3"):
        deliver.active_recipients(tmp_path)


# The object store ----------------------------------------------------------------------------------------------------


def test_files_go_into_an_s3_store_and_are_compared_by_their_hash(
    world: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliver, "active_recipients", lambda _: [ARCHIVE])
    with servers.s3_server() as s3:
        monkeypatch.setenv("TIENDO_STORE", s3.address("phat-hanh"))
        settings.reload()
        assert steps.publish(R1, LATER)["delivered"] == 1
        listed = s3.client().list_objects_v2(Bucket=s3.bucket, Prefix="phat-hanh/")["Contents"]
        assert sorted(one["Key"] for one in listed) == [
            f"phat-hanh/{R1}/thu/{QUAN_SON}.pdf",
            f"phat-hanh/{R1}/tin-nhan-2025-10.txt",
            f"phat-hanh/{R1}/tom-tat-2025-10.pdf",
        ]
        before = {one["Key"]: one["LastModified"] for one in listed}
        # Not known: put again, which changes nothing but a file that is not as it was approved.
        set_state(world, "kho", "claimed")
        s3.client().put_object(Bucket=s3.bucket, Key=f"phat-hanh/{R1}/tom-tat-2025-10.pdf", Body=b"khac")
        assert steps.publish(R1, LATER)["delivered"] == 1
        key = f"phat-hanh/{R1}/thu/{QUAN_SON}.pdf"
        listed = s3.client().list_objects_v2(Bucket=s3.bucket, Prefix=key)["Contents"]
        assert listed[0]["LastModified"] == before[key]
        body = s3.client().get_object(Bucket=s3.bucket, Key=f"phat-hanh/{R1}/tom-tat-2025-10.pdf")["Body"].read()
        assert body != b"khac"

        monkeypatch.setenv("TIENDO_STORE", s3.address("phat-hanh", secret="sai"))
        settings.reload()
        set_state(world, "kho", "claimed")
        with pytest.raises(InfrastructureError, match="kho tệp") as failure:
            steps.publish(R1, LATER)
        assert s3.key not in str(failure.value)


def test_a_store_that_does_not_keep_what_it_was_given_is_found_out(
    world: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def loses(self: Any, target: str, content: bytes) -> None:
        self._system.makedirs(target.rpartition("/")[0], exist_ok=True)
        self._system.pipe_file(target, content[:-1])

    monkeypatch.setattr(deliver, "active_recipients", lambda _: [ARCHIVE])
    monkeypatch.setattr(deliver.Store, "_put", loses)
    assert steps.publish(R1, LATER)["failed"] == 1
    assert told(world)["deliveries"][0]["detail"].endswith("nội dung khác với tệp đã phê duyệt")


@pytest.mark.parametrize("address", ["ftp://x/y", "s3://id@kho/x", "imaps://a@b/INBOX"])
def test_a_store_address_that_cannot_be_used_is_a_wrong_call(
    world: Connection, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("TIENDO_STORE", address)
    settings.reload()
    with pytest.raises(UsageError, match="TIENDO_STORE"):
        steps.publish(R1, LATER)


# What a person sees and settles ---------------------------------------------------------------------------------------


def told(connection: Connection, release_id: str | None = R1) -> dict[str, Any]:
    connection.rollback()
    return overview.overview(connection, list(ALL), release_id)


def test_the_list_says_who_got_what_and_what_to_do(world: Connection, post: tuple[Handler, str]) -> None:
    handler, url = post
    handler.refused = {FINANCE.email}
    steps.publish(R1, LATER, url)
    set_state(world, "truong_ban", "claimed")
    rows = {row["recipient"]: row for row in told(world, None)["deliveries"]}

    assert {code: row["state_vi"] for code, row in rows.items()} == {
        "truong_ban": "không rõ đã đến chưa",
        "so_tai_chinh": "bị từ chối",
        "nhom": "đã gửi",
        "kho": "đã gửi",
        QUAN_SON: "đã gửi",
        TAM_THANH: "bản này không có tệp cho nơi nhận",
    }
    assert "550 5.1.1" in rows["so_tai_chinh"]["detail"]
    assert "--retry-failed" in rows["so_tai_chinh"]["to_do"]
    assert "settle --release 2025-10-r1 --recipient truong_ban --channel smtp" in rows["truong_ban"]["to_do"]
    assert rows[QUAN_SON]["to_do"] is None
    shown = tiendo("deliveries")
    assert shown.exit_code == 0, shown.output
    assert "Trưởng Ban Chỉ đạo" in shown.output
    assert "Cần làm:" in shown.output
    assert "UBND xã Quan Sơn" not in shown.output
    assert "UBND xã Quan Sơn" in tiendo("deliveries", "--release", R1).output
    assert json.loads(tiendo("deliveries", "--json").output)["counts"]["unknown"] == 1
    assert tiendo("deliveries", "--release", "2025-10-r9").exit_code == 2


SETTLE = ("deliveries", "settle", "--release", R1, "--by", "Lê Thị Hoa", "--reason", "đã gọi điện", "--recipient")


def test_a_person_settles_an_unknown_as_received(world: Connection, post: tuple[Handler, str]) -> None:
    handler, url = post
    steps.publish(R1, LATER, url)
    set_state(world, "truong_ban", "claimed")

    assert tiendo(*SETTLE, "truong_ban", "--sent").exit_code == 0
    assert tiendo(*SETTLE, "truong_ban", "--sent").exit_code == 0
    steps.publish(R1, LATER, url)
    assert states(world)["truong_ban"] == "sent"
    assert sum(e.rcpt_tos == [CHAIR.email] for e in handler.accepted) == 1
    audited = world.execute("select actor, subject, detail from audit.event where action = 'delivery.sent'").fetchall()
    assert [(actor, subject) for actor, subject, _ in audited] == [("Lê Thị Hoa", R1)]
    assert audited[0][2]["reason"] == "đã gọi điện"


def test_a_person_has_an_unknown_sent_once_more(world: Connection, post: tuple[Handler, str]) -> None:
    handler, url = post
    steps.publish(R1, LATER, url)
    set_state(world, "truong_ban", "claimed")

    assert tiendo(*SETTLE, "truong_ban", "--resend").exit_code == 0
    assert states(world)["truong_ban"] == "again"
    assert steps.publish(R1, LATER, url)["delivered"] == 1
    assert steps.publish(R1, LATER, url)["delivered"] == 0
    mails = [e.content for e in handler.accepted if e.rcpt_tos == [CHAIR.email]]
    assert len(mails) == 2
    assert mails[0].split(b"Message-ID:")[1][:80] != mails[1].split(b"Message-ID:")[1][:80]
    assert world.execute("select attempt from release.delivery where recipient = 'truong_ban'").fetchone() == (2,)


def test_what_may_not_be_settled_is_refused(world: Connection, post: tuple[Handler, str]) -> None:
    steps.publish(R1, LATER, post[1])
    world.commit()

    def settle(outcome: str, recipient: str = "truong_ban", by: str = "Hoa", reason: str = "x", **more: Any) -> None:
        overview.settle(world, R1, recipient, outcome, by, reason, more.get("now", LATER + timedelta(days=1)))

    with pytest.raises(ReleaseError, match="không gửi lần thứ hai"):
        settle("resend")
    with pytest.raises(UsageError, match="tiendo deliveries"):
        settle("sent", "khong-co")
    with pytest.raises(UsageError, match="--by"):
        settle("sent", by=" ")
    with pytest.raises(UsageError, match="--reason"):
        settle("sent", reason="")
    set_state(world, "truong_ban", "claimed")
    with pytest.raises(ReleaseError, match="có thể đang được gửi"):
        settle("resend", now=LATER + timedelta(minutes=1))
    set_state(world, "truong_ban", "bounced")
    with pytest.raises(ReleaseError, match="chỉ có thể --resend"):
        settle("sent")
    assert tiendo(*SETTLE, "truong_ban").exit_code == 2
    assert tiendo(*SETTLE, "truong_ban", "--sent", "--resend").exit_code == 2


def test_a_slow_sender_does_not_overwrite_what_a_person_has_settled(
    world: Connection, post: tuple[Handler, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = deliver.Smtp.send

    def slow(self: Any, message: EmailMessage, recipient: Recipient) -> None:
        if recipient.code == "truong_ban":
            with db.connect(world.info.dsn) as other:
                overview.settle(other, R1, "truong_ban", "sent", "Hoa", "đã nhận", LATER + timedelta(hours=1))
        real(self, message, recipient)

    monkeypatch.setattr(deliver.Smtp, "send", slow)
    steps.publish(R1, LATER, post[1])
    assert world.execute(
        "select state, settled_by, detail from release.delivery where recipient = 'truong_ban'"
    ).fetchone() == ("sent", "Hoa", "đã nhận")


# Mails that come back -------------------------------------------------------------------------------------------------


def bounce(original: bytes, to: str, action: str = "failed", headers_only: bool = False) -> bytes:
    """A delivery status notification as Postfix writes it."""
    outer = MIMEMultipart("report", report_type="delivery-status")
    outer["From"], outer["To"], outer["Subject"] = "MAILER-DAEMON@x.invalid", "tiendo@localhost", "Undelivered"
    outer.attach(MIMEText("I'm sorry to have to inform you", "plain", "utf-8"))
    status = MIMEBase("message", "delivery-status")
    whole, one = EmailMessage(), EmailMessage()
    whole["Reporting-MTA"] = "dns; mail.x.invalid"
    one["Final-Recipient"], one["Action"], one["Status"] = f"rfc822; {to}", action, "5.1.1"
    one["Diagnostic-Code"] = f"smtp; 550 5.1.1 <{to}>: Recipient address rejected"
    status.attach(whole)
    status.attach(one)
    outer.attach(status)
    if headers_only:
        head = MIMEText(original.split(b"\r\n\r\n")[0].decode(), "rfc822-headers")
        outer.attach(head)
    else:
        from email import message_from_bytes

        outer.attach(MIMEMessage(message_from_bytes(original)))
    return outer.as_bytes()


def mail_to(handler: Handler, address: str) -> bytes:
    return next(e.content for e in handler.accepted if e.rcpt_tos == [address])


@pytest.fixture
def returned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, world: Connection) -> Path:
    folder = tmp_path / "tra-ve"
    folder.mkdir()
    monkeypatch.setenv("TIENDO_BOUNCES", f"file://{folder}")
    settings.reload()
    return folder


@pytest.mark.parametrize("headers_only", [False, True])
def test_a_mail_that_comes_back_is_booked_with_the_servers_words_once(
    world: Connection, post: tuple[Handler, str], returned: Path, headers_only: bool
) -> None:
    handler, url = post
    steps.publish(R1, LATER, url)
    original = mail_to(handler, CHAIR.email)
    (returned / "1.eml").write_bytes(bounce(original, CHAIR.email, headers_only=headers_only))
    (returned / "2.eml").write_bytes(bounce(mail_to(handler, FINANCE.email), FINANCE.email, "delayed"))
    (returned / "3.eml").write_bytes(b"Subject: cam on\r\n\r\nDa nhan duoc.\r\n")

    found = steps.read_bounces(LATER)
    assert (found["mails"], found["other"]) == (3, 2)
    assert [(one["recipient"], one["detail"]) for one in found["bounced"]] == [
        ("truong_ban", f"5.1.1 550 5.1.1 <{CHAIR.email}>: Recipient address rejected")
    ]
    with pytest.raises(DeliveryError, match="truong_ban"):
        steps.require_none_bounced(found)
    assert states(world)["truong_ban"] == "bounced"
    assert states(world)["so_tai_chinh"] == "sent"
    assert steps.read_bounces(LATER)["bounced"] == []
    row = told(world)["deliveries"][0]
    assert (row["state_vi"], "--resend" in row["to_do"]) == ("bị trả lại", True)
    assert tiendo("deliveries", "bounces").exit_code == 0
    assert steps.publish(R1, LATER, url)["failed"] == 1


def test_a_report_on_the_first_mail_says_nothing_of_the_second(
    world: Connection, post: tuple[Handler, str], returned: Path
) -> None:
    handler, url = post
    steps.publish(R1, LATER, url)
    (returned / "1.eml").write_bytes(bounce(mail_to(handler, CHAIR.email), CHAIR.email))
    steps.read_bounces(LATER)
    overview.settle(world, R1, "truong_ban", "resend", "Hoa", "sửa địa chỉ", LATER)
    world.commit()
    steps.publish(R1, LATER, url)
    (returned / "2.eml").write_bytes(bounce(mail_to(handler, CHAIR.email), CHAIR.email) + b"\r\n")

    assert steps.read_bounces(LATER)["bounced"] == []
    assert states(world)["truong_ban"] == "sent"


def test_bounces_are_read_from_a_mailbox_and_nothing_there_is_touched(
    world: Connection, post: tuple[Handler, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    handler, url = post
    steps.publish(R1, LATER, url)
    with servers.imap_server() as imap:
        imap.deliver(bounce(mail_to(handler, CHAIR.email), CHAIR.email), LATER)
        monkeypatch.setenv("TIENDO_BOUNCES", imap.address())
        settings.reload()
        assert [one["recipient"] for one in steps.read_bounces(LATER)["bounced"]] == ["truong_ban"]
        with imap.client() as client:
            client.select("INBOX")
            assert client.search(None, "UNSEEN")[1] == [b"1"]


def test_without_a_mailbox_nothing_is_read_and_the_command_says_how_to_set_one(world: Connection) -> None:
    assert steps.read_bounces(LATER) == {"mails": 0, "bounced": [], "other": 0}
    wrong = tiendo("deliveries", "bounces")
    assert (wrong.exit_code, "TIENDO_BOUNCES" in wrong.output) == (2, True)


def test_a_mail_that_only_talks_of_a_failure_counts_for_nothing() -> None:
    assert bounces.read(b"Subject: Undelivered Mail\r\n\r\nAction: failed\r\n<2025-10-r1.x@y>\r\n") == []


# What a correction changes --------------------------------------------------------------------------------------------


def correct(connection: Connection) -> None:
    lines = [line("GNBV-DA2", "SN", 1000 * TRIEU, 400 * TRIEU)]
    came = NOW + timedelta(days=1)
    builders.report(connection, QUAN_SON, "2025-10", lines, version=2, received_at=came)
    builders.report(connection, TAM_THANH, "2025-10", lines, received_at=came)
    connection.commit()


def test_a_correction_lists_each_figure_before_and_after_with_the_reports_behind_it(
    world: Connection, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(pack, "render", render)
    release.mark_published(world, R1, NOW)
    world.commit()
    correct(world)
    second = release.freeze(world, OCTOBER, NOW + timedelta(days=3), tmp_path / "moi")
    found = {change.key: change for change in changes(world, second["release_id"])}

    own = found[f"disb_ytd/commune={QUAN_SON}"]
    assert (own.before.value, own.after.value, own.difference) == (250 * TRIEU, 400 * TRIEU, 150 * TRIEU)
    assert [cause.kind for cause in own.why] == ["resubmission"]
    assert own.why[0].as_text().startswith("xã Quan Sơn: đơn vị gửi lại báo cáo (báo cáo số ")
    new = found[f"disb_ytd/commune={TAM_THANH}"]
    assert new.before is None or new.before.value is None
    assert [cause.kind for cause in new.why] == ["new_report"]
    total = found["disb_ytd"]
    assert {cause.commune_code for cause in total.why} == {QUAN_SON, TAM_THANH}
    assert total.difference == 550 * TRIEU
    assert json.loads(json.dumps(total.as_dict()))["difference"] == str(550 * TRIEU)
    assert f"disb_ytd/commune={DONG_KINH}" not in found


def test_changes_are_against_the_last_published_release_and_not_against_a_draft(
    world: Connection, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(pack, "render", render)
    correct(world)
    second = release.freeze(world, OCTOBER, NOW + timedelta(days=3), tmp_path / "moi")
    assert changes(world, R1) == []
    assert changes(world, second["release_id"]) == []


# The calendar ---------------------------------------------------------------------------------------------------------


def test_the_calendar_tells_twelve_months_with_days_and_recipients(world: Connection) -> None:
    found = dates.entries(world, ALL, date(2025, 11, 14))

    assert len({entry["period"] for entry in found}) == 12
    assert [entry["period"] for entry in found[:5]] == ["2025-10", "2025-11", "2025-12", "2026-01", "2026-01"]
    assert [entry["budget_year"] for entry in found[3:5]] == [2026, 2025]
    assert found[0]["due_on"] == "2025-11-07"
    assert found[0]["publish_on"] == "2025-11-14"
    assert found[0]["recipients"] == {"committee": 2, "department": 1, "commune": 2, "archive": 1}
    assert found[0]["release_id"] is None
    release.mark_published(world, R1, NOW)
    assert dates.entries(world, ALL, date(2025, 11, 14))[0]["release_id"] == R1
    assert dates.missing_after(found) is None
    world.execute("delete from ref.reporting_calendar where period > '2026-12'")
    assert dates.missing_after(dates.entries(world, ALL, date(2026, 10, 1))) == "2026-12"
    assert dates.missing_after(dates.entries(world, ALL, date(2027, 10, 1))) == ""


def test_the_calendar_file_is_what_calendar_programs_read(world: Connection) -> None:
    found = dates.entries(world, ALL, date(2025, 11, 14))
    data = dates.as_ics(found, NOW)
    lines = data.split(b"\r\n")

    assert max(map(len, lines)) <= 75
    assert all(line.decode() is not None for line in lines)
    text = data.decode().replace("\r\n ", "")
    assert text.count("BEGIN:VEVENT") == text.count("END:VEVENT") == 2 * len(found)
    assert "DTSTART;VALUE=DATE:20251114\r\nDTEND;VALUE=DATE:20251115" in text
    assert "SUMMARY:Công bố: Báo cáo tổng hợp các Chương trình mục tiêu quốc gia tháng 10 năm 2025" in text
    uids = [line for line in text.split("\r\n") if line.startswith("UID:")]
    assert len(set(uids)) == 2 * len(found)
    assert dates.as_ics(found, NOW) == data
    assert json.loads(dates.as_json(found)) == found


def test_the_calendar_as_a_command(world: Connection, tmp_path: Path) -> None:
    shown = tiendo("calendar", "--as-of", "2025-11-01", "--months", "3", "--out", str(tmp_path / "lich"))
    assert shown.exit_code == 0, shown.output
    assert "2025-10 (năm ngân sách 2025): số liệu đến 31/10/2025, hạn gửi 07/11/2025" in shown.output
    assert sorted(p.name for p in (tmp_path / "lich").iterdir()) == ["lich-cong-bo.ics", "lich-cong-bo.json"]
    assert len(json.loads(tiendo("calendar", "--as-of", "2025-11-01", "--months", "3", "--json").output)) == 3
    assert "bổ sung calendar.csv" in tiendo("calendar", "--as-of", "2040-11-01").output


# Everything as it was ------------------------------------------------------------------------------------------------


def test_verify_finds_a_touched_letter_and_a_changed_event(
    world: Connection, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(deliver, "active_recipients", lambda _: [ARCHIVE])
    steps.publish(R1, LATER)
    own = tmp_path / "verify"
    shutil.copytree((tmp_path / "out").resolve(), own)

    def problems() -> list[str]:
        return [p for p in verify.run(world, tmp_path / "archive", own)["problems"] if not p.startswith("Kho lưu")]

    assert problems() == []
    letter = own / "2025-10" / R1 / "thu" / f"{QUAN_SON}.pdf"
    letter.write_bytes(b"x")
    (letter.parent / "them.pdf").write_bytes(b"x")
    assert problems() == [
        f"Bản {R1}: tệp thu/{QUAN_SON}.pdf thiếu, đã đổi hoặc thêm vào.",
        f"Bản {R1}: tệp thu/them.pdf thiếu, đã đổi hoặc thêm vào.",
    ]
    world.execute("alter table audit.event disable trigger append_only")
    world.execute("update audit.event set actor = 'ai đó' where action = 'release.approved'")
    assert any("Nhật ký: sự kiện số" in problem for problem in problems())
    assert tiendo("verify").exit_code == 1
