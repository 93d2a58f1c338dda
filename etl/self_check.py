"""``tiendo check``: the verdict that the pipeline would give, for files on the sender's own machine."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from etl import settings, steps
from etl.collect import reader
from etl.collect.report import Report
from etl.reference import forms
from etl.reference import province as reference
from etl.validate import markup
from etl.validate.finding import Finding

_VERDICTS = {"accepted": "TIẾP NHẬN", "returned": "TRẢ LẠI", "refused": "KHÔNG MỞ ĐƯỢC"}
_LEVELS = {"error": "Lỗi", "warning": "Cảnh báo", "info": "Lưu ý"}


def run(files: Sequence[Path], now: datetime, *, offline: bool, marked: Path | None) -> list[dict[str, Any]]:
    """One result per file, in order; ``marked`` is the folder for the marked-up workbooks.

    Offline, the tasks of the reference data stand for the register; otherwise the register of the warehouse is asked.
    """
    province = reference.load()
    contents = [path.read_bytes() for path in files]
    reports = [reader.read(path.name, data, province) for path, data in zip(files, contents, strict=True)]
    judged = steps.judge(reports, province, steps.registered_tasks() if not offline and can_reach_warehouse() else None)
    results = []
    for path, data, report, (findings, verdict) in zip(files, contents, reports, judged, strict=True):
        if marked is not None:
            told = markup.Judgement(path.name, report.sha256, verdict, now, findings)
            markup.write(marked / f"{path.stem}.ket-qua.xlsx", markup.mark(data, told))
        results.append(_as_json(path, report, findings, verdict))
    return results


def _as_json(path: Path, report: Report, findings: Sequence[Finding], verdict: str) -> dict[str, Any]:
    version = report.template_version or forms.CURRENT_VERSION
    return {
        "file": str(path),
        "sha256": report.sha256,
        "verdict": verdict,
        "commune": report.commune_code,
        "period": str(report.period) if report.period else None,
        "budget_year": report.budget_year,
        "as_of": report.as_of.isoformat() if report.as_of else None,
        "template": None if report.refused else f"{report.template_id or forms.TEMPLATE_ID} v{version}",
        "lines": report.line_counts,
        "findings": [finding.as_json() for finding in findings],
    }


def as_text(result: dict[str, Any]) -> str:
    lines = [f"{result['file']}: {_VERDICTS[result['verdict']]}"]
    for finding in result["findings"]:
        place = f"{finding['sheet']}!{finding['cell']}" if finding["cell"] else finding["sheet"] or "cả tệp"
        lines.append(f"  {_LEVELS[finding['severity']]} {finding['rule']} {place}: {finding['message']}")
        lines.append(f"      Cách sửa: {finding['fix']}")
    return "\n".join(lines)


def can_reach_warehouse() -> bool:
    """Whether a warehouse is configured or the embedded one has been set up on this machine."""
    conf = settings.get()
    return bool(conf.warehouse_url) or (conf.pgdata_dir / "PG_VERSION").exists()
