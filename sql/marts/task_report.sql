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
