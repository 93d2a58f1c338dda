-- What changed in the register between two days, each as it was known at a moment: tasks that are new, done, overdue
-- now, given another deadline, withdrawn or reopened. A task that only came nearer to its date has not changed.
create function mart.task_change(
    p_before date, p_known_before timestamptz, p_as_of date, p_known_at timestamptz
)
returns table (
    task_id text,
    lead_vi text,
    content_vi text,
    change text,
    state_before text,
    state text,
    due_date_before date,
    due_date date,
    done_date date,
    days_overdue integer
)
language sql stable
as $$
    select
        a.task_id,
        a.lead_vi,
        a.content_vi,
        c.change,
        b.state as state_before,
        a.state,
        b.due_date as due_date_before,
        a.due_date,
        a.done_date,
        a.days_overdue
    from mart.task_state(p_as_of, p_known_at) as a
    left join (
        select t.* from mart.task_state(p_before, p_known_before) as t where coalesce(t.assigned_on <= p_before, true)
    ) as b on a.task_id = b.task_id
    cross join lateral (
        select case
            when b.task_id is null then 'Mới giao'
            when a.state = 'Thôi thực hiện' and b.state <> 'Thôi thực hiện' then 'Thôi thực hiện'
            when a.state <> 'Thôi thực hiện' and b.state = 'Thôi thực hiện' then 'Mở lại'
            when a.done_date is not null and b.done_date is null then 'Hoàn thành'
            when a.done_date is null and b.done_date is not null then 'Mở lại'
            when a.due_date is distinct from b.due_date then 'Đổi thời hạn'
            when a.days_overdue > 0 and b.days_overdue = 0 then 'Quá hạn mới'
            when a.days_overdue > 0 then 'Còn quá hạn'
        end as change
    ) as c
    where c.change is not null and coalesce(a.assigned_on <= p_as_of, true)
$$;
