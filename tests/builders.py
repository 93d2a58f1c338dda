"""Workbooks for tests, made by the official writer from the sample province."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from openpyxl import Workbook, load_workbook

from etl.collect.template import write_workbook
from etl.collect.workbook import WorkbookContent, file_name
from etl.period import Period
from etl.reference import province
from etl.sample import commune_report
from etl.sample.simulation import Simulation, simulate

OCTOBER = Period(2025, 10)
QUAN_SON = "06517"


@cache
def simulation() -> Simulation:
    return simulate(province.load(), 2025)


def content(commune: str = "06463", period: Period = OCTOBER) -> WorkbookContent:
    return commune_report.content(simulation(), commune, period, period.year)


def name(commune: str = "06463", period: Period = OCTOBER) -> str:
    return file_name(commune, period)


@cache
def workbook(commune: str = "06463", period: Period = OCTOBER) -> bytes:
    """A clean report as a commune would send it."""
    buffer = io.BytesIO()
    write_workbook(buffer, content(commune, period))
    return buffer.getvalue()


def edited(change: Callable[[Workbook], None], data: bytes | None = None, *, values: bool = False) -> bytes:
    """The workbook after ``change``; with ``values`` its formulas are replaced by their values first.

    Saving with a library drops the values of formulas, as some phone programs do.
    """
    book = load_workbook(io.BytesIO(data or workbook()), data_only=values)
    change(book)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def truth(folder: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    return loaded
