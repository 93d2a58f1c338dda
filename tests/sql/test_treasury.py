"""Statements of the State Treasury: loading, superseding, comparison with the reports, ageing, mart, command line."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner, Result

from etl import settings, steps
from etl.cli import app
from etl.collect import archive
from etl.collect.treasury import Line, Posting, Statement
from etl.load import reconciliation, server, treasury, warehouse
from etl.load.warehouse import Connection
from etl.period import Period
from etl.reference import province
from etl.reference.province import Province
from tests.sql import builders
from tests.sql.conftest import NOW

QUAN_SON, DOAN_KET, DONG_KINH = "06517", "06001", "05977"
ENDS = {"2025-08": date(2025, 8, 31), "2025-09": date(2025, 9, 30), "2025-10": date(2025, 10, 31)}
DA2, NTM = "00474", "00524"
TABLES = (
    "core.treasury_statement", "core.treasury_balance", "core.treasury_posting", "core.treasury_mapping",
    "core.treasury_loading", "core.reconciliation", "core.reconciliation_difference", "ref.treasury_code",
    "ref.treasury_unit",
)  # fmt: skip
LOADED = NOW - timedelta(days=5)


@pytest.fixture(autouse=True)
def to_the_dong(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small amounts make plain tests: here a đồng is a difference, unless the test is about rounding."""
    if "rounding" not in request.node.name:
        monkeypatch.setitem(province.load().thresholds, "treasury_rounding_vnd", Decimal(0))


@pytest.fixture
def connection(empty: Path) -> Iterator[Connection]:
    with warehouse.connect() as opened:
        yield opened


def units() -> dict[str, str]:
    with (province.load().folder / "treasury_units.csv").open(encoding="utf-8") as handle:
        return {row["commune_code"]: row["budget_unit_code"] for row in csv.DictReader(handle)}


def statement(
    amounts: Mapping[tuple[str, str], int | tuple[int, int]],
    period: str = "2025-10",
    postings: Sequence[tuple[str, str, date, int]] = (),
    *,
    as_of: date | None = None,
    version: int = 1,
) -> Statement:
    """Balances by (commune or budget unit, budget code): the total, or (total, advance)."""
    known = units()
    lines = []
    for n, ((commune, code), amount) in enumerate(amounts.items(), 10):
        total, advance = amount if isinstance(amount, tuple) else (amount, 0)
        unit = known.get(commune, commune)
        lines.append(Line("SoDu", n, f"G{n}", unit, code, None, total - advance, advance, total, None))
    listed = tuple(
        Posting("ChungTu", n, f"H{n}", known[commune], code, None, day, f"{n:04}", "payment", amount)
        for n, (commune, code, day, amount) in enumerate(postings, 10)
    )
    text = f"{amounts} {period} {postings} {as_of} {version}"
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    return Statement(as_of or ENDS[period], 2025, sha256, f"sao-ke-{version}.xlsx", tuple(lines), listed)


def load(
    connection: Connection, one: Statement, now: datetime = LOADED, where: Province | None = None
) -> treasury.Loaded:
    connection.execute(
        "insert into raw.original values (%s, 1, %s, %s) on conflict do nothing", (one.sha256, one.sha256, now)
    )
    loaded = treasury.load(connection, one, now, where)
    connection.commit()
    return loaded


def report(connection: Connection, commune: str, period: str, da2: int, ntm: int = 0, **more: Any) -> int:
    lines = [builders.line("GNBV-DA2", "SN", 10**9, da2), builders.line("NTM-ND02", "DT", 10**9, ntm)]
    number = builders.report(connection, commune, period, lines, **more)
    connection.commit()
    return number


def reconcile(connection: Connection, period: str = "2025-10", now: datetime = NOW) -> reconciliation.Reconciliation:
    result = reconciliation.reconcile(connection, Period.parse(period), None, now)
    connection.commit()
    return result


def told(result: reconciliation.Reconciliation) -> list[tuple[str, str | None, str | None, int, str]]:
    names = ("kind", "commune_code", "node_code", "difference", "open_since")
    return [tuple(row[name] for name in names) for row in result.differences]


# Loading ------------------------------------------------------------------------------------------------------------


def test_a_statement_is_loaded_once_with_every_row_and_its_place(connection: Connection) -> None:
    one = statement({(QUAN_SON, DA2): (50, 20), (QUAN_SON, "00999"): 3, ("9999999", DA2): 4})
    assert load(connection, one) == treasury.Loaded(True, 0)
    assert load(connection, one, LOADED + timedelta(hours=1)) == treasury.Loaded(False, 0)
    rows = connection.execute(
        "select row_no, sheet, commune_code, budget_code, node_code, capital_kind, total::bigint, loaded_at "
        "from core.treasury_balance where sha256 = %s order by row_no",
        (one.sha256,),
    ).fetchall()
    assert rows == [
        (10, "SoDu", QUAN_SON, DA2, "GNBV-DA2", "SN", 50, LOADED),
        (11, "SoDu", QUAN_SON, "00999", None, None, 3, LOADED),
        (12, "SoDu", None, DA2, "GNBV-DA2", "SN", 4, LOADED),
    ]


@pytest.mark.parametrize("change", ["delete from {}", "update {} set {} = {}"])
def test_what_the_treasury_said_is_never_changed_or_removed(connection: Connection, change: str) -> None:
    for table in TABLES[:7]:
        column = connection.execute(f"select * from {table} limit 0").description[-1].name
        with pytest.raises(psycopg.errors.RaiseException, match="append-only"), connection.transaction():
            connection.execute(change.format(table, column, column))


def test_every_table_and_column_says_what_it_means_in_both_languages(connection: Connection) -> None:
    for table in TABLES:
        bare = connection.execute(
            """
            select a.attname from pg_attribute as a
            where a.attrelid = %(table)s::regclass and a.attnum >= 0
            and coalesce(col_description(a.attrelid, a.attnum), '') !~ '.+ \\| .+'
            union all
            select '' where coalesce(obj_description(%(table)s::regclass), '') !~ '.+ \\| .+'
            """,
            {"table": table},
        ).fetchall()
        assert bare == [], table


def test_a_later_statement_of_the_same_date_speaks_from_its_loading_on(connection: Connection) -> None:
    first, second = statement({(QUAN_SON, DA2): 50}), statement({(QUAN_SON, DA2): 60}, version=2)
    load(connection, first, LOADED)
    load(connection, second, LOADED + timedelta(hours=2))

    def total(moment: datetime | str) -> int | None:
        known = treasury.known_at(connection, 2025, ENDS["2025-10"], moment)
        return sum(b.total for b in known[QUAN_SON].lines) if known else None

    assert total(LOADED - timedelta(hours=1)) is None
    assert total(LOADED + timedelta(hours=1)) == 50
    assert total("infinity") == total(LOADED + timedelta(hours=2)) == 60
    assert not load(connection, second, LOADED + timedelta(hours=3)).speaks_again  # in force already: no new word
    again = load(connection, first, LOADED + timedelta(hours=4))
    assert (again.is_new, again.speaks_again) == (False, True)
    assert total("infinity") == total(LOADED + timedelta(hours=4)) == 50
    assert [total(LOADED + timedelta(hours=hours)) for hours in (1, 2, 3)] == [50, 60, 60]
    load(connection, second, LOADED + timedelta(hours=5))
    assert total("infinity") == 60
    assert [total(LOADED + timedelta(hours=hours)) for hours in (1, 3, 4)] == [50, 60, 50]
    query = "select sha256, replaced_sha256 from core.treasury_loading order by loading_id"
    one, other = first.sha256, second.sha256
    assert connection.execute(query).fetchall() == [(one, None), (other, one), (one, other), (other, one)]


def test_loading_tells_what_is_replaced_and_which_communes_and_codes_drop_out(connection: Connection) -> None:
    before = {(QUAN_SON, DA2): 50, (QUAN_SON, NTM): 9, (DOAN_KET, DA2): 80, ("9999999", DA2): 4, (DONG_KINH, NTM): 0}
    load(connection, statement(before))
    kept = statement({(QUAN_SON, DA2): 51, (DONG_KINH, DA2): 1}, version=2)
    replaced = load(connection, kept, LOADED + timedelta(hours=1)).replaced
    assert replaced is not None
    assert (replaced.file_name, replaced.loaded_at) == ("sao-ke-1.xlsx", LOADED)
    gone = treasury.Gone
    assert replaced.units == (gone(DOAN_KET, units()[DOAN_KET], total=80), gone(None, "9999999", total=4))
    assert replaced.codes == (gone(QUAN_SON, units()[QUAN_SON], NTM, 9),)
    back = load(connection, statement(before), LOADED + timedelta(hours=2)).replaced
    assert back is not None
    assert (back.file_name, back.units, back.codes) == (
        "sao-ke-2.xlsx",
        (),
        (gone(DONG_KINH, units()[DONG_KINH], DA2, 1),),
    )


def test_a_commune_that_a_later_statement_names_by_its_own_code_has_not_dropped_out(connection: Connection) -> None:
    load(connection, statement({(QUAN_SON, DA2): 50}))
    by_commune = statement({(QUAN_SON.zfill(7), DA2): 50}, version=2)
    replaced = load(connection, by_commune, LOADED + timedelta(hours=1)).replaced
    assert replaced is not None
    assert (replaced.units, replaced.codes) == ((), ())


def test_statements_of_other_dates_and_years_are_not_replaced(connection: Connection) -> None:
    load(connection, statement({(QUAN_SON, DA2): 50}))
    assert load(connection, statement({(DOAN_KET, DA2): 5}, "2025-09")).replaced is None


def test_a_report_of_a_commune_that_dropped_out_is_told_so_and_not_line_by_line(connection: Connection) -> None:
    report(connection, QUAN_SON, "2025-10", 50, 9)
    report(connection, DOAN_KET, "2025-10", 80)
    load(connection, statement({(QUAN_SON, DA2): 50, (QUAN_SON, NTM): 9, (DOAN_KET, DA2): 80}))
    late = [(QUAN_SON, DA2, date(2025, 11, 3), 7)]
    load(connection, statement({(DOAN_KET, DA2): 80}, postings=late, version=2), LOADED + timedelta(hours=1))
    [row] = reconcile(connection).differences
    assert (row["kind"], row["commune_code"], row["reported"], row["treasury"]) == ("missing_unit", QUAN_SON, 59, 0)
    assert row["explained_by"] == "sao kê sao-ke-1.xlsx nạp trước đó có đơn vị này"
    earlier = treasury.known_at(connection, 2025, ENDS["2025-10"], LOADED)
    assert {balances.said_before for balances in earlier.values()} == {""}


def test_a_statement_without_rows_leaves_what_communes_reported_against_nothing(connection: Connection) -> None:
    report(connection, QUAN_SON, "2025-10", 50)
    report(connection, DOAN_KET, "2025-10", 0)
    load(connection, statement({}))
    assert told(reconcile(connection)) == [("missing_unit", QUAN_SON, None, 50, "2025-10")]
    known = treasury.known_at(connection, 2025, ENDS["2025-10"], "infinity")
    assert known.keys() == province.load().communes.keys()


def test_every_commune_is_known_with_or_without_rows_and_only_at_the_very_date(connection: Connection) -> None:
    postings = [(QUAN_SON, DA2, date(2025, 10, 20), 7), (QUAN_SON, DA2, date(2025, 11, 3), 30)]
    load(connection, statement({(QUAN_SON, DA2): 50, (QUAN_SON, "00999"): 3}, postings=postings))
    known = treasury.known_at(connection, 2025, ENDS["2025-10"], "infinity")
    assert known.keys() == province.load().communes.keys()
    assert [(b.budget_code, b.node_code, b.total, b.cell) for b in known[QUAN_SON].lines] == [
        (DA2, "GNBV-DA2", 50, "G10"),
        ("00999", None, 3, "G11"),
    ]
    assert [(p.document_no, p.amount) for p in known[QUAN_SON].postings] == [("0011", 30)]
    assert known[DOAN_KET].lines == ()
    assert known[DOAN_KET].codes["GNBV-DA7", "SN"] == ("00487",)
    assert treasury.known_at(connection, 2025, ENDS["2025-09"], "infinity") == {}
    assert treasury.known_at(connection, 2024, ENDS["2025-10"], "infinity") == {}


def test_a_code_that_was_added_later_counts_from_the_next_loading_on(connection: Connection, tmp_path: Path) -> None:
    one = statement({(QUAN_SON, "00999"): 50, ("9999999", DA2): 4})
    load(connection, one)
    folder = shutil.copytree(province.load().folder, tmp_path / "tinh")
    for name, row in (
        ("treasury_codes.csv", "00999,GNBV-DA2,SN,2021-01-01,,no"),
        ("treasury_units.csv", f"9999999,{DOAN_KET},2025-07-01,,no"),
    ):
        with (folder / name).open("a", encoding="utf-8") as handle:
            handle.write(row + "\n")
    mended = Province(folder)
    again = LOADED + timedelta(hours=2)
    assert load(connection, one, again, mended) == treasury.Loaded(False, 2)
    assert load(connection, one, again + timedelta(hours=1), mended) == treasury.Loaded(False, 0)

    def nodes(moment: datetime) -> list[list[str | None]]:
        known = treasury.known_at(connection, 2025, ENDS["2025-10"], moment)
        return [[b.node_code for b in known[commune].lines] for commune in (QUAN_SON, DOAN_KET)]

    assert nodes(LOADED + timedelta(hours=1)) == [[None], []]
    assert nodes(again) == [["GNBV-DA2"], ["GNBV-DA2"]]


def test_statements_of_the_version_before_are_in_force_as_they_were(postgres: settings.Settings) -> None:
    with psycopg.connect(server.url("postgres", postgres), autocommit=True) as connection:
        connection.execute("create database before_loadings")
    address = server.url("before_loadings", postgres)
    scripts = sorted((settings.assets() / "sql" / "migrations").glob("000[1-7]_*.sql"))
    rows = [("a" * 64, 1, "2025-10-31"), ("b" * 64, 3, "2025-10-31"), ("c" * 64, 2, "2025-09-30")]
    with warehouse.connect(address) as connection:
        for script in scripts:
            connection.execute(script.read_text(encoding="utf-8").encode())
        connection.execute("create table public.schema_version (version_num text primary key)")
        connection.execute("insert into public.schema_version values ('0007')")
        for sha256, hours, day in rows:
            moment = LOADED + timedelta(hours=hours)
            connection.execute("insert into raw.original values (%s, 1, %s, %s)", (sha256, sha256, moment))
            connection.execute(
                "insert into core.treasury_statement (sha256, file_name, as_of, budget_year, loaded_at) "
                "values (%s, 'sao-ke.xlsx', %s, 2025, %s)",
                (sha256, day, moment),
            )
    warehouse.migrate(address)
    query = "select left(sha256, 1) from core.treasury_in_force(%s) order by as_of desc"
    with warehouse.connect(address) as connection:
        at = [connection.execute(query, (LOADED + timedelta(hours=hours),)).fetchall() for hours in (0, 1, 2, 3)]
    assert at == [[], [("a",)], [("a",), ("c",)], [("b",), ("c",)]]


# Comparison ---------------------------------------------------------------------------------------------------------


def test_reports_in_force_are_compared_and_the_outcome_is_kept_once(connection: Connection) -> None:
    number = report(connection, QUAN_SON, "2025-10", 50, 9)
    report(connection, DOAN_KET, "2025-10", 80)
    load(connection, statement({(QUAN_SON, DA2): 47, (QUAN_SON, NTM): 9, (DOAN_KET, DA2): 80}))
    first = reconcile(connection)
    assert first.is_new
    assert first.communes == (DOAN_KET, QUAN_SON)
    [row] = first.differences
    assert row | {"commune_vi": None} == {
        "kind": "unexplained", "commune_code": QUAN_SON, "commune_vi": None, "node_code": "GNBV-DA2",
        "capital_kind": "SN", "line_codes": ["GNBV-DA2-SN"], "reported": 50, "treasury": 47, "difference": 3,
        "explained_by": None, "open_since": "2025-10", "submission_id": number, "sheet": "SoDu", "cell": "G10",
    }  # fmt: skip
    again = reconcile(connection, now=NOW + timedelta(hours=1))
    assert not again.is_new
    assert again.reconciliation_id == first.reconciliation_id
    assert connection.execute("select count(*) from core.reconciliation").fetchone() == (1,)
    report(connection, QUAN_SON, "2025-10", 47, 9, version=2, received_at=NOW + timedelta(hours=2))
    corrected = reconcile(connection, now=NOW + timedelta(hours=3))
    assert corrected.is_new
    assert corrected.differences == []


def test_late_documents_and_missing_units_are_told_with_their_evidence(connection: Connection) -> None:
    report(connection, QUAN_SON, "2025-10", 80)
    report(connection, DOAN_KET, "2025-10", 10, 5)
    load(connection, statement({(QUAN_SON, DA2): 50}, postings=[(QUAN_SON, DA2, date(2025, 11, 3), 30)]))
    rows = reconcile(connection).differences
    assert [(r["kind"], r["commune_code"], r["reported"], r["treasury"]) for r in rows] == [
        ("missing_unit", DOAN_KET, 15, 0),
        ("posting_date", QUAN_SON, 80, 50),
    ]
    assert rows[1]["explained_by"] == "chứng từ 0010 hạch toán ngày 03/11/2025, 30 đồng"


def test_money_that_belongs_nowhere_is_told_of_its_commune_or_of_the_statement(connection: Connection) -> None:
    report(connection, QUAN_SON, "2025-10", 50, 9)
    load(connection, statement({(QUAN_SON, DA2): 50, (QUAN_SON, NTM): 9, (QUAN_SON, "00999"): 3, ("9999999", DA2): 4}))
    rows = reconcile(connection).differences
    assert [(r["kind"], r["commune_code"], r["difference"], r["explained_by"]) for r in rows] == [
        ("unknown_code", QUAN_SON, -3, "mã 00999 (chưa có trong danh mục)"),
        ("unknown_unit", None, -4, "mã ĐVQHNS 9999999 (chưa có trong danh mục)"),
    ]


def test_an_unknown_code_that_is_paired_with_a_line_is_told_once(connection: Connection) -> None:
    report(connection, QUAN_SON, "2025-10", 50, 9)
    load(connection, statement({(QUAN_SON, "00999"): 50, (QUAN_SON, NTM): 9}))
    assert told(reconcile(connection)) == [("wrong_code", QUAN_SON, "GNBV-DA2", 50, "2025-10")]


def test_a_commune_without_a_report_is_not_compared(connection: Connection) -> None:
    load(connection, statement({(QUAN_SON, DA2): 50}))
    result = reconcile(connection)
    assert (result.communes, result.differences) == ((), [])


def test_only_a_statement_of_the_very_date_is_compared(connection: Connection) -> None:
    report(connection, QUAN_SON, "2025-10", 50)
    load(connection, statement({(QUAN_SON, DA2): 40}, as_of=date(2025, 10, 14)))
    result = reconcile(connection)
    assert (result.sha256, result.other_dates, result.is_new) == (None, (date(2025, 10, 14),), False)
    assert connection.execute("select count(*) from core.reconciliation").fetchone() == (0,)


def test_a_difference_is_open_since_the_first_month_of_its_unbroken_row(connection: Connection) -> None:
    for n, (period, quan_son, doan_ket) in enumerate([("2025-08", 10, 20), ("2025-09", 15, 25), ("2025-10", 18, 30)]):
        report(connection, QUAN_SON, period, quan_son, 1)
        if period != "2025-09":  # a month without its report says nothing and breaks nothing
            report(connection, DOAN_KET, period, doan_ket)
        report(connection, DONG_KINH, period, 100)
        dong_kinh = 100 if period == "2025-09" else 99  # agreed in between: the row is broken
        treasury_said = {
            (QUAN_SON, DA2): quan_son - 5 + n,
            (QUAN_SON, NTM): 1,
            (DOAN_KET, DA2): doan_ket - 1,
            (DONG_KINH, DA2): dong_kinh,
        }
        load(connection, statement(treasury_said, period), LOADED)
        result = reconcile(connection, period, NOW + timedelta(minutes=n))
    assert told(result) == [
        ("unexplained", DONG_KINH, "GNBV-DA2", 1, "2025-10"),
        ("unexplained", DOAN_KET, "GNBV-DA2", 1, "2025-08"),
        ("unexplained", QUAN_SON, "GNBV-DA2", 3, "2025-08"),
    ]
    rows = connection.execute(
        "select commune_vi, node_vi, months_open, difference::bigint from mart.treasury_reconciliation "
        "where period = '2025-10' order by commune_code"
    ).fetchall()
    assert rows == [
        ("Phường Đông Kinh", "Đa dạng hóa sinh kế, phát triển mô hình giảm nghèo", 1, 1),
        ("Xã Đoàn Kết", "Đa dạng hóa sinh kế, phát triển mô hình giảm nghèo", 3, 1),
        ("Xã Quan Sơn", "Đa dạng hóa sinh kế, phát triển mô hình giảm nghèo", 3, 3),
    ]
    earlier = "select count(*) from mart.treasury_reconciliation_at(%s) where period = '2025-10'"
    assert connection.execute(earlier, (NOW,)).fetchone() == (0,)


def test_a_month_that_was_compared_anew_counts_as_it_is_known_now(connection: Connection) -> None:
    for n, period in enumerate(("2025-08", "2025-09", "2025-10")):
        report(connection, QUAN_SON, period, 10, 1)
        load(connection, statement({(QUAN_SON, DA2): 7, (QUAN_SON, NTM): 1}, period), LOADED)
        result = reconcile(connection, period, NOW + timedelta(minutes=n))
    assert told(result) == [("unexplained", QUAN_SON, "GNBV-DA2", 3, "2025-08")]
    report(connection, QUAN_SON, "2025-08", 7, 1, version=2, received_at=NOW + timedelta(hours=1))
    assert reconcile(connection, "2025-08", NOW + timedelta(hours=2)).differences == []
    result = reconcile(connection, "2025-10", NOW + timedelta(hours=3))
    assert told(result) == [("unexplained", QUAN_SON, "GNBV-DA2", 3, "2025-09")]


def test_the_mart_shows_the_latest_run_of_a_month_and_each_run_as_it_was_known(connection: Connection) -> None:
    report(connection, QUAN_SON, "2025-10", 50)
    load(connection, statement({(QUAN_SON, DA2): 40}), LOADED)
    reconcile(connection)
    load(connection, statement({(QUAN_SON, DA2): 45}, version=2), NOW + timedelta(hours=1))
    reconcile(connection, now=NOW + timedelta(hours=2))
    query = "select treasury::bigint, statement_file from mart.treasury_reconciliation_at(%s)"
    assert connection.execute(query, (NOW + timedelta(hours=1),)).fetchall() == [(40, "sao-ke-1.xlsx")]
    assert connection.execute(query, ("infinity",)).fetchall() == [(45, "sao-ke-2.xlsx")]


# Command line -------------------------------------------------------------------------------------------------------


def tiendo(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(a) for a in arguments])


def csv_statement(
    path: Path, *rows: str, title: str = "Đến ngày 31/10/2025; Năm ngân sách 2025; Đơn vị tính: đồng"
) -> Path:
    header = "Mã ĐVQHNS;Mã CTMT, DA;Thanh toán KLHT;Tạm ứng chưa thu hồi;Lũy kế giải ngân"
    path.write_text("\n".join((f"{title};;", header, *rows)), encoding="utf-8")
    return path


def test_a_statement_is_loaded_and_compared_from_the_command_line(empty: Path) -> None:
    unit = units()[QUAN_SON]
    with warehouse.connect() as connection:
        report(connection, QUAN_SON, "2025-10", 50, received_at=datetime(2025, 11, 5, tzinfo=UTC))
    path = csv_statement(empty / "sao-ke.csv", f"{unit};{DA2};40;5;45")
    result = tiendo("reference", "load", "--treasury", path)
    assert result.exit_code == 0, result.output
    assert "sao kê đến ngày 31/10/2025, năm ngân sách 2025: 1 dòng số dư, 0 chứng từ." in result.output
    assert "đã nạp từ trước" in tiendo("reference", "load", "--treasury", path).output
    assert archive.has(settings.get().archive_dir, hashlib.sha256(path.read_bytes()).hexdigest())
    assert steps.process_received(NOW) == {"accepted": 0, "returned": 0, "refused": 0, "findings": 0}
    compared = tiendo("reconcile", "--period", "2025-10")
    assert compared.exit_code == 1
    assert "Chưa rõ nguyên nhân (1):" in compared.output
    assert "Xã Quan Sơn (06517), GNBV-DA2-SN: báo cáo 50 đồng, Kho bạc 45 đồng, chênh lệch 5 đồng" in compared.output
    told_ = json.loads(tiendo("reconcile", "--period", "2025-10", "--json").stdout)
    assert (told_["new"], told_["as_of"], told_["statement"]["file"]) == (False, "2025-10-31", "sao-ke.csv")
    assert [(d["kind"], d["difference"]) for d in told_["differences"]] == [("unexplained", "5")]


def test_what_is_wrong_with_a_statement_is_told_with_its_exit_code_and_nothing_is_half_loaded(empty: Path) -> None:
    unit = units()[QUAN_SON]
    strange = csv_statement(empty / "ma-la.csv", f"{unit};00999;40;5;45")
    result = tiendo("reference", "load", "--treasury", strange)
    assert result.exit_code == 1
    assert "CK30 csv!E3: Mã 00999 chưa có trong danh mục" in result.output
    wrong = csv_statement(empty / "sai.csv", f"{unit};{DA2};40;5;45", f"{unit};{NTM};1;1;3")
    result = tiendo("reference", "load", "--treasury", wrong)
    assert result.exit_code == 1
    assert "M30 csv!E4" in result.output
    assert archive.has(settings.get().archive_dir, hashlib.sha256(wrong.read_bytes()).hexdigest())
    signed = empty / "sao-ke.pdf"
    signed.write_bytes(b"%PDF-1.7 ...")
    assert tiendo("reference", "load", "--treasury", signed, "--treasury", strange).exit_code == 2
    assert tiendo("reference", "load", "--treasury", empty / "khong-co.xlsx").exit_code == 2
    with warehouse.connect() as connection:
        assert connection.execute("select file_name from core.treasury_statement").fetchall() == [("ma-la.csv",)]


def test_without_a_statement_of_the_date_nothing_is_compared(empty: Path) -> None:
    middle = csv_statement(
        empty / "giua-thang.csv",
        f"{units()[QUAN_SON]};{DA2};40;5;45",
        title="Đến ngày 14/10/2025; Năm ngân sách 2025; Đơn vị tính: đồng",
    )
    result = tiendo("reference", "load", "--treasury", middle)
    assert (result.exit_code, "CK31" in result.output) == (1, True)
    result = tiendo("reconcile", "--period", "2025-10")
    assert result.exit_code == 2
    assert "Chưa có sao kê Kho bạc Nhà nước đến ngày 31/10/2025" in result.output
    assert "14/10/2025" in result.output


def loadings() -> list[tuple[str, ...]]:
    with warehouse.connect() as connection:
        return connection.execute(
            "select s.file_name from core.treasury_loading as k "
            "inner join core.treasury_statement as s on k.sha256 = s.sha256 order by k.loading_id"
        ).fetchall()


def test_a_statement_that_drops_communes_is_loaded_only_when_that_is_said(empty: Path) -> None:
    one, other = units()[QUAN_SON], units()[DOAN_KET]
    whole = csv_statement(empty / "du.csv", f"{one};{DA2};40;5;45", f"{one};{NTM};1;0;1", f"{other};{DA2};9;0;9")
    part = csv_statement(empty / "thieu.csv", f"{one};{DA2};40;5;45")
    load_ = ("reference", "load", "--treasury")
    assert tiendo(*load_, whole).exit_code == 0
    result = tiendo(*load_, part)
    assert result.exit_code == 1
    assert "không nạp" in result.output
    assert "thiếu 1 đơn vị có trong sao kê cùng ngày đang có hiệu lực (du.csv nạp lúc " in result.output
    assert "): Xã Đoàn Kết (06001). Sao kê này chưa được nạp." in result.output
    assert "--replace" in result.output
    assert loadings() == [("du.csv",)]
    result = tiendo(*load_, part, "--replace")
    assert result.exit_code == 0, result.output
    assert "thay sao kê du.csv nạp lúc " in result.output
    assert archive.key_of(hashlib.sha256(whole.read_bytes()).hexdigest()) in result.output
    assert "Không còn Xã Đoàn Kết (06001): lũy kế 9 đồng." in result.output
    assert f"Không còn mã {NTM} của Xã Quan Sơn (06517): lũy kế 1 đồng." in result.output
    again = tiendo(*load_, whole)
    assert (again.exit_code, "có hiệu lực trở lại, thay sao kê thieu.csv" in again.output) == (0, True), again.output
    assert "đã nạp từ trước" in tiendo(*load_, whole).output
    assert loadings() == [("du.csv",), ("thieu.csv",), ("du.csv",)]


def test_what_became_of_each_statement_is_told_to_programs(empty: Path) -> None:
    one, other = units()[QUAN_SON], units()[DOAN_KET]
    whole = csv_statement(empty / "du.csv", f"{one};{DA2};40;5;45", f"{other};{DA2};9;0;9")
    part = csv_statement(empty / "thieu.csv", f"{one};{NTM};40;5;45")
    bad = csv_statement(empty / "trieu.csv", f"{one};{DA2};1;0;1", title="Đến ngày 31/10/2025; (triệu đồng)")
    load_ = ("reference", "load", "--json", "--treasury")
    result = tiendo(*load_, whole, "--treasury", part, "--treasury", bad)
    assert result.exit_code == 1
    first, second, third = json.loads(result.stdout)["treasury"]
    assert (first["outcome"], first["as_of"], first["budget_year"]) == ("loaded", "2025-10-31", 2025)
    assert (first["balances"], first["postings"], first["replaces"], first["findings"]) == (2, 0, None, [])
    assert (second["outcome"], second["replaces"]["file"]) == ("not_loaded", "du.csv")
    assert second["replaces"]["communes_dropped"] == [
        {"commune_code": DOAN_KET, "name": "Xã Đoàn Kết", "budget_unit_code": other, "total_vnd": "9"}
    ]
    assert second["replaces"]["codes_dropped"] == [
        {
            "commune_code": QUAN_SON,
            "name": "Xã Quan Sơn",
            "budget_unit_code": one,
            "budget_code": DA2,
            "total_vnd": "45",
        }
    ]
    assert [(f["rule"], f["severity"]) for f in second["findings"]] == [("CK30", "warning")]
    assert (third["outcome"], [f["rule"] for f in third["findings"]]) == ("not_loaded", ["M07"])
    [told_] = json.loads(tiendo(*load_, part, "--replace").stdout)["treasury"]
    assert (told_["outcome"], [f["severity"] for f in told_["findings"]]) == ("loaded", ["warning"])
    outcomes = [json.loads(tiendo(*load_, whole).stdout)["treasury"][0]["outcome"] for _ in range(2)]
    assert outcomes == ["loaded_again", "unchanged"]


def test_one_commune_under_two_codes_is_not_loaded(empty: Path) -> None:
    path = csv_statement(empty / "hai-ma.csv", f"{units()[QUAN_SON]};{DA2};40;5;45", f"{QUAN_SON};{DA2};40;5;45")
    result = tiendo("reference", "load", "--treasury", path)
    assert result.exit_code == 1
    assert "CK10 csv!E4: Mã 00474 của Xã Quan Sơn ghi cả theo mã ĐVQHNS lẫn theo mã xã, phường" in result.output
    assert loadings() == []


def test_nothing_is_loaded_when_one_of_the_files_is_not_there(empty: Path) -> None:
    path = csv_statement(empty / "sao-ke.csv", f"{units()[QUAN_SON]};{DA2};40;5;45")
    assert tiendo("reference", "load", "--treasury", path, "--treasury", empty / "khong-co.xlsx").exit_code == 2
    assert loadings() == []
