-- Documents that assign tasks, with the number of tasks registered from each by p_known_at.
create function mart.directive_at(p_known_at timestamptz)
returns table (
    directive_id text,
    doc_no text,
    doc_date date,
    event_date date,
    issuer_vi text,
    title_vi text,
    tasks integer,
    tasks_dated integer
)
language sql stable
as $$
    select
        d.directive_id,
        d.doc_no,
        d.doc_date,
        d.event_date,
        d.issuer_vi,
        d.title_vi,
        count(t.task_id)::integer as tasks,
        count(t.due_date)::integer as tasks_dated
    from core.directive as d
    inner join core.task as t on d.directive_id = t.directive_id and t.registered_at <= p_known_at
    group by d.directive_id
$$;
