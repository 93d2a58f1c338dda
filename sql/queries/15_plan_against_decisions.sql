-- 15. Kế hoạch vốn các xã báo cáo có khớp với quyết định giao vốn, theo chương trình?
-- Does the plan that communes report agree with the decisions on capital, by programme?
-- Tham số | parameters: period = 2025-10, budget_year = 2025
-- Cột | columns: programme_code (trống là tất cả), plan_reported, plan_registered, plan_registered_reported,
--   difference (vnd)
\if :{?period} \else \set period '2025-10' \endif
\if :{?budget_year} \else \set budget_year '2025' \endif

select
    g.programme_code,
    g.plan_reported,
    g.plan_registered,
    g.plan_registered_reported,
    g.difference
from mart.allocation_gap as g
where g.period = :'period' and g.budget_year = :'budget_year' and g.slice in ('all', 'programme')
order by g.programme_code nulls first;
