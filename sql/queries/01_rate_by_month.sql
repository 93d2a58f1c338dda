-- 01. Tỷ lệ giải ngân của tỉnh qua các tháng, theo ba mẫu số, kèm mức độ đầy đủ của báo cáo?
-- What is the province's rate month by month, with each of the three denominators, and how complete are the reports?
-- Tham số | parameters: budget_year = 2025
-- Cột | columns: period, plan_total, disb_ytd (vnd), rate_total, rate_assigned, rate_carry (pct),
--   communes_reported, communes_expected, plan_covered_pct
\if :{?budget_year} \else \set budget_year '2025' \endif

select
    r.period,
    r.plan_total,
    r.disb_ytd,
    r.rate_total,
    r.rate_assigned,
    r.rate_carry,
    r.communes_reported,
    r.communes_expected,
    r.plan_covered_pct
from mart.disbursement_rate as r
where r.budget_year = :'budget_year' and r.slice = 'all'
order by r.period;
