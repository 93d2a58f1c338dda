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
        i.name_vi as indicator_vi,
        i.project_code,
        i.unit,
        count(o.actual_ytd)::integer as communes,
        sum(o.target_year) filter (where i.unit <> '%') as target_year,
        sum(o.actual_period) filter (where i.unit <> '%') as actual_period,
        sum(o.actual_ytd) filter (where i.unit <> '%') as actual_ytd,
        mart.rate_pct(
            sum(o.actual_ytd) filter (where i.unit <> '%' and o.target_year is not null),
            sum(o.target_year) filter (where i.unit <> '%' and o.actual_ytd is not null)
        ) as rate_year
    from core.output_indicator as o
    inner join core.in_force(p_known_at) as s on o.submission_id = s.submission_id
    inner join ref.indicator as i
        on
            o.indicator_code = i.indicator_code and s.as_of >= i.valid_from
            and (i.valid_to is null or s.as_of <= i.valid_to)
    group by o.period, o.budget_year, o.indicator_code, i.name_vi, i.project_code, i.unit
$$;

create view mart.output_indicator as
select * from mart.output_indicator_at('infinity');
