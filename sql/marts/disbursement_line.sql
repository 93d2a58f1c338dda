-- Leaf lines of Biểu 01 of the submissions that speak, one row per commune, period, budget year and line. Capital that
-- the province's decisions give to a commune and that stands on none of its lines (check CK25: a line that is missing, a
-- node that is not wholly split) is a row of its own, is_unallocated, without a row number: it counts in every plan, and
-- nothing is disbursed of it.
create view mart.disbursement_line_history as
select
    d.period,
    d.budget_year,
    d.as_of,
    d.commune_code,
    c.name_vi as commune_vi,
    d.programme_code,
    d.project_code,
    d.subproject_code,
    d.subproject_vi,
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
    d.known_from,
    d.known_to
from core.disbursement_known as d
left join ref.unit as c
    on d.commune_code = c.commune_code and d.as_of >= c.valid_from and (c.valid_to is null or d.as_of <= c.valid_to);

-- In the words of the reference data that were known at the moment.
create function mart.disbursement_line_at(p_known_at timestamptz) returns setof mart.disbursement_line
language sql stable
as $$
    select
        h.period,
        h.budget_year,
        h.as_of,
        h.commune_code,
        c.name_vi as commune_vi,
        n.programme_code,
        case when n.parent_code is null or n.parent_code = n.programme_code then n.code else n.parent_code end
            as project_code,
        h.subproject_code,
        n.name_vi as subproject_vi,
        h.capital_kind,
        h.line_code,
        h.plan_total,
        h.plan_assigned,
        h.plan_carry,
        h.plan_nstw,
        h.plan_nst,
        h.plan_nsx,
        h.carry_nstw,
        h.carry_nsdp,
        h.disb_period,
        h.disb_ytd,
        h.disb_assigned,
        h.disb_nstw,
        h.disb_nsdp,
        h.disb_completed,
        h.disb_advance,
        h.disb_carry,
        h.accepted_volume,
        h.forecast,
        h.note,
        h.submission_id,
        h.row_no,
        h.value_states,
        h.is_unallocated
    from mart.disbursement_line_history as h
    left join ref.programme_node as n
        on
            h.subproject_code = n.code and h.as_of >= n.valid_from
            and (n.valid_to is null or h.as_of <= n.valid_to)
    left join ref.unit as c
        on
            h.commune_code = c.commune_code and h.as_of >= c.valid_from
            and (c.valid_to is null or h.as_of <= c.valid_to)
    where h.known_from <= p_known_at and (h.known_to > p_known_at or h.known_to = 'infinity')
$$;
