-- How many communes a period's totals cover and what share of the registered capital they hold (law 7).
create view mart.completeness_history as
select
    c.period,
    c.budget_year,
    c.communes_expected,
    c.communes_reported,
    c.communes_returned,
    c.communes_refused,
    c.communes_missing,
    c.communes_late,
    c.plan_covered_vnd,
    c.plan_registered_vnd,
    mart.rate_pct(coalesce(c.plan_covered_vnd, 0), c.plan_registered_vnd) as plan_covered_pct,
    c.known_from,
    c.known_to
from core.coverage as c;
