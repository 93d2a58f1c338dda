-- Whom the ladder (ref.follow_up_step) wants reminded of what on a day, whether or not it was told already: tasks and
-- periods of recurring ones that are due soon or overdue, monthly reports that did not come by their due date or were
-- returned and not sent again. Those who reported, or declared that there is nothing to report, are not in it. After
-- the month is published a reminder is of no more use. The owner is one rung, the others are named; a name without a
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
    days_overdue integer,
    working_days_late integer,
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
            case when t.days_overdue > 0 then 'overdue' else 'due_soon' end as event_kind,
            t.task_id as subject,
            t.task_id,
            '' as instance,
            null as period,
            t.lead_vi as owner_vi,
            t.content_vi,
            t.due_date,
            t.days_overdue
        from mart.task_state(p_as_of, p_known_at) as t
        where
            t.state in ('Đang thực hiện quá hạn', 'Sắp đến hạn') and coalesce(t.assigned_on <= p_as_of, true)
        union all
        select
            case when i.days_overdue > 0 then 'overdue' else 'due_soon' end,
            i.task_id || ' ' || i.instance, i.task_id, i.instance, null, i.lead_vi, i.content_vi, i.due_date,
            i.days_overdue
        from mart.task_instance(p_as_of, p_known_at) as i
        where i.state in ('Đang thực hiện quá hạn', 'Sắp đến hạn')
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
            p_as_of - w.due_on as days_overdue,
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
            )
    ),

    matter as materialized (
        select
            m.*,
            ref.working_days_known(m.due_date, p_as_of, p_known_at) as working_days_late,
            case when m.owner_code ~ '^[0-9]{5}$' then 'commune' else 'agency' end as owner_kind
        from (
            select t.*, coalesce(c.commune_code, ref.agency_code(t.owner_vi)) as owner_code
            from open_task as t
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
        q.days_overdue,
        q.working_days_late,
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
    group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, q.recipient
$$;
