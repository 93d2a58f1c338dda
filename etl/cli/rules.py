"""The rules of the checks: listed, printed as a page, tried on earlier periods."""

from __future__ import annotations

from typing import Annotated

import typer

from etl.cli.conventions import Json, guarded, print_json, ready
from etl.period import Period

app = typer.Typer(no_args_is_help=True, help="Danh mục quy tắc kiểm tra.")


@app.command("list")
@guarded
def list_rules(as_json: Json = False) -> None:
    """Các quy tắc: mã, nhóm (statement: sao kê Kho bạc), mức, trạng thái, lý do."""
    from etl.validate import catalogue

    rows = [dict(zip(catalogue.RULE_COLUMNS, row, strict=True)) for row in catalogue.listed()]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        told = f"{row['expectation_id']:<22} {row['suite']:<12} {row['severity']:<8} {row['state']:<7}"
        typer.echo(f"{told} {row['reason_vi']}")


@app.command("readme")
@guarded
def print_page() -> None:
    """In trang expectations/README.md từ các tệp JSON (make rules ghi lại trang này)."""
    from etl.validate import rules_page

    typer.echo(rules_page.text(), nl=False)


@app.command("backtest")
@guarded
def backtest(
    rule: Annotated[str, typer.Option(help="Mã quy tắc hoặc mã kỳ vọng, ví dụ CK20 hoặc CK20-jump.")],
    period: Annotated[list[str] | None, typer.Option(help="Kỳ báo cáo; lặp lại được; mặc định mọi kỳ đã có.")] = None,
    as_json: Json = False,
) -> None:
    """Quy tắc sẽ báo gì ở các kỳ trước, và bao nhiêu chỗ về sau đã được sửa; không ghi gì vào kho dữ liệu."""
    from etl import steps
    from etl.validate import backtest, catalogue

    periods = [Period.parse(text) for text in period or []]
    rule = catalogue.to_backtest(rule)
    ready()
    hits = steps.backtest(rule, periods)
    totals = backtest.totals(hits)
    if as_json:
        print_json({"rule": rule, "periods": totals, "hits": [hit.as_json() for hit in hits]})
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
