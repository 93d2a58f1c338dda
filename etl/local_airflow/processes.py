"""Airflow's processes: api-server, scheduler (LocalExecutor), DAG processor. Metadata: embedded PostgreSQL.

Everything listens on 127.0.0.1 only: the API server is told so; the log server of the scheduler, which can only
listen everywhere, is not started (the API server reads the task logs from disk). The triggerer is not
needed: no task here defers, an approval waits without a process.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from http.client import HTTPException
from pathlib import Path
from types import FrameType
from typing import Any

import psycopg

from etl import settings
from etl.errors import InfrastructureError, UsageError
from etl.load import server
from etl.local_airflow.api import HOST, Api, exchange

ENGINEER = "dieu_phoi"
APPROVER = "thu_ky"
USERS = f"{ENGINEER}:admin,{APPROVER}:op"

START_SECONDS = 120
STOP_SECONDS = 15


def home(conf: settings.Settings) -> Path:
    return conf.root / "airflow"


def _write_private(path: Path, content: str) -> None:
    """Write ``content`` readable by this user only, from the first byte on."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(content)


def passwords_file(conf: settings.Settings) -> Path:
    return home(conf) / "passwords.json"


def passwords(conf: settings.Settings) -> dict[str, str]:
    """Password of each user, generated at the first call."""
    path = passwords_file(conf)
    if not path.exists():
        _write_private(path, json.dumps({user: secrets.token_urlsafe(12) for user in (ENGINEER, APPROVER)}))
    return dict(json.loads(path.read_text(encoding="utf-8")))


def _keys(conf: settings.Settings) -> dict[str, str]:
    """Secrets that the components share, generated at the first call and kept: sessions survive a restart."""
    path = home(conf) / "keys.json"
    if not path.exists():
        keys = {
            "AIRFLOW__CORE__FERNET_KEY": urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_urlsafe(48),
            "AIRFLOW__API__SECRET_KEY": secrets.token_urlsafe(48),
        }
        _write_private(path, json.dumps(keys))
    return dict(json.loads(path.read_text(encoding="utf-8")))


def environment(conf: settings.Settings, port: int, *, by_schedule: bool) -> dict[str, str]:
    """Environment of Airflow's processes. The embedded server has to run.

    ``by_schedule=False``: only runs that are asked for. Otherwise switching a DAG on at once starts the run
    of the latest month, which nobody asked for on this machine.
    """
    root = settings.assets()
    metadata = server.url("airflow", conf)
    no_proxy = ",".join(filter(None, [os.environ.get("NO_PROXY") or os.environ.get("no_proxy"), HOST, "localhost"]))
    return {
        **os.environ,
        **_keys(conf),
        "AIRFLOW_HOME": str(home(conf)),
        "AIRFLOW__CORE__DAGS_FOLDER": str(root / "dags"),
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "True",
        "AIRFLOW__CORE__DEFAULT_TIMEZONE": "Asia/Ho_Chi_Minh",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://{HOST}:{port}/execution/",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": USERS,
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords_file(conf)),
        "AIRFLOW__API__HOST": HOST,
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": f"http://{HOST}:{port}",
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": metadata.replace("postgresql:", "postgresql+psycopg2:", 1),
        "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": str(by_schedule),
        # The end of a task that waits for a person is noticed within a second, not within five (month.SETTLE_SECONDS).
        "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "GX_ANALYTICS_ENABLED": "false",
        "TIENDO_HOME": str(conf.root),
        "PYTHONPATH": os.pathsep.join(filter(None, [str(root), os.environ.get("PYTHONPATH")])),
        "PYTHONWARNINGS": "ignore",
        # A proxy of the office must not come between the processes of one machine.
        "NO_PROXY": no_proxy,
        "no_proxy": no_proxy,
    }


def free_port(preferred: int = 0) -> int:
    """``preferred`` when nobody listens there, else any free port of the loopback interface."""
    for port in (preferred, 0):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind((HOST, port))
            return int(probe.getsockname()[1])
    raise InfrastructureError(f"Không mở được cổng nào trên {HOST}.")


def _tail(path: Path, lines: int = 25) -> str:
    try:
        return "\n".join(path.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
    except FileNotFoundError:
        return ""


def _started_at(pid: int) -> str | None:
    """When the process began, in ticks since boot: with the pid it names one process. None: it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] == "Z" else fields[19]


def _session_members(leader: int) -> list[int]:
    """Processes of the session that ``leader`` opened. Airflow's tasks leave the group, not the session."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if os.getsid(int(entry.name)) == leader and _started_at(int(entry.name)):
                found.append(int(entry.name))
    return found


def _signal_session(leader: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)
    for pid in _session_members(leader):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def end_sessions(leaders: list[int]) -> None:
    """Ask the sessions' processes to end, wait, end by force what is left. Only sessions that we opened."""
    for leader in leaders:
        _signal_session(leader, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while time.monotonic() < deadline and any(_session_members(leader) for leader in leaders):
        time.sleep(0.2)
    for leader in leaders:
        _signal_session(leader, signal.SIGKILL)


class LocalAirflow:
    """The three processes; a context manager. Leaves none behind, whichever way the block is left."""

    def __init__(self, conf: settings.Settings, *, by_schedule: bool, preferred_port: int = 0) -> None:
        self.conf = conf
        self.port = preferred_port
        self.logs = home(conf) / "logs"
        self._by_schedule = by_schedule
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def _register(self) -> Path:
        return home(self.conf) / "processes.json"

    def __enter__(self) -> LocalAirflow:
        if not (settings.assets() / "dags").is_dir():
            raise UsageError("Không thấy thư mục dags/: hãy chạy từ bản mã nguồn của dự án.")
        self.logs.mkdir(parents=True, exist_ok=True)
        self._end_leftovers()
        passwords(self.conf)
        self.port = free_port(self.port)
        env = environment(self.conf, self.port, by_schedule=self._by_schedule)
        try:
            self._migrate(env)
            self._start("api-server", env)
            self._start("scheduler", env, "--skip-serve-logs")
            self._start("dag-processor", env)
            self.wait_for("Airflow sẵn sàng", self._healthy, START_SECONDS)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        end_sessions([process.pid for process in self._processes.values()])
        for process in self._processes.values():
            process.wait()
        self._processes.clear()
        self._register.unlink(missing_ok=True)

    def _end_leftovers(self) -> None:
        """End what an earlier call left when it was killed itself; refuse when that call still runs."""
        if not self._register.exists():
            return
        known = json.loads(self._register.read_text(encoding="utf-8"))
        owner, began = known["owner"]
        if owner != os.getpid() and _started_at(owner) == began:
            raise UsageError(f"Airflow của thư mục này đang chạy (tiến trình {owner}); hãy dừng nó trước.")
        end_sessions([pid for pid, since in known["sessions"] if _started_at(pid) == since])
        self._register.unlink()

    def _start(self, component: str, env: dict[str, str], *arguments: str) -> None:
        with (self.logs / f"{component}.log").open("ab") as log:
            self._processes[component] = subprocess.Popen(
                [sys.executable, "-m", "airflow", component, *arguments],
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        sessions = [(p.pid, _started_at(p.pid)) for p in self._processes.values()]
        known = {"owner": [os.getpid(), _started_at(os.getpid())], "sessions": sessions}
        _write_private(self._register, json.dumps(known))

    def _migrate(self, env: dict[str, str]) -> None:
        """Make or update Airflow's tables.

        The command takes seconds to load: it is left out when a mark tells that this version of Airflow has
        done it on this very database.
        """
        mark = home(self.conf) / "migrated"
        wanted = f"{_airflow_version()} {self._metadata_identity()}"
        if mark.exists() and mark.read_text(encoding="utf-8") == wanted:
            return
        log = self.logs / "db-migrate.log"
        with log.open("wb") as output:
            done = subprocess.run(
                [sys.executable, "-m", "airflow", "db", "migrate"],
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
            )
        if done.returncode:
            raise InfrastructureError(f"Không tạo được cơ sở dữ liệu của Airflow:\n{_tail(log)}")
        mark.write_text(wanted, encoding="utf-8")

    def _metadata_identity(self) -> str:
        """Which database it is: a server made anew has another system identifier."""
        with psycopg.connect(server.url("airflow", self.conf)) as connection:
            row = connection.execute("select system_identifier from pg_control_system()").fetchone()
        return str(row[0]) if row else ""

    def _healthy(self) -> bool:
        try:
            status, text = exchange(self.port, "GET", "/api/v2/monitor/health")
        except (OSError, HTTPException):
            return False
        if status != 200:
            return False
        health = json.loads(text)
        return all(health[part]["status"] == "healthy" for part in ("metadatabase", "scheduler", "dag_processor"))

    def wait_for(self, what: str, probe: Callable[[], Any], seconds: float) -> Any:
        """Ask ``probe`` until it answers something true.

        Raises InfrastructureError when one of the processes has ended or the time is over.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for component, process in self._processes.items():
                if process.poll() is not None:
                    log = self.logs / f"{component}.log"
                    raise InfrastructureError(f"Airflow {component} đã dừng; nhật ký {log}:\n{_tail(log)}")
            answer = probe()
            if answer:
                return answer
            time.sleep(0.5)
        raise InfrastructureError(f"Quá {seconds:.0f} giây mà chưa xong: {what}. Nhật ký: {self.logs}")

    def api(self, user: str = ENGINEER) -> Api:
        return Api(self.port, user, passwords(self.conf)[user])


def _airflow_version() -> str:
    from importlib.metadata import version

    return version("apache-airflow-core")


@contextlib.contextmanager
def embedded_server(conf: settings.Settings) -> Iterator[str]:
    """The embedded PostgreSQL for the length of the block; one that was running before is left running."""
    was_running = server.is_running(conf)
    try:
        yield server.start(conf)
    finally:
        if not was_running:
            server.stop(conf)


@contextlib.contextmanager
def ended_by_signals() -> Iterator[None]:
    """SIGTERM and SIGHUP leave the block like Ctrl-C does, so that everything started in it is stopped."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
