"""The command ``tiendo``. Names, options and JSON are stable: other programs rely on them (DESIGN.md section 4).

Exit codes: 0 fine, 1 the data is not acceptable, 2 the input cannot be used or the call is wrong. Heavy libraries are
imported inside the commands that need them, so that each command starts as fast as it can.
"""

from __future__ import annotations

import typer

from etl.cli import (
    airflow,
    analysis,
    database,
    decisions,
    delivery,
    following,
    reference,
    register,
    release,
    reports,
    rules,
    words,
)

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Tiến độ: báo cáo tiến độ các chương trình mục tiêu quốc gia, từ tệp của xã đến báo cáo tổng hợp của tỉnh.",
)

# In the order in which `tiendo --help` lists them: the way of a month.
for command in (
    reports.sample,
    reports.template,
    reports.check,
    reports.collect,
    release.summarise,
    release.approve,
    release.publish,
    delivery.calendar,
    release.site,
    decisions.revisions,
    decisions.revise,
    decisions.withdraw,
    reports.findings,
    decisions.explain,
    decisions.override,
    register.tasks,
    register.directives,
    release.trace,
    analysis.dictionary,
    analysis.export,
    analysis.query,
    reference.reconcile,
    database.verify,
):
    app.command()(command)
app.command("follow-up")(following.follow_up)
app.add_typer(delivery.app, name="deliveries")
app.add_typer(following.app, name="register")
app.add_typer(database.app, name="db")
app.add_typer(reference.app, name="reference")
app.add_typer(airflow.app, name="airflow")
app.add_typer(rules.app, name="rules")
app.add_typer(words.app, name="words")
