-- All that is known of each task in the order of its days: given out, reported (also in Biểu 03), extension asked and
-- granted, done, withdrawn, reopened, named again by a later document.
create function mart.task_timeline(p_known_at timestamptz)
returns table (
    task_id text,
    day date,
    kind text,
    instance text,
    document text,
    new_due_date date,
    detail_vi text,
    recorded_by text,
    known_from timestamptz
)
language sql stable
as $$
    select
        t.task_id,
        coalesce(d.doc_date, d.event_date, (t.registered_at at time zone 'Asia/Ho_Chi_Minh')::date) as day,
        'assigned' as kind,
        '' as instance,
        coalesce(d.doc_no, d.title_vi) as document,
        t.due_date as new_due_date,
        concat_ws(', ', 'mục ' || t.item, t.deadline_phrase_vi) as detail_vi,
        d.issuer_vi as recorded_by,
        t.registered_at as known_from
    from core.task as t
    inner join core.directive as d on t.directive_id = d.directive_id
    where t.registered_at <= p_known_at
    union all
    select
        e.task_id, e.event_date, e.kind, e.instance, e.document, coalesce(e.new_due_date, e.asked_due_date),
        e.detail_vi, e.recorded_by, e.recorded_at
    from core.task_event as e
    where e.recorded_at <= p_known_at
    union all
    select
        r.task_id, s.as_of, 'reported', '', 'Biểu 03 kỳ ' || s.period, r.extension_date,
        concat_ws('; ', r.status, r.progress, r.reason), c.name_vi, s.known_from
    from core.submission_span as s
    inner join core.task_report as r on s.submission_id = r.submission_id
    inner join ref.unit as c
        on s.commune_code = c.commune_code and s.as_of >= c.valid_from and (c.valid_to is null or s.as_of <= c.valid_to)
    where s.known_from <= p_known_at and (s.known_to > p_known_at or s.known_to = 'infinity')
    union all
    select
        k.earlier_task_id, (n.decided_at at time zone 'Asia/Ho_Chi_Minh')::date, k.relation, '',
        coalesce(d.doc_no, d.title_vi), null, 'mục ' || w.item, n.decided_by, n.decided_at
    from core.notice_task_decision as k
    inner join core.notice_decision as n on k.notice_decision_id = n.notice_decision_id
    inner join core.notice_task as w on n.notice_id = w.notice_id and k.row_no = w.row_no
    inner join core.directive as d on n.directive_id = d.directive_id
    where k.earlier_task_id is not null and n.decided_at <= p_known_at
$$;
