"""What every command keeps to: its options, JSON on the screen, errors told in Vietnamese, a warehouse made ready."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import date
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, ParamSpec, TypeVar

import typer

from etl import clock
from etl.errors import DataError, ReleaseError, TiendoError, UsageError

Json = Annotated[bool, typer.Option("--json", help="In kết quả dạng JSON.")]
PeriodOption = Annotated[str, typer.Option("--period", help="Kỳ báo cáo, ví dụ 2025-10.")]
AnyPeriodOption = Annotated[str | None, typer.Option("--period", help="Kỳ báo cáo, ví dụ 2025-10; mặc định tất cả.")]
BudgetYearOption = Annotated[int | None, typer.Option(help="Năm ngân sách; tháng 1 có hai năm.")]
OutOption = Annotated[Path, typer.Option("--out", help="Thư mục ghi kết quả.")]
DeciderOption = Annotated[str, typer.Option(help="Người quyết định.")]
GroundsOption = Annotated[str, typer.Option(help="Lý do, văn bản làm căn cứ.")]

P = ParamSpec("P")
R = TypeVar("R")


def guarded(command: Callable[P, R]) -> Callable[P, R]:
    """Errors that a person can act on are shown as one Vietnamese text, without a traceback."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except ReleaseError as error:
            typer.echo(f"Không thể phát hành: {error}", err=True)
            raise typer.Exit(1) from error
        except DataError as error:
            typer.echo(str(error), err=True)
            raise typer.Exit(1) from error
        except TiendoError as error:
            typer.echo(str(error), err=True)
            raise typer.Exit(2) from error
        except OSError as error:
            typer.echo(f"Không đọc hoặc ghi được {error.filename or ''}: {error.strerror or error}", err=True)
            raise typer.Exit(2) from error
        except Exception as error:
            driver = sys.modules.get("psycopg")  # commands that need no warehouse never load it
            if driver is None or not isinstance(error, driver.Error):
                raise
            typer.echo(f"Kho dữ liệu từ chối: {str(error).strip()}", err=True)
            raise typer.Exit(2) from error

    return run


def print_json(value: Any) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


def local_day(text: str | None) -> date:
    """The day that an option names; today in Vietnam when it names none."""
    if text is None:
        return clock.local_date(clock.now())
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"Ngày phải viết theo mẫu NNNN-TT-NN, ví dụ 2025-10-31; nhận được: {text!r}.") from error


def ready() -> None:
    """The warehouse that a command is about to use is up to date; costs a fraction of a second when it is."""
    from etl import steps
    from etl.load import warehouse
    from etl.reference import province
    from etl.validate import catalogue

    province.load()  # a wrong TIENDO_PROVINCE is told before anything is asked
    catalogue.load()  # and so is a rule file that is not sound
    if not warehouse.is_current():
        steps.prepare(clock.now())
