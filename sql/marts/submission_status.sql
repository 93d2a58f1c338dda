-- Where each commune stands in each period of the calendar: reported (accepted), returned, refused or missing;
-- on time or late by the calendar's due date (law 15). A late revision, which came after the period was published, has
-- no part in the state until an officer accepts it; it is counted apart. So are versions that replaced a report from
-- another place, or one that they did not start from: two offices may be reporting. One row per period, budget year
-- and commune.
create function mart.submission_status_at(p_known_at timestamptz)
returns table (
    period text,
    budget_year integer,
    commune_code text,
    commune_vi text,
    state text,
    received_at timestamptz,
    due_on date,
    late_days integer,
    submission_id bigint,
    versions integer,
    errors integer,
    warnings integer,
    overridden integer,
    explained integer,
    nothing_to_report text[],
    late_revisions_waiting integer,
    contested_versions integer,
    contested_lines integer
)
language sql stable
as $$
    with judged as (
        select
            s.period,
            s.budget_year,
            s.commune_code,
            count(*)::integer as versions,
            min(s.received_at) filter (where not s.is_late_revision) as first_received
        from raw.submission as s
        where s.known_at <= p_known_at and s.period is not null and s.commune_code is not null
        group by s.period, s.budget_year, s.commune_code
    ),

    latest as (
        select distinct on (s.period, s.budget_year, s.commune_code)
            s.period, s.budget_year, s.commune_code, s.submission_id, s.verdict, s.received_at
        from raw.submission as s
        where
            s.known_at <= p_known_at and s.period is not null and s.commune_code is not null
            and not s.is_late_revision
            and not exists (
                select 1 from raw.withdrawal as g
                where g.submission_id = s.submission_id and g.withdrawn_at <= p_known_at
            )
        order by s.period, s.budget_year, s.commune_code, s.received_at desc, s.sha256
    ),

    waiting as (
        select s.period, s.budget_year, s.commune_code, count(*)::integer as late_revisions
        from raw.submission as s
        where
            s.is_late_revision and s.known_at <= p_known_at
            and (
                s.verdict = 'accepted' or exists (
                    select 1 from raw.admission as a
                    where a.submission_id = s.submission_id and a.admitted_at <= p_known_at
                )
            )
            and not exists (
                select 1 from raw.revision_decision as d
                where d.submission_id = s.submission_id and d.decided_at <= p_known_at
            )
            and not exists (
                select 1 from raw.withdrawal as g
                where g.submission_id = s.submission_id and g.withdrawn_at <= p_known_at
            )
        group by s.period, s.budget_year, s.commune_code
    ),

    contested as (
        select
            s.period,
            s.budget_year,
            s.commune_code,
            count(*)::integer as versions,
            max(r.lines_differing)::integer as lines
        from core.replacement as r
        inner join raw.submission as s on r.submission_id = s.submission_id
        where r.is_contested and s.known_at <= p_known_at
        group by s.period, s.budget_year, s.commune_code
    ),

    findings as (
        select
            f.submission_id,
            count(*) filter (where f.severity = 'error' and a.kind is null)::integer as errors,
            count(*) filter (where f.severity = 'warning')::integer as warnings,
            count(*) filter (where f.severity = 'error' and a.kind is not null)::integer as overridden,
            count(*) filter (
                where f.severity = 'warning' and (f.explanation is not null or a.kind is not null)
            )::integer as explained
        from core.finding as f
        left join core.answer_in_force(p_known_at) as a
            on f.submission_id = a.submission_id and f.finding_no = a.finding_no
        group by f.submission_id
    )

    select
        w.period,
        w.budget_year,
        c.commune_code,
        c.name_vi as commune_vi,
        case
            when f.submission_id is not null then 'reported'
            when l.verdict is not null then l.verdict
            else 'missing'
        end as state,
        coalesce(f.received_at, l.received_at) as received_at,
        w.due_on,
        greatest(
            (coalesce(j.first_received, f.received_at) at time zone 'Asia/Ho_Chi_Minh')::date - w.due_on, 0
        ) as late_days,
        coalesce(f.submission_id, l.submission_id) as submission_id,
        coalesce(j.versions, 0) as versions,
        coalesce(fd.errors, 0) as errors,
        coalesce(fd.warnings, 0) as warnings,
        coalesce(fd.overridden, 0) as overridden,
        coalesce(fd.explained, 0) as explained,
        sf.nothing_to_report,
        coalesce(wt.late_revisions, 0) as late_revisions_waiting,
        coalesce(ct.versions, 0) as contested_versions,
        coalesce(ct.lines, 0) as contested_lines
    from ref.reporting_calendar as w
    inner join ref.unit as c on w.as_of >= c.valid_from and (c.valid_to is null or w.as_of <= c.valid_to)
    left join core.in_force(p_known_at) as f
        on w.period = f.period and w.budget_year = f.budget_year and c.commune_code = f.commune_code
    left join raw.submission as sf on f.submission_id = sf.submission_id
    left join judged as j
        on w.period = j.period and w.budget_year = j.budget_year and c.commune_code = j.commune_code
    left join latest as l
        on w.period = l.period and w.budget_year = l.budget_year and c.commune_code = l.commune_code
    left join waiting as wt
        on w.period = wt.period and w.budget_year = wt.budget_year and c.commune_code = wt.commune_code
    left join contested as ct
        on w.period = ct.period and w.budget_year = ct.budget_year and c.commune_code = ct.commune_code
    left join findings as fd on coalesce(f.submission_id, l.submission_id) = fd.submission_id
$$;
