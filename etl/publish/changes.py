"""What a release changes against the last published one of its month, and why: the change list of a correction.

Each figure that is not the same, before and after, with what happened in between to the reports that it is made of:
which came, was sent again, was let through in spite of errors, was withdrawn; decisions on capital, corrected lists,
events of the task register.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from psycopg.rows import dict_row

from etl.load.warehouse import Connection
from etl.publish import frozen
from etl.publish.correction_figures import CAUSES_VI, PREFIX
from etl.publish.figure import Figure, FigureSet
from etl.publish.frozen import Release

CAUSES = {**CAUSES_VI, "task_event": "diễn biến của nhiệm vụ"}
_OF_TASKS = ("task", "overdue", "directive")


@dataclass(frozen=True)
class Cause:
    """One thing that happened between the two releases. ``kind``: a key of ``CAUSES``; the submissions are those that
    spoke for the commune before and speak now."""

    kind: str
    commune_code: str | None = None
    commune_vi: str | None = None
    before_submission_id: int | None = None
    after_submission_id: int | None = None
    file_name: str | None = None
    received_at: datetime | None = None
    decided_by: str | None = None
    reason: str | None = None

    @property
    def kind_vi(self) -> str:
        return CAUSES[self.kind]

    def as_text(self) -> str:
        """``xã Quan Sơn: đơn vị gửi lại báo cáo (báo cáo số 12)``."""
        who = f"{self.commune_vi[:1].lower()}{self.commune_vi[1:]}: " if self.commune_vi else ""
        number = f" (báo cáo số {self.after_submission_id})" if self.after_submission_id else ""
        by = f", {self.decided_by}" if self.decided_by else ""
        why = f": {self.reason}" if self.reason and self.kind not in ("new_report", "resubmission") else ""
        return f"{who}{self.kind_vi}{number}{by}{why}"


@dataclass(frozen=True)
class Change:
    """One figure that differs: ``before`` and ``after`` as they are in the two releases, None where one lacks it."""

    key: str
    before: Figure | None
    after: Figure | None
    why: tuple[Cause, ...]

    @property
    def figure(self) -> Figure:
        found = self.after or self.before
        if found is None:
            raise ValueError(self.key)
        return found

    @property
    def difference(self) -> Decimal | None:
        """After less before, where both are numbers."""
        if self.before is None or self.after is None or self.before.value is None or self.after.value is None:
            return None
        return self.after.value - self.before.value

    def as_dict(self) -> dict[str, Any]:
        one = self.figure
        return {
            "figure": self.key,
            "metric": one.metric,
            "dims": dict(one.dims),
            "unit": one.unit,
            "before": _shown(self.before),
            "after": _shown(self.after),
            "difference": None if self.difference is None else str(self.difference),
            "why": [
                {
                    **asdict(cause),
                    "kind_vi": cause.kind_vi,
                    "received_at": cause.received_at.isoformat() if cause.received_at else None,
                }
                for cause in self.why
            ],
        }


def _shown(figure: Figure | None) -> str | None:
    if figure is None:
        return None
    return figure.text if figure.value is None else f"{figure.value:f}"


def changes(connection: Connection, release: Release | str) -> list[Change]:
    """Figures of the release that differ from those of the last published one of the same period and budget year.

    In the order of the figures' keys; empty for the first release of a month. A figure of a commune has the causes of
    that commune; one of several communes those of all of them; one of tasks the events of the register. Texts that
    change with every release (its name, its moment) are none.
    """
    this = frozen.get(connection, release) if isinstance(release, str) else release
    last = frozen.published_before(connection, this)
    if last is None:
        return []
    return between(
        frozen.figures_of(connection, last), frozen.figures_of(connection, this), causes(connection, last, this)
    )


def between(before: FigureSet, after: FigureSet, why: Iterable[Cause]) -> list[Change]:
    """The differing figures of two releases, each with those of the causes that concern it."""
    old, new = ({figure.key: figure for figure in side} for side in (before, after))
    by_commune: dict[str | None, list[Cause]] = {}
    for cause in why:
        by_commune.setdefault("task" if cause.kind == "task_event" else cause.commune_code, []).append(cause)
    found = []
    for key in sorted(old.keys() | new.keys()):
        one, other = old.get(key), new.get(key)
        if not key.startswith(PREFIX) and not _same(one, other):
            figure = other or one
            if figure is not None:
                found.append(Change(key, one, other, _concerning(figure, by_commune)))
    return found


def _same(one: Figure | None, other: Figure | None) -> bool:
    return one is not None and other is not None and (one.value, one.text) == (other.value, other.text)


def _concerning(figure: Figure, by_commune: Mapping[str | None, list[Cause]]) -> tuple[Cause, ...]:
    if figure.metric.startswith(_OF_TASKS) or figure.dim("task") or figure.dim("agency"):
        return tuple(by_commune.get("task", ()))
    commune = figure.dim("commune")
    if commune is not None:
        own = by_commune.get(commune, [])
        return tuple(own or by_commune.get(None, []))
    return tuple(cause for code, group in by_commune.items() if code != "task" for cause in group)


def causes(connection: Connection, before: Release, after: Release) -> list[Cause]:
    """What happened to the month's reports, to decisions on capital, lists and tasks between the two moments."""
    rows = connection.cursor(row_factory=dict_row).execute(
        """
        select distinct
            c.commune_code, u.name_vi, c.cause, c.old_submission_id, c.new_submission_id, c.decided_by, c.reason,
            s.file_name, s.received_at
        from mart.revision_lines(%(period)s, %(year)s, %(from)s, %(to)s) as c
        left join lateral (
            select u.name_vi from ref.unit as u
            inner join ref.reporting_calendar as w on w.period = %(period)s and w.budget_year = %(year)s
            where u.commune_code = c.commune_code and u.valid_from <= w.as_of
            order by u.valid_from desc limit 1
        ) as u on true
        left join raw.submission as s on c.new_submission_id = s.submission_id
        order by c.commune_code, c.cause
        """,
        {
            "period": str(after.period),
            "year": after.budget_year,
            "from": before.known_at,
            "to": after.known_at,
        },
    )
    found = [
        Cause(
            row["cause"], row["commune_code"], row["name_vi"], row["old_submission_id"], row["new_submission_id"],
            row["file_name"], row["received_at"], row["decided_by"], row["reason"],
        )
        for row in rows.fetchall()
    ]  # fmt: skip
    return found + _quiet(connection, before, after, found) + _of_tasks(connection, before, after)


def _quiet(connection: Connection, before: Release, after: Release, found: Iterable[Cause]) -> list[Cause]:
    """Communes for which another report speaks that has the same amounts: outputs, tasks or notes may differ."""
    told = {cause.commune_code for cause in found}
    rows = connection.cursor(row_factory=dict_row).execute(
        """
        select
            coalesce(o.commune_code, n.commune_code) as commune_code, u.name_vi, o.submission_id as old_id,
            n.submission_id as new_id, n.file_name, n.received_at
        from (
            select * from core.in_force(%(from)s) where period = %(period)s and budget_year = %(year)s
        ) as o
        full join (
            select * from core.in_force(%(to)s) where period = %(period)s and budget_year = %(year)s
        ) as n on o.commune_code = n.commune_code
        left join lateral (
            select u.name_vi from ref.unit as u
            inner join ref.reporting_calendar as w on w.period = %(period)s and w.budget_year = %(year)s
            where u.commune_code = coalesce(o.commune_code, n.commune_code) and u.valid_from <= w.as_of
            order by u.valid_from desc limit 1
        ) as u on true
        where o.submission_id is distinct from n.submission_id
        order by 1
        """,
        {
            "period": str(after.period),
            "year": after.budget_year,
            "from": before.known_at,
            "to": after.known_at,
        },
    )
    kinds = {(True, False): "new_report", (False, True): "withdrawn", (False, False): "resubmission"}
    return [
        Cause(
            kinds[row["old_id"] is None, row["new_id"] is None], row["commune_code"], row["name_vi"], row["old_id"],
            row["new_id"], row["file_name"], row["received_at"],
        )
        for row in rows.fetchall()
        if row["commune_code"] not in told
    ]  # fmt: skip


def _of_tasks(connection: Connection, before: Release, after: Release) -> list[Cause]:
    rows = connection.execute(
        "select e.task_id, e.document, e.recorded_by from core.task_event as e "
        "where e.recorded_at > %s and e.recorded_at <= %s order by e.recorded_at, e.task_event_id",
        (before.known_at, after.known_at),
    ).fetchall()
    return [Cause("task_event", decided_by=by, reason=f"{task}: {document}") for task, document, by in rows]
