"""Reads many workbooks side by side in worker processes."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from etl import settings
from etl.collect import archive, identity, package, reader
from etl.collect.guard import Refusal
from etl.collect.report import Issue, Report
from etl.reference import province as reference

_SMALL = 4
"""So few workbooks are read in this process: starting workers would take longer."""


def _rarely_collect() -> None:
    """Grids and reports hold no cycles: looking for garbage as often as by default only takes time."""
    gc.set_threshold(100_000, 10, 10)


def _read(job: tuple[str, str, Path, Path]) -> Report:
    file_name, sha256, archive_dir, folder = job
    data, province = archive.fetch(archive_dir, sha256), reference.load(folder)
    if package.is_package(data):
        return _refused_package(file_name, sha256, data, province)
    return reader.read(file_name, data, province)


def _refused_package(file_name: str, sha256: str, data: bytes, province: reference.Province) -> Report:
    """Only a zip that could not be taken apart comes here: its members are read in its place otherwise."""
    refusal = package.unpack(file_name, data)
    if not isinstance(refusal, Refusal):
        return reader.read(file_name, data, province)
    named = identity.settle(file_name, {}, {}, province)
    return Report(
        file_name=file_name,
        sha256=sha256,
        commune_code=named.commune_code,
        period=named.period,
        budget_year=named.budget_year,
        version_no=named.version_no,
        issues=[Issue(refusal.rule, values={"message": refusal.message, "fix": refusal.fix})],
        refused=True,
    )


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
