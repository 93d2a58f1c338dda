"""The warehouse itself: the embedded server, schema, backups, logins of analysts."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from etl import clock
from etl.cli.conventions import Json, guarded, print_json, ready

app = typer.Typer(no_args_is_help=True, help="Kho dữ liệu PostgreSQL.")


@app.command("start")
@guarded
def start() -> None:
    """Khởi động PostgreSQL nhúng (không cần khi đã đặt TIENDO_WAREHOUSE_URL)."""
    from etl.load import server

    typer.echo(server.start())


@app.command("stop")
@guarded
def stop() -> None:
    """Dừng PostgreSQL nhúng; dữ liệu giữ nguyên."""
    from etl.load import server

    typer.echo("Đã dừng." if server.stop() else "Không chạy.")


@app.command("url")
@guarded
def url() -> None:
    """In địa chỉ kho dữ liệu."""
    from etl.load import warehouse

    typer.echo(warehouse.url())


@app.command("migrate")
@guarded
def migrate(as_json: Json = False) -> None:
    """Đưa lược đồ lên bản mới nhất và nạp danh mục."""
    from etl import steps

    result = steps.prepare(clock.now())
    if as_json:
        print_json(result)
    else:
        typer.echo(
            f"Lược đồ bản {result['schema_version']}; {result['commune']} xã, phường; {result['task']} nhiệm vụ."
        )


@app.command("backup")
@guarded
def back_up(
    target: Annotated[Path, typer.Argument(help="Tệp sao lưu sẽ được tạo, ví dụ sao-luu/2025-11-10.dump.")],
    as_json: Json = False,
) -> None:
    """Sao lưu kho dữ liệu vào một tệp, kèm số dòng và mã kiểm tra nội dung của từng bảng."""
    from etl.load import backup

    ready()
    manifest = backup.write(target, clock.now())
    if as_json:
        print_json(manifest)
    else:
        rows = sum(table["rows"] for table in manifest["tables"].values())
        typer.echo(f"Đã sao lưu {len(manifest['tables'])} bảng, {rows} dòng vào {target}")


@app.command("restore")
@guarded
def restore(
    source: Annotated[Path, typer.Argument(help="Tệp sao lưu (tiendo db backup).")], as_json: Json = False
) -> None:
    """Khôi phục một bản sao lưu vào kho dữ liệu trống và so lại nội dung với lúc sao lưu."""
    from etl.load import backup

    manifest = backup.restore(source)
    if as_json:
        print_json(manifest)
    else:
        rows = sum(table["rows"] for table in manifest["tables"].values())
        typer.echo(f"Đã khôi phục {len(manifest['tables'])} bảng, {rows} dòng; nội dung đúng như khi sao lưu.")


@app.command("psql", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
@guarded
def psql(context: typer.Context) -> None:
    """Mở psql trên kho dữ liệu; các tham số sau đó chuyển cho psql."""
    from etl.load import server, warehouse

    program = server.client("psql")
    os.execv(program, [str(program), warehouse.url(), *context.args])  # noqa: S606 - psql takes over the terminal


@app.command("analyst")
@guarded
def analyst_login(
    name: Annotated[str, typer.Argument(help="Tên đăng nhập.")],
    drop: Annotated[bool, typer.Option("--drop", help="Xóa tài khoản.")] = False,
    as_json: Json = False,
) -> None:
    """Tạo tài khoản chỉ đọc cho người phân tích số liệu (bảng của mart và ref); mật khẩu chỉ in một lần."""
    from etl.load import analyst, warehouse

    ready()
    with warehouse.transaction() as connection:
        password = None if drop else analyst.create_login(connection, name)
        if drop:
            analyst.drop_login(connection, name)
        database = connection.info.dbname
    if as_json:
        print_json({"login": name, "password": password, "database": database, "dropped": drop})
    elif drop:
        typer.echo(f"Đã xóa tài khoản {name}.")
    else:
        typer.echo(f"Tài khoản {name}, mật khẩu {password}, cơ sở dữ liệu {database}; chỉ đọc mart và ref.")


@guarded
def verify(as_json: Json = False) -> None:
    """Kiểm tra chuỗi nhật ký, tệp gốc trong kho lưu, bản tổng hợp và tệp của chúng; mã thoát 1 khi không khớp."""
    from etl import settings
    from etl.load import warehouse
    from etl.publish import verify as integrity

    ready()
    conf = settings.get()
    with warehouse.connect() as connection:
        result = integrity.run(connection, conf.archive_dir, conf.out_dir)
    if as_json:
        print_json(result)
    else:
        for problem in result["problems"]:
            typer.echo(problem)
        checked = result["checked"]
        typer.echo(
            f"Đã kiểm tra {checked['audit_events']} sự kiện, {checked['originals']} tệp gốc, {checked['releases']} bản "
            f"tổng hợp, {checked['files']} tệp: "
            + (f"{len(result['problems'])} chỗ không khớp." if result["problems"] else "còn nguyên.")
        )
    raise typer.Exit(1 if result["problems"] else 0)
