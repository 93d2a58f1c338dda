"""The province's reference data, read from the CSV files of its folder.

Shapes are the files' own columns. ``verified`` is carried along: what the sources did not confirm (DOMAIN.md) stays
marked and is configuration, not law. Loading into the warehouse is ``etl.reference.load``.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cache, cached_property
from pathlib import Path

from etl import settings
from etl.errors import UsageError
from etl.period import Period

PROVINCE_TOTAL = "TINH"
"""In place of a commune in a decision on capital: its total over communes and provincial units."""


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


@dataclass(frozen=True)
class Commune:
    """A commune during a stretch of time, both days included; a code may have several (``unit_changes.csv``)."""

    code: str
    name_vi: str
    short_name_vi: str
    kind: str
    former_districts: tuple[str, ...]
    valid_from: date = date.min
    valid_to: date | None = None

    @property
    def unit_vi(self) -> str:
        """As it stands within a sentence: ``xã Quan Sơn``, ``phường Tam Thanh``."""
        return self.name_vi[:1].lower() + self.name_vi[1:]

    @property
    def committee_vi(self) -> str:
        """Its people's committee, as the register has it: ``UBND xã Quan Sơn`` (``ref.committee_vi``)."""
        return f"UBND {self.unit_vi}"

    def is_there_on(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


@dataclass(frozen=True)
class Node:
    """One node of the programme tree: chương trình, dự án, tiểu dự án or nội dung."""

    code: str
    parent_code: str
    programme_code: str
    level: str
    name_vi: str
    managing_agencies_vi: tuple[str, ...]
    capital_kinds: tuple[str, ...]
    valid_from: date
    valid_to: date | None


@dataclass(frozen=True)
class Window:
    """Dates of one period and budget year, from the calendar table. January has two rows: the closing one too."""

    period: Period
    budget_year: int
    as_of: date
    opens_on: date
    due_on: date
    cutoff_on: date
    publish_on: date
    is_closing: bool
    verified: bool


@dataclass(frozen=True)
class Province:
    """All reference data of one province."""

    folder: Path

    @cached_property
    def dated_communes(self) -> tuple[Commune, ...]:
        """Every stretch of time of every commune since 01/7/2025; the later stretches of a code come later."""
        rows = (
            Commune(
                r["commune_code"],
                r["name_vi"],
                r["short_name_vi"],
                r["kind"],
                tuple(r["former_districts"].split(";")),
                date.fromisoformat(r["valid_from"]),
                _day(r["valid_to"]),
            )
            for r in read_csv(self.folder / "communes.csv")
        )
        return tuple(sorted(rows, key=lambda c: c.valid_from))

    @cached_property
    def communes(self) -> dict[str, Commune]:
        """By five-digit code: what each was last, whether it is still there or not."""
        return {commune.code: commune for commune in self.dated_communes}

    def communes_on(self, day: date) -> dict[str, Commune]:
        """Communes of that day by code, with their names of that day."""
        return {commune.code: commune for commune in self.dated_communes if commune.is_there_on(day)}

    @cached_property
    def nodes(self) -> dict[str, Node]:
        """Programme tree by code, in the order in which officials list it."""
        return {
            r["code"]: Node(
                r["code"],
                r["parent_code"],
                r["programme_code"],
                r["level"],
                r["name_vi"],
                tuple(r["managing_agencies_vi"].split(";")),
                tuple(k for k in r["capital_kinds"].split("|") if k),
                date.fromisoformat(r["valid_from"]),
                _day(r["valid_to"]),
            )
            for r in read_csv(self.folder / "programmes.csv")
        }

    @cached_property
    def leaf_codes(self) -> tuple[str, ...]:
        """Codes of nodes without children: only these, by capital kind, are facts."""
        parents = {n.parent_code for n in self.nodes.values()}
        return tuple(c for c in self.nodes if c not in parents)

    def ancestors(self, code: str) -> tuple[str, ...]:
        """From the parent of ``code`` up to its programme."""
        chain = []
        while code := self.nodes[code].parent_code:
            chain.append(code)
        return tuple(chain)

    @cached_property
    def indicators(self) -> dict[str, dict[str, str]]:
        return {r["indicator_code"]: r for r in read_csv(self.folder / "indicators.csv")}

    @cached_property
    def agencies(self) -> dict[str, str]:
        """Agency code -> present name."""
        return {r["agency_code"]: r["name_vi"] for r in read_csv(self.folder / "agencies.csv")}

    @cached_property
    def windows(self) -> dict[tuple[Period, int], Window]:
        result = {}
        for r in read_csv(self.folder / "calendar.csv"):
            window = Window(
                period=Period.parse(r["period"]),
                budget_year=int(r["budget_year"]),
                as_of=date.fromisoformat(r["as_of"]),
                opens_on=date.fromisoformat(r["opens_on"]),
                due_on=date.fromisoformat(r["due_on"]),
                cutoff_on=date.fromisoformat(r["cutoff_on"]),
                publish_on=date.fromisoformat(r["publish_on"]),
                is_closing=r["is_closing"] == "yes",
                verified=r["verified"] == "yes",
            )
            result[window.period, window.budget_year] = window
        return result

    def budget_years(self, period: Period) -> tuple[int, ...]:
        """Budget years open in ``period``; two in January (DOMAIN.md 3.4). Empty when the calendar lacks the month."""
        return tuple(sorted(year for p, year in self.windows if p == period))

    def window(self, period: Period, budget_year: int | None = None) -> Window:
        """Dates of the period; the main budget year (the period's own) unless told otherwise.

        Raises UsageError when the calendar does not have it.
        """
        window = self.windows.get((period, budget_year or period.year))
        if window is None:
            raise UsageError(
                f"Lịch báo cáo chưa có kỳ {period} của năm ngân sách {budget_year or period.year}; "
                f"bổ sung dòng này vào {self.folder.name}/calendar.csv."
            )
        return window

    @cached_property
    def _days(self) -> dict[date, str]:
        return {date.fromisoformat(r["day"]): r["kind"] for r in read_csv(self.folder / "holidays.csv")}

    def is_working_day(self, day: date) -> bool:
        """Monday to Friday but for holidays; a make-up Saturday works."""
        kind = self._days.get(day)
        return kind == "makeup" if kind else day.weekday() < 5

    def working_days_between(self, start: date, end: date) -> int:
        """Working days after ``start`` up to and including ``end``; 0 when ``end`` is not later."""
        return sum(self.is_working_day(start + timedelta(n)) for n in range(1, (end - start).days + 1))

    @cached_property
    def thresholds(self) -> dict[str, Decimal]:
        return {r["threshold_code"]: Decimal(r["value"]) for r in read_csv(self.folder / "thresholds.csv")}

    @cached_property
    def agency_aliases(self) -> tuple[str, ...]:
        """Former names and abbreviations of agencies."""
        return tuple(r["alias_vi"] for r in read_csv(self.folder / "agency_aliases.csv"))

    def tasks(self) -> list[dict[str, str]]:
        return read_csv(self.folder / "tasks.csv")

    def directives(self) -> dict[str, dict[str, str]]:
        """Notices from which the tasks come, by id."""
        return {r["directive_id"]: r for r in read_csv(self.folder / "directives.csv")}

    @cached_property
    def _eligibility(self) -> dict[str, list[dict[str, str]]]:
        rows: dict[str, list[dict[str, str]]] = {}
        for row in read_csv(self.folder / "eligibility.csv"):
            rows.setdefault(row["node_code"], []).append(row)
        return rows

    def is_eligible(self, project_code: str, commune: Commune) -> bool:
        """Whether the project is carried out in communes of this kind and lineage (DOMAIN.md section 1, consequence 5).

        Nodes without a row in ``eligibility.csv`` are for all; with rows, a commune must fit one of them.
        """
        for node in (project_code, *self.ancestors(project_code)):
            rows = self._eligibility.get(node, ())
            if rows and not any(
                row["commune_kind"] in ("", commune.kind)
                and (not row["former_district"] or row["former_district"] in commune.former_districts)
                for row in rows
            ):
                return False
        return True


def split_line_code(line_code: str) -> tuple[str, str]:
    """``GNBV-DA3-TDA1-SN`` -> (``GNBV-DA3-TDA1``, ``SN``); the kind is empty for a heading code."""
    head, _, tail = line_code.rpartition("-")
    return (head, tail) if head and tail in ("DT", "SN") else (line_code, "")


def load(folder: Path | None = None) -> Province:
    """The province of the settings, or of ``folder``; raises UsageError when there is no such folder."""
    return _of(folder or settings.get().reference_dir)


@cache
def _of(folder: Path) -> Province:
    if not (folder / "communes.csv").is_file():
        raise UsageError(f"Không có dữ liệu danh mục tại {folder}; kiểm tra TIENDO_PROVINCE.")
    return Province(folder)
