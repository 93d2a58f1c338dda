"""What the nodes of a later programme tree go on with: column ``predecessor_codes`` of ``programmes.csv``.

``GNBV-DA2|DTTS-DA3``: all of both. ``GNBV-DA2 (một phần)``: a part of it. A node that two later ones name without that
mark was divided between them. Trees are beside each other: the earlier one goes on with its carried-over capital.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from etl.errors import UsageError
from etl.reference.province import read_csv

_PART = " (một phần)"


@dataclass(frozen=True)
class Change:
    """``to_code`` goes on with ``from_code``; ``is_whole``: with all of it, as far as ``to_code`` itself says."""

    from_code: str
    to_code: str
    is_whole: bool


def predecessor_codes(text: str) -> list[str]:
    """``GNBV|DTTS-DA1 (một phần)`` -> the codes alone."""
    return [part.removesuffix(_PART).strip() for part in text.split("|") if part.strip()]


def changes(folder: Path) -> tuple[Change, ...]:
    """All that the tree of ``folder`` says. Raises UsageError for a predecessor that is unknown, named twice, or that
    does not begin before its successor (so that there is no cycle)."""
    rows = read_csv(folder / "programmes.csv")
    begins = {row["code"]: row["valid_from"] for row in reversed(rows)}
    found = [change for row in rows for change in _of(row)]
    faults = list(_faults(found, begins))
    if faults:
        raise UsageError("\n".join((f"programmes.csv ({folder.name}), cột predecessor_codes có lỗi:", *faults)))
    return tuple(found)


def _of(row: dict[str, str]) -> Iterator[Change]:
    for part in row["predecessor_codes"].split("|"):
        if part.strip():
            yield Change(part.strip().removesuffix(_PART).strip(), row["code"], not part.strip().endswith(_PART))


def _faults(found: list[Change], begins: dict[str, str]) -> Iterator[str]:
    seen = set()
    for change in found:
        if change.from_code not in begins:
            yield f"{change.to_code}: cây chương trình không có mã {change.from_code}."
        elif begins[change.from_code] >= begins[change.to_code]:
            yield f"{change.to_code}: nội dung trước đó {change.from_code} phải bắt đầu sớm hơn {change.to_code}."
        if (change.from_code, change.to_code) in seen:
            yield f"{change.to_code}: {change.from_code} ghi hai lần."
        seen.add((change.from_code, change.to_code))
