-- Plan as reported by the communes against the register of allocation decisions (check CK24): for all communes, per
-- programme and per commune. The register side is given twice: for every commune, and for those that reported, which
-- alone can be compared with the reported plan.
create view mart.allocation_gap_history as
select
    g.period,
    g.budget_year,
    g.slice,
    g.commune_code,
    g.programme_code,
    g.plan_reported,
    g.plan_registered,
    g.plan_registered_reported,
    g.plan_reported - g.plan_registered_reported as difference,
    g.known_from,
    g.known_to
from core.allocation_gap as g;
