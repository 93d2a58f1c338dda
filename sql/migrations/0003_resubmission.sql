-- Resubmission: late revisions that wait for an officer, what each version replaced, and replies to senders.

-- Set when the submission is loaded and never afterwards: at that moment the period had been published already.
alter table raw.submission add column is_late_revision boolean not null default false;

-- An officer's decision on a late revision. Append-only; the last one counts from its own moment on.
create table raw.revision_decision (
    revision_decision_id bigint generated always as identity primary key,
    submission_id bigint not null references raw.submission,
    decision text not null check (decision in ('accepted', 'rejected')),
    decided_by text not null check (decided_by <> ''),
    reason text not null check (reason <> ''),
    decided_at timestamptz not null
);
create index on raw.revision_decision (submission_id, decided_at);

-- What an accepted version replaced (null: nothing), noted once when it was loaded: whether it came from elsewhere and
-- how many lines differ.
-- is_contested: two offices may be reporting for one commune, so both are told.
create table core.replacement (
    submission_id bigint primary key references raw.submission,
    replaces_submission_id bigint references raw.submission,
    lines_differing integer not null,
    is_elsewhere boolean not null,
    is_contested boolean not null
);

-- Replies to senders: claim before send, one row per delivery, submission that the reply is about, recipient, channel.
create table raw.reply (
    delivery_id bigint not null references raw.delivery,
    submission_id bigint not null references raw.submission,
    recipient text not null,
    channel text not null check (channel in ('outbox', 'smtp')),
    state text not null check (state in ('claimed', 'sent', 'failed')),
    claimed_at timestamptz not null,
    finished_at timestamptz,
    detail text,
    primary key (delivery_id, submission_id, recipient, channel)
);

do $$
declare
    t text;
begin
    foreach t in array array['raw.revision_decision', 'core.replacement'] loop
        execute format(
            'create trigger append_only before update or delete or truncate on %s '
            'for each statement execute function audit.refuse_change()', t
        );
    end loop;
end
$$;

-- The submission that speaks for a commune, period and budget year, as known at a moment. Of those accepted by then the
-- one that reached the archive last; what arrived together is ordered by the time at which the sender put it there,
-- then by the sender's version number, then by content, so that re-runs do not matter (law 10). A late revision has no
-- say until an officer accepts it; from then on it counts as having arrived at that decision.
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
    with decided as (
        select distinct on (d.submission_id) d.submission_id, d.decision, d.decided_at
        from raw.revision_decision as d
        where d.decided_at <= p_known_at
        order by d.submission_id, d.decided_at desc, d.revision_decision_id desc
    )

    select distinct on (s.commune_code, s.period, s.budget_year)
        s.submission_id, s.commune_code, s.period, s.budget_year, s.as_of, s.received_at, s.known_at, s.sha256,
        s.file_name
    from raw.submission as s
    left join decided as d on s.submission_id = d.submission_id
    where
        s.verdict = 'accepted' and s.known_at <= p_known_at
        and (not s.is_late_revision or d.decision = 'accepted')
    order by
        s.commune_code, s.period, s.budget_year,
        case when s.is_late_revision then d.decided_at else s.archived_at end desc,
        s.received_at desc, s.version_no desc nulls last, s.sha256
$$;

-- During which stretches of time each accepted submission was the one in force; empty for one that never was.
drop view raw.submission_in_force;
create view raw.submission_in_force as
with moments as (
    select
        s.commune_code,
        s.period,
        s.budget_year,
        s.known_at as moment
    from raw.submission as s
    where s.verdict = 'accepted'
    union
    select
        s.commune_code,
        s.period,
        s.budget_year,
        d.decided_at as moment
    from raw.revision_decision as d
    inner join raw.submission as s on d.submission_id = s.submission_id
),

spans as (
    select
        m.*,
        lead(m.moment) over (partition by m.commune_code, m.period, m.budget_year order by m.moment) as next_moment
    from moments as m
),

speaking as (
    select
        w.submission_id,
        range_agg(tstzrange(p.moment, p.next_moment)) as in_force
    from spans as p
    cross join
        lateral (
            select s.submission_id
            from raw.submission as s
            left join lateral (
                select
                    d.decision,
                    d.decided_at
                from raw.revision_decision as d
                where d.submission_id = s.submission_id and d.decided_at <= p.moment
                order by d.decided_at desc, d.revision_decision_id desc limit 1
            ) as d on true
            where
                s.verdict = 'accepted' and s.known_at <= p.moment
                and (s.commune_code, s.period, s.budget_year) = (p.commune_code, p.period, p.budget_year)
                and (not s.is_late_revision or d.decision = 'accepted')
            order by
                case when s.is_late_revision then d.decided_at else s.archived_at end desc,
                s.received_at desc, s.version_no desc nulls last, s.sha256 asc
            limit 1
        ) as w
    group by w.submission_id
)

select
    s.submission_id,
    s.commune_code,
    s.period,
    s.budget_year,
    coalesce(k.in_force, '{}'::tstzmultirange) as in_force
from raw.submission as s
left join speaking as k on s.submission_id = k.submission_id
where s.verdict = 'accepted';

-- Lines of the five forms in which two submissions differ, item by item as text; null: blank, or the line is not there.
create function core.difference(p_before bigint, p_after bigint)
returns table (
    form text,
    line text,
    item text,
    value_before text,
    value_after text
)
language sql stable
as $$
    with facts as (
        select 'B01' as form, t.submission_id, t.line_code as line, to_jsonb(t) - 'line_code' as content
        from core.disbursement as t
        where t.submission_id in (p_before, p_after)
        union all
        select 'B02', t.submission_id, t.indicator_code, to_jsonb(t) - 'indicator_code'
        from core.output_indicator as t
        where t.submission_id in (p_before, p_after)
        union all
        select 'B03', t.submission_id, t.task_id, to_jsonb(t) - 'task_id'
        from core.task_report as t
        where t.submission_id in (p_before, p_after)
        union all
        select
            'B04', t.submission_id,
            t.issue_id || coalesce(' (' || nullif(
                row_number() over (partition by t.submission_id, t.issue_id order by t.row_no), 1
            ) || ')', ''),
            to_jsonb(t) - 'issue_id'
        from core.proposal as t
        where t.submission_id in (p_before, p_after)
        union all
        select 'B05', t.submission_id, t.line_code, to_jsonb(t) - 'line_code'
        from core.roadmap as t
        where t.submission_id in (p_before, p_after)
        union all
        select 'B01', t.submission_id, t.line_code || ' *', to_jsonb(t) - 'line_code'
        from core.off_budget as t
        where t.submission_id in (p_before, p_after)
    ),

    items as (
        select f.submission_id, f.form, f.line, e.key as item, nullif(e.value, 'null') as value
        from facts as f
        cross join lateral jsonb_each(f.content) as e
        where
            e.key not in (
                'submission_id', 'commune_code', 'period', 'budget_year', 'row_no', 'value_states', 'capital_kind',
                'is_new'
            ) and not (e.key = 'project_code' and f.form <> 'B04')
    )

    select
        form,
        line,
        item,
        case when jsonb_typeof(b.value) = 'number' then trim_scale(b.value::numeric)::text else b.value #>> '{}' end
            as value_before,
        case when jsonb_typeof(a.value) = 'number' then trim_scale(a.value::numeric)::text else a.value #>> '{}' end
            as value_after
    from (select * from items where submission_id = p_before) as b
    full join (select * from items where submission_id = p_after) as a using (form, line, item)
    where b.value is distinct from a.value
    order by form, line, item
$$;

-- From where a submission first came: the sender's address where it is known (mail), else inbox and folder. The columns
-- sender and path belong to some inboxes only, so they are looked up by name.
create function raw.source_of(p_sha256 text) returns text
language sql stable
as $$
    select coalesce(
        nullif(lower(trim(to_jsonb(d) ->> 'sender')), ''),
        concat_ws('/', d.inbox, nullif(regexp_replace(to_jsonb(d) ->> 'path', '/?[^/]*$', ''), ''))
    )
    from raw.delivery as d
    where d.sha256 = p_sha256
    order by d.received_at, d.delivery_id
    limit 1
$$;

-- Note what each accepted submission replaced that has no note yet. A version is contested when it changes lines and
-- comes from elsewhere, or when it carries the version number of the one it replaces and differs from it in many lines:
-- it did not start from that one. Idempotent.
create function core.note_replacements(p_contested_pct numeric) returns bigint
language sql volatile
as $$
    with pairs as (
        select s.submission_id, o.submission_id as replaces, s.version_no, o.version_no as replaced_version,
            o.submission_id is not null and raw.source_of(s.sha256) is distinct from raw.source_of(o.sha256)
                as is_elsewhere
        from raw.submission as s
        left join lateral (
            select c.submission_id, c.version_no, c.sha256
            from raw.submission as c
            left join lateral (
                select d.decision, d.decided_at from raw.revision_decision as d
                where d.submission_id = c.submission_id and d.decided_at <= s.known_at
                order by d.decided_at desc, d.revision_decision_id desc limit 1
            ) as d on true
            where
                c.verdict = 'accepted' and c.submission_id <> s.submission_id and c.known_at <= s.known_at
                and (c.commune_code, c.period, c.budget_year) = (s.commune_code, s.period, s.budget_year)
                and (not c.is_late_revision or d.decision = 'accepted')
                and (
                    s.is_late_revision
                    or (c.archived_at, c.received_at, coalesce(c.version_no, 0), s.sha256)
                    < (s.archived_at, s.received_at, coalesce(s.version_no, 0), c.sha256)
                )
            order by
                case when c.is_late_revision then d.decided_at else c.archived_at end desc,
                c.received_at desc, c.version_no desc nulls last, c.sha256
            limit 1
        ) as o on true
        where
            s.verdict = 'accepted'
            and not exists (select 1 from core.replacement as r where r.submission_id = s.submission_id)
    ),

    counted as (
        select
            p.*,
            case when p.replaces is null then 0 else (
                select count(distinct (x.form, x.line)) from core.difference(p.replaces, p.submission_id) as x
            ) end as lines_differing,
            case when p.replaces is null then 0 else (
                select count(*) from core.disbursement as l where l.submission_id = p.replaces
            ) end as lines
        from pairs as p
    ),

    inserted as (
        insert into core.replacement
        select
            c.submission_id,
            c.replaces,
            c.lines_differing,
            c.is_elsewhere,
            c.lines_differing > 0 and (
                c.is_elsewhere
                or coalesce(
                    c.version_no = c.replaced_version
                    and c.lines_differing >= greatest(3, c.lines * p_contested_pct / 100), false
                )
            )
        from counted as c
        on conflict (submission_id) do nothing
        returning 1
    )

    select count(*) from inserted
$$;
