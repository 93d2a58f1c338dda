-- 03. Vốn chưa giải ngân còn nằm ở những dự án nào?
-- In which projects is the plan not yet disbursed?
-- Tham số | parameters: period = 2025-10, budget_year = 2025
-- Cột | columns: project_code, project_vi, plan_total, disb_ytd, undisbursed (vnd), rate_total (pct),
--   communes_reported, communes_expected
\if :{?period} \else \set period '2025-10' \endif
\if :{?budget_year} \else \set budget_year '2025' \endif

select
    r.project_code,
    n.name_vi as project_vi,
    r.plan_total,
    r.disb_ytd,
    r.undisbursed,
    r.rate_total,
    r.communes_reported,
    r.communes_expected
from mart.disbursement_rate as r
inner join ref.reporting_calendar as w on r.period = w.period and r.budget_year = w.budget_year
left join ref.programme_node as n
    on r.project_code = n.code and w.as_of >= n.valid_from and (n.valid_to is null or w.as_of <= n.valid_to)
where r.period = :'period' and r.budget_year = :'budget_year' and r.slice = 'project'
order by r.undisbursed desc, r.project_code asc;
