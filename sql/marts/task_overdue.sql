-- Everything that is overdue as of a day, tasks and single periods of recurring ones, the longest overdue first.
create function mart.task_overdue(p_as_of date, p_known_at timestamptz)
returns table (
    place integer,
    task_id text,
    instance text,
    lead_vi text,
    content_vi text,
    due_date date,
    days_overdue integer
)
language sql stable
as $$
    with late as (
        select t.task_id, '' as instance, t.lead_vi, t.content_vi, t.due_date, t.days_overdue
        from mart.task_state(p_as_of, p_known_at) as t
        where t.days_overdue > 0 and coalesce(t.assigned_on <= p_as_of, true)
        union all
        select i.task_id, i.instance, i.lead_vi, i.content_vi, i.due_date, i.days_overdue
        from mart.task_instance(p_as_of, p_known_at) as i
        where i.days_overdue > 0
    )

    select
        row_number() over (order by l.days_overdue desc, l.task_id asc, l.instance asc)::integer as place,
        l.task_id,
        l.instance,
        l.lead_vi,
        l.content_vi,
        l.due_date,
        l.days_overdue
    from late as l
$$;
