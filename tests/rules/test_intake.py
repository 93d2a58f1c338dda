"""Each rule of the intake is met by a file: one of the corpus of defects, or one that is made here."""

from __future__ import annotations

import io
from collections import defaultdict
from dataclasses import replace
from decimal import Decimal
from functools import cache

import pytest

from etl.collect import package, reader
from etl.collect.report import Report, Row
from etl.collect.template import write_workbook
from etl.period import Period
from etl.reference.province import Commune
from etl.validate import catalogue
from etl.validate.finding import Finding
from etl.validate.known import CUMULATIVE_KEYS, offline
from tests import corpus
from tests.corpus.measure import built
from tests.rules import kit
from tests.rules.test_catalogue import is_vietnamese

COMMUNE = "06463"
_NOT_IN_CORPUS = {"M06-column", "M06-small", "M08-column", "M18", "M38", "M42", "M47-asked", "M47-ticked"}
"""What no class of the corpus shows: small files and reports of this module do."""


@cache
def of_corpus() -> dict[str, list[tuple[str, Finding]]]:
    """Id -> (class, finding) over the first variation of each class of the corpus."""
    names: list[str] = []
    reports: list[Report] = []
    firsts = [corpus.items(defect)[0] for defect in corpus.classes()]
    for item, (file_name, data) in zip(firsts, built(firsts), strict=True):
        read = _read(file_name, data)
        names += [item.defect] * len(read)
        reports += read
    found: dict[str, list[tuple[str, Finding]]] = defaultdict(list)
    unknown = [offline(kit.lang_son())] * len(reports)
    for defect, findings in zip(names, kit.judged_together(reports, unknown), strict=True):
        for finding in findings:
            found[finding.id].append((defect, finding))
    return found


def _read(file_name: str, data: bytes) -> list[Report]:
    members = package.unpack(file_name, data) if package.is_package(data) else None
    if isinstance(members, list):
        return [reader.read(member.name, member.data, kit.lang_son()) for member in members]
    return [reader.read(file_name, data, kit.lang_son())]


@pytest.mark.slow
@pytest.mark.parametrize("rule", sorted(set(catalogue.intake()) - _NOT_IN_CORPUS))
def test_a_rule_of_the_intake_is_met_in_the_corpus(rule: str) -> None:
    met = of_corpus()[rule]
    assert met, f"{rule}: no class of tests/corpus shows it"
    for _, finding in met:
        assert finding.severity == catalogue.intake()[rule].severity
        for text in (finding.message, finding.fix):
            assert is_vietnamese(text), text
            assert "{" not in text


def told(report: Report) -> list[tuple[str, str, str | None, str | None]]:
    return [(f.id, f.severity, f.sheet, f.cell) for f in kit.judged(report)]


def october() -> Report:
    return kit.report(COMMUNE, Period(2025, 10), 2025)


def in_ty_dong(ratio: int) -> Report:
    """Cumulatives so many times smaller than those of the month before, which the month's column still shows."""
    report = october()
    for row in report.forms["B01"].rows:
        paid, month = row.values.get("disb_ytd"), row.values.get("disb_period")
        if row.role == "off_budget" or not isinstance(paid, int) or not isinstance(month, int):
            continue
        small = dict.fromkeys((*CUMULATIVE_KEYS, "accepted_volume", "forecast"), 0)
        row.values |= {**small, "disb_rate": None}
        if row.role == "leaf" and (before := paid - month) > 0:
            now = before // ratio
            row.values |= dict.fromkeys(("disb_ytd", "disb_nstw", "disb_completed"), now)
            row.values |= {"disb_period": now - before, "accepted_volume": now, "forecast": now}
    return report


def test_a_form_in_ty_dong_is_told_once() -> None:
    report = in_ty_dong(1_000)
    first = next(row for row in report.forms["B01"].rows if row.role == "leaf" and row.values["disb_ytd"])
    cell = report.forms["B01"].cell("disb_ytd", first.row_no)
    assert told(report) == [("M06-small", "error", "B01-GiaiNgan", cell)]


def test_cumulatives_that_are_not_that_much_smaller_are_no_other_unit() -> None:
    ratio = int(kit.lang_son().thresholds["shrink_ratio"])
    assert "M06-small" in {id for id, *_ in told(in_ty_dong(ratio + 1))}
    assert "M06-small" not in {id for id, *_ in told(in_ty_dong(ratio - 1))}


def leaves(report: Report) -> list[Row]:
    return [row for row in report.forms["B01"].rows if row.role == "leaf"]


@pytest.mark.parametrize("factor", [1_000, 1_000_000])
def test_one_column_in_another_unit_is_told_at_that_column(factor: int) -> None:
    """The sums that the form makes of it are not typed, and the other columns are sound."""
    report = october()
    for row in report.forms["B01"].rows:
        if row.role in ("leaf", "heading", "total"):
            typed, total = row.values["disb_nstw"], row.values["disb_ytd"]
            row.values |= {"disb_nstw": typed * factor, "disb_ytd": total + typed * (factor - 1)}
    first = next(row for row in leaves(report) if row.values["disb_nstw"])
    cell = report.forms["B01"].cell("disb_nstw", first.row_no)
    assert told(report) == [("M06-column", "error", "B01-GiaiNgan", cell)]


def test_what_is_paid_in_another_unit_is_one_finding() -> None:
    report = october()
    for row in report.forms["B01"].rows:
        if row.role in ("leaf", "heading", "total"):
            row.values |= {key: row.values[key] * 1_000 for key in (*CUMULATIVE_KEYS, "disb_period")}
    first = next(row for row in leaves(report) if row.values["disb_nstw"])
    cell = report.forms["B01"].cell("disb_nstw", first.row_no)
    (finding,) = kit.judged(report)
    assert (finding.id, finding.cell) == ("M06-column", cell)
    assert "cột (12), (13), (14), (15), (16)" in finding.message


def test_all_columns_in_another_unit_are_the_forms() -> None:
    report = october()
    paid = (*CUMULATIVE_KEYS, "disb_period", "accepted_volume", "forecast")
    for row in report.forms["B01"].rows:
        if row.role in ("leaf", "heading", "total"):
            row.values |= {key: row.values[key] * 1_000 for key in paid}
    assert [id for id, *_ in told(report)] == ["M06"]


def blanked(lines: int) -> Report:
    report = october()
    for row in leaves(report)[:lines]:
        row.values |= {"disb_completed": None}
        row.states |= {"disb_completed": "blank"}
    return report


def test_a_blank_column_is_told_once() -> None:
    report = blanked(1_000)
    cell = report.forms["B01"].cell("disb_completed", leaves(report)[0].row_no)
    assert told(report) == [("M08-column", "error", "B01-GiaiNgan", cell)]


def test_cells_that_are_blank_here_and_there_are_told_one_by_one() -> None:
    few = len(leaves(october())) // 2
    assert [id for id, *_ in told(blanked(few))] == ["M08-blank"] * few


def test_a_unit_that_is_no_commune_of_the_province_is_told() -> None:
    made = kit.content(COMMUNE, Period(2025, 10), 2025)
    made = replace(made, commune=Commune("99999", "Xã Không Có", "Không Có", "xã", ()))
    buffer = io.BytesIO()
    write_workbook(buffer, made)
    report = reader.read("bao-cao.xlsx", buffer.getvalue(), kit.lang_son())
    assert {(id, severity) for id, severity, *_ in told(report)} == {("M18", "error")}


def test_a_file_of_another_kind_is_refused_with_a_way_out() -> None:
    report = reader.read("bao-cao.pdf", b"%PDF-1.7\n" + bytes(200), kit.lang_son())
    assert told(report) == [("M38", "error", None, None)]
    assert all(is_vietnamese(text) for f in kit.judged(report) for text in (f.message, f.fix))


def test_a_file_that_would_do_harm_is_refused_with_a_way_out() -> None:
    bomb = next(hostile for hostile in corpus.hostile() if hostile.rules == {"M42"})
    report = reader.read(bomb.file_name, bomb.build(), kit.lang_son())
    assert told(report) == [("M42", "error", None, None)]
    assert all(is_vietnamese(text) for f in kit.judged(report) for text in (f.message, f.fix))


@pytest.mark.parametrize("form", ["B03", "B04"])
def test_an_empty_form_is_asked_about_unless_it_is_ticked(form: str) -> None:
    report = october()
    report.forms[form].rows, report.forms[form].nothing_to_report = [], False
    assert told(report) == [("M47-asked", "warning", report.forms[form].sheet, None)]
    report = october()
    report.forms[form].rows, report.forms[form].nothing_to_report = [], True
    assert told(report) == []


def test_a_ticked_form_with_figures_is_asked_about() -> None:
    report = october()
    report.forms["B02"].nothing_to_report = True
    first = next(row for row in report.forms["B02"].rows if row.values["actual_period"])
    cell = report.forms["B02"].cell("actual_period", first.row_no)
    assert told(report) == [("M47-ticked", "warning", "B02-ChiTieu", cell)]


def test_a_ticked_form_without_a_result_of_the_month_is_not() -> None:
    report = october()
    report.forms["B02"].nothing_to_report = True
    for row in report.forms["B02"].rows:
        row.values["actual_period"] = Decimal(0)
    assert told(report) == []
