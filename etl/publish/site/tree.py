"""Writing the site: each file beside its place and then renamed, and only where its content is another.

Pages that others lead to come first and the home page last, so that no reader meets a link to what is not there yet.
``SHA256SUMS`` names every file of the site; of an earlier one only those that it names are taken away.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from etl.errors import UsageError
from etl.files import write_whole

SUMS = "SHA256SUMS"
_LINE = re.compile(r"([0-9a-f]{64})  (.+)")


def sha256_of(path: Path) -> str | None:
    """Hash of a file as it lies on the disk; None when there is none."""
    try:
        with path.open("rb") as handle:
            return hashlib.file_digest(handle, "sha256").hexdigest()
    except (FileNotFoundError, IsADirectoryError):
        return None


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def sums(hashes: Mapping[str, str]) -> bytes:
    """Lines that ``sha256sum -c`` reads, sorted by name."""
    return "".join(f"{hashes[name]}  {name}\n" for name in sorted(hashes)).encode()


def put(target: Path, name: str, content: bytes) -> bool:
    """Whether the file had to be written: the same bytes are left alone."""
    path = target / name
    if sha256_of(path) == sha256(content):
        return False
    write_whole(path, content)
    return True


def before(target: Path) -> dict[str, str]:
    """Files of the site as an earlier run wrote it, with their hashes; a folder that is new or empty is marked as one.

    Raises UsageError for a folder that holds other things: nothing foreign is written over.
    """
    if not target.is_dir() or not any(target.iterdir()):
        put(target, SUMS, b"")
        return {}
    listed = target / SUMS
    if not listed.is_file():
        raise UsageError(f"Thư mục {target} đã có nội dung khác, không phải trang lưu trữ; hãy chọn thư mục trống.")
    lines = (_LINE.fullmatch(line) for line in listed.read_text(encoding="utf-8").splitlines())
    return {line[2]: line[1] for line in lines if line and _is_inside(line[2])}


def _is_inside(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts


def remove(target: Path, names: set[str]) -> None:
    """Files of an earlier run that the site no longer has, and the folders that they leave empty."""
    for name in sorted(names, reverse=True):
        path = target / name
        path.unlink(missing_ok=True)
        folder = path.parent
        while folder != target and folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
            folder = folder.parent
