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
