-- How many communes a period's totals cover and what share of the assigned capital they hold (law 7).
create function mart.completeness_at(p_known_at timestamptz)
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
    plan_registered_vnd numeric,
    plan_covered_pct numeric
)
language sql stable
as $$
    with status as (
        select st.* from mart.submission_status_at(p_known_at) as st
    ),

    registered as (
        select w.period, w.budget_year, a.commune_code, sum(a.amount_vnd) as plan_vnd
        from ref.reporting_calendar as w
        inner join ref.allocation as a
            on w.budget_year = a.budget_year and w.as_of >= a.effective_on and a.loaded_at <= p_known_at
        group by w.period, w.budget_year, a.commune_code
    )

    select
        s.period,
        s.budget_year,
        count(*)::integer as communes_expected,
        count(*) filter (where s.state = 'reported')::integer as communes_reported,
        count(*) filter (where s.state = 'returned')::integer as communes_returned,
        count(*) filter (where s.state = 'refused')::integer as communes_refused,
        count(*) filter (where s.state = 'missing')::integer as communes_missing,
        count(*) filter (where s.late_days > 0)::integer as communes_late,
        sum(r.plan_vnd) filter (where s.state = 'reported') as plan_covered_vnd,
        sum(r.plan_vnd) as plan_registered_vnd,
        mart.rate_pct(
            coalesce(sum(r.plan_vnd) filter (where s.state = 'reported'), 0), sum(r.plan_vnd)
        ) as plan_covered_pct
    from status as s
    left join registered as r
        on s.period = r.period and s.budget_year = r.budget_year and s.commune_code = r.commune_code
    group by s.period, s.budget_year
$$;

create view mart.completeness as
select * from mart.completeness_at('infinity');
