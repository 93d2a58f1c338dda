"""Inboxes by connections of a running Airflow: two servers answer, one is down, the run goes on and says so."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from etl import settings, steps
from etl.load import server, warehouse
from etl.local_airflow import month
from etl.local_airflow.processes import ENGINEER, LocalAirflow, embedded_server
from tests import servers
from tests.builders import QUAN_SON, name, workbook
from tests.databases import start_unsafe

pytestmark = [pytest.mark.slow, pytest.mark.airflow]

NOW = datetime.now(UTC)
SENT = NOW.replace(microsecond=0) - timedelta(days=1)


@pytest.fixture
def conf() -> Iterator[settings.Settings]:
    """Settings of a home of its own, outside pytest's folder (see ``tests/conftest.py``)."""
    home = Path(tempfile.mkdtemp(prefix="tiendo-inboxes-"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TIENDO_HOME", str(home))
        patch.setenv("TIENDO_INBOXES", "folder sftp://thu_sftp@/den s3://kho@bao-cao/den imap://hop_thu@/INBOX")
        conf = settings.reload()
        start_unsafe(conf)
        server.stop(conf)
        yield conf
    settings.reload()
    shutil.rmtree(home, ignore_errors=True)


def connections(sftp: servers.SftpServer, s3: servers.S3Server) -> list[dict[str, Any]]:
    account = {"host": servers.HOST, "login": servers.USER, "password": servers.PASSWORD}
    store = {"endpoint_url": s3.endpoint, "region_name": "us-east-1"}
    made: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
        ("thu_sftp", {"conn_type": "sftp", **account, "port": sftp.port}, {"host_key": sftp.host_key}),
        ("kho", {"conn_type": "aws", "login": s3.key, "password": s3.secret}, store),
        ("hop_thu", {"conn_type": "imap", **account, "port": servers.closed_port()}, {"use_ssl": False}),
    ]
    return [{"connection_id": name, **fields, "extra": json.dumps(extra)} for name, fields, extra in made]


def test_what_answers_is_loaded_and_what_is_down_turns_one_task_red(conf: settings.Settings, tmp_path: Path) -> None:
    with servers.sftp_server(tmp_path) as sftp, servers.s3_server() as s3, embedded_server(conf):
        steps.prepare(NOW)
        sftp.put(f"2025-10/{name()}", workbook(), SENT)
        s3.put(f"2025-10/{name(QUAN_SON)}", workbook(QUAN_SON))
        with LocalAirflow(conf, by_schedule=False) as airflow:
            api = airflow.api(ENGINEER)
            for connection in connections(sftp, s3):
                api.call("POST", "/api/v2/connections", connection)
            with month._switched_on(airflow, api, [month.COLLECT]):
                run = month._trigger(api, month.COLLECT, None)
                airflow.wait_for(run, lambda: month._ended(api, month.COLLECT, run), 180)
            tasks = api.call("GET", f"/api/v2/dags/{month.COLLECT}/dagRuns/{run}/taskInstances")["task_instances"]
            archived = month._result(api, month.COLLECT, run, "archive")
            logs = {t["task_id"]: month._log_tail(api, month.COLLECT, run, t, 400) for t in tasks}
        with warehouse.connect() as connection:
            accepted = connection.execute(
                "select array_agg(commune_code order by 1) from raw.submission where verdict = 'accepted'"
            ).fetchone()
    assert {t["task_id"]: (t["state"], t["try_number"]) for t in tasks} == {
        "archive": ("success", 1),
        "all_inboxes_reached": ("failed", 1),
        "process": ("success", 1),
        "hand_back": ("success", 1),
    }
    assert list(archived["down"]) == ["imap://hop_thu@/INBOX"]
    assert accepted == (["06463", QUAN_SON],)
    assert "máy chủ không nhận kết nối" in logs["all_inboxes_reached"]
    assert not any(secret in text for text in logs.values() for secret in (servers.PASSWORD, s3.secret))
