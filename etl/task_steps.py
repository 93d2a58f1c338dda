"""The steps of the register of tasks, for the DAGs and the command line alike, as those of the month (``etl.steps``).

notice -> propose_notice -> (a person) -> register_workbook or register_form -> events, reports -> follow_up
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from etl import settings
from etl.collect import archive
from etl.errors import DataError, DeliveryError, UsageError
from etl.files import write_whole
from etl.load import warehouse
from etl.reference import province as reference

if TYPE_CHECKING:
    from etl.register.events import Event


def propose_notice(file: Path, by: str, now: datetime, issued: date | None = None) -> dict[str, Any]:
    """Archive a notice and read it into proposed tasks (``etl.directives.proposal``); the workbook for the person who
    confirms lies under ``out/van-ban``. Adds ``workbook`` and ``markdown`` to what the proposal returns."""
    from etl.directives import confirmation, proposal

    conf, province = settings.get(), reference.load()
    with warehouse.connect() as connection:
        told = proposal.propose(connection, file, province, conf.archive_dir, by, now, issued)
        connection.commit()
        notice, rows = proposal.load(connection, told["notice_id"])
    path = _confirmation_path(told["notice_id"])
    write_whole(path, confirmation.workbook(notice, rows, province))
    return {**told, "workbook": str(path), "markdown": confirmation.as_markdown(notice, rows)}


def take_directives(now: datetime, *, at_once: bool = False) -> dict[str, Any]:
    """Take what lies in the folder of notices (``etl.directives.folder``): notices are proposed, workbooks of
    confirmations registered, workbooks of departments recorded; a receipt for each under ``out/van-ban/bien-nhan``.

    A file that was written in the last seconds is left for the next time, unless a person says ``at_once``. Returns
    ``taken`` and the notices that are ``waiting`` for a person. Raises UsageError when the folder and the inbox
    of the reports lie in one another: every file would count as both.
    """
    from etl.directives import folder

    conf = settings.get()
    if conf.notices_dir.is_relative_to(conf.inbox_dir) or conf.inbox_dir.is_relative_to(conf.notices_dir):
        raise UsageError(
            f"Thư mục văn bản {conf.notices_dir} và hộp nhận báo cáo {conf.inbox_dir} lồng nhau: đặt TIENDO_NOTICES ở "
            "nơi khác."
        )

    def propose(file: Path) -> tuple[str, str]:
        told = propose_notice(file, "thư mục văn bản", now)
        if told["directive_id"]:
            return "proposed", f"Văn bản đã vào sổ từ trước ({told['directive_id']}): không có gì thay đổi."
        asked = "".join(f"\n- {question}" for question in told["questions"])
        return "proposed", (
            f"Đọc được {told['tasks']} nhiệm vụ đề xuất (văn bản số {told['notice_id']}), chờ xác nhận: trả lời trong "
            f"Airflow, hoặc điền {told['workbook']} rồi đặt vào thư mục văn bản.{asked}"
        )

    def confirm(file: Path) -> tuple[str, str]:
        told = register_workbook(file, None, now)
        if not told["new"]:
            return "registered", f"Văn bản đã vào sổ từ trước ({told['directive_id']}): không có gì thay đổi."
        return "registered", (
            f"Đã vào sổ {told['directive_id']}: {len(told['tasks'])} nhiệm vụ, gắn với nhiệm vụ trước "
            f"{len(told['linked'])}, bỏ {told['dropped']}."
        )

    def record(file: Path) -> tuple[str, str]:
        told = take_agency_report(file, "thư mục văn bản", now)
        receipt = Path(told["receipt"]).read_text(encoding="utf-8")
        return "returned" if told["verdict"] == "returned" else "recorded", receipt

    work = {folder.NOTICE: propose, folder.CONFIRMATION: confirm, folder.AGENCY_REPORT: record}

    def hand_back(one: folder.Taken) -> None:
        path = conf.out_dir / "van-ban" / "bien-nhan" / f"{Path(one.file).stem}.{one.sha256[:8]}.txt"
        write_whole(path, folder.receipt(one, now).encode())

    taken = folder.take(
        conf.notices_dir, conf.archive_dir, work, hand_back, now, timedelta(0) if at_once else folder.SETTLED
    )
    with warehouse.connect() as connection:
        return {"taken": [folder.as_dict(one) for one in taken], "waiting": folder.waiting(connection)}


def require_all_taken(result: Mapping[str, Any]) -> None:
    """Raises DataError naming the files of the folder of notices that could not be used, and why."""
    told = [
        f"{one['file']}: {one['detail']}" for one in result["taken"] if one["outcome"] in ("returned", "unreadable")
    ]
    if told:
        raise DataError("Có tệp không dùng được:\n" + "\n".join(told))


def proposed(notice_id: int) -> dict[str, Any]:
    """A notice that was proposed, as ``propose_notice`` told it."""
    from etl.directives import confirmation, proposal

    with warehouse.connect() as connection:
        notice, rows = proposal.load(connection, notice_id)
        registered = proposal.directive_of(connection, notice["sha256"])
    return {
        "notice_id": notice_id,
        "new": False,
        "sha256": notice["sha256"],
        "tasks": len(rows),
        "questions": notice["questions_vi"],
        "directive_id": registered,
        "workbook": str(_confirmation_path(notice_id)),
        "markdown": confirmation.as_markdown(notice, rows),
    }


def _confirmation_path(notice_id: int) -> Path:
    return settings.get().out_dir / "van-ban" / f"xac-nhan-{notice_id}.xlsx"


def register_workbook(file: Path, by: str | None, now: datetime) -> dict[str, Any]:
    """Register what a person confirmed in the workbook of a proposal (``etl.directives.registering``)."""
    from etl.directives import confirmation, proposal, registering

    if not file.is_file():
        raise UsageError(f"Không có tệp: {file}")
    conf, data = settings.get(), file.read_bytes()
    sha256 = archive.store(conf.archive_dir, data)
    with warehouse.transaction() as connection:
        proposal.keep(connection, sha256, len(data), now)
    asked, head, answers, signed = confirmation.of_workbook(file.name, data)
    with warehouse.transaction() as connection:
        return registering.register(
            connection, asked.notice_id, head, answers, by or signed or "", "workbook", now, reference.load(), sha256,
            of_sha256=asked.sha256,
        )  # fmt: skip


def register_form(notice_id: int, form: Mapping[str, Any], by: str, now: datetime) -> dict[str, Any]:
    """Register what a person answered in the form of the DAG: ``doc_no``, ``doc_date`` (YYYY-MM-DD), ``issuer``,
    ``commune``, ``drop`` and ``changes``; empty ones leave what was read."""
    from etl.directives import confirmation, proposal, registering

    said = {key: str(value).strip() for key, value in form.items() if value is not None}
    problems: list[str] = []
    with warehouse.transaction() as connection:
        _, rows = proposal.load(connection, notice_id)
        head = confirmation.head_of_form(said, problems)
        answers = confirmation.of_form(rows, said.get("drop", ""), said.get("changes", ""), problems)
        return registering.register(connection, notice_id, head, answers, by, "airflow", now, reference.load())


def reject_notice(notice_id: int, reason: str, by: str, channel: str, now: datetime) -> dict[str, Any]:
    """Record that a notice is not registered."""
    from etl.directives import registering

    with warehouse.transaction() as connection:
        return registering.reject(connection, notice_id, reason, by, channel, now)


def record_event(event: Event, by: str, now: datetime) -> dict[str, Any]:
    """Record what happened to a task (``etl.register.events``)."""
    from etl.register import events

    with warehouse.transaction() as connection:
        return events.record(connection, event, by, now, reference.load())


def take_agency_report(file: Path, by: str, now: datetime) -> dict[str, Any]:
    """Record what a department reports in its workbook; the receipt lies under ``out/<period>/tra-lai``.

    A workbook with faults is returned: ``verdict`` is ``returned`` and nothing was recorded.
    """
    from etl.register import agency_workbook

    conf = settings.get()
    with warehouse.connect() as connection:
        told = agency_workbook.take_in(connection, file, conf.archive_dir, by, now, reference.load())
        connection.commit()
    path = conf.out_dir / told.period / "tra-lai" / f"{file.stem}.{told.sha256[:8]}.bien-nhan.txt"
    write_whole(path, agency_workbook.receipt(told, now).encode())
    return {**told.as_dict(), "receipt": str(path)}


def follow_up(day: date, now: datetime, smtp_url: str | None = None, *, dry_run: bool = False) -> dict[str, Any]:
    """One digest to each recipient of what it was not told yet (``etl.follow_up``); nothing on a day off."""
    from etl import follow_up as reminders
    from etl.publish import deliver

    conf = settings.get()
    with warehouse.connect() as connection:
        channel = deliver.channel_for(conf, smtp_url)
        return reminders.run(connection, day, now, reference.load(), conf, channel, dry_run=dry_run).as_dict()


def settle_digest(day: date, recipient: str, arrived: bool, by: str, now: datetime) -> dict[str, Any]:
    """Record whether a digest arrived of which nobody knew (``etl.follow_up.settle``)."""
    from etl import follow_up as reminders

    with warehouse.transaction() as connection:
        return reminders.settle(connection, day, recipient, arrived, by, now)


def require_told(result: Mapping[str, Any]) -> None:
    """Raises DeliveryError naming whom ``follow_up`` could not tell: no address, refused, unknown."""
    told = [
        *(f"{who['name']}: chưa có địa chỉ ({len(who['matters'])} việc)" for who in result["no_address"]),
        *(f"{d['name']}: thư bị từ chối" for d in result["digests"] if d["outcome"] == "failed"),
        *(f"{d['name'] or d['recipient']}: không rõ bản tin ngày {d['day']} đã đến chưa" for d in result["unknown"]),
    ]
    if told:
        raise DeliveryError("Có nơi chưa được báo:\n" + "\n".join(told))
