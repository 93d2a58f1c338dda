"""Airflow on this machine."""

from __future__ import annotations

from typing import Annotated

import typer

from etl.cli.conventions import guarded
from etl.period import Period

app = typer.Typer(no_args_is_help=True, help="Airflow trên máy này.")


@app.command("run")
@guarded
def run(
    period: Annotated[list[str], typer.Option("--period", help="Kỳ phát hành, có thể lặp lại.")],
) -> None:
    """Chạy trọn một vòng qua bộ lập lịch Airflow thật: nhận tệp, tổng hợp, phê duyệt, phát hành."""
    from etl import local_airflow

    raise typer.Exit(local_airflow.run_month([str(Period.parse(p)) for p in period]))


@app.command("up")
@guarded
def up() -> None:
    """Giữ Airflow chạy trên máy này để xem (127.0.0.1); Ctrl-C để dừng."""
    from etl import local_airflow

    raise typer.Exit(local_airflow.up())
