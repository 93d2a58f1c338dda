"""Inboxes whose server and account are Airflow connections, against real servers on loopback."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from etl import settings, steps
from etl.collect.inbox import Inbox
from etl.errors import InboxDownError
from tests import servers

pytestmark = pytest.mark.airflow

NOW = datetime.now(UTC)
SENT = NOW.replace(microsecond=0) - timedelta(days=3)
DATA = b"STT,Ma\n" * 1000
ADDRESSES = {"sftp": "sftp://thu_sftp@/den", "s3": "s3://kho@bao-cao/den", "imap": "imap://hop_thu@/INBOX"}
IDS = {"sftp": "THU_SFTP", "s3": "KHO", "imap": "HOP_THU"}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    mail = EmailMessage()
    mail["From"], mail["Message-ID"] = "a@example.invalid", "<1@example.invalid>"
    mail.add_attachment(DATA, maintype="application", subtype="octet-stream", filename="BC.csv")
    with (
        servers.sftp_server(tmp_path_factory.mktemp("sftp")) as sftp,
        servers.s3_server() as s3,
        servers.imap_server() as imap,
    ):
        sftp.put("BC.csv", DATA, SENT)
        s3.put("BC.csv", DATA)
        imap.deliver(mail.as_bytes(), SENT)
        yield {"sftp": sftp, "s3": s3, "imap": imap}


def connections(running: dict[str, Any]) -> dict[str, dict[str, Any]]:
    sftp, s3, imap = running["sftp"], running["s3"], running["imap"]
    account = {"host": servers.HOST, "login": servers.USER, "password": servers.PASSWORD}
    return {
        "sftp": {"conn_type": "sftp", **account, "port": sftp.port, "extra": {"host_key": sftp.host_key}},
        "s3": {
            "conn_type": "aws",
            "login": s3.key,
            "password": s3.secret,
            "extra": {"endpoint_url": s3.endpoint, "region_name": "us-east-1"},
        },
        "imap": {"conn_type": "imap", **account, "port": imap.port, "extra": {"use_ssl": False}},
    }


@pytest.fixture
def known(running: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[dict[str, Any]]:
    """The connections by kind; ``change`` sets one of them anew."""
    made = connections(running)

    def change(kind: str, **fields: Any) -> None:
        made[kind] |= fields
        monkeypatch.setenv(f"AIRFLOW_CONN_{IDS[kind]}", json.dumps(made[kind]))

    for kind in made:
        change(kind)
    monkeypatch.setenv("TIENDO_INBOXES", " ".join(ADDRESSES.values()))
    monkeypatch.setenv("TIENDO_HOME", str(tmp_path))
    settings.reload()
    yield {"change": change, **running}
    monkeypatch.undo()
    settings.reload()


def opened(kind: str) -> Inbox:
    from etl.airflow_io import inboxes

    (found,) = [box for box in inboxes() if box.name == ADDRESSES[kind]]
    return found


def read(box: Inbox) -> list[tuple[str, bytes, datetime]]:
    try:
        return [
            (arrival.file_name, b"".join(arrival.pieces()), arrival.received_at)
            for item in box.items(NOW + timedelta(minutes=5))
            for arrival in box.arrivals(item)
        ]
    finally:
        box.close()


@pytest.mark.parametrize("kind", ADDRESSES)
def test_a_report_comes_in_by_a_connection_of_airflow(known: dict[str, Any], kind: str):
    ((file_name, data, received_at),) = read(opened(kind))
    assert (file_name, data) == ("BC.csv", DATA)
    assert received_at == SENT or kind == "s3"


@pytest.mark.parametrize("kind", ADDRESSES)
def test_a_wrong_password_is_told_and_not_shown(known: dict[str, Any], kind: str):
    known["change"](kind, password="MatKhauSai")
    with pytest.raises(InboxDownError, match="sai tài khoản, mật khẩu hoặc không có quyền") as told:
        read(opened(kind))
    assert "MatKhauSai" not in str(told.value)
    assert told.value.__cause__ is None


@pytest.mark.parametrize("kind", ADDRESSES)
def test_a_server_that_is_down_is_told_in_vietnamese(known: dict[str, Any], kind: str):
    port = servers.closed_port()
    extra = {"endpoint_url": f"http://{servers.HOST}:{port}", "region_name": "us-east-1", "use_ssl": False}
    known["change"](kind, port=port, extra=extra | {"host_key": known["sftp"].host_key})
    with pytest.raises(InboxDownError, match="máy chủ không nhận kết nối"):
        read(opened(kind))


def test_a_server_with_another_key_gets_no_password(known: dict[str, Any]):
    import asyncssh

    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    known["change"]("sftp", extra={"host_key": other})
    with pytest.raises(InboxDownError, match="chưa được tin cậy"):
        read(opened("sftp"))


def test_without_a_known_key_no_server_is_trusted_unless_the_connection_says_so(known: dict[str, Any]):
    known["change"]("sftp", extra={})
    with pytest.raises(InboxDownError, match="chưa được tin cậy"):
        read(opened("sftp"))
    known["change"]("sftp", extra={"no_host_key_check": "true"})
    assert len(read(opened("sftp"))) == 1
    known["change"]("sftp", extra={"known_hosts": str(known["sftp"].known_hosts)})
    assert len(read(opened("sftp"))) == 1


def test_a_connection_that_airflow_does_not_know_makes_only_that_inbox_unusable(
    known: dict[str, Any], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("AIRFLOW_CONN_HOP_THU")
    with pytest.raises(InboxDownError, match="Airflow không có kết nối hop_thu"):
        read(opened("imap"))
    assert len(read(opened("sftp"))) == 1


def test_the_same_addresses_without_airflow_are_told_to_need_it(known: dict[str, Any]):
    from etl.collect import inbox

    for box in inbox.configured(settings.get()):
        with pytest.raises(InboxDownError, match="chỉ đọc được khi chạy trong Airflow"):
            read(box)


def test_the_step_takes_in_what_it_reaches_and_names_the_rest(known: dict[str, Any], warehouse: str):
    from etl.airflow_io import inboxes

    known["change"]("imap", port=servers.closed_port())
    settings.reload()
    result = steps.archive_inbox(NOW + timedelta(minutes=5), inboxes())
    assert result["new"] == 2
    assert list(result["down"]) == [ADDRESSES["imap"]]
    assert servers.PASSWORD not in json.dumps(result, ensure_ascii=False)


@pytest.mark.parametrize("down", [{}, {"sftp://thu_sftp@/den": "Hộp nhận sftp://thu_sftp@/den: không trả lời"}])
def test_the_task_is_red_only_when_an_inbox_was_down_and_holds_up_nothing(dagbag: Any, down: dict[str, str]):
    dag = dagbag.dags["collect_reports"]
    told = dag.get_task("all_inboxes_reached").python_callable
    if down:
        with pytest.raises(InboxDownError, match="thu_sftp"):
            told({"down": down})
    else:
        told({"down": down})
    assert dag.get_task("process").upstream_task_ids == {"archive"}


def test_an_inbox_that_is_down_is_not_tried_again_by_the_task_that_tells_of_it():
    from etl.airflow_io import InfrastructureRetryPolicy

    assert InfrastructureRetryPolicy().evaluate(InboxDownError("x"), 1, 2).action.value == "fail"
