"""Workbooks that LibreOffice Calc saved again, in each of its kinds, give the same facts as the originals."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from etl.collect import reader
from etl.collect.report import Report
from etl.period import Period
from etl.reference import province
from etl.validate import check
from tests.builders import OCTOBER, QUAN_SON, name, workbook

CALC = shutil.which("soffice") or shutil.which("libreoffice")
REPORTS = [(commune, period) for commune in ("06463", QUAN_SON) for period in (OCTOBER, Period(2025, 12))]
FILTERS = {"xlsx": "xlsx:Calc MS Excel 2007 XML", "xls": "xls:MS Excel 97", "ods": "ods"}


def facts(report: Report) -> dict[tuple[str, str, int], dict[str, Any]]:
    """Everything that would be loaded, by form, code and place in the form."""
    return {
        (form_name, row.code, number): row.values | {"states": row.states}
        for form_name, form in report.forms.items()
        for number, row in enumerate(r for r in form.rows if r.role in ("leaf", "off_budget"))
    }


@pytest.mark.slow
@pytest.mark.skipif(CALC is None, reason="LibreOffice Calc is not on this machine")
@pytest.mark.parametrize("kind", FILTERS)
def test_a_workbook_saved_again_gives_the_same_facts(kind: str, tmp_path: Path) -> None:
    originals = {name(commune, period): workbook(commune, period) for commune, period in REPORTS}
    for file_name, data in originals.items():
        (tmp_path / file_name).write_bytes(data)
    subprocess.run(
        [str(CALC), f"-env:UserInstallation=file://{tmp_path}/profile", "--headless", "--convert-to", FILTERS[kind],
         "--outdir", str(tmp_path / "saved"), *(str(tmp_path / n) for n in originals)],
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=180,
    )  # fmt: skip
    where = province.load()
    for file_name, data in originals.items():
        saved = tmp_path / "saved" / Path(file_name).with_suffix(f".{kind}").name
        (again, verdict) = check.judge([reader.read(saved.name, saved.read_bytes(), where)], where)[0]
        assert (again, verdict) == ([], "accepted"), saved.name
        reports = [reader.read(file_name, data, where), reader.read(saved.name, saved.read_bytes(), where)]
        assert facts(reports[0]) == facts(reports[1]), saved.name
