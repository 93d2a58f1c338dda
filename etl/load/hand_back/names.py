"""Where the answers lie, and what each file is called: the same row of a delivery gives the same names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FOLDER = "tra-lai"
UNKNOWN_PERIOD = "khong-ro-ky"
_LONGEST_NAME_BYTES = 120
_IN_A_NAME = re.compile(r"[\x00-\x1f\x7f/\\:*?\"<>|]+")


def folder_of(out_dir: Path, period: str | None) -> Path:
    return out_dir / (period or UNKNOWN_PERIOD) / FOLDER


def marked_name(row: Mapping[str, Any]) -> str:
    return f"{_stem(row['judged_file_name'])}.{row['sha256'][:8]}.ket-qua.xlsx"


def receipt_name(row: Mapping[str, Any], suffix: str) -> str:
    return f"{_stem(row['file_name'])}.{row['sha256'][:8]}.{row['delivery_id']}.bien-nhan{suffix}"


def admission_name(row: Mapping[str, Any], suffix: str) -> str:
    return f"{_stem(row['judged_file_name'])}.{row['sha256'][:8]}.chap-nhan{suffix}"


def notice_name(row: Mapping[str, Any], suffix: str) -> str:
    stem, sha256 = _stem(row["replaced_file"]), row["replaced_sha256"]
    return f"{stem}.{sha256[:8]}.{row['replaced_delivery_id']}.thay-boi-{row['submission_id']}.bien-nhan{suffix}"


def _stem(file_name: str) -> str:
    """The sender's own name of the file, short enough and without what a file system takes amiss."""
    stem = _IN_A_NAME.sub("_", Path(file_name.replace("\\", "/")).stem).strip(". ") or "tep"
    return stem.encode("utf-8", "replace")[:_LONGEST_NAME_BYTES].decode("utf-8", "ignore")
