"""Every published amount and rate leads back to cells of archived originals that hold it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from etl import settings, steps
from etl.errors import UsageError
from etl.load import warehouse
from etl.period import Period
from etl.publish import trace
from tests.builders import edited, workbook
from tests.sql.conftest import NOW, Loaded, point

LATER = NOW + timedelta(days=1)


@pytest.fixture(scope="module")
def released(loaded_once: Loaded, postgres: settings.Settings) -> Iterator[Loaded]:
    """The shared warehouse with a frozen release of October."""
    with pytest.MonkeyPatch.context() as patch:
        point(patch, loaded_once.address, loaded_once.home)
        steps.freeze("2025-10", NOW)
        yield loaded_once
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
    assert "QS-2025-10-6.4 (Văn phòng UBND tỉnh), hạn 20/10/2025" in trace.as_text(overdue)
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


def test_an_unknown_figure_is_a_wrong_call(released: Loaded) -> None:
    with pytest.raises(UsageError, match="2025-10-r9/nothing"):
        chain("2025-10-r9/nothing")


def test_the_chain_can_be_read_by_people(released: Loaded) -> None:
    text = trace.as_text(chain("2025-10-r1/disb_ytd/commune=06463"))
    assert "Xã Chi Lăng: BC-MTQG_06463_2025-10_v1.xlsx B01-GiaiNgan!K" in text
    assert text.endswith("Các ô khớp với số liệu.")
