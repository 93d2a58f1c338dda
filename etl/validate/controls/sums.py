"""CK04: headings and totals against the leaves under them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from operator import add

from etl.collect.report import Form
from etl.reference import forms
from etl.validate.controls.table import Marks, number


def wrong_sums(sheet: Form, layout: forms.Sheet, wrong_unit: set[int]) -> Iterator[Marks]:
    """CK04: heading and total rows whose figure differs from the sum of the leaves under them.

    Tolerance: half of the last shown digit times the number of leaves. Of a chain of sums that are off by the same
    amount only the lowest is reported; a sum over a cell that cannot be read or is in the wrong unit is left alone.
    """
    keys = [column.key for column in layout.columns if column.total]
    last_digit = {c.key: 10 ** (6 - (c.decimals if c.decimals is not None else 3)) for c in layout.columns}
    sums, counts, silent = _sums_by_heading(sheet, keys, wrong_unit)
    uppers = [row for row in sheet.rows if row.role in ("heading", "total")]
    uppers.sort(key=lambda row: (row.role == "total", -row.code.count("-")))
    reported: list[tuple[str, str, int]] = []
    for upper in uppers:
        if upper.code not in counts:
            continue
        for position_of_key, key in enumerate(keys):
            value = number(upper.values.get(key))
            if value is None:
                continue
            expected = sums[upper.code][position_of_key]
            gap = value - expected
            if 2 * abs(gap) <= last_digit[key] * counts[upper.code]:
                continue
            if (upper.code, key) in silent or (upper.code, "") in silent:
                continue
            chain = (
                k == key and g == gap and (not upper.code or c.startswith(upper.code + "-")) for c, k, g in reported
            )
            if any(chain):
                continue
            reported.append((upper.code, key, gap))
            yield {
                "row_no": upper.row_no,
                "code": upper.code or layout.total_label,
                "sum_key": key,
                "sum_value": value,
                "sum_expected": expected,
                "sum_gap": gap,
                "code_known": True,
            }


@lru_cache(maxsize=4096)
def _headings_above(code: str) -> tuple[str, ...]:
    """Codes of the total ("") and of the headings over a line."""
    parts = code.split("-")
    return ("", *("-".join(parts[:n]) for n in range(1, len(parts))))


def _sums_by_heading(
    sheet: Form, keys: Sequence[str], wrong_unit: set[int]
) -> tuple[dict[str, list[int]], dict[str, int], set[tuple[str, str]]]:
    """For each heading code ("" is the total): sums of the leaves under it in the order of ``keys``, their number, and
    (code, key) of sums that cannot be judged (key "" = none of them can)."""
    sums: dict[str, list[int]] = {}
    counts: dict[str, int] = {}
    silent: set[tuple[str, str]] = set()
    for row in sheet.rows:
        if row.role != "leaf":
            continue
        amounts = [number(row.values.get(key)) or 0 for key in keys]
        for code in _headings_above(row.code):
            counts[code] = counts.get(code, 0) + 1
            sums[code] = list(map(add, sums[code], amounts)) if code in sums else amounts
            if row.bad or row.texts:
                silent.update((code, key) for key in (*row.bad, *row.texts))
            if row.row_no in wrong_unit:
                silent.add((code, ""))
    return sums, counts, silent
