"""Notices of many authorities, read as a person reads them."""

from __future__ import annotations

import unicodedata
from datetime import date
from pathlib import Path

import pytest

from etl.directives import notice
from etl.directives.folding import content_of, key
from etl.reference import province
from tests.directives import gold


@pytest.mark.parametrize("name", gold.names())
def test_the_tasks_are_those_that_a_person_finds(name: str) -> None:
    score = gold.score(name, gold.read(name).rows)
    assert score.f1 >= 0.9, (score.missed, score.extra)


@pytest.mark.parametrize("name", gold.names())
def test_every_dated_task_has_its_date_and_no_other_has_one(name: str) -> None:
    score = gold.score(name, gold.read(name).rows)
    assert score.dates == ()
    assert not [
        task for task in gold.tasks(name) if task["due_date"] and any(task["item_no"] in m for m in score.missed)
    ]


@pytest.mark.parametrize("name", gold.names())
def test_the_span_is_where_the_content_stands(name: str) -> None:
    read = gold.read(name)
    for row in read.rows:
        assert content_of(read.text, tuple(row["span"])) == row["content"]


def test_the_seed_notice_gives_its_21_tasks() -> None:
    read = gold.read("seed")
    score = gold.score("seed", read.rows)
    assert score.f1 >= 0.95
    assert (score.dates, score.kinds, score.partners) == ((), (), ())
    dated = {row["item"]: row["due_date"] for row in read.rows if row["due_kind"] == "date"}
    assert dated == {"6.1": "2025-10-31", "6.4": "2025-10-20"}
    assert [row["recurrence"] for row in read.rows if row["due_kind"] == "recurring"] == ["monthly"]


def test_what_the_seed_notice_does_not_say_is_asked() -> None:
    read = gold.read("seed")
    assert (read.head.number, read.head.issued, read.head.issuer) == (None, None, None)
    assert [question.split(":")[0] for question in read.questions] == [
        "Văn bản không ghi số",
        "Văn bản không ghi ngày ban hành",
        "Văn bản không có tên cơ quan ban hành ở đầu trang",
    ]
    assert read.head.chair is not None
    assert read.head.chair.startswith("đồng chí Đoàn Thanh Sơn, Phó Chủ tịch UBND tỉnh")
    assert read.head.met_on == date(2025, 10, 10)
    assert read.head.signed_by == "Hoàng Xuân Đồng"
    assert len(read.head.recipients) == 5


def test_related_documents_go_with_the_task() -> None:
    rows = {row["item"]: row for row in gold.read("seed").rows}
    assert rows["6.1"]["documents"] == ["Công văn số 6431/VP-KTCN ngày 26/8/2025 của Văn phòng UBND tỉnh"]


@pytest.mark.parametrize("name", ["real05", "real06"])
def test_the_public_notices_have_partners_and_kinds_as_well(name: str) -> None:
    score = gold.score(name, gold.read(name).rows)
    assert (score.f1, score.dates, score.kinds, score.partners) == (1.0, (), (), ())


@pytest.mark.parametrize("name", ["made_city_2", "seed"])
def test_decomposed_letters_read_the_same(name: str, tmp_path: Path) -> None:
    path = tmp_path / "notice.txt"
    path.write_text(unicodedata.normalize("NFD", (gold.FOLDER / f"{name}.txt").read_text("utf-8")), "utf-8")
    read = notice.read(path, province.load().is_working_day)
    assert [row["content"] for row in read.rows] == [row["content"] for row in gold.read(name).rows]


@pytest.mark.parametrize("name", gold.names())
def test_the_phrase_is_that_of_the_notice(name: str) -> None:
    read = gold.read(name)
    text = key(content_of(read.text, (0, len(read.text))))
    for row in read.rows:
        assert key(row["deadline_phrase"]) in text


def test_what_is_told_of_the_past_is_no_task() -> None:
    for name in ("made_council_1", "made_council_2", "made_province_7", "made_government_office_10"):
        assert not [row for row in gold.read(name).rows if "đã " in row["content"][:30]], name


def test_a_date_that_needs_the_day_of_issue_says_so_without_it() -> None:
    found = notice.read(gold.FOLDER / "made_province_1.txt", province.load().is_working_day)
    asked = [row for row in found.rows if row["question"]]
    assert {row["deadline_phrase"] for row in asked} == {
        "trước 17 giờ 00 phút ngày 15/12",
        "trong tháng 01",
        "trước ngày 20/01",
    }
    assert all(row["due_date"] is None and row["due_kind"] == "date" for row in asked)
    assert found.head.symbol == "TB-VP"


def test_former_bodies_keep_their_name_and_know_their_successor() -> None:
    rows = gold.read("made_government_office_2").rows
    successors = {row["lead"]: row["successor"] for row in rows if row["successor"]}
    assert successors["Bộ Kế hoạch và Đầu tư"] == "Bộ Tài chính"
    assert successors["Ủy ban Dân tộc"] == "Bộ Dân tộc và Tôn giáo"


def test_items_are_names() -> None:
    for name in gold.names():
        items = [row["item"] for row in gold.read(name).rows]
        assert len(set(items)) == len(items), name
