"""What the province and the Treasury give: lists, allocation decisions, statements; and reports held against them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from etl import clock, settings
from etl.cli.conventions import BudgetYearOption, Json, PeriodOption, guarded, print_json, ready
from etl.errors import UsageError
from etl.period import Period

app = typer.Typer(no_args_is_help=True, help="Danh mục và quyết định giao vốn.")


@app.command("load")
@guarded
def load(
    allocation: Annotated[list[Path] | None, typer.Option(help="Tệp CSV quyết định giao vốn.")] = None,
    treasury: Annotated[list[Path] | None, typer.Option(help="Sao kê Kho bạc Nhà nước (xlsx, xls, ods, csv).")] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Nạp cả sao kê thiếu đơn vị so với bản cùng ngày.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Nạp danh mục của tỉnh, quyết định giao vốn và sao kê của Kho bạc Nhà nước.

    Cột của tệp giao vốn: decision_no, signed_on, effective_on, budget_year, commune_code (mã xã; TINH = tổng toàn tỉnh
    của quyết định; mã cơ quan = đơn vị cấp tỉnh), project_code (dòng chi tiết, hoặc dự án mà xã tự phân bổ),
    capital_kind, source (NSTW, NST, NSX, KD_NSTW, KD_NSDP), amount_vnd (đồng, tăng +, giảm -), note. Ngày ghi
    năm-tháng-ngày. Một dòng chỉ ghi một lần trong một quyết định; kế hoạch vốn không được âm ở bất kỳ ngày nào.
    Sao kê phải ghi đơn vị tính là đồng. Sao kê nạp sau cùng của một ngày và một năm ngân sách có hiệu lực; nạp lại tệp
    cũ thì tệp cũ có hiệu lực trở lại. Sao kê thiếu đơn vị so với bản đang có hiệu lực chỉ được nạp khi có --replace.
    Mỗi tệp được nạp trọn vẹn hoặc không nạp: mã thoát 1 khi có số liệu phải sửa hoặc tệp chưa nạp, 2 khi không mở được.
    """
    from etl import steps
    from etl.load import allocation as decisions
    from etl.load import treasury as statements
    from etl.load import warehouse
    from etl.reference import province

    for path in (*(allocation or []), *(treasury or [])):
        if not path.is_file():
            raise UsageError(f"Không có tệp {path}.")
    now = clock.now()
    steps.prepare(now)
    added: list[dict[str, Any]] = []
    for path in allocation or []:
        with warehouse.transaction() as connection:
            added.append({"file": path.name, "new": decisions.load(connection, path, province.load(), now)})
        if not as_json:
            typer.echo(f"{path}: {added[-1]['new']} dòng mới.")
    every: list[statements.Taken] = []
    where, archived = province.load(), settings.get().archive_dir
    for path in treasury or []:
        with warehouse.transaction() as connection:
            every.append(statements.take_in(connection, path, archived, where, now, replace=replace))
        if not as_json:
            typer.echo(f"{path}: {statements.as_text(every[-1], where)}")
    if as_json:
        print_json({"allocation": added, "treasury": [statements.as_json(taken, where) for taken in every]})
    raise typer.Exit(max(map(statements.exit_code, every), default=0))


@guarded
def reconcile(
    period: PeriodOption,
    budget_year: BudgetYearOption = None,
    as_json: Json = False,
) -> None:
    """Đối chiếu các báo cáo của kỳ với sao kê Kho bạc Nhà nước cùng ngày chốt số liệu.

    Mã thoát 1 khi còn chênh lệch chưa rõ nguyên nhân, nhầm mã hoặc thiếu đơn vị.
    """
    from etl.load import reconciliation, warehouse

    when = Period.parse(period)
    ready()
    with warehouse.transaction() as connection:
        result = reconciliation.reconcile(connection, when, budget_year, clock.now())
    reconciliation.require_statement(result)
    if as_json:
        print_json(reconciliation.as_json(result))
    else:
        typer.echo(reconciliation.as_text(result))
    raise typer.Exit(0 if reconciliation.acceptable(result) else 1)
