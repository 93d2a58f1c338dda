"""The question in Airflow itself: who may answer, what is asked again, rejection, time-out, and then a release."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from etl import clock, settings, steps
from etl.errors import InfrastructureError
from etl.load import server, warehouse
from etl.local_airflow import month
from etl.local_airflow.api import Api, path_of
from etl.local_airflow.month import APPROVAL_TASK, PUBLISH, SETTLE_SECONDS
from etl.local_airflow.processes import APPROVER, ENGINEER, LocalAirflow, embedded_server
from tests.builders import QUAN_SON, name, workbook
from tests.databases import start_unsafe

pytestmark = pytest.mark.slow
SECONDS = 300


@pytest.fixture
def conf(monkeypatch: pytest.MonkeyPatch) -> Iterator[settings.Settings]:
    """A folder of its own, outside pytest's: for root the embedded server runs as another user."""
    home = Path(tempfile.mkdtemp(prefix="tiendo-approval-"))
    monkeypatch.setenv("TIENDO_HOME", str(home))
    conf = settings.reload()
    start_unsafe(conf)
    server.stop(conf)
    yield conf
    server.stop(conf)
    monkeypatch.undo()
    settings.reload()
    shutil.rmtree(home, ignore_errors=True)


class Question:
    """One run of the DAG and the question in it."""

    def __init__(self, airflow: LocalAirflow, api: Api, **params: Any) -> None:
        self.airflow, self.api = airflow, api
        body = {"logical_date": None, "partition_key": "2025-10", "conf": params}
        self.run = str(api.call("POST", f"/api/v2/dags/{PUBLISH}/dagRuns", body)["dag_run_id"])

    @property
    def _details(self) -> str:
        return month._instance(PUBLISH, self.run, APPROVAL_TASK) + "/-1/hitlDetails"

    def asked(self) -> dict[str, Any]:
        found = self.airflow.wait_for("câu hỏi", lambda: month._question_or_end(self.api, self.run), SECONDS)
        assert "subject" in found, found
        time.sleep(SETTLE_SECONDS)
        return dict(found)

    def answer(self, who: Api, option: str, reason: str = "") -> None:
        who.call("PATCH", self._details, {"chosen_options": [option], "params_input": {"reason": reason}})

    def time_is_over(self, conf: settings.Settings) -> None:
        with psycopg.connect(server.url("airflow", conf)) as metadata:
            metadata.execute(
                "update task_instance set trigger_timeout = now() - interval '1 minute' "
                "where run_id = %s and task_id = %s",
                (self.run, APPROVAL_TASK),
            )

    def ended(self) -> dict[str, str]:
        self.airflow.wait_for("kết thúc", lambda: month._ended(self.api, PUBLISH, self.run), SECONDS)
        found = self.api.call("GET", path_of("dags", PUBLISH, "dagRuns", self.run, "taskInstances"))["task_instances"]
        return {one["task_id"]: one["state"] for one in found}

    def clear_from_freeze(self) -> None:
        self.api.call(
            "POST",
            f"/api/v2/dags/{PUBLISH}/clearTaskInstances",
            {"dry_run": False, "dag_run_id": self.run, "task_ids": ["freeze"], "include_downstream": True,
             "only_failed": False, "reset_dag_runs": True},
        )  # fmt: skip


def rows(query: str) -> list[Any]:
    with warehouse.connect() as connection:
        return connection.execute(query.encode()).fetchall()


def test_from_a_rejection_and_a_time_out_to_a_release(conf: settings.Settings) -> None:
    conf.inbox_dir.mkdir(parents=True)
    for commune in (QUAN_SON, "06463"):
        (conf.inbox_dir / name(commune)).write_bytes(workbook(commune))
    with embedded_server(conf):
        now = clock.now()
        steps.prepare(now)
        steps.archive_inbox(now)
        steps.process_received(now)
        with LocalAirflow(conf, by_schedule=False) as airflow:
            engineer, approver = airflow.api(ENGINEER), airflow.api(APPROVER)
            with month._switched_on(airflow, engineer, [PUBLISH]):
                first = Question(airflow, engineer)
                question = first.asked()
                assert "Người soạn: dieu_phoi" in question["body"]
                # Whoever prepared it and is in no list is turned away by Airflow; the question stays.
                with pytest.raises(InfrastructureError, match="403"):
                    first.answer(engineer, "Approve")
                # No reason: asked again.
                first.answer(approver, "Reject")
                first.asked()
                assert rows("select 1 from release.approval") == []
                first.answer(approver, "Reject", "Còn thiếu 63 xã, phường")
                told = first.ended()
                assert (told["record_decision"], told["publish"]) == ("skipped", "skipped")

                again = Question(airflow, engineer, again=True)
                again.asked()
                again.time_is_over(conf)
                told = again.ended()
                assert (told["approve_release"], told["record_decision"]) == ("success", "failed")
                again.clear_from_freeze()
                again.asked()
                again.answer(approver, "Approve")
                assert set(again.ended().values()) == {"success"}

        assert rows(
            "select round, decision, kind, login, channel, reason is null from release.approval order by 1"
        ) == [
            (1, "rejected", "person", APPROVER, "airflow", False),
            (2, "rejected", "timeout", None, "airflow", False),
            (3, "approved", "person", APPROVER, "airflow", True),
        ]
        assert rows("select release_id, prepared_by, run is null from release.provenance") == [
            ("2025-10-r1", ENGINEER, False)
        ]
        assert rows("select release_id from release.publication") == [("2025-10-r1",)]
        assert rows("select detail ->> 'why' from audit.event where action = 'release.refused_answer'") == [
            ("Không phê duyệt thì phải ghi lý do.",)
        ]
