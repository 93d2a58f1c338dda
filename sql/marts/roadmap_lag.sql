-- Each leaf line beside the commune's own roadmap (Biểu 05): what it planned to have disbursed by the end of the period
-- and by the close on 31 January, and how far it is behind. A roadmap is sent whole; the last one sent by the period and
-- of the same budget year is in use. Blank where no roadmap has the line.
create function mart.roadmap_lag_at(p_known_at timestamptz)
returns table (
    period text,
    budget_year integer,
    commune_code text,
    commune_vi text,
    programme_code text,
    project_code text,
    subproject_code text,
    capital_kind text,
    line_code text,
    roadmap_period text,
    planned numeric,
    planned_close numeric,
    disb_ytd numeric,
    lag numeric,
    plan_total numeric,
    lag_pct numeric,
    submission_id bigint,
    roadmap_submission_id bigint
)
language sql stable
as $$
    with in_use as (
        select
            s.period, s.budget_year, s.commune_code, r.period as roadmap_period,
            r.submission_id as roadmap_submission_id
        from mart.submission_at(p_known_at) as s
        cross join lateral (
            select q.period, q.submission_id from core.submission_span as q
            where
                q.budget_year = s.budget_year and q.commune_code = s.commune_code and q.period <= s.period
                and q.known_from <= p_known_at and (q.known_to > p_known_at or q.known_to = 'infinity')
                and exists (select 1 from core.roadmap as x where x.submission_id = q.submission_id)
            order by q.period desc limit 1
        ) as r
    )

    select
        l.period,
        l.budget_year,
        l.commune_code,
        l.commune_vi,
        l.programme_code,
        l.project_code,
        l.subproject_code,
        l.capital_kind,
        l.line_code,
        u.roadmap_period,
        v.planned,
        r.planned_close,
        l.disb_ytd,
        v.planned - l.disb_ytd as lag,
        l.plan_total,
        mart.rate_pct(v.planned - l.disb_ytd, l.plan_total) as lag_pct,
        l.submission_id,
        u.roadmap_submission_id
    from mart.disbursement_line_at(p_known_at) as l
    left join in_use as u
        on l.period = u.period and l.budget_year = u.budget_year and l.commune_code = u.commune_code
    left join mart.roadmap_line_at(p_known_at) as r
        on
            u.roadmap_submission_id = r.submission_id and u.roadmap_period = r.period
            and l.budget_year = r.budget_year and l.line_code = r.line_code
    cross join lateral (
        select
            (array[
                r.planned_m01, r.planned_m02, r.planned_m03, r.planned_m04, r.planned_m05, r.planned_m06,
                r.planned_m07, r.planned_m08, r.planned_m09, r.planned_m10, r.planned_m11, r.planned_m12,
                r.planned_close
            ])[
                substr(l.period, 6)::integer + 12 * (substr(l.period, 1, 4)::integer - l.budget_year)
            ] as planned
    ) as v
    where not l.is_unallocated
$$;
