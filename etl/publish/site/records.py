"""What the archive site tells of a published release, read from the warehouse; no addresses of persons are read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from psycopg.rows import dict_row

from etl.load.warehouse import Connection
from etl.period import Period


@dataclass(frozen=True)
class Artifact:
    """A file as it was frozen."""

    name: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True)
class Published:
    """A published release. ``replaced_by`` and ``replaces``: its neighbours among those of the same period and year."""

    release_id: str
    period: Period
    budget_year: int
    release_no: int
    as_of: date
    known_at: datetime
    facts_sha256: str
    manifest_sha256: str
    published_at: datetime
    approved_by: str | None
    approved_at: datetime | None
    is_closing: bool
    planned_on: date | None
    artifacts: tuple[Artifact, ...]
    replaces: str | None
    replaced_by: str | None

    @property
    def is_correction(self) -> bool:
        return self.replaces is not None

    @property
    def is_latest(self) -> bool:
        return self.replaced_by is None

    @property
    def folder(self) -> str:
        """Its place in the site."""
        return f"ban/{self.release_id}"

    @property
    def title(self) -> str:
        """``Kỳ báo cáo tháng 10 năm 2025``, with the budget year where it is another."""
        year = "" if self.budget_year == self.period.year else f", năm ngân sách {self.budget_year}"
        return f"Kỳ báo cáo {self.period.vi}{year}"

    def file(self, name: str) -> Artifact | None:
        return next((a for a in self.artifacts if a.name == name), None)


def published(connection: Connection) -> tuple[Published, ...]:
    """Every published release, in the order of publication."""
    rows = _rows(
        connection,
        """
        select
            r.release_id, r.period, r.budget_year, r.release_no, r.as_of, r.known_at, r.facts_sha256, p.manifest_sha256,
            p.published_at, a.decided_by as approved_by, a.decided_at as approved_at,
            coalesce(c.is_closing, false) as is_closing, c.publish_on as planned_on,
            lag(r.release_id) over same as replaces, lead(r.release_id) over same as replaced_by,
            coalesce((
                select array_agg(array[f.name, f.sha256, f.size_bytes::text] order by f.name collate "C")
                from release.artifact as f where f.release_id = r.release_id
            ), array[]::text[]) as artifacts
        from release.release as r
        inner join release.publication as p on r.release_id = p.release_id
        left join release.approval as a
            on r.release_id = a.release_id and p.manifest_sha256 = a.manifest_sha256 and a.decision = 'approved'
        left join ref.reporting_calendar as c on r.period = c.period and r.budget_year = c.budget_year
        window same as (partition by r.period, r.budget_year order by r.release_no)
        order by p.published_at, r.release_id collate "C"
        """,
    )
    return tuple(
        Published(
            **row
            | {
                "period": Period.parse(row["period"]),
                "artifacts": tuple(Artifact(name, sha256, int(size)) for name, sha256, size in row["artifacts"]),
            }
        )
        for row in rows
    )


@dataclass(frozen=True)
class Problem:
    """A finding that was still open when the release was frozen."""

    rule: str
    severity: str
    commune: str
    place: str
    message: str


def open_problems(connection: Connection, release: Published) -> tuple[Problem, ...]:
    """Of the reports (``mart.finding_published``) and of the period as a whole, errors first."""
    rows = _rows(
        connection,
        """
        select f.expectation_id as rule, f.severity, f.commune_vi, f.sheet, f.cell, f.message_vi, f.line
        from mart.finding_published as f
        where f.release_id = %(id)s and f.period = %(period)s and f.budget_year = %(year)s and f.outcome = 'open'
        union all
        select w.expectation_id, w.severity, w.commune_vi, w.sheet, w.cell, w.message_vi, w.line
        from mart.release_finding as w where w.release_id = %(id)s
        """,
        id=release.release_id,
        period=str(release.period),
        year=release.budget_year,
    )
    found = [
        Problem(
            row["rule"] or "", row["severity"], row["commune_vi"] or "",
            f"{row['sheet']}!{row['cell']}" if row["sheet"] and row["cell"] else row["sheet"] or row["line"] or "",
            row["message_vi"],
        )
        for row in rows
    ]  # fmt: skip
    levels = ("error", "warning", "info")
    return tuple(sorted(found, key=lambda p: (levels.index(p.severity), p.rule, p.commune, p.place, p.message)))


@dataclass(frozen=True)
class Sent:
    """How many deliveries of a channel came to which end. ``unknown``: claimed, and no end is booked; ``again``: a
    person wants it sent once more."""

    channel: str
    sent: int
    failed: int
    bounced: int
    unknown: int
    again: int


def deliveries(connection: Connection, release_id: str) -> tuple[Sent, ...]:
    rows = _rows(
        connection,
        """
        select
            d.channel, count(*) filter (where d.state = 'sent') as sent,
            count(*) filter (where d.state = 'failed') as failed,
            count(*) filter (where d.state = 'bounced') as bounced,
            count(*) filter (where d.state = 'claimed') as unknown,
            count(*) filter (where d.state = 'again') as again
        from release.delivery as d where d.release_id = %(id)s group by d.channel order by d.channel collate "C"
        """,
        id=release_id,
    )
    return tuple(Sent(**row) for row in rows)


@dataclass(frozen=True)
class Revision:
    """A line that changed between a release and the one that it replaces (``mart.revision``)."""

    commune_code: str | None
    line_code: str
    metric: str
    unit: str
    old_value: Decimal | None
    new_value: Decimal | None
    difference: Decimal | None
    cause: str
    reason: str | None
    decided_by: str | None


def revisions(connection: Connection, release: Published) -> tuple[Revision, ...]:
    """Why the figures of a correction differ: the lines of the communes that changed."""
    if not release.is_correction:
        return ()
    rows = _rows(
        connection,
        """
        select
            v.commune_code, v.line_code, v.metric, v.unit, v.old_value, v.new_value, v.difference, v.cause, v.reason,
            v.decided_by
        from mart.revision as v
        where v.release_id = %(id)s and v.period = %(period)s and v.budget_year = %(year)s
        order by v.commune_code, v.form, v.line_code collate "C", v.metric collate "C"
        """,
        id=release.release_id,
        period=str(release.period),
        year=release.budget_year,
    )
    return tuple(Revision(**row) for row in rows)


def _rows(connection: Connection, query: str, **values: object) -> Iterator[dict[str, Any]]:
    return iter(connection.cursor(row_factory=dict_row).execute(query, values).fetchall())
