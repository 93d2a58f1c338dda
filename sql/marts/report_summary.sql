-- What the report says about a month as a whole: how many communes stand where, and the pace that is still needed.
-- Disbursement of a budget year goes on to 31 January of the next year (DOMAIN.md 3.4), so October leaves three months.
create function mart.report_summary_at(p_known_at timestamptz)
returns table (
    period text,
    budget_year integer,
    communes_expected integer,
    communes_reported integer,
    communes_not_reporting integer,
    communes_late integer,
    communes_returned integer,
    communes_refused integer,
    communes_missing integer,
    communes_with_warnings integer,
    plan_covered_pct numeric,
    communes_ranked integer,
    communes_above_average integer,
    communes_at_zero integer,
    communes_below_threshold integer,
    low_rate_pct numeric,
    closing_on date,
    months_left integer,
    undisbursed numeric,
    pace_needed numeric
)
language sql stable
as $$
    with ranked as (
        select
            k.period,
            k.budget_year,
            count(*)::integer as communes_ranked,
            count(*) filter (where k.above_average)::integer as communes_above_average,
            count(*) filter (where k.at_zero)::integer as communes_at_zero,
            count(*) filter (where k.below_threshold)::integer as communes_below_threshold
        from mart.commune_rank_at(p_known_at) as k
        group by k.period, k.budget_year
    ),

    warned as (
        select t.period, t.budget_year, count(*) filter (where t.warnings > 0)::integer as communes_with_warnings
        from mart.submission_status_at(p_known_at) as t
        where t.state = 'reported'
        group by t.period, t.budget_year
    ),

    months as (
        select
            w.period,
            w.budget_year,
            w.as_of,
            make_date(w.budget_year + 1, 1, 31) as closing_on,
            greatest(
                (w.budget_year + 1) * 12 + 1
                - (extract(year from w.as_of) * 12 + extract(month from w.as_of))::integer, 0
            ) as months_left
        from ref.reporting_calendar as w
    )

    select
        c.period,
        c.budget_year,
        c.communes_expected,
        c.communes_reported,
        c.communes_expected - c.communes_reported as communes_not_reporting,
        c.communes_late,
        c.communes_returned,
        c.communes_refused,
        c.communes_missing,
        coalesce(d.communes_with_warnings, 0) as communes_with_warnings,
        c.plan_covered_pct,
        coalesce(k.communes_ranked, 0) as communes_ranked,
        coalesce(k.communes_above_average, 0) as communes_above_average,
        coalesce(k.communes_at_zero, 0) as communes_at_zero,
        coalesce(k.communes_below_threshold, 0) as communes_below_threshold,
        h.value as low_rate_pct,
        m.closing_on,
        m.months_left,
        r.undisbursed,
        round(r.undisbursed / nullif(m.months_left, 0)) as pace_needed
    from mart.completeness_at(p_known_at) as c
    inner join months as m on c.period = m.period and c.budget_year = m.budget_year
    left join ranked as k on c.period = k.period and c.budget_year = k.budget_year
    left join warned as d on c.period = d.period and c.budget_year = d.budget_year
    left join mart.disbursement_rate_at(p_known_at) as r
        on c.period = r.period and c.budget_year = r.budget_year and r.slice = 'all'
    left join ref.threshold as h
        on
            h.threshold_code = 'low_rate_pct' and m.as_of >= h.valid_from
            and (h.valid_to is null or m.as_of <= h.valid_to)
$$;
