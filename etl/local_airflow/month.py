"""The main job through the local Airflow: collect the inbox, publish months, approval given by the API."""

from __future__ import annotations

import contextlib
import hashlib
import re
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from etl import clock, settings, steps
from etl.errors import InfrastructureError, ReleaseError
from etl.load import warehouse
from etl.local_airflow.api import Api, path_of
from etl.local_airflow.processes import (
    APPROVER,
    ENGINEER,
    LocalAirflow,
    embedded_server,
    ended_by_signals,
    passwords_file,
)

COLLECT = "collect_reports"
PUBLISH = "publish_monthly_summary"
APPROVAL_TASK = "approve_release"
FREEZE_TASK = "freeze"

PARSE_SECONDS = 90
RUN_SECONDS = 900
# The end of a parked task's process is noticed after up to a second, and the scheduler takes note in its next round.
# An answer before that looks to it like a task whose state somebody else has changed, and it fails the task. No
# person is that quick.
SETTLE_SECONDS = 5
_SHA256 = re.compile(r"\b[0-9a-f]{64}\b")

Say = Callable[[str], None]


def run_month(publish: list[str], conf: settings.Settings | None = None, say: Say = print) -> int:
    """Collect everything in the inbox, then publish each month of ``publish`` (``YYYY-MM``, in that order).

    Returns 0 when every run succeeded, 1 when one failed (the end of its log has been told). Idempotent: a
    second call collects nothing new and publishes nothing twice.
    """
    conf = conf or settings.get()
    with ended_by_signals(), embedded_server(conf):
        steps.prepare(clock.now())
        say("Đang khởi động Airflow (api-server, scheduler, dag-processor)…")
        with LocalAirflow(conf, by_schedule=False) as airflow:
            engineer, approver = airflow.api(ENGINEER), airflow.api(APPROVER)
            with _switched_on(airflow, engineer, [COLLECT, PUBLISH]):
                try:
                    returned = _collect(airflow, engineer, say)
                    releases = [_publish(airflow, engineer, approver, period, say) for period in publish]
                except RunFailedError as failure:
                    say(str(failure))
                    return 1
            _tell_where(conf, returned, releases, say)
    return 0


def up(conf: settings.Settings | None = None, say: Say = print) -> int:
    """Keep Airflow running, by its schedules, until Ctrl-C. DAGs that are switched off stay so."""
    conf = conf or settings.get()
    with ended_by_signals(), contextlib.suppress(KeyboardInterrupt), embedded_server(conf):
        steps.prepare(clock.now())
        say("Đang khởi động Airflow…")
        with LocalAirflow(conf, by_schedule=True, preferred_port=8080) as airflow:
            say(f"Airflow: {airflow.url} (chỉ mở trên máy này; Ctrl-C để dừng)")
            say(f"Tài khoản: {ENGINEER} (quản trị), {APPROVER} (phê duyệt); mật khẩu: {passwords_file(conf)}")
            airflow.wait_for("", lambda: None, float("inf"))
    return 0


class RunFailedError(InfrastructureError):
    """A DAG run did not succeed; the text holds the end of the failing task's log."""


def _collect(airflow: LocalAirflow, api: Api, say: Say) -> dict[str, Any]:
    """One run of the collection; what ``hand_back`` answered."""
    started = time.monotonic()
    run = _trigger(api, COLLECT, None)
    _wait_for_end(airflow, api, COLLECT, run)
    seen, judged = (_result(api, COLLECT, run, task) for task in ("archive", "process"))
    say(
        f"{COLLECT}: {seen['seen']} tệp trong hộp nhận, {seen['new']} tệp mới; {judged['accepted']} đạt, "
        f"{judged['returned']} trả lại, {judged['refused']} từ chối ({time.monotonic() - started:.0f} giây)"
    )
    return _result(api, COLLECT, run, "hand_back")


def _publish(airflow: LocalAirflow, engineer: Api, approver: Api, period: str, say: Say) -> dict[str, Any] | None:
    """One run for ``period``; the release as ``freeze`` handed it out, None when the month was skipped."""
    started = time.monotonic()
    run = _trigger(engineer, PUBLISH, period)
    while "subject" in (
        found := airflow.wait_for(f"{PUBLISH} {period}", lambda: _question_or_end(engineer, run), RUN_SECONDS)
    ):
        release = _result(engineer, PUBLISH, run, FREEZE_TASK)
        verify_request(found["body"], release)
        time.sleep(SETTLE_SECONDS)
        _answer(approver, run)
        say(f"{PUBLISH} {period}: {APPROVER} phê duyệt {release['release_id']} qua API của Airflow")
    _expect_success(engineer, PUBLISH, run, found)
    frozen = engineer.find(_instance(PUBLISH, run, FREEZE_TASK) + "/xcomEntries/return_value")
    took = f"({time.monotonic() - started:.0f} giây)"
    if frozen is None:
        say(f"{PUBLISH} {period}: bỏ qua, bảng lịch không có kỳ này {took}")
        return None
    release = frozen["value"]
    outcome = "đã công bố từ trước, không thay đổi" if release["published"] else "đã công bố"
    say(f"{PUBLISH} {period}: {release['release_id']} {outcome} {took}")
    return dict(release)


def verify_request(body: str, release: dict[str, Any]) -> None:
    """The approver's own check before consenting: the request lists exactly the files on disk, by sha256.

    Raises ReleaseError with the names when a file is not as listed, when a hash belongs to no file, or when the
    request does not show the manifest that the approval will be bound to.
    """
    on_disk = {
        artifact["name"]: hashlib.sha256(Path(artifact["path"]).read_bytes()).hexdigest()
        for artifact in release["artifacts"]
    }
    shown = set(_SHA256.findall(body))
    wrong = sorted(name for name, digest in on_disk.items() if digest not in shown)
    if release["manifest_sha256"] not in shown:
        wrong.append("thiếu mã băm của bản kê")
    if shown - set(on_disk.values()) - {release["manifest_sha256"]}:
        wrong.append("có mã băm không thuộc tệp nào")
    if wrong:
        raise ReleaseError(f"Yêu cầu phê duyệt không khớp với tệp trên đĩa: {', '.join(wrong)}.")


@contextlib.contextmanager
def _switched_on(airflow: LocalAirflow, api: Api, dags: list[str]) -> Iterator[None]:
    """The DAGs unpaused for the length of the block, afterwards as they were found."""
    paused = []
    for dag in dags:
        found = airflow.wait_for(f"đọc DAG {dag}", partial(api.find, path_of("dags", dag)), PARSE_SECONDS)
        if found["is_paused"]:
            paused.append(dag)
            api.call("PATCH", path_of("dags", dag), {"is_paused": False})
    try:
        yield
    finally:
        for dag in paused:
            api.call("PATCH", path_of("dags", dag), {"is_paused": True})


def _trigger(api: Api, dag: str, partition_key: str | None) -> str:
    body = {"logical_date": None, "partition_key": partition_key}
    return str(api.call("POST", path_of("dags", dag, "dagRuns"), body)["dag_run_id"])


def _instance(dag: str, run: str, task: str) -> str:
    return path_of("dags", dag, "dagRuns", run, "taskInstances", task)


def _result(api: Api, dag: str, run: str, task: str) -> dict[str, Any]:
    return dict(api.call("GET", _instance(dag, run, task) + "/xcomEntries/return_value")["value"])


def _ended(api: Api, dag: str, run: str) -> dict[str, Any] | None:
    found = api.call("GET", path_of("dags", dag, "dagRuns", run))
    return found if found["state"] in ("success", "failed") else None


def _question_or_end(api: Api, run: str) -> dict[str, Any] | None:
    """The approval request once the task waits for an answer, or the run once it has ended."""
    task = api.find(_instance(PUBLISH, run, APPROVAL_TASK))
    if task and task["state"] == "awaiting_input":
        request = api.find(_instance(PUBLISH, run, APPROVAL_TASK) + "/-1/hitlDetails")
        return request if request and not request["response_received"] else None
    return _ended(api, PUBLISH, run)


def _answer(api: Api, run: str) -> None:
    answer = {"chosen_options": ["Approve"], "params_input": {}}
    api.call("PATCH", _instance(PUBLISH, run, APPROVAL_TASK) + "/-1/hitlDetails", answer)


def _wait_for_end(airflow: LocalAirflow, api: Api, dag: str, run: str) -> None:
    _expect_success(api, dag, run, airflow.wait_for(f"{dag} {run}", lambda: _ended(api, dag, run), RUN_SECONDS))


def _expect_success(api: Api, dag: str, run: str, ended: dict[str, Any]) -> None:
    """Raises RunFailedError with the ends of the failing tasks' logs."""
    if ended["state"] == "success":
        return
    tasks = api.call("GET", path_of("dags", dag, "dagRuns", run, "taskInstances"))["task_instances"]
    failed = [task for task in tasks if task["state"] == "failed"]
    logs = [f"--- {task['task_id']}\n{_log_tail(api, dag, run, task)}" for task in failed]
    raise RunFailedError("\n".join([f"{dag} {run} không thành công.", *logs]))


def _log_tail(api: Api, dag: str, run: str, task: dict[str, Any], lines: int = 40) -> str:
    found = api.find(_instance(dag, run, task["task_id"]) + f"/logs/{task['try_number']}?full_content=true")
    events = found["content"] if found else []
    texts = [_event_text(event) for event in events]
    return "\n".join("\n".join(texts).splitlines()[-lines:])


def _event_text(event: Any) -> str:
    """One entry of a task log: its message, and the errors with their own messages."""
    if not isinstance(event, dict):
        return str(event)
    errors = [f"{error['exc_type']}: {error['exc_value']}" for error in event.get("error_detail") or []]
    return "\n".join([str(event.get("event", "")), *errors])


def _tell_where(
    conf: settings.Settings, returned: dict[str, Any], releases: list[dict[str, Any] | None], say: Say
) -> None:
    say("")
    for release in filter(None, releases):
        say(f"Báo cáo tổng hợp kỳ {release['period']} ({release['release_id']}):")
        letters = [a for a in release["artifacts"] if "/" in a["name"]]
        for artifact in release["artifacts"]:
            if artifact not in letters:
                say(f"  {artifact['path']}")
        if letters:
            say(f"  {Path(letters[0]['path']).parent} (thư riêng, {len(letters)} tệp)")
    say(f"Tệp đã đánh dấu, trả lại cho các xã, phường ({returned['with_findings']} tệp):")
    for folder in returned["folders"]:
        say(f"  {folder}")
    say(f"Kho dữ liệu: {warehouse.url()}")
    if not conf.warehouse_url:
        say("  mở bằng: .venv/bin/tiendo db start && .venv/bin/tiendo db psql")
    say("Xem trên giao diện Airflow: make up")
