"""Any file system that fsspec can open: SFTP, S3-compatible stores and others.

``received_at`` is the time of the file or object on the server. On SFTP a file that was touched in the last seconds is
an upload under way and left for the next turn, as is one that changes while it is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from etl.collect import names
from etl.collect.inbox.address import reaching
from etl.collect.inbox.arrival import Arrival, Item, StillArrivingError, UnreadableError, is_ignored, key_of

SFTP_QUIET_SECONDS = 30
"""Programs that upload write every second or so; this long without a write and the file is whole."""

TIMEOUT_SECONDS = 20
_PIECE_BYTES = 1024 * 1024
_DEEPEST = 10


class Files:
    """``connect`` opens the file system, ``root`` is the folder in it. ``secrets`` are kept out of error texts.

    ``is_store``: an object store, where a folder without objects does not exist and is simply empty.
    """

    def __init__(
        self,
        name: str,
        connect: Callable[[], Any],
        root: str,
        *,
        quiet_seconds: int = 0,
        is_store: bool = False,
        secrets: Sequence[str] = (),
    ) -> None:
        self._name = name
        self._connect = connect
        self._root = root.rstrip("/") or ("/" if root.startswith("/") else "")
        self._quiet_seconds = quiet_seconds
        self._is_store = is_store
        self._secrets = tuple(secrets)
        self._system: Any = None
        self._found: dict[str, Mapping[str, Any]] = {}

    @property
    def name(self) -> str:
        return self._name

    def items(self, now: datetime) -> Iterator[Item]:
        """Files of the folder and its subfolders in the order of their paths. A file touched a moment ago and a
        subfolder that may not be listed are items too, which cannot be read yet, or at all."""
        with reaching(self._name, self._secrets):
            self._system = self._connect()
            found = sorted(self._all(), key=lambda info: str(info["name"]))
        for info in found:
            if info["type"] == "closed":
                yield Item(names.shown(self._inside(info)) + "/", "")
                continue
            parts = tuple(names.shown(part) for part in self._inside(info).split("/"))
            if is_ignored(parts):
                continue
            key = key_of(parts, self._found)
            is_fresh = self._is_fresh(info, now)
            self._found[key] = {**info, "parts": parts, "type": "fresh" if is_fresh else "file"}
            yield Item(key, "" if is_fresh else _revision(info), info.get("size"))

    def _all(self) -> Iterator[Mapping[str, Any]]:
        try:
            listing = self._system.ls(self._root, detail=True)
        except FileNotFoundError:
            if not self._is_store:
                raise
            self._system.ls(self._root.partition("/")[0])  # raises when the bucket itself is not there
            return
        yield from self._walk(listing, self._root, 0)

    def _walk(self, listing: Sequence[Mapping[str, Any]], folder: str, depth: int) -> Iterator[Mapping[str, Any]]:
        """Files under ``folder``; a subfolder that may not be listed has the type ``closed``."""
        for info in listing:
            if str(info["name"]).rstrip("/") == folder.rstrip("/"):
                continue
            if info["type"] == "link":
                try:
                    info = {**self._system.info(info["name"]), "name": info["name"]}
                except FileNotFoundError:
                    continue
            if info["type"] == "directory" and depth < _DEEPEST:
                inner = str(info["name"]).rstrip("/")
                try:
                    below = self._system.ls(inner, detail=True)
                except (PermissionError, FileNotFoundError):
                    yield {"name": inner, "type": "closed"}
                    continue
                yield from self._walk(below, inner, depth + 1)
            elif info["type"] == "file":
                yield info

    def _inside(self, info: Mapping[str, Any]) -> str:
        return str(info["name"])[len(self._root) :].lstrip("/")

    def _is_fresh(self, info: Mapping[str, Any], now: datetime) -> bool:
        """A time ahead of ours is a wrong clock and not an upload."""
        modified = _modified(info)
        return modified is not None and abs((now - modified).total_seconds()) < self._quiet_seconds

    def arrivals(self, item: Item) -> Iterator[Arrival]:
        info = self._found.get(item.key)
        if info is None:
            raise UnreadableError(item.key)
        if info["type"] == "fresh":
            raise StillArrivingError(item.key)
        *folders, file_name = info["parts"]
        yield Arrival(
            file_name=file_name,
            path=item.key,
            received_at=_modified(info) or datetime.max.replace(tzinfo=UTC),
            pieces=partial(self._pieces, info),
            folders=tuple(folders),
            size_bytes=item.size_bytes,
        )

    def _pieces(self, info: Mapping[str, Any]) -> Iterator[bytes]:
        path, count = str(info["name"]), 0
        with reaching(self._name, self._secrets):
            try:
                handle = self._system.open(path, "rb", block_size=_PIECE_BYTES)
            except (PermissionError, FileNotFoundError):
                handle = None
        if handle is None:
            raise UnreadableError(path)
        try:
            while True:
                with reaching(self._name, self._secrets):
                    piece = handle.read(_PIECE_BYTES)
                if not piece:
                    break
                count += len(piece)
                yield piece
            with reaching(self._name, self._secrets):
                after = self._system.info(path)
        finally:
            with reaching(self._name, self._secrets):
                handle.close()
        if _revision(after) != _revision(info) or count != (info.get("size") or count):
            raise StillArrivingError(path)

    def close(self) -> None:
        self._system = None
        self._found.clear()


def _modified(info: Mapping[str, Any]) -> datetime | None:
    for key in ("LastModified", "last_modified", "mtime", "modified", "created"):
        value = info.get(key)
        if isinstance(value, int | float):
            return datetime.fromtimestamp(value, UTC)
        if isinstance(value, datetime):
            return value if value.tzinfo else value.replace(tzinfo=UTC)
    return None


def _revision(info: Mapping[str, Any]) -> str:
    modified = _modified(info)
    etag = str(info.get("ETag") or "").strip('"')
    return ".".join(filter(None, [str(info.get("size")), modified.isoformat() if modified else "", etag]))


def sftp(host: str, port: int | None, user: str, **options: Any) -> Any:
    """SFTP by sshfs (asyncssh). Left to itself sshfs trusts any server, so the known hosts are always said.

    ``known_hosts``: a file, keys as asyncssh takes them, or the default: the known_hosts file of this account.
    """
    from sshfs import SSHFileSystem

    return SSHFileSystem(host, **{**sftp_options(), "port": port or 22, "username": user or None, **options})


def sftp_options() -> dict[str, Any]:
    """What every SFTP connection gets: known hosts only, limits of time, names in any encoding, no shared instance."""
    return {
        "known_hosts": (),
        "connect_timeout": TIMEOUT_SECONDS,
        "login_timeout": TIMEOUT_SECONDS,
        "keepalive_interval": 10,
        "keepalive_count_max": 3,
        "sftp_client_kwargs": {"path_errors": "surrogateescape"},
        "skip_instance_cache": True,
    }


def s3(key: str | None, secret: str | None, endpoint: str | None, region: str | None, **options: Any) -> Any:
    """An S3-compatible store by s3fs. Without ``key`` the account comes from where AWS clients look for it."""
    from s3fs import S3FileSystem

    system = S3FileSystem(
        key=key or None,
        secret=secret or None,
        endpoint_url=endpoint or None,
        client_kwargs={"region_name": region} if region else {},
        config_kwargs={
            "connect_timeout": TIMEOUT_SECONDS,
            "read_timeout": TIMEOUT_SECONDS,
            "retries": {"max_attempts": 1},
        },
        use_listings_cache=False,
        skip_instance_cache=True,
        **options,
    )
    system.retries = 2  # by default five, with growing pauses; the next turn is soon enough
    return system
