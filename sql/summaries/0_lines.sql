-- Leaf lines of Biểu 01 and capital on no line, with their places in the programme tree and the stretch of time during
-- which each was what was known. Rows of core.unallocated_line are is_unallocated, without a row number: they count in
-- every plan, and nothing is disbursed of them.
create or replace view core.disbursement_known as
with lines as (
    select
        s.period,
        s.budget_year,
        s.as_of,
        s.commune_code,
        d.project_code,
        d.capital_kind,
        d.line_code,
        d.plan_total,
        d.plan_nstw,
        d.plan_nst,
        d.plan_nsx,
        d.carry_nstw,
        d.carry_nsdp,
        d.disb_period,
        d.disb_ytd,
        d.disb_nstw,
        d.disb_nsdp,
        d.disb_completed,
        d.disb_advance,
        d.disb_carry,
        d.accepted_volume,
        d.forecast,
        d.note,
        s.submission_id,
        d.row_no,
        d.value_states,
        false as is_unallocated,
        s.known_from,
        s.known_to
    from core.submission_span as s
    inner join core.disbursement as d on s.submission_id = d.submission_id and s.budget_year = d.budget_year
    union all
    select
        u.period,
        u.budget_year,
        u.as_of,
        u.commune_code,
        u.project_code,
        u.capital_kind,
        u.project_code || '-' || u.capital_kind,
        u.plan_total,
        u.plan_nstw,
        u.plan_nst,
        u.plan_nsx,
        u.carry_nstw,
        u.carry_nsdp,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        null,
        null,
        null,
        u.submission_id,
        null,
        '{}',
        true,
        u.known_from,
        u.known_to
    from core.unallocated_line as u
)

select
    d.period,
    d.budget_year,
    d.as_of,
    d.commune_code,
    n.programme_code,
    case when n.parent_code is null or n.parent_code = n.programme_code then n.code else n.parent_code end
        as project_code,
    d.project_code as subproject_code,
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
    d.is_unallocated,
    n.name_vi as subproject_vi,
    d.known_from,
    d.known_to
from lines as d
left join ref.programme_node as n
    on d.project_code = n.code and d.as_of >= n.valid_from and (n.valid_to is null or d.as_of <= n.valid_to);

-- The same with the places in the programme tree that were known at a moment; of all stretches of time.
create or replace function core.disbursement_placed(p_known_at timestamptz) returns setof core.disbursement_known
language sql stable
as $$
    select
        d.period,
        d.budget_year,
        d.as_of,
        d.commune_code,
        n.programme_code,
        case when n.parent_code is null or n.parent_code = n.programme_code then n.code else n.parent_code end
            as project_code,
        d.subproject_code,
        d.capital_kind,
        d.line_code,
        d.plan_total,
        d.plan_assigned,
        d.plan_carry,
        d.plan_nstw,
        d.plan_nst,
        d.plan_nsx,
        d.carry_nstw,
        d.carry_nsdp,
        d.disb_period,
        d.disb_ytd,
        d.disb_assigned,
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
        d.is_unallocated,
        n.name_vi as subproject_vi,
        d.known_from,
        d.known_to
    from core.disbursement_known as d
    left join ref.programme_node as n
        on
            d.subproject_code = n.code and d.as_of >= n.valid_from
            and (n.valid_to is null or d.as_of <= n.valid_to)
$$;
