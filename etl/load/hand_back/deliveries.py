"""Deliveries as the warehouse knows them: who sent what, how it was judged, which version it replaced."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg.rows import dict_row

from etl.load.warehouse import Connection
from etl.validate.finding import Finding


@dataclass(frozen=True)
class Delivery:
    """A delivery, the submission of its bytes, and the version that this one replaced."""

    row: Mapping[str, Any]
    findings: Sequence[Finding] = ()
    differing: tuple[tuple[str, str], ...] = ()

    def __getattr__(self, name: str) -> Any:
        try:
            return self.row[name]
        except KeyError as error:
            raise AttributeError(name) from error


# sender, message_id: columns that only some inboxes fill; they are looked up by name.
_BASE = """
    with ordered as (
        select
            d.delivery_id, d.sha256, d.inbox, d.file_name, d.received_at,
            nullif(trim(to_jsonb(d) ->> 'sender'), '') as sender,
            to_jsonb(d) ->> 'message_id' as message_id,
            d.delivery_id = min(d.delivery_id) over (partition by d.sha256) as is_first,
            min(d.received_at) over (partition by d.sha256) as first_received_at
        from raw.delivery as d
    ),

    base as (
        select
            d.*,
            s.submission_id, s.file_name as judged_file_name, s.verdict, s.commune_code, s.period, s.budget_year,
            s.as_of, s.received_at as judged_received_at, s.known_at, s.archived_at, s.version_no, s.is_late_revision,
            coalesce(r.is_contested, false) as is_contested,
            coalesce(r.is_elsewhere, false) as is_elsewhere,
            a.admitted_at,
            a.admitted_by,
            a.submission_id is not null and d.is_first as is_admitted,
            r.replaces_submission_id,
            o.delivery_id as replaced_delivery_id,
            o.file_name as replaced_file,
            o.sha256 as replaced_sha256,
            o.inbox as replaced_inbox,
            o.received_at as replaced_received_at,
            o.sender as replaced_sender,
            s.verdict <> 'accepted' or coalesce(r.is_contested, false)
            or exists (select 1 from core.finding as f where f.submission_id = s.submission_id) as is_told
        from ordered as d
        inner join raw.submission as s on d.sha256 = s.sha256
        left join raw.admission as a on s.submission_id = a.submission_id
        left join core.replacement as r on s.submission_id = r.submission_id and d.is_first
        left join raw.submission as p on r.replaces_submission_id = p.submission_id
        left join ordered as o on p.sha256 = o.sha256 and o.is_first
    )
"""
_OVERVIEW = (
    _BASE
    + """
    select
        b.*,
        exists (
            select 1 from raw.reply as y
            where
                y.delivery_id = b.delivery_id and y.submission_id = b.submission_id and y.channel = %(channel)s
        ) as is_booked,
        exists (
            select 1 from raw.reply as y
            where
                y.delivery_id = b.replaced_delivery_id and y.submission_id = b.submission_id
                and y.channel = %(channel)s
        ) as is_told_before
    from base as b
    order by b.delivery_id
"""
)
# The nth submission of a commune and period, as known when it was judged: in the order in which versions supersede.
_NTH = """(
    select count(*) from raw.submission as n
    where
        n.commune_code = {0}.commune_code and n.period = {0}.period
        and n.budget_year is not distinct from {0}.budget_year and n.known_at <= {0}.known_at
        and (n.archived_at, n.received_at, coalesce(n.version_no, 0), {0}.sha256)
        <= ({0}.archived_at, {0}.received_at, coalesce({0}.version_no, 0), n.sha256)
)"""
_DETAILS = (
    _BASE
    + f"""
    select
        b.*,
        c.name_vi as commune_vi,
        (
            select string_agg(distinct w.reason, '; ' order by w.reason)
            from core.answer_in_force(b.admitted_at) as w
            where w.submission_id = b.submission_id and w.kind = 'overridden'
        ) as admission_reasons,
        nullif({_NTH.format("b")}, 0) as nth,
        nullif({_NTH.format("p")}, 0) as replaced_nth,
        (select count(*) from core.finding as f where f.submission_id = p.submission_id and f.severity = 'warning')
            as replaced_warnings,
        exists (
            select 1 from raw.submission as e
            where
                e.commune_code = b.commune_code and e.period = b.period
                and e.budget_year is not distinct from b.budget_year and e.verdict = 'accepted'
                and e.archived_at < b.archived_at and e.known_at <= b.known_at
        ) as has_earlier
    from base as b
    left join raw.submission as p on b.replaces_submission_id = p.submission_id
    left join lateral ref.unit_known_at(b.known_at) as c
        on b.commune_code = c.commune_code and coalesce(b.as_of, b.known_at::date) >= c.valid_from
        and (c.valid_to is null or coalesce(b.as_of, b.known_at::date) <= c.valid_to)
    where b.delivery_id = any(%(deliveries)s)
    order by b.delivery_id
"""
)


def _rows(connection: Connection, query: str, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
    return connection.cursor(row_factory=dict_row).execute(query.encode(), parameters).fetchall()


def overview(connection: Connection, channel: str) -> list[dict[str, Any]]:
    """Every delivery whose submission was judged, with what it is to be told and what was booked on that channel."""
    return _rows(connection, _OVERVIEW, {"channel": channel})


def details(connection: Connection, deliveries: list[int]) -> list[Delivery]:
    if not deliveries:
        return []
    rows = _rows(connection, _DETAILS, {"deliveries": deliveries})
    found = findings_of(connection, {row["submission_id"] for row in rows})
    result = [
        Delivery(
            row,
            found.get(row["submission_id"], ()),
            _differing(connection, row) if row["is_contested"] else (),
        )
        for row in rows
    ]
    connection.commit()
    return result


def _differing(connection: Connection, row: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (form, line)
        for form, line in connection.execute(
            "select distinct form, line from core.difference(%s, %s) order by 1, 2",
            (row["replaces_submission_id"], row["submission_id"]),
        ).fetchall()
    )


def findings_of(connection: Connection, submissions: Iterable[int]) -> dict[int, list[Finding]]:
    """Findings of each submission that has any, in their order."""
    result: dict[int, list[Finding]] = {}
    for number, *values in connection.execute(
        """
        select
            submission_id, rule_id, severity, sheet, cell, value, expected, difference, message_vi, fix_vi,
            expectation_id, form, line, item, unit, explanation
        from core.finding where submission_id = any(%s) order by submission_id, finding_no
        """,
        (list(submissions),),
    ).fetchall():
        result.setdefault(number, []).append(Finding(*values))
    return result
