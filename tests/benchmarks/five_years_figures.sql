-- What each release published of the province and of each commune.
insert into release.figure (figure_id, release_id, metric, dims, value, unit, coverage_n, coverage_of, source)
select
    concat_ws('/', r.release_id, f.metric, s.commune_code),
    r.release_id,
    f.metric,
    case when s.commune_code is null then '{}' else jsonb_build_object('commune', s.commune_code) end,
    f.value,
    f.unit,
    s.communes_reported,
    s.communes_expected,
    'mart.disbursement_rate'
from release.release as r
cross join lateral mart.disbursement_rate_at(r.known_at) as s
cross join lateral (
    values
    ('plan_total', 'vnd', s.plan_total),
    ('disb_ytd', 'vnd', s.disb_ytd),
    ('rate_total', 'percent', s.rate_total)
) as f (metric, unit, value)
where s.period = r.period and s.budget_year = r.budget_year and s.slice in ('all', 'commune');
