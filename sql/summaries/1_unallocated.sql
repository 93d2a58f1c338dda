-- Capital that the province's decisions give to a commune and that stands on none of the lines of its report (check
-- CK25): a line that is missing, or a node that is not wholly split. One period and budget year, as known at a moment.
create or replace function core.unallocated_at(p_period text, p_budget_year integer, p_known_at timestamptz)
returns table (
    period text,
    budget_year integer,
    commune_code text,
    submission_id bigint,
    as_of date,
    project_code text,
    capital_kind text,
    plan_total numeric,
    plan_nstw numeric,
    plan_nst numeric,
    plan_nsx numeric,
    carry_nstw numeric,
    carry_nsdp numeric
)
language sql stable
as $$
    with speaking as (
        select s.*
        from core.submission_span as s
        where
            s.period = p_period and s.budget_year = p_budget_year and s.known_from <= p_known_at
            and (s.known_to > p_known_at or s.known_to = 'infinity')
    ),

    registered as materialized (
        select
            s.submission_id, s.commune_code, s.as_of, a.project_code, a.capital_kind,
            coalesce(bool_or(n.is_leaf), true) as is_leaf,
            sum(case a.source when 'NSTW' then a.amount_vnd else 0 end) as plan_nstw,
            sum(case a.source when 'NST' then a.amount_vnd else 0 end) as plan_nst,
            sum(case a.source when 'NSX' then a.amount_vnd else 0 end) as plan_nsx,
            sum(case a.source when 'KD_NSTW' then a.amount_vnd else 0 end) as carry_nstw,
            sum(case a.source when 'KD_NSDP' then a.amount_vnd else 0 end) as carry_nsdp
        from speaking as s
        inner join ref.allocation as a
            on
                s.commune_code = a.commune_code and a.budget_year = p_budget_year and s.as_of >= a.effective_on
                and a.loaded_at <= p_known_at
        left join ref.programme_node as n
            on a.project_code = n.code and s.as_of >= n.valid_from and (n.valid_to is null or s.as_of <= n.valid_to)
        group by s.submission_id, s.commune_code, s.as_of, a.project_code, a.capital_kind
    ),

    reported as materialized (
        select d.*
        from speaking as s
        inner join core.disbursement as d on s.submission_id = d.submission_id and d.budget_year = p_budget_year
    ),

    missing as (
        select r.*
        from registered as r
        left join reported as d
            on r.submission_id = d.submission_id and r.project_code = d.project_code and r.capital_kind = d.capital_kind
        where r.is_leaf and d.submission_id is null
    ),

    not_split as (
        select
            r.submission_id, r.commune_code, r.as_of, r.project_code, r.capital_kind, r.is_leaf,
            r.plan_nstw - coalesce(sum(d.plan_nstw - coalesce(o.plan_nstw, 0)), 0) as plan_nstw,
            r.plan_nst - coalesce(sum(d.plan_nst - coalesce(o.plan_nst, 0)), 0) as plan_nst,
            r.plan_nsx - coalesce(sum(d.plan_nsx - coalesce(o.plan_nsx, 0)), 0) as plan_nsx,
            r.carry_nstw - coalesce(sum(d.carry_nstw - coalesce(o.carry_nstw, 0)), 0) as carry_nstw,
            r.carry_nsdp - coalesce(sum(d.carry_nsdp - coalesce(o.carry_nsdp, 0)), 0) as carry_nsdp
        from registered as r
        left join reported as d
            on
                r.submission_id = d.submission_id and r.capital_kind = d.capital_kind
                and starts_with(d.project_code, r.project_code || '-')
        left join registered as o
            on
                d.submission_id = o.submission_id and d.project_code = o.project_code
                and d.capital_kind = o.capital_kind
        where not r.is_leaf
        group by
            r.submission_id, r.commune_code, r.as_of, r.project_code, r.capital_kind, r.is_leaf, r.plan_nstw,
            r.plan_nst, r.plan_nsx, r.carry_nstw, r.carry_nsdp
    )

    select
        p_period,
        p_budget_year,
        u.commune_code,
        u.submission_id,
        u.as_of,
        u.project_code,
        u.capital_kind,
        u.plan_nstw + u.plan_nst + u.plan_nsx + u.carry_nstw + u.carry_nsdp as plan_total,
        u.plan_nstw,
        u.plan_nst,
        u.plan_nsx,
        u.carry_nstw,
        u.carry_nsdp
    from (select * from missing union all select * from not_split) as u
    where u.plan_nstw + u.plan_nst + u.plan_nsx + u.carry_nstw + u.carry_nsdp > 0
$$;
