"""Freeze a month's figures and documents as a release, have it approved, mark it published (laws 9, 12).

A release is rows (figures, artifacts) and files. Rows are committed first; files are made again from the rows, and from
the facts as known when it was frozen, whenever they are missing, with the same hashes. So a run that is killed anywhere
leaves nothing that the next run does not complete or ignore.

What was frozen is ``etl.publish.frozen``, who made it from what ``etl.publish.provenance``, who decides on it
``etl.publish.approval``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from etl import settings
from etl.errors import ReleaseError
from etl.load import marts, reconciliation
from etl.load.warehouse import Connection
from etl.period import Period
from etl.publish import approval, checks, evidence, frozen, pack, provenance, sentences, summary, words
from etl.publish import figures as figure_rows
from etl.publish.approval import decide as approve
from etl.publish.approval import require_approved
from etl.publish.checks import finding as finding_rows
from etl.publish.correction_figures import PREFIX
from etl.publish.figure import Figure, FigureSet, ordered
from etl.publish.frozen import Release, check_files, figures_of, folder, get, manifest_sha256
from etl.publish.model import joined
from etl.publish.provenance import SYSTEM, Provenance

__all__ = [
    "Release",
    "approve",
    "check_files",
    "cover_parts",
    "facts_sha256",
    "figures_of",
    "folder",
    "freeze",
    "get",
    "manifest_sha256",
    "mark_published",
    "require_approved",
]

ACTOR = "tiendo"


def freeze(
    connection: Connection,
    period: Period,
    now: datetime,
    out_dir: Path,
    budget_year: int | None = None,
    *,
    by: str = SYSTEM,
    run: str | None = None,
    again: bool = False,
) -> dict[str, Any]:
    """The release of what is known at ``now``: the latest one again when nothing has changed, else the next number.

    ``budget_year`` is the period's own unless given (in January the closing year too). ``by`` prepares it, and so will
    not approve it; ``run`` is the run of Airflow. Commits. Idempotent: the hash
    over the figures leaves out the release's name and moment, so a second run finds the first one's release; its files
    are made again when they are missing or damaged. A release that a person rejected is the next number when figures,
    wording or program have changed since; when they have not, it stays rejected unless ``again`` puts the same files
    into a new round. One that nobody answered in time is asked about again. The words of the documents are kept with
    the release: words that the office has changed since make a new draft of one that waits for approval, and leave one
    that was approved as it is. Raises ReleaseError when no commune has reported, the office's words are faulty or the
    files of a release cannot be made again.
    """
    year = budget_year or period.year
    made = provenance.present(by, run, words.load(settings.get().own_words_dir).canonical())
    connection.commit()
    lock = f"tiendo.release.{period}.{year}"
    connection.execute("select pg_advisory_lock(hashtext(%s))", (lock,))
    connection.commit()
    try:
        release = _release_of(connection, period, year, now, out_dir, made, again)
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
    connection: Connection, period: Period, year: int, now: datetime, out_dir: Path, made: Provenance, again: bool
) -> Release:
    marts.refresh(connection)
    reconciliation.reconcile(connection, period, year, now)
    connection.commit()
    # All figures of a release come from one snapshot of the warehouse.
    connection.execute("set transaction isolation level repeatable read")
    found = checks.of_figures(connection, period, year, now)
    figures = ordered(figure_rows.compute(connection, period, year, now, found))
    facts = facts_sha256(figures)
    latest = frozen.latest(connection, period, year)
    if latest and latest.facts_sha256 == facts and not _made_otherwise(connection, latest, made):
        _restore(connection, latest, out_dir)
        # The round goes in under a new snapshot: the audit chain continues from what others appended in the meantime.
        connection.commit()
        _ask_again(connection, latest, made.prepared_by, now, again)
        return latest
    number = latest.release_no + 1 if latest else 1
    release_id = f"{period}-r{number}" if year == period.year else f"{period}-ns{year}-r{number}"
    figure_set = FigureSet(release_id, period, year, now, figures, words.of(made.words))
    documents = pack.build(figure_set)
    found += checks.of_documents(figure_set, (documents.page, documents.full), documents.extra.charts())
    checks.require_publishable(found, release_id)
    files = pack.render(figure_set, documents, evidence.load(connection, figure_set, found))
    frozen.require_names(list(files))
    release = Release(release_id, period, year, number, now, facts, manifest_sha256(frozen.hashes(files)))
    # So do the rows.
    connection.commit()
    _insert(connection, release, figures, found, files, made)
    connection.commit()
    _write(folder(out_dir, release), files)
    return release


def _made_otherwise(connection: Connection, latest: Release, made: Provenance) -> bool:
    """Whether the same figures would make other files that are wanted: other wording, as long as nobody has approved;
    another program, once this one's files were rejected."""
    last = approval.standing(connection, latest.release_id)
    if last is None or last.decision == "approved":
        return False
    earlier = provenance.of(connection, latest.release_id)
    if earlier is None:
        return last.decision == "rejected"
    other_program = (earlier.code_version, earlier.rules_sha256) != (made.code_version, made.rules_sha256)
    return earlier.words != made.words or (last.decision == "rejected" and other_program)


def _ask_again(connection: Connection, latest: Release, by: str, now: datetime, again: bool) -> None:
    last = approval.standing(connection, latest.release_id)
    if last is None or (last.decision == "rejected" and (again or last.kind == "timeout")):
        approval.ask(connection, latest, by, now)
        connection.commit()


def facts_sha256(figures: Sequence[Figure]) -> str:
    """Hash over the figures in canonical form and order, without release and moment, and without what a correction
    says of the release before it."""
    digest = hashlib.sha256()
    for f in ordered(figure for figure in figures if not figure.metric.startswith(PREFIX)):
        row = [
            f.key, f.unit, f.source, _canonical(f.value), f.text, _canonical(f.numerator), _canonical(f.denominator),
            f.coverage_n, f.coverage_of, _canonical(f.coverage_plan_pct),
        ]  # fmt: skip
        digest.update(json.dumps(row, ensure_ascii=False).encode() + b"\n")
    return digest.hexdigest()


def _canonical(value: Decimal | None) -> str | None:
    """A number without trailing zeros: 41.50 and 41.5 are the same figure."""
    return None if value is None else f"{value.normalize():f}"


def _insert(
    connection: Connection,
    release: Release,
    figures: Sequence[Figure],
    found: Sequence[checks.PeriodFinding],
    files: Mapping[str, bytes],
    made: Provenance,
) -> None:
    as_of = next(f.date for f in figures if f.metric == "as_of")
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
    figure_rows.store(connection, release.release_id, release.period, figures)
    finding_rows.store(connection, release.release_id, found)
    for name, sha256 in frozen.hashes(files).items():
        connection.execute(
            "insert into release.artifact values (%s, %s, %s, %s)",
            (release.release_id, name, sha256, len(files[name])),
        )
    provenance.store(connection, release.release_id, made)
    approval.ask(connection, release, made.prepared_by, release.known_at)
    _audit(
        connection,
        release.known_at,
        ACTOR,
        "release.freeze",
        release.release_id,
        {
            "facts_sha256": release.facts_sha256,
            "manifest_sha256": release.manifest_sha256,
            "prepared_by": made.prepared_by,
            "code_version": made.code_version,
        },
    )


def _restore(connection: Connection, release: Release, out_dir: Path) -> None:
    """Make the files of a stored release again when they are missing or differ from what was frozen."""
    if not frozen.differing(connection, release.release_id, out_dir):
        return
    figures = figures_of(connection, release)
    found = finding_rows.stored(connection, release.release_id)
    files = pack.render(figures, evidence=evidence.load(connection, figures, found))
    if manifest_sha256(frozen.hashes(files)) != release.manifest_sha256:
        raise ReleaseError(
            f"Không dựng lại được đúng các tệp của bản {release.release_id}: chương trình hoặc mẫu trình bày đã thay "
            f"đổi từ khi chốt bản này. Khôi phục thư mục {folder(out_dir, release)} từ bản sao lưu."
        )
    _write(folder(out_dir, release), files)


def _describe(connection: Connection, release: Release, out_dir: Path) -> dict[str, Any]:
    where = folder(out_dir, release)
    artifacts = [
        {**row, "path": str(where / name)} for name, row in frozen.artifacts(connection, release.release_id).items()
    ]
    last = approval.standing(connection, release.release_id)
    made = provenance.of(connection, release.release_id)
    may_decide = approval.entitled(connection, release.release_id, approval.approvers())
    before = frozen.before(connection, release)
    return {
        "release_id": release.release_id,
        "period": str(release.period),
        "budget_year": release.budget_year,
        "known_at": release.known_at.isoformat(),
        "manifest_sha256": release.manifest_sha256,
        "artifacts": artifacts,
        "approval_markdown": summary.markdown(
            figures_of(connection, release),
            figures_of(connection, before) if before else None,
            artifacts,
            release.manifest_sha256,
            summary.Asked(
                prepared_by=made.prepared_by if made else None,
                round=last.round if last else 1,
                approvers=[one.name_vi for one in may_decide],
                said=approval.history(connection, release),
                folder=str(where),
            ),
        ),
        "decision": last.decision if last else None,
        "decision_reason": last.reason if last else None,
        "decided_by": last.decided_by if last else None,
        "round": last.round if last else 1,
        "prepared_by": made.prepared_by if made else None,
        "approvers": [one.as_dict() for one in may_decide],
        "published": frozen.is_published(connection, release.release_id),
    }


def cover_parts(connection: Connection, release_id: str, out_dir: Path) -> tuple[Release, list[str], list[Path]]:
    """What a mail about the release says and carries: the release, its headline sentences, its files."""
    release = get(connection, release_id)
    figures = figures_of(connection, release)
    headline = [joined(sentences.disbursed(figures)), joined(sentences.coverage(figures))]
    where = folder(out_dir, release)
    return release, headline, [where / name for name in frozen.artifacts(connection, release_id)]


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


def _write(target: Path, files: Mapping[str, bytes]) -> None:
    frozen.write(target, files)


def _audit(
    connection: Connection, now: datetime, actor: str, action: str, subject: str, detail: Mapping[str, object]
) -> None:
    frozen.audit(connection, now, actor, action, subject, detail)
