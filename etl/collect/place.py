"""What a drop folder or a sender's address says about commune and period, before a workbook is opened.

Cases 19 and 45: the header, the file name and the drop folder must agree, and the sender too where the province knows
the address. Nothing is decided here: what is said is kept with the delivery, and the reader compares.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path

from etl.collect.text import fold, fold_commune
from etl.reference.province import Province, read_csv

_YEAR_MONTH = re.compile(r"(?:ky|thang|t)?[ ._-]?(20\d{2})[ ._-]?(0[1-9]|1[0-2])")
_MONTH_YEAR = re.compile(r"(?:ky|thang|t)?[ ._-]?(0?[1-9]|1[0-2])(?:[ ._-]|[ ._-]*nam[ ._-]*)(20\d{2})")
_YEAR = re.compile(r"20\d{2}")
_MONTH = re.compile(r"(?:thang|t)?[ ._-]?(0?[1-9]|1[0-2])")
_CODE = re.compile(r"(\d{4,5})(?!\d)[ ._-]*(.*)")


@dataclass(frozen=True)
class Said:
    """Commune code and period ``YYYY-MM``; None: not said, or said twice and differently."""

    commune: str | None = None
    period: str | None = None


@dataclass(frozen=True)
class Places:
    """The province's communes by code and name, and its senders (``senders.csv``) by address or ``@domain``."""

    communes: Mapping[str, str]
    senders: Mapping[str, str]

    @classmethod
    def of(cls, province: Province) -> Places:
        path: Path = province.folder / "senders.csv"
        rows = read_csv(path) if path.exists() else []
        return cls(
            {code: commune.name_vi for code, commune in province.communes.items()},
            {row["sender"].strip().lower(): row["commune_code"].strip().zfill(5) for row in rows if row["sender"]},
        )

    @cached_property
    def _by_name(self) -> dict[str, str]:
        """Folded name -> code; a name that two communes share names none."""
        names = [(fold_commune(name), code) for code, name in self.communes.items()]
        counts: dict[str, int] = {}
        for name, _ in names:
            counts[name] = counts.get(name, 0) + 1
        return {name: code for name, code in names if counts[name] == 1}

    def by_folders(self, folders: Iterable[str]) -> Said:
        """What folders say, outermost first: ``2025-10``, ``Thang 10-2025``, ``06517``, ``6517``, ``Xã Quan Sơn``,
        ``06517 Quan Sơn``; a folder of a year holding one of a month counts too."""
        parts = [fold(part) for part in folders]
        periods = {period for part in parts if (period := _period(part))}
        for year, inner in pairwise(parts):
            month = _MONTH.fullmatch(inner)
            if month and _YEAR.fullmatch(year):
                periods.add(f"{year}-{int(month[1]):02}")
        communes = {code for part in parts if (code := self._commune(part))}
        return Said(_only(communes), _only(periods))

    def by_sender(self, sender: str | None) -> str | None:
        """The commune to which ``senders.csv`` gives the address, or its domain."""
        if not sender or "@" not in sender:
            return None
        address = sender.lower()
        return self.senders.get(address) or self.senders.get("@" + address.rpartition("@")[2])

    def _commune(self, folded: str) -> str | None:
        if _period(folded):
            return None
        if match := _CODE.fullmatch(folded):
            code = match[1].zfill(5)
            named = self._by_name.get(fold_commune(match[2])) if match[2] else None
            return code if code in self.communes and named in (None, code) else None
        return self._by_name.get(fold_commune(folded))


def _period(folded: str) -> str | None:
    if match := _YEAR_MONTH.fullmatch(folded):
        return f"{match[1]}-{match[2]}"
    if match := _MONTH_YEAR.fullmatch(folded):
        return f"{match[2]}-{int(match[1]):02}"
    return None


def _only(found: set[str]) -> str | None:
    return next(iter(found)) if len(found) == 1 else None
