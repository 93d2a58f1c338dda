-- The tasks whose deadline in force falls between two days, by lead agency (null: all): how many are done, on time or
-- late, and how many are open, in time or overdue, as of the later day; beside them the open tasks that are due soon
-- after it and those without a date. One row for all agencies is there even when the register is empty.
create function mart.task_month_by_agency(p_from date, p_as_of date, p_known_at timestamptz)
returns table (
    lead_vi text,
    tasks_due integer,
    tasks_due_done integer,
    tasks_due_done_on_time integer,
    tasks_due_done_late integer,
    tasks_due_open integer,
    tasks_due_open_in_time integer,
    tasks_due_open_overdue integer,
    tasks_overdue integer,
    tasks_due_soon integer,
    tasks_undated integer,
    longest_overdue_days integer
)
language sql stable
as $$
    with given as (
        select
            t.*,
            coalesce(t.due_date between p_from and p_as_of and t.state <> 'Thôi thực hiện', false) as in_month
        from mart.task_state(p_as_of, p_known_at) as t
        where coalesce(t.assigned_on <= p_as_of, true)
    )

    select
        t.lead_vi,
        count(*) filter (where t.in_month)::integer as tasks_due,
        count(*) filter (where t.in_month and t.done_date is not null)::integer as tasks_due_done,
        count(*) filter (where t.in_month and t.state = 'Đã hoàn thành đúng hạn')::integer as tasks_due_done_on_time,
        count(*) filter (where t.in_month and t.state = 'Đã hoàn thành quá hạn')::integer as tasks_due_done_late,
        count(*) filter (where t.in_month and t.done_date is null)::integer as tasks_due_open,
        count(*) filter (where t.in_month and t.done_date is null and t.days_overdue = 0)::integer
            as tasks_due_open_in_time,
        count(*) filter (where t.in_month and t.days_overdue > 0)::integer as tasks_due_open_overdue,
        count(*) filter (where t.days_overdue > 0)::integer as tasks_overdue,
        count(*) filter (where t.state = 'Sắp đến hạn')::integer as tasks_due_soon,
        count(*) filter (where t.state in ('Không quy định thời hạn', 'Nhiệm vụ thường xuyên / định kỳ'))::integer
            as tasks_undated,
        max(t.days_overdue) as longest_overdue_days
    from given as t
    group by grouping sets ((), (t.lead_vi))
$$;
