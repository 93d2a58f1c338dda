"""Rows of the marts as known at a moment, and figures of one kind made from their columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from psycopg.rows import dict_row

from etl.load.warehouse import Connection
from etl.period import Period
from etl.publish.figure import Dims, Figure

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Reader:
    """Reads marts for one period and budget year as known at a moment."""

    connection: Connection
    period: Period
    budget_year: int
    known_at: datetime

    def mart(self, name: str, arguments: str = "%(known_at)s", more: str = "", **values: Any) -> list[dict[str, Any]]:
        """Rows of ``mart.<name>`` of the period and budget year."""
        return self.rows(
            f"select m.* from mart.{name}({arguments}) as m "
            f"where m.period = %(period)s and m.budget_year = %(budget_year)s {more}",
            **values,
        )

    def rows(self, statement: str, **values: Any) -> list[dict[str, Any]]:
        cursor = self.connection.cursor(row_factory=dict_row)
        bound = {"period": str(self.period), "budget_year": self.budget_year, "known_at": self.known_at, **values}
        return cursor.execute(statement, bound).fetchall()


def text_figure(metric: str, text: str | None, source: str, by: Dims = ()) -> Figure:
    return Figure(metric, "text", source, by, text=text)


def date_figure(metric: str, day: date | None, source: str, by: Dims = ()) -> Figure:
    return Figure(metric, "date", source, by, text=day.isoformat() if day else None)


def number_figure(metric: str, unit: str, value: Any, source: str, by: Dims = ()) -> Figure:
    return Figure(metric, unit, source, by, value=None if value is None else Decimal(value))
