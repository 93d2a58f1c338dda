-- Number of tasks given out by the day, by lead agency and derived state; lead_vi null = all agencies, state null = all states.
create function mart.task_count(p_as_of date, p_known_at timestamptz)
returns table (
    lead_vi text,
    state text,
    tasks integer,
    longest_overdue_days integer
)
language sql stable
as $$
    select t.lead_vi, t.state, count(*)::integer as tasks, max(t.days_overdue) as longest_overdue_days
    from mart.task_state(p_as_of, p_known_at) as t
    where coalesce(t.assigned_on <= p_as_of, true)
    group by cube (t.lead_vi, t.state)
$$;
