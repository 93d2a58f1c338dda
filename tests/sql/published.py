"""The loaded warehouse some weeks on: two months published, one report revised since, a Treasury statement with planted
differences, and the month after with communes that were returned or are missing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from etl import settings, steps
from etl.load import allocation, analyst, reconciliation, treasury
from etl.load import warehouse as store
from etl.period import Period
from etl.publish import release
from etl.reference import province
from etl.sample import treasury as statement
from etl.sample.month import write_month
from tests.builders import name, simulation, truth
from tests.databases import copy_of
from tests.sql.conftest import NOW, Loaded, point
from tests.sql.test_load import corrected, put

SEPTEMBER, OCTOBER, NOVEMBER = Period(2025, 9), Period(2025, 10), Period(2025, 11)
FROZEN = NOW + timedelta(hours=1)
REVISED = NOW + timedelta(days=2)
NEXT_MONTH = datetime(2025, 12, 12, 2, 0, tzinfo=UTC)
REVISED_COMMUNE, REVISED_BY_VND = "06463", 1_000_000
DEFECTS = ("ck01-over-plan", "ck14-missing-note")
PLANTED = ("posting", "code", "overdue", "amount")


@dataclass(frozen=True)
class Published(Loaded):
    """``releases`` by period; ``planted`` differences of October; ``november`` is that month's truth."""

    releases: dict[Period, str]
    planted: list[dict[str, Any]]
    november: dict[str, Any]


@contextmanager
def published(loaded: Loaded, home: Path) -> Iterator[Published]:
    (home / "archive").symlink_to(loaded.home / "archive")
    with copy_of(loaded.address) as address, pytest.MonkeyPatch.context() as patch:
        point(patch, address, home)
        planted = _statement(home)
        releases = {period: _release(period, home) for period in (SEPTEMBER, OCTOBER)}
        _revise(home)
        november = home / "sample-2025-11"
        write_month(NOVEMBER, november, communes=6, defects=DEFECTS)
        for path in november.glob("*.xlsx"):
            target = home / "inbox" / november.name / path.name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.hardlink_to(path)
        with store.transaction() as connection:
            allocation.load(connection, november / "reference" / "allocation.csv", province.load(), NEXT_MONTH)
        steps.archive_inbox(NEXT_MONTH)
        steps.process_received(NEXT_MONTH)
        with store.transaction() as connection:
            analyst.grant(connection)
        patch.undo()
        settings.reload()
        yield Published(address, home, loaded.months | {NOVEMBER: november}, releases, planted, truth(november))


def _statement(home: Path) -> list[dict[str, Any]]:
    where = province.load()
    codes = simulation().commune_codes
    plants = [statement.Plant(kind, code) for kind, code in zip(PLANTED, reversed(codes), strict=False)]
    path = home / "kho-bac-2025-10.xlsx"
    planted = statement.write_statement(path, simulation(), OCTOBER, 2025, codes, plants)
    with store.transaction() as connection:
        taken = treasury.take_in(connection, path, home / "archive", where, NOW)
        assert taken.loaded is not None
        reconciliation.reconcile(connection, OCTOBER, 2025, NOW)
    return planted


def _release(period: Period, home: Path) -> str:
    with store.connect() as connection:
        made = release.freeze(connection, period, FROZEN, home / "out")
        named, manifest = made["release_id"], made["manifest_sha256"]
        release.approve(connection, named, manifest, "thu_ky", "approved", FROZEN, home / "out")
        release.mark_published(connection, named, FROZEN)
        connection.commit()
    return str(named)


def _revise(home: Path) -> None:
    """One commune's October report comes again after the release, against the Treasury's word; an officer lets it
    pass and accepts it."""
    put(home, corrected(REVISED_BY_VND / 1_000_000), name(REVISED_COMMUNE, OCTOBER), REVISED)
    steps.archive_inbox(REVISED)
    steps.process_received(REVISED)
    with store.connect() as connection:
        (late,) = connection.execute("select submission_id from raw.submission where is_late_revision").fetchone() or ()
    steps.override(late, [], "Trần Thị Bình", "Kho bạc hạch toán chậm", REVISED)
    steps.revise(late, "accepted", "Trần Thị Bình", "Công văn đính chính của xã", REVISED)
