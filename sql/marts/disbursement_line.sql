-- Leaf lines of Biểu 01 of the submissions in force, one row per commune, period, budget year and line. Capital that
-- the province's decisions give to a commune and that stands on none of its lines (check CK25: a line that is missing, a
-- node that is not wholly split) is a row of its own, is_unallocated, without a row number: it counts in every plan, and
-- nothing is disbursed of it.
create function mart.disbursement_line_at(p_known_at timestamptz)
returns table (
    period text,
    budget_year integer,
    as_of date,
    commune_code text,
    commune_vi text,
    programme_code text,
    project_code text,
    subproject_code text,
    subproject_vi text,
    capital_kind text,
    line_code text,
    plan_total numeric,
    plan_assigned numeric,
    plan_carry numeric,
    plan_nstw numeric,
    plan_nst numeric,
    plan_nsx numeric,
    carry_nstw numeric,
    carry_nsdp numeric,
    disb_period numeric,
    disb_ytd numeric,
    disb_assigned numeric,
    disb_nstw numeric,
    disb_nsdp numeric,
    disb_completed numeric,
    disb_advance numeric,
    disb_carry numeric,
    accepted_volume numeric,
    forecast numeric,
    note text,
    submission_id bigint,
    row_no integer,
    value_states jsonb,
    is_unallocated boolean
)
language sql stable
as $$
    with registered as (
        select
            s.submission_id, s.commune_code, s.period, s.budget_year, s.as_of, a.project_code, a.capital_kind,
            coalesce(bool_or(n.is_leaf), true) as is_leaf,
            sum(case a.source when 'NSTW' then a.amount_vnd else 0 end) as plan_nstw,
            sum(case a.source when 'NST' then a.amount_vnd else 0 end) as plan_nst,
            sum(case a.source when 'NSX' then a.amount_vnd else 0 end) as plan_nsx,
            sum(case a.source when 'KD_NSTW' then a.amount_vnd else 0 end) as carry_nstw,
            sum(case a.source when 'KD_NSDP' then a.amount_vnd else 0 end) as carry_nsdp
        from core.in_force(p_known_at) as s
        inner join ref.allocation as a
            on
                s.commune_code = a.commune_code and s.budget_year = a.budget_year and s.as_of >= a.effective_on
                and a.loaded_at <= p_known_at
        left join ref.programme_node as n
            on a.project_code = n.code and s.as_of >= n.valid_from and (n.valid_to is null or s.as_of <= n.valid_to)
        group by s.submission_id, s.commune_code, s.period, s.budget_year, s.as_of, a.project_code, a.capital_kind
    ),

    missing as (
        select r.*
        from registered as r
        where
            r.is_leaf and not exists (
                select 1 from core.disbursement as d
                where
                    (d.budget_year, d.submission_id, d.line_code)
                    = (r.budget_year, r.submission_id, r.project_code || '-' || r.capital_kind)
            )
    ),

    not_split as (
        select
            r.submission_id, r.commune_code, r.period, r.budget_year, r.as_of, r.project_code, r.capital_kind,
            r.is_leaf,
            r.plan_nstw - coalesce(sum(d.plan_nstw - coalesce(o.plan_nstw, 0)), 0) as plan_nstw,
            r.plan_nst - coalesce(sum(d.plan_nst - coalesce(o.plan_nst, 0)), 0) as plan_nst,
            r.plan_nsx - coalesce(sum(d.plan_nsx - coalesce(o.plan_nsx, 0)), 0) as plan_nsx,
            r.carry_nstw - coalesce(sum(d.carry_nstw - coalesce(o.carry_nstw, 0)), 0) as carry_nstw,
            r.carry_nsdp - coalesce(sum(d.carry_nsdp - coalesce(o.carry_nsdp, 0)), 0) as carry_nsdp
        from registered as r
        left join core.disbursement as d
            on
                r.budget_year = d.budget_year and r.submission_id = d.submission_id
                and r.capital_kind = d.capital_kind and starts_with(d.project_code, r.project_code || '-')
        left join registered as o
            on
                d.submission_id = o.submission_id and d.project_code = o.project_code
                and d.capital_kind = o.capital_kind
        where not r.is_leaf
        group by
            r.submission_id, r.commune_code, r.period, r.budget_year, r.as_of, r.project_code, r.capital_kind,
            r.is_leaf, r.plan_nstw, r.plan_nst, r.plan_nsx, r.carry_nstw, r.carry_nsdp
    ),

    unallocated as (
        select u.*, u.plan_nstw + u.plan_nst + u.plan_nsx + u.carry_nstw + u.carry_nsdp as plan_total
        from (select * from missing union all select * from not_split) as u
        where u.plan_nstw + u.plan_nst + u.plan_nsx + u.carry_nstw + u.carry_nsdp > 0
    ),

    lines as (
        select
            d.period, d.budget_year, s.as_of, d.commune_code, d.project_code, d.capital_kind, d.line_code,
            d.plan_total, d.plan_nstw, d.plan_nst, d.plan_nsx, d.carry_nstw, d.carry_nsdp, d.disb_period, d.disb_ytd,
            d.disb_nstw, d.disb_nsdp, d.disb_completed, d.disb_advance, d.disb_carry, d.accepted_volume, d.forecast,
            d.note, d.submission_id, d.row_no, d.value_states, false as is_unallocated
        from core.disbursement as d
        inner join core.in_force(p_known_at) as s on d.submission_id = s.submission_id
        union all
        select
            u.period, u.budget_year, u.as_of, u.commune_code, u.project_code, u.capital_kind,
            u.project_code || '-' || u.capital_kind, u.plan_total, u.plan_nstw, u.plan_nst, u.plan_nsx, u.carry_nstw,
            u.carry_nsdp, 0, 0, 0, 0, 0, 0, 0, null, null, null, u.submission_id, null, '{}', true
        from unallocated as u
    )

    select
        d.period,
        d.budget_year,
        d.as_of,
        d.commune_code,
        c.name_vi as commune_vi,
        n.programme_code,
        case when n.parent_code is null or n.parent_code = n.programme_code then n.code else n.parent_code end
            as project_code,
        d.project_code as subproject_code,
        n.name_vi as subproject_vi,
        d.capital_kind,
        d.line_code,
        d.plan_total,
        d.plan_nstw + d.plan_nst + d.plan_nsx as plan_assigned,
        d.carry_nstw + d.carry_nsdp as plan_carry,
        d.plan_nstw,
        d.plan_nst,
        d.plan_nsx,
        d.carry_nstw,
        d.carry_nsdp,
        d.disb_period,
        d.disb_ytd,
        d.disb_ytd - d.disb_carry as disb_assigned,
        d.disb_nstw,
        d.disb_nsdp,
        d.disb_completed,
        d.disb_advance,
        d.disb_carry,
        d.accepted_volume,
        d.forecast,
        d.note,
        d.submission_id,
        d.row_no,
        d.value_states,
        d.is_unallocated
    from lines as d
    left join ref.programme_node as n
        on d.project_code = n.code and d.as_of >= n.valid_from and (n.valid_to is null or d.as_of <= n.valid_to)
    left join ref.commune as c
        on d.commune_code = c.commune_code and d.as_of >= c.valid_from and (c.valid_to is null or d.as_of <= c.valid_to)
$$;

create view mart.disbursement_line as
select * from mart.disbursement_line_at('infinity');
