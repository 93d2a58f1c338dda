"""One value, in each of the ways in which it is written."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Context, Decimal
from typing import Any

from etl.errors import DataError
from etl.publish.export.tables import Column

_FORMULA = tuple("=+-@\t\r＝＋－＠")
"""How a text begins that Excel takes for a formula; the wide forms are typed in East Asian offices."""

_EXACT = Context(prec=60)
"""Wider than any number of the warehouse: Python's own context would round at 28 digits."""


def plain(value: Any, column: Column) -> str | None:
    """As text that loses nothing: decimals with a point, moments in UTC, lists and objects as JSON. None is blank.

    Raises DataError for a number that has more decimal places than the column: it would be rounded in silence.
    """
    if value is None:
        return None
    match column.kind:
        case "vnd" | "decimal":
            return _number(value, column)
        case "bool":
            return "true" if value else "false"
        case "date":
            return value.isoformat() if isinstance(value, date) else str(value)
        case "moment":
            return moment(value)
        case "list":
            return json.dumps([v.isoformat() if isinstance(v, date) else v for v in value], ensure_ascii=False)
        case "object":
            return json.dumps(value, ensure_ascii=False, sort_keys=True)
        case _:
            return str(value)


def _number(value: Any, column: Column) -> str:
    number = Decimal(value)
    exact = number.quantize(Decimal(1).scaleb(-column.scale), context=_EXACT)
    if exact != number:
        raise DataError(
            f"Cột {column.name}: {number} có nhiều hơn {column.scale} chữ số thập phân, không thể xuất đúng."
        )
    return f"{_EXACT.normalize(exact) if column.scale > 2 else exact:f}"


def moment(value: datetime) -> str:
    """``2025-11-12T02:00:00Z``; a fraction of a second only where there is one."""
    return value.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def for_csv(value: Any, column: Column) -> str:
    """As a Vietnamese Excel reads it: a decimal comma; a text that would be a formula is kept one by an apostrophe."""
    text = plain(value, column)
    if text is None:
        return ""
    if column.kind == "decimal":
        return text.replace(".", ",")
    return f"'{text}" if column.kind == "text" and text.startswith(_FORMULA) else text


def staged(row: Sequence[Any], columns: Sequence[Column]) -> str:
    r"""A line for the writer of Parquet: every value in quotes, so that a blank (``\N``) is no empty text."""
    texts = (plain(value, column) for value, column in zip(row, columns, strict=True))
    return ",".join(r"\N" if t is None else '"' + t.replace('"', '""') + '"' for t in texts) + "\n"
