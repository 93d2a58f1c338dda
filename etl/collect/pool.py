"""Reads many workbooks side by side in worker processes."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from etl import settings
from etl.collect import archive, reader
from etl.collect.report import Report
from etl.reference import province as reference

_SMALL = 4
"""So few workbooks are read in this process: starting workers would take longer."""


def _rarely_collect() -> None:
    """Grids and reports hold no cycles: looking for garbage as often as by default only takes time."""
    gc.set_threshold(100_000, 10, 10)


def _read(job: tuple[str, str, Path, Path]) -> Report:
    file_name, sha256, archive_dir, folder = job
    return reader.read(file_name, archive.fetch(archive_dir, sha256), reference.load(folder))


def read_all(files: Sequence[tuple[str, str]], archive_dir: Path, folder: Path) -> Iterator[Report]:
    """Reports of the archived ``files`` (file name, sha256), in their order; ``folder`` is the province's."""
    jobs = [(name, sha256, archive_dir, folder) for name, sha256 in files]
    workers = min(settings.cpu_count(), len(jobs))
    if len(jobs) <= _SMALL or workers < 2:
        yield from map(_read, jobs)
        return
    # What is in memory now is left alone by the garbage collector: in a forked worker it would touch, and so copy,
    # every page of the parent's libraries.
    gc.freeze()
    try:
        with ProcessPoolExecutor(workers, mp_context=get_context("fork"), initializer=_rarely_collect) as pool:
            yield from pool.map(_read, jobs, chunksize=max(1, min(16, len(jobs) // (workers * 16))))
    finally:
        gc.unfreeze()
