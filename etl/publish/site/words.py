"""What a figure is called, what it is worth and how it comes about, in Vietnamese words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache

from etl import money
from etl.publish import sources_writer, text, trace
from etl.publish.figure import Figure, FigureSet
from etl.reference import forms

DIMS = {
    "programme": "Chương trình", "project": "Dự án", "subproject": "Tiểu dự án", "capital_kind": "Loại vốn",
    "commune": "Xã, phường", "source": "Nguồn vốn", "agency": "Cơ quan", "task": "Nhiệm vụ", "indicator": "Chỉ tiêu",
    "proposal": "Kiến nghị", "directive": "Văn bản", "state": "Tình trạng", "rank": "Thứ hạng", "period": "Kỳ",
    "rule": "Quy tắc", "item": "Mục",
}  # fmt: skip
UNITS = {
    "vnd": "triệu đồng", "pct": "%", "pct_points": "điểm %", "count": "số đếm", "days": "ngày",
    "quantity": "theo đơn vị tính của chỉ tiêu", "text": "chữ", "date": "ngày",
}  # fmt: skip
CAUSES = {
    "new_report": "báo cáo mới", "resubmission": "xã, phường gửi lại",
    "late_revision": "bản gửi sau khi công bố, được chấp nhận", "admitted": "chấp nhận dù còn lỗi",
    "withdrawn": "báo cáo được rút", "revision_rejected": "không chấp nhận bản điều chỉnh",
    "allocation": "quyết định giao vốn", "reference": "đính chính danh mục",
}  # fmt: skip
SEVERITIES = {"error": "Lỗi", "warning": "Cảnh báo", "info": "Lưu ý"}
_SOURCES = {"NSTW": "Ngân sách trung ương", "NSDP": "Ngân sách địa phương"}
_NAMED = ("programme", "project", "subproject", "capital_kind", "commune", "indicator")
_ALONE = ("programme", "project", "subproject", "capital_kind", "commune", "source", "agency", "state", "indicator")
"""Dimensions whose value says by itself what it is."""


def metric(name: str) -> str:
    """``Tỷ lệ giải ngân …``; of a column of a form its title; the name itself where nobody has given it words yet."""
    return sources_writer.metrics().get(name, {}).get("name") or _column(name)


def metric_order(name: str) -> tuple[int, str]:
    """In the order of ``metrics.yml``, which is that of a reader; what stands nowhere comes last."""
    known = list(sources_writer.metrics())
    return (known.index(name) if name in known else len(known), name)


@dataclass(frozen=True)
class Names:
    """Names of the places of one release by dimension and code."""

    of: Mapping[str, Mapping[str, str]]
    _known: dict[tuple[str, str], str] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def load(cls, figures: FigureSet) -> Names:
        return cls({name: {f.dims[0][1]: text.clean(f.text) for f in figures.having("name", name)} for name in _NAMED})

    def place(self, figure: Figure) -> str:
        """``Xã Chi Lăng; vốn đầu tư``: the dimensions in words; empty for a figure of the whole province."""
        return "; ".join(self._said(name, value) for name, value in reversed(figure.dims))

    def _said(self, name: str, value: str) -> str:
        if (name, value) not in self._known:
            self._known[name, value] = self._in_words(name, value)
        return self._known[name, value]

    def _in_words(self, name: str, value: str) -> str:
        if name == "period":
            year, _, month = value.partition("-")
            return f"tháng {int(month)}/{year}" if month.isdigit() else value
        said = text.clean((_SOURCES if name == "source" else self.of.get(name, {})).get(value, value))
        return said if name in _ALONE else f"{DIMS.get(name, name)} {said}"

    def commune(self, code: str | None) -> str:
        return self.of["commune"].get(code or "", code or "")


def value(figure: Figure | None, indicator_unit: str = "") -> str:
    """The whole value in Vietnamese notation with its unit: nothing is rounded away here."""
    if figure is None or (figure.value is None and not figure.text):
        return text.NOTHING
    if figure.unit == "date":
        return text.show(figure).text
    if figure.value is None:
        return text.clean(figure.text)
    number = number_vi(figure.value, figure.unit)
    unit = {"vnd": " triệu đồng", "pct": "%", "pct_points": " điểm %", "days": " ngày"}.get(figure.unit, "")
    return number + (f" {indicator_unit}" if figure.unit == "quantity" and indicator_unit else unit)


def number_vi(number: Decimal | int, unit: str) -> str:
    """Đồng are shown as triệu đồng with all their decimals; rates and points with two; points with their sign."""
    if unit == "vnd":
        return money.show_trieu(int(number))
    shown = money.group_vi(number, 2) if unit in ("pct", "pct_points") else _trimmed(Decimal(number))
    return f"+{shown}" if unit == "pct_points" and number > 0 else shown


def _trimmed(number: Decimal) -> str:
    return money.group_vi(number.quantize(Decimal(1)) if number == number.to_integral_value() else number.normalize())


def exact(figure: Figure) -> str:
    """The value for machines: đồng, per cent, days, or the text."""
    return f"{figure.value:f}" if figure.value is not None else figure.text or ""


def coverage(figure: Figure) -> str:
    """``65/65``, communes, and the share of the plan that they hold; empty where a figure has none (law 7)."""
    if figure.coverage_n is None or figure.coverage_of is None:
        return ""
    share = figure.coverage_plan_pct
    part = f", {money.group_vi(share, 2)}% kế hoạch vốn" if share is not None and share < 100 else ""
    return f"{figure.coverage_n}/{figure.coverage_of}{part}"


def formula(figure: Figure, period: str, budget_year: int) -> str:
    """How the figure comes about, as the page of sources says it."""
    how = sources_writer.metrics().get(figure.metric, {}).get("how")
    if how:
        return f"{how}."
    asked = {
        "metric": figure.metric, "period": period, "budget_year": budget_year, "value": figure.value,
        "source": figure.source, "unit": figure.unit,
    }  # fmt: skip
    parts = {part.role: _sum(part.terms) for part in trace.parts_of(asked, dict(figure.dims))}
    if "previous_numerator" in parts:
        return (
            "Tỷ lệ của kỳ báo cáo trừ tỷ lệ của kỳ so sánh; mỗi tỷ lệ là tử số chia cho mẫu số, nhân 100, làm tròn hai "
            f"chữ số thập phân. Tử số: {parts['numerator']}. Mẫu số: {parts['denominator']}."
        )
    if "numerator" in parts:
        return (
            "Tử số chia cho mẫu số, nhân 100, làm tròn hai chữ số thập phân. "
            f"Tử số: {parts['numerator']}. Mẫu số: {parts['denominator']}."
        )
    if "value" in parts:
        return f"Cộng các dòng chi tiết: {parts['value']}."
    return "" if figure.value is None else "Tính trong kho dữ liệu, theo bảng nêu ở nguồn."


def _sum(terms: Sequence[tuple[str, int]]) -> str:
    said = ""
    for number, (key, sign) in enumerate(terms):
        said += (" − " if sign < 0 else " + " if number else "") + f"tổng cột “{_column(key)}”"
    return said


@cache
def _column(key: str) -> str:
    """``Lũy kế giải ngân … - Tổng số (cột 11)``"""
    for sheet in forms.load().sheets:
        for column in sheet.columns:
            if column.key == key:
                return f"{column.title} (cột {column.no})"
    return key


def size(number: int) -> str:
    """``1,1 MB``, ``97 kB``."""
    if number >= 1_000_000:
        return f"{money.group_vi(Decimal(number) / 1_000_000, 1)} MB"
    return f"{money.group_vi(Decimal(number) / 1000, 0)} kB" if number >= 1000 else f"{number} byte"
