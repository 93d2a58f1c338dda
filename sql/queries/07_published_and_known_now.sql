-- 07. Số đã công bố của kỳ và số hiện biết khác nhau bao nhiêu?
-- How do the figures as published differ from those known now?
-- Tham số | parameters: period = 2025-10, budget_year = 2025
-- Cột | columns: release_id, metric, unit, published, known_now, difference, coverage_n, coverage_of
\if :{?period} \else \set period '2025-10' \endif
\if :{?budget_year} \else \set budget_year '2025' \endif

select
    l.release_id,
    f.metric,
    f.unit,
    f.value as published,
    n.value as known_now,
    n.value - f.value as difference,
    f.coverage_n,
    f.coverage_of
from mart.release as l
inner join mart.published_figure as f on l.release_id = f.release_id and f.dims = '{}'
inner join mart.disbursement_rate as r on r.slice = 'all'
cross join
    lateral (
        values ('plan_total', r.plan_total), ('disb_ytd', r.disb_ytd), ('rate_total', r.rate_total)
    ) as n (metric, value)
where
    l.period = :'period' and l.budget_year = :'budget_year' and l.is_latest and f.period = :'period'
    and f.budget_year = :'budget_year' and r.period = :'period' and r.budget_year = :'budget_year'
    and f.metric = n.metric
order by f.metric;
