"""``tiendo check``: the verdict that the pipeline would give, for files on the sender's own machine."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from etl import settings
from etl.collect import package, pool
from etl.collect.report import Report
from etl.files import write_whole
from etl.reference import forms
from etl.reference import province as reference
from etl.reference.province import Province
from etl.validate import check, markup
from etl.validate.finding import Finding
from etl.validate.known import Known

_VERDICTS = {"accepted": "TIẾP NHẬN", "returned": "TRẢ LẠI", "refused": "KHÔNG MỞ ĐƯỢC"}
_LEVELS = {"error": "Lỗi", "warning": "Cảnh báo", "info": "Lưu ý"}


def run(files: Sequence[Path], now: datetime, *, offline: bool, marked: Path | None) -> list[dict[str, Any]]:
    """One result per file, in order, and one per workbook of a zip; ``marked``: folder for the marked-up workbooks.

    Offline, the tasks of the reference data stand for the register and nothing is known of earlier months and of the
    register of plans; otherwise the warehouse is asked, as the pipeline does.
    """
    province = reference.load()
    contents = [content for path in files for content in _contents(path)]
    jobs = [
        pool.Job(Path(name).name, hashlib.sha256(data).hexdigest(), partial(bytes, data)) for name, data in contents
    ]
    reports = list(pool.read_all(jobs, province.folder))
    judged = check.judge(reports, province, _asked(reports, province, now, offline=offline))
    results = []
    used: set[str] = set()
    for (name, data), report, (findings, verdict) in zip(contents, reports, judged, strict=True):
        if marked is not None:
            told = markup.Judgement(Path(name).name, report.sha256, verdict, now, findings)
            write_whole(marked / _free(Path(name).stem, used), markup.mark(data, told))
        results.append(_as_json(name, report, findings, verdict))
    return results


def _contents(path: Path) -> list[tuple[str, bytes]]:
    """(name, bytes) of the file, or of each workbook in it where it is a zip of them: ``a.zip/b.xlsx``."""
    data = path.read_bytes()
    members = package.unpack(path.name, data) if package.is_package(data) else None
    if isinstance(members, list):
        return [(f"{path}/{member.path}", member.data) for member in members]
    return [(str(path), data)]


def _asked(reports: Sequence[Report], province: Province, now: datetime, *, offline: bool) -> list[Known] | None:
    """What is known for each report, as if it came now; None without a warehouse."""
    if offline or not can_reach_warehouse():
        return None
    from etl.load import known, warehouse

    with warehouse.connect() as connection:
        return known.of(connection, reports, province, [now] * len(reports))


def _free(stem: str, used: set[str]) -> str:
    """A file name that no other of this run has: two folders may hold files of one name."""
    name, number = f"{stem}.ket-qua.xlsx", 1
    while name in used:
        number += 1
        name = f"{stem}.{number}.ket-qua.xlsx"
    used.add(name)
    return name


def _as_json(name: str, report: Report, findings: Sequence[Finding], verdict: str) -> dict[str, Any]:
    version = report.template_version or forms.CURRENT_VERSION
    return {
        "file": name,
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
