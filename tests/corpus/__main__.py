"""``python -m tests.corpus [--only NAME] [--valid] [--hostile] [--quiet]``: the engine over the corpus."""

from __future__ import annotations

import argparse
import sys
import time

from tests import corpus
from tests.corpus import engine, measure


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.corpus", description=__doc__)
    parser.add_argument("--only", default="", help="classes whose name contains this")
    parser.add_argument("--part", choices=("valid", "defects", "hostile"), help="only this part")
    parser.add_argument("--quiet", action="store_true", help="no list of misses")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    start = time.perf_counter()
    wrong = 0
    if options.part in (None, "valid") and not options.only:
        wrong += _show("valid", measure.measure(corpus.valid(), engine.check_files, options.workers), options.quiet)
    if options.part in (None, "defects"):
        items = corpus.items(options.only)
        wrong += _show("defects", measure.measure(items, engine.check_files, options.workers), options.quiet)
    if options.part in (None, "hostile") and not options.only:
        scores = measure.measure_hostile(corpus.hostile(), engine.check_files, engine.read_file)
        for s in scores:
            if s.problem or not options.quiet:
                print(f"{s.name:44}{s.seconds:8.3f} s{s.megabytes:8.0f} MB  {s.problem}")
        total, failed = sum(s.seconds for s in scores), sum(bool(s.problem) for s in scores)
        print(f"hostile: {len(scores)} files, {failed} wrong, {total:.2f} s")
        wrong += sum(bool(s.problem) for s in scores)
    print(f"{time.perf_counter() - start:.1f} s")
    return 1 if wrong else 0


def _show(name: str, total: measure.Total, quiet: bool) -> int:
    print(measure.table(total))
    if not quiet:
        print(measure.misses(total))
    print(measure.headline(name, total))
    return len(total.wrong)


sys.exit(main())
