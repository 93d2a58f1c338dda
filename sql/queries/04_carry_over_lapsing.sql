-- 04. Vốn kéo dài sắp hết hạn: xã nào còn chưa giải ngân, còn bao nhiêu ngày đến hết 31/01 năm sau?
-- Carried-over capital about to lapse: which communes have not disbursed it, how many days are left to 31 January?
-- Tham số | parameters: period = 2025-10, budget_year = 2025
-- Cột | columns: commune_code, commune_vi, plan_carry, disb_carry, undisbursed_carry (vnd), rate_carry (pct), days_left
\if :{?period} \else \set period '2025-10' \endif
\if :{?budget_year} \else \set budget_year '2025' \endif

select
    r.commune_code,
    r.commune_vi,
    r.plan_carry,
    r.disb_carry,
    r.undisbursed_carry,
    r.rate_carry,
    make_date(r.budget_year + 1, 1, 31) - w.as_of as days_left
from mart.disbursement_rate as r
inner join ref.reporting_calendar as w on r.period = w.period and r.budget_year = w.budget_year
where
    r.period = :'period' and r.budget_year = :'budget_year' and r.slice = 'commune' and r.undisbursed_carry > 0
order by r.undisbursed_carry desc, r.commune_code asc;
