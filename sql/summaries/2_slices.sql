-- Sums of the leaf lines of Biểu 01 by slice: all, commune, programme, project (dự án), subproject (leaf), capital_kind,
-- source and the crossings that the report prints. One period and budget year, as known at a moment. A blank is never
-- taken for 0: the two sides of a rate are made of the lines that have both, and a forecast is a total only when every
-- line has one. A source has only the total: the forms do not split the disbursement of carried-over capital by source.
create or replace function core.slices_at(p_period text, p_budget_year integer, p_known_at timestamptz)
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
    paired_disb_total numeric,
    paired_plan_total numeric,
    paired_disb_assigned numeric,
    paired_plan_assigned numeric,
    paired_disb_carry numeric,
    paired_plan_carry numeric,
    undisbursed_open numeric,
    undisbursed_squares numeric,
    slice_key text
)
language sql stable
as $$
    with lines as materialized (
        select l.*
        from core.disbursement_placed(p_known_at) as l
        where
            l.period = p_period and l.budget_year = p_budget_year and l.known_from <= p_known_at
            and (l.known_to > p_known_at or l.known_to = 'infinity')
    ),

    by_source as (
        select
            v.source,
            sum(v.plan) as plan_total,
            sum(v.disbursed) as disb_ytd,
            sum(v.plan - v.disbursed) as undisbursed,
            sum(v.disbursed) filter (where v.plan is not null) as paired_disb,
            sum(v.plan) filter (where v.disbursed is not null) as paired_plan
        from lines as l
        cross join lateral (
            values
            ('NSTW', l.plan_nstw + l.carry_nstw, l.disb_nstw),
            ('NSDP', l.plan_nst + l.plan_nsx + l.carry_nsdp, l.disb_nsdp)
        ) as v (source, plan, disbursed)
        group by v.source
    ),

    slices as (
        select
            p_period as period,
            p_budget_year as budget_year,
            case grouping(l.commune_code, l.programme_code, l.project_code, l.subproject_code, l.capital_kind)
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
            sum(l.disb_ytd) filter (where l.plan_total is not null) as paired_disb_total,
            sum(l.plan_total) filter (where l.disb_ytd is not null) as paired_plan_total,
            sum(l.disb_assigned) filter (where l.plan_assigned is not null) as paired_disb_assigned,
            sum(l.plan_assigned) filter (where l.disb_assigned is not null) as paired_plan_assigned,
            sum(l.disb_carry) filter (where l.plan_carry is not null) as paired_disb_carry,
            sum(l.plan_carry) filter (where l.disb_carry is not null) as paired_plan_carry,
            sum(greatest(l.plan_total - l.disb_ytd, 0)) as undisbursed_open,
            sum(greatest(l.plan_total - l.disb_ytd, 0) * greatest(l.plan_total - l.disb_ytd, 0)) as undisbursed_squares
        from lines as l
        group by grouping sets (
            (),
            (l.commune_code),
            (l.programme_code),
            (l.programme_code, l.project_code),
            (l.programme_code, l.project_code, l.subproject_code),
            (l.capital_kind),
            (l.programme_code, l.capital_kind),
            (l.commune_code, l.capital_kind),
            (l.commune_code, l.programme_code)
        )
        having count(*) > 0
        union all
        select
            p_period, p_budget_year, 'source', null, null, null, null, null, b.source, b.plan_total, null, null, null,
            b.disb_ytd, null, null, null, null, b.undisbursed, null, null, b.paired_disb, b.paired_plan, null, null, null,
            null, null, null
        from by_source as b
    )

    select
        s.*,
        concat_ws(
            '|', s.slice, coalesce(s.commune_code, ''), coalesce(s.programme_code, ''), coalesce(s.project_code, ''),
            coalesce(s.subproject_code, ''), coalesce(s.capital_kind, ''), coalesce(s.source, '')
        ) as slice_key
    from slices as s
$$;
