"""The command ``tiendo``. Names, options and JSON are stable: other programs rely on them (DESIGN.md section 4).

Exit codes: 0 fine, 1 the data is not acceptable, 2 the input cannot be used or the call is wrong. Heavy libraries are
imported inside the commands that need them, so that each command starts as fast as it can.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from datetime import date
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, ParamSpec, TypeVar

import typer

from etl import clock, settings
from etl.errors import DataError, ReleaseError, TiendoError, UsageError
from etl.period import Period

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Tiến độ: báo cáo tiến độ các chương trình mục tiêu quốc gia, từ tệp của xã đến báo cáo tổng hợp của tỉnh.",
)
db_app = typer.Typer(no_args_is_help=True, help="Kho dữ liệu PostgreSQL.")
reference_app = typer.Typer(no_args_is_help=True, help="Danh mục và quyết định giao vốn.")
airflow_app = typer.Typer(no_args_is_help=True, help="Airflow trên máy này.")
app.add_typer(db_app, name="db")
app.add_typer(reference_app, name="reference")
rules_app = typer.Typer(no_args_is_help=True, help="Danh mục quy tắc kiểm tra.")
app.add_typer(airflow_app, name="airflow")
app.add_typer(rules_app, name="rules")

Json = Annotated[bool, typer.Option("--json", help="In kết quả dạng JSON.")]
PeriodOption = Annotated[str, typer.Option("--period", help="Kỳ báo cáo, ví dụ 2025-10.")]
OutOption = Annotated[Path, typer.Option("--out", help="Thư mục ghi kết quả.")]


_STAGES = {None: "chờ phê duyệt", "approved": "đã phê duyệt, chưa phát hành", "rejected": "không được phê duyệt"}

P = ParamSpec("P")
R = TypeVar("R")


def _guarded(command: Callable[P, R]) -> Callable[P, R]:
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


def _print_json(value: Any) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


def _day(text: str | None) -> date:
    if text is None:
        return clock.local_date(clock.now())
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"Ngày phải viết theo mẫu NNNN-TT-NN, ví dụ 2025-10-31; nhận được: {text!r}.") from error


@app.command()
@_guarded
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
        _print_json({"out": str(out), "files": truth["files"]})
    else:
        typer.echo(f"Đã ghi {len(truth['files'])} tệp vào {out}; kết quả phải có: {out / 'truth.json'}")


@app.command()
@_guarded
def template(
    period: PeriodOption,
    out: OutOption,
    commune: Annotated[str, typer.Option(help="Mã xã, phường; all = tất cả.")],
    budget_year: Annotated[int | None, typer.Option(help="Năm ngân sách; tháng 1 có hai năm.")] = None,
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
    _ready()
    with warehouse.connect() as connection:
        for code in codes:
            content = prefill.content(connection, province, code, when, budget_year)
            path = out / file_name(content.commune.code, when, budget_year=content.budget_year)
            write_workbook(path, content)
            typer.echo(str(path))


@app.command(name="check")
@_guarded
def check_command(
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
        _ready()
    results = self_check.run(files, clock.now(), offline=offline, marked=marked)
    for result in results:
        typer.echo(json.dumps(result, ensure_ascii=False) if as_json else self_check.as_text(result))
    worst = {r["verdict"] for r in results}
    raise typer.Exit(2 if "refused" in worst else 1 if "returned" in worst else 0)


@app.command()
@_guarded
def collect(as_json: Json = False) -> None:
    """Nhận, kiểm tra, nạp mọi tệp trong hộp thư đến và trả tệp đã đánh dấu."""
    from etl import steps

    _ready()
    now = clock.now()
    result = {
        "archive": steps.archive_inbox(now),
        "process": steps.process_received(now),
        "hand_back": steps.hand_back(now),
    }
    if as_json:
        _print_json(result)
    else:
        done = result["process"]
        for name, found in result["archive"]["inboxes"].items():
            typer.echo(f"Hộp nhận {name}: {found['seen']} tệp hoặc thư, {found['new']} tệp mới.")
        typer.echo(f"Tiếp nhận {done['accepted']}, trả lại {done['returned']}, không mở được {done['refused']}.")
    steps.require_all_inboxes(result["archive"])


@app.command()
@_guarded
def summarise(
    period: PeriodOption,
    budget_year: Annotated[int | None, typer.Option(help="Năm ngân sách; tháng 1 có hai năm.")] = None,
    as_json: Json = False,
) -> None:
    """Chốt số liệu của kỳ và soạn báo cáo tổng hợp (dự thảo, chờ phê duyệt)."""
    from etl import steps

    _ready()
    result = steps.freeze(period, clock.now(), budget_year)
    if as_json:
        _print_json(result)
        return
    stage = "đã phát hành" if result["published"] else _STAGES[result["decision"]]
    typer.echo(f"Bản {result['release_id']} ({stage})")
    for artifact in result["artifacts"]:
        typer.echo(f"  {artifact['path']}")
    typer.echo(f"Mã niêm phong: {result['manifest_sha256']}")


@app.command()
@_guarded
def approve(
    release: Annotated[str, typer.Option(help="Mã bản, ví dụ 2025-10-r1.")],
    manifest: Annotated[str, typer.Option(help="Mã niêm phong mà người duyệt đã xem.")],
    by: Annotated[str, typer.Option(help="Người quyết định.")],
    reject: Annotated[bool, typer.Option("--reject", help="Không đồng ý phát hành.")] = False,
) -> None:
    """Ghi quyết định phê duyệt, gắn với đúng các tệp đã xem."""
    from etl import steps

    _ready()
    result = steps.approve(release, manifest, by, "rejected" if reject else "approved", clock.now())
    typer.echo(f"{result['release_id']}: {'không đồng ý' if reject else 'đã phê duyệt'}, {by}")


@app.command()
@_guarded
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

    _ready()
    result = steps.publish(release, clock.now(), retry_failed=retry_failed)
    if as_json:
        _print_json(result)
    else:
        typer.echo(
            f"{release}: gửi {result['delivered']}, đã gửi từ trước {result['already']}, "
            f"không gửi được {result['failed']}, chưa rõ {result['unknown']}"
        )
    raise typer.Exit(1 if result["failed"] or result["unknown"] else 0)


@app.command()
@_guarded
def revisions(
    period: Annotated[str | None, typer.Option("--period", help="Kỳ báo cáo, ví dụ 2025-10; mặc định tất cả.")] = None,
    as_json: Json = False,
) -> None:
    """Các bản gửi sau khi kỳ đã công bố, chờ quyết định, kèm số liệu sẽ thay đổi."""
    from etl.load import revision, warehouse

    when = Period.parse(period) if period else None
    _ready()
    with warehouse.connect() as connection:
        rows = revision.waiting(connection, when)
    if as_json:
        _print_json(rows)
        return
    if not rows:
        typer.echo("Không có bản nào chờ quyết định.")
    for row in rows:
        before = f"thay bản số {row['replaces']}" if row["replaces"] else "xã, phường chưa có báo cáo trong kỳ này"
        typer.echo(f"Bản số {row['submission']} · {row['commune_vi']} · kỳ {row['period']} · {row['file']} ({before})")
        for change in row["changes"]:
            typer.echo(f"    {revision.as_text(change)}")


@app.command()
@_guarded
def revise(
    submission: Annotated[int, typer.Option(help="Số của bản gửi sau khi công bố (tiendo revisions).")],
    by: Annotated[str, typer.Option(help="Người quyết định.")],
    reason: Annotated[str, typer.Option(help="Lý do, văn bản làm căn cứ.")],
    accept: Annotated[bool, typer.Option("--accept", help="Chấp nhận điều chỉnh.")] = False,
    reject: Annotated[bool, typer.Option("--reject", help="Không chấp nhận.")] = False,
    as_json: Json = False,
) -> None:
    """Quyết định về một bản gửi sau khi công bố; số liệu đã công bố giữ nguyên."""
    from etl import steps

    if accept == reject:
        raise UsageError("Phải chọn đúng một trong hai: --accept hoặc --reject.")
    _ready()
    result = steps.revise(submission, "accepted" if accept else "rejected", by, reason, clock.now())
    if as_json:
        _print_json(result)
        return
    outcome = "chấp nhận" if accept else "không chấp nhận"
    typer.echo(f"Bản số {submission}: {outcome}, {by}" + ("" if result["new"] else " (đã ghi từ trước)"))


@app.command()
@_guarded
def withdraw(
    submission: Annotated[int, typer.Option(help="Số báo cáo (tiendo findings).")],
    by: Annotated[str, typer.Option(help="Người quyết định.")],
    reason: Annotated[str, typer.Option(help="Lý do, văn bản làm căn cứ.")],
    as_json: Json = False,
) -> None:
    """Rút một báo cáo đã tiếp nhận: từ lúc đó không tính nữa, bản trước (nếu có) có hiệu lực trở lại."""
    from etl import steps

    _ready()
    result = steps.withdraw(submission, by, reason, clock.now())
    if as_json:
        _print_json(result)
        return
    place = f"{result['commune']}, kỳ {result['period']}"
    speaks = f"báo cáo số {result['speaks_now']} có hiệu lực" if result["speaks_now"] else "chưa có báo cáo nào"
    typer.echo(f"Báo cáo số {submission}: đã rút{'' if result['new'] else ' từ trước'}; {place}: {speaks}")


@app.command()
@_guarded
def findings(
    period: Annotated[str | None, typer.Option("--period", help="Kỳ báo cáo, ví dụ 2025-10; mặc định tất cả.")] = None,
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
    _ready()
    with warehouse.connect() as connection:
        of_rule = wanted.partition("-")[0] if wanted else None
        rows = answer.listed(connection, when, commune.zfill(5) if commune else None, of_rule)
    if wanted != of_rule:
        rows = [row for row in rows if row["expectation"] == wanted]
    typer.echo(json.dumps(rows, ensure_ascii=False, indent=2) if as_json else answer.as_text(rows))


@app.command()
@_guarded
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

    _ready()
    result = steps.explain(submission, finding, by, reason, clock.now())
    if as_json:
        _print_json(result)
        return
    before = result["before"]
    outcome = "đã ghi" if result["new"] else "đã ghi từ trước"
    if result["new"] and before:
        outcome += f"; thay cho giải trình trước của {before['by']} (“{before['reason']}”), vẫn được lưu trong nhật ký"
    typer.echo(f"Báo cáo số {submission}, cảnh báo số {finding}: {outcome}")


@app.command()
@_guarded
def override(
    submission: Annotated[int, typer.Option(help="Số báo cáo bị trả lại (tiendo findings).")],
    by: Annotated[str, typer.Option(help="Người quyết định.")],
    reason: Annotated[str, typer.Option(help="Lý do, văn bản làm căn cứ.")],
    finding: Annotated[list[int] | None, typer.Option(help="Số của lỗi; lặp lại được; mặc định mọi lỗi.")] = None,
    as_json: Json = False,
) -> None:
    """Chấp nhận báo cáo dù có lỗi; tên và lý do được ghi vào nhật ký và công bố trong phụ lục.

    Chỉ chấp nhận bản gửi sau cùng của đơn vị. Báo cáo được nạp khi mọi lỗi của nó đã được chấp nhận. Mã thoát 1 khi còn
    lỗi chưa được chấp nhận.
    """
    from etl import steps

    _ready()
    result = steps.override(submission, finding or [], by, reason, clock.now())
    if as_json:
        _print_json(result)
    else:
        left = ", ".join(map(str, result["open"]))
        outcome = f"còn lỗi số {left}" if left else "đã nạp" if result["admitted"] else "đã nạp từ trước"
        if not result["new"]:
            outcome += "; các lỗi này đã được chấp nhận từ trước, không ghi thêm"
        elif not result["admitted"] and not left:
            outcome += f"; đã ghi thêm lý do mới cho lỗi số {', '.join(map(str, result['new']))}"
        typer.echo(f"Báo cáo số {submission}: chấp nhận lỗi số {', '.join(map(str, result['overridden']))}; {outcome}")
    raise typer.Exit(1 if result["open"] else 0)


@rules_app.command("list")
@_guarded
def rules_list(as_json: Json = False) -> None:
    """Các quy tắc: mã, nhóm (statement: sao kê Kho bạc), mức, trạng thái, lý do."""
    from etl.validate import catalogue

    rows = [dict(zip(catalogue.RULE_COLUMNS, row, strict=True)) for row in catalogue.listed()]
    if as_json:
        _print_json(rows)
        return
    for row in rows:
        told = f"{row['expectation_id']:<22} {row['suite']:<12} {row['severity']:<8} {row['state']:<7}"
        typer.echo(f"{told} {row['reason_vi']}")


@rules_app.command("readme")
@_guarded
def rules_readme() -> None:
    """In trang expectations/README.md từ các tệp JSON (make rules ghi lại trang này)."""
    from etl.validate import rules_page

    typer.echo(rules_page.text(), nl=False)


@rules_app.command("backtest")
@_guarded
def rules_backtest(
    rule: Annotated[str, typer.Option(help="Mã quy tắc hoặc mã kỳ vọng, ví dụ CK20 hoặc CK20-jump.")],
    period: Annotated[list[str] | None, typer.Option(help="Kỳ báo cáo; lặp lại được; mặc định mọi kỳ đã có.")] = None,
    as_json: Json = False,
) -> None:
    """Quy tắc sẽ báo gì ở các kỳ trước, và bao nhiêu chỗ về sau đã được sửa; không ghi gì vào kho dữ liệu."""
    from etl import steps
    from etl.validate import backtest, catalogue

    periods = [Period.parse(text) for text in period or []]
    rule = catalogue.to_backtest(rule)
    _ready()
    hits = steps.backtest(rule, periods)
    totals = backtest.totals(hits)
    if as_json:
        _print_json({"rule": rule, "periods": totals, "hits": [hit.as_json() for hit in hits]})
        return
    if not hits:
        typer.echo(f"{rule}: không báo gì ở các kỳ đã có.")
    for row in totals:
        typer.echo(
            f"{row['period']} (năm ngân sách {row['budget_year']}): {row['found']} chỗ ở {row['communes']} xã, phường; "
            f"về sau đã sửa {row['corrected']}, chưa sửa {row['stood']}"
        )
    for hit in hits:
        mark = "đã sửa" if hit.outcome == "corrected" else "chưa sửa"
        place = f"{hit.finding.sheet}!{hit.finding.cell}" if hit.finding.cell else hit.finding.sheet or "cả tệp"
        typer.echo(f"  {hit.period} {hit.commune_code} {place} ({mark}): {hit.finding.message}")


@app.command()
@_guarded
def tasks(
    as_of: Annotated[str | None, typer.Option("--as-of", help="Ngày xét, ví dụ 2025-10-31; mặc định hôm nay.")] = None,
    as_json: Json = False,
) -> None:
    """Sổ theo dõi nhiệm vụ với tình trạng do hệ thống xác định."""
    from etl.compute import tasks as register
    from etl.load import warehouse

    day = _day(as_of)
    _ready()
    with warehouse.connect() as connection:
        rows = register.states(connection, day)
    if as_json:
        _print_json(rows)
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


@app.command()
@_guarded
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
    from etl.publish import trace_cell

    if (figure_id is None) == (file is None) or (file is None) != (cell is None):
        raise UsageError("Ghi mã số liệu, hoặc cả --file và --cell.")
    _ready()
    with warehouse.connect() as connection:
        if file is not None and cell is not None:
            fed = trace_cell.feeds(connection, file, cell)
            typer.echo(json.dumps(fed, ensure_ascii=False, indent=2) if as_json else trace_cell.as_text(fed))
            return
        result = chain.trace(connection, figure_id or "", settings.get().archive_dir)
    typer.echo(json.dumps(result, ensure_ascii=False, indent=2) if as_json else chain.as_text(result))
    raise typer.Exit(0 if result.get("agrees", True) else 1)


@app.command()
@_guarded
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
        _print_json(page.as_json(words))
        raise typer.Exit(1 if faults else 0)
    folder = out or settings.get().out_dir / "data-dictionary"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "index.html"
    path.write_bytes(page.render(words))
    tables, columns = len(words.tables), sum(len(entry.columns) for entry in words.tables.values())
    typer.echo(f"{path}: {tables} bảng, {columns} cột, {len(words.entries) - tables} hàm.")
    raise typer.Exit(1 if faults else 0)


@app.command()
@_guarded
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
    _ready()
    with warehouse.connect() as connection:
        result = exporting.write(connection, out, release, [t.strip() for t in tables.split(",") if t.strip()])
    if as_json:
        _print_json(result)
        return
    typer.echo(f"{out}: {len(result['tables'])} bảng, {sum(t['rows'] for t in result['tables'])} dòng.")
    for name in result["files"]:
        if "/" not in name:
            typer.echo(f"  {out / name}")


@app.command()
@_guarded
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
            _print_json([{field: getattr(q, field) for field in fields} for q in queries.every()])
        else:
            typer.echo("\n".join(f"{q.number:02d} {q.name:<28} {q.vi}" for q in queries.every()))
        return
    from etl.load import warehouse

    chosen, given = queries.find(which), queries.parameters(param or [])
    _ready()
    with warehouse.connect() as connection:
        columns, rows = queries.run(connection, chosen, given)
    if as_json:
        _print_json([dict(zip(columns, map(_plain, row), strict=True)) for row in rows])
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


@db_app.command("start")
@_guarded
def db_start() -> None:
    """Khởi động PostgreSQL nhúng (không cần khi đã đặt TIENDO_WAREHOUSE_URL)."""
    from etl.load import server

    typer.echo(server.start())


@db_app.command("stop")
@_guarded
def db_stop() -> None:
    """Dừng PostgreSQL nhúng; dữ liệu giữ nguyên."""
    from etl.load import server

    typer.echo("Đã dừng." if server.stop() else "Không chạy.")


@db_app.command("url")
@_guarded
def db_url() -> None:
    """In địa chỉ kho dữ liệu."""
    from etl.load import warehouse

    typer.echo(warehouse.url())


@db_app.command("migrate")
@_guarded
def db_migrate(as_json: Json = False) -> None:
    """Đưa lược đồ lên bản mới nhất và nạp danh mục."""
    from etl import steps

    result = steps.prepare(clock.now())
    if as_json:
        _print_json(result)
    else:
        typer.echo(
            f"Lược đồ bản {result['schema_version']}; {result['commune']} xã, phường; {result['task']} nhiệm vụ."
        )


@db_app.command("backup")
@_guarded
def db_backup(
    target: Annotated[Path, typer.Argument(help="Tệp sao lưu sẽ được tạo, ví dụ sao-luu/2025-11-10.dump.")],
    as_json: Json = False,
) -> None:
    """Sao lưu kho dữ liệu vào một tệp, kèm số dòng và mã kiểm tra nội dung của từng bảng."""
    from etl.load import backup

    _ready()
    manifest = backup.write(target, clock.now())
    if as_json:
        _print_json(manifest)
    else:
        rows = sum(table["rows"] for table in manifest["tables"].values())
        typer.echo(f"Đã sao lưu {len(manifest['tables'])} bảng, {rows} dòng vào {target}")


@db_app.command("restore")
@_guarded
def db_restore(
    source: Annotated[Path, typer.Argument(help="Tệp sao lưu (tiendo db backup).")], as_json: Json = False
) -> None:
    """Khôi phục một bản sao lưu vào kho dữ liệu trống và so lại nội dung với lúc sao lưu."""
    from etl.load import backup

    manifest = backup.restore(source)
    if as_json:
        _print_json(manifest)
    else:
        rows = sum(table["rows"] for table in manifest["tables"].values())
        typer.echo(f"Đã khôi phục {len(manifest['tables'])} bảng, {rows} dòng; nội dung đúng như khi sao lưu.")


@db_app.command("psql", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
@_guarded
def db_psql(context: typer.Context) -> None:
    """Mở psql trên kho dữ liệu; các tham số sau đó chuyển cho psql."""
    from etl.load import server, warehouse

    program = server.client("psql")
    os.execv(program, [str(program), warehouse.url(), *context.args])  # noqa: S606 - psql takes over the terminal


@db_app.command("analyst")
@_guarded
def db_analyst(
    name: Annotated[str, typer.Argument(help="Tên đăng nhập.")],
    drop: Annotated[bool, typer.Option("--drop", help="Xóa tài khoản.")] = False,
    as_json: Json = False,
) -> None:
    """Tạo tài khoản chỉ đọc cho người phân tích số liệu (bảng của mart và ref); mật khẩu chỉ in một lần."""
    from etl.load import analyst, warehouse

    _ready()
    with warehouse.transaction() as connection:
        password = None if drop else analyst.create_login(connection, name)
        if drop:
            analyst.drop_login(connection, name)
        database = connection.info.dbname
    if as_json:
        _print_json({"login": name, "password": password, "database": database, "dropped": drop})
    elif drop:
        typer.echo(f"Đã xóa tài khoản {name}.")
    else:
        typer.echo(f"Tài khoản {name}, mật khẩu {password}, cơ sở dữ liệu {database}; chỉ đọc mart và ref.")


@reference_app.command("load")
@_guarded
def reference_load(
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
        _print_json({"allocation": added, "treasury": [statements.as_json(taken, where) for taken in every]})
    raise typer.Exit(max(map(statements.exit_code, every), default=0))


@app.command()
@_guarded
def reconcile(
    period: PeriodOption,
    budget_year: Annotated[int | None, typer.Option(help="Năm ngân sách; tháng 1 có hai năm.")] = None,
    as_json: Json = False,
) -> None:
    """Đối chiếu các báo cáo của kỳ với sao kê Kho bạc Nhà nước cùng ngày chốt số liệu.

    Mã thoát 1 khi còn chênh lệch chưa rõ nguyên nhân, nhầm mã hoặc thiếu đơn vị.
    """
    from etl.load import reconciliation, warehouse

    when = Period.parse(period)
    _ready()
    with warehouse.transaction() as connection:
        result = reconciliation.reconcile(connection, when, budget_year, clock.now())
    reconciliation.require_statement(result)
    if as_json:
        _print_json(reconciliation.as_json(result))
    else:
        typer.echo(reconciliation.as_text(result))
    raise typer.Exit(0 if reconciliation.acceptable(result) else 1)


@airflow_app.command("run")
@_guarded
def airflow_run(
    period: Annotated[list[str], typer.Option("--period", help="Kỳ phát hành, có thể lặp lại.")],
) -> None:
    """Chạy trọn một vòng qua bộ lập lịch Airflow thật: nhận tệp, tổng hợp, phê duyệt, phát hành."""
    from etl import local_airflow

    raise typer.Exit(local_airflow.run_month([str(Period.parse(p)) for p in period]))


@airflow_app.command("up")
@_guarded
def airflow_up() -> None:
    """Giữ Airflow chạy trên máy này để xem (127.0.0.1); Ctrl-C để dừng."""
    from etl import local_airflow

    raise typer.Exit(local_airflow.up())


def _ready() -> None:
    """The warehouse that a command is about to use is up to date; costs a fraction of a second when it is."""
    from etl import steps
    from etl.load import warehouse
    from etl.reference import province
    from etl.validate import catalogue

    province.load()  # a wrong TIENDO_PROVINCE is told before anything is asked
    catalogue.load()  # and so is a rule file that is not sound
    if not warehouse.is_current():
        steps.prepare(clock.now())
