-- Whom the ladder (ref.follow_up_step) wants reminded of what on a day, whether or not it was told already: tasks and
-- periods of recurring ones that are due soon or overdue, monthly reports that did not come by their due date or were
-- returned and not sent again. Those who reported, or declared that there is nothing to report, are not in it (but
-- whoever declared it and then sent a workbook that was returned is). After the month is published a reminder is of no
-- more use. A task that was reopened climbs the ladder anew from that day; since: what was told of the matter before
-- that moment (reopened, another deadline) was told of something else. The owner is one rung, the others are named; a name without a
-- contact has no recipient (null). Of each recipient and matter the highest rung that is reached.
create function mart.follow_up_due(p_as_of date, p_known_at timestamptz)
returns table (
    event_kind text,
    subject text,
    task_id text,
    instance text,
    period text,
    owner_vi text,
    content_vi text,
    due_date date,
    original_due_date date,
    reopened_on date,
    days_overdue integer,
    working_days_left integer,
    working_days_late integer,
    since timestamptz,
    step integer,
    recipient text,
    is_owner boolean
)
language sql stable
as $$
    with committee as materialized (
        select c.* from mart.task_committee(p_known_at) as c
        where p_as_of >= c.valid_from and (c.valid_to is null or p_as_of <= c.valid_to)
    ),

    open_task as materialized (
        select
            t.task_id as subject,
            t.task_id,
            '' as instance,
            t.lead_vi,
            t.content_vi,
            t.due_date,
            t.original_due_date,
            t.days_overdue
        from mart.task_state(p_as_of, p_known_at) as t
        where
            t.state in ('Đang thực hiện quá hạn', 'Sắp đến hạn') and coalesce(t.assigned_on <= p_as_of, true)
        union all
        select
            i.task_id || ' ' || i.instance, i.task_id, i.instance, i.lead_vi, i.content_vi, i.due_date,
            i.original_due_date, i.days_overdue
        from mart.task_instance(p_as_of, p_known_at) as i
        where i.state in ('Đang thực hiện quá hạn', 'Sắp đến hạn')
    ),

    turned as (
        select o.subject, max(e.event_date) filter (where e.kind = 'reopened') as reopened_on, max(e.recorded_at) as since
        from open_task as o
        inner join core.task_event as e
            on o.task_id = e.task_id and e.event_date <= p_as_of and e.recorded_at <= p_known_at
        where
            (e.kind = 'reopened' and e.instance in ('', o.instance))
            or (
                e.kind = 'extended' and e.instance = o.instance
                and not exists (
                    select 1 from core.task_event as v
                    where
                        v.task_id = e.task_id and v.instance = e.instance and v.kind = 'extended'
                        and v.event_date <= p_as_of and v.recorded_at <= p_known_at
                        and (v.event_date, v.task_event_id) > (e.event_date, e.task_event_id)
                )
            )
        group by o.subject
    ),

    missing as materialized (
        select
            case when s.state = 'missing' then 'missing_report' else 'returned_report' end as event_kind,
            concat_ws(' ', s.commune_code, w.period, w.budget_year) as subject,
            null as task_id,
            '' as instance,
            w.period,
            ref.committee_vi(c.kind, c.name_vi) as owner_vi,
            'Báo cáo tháng ' || substr(w.period, 6) || '/' || substr(w.period, 1, 4)
            || case when w.is_closing then ' (khóa sổ năm ngân sách ' || w.budget_year || ')' else '' end
                as content_vi,
            w.due_on as due_date,
            w.due_on as original_due_date,
            null::date as reopened_on,
            p_as_of - w.due_on as days_overdue,
            null::timestamptz as since,
            s.commune_code as owner_code
        from ref.reporting_calendar as w
        cross join lateral mart.submission_status_at(p_known_at, w.period, w.budget_year) as s
        inner join ref.unit as c
            on
                s.commune_code = c.commune_code and w.as_of >= c.valid_from
                and (c.valid_to is null or w.as_of <= c.valid_to)
        where
            p_as_of > w.due_on and p_as_of <= w.publish_on and s.state <> 'reported'
            and not exists (
                select 1 from core.nothing_declared as n
                where
                    n.period = w.period and n.recorded_at <= p_known_at
                    and n.owner_vi = ref.committee_vi(c.kind, c.name_vi)
                    and (s.state = 'missing' or s.received_at <= n.recorded_at)
            )
    ),

    matter as materialized (
        select
            m.*,
            ref.working_days_known(p_as_of, m.due_date, p_known_at) as working_days_left,
            ref.working_days_known(greatest(m.due_date, m.reopened_on), p_as_of, p_known_at) as working_days_late,
            case when m.owner_code ~ '^[0-9]{5}$' then 'commune' else 'agency' end as owner_kind
        from (
            select
                case when t.days_overdue > 0 then 'overdue' else 'due_soon' end as event_kind,
                t.subject,
                t.task_id,
                t.instance,
                null as period,
                t.lead_vi as owner_vi,
                t.content_vi,
                t.due_date,
                t.original_due_date,
                r.reopened_on,
                t.days_overdue,
                r.since,
                coalesce(c.commune_code, ref.agency_code(t.lead_vi)) as owner_code
            from open_task as t
            left join turned as r on t.subject = r.subject
            left join committee as c on t.task_id = c.task_id
            union all
            select m.* from missing as m
        ) as m
    )

    select
        q.event_kind,
        q.subject,
        q.task_id,
        q.instance,
        q.period,
        q.owner_vi,
        q.content_vi,
        q.due_date,
        q.original_due_date,
        q.reopened_on,
        q.days_overdue,
        q.working_days_left,
        q.working_days_late,
        q.since,
        max(q.step) as step,
        q.recipient,
        bool_or(q.is_owner) as is_owner
    from (
        select
            m.*,
            l.step,
            case when l.recipient = 'owner' then m.owner_code else l.recipient end as recipient,
            l.recipient = 'owner' as is_owner
        from matter as m
        inner join ref.follow_up_step as l
            on
                m.event_kind = l.event_kind and l.owner_kind in ('any', m.owner_kind)
                and m.working_days_late >= l.working_days
    ) as q
    group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, q.recipient
$$;
