-- 18. Mỗi tổng số trong năm cộng từ mấy xã, giữ bao nhiêu phần trăm vốn được giao?
-- How many communes, and what share of the plan, does each total of the year cover?
-- Tham số | parameters: budget_year = 2025
-- Cột | columns: period, communes_expected, communes_reported, communes_returned, communes_missing, communes_late,
--   plan_covered_vnd, plan_registered_vnd, plan_covered_pct
\if :{?budget_year} \else \set budget_year '2025' \endif

select
    c.period,
    c.communes_expected,
    c.communes_reported,
    c.communes_returned,
    c.communes_missing,
    c.communes_late,
    c.plan_covered_vnd,
    c.plan_registered_vnd,
    c.plan_covered_pct
from mart.completeness as c
where c.budget_year = :'budget_year' and c.communes_reported + c.communes_returned > 0
order by c.period;
