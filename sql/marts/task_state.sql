-- The register with derived states as of a day (DOMAIN.md 4.2, mart.task_state_name); the original deadline stays.
-- Whether a task was done by that day is what is best known at p_known_at: the first result document since the task
-- was last reopened, or else the latest report on it, also one that came after that day, and only that of the commune
-- that leads the task. Done needs its document: a report that says done and names none leaves the task open. What is
-- done for one period of a recurring task is told by mart.task_instance and does not end the task.
create function mart.task_state(p_as_of date, p_known_at timestamptz)
returns table (
    task_id text,
    directive_id text,
    item text,
    lead_vi text,
    coordinating_vi text[],
    content_vi text,
    deadline_phrase_vi text,
    due_kind text,
    recurrence text,
    original_due_date date,
    due_date date,
    extensions integer,
    done_date date,
    state text,
    days_overdue integer,
    assigned_on date
)
language sql stable
as $$
    with event as (
        select e.* from core.task_event as e
        where e.instance = '' and e.event_date <= p_as_of and e.recorded_at <= p_known_at
    ),

    extension as (
        select
            e.task_id,
            count(*)::integer as extensions,
            (array_agg(e.new_due_date order by e.event_date desc, e.task_event_id desc))[1] as due_date
        from event as e
        where e.kind = 'extended'
        group by e.task_id
    ),

    turn as (
        select distinct on (e.task_id) e.task_id, e.task_event_id, e.kind, e.event_date
        from event as e
        where e.kind in ('reopened', 'withdrawn')
        order by e.task_id, e.event_date desc, e.task_event_id desc
    ),

    first_done as (
        select distinct on (e.task_id) e.task_id, e.event_date
        from event as e
        left join turn as w on e.task_id = w.task_id
        where
            e.kind = 'done'
            and (w.task_id is null or (e.event_date, e.task_event_id) > (w.event_date, w.task_event_id))
        order by e.task_id, e.event_date, e.task_event_id
    ),

    last_report as (
        select distinct on (r.task_id) r.task_id, r.status, r.done_date, r.result_doc
        from core.task_report as r
        inner join core.in_force(p_known_at) as s on r.submission_id = s.submission_id
        inner join core.task as t on r.task_id = t.task_id
        inner join mart.task_committee(p_known_at) as c
            on
                r.task_id = c.task_id and r.commune_code = c.commune_code and s.as_of >= c.valid_from
                and (c.valid_to is null or s.as_of <= c.valid_to)
        where t.due_kind <> 'recurring'
        order by r.task_id, r.period desc, r.budget_year desc
    ),

    resolved as (
        select
            t.*,
            coalesce(x.due_date, t.due_date) as current_due,
            coalesce(x.extensions, 0) as extensions,
            coalesce(d.doc_date, d.event_date) as assigned_on,
            coalesce(w.kind = 'withdrawn' and f.task_id is null, false) as withdrawn,
            case
                when f.task_id is not null then f.event_date
                when
                    w.kind is distinct from 'withdrawn' and r.status = 'Đã hoàn thành' and r.done_date <= p_as_of
                    and btrim(r.result_doc) <> '' and (w.task_id is null or r.done_date > w.event_date)
                    then r.done_date
            end as done_on
        from core.task as t
        inner join core.directive as d on t.directive_id = d.directive_id
        left join extension as x on t.task_id = x.task_id
        left join turn as w on t.task_id = w.task_id
        left join first_done as f on t.task_id = f.task_id
        left join last_report as r on t.task_id = r.task_id
        where t.registered_at <= p_known_at
    )

    select
        r.task_id,
        r.directive_id,
        r.item,
        r.lead_vi,
        r.coordinating_vi,
        r.content_vi,
        r.deadline_phrase_vi,
        r.due_kind,
        r.recurrence,
        r.due_date as original_due_date,
        r.current_due as due_date,
        r.extensions,
        r.done_on as done_date,
        mart.task_state_name(
            p_as_of, r.current_due, r.done_on, r.withdrawn,
            r.due_kind = 'recurring' or coalesce(r.deliverable = 'standing', false),
            p_known_at
        ) as state,
        case
            when not r.withdrawn and r.done_on is null and p_as_of > r.current_due then p_as_of - r.current_due
            else 0
        end as days_overdue,
        r.assigned_on
    from resolved as r
$$;
