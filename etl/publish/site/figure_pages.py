"""All figures of a release as plain tables, by kind of place and metric, in pages that a phone opens at once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from urllib.parse import quote

from etl.publish import catalogue, sources_writer, standing
from etl.publish.figure import Figure, FigureSet
from etl.publish.site import words
from etl.publish.site.records import Published

ROWS = 1000
"""Rows of a page, unless one metric alone has more."""
_SPACE = re.compile(r"\s")


@dataclass(frozen=True)
class Kind:
    """Figures of one kind of place; ``slug`` names the page, ``order`` is its place among the others."""

    order: int
    slug: str
    title: str


KINDS = (
    Kind(1, "toan-tinh", "Toàn tỉnh, chương trình, loại vốn"),
    Kind(2, "xa-phuong", "Xã, phường"),
    Kind(3, "xa-phuong-loai-von", "Xã, phường theo loại vốn"),
    Kind(4, "du-an", "Dự án, tiểu dự án"),
    Kind(5, "chi-tieu", "Chỉ tiêu đầu ra"),
    Kind(6, "nhiem-vu", "Nhiệm vụ, văn bản, kiến nghị"),
    Kind(7, "chat-luong", "Chất lượng số liệu"),
)
_OF = {kind.slug: kind for kind in KINDS}


def kind_of(figure: Figure) -> Kind:
    places = {name for name, _ in figure.dims}
    if figure.metric == "letterhead":
        return _OF["toan-tinh"]
    if places & {"rule", "item"}:
        return _OF["chat-luong"]
    if places & {"task", "agency", "state", "directive", "proposal"}:
        return _OF["nhiem-vu"]
    if "indicator" in places:
        return _OF["chi-tieu"]
    if places & {"project", "subproject"}:
        return _OF["du-an"]
    if "commune" in places:
        return _OF["xa-phuong" if places <= {"commune", "period"} else "xa-phuong-loai-von"]
    return _OF["toan-tinh"]


@dataclass(frozen=True)
class Row:
    """``address``: of the entry on the page of sources; empty for a release that has no such page."""

    key: str
    anchor: str
    place: str
    value: str
    exact: str
    coverage: str
    address: str
    is_text: bool
    is_provisional: bool


@dataclass(frozen=True)
class Section:
    """The figures of one metric and unit; ``formulas`` and ``source`` are told once, ``queries`` give their values."""

    metric: str
    anchor: str
    name: str
    unit: str
    formulas: tuple[str, ...]
    queries: tuple[str, ...]
    source: str
    rows: tuple[Row, ...]

    @property
    def coverage(self) -> str:
        """Of all rows; empty where it is told row by row, or there is none."""
        found = {row.coverage for row in self.rows}
        return found.pop() if len(found) == 1 else ""

    @property
    def is_covered_by_row(self) -> bool:
        return not self.coverage and any(row.coverage for row in self.rows)

    @property
    def standing(self) -> str:
        """Of all rows; empty where it is told row by row."""
        provisional = {row.is_provisional for row in self.rows}
        return "" if len(provisional) > 1 else standing.WORDS["provisional" if provisional == {True} else "final"]


@dataclass(frozen=True)
class Page:
    kind: Kind
    number: int
    of: int
    sections: tuple[Section, ...]

    @property
    def file(self) -> str:
        return f"so-lieu-{self.kind.slug}{f'-{self.number}' if self.number > 1 else ''}.html"

    @property
    def title(self) -> str:
        return self.kind.title + (f" (trang {self.number}/{self.of})" if self.of > 1 else "")

    @property
    def rows(self) -> int:
        return sum(len(section.rows) for section in self.sections)


def anchor(key: str) -> str:
    """A fragment that is also a valid id: what has no place in an address is escaped."""
    return quote(key, safe="/=,:;@()+*!$'")


def pages(release: Published, figures: FigureSet) -> tuple[Page, ...]:
    """Every figure of the release stands on exactly one page."""
    names, told = words.Names(figures), catalogue.Catalogue(figures)
    sources = sources_writer.name(figures) if release.file(sources_writer.name(figures)) else ""
    units = {f.dims[0][1]: f.text or "" for f in figures.having("indicator_unit", "indicator")}
    groups: dict[Kind, dict[tuple[str, str, str], list[Figure]]] = {kind: {} for kind in KINDS}
    for figure in figures:
        groups[kind_of(figure)].setdefault((figure.metric, figure.unit, figure.source), []).append(figure)

    def row(figure: Figure) -> Row:
        unit = units.get(figure.dim("indicator") or "", "")
        return Row(
            figure.key,
            anchor(figure.key),
            names.place(figure),
            words.value(figure, unit),
            words.exact(figure),
            catalogue.coverage(figure),
            f"tep/{sources_writer.link(figures, figure)}" if sources else "",
            figure.value is None,
            told.standing(figure) == "provisional",
        )

    def section(group: tuple[str, str, str], held: list[Figure]) -> Section:
        metric, unit, source = group
        return Section(
            metric,
            "",
            words.metric(metric),
            words.UNITS.get(unit, unit),
            tuple(dict.fromkeys(catalogue.formula(f) for f in held if f.value is not None or f.text)),
            tuple(dict.fromkeys(told.template(f) for f in held)),
            source,
            tuple(row(figure) for figure in sorted(held, key=lambda f: (len(f.dims), f.dims))),
        )

    found: list[Page] = []
    for kind, metrics in groups.items():
        sections = [section(group, held) for group, held in sorted(metrics.items(), key=_order)]
        runs = list(_runs([replace(s, anchor=f"chi-so-{s.metric}-{n}") for n, s in enumerate(sections)]))
        found += [Page(kind, number, len(runs), run) for number, run in enumerate(runs, 1)]
    return tuple(found)


def _order(item: tuple[tuple[str, str, str], list[Figure]]) -> tuple[tuple[int, str], tuple[str, str, str]]:
    return words.metric_order(item[0][0]), item[0]


def _runs(sections: list[Section]) -> Iterator[tuple[Section, ...]]:
    run: list[Section] = []
    for section in sections:
        if run and sum(len(s.rows) for s in run) + len(section.rows) > ROWS:
            yield tuple(run)
            run = []
        run.append(section)
    if run:
        yield tuple(run)


def places(found: tuple[Page, ...]) -> dict[str, str]:
    """Key of each figure -> file and fragment where it stands, beside the page of the release."""
    return {row.key: f"{page.file}#{row.anchor}" for page in found for s in page.sections for row in s.rows}
