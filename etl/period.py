"""Reporting period (kỳ báo cáo): one calendar month."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date

from etl.errors import UsageError

_TEXT = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")


@dataclass(frozen=True, order=True)
class Period:
    """A month of reporting, written ``YYYY-MM``; the partition key of the DAGs."""

    year: int
    month: int

    @classmethod
    def parse(cls, text: str) -> Period:
        """Read ``2025-10``; raises UsageError on anything else."""
        match = _TEXT.fullmatch(text.strip())
        if not match:
            raise UsageError(f"Kỳ báo cáo phải viết theo mẫu NNNN-TT, ví dụ 2025-10; nhận được: {text!r}.")
        return cls(int(match[1]), int(match[2]))

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"

    @property
    def last_day(self) -> date:
        """Last calendar day: the usual cut-off of the money figures (the calendar table decides)."""
        return date(self.year, self.month, calendar.monthrange(self.year, self.month)[1])

    @property
    def previous(self) -> Period:
        return Period(self.year - (self.month == 1), 12 if self.month == 1 else self.month - 1)

    @property
    def next(self) -> Period:
        return Period(self.year + (self.month == 12), 1 if self.month == 12 else self.month + 1)

    @property
    def vi(self) -> str:
        """``tháng 10 năm 2025``."""
        return f"tháng {self.month} năm {self.year}"
