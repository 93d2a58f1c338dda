-- The register with derived states as of a day (DOMAIN.md 4.2, mart.task_state_name); the original deadline stays.
-- Whether a task was done by that day is what is best known at p_known_at: the first result document since the task
-- was last reopened, or else the latest report on it, also one that came after that day, and only that of the commune
-- that leads the task (of the communes that a commune was divided into: one that is not done speaks for all). Done needs
-- its document: a report that says done and names none leaves the task as it was. What was done stays done when the task
-- is withdrawn afterwards; what is done after it was withdrawn counts only when it was reopened. An extension that was
-- granted after the task was done has no effect on it. What is done for one period of a recurring task is told by
-- mart.task_instance and does not end the task.
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

    opened as (
        select distinct on (e.task_id) e.task_id, e.task_event_id, e.event_date
        from event as e
        where e.kind = 'reopened'
        order by e.task_id, e.event_date desc, e.task_event_id desc
    ),

    -- The first of each kind since the task was last reopened.
    turn as (
        select distinct on (e.task_id, e.kind) e.task_id, e.kind, e.task_event_id, e.event_date
        from event as e
        left join opened as o on e.task_id = o.task_id
        where
            e.kind in ('done', 'withdrawn')
            and (o.task_id is null or (e.event_date, e.task_event_id) > (o.event_date, o.task_event_id))
        order by e.task_id, e.kind, e.event_date, e.task_event_id
    ),

    said as (
        select
            r.task_id,
            r.commune_code,
            r.period,
            r.budget_year,
            r.status = 'Đã hoàn thành' and btrim(coalesce(r.result_doc, '')) = '' as is_undocumented,
            case when r.status = 'Đã hoàn thành' and btrim(r.result_doc) <> '' then r.done_date end as done_date
        from core.task_report as r
        inner join core.in_force(p_known_at) as s on r.submission_id = s.submission_id
        inner join core.task as t on r.task_id = t.task_id
        inner join mart.task_committee(p_known_at) as c
            on
                r.task_id = c.task_id and r.commune_code = c.commune_code and s.as_of >= c.valid_from
                and (c.valid_to is null or s.as_of <= c.valid_to)
        where t.due_kind <> 'recurring'
    ),

    -- Done without its document says nothing new: it belongs to the last report of the commune that says something.
    counted as (
        select
            r.*,
            count(*) filter (where not r.is_undocumented) over (
                partition by r.task_id, r.commune_code order by r.period, r.budget_year
            ) as turn_no
        from said as r
    ),

    carried as (
        select
            r.task_id,
            r.period,
            r.budget_year,
            max(r.done_date) over (partition by r.task_id, r.commune_code, r.turn_no) as done_date
        from counted as r
    ),

    last_report as (
        select distinct on (r.task_id) r.task_id, r.done_date
        from carried as r
        order by r.task_id, r.period desc, r.budget_year desc, r.done_date desc nulls first
    ),

    finished as (
        select
            t.task_id,
            w.task_id is not null as was_withdrawn,
            case
                when
                    f.task_id is not null
                    and (w.task_id is null or (f.event_date, f.task_event_id) < (w.event_date, w.task_event_id))
                    then f.event_date
                when
                    r.done_date <= p_as_of and (o.task_id is null or r.done_date > o.event_date)
                    and (w.task_id is null or r.done_date <= w.event_date)
                    then r.done_date
            end as done_on
        from core.task as t
        left join opened as o on t.task_id = o.task_id
        left join turn as f on t.task_id = f.task_id and f.kind = 'done'
        left join turn as w on t.task_id = w.task_id and w.kind = 'withdrawn'
        left join last_report as r on t.task_id = r.task_id
        where t.registered_at <= p_known_at
    ),

    extension as (
        select
            e.task_id,
            count(*)::integer as extensions,
            (array_agg(e.new_due_date order by e.event_date desc, e.task_event_id desc))[1] as due_date
        from event as e
        inner join finished as f on e.task_id = f.task_id
        inner join core.task as t on e.task_id = t.task_id
        where e.kind = 'extended' and t.due_kind <> 'recurring' and e.event_date <= coalesce(f.done_on, p_as_of)
        group by e.task_id
    ),

    resolved as (
        select
            t.*,
            coalesce(x.due_date, t.due_date) as current_due,
            coalesce(x.extensions, 0) as extensions,
            coalesce(d.doc_date, d.event_date) as assigned_on,
            f.done_on,
            f.was_withdrawn and f.done_on is null as withdrawn
        from core.task as t
        inner join core.directive as d on t.directive_id = d.directive_id
        inner join finished as f on t.task_id = f.task_id
        left join extension as x on t.task_id = x.task_id
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
