-- 06. Giải ngân theo nguồn vốn: ngân sách trung ương, ngân sách địa phương?
-- Disbursement by source: central and local budgets?
-- Tham số | parameters: period = 2025-10, budget_year = 2025
-- Cột | columns: source, plan_total, disb_ytd, undisbursed (vnd), rate_total (pct), communes_reported,
--   communes_expected
\if :{?period} \else \set period '2025-10' \endif
\if :{?budget_year} \else \set budget_year '2025' \endif

select
    r.source,
    r.plan_total,
    r.disb_ytd,
    r.undisbursed,
    r.rate_total,
    r.communes_reported,
    r.communes_expected
from mart.disbursement_rate as r
where r.period = :'period' and r.budget_year = :'budget_year' and r.slice = 'source'
order by r.source desc;
