"""Runs a Great Expectations suite over one batch of all reports: which rows break which rule."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from etl.errors import CatalogueError
from etl.validate import declared
from etl.validate.catalogue import Rule
from etl.validate.declared import SUITES

os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")  # no network at run time


@dataclass(frozen=True)
class Failure:
    """One row of the batch that breaks one rule."""

    rule: Rule
    position: int


def _require_made(rules: Sequence[Rule]) -> None:
    """The loader has seen to it; a rule that came another way must not be passed over in silence either."""
    for rule in rules:
        strange = set(rule.judged) - declared.columns(rule.suite, of_report=rule.suite in SUITES)
        if strange or not rule.judged:
            names = ", ".join(sorted(strange)) or "không ghi"
            raise CatalogueError(
                f"{rule.suite}.json, quy tắc {rule.id}, khóa kwargs: không nơi nào lập cột kiểm tra {names}. "
                "Cách sửa: sửa lại tên cột, hoặc lập cột đó và khai báo trong etl/validate/declared.py."
            )


_NOT_NULL = "expect_column_values_to_not_be_null"
"""The one kind that a column without any value can break: all others pass over blanks."""


class Validator:
    """One Great Expectations context for the frames of all suites; what it needs once is made once."""

    def __init__(self) -> None:
        import great_expectations as gx

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            context = gx.get_context(mode="ephemeral")
            context.variables.progress_bars = {"globally": False}  # type: ignore[assignment]
            asset = context.data_sources.add_pandas("reports").add_dataframe_asset("rows")
            self._rows = asset.add_batch_definition_whole_dataframe("all")

    def failures(self, rules: Sequence[Rule], frame: pd.DataFrame, parameters: Mapping[str, Any]) -> list[Failure]:
        """Every row of the frame (by position) that breaks a rule, in the order of the rules.

        What GX does for an expectation grows with what is asked of it, and nearly all are met. So all are first asked
        for yes or no, and only those that are not met for their rows; by position, because building a dictionary per
        failing cell is what makes GX slow when much fails. GX gets the columns that are judged and no others: it
        filters the whole frame anew for each expectation.

        A column that no row has is blank: only an expectation that blanks break is asked about it. Raises
        CatalogueError for a column that nothing makes.
        """
        _require_made(rules)
        wanted = [
            rule
            for rule in rules
            if rule.type == _NOT_NULL
            or all(name in frame.columns and frame[name].notna().any() for name in rule.judged)
        ]
        if frame.empty or not wanted:
            return []
        absent = {name for rule in wanted for name in rule.judged if name not in frame.columns}
        frame = frame.assign(**dict.fromkeys(absent))
        judged = frame[list(dict.fromkeys(name for rule in wanted for name in rule.judged))].reset_index(drop=True)
        numbers = range(len(wanted))
        outcomes = self._validate(judged, wanted, numbers, parameters, {"result_format": "BOOLEAN_ONLY"})
        unmet = [n for n in numbers if not outcomes[n].success]
        if not unmet:
            return []
        complete = {"result_format": "COMPLETE", "include_unexpected_rows": False}
        outcomes = self._validate(judged, wanted, unmet, parameters, complete)
        return [
            Failure(wanted[n], int(position)) for n in unmet for position in outcomes[n].result["unexpected_index_list"]
        ]

    def _validate(
        self,
        frame: pd.DataFrame,
        rules: Sequence[Rule],
        numbers: Sequence[int],
        parameters: Mapping[str, Any],
        result_format: dict[str, Any],
    ) -> dict[int, Any]:
        """Outcome of each rule whose number is asked for; raises when GX could not evaluate one.

        GX copies the ``meta`` of an expectation at every turn: instead of the texts for people it gets the number.
        """
        import great_expectations as gx

        asked = [{"type": rules[n].type, "kwargs": rules[n].kwargs, "meta": {"number": n}} for n in numbers]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = self._rows.get_batch(batch_parameters={"dataframe": frame}).validate(
                gx.ExpectationSuite(name=rules[0].suite, expectations=asked),
                expectation_parameters=dict(parameters),
                result_format=result_format,
            )
        outcomes = {}
        for outcome in result.results:
            config = outcome.expectation_config
            if config is None or config.meta is None:
                raise RuntimeError(f"{rules[0].suite}: kết quả không kèm quy tắc")
            number = config.meta["number"]
            if outcome.exception_info and outcome.exception_info.get("raised_exception", True):
                raise RuntimeError(f"{rules[number].id}: {outcome.exception_info}")
            outcomes[number] = outcome
        return outcomes
