"""The local Airflow's own care: what is approved, which processes are ended, which files are private."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from etl import settings
from etl.errors import ReleaseError, UsageError
from etl.load import server
from etl.local_airflow import processes
from etl.local_airflow.month import verify_request

MANIFEST = "f" * 64
FAMILY = (
    "import os, subprocess, sys, time\n"
    "child = subprocess.Popen([sys.executable, '-c', 'import os, time; os.setpgid(0, 0); time.sleep(60)'])\n"
    "print(child.pid, flush=True)\n"
    "time.sleep(60)\n"
)


def release(folder: Path, **files: str) -> dict[str, Any]:
    artifacts = []
    for name, content in files.items():
        path = folder / f"{name}.pdf"
        path.write_text(content, encoding="utf-8")
        digest = hashlib.sha256(content.encode()).hexdigest()
        artifacts.append({"name": path.name, "sha256": digest, "path": str(path)})
    return {"artifacts": artifacts, "manifest_sha256": MANIFEST}


def request_for(made: dict[str, Any]) -> str:
    lines = [f"| {a['name']} | `{a['sha256']}` |" for a in made["artifacts"]]
    return "\n".join([*lines, f"Mã băm của bản kê: `{MANIFEST}`"])


def test_a_request_that_lists_the_files_as_they_are_is_answered(tmp_path):
    made = release(tmp_path, report="một", brief="hai")
    verify_request(request_for(made), made)


def test_a_file_changed_after_the_request_is_not_approved(tmp_path):
    made = release(tmp_path, report="một", brief="hai")
    Path(made["artifacts"][0]["path"]).write_text("khác", encoding="utf-8")
    with pytest.raises(ReleaseError, match=r"report\.pdf"):
        verify_request(request_for(made), made)


def test_a_request_with_the_hash_of_no_file_is_not_approved(tmp_path):
    made = release(tmp_path, report="một")
    with pytest.raises(ReleaseError, match="không thuộc tệp nào"):
        verify_request(request_for(made) + f"\n`{'0' * 64}`", made)


def test_a_request_that_does_not_show_the_manifest_is_not_approved(tmp_path):
    made = release(tmp_path, report="một")
    with pytest.raises(ReleaseError, match="bản kê"):
        verify_request(request_for(made).replace(MANIFEST, ""), made)


def test_ending_a_session_ends_also_the_tasks_that_left_its_group():
    leader = subprocess.Popen([sys.executable, "-c", FAMILY], stdout=subprocess.PIPE, start_new_session=True)
    assert leader.stdout is not None
    child = int(leader.stdout.readline())
    processes.end_sessions([leader.pid])
    leader.wait(timeout=10)
    leader.stdout.close()
    assert processes._started_at(child) is None


def test_what_a_killed_call_left_is_ended_by_the_next(tmp_path, monkeypatch):
    conf = settings.Settings(home=tmp_path)
    airflow = processes.LocalAirflow(conf, by_schedule=False)
    processes.home(conf).mkdir()
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    orphan = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
    airflow._register.write_text(
        f'{{"owner": [{dead.pid}, "1"], "sessions": [[{orphan.pid}, "{processes._started_at(orphan.pid)}"]]}}'
    )
    airflow._end_leftovers()
    assert orphan.wait(timeout=10) == -signal.SIGTERM
    assert not airflow._register.exists()


def test_a_process_that_merely_has_the_same_number_is_left_alone(tmp_path):
    conf = settings.Settings(home=tmp_path)
    airflow = processes.LocalAirflow(conf, by_schedule=False)
    processes.home(conf).mkdir()
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
    airflow._register.write_text(f'{{"owner": [0, "1"], "sessions": [[{other.pid}, "1"]]}}')
    airflow._end_leftovers()
    assert other.poll() is None
    other.kill()
    other.wait()


def test_a_second_airflow_in_the_same_folder_is_refused(tmp_path):
    conf = settings.Settings(home=tmp_path)
    airflow = processes.LocalAirflow(conf, by_schedule=False)
    processes.home(conf).mkdir()
    parent = os.getppid()
    airflow._register.write_text(f'{{"owner": [{parent}, "{processes._started_at(parent)}"], "sessions": []}}')
    with pytest.raises(UsageError, match="đang chạy"):
        airflow._end_leftovers()


def test_passwords_and_keys_are_made_once_and_readable_by_their_owner_only(tmp_path, monkeypatch):
    monkeypatch.setattr(server, "url", lambda *_: "postgresql://postgres@/airflow?host=/socket")
    conf = settings.Settings(home=tmp_path)
    processes.home(conf).mkdir()
    first = processes.environment(conf, 8080, by_schedule=False)
    assert processes.passwords(conf) == processes.passwords(conf)
    assert processes.environment(conf, 8080, by_schedule=False) == first
    private = [processes.passwords_file(conf), processes.home(conf) / "keys.json"]
    assert [path.stat().st_mode & 0o777 for path in private] == [0o600, 0o600]


def test_every_address_of_the_local_airflow_is_the_loopback_interface(tmp_path, monkeypatch):
    monkeypatch.setattr(server, "url", lambda *_: "postgresql://postgres@/airflow?host=/socket")
    conf = settings.Settings(home=tmp_path)
    processes.home(conf).mkdir()
    env = processes.environment(conf, 8080, by_schedule=False)
    assert env["AIRFLOW__API__HOST"] == "127.0.0.1"
    assert env["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] == "postgresql+psycopg2://postgres@/airflow?host=/socket"
    assert env["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == "http://127.0.0.1:8080/execution/"
