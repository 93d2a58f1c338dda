-- Plan as reported by the communes against the register of allocation decisions (check CK24): for all communes, per
-- programme and per commune. The register side is given twice: for every commune, and for those that reported, which
-- alone can be compared with the reported plan.
create function mart.allocation_gap_at(p_known_at timestamptz)
returns table (
    period text,
    budget_year integer,
    slice text,
    commune_code text,
    programme_code text,
    plan_reported numeric,
    plan_registered numeric,
    plan_registered_reported numeric,
    difference numeric
)
language sql stable
as $$
    with registered as (
        select
            t.period,
            t.budget_year,
            t.commune_code,
            n.programme_code,
            t.state = 'reported' as is_reported,
            sum(a.amount_vnd) as amount_vnd
        from mart.submission_status_at(p_known_at) as t
        inner join ref.reporting_calendar as w on t.period = w.period and t.budget_year = w.budget_year
        inner join ref.allocation as a
            on
                t.budget_year = a.budget_year and t.commune_code = a.commune_code and w.as_of >= a.effective_on
                and a.loaded_at <= p_known_at
        left join ref.programme_node as n
            on a.project_code = n.code and w.as_of >= n.valid_from and (n.valid_to is null or w.as_of <= n.valid_to)
        group by t.period, t.budget_year, t.commune_code, n.programme_code, t.state
    ),

    both_sides as (
        select
            g.period, g.budget_year, g.commune_code, g.programme_code, null::numeric as reported,
            g.amount_vnd as registered, case when g.is_reported then g.amount_vnd end as registered_reported
        from registered as g
        union all
        select l.period, l.budget_year, l.commune_code, l.programme_code, l.plan_total, null, null
        from mart.disbursement_line_at(p_known_at) as l
        where not l.is_unallocated
    )

    select
        b.period,
        b.budget_year,
        case grouping(b.commune_code, b.programme_code)
            when 3 then 'all'
            when 1 then 'commune'
            when 2 then 'programme'
        end as slice,
        b.commune_code,
        b.programme_code,
        sum(b.reported) as plan_reported,
        sum(b.registered) as plan_registered,
        sum(b.registered_reported) as plan_registered_reported,
        sum(b.reported) - sum(b.registered_reported) as difference
    from both_sides as b
    group by grouping sets (
        (b.period, b.budget_year), (b.period, b.budget_year, b.commune_code), (b.period, b.budget_year, b.programme_code)
    )
$$;

create view mart.allocation_gap as
select * from mart.allocation_gap_at('infinity');
