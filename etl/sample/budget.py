"""Plans of a simulated province: which lines a commune has, and the allocation decisions that make up its
plan.

Figures are invented. Their size follows what the province published for 2025: development capital 786,8 tỷ
and recurrent capital 959,8 tỷ đồng, carried-over money included (DOMAIN.md sections 3.1 and 3.3).
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from etl.reference.province import Commune, Province

MILLION = 1_000_000
FIRST_YEAR = 2025
MERGED_PROGRAMME = "MTQG-2630"

PLAN_KEY = {
    "NSTW": "plan_nstw",
    "NST": "plan_nst",
    "NSX": "plan_nsx",
    "KD_NSTW": "carry_nstw",
    "KD_NSDP": "carry_nsdp",
}
"""Source of an allocation decision -> column of Biểu 01; KD = kéo dài (carried over)."""

_TARGET = {"DT": 786_800 * MILLION, "SN": 959_800 * MILLION}
_MERGED_TARGET = {"DT": 610_000 * MILLION, "SN": 420_000 * MILLION}
_CARRY_SHARE = 0.22
# Lines that carry most of the money: (chance that a commune has the line, weight). Others have _USUAL.
_HEAVY = {
    ("DTTS-DA4-TDA1", "DT"): (0.97, 12.0),
    ("DTTS-DA4-TDA1", "SN"): (0.85, 3.0),
    ("NTM-ND02", "DT"): (0.95, 7.0),
    ("DTTS-DA1-ND2", "SN"): (0.8, 3.0),
    ("DTTS-DA1-ND3", "SN"): (0.8, 3.0),
    ("DTTS-DA1-ND4", "DT"): (0.8, 3.5),
    ("DTTS-DA3-TDA1", "SN"): (0.9, 6.0),
    ("DTTS-DA3-TDA2", "SN"): (0.9, 5.0),
    ("GNBV-DA2", "SN"): (0.9, 4.0),
    ("GNBV-DA3-TDA1", "SN"): (0.9, 3.0),
    ("GNBV-DA1-TDA1", "DT"): (1.0, 9.0),
    ("GNBV-DA5", "SN"): (0.9, 3.0),
}
_USUAL = {"DT": (0.3, 1.2), "SN": (0.58, 0.7)}


@dataclass(frozen=True, order=True)
class LineKey:
    commune_code: str
    project_code: str
    capital_kind: str

    @property
    def line_code(self) -> str:
        return f"{self.project_code}-{self.capital_kind}"


@dataclass(frozen=True)
class Allocation:
    """One signed change of the plan of one line and source by a decision; in đồng."""

    decision_no: str
    signed_on: date
    effective_on: date
    budget_year: int
    key: LineKey
    source: str
    amount_vnd: int
    note: str


@dataclass(frozen=True)
class YearBudget:
    """All allocations of a budget year, and the plan that they make at a date."""

    budget_year: int
    allocations: tuple[Allocation, ...]

    @cached_property
    def _by_line(self) -> Mapping[LineKey, list[Allocation]]:
        result: dict[LineKey, list[Allocation]] = {}
        for allocation in self.allocations:
            result.setdefault(allocation.key, []).append(allocation)
        return result

    @cached_property
    def _by_commune(self) -> Mapping[str, list[LineKey]]:
        result: dict[str, list[LineKey]] = {}
        for key in self._by_line:
            result.setdefault(key.commune_code, []).append(key)
        return result

    def lines(self, commune_code: str) -> list[LineKey]:
        return self._by_commune.get(commune_code, [])

    def plan(self, key: LineKey, day: date) -> dict[str, int]:
        """Source -> đồng: the sum of the changes in force on that day."""
        plan = dict.fromkeys(PLAN_KEY, 0)
        for allocation in self._by_line[key]:
            if allocation.effective_on <= day:
                plan[allocation.source] += allocation.amount_vnd
        return plan

    def lowest_plan(self, key: LineKey, day: date) -> dict[str, int]:
        """Source -> the least that the plan is from that day on: what no later decision takes away."""
        lowest = self.plan(key, day)
        for later in {a.effective_on for a in self._by_line[key] if a.effective_on > day}:
            plan = self.plan(key, later)
            lowest = {source: min(lowest[source], plan[source]) for source in plan}
        return lowest

    def is_assigned(self, key: LineKey, day: date) -> bool:
        """Whether any decision on the line is in force: only then does it stand in Biểu 01."""
        return any(a.effective_on <= day for a in self._by_line[key])

    def changes(self, key: LineKey, after: date, until: date) -> list[Allocation]:
        """Changes of a line that came into force after ``after`` up to ``until``."""
        return [a for a in self._by_line[key] if after < a.effective_on <= until]


def first_budget(province: Province, seed: int) -> YearBudget:
    """2025: plan and carry-over as handed to the new communes on 01/7/2025, and the adjustment of late
    September.
    """
    lines = _weighted_lines(province, seed)
    handed_over, signed = date(FIRST_YEAR, 7, 1), date(FIRST_YEAR, 6, 30)
    allocations = []
    for key, amount in lines.items():
        rng = random.Random(f"{seed}:plan:{FIRST_YEAR}:{key}")
        carry = _to_million(amount * rng.uniform(0.12, 0.5)) if rng.random() < _CARRY_SHARE / 0.31 else 0
        for source, part in _split(rng, key, amount - carry).items():
            note = f"Giao kế hoạch vốn năm {FIRST_YEAR}"
            allocations.append(
                Allocation(_number(FIRST_YEAR, 1), signed, handed_over, FIRST_YEAR, key, source, part, note)
            )
        local = _to_million(carry * rng.choice((0, 0, 0.1, 0.2)))
        for source, part in (("KD_NSTW", carry - local), ("KD_NSDP", local)):
            note = "Kéo dài thời gian thực hiện và giải ngân vốn các năm trước"
            allocations.append(
                Allocation(_number(FIRST_YEAR, 2), signed, handed_over, FIRST_YEAR, key, source, part, note)
            )
    return _year(FIRST_YEAR, seed, allocations)


def next_budget(
    province: Province, seed: int, budget_year: int, left_over: Iterable[tuple[LineKey, dict[str, int]]]
) -> YearBudget:
    """From 2026: new plan on the merged programme only; what was left of the year before is carried over in
    February.

    ``left_over``: (line, undisbursed amounts by source of carried-over money) at the closing of the year
    before.
    """
    assigned, carried = date(budget_year, 1, 15), date(budget_year, 2, 20)
    allocations = []
    for key, amount in _merged_lines(province, seed, budget_year).items():
        rng = random.Random(f"{seed}:plan:{budget_year}:{key}")
        for source, part in _split(rng, key, amount).items():
            note = f"Giao kế hoạch vốn năm {budget_year}"
            allocations.append(
                Allocation(_number(budget_year, 1), assigned, assigned, budget_year, key, source, part, note)
            )
    for key, parts in left_over:
        for source, part in parts.items():
            note = f"Kéo dài vốn năm {budget_year - 1} chưa giải ngân hết"
            allocations.append(
                Allocation(_number(budget_year, 2), carried, carried, budget_year, key, source, part, note)
            )
    return _year(budget_year, seed, allocations)


def _year(budget_year: int, seed: int, allocations: list[Allocation]) -> YearBudget:
    kept = [a for a in allocations if a.amount_vnd]
    return YearBudget(budget_year, (*kept, *_adjustment(budget_year, seed, kept)))


def _number(budget_year: int, no: int) -> str:
    """MP = mô phỏng: no one may take a simulated decision for a real one."""
    return f"{no:02d}-MP/QĐ-UBND-{budget_year}"


def _adjustment(budget_year: int, seed: int, allocations: list[Allocation]) -> list[Allocation]:
    """Central money moved between communes within the same project and capital kind: the sum is kept."""
    rng = random.Random(f"{seed}:adjustment:{budget_year}")
    central: dict[tuple[str, str], list[Allocation]] = {}
    for allocation in allocations:
        if allocation.source == "NSTW" and allocation.amount_vnd >= 50 * MILLION:
            where = (allocation.key.project_code, allocation.key.capital_kind)
            central.setdefault(where, []).append(allocation)
    day = date(budget_year, 9, 26)
    moves = []
    for group in central.values():
        if len(group) < 4 or rng.random() < 0.45:
            continue
        donor, *receivers = rng.sample(group, 2 + (rng.random() < 0.5))
        share = _to_million(donor.amount_vnd * rng.uniform(0.1, 0.3) / len(receivers))
        changes = [(donor, -share * len(receivers)), *((r, share) for r in receivers)]
        for target, amount in changes:
            note = "Điều chỉnh giảm kế hoạch vốn" if amount < 0 else "Điều chỉnh tăng kế hoạch vốn"
            moves.append(Allocation(_number(budget_year, 3), day, day, budget_year, target.key, "NSTW", amount, note))
    return [m for m in moves if m.amount_vnd]


def _weighted_lines(province: Province, seed: int) -> dict[LineKey, int]:
    """Line -> plan of the year with carry-over, scaled so that each capital kind reaches the province's
    total.
    """
    weights: dict[LineKey, float] = {}
    for commune in province.communes.values():
        rng = random.Random(f"{seed}:lines:{commune.code}")
        size = rng.uniform(0.7, 1.5) * (0.35 if commune.kind == "phường" else 1)
        for project_code in province.leaf_codes:
            for kind in ("DT", "SN"):
                chance, weight = _HEAVY.get((project_code, kind), _USUAL[kind])
                drawn, spread = rng.random(), rng.uniform(0.3, 1.8)
                if _has_line(province, commune, project_code, kind) and drawn < chance:
                    weights[LineKey(commune.code, project_code, kind)] = size * weight * spread
    return _scaled(weights, _TARGET)


def _has_line(province: Province, commune: Commune, project_code: str, kind: str) -> bool:
    node = province.nodes[project_code]
    if node.valid_from.year > FIRST_YEAR or kind not in node.capital_kinds:
        return False
    return province.is_eligible(project_code, commune)


def _merged_lines(province: Province, seed: int, budget_year: int) -> dict[LineKey, int]:
    """The programme has no components in our sources; those that a province's tree has are its lines."""
    weights = {}
    leaves = [c for c in province.leaf_codes if province.nodes[c].programme_code == MERGED_PROGRAMME]
    for commune in province.communes.values():
        rng = random.Random(f"{seed}:merged:{budget_year}:{commune.code}")
        size = rng.uniform(0.7, 1.5) * (0.35 if commune.kind == "phường" else 1)
        for kind in ("DT", "SN"):
            for code in leaves:
                if kind in province.nodes[code].capital_kinds:
                    weights[LineKey(commune.code, code, kind)] = size * rng.uniform(0.8, 1.2)
    return _scaled(weights, _MERGED_TARGET)


def _scaled(weights: Mapping[LineKey, float], target: Mapping[str, int]) -> dict[LineKey, int]:
    total = {kind: sum(w for k, w in weights.items() if k.capital_kind == kind) for kind in target}
    return {
        key: max(_to_million(target[key.capital_kind] * weight / total[key.capital_kind]), 20 * MILLION)
        for key, weight in weights.items()
    }


def _split(rng: random.Random, key: LineKey, amount: int) -> dict[str, int]:
    """Assigned money by source: the centre pays most of it, the commune a little of what is built."""
    province_share = rng.uniform(0.08, 0.16)
    commune_share = rng.choice((0, 0.02, 0.05)) if key.capital_kind == "DT" else rng.choice((0, 0, 0.01))
    nst, nsx = _to_million(amount * province_share), _to_million(amount * commune_share)
    return {"NSTW": amount - nst - nsx, "NST": nst, "NSX": nsx}


def _to_million(amount: float) -> int:
    return int(amount) // MILLION * MILLION
