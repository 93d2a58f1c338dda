"""The data dictionary by itself: its words are whole, what a file leaves out is told, its page needs nothing else."""

from __future__ import annotations

import json
import re
import shutil
import unicodedata
from html.parser import HTMLParser
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from etl import settings
from etl.cli import app
from etl.dictionary import entries, lineage, page, rules
from etl.errors import DictionaryError

SQL = settings.assets() / "sql"
WORDS = entries.load()


def tiendo(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(a) for a in arguments])


def changed(tmp_path: Path, file: str, old: str, new: str) -> entries.Dictionary:
    """The dictionary in which one word of a file is another."""
    folder = tmp_path / "sql"
    shutil.copytree(SQL, folder)
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return entries.load(folder)


def test_every_entry_and_column_has_meaning_unit_and_source_in_good_vietnamese() -> None:
    assert entries.faults(WORDS) == []


def test_the_files_are_written_in_nfc() -> None:
    assert [p.name for p in SQL.rglob("*.yml") if not unicodedata.is_normalized("NFC", p.read_text("utf-8"))] == []


@pytest.mark.parametrize(
    ("file", "old", "new", "fault"),
    [
        ("marts/directive.yml", "vi: Trích yếu, ", "", "mart.directive.title_vi: thiếu vi"),
        ("marts/directive.yml", "en: Title, ", "", "mart.directive.title_vi: thiếu en"),
        ("marts/directive.yml", "en: Title, unit: text, ", "en: Title, ", "mart.directive.title_vi: thiếu unit"),
        ("marts/directive.yml", ", source: core.directive.title_vi", "", "mart.directive.title_vi: thiếu source"),
        ("marts/directive.yml", "en: Title, unit: text", "en: Title, unit: chữ", "đơn vị 'chữ' không có"),
        ("marts/directive.yml", "core.directive.title_vi", "core.directive.x", "không có cột core.directive.x"),
        ("marts/directive.yml", "core.directive.title_vi", "B01(99)", "không có cột (99) của B01"),
        ("marts/directive.yml", "core.directive.title_vi", "somewhere else", "source phải là một tên trong"),
        ("marts/directive.yml", "vi: Trích yếu", "vi: Trich yeu", "vi không có dấu tiếng Việt"),
        ("marts/directive.yml", "Trích", unicodedata.normalize("NFD", "Trích"), "vi chưa theo chuẩn Unicode NFC"),
        ("marts/directive.yml", "example: |", "sample: |", "mart.directive: thiếu example"),
        ("marts/directive.yml", "grain:", "grains:", "mart.directive: thiếu grain: vi"),
        ("marts/directive.yml", "key: [directive_id]", "key: [id]", "rows_unique_by nói đến cột không có: id"),
        ("marts/directive.yml", "tests:\n", "constraints:\n", "constraints chỉ dùng cho table"),
        ("questions.yml", "tables: [mart.commune_rank]", "tables: [mart.rank]", "không có bảng 'mart.rank'"),
        ("glossary.yml", "vi: Ghi chú, ", "", "core.disbursement.note: thiếu vi"),
    ],
)  # fmt: skip
def test_what_is_missing_or_wrong_is_told_with_its_file(
    tmp_path: Path, file: str, old: str, new: str, fault: str
) -> None:
    assert any(fault in told for told in entries.faults(changed(tmp_path, file, old, new)))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("tests:\n", "tests:\n  - allways_true\n"),
        ("tests:\n", "tests:\n  - {unique: [doc_no], range: {min: 1}}\n"),
        ("range: {min: 1}", "range: {least: 1}"),
        ("name: directive", "title: directive"),
        ("grain: {", "grain: [{"),
    ],
)
def test_a_file_of_another_form_is_refused_with_its_name(tmp_path: Path, old: str, new: str) -> None:
    with pytest.raises(DictionaryError, match=r"directive\.yml"):
        changed(tmp_path, "marts/directive.yml", old, new)


def test_a_mart_in_the_old_form_is_still_read_and_only_told_what_it_lacks(tmp_path: Path) -> None:
    old = (
        "name: directive\nkind: view\nvi: Văn bản giao nhiệm vụ\nen: Documents that assign tasks\ncolumns:\n"
        "  period: {vi: Kỳ báo cáo (năm-tháng), en: Reporting period (YYYY-MM)}\n"
        "  fresh: {vi: Cột mới, en: New column, unit: vnd}\n"
    )
    whole = (SQL / "marts" / "directive.yml").read_text(encoding="utf-8")
    words = changed(tmp_path, "marts/directive.yml", whole, old)
    assert [f.removeprefix("directive.yml: ") for f in entries.faults(words) if f.startswith("directive.yml")] == [
        "mart.directive: thiếu grain: vi",
        "mart.directive: thiếu grain: en",
        "mart.directive: thiếu example",
        "mart.directive.fresh: thiếu source",
    ]


def test_a_table_says_a_column_before_the_glossary_and_the_glossary_what_the_table_leaves_out() -> None:
    note = WORDS.tables["core.proposal"].columns["note"]
    assert (note.vi, note.source_vi, note.source_en) == ("Ghi chú", "Biểu 04 cột (12)", "form B04 column (12)")
    name = WORDS.tables["ref.commune"].columns["name_vi"]
    assert (name.vi, name.unit) == ("Tên đầy đủ, có chữ xã hoặc phường", "text")


def test_a_mart_is_traced_to_the_tables_that_it_is_made_of_and_a_table_to_its_marts() -> None:
    made = lineage.made_from(WORDS)
    assert set(made["mart.disbursement_rate"]) == {
        "core.disbursement_slice", "mart.completeness", "mart.rate_pct", "ref.reporting_calendar", "ref.unit",
    }  # fmt: skip
    assert "core.slices_at" in made["core.disbursement_slice"]
    marts = lineage.marts_of(made)
    assert {"mart.disbursement_line", "mart.disbursement_rate"} <= set(marts["core.disbursement"])
    assert "mart.commune_rank" not in marts["core.disbursement"]  # that one is made of another mart
    assert marts["ref.holiday"] == ("mart.follow_up_due", "mart.task_state_name")


@pytest.mark.parametrize(
    ("rule", "condition"),
    [
        ("not_null", '"x" is not null'),
        ({"accepted_values": ["a", "b'c"]}, "\"x\" in ('a', 'b''c')"),
        ({"range": {"min": 0}}, '"x" >= 0'),
        ({"range": {"min": 0, "max": 100}}, '"x" >= 0 and "x" <= 100'),
        ({"matches": "^a$"}, "\"x\" ~ '^a$'"),
        ({"expression": "x > y"}, "x > y"),
    ],
)
def test_a_condition_of_a_row_becomes_sql(rule: object, condition: str) -> None:
    (one,) = rules.read([rule], "x")
    assert one.condition().as_string() == condition


class Page(HTMLParser):
    """Ids, links and everything that would be fetched."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.fetched: list[tuple[str, str | None]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        for name, value in attributes:
            if name == "id":
                self.ids.append(str(value))
            if name == "href":
                self.links.append(str(value))
            if name in ("src", "srcset", "data", "action") or tag in ("link", "iframe", "object", "base"):
                self.fetched.append((tag, value))


def test_the_command_writes_one_page_that_fetches_nothing_and_leads_everywhere(tmp_path: Path) -> None:
    result = tiendo("dictionary", "--out", tmp_path / "out")
    assert result.exit_code == 0
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["index.html"]
    text = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    read = Page(text)
    assert read.fetched == []
    assert not re.search(r"url\(|@import|https?://|fetch\(|XMLHttpRequest", text)
    assert len(read.ids) == len(set(read.ids))
    assert {link.removeprefix("#") for link in read.links} <= set(read.ids)
    for entry in WORDS.entries:
        assert {entry.full_name, *(f"{entry.full_name}.{name}" for name in entry.columns)} <= set(read.ids)


def test_the_page_begins_with_questions_then_marts_then_reference_then_the_others() -> None:
    text = page.render(WORDS).decode()
    assert sorted(places := [text.index(f'<section id="{name}"') for name in ("bat-dau", *entries.SCHEMAS)]) == places
    assert len(WORDS.questions) == 20


def test_the_page_is_the_same_each_time() -> None:
    assert page.render(WORDS) == page.render(entries.load())


def test_the_default_place_is_under_the_output_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIENDO_HOME", str(tmp_path))
    settings.reload()
    try:
        result = tiendo("dictionary")
    finally:
        monkeypatch.undo()
        settings.reload()
    assert str(tmp_path / "out" / "data-dictionary" / "index.html") in result.stdout.replace("\n", "")
    assert (tmp_path / "out" / "data-dictionary" / "index.html").is_file()


def test_as_json_the_words_of_the_glossary_are_filled_in_and_no_file_is_written(tmp_path: Path) -> None:
    result = tiendo("dictionary", "--json", "--out", tmp_path / "out")
    told = {entry["name"]: entry for entry in json.loads(result.stdout)}
    assert not (tmp_path / "out").exists()
    assert set(told) == {entry.full_name for entry in WORDS.entries}
    (paid,) = (c for c in told["mart.disbursement_line"]["columns"] if c["name"] == "disb_ytd")
    assert (paid["vi"], paid["unit"]) == ("Lũy kế giải ngân từ đầu năm", "vnd")
    assert paid["source"] == {"vi": "Biểu 01 cột (11)", "en": "form B01 column (11)"}
    assert all(c["vi"] and c["en"] and c["unit"] and c["source"]["vi"] for e in told.values() for c in e["columns"])


def test_the_command_tells_what_is_missing_and_still_writes_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = changed(tmp_path, "marts/directive.yml", "name: directive\n", "name: directive\nx: 1\n")
    monkeypatch.setattr(entries, "load", lambda: words)
    result = tiendo("dictionary", "--out", tmp_path / "out")
    assert (result.exit_code, result.stderr) == (1, "directive.yml: mart.directive: từ khóa lạ 'x'\n")
    assert (tmp_path / "out" / "index.html").is_file()


def test_a_folder_that_cannot_be_written_to_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = tiendo("dictionary", "--out", tmp_path / "file")
    assert result.exit_code == 2
