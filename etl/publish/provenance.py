"""What a release was made with: who prepared it, version of the program, of the rules and of the wording."""

from __future__ import annotations

import getpass
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from psycopg.types.json import Jsonb

from etl import settings
from etl.load.warehouse import Connection
from etl.validate import catalogue

SYSTEM = "hệ thống"
"""Who prepared a release that nobody asked for by name: the schedule."""

_NOT_CODE = {".csv", ".pyc"}
"""Lists of the province are data: they are in the warehouse, with since when each row was known."""


@dataclass(frozen=True)
class Provenance:
    """A row of ``release.provenance``. ``words``: the templates of the wording, None for those of the program."""

    prepared_by: str
    code_version: str
    rules_sha256: str
    rule_versions: Mapping[str, Mapping[str, str]]
    words: Mapping[str, Any] | None = None
    run: str | None = None


def present(prepared_by: str, run: str | None = None, words: Mapping[str, Any] | None = None) -> Provenance:
    """That of a release made now, by this program."""
    return Provenance(prepared_by.strip() or SYSTEM, code_version(), rules_sha256(), rule_versions(), words, run)


@cache
def code_version() -> str:
    """``0.1.0+5f2c9e0b7a41``: the package's version and a hash over everything in ``etl/`` and ``sql/`` but data."""
    package = Path(settings.__file__).parent
    digest = hashlib.sha256()
    for root in (package, settings.assets() / "sql"):
        for path in sorted(p for p in root.rglob("*") if p.is_file() and p.suffix not in _NOT_CODE):
            digest.update(f"{path.relative_to(root.parent).as_posix()}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    try:
        version = metadata.version("tiendo")
    except metadata.PackageNotFoundError:
        version = "0"
    return f"{version}+{digest.hexdigest()[:12]}"


def rules_sha256() -> str:
    """Hash over the files of the rule catalogue."""
    folder = settings.assets() / "expectations"
    digest = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and p.suffix != ".md"):
        digest.update(f"{path.relative_to(folder).as_posix()}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def rule_versions() -> dict[str, dict[str, str]]:
    """Of each rule: its state, and a hash over all that ``ref.rule`` says of it."""
    versions = {}
    for row in catalogue.rule_rows():
        said = dict(zip(catalogue.RULE_COLUMNS, row, strict=True))
        content = json.dumps(said, ensure_ascii=False, sort_keys=True, default=str).encode()
        versions[str(row[0])] = {"state": str(said["state"]), "sha256": hashlib.sha256(content).hexdigest()[:16]}
    return versions


def store(connection: Connection, release_id: str, made: Provenance) -> None:
    """The caller commits."""
    connection.execute(
        "insert into release.provenance values (%s, %s, %s, %s, %s, %s, %s)",
        (
            release_id, made.prepared_by, made.code_version, made.rules_sha256, Jsonb(made.rule_versions),
            None if made.words is None else Jsonb(made.words), made.run,
        ),
    )  # fmt: skip


def of(connection: Connection, release_id: str) -> Provenance | None:
    """None for a release of an earlier version, of which nothing was written down."""
    row = connection.execute(
        "select prepared_by, code_version, rules_sha256, rule_versions, words, run from release.provenance "
        "where release_id = %s",
        (release_id,),
    ).fetchone()
    return Provenance(*row) if row else None


def account() -> str:
    """The account of the operating system under which a command runs, for whoever gives no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return SYSTEM
