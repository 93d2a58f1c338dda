"""The corpus itself, and what the project's reader and checks make of it."""

from __future__ import annotations

import hashlib
import random
from collections import Counter

import pytest

from tests import corpus
from tests.corpus import encodings, engine, measure
from tests.corpus.base import COUNT, base
from tests.corpus.item import Expected, Found, Made, Outcome

_MOST_MEGABYTES = 256


# --- the kit --------------------------------------------------------------------------------------------------------


def test_there_are_at_least_sixty_classes_of_ten_and_fifty_hostile_files() -> None:
    items = corpus.items()
    assert len(corpus.classes()) >= 60
    assert set(Counter(i.defect for i in items).values()) == {10}
    assert len(corpus.hostile()) >= 50


def test_every_name_is_used_once() -> None:
    for names in ([i.name for i in [*corpus.items(), *corpus.valid()]], [h.name for h in corpus.hostile()]):
        assert len(set(names)) == len(names)


def test_the_same_item_gives_the_same_bytes() -> None:
    chosen = [*corpus.valid()[::4], *(corpus.items(c)[random.Random(c).randrange(10)] for c in corpus.classes())]
    files = measure.built(chosen)
    first = {i.name: hashlib.sha256(data).hexdigest() for i, (_, data) in zip(chosen, files, strict=True)}
    again = {i.name: i for i in [*corpus.items(), *corpus.valid()]}
    assert {name: hashlib.sha256(again[name].make().build()).hexdigest() for name in first} == first


def test_variations_of_a_class_are_different_files() -> None:
    for name in ("m01-vietnamese-style", "m15-tcvn3-whole-sheet", "ck14-half-paid", "m37-dummy-zeros"):
        assert len({data for _, data in measure.built(corpus.items(name))}) == 10


def test_an_error_returns_the_workbook_and_only_what_is_accepted_has_facts() -> None:
    for item in corpus.items():
        for answer in item.answers:
            severities = {f.severity for f in answer.findings}
            if answer.refused:
                assert len(answer.findings) == 1, item.name
                assert (answer.findings[0].sheet, answer.findings[0].cell) == (None, None), item.name
            elif not answer.members:
                assert answer.verdict == ("returned" if "error" in severities else "accepted"), item.name
            assert (answer.facts is not None) == (answer.verdict == "accepted" and not answer.members), item.name


def test_every_case_that_a_file_alone_can_show_has_a_class() -> None:
    covered = {i.case.rstrip("bc") for i in corpus.items()}
    assert {str(n) for n in range(1, 43)} - {"42"} <= covered
    assert {"45", "47"} <= covered
    hostile = " ".join(h.name for h in corpus.hostile())
    assert all(word in hostile for word in ("bomb", "macro", "doctype", "far-"))
    rules = {f.rule for i in corpus.items() for a in i.answers for f in a.findings}
    assert {f"CK{n:02d}" for n in range(1, 15)} <= rules


def test_bases_say_that_every_amount_adds_up() -> None:
    for number in range(COUNT):
        made = base(number)
        assert 4 <= len(made.content.lines) <= 8
        for line in made.content.lines:
            assert made.paid(line.line_code) <= made.planned(line.line_code)


def test_old_encodings_are_those_of_the_fonts() -> None:
    assert encodings.tcvn3("Hỗ trợ nước sinh hoạt") == "Hç trî n\xadíc sinh ho¹t"
    assert encodings.vni("Hỗ trợ nước sinh hoạt") == "Hoã trôï nöôùc sinh hoaït"
    assert encodings.vni("ĐƯỜNG ĐỒNG ĐĂNG") == "ÑÖÔØNG ÑOÀNG ÑAÊNG"


def _item(*findings: Expected) -> corpus.Item:
    return corpus.Item("a/0", "a", "1", lambda: Made("a.xlsx", bytes, findings, {("B01", "X", "note"): None}))


def test_a_finding_counts_at_its_cell_only_and_once() -> None:
    item = _item(Expected("M04", "info", "B01", "L14"))
    right, wrong = Found("M04", "info", "B01", "L14"), Found("M04", "info", "B01", "L15")
    facts = {("B01", "X", "note"): None}
    assert measure.compare(item, [Outcome("a.xlsx", "accepted", (right,), facts)]).right
    score = measure.compare(item, [Outcome("a.xlsx", "accepted", (wrong, right, right), facts)])
    assert (len(score.missed), len(score.extra)) == (0, 2)


def test_another_place_is_right_only_where_it_is_stated() -> None:
    item = _item(Expected("M31", "error", "B01", "L8", frozenset({("B01", None)})))
    assert not measure.compare(item, [Outcome("a.xlsx", "returned", (Found("M31", "error", "B01", None),))]).missed
    assert measure.compare(item, [Outcome("a.xlsx", "returned", (Found("M31", "error", "B01", "A1"),))]).missed


def test_a_value_that_comes_out_wrong_or_a_row_too_many_is_told() -> None:
    item = corpus.Item("a/0", "a", "1", lambda: Made("a.xlsx", bytes, (), {("B01", "X-DT", "disb_ytd"): 5}))
    outcome = Outcome("a.xlsx", "accepted", (), {("B01", "X-DT", "disb_ytd"): 6, ("B01", "Y-DT", "disb_ytd"): 1})
    assert len(measure.compare(item, [outcome]).facts) == 2


# --- the engine -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def mutated() -> measure.Total:
    measure.built(corpus.items())
    return measure.measure(corpus.items(), engine.check_files)


CASES = sorted({int(i.case.rstrip("bc")) for i in corpus.items() if i.case.rstrip("bc").isdigit()})


@pytest.mark.slow
@pytest.mark.parametrize("number", CASES, ids=[f"case-{n:02d}" for n in CASES])
def test_a_case_of_messiness_gets_its_stated_answer(mutated: measure.Total, number: int) -> None:
    """Cases 43, 44, 46 and 48 to 51 are no matter of one file alone: tests/sql/test_mess.py. Case 42: hostile files."""
    names = {i.name for i in corpus.items() if i.case.rstrip("bc") == str(number)}
    wrong = [score for score in mutated.wrong if score.name in names]
    assert names
    assert not wrong, measure.misses(measure.Total(wrong), 10)


@pytest.mark.slow
def test_no_workbook_in_order_gets_a_finding_and_all_its_figures_come_out() -> None:
    total = measure.measure(corpus.valid(), engine.check_files)
    assert not total.wrong, measure.misses(total, 10)


@pytest.mark.slow
def test_at_least_98_percent_of_the_defects_are_found_at_their_cells(mutated: measure.Total) -> None:
    assert mutated.recall >= 0.98, measure.table(mutated)


@pytest.mark.slow
def test_at_least_95_percent_of_the_files_get_no_finding_beyond_those_expected(mutated: measure.Total) -> None:
    assert mutated.without_extra >= 0.95, measure.table(mutated)


@pytest.mark.slow
def test_no_file_gets_another_verdict_crashes_the_checker_or_loses_a_figure(mutated: measure.Total) -> None:
    crashed = [s.name for s in mutated.scores if s.crash]
    wrong = [s.name for s in mutated.scores if s.verdict or s.facts]
    assert not crashed
    assert len(wrong) <= 0.02 * len(mutated.scores), measure.misses(mutated, 20)


@pytest.mark.slow
def test_hostile_files_are_refused_or_harmless_within_the_limit_of_memory() -> None:
    """How long they take together: ``python -m tests.corpus --part hostile``."""
    scores = measure.measure_hostile(corpus.hostile(), engine.check_files, engine.read_file)
    assert {s.name: s.problem for s in scores if s.problem} == {}
    assert {s.name: s.megabytes for s in scores if s.megabytes > _MOST_MEGABYTES} == {}
