"""Data Docs of a run: a page for each suite, the list of runs, nothing that asks another server."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from etl.period import Period
from etl.reference import province
from etl.validate import check, data_docs
from tests.rules import kit

NOW = datetime(2025, 11, 7, 3, 0, tzinfo=UTC)


def records() -> list[data_docs.Record]:
    """Two reports of October, one with a cumulative that is not the sum of its sources."""
    october = Period(2025, 10)
    reports = [kit.as_report(kit.content(commune, october, 2025)) for commune in ("06463", "06517")]
    line = next(row for row in reports[0].forms["B01"].rows if row.role == "leaf")
    line.values["disb_ytd"] = int(str(line.values["disb_ytd"])) + 1
    found: list[data_docs.Record] = []
    check.run(reports, province.load(), None, found)
    return found


def test_a_run_leaves_a_page_for_each_suite_that_says_what_failed(tmp_path: Path) -> None:
    data_docs.write(tmp_path, NOW, records())
    assert data_docs.render(tmp_path) == 1
    run = tmp_path / "20251107T030000Z"
    assert "10:00:00 07/11/2025" in (tmp_path / "index.html").read_text(encoding="utf-8")
    page = (run / "2025-10-b01.html").read_text(encoding="utf-8")
    assert "CK03-sources" in page
    assert "CK08-part" in page, "a rule on a pair of columns"
    assert "1 unexpected values found" in page
    assert "BC-MTQG_06463_2025-10_v1.xlsx" in page
    assert not re.search(r"(?:src|href)\s*=\s*[\"']https?://|url\(['\"]?https?://", page)
    assert {"2025-10-b01.html", "2025-10-b05.html", "index.html"} <= {path.name for path in run.iterdir()}


def test_what_is_rendered_stays_and_old_runs_go(tmp_path: Path) -> None:
    found = records()[:1]
    for number in range(data_docs.KEPT_RUNS + 2):
        data_docs.write(tmp_path, NOW + timedelta(minutes=15 * number), found)
    assert data_docs.render(tmp_path) == data_docs.KEPT_RUNS
    assert data_docs.render(tmp_path) == 0
    assert len(list(tmp_path.glob("*/run.json"))) == data_docs.KEPT_RUNS


def test_a_run_without_reports_leaves_nothing(tmp_path: Path) -> None:
    data_docs.write(tmp_path, NOW, [])
    assert list(tmp_path.iterdir()) == []
    assert data_docs.render(tmp_path) == 0
