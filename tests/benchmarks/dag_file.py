"""``import airflow.sdk`` alone, and the same with one DAG file read on top, in a fresh process."""

from __future__ import annotations

import importlib.util
import sys
import time

import stopwatch


def main(path: str | None) -> None:
    started = time.perf_counter()
    with stopwatch.work():
        import airflow.sdk  # noqa: F401

        if path:
            spec = importlib.util.spec_from_file_location("read_dag", path)
            if spec is None or spec.loader is None:
                raise SystemExit(f"{path} is not a Python file")
            spec.loader.exec_module(importlib.util.module_from_spec(spec))
    stopwatch.report(total_s=time.perf_counter() - started)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
