"""Reads many workbooks side by side in worker processes, under limits of memory and time.

What slips through the guard and then eats memory or never ends takes its own worker with it, not the others: the files
that were under way are read again, each in a process of its own, and the one that ends its process a second time is
refused (case 42).
"""

from __future__ import annotations

import faulthandler
import gc
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_all_start_methods, get_context
from pathlib import Path

from etl import settings
from etl.collect import reader
from etl.collect.identity import NOWHERE, Origin
from etl.collect.report import Report
from etl.reference import province as reference

log = logging.getLogger(__name__)

MAX_SECONDS = 10
"""For one file; a workbook of a commune takes about 10 ms."""
MAX_BYTES = 1024**3
"""What a worker may take beyond what it inherits."""


@dataclass(frozen=True)
class Job:
    """A file to be read: as it was called, where its bytes come from, and what its way says of the sender."""

    file_name: str
    sha256: str
    fetch: Callable[[], bytes]
    origin: Origin = NOWHERE


@dataclass(frozen=True)
class _Task:
    job: Job
    folder: Path


Then = Callable[[Report], Report]
_then: Then | None = None
"""In a worker: what is done with each report before it is handed over."""


def _begin(then: Then | None) -> None:
    """In each worker: garbage is looked for rarely (grids and reports hold no cycles), memory is limited."""
    global _then
    _then = then
    gc.set_threshold(100_000, 10, 10)
    try:
        import resource
    except ImportError:  # not on Windows
        return
    statm = Path("/proc/self/statm")
    inherited = int(statm.read_text().split()[0]) * resource.getpagesize() if statm.exists() else 0
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = inherited + MAX_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))


def _read(task: _Task) -> Report:
    report = reader.read(task.job.file_name, task.job.fetch(), reference.load(task.folder), task.job.origin)
    return _then(report) if _then else report


def _read_limited(task: _Task) -> Report:
    """Ends this process when the file takes too long, even inside a library that never comes back to Python."""
    with Path(os.devnull).open("w") as nowhere:
        faulthandler.dump_traceback_later(MAX_SECONDS, exit=True, file=nowhere)
        try:
            return _read(task)
        finally:
            faulthandler.cancel_dump_traceback_later()


def read_all(jobs: Sequence[Job], folder: Path, then: Then | None = None) -> Iterator[Report]:
    """Reports of the files, in their order; ``folder`` is the province's, ``then`` is done by the worker."""
    tasks = [_Task(job, folder) for job in jobs]
    if "fork" not in get_all_start_methods():  # a sender's own machine: its files stop nobody else
        for task in tasks:
            report = _read(task)
            yield then(report) if then else report
        return
    workers = min(settings.cpu_count(), len(tasks))
    done = 0
    # What is in memory now is left alone by the garbage collector: in a forked worker it would touch, and so copy,
    # every page of the parent's libraries.
    gc.freeze()
    try:
        with _pool(max(workers, 1), then) as pool:
            for report in pool.map(_read_limited, tasks, chunksize=max(1, min(16, len(tasks) // (workers * 16 or 1)))):
                yield report
                done += 1
    except BrokenProcessPool:
        log.warning("a workbook ended its process; reading the other %d one by one", len(tasks) - done)
        for task in tasks[done:]:
            yield _read_alone(task, then)
    finally:
        gc.unfreeze()


def _pool(workers: int, then: Then | None) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(workers, mp_context=get_context("fork"), initializer=_begin, initargs=(then,))


def _read_alone(task: _Task, then: Then | None) -> Report:
    try:
        with _pool(1, then) as pool:
            return pool.submit(_read_limited, task).result()
    except BrokenProcessPool:
        log.warning("%s (%s) ends its process", task.job.file_name, task.job.sha256)
        return reader.refused(
            task.job.file_name, task.job.sha256, reader.TOO_MUCH, reference.load(task.folder), task.job.origin
        )
