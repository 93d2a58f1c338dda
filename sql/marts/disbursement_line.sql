-- Leaf lines of Biểu 01 of the submissions in force, one row per commune, period, budget year and line.
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
    value_states jsonb
)
language sql stable
as $$
    select
        d.period,
        d.budget_year,
        s.as_of,
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
        d.value_states
    from core.disbursement as d
    inner join core.in_force(p_known_at) as s on d.submission_id = s.submission_id
    left join ref.programme_node as n
        on d.project_code = n.code and s.as_of >= n.valid_from and (n.valid_to is null or s.as_of <= n.valid_to)
    left join ref.commune as c
        on d.commune_code = c.commune_code and s.as_of >= c.valid_from and (c.valid_to is null or s.as_of <= c.valid_to)
$$;

create view mart.disbursement_line as
select * from mart.disbursement_line_at('infinity');
