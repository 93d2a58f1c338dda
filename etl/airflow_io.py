"""What the DAG files share: the month of a run, which errors are worth another try, the mail connection.

The only module of the package that knows Airflow. Reading it loads ``airflow.sdk`` and nothing heavy, because
every DAG file is read again and again.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from airflow.sdk import Connection, ExceptionRetryPolicy, RetryAction, RetryRule
from airflow.sdk.definitions.retry_policy import RetryDecision
from airflow.sdk.exceptions import AirflowNotFoundException

from etl.errors import InfrastructureError, UsageError
from etl.period import Period

TIMEZONE = "Asia/Ho_Chi_Minh"
RETRY_DELAY = timedelta(minutes=2)


class InfrastructureRetryPolicy(ExceptionRetryPolicy):
    """Another try for a broken server, disk or network; none for wrong data, a wrong call or a bug.

    Trying again cannot mend a workbook, and a red task that waits for three tries tells the on-call later.
    """

    def __init__(self) -> None:
        super().__init__(
            rules=[RetryRule([InfrastructureError, OSError], RetryAction.RETRY, RETRY_DELAY)],
            default=RetryAction.FAIL,
        )

    def evaluate(self, exception: BaseException, try_number: int, max_tries: int, context: Any = None) -> RetryDecision:
        # Judged here and not by a rule: a rule would load the driver whenever a DAG file is read.
        import psycopg

        if isinstance(exception, psycopg.OperationalError):
            return RetryDecision.retry(RETRY_DELAY, "mất kết nối cơ sở dữ liệu")
        return super().evaluate(exception, try_number, max_tries, context)


def default_args() -> dict[str, Any]:
    """Arguments of every task that does work."""
    return {
        "owner": "tiendo",
        "retries": 2,
        "retry_delay": RETRY_DELAY,
        "retry_policy": InfrastructureRetryPolicy(),
        "execution_timeout": timedelta(minutes=30),
    }


def reporting_period(context: Mapping[str, Any]) -> str:
    """The month of this run, ``YYYY-MM``: its partition key, or the parameter ``period`` of a run by hand.

    Raises UsageError when neither is given. The clock is never asked: a run repeated next year means the same
    month.
    """
    text = context.get("partition_key") or context["params"].get("period")
    if not text:
        raise UsageError(
            "Lượt chạy không có kỳ báo cáo. Hãy chạy lại với partition key (ví dụ 2025-10) "
            'hoặc với tham số {"period": "2025-10"}.'
        )
    return str(Period.parse(str(text)))


def smtp_url() -> str | None:
    """The Airflow connection ``smtp_default`` as ``smtp[s]://user:password@host:port``, or ``None``.

    As in Airflow's own mail operators TLS from the first byte is the rule; ``disable_ssl`` in the extra of
    the connection means ``smtp`` (with STARTTLS when the server offers it).
    """
    try:
        connection = Connection.get("smtp_default")
    except AirflowNotFoundException:
        return None
    scheme = "smtp" if connection.extra_dejson.get("disable_ssl") else "smtps"
    user = quote(connection.login or "", safe="")
    password = f":{quote(connection.password, safe='')}" if connection.password else ""
    account = f"{user}{password}@" if user else ""
    port = f":{connection.port}" if connection.port else ""
    return f"{scheme}://{account}{connection.host}{port}"
