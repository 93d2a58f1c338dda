-- Two times: which submission speaks for a commune from when until when, kept beside the facts; reports that are
-- withdrawn; summaries that are kept the same way. All of it is derived and can be made again from what was received
-- and decided: the rows of schema raw and the facts stay append-only.

-- A report that its sender or an officer takes back: from that moment it has no say, and what it replaced speaks again.
create table raw.withdrawal (
    submission_id bigint primary key references raw.submission,
    withdrawn_by text not null check (withdrawn_by <> ''),
    reason text not null check (reason <> ''),
    withdrawn_at timestamptz not null
);

do $$
begin
    create trigger append_only before update or delete or truncate on raw.withdrawal
    for each statement execute function audit.refuse_change();
end
$$;

-- As before (0004), and until it is withdrawn.
create or replace view raw.claim as
with decided as (
    select
        d.submission_id,
        d.decision,
        d.decided_at,
        lead(d.decided_at) over (
            partition by d.submission_id order by d.decided_at, d.revision_decision_id
        ) as next_decided_at
    from raw.revision_decision as d
),

claims as (
    select
        s.submission_id,
        s.commune_code,
        s.period,
        s.budget_year,
        s.as_of,
        s.received_at,
        s.known_at,
        s.sha256,
        s.file_name,
        s.version_no,
        case
            when s.is_late_revision then greatest(d.decided_at, a.admitted_at)
            else coalesce(a.admitted_at, s.known_at)
        end as claims_from,
        least(d.next_decided_at, w.withdrawn_at) as claims_until,
        case
            when s.is_late_revision then greatest(d.decided_at, a.admitted_at)
            else coalesce(a.admitted_at, s.archived_at)
        end as ranked_by
    from raw.submission as s
    left join raw.admission as a on s.submission_id = a.submission_id
    left join raw.withdrawal as w on s.submission_id = w.submission_id
    left join decided as d on s.submission_id = d.submission_id and d.decision = 'accepted' and s.is_late_revision
    where
        (s.verdict = 'accepted' or a.submission_id is not null)
        and (not s.is_late_revision or d.submission_id is not null)
)

select * from claims
where claims_until is null or claims_until > claims_from;

create index on raw.submission (period, budget_year, commune_code);

-- Which submission speaks, from when until when. A submission that speaks twice has two rows.
create table core.submission_span (
    submission_id bigint not null references raw.submission,
    commune_code text not null,
    period text not null,
    budget_year integer not null,
    as_of date,
    known_from timestamptz not null,
    known_to timestamptz not null default 'infinity',
    primary key (submission_id, known_from),
    check (known_from < known_to)
);
create unique index submission_span_speaking on core.submission_span (period, budget_year, commune_code)
where known_to = 'infinity';
create index on core.submission_span (period, budget_year, commune_code, known_from);
create index on core.submission_span (commune_code);

-- Makes the spans of one commune, period and budget year anew from its claims. Concurrent loads of versions of one
-- report wait for each other.
create function core.respan(p_commune_code text, p_period text, p_budget_year integer) returns void
language plpgsql
as $$
begin
    perform pg_advisory_xact_lock(hashtextextended(concat_ws('|', p_commune_code, p_period, p_budget_year), 7));
    delete from core.submission_span
    where (period, budget_year, commune_code) = (p_period, p_budget_year, p_commune_code);
    insert into core.submission_span
    with claims as materialized (
        select c.* from raw.claim as c
        where (c.period, c.budget_year, c.commune_code) = (p_period, p_budget_year, p_commune_code)
    ),

    moments as (
        select c.claims_from as moment from claims as c
        union
        select c.claims_until from claims as c where c.claims_until is not null
    ),

    stretches as (
        select m.moment, lead(m.moment, 1, 'infinity') over (order by m.moment) as next_moment from moments as m
    ),

    speaking as (
        select w.submission_id, w.as_of, range_agg(tstzrange(p.moment, p.next_moment)) as spans
        from stretches as p
        cross join lateral (
            select c.submission_id, c.as_of from claims as c
            where c.claims_from <= p.moment and (c.claims_until is null or c.claims_until > p.moment)
            order by c.ranked_by desc, c.received_at desc, c.version_no desc nulls last, c.sha256
            limit 1
        ) as w
        group by w.submission_id, w.as_of
    )

    select k.submission_id, p_commune_code, p_period, p_budget_year, k.as_of, lower(u.span), upper(u.span)
    from speaking as k
    cross join lateral unnest(k.spans) as u (span);
end
$$;

-- Periods whose summaries have to be made anew from a moment on; rows are taken away by core.refresh().
create table core.stale_period (
    stale_period_id bigint generated always as identity primary key,
    period text not null,
    budget_year integer not null,
    since timestamptz not null,
    marked_by xid8 not null default pg_current_xact_id()
);

-- One mark is enough for all that a transaction does to a period from a moment on.
create function core.mark_stale(p_period text, p_budget_year integer, p_since timestamptz) returns void
language sql
as $$
    insert into core.stale_period (period, budget_year, since)
    select p_period, p_budget_year, p_since
    where not exists (
        select 1 from core.stale_period as s
        where
            s.period = p_period and s.budget_year = p_budget_year and s.since <= p_since
            and s.marked_by = pg_current_xact_id()
    )
$$;

-- Summaries are true again when the transaction that made them stale commits. One that loads many reports in many
-- transactions says set tiendo.refresh = 'later' and calls core.refresh() (sql/summaries) itself at the end.
create function core.refresh_at_commit() returns trigger
language plpgsql
as $$
begin
    -- On the way up from an older version the functions of the summaries are not there yet: migrate makes them last.
    if
        coalesce(current_setting('tiendo.refresh', true), '') <> 'later'
        and to_regprocedure('core.refresh()') is not null
    then
        perform core.refresh();
    end if;
    return null;
end
$$;

create constraint trigger refresh_at_commit after insert on core.stale_period
deferrable initially deferred for each row execute function core.refresh_at_commit();

create function core.note_submission() returns trigger
language plpgsql
as $$
begin
    perform core.mark_stale(n.period, n.budget_year, min(n.known_at)) from arrived as n
    where n.period is not null and n.budget_year is not null
    group by n.period, n.budget_year;
    perform core.respan(n.commune_code, n.period, n.budget_year)
    from (
        select distinct a.commune_code, a.period, a.budget_year from arrived as a
        where a.verdict = 'accepted' order by a.commune_code
    ) as n;
    return null;
end
$$;

create trigger note_submission after insert on raw.submission
referencing new table as arrived for each statement execute function core.note_submission();

-- The argument names the column with the moment of the decision.
create function core.note_decision() returns trigger
language plpgsql
as $$
declare
    moment text := tg_argv[0];
begin
    perform core.mark_stale(s.period, s.budget_year, min((to_jsonb(n) ->> moment)::timestamptz))
    from decided as n
    inner join raw.submission as s on n.submission_id = s.submission_id
    group by s.period, s.budget_year;
    perform core.respan(k.commune_code, k.period, k.budget_year)
    from (
        select distinct s.commune_code, s.period, s.budget_year
        from decided as n
        inner join raw.submission as s on n.submission_id = s.submission_id
        order by s.commune_code
    ) as k;
    return null;
end
$$;

create trigger note_decision after insert on raw.revision_decision
referencing new table as decided for each statement execute function core.note_decision('decided_at');
create trigger note_decision after insert on raw.admission
referencing new table as decided for each statement execute function core.note_decision('admitted_at');
create trigger note_decision after insert on raw.withdrawal
referencing new table as decided for each statement execute function core.note_decision('withdrawn_at');

create function core.note_allocation() returns trigger
language plpgsql
as $$
begin
    perform core.mark_stale(w.period, w.budget_year, min(n.loaded_at))
    from arrived as n
    inner join ref.reporting_calendar as w on n.budget_year = w.budget_year and n.effective_on <= w.as_of
    group by w.period, w.budget_year;
    return null;
end
$$;

create trigger note_allocation after insert on ref.allocation
referencing new table as arrived for each statement execute function core.note_allocation();

-- Reference data has one time only: a change of the calendar, the communes or the programme tree counts for all of what
-- was known. Loading the same rows again changes nothing and does not come here.
create function core.note_everything() returns void
language sql
as $$
    select core.mark_stale(k.period, k.budget_year, '-infinity')
    from (
        select w.period, w.budget_year from ref.reporting_calendar as w
        union
        select s.period, s.budget_year from core.submission_span as s
    ) as k
$$;

create function core.note_reference() returns trigger
language plpgsql
as $$
begin
    perform core.note_everything();
    return null;
end
$$;

create trigger note_reference after insert or update or delete on ref.reporting_calendar
for each statement execute function core.note_reference();
create trigger note_reference after insert or update or delete on ref.commune
for each statement execute function core.note_reference();
create trigger note_reference after insert or update or delete on ref.programme_node
for each statement execute function core.note_reference();

-- The submission that speaks for a commune, period and budget year, as known at a moment; 'infinity' is now.
create or replace function core.in_force(p_known_at timestamptz)
returns table (
    submission_id bigint,
    commune_code text,
    period text,
    budget_year integer,
    as_of date,
    received_at timestamptz,
    known_at timestamptz,
    sha256 text,
    file_name text
)
language sql stable
as $$
    select
        p.submission_id, p.commune_code, p.period, p.budget_year, p.as_of, s.received_at, s.known_at, s.sha256,
        s.file_name
    from core.submission_span as p
    inner join raw.submission as s on p.submission_id = s.submission_id
    where p.known_from <= p_known_at and (p.known_to > p_known_at or p.known_to = 'infinity')
$$;

-- During which stretches of time each submission that counts was the one in force; empty for one that never was.
create or replace view raw.submission_in_force as
select
    s.submission_id,
    s.commune_code,
    s.period,
    s.budget_year,
    coalesce(k.in_force, '{}'::tstzmultirange) as in_force
from raw.submission as s
left join raw.admission as a on s.submission_id = a.submission_id
left join (
    select
        p.submission_id,
        range_agg(tstzrange(p.known_from, nullif(p.known_to, 'infinity'))) as in_force
    from core.submission_span as p
    group by p.submission_id
) as k on s.submission_id = k.submission_id
where s.verdict = 'accepted' or a.submission_id is not null;

-- Kept summaries. Each row is what was known from known_from until known_to.

-- Capital that the province's decisions give to a commune and that stands on none of its lines (check CK25).
create table core.unallocated_line (
    period text not null,
    budget_year integer not null,
    commune_code text not null,
    submission_id bigint not null references raw.submission,
    as_of date,
    project_code text not null,
    capital_kind text not null,
    plan_total numeric(20, 0) not null,
    plan_nstw numeric(20, 0) not null,
    plan_nst numeric(20, 0) not null,
    plan_nsx numeric(20, 0) not null,
    carry_nstw numeric(20, 0) not null,
    carry_nsdp numeric(20, 0) not null,
    known_from timestamptz not null,
    known_to timestamptz not null default 'infinity',
    check (known_from < known_to)
);
create index on core.unallocated_line (period, budget_year, commune_code);

-- Sums of the leaf lines by slice (mart.disbursement_rate). paired_*: over the lines that have both sides of a rate.
create table core.disbursement_slice (
    period text not null,
    budget_year integer not null,
    slice text not null,
    commune_code text,
    programme_code text,
    project_code text,
    subproject_code text,
    capital_kind text,
    source text,
    plan_total numeric,
    plan_assigned numeric,
    plan_carry numeric,
    disb_period numeric,
    disb_ytd numeric,
    disb_assigned numeric,
    disb_carry numeric,
    disb_completed numeric,
    disb_advance numeric,
    undisbursed numeric,
    undisbursed_carry numeric,
    forecast numeric,
    paired_disb_total numeric,
    paired_plan_total numeric,
    paired_disb_assigned numeric,
    paired_plan_assigned numeric,
    paired_disb_carry numeric,
    paired_plan_carry numeric,
    known_from timestamptz not null,
    known_to timestamptz not null default 'infinity',
    check (known_from < known_to)
);
create index on core.disbursement_slice (period, budget_year, slice, known_from);
create index on core.disbursement_slice (commune_code, period) where commune_code is not null;
create index on core.disbursement_slice (slice, period, budget_year);

-- How many communes a period's totals cover (mart.completeness).
create table core.coverage (
    period text not null,
    budget_year integer not null,
    communes_expected integer not null,
    communes_reported integer not null,
    communes_returned integer not null,
    communes_refused integer not null,
    communes_missing integer not null,
    communes_late integer not null,
    plan_covered_vnd numeric,
    plan_registered_vnd numeric,
    known_from timestamptz not null,
    known_to timestamptz not null default 'infinity',
    primary key (period, budget_year, known_from),
    check (known_from < known_to)
);

-- Which text of the functions in sql/summaries made the summaries: another text makes them anew.
create table core.summary_version (
    only_row boolean primary key default true check (only_row),
    sha256 text not null
);

create index on ref.allocation (budget_year, commune_code, project_code, capital_kind);

-- What was received before this version.
select core.respan(k.commune_code, k.period, k.budget_year)
from (select distinct
    c.commune_code,
    c.period,
    c.budget_year
from raw.claim as c) as k;

comment on table raw.withdrawal is 'Báo cáo đã rút | Reports that were withdrawn';
