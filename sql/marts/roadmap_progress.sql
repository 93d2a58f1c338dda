-- What the communes planned in their own roadmaps (Biểu 05) to have disbursed by the end of the period, beside what they
-- have; one row per commune that has a roadmap in use, and one for all of these together (commune_code null). A commune
-- that sent none is in no row: nothing can be said of its pace.
create function mart.roadmap_progress_at(p_known_at timestamptz)
returns table (
    period text,
    budget_year integer,
    commune_code text,
    commune_vi text,
    roadmap_period text,
    planned numeric,
    planned_close numeric,
    disb_ytd numeric,
    lag numeric,
    plan_total numeric,
    planned_rate numeric,
    rate_total numeric,
    lag_points numeric,
    communes_with_roadmap integer,
    communes_behind integer
)
language sql stable
as $$
    with own as (
        select
            g.period,
            g.budget_year,
            g.commune_code,
            max(g.commune_vi) as commune_vi,
            max(g.roadmap_period) as roadmap_period,
            sum(g.planned) as planned,
            sum(g.planned_close) as planned_close
        from mart.roadmap_lag_at(p_known_at) as g
        where g.planned is not null
        group by g.period, g.budget_year, g.commune_code
    ),

    placed as (
        select
            o.period,
            o.budget_year,
            o.commune_code,
            o.commune_vi,
            o.roadmap_period,
            o.planned,
            o.planned_close,
            r.disb_ytd,
            r.plan_total
        from own as o
        inner join mart.disbursement_rate_at(p_known_at) as r
            on
                o.period = r.period and o.budget_year = r.budget_year and o.commune_code = r.commune_code
                and r.slice = 'commune'
    ),

    added as (
        select
            p.period,
            p.budget_year,
            p.commune_code,
            max(p.commune_vi) as commune_vi,
            max(p.roadmap_period) as roadmap_period,
            sum(p.planned) as planned,
            sum(p.planned_close) as planned_close,
            sum(p.disb_ytd) as disb_ytd,
            sum(p.plan_total) as plan_total,
            count(*)::integer as communes_with_roadmap,
            count(*) filter (where p.planned > p.disb_ytd)::integer as communes_behind
        from placed as p
        group by grouping sets ((p.period, p.budget_year), (p.period, p.budget_year, p.commune_code))
    )

    select
        a.period,
        a.budget_year,
        a.commune_code,
        case when a.commune_code is not null then a.commune_vi end as commune_vi,
        case when a.commune_code is not null then a.roadmap_period end as roadmap_period,
        a.planned,
        a.planned_close,
        a.disb_ytd,
        a.planned - a.disb_ytd as lag,
        a.plan_total,
        mart.rate_pct(a.planned, a.plan_total) as planned_rate,
        mart.rate_pct(a.disb_ytd, a.plan_total) as rate_total,
        mart.rate_pct(a.disb_ytd, a.plan_total) - mart.rate_pct(a.planned, a.plan_total) as lag_points,
        a.communes_with_roadmap,
        a.communes_behind
    from added as a
$$;
