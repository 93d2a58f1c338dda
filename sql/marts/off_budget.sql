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
