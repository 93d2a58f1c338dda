-- What the checks of a whole period found when it was frozen: who was missing or late, figures unlike those of their peers.
create view mart.release_finding as
select
    f.release_id,
    r.period,
    r.budget_year,
    f.finding_no,
    f.rule_id,
    f.expectation_id,
    f.severity,
    f.commune_code,
    c.name_vi as commune_vi,
    f.line,
    f.sheet,
    f.cell,
    f.submission_id,
    f.value,
    f.expected,
    f.difference,
    f.unit,
    f.message_vi
from release.finding as f
inner join release.release as r on f.release_id = r.release_id
left join lateral ref.unit_known_at(r.known_at) as c
    on f.commune_code = c.commune_code and r.as_of >= c.valid_from and (c.valid_to is null or r.as_of <= c.valid_to);
