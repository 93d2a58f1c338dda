"""The State Treasury's statement of a sample month: agrees to the đồng with the sample reports but for what is planted.

One row per budget unit and budget code (of a heading where the code stands for one), and the documents of the month;
those after the as-of date are not in the balances. The same arguments give the same bytes.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import IO, Any

import xlsxwriter

from etl.clock import show_date
from etl.errors import UsageError
from etl.period import Period
from etl.reference import treasury as reference
from etl.reference.province import Province
from etl.reference.treasury import Configuration, Place
from etl.sample.simulation import Simulation, budget_month

UNKNOWN_CODE = "00999"
KINDS = ("posting", "code", "unit", "amount", "overdue", "unknown-code", "date")
"""What can be planted: a document booked one working day late, money under the code of another line, a commune that the
statement does not know, a plain wrong amount, an overdue advance, a code in no list, another date."""
_HEADERS = ("STT", "Mã ĐVQHNS", "Tên đơn vị", "Mã CTMT, DA")
_SUMS = ("Thanh toán khối lượng hoàn thành", "Tạm ứng chưa thu hồi", "Tổng số", "Trong đó: quá hạn thu hồi")
_POSTINGS = (*_HEADERS, "Ngày hạch toán", "Số chứng từ", "Loại phát sinh", "Số tiền (đồng)")
_FIRST_ROW = 9
_WRONG_BY = 1_250_000


@dataclass(frozen=True)
class Plant:
    """One of ``KINDS`` for a commune; the place with most money (``overdue``: the largest advance) unless it is named.

    ``date`` concerns the whole statement.
    """

    kind: str
    commune_code: str = ""
    place: Place | None = None


@dataclass(frozen=True)
class Row:
    commune_code: str
    place: Place
    budget_code: str
    completed: int
    advance: int
    overdue: int = 0

    @property
    def total(self) -> int:
        return self.completed + self.advance


@dataclass(frozen=True)
class Document:
    commune_code: str
    budget_code: str
    posted_on: date
    document_no: str
    kind_vi: str
    amount: int


def write_statement(
    path: str | Path | IO[bytes],
    simulation: Simulation,
    period: Period,
    budget_year: int,
    codes: Sequence[str],
    plant: Sequence[Plant] = (),
) -> list[dict[str, Any]]:
    """Write the statement of the communes ``codes``; returns what was planted.

    Of each: kind, commune, place (node and capital kind), amount, and for a document its date and number. Raises
    UsageError for an unknown kind, a commune that is not among ``codes`` or has no money to plant something in.
    """
    month = budget_month(period, budget_year)
    as_of = simulation.as_of(budget_year, month)
    configuration = reference.in_force(simulation.province, as_of)
    rows = [row for code in codes for row in _rows(simulation, configuration, code, budget_year, month)]
    documents = [d for row in rows for d in _documents(simulation, row, budget_year, month, as_of)]
    planted = []
    for wanted in plant:
        planted.append(_plant(wanted, rows, documents, simulation.province, as_of))
        if wanted.kind == "date":
            as_of = date(as_of.year, as_of.month, 15)
    _write(path, simulation.province, configuration, as_of, budget_year, rows, documents)
    return planted


def _rows(
    simulation: Simulation, configuration: Configuration, commune: str, budget_year: int, month: int
) -> Iterator[Row]:
    """What the commune's lines come to under each budget code; codes that nothing was paid under have no row."""
    by_place = {place: code for (code, _), place in reversed(list(configuration.codes.items()))}
    sums: dict[Place, list[int]] = {}
    for key in simulation.lines(commune, budget_year, month):
        chain = (key.project_code, *simulation.province.ancestors(key.project_code))
        seat = next(((n, key.capital_kind) for n in chain if (n, key.capital_kind) in by_place), None)
        paid = simulation.paid(key, budget_year, month)
        if seat is not None and paid.total:
            amounts = sums.setdefault(seat, [0, 0])
            amounts[0] += paid.completed
            amounts[1] += paid.advance
    for place, (completed, advance) in sums.items():
        yield Row(commune, place, by_place[place], completed, advance)


def _documents(simulation: Simulation, row: Row, budget_year: int, month: int, as_of: date) -> Iterator[Document]:
    """One document of the month for what was paid in it, on a working day up to the as-of date."""
    keys = [
        key
        for key in simulation.lines(row.commune_code, budget_year, month)
        if key.capital_kind == row.place[1]
        and row.place[0] in (key.project_code, *simulation.province.ancestors(key.project_code))
    ]
    before = sum(simulation.paid(key, budget_year, month - 1).total for key in keys) if month > 1 else 0
    amount = row.total - before
    if not amount:
        return
    rng = random.Random(f"{simulation.seed}:treasury:{budget_year}:{month}:{row.commune_code}:{row.place}")
    day = as_of - timedelta(days=rng.randint(0, 20))
    while not simulation.province.is_working_day(day):
        day -= timedelta(days=1)
    kind = "Thanh toán" if amount > 0 else "Thu hồi"
    yield Document(row.commune_code, row.budget_code, day, f"{rng.randint(1, 999_999):07d}", kind, amount)


def _plant(
    wanted: Plant, rows: list[Row], documents: list[Document], province: Province, as_of: date
) -> dict[str, Any]:
    """Plants it into ``rows`` and ``documents``."""
    told: dict[str, Any] = {"kind": wanted.kind, "commune": wanted.commune_code}
    if wanted.kind not in KINDS:
        raise UsageError(f"Không có lỗi mẫu “{wanted.kind}”; các lỗi có thể chọn: {', '.join(KINDS)}.")
    if wanted.kind == "date":
        return told | {"as_of": show_date(date(as_of.year, as_of.month, 15))}
    own = [n for n, row in enumerate(rows) if row.commune_code == wanted.commune_code]
    if wanted.place:
        own = [n for n in own if rows[n].place == wanted.place]
    needed = "advance" if wanted.kind in ("overdue", "posting") else "total"
    own.sort(key=lambda n: getattr(rows[n], needed), reverse=True)
    if not own or getattr(rows[own[0]], needed) < 2:
        raise UsageError(f"Xã {wanted.commune_code} không có dòng nào để gài lỗi mẫu “{wanted.kind}”.")
    if wanted.kind == "unit":
        amount = sum(rows[n].total for n in own)
        rows[:] = [row for row in rows if row.commune_code != wanted.commune_code]
        documents[:] = [d for d in documents if d.commune_code != wanted.commune_code]
        return told | {"amount": amount}
    at, row = own[0], rows[own[0]]
    told |= {"place": list(row.place), "amount": row.total}
    if wanted.kind == "posting":
        late = row.advance // 2
        day = as_of + timedelta(days=1)
        while not province.is_working_day(day):
            day += timedelta(days=1)
        number = f"9{wanted.commune_code}{at % 10}"
        documents.append(Document(row.commune_code, row.budget_code, day, number, "Tạm ứng", late))
        rows[at] = replace(row, advance=row.advance - late)
        return told | {"amount": late, "posted_on": show_date(day), "document": number}
    if wanted.kind == "code":
        others = [n for n, other in enumerate(rows) if other.commune_code == row.commune_code and n != at]
        if not others:
            raise UsageError(f"Xã {wanted.commune_code} chỉ có một dòng, không gài được lỗi mẫu “code”.")
        moved = row.completed // 2 or row.completed
        other = rows[others[-1]]
        rows[at] = replace(row, completed=row.completed - moved)
        rows[others[-1]] = replace(other, completed=other.completed + moved)
        return told | {"amount": moved, "other": list(other.place)}
    if wanted.kind == "amount":
        rows[at] = replace(row, completed=row.completed + _WRONG_BY)
        return told | {"amount": -_WRONG_BY}
    if wanted.kind == "overdue":
        rows[at] = replace(row, overdue=row.advance // 3 or row.advance)
        return told | {"amount": rows[at].overdue}
    rows[at] = replace(row, budget_code=UNKNOWN_CODE)
    return told


def _write(
    path: str | Path | IO[bytes],
    province: Province,
    configuration: Configuration,
    as_of: date,
    budget_year: int,
    rows: Sequence[Row],
    documents: Sequence[Document],
) -> None:
    units = {commune: unit for unit, commune in reversed(list(configuration.units.items()))}
    book = xlsxwriter.Workbook(
        str(path) if isinstance(path, Path) else path,
        {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False},
    )
    book.set_properties({"title": "Sao kê vốn các Chương trình MTQG", "created": datetime.combine(as_of, time())})
    plain, bold = book.add_format({"num_format": "#,##0"}), book.add_format({"num_format": "#,##0", "bold": True})
    heading = book.add_format({"bold": True, "text_wrap": True, "border": 1, "align": "center", "valign": "vcenter"})
    dated = book.add_format({"num_format": "dd/mm/yyyy"})

    def sheet(name: str, title: str) -> Any:
        page = book.add_worksheet(name)
        page.write("A1", "KHO BẠC NHÀ NƯỚC")
        page.write("A3", title, bold)
        page.write("A4", f"Niên độ ngân sách: {budget_year}")
        page.write("A5", f"Số liệu đến ngày: {show_date(as_of)}")
        page.write("A6", "Đơn vị tính: đồng")
        page.set_column(1, 2, 22)
        page.set_column(3, 10, 18)
        return page

    def lead(number: int, commune: str, code: str) -> list[Any]:
        return [number, units[commune], f"UBND {province.communes[commune].name_vi}", code]

    page = sheet("SoDu", "SAO KÊ SỐ DƯ TẠM ỨNG VÀ LŨY KẾ THANH TOÁN VỐN CÁC CHƯƠNG TRÌNH MỤC TIÊU QUỐC GIA")
    for c, title in enumerate(_HEADERS):
        page.merge_range(6, c, 7, c, title, heading)
    page.merge_range(6, 4, 6, 7, "Lũy kế giải ngân từ đầu năm", heading)
    page.write_row(7, 4, _SUMS, heading)
    for c in range(8):
        page.write(8, c, f"({c + 1})", heading)
    for n, row in enumerate(rows):
        values = [*lead(n + 1, row.commune_code, row.budget_code), row.completed, row.advance, row.total, row.overdue]
        page.write_row(_FIRST_ROW + n, 0, values, plain)
    last = _FIRST_ROW + len(rows)
    page.write(last, 2, "Tổng cộng", bold)
    for c, name in enumerate(("completed", "advance", "total", "overdue"), 4):
        page.write(last, c, sum(getattr(row, name) for row in rows), bold)
    page.write(last + 2, 5, f"Lạng Sơn, {_day_vi(as_of + timedelta(days=3))}")
    page.write(last + 3, 1, "NGƯỜI LẬP BIỂU", bold)
    page.write(last + 3, 5, "KẾ TOÁN TRƯỞNG", bold)
    page = sheet("ChungTu", "LIỆT KÊ CHỨNG TỪ HẠCH TOÁN")
    page.write_row(7, 0, _POSTINGS, heading)
    for n, document in enumerate(_ordered(documents)):
        r = 8 + n
        page.write_row(r, 0, lead(n + 1, document.commune_code, document.budget_code), plain)
        page.write_datetime(r, 4, datetime.combine(document.posted_on, time()), dated)
        page.write_row(r, 5, [document.document_no, document.kind_vi, document.amount], plain)
    book.close()


def _ordered(documents: Iterable[Document]) -> list[Document]:
    return sorted(documents, key=lambda d: (d.posted_on, d.commune_code, d.budget_code, d.document_no))


def _day_vi(day: date) -> str:
    return f"ngày {day.day:02d} tháng {day.month:02d} năm {day.year}"
