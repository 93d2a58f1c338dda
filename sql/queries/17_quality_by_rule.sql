-- 17. Chất lượng báo cáo: mỗi quy tắc phát hiện mấy vấn đề, ở mấy xã, đã xử lý thế nào?
-- Quality of the reports: what did each rule find, in how many communes, and what became of it?
-- Tham số | parameters: period = 2025-10, budget_year = 2025
-- Cột | columns: expectation_id, severity, communes, found, explained, corrected, overridden, still_open
\if :{?period} \else \set period '2025-10' \endif
\if :{?budget_year} \else \set budget_year '2025' \endif

select
    f.expectation_id,
    f.severity,
    f.communes,
    f.found,
    f.explained,
    f.corrected,
    f.overridden,
    f.still_open
from mart.finding_count as f
where f.period = :'period' and f.budget_year = :'budget_year' and f.expectation_id is not null
order by f.found desc, f.expectation_id asc;
