"""Engine time of the checks over one month of 65 communes, with ever more that is wrong, in a fresh process.

The reports come straight from the sample province, with what is known before them: reading is in no figure.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import stopwatch

from etl.collect.report import Report, Row
from etl.period import Period
from etl.reference import province
from etl.validate import check
from tests.rules import kit

PERIOD = Period(2025, 10)


def spoilt(row: Row, keys: Callable[[str], bool]) -> None:
    for key, value in row.values.items():
        if isinstance(value, int) and keys(key):
            row.values[key] = value * 3 + 7


def one_commune(reports: list[Report]) -> None:
    for form in reports[0].forms.values():
        for row in form.rows:
            spoilt(row, lambda _: True)


def one_column(reports: list[Report]) -> None:
    for report in reports:
        for row in report.forms["B01"].rows:
            spoilt(row, lambda key: key == "plan_nstw")


def everything(reports: list[Report]) -> None:
    for report in reports:
        for form in report.forms.values():
            for row in form.rows:
                spoilt(row, lambda _: True)


VARIANTS: dict[str, Callable[[list[Report]], None]] = {
    "clean": lambda _: None,
    "one_commune": one_commune,
    "one_column": one_column,
    "everything": everything,
}


def main() -> None:
    where = province.load()
    codes = kit.simulation().commune_codes
    known = [kit.known_before(code, PERIOD, 2025) for code in codes]
    batches = {}
    for name, spoil in VARIANTS.items():
        batches[name] = [kit.as_report(kit.content(code, PERIOD, 2025)) for code in codes]
        spoil(batches[name])
    check.run([kit.as_report(kit.content(codes[0], PERIOD, 2025))], where, known[:1])  # brings the libraries in
    stopwatch.imported()
    seconds = {}
    with stopwatch.work():
        for name, reports in batches.items():
            begun = time.perf_counter()
            check.run(reports, where, known)
            seconds[name] = time.perf_counter() - begun
    stopwatch.report(files=len(codes), **{f"{name}_s": round(value, 4) for name, value in seconds.items()})


if __name__ == "__main__":
    main()
