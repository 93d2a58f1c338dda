"""The office's words in a release: kept with it, checked before it, and every month of the year says nothing wrong."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from etl import settings
from etl.errors import ReleaseError
from etl.load import marts
from etl.load import warehouse as db
from etl.load.warehouse import Connection
from etl.period import Period
from etl.publish import checks, figures, pack, release, words
from etl.publish.figure import FigureSet, ordered
from etl.publish.model import Document, Heading, Kpis, Paragraph, joined
from etl.publish.text import vi_key
from etl.reference import province
from tests.sql import builders
from tests.sql.builders import TRIEU, line, proposal

OCTOBER = Period(2025, 10)
NOW = datetime(2025, 11, 11, 2, 30, tzinfo=UTC)
LATER = NOW + timedelta(days=3)
QUAN_SON, DONG_KINH = "06517", "05977"
OWN = 'coverage:\n  some_no_share: "Mới có {n} trong {of} xã, phường, thiếu {m}: {names}."\n'
OTHER = OWN.replace("Mới có", "Hiện có")


@pytest.fixture(scope="module")
def reference(warehouse: str) -> str:
    with db.connect(warehouse) as connection:
        builders.reference_data(connection)
        builders.report(connection, QUAN_SON, "2025-10", [line("GNBV-DA2", "SN", 1000 * TRIEU, 250 * TRIEU)])
        connection.commit()
    return warehouse


@pytest.fixture
def connection(reference: str) -> Iterator[Connection]:
    with builders.copy_of(reference) as connection:
        yield connection


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The office's folder of words, in force."""
    folder = tmp_path / "loi-van"
    folder.mkdir()
    monkeypatch.setenv("TIENDO_WORDS_DIR", str(folder))
    settings.reload()
    yield folder
    monkeypatch.undo()
    settings.reload()


@pytest.fixture
def light(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the sentences of the brief, as the stand-in of all documents."""

    def render(made: FigureSet, documents: Any = None, evidence: object = None) -> dict[str, bytes]:
        page = (documents or pack.build(made)).page
        return {"tom-tat.txt": "\n".join(joined(b.spans) for b in page.blocks() if isinstance(b, Paragraph)).encode()}

    monkeypatch.setattr(pack, "render", render)


def freeze(connection: Connection, out: Path, now: datetime = NOW) -> dict[str, Any]:
    return release.freeze(connection, OCTOBER, now, out)


def say(office: Path, text: str) -> None:
    (office / "chung.yml").write_text(text, encoding="utf-8")


def brief_of(out: Path, release_id: str = "2025-10-r1") -> str:
    return (out / "2025-10" / release_id / "tom-tat.txt").read_text(encoding="utf-8")


def approve(connection: Connection, out: Path, frozen: dict[str, Any]) -> None:
    release.approve(
        connection, frozen["release_id"], frozen["manifest_sha256"], "Chánh Văn phòng", "approved", NOW, out
    )


def test_the_offices_words_are_in_the_documents(
    connection: Connection, tmp_path: Path, office: Path, light: None
) -> None:
    say(office, OWN)

    freeze(connection, tmp_path / "out")

    assert "Mới có 1 trong 65 xã, phường, thiếu 64: " in brief_of(tmp_path / "out")


def test_lost_documents_come_back_in_the_words_that_they_were_approved_in(
    connection: Connection, tmp_path: Path, office: Path, light: None
) -> None:
    say(office, OWN)
    frozen = freeze(connection, tmp_path / "out")
    approve(connection, tmp_path / "out", frozen)
    shutil.rmtree(tmp_path / "out")
    say(office, OTHER)

    again = freeze(connection, tmp_path / "out", LATER)

    assert (again["release_id"], again["manifest_sha256"]) == ("2025-10-r1", frozen["manifest_sha256"])
    assert "Mới có 1 trong 65" in brief_of(tmp_path / "out")


def test_other_words_make_a_new_draft_of_what_waits_for_approval_and_say_which(
    connection: Connection, tmp_path: Path, office: Path, light: None
) -> None:
    freeze(connection, tmp_path / "out")
    say(office, OWN)

    second = freeze(connection, tmp_path / "out", LATER)

    assert second["release_id"] == "2025-10-r2"
    assert "Không có số liệu nào thay đổi" in second["approval_markdown"]
    assert "Câu chữ của 1 câu mẫu thay đổi: chung.yml/coverage/some_no_share." in second["approval_markdown"]
    assert freeze(connection, tmp_path / "out", LATER)["release_id"] == "2025-10-r2"


def test_faulty_words_stop_the_freeze_with_all_faults_and_leave_nothing(
    connection: Connection, tmp_path: Path, office: Path, light: None
) -> None:
    say(office, 'coverage:\n  some: "Mới có {n} trong 65 xã, phường."\nchange:\n  up: "giảm {x:tỷ đồng}"\n')
    (tmp_path / "out").mkdir()

    with pytest.raises(ReleaseError, match=r"có 6 chỗ sai(.|\n)*thiếu chỗ trống \{of\}(.|\n)*không hợp với số liệu"):
        freeze(connection, tmp_path / "out")

    for table in ("release.release", "release.figure", "release.artifact"):
        assert connection.execute(f"select count(*) from {table}").fetchone() == (0,)
    assert list((tmp_path / "out").iterdir()) == []


def test_the_words_of_a_release_are_kept_with_it(
    connection: Connection, tmp_path: Path, office: Path, light: None
) -> None:
    say(office, OWN)
    freeze(connection, tmp_path / "out")

    frozen = release.figures_of(connection, release.get(connection, "2025-10-r1"))

    assert frozen.words == words.load(office) != words.package()


def test_the_order_of_names_is_that_of_the_servers_vietnamese_collation(connection: Connection) -> None:
    if not connection.execute("select 1 from pg_collation where collname = 'vi-x-icu'").fetchone():
        pytest.skip("the server was built without ICU")
    names = [commune.name_vi for commune in province.load().communes.values()]
    names += ["Sở Đất đai", "Sở Dân tộc và Tôn giáo", "Sở Du lịch", "ma", "mà", "mả", "mã", "má", "mạ", "Ơn", "ô tô"]

    rows = connection.execute('select n from unnest(%s) as n order by n collate "vi-x-icu"', (names,)).fetchall()

    assert sorted(names, key=vi_key) == [row[0] for row in rows]


# Months of every kind -------------------------------------------------------------------------------------------------


def told(document: Document) -> list[str]:
    lines = [*document.title, joined(document.subtitle)]
    for block in document.blocks():
        if isinstance(block, Paragraph):
            lines.append(joined(block.spans))
        elif isinstance(block, Heading):
            lines.append(block.text)
        elif isinstance(block, Kpis):
            lines += [f"{joined(box.value)} ({joined(box.note)})" for box in block.boxes]
    return lines


def paid(share: int) -> list[dict[str, Any]]:
    return [
        line("GNBV-DA2", "SN", 1000 * TRIEU, 10 * share * TRIEU, carry=200 * TRIEU, disb_carry=share * TRIEU),
        line("NTM-ND02", "DT", 2000 * TRIEU, 20 * share * TRIEU, month=share * TRIEU),
    ]


ALL = tuple(province.load().communes)
FEW = (*[code for code in ALL if code != QUAN_SON][:19], QUAN_SON)
MONTHS: dict[str, tuple[str, int, dict[str, list[dict[str, Any]]], str]] = {
    "one commune": ("2025-10", 2025, {QUAN_SON: paid(30)}, "Mới có số liệu giải ngân của xã Quan Sơn nên chưa so sánh"),
    "all at zero": ("2025-10", 2025, {c: paid(0) for c in FEW}, "Cả 20 xã, phường có số liệu đều chưa giải ngân"),
    "more than the plan": ("2025-10", 2025, {c: paid(120) for c in FEW}, "cao hơn tổng kế hoạch vốn được sử dụng"),
    "all paid": (
        "2025-10", 2025, {c: [line("GNBV-DA2", "SN", 500 * TRIEU, 500 * TRIEU)] for c in ALL},
        "Toàn bộ kế hoạch vốn của các xã, phường có báo cáo đã được giải ngân.",
    ),
    "no plan": ("2025-10", 2025, {QUAN_SON: [line("GNBV-DA2", "SN", 0, 0)]}, "không có kế hoạch vốn năm 2025."),
    "nothing reported": (
        "2025-10", 2025,
        {QUAN_SON: [line("GNBV-DA2", "SN", 100 * TRIEU, 0) | dict.fromkeys(
            ("disb_period", "disb_ytd", "disb_nstw", "disb_nsdp", "disb_completed", "disb_advance", "disb_carry"))]},
        "chưa ghi số lũy kế giải ngân",
    ),
    "first month": ("2026-01", 2026, {c: paid(3) for c in FEW}, "chưa so với tháng trước vì là tháng đầu"),
    "closing month": ("2026-01", 2025, {c: paid(90) for c in FEW}, "tháng 1 năm 2026 (năm ngân sách 2025)"),
}  # fmt: skip


@pytest.mark.parametrize("name", MONTHS)
def test_a_month_of_any_kind_is_told_without_a_fault(connection: Connection, name: str) -> None:
    period, year, reports, expected = MONTHS[name]
    for commune, lines in reports.items():
        asked = (
            [proposal(f"KN-{commune}", "UBND tỉnh", "Bổ sung vốn")] if len(reports) > 1 and commune == FEW[0] else []
        )
        version = 2 if (commune, period) == (QUAN_SON, "2025-10") else 1
        builders.report(
            connection, commune, period, lines, budget_year=year, proposals=asked, version=version, received_at=NOW
        )
    marts.refresh(connection)
    rows = figures.compute(connection, Period.parse(period), year, LATER)
    made = FigureSet(f"{period}-r1", Period.parse(period), year, LATER, ordered(rows))

    documents = pack.build(made)
    found = checks.of_documents(made, (documents.page, documents.full), documents.extra.charts())
    lines_told = [*told(documents.page), *told(documents.full)]

    assert [f.message for f in found if f.severity == "error"] == []
    assert expected in "\n".join(lines_told)
    for text in lines_told:
        assert not any(odd in text for odd in ("– %", "– tỷ", "  ", " ,", " .", ": .", ":;", "{", "}", "-0,")), text
