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
