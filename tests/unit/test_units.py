"""The history of units and of programme trees, as the files of a province's folder tell it."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from etl import settings
from etl.collect import identity
from etl.errors import UsageError
from etl.reference import programmes, units
from etl.reference.province import Province

NEW_YEAR = "2027-01-01"
Rows = list[dict[str, str]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(settings.Settings(province="lang_son").reference_dir, tmp_path / "tinh_thu"))


def edit(path: Path, change: Callable[[Rows], object]) -> None:
    with path.open(encoding="utf-8", newline="") as handle:
        reader = csv.DictReader(handle)
        rows, columns = list(reader), list(reader.fieldnames or ())
    change(rows)
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, columns)
        writer.writeheader()
        writer.writerows(rows)


def end(folder: Path, code: str, last: str = "2026-12-31") -> dict[str, str]:
    """The commune ends; a copy of its row, for what comes after it."""
    ended: list[dict[str, str]] = []

    def change(rows: Rows) -> None:
        row = next(r for r in rows if r["commune_code"] == code)
        ended.append(dict(row))
        row["valid_to"] = last

    edit(folder / "communes.csv", change)
    return ended[0]


def begin(folder: Path, row: dict[str, str], day: str = NEW_YEAR, **values: str) -> None:
    edit(folder / "communes.csv", lambda rows: rows.append(row | {"valid_from": day, "valid_to": ""} | values))


def went(folder: Path, before: str, after: str, kind: str, day: str = NEW_YEAR, **values: str) -> None:
    row = {"changed_on": day, "from_code": before, "to_code": after, "kind": kind}
    row |= {"is_whole": "no" if kind == "divided" else "yes", "document": "NQ thử", "verified": "no"}
    edit(folder / "unit_changes.csv", lambda rows: rows.append(row | values))


def fault(folder: Path) -> str:
    with pytest.raises(UsageError) as caught:
        units.load(folder)
    return str(caught.value)


def test_lang_son_had_194_units_of_which_two_were_divided_and_has_65() -> None:
    history = units.load(settings.Settings(province="lang_son").reference_dir)

    assert (len(history.on(date(2025, 6, 30))), len(history.on(date(2025, 7, 1)))) == (194, 65)
    assert {c.from_code for c in history.changes if c.kind == "divided"} == {"06622", "06625"}
    assert all(c.document == "1672/NQ-UBTVQH15 (16/06/2025)" for c in history.changes)


def test_a_code_may_name_one_unit_then_and_another_now() -> None:
    history = units.load(settings.Settings(province="lang_son").reference_dir)

    names = [history.on(date(2025, month, 1))["05977"].name_vi for month in (6, 7)]

    assert names == ["Phường Vĩnh Trại", "Phường Đông Kinh"]


def test_a_rename_is_two_rows_and_a_change(folder: Path) -> None:
    begin(folder, end(folder, "06517"), name_vi="Xã Quan Sơn Mới", short_name_vi="Quan Sơn Mới")
    went(folder, "06517", "06517", "renamed")

    units.load(folder)
    province = Province(folder)

    assert province.communes_on(date(2026, 12, 31))["06517"].name_vi == "Xã Quan Sơn"
    assert province.communes["06517"].name_vi == "Xã Quan Sơn Mới"
    assert len(province.communes_on(date(2027, 1, 1))) == 65


def test_a_report_of_a_commune_that_is_not_there_on_its_day_is_sent_back(folder: Path) -> None:
    begin(folder, end(folder, "06004"), commune_code="06999")
    went(folder, "06004", "06999", "recoded")
    province = Province(folder)

    def settled(code: str, period: str) -> tuple[str | None, list[str]]:
        found = identity.settle(f"BC-MTQG_{code}_{period}_v1.xlsx", {}, {}, province, identity.Origin())
        return found.commune_code, [str(i.values["value"]) for i in found.issues if i.rule == "M18"]

    assert settled("06004", "2026-12") == ("06004", [])
    assert settled("06999", "2027-03") == ("06999", [])
    assert settled("06004", "2027-03") == (None, ["Xã Quốc Khánh (06004), ngày 31/03/2027"])
    assert settled("06999", "2026-12") == (None, ["Xã Quốc Khánh (06999), ngày 31/12/2026"])


def test_a_gap_in_the_life_of_a_code_is_refused(folder: Path) -> None:
    begin(folder, end(folder, "06517"), "2027-02-01")
    went(folder, "06517", "06517", "renamed", "2027-02-01")

    assert "Mã 06517: khoảng trống từ 01/01/2027 đến 31/01/2027 giữa Xã Quan Sơn và Xã Quan Sơn." in fault(folder)


def test_an_overlap_in_the_life_of_a_code_is_refused(folder: Path) -> None:
    begin(folder, end(folder, "06517", "2027-03-31"))

    assert "Mã 06517: Xã Quan Sơn và Xã Quan Sơn chồng thời gian từ 01/01/2027." in fault(folder)


def test_a_successor_that_is_not_there_on_that_day_is_refused(folder: Path) -> None:
    end(folder, "06517")
    went(folder, "06517", "06999", "recoded")

    assert "Thay đổi 06517 -> 06999 ngày 01/01/2027: không có đơn vị 06999 bắt đầu ngày 01/01/2027." in fault(folder)


def test_a_unit_that_goes_on_cannot_take_another_in_without_a_row_of_its_own(folder: Path) -> None:
    end(folder, "06517")
    went(folder, "06517", "06541", "merged")

    assert "không có đơn vị 06541 bắt đầu ngày 01/01/2027" in fault(folder)


def test_a_cycle_cannot_be_written_because_time_goes_forward_along_every_change(folder: Path) -> None:
    begin(folder, end(folder, "06517"), commune_code="06999")
    went(folder, "06517", "06999", "recoded")
    went(folder, "06999", "06517", "recoded", "2025-07-01")

    assert "Thay đổi 06999 -> 06517 ngày 01/07/2025: không có đơn vị 06999 kết thúc ngày 30/06/2025." in fault(folder)


def test_all_of_a_unit_cannot_go_to_two_places(folder: Path) -> None:
    row = end(folder, "06517")
    begin(folder, row)
    begin(folder, row, commune_code="06999")
    went(folder, "06517", "06517", "renamed")
    went(folder, "06517", "06999", "recoded")

    assert "Xã Quan Sơn (06517): toàn bộ đơn vị không thể vào hai nơi (06517, 06999)." in fault(folder)


def test_a_divided_unit_needs_a_place_for_each_part(folder: Path) -> None:
    begin(folder, end(folder, "06517"))
    went(folder, "06517", "06517", "divided")

    assert "chỉ một phần vào 06517; thiếu nơi nhận phần còn lại" in fault(folder)


@pytest.mark.parametrize("kind", ["merged", "recoded"])
def test_the_kind_of_a_change_must_fit_the_other_rows(folder: Path, kind: str) -> None:
    begin(folder, end(folder, "06517"), name_vi="Xã Mới")
    went(folder, "06517", "06517", kind)

    assert f"loại {kind} không đúng với các dòng khác; phải là renamed" in fault(folder)


def test_where_a_unit_went_and_where_one_comes_from_must_be_said(folder: Path) -> None:
    row = end(folder, "06517")
    begin(folder, row, commune_code="06999", name_vi="Xã Mới")

    told = fault(folder)

    assert "Xã Quan Sơn (06517) kết thúc mà không rõ về đơn vị nào" in told
    assert "Xã Mới (06999) bắt đầu ngày 01/01/2027 mà không rõ từ đơn vị nào" in told


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"kind": "lost"}, "loại thay đổi lost phải là một trong: renamed, recoded, merged, divided."),
        ({"changed_on": "01/01/2027"}, "ngày 01/01/2027 không hợp lệ; phải ghi theo dạng 2027-01-01."),
        ({"is_whole": ""}, "is_whole phải là yes hoặc no, không là (trống)."),
        ({"document": ""}, "thiếu văn bản làm căn cứ thay đổi."),
    ],
)
def test_a_row_that_cannot_be_read_is_named_by_file_and_line(folder: Path, values: dict[str, str], told: str) -> None:
    went(folder, "06517", "06517", "renamed")
    edit(folder / "unit_changes.csv", lambda rows: rows[0].update(values))

    assert f"unit_changes.csv, dòng 2: {told}" in fault(folder)


def predecessors(folder: Path, text: str) -> None:
    edit(folder / "programmes.csv", lambda rows: rows[-1].update(predecessor_codes=text))


def test_a_programme_says_what_it_goes_on_with_wholly_or_in_part(folder: Path) -> None:
    predecessors(folder, "GNBV|DTTS-DA1 (một phần)")

    assert programmes.changes(folder) == (
        programmes.Change("GNBV", "MTQG-2630", True), programmes.Change("DTTS-DA1", "MTQG-2630", False),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("GNBV|XYZ", "MTQG-2630: cây chương trình không có mã XYZ."),
        ("MTQG-2630", "MTQG-2630: nội dung trước đó MTQG-2630 phải bắt đầu sớm hơn MTQG-2630."),
        ("GNBV|GNBV (một phần)", "MTQG-2630: GNBV ghi hai lần."),
    ],
)
def test_a_predecessor_that_cannot_be_is_refused(folder: Path, text: str, told: str) -> None:
    predecessors(folder, text)

    with pytest.raises(UsageError, match="predecessor_codes có lỗi") as caught:
        programmes.changes(folder)
    assert told in str(caught.value)
