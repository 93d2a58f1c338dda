"""Disbursement of one line over a budget year: an S-curve with its own pace, pauses, recoveries and source
splits.

A month is counted 1 to 13, 13 being the closing at 31 January of the next year (DOMAIN.md section 3.4).
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

THOUSAND = 1000
CLOSING = 13

# Share of the plan that the province has disbursed at each month's end. The August values are the published
# ones: 29,6 % of development and 12,18 % of recurrent capital (DOMAIN.md section 3.3).
_PROVINCE = {
    "DT": (0, 0, 0.01, 0.03, 0.06, 0.11, 0.17, 0.235, 0.30, 0.385, 0.48, 0.60, 0.78, 0.93),
    "SN": (0, 0, 0.005, 0.012, 0.025, 0.045, 0.065, 0.09, 0.125, 0.22, 0.365, 0.54, 0.77, 0.92),
}
# A first payment is never a sliver of the plan: a commune pays an advance or nothing.
_SMALLEST_SHARE = 0.02


@dataclass(frozen=True)
class Paid:
    """Cumulative figures of a line in đồng."""

    nstw: int
    nsdp: int
    completed: int
    advance: int
    carry_nstw: int
    carry_nsdp: int
    accepted: int

    @property
    def total(self) -> int:
        return self.nstw + self.nsdp

    @property
    def carry(self) -> int:
        return self.carry_nstw + self.carry_nsdp


@dataclass(frozen=True)
class Pace:
    """How one line is disbursed in one budget year; drawn once from the seed.

    ``idle_until``: last month in which the whole commune has paid nothing (0: none).
    ``exact``: the commune reports to the đồng and not to the nghìn đồng.
    """

    kind: str
    token: str
    idle_until: int
    exact: bool

    @cached_property
    def _drawn(self) -> tuple[float, int, float, float, int, float, float]:
        rng = random.Random(self.token)
        shift = rng.triangular(-1.4, 1.4)
        start = rng.choice((8, 9, 10, 11)) if rng.random() < 0.1 else 0
        lot = rng.random()
        ceiling = 1.0 if lot < 0.22 else rng.uniform(0.35, 0.7) if lot < 0.3 else rng.uniform(0.85, 0.99)
        haste = rng.uniform(0.3, 0.95)
        recovery = rng.choice((8, 9, 10, 11, 12)) if rng.random() < 0.04 else 0
        advance = rng.uniform(0.1, 0.45)
        unpaid = rng.uniform(0, 0.15)
        return shift, start, ceiling, haste, recovery, advance, unpaid

    @cached_property
    def pauses(self) -> frozenset[int]:
        """Months without any payment; never the closing, in which everybody hurries."""
        rng = random.Random(f"{self.token}:pauses")
        return frozenset(m for m in range(1, CLOSING) if rng.random() < 0.1)

    @cached_property
    def _shares(self) -> tuple[float, ...]:
        shift, start, ceiling, *_ = self._drawn
        idle = max(start - 1 if start else 0, self.idle_until)
        shares = [0.0]
        for month in range(1, CLOSING + 1):
            share = self._curve(month + shift) * ceiling
            if month <= idle:
                share = 0.0
            elif idle:
                share *= min(1.0, (month - idle) / 3)
            if month == CLOSING:
                share = ceiling
            if share < _SMALLEST_SHARE or month in self.pauses or month == self.recovery_month:
                share = shares[-1]
            shares.append(max(share, shares[-1]))
        return tuple(shares)

    def _curve(self, month: float) -> float:
        """The province's curve at a point between months, stretched so that it ends at 1."""
        points = _PROVINCE[self.kind]
        if month <= 1:
            return 0.0
        whole = min(int(month), CLOSING)
        step = points[min(whole + 1, CLOSING)] - points[whole]
        return min(1.0, (points[whole] + step * (month - whole)) * 1.08)

    @property
    def recovery_month(self) -> int:
        return self._drawn[4]

    def share(self, month: int) -> float:
        """Part of the assigned money that is disbursed by the end of that month, never falling."""
        return self._shares[month]

    def paid(self, month: int, base: Mapping[str, int]) -> Paid:
        """Cumulative figures, given the part of the plan that stays available (by source, đồng)."""
        return self._before_recovery(month, base).less(self._recovered(month, base))

    def _before_recovery(self, month: int, base: Mapping[str, int]) -> _Gross:
        share = self.share(month)
        haste, advance_share, unpaid = self._drawn[3], self._drawn[5], self._drawn[6]
        # Carried-over money expires first and is paid first; it is paid in full only when the rest is, too.
        carry_share = min(1.0, share * (1 + haste * (1 - share))) if share else 0.0
        assigned_nstw = self._rounded(base["NSTW"] * share, base["NSTW"])
        assigned_nsdp = self._rounded((base["NST"] + base["NSX"]) * share, base["NST"] + base["NSX"])
        carry_nstw = self._rounded(base["KD_NSTW"] * carry_share, base["KD_NSTW"])
        carry_nsdp = self._rounded(base["KD_NSDP"] * carry_share, base["KD_NSDP"])
        total = assigned_nstw + assigned_nsdp + carry_nstw + carry_nsdp
        advance = self._rounded(total * advance_share * (1 - share), total)
        return _Gross(
            assigned_nstw, assigned_nsdp, carry_nstw, carry_nsdp, advance, 1 + unpaid * (1 - share), self.step
        )

    def _recovered(self, month: int, base: Mapping[str, int]) -> int:
        """Advance paid back to the Treasury: a third of what was open the month before."""
        if not self.recovery_month or month < self.recovery_month:
            return 0
        before = self._before_recovery(self.recovery_month - 1, base)
        return min(before.advance, before.assigned_nstw) // 3 // self.step * self.step

    @property
    def step(self) -> int:
        return 1 if self.exact else THOUSAND

    def _rounded(self, amount: float, whole: int) -> int:
        """Rounded down to the commune's habit; all of it is all of it, whatever the last digits."""
        return whole if amount >= whole else int(amount) // self.step * self.step


@dataclass(frozen=True)
class _Gross:
    assigned_nstw: int
    assigned_nsdp: int
    carry_nstw: int
    carry_nsdp: int
    advance: int
    accepted_ratio: float
    step: int

    def less(self, recovered: int) -> Paid:
        nstw = self.assigned_nstw + self.carry_nstw - recovered
        nsdp = self.assigned_nsdp + self.carry_nsdp
        advance = max(0, self.advance - recovered)
        completed = nstw + nsdp - advance
        accepted = int(completed * self.accepted_ratio) // self.step * self.step
        return Paid(nstw, nsdp, completed, advance, self.carry_nstw, self.carry_nsdp, max(accepted, completed))
