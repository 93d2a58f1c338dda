"""The sound workbooks that everything else is made from: small reports cut out of the sample province.

Each has a few lines of Biểu 01 of which the first ones (``Base.targets``) are given figures on which no rule says a
word: about two thirds disbursed, an advance, something left of every source, nothing to explain.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import cache, cached_property

from etl import money
from etl.collect import template, workbook
from etl.collect.workbook import DisbursementLine, SheetPlan, Value, WorkbookContent
from etl.period import Period
from etl.reference import forms, province
from etl.reference.province import split_line_code
from etl.sample import commune_report
from etl.sample.simulation import Simulation, simulate
from tests.corpus import package
from tests.corpus.item import FactKey
from tests.corpus.package import Book

MILLION = 1_000_000
B01, B02, B03, B04, B05 = "B01-GiaiNgan", "B02-ChiTieu", "B03-NhiemVu", "B04-KienNghi", "B05-LoTrinh"
LAYOUT = forms.load()
SHEETS = {s.form: s.name for s in LAYOUT.sheets}
PLAN_KEYS = ("plan_nstw", "plan_nst", "plan_nsx", "carry_nstw", "carry_nsdp")
CENTRAL, LOCAL = ("plan_nstw", "carry_nstw"), ("plan_nst", "plan_nsx", "carry_nsdp")
PAID_KEYS = ("disb_nstw", "disb_nsdp", "disb_completed", "disb_advance", "disb_carry", "accepted_volume")
MONEY_KEYS = tuple(c.key for c in LAYOUT.sheet("B01").columns if c.kind == "money")

# Commune, period, number of lines of Biểu 01.
_CHOSEN = (
    ("06463", Period(2025, 10), 6),  # Chi Lăng
    ("06517", Period(2025, 11), 5),  # Quan Sơn, with tasks
    ("06529", Period(2025, 10), 7),  # Lộc Bình
    ("06253", Period(2025, 12), 6),  # Văn Quan
    ("06112", Period(2025, 9), 8),  # Bình Gia
    ("05986", Period(2025, 8), 5),  # phường Tam Thanh
    ("06496", Period(2025, 11), 6),  # Nhân Lý
    ("06517", Period(2025, 10), 5),
    ("06073", Period(2025, 12), 8),  # Hoa Thám
    ("06625", Period(2025, 10), 4),  # Kiên Mộc
)
COUNT = len(_CHOSEN)
WITH_TASKS = (1, 7)
"""Numbers of the bases that have tasks in Biểu 03."""


@cache
def simulation() -> Simulation:
    return simulate(province.load(), 2025)


@dataclass(frozen=True)
class Base:
    """A report that is in order. Methods that change it return another one."""

    content: WorkbookContent
    targets: tuple[str, ...]
    """Codes of lines that nothing is to be said about."""

    @property
    def file_name(self) -> str:
        return workbook.file_name(self.content.commune.code, self.content.period)

    @cached_property
    def plans(self) -> dict[str, SheetPlan]:
        return {p.sheet.form: p for p in workbook.plan(self.content, LAYOUT)}

    def at(self, code: str, key: str, form: str = "B01") -> str:
        """``K12``; the empty code is the total row."""
        return self.plans[form].ref(code, key)

    def row(self, code: str, form: str = "B01") -> int:
        return self.plans[form].row(code).number

    def leaf_rows(self, form: str = "B01") -> list[int]:
        return [r.number for r in self.plans[form].rows if r.role == "leaf"]

    def line(self, code: str) -> DisbursementLine:
        return next(x for x in self.content.lines if x.line_code == code)

    def amount(self, code: str, *keys: str) -> int:
        """Sum of some amounts of a line, in đồng."""
        values = self.line(code).values
        return sum(v for k in keys if isinstance(v := values.get(k), int))

    def paid(self, code: str) -> int:
        return self.amount(code, "disb_nstw", "disb_nsdp")

    def planned(self, code: str) -> int:
        return self.amount(code, *PLAN_KEYS)

    def headings(self) -> list[str]:
        return [r.code for r in self.plans["B01"].rows if r.role == "heading"]

    def parents(self, code: str) -> list[str]:
        """Headings over a line or heading, the lowest first, and the total (the empty code) last."""
        parts = code.split("-")
        above = {"-".join(parts[:n]) for n in range(1, len(parts))}
        return [*sorted((h for h in self.headings() if h in above), key=len, reverse=True), ""]

    def with_line(self, code: str, **changes: Value) -> Base:
        changed = replace(self.line(code), values={**self.line(code).values, **changes})
        lines = tuple(changed if x.line_code == code else x for x in self.content.lines)
        made = Base(replace(self.content, lines=lines), self.targets)
        return made._within_plan(code) if changes.keys() & set(PLAN_KEYS) else made

    def _within_plan(self, code: str) -> Base:
        """The roadmap of the line cut down to its plan."""
        plan = self.planned(code)
        rows = tuple(
            {k: min(v, plan) if k.startswith("planned_") and isinstance(v, int) else v for k, v in row.items()}
            if row["line_code"] == code
            else row
            for row in self.content.roadmap
        )
        return self.change(roadmap=rows)

    def change(self, **fields: object) -> Base:
        """Other content; see ``WorkbookContent``."""
        return Base(replace(self.content, **fields), self.targets)  # type: ignore[arg-type]

    def with_rows(self, form: str, rows: tuple[Mapping[str, Value], ...]) -> Base:
        name = {"B02": "indicators", "B03": "tasks", "B04": "proposals", "B05": "roadmap"}[form]
        return self.change(**{name: rows})

    def with_row(self, form: str, position: int, **changes: Value) -> Base:
        rows = tuple({**r, **changes} if n == position else r for n, r in enumerate(self.content.rows(form)))
        return self.with_rows(form, rows)

    def with_previous(self, code: str, **changes: int | Decimal) -> Base:
        before = {**self.content.previous, code: {**self.content.previous.get(code, {}), **changes}}
        return self.change(previous=before)

    def data(self) -> bytes:
        buffer = io.BytesIO()
        template.write_layout(buffer, self.content, LAYOUT)
        return buffer.getvalue()

    def book(self) -> Book:
        return package.parse(self.data())

    def facts(self) -> dict[FactKey, Value]:
        """What must come out of the workbook. Rates are only compared, running numbers mean nothing: not among them."""
        found: dict[FactKey, Value] = {}
        for form, plan in self.plans.items():
            leaves = [r for r in plan.rows if r.role == "leaf"]
            for number, row in enumerate(leaves, 1):
                code = str(number) if form == "B04" else row.code
                for column in plan.sheet.columns:
                    if column.key != "stt" and column.kind != "percent":
                        value = row.cells[column.key].value
                        whole = column.kind == "money" and isinstance(value, int | Decimal)
                        found[form, code, column.key] = int(value) if whole else value  # type: ignore[arg-type]
        for code, amount in self.content.off_budget.items():
            found["off_budget", code, "disb_ytd"] = amount
        return found


@cache
def base(number: int) -> Base:
    """Sound workbook ``number``, counted around."""
    commune, period, wanted = _CHOSEN[number % COUNT]
    content = commune_report.content(simulation(), commune, period, period.year)
    chosen = _chosen_lines(content, wanted)
    content = _cut(content, chosen)
    targets = sorted(
        (x for x in chosen if _local(content, x) >= 30 * MILLION and _planned(content, x) >= 300 * MILLION),
        key=lambda c: -_planned(content, c),
    )[:3]
    made = Base(content, tuple(targets))
    for index, code in enumerate(targets):
        made = sound(made, code, 55 + 7 * index + number % 5)
    return (
        made.change(proposals=_proposals(made, number))
        if number % 5 != 4
        else made.change(proposals=(), nothing_to_report=made.content.nothing_to_report | {"B04"})
    )


def _values(content: WorkbookContent, code: str) -> Mapping[str, Value]:
    return next(x.values for x in content.lines if x.line_code == code)


def _sum(values: Mapping[str, Value], keys: tuple[str, ...]) -> int:
    return sum(v for k in keys if isinstance(v := values.get(k), int))


def _planned(content: WorkbookContent, code: str) -> int:
    return _sum(_values(content, code), PLAN_KEYS)


def _local(content: WorkbookContent, code: str) -> int:
    return _sum(_values(content, code), LOCAL)


def _chosen_lines(content: WorkbookContent, wanted: int) -> list[str]:
    """The largest lines, one with carried-over money and one whose plan was adjusted among them; in official order."""
    by_size = sorted(content.lines, key=lambda x: (-_sum(x.values, PLAN_KEYS), x.line_code))
    usable = [x for x in by_size if "Điều chỉnh" not in str(x.values.get("note"))]
    first = [x.line_code for x in usable if _sum(x.values, LOCAL) >= 30 * MILLION][:3]
    carried = [x.line_code for x in usable if _sum(x.values, ("carry_nstw", "carry_nsdp"))][:1]
    outputs = {str(r["project_code"]) for r in content.indicators}
    measured = [x.line_code for x in usable if x.project_code in outputs][:1]
    kept = list(dict.fromkeys(first + carried + measured))
    kept += [x.line_code for x in by_size if x.line_code not in kept][: max(0, wanted - len(kept))]
    return [x.line_code for x in content.lines if x.line_code in kept]


def _cut(content: WorkbookContent, chosen: list[str]) -> WorkbookContent:
    projects = {split_line_code(c)[0] for c in chosen}
    indicators = tuple(r for r in content.indicators if r["project_code"] in projects)
    known = {*chosen, *(str(r["indicator_code"]) for r in indicators)}
    return replace(
        content,
        lines=tuple(x for x in content.lines if x.line_code in chosen),
        indicators=indicators,
        tasks=content.tasks[:5],
        roadmap=tuple(r for r in content.roadmap if r["line_code"] in chosen),
        previous={k: v for k, v in content.previous.items() if k in known},
        nothing_to_report=content.nothing_to_report - {"B04"},
    )


def split(made: Base, code: str, central: int, local: int | None = None, **more: Value) -> Base:
    """The line with those payments, everything else in agreement with them; a low rate gets its note."""
    values = made.line(code).values
    local = min(_sum(values, LOCAL), central) // 2 // 1000 * 1000 if local is None else local
    advance = (central + local) // 5 // 1000 * 1000
    paid = central + local
    low = paid * 2 < _sum(values, PLAN_KEYS)
    given = {
        "disb_nstw": central,
        "disb_nsdp": local,
        "disb_advance": advance,
        "disb_carry": 0,
        "forecast": _sum(values, PLAN_KEYS),
        "note": LOW_RATE if low else None,
        **more,
    }
    given.setdefault("disb_completed", paid - int(given["disb_advance"]))  # type: ignore[arg-type]
    given.setdefault("accepted_volume", given["disb_completed"])
    return made.with_line(code, **given).with_previous(code, disb_ytd=paid * 8 // 10 // 1000 * 1000)


LOW_RATE = "Giải ngân thấp do chờ hướng dẫn về nội dung, định mức chi"


def sound(made: Base, code: str, percent: int) -> Base:
    """The line at that part of every source, with an advance and nothing to explain."""
    values = made.line(code).values
    central, local = (_sum(values, keys) * percent // 100 // 1000 * 1000 for keys in (CENTRAL, LOCAL))
    paid = central + local
    advance = paid // 5 // 1000 * 1000
    carry = _sum(values, ("carry_nstw", "carry_nsdp")) * percent // 100 // 1000 * 1000
    before = paid * 8 // 10 // 1000 * 1000
    made = made.with_line(
        code,
        disb_nstw=central,
        disb_nsdp=local,
        disb_completed=paid - advance,
        disb_advance=advance,
        disb_carry=carry,
        accepted_volume=paid - advance // 2 // 1000 * 1000,
        forecast=_sum(values, PLAN_KEYS) - local // 10 // 1000 * 1000,
        note=None,
    )
    return made.with_previous(code, disb_ytd=before)


_PROPOSALS = (
    (
        "Vướng mắc giải phóng mặt bằng công trình đường giao thông nông thôn.",
        "Một số hộ dân chưa thống nhất phương án bồi thường, hỗ trợ.",
        "Hướng dẫn trình tự, thủ tục thu hồi đất đối với công trình quy mô nhỏ.",
        "Sở Nông nghiệp và Môi trường",
        "Đất đai, GPMB",
        None,
    ),
    (
        "Vốn đối ứng ngân sách xã chưa cân đối được.",
        "Nguồn thu trên địa bàn thấp.",
        "Bố trí bổ sung vốn đối ứng từ ngân sách tỉnh.",
        "Sở Tài chính",
        "Vốn",
        150 * MILLION,
    ),
)


def _proposals(made: Base, number: int) -> tuple[Mapping[str, Value], ...]:
    rows = []
    for position, (problem, cause, proposal, addressee, category, amount) in enumerate(_PROPOSALS):
        line = made.content.lines[(number + position) % len(made.content.lines)]
        rows.append(
            {
                "issue_id": None,
                "project_code": line.project_code,
                "problem": problem,
                "cause": cause,
                "proposal": proposal,
                "addressee": addressee,
                "category": category,
                "state": "Chưa giải quyết",
                "reply_doc": None,
                "adjust_amount": amount,
                "note": None,
            }
        )
    return tuple(rows)


def trieu(vnd: int) -> Decimal:
    return Decimal(money.vnd_to_trieu(vnd))


def day(value: date) -> Decimal:
    """Serial number of a date in the 1900 system."""
    return Decimal((value - date(1899, 12, 30)).days)
