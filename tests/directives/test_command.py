"""``tiendo directives``: its JSON, its table, its exit codes and its time."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

from typer.testing import CliRunner

from etl.cli import app
from tests.directives import build, gold

KEYS = [
    "item", "lead", "coordinating", "content", "deadline_phrase", "due_date", "due_kind", "recurrence", "span",
]  # fmt: skip


def run(*arguments: str | Path) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["directives", *map(str, arguments)])
    return result.exit_code, result.stdout, result.stderr


def test_json_has_the_keys_in_their_order() -> None:
    code, out, err = run(gold.FOLDER / "seed.txt", "--json", "--issued", "2025-10-15")
    rows = json.loads(out)
    assert code == 0
    assert len(rows) == 21
    assert list(rows[0])[: len(KEYS)] == KEYS
    assert "Văn bản không ghi số" in err
    assert "ngày ban hành" not in err


def test_the_table_is_vietnamese_and_asks() -> None:
    code, out, _ = run(gold.FOLDER / "seed.txt")
    assert code == 0
    assert "Thời hạn: 20/10/2025 (“chậm nhất 20/10/2025”)" in out
    assert "Tổng số: 21 nhiệm vụ" in out
    assert "Đề nghị văn thư bổ sung" in out


def test_a_notice_without_tasks_is_fine(tmp_path: Path) -> None:
    path = tmp_path / "khong.txt"
    path.write_text("THÔNG BÁO\nVề việc nghỉ Tết\nVăn phòng thông báo để các đơn vị biết./.", encoding="utf-8")
    assert run(path, "--json")[:2] == (0, "[]\n")
    assert "Không thấy nhiệm vụ nào" in run(path)[1]


def test_what_cannot_be_read_is_exit_code_2(tmp_path: Path) -> None:
    scan = tmp_path / "quet.pdf"
    scan.write_bytes(build.picture_pdf())
    assert run(tmp_path / "khong-co.txt")[0] == 2
    code, _, err = run(scan, "--json")
    assert (code, "bản quét" in err) == (2, True)
    assert run(gold.FOLDER / "seed.txt", "--issued", "15/10/2025")[0] == 2


def test_a_notice_takes_at_most_a_second(tmp_path: Path) -> None:
    """Processor time: what else runs on the machine is not measured."""
    path = tmp_path / "thong-bao.pdf"
    path.write_bytes(build.pdf())
    command = [str(Path(sys.executable).with_name("tiendo")), "directives", str(path), "--json"]
    subprocess.run(command, check=True, capture_output=True)
    spent = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(spent) <= 1, spent
