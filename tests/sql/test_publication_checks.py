"""Checks of a whole period when it is frozen (CK32, CK33, CK39, CK40, BT01 to BT03), and the data-quality annex."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook

from etl import settings, steps
from etl.errors import ReleaseError
from etl.load import treasury
from etl.load import warehouse as db
from etl.load.warehouse import Connection
from etl.period import Period
from etl.publish import checks, figures, pack, quality_figures, release, report, trace
from etl.publish.checks import PeriodFinding
from etl.publish.figure import Figure, FigureSet, ordered
from etl.publish.model import Block, Chart, Document, Paragraph, Row, Section, Span, Table, joined
from etl.publish.pack import Documents
from etl.publish.text import sentence, show
from etl.reference import province
from etl.sample.treasury import Plant, write_statement
from tests.builders import edited, name, simulation, workbook
from tests.sql import builders
from tests.sql.builders import TRIEU, line
from tests.sql.conftest import NOW as COLLECTED

OCTOBER = Period(2025, 10)
NOW = datetime(2025, 11, 11, 2, 30, tzinfo=UTC)
QUAN_SON, DONG_KINH, CHI_LANG = "06517", "05977", "06463"
LINES = [line("GNBV-DA2", "SN", 1000 * TRIEU, 250 * TRIEU), line("NTM-ND02", "DT", 2000 * TRIEU, 449_500_000)]


@pytest.fixture(scope="module")
def reference(warehouse: str) -> str:
    with db.connect(warehouse) as connection:
        builders.reference_data(connection)
        builders.report(connection, QUAN_SON, "2025-10", LINES)
        connection.commit()
    return warehouse


@pytest.fixture
def connection(reference: str) -> Iterator[Connection]:
    with builders.copy_of(reference) as connection:
        yield connection


@pytest.fixture
def light(monkeypatch: pytest.MonkeyPatch) -> None:
    """The files do not matter where the checks before them are tested."""
    monkeypatch.setattr(pack, "render", lambda figures, *_: {"bao-cao.txt": figures.release_id.encode()})


def freeze(connection: Connection, out: Path, period: Period = OCTOBER, now: datetime = NOW) -> list[tuple[Any, ...]]:
    """(rule, commune, message) of what is stored with the release."""
    frozen = release.freeze(connection, period, now, out)
    return connection.execute(
        "select expectation_id, commune_code, message_vi from release.finding where release_id = %s "
        "order by finding_no",
        (frozen["release_id"],),
    ).fetchall()


# Missing and late (CK32, CK33) ----------------------------------------------------------------------------------------


@pytest.mark.rule("CK32-missing", "triggers")
@pytest.mark.rule("CK32-unmarked", "just-not")
def test_every_commune_without_a_report_is_a_warning_when_the_documents_say_so(
    connection: Connection, tmp_path: Path, light: None
) -> None:
    builders.submission(connection, DONG_KINH, "2025-10", verdict="returned")
    connection.commit()

    found = freeze(connection, tmp_path)

    missing = {commune: message for rule, commune, message in found if rule == "CK32-missing"}
    assert len(missing) == 64
    assert QUAN_SON not in missing
    assert missing[DONG_KINH].endswith("khi chốt bản tổng hợp: Bị trả lại, chưa gửi lại.")
    assert {rule for rule, _, _ in found} == {"CK32-missing"}


@pytest.mark.rule("CK32-missing", "just-not")
def test_when_all_have_reported_there_is_nothing_to_say(connection: Connection, tmp_path: Path, light: None) -> None:
    for commune in province.load().communes:
        if commune != QUAN_SON:
            builders.report(connection, commune, "2025-10", LINES)
    connection.commit()

    assert freeze(connection, tmp_path) == []


@pytest.mark.rule("CK32-unmarked", "triggers")
@pytest.mark.parametrize("document", ["brief", "report"])
def test_without_the_coverage_sentence_a_month_with_missing_communes_is_not_frozen(
    connection: Connection, tmp_path: Path, light: None, monkeypatch: pytest.MonkeyPatch, document: str
) -> None:
    def silent(made: Document) -> Document:
        return without(made, lambda b: isinstance(b, Paragraph) and "tổng hợp từ báo cáo của" in joined(b.spans))

    tampered(monkeypatch, document, silent)

    with pytest.raises(ReleaseError, match=r"CK32-unmarked: .* thiếu câu nêu số xã, phường đã tổng hợp"):
        freeze(connection, tmp_path)
    nothing_is_left(connection, tmp_path)


def test_without_the_row_of_a_missing_commune_a_month_is_not_frozen(
    connection: Connection, tmp_path: Path, light: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def shorter(table: Table) -> Table:
        return replace(table, rows=tuple(row for row in table.rows if joined(row.cells[1]) != "Phường Đông Kinh"))

    tampered(monkeypatch, "report", lambda made: with_table(made, "Bang3", shorter))

    with pytest.raises(ReleaseError, match=r"Phường Đông Kinh .*Bảng 3\..* không có dòng của đơn vị này"):
        freeze(connection, tmp_path)
    nothing_is_left(connection, tmp_path)


@pytest.mark.rule("CK33", "triggers")
@pytest.mark.rule("CK33", "just-not")
@pytest.mark.parametrize(
    ("received", "days", "working"),
    [
        (datetime(2025, 11, 7, 16, 59, tzinfo=UTC), None, None),  # the last minute of the due day in Vietnam
        (datetime(2025, 11, 7, 17, 0, tzinfo=UTC), 1, 0),  # a minute later it is Saturday
        (datetime(2025, 11, 10, 2, 0, tzinfo=UTC), 3, 1),  # the Monday after
    ],
)
def test_a_report_is_late_from_the_day_after_the_due_day_on(
    connection: Connection, tmp_path: Path, light: None, received: datetime, days: int | None, working: int | None
) -> None:
    builders.report(connection, DONG_KINH, "2025-10", LINES, received_at=received)
    connection.commit()

    late = [
        message for rule, commune, message in freeze(connection, tmp_path) if (rule, commune) == ("CK33", DONG_KINH)
    ]

    told = [] if days is None else [f"chậm {working} ngày làm việc ({days} ngày theo lịch)."]
    assert [message.split(": ")[1] for message in late] == told


def test_a_make_up_saturday_is_a_working_day_of_delay(connection: Connection, tmp_path: Path, light: None) -> None:
    period, friday, saturday = Period(2026, 7), date(2026, 8, 21), date(2026, 8, 22)
    due = province.load().window(period).due_on
    for commune, day in ((QUAN_SON, friday), (DONG_KINH, saturday)):
        moment = datetime(day.year, day.month, day.day, 3, tzinfo=UTC)
        builders.report(connection, commune, str(period), [line("MTQG-2630", "DT", 100 * TRIEU, 0)], received_at=moment)
    connection.commit()

    freeze(connection, tmp_path, period, datetime(2026, 8, 25, tzinfo=UTC))

    stored = dict(
        connection.execute("select commune_code, difference from release.finding where rule_id = 'CK33'").fetchall()
    )
    assert stored == {QUAN_SON: "10", DONG_KINH: "11"}
    assert [province.load().working_days_between(due, day) for day in (friday, saturday)] == [10, 11]


# Numbers (CK39) -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def frozen(reference: str) -> FigureSet:
    with db.connect(reference) as connection:
        rows = figures.compute(connection, OCTOBER, 2025, NOW)
    return FigureSet("2025-10-r1", OCTOBER, 2025, NOW, ordered(rows))


@pytest.fixture(scope="module")
def made(frozen: FigureSet) -> Documents:
    return pack.build(frozen)


def judged(frozen: FigureSet, made: Documents) -> list[PeriodFinding]:
    found = checks.of_documents(frozen, (made.page, made.full), made.extra.charts())
    return [finding for finding in found if finding.severity == "error"]


def without(document: Document, unwanted: Callable[[Block], bool]) -> Document:
    return changed_blocks(document, lambda block: () if unwanted(block) else (block,))


def changed_blocks(document: Document, change: Callable[[Block], tuple[Block, ...]]) -> Document:
    sections = tuple(
        replace(section, blocks=tuple(new for block in section.blocks for new in change(block)))
        for section in document.sections
    )
    return replace(document, sections=sections)


def with_table(document: Document, wanted: str, change: Callable[[Table], Table]) -> Document:
    return changed_blocks(document, lambda b: (change(b),) if isinstance(b, Table) and b.name == wanted else (b,))


def with_span(document: Document, key: str, style: str, text: str, *, in_table: bool = False) -> Document:
    """The first span of that figure and style, in a sentence or in a table, says something else."""
    done = False

    def spans(found: tuple[Span, ...]) -> tuple[Span, ...]:
        nonlocal done
        result = []
        for span in found:
            if not done and span.figure and span.figure.key == key and span.style == style:
                span, done = replace(span, text=text), True
            result.append(span)
        return tuple(result)

    def change(block: Block) -> tuple[Block, ...]:
        if isinstance(block, Paragraph) and not in_table:
            return (replace(block, spans=spans(block.spans)),)
        if isinstance(block, Table) and in_table:
            rows = tuple(replace(row, cells=tuple(spans(cell) for cell in row.cells)) for row in block.rows)
            return (replace(block, rows=rows),)
        return (block,)

    result = changed_blocks(document, change)
    assert done
    return result


def with_paragraph(document: Document, *spans: Span) -> Document:
    first = document.sections[0]
    return replace(
        document, sections=(replace(first, blocks=(*first.blocks, Paragraph(spans))), *document.sections[1:])
    )


def tampered(monkeypatch: pytest.MonkeyPatch, document: str, change: Callable[[Document], Document]) -> None:
    module = pack.brief if document == "brief" else pack.report
    original = module.build
    monkeypatch.setattr(module, "build", lambda figure_set: change(original(figure_set)))


def nothing_is_left(connection: Connection, out: Path) -> None:
    for table in ("release.release", "release.figure", "release.finding", "release.artifact"):
        assert connection.execute(f"select count(*) from {table}").fetchone() == (0,)
    assert list(out.iterdir()) == []


@pytest.mark.rule("CK39-source", "just-not")
@pytest.mark.rule("CK39-table", "just-not")
@pytest.mark.rule("CK40-coverage", "just-not")
def test_the_documents_as_they_are_made_have_no_fault(frozen: FigureSet, made: Documents) -> None:
    assert judged(frozen, made) == []


@pytest.mark.rule("CK39-value", "triggers")
def test_a_number_in_a_sentence_that_is_not_its_figure_is_named_with_its_place(
    frozen: FigureSet, made: Documents
) -> None:
    (finding,) = judged(frozen, replace(made, page=with_span(made.page, "disb_ytd", "ty", "0,8")))

    assert finding.expectation_id == "CK39-value"
    assert finding.message == ("Tóm tắt, phần đầu, đoạn 1: ghi “0,8” nhưng số liệu disb_ytd là “0,7”.")


@pytest.mark.rule("CK39-value", "just-not")
def test_half_a_unit_is_rounded_up(frozen: FigureSet, made: Documents) -> None:
    """449,5 triệu đồng are 450 in a table and 0,4 tỷ đồng in a sentence: each of the figure, neither of the other."""
    by = {"programme": "NTM"}
    assert frozen.get("disb_ytd", **by).value == Decimal(449_500_000)
    assert (show(frozen.get("disb_ytd", **by)).text, show(frozen.get("disb_ytd", **by), "ty").text) == ("450", "0,4")
    assert judged(frozen, made) == []

    for text in ("449", "451"):
        wrong = with_span(made.full, "disb_ytd/programme=NTM", "trieu", text, in_table=True)
        assert "CK39-value" in {f.expectation_id for f in judged(frozen, replace(made, full=wrong))}


@pytest.mark.rule("CK39-table", "triggers")
def test_a_sentence_and_the_cell_that_it_quotes_must_be_one_number(frozen: FigureSet, made: Documents) -> None:
    wrong = with_span(made.full, "disb_ytd", "trieu", "1.700", in_table=True)

    found = judged(frozen, replace(made, full=wrong))

    assert {f.expectation_id for f in found} == {"CK39-value", "CK39-table"}
    assert any("ghi “0,7” nhưng Bảng 2." in f.message and "ghi “1.700”" in f.message for f in found)


@pytest.mark.rule("CK39-source", "triggers")
def test_a_figure_of_another_release_is_not_quoted(frozen: FigureSet, made: Documents) -> None:
    other = replace(frozen.get("rate_total"), value=Decimal("99.99"))

    (finding,) = judged(frozen, replace(made, page=with_paragraph(made.page, *sentence("Đạt {r}%.", r=other))))

    assert finding.expectation_id == "CK39-source"
    assert "“99,99” mang mã rate_total nhưng số liệu đó của bản tổng hợp là 23,32" in finding.message


@pytest.mark.rule("CK39-loose", "triggers")
@pytest.mark.parametrize(
    "text",
    [
        "Còn 12 xã chưa làm.",
        "Tỷ lệ đạt 41,5% kế hoạch.",
        "Nhiệm vụ tháng 12 năm 2025.",
    ],
)
def test_digits_that_are_no_figure_are_an_error(frozen: FigureSet, made: Documents, text: str) -> None:
    found = judged(frozen, replace(made, page=with_paragraph(made.page, Span(text))))

    assert {f.expectation_id for f in found} == {"CK39-loose"}
    assert text in found[0].message


@pytest.mark.rule("CK39-loose", "just-not")
@pytest.mark.parametrize(
    "text",
    [
        "Công văn số 6431/VP-KTCN ngày 26/8/2025 và Nghị định số 30/2020/NĐ-CP.",
        "Chưa giải ngân (0%); để hoàn thành 100% kế hoạch, xem Bảng 2 và Biểu IV.1.",
        "Số liệu của tháng 10 năm 2025, nhiệm vụ của tháng 11 năm 2025.",
    ],
)
def test_dates_documents_and_fixed_wording_are_no_figures(frozen: FigureSet, made: Documents, text: str) -> None:
    assert judged(frozen, replace(made, page=with_paragraph(made.page, Span(text)))) == []


def test_a_state_in_a_communes_own_words_may_hold_digits(connection: Connection) -> None:
    asked = builders.proposal("KN-1", "Sở Tài chính", "Bổ sung vốn", state="Đã trả lời (Công văn số 12)")
    builders.report(connection, DONG_KINH, "2025-10", LINES, proposals=[asked])
    rows = figures.compute(connection, OCTOBER, 2025, NOW)
    own = FigureSet("2025-10-r1", OCTOBER, 2025, NOW, ordered(rows))

    assert judged(own, pack.build(own)) == []


@pytest.mark.rule("CK39-direction", "triggers")
@pytest.mark.rule("CK39-direction", "just-not")
def test_the_words_of_a_change_follow_its_sign(connection: Connection) -> None:
    builders.report(connection, QUAN_SON, "2025-09", [line("GNBV-DA2", "SN", 1000 * TRIEU, 300 * TRIEU)])
    connection.commit()
    rows = figures.compute(connection, OCTOBER, 2025, NOW)
    falling = FigureSet("2025-10-r1", OCTOBER, 2025, NOW, ordered(rows))
    built = pack.build(falling)
    assert judged(falling, built) == []

    def rising(block: Block) -> tuple[Block, ...]:
        if not isinstance(block, Paragraph):
            return (block,)
        return (replace(block, spans=tuple(replace(s, text=s.text.replace("giảm ", "tăng ")) for s in block.spans)),)

    found = judged(falling, replace(built, page=changed_blocks(built.page, rising)))

    assert [f.expectation_id for f in found] == ["CK39-direction"]
    assert "phải là “giảm”" in found[0].message


def test_a_chart_draws_its_figures(frozen: FigureSet, made: Documents) -> None:
    ranking, *others = made.extra.blocks()
    assert isinstance(ranking, Chart)
    wrong = replace(ranking, caption="Tỷ lệ giải ngân (bình quân chung 55,00%)")
    extra = replace(made.extra, sections=(Section((wrong, *others)),))

    (finding,) = judged(frozen, replace(made, extra=extra))

    assert (finding.expectation_id, finding.value) == ("CK39-loose", "55,00")


# Missing is not zero, and totals say what they cover (CK40) -----------------------------------------------------------


@pytest.mark.rule("CK40-zero", "triggers")
def test_a_missing_commune_with_a_zero_in_its_row_is_an_error(frozen: FigureSet, made: Documents) -> None:
    def zero(table: Table) -> Table:
        rows = tuple(
            Row((*row.cells[:2], *[(Span("0"),)] * 6)) if joined(row.cells[1]) == "Phường Đông Kinh" else row
            for row in table.rows
        )
        return replace(table, rows=rows)

    found = judged(frozen, replace(made, full=with_table(made.full, "Bang3", zero)))

    assert "CK40-zero" in {f.expectation_id for f in found}
    assert any("Bảng 3." in f.message and "Phường Đông Kinh" in f.message and "“0”" in f.message for f in found)


def test_a_missing_commune_among_those_at_zero_is_an_error(frozen: FigureSet, made: Documents) -> None:
    spans = sentence("Đơn vị chưa giải ngân (0%): {name}.", name=frozen.get("name", commune=DONG_KINH))

    (finding,) = judged(frozen, replace(made, page=with_paragraph(made.page, *spans)))

    assert (finding.expectation_id, finding.commune_code) == ("CK40-zero", DONG_KINH)


@pytest.mark.rule("CK40-zero", "just-not")
def test_a_commune_that_reported_zero_may_be_shown_as_zero(frozen: FigureSet, made: Documents) -> None:
    spans = sentence("Đơn vị chưa giải ngân (0%): {name}.", name=frozen.get("name", commune=QUAN_SON))

    assert judged(frozen, replace(made, page=with_paragraph(made.page, *spans))) == []


@pytest.mark.rule("CK40-coverage", "triggers")
@pytest.mark.parametrize("covered", [(None, None), (65, 65), (1, 64)])
def test_a_total_with_another_coverage_than_the_month_is_an_error(
    frozen: FigureSet, covered: tuple[int | None, int | None]
) -> None:
    def uncovered(figure: Figure) -> Figure:
        if figure.key != "disb_period":
            return figure
        return replace(figure, coverage_n=covered[0], coverage_of=covered[1])

    other = replace(frozen, figures=tuple(uncovered(figure) for figure in frozen))

    found = judged(other, pack.build(other))

    assert {f.expectation_id for f in found} == {"CK40-coverage"}
    assert "disb_period" in found[0].message


def test_a_table_of_totals_says_how_many_communes_it_covers(frozen: FigureSet, made: Documents) -> None:
    unsaid = with_table(made.full, "Bang2", lambda table: replace(table, unit=(Span("Đơn vị tính: triệu đồng."),)))

    found = judged(frozen, replace(made, full=unsaid))

    assert {f.expectation_id for f in found} == {"CK40-coverage"}
    assert all("Bảng 2." in f.message for f in found)


# Nothing tampered is stored ------------------------------------------------------------------------------------------


def test_a_tampered_report_is_not_frozen(
    connection: Connection, tmp_path: Path, light: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    tampered(monkeypatch, "report", lambda document: with_span(document, "rate_total", "pct", "32,32"))

    with pytest.raises(ReleaseError, match=r"2025-10-r1: 1 lỗi .*\nCK39-value: Báo cáo, .* ghi “32,32”"):
        freeze(connection, tmp_path)
    nothing_is_left(connection, tmp_path)


def test_figures_that_call_a_missing_commune_unpaid_are_not_frozen(
    connection: Connection, tmp_path: Path, light: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = figures.compute

    def with_zero(*arguments: Any) -> list[Figure]:
        by = (("commune", DONG_KINH),)
        extra = [
            Figure("rate_total", "pct", "mart.disbursement_rate", by, value=Decimal(0)),
            Figure("order_lowest", "count", "mart.commune_rank", by, value=Decimal(1)),
            Figure("order_undisbursed", "count", "mart.commune_rank", by, value=Decimal(1)),
            Figure("undisbursed", "vnd", "mart.disbursement_rate", by, value=Decimal(0)),
        ]
        return [*original(*arguments), *extra]

    monkeypatch.setattr(figures, "compute", with_zero)

    with pytest.raises(ReleaseError, match=r"CK40-zero: .*Phường Đông Kinh"):
        freeze(connection, tmp_path)
    nothing_is_left(connection, tmp_path)


# Unusual figures (BT01 to BT03) ---------------------------------------------------------------------------------------


def peers(connection: Connection, wild: dict[str, int], done: str = "5") -> None:
    """Twenty communes with the same line and output; ``wild`` changes the line of the last one."""
    communes = sorted(set(province.load().communes) - {QUAN_SON})[:20]
    for number, commune in enumerate(communes):
        row = line("DTTS-DA1-ND2", "DT", 1000 * TRIEU, 400 * TRIEU, month=(90 + number) * TRIEU)
        row |= {"disb_advance": 40 * TRIEU, "disb_completed": 360 * TRIEU}
        last = commune == communes[-1]
        outputs = [{"indicator_code": "CT-08", "target_year": 10, "actual_ytd": Decimal(done if last else "5")}]
        builders.report(connection, commune, "2025-10", [row | wild if last else row], outputs=outputs)
    connection.commit()


@pytest.mark.rule("BT01", "triggers")
@pytest.mark.rule("BT02", "triggers")
@pytest.mark.rule("BT03", "triggers")
@pytest.mark.parametrize(
    ("rule", "wild", "done", "told"),
    [
        ("BT01", {"disb_period": 950 * TRIEU}, "5", "bằng 95,00 % kế hoạch của dòng DTTS-DA1-ND2-DT"),
        ("BT01", {"disb_period": 10 * TRIEU}, "5", "bằng 1,00 % kế hoạch"),
        ("BT02", {}, "0.5", "800,00 triệu đồng trên một hộ của chỉ tiêu CT-08"),
        ("BT02", {}, "50", "8,00 triệu đồng trên một hộ"),
        ("BT03", {"disb_advance": 396 * TRIEU, "disb_completed": 4 * TRIEU}, "5", "bằng 99,00 % lũy kế giải ngân"),
    ],
)
def test_an_unusual_figure_is_stored_told_in_the_annex_and_does_not_stop_the_release(
    connection: Connection, tmp_path: Path, light: None, rule: str, wild: dict[str, int], done: str, told: str
) -> None:
    peers(connection, wild, done)

    found = [row for row in freeze(connection, tmp_path) if row[0].startswith("BT")]

    assert [row[0] for row in found] == [rule]
    assert told in found[0][2]
    frozen = release.figures_of(connection, release.get(connection, "2025-10-r1"))
    table = next(t for t in report.build(frozen).tables() if t.name == "PL4-BatThuong")
    assert joined(table.rows[0].cells[7]) == found[0][2]
    assert release.freeze(connection, OCTOBER, NOW + timedelta(days=1), tmp_path)["release_id"] == "2025-10-r1"


@pytest.mark.rule("BT01", "just-not")
@pytest.mark.rule("BT02", "just-not")
@pytest.mark.rule("BT03", "just-not")
@pytest.mark.parametrize(
    ("wild", "done"),
    [
        ({"disb_period": 300 * TRIEU}, "5"),
        ({"disb_period": 30 * TRIEU}, "5"),
        ({"disb_period": 0}, "5"),
        ({}, "1"),
        ({}, "25"),
        ({"disb_advance": 150 * TRIEU, "disb_completed": 250 * TRIEU}, "5"),
    ],
)
def test_what_is_large_or_small_but_not_unusual_is_left_alone(
    connection: Connection, tmp_path: Path, light: None, wild: dict[str, int], done: str
) -> None:
    peers(connection, wild, done)

    assert [row for row in freeze(connection, tmp_path) if row[0].startswith("BT")] == []


# The annex ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def collected(empty: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Workbooks of two communes: one warning with a note, one error that an officer overrode; a Treasury statement with
    a document booked late, an unexplained difference and an overdue advance."""
    monkeypatch.setattr(quality_figures, "PRINTED", 2)
    send(empty, workbook(period=OCTOBER.previous), name(period=OCTOBER.previous), 0)
    send(empty, edited(_fallen), name(), 1)
    send(empty, edited(_wrong_rate, workbook(DONG_KINH), values=True), name(DONG_KINH), 2)
    with db.connect() as connection:
        returned = connection.execute("select submission_id from raw.submission where verdict = 'returned'").fetchone()
    assert returned is not None
    steps.override(returned[0], [], "Nguyễn Thị Lan", "Đã đối chiếu chứng từ nộp trả", COLLECTED + timedelta(hours=5))
    plants = [Plant("posting", DONG_KINH), Plant("amount", CHI_LANG), Plant("overdue", DONG_KINH)]
    write_statement(empty / "sao-ke.xlsx", simulation(), OCTOBER, 2025, (CHI_LANG, DONG_KINH), plants)
    return empty


def send(home: Path, data: bytes, file_name: str, hours: int) -> None:
    path = home / "inbox" / str(hours) / file_name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    moment = COLLECTED + timedelta(hours=hours)
    steps.archive_inbox(moment)
    steps.process_received(moment)


def _rows_with_money(book: Workbook) -> list[int]:
    sheet = book["B01-GiaiNgan"]
    codes = ((r, str(sheet.cell(r, 3).value)) for r in range(11, sheet.max_row))
    return [r for r, code in codes if code.endswith(("-DT", "-SN")) and (sheet[f"L{r}"].value or 0) > 1]


def _fallen(book: Workbook) -> None:
    row = _rows_with_money(book)[0]
    for letter, value in {"L": 0.5, "M": 0, "N": 0.5, "O": 0, "P": 0, "T": None}.items():
        book["B01-GiaiNgan"][f"{letter}{row}"] = value


def _wrong_rate(book: Workbook) -> None:
    for row in _rows_with_money(book)[:3]:
        book["B01-GiaiNgan"][f"Q{row}"] = 99.5
        book["B01-GiaiNgan"][f"T{row}"] = "tỷ lệ tính theo vốn đã phân khai"


def take_statement(home: Path) -> None:
    with db.transaction() as connection:
        taken = treasury.take_in(
            connection, home / "sao-ke.xlsx", settings.get().archive_dir, province.load(), COLLECTED
        )
    assert taken.loaded is not None


def annex(home: Path) -> tuple[list[Block], dict[str, Table], str]:
    """Blocks and tables of Phụ lục IV of the frozen month; the release."""
    release_id = steps.freeze("2025-10", COLLECTED + timedelta(hours=8))["release_id"]
    with db.connect() as connection:
        frozen = release.figures_of(connection, release.get(connection, release_id))
    section = next(s for s in report.build(frozen).sections if s.annex == "Phụ lục IV")
    return list(section.blocks), {b.name: b for b in section.blocks if isinstance(b, Table)}, release_id


def text_of(row: Row) -> list[str]:
    return [joined(cell) for cell in row.cells]


@pytest.mark.slow
def test_the_annex_tells_what_was_found_answered_and_compared(collected: Path) -> None:
    take_statement(collected)

    blocks, tables, release_id = annex(collected)

    sentences = [joined(b.spans) for b in blocks if isinstance(b, Paragraph)]
    by_rule = {text_of(row)[1]: text_of(row)[4:] for row in tables["PL4-QuyTac"].rows}
    assert by_rule["CK05"] == ["1", "3", "3", "0", "0", "0"]
    assert by_rule["CK15-b01"] == ["1", "1", "0", "0", "1", "0"]
    explained = tables["PL4-GiaiTrinh"]
    assert (len(explained.rows), len(explained.rest)) == (2, 1)
    assert text_of(explained.rows[0])[1] == "Phường Đông Kinh"
    assert text_of(explained.rows[0])[6:] == ["Tỷ lệ tính theo vốn đã phân khai", "Đơn vị"]
    assert "Biểu trên ghi 2 cảnh báo có số tiền lớn nhất; 1 cảnh báo khác ghi trong tệp bảng biểu (XLSX)." in sentences
    (override,) = tables["PL4-ChapNhan"].rows
    assert text_of(override)[1] == "Xã Chi Lăng"
    assert text_of(override)[5:] == ["Nguyễn Thị Lan", "Đã đối chiếu chứng từ nộp trả"]
    kinds = {text_of(row)[1]: text_of(row)[2:] for row in tables["PL4-KhoBac"].rows}
    assert kinds["Do ngày hạch toán"][:2] == ["1", "1"]
    assert kinds["Tạm ứng quá hạn thu hồi"][2:4] == ["–", "–"]
    assert any("Đối chiếu báo cáo của 2 xã, phường với sao kê" in text for text in sentences)
    assert not any("[Cơ quan chủ trì" in text for text in sentences)
    sheets = load_workbook(
        io.BytesIO((settings.get().out_dir / "2025-10" / release_id / "bang-bieu-2025-10.xlsx").read_bytes())
    )
    assert sheets["PL4-GiaiTrinh"].max_row == 3 + 3
    with db.connect() as connection:
        ids = connection.execute(
            "select figure_id from release.figure where release_id = %s and unit = 'vnd' and value is not null and "
            "(metric like 'treasury%%' or metric like 'answer%%')",
            (release_id,),
        ).fetchall()
        chains = [trace.trace(connection, figure_id, settings.get().archive_dir) for (figure_id,) in ids]
    assert len(chains) > 8
    assert all(chain.get("agrees", True) for chain in chains)
    assert all(chain.get("findings") or chain.get("differences") for chain in chains)
    assert any(cell["held"] for chain in chains for cell in chain.get("findings", ()))


@pytest.mark.slow
def test_without_a_statement_of_the_date_the_annex_says_so(collected: Path) -> None:
    write_statement(collected / "sao-ke.xlsx", simulation(), OCTOBER, 2025, (CHI_LANG, DONG_KINH), [Plant("date")])
    before, _, _ = annex(collected)
    take_statement(collected)
    after, tables, release_id = annex(collected)

    texts = [[joined(b.spans) for b in blocks if isinstance(b, Paragraph)] for blocks in (before, after)]
    assert any("Chưa có sao kê của Kho bạc Nhà nước đến ngày 31/10/2025. Chỉ" in text for text in texts[0])
    assert any("đến ngày 31/10/2025; sao kê đã nạp là của ngày 15/10/2025. Chỉ" in text for text in texts[1])
    assert "PL4-KhoBac" not in tables
    assert release_id == "2025-10-r2"
