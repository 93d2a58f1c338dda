"""The grammar of deadlines, on phrases whose answers were worked out by hand (``deadlines.csv``)."""

from __future__ import annotations

import csv
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.directives import deadlines
from etl.directives.deadlines import Clock
from etl.reference import province

_FILE = Path(__file__).with_name("deadlines.csv")


def clock(issued: date | None) -> Clock:
    return Clock(issued, province.load().is_working_day)


def phrases() -> list[dict[str, str]]:
    with _FILE.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


@pytest.mark.parametrize("row", phrases(), ids=lambda row: f"{row['issued']} {row['text']}")
def test_a_phrase_has_its_date_kind_and_recurrence(row: dict[str, str]) -> None:
    found = deadlines.chosen(deadlines.find(row["text"], clock(date.fromisoformat(row["issued"]))), row["text"])
    if not row["kind"]:
        assert found is None
        return
    assert found is not None
    due = found.due.isoformat() if found.due else ""
    wanted = (row["phrase"], due, row["kind"], row["recurrence"])
    assert (found.phrase, row["due_date"], found.kind, found.recurrence or "") == wanted


def test_there_are_at_least_300_phrases() -> None:
    assert len(phrases()) >= 300


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("khẩn trương rà soát", "khẩn trương"),
        ("kịp thời, sớm xử lý", "kịp thời"),
        ("ngay từ tuần này", None),
        ("sớm hơn tiến độ", None),
    ],
)
def test_a_word_that_urges_is_the_phrase_where_there_is_no_date(text: str, phrase: str | None) -> None:
    found = deadlines.vague(text)
    assert (found.phrase if found else None) == phrase


@pytest.mark.parametrize(
    "text", ["trước ngày 20/10", "trong tuần này", "trong vòng 05 ngày làm việc", "trong tháng 12"]
)
def test_without_the_day_of_issue_a_relative_phrase_has_no_date(text: str) -> None:
    (found,) = deadlines.find(text, clock(None))
    assert (found.due, found.question) == (None, deadlines.ISSUE_DATE_NEEDED)


@given(st.dates(date(2024, 1, 1), date(2027, 12, 31)), st.integers(0, 360))
def test_a_day_without_year_is_the_first_one_not_before_the_day_of_issue(issued: date, later: int) -> None:
    day = issued + timedelta(later)
    if (day.month, day.day) == (2, 29):
        return
    (found,) = deadlines.find(f"chậm nhất ngày {day.day}/{day.month}", clock(issued))
    assert found.due == day


@given(st.dates(date(2024, 1, 1), date(2027, 11, 30)), st.integers(1, 20))
def test_working_days_end_on_a_working_day(issued: date, count: int) -> None:
    (found,) = deadlines.find(f"trong vòng {count:02d} ngày làm việc kể từ ngày ban hành", clock(issued))
    assert found.due is not None
    assert province.load().is_working_day(found.due)
    assert province.load().working_days_between(issued, found.due) == count


@given(st.text(max_size=200))
def test_no_text_breaks_the_grammar(text: str) -> None:
    for found in deadlines.find(text, clock(date(2025, 10, 15))):
        assert text[found.start : found.end] == found.phrase
