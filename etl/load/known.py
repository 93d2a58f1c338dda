"""What the warehouse knows before reports are judged: the register of plans, the tasks, the months before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from etl import clock
from etl.collect.report import Report
from etl.load import treasury
from etl.load.warehouse import Connection
from etl.period import Period
from etl.reference.province import Province
from etl.validate.controls.roadmap import MONTHS
from etl.validate.known import CUMULATIVE_KEYS, PLAN_KEYS, Before, Known, Task
from etl.validate.treasury import Balances

_PLAN_KEY = {
    "NSTW": "plan_nstw",
    "NST": "plan_nst",
    "NSX": "plan_nsx",
    "KD_NSTW": "carry_nstw",
    "KD_NSDP": "carry_nsdp",
}
ALWAYS = "infinity"
Moment = datetime | str


def of(
    connection: Connection,
    reports: Sequence[Report],
    province: Province,
    received: Sequence[datetime],
    known_at: Moment = ALWAYS,
) -> list[Known]:
    """For each report, in their order; a handful of queries for each period and budget year among them.

    ``received``: when each came. ``known_at``: what was known at that moment; everything unless given.
    """
    windows: dict[tuple[str, int], _Window] = {}
    tasks = _tasks_by_day(connection, known_at)
    result = []
    for report, moment in zip(reports, received, strict=True):
        if report.refused or report.period is None or report.budget_year is None:
            as_of = report.as_of or clock.local_date(moment)
            result.append(Known(tasks=tasks(as_of), received_on=clock.local_date(moment)))
            continue
        key = (str(report.period), report.budget_year)
        if key not in windows:
            windows[key] = _Window.of(connection, report.period, report.budget_year, province, known_at)
        window = windows[key]
        known = window.known(report.commune_code or "")
        result.append(replace(known, tasks=tasks(window.as_of), received_on=clock.local_date(moment)))
    return result


def _tasks_by_day(connection: Connection, known_at: Moment) -> Callable[[date], Mapping[str, Task]]:
    """The register with the deadlines in force on a day; each day is asked for once."""
    found: dict[date, dict[str, Task]] = {}

    def on(day: date) -> Mapping[str, Task]:
        if day not in found:
            rows = connection.execute(
                "select task_id, assigned_on, due_date, deadline_phrase_vi from mart.task_state(%s, %s)",
                (day, known_at),
            )
            found[day] = {row[0].upper(): Task(*row) for row in rows}
        return found[day]

    return on


Lines = dict[str, dict[str, dict[str, Any]]]
"""Commune -> code -> values."""


@dataclass(frozen=True)
class _Window:
    """Everything known before reports of one period and budget year, for all communes."""

    as_of: date
    plan: Lines
    plan_above: Lines
    before: Mapping[str, Before]
    decided: Mapping[str, frozenset[str]]
    last_year: Mapping[str, Mapping[str, int]]
    roadmap: Lines
    tasks_before: Mapping[str, Mapping[str, _Reported]]
    proposals_before: Mapping[str, Mapping[str, str]]
    treasury: Mapping[str, Balances]

    def known(self, commune: str) -> Known:
        return Known(
            plan=self.plan.get(commune, {}),
            plan_above=self.plan_above.get(commune, {}),
            decided=self.decided.get(commune, frozenset()),
            before=self.before.get(commune),
            is_first_of_year=commune not in self.before,
            last_year=self.last_year.get(commune, {}),
            roadmap=self.roadmap.get(commune, {}),
            tasks_before=self.tasks_before.get(commune, {}),
            proposals_before=self.proposals_before.get(commune, {}),
            treasury=self.treasury.get(commune),
        )

    @classmethod
    def of(
        cls, connection: Connection, period: Period, budget_year: int, province: Province, known_at: Moment
    ) -> _Window:
        as_of = province.window(period, budget_year).as_of
        is_closing = budget_year != period.year
        plan, plan_above = _plans(connection, budget_year, as_of, province, known_at)
        asked = {"period": str(period), "year": budget_year, "as_of": as_of, "known_at": known_at}
        return cls(
            as_of,
            plan,
            plan_above,
            _befores(connection, period, asked),
            _decided(connection, asked),
            _last_year(connection, asked),
            _roadmaps(connection, asked),
            {} if is_closing else _tasks_before(connection, asked),
            {} if is_closing else _proposals_before(connection, asked),
            treasury.known_at(connection, budget_year, as_of, known_at),
        )


def _plans(
    connection: Connection, budget_year: int, as_of: date, province: Province, known_at: Moment
) -> tuple[Lines, Lines]:
    """By leaf line, and by node that the commune has to split."""
    leaves = set(province.leaf_codes)
    plan: Lines = defaultdict(lambda: defaultdict(dict))
    above: Lines = defaultdict(lambda: defaultdict(dict))
    for commune, project, kind, source, amount in connection.execute(
        """
        select commune_code, project_code, capital_kind, source, amount_vnd::bigint
        from mart.allocation_at(%s, %s) where budget_year = %s
        """,
        (as_of, known_at, budget_year),
    ):
        where = plan if project in leaves else above
        where[commune][f"{project}-{kind}"][_PLAN_KEY[source]] = amount
    return plan, above


_BEFORE = """
with latest as (
    select distinct on (f.commune_code) f.commune_code, f.period, f.submission_id
    from core.in_force(%(known_at)s) as f
    where f.budget_year = %(year)s and f.period < %(period)s
    order by f.commune_code, f.period desc
)

"""


_MONTH_BEFORE = _BEFORE.replace("f.budget_year = %(year)s", "f.budget_year = left(f.period, 4)::integer")
"""The same of a month's main report, whatever its budget year: tasks and proposals belong to the month."""
_Reported = tuple[str | None, str | None]


def _befores(connection: Connection, period: Period, asked: Mapping[str, Any]) -> dict[str, Before]:
    periods = dict(connection.execute(f"{_BEFORE} select commune_code, period from latest", asked))
    if not periods:
        return {}
    lines = _by_commune(connection, asked, "disbursement", "line_code", (*PLAN_KEYS, *CUMULATIVE_KEYS), int)
    outputs = _by_commune(connection, asked, "output_indicator", "indicator_code", ("actual_ytd", "actual_phase"))
    earlier = _earlier(connection, asked)
    return {
        commune: Before(
            before,
            before == str(period.previous),
            lines[commune],
            outputs[commune],
            earlier.get(commune, {}),
        )
        for commune, before in periods.items()
    }


def _tasks_before(connection: Connection, asked: Mapping[str, Any]) -> dict[str, dict[str, _Reported]]:
    found: dict[str, dict[str, _Reported]] = defaultdict(dict)
    columns = ("task_id", "status", "deadline_text")
    for commune, code, status, phrase in _rows(connection, asked, "task_report", columns, _MONTH_BEFORE):
        found[commune][code.upper()] = (status, phrase)
    return found


def _proposals_before(connection: Connection, asked: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = defaultdict(dict)
    columns = ("issue_id", "state", "proposal")
    for commune, code, state, text in _rows(connection, asked, "proposal", columns, _MONTH_BEFORE):
        if state not in ("Đã giải quyết", "Không thuộc thẩm quyền"):
            found[commune][code] = text or ""
    return found


def _rows(
    connection: Connection, asked: Mapping[str, Any], table: str, columns: Sequence[str], latest: str = _BEFORE
) -> Iterator[tuple[Any, ...]]:
    """(commune, columns…) of the facts of the reports before."""
    names = ", ".join(f"t.{name}" for name in columns)
    query = (
        f"{latest} select l.commune_code, {names} from latest as l "
        f"inner join core.{table} as t on l.submission_id = t.submission_id"
    )
    # The year makes PostgreSQL look into one partition only.
    yield from connection.execute(query + (" and t.budget_year = %(year)s" if table == "disbursement" else ""), asked)


def _by_commune(
    connection: Connection,
    asked: Mapping[str, Any],
    table: str,
    code: str,
    keys: Sequence[str],
    convert: Callable[[Decimal], Any] = Decimal,
) -> Lines:
    found: Lines = defaultdict(dict)
    for commune, line, *values in _rows(connection, asked, table, (code, *keys)):
        found[commune][line] = {
            key: convert(value) for key, value in zip(keys, values, strict=True) if value is not None
        }
    return found


def _earlier(connection: Connection, asked: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """Cumulative of each line one month before the report before."""
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for commune, line, paid in connection.execute(
        _BEFORE
        + """
        select e.commune_code, d.line_code, d.disb_ytd::bigint
        from latest as l
        inner join core.in_force(%(known_at)s) as e
            on
                l.commune_code = e.commune_code and e.budget_year = %(year)s
                and e.period = to_char(to_date(l.period, 'YYYY-MM') - interval '1 month', 'YYYY-MM')
        inner join core.disbursement as d on e.submission_id = d.submission_id and d.budget_year = %(year)s
        where d.disb_ytd is not null
        """,
        asked,
    ):
        found[commune][line] = paid
    return found


def _decided(connection: Connection, asked: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    """Lines with a decision that came into force, or became known, after the report before."""
    found: dict[str, set[str]] = defaultdict(set)
    for commune, code in connection.execute(
        _BEFORE
        + """
        select a.commune_code, a.project_code || '-' || a.capital_kind
        from latest as l
        inner join raw.submission as s on l.submission_id = s.submission_id
        inner join ref.allocation as a
            on
                l.commune_code = a.commune_code and a.budget_year = %(year)s and a.effective_on <= %(as_of)s
                and a.loaded_at <= %(known_at)s and (a.effective_on > s.as_of or a.loaded_at > s.known_at)
        group by 1, 2
        """,
        asked,
    ):
        found[commune].add(code)
    return {commune: frozenset(codes) for commune, codes in found.items()}


def _last_year(connection: Connection, asked: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """Last cumulative of each line in the budget year before; asked for at the beginning of a year only."""
    if int(asked["period"][:4]) != asked["year"] or asked["period"][5:] > "03":
        return {}
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for commune, line, paid in connection.execute(
        _BEFORE.replace("%(year)s", "%(year)s - 1")
        + """
        select l.commune_code, d.line_code, d.disb_ytd::bigint
        from latest as l
        inner join core.disbursement as d on l.submission_id = d.submission_id and d.budget_year = %(year)s - 1
        where d.disb_ytd is not null
        """,
        asked,
    ):
        found[commune][line] = paid
    return found


def _roadmaps(connection: Connection, asked: Mapping[str, Any]) -> Lines:
    """The roadmap in force of each commune: that of the latest earlier report which has one; it is sent whole."""
    found: Lines = defaultdict(dict)
    columns = ", ".join(f"t.{key}::bigint" for key in MONTHS)
    for commune, line, *amounts in connection.execute(
        f"""
        with sent as (
            select distinct on (f.commune_code) f.commune_code, f.submission_id
            from core.in_force(%(known_at)s) as f
            where
                f.budget_year = %(year)s and f.period < %(period)s
                and exists (select 1 from core.roadmap as r where r.submission_id = f.submission_id)
            order by f.commune_code, f.period desc
        )

        select s.commune_code, t.line_code, {columns}
        from sent as s
        inner join core.roadmap as t on s.submission_id = t.submission_id
        """,
        asked,
    ):
        found[commune][line] = {key: one for key, one in zip(MONTHS, amounts, strict=True) if one is not None}
    return found
