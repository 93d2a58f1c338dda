-- Capital outside the budget (credit, enterprises, people's contributions) as reported beside Biểu 01; never in a rate.
create view mart.off_budget_history as
select
    s.period,
    s.budget_year,
    s.as_of,
    s.commune_code,
    c.name_vi as commune_vi,
    o.line_code,
    o.amount,
    s.submission_id,
    o.row_no,
    o.value_states,
    s.known_from,
    s.known_to
from core.submission_span as s
inner join core.off_budget as o on s.submission_id = o.submission_id
left join ref.unit as c
    on s.commune_code = c.commune_code and s.as_of >= c.valid_from and (c.valid_to is null or s.as_of <= c.valid_to);

-- In the words of the reference data that were known at the moment.
create function mart.off_budget_at(p_known_at timestamptz) returns setof mart.off_budget
language sql stable
as $$
    select
        h.period,
        h.budget_year,
        h.as_of,
        h.commune_code,
        c.name_vi as commune_vi,
        h.line_code,
        h.amount,
        h.submission_id,
        h.row_no,
        h.value_states
    from mart.off_budget_history as h
    left join ref.unit as c
        on
            h.commune_code = c.commune_code and h.as_of >= c.valid_from
            and (c.valid_to is null or h.as_of <= c.valid_to)
    where h.known_from <= p_known_at and (h.known_to > p_known_at or h.known_to = 'infinity')
$$;
