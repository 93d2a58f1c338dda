"""Freeze a month's figures and documents as a release, have it approved, mark it published (laws 9, 12).

A release is rows (figures, artifacts) and files. Rows are committed first; files are made again from the rows, and from
the facts as known when it was frozen, whenever they are missing, with the same hashes. So a run that is killed anywhere
leaves nothing that the next run does not complete or ignore.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from etl import settings
from etl.errors import ReleaseError, UsageError
from etl.load import marts, reconciliation
from etl.load.warehouse import Connection
from etl.period import Period
from etl.publish import checks, evidence, pack, sentences, summary, words
from etl.publish import figures as figure_rows
from etl.publish.checks import finding as finding_rows
from etl.publish.figure import Figure, FigureSet, ordered
from etl.publish.model import joined

ACTOR = "tiendo"


@dataclass(frozen=True)
class Release:
    """A row of ``release.release``."""

    release_id: str
    period: Period
    budget_year: int
    release_no: int
    known_at: datetime
    facts_sha256: str
    manifest_sha256: str


def freeze(
    connection: Connection, period: Period, now: datetime, out_dir: Path, budget_year: int | None = None
) -> dict[str, Any]:
    """The release of what is known at ``now``: the latest one again when nothing has changed, else the next number.

    ``budget_year`` is the period's own unless given (in January the closing year too). Commits. Idempotent: the hash
    over the figures leaves out the release's name and moment, so a second run finds the first one's release; its files
    are made again when they are missing or damaged. A release that was rejected is closed: freezing again asks with a
    new number. The words of the documents are kept with the release: words that the office has changed since make a new
    draft of one that waits for approval, and leave one that was approved as it is. Raises ReleaseError when no commune
    has reported, the office's words are faulty or the files of a release cannot be made again.
    """
    year = budget_year or period.year
    spoken = words.load(settings.get().own_words_dir)
    connection.commit()
    lock = f"tiendo.release.{period}.{year}"
    connection.execute("select pg_advisory_lock(hashtext(%s))", (lock,))
    connection.commit()
    try:
        release = _release_of(connection, period, year, now, out_dir, spoken)
        connection.commit()
    except BaseException:
        connection.rollback()
        raise
    finally:
        connection.execute("select pg_advisory_unlock(hashtext(%s))", (lock,))
        connection.commit()
    result = _describe(connection, release, out_dir)
    connection.commit()
    return result


def _release_of(
    connection: Connection, period: Period, year: int, now: datetime, out_dir: Path, spoken: words.Words
) -> Release:
    marts.refresh(connection)
    reconciliation.reconcile(connection, period, year, now)
    connection.commit()
    # All figures of a release come from one snapshot of the warehouse.
    connection.execute("set transaction isolation level repeatable read")
    found = checks.of_figures(connection, period, year, now)
    figures = ordered(figure_rows.compute(connection, period, year, now, found))
    facts = facts_sha256(figures)
    latest = _latest(connection, period, year)
    if latest and latest.facts_sha256 == facts and _stands(connection, latest, spoken):
        _restore(connection, latest, out_dir)
        return latest
    number = latest.release_no + 1 if latest else 1
    release_id = f"{period}-r{number}" if year == period.year else f"{period}-ns{year}-r{number}"
    figure_set = FigureSet(release_id, period, year, now, figures, spoken)
    documents = pack.build(figure_set)
    found += checks.of_documents(figure_set, (documents.page, documents.full), (documents.ranking,))
    checks.require_publishable(found, release_id)
    files = pack.render(figure_set, documents, evidence.load(connection, figure_set, found))
    release = Release(release_id, period, year, number, now, facts, manifest_sha256(_hashes(files)))
    # The rows go in under a new snapshot: the audit chain continues from what others appended in the meantime.
    connection.commit()
    _insert(connection, release, figure_set, found, files)
    connection.commit()
    _write(folder(out_dir, release), files)
    return release


def facts_sha256(figures: Sequence[Figure]) -> str:
    """Hash over the figures in canonical form and order, without release and moment."""
    digest = hashlib.sha256()
    for f in ordered(figures):
        row = [
            f.key, f.unit, f.source, _canonical(f.value), f.text, _canonical(f.numerator), _canonical(f.denominator),
            f.coverage_n, f.coverage_of, _canonical(f.coverage_plan_pct),
        ]  # fmt: skip
        digest.update(json.dumps(row, ensure_ascii=False).encode() + b"\n")
    return digest.hexdigest()


def _canonical(value: Decimal | None) -> str | None:
    """A number without trailing zeros: 41.50 and 41.5 are the same figure."""
    return None if value is None else f"{value.normalize():f}"


def manifest_sha256(hashes: Mapping[str, str]) -> str:
    """What an approval is bound to: sha256 over the lines ``sha256  name`` sorted by name."""
    lines = "".join(f"{hashes[name]}  {name}\n" for name in sorted(hashes))
    return hashlib.sha256(lines.encode()).hexdigest()


def _hashes(files: Mapping[str, bytes]) -> dict[str, str]:
    return {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}


def folder(out_dir: Path, release: Release) -> Path:
    return out_dir / str(release.period) / release.release_id


def _insert(
    connection: Connection,
    release: Release,
    figures: FigureSet,
    found: Sequence[checks.PeriodFinding],
    files: Mapping[str, bytes],
) -> None:
    as_of = figures.get("as_of").date
    connection.execute(
        """
        insert into release.release (
            release_id, period, budget_year, release_no, as_of, known_at, facts_sha256, manifest_sha256, created_at
        ) values (%s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (
            release.release_id, str(release.period), release.budget_year, release.release_no, as_of, release.known_at,
            release.facts_sha256, release.manifest_sha256, release.known_at,
        ),
    )  # fmt: skip
    kept = [*figures, *words.to_figures(figures.words)]
    figure_rows.store(connection, release.release_id, release.period, kept)
    finding_rows.store(connection, release.release_id, found)
    for name, sha256 in _hashes(files).items():
        connection.execute(
            "insert into release.artifact values (%s, %s, %s, %s)",
            (release.release_id, name, sha256, len(files[name])),
        )
    _audit(
        connection,
        release.known_at,
        ACTOR,
        "release.freeze",
        release.release_id,
        {"facts_sha256": release.facts_sha256, "manifest_sha256": release.manifest_sha256},
    )


def _write(target: Path, files: Mapping[str, bytes]) -> None:
    """All files or none: written beside the target, then renamed. A left-over of a killed run is replaced."""
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.parent / f".{target.name}.new"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir()
    for name, content in files.items():
        (fresh / name).write_bytes(content)
    if target.exists():
        shutil.rmtree(target)
    fresh.rename(target)


def _restore(connection: Connection, release: Release, out_dir: Path) -> None:
    """Make the files of a stored release again when they are missing or differ from what was frozen."""
    frozen = _artifacts(connection, release.release_id)
    if _on_disk(folder(out_dir, release)) == {name: row["sha256"] for name, row in frozen.items()}:
        return
    figures = figures_of(connection, release)
    found = finding_rows.stored(connection, release.release_id)
    files = pack.render(figures, evidence=evidence.load(connection, figures, found))
    if manifest_sha256(_hashes(files)) != release.manifest_sha256:
        raise ReleaseError(
            f"Không dựng lại được đúng các tệp của bản {release.release_id}: chương trình hoặc mẫu trình bày đã thay "
            f"đổi từ khi chốt bản này. Khôi phục thư mục {folder(out_dir, release)} từ bản sao lưu."
        )
    _write(folder(out_dir, release), files)


def _on_disk(where: Path) -> dict[str, str]:
    if not where.is_dir():
        return {}
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(where.iterdir()) if p.is_file()}


def _artifacts(connection: Connection, release_id: str) -> dict[str, dict[str, Any]]:
    cursor = connection.cursor(row_factory=dict_row)
    rows = cursor.execute(
        'select name, sha256, size_bytes from release.artifact where release_id = %s order by name collate "C"',
        (release_id,),
    )
    return {row["name"]: row for row in rows}


_COLUMNS = "release_id, period, budget_year, release_no, known_at, facts_sha256, manifest_sha256"


def _release(row: Sequence[Any] | None) -> Release | None:
    return Release(row[0], Period.parse(row[1]), *row[2:]) if row else None


def _latest(connection: Connection, period: Period, year: int) -> Release | None:
    return _release(
        connection.execute(
            f"select {_COLUMNS} from release.release where period = %s and budget_year = %s "
            "order by release_no desc limit 1",
            (str(period), year),
        ).fetchone()
    )


def get(connection: Connection, release_id: str) -> Release:
    """The release; raises UsageError when there is none of that name."""
    release = _release(
        connection.execute(f"select {_COLUMNS} from release.release where release_id = %s", (release_id,)).fetchone()
    )
    if release is None:
        raise UsageError(f"Không có bản tổng hợp {release_id}.")
    return release


def _stands(connection: Connection, release: Release, spoken: words.Words) -> bool:
    """Whether a release of the same figures is the one to go on with: approved, or waiting in the words of now."""
    decision = _decision(connection, release)
    if decision is not None:
        return decision != "rejected"
    return _stored(connection, release)[1] in (None, spoken)


def _stored(connection: Connection, release: Release) -> tuple[tuple[Figure, ...], words.Words | None]:
    """The figures of a release and its words; none for a release that was frozen before they were kept."""
    rows = figure_rows.stored(connection, release.release_id)
    return ordered(row for row in rows if row.metric != words.METRIC), words.stored(rows)


def _decision(connection: Connection, release: Release) -> str | None:
    row = connection.execute(
        "select decision from release.approval where release_id = %s and manifest_sha256 = %s",
        (release.release_id, release.manifest_sha256),
    ).fetchone()
    return str(row[0]) if row else None


def _published(connection: Connection, release_id: str) -> bool:
    row = connection.execute("select 1 from release.publication where release_id = %s", (release_id,)).fetchone()
    return row is not None


def _describe(connection: Connection, release: Release, out_dir: Path) -> dict[str, Any]:
    artifacts = [
        {**row, "path": str(folder(out_dir, release) / name)}
        for name, row in _artifacts(connection, release.release_id).items()
    ]
    figures = figures_of(connection, release)
    return {
        "release_id": release.release_id,
        "period": str(release.period),
        "budget_year": release.budget_year,
        "known_at": release.known_at.isoformat(),
        "manifest_sha256": release.manifest_sha256,
        "artifacts": artifacts,
        "approval_markdown": summary.markdown(
            figures, _before(connection, release), artifacts, release.manifest_sha256
        ),
        "decision": _decision(connection, release),
        "published": _published(connection, release.release_id),
    }


def figures_of(connection: Connection, release: Release) -> FigureSet:
    """The stored figures of a release, with its words."""
    rows, spoken = _stored(connection, release)
    return FigureSet(
        release.release_id, release.period, release.budget_year, release.known_at, rows, spoken or words.package()
    )


def cover_parts(connection: Connection, release_id: str, out_dir: Path) -> tuple[Release, list[str], list[Path]]:
    """What a mail about the release says and carries: the release, its headline sentences, its files."""
    release = get(connection, release_id)
    figures = figures_of(connection, release)
    headline = [joined(sentences.disbursed(figures)), joined(sentences.coverage(figures))]
    where = folder(out_dir, release)
    return release, headline, [where / name for name in _artifacts(connection, release_id)]


def _before(connection: Connection, release: Release) -> FigureSet | None:
    """The figures of the release before this one of the same period and budget year."""
    row = connection.execute(
        f"select {_COLUMNS} from release.release where period = %s and budget_year = %s and release_no < %s "
        "order by release_no desc limit 1",
        (str(release.period), release.budget_year, release.release_no),
    ).fetchone()
    before = _release(row)
    if before is None:
        return None
    return figures_of(connection, before)


def approve(
    connection: Connection,
    release_id: str,
    manifest_sha256: str,
    decided_by: str,
    decision: str,
    now: datetime,
    out_dir: Path,
) -> dict[str, Any]:
    """Record the decision (``approved`` or ``rejected``) on exactly the files that were seen.

    Raises ReleaseError when the manifest is not the release's, when the files on disk are not those that were frozen,
    or when the release was decided otherwise before; UsageError without the name of the person who decides. The same
    decision again changes nothing. The caller commits.
    Returns release_id, decision and manifest_sha256.
    """
    if decision not in ("approved", "rejected"):
        raise ReleaseError(f"Quyết định phải là approved hoặc rejected; nhận được: {decision!r}.")
    if not decided_by.strip():
        raise UsageError("Phải ghi tên người quyết định.")
    release = get(connection, release_id)
    check_files(connection, release_id, out_dir)
    if manifest_sha256 != release.manifest_sha256:
        raise ReleaseError(
            f"Mã kiểm tra {manifest_sha256[:12]}… không phải của bản {release_id} ({release.manifest_sha256[:12]}…); "
            "phê duyệt chỉ có giá trị với đúng các tệp đã xem."
        )
    before = _decision(connection, release)
    if before and before != decision:
        raise ReleaseError(f"Bản {release_id} đã có quyết định {before}; muốn đổi ý kiến phải chốt bản mới.")
    result = {"release_id": release_id, "decision": decision, "manifest_sha256": manifest_sha256}
    if before:
        return result
    connection.execute(
        "insert into release.approval (release_id, manifest_sha256, decision, decided_by, decided_at) "
        "values (%s, %s, %s, %s, %s)",
        (release_id, manifest_sha256, decision, decided_by, now),
    )
    _audit(connection, now, decided_by, f"release.{decision}", release_id, {"manifest_sha256": manifest_sha256})
    return result


def check_files(connection: Connection, release_id: str, out_dir: Path) -> None:
    """The files on disk are those that were frozen; raises ReleaseError naming the ones that differ."""
    release = get(connection, release_id)
    frozen = {name: row["sha256"] for name, row in _artifacts(connection, release_id).items()}
    present = _on_disk(folder(out_dir, release))
    if present == frozen:
        return
    wrong = sorted(n for n in frozen.keys() | present.keys() if frozen.get(n) != present.get(n))
    raise ReleaseError(
        f"Tệp của bản {release_id} không còn đúng như khi chốt: {', '.join(wrong)}. Chạy lại bước tổng hợp để khôi "
        "phục tệp rồi phê duyệt lại."
    )


def require_approved(connection: Connection, release_id: str) -> None:
    """Law 12: raises ReleaseError unless the release's own manifest was approved."""
    decision = _decision(connection, get(connection, release_id))
    if decision is None:
        raise ReleaseError(f"Bản {release_id} chưa được phê duyệt.")
    if decision != "approved":
        raise ReleaseError(f"Bản {release_id} đã bị từ chối phê duyệt.")


def mark_published(connection: Connection, release_id: str, now: datetime) -> None:
    """Record that the release is out; only an approved one, once. The caller commits."""
    release = get(connection, release_id)
    require_approved(connection, release_id)
    inserted = connection.execute(
        "insert into release.publication values (%s, %s, %s) on conflict (release_id) do nothing",
        (release_id, release.manifest_sha256, now),
    ).rowcount
    if inserted:
        _audit(connection, now, ACTOR, "release.publish", release_id, {"manifest_sha256": release.manifest_sha256})


def _audit(
    connection: Connection, now: datetime, actor: str, action: str, subject: str, detail: Mapping[str, str]
) -> None:
    connection.execute("select audit.append(%s, %s, %s, %s, %s)", (now, actor, action, subject, Jsonb(dict(detail))))
