"""What the tasks of publish_monthly_summary decide, on a double of the work behind them."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from etl import errors, steps

pytestmark = pytest.mark.airflow

RELEASE = {
    "release_id": "2025-10-r1",
    "period": "2025-10",
    "manifest_sha256": "a" * 64,
    "artifacts": [],
    "approval_markdown": "…",
    "published": False,
    "decision": None,
    "decided_by": None,
    "decision_reason": None,
    "due": 0,
    "approvers": [{"login": "thu_ky", "name": "Thư ký Ban Chỉ đạo", "airflow_user_id": ""}],
}
ANSWERED_AT = datetime(2025, 11, 13, tzinfo=UTC)


class TaskInstance:
    """What a task pushes by hand."""

    def __init__(self) -> None:
        self.pushed: dict[str, Any] = {}

    def xcom_push(self, key: str, value: Any) -> None:
        self.pushed[key] = value


def answer(option: str, reason: str = "") -> dict[str, Any]:
    return {
        "chosen_options": [option],
        "params_input": {"reason": reason},
        "responded_at": ANSWERED_AT,
        "responded_by_user": {"id": "thu_ky", "name": "thu_ky"},
    }


@pytest.fixture
def run(dagbag, monkeypatch):
    """Calls the function of one task in a context made for it."""

    def call(task_id: str, *arguments: Any, **context: Any) -> Any:
        function = dagbag.dags["publish_monthly_summary"].get_task(task_id).python_callable
        monkeypatch.setitem(
            function.__globals__, "get_current_context", lambda: {"params": {}, "ti": TaskInstance(), **context}
        )
        return function(*arguments)

    return call


@pytest.fixture
def approvals(monkeypatch) -> list[tuple[Any, ...]]:
    """What was recorded, and told back as ``steps.approve`` tells it."""
    recorded: list[tuple[Any, ...]] = []

    def approve(release_id: str, manifest: str, by: str, decision: str, _: Any, **more: str) -> dict[str, Any]:
        recorded.append((release_id, manifest, by, decision, more["reason"], more["kind"], more["channel"]))
        return {"decision": decision, "kind": more["kind"], "decided_by": by, "reason": more["reason"]}

    monkeypatch.setattr(steps, "approve", approve)
    return recorded


def skipped() -> Any:
    from airflow.sdk.exceptions import AirflowSkipException

    return pytest.raises(AirflowSkipException)


def test_a_month_that_the_calendar_lacks_is_skipped(run):
    with skipped():
        run("resolve_period", partition_key="2031-01")


def test_a_month_of_the_calendar_is_taken(run):
    assert run("resolve_period", partition_key="2025-10") == "2025-10"


def test_a_new_release_goes_to_approval_under_the_name_of_who_started_the_run(run, monkeypatch):
    seen: dict[str, Any] = {}
    monkeypatch.setattr(steps, "freeze", lambda *_, **more: seen.update(more) or RELEASE)
    dag_run = SimpleNamespace(triggering_user_name="dieu_phoi")
    assert run("freeze", "2025-10", dag_run=dag_run, run_id="manual__1") == RELEASE
    assert seen == {"by": "dieu_phoi", "run": "manual__1", "again": False}


def test_a_run_by_schedule_has_nobody_s_name_and_an_officer_may_ask_again(run, monkeypatch):
    seen: list[dict[str, Any]] = []
    monkeypatch.setattr(steps, "freeze", lambda *_, **more: seen.append(more) or RELEASE)
    run("freeze", "2025-10", dag_run=SimpleNamespace(triggering_user_name=None))
    run("freeze", "2025-10", params={"again": True})
    assert [(one["by"], one["again"]) for one in seen] == [("", False), ("", True)]


def test_a_release_that_is_published_and_unchanged_skips_the_rest_and_is_still_named(run, monkeypatch):
    monkeypatch.setattr(steps, "freeze", lambda *_, **__: {**RELEASE, "published": True, "decision": "approved"})
    ti = TaskInstance()
    with skipped():
        run("freeze", "2025-10", ti=ti)
    assert ti.pushed["return_value"]["release_id"] == "2025-10-r1"


def test_a_published_release_that_not_everybody_has_goes_on_without_being_asked_about(run, dagbag, monkeypatch):
    half = {**RELEASE, "published": True, "decision": "approved", "due": 3}
    monkeypatch.setattr(steps, "freeze", lambda *_, **__: half)
    monkeypatch.setattr(steps, "approve", lambda *_, **__: pytest.fail("asked"))
    assert run("freeze", "2025-10") == half
    given = dagbag.dags["publish_monthly_summary"].get_task("approve_release").execute({"ti": Pulls(half)})
    assert run("record_decision", half, given) == "2025-10-r1"


def test_what_was_rejected_and_has_not_changed_is_red_and_says_what_to_do(run, monkeypatch):
    said = {"decision": "rejected", "decided_by": "Thư ký", "decision_reason": "Thiếu hai xã."}
    monkeypatch.setattr(steps, "freeze", lambda *_, **__: {**RELEASE, **said})
    with pytest.raises(errors.ReleaseError, match=r"Thiếu hai xã.*again"):
        run("freeze", "2025-10")


def test_an_approval_is_bound_to_the_manifest_that_was_shown(run, approvals):
    assert run("record_decision", RELEASE, answer("Approve")) == "2025-10-r1"
    assert approvals == [("2025-10-r1", "a" * 64, "thu_ky", "approved", "", "person", "airflow")]


def test_a_rejection_is_recorded_with_its_reason_and_publishes_nothing(run, approvals):
    with skipped():
        run("record_decision", RELEASE, answer("Reject", "Thiếu hai xã"))
    assert approvals == [("2025-10-r1", "a" * 64, "thu_ky", "rejected", "Thiếu hai xã", "person", "airflow")]


def test_a_time_out_is_recorded_as_one_and_red(run, approvals):
    with pytest.raises(errors.ReleaseError, match="Clear từ freeze"):
        run("record_decision", RELEASE, {**answer("Reject"), "responded_by_user": None})
    assert approvals == [("2025-10-r1", "a" * 64, "", "rejected", "", "timeout", "airflow")]


def test_a_decision_that_was_taken_elsewhere_meanwhile_counts(run, monkeypatch):
    monkeypatch.setattr(steps, "approve", lambda *_, **__: {"decision": "approved", "kind": "person"})
    assert run("record_decision", RELEASE, {**answer("Reject"), "responded_by_user": None}) == "2025-10-r1"


class Pulls:
    """A task instance that has what ``freeze`` handed out."""

    def __init__(self, release: dict[str, Any] = RELEASE) -> None:
        self.release = release

    def xcom_pull(self, **_: Any) -> dict[str, Any]:
        return self.release


@pytest.mark.parametrize("option", ["Approve", "Reject"])
def test_either_answer_is_handed_on_to_be_recorded(dagbag, monkeypatch, option: str):
    seen: list[Any] = []
    monkeypatch.setattr(steps, "objection", lambda *said: seen.append(said[:4]))
    asked = dagbag.dags["publish_monthly_summary"].get_task("approve_release")
    given = asked.execute_complete({"ti": Pulls()}, answer(option, "vì thế"))
    assert given["chosen_options"] == [option]
    decision = "approved" if option == "Approve" else "rejected"
    assert seen == [("2025-10-r1", "thu_ky", decision, "vì thế")]


def test_an_answer_that_does_not_count_is_asked_for_again(dagbag, monkeypatch):
    from airflow.providers.standard.operators.hitl import HITLOperator

    asked_again: list[Any] = []
    monkeypatch.setattr(steps, "objection", lambda *_: "không có trong danh sách")
    monkeypatch.setattr(HITLOperator, "execute", lambda self, _: asked_again.append(self.assigned_users))
    task = copy.copy(dagbag.dags["publish_monthly_summary"].get_task("approve_release"))
    task.execute_complete({"ti": Pulls()}, answer("Reject"))
    assert asked_again == [[{"id": "thu_ky", "name": "Thư ký Ban Chỉ đạo"}]]


def test_airflow_locks_nobody_out_whose_account_number_it_is_not_told(monkeypatch):
    from airflow.sdk.configuration import conf

    from etl.airflow_io import assignees

    people = [
        {"login": "a", "name": "A", "airflow_user_id": "7"},
        {"login": "b", "name": "B", "airflow_user_id": ""},
    ]
    assert assignees([]) is None
    assert assignees(people) == [{"id": "a", "name": "A"}, {"id": "b", "name": "B"}]
    monkeypatch.setattr(conf, "get", lambda *_, **__: "airflow.providers.fab.auth_manager.FabAuthManager")
    assert assignees(people) is None
    assert assignees(people[:1]) == [{"id": "7", "name": "A"}]


@pytest.mark.parametrize("trouble", ["failed", "unknown"])
def test_mails_that_did_not_go_out_make_the_task_red(run, monkeypatch, trouble: str):
    counts = {"delivered": 5, "already": 0, "failed": 0, "unknown": 0, trouble: 1}
    monkeypatch.setattr(steps, "publish", lambda *_, **__: {"release_id": "2025-10-r1", **counts})
    with pytest.raises(errors.ReleaseError, match="tiendo deliveries --release 2025-10-r1"):
        run("publish", "2025-10-r1")
