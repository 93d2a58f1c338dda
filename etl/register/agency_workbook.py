"""The monthly workbook of a department on its tasks: handed out with what is open, read back into events.

One row per open task, or per open period of a recurring one. A report of *Đã hoàn thành* without its document is kept
as a report, and the task stays open. A workbook with a fault is returned as a whole, with each cell, and nothing of it
is recorded. The same file again changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from etl import clock
from etl.collect import archive
from etl.directives.proposal import keep
from etl.errors import UsageError
from etl.load.warehouse import Connection
from etl.period import Period
from etl.reference.province import Province
from etl.register import events, sheet
from etl.register.events import Event
from etl.register.sheet import Column, Entry, Filled, Form, Question

KIND = "bao-cao-nhiem-vu"
DONE = "Đã hoàn thành"
ASKS = "Xin gia hạn"
STATES = (DONE, "Đang thực hiện", "Chưa thực hiện", ASKS, "Đề nghị thôi thực hiện")
_COLUMNS = (
    Column("stt", "STT", 6, kind="number"),
    Column("task_id", "Mã nhiệm vụ", 22),
    Column("instance", "Kỳ", 10),
    Column("document", "Văn bản giao nhiệm vụ", 22),
    Column("content", "Nội dung nhiệm vụ", 55),
    Column("due", "Thời hạn", 13, kind="date"),
    Column("state", "Tình trạng do hệ thống xác định", 18),
    Column("status", "Tình trạng thực hiện", 18, True, "status"),
    Column("done_date", "Ngày hoàn thành", 13, True, kind="date"),
    Column("result_doc", "Số, ngày văn bản kết quả", 24, True),
    Column("progress", "Kết quả, tiến độ cụ thể", 40, True),
    Column("reason", "Nguyên nhân chậm", 30, True),
    Column("until", "Đề nghị gia hạn đến ngày", 13, True, kind="date"),
)
_NOTES = (
    "Chỉ điền các ô nền vàng. “Đã hoàn thành” phải có ngày và văn bản kết quả; chưa có văn bản thì hệ thống ghi là báo "
    "cáo, nhiệm vụ vẫn đang thực hiện. Quá hạn hay không do hệ thống xác định.",
    "Đề nghị gia hạn chỉ có hiệu lực khi cấp giao nhiệm vụ có văn bản. Tháng không có gì để báo cáo: ghi x ở ô “Không "
    "phát sinh”.",
)


@dataclass
class Outcome:
    """What became of one workbook. ``problems``: why it was returned; then nothing was recorded."""

    file: str
    sha256: str
    agency: str
    period: str
    new: bool = True
    done: list[str] = field(default_factory=list)
    reported: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    without_document: list[str] = field(default_factory=list)
    over: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    nothing_to_report: bool = False

    @property
    def verdict(self) -> str:
        return "returned" if self.problems else "accepted"

    def as_dict(self) -> dict[str, Any]:
        return {"file": self.file, "sha256": self.sha256, "verdict": self.verdict, **{
            name: getattr(self, name)
            for name in ("agency", "period", "new", "nothing_to_report", "done", "reported", "asked",
                         "without_document", "over", "problems")
        }}  # fmt: skip


def file_name(agency: str, period: Period) -> str:
    from etl.directives.registering import directive_name

    name = directive_name(agency, period.last_day).removesuffix(f"-{period.year}")
    return f"BC-NhiemVu_{name}_{period}.xlsx"


def workbook(connection: Connection, province: Province, agency: str, period: Period) -> bytes:
    """The form of an agency for a month. Raises UsageError for an agency that is in no list."""
    name = _agency(connection, province, agency, period.last_day)
    rows = _open(connection, name, period.last_day)
    return sheet.write(
        Form(
            kind=KIND,
            title=f"BÁO CÁO TÌNH HÌNH THỰC HIỆN NHIỆM VỤ ĐƯỢC GIAO, {period.vi.upper()}",
            notes=[f"Đơn vị báo cáo: {name}", *_NOTES],
            questions=[
                Question("nothing", "Không phát sinh (x)"),
                Question("signer", "Người lập (họ tên, điện thoại)"),
            ],
            columns=_COLUMNS,
            rows=[{"stt": number, **row} for number, row in enumerate(rows, 1)],
            lists={"status": STATES},
            meta={"agency": name, "period": str(period)},
        )
    )


def _agency(connection: Connection, province: Province, agency: str, day: date) -> str:
    """The register's name of an agency that is given by code, name or other name."""
    if agency in province.agencies:
        return province.agencies[agency]
    row = connection.execute("select ref.owner_code(%s, %s)", (agency, day)).fetchone()
    code = row[0] if row else None
    if code not in province.agencies:
        raise UsageError(f"Không có cơ quan “{agency}” trong danh mục: {'; '.join(province.agencies)}.")
    return province.agencies[code]


def _open(connection: Connection, agency: str, day: date) -> list[dict[str, Any]]:
    return (
        connection.cursor(row_factory=dict_row)
        .execute(
            """
            select t.task_id, '' as instance, coalesce(d.doc_no, d.title_vi) as document, t.content_vi as content,
                t.due_date as due, t.state
            from mart.task_state(%(day)s, 'infinity') as t
            inner join core.directive as d on t.directive_id = d.directive_id
            where
                t.lead_vi = %(agency)s and t.done_date is null and t.state <> 'Thôi thực hiện'
                and t.due_kind <> 'recurring' and coalesce(t.assigned_on <= %(day)s, true)
            union all
            select i.task_id, i.instance, coalesce(d.doc_no, d.title_vi), i.content_vi, i.due_date, i.state
            from mart.task_instance(%(day)s, 'infinity') as i
            inner join core.directive as d on i.directive_id = d.directive_id
            where i.lead_vi = %(agency)s and i.done_date is null and i.state <> 'Thôi thực hiện'
            order by 5 nulls last, 1, 2
            """,
            {"agency": agency, "day": day},
        )
        .fetchall()
    )


def take_in(
    connection: Connection, path: Path, archive_dir: Path, by: str, now: datetime, province: Province
) -> Outcome:
    """Archive the workbook, read it, record what it says. Commits after the archive; the caller commits the rest.

    Raises UsageError for a file that is no such workbook; it is archived all the same.
    """
    if not path.is_file():
        raise UsageError(f"Không có tệp: {path}")
    data = path.read_bytes()
    sha256 = archive.store(archive_dir, data)
    keep(connection, sha256, len(data), now)
    connection.commit()
    filled = sheet.read(path.name, data, KIND)
    outcome = Outcome(path.name, sha256, str(filled.meta["agency"]), str(filled.meta["period"]))
    outcome.nothing_to_report = filled.answers["nothing"].value is not None
    connection.execute("select pg_advisory_xact_lock(hashtext('tiendo.register'))")
    found = _events(connection, filled, outcome, now, province)
    if outcome.problems:
        return outcome
    row = connection.execute(
        "insert into core.agency_report values (%s, %s, %s, %s, %s, %s, %s, %s) on conflict do nothing returning 1",
        (
            sha256, outcome.agency, outcome.period, outcome.nothing_to_report,
            filled.answers["signer"].value and str(filled.answers["signer"].value), path.name, by.strip(), now,
        ),
    ).fetchone()  # fmt: skip
    outcome.new = row is not None
    if row is None:
        return outcome
    for event in found:
        events.add(connection, event, by, now)
    connection.execute(
        "select audit.append(%s, %s, 'agency.report', %s, %s)",
        (now, by.strip(), sha256, Jsonb({"agency": outcome.agency, "period": outcome.period, "events": len(found)})),
    )
    return outcome


def _events(connection: Connection, filled: Filled, outcome: Outcome, now: datetime, province: Province) -> list[Event]:
    today = clock.local_date(now)
    period = Period.parse(outcome.period)
    if outcome.agency not in province.agencies.values():
        outcome.problems.append(f"Không có cơ quan {outcome.agency} trong danh mục.")
    known = {
        (task_id, instance): (lead, assigned_on, has_periods, is_over)
        for task_id, instance, lead, assigned_on, has_periods, is_over in connection.execute(
            """
            select task_id, '', lead_vi, assigned_on, due_kind = 'recurring' and recurrence <> 'daily',
                done_date is not null or state = 'Thôi thực hiện'
            from mart.task_state(%(today)s, 'infinity')
            union all
            select i.task_id, i.instance, i.lead_vi, coalesce(d.doc_date, d.event_date), false,
                i.done_date is not null or i.state = 'Thôi thực hiện'
            from mart.task_instance(%(today)s, 'infinity') as i
            inner join core.directive as d on i.directive_id = d.directive_id
            """,
            {"today": today},
        ).fetchall()
    }
    title = f"Báo cáo nhiệm vụ {period.vi} của {outcome.agency} ({outcome.sha256[:8]})"
    found: list[Event] = []
    for row in filled.rows:
        if not any(row[c.key].value is not None for c in _COLUMNS if c.is_input):
            continue
        task_id, instance = str(row["task_id"].value or ""), str(row["instance"].value or "")
        lead, assigned_on, has_periods, is_over = known.get((task_id, ""), (None, None, False, False))
        if lead != outcome.agency:
            outcome.problems.append(
                f"Ô {row['task_id'].cell}: {outcome.agency} không chủ trì nhiệm vụ “{task_id}”; xóa dòng này hoặc giữ "
                "nguyên mã như trong biểu đã nhận."
            )
            continue
        if instance or has_periods:
            _, _, _, is_over = known.get((task_id, instance), (None, None, False, False))
            if not instance or (task_id, instance) not in known:
                outcome.problems.append(
                    f"Ô {row['instance'].cell}: nhiệm vụ {task_id} không có kỳ “{instance}”; giữ nguyên kỳ như trong "
                    "biểu đã nhận."
                )
                continue
        said = Event(task_id, events.REPORTED, today, title, instance=instance)
        found += _of_row(row, said, assigned_on, outcome, is_over=is_over)
    if outcome.nothing_to_report and found:
        outcome.problems.append("Đã ghi “Không phát sinh” mà vẫn báo cáo nhiệm vụ: bỏ dấu x hoặc xóa các ô đã điền.")
    if not outcome.nothing_to_report and not found and not outcome.problems:
        outcome.problems.append("Chưa điền gì: báo cáo ít nhất một nhiệm vụ hoặc ghi x ở ô “Không phát sinh”.")
    return found


def _of_row(
    row: Mapping[str, Entry], said: Event, assigned_on: date | None, outcome: Outcome, *, is_over: bool
) -> list[Event]:
    """The events of one row; each fault goes to the outcome. Of what is over already only a report is kept: the
    workbook was handed out before."""
    problems: list[str] = []
    document = row["result_doc"].value
    status = sheet.choice(row["status"], {state: state for state in STATES}, problems)
    done_on, until = sheet.day_of(row["done_date"], problems), sheet.day_of(row["until"], problems)
    if row["status"].value is None:
        problems.append(f"Ô {row['status'].cell}: chưa chọn tình trạng; chọn một trong: {'; '.join(STATES)}.")
    if status == DONE and done_on is None and document and not problems:
        problems.append(f"Ô {row['done_date'].cell}: đã hoàn thành thì phải có ngày hoàn thành.")
    if done_on and status != DONE:
        problems.append(
            f"Ô {row['done_date'].cell}: có ngày hoàn thành mà tình trạng là “{row['status'].value or ''}”; chọn "
            f"{DONE} hoặc xóa ngày."
        )
    if done_on and (done_on > said.day or (assigned_on and done_on < assigned_on)):
        problems.append(
            f"Ô {row['done_date'].cell}: ngày hoàn thành {clock.show_date(done_on)} sau ngày gửi hoặc trước ngày giao"
            f"{f' ({clock.show_date(assigned_on)})' if assigned_on else ''}; ghi lại ngày."
        )
    if status == ASKS and until is None:
        problems.append(f"Ô {row['until'].cell}: xin gia hạn thì phải ghi đến ngày nào.")
    due = sheet.day_of(row["due"], [])
    if until and due and until <= due:
        problems.append(f"Ô {row['until'].cell}: ngày xin gia hạn không sau thời hạn {clock.show_date(due)}.")
    if problems:
        outcome.problems += problems
        return []
    detail = "; ".join(str(row[k].value) for k in ("status", "progress", "reason") if row[k].value is not None)
    name = f"{said.task_id} {said.instance}".strip()
    if is_over:
        outcome.over.append(name)
        return [Event(said.task_id, events.REPORTED, said.day, said.document, instance=said.instance, detail=detail)]
    if status == DONE and document and done_on:
        outcome.done.append(name)
        return [Event(said.task_id, events.DONE, done_on, str(document), instance=said.instance, detail=detail)]
    if status == DONE:
        outcome.without_document.append(name)
    outcome.reported.append(name)
    result = [Event(said.task_id, events.REPORTED, said.day, said.document, instance=said.instance, detail=detail)]
    if until:
        outcome.asked.append(name)
        asked = Event(
            said.task_id, events.EXTENSION_ASKED, said.day, said.document, until, said.instance, None,
            str(row["reason"].value or row["progress"].value or ""),
        )  # fmt: skip
        result.append(asked)
    return result


def receipt(outcome: Outcome, now: datetime) -> str:
    """What the department is told, in plain text."""
    lines = [
        "BIÊN NHẬN BÁO CÁO NHIỆM VỤ",
        "",
        f"Tệp: {outcome.file}",
        f"Mã băm SHA-256: {outcome.sha256}",
        f"Đơn vị: {outcome.agency}",
        f"Kỳ báo cáo: {Period.parse(outcome.period).vi}",
        f"Nhận lúc: {clock.show(now)}",
        f"Kết quả: {'TRẢ LẠI' if outcome.problems else 'TIẾP NHẬN'}",
        "",
    ]
    if outcome.problems:
        lines += ["Chưa ghi nhận nội dung nào. Đề nghị sửa các ô sau rồi gửi lại tệp:"]
        lines += [f"- {problem}" for problem in outcome.problems]
        return "\n".join([*lines, ""])
    if not outcome.new:
        return "\n".join([*lines, "Tệp này đã nhận trước đây, không có gì thay đổi.", ""])
    if outcome.nothing_to_report:
        lines.append("Đơn vị báo không phát sinh trong kỳ.")
    for title, tasks in (
        ("Hoàn thành, có văn bản kết quả", outcome.done),
        ("Ghi nhận báo cáo", outcome.reported),
        ("Đề nghị gia hạn (chờ văn bản của cấp giao nhiệm vụ)", outcome.asked),
        ("Báo cáo đã hoàn thành nhưng chưa có văn bản kết quả, hệ thống vẫn tính là đang thực hiện",
         outcome.without_document),
        ("Đã hoàn thành hoặc đã thôi thực hiện từ trước: chỉ ghi nhận là báo cáo", outcome.over),
    ):  # fmt: skip
        if tasks:
            lines.append(f"{title}: {'; '.join(tasks)}.")
    return "\n".join([*lines, ""])
