"""Who reports on which month: every place that says so must agree (cases 19 and 45).

Places: the file name, the drop folder or the sender, ``_meta`` and the header of each sheet. A place that says
nothing does not disagree.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any

from etl.collect import cells, commune_names
from etl.collect.formula import index_to_letters
from etl.collect.grid import Grid
from etl.collect.report import Issue
from etl.collect.text import clean, fold
from etl.errors import UsageError
from etl.period import Period
from etl.reference.province import Province

_FILE_NAME = re.compile(
    r"BC-MTQG[_ ](?P<commune>\d{4,5})[_ ](?P<period>\d{4}-\d{2})(?:[_ ]NS(?P<year>\d{4}))?(?:[_ ]v(?P<version>\d+))?",
    re.IGNORECASE,
)
_LOOSE_PERIOD = re.compile(
    r"(?<!\d)(?P<year>20\d\d)[-_. ]?(?P<month>0[1-9]|1[0-2])(?!\d|[-_.](?:0[1-9]|[12]\d|3[01])(?!\d))"
    r"|(?:thang|\bt)[ ._-]*(?P<month_2>\d{1,2})[ ._/-]+(?:nam[ ._-]*)?(?P<year_2>20\d\d)(?!\d)"
)
_LOOSE_MONTH = re.compile(r"(?<!\d)(?<!\d )(?<!\d[-_.])thang[ ._-]*(0?[1-9]|1[0-2])(?![\d/])")
"""A month without its year; one behind a day is part of a date."""
_LOOSE_CODE = re.compile(r"(?<!\d)(\d{5})(?!\d)")
_LOOSE_VERSION = re.compile(r"\blan[ ._-]*(\d{1,2})(?!\d)")
_PERIOD = re.compile(
    r"(?:ky (?:bao cao|bc)|thang(?: bao cao)?)\s*:?\s*(?:thang|t)?\s*(\d{1,2})\s*(?:[/.-]|,?\s*nam\b)\s*(\d{4})"
    r"(?:.*?nam ngan sach\s*:?\s*(\d{4}))?"
)
_DAY = r"\d{1,2}\s*(?:[/.-]|thang)\s*\d{1,2}\s*(?:[/.-]|nam)\s*(?:\d{4}|\d{2})(?!\d)"
_SIGNED_ON = re.compile(rf"(?:ngay\s*)?{_DAY}|ngay[\s.…_]*thang[\s.…_]*\d{{1,2}}\s*nam\s*\d{{4}}")
"""A whole date: the month in it is no period."""
_AS_OF_LABEL = (
    r"(?:(?:so lieu )?(?:luy ke|tinh)|so lieu)(?: tu dau nam)?(?: tinh)? den(?: het)?(?: ngay)?"
    r"|(?:thoi diem|ngay) chot(?: so lieu)?"
)
_AS_OF = re.compile(rf"(?:{_AS_OF_LABEL})(?: ngay)?\s*:?\s*({_DAY}|$)")
_CODE = re.compile(r"ma (?:so )?(?:don vi(?: hanh chinh)?|xa|phuong|dvhc)\s*:?\s*(\d{4,5})\b")
_LABEL = re.compile(
    rf".*:|(?:{_AS_OF_LABEL})|ky bao cao|thang bao cao|ma (?:so )?(?:don vi|xa|phuong)|don vi tinh|dvt|don vi bao cao"
    r"|ten don vi"
)
"""A cell that only says what stands in the next one."""
_UNIT = re.compile(r"(?:don vi tinh|dvt)\s*:?\s*(.+)|^\(?don vi\s*:\s*(.*(?:dong|vnd|trd|tr\.?d).*)$")
_NAME = re.compile(
    r"^(?:(?:hdnd|hoi dong nhan dan)(?: ?[-,&] ?| va ))?(?:ubnd|u\.b\.n\.d\.?|uy ban nhan dan)(?!\w)(.*)"
)
_OFFICE = re.compile(
    r"^(?:dang uy|ban chi dao|bcd|ban quan ly|phong|van phong|trung tam|hdnd|hoi dong nhan dan)\b.*?"
    r"\b((?:xa|phuong) [a-z ]{2,40})$"
)
"""Another office of a commune: *Phòng Kinh tế xã …*, *Ban Chỉ đạo các CTMTQG xã …*."""
_LABELLED = re.compile(r"^(?:xa|phuong)\s*:\s*(.+)")
_REPORTER = re.compile(r"^(?:don vi bao cao|ten don vi|don vi)\s*:\s*(?!tinh)(.+)")
_BARE_NAME = re.compile(r"^(?:xa|phuong|thi tran) [a-z ]{2,40}$")
_FOLDER = "thư mục nhận"
_TICKED = re.compile(r"khong phat sinh[^:]*:\s*(?:x|v|co|✓|✔|☑|\[x\]|\(x\))(?:\s|$)")
_TICKS = ("x", "v", "co", "✓", "✔", "☑", "[x]", "(x)")


@dataclass(frozen=True)
class Origin:
    """What the way of a file says of its sender: the drop folder, or the address that sent it."""

    commune_code: str | None = None
    period: str | None = None
    sender_commune: str | None = None


NOWHERE = Origin()
"""A file that came without a word about its sender."""


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
    districts: frozenset[str] = frozenset()
    offices: list[tuple[str, str]] = field(default_factory=list)
    """Communes after which other offices are called: worth a look where nothing else names the commune."""


@lru_cache(maxsize=4096)
def _matches(text: str) -> tuple[re.Match[str] | None, ...]:
    """Commune code, period, as-of date and unit in a folded text; most texts are the same in every workbook."""
    undated = _SIGNED_ON.sub("", text) if "thang" in text else text
    return _CODE.search(text), _PERIOD.search(undated), _AS_OF.search(text), _UNIT.search(text)


def read_header(grid: Grid, header_row: int) -> Header:
    """The rows above the table's header (``header_row``, from 0)."""
    header = Header()
    above: list[str] = []
    bare: tuple[str, str] | None = None
    district: tuple[str, str] | None = None
    for r in range(min(header_row, len(grid.rows))):
        line = grid.rows[r]
        for c, value in enumerate(line):
            if not isinstance(value, str) or not value.strip():
                continue
            where = f"{index_to_letters(c)}{r + 1}"
            folded, following = fold(value), None
            if _LABEL.fullmatch(folded):
                beside: list[Any] = line[c + 1 :]
                following = next((v for v in beside if not cells.is_blank(v)), "")
                if isinstance(following, float) and following.is_integer():
                    following = int(following)
            joined = folded if following is None else fold(f"{value} {_beside(following, folded)}")
            code, period, as_of, unit = _matches(joined)
            if folded.startswith("khong phat sinh"):
                box = next((v for v in line[c + 1 : c + 4] if isinstance(v, str) and v.strip()), "")
                header.nothing_to_report = fold(box) in _TICKS or bool(_TICKED.match(folded))
            if match := code:
                header.commune_code = (match[1].zfill(5), where)
            if match := as_of:
                typed = cells.day(match[1] or following)
                if isinstance(typed, cells.Cell) and isinstance(typed.value, date):
                    header.as_of = (typed.value, where)
            months = range(1, 13) if header.period is None or "ky bao cao" in joined else ()
            if (match := period) and int(match[1]) in months:
                header.period = (Period(int(match[2]), int(match[1])), where)
                header.budget_year = int(match[3]) if match[3] else header.budget_year
            if match := unit:
                header.unit = (clean(f"{value} {following}" if following else value), where)
            if period or as_of or unit:
                continue
            if match := _NAME.match(folded):
                above.append(value)
                if match[1].strip() and all(map(commune_names.is_above_commune, value.splitlines())):
                    district = district or ((value.strip(), where) if commune_names.districts_in([value]) else None)
                elif header.commune_name is None and match[1].strip():
                    header.commune_name = (value.strip(), where)
            elif match := _REPORTER.match(joined):
                if header.commune_name is None:
                    header.commune_name = (match[1], where)
            elif _BARE_NAME.match(folded) and bare is None:
                bare = (value.strip(), where)
            elif match := _OFFICE.match(folded) or _LABELLED.match(joined):
                header.offices.append((match[1], where))
            elif folded.startswith(("huyen ", "thanh pho ", "thi xa ")):
                above.append(value)
    header.commune_name = header.commune_name or bare or district
    header.districts = commune_names.districts_in(above)
    return header


def _beside(value: Any, label: str) -> str:
    """What stands beside a label, as a text behind it; the period may be a real date of which the month counts."""
    if isinstance(value, int) and _AS_OF.search(label):
        day = cells.day(value)
        value = day.value if isinstance(day, cells.Cell) else value
    if isinstance(value, date):
        return f"{value:%m/%Y}" if "ky bao cao" in label or "thang" in label else f"{value:%d/%m/%Y}"
    return str(value)


@dataclass
class Identity:
    commune_code: str | None = None
    period: Period | None = None
    budget_year: int | None = None
    as_of: date | None = None
    version_no: int | None = None
    issues: list[Issue] = field(default_factory=list)


@dataclass(frozen=True)
class _Claim:
    """``value`` as the place says it; ``sheet`` and ``cell`` where it is one in a sheet."""

    value: str
    place: str
    sheet: str | None = None
    cell: str | None = None


@dataclass(frozen=True)
class _Named:
    """What a file name says."""

    commune: str | None = None
    period: str | None = None
    year: int | None = None
    version: int | None = None
    month: int | None = None
    """Where the name says a month and no year."""


def settle(
    file_name: str, meta: Mapping[str, str], headers: Mapping[str, Header], province: Province, origin: Origin
) -> Identity:
    """Commune, period, budget year and as-of date, taken only when every place that names them agrees."""
    result = Identity()
    named = _from_file_name(file_name, province)
    result.version_no = named.version
    _settle_commune(result, named, meta, headers, province, origin)
    _settle_period(result, named, meta, headers, province, origin)
    _require_unit_of_the_day(result, headers, province)
    return result


@lru_cache(maxsize=4096)
def _from_file_name(file_name: str, province: Province) -> _Named:
    """The official name says all; another one what it spells out beyond doubt."""
    official = _FILE_NAME.search(file_name)
    folded = fold(file_name)
    loose_version = _LOOSE_VERSION.search(re.sub(r"[_-]+", " ", folded))
    version = int(loose_version[1]) if loose_version else None
    if official:
        return _Named(
            official["commune"].zfill(5),
            official["period"],
            int(official["year"]) if official["year"] else None,
            int(official["version"]) if official["version"] else version,
        )
    codes = {code for code in _LOOSE_CODE.findall(folded) if code in province.communes}
    commune = codes.pop() if len(codes) == 1 else commune_names.mentioned(file_name, province)
    periods = {
        f"{m['year'] or m['year_2']}-{int(m['month'] or m['month_2']):02d}" for m in _LOOSE_PERIOD.finditer(folded)
    }
    months = {int(month) for month in _LOOSE_MONTH.findall(folded)} if not periods else set()
    return _Named(
        commune,
        periods.pop() if len(periods) == 1 else None,
        None,
        version,
        months.pop() if len(months) == 1 else None,
    )


def _agreed(rule: str, claims: Sequence[_Claim], label: Callable[[str], str], issues: list[Issue]) -> str | None:
    """The value that all places give; None when they give none, and an issue when they give several."""
    values = list(dict.fromkeys(claim.value for claim in claims))
    if len(values) > 1:
        issues.append(_disagreement(rule, claims, {v: label(v) for v in values}))
    return values[0] if len(values) == 1 else None


def _disagreement(rule: str, claims: Sequence[_Claim], labels: Mapping[str, str]) -> Issue:
    """Points at the odd one out where it stands in a sheet: the value that fewest kinds of place share.

    All sheets together are one kind of place: they were copied together.
    """

    def weight(value: str) -> tuple[int, int]:
        own = [c for c in claims if c.value == value]
        return len({c.place if c.sheet is None else "" for c in own}), len(own)

    rarest = min(labels, key=weight)
    odd = next((c for c in claims if c.value == rarest and c.sheet), _Claim("", ""))
    listing = "; ".join(
        f"{labels[value]}: {', '.join(dict.fromkeys(c.place for c in claims if c.value == value))}" for value in labels
    )
    return Issue(rule, odd.sheet, odd.cell, {"value": listing})


def _settle_commune(
    result: Identity,
    named: _Named,
    meta: Mapping[str, str],
    headers: Mapping[str, Header],
    province: Province,
    origin: Origin,
) -> None:
    claims: list[_Claim] = []
    if named.commune:
        claims.append(_Claim(named.commune, "tên tệp"))
    if origin.commune_code:
        claims.append(_Claim(origin.commune_code, _FOLDER))
    if origin.sender_commune:
        claims.append(_Claim(origin.sender_commune, "địa chỉ gửi"))
    if meta.get("commune_code"):
        claims.append(_Claim(meta["commune_code"].zfill(5), "trang _meta"))
    mapped: list[Issue] = []
    for sheet, header in headers.items():
        if header.commune_code:
            claims.append(_Claim(header.commune_code[0], f"trang {sheet}", sheet, header.commune_code[1]))
        if header.commune_name is None:
            offices = [o for o in header.offices if commune_names.match(o[0], province).kind == "present"]
            header.commune_name = next(iter(offices), None)
        if header.commune_name:
            name, cell = header.commune_name
            found = commune_names.match(name, province, header.districts)
            if found.kind in ("present", "former"):
                claims.append(_Claim(found.codes[0], f"trang {sheet}", sheet, cell))
            if found.kind == "former":
                label = _commune_label(found.codes[0], province)
                mapped.append(Issue("M18-former", sheet, cell, {"value": name, "expected": label}))
            elif found.kind == "ambiguous":
                labels = ", ".join(_commune_label(c, province) for c in found.codes)
                result.issues.append(Issue("M18-ambiguous", sheet, cell, {"value": name, "expected": labels}))
            elif found.kind == "unknown":
                result.issues.append(Issue("M18", sheet, cell, {"value": name}))
        elif not header.commune_code:
            result.issues.append(Issue("CK34", sheet, None, {"value": "", "expected": "tên hoặc mã đơn vị"}))
    code = _agreed("M19", claims, lambda c: _commune_label(c, province), result.issues)
    if code is not None and code not in province.communes:
        last = next((c for c in reversed(claims) if c.sheet), _Claim("", ""))
        result.issues.append(Issue("M18", last.sheet, last.cell, {"value": code}))
    elif code is not None:
        result.commune_code = code
        result.issues += mapped


def _require_unit_of_the_day(result: Identity, headers: Mapping[str, Header], province: Province) -> None:
    """A code is a unit only together with a time: one that was merged away, or begins later, has no report."""
    code, day = result.commune_code, result.as_of
    if code is None or day is None or code in province.communes_on(day):
        return
    value = f"{_commune_label(code, province)}, ngày {day:%d/%m/%Y}"
    result.issues.append(Issue("M18", next(iter(headers), None), None, {"value": value}))
    result.commune_code = None


def _commune_label(code: str, province: Province) -> str:
    commune = province.communes.get(code)
    return f"{commune.name_vi} ({code})" if commune else code


def _settle_period(
    result: Identity,
    named: _Named,
    meta: Mapping[str, str],
    headers: Mapping[str, Header],
    province: Province,
    origin: Origin,
) -> None:
    claims = [
        _Claim(value, place)
        for value, place in (
            (named.period, "tên tệp"),
            (origin.period, _FOLDER),
            (meta.get("period"), "trang _meta"),
        )
        if value
    ]
    claims += [_Claim(str(h.period[0]), f"trang {s}", s, h.period[1]) for s, h in headers.items() if h.period]
    if named.month and claims and not any(claim.value[5:] == f"{named.month:02d}" for claim in claims):
        claims.insert(0, _Claim(f"{claims[0].value[:4]}-{named.month:02d}", "tên tệp"))
    first = next(iter(headers), None)
    for sheet, header in headers.items():
        if header.period is None:
            result.issues.append(Issue("CK34", sheet, None, {"value": "", "expected": "kỳ báo cáo"}))
    text = _agreed("M45", claims, _period_label, result.issues)
    if text is None:
        return
    try:
        period = Period.parse(text)
    except UsageError:
        result.issues.append(Issue("M45", first, None, {"value": text}))
        return
    years = {h.budget_year for h in headers.values() if h.budget_year}
    years |= {int(meta["budget_year"])} if meta.get("budget_year", "").isdigit() else set()
    years |= {named.year} if named.year else set()
    year = years.pop() if len(years) == 1 else period.year if not years else None
    if year is None or (period, year) not in province.windows:
        named_years = str(year) if year else "/".join(map(str, sorted(years)))
        values = {"value": f"{period}, năm ngân sách {named_years}"}
        said = next(((s, h.period[1]) for s, h in headers.items() if h.period), None)
        result.issues.append(Issue("M45", said[0] if said else first, said[1] if said else None, values))
        return
    result.period, result.budget_year = period, year
    _settle_as_of(result, headers, province)


def _period_label(text: str) -> str:
    year, _, month = text.partition("-")
    return f"tháng {int(month)}/{year}" if month.isdigit() else text


def _settle_as_of(result: Identity, headers: Mapping[str, Header], province: Province) -> None:
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
