-- 08. Từ lần công bố gần nhất, số của xã nào đã thay đổi, bao nhiêu, vì bản báo cáo nào?
-- Since the last release, whose figures have changed, by how much, and because of which report?
-- Tham số | parameters: period = 2025-10, budget_year = 2025
-- Cột | columns: commune_code (trống là toàn tỉnh), metric, published, current_value, difference (vnd),
--   submission_id, version_no, file_name, received_at, is_late_revision
\if :{?period} \else \set period '2025-10' \endif
\if :{?budget_year} \else \set budget_year '2025' \endif

select
    v.commune_code,
    v.metric,
    v.published,
    v.current_value,
    v.difference,
    s.submission_id,
    s.version_no,
    s.file_name,
    s.received_at,
    s.is_late_revision
from mart.revision_at(:'period', :'budget_year', 'infinity') as v
left join mart.submission as s
    on s.period = :'period' and s.budget_year = :'budget_year' and v.commune_code = s.commune_code
order by v.commune_code nulls first, v.metric;
