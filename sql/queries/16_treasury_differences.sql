-- 16. Chênh lệch với Kho bạc Nhà nước theo loại: bao nhiêu, ở mấy xã?
-- Differences from the State Treasury by kind: how much, in how many communes?
-- Tham số | parameters: period = 2025-10, budget_year = 2025
-- Cột | columns: kind (trống là tất cả), communes, differences, above, below, overdue (vnd)
\if :{?period} \else \set period '2025-10' \endif
\if :{?budget_year} \else \set budget_year '2025' \endif

select
    k.kind,
    k.communes,
    k.differences,
    k.above,
    k.below,
    k.overdue
from mart.treasury_kind as k
where k.period = :'period' and k.budget_year = :'budget_year'
order by k.kind nulls first;
