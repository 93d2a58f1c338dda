"""The warehouse as one file, and back again: equal content is shown by hash, not hoped for.

A backup is pg_dump's custom format without schema ``mart``, which every migrate makes anew, beside a manifest with the
number of rows and a content hash of every table, both of one snapshot. Restoring goes into an empty database; what has
come back is counted and hashed again, so that a backup that cannot be trusted says so.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from psycopg import sql

from etl.errors import DataError, InfrastructureError, UsageError
from etl.load import server, warehouse
from etl.load.warehouse import Connection

FORMAT = 1
_SCHEMAS = ("raw", "ref", "core", "release", "audit", "public")
_CHUNK = 1 << 20


def content(connection: Connection) -> dict[str, dict[str, Any]]:
    """``schema.table`` -> ``rows`` and ``hash`` of its rows as a set, whatever their order; marts are not looked at.

    The hash is the sum of two 64-bit hashes of every row's text: enough to tell damage and loss. Who might have altered
    rows on purpose is the audit chain's matter.
    """
    found = {}
    for schema, table in connection.execute(
        """
        select n.nspname, c.relname from pg_class as c
        inner join pg_namespace as n on c.relnamespace = n.oid
        where n.nspname = any(%s) and c.relkind in ('r', 'p') and not c.relispartition
        order by n.nspname, c.relname
        """,
        (list(_SCHEMAS),),
    ).fetchall():
        row = connection.execute(
            sql.SQL(
                "select count(*), coalesce(sum(hashtextextended(t::text, 1)::numeric), 0)::text || '/' || "
                "coalesce(sum(hashtextextended(t::text, 2)::numeric), 0)::text from {} as t"
            ).format(sql.Identifier(schema, table))
        ).fetchone() or (0, "")
        found[f"{schema}.{table}"] = {"rows": row[0], "hash": row[1]}
    return found


def write(target: Path, now: datetime, address: str | None = None) -> dict[str, Any]:
    """Back the warehouse up into ``target``, with ``target.json`` beside it; returns the manifest.

    Raises UsageError when the file exists already, InfrastructureError when pg_dump fails; then nothing is left behind.
    """
    manifest_path = _manifest_of(target)
    if target.exists() or manifest_path.exists():
        raise UsageError(f"Tệp {target} đã có; chọn tên khác để không ghi đè bản sao lưu cũ.")
    target.parent.mkdir(parents=True, exist_ok=True)
    address = address or warehouse.url()
    fresh = target.with_name(f".{target.name}.new")
    try:
        with warehouse.connect(address) as connection:
            connection.execute("set transaction isolation level repeatable read, read only")
            (snapshot,) = connection.execute("select pg_export_snapshot()").fetchone() or ("",)
            _run("pg_dump", "--format=custom", "--no-owner", "--exclude-schema=mart", f"--snapshot={snapshot}",
                 f"--file={fresh}", address)  # fmt: skip
            tables = content(connection)
            version = connection.execute("select version_num from public.schema_version").fetchone()
        manifest = {
            "format": FORMAT,
            "created_at": now.isoformat(),
            "schema_version": version[0] if version else None,
            "sha256": _sha256(fresh),
            "tables": tables,
        }
        manifest_path.write_text(json.dumps(manifest, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
        fresh.rename(target)
    finally:
        fresh.unlink(missing_ok=True)
    return manifest


def restore(source: Path, address: str | None = None) -> dict[str, Any]:
    """Bring a backup back into an empty database, make the marts anew and compare the content; returns the manifest.

    Raises UsageError when the file or its manifest is missing or the database is not empty; DataError when the file
    is not what the manifest says, or what came back is not what was backed up, naming the tables; InfrastructureError
    when pg_restore fails. A backup of an older schema is compared first and then migrated.
    """
    manifest_path = _manifest_of(source)
    if not source.is_file() or not manifest_path.is_file():
        raise UsageError(f"Không tìm thấy bản sao lưu {source} hoặc tệp {manifest_path.name} đi kèm.")
    manifest = json.loads(manifest_path.read_text(encoding="utf-8"))
    if _sha256(source) != manifest["sha256"]:
        raise DataError(f"Tệp {source} không còn nguyên vẹn: mã kiểm tra khác với {manifest_path.name}.")
    address = address or warehouse.url()
    with warehouse.connect(address) as connection:
        if connection.execute("select to_regnamespace('raw') is not null").fetchone() == (True,):
            raise UsageError(
                "Kho dữ liệu đích không trống; khôi phục vào một cơ sở dữ liệu mới rồi trỏ TIENDO_WAREHOUSE_URL tới đó."
            )
    _run("pg_restore", "--no-owner", "--exit-on-error", "--single-transaction", f"--dbname={address}", str(source))
    with warehouse.connect(address) as connection:
        wrong = differing(manifest["tables"], content(connection))
    if wrong:
        raise DataError("Dữ liệu khôi phục khác bản sao lưu ở các bảng: " + "; ".join(wrong))
    warehouse.migrate(address)
    return dict(manifest)


def differing(before: Mapping[str, Mapping[str, Any]], after: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Tables whose rows or hash are not the same, with both numbers of rows."""
    names = sorted(before.keys() | after.keys())
    none = {"rows": 0, "hash": None}
    return [
        f"{name} ({before.get(name, none)['rows']} dòng → {after.get(name, none)['rows']} dòng)"
        for name in names
        if dict(before.get(name, none)) != dict(after.get(name, none))
    ]


def _manifest_of(target: Path) -> Path:
    return target.with_name(target.name + ".json")


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _run(program: str, *arguments: str) -> None:
    done = subprocess.run([str(server.client(program)), *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise InfrastructureError(f"{program} không hoàn thành: {done.stderr.strip()[-2000:]}")
