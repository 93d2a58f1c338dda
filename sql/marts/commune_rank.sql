-- Communes ranked by rate and by the amount still to be disbursed: for a small commune the money stuck says more than
-- the rate (DOMAIN.md 9). Equal rates share a rank; the listing order puts the larger amount stuck first. Communes
-- without a plan, without a report or with a report that leaves every amount disbursed blank are not ranked. Rates that
-- are equal when rounded are told apart by the amounts.
create function mart.commune_rank_at(p_known_at timestamptz)
returns table (
    period text,
    budget_year integer,
    commune_code text,
    commune_vi text,
    plan_total numeric,
    disb_ytd numeric,
    undisbursed numeric,
    rate_total numeric,
    rank_rate integer,
    order_lowest integer,
    order_undisbursed integer,
    above_average boolean,
    at_zero boolean,
    below_threshold boolean
)
language sql stable
as $$
    with rate as not materialized (
        select r.* from mart.disbursement_rate_at(p_known_at) as r where r.slice in ('all', 'commune')
    )

    select
        c.period,
        c.budget_year,
        c.commune_code,
        c.commune_vi,
        c.plan_total,
        c.disb_ytd,
        c.undisbursed,
        c.rate_total,
        (rank() over (month_rows order by c.rate_total desc))::integer as rank_rate,
        (row_number() over (month_rows order by c.rate_total, c.undisbursed desc, c.commune_code))::integer
            as order_lowest,
        (row_number() over (month_rows order by c.undisbursed desc, c.commune_code))::integer as order_undisbursed,
        c.rate_total > a.rate_total
        or c.rate_total = a.rate_total and c.disb_ytd * a.plan_total > a.disb_ytd * c.plan_total as above_average,
        c.disb_ytd = 0 as at_zero,
        c.rate_total < h.value as below_threshold
    from rate as c
    inner join rate as a on c.period = a.period and c.budget_year = a.budget_year and a.slice = 'all'
    inner join ref.reporting_calendar as w on c.period = w.period and c.budget_year = w.budget_year
    left join ref.threshold as h
        on
            h.threshold_code = 'low_rate_pct' and w.as_of >= h.valid_from
            and (h.valid_to is null or w.as_of <= h.valid_to)
    where c.slice = 'commune' and c.plan_total > 0 and c.rate_total is not null
    window month_rows as (partition by c.period, c.budget_year)
$$;
