"""Every number found in the DOCX, PDF, XLSX and HTML of a release is one of its table of figures."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from etl import settings, steps
from etl.load import warehouse
from etl.publish import pdf_writer, release
from etl.publish.figure import FigureSet
from etl.publish.model import Row, Span, Table
from tests.databases import copy_of
from tests.sql.conftest import point
from tests.sql.numbers import Drawing, Model, of_commune, table_passages
from tests.sql.packs import (
    Pack,
    docx_numbers,
    message_faults,
    model_numbers,
    page_faults,
    pdf_faults,
    pdf_numbers,
    workbook_faults,
)
from tests.sql.published import NEXT_MONTH, Published

MONTHS = ("2025-09", "2025-10", "2025-11")


def files_in(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def packs(published_once: Published, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Pack]]:
    """September and October as published, and November: of it most communes are missing."""
    home = tmp_path_factory.mktemp("numbers-home")
    (home / "archive").symlink_to(published_once.home / "archive")
    with copy_of(published_once.address) as address, pytest.MonkeyPatch.context() as patch:
        point(patch, address, home)
        steps.freeze("2025-11", NEXT_MONTH)
        with warehouse.connect() as connection:
            yield {
                month: Pack(
                    month,
                    release.figures_of(connection, release.get(connection, f"{month}-r1")),
                    files_in((home if month == "2025-11" else published_once.home) / "out" / month / f"{month}-r1"),
                )
                for month in MONTHS
            }
    settings.reload()


@pytest.fixture(params=MONTHS)
def made(request: pytest.FixtureRequest, packs: dict[str, Pack]) -> Pack:
    return packs[request.param]


# The model against the table ------------------------------------------------------------------------------------------


def test_every_number_of_the_documents_is_a_figure_or_has_its_place(made: Pack) -> None:
    for name in ("tom-tat", "bao-cao"):
        assert made.model.faults(made.model.laid_out(made.of(name))) == []


def test_every_number_drawn_in_a_chart_is_a_figure(made: Pack) -> None:
    assert [fault for chart in made.charts() for fault in Drawing.of(chart).faults(made.model)] == []


# The files against the model ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["tom-tat", "bao-cao"])
def test_the_docx_holds_the_numbers_of_the_model_in_their_order(made: Pack, name: str) -> None:
    assert docx_numbers(made, name) == model_numbers(made, name)


@pytest.mark.parametrize("name", ["tom-tat", "bao-cao"])
def test_pictures_of_the_docx_are_described_in_the_words_of_the_model(made: Pack, name: str) -> None:
    with zipfile.ZipFile(io.BytesIO(made.files[f"{name}-{made.month}.docx"])) as parts:
        told = re.findall(r'descr="([^"]*)"', parts.read("word/document.xml").decode())
    assert [text.replace("&amp;", "&") for text in told] == [chart.alt for chart in made.of(name).charts()]


@pytest.mark.parametrize("name", ["tom-tat", "bao-cao"])
def test_the_pdf_holds_the_numbers_of_the_model_as_often(made: Pack, name: str) -> None:
    assert pdf_faults(made, made.of(name), made.files[f"{name}-{made.month}.pdf"]) == []


def test_every_number_of_the_workbook_is_the_figure_that_its_cell_names(made: Pack) -> None:
    assert workbook_faults(made, made.workbook()) == []


def test_every_number_of_the_page_is_the_figure_that_it_names(made: Pack) -> None:
    assert page_faults(made, made.files[f"tong-hop-{made.month}.html"].decode()) == []


def test_every_number_of_a_letter_is_a_figure_of_its_commune_or_of_the_whole(made: Pack) -> None:
    assert len(made.documents.letters) == len([name for name in made.files if name.startswith("thu/")]) == 65
    for letter in made.documents.letters:
        passages = made.model.laid_out(letter)
        allowed = {f.key for f in of_commune(made.figures, letter.name.removeprefix("thu/"))}
        assert made.model.faults(passages) == []
        assert {s.figure.key for p in passages for s in p.spans if s.figure} <= allowed
    for letter in made.documents.letters[::9]:
        assert pdf_faults(made, letter, made.files[f"{letter.name}.pdf"]) == []


def test_every_number_of_the_message_is_a_figure(made: Pack) -> None:
    assert message_faults(made) == []


# A wrong number is found, wherever it stands and however small it is --------------------------------------------------


@pytest.fixture(scope="module")
def october(packs: dict[str, Pack]) -> Pack:
    return packs["2025-10"]


def altered(made: Pack, name: str, change: bytes) -> Pack:
    other = object.__new__(Pack)
    other.__dict__ = {**made.__dict__, "files": {**made.files, name: change}}
    return other


@pytest.mark.parametrize(
    ("was", "becomes"),
    [(">1</w:t>", ">2</w:t>"), ("39,10", "39,11"), (">21</w:t>", ">20</w:t>"), (">-</w:t>", ">3</w:t>")],
)
def test_one_number_altered_in_the_docx_is_found(october: Pack, was: str, becomes: str) -> None:
    name, buffer = "bao-cao-2025-10.docx", io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(october.files[name])) as parts, zipfile.ZipFile(buffer, "w") as target:
        for part in parts.namelist():
            content = parts.read(part)
            if part == "word/document.xml":
                assert was.encode() in content
                content = content.replace(was.encode(), becomes.encode(), 1)
            target.writestr(part, content)
    changed = altered(october, name, buffer.getvalue())
    assert docx_numbers(changed, "bao-cao") != model_numbers(changed, "bao-cao")


def test_one_number_altered_in_the_pdf_is_found(october: Pack) -> None:
    """The brief set again with one more digit in one cell of a table."""
    document = october.documents.page
    table = document.tables()[0]
    row = table.rows[1]
    cells = (*row.cells[:-1], (*row.cells[-1], Span("1")))
    rows = tuple(replace(r, cells=cells) if r is row else r for r in table.rows)
    blocks = tuple(replace(b, rows=rows) if b is table else b for b in document.sections[0].blocks)
    other = replace(document, sections=(replace(document.sections[0], blocks=blocks),))
    found = [pdf_numbers(pdf_writer.render(d, october.figures.known_at)) for d in (document, other)]
    assert found[0] != found[1]


def test_one_number_altered_in_the_workbook_is_found(october: Pack) -> None:
    book = october.workbook()
    for sheet, cell, value in (("Bang2", "C5", 1), ("Bang5", "A5", 7), ("Bang3", "A1", "Bảng 4."), ("Bang1", "J9", 3)):
        before = book[sheet][cell].value
        book[sheet][cell].value = value
        assert workbook_faults(october, book), (sheet, cell)
        book[sheet][cell].value = before
    assert workbook_faults(october, book) == []


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        (">39,10</data>", ">39,1</data>"),
        ('<data value="1"', '<data value="2"'),
        ("nhiệm vụ", "3 nhiệm vụ"),
        (">75 %</text>", ">70 %</text>"),
        ("rate: 19.21", "rate: 19.22"),
    ],
)
def test_one_number_altered_in_the_page_is_found(october: Pack, was: str, becomes: str) -> None:
    html = october.files["tong-hop-2025-10.html"].decode()
    assert was in html
    assert page_faults(october, html.replace(was, becomes, 1))


def test_a_figure_that_changed_after_the_documents_were_made_is_found(october: Pack) -> None:
    """The count of a table's row, small as it is, against a table of figures in which it is another."""
    for metric, by in (("tasks", {"state": "Đang thực hiện quá hạn"}), ("rank_rate", {"commune": "06517"})):
        figure = october.figures.get(metric, **by)
        other = type(figure)(**{**figure.__dict__, "value": (figure.value or 0) + 1})
        rows = tuple(other if f.key == figure.key else f for f in october.figures)
        figures = october.figures
        table = FigureSet(figures.release_id, figures.period, figures.budget_year, figures.known_at, rows)
        passages = october.model.laid_out(october.documents.full)
        assert Model(table, october.model.documents).faults(passages)


def test_a_number_of_the_template_itself_is_found(october: Pack) -> None:
    table = next(t for t in october.documents.full.tables() if t.name == "Bang5")
    wrong = Row(((Span("3"),), *table.rows[2].cells[1:]))
    swapped = Table(table.name, table.caption, table.unit, table.columns, (*table.rows[:1], wrong))
    assert october.model.faults(table_passages(swapped))
    assert json.dumps(october.model.faults(table_passages(table))) == "[]"
