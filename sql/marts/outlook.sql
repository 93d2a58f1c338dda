-- Where a commune is heading: what it would have to disburse in each month that is left until 31 January, what it
-- disbursed on average in those of the last three months that it reported, and what it can be expected to have
-- disbursed at the close. The expectation is drawn from the province's closed budget years that are known at the
-- moment. Of what was undisbursed at the end of the same month, communes then disbursed a share by the close: the
-- median share gives expected_close, and the interval of 80 % reaches as far as one commune in ten fell short of the
-- median and one in ten went beyond. The fewer lines a commune's undisbursed money lies on, the wider its interval:
-- deviations are taken times the root of the number of equal lines that would be as concentrated, and divided by the
-- commune's own. expected_plan is the plan times the median growth of the plans from the same month to the close:
-- carry-over is decided after January. Blank while no budget year is closed: without one nothing honest can be said.
-- Neither what is expected of communes nor their intervals add up to those of the province: a few communes leave much
-- more than the median unspent.
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
    expected_plan numeric,
    expected_close numeric,
    expected_close_low numeric,
    expected_close_high numeric,
    expected_unspent numeric,
    expected_unspent_low numeric,
    expected_unspent_high numeric
)
language sql stable
as $$
    with lines as materialized (
        select
            l.period, l.budget_year, l.commune_code,
            -- How many lines of equal amount would be as concentrated: 1 where all is on one line.
            sum(l.undisbursed) ^ 2 / nullif(sum(l.undisbursed ^ 2), 0) as equal_lines
        from (
            select
                d.period, d.budget_year, d.commune_code, greatest(d.plan_total - d.disb_ytd, 0) as undisbursed
            from mart.disbursement_line_at(p_known_at) as d
        ) as l
        group by l.period, l.budget_year, l.commune_code
    ),

    rates as materialized (
        select
            r.period, r.budget_year, r.commune_code, r.plan_total, r.disb_ytd, r.disb_period, r.undisbursed,
            r.rate_total, coalesce(l.equal_lines, 1) as equal_lines,
            n.month_no,
            round(avg(r.disb_period) over (
                partition by r.budget_year, r.commune_code order by n.month_no range between 2 preceding and current row
            )) as pace_recent
        from mart.disbursement_rate_at(p_known_at) as r
        cross join lateral (
            select substr(r.period, 6)::integer + 12 * (substr(r.period, 1, 4)::integer - r.budget_year) as month_no
        ) as n
        left join lines as l
            on r.period = l.period and r.budget_year = l.budget_year and r.commune_code = l.commune_code
        where r.slice = 'commune'
    ),

    -- Month 13 is the close: the January report of the year after.
    histories as materialized (
        select
            y.budget_year, m.month_no, m.budget_year as closed_year, m.plan_total, m.undisbursed, m.equal_lines,
            c.plan_total / m.plan_total as growth, c.disb_ytd - m.disb_ytd as disbursed_later
        from (select distinct r.budget_year from rates as r) as y
        inner join rates as m on y.budget_year > m.budget_year
        inner join rates as c on m.budget_year = c.budget_year and m.commune_code = c.commune_code and c.month_no = 13
        where m.month_no < 13 and m.plan_total > 0
    ),

    growth as (
        select
            h.budget_year, h.month_no, percentile_disc(0.5) within group (order by h.growth) as growth
        from histories as h
        group by h.budget_year, h.month_no
    ),

    shares as (
        select
            h.budget_year, h.month_no, h.closed_year, h.equal_lines, g.growth,
            h.disbursed_later / (h.undisbursed + h.plan_total * (g.growth - 1)) as share
        from histories as h
        inner join growth as g on h.budget_year = g.budget_year and h.month_no = g.month_no
        where h.disbursed_later is not null and h.undisbursed + h.plan_total * (g.growth - 1) > 0
    ),

    middle as (
        select
            s.budget_year, s.month_no, count(distinct s.closed_year)::integer as closed_years,
            count(*)::integer as histories, max(s.growth) as growth,
            percentile_disc(0.5) within group (order by s.share) as median
        from shares as s
        group by s.budget_year, s.month_no
    ),

    spread as (
        select
            m.budget_year, m.month_no, m.closed_years, m.histories, m.growth, m.median,
            percentile_disc(0.1) within group (order by (s.share - m.median) * sqrt(s.equal_lines)) as below,
            percentile_disc(0.9) within group (order by (s.share - m.median) * sqrt(s.equal_lines)) as beyond
        from middle as m
        inner join shares as s on m.budget_year = s.budget_year and m.month_no = s.month_no
        group by m.budget_year, m.month_no, m.closed_years, m.histories, m.growth, m.median
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
        r.pace_recent,
        round(r.undisbursed / nullif(13 - r.month_no, 0) / nullif(r.pace_recent, 0), 2) as pace_ratio,
        s.closed_years,
        s.histories,
        r.plan_total + e.growing as expected_plan,
        r.disb_ytd + e.median as expected_close,
        r.disb_ytd + e.low as expected_close_low,
        r.disb_ytd + e.high as expected_close_high,
        r.undisbursed + e.growing - e.median as expected_unspent,
        r.undisbursed + e.growing - e.high as expected_unspent_low,
        r.undisbursed + e.growing - e.low as expected_unspent_high
    from rates as r
    inner join ref.reporting_calendar as w on r.period = w.period and r.budget_year = w.budget_year
    left join ref.unit as c
        on r.commune_code = c.commune_code and w.as_of >= c.valid_from and (c.valid_to is null or w.as_of <= c.valid_to)
    left join spread as s on r.budget_year = s.budget_year and r.month_no = s.month_no
    left join lateral (
        select
            x.growing,
            round(x.left_over * least(greatest(s.median, 0), 1)) as median,
            round(x.left_over * least(greatest(s.median + s.below / sqrt(r.equal_lines), 0), 1)) as low,
            round(x.left_over * least(greatest(s.median + s.beyond / sqrt(r.equal_lines), 0), 1)) as high
        from (
            select
                round(r.plan_total * (s.growth - 1)) as growing,
                greatest(r.undisbursed + round(r.plan_total * (s.growth - 1)), 0) as left_over
        ) as x
    ) as e on s.median is not null
$$;

create view mart.outlook as
select * from mart.outlook_at('infinity');
