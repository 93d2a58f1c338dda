"""The kit's reports are those that the reader gives for the written workbooks."""

from __future__ import annotations

import io
from typing import Any

import pytest

from etl.collect import reader
from etl.collect.report import Form, Report, Row
from etl.collect.template import write_workbook
from etl.collect.workbook import file_name
from etl.period import Period
from tests.rules import kit

REPORTS = [
    ("06517", Period(2025, 11), 2025),  # tasks of the register
    ("06463", Period(2025, 10), 2025),  # a revised roadmap
    ("05977", Period(2025, 7), 2025),  # the first month, a phường
    ("06001", Period(2026, 1), 2026),
    ("06040", Period(2026, 1), 2025),  # the closing report
    ("06529", Period(2026, 6), 2026),
]


def read(commune: str, period: Period, budget_year: int) -> Report:
    buffer = io.BytesIO()
    write_workbook(buffer, kit.content(commune, period, budget_year))
    return reader.read(file_name(commune, period, budget_year=budget_year), buffer.getvalue(), kit.lang_son())


def form_as_told(form: Form) -> list[tuple[Any, ...]]:
    return [(form.sheet, form.columns, form.nothing_to_report), *map(row_as_told, form.rows)]


def row_as_told(row: Row) -> tuple[Any, ...]:
    typed = {key: (type(value), value) for key, value in row.values.items()}
    return (row.row_no, row.role, row.code, typed, row.states, row.bad, row.texts)


@pytest.mark.parametrize(("commune", "period", "budget_year"), REPORTS)
def test_a_report_of_the_kit_is_the_one_that_is_read(commune: str, period: Period, budget_year: int) -> None:
    made, back = kit.report(commune, period, budget_year), read(commune, period, budget_year)
    assert back.issues == []
    for name in ("commune_code", "period", "budget_year", "as_of", "template_id", "template_version", "version_no"):
        assert getattr(made, name) == getattr(back, name), name
    assert list(made.forms) == list(back.forms)
    for name, form in back.forms.items():
        for ours, theirs in zip(form_as_told(made.forms[name]), form_as_told(form), strict=True):
            assert ours == theirs, name


def test_judging_a_report_leaves_the_next_one_as_it_was() -> None:
    first = kit.report("06463", Period(2025, 10), 2025)
    first.forms["B01"].rows[0].values["plan_total"] = -1
    again = kit.report("06463", Period(2025, 10), 2025)
    assert again.forms["B01"].rows[0].values["plan_total"] != -1
    assert again == kit.as_report(kit.content("06463", Period(2025, 10), 2025))
