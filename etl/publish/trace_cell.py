"""The other way: which published figures a cell of a commune's workbook fed.

The cell is looked up in the layout that was noted when the workbook was read; its row is a fact; a figure rests on it
when the fact lies within the figure's dimensions and the figure is made of that column (``sums.parts_of``), at a
moment at which that workbook spoke for its commune.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from psycopg import sql
from psycopg.rows import dict_row

from etl.errors import UsageError
from etl.load.warehouse import Connection
from etl.publish import trace
from etl.publish.sums import LINES, lies_within, parts_of

_ADDRESS = re.compile(r"(?:(?P<sheet>[^!]+)!)?\$?(?P<letters>[A-Za-z]{1,3})\$?(?P<row>[1-9][0-9]{0,6})")
_SHA256 = re.compile(r"[0-9a-f]{8,64}")
_TABLES = {
    "B01": ("disbursement", "line_code"),
    "B02": ("output_indicator", "indicator_code"),
    "B03": ("task_report", "task_id"),
    "B04": ("proposal", "issue_id"),
    "B05": ("roadmap", "line_code"),
}


@dataclass(frozen=True)
class _Fact:
    """What the cell holds: ``key`` of its column, ``values`` of its row with the places in the programme tree."""

    form: str
    key: str
    values: Mapping[str, Any]


def feeds(connection: Connection, file: str, address: str) -> dict[str, Any]:
    """``file``: name, sha256 (or its beginning) or number of the submission; ``address``: ``B01-GiaiNgan!K30``.

    Returns the cell with what was loaded from it, and ``figures``: those of published releases that rest on it, each
    with release, metric, dims, value and unit. Raises UsageError for a file or cell that the warehouse does not have,
    or that holds no fact (headings, totals and notes feed nothing).
    """
    submission = _submission(connection, file)
    fact, place = _fact(connection, submission, address)
    figures = [
        {name: row[name] for name in ("figure_id", "release_id", "metric", "dims", "unit")}
        | {"value": str(row["value"]) if row["value"] is not None else row["text_value"]}
        for release in _releases(connection, submission)
        for row in _fed(connection, release, fact)
    ]
    value = fact.values.get(fact.key)
    return {
        "file": submission["file_name"],
        "sha256": submission["sha256"],
        "submission_id": submission["submission_id"],
        "commune": submission["commune_code"],
        "period": submission["period"],
        "budget_year": submission["budget_year"],
        **place,
        "form": fact.form,
        "line": fact.values["label"],
        "key": fact.key,
        "value": None if value is None else str(value),
        "figures": figures,
    }


def _submission(connection: Connection, file: str) -> dict[str, Any]:
    if file.isdigit() and len(file) < 8:
        condition, value = "s.submission_id = %s::bigint", file
    elif _SHA256.fullmatch(file):
        condition, value = "starts_with(s.sha256, %s)", file
    else:
        condition, value = "s.file_name = %s", file
    rows = _rows(
        connection,
        f"select s.* from raw.submission as s where {condition} order by s.known_at desc, s.submission_id desc limit 3",
        value,
    )
    if not rows:
        raise UsageError(f"Không có báo cáo nào từ tệp {file}; ghi tên tệp, mã kiểm tra sha256 hoặc số báo cáo.")
    if len({row["sha256"] for row in rows}) > 1:
        found = "; ".join(f"số {row['submission_id']} (sha256 {row['sha256'][:12]}…)" for row in rows)
        raise UsageError(f"Có nhiều báo cáo ứng với {file}: {found}. Ghi số báo cáo hoặc thêm ký tự của sha256.")
    return rows[0]


def _fact(connection: Connection, submission: Mapping[str, Any], address: str) -> tuple[_Fact, dict[str, Any]]:
    match = _ADDRESS.fullmatch(address.strip())
    if match is None:
        raise UsageError(f"“{address}” không phải là địa chỉ ô; ghi như B01-GiaiNgan!K30.")
    sheet, letters, row_no = match["sheet"], match["letters"].upper(), int(match["row"])
    layouts = _rows(
        connection, "select * from raw.sheet_layout where submission_id = %s order by form", submission["submission_id"]
    )
    if not layouts:
        raise UsageError(f"Báo cáo số {submission['submission_id']} không được tiếp nhận nên không có số liệu nào.")
    wanted = [y for y in layouts if sheet is None or y["sheet"].casefold() == sheet.strip("'").casefold()]
    if not wanted:
        names = ", ".join(y["sheet"] for y in layouts)
        raise UsageError(f"Báo cáo không có trang tính {sheet}; các trang có: {names}.")
    if sheet is None and len(wanted) > 1:
        raise UsageError(f"Ghi cả tên trang tính, ví dụ {wanted[0]['sheet']}!{letters}{row_no}.")
    layout = wanted[0]
    key = next((k for k, at in layout["columns"].items() if at == letters), None)
    values = _row_of(connection, layout["form"], submission, row_no) if key else None
    if key is None or values is None or key not in values:
        raise UsageError(
            f"Ô {layout['sheet']}!{letters}{row_no} không chứa số liệu được nạp: chỉ các dòng chi tiết là số liệu, "
            "dòng tổng và tiêu đề do hệ thống tự cộng."
        )
    return _Fact(layout["form"], key, values), {"sheet": layout["sheet"], "cell": f"{letters}{row_no}"}


def _row_of(connection: Connection, form: str, submission: Mapping[str, Any], row_no: int) -> dict[str, Any] | None:
    table, label = _TABLES[form]
    rows = connection.cursor(row_factory=dict_row).execute(
        sql.SQL("select t.*, t.{label} as label from core.{table} as t where t.submission_id = %s and t.row_no = %s")
        .format(label=sql.Identifier(label), table=sql.Identifier(table)),
        (submission["submission_id"], row_no),
    ).fetchall()  # fmt: skip
    if not rows:
        return None
    row = dict(rows[0]) | {"sha256": submission["sha256"]}
    if form == "B01":
        places = _rows(
            connection,
            "select d.programme_code, d.project_code, d.subproject_code from core.disbursement_known as d "
            "where d.submission_id = %s and d.row_no = %s limit 1",
            submission["submission_id"], row_no,
        )  # fmt: skip
        row |= places[0] if places else {}
    return row


def _releases(connection: Connection, submission: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Published releases whose moment lies in a stretch of time during which this report spoke for its commune.

    Those of other periods too: a rate stands beside that of the month before and of the year before.
    """
    return _rows(
        connection,
        """
        select distinct r.release_id, r.period, r.budget_year, r.known_at, r.as_of
        from mart.release as r
        inner join core.submission_span as s
            on s.submission_id = %s and s.known_from <= r.known_at and s.known_to > r.known_at
        order by r.release_id
        """,
        submission["submission_id"],
    )


def _fed(connection: Connection, release: Mapping[str, Any], fact: _Fact) -> Iterator[dict[str, Any]]:
    figures = _rows(
        connection, "select f.* from release.figure as f where f.release_id = %s order by f.figure_id",
        release["release_id"],
    )  # fmt: skip
    own = (fact.values["period"], fact.values["budget_year"])
    if fact.form == "B05":
        # A roadmap is in use until the next one is sent: its cells stand in releases of later periods.
        own = (release["period"], release["budget_year"]) if _in_use(connection, release, fact) else ("", 0)
    for row in figures:
        figure = row | {name: release[name] for name in ("period", "budget_year", "known_at", "as_of")}
        dims = figure["dims"]
        if fact.form in LINES:
            parts = parts_of(figure, dims)
            if any(
                part.form == fact.form
                and (part.period, part.budget_year) == own
                and any(key == fact.key for key, _ in part.terms)
                for part in parts
            ) and lies_within(fact.values, dims):
                yield row
        elif fact.form == "B03" and figure["source"].startswith(trace.REGISTER):
            sha256 = fact.values["sha256"]
            if fact.key in trace.TASK_CELLS and fact.values["task_id"] in trace.tasks_of(
                connection, figure, dims, sha256
            ):
                yield row
        elif fact.form == "B04" and figure["source"].startswith("mart.proposal"):
            is_of_month = (figure["period"], figure["budget_year"]) == own
            if is_of_month and fact.key in trace.PROPOSAL_CELLS and _of_proposal(fact.values, dims):
                yield row


def _in_use(connection: Connection, release: Mapping[str, Any], fact: _Fact) -> bool:
    """Whether the roadmap that the cell stands in is the one that the release goes by."""
    rows = _rows(
        connection,
        "select 1 from mart.roadmap_lag_at(%s, %s, %s) as g where g.roadmap_submission_id = %s limit 1",
        release["known_at"], release["period"], release["budget_year"], fact.values["submission_id"],
    )  # fmt: skip
    return bool(rows)


def _of_proposal(row: Mapping[str, Any], dims: Mapping[str, str]) -> bool:
    code = dims.get("proposal", "").partition("#")[0]
    return (
        code in ("", row["issue_id"])
        and dims.get("agency") in (None, row["addressee"])
        and dims.get("state") in (None, row["state"])
        and dims.get("commune") in (None, row["commune_code"])
    )


def _rows(connection: Connection, query: str, *values: Any) -> list[dict[str, Any]]:
    return connection.cursor(row_factory=dict_row).execute(query, values).fetchall()


def as_text(result: Mapping[str, Any]) -> str:
    lines = [
        f"{result['file']} (báo cáo số {result['submission_id']}, {result['commune']}, kỳ {result['period']})",
        f"{result['sheet']}!{result['cell']}: dòng {result['line']}, {result['key']} = {result['value'] or 'trống'}",
    ]
    if not result["figures"]:
        lines.append("Chưa có số liệu đã công bố nào lấy từ ô này.")
    else:
        lines.append(f"{len(result['figures'])} số liệu đã công bố lấy từ ô này:")
        lines += [f"  {figure['figure_id']} = {figure['value']} [{figure['unit']}]" for figure in result["figures"]]
    return "\n".join(lines)
