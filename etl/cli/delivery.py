"""What became of the sending of releases, mails that came back, and the release calendar."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from etl import clock, settings
from etl.cli.conventions import Json, guarded, local_day, print_json, ready
from etl.errors import UsageError

app = typer.Typer(help="Tình trạng gửi các bản phát hành; xử lý thư không rõ đã đến chưa, thư bị trả lại.")

_ReleaseOption = Annotated[str | None, typer.Option(help="Mã bản; mặc định bản mới nhất đã phát hành của mỗi kỳ.")]


@app.callback(invoke_without_command=True)
@guarded
def deliveries(context: typer.Context, release: _ReleaseOption = None, as_json: Json = False) -> None:
    """Ai được gửi tệp nào, qua đâu, kết quả ra sao, phải làm gì tiếp."""
    if context.invoked_subcommand is not None:
        return
    from etl.load import warehouse
    from etl.publish import deliver
    from etl.publish.deliver import overview

    ready()
    with warehouse.connect() as connection:
        told = overview.overview(connection, deliver.active_recipients(settings.get().reference_dir), release)
    if as_json:
        print_json(told)
        return
    for one in told["releases"]:
        rows = [row for row in told["deliveries"] if row["release_id"] == one]
        typer.echo(f"Bản {one}: " + _counted([row["state_vi"] for row in rows]))
        for row in rows:
            # A list of 65 communes that all have theirs hides the one that has not.
            if release is None and row["state"] in ("sent", "without_files"):
                continue
            files = f", {len(row['files'])} tệp" if row["files"] else ""
            at = f", {clock.show_iso(row['at'])}" if row["at"] else ""
            typer.echo(f"  {row['name']} ({row['recipient']}, {row['channel_vi']}{files}): {row['state_vi']}{at}")
            if row["detail"] and row["state"] not in ("sent",):
                typer.echo(f"      {row['detail']}")
            if row["to_do"]:
                typer.echo(f"      Cần làm: {row['to_do']}")
    if not told["releases"]:
        typer.echo("Chưa có bản nào được phát hành.")


def _counted(states: list[str]) -> str:
    return ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states)) or "chưa gửi cho nơi nào"


@app.command("settle")
@guarded
def settle(
    release: Annotated[str, typer.Option(help="Mã bản, ví dụ 2025-10-r1.")],
    recipient: Annotated[str, typer.Option(help="Mã nơi nhận (tiendo deliveries).")],
    by: Annotated[str, typer.Option(help="Người xử lý.")],
    reason: Annotated[str, typer.Option(help="Căn cứ, ví dụ: đã gọi điện xác nhận.")],
    sent: Annotated[bool, typer.Option("--sent", help="Nơi nhận đã nhận được.")] = False,
    resend: Annotated[bool, typer.Option("--resend", help="Chưa nhận được: gửi lại ở lần tiendo publish sau.")] = False,
    channel: Annotated[str | None, typer.Option(help="Kênh gửi, khi nơi nhận có nhiều kênh.")] = None,
    as_json: Json = False,
) -> None:
    """Ghi kết quả của một thư không rõ đã đến chưa, hoặc cho gửi lại thư bị từ chối, bị trả lại; có nhật ký."""
    from etl.load import warehouse
    from etl.publish.deliver import overview

    if sent == resend:
        raise UsageError("Ghi đúng một trong hai: --sent (đã nhận) hoặc --resend (gửi lại).")
    ready()
    with warehouse.transaction() as connection:
        told = overview.settle(
            connection, release, recipient, "sent" if sent else "resend", by, reason, clock.now(), channel
        )
    if as_json:
        print_json(told)
        return
    after = "" if sent else f"; gửi bằng: tiendo publish --release {release}"
    typer.echo(f"{recipient}, bản {release}: {overview.STATES[told['state']]}{after}")


@app.command("bounces")
@guarded
def bounces(as_json: Json = False) -> None:
    """Đọc hộp thư báo lỗi (TIENDO_BOUNCES), ghi nhận thư về bản phát hành bị trả lại. Mã thoát 1 khi có thư mới."""
    from etl import steps
    from etl.publish.deliver import bounces as returned

    returned.require_address(settings.get())
    ready()
    told = steps.read_bounces(clock.now())
    if as_json:
        print_json(told)
    else:
        typer.echo(f"{told['mails']} thư, {len(told['bounced'])} thư bị trả lại mới, {told['other']} thư khác")
        for one in told["bounced"]:
            typer.echo(f"  {one['recipient']}, bản {one['release_id']}: {one['detail']}")
    raise typer.Exit(1 if told["bounced"] else 0)


@guarded
def calendar(
    months: Annotated[int, typer.Option(min=1, max=36, help="Số tháng.")] = 12,
    as_of: Annotated[str | None, typer.Option("--as-of", help="Kể từ ngày (NNNN-TT-NN); mặc định hôm nay.")] = None,
    out: Annotated[Path | None, typer.Option(help="Ghi thêm lich-cong-bo.ics và .json vào thư mục này.")] = None,
    as_json: Json = False,
) -> None:
    """Lịch công bố: ngày chốt số liệu, hạn gửi, ngày công bố, nơi nhận dự kiến của các kỳ tới."""
    from etl.load import warehouse
    from etl.publish import calendar as dates
    from etl.publish import deliver

    day = local_day(as_of)
    ready()
    with warehouse.connect() as connection:
        found = dates.entries(connection, deliver.active_recipients(settings.get().reference_dir), day, months)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        (out / dates.ICS_NAME).write_bytes(dates.as_ics(found, clock.now()))
        (out / dates.JSON_NAME).write_bytes(dates.as_json(found))
    if as_json:
        print_json(found)
        return
    for entry in found:
        out_already = f", đã phát hành {entry['release_id']}" if entry["release_id"] else ""
        typer.echo(
            f"{entry['period']} (năm ngân sách {entry['budget_year']}): số liệu đến {dates.shown(entry['as_of'])}, "
            f"hạn gửi {dates.shown(entry['due_on'])}, chốt {dates.shown(entry['cutoff_on'])}, công bố "
            f"{dates.shown(entry['publish_on'])}{out_already}"
        )
    if found:
        planned = [f"{deliver.GROUPS[group]}: {count}" for group, count in found[0]["recipients"].items()]
        typer.echo(f"Nơi nhận: {'; '.join(planned)}")
    last = dates.missing_after(found, months)
    if last is not None:
        until = f"sau kỳ {last}" if last else "từ ngày này"
        typer.echo(f"Lịch báo cáo {until} chưa có; bổ sung calendar.csv rồi tiendo reference load.", err=True)
