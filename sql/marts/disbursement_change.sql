-- Each slice's rate beside that of the month before and of the same month a year ago, as best known at p_known_at,
-- with the difference in percentage points. Blank where there is nothing to compare with: a missing month is not 0 %.
create function mart.disbursement_change_at(p_known_at timestamptz)
returns table (
    period text,
    budget_year integer,
    slice text,
    commune_code text,
    programme_code text,
    project_code text,
    subproject_code text,
    capital_kind text,
    source text,
    rate_total numeric,
    rate_previous numeric,
    rate_change_points numeric,
    communes_previous integer,
    rate_last_year numeric,
    rate_change_last_year_points numeric
)
language sql stable
as $$
    with figure as not materialized (
        select s.*, mart.rate_pct(s.paired_disb_total, s.paired_plan_total) as rate_total
        from core.disbursement_slice as s
        where s.known_from <= p_known_at and (s.known_to > p_known_at or s.known_to = 'infinity')
    ),

    -- By way of the calendar, so that a question about one month reads three.
    earlier as not materialized (
        select w.period as of_period, w.budget_year as of_budget_year, f.slice_key, f.rate_total, c.communes_reported
        from ref.reporting_calendar as w
        inner join figure as f
            on
                f.period = to_char((w.period || '-01')::date - interval '1 month', 'YYYY-MM')
                and f.budget_year = w.budget_year
        left join mart.completeness_at(p_known_at) as c on f.period = c.period and f.budget_year = c.budget_year
    ),

    last_year as not materialized (
        select w.period as of_period, w.budget_year as of_budget_year, f.slice_key, f.rate_total
        from ref.reporting_calendar as w
        inner join figure as f
            on
                f.period = to_char((w.period || '-01')::date - interval '1 year', 'YYYY-MM')
                and f.budget_year = w.budget_year - 1
    )

    select
        r.period,
        r.budget_year,
        r.slice,
        r.commune_code,
        r.programme_code,
        r.project_code,
        r.subproject_code,
        r.capital_kind,
        r.source,
        r.rate_total,
        p.rate_total as rate_previous,
        r.rate_total - p.rate_total as rate_change_points,
        p.communes_reported as communes_previous,
        y.rate_total as rate_last_year,
        r.rate_total - y.rate_total as rate_change_last_year_points
    from figure as r
    left join earlier as p
        on r.period = p.of_period and r.budget_year = p.of_budget_year and r.slice_key = p.slice_key
    left join last_year as y
        on r.period = y.of_period and r.budget_year = y.of_budget_year and r.slice_key = y.slice_key
$$;
