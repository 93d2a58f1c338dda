"""What the DAG files share: the month of a run, which errors are worth another try, mail and inbox connections.

The only module of the package that knows Airflow. Reading it loads ``airflow.sdk`` and nothing heavy, because
every DAG file is read again and again.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from airflow.sdk import Connection, ExceptionRetryPolicy, RetryAction, RetryRule
from airflow.sdk.definitions.retry_policy import RetryDecision
from airflow.sdk.exceptions import AirflowNotFoundException

from etl.errors import InfrastructureError, UsageError
from etl.period import Period

if TYPE_CHECKING:
    from etl.collect.inbox import Address, Inbox
    from etl.publish.deliver import Store

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


def inboxes() -> list[Inbox]:
    """The inboxes of ``TIENDO_INBOXES``, with the servers and accounts of Airflow's connections; none is opened yet.

    ``sftp://<id>@/path`` · ``s3://<id>@bucket/prefix`` · ``imap://<id>@/INBOX``. An id that Airflow does not know makes
    only that inbox unusable.
    """
    from etl import settings
    from etl.collect import inbox

    return inbox.configured(settings.get(), _inbox_by_connection)


def bounces(now: datetime) -> dict[str, Any]:
    """Read the mailbox of undeliverable mails, where ``TIENDO_BOUNCES`` names one; it may name a connection."""
    from etl import steps

    return steps.read_bounces(now, _inbox_by_connection)


def store() -> Store:
    """The object store of ``TIENDO_STORE``; ``s3://<id>@bucket/prefix`` takes the account of Airflow's connection."""
    from etl import settings
    from etl.publish import deliver

    return deliver.store_for(settings.get(), _store_by_connection)


def _store_by_connection(address: Address) -> Store:
    from etl.publish import deliver

    try:
        connection = Connection.get(address.connection_id or "")
    except AirflowNotFoundException:
        raise UsageError(f"Airflow không có kết nối {address.connection_id}.") from None
    secrets = [connection.password or "", *(str(v) for k, v in connection.extra_dejson.items() if _is_secret(k))]
    root = f"{address.host}/{address.path.strip('/')}"
    return deliver.Store(address.name, partial(_s3, connection), root, tuple(secrets))


def triggered_by(context: Mapping[str, Any]) -> str:
    """Who started this run: the account's name, nothing for a run by schedule."""
    return str(getattr(context.get("dag_run"), "triggering_user_name", None) or "")


def assignees(approvers: list[dict[str, str]]) -> list[dict[str, str]] | None:
    """Accounts that Airflow lets answer, for ``assigned_users``; None: anybody with the right, judged afterwards.

    Airflow compares ids of accounts. Of its simple auth manager they are the logins; of others they are numbers that
    only the office knows (column ``airflow_user_id`` of approvers.csv): unless all are known nobody is locked out.
    """
    from airflow.sdk.configuration import conf

    is_simple = "SimpleAuthManager" in conf.get("core", "auth_manager", fallback="SimpleAuthManager")
    ids = {one["name"]: one["login"] if is_simple else one["airflow_user_id"] for one in approvers}
    if not ids or not all(ids.values()):
        return None
    return [{"id": number, "name": name} for name, number in ids.items()]


def _inbox_by_connection(address: Address) -> Inbox:
    from etl.collect import inbox
    from etl.collect.inbox import mailbox

    try:
        connection = Connection.get(address.connection_id or "")
    except AirflowNotFoundException:
        raise UsageError(f"Airflow không có kết nối {address.connection_id}.") from None
    extra = connection.extra_dejson
    secrets = [connection.password or "", *(v for k, v in extra.items() if isinstance(v, str) and _is_secret(k))]
    if address.scheme == "sftp":
        return inbox.sftp_inbox(address.name, partial(_sftp, connection), address.path, secrets)
    if address.scheme == "s3":
        return inbox.s3_inbox(address.name, partial(_s3, connection), address.host, address.path, secrets)
    # The fields are those of the provider's ImapHook. Its client has no time limit and no STARTTLS, so it is ours.
    connect = partial(
        mailbox.connect,
        connection.host or "",
        connection.port,
        connection.login or "",
        connection.password or "",
        tls=str(extra.get("use_ssl", True)).lower() != "false",
        check=extra.get("ssl_context") != "none",
    )
    return inbox.imap_inbox(address, connect, secrets)


def _is_secret(field: str) -> bool:
    return any(word in field.lower() for word in ("key", "secret", "pass", "token"))


def _sftp(connection: Connection) -> Any:
    """SFTP through Airflow's object storage and its sftp provider, which left to itself trusts any server.

    Who the server must be: ``host_key`` in the extra of the connection (as in the provider's hook), a file
    ``known_hosts`` there, or the known_hosts file of the account that Airflow runs under. ``no_host_key_check: true``
    trusts any.
    """
    from airflow.sdk.io import get_fs
    from asyncssh import import_private_key, import_public_key

    from etl.collect.inbox import files

    extra, options = connection.extra_dejson, files.sftp_options()
    if str(extra.get("no_host_key_check", "")).lower() == "true":
        options["known_hosts"] = None
    elif text := extra.get("host_key"):
        key = import_public_key(text if " " in text.strip() else f"ssh-rsa {text}")
        options["known_hosts"] = ([key], [], [])
    elif extra.get("known_hosts"):
        options["known_hosts"] = extra["known_hosts"]
    if extra.get("private_key"):  # the provider would take the key itself for the name of a file
        options["client_keys"] = [import_private_key(extra["private_key"], extra.get("private_key_passphrase"))]
    return get_fs("sftp", connection.conn_id, options)


def _s3(connection: Connection) -> Any:
    """An S3-compatible store with the fields of an ``aws`` connection: login and password, or the extra's
    ``aws_access_key_id`` and ``aws_secret_access_key``; ``endpoint_url`` and ``region_name`` in the extra.

    s3fs directly: Airflow's amazon provider would add two dozen packages (Redshift, Athena, SageMaker) for this one.
    """
    from etl.collect.inbox import files

    extra = connection.extra_dejson
    return files.s3(
        connection.login or extra.get("aws_access_key_id"),
        connection.password or extra.get("aws_secret_access_key"),
        extra.get("endpoint_url"),
        extra.get("region_name"),
    )
