-- 05. Tỷ lệ so với tháng trước và so với cùng kỳ năm trước, của tỉnh và từng xã, phường?
-- How does the rate compare with the month before and the same month last year, for the province and each commune?
-- Tham số | parameters: period = 2025-10, budget_year = 2025
-- Cột | columns: commune_code (trống là toàn tỉnh), rate_total, rate_previous, rate_last_year (pct), change_points,
--   change_last_year_points (pct_points)
\if :{?period} \else \set period '2025-10' \endif
\if :{?budget_year} \else \set budget_year '2025' \endif

select
    r.commune_code,
    r.rate_total,
    p.rate_total as rate_previous,
    r.rate_total - p.rate_total as change_points,
    y.rate_total as rate_last_year,
    r.rate_total - y.rate_total as change_last_year_points
from mart.disbursement_rate as r
left join mart.disbursement_rate as p
    on
        p.period = to_char((:'period' || '-01')::date - interval '1 month', 'YYYY-MM')
        and p.budget_year = :'budget_year' and r.slice = p.slice
        and coalesce(r.commune_code, '') = coalesce(p.commune_code, '')
left join mart.disbursement_rate as y
    on
        y.period = to_char((:'period' || '-01')::date - interval '1 year', 'YYYY-MM')
        and y.budget_year = :'budget_year'::integer - 1 and r.slice = y.slice
        and coalesce(r.commune_code, '') = coalesce(y.commune_code, '')
where r.period = :'period' and r.budget_year = :'budget_year' and r.slice in ('all', 'commune')
order by r.slice, change_points, r.commune_code;
