-- What concerns each commune in the register: tasks that it leads (lead), other tasks of a conclusion about it (visit),
-- and tasks of agencies on its proposals (proposal). A task stands once for each commune, under the first of these.
create function mart.commune_task(p_as_of date, p_known_at timestamptz)
returns table (
    commune_code text,
    commune_vi text,
    relation text,
    task_id text,
    directive_vi text,
    directive_date date,
    item text,
    lead_vi text,
    content_vi text,
    deadline_phrase_vi text,
    due_date date,
    done_date date,
    state text,
    days_overdue integer,
    issue_ids text[]
)
language sql stable
as $$
    with concerned as (
        select t.task_id, c.commune_code, c.name_vi, r.relation, r.place
        from core.task as t
        inner join core.directive as d on t.directive_id = d.directive_id
        cross join ref.unit as c
        cross join lateral (
            select 'lead' as relation, 1 as place
            where exists (
                select 1 from mart.task_committee(p_known_at) as m
                where m.task_id = t.task_id and m.commune_code = c.commune_code and m.valid_from = c.valid_from
            )
            union all
            select 'proposal', 2
            where exists (
                select 1 from core.task_proposal as k
                where k.task_id = t.task_id and k.commune_code = c.commune_code and k.recorded_at <= p_known_at
            )
            union all
            select 'visit', 3
            where
                d.commune_code = c.commune_code
                or (d.commune_code is null and lower(d.place_vi) = lower(c.name_vi))
        ) as r
        where p_as_of >= c.valid_from and (c.valid_to is null or p_as_of <= c.valid_to)
    )

    select distinct on (n.commune_code, t.directive_id, t.task_id)
        n.commune_code,
        n.name_vi as commune_vi,
        n.relation,
        t.task_id,
        coalesce(d.doc_no, d.title_vi) as directive_vi,
        t.assigned_on as directive_date,
        t.item,
        t.lead_vi,
        t.content_vi,
        t.deadline_phrase_vi,
        t.due_date,
        t.done_date,
        t.state,
        t.days_overdue,
        array(
            select k.issue_id from core.task_proposal as k
            where k.task_id = t.task_id and k.commune_code = n.commune_code and k.recorded_at <= p_known_at
            order by k.issue_id
        ) as issue_ids
    from mart.task_state(p_as_of, p_known_at) as t
    inner join core.directive as d on t.directive_id = d.directive_id
    inner join concerned as n on t.task_id = n.task_id
    where coalesce(t.assigned_on <= p_as_of, true)
    order by n.commune_code, t.directive_id, t.task_id, n.place
$$;
