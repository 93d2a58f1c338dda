-- What changed from each published release to the next one of its period, line by line, with the report and the reason
-- behind it. The differences of a figure's lines add up to the difference of the published figures.
create view mart.revision as
with releases as (
    select
        r.release_id,
        r.period,
        r.budget_year,
        r.known_at,
        lag(r.release_id) over w as previous_release_id,
        lag(r.known_at) over w as previous_known_at
    from mart.release as r
    window w as (partition by r.period, r.budget_year order by r.release_no)
)

select
    r.release_id,
    r.previous_release_id,
    r.period,
    r.budget_year,
    c.*
from releases as r
cross join lateral mart.revision_lines(r.period, r.budget_year, r.previous_known_at, r.known_at) as c
where r.previous_release_id is not null;
