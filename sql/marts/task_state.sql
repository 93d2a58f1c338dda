-- The register with derived states as of a day (DOMAIN.md 4.2): lateness is computed, never reported; a task without
-- a date is never overdue; overdue starts the day after the deadline in force; the original deadline stays. Whether a
-- task was done by that day is what is best known at p_known_at: the latest report on it counts, also one that came
-- after that day, and only that of the commune that leads the task.
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
    with extension as (
        select
            e.task_id,
            count(*)::integer as extensions,
            (array_agg(e.new_due_date order by e.event_date desc, e.task_event_id desc))[1] as due_date
        from core.task_event as e
        where e.kind = 'extended' and e.event_date <= p_as_of and e.recorded_at <= p_known_at
        group by e.task_id
    ),

    last_event as (
        select distinct on (e.task_id) e.task_id, e.kind, e.event_date
        from core.task_event as e
        where e.kind in ('done', 'reopened', 'withdrawn') and e.event_date <= p_as_of and e.recorded_at <= p_known_at
        order by e.task_id, e.event_date desc, e.task_event_id desc
    ),

    last_report as (
        select distinct on (r.task_id) r.task_id, r.status, r.done_date
        from core.task_report as r
        inner join core.in_force(p_known_at) as s on r.submission_id = s.submission_id
        inner join core.task as t on r.task_id = t.task_id
        inner join ref.unit as c
            on
                r.commune_code = c.commune_code and s.as_of >= c.valid_from
                and (c.valid_to is null or s.as_of <= c.valid_to)
        where t.lead_vi = 'UBND ' || c.kind || substr(c.name_vi, length(c.kind) + 1)
        order by r.task_id, r.period desc, r.budget_year desc
    ),

    resolved as (
        select
            t.*,
            coalesce(x.due_date, t.due_date) as current_due,
            coalesce(x.extensions, 0) as extensions,
            coalesce(d.doc_date, d.event_date) as assigned_on,
            case
                when e.kind = 'done' then e.event_date
                when e.kind is null and r.status = 'Đã hoàn thành' and r.done_date <= p_as_of then r.done_date
            end as done_on,
            coalesce(e.kind = 'withdrawn', false) as withdrawn
        from core.task as t
        inner join core.directive as d on t.directive_id = d.directive_id
        left join extension as x on t.task_id = x.task_id
        left join last_event as e on t.task_id = e.task_id
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
        case
            when r.withdrawn then 'Thôi thực hiện'
            when r.done_on is not null and r.done_on > r.current_due then 'Đã hoàn thành quá hạn'
            when r.done_on is not null then 'Đã hoàn thành đúng hạn'
            when p_as_of > r.current_due then 'Đang thực hiện quá hạn'
            when
                r.current_due is not null and ref.working_days_known(p_as_of, r.current_due, p_known_at)
                <= (
                    select h.value from ref.threshold as h
                    where
                        h.threshold_code = 'due_soon_working_days' and p_as_of >= h.valid_from
                        and (h.valid_to is null or p_as_of <= h.valid_to)
                ) then 'Sắp đến hạn'
            when r.current_due is not null then 'Đang thực hiện trong hạn'
            when r.due_kind = 'recurring' or r.deliverable = 'standing' then 'Nhiệm vụ thường xuyên / định kỳ'
            else 'Không quy định thời hạn'
        end as state,
        case
            when not r.withdrawn and r.done_on is null and p_as_of > r.current_due then p_as_of - r.current_due
            else 0
        end as days_overdue,
        r.assigned_on
    from resolved as r
$$;
