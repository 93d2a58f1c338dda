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
    communes_behind integer,
    planned_close_rate numeric
)
language sql stable
as $$
    with in_use as (
        select distinct
            g.period, g.budget_year, g.commune_code, g.commune_vi, g.roadmap_period, g.roadmap_submission_id,
            substr(g.period, 6)::integer + 12 * (substr(g.period, 1, 4)::integer - g.budget_year) as month_no
        from mart.roadmap_lag_at(p_known_at) as g
        where g.roadmap_submission_id is not null
    ),

    own as (
        select
            u.period,
            u.budget_year,
            u.commune_code,
            u.commune_vi,
            u.roadmap_period,
            sum(
                (array[
                    r.planned_m01, r.planned_m02, r.planned_m03, r.planned_m04, r.planned_m05, r.planned_m06,
                    r.planned_m07, r.planned_m08, r.planned_m09, r.planned_m10, r.planned_m11, r.planned_m12,
                    r.planned_close
                ])[u.month_no]
            ) as planned,
            sum(r.planned_close) as planned_close
        from in_use as u
        inner join mart.roadmap_line_at(p_known_at) as r on u.roadmap_submission_id = r.submission_id
        group by u.period, u.budget_year, u.commune_code, u.commune_vi, u.roadmap_period
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
        where o.planned is not null
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
        a.communes_behind,
        mart.rate_pct(a.planned_close, a.plan_total) as planned_close_rate
    from added as a
$$;
