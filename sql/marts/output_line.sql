-- Rows of Biểu 02 of the submissions that speak, one per commune, period, budget year and indicator.
create view mart.output_line_history as
select
    s.period,
    s.budget_year,
    s.as_of,
    s.commune_code,
    c.name_vi as commune_vi,
    o.indicator_code,
    coalesce(i.name_vi, o.indicator_vi) as indicator_vi,
    coalesce(i.project_code, o.project_code) as project_code,
    coalesce(i.unit, o.unit) as unit,
    o.target_phase,
    o.target_year,
    o.actual_period,
    o.actual_ytd,
    o.actual_phase,
    o.rate_year,
    o.rate_phase,
    o.forecast,
    o.note,
    s.submission_id,
    o.row_no,
    o.value_states,
    i.indicator_code is not null as is_registered,
    o.indicator_vi as reported_vi,
    o.project_code as reported_project,
    o.unit as reported_unit,
    s.known_from,
    s.known_to
from core.submission_span as s
inner join core.output_indicator as o on s.submission_id = o.submission_id
left join ref.unit as c
    on s.commune_code = c.commune_code and s.as_of >= c.valid_from and (c.valid_to is null or s.as_of <= c.valid_to)
left join ref.indicator as i
    on
        o.indicator_code = i.indicator_code and s.as_of >= i.valid_from
        and (i.valid_to is null or s.as_of <= i.valid_to);

-- In the words of the reference data that were known at the moment.
create function mart.output_line_at(p_known_at timestamptz) returns setof mart.output_line
language sql stable
as $$
    select
        h.period,
        h.budget_year,
        h.as_of,
        h.commune_code,
        c.name_vi as commune_vi,
        h.indicator_code,
        coalesce(i.name_vi, h.reported_vi) as indicator_vi,
        coalesce(i.project_code, h.reported_project) as project_code,
        coalesce(i.unit, h.reported_unit) as unit,
        h.target_phase,
        h.target_year,
        h.actual_period,
        h.actual_ytd,
        h.actual_phase,
        h.rate_year,
        h.rate_phase,
        h.forecast,
        h.note,
        h.submission_id,
        h.row_no,
        h.value_states,
        i.indicator_code is not null as is_registered,
        h.reported_vi,
        h.reported_project,
        h.reported_unit
    from mart.output_line_history as h
    left join ref.unit as c
        on
            h.commune_code = c.commune_code and h.as_of >= c.valid_from
            and (c.valid_to is null or h.as_of <= c.valid_to)
    left join ref.indicator as i
        on
            h.indicator_code = i.indicator_code and h.as_of >= i.valid_from
            and (i.valid_to is null or h.as_of <= i.valid_to)
    where h.known_from <= p_known_at and (h.known_to > p_known_at or h.known_to = 'infinity')
$$;
