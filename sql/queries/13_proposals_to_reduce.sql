-- 13. Xã, phường nào đề nghị điều chỉnh giảm vốn, ở dự án nào, bao nhiêu?
-- Which communes ask for their plan to be reduced, in which project, by how much?
-- Tham số | parameters: period = 2025-10, budget_year = 2025
-- Cột | columns: commune_code, commune_vi, project_code, reduce_by (vnd, số dương), addressee, state, proposal
\if :{?period} \else \set period '2025-10' \endif
\if :{?budget_year} \else \set budget_year '2025' \endif

select
    p.commune_code,
    p.commune_vi,
    p.project_code,
    -p.adjust_amount as reduce_by,
    p.addressee,
    p.state,
    p.proposal
from mart.proposal as p
where p.period = :'period' and p.budget_year = :'budget_year' and p.adjust_amount < 0
order by reduce_by desc, p.commune_code asc, p.project_code asc;
