-- 14. Chỉ tiêu đầu ra đạt bao nhiêu so với mục tiêu năm, cộng từ mấy xã?
-- How far are output indicators from the year's targets, over how many communes?
-- Tham số | parameters: period = 2025-10, budget_year = 2025
-- Cột | columns: indicator_code, indicator_vi, unit, target_year, actual_ytd (quantity), rate_year (pct), communes
\if :{?period} \else \set period '2025-10' \endif
\if :{?budget_year} \else \set budget_year '2025' \endif

select
    o.indicator_code,
    o.indicator_vi,
    o.unit,
    o.target_year,
    o.actual_ytd,
    o.rate_year,
    o.communes
from mart.output_indicator as o
where o.period = :'period' and o.budget_year = :'budget_year'
order by o.rate_year nulls last, o.indicator_code;
