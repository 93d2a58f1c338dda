-- What has changed since it was published: figures of a period's last published release beside the same figures as
-- known at p_known_at, for the province and per commune. Only rows that differ; the current side is blank when the
-- report of a commune no longer counts, the published side when it came after the release.
create function mart.revision_at(p_period text, p_budget_year integer, p_known_at timestamptz)
returns table (
    release_id text,
    commune_code text,
    metric text,
    published numeric,
    current_value numeric,
    difference numeric
)
language sql stable
as $$
    with last_release as (
        select r.release_id
        from release.release as r
        inner join release.publication as p on r.release_id = p.release_id
        where r.period = p_period and r.budget_year = p_budget_year and p.published_at <= p_known_at
        order by r.release_no desc
        limit 1
    ),

    published as (
        select f.dims ->> 'commune' as commune_code, f.metric, f.value
        from release.figure as f
        inner join last_release as l on f.release_id = l.release_id
        where
            f.metric in ('plan_total', 'disb_ytd') and f.value is not null
            and f.dims - 'commune' = '{}'
    ),

    present as (
        select r.commune_code, v.metric, v.value
        from mart.disbursement_rate_at(p_known_at) as r
        cross join lateral (values ('plan_total', r.plan_total), ('disb_ytd', r.disb_ytd)) as v (metric, value)
        where
            r.period = p_period and r.budget_year = p_budget_year and r.slice in ('all', 'commune')
            and exists (select 1 from last_release)
    )

    select
        l.release_id,
        coalesce(o.commune_code, n.commune_code) as commune_code,
        coalesce(o.metric, n.metric) as metric,
        o.value as published,
        n.value as current_value,
        n.value - o.value as difference
    from published as o
    full join present as n
        on coalesce(o.commune_code, '') = coalesce(n.commune_code, '') and o.metric = n.metric
    cross join last_release as l
    where o.value is distinct from n.value
$$;
