"""The rules: a clean workbook has no finding at all, and each planted defect gives its own finding and no other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from etl.collect import reader
from etl.reference import province
from etl.sample.defects import DEFECTS
from etl.sample.month import write_month
from etl.validate import catalogue, check
from etl.validate.finding import Finding
from tests.builders import OCTOBER, QUAN_SON, edited, name, truth, workbook


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[list[Finding], str]]:
    """File name -> findings and verdict, for one workbook per planted defect and three clean ones, in one batch."""
    folder = tmp_path_factory.mktemp("defects")
    write_month(OCTOBER, folder, communes=len(DEFECTS) + 3, defects=["all"])
    return {"": ([], str(folder)), **judge(folder)}


def judge(folder: Path) -> dict[str, tuple[list[Finding], str]]:
    where = province.load()
    files = sorted(folder.glob("*.xlsx"))
    reports = [reader.read(path.name, path.read_bytes(), where) for path in files]
    return dict(zip((path.name for path in files), check.judge(reports, where), strict=True))


def expected(folder: Path) -> tuple[dict[str, dict[str, Any]], dict[str, list[tuple[str, ...]]]]:
    answers = truth(folder)
    findings: dict[str, list[tuple[str, ...]]] = {f["file"]: [] for f in answers["files"]}
    for f in answers["findings"]:
        findings[f["file"]].append((f["rule"], f["severity"], f["sheet"] or "", f["cell"] or ""))
    return {f["file"]: f for f in answers["files"]}, findings


def test_every_defect_gives_its_own_finding_at_its_cell_and_no_other(judged) -> None:
    folder = Path(judged[""][1])
    files, findings = expected(folder)
    wrong = {}
    for file, (found, verdict) in judged.items():
        if not file:
            continue
        got = sorted((f.rule, f.severity, f.sheet or "", f.cell or "") for f in found)
        if got != sorted(findings[file]) or verdict != files[file]["expected"]:
            wrong[file] = (sorted(findings[file]), got, verdict)
    assert wrong == {}


def test_every_finding_says_in_vietnamese_what_is_wrong_and_what_to_do(judged) -> None:
    for found, _ in judged.values():
        for finding in found:
            assert len(finding.message) > 15
            assert len(finding.fix) > 15
            assert "{" not in finding.message + finding.fix


def test_amounts_in_a_finding_are_dong_and_in_its_message_trieu_dong(judged) -> None:
    found = [f for findings, _ in judged.values() for f in findings if f.rule == "CK02"]
    assert found
    assert found[0].value is not None
    assert found[0].value.isdigit()
    assert int(found[0].value) - int(found[0].expected or "") == int(found[0].difference or "")
    assert "triệu đồng" in found[0].message


def _judge_one(data: bytes, commune: str = "06463") -> tuple[list[Finding], str]:
    where = province.load()
    return check.judge([reader.read(name(commune), data, where)], where)[0]


def test_a_blank_required_cell_goes_back_and_is_never_zero() -> None:
    def clear(book) -> None:
        book["B01-GiaiNgan"]["P14"] = None

    findings, verdict = _judge_one(edited(clear, values=True))
    assert verdict == "returned"
    assert [(f.rule, f.cell) for f in findings] == [("M08", "P14")]


def test_a_ticked_sheet_declares_its_blank_figures_zero() -> None:
    def tick(book) -> None:
        sheet = book["B02-ChiTieu"]
        box = next(c for row in sheet.iter_rows(max_row=8) for c in row if str(c.value).startswith("Không phát sinh"))
        sheet.cell(box.row, box.column + 1).value = "x"
        for row in range(11, 11 + len(rows)):
            sheet[f"I{row}"] = sheet[f"H{row}"] = sheet[f"J{row}"] = None

    where = province.load()
    rows = [r for r in reader.read(name(), workbook(), where).forms["B02"].rows if r.role == "leaf"]
    report = reader.read(name(), edited(tick, values=True), where)
    findings, _ = check.judge([report], where)[0]
    assert [f for f in findings if f.rule == "M08"] == []
    assert {r.states["actual_ytd"] for r in report.forms["B02"].rows} == {"declared_zero"}
    assert {r.values["actual_ytd"] for r in report.forms["B02"].rows} == {0}


def test_a_tick_on_a_form_that_says_something_is_asked_about() -> None:
    def tick(book) -> None:
        book["B02-ChiTieu"]["C7"] = book["B04-KienNghi"]["C7"] = "x"

    findings, verdict = _judge_one(edited(tick, workbook(QUAN_SON), values=True), QUAN_SON)
    assert verdict == "accepted"
    assert [(f.rule, f.sheet) for f in findings] == [("M47", "B04-KienNghi")]


def test_a_task_that_is_reported_done_needs_its_date() -> None:
    def finish(book) -> None:
        sheet = book["B03-NhiemVu"]
        sheet["I11"], sheet["J11"], sheet["K11"] = "Đã hoàn thành", None, "Báo cáo số 5/BC-UBND"

    findings, verdict = _judge_one(edited(finish, workbook(QUAN_SON), values=True), QUAN_SON)
    assert verdict == "returned"
    assert [(f.rule, f.cell) for f in findings] == [("M08", "J11")]


def test_a_roadmap_that_is_not_sent_again_is_no_omission() -> None:
    def clear(book) -> None:
        sheet = book["B05-LoTrinh"]
        for row in sheet.iter_rows(min_row=11, min_col=4, max_col=17):
            for cell in row:
                if type(cell).__name__ == "Cell":
                    cell.value = None

    assert _judge_one(edited(clear, values=True)) == ([], "accepted")


def test_a_task_that_the_province_did_not_give_out_is_refused() -> None:
    def rename(book) -> None:
        book["B03-NhiemVu"]["B11"] = "QS-2025-10-9.z"

    findings, _ = _judge_one(edited(rename, workbook(QUAN_SON), values=True), QUAN_SON)
    assert [(f.rule, f.sheet, f.cell) for f in findings] == [("CK10", "B03-NhiemVu", "B11")]


@pytest.mark.parametrize(("typed", "gap"), [("39.8", True), (0, True), (None, False)])
def test_a_typed_rate_is_only_compared(typed: str | float | None, gap: bool) -> None:
    def change(book) -> None:
        book["B01-GiaiNgan"]["Q14"] = typed

    findings, verdict = _judge_one(edited(change, values=True))
    assert verdict == "accepted"
    assert [f.rule for f in findings] == (["CK05"] if gap else [])


def test_an_intake_rule_has_severity_state_reason_message_and_fix() -> None:
    for rule in catalogue.intake().values():
        assert rule.severity in ("error", "warning", "info")
        assert all((rule.state, rule.reason, rule.message, rule.fix))


def _clear(sheet, rows: range, columns: str = "ABCDEFGHIJKLMNOPQRST") -> None:
    for row in rows:
        for letter in columns:
            sheet[f"{letter}{row}"] = None


def test_an_emptied_form_is_not_taken_for_nothing_to_report() -> None:
    def empty(book) -> None:
        sheet = book["B01-GiaiNgan"]
        total = next(r for r in range(11, sheet.max_row) if sheet[f"B{r}"].value == "TỔNG CỘNG")
        _clear(sheet, range(11, total))

    findings, verdict = _judge_one(edited(empty, values=True))
    assert verdict == "returned"
    assert [(f.rule, f.sheet) for f in findings] == [("M47", "B01-GiaiNgan")]


def test_a_line_that_was_cleared_is_missed() -> None:
    findings, verdict = _judge_one(edited(lambda b: _clear(b["B01-GiaiNgan"], range(14, 15)), values=True))
    assert verdict == "returned"
    assert [(f.rule, f.sheet, f.value) for f in findings] == [("CK10", "B01-GiaiNgan", "GNBV-DA4-TDA3-SN")]


def test_dashes_are_zero_also_for_the_sums_of_the_form() -> None:
    def dash(book) -> None:
        for letter in "LMNOPR":
            book["B01-GiaiNgan"][f"{letter}14"] = "-"

    report = reader.read(name(), edited(dash), province.load())
    row = next(r for r in report.forms["B01"].rows if r.row_no == 14)
    assert (row.values["disb_ytd"], row.states["disb_ytd"]) == (0, "declared_zero")
    findings, _ = check.judge([report], province.load())[0]
    assert not [f for f in findings if f.severity == "error"]


def test_numbers_kept_as_text_count_and_are_the_only_cells_remarked_on() -> None:
    def as_text(book) -> None:
        sheet = book["B01-GiaiNgan"]
        for letter in "LN":
            sheet[f"{letter}14"] = f"{sheet[f'{letter}14'].value:.6f}".replace(".", ",")

    where = province.load()
    report = reader.read(name(), edited(as_text), where)
    findings, verdict = check.judge([report], where)[0]
    assert verdict == "accepted"
    assert [(f.rule, f.severity, f.cell) for f in findings] == [("M04", "info", "L14"), ("M04", "info", "N14")]
    before = {r.code: r.values for r in reader.read(name(), workbook(), where).forms["B01"].rows}
    row = next(r for r in report.forms["B01"].rows if r.row_no == 14)
    assert {k: row.values[k] for k in ("disb_ytd", "disb_nstw")} == {
        k: before[row.code][k] for k in ("disb_ytd", "disb_nstw")
    }


@pytest.mark.parametrize(("factor", "unit"), [(1_000_000, " đồng"), (1_000, "nghìn đồng")])
def test_a_row_in_another_unit_is_one_finding_that_names_it(factor: int, unit: str) -> None:
    def rescale(book) -> None:
        sheet = book["B01-GiaiNgan"]
        for letter in "JKLMNOPRS":
            sheet[f"{letter}14"] = sheet[f"{letter}14"].value * factor

    findings, verdict = _judge_one(edited(rescale, values=True))
    assert verdict == "returned"
    assert [(f.rule, f.cell) for f in findings] == [("CK11", "L14")]
    assert f"bằng{unit if unit.startswith(' ') else ' ' + unit} thay vì" in findings[0].message


def test_a_whole_form_in_dong_is_one_finding() -> None:
    def rescale(book) -> None:
        for row in book["B01-GiaiNgan"].iter_rows(min_row=11, min_col=4, max_col=19):
            for cell in row:
                if isinstance(cell.value, int | float) and cell.column_letter != "Q":
                    cell.value *= 1_000_000

    findings, _ = _judge_one(edited(rescale, values=True))
    assert [(f.rule, f.cell) for f in findings] == [("M06", "D14")]


@pytest.mark.parametrize("columns", ["LMNOPRS", "EFGHILMNOPRS"])
def test_a_form_in_ty_dong_is_one_finding_where_a_month_went_before(columns: str) -> None:
    """The month's amount of the form holds the cumulative of the month before."""

    def rescale(book) -> None:
        for row in book["B01-GiaiNgan"].iter_rows(min_row=11):
            if str(row[2].value or "").endswith(("-DT", "-SN")):
                for letter in columns:
                    cell = row[ord(letter) - ord("A")]
                    cell.value = cell.value and round(cell.value / 1000, 6)

    findings, verdict = _judge_one(edited(rescale))
    assert verdict == "returned"
    assert [(f.rule, f.sheet) for f in findings] == [("M06", "B01-GiaiNgan")]
    assert "tỷ đồng thay vì triệu đồng" in findings[0].message


def test_money_paid_back_on_a_line_is_no_other_unit() -> None:
    def pay_back(book) -> None:
        sheet = book["B01-GiaiNgan"]
        row = next(r for r in sheet.iter_rows(min_row=11) if str(r[2].value).endswith("-DT") and r[11].value)
        for letter in "LMNOPR":
            row[ord(letter) - ord("A")].value = 0
        row[11].value = row[13].value = row[17].value = 0.5
        row[19].value = "Thu hồi theo kết luận thanh tra"

    assert _judge_one(edited(pay_back))[1] == "accepted"


@pytest.mark.parametrize("total", [0, 1])
def test_a_total_that_its_sources_do_not_make_up_is_the_only_finding(total: int) -> None:
    def type_over(book) -> None:
        sheet = book["B01-GiaiNgan"]
        row = next(r for r in sheet.iter_rows(min_row=11) if str(r[2].value).endswith("-DT") and r[11].value)
        row[3].value = total

    findings, _ = _judge_one(edited(type_over))
    assert [(f.rule, f.cell[0]) for f in findings] == [("CK02", "D")]


def test_a_number_under_the_table_is_nobodys_line() -> None:
    findings, verdict = _judge_one(
        edited(lambda b: b["B01-GiaiNgan"].__setitem__(f"D{b['B01-GiaiNgan'].max_row + 1}", 12.5), values=True)
    )
    assert (findings, verdict) == ([], "accepted")
