-- The tasks whose deadline in force falls between two days: how many are done, on time or late, and how many are open,
-- in time or overdue, as of the later day.
create function mart.task_month(p_from date, p_as_of date, p_known_at timestamptz)
returns table (
    tasks_due integer,
    tasks_due_done integer,
    tasks_due_done_on_time integer,
    tasks_due_done_late integer,
    tasks_due_open integer,
    tasks_due_open_in_time integer,
    tasks_due_open_overdue integer
)
language sql stable
as $$
    select
        count(*)::integer as tasks_due,
        count(*) filter (where t.done_date is not null)::integer as tasks_due_done,
        count(*) filter (where t.state = 'Đã hoàn thành đúng hạn')::integer as tasks_due_done_on_time,
        count(*) filter (where t.state = 'Đã hoàn thành quá hạn')::integer as tasks_due_done_late,
        count(*) filter (where t.done_date is null)::integer as tasks_due_open,
        count(*) filter (where t.done_date is null and t.days_overdue = 0)::integer as tasks_due_open_in_time,
        count(*) filter (where t.days_overdue > 0)::integer as tasks_due_open_overdue
    from mart.task_state(p_as_of, p_known_at) as t
    where t.due_date between p_from and p_as_of and t.state <> 'Thôi thực hiện'
        and coalesce(t.assigned_on <= p_as_of, true)
$$;
