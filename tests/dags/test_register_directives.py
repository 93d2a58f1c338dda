"""What the tasks of register_directives and follow_up decide, on a double of the work behind them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from etl import clock, errors, task_steps

pytestmark = pytest.mark.airflow

PROPOSED = {"notice_id": 7, "tasks": 3, "markdown": "…", "directive_id": None}
ASKED = {"doc_no": "12/TB-VP", "doc_date": "", "issuer": "", "commune": "", "drop": "2", "changes": "", "reason": ""}


def answer(option: str, **said: str) -> dict[str, Any]:
    return {
        "chosen_options": [option],
        "params_input": {**ASKED, **said},
        "responded_by_user": {"id": "thu_ky", "name": "thu_ky"},
    }


@pytest.fixture
def call(dagbag, monkeypatch):
    def called(dag_id: str, task_id: str, *arguments: Any, **params: Any) -> Any:
        function = dagbag.dags[dag_id].get_task(task_id).python_callable
        if "get_current_context" in function.__globals__:
            monkeypatch.setitem(function.__globals__, "get_current_context", lambda: {"params": params})
        return function(*arguments)

    return called


def skipped() -> Any:
    from airflow.sdk.exceptions import AirflowSkipException

    return pytest.raises(AirflowSkipException)


def test_a_file_is_proposed_with_the_date_that_was_given(call, monkeypatch):
    seen: list[Any] = []
    monkeypatch.setattr(task_steps, "propose_notice", lambda *arguments: seen.append(arguments) or PROPOSED)
    assert call("register_directives", "propose", file="tb.txt", issued="2025-10-15") == PROPOSED
    assert (str(seen[0][0]), seen[0][3]) == ("tb.txt", date(2025, 10, 15))


def test_a_notice_that_is_registered_is_not_asked_about_again(call, monkeypatch):
    monkeypatch.setattr(task_steps, "propose_notice", lambda *_: {**PROPOSED, "directive_id": "12-TB-VP-2025"})
    with skipped():
        call("register_directives", "propose", file="tb.txt", issued=None)


def test_a_notice_of_the_folder_is_asked_about_as_it_was_read(call, monkeypatch):
    monkeypatch.setattr(task_steps, "propose_notice", lambda *_: pytest.fail("read again"))
    monkeypatch.setattr(task_steps, "proposed", lambda number: {**PROPOSED, "notice_id": number})
    assert call("register_directives", "propose", file="", issued=None, notice=9)["notice_id"] == 9


def test_each_notice_that_waits_is_asked_about_in_one_run_of_its_own(call, dagbag):
    waiting = [{"notice_id": 7, "sha256": "ab" * 32}, {"notice_id": 9, "sha256": "cd" * 32}]
    assert call("collect_directives", "to_ask", {"taken": [], "waiting": waiting}) == [
        {"trigger_run_id": "van-ban-" + "ab" * 8, "conf": {"notice": 7}},
        {"trigger_run_id": "van-ban-" + "cd" * 8, "conf": {"notice": 9}},
    ]
    ask = dagbag.dags["collect_directives"].get_task("ask")
    assert ask.partial_kwargs["skip_when_already_exists"] is True
    assert ask.partial_kwargs["trigger_dag_id"] == "register_directives"


def test_a_file_that_cannot_be_used_makes_a_task_of_its_own_red(call):
    taken = [{"file": "quét.pdf", "outcome": "unreadable", "detail": "chỉ có ảnh chụp"}]
    call("collect_directives", "all_files_used", {"taken": [], "waiting": []})
    with pytest.raises(errors.DataError, match=r"quét\.pdf: chỉ có ảnh chụp"):
        call("collect_directives", "all_files_used", {"taken": taken, "waiting": []})


def test_an_answer_to_what_a_workbook_registered_meanwhile_changes_nothing(call, monkeypatch):
    monkeypatch.setattr(task_steps, "proposed", lambda _: {**PROPOSED, "directive_id": "12-TB-VP-2025"})
    for name in ("register_form", "reject_notice"):
        monkeypatch.setattr(task_steps, name, lambda *_: pytest.fail("decided again"))
    for option in ("Vào sổ", "Không vào sổ"):
        with skipped():
            call("register_directives", "register", PROPOSED, answer(option))


def test_what_was_answered_is_registered_under_the_name_of_who_answered(call, monkeypatch):
    seen: list[Any] = []
    monkeypatch.setattr(task_steps, "proposed", lambda _: PROPOSED)
    monkeypatch.setattr(task_steps, "register_form", lambda *arguments: seen.append(arguments[:3]))
    call("register_directives", "register", PROPOSED, answer("Vào sổ"))
    assert seen == [(7, ASKED, "thu_ky")]


def test_turning_down_registers_nothing_and_keeps_the_reason(call, monkeypatch):
    seen: list[Any] = []
    monkeypatch.setattr(task_steps, "proposed", lambda _: PROPOSED)
    monkeypatch.setattr(task_steps, "reject_notice", lambda *arguments: seen.append(arguments[:4]))
    monkeypatch.setattr(task_steps, "register_form", lambda *_: pytest.fail("registered"))
    with skipped():
        call("register_directives", "register", PROPOSED, answer("Không vào sổ", reason="chưa ký"))
    assert seen == [(7, "chưa ký", "thu_ky", "airflow")]


def test_an_unanswered_request_fails_and_hands_nothing_on(dagbag):
    from airflow.providers.standard.exceptions import HITLTimeoutError

    asked = dagbag.dags["register_directives"].get_task("confirm_tasks")
    with pytest.raises(HITLTimeoutError):
        asked.execute_complete({}, {"error": "timeout", "error_type": "timeout"})


def test_a_day_off_is_skipped(call, monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: datetime(2026, 2, 18, 1, tzinfo=UTC))
    monkeypatch.setattr(task_steps, "follow_up", lambda day, *_: {"day": str(day), "is_working_day": False})
    with skipped():
        call("follow_up", "send_digests")


@pytest.mark.parametrize(
    "trouble",
    [
        {"no_address": [{"name": "Sở Y tế", "matters": ["T"]}]},
        {"digests": [{"name": "Sở Y tế", "outcome": "failed"}]},
        {"unknown": [{"name": "Sở Y tế", "recipient": "SYT", "day": "2026-01-05", "matters": []}]},
    ],
)
def test_whoever_could_not_be_told_makes_the_task_red(call, trouble: dict[str, Any]):
    fine: dict[str, Any] = {"no_address": [], "digests": [], "unknown": []}
    call("follow_up", "everybody_told", fine)
    with pytest.raises(errors.DeliveryError, match="Sở Y tế"):
        call("follow_up", "everybody_told", fine | trouble)
