-- Output indicators over the communes that reported them, one row per period, budget year and indicator. Indicators
-- whose unit is a share (%) are not added up: their totals are blank. A commune whose figure is blank is not counted
-- among them and has no part in the rate: blank is never 0.
create function mart.output_indicator_at(p_known_at timestamptz)
returns table (
    period text,
    budget_year integer,
    indicator_code text,
    indicator_vi text,
    project_code text,
    unit text,
    communes integer,
    target_year numeric,
    actual_period numeric,
    actual_ytd numeric,
    rate_year numeric
)
language sql stable
as $$
    select
        o.period,
        o.budget_year,
        o.indicator_code,
        o.indicator_vi,
        o.project_code,
        o.unit,
        count(o.actual_ytd)::integer as communes,
        sum(o.target_year) filter (where o.unit <> '%') as target_year,
        sum(o.actual_period) filter (where o.unit <> '%') as actual_period,
        sum(o.actual_ytd) filter (where o.unit <> '%') as actual_ytd,
        mart.rate_pct(
            sum(o.actual_ytd) filter (where o.unit <> '%' and o.target_year is not null),
            sum(o.target_year) filter (where o.unit <> '%' and o.actual_ytd is not null)
        ) as rate_year
    from mart.output_line_at(p_known_at) as o
    where o.is_registered
    group by o.period, o.budget_year, o.indicator_code, o.indicator_vi, o.project_code, o.unit
$$;
