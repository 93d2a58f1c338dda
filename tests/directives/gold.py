"""Notices with their tasks, and how well a reading fits them."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from etl.directives import notice
from etl.directives.folding import key
from etl.directives.notice import Notice
from etl.reference import province

FOLDER = Path(__file__).with_name("notices")
ISSUED = {
    "real05": date(2025, 11, 28),
    "real06": date(2025, 12, 2),
    "made_board_3": date(2025, 11, 12),
    "made_government_office_18": date(2025, 11, 14),
    "made_government_office_23": date(2024, 9, 21),
    "made_government_office_26": date(2025, 7, 28),
    "made_government_office_29": date(2023, 10, 23),
    "made_ministry_7": date(2026, 1, 9),
    "made_province_1": date(2025, 12, 5),
    "made_province_21": date(2025, 11, 19),
    "made_province_22": date(2026, 4, 16),
    "made_province_24": date(2025, 11, 24),
    "made_province_28": date(2025, 11, 3),
    "made_province_29": date(2025, 10, 21),
    "made_province_30": date(2025, 11, 18),
    "made_province_37": date(2024, 2, 26),
}
"""Where the text does not say."""
_START = 25
"""So many characters of the content must be the same: spellings further on are not what is measured."""


@dataclass(frozen=True)
class Score:
    """``f1`` of (lead, start of the content); ``dates``: (gold, read) of the dates of matched tasks that differ."""

    f1: float
    dates: tuple[tuple[str, str, str], ...]
    kinds: tuple[tuple[str, str, str], ...]
    partners: tuple[tuple[str, str, str], ...]
    missed: tuple[str, ...]
    extra: tuple[str, ...]


def names() -> list[str]:
    return sorted(path.name.removesuffix(".gold.csv") for path in FOLDER.glob("*.gold.csv"))


def read(name: str) -> Notice:
    return notice.read(FOLDER / f"{name}.txt", province.load().is_working_day, ISSUED.get(name))


@cache
def tasks(name: str) -> tuple[dict[str, str], ...]:
    with (FOLDER / f"{name}.gold.csv").open(encoding="utf-8", newline="") as handle:
        return tuple(csv.DictReader(handle))


def score(name: str, rows: list[dict[str, Any]]) -> Score:
    left: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in rows:
        left.setdefault((key(row["lead"]), key(row["content"])[:_START]), []).append(row)
    dates, kinds, partners, missed, found = [], [], [], [], 0
    for task in tasks(name):
        same = left.get((key(task["lead"]), key(task["content_start"])[:_START]))
        if not same:
            missed.append(f"{task['item_no']} {task['lead']}: {task['content_start']}")
            continue
        row, found = same.pop(0), found + 1
        if (row["due_date"] or "") != task["due_date"]:
            dates.append((task["item_no"], task["due_date"], row["due_date"] or ""))
        if row["due_kind"] != task["due_kind"]:
            kinds.append((task["item_no"], task["due_kind"], row["due_kind"]))
        wanted = sorted(key(name) for name in task["coordinating"].split("; ") if name)
        if sorted(map(key, row["coordinating"])) != wanted:
            partners.append((task["item_no"], task["coordinating"], "; ".join(row["coordinating"])))
    extra = [f"{row['item']} {row['lead']}: {row['content'][:60]}" for group in left.values() for row in group]
    f1 = 2 * found / (len(rows) + len(tasks(name)))
    return Score(f1, tuple(dates), tuple(kinds), tuple(partners), tuple(missed), tuple(extra))
