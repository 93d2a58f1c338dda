"""The figure table: what the marts say about a month, and the words that the report makes of it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from etl.compute.tasks import states
from etl.errors import UsageError
from etl.load import marts
from etl.load.warehouse import Connection
from etl.period import Period
from etl.publish import brief, figures, report, sentences
from etl.publish.figure import FigureSet, ordered
from etl.publish.model import Document, Table, joined
from tests.sql import builders
from tests.sql.builders import TRIEU, TY, allocate, line, proposal, submission

OCTOBER = Period(2025, 10)
NOW = datetime(2025, 11, 11, 2, 30, tzinfo=UTC)
QUAN_SON, DONG_KINH, TAM_THANH = "06517", "05977", "05986"


def compute(connection: Connection, period: Period = OCTOBER, year: int | None = None) -> FigureSet:
    marts.refresh(connection)
    rows = figures.compute(connection, period, year or period.year, NOW)
    return FigureSet(f"{period}-r1", period, year or period.year, NOW, ordered(rows))


def text_of(document: Document) -> str:
    parts = []
    for block in document.blocks():
        if isinstance(block, Table):
            parts += [joined(cell) for row in block.rows for cell in row.cells]
        elif hasattr(block, "spans"):
            parts.append(joined(block.spans))
    return "\n".join(parts)


def test_the_published_figures_of_lang_son_come_out_of_its_plans_and_amounts(connection: Connection) -> None:
    lines = [
        line("DTTS-DA4-TDA1", "DT", 7868 * TY // 10, 2329 * TY // 10),
        line("GNBV-DA2", "SN", 9598 * TY // 10, 1169 * TY // 10),
    ]
    builders.report(connection, QUAN_SON, "2025-08", lines)

    sentence = joined(sentences.disbursed(compute(connection, Period(2025, 8))))

    assert "đến hết ngày 31/8/2025 là 349,8 tỷ đồng, đạt 20,03 % so với tổng nguồn vốn được sử dụng" in sentence
    assert "vốn đầu tư phát triển đã giải ngân 232,9 tỷ đồng, đạt 29,60 %" in sentence
    assert "vốn sự nghiệp đã giải ngân 116,9 tỷ đồng, đạt 12,18 %" in sentence


def test_the_rate_of_the_province_is_sum_over_sum_and_not_the_mean_of_rates(connection: Connection) -> None:
    builders.report(connection, QUAN_SON, "2025-10", [line("GNBV-DA2", "SN", 900 * TRIEU, 0)])
    builders.report(connection, DONG_KINH, "2025-10", [line("GNBV-DA2", "SN", 100 * TRIEU, 100 * TRIEU)])

    rate = compute(connection).get("rate_total")

    assert (rate.value, rate.numerator, rate.denominator) == (Decimal("10.00"), 100 * TRIEU, 1000 * TRIEU)


def test_a_rate_without_a_denominator_is_blank(connection: Connection) -> None:
    builders.report(connection, QUAN_SON, "2025-10", [line("GNBV-DA2", "SN", 900 * TRIEU, 0)])

    assert compute(connection).get("rate_carry").value is None


def test_the_change_is_in_percentage_points_against_the_month_before(connection: Connection) -> None:
    builders.report(connection, QUAN_SON, "2025-09", [line("GNBV-DA2", "SN", 1000 * TRIEU, 300 * TRIEU)])
    builders.report(connection, QUAN_SON, "2025-10", [line("GNBV-DA2", "SN", 1000 * TRIEU, 250 * TRIEU)])

    result = compute(connection)

    assert result.get("rate_change_points").value == Decimal("-5.00")
    assert joined(sentences.change(result)) == "giảm 5,00 điểm % so với tháng 9"


def test_without_a_month_before_there_is_no_change_instead_of_one_from_zero(connection: Connection) -> None:
    builders.report(connection, QUAN_SON, "2025-10", [line("GNBV-DA2", "SN", 1000 * TRIEU, 250 * TRIEU)])

    result = compute(connection)

    assert result.find("rate_change_points") is None
    assert result.find("rate_last_year") is None
    assert "chưa có số liệu tháng trước" in joined(sentences.disbursed(result))


def test_every_total_over_communes_says_what_it_covers(connection: Connection) -> None:
    builders.report(connection, QUAN_SON, "2025-10", [line("GNBV-DA2", "SN", 1000 * TRIEU, 250 * TRIEU)])

    totals = [f for f in compute(connection) if f.source == "mart.disbursement_rate" and not f.dim("commune")]

    assert totals
    assert {(f.coverage_n, f.coverage_of) for f in totals} >= {(1, 65)}
    assert all(f.coverage_of == 65 for f in totals)


def test_a_missing_commune_is_named_as_not_reported_and_has_no_rate(connection: Connection) -> None:
    builders.report(connection, QUAN_SON, "2025-10", [line("GNBV-DA2", "SN", 1000 * TRIEU, 250 * TRIEU)])

    result = compute(connection)
    ranking = next(t for t in report.build(result).tables() if t.name == "Bang3")
    row = next(r for r in ranking.rows if joined(r.cells[1]) == "Phường Đông Kinh")

    assert result.find("rate_total", commune=DONG_KINH) is None
    assert (row.role, joined(row.cells[-1])) == ("missing", "chưa báo cáo")
    assert "1/65 xã, phường" in joined(sentences.coverage(result))


def test_a_returned_report_does_not_count_as_reported(connection: Connection) -> None:
    builders.report(connection, QUAN_SON, "2025-10", [line("GNBV-DA2", "SN", 1000 * TRIEU, 0)])
    submission(connection, DONG_KINH, "2025-10", verdict="returned")

    result = compute(connection)

    assert result.get("communes_reported").value == 1
    assert result.get("report_state", commune=DONG_KINH).text == "Bị trả lại, chưa gửi lại"


def test_communes_are_counted_above_the_average_at_zero_and_below_the_threshold(connection: Connection) -> None:
    for commune, paid in ((QUAN_SON, 0), (DONG_KINH, 300), (TAM_THANH, 900)):
        builders.report(connection, commune, "2025-10", [line("GNBV-DA2", "SN", 1000 * TRIEU, paid * TRIEU)])

    result = compute(connection)

    assert result.get("communes_above_average").value == 1
    assert result.get("communes_at_zero").value == 1
    assert result.get("communes_below_threshold").value == 2
    assert "1 đơn vị chưa giải ngân (0 %) là xã Quan Sơn" in joined(sentences.communes(result, 10))


def test_communes_are_ranked_by_rate_and_apart_by_the_money_that_is_stuck(connection: Connection) -> None:
    builders.report(connection, QUAN_SON, "2025-10", [line("GNBV-DA2", "SN", 100 * TRIEU, 0)])
    builders.report(connection, DONG_KINH, "2025-10", [line("GNBV-DA2", "SN", 10_000 * TRIEU, 1_000 * TRIEU)])

    result = compute(connection)

    assert result.get("order_lowest", commune=QUAN_SON).value == 1
    assert result.get("order_undisbursed", commune=DONG_KINH).value == 1
    assert result.get("rank_rate", commune=DONG_KINH).value == 1


def test_the_pace_spreads_what_is_left_over_the_months_to_31_january(connection: Connection) -> None:
    builders.report(connection, QUAN_SON, "2025-10", [line("GNBV-DA2", "SN", 1000 * TRIEU, 100 * TRIEU)])

    result = compute(connection)

    assert result.get("months_left").value == 3
    assert result.get("pace_needed").value == 300 * TRIEU


def test_at_the_closing_of_the_budget_year_there_is_no_pace(connection: Connection) -> None:
    lines = [line("GNBV-DA2", "SN", 1000 * TRIEU, 900 * TRIEU)]
    builders.report(connection, QUAN_SON, "2026-01", lines, budget_year=2025, received_at=NOW)

    result = compute(connection, Period(2026, 1), 2025)

    assert result.get("pace_needed").value is None
    assert "khi hết thời hạn là 0,1 tỷ đồng" in joined(sentences.pace(result))


def test_the_task_of_the_office_is_eleven_days_overdue_and_that_of_finance_is_not(connection: Connection) -> None:
    builders.report(connection, QUAN_SON, "2025-10", [line("GNBV-DA2", "SN", 1000 * TRIEU, 0)])

    result = compute(connection)

    assert result.get("task_days_overdue", task="QS-2025-10-6.4").value == 11
    assert result.find("task_days_overdue", task="QS-2025-10-6.1") is None
    assert result.get("task_state", task="QS-2025-10-6.1").text == "Sắp đến hạn"
    assert result.get("tasks", state="Đang thực hiện quá hạn").value == 1
    assert result.get("tasks").value == 21


def test_the_report_of_a_month_has_only_the_tasks_that_were_given_out_by_then(connection: Connection) -> None:
    builders.report(connection, QUAN_SON, "2025-09", [line("GNBV-DA2", "SN", 1000 * TRIEU, 0)])

    september = compute(connection, Period(2025, 9))

    assert september.get("tasks").value == 0
    assert september.find("task_state", task="QS-2025-10-6.4") is None
    assert "Chưa có nhiệm vụ được đưa vào theo dõi." in text_of(report.build(september))


def test_a_task_that_was_registered_later_is_not_in_what_was_known_before(connection: Connection) -> None:
    before = builders.LOADED - timedelta(days=1)
    known = "select count(*) from mart.task_state('2025-10-31', %s)"
    assert connection.execute(known, (before,)).fetchone() == (0,)
    assert connection.execute(known, (builders.LOADED,)).fetchone() == (21,)


def test_only_the_commune_that_leads_a_task_can_report_it_done(connection: Connection) -> None:
    done = {"status": "Đã hoàn thành", "done_date": date(2025, 10, 15), "result_doc": "68/KH-UBND"}
    tasks = [{"task_id": "QS-2025-10-1.a", **done}, {"task_id": "QS-2025-10-6.4", **done}]
    for commune in (DONG_KINH, QUAN_SON):
        builders.report(connection, commune, "2025-10", [line("GNBV-DA2", "SN", 1000 * TRIEU, 0)], tasks=tasks)
        states = compute(connection)
        assert states.get("task_state", task="QS-2025-10-6.4").text == "Đang thực hiện quá hạn"
        done_by_its_lead = states.get("task_state", task="QS-2025-10-1.a").text == "Đã hoàn thành đúng hạn"
        assert done_by_its_lead == (commune == QUAN_SON)


def test_a_task_was_done_on_the_day_that_a_later_report_gives(connection: Connection) -> None:
    row = {"task_id": "QS-2025-10-1.a", "status": "Đang thực hiện"}
    builders.report(connection, QUAN_SON, "2025-10", [line("GNBV-DA2", "SN", 1000 * TRIEU, 0)], tasks=[row])
    row |= {"status": "Đã hoàn thành", "done_date": date(2026, 1, 5), "result_doc": "2/BC-UBND"}
    lines = [line("MTQG-2630", "DT", 1000 * TRIEU, 0)]
    builders.report(connection, QUAN_SON, "2026-01", lines, tasks=[row])

    found = {
        day: {t["task_id"]: (t["state"], t["days_overdue"]) for t in states(connection, day)}["QS-2025-10-1.a"]
        for day in (date(2025, 12, 31), date(2026, 1, 4), date(2026, 1, 5))
    }

    assert list(found.values()) == [
        ("Sắp đến hạn", 0), ("Đang thực hiện quá hạn", 4), ("Đã hoàn thành quá hạn", 0),
    ]  # fmt: skip


def test_a_task_without_a_date_is_neither_overdue_nor_due_soon(connection: Connection) -> None:
    builders.report(connection, QUAN_SON, "2025-10", [line("GNBV-DA2", "SN", 1000 * TRIEU, 0)])

    assert compute(connection).get("task_state", task="QS-2025-10-6.3").text == "Không quy định thời hạn"


def test_a_plan_that_differs_from_the_register_is_named(connection: Connection) -> None:
    builders.report(connection, QUAN_SON, "2025-10", [line("GNBV-DA2", "SN", 1000 * TRIEU, 0)])
    allocate(connection, QUAN_SON, "GNBV-DA2", "SN", 1200 * TRIEU)

    result = compute(connection)

    assert result.get("plan_difference", commune=QUAN_SON).value == -200 * TRIEU
    assert any(t.name == "PL4-KeHoach" for t in report.build(result).tables())


def test_versions_from_two_places_and_reports_that_wait_are_listed_in_the_annex(connection: Connection) -> None:
    first = builders.report(connection, QUAN_SON, "2025-10", [line("GNBV-DA2", "SN", 1000 * TRIEU, 0)])
    second = builders.report(
        connection, QUAN_SON, "2025-10", [line("GNBV-DA2", "SN", 1000 * TRIEU, 5 * TRIEU)], version=2
    )
    connection.execute("insert into core.replacement values (%s, %s, 7, true, true)", (second, first))
    late = submission(connection, DONG_KINH, "2025-09")
    connection.execute("alter table raw.submission disable trigger append_only")
    connection.execute("update raw.submission set is_late_revision = true where submission_id = %s", (late,))
    connection.execute("alter table raw.submission enable trigger append_only")

    result = compute(connection)

    assert result.get("contested_lines", commune=QUAN_SON).value == 7
    assert result.get("late_revisions", commune=DONG_KINH, period="2025-09").value == 1
    tables = {t.name: t for t in report.build(result).tables()}
    assert [joined(c) for c in tables["PL4-NhieuBan"].rows[0].cells] == ["1", "Xã Quan Sơn", "1", "7"]
    assert [joined(c) for c in tables["PL4-ChoQuyetDinh"].rows[0].cells[1:]] == [
        "Phường Đông Kinh",
        "tháng 9 năm 2025",
        "1",
    ]


def test_figures_know_nothing_that_came_after_their_moment(connection: Connection) -> None:
    builders.report(connection, QUAN_SON, "2025-10", [line("GNBV-DA2", "SN", 1000 * TRIEU, 0)])
    later = [line("GNBV-DA2", "SN", 1000 * TRIEU, 700 * TRIEU)]
    builders.report(connection, QUAN_SON, "2025-10", later, version=2, received_at=NOW + timedelta(days=1))

    assert compute(connection).get("rate_total").value == Decimal("0.00")


def test_two_rows_with_one_proposal_code_are_both_shown(connection: Connection) -> None:
    twice = [proposal("KN-1", "Sở Tài chính", "Bổ sung vốn"), proposal("KN-1", "Sở Tài chính", "Kéo dài thời gian")]
    builders.report(connection, QUAN_SON, "2025-10", [line("GNBV-DA2", "SN", 1000 * TRIEU, 0)], proposals=twice)

    texts = text_of(report.build(compute(connection)))

    assert "Bổ sung vốn" in texts
    assert "Kéo dài thời gian" in texts


def test_an_indicator_in_per_cent_is_not_added_up(connection: Connection) -> None:
    rows = [{"indicator_code": "CT-22", "target_year": Decimal(90), "actual_period": None, "actual_ytd": Decimal(80)}]
    builders.report(connection, QUAN_SON, "2025-10", [line("NTM-ND07", "SN", TRIEU, 0)], outputs=rows)

    assert compute(connection).get("actual_ytd", indicator="CT-22").value is None


def test_a_report_that_nobody_sent_has_no_amounts(connection: Connection) -> None:
    found = compute(connection)
    assert found.get("communes_reported").value == 0
    assert found.find("disb_ytd") is found.find("rate_total") is None


def test_a_month_outside_the_calendar_is_refused(connection: Connection) -> None:
    with pytest.raises(UsageError, match="Lịch báo cáo"):
        compute(connection, Period(2031, 1))


def test_a_sparse_month_still_makes_both_documents(connection: Connection) -> None:
    builders.report(connection, QUAN_SON, "2025-07", [line("NTM-ND02", "DT", 1000 * TRIEU, 0)])

    result = compute(connection, Period(2025, 7))

    assert "đơn vị này chưa giải ngân (0 %)" in text_of(brief.build(result))
    assert "[Cơ quan chủ trì bổ sung" in text_of(report.build(result))
