-- How often each rule was right: of the problems that it found and that were settled since, the share that the commune
-- corrected (mart.finding). Problems that an officer overrode or that were explained and stayed as they were speak against it; open
-- ones say nothing yet. One row per expectation and period, and one over all periods (period and budget year null).
create function mart.rule_precision_at(p_known_at timestamptz)
returns table (
    rule_id text,
    expectation_id text,
    severity text,
    state text,
    period text,
    budget_year integer,
    found integer,
    communes integer,
    corrected integer,
    overridden integer,
    explained integer,
    still_open integer,
    precision_pct numeric
)
language sql stable
as $$
    with counted as (
        select
            f.rule_id,
            f.expectation_id,
            f.period,
            f.budget_year,
            count(*)::integer as found,
            count(distinct f.commune_code)::integer as communes,
            count(*) filter (where f.outcome = 'corrected')::integer as corrected,
            count(*) filter (where f.outcome = 'overridden')::integer as overridden,
            count(*) filter (where f.outcome = 'explained')::integer as explained,
            count(*) filter (where f.outcome = 'open')::integer as still_open
        from mart.finding_at(p_known_at) as f
        group by grouping sets (
            (f.rule_id, f.expectation_id), (f.rule_id, f.expectation_id, f.period, f.budget_year)
        )
    )

    select
        coalesce(c.rule_id, r.rule_id) as rule_id,
        coalesce(c.expectation_id, r.expectation_id) as expectation_id,
        r.severity,
        r.state,
        c.period,
        c.budget_year,
        coalesce(c.found, 0) as found,
        coalesce(c.communes, 0) as communes,
        coalesce(c.corrected, 0) as corrected,
        coalesce(c.overridden, 0) as overridden,
        coalesce(c.explained, 0) as explained,
        coalesce(c.still_open, 0) as still_open,
        mart.rate_pct(c.corrected, c.corrected + c.overridden + c.explained) as precision_pct
    from ref.rule as r
    full join counted as c on r.expectation_id = c.expectation_id
$$;
