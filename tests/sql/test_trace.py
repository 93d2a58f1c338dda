"""Every published amount and rate leads back to cells of archived originals that hold it."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from etl import settings, steps
from etl.errors import UsageError
from etl.load import warehouse
from etl.period import Period
from etl.publish import release, trace, trace_cell, trace_text
from etl.publish.originals import Originals
from tests.builders import edited, workbook
from tests.databases import copy_of
from tests.sql.conftest import NOW, Loaded, point

LATER = NOW + timedelta(days=1)


@pytest.fixture(scope="module")
def released(loaded_once: Loaded) -> Iterator[Loaded]:
    """A copy of the shared warehouse with a frozen release of October."""
    with copy_of(loaded_once.address) as address, pytest.MonkeyPatch.context() as patch:
        point(patch, address, loaded_once.home)
        steps.freeze("2025-10", NOW)
        yield replace(loaded_once, address=address)
    settings.reload()


def chain(figure_id: str) -> dict[str, Any]:
    with warehouse.connect() as connection:
        return trace.trace(connection, figure_id, settings.get().archive_dir)


def test_the_headline_rate_ends_in_cells_that_hold_it(released: Loaded) -> None:
    found = chain("2025-10-r1/rate_total")
    totals = released.truth(list(released.months)[-1])["totals"]["2025"]["all"]
    assert found["agrees"]
    assert found["value"] == totals["rate_total"]
    amounts = {part["role"]: part["amount"] for part in found["parts"]}
    assert amounts == {"numerator": totals["disb_ytd"], "denominator": totals["plan_total"]}
    cells = found["parts"][0]["terms"][0]["cells"]
    assert len({c["sha256"] for c in cells}) == 65
    assert all(c["sheet"] == "B01-GiaiNgan" and c["cell"].startswith("K") for c in cells)


def test_any_published_amount_or_rate_is_the_sum_of_its_cells(released: Loaded) -> None:
    with warehouse.connect() as connection:
        ids = [
            row[0]
            for row in connection.execute(
                """
                select figure_id from release.figure
                where release_id = '2025-10-r1' and value is not null and source = 'mart.disbursement_rate'
                order by figure_id
                """
            ).fetchall()
        ]
    assert len(ids) > 500
    for figure_id in random.Random(7).sample(ids, 12):
        found = chain(figure_id)
        assert found.get("agrees"), figure_id


def test_a_figure_is_told_with_its_name_formula_standing_and_query(released: Loaded) -> None:
    found = chain("2025-10-r1/rate_total/capital_kind=SN,commune=06517")
    assert found["name"] == "Tỷ lệ giải ngân so với tổng nguồn vốn được sử dụng, xã Quan Sơn, vốn sự nghiệp"
    assert found["formula"].startswith("Lũy kế giải ngân từ đầu năm / tổng nguồn vốn được sử dụng trong năm × 100")
    assert found["standing"] == "final"
    with warehouse.connect() as connection:
        connection.execute("set role tiendo_analyst")
        assert connection.execute(found["query"]).fetchall() == [(Decimal(found["value"]),)]
    text = trace_text.as_text(found)
    assert all(said in text for said in (found["name"], found["formula"], "Chính thức", found["query"]))


def test_a_count_names_the_reports_that_it_was_derived_from(released: Loaded) -> None:
    assert len(chain("2025-10-r1/communes_reported")["submissions"]) == 65


def test_a_count_of_outputs_and_its_rate_end_in_cells(released: Loaded) -> None:
    facts = [f for f in released.truth(list(released.months)[-1])["facts"]["B02"] if f["indicator_code"] == "CT-13"]
    found = chain("2025-10-r1/output_rate/indicator=CT-13")
    cells = found["parts"][0]["terms"][0]["cells"]
    assert found["agrees"]
    assert sum(Decimal(c["held"]) for c in cells) == sum(Decimal(f["actual_ytd"]) for f in facts)
    assert {(c["sheet"], c["cell"][0]) for c in cells} == {("B02-ChiTieu", "I")}


def test_a_point_of_the_trend_ends_in_the_cells_of_its_own_month(released: Loaded) -> None:
    found = chain("2025-10-r1/rate_trend/period=2025-08")
    assert found["agrees"]
    assert all("_2025-08_" in c["file"] for part in found["parts"] for t in part["terms"] for c in t["cells"])


def test_a_difference_between_months_ends_in_the_cells_of_both(released: Loaded) -> None:
    found = chain("2025-10-r1/rate_change_points")
    assert found["agrees"]
    assert [part["period"] for part in found["parts"]] == ["2025-10", "2025-10", "2025-09", "2025-09"]


def test_a_rank_shows_the_rate_of_its_commune(released: Loaded) -> None:
    found = chain("2025-10-r1/rank_rate/commune=06463")
    assert found["agrees"]
    assert {c["commune"] for part in found["parts"] for t in part["terms"] for c in t["cells"]} == {"Xã Chi Lăng"}


def test_a_task_shows_its_entry_in_the_register_and_what_its_lead_reported(released: Loaded) -> None:
    found = chain("2025-10-r1/task_state/task=QS-2025-10-1.a")
    (task,), (row,) = found["tasks"], found["rows"]
    assert (task["lead_vi"], task["due_date"]) == ("UBND xã Quan Sơn", "2025-12-31")
    assert found["agrees"]
    status = row["cells"][0]
    assert (status["key"], status["cell"], status["held"]) == ("status", "I11", "Đang thực hiện")


def test_a_number_of_tasks_names_them(released: Loaded) -> None:
    overdue = chain("2025-10-r1/tasks/state=Đang thực hiện quá hạn")
    assert [t["task_id"] for t in overdue["tasks"]] == ["QS-2025-10-6.4"]
    assert "QS-2025-10-6.4 (Văn phòng UBND tỉnh), hạn 20/10/2025" in trace_text.as_text(overdue)
    assert len(chain("2025-10-r1/tasks")["tasks"]) == 21


def test_a_number_of_proposals_ends_in_their_rows(released: Loaded) -> None:
    found = chain("2025-10-r1/proposals/state=Chưa giải quyết")
    assert found["agrees"]
    assert len(found["rows"]) == int(found["value"]) > 0
    assert {c["held"] for row in found["rows"] for c in row["cells"] if c["key"] == "state"} == {"Chưa giải quyết"}
    one = chain(f"2025-10-r1/proposal_text/proposal={found['rows'][0]['code']}")
    assert one["value"] == next(c["held"] for c in one["rows"][0]["cells"] if c["key"] == "proposal")


def test_a_sum_over_a_number_kept_as_text_agrees_with_what_was_counted(own: Loaded) -> None:
    def as_text(book: Any) -> None:
        sheet = book["B01-GiaiNgan"]
        row = next(r for r in sheet.iter_rows(min_row=11) if str(r[2].value).endswith("-DT") and r[11].value)
        value = row[11].value
        row[11].value = f"{value:.6f}".replace(".", ",")
        row[10].value -= value  # what a spreadsheet makes of it
        row[9].value -= value
        row[16].value = None

    path = own.home / "inbox" / "BC-MTQG_06463_2025-09_v2.xlsx"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(edited(as_text, workbook(period=Period(2025, 9)), values=True))
    steps.archive_inbox(LATER)
    assert steps.process_received(LATER)["accepted"] == 1
    release_id = steps.freeze("2025-09", LATER)["release_id"]
    for metric in ("disb_ytd", "disb_period"):
        found = chain(f"{release_id}/{metric}/commune=06463")
        assert {c["file"] for c in found["parts"][0]["terms"][0]["cells"]} == {path.name}
        assert found["agrees"], metric


# Many figures, and back again -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def published(released: Loaded) -> Loaded:
    with warehouse.connect() as connection:
        (manifest,) = connection.execute(
            "select manifest_sha256 from release.release where release_id = '2025-10-r1'"
        ).fetchone() or ("",)
        release.approve(connection, "2025-10-r1", manifest, "thu_ky", "approved", NOW, settings.get().out_dir)
        release.mark_published(connection, "2025-10-r1", NOW)
    return released


def test_two_hundred_figures_drawn_at_random_end_in_cells_that_add_up_and_lead_back(published: Loaded) -> None:
    chance = random.Random(20251110)
    originals = Originals(settings.get().archive_dir)
    with warehouse.connect() as connection:
        ids = [
            id
            for (id,) in connection.execute(
                "select figure_id from mart.published_figure where value is not null and source in "
                "('mart.disbursement_rate', 'mart.output_indicator', 'mart.disbursement_change') "
                "and metric <> 'indicator_communes' order by figure_id"
            )
        ]
        back = 0
        for figure_id in chance.sample(ids, 200):
            found = trace.trace(connection, figure_id, settings.get().archive_dir, originals)
            assert found.get("agrees") is True, figure_id
            cells = [
                (c["sha256"], f"{c['sheet']}!{c['cell']}")
                for part in found["parts"]
                for term in part["terms"]
                for c in term["cells"]
            ]
            assert cells, figure_id
            if back < 25:
                sha256, address = chance.choice(cells)
                fed = trace_cell.feeds(connection, sha256, address)
                assert figure_id in {figure["figure_id"] for figure in fed["figures"]}, (figure_id, address)
                back += 1


def test_a_cell_feeds_the_figures_over_it_and_no_others(published: Loaded) -> None:
    with warehouse.connect() as connection:
        sha256, line, programme, row_no, column = connection.execute(
            """
            select s.sha256, l.line_code, l.programme_code, l.row_no, y.columns ->> 'disb_ytd'
            from mart.disbursement_line as l
            inner join raw.submission as s on l.submission_id = s.submission_id
            inner join raw.sheet_layout as y on s.submission_id = y.submission_id and y.form = 'B01'
            where l.commune_code = '06463' and l.period = '2025-10' and l.disb_ytd > 0 order by l.row_no limit 1
            """
        ).fetchone()
        fed = trace_cell.feeds(connection, sha256, f"B01-GiaiNgan!{column}{row_no}")
        ids = {figure["figure_id"] for figure in fed["figures"]}
        assert (fed["line"], fed["key"], fed["commune"]) == (line, "disb_ytd", "06463")
        wanted = ("disb_ytd", "rate_total", "disb_ytd/commune=06463", f"rate_total/programme={programme}")
        assert {f"2025-10-r1/{name}" for name in wanted} <= ids
        assert not any("commune=06517" in id for id in ids)
        assert not any("plan_total" in id or "disb_completed" in id for id in ids)
        others = {p for (p,) in connection.execute("select distinct programme_code from mart.disbursement_line")}
        assert not any(f"programme={other}" in id for id in ids for other in others - {programme})


_OF_THE_LEAD = """
    exists (
        select 1 from core.task as t
        where t.task_id = m.task_id and lower(t.lead_vi) = lower('UBND ' || m.commune_vi)
    )
"""


def test_a_cell_of_a_proposal_and_of_a_task_feeds_what_is_told_of_it(published: Loaded) -> None:
    with warehouse.connect() as connection:
        for form, mart, name, key, condition in (
            ("B04", "proposal", "issue_id", "addressee", "true"),
            ("B03", "task_report", "task_id", "status", _OF_THE_LEAD),
        ):  # fmt: skip
            number, row_no, code = connection.execute(
                f"select submission_id, row_no, {name} from mart.{mart} as m "
                f"where period = '2025-10' and {condition} order by 1, 2 limit 1"
            ).fetchone()
            sheet, letter = connection.execute(
                "select sheet, columns ->> %s from raw.sheet_layout where submission_id = %s and form = %s",
                (key, number, form),
            ).fetchone()
            fed = trace_cell.feeds(connection, str(number), f"{sheet}!{letter}{row_no}")
            assert any(f"={code}" in figure["figure_id"] for figure in fed["figures"]), (form, code)


@pytest.mark.parametrize(
    ("file", "cell", "said"),
    [
        ("khong-co.xlsx", "B01-GiaiNgan!K30", "Không có báo cáo nào từ tệp khong-co.xlsx"),
        ("{sha256}", "K0", "không phải là địa chỉ ô"),
        ("{sha256}", "K30", "Ghi cả tên trang tính"),
        ("{sha256}", "Khác!K30", "các trang có: B01-GiaiNgan"),
        ("{sha256}", "B01-GiaiNgan!K11", "không chứa số liệu được nạp"),
        ("{sha256}", "B01-GiaiNgan!ZZ30", "không chứa số liệu được nạp"),
    ],
)
def test_a_cell_that_feeds_nothing_is_told(published: Loaded, file: str, cell: str, said: str) -> None:
    with warehouse.connect() as connection:
        (sha256,) = connection.execute("select sha256 from mart.submission limit 1").fetchone()
        with pytest.raises(UsageError, match=re.escape(said)):
            trace_cell.feeds(connection, file.format(sha256=sha256), cell)


def test_an_unknown_figure_is_a_wrong_call(released: Loaded) -> None:
    with pytest.raises(UsageError, match="2025-10-r9/nothing"):
        chain("2025-10-r9/nothing")


def test_the_chain_can_be_read_by_people(released: Loaded) -> None:
    text = trace_text.as_text(chain("2025-10-r1/disb_ytd/commune=06463"))
    assert "Xã Chi Lăng: BC-MTQG_06463_2025-10_v1.xlsx B01-GiaiNgan!K" in text
    assert text.endswith("Các ô khớp với số liệu.")
