"""What a release published of disbursement, ranks, outputs and reporting equals the independent computation over what
the communes had sent by then (tests/sql/oracle.py).
"""

from __future__ import annotations

from typing import Any

from tests.sql import builders
from tests.sql.conftest import MONTHS
from tests.sql.oracle import Oracle, Row
from tests.sql.published import FROZEN, OCTOBER, SEPTEMBER, Published
from tests.sql.test_oracle import of_register, of_truth, read

COLUMNS = {"commune": "commune_code", "programme": "programme_code", "project": "project_code",
           "subproject": "subproject_code", "indicator": "indicator_code"}  # fmt: skip
MARTS = ("disbursement_rate", "disbursement_change", "commune_rank", "output_indicator", "report_summary")
NOT_AXES = ("rate_trend", "disb_trend")
"""Figures of other periods than that of their release."""


def place(row: Row) -> frozenset[tuple[str, Any]]:
    """What a row of a mart is of, as a figure says it: of nested codes the innermost."""
    axes = {k: row.get(COLUMNS.get(k, k)) for k in (*COLUMNS, "capital_kind", "source")}
    if axes["project"] or axes["subproject"]:
        axes["programme"] = None
    if axes["subproject"]:
        axes["project"] = None
    if row.get("indicator_code"):
        axes["project"] = axes["programme"] = None
    return frozenset((k, v) for k, v in axes.items() if v is not None)


def test_published_figures_equal_the_independent_computation(published: Published) -> None:
    versions = [v for month in MONTHS for v in of_truth(published.months[month])]
    register = of_register(published.months[MONTHS[-1]] / "reference" / "allocation.csv")
    oracle = Oracle(builders.province(), versions, register, FROZEN)
    checked = 0
    for period in (SEPTEMBER, OCTOBER):
        expected: dict[tuple[str, frozenset[tuple[str, Any]]], Row] = {}
        for mart in MARTS:
            for row in getattr(oracle, mart):
                if row["period"] == str(period):
                    expected[f"mart.{mart}", place(row)] = row
        figures = read(
            published.address, "select * from mart.published_figure where release_id = %s and value is not null",
            published.releases[period],
        )  # fmt: skip
        for figure in figures:
            row = expected.get((figure["source"], frozenset(figure["dims"].items())))
            if figure["metric"] in NOT_AXES or row is None or figure["metric"] not in row:
                assert figure["source"].removeprefix("mart.") not in MARTS[:3] or figure["metric"] in NOT_AXES, figure
                continue
            assert figure["value"] == row[figure["metric"]], figure
            checked += 1
    print("\n", checked)
    assert checked > 5_000
