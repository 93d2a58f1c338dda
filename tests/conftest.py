"""What all tests share: settings that point into temporary folders, and a real PostgreSQL on demand."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings as hypothesis_settings

from etl import settings
from tests.databases import copy_of, start_unsafe

# How long an example takes says how busy the machine is, not whether the code is right: `make bench` measures time.
hypothesis_settings.register_profile("untimed", deadline=None)
hypothesis_settings.load_profile("untimed")


_LONGEST = ("e2e", "corpus", "sql")
"""Folders with the longest tests, the longest first."""


_TOGETHER = {"corpus/test_corpus.py": "corpus", "sql/test_parity.py": "corpus"}
"""Files that need the same corpus, which is made once by the process that runs them."""
_PUBLISHED = "published_once"
"""The published warehouse takes long to make: all files that read it go to one process."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files stay whole, and files with the same ground together (``--dist loadgroup``); the longest come first, so that
    no process is left waiting for them at the end (``--no-loadscope-reorder``)."""
    reading = {item.path for item in items if _PUBLISHED in getattr(item, "fixturenames", ())}
    for item in items:
        name = f"{item.path.parent.name}/{item.path.name}"
        group = _PUBLISHED if item.path in reading else _TOGETHER.get(name, name)
        item.add_marker(pytest.mark.xdist_group(group))
    items.sort(
        key=lambda item: (
            next((n for n, folder in enumerate(_LONGEST) if folder in item.path.parts), len(_LONGEST)),
            item.path not in reading,
        )
    )


@pytest.fixture(scope="session", autouse=True)
def own_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test reads the caller's TIENDO_ variables or writes into ./var."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("TIENDO_")]:
            patch.delenv(name)
        patch.setenv("TIENDO_HOME", str(tmp_path_factory.mktemp("home")))
        settings.reload()
        yield
    settings.reload()


@pytest.fixture(scope="session")
def postgres() -> Iterator[settings.Settings]:
    """The embedded server in a temporary folder; its database ``tiendo`` is migrated and stays empty.

    Not in pytest's own folder: for root the server runs as another user, and every pytest that starts closes the
    common parent of these folders to others.
    """
    from etl.load import server, warehouse

    home = Path(tempfile.mkdtemp(prefix="tiendo-test-"))
    conf = settings.Settings(home=home)
    warehouse.migrate(start_unsafe(conf))
    yield conf
    server.stop(conf)
    shutil.rmtree(home)


@pytest.fixture(scope="module")
def warehouse(postgres: settings.Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a fresh migrated warehouse for one module; ``etl.load.warehouse.connect()`` goes there."""
    from etl.load import server

    with copy_of(server.url("tiendo", postgres)) as address, pytest.MonkeyPatch.context() as patch:
        patch.setenv("TIENDO_WAREHOUSE_URL", address)
        patch.setenv("TIENDO_HOME", str(tmp_path_factory.mktemp("home")))
        settings.reload()
        yield address
    settings.reload()
