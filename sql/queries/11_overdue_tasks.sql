-- 11. Nhiệm vụ quá hạn theo cơ quan chủ trì: bao nhiêu, quá hạn lâu nhất mấy ngày?
-- Tasks overdue by lead agency: how many, and how long at most?
-- Tham số | parameters: as_of = 2025-10-31
-- Cột | columns: lead_vi, tasks_overdue, longest_overdue_days, tasks (mã nhiệm vụ)
\if :{?as_of} \else \set as_of '2025-10-31' \endif

select
    t.lead_vi,
    count(*) as tasks_overdue,
    max(t.days_overdue) as longest_overdue_days,
    array_agg(t.task_id order by t.days_overdue desc, t.task_id asc) as tasks
from mart.task_state(:'as_of', 'infinity') as t
where t.days_overdue > 0
group by t.lead_vi
order by longest_overdue_days desc, t.lead_vi asc;
