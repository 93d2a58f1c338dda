"""The usual way: what a careful programmer writes with pandas, openpyxl, Great Expectations and ``to_sql``.

One file after another: all sheets by one ``read_excel`` (engine openpyxl), rows and columns by their fixed places,
the control columns vectorised with pandas, one Great Expectations run per file with the same suites (context, suites
and asset are made once), then ``DataFrame.to_sql`` as it comes, one transaction per file, into the same tables.

It does less than ours: no archive, no guard, no search for the columns, no states of values, no cell of a finding,
no sums of headings but those of the programmes together; money goes through floats.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import stopwatch

NOW = datetime(2025, 11, 12, 2, 0, tzinfo=UTC)
AS_OF = date(2025, 10, 31)
BUDGET_YEAR = 2025
MILLION = 1_000_000
TABLES = {
    "B01": "disbursement",
    "B02": "output_indicator",
    "B03": "task_report",
    "B04": "proposal",
    "B05": "roadmap",
}
PLAN_PARTS = ["plan_nstw", "plan_nst", "plan_nsx", "carry_nstw", "carry_nsdp"]
AGAINST_PLAN = ["disb_ytd", "disb_nstw", "disb_nsdp", "disb_completed", "disb_advance", "disb_carry", "forecast"]


def frames(path: Path, layout: Any, pd: Any, first_row: int) -> dict[str, Any]:
    """Form -> its rows with a code, columns named, money in đồng."""
    sheets = pd.read_excel(path, sheet_name=None, header=None, engine="openpyxl")
    result = {}
    for form in layout.sheets:
        frame = sheets[form.name].iloc[first_row - 1 :, : len(form.columns)]
        frame.columns = [column.key for column in form.columns]
        frame = frame.assign(row_no=range(first_row, first_row + len(frame)))
        frame = frame[frame[form.row_key].astype(str).str.fullmatch(r"[A-Za-z0-9.-]+") & frame[form.row_key].notna()]
        for column in form.columns:
            if column.numeric:
                frame[column.key] = pd.to_numeric(frame[column.key], errors="coerce")
            if column.kind == "money":
                frame[column.key] = (frame[column.key] * MILLION).round()
            if column.kind == "date":
                frame[column.key] = pd.to_datetime(frame[column.key], errors="coerce")
        result[form.form] = frame
    return result


def leaves(frame: Any) -> Any:
    """Lines of Biểu 01 or 05 that are facts, with their parts."""
    parts = frame["line_code"].str.extract(r"^(?P<project_code>.+)-(?P<capital_kind>DT|SN)$")
    found = frame.assign(**parts)
    return found[found["project_code"].notna()]


def disbursement_controls(lines: Any, programmes: Any, known: set[str], low_rate: float, pd: Any) -> Any:
    c = lines.copy()
    c["plan_gap"] = c["plan_total"] - c[PLAN_PARTS].sum(axis=1)
    c["source_gap"] = c["disb_ytd"] - c["disb_nstw"] - c["disb_nsdp"]
    c["split_gap"] = c["disb_completed"] + c["disb_advance"] - c["disb_ytd"]
    c["excess_nstw"] = c["disb_nstw"] - c["plan_nstw"] - c["carry_nstw"]
    c["excess_nsdp"] = c["disb_nsdp"] - c["plan_nst"] - c["plan_nsx"] - c["carry_nsdp"]
    c["excess_total"] = c["disb_ytd"] - c["plan_total"]
    c["disbursed_without_plan"] = c["disb_ytd"].where(c["plan_total"] == 0)
    c["unaccepted_payment"] = c["disb_completed"] - c["accepted_volume"]
    c["excess_carry"] = c["disb_carry"] - c["carry_nstw"] - c["carry_nsdp"]
    c["forecast_short"] = c["disb_ytd"] - c["forecast"]
    c["forecast_excess"] = c["forecast"] - c["plan_total"]
    rate = c["disb_ytd"] * 100 / c["plan_total"].where(c["plan_total"] != 0)
    c["rate_gap"] = pd.concat([(c["disb_rate"] - rate).abs(), (c["disb_rate"] * 100 - rate).abs()], axis=1).min(axis=1)
    far = c[AGAINST_PLAN].abs().ge(c["plan_total"] * 100, axis=0) & (c["plan_total"] > 0).to_numpy()[:, None]
    c["magnitude_key"] = far.idxmax(axis=1).where(far.any(axis=1))
    c["rate_note_missing"] = c["disb_ytd"].where((rate < low_rate) & c["note"].isna())
    c["code_known"] = c["project_code"].isin(known)
    sums = programmes[["plan_total", "disb_ytd"]].sum() - c[["plan_total", "disb_ytd"]].sum()
    c["sum_key"] = "plan_total" if sums.abs().max() > 500 * len(c) else None
    return marks(c, [k for k in c.columns if k.startswith(("plan_", "carry_", "disb_")) and k != "disb_period"])


def marks(frame: Any, amounts: list[str], code: str = "line_code") -> Any:
    """Doubled codes and negative amounts without a note."""
    frame = frame.copy()
    frame["duplicate_of"] = frame[code].where(frame[code].duplicated())
    negative = (frame[amounts] < 0).any(axis=1)
    frame["negative_key"] = frame[code].where(negative & frame["note"].isna())
    return frame


def controls(form: dict[str, Any], programmes: Any, province: Any, pd: Any) -> dict[str, Any]:
    known = set(province.leaf_codes)
    task_ids = {task["task_id"].upper() for task in province.tasks()}
    lines, outputs, reports = form["B01"], form["B02"], form["B03"]
    low_rate = float(province.thresholds["low_rate_pct"])
    paid = lines.groupby("project_code")[["plan_total", "disb_ytd"]].sum()
    money = outputs[["project_code"]].join(paid, on="project_code")
    outputs = outputs.assign(
        code_known=outputs["indicator_code"].isin(province.indicators),
        project_known=outputs["project_code"].isin(province.nodes),
        output_without_money=outputs["project_code"].where((outputs["actual_ytd"] > 0) & (money["disb_ytd"] == 0)),
        money_without_output=outputs["project_code"].where(
            (outputs["actual_ytd"] == 0) & (money["disb_ytd"] >= money["plan_total"])
        ),
    )
    roadmap = form["B05"].assign(code_known=form["B05"]["project_code"].isin(known), sum_key=None)
    quantities = ["target_year", "actual_period", "actual_ytd", "forecast"]
    return {
        "B01": disbursement_controls(lines, programmes, known, low_rate, pd),
        "B02": marks(outputs, quantities, "indicator_code"),
        "B03": reports.assign(
            code_known=reports["task_id"].str.upper().isin(task_ids),
            duplicate_of=reports["task_id"].where(reports["task_id"].duplicated()),
        ),
        "B04": form["B04"].assign(project_known=form["B04"]["project_code"].isin(province.nodes)),
        "B05": marks(roadmap, [k for k in roadmap.columns if k.startswith("planned_")]),
    }


class Checks:
    """Great Expectations set up once; one validation per form of each file."""

    def __init__(self, tolerance: float) -> None:
        import great_expectations as gx

        from etl import settings

        self.context = gx.get_context(mode="ephemeral")
        self.context.variables.progress_bars = {"globally": False}
        asset = self.context.data_sources.add_pandas("reports").add_dataframe_asset("rows")
        self.batches = asset.add_batch_definition_whole_dataframe("all")
        folder = settings.assets() / "expectations"
        self.files = {form: json.loads((folder / f"{form.lower()}.json").read_text("utf-8")) for form in TABLES}
        self.suites: dict[str, Any] = {}
        self.parameters = {"rate_tolerance_pct_points": tolerance}

    def suite(self, form: str, frame: Any) -> Any:
        """The rules of the form itself for which there are control columns; comparisons are left out."""
        import great_expectations as gx

        if form not in self.suites:
            expectations = [
                e
                for e in self.files[form]["expectations"]
                if {name for key, name in e["kwargs"].items() if key.startswith("column")} <= set(frame.columns)
            ]
            self.suites[form] = self.context.suites.add(gx.ExpectationSuite(name=form, expectations=expectations))
        return self.suites[form]

    def passes(self, form: str, frame: Any) -> bool:
        if frame.empty:
            return True
        batch = self.batches.get_batch(batch_parameters={"dataframe": frame})
        outcome = batch.validate(self.suite(form, frame), expectation_parameters=self.parameters)
        return all(r.success or r.expectation_config.severity != "critical" for r in outcome.results)


def load(connection: Any, path: Path, commune: str, period: str, tables: dict[str, Any], pd: Any) -> None:
    from sqlalchemy import text

    data = path.read_bytes()
    sha256 = hashlib.sha256(data).hexdigest()
    original = {"sha256": sha256, "size_bytes": len(data), "archive_key": sha256, "archived_at": NOW}
    lead = {"commune_code": commune, "period": period, "budget_year": BUDGET_YEAR}
    submission = lead | {
        "sha256": sha256, "file_name": path.name, "verdict": "accepted", "as_of": AS_OF, "received_at": NOW,
        "archived_at": NOW, "known_at": NOW,
    }  # fmt: skip
    append = {"con": connection, "if_exists": "append", "index": False}
    pd.DataFrame([original]).to_sql("original", schema="raw", **append)
    pd.DataFrame([submission]).to_sql("submission", schema="raw", **append)
    query = text("select submission_id from raw.submission where sha256 = :sha256")
    number = connection.execute(query, {"sha256": sha256}).scalar_one()
    for name, frame in tables.items():
        if not frame.empty:
            kept = frame.drop(columns=["stt", "content_vi"], errors="ignore")
            kept.assign(submission_id=number, **lead).to_sql(name, schema="core", **append)


def main(paths: list[Path]) -> None:
    import great_expectations  # noqa: F401
    import openpyxl  # noqa: F401
    import pandas as pd
    from sqlalchemy import create_engine

    from etl.load import warehouse
    from etl.reference import forms, province

    stopwatch.imported()
    reference, layout = province.load(), forms.load()
    failed = 0
    with stopwatch.work():
        engine = create_engine("postgresql+psycopg://", creator=warehouse.connect)
        checks = Checks(float(reference.thresholds["rate_tolerance_pct_points"]))
        for path in paths:
            _, commune, period, _ = re.split("_", path.stem)
            form = frames(path, layout, pd, forms.FIRST_DATA_ROW)
            b01 = form["B01"]
            programmes = b01[~b01["line_code"].str.contains("-")]
            extra = b01[b01["line_code"].str.startswith("NKH-")]
            form["B01"], form["B05"] = leaves(b01), leaves(form["B05"])
            for name, frame in controls(form, programmes, reference, pd).items():
                failed += not checks.passes(name, frame)
            planned = [k for k in form["B05"].columns if k.startswith("planned_")]
            form["B05"] = form["B05"].dropna(subset=planned, how="all")
            form["B04"] = form["B04"].assign(is_new=form["B04"]["issue_id"].isna())
            form["B04"]["issue_id"] = form["B04"]["issue_id"].fillna(f"KN-{commune}-{period}-01")
            tables = {TABLES[name]: frame for name, frame in form.items()}
            tables["off_budget"] = extra[["row_no", "line_code"]].assign(amount=extra["disb_ytd"])
            with engine.begin() as connection:
                load(connection, path, commune, period, tables, pd)
    stopwatch.report(files=len(paths), failed=failed)


if __name__ == "__main__":
    main([Path(argument) for argument in sys.argv[1:]])
