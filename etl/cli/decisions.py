"""What a person decides about a report: explained, accepted with its errors, withdrawn, revised after publication."""

from __future__ import annotations

from typing import Annotated

import typer

from etl import clock
from etl.cli.conventions import AnyPeriodOption, DeciderOption, GroundsOption, Json, guarded, print_json, ready
from etl.errors import UsageError
from etl.period import Period


@guarded
def explain(
    submission: Annotated[int, typer.Option(help="Số báo cáo (tiendo findings).")],
    finding: Annotated[int, typer.Option(help="Số của cảnh báo trong báo cáo.")],
    by: Annotated[str, typer.Option(help="Cán bộ giải trình.")],
    reason: Annotated[str, typer.Option(help="Nội dung giải trình.")],
    as_json: Json = False,
) -> None:
    """Ghi giải trình của cán bộ về một cảnh báo; được in trong phụ lục của báo cáo tổng hợp.

    Giải trình sau thay giải trình trước, cả hai nằm trong nhật ký; còn hiệu lực ở các bản sau khi cảnh báo không đổi.
    """
    from etl import steps

    ready()
    result = steps.explain(submission, finding, by, reason, clock.now())
    if as_json:
        print_json(result)
        return
    before = result["before"]
    outcome = "đã ghi" if result["new"] else "đã ghi từ trước"
    if result["new"] and before:
        outcome += f"; thay cho giải trình trước của {before['by']} (“{before['reason']}”), vẫn được lưu trong nhật ký"
    typer.echo(f"Báo cáo số {submission}, cảnh báo số {finding}: {outcome}")


@guarded
def override(
    submission: Annotated[int, typer.Option(help="Số báo cáo bị trả lại (tiendo findings).")],
    by: DeciderOption,
    reason: GroundsOption,
    finding: Annotated[list[int] | None, typer.Option(help="Số của lỗi; lặp lại được; mặc định mọi lỗi.")] = None,
    as_json: Json = False,
) -> None:
    """Chấp nhận báo cáo dù có lỗi; tên và lý do được ghi vào nhật ký và công bố trong phụ lục.

    Chỉ chấp nhận bản gửi sau cùng của đơn vị. Báo cáo được nạp khi mọi lỗi của nó đã được chấp nhận. Mã thoát 1 khi còn
    lỗi chưa được chấp nhận.
    """
    from etl import steps

    ready()
    result = steps.override(submission, finding or [], by, reason, clock.now())
    if as_json:
        print_json(result)
    else:
        left = ", ".join(map(str, result["open"]))
        outcome = f"còn lỗi số {left}" if left else "đã nạp" if result["admitted"] else "đã nạp từ trước"
        if not result["new"]:
            outcome += "; các lỗi này đã được chấp nhận từ trước, không ghi thêm"
        elif not result["admitted"] and not left:
            outcome += f"; đã ghi thêm lý do mới cho lỗi số {', '.join(map(str, result['new']))}"
        typer.echo(f"Báo cáo số {submission}: chấp nhận lỗi số {', '.join(map(str, result['overridden']))}; {outcome}")
    raise typer.Exit(1 if result["open"] else 0)


@guarded
def withdraw(
    submission: Annotated[int, typer.Option(help="Số báo cáo (tiendo findings).")],
    by: DeciderOption,
    reason: GroundsOption,
    as_json: Json = False,
) -> None:
    """Rút một báo cáo đã tiếp nhận: từ lúc đó không tính nữa, bản trước (nếu có) có hiệu lực trở lại."""
    from etl import steps

    ready()
    result = steps.withdraw(submission, by, reason, clock.now())
    if as_json:
        print_json(result)
        return
    place = f"{result['commune']}, kỳ {result['period']}"
    speaks = f"báo cáo số {result['speaks_now']} có hiệu lực" if result["speaks_now"] else "chưa có báo cáo nào"
    typer.echo(f"Báo cáo số {submission}: đã rút{'' if result['new'] else ' từ trước'}; {place}: {speaks}")


@guarded
def revisions(
    period: AnyPeriodOption = None,
    as_json: Json = False,
) -> None:
    """Các bản gửi sau khi kỳ đã công bố, chờ quyết định, kèm số liệu sẽ thay đổi."""
    from etl.load import revision, warehouse

    when = Period.parse(period) if period else None
    ready()
    with warehouse.connect() as connection:
        rows = revision.waiting(connection, when)
    if as_json:
        print_json(rows)
        return
    if not rows:
        typer.echo("Không có bản nào chờ quyết định.")
    for row in rows:
        before = f"thay bản số {row['replaces']}" if row["replaces"] else "xã, phường chưa có báo cáo trong kỳ này"
        typer.echo(f"Bản số {row['submission']} · {row['commune_vi']} · kỳ {row['period']} · {row['file']} ({before})")
        for change in row["changes"]:
            typer.echo(f"    {revision.as_text(change)}")


@guarded
def revise(
    submission: Annotated[int, typer.Option(help="Số của bản gửi sau khi công bố (tiendo revisions).")],
    by: DeciderOption,
    reason: GroundsOption,
    accept: Annotated[bool, typer.Option("--accept", help="Chấp nhận điều chỉnh.")] = False,
    reject: Annotated[bool, typer.Option("--reject", help="Không chấp nhận.")] = False,
    as_json: Json = False,
) -> None:
    """Quyết định về một bản gửi sau khi công bố; số liệu đã công bố giữ nguyên."""
    from etl import steps

    if accept == reject:
        raise UsageError("Phải chọn đúng một trong hai: --accept hoặc --reject.")
    ready()
    result = steps.revise(submission, "accepted" if accept else "rejected", by, reason, clock.now())
    if as_json:
        print_json(result)
        return
    outcome = "chấp nhận" if accept else "không chấp nhận"
    typer.echo(f"Bản số {submission}: {outcome}, {by}" + ("" if result["new"] else " (đã ghi từ trước)"))
