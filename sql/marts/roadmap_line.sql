-- Rows of Biểu 05 of the submissions that speak: cumulative disbursement that the commune plans to reach at the end of
-- each month of the budget year and by its close on 31 January.
create view mart.roadmap_line_history as
select
    s.period,
    s.budget_year,
    s.as_of,
    s.commune_code,
    c.name_vi as commune_vi,
    n.programme_code,
    r.project_code as subproject_code,
    r.capital_kind,
    r.line_code,
    r.planned_m01,
    r.planned_m02,
    r.planned_m03,
    r.planned_m04,
    r.planned_m05,
    r.planned_m06,
    r.planned_m07,
    r.planned_m08,
    r.planned_m09,
    r.planned_m10,
    r.planned_m11,
    r.planned_m12,
    r.planned_close,
    r.note,
    s.submission_id,
    r.row_no,
    r.value_states,
    s.known_from,
    s.known_to
from core.submission_span as s
inner join core.roadmap as r on s.submission_id = r.submission_id
left join ref.programme_node as n
    on r.project_code = n.code and s.as_of >= n.valid_from and (n.valid_to is null or s.as_of <= n.valid_to)
left join ref.unit as c
    on s.commune_code = c.commune_code and s.as_of >= c.valid_from and (c.valid_to is null or s.as_of <= c.valid_to);

-- In the words of the reference data that were known at the moment.
create function mart.roadmap_line_at(p_known_at timestamptz) returns setof mart.roadmap_line
language sql stable
as $$
    select
        h.period,
        h.budget_year,
        h.as_of,
        h.commune_code,
        c.name_vi as commune_vi,
        n.programme_code,
        h.subproject_code,
        h.capital_kind,
        h.line_code,
        h.planned_m01,
        h.planned_m02,
        h.planned_m03,
        h.planned_m04,
        h.planned_m05,
        h.planned_m06,
        h.planned_m07,
        h.planned_m08,
        h.planned_m09,
        h.planned_m10,
        h.planned_m11,
        h.planned_m12,
        h.planned_close,
        h.note,
        h.submission_id,
        h.row_no,
        h.value_states
    from mart.roadmap_line_history as h
    left join ref.programme_node as n
        on
            h.subproject_code = n.code and h.as_of >= n.valid_from
            and (n.valid_to is null or h.as_of <= n.valid_to)
    left join ref.unit as c
        on
            h.commune_code = c.commune_code and h.as_of >= c.valid_from
            and (c.valid_to is null or h.as_of <= c.valid_to)
    where h.known_from <= p_known_at and (h.known_to > p_known_at or h.known_to = 'infinity')
$$;
