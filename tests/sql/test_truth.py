"""What the warehouse says equals what the sample says it must, to the đồng: 65 communes, three months."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from psycopg.rows import dict_row

from etl.load import warehouse
from etl.period import Period
from tests.sql.conftest import MONTHS, Loaded

B01_KEYS = (
    "plan_total", "plan_nstw", "plan_nst", "plan_nsx", "carry_nstw", "carry_nsdp", "disb_period", "disb_ytd",
    "disb_nstw", "disb_nsdp", "disb_completed", "disb_advance", "disb_carry", "accepted_volume", "forecast",
)  # fmt: skip
TOTALS = ("plan_total", "plan_assigned", "plan_carry", "disb_ytd", "disb_assigned", "disb_carry")
RATES = ("rate_total", "rate_assigned", "rate_carry")


def rows(query: str, *values: Any) -> list[dict[str, Any]]:
    with warehouse.connect() as connection:
        return connection.cursor(row_factory=dict_row).execute(query, values).fetchall()


def as_text(value: Any) -> str | None:
    return None if value is None else f"{value:f}" if isinstance(value, Decimal) else str(value)


@pytest.mark.parametrize("period", MONTHS, ids=str)
def test_every_disbursement_line_is_there_to_the_dong(loaded: Loaded, period: Period) -> None:
    expected = {(f["commune"], f["line_code"]): f for f in loaded.truth(period)["facts"]["B01"]}
    found = rows("select * from core.disbursement where period = %s", str(period))
    assert len(found) == len(expected) > 2000
    for row in found:
        fact = expected[row["commune_code"], row["line_code"]]
        assert {k: as_text(row[k]) for k in B01_KEYS} == {k: fact[k] for k in B01_KEYS}
        assert row["note"] == fact["note"]


@pytest.mark.parametrize("period", MONTHS, ids=str)
def test_the_other_forms_are_there_too(loaded: Loaded, period: Period) -> None:
    facts = loaded.truth(period)["facts"]
    for form, table in (("B02", "output_indicator"), ("B03", "task_report"), ("B04", "proposal")):
        found = rows(f"select count(*) as n from core.{table} where period = %s", str(period))
        assert found[0]["n"] == len(facts[form]), form
    said = {(f["commune"], f["task_id"]): (f["status"], f["done_date"]) for f in facts["B03"]}
    reports = rows(
        "select commune_code, task_id, status, done_date from core.task_report where period = %s", str(period)
    )
    assert {(r["commune_code"], r["task_id"]): (r["status"], as_text(r["done_date"])) for r in reports} == said
    expected = {(f["commune"], f["indicator_code"]): f for f in facts["B02"]}
    for row in rows("select * from core.output_indicator where period = %s", str(period)):
        fact = expected[row["commune_code"], row["indicator_code"]]
        for key in ("target_year", "actual_period", "actual_ytd"):
            assert Decimal(row[key]) == Decimal(fact[key]), (row["commune_code"], key)


def test_a_roadmap_is_loaded_only_where_it_was_sent(loaded: Loaded) -> None:
    counts = {r["period"]: r["n"] for r in rows("select period, count(*) as n from core.roadmap group by period")}
    sent = [f for f in loaded.truth(Period(2025, 10))["facts"]["B05"] if f["planned_close"] is not None]
    assert counts == {"2025-10": len(sent)}


@pytest.mark.parametrize("period", MONTHS, ids=str)
@pytest.mark.parametrize(
    ("slice_name", "key", "slot"),
    [
        ("all", None, "all"),
        ("commune", "commune_code", "by_commune"),
        ("programme", "programme_code", "by_programme"),
        ("subproject", "subproject_code", "by_project"),
        ("capital_kind", "capital_kind", "by_capital_kind"),
    ],
)
def test_totals_and_rates_equal_the_truth(
    loaded: Loaded, period: Period, slice_name: str, key: str | None, slot: str
) -> None:
    totals = loaded.truth(period)["totals"]["2025"][slot]
    expected = totals if key else {"": totals}
    found = rows("select * from mart.disbursement_rate where period = %s and slice = %s", str(period), slice_name)
    assert len(found) == len(expected)
    for row in found:
        wanted = expected[row[key] if key else ""]
        assert {k: as_text(row[k]) for k in TOTALS + RATES} == {k: wanted[k] for k in TOTALS + RATES}
        assert (row["communes_reported"], row["communes_expected"]) == (65, 65)


@pytest.mark.parametrize("period", MONTHS, ids=str)
def test_rates_by_source_equal_the_truth(loaded: Loaded, period: Period) -> None:
    expected = loaded.truth(period)["totals"]["2025"]["by_source"]
    found = rows("select * from mart.disbursement_rate where period = %s and slice = 'source'", str(period))
    assert {r["source"] for r in found} == set(expected) == {"NSTW", "NSDP"}
    for row in found:
        for key in ("plan_total", "disb_ytd", "rate_total"):
            assert as_text(row[key]) == expected[row["source"]][key]


def test_the_register_of_decisions_equals_the_reported_plan(loaded: Loaded) -> None:
    coverage = rows("select * from mart.completeness where period = '2025-10' and budget_year = 2025")[0]
    total = loaded.truth(Period(2025, 10))["totals"]["2025"]["all"]
    assert as_text(coverage["plan_registered_vnd"]) == total["plan_total"]
    assert coverage["plan_covered_pct"] == Decimal("100.00")
