-- Who needs help: communes by the money that they can be expected to leave unspent (mart.outlook, basis closed_years),
-- with the obstacles that they state themselves: the open proposals of the period and three different notes, of the lines
-- on which most is undisbursed. While no budget year is closed (basis pace) it is what would be left at the pace of the
-- last three periods: as disbursement speeds up towards the close, nearly every commune is listed then, and the list is an
-- order of urgency and no forecast. Amounts are of each commune alone and never added up: what one may leave another
-- makes up for, and a part below 0 counts as 0. What the province may leave is not their sum.
create function mart.help_list_at(p_known_at timestamptz)
returns table (
    period text,
    budget_year integer,
    order_no integer,
    commune_code text,
    commune_vi text,
    at_risk numeric,
    basis text,
    undisbursed numeric,
    rate_total numeric,
    pace_needed numeric,
    pace_recent numeric,
    roadmap_lag numeric,
    proposals_open integer,
    categories text,
    stated_obstacles text
)
language sql stable
as $$
    with behind as (
        select
            o.*,
            coalesce(
                o.expected_unspent, greatest(o.undisbursed - coalesce(o.pace_recent, 0) * o.months_left, 0)
            ) as at_risk,
            case when o.expected_unspent is null then 'pace' else 'closed_years' end as basis
        from mart.outlook_at(p_known_at) as o
    ),

    -- A sentence that stands on several lines is said once, where most is undisbursed.
    notes as (
        select
            n.period, n.budget_year, n.commune_code,
            string_agg(n.note, '; ' order by n.undisbursed desc nulls last, n.line_code) as notes
        from (
            select
                d.*,
                row_number() over (
                    partition by d.period, d.budget_year, d.commune_code
                    order by d.undisbursed desc nulls last, d.line_code
                ) as place
            from (
                select distinct on (l.period, l.budget_year, l.commune_code, rtrim(l.note, ' .'))
                    l.period, l.budget_year, l.commune_code, l.line_code, rtrim(l.note, ' .') as note,
                    l.plan_total - l.disb_ytd as undisbursed
                from mart.disbursement_line_at(p_known_at) as l
                where l.note is not null
                order by
                    l.period, l.budget_year, l.commune_code, rtrim(l.note, ' .'),
                    l.plan_total - l.disb_ytd desc nulls last, l.line_code
            ) as d
        ) as n
        where n.place <= 3
        group by n.period, n.budget_year, n.commune_code
    ),

    asked as (
        select
            p.period, p.budget_year, p.commune_code, count(*)::integer as proposals,
            string_agg(distinct p.category, '; ') as categories,
            string_agg(rtrim(p.problem, ' .'), '; ' order by p.issue_id, p.row_no) as problems
        from mart.proposal_at(p_known_at) as p
        where p.state in ('Chưa giải quyết', 'Đang giải quyết')
        group by p.period, p.budget_year, p.commune_code
    ),

    lags as (
        select g.period, g.budget_year, g.commune_code, sum(g.lag) as lag
        from mart.roadmap_lag_at(p_known_at) as g
        group by g.period, g.budget_year, g.commune_code
    )

    select
        b.period,
        b.budget_year,
        (row_number() over (
            partition by b.period, b.budget_year order by b.at_risk desc, b.undisbursed desc, b.commune_code
        ))::integer as order_no,
        b.commune_code,
        b.commune_vi,
        b.at_risk,
        b.basis,
        b.undisbursed,
        b.rate_total,
        b.pace_needed,
        b.pace_recent,
        g.lag as roadmap_lag,
        coalesce(a.proposals, 0) as proposals_open,
        a.categories,
        nullif(concat_ws('; ', a.problems, n.notes), '') as stated_obstacles
    from behind as b
    left join notes as n on b.period = n.period and b.budget_year = n.budget_year and b.commune_code = n.commune_code
    left join asked as a on b.period = a.period and b.budget_year = a.budget_year and b.commune_code = a.commune_code
    left join lags as g on b.period = g.period and b.budget_year = g.budget_year and b.commune_code = g.commune_code
    where b.at_risk > 0
$$;
