-- Difficulties and proposals as the communes reported them in each period (Biểu 04), of the submissions that speak.
create view mart.proposal_history as
select
    s.period,
    s.budget_year,
    s.as_of,
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
left join ref.unit as c
    on s.commune_code = c.commune_code and s.as_of >= c.valid_from and (c.valid_to is null or s.as_of <= c.valid_to);

-- In the words of the reference data that were known at the moment.
create function mart.proposal_at(p_known_at timestamptz) returns setof mart.proposal
language sql stable
as $$
    select
        h.period,
        h.budget_year,
        h.as_of,
        h.commune_code,
        c.name_vi as commune_vi,
        h.issue_id,
        h.is_new,
        h.project_code,
        h.problem,
        h.cause,
        h.proposal,
        h.addressee,
        h.category,
        h.state,
        h.reply_doc,
        h.adjust_amount,
        h.note,
        h.submission_id,
        h.row_no,
        h.value_states
    from mart.proposal_history as h
    left join ref.unit as c
        on
            h.commune_code = c.commune_code and h.as_of >= c.valid_from
            and (c.valid_to is null or h.as_of <= c.valid_to)
    where h.known_from <= p_known_at and (h.known_to > p_known_at or h.known_to = 'infinity')
$$;
