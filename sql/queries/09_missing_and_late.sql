-- 09. Kỳ này xã, phường nào chưa có báo cáo được nhận, xã nào gửi chậm, chậm mấy ngày?
-- Which communes have no accepted report in the period, which were late, by how many days?
-- Tham số | parameters: period = 2025-10, budget_year = 2025
-- Cột | columns: state (missing, returned, refused, late), commune_code, commune_vi, due_on, received_at,
--   late_days, errors
\if :{?period} \else \set period '2025-10' \endif
\if :{?budget_year} \else \set budget_year '2025' \endif

select
    case when s.state = 'reported' then 'late' else s.state end as state,
    s.commune_code,
    s.commune_vi,
    s.due_on,
    s.received_at,
    s.late_days,
    s.errors
from mart.submission_status as s
where
    s.period = :'period' and s.budget_year = :'budget_year'
    and (s.state <> 'reported' or s.late_days > 0)
order by state asc, s.late_days desc nulls last, s.commune_code asc;
