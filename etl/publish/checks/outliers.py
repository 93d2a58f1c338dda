"""Figures of one commune that are unlike those of its peers (BT01 to BT03), robust against many zeros and wild values.

BT01: disbursed in the month as a share of the line's plan; BT03: advances not yet recovered as a share of what was
disbursed; peers of both are the lines of the same programme and capital kind in all communes. BT02: disbursed money
per unit of output; peers are the communes with the same indicator.

Zeros say that nothing happened yet; they are neither judged nor peers (a hurdle). What is left is put on a scale on
which a slip by a factor is a step of one size (logit of a share, logarithm of a cost) and measured from the median of
its peers in median absolute deviations (modified z-score: 1.4826 MAD = one standard deviation of a normal spread).
Neither the median nor the MAD moves when a few of the peers are wrong, which the mean and the standard deviation do.
The MAD is taken as at least ``outlier_spread_min``, so that peers who agree closely do not make every other figure
unusual; a difference of less than ``outlier_amount_min_vnd`` is nobody's concern; fewer than ``outlier_peers_min``
peers are no measure.

Measured on clean sample months (65 communes, 2025-08 to 2025-10, five seeds; ``tests/unit/test_outliers.py`` holds the
bounds): false alarms among judged figures BT01 0.04 %, BT02 0.34 %, BT03 0.00 %. Slips by ten that stay consistent, so
that no other rule stops them, are found: BT01 93 % of x10 and 75 % of /10, BT03 82 % and 59 %, BT02 26 % and 25 %: in
the sample plans and targets are drawn apart, so that one unit of output costs two or three times as much in one commune
as in the next.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Context, Decimal
from statistics import median
from typing import Any

from psycopg.rows import dict_row

from etl import money
from etl.load.warehouse import Connection
from etl.period import Period

_EXACT = Context(prec=16)
"""Decimal logarithms are the same on every machine; those of binary floats need not be."""
_MAD_TO_SPREAD = Decimal("1.4826")
_LEAST, _MOST = Decimal("0.002"), Decimal("0.998")
"""Shares beyond are taken for these: the logit of nothing and of all is infinite."""


@dataclass(frozen=True)
class Line:
    """A leaf line of Biểu 01 in force; amounts in đồng, None where blank. ``cells``: column key -> cell."""

    commune_code: str
    programme_code: str
    project_code: str
    capital_kind: str
    line_code: str
    plan_total: int | None
    disb_period: int | None
    disb_ytd: int | None
    disb_advance: int | None
    submission_id: int | None = None
    sheet: str | None = None
    cells: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Output:
    """A row of Biểu 02 in force. ``unit`` is never a share: shares are not bought by the piece."""

    commune_code: str
    indicator_code: str
    indicator_vi: str
    project_code: str
    unit: str
    actual_ytd: Decimal | None
    submission_id: int | None = None
    sheet: str | None = None
    cells: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Scale:
    """``of`` puts a ratio on the scale, ``back`` takes it off again; both strictly increasing."""

    of: Callable[[Decimal], Decimal]
    back: Callable[[Decimal], Decimal]


def _logit(share: Decimal) -> Decimal:
    inside = min(max(share, _LEAST), _MOST)
    return (inside / (1 - inside)).ln(_EXACT)


def _logistic(value: Decimal) -> Decimal:
    odds = value.exp(_EXACT)
    return odds / (1 + odds)


LOGIT = Scale(_logit, _logistic)
LOG = Scale(lambda cost: cost.ln(_EXACT), lambda value: value.exp(_EXACT))


@dataclass(frozen=True)
class _Measured:
    """``part`` over ``whole`` of one row, and whom it is compared with."""

    peers: tuple[str, ...]
    part: int
    whole: int | Decimal
    source: Line | Output


def read(
    connection: Connection, period: Period, budget_year: int, known_at: datetime
) -> tuple[list[Line], list[Output]]:
    """Lines and outputs of the reports in force at ``known_at``, with their cells where the layout is known."""
    values = {"period": str(period), "budget_year": budget_year, "known_at": known_at}
    cursor = connection.cursor(row_factory=dict_row)
    lines = [
        Line(
            row["commune_code"],
            row["programme_code"],
            row["project_code"],
            row["capital_kind"],
            row["line_code"],
            _whole(row["plan_total"]),
            _whole(row["disb_period"]),
            _whole(row["disb_ytd"]),
            _whole(row["disb_advance"]),
            row["submission_id"],
            row["sheet"],
            _cells(row),
        )
        for row in cursor.execute(
            """
            select
                l.commune_code, l.programme_code, l.subproject_code as project_code, l.capital_kind,
                l.line_code, l.plan_total, l.disb_period, l.disb_ytd, l.disb_advance, l.submission_id, l.row_no,
                y.sheet, y.columns
            from mart.disbursement_line_at(%(known_at)s) as l
            left join raw.sheet_layout as y on l.submission_id = y.submission_id and y.form = 'B01'
            where l.period = %(period)s and l.budget_year = %(budget_year)s and l.row_no is not null
            order by l.commune_code, l.row_no
            """,
            values,
        )
    ]  # fmt: skip
    outputs = [
        Output(
            row["commune_code"], row["indicator_code"], row["indicator_vi"], row["project_code"],
            row["unit"], row["actual_ytd"], row["submission_id"], row["sheet"], _cells(row),
        )
        for row in cursor.execute(
            """
            select
                o.commune_code, o.indicator_code, i.name_vi as indicator_vi, i.project_code,
                i.unit, o.actual_ytd, o.submission_id, o.row_no, y.sheet, y.columns
            from core.output_indicator as o
            inner join core.in_force(%(known_at)s) as s on o.submission_id = s.submission_id
            inner join ref.indicator_known_at(%(known_at)s) as i
                on
                    o.indicator_code = i.indicator_code and s.as_of >= i.valid_from
                    and (i.valid_to is null or s.as_of <= i.valid_to)
            left join raw.sheet_layout as y on o.submission_id = y.submission_id and y.form = 'B02'
            where o.period = %(period)s and o.budget_year = %(budget_year)s and i.unit <> '%%'
            order by o.commune_code, o.row_no
            """,
            values,
        )
    ]  # fmt: skip
    return lines, outputs


def thresholds(connection: Connection, period: Period, budget_year: int, known_at: datetime) -> dict[str, Decimal]:
    """Thresholds in force on the day of the period, as known at ``known_at``; before the first of a kind that one.

    Empty for a period that the calendar does not have.
    """
    rows = connection.execute(
        """
        select distinct on (h.threshold_code) h.threshold_code, h.value
        from ref.reporting_calendar_known_at(%(known_at)s) as w
        cross join ref.threshold_known_at(%(known_at)s) as h
        where w.period = %(period)s and w.budget_year = %(budget_year)s
        order by
            h.threshold_code, w.as_of >= h.valid_from and (h.valid_to is null or w.as_of <= h.valid_to) desc,
            h.valid_from
        """,
        {"period": str(period), "budget_year": budget_year, "known_at": known_at},
    )
    return dict(rows.fetchall())


def _whole(amount: Decimal | None) -> int | None:
    return None if amount is None else int(amount)


def _cells(row: Mapping[str, Any]) -> dict[str, str] | None:
    return {key: f"{letter}{row['row_no']}" for key, letter in row["columns"].items()} if row["columns"] else None


def rows(lines: Sequence[Line], outputs: Sequence[Output], thresholds: Mapping[str, Decimal]) -> list[dict[str, Any]]:
    """Control rows of suite ``outliers``: one for each figure that has enough peers, with its score."""
    return [
        *_scored("month_score", "disb_period", _months(lines), LOGIT, thresholds),
        *_scored("unit_cost_score", "actual_ytd", _unit_costs(lines, outputs), LOG, thresholds),
        *_scored("advance_score", "disb_advance", _advances(lines), LOGIT, thresholds),
    ]


def _months(lines: Sequence[Line]) -> list[_Measured]:
    return [
        _Measured((line.programme_code, line.capital_kind), line.disb_period, line.plan_total, line)
        for line in lines
        if line.plan_total and line.plan_total > 0 and line.disb_period and line.disb_period > 0
    ]


def _advances(lines: Sequence[Line]) -> list[_Measured]:
    return [
        _Measured((line.programme_code, line.capital_kind), line.disb_advance, line.disb_ytd, line)
        for line in lines
        if line.disb_ytd and line.disb_ytd > 0 and line.disb_advance and line.disb_advance > 0
    ]


def _unit_costs(lines: Sequence[Line], outputs: Sequence[Output]) -> list[_Measured]:
    """What the whole project was paid, all its capital kinds, over each of its outputs."""
    paid: dict[tuple[str, str], int] = {}
    for line in lines:
        place = (line.commune_code, line.project_code)
        paid[place] = paid.get(place, 0) + (line.disb_ytd or 0)
    return [
        _Measured((output.indicator_code,), amount, output.actual_ytd, output)
        for output in outputs
        if output.actual_ytd and output.actual_ytd > 0
        and (amount := paid.get((output.commune_code, output.project_code), 0)) > 0
    ]  # fmt: skip


def _scored(
    column: str, key: str, measured: Sequence[_Measured], scale: Scale, thresholds: Mapping[str, Decimal]
) -> list[dict[str, Any]]:
    groups: dict[tuple[str, ...], list[_Measured]] = {}
    for one in measured:
        groups.setdefault(one.peers, []).append(one)
    result = []
    for _, group in sorted(groups.items()):
        if len(group) < thresholds["outlier_peers_min"]:
            continue
        places = [scale.of(Decimal(one.part) / Decimal(one.whole)) for one in group]
        middle = median(places)
        deviation = _MAD_TO_SPREAD * median(abs(place - middle) for place in places)
        spread = max(deviation, thresholds["outlier_spread_min"])
        reach = spread * thresholds["outlier_score"]
        bounds = [scale.back(point) for point in (middle - reach, middle, middle + reach)]
        for one, place in zip(group, places, strict=True):
            row = _row(one, key, bounds, len(group), by_share=scale is LOGIT)
            far = abs(one.part - bounds[1] * one.whole) >= thresholds["outlier_amount_min_vnd"]
            score = ((place - middle) / spread).quantize(Decimal("0.01"), ROUND_HALF_UP) if far else None
            result.append({column: score, **row})
    return result


def _row(one: _Measured, key: str, bounds: Sequence[Decimal], peers: int, *, by_share: bool) -> dict[str, Any]:
    """The amount and what is usual for it: in đồng of the whole line, or in đồng for one unit of output."""
    source = one.source
    ratio = Decimal(one.part) / Decimal(one.whole)
    amount, usual = (one.part, _round(bounds[1] * one.whole)) if by_share else (_round(ratio), _round(bounds[1]))
    low, middle, high = (_percent(b) if by_share else _cost(b) for b in bounds)
    row: dict[str, Any] = {
        "commune_code": source.commune_code,
        "submission_id": source.submission_id,
        "sheet": source.sheet,
        "cell": (source.cells or {}).get(key),
        "amount": amount,
        "amount_usual": usual,
        "amount_gap": amount - usual,
        "peers": str(peers),
        "low": low,
        "median": middle,
        "high": high,
    }
    if isinstance(source, Output):
        return row | {
            "form": "B02", "code": source.indicator_code, "indicator_vi": source.indicator_vi, "measure": source.unit,
            "cost": _cost(ratio),
        }  # fmt: skip
    return row | {"form": "B01", "code": source.line_code, "share": _percent(ratio)}


def _round(amount: Decimal) -> int:
    return int(amount.quantize(Decimal(1), ROUND_HALF_UP))


def _percent(share: Decimal) -> str:
    return f"{money.group_vi(share * 100, 2)} %"


def _cost(amount: Decimal) -> str:
    return f"{money.group_vi(amount / money.VND_PER_TRIEU, 2)} triệu đồng"
