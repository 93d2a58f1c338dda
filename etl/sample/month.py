"""Writes one month of the sample province: workbooks, allocation register and the truth about them."""

from __future__ import annotations

import csv
import json
import os
import random
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from datetime import datetime, time, timedelta
from itertools import repeat
from pathlib import Path
from typing import Any

from etl import clock, settings
from etl.collect.workbook import WorkbookContent, file_name
from etl.errors import UsageError
from etl.period import Period
from etl.reference import forms, province
from etl.sample import defects as defect_register
from etl.sample import treasury, truth
from etl.sample.budget import Allocation
from etl.sample.commune_report import content
from etl.sample.simulation import FIRST_PERIOD, Simulation, budget_month, simulate
from etl.sample.spoiling import Spoiled

ALLOCATION_FILE = Path("reference", "allocation.csv")
TRUTH_FILE = "truth.json"
_ALLOCATION_COLUMNS = (
    "decision_no",
    "signed_on",
    "effective_on",
    "budget_year",
    "commune_code",
    "project_code",
    "capital_kind",
    "source",
    "amount_vnd",
    "note",
)
_WORTH_A_PROCESS = 16
_LATE_SHARE = 0.05


@dataclass(frozen=True)
class _Job:
    file: str
    content: WorkbookContent
    defect: str | None


@dataclass(frozen=True)
class _Written:
    file: str
    commune_code: str
    budget_year: int
    verdict: str
    findings: list[dict[str, str | None]]
    facts: truth.Facts


def write_month(
    period: Period,
    out: Path,
    *,
    communes: int | None = None,
    seed: int = 2025,
    defects: Sequence[str] = (),
    plant: Sequence[str] = (),
) -> dict[str, Any]:
    """Write the workbooks of the period into ``out``, with ``truth.json``, ``reference/allocation.csv`` and the
    Treasury's statement of each budget year, ``reference/treasury-<year>.xlsx``.

    The truth is returned as well. ``communes`` takes the first so many, Quan Sơn leading; defects go into the
    first communes' workbooks, one each; ``plant`` are differences put into the statement of the period's own year
    (``etl.sample.treasury``), in the last communes. The same arguments give the same bytes. Raises UsageError for a
    period outside the calendar or before the first, for unknown defects and for more defects than communes.
    """
    reference = province.load()
    years = reference.budget_years(period)
    if not years or period < FIRST_PERIOD:
        raise UsageError(f"Dữ liệu mẫu chỉ có từ kỳ {FIRST_PERIOD} và trong lịch báo cáo; không có kỳ {period}.")
    simulation = simulate(reference, seed)
    codes = _chosen(simulation, communes)
    spoiled = dict(zip(codes, _defects(codes, defects), strict=False))
    out.mkdir(parents=True, exist_ok=True)
    jobs = _jobs(simulation, period, years, codes, spoiled)
    written = _write_all(out, jobs, len(years) * len(codes))
    for w in written:
        _arrive(out / w.file, simulation.province.window(period, w.budget_year), seed)
    _write_allocations(out, simulation, period)
    planted = _write_statements(out, simulation, period, codes, plant)
    result = _truth(simulation, period, codes, written) | {"treasury": planted}
    text = json.dumps(result, ensure_ascii=False, indent=1) + "\n"
    (out / TRUTH_FILE).write_text(text, encoding="utf-8")
    return result


def _arrive(path: Path, window: province.Window, seed: int) -> None:
    """Set the time at which the sender put the file there: a working hour up to the due day, one in twenty later."""
    rng = random.Random(f"{seed}:arrival:{path.name}")
    latest = window.cutoff_on if rng.random() < _LATE_SHARE else window.due_on
    earliest = window.due_on if latest > window.due_on else window.opens_on
    day = earliest + timedelta(days=rng.randint(1, max(1, (latest - earliest).days)))
    moment = datetime.combine(day, time(rng.randint(7, 16), rng.randint(0, 59)), clock.LOCAL).timestamp()
    os.utime(path, (moment, moment))


def _chosen(simulation: Simulation, communes: int | None) -> tuple[str, ...]:
    known = simulation.commune_codes
    if communes is not None and not 1 <= communes <= len(known):
        raise UsageError(f"Số xã phải từ 1 đến {len(known)}; nhận được: {communes}.")
    return known[:communes]


def _defects(codes: Sequence[str], wanted: Sequence[str]) -> tuple[str, ...]:
    chosen = defect_register.names(tuple(wanted))
    if len(chosen) > len(codes):
        raise UsageError(f"Có {len(chosen)} lỗi mẫu nhưng chỉ có {len(codes)} xã; mỗi xã nhận một lỗi.")
    return chosen


def _jobs(
    simulation: Simulation,
    period: Period,
    years: Sequence[int],
    codes: Sequence[str],
    spoiled: Mapping[str, str],
) -> Iterator[_Job]:
    """One workbook per budget year and commune; the closing report of January gets no defect."""
    for year in years:
        for code in codes:
            defect = spoiled.get(code) if year == period.year else None
            name = file_name(code, period, budget_year=year)
            yield _Job(name, content(simulation, code, period, year), defect)


def _write_all(out: Path, jobs: Iterator[_Job], count: int) -> list[_Written]:
    """In the order of the jobs, which are simulated while the first ones are already being written."""
    workers = min(2, settings.cpu_count())
    if workers == 1 or count < _WORTH_A_PROCESS:
        return [_write_one(out, job) for job in jobs]
    with ProcessPoolExecutor(workers) as pool:
        return list(pool.map(_write_one, repeat(out), jobs, chunksize=4))


def _write_one(out: Path, job: _Job) -> _Written:
    layout = forms.load()
    report = defect_register.spoil(job.defect, job.content, layout) if job.defect else Spoiled(job.content, layout, ())
    (out / job.file).write_bytes(report.render())
    # As ``tiendo check --json`` has it: null where the whole sheet or file is meant.
    findings = [
        {"file": job.file, **asdict(f), "sheet": f.sheet or None, "cell": f.cell or None} for f in report.findings
    ]
    facts = truth.facts(report.content, layout) if report.verdict == "accepted" else {}
    content = job.content
    return _Written(job.file, content.commune.code, content.budget_year, report.verdict, findings, facts)


def _write_allocations(out: Path, simulation: Simulation, period: Period) -> None:
    """The province's decisions signed up to the day of the period's figures, one row per line and source."""
    path = out / ALLOCATION_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(_ALLOCATION_COLUMNS)
        allocations = simulation.allocations(simulation.province.window(period).as_of)
        for a in allocations:
            line = (a.key.commune_code, a.key.project_code, a.key.capital_kind)
            head = (a.decision_no, a.signed_on.isoformat(), a.effective_on.isoformat(), a.budget_year)
            writer.writerow((*head, *line, a.source, a.amount_vnd, a.note))
        for total in _provincial_totals(allocations):
            writer.writerow(total)


def _write_statements(
    out: Path, simulation: Simulation, period: Period, codes: Sequence[str], plant: Sequence[str]
) -> list[dict[str, Any]]:
    """The Treasury's statements of the communes; returns what was planted in that of the period's own year."""
    unknown = [kind for kind in plant if kind not in treasury.KINDS]
    if unknown:
        known = ", ".join(treasury.KINDS)
        raise UsageError(f"Không có chênh lệch mẫu {', '.join(unknown)}. Các tên dùng được: {known}.")
    planted = []
    for year in simulation.province.budget_years(period):
        own = year == period.year
        paid = [code for code in reversed(codes) if _has_paid(simulation, code, year, budget_month(period, year))]
        if own and len(paid) < len(plant):
            raise UsageError(f"Có {len(plant)} chênh lệch mẫu nhưng chỉ có {len(paid)} xã đã giải ngân.")
        wanted = [treasury.Plant(kind, code) for kind, code in zip(plant, paid, strict=False)] if own else []
        path = out / ALLOCATION_FILE.parent / f"treasury-{year}.xlsx"
        planted += treasury.write_statement(path, simulation, period, year, codes, wanted)
    return planted


def _has_paid(simulation: Simulation, code: str, year: int, month: int) -> bool:
    return any(simulation.paid(key, year, month).advance for key in simulation.lines(code, year, month))


def _provincial_totals(allocations: Sequence[Allocation]) -> Iterator[tuple[object, ...]]:
    """What each decision gives to the province as a whole, by line and source."""
    totals: dict[tuple[object, ...], int] = {}
    for a in allocations:
        line: tuple[object, ...] = (
            a.decision_no, a.signed_on.isoformat(), a.effective_on.isoformat(), a.budget_year, province.PROVINCE_TOTAL,
            a.key.project_code, a.key.capital_kind, a.source,
        )  # fmt: skip
        totals[line] = totals.get(line, 0) + a.amount_vnd
    for line, amount in totals.items():
        yield (*line, amount, "Tổng toàn tỉnh")


def _truth(simulation: Simulation, period: Period, codes: Sequence[str], written: Sequence[_Written]) -> dict[str, Any]:
    forms_of_facts = (*(s.form for s in forms.load().sheets), "off_budget")
    facts = {form: [row for w in written for row in w.facts.get(form, [])] for form in forms_of_facts}
    return {
        "period": str(period),
        "seed": simulation.seed,
        "communes": list(codes),
        "files": [
            {"file": w.file, "commune": w.commune_code, "budget_year": w.budget_year, "expected": w.verdict}
            for w in written
        ],
        "facts": facts,
        "totals": truth.totals(facts["B01"], simulation.province.nodes),
        "findings": [finding for w in written for finding in w.findings],
    }
