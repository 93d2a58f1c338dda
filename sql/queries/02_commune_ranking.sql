-- 02. Xếp hạng các xã, phường theo tỷ lệ; xã nào thuộc nhóm thấp nhất, xã nào chưa giải ngân (0 %)?
-- How do the communes rank by rate; which are the lowest, which are at 0 %?
-- Tham số | parameters: period = 2025-10, budget_year = 2025, many = 10
-- Cột | columns: rank_rate, commune_code, commune_vi, plan_total, disb_ytd, undisbursed (vnd), rate_total (pct),
--   among_lowest, at_zero
\if :{?period} \else \set period '2025-10' \endif
\if :{?budget_year} \else \set budget_year '2025' \endif
\if :{?many} \else \set many '10' \endif

select
    rank() over (order by r.rate_total desc) as rank_rate,
    r.commune_code,
    r.commune_vi,
    r.plan_total,
    r.disb_ytd,
    r.undisbursed,
    r.rate_total,
    row_number() over (order by r.rate_total asc, r.undisbursed desc, r.commune_code asc) <= :'many'::integer as among_lowest,
    r.disb_ytd = 0 as at_zero
from mart.disbursement_rate as r
where r.period = :'period' and r.budget_year = :'budget_year' and r.slice = 'commune' and r.plan_total > 0
order by r.rate_total desc, r.undisbursed asc, r.commune_code desc;
