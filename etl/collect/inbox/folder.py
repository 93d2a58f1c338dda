"""A folder of this machine, or one that is mounted on it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from etl.collect import names
from etl.collect.inbox.address import reaching
from etl.collect.inbox.arrival import Arrival, Item, StillArrivingError, UnreadableError, is_ignored, key_of

_PIECE_BYTES = 1024 * 1024


class Folder:
    """``received_at`` is the modification time of the file: when the sender put it there, as the folder says."""

    def __init__(self, path: Path, name: str) -> None:
        self._path = path
        self._name = name
        self._files: dict[str, tuple[Path, tuple[str, ...]]] = {}

    @property
    def name(self) -> str:
        return self._name

    def items(self, now: datetime) -> Iterator[Item]:  # noqa: ARG002
        """Files of the folder and its subfolders, in the order of their names; a subfolder that may not be listed is
        an item too, which is UnreadableError."""
        closed: list[Path] = []
        with reaching(self._name):
            paths = sorted(self._found(closed))
        for path in closed:
            yield Item(names.shown(str(path.relative_to(self._path))) + "/", "")
        for path in paths:
            try:
                status = path.stat()
            except (PermissionError, FileNotFoundError):
                continue
            parts = tuple(names.shown(part) for part in path.relative_to(self._path).parts)
            key = key_of(parts, self._files)
            self._files[key] = path, parts
            yield Item(key, f"{status.st_size}.{status.st_mtime_ns}.{status.st_ctime_ns}", status.st_size)

    def _found(self, closed: list[Path]) -> Iterator[Path]:
        # A folder that is not there is a mount that is not there; os.walk would merely find nothing in it.
        with os.scandir(self._path):
            pass
        for folder, _, files in os.walk(self._path, onerror=lambda error: closed.append(Path(error.filename))):
            for file in files:
                path = Path(folder, file)
                if not is_ignored(path.relative_to(self._path).parts) and path.is_file():
                    yield path

    def arrivals(self, item: Item) -> Iterator[Arrival]:
        if item.key not in self._files:
            raise UnreadableError(item.key)
        path, (*folders, file_name) = self._files[item.key]
        try:
            modified = path.stat().st_mtime
        except OSError:
            raise UnreadableError(item.key) from None
        yield Arrival(
            file_name=file_name,
            path=item.key,
            received_at=datetime.fromtimestamp(modified, UTC),
            pieces=partial(self._pieces, path),
            folders=tuple(folders),
            size_bytes=item.size_bytes,
        )

    def _pieces(self, path: Path) -> Iterator[bytes]:
        with reaching(self._name):
            try:
                handle = path.open("rb")
            except (PermissionError, FileNotFoundError, IsADirectoryError):
                handle = None
        if handle is None:
            raise UnreadableError(path.name)
        with handle:
            before = os.fstat(handle.fileno())
            while True:
                with reaching(self._name):
                    piece = handle.read(_PIECE_BYTES)
                if not piece:
                    break
                yield piece
            after = os.fstat(handle.fileno())
            if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
                raise StillArrivingError(path.name)

    def close(self) -> None:
        self._files.clear()
