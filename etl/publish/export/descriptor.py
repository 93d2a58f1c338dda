"""``datapackage.json``: the Data Package descriptor of an export, valid for Frictionless (Data Package 1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from etl.publish.export.tables import Column, Scope, Table
from etl.publish.export.values import moment

DELIMITER, DECIMAL = ";", ","
_TYPES = {
    "text": "string", "integer": "integer", "vnd": "integer", "decimal": "number", "bool": "boolean", "date": "date",
    "moment": "datetime", "list": "array", "object": "object",
}  # fmt: skip
_PATTERNS = {"period": r"^\d{4}-\d{2}$", "commune_code": r"^\d{5}$"}
_NEVER_NEGATIVE = ("count", "days")


def package(
    scope: Scope, issuer: str, resources: list[dict[str, Any]], coverage: Mapping[str, Any] | None
) -> dict[str, Any]:
    """The descriptor; ``created`` is the moment up to which the warehouse knew, so that the same figures give the same
    bytes."""
    return {
        "profile": "data-package",
        "name": f"tiendo-{scope.name}",
        "title": f"Số liệu tiến độ các chương trình mục tiêu quốc gia, {scope.name}",
        "description": (
            "Số tiền là đồng, không làm tròn. Ô trống là không có số liệu, không phải là 0. Trong CSV, văn bản bắt đầu "
            "bằng = + - @ có thêm dấu ' ở trước để Excel không hiểu là công thức. | Amounts are whole đồng. Blank is "
            "no figure, never 0. In CSV a text that begins with = + - @ has an apostrophe before it, lest Excel take "
            "it for a formula."
        ),
        "created": moment(scope.known_at),
        "licenses": [{"name": "other-closed", "title": "Số liệu của cơ quan nhà nước, sử dụng theo quy định"}],
        "contributors": [{"title": issuer, "role": "publisher"}],
        "sources": [
            {"title": "Báo cáo tháng của UBND các xã, phường (Biểu 01 đến Biểu 05)"},
            {"title": "Quyết định giao vốn của tỉnh; sao kê của Kho bạc Nhà nước"},
        ],
        "tiendo": {
            "release": scope.release_id, "period": scope.period, "budgetYear": scope.budget_year,
            "asOf": scope.as_of.isoformat(), "knownAt": moment(scope.known_at), "coverage": coverage,
        },
        "resources": resources,
    }  # fmt: skip


def resource(table: Table, kind: str, path: str, size: int, sha256: str) -> dict[str, Any]:
    """Of the CSV file (``kind`` csv) or the Parquet file of a table."""
    head = {
        "name": table.name if kind == "csv" else f"{table.name}-parquet",
        "title": table.vi,
        "description": table.en,
        "path": path,
        "format": kind,
        "bytes": size,
        "hash": f"sha256:{sha256}",
    }
    if kind == "parquet":
        return {
            **head,
            "type": "file",  # Frictionless checks size and hash; its own reader of Parquet makes NaN of blank integers
            "profile": "data-resource",
            "mediatype": "application/vnd.apache.parquet",
            "schema": _schema(table, text=False),
        }
    return {
        **head,
        "profile": "tabular-data-resource",
        "mediatype": "text/csv",
        "encoding": "utf-8-sig",
        "dialect": {"delimiter": DELIMITER, "lineTerminator": "\r\n", "quoteChar": '"', "doubleQuote": True,
                    "header": True},
        "schema": _schema(table, text=True),
    }  # fmt: skip


def _schema(table: Table, *, text: bool) -> dict[str, Any]:
    schema: dict[str, Any] = {"fields": [_field(c, table.key, text=text) for c in table.columns], "missingValues": [""]}
    return schema | {"primaryKey": list(table.key)} if table.key else schema


def _field(column: Column, key: tuple[str, ...], *, text: bool) -> dict[str, Any]:
    kind = _TYPES[column.kind]
    if not text and column.kind == "vnd":
        kind = "number"  # a decimal of Parquet
    constraints: dict[str, Any] = {}
    if column.name in key:
        constraints["required"] = True
    if column.name in _PATTERNS:
        constraints["pattern"] = _PATTERNS[column.name]
    if column.unit in _NEVER_NEGATIVE and column.kind == "integer":
        constraints["minimum"] = 0
    told: dict[str, Any] = {"name": column.name, "type": kind, "title": column.vi, "description": column.en}
    if column.unit:
        told["unit"] = column.unit
    if text and column.kind == "decimal":
        told["decimalChar"] = DECIMAL
    if constraints:
        told["constraints"] = constraints
    return told
