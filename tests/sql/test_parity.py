"""``tiendo check`` and the pipeline give the same verdict: both over the whole corpus, hostile files included."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest
from openpyxl import Workbook

from etl import self_check, steps
from etl.load import allocation, known, warehouse
from etl.reference import province
from etl.sample.month import write_month
from etl.validate.known import offline
from tests import corpus
from tests.builders import OCTOBER, edited
from tests.corpus.measure import built
from tests.sql.conftest import NOW

SEPTEMBER = OCTOBER.previous
KEYS = ("rule", "severity", "sheet", "cell", "value", "expected", "difference", "message", "fix")
Answer = tuple[str, tuple[tuple[str | None, ...], ...]]


def written(folder: Path, files: Iterable[tuple[str, bytes]]) -> dict[str, Path]:
    """sha256 -> file, each in a folder of its own, for many have the same name; the same bytes once."""
    paths: dict[str, Path] = {}
    for number, (file_name, data) in enumerate(files):
        sha256 = hashlib.sha256(data).hexdigest()
        if sha256 not in paths:
            paths[sha256] = folder / f"tep-{number:05d}" / file_name
            paths[sha256].parent.mkdir(parents=True)
            paths[sha256].write_bytes(data)
    return paths


def of_check(paths: Iterable[Path], *, offline: bool) -> dict[str, Answer]:
    """Answers by sha256; of bytes that come under several names (in a zip, too) none, for the name is part of them."""
    results = self_check.run(list(paths), NOW, offline=offline, marked=None)
    times = Counter(r["sha256"] for r in results)
    return {
        r["sha256"]: (r["verdict"], tuple(tuple(f[key] for key in KEYS) for f in r["findings"]))
        for r in results
        if times[r["sha256"]] == 1
    }


def collect(inbox: Path, paths: Iterable[Path]) -> None:
    for path in paths:
        (inbox / path.parent.parent.name / path.parent.name).mkdir(parents=True)
        path.rename(inbox / path.parent.parent.name / path.parent.name / path.name)
    steps.archive_inbox(NOW)
    steps.process_received(NOW)


def of_pipeline() -> dict[str, Answer]:
    with warehouse.connect() as connection:
        findings: dict[int, list[tuple[str | None, ...]]] = {}
        for number, *finding in connection.execute(
            """
            select submission_id, rule_id, severity, sheet, cell, value, expected, difference, message_vi, fix_vi
            from core.finding order by submission_id, finding_no
            """
        ):
            findings.setdefault(number, []).append(tuple(finding))
        rows = connection.execute("select submission_id, sha256, verdict from raw.submission").fetchall()
    return {sha256: (verdict, tuple(findings.get(number, []))) for number, sha256, verdict in rows}


@pytest.mark.slow
def test_the_check_and_the_pipeline_agree_on_every_file_of_the_corpus(
    empty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the months before: the corpus has many reports of one commune, and a sender's machine has none."""
    monkeypatch.setattr(known, "of", lambda _, reports, where, __: [offline(where) for _ in reports])
    files = [*built([*corpus.items(), *corpus.valid()]), *((h.file_name, h.build()) for h in corpus.hostile())]
    paths = written(empty / "files", files)
    check = of_check(paths.values(), offline=True)
    collect(empty / "inbox", paths.values())
    pipeline = of_pipeline()
    assert len(check) > 1500
    assert check.keys() <= pipeline.keys()
    assert {s: (answer, pipeline[s]) for s, answer in check.items() if pipeline[s] != answer} == {}


def test_with_a_warehouse_the_check_knows_what_the_pipeline_knows(empty: Path) -> None:
    """Decisions on capital, the month before and the register of tasks."""
    september, october = empty / "september", empty / "october"
    write_month(SEPTEMBER, september, communes=6)
    write_month(OCTOBER, october, communes=6)
    with warehouse.transaction() as connection:
        allocation.load(connection, september / "reference" / "allocation.csv", province.load(), NOW)
    collect(empty / "inbox", written(empty / "a", read(september)).values())
    files = read(october)
    spoilt = [(file_name, edited(_spoil, data)) for file_name, data in files[:3]]
    paths = written(empty / "b", [*spoilt, *files[3:]])
    check = of_check(paths.values(), offline=False)
    collect(empty / "inbox", paths.values())
    pipeline = of_pipeline()
    rules = {finding[0] for _, findings in check.values() for finding in findings}
    assert {"CK15", "CK18"} <= rules
    assert {sha256: pipeline[sha256] for sha256 in check} == check


def read(folder: Path) -> list[tuple[str, bytes]]:
    return [(path.name, path.read_bytes()) for path in sorted(folder.glob("*.xlsx"))]


def _spoil(book: Workbook) -> None:
    """A plan that the province did not give, and a cumulative below that of the month before."""
    sheet = book["B01-GiaiNgan"]
    rows = [r for r in range(11, sheet.max_row) if str(sheet.cell(r, 3).value).endswith(("-DT", "-SN"))]
    sheet[f"E{rows[0]}"] = (sheet[f"E{rows[0]}"].value or 0) + 7
    paid = next(r for r in rows[1:] if (sheet[f"L{r}"].value or 0) > 50)
    for letter, value in zip("LMNOP", (0.5, 0, 0.5, 0, 0), strict=True):
        sheet[f"{letter}{paid}"] = value
