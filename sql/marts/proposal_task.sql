-- What became of the communes' proposals (kiến nghị) that were handed to an agency as a task: the state of the task
-- beside what the commune last said of the proposal.
create function mart.proposal_task(p_as_of date, p_known_at timestamptz)
returns table (
    commune_code text,
    commune_vi text,
    issue_id text,
    proposal text,
    proposal_state text,
    reported_in text,
    task_id text,
    lead_vi text,
    content_vi text,
    directive_vi text,
    due_date date,
    done_date date,
    state text,
    days_overdue integer,
    result_document text
)
language sql stable
as $$
    select
        k.commune_code,
        c.name_vi as commune_vi,
        k.issue_id,
        p.proposal,
        p.state as proposal_state,
        p.period as reported_in,
        t.task_id,
        t.lead_vi,
        t.content_vi,
        coalesce(d.doc_no, d.title_vi) as directive_vi,
        t.due_date,
        t.done_date,
        t.state,
        t.days_overdue,
        e.document as result_document
    from core.task_proposal as k
    inner join mart.task_state(p_as_of, p_known_at) as t on k.task_id = t.task_id
    inner join core.directive as d on t.directive_id = d.directive_id
    left join ref.unit as c
        on
            k.commune_code = c.commune_code and p_as_of >= c.valid_from
            and (c.valid_to is null or p_as_of <= c.valid_to)
    left join lateral (
        select q.proposal, q.state, s.period
        from core.submission_span as s
        inner join core.proposal as q on s.submission_id = q.submission_id
        where
            s.commune_code = k.commune_code and q.issue_id = k.issue_id and s.known_from <= p_known_at
            and (s.known_to > p_known_at or s.known_to = 'infinity')
        order by s.period desc, s.budget_year desc
        limit 1
    ) as p on true
    left join lateral (
        select v.document from core.task_event as v
        where
            v.task_id = k.task_id and v.kind = 'done' and v.event_date <= p_as_of and v.recorded_at <= p_known_at
        order by v.event_date desc, v.task_event_id desc
        limit 1
    ) as e on t.done_date is not null
    where k.recorded_at <= p_known_at
$$;
