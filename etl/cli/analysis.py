"""What analysts ask of the warehouse: the canonical queries, exports, the data dictionary."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from etl import settings
from etl.cli.conventions import Json, OutOption, guarded, print_json, ready
from etl.errors import UsageError


@guarded
def query(
    which: Annotated[str | None, typer.Argument(help="Số hoặc tên câu hỏi; bỏ trống: danh sách.")] = None,
    param: Annotated[list[str] | None, typer.Option(help="Tham số, ví dụ period=2025-10; lặp lại được.")] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="In kết quả dạng CSV.")] = False,
    as_json: Json = False,
) -> None:
    """Hai mươi câu hỏi thường gặp (sql/queries): danh sách, hoặc câu trả lời từ kho dữ liệu, chỉ đọc."""
    from etl.compute import queries

    if which is None:
        if as_json:
            fields = ("number", "name", "vi", "en", "parameters")
            print_json([{field: getattr(q, field) for field in fields} for q in queries.every()])
        else:
            typer.echo("\n".join(f"{q.number:02d} {q.name:<28} {q.vi}" for q in queries.every()))
        return
    from etl.load import warehouse

    chosen, given = queries.find(which), queries.parameters(param or [])
    ready()
    with warehouse.connect() as connection:
        columns, rows = queries.run(connection, chosen, given)
    if as_json:
        print_json([dict(zip(columns, map(_plain, row), strict=True)) for row in rows])
        return
    if as_csv:
        import csv

        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([["" if v is None else v for v in map(_plain, row)] for row in rows])
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(title=chosen.vi)
    for column in columns:
        table.add_column(column)
    for row in rows:
        table.add_row(*("" if v is None else str(v) for v in map(_plain, row)))
    Console().print(table)


def _plain(value: Any) -> Any:
    """As JSON holds it: amounts and rates as decimal text, days and moments in ISO form."""
    if value is None or isinstance(value, bool | int | str | list):
        return value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


@guarded
def export(
    out: OutOption,
    release: Annotated[str | None, typer.Option(help="Bản đã công bố, ví dụ 2025-10-r1.")] = None,
    current: Annotated[bool, typer.Option("--current", help="Số hiện biết, mọi kỳ.")] = False,
    tables: Annotated[str, typer.Option(help="Tên bảng, cách nhau bằng dấu phẩy; mặc định tất cả.")] = "",
    as_json: Json = False,
) -> None:
    """Xuất số liệu ra CSV (mở bằng Excel), XLSX, Parquet, kèm mô tả datapackage.json; mọi tệp hoặc không tệp nào."""
    from etl.load import warehouse
    from etl.publish import export as exporting

    if current == (release is not None):
        raise UsageError("Phải chọn đúng một trong hai: --release MÃ hoặc --current.")
    ready()
    with warehouse.connect() as connection:
        result = exporting.write(connection, out, release, [t.strip() for t in tables.split(",") if t.strip()])
    if as_json:
        print_json(result)
        return
    typer.echo(f"{out}: {len(result['tables'])} bảng, {sum(t['rows'] for t in result['tables'])} dòng.")
    for name in result["files"]:
        if "/" not in name:
            typer.echo(f"  {out / name}")


@guarded
def dictionary(
    out: Annotated[
        Path | None, typer.Option("--out", help="Thư mục ghi trang; mặc định var/out/data-dictionary.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Ghi từ điển dữ liệu: mọi bảng, cột, hàm của kho, bằng tiếng Việt và tiếng Anh, trong một trang HTML.

    Không cần kho dữ liệu. Với --json thì in từ điển ra màn hình và không ghi tệp nào. Mã thoát 1 khi có tệp .yml còn
    thiếu ý nghĩa, đơn vị, nguồn hoặc ghi sai; mỗi chỗ được nêu một dòng.
    """
    from etl.dictionary import entries, page

    words = entries.load()
    faults = entries.faults(words)
    for fault in faults:
        typer.echo(fault, err=True)
    if as_json:
        print_json(page.as_json(words))
        raise typer.Exit(1 if faults else 0)
    folder = out or settings.get().out_dir / "data-dictionary"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "index.html"
    path.write_bytes(page.render(words))
    tables, columns = len(words.tables), sum(len(entry.columns) for entry in words.tables.values())
    typer.echo(f"{path}: {tables} bảng, {columns} cột, {len(words.entries) - tables} hàm.")
    raise typer.Exit(1 if faults else 0)
