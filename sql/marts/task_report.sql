-- Rows of Biểu 03 of the submissions that speak: what a commune says of a task in a period.
create view mart.task_report_history as
select
    s.period,
    s.budget_year,
    s.as_of,
    s.commune_code,
    c.name_vi as commune_vi,
    r.task_id,
    r.doc_no,
    r.doc_date,
    r.content,
    r.lead,
    r.coordinating,
    r.deadline_text,
    r.status,
    r.done_date,
    r.result_doc,
    r.progress,
    r.reason,
    r.extension_date,
    r.note,
    s.submission_id,
    r.row_no,
    r.value_states,
    s.known_from,
    s.known_to
from core.submission_span as s
inner join core.task_report as r on s.submission_id = r.submission_id
left join ref.unit as c
    on s.commune_code = c.commune_code and s.as_of >= c.valid_from and (c.valid_to is null or s.as_of <= c.valid_to);

-- In the words of the reference data that were known at the moment.
create function mart.task_report_at(p_known_at timestamptz) returns setof mart.task_report
language sql stable
as $$
    select
        h.period,
        h.budget_year,
        h.as_of,
        h.commune_code,
        c.name_vi as commune_vi,
        h.task_id,
        h.doc_no,
        h.doc_date,
        h.content,
        h.lead,
        h.coordinating,
        h.deadline_text,
        h.status,
        h.done_date,
        h.result_doc,
        h.progress,
        h.reason,
        h.extension_date,
        h.note,
        h.submission_id,
        h.row_no,
        h.value_states
    from mart.task_report_history as h
    left join ref.unit as c
        on
            h.commune_code = c.commune_code and h.as_of >= c.valid_from
            and (c.valid_to is null or h.as_of <= c.valid_to)
    where h.known_from <= p_known_at and (h.known_to > p_known_at or h.known_to = 'infinity')
$$;
