-- Disbursement by slice: all, commune, programme, project (dự án), subproject (leaf), capital_kind, source and the
-- crossings that the report prints. Every rate is sum / sum over leaf lines with its own denominator: vốn giao trong
-- năm, vốn kéo dài, tổng vốn được sử dụng (DOMAIN.md 3.3). A source has only the total: the forms do not split the
-- disbursement of carried-over capital by source. Coverage stands beside each total. A blank is never taken for 0: a
-- rate and a remainder are made of the lines that have both sides, and a forecast is a total only when every line has one.
create function mart.disbursement_rate_at(p_known_at timestamptz)
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
    plan_total numeric,
    plan_assigned numeric,
    plan_carry numeric,
    disb_period numeric,
    disb_ytd numeric,
    disb_assigned numeric,
    disb_carry numeric,
    disb_completed numeric,
    disb_advance numeric,
    undisbursed numeric,
    undisbursed_carry numeric,
    forecast numeric,
    rate_total numeric,
    rate_assigned numeric,
    rate_carry numeric,
    communes_reported integer,
    communes_expected integer,
    plan_covered_pct numeric
)
language sql stable
as $$
    with grouped as (
        select
            l.period,
            l.budget_year,
            case grouping(
                l.commune_code, l.programme_code, l.project_code, l.subproject_code, l.capital_kind
            )
                when 31 then 'all'
                when 15 then 'commune'
                when 23 then 'programme'
                when 19 then 'project'
                when 17 then 'subproject'
                when 30 then 'capital_kind'
                when 22 then 'programme_capital_kind'
                when 14 then 'commune_capital_kind'
                when 7 then 'commune_programme'
            end as slice,
            l.commune_code,
            l.programme_code,
            l.project_code,
            l.subproject_code,
            l.capital_kind,
            null::text as source,
            sum(l.plan_total) as plan_total,
            sum(l.plan_assigned) as plan_assigned,
            sum(l.plan_carry) as plan_carry,
            sum(l.disb_period) as disb_period,
            sum(l.disb_ytd) as disb_ytd,
            sum(l.disb_assigned) as disb_assigned,
            sum(l.disb_carry) as disb_carry,
            sum(l.disb_completed) as disb_completed,
            sum(l.disb_advance) as disb_advance,
            sum(l.plan_total - l.disb_ytd) as undisbursed,
            sum(l.plan_carry - l.disb_carry) as undisbursed_carry,
            case when count(*) = count(l.forecast) then sum(l.forecast) end as forecast,
            mart.rate_pct(
                sum(l.disb_ytd) filter (where l.plan_total is not null),
                sum(l.plan_total) filter (where l.disb_ytd is not null)
            ) as rate_total,
            mart.rate_pct(
                sum(l.disb_assigned) filter (where l.plan_assigned is not null),
                sum(l.plan_assigned) filter (where l.disb_assigned is not null)
            ) as rate_assigned,
            mart.rate_pct(
                sum(l.disb_carry) filter (where l.plan_carry is not null),
                sum(l.plan_carry) filter (where l.disb_carry is not null)
            ) as rate_carry
        from mart.disbursement_line_at(p_known_at) as l
        group by grouping sets (
            (l.period, l.budget_year),
            (l.period, l.budget_year, l.commune_code),
            (l.period, l.budget_year, l.programme_code),
            (l.period, l.budget_year, l.programme_code, l.project_code),
            (l.period, l.budget_year, l.programme_code, l.project_code, l.subproject_code),
            (l.period, l.budget_year, l.capital_kind),
            (l.period, l.budget_year, l.programme_code, l.capital_kind),
            (l.period, l.budget_year, l.commune_code, l.capital_kind),
            (l.period, l.budget_year, l.commune_code, l.programme_code)
        )
    ),

    by_source as (
        select
            l.period,
            l.budget_year,
            v.source,
            sum(v.plan) as plan_total,
            sum(v.disbursed) as disb_ytd,
            sum(v.plan - v.disbursed) as undisbursed,
            mart.rate_pct(
                sum(v.disbursed) filter (where v.plan is not null), sum(v.plan) filter (where v.disbursed is not null)
            ) as rate_total
        from mart.disbursement_line_at(p_known_at) as l
        cross join lateral (
            values
            ('NSTW', l.plan_nstw + l.carry_nstw, l.disb_nstw),
            ('NSDP', l.plan_nst + l.plan_nsx + l.carry_nsdp, l.disb_nsdp)
        ) as v (source, plan, disbursed)
        group by l.period, l.budget_year, v.source
    ),

    slices as (
        select g.* from grouped as g
        union all
        select
            b.period, b.budget_year, 'source' as slice, null, null, null, null, null, b.source, b.plan_total,
            null, null, null, b.disb_ytd, null, null, null, null, b.undisbursed, null, null, b.rate_total, null, null
        from by_source as b
    )

    select
        s.*,
        c.communes_reported,
        c.communes_expected,
        c.plan_covered_pct
    from slices as s
    left join mart.completeness_at(p_known_at) as c on s.period = c.period and s.budget_year = c.budget_year
$$;

create view mart.disbursement_rate as
select * from mart.disbursement_rate_at('infinity');
