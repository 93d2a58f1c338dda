"""What the tasks of publish_monthly_summary decide, on a double of the work behind them."""

from __future__ import annotations

from datetime import UTC, datetime
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
}
ANSWERED_AT = datetime(2025, 11, 13, tzinfo=UTC)


class TaskInstance:
    """What a task pushes by hand."""

    def __init__(self) -> None:
        self.pushed: dict[str, Any] = {}

    def xcom_push(self, key: str, value: Any) -> None:
        self.pushed[key] = value


def answer(option: str) -> dict[str, Any]:
    return {
        "chosen_options": [option],
        "params_input": {},
        "responded_at": ANSWERED_AT,
        "responded_by_user": {"id": "thu_ky", "name": "thu_ky"},
    }


@pytest.fixture
def run(dagbag, monkeypatch):
    """Calls the function of one task in a context made for it."""

    def call(task_id: str, *arguments: Any, **context: Any) -> Any:
        function = dagbag.dags["publish_monthly_summary"].get_task(task_id).python_callable
        monkeypatch.setitem(function.__globals__, "get_current_context", lambda: {"params": {}, **context})
        return function(*arguments)

    return call


@pytest.fixture
def approvals(monkeypatch) -> list[tuple[Any, ...]]:
    recorded: list[tuple[Any, ...]] = []
    monkeypatch.setattr(steps, "approve", lambda *arguments: recorded.append(arguments[:4]))
    return recorded


def skipped() -> Any:
    from airflow.sdk.exceptions import AirflowSkipException

    return pytest.raises(AirflowSkipException)


def test_a_month_that_the_calendar_lacks_is_skipped(run):
    with skipped():
        run("resolve_period", partition_key="2031-01")


def test_a_month_of_the_calendar_is_taken(run):
    assert run("resolve_period", partition_key="2025-10") == "2025-10"


def test_a_new_release_goes_to_approval(run, monkeypatch):
    monkeypatch.setattr(steps, "freeze", lambda *_: RELEASE)
    assert run("freeze", "2025-10") == RELEASE


def test_a_release_that_is_published_and_unchanged_skips_the_rest_and_is_still_named(run, monkeypatch):
    monkeypatch.setattr(steps, "freeze", lambda *_: {**RELEASE, "published": True})
    ti = TaskInstance()
    with skipped():
        run("freeze", "2025-10", ti=ti)
    assert ti.pushed["return_value"]["release_id"] == "2025-10-r1"


def test_an_approval_is_bound_to_the_manifest_that_was_shown(run, approvals):
    assert run("record_decision", RELEASE, answer("Approve")) == "2025-10-r1"
    assert approvals == [("2025-10-r1", "a" * 64, "thu_ky", "approved")]


def test_a_rejection_is_recorded_and_publishes_nothing(run, approvals):
    with skipped():
        run("record_decision", RELEASE, answer("Reject"))
    assert approvals == [("2025-10-r1", "a" * 64, "thu_ky", "rejected")]


@pytest.mark.parametrize("option", ["Approve", "Reject"])
def test_either_answer_is_handed_on_to_be_recorded(dagbag, option: str):
    asked = dagbag.dags["publish_monthly_summary"].get_task("approve_release")
    assert asked.execute_complete({}, answer(option))["chosen_options"] == [option]


@pytest.mark.parametrize("trouble", ["failed", "unknown"])
def test_mails_that_did_not_go_out_make_the_task_red(run, monkeypatch, trouble: str):
    counts = {"delivered": 5, "already": 0, "failed": 0, "unknown": 0, trouble: 1}
    monkeypatch.setattr(steps, "publish", lambda *_, **__: {"release_id": "2025-10-r1", **counts})
    with pytest.raises(errors.ReleaseError, match=r"release\.delivery"):
        run("publish", "2025-10-r1")
