"""One month through Airflow's own scheduler: inbox in, approved and delivered summary out; again, nothing more."""

from __future__ import annotations

import email
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from email.policy import default
from pathlib import Path
from typing import Any

import psycopg
import pytest

from etl import settings
from etl.load import server
from tests.builders import QUAN_SON, name, workbook
from tests.databases import start_unsafe

COMMUNES = (QUAN_SON, "06463", "05977")


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A folder of its own, outside pytest's: for root the embedded server runs as another user."""
    folder = Path(tempfile.mkdtemp(prefix="tiendo-e2e-"))
    conf = settings.Settings(home=folder)
    start_unsafe(conf)
    server.stop(conf)  # the program starts it itself
    yield folder
    server.stop(settings.Settings(home=folder))
    shutil.rmtree(folder)


def tiendo(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("TIENDO_", "AIRFLOW"))}
    root = str(Path(__file__).resolve().parents[2])
    return subprocess.run(
        [sys.executable, "-c", "from etl.cli import app; app()", *arguments],
        env={**clean, "TIENDO_HOME": str(home), "PYTHONPATH": root},
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )


def rows(home: Path, query: str) -> list[Any]:
    conf = settings.Settings(home=home)
    server.start(conf)
    with psycopg.connect(server.url("tiendo", conf)) as connection:
        return connection.execute(query).fetchall()


def state(home: Path) -> list[Any]:
    """What a second run may not change."""
    return [
        rows(home, "select count(*), max(known_at) from raw.submission"),
        rows(home, "select count(*), sum(disb_ytd) from core.disbursement"),
        rows(home, "select release_id, manifest_sha256 from release.publication"),
        rows(home, "select recipient, state, finished_at from release.delivery order by 1"),
        sorted((p.name, p.stat().st_mtime_ns) for p in (home / "outbox").iterdir()),
    ]


def sha256_of(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.slow
def test_a_month_through_the_scheduler(home: Path) -> None:
    inbox = home / "inbox"
    inbox.mkdir()
    for commune in COMMUNES:
        (inbox / name(commune)).write_bytes(workbook(commune))
    (inbox / name("05983")).write_bytes(workbook("05983")[:8000])

    done = tiendo(home, "airflow", "run", "--period", "2025-10")

    assert done.returncode == 0, done.stdout + done.stderr
    assert rows(home, "select verdict, count(*) from raw.submission group by 1 order by 1") == [
        ("accepted", 3),
        ("refused", 1),
    ]
    approvals = rows(home, "select decision, decided_by, manifest_sha256 from release.approval")
    published = rows(home, "select manifest_sha256 from release.publication")
    assert [a[:2] for a in approvals] == [("approved", "Thư ký Ban Chỉ đạo")]
    assert published == [(approvals[0][2],)]
    pack = home / "out" / "2025-10" / "2025-10-r1"
    frozen = dict(rows(home, "select name, sha256 from release.artifact"))
    assert frozen == sha256_of(pack) == sha256_of(home / "store" / "2025-10-r1")
    mails = [email.message_from_bytes(p.read_bytes(), policy=default) for p in (home / "outbox").iterdir()]
    booked = dict(
        rows(home, "select recipient, files from release.delivery where state = 'sent' and channel = 'outbox'")
    )
    assert len(mails) == len(booked) > 0
    attached = sorted(sorted(str(part.get_filename()) for part in mail.iter_attachments()) for mail in mails)
    letters_apart = [[name.replace("/", "-") for name in files if name[-4:] != ".txt"] for files in booked.values()]
    assert attached == sorted(map(sorted, letters_apart))
    assert all("3/65" in mail.get_body(("plain",)).get_content() for mail in mails)
    for place in (str(pack), "tra-lai", "postgresql://"):
        assert place in done.stdout

    before = state(home)
    again = tiendo(home, "airflow", "run", "--period", "2025-10")
    assert again.returncode == 0, again.stdout + again.stderr
    assert state(home) == before
