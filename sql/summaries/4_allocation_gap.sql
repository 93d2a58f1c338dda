-- Plan as reported by the communes against the register of allocation decisions (check CK24): for all communes, per
-- programme and per commune. The register side is given twice: for every commune, and for those that reported, which
-- alone can be compared with the reported plan. One period and budget year, as known at a moment.
create or replace function core.allocation_gap_at(p_period text, p_budget_year integer, p_known_at timestamptz)
returns table (
    period text,
    budget_year integer,
    slice text,
    commune_code text,
    programme_code text,
    plan_reported numeric,
    plan_registered numeric,
    plan_registered_reported numeric
)
language sql stable
as $$
    with registered as (
        select
            c.commune_code,
            n.programme_code,
            s.submission_id is not null as is_reported,
            sum(a.amount_vnd) as amount_vnd
        from ref.reporting_calendar as w
        inner join ref.unit as c on w.as_of >= c.valid_from and (c.valid_to is null or w.as_of <= c.valid_to)
        inner join ref.allocation as a
            on
                w.budget_year = a.budget_year and c.commune_code = a.commune_code and w.as_of >= a.effective_on
                and a.loaded_at <= p_known_at
        left join core.submission_span as s
            on
                s.period = p_period and s.budget_year = p_budget_year and c.commune_code = s.commune_code
                and s.known_from <= p_known_at and (s.known_to > p_known_at or s.known_to = 'infinity')
        left join ref.programme_node as n
            on a.project_code = n.code and w.as_of >= n.valid_from and (n.valid_to is null or w.as_of <= n.valid_to)
        where w.period = p_period and w.budget_year = p_budget_year
        group by c.commune_code, n.programme_code, s.submission_id
    ),

    both_sides as (
        select
            g.commune_code, g.programme_code, null::numeric as reported, g.amount_vnd as registered,
            case when g.is_reported then g.amount_vnd end as registered_reported
        from registered as g
        union all
        select l.commune_code, l.programme_code, l.plan_total, null, null
        from core.disbursement_placed(p_known_at) as l
        where
            l.period = p_period and l.budget_year = p_budget_year and not l.is_unallocated
            and l.known_from <= p_known_at and (l.known_to > p_known_at or l.known_to = 'infinity')
    )

    select
        p_period,
        p_budget_year,
        case grouping(b.commune_code, b.programme_code)
            when 3 then 'all'
            when 1 then 'commune'
            when 2 then 'programme'
        end as slice,
        b.commune_code,
        b.programme_code,
        sum(b.reported) as plan_reported,
        sum(b.registered) as plan_registered,
        sum(b.registered_reported) as plan_registered_reported
    from both_sides as b
    group by grouping sets ((), (b.commune_code), (b.programme_code))
    having count(*) > 0
$$;
