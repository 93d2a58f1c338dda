-- Where each commune of the calendar stands in a period, as far as a summary needs it: reported, returned, refused or
-- missing, and late by the calendar's due date (law 15). How many communes the totals cover and what share of the
-- registered capital they hold (law 7).
create or replace function core.coverage_at(p_period text, p_budget_year integer, p_known_at timestamptz)
returns table (
    period text,
    budget_year integer,
    communes_expected integer,
    communes_reported integer,
    communes_returned integer,
    communes_refused integer,
    communes_missing integer,
    communes_late integer,
    plan_covered_vnd numeric,
    plan_registered_vnd numeric
)
language sql stable
as $$
    with judged as (
        select
            s.commune_code,
            min(s.received_at) filter (where not s.is_late_revision) as first_received,
            (
                array_agg(s.verdict order by s.received_at desc, s.sha256)
                filter (where not s.is_late_revision and g.submission_id is null)
            )[1] as verdict
        from raw.submission as s
        left join raw.withdrawal as g on s.submission_id = g.submission_id and g.withdrawn_at <= p_known_at
        where
            s.period = p_period and s.budget_year = p_budget_year and s.known_at <= p_known_at
            and s.commune_code is not null
        group by s.commune_code
    ),

    registered as (
        select a.commune_code, sum(a.amount_vnd) as plan_vnd
        from ref.reporting_calendar as w
        inner join ref.allocation as a
            on w.budget_year = a.budget_year and w.as_of >= a.effective_on and a.loaded_at <= p_known_at
        where w.period = p_period and w.budget_year = p_budget_year
        group by a.commune_code
    ),

    status as (
        select
            case
                when f.submission_id is not null then 'reported'
                when j.verdict is not null then j.verdict
                else 'missing'
            end as state,
            coalesce(
                (coalesce(j.first_received, f.received_at) at time zone 'Asia/Ho_Chi_Minh')::date > w.due_on, false
            ) as is_late,
            r.plan_vnd
        from ref.reporting_calendar as w
        inner join ref.commune as c on w.as_of >= c.valid_from and (c.valid_to is null or w.as_of <= c.valid_to)
        left join core.in_force(p_known_at) as f
            on f.period = p_period and f.budget_year = p_budget_year and c.commune_code = f.commune_code
        left join judged as j on c.commune_code = j.commune_code
        left join registered as r on c.commune_code = r.commune_code
        where w.period = p_period and w.budget_year = p_budget_year
    )

    select
        p_period,
        p_budget_year,
        count(*)::integer as communes_expected,
        count(*) filter (where s.state = 'reported')::integer as communes_reported,
        count(*) filter (where s.state = 'returned')::integer as communes_returned,
        count(*) filter (where s.state = 'refused')::integer as communes_refused,
        count(*) filter (where s.state = 'missing')::integer as communes_missing,
        count(*) filter (where s.is_late)::integer as communes_late,
        sum(s.plan_vnd) filter (where s.state = 'reported') as plan_covered_vnd,
        sum(s.plan_vnd) as plan_registered_vnd
    from status as s
    having count(*) > 0
$$;
