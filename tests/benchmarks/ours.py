"""Ours: the two steps of the pipeline from the inbox to loaded facts, exactly as the DAG calls them."""

from __future__ import annotations

from datetime import UTC, datetime

import stopwatch

NOW = datetime(2025, 11, 12, 2, 0, tzinfo=UTC)


def main() -> None:
    import great_expectations  # noqa: F401  the suites import it when they first run

    from etl import steps

    stopwatch.imported()
    with stopwatch.work():
        archived = steps.archive_inbox(NOW)
        totals = steps.process_received(NOW)
    stopwatch.report(files=archived["seen"], accepted=totals["accepted"])


if __name__ == "__main__":
    main()
