"""The data dictionary against a real warehouse: it covers all of it, and what it says of the rows is true."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from etl import settings
from etl.dictionary import constraints, entries
from etl.dictionary import warehouse as present
from etl.errors import DictionaryError
from etl.load import reconciliation, treasury, warehouse
from etl.load.warehouse import Connection
from etl.publish import release
from etl.reference import province
from tests.databases import copy_of
from tests.sql import builders
from tests.sql.conftest import MONTHS, NOW, Loaded, point

WORDS = entries.load()
TABLES = sorted(WORDS.tables)
SQL = settings.assets() / "sql"


@pytest.fixture(scope="module")
def complete(loaded_once: Loaded, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The loaded warehouse with a Treasury statement, its comparison and a published release: no schema is empty."""
    home = tmp_path_factory.mktemp("complete-home")
    (home / "archive").symlink_to(loaded_once.home / "archive")
    with copy_of(loaded_once.address) as address, pytest.MonkeyPatch.context() as patch:
        point(patch, address, home)
        patch.setattr("etl.publish.pack.render", lambda figures, documents=None, evidence=None: {"tom-tat.txt": b"x"})
        month, later, out = MONTHS[-1], NOW + timedelta(hours=1), settings.get().out_dir
        statement = next((loaded_once.months[month] / "reference").glob("treasury-*.xlsx"))
        with warehouse.connect() as connection:
            treasury.take_in(connection, statement, settings.get().archive_dir, province.load(), NOW)
            reconciliation.reconcile(connection, month, None, later)
            frozen = release.freeze(connection, month, later, out)
            which = frozen["release_id"]
            release.approve(connection, which, frozen["manifest_sha256"], "thu_ky", "approved", later, out)
            release.mark_published(connection, which, later)
        yield address
    settings.reload()


@pytest.mark.parametrize("table", TABLES)
def test_what_the_dictionary_says_of_the_rows_is_true(complete: str, table: str) -> None:
    with warehouse.connect(complete) as connection:
        broken = {
            rule.as_text(): count
            for rule in WORDS.tables[table].tested
            for (count,) in connection.execute(rule.broken(table)).fetchall()
            if count
        }
    assert broken == {}


@pytest.mark.parametrize("name", [e.full_name for e in WORDS.entries if e.example])
def test_the_example_of_an_entry_runs(complete: str, name: str) -> None:
    (entry,) = (e for e in WORDS.entries if e.full_name == name)
    with warehouse.connect(complete) as connection:
        connection.execute("set role tiendo_analyst")
        assert connection.execute(entry.example.encode()).description


@pytest.mark.parametrize("number", range(len(WORDS.questions)))
def test_the_query_of_a_question_runs_for_an_analyst_and_answers(complete: str, number: int) -> None:
    question = WORDS.questions[number]
    with warehouse.connect(complete) as connection:
        connection.execute("set role tiendo_analyst")
        rows = connection.execute(question["query"].encode()).fetchall()
    assert rows or question.get("may_be_empty"), question["vi"]


def test_the_dictionary_covers_all_tables_views_and_columns(loaded: Loaded) -> None:
    with warehouse.connect() as connection:
        relations = present.relations(connection)
    undescribed, unlike = [], {}
    for relation in relations:
        entry = WORDS.described(relation.parent or relation.full_name)
        if entry is None:
            undescribed.append(relation.full_name)
            continue
        told = present.columns_of(WORDS, entry, relation.full_name)
        if set(told) != set(relation.columns):
            unlike[relation.full_name] = set(told) ^ set(relation.columns)
    assert (undescribed, unlike) == ([], {})


def test_the_dictionary_speaks_of_nothing_that_is_not_there(loaded: Loaded) -> None:
    with warehouse.connect() as connection:
        kinds = {r.full_name: r.kind for r in present.relations(connection)}
        functions = {f.full_name for f in present.functions(connection)}
    assert {name: entry.kind for name, entry in WORDS.tables.items() if kinds.get(name) != entry.kind} == {}
    assert {e.full_name for e in WORDS.entries if e.is_function} <= functions


def test_the_dictionary_covers_all_functions_with_what_goes_in_and_comes_out(loaded: Loaded) -> None:
    with warehouse.connect() as connection:
        functions = present.functions(connection)
    unlike = {}
    for function in functions:
        entry = WORDS.functions.get(function.full_name)
        told = (set(entry.arguments), set(entry.columns)) if entry else None
        out = set(function.columns) or (told[1] if told else set())  # rows of the kind of a view: tested there
        of_period = function.full_name.startswith("mart.") and function.arguments[1:] == entries.OF_PERIOD
        if told != (set(function.arguments[:1] if of_period else function.arguments), out):
            unlike[function.signature] = told
    assert unlike == {}


def test_every_table_view_column_and_function_has_its_comment(loaded: Loaded) -> None:
    with warehouse.connect() as connection:
        bare = connection.execute(
            """
            select c.oid::regclass::text || coalesce('.' || a.attname, '')
            from pg_class as c
            left join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
            where
                c.relnamespace::regnamespace::text = any(%(schemas)s) and c.relkind in ('r', 'p', 'v')
                and (
                    coalesce(obj_description(c.oid, 'pg_class'), '') !~ '.+ \\| .+'
                    or coalesce(col_description(c.oid, a.attnum), '') !~ '.+ \\| .+ \\[.+; .+\\]$'
                )
            union all
            select p.oid::regprocedure::text
            from pg_proc as p
            where
                p.pronamespace::regnamespace::text = any(%(schemas)s)
                and coalesce(obj_description(p.oid, 'pg_proc'), '') !~ '.+ \\| .+'
            """,
            {"schemas": list(entries.SCHEMAS)},
        ).fetchall()
        said = connection.execute(
            "select obj_description('ref.working_days_between(date, date)'::regprocedure, 'pg_proc')"
        ).fetchone()
    assert bare == []
    assert "p_end: Ngày cuối, có tính | Last day, counted" in said[0]


def test_the_dictionary_tells_every_constraint_of_the_migrations(empty: Path) -> None:
    with warehouse.connect() as connection:
        untold = []
        for table, held in constraints._tables(connection).items():
            entry = WORDS.tables.get(table)
            if entry is None:
                continue
            rules = entry.held
            untold += [
                (table, c) for c in held.not_null if ("not_null", (c,)) not in {(r.kind, r.columns) for r in rules}
            ]
            untold += [
                (table, r) for r in held.references
                if r not in {(k.columns, k.target, k.args[1]) for k in rules if k.kind == "references"}
            ]  # fmt: skip
            untold += [(table, c) for c, _ in held.unique if c not in [set(r.columns) for r in rules]]
            checks = [r for r in rules if r.is_check and r.kind != "not_null"]
            told = {
                c for r in checks for c in [constraints._definitions(connection, {table: entry}).get(r.name(table))]
            }
            untold += [(table, c) for c in held.checks - told]
    assert untold == []


def sql_with(tmp_path: Path, file: str, old: str, new: str) -> Path:
    """A copy of the folder sql in which one word of a file is another."""
    folder = tmp_path / "sql"
    shutil.copytree(SQL, folder)
    path = folder / "tables" / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return folder


def ours(connection: Connection, table: str) -> list[str]:
    return [
        definition
        for (definition,) in connection.execute(
            "select pg_get_constraintdef(oid) from pg_constraint "
            "where conrelid = %s::regclass and starts_with(conname, 'yml_') order by 1",
            (table,),
        )
    ]


def test_a_constraint_comes_with_its_word_and_goes_with_it(own: Loaded, tmp_path: Path) -> None:
    more = entries.load(
        sql_with(tmp_path, "core.disbursement.yml", "  row_no:", "  row_no: {constraints: [{range: {min: 1}}]}")
    )
    with warehouse.connect() as connection:
        assert ours(connection, "core.disbursement") == []
        assert (constraints.add_missing(connection, more), constraints.add_missing(connection, more)) == (1, 0)
        assert ours(connection, "core.disbursement") == ["CHECK ((row_no >= 1))"]
        assert ours(connection, "core.disbursement_2025") == ["CHECK ((row_no >= 1))"]
        connection.commit()
    assert warehouse.migrate() == warehouse.newest_version()
    with warehouse.connect() as connection:
        assert ours(connection, "core.disbursement") == []


@pytest.mark.parametrize(
    ("file", "old", "new", "definition"),
    [
        ("core.task_report.yml", "  lead:", "  lead: {constraints: [{matches: x}]}", "CHECK ((lead ~ 'x'::text))"),
        (
            "core.roadmap.yml", "constraints:\n", "constraints:\n  - unique: [submission_id, row_no]\n",
            "UNIQUE (submission_id, row_no)",
        ),
        (
            "core.task_report.yml", "  task_id:", "  task_id: {constraints: [{references: core.task.task_id}]}",
            "FOREIGN KEY (task_id) REFERENCES core.task(task_id)",
        ),
    ],
)  # fmt: skip
def test_check_unique_and_reference_are_added_as_they_are_declared(
    empty: Path, tmp_path: Path, file: str, old: str, new: str, definition: str
) -> None:
    with warehouse.connect() as connection:
        constraints.add_missing(connection, entries.load(sql_with(tmp_path, file, old, new)))
        assert ours(connection, file.removesuffix(".yml")) == [definition]


@pytest.mark.parametrize(
    ("old", "new", "words", "breaking"),
    [
        ("  row_no:", "  row_no: {constraints: [{range: {max: 11}}]}", "row_no ≤ 11", "row_no > 11"),
        ("  note:", "  note: {constraints: [not_null]}", "note not null", "note is null"),
        (
            "  line_code: {", "  line_code: {constraints: [{references: core.task.task_id}], ",
            "line_code → core.task.task_id", "true",
        ),
        (
            "constraints:\n", "constraints:\n  - unique: [budget_year, submission_id, capital_kind]\n",
            "unique (budget_year, submission_id, capital_kind)",
            "(submission_id, capital_kind) in (select submission_id, capital_kind from core.disbursement "
            "group by submission_id, capital_kind having count(*) > 1)",
        ),
    ],
)  # fmt: skip
def test_rows_that_break_a_constraint_are_told_with_table_constraint_and_number(
    own: Loaded, tmp_path: Path, old: str, new: str, words: str, breaking: str
) -> None:
    changed = entries.load(sql_with(tmp_path, "core.disbursement.yml", old, new))
    with warehouse.connect() as connection:
        (broken,) = connection.execute(f"select count(*) from core.disbursement where {breaking}").fetchone()
        with pytest.raises(DictionaryError) as told:
            constraints.add_missing(connection, changed)
        assert ours(connection, "core.disbursement") == []
    text = str(told.value)
    assert "core.disbursement có dòng không theo ràng buộc khai trong core.disbursement.yml" in text
    assert f": {words}: {broken} dòng không đúng" in text
    assert broken > 0


def test_facts_of_an_old_version_stay_and_take_the_constraints(own: Loaded) -> None:
    with warehouse.connect() as connection:
        before = connection.execute("select count(*), sum(disb_ytd) from core.disbursement").fetchone()
    warehouse.migrate()
    with warehouse.connect() as connection:
        assert connection.execute("select count(*), sum(disb_ytd) from core.disbursement").fetchone() == before
        assert "CHECK ((commune_code ~ '^[0-9]{5}$'::text))" in ours(connection, "raw.submission")
        with pytest.raises(psycopg.errors.CheckViolation, match="yml_"):
            builders.submission(connection, "6517", "2025-10")


def test_the_loaded_warehouse_is_not_told_to_break_anything_else(complete: str) -> None:
    """The rows of every schema are looked at: a test that never sees a row says nothing."""
    with warehouse.connect(complete) as connection:
        filled = {t for t in TABLES if connection.execute(f"select exists (select 1 from {t})").fetchone() == (True,)}
    assert {t.split(".")[0] for t in filled} == set(entries.SCHEMAS)
    assert {"core.treasury_balance", "core.reconciliation", "mart.published_figure", "mart.disbursement_rate"} <= filled
