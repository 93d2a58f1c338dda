-- The tasks whose deadline in force falls between two days: how many are done, on time or late, and how many are open,
-- in time or overdue, as of the later day (mart.task_month_by_agency for each agency).
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
        m.tasks_due,
        m.tasks_due_done,
        m.tasks_due_done_on_time,
        m.tasks_due_done_late,
        m.tasks_due_open,
        m.tasks_due_open_in_time,
        m.tasks_due_open_overdue
    from mart.task_month_by_agency(p_from, p_as_of, p_known_at) as m
    where m.lead_vi is null
$$;
