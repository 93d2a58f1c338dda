"""What the DAG files share: the month of a run, retries, the mail connection."""

from __future__ import annotations

import psycopg
import pytest

from etl import errors

pytestmark = pytest.mark.airflow


def decision(error: BaseException) -> str:
    from etl.airflow_io import InfrastructureRetryPolicy

    return str(InfrastructureRetryPolicy().evaluate(error, 1, 2).action.value)


@pytest.mark.parametrize(
    "error",
    [
        errors.InfrastructureError("kho dữ liệu"),
        psycopg.OperationalError("server closed the connection"),
        ConnectionResetError(),
        TimeoutError(),
        OSError(28, "No space left on device"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_broken_infrastructure_is_tried_again(error: BaseException):
    assert decision(error) == "retry"


@pytest.mark.parametrize(
    "error",
    [
        errors.UsageError("kỳ"),
        errors.ReleaseError("tệp đã đổi"),
        psycopg.errors.CheckViolation("verdict"),
        KeyError("period"),
        AssertionError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_data_calls_and_bugs_are_not_tried_again(error: BaseException):
    assert decision(error) == "fail"


def test_every_task_has_that_policy(dagbag):
    from etl.airflow_io import InfrastructureRetryPolicy

    tasks = [task for dag in dagbag.dags.values() for task in dag.tasks]
    assert all(isinstance(task.retry_policy, InfrastructureRetryPolicy) and task.retries for task in tasks)


def test_the_month_is_the_partition_key():
    from etl.airflow_io import reporting_period

    assert reporting_period({"partition_key": "2025-10", "params": {"period": "2025-09"}}) == "2025-10"


def test_the_month_of_a_run_by_hand_is_its_parameter():
    from etl.airflow_io import reporting_period

    assert reporting_period({"partition_key": None, "params": {"period": "2025-09"}}) == "2025-09"


def test_a_run_without_a_month_fails_and_says_how_to_give_one():
    from etl.airflow_io import reporting_period

    with pytest.raises(errors.UsageError, match="partition key"):
        reporting_period({"params": {"period": None}})


def test_a_month_that_is_none_is_refused():
    from etl.airflow_io import reporting_period

    with pytest.raises(errors.UsageError, match="NNNN-TT"):
        reporting_period({"partition_key": "2025-13", "params": {}})


def test_the_mail_connection_of_airflow_becomes_an_address(monkeypatch):
    from etl.airflow_io import smtp_url

    monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", "smtp://tien%40do:m%3At@mail.example.invalid:587/?disable_ssl=true")
    assert smtp_url() == "smtp://tien%40do:m%3At@mail.example.invalid:587"
    monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", "smtp://mail.example.invalid:465")
    assert smtp_url() == "smtps://mail.example.invalid:465"


def test_without_a_mail_connection_there_is_no_address(monkeypatch):
    from etl.airflow_io import smtp_url

    monkeypatch.delenv("AIRFLOW_CONN_SMTP_DEFAULT", raising=False)
    assert smtp_url() is None
