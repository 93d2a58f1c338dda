"""The steps of the month, for the DAGs and the command line alike. Each is idempotent (law 10) and knows no Airflow.

archive_inbox -> process_received -> hand_back -> (cut-off) -> freeze -> approve -> publish

Libraries that only one step needs (frames, checks, documents) are imported in it: a scheduler starts every step anew.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from etl import clock, settings
from etl.collect import archive
from etl.collect.identity import Origin
from etl.collect.report import Report
from etl.errors import DeliveryError, InboxDownError
from etl.load import submission, warehouse
from etl.load.warehouse import Connection
from etl.period import Period
from etl.reference import load as reference_load
from etl.reference import province as reference
from etl.validate import catalogue

if TYPE_CHECKING:
    from etl.collect.inbox import Inbox
    from etl.collect.pool import Job
    from etl.publish.deliver import Store
    from etl.validate.backtest import Hit

DATA_DOCS = "data-docs"
_BATCH = 500
"""Workbooks that are checked together: enough to make a rule's fixed cost small, few enough for the memory."""
_MANY = 50
"""So many workbooks change the tables so much that the planner has to know; the server notices a minute later."""


def prepare(now: datetime) -> dict[str, Any]:
    """Schema up to date, reference data and rules loaded."""
    version = warehouse.migrate()
    with warehouse.transaction() as connection:
        counts = reference_load.load(connection, reference.load(), now)
        reference_load.replace(connection, "rule", catalogue.RULE_COLUMNS, catalogue.rule_rows(), now)
    return {"schema_version": version, **counts}


def archive_inbox(now: datetime, inboxes: Sequence[Inbox] | None = None) -> dict[str, Any]:
    """Every file of every inbox into the archive; no workbook is opened yet, a zip of them is taken apart.

    ``inboxes``: those of ``TIENDO_INBOXES``, or the folder, unless given. Returns ``seen`` (files and mails that lie
    there), ``new`` (deliveries), ``inboxes`` (both of each), and by the name of the inbox: ``unreadable`` (may not be
    read or taken away meanwhile), ``left`` (uploads under way), ``cut`` (larger than is kept), ``down`` (why it could
    not be read to the end). An inbox that is down delays only itself. Raises what is broken on our own side.
    """
    from etl.collect import inbox, intake
    from etl.collect.place import Places

    conf = settings.get()
    turns = intake.take_in(
        inbox.configured(conf) if inboxes is None else inboxes, conf.archive_dir, Places.of(reference.load()), now
    )
    return {
        "seen": sum(turn.seen for turn in turns),
        "new": sum(turn.new for turn in turns),
        "inboxes": {turn.name: {"seen": turn.seen, "new": turn.new} for turn in turns},
        "unreadable": {turn.name: turn.unreadable for turn in turns if turn.unreadable},
        "left": {turn.name: turn.left for turn in turns if turn.left},
        "cut": {turn.name: turn.cut for turn in turns if turn.cut},
        "down": {turn.name: turn.down for turn in turns if turn.down},
    }


def require_all_inboxes(archived: Mapping[str, Any]) -> None:
    """Raises InboxDownError naming each inbox that ``archive_inbox`` could not read to the end, with the reason."""
    if archived["down"]:
        raise InboxDownError("\n".join(archived["down"].values()))


def process_received(now: datetime) -> dict[str, Any]:
    """Guard, read, check and load what has no verdict yet; one bad workbook stops only itself (law 3).

    Months are judged one after another: what a report is held against is the month before, which may have come with it.
    """
    from etl.collect import pool
    from etl.load import known
    from etl.validate import check, data_docs

    catalogue.load()  # nothing is read in vain when the rules are not sound
    conf = settings.get()
    province = reference.load()
    records: list[data_docs.Record] = []
    totals = {"accepted": 0, "returned": 0, "refused": 0, "findings": 0}
    with warehouse.connect() as connection, _no_search_for_garbage():
        waiting = _without_verdict(connection)
        connection.commit()
        prepare = partial(check.prepare, province=province)
        for start in range(0, len(waiting), _BATCH):
            chunk = waiting[start : start + _BATCH]
            jobs = [w.job(conf.archive_dir) for w in chunk]
            read = list(zip(pool.read_all(jobs, conf.reference_dir, prepare), chunk, strict=True))
            for month in _by_month(read):
                reports = [report for report, _ in month]
                knowledge = known.of(connection, reports, province, [received.received_at for _, received in month])
                connection.commit()
                judged = [
                    submission.Judged(report, findings, verdict, received.received_at)
                    for (findings, verdict), (report, received) in zip(
                        check.judge(reports, province, knowledge, records), month, strict=True
                    )
                ]
                for told in submission.load_all(connection, judged, now):
                    totals[told.verdict] += 1
                    totals["findings"] += len(told.findings)
            gc.collect()
        submission.note_replacements(connection, province.thresholds["contested_lines_pct"])
        if len(waiting) >= _MANY:
            connection.execute("analyze")
            connection.commit()
    data_docs.write(conf.out_dir / DATA_DOCS, now, records)
    return totals


@contextmanager
def _no_search_for_garbage() -> Iterator[None]:
    """Reports hold no cycles; looking for some among their millions of values again and again only takes time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@dataclass(frozen=True)
class _Received:
    """An archived original without a submission, by its first delivery."""

    file_name: str
    sha256: str
    received_at: datetime
    origin: Origin

    def job(self, archive_dir: Path) -> Job:
        from etl.collect.pool import Job

        return Job(self.file_name, self.sha256, partial(archive.fetch, archive_dir, self.sha256), self.origin)


def _by_month(read: Sequence[tuple[Report, _Received]]) -> list[list[tuple[Report, _Received]]]:
    """Groups of one period each, the earliest first; what has no period comes before all."""
    groups: dict[str, list[tuple[Report, _Received]]] = {}
    for report, received in read:
        groups.setdefault(str(report.period or ""), []).append((report, received))
    return [groups[period] for period in sorted(groups)]


def _without_verdict(connection: Connection) -> list[_Received]:
    """Archived originals without a submission, oldest first."""
    rows = [
        _Received(name, sha256, received_at, Origin(commune, period, sender))
        for name, sha256, received_at, commune, period, sender in connection.execute(
            """
            select distinct on (d.sha256)
                d.file_name, d.sha256, d.received_at, d.said_commune, d.said_period, d.sender_commune
            from raw.delivery as d
            where not exists (select 1 from raw.submission as s where s.sha256 = d.sha256)
            -- A zip that was taken apart is no workbook: each of its members is one submission (case 41).
            and not exists (select 1 from raw.delivery as m where m.container_sha256 = d.sha256)
            order by d.sha256, d.received_at, d.delivery_id
            """
        ).fetchall()
    ]
    return sorted(rows, key=lambda row: (row.received_at, row.file_name, row.sha256))


def hand_back(now: datetime, smtp_url: str | None = None) -> dict[str, Any]:
    """Marked workbooks and receipts under ``out/<period>/tra-lai``, and replies to the senders whose address is known;
    the Data Docs of the runs of the checks under ``out/data-docs``.

    Idempotent: what is there is left alone, and nobody gets a mail twice (``etl.load.hand_back``).
    """
    from etl.load import hand_back as back
    from etl.validate import data_docs

    with warehouse.connect() as connection:
        told = back.write_all(connection, settings.get(), reference.load(), now, smtp_url)
    data_docs.render(settings.get().out_dir / DATA_DOCS)
    return told


def revise(submission_id: int, decision: str, decided_by: str, reason: str, now: datetime) -> dict[str, Any]:
    """Record an officer's decision on a late revision (``etl.load.revision``)."""
    from etl.load import revision

    with warehouse.transaction() as connection:
        return dict(revision.decide(connection, submission_id, decision, decided_by, reason, now))


def withdraw(submission_id: int, by: str, reason: str, now: datetime) -> dict[str, Any]:
    """Record that a report is taken back (``etl.load.withdrawal``)."""
    from etl.load import withdrawal

    with warehouse.transaction() as connection:
        return withdrawal.withdraw(connection, submission_id, by, reason, now)


def override(submission_id: int, finding_nos: Sequence[int], by: str, reason: str, now: datetime) -> dict[str, Any]:
    """Record that errors of a returned report do not stand in the way (``etl.load.answer``)."""
    from etl.load import answer

    with warehouse.transaction() as connection:
        return answer.override(
            connection, submission_id, finding_nos, by, reason, now, reference.load(), settings.get().archive_dir
        )


def explain(submission_id: int, finding_no: int, by: str, reason: str, now: datetime) -> dict[str, Any]:
    """Record an officer's explanation of a warning (``etl.load.answer``)."""
    from etl.load import answer

    with warehouse.transaction() as connection:
        return answer.explain(connection, submission_id, finding_no, by, reason, now)


def backtest(rule: str, periods: Sequence[Period]) -> list[Hit]:
    """What the rule would have found in the reports of past periods (``etl.validate.backtest``).

    Raises UsageError for a rule that the catalogue does not have, or that judges no report.
    """
    from etl.collect import pool
    from etl.load import known
    from etl.validate import backtest as past
    from etl.validate import check

    rule = catalogue.to_backtest(rule)
    conf, province = settings.get(), reference.load()
    judged: list[past.Judged] = []
    with warehouse.connect() as connection:
        waiting = _judged_before(connection, periods)
        jobs = [w.job(conf.archive_dir) for w, *_ in waiting]
        reports = list(pool.read_all(jobs, conf.reference_dir, partial(check.prepare, province=province)))
        pairs = sorted(zip(reports, waiting, strict=True), key=lambda pair: pair[1][2])
        # As it was known when they came: only earlier months are asked for, and those may have come in the same run.
        for known_at, of_run in groupby(pairs, key=lambda pair: pair[1][2]):
            group = list(of_run)
            came = [received.received_at for _, (received, *_) in group]
            batch = [report for report, _ in group]
            found = check.run(batch, province, known.of(connection, batch, province, came, known_at))
            for (report, (_, submission_id, _, counted)), findings in zip(group, found, strict=True):
                if report.commune_code and report.period and report.budget_year and not report.refused:
                    place = (report.commune_code, str(report.period), report.budget_year)
                    judged.append(past.Judged(*place, submission_id, known_at, findings, counted))
    return past.hits(judged, rule)


def _judged_before(connection: Connection, periods: Sequence[Period]) -> list[tuple[_Received, int, datetime, bool]]:
    """Judged submissions of the periods (all of them when there are none), by their first delivery.

    Number, moment at which each became known, whether it was ever in force; in the order in which versions supersede.
    """
    rows = connection.execute(
        """
        select
            s.file_name, s.sha256, s.received_at, d.said_commune, d.said_period, d.sender_commune, s.submission_id,
            s.known_at, exists (select 1 from core.submission_span as p where p.submission_id = s.submission_id)
        from raw.submission as s
        left join lateral (
            select w.* from raw.delivery as w
            where w.sha256 = s.sha256 order by w.received_at, w.delivery_id limit 1
        ) as d on true
        where s.verdict <> 'refused' and (%(periods)s::text[] = '{}' or s.period = any(%(periods)s))
        order by s.known_at, s.archived_at, s.received_at, s.version_no nulls first, s.sha256 desc
        """,
        {"periods": [str(period) for period in periods]},
    ).fetchall()
    return [
        (_Received(name, sha256, received_at, Origin(commune, period, sender)), submission_id, known_at, counted)
        for name, sha256, received_at, commune, period, sender, submission_id, known_at, counted in rows
    ]


def calendar_has(period: str) -> bool:
    """Whether the calendar table knows the month at all."""
    return bool(reference.load().budget_years(Period.parse(period)))


def cutoff_passed(period: str, now: datetime) -> bool:
    """Whether the last day for reports of the period is over (calendar table, Vietnamese days)."""
    return clock.local_date(now) > reference.load().window(Period.parse(period)).cutoff_on


def freeze(
    period: str,
    now: datetime,
    budget_year: int | None = None,
    *,
    by: str = "",
    run: str | None = None,
    again: bool = False,
) -> dict[str, Any]:
    """Completeness, comparison with the Treasury, figures and documents of the period as a release; the same one again
    when nothing changed (``etl.publish.release``). Adds ``due``: how many recipients of a published one are not sent to
    yet. Raises ReleaseError when a check of the whole period finds an error."""
    from etl.publish import deliver, release

    conf = settings.get()
    with warehouse.connect() as connection:
        made = release.freeze(
            connection, Period.parse(period), now, conf.out_dir, budget_year, by=by, run=run, again=again
        )
        names = [artifact["name"] for artifact in made["artifacts"]]
        waiting = deliver.due(connection, made["release_id"], names, deliver.active_recipients(conf.reference_dir))
        return {**made, "due": len(waiting) if made["published"] else 0}


def approve(
    release_id: str,
    manifest_sha256: str,
    decided_by: str,
    decision: str,
    now: datetime,
    *,
    reason: str = "",
    kind: str = "person",
    channel: str = "command",
) -> dict[str, Any]:
    """Record a decision on exactly the files of the manifest (law 12, ``etl.publish.approval``). An answer of somebody
    who may not decide is refused, and the refusal is in the audit chain."""
    from etl.publish import approval

    with warehouse.connect() as connection:
        try:
            return approval.decide(
                connection, release_id, manifest_sha256, decided_by, decision, now, settings.get().out_dir,
                reason=reason, kind=kind, channel=channel,
            )  # fmt: skip
        except approval.NotEntitledError as error:
            connection.rollback()
            approval.note_refused(connection, release_id, decided_by, str(error), now)
            connection.commit()
            raise


def objection(release_id: str, decided_by: str, decision: str, reason: str, now: datetime) -> str | None:
    """Why an answer to the request for approval does not count, so that it is asked again; None when it does."""
    from etl.publish import approval

    with warehouse.transaction() as connection:
        why = approval.objection(connection, release_id, decided_by, decision, reason, approval.approvers())
        if why:
            approval.note_refused(connection, release_id, decided_by, why, now)
        return why


def publish(
    release_id: str,
    now: datetime,
    smtp_url: str | None = None,
    *,
    retry_failed: bool = False,
    store: Store | None = None,
) -> dict[str, Any]:
    """Record the approved release as published and send it to every active recipient; the archive site has it too
    (``etl.publish.publication``)."""
    from etl.publish import publication

    with warehouse.connect() as connection:
        return publication.publish(
            connection, release_id, now, settings.get(), smtp_url, retry_failed=retry_failed, store=store
        )


def read_bounces(now: datetime, by_connection: Callable[[Any], Inbox] | None = None) -> dict[str, Any]:
    """Mails that came back, from ``TIENDO_BOUNCES`` into the ledger (``etl.publish.deliver.bounces``)."""
    from etl.publish.deliver import bounces

    found = bounces.mails(settings.get(), now, by_connection)
    with warehouse.transaction() as connection:
        return bounces.book(connection, found, now)


def require_none_bounced(result: Mapping[str, Any]) -> None:
    """Raises DeliveryError naming whose mail came back since the last look."""
    if result["bounced"]:
        told = [f"{one['recipient']} (bản {one['release_id']}): {one['detail']}" for one in result["bounced"]]
        raise DeliveryError("Có thư bị trả lại:\n" + "\n".join(told))


def archive_site(target: Path | None = None) -> dict[str, Any]:
    """The archive site of all published releases (``etl.publish.site``), under ``var/site`` unless told otherwise."""
    from etl.publish.site import archive as site

    conf = settings.get()
    with warehouse.connect() as connection:
        return site.build(connection, conf.out_dir, (target or conf.site_dir).resolve(), conf.site_url)
