-- What has changed since the last published release of each period, line by line: what the next release would list.
create view mart.revision_pending as
select
    r.release_id,
    r.period,
    r.budget_year,
    c.*
from mart.release as r
cross join lateral mart.revision_lines(r.period, r.budget_year, r.known_at, 'infinity') as c
where r.is_latest;
