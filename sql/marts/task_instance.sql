-- Recurring tasks, one row per period from the one in which the task was given out up to the day asked about. Nothing
-- is stored ahead: the periods follow from the calendar. The deadline is the day of the period that the document names
-- (due_day, in the month that is due_shift months after the period's last), else the period's last day. A period that
-- has not begun is there when its deadline is near (a week is not: it begins with its Monday). What is to be done daily
-- has no periods: it is a standing duty, and nobody has a document for each day.
-- A period is done by its own result document, or by the latest report of the lead commune of a month that ends in it,
-- unless the report only repeats what was done before the period. What is open when the task is withdrawn is withdrawn
-- with it, and is open again when the task is; a period that came and went meanwhile is none.
create function mart.task_instance(p_as_of date, p_known_at timestamptz)
returns table (
    task_id text,
    directive_id text,
    item text,
    lead_vi text,
    content_vi text,
    deadline_phrase_vi text,
    recurrence text,
    instance text,
    period_from date,
    period_to date,
    original_due_date date,
    due_date date,
    done_date date,
    state text,
    days_overdue integer
)
language sql stable
as $$
    with step (recurrence, months, label) as (
        values
        ('weekly', 0, 'IYYY-"W"IW'), ('monthly', 1, 'YYYY-MM'), ('quarterly', 3, 'YYYY-"Q"Q'),
        ('half_yearly', 6, 'YYYY'), ('yearly', 12, 'YYYY')
    ),

    series as (
        select
            t.*,
            s.months,
            s.label,
            coalesce(d.doc_date, d.event_date, (t.registered_at at time zone 'Asia/Ho_Chi_Minh')::date) as assigned_on
        from core.task as t
        inner join core.directive as d on t.directive_id = d.directive_id
        inner join step as s on t.recurrence = s.recurrence
        where t.due_kind = 'recurring' and t.registered_at <= p_known_at
    ),

    span as (
        select
            t.*,
            g.first_day::date as period_from,
            case when t.months = 0 then g.first_day::date + 6
                else (g.first_day + make_interval(months => t.months) - interval '1 day')::date
            end as period_to
        from series as t
        cross join lateral generate_series(
            case t.months
                when 0 then date_trunc('week', t.assigned_on::timestamp)
                when 6 then
                    date_trunc('year', t.assigned_on::timestamp)
                    + make_interval(months => 6 * ((extract(month from t.assigned_on)::integer - 1) / 6))
                else date_trunc(
                    case t.months when 1 then 'month' when 3 then 'quarter' else 'year' end, t.assigned_on::timestamp
                )
            end,
            p_as_of::timestamp + make_interval(months => t.months),
            case when t.months = 0 then interval '7 days' else make_interval(months => t.months) end
        ) as g (first_day)
    ),

    dated as (
        select
            p.*,
            to_char(p.period_from, p.label)
            || case when p.months = 6 then case when extract(month from p.period_from) < 7 then '-H1' else '-H2' end
                else ''
            end as instance,
            case
                when p.months = 0 then p.period_from + coalesce(p.due_day, 7) - 1
                else
                    least(
                        m.first_day + coalesce(p.due_day, 31) - 1,
                        (m.first_day + interval '1 month' - interval '1 day')::date
                    )
            end as first_due
        from span as p
        cross join lateral (
            select (date_trunc('month', p.period_to::timestamp) + make_interval(months => p.due_shift))::date
                as first_day
        ) as m
    ),

    told as (
        select
            d.*,
            case
                when d.due_shift < 0
                    then coalesce(lag(d.first_due) over (partition by d.task_id order by d.period_from), d.assigned_on - 1)
                else
                    greatest(
                        d.period_from - 1, lag(d.first_due) over (partition by d.task_id order by d.period_from)
                    )
            end as done_before
        from dated as d
    ),

    event as (
        select e.* from core.task_event as e
        where e.event_date <= p_as_of and e.recorded_at <= p_known_at
    ),

    -- What the lead commune says of a task in Biểu 03; the date only of what is done with its document.
    report as materialized (
        select
            b.task_id,
            b.period,
            b.budget_year,
            s.as_of,
            case when b.status = 'Đã hoàn thành' and btrim(b.result_doc) <> '' then b.done_date end as done_date
        from series as t
        inner join core.task_report as b on t.task_id = b.task_id
        inner join core.in_force(p_known_at) as s on b.submission_id = s.submission_id
        inner join mart.task_committee(p_known_at) as c
            on
                b.task_id = c.task_id and b.commune_code = c.commune_code and s.as_of >= c.valid_from
                and (c.valid_to is null or s.as_of <= c.valid_to)
    ),

    finished as (
        select
            p.*,
            coalesce(f.event_date, case when r.done_date <= p_as_of then r.done_date end) as done_on,
            e.event_date as ended_on
        from told as p
        left join lateral (
            select v.event_date, v.task_event_id from event as v
            where v.task_id = p.task_id and v.instance = p.instance and v.kind = 'reopened'
            order by v.event_date desc, v.task_event_id desc
            limit 1
        ) as w on true
        left join lateral (
            select v.event_date, v.task_event_id, v.kind from event as v
            where v.task_id = p.task_id and v.instance = '' and v.kind in ('done', 'withdrawn', 'reopened')
            order by v.event_date desc, v.task_event_id desc
            limit 1
        ) as e on e.kind <> 'reopened'
        left join lateral (
            select v.event_date from event as v
            where
                v.task_id = p.task_id and v.instance = p.instance and v.kind = 'done'
                and (w.event_date is null or (v.event_date, v.task_event_id) > (w.event_date, w.task_event_id))
                and (e.event_date is null or (v.event_date, v.task_event_id) < (e.event_date, e.task_event_id))
            order by v.event_date, v.task_event_id
            limit 1
        ) as f on true
        left join lateral (
            select
                case
                    when
                        b.done_date > p.done_before and (w.event_date is null or b.done_date > w.event_date)
                        and (e.event_date is null or b.done_date <= e.event_date)
                        then b.done_date
                end as done_date
            from report as b
            where b.task_id = p.task_id and b.as_of between p.period_from and p.period_to
            order by b.period desc, b.budget_year desc, b.done_date desc nulls first
            limit 1
        ) as r on true
        where
            p.first_due >= p.assigned_on
            and (
                p.period_from <= p_as_of
                or (
                    p.months > 0 and p.first_due <= p_as_of + 31
                    and mart.task_state_name(p_as_of, p.first_due, null, false, true, p_known_at)
                    <> 'Đang thực hiện trong hạn'
                )
            )
            and not exists (
                select 1 from event as v
                where
                    v.task_id = p.task_id and v.instance = '' and v.kind in ('done', 'withdrawn')
                    and v.event_date < p.period_from
                    and not exists (
                        select 1 from event as o
                        where
                            o.task_id = p.task_id and o.instance = '' and o.kind = 'reopened'
                            and (o.event_date, o.task_event_id) > (v.event_date, v.task_event_id)
                            and o.event_date <= p.first_due
                    )
            )
    ),

    resolved as (
        select p.*, coalesce(x.due_date, p.first_due) as current_due
        from finished as p
        left join lateral (
            select v.new_due_date as due_date from event as v
            where
                v.task_id = p.task_id and v.instance = p.instance and v.kind = 'extended'
                and v.event_date <= coalesce(p.done_on, p_as_of)
            order by v.event_date desc, v.task_event_id desc
            limit 1
        ) as x on true
    )

    select
        r.task_id,
        r.directive_id,
        r.item,
        r.lead_vi,
        r.content_vi,
        r.deadline_phrase_vi,
        r.recurrence,
        r.instance,
        r.period_from,
        r.period_to,
        r.first_due as original_due_date,
        r.current_due as due_date,
        r.done_on as done_date,
        mart.task_state_name(
            p_as_of, r.current_due, r.done_on, r.done_on is null and r.ended_on is not null, true, p_known_at
        ) as state,
        case
            when r.done_on is null and r.ended_on is null and p_as_of > r.current_due then p_as_of - r.current_due
            else 0
        end as days_overdue
    from resolved as r
$$;
