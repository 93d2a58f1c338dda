"""Three sample months of 65 communes, taken through the steps once for all tests of the warehouse."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from etl import settings, steps
from etl.load import allocation, server
from etl.load import warehouse as store
from etl.load.warehouse import Connection
from etl.period import Period
from etl.reference import province
from etl.sample.month import write_month
from tests.builders import truth
from tests.databases import copy_of
from tests.sql import builders

if TYPE_CHECKING:
    from tests.sql.published import Published

MONTHS = (Period(2025, 8), Period(2025, 9), Period(2025, 10))
NOW = datetime(2025, 11, 12, 2, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Loaded:
    """``address`` of a warehouse that holds the three months; ``months`` their folders with truth.json."""

    address: str
    home: Path
    months: dict[Period, Path]

    def truth(self, period: Period) -> dict[str, Any]:
        return truth(self.months[period])


@pytest.fixture(scope="module")
def reference(warehouse: str) -> str:
    """A warehouse of the module with reference data only."""
    with store.connect(warehouse) as connection:
        builders.reference_data(connection)
    return warehouse


@pytest.fixture
def connection(reference: str) -> Iterator[Connection]:
    """A connection to it; what a test writes is rolled back."""
    with store.connect(reference) as connection:
        yield connection
        connection.rollback()


@pytest.fixture(scope="session")
def sample_months(tmp_path_factory: pytest.TempPathFactory) -> dict[Period, Path]:
    folders = {}
    for month in MONTHS:
        folders[month] = tmp_path_factory.mktemp(f"sample-{month}")
        write_month(month, folders[month])
    return folders


@pytest.fixture(scope="session")
def prepared_once(postgres: settings.Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A warehouse with reference data only; it is copied and never used itself."""
    with copy_of(server.url("tiendo", postgres)) as address:
        with pytest.MonkeyPatch.context() as patch:
            point(patch, address, tmp_path_factory.mktemp("prepared-home"))
            steps.prepare(NOW)
        settings.reload()
        yield address


@pytest.fixture(scope="session")
def loaded_once(
    prepared_once: str, sample_months: dict[Period, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Loaded]:
    home = tmp_path_factory.mktemp("loaded-home")
    with copy_of(prepared_once) as address, pytest.MonkeyPatch.context() as patch:
        point(patch, address, home)
        for folder in sample_months.values():
            with store.transaction() as connection:
                allocation.load(connection, folder / "reference" / "allocation.csv", province.load(), NOW)
            for path in folder.glob("*.xlsx"):
                target = home / "inbox" / folder.name / path.name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.hardlink_to(path)
        steps.archive_inbox(NOW)
        steps.process_received(NOW)
        patch.undo()
        settings.reload()
        yield Loaded(address, home, sample_months)


def point(patch: pytest.MonkeyPatch, address: str, home: Path) -> None:
    """The settings of this process at that warehouse and that folder."""
    patch.setenv("TIENDO_WAREHOUSE_URL", address)
    patch.setenv("TIENDO_HOME", str(home))
    settings.reload()


@pytest.fixture
def loaded(loaded_once: Loaded) -> Iterator[Loaded]:
    """The shared warehouse, for tests that only read."""
    with pytest.MonkeyPatch.context() as patch:
        point(patch, loaded_once.address, loaded_once.home)
        yield loaded_once
    settings.reload()


@pytest.fixture
def own(loaded_once: Loaded, tmp_path: Path) -> Iterator[Loaded]:
    """A copy of the shared warehouse with its own inbox and output, for a test that changes it."""
    (tmp_path / "archive").symlink_to(loaded_once.home / "archive")
    with copy_of(loaded_once.address) as address, pytest.MonkeyPatch.context() as patch:
        point(patch, address, tmp_path)
        yield Loaded(address, tmp_path, loaded_once.months)
    settings.reload()


@pytest.fixture(scope="session")
def published_once(loaded_once: Loaded, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Published]:
    from tests.sql.published import published

    with published(loaded_once, tmp_path_factory.mktemp("published-home")) as value:
        yield value


@pytest.fixture
def published(published_once: Published) -> Iterator[Published]:
    """A shared warehouse with two published months, for tests that only read."""
    with pytest.MonkeyPatch.context() as patch:
        point(patch, published_once.address, published_once.home)
        yield published_once
    settings.reload()


@pytest.fixture
def empty(prepared_once: str, tmp_path: Path) -> Iterator[Path]:
    """A warehouse with reference data only; the value is its home folder."""
    with copy_of(prepared_once) as address, pytest.MonkeyPatch.context() as patch:
        point(patch, address, tmp_path)
        yield tmp_path
    settings.reload()
