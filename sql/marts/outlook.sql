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
    -- Month 13 is the close: the January report of the year after.
    with month as not materialized (
        select
            w.period, w.budget_year, w.as_of,
            substr(w.period, 6)::integer + 12 * (substr(w.period, 1, 4)::integer - w.budget_year) as month_no
        from ref.reporting_calendar as w
    ),

    figure as not materialized (
        select
            s.period, s.budget_year, s.commune_code, s.plan_total, s.disb_ytd, s.disb_period, s.undisbursed,
            mart.rate_pct(s.paired_disb_total, s.paired_plan_total) as rate_total,
            -- How many lines of equal amount would be as concentrated: 1 where all is on one line.
            coalesce(s.undisbursed_open ^ 2 / nullif(s.undisbursed_squares, 0), 1) as equal_lines
        from core.disbursement_slice as s
        where
            s.slice = 'commune' and s.known_from <= p_known_at
            and (s.known_to > p_known_at or s.known_to = 'infinity')
    ),

    recent as (
        select m.period, m.budget_year, f.commune_code, round(avg(f.disb_period)) as pace_recent
        from month as m
        inner join month as b on m.budget_year = b.budget_year and b.month_no between m.month_no - 2 and m.month_no
        inner join figure as f on b.period = f.period and b.budget_year = f.budget_year
        group by m.period, m.budget_year, f.commune_code
    ),

    -- What the closed years say of a month: made for each month apart, so that a question about one makes one.
    expectation as (
        select m.period, m.budget_year, m.month_no, x.*
        from month as m
        cross join lateral (
            with history as materialized (
                select
                    f.budget_year as closed_year, f.plan_total, f.undisbursed, f.equal_lines,
                    c.plan_total / f.plan_total as growth, c.disb_ytd - f.disb_ytd as disbursed_later
                from month as b
                inner join figure as f on b.period = f.period and b.budget_year = f.budget_year
                inner join month as z on b.budget_year = z.budget_year and z.month_no = 13
                inner join figure as c
                    on z.period = c.period and z.budget_year = c.budget_year and f.commune_code = c.commune_code
                where
                    b.budget_year < m.budget_year and b.month_no = m.month_no and m.month_no < 13 and f.plan_total > 0
            ),

            growth as (select percentile_disc(0.5) within group (order by h.growth) as growth from history as h),

            share as materialized (
                select
                    h.closed_year, h.equal_lines, g.growth,
                    h.disbursed_later / (h.undisbursed + h.plan_total * (g.growth - 1)) as share
                from history as h
                cross join growth as g
                where h.disbursed_later is not null and h.undisbursed + h.plan_total * (g.growth - 1) > 0
            ),

            middle as (
                select
                    count(distinct s.closed_year)::integer as closed_years, count(*)::integer as histories,
                    max(s.growth) as growth, percentile_disc(0.5) within group (order by s.share) as median
                from share as s
            )

            select
                d.closed_years, d.histories, d.growth, d.median,
                percentile_disc(0.1) within group (order by (s.share - d.median) * sqrt(s.equal_lines)) as below,
                percentile_disc(0.9) within group (order by (s.share - d.median) * sqrt(s.equal_lines)) as beyond
            from middle as d
            inner join share as s on d.histories > 0
            group by d.closed_years, d.histories, d.growth, d.median
        ) as x
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
        13 - w.month_no as months_left,
        round(r.undisbursed / nullif(13 - w.month_no, 0)) as pace_needed,
        p.pace_recent,
        round(r.undisbursed / nullif(13 - w.month_no, 0) / nullif(p.pace_recent, 0), 2) as pace_ratio,
        s.closed_years,
        s.histories,
        r.plan_total + e.growing as expected_plan,
        r.disb_ytd + e.median as expected_close,
        r.disb_ytd + e.low as expected_close_low,
        r.disb_ytd + e.high as expected_close_high,
        r.undisbursed + e.growing - e.median as expected_unspent,
        r.undisbursed + e.growing - e.high as expected_unspent_low,
        r.undisbursed + e.growing - e.low as expected_unspent_high
    from month as w
    inner join figure as r on w.period = r.period and w.budget_year = r.budget_year
    left join ref.unit as c
        on r.commune_code = c.commune_code and w.as_of >= c.valid_from and (c.valid_to is null or w.as_of <= c.valid_to)
    left join recent as p
        on r.period = p.period and r.budget_year = p.budget_year and r.commune_code = p.commune_code
    left join expectation as s on r.period = s.period and r.budget_year = s.budget_year
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
