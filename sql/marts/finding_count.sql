-- How many problems each rule found in a period and what became of them: one row per expectation, and one for all of
-- them (expectation null). Communes and problems are those of mart.finding: found again in the next version is the same.
create function mart.finding_count_at(p_known_at timestamptz)
returns table (
    period text,
    budget_year integer,
    rule_id text,
    expectation_id text,
    severity text,
    reason_vi text,
    communes integer,
    found integer,
    explained integer,
    corrected integer,
    overridden integer,
    still_open integer
)
language sql stable
as $$
    -- Each problem twice, for its expectation and for all: grouping sets would keep a condition on the period outside.
    select
        f.period,
        f.budget_year,
        case when not g.of_all then max(f.rule_id) end as rule_id,
        case when not g.of_all then f.expectation_id end as expectation_id,
        case when not g.of_all then min(f.severity) end as severity,
        case when not g.of_all then max(r.reason_vi) end as reason_vi,
        count(distinct f.commune_code)::integer as communes,
        count(*)::integer as found,
        count(*) filter (where f.outcome = 'explained')::integer as explained,
        count(*) filter (where f.outcome = 'corrected')::integer as corrected,
        count(*) filter (where f.outcome = 'overridden')::integer as overridden,
        count(*) filter (where f.outcome = 'open')::integer as still_open
    from mart.finding_at(p_known_at) as f
    left join ref.rule as r on f.expectation_id = r.expectation_id
    cross join (values (true), (false)) as g (of_all)
    group by f.period, f.budget_year, g.of_all, case when not g.of_all then f.expectation_id end
$$;
