"""The committee's pack of a frozen release, or the letters of its communes alone, rendered once in a fresh process."""

from __future__ import annotations

import sys

import stopwatch


def main(release_id: str, part: str) -> None:
    from etl.load import warehouse
    from etl.publish import evidence, pack, release
    from etl.publish.checks import finding

    stopwatch.imported()
    with warehouse.connect() as connection:
        figures = release.figures_of(connection, release.get(connection, release_id))
        found = finding.stored(connection, release_id)
        with stopwatch.work():
            if part == "letters":
                files = pack.letters_of(figures, pack.build(figures).letters)
            else:
                made = pack.build(figures, letters=False)
                files = pack.render(figures, made, evidence.load(connection, figures, found))
    stopwatch.report(files=len(files))


if __name__ == "__main__":
    main(*sys.argv[1:])
