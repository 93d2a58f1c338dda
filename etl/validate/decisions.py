"""CK27: a decision on capital adds up. Judged when it is loaded, before any report is held against it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from etl.validate import catalogue, suites
from etl.validate.finding import Finding
from etl.validate.verdicts import Broken, period_finding

Row = Mapping[str, Any]


def findings(balances: Sequence[Row]) -> list[Finding]:
    """``balances``: decision_no, project_code, capital_kind, source, provincial_total, communes, units in đồng."""
    rows = [
        {
            "row_no": None,
            "code": f"{row['project_code']}-{row['capital_kind']}",
            "decision_no": row["decision_no"],
            "source": row["source"],
            "communes": row["communes"],
            "units": row["units"],
            "parts": row["communes"] + row["units"],
            "provincial_total": row["provincial_total"],
            "balance_gap": row["communes"] + row["units"] - row["provincial_total"],
        }
        for row in balances
    ]
    frame = pd.DataFrame(rows).astype({"balance_gap": "Int64"}) if rows else pd.DataFrame()
    failures = suites.Validator().failures(catalogue.rules("decisions"), frame, {})
    return [period_finding(Broken(failure.rule, rows[failure.position])) for failure in failures]
