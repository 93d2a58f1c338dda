"""The DAG files: they load, they are light, they say what runs when and what the on-call does."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "dags").glob("*.py"))
HEAVY = ["pandas", "numpy", "great_expectations", "psycopg", "sqlalchemy", "openpyxl", "docx"]
HEAVY += ["etl.steps", "etl.task_steps"]

pytestmark = pytest.mark.airflow

STRUCTURE = {
    "collect_reports": {
        "archive": ["all_inboxes_reached", "process"],
        "all_inboxes_reached": [],
        "process": ["hand_back"],
        "hand_back": [],
    },
    "publish_monthly_summary": {
        "resolve_period": ["freeze", "wait_for_cutoff"],
        "wait_for_cutoff": ["freeze"],
        "freeze": ["approve_release", "record_decision"],
        "approve_release": ["record_decision"],
        "record_decision": ["publish"],
        "publish": [],
    },
    "follow_up": {"send_digests": ["everybody_told"], "everybody_told": [], "read_bounces": []},
    "collect_directives": {"take": ["all_files_used", "to_ask"], "all_files_used": [], "to_ask": ["ask"], "ask": []},
    "register_directives": {
        "propose": ["confirm_tasks", "register"],
        "confirm_tasks": ["register"],
        "register": [],
    },
}
OF_THE_MONTH = ("collect_reports", "publish_monthly_summary")


def test_every_dag_file_loads_without_an_error_or_a_changing_value(dagbag):
    assert dagbag.import_errors == {}


def test_the_dags_and_the_order_of_their_tasks_are_as_documented(dagbag):
    found = {
        name: {task.task_id: sorted(task.downstream_task_ids) for task in dag.tasks}
        for name, dag in dagbag.dags.items()
    }
    assert found == STRUCTURE


def test_a_month_takes_at_most_twelve_task_instances(dagbag):
    assert sum(len(dagbag.dags[name].tasks) for name in OF_THE_MONTH) <= 12


def test_a_dag_survives_being_serialized(dagbag):
    from airflow.serialization.serialized_objects import DagSerialization

    for dag in dagbag.dags.values():
        back = DagSerialization.deserialize_dag(json.loads(json.dumps(DagSerialization.serialize_dag(dag))))
        assert set(back.task_ids) == set(dag.task_ids)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_reading_a_dag_file_loads_nothing_heavy(path: Path):
    script = (
        "import importlib.util, sys\n"
        "import airflow.sdk\n"  # brings sqlalchemy along, whatever the file does
        "before = set(sys.modules)\n"
        f"spec = importlib.util.spec_from_file_location('dag_file', {str(path)!r})\n"
        "spec.loader.exec_module(importlib.util.module_from_spec(spec))\n"
        f"print(sorted({set(HEAVY)!r} & (set(sys.modules) - before)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.splitlines()[-1] == "[]"


def test_no_dag_catches_up_on_months_that_nobody_asked_for(dagbag):
    assert not any(dag.catchup for dag in dagbag.dags.values())


def test_reports_are_collected_every_quarter_of_an_hour_in_working_hours_of_vietnam(dagbag):
    timetable = dagbag.dags["collect_reports"].schedule
    assert (timetable.expression, str(timetable.timezone)) == ("*/15 7-18 * * 1-6", "Asia/Ho_Chi_Minh")
    assert dagbag.dags["collect_reports"].max_active_runs == 1


def test_a_summary_is_partitioned_by_the_month_that_it_is_about(dagbag):
    from airflow.serialization.serialized_objects import DagSerialization

    timetable = DagSerialization.deserialize_dag(
        DagSerialization.serialize_dag(dagbag.dags["publish_monthly_summary"])
    ).timetable
    assert timetable.resolve_partition_date("2025-10").isoformat() == "2025-10-01T00:00:00+07:00"


def test_waiting_for_the_cutoff_holds_no_worker(dagbag):
    assert dagbag.dags["publish_monthly_summary"].get_task("wait_for_cutoff").mode == "reschedule"


def test_an_unanswered_approval_is_never_taken_for_consent(dagbag):
    approval = dagbag.dags["publish_monthly_summary"].get_task("approve_release")
    assert approval.defaults == ["Reject"]
    assert approval.response_timeout == timedelta(days=10)


def test_an_unanswered_notice_registers_nothing(dagbag):
    asked = dagbag.dags["register_directives"].get_task("confirm_tasks")
    assert asked.defaults is None
    assert asked.response_timeout == timedelta(days=10)
    assert asked.downstream_task_ids == {"register"}


def test_reminders_run_every_day_because_make_up_days_are_days_of_the_calendar(dagbag):
    timetable = dagbag.dags["follow_up"].schedule
    assert (timetable.expression, str(timetable.timezone)) == ("30 7 * * *", "Asia/Ho_Chi_Minh")
    assert dagbag.dags["follow_up"].max_active_runs == 1


def test_every_dag_tells_the_on_call_what_to_do_when_it_is_red(dagbag):
    assert all("màu đỏ" in dag.doc_md for dag in dagbag.dags.values())


def test_the_readme_has_a_row_for_every_dag(dagbag):
    readme = (ROOT / "dags" / "README.md").read_text(encoding="utf-8")
    assert all(f"| `{name}` |" in readme for name in dagbag.dags)
