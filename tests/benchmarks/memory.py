"""Peak memory of a process with all its descendants, from /proc (Linux); shared pages are counted once (PSS)."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

_EVERY_SECONDS = 0.25
_PSS = re.compile(r"^Pss:\s+(\d+) kB", re.MULTILINE)


def peak_of(pid: int, ended: Callable[[], int | None]) -> int:
    """Bytes at the highest moment until the process has ended; 0 where there is no /proc."""
    peak = 0
    while ended() is None:
        peak = max(peak, sum(_pss(one) for one in _tree(pid)))
        time.sleep(_EVERY_SECONDS)
    return peak


def _tree(pid: int) -> list[int]:
    found = [pid]
    for one in found:
        try:
            tasks = list(Path(f"/proc/{one}/task").iterdir())
            found += [int(child) for task in tasks for child in (task / "children").read_text().split()]
        except OSError:
            continue  # it has just ended
    return found


def _pss(pid: int) -> int:
    try:
        match = _PSS.search(Path(f"/proc/{pid}/smaps_rollup").read_text())
    except OSError:
        return 0  # it has just ended
    return int(match[1]) * 1024 if match else 0
