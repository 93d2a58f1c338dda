-- Every report that ever spoke for its commune, and during which stretch of time: one row per stretch. The current view
-- has the reports in force.
create view mart.submission_history as
select
    p.period,
    p.budget_year,
    p.as_of,
    p.commune_code,
    c.name_vi as commune_vi,
    p.submission_id,
    s.file_name,
    s.sha256,
    s.version_no,
    s.received_at,
    s.is_late_revision,
    s.verdict = 'returned' as is_admitted,
    s.nothing_to_report,
    p.known_from,
    p.known_to
from core.submission_span as p
inner join raw.submission as s on p.submission_id = s.submission_id
left join ref.unit as c
    on p.commune_code = c.commune_code and p.as_of >= c.valid_from and (c.valid_to is null or p.as_of <= c.valid_to);

-- In the words of the reference data that were known at the moment.
create function mart.submission_at(p_known_at timestamptz) returns setof mart.submission
language sql stable
as $$
    select
        h.period,
        h.budget_year,
        h.as_of,
        h.commune_code,
        c.name_vi as commune_vi,
        h.submission_id,
        h.file_name,
        h.sha256,
        h.version_no,
        h.received_at,
        h.is_late_revision,
        h.is_admitted,
        h.nothing_to_report
    from mart.submission_history as h
    left join ref.unit as c
        on
            h.commune_code = c.commune_code and h.as_of >= c.valid_from
            and (c.valid_to is null or h.as_of <= c.valid_to)
    where h.known_from <= p_known_at and (h.known_to > p_known_at or h.known_to = 'infinity')
$$;
