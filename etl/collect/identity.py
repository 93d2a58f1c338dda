"""Who reports on which month: the header, the ``_meta`` sheet and the file name must agree (cases 19 and 45)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from functools import cache, lru_cache

from etl.collect import cells
from etl.collect.report import Issue
from etl.collect.sheet import Grid
from etl.collect.text import fold, fold_commune
from etl.errors import UsageError
from etl.period import Period
from etl.reference.province import Province

_FILE_NAME = re.compile(
    r"BC-MTQG[_ ](?P<commune>\d{4,5})[_ ](?P<period>\d{4}-\d{2})(?:[_ ]NS(?P<year>\d{4}))?(?:[_ ]v(?P<version>\d+))?",
    re.IGNORECASE,
)
_PERIOD = re.compile(r"ky bao cao\s*:?\s*thang\s*(\d{1,2})\s*(?:/|nam)\s*(\d{4})(?:.*?nam ngan sach\s*:?\s*(\d{4}))?")
_AS_OF = re.compile(r"(?:so lieu )?luy ke den(?: het)?(?: ngay)?\s*:?\s*(.+)")
_CODE = re.compile(r"ma don vi\s*:?\s*(\d{4,5})")
_UNIT = re.compile(r"don vi tinh\s*:?\s*(.+)")
_NAME = re.compile(r"^(?:ubnd|uy ban nhan dan)\b(.*)")


@dataclass
class Header:
    """What one sheet says above its table; each value with the cell that says it. ``None``: it does not say."""

    commune_code: tuple[str, str] | None = None
    commune_name: tuple[str, str] | None = None
    period: tuple[Period, str] | None = None
    budget_year: int | None = None
    as_of: tuple[date, str] | None = None
    unit: tuple[str, str] | None = None
    nothing_to_report: bool = False


@lru_cache(maxsize=4096)
def _matches(text: str) -> tuple[re.Match[str] | None, ...]:
    """Commune code, period, as-of date and unit in a folded text; most texts are the same in every workbook."""
    return _CODE.search(text), _PERIOD.search(text), _AS_OF.search(text), _UNIT.search(text)


def read_header(grid: Grid, header_row: int) -> Header:
    """The rows above the table's header (``header_row``, from 0)."""
    from etl.collect.formula import index_to_letters

    header = Header()
    for r in range(min(header_row, len(grid.rows))):
        line = grid.rows[r]
        for c, value in enumerate(line):
            if not isinstance(value, str) or not value.strip():
                continue
            where = f"{index_to_letters(c)}{r + 1}"
            folded, following = fold(value), None
            if folded.endswith(":"):
                following = next((v for v in line[c + 1 :] if not cells.is_blank(v)), "")  # type: ignore[arg-type]
            joined = fold(f"{value} {following}") if folded.endswith(":") else folded
            code, period, as_of, unit = _matches(joined)
            if match := code:
                header.commune_code = (match[1].zfill(5), where)
            if match := period:
                if 1 <= int(match[1]) <= 12:
                    header.period = (Period(int(match[2]), int(match[1])), where)
                    header.budget_year = int(match[3]) if match[3] else None
            elif match := as_of:
                typed = cells.day(following if folded.endswith(":") else match[1].strip())  # type: ignore[arg-type]
                if isinstance(typed, cells.Cell) and isinstance(typed.value, date):
                    header.as_of = (typed.value, where)
            elif match := unit:
                header.unit = (match[1].strip(), where)
            elif match := _NAME.match(folded):
                if header.commune_name is None and match[1].strip():
                    header.commune_name = (value.strip(), where)
            elif folded.startswith("khong phat sinh"):
                box = line[c + 1] if c + 1 < len(line) else None
                header.nothing_to_report = isinstance(box, str) and fold(box) in ("x", "v", "co", "✓", "☑")
    return header


@dataclass
class Identity:
    commune_code: str | None = None
    period: Period | None = None
    budget_year: int | None = None
    as_of: date | None = None
    version_no: int | None = None
    issues: list[Issue] = field(default_factory=list)


def settle(file_name: str, meta: dict[str, str], headers: dict[str, Header], province: Province) -> Identity:
    """Commune, period, budget year and as-of date, taken only when every place that names them agrees.

    Places: the file name, ``_meta``, and the header of each sheet. A place that says nothing does not disagree.
    """
    result = Identity()
    named = _FILE_NAME.search(file_name)
    result.version_no = int(named["version"]) if named and named["version"] else None
    first = next(iter(headers), None)
    _settle_commune(result, named, meta, headers, province, first)
    _settle_period(result, named, meta, headers, province, first)
    return result


def _settle_commune(
    result: Identity,
    named: re.Match[str] | None,
    meta: dict[str, str],
    headers: dict[str, Header],
    province: Province,
    first: str | None,
) -> None:
    said: list[tuple[str, str, str | None, str | None]] = []
    if named:
        said.append((named["commune"].zfill(5), "tên tệp", None, None))
    if meta.get("commune_code"):
        said.append((meta["commune_code"].zfill(5), "trang _meta", None, None))
    by_name = _codes_by_name(province)
    for sheet, header in headers.items():
        if header.commune_code:
            said.append((header.commune_code[0], f"trang {sheet}", sheet, header.commune_code[1]))
        if header.commune_name:
            code = by_name.get(fold_commune(header.commune_name[0]))
            if code is None:
                result.issues.append(Issue("M18", sheet, header.commune_name[1], {"value": header.commune_name[0]}))
            else:
                said.append((code, f"trang {sheet}", sheet, header.commune_name[1]))
    codes = {code for code, *_ in said}
    if not codes:
        result.issues.append(Issue("CK34", first, None, {"value": "", "expected": "mã đơn vị"}))
    elif len(codes) > 1:
        result.issues.append(_disagreement("M19", said, {c: _commune_label(c, province) for c in codes}))
    elif (code := codes.pop()) not in province.communes:
        *_, last_sheet, last_cell = said[-1]
        result.issues.append(Issue("M18", last_sheet, last_cell, {"value": code}))
    else:
        result.commune_code = code


@cache
def _codes_by_name(province: Province) -> dict[str, str]:
    return {fold_commune(c.name_vi): c.code for c in province.communes.values()}


def _commune_label(code: str, province: Province) -> str:
    commune = province.communes.get(code)
    return f"{commune.name_vi} ({code})" if commune else code


def _disagreement(rule: str, said: list[tuple[str, str, str | None, str | None]], labels: dict[str, str]) -> Issue:
    """Points at the odd one out in the sheets: the cell whose value fewest places share."""
    counts = {value: sum(v == value for v, *_ in said) for value, *_ in said}
    places = sorted((s for s in said if s[2]), key=lambda s: counts[s[0]])
    sheet, cell = (places[0][2], places[0][3]) if places else (None, None)
    listing = "; ".join(
        f"{labels[value]}: {', '.join(dict.fromkeys(where for v, where, *_ in said if v == value))}" for value in labels
    )
    return Issue(rule, sheet, cell, {"value": listing})


def _settle_period(
    result: Identity,
    named: re.Match[str] | None,
    meta: dict[str, str],
    headers: dict[str, Header],
    province: Province,
    first: str | None,
) -> None:
    said: list[tuple[str, str, str | None, str | None]] = []
    if named:
        said.append((named["period"], "tên tệp", None, None))
    if meta.get("period"):
        said.append((meta["period"], "trang _meta", None, None))
    said += [(str(h.period[0]), f"trang {sheet}", sheet, h.period[1]) for sheet, h in headers.items() if h.period]
    periods = {value for value, *_ in said}
    if not periods:
        result.issues.append(Issue("CK34", first, None, {"value": "", "expected": "kỳ báo cáo"}))
        return
    if len(periods) > 1:
        result.issues.append(_disagreement("M45", said, {p: p for p in sorted(periods)}))
        return
    try:
        period = Period.parse(periods.pop())
    except UsageError:
        result.issues.append(Issue("M45", first, None, {"value": said[0][0]}))
        return
    years = {h.budget_year for h in headers.values() if h.budget_year}
    years |= {int(meta["budget_year"])} if meta.get("budget_year", "").isdigit() else set()
    years |= {int(named["year"])} if named and named["year"] else set()
    year = years.pop() if len(years) == 1 else period.year if not years else None
    if year is None or (period, year) not in province.windows:
        sheet, cell = next(((s, h.period[1]) for s, h in headers.items() if h.period), (first, None))
        named_years = str(year) if year else "/".join(map(str, sorted(years)))
        values = {"value": f"{period}, năm ngân sách {named_years}"}
        result.issues.append(Issue("M45", sheet, cell, values))
        return
    result.period, result.budget_year = period, year
    _settle_as_of(result, headers, province)


def _settle_as_of(result: Identity, headers: dict[str, Header], province: Province) -> None:
    """Every sheet must state the calendar's cut-off date of the money (CK34, CK35)."""
    if result.period is None:
        return
    wanted = province.window(result.period, result.budget_year).as_of
    for sheet, header in headers.items():
        if header.as_of is None:
            result.issues.append(Issue("CK34", sheet, None, {"value": "", "expected": "ngày chốt số liệu lũy kế"}))
        elif header.as_of[0] != wanted:
            result.issues.append(
                Issue(
                    "CK35",
                    sheet,
                    header.as_of[1],
                    {"value": header.as_of[0].strftime("%d/%m/%Y"), "expected": wanted.strftime("%d/%m/%Y")},
                )
            )
    result.as_of = wanted
