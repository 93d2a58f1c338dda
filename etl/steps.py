"""The steps of the month, for the DAGs and the command line alike. Each is idempotent (law 10) and knows no Airflow.

archive_inbox -> process_received -> hand_back -> (cut-off) -> freeze -> approve -> publish

Libraries that only one step needs (frames, checks, documents) are imported in it: a scheduler starts every step anew.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from etl import clock, settings
from etl.collect import archive
from etl.collect.report import Report
from etl.load import submission, warehouse
from etl.load.warehouse import Connection
from etl.period import Period
from etl.reference import load as reference_load
from etl.reference import province as reference
from etl.validate import catalogue

_BATCH = 500
"""Workbooks that are checked together: enough to make a rule's fixed cost small, few enough for the memory."""


def prepare(now: datetime) -> dict[str, Any]:
    """Schema up to date, reference data and rules loaded."""
    version = warehouse.migrate()
    with warehouse.transaction() as connection:
        counts = reference_load.load(connection, reference.load(), now)
        reference_load.replace(
            connection, "rule", ("rule_id", "severity", "state", "suite", "reason_vi"), catalogue.rule_rows()
        )
    return {"schema_version": version, **counts}


def archive_inbox(now: datetime) -> dict[str, Any]:
    """Every file of the inbox into the archive; nothing is opened yet.

    ``unreadable`` names files that the system may not read or that were taken away meanwhile; the others go on.
    """
    conf = settings.get()
    conf.inbox_dir.mkdir(parents=True, exist_ok=True)
    seen = new = 0
    unreadable: list[str] = []
    with warehouse.connect() as connection:
        for arrival in archive.scan(conf.inbox_dir):
            try:
                data = arrival.path.read_bytes()
            except (PermissionError, FileNotFoundError):
                unreadable.append(arrival.file_name)
                continue
            sha256 = archive.store(conf.archive_dir, data)
            seen += 1
            new += archive.register(connection, "folder", arrival, sha256, len(data), now)
    return {"inbox": str(conf.inbox_dir), "seen": seen, "new": new, "unreadable": unreadable}


def process_received(now: datetime) -> dict[str, Any]:
    """Guard, read, check and load what has no verdict yet; one bad workbook stops only itself (law 3)."""
    from etl.collect import pool

    conf = settings.get()
    province = reference.load()
    totals = {"accepted": 0, "returned": 0, "refused": 0, "findings": 0}
    with warehouse.connect() as connection:
        waiting = _without_verdict(connection)
        tasks = _task_ids(connection)
        connection.commit()
        for start in range(0, len(waiting), _BATCH):
            chunk = waiting[start : start + _BATCH]
            reports = list(pool.read_all([(n, s) for n, s, _ in chunk], conf.archive_dir, conf.reference_dir))
            judged = judge(reports, province, tasks)
            for (findings, verdict), report, (_, _, received_at) in zip(judged, reports, chunk, strict=True):
                loaded = submission.load(connection, submission.Judged(report, findings, verdict, received_at), now)
                if loaded is not None:
                    totals[verdict] += 1
                    totals["findings"] += len(findings)
        submission.note_replacements(connection, province.thresholds["contested_lines_pct"])
    return totals


def judge(
    reports: list[Report], province: reference.Province, known_tasks: frozenset[str] | None = None
) -> list[tuple[list[Any], str]]:
    """Findings and verdict of each report: the one judgement of pipeline and ``tiendo check``."""
    from etl.validate import check

    found = check.run(reports, province, known_tasks)
    return [(findings, check.judge(report, findings)) for report, findings in zip(reports, found, strict=True)]


def registered_tasks() -> frozenset[str]:
    """Ids of the register, as matching keys."""
    with warehouse.connect() as connection:
        return _task_ids(connection)


def _task_ids(connection: Connection) -> frozenset[str]:
    return frozenset(row[0].upper() for row in connection.execute("select task_id from core.task").fetchall())


def _without_verdict(connection: Connection) -> list[tuple[str, str, datetime]]:
    """(file name, sha256, first receipt) of archived originals without a submission, oldest first."""
    rows = [
        (str(row[0]), str(row[1]), row[2])
        for row in connection.execute(
            """
            select distinct on (d.sha256) d.file_name, d.sha256, d.received_at
            from raw.delivery as d
            where not exists (select 1 from raw.submission as s where s.sha256 = d.sha256)
            order by d.sha256, d.received_at, d.delivery_id
            """
        ).fetchall()
    ]
    return sorted(rows, key=lambda row: (row[2], row[0], row[1]))


def hand_back(now: datetime, smtp_url: str | None = None) -> dict[str, Any]:
    """Marked workbooks and receipts under ``out/<period>/tra-lai``, and replies to the senders whose address is known.

    Idempotent: what is there is left alone, and nobody gets a mail twice (``etl.load.hand_back``).
    """
    from etl.load import hand_back as back

    with warehouse.connect() as connection:
        return back.write_all(connection, settings.get(), reference.load(), now, smtp_url)


def revise(submission_id: int, decision: str, decided_by: str, reason: str, now: datetime) -> dict[str, Any]:
    """Record an officer's decision on a late revision (``etl.load.revision``)."""
    from etl.load import revision

    with warehouse.transaction() as connection:
        return dict(revision.decide(connection, submission_id, decision, decided_by, reason, now))


def calendar_has(period: str) -> bool:
    """Whether the calendar table knows the month at all."""
    return bool(reference.load().budget_years(Period.parse(period)))


def cutoff_passed(period: str, now: datetime) -> bool:
    """Whether the last day for reports of the period is over (calendar table, Vietnamese days)."""
    return clock.local_date(now) > reference.load().window(Period.parse(period)).cutoff_on


def freeze(period: str, now: datetime, budget_year: int | None = None) -> dict[str, Any]:
    """Completeness, figures and documents of the period as a release; the same one again when nothing changed."""
    from etl.publish import release

    with warehouse.connect() as connection:
        return release.freeze(connection, Period.parse(period), now, settings.get().out_dir, budget_year=budget_year)


def approve(release_id: str, manifest_sha256: str, decided_by: str, decision: str, now: datetime) -> dict[str, Any]:
    """Record a decision on exactly the files of the manifest (law 12)."""
    from etl.publish import release

    with warehouse.connect() as connection:
        return release.approve(
            connection, release_id, manifest_sha256, decided_by, decision, now, settings.get().out_dir
        )


def publish(release_id: str, now: datetime, smtp_url: str | None = None) -> dict[str, Any]:
    """Send the approved release to every active recipient and record it as published (laws 11 and 12).

    Raises ReleaseError when it is not approved or its files are no longer those that were approved. It counts as
    published once every recipient has been tried: a run that was killed before goes on where it stopped, and sends
    nothing twice.
    """
    from etl.publish import deliver, release

    conf = settings.get()
    with warehouse.connect() as connection:
        release.require_approved(connection, release_id)
        release.check_files(connection, release_id, conf.out_dir)
        frozen, headline, files = release.cover_parts(connection, release_id, conf.out_dir)
        cover = deliver.cover_of(release_id, frozen.period, frozen.known_at, headline, files, conf.mail_from)
        connection.commit()
        outcome = deliver.deliver(
            connection,
            release_id,
            deliver.active_recipients(conf.reference_dir),
            lambda recipient: deliver.compose(cover, recipient),
            deliver.channel_for(conf, smtp_url),
            now,
        )
        release.mark_published(connection, release_id, now)
        connection.commit()
    return {"release_id": release_id, **outcome.as_dict()}
