"""A rule file that is not sound: every kind of fault is told with its file, rule, key and remedy; nothing is judged."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

from etl import settings
from etl.cli import app
from etl.errors import CatalogueError
from etl.validate import catalogue, catalogue_check, declared, rule_files, suites
from etl.validate.catalogue import Rule

SOUND = settings.assets() / "expectations"
Change = Callable[[dict[str, Any]], object]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the rule files, to be broken."""
    return Path(shutil.copytree(SOUND, tmp_path / "expectations"))


@pytest.fixture
def in_use(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The copy, in the place of the files that the code reads."""
    monkeypatch.setattr(settings, "assets", lambda: folder.parent)
    cached = [one for one in vars(catalogue).values() if hasattr(one, "cache_clear")]
    for one in cached:
        one.cache_clear()
    yield folder
    for one in cached:
        one.cache_clear()


def edit(folder: Path, file: str, change: Change) -> None:
    path = folder / f"{file}.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content)
    path.write_text(json.dumps(content, ensure_ascii=False, indent=2), encoding="utf-8")


def told(folder: Path) -> list[str]:
    """The faults that loading tells, without their numbers."""
    with pytest.raises(CatalogueError) as caught:
        rule_files.load(folder)
    first, *lines = str(caught.value).splitlines()
    assert f"có {len(lines)} chỗ sai" in first
    assert str(folder) in first
    return [line.partition(". ")[2] for line in lines]


def rule(content: dict[str, Any], id: str) -> dict[str, Any]:
    return next(one for one in content["expectations"] if one["meta"]["id"] == id)


def put(id: str, *keys: str, to: object) -> Change:
    """Writes a value at a key of an expectation."""

    def change(content: dict[str, Any]) -> None:
        place = rule(content, id)
        for key in keys[:-1]:
            place = place[key]
        place[keys[-1]] = to

    return change


def lacks(id: str, *keys: str) -> Change:
    def change(content: dict[str, Any]) -> None:
        place = rule(content, id)
        for key in keys[:-1]:
            place = place[key]
        del place[keys[-1]]

    return change


def small(id: str, key: str, to: object, group: str = "rules") -> Change:
    return lambda content: content[group][id].update({key: to})


TO_BRING = "bổ sung khóa này theo mẫu của các quy tắc khác"
TO_CHOOSE = "ghi đúng giá trị được dùng"
TO_MAKE = "sửa lại tên cột; nếu là cột mới thì lập ở etl/validate/controls/ và khai báo trong etl/validate/declared.py"
TO_FORM = "sửa lại tên cột theo etl/reference/forms/v1_columns.csv, hoặc ghi @tên cột kiểm tra"
TO_FILL = "sửa lại tên, hoặc bỏ chỗ điền này"
TO_BRACE = "viết chỗ điền là {tên}; dấu ngoặc nhọn không phải chỗ điền thì viết hai lần"
PHASES = "form, plan, code, ceiling, ledger, known, identity, bounds, sums"
UNITS = "vnd, percent, quantity, ratio, text"

ONE_FAULT: list[tuple[str, str, Change, str]] = [
    # The expectation
    (
        "a column that nothing makes", "b01", put("CK08", "kwargs", "column", to="excess_carryy"),
        "b01.json, quy tắc CK08, khóa kwargs.column: \"excess_carryy\" không phải là cột kiểm tra của tệp này "
        f"(gần giống: excess_carry). Cách sửa: {TO_MAKE}.",
    ),
    (
        "an expectation that does not exist", "b01", put("CK08", "type", to="expect_column_values_to_be_nulll"),
        "b01.json, quy tắc CK08, khóa type: \"expect_column_values_to_be_nulll\" không được dùng (gần giống: "
        "expect_column_values_to_be_null, expect_column_values_to_not_be_null); giá trị được dùng: "
        f"{', '.join(catalogue_check.TYPES)}. Cách sửa: {TO_CHOOSE}.",
    ),
    (
        "an argument that the expectation does not take", "b01", put("CK08", "kwargs", "max_valu", to=0),
        "b01.json, quy tắc CK08, khóa kwargs.max_valu: khóa lạ, chương trình không đọc (gần giống: max_value); các "
        "khóa được dùng: column, min_value, max_value, strict_min, strict_max. Cách sửa: sửa lại tên khóa, hoặc bỏ "
        "khóa này.",
    ),
    (
        "an argument that is missing", "b01", lacks("CK08", "kwargs", "column"),
        f"b01.json, quy tắc CK08, khóa kwargs.column: thiếu khóa bắt buộc. Cách sửa: {TO_BRING}.",
    ),
    (
        "nothing to compare with", "b01", lacks("CK08", "kwargs", "max_value"),
        "b01.json, quy tắc CK08, khóa kwargs: không có min_value hoặc max_value nên không so sánh với gì. "
        "Cách sửa: ghi min_value hoặc max_value.",
    ),
    (
        "a number in quotes", "b01", put("CK08", "kwargs", "max_value", to="0"),
        "b01.json, quy tắc CK08, khóa kwargs.max_value: \"0\", phải là một số hoặc {\"$PARAMETER\": tên ngưỡng}. "
        "Cách sửa: ghi số không có ngoặc kép, hoặc tên ngưỡng của tỉnh.",
    ),
    (
        "a threshold that the suite does not get", "b01",
        put("CK05", "kwargs", "max_value", to={"$PARAMETER": "rate_tolerance"}),
        "b01.json, quy tắc CK05, khóa kwargs.max_value.$PARAMETER: \"rate_tolerance\" không phải là ngưỡng được dùng "
        "ở tệp này; các tên có: rate_tolerance_pct_points. Cách sửa: sửa lại tên; nếu là ngưỡng mới thì khai báo trong "
        "etl/validate/declared.py.",
    ),
    (
        "an empty set", "b01", put("CK02", "kwargs", "value_set", to=[]),
        "b01.json, quy tắc CK02, khóa kwargs.value_set: danh sách trống. Cách sửa: ghi ít nhất một giá trị.",
    ),
    (
        "bounds the wrong way round", "b01",
        put("CK08", "kwargs", to={"column": "excess_carry", "min_value": 1, "max_value": 0}),
        "b01.json, quy tắc CK08, khóa kwargs: min_value 1 lớn hơn max_value 0 nên số nào cũng sai. "
        "Cách sửa: đổi lại hai giá trị.",
    ),
    (
        "no kwargs", "b01", lacks("CK08", "kwargs"),
        f"b01.json, quy tắc CK08, khóa kwargs: thiếu khóa bắt buộc. Cách sửa: {TO_BRING}.",
    ),
    (
        "no meta", "b01", lambda content: content["expectations"][4].pop("meta"),
        f"b01.json, quy tắc thứ 5, khóa meta: thiếu khóa bắt buộc. Cách sửa: {TO_BRING}.",
    ),
    (
        "an unknown severity", "b01", put("CK08", "severity", to="fatal"),
        "b01.json, quy tắc CK08, khóa severity: \"fatal\" không được dùng; giá trị được dùng: critical, warning, info. "
        f"Cách sửa: {TO_CHOOSE}.",
    ),
    (
        "an unknown key of a rule", "b01", put("CK08", "kwarg", to={}),
        "b01.json, quy tắc CK08, khóa kwarg: khóa lạ, chương trình không đọc (gần giống: kwargs); các khóa được dùng: "
        "type, kwargs, severity, meta. Cách sửa: sửa lại tên khóa, hoặc bỏ khóa này.",
    ),
    # What people need to know of it
    *(
        (
            f"no {key}", "b01", lacks("CK08", "meta", key),
            f"b01.json, quy tắc CK08, khóa meta.{key}: thiếu khóa bắt buộc. Cách sửa: {TO_BRING}.",
        )
        for key in (
            "phase", "state", "cell", "value", "expected", "difference", "uses", "reason", "message", "fix", "en",
        )
    ),
    (
        "no id", "b01", lacks("CK08", "meta", "id"),
        "b01.json, quy tắc thứ 12, khóa meta.id: thiếu khóa bắt buộc. Cách sửa: " + TO_BRING + ".",
    ),
    (
        "an unknown state", "b01", put("CK08", "meta", "state", to="off"),
        "b01.json, quy tắc CK08, khóa meta.state: \"off\" không được dùng; giá trị được dùng: beta, on, retired. "
        f"Cách sửa: {TO_CHOOSE}.",
    ),
    (
        "an unknown phase", "b01", put("CK08", "meta", "phase", to="later"),
        f"b01.json, quy tắc CK08, khóa meta.phase: \"later\" không được dùng; giá trị được dùng: {PHASES}. "
        f"Cách sửa: {TO_CHOOSE}.",
    ),
    (
        "an unknown unit", "b01", put("CK08", "meta", "unit", to="trieu"),
        f"b01.json, quy tắc CK08, khóa meta.unit: \"trieu\" không được dùng; giá trị được dùng: {UNITS}. "
        f"Cách sửa: {TO_CHOOSE}.",
    ),
    (
        "a form that does not exist", "months", put("CK15-b01", "meta", "form", to="B06"),
        "months.json, quy tắc CK15-b01, khóa meta.form: \"B06\" không được dùng; giá trị được dùng: "
        f"B01, B02, B03, B04, B05. Cách sửa: {TO_CHOOSE}.",
    ),
    (
        "another form than that of its file", "b01", put("CK08", "meta", "form", to="B02"),
        f"b01.json, quy tắc CK08, khóa meta.form: \"B02\" không được dùng; giá trị được dùng: B01. Cách sửa: "
        f"{TO_CHOOSE}.",
    ),
    (
        "no form in a file of several forms", "months", lacks("CK15-b01", "meta", "form"),
        "months.json, quy tắc CK15-b01, khóa meta.form: không ghi; tệp này phải nói rõ biểu nào: B01, B02, B03, B04, "
        "B05. Cách sửa: bổ sung form cho quy tắc.",
    ),
    (
        "a cell that the form does not have", "b01", put("CK08", "meta", "cell", to="disb_cary"),
        "b01.json, quy tắc CK08, khóa meta.cell: \"disb_cary\" không phải là cột của biểu B01 (gần giống: disb_carry). "
        f"Cách sửa: {TO_FORM}.",
    ),
    (
        "a cell that is pointed at by no column", "b01", put("CK04-b01", "meta", "cell", to="@sum_gap"),
        "b01.json, quy tắc CK04-b01, khóa meta.cell: \"@sum_gap\" không phải là cột kiểm tra nêu tên cột của biểu "
        f"(tên kết thúc bằng _key); các tên có: @magnitude_key, @negative_key, @sum_key. Cách sửa: {TO_MAKE}.",
    ),
    (
        "a cell without a form", "publication", put("CK40-zero", "meta", "cell", to="disb_ytd"),
        "publication.json, quy tắc CK40-zero, khóa meta.cell: \"disb_ytd\" nhưng quy tắc không có form. "
        "Cách sửa: ghi meta.form, hoặc để cell là null.",
    ),
    *(
        (
            f"a {key} that nothing makes", "b01", put("CK08", "meta", key, to="plan_cary"),
            f"b01.json, quy tắc CK08, khóa meta.{key}: \"plan_cary\" không phải là cột kiểm tra của tệp này "
            f"(gần giống: plan_carry). Cách sửa: {TO_MAKE}.",
        )
        for key in ("value", "expected", "difference")
    ),
    (
        "a cell to rest on that the form does not have", "b01", put("CK08", "meta", "uses", to=["disb_cary"]),
        "b01.json, quy tắc CK08, khóa meta.uses: \"disb_cary\" không phải là cột của biểu B01 (gần giống: disb_carry). "
        f"Cách sửa: {TO_FORM}.",
    ),
    (
        "a text where there is a list", "b01", put("CK08", "meta", "uses", to="disb_carry"),
        "b01.json, quy tắc CK08, khóa meta.uses: \"disb_carry\", phải là danh sách […]. "
        "Cách sửa: viết lại dưới dạng danh sách […].",
    ),
    (
        "a cell to take out that the form does not have", "b01", put("CK08", "meta", "takes", to=["*", "disb_cary"]),
        "b01.json, quy tắc CK08, khóa meta.takes: \"disb_cary\" không phải là cột của biểu B01 (gần giống: "
        f"disb_carry). Cách sửa: {TO_FORM}.",
    ),
    (
        "a cell of Biểu 01 that it does not have", "b02",
        put("CK12-no-output", "meta", "uses_project", to=["disb_ytdd"]),
        "b02.json, quy tắc CK12-no-output, khóa meta.uses_project: \"disb_ytdd\" không phải là cột của biểu B01 "
        f"(gần giống: disb_ytd). Cách sửa: {TO_FORM}.",
    ),
    (
        "parts that nobody knows", "b01", put("CK04-b01", "meta", "over", to="lines"),
        f"b01.json, quy tắc CK04-b01, khóa meta.over: \"lines\" không được dùng; giá trị được dùng: leaves. Cách sửa: "
        f"{TO_CHOOSE}.",
    ),
    (
        "a word where there is yes or no", "b01", put("CK08", "meta", "override", to="true"),
        "b01.json, quy tắc CK08, khóa meta.override: \"true\", phải là true hoặc false. "
        "Cách sửa: viết lại dưới dạng true hoặc false.",
    ),
    (
        "an empty text", "b01", put("CK08", "meta", "reason", to=" "),
        "b01.json, quy tắc CK08, khóa meta.reason: chuỗi trống. Cách sửa: ghi nội dung.",
    ),
    (
        "an unknown key of meta", "b01", put("CK08", "meta", "tkaes", to=[]),
        "b01.json, quy tắc CK08, khóa meta.tkaes: khóa lạ, chương trình không đọc (gần giống: takes); các khóa được "
        "dùng: rule, id, phase, state, cell, value, expected, difference, uses, reason, message, fix, en, form, unit, "
        "uses_line, uses_project, over, takes, once, override. Cách sửa: sửa lại tên khóa, hoặc bỏ khóa này.",
    ),
    (
        "a place that nothing fills", "b01", put("CK08", "meta", "message", to="Giải ngân {plan_cary} dòng {code}"),
        "b01.json, quy tắc CK08, khóa meta.message: không có gì để điền vào chỗ {plan_cary} (gần giống: plan_carry). "
        f"Cách sửa: {TO_FILL}.",
    ),
    (
        "a place that is not closed", "b01", put("CK08", "meta", "message", to="Giải ngân {value dòng {code}"),
        "b01.json, quy tắc CK08, khóa meta.message: dấu ngoặc nhọn không khớp trong \"Giải ngân {value dòng {code}\". "
        f"Cách sửa: {TO_BRACE}.",
    ),
    (
        "a place without a name", "b01", put("CK08", "meta", "message", to="Giải ngân {} dòng {code}"),
        "b01.json, quy tắc CK08, khóa meta.message: chỗ điền viết sai: \"Giải ngân {} dòng {code}\". "
        f"Cách sửa: {TO_BRACE}.",
    ),
    (
        "a place that has nothing to show", "b01", put("CK08", "meta", "expected", to=None),
        "b01.json, quy tắc CK08, khóa meta.message: chỗ {expected} không có gì để điền vì meta.expected là null. "
        "Cách sửa: ghi tên cột ở meta.expected, hoặc bỏ {expected} khỏi câu.",
    ),
    *(
        (
            f"a place in the {key}", "b01", put("CK08", "meta", key, to="Kiểm tra lại dòng {code}"),
            f"b01.json, quy tắc CK08, khóa meta.{key}: không có gì để điền vào chỗ {{code}}; các tên điền được: không "
            f"có tên nào. Cách sửa: {TO_FILL}.",
        )
        for key in ("reason", "fix", "en")
    ),
    (
        "a column of the form in a text about the documents", "publication",
        put("CK40-zero", "meta", "message", to="Cột {column} ghi sai"),
        "publication.json, quy tắc CK40-zero, khóa meta.message: không có gì để điền vào chỗ {column}; các tên điền "
        "được: as_zero, commune_code, commune_vi, difference, document, expected, figure, foreign, loose, misquoted, "
        f"place, text, uncovered, unlike_table, value, wrong_way. Cách sửa: {TO_FILL}.",
    ),
    # Ids
    (
        "an id that stands twice in a file", "b01", put("CK08", "meta", "id", to="CK08-part"),
        "b01.json, quy tắc CK08-part, khóa meta.id: \"CK08-part\" đã dùng trong b01.json; mã không được trùng trong "
        "toàn bộ danh mục. Cách sửa: đặt mã khác cho một trong hai quy tắc, ví dụ thêm phần sau dấu gạch nối.",
    ),
    (
        "an id of another file", "months",
        lambda content: rule(content, "CK15-b01")["meta"].update(id="CK08", rule="CK08"),
        "months.json, quy tắc CK08, khóa meta.id: \"CK08\" đã dùng trong b01.json; mã không được trùng trong toàn bộ "
        "danh mục. Cách sửa: đặt mã khác cho một trong hai quy tắc, ví dụ thêm phần sau dấu gạch nối.",
    ),
    (
        "an id of the intake", "months", lambda content: rule(content, "CK15-b01")["meta"].update(id="M05", rule="M05"),
        "intake.json, quy tắc M05: \"M05\" đã dùng trong months.json; mã không được trùng trong toàn bộ danh mục. "
        "Cách sửa: đặt mã khác cho một trong hai quy tắc, ví dụ thêm phần sau dấu gạch nối.",
    ),
    (
        "an id of what a statement is told", "months",
        lambda content: rule(content, "CK15-b01")["meta"].update(id="CK30-kind", rule="CK30"),
        "months.json, quy tắc CK30-kind, khóa meta.id: \"CK30-kind\" đã dùng trong treasury.json; mã không được trùng "
        "trong toàn bộ danh mục. Cách sửa: đặt mã khác cho một trong hai quy tắc, ví dụ thêm phần sau dấu gạch nối.",
    ),
    (
        "an id of another rule", "b01", put("CK08", "meta", "rule", to="CK80"),
        "b01.json, quy tắc CK08, khóa meta.rule: \"CK80\" khác phần đầu của mã CK08. Cách sửa: ghi CK08, hoặc sửa "
        "meta.id.",
    ),
    (
        "an id that is none", "b01", put("CK08", "meta", "id", to="ck8 mới"),
        "b01.json, quy tắc ck8 mới, khóa meta.id: \"ck8 mới\" không đúng dạng mã. Cách sửa: viết chữ hoa rồi đến số, "
        "thêm phần sau gạch nối nếu cần, ví dụ CK20 hoặc CK20-jump.",
    ),
    # The file
    (
        "an unknown key of a file", "b01", lambda content: content.update(rules={}),
        "b01.json, khóa rules: khóa lạ, chương trình không đọc; các khóa được dùng: name, meta, expectations. "
        "Cách sửa: sửa lại tên khóa, hoặc bỏ khóa này.",
    ),
    (
        "a file without rules", "b04", lambda content: content["expectations"].clear(),
        "b04.json, khóa expectations: danh sách trống, không còn quy tắc nào. Cách sửa: khôi phục các quy tắc của tệp "
        "này.",
    ),
    (
        "a file of another name", "b04", lambda content: content.update(name="b05"),
        f"b04.json, khóa name: \"b05\" không được dùng; giá trị được dùng: b04. Cách sửa: {TO_CHOOSE}.",
    ),
    (
        "a file without its title", "b04", lambda content: content["meta"].pop("vi"),
        f"b04.json, khóa meta.vi: thiếu khóa bắt buộc. Cách sửa: {TO_BRING}.",
    ),
    (
        "a rule that is a text", "b04", lambda content: content["expectations"].append("CK10"),
        "b04.json, quy tắc thứ 2: \"CK10\", phải là đối tượng {…}. Cách sửa: viết lại dưới dạng đối tượng {…}.",
    ),
    # Suites that judge no report
    *(
        (
            f"a column that nothing makes in {file}", file, put(id, "kwargs", "column", to="khong_co"),
            f"{file}.json, quy tắc {id}, khóa kwargs.column: \"khong_co\" không phải là cột kiểm tra của tệp này; các "
            f"tên có: {', '.join(sorted(declared.COLUMNS[file]))}. Cách sửa: {TO_MAKE}.",
        )
        for file, id in (
            ("decisions", "CK27"), ("completeness", "CK33"), ("outliers", "BT01"), ("publication", "CK39-loose"),
        )
    ),
    # The intake and statements
    (
        "a key missing in the intake", "intake", lambda content: content["rules"]["M04"].pop("fix"),
        f"intake.json, quy tắc M04, khóa fix: thiếu khóa bắt buộc. Cách sửa: {TO_BRING}.",
    ),
    (
        "an unknown key in the intake", "intake", small("M04", "foo", 1),
        "intake.json, quy tắc M04, khóa foo: khóa lạ, chương trình không đọc; các khóa được dùng: severity, state, "
        "reason, message, fix, takes. Cách sửa: sửa lại tên khóa, hoặc bỏ khóa này.",
    ),
    (
        "a rule of the intake that is gone", "intake", lambda content: content["rules"].pop("M04"),
        "intake.json, quy tắc M04: thiếu trong rules, chương trình cần quy tắc này khi đọc báo cáo. "
        "Cách sửa: khôi phục quy tắc, muốn thôi dùng thì để state là retired.",
    ),
    (
        "a rule of the intake that nothing asks for", "intake",
        lambda content: content["rules"].update({"M04-cell": content["rules"]["M04"]}),
        "intake.json, quy tắc M04-cell: quy tắc lạ trong rules, chương trình không bao giờ dùng đến. "
        "Cách sửa: sửa lại mã, hoặc bỏ quy tắc này.",
    ),
    (
        "a severity of the suites in the intake", "intake", small("M04", "severity", "critical"),
        "intake.json, quy tắc M04, khóa severity: \"critical\" không được dùng; giá trị được dùng: error, warning, "
        f"info. Cách sửa: {TO_CHOOSE}.",
    ),
    (
        "a place in the intake that nothing fills", "intake", small("M08", "message", "Ô này phải là {expected}."),
        "intake.json, quy tắc M08, khóa message: không có gì để điền vào chỗ {expected}; các tên điền được: column, "
        f"value. Cách sửa: {TO_FILL}.",
    ),
    (
        "a refusal that would say nothing", "intake", small("M40", "state", "retired"),
        "intake.json, quy tắc M40, khóa state: \"retired\" không được dùng; giá trị được dùng: beta, on. "
        f"Cách sửa: {TO_CHOOSE}.",
    ),
    (
        "a rule of statements that is gone", "treasury", lambda content: content["statement_rules"].pop("CK30"),
        "treasury.json, quy tắc CK30: thiếu trong statement_rules, chương trình cần quy tắc này khi đọc sao kê. "
        "Cách sửa: khôi phục quy tắc.",
    ),
    (
        "a place in a rule of statements that nothing fills", "treasury",
        small("CK30", "fix", "Bổ sung mã {valu}.", "statement_rules"),
        "treasury.json, quy tắc CK30, khóa fix: không có gì để điền vào chỗ {valu} (gần giống: value). "
        f"Cách sửa: {TO_FILL}.",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("file", "change", "text"), [one[1:] for one in ONE_FAULT], ids=[one[0] for one in ONE_FAULT])
def test_a_fault_is_told_with_its_file_rule_key_and_remedy(folder: Path, file: str, change: Change, text: str) -> None:
    edit(folder, file, change)
    assert told(folder) == [text]


SYNTAX = {
    '"expectations": [,': 'thiếu một giá trị, hoặc thừa dấu phẩy (“"expectations": [,”)',
    '"expectations" [': 'thiếu dấu hai chấm sau tên khóa (“"expectations" [”)',
}


@pytest.mark.parametrize(("written", "why"), SYNTAX.items())
def test_a_file_that_is_no_json_is_told_with_line_and_column(folder: Path, written: str, why: str) -> None:
    path = folder / "b01.json"
    text = path.read_text(encoding="utf-8").replace('"expectations": [', written, 1)
    path.write_text(text, encoding="utf-8")
    line = next(number for number, one in enumerate(text.splitlines(), 1) if written in one)
    column = text.splitlines()[line - 1].index("[") + (2 if "[," in written else 1)
    assert told(folder) == [
        f"b01.json, dòng {line}, cột {column}: sai cú pháp JSON: {why}. Cách sửa: sửa tại chỗ này hoặc ngay trước đó."
    ]


def test_a_key_that_stands_twice_is_told(folder: Path) -> None:
    """JSON would keep the last one and say nothing."""
    path = folder / "intake.json"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('"rules": {', '"rules": { "M04": {},', 1), encoding="utf-8")
    assert told(folder) == [
        "intake.json, khóa M04: ghi hai lần trong cùng một đối tượng, lần trước bị bỏ. "
        "Cách sửa: bỏ bớt một lần hoặc đổi tên khóa."
    ]


def test_a_file_that_is_missing_and_one_that_nobody_reads_are_told(folder: Path) -> None:
    (folder / "b04.json").rename(folder / "b06.json")
    strange, missing = told(folder)
    assert strange.startswith("b06.json: tệp lạ, không quy tắc nào trong đó được dùng; các tệp được dùng: b01, b02,")
    assert missing == "b04.json: thiếu tệp. Cách sửa: lấy lại tệp này từ kho mã nguồn."


def test_a_file_in_another_encoding_is_told_and_a_byte_order_mark_is_none(folder: Path) -> None:
    path = folder / "b04.json"
    text = path.read_text(encoding="utf-8")
    path.write_bytes(text.encode("utf-16"))
    assert told(folder) == [
        "b04.json: không phải văn bản UTF-8 (byte thứ 1). Cách sửa: lưu lại tệp bằng bảng mã UTF-8."
    ]
    path.write_text(text, encoding="utf-8-sig")
    assert rule_files.load(folder)["b04"]["name"] == "b04"


def test_every_fault_of_all_files_is_told_at_once(folder: Path) -> None:
    edit(folder, "b01", put("CK08", "severity", to="fatal"))
    edit(folder, "b01", put("CK08", "meta", "state", to="off"))
    edit(folder, "treasury", lambda content: content["statement_rules"].pop("CK31"))
    (folder / "b02.json").write_text("{", encoding="utf-8")
    assert [fault.partition(":")[0] for fault in told(folder)] == [
        "b02.json, dòng 1, cột 2",
        "b01.json, quy tắc CK08, khóa severity",
        "b01.json, quy tắc CK08, khóa meta.state",
        "treasury.json, quy tắc CK31",
    ]


BROKEN = "b01.json, quy tắc CK08, khóa meta.phase"
COMMANDS: list[tuple[str, ...]] = [
    ("rules", "list"),
    ("rules", "readme"),
    ("rules", "backtest", "--rule", "CK08"),
    ("findings", "--rule", "CK08"),
]


@pytest.mark.parametrize("command", COMMANDS, ids=[" ".join(command) for command in COMMANDS])
def test_a_command_ends_with_two_and_says_what_is_wrong(in_use: Path, command: tuple[str, ...]) -> None:
    edit(in_use, "b01", put("CK08", "meta", "phase", to="later"))
    result = CliRunner().invoke(app, list(command))
    assert (result.exit_code, result.stdout) == (2, "")
    assert isinstance(result.exception, SystemExit)
    assert BROKEN in result.stderr


def test_a_report_is_not_judged_by_rules_that_are_not_sound(in_use: Path, tmp_path: Path) -> None:
    from tests.builders import name, workbook

    edit(in_use, "intake", lambda content: content["rules"].pop("M04"))
    report = tmp_path / name()
    report.write_bytes(workbook())
    result = CliRunner().invoke(app, ["check", "--offline", str(report)])
    assert (result.exit_code, result.stdout) == (2, "")
    assert "intake.json, quy tắc M04" in result.stderr


def made_up(column: str, type: str = "expect_column_values_to_be_null") -> Rule:
    one = catalogue.of_suite("b01")[0]
    return Rule(**{**vars(one), "type": type, "kwargs": {"column": column}, "id": "CK01-made-up"})


def test_a_rule_on_a_column_that_nothing_makes_is_never_passed_over() -> None:
    frame = pd.DataFrame({"report": [0], "row_no": [14], "code": ["x"]})
    with pytest.raises(CatalogueError, match=r"b01\.json, quy tắc CK01-made-up.*khong_co"):
        suites.Validator().failures([made_up("khong_co")], frame, {})


def test_a_column_that_no_row_has_is_blank() -> None:
    frame = pd.DataFrame({"report": [0, 1], "row_no": [14, 15], "code": ["x", "y"]})
    blank_is_right = made_up("excess_carry")
    blank_is_wrong = made_up("excess_carry", "expect_column_values_to_not_be_null")
    found = suites.Validator().failures([blank_is_right, blank_is_wrong], frame, {})
    assert [(failure.rule.type, failure.position) for failure in found] == [
        ("expect_column_values_to_not_be_null", 0),
        ("expect_column_values_to_not_be_null", 1),
    ]
