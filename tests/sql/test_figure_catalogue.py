"""What the catalogue says of every figure: its name, formula and standing, and the query that an analyst can paste."""

from __future__ import annotations

import io
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from openpyxl import load_workbook
from psycopg import sql

from etl import settings, steps
from etl.load import warehouse
from etl.load.warehouse import Connection
from etl.publish import catalogue, figures_sheet, queries, release, standing
from etl.publish.figure import Figure, FigureSet
from tests.databases import copy_of
from tests.sql.asked import says, wrong_answers
from tests.sql.conftest import point
from tests.sql.published import NEXT_MONTH, OCTOBER, SEPTEMBER, Published

RELEASES = ("2025-09-r1", "2025-10-r1", "2025-11-r1")


@pytest.fixture(scope="module")
def home(published_once: Published, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """September and October as published, October revised since, and November, of which communes are missing."""
    home = tmp_path_factory.mktemp("catalogue-home")
    (home / "archive").symlink_to(published_once.home / "archive")
    with copy_of(published_once.address) as address, pytest.MonkeyPatch.context() as patch:
        point(patch, address, home)
        assert steps.freeze("2025-11", NEXT_MONTH)["release_id"] == RELEASES[-1]
        yield home
    settings.reload()


@pytest.fixture(scope="module")
def sets(home: Path) -> dict[str, FigureSet]:
    with warehouse.connect() as connection:
        return {name: release.figures_of(connection, release.get(connection, name)) for name in RELEASES}


@pytest.fixture
def analyst(home: Path) -> Iterator[Connection]:
    with warehouse.connect() as connection:
        connection.execute("set session authorization tiendo_analyst")
        connection.execute("set search_path = mart, ref")
        yield connection
        connection.rollback()


def test_every_figure_has_a_query_unless_it_is_configuration(sets: dict[str, FigureSet]) -> None:
    for figures in sets.values():
        frozen = catalogue.frozen(figures)
        without = {figure.source for figure in figures if queries.of(figure, frozen) is None}
        assert without == {queries.CONFIGURATION}


def test_the_query_of_every_figure_gives_an_analyst_what_was_published(
    analyst: Connection, sets: dict[str, FigureSet]
) -> None:
    asked = {name: wrong_answers(analyst, figures) for name, figures in sets.items()}
    assert [answer for _, wrong in asked.values() for answer in wrong] == []
    assert asked["2025-10-r1"][0] > 6000
    assert min(number for number, _ in asked.values()) > 2000


def test_the_text_is_a_statement_that_gives_one_value(analyst: Connection, sets: dict[str, FigureSet]) -> None:
    """One figure of each kind, by the very text that is shown."""
    kinds = {(f.metric, f.source, tuple(n for n, _ in f.dims)): (fs, f) for fs in sets.values() for f in fs}
    assert len(kinds) > 200
    for figures, figure in kinds.values():
        text = queries.text(figure, catalogue.frozen(figures))
        if text is None:
            continue
        query = sql.SQL("select ({})::text").format(sql.SQL(text))  # type: ignore[arg-type]
        assert says(figure, analyst.execute(query).fetchone()[0]), text
        assert text == queries.of(figure, catalogue.frozen(figures)).text
        assert not re.search(r"[{}]|\b(?:core|raw|release|audit)\.", text), text


def test_a_query_names_mart_moment_month_and_place(sets: dict[str, FigureSet]) -> None:
    figures = sets["2025-10-r1"]
    rate = figures.get("rate_total", commune="06517", capital_kind="SN")
    assert queries.text(rate, catalogue.frozen(figures)) == (
        "select rate_total from mart.disbursement_rate_at('2025-11-12 03:00:00+00:00') where period = '2025-10' "
        "and budget_year = 2025 and slice = 'commune_capital_kind' and capital_kind = 'SN' and commune_code = '06517'"
    )


def test_a_second_row_with_the_same_code_is_told_apart() -> None:
    frozen = queries.Frozen("2025-10-r1", OCTOBER, 2025, OCTOBER.last_day, NEXT_MONTH)
    row = Figure("proposal_text", "text", "mart.proposal", (("proposal", "KN-'1#2"),))
    assert queries.text(row, frozen).endswith("issue_id = 'KN-''1' order by commune_code, row_no limit 1 offset 1")


def test_a_place_that_a_mart_does_not_know_has_no_query() -> None:
    frozen = queries.Frozen("2025-10-r1", OCTOBER, 2025, OCTOBER.last_day, NEXT_MONTH)
    assert queries.of(Figure("rate_total", "pct", "mart.disbursement_rate", (("rule", "X"),)), frozen) is None
    assert queries.of(Figure("anything", "pct", "mart.unheard_of"), frozen) is None


def test_every_figure_has_a_name_of_its_own_in_words(sets: dict[str, FigureSet]) -> None:
    for figures in sets.values():
        names = catalogue.Catalogue(figures)
        assert {f.metric for f in figures} <= set(catalogue.metrics())
        called = Counter(names.name(figure) for figure in figures)
        assert [name for name, times in called.items() if times > 1] == []
        assert all(unicodedata.is_normalized("NFC", name) for name in called)
        assert max(map(len, called)) < 300


def test_names_say_the_place_in_words(sets: dict[str, FigureSet]) -> None:
    figures = sets["2025-11-r1"]
    names = catalogue.Catalogue(sets["2025-10-r1"])
    rate = "Tỷ lệ giải ngân so với tổng nguồn vốn được sử dụng"
    assert [names.name(sets["2025-10-r1"].get("rate_total", **by)) for by in (
        {"commune": "06517", "capital_kind": "SN"}, {}, {"programme": "GNBV"}, {"source": "NSTW"},
    )] == [
        f"{rate}, xã Quan Sơn, vốn sự nghiệp",
        f"{rate}, toàn tỉnh",
        f"{rate}, toàn tỉnh, chương trình Giảm nghèo bền vững",
        f"{rate}, toàn tỉnh, ngân sách trung ương",
    ]  # fmt: skip
    revised = figures.get("revision_difference", item="disb_ytd")
    assert catalogue.Catalogue(figures).name(revised) == (
        "Thay đổi so với số đã công bố, toàn tỉnh, lũy kế giải ngân từ đầu năm"
    )


def test_formulas_name_the_columns_of_the_forms(sets: dict[str, FigureSet]) -> None:
    figures = sets["2025-10-r1"]
    assert catalogue.formula(figures.get("rate_total")).startswith(
        "Lũy kế giải ngân từ đầu năm / tổng nguồn vốn được sử dụng trong năm × 100, làm tròn hai chữ số thập phân. "
    )
    assert catalogue.formula(figures.get("undisbursed")) == (
        "Cộng các dòng chi tiết của Biểu 01: tổng cột “Kế hoạch vốn được sử dụng trong năm - Tổng số (cột 4)” − tổng "
        "cột “Lũy kế giải ngân từ đầu năm đến ngày chốt số liệu - Tổng số (cột 11)”."
    )
    assert catalogue.formula(figures.get("communes_reported")) == "Đếm các xã, phường có báo cáo được chấp nhận."
    assert all(len(catalogue.formula(figure)) > 15 for figure in figures)


def test_the_standing_that_was_stored_is_the_one_that_is_shown(home: Path, sets: dict[str, FigureSet]) -> None:
    with warehouse.connect() as connection:
        for name, figures in sets.items():
            names = catalogue.Catalogue(figures)
            rows = connection.execute("select figure_id, standing from release.figure where release_id = %s", (name,))
            assert dict(rows.fetchall()) == {figures.figure_id(f): names.standing(f) for f in figures}


def test_an_analyst_sees_coverage_and_standing_of_what_was_published(analyst: Connection) -> None:
    rows = analyst.execute(
        "select period, metric, coverage_n, coverage_of, standing from published_figure "
        "where dims = '{}' and metric in ('rate_total', 'communes_reported') order by 1, 2"
    ).fetchall()
    assert rows == [
        (str(month), metric, *covered, "final")
        for month in (SEPTEMBER, OCTOBER)
        for metric, covered in (("communes_reported", (None, None)), ("rate_total", (65, 65)))
    ]


def test_totals_of_a_month_with_missing_communes_are_provisional(sets: dict[str, FigureSet]) -> None:
    names = catalogue.Catalogue(sets["2025-11-r1"])
    told = {figure.key: names.standing(figure) for figure in sets["2025-11-r1"]}
    assert {told[key] for key in ("rate_total", "pace_needed", "rank_rate/commune=05977")} == {"provisional"}
    assert {told[key] for key in ("rate_total/commune=05977", "communes_reported", "as_of")} == {"final"}


@pytest.mark.parametrize("month", ["2025-10", "2025-11"])
def test_the_sheet_of_figures_is_the_table(
    published_once: Published, home: Path, sets: dict[str, FigureSet], month: str
) -> None:
    figures = sets[f"{month}-r1"]
    names = catalogue.Catalogue(figures)
    out = (home if month == "2025-11" else published_once.home) / "out"
    path = out / month / f"{month}-r1" / f"bang-bieu-{month}.xlsx"
    sheet = load_workbook(io.BytesIO(path.read_bytes()))[figures_sheet.NAME]
    rows = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=figures_sheet.HEAD_ROWS)]

    assert tuple(rows[0]) == figures_sheet.COLUMNS
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("C4", f"A3:H{len(rows) + 2}")
    assert sheet["A2"].value == standing.DEFINITION
    for figure, (figure_id, name, value, _, formula, coverage, status, query) in zip(figures, rows[1:], strict=True):
        assert figure_id == figures.figure_id(figure)
        assert (name, formula) == (names.name(figure), catalogue.formula(figure))
        assert (coverage or "", query) == (catalogue.coverage(figure), names.query(figure))
        assert status == standing.WORDS[names.standing(figure)]
        if figure.value is not None:
            assert Decimal(repr(value)) == figure.value, figure_id
        elif figure.unit == "date":
            assert (value.date() if value else None) == (figure.date if figure.text else None)
        else:
            assert (value or "") == " ".join((figure.text or "").split())
