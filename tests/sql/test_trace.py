"""Every published amount and rate leads back to cells of archived originals that hold it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest

from etl import settings, steps
from etl.errors import UsageError
from etl.load import warehouse
from etl.publish import trace
from tests.sql.conftest import NOW, Loaded, point


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


def test_an_unknown_figure_is_a_wrong_call(released: Loaded) -> None:
    with pytest.raises(UsageError, match="2025-10-r9/nothing"):
        chain("2025-10-r9/nothing")


def test_the_chain_can_be_read_by_people(released: Loaded) -> None:
    text = trace.as_text(chain("2025-10-r1/disb_ytd/commune=06463"))
    assert "Xã Chi Lăng: BC-MTQG_06463_2025-10_v1.xlsx B01-GiaiNgan!K" in text
    assert text.endswith("Các ô khớp với số liệu.")
