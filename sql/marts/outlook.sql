-- Where a commune is heading: what it would have to disburse in each month that is left until 31 January, what it
-- disbursed on average in its last three reported months, and what it can be expected to have disbursed at the close.
-- The expectation is drawn from the province's closed budget years that are known at the moment: of what was undisbursed
-- at the end of the same month, communes then disbursed a share by the close; the median share gives expected_close, the
-- shares that one commune in ten stayed under or went beyond give the interval of 80 %. Blank while no budget year is
-- closed: without one nothing honest can be said. Intervals of communes do not add up to one of the province.
create function mart.outlook_at(p_known_at timestamptz)
returns table (
    period text,
    budget_year integer,
    commune_code text,
    commune_vi text,
    plan_total numeric,
    disb_ytd numeric,
    rate_total numeric,
    undisbursed numeric,
    months_left integer,
    pace_needed numeric,
    pace_recent numeric,
    pace_ratio numeric,
    closed_years integer,
    histories integer,
    expected_close numeric,
    expected_close_low numeric,
    expected_close_high numeric,
    expected_unspent numeric,
    expected_unspent_low numeric,
    expected_unspent_high numeric
)
language sql stable
as $$
    with rates as materialized (
        select
            r.period, r.budget_year, r.commune_code, r.plan_total, r.disb_ytd, r.disb_period, r.undisbursed,
            r.rate_total,
            substr(r.period, 6)::integer + 12 * (substr(r.period, 1, 4)::integer - r.budget_year) as month_no
        from mart.disbursement_rate_at(p_known_at) as r
        where r.slice = 'commune'
    ),

    -- Month 13 is the close: the January report of the year after.
    shares as materialized (
        select
            m.budget_year, m.month_no,
            (c.disb_ytd - m.disb_ytd) / (c.plan_total - m.disb_ytd) as share
        from rates as m
        inner join rates as c on m.budget_year = c.budget_year and m.commune_code = c.commune_code and c.month_no = 13
        where m.month_no < 13 and c.plan_total > m.disb_ytd and m.plan_total > m.disb_ytd
    ),

    spread as (
        select
            y.budget_year, s.month_no, count(distinct s.budget_year)::integer as closed_years,
            count(*)::integer as histories,
            percentile_disc(0.1) within group (order by s.share) as low,
            percentile_disc(0.5) within group (order by s.share) as median,
            percentile_disc(0.9) within group (order by s.share) as high
        from (select distinct r.budget_year from rates as r) as y
        inner join shares as s on y.budget_year > s.budget_year
        group by y.budget_year, s.month_no
    )

    select
        r.period,
        r.budget_year,
        r.commune_code,
        c.name_vi as commune_vi,
        r.plan_total,
        r.disb_ytd,
        r.rate_total,
        r.undisbursed,
        13 - r.month_no as months_left,
        round(r.undisbursed / nullif(13 - r.month_no, 0)) as pace_needed,
        p.pace_recent,
        round(r.undisbursed / nullif(13 - r.month_no, 0) / nullif(p.pace_recent, 0), 2) as pace_ratio,
        s.closed_years,
        s.histories,
        r.disb_ytd + round(greatest(r.undisbursed, 0) * s.median) as expected_close,
        r.disb_ytd + round(greatest(r.undisbursed, 0) * s.low) as expected_close_low,
        r.disb_ytd + round(greatest(r.undisbursed, 0) * s.high) as expected_close_high,
        r.undisbursed - round(greatest(r.undisbursed, 0) * s.median) as expected_unspent,
        r.undisbursed - round(greatest(r.undisbursed, 0) * s.high) as expected_unspent_low,
        r.undisbursed - round(greatest(r.undisbursed, 0) * s.low) as expected_unspent_high
    from rates as r
    inner join ref.reporting_calendar as w on r.period = w.period and r.budget_year = w.budget_year
    left join ref.commune as c
        on r.commune_code = c.commune_code and w.as_of >= c.valid_from and (c.valid_to is null or w.as_of <= c.valid_to)
    left join spread as s on r.budget_year = s.budget_year and r.month_no = s.month_no
    left join lateral (
        select round(avg(q.disb_period)) as pace_recent
        from rates as q
        where
            q.commune_code = r.commune_code and q.budget_year = r.budget_year
            and q.month_no between r.month_no - 2 and r.month_no
    ) as p on true
$$;

create view mart.outlook as
select * from mart.outlook_at('infinity');
