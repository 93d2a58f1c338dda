"""``tiendo export``: each format holds what the warehouse holds, to the đồng; the descriptor is true row by row."""

from __future__ import annotations

import csv
import hashlib
import json
import re
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from frictionless import Package, validate
from openpyxl import load_workbook
from typer.testing import CliRunner

from etl.cli import app
from etl.errors import DataError, UsageError
from etl.load import warehouse as db
from etl.publish import export
from etl.publish.export.tables import Column
from etl.publish.export.values import for_csv, plain
from tests.sql.conftest import Loaded
from tests.sql.published import OCTOBER, REVISED_BY_VND, REVISED_COMMUNE, Published

CALC = shutil.which("soffice") or shutil.which("libreoffice")


@pytest.fixture(scope="module")
def home(published_once: Published) -> Iterator[Path]:
    """Both exports, made once: ``release`` and ``current``."""
    with pytest.MonkeyPatch.context() as patch:
        from tests.sql.conftest import point

        point(patch, published_once.address, published_once.home)
        folder = published_once.home / "exports"
        with db.connect() as connection:
            export.write(connection, folder / "release", published_once.releases[OCTOBER])
            export.write(connection, folder / "current", None)
        yield folder
    from etl import settings

    settings.reload()


def descriptor(folder: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    return loaded


def csv_rows(folder: Path, table: str) -> list[dict[str, str]]:
    with (folder / "csv" / f"{table}.csv").open(encoding="utf-8-sig", newline="") as handle:
        return list(csv.DictReader(handle, delimiter=";"))


def parquet_rows(folder: Path, table: str) -> list[dict[str, Any]]:
    result = duckdb.sql(f"select * from read_parquet('{folder}/parquet/{table}.parquet')")
    return [dict(zip(result.columns, row, strict=True)) for row in result.fetchall()]


def sheet_rows(folder: Path, table: str) -> list[dict[str, Any]]:
    book = load_workbook(next(folder.glob("*.xlsx")), read_only=True)
    rows = book[table].iter_rows(min_row=2, values_only=True)
    names = next(rows)
    return [dict(zip(names, row, strict=True)) for row in rows]


def warehouse_rows(query: str) -> list[Any]:
    with db.connect() as connection:
        return connection.execute(query).fetchall()


@pytest.mark.parametrize("of", ["release", "current"])
def test_frictionless_finds_the_package_valid_row_by_row(home: Path, of: str) -> None:
    report = validate(str(home / of / "datapackage.json"))
    assert report.flatten(["type", "message"]) == []
    assert report.valid
    tables = [task for task in report.tasks if not task.name.endswith("-parquet")]
    assert sum(task.stats["rows"] for task in tables) > 10_000


def test_frictionless_would_see_a_wrong_value(home: Path, tmp_path: Path) -> None:
    copy = tmp_path / "release"
    shutil.copytree(home / "release", copy)
    told = descriptor(copy)
    for resource in told["resources"]:
        resource.pop("hash"), resource.pop("bytes")
    (copy / "datapackage.json").write_text(json.dumps(told), encoding="utf-8")
    path = copy / "csv" / "disbursement_rate.csv"
    path.write_text(path.read_text("utf-8-sig").replace(";39,10;", ";39.10;", 1), "utf-8-sig", newline="")
    assert {error[0] for error in validate(str(copy / "datapackage.json")).flatten(["type"])} == {"type-error"}


@pytest.mark.parametrize("of", ["release", "current"])
def test_every_parquet_file_says_what_its_csv_says(home: Path, of: str) -> None:
    """Read strictly by the descriptor: the values of both are one and the same."""
    resources = {r["name"]: r for r in descriptor(home / of)["resources"]}
    tables = [name for name in resources if not name.endswith("-parquet")]
    assert len(tables) > 25
    for table in tables:
        fields = {f["name"]: f["type"] for f in resources[table]["schema"]["fields"]}
        told = [{k: typed(v, fields[k]) for k, v in row.items()} for row in csv_rows(home / of, table)]
        found = [{k: typed(v, fields[k]) for k, v in row.items()} for row in parquet_rows(home / of, table)]
        assert found == told, table


def typed(value: Any, kind: str) -> Any:
    if value in (None, ""):
        return None
    if kind in ("integer", "number"):
        return Decimal(value.replace(",", ".") if isinstance(value, str) else value)
    if kind == "date":
        return value if isinstance(value, date) else date.fromisoformat(value)
    if kind == "datetime":
        return value if isinstance(value, datetime) else datetime.fromisoformat(value)
    if kind in ("array", "object"):
        return json.loads(value)
    if kind == "boolean":
        return value if isinstance(value, bool) else {"true": True, "false": False}[value]
    return value.removeprefix("'")


def test_totals_of_each_format_are_those_of_the_release_to_the_dong(home: Path, published: Published) -> None:
    total = Decimal(published.truth(OCTOBER)["totals"]["2025"]["all"]["disb_ytd"])
    query = "select plan_total, disb_ytd from mart.disbursement_line_published where release_id = '2025-10-r1'"
    held = warehouse_rows(query)
    assert sum(row[1] for row in held) == total
    folder = home / "release"
    for read in (csv_rows, parquet_rows, sheet_rows):
        rows = read(folder, "disbursement_line")
        assert len(rows) == len(held)
        for at, key in enumerate(("plan_total", "disb_ytd")):
            assert sum(Decimal(r[key]) for r in rows) == sum(row[at] for row in held), read.__name__


def test_the_release_stays_as_published_and_the_current_export_has_the_revision(home: Path) -> None:
    def paid(of: str) -> Decimal:
        rows = csv_rows(home / of, "disbursement_rate")
        return next(
            Decimal(r["disb_ytd"])
            for r in rows
            if (r["slice"], r["commune_code"], r["period"]) == ("commune", REVISED_COMMUNE, "2025-10")
        )

    assert paid("current") - paid("release") == REVISED_BY_VND
    assert {r["period"] for r in csv_rows(home / "release", "disbursement_rate")} == {"2025-10"}
    assert len({r["period"] for r in csv_rows(home / "current", "disbursement_rate")}) == 4


def test_rates_and_days_of_the_workbook_are_numbers_and_days(home: Path) -> None:
    row = next(r for r in sheet_rows(home / "release", "disbursement_rate") if r["slice"] == "all")
    assert row["rate_total"] == 39.1
    assert sheet_rows(home / "release", "release")[0]["as_of"].date() == date(2025, 10, 31)
    assert sheet_rows(home / "release", "commune_rank")[0]["commune_code"] == "05977"


def test_the_first_sheet_explains_tables_columns_units_moment_and_coverage(home: Path) -> None:
    book = load_workbook(home / "release" / "tiendo-2025-10-r1.xlsx", read_only=True)
    told = [[c for c in row if c is not None] for row in book.worksheets[0].iter_rows(values_only=True)]
    text = "\n".join(" | ".join(map(str, row)) for row in told)
    assert book.sheetnames[0] == "Hướng dẫn"
    for expected in (
        "Bản tổng hợp | 2025-10-r1, kỳ 2025-10, năm ngân sách 2025: như đã công bố",
        "Ngày chốt số liệu | 31/10/2025",
        "Biết đến lúc | 12/11/2025 10:00 (giờ Việt Nam)",
        "65/65 xã, phường có báo cáo, giữ 100,00 % vốn được giao",
        "Giải ngân và tỷ lệ theo từng lát cắt | Disbursement and rates by slice",
        "disbursement_rate | rate_total | Tỷ lệ giải ngân",
    ):
        assert expected in text
    assert {row[0] for row in told if row and row[0] in book.sheetnames} == set(book.sheetnames[1:])


def test_every_column_has_a_meaning_of_its_own(home: Path) -> None:
    bare = [
        (resource["name"], field["name"])
        for of in ("release", "current")
        for resource in descriptor(home / of)["resources"]
        for field in resource["schema"]["fields"]
        if field["title"] == field["name"]
    ]
    assert bare == []


def test_headers_stay_in_view_and_can_be_filtered(home: Path) -> None:
    book = load_workbook(home / "release" / "tiendo-2025-10-r1.xlsx")
    for sheet in book.worksheets[1:]:
        assert sheet.freeze_panes[1:] == "3", sheet.title
        assert sheet.auto_filter.ref.startswith("A2:")
        assert sheet.auto_filter.ref.endswith(str(sheet.max_row))


def test_the_same_state_gives_the_same_bytes(home: Path, published: Published, tmp_path: Path) -> None:
    for of, release_id in (("release", "2025-10-r1"), ("current", None)):
        with db.connect() as connection:
            export.write(connection, tmp_path / of, release_id)
        assert hashes(tmp_path / of) == hashes(home / of)


def hashes(folder: Path) -> dict[str, str]:
    files = [p for p in sorted(folder.rglob("*")) if p.is_file()]
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def test_the_descriptor_is_dated_by_what_was_known_and_not_by_the_clock(home: Path) -> None:
    told = descriptor(home / "release")
    assert told["created"] == told["tiendo"]["knownAt"] == "2025-11-12T03:00:00Z"
    assert told["tiendo"]["coverage"] == {
        "communesReported": 65, "communesExpected": 65, "planCoveredPct": "100.00",
    }  # fmt: skip
    assert Package(str(home / "release" / "datapackage.json")).get_resource("completeness").read_rows()[0][
        "plan_covered_vnd"
    ] == int(csv_rows(home / "release", "completeness")[0]["plan_covered_vnd"])


@pytest.mark.slow
@pytest.mark.skipif(CALC is None, reason="LibreOffice Calc is not on this machine")
def test_a_double_click_on_the_csv_shows_diacritics_and_numbers(home: Path, tmp_path: Path) -> None:
    """Semicolons, quotes, UTF-8, Vietnamese (1066): what a Vietnamese Excel takes for granted."""
    subprocess.run(
        [str(CALC), f"-env:UserInstallation=file://{tmp_path}/profile", "--headless",
         "--infilter=Text - txt - csv (StarCalc):59,34,76,1,,1066,false,true", "--convert-to", "xlsx", "--outdir",
         str(tmp_path), *(str(home / "release/csv" / f"{t}.csv") for t in ("disbursement_rate", "submission_status"))],
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=180,
    )  # fmt: skip
    names, *rows = load_workbook(tmp_path / "disbursement_rate.xlsx").active.iter_rows(values_only=True)
    shown = dict(zip(names, next(r for r in rows if r[names.index("slice")] == "all"), strict=True))
    told = next(r for r in csv_rows(home / "release", "disbursement_rate") if r["slice"] == "all")
    assert shown["rate_total"] == 39.1
    assert shown["disb_ytd"] == int(told["disb_ytd"])
    names, *rows = load_workbook(tmp_path / "submission_status.xlsx").active.iter_rows(values_only=True)
    assert "Xã Quan Sơn" in {r[names.index("commune_vi")] for r in rows} | {
        str(r[names.index("commune_vi")]).replace("xã", "Xã") for r in rows
    }


def test_a_text_that_would_be_a_formula_stays_a_text(published: Published) -> None:
    note = Column("note", "text", "", "")
    for text in ('=HYPERLINK("x")', "+1", "-1+2", "@sum(1)", "\tx", "＝1"):
        assert for_csv(text, note) == f"'{text}"
    assert for_csv("Chậm - do mưa", note) == "Chậm - do mưa"
    assert for_csv(Decimal(-5), Column("difference", "vnd", "", "")) == "-5"


def test_no_number_is_rounded_in_silence() -> None:
    rate = Column("rate_total", "decimal", "", "", "pct", 2)
    assert plain(Decimal("41.50"), rate) == "41.50"
    with pytest.raises(DataError, match="chữ số thập phân"):
        plain(Decimal("41.505"), rate)
    long = Decimal("12345678901234567890123456789012345")
    assert plain(long, Column("plan_total", "vnd", "", "", "vnd")) == str(long)


def test_amounts_beyond_fifteen_digits_lose_none_in_the_workbook(published: Published, tmp_path: Path) -> None:
    from etl.publish.export.book import Book
    from etl.publish.export.tables import Scope, Table

    scope = Scope("current", None, "2025-10", 2025, date(2025, 10, 31), datetime(2025, 11, 12).astimezone())
    from psycopg import sql

    table = Table(
        "lines", "Dòng", "Lines", (Column("amount", "vnd", "Số tiền", "Amount", "vnd"),), (), sql.SQL("").format()
    )
    book = Book(tmp_path / "book.xlsx", scope)
    sheet = book.sheet(table)
    for value in (Decimal(123456789012345), Decimal(1234567890123456), Decimal(-98765432109876543210)):
        sheet.write([value])
    sheet.end()
    book.close(scope, [(table, 3)], [])
    cells = [row[0] for row in load_workbook(tmp_path / "book.xlsx")["lines"].iter_rows(min_row=3, values_only=True)]
    assert cells == [123456789012345, "1234567890123456", "-98765432109876543210"]
    guide = load_workbook(tmp_path / "book.xlsx").worksheets[0]
    assert any("15 chữ số" in str(c) for row in guide.iter_rows(values_only=True) for c in row)


def test_only_the_tables_that_are_asked_for(published: Published, tmp_path: Path) -> None:
    result = CliRunner().invoke(
        app, ["export", "--current", "--out", str(tmp_path / "x"), "--tables", "completeness,commune_rank", "--json"]
    )
    assert result.exit_code == 0, result.output
    told = json.loads(result.output)
    assert [t["name"] for t in told["tables"]] == ["commune_rank", "completeness"]
    assert told["files"] == [
        "csv/commune_rank.csv", "csv/completeness.csv", "datapackage.json", "parquet/commune_rank.parquet",
        "parquet/completeness.parquet", "tiendo-current.xlsx",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--release", "2025-10-r9"], "Không có bản tổng hợp 2025-10-r9."),
        (["--current", "--tables", "nope"], "Không có bảng nope. Các bảng: allocation,"),
        ([], "Phải chọn đúng một trong hai"),
        (["--current", "--release", "2025-10-r1"], "Phải chọn đúng một trong hai"),
    ],
)
def test_a_wrong_call_is_told_in_vietnamese(
    published: Published, tmp_path: Path, arguments: list[str], told: str
) -> None:
    result = CliRunner().invoke(app, ["export", "--out", str(tmp_path / "x"), *arguments])
    assert result.exit_code == 2
    assert told in result.output
    assert not (tmp_path / "x").exists()


def test_a_release_that_is_not_published_is_not_exported(own: Loaded, tmp_path: Path) -> None:
    with db.connect() as connection:
        connection.execute(
            "insert into release.release values "
            "('2025-10-r1', '2025-10', 2025, 1, '2025-10-31', now(), 'x', 'x', now())"
        )
        connection.commit()
        with pytest.raises(UsageError, match="chưa công bố"):
            export.write(connection, tmp_path / "x", "2025-10-r1")


def test_a_folder_with_something_in_it_is_left_alone(published: Published, tmp_path: Path) -> None:
    kept = tmp_path / "x" / "của tôi.txt"
    kept.parent.mkdir()
    kept.write_text("x")
    result = CliRunner().invoke(app, ["export", "--current", "--out", str(kept.parent)])
    assert (result.exit_code, list(kept.parent.iterdir())) == (2, [kept])
    assert "không trống" in result.output
    file = CliRunner().invoke(app, ["export", "--current", "--out", str(kept)])
    assert "không phải là thư mục" in file.output


def test_what_fails_on_the_way_leaves_nothing(
    published: Published, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(export, "_parquet", broken)
    with db.connect() as connection, pytest.raises(OSError, match="No space"):
        export.write(connection, tmp_path / "x", None)
    assert list(tmp_path.iterdir()) == []


def test_the_workbook_and_the_descriptor_have_no_time_of_the_clock(home: Path) -> None:
    with zipfile.ZipFile(home / "current" / "tiendo-current.xlsx") as book:
        assert {entry.date_time[0] for entry in book.infolist()} == {1980}
    assert not re.search(
        rf"{datetime.now().astimezone().date().isoformat()}", (home / "current" / "datapackage.json").read_text()
    )
