"""From real servers into archive and warehouse: folder, SFTP, S3 and IMAP; one that is down delays only itself."""

from __future__ import annotations

import io
import logging
import time
import unicodedata
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Protocol

import pytest
from psycopg.rows import dict_row

from etl import settings, steps
from etl.collect import archive, inbox, intake, package
from etl.collect.inbox import mailbox
from etl.load import warehouse
from tests import servers
from tests.builders import QUAN_SON, name, workbook
from tests.sql.conftest import NOW
from tests.sql.test_load import put

SENT = NOW - timedelta(days=3)
KINDS = ("folder", "sftp", "s3", "imap")


class Source(Protocol):
    """A server with an inbox: ``put`` lets a report arrive under drop folders, ``address`` opens it."""

    def put(self, path: str, data: bytes) -> None: ...
    def address(self, **change: Any) -> str: ...


class FolderSource:
    def __init__(self, root: Path) -> None:
        self.root = root

    def put(self, path: str, data: bytes) -> None:
        put(self.root, data, path, SENT)

    def address(self) -> str:
        return (self.root / "inbox").as_uri()


class SftpSource:
    def __init__(self, server: servers.SftpServer, folder: str) -> None:
        self.server, self.folder = server, folder
        (server.root / "den" / folder).mkdir()

    def put(self, path: str, data: bytes) -> None:
        self.server.put(f"{self.folder}/{path}", data, SENT)

    def address(self, **change: Any) -> str:
        return self.server.address(f"/den/{self.folder}", **change)


class S3Source:
    def __init__(self, server: servers.S3Server, folder: str) -> None:
        self.server, self.folder = server, folder

    def put(self, path: str, data: bytes) -> None:
        self.server.put(f"{self.folder}/{path}", data)

    def address(self, **change: Any) -> str:
        if "password" in change:
            change["secret"] = change.pop("password")
        return self.server.address(f"den/{self.folder}", **change)


class ImapSource:
    def __init__(self, server: servers.ImapServer, folder: str) -> None:
        self.server, self.folder, self.count = server, folder, 0
        with server.client() as client:
            client.create(folder)

    def put(self, path: str, data: bytes) -> None:
        self.count += 1
        made = mail(path.rpartition("/")[2], data, f"{self.folder}-{self.count}")
        self.server.deliver(made.as_bytes(), SENT, self.folder)

    def address(self, **change: Any) -> str:
        return self.server.address(self.folder, **change)


def mail(file_name: str, data: bytes, message_id: str, sender: str = "quanson@example.invalid") -> EmailMessage:
    made = EmailMessage()
    made["From"], made["Subject"], made["Message-ID"] = sender, "Báo cáo", f"<{message_id}@example.invalid>"
    made["Date"] = "Fri, 07 Nov 2025 16:20:00 +0700"
    made.set_content("Kính gửi")
    made.add_attachment(data, maintype="application", subtype="octet-stream", filename=file_name)
    return made


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    with (
        servers.sftp_server(tmp_path_factory.mktemp("sftp")) as sftp,
        servers.s3_server() as s3,
        servers.imap_server() as imap,
    ):
        yield {"sftp": sftp, "s3": s3, "imap": imap}


@pytest.fixture
def sources(running: dict[str, Any], tmp_path: Path, request: pytest.FixtureRequest) -> dict[str, Source]:
    """One inbox of each kind, empty, for this test alone."""
    own = f"t{abs(hash(request.node.nodeid)) % 10**9}x"
    return {
        "folder": FolderSource(tmp_path),
        "sftp": SftpSource(running["sftp"], own),
        "s3": S3Source(running["s3"], own),
        "imap": ImapSource(running["imap"], own),
    }


def collect(*addresses: str, now: datetime = NOW) -> dict[str, Any]:
    return steps.archive_inbox(now, [inbox.open_inbox(text) for text in addresses])


def deliveries() -> list[dict[str, Any]]:
    with warehouse.connect() as connection:
        return (
            connection.cursor(row_factory=dict_row)
            .execute("select * from raw.delivery order by received_at, path")
            .fetchall()
        )


def originals() -> int:
    with warehouse.connect() as connection:
        return int(connection.execute("select count(*) from raw.original").fetchone()[0])


def zipped(**files: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as made:
        for file_name, data in files.items():
            made.writestr(file_name, data)
    return target.getvalue()


@pytest.mark.parametrize("kind", KINDS)
def test_a_report_from_any_inbox_is_archived_delivered_and_accepted(
    empty: Path, sources: dict[str, Source], kind: str
) -> None:
    sources[kind].put(f"2025-10/{QUAN_SON}/{name(QUAN_SON)}", workbook(QUAN_SON))
    before = datetime.now(UTC)
    result = collect(sources[kind].address(), now=before + timedelta(minutes=5))
    assert (result["seen"], result["new"], result["down"], result["unreadable"]) == (1, 1, {}, {})
    (row,) = deliveries()
    assert archive.fetch(settings.get().archive_dir, row["sha256"]) == workbook(QUAN_SON)
    assert row["file_name"] == name(QUAN_SON)
    if kind == "s3":  # the store's own clock
        assert abs(row["received_at"] - before) < timedelta(minutes=2)
    else:
        assert row["received_at"] == SENT
    if kind == "imap":
        assert (row["sender"], row["original_date"]) == (
            "quanson@example.invalid",
            datetime(2025, 11, 7, 9, 20, tzinfo=UTC),
        )
    else:
        assert row["path"] == f"2025-10/{QUAN_SON}/{name(QUAN_SON)}"
        assert (row["said_commune"], row["said_period"]) == (QUAN_SON, "2025-10")
    assert steps.process_received(NOW)["accepted"] == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_second_turn_fetches_and_registers_nothing(
    empty: Path, sources: dict[str, Source], kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources[kind].put("BC.xlsx", workbook())
    sources[kind].put("BC.zip", zipped(**{"a.xlsx": workbook(QUAN_SON)}))
    assert collect(sources[kind].address())["new"] == 3
    with monkeypatch.context() as patch:
        patch.setattr(archive, "store_pieces", None)
        again = collect(sources[kind].address(), now=NOW + timedelta(hours=1))
    assert (again["seen"], again["new"]) == (2, 0)
    assert len(deliveries()) == 3


@pytest.mark.parametrize("kind", KINDS)
def test_an_original_that_the_archive_lost_is_fetched_again(empty: Path, sources: dict[str, Source], kind: str) -> None:
    sources[kind].put("BC.xlsx", workbook())
    collect(sources[kind].address())
    (row,) = deliveries()
    lost = settings.get().archive_dir / archive.key_of(row["sha256"])
    lost.unlink()
    assert collect(sources[kind].address())["new"] == 0
    assert lost.read_bytes() == workbook()


@pytest.mark.parametrize("kind", ["folder", "sftp", "s3"])
def test_two_files_that_are_shown_under_one_name_are_both_kept(
    empty: Path, sources: dict[str, Source], kind: str
) -> None:
    for form, data in (("NFC", b"1"), ("NFD", b"2")):
        sources[kind].put(unicodedata.normalize(form, "2025-10/Báo cáo.csv"), data)  # type: ignore[arg-type]
    assert collect(sources[kind].address())["new"] == 2
    assert {row["file_name"] for row in deliveries()} == {"Báo cáo.csv"}
    assert originals() == 2


def test_one_file_from_two_inboxes_is_one_original_and_the_first_receipt_counts(
    empty: Path, sources: dict[str, Source]
) -> None:
    sources["imap"].put(name(), workbook())
    put(empty, workbook(), name(), SENT + timedelta(days=1))
    result = collect(sources["folder"].address(), sources["imap"].address())
    assert (result["new"], originals()) == (2, 1)
    assert steps.process_received(NOW)["accepted"] == 1
    with warehouse.connect() as connection:
        assert connection.execute("select received_at from raw.submission").fetchone() == (SENT,)


def test_nothing_is_received_later_than_now(empty: Path, sources: dict[str, Source]) -> None:
    sources["sftp"].put("BC.xlsx", workbook())
    collect(sources["sftp"].address(), now=SENT - timedelta(days=1))
    assert [row["received_at"] for row in deliveries()] == [SENT - timedelta(days=1)]


REMOTE = ("sftp", "s3", "imap")


@pytest.mark.parametrize("kind", REMOTE)
def test_a_server_that_is_down_delays_only_itself(
    empty: Path, sources: dict[str, Source], kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    down = sources[kind].address(port=servers.closed_port())
    others = [source.address() for other, source in sources.items() if other != kind]
    for other in sources:
        sources[other].put("BC.xlsx", workbook())
    result = collect(down, *others)
    assert result["new"] == 3
    ((where, why),) = result["down"].items()
    assert "máy chủ không nhận kết nối" in why
    assert where in why
    assert shows_no_secret(result, caplog)


@pytest.mark.parametrize("kind", REMOTE)
def test_a_wrong_password_is_told_and_not_shown(
    empty: Path, sources: dict[str, Source], kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    sources["folder"].put("BC.xlsx", workbook())
    result = collect(sources[kind].address(password="MatKhauSai"), sources["folder"].address())
    assert result["new"] == 1
    (why,) = result["down"].values()
    assert "sai tài khoản, mật khẩu hoặc không có quyền" in why
    assert shows_no_secret(result, caplog)


def shows_no_secret(result: dict[str, Any], caplog: pytest.LogCaptureFixture) -> bool:
    """Of what we say and log ourselves; a client library's own debug output is not ours."""
    ours = " ".join(r.getMessage() for r in caplog.records if r.name.startswith(("etl", "root")))
    text = f"{result} {ours}"
    return not any(secret in text for secret in (servers.PASSWORD, servers.PASSWORD_IN_ADDRESS, "MatKhauSai"))


@pytest.mark.parametrize("kind", REMOTE)
def test_a_line_that_breaks_in_the_middle_keeps_what_was_whole_and_the_next_turn_gets_the_rest(
    empty: Path, sources: dict[str, Source], kind: str
) -> None:
    server = sources[kind].server  # type: ignore[attr-defined]
    sources["folder"].put("BC.xlsx", workbook())
    sources[kind].put("a.csv", b"x" * 1000)
    sources[kind].put("b.csv", b"y" * 3_000_000)
    with servers.breaking_line(server.port, 1_000_000) as line:
        result = collect(sources[kind].address(port=line.port), sources["folder"].address())
    assert result["new"] == 2
    (why,) = result["down"].values()
    assert "mất kết nối giữa chừng" in why or "không nhận kết nối" in why  # s3fs asks once more, and is turned away
    assert not [path for path in settings.get().archive_dir.iterdir() if path.is_file()]
    assert collect(sources[kind].address())["down"] == {}
    assert originals() == 3


@pytest.mark.parametrize("kind", REMOTE)
def test_a_server_that_says_nothing_ends_by_itself(
    empty: Path, sources: dict[str, Source], kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (inbox.files, mailbox):
        monkeypatch.setattr(module, "TIMEOUT_SECONDS", 1)
    sources["folder"].put("BC.xlsx", workbook())
    started = time.monotonic()
    with servers.silent_server() as port:
        result = collect(sources[kind].address(port=port), sources["folder"].address())
    assert time.monotonic() - started < 20
    assert result["new"] == 1
    (why,) = result["down"].values()
    assert "máy chủ không trả lời" in why


def test_an_inbox_that_never_ends_is_left_behind(empty: Path, sources: dict[str, Source]) -> None:
    class Endless(inbox.Folder):
        def items(self, now: datetime) -> Iterator[inbox.Item]:
            time.sleep(3)
            yield from ()

    sources["folder"].put("BC.xlsx", workbook())
    both = [Endless(empty, "cham"), inbox.open_inbox(sources["folder"].address())]
    from etl.collect.place import Places

    slow, quick = intake.take_in(both, settings.get().archive_dir, Places({}, {}), NOW, turn_seconds=0.5)
    assert "chưa đọc xong" in (slow.down or "")
    assert (quick.new, quick.down) == (1, None)


def test_what_is_broken_on_our_own_side_is_no_inbox_that_is_down(
    empty: Path, sources: dict[str, Source], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    sources["folder"].put("BC.xlsx", workbook())
    monkeypatch.setattr(archive.os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        collect(sources["folder"].address(), sources["sftp"].address())
    assert deliveries() == []


def test_uploads_under_way_are_left_for_the_next_turn(empty: Path, sources: dict[str, Source]) -> None:
    source = sources["sftp"]
    source.put("BC.xlsx.filepart", b"half")
    source.put("BC.xlsx", workbook())
    started = source.server.put(f"{source.folder}/dang-gui.xlsx", b"half", NOW - timedelta(seconds=3))  # type: ignore[attr-defined]
    result = collect(source.address())
    assert (result["new"], list(result["left"].values())) == (1, [["dang-gui.xlsx"]])
    started.write_bytes(workbook(QUAN_SON))
    assert collect(source.address(), now=NOW + timedelta(minutes=15))["new"] == 1


def test_a_file_that_grows_while_it_is_read_is_left_for_the_next_turn(
    empty: Path, sources: dict[str, Source], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put(empty, b"x" * 3_000_000, "BC.xlsx", SENT)
    real = archive.store_pieces

    def growing(folder: Path, pieces: Iterator[bytes], *limit: int) -> archive.Stored:
        def grow() -> Iterator[bytes]:
            yield next(pieces)
            with path.open("ab") as handle:
                handle.write(b"more")
            yield from pieces

        return real(folder, grow(), *limit)

    with monkeypatch.context() as patch:
        patch.setattr(archive, "store_pieces", growing)
        result = collect(sources["folder"].address())
    assert (result["new"], len(result["left"])) == (0, 1)
    assert collect(sources["folder"].address())["new"] == 1


def test_a_folder_that_is_not_mounted_is_down_and_not_empty(empty: Path, tmp_path: Path) -> None:
    result = collect((tmp_path / "khong-co").as_uri())
    assert "không có thư mục" in next(iter(result["down"].values()))


def test_an_empty_prefix_of_a_store_is_empty_but_a_missing_bucket_is_down(
    empty: Path, sources: dict[str, Source]
) -> None:
    address = sources["s3"].address()
    assert collect(address)["down"] == {}
    result = collect(address.replace("@bao-cao/", "@khong-co/"))
    assert "không có thư mục hoặc kho này" in next(iter(result["down"].values()))


def test_a_server_whose_key_is_not_known_gets_no_password(empty: Path, sources: dict[str, Source]) -> None:
    result = collect(sources["sftp"].address().partition("?")[0])
    assert "chưa được tin cậy" in next(iter(result["down"].values()))


def test_a_huge_file_is_kept_as_far_as_the_limit_and_refused(
    empty: Path, sources: dict[str, Source], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive.store_pieces, "__defaults__", (30 * 1024**2,))
    path = put(empty, b"", "lon.xlsx", SENT)
    with path.open("wb") as handle:
        handle.truncate(5 * 1024**3)
    put(empty, workbook(), name(), SENT)
    result = collect(sources["folder"].address())
    assert (result["new"], list(result["cut"].values())) == (2, [["lon.xlsx"]])
    (size,) = [row["source_size_bytes"] for row in deliveries() if row["file_name"] == "lon.xlsx"]
    assert size == 5 * 1024**3
    assert steps.process_received(NOW) | {"findings": 0} == {"accepted": 1, "returned": 0, "refused": 1, "findings": 0}
    with warehouse.connect() as connection:
        assert connection.execute("select rule_id from core.finding where severity = 'error'").fetchall() == [("M42",)]


def test_a_mail_larger_than_any_is_kept_as_far_as_the_limit(
    empty: Path, sources: dict[str, Source], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailbox, "MAX_MAIL_BYTES", 100_000)
    monkeypatch.setattr(archive.store_pieces, "__defaults__", (200_000,))
    sources["imap"].put("BC.xlsx", b"x" * 1_000_000)
    result = collect(sources["imap"].address())
    ((_, (path,)),) = result["cut"].items()
    (row,) = deliveries()
    assert path.endswith(".eml")
    assert row["source_size_bytes"] > 1_000_000
    assert row["sender"] == "quanson@example.invalid"


def test_a_mailbox_is_left_as_it_is(empty: Path, sources: dict[str, Source]) -> None:
    source = sources["imap"]
    source.put("BC.xlsx", workbook())
    collect(source.address())
    with source.server.client() as client:  # type: ignore[attr-defined]
        client.select(source.folder, readonly=True)  # type: ignore[attr-defined]
        status, flags = client.fetch("1:*", "(FLAGS)")
    assert status == "OK"
    assert [b"Seen" in line or b"Deleted" in line for line in flags] == [False]


def test_mails_before_the_first_day_are_left_alone(empty: Path, sources: dict[str, Source]) -> None:
    source = sources["imap"]
    source.put("BC.xlsx", workbook())
    assert collect(source.address() + f"?since={SENT.date() + timedelta(days=1)}")["seen"] == 0
    assert collect(source.address() + f"?since={SENT.date()}")["new"] == 1


def test_a_mail_that_was_passed_on_keeps_its_sender_and_counts_from_the_offices_own_receipt(
    empty: Path, sources: dict[str, Source]
) -> None:
    outer = EmailMessage()
    outer["From"], outer["Message-ID"] = "canbo@example.invalid", "<chuyen@example.invalid>"
    outer.set_content("Chuyển văn phòng")
    outer.add_attachment(mail(name(), workbook(), "goc"))
    source = sources["imap"]
    source.server.deliver(outer.as_bytes(), SENT, source.folder)  # type: ignore[attr-defined]
    collect(source.address())
    (row,) = deliveries()
    assert (row["sender"], row["forwarded_by"]) == ("quanson@example.invalid", "canbo@example.invalid")
    assert (row["message_id"], row["received_at"]) == ("chuyen@example.invalid", SENT)
    assert row["original_date"] == datetime(2025, 11, 7, 9, 20, tzinfo=UTC)


def test_a_known_sender_says_the_commune_where_no_folder_does(
    empty: Path, sources: dict[str, Source], monkeypatch: pytest.MonkeyPatch
) -> None:
    from etl.collect.place import Places

    known = Places({QUAN_SON: "Xã Quan Sơn"}, {"@example.invalid": QUAN_SON})
    monkeypatch.setattr(Places, "of", lambda _: known)
    sources["imap"].put(name(), workbook())
    collect(sources["imap"].address())
    assert [(r["said_commune"], r["sender_commune"]) for r in deliveries()] == [(QUAN_SON, QUAN_SON)]


def test_each_workbook_of_a_zip_is_one_submission_and_the_zip_is_kept(empty: Path, sources: dict[str, Source]) -> None:
    books = {f"2025-10/{code}/{name(code)}": workbook(code) for code in ("06463", QUAN_SON, "05977")}
    sources["imap"].put("Báo cáo.zip", zipped(**books, **{"Thumbs.db": b"x", "ban ky.pdf": b"%PDF-1.4"}))
    assert collect(sources["imap"].address())["new"] == 4
    container, *members = sorted(deliveries(), key=lambda row: row["container_sha256"] or "")
    assert {m["container_sha256"] for m in members} == {container["sha256"]}
    assert {(m["said_commune"], m["said_period"]) for m in members} == {
        (code, "2025-10") for code in ("06463", QUAN_SON, "05977")
    }
    assert {m["sender"] for m in members} == {"quanson@example.invalid"}
    assert steps.process_received(NOW) == {"accepted": 3, "returned": 0, "refused": 0, "findings": 0}
    assert steps.process_received(NOW) == {"accepted": 0, "returned": 0, "refused": 0, "findings": 0}


def test_a_zip_that_must_not_be_unpacked_is_kept_and_refused_with_its_own_reason(
    empty: Path, sources: dict[str, Source]
) -> None:
    inner = zipped(**{"a.xlsx": workbook()})
    sources["folder"].put("BC-MTQG_06517_2025-10.zip", zipped(**{"trong.zip": inner}))
    sources["folder"].put(name(), workbook())
    assert collect(sources["folder"].address())["new"] == 2
    assert steps.process_received(NOW)["refused"] == 1
    with warehouse.connect() as connection:
        found = connection.execute(
            "select s.commune_code, f.rule_id, f.message_vi from core.finding as f "
            "inner join raw.submission as s on f.submission_id = s.submission_id where f.severity = 'error'"
        ).fetchall()
    assert [row[:2] for row in found] == [(QUAN_SON, "M41")]
    assert "trong.zip" in found[0][2]
    assert isinstance(package.unpack("BC.zip", zipped(**{"trong.zip": inner})), package.Refusal)


def test_the_same_zip_from_two_inboxes_adds_deliveries_and_no_original(empty: Path, sources: dict[str, Source]) -> None:
    data = zipped(**{name(): workbook(), name(QUAN_SON): workbook(QUAN_SON)})
    sources["folder"].put("BC.zip", data)
    sources["sftp"].put("BC.zip", data)
    assert collect(sources["folder"].address(), sources["sftp"].address())["new"] == 6
    assert originals() == 3
    assert steps.process_received(NOW)["accepted"] == 2


def test_the_task_that_names_the_inboxes_that_were_down_turns_red(empty: Path, sources: dict[str, Source]) -> None:
    from etl.errors import InboxDownError

    result = collect(sources["imap"].address(port=servers.closed_port()), sources["folder"].address())
    with pytest.raises(InboxDownError, match="imap://"):
        steps.require_all_inboxes(result)
    steps.require_all_inboxes(collect(sources["imap"].address()))


def test_the_warehouse_of_the_version_before_is_taken_over(postgres: settings.Settings) -> None:
    import psycopg

    from etl.load import server

    with psycopg.connect(server.url("postgres", postgres), autocommit=True) as connection:
        connection.execute("create database before_inboxes")
    with psycopg.connect(server.url("before_inboxes", postgres)) as connection:
        script = settings.assets() / "sql" / "migrations" / "0001_warehouse.sql"
        connection.execute(script.read_text(encoding="utf-8"))
        connection.execute("create table public.schema_version (version_num varchar(32) primary key)")
        connection.execute("insert into public.schema_version values ('0001')")
        connection.execute("insert into raw.original values (%s, 1, 'x', now())", ("0" * 64,))
        connection.execute(
            "insert into raw.delivery (sha256, inbox, file_name, received_at) values (%s, 'folder', 'a.xlsx', now())",
            ("0" * 64,),
        )
    assert warehouse.migrate(server.url("before_inboxes", postgres)) == warehouse.newest_version()
    with psycopg.connect(server.url("before_inboxes", postgres)) as connection:
        assert connection.execute("select path, said_commune from raw.delivery").fetchone() == ("a.xlsx", None)
        undescribed = connection.execute(
            "select attname from pg_attribute where attrelid in ('raw.delivery'::regclass, 'raw.inbox_item'::regclass) "
            "and attnum > 0 and not attisdropped and col_description(attrelid, attnum) is null"
        ).fetchall()
        assert undescribed == []
        with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
            connection.execute("update raw.delivery set path = 'b'")
