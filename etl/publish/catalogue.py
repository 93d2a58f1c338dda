"""What each figure is called, how it comes about, what it covers and whether it is final: in words, in one place.

The page of sources, the sheet of figures, the archive and ``tiendo trace`` say the same of a figure because they take
it from here. The words for kinds of figures are data (``metrics.yml``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from etl import money
from etl.load.reconciliation import KINDS_VI
from etl.period import Period
from etl.publish import queries, standing, text
from etl.publish.figure import Figure, FigureSet
from etl.publish.figures import RATES
from etl.publish.sums import CHANGES, Part, parts_of
from etl.reference import forms

Words = Mapping[str, Mapping[str, str]]
"""Dimension -> value -> what it is called."""

NAMES = ("name", "name_short")
"""Metrics whose figures are what a dimension's value is called."""
LABELS = {
    "commune": "Xã, phường", "programme": "Chương trình", "project": "Dự án", "subproject": "Tiểu dự án",
    "capital_kind": "Loại vốn", "source": "Nguồn vốn", "indicator": "Chỉ tiêu", "agency": "Cơ quan",
    "task": "Nhiệm vụ", "proposal": "Kiến nghị", "directive": "Văn bản", "state": "Tình trạng", "rank": "Thứ hạng",
    "rule": "Quy tắc", "item": "Mục", "period": "Kỳ",
}  # fmt: skip
"""Dimensions in the order in which a name says them."""
UNITS = {
    "vnd": "đồng", "pct": "%", "pct_points": "điểm %", "count": "", "days": "ngày", "quantity": "theo chỉ tiêu",
    "text": "chữ", "date": "ngày tháng",
}  # fmt: skip
NO_QUERY = "Không có câu truy vấn: ghi theo cấu hình báo cáo của tỉnh (report.yml) khi chốt bản."
_SOURCES_VI = {"NSTW": "ngân sách trung ương", "NSDP": "ngân sách địa phương"}
_LETTERHEAD_VI = {
    "parent_body": "cơ quan chủ quản", "issuer": "cơ quan ban hành", "symbol": "ký hiệu", "place": "địa danh",
    "drafter": "đơn vị soạn thảo", "province": "tên tỉnh", "signer": "người ký", "filing": "lưu hồ sơ",
    "addressees": "kính gửi", "authority": "thẩm quyền ký", "recipients": "nơi nhận",
}  # fmt: skip
_WHOLE = ("mart.disbursement_rate", "mart.disbursement_change", "mart.allocation_gap", "mart.revision")
"""Amounts that are the whole province's where no commune is named."""
_LONGEST = 80


@cache
def metrics() -> dict[str, dict[str, str]]:
    """Metric -> ``name`` and, for what is no sum of cells, ``how``."""
    return dict(yaml.safe_load((Path(__file__).parent / "metrics.yml").read_text(encoding="utf-8")))


@cache
def column(key: str) -> str:
    """``Lũy kế giải ngân … - Tổng số (cột 11)``"""
    for sheet in forms.load().sheets:
        for at in sheet.columns:
            if at.key == key:
                return f"{at.title} (cột {at.no})"
    return key


# Names ---------------------------------------------------------------------------------------------------------------


def kind(figure: Figure) -> str:
    """What all figures of its metric are called."""
    called = metrics().get(figure.metric, {"name": figure.metric})["name"]
    whole = figure.source in _WHOLE and figure.unit != "count" and figure.dim("commune") is None
    return f"{called}, toàn tỉnh" if whole else called


def name(figure: Figure, words: Words) -> str:
    """``Vốn chưa giải ngân, xã Quan Sơn, vốn sự nghiệp``"""
    values = dict(figure.dims)
    return ", ".join([kind(figure), *(words[dim][values[dim]] for dim in LABELS if dim in values)])


def words_of(figures: Iterable[Figure], names: Iterable[Figure]) -> dict[str, dict[str, str]]:
    """What the values of the dimensions of ``figures`` are called; ``names``: the figures that hold names."""
    listed = {(f.metric, *f.dims[0]): text.clean(f.text) for f in names if f.metric in NAMES and f.dims}
    values = dict.fromkeys(pair for figure in figures for pair in figure.dims)
    words: dict[str, dict[str, str]] = {}
    for dim, value in values:
        words.setdefault(dim, {})[value] = _said(dim, value, listed)
    return words


def _said(dim: str, value: str, listed: Mapping[tuple[str, str, str], str]) -> str:
    called = listed.get(("name_short", dim, value)) or listed.get(("name", dim, value))
    if dim in ("project", "subproject"):
        called = called or listed.get(("name", "project", value))
        return f"{LABELS[dim].lower()} {value}" + (f" ({text.shorten(called, _LONGEST)})" if called else "")
    if dim == "programme" and called:
        return called if called.lower().startswith("chương trình") else f"chương trình {called}"
    if dim in ("commune", "capital_kind") and called:
        return called[:1].lower() + called[1:]
    if dim == "indicator" and called:
        return f"chỉ tiêu {value} ({called})"
    if dim == "period":
        return Period.parse(value).vi
    if dim == "item":
        return _item(value)
    if dim == "source":
        return _SOURCES_VI.get(value, value)
    return value if dim == "agency" else f"{LABELS[dim].lower()} {value}"


def _item(value: str) -> str:
    """Rows that have no dimension of their own: a metric, a kind of difference, a line and its column."""
    code, _, number = value.partition("#")
    if code in metrics():
        return metrics()[code]["name"][:1].lower() + metrics()[code]["name"][1:]
    known = KINDS_VI.get(code) or _LETTERHEAD_VI.get(code)
    if known:
        return known[:1].lower() + known[1:] + (f", dòng thứ {number}" if number else "")
    return f"mục {value}"


# How a figure comes about --------------------------------------------------------------------------------------------


def formula(figure: Figure) -> str:
    """In words, with the columns of the forms that are added up."""
    given = tuple(dim for dim, _ in figure.dims)
    said = _formula(figure.metric, figure.source, figure.unit, given, figure.dim("source"))
    if figure.value is None and figure.unit not in ("text", "date"):
        return f"{said} Để trống: không có số để tính."
    return said


@cache
def _formula(metric: str, source: str, unit: str, given: tuple[str, ...], capital_source: str | None) -> str:
    how = metrics().get(metric, {}).get("how")
    if how:
        return f"{how}."
    parts = _parts(metric, source, unit, given, capital_source)
    if not parts:
        return "Ghi theo báo cáo của xã, phường."
    roles = {part.role: part for part in parts}
    if metric in CHANGES:
        return f"Tỷ lệ của kỳ báo cáo trừ tỷ lệ của kỳ so sánh; mỗi tỷ lệ là {_rate('rate_total', roles)}"
    if "numerator" in roles:
        return f"{_upper(_rate(metric, roles))}"
    return f"Cộng các dòng chi tiết của {_form(parts[0])}: {_sum(parts[0])}."


def _parts(metric: str, source: str, unit: str, given: tuple[str, ...], capital_source: str | None) -> list[Part]:
    """Those of any figure of the kind: which months and places they are of says nothing about the columns."""
    dims = {dim: "2000-01" if dim == "period" else "" for dim in given}
    if capital_source:
        dims["source"] = capital_source
    figure: dict[str, Any] = {
        "metric": metric, "source": source, "unit": unit, "value": 0, "period": "2000-02", "budget_year": 2000,
    }  # fmt: skip
    return parts_of(figure, dims)


def _rate(metric: str, roles: Mapping[str, Part]) -> str:
    over = RATES.get(metric, ("actual_ytd", "target_year") if metric == "output_rate" else RATES["rate_total"])
    above, below = (_lower(metrics()[one]["name"]) for one in over)
    return (
        f"{above} / {below} × 100, làm tròn hai chữ số thập phân. Tử số: {_sum(roles['numerator'])}. "
        f"Mẫu số: {_sum(roles['denominator'])}. Cộng các dòng chi tiết của {_form(roles['numerator'])}."
    )


def _sum(part: Part) -> str:
    terms = [("− " if sign < 0 else "+ ") + f"tổng cột “{column(key)}”" for key, sign in part.terms]
    return " ".join(terms).removeprefix("+ ")


def _form(part: Part) -> str:
    return f"Biểu {part.form.removeprefix('B')}"


def _lower(said: str) -> str:
    return said[:1].lower() + said[1:]


def _upper(said: str) -> str:
    return said[:1].upper() + said[1:]


# Coverage ------------------------------------------------------------------------------------------------------------


def coverage(figure: Figure) -> str:
    """``62/65 xã, phường; 97,31% kế hoạch vốn``; empty for what covers nothing."""
    if figure.coverage_n is None:
        return ""
    share = figure.coverage_plan_pct
    of_plan = "" if share is None else f"; {money.group_vi(share, 2)} % kế hoạch vốn"
    return f"{figure.coverage_n}/{figure.coverage_of} xã, phường{of_plan}"


def query(figure: Figure, of: queries.Frozen) -> str:
    """SQL, or in words why there is none."""
    return queries.text(figure, of) or NO_QUERY


# All of a release ----------------------------------------------------------------------------------------------------


def frozen(figures: FigureSet) -> queries.Frozen:
    return queries.Frozen(
        figures.release_id, figures.period, figures.budget_year, figures.get("as_of").date, figures.known_at
    )


class Catalogue:
    """What is said of each figure of a release."""

    def __init__(self, figures: FigureSet) -> None:
        self.words: dict[str, dict[str, str]] = words_of(figures, figures)
        self._frozen = frozen(figures)
        self._provisional = standing.provisional(figures, figures.period)

    def name(self, figure: Figure) -> str:
        return name(figure, self.words)

    def standing(self, figure: Figure) -> str:
        """``provisional`` or ``final``."""
        return "provisional" if figure.key in self._provisional else "final"

    def query(self, figure: Figure) -> str:
        return query(figure, self._frozen)

    def template(self, figure: Figure) -> str:
        """The same with the places of the dimensions left open (``queries``)."""
        return queries.template(figure, self._frozen) or NO_QUERY
