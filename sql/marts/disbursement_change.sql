-- Each slice's rate beside that of the month before and of the same month a year ago, as best known at p_known_at,
-- with the difference in percentage points. Blank where there is nothing to compare with: a missing month is not 0 %.
create function mart.disbursement_change_at(p_known_at timestamptz)
returns table (
    period text,
    budget_year integer,
    slice text,
    commune_code text,
    programme_code text,
    project_code text,
    subproject_code text,
    capital_kind text,
    source text,
    rate_total numeric,
    rate_previous numeric,
    rate_change_points numeric,
    communes_previous integer,
    rate_last_year numeric,
    rate_change_last_year_points numeric
)
language sql stable
as $$
    with rate as materialized (
        select
            r.*,
            concat_ws(
                '|', r.slice, r.commune_code, r.programme_code, r.project_code, r.subproject_code, r.capital_kind,
                r.source
            ) as slice_key,
            to_char((r.period || '-01')::date - interval '1 month', 'YYYY-MM') as period_before,
            to_char((r.period || '-01')::date - interval '1 year', 'YYYY-MM') as period_year_ago
        from mart.disbursement_rate_at(p_known_at) as r
    )

    select
        r.period,
        r.budget_year,
        r.slice,
        r.commune_code,
        r.programme_code,
        r.project_code,
        r.subproject_code,
        r.capital_kind,
        r.source,
        r.rate_total,
        p.rate_total as rate_previous,
        r.rate_total - p.rate_total as rate_change_points,
        p.communes_reported as communes_previous,
        y.rate_total as rate_last_year,
        r.rate_total - y.rate_total as rate_change_last_year_points
    from rate as r
    left join rate as p
        on r.period_before = p.period and r.budget_year = p.budget_year and r.slice_key = p.slice_key
    left join rate as y
        on r.period_year_ago = y.period and r.budget_year - 1 = y.budget_year and r.slice_key = y.slice_key
$$;

create view mart.disbursement_change as
select * from mart.disbursement_change_at('infinity');
