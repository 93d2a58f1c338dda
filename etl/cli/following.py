"""The commands ``tiendo register …`` and ``tiendo follow-up``: from a notice to the register, events, reminders."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from etl import clock
from etl.cli.conventions import Json, OutOption, PeriodOption, guarded, local_day, print_json, ready

app = typer.Typer(
    no_args_is_help=True, help="Sổ nhiệm vụ: đưa văn bản vào sổ, ghi sự kiện, bảng báo cáo của sở, ngành."
)

By = Annotated[str, typer.Option("--by", help="Người thực hiện (họ tên).")]
Task = Annotated[str, typer.Option("--task", help="Mã nhiệm vụ (tiendo tasks).")]
Day = Annotated[str | None, typer.Option("--day", help="Ngày xảy ra, ví dụ 2025-10-31; mặc định hôm nay.")]
Document = Annotated[str, typer.Option("--document", help="Số, ngày văn bản làm căn cứ.")]
Until = Annotated[str, typer.Option("--until", help="Thời hạn mới, ví dụ 2025-11-30.")]
Issuer = Annotated[str, typer.Option("--issuer", help="Cơ quan ban hành văn bản: cấp giao nhiệm vụ.")]
Instance = Annotated[str, typer.Option("--instance", help="Kỳ của nhiệm vụ định kỳ, ví dụ 2025-10, 2025-Q4, 2025-W42.")]


@app.command()
@guarded
def propose(
    file: Annotated[Path, typer.Argument(help="Thông báo kết luận: .txt, .docx hoặc .pdf có chữ.")],
    by: By,
    issued: Annotated[str | None, typer.Option(help="Ngày ban hành khi văn bản không ghi, ví dụ 2025-10-15.")] = None,
    as_json: Json = False,
) -> None:
    """Đọc văn bản thành nhiệm vụ đề xuất và lập bảng tính để xác nhận; chưa có gì vào sổ."""
    from etl import task_steps

    ready()
    told = task_steps.propose_notice(file, by, clock.now(), local_day(issued) if issued else None)
    told.pop("markdown")
    if as_json:
        print_json(told)
        return
    typer.echo(
        f"Văn bản số {told['notice_id']}: {told['tasks']} nhiệm vụ đề xuất"
        f"{'' if told['new'] else ' (đã đọc trước đây)'}."
    )
    if told["directive_id"]:
        typer.echo(f"Văn bản này đã vào sổ: {told['directive_id']}.")
    for question in told["questions"]:
        typer.echo(f"- {question}")
    typer.echo(
        f"Điền quyết định từng dòng vào {told['workbook']}, rồi: tiendo register confirm {told['workbook']} --by …"
    )


@app.command()
@guarded
def take(as_json: Json = False) -> None:
    """Nhận các tệp trong thư mục văn bản (TIENDO_NOTICES): thông báo, bảng tính xác nhận, bảng báo cáo của sở, ngành.

    Mỗi tệp một lần theo mã băm. Mã thoát 1 khi có tệp không dùng được.
    """
    from etl import task_steps
    from etl.errors import DataError

    ready()
    told = task_steps.take_directives(clock.now(), at_once=True)
    if as_json:
        print_json(told)
    else:
        for one in told["taken"]:
            typer.echo(f"{one['file']}: {one['detail']}")
        typer.echo(f"Nhận {len(told['taken'])} tệp; {len(told['waiting'])} văn bản chờ xác nhận.")
    try:
        task_steps.require_all_taken(told)
    except DataError as error:
        raise typer.Exit(1) from error


@app.command()
@guarded
def confirm(
    workbook: Annotated[Path, typer.Argument(help="Bảng tính xác nhận đã điền.")],
    by: Annotated[str | None, typer.Option("--by", help="Người xác nhận; mặc định tên ghi trong bảng.")] = None,
    as_json: Json = False,
) -> None:
    """Đưa những nhiệm vụ đã xác nhận trong bảng tính vào sổ; có ô sai thì không nhiệm vụ nào vào sổ (mã thoát 1)."""
    from etl import task_steps

    ready()
    told = task_steps.register_workbook(workbook, by, clock.now())
    _show_registered(told, as_json)


def _show_registered(told: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(told)
    elif not told["new"]:
        typer.echo(f"Văn bản đã vào sổ trước đây ({told['directive_id']}): không có gì thay đổi.")
    else:
        typer.echo(
            f"Đã vào sổ {told['directive_id']}: {len(told['tasks'])} nhiệm vụ, "
            f"gắn với nhiệm vụ trước {len(told['linked'])}, bỏ {told['dropped']}."
        )


@app.command()
@guarded
def reject(
    notice: Annotated[int, typer.Argument(help="Số văn bản đề xuất (tiendo register list).")],
    by: By,
    reason: Annotated[str, typer.Option(help="Lý do không vào sổ.")],
    as_json: Json = False,
) -> None:
    """Ghi rằng một văn bản đề xuất không vào sổ; sau này vẫn có thể xác nhận."""
    from etl import task_steps

    ready()
    told = task_steps.reject_notice(notice, reason, by, "command", clock.now())
    if as_json:
        print_json(told)
    else:
        typer.echo(f"Văn bản số {notice}: không vào sổ{'' if told['new'] else ' (đã ghi từ trước)'}.")


@app.command("list")
@guarded
def list_notices(as_json: Json = False) -> None:
    """Các văn bản đã đọc và quyết định về từng văn bản."""
    from etl.directives import proposal
    from etl.load import warehouse

    ready()
    with warehouse.connect() as connection:
        rows = proposal.overview(connection)
    if as_json:
        print_json(rows)
        return
    words = {"registered": "đã vào sổ", "rejected": "không vào sổ", None: "chờ xác nhận"}
    for row in rows:
        name = row["doc_no"] or row["file_name"]
        typer.echo(
            f"{row['notice_id']}: {name}, {row['tasks']} nhiệm vụ, {words[row['decision']]} {row['directive_id'] or ''}"
        )


@app.command()
@guarded
def history(
    task: Annotated[str, typer.Argument(help="Mã nhiệm vụ.")],
    as_of: Annotated[str | None, typer.Option("--as-of", help="Ngày xét các kỳ; mặc định hôm nay.")] = None,
    as_json: Json = False,
) -> None:
    """Diễn biến của một nhiệm vụ; nhiệm vụ định kỳ: từng kỳ."""
    from etl.load import warehouse
    from etl.register import events

    day = local_day(as_of)
    ready()
    with warehouse.connect() as connection:
        told: dict[str, Any] = {
            "task_id": task,
            "events": events.timeline(connection, task),
            "instances": events.instances(connection, task, day),
        }
    if as_json:
        print_json(told)
        return
    for row in told["events"]:
        new_due = f", thời hạn {row['new_due_date']}" if row["new_due_date"] else ""
        told_of = ": ".join(
            filter(None, (f"{_KINDS.get(row['kind'], row['kind'])} {row['instance']}".strip(), row["detail_vi"]))
        )
        typer.echo(f"{row['day']}  {told_of} ({row['document']}{new_due})")
    for row in told["instances"]:
        typer.echo(f"kỳ {row['instance']}, hạn {row['due_date']}: {row['state']}")


_KINDS = {
    "assigned": "giao nhiệm vụ",
    "reported": "báo cáo",
    "extension_asked": "xin gia hạn",
    "extended": "gia hạn",
    "done": "hoàn thành",
    "withdrawn": "thôi thực hiện",
    "reopened": "mở lại",
    "repeats": "được nhắc lại",
    "changes": "đổi thời hạn",
    "replaces": "được thay thế",
}


def _record(as_json: bool, day: str | None, by: str, **event: Any) -> None:
    from etl import task_steps
    from etl.register.events import Event

    until = event.pop("until", None)
    ready()
    told = task_steps.record_event(
        Event(day=local_day(day), until=local_day(until) if until else None, **event), by, clock.now()
    )
    if as_json:
        print_json(told)
        return
    due = f", thời hạn {told['due_date']}" if told["due_date"] else ""
    typer.echo(
        f"{told['task_id']} {told['instance']}".strip()
        + f": {_KINDS[told['kind']]} {'đã ghi' if told['new'] else 'đã ghi từ trước'}. Nay: {told['state']}{due}."
    )


@app.command()
@guarded
def done(
    task: Task, document: Document, by: By, day: Day = None, instance: Instance = "", as_json: Json = False
) -> None:
    """Hoàn thành, có văn bản hoặc sản phẩm kết quả."""
    _record(as_json, day, by, task_id=task, kind="done", document=document, instance=instance)


@app.command()
@guarded
def report(
    task: Task,
    document: Document,
    by: By,
    text: Annotated[str, typer.Option("--text", help="Kết quả, tiến độ cụ thể.")],
    day: Day = None,
    instance: Instance = "",
    as_json: Json = False,
) -> None:
    """Báo cáo tiến độ của đơn vị; không làm thay đổi tình trạng."""
    _record(as_json, day, by, task_id=task, kind="reported", document=document, instance=instance, detail=text)


@app.command()
@guarded
def ask(
    task: Task,
    until: Until,
    document: Document,
    by: By,
    day: Day = None,
    instance: Instance = "",
    as_json: Json = False,
) -> None:
    """Đơn vị xin gia hạn; thời hạn chưa thay đổi."""
    _record(as_json, day, by, task_id=task, kind="extension_asked", document=document, until=until, instance=instance)


@app.command()
@guarded
def extend(
    task: Task,
    until: Until,
    document: Document,
    issuer: Issuer,
    by: By,
    day: Day = None,
    instance: Instance = "",
    as_json: Json = False,
) -> None:
    """Gia hạn theo văn bản của cấp giao nhiệm vụ; thời hạn ban đầu vẫn giữ."""
    event = {"task_id": task, "kind": "extended", "document": document, "until": until, "instance": instance}
    _record(as_json, day, by, issued_by=issuer, **event)


@app.command()
@guarded
def withdraw(task: Task, document: Document, issuer: Issuer, by: By, day: Day = None, as_json: Json = False) -> None:
    """Thôi thực hiện theo văn bản của cấp giao nhiệm vụ."""
    _record(as_json, day, by, task_id=task, kind="withdrawn", document=document, issued_by=issuer)


@app.command()
@guarded
def reopen(
    task: Task, document: Document, by: By, day: Day = None, instance: Instance = "", as_json: Json = False
) -> None:
    """Mở lại nhiệm vụ đã hoàn thành hoặc đã thôi thực hiện."""
    _record(as_json, day, by, task_id=task, kind="reopened", document=document, instance=instance)


@app.command()
@guarded
def proposal(
    task: Task,
    issue: Annotated[list[str], typer.Option("--issue", help="Mã kiến nghị của xã (Biểu 04); lặp lại được.")],
    by: By,
    as_json: Json = False,
) -> None:
    """Gắn kiến nghị của xã với nhiệm vụ giao cho cơ quan giải quyết."""
    from etl.load import warehouse
    from etl.register import proposals

    ready()
    with warehouse.transaction() as connection:
        told = proposals.link(connection, task, issue, by, clock.now())
    if as_json:
        print_json(told)
    else:
        typer.echo(f"{task}: gắn với {len(told['linked'])} kiến nghị, {told['new']} mới.")


@app.command()
@guarded
def nothing(
    owner: Annotated[str, typer.Option("--owner", help="Mã xã (5 chữ số) hoặc tên cơ quan.")],
    period: PeriodOption,
    document: Document,
    by: By,
    as_json: Json = False,
) -> None:
    """Đơn vị có văn bản báo không phát sinh trong tháng: không bị nhắc nộp báo cáo."""
    from etl.load import warehouse
    from etl.period import Period
    from etl.register import events

    ready()
    with warehouse.transaction() as connection:
        told = events.declare_nothing(connection, owner, str(Period.parse(period)), document, by, clock.now())
    if as_json:
        print_json(told)
    else:
        typer.echo(f"{told['owner']}, kỳ {period}: không phát sinh{'' if told['new'] else ' (đã ghi từ trước)'}.")


@app.command()
@guarded
def template(
    agency: Annotated[str, typer.Option("--agency", help="Mã hoặc tên sở, ngành.")],
    period: PeriodOption,
    out: OutOption,
    as_json: Json = False,
) -> None:
    """Bảng báo cáo nhiệm vụ của một sở, ngành, điền sẵn các nhiệm vụ đang thực hiện."""
    from etl.files import write_whole
    from etl.load import warehouse
    from etl.period import Period
    from etl.reference import province as reference
    from etl.register import agency_workbook

    month = Period.parse(period)
    ready()
    with warehouse.connect() as connection:
        data = agency_workbook.workbook(connection, reference.load(), agency, month)
    path = write_whole(out / agency_workbook.file_name(agency, month), data)
    if as_json:
        print_json({"file": str(path)})
    else:
        typer.echo(str(path))


@app.command()
@guarded
def read(
    files: Annotated[list[Path], typer.Argument(help="Bảng báo cáo nhiệm vụ đã điền.")],
    by: By,
    as_json: Json = False,
) -> None:
    """Nhận bảng báo cáo nhiệm vụ của các sở, ngành; trả biên nhận. Mã thoát 1 khi có tệp bị trả lại."""
    from etl import task_steps

    ready()
    told = [task_steps.take_agency_report(file, by, clock.now()) for file in files]
    if as_json:
        print_json(told)
    else:
        for one in told:
            typer.echo(Path(one["receipt"]).read_text(encoding="utf-8"))
    if any(one["verdict"] == "returned" for one in told):
        raise typer.Exit(1)


@app.command()
@guarded
def digest(
    recipient: Annotated[str, typer.Option("--recipient", help="Mã nơi nhận (contacts.csv).")],
    day: Annotated[str, typer.Option("--day", help="Ngày của bản tin.")],
    arrived: Annotated[bool, typer.Option("--arrived/--lost", help="Nơi nhận đã nhận được hay chưa.")],
    by: By,
    as_json: Json = False,
) -> None:
    """Trả lời cho bản tin đôn đốc không rõ đã đến chưa, sau khi hỏi nơi nhận; chưa đến thì nội dung được báo lại."""
    from etl import task_steps

    ready()
    told = task_steps.settle_digest(local_day(day), recipient, arrived, by, clock.now())
    if as_json:
        print_json(told)
    else:
        state = "đã đến" if arrived else "không đến, nội dung được báo lại ở bản tin sau"
        typer.echo(f"{recipient}, bản tin ngày {told['day']}: {state}{'' if told['new'] else ' (đã ghi từ trước)'}.")


@guarded
def follow_up(
    as_of: Annotated[str | None, typer.Option("--as-of", help="Ngày đôn đốc; mặc định hôm nay.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Chỉ cho xem, không gửi và không ghi gì.")] = False,
    as_json: Json = False,
) -> None:
    """Đôn đốc: nhiệm vụ sắp đến hạn, quá hạn, báo cáo tháng chưa gửi; mỗi nơi nhận nhiều nhất một bản tin một ngày.

    Ngày nghỉ không gửi. Mã thoát 1 khi có nơi không có địa chỉ, thư bị từ chối hoặc không rõ đã đến chưa.
    """
    from etl import task_steps
    from etl.errors import DeliveryError

    day = local_day(as_of)
    ready()
    told = task_steps.follow_up(day, clock.now(), dry_run=dry_run)
    if as_json:
        print_json(told)
    else:
        _show_follow_up(told)
    try:
        task_steps.require_told(told)
    except DeliveryError as error:
        if not as_json:
            typer.echo(str(error), err=True)
        raise typer.Exit(1) from error


def _show_follow_up(told: dict[str, Any]) -> None:
    if not told["is_working_day"]:
        typer.echo(f"{told['day']} là ngày nghỉ: không gửi bản tin.")
        return
    words = {
        "delivered": "đã gửi", "already": "đã gửi trước đó", "failed": "bị từ chối", "unknown": "không rõ",
        "dry_run": "chưa gửi (xem thử)",
    }  # fmt: skip
    for digest in told["digests"]:
        typer.echo(f"{digest['name']} <{digest['email']}>: {len(digest['matters'])} việc, {words[digest['outcome']]}")
        if "text" in digest:
            typer.echo(digest["text"])
    if not told["digests"]:
        typer.echo("Không có gì mới phải đôn đốc.")
