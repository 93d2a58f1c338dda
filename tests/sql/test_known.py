"""What the kit of ``tests/rules`` takes for known before a report is what a warehouse with the months before knows."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from etl import steps
from etl.load import allocation, known
from etl.load import warehouse as store
from etl.period import Period
from etl.sample.month import write_month
from etl.validate.known import Known
from tests.rules import kit

COMMUNES = kit.simulation().commune_codes[:2]
LAST = Period(2026, 2)


def processed(period: Period, folder: Path, home: Path, now: datetime) -> None:
    """The month's workbooks, taken through the steps."""
    for path in folder.glob("*.xlsx"):
        target = home / "inbox" / str(period) / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.hardlink_to(path)
    steps.archive_inbox(now)
    told = steps.process_received(now)
    assert told["accepted"] == len(COMMUNES) * len(kit.lang_son().budget_years(period)), told


def in_warehouse(commune: str, period: Period, budget_year: int, now: datetime) -> Known:
    """What a test of the rules can compare: what was received when, and the Treasury, are no matter of months."""
    with store.connect() as connection:
        told = known.of(connection, [kit.report(commune, period, budget_year)], kit.lang_son(), [now])[0]
    return replace(told, received_on=None, treasury=None)


@pytest.mark.slow
def test_the_kit_knows_before_each_report_what_the_warehouse_knows(empty: Path, tmp_path: Path) -> None:
    period, now = Period(2025, 7), datetime(2025, 8, 7, 3, tzinfo=UTC)
    while period <= LAST:
        folder = tmp_path / "sample" / str(period)
        write_month(period, folder, communes=len(COMMUNES))
        with store.transaction() as connection:
            allocation.load(connection, folder / "reference" / "allocation.csv", kit.lang_son(), now)
        for budget_year in kit.lang_son().budget_years(period):
            for commune in COMMUNES:
                theirs = in_warehouse(commune, period, budget_year, now)
                ours = kit.known_before(commune, period, budget_year)
                for name in Known.__dataclass_fields__:
                    assert getattr(ours, name) == getattr(theirs, name), (commune, str(period), budget_year, name)
        processed(period, folder, empty, now + timedelta(hours=1))
        period, now = period.next, now + timedelta(days=31)
