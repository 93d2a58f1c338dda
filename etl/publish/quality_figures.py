"""Figures of the data-quality annex: what the checks found, what was answered, the State Treasury, unusual figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from etl.load.reconciliation import KINDS_VI
from etl.publish.checks.finding import PeriodFinding
from etl.publish.figure import Dims, Figure, dims
from etl.publish.reading import Reader, Row, date_figure, number_figure, text_figure

LEVELS_VI = {"error": "Lỗi", "warning": "Cảnh báo", "info": "Lưu ý"}
OWN_NOTE = "Đơn vị"
PRINTED = 30
"""Rows of a long list that stand on paper; all of them stand in the workbook."""
_COUNTS = ("communes", "found", "explained", "corrected", "overridden", "still_open")


def of_reports(reader: Reader) -> Iterator[Figure]:
    """Problems by rule, and each one that was answered: its line, what was found, the answer and who gave it."""
    for row in reader.mart("finding_count_at"):
        by = dims({"rule": row["expectation_id"]})
        if by:
            yield text_figure("rule_checks", row["reason_vi"], "ref.rule", by)
            yield text_figure("rule_level", LEVELS_VI[row["severity"]], "mart.finding_count", by)
        for name in _COUNTS:
            yield number_figure(f"findings_{name}", "count", row[name], "mart.finding_count", by)
    source = "mart.finding_answer"
    yield from _cut(reader, "answers", "finding_answer_at", "m.outcome = 'explained'", source)
    for row in reader.mart("finding_answer_at"):
        by = answer_dims(row)
        yield text_figure("answer_outcome", row["outcome"], source, by)
        yield text_figure("answer_line", row["line"] or row["form"], source, by)
        yield text_figure("answer_finding", row["message_vi"], source, by)
        yield text_figure("answer_text", row["answer_vi"], source, by)
        yield text_figure("answer_by", row["answered_by"] or OWN_NOTE, source, by)
        yield number_figure("answer_amount", "vnd", row["amount_vnd"], source, by)


def _cut(reader: Reader, metric: str, mart: str, condition: str, source: str) -> Iterator[Figure]:
    """How many rows of a long list are printed, and how many stand in the workbook alone."""
    (row,) = reader.rows(
        f"select least(count(*), %(most)s) as printed, greatest(count(*) - %(most)s, 0) as beyond "
        f"from mart.{mart}(%(known_at)s) as m "
        f"where m.period = %(period)s and m.budget_year = %(budget_year)s and {condition}",
        most=PRINTED,
    )
    for name, value in row.items():
        yield number_figure(f"{metric}_{name}", "count", value, source)


def answer_dims(row: Row) -> Dims:
    """Commune, expectation, and the place within the report: what makes a problem the same in the next version."""
    place = ":".join(row[name] or "" for name in ("form", "line", "item"))
    return dims({"commune": row["commune_code"], "rule": row["expectation_id"] or row["rule_id"], "item": place})


def of_treasury(reader: Reader) -> Iterator[Figure]:
    """Whether there is a statement of the date; differences by kind and one by one."""
    source = "mart.treasury_comparison"
    for row in reader.mart("treasury_comparison_at"):
        if row["statement_file"] is not None:
            yield text_figure("treasury_statement", row["statement_file"], source)
            yield number_figure("treasury_communes", "count", row["communes_compared"], source)
        for day in row["other_dates"]:
            yield date_figure("treasury_other_date", day, source, dims({"item": day.isoformat()}))
    source = "mart.treasury_kind"
    for row in reader.mart("treasury_kind_at"):
        by = dims({"item": row["kind"]})
        yield number_figure("treasury_kind_communes", "count", row["communes"], source, by)
        yield number_figure("treasury_differences", "count", row["differences"], source, by)
        if row["kind"] == "advance_overdue":
            yield number_figure("treasury_overdue", "vnd", row["overdue"], source, by)
        elif row["kind"]:
            # Totals and balances of advances do not add up to anything: amounts are given by kind only.
            yield number_figure("treasury_above", "vnd", row["above"], source, by)
            yield number_figure("treasury_below", "vnd", row["below"], source, by)
    source = "mart.treasury_reconciliation"
    yield from _cut(reader, "treasury_rows", "treasury_reconciliation_at", "true", source)
    for row in treasury_rows(reader):
        yield from _treasury_row(row, treasury_dims(row))


def treasury_rows(reader: Reader) -> list[dict[str, Any]]:
    """Differences, each with ``place_no``: which of those it is that share commune, place and kind."""
    return reader.rows(
        """
        select m.*, row_number() over (
            partition by m.commune_code, m.node_code, m.capital_kind, m.kind
            order by m.explained_by, m.sheet, m.cell, m.difference
        ) as place_no
        from mart.treasury_reconciliation_at(%(known_at)s) as m
        where m.period = %(period)s and m.budget_year = %(budget_year)s
        """
    )


def treasury_dims(row: Row) -> Dims:
    kind = row["kind"] if row["place_no"] == 1 else f"{row['kind']}#{row['place_no']}"
    return dims(
        {
            "project": row["node_code"],
            "capital_kind": row["capital_kind"],
            "commune": row["commune_code"],
            "item": kind,
        }
    )


def _treasury_row(row: Row, by: Dims) -> Iterator[Figure]:
    source = "mart.treasury_reconciliation"
    yield text_figure("treasury_kind", KINDS_VI[row["kind"]], source, by)
    yield text_figure("treasury_node", row["node_vi"], source, by)
    yield text_figure("treasury_evidence", row["explained_by"], source, by)
    yield number_figure("treasury_months", "count", row["months_open"], source, by)
    for metric, column in (
        ("treasury_reported", "reported"),
        ("treasury_booked", "treasury"),
        ("treasury_difference", "difference"),
    ):
        yield number_figure(metric, "vnd", row[column], source, by)


def of_findings(findings: Sequence[PeriodFinding]) -> Iterator[Figure]:
    """Figures unlike their peers', one by one; how many there are is a figure when there are none, too."""
    source = "release.finding"
    yield number_figure("outliers", "count", len(findings), source)
    yield number_figure("outlier_communes", "count", len({f.commune_code for f in findings}), source)
    yield number_figure("outlier_rows_printed", "count", min(len(findings), PRINTED), source)
    yield number_figure("outlier_rows_beyond", "count", max(len(findings) - PRINTED, 0), source)
    for finding in findings:
        by = dims({"commune": finding.commune_code, "rule": finding.expectation_id, "item": finding.line})
        yield text_figure("outlier_finding", finding.message, source, by)
        yield text_figure("outlier_cell", _place(finding), source, by)
        for metric in ("value", "expected", "difference"):
            yield number_figure(f"outlier_{metric}", "vnd", getattr(finding, metric), source, by)


def _place(finding: PeriodFinding) -> str | None:
    return f"{finding.sheet}!{finding.cell}" if finding.sheet and finding.cell else None
