-- The path of the roadmaps that were in use for a period: what was to be disbursed by the end of each month of the
-- budget year and by its close, for each commune and for all that have one together (commune_code null).
create function mart.roadmap_path(p_period text, p_budget_year integer, p_known_at timestamptz)
returns table (
    commune_code text,
    month text,
    planned numeric,
    communes integer
)
language sql stable
as $$
    with path as (
        select
            u.commune_code,
            case
                when m.no = 13 then (p_budget_year + 1)::text || '-01'
                else p_budget_year::text || '-' || lpad(m.no::text, 2, '0')
            end as month,
            sum(m.planned) as planned
        from (
            select distinct g.commune_code, g.roadmap_submission_id
            from mart.roadmap_lag_at(p_known_at, p_period, p_budget_year) as g
            where g.roadmap_submission_id is not null
        ) as u
        inner join mart.roadmap_line_at(p_known_at) as r on u.roadmap_submission_id = r.submission_id
        cross join lateral unnest(
            array[
                r.planned_m01, r.planned_m02, r.planned_m03, r.planned_m04, r.planned_m05, r.planned_m06,
                r.planned_m07, r.planned_m08, r.planned_m09, r.planned_m10, r.planned_m11, r.planned_m12,
                r.planned_close
            ]
        ) with ordinality as m (planned, no)
        where m.planned is not null
        group by u.commune_code, m.no
    )

    select p.commune_code, p.month, sum(p.planned) as planned, count(*)::integer as communes
    from path as p
    group by grouping sets ((p.month), (p.commune_code, p.month))
$$;
