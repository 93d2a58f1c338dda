"""The reports of the communes: what they are sent, what they send back, and what is found in them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from etl import clock
from etl.cli.conventions import (
    AnyPeriodOption,
    BudgetYearOption,
    Json,
    OutOption,
    PeriodOption,
    guarded,
    print_json,
    ready,
)
from etl.errors import UsageError
from etl.period import Period


@guarded
def sample(
    period: PeriodOption,
    out: OutOption,
    communes: Annotated[int | None, typer.Option(help="Số xã, phường; mặc định tất cả.")] = None,
    seed: Annotated[int, typer.Option(help="Cùng số này thì cùng dữ liệu.")] = 2025,
    defects: Annotated[str, typer.Option(help="Lỗi cố ý, cách nhau bằng dấu phẩy, hoặc all.")] = "",
    treasury: Annotated[str, typer.Option(help="Chênh lệch cố ý trong sao kê Kho bạc, cách nhau bằng dấu phẩy.")] = "",
    as_json: Json = False,
) -> None:
    """Tạo bộ báo cáo mẫu của một kỳ, kèm truth.json, quyết định giao vốn và sao kê Kho bạc (thư mục reference)."""
    from etl.sample.month import write_month

    names = [name for name in defects.split(",") if name]
    plant = [name for name in treasury.split(",") if name]
    truth = write_month(Period.parse(period), out, communes=communes, seed=seed, defects=names, plant=plant)
    if as_json:
        print_json({"out": str(out), "files": truth["files"]})
    else:
        typer.echo(f"Đã ghi {len(truth['files'])} tệp vào {out}; kết quả phải có: {out / 'truth.json'}")


@guarded
def template(
    period: PeriodOption,
    out: OutOption,
    commune: Annotated[str, typer.Option(help="Mã xã, phường; all = tất cả.")],
    budget_year: BudgetYearOption = None,
) -> None:
    """Ghi biểu mẫu Excel của một xã cho một kỳ, điền sẵn từ kho dữ liệu."""
    from etl.collect import prefill
    from etl.collect.template import write_workbook
    from etl.collect.workbook import file_name
    from etl.load import warehouse
    from etl.reference import province as reference

    province = reference.load()
    when = Period.parse(period)
    as_of = province.window(when, budget_year).as_of
    codes = list(province.communes_on(as_of)) if commune == "all" else [commune]
    out.mkdir(parents=True, exist_ok=True)
    ready()
    with warehouse.connect() as connection:
        for code in codes:
            content = prefill.content(connection, province, code, when, budget_year)
            path = out / file_name(content.commune.code, when, budget_year=content.budget_year)
            write_workbook(path, content)
            typer.echo(str(path))


@guarded
def check(
    files: Annotated[list[Path], typer.Argument(help="Tệp báo cáo.")],
    as_json: Json = False,
    marked: Annotated[Path | None, typer.Option(help="Thư mục ghi tệp đã đánh dấu lỗi.")] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Không dùng kho dữ liệu.")] = False,
) -> None:
    """Kiểm tra tệp báo cáo, cho cùng kết luận như hệ thống khi nhận."""
    from etl import self_check

    missing = [str(f) for f in files if not f.is_file()]
    if missing:
        raise UsageError(f"Không có tệp: {', '.join(missing)}")
    if not offline and self_check.can_reach_warehouse():
        ready()
    results = self_check.run(files, clock.now(), offline=offline, marked=marked)
    for result in results:
        typer.echo(json.dumps(result, ensure_ascii=False) if as_json else self_check.as_text(result))
    worst = {r["verdict"] for r in results}
    raise typer.Exit(2 if "refused" in worst else 1 if "returned" in worst else 0)


@guarded
def collect(as_json: Json = False) -> None:
    """Nhận, kiểm tra, nạp mọi tệp trong hộp thư đến và trả tệp đã đánh dấu."""
    from etl import steps

    ready()
    now = clock.now()
    result = {
        "archive": steps.archive_inbox(now),
        "process": steps.process_received(now),
        "hand_back": steps.hand_back(now),
    }
    if as_json:
        print_json(result)
    else:
        done = result["process"]
        for name, found in result["archive"]["inboxes"].items():
            typer.echo(f"Hộp nhận {name}: {found['seen']} tệp hoặc thư, {found['new']} tệp mới.")
        typer.echo(f"Tiếp nhận {done['accepted']}, trả lại {done['returned']}, không mở được {done['refused']}.")
    steps.require_all_inboxes(result["archive"])


@guarded
def findings(
    period: AnyPeriodOption = None,
    commune: Annotated[str | None, typer.Option(help="Mã xã, phường; mặc định tất cả.")] = None,
    rule: Annotated[
        str | None, typer.Option(help="Mã quy tắc hoặc mã kỳ vọng, ví dụ CK15 hoặc CK15-b01; mặc định tất cả.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Lỗi, cảnh báo, lưu ý của các báo cáo đã kiểm tra, kèm giải trình và quyết định chấp nhận."""
    from etl.load import answer, warehouse
    from etl.validate import catalogue

    when = Period.parse(period) if period else None
    wanted = catalogue.of_reports(rule) if rule else None
    ready()
    with warehouse.connect() as connection:
        of_rule = wanted.partition("-")[0] if wanted else None
        rows = answer.listed(connection, when, commune.zfill(5) if commune else None, of_rule)
    if wanted != of_rule:
        rows = [row for row in rows if row["expectation"] == wanted]
    if as_json:
        print_json(rows)
    else:
        typer.echo(answer.as_text(rows))
