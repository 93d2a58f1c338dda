-- Difficulties and proposals as the communes reported them in each period (Biểu 04), of the submissions that speak.
create view mart.proposal_history as
select
    s.period,
    s.budget_year,
    s.commune_code,
    c.name_vi as commune_vi,
    p.issue_id,
    p.is_new,
    p.project_code,
    p.problem,
    p.cause,
    p.proposal,
    p.addressee,
    p.category,
    p.state,
    p.reply_doc,
    p.adjust_amount,
    p.note,
    s.submission_id,
    p.row_no,
    p.value_states,
    s.known_from,
    s.known_to
from core.submission_span as s
inner join core.proposal as p on s.submission_id = p.submission_id
inner join ref.unit as c
    on s.commune_code = c.commune_code and s.as_of >= c.valid_from and (c.valid_to is null or s.as_of <= c.valid_to);
