"""Known defects for sample workbooks: name -> what is spoiled and what a checker must find.

One per check CK01 to CK14 that looks at the report alone, and the usual accidents of files and layouts. Each
defect breaks one rule and leaves the rest of the workbook coherent. Rules ``M…`` are the cases of DOMAIN.md
section 5.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from etl import money
from etl.collect.workbook import WorkbookContent
from etl.errors import UsageError
from etl.reference.forms import FormVersion
from etl.reference.province import Commune
from etl.sample.budget import MILLION
from etl.sample.spoiling import (
    CellXml,
    Expected,
    Spoiled,
    amount,
    busiest_line,
    central_plan,
    error_cell,
    number_cell,
    paid,
    paid_line,
    ref,
    room,
    sound_line,
    text_cell,
    uncalculated_cell,
    with_line,
)

Mutation = Callable[[WorkbookContent, FormVersion], Spoiled]
# Taken from another workbook: without the value that it gave, nobody but its author can tell the amount.
_LOOKUP = "VLOOKUP(C13,'Sổ theo dõi'!$A$1:$F$99,6,0)"
_OLE_HEADER = bytes.fromhex("d0cf11e0a1b11ae1")


def spoil(name: str, content: WorkbookContent, layout: FormVersion) -> Spoiled:
    """The report with that defect; UsageError for a name that is not registered."""
    return DEFECTS[name](content, layout)


def names(wanted: tuple[str, ...]) -> tuple[str, ...]:
    """The defects asked for, ``all`` being every one; UsageError names those that do not exist."""
    if "all" in wanted:
        return tuple(DEFECTS)
    unknown = [n for n in wanted if n not in DEFECTS]
    if unknown:
        raise UsageError(f"Không có lỗi mẫu tên {', '.join(unknown)}. Các tên dùng được: {', '.join(DEFECTS)}, all.")
    return wanted


def _at(content: WorkbookContent, layout: FormVersion, rule: str, severity: str, code: str, key: str) -> Spoiled:
    """The spoiled content with one finding in Biểu 01, at column ``key`` of the line ``code``."""
    return Spoiled(content, layout, (Expected(rule, severity, *ref(content, layout, "B01", code, key)),))


def _over_plan(content: WorkbookContent, layout: FormVersion) -> Spoiled:
    """More central money than planned, though the line's total stays within its plan."""
    content, line = sound_line(content)
    nstw = central_plan(line) + room(line) // 2
    total = nstw + amount(line.values, "disb_nsdp")
    completed = total - amount(line.values, "disb_advance")
    forecast = central_plan(line) + room(line) + amount(line.values, "disb_nsdp")
    content = with_line(
        content, line, disb_nstw=nstw, disb_completed=completed, accepted_volume=completed, forecast=forecast
    )
    return _at(content, layout, "CK01", "error", line.line_code, "disb_nstw")


def _wrong_plan_sum(content: WorkbookContent, layout: FormVersion) -> Spoiled:
    content, line = sound_line(content)
    total = central_plan(line) + room(line) + amount(line.values, "disb_nsdp")
    content = with_line(content, line, plan_total=total + 5 * MILLION)
    return _at(content, layout, "CK02", "error", line.line_code, "plan_total")


def _wrong_split(content: WorkbookContent, layout: FormVersion) -> Spoiled:
    content, line = sound_line(content)
    content = with_line(content, line, disb_advance=amount(line.values, "disb_advance") + MILLION)
    return _at(content, layout, "CK03", "error", line.line_code, "disb_completed")


def _wrong_total(content: WorkbookContent, layout: FormVersion) -> Spoiled:
    where = ref(content, layout, "B01", "", "accepted_volume")
    total = sum(amount(line.values, "accepted_volume") for line in content.lines) + 10 * MILLION
    cell = number_cell(f"{money.vnd_to_trieu(total):f}")
    return Spoiled(content, layout, (Expected("CK04", "error", *where),), {where: cell})


def _wrong_rate(content: WorkbookContent, layout: FormVersion) -> Spoiled:
    line = busiest_line(content)
    content = with_line(content, line, disb_rate=Decimal("7.77"))
    return _at(content, layout, "CK05", "warning", line.line_code, "disb_rate")


def _no_plan(content: WorkbookContent, layout: FormVersion) -> Spoiled:
    """Money on a line without a plan; one without outputs, which would be judged against that money, too."""
    with_outputs = frozenset(str(r["project_code"]) for r in content.indicators)
    content, line = sound_line(content, avoid=with_outputs)
    no_plan = dict.fromkeys(("plan_nstw", "plan_nst", "plan_nsx", "carry_nstw", "carry_nsdp"), 0)
    content = with_line(content, line, **no_plan, disb_carry=0, forecast=None)
    return _at(content, layout, "CK06", "error", line.line_code, "disb_ytd")


def _volume_under_payment(content: WorkbookContent, layout: FormVersion) -> Spoiled:
    content, line = sound_line(content)
    volume = amount(line.values, "disb_completed") - MILLION
    content = with_line(content, line, accepted_volume=volume)
    return _at(content, layout, "CK07", "warning", line.line_code, "disb_completed")


def _carry_over_plan(content: WorkbookContent, layout: FormVersion) -> Spoiled:
    content, line = sound_line(content)
    carry = amount(line.values, "carry_nstw", "carry_nsdp") + MILLION
    content = with_line(content, line, disb_carry=carry)
    return _at(content, layout, "CK08", "error", line.line_code, "disb_carry")


def _negative(content: WorkbookContent, layout: FormVersion) -> Spoiled:
    content, line = sound_line(content)
    completed = paid(line) + MILLION
    volume = max(amount(line.values, "accepted_volume"), completed)
    content = with_line(content, line, disb_advance=-MILLION, disb_completed=completed, accepted_volume=volume)
    return _at(content, layout, "CK09", "error", line.line_code, "disb_advance")


def _recode(content: WorkbookContent, layout: FormVersion, code: str, new_code: str) -> Spoiled:
    """One line's code typed over, its name and figures left alone."""
    where = ref(content, layout, "B01", code, "line_code")
    return Spoiled(content, layout, (Expected("CK10", "error", *where),), {where: text_cell(new_code)})


def _credit_kind(content: WorkbookContent, layout: FormVersion) -> Spoiled:
    """Policy credit (TD) as a line: it is no capital kind of Biểu 01."""
    line = content.lines[-1]
    return _recode(content, layout, line.line_code, f"{line.project_code}-TD")


def _unknown_code(content: WorkbookContent, layout: FormVersion) -> Spoiled:
    line = content.lines[-1]
    return _recode(content, layout, line.line_code, f"GNBV-DA99-{line.capital_kind}")


def _duplicate_code(content: WorkbookContent, layout: FormVersion) -> Spoiled:
    return _recode(content, layout, content.lines[-1].line_code, content.lines[0].line_code)


def _wrong_magnitude(content: WorkbookContent, layout: FormVersion) -> Spoiled:
    """An amount typed in nghìn đồng where the form wants triệu đồng."""
    content, line = sound_line(content)
    content = with_line(content, line, accepted_volume=amount(line.values, "accepted_volume") * 1000)
    return _at(content, layout, "CK11", "error", line.line_code, "accepted_volume")


def _output_without_money(content: WorkbookContent, layout: FormVersion) -> Spoiled:
    """A result reported on a project that has paid nothing."""
    if not content.indicators:
        raise UsageError(f"Kỳ {content.period} chưa có chỉ tiêu đầu ra; không tạo được lỗi mẫu CK12.")
    row = content.indicators[0]
    idle = [r for r in content.indicators if not _paid_on(content, str(r["project_code"]))]
    if idle:
        row = idle[0]
    project, code = str(row["project_code"]), str(row["indicator_code"])
    for line in [x for x in content.lines if x.project_code == project]:
        nothing = dict.fromkeys(("disb_nstw", "disb_nsdp", "disb_completed", "disb_advance", "disb_carry"), 0)
        reason = line.values.get("note") or "Chưa giải ngân do đang hoàn thiện hồ sơ thanh toán"
        content = with_line(content, line, **nothing, accepted_volume=0, note=reason)
    done = Decimal(1)
    indicators = tuple(
        {
            **r,
            "actual_ytd": done if r["indicator_code"] == code else Decimal(0),
            "actual_phase": r["target_phase"],
        }
        if r["project_code"] == project
        else r
        for r in content.indicators
    )
    affected = {line.line_code for line in content.lines if line.project_code == project}
    affected |= {str(r["indicator_code"]) for r in indicators if r["project_code"] == project}
    previous = {k: v for k, v in content.previous.items() if k not in affected}
    content = replace(content, indicators=indicators, previous=previous)
    return Spoiled(content, layout, (Expected("CK12", "warning", *ref(content, layout, "B02", code, "actual_ytd")),))


def _paid_on(content: WorkbookContent, project_code: str) -> int:
    return sum(paid(line) for line in content.lines if line.project_code == project_code)


def _forecast_under_paid(content: WorkbookContent, layout: FormVersion) -> Spoiled:
    content, line = paid_line(content)
    content = with_line(content, line, forecast=paid(line) // 2)
    return _at(content, layout, "CK13", "warning", line.line_code, "forecast")


def _missing_note(content: WorkbookContent, layout: FormVersion) -> Spoiled:
    """A line that must explain itself and does not: a low rate late in the year, or money paid back."""
    slow = [x for x in content.lines if str(x.values.get("note")).startswith(("Giải ngân thấp", "Chưa giải ngân"))]
    if slow:
        line = slow[0]
        content = with_line(content, line, note=None)
    else:
        content, line = sound_line(content)
        before = {**content.previous.get(line.line_code, {}), "disb_ytd": paid(line) + MILLION}
        content = replace(content, previous={**content.previous, line.line_code: before})
    return _at(content, layout, "CK14", "warning", line.line_code, "note")


def _spoil_advance(content: WorkbookContent, layout: FormVersion, rule: str, cell: CellXml) -> Spoiled:
    """Something unreadable in a cell that held 0, so that no sum is wrong because of it."""
    content, line = sound_line(content)
    content = with_line(
        content,
        line,
        disb_advance=0,
        disb_completed=paid(line),
        accepted_volume=max(paid(line), amount(line.values, "accepted_volume")),
    )
    where = ref(content, layout, "B01", line.line_code, "disb_advance")
    return Spoiled(content, layout, (Expected(rule, "error", *where),), {where: cell})


def _missing_sheet(content: WorkbookContent, layout: FormVersion) -> Spoiled:
    gone = layout.sheet("B02")
    rest = replace(layout, sheets=tuple(s for s in layout.sheets if s is not gone))
    return Spoiled(content, rest, (Expected("CK34", "error", gone.name),))


def _renamed_header(content: WorkbookContent, layout: FormVersion) -> Spoiled:
    sheet = layout.sheet("B01")
    column = sheet.column("disb_nstw")
    renamed = replace(column, header_2="Đã chi trong năm")
    columns = tuple(renamed if c is column else c for c in sheet.columns)
    spoiled = tuple(replace(s, columns=columns) if s is sheet else s for s in layout.sheets)
    found = Expected("M31", "error", sheet.name, f"{column.letter}9")
    return Spoiled(content, replace(layout, sheets=spoiled), (found,))


def _wrong_commune(content: WorkbookContent, layout: FormVersion) -> Spoiled:
    """A neighbour's workbook, filled in without changing the unit."""
    other = Commune("05977", "Phường Đông Kinh", "Đông Kinh", "phường", ("Thành phố Lạng Sơn",))
    if content.commune.code == other.code:
        other = Commune("06517", "Xã Quan Sơn", "Quan Sơn", "xã", ("Huyện Chi Lăng",))
    return Spoiled(replace(content, commune=other), layout, (Expected("M19", "error"),))


def _wrong_period(content: WorkbookContent, layout: FormVersion) -> Spoiled:
    """Last month's workbook, sent under this month's name."""
    before = content.period.previous
    content = replace(content, period=before, as_of=before.last_day)
    return Spoiled(content, layout, (Expected("M45", "error"),))


def _whole(rule: str, change: Callable[[bytes], bytes]) -> Mutation:
    def spoiled(content: WorkbookContent, layout: FormVersion) -> Spoiled:
        return Spoiled(content, layout, (Expected(rule, "error"),), whole=change, refused=True)

    return spoiled


def _encrypted(data: bytes) -> bytes:
    """What a password makes of a workbook: an OLE container that holds an encrypted package."""
    directory = "EncryptedPackage".encode("utf-16-le")
    return (_OLE_HEADER + bytes(504) + directory).ljust(max(len(data), 4096), b"\0")


DEFECTS: dict[str, Mutation] = {
    "ck01-over-plan": _over_plan,
    "ck02-plan-sum": _wrong_plan_sum,
    "ck03-split": _wrong_split,
    "ck04-total": _wrong_total,
    "ck05-rate": _wrong_rate,
    "ck06-no-plan": _no_plan,
    "ck07-volume-under-payment": _volume_under_payment,
    "ck08-carry-over-plan": _carry_over_plan,
    "ck09-negative": _negative,
    "ck10-credit-kind": _credit_kind,
    "ck11-magnitude": _wrong_magnitude,
    "ck12-output-without-money": _output_without_money,
    "ck13-forecast": _forecast_under_paid,
    "ck14-missing-note": _missing_note,
    "not-a-workbook": _whole("M39", lambda _: "Báo cáo gửi kèm, đề nghị xem bản giấy.\n".encode()),
    "encrypted": _whole("M40", _encrypted),
    "truncated": _whole("M39", lambda data: data[: len(data) // 2]),
    "missing-sheet": _missing_sheet,
    "renamed-header": _renamed_header,
    "wrong-commune-inside": _wrong_commune,
    "wrong-period-inside": _wrong_period,
    "text-in-number": lambda c, f: _spoil_advance(c, f, "M08", text_cell("không")),
    "error-value": lambda c, f: _spoil_advance(c, f, "M36", error_cell("#REF!")),
    "formula-without-value": lambda c, f: _spoil_advance(c, f, "M35", uncalculated_cell(_LOOKUP)),
    "unknown-code": _unknown_code,
    "duplicate-code": _duplicate_code,
}
