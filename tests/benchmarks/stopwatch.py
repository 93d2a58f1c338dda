"""What every variant reports: its library imports apart, then wall clock and CPU of the work itself.

A variant runs in a process of its own and prints one JSON object; ``run.py`` puts them side by side.
"""

from __future__ import annotations

import json
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager

_started = time.perf_counter()
result: dict[str, float | int] = {}


def imported() -> None:
    """Call it when all libraries are imported: seconds since this module was."""
    result["imports_s"] = time.perf_counter() - _started


@contextmanager
def work() -> Iterator[None]:
    """Seconds and CPU seconds (this process and its ended children, without the server) of the block."""
    wall, cpu = time.perf_counter(), _cpu_seconds()
    yield
    result["wall_s"] = time.perf_counter() - wall
    result["cpu_s"] = _cpu_seconds() - cpu


def report(**more: float | int) -> None:
    print(json.dumps(result | more))


def _cpu_seconds() -> float:
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)
