"""The register of tasks (sổ theo dõi nhiệm vụ)."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from etl import clock
from etl.cli.conventions import Json, guarded, local_day, print_json, ready


@guarded
def tasks(
    as_of: Annotated[str | None, typer.Option("--as-of", help="Ngày xét, ví dụ 2025-10-31; mặc định hôm nay.")] = None,
    as_json: Json = False,
) -> None:
    """Sổ theo dõi nhiệm vụ với tình trạng do hệ thống xác định."""
    from etl.compute import tasks as register
    from etl.load import warehouse

    day = local_day(as_of)
    ready()
    with warehouse.connect() as connection:
        rows = register.states(connection, day)
    if as_json:
        print_json(rows)
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"Nhiệm vụ tính đến ngày {clock.show_date(day)}", show_lines=False)
    for title in ("Mã", "Chủ trì", "Nội dung", "Thời hạn", "Tình trạng", "Số ngày quá hạn"):
        table.add_column(title)
    for row in rows:
        due = clock.show_date(date.fromisoformat(row["due_date"])) if row["due_date"] else ""
        content = row["content"] if len(row["content"]) <= 80 else row["content"][:79] + "…"
        table.add_row(row["task_id"], row["lead"], content, due, row["state"], str(row["days_overdue"] or ""))
    Console().print(table)


@guarded
def directives(
    file: Annotated[Path, typer.Argument(help="Thông báo kết luận: .txt, .docx hoặc .pdf có chữ.")],
    issued: Annotated[str | None, typer.Option(help="Ngày ban hành khi văn bản không ghi, ví dụ 2025-10-15.")] = None,
    as_json: Json = False,
) -> None:
    """Đọc thông báo kết luận thành danh sách nhiệm vụ có thời hạn."""
    from etl.directives import notice, report
    from etl.reference import province as reference

    found = notice.read(file, reference.load().is_working_day, local_day(issued) if issued else None)
    if as_json:
        print_json(found.rows)
        for question in found.questions:
            typer.echo(question, err=True)
    else:
        typer.echo(report.as_text(found))
