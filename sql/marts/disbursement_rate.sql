-- Disbursement by slice: all, commune, programme, project (dự án), subproject (leaf), capital_kind, source and the
-- crossings that the report prints. Every rate is sum / sum over leaf lines with its own denominator: vốn giao trong
-- năm, vốn kéo dài, tổng vốn được sử dụng (DOMAIN.md 3.3). Coverage stands beside each total. A code means a commune
-- only together with a day: commune_vi is its name on the day up to which the period's amounts are cumulative.
create view mart.disbursement_rate_history as
select
    s.period,
    s.budget_year,
    s.slice,
    s.commune_code,
    u.name_vi as commune_vi,
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
        and s.known_to > c.known_from
left join ref.reporting_calendar as w on s.period = w.period and s.budget_year = w.budget_year
left join ref.unit as u
    on s.commune_code = u.commune_code and w.as_of >= u.valid_from and (u.valid_to is null or w.as_of <= u.valid_to);

-- In the words of the reference data that were known at the moment.
create function mart.disbursement_rate_at(p_known_at timestamptz) returns setof mart.disbursement_rate
language sql stable
as $$
    select
        h.period,
        h.budget_year,
        h.slice,
        h.commune_code,
        u.name_vi as commune_vi,
        h.programme_code,
        h.project_code,
        h.subproject_code,
        h.capital_kind,
        h.source,
        h.plan_total,
        h.plan_assigned,
        h.plan_carry,
        h.disb_period,
        h.disb_ytd,
        h.disb_assigned,
        h.disb_carry,
        h.disb_completed,
        h.disb_advance,
        h.undisbursed,
        h.undisbursed_carry,
        h.forecast,
        h.rate_total,
        h.rate_assigned,
        h.rate_carry,
        h.communes_reported,
        h.communes_expected,
        h.plan_covered_pct
    from mart.disbursement_rate_history as h
    left join ref.reporting_calendar as w on h.period = w.period and h.budget_year = w.budget_year
    left join ref.unit as u
        on
            h.commune_code = u.commune_code and w.as_of >= u.valid_from
            and (u.valid_to is null or w.as_of <= u.valid_to)
    where h.known_from <= p_known_at and (h.known_to > p_known_at or h.known_to = 'infinity')
$$;
