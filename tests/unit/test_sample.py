"""The sample province: figures that hang together, clean unless a defect is asked for, fixed by the seed."""

from __future__ import annotations

import io
import json
from collections import defaultdict
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path

import openpyxl
import pytest

from etl import money
from etl.collect import workbook
from etl.collect.workbook import WorkbookContent
from etl.errors import UsageError
from etl.period import Period
from etl.reference import forms, province
from etl.sample import commune_report, defects, truth
from etl.sample.month import write_month
from etl.sample.simulation import FOCUS_COMMUNE, Simulation, budget_month, simulate

OCTOBER = Period(2025, 10)
PLAN = ("plan_nstw", "plan_nst", "plan_nsx", "carry_nstw", "carry_nsdp")
Line = dict[str, workbook.Value]


@cache
def sample(seed: int = 2025) -> Simulation:
    return simulate(province.load(), seed)


@cache
def content(code: str, period: Period = OCTOBER, budget_year: int = 2025) -> WorkbookContent:
    return commune_report.content(sample(), code, period, budget_year)


@cache
def lines(code: str, period: Period = OCTOBER, budget_year: int = 2025) -> dict[str, Line]:
    """Line code -> every figure of Biểu 01, computed columns included."""
    plan = workbook.plan(content(code, period, budget_year), forms.load())[0]
    return {r.code: {k: c.value for k, c in r.cells.items()} for r in plan.rows if r.role == "leaf"}


def all_lines(period: Period = OCTOBER, budget_year: int = 2025) -> list[tuple[str, str, Line]]:
    codes = sample().commune_codes
    return [(c, code, row) for c in codes for code, row in lines(c, period, budget_year).items()]


def province_rate(month: int, kind: str | None = None) -> Decimal:
    plan = paid = 0
    for commune in sample().commune_codes:
        for key in sample().lines(commune, 2025, month):
            if kind in (None, key.capital_kind):
                plan += sum(sample().plan(key, 2025, month).values())
                paid += sample().paid(key, 2025, month).total
    return money.rate_pct(paid, plan) or Decimal(0)


def test_the_plan_of_2025_is_about_that_of_the_province() -> None:
    by_kind: dict[str, int] = defaultdict(int)
    carry = 0
    for _, code, row in all_lines():
        by_kind[code[-2:]] += row["plan_total"]
        carry += row["carry_nstw"] + row["carry_nsdp"]
    assert by_kind["DT"] == pytest.approx(786_800_000_000, rel=0.01)
    assert by_kind["SN"] == pytest.approx(959_800_000_000, rel=0.01)
    assert Decimal("0.20") <= Decimal(carry) / sum(by_kind.values()) <= Decimal("0.25")


def test_disbursement_follows_the_published_course() -> None:
    assert Decimal(18) <= province_rate(8) <= Decimal(22)
    assert Decimal(38) <= province_rate(10) <= Decimal(45)
    assert Decimal(85) <= province_rate(13) <= Decimal(95)
    assert province_rate(8, "DT") > province_rate(8, "SN") * 2


def test_quan_son_has_paid_nothing_until_the_end_of_october() -> None:
    assert all(row["disb_ytd"] == 0 for row in lines(FOCUS_COMMUNE).values())
    assert any(row["disb_ytd"] for row in lines(FOCUS_COMMUNE, Period(2025, 11)).values())


def test_a_few_other_communes_are_at_zero_for_some_months() -> None:
    idle = [c for c in sample().commune_codes if not any(r["disb_ytd"] for r in lines(c, Period(2025, 8)).values())]
    assert 3 <= len(idle) <= 6


def test_wards_have_no_line_of_the_new_rural_programme() -> None:
    wards = [c for c in province.load().communes.values() if c.kind == "phường"]
    assert not [code for w in wards for code in lines(w.code) if code.startswith("NTM")]


def test_poor_district_projects_stay_in_their_districts() -> None:
    poor = {"Huyện Bình Gia", "Huyện Văn Quan"}
    having = {c for c, code, _ in all_lines() if code.startswith(("GNBV-DA1-", "GNBV-DA5"))}
    communes = province.load().communes
    assert having
    assert all(poor & set(communes[c].former_districts) for c in having)


def test_lines_exist_only_for_kinds_of_their_node() -> None:
    nodes = province.load().nodes
    for _, code, _ in all_lines():
        project, kind = province.split_line_code(code)
        assert kind in nodes[project].capital_kinds


@pytest.mark.parametrize("period", [Period(2025, 9), OCTOBER, Period(2025, 12)], ids=str)
def test_every_line_keeps_within_its_plan_and_splits(period: Period) -> None:
    for _, _, row in all_lines(period):
        assert row["disb_nstw"] <= row["plan_nstw"] + row["carry_nstw"]
        assert row["disb_nsdp"] <= row["plan_nst"] + row["plan_nsx"] + row["carry_nsdp"]
        assert row["disb_ytd"] == row["disb_completed"] + row["disb_advance"]
        assert row["disb_carry"] <= row["carry_nstw"] + row["carry_nsdp"]
        assert 0 <= row["disb_completed"] <= row["accepted_volume"]
        assert row["disb_ytd"] <= row["forecast"] <= row["plan_total"]
        assert min(row[k] for k in (*PLAN, "disb_advance", "disb_carry")) >= 0


@pytest.mark.parametrize("period", [OCTOBER, Period(2025, 11)], ids=str)
def test_low_rates_and_recoveries_late_in_the_year_have_a_note(period: Period) -> None:
    silent = [
        (c, code)
        for c, code, row in all_lines(period)
        if not row["note"] and (row["disb_rate"] < 50 or row["disb_period"] < 0)
    ]
    assert silent == []


def test_some_money_comes_back_and_the_note_says_so() -> None:
    back = [r for p in (OCTOBER, Period(2025, 11)) for _, _, r in all_lines(p) if r["disb_period"] < 0]
    assert back
    assert all("Thu hồi tạm ứng nộp trả" in str(r["note"]) for r in back)


def test_the_september_adjustment_keeps_the_sum_and_is_noted() -> None:
    day = date(2025, 9, 26)
    changes = [a for a in sample().allocations(date(2025, 9, 30)) if a.signed_on == day]
    assert changes
    assert sum(a.amount_vnd for a in changes) == 0
    for change in changes[:20]:
        row = lines(change.key.commune_code, Period(2025, 9))[change.key.line_code]
        assert "Điều chỉnh" in str(row["note"])


def test_the_plan_is_the_sum_of_the_decisions_in_force() -> None:
    sums: dict[tuple[str, str], int] = defaultdict(int)
    for a in sample().allocations(date(2025, 10, 31)):
        sums[a.key.commune_code, a.key.line_code] += a.amount_vnd
    assert {(c, code): row["plan_total"] for c, code, row in all_lines()} == dict(sums)


def test_no_output_without_money_and_none_missing_where_all_is_paid() -> None:
    for commune in sample().commune_codes[:30]:
        paid: dict[str, int] = defaultdict(int)
        plan: dict[str, int] = defaultdict(int)
        for code, row in lines(commune).items():
            paid[code[:-3]] += row["disb_ytd"]
            plan[code[:-3]] += row["plan_total"]
        for row in content(commune).indicators:
            project = str(row["project_code"])
            if not paid[project]:
                assert row["actual_ytd"] == 0
            if paid[project] == plan[project]:
                assert row["actual_ytd"] > 0


def test_outputs_of_the_year_never_fall() -> None:
    for commune in sample().commune_codes[:12]:
        before = {r["indicator_code"]: r["actual_ytd"] for r in content(commune).indicators}
        after = {r["indicator_code"]: r["actual_ytd"] for r in content(commune, Period(2025, 11)).indicators}
        assert all(after[code] >= value for code, value in before.items())


def test_only_quan_son_has_tasks_and_only_from_october() -> None:
    having = [c for c in sample().commune_codes if content(c).tasks]
    assert having == [FOCUS_COMMUNE]
    assert content(FOCUS_COMMUNE, Period(2025, 9)).tasks == ()
    assert len(content(FOCUS_COMMUNE).tasks) == 14


def test_a_task_is_done_only_with_a_day_and_a_document() -> None:
    for month in (10, 11, 12):
        period = Period(2025, month)
        for row in content(FOCUS_COMMUNE, period).tasks:
            done = row["status"] == "Đã hoàn thành"
            assert (row["done_date"] is not None) == done == (row["result_doc"] is not None)
            assert not done or row["done_date"] <= period.last_day


def test_forms_without_rows_are_ticked() -> None:
    for commune in sample().commune_codes:
        report = content(commune)
        assert ("B03" in report.nothing_to_report) == (not report.tasks)
        assert ("B04" in report.nothing_to_report) == (not report.proposals)


def test_a_new_proposal_has_no_number_and_is_followed_up_under_one() -> None:
    fresh = [(c, r) for c in sample().commune_codes for r in content(c).proposals if r["issue_id"] is None]
    assert fresh
    for commune, row in fresh:
        later = content(commune, Period(2025, 11)).proposals
        same = next(r for r in later if r["problem"] == row["problem"])
        assert str(same["issue_id"]).startswith(f"KN-{commune}-2025-10-")


def test_an_answered_proposal_names_the_answer() -> None:
    rows = [r for c in sample().commune_codes for m in (10, 11, 12) for r in content(c, Period(2025, m)).proposals]
    assert any(r["reply_doc"] for r in rows)
    assert all((r["reply_doc"] is not None) == (r["state"] == "Đã giải quyết") for r in rows)


def test_the_roadmap_comes_first_and_is_revised_in_october_only() -> None:
    def sent(month: int) -> bool:
        return any(r.get("planned_close") is not None for r in content("06112", Period(2025, month)).roadmap)

    assert [m for m in range(7, 13) if sent(m)] == [7, 10]


def test_the_roadmap_never_falls_and_stays_within_the_plan() -> None:
    for commune in sample().commune_codes[:15]:
        for row in content(commune).roadmap:
            planned = [row[k] for k in [*(f"planned_m{m:02d}" for m in range(10, 13)), "planned_close"]]
            assert planned == sorted(planned)
            assert planned[-1] <= lines(commune)[str(row["line_code"])]["plan_total"]
            assert row["note"]


def test_cumulative_figures_follow_from_month_to_month() -> None:
    for commune in sample().commune_codes[:10]:
        before = lines(commune, Period(2025, 9))
        for code, row in lines(commune).items():
            assert row["disb_ytd"] - row["disb_period"] == before[code]["disb_ytd"]


def test_a_new_budget_year_starts_from_zero_on_the_merged_programme() -> None:
    january = lines("06112", Period(2026, 1), 2026)
    assert set(january) == {"MTQG-2630-DT", "MTQG-2630-SN"}
    assert all(row["disb_ytd"] == row["carry_nstw"] == 0 for row in january.values())


def test_what_was_left_at_closing_is_carried_over_in_february() -> None:
    closing = lines("06112", Period(2026, 1), 2025)
    february = lines("06112", Period(2026, 2), 2026)
    old = [code for code in february if not code.startswith("MTQG-2630")]
    assert old
    for code in old:
        row, last = february[code], closing[code]
        assert row["plan_nstw"] + row["plan_nst"] + row["plan_nsx"] == 0
        left = last["plan_total"] - last["carry_nstw"] - last["carry_nsdp"] - last["disb_ytd"] + last["disb_carry"]
        assert row["plan_total"] == pytest.approx(left, abs=2_000_000)


def test_the_closing_report_is_the_thirteenth_of_its_year() -> None:
    assert budget_month(Period(2026, 1), 2025) == 13
    assert content("06112", Period(2026, 1), 2025).nothing_to_report >= {"B03", "B04"}


def test_a_period_before_the_first_is_refused() -> None:
    with pytest.raises(UsageError, match="2025-07"):
        commune_report.content(sample(), FOCUS_COMMUNE, Period(2025, 6), 2025)


def test_another_seed_gives_another_province() -> None:
    key = sample().lines("06112", 2025, 10)[0]
    assert sample(7).lines("06112", 2025, 10) != sample().lines("06112", 2025, 10) or sample(7).paid(
        key, 2025, 10
    ) != sample().paid(key, 2025, 10)


def test_a_month_is_written_with_register_and_truth(tmp_path: Path) -> None:
    result = write_month(OCTOBER, tmp_path, communes=2)
    names = [f["file"] for f in result["files"]]
    assert names == ["BC-MTQG_06517_2025-10_v1.xlsx", "BC-MTQG_05977_2025-10_v1.xlsx"]
    assert all((tmp_path / n).is_file() for n in names)
    assert json.loads((tmp_path / "truth.json").read_text(encoding="utf-8")) == result
    rows = province.read_csv(tmp_path / "reference/allocation.csv")
    assert {r["source"] for r in rows} == {"NSTW", "NST", "NSX", "KD_NSTW", "KD_NSDP"}
    assert len({r["commune_code"] for r in rows}) == 66, "65 communes and the provincial total"


def test_january_has_a_workbook_for_each_open_budget_year(tmp_path: Path) -> None:
    result = write_month(Period(2026, 1), tmp_path, communes=1)
    assert {(f["file"], f["budget_year"]) for f in result["files"]} == {
        ("BC-MTQG_06517_2026-01_NS2025_v1.xlsx", 2025),
        ("BC-MTQG_06517_2026-01_v1.xlsx", 2026),
    }
    assert set(result["totals"]) == {"2025", "2026"}


def test_the_same_call_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_month(OCTOBER, tmp_path / name, communes=2, defects=("ck04-total",))
    for path in (tmp_path / "a").rglob("*.*"):
        assert path.read_bytes() == (tmp_path / "b" / path.relative_to(tmp_path / "a")).read_bytes()


def test_the_truth_agrees_with_the_cells_of_the_workbook(tmp_path: Path) -> None:
    result = write_month(Period(2025, 12), tmp_path, communes=1)
    sheet = openpyxl.load_workbook(tmp_path / result["files"][0]["file"], data_only=True)["B01-GiaiNgan"]
    columns = {c.key: c.no - 1 for c in forms.load().sheet("B01").columns}
    read = {}
    for row in sheet.iter_rows(min_row=forms.FIRST_DATA_ROW, values_only=True):
        read.setdefault(row[columns["line_code"]], row)
    for fact in result["facts"]["B01"]:
        row = read[fact["line_code"]]
        for key in ("plan_total", "disb_ytd", "disb_period", "forecast"):
            assert str(money.trieu_to_vnd(row[columns[key]])) == fact[key]


def test_totals_are_sums_of_the_facts_and_rates_of_those_sums(tmp_path: Path) -> None:
    result = write_month(Period(2025, 12), tmp_path, communes=3)
    total = result["totals"]["2025"]
    paid = sum(int(f["disb_ytd"]) for f in result["facts"]["B01"])
    plan = sum(int(f["plan_total"]) for f in result["facts"]["B01"])
    assert total["all"]["disb_ytd"] == str(paid)
    assert total["all"]["rate_total"] == str(money.rate_pct(paid, plan))
    for name in ("by_commune", "by_programme", "by_project", "by_capital_kind", "by_source"):
        assert sum(int(v["disb_ytd"]) for v in total[name].values()) == paid


def test_a_rate_without_plan_is_null() -> None:
    row = {
        "budget_year": 2026,
        "commune": "06517",
        "project_code": "GNBV-DA2",
        "capital_kind": "SN",
        **dict.fromkeys((*PLAN, "disb_ytd", "disb_carry", "disb_nstw", "disb_nsdp"), "0"),
    }
    total = truth.totals([row], province.load().nodes)["2026"]["all"]
    assert (total["rate_total"], total["rate_assigned"], total["rate_carry"]) == (None, None, None)


def test_returned_workbooks_add_nothing_to_facts_and_totals(tmp_path: Path) -> None:
    result = write_month(OCTOBER, tmp_path, communes=3, defects=("ck01-over-plan", "ck07-volume-under-payment"))
    assert [f["expected"] for f in result["files"]] == ["returned", "accepted", "accepted"]
    assert {f["commune"] for f in result["facts"]["B01"]} == {"05977", "05983"}
    assert [f["rule"] for f in result["findings"]] == ["CK01", "CK07"]


def test_more_defects_than_communes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="mỗi xã nhận một lỗi"):
        write_month(OCTOBER, tmp_path, communes=2, defects=("all",))


def test_an_unknown_defect_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no-such-defect"):
        write_month(OCTOBER, tmp_path, communes=2, defects=("no-such-defect",))


@cache
def clean_bytes() -> bytes:
    return defects.Spoiled(content("06112"), forms.load(), ()).render()


@cache
def spoiled_cells(name: str) -> dict[str, object]:
    """Cells of Biểu 01 of a workbook with that defect."""
    report = defects.spoil(name, content("06112"), forms.load())
    sheet = openpyxl.load_workbook(io.BytesIO(report.render()), data_only=True)["B01-GiaiNgan"]
    return {c.coordinate: c.value for row in sheet.iter_rows() for c in row}


@pytest.mark.parametrize("name", defects.DEFECTS)
def test_every_defect_expects_one_finding_and_changes_the_file(name: str) -> None:
    report = defects.spoil(name, content("06112"), forms.load())
    assert len(report.findings) == 1
    assert report.render() != clean_bytes()


@pytest.mark.parametrize("number", range(1, 15))
def test_every_check_on_the_report_alone_has_a_defect(number: int) -> None:
    assert [n for n in defects.DEFECTS if n.startswith(f"ck{number:02d}-")]


@pytest.mark.parametrize("commune", [FOCUS_COMMUNE, "05977"])
@pytest.mark.parametrize("period", [Period(2025, 7), OCTOBER], ids=str)
def test_defects_can_be_put_into_any_commune_and_month(commune: str, period: Period) -> None:
    report = content(commune, period)
    for name in defects.DEFECTS:
        assert defects.spoil(name, report, forms.load()).findings


def test_a_central_overrun_leaves_the_rest_of_the_line_in_order() -> None:
    report = defects.spoil("ck01-over-plan", content("06112"), forms.load())
    plan = workbook.plan(report.content, forms.load())[0]
    cell = report.findings[0].cell
    row = next(r for r in plan.rows if cell == f"L{r.number}")
    values = {k: c.value for k, c in row.cells.items()}
    assert values["disb_nstw"] > values["plan_nstw"] + values["carry_nstw"]
    assert values["disb_ytd"] == values["disb_completed"] + values["disb_advance"]
    assert values["disb_ytd"] <= values["forecast"] <= values["plan_total"]
    assert values["disb_completed"] <= values["accepted_volume"]


def test_a_typed_total_differs_from_its_children() -> None:
    found = defects.spoil("ck04-total", content("06112"), forms.load()).findings[0]
    clean = workbook.plan(content("06112"), forms.load())[0].row("").cells["accepted_volume"].value
    assert money.trieu_to_vnd(spoiled_cells("ck04-total")[found.cell]) == clean + 10_000_000


@pytest.mark.parametrize(
    ("name", "value"),
    [("text-in-number", "không"), ("error-value", "#REF!"), ("formula-without-value", None)],
)
def test_unreadable_cells_hold_what_they_should(name: str, value: object) -> None:
    found = defects.spoil(name, content("06112"), forms.load()).findings[0]
    assert spoiled_cells(name)[found.cell] == value


def test_a_duplicate_code_repeats_another_line() -> None:
    found = defects.spoil("duplicate-code", content("06112"), forms.load()).findings[0]
    codes = [v for ref, v in spoiled_cells("duplicate-code").items() if ref.startswith("C") and v]
    assert codes.count(spoiled_cells("duplicate-code")[found.cell]) == 2


def test_a_missing_sheet_is_gone() -> None:
    report = defects.spoil("missing-sheet", content("06112"), forms.load())
    names = openpyxl.load_workbook(io.BytesIO(report.render())).sheetnames
    assert report.findings[0].sheet not in names
    assert len(names) == 5


def test_files_that_are_no_workbooks_are_refused() -> None:
    refused = [n for n in defects.DEFECTS if defects.spoil(n, content("06112"), forms.load()).refused]
    assert refused == ["not-a-workbook", "encrypted", "truncated"]
    assert defects.spoil("encrypted", content("06112"), forms.load()).render().startswith(b"\xd0\xcf\x11\xe0")


def test_a_wrong_commune_stands_inside_while_the_file_name_is_right(tmp_path: Path) -> None:
    result = write_month(OCTOBER, tmp_path, communes=1, defects=("wrong-commune-inside",))
    sheet = openpyxl.load_workbook(tmp_path / result["files"][0]["file"])["B01-GiaiNgan"]
    assert sheet["A2"].value == "Mã đơn vị: 05977"
    assert result["files"][0] == {
        "file": "BC-MTQG_06517_2025-10_v1.xlsx",
        "commune": "06517",
        "budget_year": 2025,
        "expected": "returned",
    }


def test_an_output_defect_needs_an_output(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="CK12"):
        write_month(Period(2026, 1), tmp_path, communes=1, defects=("ck12-output-without-money",))
