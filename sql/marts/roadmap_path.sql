-- The path of the roadmaps that were in use for a period: what was to be disbursed by the end of each month of the
-- budget year and by its close, for each commune and for all that have one together (commune_code null). A month before
-- the last revision keeps what the roadmap said that was in use then. A month that not every one of these communes has is
-- in no row of all together: a sum of some would read as a fall.
create function mart.roadmap_path(p_period text, p_budget_year integer, p_known_at timestamptz)
returns table (
    commune_code text,
    month text,
    planned numeric,
    communes integer
)
language sql stable
as $$
    with used as (
        select distinct g.commune_code, g.roadmap_period
        from mart.roadmap_lag_at(p_known_at, p_period, p_budget_year) as g
        where g.roadmap_submission_id is not null
    ),

    sent as (
        select
            u.commune_code,
            r.period as roadmap_period,
            case
                when m.no = 13 then (p_budget_year + 1)::text || '-01'
                else p_budget_year::text || '-' || lpad(m.no::text, 2, '0')
            end as month,
            sum(m.planned) as planned
        from used as u
        inner join mart.roadmap_line_at(p_known_at) as r
            on u.commune_code = r.commune_code and r.budget_year = p_budget_year and r.period <= u.roadmap_period
        cross join lateral unnest(
            array[
                r.planned_m01, r.planned_m02, r.planned_m03, r.planned_m04, r.planned_m05, r.planned_m06,
                r.planned_m07, r.planned_m08, r.planned_m09, r.planned_m10, r.planned_m11, r.planned_m12,
                r.planned_close
            ]
        ) with ordinality as m (planned, no)
        group by u.commune_code, r.period, m.no
    ),

    path as (
        select distinct on (s.commune_code, s.month) s.commune_code, s.month, s.planned
        from sent as s
        order by
            s.commune_code,
            s.month,
            case when s.roadmap_period <= s.month then s.roadmap_period end desc nulls last,
            s.roadmap_period
    )

    select p.commune_code, p.month, sum(p.planned) as planned, count(*)::integer as communes
    from path as p
    where p.planned is not null
    group by grouping sets ((p.month), (p.commune_code, p.month))
    having p.commune_code is not null or count(*) = (select count(*) from used)
$$;
