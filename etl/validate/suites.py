"""Runs a form's Great Expectations suite over one batch of all reports and turns failures into findings."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pandas as pd

from etl import money
from etl.collect.report import Report
from etl.reference import forms
from etl.validate import catalogue
from etl.validate.finding import Finding

os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")  # no network at run time


@dataclass(frozen=True)
class Failure:
    """One row of the batch that breaks one expectation."""

    expectation: dict[str, Any]
    position: int


_NOT_NULL = "expect_column_values_to_not_be_null"
"""The one kind that a column without any value can break: all others pass over blanks."""


class Validator:
    """One Great Expectations context for the frames of all forms; what it needs once is made once."""

    def __init__(self) -> None:
        import great_expectations as gx

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            context = gx.get_context(mode="ephemeral")
            context.variables.progress_bars = {"globally": False}  # type: ignore[assignment]
            asset = context.data_sources.add_pandas("reports").add_dataframe_asset("rows")
            self._rows = asset.add_batch_definition_whole_dataframe("all")

    def failures(self, form: str, batch: pd.DataFrame, parameters: Mapping[str, Any]) -> Iterator[Failure]:
        """Every failing row of every expectation of the form's suite, in the suite's order.

        What GX does for an expectation grows with what is asked of it, and nearly all are met. So all are first asked
        for yes or no, and only those that are not met for their rows; by position, because building a dictionary per
        failing cell is what makes GX slow when much fails. GX gets the columns that are judged and no others: it
        filters the whole frame anew for each expectation.
        """
        suite = catalogue.suite(form)
        wanted = [
            e
            for e in suite["expectations"]
            if e["kwargs"]["column"] in batch.columns
            and (e["type"] == _NOT_NULL or batch[e["kwargs"]["column"]].notna().any())
        ]
        if batch.empty or not wanted:
            return
        judged = batch[list(dict.fromkeys(e["kwargs"]["column"] for e in wanted))].reset_index(drop=True)
        numbers = range(len(wanted))
        outcomes = self._validate(form, judged, wanted, numbers, parameters, {"result_format": "BOOLEAN_ONLY"})
        unmet = [n for n in numbers if not outcomes[n].success]
        if not unmet:
            return
        complete = {"result_format": "COMPLETE", "include_unexpected_rows": False}
        outcomes = self._validate(form, judged, wanted, unmet, parameters, complete)
        for n in unmet:
            for position in outcomes[n].result["unexpected_index_list"]:
                yield Failure(wanted[n], int(position))

    def _validate(
        self,
        form: str,
        frame: pd.DataFrame,
        expectations: Sequence[dict[str, Any]],
        numbers: Sequence[int],
        parameters: Mapping[str, Any],
        result_format: dict[str, Any],
    ) -> dict[int, Any]:
        """Outcome of each expectation whose number is asked for; raises when GX could not evaluate one.

        GX copies the ``meta`` of an expectation at every turn: instead of the texts for people it gets the number.
        """
        import great_expectations as gx

        asked = [expectations[n] | {"meta": {"number": n}} for n in numbers]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = self._rows.get_batch(batch_parameters={"dataframe": frame}).validate(
                gx.ExpectationSuite(name=form, expectations=asked),
                expectation_parameters=dict(parameters),
                result_format=result_format,
            )
        outcomes = {}
        for outcome in result.results:
            config = outcome.expectation_config
            if config is None or config.meta is None:
                raise RuntimeError(f"{form}: kết quả không kèm quy tắc")
            number = config.meta["number"]
            if outcome.exception_info and outcome.exception_info.get("raised_exception", True):
                raise RuntimeError(f"{form} {expectations[number]['meta']['rule']}: {outcome.exception_info}")
            outcomes[number] = outcome
        return outcomes


def findings(
    validator: Validator, form: str, batch: pd.DataFrame, reports: Sequence[Report], parameters: Mapping[str, Any]
) -> list[tuple[int, Finding]]:
    """(report position, finding) for every failure of the form's suite."""
    layout = forms.load().sheet(form)
    titles = {c.key: f"({c.no}) {c.title}" for c in layout.columns}
    money_keys = {c.key for c in layout.columns if c.kind == "money"}
    frame = batch.reset_index(drop=True)
    found = []
    for failure in validator.failures(form, frame, parameters):
        row = frame.iloc[failure.position]
        meta = failure.expectation["meta"]
        key = row[meta["cell"][1:]] if meta["cell"].startswith("@") else meta["cell"]
        report = reports[int(row["report"])]
        sheet_form = report.forms[form]
        texts = {
            name: _raw(row.get(meta[name])) if meta[name] else None for name in ("value", "expected", "difference")
        }
        shown = {
            name: _shown(row.get(meta[name]), meta[name], key, money_keys) if meta[name] else ""
            for name in ("value", "expected", "difference")
        }
        message = meta["message"].format(
            **shown,
            code=row["code"],
            column=titles.get(key, key),
            unit=_raw(row.get("magnitude_unit")) or "",
        )
        found.append(
            (
                int(row["report"]),
                Finding(
                    rule=meta["rule"],
                    severity=catalogue.severity_of(failure.expectation),
                    sheet=sheet_form.sheet,
                    cell=sheet_form.cell(key, int(row["row_no"])),
                    value=texts["value"],
                    expected=texts["expected"],
                    difference=texts["difference"],
                    message=message,
                    fix=meta["fix"],
                ),
            )
        )
    return found


def _raw(value: Any) -> str | None:
    if value is None or value is pd.NA or (not isinstance(value, str | Decimal) and pd.isna(value)):
        return None
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


_COUNTS = frozenset({"magnitude_ratio", "duplicate_of"})
_POINTS = frozenset({"disb_rate", "rate_computed", "rate_gap"})


def _shown(value: Any, name: str, key: str, money_keys: set[str]) -> str:
    """As an official writes it: amounts in triệu đồng."""
    raw = _raw(value)
    if raw is None:
        return "trống"
    if name in _POINTS:
        return money.group_vi(Decimal(raw))
    if name not in _COUNTS and key in money_keys and raw.lstrip("-").isdigit():
        return f"{money.show_trieu(int(raw))} triệu đồng"
    if not raw.lstrip("-").replace(".", "", 1).isdigit():
        return raw
    value = Decimal(raw)
    return money.group_vi(value, 0) if value == value.to_integral_value() else money.group_vi(value.normalize())
