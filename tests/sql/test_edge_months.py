"""Months at the edge: nobody reported, one commune, all at 0 %, more than the plan, the first month of a budget year, a
January with two of them, no roadmap, everybody behind it, a month that fell, hostile texts. Documents are made of each
and read number by number; no sentence is said that the month does not bear out.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest
from pypdf import PdfReader

from etl.load import marts
from etl.load import warehouse as store
from etl.load.warehouse import Connection
from etl.period import Period
from etl.publish import checks, pack
from etl.publish.figure import FigureSet, ordered
from etl.publish.figures import compute
from tests.sql import builders
from tests.sql.builders import TRIEU, line
from tests.sql.packs import (
    Pack,
    docx_numbers,
    holes,
    message_faults,
    model_numbers,
    page_faults,
    pdf_faults,
    texts,
    workbook_faults,
)

NOW = datetime(2026, 3, 1, tzinfo=UTC)
OCTOBER, JANUARY = Period(2025, 10), Period(2026, 1)
QUAN_SON, DONG_KINH = "06517", "05977"
LETTERS = (0, 3, 64)
"""Of these communes, by place, the letters are laid out: all say the same of a month at the edge."""


def communes() -> list[str]:
    return sorted(builders.province().communes)


def all_communes(connection: Connection, period: str, plan: int, disbursed: int, **more: object) -> None:
    for commune in communes():
        lines = [line("GNBV-DA2", "SN", plan * TRIEU, disbursed * TRIEU, month=min(disbursed, 10) * TRIEU)]
        lines.append(line("NTM-ND02", "DT", plan * TRIEU, disbursed * TRIEU))
        builders.report(connection, commune, period, lines, **more)


def roadmap(planned: int) -> list[dict[str, object]]:
    months = {f"planned_m{n:02}": planned * n // 10 * TRIEU for n in range(1, 13)}
    return [
        {"line_code": f"{code}-{kind}", "project_code": code, "capital_kind": kind, **months,
         "planned_close": 2 * planned * TRIEU}
        for code, kind in (("GNBV-DA2", "SN"), ("NTM-ND02", "DT"))
    ]  # fmt: skip


def nobody(connection: Connection) -> None:
    """No report at all."""


def one(connection: Connection) -> None:
    builders.report(connection, QUAN_SON, "2025-10", [line("GNBV-DA2", "SN", 100 * TRIEU, 40 * TRIEU)])


def at_zero(connection: Connection) -> None:
    all_communes(connection, "2025-09", 100, 0)
    all_communes(connection, "2025-10", 100, 0)


def beyond_the_plan(connection: Connection) -> None:
    all_communes(connection, "2025-09", 100, 90)
    all_communes(connection, "2025-10", 100, 130)


def nothing_planned(connection: Connection) -> None:
    all_communes(connection, "2025-10", 0, 0)


def fallen(connection: Connection) -> None:
    """Less than the month before: amounts were taken back."""
    all_communes(connection, "2025-09", 100, 60, roadmap=roadmap(80))
    for commune in communes():
        lines = [line("GNBV-DA2", "SN", 100 * TRIEU, 50 * TRIEU, month=-10 * TRIEU)]
        builders.report(connection, commune, "2025-10", lines)


def behind(connection: Connection) -> None:
    all_communes(connection, "2025-10", 200, 70, roadmap=roadmap(90))


def some_behind(connection: Connection) -> None:
    """One has a roadmap since September, two sent theirs in October, the others none; two thirds are missing."""
    for number, commune in enumerate(communes()[:22]):
        lines = [line("GNBV-DA2", "SN", 100 * TRIEU, 40 * TRIEU), line("NTM-ND02", "DT", 100 * TRIEU, 20 * TRIEU)]
        more = {"roadmap": roadmap(60)} if number == 0 else {}
        builders.report(connection, commune, "2025-09", lines, **more)
        lines = [line("GNBV-DA2", "SN", 100 * TRIEU, 45 * TRIEU), line("NTM-ND02", "DT", 100 * TRIEU, 30 * TRIEU)]
        more = {"roadmap": roadmap(70)} if number in (1, 2) else {}
        builders.report(connection, commune, "2025-10", lines, **more)


def all_of_it(connection: Connection) -> None:
    """Everything is disbursed and nothing is left to do."""
    all_communes(connection, "2025-09", 100, 80)
    all_communes(connection, "2025-10", 100, 100)


def first_month(connection: Connection) -> None:
    all_communes(connection, "2025-12", 100, 90)
    all_communes(connection, "2026-01", 120, 3, budget_year=2026)


def closing(connection: Connection) -> None:
    all_communes(connection, "2025-12", 100, 90)
    all_communes(connection, "2026-01", 100, 97, budget_year=2025)
    all_communes(connection, "2026-01", 120, 3, budget_year=2026)


def hostile(connection: Connection) -> None:
    """Texts of a commune are long, hold markup, figures and control characters."""
    text = "<script>alert(1)</script> {rate:%} & \"'; 9.999,9 tỷ đồng \x0b \u202e=1+1 " + "khó khăn về mặt bằng " * 60
    for number, commune in enumerate(communes()):
        builders.report(
            connection, commune, "2025-10", [line("GNBV-DA2", "SN", 100 * TRIEU, (number + 1) * TRIEU)],
            proposals=[
                {"issue_id": f"{commune}-2025-{n:02}", "problem": text, "cause": text, "proposal": text,
                 "addressee": "Sở Tài chính", "category": "Vốn", "is_new": True, "state": "Chưa giải quyết"}
                for n in range(1, 4)
            ] if number < 3 else (),
        )  # fmt: skip


@dataclass(frozen=True)
class Month:
    fill: Callable[[Connection], None]
    period: Period = OCTOBER
    budget_year: int = 2025
    says: tuple[str, ...] = ()
    """What the brief has to say."""
    never: tuple[str, ...] = ()


MONTHS_AT_THE_EDGE = (
    Month(nobody, says=("0/65 xã, phường", "Chưa có báo cáo nào được chấp nhận"), never=("0,00", "tăng", "giảm")),
    Month(one, says=("1/65 xã, phường", "Mới có số liệu giải ngân của xã Quan Sơn"), never=("tăng", "giảm 0")),
    Month(at_zero, says=("chưa giải ngân", "bằng tháng 9", "Cả 65 xã, phường"), never=("tăng", "giảm")),
    Month(beyond_the_plan, says=("130,00 %", "tăng 40,00 điểm %", "cao hơn kế hoạch"), never=("còn -",)),
    Month(nothing_planned, never=("đạt", "0,00 %")),
    Month(fallen, says=("giảm 10,00 điểm %",), never=("tăng",)),
    Month(behind, says=("chậm 2,6 tỷ đồng", "65 đơn vị chậm lộ trình"), never=("vượt",)),
    Month(some_behind, says=("22/65 xã, phường", "lộ trình của 3 xã, phường"), never=("giảm", "65 đơn vị")),
    Month(all_of_it, says=("100,00 %", "tăng 20,00 điểm %"), never=("chậm", "còn 0", "mỗi tháng")),
    Month(first_month, JANUARY, 2026, says=("tháng đầu của năm ngân sách",), never=("tăng", "giảm 8")),
    Month(closing, JANUARY, 2025, says=("năm ngân sách 2025", "tăng 7,00 điểm %"), never=("tháng đầu của năm",)),
    Month(hostile, never=("<b>",)),
)


@pytest.fixture(scope="module", params=MONTHS_AT_THE_EDGE, ids=lambda month: month.fill.__name__)
def month(request: pytest.FixtureRequest) -> Month:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def figures(reference: str, month: Month) -> Iterator[FigureSet]:
    with store.connect(reference) as connection:
        month.fill(connection)
        marts.refresh(connection)
        found = checks.of_figures(connection, month.period, month.budget_year, NOW)
        rows = ordered(compute(connection, month.period, month.budget_year, NOW, found))
        yield FigureSet(f"{month.period}-r1", month.period, month.budget_year, NOW, rows)
        connection.rollback()


@pytest.fixture(scope="module")
def made(figures: FigureSet) -> Pack:
    documents = pack.build(figures)
    some = replace(documents, letters=tuple(documents.letters[n] for n in LETTERS))
    return Pack(str(figures.period), figures, pack.render(figures, some))


def test_the_documents_pass_the_checks_before_a_release(figures: FigureSet, made: Pack) -> None:
    of = made.documents
    found = checks.of_documents(figures, (of.page, of.full), of.extra.charts())
    assert [f.message for f in found if f.severity == "error"] == []


def test_the_brief_says_what_the_month_bears_out(month: Month, made: Pack) -> None:
    said = texts(made.documents.page)
    assert [words for words in month.says if words not in said] == []
    assert [words for words in month.never if words in said] == []


def test_no_sentence_of_the_pack_has_a_hole(month: Month, made: Pack) -> None:
    assert holes(made.figures, made.documents) == [] or month.fill is hostile  # whose texts are cut anywhere


def test_every_number_of_the_files_is_a_figure(made: Pack) -> None:
    for name in ("tom-tat", "bao-cao"):
        assert made.model.faults(made.model.laid_out(made.of(name))) == []
        assert docx_numbers(made, name) == model_numbers(made, name)
        assert pdf_faults(made, made.of(name), made.files[f"{name}-{made.month}.pdf"]) == []
    assert workbook_faults(made, made.workbook()) == []
    assert page_faults(made, made.files[f"tong-hop-{made.month}.html"].decode()) == []
    assert message_faults(made) == []
    for letter in made.documents.letters:
        assert made.model.faults(made.model.laid_out(letter)) == []


def test_the_brief_is_one_page_and_a_letter_at_most_two(made: Pack) -> None:
    def pages(name: str) -> int:
        return len(PdfReader(io.BytesIO(made.files[name])).pages)

    assert pages(f"tom-tat-{made.month}.pdf") == 1
    assert {pages(name) for name in made.files if name.startswith("thu/")} <= {1, 2}


def test_the_page_holds_no_markup_of_a_commune(made: Pack) -> None:
    html = made.files[f"tong-hop-{made.month}.html"].decode()
    assert "<script>alert" not in html
