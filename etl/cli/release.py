"""The monthly summary: drafted, approved, published, and each of its figures followed back to its cell."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from etl import clock, settings
from etl.cli.conventions import BudgetYearOption, Json, PeriodOption, guarded, print_json, ready
from etl.errors import UsageError

_STAGES = {None: "chờ phê duyệt", "approved": "đã phê duyệt, chưa phát hành", "rejected": "không được phê duyệt"}


@guarded
def summarise(
    period: PeriodOption,
    budget_year: BudgetYearOption = None,
    by: Annotated[
        str | None, typer.Option(help="Người soạn, sau đó không được tự phê duyệt; mặc định tài khoản đang dùng.")
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Trình lại đúng các tệp đã bị từ chối.")] = False,
    as_json: Json = False,
) -> None:
    """Chốt số liệu của kỳ và soạn báo cáo tổng hợp (dự thảo, chờ phê duyệt).

    Bản bị từ chối thì được thay bằng bản số tiếp theo khi số liệu, lời văn hoặc chương trình đã thay đổi; nếu chưa thì
    giữ nguyên, trừ khi --again trình lại đúng các tệp đó trong một vòng phê duyệt mới.
    """
    from etl import steps
    from etl.publish import provenance

    ready()
    result = steps.freeze(period, clock.now(), budget_year, by=by or provenance.account(), again=again)
    if as_json:
        print_json(result)
        return
    stage = "đã phát hành" if result["published"] else _STAGES[result["decision"]]
    typer.echo(f"Bản {result['release_id']} ({stage}), người soạn: {result['prepared_by'] or 'không ghi'}")
    if result["decision"] == "rejected":
        typer.echo(f"Vòng {result['round']}, {result['decided_by']}: {result['decision_reason']}")
    for artifact in result["artifacts"]:
        typer.echo(f"  {artifact['path']}")
    typer.echo(f"Mã niêm phong: {result['manifest_sha256']}")


@guarded
def approve(
    release: Annotated[str, typer.Option(help="Mã bản, ví dụ 2025-10-r1.")],
    manifest: Annotated[str, typer.Option(help="Mã niêm phong mà người duyệt đã xem.")],
    by: Annotated[str, typer.Option(help="Người quyết định: tên đăng nhập hoặc họ tên trong approvers.csv.")],
    reject: Annotated[bool, typer.Option("--reject", help="Không đồng ý phát hành; phải ghi --reason.")] = False,
    reason: Annotated[str, typer.Option(help="Lý do.")] = "",
    as_json: Json = False,
) -> None:
    """Ghi quyết định phê duyệt của người có thẩm quyền (không phải người soạn), gắn với đúng các tệp đã xem."""
    from etl import steps

    ready()
    decision = "rejected" if reject else "approved"
    result = steps.approve(release, manifest, by, decision, clock.now(), reason=reason)
    if as_json:
        print_json(result)
        return
    outcome = "không đồng ý" if reject else "đã phê duyệt"
    typer.echo(f"{result['release_id']}: {outcome}, {result['decided_by']} (vòng {result['round']})")


@guarded
def publish(
    release: Annotated[str, typer.Option(help="Mã bản đã phê duyệt.")],
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Gửi lại cho những nơi mà máy chủ thư đã từ chối.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Phát hành và gửi bản đã được phê duyệt; gửi mỗi nơi nhiều nhất một lần.

    Mã thoát 1 khi còn nơi không gửi được hoặc chưa rõ đã gửi hay chưa.
    """
    from etl import steps

    ready()
    result = steps.publish(release, clock.now(), retry_failed=retry_failed)
    if as_json:
        print_json(result)
    else:
        typer.echo(
            f"{release}: gửi {result['delivered']}, đã gửi từ trước {result['already']}, "
            f"không gửi được {result['failed']}, chưa rõ {result['unknown']}"
        )
        if result["without_files"]:
            typer.echo(f"Bản này không có tệp cho {len(result['without_files'])} nơi nhận.")
        if result["failed"] or result["unknown"]:
            typer.echo(f"Phải làm gì với từng nơi nhận: tiendo deliveries --release {release}")
    raise typer.Exit(1 if result["failed"] or result["unknown"] else 0)


@guarded
def site(
    out: Annotated[Path | None, typer.Option("--out", help="Thư mục ghi trang; mặc định var/site.")] = None,
    as_json: Json = False,
) -> None:
    """Ghi trang lưu trữ: mọi bản đã phát hành, tệp, mã băm, thay đổi, số liệu, quy tắc, từ điển, lịch và tin Atom.

    Trang tĩnh, mở thẳng từ đĩa hoặc đặt lên máy chủ web nào cũng được. Chạy lại chỉ ghi những gì đã khác. Mã thoát 1
    khi có tệp đã phê duyệt bị mất hoặc bị sửa; mỗi tệp được nêu một dòng.
    """
    from etl import steps

    ready()
    result = steps.archive_site(out)
    if as_json:
        print_json(result)
    else:
        for name in result["missing"]:
            typer.echo(f"Không còn đúng như khi phê duyệt: {name}", err=True)
        typer.echo(f"{result['site']}: {result['releases']} bản, {result['files']} tệp, ghi mới {result['written']}.")
    raise typer.Exit(1 if result["missing"] else 0)


@guarded
def trace(
    figure_id: Annotated[str | None, typer.Argument(help="Mã số liệu, ví dụ 2025-10-r1/rate_total.")] = None,
    file: Annotated[
        str | None, typer.Option(help="Chiều ngược lại: tên tệp, sha256 hoặc số báo cáo của tệp có ô cần hỏi.")
    ] = None,
    cell: Annotated[str | None, typer.Option(help="Ô của tệp đó, ví dụ B01-GiaiNgan!K30.")] = None,
    as_json: Json = False,
) -> None:
    """Lần từ một số liệu đã phát hành về tận ô của tệp gốc; hoặc từ một ô tới các số liệu lấy từ ô đó."""
    from etl.load import warehouse
    from etl.publish import trace as chain
    from etl.publish import trace_cell, trace_text

    if (figure_id is None) == (file is None) or (file is None) != (cell is None):
        raise UsageError("Ghi mã số liệu, hoặc cả --file và --cell.")
    ready()
    with warehouse.connect() as connection:
        if file is not None and cell is not None:
            fed = trace_cell.feeds(connection, file, cell)
            if as_json:
                print_json(fed)
            else:
                typer.echo(trace_cell.as_text(fed))
            return
        result = chain.trace(connection, figure_id or "", settings.get().archive_dir)
    if as_json:
        print_json(result)
    else:
        typer.echo(trace_text.as_text(result))
    raise typer.Exit(0 if result.get("agrees", True) else 1)
