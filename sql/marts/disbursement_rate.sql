-- Disbursement by slice: all, commune, programme, project (dự án), subproject (leaf), capital_kind, source and the
-- crossings that the report prints. Every rate is sum / sum over leaf lines with its own denominator: vốn giao trong
-- năm, vốn kéo dài, tổng vốn được sử dụng (DOMAIN.md 3.3). Coverage stands beside each total.
create view mart.disbursement_rate_history as
select
    s.period,
    s.budget_year,
    s.slice,
    s.commune_code,
    s.programme_code,
    s.project_code,
    s.subproject_code,
    s.capital_kind,
    s.source,
    s.plan_total,
    s.plan_assigned,
    s.plan_carry,
    s.disb_period,
    s.disb_ytd,
    s.disb_assigned,
    s.disb_carry,
    s.disb_completed,
    s.disb_advance,
    s.undisbursed,
    s.undisbursed_carry,
    s.forecast,
    mart.rate_pct(s.paired_disb_total, s.paired_plan_total) as rate_total,
    mart.rate_pct(s.paired_disb_assigned, s.paired_plan_assigned) as rate_assigned,
    mart.rate_pct(s.paired_disb_carry, s.paired_plan_carry) as rate_carry,
    c.communes_reported,
    c.communes_expected,
    c.plan_covered_pct,
    greatest(s.known_from, c.known_from) as known_from,
    least(s.known_to, c.known_to) as known_to
from core.disbursement_slice as s
left join mart.completeness_history as c
    on
        s.period = c.period and s.budget_year = c.budget_year and s.known_from < c.known_to
        and s.known_to > c.known_from;
