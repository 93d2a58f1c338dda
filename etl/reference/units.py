"""Commune-level units and what became of them, as dated facts from the province's files.

A unit is a code and a time: 05977 was phường Vĩnh Trại until 30/6/2025 and has been phường Đông Kinh since.
``former_units.csv`` has the units before the reform of 2025 and where each went, ``communes.csv`` the units since, one
row per stretch of time, ``unit_changes.csv`` every later change: a unit that is renamed, merged, divided or given
another code ends (``valid_to``), another begins on the day after, and a row says which went where. Loading them is
``etl.reference.load``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

from etl.errors import UsageError
from etl.reference.province import read_csv

KINDS = ("renamed", "recoded", "merged", "divided")
_DAY = timedelta(1)
_SHOWN = 20
"""So many faults are told at once; the rest is counted."""


@dataclass(frozen=True)
class Unit:
    """A commune-level unit during a stretch of time, both days included; ``valid_to`` None: still there."""

    code: str
    valid_from: date
    valid_to: date | None
    name_vi: str
    kind: str
    district_vi: str | None
    province_code: str
    document: str | None
    verified: bool

    def is_there_on(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)

    @property
    def label(self) -> str:
        return f"{self.name_vi} ({self.code})"


@dataclass(frozen=True)
class Change:
    """From ``changed_on`` on, the unit ``from_code`` of the day before is in ``to_code``: wholly or in part."""

    changed_on: date
    from_code: str
    to_code: str
    kind: str
    is_whole: bool
    document: str
    verified: bool


@dataclass(frozen=True)
class History:
    """All units of a province and all changes between them, free of contradictions (``load``)."""

    units: tuple[Unit, ...]
    changes: tuple[Change, ...]

    def on(self, day: date) -> dict[str, Unit]:
        """Units of that day by code."""
        return {unit.code: unit for unit in self.units if unit.is_there_on(day)}


def load(folder: Path) -> History:
    """The history that the files of ``folder`` tell. Raises UsageError with every fault in Vietnamese."""
    communes = read_csv(folder / "communes.csv")
    former = read_csv(folder / "former_units.csv")
    units = tuple(sorted((*_present(communes), *_former(former, communes)), key=lambda u: (u.valid_from, u.code)))
    documents = {(r["commune_code"], r["valid_from"]): r["resolution"] for r in communes}
    changes = (*_reform(former, documents), *_later(read_csv(folder / "unit_changes.csv")))
    history = History(units, tuple(sorted(changes, key=lambda c: (c.changed_on, c.from_code, c.to_code))))
    if faults := list(_faults(history)):
        rest = [f"… và {len(faults) - _SHOWN} lỗi khác."] if len(faults) > _SHOWN else []
        raise UsageError("\n".join((f"Danh mục đơn vị cấp xã ({folder.name}) có lỗi:", *faults[:_SHOWN], *rest)))
    return history


def _day(text: str, where: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{where}: ngày {text or '(trống)'} không hợp lệ; phải ghi theo dạng 2027-01-01.") from None


def _present(rows: Iterable[dict[str, str]]) -> Iterator[Unit]:
    for number, row in enumerate(rows, 2):
        where = f"communes.csv, dòng {number}"
        yield Unit(
            row["commune_code"],
            _day(row["valid_from"], where),
            _day(row["valid_to"], where) if row["valid_to"] else None,
            row["name_vi"],
            row["kind"],
            None,
            row["province_code"],
            row["resolution"],
            row["verified"] == "yes",
        )


def _former(rows: Iterable[dict[str, str]], communes: Sequence[dict[str, str]]) -> Iterator[Unit]:
    """Each former unit once; a divided one stands on a row per successor."""
    provinces = {r["commune_code"]: r["province_code"] for r in communes}
    seen: dict[tuple[str, str], Unit] = {}
    for number, row in enumerate(rows, 2):
        where = f"former_units.csv, dòng {number}"
        name = row["former_name_vi"]
        unit = Unit(
            row["former_code"],
            _day(row["valid_from"], where),
            _day(row["valid_to"], where),
            name,
            next((k for k in ("thị trấn", "phường", "xã") if name.casefold().startswith(k)), name),
            row["former_district_vi"],
            provinces.get(row["commune_code"], ""),
            None,
            row["verified"] == "yes",
        )
        first = seen.setdefault((unit.code, row["valid_to"]), unit)
        if first is unit:
            yield unit
        elif first != unit:
            raise UsageError(f"{where}: {unit.label} ghi khác với dòng trước của cùng đơn vị ({first.label}).")


def _reform(rows: Sequence[dict[str, str]], documents: dict[tuple[str, str], str]) -> Iterator[Change]:
    sources: dict[tuple[str, date], set[str]] = defaultdict(set)
    days = [_day(r["valid_to"], f"former_units.csv, dòng {n}") + _DAY for n, r in enumerate(rows, 2)]
    for row, day in zip(rows, days, strict=True):
        sources[row["commune_code"], day].add(row["former_code"])
    for row, day in zip(rows, days, strict=True):
        is_whole = row["partly_merged"] != "yes"
        alone = len(sources[row["commune_code"], day]) == 1
        same = row["former_code"] == row["commune_code"]
        kind = "merged" if not alone else "renamed" if same else "recoded"
        document = documents.get((row["commune_code"], day.isoformat()), "")
        yield Change(
            day,
            row["former_code"],
            row["commune_code"],
            kind if is_whole else "divided",
            is_whole,
            document,
            row["verified"] == "yes",
        )


def _later(rows: Iterable[dict[str, str]]) -> Iterator[Change]:
    for number, row in enumerate(rows, 2):
        where = f"unit_changes.csv, dòng {number}"
        if row["kind"] not in KINDS:
            raise UsageError(
                f"{where}: loại thay đổi {row['kind'] or '(trống)'} phải là một trong: {', '.join(KINDS)}."
            )
        if row["is_whole"] not in ("yes", "no"):
            raise UsageError(f"{where}: is_whole phải là yes hoặc no, không là {row['is_whole'] or '(trống)'}.")
        if not row["document"]:
            raise UsageError(f"{where}: thiếu văn bản làm căn cứ thay đổi.")
        yield Change(
            _day(row["changed_on"], where),
            row["from_code"],
            row["to_code"],
            row["kind"],
            row["is_whole"] == "yes",
            row["document"],
            row["verified"] == "yes",
        )


def _vi(day: date) -> str:
    return f"{day:%d/%m/%Y}"


def _faults(history: History) -> Iterator[str]:
    """What contradicts itself. A change joins a unit that ends to one that begins on the day after, so that time goes
    forward along every chain: without a fault there is no cycle."""
    yield from _lives(history.units)
    ended = {(u.code, u.valid_to + _DAY): u for u in history.units if u.valid_to}
    begun = {(u.code, u.valid_from): u for u in history.units}
    first = min((u.valid_from for u in history.units), default=date.max)
    after: dict[tuple[str, date], list[Change]] = defaultdict(list)
    before: dict[tuple[str, date], list[Change]] = defaultdict(list)
    for change in history.changes:
        day = change.changed_on
        told = f"Thay đổi {change.from_code} -> {change.to_code} ngày {_vi(day)}"
        if (change.from_code, day) not in ended:
            yield f"{told}: không có đơn vị {change.from_code} kết thúc ngày {_vi(day - _DAY)}."
        elif (change.to_code, day) not in begun:
            yield f"{told}: không có đơn vị {change.to_code} bắt đầu ngày {_vi(day)}."
        elif any(c.to_code == change.to_code for c in after[change.from_code, day]):
            yield f"{told}: ghi hai lần."
        else:
            after[change.from_code, day].append(change)
            before[change.to_code, day].append(change)
    for key, unit in ended.items():
        yield from _went(unit, after[key], before)
    for (code, day), unit in begun.items():
        if day != first and not before[code, day]:
            yield f"{unit.label} bắt đầu ngày {_vi(day)} mà không rõ từ đơn vị nào; thêm dòng vào unit_changes.csv."


def _lives(units: Iterable[Unit]) -> Iterator[str]:
    lives: dict[str, list[Unit]] = defaultdict(list)
    for unit in units:
        if unit.valid_to and unit.valid_to < unit.valid_from:
            yield f"{unit.label}: kết thúc {_vi(unit.valid_to)} trước khi bắt đầu {_vi(unit.valid_from)}."
        lives[unit.code].append(unit)
    for life in lives.values():
        for earlier, later in pairwise(life):
            if earlier.valid_to is None or later.valid_from <= earlier.valid_to:
                names = f"{earlier.name_vi} và {later.name_vi}"
                yield f"Mã {later.code}: {names} chồng thời gian từ {_vi(later.valid_from)}."
            elif later.valid_from != earlier.valid_to + _DAY:
                yield (
                    f"Mã {later.code}: khoảng trống từ {_vi(earlier.valid_to + _DAY)} đến "
                    f"{_vi(later.valid_from - _DAY)} giữa {earlier.name_vi} và {later.name_vi}."
                )


def _went(unit: Unit, changes: Sequence[Change], before: dict[tuple[str, date], list[Change]]) -> Iterator[str]:
    """Faults in where a unit that ends went."""
    successors = ", ".join(c.to_code for c in changes)
    whole = [c for c in changes if c.is_whole]
    if not changes:
        yield f"{unit.label} kết thúc mà không rõ về đơn vị nào; thêm dòng vào unit_changes.csv."
    elif len(whole) > 1:
        yield f"{unit.label}: toàn bộ đơn vị không thể vào hai nơi ({successors})."
    elif whole and len(changes) > 1:
        yield f"{unit.label}: đã vào toàn bộ {whole[0].to_code} thì không còn phần nào cho nơi khác ({successors})."
    elif not whole and len(changes) == 1:
        yield f"{unit.label}: chỉ một phần vào {successors}; thiếu nơi nhận phần còn lại."
    for change in changes:
        alone = len(before[change.to_code, change.changed_on]) == 1
        same = change.from_code == change.to_code
        fits = {
            "divided": not change.is_whole,
            "renamed": change.is_whole and alone and same,
            "recoded": change.is_whole and alone and not same,
            "merged": change.is_whole and not alone,
        }
        if not fits[change.kind]:
            right = next(kind for kind, does in fits.items() if does)
            yield (
                f"Thay đổi {change.from_code} -> {change.to_code} ngày {_vi(change.changed_on)}: "
                f"loại {change.kind} không đúng với các dòng khác; phải là {right}."
            )
