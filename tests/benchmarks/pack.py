"""The committee's pack of a frozen release, rendered once in a fresh process."""

from __future__ import annotations

import sys

import stopwatch


def main(release_id: str) -> None:
    from etl.load import warehouse
    from etl.publish import pack, release

    stopwatch.imported()
    with warehouse.connect() as connection:
        figures = release.figures_of(connection, release.get(connection, release_id))
    with stopwatch.work():
        files = pack.render(figures)
    stopwatch.report(files=len(files))


if __name__ == "__main__":
    main(sys.argv[1])
