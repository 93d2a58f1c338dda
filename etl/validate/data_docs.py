"""Great Expectations Data Docs of each run of the checks, for the data engineer: which suite judged what, and how much
failed. What a sender or the committee reads is elsewhere: the marked workbook, and the data-quality annex.

The run leaves a small record (JSON); the pages are made of it later, so that no sender waits for them. Pages stand
alone: they ask no other server for styles or scripts. Only the latest runs are kept.
"""

from __future__ import annotations

import html
import json
import re
import shutil
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from etl import clock
from etl.validate import catalogue
from etl.validate.catalogue import Rule
from etl.validate.suites import Failure

KEPT_RUNS = 60
_SHOWN = 20
_NULL = "expect_column_values_to_be_null"
_ELSEWHERE = re.compile(
    r"<(?:link|img)\b[^>]*https?://[^>]*>|<script\b[^>]*https?://[^>]*>\s*</script>|<a\b[^>]*https?://.*?</a>"
    r"|background: url\('https?://[^;]*;",
    re.S,
)
_STYLE = (
    "<style>body{font-family:'Liberation Sans',Arial,sans-serif;margin:1.5rem;max-width:80rem}"
    "table{border-collapse:collapse;margin:.5rem 0}td,th{border:1px solid #999;padding:.25rem .5rem;"
    "text-align:left;vertical-align:top}.fa-times::before{content:'✗';color:#b00020}"
    ".fa-check-circle::before{content:'✓';color:#1b5e20}.fa-exclamation-triangle::before{content:'!';color:#b00020}"
    "nav,.navbar,.modal,footer,[id$=-actions],.btn{display:none}</style>"
)


@dataclass(frozen=True)
class Record:
    """How one suite went over one batch: rows of its frame, and by expectation what was judged and what failed."""

    period: str
    suite: str
    reports: int
    rows: int
    outcomes: Mapping[str, Mapping[str, Any]]


def record(period: str, suite: str, frame: pd.DataFrame, failures: Sequence[Failure], files: Sequence[str]) -> Record:
    """``files``: names of the reports by their position."""
    failed: dict[str, list[int]] = {}
    for failure in failures:
        failed.setdefault(failure.rule.id, []).append(failure.position)
    outcomes = {}
    for rule in catalogue.rules(suite):
        positions = failed.get(rule.id, ())
        judged = [name for name in rule.judged if name in frame.columns]
        present = len(judged) == len(rule.judged) > 0
        blank = int(frame[judged].isna().any(axis=1).sum()) if present else len(frame)
        outcomes[rule.id] = {
            "missing": blank,
            "unexpected": len(positions),
            "examples": [_example(rule, frame.iloc[position], files) for position in positions[:_SHOWN]],
        }
    return Record(period, suite, len(files), len(frame), outcomes)


def _example(rule: Rule, row: Any, files: Sequence[str]) -> str:
    value = row[rule.judged[0]]
    return f"{files[int(row['report'])]} {row['code']}: {value}"


def write(folder: Path, now: datetime, records: Sequence[Record]) -> None:
    """The records of one run; nothing for a run without reports."""
    if not records:
        return
    target = folder / f"{now:%Y%m%dT%H%M%SZ}"
    target.mkdir(parents=True, exist_ok=True)
    text = json.dumps([one.__dict__ for one in records], ensure_ascii=False, indent=1)
    (target / "run.json").write_text(text, encoding="utf-8")


def render(folder: Path) -> int:
    """Pages of the runs that have none yet, and the list of runs; returns how many runs were rendered."""
    runs = sorted((path.parent for path in folder.glob("*/run.json")), reverse=True)
    for old in runs[KEPT_RUNS:]:
        shutil.rmtree(old)
    runs = runs[:KEPT_RUNS]
    fresh = [run for run in runs if not (run / "index.html").exists()]
    for run in fresh:
        records = [Record(**one) for one in json.loads((run / "run.json").read_text(encoding="utf-8"))]
        lines = []
        for one in records:
            name = f"{one.period or 'khong-ro-ky'}-{one.suite}.html"
            (run / name).write_text(_page(one), encoding="utf-8")
            broken = sum(outcome["unexpected"] for outcome in one.outcomes.values())
            title = html.escape(f"{one.period} · {catalogue.meta(one.suite)['vi']}")
            cells = "".join(f"<td>{number}</td>" for number in (one.reports, one.rows, broken))
            lines.append(f'<tr><td><a href="{name}">{title}</a></td>{cells}</tr>')
        head = "<tr><th>Kỳ · bộ quy tắc</th><th>Số báo cáo</th><th>Số dòng xét</th><th>Số dòng không đạt</th></tr>"
        title = f"Lượt kiểm tra {_moment(run)}"
        (run / "index.html").write_text(_listing(title, f"<table>{head}{''.join(lines)}</table>"), encoding="utf-8")
    if fresh:
        items = "".join(f'<li><a href="{run.name}/index.html">{_moment(run)}</a></li>' for run in runs)
        text = _listing("Các lượt kiểm tra (Great Expectations Data Docs)", f"<ul>{items}</ul>")
        (folder / "index.html").write_text(text, encoding="utf-8")
    return len(fresh)


def _moment(run: Path) -> str:
    moment = datetime.strptime(run.name + "+0000", "%Y%m%dT%H%M%SZ%z")
    return f"{moment.astimezone(clock.LOCAL):%H:%M:%S %d/%m/%Y}"


def _listing(title: str, body: str) -> str:
    return (
        f'<!doctype html><html lang="vi"><head><meta charset="utf-8"><title>{title}</title>{_STYLE}</head>'
        f"<body><h1>{title}</h1>{body}</body></html>"
    )


def _page(one: Record) -> str:
    """The page that Great Expectations makes of a validation result."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from great_expectations.render.renderer.page_renderer import ValidationResultsPageRenderer
        from great_expectations.render.view.view import DefaultJinjaPageView

        content = ValidationResultsPageRenderer().render(_result(one))
        page = DefaultJinjaPageView().render(content)  # type: ignore[no-untyped-call]
    return _ELSEWHERE.sub("", page).replace("</head>", f"{_STYLE}</head>", 1)


def _result(one: Record) -> Any:
    from great_expectations.core import ExpectationSuiteValidationResult, ExpectationValidationResult
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    results = []
    for rule in catalogue.of_suite(one.suite):
        outcome = one.outcomes.get(rule.id)
        if outcome is None:
            continue
        # What must be blank is judged in every row; any other kind passes over blanks.
        judged = one.rows if rule.type == _NULL else one.rows - outcome["missing"]
        unexpected = outcome["unexpected"]
        results.append(
            ExpectationValidationResult(
                success=unexpected == 0,
                expectation_config=ExpectationConfiguration(
                    # The heading of an expectation is its column: there the reader finds which rule it is.
                    type=rule.type,
                    kwargs=rule.kwargs
                    | {
                        "column" if "column" in rule.kwargs else "column_A": (
                            f"{rule.id} ({', '.join(rule.judged)}): {rule.reason} {rule.en}"
                        )
                    },
                ),
                result={
                    "element_count": one.rows,
                    "missing_count": outcome["missing"],
                    "missing_percent": 100 * outcome["missing"] / one.rows if one.rows else 0,
                    "unexpected_count": unexpected,
                    "unexpected_percent": 100 * unexpected / judged if judged else 0,
                    "unexpected_percent_total": 100 * unexpected / one.rows if one.rows else 0,
                    "partial_unexpected_list": outcome["examples"],
                },
                exception_info={"raised_exception": False, "exception_traceback": None, "exception_message": None},
            )
        )
    met = sum(bool(result.success) for result in results)
    statistics = {
        "evaluated_expectations": len(results),
        "successful_expectations": met,
        "unsuccessful_expectations": len(results) - met,
        "success_percent": 100 * met / len(results) if results else None,
    }
    return ExpectationSuiteValidationResult(
        success=met == len(results),
        results=results,
        suite_name=one.suite,
        suite_parameters={},
        statistics=statistics,  # type: ignore[arg-type]
        meta={},
    )
